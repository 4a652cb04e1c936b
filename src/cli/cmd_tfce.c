/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe tfce - threshold-free cluster enhancement of one map. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/images.h"

static const cli_option options[] = {
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels that take part; the others are NaN; default: all that are finite"},
    {"connectivity", 0, CLI_CHOICE, "N", "6", "6|18|26", "neighbours that make a cluster: by faces, edges too, corners too"},
    {"extent", 'E', CLI_REAL, "E", "0.5", NULL, "exponent of the extent"},
    {"height", 'H', CLI_REAL, "H", "2", NULL, "exponent of the height"},
    {"unit", 0, CLI_CHOICE, "UNIT", "voxel", "voxel|mm3", "what the extent is counted in"},
    {"positive", 0, CLI_FLAG, NULL, NULL, NULL, "enhance values above 0 alone; default: those below 0 too, with their sign"},
    {"definition", 0, CLI_CHOICE, "NAME", "exact", "exact|nilearn", "the integral over height, or nilearn's 100 steps without their width"},
};

typedef struct {
    nep_volume map;
    float *out;
} job;

static nep_status take_mask(cli *c, const char *path, nep_volume *map)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t n = nep_grid_voxels(&map->grid);
    int64_t infinite = 0;
    nep_volume mask = {0};
    if (cli_given(c, "mask"))
        NEP_TRY(cli_images_mask(ctx, cli_text(c, "mask"), &map->grid, path, &mask));
    for (int64_t v = 0; v < n; v++) {
        const bool inside = !mask.data || mask.data[v] > 0;
        infinite += inside && isinf(map->data[v]);
        if (!inside || isinf(map->data[v]))
            map->data[v] = NAN;
    }
    nep_volume_free(&mask);
    if (infinite > 0)
        nep_warn(ctx, "tfce: %lld infinite voxels of '%s' are left out, as missing ones are", (long long)infinite, path);
    return NEP_OK;
}

static nep_status enhance(cli *c, const char *path, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t dims[3] = {j->map.grid.nx, j->map.grid.ny, j->map.grid.nz}, n = nep_grid_voxels(&j->map.grid);
    const double *mm = j->map.grid.voxel_mm;
    const bool volume = strcmp(cli_text(c, "unit"), "mm3") == 0;
    const nep_tfce_opts o = {.e = cli_real(c, "extent"),
                             .h = cli_real(c, "height"),
                             .connectivity = atoi(cli_text(c, "connectivity")),
                             .voxel_mm3 = volume ? mm[0] * mm[1] * mm[2] : 1.0,
                             .two_sided = !cli_flag(c, "positive"),
                             .steps = strcmp(cli_text(c, "definition"), "nilearn") == 0 ? 100 : 0};
    double *score = NULL;
    nep_status st;
    NEP_TRY(take_mask(c, path, &j->map));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *score, "TFCE", &score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *j->out, "TFCE", &j->out));
    NEP_TRY_OR_DONE(st, nep_tfce_score(ctx, j->map.data, dims, &o, score));
    for (int64_t v = 0; v < n; v++)
        j->out[v] = (float)score[v];
done:
    nep_alloc_free(score);
    return st;
}

static nep_status write_map(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_nifti_write(ctx, path, &j->map.grid, 1, (double)NAN, j->out, false);
}

static json_t *summary(cli *c, const job *j)
{
    const int64_t n = nep_grid_voxels(&j->map.grid);
    int64_t inside = 0;
    double low = 0, high = 0;
    for (int64_t v = 0; v < n; v++) {
        inside += !isnan(j->out[v]);
        low = fmin(low, (double)j->out[v]);
        high = fmax(high, (double)j->out[v]);
    }
    return json_pack("{s:I,s:f,s:f,s:s}", "voxels", (json_int_t)inside, "least", low, "most", high, "definition", cli_text(c, "definition"));
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *path = cli_input(c, 0);
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_read_volume(ctx, path, &j.map));
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        const int64_t n = nep_grid_voxels(&j.map.grid);
        st = cli_plan(c, 1, n * 100, (double)n * 1e-7, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, enhance(c, path, &j));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_map, &j, NULL, json_pack("{s:o}", "Tfce", summary(c, &j))));
    st = cli_json(c) ? cli_document(c, summary(c, &j)) : NEP_OK;
done:
    nep_alloc_free(j.out);
    nep_volume_free(&j.map);
    return st;
}

const cli_command cli_cmd_tfce = {.name = "tfce",
                                  .group = "Imaging",
                                  .summary = "threshold-free cluster enhancement of a map, exact",
                                  .inputs = "MAP",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .inputs_are_files = true,
                                  .options = options,
                                  .n_options = NEP_LEN(options),
                                  .run = run,
                                  .example = "nepenthe tfce tmap.nii.gz --mask mask.nii.gz -o tfce.nii.gz"};
