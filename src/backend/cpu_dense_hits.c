/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_hits - CPU twin of kernels/dense_hits.cu: few queries stream (cpu_dense_stream.c); many meet tiles of decoded rows in panels,
 * packed so that a vector holds the same item of many queries. Products are tested where they are made and never kept. */
#include "backend/cpu_dense_hits.h"

#include <omp.h>
#include <string.h>

enum {
    ROWS = NEP_CPU_DENSE_ROWS,
    PANEL = NEP_CPU_DENSE_PANEL,
    STREAMED = 24,         /* queries from which on tiles are faster than streaming */
    STREAMED_SHORT = 8,    /* likewise for rows of less than SHORT items */
    SHORT = 128,
    BLOCK_BYTES = 384 << 10, /* of decoded rows, to stay in the second cache beside a panel */
    BLOCK_ROWS = 96,       /* in eight tiles, each of which asks for an eighth of the next panel */
    HELD = 15,             /* hits of a query */
    PAD = 64               /* bytes between decoded rows, so that they do not fall into one set of the cache */
};

/* ---- the plain family -------------------------------------------------------------------------------------------- */
static void stream(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out)
{
    for (int64_t k = 0; k < rows; k++, row += n * nep_dense_size(t)) {
        float sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += query[i] * nep_dense_item(t, row, i);
        out[k] = sum;
    }
}

static void stream_int(const int8_t *row, int64_t rows, int64_t n, const int8_t *query, int32_t *out)
{
    for (int64_t k = 0; k < rows; k++, row += n) {
        int32_t sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += query[i] * row[i];
        out[k] = sum;
    }
}

static void decode(nep_dense_type t, const void *row, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = nep_dense_item(t, row, i);
}

static void decode_int(const int8_t *row, int64_t n, void *out)
{
    for (int64_t i = 0; i < n; i++)
        ((int16_t *)out)[i] = row[i];
}

static void tile(const float *row, int64_t pitch, int64_t n, const float *panel, const char *next, float *out)
{
    (void)next;
    for (int i = 0; i < ROWS; i++) {
        float c[PANEL] = {0};
        for (int64_t k = 0; k < n; k++)
            for (int j = 0; j < PANEL; j++)
                c[j] += row[i * pitch + k] * panel[k * PANEL + j];
        memcpy(out + i * PANEL, c, sizeof c);
    }
}

static void tile_int(const void *row, int64_t pitch, int64_t n, const void *panel, int32_t *out)
{
    for (int i = 0; i < ROWS; i++) {
        const int16_t *x = (const int16_t *)row + i * pitch;
        int32_t c[PANEL] = {0};
        for (int64_t k = 0; k < n; k++)
            for (int j = 0; j < PANEL; j++)
                c[j] += x[k] * ((const int16_t *)panel)[k * PANEL + j];
        memcpy(out + i * PANEL, c, sizeof c);
    }
}

static uint32_t test(const float *a, const float *gate, int64_t pitch, float n, float s, float r)
{
    uint32_t kept = 0;
    for (int j = 0; j < PANEL; j++)
        kept |= (uint32_t) !(a[j] < nep_dense_need(gate + j, pitch, n, s, r)) << j;
    return kept;
}

const nep_cpu_dense_family nep_cpu_dense_scalar = {stream, stream_int, decode, decode_int, tile, tile_int, test, 2, 1, 0};

const nep_cpu_dense_family *nep_cpu_dense_choose(void)
{
#if defined(__x86_64__)
    const nep_cpu_family f = nep_cpu_family_get();
    const bool fused = __builtin_cpu_supports("fma"); /* with AVX2 comes F16C on every processor there is; clang 14 cannot ask for it */
    if (f >= NEP_CPU_AVX512 && fused && __builtin_cpu_supports("avx512vnni"))
        return __builtin_cpu_is("intel") ? &nep_cpu_dense_avx512_lines : &nep_cpu_dense_avx512;
    if (f >= NEP_CPU_AVX2 && fused)
        return &nep_cpu_dense_avx2;
#endif
    return &nep_cpu_dense_scalar;
}

_Static_assert(BLOCK_ROWS / ROWS * NEP_CPU_DENSE_ASKED == PANEL * sizeof(float), "the tiles of a block ask for a whole panel");

/* ---- many queries ------------------------------------------------------------------------------------------------ */
typedef nep_cpu_dense_problem problem;

static bool allowed(const nep_dense_rows *r, int64_t i)
{
    return !r->allow || (r->allow[i / 64] >> (i % 64) & 1);
}

static void bound(const problem *p, int64_t i, float *n, float *s, float *r)
{
    const nep_dense_rows *x = p->rows;
    nep_dense_row_bound(p->q->metric, x->norm[i], x->residual ? x->residual[i] : 0.0f, allowed(x, i), n, s, r);
}

