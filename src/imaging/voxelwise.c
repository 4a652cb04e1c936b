/* SPDX-License-Identifier: Apache-2.0 */
/* voxelwise - one number per column of a series: amplitude of slow fluctuations by five definitions, temporal SNR. */
#include <nepenthe/imaging.h>

#include "imaging/bandpass.h"

typedef struct {
    const float *x;
    int64_t n_t, n_cols;
    double tr_s, low_hz, high_hz;
    double *alff, *falff;
} task;

const char *nep_voxelwise_name(nep_voxelwise_definition d)
{
    static const char *const names[] = {"canonical", "afni", "cpac", "xcpd", "conn"};
    return names[d];
}

static const double pi = 3.14159265358979323846;

static nep_status need_bins(nep_ctx *ctx, const task *k, int64_t first, int64_t last)
{
    NEP_REQUIRE(ctx, first <= last, NEP_E_ARG,
                "voxelwise: the band %g to %g Hz holds no frequency of %lld frames every %g s; widen it (steps are %g Hz)", k->low_hz,
                k->high_hz, (long long)k->n_t, k->tr_s, 1 / ((double)k->n_t * k->tr_s));
    return NEP_OK;
}

/* fALFF is a ratio of what a column does not have when it does not vary. */
static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : (double)NAN;
}

static nep_status canonical(nep_ctx *ctx, const task *k, double *band, double *all)
{
    const double span = (double)k->n_t * k->tr_s;
    int64_t first = (int64_t)ceil(k->low_hz * span - 1e-9), last = (int64_t)floor(fmin(k->high_hz * span, 1e15) + 1e-9);
    first = first < 1 ? 1 : first;
    last = last > (k->n_t - 1) / 2 ? (k->n_t - 1) / 2 : last;
    NEP_TRY(need_bins(ctx, k, first, last));
    NEP_TRY(nep_backend_amplitude_sums(ctx, k->x, k->n_t, k->n_cols, first, last, band, all));
    for (int64_t v = 0; v < k->n_cols; v++) {
        if (k->falff)
            k->falff[v] = ratio(band[v], all[v]);
        if (k->alff)
            k->alff[v] = band[v] / (double)(last - first + 1);
    }
    return NEP_OK;
}

/* XCP-D: 2 s mean(sqrt P) over the bins from the nearest to the low cut-off up to, but without, the nearest to the high
 * one. sqrt P = A / sqrt 2 for the one-sided spectrum of the z-scored series, so that s cancels: sqrt 2 mean(A). */
static nep_status xcpd(nep_ctx *ctx, const task *k, double *band)
{
    const double span = (double)k->n_t * k->tr_s;
    const int64_t first = (int64_t)ceil(k->low_hz * span - 0.5), nyquist = k->n_t / 2;
    int64_t last = (int64_t)ceil(fmin(k->high_hz * span, 1e15) - 0.5);
    last = (last > nyquist ? nyquist : last) - 1;
    NEP_REQUIRE(ctx, !k->falff, NEP_E_ARG, "voxelwise: XCP-D has no fALFF; take another --definition");
    NEP_TRY(need_bins(ctx, k, first, last));
    const int64_t from = first < 1 ? 1 : first; /* bin 0 is 0 after demeaning but counts in the mean */
    NEP_TRY(need_bins(ctx, k, from, last));
    NEP_TRY(nep_backend_amplitude_sums(ctx, k->x, k->n_t, k->n_cols, from, last, band, NULL));
    for (int64_t v = 0; v < k->n_cols; v++)
        k->alff[v] = sqrt(2.0) * band[v] / (double)(last - first + 1);
    return NEP_OK;
}

