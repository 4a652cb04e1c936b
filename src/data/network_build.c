/* SPDX-License-Identifier: Apache-2.0 */
/* network_build - a network out of node tables and rows of edges: ids become numbers, repeats and loops are dropped and counted. */
#include <nepenthe/network.h>

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(const char *text) /* FNV-1a */
{
    uint64_t h = 1469598103934665603u;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        h = (h ^ *c) * 1099511628211u;
    return h ^ h >> 29;
}

/* ---- nodes ---- */

static int64_t place_of(const nep_network_kind *k, const char *id)
{
    int64_t at = (int64_t)(hash_text(id) & (uint64_t)(k->n_slots - 1));
    while (k->slot[at] && strcmp(k->node[k->slot[at] - 1], id) != 0)
        at = (at + 1) & (k->n_slots - 1);
    return at;
}

static int64_t known(const nep_network_kind *k, const char *id)
{
    return k->n_slots ? (int64_t)k->slot[place_of(k, id)] - 1 : -1;
}

/* Room for one node more, with at most half of the slots taken. */
static nep_status make_room(nep_ctx *ctx, nep_network_kind *k)
{
    if (2 * (k->n + 1) <= k->n_slots)
        return NEP_OK;
    NEP_REQUIRE(ctx, k->n < INT32_MAX / 4, NEP_E_FORMAT, "network: more than %d nodes of kind %s", INT32_MAX / 4, k->id ? k->id : "word");
    const int64_t slots = k->n_slots ? 2 * k->n_slots : 64;
    NEP_TRY(nep_alloc_grow(ctx, slots, sizeof *k->node, "nodes", &k->node));
    NEP_TRY(nep_alloc_grow(ctx, slots, sizeof *k->label, "nodes", &k->label));
    nep_alloc_free(k->slot);
    k->slot = NULL;
    k->n_slots = 0;
    NEP_TRY(nep_alloc(ctx, slots, sizeof *k->slot, "nodes", &k->slot));
    k->n_slots = slots;
    for (int64_t i = 0; i < k->n; i++)
        k->slot[place_of(k, k->node[i])] = (int32_t)(i + 1);
    return NEP_OK;
}

static nep_status add_node(nep_ctx *ctx, nep_network_kind *k, const char *id, const char *label)
{
    NEP_TRY(make_room(ctx, k));
    NEP_TRY(nep_alloc_string(ctx, id, &k->node[k->n]));
    k->slot[place_of(k, id)] = (int32_t)(k->n + 1);
    k->n++;
    return label ? nep_alloc_string(ctx, label, &k->label[k->n - 1]) : NEP_OK;
}

static bool kind_word(const char *id, size_t n)
{
    if (n == 0 || n > 15)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isupper((unsigned char)id[i]) && !(i > 0 && isdigit((unsigned char)id[i])))
            return false;
    return true;
}

/* A kind without nodes. */
static nep_status new_kind(nep_ctx *ctx, nep_network *net, const char *id, const char *name, int64_t *out)
{
    NEP_REQUIRE(ctx, kind_word(id, strlen(id)), NEP_E_FORMAT,
                "network: '%.40s' is no abbreviation of a kind; capitals, then digits, such as C or PW", id);
    NEP_TRY(nep_alloc_grow(ctx, net->n_kinds + 1, sizeof *net->kind, "kinds", &net->kind));
    nep_network_kind *k = &net->kind[net->n_kinds];
    *out = net->n_kinds++;
    NEP_TRY(nep_alloc_string(ctx, id, &k->id));
    return nep_alloc_string(ctx, name ? name : id, &k->name);
}

nep_status nep_network_add_kind(nep_ctx *ctx, nep_network *net, const char *id, const char *name, const char *path,
                                const char *const *node, const char *const *label, int64_t n)
{
    int64_t at;
    NEP_REQUIRE(ctx, nep_network_find_kind(net, id) < 0, NEP_E_FORMAT, "network: the kind %.40s is there twice; give it once, before its edges", id);
    NEP_TRY(new_kind(ctx, net, id, name, &at));
    nep_network_kind *k = &net->kind[at];
    k->closed = node != NULL;
    for (int64_t i = 0; node && i < n; i++) {
        if (known(k, node[i]) >= 0)
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: the node '%.60s' stands there twice; ids are unique within a kind",
                                     path ? path : id, node[i]);
        NEP_TRY(add_node(ctx, k, node[i], label ? label[i] : NULL));
    }
    return NEP_OK;
}

/* ---- metaedges ---- */

