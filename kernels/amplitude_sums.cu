/* SPDX-License-Identifier: Apache-2.0 */
/* amplitude_sums - CUDA twin of src/backend/cpu_amplitude_sums.c: fold, two products, sums in order of frequency. */
#include "launch.h"

#include "backend/dft_table.h"

#include <nepenthe/math/dft.h>

static __global__ void fold_kernel(const float *x, int64_t n_t, int64_t n_cols, double *even, double *odd)
{
    const int64_t half = nep_dft_half(n_t);
    NEP_FOR_EACH (c, n_cols) {
        double mean = 0.0;
        for (int64_t t = 0; t < n_t; t++)
            mean += (double)x[t * n_cols + c];
        mean /= (double)n_t;
        even[c] = (double)x[c] - mean;
        for (int64_t t = 1; t <= half; t++) {
            const double a = (double)x[t * n_cols + c] - mean, b = (double)x[(n_t - t) * n_cols + c] - mean;
            even[t * n_cols + c] = a + b;
            odd[(t - 1) * n_cols + c] = a - b;
        }
        if (n_t % 2 == 0)
            even[(half + 1) * n_cols + c] = (double)x[n_t / 2 * n_cols + c] - mean;
    }
}

/* re and im [bins, n_cols] start at bin `low`. */
static __global__ void sum_kernel(const double *re, const double *im, int64_t n_t, int64_t n_cols, int64_t low,
                                  int64_t first, int64_t last, double *out)
{
    NEP_FOR_EACH (c, n_cols) {
        double sum = 0.0;
        for (int64_t m = first; m <= last; m++)
            sum += nep_dft_amplitude(re[(m - low) * n_cols + c], im[(m - low) * n_cols + c], n_t);
        out[c] = sum;
    }
}

typedef struct {
    void *cosine, *sine, *even, *odd, *re, *im;
} work;

static nep_status work_create(nep_ctx *ctx, const nep_dft_table *d, int64_t n_cols, work *w)
{
    const int64_t half = nep_dft_half(d->n_t), rows = nep_dft_even_rows(d->n_t), bins = d->high - d->low + 1;
    const size_t cosines = (size_t)(bins * rows) * sizeof(double), sines = (size_t)(bins * half) * sizeof(double);
    const size_t column = (size_t)n_cols * sizeof(double);
    NEP_TRY(nep_cuda_alloc(ctx, cosines, "cosine table", &w->cosine));
    NEP_TRY(nep_cuda_alloc(ctx, sines, "sine table", &w->sine));
    NEP_TRY(nep_cuda_alloc(ctx, (size_t)rows * column, "even part", &w->even));
    NEP_TRY(nep_cuda_alloc(ctx, (size_t)half * column, "odd part", &w->odd));
    NEP_TRY(nep_cuda_alloc(ctx, (size_t)bins * column, "real part", &w->re));
    NEP_TRY(nep_cuda_alloc(ctx, (size_t)bins * column, "imaginary part", &w->im));
    NEP_TRY(nep_cuda_upload(ctx, w->cosine, d->cosine, cosines));
    return nep_cuda_upload(ctx, w->sine, d->sine, sines);
}

static void work_free(work *w)
{
    nep_cuda_release(w->im);
    nep_cuda_release(w->re);
    nep_cuda_release(w->odd);
    nep_cuda_release(w->even);
    nep_cuda_release(w->sine);
    nep_cuda_release(w->cosine);
}

static nep_status run(nep_ctx *ctx, nep_queue *queue, const nep_dft_table *d, const work *w, const float *x,
                      int64_t n_cols, double *band, double *all)
{
    const int64_t n_t = d->n_t, half = nep_dft_half(n_t), rows = nep_dft_even_rows(n_t), bins = d->high - d->low + 1;
    double *even = (double *)w->even, *odd = (double *)w->odd, *re = (double *)w->re, *im = (double *)w->im;
    const unsigned grid = nep_grid(n_cols, NEP_BLOCK);
    NEP_LAUNCH(fold_kernel, grid, NEP_BLOCK, queue, x, n_t, n_cols, even, odd);
    NEP_TRY(nep_cuda_launched(ctx, "amplitude_sums"));
    NEP_TRY(nep_cuda_dgemm(ctx, queue, false, false, bins, n_cols, rows, (const double *)w->cosine, rows, even, n_cols,
                           0.0, re, n_cols));
    NEP_TRY(nep_cuda_zero(ctx, queue, im, (size_t)(bins * n_cols) * sizeof *im));
    if (half > 0)
        NEP_TRY(nep_cuda_dgemm(ctx, queue, false, false, bins, n_cols, half, (const double *)w->sine, half, odd,
                               n_cols, 0.0, im, n_cols));
    NEP_LAUNCH(sum_kernel, grid, NEP_BLOCK, queue, re, im, n_t, n_cols, d->low, d->first, d->last, band);
    NEP_TRY(nep_cuda_launched(ctx, "amplitude_sums"));
    if (!all)
        return NEP_OK;
    NEP_LAUNCH(sum_kernel, grid, NEP_BLOCK, queue, re, im, n_t, n_cols, d->low, (int64_t)1, half, all);
    return nep_cuda_launched(ctx, "amplitude_sums");
}

extern "C" nep_status nep_cuda_amplitude_sums(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t,
                                              int64_t n_cols, int64_t first, int64_t last, double *band, double *all)
{
    nep_dft_table d = {};
    work w = {};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_dft_table_create(ctx, n_t, first, last, all != NULL, &d));
    NEP_TRY_OR_DONE(st, work_create(ctx, &d, n_cols, &w));
    NEP_TRY_OR_DONE(st, run(ctx, queue, &d, &w, x, n_cols, band, all));
done:
    work_free(&w);
    nep_dft_table_free(&d);
    return st;
}
