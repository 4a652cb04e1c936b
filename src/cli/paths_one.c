/* SPDX-License-Identifier: Apache-2.0 */
/* paths_one - the heaviest paths of one pair, a line each: nodes, share, and the rows, licences and sources of its edges. */
#include "cli/paths.h"

#include <stdarg.h>
#include <string.h>

#include "cli/network.h"
#include "cli/tabular.h"

enum { TEXTS = 5 }; /* nodes, names, rows, licences, sources */

typedef struct {
    const char **metapath;
    char **text[TEXTS];
    double *rank, *pdp, *share;
    int64_t n;
    json_t *summary; /* of each metapath */
} table;

static void table_free(table *t)
{
    for (int i = 0; i < TEXTS; i++)
        nep_data_free_names(t->text[i], t->text[i] ? t->n : 0);
    nep_alloc_free(t->metapath);
    nep_alloc_free(t->rank);
    nep_alloc_free(t->pdp);
    nep_alloc_free(t->share);
    json_decref(t->summary);
}

static nep_status grow(nep_ctx *ctx, table *t, int64_t n)
{
    NEP_TRY(nep_alloc_grow(ctx, n, sizeof *t->metapath, "paths: rows", &t->metapath));
    for (int i = 0; i < TEXTS; i++)
        NEP_TRY(nep_alloc_grow(ctx, n, sizeof *t->text[i], "paths: rows", &t->text[i]));
    NEP_TRY(nep_alloc_grow(ctx, n, sizeof *t->rank, "paths: rows", &t->rank));
    NEP_TRY(nep_alloc_grow(ctx, n, sizeof *t->pdp, "paths: rows", &t->pdp));
    return nep_alloc_grow(ctx, n, sizeof *t->share, "paths: rows", &t->share);
}

/* One more word of a cell, parted by "; ". */
static nep_status append(nep_ctx *ctx, char **cell, const char *fmt, ...) NEP_PRINTF(3, 4);
static nep_status append(nep_ctx *ctx, char **cell, const char *fmt, ...)
{
    char word[512];
    const size_t have = *cell ? strlen(*cell) : 0;
    va_list args;
    va_start(args, fmt);
    vsnprintf(word, sizeof word, fmt, args);
    va_end(args);
    const size_t n = have + strlen(word) + 3;
    NEP_TRY(nep_alloc_grow(ctx, (int64_t)n, 1, "paths: a cell", cell));
    snprintf(*cell + have, n - have, "%s%s", have ? "; " : "", word);
    return NEP_OK;
}

static const char *file_of(const nep_network_metaedge *m)
{
    const char *slash = strrchr(m->path, '/');
    return slash ? slash + 1 : m->path;
}

static const char *or_none(const char *text)
{
    return *text ? text : "n/a";
}

static nep_status write_texts(const cli_paths *p, const nep_metapath *m, const nep_path *x, table *t, int64_t row)
{
    nep_ctx *ctx = cli_ctx(p->c);
    for (int k = 0; k <= m->length; k++) {
        const char *id = p->net.kind[m->kind[k]].node[x->node[k]], *name = cli_network_name(&p->net, m->kind[k], x->node[k]);
        NEP_TRY(append(ctx, &t->text[0][row], "%s", id));
        NEP_TRY(append(ctx, &t->text[1][row], "%s", name ? name : id));
    }
    for (int k = 0; k < m->length; k++) {
        const int64_t e = m->step[k].metaedge;
        NEP_TRY(append(ctx, &t->text[2][row], "%s:%lld", file_of(&p->net.metaedge[e]), (long long)p->net.metaedge[e].line[x->edge[k]]));
        NEP_TRY(append(ctx, &t->text[3][row], "%s", or_none(nep_network_licence(&p->net, e, x->edge[k]))));
        NEP_TRY(append(ctx, &t->text[4][row], "%s", or_none(nep_network_source(&p->net, e, x->edge[k]))));
    }
    return NEP_OK;
}

/* What the edges at one end contribute, all paths counted. */
static json_t *shares(const cli_paths *p, int64_t kind, const nep_path_edge *edge, int64_t n)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) {
        const char *name = cli_network_name(&p->net, kind, edge[i].node);
        json_array_append_new(list, json_pack("{s:s,s:s?,s:I,s:f}", "node", p->net.kind[kind].node[edge[i].node], "name", name, "n_paths",
                                              (json_int_t)edge[i].n, "share", edge[i].share));
    }
    return list;
}

static nep_status add_metapath(cli_paths *p, int i, const nep_paths *found, table *t)
{
    const nep_metapath *m = &p->path[i];
    const int64_t first = t->n;
    NEP_TRY(grow(cli_ctx(p->c), t, first + found->n));
    t->n = first + found->n;
    for (int64_t k = 0; k < found->n; k++) {
        t->metapath[first + k] = p->text[i];
        t->rank[first + k] = (double)(k + 1);
        t->pdp[first + k] = found->path[k].pdp;
        t->share[first + k] = found->path[k].share;
        NEP_TRY(write_texts(p, m, &found->path[k], t, first + k));
    }
    json_array_append_new(t->summary,
                          json_pack("{s:s,s:f,s:I,s:o,s:o}", "metapath", p->text[i], "dwpc", found->dwpc, "n_paths", (json_int_t)found->n_all, "source_edges",
                                    shares(p, m->kind[1], found->first, found->n_first), "target_edges",
                                    shares(p, m->kind[m->length - 1], found->last, found->n_last)));
    cli_say(p->c, "%s: DWPC %.6g, %lld paths", p->text[i], found->dwpc, (long long)found->n_all);
    return NEP_OK;
}

nep_status cli_paths_one(cli_paths *p, int64_t top)
{
    table t = {.summary = json_array()};
    nep_status st = NEP_OK;
    for (int i = 0; i < p->n && st == NEP_OK; i++) {
        nep_paths found = {0};
        st = nep_paths_find(cli_ctx(p->c), &p->net, &p->path[i], p->from, p->to, &p->opts, top, &found);
        if (st == NEP_OK)
            st = add_metapath(p, i, &found, &t);
        nep_paths_free(&found);
    }
    const cli_column columns[] = {{"metapath", t.metapath, NULL},
                                  {"rank", NULL, t.rank},
                                  {"pdp", NULL, t.pdp},
                                  {"share", NULL, t.share},
                                  {"nodes", (const char *const *)t.text[0], NULL},
                                  {"names", (const char *const *)t.text[1], NULL},
                                  {"rows", (const char *const *)t.text[2], NULL},
                                  {"licences", (const char *const *)t.text[3], NULL},
                                  {"sources", (const char *const *)t.text[4], NULL}};
    if (st == NEP_OK)
        st = cli_tabular_emit(p->c, "paths", columns, NEP_LEN(columns), t.n, json_pack("{s:O}", "metapaths", t.summary));
    table_free(&t);
    return st;
}