/* "Gr>G" into its kinds and whether it has a direction. */
static nep_status cut_id(nep_ctx *ctx, const char *id, char from[16], char to[16], bool *directed)
{
    const size_t a = strcspn(id, "abcdefghijklmnopqrstuvwxyz"), r = strspn(id + a, "abcdefghijklmnopqrstuvwxyz");
    *directed = id[a + r] == '>';
    const char *rest = id + a + r + *directed;
    NEP_REQUIRE(ctx, kind_word(id, a) && r > 0 && kind_word(rest, strlen(rest)), NEP_E_FORMAT,
                "network: '%.40s' is no metaedge; a kind, a relation in lower case and a kind, such as CbG or Gr>G", id);
    memcpy(from, id, a);
    from[a] = '\0';
    strcpy(to, rest);
    return NEP_OK;
}

static nep_status kind_of(nep_ctx *ctx, nep_network *net, const char *id, int32_t *out)
{
    int64_t at = nep_network_find_kind(net, id);
    if (at < 0)
        NEP_TRY(new_kind(ctx, net, id, NULL, &at));
    *out = (int32_t)at;
    return NEP_OK;
}

nep_status nep_network_add_metaedge(nep_ctx *ctx, nep_network *net, const char *id, const char *path)
{
    char from[16], to[16];
    bool directed;
    NEP_TRY(cut_id(ctx, id, from, to, &directed));
    NEP_REQUIRE(ctx, nep_network_find_metaedge(net, id) < 0, NEP_E_FORMAT, "network: the metaedge %s is given twice; give one table for it", id);
    NEP_TRY(nep_alloc_grow(ctx, net->n_metaedges + 1, sizeof *net->metaedge, "metaedges", &net->metaedge));
    nep_network_metaedge *m = &net->metaedge[net->n_metaedges++];
    m->directed = directed;
    NEP_TRY(nep_alloc_string(ctx, id, &m->id));
    if (path)
        NEP_TRY(nep_alloc_string(ctx, path, &m->path));
    NEP_TRY(kind_of(ctx, net, from, &m->from));
    return kind_of(ctx, net, to, &m->to);
}

static const char *place(const nep_network_metaedge *m)
{
    return m->path ? m->path : m->id;
}

/* The number of a node; an open kind learns it. */
static nep_status node_number(nep_ctx *ctx, nep_network *net, const nep_network_metaedge *m, int32_t kind, const char *id, int64_t line, int32_t *out)
{
    nep_network_kind *k = &net->kind[kind];
    int64_t at = known(k, id);
    for (int64_t other = 0; at < 0 && k->closed && other < net->n_kinds; other++)
        if (known(&net->kind[other], id) >= 0)
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, m->path, "%s: line %lld: '%.60s' is of kind %s, but %s needs kind %s there", place(m),
                                     (long long)line, id, net->kind[other].name, m->id, k->name);
    if (at < 0 && k->closed)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, m->path, "%s: line %lld: no node of kind %s is called '%.60s'; add it to the table of nodes or drop the edge",
                                 place(m), (long long)line, k->name, id);
    if (at < 0) {
        NEP_TRY(add_node(ctx, k, id, NULL));
        at = k->n - 1;
    }
    *out = (int32_t)at;
    return NEP_OK;
}

static nep_status intern(nep_ctx *ctx, nep_network *net, const char *text, int32_t *out)
{
    *out = -1;
    if (!text || !*text)
        return NEP_OK;
    int64_t at = known(&net->words, text);
    if (at < 0) {
        at = net->words.n;
        NEP_TRY(add_node(ctx, &net->words, text, NULL));
    }
    *out = (int32_t)at;
    return NEP_OK;
}

static nep_status grow_edges(nep_ctx *ctx, nep_network_metaedge *m)
{
    if (m->n > 0 && (m->n < 64 || (m->n & (m->n - 1))))
        return NEP_OK;
    const int64_t room = m->n ? 2 * m->n : 64;
    NEP_REQUIRE(ctx, room < INT32_MAX, NEP_E_FORMAT, "network: %s has more edges than can be counted", m->id);
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *m->from_node, "edges", &m->from_node));
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *m->to_node, "edges", &m->to_node));
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *m->line, "edges", &m->line));
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *m->licence, "edges", &m->licence));
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *m->source, "edges", &m->source));
    NEP_TRY(nep_alloc_grow(ctx, room, sizeof *m->weight, "edges", &m->weight));
    return nep_alloc_grow(ctx, room, sizeof *m->sign, "edges", &m->sign);
}

