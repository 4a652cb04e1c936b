/* SPDX-License-Identifier: Apache-2.0 */
/* index_writer - rows to an index file block by block. Vectors go straight to their place; bits, which are sorted by their counts, and
 * all that is kept beside rows wait in nameless files until the number of rows is known, and are then placed through the mapped output. */
#include "io/index_file.h"
#include "io/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef enum { ROWS, COUNTS, NORMS, SCALES, SHADOWS, SHADOW_SCALES, RESIDUALS, ID_ENDS, ID_TEXT, CELL_ENDS, CELL_TEXT, SPOOLS } spool_kind;

struct nep_index_writer {
    nep_ctx *ctx;
    char *path, *source, *about;
    char **column;
    nep_index_layout layout;
    nep_index_out out;
    nep_index_spool spool[SPOOLS];
    int64_t seen, n;       /* rows that came, rows kept here */
    int64_t first, last;   /* numbers of a shard of vectors */
    int64_t stride, shade; /* items of a stored row and of its int8 copy (0 = none) */
    size_t item;
    uint64_t sum_all, sum; /* of the hashes of all rows, and of those here */
    int64_t room;          /* rows that the block buffers hold */
    char *row;             /* stored rows of a block */
    double *norm;
    float *scale, *shadow_scale, *residual;
    int8_t *shadow;
    uint16_t *count;
    uint64_t *hash;
};

static bool bits_kind(const nep_index_writer *w)
{
    return w->layout.kind == NEP_INDEX_BITS;
}

static nep_status check_layout(nep_ctx *ctx, const char *path, const nep_index_layout *l)
{
    const bool bits = l->kind == NEP_INDEX_BITS;
    NEP_REQUIRE(ctx, bits || l->kind == NEP_INDEX_VECTORS, NEP_E_ARG, "%s: an index holds bits or vectors", path);
    NEP_REQUIRE(ctx, l->width >= 1 && l->width <= (bits ? NEP_INDEX_BITS_MOST : NEP_INDEX_DIMS_MOST), NEP_E_ARG,
                "%s: rows of %lld %s; an index holds 1 to %d", path, (long long)l->width, bits ? "bits" : "dimensions",
                bits ? NEP_INDEX_BITS_MOST : NEP_INDEX_DIMS_MOST);
    NEP_REQUIRE(ctx, bits || nep_index_item_size(l->type) > 0, NEP_E_ARG, "%s: type %d is none of f32, f16, bf16, int8", path, (int)l->type);
    NEP_REQUIRE(ctx, l->n_columns >= 0 && l->n_columns <= NEP_INDEX_COLUMNS_MOST, NEP_E_ARG, "%s: %lld columns of metadata; at most %d", path,
                (long long)l->n_columns, NEP_INDEX_COLUMNS_MOST);
    NEP_REQUIRE(ctx, (l->n_shards == 0 && l->shard == 0) || (l->shard >= 1 && l->shard <= l->n_shards), NEP_E_ARG,
                "%s: shard %lld of %lld; shards count from 1", path, (long long)l->shard, (long long)l->n_shards);
    NEP_REQUIRE(ctx, bits || l->n_shards == 0 || l->total > 0, NEP_E_ARG, "%s: a shard of vectors needs their total number", path);
    return NEP_OK;
}

static nep_status copy_layout(nep_index_writer *w, const nep_index_layout *l)
{
    nep_ctx *ctx = w->ctx;
    w->layout = *l;
    w->layout.n_columns = 0; /* those copied, for freeing */
    NEP_TRY(nep_alloc_string(ctx, l->about ? l->about : "", &w->about));
    for (const char *c = w->about; *c; c++)
        NEP_REQUIRE(ctx, (unsigned char)*c >= ' ', NEP_E_ARG, "%s: the description must be one line of text", w->path);
    NEP_TRY(nep_alloc(ctx, l->n_columns, sizeof *w->column, "columns", &w->column));
    for (int64_t c = 0; c < l->n_columns; c++) {
        NEP_REQUIRE(ctx, l->column[c] && l->column[c][0], NEP_E_ARG, "%s: column %lld has no name", w->path, (long long)c + 1);
        NEP_TRY(nep_alloc_string(ctx, l->column[c], &w->column[c]));
        w->layout.n_columns++;
    }
    return NEP_OK;
}

