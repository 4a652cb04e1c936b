/* SPDX-License-Identifier: Apache-2.0 */
/* index_out - an index file in the making: space for all of it is claimed before it is mapped, so that a full disk is told of and no
 * store into the mapping fails. */
#include "io/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "index files are little-endian and mapped as they are");

const char *nep_index_section_tag(nep_index_section s)
{
    static const char *const tags[NEP_SECTION_COUNT] = {
        [NEP_SECTION_ROWS] = "rows",
        [NEP_SECTION_POPCOUNT] = "popcount",
        [NEP_SECTION_SKETCH] = "sketch",
        [NEP_SECTION_SCALE] = "scale",
        [NEP_SECTION_NORM] = "norm",
        [NEP_SECTION_SHADOW] = "shadow",
        [NEP_SECTION_SHADOW_SCALE] = "shscale",
        [NEP_SECTION_SHADOW_RESIDUAL] = "shresid",
        [NEP_SECTION_CENTROID] = "centroid",
        [NEP_SECTION_LIST_START] = "lists",
        [NEP_SECTION_NUMBER] = "number",
        [NEP_SECTION_ID_START] = "idstart",
        [NEP_SECTION_ID_TEXT] = "idtext",
        [NEP_SECTION_COLUMNS] = "columns",
        [NEP_SECTION_CELL_START] = "cellstrt",
        [NEP_SECTION_CELL_TEXT] = "celltext",
        [NEP_SECTION_ABOUT] = "about",
    };
    return tags[s];
}

/* *size = a * b; false when it overflows. */
static bool times(int64_t a, int64_t b, int64_t *size)
{
    return !__builtin_mul_overflow(a, b, size) && *size < INT64_MAX / 4;
}

static bool vector_sizes(const nep_index *x, int64_t size[NEP_SECTION_COUNT])
{
    const nep_index_vectors *v = &x->vectors;
    bool fits = times(x->n, v->stride * (int64_t)nep_index_item_size(v->type), &size[NEP_SECTION_ROWS]) && times(x->n, 8, &size[NEP_SECTION_NORM]);
    if (v->type == NEP_VECTOR_I8)
        fits = fits && times(x->n, 4, &size[NEP_SECTION_SCALE]);
    if (v->shadow_stride > 0)
        fits = fits && times(x->n, v->shadow_stride, &size[NEP_SECTION_SHADOW]) && times(x->n, 4, &size[NEP_SECTION_SHADOW_SCALE]) &&
               times(x->n, 4, &size[NEP_SECTION_SHADOW_RESIDUAL]);
    if (v->n_lists > 0)
        fits = fits && times(v->n_lists, v->dims * 4, &size[NEP_SECTION_CENTROID]) && times(v->n_lists + 1, 8, &size[NEP_SECTION_LIST_START]);
    return fits;
}

bool nep_index_section_sizes(const nep_index *x, int64_t id_bytes, int64_t cell_bytes, int64_t column_bytes, int64_t about_bytes,
                             int64_t size[NEP_SECTION_COUNT])
{
    int64_t cells = 0;
    bool fits = true;
    for (int s = 0; s < NEP_SECTION_COUNT; s++)
        size[s] = -1;
    if (x->kind == NEP_INDEX_VECTORS) {
        fits = vector_sizes(x, size);
    } else {
        fits = times(x->n, x->bits.words * 8, &size[NEP_SECTION_ROWS]) && times(x->n, 2, &size[NEP_SECTION_POPCOUNT]);
        if (x->bits.sketch)
            fits = fits && times(x->n, NEP_INDEX_SKETCH, &size[NEP_SECTION_SKETCH]);
    }
    if (x->number)
        fits = fits && times(x->n, 8, &size[NEP_SECTION_NUMBER]);
    if (x->id_start) {
        fits = fits && times(x->n + 1, 8, &size[NEP_SECTION_ID_START]);
        size[NEP_SECTION_ID_TEXT] = id_bytes;
    }
    if (x->n_columns > 0) {
        fits = fits && times(x->n, x->n_columns, &cells) && times(cells + 1, 8, &size[NEP_SECTION_CELL_START]);
        size[NEP_SECTION_CELL_TEXT] = cell_bytes;
        size[NEP_SECTION_COLUMNS] = column_bytes;
    }
    size[NEP_SECTION_ABOUT] = about_bytes;
    return fits;
}

nep_status nep_index_out_begin(nep_ctx *ctx, const char *path, nep_index_out *o)
{
    *o = (nep_index_out){.ctx = ctx, .path = path, .fd = -1};
    NEP_TRY(nep_file_create(ctx, path, &o->file));
    o->fd = open(nep_file_temporary(o->file), O_RDWR | O_CLOEXEC);
    if (o->fd >= 0)
        return NEP_OK;
    const int code = errno;
    nep_index_out_abort(o);
    return nep_ctx_fail_file(ctx, NEP_E_WRITE, path, "%s: cannot be opened for writing (%s)", path, strerror(code));
}

static int64_t round_up(int64_t n, int64_t step)
{
    return (n + step - 1) / step * step;
}

