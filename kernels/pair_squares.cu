/* SPDX-License-Identifier: Apache-2.0 */
/* pair_squares - CUDA twin of src/backend/cpu_pair_squares.c: a thread per map, bin and column. */
#include "launch.h"

#include <nepenthe/math/variogram.h>

static __global__ void pair_squares_kernel(const float *x, int64_t n_maps, int64_t n, int64_t n_cols, const int32_t *a, const int32_t *b,
                                           const double *offset, const int64_t *start, int64_t n_bins, int moments, double *out)
{
    NEP_FOR_EACH (i, n_maps * n_bins * n_cols) {
        const int64_t c = i % n_cols, s = i / n_cols % n_bins, m = i / n_cols / n_bins;
        const float *map = x + m * n * n_cols + c;
        double sum[NEP_VARIOGRAM_MOMENTS] = {0};
        for (int64_t k = start[s]; k < start[s + 1]; k++) {
            double v = nep_variogram_square(map[a[k] * n_cols], map[b[k] * n_cols]);
            NEP_UNROLL
            for (int q = 0; q < NEP_VARIOGRAM_MOMENTS; q++, v *= offset[k])
                sum[q] += v;
        }
        NEP_UNROLL
        for (int q = 0; q < NEP_VARIOGRAM_MOMENTS; q++)
            if (q < moments)
                out[((m * n_bins + s) * moments + q) * n_cols + c] = sum[q];
    }
}

extern "C" nep_status nep_cuda_pair_squares(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_maps, int64_t n, int64_t n_cols,
                                            const int32_t *a, const int32_t *b, const double *offset, const int64_t *start, int64_t n_bins,
                                            int64_t n_moments, double *out)
{
    NEP_LAUNCH(pair_squares_kernel, nep_grid(n_maps * n_bins * n_cols, NEP_BLOCK), NEP_BLOCK, queue, x, n_maps, n, n_cols, a, b, offset,
               start, n_bins, (int)n_moments, out);
    return nep_cuda_launched(ctx, "pair_squares");
}
