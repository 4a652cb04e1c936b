/* SPDX-License-Identifier: Apache-2.0 */
/* signature_score.c - connectivity of a query and a list: enrichment of both sides, sums and cosine over extremes, jackknife. */
#include "signature_sets.h"

#include <math.h>
#include <stdlib.h>

static const double equal = 1e-12; /* two sides of a walk that are as far from 0 as this are equally far */

/* The hits of a query: up genes first, each side down the list. */
typedef struct {
    const nep_signature_list *list;
    signature_hit *hit;
    int64_t n_up, n;
} sides;

static int by_place(const void *a, const void *b)
{
    const signature_hit *p = a, *q = b;
    return p->before < q->before ? -1 : p->before > q->before;
}

static sides gather(const nep_signature_list *list, const nep_signature_query *q, signature_hit *hits)
{
    sides s = {.list = list, .hit = hits};
    for (int side = 0; side < 2; side++) {
        const int64_t first = s.n;
        for (int64_t i = 0; i < q->n; i++) {
            const int32_t g = q->gene[i];
            if (isnan(list->z[g]) || (side ? !(q->weight[i] < 0) : !(q->weight[i] > 0)))
                continue;
            hits[s.n++] = (signature_hit){list->before[g], list->through[g], list->z[g], q->weight[i], nep_signature_is_extreme(list, g), 0};
        }
        qsort(hits + first, (size_t)(s.n - first), sizeof *hits, by_place);
        if (side == 0)
            s.n_up = s.n;
    }
    return s;
}

typedef struct {
    double high, low;
} span;

static void widen(span *s, double hits, double total, double misses, double n_misses)
{
    const double at = hits / total - misses / n_misses;
    s->high = at > s->high ? at : s->high;
    s->low = at < s->low ? at : s->low;
}

/* ES of hits [first, last) but `skip`, weights |z|. */
static double enrichment(const sides *s, int64_t first, int64_t last, int64_t skip)
{
    const bool skips = skip >= first && skip < last;
    const double n_misses = (double)(s->list->n_measured - (last - first) + skips);
    double total = 0, sum = 0;
    int64_t hits = 0;
    span reach = {0, 0};
    for (int64_t i = first; i < last; i++)
        total += i == skip ? 0 : fabs(s->hit[i].z);
    if (!(total > 0) || !(n_misses > 0))
        return (double)NAN;
    for (int64_t i = first, next; i < last; i = next) {
        const signature_hit *h = &s->hit[i];
        if (i == skip) {
            next = i + 1;
            continue;
        }
        widen(&reach, sum, total, (double)(h->before - hits), n_misses);
        for (next = i; next < last && s->hit[next].before == h->before; next++) {
            if (next == skip)
                continue;
            sum += fabs(s->hit[next].z);
            hits++;
        }
        widen(&reach, sum, total, (double)(h->through - hits), n_misses);
    }
    if (fabs(reach.high + reach.low) <= equal)
        return 0;
    return reach.high > -reach.low ? reach.high : reach.low;
}

/* ks of 2006 over hits [first, last) but `skip`. */
static double kolmogorov(const sides *s, int64_t first, int64_t last, int64_t skip)
{
    const bool skips = skip >= first && skip < last;
    const double t = (double)(last - first - skips), n = (double)s->list->n_measured;
    double a = -INFINITY, b = -INFINITY;
    int64_t j = 0;
    if (t < 1)
        return (double)NAN;
    for (int64_t i = first; i < last; i++) {
        if (i == skip)
            continue;
        const double v = ((double)s->hit[i].before + (double)s->hit[i].through + 1) / 2; /* mean rank from 1 */
        j++;
        a = fmax(a, (double)j / t - v / n);
        b = fmax(b, v / n - (double)(j - 1) / t);
    }
    return a > b ? a : -b;
}

/* Each side by itself; a side without a gene is not there, one that cannot be walked is NaN. */
typedef struct {
    bool has_up, has_down;
    double up, down;
} halves;

typedef double one_side(const sides *, int64_t, int64_t, int64_t);

static one_side *side_of(nep_signature_method method)
{
    return method == NEP_SIGNATURE_WTCS ? enrichment : kolmogorov;
}

static bool is_walk(nep_signature_method method)
{
    return method == NEP_SIGNATURE_WTCS || method == NEP_SIGNATURE_KS || method == NEP_SIGNATURE_RGES;
}

/* What is left when the gene `skip` is out, given all of it; only that gene's side is walked again. skip -1: everything. */
static halves halve(const sides *s, nep_signature_method method, int64_t skip, const halves *all)
{
    one_side *walk = side_of(method);
    halves h = all ? *all : (halves){0};
    if (!all || skip < s->n_up) {
        h.has_up = s->n_up > (skip >= 0);
        h.up = h.has_up ? walk(s, 0, s->n_up, skip) : 0;
    }
    if (!all || skip >= s->n_up) {
        h.has_down = s->n - s->n_up > (skip >= 0);
        h.down = h.has_down ? walk(s, s->n_up, s->n, skip) : 0;
    }
    return h;
}

