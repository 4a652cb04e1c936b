/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_amplitude_sums - CPU twin of kernels/amplitude_sums.cu: a folded DFT (math/dft.h) of tiles of columns as two
 * matrix products, then sums of amplitudes in order of frequency. */
#include "backend/cpu.h"
#include "backend/dft_table.h"

#include <cblas.h>
#include <omp.h>

#include <nepenthe/math/dft.h>

/* Even part [rows, n] and odd part [half, n] of the demeaned columns. */
static void fold(const float *x, int64_t n_t, int64_t stride, int64_t n, double *even, double *odd)
{
    const int64_t half = nep_dft_half(n_t);
    double mean[NEP_CPU_TILE] = {0};
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t c = 0; c < n; c++)
            mean[c] += (double)x[t * stride + c];
    for (int64_t c = 0; c < n; c++)
        mean[c] /= (double)n_t;
    for (int64_t c = 0; c < n; c++)
        even[c] = (double)x[c] - mean[c];
    for (int64_t t = 1; t <= half; t++)
        for (int64_t c = 0; c < n; c++) {
            const double a = (double)x[t * stride + c] - mean[c], b = (double)x[(n_t - t) * stride + c] - mean[c];
            even[t * n + c] = a + b;
            odd[(t - 1) * n + c] = a - b;
        }
    if (n_t % 2 == 0)
        for (int64_t c = 0; c < n; c++)
            even[(half + 1) * n + c] = (double)x[(n_t / 2) * stride + c] - mean[c];
}

static void sum_band(const double *re, const double *im, int64_t n_t, int64_t n, int64_t low, int64_t first,
                     int64_t last, double *out)
{
    for (int64_t c = 0; c < n; c++)
        out[c] = 0.0;
    for (int64_t m = first; m <= last; m++)
        for (int64_t c = 0; c < n; c++)
            out[c] += nep_dft_amplitude(re[(m - low) * n + c], im[(m - low) * n + c], n_t);
}

static void one_tile(const nep_dft_table *d, const float *x, int64_t stride, int64_t n, double *scratch, double *band,
                     double *all)
{
    const int64_t half = nep_dft_half(d->n_t), rows = nep_dft_even_rows(d->n_t), bins = d->high - d->low + 1;
    double *even = scratch, *odd = even + rows * NEP_CPU_TILE;
    double *re = odd + half * NEP_CPU_TILE, *im = re + bins * NEP_CPU_TILE;
    fold(x, d->n_t, stride, n, even, odd);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)bins, (blasint)n, (blasint)rows, 1.0, d->cosine,
                (blasint)rows, even, (blasint)n, 0.0, re, (blasint)n);
    for (int64_t i = 0; i < bins * n; i++)
        im[i] = 0.0;
    if (half > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)bins, (blasint)n, (blasint)half, 1.0, d->sine,
                    (blasint)half, odd, (blasint)n, 0.0, im, (blasint)n);
    sum_band(re, im, d->n_t, n, d->low, d->first, d->last, band);
    if (all)
        sum_band(re, im, d->n_t, n, d->low, 1, half, all);
}

nep_status nep_cpu_amplitude_sums(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols,
                                  int64_t first, int64_t last, double *band, double *all)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const int64_t tiles = nep_cpu_tiles(n_cols, NEP_CPU_TILE);
    nep_dft_table d = {0};
    double *scratch = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_dft_table_create(ctx, n_t, first, last, all != NULL, &d));
    const int64_t per_thread =
        (nep_dft_even_rows(n_t) + nep_dft_half(n_t) + 2 * (d.high - d.low + 1)) * NEP_CPU_TILE;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * per_thread, sizeof *scratch, "spectrum tiles", &scratch));
    nep_cpu_blas_single();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t c = i * NEP_CPU_TILE;
        one_tile(&d, x + c, n_cols, nep_cpu_min(NEP_CPU_TILE, n_cols - c),
                 scratch + omp_get_thread_num() * per_thread, band + c, all ? all + c : NULL);
    }
done:
    nep_alloc_free(scratch);
    nep_dft_table_free(&d);
    return st;
}
