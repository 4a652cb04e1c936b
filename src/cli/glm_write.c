/* SPDX-License-Identifier: Apache-2.0 */
/* glm_write - what the command glm found, as maps or as a table, with the model that made them. */
#include "cli/glm_write.h"

#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/tabular.h"

enum { EFFECT, SE, STAT, Z, VALUES };

void cli_glm_result_free(cli_glm_result *r)
{
    nep_glm_pool_free(r->pool);
    for (int k = 0; r->contrasts && k < r->n; k++)
        nep_glm_contrast_free(&r->contrasts[k]);
    nep_alloc_free(r->contrasts);
    nep_alloc_free(r->voxel);
    cli_people_free(&r->people);
    json_decref(r->designs);
    *r = (cli_glm_result){0};
}

nep_status cli_glm_result_note(nep_ctx *ctx, cli_glm_result *r, const char *path, double tr_s, const nep_glm_design *d)
{
    const char *slash = strrchr(path, '/');
    json_t *columns = json_array(), *entry;
    if (!r->designs)
        r->designs = json_array();
    for (int64_t j = 0; j < d->p; j++)
        json_array_append_new(columns, json_string(d->names[j]));
    entry = json_pack("{s:s,s:I,s:o,s:o,s:f}", "of", slash ? slash + 1 : path, "rows", (json_int_t)d->n, "tr_s", cli_number(tr_s), "columns",
                      columns, "df", (double)(d->n - d->p));
    NEP_REQUIRE(ctx, entry && r->designs && json_array_append_new(r->designs, entry) == 0, NEP_E_NOMEM, "glm: no memory for the sidecar");
    return NEP_OK;
}

static json_t *describe(const cli_glm_result *r)
{
    json_t *list = json_array();
    for (int k = 0; k < r->n; k++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:f}", "name", r->contrasts[k].name, "formula", r->formula[k], "test",
                                              r->contrasts[k].f ? "F" : "t", "rows", (json_int_t)r->contrasts[k].rows, "df",
                                              nep_glm_pool_df(r->pool)));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:O,s:I,s:I,s:I,s:I}", "level", r->second ? "second" : "first", "noise",
                     r->o.noise == NEP_GLM_AR1 ? "ar1" : "ols", "unit", r->o.scale == NEP_GLM_PERCENT ? "percent of the mean" : "the data's",
                     "runs", r->fixed == NEP_GLM_MEAN ? "fixed effects, mean" : "fixed effects, precision", "definition",
                     r->o.nilearn ? "nilearn" : "nepenthe", "contrasts", list, "designs", r->designs, "columns", (json_int_t)r->n_cols,
                     "fits_with_a_gap", (json_int_t)r->n_missing, "fits_without_variance", (json_int_t)r->n_flat, "fits_without_a_mean",
                     (json_int_t)r->n_unscaled);
}

/* The four values of contrast k, [VALUES, n_cols]; effect and SE of F are missing. */
static nep_status values_of(const cli_glm_result *r, int k, double *x)
{
    double *at[VALUES];
    for (int q = 0; q < VALUES; q++)
        at[q] = x + q * r->n_cols;
    if (!r->contrasts[k].f)
        return nep_glm_pool_test(r->pool, k, at[EFFECT], at[SE], at[STAT], at[Z]);
    for (int64_t v = 0; v < 2 * r->n_cols; v++)
        x[v] = (double)NAN;
    return nep_glm_pool_test(r->pool, k, NULL, NULL, at[STAT], at[Z]);
}

/* ---- a table ---- */

static nep_status write_table(cli *c, const cli_glm_result *r)
{
    enum { NUMBERS = VALUES + 1 };
    static const char *const head[NUMBERS] = {"effect", "se", "stat", "z", "df"};
    nep_ctx *ctx = cli_ctx(c);
    const int64_t n = r->n_cols, rows = n * r->n;
    const char **name = NULL, **test = NULL, **region = NULL;
    double *x = NULL, *own = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *name, "glm: rows", &name));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *test, "glm: rows", &test));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *region, "glm: rows", &region));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NUMBERS * rows, sizeof *x, "glm: rows", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, VALUES * n, sizeof *own, "glm: values", &own));
    for (int k = 0; k < r->n; k++) {
        NEP_TRY_OR_DONE(st, values_of(r, k, own));
        for (int64_t v = 0; v < n; v++) {
            const int64_t row = k * n + v;
            name[row] = r->contrasts[k].name;
            test[row] = r->contrasts[k].f ? "F" : "t";
            region[row] = r->regions[v];
            for (int q = 0; q < VALUES; q++)
                x[q * rows + row] = own[q * n + v];
            x[VALUES * rows + row] = nep_glm_pool_df(r->pool);
        }
    }
    cli_column columns[3 + NUMBERS] = {{"region", region, NULL}, {"contrast", name, NULL}, {"test", test, NULL}};
    for (int q = 0; q < NUMBERS; q++)
        columns[3 + q] = (cli_column){head[q], NULL, x + q * rows};
    st = cli_tabular_emit(c, "rows", columns, 3 + NUMBERS, rows, json_pack("{s:o}", "Glm", describe(r)));
done:
    nep_alloc_free(own);
    nep_alloc_free(x);
    nep_alloc_free(region);
    nep_alloc_free(test);
    nep_alloc_free(name);
    return st;
}

/* ---- maps ---- */

static nep_status write_map(cli *c, const cli_glm_result *r, const char *contrast, const char *quantity, const double *x, float *image)
{
    char path[4096];
    const int64_t all = nep_grid_voxels(&r->grid), *voxel = r->second ? r->people.voxel : r->voxel;
    NEP_REQUIRE(cli_ctx(c), snprintf(path, sizeof path, "%s_%s_%s.nii.gz", cli_out(c), contrast, quantity) < (int)sizeof path, NEP_E_ARG,
                "the output's name is too long");
    for (int64_t v = 0; v < all; v++)
        image[v] = NAN;
    for (int64_t k = 0; k < r->n_cols; k++)
        image[voxel[k]] = (float)x[k];
    return nep_nifti_write(cli_ctx(c), path, &r->grid, 1, (double)NAN, image, false);
}

static nep_status write_maps(cli *c, const cli_glm_result *r)
{
    nep_ctx *ctx = cli_ctx(c);
    double *x = NULL;
    float *image = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, VALUES * r->n_cols, sizeof *x, "glm: values", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&r->grid), sizeof *image, "glm: a map", &image));
    for (int k = 0; k < r->n; k++) {
        const bool f = r->contrasts[k].f;
        const char *const quantity[VALUES] = {"effect", "se", f ? "f" : "t", "z"};
        NEP_TRY_OR_DONE(st, values_of(r, k, x));
        for (int q = f ? STAT : EFFECT; q < VALUES; q++)
            NEP_TRY_OR_DONE(st, write_map(c, r, r->contrasts[k].name, quantity[q], x + q * r->n_cols, image));
    }
    NEP_TRY_OR_DONE(st, cli_sidecar(c, cli_out(c), NULL, json_pack("{s:o}", "Glm", describe(r))));
    st = cli_document(c, describe(r));
done:
    nep_alloc_free(image);
    nep_alloc_free(x);
    return st;
}

nep_status cli_glm_result_write(cli *c, const cli_glm_result *r)
{
    if (r->n_missing + r->n_flat + r->n_unscaled > 0)
        cli_say(c, "glm: n/a where there is no fit: %lld with a gap, %lld without variance beside the design, %lld without a mean above 0",
                (long long)r->n_missing, (long long)r->n_flat, (long long)r->n_unscaled);
    return r->regions ? write_table(c, r) : write_maps(c, r);
}
