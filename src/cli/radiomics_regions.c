/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_regions - one region after the other, and what is said of them. */
#include "cli/radiomics_regions.h"

#include <math.h>
#include <string.h>

static bool has_value(nep_ctx *ctx, const nep_volume *image, const nep_atlas *labels, int32_t region)
{
    for (int64_t v = 0; v < nep_grid_voxels(&image->grid); v++)
        if (labels->label[v] == region + 1 && isfinite(image->data[v]))
            return true;
    nep_warn(ctx, "no voxel of label %d has a value; its features are n/a", (int)labels->id[region]);
    return false;
}

nep_status cli_radiomics_measure(nep_ctx *ctx, const nep_volume *image, const nep_atlas *labels,
                                 const int32_t *region, int64_t n, const nep_radiomics_opts *opts,
                                 const char *name, cli_radiomics_regions *out)
{
    const int64_t voxels = nep_grid_voxels(&image->grid);
    cli_radiomics_regions r = {.n = n, .region = region};
    int64_t measured = 0;
    float *roi = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, voxels, sizeof *roi, "region", &roi));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *r.levels, "features", &r.levels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * NEP_RADIOMICS_COUNT, sizeof *r.value, "features", &r.value));
    for (int64_t k = 0; k < n; k++) {
        double *const value = r.value + k * NEP_RADIOMICS_COUNT;
        for (int f = 0; f < NEP_RADIOMICS_COUNT; f++)
            value[f] = (double)NAN;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        if (!has_value(ctx, image, labels, region[k]))
            continue;
        for (int64_t v = 0; v < voxels; v++)
            roi[v] = labels->label[v] == region[k] + 1 ? 1.0f : 0.0f;
        NEP_TRY_OR_DONE(st, nep_radiomics(ctx, &image->grid, image->data, roi, opts, value, &r.levels[k]));
        measured++;
    }
    NEP_REQUIRE_OR_DONE(st, ctx, measured > 0, NEP_E_FORMAT, "'%s' has no value inside the labels", name);
    *out = r;
    r = (cli_radiomics_regions){0};
done:
    cli_radiomics_free(&r);
    nep_alloc_free(roi);
    return st;
}

void cli_radiomics_free(cli_radiomics_regions *r)
{
    nep_alloc_free(r->value);
    nep_alloc_free(r->levels);
    *r = (cli_radiomics_regions){0};
}

nep_status cli_radiomics_tabulate(nep_ctx *ctx, const nep_atlas *labels, const cli_radiomics_regions *r,
                                  cli_radiomics_table *out)
{
    const int64_t n = r->n * NEP_RADIOMICS_COUNT;
    cli_radiomics_table t = {.n_rows = n};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * n, sizeof *t.text, "table", &t.text));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t.label, "table", &t.label));
    for (int64_t i = 0; i < n; i++) {
        const int f = (int)(i % NEP_RADIOMICS_COUNT);
        t.label[i] = (double)labels->id[r->region[i / NEP_RADIOMICS_COUNT]];
        t.text[i] = nep_radiomics_name(f);
        t.text[n + i] = strcmp(nep_radiomics_code(f), "-") == 0 ? NULL : nep_radiomics_code(f);
    }
    t.column[0] = (cli_column){.name = "label", .number = t.label};
    t.column[1] = (cli_column){.name = "feature", .text = t.text};
    t.column[2] = (cli_column){.name = "ibsi", .text = t.text + n};
    t.column[3] = (cli_column){.name = "value", .number = r->value};
    *out = t;
    t = (cli_radiomics_table){0};
done:
    cli_radiomics_table_free(&t);
    return st;
}

void cli_radiomics_table_free(cli_radiomics_table *t)
{
    nep_alloc_free(t->text);
    nep_alloc_free(t->label);
    *t = (cli_radiomics_table){0};
}

json_t *cli_radiomics_says(const nep_radiomics_opts *opts, const cli_radiomics_regions *r)
{
    json_t *levels = json_array();
    for (int64_t k = 0; k < r->n; k++)
        json_array_append_new(levels, json_integer((json_int_t)r->levels[k]));
    return json_pack("{s:s,s:o,s:I,s:s,s:f,s:o}", "Definition", opts->pyradiomics ? "pyradiomics" : "ibsi",
                     "BinWidth", cli_number(opts->bin_width), "Bins", (json_int_t)opts->n_bins, "Aggregation",
                     opts->merge ? "merge" : "average", "Shift", opts->shift, "GreyLevels", levels);
}
