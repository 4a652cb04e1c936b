/* SPDX-License-Identifier: Apache-2.0 */
/* count_max - counting against a sorted null instead of comparing each column with each permutation. */
#include "backend/count_max.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>

#include <nepenthe/math/tstat.h>

/* Number of items of sorted[0..n) below `bound`. */
static int64_t below(const double *sorted, int64_t n, double bound)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < bound)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

nep_status nep_count_max_add(nep_ctx *ctx, const double *max_abs, int64_t n_perm, const double *observed, int64_t n,
                             int64_t *count)
{
    double *sorted = NULL;
    int64_t kept = 0;
    NEP_TRY(nep_alloc(ctx, n_perm, sizeof *sorted, "sorted maxima", &sorted));
    for (int64_t p = 0; p < n_perm; p++)
        if (!isnan(max_abs[p]))
            sorted[kept++] = max_abs[p];
    qsort(sorted, (size_t)kept, sizeof *sorted, nep_order_ascending);
    for (int64_t i = 0; i < n; i++)
        if (!isnan(observed[i]))
            count[i] += kept - below(sorted, kept, nep_tstat_bound(observed[i]));
    nep_alloc_free(sorted);
    return NEP_OK;
}
