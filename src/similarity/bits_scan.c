/* SPDX-License-Identifier: Apache-2.0 */
/* bits_scan - batches of queries with like counts of bits meet the rows outward from those counts, in growing tiles, until the rows
 * left on either side have too many or too few bits to become hits. */
#include "similarity/bits.h"

#include <string.h>

enum {
    BATCH = 128,           /* queries at a time on the host */
    BATCH_DEVICE = 1024,   /* and on a device */
    SLOTS = 1 << 20,       /* candidates of a batch and tile */
    LEAST_CAP = 256,       /* of a query */
    MOST_CAP = 1 << 16,
    USUAL_CAP = 4096,      /* and where the best k are searched, or 4 k */
    FIRST = 512,           /* rows of the first tile of a search for the best */
    GROWTH = 2,            /* tiles are so many times what was met before */
    SEGMENT = 1 << 30      /* rows at a time, at most */
};

/* A batch of queries s0 .. s1 - 1 among rows low .. high - 1, which are placed. */
typedef struct {
    nep_bits_job *job;
    const nep_bit_place *placed;
    int64_t low, high, s0, s1, cap;
    uint16_t *need;     /* [s1 - s0, 64 words + 1] */
    int32_t *count;     /* [s1 - s0] */
    int32_t *position;  /* [s1 - s0, cap] */
    uint16_t *common;
    int64_t left, right; /* rows left .. right - 1 have been met */
    int64_t limit;       /* rows of a tile, so that candidates find room */
} batch;

static int64_t least(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* Whether some query can still find a row with `bits` bits or, away from those met, with more (+1) or fewer (-1). What a query can find
 * falls on both sides of its own count, so that one look at the nearest place to it settles the rest of a side. */
static bool anyone_wants(const batch *b, int64_t bits, int side)
{
    for (int64_t s = b->s0; s < b->s1; s++) {
        const int64_t own = b->job->bits[s], at = side > 0 ? (own > bits ? own : bits) : (own < bits ? own : bits);
        if (nep_bits_wanted(b->job, s, at))
            return true;
    }
    return false;
}

/* How far rows of wanted counts reach, to the right or to the left of those met; nothing past them is wanted. */
static int64_t wanted_right(const batch *b)
{
    const nep_bits_job *j = b->job;
    int64_t to = b->right;
    while (to < b->high && anyone_wants(b, j->rows.popcount[to], +1))
        to = least(j->bin[j->rows.popcount[to] + 1], b->high);
    return to;
}

static int64_t wanted_left(const batch *b)
{
    const nep_bits_job *j = b->job;
    int64_t from = b->left;
    while (from > b->low && anyone_wants(b, j->rows.popcount[from - 1], -1)) {
        from = j->bin[j->rows.popcount[from - 1]];
        from = from < b->low ? b->low : from;
    }
    return from;
}

/* ---- one tile ---------------------------------------------------------------------------------------------------- */
static void fill_needs(nep_ctx *ctx, batch *b, int64_t first, int64_t end)
{
    const nep_bits_job *j = b->job;
    const int64_t low = j->rows.popcount[first], high = j->rows.popcount[end - 1], width = 64 * j->rows.words + 1;
    int64_t compared = 0;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) reduction(+ : compared) if (b->s1 - b->s0 > 16)
    for (int64_t s = b->s0; s < b->s1; s++) {
        uint16_t *need = b->need + (s - b->s0) * width;
        nep_bits_need(j, s, low, high, need);
        for (int64_t bits = low; bits <= high; bits++) {
            const int64_t from = j->bin[bits] < first ? first : j->bin[bits], to = least(j->bin[bits + 1], end);
            compared += need[bits] != NEP_BIT_NEVER && to > from ? to - from : 0;
        }
    }
    b->job->compared += compared;
}

