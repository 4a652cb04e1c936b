/* SPDX-License-Identifier: Apache-2.0 */
/* xswap - a metaedge permuted by swaps of edge ends, every degree kept. */
#include <nepenthe/graph.h>

#include <math.h>
#include <stdlib.h>

enum { CHECK = 1 << 16 };

/* Edges that are there, by open addressing; a place that was emptied stays passable. */
typedef struct {
    uint64_t *key; /* 0 = never used, 1 = emptied, else 2 + the edge as one number */
    int64_t n_slots, used;
} edge_set;

typedef struct {
    nep_ctx *ctx;
    const nep_network_metaedge *m;
    bool both_ways;
    int32_t *from, *to;
    edge_set set;
    uint64_t seed, stream, draws;
} swapper;

static uint64_t key_of(const swapper *s, int32_t a, int32_t b)
{
    if (s->both_ways && b < a)
        return 2 + ((uint64_t)(uint32_t)b << 32 | (uint32_t)a);
    return 2 + ((uint64_t)(uint32_t)a << 32 | (uint32_t)b);
}

/* The place of a key, or -1; free_place gets where it could go. */
static int64_t find(const edge_set *set, uint64_t key, int64_t *free_place)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;
    int64_t at = (int64_t)((h ^ h >> 32) & (uint64_t)(set->n_slots - 1));
    *free_place = -1;
    for (; set->key[at] != 0; at = (at + 1) & (set->n_slots - 1)) {
        if (set->key[at] == key)
            return at;
        if (set->key[at] == 1 && *free_place < 0)
            *free_place = at;
    }
    if (*free_place < 0)
        *free_place = at;
    return -1;
}

static bool has(const edge_set *set, uint64_t key)
{
    int64_t free_place;
    return find(set, key, &free_place) >= 0;
}

static void put(edge_set *set, uint64_t key)
{
    int64_t free_place;
    if (find(set, key, &free_place) >= 0)
        return;
    set->used += set->key[free_place] == 0;
    set->key[free_place] = key;
}

static void take(edge_set *set, uint64_t key)
{
    int64_t free_place;
    const int64_t at = find(set, key, &free_place);
    if (at >= 0)
        set->key[at] = 1;
}

/* The set of all edges anew: when emptied places have come to fill it. */
static void fill(swapper *s)
{
    for (int64_t i = 0; i < s->set.n_slots; i++)
        s->set.key[i] = 0;
    s->set.used = 0;
    for (int64_t e = 0; e < s->m->n; e++)
        put(&s->set, key_of(s, s->from[e], s->to[e]));
}

static double draw(swapper *s)
{
    return nep_philox_uniform(s->seed, s->stream, s->draws++);
}

static int64_t draw_edge(swapper *s)
{
    const int64_t e = (int64_t)(draw(s) * (double)s->m->n);
    return e < s->m->n ? e : s->m->n - 1;
}

/* One attempt; true when the swap was made. */
static bool attempt(swapper *s)
{
    const int64_t e = draw_edge(s), f = draw_edge(s);
    const bool turn = s->both_ways && draw(s) < 0.5;
    const int32_t a = s->from[e], b = s->to[e], c = turn ? s->to[f] : s->from[f], d = turn ? s->from[f] : s->to[f];
    const bool one_kind = s->m->from == s->m->to;
    const uint64_t first = key_of(s, a, d), second = key_of(s, c, b);
    if (e == f || a == c || b == d || (one_kind && (a == d || c == b)) || first == second || has(&s->set, first) || has(&s->set, second))
        return false;
    take(&s->set, key_of(s, a, b));
    take(&s->set, key_of(s, c, d));
    put(&s->set, first);
    put(&s->set, second);
    s->to[e] = d;
    s->from[f] = c;
    s->to[f] = b;
    return true;
}

static nep_status swap_all(swapper *s, int64_t attempts, nep_xswap_report *report)
{
    int64_t slots = 64;
    while (slots < 3 * s->m->n)
        slots *= 2;
    NEP_TRY(nep_alloc(s->ctx, slots, sizeof *s->set.key, "set of edges", &s->set.key));
    s->set.n_slots = slots;
    fill(s);
    for (int64_t i = 0; i < attempts && s->m->n > 1; i++) {
        if (i % CHECK == 0)
            NEP_TRY(nep_ctx_check(s->ctx));
        report->attempts++;
        report->swaps += attempt(s);
        if (4 * s->set.used > 3 * s->set.n_slots)
            fill(s);
    }
    return NEP_OK;
}