nep_status nep_network_add_edge(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts, const nep_network_row *row)
{
    NEP_REQUIRE(ctx, net->n_metaedges > 0, NEP_E_INTERNAL, "network: an edge before any metaedge");
    nep_network_metaedge *m = &net->metaedge[net->n_metaedges - 1];
    int32_t from, to;
    m->n_rows++;
    NEP_TRY(node_number(ctx, net, m, m->from, row->from, row->line, &from));
    NEP_TRY(node_number(ctx, net, m, m->to, row->to, row->line, &to));
    if (opts && opts->open_only && !nep_licence_is_open(row->licence)) {
        m->n_not_open++;
        return NEP_OK;
    }
    NEP_TRY(grow_edges(ctx, m));
    const int64_t e = m->n;
    NEP_TRY(intern(ctx, net, row->licence, &m->licence[e]));
    NEP_TRY(intern(ctx, net, row->source, &m->source[e]));
    m->from_node[e] = from;
    m->to_node[e] = to;
    m->weight[e] = row->weight;
    m->sign[e] = (int8_t)row->sign;
    m->line[e] = row->line;
    m->n++;
    return NEP_OK;
}

/* ---- finishing ---- */

typedef struct {
    char *id, *label;
    int32_t old;
} named;

static int by_id(const void *a, const void *b)
{
    return strcmp(((const named *)a)->id, ((const named *)b)->id);
}

/* Byte order; number [n] gets the new number of each old one. */
static nep_status sort_nodes(nep_ctx *ctx, nep_network_kind *k, int32_t **number)
{
    named *all = NULL;
    NEP_TRY(nep_alloc(ctx, k->n, sizeof **number, "node numbers", number));
    NEP_TRY(nep_alloc(ctx, k->n, sizeof *all, "nodes", &all));
    for (int64_t i = 0; i < k->n; i++)
        all[i] = (named){k->node[i], k->label[i], (int32_t)i};
    qsort(all, (size_t)k->n, sizeof *all, by_id);
    for (int64_t i = 0; i < k->n; i++) {
        k->node[i] = all[i].id;
        k->label[i] = all[i].label;
        (*number)[all[i].old] = (int32_t)i;
    }
    nep_alloc_free(all);
    nep_alloc_free(k->slot);
    k->slot = NULL;
    k->n_slots = 0;
    return NEP_OK;
}

typedef struct {
    int32_t from, to;
    int64_t old; /* rows keep their order among equals */
} pair;

static int by_pair(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return x->old < y->old ? -1 : x->old > y->old;
}

static void move_edge(const nep_network_metaedge *from, int64_t old, nep_network_metaedge *to, int64_t at)
{
    to->line[at] = from->line[old];
    to->licence[at] = from->licence[old];
    to->source[at] = from->source[old];
    to->weight[at] = from->weight[old];
    to->sign[at] = from->sign[old];
}

/* Says once what was left out; strict: refuses it. */
static nep_status tell(nep_ctx *ctx, const nep_network *net, const nep_network_metaedge *m, bool strict, int64_t n, const pair *first, int64_t line,
                       const char *what)
{
    if (n == 0)
        return NEP_OK;
    const char *a = net->kind[m->from].node[first->from], *b = net->kind[m->to].node[first->to];
    if (strict)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, m->path, "%s: line %lld: the edge %.60s - %.60s %s (%lld such rows); drop it", place(m), (long long)line, a, b, what, (long long)n);
    nep_warn(ctx, "%s: %lld rows left out: the edge %s (first: line %lld, %.60s - %.60s)", place(m), (long long)n, what, (long long)line, a, b);
    return NEP_OK;
}

/* Sorted pairs into m, less loops and repeats. */
static nep_status keep_edges(nep_ctx *ctx, const nep_network *net, const nep_network_metaedge *old, const pair *p, nep_network_metaedge *m, bool strict)
{
    pair loop = {0}, repeat = {0};
    int64_t loop_line = 0, repeat_line = 0;
    m->n = 0;
    for (int64_t i = 0; i < old->n; i++) {
        const int64_t line = old->line[p[i].old];
        if (m->from == m->to && p[i].from == p[i].to) {
            if (m->n_loops++ == 0 || line < loop_line) {
                loop = p[i];
                loop_line = line;
            }
        } else if (m->n > 0 && m->from_node[m->n - 1] == p[i].from && m->to_node[m->n - 1] == p[i].to) {
            if (m->n_repeated++ == 0 || line < repeat_line) {
                repeat = p[i];
                repeat_line = line;
            }
        } else {
            m->from_node[m->n] = p[i].from;
            m->to_node[m->n] = p[i].to;
            move_edge(old, p[i].old, m, m->n++);
        }
    }
    NEP_TRY(tell(ctx, net, m, strict, m->n_loops, &loop, loop_line, "joins a node with itself"));
    return tell(ctx, net, m, strict, m->n_repeated, &repeat, repeat_line, "stands there already");
}

static void drop_empty_columns(nep_network_metaedge *m)
{
    bool weight = false, sign = false;
    for (int64_t e = 0; e < m->n; e++) {
        weight |= !isnan(m->weight[e]);
        sign |= m->sign[e] != 0;
    }
    if (!weight) {
        nep_alloc_free(m->weight);
        m->weight = NULL;
    }
    if (!sign) {
        nep_alloc_free(m->sign);
        m->sign = NULL;
    }
}

