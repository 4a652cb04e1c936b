/* SPDX-License-Identifier: Apache-2.0 */
/* index_scan - what the arrays of an index file promise: placed within the text, in order, in range; and, when asked for, everything that
 * can be computed again from the rows. */
#include "io/index_file.h"

#include <math.h>
#include <string.h>

#include <nepenthe/math/half.h>
#include <nepenthe/math/lanes.h>

#include <xxhash.h>

static nep_status broken(nep_ctx *ctx, const char *path, const char *what)
{
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: %s; the file is damaged, build it again or copy it from its source", path, what);
}

/* 0 first, never falling, `last` at the end, and no control character in the text. */
static bool text_sound(const int64_t *start, int64_t n, const char *text, int64_t last, int threads)
{
    int bad = start[0] != 0 || start[n] != last;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int64_t i = 0; i < n; i++)
        bad |= start[i] > start[i + 1] || start[i] < 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int64_t i = 0; i < last; i++)
        bad |= (unsigned char)text[i] < ' ';
    return !bad;
}

static bool bits_sound(const nep_index *x, int threads)
{
    const uint16_t *count = x->bits.popcount;
    int bad = 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int64_t p = 0; p < x->n; p++) {
        bad |= count[p] > x->bits.n_bits || x->number[p] < 0 || x->number[p] >= x->total;
        bad |= p > 0 && (count[p - 1] > count[p] || (count[p - 1] == count[p] && x->number[p - 1] >= x->number[p]));
    }
    return !bad;
}

static bool floats_sound(const float *v, int64_t n, bool negative, int threads)
{
    int bad = 0;
    if (!v)
        return true;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int64_t i = 0; i < n; i++)
        bad |= !nep_lanes_finite(v[i]) || (!negative && v[i] < 0);
    return !bad;
}

static bool lists_sound(const nep_index *x)
{
    const nep_index_vectors *v = &x->vectors;
    bool sound = v->n_lists == 0 || (v->list_start[0] == 0 && v->list_start[v->n_lists] == x->n);
    for (int64_t l = 0; sound && l < v->n_lists; l++) {
        sound = v->list_start[l] >= 0 && v->list_start[l] <= v->list_start[l + 1] && v->list_start[l + 1] <= x->n;
        for (int64_t p = v->list_start[l] + 1; sound && p < v->list_start[l + 1]; p++)
            sound = x->number[p - 1] < x->number[p];
    }
    return sound && floats_sound(v->centroid, v->n_lists * v->dims, true, 1);
}

static bool vectors_sound(const nep_index *x, int threads)
{
    const nep_index_vectors *v = &x->vectors;
    int bad = 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int64_t p = 0; p < x->n; p++) {
        bad |= !nep_lanes_finite_double(v->norm[p]) || v->norm[p] < 0;
        bad |= x->number && (x->number[p] < 0 || x->number[p] >= x->total || (v->n_lists == 0 && p > 0 && x->number[p - 1] >= x->number[p]));
    }
    return !bad && floats_sound(v->scale, x->n, false, threads) && floats_sound(v->shadow_scale, x->n, false, threads) &&
           floats_sound(v->shadow_residual, x->n, false, threads) && lists_sound(x);
}

nep_status nep_index_scan(nep_ctx *ctx, const nep_index *x, const char *path, int64_t id_bytes, int64_t cell_bytes)
{
    const int threads = nep_ctx_threads(ctx);
    if (x->id_start && !text_sound(x->id_start, x->n, x->id_text, id_bytes, threads))
        return broken(ctx, path, "its ids are not in order");
    if (x->n_columns > 0 && !text_sound(x->cell_start, x->n * x->n_columns, x->cell_text, cell_bytes, threads))
        return broken(ctx, path, "its metadata are not in order");
    if (x->kind == NEP_INDEX_BITS ? !bits_sound(x, threads) : !vectors_sound(x, threads))
        return broken(ctx, path, "its rows are not in order");
    return NEP_OK;
}

/* ---- the full check ---- */

static nep_status check_sums(nep_ctx *ctx, const nep_index_mapping *m)
{
    for (int s = 0; s < NEP_SECTION_COUNT; s++) {
        if (m->size[s] < 0)
            continue;
        NEP_TRY(nep_ctx_check(ctx));
        if (XXH3_64bits((const char *)m->map + m->offset[s], (size_t)m->size[s]) != m->checksum[s])
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, m->path,
                                     "%s: section '%s' does not agree with its checksum; build the file again or copy it from its source", m->path,
                                     nep_index_section_tag((nep_index_section)s));
    }
    return NEP_OK;
}

