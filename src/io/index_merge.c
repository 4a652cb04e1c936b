/* SPDX-License-Identifier: Apache-2.0 */
/* index_merge - one index file from several: the shards of one set, or whole sets one after the other. Both are the same walk: the next
 * row is the least by (count, new number) among the heads of the parts. */
#include "io/index_file.h"

#include <string.h>

typedef struct {
    nep_ctx *ctx;
    const char *path;
    const nep_index *part;
    const char *const *name;
    int64_t n_parts, n;
    bool shards;
    int64_t *shift; /* [n_parts] added to row numbers */
    int64_t *head;  /* [n_parts] next position */
    int64_t id_bytes, cell_bytes;
    bool ids;
    nep_index_out out;
} merge;

static int64_t width_of(const nep_index *x)
{
    return x->kind == NEP_INDEX_BITS ? x->bits.n_bits : x->vectors.dims;
}

static nep_status differ(const merge *m, int64_t p, const char *what)
{
    return nep_ctx_fail_file(m->ctx, NEP_E_FORMAT, m->name[p], "%s and %s: %s differ, so they are not parts of one index", m->name[0], m->name[p],
                             what);
}

static nep_status check_alike(const merge *m, int64_t p)
{
    const nep_index *a = &m->part[0], *b = &m->part[p];
    const bool bits = a->kind == NEP_INDEX_BITS;
    if (a->kind != b->kind)
        return differ(m, p, "kinds (bits, vectors)");
    if (width_of(a) != width_of(b))
        return differ(m, p, bits ? "numbers of bits" : "dimensions");
    if (!bits && a->vectors.type != b->vectors.type)
        return differ(m, p, "types");
    if (bits ? !a->bits.sketch != !b->bits.sketch : !a->vectors.shadow != !b->vectors.shadow)
        return differ(m, p, bits ? "sketches (one has none)" : "int8 copies (one has none)");
    if (strcmp(a->about ? a->about : "", b->about ? b->about : "") != 0)
        return differ(m, p, "descriptions");
    bool same = a->n_columns == b->n_columns;
    for (int64_t c = 0; same && c < a->n_columns; c++)
        same = strcmp(a->column[c], b->column[c]) == 0;
    if (!same)
        return differ(m, p, "columns of metadata");
    NEP_REQUIRE(m->ctx, bits || b->vectors.n_lists == 0, NEP_E_NOTSUP, "%s: has inverted lists; merge first, then make lists", m->name[p]);
    return NEP_OK;
}

static nep_status check_shard(const merge *m, int64_t p)
{
    if (m->part[p].content == m->part[0].content && m->part[p].total == m->part[0].total)
        return NEP_OK;
    return nep_ctx_fail_file(m->ctx, NEP_E_FORMAT, m->name[p], "%s: is no shard of the set that %s is of", m->name[p], m->name[0]);
}

static nep_status check_parts(merge *m)
{
    m->shards = m->part[0].n < m->part[0].total;
    for (int64_t p = 0; p < m->n_parts; p++) {
        const nep_index *x = &m->part[p];
        NEP_TRY(check_alike(m, p));
        if (m->shards || x->n < x->total)
            NEP_TRY(check_shard(m, p));
        m->shift[p] = m->shards ? 0 : m->n;
        NEP_REQUIRE(m->ctx, x->n <= INT64_MAX / 64 - m->n, NEP_E_ARG, "%s: too many rows", m->path);
        m->n += x->n;
        m->ids = m->ids || x->id_start;
        m->id_bytes += x->id_start ? x->id_start[x->n] : 0;
        m->cell_bytes += x->n_columns > 0 ? x->cell_start[x->n * x->n_columns] : 0;
    }
    NEP_REQUIRE(m->ctx, !m->shards || m->n >= m->part[0].total, NEP_E_FORMAT, "shards: %lld rows of %lld; a shard is missing", (long long)m->n,
                (long long)m->part[0].total);
    NEP_REQUIRE(m->ctx, !m->shards || m->n == m->part[0].total, NEP_E_FORMAT, "shards: %lld rows of %lld; a shard stands there twice",
                (long long)m->n, (long long)m->part[0].total);
    return NEP_OK;
}

