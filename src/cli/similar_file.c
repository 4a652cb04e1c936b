/* SPDX-License-Identifier: Apache-2.0 */
/* similar_file - queries of a file: an index, structures, a table of vectors, or what other programs keep vectors and fingerprints in. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include <nepenthe/io.h>

#include "cli/similar.h"
#include "cli/subjects.h"

#define INDEX_MAGIC "nepenthe/index/"

static nep_status check_width(nep_ctx *ctx, const char *path, const char *what, int64_t has, int64_t want)
{
    return has == want ? NEP_OK
                       : nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "%s: its rows have %lld %s, those of the index %lld", path, (long long)has, what,
                                           (long long)want);
}

/* All rows of another index, or of the same. */
static nep_status queries_of_index(nep_ctx *ctx, const nep_index *index, const char *path, similar_queries *out)
{
    nep_index other = {0};
    int64_t *position = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_index_open(ctx, path, &other));
    NEP_REQUIRE_OR_DONE(st, ctx, other.kind == index->kind, NEP_E_SHAPE, "%s holds %s, the index %s", path,
                        other.kind == NEP_INDEX_BITS ? "bit vectors" : "dense vectors", index->kind == NEP_INDEX_BITS ? "bit vectors" : "dense vectors");
    if (index->kind == NEP_INDEX_BITS)
        NEP_TRY_OR_DONE(st, check_width(ctx, path, "bits", other.bits.n_bits, index->bits.n_bits));
    else
        NEP_TRY_OR_DONE(st, check_width(ctx, path, "dimensions", other.vectors.dims, index->vectors.dims));
    NEP_TRY_OR_DONE(st, similar_kind_check(ctx, index, path, other.about));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, other.n, sizeof *position, "queries", &position));
    NEP_TRY_OR_DONE(st, similar_queries_order(ctx, &other, position));
    NEP_TRY_OR_DONE(st, similar_queries_rows(ctx, &other, position, other.n, out));
    if (other.content != index->content) {
        nep_alloc_free(out->number);
        out->number = NULL;
    }
done:
    nep_alloc_free(position);
    nep_index_free(&other);
    return st;
}

/* Vectors with ids and named columns. */
static nep_status queries_of_subjects(nep_ctx *ctx, const nep_index *index, const char *path, similar_queries *out)
{
    cli_subjects s = {0};
    nep_status st;
    NEP_REQUIRE(ctx, index->kind == NEP_INDEX_VECTORS, NEP_E_SHAPE, "%s holds dense vectors, the index bit vectors", path);
    NEP_TRY_OR_DONE(st, cli_subjects_read(ctx, path, &s));
    NEP_TRY_OR_DONE(st, check_width(ctx, path, "dimensions", s.p, index->vectors.dims));
    for (int64_t i = 0; i < s.n * s.p; i++)
        NEP_REQUIRE_OR_DONE(st, ctx, isfinite(s.x[i]), NEP_E_FORMAT, "%s: query '%s' has no value in column '%s'", path, s.ids[i / s.p],
                            s.columns[i % s.p]);
    out->n = s.n;
    out->ids = s.ids;
    out->x = s.x;
    s.ids = NULL;
    s.x = NULL;
    s.n = 0;
done:
    cli_subjects_free(&s);
    return st;
}

