/* SPDX-License-Identifier: Apache-2.0 */
/* rank_aggregation.c - robust rank aggregation: order statistics of an item's ranks against those of chance. */
#include <nepenthe/model.h>

#include <math.h>
#include <stdlib.h>

typedef struct {
    double score;
    int64_t i;
} item;

static int best_first(const void *a, const void *b)
{
    const item *p = a, *q = b;
    if (p->score != q->score)
        return p->score > q->score ? -1 : 1;
    return p->i < q->i ? -1 : p->i > q->i;
}

static int ascending(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

nep_status nep_aggregation_ranks(nep_ctx *ctx, const double *score, int64_t n, double *r)
{
    item *list = NULL;
    int64_t m = 0;
    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "aggregation: ranks", &list));
    for (int64_t i = 0; i < n; i++) {
        r[i] = NAN;
        if (!isnan(score[i]))
            list[m++] = (item){score[i], i};
    }
    qsort(list, (size_t)m, sizeof *list, best_first);
    for (int64_t i = 0, j; i < m; i = j) {
        for (j = i + 1; j < m && list[j].score == list[i].score;)
            j++;
        for (int64_t k = i; k < j; k++)
            r[list[k].i] = 0.5 * (double)(i + 1 + j) / (double)m; /* ranks i + 1 .. j share their mean */
    }
    nep_alloc_free(list);
    return NEP_OK;
}

nep_status nep_aggregation_rho(nep_ctx *ctx, const double *r, int64_t n, int lists, double *rho)
{
    double *sorted = NULL;
    NEP_REQUIRE(ctx, n >= 0 && lists >= 1, NEP_E_ARG, "aggregation: %lld items in %d lists", (long long)n, lists);
    for (int64_t i = 0; i < n * lists; i++)
        NEP_REQUIRE(ctx, isnan(r[i]) || (r[i] > 0 && r[i] <= 1), NEP_E_ARG,
                    "aggregation: item %lld has rank %g in list %lld; normalised ranks lie in (0, 1]", (long long)(i / lists), r[i],
                    (long long)(i % lists));
    NEP_TRY(nep_alloc(ctx, lists, sizeof *sorted, "aggregation: ranks", &sorted));
    for (int64_t i = 0; i < n; i++) {
        double least = 1;
        int m = 0;
        for (int l = 0; l < lists; l++)
            if (!isnan(r[i * lists + l]))
                sorted[m++] = r[i * lists + l];
        qsort(sorted, (size_t)m, sizeof *sorted, ascending);
        for (int k = 1; k <= m; k++)
            least = fmin(least, m * nep_binomial_upper(k, m, sorted[k - 1]));
        rho[i] = m ? least : NAN;
    }
    nep_alloc_free(sorted);
    return NEP_OK;
}
