/* SPDX-License-Identifier: Apache-2.0 */
/* source - rows of files in the formats of other programs, block by block, as float32 vectors or bit vectors. */
#include "io/source.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <nepenthe/math/half.h>

/* ---- formats ---- */

static nep_status start_fvecs(nep_source *s)
{
    return nep_vecs_start(s, NEP_ITEM_F32);
}

static nep_status start_bvecs(nep_source *s)
{
    return nep_vecs_start(s, NEP_ITEM_U8);
}

static nep_status start_ivecs(nep_source *s)
{
    return nep_vecs_start(s, NEP_ITEM_I32);
}

static nep_status start_fbin(nep_source *s)
{
    return nep_vecs_start_bin(s, NEP_ITEM_F32);
}

static nep_status start_u8bin(nep_source *s)
{
    return nep_vecs_start_bin(s, NEP_ITEM_U8);
}

static nep_status start_i8bin(nep_source *s)
{
    return nep_vecs_start_bin(s, NEP_ITEM_I8);
}

static const struct {
    const char *name;
    nep_status (*start)(nep_source *s);
} formats[] = {
    {"npy", nep_npy_start}, {"fps", nep_fps_start}, {"fvecs", start_fvecs}, {"bvecs", start_bvecs}, {"ivecs", start_ivecs},
    {"fbin", start_fbin},   {"u8bin", start_u8bin}, {"i8bin", start_i8bin}, {"safetensors", nep_safetensors_start}, {"h5", nep_hdf5_source_start},
    {"h5ad", nep_hdf5_source_start}, {"hdf5", nep_hdf5_source_start},
};

/* By name, -1 when there is none. n: characters of it. */
static int find_format(const char *name, size_t n)
{
    for (int f = 0; f < NEP_LEN(formats); f++)
        if (strlen(formats[f].name) == n && strncmp(formats[f].name, name, n) == 0)
            return f;
    return -1;
}

static int format_of(const char *path)
{
    size_t n = strlen(path), dot;
    if (n > 3 && strcmp(path + n - 3, ".gz") == 0)
        n -= 3;
    for (dot = n; dot > 0 && path[dot - 1] != '.' && path[dot - 1] != '/'; dot--)
        ;
    return dot > 0 && path[dot - 1] == '.' ? find_format(path + dot, n - dot) : -1;
}

nep_status nep_source_refuse(const nep_source *s, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return nep_ctx_fail_file(s->ctx, NEP_E_FORMAT, s->path, "%s: %s", s->path, text);
}

int64_t nep_source_item_bytes(nep_item item)
{
    switch (item) {
    case NEP_ITEM_F64:
        return 8;
    case NEP_ITEM_F32:
    case NEP_ITEM_I32:
        return 4;
    case NEP_ITEM_F16:
    case NEP_ITEM_BF16:
        return 2;
    case NEP_ITEM_U8:
    case NEP_ITEM_I8:
    case NEP_ITEM_BOOL:
    case NEP_ITEM_BYTES:
        break;
    }
    return 1;
}

nep_status nep_source_shape(nep_source *s, nep_item item, int64_t n, int64_t dims)
{
    const bool packed = item == NEP_ITEM_BYTES || (item == NEP_ITEM_U8 && s->opts.bits), bits = packed || item == NEP_ITEM_BOOL;
    const int64_t most = packed ? NEP_INDEX_BITS_MOST / 8 : bits ? NEP_INDEX_BITS_MOST : NEP_INDEX_DIMS_MOST;
    NEP_REQUIRE(s->ctx, bits || !s->opts.bits, NEP_E_SHAPE,
                "%s: holds numbers that are no bits; bits are read from booleans, from whole bytes (u1) and from .fps", s->path);
    if (n < -1 || dims < 1 || dims > most)
        return nep_source_refuse(s, "has rows of %lld %s; an index holds 1 to %lld", (long long)dims, packed ? "bytes" : bits ? "bits" : "numbers",
                                 (long long)most);
    s->item = packed ? NEP_ITEM_BYTES : item;
    s->items = dims;
    s->info.kind = bits ? NEP_INDEX_BITS : NEP_INDEX_VECTORS;
    s->info.n = n;
    s->info.width = packed ? dims * 8 : dims;
    s->info.type = item == NEP_ITEM_F16 ? NEP_VECTOR_F16 : item == NEP_ITEM_BF16 ? NEP_VECTOR_BF16 : NEP_VECTOR_F32;
    return NEP_OK;
}

/* ---- opening ---- */