/* ---- back into the network ---- */

typedef struct {
    int32_t from, to;
    int64_t old;
} moved;

static int by_ends(const void *a, const void *b)
{
    const moved *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

static nep_status reorder(nep_ctx *ctx, void *array, int64_t n, size_t size, const moved *p)
{
    char *copy = NULL, *to = array;
    if (!array)
        return NEP_OK;
    NEP_TRY(nep_alloc_copy(ctx, array, n, size, "edges", &copy));
    for (int64_t i = 0; i < n; i++)
        for (size_t b = 0; b < size; b++)
            to[(size_t)i * size + b] = copy[(size_t)p[i].old * size + b];
    nep_alloc_free(copy);
    return NEP_OK;
}

/* A metaedge with other edges, sorted and laid out; `net` lends its kinds. */
static nep_status rebuild(nep_ctx *ctx, nep_network *net, int64_t at, const swapper *s)
{
    nep_network_metaedge *m = &net->metaedge[at];
    moved *p = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m->n, sizeof *p, "edges", &p));
    for (int64_t e = 0; e < m->n; e++) {
        const bool turn = s->both_ways && s->to[e] < s->from[e];
        p[e] = (moved){turn ? s->to[e] : s->from[e], turn ? s->from[e] : s->to[e], e};
    }
    qsort(p, (size_t)m->n, sizeof *p, by_ends);
    NEP_TRY_OR_DONE(st, reorder(ctx, m->licence, m->n, sizeof *m->licence, p));
    NEP_TRY_OR_DONE(st, reorder(ctx, m->source, m->n, sizeof *m->source, p));
    NEP_TRY_OR_DONE(st, reorder(ctx, m->weight, m->n, sizeof *m->weight, p));
    NEP_TRY_OR_DONE(st, reorder(ctx, m->sign, m->n, sizeof *m->sign, p));
    for (int64_t e = 0; e < m->n; e++) {
        m->from_node[e] = p[e].from;
        m->to_node[e] = p[e].to;
        m->line[e] = 0;
    }
    st = nep_network_lay_out(ctx, net, at);
done:
    nep_alloc_free(p);
    return st;
}

static uint64_t stream_of(const char *id, uint64_t number)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (const unsigned char *c = (const unsigned char *)id; *c; c++)
        h = (h ^ *c) * 1099511628211u;
    return h + number * 0x9E3779B97F4A7C15u;
}

nep_status nep_xswap_permute(nep_ctx *ctx, nep_network *net, int64_t metaedge, double tries, uint64_t number, nep_xswap_report *report)
{
    nep_xswap_report r = {0};
    NEP_REQUIRE(ctx, metaedge >= 0 && metaedge < net->n_metaedges, NEP_E_ARG, "xswap: there is no metaedge %lld", (long long)metaedge);
    NEP_REQUIRE(ctx, tries >= 0 && tries <= 1e6, NEP_E_ARG, "xswap: %g attempts per edge; 0 to 1e6, 10 by custom", tries);
    nep_network_metaedge *m = &net->metaedge[metaedge];
    swapper s = {.ctx = ctx, .m = m, .both_ways = m->from == m->to && !m->directed, .seed = nep_ctx_seed(ctx), .stream = stream_of(m->id, number)};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, m->from_node, m->n, sizeof *s.from, "edges", &s.from));
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, m->to_node, m->n, sizeof *s.to, "edges", &s.to));
    NEP_TRY_OR_DONE(st, swap_all(&s, (int64_t)ceil(tries * (double)m->n), &r));
    for (int64_t e = 0; e < m->n; e++)
        r.kept += has(&s.set, key_of(&s, m->from_node[e], m->to_node[e]));
    NEP_TRY_OR_DONE(st, rebuild(ctx, net, metaedge, &s));
    if (report)
        *report = r;
done:
    nep_alloc_free(s.from);
    nep_alloc_free(s.to);
    nep_alloc_free(s.set.key);
    return st;
}
