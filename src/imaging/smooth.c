/* SPDX-License-Identifier: Apache-2.0 */
/* smooth - a Gaussian along each axis in turn, reflected at the edges, missing voxels left out of its weights. */
#include <nepenthe/resample.h>

#include <nepenthe/backend.h>

#include <string.h>

/* Half a Gaussian of this SD in voxels, cut at 4 SD and of sum 1 when mirrored: scipy.ndimage.gaussian_filter1d. */
static nep_status make_weights(nep_ctx *ctx, double sigma, double **weight, int64_t *radius)
{
    double sum = 0;
    *radius = (int64_t)(4 * sigma + 0.5);
    NEP_TRY(nep_alloc(ctx, *radius + 1, sizeof **weight, "weights", weight));
    for (int64_t k = 0; k <= *radius; k++) {
        (*weight)[k] = exp(-0.5 / (sigma * sigma) * (double)(k * k));
        sum += (*weight)[k] * (k ? 2 : 1);
    }
    for (int64_t k = 0; k <= *radius; k++)
        (*weight)[k] /= sum;
    return NEP_OK;
}

/* x becomes its smoothed self; spare has its size. */
static nep_status axes(nep_ctx *ctx, const nep_grid *g, const double fwhm_mm[3], float *x, float *spare)
{
    const int64_t side[3] = {g->nx, g->ny, g->nz}, n = nep_grid_voxels(g);
    int64_t inner = 1;
    for (int a = 0; a < 3; inner *= side[a++]) {
        const double *m = &g->affine[0][a];
        const double voxel = sqrt(m[0] * m[0] + m[4] * m[4] + m[8] * m[8]), sigma = fwhm_mm[a] / (voxel * sqrt(8 * log(2)));
        double *weight = NULL;
        int64_t radius;
        if (!(sigma > 0))
            continue;
        NEP_REQUIRE(ctx, sigma < 1e5, NEP_E_ARG, "smooth: %g mm is more than 100,000 voxels of %g mm", fwhm_mm[a], voxel);
        NEP_TRY(make_weights(ctx, sigma, &weight, &radius));
        const nep_status st = nep_backend_smooth_axis(ctx, x, n / (inner * side[a]), side[a], inner, weight, radius, spare);
        nep_alloc_free(weight);
        NEP_TRY(st);
        memcpy(x, spare, (size_t)n * sizeof *x);
    }
    return NEP_OK;
}

nep_status nep_smooth(nep_ctx *ctx, const nep_grid *g, const float *x, const double fwhm_mm[3], bool missing_as_zero, float *out)
{
    const int64_t n = nep_grid_voxels(g);
    float *spare = NULL, *there = NULL;
    int64_t missing = 0;
    nep_status st;
    for (int a = 0; a < 3; a++)
        NEP_REQUIRE(ctx, isfinite(fwhm_mm[a]) && fwhm_mm[a] >= 0, NEP_E_ARG, "smooth: a width of %g mm; it must be 0 or more", fwhm_mm[a]);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *spare, "volume", &spare));
    for (int64_t v = 0; v < n; v++) {
        missing += !isfinite(x[v]);
        out[v] = isfinite(x[v]) ? x[v] : 0;
    }
    NEP_TRY_OR_DONE(st, axes(ctx, g, fwhm_mm, out, spare));
    if (missing == 0 || missing_as_zero)
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *there, "present voxels", &there));
    for (int64_t v = 0; v < n; v++)
        there[v] = isfinite(x[v]) ? 1 : 0;
    NEP_TRY_OR_DONE(st, axes(ctx, g, fwhm_mm, there, spare));
    for (int64_t v = 0; v < n; v++)
        out[v] = isfinite(x[v]) ? out[v] / there[v] : NAN;
done:
    nep_alloc_free(there);
    nep_alloc_free(spare);
    return st;
}
