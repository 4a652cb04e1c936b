/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics - cuts a region out, gives it grey levels, and gathers what is measured on it. */
#include "imaging/radiomics_parts.h"

#include <string.h>

static const struct {
    const char *name, *code;
} features[] = {
#define NEP_X(name, code) {#name, code},
    NEP_RADIOMICS_LIST(NEP_X)
#undef NEP_X
};

const char *nep_radiomics_name(int feature)
{
    return features[feature].name;
}

const char *nep_radiomics_code(int feature)
{
    return features[feature].code;
}

static void region_free(nep_radiomics_region *r)
{
    nep_alloc_free(r->at);
    nep_alloc_free(r->value);
    nep_alloc_free(r->level);
}

/* The 13 directions of which no two are opposite, as steps in the box. */
static void make_steps(nep_radiomics_region *r)
{
    int k = 0;
    for (int z = 0; z <= 1; z++)
        for (int y = -1; y <= 1; y++)
            for (int x = -1; x <= 1; x++)
                if (z > 0 || y > 0 || (y == 0 && x > 0))
                    r->step[k++] = x + y * r->stride[1] + z * r->stride[2];
}

/* The box around the region, and its voxels. */
static nep_status cut(nep_ctx *ctx, const nep_grid *g, const float *x, const float *roi,
                      nep_radiomics_region *r)
{
    const int64_t side[3] = {g->nx, g->ny, g->nz};
    int64_t low[3] = {INT64_MAX, INT64_MAX, INT64_MAX}, high[3] = {-1, -1, -1}, k = 0;
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        if (roi[v] == 0 || !isfinite(roi[v]) || !isfinite(x[v]))
            continue;
        const int64_t i[3] = {v % side[0], v / side[0] % side[1], v / (side[0] * side[1])};
        for (int a = 0; a < 3; a++) {
            low[a] = i[a] < low[a] ? i[a] : low[a];
            high[a] = i[a] > high[a] ? i[a] : high[a];
        }
        r->n++;
    }
    NEP_REQUIRE(ctx, r->n > 0, NEP_E_FORMAT, "radiomics: the region has no voxel with a value");
    for (int a = 0; a < 3; a++) {
        const double *m = &g->affine[0][a];
        r->side[a] = high[a] - low[a] + 3;
        r->mm[a] = sqrt(m[0] * m[0] + m[4] * m[4] + m[8] * m[8]);
    }
    r->stride[0] = 1;
    r->stride[1] = r->side[0];
    r->stride[2] = r->side[0] * r->side[1];
    r->n_box = r->stride[2] * r->side[2];
    NEP_TRY(nep_alloc(ctx, r->n, sizeof *r->at, "region", &r->at));
    NEP_TRY(nep_alloc(ctx, r->n, sizeof *r->value, "region", &r->value));
    NEP_TRY(nep_alloc(ctx, r->n_box, sizeof *r->level, "grey levels", &r->level));
    for (int64_t z = low[2]; z <= high[2]; z++)
        for (int64_t y = low[1]; y <= high[1]; y++)
            for (int64_t i = low[0]; i <= high[0]; i++) {
                const int64_t v = (z * side[1] + y) * side[0] + i;
                if (roi[v] == 0 || !isfinite(roi[v]) || !isfinite(x[v]))
                    continue;
                r->at[k] = (z - low[2] + 1) * r->stride[2] + (y - low[1] + 1) * r->stride[1] + i - low[0] + 1;
                r->value[k++] = (double)x[v];
            }
    make_steps(r);
    return NEP_OK;
}

static nep_status discretise(nep_ctx *ctx, const nep_radiomics_opts *o, nep_radiomics_region *r)
{
    const double w = o->bin_width;
    double low = r->value[0], high = low;
    NEP_REQUIRE(ctx, isnan(w) || w > 0, NEP_E_ARG, "radiomics: a bin width of %g; it must be above 0", w);
    NEP_REQUIRE(ctx, !isnan(w) || (o->n_bins >= 2 && o->n_bins <= NEP_RADIOMICS_LEVELS), NEP_E_ARG,
                "radiomics: %lld bins, must be 2 to %d", (long long)o->n_bins, NEP_RADIOMICS_LEVELS);
    for (int64_t i = 1; i < r->n; i++) {
        low = fmin(low, r->value[i]);
        high = fmax(high, r->value[i]);
    }
    const double from = o->pyradiomics && !isnan(w) ? floor(low / w) * w : low, bins = (double)o->n_bins;
    const double levels = !isnan(w) ? floor((high - from) / w) + 1 : high > low ? bins : 1;
    NEP_REQUIRE(
        ctx, levels <= NEP_RADIOMICS_LEVELS, NEP_E_ARG,
        "radiomics: bins of %g between %g and %g make %.0f grey levels, more than %d; take wider bins", w,
        low, high, levels, NEP_RADIOMICS_LEVELS);
    r->n_levels = (int64_t)levels;
    for (int64_t i = 0; i < r->n; i++) {
        const double level = !isnan(w)    ? floor((r->value[i] - from) / w) + 1
                             : high > low ? fmin(bins, floor(bins * (r->value[i] - low) / (high - low)) + 1)
                                          : 1;
        r->level[r->at[i]] = (int16_t)level;
    }
    return NEP_OK;
}

nep_status nep_radiomics(nep_ctx *ctx, const nep_grid *g, const float *x, const float *roi,
                         const nep_radiomics_opts *opts, double *out, int64_t *levels)
{
    const nep_radiomics_opts defaults = NEP_RADIOMICS_DEFAULTS, *o = opts ? opts : &defaults;
    nep_radiomics_region r = {0};
    double got[NEP_RADIOMICS_COUNT];
    nep_status st;
    for (int k = 0; k < NEP_RADIOMICS_COUNT; k++)
        got[k] = (double)NAN;
    NEP_TRY_OR_DONE(st, cut(ctx, g, x, roi, &r));
    NEP_TRY_OR_DONE(st, discretise(ctx, o, &r));
    NEP_TRY_OR_DONE(st, nep_radiomics_intensity(ctx, &r, o, got));
    NEP_TRY_OR_DONE(st, nep_radiomics_shape(ctx, &r, o, got));
    NEP_TRY_OR_DONE(st, nep_radiomics_glcm(ctx, &r, o, got));
    NEP_TRY_OR_DONE(st, nep_radiomics_sizes(ctx, &r, o, got));
    NEP_TRY_OR_DONE(st, nep_radiomics_ngtdm(ctx, &r, got));
    memcpy(out, got, sizeof got);
    if (levels)
        *levels = r.n_levels;
done:
    region_free(&r);
    return st;
}
