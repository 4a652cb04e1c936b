/* SPDX-License-Identifier: Apache-2.0 */
/* permute_run - a permutation test of people from their data on: design, blocks, what can be tested, each contrast in turn. */
#ifndef NEP_CLI_PERMUTE_RUN_H
#define NEP_CLI_PERMUTE_RUN_H

#include "cli/glm_model.h"
#include "cli/permute_write.h"

typedef struct {
    cli *c;
    cli_glm_words words;
    nep_table design; /* of --design, read when the test is prepared; empty without one: the mean alone */
    bool resumes;     /* where a checkpoint lies, go on from it */
    char prefix[4000]; /* of checkpoints, which are called <prefix>_<contrast>.checkpoint; "" = none */
    int64_t *row;     /* of the data, for each row of the design */
    int32_t *block;   /* [rows of the design] or NULL */
    float *y;         /* [rows of the design, n_cols] */
    bool *inside;
    int64_t dims[3];
    cli_permute_result p; /* the caller fills people, o and asked */
} cli_permute;
void cli_permute_free(cli_permute *j);

/* --statistic, --exchange, --whole, --positive, --tail and --cluster-p, which commands that test have in common, into p.o; n shuffles.
 * Errors: NEP_E_USAGE, NEP_E_ARG. */
NEP_MUST_USE nep_status cli_permute_options(cli_permute *j, int64_t n);
/* From the people's data to what is tested: --design with --columns and --centre, the people who are in both, voxels that vary, the
 * blocks of --exchange, the grid. Takes the people's data. */
NEP_MUST_USE nep_status cli_permute_prepare(cli_permute *j);
/* Every contrast; forming = clusters beyond it, NaN: beyond --cluster-p. */
NEP_MUST_USE nep_status cli_permute_test(cli_permute *j, double forming, nep_permute_shuffle shuffle);
/* Takes the checkpoints away. */
NEP_MUST_USE nep_status cli_permute_clear(const cli_permute *j);

#endif