static nep_status sort_edges(nep_ctx *ctx, nep_network *net, int64_t at, int32_t *const *number, bool strict)
{
    nep_network_metaedge *m = &net->metaedge[at], old = *m;
    const bool both_ways = m->from == m->to && !m->directed;
    pair *p = NULL;
    nep_status st;
    m->from_node = m->to_node = m->licence = m->source = NULL;
    m->weight = NULL;
    m->sign = NULL;
    m->line = NULL;
    m->n = 0;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *p, "edges", &p));
    for (int64_t i = 0; i < old.n; i++) {
        const int32_t a = number[m->from][old.from_node[i]], b = number[m->to][old.to_node[i]];
        p[i] = both_ways && b < a ? (pair){b, a, i} : (pair){a, b, i};
    }
    qsort(p, (size_t)old.n, sizeof *p, by_pair);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->from_node, "edges", &m->from_node));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->to_node, "edges", &m->to_node));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->line, "edges", &m->line));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->licence, "edges", &m->licence));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->source, "edges", &m->source));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->weight, "edges", &m->weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, old.n, sizeof *m->sign, "edges", &m->sign));
    NEP_TRY_OR_DONE(st, keep_edges(ctx, net, &old, p, m, strict));
    drop_empty_columns(m);
    st = nep_network_lay_out(ctx, net, at);
done:
    nep_alloc_free(p);
    nep_alloc_free(old.from_node);
    nep_alloc_free(old.to_node);
    nep_alloc_free(old.line);
    nep_alloc_free(old.licence);
    nep_alloc_free(old.source);
    nep_alloc_free(old.weight);
    nep_alloc_free(old.sign);
    return st;
}

/* Neighbours of [n] nodes by counting: a[e] gets b[e], and b[e] gets a[e] where edges are walked both ways. Edges are sorted by
 * (from, to), and with from < to both ways, so that each node meets its smaller neighbours first, ascending. */
static nep_status lay_side(nep_ctx *ctx, const int32_t *a, const int32_t *b, int64_t n_edges, int64_t n, bool both_ways, nep_network_side *s)
{
    int64_t *next = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *s->start, "neighbours", &s->start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, both_ways ? 2 * n_edges : n_edges, sizeof *s->node, "neighbours", &s->node));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, both_ways ? 2 * n_edges : n_edges, sizeof *s->edge, "neighbours", &s->edge));
    for (int64_t e = 0; e < n_edges; e++) {
        s->start[a[e] + 1]++;
        if (both_ways)
            s->start[b[e] + 1]++;
    }
    for (int64_t i = 0; i < n; i++)
        s->start[i + 1] += s->start[i];
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, s->start, n, sizeof *next, "neighbours", &next));
    for (int64_t e = 0; both_ways && e < n_edges; e++) {
        s->node[next[b[e]]] = a[e];
        s->edge[next[b[e]]++] = (int32_t)e;
    }
    for (int64_t e = 0; e < n_edges; e++) {
        s->node[next[a[e]]] = b[e];
        s->edge[next[a[e]]++] = (int32_t)e;
    }
done:
    nep_alloc_free(next);
    return st;
}

nep_status nep_network_lay_out(nep_ctx *ctx, nep_network *net, int64_t metaedge)
{
    nep_network_metaedge *m = &net->metaedge[metaedge];
    const bool both_ways = m->from == m->to && !m->directed;
    nep_network_side *sides[] = {&m->out, &m->in};
    if (m->in.start == m->out.start)
        m->in = (nep_network_side){0};
    for (int i = 0; i < 2; i++) {
        nep_alloc_free(sides[i]->start);
        nep_alloc_free(sides[i]->node);
        nep_alloc_free(sides[i]->edge);
        *sides[i] = (nep_network_side){0};
    }
    NEP_TRY(lay_side(ctx, m->from_node, m->to_node, m->n, net->kind[m->from].n, both_ways, &m->out));
    if (both_ways)
        m->in = m->out;
    else
        NEP_TRY(lay_side(ctx, m->to_node, m->from_node, m->n, net->kind[m->to].n, false, &m->in));
    return NEP_OK;
}

nep_status nep_network_finish(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts)
{
    int32_t **number = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, net->n_kinds, sizeof *number, "node numbers", &number));
    for (int64_t k = 0; k < net->n_kinds; k++)
        NEP_TRY_OR_DONE(st, sort_nodes(ctx, &net->kind[k], &number[k]));
    for (int64_t m = 0; m < net->n_metaedges; m++)
        NEP_TRY_OR_DONE(st, sort_edges(ctx, net, m, number, opts && opts->strict));
done:
    for (int64_t k = 0; number && k < net->n_kinds; k++)
        nep_alloc_free(number[k]);
    nep_alloc_free(number);
    return st;
}
