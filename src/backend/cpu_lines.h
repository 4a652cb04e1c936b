/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_lines - what the smoothings of shells and of lists share: sixteen shuffles laid out in lines, and lines in registers. */
#ifndef NEP_BACKEND_CPU_LINES_H
#define NEP_BACKEND_CPU_LINES_H

#include "backend/cpu.h"

#include <string.h>

/* Eight columns at once: a line is two of them; each target splits them as its registers ask. */
typedef float nep_half_line __attribute__((vector_size(NEP_NEAR_COLS / 2 * sizeof(float))));
typedef double nep_half_wide __attribute__((vector_size(NEP_NEAR_COLS / 2 * sizeof(double))));

NEP_CPU_BODY void nep_line_widen(const nep_half_line *part, nep_half_wide *out)
{
    out[0] = __builtin_convertvector(part[0], nep_half_wide);
    out[1] = __builtin_convertvector(part[1], nep_half_wide);
}

/* A line of sums over a neighbourhood, each times norm, as float32. */
NEP_CPU_BODY void nep_line_store(const nep_half_wide *sum, double norm, float *out)
{
    const nep_half_line part[2] = {__builtin_convertvector(sum[0] * norm, nep_half_line),
                                   __builtin_convertvector(sum[1] * norm, nep_half_line)};
    memcpy(out, part, sizeof part);
}

/* The shuffles in lines [slots, COLS], 0 where `place` has none (NULL: line i is place i), and own [n, COLS], the map in every column. */
static inline void nep_lines_fill(const float *value, const int32_t *order, const int32_t *place, int64_t n, int64_t slots, int threads,
                                  float *lines, float *own)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t q = 0; q < slots; q++) {
        const int64_t i = place ? place[q] : q;
        for (int c = 0; c < NEP_NEAR_COLS; c++)
            lines[q * NEP_NEAR_COLS + c] = i < 0 ? 0.0f : value[order[c * n + i]];
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < NEP_NEAR_COLS; c++)
            own[i * NEP_NEAR_COLS + c] = value[i];
}

#endif
