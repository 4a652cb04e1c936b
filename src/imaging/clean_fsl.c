/* SPDX-License-Identifier: Apache-2.0 */
/* clean_fsl - fslmaths -bptf as one operator. High-pass: a straight line is fitted around each frame with Gaussian weights, cut at 3 SD,
 * and its value there comes off; then the mean does, as since FSL 5.0.7. Low-pass: a Gaussian, cut at 20 SD + 2, of sum 1 at the ends too. */
#include "imaging/clean_parts.h"

static double sigma_frames(double hz, double tr_s)
{
    return 1 / (2 * hz * tr_s);
}

static double gauss(int64_t d, double sigma)
{
    return exp(-0.5 * (double)(d * d) / (sigma * sigma));
}

/* out [n, n]: frames less the local line's value, less their mean. */
static void high_pass(int64_t n, double sigma, double *out)
{
    const int64_t half = (int64_t)fmin(3 * sigma, (double)n);
    for (int64_t t = 0; t < n; t++) {
        const int64_t first = t - half < 0 ? 0 : t - half, last = t + half >= n ? n - 1 : t + half;
        double s0 = 0, s1 = 0, s2 = 0;
        for (int64_t k = first; k <= last; k++) {
            const double w = gauss(k - t, sigma), d = (double)(k - t);
            s0 += w;
            s1 += w * d;
            s2 += w * d * d;
        }
        const double det = s0 * s2 - s1 * s1;
        out[t * n + t] = 1;
        for (int64_t k = first; k <= last && det != 0; k++) /* one frame alone has no line */
            out[t * n + k] -= gauss(k - t, sigma) * (s2 - s1 * (double)(k - t)) / det;
    }
    for (int64_t k = 0; k < n; k++) {
        double mean = 0;
        for (int64_t t = 0; t < n; t++)
            mean += out[t * n + k] / (double)n;
        for (int64_t t = 0; t < n; t++)
            out[t * n + k] -= mean;
    }
}

static void low_pass(int64_t n, double sigma, double *out)
{
    const int64_t half = (int64_t)fmin(20 * sigma, (double)n) + 2;
    for (int64_t t = 0; t < n; t++) {
        const int64_t first = t - half < 0 ? 0 : t - half, last = t + half >= n ? n - 1 : t + half;
        double sum = 0;
        for (int64_t k = first; k <= last; k++)
            sum += gauss(k - t, sigma);
        for (int64_t k = first; k <= last; k++)
            out[t * n + k] = gauss(k - t, sigma) / sum;
    }
}

static nep_status through(nep_ctx *ctx, double sigma, void (*make)(int64_t n, double sigma, double *out), nep_clean_matrix *m)
{
    nep_clean_matrix op = {.rows = m->rows, .cols = m->rows}, y = {.rows = m->rows, .cols = m->cols};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, op.rows * op.cols, sizeof *op.x, "filter", &op.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, y.rows * y.cols, sizeof *y.x, "filtered columns", &y.x));
    make(op.rows, sigma, op.x);
    nep_clean_multiply(&op, false, m, 1, 0, &y);
    nep_alloc_free(m->x);
    m->x = y.x;
    y.x = NULL;
done:
    nep_alloc_free(y.x);
    nep_alloc_free(op.x);
    return st;
}

nep_status nep_clean_bptf(nep_ctx *ctx, nep_clean_matrix *m, const nep_clean_opts *o)
{
    const bool high = !isnan(o->high_pass_hz), low = !isnan(o->low_pass_hz);
    if (!high && !low)
        return NEP_OK;
    NEP_TRY(nep_clean_cutoffs(ctx, o));
    if (high && o->high_pass_hz > 0)
        NEP_TRY(through(ctx, sigma_frames(o->high_pass_hz, o->tr_s), high_pass, m));
    return low ? through(ctx, sigma_frames(o->low_pass_hz, o->tr_s), low_pass, m) : NEP_OK;
}
