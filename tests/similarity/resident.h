/* SPDX-License-Identifier: Apache-2.0 */
/* resident - indexes searched on the host rig, where what is sent of their arrays is counted and what is found compared with the CPU. */
#ifndef NEP_TESTS_SIMILARITY_RESIDENT_H
#define NEP_TESTS_SIMILARITY_RESIDENT_H

#include "similarity/bits.h"
#include "similarity/same_hits.h"

#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"

enum { N = 700, DIMS = 64, BITS = 512, N_Q = 3, TILE = 1 << 13, ARRAYS = 7 };

/* ---- counting ---------------------------------------------------------------------------------------------------- */
/* Arrays of the index under test, and the bytes sent of each. */
static struct {
    const char *src;
    int64_t bytes, sent;
} watched[ARRAYS];
static int n_watched;
static int64_t largest;   /* of what was sent of them at once */
static bool whole_arrays; /* count those alone: graphs send rows as queries too, a part at a time */

static nep_status (*plain_upload)(nep_ctx *ctx, void *dst, const void *src, size_t bytes);

static inline nep_status counting_upload(nep_ctx *ctx, void *dst, const void *src, size_t bytes)
{
    for (int i = 0; i < n_watched; i++)
        if ((const char *)src >= watched[i].src && (const char *)src < watched[i].src + watched[i].bytes &&
            (!whole_arrays || (int64_t)bytes == watched[i].bytes)) {
            watched[i].sent += (int64_t)bytes;
            largest = (int64_t)bytes > largest ? (int64_t)bytes : largest;
        }
    return plain_upload(ctx, dst, src, bytes);
}

static inline void watch(const void *src, int64_t bytes)
{
    if (!src)
        return;
    watched[n_watched].src = src;
    watched[n_watched].bytes = bytes;
    watched[n_watched++].sent = 0;
}

static inline void watch_index(const nep_index *x, bool shadow)
{
    const nep_index_vectors *v = &x->vectors;
    n_watched = 0;
    largest = 0;
    if (x->kind == NEP_INDEX_BITS) {
        watch(x->bits.row, x->n * x->bits.words * 8);
        watch(x->bits.popcount, x->n * 2);
        watch(x->bits.sketch, x->n * NEP_INDEX_SKETCH);
        return;
    }
    watch(v->norm, x->n * 8);
    if (shadow) {
        watch(v->shadow, x->n * v->shadow_stride);
        watch(v->shadow_scale, x->n * 4);
        watch(v->shadow_residual, x->n * 4);
    } else {
        watch(v->row, x->n * v->stride * (int64_t)nep_index_item_size(v->type));
        watch(v->scale, x->n * 4);
    }
}

static inline int64_t all_bytes(void)
{
    int64_t sum = 0;
    for (int i = 0; i < n_watched; i++)
        sum += watched[i].bytes;
    return sum;
}

/* What was sent since the last call. */
static inline int64_t sent(void)
{
    int64_t sum = 0;
    for (int i = 0; i < n_watched; i++) {
        sum += watched[i].sent;
        watched[i].sent = 0;
    }
    return sum;
}

/* A context on the rig with so much device memory, 0 = what it has. */
static inline nep_ctx *rig_ctx(int64_t vram, int64_t tile)
{
    const nep_ctx_opts opts = {.threads = 1, .seed = 1, .vram_bytes = vram};
    nep_ctx *ctx = NULL;
    assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
    assert_ok(ctx, rig_choose(ctx, tile));
    plain_upload = nep_backend_rig.upload;
    nep_backend_rig.upload = counting_upload;
    return ctx;
}

/* ---- what is searched -------------------------------------------------------------------------------------------- */
static float x[N * DIMS], query[N_Q * DIMS];
static uint64_t *bits, *bit_query;

static inline void make_rows(void)
{
    for (int64_t i = 0; i < N * DIMS; i++)
        x[i] = (float)(3 * nep_philox_normal(2, 1, (uint64_t)(i / DIMS % 40 * DIMS + i % DIMS)) + 0.4 * nep_philox_normal(2, 2, (uint64_t)i));
    for (int64_t i = 0; i < N_Q * DIMS; i++)
        query[i] = x[i / DIMS * 7 * DIMS + i % DIMS] + (float)(0.3 * nep_philox_normal(2, 3, (uint64_t)i));
    bits = make_bits(1, N, BITS);
    bit_query = make_bits(2, N_Q, BITS);
}

static inline nep_index vectors(nep_ctx *ctx, nep_vector_type type, bool shadow)
{
    nep_index index = {0};
    assert_ok(ctx, nep_index_from_vectors(ctx, x, N, DIMS, type, NULL, shadow, "", &index));
    return index;
}

static inline nep_index fingerprints(nep_ctx *ctx, bool sketch)
{
    nep_index index = {0};
    assert_ok(ctx, nep_index_from_bits(ctx, bits, N, BITS, NULL, sketch, "", &index));
    return index;
}

static inline void search(nep_ctx *ctx, const nep_index *index, int64_t n_q, const nep_search_opts *o, nep_hits *hits)
{
    if (index->kind == NEP_INDEX_BITS)
        assert_ok(ctx, nep_bits_search(ctx, index, bit_query, n_q, o, hits, NULL));
    else
        assert_ok(ctx, nep_dense_search(ctx, index, query, n_q, o, hits, NULL));
}

/* The same bytes as the CPU's. */
static inline void agree(nep_ctx *cpu, nep_ctx *rig, const nep_index *index, int64_t n_q, const nep_search_opts *o)
{
    nep_hits want = {0}, got = {0};
    search(cpu, index, n_q, o, &want);
    search(rig, index, n_q, o, &got);
    same_places(&want, &got);
    nep_hits_free(&want);
    nep_hits_free(&got);
}

static const nep_search_opts dense_best = {.metric = NEP_METRIC_COSINE, .k = 4};
static const nep_search_opts bits_best = {.metric = NEP_METRIC_TANIMOTO, .k = 4};
/* Meets every row of bits. */
static const nep_search_opts bits_all = {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {0, 1}};

#endif