static void lay_out(nep_index_writer *w)
{
    nep_index_layout *l = &w->layout;
    w->last = INT64_MAX;
    if (bits_kind(w)) {
        w->item = 8;
        w->stride = (l->width + 63) / 64;
        l->sketch = l->sketch && w->stride <= NEP_INDEX_SKETCH_WORDS;
        return;
    }
    w->item = nep_index_item_size(l->type);
    w->stride = nep_index_stride(l->width, w->item);
    l->shadow = l->shadow && l->type != NEP_VECTOR_I8;
    w->shade = l->shadow ? nep_index_stride(l->width, 1) : 0;
    if (l->n_shards > 0) {
        w->first = (int64_t)((__int128)l->total * (l->shard - 1) / l->n_shards);
        w->last = (int64_t)((__int128)l->total * l->shard / l->n_shards);
    }
}

static nep_status open_spools(nep_index_writer *w)
{
    const nep_index_layout *l = &w->layout;
    const bool bits = bits_kind(w), cells = l->n_columns > 0;
    const bool wanted[SPOOLS] = {[ROWS] = bits,         [COUNTS] = bits,        [NORMS] = !bits,    [SCALES] = !bits && l->type == NEP_VECTOR_I8,
                                 [SHADOWS] = w->shade,  [SHADOW_SCALES] = w->shade, [RESIDUALS] = w->shade, [ID_ENDS] = l->ids,
                                 [ID_TEXT] = l->ids,    [CELL_ENDS] = cells,    [CELL_TEXT] = cells};
    for (int s = 0; s < SPOOLS; s++)
        if (wanted[s])
            NEP_TRY(nep_index_spool_open(w->ctx, w->path, &w->spool[s]));
    return NEP_OK;
}

nep_status nep_index_writer_create(nep_ctx *ctx, const char *path, const char *source, const nep_index_layout *layout, nep_index_writer **out)
{
    nep_index_writer *w = NULL;
    nep_status st;
    NEP_TRY(check_layout(ctx, path, layout));
    NEP_TRY(nep_alloc(ctx, 1, sizeof *w, "index writer", &w));
    w->ctx = ctx;
    w->out.fd = -1;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &w->path));
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, source, &w->source));
    NEP_TRY_OR_DONE(st, copy_layout(w, layout));
    lay_out(w);
    NEP_TRY_OR_DONE(st, nep_index_out_begin(ctx, w->path, &w->out));
    if (!bits_kind(w) && lseek(w->out.fd, NEP_INDEX_PAGE, SEEK_SET) < 0)
        NEP_REQUIRE_OR_DONE(st, ctx, false, NEP_E_IO, "%s: is not a file that can be written in parts", path);
    NEP_TRY_OR_DONE(st, open_spools(w));
    *out = w;
    w = NULL;
done:
    nep_index_writer_abort(w);
    return st;
}

static void free_blocks(nep_index_writer *w)
{
    void *const parts[] = {w->row, w->norm, w->scale, w->shadow_scale, w->residual, w->shadow, w->count, w->hash};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    w->row = NULL;
    w->norm = NULL;
    w->scale = w->shadow_scale = w->residual = NULL;
    w->shadow = NULL;
    w->count = NULL;
    w->hash = NULL;
    w->room = 0;
}

void nep_index_writer_abort(nep_index_writer *w)
{
    if (!w)
        return;
    nep_index_out_abort(&w->out);
    for (int s = 0; s < SPOOLS; s++)
        nep_index_spool_close(&w->spool[s]);
    for (int64_t c = 0; c < w->layout.n_columns; c++)
        nep_alloc_free(w->column[c]);
    free_blocks(w);
    nep_alloc_free(w->column);
    nep_alloc_free(w->about);
    nep_alloc_free(w->source);
    nep_alloc_free(w->path);
    nep_alloc_free(w);
}

int64_t nep_index_writer_rows(const nep_index_writer *w)
{
    return w->seen;
}

/* ---- adding a block ---- */

