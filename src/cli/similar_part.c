/* SPDX-License-Identifier: Apache-2.0 */
/* similar_part - a part of a search that was cut in shards: text that says what it is of, hits with exact scores, and its own hash.
 *
 *   nepenthe/similar-part/1
 *   {facts}
 *   Q <tab> bits of the query, or - <tab> id            a line per query, followed by its hits:
 *   H <tab> row number <tab> score, hexadecimal <tab> common <tab> union <tab> id [<tab> metadata ...]
 *   E <tab> XXH3-128 of all that stands before
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nepenthe/io.h>

#include "cli/similar.h"

static const char *metric_name(nep_metric m)
{
    static const char *const names[] = {"tanimoto", "dice", "cosine", "tversky", "inner", "l2"};
    return names[m];
}

static json_t *decimal(const nep_decimal *d)
{
    return json_pack("[I,I]", (json_int_t)d->num, (json_int_t)d->den);
}

static json_t *hash_json(const void *bytes, size_t n)
{
    const nep_hash h = nep_hash_bytes(bytes, n);
    return json_string(h.hex);
}

/* The queries as they are searched with, and what they are called. */
static json_t *hash_queries(const nep_index *index, const similar_queries *q)
{
    json_t *list = json_array();
    json_array_append_new(list, q->bits ? hash_json(q->bits, (size_t)(q->n * index->bits.words) * sizeof *q->bits)
                                        : hash_json(q->x, (size_t)(q->n * index->vectors.dims) * sizeof *q->x));
    return list;
}

json_t *similar_part_facts(cli *c, const nep_index *index, const nep_search_opts *o, const similar_queries *q, const similar_head *h)
{
    char content[17];
    json_t *columns = json_array();
    snprintf(content, sizeof content, "%016" PRIx64, index->content);
    for (int k = 0; k < h->n_columns; k++)
        json_array_append_new(columns, json_string(h->column[k]));
    json_t *facts = json_pack("{s:s,s:s,s:s,s:I,s:s,s:I,s:b,s:o,s:o,s:o,s:I,s:I,s:I,s:b,s:I,s:o,s:o}", "version", NEP_VERSION, "content", content,
                              "kind", index->kind == NEP_INDEX_BITS ? "bits" : "vectors", "total", (json_int_t)index->total, "metric",
                              metric_name(o->metric), "k", (json_int_t)o->k, "by_threshold", o->by_threshold, "threshold", decimal(&o->threshold),
                              "alpha", decimal(&o->alpha), "beta", decimal(&o->beta), "first", (json_int_t)o->first, "last", (json_int_t)o->last,
                              "probe", (json_int_t)o->probe, "no_self", cli_flag(c, "no-self"), "queries", (json_int_t)q->n, "query_hash",
                              hash_queries(index, q), "columns", columns);
    if (facts && o->allow)
        json_object_set_new(facts, "allow", hash_json(o->allow, (size_t)((index->total + 63) / 64) * sizeof *o->allow));
    return facts;
}

/* ---- writing ---- */

static nep_status put(similar_part *p, const char *bytes, size_t n)
{
    NEP_REQUIRE(p->ctx, XXH3_128bits_update(p->state, bytes, n) == XXH_OK, NEP_E_INTERNAL, "part: its hash failed");
    return nep_file_write(p->file, bytes, n);
}

static nep_status put_text(similar_part *p, const char *text)
{
    return put(p, text, strlen(text));
}

nep_status similar_part_begin(nep_ctx *ctx, const char *path, json_t *facts, similar_part *p)
{
    nep_status st;
    char *text = facts ? json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    *p = (similar_part){.ctx = ctx, .state = XXH3_createState()};
    NEP_REQUIRE_OR_DONE(st, ctx, text && p->state && XXH3_128bits_reset(p->state) == XXH_OK, NEP_E_NOMEM, "part: no memory for its facts");
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &p->file));
    NEP_TRY_OR_DONE(st, put_text(p, SIMILAR_PART "\n"));
    NEP_TRY_OR_DONE(st, put_text(p, text));
    st = put_text(p, "\n");
done:
    free(text);
    return st;
}

