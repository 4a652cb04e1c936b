/* SPDX-License-Identifier: Apache-2.0 */
/* quality_dvars - DVARS and its two standardisations, in nipype's definition (Nichols 2017, arXiv:1704.01469). */
#include <nepenthe/imaging.h>

#include "core/select.h"

#include <string.h>

/* Floats as integers in the same order. */
static uint32_t ordered(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}

static float unordered(uint32_t u)
{
    const uint32_t bits = u & 0x80000000u ? u & 0x7fffffffu : ~u;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* The k-th smallest (from 0) of n finite floats, by two passes over half of the bits each: nothing is copied. */
static float kth_smallest(const float *x, int64_t n, int64_t k, int64_t *bins)
{
    uint32_t prefix = 0;
    for (int half = 0; half < 2; half++) {
        memset(bins, 0, 65536 * sizeof *bins);
        for (int64_t i = 0; i < n; i++) {
            const uint32_t u = ordered(x[i]);
            if (half == 0)
                bins[u >> 16]++;
            else if (u >> 16 == prefix)
                bins[u & 0xffffu]++;
        }
        uint32_t b = 0;
        while (k >= bins[b])
            k -= bins[b++];
        prefix = half == 0 ? b : prefix << 16 | b;
    }
    return unordered(prefix);
}

/* Columns that are finite throughout, packed; returns how many. */
static int64_t pack(const float *x, int64_t n_t, int64_t n_cols, const double *mean, float *out)
{
    int64_t n = 0;
    for (int64_t v = 0; v < n_cols; v++)
        n += isfinite(mean[v]);
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t v = 0, k = 0; v < n_cols; v++)
            if (isfinite(mean[v]))
                out[t * n + k++] = x[t * n_cols + v];
    return n;
}

/* Expected SD of a voxel's differences: sqrt(2 (1 - ar1)) times its robust SD, before scaling; 0 for one that does not vary. */
static double expected_step(const float *x, int64_t n_t, int64_t stride, double scale, double *column)
{
    double mean = 0, lag = 0, square = 0;
    for (int64_t t = 0; t < n_t; t++)
        mean += (double)x[t * stride] / (double)n_t;
    for (int64_t t = 0; t < n_t; t++) {
        const double d = (double)x[t * stride] - mean;
        column[t] = (double)x[t * stride];
        square += d * d;
        lag += t > 0 ? d * ((double)x[(t - 1) * stride] - mean) : 0;
    }
    const double upper = nep_select_kth(column, n_t, (n_t - 1) * 75 / 100);
    const double sd = (upper - nep_select_kth(column, n_t, (n_t - 1) * 25 / 100)) / 1.349;
    return sd * scale > 1e-7 && square > 0 ? sqrt(2 * (1 - lag / square)) * sd : 0;
}

static nep_status weights(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n, double scale, double *plain, double *voxelwise,
                          double *mean_step, int64_t *kept)
{
    double *column = NULL;
    const int threads = nep_ctx_threads(ctx);
    NEP_TRY(nep_alloc(ctx, n_t * threads, sizeof *column, "voxel series", &column));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t part = 0; part < threads; part++)
        for (int64_t v = part; v < n; v += threads)
            voxelwise[v] = expected_step(x + v, n_t, n, scale, column + part * n_t);
    nep_alloc_free(column);
    *mean_step = 0;
    *kept = 0;
    for (int64_t v = 0; v < n; v++) {
        *mean_step += voxelwise[v];
        *kept += voxelwise[v] > 0;
        plain[v] = voxelwise[v] > 0;
        voxelwise[v] = voxelwise[v] > 0 ? 1 / (voxelwise[v] * voxelwise[v]) : 0;
    }
    NEP_REQUIRE(ctx, *kept > 0, NEP_E_FORMAT, "quality: no voxel of the mask varies over time");
    *mean_step /= (double)*kept;
    return NEP_OK;
}

static nep_status median_of(nep_ctx *ctx, const float *x, int64_t n, double *out)
{
    int64_t *bins = NULL;
    NEP_REQUIRE(ctx, n > 0, NEP_E_FORMAT, "quality: no voxel of the mask is finite throughout");
    NEP_TRY(nep_alloc(ctx, 65536, sizeof *bins, "histogram", &bins));
    *out = ((double)kth_smallest(x, n, (n - 1) / 2, bins) + (double)kth_smallest(x, n, n / 2, bins)) / 2;
    nep_alloc_free(bins);
    NEP_REQUIRE(ctx, *out > 0, NEP_E_FORMAT, "quality: the median in the mask is %g; DVARS needs intensities above 0", *out);
    return NEP_OK;
}

nep_status nep_quality_dvars(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double *dvars, double *standardised,
                             double *voxelwise, int64_t *kept)
{
    double *mean = NULL, *m2 = NULL, *plain = NULL, *weight = NULL, median = 0, step = 0;
    float *packed = NULL;
    int64_t used = 0, n = n_cols;
    nep_status st;
    NEP_REQUIRE(ctx, n_t >= 2, NEP_E_FORMAT, "quality: %lld frame; DVARS needs a series", (long long)n_t);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *mean, "voxel means", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *m2, "voxel variances", &m2));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *plain, "voxel weights", &plain));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *weight, "voxel weights", &weight));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, x, n_t, n_cols, mean, m2));
    for (int64_t v = 0; v < n_cols; v++)
        if (!isfinite(mean[v]) && !packed)
            NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t * n_cols, sizeof *packed, "voxels without gaps", &packed));
    if (packed)
        n = pack(x, n_t, n_cols, mean, packed);
    const float *y = packed ? packed : x;
    NEP_TRY_OR_DONE(st, median_of(ctx, y, n_t * n, &median));
    NEP_TRY_OR_DONE(st, weights(ctx, y, n_t, n, 1000 / median, plain, weight, &step, &used));
    NEP_TRY_OR_DONE(st, nep_backend_difference_squares(ctx, y, n_t, n, plain, dvars));
    NEP_TRY_OR_DONE(st, nep_backend_difference_squares(ctx, y, n_t, n, weight, voxelwise));
    for (int64_t t = 0; t < n_t; t++) {
        const double rms = sqrt(dvars[t] / (double)used);
        dvars[t] = t ? rms * 1000 / median : (double)NAN;
        standardised[t] = t ? rms / step : (double)NAN;
        voxelwise[t] = t ? sqrt(voxelwise[t] / (double)used) : (double)NAN;
    }
    if (kept)
        *kept = used;
done:
    nep_alloc_free(packed);
    nep_alloc_free(weight);
    nep_alloc_free(plain);
    nep_alloc_free(m2);
    nep_alloc_free(mean);
    return st;
}
