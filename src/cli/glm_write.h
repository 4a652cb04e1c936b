/* SPDX-License-Identifier: Apache-2.0 */
/* glm_write - what the command glm found, as maps or as a table, with the model that made them. */
#ifndef NEP_CLI_GLM_WRITE_H
#define NEP_CLI_GLM_WRITE_H

#include <nepenthe/glm.h>

#include "cli/people.h"

typedef struct {
    bool second;
    nep_glm_opts o;
    nep_glm_fixed fixed;
    int n; /* contrasts */
    nep_glm_contrast *contrasts;
    char *const *formula; /* [n] lent */
    nep_glm_pool *pool;
    int64_t n_cols;
    char *const *regions; /* lent; NULL for images */
    nep_grid grid;
    int64_t *voxel;    /* [n_cols] of a first level's images */
    cli_people people; /* of a second level */
    double df_run;     /* of the run at work */
    int64_t n_missing, n_flat, n_unscaled;
    json_t *designs; /* one entry per run */
} cli_glm_result;
void cli_glm_result_free(cli_glm_result *r);
/* Notes a run's design for the sidecar; tr_s NaN = it has none. */
NEP_MUST_USE nep_status cli_glm_result_note(nep_ctx *ctx, cli_glm_result *r, const char *path, double tr_s, const nep_glm_design *d);
/* Maps PREFIX_<contrast>_{effect,se,t,z} or _{f,z}.nii.gz with PREFIX.json, or the table. */
NEP_MUST_USE nep_status cli_glm_result_write(cli *c, const cli_glm_result *r);

#endif
