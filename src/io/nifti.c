/* SPDX-License-Identifier: Apache-2.0 */
/* nifti - images one volume at a time, as float32 or as stored; volumes, masked series; atomic writing. */
#include <nepenthe/io.h>

#include "io/gzip.h"
#include "io/header.h"
#include "io/stream.h"

#include <isa-l/igzip_lib.h>
#include <math.h>
#include <string.h>

enum { chunk = 16 << 10 };             /* bytes converted at a time: they stay in the first cache */
static const int64_t spare = 16 << 20; /* bytes past the data that are read over */
static const int64_t whole_limit = (int64_t)128 << 20;  /* a 3D image up to this size is inflated at once */
static const int64_t deflate_limit = (int64_t)64 << 20; /* an output up to this size is compressed at once */

struct nep_nifti {
    nep_ctx *ctx;
    char *path;
    nep_stream *stream;
    nep_header h;
    int64_t next; /* volume */
};

/* ---- opening ---- */

/* From the header's end to vox_offset: a chain of extensions, each of which must lie inside. */
static nep_status skip_extensions(nep_nifti *n)
{
    int64_t at = n->h.header_bytes + 4;
    unsigned char head[8];
    while (n->h.extended && n->h.vox_offset - at >= 8) {
        int64_t size = 0;
        NEP_TRY(nep_stream_read(n->stream, head, sizeof head));
        NEP_TRY(nep_header_extension(n->ctx, n->path, &n->h, head, n->h.vox_offset - at, &size));
        NEP_TRY(nep_stream_skip(n->stream, size - (int64_t)sizeof head));
        at += size;
    }
    return nep_stream_skip(n->stream, n->h.vox_offset - at);
}

static nep_status read_header(nep_nifti *n)
{
    unsigned char bytes[NEP_HEADER_MOST];
    NEP_TRY(nep_stream_read(n->stream, bytes, 4));
    const int64_t size = nep_header_size(bytes);
    if (size > 0)
        NEP_TRY(nep_stream_read(n->stream, bytes + 4, size - 4));
    n->h.info.gz = nep_stream_gz(n->stream);
    return nep_header_parse(n->ctx, n->path, bytes, nep_stream_most(n->stream), &n->h);
}

nep_status nep_nifti_open(nep_ctx *ctx, const char *path, nep_nifti **out)
{
    nep_nifti *n = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *n, "image", &n));
    n->ctx = ctx;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &n->path));
    NEP_TRY_OR_DONE(st, nep_stream_open(ctx, path, &n->stream));
    NEP_TRY_OR_DONE(st, read_header(n));
    NEP_TRY_OR_DONE(st, skip_extensions(n));
    if (n->h.info.n_t == 1 && n->h.total_bytes <= whole_limit)
        NEP_TRY_OR_DONE(st, nep_stream_load(n->stream, n->h.total_bytes, spare));
    else
        NEP_TRY_OR_DONE(st, nep_stream_run_ahead(n->stream));
    *out = n;
    n = NULL;
done:
    nep_nifti_free(n);
    return st;
}

int64_t nep_nifti_bytes(const nep_ctx *ctx)
{
    return nep_stream_bytes(ctx);
}

const nep_nifti_header *nep_nifti_info(const nep_nifti *n)
{
    return &n->h.info;
}

void nep_nifti_free(nep_nifti *n)
{
    if (!n)
        return;
    nep_stream_close(n->stream);
    nep_alloc_free(n->path);
    nep_alloc_free(n);
}

/* ---- reading volumes ---- */

static void swap_items(unsigned char *bytes, int64_t n, int size)
{
    if (size == 2) {
        uint16_t *x = (uint16_t *)(void *)bytes;
        for (int64_t i = 0; i < n; i++)
            x[i] = __builtin_bswap16(x[i]);
    } else if (size == 4) {
        uint32_t *x = (uint32_t *)(void *)bytes;
        for (int64_t i = 0; i < n; i++)
            x[i] = __builtin_bswap32(x[i]);
    } else if (size == 8) {
        uint64_t *x = (uint64_t *)(void *)bytes;
        for (int64_t i = 0; i < n; i++)
            x[i] = __builtin_bswap64(x[i]);
    }
}

