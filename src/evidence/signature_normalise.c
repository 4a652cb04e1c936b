/* SPDX-License-Identifier: Apache-2.0 */
/* signature_normalise.c - connectivity among its like: over the mean of its sign and group, and as a percentile of a reference. */
#include <nepenthe/signature.h>

#include "core/order.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_REFERENCE = 500 };

nep_status nep_signature_normalise(nep_ctx *ctx, const double *score, const int32_t *group, int64_t n, double floor, double *out)
{
    double *sum = NULL;
    int64_t *count = NULL;
    int32_t groups = 1;
    nep_status st;

    for (int64_t i = 0; group && i < n; i++) {
        NEP_REQUIRE(ctx, group[i] >= 0 && group[i] < INT32_MAX, NEP_E_ARG, "signature: score %lld has group %d", (long long)i, group[i]);
        groups = group[i] >= groups ? group[i] + 1 : groups;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * (int64_t)groups, sizeof *sum, "signature: sums", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * (int64_t)groups, sizeof *count, "signature: counts", &count));
    for (int64_t i = 0; i < n; i++)
        if (score[i] > 0 || score[i] < 0) {
            const int64_t cell = 2 * (int64_t)(group ? group[i] : 0) + (score[i] > 0);
            sum[cell] += fabs(score[i]);
            count[cell]++;
        }
    for (int64_t i = 0; i < n; i++) {
        out[i] = score[i]; /* 0 and NaN stay */
        if (score[i] > 0 || score[i] < 0) {
            const int64_t cell = 2 * (int64_t)(group ? group[i] : 0) + (score[i] > 0);
            out[i] = score[i] / fmax(sum[cell] / (double)count[cell], floor);
        }
    }
done:
    nep_alloc_free(count);
    nep_alloc_free(sum);
    return st;
}

/* How many of the sorted values are smaller than x. */
static int64_t below(const double *sorted, int64_t n, double x)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (sorted[mid] < x)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

nep_status nep_signature_tau(nep_ctx *ctx, const double *ncs, int64_t n, const double *reference, int64_t n_reference, double *out)
{
    double *sorted = NULL;
    int64_t known = 0;
    NEP_TRY(nep_alloc(ctx, n_reference, sizeof *sorted, "signature: reference", &sorted));
    for (int64_t i = 0; i < n_reference; i++)
        if (!isnan(reference[i]))
            sorted[known++] = fabs(reference[i]);
    qsort(sorted, (size_t)known, sizeof *sorted, nep_order_ascending);
    for (int64_t i = 0; i < n; i++) {
        const double sign = ncs[i] > 0 ? 1 : ncs[i] < 0 ? -1 : 0;
        out[i] = isnan(ncs[i]) || known < LEAST_REFERENCE ? (double)NAN : sign * 100 * (double)below(sorted, known, fabs(ncs[i])) / (double)known;
    }
    nep_alloc_free(sorted);
    return NEP_OK;
}