/* The part whose head comes next, -1 at the end. */
static int64_t next_part(const merge *m)
{
    int64_t best = -1, best_count = 0, best_number = 0;
    for (int64_t p = 0; p < m->n_parts; p++) {
        const nep_index *x = &m->part[p];
        if (m->head[p] == x->n)
            continue;
        const int64_t count = x->kind == NEP_INDEX_BITS ? x->bits.popcount[m->head[p]] : 0;
        const int64_t number = nep_index_number(x, m->head[p]) + m->shift[p];
        if (best < 0 || count < best_count || (count == best_count && number < best_number)) {
            best = p;
            best_count = count;
            best_number = number;
        }
    }
    return best;
}

static void copy(const merge *m, nep_index_section s, int64_t to, const void *from, int64_t at, int64_t bytes)
{
    char *out = nep_index_out_at(&m->out, s);
    if (out && from)
        memcpy(out + to * bytes, (const char *)from + at * bytes, (size_t)bytes);
}

static void copy_row(const merge *m, const nep_index *x, int64_t at, int64_t to)
{
    if (x->kind == NEP_INDEX_BITS) {
        copy(m, NEP_SECTION_ROWS, to, x->bits.row, at, x->bits.words * 8);
        copy(m, NEP_SECTION_POPCOUNT, to, x->bits.popcount, at, 2);
        copy(m, NEP_SECTION_SKETCH, to, x->bits.sketch, at, NEP_INDEX_SKETCH);
        return;
    }
    const nep_index_vectors *v = &x->vectors;
    copy(m, NEP_SECTION_ROWS, to, v->row, at, v->stride * (int64_t)nep_index_item_size(v->type));
    copy(m, NEP_SECTION_NORM, to, v->norm, at, 8);
    copy(m, NEP_SECTION_SCALE, to, v->scale, at, 4);
    copy(m, NEP_SECTION_SHADOW, to, v->shadow, at, v->shadow_stride);
    copy(m, NEP_SECTION_SHADOW_SCALE, to, v->shadow_scale, at, 4);
    copy(m, NEP_SECTION_SHADOW_RESIDUAL, to, v->shadow_residual, at, 4);
}

/* `per` texts of row `at` after those of row `to`; start[to * per] stands. */
static void copy_texts(const int64_t *from_start, const char *from, int64_t at, int64_t *start, char *text, int64_t to, int64_t per)
{
    for (int64_t c = 0; c < per; c++) {
        const int64_t begin = from_start ? from_start[at * per + c] : 0, n = from_start ? from_start[at * per + c + 1] - begin : 0;
        int64_t *end = start + to * per + c;
        end[1] = end[0] + n;
        if (n > 0)
            memcpy(text + end[0], from + begin, (size_t)n);
    }
}