static nep_status afni(nep_ctx *ctx, const task *k, const double *passed, float *y, double *band, double *all, double *m)
{
    const int64_t n = k->n_t, nyquist = n / 2;
    const double span = (double)n * k->tr_s;
    const int64_t first = (int64_t)rint(k->low_hz * span);
    int64_t last = (int64_t)rint(fmin(k->high_hz * span, 1e15));
    last = last > nyquist - 1 ? nyquist - 1 : last;
    const int64_t from = first < 1 ? 1 : first;
    NEP_TRY(need_bins(ctx, k, from, last));
    NEP_TRY(nep_backend_apply_operator(ctx, passed, n, n, k->x, k->n_cols, NULL, y));
    NEP_TRY(nep_backend_amplitude_sums(ctx, y, n, k->n_cols, from, last, band, NULL));
    for (int64_t v = 0; k->alff && v < k->n_cols; v++)
        k->alff[v] = sqrt((double)n) * band[v];
    if (!k->falff)
        return NEP_OK;
    nep_bandpass_quadratic(NULL, n, m);
    NEP_TRY(nep_backend_apply_operator(ctx, m, n, n, k->x, k->n_cols, NULL, y));
    NEP_TRY(nep_backend_amplitude_sums(ctx, y, n, k->n_cols, 1, nyquist - 1, all, NULL));
    for (int64_t v = 0; v < k->n_cols; v++)
        k->falff[v] = ratio(band[v], all[v]);
    return NEP_OK;
}

static nep_status cpac(nep_ctx *ctx, const task *k, const double *passed, float *y, double *mean, double *m2)
{
    double *before = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->n_cols, sizeof *before, "column variances", &before));
    NEP_TRY_OR_DONE(st, nep_backend_apply_operator(ctx, passed, k->n_t, k->n_t, k->x, k->n_cols, NULL, y));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, k->x, k->n_t, k->n_cols, mean, before));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, y, k->n_t, k->n_cols, mean, m2));
    for (int64_t v = 0; v < k->n_cols; v++) {
        if (k->alff)
            k->alff[v] = sqrt(m2[v] / (double)(k->n_t - 1));
        if (k->falff)
            k->falff[v] = ratio(sqrt(m2[v]), sqrt(before[v]));
    }
done:
    nep_alloc_free(before);
    return st;
}

/* Energy in the cosine bins m / (2 T TR) from low up to, without, high: what passes a rectangular window on the DCT. */
static nep_status conn(nep_ctx *ctx, const task *k, double *mean, double *m2)
{
    const int64_t n = k->n_t;
    const double span = 2 * (double)n * k->tr_s;
    const int64_t low = (int64_t)ceil(fmin(k->low_hz * span, 1e15)), high = (int64_t)ceil(fmin(k->high_hz * span, 1e15));
    const int64_t first = low < 1 ? 1 : low, last = high > n ? n - 1 : high - 1, bins = last - first + 1;
    double *cosine = NULL;
    float *y = NULL;
    nep_status st;
    NEP_TRY(need_bins(ctx, k, first, last));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bins * n, sizeof *cosine, "cosines", &cosine));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bins * k->n_cols, sizeof *y, "cosine bins", &y));
    for (int64_t m = 0; m < bins; m++)
        for (int64_t t = 0; t < n; t++)
            cosine[m * n + t] = sqrt(2 / (double)n) * cos(pi * ((double)t + 0.5) * (double)(first + m) / (double)n);
    NEP_TRY_OR_DONE(st, nep_backend_apply_operator(ctx, cosine, bins, n, k->x, k->n_cols, NULL, y));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, y, bins, k->n_cols, mean, m2));
    for (int64_t v = 0; v < k->n_cols; v++)
        m2[v] = sqrt((m2[v] + (double)bins * mean[v] * mean[v]) / (double)n);
    for (int64_t v = 0; k->alff && v < k->n_cols; v++)
        k->alff[v] = m2[v];
    if (!k->falff)
        goto done;
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, k->x, n, k->n_cols, mean, k->falff));
    for (int64_t v = 0; v < k->n_cols; v++)
        k->falff[v] = ratio(m2[v], sqrt(k->falff[v] / (double)n));
done:
    nep_alloc_free(y);
    nep_alloc_free(cosine);
    return st;
}

