/* SPDX-License-Identifier: Apache-2.0 */
/* quadratic_forms - CUDA twin of src/backend/cpu_quadratic_forms.c: pack rows and matrices, multiply, add constants. */
#include "launch.h"

#include <nepenthe/math/packed.h>

/* A block per row: out[row, (a, b)] = r_a r_b. */
static __global__ void products_kernel(const double *r, int64_t n, int64_t p, double *out)
{
    const int64_t packed = nep_packed_size(p);
    for (int64_t row = blockIdx.x; row < n; row += gridDim.x)
        for (int64_t a = 0; a < p; a++)
            for (int64_t b = a + threadIdx.x; b < p; b += blockDim.x)
                out[row * packed + nep_packed_index(a, b, p)] = r[row * p + a] * r[row * p + b];
}

/* A block per matrix: out[matrix, (a, b)] = Q_ab + Q_ba, Q_aa once. */
static __global__ void matrices_kernel(const double *q, int64_t m, int64_t p, double *out)
{
    const int64_t packed = nep_packed_size(p);
    for (int64_t j = blockIdx.x; j < m; j += gridDim.x) {
        const double *one = q + j * p * p;
        for (int64_t a = 0; a < p; a++)
            for (int64_t b = a + threadIdx.x; b < p; b += blockDim.x)
                out[j * packed + nep_packed_index(a, b, p)] = a == b ? one[a * p + a] : one[a * p + b] + one[b * p + a];
    }
}

static __global__ void add_kernel(const double *k, int64_t n, int64_t m, double *out)
{
    NEP_FOR_EACH (i, n * m)
        out[i] += k[i % m];
}

enum { PACK_BLOCK = 32 };

extern "C" nep_status nep_cuda_quadratic_forms(nep_ctx *ctx, nep_queue *queue, const double *r, int64_t n, int64_t p,
                                               const double *q, const double *k, int64_t m, double *out)
{
    const int64_t packed = nep_packed_size(p), bytes = packed * (int64_t)sizeof(double);
    const int64_t fit = NEP_CUDA_SCRATCH / bytes, rows = fit < 1 ? 1 : fit > n ? n : fit;
    void *products = NULL, *matrices = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(m * bytes), "packed matrices", &matrices));
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(rows * bytes), "packed rows", &products));
    NEP_LAUNCH(matrices_kernel, nep_grid(m, 1), PACK_BLOCK, queue, q, m, p, (double *)matrices);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "quadratic_forms"));
    for (int64_t i = 0; i < n; i += rows) {
        const int64_t here = n - i < rows ? n - i : rows;
        NEP_LAUNCH(products_kernel, nep_grid(here, 1), PACK_BLOCK, queue, r + i * p, here, p, (double *)products);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "quadratic_forms"));
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, false, true, here, m, packed, (const double *)products, packed,
                                           (const double *)matrices, packed, 0.0, out + i * m, m));
    }
    NEP_LAUNCH(add_kernel, nep_grid(n * m, NEP_BLOCK), NEP_BLOCK, queue, k, n, m, out);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "quadratic_forms"));
done:
    nep_cuda_release(products);
    nep_cuda_release(matrices);
    return st;
}