/* Without scaling the value is rounded once, straight to float. */
#define CONVERT(type)                                                                                        \
    do {                                                                                                     \
        const type *x = (const type *)bytes;                                                                 \
        if (plain) {                                                                                         \
            _Pragma("omp simd") for (int64_t i = 0; i < n; i++) out[i] = (float)x[i];                        \
        } else {                                                                                             \
            _Pragma("omp simd") for (int64_t i = 0; i < n; i++) out[i] =                                     \
                (float)((double)x[i] * slope + inter);                                                       \
        }                                                                                                    \
    } while (0)

static void convert(const nep_nifti_header *h, const void *bytes, int64_t n, float *out)
{
    const double slope = h->slope, inter = h->inter;
    const bool plain = slope == 1 && inter == 0;
    switch (h->datatype) {
    case 2:
        CONVERT(uint8_t);
        break;
    case 4:
        CONVERT(int16_t);
        break;
    case 8:
        CONVERT(int32_t);
        break;
    case 16:
        if (plain)
            memcpy(out, bytes, (size_t)n * sizeof *out); /* keeps -0 and every NaN */
        else
            CONVERT(float);
        break;
    case 64:
        CONVERT(double);
        break;
    case 256:
        CONVERT(int8_t);
        break;
    case 512:
        CONVERT(uint16_t);
        break;
    case 768:
        CONVERT(uint32_t);
        break;
    case 1024:
        CONVERT(int64_t);
        break;
    default: /* 1280; the gate lets no other through */
        CONVERT(uint64_t);
        break;
    }
}

static nep_status begin_volume(nep_nifti *n)
{
    NEP_TRY(nep_ctx_check(n->ctx));
    NEP_REQUIRE(n->ctx, n->next < n->h.info.n_t, NEP_E_ARG, "%s: has %lld volumes, all of which were read",
                n->path, (long long)n->h.info.n_t);
    return NEP_OK;
}

/* After the last volume the rest is read too, so that a wrong checksum is never missed. */
static nep_status end_volume(nep_nifti *n)
{
    n->next++;
    return n->next == n->h.info.n_t ? nep_stream_finish(n->stream, spare) : NEP_OK;
}

nep_status nep_nifti_next(nep_nifti *n, float *out)
{
    _Alignas(64) unsigned char bytes[chunk];
    const int64_t per = chunk / n->h.item_bytes;
    NEP_TRY(begin_volume(n));
    for (int64_t at = 0; at < n->h.voxels; at += per) {
        const int64_t m = n->h.voxels - at < per ? n->h.voxels - at : per;
        NEP_TRY(nep_stream_read(n->stream, bytes, m * n->h.item_bytes));
        if (n->h.info.big_endian)
            swap_items(bytes, m, n->h.item_bytes);
        convert(&n->h.info, bytes, m, out + at);
    }
    return end_volume(n);
}

nep_status nep_nifti_next_raw(nep_nifti *n, void *out)
{
    NEP_TRY(begin_volume(n));
    NEP_TRY(nep_stream_read(n->stream, out, n->h.voxels * n->h.item_bytes));
    if (n->h.info.big_endian)
        swap_items(out, n->h.voxels, n->h.item_bytes);
    return end_volume(n);
}

nep_status nep_nifti_read_volume(nep_ctx *ctx, const char *path, nep_volume *out)
{
    nep_nifti *n = NULL;
    nep_volume v = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, path, &n));
    if (n->h.info.n_t > 1) {
        st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "%s: has %lld volumes where one 3D image is needed",
                               path, (long long)n->h.info.n_t);
        goto done;
    }
    v.grid = n->h.info.grid;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n->h.voxels, sizeof *v.data, path, &v.data));
    NEP_TRY_OR_DONE(st, nep_nifti_next(n, v.data));
    *out = v;
    v = (nep_volume){0};
done:
    nep_volume_free(&v);
    nep_nifti_free(n);
    return st;
}