/* Walks the parts; *sum is the sum of the rows' hashes. A number that comes twice is told of by *sound. */
static void walk(merge *m, uint64_t *sum, bool *sound)
{
    int64_t *number = nep_index_out_at(&m->out, NEP_SECTION_NUMBER), *id = nep_index_out_at(&m->out, NEP_SECTION_ID_START),
            *cell = nep_index_out_at(&m->out, NEP_SECTION_CELL_START);
    const bool bits = m->part[0].kind == NEP_INDEX_BITS;
    const int64_t columns = m->part[0].n_columns, step = bits ? m->part[0].bits.words : m->part[0].vectors.stride;
    const int64_t item = bits ? 8 : (int64_t)nep_index_item_size(m->part[0].vectors.type), used = bits ? step : m->part[0].vectors.dims;
    for (int64_t to = 0, p; (p = next_part(m)) >= 0; to++) {
        const nep_index *x = &m->part[p];
        const int64_t at = m->head[p]++, new_number = nep_index_number(x, at) + m->shift[p];
        copy_row(m, x, at, to);
        if (number)
            number[to] = new_number;
        else
            *sound = *sound && new_number == to;
        if (id)
            copy_texts(x->id_start, x->id_text, at, id, nep_index_out_at(&m->out, NEP_SECTION_ID_TEXT), to, 1);
        if (cell)
            copy_texts(x->cell_start, x->cell_text, at, cell, nep_index_out_at(&m->out, NEP_SECTION_CELL_TEXT), to, columns);
        const int64_t begin = x->id_start ? x->id_start[at] : 0, end = x->id_start ? x->id_start[at + 1] : 0;
        *sum += nep_index_hash_row((const char *)(bits ? (const void *)x->bits.row : x->vectors.row) + at * step * item, (size_t)(used * item),
                                   !bits && x->vectors.scale ? x->vectors.scale + at : NULL, x->id_start ? x->id_text + begin : NULL,
                                   (size_t)(end - begin), new_number);
    }
}

static void put_names(const merge *m)
{
    char *to = nep_index_out_at(&m->out, NEP_SECTION_COLUMNS);
    for (int64_t c = 0; c < m->part[0].n_columns; c++) {
        strcpy(to, m->part[0].column[c]);
        to += strlen(to) + 1;
    }
    strcpy(nep_index_out_at(&m->out, NEP_SECTION_ABOUT), m->part[0].about ? m->part[0].about : "");
}

static nep_status lay(merge *m, const nep_index *x)
{
    int64_t size[NEP_SECTION_COUNT], columns = 0;
    for (int64_t c = 0; c < x->n_columns; c++)
        columns += (int64_t)strlen(x->column[c]) + 1;
    NEP_REQUIRE(m->ctx, nep_index_section_sizes(x, m->id_bytes, m->cell_bytes, columns, (int64_t)strlen(x->about ? x->about : "") + 1, size),
                NEP_E_ARG, "%s: the index is larger than any file", m->path);
    NEP_TRY(nep_index_out_begin(m->ctx, m->path, &m->out));
    return nep_index_out_lay(&m->out, size);
}

nep_status nep_index_merge(nep_ctx *ctx, const char *path, const nep_index *parts, const char *const *names, int64_t n_parts)
{
    static const int64_t some[1];
    merge m = {.ctx = ctx, .path = path, .part = parts, .name = names, .n_parts = n_parts, .out.fd = -1};
    uint64_t sum = 0;
    bool sound = true;
    nep_status st;
    NEP_REQUIRE(ctx, n_parts >= 1, NEP_E_ARG, "%s: no parts to merge", path);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_parts, sizeof *m.shift, "parts", &m.shift));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_parts, sizeof *m.head, "parts", &m.head));
    NEP_TRY_OR_DONE(st, check_parts(&m));
    nep_index x = parts[0]; /* of which the new one differs in its rows */
    x.n = x.total = m.n;
    x.first = 0;
    x.number = x.kind == NEP_INDEX_BITS ? some : NULL;
    x.id_start = m.ids ? some : NULL;
    NEP_TRY_OR_DONE(st, lay(&m, &x));
    walk(&m, &sum, &sound);
    put_names(&m);
    x.content = nep_index_hash_set(sum, x.kind, width_of(&x), x.kind == NEP_INDEX_BITS ? 0 : (int)x.vectors.type, m.n);
    NEP_REQUIRE_OR_DONE(st, ctx, sound && (!m.shards || x.content == parts[0].content), NEP_E_FORMAT,
                        "%s: the shards do not make up their set: one is damaged or stands there twice", path);
    st = nep_index_out_commit(&m.out, &x, sum);
done:
    nep_index_out_abort(&m.out);
    nep_alloc_free(m.shift);
    nep_alloc_free(m.head);
    return st;
}
