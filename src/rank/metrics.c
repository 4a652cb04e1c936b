/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - how well an order puts the positives first; ties never help. */
#include <nepenthe/rank.h>

#include <math.h>
#include <stdlib.h>

static const double alpha = 20.0;
enum { TOP = 20 };

typedef struct {
    double score;
    int64_t stratum, i;
} item;

/* By stratum; within one best first, NaN last, equal scores in item order. */
static int best_first(const void *a, const void *b)
{
    const item *p = a, *q = b;
    if (p->stratum != q->stratum)
        return p->stratum < q->stratum ? -1 : 1;
    const int na = isnan(p->score), nb = isnan(q->score);
    if (na != nb)
        return na - nb;
    if (!na && p->score != q->score)
        return p->score > q->score ? -1 : 1;
    return p->i < q->i ? -1 : p->i > q->i;
}

nep_status nep_metrics_order_within(nep_ctx *ctx, const double *score, const int64_t *stratum, int64_t n, int64_t *order, bool *tie)
{
    item *list = NULL;
    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "order", &list));
    for (int64_t i = 0; i < n; i++)
        list[i] = (item){score[i], stratum ? stratum[i] : 0, i};
    qsort(list, (size_t)n, sizeof *list, best_first);
    for (int64_t i = 0; i < n; i++) {
        order[i] = list[i].i;
        tie[i] = i > 0 && list[i].stratum == list[i - 1].stratum &&
                 (list[i].score == list[i - 1].score || (isnan(list[i].score) && isnan(list[i - 1].score)));
    }
    nep_alloc_free(list);
    return NEP_OK;
}

nep_status nep_metrics_order(nep_ctx *ctx, const double *score, int64_t n, int64_t *order, bool *tie)
{
    return nep_metrics_order_within(ctx, score, NULL, n, order, tie);
}

typedef struct {
    double seen, pos;                       /* before the group */
    double total, total_pos;                /* of all */
    double ap, pairs, top, early;
} sums;

/* A tie of `size` items with `hits` positives. */
static void add_group(sums *s, double size, double hits)
{
    if (size <= 0)
        return;
    const double miss = size - hits, below = s->total - s->total_pos - (s->seen - s->pos) - miss;
    if (hits > 0) {
        s->ap += hits / s->total_pos * (s->pos + hits) / (s->seen + size);
        s->pairs += hits * (below + 0.5 * miss);
        /* mean of exp(-alpha r / N) over the group's ranks seen + 1 .. seen + size, a geometric sum */
        const double q = exp(-alpha / s->total);
        s->early += hits / size * exp(-alpha * (s->seen + 1) / s->total) * (1 - exp(-alpha * size / s->total)) / (1 - q);
        const double room = TOP - s->seen;
        s->top += room <= 0 ? 0 : room >= size ? hits : hits * room / size;
    }
    s->seen += size;
    s->pos += hits;
}

static double bedroc(double early, double n_pos, double n)
{
    const double ra = n_pos / n;
    const double rie = early / n_pos / ((1 / n) * (1 - exp(-alpha)) / (exp(alpha / n) - 1));
    const double scale = ra * sinh(alpha / 2) / (cosh(alpha / 2) - cosh(alpha / 2 - alpha * ra));
    return rie * scale + 1 / (1 - exp(alpha * (1 - ra)));
}

