/* SPDX-License-Identifier: Apache-2.0 */
/* vote_measure - shares of classes among neighbours, balanced accuracy and areas under the curve of them. */
#include <math.h>
#include <stdlib.h>

#include "similarity/vote_parts.h"

static const double tie = 1e-10;

void nep_vote_shares(const nep_cases_near *near, int64_t k, const int32_t *label, int32_t n_classes, double *share)
{
    for (int64_t i = 0; i < near->n; i++) {
        const int64_t *row = near->row + near->start[i];
        const double *distance = near->distance + near->start[i];
        const int64_t m = near->start[i + 1] - near->start[i], last = k < m ? k : m;
        int64_t below = 0, to = last;
        double *own = share + i * n_classes;
        for (int32_t c = 0; c < n_classes; c++)
            own[c] = 0;
        while (below < last && distance[below] < distance[last - 1])
            below++;
        while (to < m && distance[to] == distance[last - 1])
            to++;
        for (int64_t j = 0; j < to; j++)
            own[label[row[j]]] += (j < below ? 1 : (double)(last - below) / (double)(to - below)) / (double)last;
    }
}

/* ---- the two measures ---- */

/* What subject i adds to its class: 1 when its neighbours' most frequent class is its own, 1/m when m classes are as frequent. */
static double credit(const double *share, int32_t truth, int32_t n_classes)
{
    double best = 0;
    int32_t ties = 0;
    for (int32_t c = 0; c < n_classes; c++)
        best = share[c] > best ? share[c] : best;
    for (int32_t c = 0; c < n_classes; c++)
        ties += share[c] >= best * (1 - tie);
    return share[truth] >= best * (1 - tie) ? 1.0 / ties : 0;
}

double nep_vote_balanced(const nep_vote_shape *s, const double *share, const int32_t *truth, const nep_vote_draw *draw)
{
    double total = 0;
    int classes = 0;
    for (int32_t c = 0; c < s->n_classes; c++) {
        if (!s->counts[c])
            continue;
        double right = draw ? draw->prior[2 * c] : 0, n = draw ? draw->prior[2 * c] + draw->prior[2 * c + 1] : 0;
        for (int64_t i = 0; i < s->n; i++)
            if (truth[i] == c) {
                const double w = draw ? draw->weight[i] : 1;
                right += w * credit(share + i * s->n_classes, c, s->n_classes);
                n += w;
            }
        total += n > 0 ? right / n : 0;
        classes++;
    }
    return total / classes;
}

static int by_score(const void *a, const void *b)
{
    const nep_vote_item *p = a, *q = b;
    if (p->score != q->score)
        return p->score < q->score ? -1 : 1;
    return (p->i > q->i) - (p->i < q->i);
}

/* Subjects by their share of class c. */
static void sort_class(const nep_vote_shape *s, const double *share, int32_t c, nep_vote_item *list)
{
    for (int64_t i = 0; i < s->n; i++)
        list[i] = (nep_vote_item){share[i * s->n_classes + c], i};
    qsort(list, (size_t)s->n, sizeof *list, by_score);
}

/* Area of class c against the rest, over the sorted list: pairs in the right order, ties one half. */
static double area(const nep_vote_shape *s, const nep_vote_item *list, const int32_t *truth, const nep_vote_draw *draw, int32_t c)
{
    double pairs = 0, below = 0, own = 0, other = 0, n_own = 0;
    for (int64_t r = 0; r < s->n;) {
        const double score = list[r].score;
        own = other = 0;
        for (; r < s->n && list[r].score - score <= tie; r++) {
            const double w = draw ? draw->weight[list[r].i] : 1;
            *(truth[list[r].i] == c ? &own : &other) += w;
        }
        pairs += own * (below + other / 2);
        below += other;
        n_own += own;
    }
    return n_own > 0 && below > 0 ? pairs / (n_own * below) : 0.5;
}

void nep_vote_sort(const nep_vote_shape *s, const double *share, nep_vote_item *sorted)
{
    for (int32_t c = 0; c < s->n_classes; c++)
        sort_class(s, share, c, sorted + c * s->n);
}

double nep_vote_area(const nep_vote_shape *s, const nep_vote_item *sorted, const int32_t *truth, const nep_vote_draw *draw)
{
    double total = 0;
    int classes = 0;
    for (int32_t c = 0; c < s->n_classes; c++) {
        if (!s->counts[c])
            continue;
        total += area(s, sorted + c * s->n, truth, draw, c);
        classes++;
    }
    return total / classes;
}
