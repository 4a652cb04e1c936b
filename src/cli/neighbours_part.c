/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours_part - a part of a table of neighbours, and the table put together from its parts.
 *
 *   nepenthe/neighbours-part/1
 *   {facts: what the table is of}
 *   shard <tab> I <tab> N
 *   the table's header, and the part's rows
 *   E <tab> number of rows
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/pairs.h"

nep_status cli_neighbours_part_begin(nep_ctx *ctx, nep_file *f, json_t *facts, int64_t shard, int64_t n_shards)
{
    char *text = facts ? json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(facts);
    NEP_REQUIRE(ctx, text, NEP_E_NOMEM, "part: no memory for its facts");
    const nep_status st = nep_file_printf(f, CLI_NEIGHBOURS_PART "\n%s\nshard\t%lld\t%lld\n", text, (long long)shard + 1, (long long)n_shards);
    free(text);
    return st;
}

nep_status cli_neighbours_part_end(nep_file *f, int64_t rows)
{
    return nep_file_printf(f, "E\t%lld\n", (long long)rows);
}

/* ---- merging ---- */

typedef struct {
    const char *path;
    FILE *f;
    char *facts, *head; /* owned lines, with their ends */
    long long shard, n_shards;
} part;

static void part_close(part *p)
{
    if (p->f)
        fclose(p->f);
    free(p->facts);
    free(p->head);
}

static nep_status damaged(nep_ctx *ctx, const part *p, const char *why)
{
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, p->path, "%s: is no whole part of a table of neighbours (%s); make it again", p->path, why);
}

/* The next line with its end, in *text. */
static bool next_line(part *p, char **text, size_t *room)
{
    const ssize_t n = getline(text, room, p->f);
    return n > 0 && (*text)[n - 1] == '\n' && memchr(*text, '\0', (size_t)n) == NULL;
}

static nep_status part_open(nep_ctx *ctx, const char *path, part *p)
{
    char *line = NULL, behind = 0;
    size_t room = 0, facts = 0, head = 0;
    nep_status st = NEP_OK;
    p->path = path;
    p->f = fopen(path, "rbe");
    NEP_REQUIRE(ctx, p->f, NEP_E_MISSING, "%s: cannot be opened", path);
    if (!next_line(p, &line, &room) || strcmp(line, CLI_NEIGHBOURS_PART "\n") != 0)
        st = damaged(ctx, p, "its first line");
    else if (!next_line(p, &p->facts, &facts))
        st = damaged(ctx, p, "what it is of");
    else if (!next_line(p, &line, &room) || sscanf(line, "shard\t%lld\t%lld%c", &p->shard, &p->n_shards, &behind) != 3 || behind != '\n' ||
             p->shard < 1 || p->shard > p->n_shards)
        st = damaged(ctx, p, "which part it is");
    else if (!next_line(p, &p->head, &head))
        st = damaged(ctx, p, "its header");
    free(line);
    return st;
}

static nep_status copy_rows(nep_ctx *ctx, part *p, nep_file *out, int64_t *rows)
{
    char *line = NULL;
    size_t room = 0;
    long long n = 0, said = -1;
    nep_status st = NEP_OK;
    while (st == NEP_OK && next_line(p, &line, &room) && line[0] != 'E') {
        if (++n % 4096 == 0)
            st = nep_ctx_check(ctx);
        if (st == NEP_OK)
            st = nep_file_write(out, line, strlen(line));
    }
    if (st == NEP_OK && (!line || sscanf(line, "E\t%lld", &said) != 1 || said != n || fgetc(p->f) != EOF))
        st = damaged(ctx, p, "its end");
    *rows += n;
    free(line);
    return st;
}

typedef struct {
    part *parts; /* in order */
    int64_t n_parts, rows;
} merger;

static int by_shard(const void *a, const void *b)
{
    const part *x = a, *y = b;
    return (x->shard > y->shard) - (x->shard < y->shard);
}

/* All parts of one table, each once. */
static nep_status check_parts(nep_ctx *ctx, merger *m)
{
    part *p = m->parts;
    for (int64_t i = 1; i < m->n_parts; i++)
        NEP_REQUIRE(ctx, p[i].n_shards == p[0].n_shards && strcmp(p[i].facts, p[0].facts) == 0 && strcmp(p[i].head, p[0].head) == 0, NEP_E_FORMAT,
                    "%s: is a part of another table than %s (another index, metric, number of neighbours, threshold or number of parts)",
                    p[i].path, p[0].path);
    qsort(p, (size_t)m->n_parts, sizeof *p, by_shard);
    for (int64_t i = 1; i < m->n_parts; i++)
        NEP_REQUIRE(ctx, p[i].shard != p[i - 1].shard, NEP_E_FORMAT, "%s and %s are both part %lld of %lld", p[i - 1].path, p[i].path, p[i].shard,
                    p[i].n_shards);
    for (int64_t i = 0; i < p[0].n_shards; i++)
        NEP_REQUIRE(ctx, i < m->n_parts && p[i].shard == i + 1, NEP_E_FORMAT, "part %lld of %lld is missing", (long long)i + 1, p[0].n_shards);
    return NEP_OK;
}

static nep_status write_whole(nep_ctx *ctx, const char *path, void *user)
{
    merger *m = user;
    nep_file *f = NULL;
    nep_status st;
    NEP_TRY(nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_write(f, m->parts[0].head, strlen(m->parts[0].head)));
    for (int64_t i = 0; i < m->n_parts; i++)
        NEP_TRY_OR_DONE(st, copy_rows(ctx, &m->parts[i], f, &m->rows));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

nep_status cli_neighbours_merge(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    merger m = {.n_parts = cli_input_count(c)};
    json_t *extra = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, cli_out(c) || !cli_json(c), NEP_E_USAGE, "--json needs -o here: the document tells of the table, it does not hold it");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m.n_parts, sizeof *m.parts, "parts", &m.parts));
    for (int64_t i = 0; i < m.n_parts; i++)
        NEP_TRY_OR_DONE(st, part_open(ctx, cli_input(c, (int)i), &m.parts[i]));
    NEP_TRY_OR_DONE(st, check_parts(ctx, &m));
    if (cli_dry_run(c)) {
        const char *out[] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, m.n_parts, 0, 0, out, 1);
        goto done;
    }
    extra = json_pack("{s:o?}", "Neighbours", json_loads(m.parts[0].facts, 0, NULL));
    NEP_TRY_OR_DONE(st, cli_emit(c, write_whole, &m, NULL, json_incref(extra)));
    if (cli_json(c))
        st = cli_document(c, json_pack("{s:I,s:O,s:o}", "rows", (json_int_t)m.rows, "table", json_object_get(extra, "Neighbours"), "provenance",
                                       cli_provenance(c, NULL)));
done:
    json_decref(extra);
    for (int64_t i = 0; m.parts && i < m.n_parts; i++)
        part_close(&m.parts[i]);
    nep_alloc_free(m.parts);
    return st;
}
