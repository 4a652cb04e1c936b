/* SPDX-License-Identifier: Apache-2.0 */
/* index - index files, nepenthe/index/1, opened by mapping them. Header and table of sections are verified by checksum, sizes against
 * the file, and what a search trusts by a look at it (index_scan.c); the checksums of the sections are nep_index_check's. */
#include "io/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void mapping_release(nep_index_owner *self)
{
    nep_index_mapping *m = (nep_index_mapping *)self;
    if (m->map)
        munmap(m->map, (size_t)m->bytes);
    nep_alloc_free(m->column);
    nep_alloc_free(m->path);
    nep_alloc_free(m);
}

nep_index_mapping *nep_index_mapping_of(const nep_index *x)
{
    const nep_index_owner *owner = x->owner;
    return owner && owner->release == mapping_release ? x->owner : NULL;
}

static int64_t get_i64(const char *at)
{
    int64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint32_t get_u32(const char *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static nep_status damaged(nep_ctx *ctx, const char *path, const char *what)
{
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: %s; the file is damaged, build it again or copy it from its source", path, what);
}

/* ---- the file and its header ---- */

static nep_status map_file(nep_ctx *ctx, const char *path, nep_index_mapping *m)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path, "%s: cannot be opened (%s)", path,
                                 strerror(errno));
    nep_status st = NEP_OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: is no regular file, which an index must be", path);
    else if (info.st_size < NEP_INDEX_HEAD)
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: is no index file (%lld bytes); `nepenthe vectors` makes one", path,
                               (long long)info.st_size);
    if (st == NEP_OK) {
        m->bytes = info.st_size;
        m->map = mmap(NULL, (size_t)m->bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (m->map == MAP_FAILED) {
            m->map = NULL;
            st = nep_ctx_fail_file(ctx, NEP_E_IO, path, "%s: cannot be mapped into memory (%s)", path, strerror(errno));
        }
    }
    close(fd);
    return st;
}

static nep_status check_schema(nep_ctx *ctx, const char *path, const char *head)
{
    const size_t n = strlen(NEP_INDEX_SCHEMA);
    char text[25] = "";
    memcpy(text, head, 24);
    if (strncmp(text, NEP_INDEX_SCHEMA, n) != 0)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: is no index file; `nepenthe vectors` makes one", path);
    char *end;
    const long major = strtol(text + n, &end, 10);
    if (end == text + n || (*end != '\0' && *end != '.') || major < 1)
        return damaged(ctx, path, "its version cannot be read");
    if (major > NEP_INDEX_MAJOR)
        return nep_ctx_fail_file(ctx, NEP_E_NOTSUP, path, "%s: is of version %.24s, this program reads " NEP_INDEX_SCHEMA "%d; use a newer nepenthe",
                                 path, text, NEP_INDEX_MAJOR);
    return NEP_OK;
}

/* Header and table against their checksum, and the size that the header gives against the file's. */
static nep_status check_header(nep_ctx *ctx, const char *path, const nep_index_mapping *m)
{
    const char *head = m->map;
    const uint32_t n = get_u32(head + NEP_INDEX_AT_SECTIONS);
    NEP_TRY(check_schema(ctx, path, head));
    if (n > NEP_INDEX_SECTIONS_MOST)
        return damaged(ctx, path, "its header is not whole");
    const int64_t table = NEP_INDEX_HEAD + (int64_t)n * NEP_INDEX_ENTRY;
    if (m->bytes < table)
        return nep_ctx_fail_file(ctx, NEP_E_TRUNCATED, path, "%s: ends within its header; copy it again from its source", path);
    if (nep_index_header_hash(head, n) != (uint64_t)get_i64(head + NEP_INDEX_AT_CHECKSUM))
        return damaged(ctx, path, "its header does not agree with its checksum");
    const int64_t bytes = get_i64(head + NEP_INDEX_AT_BYTES);
    if (bytes > m->bytes)
        return nep_ctx_fail_file(ctx, NEP_E_TRUNCATED, path, "%s: has %lld bytes of %lld; copy it again from its source", path,
                                 (long long)m->bytes, (long long)bytes);
    return bytes == m->bytes ? NEP_OK : damaged(ctx, path, "bytes follow its end");
}

