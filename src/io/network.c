/* SPDX-License-Identifier: Apache-2.0 */
/* network - tables of nodes and edges into a network, one by one or as a YAML file names them. */
#include "io/network_file.h"
#include "io/rows.h"

#include <math.h>
#include <string.h>

nep_status nep_network_read_nodes(nep_ctx *ctx, nep_network *net, const char *id, const char *name, const char *path)
{
    nep_table t = {0};
    const char **node = NULL, **label = NULL;
    int64_t at;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "id", &at));
    const int64_t names = nep_table_column(&t, "name");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *node, "nodes", &node));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *label, "nodes", &label));
    for (int64_t i = 0; i < t.n_rows; i++) {
        node[i] = nep_table_cell(&t, i, at);
        label[i] = names >= 0 ? nep_table_cell(&t, i, names) : NULL;
        if (!node[i]) {
            st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: line %lld: a node without an id", path, (long long)i + 2);
            goto done;
        }
    }
    st = nep_network_add_kind(ctx, net, id, name, path, node, label, t.n_rows);
done:
    nep_alloc_free(node);
    nep_alloc_free(label);
    nep_table_free(&t);
    return st;
}

/* Where an edge list has what; -1 = nowhere. */
typedef struct {
    int64_t source, target, weight, sign, licence, source_db;
} columns;

static nep_status find_columns(nep_rows *r, columns *c)
{
    *c = (columns){nep_rows_find(r, "source"), nep_rows_find(r, "target"), nep_rows_find(r, "weight"),
                   nep_rows_find(r, "sign"), nep_rows_find(r, "licence"), nep_rows_find(r, "source_db")};
    if (c->source_db < 0)
        c->source_db = nep_rows_find(r, "provenance");
    if (c->source < 0 || c->target < 0)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: has no column '%s'; an edge list has the columns source and target", r->path,
                                 c->source < 0 ? "source" : "target");
    return NEP_OK;
}

static const char *cell(const nep_rows *r, int64_t col, const char *otherwise)
{
    return col >= 0 && r->cells[col] ? r->cells[col] : otherwise;
}

static nep_status read_edge(nep_rows *r, const columns *c, const char *licence, const char *source, nep_network_row *out)
{
    double sign = (double)NAN;
    *out = (nep_network_row){.from = cell(r, c->source, NULL), .to = cell(r, c->target, NULL), .licence = cell(r, c->licence, licence),
                             .source = cell(r, c->source_db, source), .weight = (double)NAN, .line = r->line};
    if (!out->from || !out->to)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: line %lld: an edge without its %s", r->path, (long long)r->line,
                                 out->from ? "target" : "source");
    if (c->weight >= 0)
        NEP_TRY(nep_rows_number(r, c->weight, &out->weight));
    if (c->sign >= 0)
        NEP_TRY(nep_rows_number(r, c->sign, &sign));
    if (!isnan(sign) && sign != -1 && sign != 0 && sign != 1)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: line %lld: a sign of %g; it is -1, 0 (unknown) or 1", r->path, (long long)r->line, sign);
    out->sign = isnan(sign) ? 0 : (int)sign;
    return NEP_OK;
}

nep_status nep_network_read_edges(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts, const char *id, const char *path,
                                  const char *licence, const char *source)
{
    nep_rows r = {0};
    columns c;
    bool more = true;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_rows_open(ctx, path, &r));
    NEP_TRY_OR_DONE(st, find_columns(&r, &c));
    NEP_TRY_OR_DONE(st, nep_network_add_metaedge(ctx, net, id, path));
    for (;;) {
        nep_network_row row;
        NEP_TRY_OR_DONE(st, nep_rows_next(&r, &more));
        if (!more)
            break;
        NEP_TRY_OR_DONE(st, read_edge(&r, &c, licence, source, &row));
        NEP_TRY_OR_DONE(st, nep_network_add_edge(ctx, net, opts, &row));
    }
done:
    nep_rows_free(&r);
    return st;
}

static nep_status read_parts(nep_ctx *ctx, const nep_network_file *f, const nep_network_opts *opts, nep_network *net)
{
    NEP_TRY(nep_alloc_string(ctx, f->name, &net->name));
    for (int64_t k = 0; k < f->n_kinds; k++) {
        const nep_network_part *p = &f->kind[k];
        if (p->path)
            NEP_TRY(nep_network_read_nodes(ctx, net, p->id, p->name, p->path));
        else
            NEP_TRY(nep_network_add_kind(ctx, net, p->id, p->name, NULL, NULL, NULL, 0));
    }
    for (int64_t m = 0; m < f->n_metaedges; m++) {
        const nep_network_part *p = &f->metaedge[m];
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(nep_network_read_edges(ctx, net, opts, p->id, p->path, p->licence, p->source));
    }
    return nep_network_finish(ctx, net, opts);
}

nep_status nep_network_read(nep_ctx *ctx, const char *path, const nep_network_opts *opts, nep_network *out)
{
    nep_network_file f = {0};
    nep_network net = {0};
    nep_network_opts o = opts ? *opts : (nep_network_opts){0};
    char *text = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_file_read(ctx, path, (int64_t)2 << 20, &text, &n));
    NEP_TRY_OR_DONE(st, nep_network_parse(ctx, path, text, n, &f));
    o.strict |= f.strict;
    NEP_TRY_OR_DONE(st, read_parts(ctx, &f, &o, &net));
    *out = net;
    net = (nep_network){0};
done:
    nep_network_free(&net);
    nep_network_file_free(&f);
    nep_alloc_free(text);
    return st;
}
