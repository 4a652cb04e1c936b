/* SPDX-License-Identifier: Apache-2.0 */
/* dense_scores - CUDA twin of src/backend/cpu_dense_scores.c: a warp per pair, a lane per lane of the sum: the same bits. */
#include "launch.h"

#include <nepenthe/math/dense.h>

static __global__ void dense_scores_kernel(nep_dense_rows x, const float *query, bool square, const int32_t *pair_query, const int32_t *pair_row,
                                           int64_t n_pairs, double *out)
{
    const int lane = (int)threadIdx.x % NEP_WARP;
    const int64_t bytes = x.stride * nep_dense_size(x.type);
    for (int64_t p = ((int64_t)blockIdx.x * NEP_BLOCK + threadIdx.x) / NEP_WARP; p < n_pairs; p += (int64_t)gridDim.x * (NEP_BLOCK / NEP_WARP)) {
        const int64_t r = pair_row[p];
        const float *q = query + pair_query[p] * x.dims;
        const char *row = (const char *)x.row + r * bytes;
        const double unit = x.type == NEP_DENSE_I8 ? (double)x.scale[r] : 1.0;
        double total = 0.0;
        for (int64_t from = 0; from < x.dims; from += NEP_LANES_CHUNK) {
            const int64_t to = x.dims - from < NEP_LANES_CHUNK ? x.dims : from + NEP_LANES_CHUNK;
            double sum = 0.0;
            for (int64_t i = from + lane; i < to; i += NEP_WARP)
                sum += nep_dense_term(square, (double)q[i], (double)nep_dense_item(x.type, row, i) * unit);
            total += nep_warp_fold(sum);
        }
        if (lane == 0)
            out[p] = total;
    }
}

extern "C" nep_status nep_cuda_dense_scores(nep_ctx *ctx, nep_queue *queue, const nep_dense_rows *rows, const float *query, bool square,
                                            const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out)
{
    NEP_LAUNCH(dense_scores_kernel, nep_grid(n_pairs, NEP_BLOCK / NEP_WARP), NEP_BLOCK, queue, *rows, query, square, pair_query, pair_row, n_pairs,
               out);
    return nep_cuda_launched(ctx, "dense_scores");
}