/* The voxels of the mask in storage order; all of them without one. */
static nep_status mask_voxels(nep_nifti *n, const nep_volume *mask, int32_t **voxel, int64_t *count)
{
    const nep_grid *g = &n->h.info.grid;
    *count = n->h.voxels;
    if (!mask)
        return NEP_OK;
    if (!nep_grid_same(g, &mask->grid))
        return nep_ctx_fail_file(
            n->ctx, NEP_E_GRID, n->path,
            "%s: lies on a grid of %lld x %lld x %lld that is not the mask's (%lld x %lld x %lld)", n->path,
            (long long)g->nx, (long long)g->ny, (long long)g->nz, (long long)mask->grid.nx,
            (long long)mask->grid.ny, (long long)mask->grid.nz);
    *count = 0;
    for (int64_t v = 0; v < n->h.voxels; v++)
        *count += mask->data[v] != 0 && !isnan(mask->data[v]);
    NEP_REQUIRE(n->ctx, *count > 0, NEP_E_FORMAT, "%s: the mask holds no voxel", n->path);
    NEP_TRY(nep_alloc(n->ctx, *count, sizeof **voxel, "mask", voxel));
    int64_t k = 0;
    for (int64_t v = 0; v < n->h.voxels; v++)
        if (mask->data[v] != 0 && !isnan(mask->data[v]))
            (*voxel)[k++] = (int32_t)v;
    return NEP_OK;
}

nep_status nep_nifti_read_series(nep_ctx *ctx, const char *path, const nep_volume *mask, nep_series *out,
                                 nep_grid *grid)
{
    nep_nifti *n = NULL;
    nep_series s = {0};
    int32_t *voxel = NULL;
    float *volume = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, path, &n));
    if (n->h.info.n_t < 2) {
        st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "%s: is one 3D image where a 4D series is needed",
                               path);
        goto done;
    }
    NEP_TRY_OR_DONE(st, mask_voxels(n, mask, &voxel, &s.n_cols));
    s.n_t = n->h.info.n_t;
    s.tr_s = n->h.info.tr_s;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s.n_t * s.n_cols, sizeof *s.data, path, &s.data));
    if (voxel)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n->h.voxels, sizeof *volume, "volume", &volume));
    for (int64_t t = 0; t < s.n_t; t++) {
        float *row = s.data + t * s.n_cols;
        NEP_TRY_OR_DONE(st, nep_nifti_next(n, voxel ? volume : row));
        for (int64_t k = 0; voxel && k < s.n_cols; k++)
            row[k] = volume[voxel[k]];
    }
    if (grid)
        *grid = n->h.info.grid;
    *out = s;
    s = (nep_series){0};
done:
    nep_alloc_free(volume);
    nep_alloc_free(voxel);
    nep_series_free(&s);
    nep_nifti_free(n);
    return st;
}

/* ---- writing ---- */

typedef struct {
    nep_ctx *ctx;
    const char *path;
    nep_file *file;
    struct isal_zstream *z; /* NULL = not compressed */
    unsigned char *packed, *level;
    unsigned char *gathered; /* an output small enough to be compressed at once; NULL else */
    int64_t n_gathered;
} sink;

static nep_status compress(sink *s, const void *bytes, int64_t n, bool last)
{
    struct isal_zstream *z = s->z;
    z->next_in = (uint8_t *)(uintptr_t)bytes;
    z->avail_in = (uint32_t)n;
    z->end_of_stream = last;
    do {
        z->next_out = s->packed;
        z->avail_out = chunk;
        NEP_REQUIRE(s->ctx, isal_deflate(z) == COMP_OK, NEP_E_INTERNAL, "%s: compressing failed", s->path);
        NEP_TRY(nep_file_write(s->file, s->packed, chunk - z->avail_out));
    } while (z->avail_out == 0 || (last && z->internal_state.state != ZSTATE_END));
    return NEP_OK;
}

static nep_status put(sink *s, const void *bytes, int64_t n)
{
    if (s->gathered) {
        memcpy(s->gathered + s->n_gathered, bytes, (size_t)n);
        s->n_gathered += n;
        return NEP_OK;
    }
    return s->z ? compress(s, bytes, n, false) : nep_file_write(s->file, bytes, (size_t)n);
}

