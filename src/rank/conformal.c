/* SPDX-License-Identifier: Apache-2.0 */
/* conformal.c - conformal p values of pairs whose disorders, not they themselves, are exchangeable. */
#include <nepenthe/model.h>

#include <math.h>
#include <stdlib.h>

typedef struct {
    double alpha, weight;
    int64_t i;
} entry;

static int by_alpha(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    if (p->alpha != q->alpha)
        return p->alpha < q->alpha ? -1 : 1;
    return p->i < q->i ? -1 : p->i > q->i;
}

static int ascending(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

nep_status nep_conformal_weights(nep_ctx *ctx, const int32_t *group, int64_t n, int64_t groups, double *weight)
{
    int64_t *count = NULL;
    NEP_REQUIRE(ctx, groups >= 1, NEP_E_ARG, "conformal: %lld groups", (long long)groups);
    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, group[i] >= 0 && group[i] < groups, NEP_E_ARG, "conformal: row %lld has group %d of %lld", (long long)i, group[i],
                    (long long)groups);
    NEP_TRY(nep_alloc(ctx, groups, sizeof *count, "conformal: groups", &count));
    for (int64_t i = 0; i < n; i++)
        count[group[i]]++;
    for (int64_t i = 0; i < n; i++)
        weight[i] = 1 / (double)count[group[i]];
    nep_alloc_free(count);
    return NEP_OK;
}

/* First entry whose alpha is not below (or, strictly, above) v. */
static int64_t first_from(const entry *list, int64_t n, double v, bool above)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (above ? list[mid].alpha <= v : list[mid].alpha < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

nep_status nep_conformal_p(nep_ctx *ctx, const double *alpha, const double *weight, int64_t n, const double *at, int64_t m,
                           double own_weight, double u, double *p)
{
    entry *list = NULL;
    double *from = NULL; /* from[i]: weight of entries i and up */
    nep_status st;
    NEP_REQUIRE(ctx, n >= 0 && m >= 0 && own_weight > 0 && isfinite(own_weight) && u >= 0 && u <= 1, NEP_E_ARG,
                "conformal: own weight %g must be above 0, u %g in [0, 1]", own_weight, u);
    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, !isnan(alpha[i]) && weight[i] > 0 && isfinite(weight[i]), NEP_E_ARG,
                    "conformal: calibration pair %lld has alpha %g, weight %g; neither may be missing, weights are above 0", (long long)i,
                    alpha[i], weight[i]);
    for (int64_t i = 0; i < m; i++)
        NEP_REQUIRE(ctx, !isnan(at[i]), NEP_E_ARG, "conformal: new pair %lld has no alpha", (long long)i);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list, "conformal: pairs", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *from, "conformal: weights", &from));
    for (int64_t i = 0; i < n; i++)
        list[i] = (entry){alpha[i], weight[i], i};
    qsort(list, (size_t)n, sizeof *list, by_alpha);
    for (int64_t i = n - 1; i >= 0; i--)
        from[i] = from[i + 1] + list[i].weight;
    for (int64_t i = 0; i < m; i++) {
        const double above = from[first_from(list, n, at[i], true)], not_below = from[first_from(list, n, at[i], false)];
        p[i] = (above + u * (not_below - above + own_weight)) / (from[0] + own_weight);
    }
done:
    nep_alloc_free(from);
    nep_alloc_free(list);
    return st;
}

/* ceil(q m), safe from a product that rounding lifts above a whole number. */
static int64_t order_of(double q, int64_t m)
{
    return (int64_t)ceil(q * (double)m - 1e-9);
}

nep_status nep_conformal_threshold(nep_ctx *ctx, const double *alpha, const int32_t *group, int64_t n, int64_t groups, double content,
                                   double level, double *threshold, int64_t *used)
{
    double *own = NULL, *top = NULL;
    int64_t *start = NULL, *next = NULL, k = 0;
    nep_status st;
    NEP_REQUIRE(ctx, groups >= 1 && content > 0 && content <= 1 && level > 0 && level < 1, NEP_E_ARG,
                "conformal: content %g must lie in (0, 1], level %g in (0, 1), groups %lld be 1 or more", content, level, (long long)groups);
    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, !isnan(alpha[i]) && group[i] >= 0 && group[i] < groups, NEP_E_ARG,
                    "conformal: pair %lld has alpha %g and group %d of %lld", (long long)i, alpha[i], group[i], (long long)groups);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *own, "conformal: pairs", &own));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, groups, sizeof *top, "conformal: groups", &top));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, groups + 1, sizeof *start, "conformal: groups", &start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, groups, sizeof *next, "conformal: groups", &next));
    for (int64_t i = 0; i < n; i++)
        start[group[i] + 1]++;
    for (int64_t j = 0; j < groups; j++) {
        start[j + 1] += start[j];
        next[j] = start[j];
    }
    for (int64_t i = 0; i < n; i++)
        own[next[group[i]]++] = alpha[i];
    for (int64_t j = 0; j < groups; j++) {
        const int64_t m = start[j + 1] - start[j];
        if (m == 0)
            continue;
        qsort(own + start[j], (size_t)m, sizeof *own, ascending);
        top[k++] = own[start[j] + order_of(content, m) - 1];
    }
    qsort(top, (size_t)k, sizeof *top, ascending);
    const int64_t place = order_of(level, k + 1);
    *threshold = place <= k ? top[place - 1] : (double)INFINITY;
    if (used)
        *used = k;
done:
    nep_alloc_free(next);
    nep_alloc_free(start);
    nep_alloc_free(top);
    nep_alloc_free(own);
    return st;
}