static int64_t panel_bytes(const nep_dense_rows *x, const nep_cpu_dense_family *f)
{
    return x->stride * PANEL * (x->type == NEP_DENSE_I8 ? f->item : (int64_t)sizeof(float));
}

static void pack_panel(const problem *p, int64_t panel, char *out)
{
    const nep_dense_rows *x = p->rows;
    const int group = p->family->group;
    for (int64_t j = 0; j < PANEL && panel * PANEL + j < p->q->n_q; j++) {
        const int64_t query = panel * PANEL + j;
        for (int64_t k = 0; k < x->stride; k++) {
            const int64_t at = k / group * group * PANEL + j * group + k % group;
            if (x->type != NEP_DENSE_I8)
                ((float *)(void *)out)[k * PANEL + j] = ((const float *)p->q->query)[query * x->stride + k];
            else if (p->family->item == 1)
                ((int8_t *)out)[at] = ((const int8_t *)p->q->query)[query * x->stride + k];
            else
                ((int16_t *)(void *)out)[at] = ((const int8_t *)p->q->query)[query * x->stride + k];
        }
    }
}

/* Rows i .. i + n - 1 decoded, the last one again until the tile is full. */
static int64_t decode_rows(const problem *p, int64_t i, int64_t n, char *out)
{
    const nep_dense_rows *x = p->rows;
    const int64_t item = x->type == NEP_DENSE_I8 ? p->family->item : (int64_t)sizeof(float), pitch = x->stride * item + PAD;
    const int64_t full = nep_cpu_tiles(n, ROWS) * ROWS;
    for (int64_t k = 0; k < full; k++) {
        const char *row = nep_cpu_dense_row(p, i + (k < n ? k : n - 1));
        if (x->type == NEP_DENSE_I8)
            p->family->decode_int((const int8_t *)row, x->stride, out + k * pitch);
        else
            p->family->decode(x->type, row, x->stride, (float *)(void *)(out + k * pitch));
    }
    return pitch / item;
}

/* Products of tile t of a block of rows and a panel: the integers become what they stand for. */
static void tile_products(const problem *p, const char *row, int64_t pitch, int64_t first, int64_t n, int64_t panel, int64_t t, float *a)
{
    const nep_dense_rows *x = p->rows;
    const int64_t bytes = panel_bytes(x, p->family);
    const char *all = p->panel, *packed = all + panel * bytes;
    if (x->type != NEP_DENSE_I8) {
        const char *next = all + (panel + 1) % p->panels * bytes + t * x->stride * NEP_CPU_DENSE_ASKED;
        p->family->tile((const float *)(const void *)row, pitch, x->stride, (const float *)(const void *)packed, next, a);
        return;
    }
    int32_t sum[ROWS * PANEL];
    p->family->tile_int(row, pitch, x->stride, packed, sum);
    for (int64_t k = 0; k < n; k++) {
        const float scale = x->scale[first + k];
        for (int j = 0; j < PANEL; j++)
            a[k * PANEL + j] = (float)(int32_t)((uint32_t)sum[k * PANEL + j] - (uint32_t)p->bias[panel * PANEL + j]) * scale;
    }
}

/* Hits of a query that a thread has found and not yet put down: counts lie close to one another, and threads that met at each hit
 * would wait for one another's lines of memory. */
typedef struct nep_cpu_dense_held {
    int64_t n;
    nep_dense_hit hit[HELD];
} held;

static void put_down(const problem *p, int64_t query, held *h)
{
    if (h->n == 0)
        return;
    const int64_t at = __atomic_fetch_add(&p->count[query], (int32_t)h->n, __ATOMIC_RELAXED), room = p->cap - at;
    if (room > 0)
        memcpy(p->hit + query * p->cap + at, h->hit, (size_t)nep_cpu_min(h->n, room) * sizeof *h->hit);
    h->n = 0;
}

static void hold(const problem *p, int64_t query, nep_dense_hit hit, held *all)
{
    held *h = &all[query];
    h->hit[h->n++] = hit;
    if (h->n == HELD)
        put_down(p, query, h);
}

static void block_of_rows(const problem *p, int64_t first, int64_t n, char *decoded, held *all)
{
    float norm[BLOCK_ROWS], square[BLOCK_ROWS], residual[BLOCK_ROWS], a[ROWS * PANEL];
    const int64_t pitch = decode_rows(p, first, n, decoded), item = p->rows->type == NEP_DENSE_I8 ? p->family->item : (int64_t)sizeof(float);
    for (int64_t k = 0; k < n; k++)
        bound(p, first + k, &norm[k], &square[k], &residual[k]);
    for (int64_t panel = 0; panel < p->panels; panel++)
        for (int64_t k = 0; k < n; k += ROWS) {
            const int64_t here = nep_cpu_min(ROWS, n - k);
            tile_products(p, decoded + k * pitch * item, pitch, first + k, here, panel, k / ROWS, a);
            for (int64_t i = 0; i < here; i++) {
                uint32_t kept = p->family->test(a + i * PANEL, p->gate + panel * PANEL, p->panels * PANEL, norm[k + i], square[k + i],
                                                residual[k + i]);
                for (; kept && allowed(p->rows, first + k + i); kept &= kept - 1) {
                    const int j = __builtin_ctz(kept);
                    if (panel * PANEL + j < p->q->n_q)
                        hold(p, panel * PANEL + j, (nep_dense_hit){(int32_t)(first + k + i), a[i * PANEL + j]}, all);
                }
            }
        }
}