static nep_status need_room(nep_index_writer *w, int64_t n)
{
    nep_ctx *ctx = w->ctx;
    if (n <= w->room)
        return NEP_OK;
    free_blocks(w);
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->hash, "row hashes", &w->hash));
    if (bits_kind(w)) {
        NEP_TRY(nep_alloc(ctx, n, sizeof *w->count, "popcounts", &w->count));
    } else {
        NEP_TRY(nep_alloc(ctx, n * w->stride, w->item, "vectors", &w->row));
        NEP_TRY(nep_alloc(ctx, n, sizeof *w->norm, "norms", &w->norm));
        NEP_TRY(nep_alloc(ctx, n, sizeof *w->scale, "scales", &w->scale));
        NEP_TRY(nep_alloc(ctx, n * w->shade, 1, "int8 copy", &w->shadow));
        NEP_TRY(nep_alloc(ctx, n, sizeof *w->shadow_scale, "int8 scales", &w->shadow_scale));
        NEP_TRY(nep_alloc(ctx, n, sizeof *w->residual, "int8 residuals", &w->residual));
    }
    w->room = n;
    return NEP_OK;
}

/* One line of UTF-8 without control characters. */
static bool text_sound(const char *text)
{
    const unsigned char *c = (const unsigned char *)text, *end = c + strlen(text);
    while (c < end) {
        const int n = *c < ' ' ? 0 : nep_rows_sequence(c, end);
        if (n == 0)
            return false;
        c += n;
    }
    return true;
}

static nep_status check_texts(nep_index_writer *w, int64_t n, char *const *ids, char *const *cells)
{
    const int64_t columns = w->layout.n_columns;
    for (int64_t i = 0; i < n && ids; i++)
        NEP_REQUIRE(w->ctx, !ids[i] || text_sound(ids[i]), NEP_E_FORMAT, "%s: row %lld (from 0): its id is not one line of UTF-8", w->source,
                    (long long)(w->seen + i));
    for (int64_t i = 0; i < n * columns && cells; i++)
        NEP_REQUIRE(w->ctx, !cells[i] || text_sound(cells[i]), NEP_E_FORMAT, "%s: row %lld (from 0), column '%s' is not one line of UTF-8",
                    w->source, (long long)(w->seen + i / columns), w->column[i % columns]);
    return NEP_OK;
}

/* Rows of the block counted, measured and hashed; *bad is the first row that cannot be stored, or n. */
static void take_block(nep_index_writer *w, const void *rows, int64_t n, char *const *ids, int64_t *bad)
{
    const nep_index_layout *l = &w->layout;
    const bool bits = bits_kind(w);
    const int threads = nep_ctx_threads(w->ctx);
    int64_t wrong = n;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(min : wrong)
    for (int64_t i = 0; i < n; i++) {
        const void *stored;
        size_t bytes;
        bool sound;
        if (bits) {
            stored = (const uint64_t *)rows + i * w->stride;
            bytes = (size_t)w->stride * 8;
            w->count[i] = (uint16_t)nep_index_popcount(stored, w->stride);
            sound = nep_index_tail_is_clear(stored, l->width);
        } else {
            char *row = w->row + i * w->stride * (int64_t)w->item;
            stored = row;
            bytes = (size_t)l->width * w->item;
            sound = nep_index_encode((const float *)rows + i * l->width, l->width, l->type, row, &w->scale[i], &w->norm[i]) < 0;
            if (sound && w->shade)
                nep_index_shade(row, l->width, l->type, w->shadow + i * w->shade, &w->shadow_scale[i], &w->residual[i]);
        }
        const char *id = l->ids && ids && ids[i] ? ids[i] : "";
        w->hash[i] = nep_index_hash_row(stored, bytes, !bits && l->type == NEP_VECTOR_I8 ? &w->scale[i] : NULL, id, strlen(id), w->seen + i);
        if (!sound && i < wrong)
            wrong = i;
    }
    *bad = wrong;
}

static nep_status refuse(nep_index_writer *w, const void *rows, int64_t bad)
{
    const nep_index_layout *l = &w->layout;
    if (bits_kind(w))
        return nep_ctx_fail(w->ctx, NEP_E_FORMAT, "%s: row %lld (from 0) has a bit past the last of %lld; clear it", w->source,
                            (long long)(w->seen + bad), (long long)l->width);
    const float *x = (const float *)rows + bad * l->width;
    const int64_t column = nep_index_encode(x, l->width, l->type, w->row, w->scale, w->norm);
    return nep_index_refuse(w->ctx, w->source, x[column], w->seen + bad, column, l->type);
}