static nep_status read_table(nep_ctx *ctx, const char *path, nep_index_mapping *m)
{
    const char *head = m->map, *entry = head + NEP_INDEX_HEAD;
    const int64_t n = get_u32(head + NEP_INDEX_AT_SECTIONS), table = NEP_INDEX_HEAD + n * NEP_INDEX_ENTRY;
    for (int s = 0; s < NEP_SECTION_COUNT; s++)
        m->size[s] = -1;
    for (int64_t i = 0; i < n; i++, entry += NEP_INDEX_ENTRY) {
        const int64_t offset = get_i64(entry + 8), bytes = get_i64(entry + 16);
        if (offset < table || offset % NEP_INDEX_LINE != 0 || bytes < 0 || offset > m->bytes || bytes > m->bytes - offset)
            return damaged(ctx, path, "a section lies outside it");
        for (int s = 0; s < NEP_SECTION_COUNT; s++) {
            char tag[9] = "";
            memcpy(tag, entry, 8);
            if (strcmp(tag, nep_index_section_tag((nep_index_section)s)) != 0)
                continue;
            if (m->size[s] >= 0)
                return damaged(ctx, path, "a section stands there twice");
            m->offset[s] = offset;
            m->size[s] = bytes;
            m->checksum[s] = (uint64_t)get_i64(entry + 24);
        }
    }
    return NEP_OK;
}

/* ---- facts and arrays ---- */

static nep_status read_facts(nep_ctx *ctx, const char *path, nep_index_mapping *m, nep_index *x)
{
    const char *head = m->map;
    const uint32_t kind = get_u32(head + NEP_INDEX_AT_KIND), type = get_u32(head + NEP_INDEX_AT_TYPE);
    const int64_t width = get_i64(head + NEP_INDEX_AT_WIDTH), lists = get_i64(head + NEP_INDEX_AT_LISTS);
    x->n = get_i64(head + NEP_INDEX_AT_N);
    x->total = get_i64(head + NEP_INDEX_AT_TOTAL);
    x->first = get_i64(head + NEP_INDEX_AT_FIRST);
    x->content = (uint64_t)get_i64(head + NEP_INDEX_AT_CONTENT);
    x->n_columns = get_u32(head + NEP_INDEX_AT_COLUMNS);
    m->sum = (uint64_t)get_i64(head + NEP_INDEX_AT_SUM);
    if (x->n < 1 || x->n > INT64_MAX / 64 || x->total < x->n || x->first < 0 || x->first > x->total - x->n || x->n_columns > NEP_INDEX_COLUMNS_MOST)
        return damaged(ctx, path, "its numbers of rows make no sense");
    if (kind == NEP_INDEX_BITS && type == 0 && width >= 1 && width <= NEP_INDEX_BITS_MOST && lists == 0) {
        x->kind = NEP_INDEX_BITS;
        x->bits.n_bits = width;
        x->bits.words = (width + 63) / 64;
        return NEP_OK;
    }
    if (kind != NEP_INDEX_VECTORS || nep_index_item_size((nep_vector_type)type) == 0 || width < 1 || width > NEP_INDEX_DIMS_MOST || lists < 0 ||
        lists > x->n)
        return damaged(ctx, path, "its kind of rows is unknown");
    x->kind = NEP_INDEX_VECTORS;
    x->vectors.type = (nep_vector_type)type;
    x->vectors.dims = width;
    x->vectors.stride = nep_index_stride(width, nep_index_item_size(x->vectors.type));
    x->vectors.n_lists = lists;
    x->vectors.shadow_stride = m->size[NEP_SECTION_SHADOW] >= 0 ? nep_index_stride(width, 1) : 0;
    return NEP_OK;
}

static const void *at(const nep_index_mapping *m, nep_index_section s)
{
    return m->size[s] >= 0 ? (const char *)m->map + m->offset[s] : NULL;
}

static void point(const nep_index_mapping *m, nep_index *x)
{
    if (x->kind == NEP_INDEX_BITS) {
        x->bits.row = at(m, NEP_SECTION_ROWS);
        x->bits.popcount = at(m, NEP_SECTION_POPCOUNT);
        x->bits.sketch = at(m, NEP_SECTION_SKETCH);
    } else {
        x->vectors.row = at(m, NEP_SECTION_ROWS);
        x->vectors.scale = at(m, NEP_SECTION_SCALE);
        x->vectors.norm = at(m, NEP_SECTION_NORM);
        x->vectors.shadow = at(m, NEP_SECTION_SHADOW);
        x->vectors.shadow_scale = at(m, NEP_SECTION_SHADOW_SCALE);
        x->vectors.shadow_residual = at(m, NEP_SECTION_SHADOW_RESIDUAL);
        x->vectors.centroid = at(m, NEP_SECTION_CENTROID);
        x->vectors.list_start = at(m, NEP_SECTION_LIST_START);
    }
    x->number = at(m, NEP_SECTION_NUMBER);
    x->id_start = at(m, NEP_SECTION_ID_START);
    x->id_text = at(m, NEP_SECTION_ID_TEXT);
    x->cell_start = at(m, NEP_SECTION_CELL_START);
    x->cell_text = at(m, NEP_SECTION_CELL_TEXT);
}

