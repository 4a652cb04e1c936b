/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_logit_sums - CPU twin of kernels/logit_sums.cu: the rows that a draw holds gathered, then products of whole blocks by BLAS. */
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>
#include <string.h>

#include <nepenthe/math/logit.h>

/* Scratch of one thread: the gathered rows of a group, later scaled by the root of their curvature; logit, then residual; outcome; weight;
 * and the information as a full matrix. */
typedef struct {
    double *f, *t, *y, *w, *square;
} bench;

typedef struct {
    const double *f, *y, *w;
    const int32_t *unit;
    int64_t width;
} rows;

static int64_t gather(const rows *x, int64_t first, int64_t end, const int32_t *times, const bench *b)
{
    int64_t n = 0;
    for (int64_t i = first; i < end; i++) {
        const int32_t k = times[x->unit[i]];
        if (k == 0)
            continue;
        memcpy(b->f + n * x->width, x->f + i * x->width, (size_t)x->width * sizeof *b->f);
        b->y[n] = x->y[i];
        b->w[n++] = x->w[i] * k;
    }
    return n;
}

static void sum_group(const rows *x, const bench *b, int64_t n, const double *at, double *out)
{
    const blasint W = (blasint)x->width, N = (blasint)n;
    double *gradient = out + 1, *packed = gradient + W;
    memset(out, 0, (size_t)nep_logit_size(W) * sizeof *out);
    if (n == 0)
        return;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, N, W, 1.0, b->f, W, at, 1, 0.0, b->t, 1);
    for (int64_t i = 0; i < n; i++) {
        double residual, curvature;
        out[0] += b->w[i] * nep_logit_row(b->t[i], b->y[i], &residual, &curvature);
        b->t[i] = b->w[i] * residual;
        b->w[i] = sqrt(b->w[i] * curvature);
    }
    cblas_dgemv(CblasRowMajor, CblasTrans, N, W, 1.0, b->f, W, b->t, 1, 0.0, gradient, 1);
    for (int64_t i = 0; i < n; i++)
        for (int64_t a = 0; a < W; a++)
            b->f[i * W + a] *= b->w[i];
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, W, N, 1.0, b->f, W, 0.0, b->square, W);
    for (int64_t a = 0; a < W; a++)
        memcpy(packed + nep_packed_index(a, a, W), b->square + a * W + a, (size_t)(W - a) * sizeof *packed);
}

nep_status nep_cpu_logit_sums(nep_ctx *ctx, nep_queue *queue, const double *f, const double *y, const double *w, const int32_t *unit,
                              const int64_t *start, int64_t n_groups, int64_t width, const int32_t *times, int64_t n_units,
                              const int32_t *wanted, const double *at, int64_t n_draws, double *out)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const rows x = {f, y, w, unit, width};
    int64_t most = 1;
    double *scratch = NULL;
    for (int64_t j = 0; j < n_groups; j++)
        most = start[j + 1] - start[j] > most ? start[j + 1] - start[j] : most;
    const int64_t each = (most * (width + 3) + width * width + 7) / 8 * 8; /* BLAS sums by alignment: the same for every thread */
    NEP_TRY(nep_alloc(ctx, threads * each, sizeof *scratch, "rows of a group", &scratch));
    nep_cpu_blas_single();
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t i = 0; i < n_draws * n_groups; i++) {
        const int64_t d = i / n_groups, j = i % n_groups;
        double *own = scratch + omp_get_thread_num() * each;
        const bench b = {own, own + most * width, own + most * (width + 1), own + most * (width + 2), own + most * (width + 3)};
        const int64_t n = wanted[i] ? gather(&x, start[j], start[j + 1], times + d * n_units, &b) : 0;
        sum_group(&x, &b, n, at + i * width, out + i * nep_logit_size(width));
    }
    nep_alloc_free(scratch);
    return NEP_OK;
}
