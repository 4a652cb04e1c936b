/* SPDX-License-Identifier: Apache-2.0 */
/* isotonic.c - non-decreasing regression by pooling adjacent violators. */
#include <nepenthe/model.h>

#include <math.h>
#include <stdlib.h>

typedef struct {
    double x, sum, weight; /* sum = weight * y */
    int64_t i;
} point;

static int by_x(const void *a, const void *b)
{
    const point *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return p->i < q->i ? -1 : p->i > q->i;
}

nep_status nep_isotonic_fit(nep_ctx *ctx, const double *x, const double *y, const double *weight, int64_t n, double *fitted)
{
    point *list = NULL, *block = NULL;
    int64_t blocks = 0;
    nep_status st;
    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, !isnan(x[i]) && isfinite(y[i]) && (!weight || (weight[i] > 0 && isfinite(weight[i]))), NEP_E_ARG,
                    "isotonic: point %lld is missing or has no weight above 0", (long long)i);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list, "isotonic: points", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *block, "isotonic: blocks", &block));
    for (int64_t i = 0; i < n; i++)
        list[i] = (point){x[i], (weight ? weight[i] : 1) * y[i], weight ? weight[i] : 1, i};
    qsort(list, (size_t)n, sizeof *list, by_x);
    for (int64_t i = 0; i < n;) { /* block.i: where it starts in the list */
        point next = {list[i].x, 0, 0, i};
        for (; i < n && list[i].x == next.x; i++) {
            next.sum += list[i].sum;
            next.weight += list[i].weight;
        }
        for (; blocks && block[blocks - 1].sum * next.weight >= next.sum * block[blocks - 1].weight; blocks--) {
            next.sum += block[blocks - 1].sum;
            next.weight += block[blocks - 1].weight;
            next.i = block[blocks - 1].i;
        }
        block[blocks++] = next;
    }
    for (int64_t b = 0; b < blocks; b++)
        for (int64_t i = block[b].i; i < (b + 1 < blocks ? block[b + 1].i : n); i++)
            fitted[list[i].i] = block[b].sum / block[b].weight;
done:
    nep_alloc_free(block);
    nep_alloc_free(list);
    return st;
}
