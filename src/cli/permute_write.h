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
/* What cli_permute_result_write says of the test in sidecars. New reference. */
json_t *cli_permute_describe(const cli_permute_result *p);
/* How a command calls its outputs: a map of a contrast, or (contrast NULL) the table of peaks; `wrote` (may be NULL) comes after each. */
typedef struct {
    void *user;
    nep_status (*path)(void *user, const char *contrast, const char *quantity, char out[4096]);
    nep_status (*wrote)(void *user, const char *contrast, const char *quantity, const char *path);
} cli_permute_names;
NEP_MUST_USE nep_status cli_permute_maps_write(cli *c, const cli_permute_result *p, const cli_permute_names *names);
/* The table of regions at `path`; NULL = as the command's output, with its sidecar. */
NEP_MUST_USE nep_status cli_permute_table_write(cli *c, const cli_permute_result *p, const char *path);
/* Maps PREFIX_<contrast>_<quantity>.nii.gz, PREFIX_peaks.tsv and PREFIX.json; or the table of regions. */
NEP_MUST_USE nep_status cli_permute_result_write(cli *c, const cli_permute_result *p);

#endif
