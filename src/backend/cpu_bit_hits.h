/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_bit_hits - what the kernel families of bit_hits provide: up to 64 rows against one query. */
#ifndef NEP_BACKEND_CPU_BIT_HITS_H
#define NEP_BACKEND_CPU_BIT_HITS_H

#include "backend/cpu.h"

enum { NEP_CPU_BIT_BLOCK = 64 };

/* What a query asks of the rows of a block: the same of all, or of each. */
typedef struct {
    bool same;
    uint16_t all, each[NEP_CPU_BIT_BLOCK];
} nep_cpu_bit_need;

/* Bit i is set where row i has as many bits in common as needed; common[] is filled where any bit is. 1 <= n <= 64. The n rows at `next` are
 * asked for meanwhile, so that they are there when they are met; NULL where they need not be. */
typedef uint64_t nep_cpu_bit_block(const uint64_t *query, const uint64_t *row, int64_t n, int64_t words, const uint64_t *next,
                                   const nep_cpu_bit_need *need, uint16_t *common);
/* Likewise of the bound by sketches; rows whose bit is not set are no hits. */
typedef uint64_t nep_cpu_bit_bound(const uint8_t *query, const uint8_t *sketch, int64_t n, const nep_cpu_bit_need *need);

typedef struct {
    nep_cpu_bit_block *block;
    nep_cpu_bit_bound *bound;
} nep_cpu_bit_family;

#if defined(__x86_64__)
extern const nep_cpu_bit_family nep_cpu_bit_avx2, nep_cpu_bit_avx512;
#endif

/* Asks for n words; without effect at NULL. */
static inline void nep_cpu_bit_ask(const uint64_t *next, int64_t n)
{
    for (int64_t w = 0; next && w < n; w += 8)
        __builtin_prefetch(next + w);
}

static inline uint16_t nep_cpu_bit_needed(const nep_cpu_bit_need *need, int64_t i)
{
    return need->same ? need->all : need->each[i];
}

#endif