/* Every number once. */
static nep_status check_numbers(nep_ctx *ctx, const nep_index *x, const char *path)
{
    uint64_t *seen = NULL;
    bool twice = false;
    if (!x->number)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, (x->total + 63) / 64, sizeof *seen, "row numbers", &seen));
    for (int64_t p = 0; p < x->n; p++) {
        const uint64_t bit = (uint64_t)1 << (x->number[p] % 64);
        twice |= (seen[x->number[p] / 64] & bit) != 0;
        seen[x->number[p] / 64] |= bit;
    }
    nep_alloc_free(seen);
    return twice ? broken(ctx, path, "a row number stands there twice") : NEP_OK;
}

static bool bits_true(const nep_index *x, int threads)
{
    const int64_t words = x->bits.words;
    int bad = 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int64_t p = 0; p < x->n; p++) {
        const uint64_t *row = x->bits.row + p * words;
        uint8_t sketch[NEP_INDEX_SKETCH];
        bad |= nep_index_popcount(row, words) != x->bits.popcount[p] || !nep_index_tail_is_clear(row, x->bits.n_bits);
        if (x->bits.sketch) {
            nep_index_sketch(row, words, sketch);
            bad |= memcmp(sketch, x->bits.sketch + p * NEP_INDEX_SKETCH, NEP_INDEX_SKETCH) != 0;
        }
    }
    return !bad;
}

/* Row p: padding of 0, finite, its norm the one that is stored (a norm of numbers that are not finite is not finite). */
static bool row_true(const nep_index_vectors *v, int64_t p)
{
    const int64_t item = (int64_t)nep_index_item_size(v->type), bytes = v->stride * item;
    const char *row = (const char *)v->row + p * bytes;
    for (int64_t b = v->dims * item; b < bytes; b++)
        if (row[b])
            return false;
    const double norm = nep_index_norm(row, v->dims, v->type, v->scale ? v->scale[p] : 0);
    return memcmp(&norm, &v->norm[p], sizeof norm) == 0;
}

static bool shadow_true(const nep_index_vectors *v, int64_t p, int8_t *room)
{
    float scale, residual;
    memset(room, 0, (size_t)v->shadow_stride);
    nep_index_shade((const char *)v->row + p * v->stride * (int64_t)nep_index_item_size(v->type), v->dims, v->type, room, &scale, &residual);
    return memcmp(room, v->shadow + p * v->shadow_stride, (size_t)v->shadow_stride) == 0 &&
           memcmp(&scale, &v->shadow_scale[p], sizeof scale) == 0 && memcmp(&residual, &v->shadow_residual[p], sizeof residual) == 0;
}

static nep_status check_vectors(nep_ctx *ctx, const nep_index *x, const char *path)
{
    const nep_index_vectors *v = &x->vectors;
    const int threads = nep_ctx_threads(ctx);
    int8_t *room = NULL;
    int bad = 0;
    NEP_TRY(nep_alloc(ctx, threads * v->shadow_stride, 1, "int8 copy", &room));
#pragma omp parallel for schedule(static) num_threads(threads) reduction(| : bad)
    for (int t = 0; t < threads; t++)
        for (int64_t p = x->n * t / threads; p < x->n * (t + 1) / threads; p++)
            bad |= !row_true(v, p) || (v->shadow && !shadow_true(v, p, room + t * v->shadow_stride));
    nep_alloc_free(room);
    return bad ? broken(ctx, path, "rows do not agree with their norms or their int8 copy") : NEP_OK;
}

nep_status nep_index_check(nep_ctx *ctx, const nep_index *x)
{
    const nep_index_mapping *m = nep_index_mapping_of(x);
    const char *path = m ? m->path : "index";
    if (m)
        NEP_TRY(check_sums(ctx, m));
    NEP_TRY(check_numbers(ctx, x, path));
    if (x->kind == NEP_INDEX_VECTORS)
        NEP_TRY(check_vectors(ctx, x, path));
    else if (!bits_true(x, nep_ctx_threads(ctx)))
        return broken(ctx, path, "rows do not agree with their counts");
    const uint64_t sum = nep_index_hash_sum(ctx, x);
    const bool bits = x->kind == NEP_INDEX_BITS;
    if (m && sum != m->sum)
        return broken(ctx, path, "rows do not agree with their hash");
    if (x->n == x->total &&
        nep_index_hash_set(sum, x->kind, bits ? x->bits.n_bits : x->vectors.dims, bits ? 0 : (int)x->vectors.type, x->total) != x->content)
        return broken(ctx, path, "the set does not agree with its hash");
    return NEP_OK;
}