static nep_status add(nep_index_writer *w, spool_kind s, const void *bytes, int64_t n)
{
    return nep_index_spool_add(w->ctx, w->path, &w->spool[s], bytes, n);
}

/* Text of one row or cell, and where it ends. */
static nep_status add_text(nep_index_writer *w, spool_kind ends, spool_kind text, const char *what)
{
    if (what)
        NEP_TRY(add(w, text, what, (int64_t)strlen(what)));
    return add(w, ends, &w->spool[text].bytes, 8);
}

/* Rows from .. to - 1 of the block are ours. */
static nep_status keep(nep_index_writer *w, const void *rows, int64_t from, int64_t to, char *const *ids, char *const *cells)
{
    const nep_index_layout *l = &w->layout;
    const int64_t n = to - from, row_bytes = w->stride * (int64_t)w->item, columns = l->n_columns;
    if (bits_kind(w)) {
        NEP_TRY(add(w, ROWS, (const char *)rows + from * row_bytes, n * row_bytes));
        NEP_TRY(add(w, COUNTS, w->count + from, n * 2));
    } else {
        NEP_TRY(nep_index_out_write(w->ctx, w->path, w->out.fd, w->row + from * row_bytes, n * row_bytes));
        NEP_TRY(add(w, NORMS, w->norm + from, n * 8));
        if (l->type == NEP_VECTOR_I8)
            NEP_TRY(add(w, SCALES, w->scale + from, n * 4));
        if (w->shade) {
            NEP_TRY(add(w, SHADOWS, w->shadow + from * w->shade, n * w->shade));
            NEP_TRY(add(w, SHADOW_SCALES, w->shadow_scale + from, n * 4));
            NEP_TRY(add(w, RESIDUALS, w->residual + from, n * 4));
        }
    }
    for (int64_t i = from; i < to; i++) {
        w->sum += w->hash[i];
        if (l->ids)
            NEP_TRY(add_text(w, ID_ENDS, ID_TEXT, ids ? ids[i] : NULL));
        for (int64_t c = 0; c < columns; c++)
            NEP_TRY(add_text(w, CELL_ENDS, CELL_TEXT, cells ? cells[i * columns + c] : NULL));
    }
    w->n += n;
    return NEP_OK;
}

nep_status nep_index_writer_add(nep_index_writer *w, const void *rows, int64_t n, char *const *ids, char *const *cells)
{
    const nep_index_layout *l = &w->layout;
    int64_t bad = n;
    NEP_TRY(nep_ctx_check(w->ctx));
    NEP_TRY(need_room(w, n));
    NEP_TRY(check_texts(w, n, ids, cells));
    take_block(w, rows, n, ids, &bad);
    if (bad < n)
        return refuse(w, rows, bad);
    for (int64_t i = 0; i < n; i++)
        w->sum_all += w->hash[i];
    if (bits_kind(w) && l->n_shards > 1) {
        for (int64_t i = 0; i < n; i++)
            if ((w->seen + i) % l->n_shards == l->shard - 1)
                NEP_TRY(keep(w, rows, i, i + 1, ids, cells));
    } else {
        const int64_t from = w->first > w->seen ? w->first - w->seen : 0, to = w->last - w->seen < n ? w->last - w->seen : n;
        if (from < to)
            NEP_TRY(keep(w, rows, from, to, ids, cells));
    }
    w->seen += n;
    return NEP_OK;
}

/* ---- the end ---- */

/* What nep_index_section_sizes and the header need to know; arrays that will be there point at `some`. */
static nep_index facts(const nep_index_writer *w)
{
    static const int64_t some[1];
    const nep_index_layout *l = &w->layout;
    const bool bits = bits_kind(w);
    nep_index x = {.kind = l->kind, .n = w->n, .total = w->seen, .first = bits ? 0 : w->first, .about = w->about};
    x.n_columns = l->n_columns;
    x.column = w->column;
    x.id_start = l->ids ? some : NULL;
    if (bits) {
        x.bits = (nep_index_bits){.n_bits = l->width, .words = w->stride, .sketch = l->sketch ? (const uint8_t *)some : NULL};
        x.number = some;
    } else {
        x.vectors = (nep_index_vectors){.dims = l->width, .stride = w->stride, .type = l->type, .shadow_stride = w->shade};
    }
    x.content = nep_index_hash_set(w->sum_all, l->kind, l->width, bits ? 0 : (int)l->type, w->seen);
    return x;
}

