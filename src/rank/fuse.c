/* SPDX-License-Identifier: Apache-2.0 */
/* fuse.c - channel scores to normal scores to one number, fair to drugs that few channels know. */
#include <nepenthe/rank.h>

#include "rank/normal.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_COMMON = 10 };

typedef struct {
    double x;
    int64_t i;
} item;

static int by_value(const void *a, const void *b)
{
    const item *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return p->i < q->i ? -1 : p->i > q->i;
}

nep_status nep_fuse_normal_scores(nep_ctx *ctx, const double *x, int64_t n, double *z)
{
    item *list = NULL;
    int64_t m = 0;

    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "normal scores", &list));
    for (int64_t i = 0; i < n; i++) {
        z[i] = NAN;
        if (!isnan(x[i]))
            list[m++] = (item){x[i], i};
    }
    qsort(list, (size_t)m, sizeof *list, by_value);
    for (int64_t i = 0, j; i < m; i = j) {
        for (j = i + 1; j < m && list[j].x == list[i].x;)
            j++;
        const double rank = 0.5 * (double)(i + 1 + j); /* ranks i + 1 .. j share their mean */
        for (int64_t k = i; k < j; k++)
            z[list[k].i] = rank_normal_quantile((rank - 0.375) / ((double)m + 0.25));
    }
    nep_alloc_free(list);
    return NEP_OK;
}

static double correlate(const double *z, int64_t n, int c, int a, int b)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        const double x = z[i * c + a], y = z[i * c + b];
        if (isnan(x) || isnan(y))
            continue;
        sa += x;
        sb += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
        m++;
    }
    if (m < MIN_COMMON)
        return 0;
    const double va = aa - sa * sa / (double)m, vb = bb - sb * sb / (double)m;
    const double r = va > 0 && vb > 0 ? (ab - sa * sb / (double)m) / sqrt(va * vb) : 0;
    return r > 1 ? 1 : r > 0 ? r : 0;
}

void nep_fuse_correlation(const double *z, int64_t n, int c, double *r)
{
    for (int a = 0; a < c; a++)
        for (int b = 0; b <= a; b++)
            r[a * c + b] = r[b * c + a] = a == b ? 1.0 : correlate(z, n, c, a, b);
}

void nep_fuse_stouffer(const double *z, int64_t n, int c, const double *r, double *score, double *contribution,
                       int *n_present)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0, var = 0;
        int present = 0;
        for (int a = 0; a < c; a++) {
            if (isnan(z[i * c + a]))
                continue;
            present++;
            sum += z[i * c + a];
            for (int b = 0; b < c; b++)
                var += isnan(z[i * c + b]) ? 0 : r[a * c + b];
        }
        score[i] = present ? sum / sqrt(var) : NAN;
        if (n_present)
            n_present[i] = present;
        for (int a = 0; contribution && a < c; a++)
            contribution[i * c + a] = present ? z[i * c + a] / sqrt(var) : NAN;
    }
}

void nep_fuse_mean(const double *z, int64_t n, int c, double *score, int *n_present)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        int present = 0;
        for (int a = 0; a < c; a++)
            if (!isnan(z[i * c + a])) {
                sum += z[i * c + a];
                present++;
            }
        score[i] = present ? sum / present : NAN;
        if (n_present)
            n_present[i] = present;
    }
}
