/* SPDX-License-Identifier: Apache-2.0 */
/* moved - surrogates that move a map's values, or the labels of vertices: turned by the batch on the context's backend, then read off. */
#include "nulls.h"

#include <omp.h>

/* What one batch holds, in int32, how many surrogates it has at least and at most, and pairs of regions that its assignments look at: a batch is
 * enough for a device and short enough to be interrupted after. */
enum { BATCH_CELLS = 1 << 20, BATCH_LEAST = 16, BATCH_MOST = 4096, BATCH_GREEDY = 1 << 30, BATCH_LEAST_SUM = 1 << 25 };

int64_t nep_moved_width(const nep_nulls *nulls)
{
    return nep_nulls_row(nulls->kind)->surface ? nep_surface_vertices(nulls) : nulls->n;
}

int64_t nep_moved_batch(const nep_nulls *nulls)
{
    const int64_t width = nep_moved_width(nulls), pairs = nulls->n * nulls->n;
    int64_t wish = BATCH_CELLS / (width > 0 ? width : 1);
    if (nulls->kind == NEP_NULLS_SPIN && wish > BATCH_GREEDY / pairs)
        wish = BATCH_GREEDY / pairs;
    if (nulls->kind == NEP_NULLS_SPIN_HUNGARIAN && wish > BATCH_LEAST_SUM / pairs)
        wish = BATCH_LEAST_SUM / pairs;
    return wish < BATCH_LEAST ? BATCH_LEAST : wish > BATCH_MOST ? BATCH_MOST : wish;
}

int64_t nep_moved_scratch(const nep_nulls *nulls)
{
    return nulls->n + (nep_nulls_row(nulls->kind)->surface ? nulls->n * nulls->n : 0);
}

const int32_t *nep_moved_index(const nep_nulls *nulls, const int32_t *turned, int32_t *scratch)
{
    if (!nep_nulls_row(nulls->kind)->surface)
        return turned;
    nep_surface_counts(nulls, turned, scratch + nulls->n);
    nep_surface_modes(nulls, scratch + nulls->n, scratch);
    return scratch;
}

static void shuffle(const nep_nulls *nulls, uint64_t stream, int64_t b, int32_t *index)
{
    for (int64_t i = 0; i < nulls->n; i++)
        index[i] = (int32_t)i;
    for (int64_t i = nulls->n - 1; i > 0; i--) {
        const int64_t j = (int64_t)(nep_philox_uniform(nulls->seed, stream, nulls_index(b, i)) * (double)(i + 1));
        const int32_t kept = index[i];
        index[i] = index[j];
        index[j] = kept;
    }
}

nep_status nep_moved_turn(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t first, int64_t count, int32_t *turned)
{
    const int threads = nep_ctx_threads(ctx);
    double(*left)[3][3] = NULL, (*right)[3][3];
    nep_status st = NEP_OK;
    if (nulls->kind == NEP_NULLS_SHUFFLE) {
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t b = 0; b < count; b++)
            shuffle(nulls, stream, first + b, turned + b * nulls->n);
        return NEP_OK;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * count, sizeof *left, "nulls: rotations", &left));
    right = left + count;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t b = 0; b < count; b++)
        nep_spin_rotation(nulls->seed, stream, first + b, left[b], right[b]);
    const double *const rotation[2] = {(const double *)left, (const double *)right};
    st = nep_nulls_row(nulls->kind)->surface ? nep_surface_receive(ctx, nulls, rotation, count, turned)
                                             : nep_spin_indices(ctx, nulls, rotation, count, turned);
done:
    nep_alloc_free(left);
    return st;
}

/* One surrogate of a map, or where there is no map its index. */
static void read_off(const nep_nulls *nulls, const double *map, const int32_t *turned, int32_t *scratch, double *out, int32_t *index)
{
    if (nep_nulls_row(nulls->kind)->family == NULLS_MIXED) {
        nep_surface_counts(nulls, turned, scratch);
        nep_surface_means(nulls, scratch, map, out);
        return;
    }
    const int32_t *from = nep_moved_index(nulls, turned, scratch);
    for (int64_t i = 0; i < nulls->n && map; i++)
        out[i] = from[i] < 0 ? (double)NAN : map[from[i]];
    for (int64_t i = 0; i < nulls->n && !map; i++)
        index[i] = from[i];
}

/* Batch after batch; out and index are [count, n], the one that is wanted. */
static nep_status by_batch(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream, int64_t first, int64_t count, double *out,
                           int32_t *index)
{
    const int64_t n = nulls->n, width = nep_moved_width(nulls), own = nep_moved_scratch(nulls), wish = nep_moved_batch(nulls);
    const int64_t batch = wish < count ? wish : count;
    const int threads = nep_ctx_threads(ctx);
    int32_t *turned = NULL, *scratch = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, batch * width, sizeof *turned, "nulls: surrogates that move", &turned));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, own * threads, sizeof *scratch, "nulls: scratch", &scratch));
    for (int64_t from = 0; from < count; from += batch) {
        const int64_t some = count - from < batch ? count - from : batch;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, nep_moved_turn(ctx, nulls, stream, first + from, some, turned));
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
        for (int64_t b = 0; b < some; b++)
            read_off(nulls, map, turned + b * width, scratch + own * omp_get_thread_num(), out ? out + (from + b) * n : NULL,
                     index ? index + (from + b) * n : NULL);
    }
done:
    nep_alloc_free(scratch);
    nep_alloc_free(turned);
    return st;
}

nep_status nep_moved_draw(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream, int64_t first, int64_t count, double *out)
{
    return by_batch(ctx, nulls, map, stream, first, count, out, NULL);
}

nep_status nep_moved_indices(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t first, int64_t count, int32_t *out)
{
    return by_batch(ctx, nulls, NULL, stream, first, count, NULL, out);
}
