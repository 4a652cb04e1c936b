/* SPDX-License-Identifier: Apache-2.0 */
/* listed - places with a list of the nearest of each: lists, weights and lags where they lie on no grid, such as vertices. */
#include "core/select.h"
#include "nulls.h"
#include "sampled.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { SCALES = SAMPLED_SCALES, LAGS = NEP_VARIOGRAM_LAGS, STEPS = NEP_NEAR_STEPS };

typedef struct {
    float mm;
    int32_t place;
} listed;

static int by_distance(const void *x, const void *y)
{
    const listed *a = x, *b = y;
    if (a->mm != b->mm)
        return a->mm < b->mm ? -1 : 1;
    return a->place - b->place;
}

/* The nearest of place i in its block. mm [n] and item [n] are scratch. */
static void list_one(const nep_sampled *s, const double (*place)[3], const int32_t *block, int64_t i, double *mm, listed *item)
{
    int64_t n = 0, k = 0;
    for (int64_t j = 0; j < s->n; j++)
        if (j != i && block[j] == block[i])
            mm[n++] = nulls_distance(place[i], place[j]);
    const float reach = (float)nep_select_kth(mm, n, s->neighbours - 1);
    for (int64_t j = 0; j < s->n; j++) {
        if (j == i || block[j] != block[i])
            continue;
        const float d = (float)nulls_distance(place[i], place[j]);
        if (d <= reach)
            item[k++] = (listed){d, (int32_t)j};
    }
    qsort(item, (size_t)k, sizeof *item, by_distance);
    for (int64_t t = 0; t < s->neighbours; t++) {
        s->near[i * s->neighbours + t] = item[t].place;
        s->far[i * s->neighbours + t] = item[t].mm;
    }
}

static void weigh_one(const nep_sampled *s, int64_t i)
{
    const float *far = s->far + i * s->neighbours;
    for (int c = 0; c < SCALES; c++) {
        const int64_t k = nep_near_count(s->neighbours, c);
        const double scale = far[k - 1] > 0.0f ? 1.0 / (double)far[k - 1] : 0.0;
        double sum = 0.0;
        for (int64_t t = 0; t < k; t++)
            sum += nep_near_weight(s->weight, (double)far[t] * scale);
        s->norm[i * SCALES + c] = 1.0 / sum;
        s->scale[i * SCALES + c] = scale;
    }
}

static nep_status make_lags(nep_ctx *ctx, nep_sampled *s)
{
    static const double percent = 70.0;
    const int64_t all = s->n * s->neighbours;
    const double at = percent / 100.0 * (double)(all - 1);
    const int64_t low = (int64_t)floor(at);
    double *mm = NULL, first = INFINITY, next = INFINITY;
    NEP_TRY(nep_alloc(ctx, all, sizeof *mm, "nulls: distances", &mm));
    for (int64_t i = 0; i < all; i++)
        mm[i] = (double)s->far[i];
    const double a = nep_select_kth(mm, all, low);
    for (int64_t i = low + 1; i < all; i++)
        next = mm[i] < next ? mm[i] : next;
    for (int64_t i = 0; i < s->n; i++)
        first = (double)s->far[i * s->neighbours] < first ? (double)s->far[i * s->neighbours] : first;
    nep_alloc_free(mm);
    const double last = a + (next - a) * (at - (double)low);
    NEP_REQUIRE(ctx, last > first, NEP_E_ARG, "nulls: the nearest of %lld places are all equally far, so there is no variogram", (long long)s->n);
    for (int h = 0; h < LAGS; h++)
        s->lag[h] = h == LAGS - 1 ? last : first + (last - first) / (LAGS - 1) * h;
    return NEP_OK;
}

static nep_status make_lists(nep_ctx *ctx, const double (*place)[3], const int32_t *block, nep_sampled *s)
{
    const int threads = nep_ctx_threads(ctx);
    double *mm = NULL;
    listed *item = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * threads, sizeof *mm, "nulls: distances", &mm));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * threads, sizeof *item, "nulls: distances", &item));
    for (int64_t b = 0; b < s->n; b += 4096) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
        for (int64_t i = b; i < (b + 4096 < s->n ? b + 4096 : s->n); i++) {
            list_one(s, place, block, i, mm + s->n * omp_get_thread_num(), item + s->n * omp_get_thread_num());
            weigh_one(s, i);
        }
    }
done:
    nep_alloc_free(item);
    nep_alloc_free(mm);
    return st;
}

nep_status nep_listed_prepare(nep_ctx *ctx, const double (*place)[3], const int32_t *block, nep_sampled *s)
{
    const int64_t all = s->n * s->neighbours;
    NEP_TRY(nep_alloc(ctx, all, sizeof *s->near, "nulls: nearest places", &s->near));
    NEP_TRY(nep_alloc(ctx, all, sizeof *s->far, "nulls: distances to the nearest", &s->far));
    NEP_TRY(nep_alloc(ctx, s->n * SCALES, sizeof *s->norm, "nulls: weights", &s->norm));
    NEP_TRY(nep_alloc(ctx, s->n * SCALES, sizeof *s->scale, "nulls: weights", &s->scale));
    NEP_TRY(nep_alloc(ctx, STEPS + 2, sizeof *s->weight, "nulls: weights", &s->weight));
    for (int k = 0; k < STEPS + 2; k++)
        s->weight[k] = exp(-(double)k / STEPS);
    NEP_TRY(make_lists(ctx, place, block, s));
    NEP_TRY(make_lags(ctx, s));
    nep_lists g = {
        .n = s->n, .neighbours = s->neighbours, .near = s->near, .far = s->far, .norm = s->norm, .scale = s->scale, .table = s->weight};
    memcpy(g.lag, s->lag, sizeof g.lag);
    return nep_backend_lists(ctx, &g, &s->lists);
}
