/* SPDX-License-Identifier: Apache-2.0 */
/* lines - sixteen shuffles of a map laid out in lines: the twin of nep_lines_fill in src/backend/cpu_lines.h. */
#ifndef NEP_KERNELS_LINES_H
#define NEP_KERNELS_LINES_H

#include "launch.h"

#include <nepenthe/math/neighbourhood.h>

/* A thread per value of a line. place NULL: line i is place i. */
static __global__ void lines_kernel(const float *value, const int32_t *order, const int32_t *place, int64_t n, int64_t slots, float *lines,
                                    float *own)
{
    NEP_FOR_EACH (k, slots * NEP_NEAR_COLS) {
        const int64_t q = k / NEP_NEAR_COLS, c = k % NEP_NEAR_COLS, i = place ? place[q] : q;
        lines[k] = i < 0 ? 0.0f : value[order[c * n + i]];
        if (q < n)
            own[k] = value[q];
    }
}

static inline void lines_fill(nep_queue *queue, const float *value, const int32_t *order, const int32_t *place, int64_t n, int64_t slots,
                              float *lines, float *own)
{
    NEP_LAUNCH(lines_kernel, nep_grid(slots * NEP_NEAR_COLS, NEP_BLOCK), NEP_BLOCK, queue, value, order, place, n, slots, lines, own);
}

#endif