/* Rows of another program's file. */
static nep_status read_source(nep_ctx *ctx, nep_source *source, const char *path, similar_queries *out)
{
    enum { STEP = 1024 };
    const nep_source_info *info = nep_source_about(source);
    const bool bits = info->kind == NEP_INDEX_BITS;
    const int64_t wide = bits ? (info->width + 63) / 64 : info->width;
    int64_t room = 0, got = 1;
    char *ids[STEP] = {0};
    while (got > 0) {
        if (out->n + STEP > room) {
            room = 2 * room + STEP;
            NEP_TRY(bits ? nep_alloc_grow(ctx, room * wide, sizeof *out->bits, "queries", &out->bits)
                         : nep_alloc_grow(ctx, room * wide, sizeof *out->x, "queries", &out->x));
            if (info->ids)
                NEP_TRY(nep_alloc_grow(ctx, room, sizeof *out->ids, "queries", &out->ids));
        }
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(nep_source_next(source, bits ? (void *)(out->bits + out->n * wide) : out->x + out->n * wide, STEP, ids, &got));
        const int64_t first = out->n;
        out->n += got;
        for (int64_t i = 0; i < got && info->ids; i++)
            NEP_TRY(nep_alloc_string(ctx, ids[i] ? ids[i] : "", &out->ids[first + i]));
    }
    for (int64_t i = 0; !bits && i < out->n * wide; i++)
        if (!isfinite(out->x[i])) {
            char id[SIMILAR_ID];
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: query '%s' has a value that is not finite, item %lld of %lld", path,
                                     similar_query_id(out, i / wide, id, sizeof id), (long long)(i % wide) + 1, (long long)wide);
        }
    return out->n > 0 ? NEP_OK : nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: holds no row, so that nothing is looked for", path);
}

static nep_status queries_of_source(cli *c, const nep_index *index, const char *path, similar_queries *out)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool bits = index->kind == NEP_INDEX_BITS;
    const nep_source_opts o = {.format = cli_text(c, "format"), .dataset = cli_text(c, "dataset"), .bits = bits};
    nep_source *source = NULL;
    nep_status st;
    NEP_TRY(nep_source_open(ctx, path, &o, &source));
    const nep_source_info *info = nep_source_about(source);
    NEP_REQUIRE_OR_DONE(st, ctx, info->kind == index->kind, NEP_E_SHAPE, "%s holds %s vectors, the index %s vectors", path, bits ? "dense" : "bit",
                        bits ? "bit" : "dense");
    NEP_TRY_OR_DONE(st, check_width(ctx, path, bits ? "bits" : "dimensions", info->width, bits ? index->bits.n_bits : index->vectors.dims));
    NEP_TRY_OR_DONE(st, similar_kind_check(ctx, index, path, info->about));
    st = read_source(ctx, source, path, out);
done:
    nep_source_free(source);
    return st;
}

/* ---- which ---- */

static bool ends(const char *path, const char *tail)
{
    const size_t n = strlen(path), m = strlen(tail);
    return n > m && strcasecmp(path + n - m, tail) == 0;
}

/* Whether a file is of one of these formats, by --format or, where that says nothing, by its name. */
static bool is_of(const char *path, const char *format, const char *const *formats, int n)
{
    char tail[16];
    for (int k = 0; k < n; k++) {
        if (format && strcmp(format, formats[k]) == 0)
            return true;
        for (int gz = 0; gz < 2 && !format; gz++) {
            snprintf(tail, sizeof tail, ".%s%s", formats[k], gz ? ".gz" : "");
            if (ends(path, tail))
                return true;
        }
    }
    return false;
}

static bool is_index(const char *path)
{
    char head[sizeof INDEX_MAGIC - 1] = "";
    FILE *f = fopen(path, "rb");
    const bool is = f && fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, INDEX_MAGIC, sizeof head) == 0;
    if (f)
        fclose(f);
    return is;
}

nep_status similar_queries_file(cli *c, const nep_index *index, const char *path, similar_queries *out)
{
    static const char *const structures[] = {"smi", "smiles", "ism", "sdf", "sd", "mol"}, *const tables[] = {"tsv", "tab", "csv"};
    const char *format = cli_text(c, "format");
    if (!format && is_index(path))
        return queries_of_index(cli_ctx(c), index, path, out);
    const bool table = is_of(path, format, tables, NEP_LEN(tables));
    if (is_of(path, format, structures, NEP_LEN(structures)) || (table && index->kind == NEP_INDEX_BITS))
        return similar_queries_structures(c, index, path, out);
    return table ? queries_of_subjects(cli_ctx(c), index, path, out) : queries_of_source(c, index, path, out);
}