static nep_status check_sizes(nep_ctx *ctx, const char *path, const nep_index_mapping *m, const nep_index *x)
{
    int64_t size[NEP_SECTION_COUNT];
    const bool fits = nep_index_section_sizes(x, m->size[NEP_SECTION_ID_TEXT], m->size[NEP_SECTION_CELL_TEXT], m->size[NEP_SECTION_COLUMNS],
                                              m->size[NEP_SECTION_ABOUT], size);
    bool agree = fits && size[NEP_SECTION_ABOUT] > 0 && (!x->id_start || x->id_text) && (x->n_columns == 0 || (x->cell_text && x->cell_start && m->size[NEP_SECTION_COLUMNS] > 0)) &&
                 (x->kind != NEP_INDEX_BITS || (x->number && (!x->bits.sketch || x->bits.words <= NEP_INDEX_SKETCH_WORDS))) &&
                 (x->kind != NEP_INDEX_VECTORS || !x->vectors.shadow || x->vectors.type != NEP_VECTOR_I8) &&
                 (x->kind != NEP_INDEX_VECTORS || x->vectors.n_lists == 0 || x->number) && (!x->number || x->first == 0);
    for (int s = 0; s < NEP_SECTION_COUNT; s++)
        agree = agree && size[s] == m->size[s];
    return agree ? NEP_OK : damaged(ctx, path, "its sections do not agree with its header");
}

static bool plain(const char *text, int64_t n)
{
    int bad = 0;
    for (int64_t i = 0; i < n; i++)
        bad |= (unsigned char)text[i] < ' ';
    return !bad;
}

static nep_status read_names(nep_ctx *ctx, const char *path, nep_index_mapping *m, nep_index *x)
{
    const char *about = at(m, NEP_SECTION_ABOUT), *names = at(m, NEP_SECTION_COLUMNS);
    const int64_t n_about = m->size[NEP_SECTION_ABOUT], n_names = m->size[NEP_SECTION_COLUMNS];
    if (about[n_about - 1] != '\0' || !plain(about, n_about - 1))
        return damaged(ctx, path, "what it says of itself is not text");
    x->about = about;
    NEP_TRY(nep_alloc(ctx, x->n_columns, sizeof *m->column, "columns", &m->column));
    int64_t place = 0;
    for (int64_t c = 0; c < x->n_columns; c++) {
        const char *name = names + place, *end = place < n_names ? memchr(name, '\0', (size_t)(n_names - place)) : NULL;
        if (!end || end == name || !plain(name, end - name))
            return damaged(ctx, path, "the names of its columns are not text");
        m->column[c] = (char *)(uintptr_t)name;
        place += end - name + 1;
    }
    x->column = m->column;
    return x->n_columns == 0 || place == n_names ? NEP_OK : damaged(ctx, path, "it names more columns than it has");
}

nep_status nep_index_open(nep_ctx *ctx, const char *path, nep_index *out)
{
    nep_index x = {0};
    nep_index_mapping *m = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *m, "index", &m));
    m->owner.release = mapping_release;
    x.owner = m;
    x.life = &m->owner.life;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &m->path));
    NEP_TRY_OR_DONE(st, map_file(ctx, path, m));
    NEP_TRY_OR_DONE(st, check_header(ctx, path, m));
    NEP_TRY_OR_DONE(st, read_table(ctx, path, m));
    NEP_TRY_OR_DONE(st, read_facts(ctx, path, m, &x));
    point(m, &x);
    NEP_TRY_OR_DONE(st, check_sizes(ctx, path, m, &x));
    NEP_TRY_OR_DONE(st, read_names(ctx, path, m, &x));
    NEP_TRY_OR_DONE(st, nep_index_scan(ctx, &x, path, m->size[NEP_SECTION_ID_TEXT], m->size[NEP_SECTION_CELL_TEXT]));
    *out = x;
    x = (nep_index){0};
done:
    nep_index_free(&x);
    return st;
}
