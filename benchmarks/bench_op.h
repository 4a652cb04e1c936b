/* SPDX-License-Identifier: Apache-2.0 */
/* bench_op - ceilings of the device in this run: copying memory and multiply-adds, with all the threads the ops use. */
#ifndef NEP_BENCH_OP_H
#define NEP_BENCH_OP_H

#include "bench.h"

#include <omp.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "backend/module.h"

typedef nep_module_rates bench_ceilings;

/* Independent chains of fused multiply-adds that stay in registers. */
enum { BENCH_CHAINS = 12, BENCH_ROUNDS = 4000000 };

#define BENCH_FMA(name, vector, set, fused, get, target)                                                              \
    target static double name(void)                                                                                   \
    {                                                                                                                 \
        vector x[BENCH_CHAINS];                                                                                       \
        const vector a = set(0.9999999), b = set(1e-9);                                                               \
        double sum = 0;                                                                                               \
        _Pragma("GCC unroll 12") for (int i = 0; i < BENCH_CHAINS; i++) x[i] = set(1.0 + 0.01 * i);                   \
        for (int r = 0; r < BENCH_ROUNDS; r++) {                                                                      \
            _Pragma("GCC unroll 12") for (int i = 0; i < BENCH_CHAINS; i++) x[i] = fused(x[i], a, b);                 \
        }                                                                                                             \
        _Pragma("GCC unroll 12") for (int i = 0; i < BENCH_CHAINS; i++) sum += (double)get(x[i]);                     \
        return sum;                                                                                                   \
    }
#if defined(__x86_64__)
#define BENCH_SET32_512(v) _mm512_set1_ps((float)(v))
#define BENCH_SET32_256(v) _mm256_set1_ps((float)(v))
BENCH_FMA(bench_fma64_avx512, __m512d, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_cvtsd_f64,
          __attribute__((target("avx512f"))))
BENCH_FMA(bench_fma32_avx512, __m512, BENCH_SET32_512, _mm512_fmadd_ps, _mm512_cvtss_f32,
          __attribute__((target("avx512f"))))
BENCH_FMA(bench_fma64_avx2, __m256d, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_cvtsd_f64,
          __attribute__((target("avx2,fma"))))
BENCH_FMA(bench_fma32_avx2, __m256, BENCH_SET32_256, _mm256_fmadd_ps, _mm256_cvtss_f32,
          __attribute__((target("avx2,fma"))))
#else
#define BENCH_SAME(v) (v)
BENCH_FMA(bench_fma_plain, double, BENCH_SAME, __builtin_fma, BENCH_SAME, )
#endif

/* GFLOP/s of all threads together at `lanes` per operation, the best of five; by the CPU time of each thread, so that
 * other programs on the machine do not lower it. */
static inline double bench_fma_rate(double (*work)(void), int lanes, int threads)
{
    double best = 0.0;
    for (int run = 0; run < 5; run++) {
        double rate = 0.0, sink = 0.0;
#pragma omp parallel num_threads(threads) reduction(+ : sink, rate)
        {
            const double start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
            sink += work();
            rate += 2.0 * BENCH_CHAINS * BENCH_ROUNDS * lanes / (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) * 1e-9;
        }
        best = rate > best && sink > 0.0 ? rate : best;
    }
    return best;
}

static inline nep_status bench_copy_rate(nep_ctx *ctx, int threads, double *gbs)
{
    const int64_t bytes = (int64_t)128 << 20, part = bytes / threads;
    char *from = NULL, *to = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bytes, 1, "copy source", &from));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bytes, 1, "copy target", &to));
    for (int run = 0; run < 6; run++) {
        double rate = 0.0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(+ : rate)
        for (int i = 0; i < threads; i++) {
            const double start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
            memcpy(to + i * part, from + i * part, (size_t)part);
            rate += 2.0 * (double)part / (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) * 1e-9;
        }
        *gbs = rate > *gbs ? rate : *gbs;
    }
done:
    nep_alloc_free(to);
    nep_alloc_free(from);
    return st;
}

/* Of the context's device. On CUDA the module measures: a copy on the device and cuBLAS products. */
static inline nep_status bench_ceilings_measure(nep_ctx *ctx, bench_ceilings *c)
{
    const int threads = nep_ctx_threads(ctx);
    const nep_module *m = NULL;
    *c = (bench_ceilings){0};
    if (!nep_ctx_backend(ctx)->host) {
        NEP_TRY(nep_module_load(ctx, &m));
        return m->measure(ctx, 4096, c);
    }
#if defined(__x86_64__)
    const bool wide = __builtin_cpu_supports("avx512f");
    c->f64_gflops = wide ? bench_fma_rate(bench_fma64_avx512, 8, threads) : bench_fma_rate(bench_fma64_avx2, 4, threads);
    c->f32_gflops =
        wide ? bench_fma_rate(bench_fma32_avx512, 16, threads) : bench_fma_rate(bench_fma32_avx2, 8, threads);
#else
    c->f64_gflops = c->f32_gflops = bench_fma_rate(bench_fma_plain, 1, threads);
#endif
    return bench_copy_rate(ctx, threads, &c->copy_gbs);
}

#endif