nep_status similar_part_query(similar_part *p, const char *id, int32_t bits)
{
    char head[32];
    if (bits < 0)
        snprintf(head, sizeof head, "Q\t-\t");
    else
        snprintf(head, sizeof head, "Q\t%d\t", bits);
    NEP_TRY(put_text(p, head));
    NEP_TRY(put_text(p, id));
    return put_text(p, "\n");
}

nep_status similar_part_hit(similar_part *p, int64_t number, const similar_head *h, const similar_row *row)
{
    char head[128];
    snprintf(head, sizeof head, "H\t%lld\t%a\t%d\t%d\t", (long long)number, row->score, row->common, row->total);
    NEP_TRY(put_text(p, head));
    NEP_TRY(put_text(p, row->id));
    for (int k = 0; k < h->n_columns; k++) {
        NEP_TRY(put_text(p, "\t"));
        NEP_TRY(put(p, row->cell[k], (size_t)row->cell_bytes[k]));
    }
    return put_text(p, "\n");
}

static void hex_of(XXH128_hash_t h, char hex[33])
{
    snprintf(hex, 33, "%016" PRIx64 "%016" PRIx64, h.high64, h.low64);
}

nep_status similar_part_end(similar_part *p)
{
    char hex[33], line[64];
    hex_of(XXH3_128bits_digest(p->state), hex);
    snprintf(line, sizeof line, "E\t%s\n", hex);
    nep_status st = nep_file_write(p->file, line, strlen(line));
    if (st == NEP_OK) {
        st = nep_file_commit(p->file);
        p->file = NULL;
    }
    return st;
}

void similar_part_abort(similar_part *p)
{
    nep_file_abort(p->file);
    XXH3_freeState(p->state);
    *p = (similar_part){0};
}

/* ---- reading ---- */

bool similar_part_is(const char *path)
{
    char head[sizeof SIMILAR_PART] = "";
    FILE *f = fopen(path, "rb");
    const bool is = f && fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, SIMILAR_PART "\n", sizeof head) == 0;
    if (f)
        fclose(f);
    return is;
}

static nep_status damaged(nep_ctx *ctx, const char *path, const char *what)
{
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: %s; the part is damaged, make it again", path, what);
}

static nep_status map_part(nep_ctx *ctx, const char *path, similar_part_in *in)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path, "%s: cannot be opened (%s)", path, strerror(errno));
    const bool whole = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    void *map = whole ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED)
        return damaged(ctx, path, "it cannot be mapped into memory");
    in->map = map;
    in->bytes = (size_t)info.st_size;
    return NEP_OK;
}

nep_status similar_part_open(nep_ctx *ctx, const char *path, similar_part_in *in)
{
    enum { LAST = 2 + 32 + 1 }; /* bytes of the last line */
    static const char first[] = SIMILAR_PART "\n";
    char hex[33];
    json_error_t e;
    *in = (similar_part_in){.path = path};
    NEP_TRY(map_part(ctx, path, in));
    if (in->bytes < sizeof first - 1 + LAST || memcmp(in->map, first, sizeof first - 1) != 0)
        return damaged(ctx, path, "it is no part of a search");
    in->end = in->map + in->bytes - LAST;
    hex_of(XXH3_128bits(in->map, in->bytes - LAST), hex);
    if (memcmp(in->end, "E\t", 2) != 0 || memcmp(in->end + 2, hex, 32) != 0 || in->end[LAST - 1] != '\n')
        return damaged(ctx, path, "its hash is not that of its content");
    in->at = in->map + sizeof first - 1;
    const char *line = in->at, *stop = memchr(line, '\n', (size_t)(in->end - line));
    in->facts = stop ? json_loadb(line, (size_t)(stop - line), JSON_REJECT_DUPLICATES, &e) : NULL;
    if (!json_is_object(in->facts))
        return damaged(ctx, path, "its second line is no object");
    in->at = stop + 1;
    return NEP_OK;
}

void similar_part_close(similar_part_in *in)
{
    if (in->map)
        munmap(in->map, in->bytes);
    json_decref(in->facts);
    *in = (similar_part_in){0};
}
