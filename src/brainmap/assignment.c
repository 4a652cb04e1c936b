/* SPDX-License-Identifier: Apache-2.0 */
/* assignment - the least-cost one-to-one assignment by shortest augmenting paths with dual prices.
 * Source: Jonker & Volgenant (1987) Computing 38:325, doi:10.1007/BF02278710. */
#include "nulls.h"

#include <math.h>

/* Grows a shortest path from a free row until it meets a free column, then shifts the assignment along it.
 * Column 0 is a stand-in for "the row being placed"; rows and columns count from 1. */
static void place(const double *cost, int64_t n, int64_t row, double *price_row, double *price_col,
                  double *least, double *owner, double *before, double *seen)
{
    int64_t column = 0;
    owner[0] = (double)row;
    for (int64_t j = 0; j <= n; j++) {
        least[j] = (double)INFINITY;
        seen[j] = 0.0;
    }
    do {
        const int64_t i = (int64_t)owner[column];
        double step = (double)INFINITY;
        int64_t next = 0;
        seen[column] = 1.0;
        for (int64_t j = 1; j <= n; j++) {
            if (seen[j] != 0.0)
                continue;
            const double reduced = cost[(i - 1) * n + j - 1] - price_row[i] - price_col[j];
            if (reduced < least[j]) {
                least[j] = reduced;
                before[j] = (double)column;
            }
            if (least[j] < step) {
                step = least[j];
                next = j;
            }
        }
        for (int64_t j = 0; j <= n; j++) {
            if (seen[j] != 0.0) {
                price_row[(int64_t)owner[j]] += step;
                price_col[j] -= step;
            } else {
                least[j] -= step;
            }
        }
        column = next;
    } while (owner[column] != 0.0);
    while (column != 0) {
        const int64_t previous = (int64_t)before[column];
        owner[column] = owner[previous];
        column = previous;
    }
}

void nep_assignment_solve(const double *cost, int64_t n, double *work, int32_t *row)
{
    const int64_t w = n + 1;
    double *price_row = work, *price_col = work + w, *least = work + 2 * w, *owner = work + 3 * w,
           *before = work + 4 * w, *seen = work + 5 * w;
    for (int64_t j = 0; j < 6 * w; j++)
        work[j] = 0.0;
    for (int64_t i = 1; i <= n; i++)
        place(cost, n, i, price_row, price_col, least, owner, before, seen);
    for (int64_t j = 1; j <= n; j++)
        row[j - 1] = (int32_t)owner[j] - 1;
}
