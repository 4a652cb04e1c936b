/* SPDX-License-Identifier: Apache-2.0 */
/* similar_filter - rows of an index by their ids: those that a search may find, and those that are its queries. */
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/similar.h"

typedef struct {
    const char *id;
    int64_t place;    /* in the list asked for */
    int64_t position; /* of the row with the least number, -1 = none so far */
} wanted;

static int by_id(const void *a, const void *b)
{
    const wanted *p = a, *q = b;
    const int c = strcmp(p->id, q->id);
    return c ? c : (p->place > q->place) - (p->place < q->place);
}

static nep_status open_list(nep_ctx *ctx, const char *const *ids, int64_t n, wanted **out)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof **out, "ids asked for", out));
    for (int64_t i = 0; i < n; i++)
        (*out)[i] = (wanted){ids[i], i, -1};
    qsort(*out, (size_t)n, sizeof **out, by_id);
    return NEP_OK;
}

/* The first of the list with this id, NULL when there is none. */
static wanted *find(wanted *list, int64_t n, const char *id)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (strcmp(list[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && strcmp(list[low].id, id) == 0 ? &list[low] : NULL;
}

/* Gives each of the list its row, and sets the bits of all rows whose ids are on it. */
static nep_status look_up(nep_ctx *ctx, const nep_index *index, wanted *list, int64_t n, uint64_t *allow)
{
    enum { LOOK = 1 << 16 };
    char id[SIMILAR_ID];
    for (int64_t i = 0; i < index->n; i++) {
        if (i % LOOK == 0)
            NEP_TRY(nep_ctx_check(ctx));
        const int64_t number = nep_index_number(index, i);
        wanted *w = find(list, n, nep_index_id(index, i, id, sizeof id));
        if (!w)
            continue;
        if (w->position < 0 || number < nep_index_number(index, w->position))
            w->position = i;
        if (allow)
            allow[number / 64] |= (uint64_t)1 << (number % 64);
    }
    for (int64_t i = 1; i < n; i++) /* an id asked for twice */
        if (strcmp(list[i].id, list[i - 1].id) == 0)
            list[i].position = list[i - 1].position;
    return NEP_OK;
}

nep_status similar_filter_find(nep_ctx *ctx, const nep_index *index, const char *const *ids, int64_t n, int64_t *position)
{
    wanted *list = NULL;
    nep_status st;
    NEP_TRY(open_list(ctx, ids, n, &list));
    NEP_TRY_OR_DONE(st, look_up(ctx, index, list, n, NULL));
    for (int64_t i = 0; i < n; i++)
        position[list[i].place] = list[i].position;
done:
    nep_alloc_free(list);
    return st;
}

/* The rows named by the first column of a table. A shard need not have them all. */
static nep_status read_list(nep_ctx *ctx, const nep_index *index, const char *option, const char *path, uint64_t *allow)
{
    nep_table t = {0};
    const char **ids = NULL;
    wanted *list = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *ids, "ids asked for", &ids));
    for (int64_t r = 0; r < t.n_rows; r++) {
        ids[r] = nep_table_cell(&t, r, 0);
        NEP_REQUIRE_OR_DONE(st, ctx, ids[r], NEP_E_FORMAT, "%s: line %lld has no id", path, (long long)r + 2);
    }
    NEP_TRY_OR_DONE(st, open_list(ctx, ids, t.n_rows, &list));
    NEP_TRY_OR_DONE(st, look_up(ctx, index, list, t.n_rows, allow));
    for (int64_t r = 0; r < t.n_rows && index->n == index->total; r++)
        NEP_REQUIRE_OR_DONE(st, ctx, list[r].position >= 0, NEP_E_ARG, "--%s: the index has no row '%.100s' (line %lld of %s)", option, list[r].id,
                            (long long)list[r].place + 2, path);
done:
    nep_alloc_free(list);
    nep_alloc_free(ids);
    nep_table_free(&t);
    return st;
}

nep_status similar_filter_read(cli *c, const nep_index *index, uint64_t **allow)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *only = cli_text(c, "only"), *exclude = cli_text(c, "exclude");
    const int64_t words = (index->total + 63) / 64;
    uint64_t *set = NULL, *out = NULL;
    nep_status st = NEP_OK;
    if (!only && !exclude)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, words, sizeof *set, "rows that may be found", &set));
    if (only)
        NEP_TRY_OR_DONE(st, read_list(ctx, index, "only", only, set));
    else
        memset(set, 0xff, (size_t)words * sizeof *set);
    if (exclude) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, words, sizeof *out, "rows that may not be found", &out));
        NEP_TRY_OR_DONE(st, read_list(ctx, index, "exclude", exclude, out));
        for (int64_t w = 0; w < words; w++)
            set[w] &= ~out[w];
    }
    *allow = set;
    set = NULL;
done:
    nep_alloc_free(out);
    nep_alloc_free(set);
    return st;
}