nep_status nep_index_out_lay(nep_index_out *o, const int64_t size[NEP_SECTION_COUNT])
{
    int64_t at = NEP_INDEX_PAGE; /* header and table are shorter */
    for (int s = 0; s < NEP_SECTION_COUNT; s++) {
        o->size[s] = size[s];
        if (size[s] < 0)
            continue;
        at = round_up(at, s == NEP_SECTION_ROWS || s == NEP_SECTION_SHADOW ? NEP_INDEX_PAGE : NEP_INDEX_LINE);
        o->offset[s] = at;
        at += size[s];
    }
    o->bytes = at;
    const int code = posix_fallocate(o->fd, 0, at);
    if (code != 0)
        return nep_ctx_fail_file(o->ctx, NEP_E_IO, o->path, "%s: %lld MB cannot be had there (%s); nothing was replaced", o->path,
                                 (long long)(at >> 20) + 1, strerror(code));
    o->map = mmap(NULL, (size_t)at, PROT_READ | PROT_WRITE, MAP_SHARED, o->fd, 0);
    if (o->map == MAP_FAILED) {
        o->map = NULL;
        return nep_ctx_fail_file(o->ctx, NEP_E_IO, o->path, "%s: cannot be mapped into memory (%s); choose another file system", o->path,
                                 strerror(errno));
    }
    return NEP_OK;
}

void *nep_index_out_at(const nep_index_out *o, nep_index_section s)
{
    return o->size[s] >= 0 ? o->map + o->offset[s] : NULL;
}

uint64_t nep_index_header_hash(const char *head, uint32_t n_sections)
{
    return XXH3_64bits_withSeed(head + NEP_INDEX_HEAD, (size_t)n_sections * NEP_INDEX_ENTRY, XXH3_64bits(head, NEP_INDEX_AT_CHECKSUM));
}

static void put(char *at, const void *value, size_t n)
{
    memcpy(at, value, n);
}

static void put_head(const nep_index_out *o, const nep_index *x, uint64_t sum, uint32_t n_sections)
{
    char *h = o->map;
    const bool bits = x->kind == NEP_INDEX_BITS;
    const uint32_t kind = (uint32_t)x->kind, type = bits ? 0 : (uint32_t)x->vectors.type, columns = (uint32_t)x->n_columns;
    const int64_t width = bits ? x->bits.n_bits : x->vectors.dims, first = x->number ? 0 : x->first, lists = bits ? 0 : x->vectors.n_lists;
    memset(h, 0, NEP_INDEX_HEAD);
    snprintf(h, 24, NEP_INDEX_SCHEMA "%d", NEP_INDEX_MAJOR);
    put(h + NEP_INDEX_AT_KIND, &kind, 4);
    put(h + NEP_INDEX_AT_TYPE, &type, 4);
    put(h + NEP_INDEX_AT_WIDTH, &width, 8);
    put(h + NEP_INDEX_AT_N, &x->n, 8);
    put(h + NEP_INDEX_AT_TOTAL, &x->total, 8);
    put(h + NEP_INDEX_AT_FIRST, &first, 8);
    put(h + NEP_INDEX_AT_CONTENT, &x->content, 8);
    put(h + NEP_INDEX_AT_SUM, &sum, 8);
    put(h + NEP_INDEX_AT_COLUMNS, &columns, 4);
    put(h + NEP_INDEX_AT_SECTIONS, &n_sections, 4);
    put(h + NEP_INDEX_AT_LISTS, &lists, 8);
    put(h + NEP_INDEX_AT_BYTES, &o->bytes, 8);
}

static void put_header(const nep_index_out *o, const nep_index *x, uint64_t sum)
{
    uint32_t n = 0;
    char *entry = o->map + NEP_INDEX_HEAD;
    for (int s = 0; s < NEP_SECTION_COUNT; s++) {
        if (o->size[s] < 0)
            continue;
        const char *tag = nep_index_section_tag((nep_index_section)s);
        const uint64_t hash = XXH3_64bits(o->map + o->offset[s], (size_t)o->size[s]);
        memset(entry, 0, 8);
        memcpy(entry, tag, strlen(tag));
        put(entry + 8, &o->offset[s], 8);
        put(entry + 16, &o->size[s], 8);
        put(entry + 24, &hash, 8);
        entry += NEP_INDEX_ENTRY;
        n++;
    }
    put_head(o, x, sum, n);
    const uint64_t hash = nep_index_header_hash(o->map, n);
    put(o->map + NEP_INDEX_AT_CHECKSUM, &hash, 8);
}

nep_status nep_index_out_commit(nep_index_out *o, const nep_index *x, uint64_t sum)
{
    put_header(o, x, sum);
    nep_file *file = o->file;
    o->file = NULL;
    nep_index_out_abort(o); /* unmaps; the fsync of the commit takes what the mapping left */
    return nep_file_commit(file);
}

void nep_index_out_abort(nep_index_out *o)
{
    if (o->map)
        munmap(o->map, (size_t)o->bytes);
    if (o->ctx && o->fd >= 0)
        close(o->fd);
    nep_file_abort(o->file);
    *o = (nep_index_out){.fd = -1};
}

nep_status nep_index_out_write(nep_ctx *ctx, const char *path, int fd, const void *bytes, int64_t n)
{
    for (int64_t done = 0; done < n;) {
        const ssize_t got = write(fd, (const char *)bytes + done, (size_t)(n - done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return nep_ctx_fail_file(ctx, NEP_E_IO, path, "%s: writing failed (%s); nothing was replaced", path, strerror(errno));
        done += got;
    }
    return NEP_OK;
}