static bool any_allowed(const nep_dense_rows *r, int64_t first, int64_t n)
{
    for (int64_t i = first; i < first + n; i++)
        if (allowed(r, i))
            return true;
    return false;
}

static void tile_all(const problem *p, int threads)
{
    const int64_t n = p->rows->n, blocks = nep_cpu_tiles(n, p->block);
#pragma omp parallel num_threads(threads)
    {
        const int me = omp_get_thread_num();
        held *const all = p->held + me * p->q->n_q;
#pragma omp for schedule(dynamic) nowait
        for (int64_t b = 0; b < blocks; b++) {
            const int64_t first = b * p->block, here = nep_cpu_min(p->block, n - first);
            if (any_allowed(p->rows, first, here))
                block_of_rows(p, first, here, p->scratch + me * p->scratch_bytes, all);
        }
        for (int64_t j = 0; j < p->q->n_q; j++)
            put_down(p, j, &all[j]);
    }
}

static nep_status make_panels(nep_ctx *ctx, problem *p, int threads, char **panel, float **gate)
{
    const int64_t bytes = panel_bytes(p->rows, p->family), all = p->panels * PANEL;
    NEP_TRY(nep_alloc(ctx, p->panels, (size_t)bytes, "panels of queries", panel));
    NEP_TRY(nep_alloc(ctx, 4 * all, sizeof **gate, "gates of queries", gate));
    for (int k = 0; k < 4; k++)
        memcpy(*gate + k * all, p->q->gate + k * p->q->n_q, (size_t)p->q->n_q * sizeof **gate);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < p->panels; i++)
        pack_panel(p, i, *panel + i * bytes);
    p->panel = *panel;
    p->gate = *gate;
    return NEP_OK;
}

/* What the family adds to the items of rows, times the sum of each query. */
static nep_status make_bias(nep_ctx *ctx, const problem *p, int32_t **bias)
{
    NEP_TRY(nep_alloc(ctx, p->panels * PANEL, sizeof **bias, "sums of queries", bias));
    for (int64_t j = 0; j < p->q->n_q; j++) {
        const int8_t *query = (const int8_t *)p->q->query + j * p->rows->stride;
        int32_t sum = 0;
        for (int64_t k = 0; k < p->rows->stride; k++)
            sum += query[k];
        (*bias)[j] = sum * p->family->bias;
    }
    return NEP_OK;
}

nep_status nep_cpu_dense_hits(nep_ctx *ctx, nep_queue *queue, const nep_dense_rows *rows, const nep_dense_queries *queries, int64_t cap,
                              int32_t *count, nep_dense_hit *hit)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    problem p = {.family = nep_cpu_dense_choose(), .rows = rows, .q = queries, .cap = cap, .count = count, .hit = hit,
                 .panels = nep_cpu_tiles(queries->n_q, PANEL)};
    char *panel = NULL;
    float *gate = NULL;
    int32_t *bias = NULL;
    nep_status st = NEP_OK;
    memset(count, 0, (size_t)queries->n_q * sizeof *count);
    if (rows->type == NEP_DENSE_I8)
        NEP_TRY_OR_DONE(st, make_bias(ctx, &p, &bias));
    p.bias = bias;
    if (queries->n_q < (rows->dims < SHORT ? STREAMED_SHORT : STREAMED)) {
        nep_cpu_dense_stream(&p, threads);
        goto done;
    }
    const int64_t row_bytes = rows->stride * (rows->type == NEP_DENSE_I8 ? p.family->item : (int64_t)sizeof(float)) + PAD;
    p.block = nep_cpu_min(BLOCK_ROWS, (BLOCK_BYTES / row_bytes < 1 ? 1 : nep_cpu_tiles(BLOCK_BYTES / row_bytes, ROWS)) * ROWS);
    p.scratch_bytes = p.block * row_bytes;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads, (size_t)p.scratch_bytes, "decoded rows", &p.scratch));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * queries->n_q, sizeof *p.held, "hits held by threads", &p.held));
    NEP_TRY_OR_DONE(st, make_panels(ctx, &p, threads, &panel, &gate));
    tile_all(&p, threads);
done:
    nep_alloc_free(p.scratch);
    nep_alloc_free(p.held);
    nep_alloc_free(gate);
    nep_alloc_free(panel);
    nep_alloc_free(bias);
    return st;
}