nep_status nep_source_open(nep_ctx *ctx, const char *path, const nep_source_opts *opts, nep_source **out)
{
    nep_source *s = NULL;
    nep_status st;
    const int f = opts && opts->format ? find_format(opts->format, strlen(opts->format)) : format_of(path);
    NEP_REQUIRE(ctx, f >= 0, NEP_E_ARG,
                "%s: its name does not tell its format; vectors are read from .npy .fvecs .bvecs .ivecs .fbin .u8bin .i8bin .safetensors .h5, fingerprints "
                "from .fps, structures by `molecules` and `similar` from .smi .sdf .csv; or --format says it",
                path);
    const bool hdf5 = formats[f].start == nep_hdf5_source_start; /* which is no stream */
    NEP_REQUIRE(ctx, !opts || !opts->dataset || hdf5 || formats[f].start == nep_safetensors_start, NEP_E_ARG,
                "%s: '%s' would be a dataset of .h5 or .safetensors, and this is neither", path, opts->dataset);
    NEP_TRY(nep_alloc(ctx, 1, sizeof *s, "rows", &s));
    s->ctx = ctx;
    s->opts = opts ? *opts : (nep_source_opts){0};
    s->info.n = -1;
    s->info.about = "";
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &s->path));
    if (!hdf5)
        NEP_TRY_OR_DONE(st, nep_stream_open(ctx, path, &s->stream));
    NEP_TRY_OR_DONE(st, formats[f].start(s));
    *out = s;
    s = NULL;
done:
    nep_source_free(s);
    return st;
}

const nep_source_info *nep_source_about(const nep_source *s)
{
    return &s->info;
}

void nep_source_free(nep_source *s)
{
    if (!s)
        return;
    nep_stream_close(s->stream);
    nep_hdf5_source_end(s);
    nep_alloc_free(s->raw);
    nep_alloc_free(s->text);
    nep_alloc_free(s->about);
    nep_alloc_free(s->id_text);
    nep_alloc_free(s->path);
    nep_alloc_free(s);
}

/* ---- rows ---- */

nep_status nep_source_keep_id(nep_source *s, const char *id, int64_t *used)
{
    const int64_t n = (int64_t)strlen(id) + 1;
    if (*used + n > s->id_room) {
        NEP_TRY(nep_alloc_grow(s->ctx, 2 * (*used + n), 1, "ids", &s->id_text));
        s->id_room = 2 * (*used + n);
    }
    memcpy(s->id_text + *used, id, (size_t)n);
    *used += n;
    return NEP_OK;
}

void nep_source_lend_ids(const nep_source *s, char **ids, int64_t n)
{
    char *at = s->id_text;
    for (int64_t i = 0; ids && i < n; i++) {
        ids[i] = at;
        at += strlen(at) + 1;
    }
}

static nep_status need_raw(nep_source *s, int64_t n, int64_t row)
{
    if (n <= s->raw_rows)
        return NEP_OK;
    nep_alloc_free(s->raw);
    s->raw = NULL;
    s->raw_rows = 0;
    NEP_TRY(nep_alloc(s->ctx, n * row, 1, "rows", &s->raw));
    s->raw_rows = n;
    return NEP_OK;
}

/* Up to n rows as they lie in the file; a file of unknown length may end between rows. */
static nep_status read_raw(nep_source *s, int64_t n, int64_t row, int64_t *got)
{
    const int64_t skip = s->first_read ? 4 : 0; /* the first prefix is taken */
    int64_t bytes;
    *got = 0;
    if (s->info.n >= 0 && n > s->info.n - s->done)
        n = s->info.n - s->done;
    if (n == 0)
        return s->open_end ? NEP_OK : nep_stream_finish(s->stream, 0);
    NEP_TRY(need_raw(s, n, row));
    if (s->info.n >= 0) {
        NEP_TRY(nep_stream_read(s->stream, s->raw + skip, n * row - skip));
        bytes = n * row;
    } else {
        NEP_TRY(nep_stream_some(s->stream, s->raw + skip, n * row - skip, &bytes));
        bytes += skip;
        if (bytes % row != 0)
            return nep_ctx_fail_file(s->ctx, NEP_E_TRUNCATED, s->path, "%s: ends within row %lld (from 0); copy it again from its source", s->path,
                                     (long long)(s->done + bytes / row));
    }
    if (s->first_read)
        memcpy(s->raw, &(int32_t){(int32_t)s->items}, 4);
    s->first_read = false;
    *got = bytes / row;
    return NEP_OK;
}