void nep_metrics_compute(const int64_t *order, const bool *tie, const signed char *pos, const int32_t *weight, int64_t n,
                         double out[NEP_METRICS_COUNT])
{
    sums s = {0};
    double size = 0, hits = 0;
    for (int64_t i = 0; i < n; i++) {
        const double w = weight ? weight[i] : 1;
        s.total += pos[i] == 0 || pos[i] == 1 ? w : 0;
        s.total_pos += pos[i] == 1 ? w : 0;
    }
    for (int m = 0; m < NEP_METRICS_COUNT; m++)
        out[m] = NAN;
    if (s.total_pos <= 0 || s.total_pos >= s.total)
        return;
    for (int64_t r = 0; r < n; r++) {
        const int64_t i = order[r];
        if (!tie[r]) {
            add_group(&s, size, hits);
            size = hits = 0;
        }
        const double w = weight ? weight[i] : 1;
        size += pos[i] == 0 || pos[i] == 1 ? w : 0;
        hits += pos[i] == 1 ? w : 0;
    }
    add_group(&s, size, hits);
    out[NEP_METRICS_AP] = s.ap;
    out[NEP_METRICS_AUROC] = s.pairs / (s.total_pos * (s.total - s.total_pos));
    out[NEP_METRICS_BEDROC20] = bedroc(s.early, s.total_pos, s.total);
    out[NEP_METRICS_P_AT_20] = s.top / (s.total < TOP ? s.total : TOP);
}

/* Sum of 1 / log2(i + 1) over places from + 1 .. to, cut at k; from and to are whole numbers. */
static double discounts(double from, double to, int k)
{
    double sum = 0;
    for (double i = from + 1; i <= to && i <= k; i++)
        sum += 1 / log2(i + 1);
    return sum;
}

double nep_metrics_ndcg(const int64_t *order, const bool *tie, const signed char *grade, const int32_t *weight, int64_t n, int k)
{
    double of_grade[8] = {0}, seen = 0, size = 0, gain = 0, got = 0, best = 0;
    for (int64_t i = 0; i < n; i++)
        if (grade[i] >= 0)
            of_grade[grade[i] & 7] += weight ? weight[i] : 1;
    for (int g = 7; g > 0; g--) {
        best += (exp2(g) - 1) * discounts(seen, seen + of_grade[g], k);
        seen += of_grade[g];
    }
    seen = 0;
    for (int64_t r = 0; r <= n && seen < k; r++) {
        if ((r == n || !tie[r]) && size > 0) {
            got += gain / size * discounts(seen, seen + size, k);
            seen += size;
            size = gain = 0;
        }
        const int64_t i = r < n ? order[r] : -1;
        if (i < 0 || grade[i] < 0)
            continue;
        const double w = weight ? weight[i] : 1;
        size += w;
        gain += w * (exp2(grade[i]) - 1);
    }
    return best > 0 ? got / best : NAN;
}

/* Pairs that items [from, to), one stratum, put right, over its negatives: the sum over its positives. */
static double matched_pairs(const int64_t *order, const bool *tie, const signed char *pos, const int32_t *weight, int64_t from, int64_t to,
                            double negatives)
{
    double pairs = 0, below = negatives, hits = 0, misses = 0;
    for (int64_t r = from; r < to; r++) {
        const int64_t i = order[r];
        const double w = weight ? weight[i] : 1;
        if (!tie[r]) {
            pairs += hits * (below - 0.5 * misses);
            below -= misses;
            hits = misses = 0;
        }
        hits += pos[i] == 1 ? w : 0;
        misses += pos[i] == 0 ? w : 0;
    }
    return (pairs + hits * (below - 0.5 * misses)) / negatives;
}

double nep_metrics_matched(const int64_t *order, const bool *tie, const int64_t *stratum, const signed char *pos, const int32_t *weight,
                           int64_t n, int64_t *n_matched)
{
    double sum = 0, matched = 0;
    for (int64_t from = 0, to; from < n; from = to) {
        double hits = 0, misses = 0;
        for (to = from; to < n && stratum[order[to]] == stratum[order[from]]; to++) {
            const double w = weight ? weight[order[to]] : 1;
            hits += pos[order[to]] == 1 ? w : 0;
            misses += pos[order[to]] == 0 ? w : 0;
        }
        if (hits <= 0 || misses <= 0)
            continue;
        sum += matched_pairs(order, tie, pos, weight, from, to, misses);
        matched += hits;
    }
    if (n_matched)
        *n_matched = (int64_t)matched;
    return matched > 0 ? sum / matched : NAN;
}