static nep_status finish(sink *s)
{
    if (s->z)
        return compress(s, "", 0, true);
    if (!s->gathered)
        return NEP_OK;
    char *packed = NULL;
    int64_t n = 0;
    NEP_TRY(nep_gzip_deflate(s->ctx, s->gathered, s->n_gathered, 6, &packed, &n));
    const nep_status st = nep_file_write(s->file, packed, (size_t)n);
    nep_alloc_free(packed);
    return st;
}

static nep_status open_sink(sink *s, bool gz, int64_t total)
{
    if (gz && total <= deflate_limit)
        NEP_TRY(nep_alloc(s->ctx, total, 1, "output image", &s->gathered));
    if (gz && !s->gathered) {
        NEP_TRY(nep_alloc(s->ctx, 1, sizeof *s->z, "compressor", &s->z));
        NEP_TRY(nep_alloc(s->ctx, chunk, 1, "compressor", &s->packed));
        NEP_TRY(nep_alloc(s->ctx, ISAL_DEF_LVL1_DEFAULT, 1, "compressor", &s->level));
        isal_deflate_init(s->z);
        s->z->gzip_flag = IGZIP_GZIP; /* a header with time 0 and no name */
        s->z->level = 1;
        s->z->level_buf = s->level;
        s->z->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    }
    return nep_file_create(s->ctx, s->path, &s->file);
}

static nep_status put_floats(sink *s, const float *data, int64_t n)
{
    for (int64_t at = 0; at < n; at += chunk) {
        const int64_t m = n - at < chunk ? n - at : chunk;
        NEP_TRY(put(s, data + at, m * (int64_t)sizeof *data));
    }
    return NEP_OK;
}

static nep_status put_int16(sink *s, const float *data, int64_t n)
{
    int16_t block[chunk / 2];
    for (int64_t at = 0; at < n; at += NEP_LEN(block)) {
        const int64_t m = n - at < NEP_LEN(block) ? n - at : NEP_LEN(block);
        for (int64_t i = 0; i < m; i++) {
            const double v = rint((double)data[at + i]);
            NEP_REQUIRE(s->ctx, v >= INT16_MIN && v <= INT16_MAX, NEP_E_ARG,
                        "%s: voxel %lld is %g, which int16 cannot hold", s->path, (long long)(at + i), v);
            block[i] = (int16_t)v;
        }
        NEP_TRY(put(s, block, m * 2));
    }
    return NEP_OK;
}

nep_status nep_nifti_write(nep_ctx *ctx, const char *path, const nep_grid *grid, int64_t n_t, double tr_s,
                           const float *data, bool as_int16)
{
    sink s = {.ctx = ctx, .path = path};
    unsigned char header[NEP_HEADER_MOST];
    int64_t n = 0, items;
    nep_status st;
    const size_t length = strlen(path);
    const bool gz = length > 3 && strcmp(path + length - 3, ".gz") == 0;
    NEP_TRY(nep_header_build(ctx, path, grid, n_t, tr_s, as_int16, header, &n));
    NEP_REQUIRE(ctx, data && !__builtin_mul_overflow(nep_grid_voxels(grid), n_t, &items), NEP_E_ARG,
                "%s: the image has no data", path);
    NEP_TRY_OR_DONE(st, open_sink(&s, gz, n + items * (as_int16 ? 2 : 4)));
    NEP_TRY_OR_DONE(st, put(&s, header, n));
    NEP_TRY_OR_DONE(st, as_int16 ? put_int16(&s, data, items) : put_floats(&s, data, items));
    NEP_TRY_OR_DONE(st, finish(&s));
    nep_file *done_file = s.file;
    s.file = NULL;
    st = nep_file_commit(done_file);
done:
    nep_file_abort(s.file);
    nep_alloc_free(s.gathered);
    nep_alloc_free(s.level);
    nep_alloc_free(s.packed);
    nep_alloc_free(s.z);
    return st;
}
