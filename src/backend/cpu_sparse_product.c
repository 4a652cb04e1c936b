/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_sparse_product - CPU twin of kernels/sparse_product.cu: each row of the result gathers the rows of x that its entries name. */
#include "backend/cpu.h"

#include <string.h>

enum { PIECE = 64 }; /* rows that a thread takes at a time */

NEP_CPU_BODY void row_body(const int32_t *column, const double *weight, int64_t n, const double *x, int64_t n_cols, double *out)
{
    memset(out, 0, (size_t)n_cols * sizeof *out);
    for (int64_t k = 0; k < n; k++) {
        const double w = weight[k];
        const double *from = x + column[k] * n_cols;
        for (int64_t c = 0; c < n_cols; c++)
            out[c] += w * from[c];
    }
}

typedef void row_function(const int32_t *column, const double *weight, int64_t n, const double *x, int64_t n_cols, double *out);

static void row_scalar(const int32_t *column, const double *weight, int64_t n, const double *x, int64_t n_cols, double *out)
{
    row_body(column, weight, n, x, n_cols, out);
}

NEP_CPU_AVX2_CODE static void row_avx2(const int32_t *column, const double *weight, int64_t n, const double *x, int64_t n_cols, double *out)
{
    row_body(column, weight, n, x, n_cols, out);
}

NEP_CPU_AVX512_CODE static void row_avx512(const int32_t *column, const double *weight, int64_t n, const double *x, int64_t n_cols, double *out)
{
    row_body(column, weight, n, x, n_cols, out);
}

nep_status nep_cpu_sparse_product(nep_ctx *ctx, nep_queue *queue, const int64_t *start, const int32_t *column, const double *weight,
                                  int64_t n_rows, const double *x, int64_t n_x, int64_t n_cols, double *out)
{
    (void)queue;
    (void)n_x;
    const nep_cpu_family f = nep_cpu_family_get();
    row_function *const add = f >= NEP_CPU_AVX512 ? row_avx512 : f >= NEP_CPU_AVX2 ? row_avx2 : row_scalar;
    const bool worth_it = (start[n_rows] + n_rows) * n_cols > 1 << 23; /* less is done sooner than threads that wait for more are paid for */
#pragma omp parallel for schedule(dynamic, PIECE) num_threads(nep_ctx_threads(ctx)) if (worth_it)
    for (int64_t i = 0; i < n_rows; i++)
        add(column + start[i], weight + start[i], start[i + 1] - start[i], x, n_cols, out + i * n_cols);
    return NEP_OK;
}
