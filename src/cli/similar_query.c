/* SPDX-License-Identifier: Apache-2.0 */
/* similar_query - what a search is asked: rows of the index itself, or what a file holds (similar_file.c). */
#include <stdlib.h>
#include <string.h>

#include "cli/similar.h"

void similar_queries_free(similar_queries *q)
{
    nep_data_free_names(q->ids, q->ids ? q->n : 0);
    nep_alloc_free(q->bits);
    nep_alloc_free(q->x);
    nep_alloc_free(q->number);
    *q = (similar_queries){0};
}

const char *similar_query_id(const similar_queries *q, int64_t i, char *buf, size_t size)
{
    if (q->ids && q->ids[i] && q->ids[i][0])
        return q->ids[i];
    snprintf(buf, size, "%lld", (long long)i);
    return buf;
}

/* ---- rows of an index ---- */

nep_status similar_queries_rows(nep_ctx *ctx, const nep_index *index, const int64_t *position, int64_t n, similar_queries *out)
{
    const bool bits = index->kind == NEP_INDEX_BITS;
    const int64_t words = index->bits.words, dims = index->vectors.dims;
    char id[SIMILAR_ID];
    out->n = n;
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->ids, "queries", &out->ids));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->number, "queries", &out->number));
    if (bits)
        NEP_TRY(nep_alloc(ctx, n * words, sizeof *out->bits, "queries", &out->bits));
    else
        NEP_TRY(nep_alloc(ctx, n * dims, sizeof *out->x, "queries", &out->x));
    for (int64_t i = 0; i < n; i++) {
        out->number[i] = nep_index_number(index, position[i]);
        NEP_TRY(nep_alloc_string(ctx, nep_index_id(index, position[i], id, sizeof id), &out->ids[i]));
        if (bits)
            memcpy(out->bits + i * words, index->bits.row + position[i] * words, (size_t)words * sizeof *out->bits);
        else
            nep_index_decode(&index->vectors, position[i], out->x + i * dims);
    }
    return NEP_OK;
}

/* "5" or "10-19", row numbers from 0. */
static nep_status parse_rows(nep_ctx *ctx, const nep_index *index, const char *text, int64_t *first, int64_t *last)
{
    char *end;
    *first = strtoll(text, &end, 10);
    bool good = end > text && text[0] >= '0' && text[0] <= '9';
    *last = *first;
    if (good && *end == '-') {
        const char *to = end + 1;
        *last = strtoll(to, &end, 10);
        good = end > to && to[0] >= '0' && to[0] <= '9';
    }
    NEP_REQUIRE(ctx, good && *end == '\0' && *last >= *first, NEP_E_ARG, "--row: '%s' is neither a row number nor a range A-B of them, from 0", text);
    NEP_REQUIRE(ctx, *last < index->total, NEP_E_ARG, "--row: there is no row %lld, the index has rows 0 to %lld", (long long)*last,
                (long long)index->total - 1);
    return NEP_OK;
}

typedef struct {
    int64_t number, position;
} place;

static int by_number(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return (p->number > q->number) - (p->number < q->number);
}

/* Positions of row numbers. */
static nep_status locate(nep_ctx *ctx, const nep_index *index, const int64_t *number, int64_t n, int64_t *position)
{
    place *all = NULL;
    nep_status st = NEP_OK;
    if (index->number) {
        NEP_TRY(nep_alloc(ctx, index->n, sizeof *all, "row numbers", &all));
        for (int64_t i = 0; i < index->n; i++)
            all[i] = (place){index->number[i], i};
        qsort(all, (size_t)index->n, sizeof *all, by_number);
    }
    for (int64_t i = 0; i < n && st == NEP_OK; i++) {
        const place want = {number[i], 0}, *found = all ? bsearch(&want, all, (size_t)index->n, sizeof want, by_number) : NULL;
        position[i] = all ? (found ? found->position : -1) : number[i] - index->first;
        if (position[i] < 0 || position[i] >= index->n)
            st = nep_ctx_fail(ctx, NEP_E_ARG, "--row: row %lld lies in another shard of the index", (long long)number[i]);
    }
    nep_alloc_free(all);
    return st;
}

static nep_status queries_by_row(cli *c, const nep_index *index, similar_queries *out)
{
    nep_ctx *ctx = cli_ctx(c);
    int64_t *number = NULL, total = 0, first, last;
    int n = 0;
    const char *const *texts = cli_texts(c, "row", &n);
    nep_status st;
    for (int k = 0; k < n; k++) {
        NEP_TRY(parse_rows(ctx, index, texts[k], &first, &last));
        total += last - first + 1;
    }
    NEP_TRY(nep_alloc(ctx, total, sizeof *number, "queries", &number));
    total = 0;
    for (int k = 0; k < n; k++) {
        NEP_TRY_OR_DONE(st, parse_rows(ctx, index, texts[k], &first, &last));
        for (int64_t r = first; r <= last; r++)
            number[total++] = r;
    }
    NEP_TRY_OR_DONE(st, locate(ctx, index, number, total, number));
    st = similar_queries_rows(ctx, index, number, total, out);
done:
    nep_alloc_free(number);
    return st;
}

static nep_status queries_by_id(cli *c, const nep_index *index, similar_queries *out)
{
    nep_ctx *ctx = cli_ctx(c);
    int n = 0;
    const char *const *ids = cli_texts(c, "id", &n);
    int64_t *position = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, n, sizeof *position, "queries", &position));
    NEP_TRY_OR_DONE(st, similar_filter_find(ctx, index, ids, n, position));
    for (int k = 0; k < n; k++)
        NEP_REQUIRE_OR_DONE(st, ctx, position[k] >= 0, NEP_E_ARG, "--id: the index has no row '%s'%s", ids[k],
                            index->n < index->total ? " in this shard" : "");
    st = similar_queries_rows(ctx, index, position, n, out);
done:
    nep_alloc_free(position);
    return st;
}

nep_status similar_queries_order(nep_ctx *ctx, const nep_index *index, int64_t *position)
{
    place *all = NULL;
    NEP_TRY(nep_alloc(ctx, index->n, sizeof *all, "row numbers", &all));
    for (int64_t i = 0; i < index->n; i++)
        all[i] = (place){nep_index_number(index, i), i};
    qsort(all, (size_t)index->n, sizeof *all, by_number);
    for (int64_t i = 0; i < index->n; i++)
        position[i] = all[i].position;
    nep_alloc_free(all);
    return NEP_OK;
}

nep_status similar_queries_read(cli *c, const nep_index *index, similar_queries *out)
{
    const int given = cli_given(c, "query") + cli_given(c, "row") + cli_given(c, "id");
    nep_status st;
    NEP_REQUIRE(cli_ctx(c), given == 1, NEP_E_USAGE, "%s of --query FILE, --row N and --id ID: what is looked for", given == 0 ? "give one" : "give only one");
    st = cli_given(c, "query") ? similar_queries_file(c, index, cli_text(c, "query"), out)
         : cli_given(c, "row") ? queries_by_row(c, index, out)
                               : queries_by_id(c, index, out);
    if (st != NEP_OK)
        similar_queries_free(out);
    return st;
}