static void take(batch *b, int64_t s, int64_t first)
{
    nep_bits_job *j = b->job;
    const int64_t q = s - b->s0;
    for (int64_t i = 0; i < b->count[q]; i++) {
        const int64_t row = first + b->position[q * b->cap + i], number = nep_bits_number(j, row);
        if (!j->at && !nep_bits_allowed(j, number))
            continue;
        const nep_bits_hit h = {number, row, j->rows.popcount[row], b->common[q * b->cap + i]};
        nep_bits_offer(j, s, &h);
    }
}

/* Rows first .. end - 1; `met` is false, and limit smaller, where a query found more than there is room for. */
static nep_status meet(nep_ctx *ctx, batch *b, int64_t first, int64_t end, bool *met)
{
    nep_bits_job *j = b->job;
    const int64_t n_q = b->s1 - b->s0;
    const nep_bit_queries queries = {j->query + b->s0 * j->rows.words, j->sketch ? j->sketch + b->s0 * NEP_BIT_SKETCH : NULL, b->need, n_q};
    int64_t most = 0, all = 0;
    fill_needs(ctx, b, first, end);
    NEP_TRY(nep_backend_bit_hits(ctx, b->placed, first - b->low, end - first, &queries, b->cap, b->count, b->position, b->common));
    for (int64_t q = 0; q < n_q; q++) {
        most = b->count[q] > most ? b->count[q] : most;
        all += b->count[q];
    }
    *met = most <= b->cap;
    if (!*met) {
        const int64_t fits = (end - first) / 2 * b->cap / most;
        b->limit = fits < b->cap ? b->cap : fits;
        return NEP_OK;
    }
    if (4 * most <= b->cap)
        b->limit = least(2 * b->limit, SEGMENT);
    j->candidates += all;
    for (int64_t q = 0; q < n_q; q++)
        NEP_TRY(nep_bits_reserve(ctx, j, b->s0 + q, b->count[q]));
#pragma omp parallel for schedule(dynamic) num_threads(nep_ctx_threads(ctx)) if (all > 4096)
    for (int64_t s = b->s0; s < b->s1; s++)
        take(b, s, first);
    return NEP_OK;
}

/* ---- all tiles of a batch ---------------------------------------------------------------------------------------- */
static bool all_have_k(const batch *b)
{
    for (int64_t s = b->s0; s < b->s1; s++)
        if (b->job->list[s].n < b->job->opts->k)
            return false;
    return true;
}

static int64_t next_size(const batch *b)
{
    const int64_t k = b->job->opts->k, seen = b->right - b->left;
    if (k == 0)
        return b->limit;
    const int64_t size = least(b->limit, seen == 0 ? (k > FIRST ? k : FIRST) : GROWTH * seen);
    return all_have_k(b) ? size : least(size, b->cap); /* every row may be a candidate */
}

static nep_status run_batch(nep_ctx *ctx, batch *b)
{
    const nep_bits_job *j = b->job;
    const int64_t own = j->bin[j->bits[b->s0 + (b->s1 - b->s0) / 2]];
    bool to_right = true;
    b->left = b->right = own < b->low ? b->low : least(own, b->high);
    b->limit = j->opts->k > 0 ? b->cap : SEGMENT;
    for (;;) {
        const int64_t end = wanted_right(b), first = wanted_left(b), size = next_size(b);
        bool met = false;
        if (end == b->right && first == b->left)
            return NEP_OK;
        if (end > b->right && (to_right || first == b->left)) {
            const int64_t to = least(end, b->right + size);
            NEP_TRY(meet(ctx, b, b->right, to, &met));
            b->right = met ? to : b->right;
        } else {
            const int64_t from = b->left - size > first ? b->left - size : first;
            NEP_TRY(meet(ctx, b, from, b->left, &met));
            b->left = met ? from : b->left;
        }
        to_right = met ? !to_right : to_right;
    }
}

/* Whether a batch has anything to look for among its rows, before they are placed. */
static bool has_work(const batch *b)
{
    const nep_bits_job *j = b->job;
    const int64_t low = j->rows.popcount[b->low], high = j->rows.popcount[b->high - 1];
    for (int64_t s = b->s0; s < b->s1; s++) {
        const int64_t own = j->bits[s];
        if (nep_bits_wanted(j, s, own < low ? low : least(own, high)))
            return true;
    }
    return false;
}

