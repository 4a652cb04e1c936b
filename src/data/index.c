/* SPDX-License-Identifier: Apache-2.0 */
/* index - what indexes of both kinds share: who owns their memory, what a row is called, what the set hashes to. */
#include "data/index_parts.h"

#include <string.h>

#include <xxhash.h>

void nep_index_free(nep_index *x)
{
    nep_index_owner *owner = x->owner;
    *x = (nep_index){0};
    if (!owner)
        return;
    nep_life_end(&owner->life);
    owner->release(owner);
}

static void memory_release(nep_index_owner *self)
{
    nep_index_memory *m = (nep_index_memory *)self;
    for (int b = 0; b < m->n; b++)
        nep_alloc_free(m->block[b]);
    nep_alloc_free(m);
}

nep_status nep_index_memory_create(nep_ctx *ctx, nep_index *x)
{
    nep_index_memory *m = NULL;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *m, "index", &m));
    m->owner.release = memory_release;
    x->owner = m;
    x->life = &m->owner.life;
    return NEP_OK;
}

nep_status nep_index_memory_alloc(nep_ctx *ctx, nep_index *x, int64_t n, size_t size, const char *what, void *out_pointer)
{
    nep_index_memory *m = x->owner;
    void *block = NULL;
    NEP_REQUIRE(ctx, m->n < NEP_INDEX_BLOCKS, NEP_E_INTERNAL, "index: more than %d arrays", NEP_INDEX_BLOCKS);
    NEP_TRY(nep_alloc(ctx, n, size, what, &block));
    m->block[m->n++] = block;
    memcpy(out_pointer, &block, sizeof block);
    return NEP_OK;
}

int64_t nep_index_number(const nep_index *x, int64_t position)
{
    return x->number ? x->number[position] : x->first + position;
}

const char *nep_index_id(const nep_index *x, int64_t position, char *buf, size_t size)
{
    const int64_t n = x->id_start ? x->id_start[position + 1] - x->id_start[position] : 0;
    if (n > 0 && size > 0)
        snprintf(buf, size, "%.*s", n < (int64_t)size ? (int)n : (int)size, x->id_text + x->id_start[position]);
    else
        snprintf(buf, size, "%lld", (long long)nep_index_number(x, position));
    return buf;
}

size_t nep_index_item_size(nep_vector_type t)
{
    switch (t) {
    case NEP_VECTOR_F32:
        return 4;
    case NEP_VECTOR_F16:
    case NEP_VECTOR_BF16:
        return 2;
    case NEP_VECTOR_I8:
        return 1;
    }
    return 0;
}

const char *nep_index_type_name(nep_vector_type t)
{
    switch (t) {
    case NEP_VECTOR_F32:
        return "f32";
    case NEP_VECTOR_F16:
        return "f16";
    case NEP_VECTOR_BF16:
        return "bf16";
    case NEP_VECTOR_I8:
        return "int8";
    }
    return NULL;
}

int64_t nep_index_stride(int64_t dims, size_t item)
{
    const int64_t per_line = 64 / (int64_t)item;
    return (dims + per_line - 1) / per_line * per_line;
}

nep_status nep_index_take_ids(nep_ctx *ctx, nep_index *x, char *const *ids, const int64_t *order)
{
    int64_t *start = NULL;
    char *text = NULL;
    NEP_TRY(nep_index_memory_alloc(ctx, x, x->n + 1, sizeof *start, "ids", &start));
    for (int64_t p = 0; p < x->n; p++) {
        const char *id = ids[order ? order[p] : p];
        start[p + 1] = start[p] + (id ? (int64_t)strlen(id) : 0);
    }
    NEP_TRY(nep_index_memory_alloc(ctx, x, start[x->n], 1, "ids", &text));
    for (int64_t p = 0; p < x->n; p++)
        if (start[p + 1] > start[p])
            memcpy(text + start[p], ids[order ? order[p] : p], (size_t)(start[p + 1] - start[p]));
    x->id_start = start;
    x->id_text = text;
    return NEP_OK;
}

/* ---- hashes ---- */

static void put_u64(unsigned char out[8], uint64_t v)
{
    for (int b = 0; b < 8; b++)
        out[b] = (unsigned char)(v >> (8 * b));
}

uint64_t nep_index_hash_row(const void *row, size_t bytes, const float *scale, const char *id, size_t id_bytes, int64_t number)
{
    unsigned char tail[16];
    uint32_t u = 0;
    if (scale)
        memcpy(&u, scale, sizeof u);
    put_u64(tail, (uint64_t)number);
    put_u64(tail + 8, u);
    uint64_t h = XXH3_64bits(row, bytes);
    if (id_bytes > 0)
        h = XXH3_64bits_withSeed(id, id_bytes, h);
    return XXH3_64bits_withSeed(tail, sizeof tail, h);
}

uint64_t nep_index_hash_set(uint64_t sum, nep_index_kind kind, int64_t width, int type, int64_t total)
{
    unsigned char what[32];
    put_u64(what, (uint64_t)kind);
    put_u64(what + 8, (uint64_t)width);
    put_u64(what + 16, (uint64_t)type);
    put_u64(what + 24, (uint64_t)total);
    return XXH3_64bits_withSeed(what, sizeof what, sum);
}

uint64_t nep_index_hash_sum(nep_ctx *ctx, const nep_index *x)
{
    const bool bits = x->kind == NEP_INDEX_BITS;
    const nep_index_vectors *v = &x->vectors;
    const size_t item = bits ? 8 : nep_index_item_size(v->type);
    const int64_t n = x->n, step = bits ? x->bits.words : v->stride, used = bits ? x->bits.words : v->dims;
    const char *rows = bits ? (const char *)x->bits.row : v->row;
    const int threads = nep_ctx_threads(ctx);
    uint64_t sum = 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(+ : sum)
    for (int64_t p = 0; p < n; p++) {
        const int64_t at = x->id_start ? x->id_start[p] : 0, end = x->id_start ? x->id_start[p + 1] : 0;
        sum += nep_index_hash_row(rows + p * step * (int64_t)item, (size_t)used * item, v->scale && !bits ? v->scale + p : NULL,
                                  x->id_text ? x->id_text + at : NULL, (size_t)(end - at), nep_index_number(x, p));
    }
    return sum;
}
