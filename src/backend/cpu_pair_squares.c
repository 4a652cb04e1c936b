/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_pair_squares - CPU twin of kernels/pair_squares.cu: 16 columns of a map side by side, a bin's moments in registers. */
#include "backend/cpu.h"

#include <omp.h>
#include <string.h>

#include <nepenthe/math/variogram.h>

enum { COLS = 16 };

typedef struct {
    const int32_t *a, *b;
    const double *offset;
    const int64_t *start;
    int64_t n_bins;
} pairs;

/* Eight columns at once, in two halves of COLS; each target splits them as its registers ask. */
typedef double wide __attribute__((vector_size(64)));
typedef float narrow __attribute__((vector_size(32)));

/* The squares of nep_variogram_square, eight at a time. */
NEP_CPU_BODY void square(const float *a, const float *b, wide *v)
{
    narrow x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    const wide d = __builtin_convertvector(x - y, wide);
    *v = d * d;
}

/* x [n, COLS]; out of bin s, moment q and column l at [(s * moments + q) * stride + l], the first n_cols of COLS. */
NEP_CPU_BODY void squares_body(const float *x, const pairs *p, int moments, int64_t n_cols, int64_t stride, double *out)
{
    for (int64_t s = 0; s < p->n_bins; s++) {
        wide sum[NEP_VARIOGRAM_MOMENTS][2] = {{{0}}};
        for (int64_t i = p->start[s]; i < p->start[s + 1]; i++) {
            const float *a = x + (int64_t)p->a[i] * COLS, *b = x + (int64_t)p->b[i] * COLS;
            const double t = p->offset[i];
            wide v[2];
            square(a, b, &v[0]);
            square(a + 8, b + 8, &v[1]);
            _Pragma("GCC unroll 4") for (int q = 0; q < moments; q++) {
                sum[q][0] += v[0];
                sum[q][1] += v[1];
                v[0] *= t;
                v[1] *= t;
            }
        }
        for (int q = 0; q < moments; q++)
            memcpy(out + (s * moments + q) * stride, sum[q], (size_t)n_cols * sizeof *out);
    }
}

/* The number of moments is a constant to the compiler, so that the sums stay in registers. */
NEP_CPU_BODY void squares_any(const float *x, const pairs *p, int moments, int64_t n_cols, int64_t stride, double *out)
{
    switch (moments) {
    case 1: squares_body(x, p, 1, n_cols, stride, out); break;
    case 2: squares_body(x, p, 2, n_cols, stride, out); break;
    case 3: squares_body(x, p, 3, n_cols, stride, out); break;
    default: squares_body(x, p, 4, n_cols, stride, out);
    }
}

typedef void squares_function(const float *x, const pairs *p, int moments, int64_t n_cols, int64_t stride, double *out);

static void squares_scalar(const float *x, const pairs *p, int moments, int64_t n_cols, int64_t stride, double *out)
{
    squares_any(x, p, moments, n_cols, stride, out);
}

NEP_CPU_AVX2_CODE static void squares_avx2(const float *x, const pairs *p, int moments, int64_t n_cols, int64_t stride, double *out)
{
    squares_any(x, p, moments, n_cols, stride, out);
}

NEP_CPU_AVX512_CODE static void squares_avx512(const float *x, const pairs *p, int moments, int64_t n_cols, int64_t stride, double *out)
{
    squares_any(x, p, moments, n_cols, stride, out);
}

nep_status nep_cpu_pair_squares(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_maps, int64_t n, int64_t n_cols,
                                const int32_t *a, const int32_t *b, const double *offset, const int64_t *start, int64_t n_bins,
                                int64_t n_moments, double *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    squares_function *const work = f >= NEP_CPU_AVX512 ? squares_avx512 : f >= NEP_CPU_AVX2 ? squares_avx2 : squares_scalar;
    const int threads = nep_ctx_threads(ctx);
    const int64_t blocks = nep_cpu_tiles(n_cols, COLS);
    const pairs p = {a, b, offset, start, n_bins};
    float *scratch = NULL;
    NEP_TRY(nep_alloc(ctx, threads * n * COLS, sizeof *scratch, "columns of a map", &scratch));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < n_maps * blocks; i++) {
        const int64_t m = i / blocks, c = i % blocks * COLS, cols = nep_cpu_min(COLS, n_cols - c);
        float *own = scratch + omp_get_thread_num() * n * COLS;
        for (int64_t r = 0; r < n; r++) /* columns past the last keep what they held: they are not written out */
            memcpy(own + r * COLS, x + (m * n + r) * n_cols + c, (size_t)cols * sizeof *own);
        work(own, &p, (int)n_moments, cols, n_cols, out + m * n_bins * n_moments * n_cols + c);
    }
    nep_alloc_free(scratch);
    return NEP_OK;
}