static nep_status through_bandpass(nep_ctx *ctx, const task *k, bool is_afni, double *a, double *b)
{
    double *passed = NULL, *m = NULL;
    float *y = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->n_t * k->n_t, sizeof *passed, "band-pass", &passed));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->n_t * k->n_t, sizeof *m, "band-pass", &m));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->n_t * k->n_cols, sizeof *y, "band-passed series", &y));
    NEP_TRY_OR_DONE(st, nep_bandpass_operator(ctx, k->n_t, k->tr_s, k->low_hz, k->high_hz, 0.5, passed));
    st = is_afni ? afni(ctx, k, passed, y, a, b, m) : cpac(ctx, k, passed, y, a, b);
done:
    nep_alloc_free(y);
    nep_alloc_free(m);
    nep_alloc_free(passed);
    return st;
}

nep_status nep_voxelwise_alff(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double tr_s, double low_hz,
                              double high_hz, nep_voxelwise_definition definition, double *alff, double *falff)
{
    const task k = {x, n_t, n_cols, tr_s, low_hz, high_hz, alff, falff};
    double *a = NULL, *b = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, tr_s > 0 && isfinite(tr_s), NEP_E_ARG, "voxelwise: the repetition time is not known; give --tr in seconds");
    NEP_REQUIRE(ctx, n_t >= 4, NEP_E_ARG, "voxelwise: %lld frames; at least 4 are needed", (long long)n_t);
    NEP_REQUIRE(ctx, low_hz >= 0 && high_hz > low_hz, NEP_E_ARG, "voxelwise: the band %g to %g Hz is empty", low_hz, high_hz);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *a, "amplitudes", &a));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *b, "amplitudes", &b));
    switch (definition) {
    case NEP_VOXELWISE_XCPD: st = xcpd(ctx, &k, a); break;
    case NEP_VOXELWISE_CONN: st = conn(ctx, &k, a, b); break;
    case NEP_VOXELWISE_AFNI:
    case NEP_VOXELWISE_CPAC: st = through_bandpass(ctx, &k, definition == NEP_VOXELWISE_AFNI, a, b); break;
    default: st = canonical(ctx, &k, a, b);
    }
done:
    nep_alloc_free(b);
    nep_alloc_free(a);
    return st;
}

nep_status nep_voxelwise_tsnr(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double *tsnr)
{
    double *m2 = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *m2, "column variances", &m2));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, x, n_t, n_cols, tsnr, m2));
    for (int64_t v = 0; v < n_cols; v++) {
        const double sd = sqrt(m2[v] / (double)n_t);
        tsnr[v] = sd > 1e-3 ? tsnr[v] / sd : (double)NAN;
    }
done:
    nep_alloc_free(m2);
    return st;
}

nep_status nep_voxelwise_scale(nep_ctx *ctx, float *map, int64_t n, nep_voxelwise_scaling scaling, double *mean, double *sd)
{
    double sum = 0, squares = 0, known = 0;
    for (int64_t v = 0; v < n; v++)
        if (isfinite(map[v])) {
            sum += (double)map[v];
            known += 1;
        }
    const double m = sum / known;
    for (int64_t v = 0; v < n; v++)
        squares += isfinite(map[v]) ? ((double)map[v] - m) * ((double)map[v] - m) : 0;
    const double s = sqrt(squares / (known - 1));
    if (mean)
        *mean = m;
    if (sd)
        *sd = s;
    if (scaling == NEP_VOXELWISE_UNSCALED)
        return NEP_OK;
    NEP_REQUIRE(ctx, known > 0, NEP_E_FORMAT, "voxelwise: no voxel has a value to scale by");
    NEP_REQUIRE(ctx, scaling != NEP_VOXELWISE_BY_MEAN || m != 0, NEP_E_FORMAT, "voxelwise: the mean of the map is 0; it cannot be divided by it");
    NEP_REQUIRE(ctx, scaling != NEP_VOXELWISE_ZSCORE || s > 0, NEP_E_FORMAT, "voxelwise: the map is the same everywhere; it has no z-scores");
    for (int64_t v = 0; v < n; v++)
        map[v] = (float)(scaling == NEP_VOXELWISE_BY_MEAN ? (double)map[v] / m : ((double)map[v] - m) / s);
    return NEP_OK;
}
