/* SPDX-License-Identifier: Apache-2.0 */
/* permute_write - what the command permute found, as maps with a table of peaks, or as one table. */
#ifndef NEP_CLI_PERMUTE_WRITE_H
#define NEP_CLI_PERMUTE_WRITE_H

#include <nepenthe/glm.h>
#include <nepenthe/permute.h>

#include "cli/people.h"

typedef struct {
    cli_people people;
    nep_glm_design design;
    int64_t n_people; /* rows of the design */
    int n;            /* contrasts */
    nep_glm_contrast *contrasts;
    char *const *formula; /* [n] lent */
    nep_permute_result *r; /* [n] */
    double *forming;       /* [n] clusters: |t| or F above it */
    nep_permute_opts o;
    bool yekutieli, blocks, whole;
    int64_t asked;
} cli_permute_result;
void cli_permute_result_free(cli_permute_result *p);
/* One line per contrast: what was shuffled, how often, what came of it. */
void cli_permute_result_say(cli *c, const cli_permute_result *p, int k);
/* Maps PREFIX_<contrast>_<quantity>.nii.gz, PREFIX_peaks.tsv and PREFIX.json; or the table of regions. */
NEP_MUST_USE nep_status cli_permute_result_write(cli *c, const cli_permute_result *p);

#endif
