/* SPDX-License-Identifier: Apache-2.0 */
/* list_squares - CUDA twin of src/backend/cpu_list_squares.c: a block per map and part of the sample. Of TILE pairs of a place at a time
 * the weights for all lags are found once, in shared memory; sixteen columns by sixteen pairs then add, a sum per lag in registers. Sums are
 * added in order, those of a block first, then those of the parts. */
#include "launch.h"

#include <nepenthe/math/neighbourhood.h>

enum { COLS = NEP_NEAR_COLS, LAGS = NEP_VARIOGRAM_LAGS, ABREAST = 16, THREADS = COLS * ABREAST, TILE = 64, MOST_PARTS = 64, ROUND = 5 };

static __device__ __forceinline__ bool inside(const nep_lists *g, const float *far, int64_t t)
{
    return t < g->neighbours && (double)far[t] < g->lag[LAGS - 1];
}

/* The pairs of place i in column c: sum[LAGS]; x NULL: the weights alone. weight [TILE, LAGS] is shared; the whole block together. */
static __device__ __forceinline__ void add_place(const nep_lists *g, const float *x, int64_t i, double *weight, double *sum)
{
    const int c = (int)threadIdx.x % COLS, own = (int)threadIdx.x / COLS;
    const float *far = g->far + i * g->neighbours;
    const int32_t *near = g->near + i * g->neighbours;
    const float a = x ? x[i * COLS + c] : 0.0f;
    for (int64_t t0 = 0; inside(g, far, t0); t0 += TILE) { /* distances rise: what begins outside has none inside */
        __syncthreads();                                   /* nobody reads the last tile any more */
        for (int k = (int)threadIdx.x; k < TILE * LAGS; k += THREADS)
            weight[k] = inside(g, far, t0 + k / LAGS) ? nep_near_lag(g->lag, k % LAGS, (double)far[t0 + k / LAGS]) : 0.0;
        __syncthreads();
        for (int k = own; k < TILE && inside(g, far, t0 + k); k += ABREAST) {
            const double v = x ? nep_near_half_square(a, x[(int64_t)near[t0 + k] * COLS + c]) : 1.0;
            NEP_UNROLL
            for (int h = 0; h < LAGS; h++)
                sum[h] += weight[k * LAGS + h] * v;
        }
    }
}

/* The sums of the block's threads over what stands abreast: out [LAGS, COLS], ROUND lags at a time. */
static __device__ __forceinline__ void add_across(const double *sum, double *across, double *out)
{
    NEP_UNROLL
    for (int h = 0; h < LAGS; h += ROUND) {
        NEP_UNROLL
        for (int k = 0; k < ROUND; k++)
            across[k * THREADS + threadIdx.x] = sum[h + k];
        __syncthreads();
        if (threadIdx.x < ROUND * COLS) {
            const double *from = across + threadIdx.x / COLS * THREADS + threadIdx.x % COLS;
            double all = from[0];
            for (int q = 1; q < ABREAST; q++)
                all += from[q * COLS];
            out[h * COLS + threadIdx.x] = all;
        }
        __syncthreads();
    }
}

/* One map more than there are sums the weights. part [parts, n_maps + 1, LAGS, COLS]. */
static __global__ void list_squares_kernel(nep_lists g, const float *x, int64_t n_maps, const int32_t *sample, int64_t n_sample, int64_t parts,
                                           double *part)
{
    NEP_SHARED(double, weight, TILE *LAGS);
    NEP_SHARED(double, across, ROUND *THREADS);
    for (int64_t k = blockIdx.x; k < (n_maps + 1) * parts; k += gridDim.x) {
        const int64_t m = k % (n_maps + 1), p = k / (n_maps + 1);
        double sum[LAGS];
        NEP_UNROLL
        for (int h = 0; h < LAGS; h++)
            sum[h] = 0.0;
        for (int64_t r = p * n_sample / parts; r < (p + 1) * n_sample / parts; r++)
            add_place(&g, m < n_maps ? x + m * g.n * COLS : (const float *)0, sample[r], weight, sum);
        add_across(sum, across, part + k * LAGS * COLS);
    }
}

static __global__ void fold_kernel(const double *part, int64_t parts, int64_t n_maps, double *squares, double *weights)
{
    const int64_t cells = (n_maps + 1) * LAGS * COLS;
    NEP_FOR_EACH (k, cells) {
        const int64_t c = k % COLS, h = k / COLS % LAGS, m = k / COLS / LAGS;
        double sum = 0.0;
        for (int64_t p = 0; p < parts; p++)
            sum += part[p * cells + k];
        if (m < n_maps)
            squares[k] = sum;
        else if (c == 0)
            weights[h] = sum;
    }
}

extern "C" nep_status nep_cuda_list_squares(nep_ctx *ctx, nep_queue *queue, const nep_lists *g, const float *x, int64_t n_maps,
                                            const int32_t *sample, int64_t n_sample, double *squares, double *weights)
{
    const nep_lists at = *g;
    const int64_t cells = (n_maps + 1) * LAGS * COLS, parts = n_sample < 1 ? 1 : n_sample < MOST_PARTS ? n_sample : (int64_t)MOST_PARTS;
    void *part = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(parts * cells) * sizeof(double), "squares of pairs", &part));
    NEP_LAUNCH(list_squares_kernel, nep_grid((n_maps + 1) * parts, 1), THREADS, queue, at, x, n_maps, sample, n_sample, parts, (double *)part);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "list_squares"));
    NEP_LAUNCH(fold_kernel, nep_grid(cells, NEP_BLOCK), NEP_BLOCK, queue, (const double *)part, parts, n_maps, squares, weights);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "list_squares"));
done:
    nep_cuda_release(part);
    return st;
}