static double join(nep_signature_method method, halves h)
{
    if (isnan(h.up) || isnan(h.down) || (!h.has_up && !h.has_down))
        return (double)NAN;
    if (method == NEP_SIGNATURE_RGES)
        return fabs(h.up) - fabs(h.down);
    if (!h.has_up || !h.has_down)
        return h.up - h.down;
    return h.up * h.down > 0 ? 0 : (h.up - h.down) * (method == NEP_SIGNATURE_WTCS ? 0.5 : 1);
}

/* Sums over the genes of a query; leaving a gene out takes its parts away. */
typedef struct {
    double sum, extreme, dot, norm2;
} totals;

static totals parts_of(const sides *s, int64_t i)
{
    const signature_hit *h = &s->hit[i];
    const double signed_z = i < s->n_up ? h->z : -h->z;
    return (totals){signed_z, h->extreme ? signed_z : 0, h->extreme ? h->weight * h->z : 0, h->weight * h->weight};
}

static totals add_up(const sides *s)
{
    totals t = {0};
    for (int64_t i = 0; i < s->n; i++) {
        const totals p = parts_of(s, i);
        t.sum += p.sum;
        t.extreme += p.extreme;
        t.dot += p.dot;
        t.norm2 += p.norm2;
    }
    return t;
}

static double read_off(const sides *s, nep_signature_method method, totals t)
{
    if (method == NEP_SIGNATURE_SUM)
        return t.sum;
    if (method == NEP_SIGNATURE_XSUM)
        return t.extreme;
    return method == NEP_SIGNATURE_COSINE && t.norm2 > 0 && s->list->norm > 0 ? t.dot / (sqrt(t.norm2) * s->list->norm) : (double)NAN;
}

static double spread(const sides *s)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < s->n; i++)
        sum += s->hit[i].left_out;
    for (int64_t i = 0; i < s->n; i++) {
        const double d = s->hit[i].left_out - sum / (double)s->n;
        squares += d * d;
    }
    return sqrt((double)(s->n - 1) / (double)s->n * squares);
}

static double score_sums(const sides *s, nep_signature_method method, double *se)
{
    const totals all = add_up(s);
    for (int64_t i = 0; se && i < s->n; i++) {
        const totals p = parts_of(s, i);
        s->hit[i].left_out = read_off(s, method, (totals){all.sum - p.sum, all.extreme - p.extreme, all.dot - p.dot, all.norm2 - p.norm2});
    }
    if (se)
        *se = spread(s);
    return read_off(s, method, all);
}

static double score_walks(const sides *s, nep_signature_method method, double *se)
{
    const halves all = halve(s, method, -1, NULL);
    for (int64_t i = 0; se && i < s->n; i++)
        s->hit[i].left_out = join(method, halve(s, method, i, &all));
    if (se)
        *se = spread(s);
    return join(method, all);
}

double signature_score_with(const nep_signature_list *list, const nep_signature_query *query, nep_signature_method method, signature_hit *hits,
                            double *se)
{
    const sides s = gather(list, query, hits);
    double score = (double)NAN;
    if (s.n >= NEP_SIGNATURE_LEAST)
        score = is_walk(method) ? score_walks(&s, method, se) : score_sums(&s, method, se);
    if (se && isnan(score))
        *se = (double)NAN;
    return score;
}

static nep_status check(nep_ctx *ctx, const nep_signature_list *list, const nep_signature_query *query, signature_hit **hits)
{
    for (int64_t i = 0; i < query->n; i++)
        NEP_REQUIRE(ctx, query->gene[i] >= 0 && query->gene[i] < list->n, NEP_E_ARG, "signature: gene %d of a list of %lld", query->gene[i],
                    (long long)list->n);
    return nep_alloc(ctx, query->n, sizeof **hits, "signature: genes", hits);
}

nep_status nep_signature_score(nep_ctx *ctx, const nep_signature_list *list, const nep_signature_query *query, nep_signature_method method,
                               double *score, double *se)
{
    signature_hit *hits = NULL;
    NEP_TRY(check(ctx, list, query, &hits));
    *score = signature_score_with(list, query, method, hits, se);
    nep_alloc_free(hits);
    return NEP_OK;
}

nep_status nep_signature_sides(nep_ctx *ctx, const nep_signature_list *list, const nep_signature_query *query, double *up, double *down)
{
    signature_hit *hits = NULL;
    NEP_TRY(check(ctx, list, query, &hits));
    const sides s = gather(list, query, hits);
    *up = enrichment(&s, 0, s.n_up, -1);
    *down = enrichment(&s, s.n_up, s.n, -1);
    nep_alloc_free(hits);
    return NEP_OK;
}