/* Row j of the spools has this number in the whole set. */
static int64_t number_of(const nep_index_writer *w, int64_t j)
{
    return w->layout.n_shards > 1 ? j * w->layout.n_shards + w->layout.shard - 1 : j;
}

/* start[place(j) + 1] = length of item j; then the sums, then the texts. place NULL = in order. `per` items a row. */
static void place_texts(const nep_index_writer *w, spool_kind ends, spool_kind text, nep_index_section to_start, nep_index_section to_text,
                        int64_t per, const int64_t *place)
{
    int64_t *start = nep_index_out_at(&w->out, to_start);
    char *to = nep_index_out_at(&w->out, to_text);
    const int64_t *end = (const int64_t *)(void *)w->spool[ends].map;
    const char *from = w->spool[text].map;
    start[0] = 0;
    for (int64_t j = 0; j < w->n; j++)
        for (int64_t c = 0; c < per; c++) {
            const int64_t k = j * per + c;
            start[(place ? place[j] : j) * per + c + 1] = end[k] - (k > 0 ? end[k - 1] : 0);
        }
    for (int64_t k = 0; k < w->n * per; k++)
        start[k + 1] += start[k];
    for (int64_t j = 0; j < w->n; j++)
        for (int64_t c = 0; c < per; c++) {
            const int64_t k = j * per + c, begin = k > 0 ? end[k - 1] : 0;
            if (end[k] > begin)
                memcpy(to + start[(place ? place[j] : j) * per + c], from + begin, (size_t)(end[k] - begin));
        }
}

/* The position of every row: a counting sort of the counts, which rows of equal count pass through in order. */
static void place_rows(const nep_index_writer *w, int64_t *next, int64_t *place)
{
    const uint16_t *count = (const uint16_t *)(void *)w->spool[COUNTS].map;
    for (int64_t j = 0; j < w->n; j++)
        next[count[j] + 1]++;
    for (int64_t c = 1; c <= w->layout.width; c++)
        next[c] += next[c - 1];
    for (int64_t j = 0; j < w->n; j++)
        place[j] = next[count[j]]++;
}

static void place_bits(const nep_index_writer *w, const int64_t *place)
{
    const int64_t words = w->stride;
    const uint64_t *from = (const uint64_t *)(void *)w->spool[ROWS].map;
    const uint16_t *from_count = (const uint16_t *)(void *)w->spool[COUNTS].map;
    uint64_t *row = nep_index_out_at(&w->out, NEP_SECTION_ROWS);
    uint16_t *count = nep_index_out_at(&w->out, NEP_SECTION_POPCOUNT);
    uint8_t *sketch = nep_index_out_at(&w->out, NEP_SECTION_SKETCH);
    int64_t *number = nep_index_out_at(&w->out, NEP_SECTION_NUMBER);
    const int threads = nep_ctx_threads(w->ctx);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t j = 0; j < w->n; j++) {
        const int64_t p = place[j];
        memcpy(row + p * words, from + j * words, (size_t)words * 8);
        count[p] = from_count[j];
        number[p] = number_of(w, j);
        if (sketch)
            nep_index_sketch(row + p * words, words, sketch + p * NEP_INDEX_SKETCH);
    }
}

static void copy_spool(const nep_index_writer *w, spool_kind s, nep_index_section to)
{
    if (w->spool[s].map)
        memcpy(nep_index_out_at(&w->out, to), w->spool[s].map, (size_t)w->spool[s].bytes);
}

static void place_vectors(const nep_index_writer *w)
{
    copy_spool(w, NORMS, NEP_SECTION_NORM);
    copy_spool(w, SCALES, NEP_SECTION_SCALE);
    copy_spool(w, SHADOWS, NEP_SECTION_SHADOW);
    copy_spool(w, SHADOW_SCALES, NEP_SECTION_SHADOW_SCALE);
    copy_spool(w, RESIDUALS, NEP_SECTION_SHADOW_RESIDUAL);
}