/* ---- all batches, rows in segments that the backend holds --------------------------------------------------------- */
static nep_status run_segment(nep_ctx *ctx, batch *b, int64_t size)
{
    nep_bits_job *j = b->job;
    nep_bit_place placed = {0};
    nep_status st = NEP_OK;
    b->placed = NULL;
    for (b->s0 = 0; b->s0 < j->n_q; b->s0 = b->s1) {
        b->s1 = least(b->s0 + size, j->n_q);
        if (!has_work(b))
            continue;
        if (!b->placed) {
            const nep_bit_rows part = nep_bits_part(&j->rows, b->low, b->high);
            NEP_TRY_OR_DONE(st, nep_backend_bit_rows(ctx, &part, j->at ? NULL : j->index->life, &placed));
            b->placed = &placed;
        }
        NEP_TRY_OR_DONE(st, run_batch(ctx, b));
    }
done:
    nep_backend_bit_rows_free(&placed);
    return st;
}

int64_t nep_bits_segment(nep_ctx *ctx, const nep_bit_rows *rows, nep_life *life)
{
    const nep_backend *be = nep_ctx_backend(ctx);
    const int64_t row = rows->words * 8 + (int64_t)sizeof *rows->popcount + NEP_BIT_SKETCH;
    if (life && rows->n <= nep_backend_keeps(ctx, life) / row)
        return least(rows->n > 0 ? rows->n : 1, SEGMENT);
    const int64_t fit = be && !be->host && be->tile_bytes > 0 ? be->tile_bytes / (rows->words * 8) : SEGMENT;
    return fit < 32 ? 32 : least(fit, SEGMENT);
}

/* Room for one query of a batch. More candidates are met in smaller tiles: it decides time alone. */
static int64_t candidates_of(const nep_bits_job *j, int64_t size)
{
    const int64_t k = j->opts->k, usual = k == 0 ? MOST_CAP : 4 * least(k, SLOTS) > USUAL_CAP ? 4 * least(k, SLOTS) : USUAL_CAP;
    const int64_t share = SLOTS / size < LEAST_CAP ? LEAST_CAP : SLOTS / size;
    return least(least(usual, share), j->rows.n);
}

nep_status nep_bits_scan(nep_ctx *ctx, nep_bits_job *job)
{
    const nep_backend *be = nep_ctx_backend(ctx);
    const int64_t usual = be && !be->host ? BATCH_DEVICE : BATCH;
    const int64_t size = least(job->opts->batch > 0 ? job->opts->batch : usual, job->n_q);
    const int64_t rows = nep_bits_segment(ctx, &job->rows, job->at ? NULL : job->index->life);
    const int64_t segments = (job->rows.n + rows - 1) / rows, middle = job->bin[job->bits[job->n_q / 2]] / rows;
    batch b = {.job = job};
    nep_status st = NEP_OK;
    b.cap = candidates_of(job, size);
    if (job->rows.n == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, size * (64 * job->rows.words + 1), sizeof *b.need, "bits needed in common", &b.need));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, size, sizeof *b.count, "counts of candidates", &b.count));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, size * b.cap, sizeof *b.position, "positions of candidates", &b.position));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, size * b.cap, sizeof *b.common, "common bits of candidates", &b.common));
    for (int64_t step = 0; step < 2 * segments + 1; step++) { /* outward from the middle query: middle, + 1, - 1, + 2, ... */
        const int64_t i = middle + (step % 2 ? (step + 1) / 2 : -(step / 2));
        if (i < 0 || i >= segments)
            continue;
        b.low = i * rows;
        b.high = least(b.low + rows, job->rows.n);
        NEP_TRY_OR_DONE(st, run_segment(ctx, &b, size));
    }
done:
    nep_alloc_free(b.common);
    nep_alloc_free(b.position);
    nep_alloc_free(b.count);
    nep_alloc_free(b.need);
    return st;
}
