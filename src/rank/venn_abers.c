/* SPDX-License-Identifier: Apache-2.0 */
/* venn_abers.c - Venn-Abers pairs of every possible score from one sweep: a new point of label 1 moves from left to right through the
 * cumulative sum diagram (label 0: from right to left), and the greatest convex minorant is mended where it passes. */
#include <nepenthe/model.h>

#include <math.h>
#include <stdlib.h>

typedef struct {
    double x, y; /* pairs so far, treatments so far */
} corner;

typedef struct {
    double score;
    signed char y;
} pair;

static int by_score(const void *a, const void *b)
{
    const pair *p = a, *q = b;
    return p->score < q->score ? -1 : p->score > q->score;
}

/* Twice the signed area of a, b, c: above 0 when c lies to the left of the way from a to b. Coordinates are whole numbers, so the sign is
 * exact up to 10^7 pairs. */
static double turn(corner a, corner b, corner c)
{
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

static double slope(corner a, corner b)
{
    return (b.y - a.y) / (b.x - a.x);
}

/* f1[i - 1] for i = 1 .. k, from points p[0 .. k] of the diagram (p[0] = 0); `stack` and `p` are overwritten. The new point comes first:
 * the diagram starts at (-1, -1). */
static void sweep_up(corner *p, int64_t k, corner *stack, double *f1)
{
    const corner start = {-1, -1};
    corner before = start; /* the point before p[i - 1] as the new point has left it */
    int64_t top = 0;
    /* corners of the minorant, leftmost on top: built from the right */
    for (int64_t i = k; i >= -1; i--) {
        const corner c = i < 0 ? start : p[i];
        while (top > 1 && turn(c, stack[top - 1], stack[top - 2]) <= 0)
            top--;
        stack[top++] = c;
    }
    for (int64_t i = 1; i <= k; i++) {
        f1[i - 1] = slope(stack[top - 1], stack[top - 2]);
        const corner moved = {before.x + p[i].x - p[i - 1].x, before.y + p[i].y - p[i - 1].y};
        before = moved;
        if (turn(stack[top - 1], stack[top - 2], moved) >= 0)
            continue; /* at or above the minorant */
        top--;
        while (top > 1 && turn(moved, stack[top - 1], stack[top - 2]) <= 0)
            top--;
        stack[top++] = moved;
    }
}

/* Distinct scores in order, and the diagram's points. Returns their number. */
static int64_t diagram(const pair *list, int64_t n, double *score, corner *p)
{
    int64_t k = 0;
    p[0] = (corner){0, 0};
    for (int64_t i = 0; i < n; i++) {
        if (k == 0 || list[i].score != score[k - 1]) {
            score[k] = list[i].score;
            p[k + 1] = p[k];
            k++;
        }
        p[k].x += 1;
        p[k].y += list[i].y;
    }
    return k;
}

/* The mirror: order backwards and labels swapped turn a new 0 into a new 1, and its p into 1 - p. */
static void mirror(const corner *p, int64_t k, corner *out)
{
    for (int64_t i = 0; i <= k; i++) {
        out[i].x = p[k].x - p[k - i].x;
        out[i].y = out[i].x - (p[k].y - p[k - i].y);
    }
}

/* First of the sorted scores that is not below v. */
static int64_t first_not_below(const double *score, int64_t k, double v)
{
    int64_t low = 0, high = k;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (score[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void answer(const double *score, int64_t k, const double *f0, const double *f1, const double *at, int64_t m, double *p0,
                   double *p1, double *p)
{
    for (int64_t i = 0; i < m; i++) {
        const int64_t next = first_not_below(score, k, at[i]);                         /* a 1 joins those above it */
        const int64_t last = next < k && score[next] == at[i] ? next : next - 1;       /* a 0 those below */
        const double one = next < k ? f1[next] : 1, zero = last >= 0 ? 1 - f0[k - 1 - last] : 0;
        if (p0)
            p0[i] = zero;
        if (p1)
            p1[i] = one;
        if (p)
            p[i] = one / (1 - zero + one);
    }
}

nep_status nep_venn_abers(nep_ctx *ctx, const double *score, const signed char *y, int64_t n, const double *at, int64_t m, double *p0,
                          double *p1, double *p)
{
    pair *list = NULL;
    double *distinct = NULL, *f0 = NULL, *f1 = NULL;
    corner *points = NULL, *other = NULL, *stack = NULL;
    int64_t count = 0;
    nep_status st;
    for (int64_t i = 0; i < m; i++)
        NEP_REQUIRE(ctx, !isnan(at[i]), NEP_E_ARG, "venn-abers: new score %lld is missing", (long long)i);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *list, "venn-abers: pairs", &list));
    for (int64_t i = 0; i < n; i++) {
        if (y[i] != 0 && y[i] != 1)
            continue;
        NEP_REQUIRE_OR_DONE(st, ctx, !isnan(score[i]), NEP_E_ARG, "venn-abers: calibration score %lld is missing", (long long)i);
        list[count++] = (pair){score[i], y[i]};
    }
    NEP_REQUIRE_OR_DONE(st, ctx, count > 0, NEP_E_ARG, "venn-abers: no calibration pair has a label 0 or 1");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count, sizeof *distinct, "venn-abers: scores", &distinct));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count, sizeof *f0, "venn-abers: answers", &f0));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count, sizeof *f1, "venn-abers: answers", &f1));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count + 1, sizeof *points, "venn-abers: diagram", &points));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count + 1, sizeof *other, "venn-abers: diagram", &other));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count + 2, sizeof *stack, "venn-abers: minorant", &stack));
    qsort(list, (size_t)count, sizeof *list, by_score);
    const int64_t k = diagram(list, count, distinct, points);
    mirror(points, k, other);
    sweep_up(points, k, stack, f1);
    sweep_up(other, k, stack, f0);
    answer(distinct, k, f0, f1, at, m, p0, p1, p);
done:
    nep_alloc_free(stack);
    nep_alloc_free(other);
    nep_alloc_free(points);
    nep_alloc_free(f1);
    nep_alloc_free(f0);
    nep_alloc_free(distinct);
    nep_alloc_free(list);
    return st;
}
