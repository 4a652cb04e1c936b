/* SPDX-License-Identifier: Apache-2.0 */
/* bits_keep - what a query asks of rows, and the hits it keeps.
 *
 * Of two rows with as many bits in common the one with fewer bits never scores less, so what is needed grows with the bits of a row;
 * the best that b bits can reach, min(a, b) in common, falls on both sides of the query's own count a (Swamidass & Baldi 2007,
 * doi:10.1021/ci600358f). */
#include "similarity/bits.h"

#include <stdlib.h>

static int64_t least(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* ---- what is asked ----------------------------------------------------------------------------------------------- */
/* Whether c bits in common with a row of b bits may make a hit: at the threshold or above it, and not below the k-th best. Equal to
 * the k-th best is enough: the row number may be smaller. */
static bool enough(const nep_bits_job *j, int64_t s, int64_t b, int64_t c)
{
    const nep_bits_list *l = &j->list[s];
    const nep_decimal *t = &j->opts->threshold;
    if (j->opts->by_threshold && !nep_order_reaches(&j->rule, j->bits[s], b, c, t->num, t->den))
        return false;
    return j->opts->k == 0 || l->n < j->opts->k || nep_order_score(&j->rule, j->bits[s], b, c, l->hit[0].bits, l->hit[0].common) >= 0;
}

bool nep_bits_wanted(const nep_bits_job *job, int64_t s, int64_t b)
{
    return enough(job, s, b, least(job->bits[s], b));
}

void nep_bits_need(const nep_bits_job *job, int64_t s, int64_t low, int64_t high, uint16_t *need)
{
    const int64_t a = job->bits[s];
    int64_t c = 0;
    for (int64_t b = low; b <= high; b++) {
        const int64_t most = least(a, b);
        while (c <= most && !enough(job, s, b, c))
            c++;
        need[b] = (uint16_t)(c <= most ? c : NEP_BIT_NEVER);
    }
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */
typedef struct {
    const nep_order_rule *rule;
    int64_t a;
} question;

/* Below 0 where x comes before y. */
static int compare(const question *q, const nep_bits_hit *x, const nep_bits_hit *y)
{
    const int better = nep_order_score(q->rule, q->a, x->bits, x->common, y->bits, y->common);
    return better ? -better : (x->number > y->number) - (x->number < y->number);
}

static int compare_hits(const void *x, const void *y, void *q)
{
    return compare(q, x, y);
}

static void sift_down(const question *q, nep_bits_hit *h, int64_t n, int64_t i)
{
    const nep_bits_hit own = h[i];
    for (int64_t child = 2 * i + 1; child < n; i = child, child = 2 * i + 1) {
        if (child + 1 < n && compare(q, &h[child + 1], &h[child]) > 0)
            child++;
        if (compare(q, &h[child], &own) <= 0)
            break;
        h[i] = h[child];
    }
    h[i] = own;
}

nep_status nep_bits_reserve(nep_ctx *ctx, nep_bits_job *job, int64_t s, int64_t more)
{
    nep_bits_list *l = &job->list[s];
    const int64_t k = job->opts->k;
    int64_t room = l->n + more;
    if (k > 0 && room > k)
        room = k;
    if (room <= l->room)
        return NEP_OK;
    if (room < 2 * l->room)
        room = k > 0 ? least(2 * l->room, k) : 2 * l->room;
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *l->hit, "hits", &l->hit));
    l->room = room;
    return NEP_OK;
}

void nep_bits_offer(nep_bits_job *job, int64_t s, const nep_bits_hit *h)
{
    nep_bits_list *l = &job->list[s];
    const question q = {&job->rule, job->bits[s]};
    if (job->opts->k == 0 || l->n < job->opts->k) {
        l->hit[l->n++] = *h;
        if (l->n == job->opts->k)
            for (int64_t i = l->n / 2 - 1; i >= 0; i--)
                sift_down(&q, l->hit, l->n, i);
        return;
    }
    if (compare(&q, h, &l->hit[0]) > 0)
        return;
    l->hit[0] = *h;
    sift_down(&q, l->hit, l->n, 0);
}

void nep_bits_sort(nep_bits_job *job, int64_t s)
{
    question q = {&job->rule, job->bits[s]};
    if (job->list[s].n > 1)
        qsort_r(job->list[s].hit, (size_t)job->list[s].n, sizeof *job->list[s].hit, compare_hits, &q);
}