static int64_t column_bytes(const nep_index_writer *w)
{
    int64_t bytes = 0;
    for (int64_t c = 0; c < w->layout.n_columns; c++)
        bytes += (int64_t)strlen(w->column[c]) + 1;
    return bytes;
}

static void place_names(const nep_index_writer *w)
{
    char *to = nep_index_out_at(&w->out, NEP_SECTION_COLUMNS);
    for (int64_t c = 0; c < w->layout.n_columns; c++) {
        strcpy(to, w->column[c]);
        to += strlen(to) + 1;
    }
    strcpy(nep_index_out_at(&w->out, NEP_SECTION_ABOUT), w->about);
}

/* Positions of the rows live in a mapping of their own, not in the budget: 8 bytes for each row of bits. */
static nep_status place_all(nep_index_writer *w)
{
    int64_t *next = NULL, *place = NULL;
    const size_t bytes = (size_t)w->n * sizeof *place;
    nep_index_spool order = {0};
    nep_status st = NEP_OK;
    if (bits_kind(w)) {
        NEP_TRY_OR_DONE(st, nep_alloc(w->ctx, w->layout.width + 2, sizeof *next, "popcounts", &next));
        NEP_TRY_OR_DONE(st, nep_index_spool_open(w->ctx, w->path, &order));
        const int code = posix_fallocate(order.fd, 0, (off_t)bytes);
        place = code == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, order.fd, 0) : MAP_FAILED;
        if (place == MAP_FAILED)
            place = NULL;
        NEP_REQUIRE_OR_DONE(st, w->ctx, place != NULL, NEP_E_IO, "%s: no room for its temporary files (%s)", w->path, strerror(code ? code : errno));
        place_rows(w, next, place);
        place_bits(w, place);
    } else {
        place_vectors(w);
    }
    if (w->layout.ids)
        place_texts(w, ID_ENDS, ID_TEXT, NEP_SECTION_ID_START, NEP_SECTION_ID_TEXT, 1, place);
    if (w->layout.n_columns > 0)
        place_texts(w, CELL_ENDS, CELL_TEXT, NEP_SECTION_CELL_START, NEP_SECTION_CELL_TEXT, w->layout.n_columns, place);
    place_names(w);
done:
    if (place)
        munmap(place, bytes);
    nep_index_spool_close(&order);
    nep_alloc_free(next);
    return st;
}

nep_status nep_index_writer_commit(nep_index_writer *w)
{
    nep_ctx *ctx = w->ctx;
    int64_t size[NEP_SECTION_COUNT];
    nep_status st;
    free_blocks(w);
    NEP_REQUIRE_OR_DONE(st, ctx, w->seen > 0, NEP_E_FORMAT, "%s: holds no row; an index needs at least one", w->source);
    NEP_REQUIRE_OR_DONE(st, ctx, w->n > 0, NEP_E_FORMAT, "%s: its %lld rows leave none for shard %lld of %lld; make fewer shards", w->source,
                        (long long)w->seen, (long long)w->layout.shard, (long long)w->layout.n_shards);
    NEP_REQUIRE_OR_DONE(st, ctx, w->layout.total == 0 || w->layout.total == w->seen, NEP_E_FORMAT, "%s: %lld rows came, %lld were announced",
                        w->source, (long long)w->seen, (long long)w->layout.total);
    const nep_index x = facts(w);
    NEP_REQUIRE_OR_DONE(st, ctx,
                        nep_index_section_sizes(&x, w->spool[ID_TEXT].bytes, w->spool[CELL_TEXT].bytes, column_bytes(w),
                                                (int64_t)strlen(w->about) + 1, size),
                        NEP_E_ARG, "%s: the index is larger than any file", w->path);
    for (int s = 0; s < SPOOLS; s++)
        NEP_TRY_OR_DONE(st, nep_index_spool_map(ctx, w->path, &w->spool[s]));
    NEP_TRY_OR_DONE(st, nep_index_out_lay(&w->out, size));
    NEP_TRY_OR_DONE(st, place_all(w));
    st = nep_index_out_commit(&w->out, &x, w->sum);
done:
    nep_index_writer_abort(w);
    return st;
}
