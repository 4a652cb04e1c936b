/* SPDX-License-Identifier: Apache-2.0 */
/* dense_list - the rows that may be in the answer to one query, and the gate that the k best lower ends make. */
#include "similarity/dense_parts.h"

#include <stdlib.h>

/* Puts v on top of the heap and lets it sink. */
static void sink(double *heap, int64_t n, double v)
{
    int64_t at = 0;
    for (int64_t child = 1; child < n; child = 2 * at + 1) {
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (heap[child] >= v)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = v;
}

static void push(nep_dense_list *l, int64_t k, double low)
{
    if (l->n_best == k) {
        if (low > l->best[0])
            sink(l->best, k, low);
        return;
    }
    int64_t at = l->n_best++;
    for (; at > 0 && l->best[(at - 1) / 2] > low; at = (at - 1) / 2)
        l->best[at] = l->best[(at - 1) / 2];
    l->best[at] = low;
}

void nep_dense_list_add(nep_dense_list *l, int64_t k, int64_t position, double low, double high)
{
    if (!(high >= l->gate))
        return;
    l->entry[l->n++] = (nep_dense_entry){.position = position, .high = high};
    l->unsettled++;
    if (k > 0)
        push(l, k, low);
    if (k > 0 && l->n_best == k && l->best[0] > l->gate)
        l->gate = l->best[0];
}

void nep_dense_list_prune(nep_dense_list *l)
{
    int64_t kept = 0;
    l->unsettled = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (l->entry[i].high >= l->gate) {
            l->entry[kept++] = l->entry[i];
            l->unsettled += !l->entry[i].settled;
        }
    l->n = kept;
}

nep_status nep_dense_list_reserve(nep_ctx *ctx, nep_dense_list *l, int64_t more)
{
    if (l->n + more <= l->room)
        return NEP_OK;
    const int64_t room = l->n + more > 2 * l->room ? l->n + more : 2 * l->room;
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *l->entry, "candidates", &l->entry));
    l->room = room;
    return NEP_OK;
}

void nep_dense_list_front(nep_dense_list *l, int64_t k)
{
    nep_dense_entry *e = l->entry;
    for (int64_t first = 0, last = l->n - 1; first < last && k < l->n;) {
        const double pivot = e[first + (last - first) / 2].high;
        int64_t i = first, j = last;
        while (i <= j) {
            while (e[i].high > pivot)
                i++;
            while (e[j].high < pivot)
                j--;
            if (i <= j) {
                const nep_dense_entry other = e[i];
                e[i++] = e[j];
                e[j--] = other;
            }
        }
        if (k - 1 <= j)
            last = j;
        else if (k - 1 >= i)
            first = i;
        else
            return;
    }
}

void nep_dense_list_raise(nep_dense_list *l, nep_dense_metric m, int64_t k)
{
    l->n_best = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (l->entry[i].settled)
            push(l, k, nep_dense_query_value(m, l->entry[i].score));
    if (l->n_best == k && l->best[0] > l->gate)
        l->gate = l->best[0];
    nep_dense_list_prune(l);
}

typedef struct {
    const nep_index *index;
    double sign; /* -1: less is better */
} ordering;

static int compare(const void *x, const void *y, void *user)
{
    const nep_dense_entry *a = x, *b = y;
    const ordering *o = user;
    const double p = o->sign * a->score, q = o->sign * b->score;
    if (p != q)
        return p > q ? -1 : 1;
    const int64_t i = nep_index_number(o->index, a->position), j = nep_index_number(o->index, b->position);
    return (i > j) - (i < j);
}

void nep_dense_list_order(nep_dense_list *l, const nep_index *index, nep_dense_metric m, int64_t k)
{
    ordering o = {index, m == NEP_DENSE_L2 ? -1 : 1};
    if (k > 0)
        nep_dense_list_raise(l, m, k); /* what is sorted is little more than k */
    qsort_r(l->entry, (size_t)l->n, sizeof *l->entry, compare, &o);
    if (k > 0 && l->n > k)
        l->n = k;
}