static uint16_t u16_at(const char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* One row to float32; false when a number has no float32 near it (f64 too large) or is not kept exactly (int32). */
static bool to_floats(nep_item item, const char *from, int64_t n, float *to)
{
    bool sound = true;
    switch (item) {
    case NEP_ITEM_F32:
        memcpy(to, from, (size_t)n * sizeof *to);
        break;
    case NEP_ITEM_F64:
        for (int64_t i = 0; i < n; i++) {
            double v;
            memcpy(&v, from + 8 * i, sizeof v);
            to[i] = (float)v;
            sound &= isinf(to[i]) == isinf(v);
        }
        break;
    case NEP_ITEM_F16:
        for (int64_t i = 0; i < n; i++)
            to[i] = nep_half_unpack_f16(u16_at(from + 2 * i));
        break;
    case NEP_ITEM_BF16:
        for (int64_t i = 0; i < n; i++)
            to[i] = nep_half_unpack_bf16(u16_at(from + 2 * i));
        break;
    case NEP_ITEM_I32:
        for (int64_t i = 0; i < n; i++) {
            int32_t v;
            memcpy(&v, from + 4 * i, sizeof v);
            to[i] = (float)v;
            sound &= (double)to[i] == (double)v;
        }
        break;
    case NEP_ITEM_U8:
        for (int64_t i = 0; i < n; i++)
            to[i] = (float)(unsigned char)from[i];
        break;
    default:
        for (int64_t i = 0; i < n; i++)
            to[i] = (float)(signed char)from[i];
        break;
    }
    return sound;
}

static bool to_bits(const nep_source *s, const char *from, uint64_t *to)
{
    const int64_t words = (s->info.width + 63) / 64;
    bool sound = true;
    memset(to, 0, (size_t)words * 8);
    if (s->item == NEP_ITEM_BYTES) {
        memcpy(to, from, (size_t)s->items);
        return true;
    }
    for (int64_t b = 0; b < s->items; b++) {
        sound &= (unsigned char)from[b] <= 1;
        to[b / 64] |= (uint64_t)(from[b] & 1) << (b % 64);
    }
    return sound;
}

static nep_status convert(nep_source *s, int64_t i, const char *from, void *rows)
{
    if (s->prefixed) {
        int32_t dims;
        memcpy(&dims, from, 4);
        if (dims != s->items)
            return nep_source_refuse(s, "row %lld (from 0) has %d numbers, the first has %lld", (long long)(s->done + i), (int)dims,
                                     (long long)s->items);
        from += 4;
    }
    if (s->info.kind == NEP_INDEX_BITS) {
        if (!to_bits(s, from, (uint64_t *)rows + i * ((s->info.width + 63) / 64)))
            return nep_source_refuse(s, "row %lld (from 0) holds a byte that is neither 0 nor 1, which booleans are not", (long long)(s->done + i));
        return NEP_OK;
    }
    if (!to_floats(s->item, from, s->items, (float *)rows + i * s->items))
        return nep_source_refuse(s, "row %lld (from 0) holds a number that float32 cannot hold", (long long)(s->done + i));
    return NEP_OK;
}

static nep_status next_hdf5(nep_source *s, void *rows, int64_t n, char **ids, int64_t *got)
{
    const int64_t row = s->items * nep_source_item_bytes(s->item);
    if (n > s->info.n - s->done)
        n = s->info.n - s->done;
    NEP_TRY(need_raw(s, n, row));
    NEP_TRY(nep_hdf5_source_next(s, n, ids));
    for (int64_t i = 0; i < n; i++)
        NEP_TRY(convert(s, i, s->raw + i * row, rows));
    *got = n;
    return NEP_OK;
}

static nep_status next_raw(nep_source *s, void *rows, int64_t n, int64_t *got)
{
    const int64_t row = s->items * nep_source_item_bytes(s->item) + (s->prefixed ? 4 : 0);
    NEP_TRY(read_raw(s, n, row, got));
    for (int64_t i = 0; i < *got; i++)
        NEP_TRY(convert(s, i, s->raw + i * row, rows));
    return NEP_OK;
}

nep_status nep_source_next(nep_source *s, void *rows, int64_t n, char **ids, int64_t *got)
{
    int64_t taken = 0;
    *got = 0;
    NEP_REQUIRE(s->ctx, n >= 1, NEP_E_ARG, "%s: %lld rows at a time", s->path, (long long)n);
    for (int64_t i = 0; ids && i < n; i++)
        ids[i] = NULL;
    if (s->hdf5)
        NEP_TRY(next_hdf5(s, rows, n, ids, &taken));
    else if (s->text)
        NEP_TRY(nep_fps_next(s, rows, n, ids, &taken));
    else
        NEP_TRY(next_raw(s, rows, n, &taken));
    s->done += taken;
    *got = taken;
    return NEP_OK;
}
