/* SPDX-License-Identifier: Apache-2.0 */
/* cpu - what the CPU ops share: kernel families chosen at run time, scratch, a BLAS that stays on its thread. */
#ifndef NEP_BACKEND_CPU_H
#define NEP_BACKEND_CPU_H

#include <nepenthe/backend.h>

/* nep_cpu_<op> is defined in cpu_<op>.c. */
#define NEP_X(name, parity) nep_op_##name nep_cpu_##name;
NEP_OP_LIST(NEP_X)
#undef NEP_X

typedef enum { NEP_CPU_SCALAR, NEP_CPU_AVX2, NEP_CPU_AVX512, NEP_CPU_AVX512_POPCNT } nep_cpu_family;

/* The best family of this machine, found once. Lane sums have the same bits in every family. */
nep_cpu_family nep_cpu_family_get(void);
/* For tests: at most `limit` from now on. */
void nep_cpu_family_limit(nep_cpu_family limit);
const char *nep_cpu_family_name(nep_cpu_family f);

/* OpenBLAS on one thread: its bits change with its thread count. Call it before the parallel region. */
void nep_cpu_blas_single(void);

#if defined(__x86_64__)
#define NEP_CPU_AVX2_CODE          __attribute__((target("avx2,popcnt")))
#define NEP_CPU_AVX512_CODE        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")))
#define NEP_CPU_AVX512_POPCNT_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt")))
#else
#define NEP_CPU_AVX2_CODE
#define NEP_CPU_AVX512_CODE
#define NEP_CPU_AVX512_POPCNT_CODE
#endif
#define NEP_CPU_BODY static inline __attribute__((always_inline))

/* Columns of a tile: the grid depends on sizes alone, never on the number of threads. */
enum { NEP_CPU_TILE = 256 };

static inline int64_t nep_cpu_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t nep_cpu_tiles(int64_t n, int64_t tile)
{
    return (n + tile - 1) / tile;
}

#endif
