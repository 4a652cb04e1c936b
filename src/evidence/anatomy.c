/* SPDX-License-Identifier: Apache-2.0 */
/* anatomy.c - VOTE: are the drug's targets expressed where the disorder is seated? By the network alone, and weighted by the disorder's map.
 *
 * value = sum over paths drug - binds - gene - raised in (+) or lowered in (-) - anatomy - site of - disorder of the path's degree product
 * times the weight of the anatomy: the counts of CbGuAlD less those of CbGdAlD where all weigh 1. */
#include <nepenthe/anatomy.h>

#include "tables_make.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double damping = 0.4; /* Himmelstein & Baranzini (2015) */

typedef struct {
    const nep_inputs *in;
    int64_t disorder;
    const nep_network_metaedge *binds, *site, *raised, *lowered;
    double *weight; /* [anatomies] */
    double *seat, *square; /* [genes] sum of the paths' products behind the gene, and of their squares */
    bool known;
} bench;

void nep_anatomy_free(nep_anatomy *a)
{
    nep_alloc_free(a->node);
    nep_alloc_free(a->region);
    *a = (nep_anatomy){0};
}

/* Mean |effect| of the map [n_regions] over the regions in scope of an anatomy; NaN without any. */
static double altered(const nep_inputs *in, const double *map, int64_t node)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < in->anatomy->n; i++) {
        const int64_t region = in->anatomy->region[i];
        const bool scope = in->geometry->cortex[region] || !in->cortex_only;
        if (in->anatomy->node[i] == node && scope && !isnan(map[region])) {
            sum += fabs(map[region]);
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

static bool weigh(const nep_inputs *in, int64_t disorder, const double *map, double *weight)
{
    const nep_network *net = in->network;
    const int64_t site = nep_network_find_metaedge(net, "DlA"), anatomies = net->kind[net->metaedge[site].to].n;
    const int64_t node = in->disorder_node[disorder];
    const nep_network_side *out = &net->metaedge[site].out;
    double sum = 0, last = NAN;
    int64_t n = 0;
    bool differ = false;
    for (int64_t a = 0; a < anatomies; a++)
        weight[a] = 1;
    if (!in->anatomy || !map || node < 0)
        return false;
    for (int64_t i = out->start[node]; i < out->start[node + 1]; i++) {
        const double x = altered(in, map, out->node[i]);
        if (isnan(x))
            continue;
        weight[out->node[i]] = x;
        sum += x;
        n++;
        differ = differ || (!isnan(last) && x != last);
        last = x;
    }
    for (int64_t i = out->start[node]; i < out->start[node + 1]; i++)
        if (!isnan(altered(in, map, out->node[i])))
            weight[out->node[i]] = differ ? weight[out->node[i]] * (double)n / sum : 1;
    return differ;
}

bool nep_anatomy_weights(const nep_inputs *in, int64_t disorder, double *weight)
{
    return weigh(in, disorder, in->effect ? in->effect + disorder * in->n_regions : NULL, weight);
}

static double degree(const nep_network_side *s, int64_t node)
{
    return (double)(s->start[node + 1] - s->start[node]);
}

static double product(const nep_network_metaedge *e, int64_t from, int64_t to)
{
    return pow(degree(&e->out, from) * degree(&e->in, to), -damping);
}

static void close_bench(bench *b)
{
    nep_alloc_free(b->weight);
    nep_alloc_free(b->seat);
    nep_alloc_free(b->square);
}

static void add_genes(bench *b, const nep_network_metaedge *e, double sign, int64_t anatomy, double behind)
{
    for (int64_t i = e->out.start[anatomy]; i < e->out.start[anatomy + 1]; i++) {
        const double x = behind * product(e, anatomy, e->out.node[i]);
        b->seat[e->out.node[i]] += sign * x;
        b->square[e->out.node[i]] += x * x;
    }
}

static nep_status open_bench(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, bool by_map, bench *b)
{
    const nep_network *net = in->network;
    const int64_t node = in->disorder_node[disorder];
    *b = (bench){.in = in, .disorder = disorder, .binds = &net->metaedge[nep_network_find_metaedge(net, "CbG")],
                 .site = &net->metaedge[nep_network_find_metaedge(net, "DlA")], .raised = &net->metaedge[nep_network_find_metaedge(net, "AuG")],
                 .lowered = &net->metaedge[nep_network_find_metaedge(net, "AdG")]};
    NEP_TRY(nep_alloc(ctx, net->kind[b->site->to].n, sizeof *b->weight, "anatomy: weights", &b->weight));
    NEP_TRY(nep_alloc(ctx, net->kind[b->binds->to].n, sizeof *b->seat, "anatomy: genes", &b->seat));
    NEP_TRY(nep_alloc(ctx, net->kind[b->binds->to].n, sizeof *b->square, "anatomy: genes", &b->square));
    const bool map = nep_anatomy_weights(in, disorder, b->weight);
    for (int64_t a = 0; !by_map && a < net->kind[b->site->to].n; a++)
        b->weight[a] = 1;
    b->known = node >= 0 && degree(&b->site->out, node) > 0 && (map || !by_map);
    for (int64_t i = b->known ? b->site->out.start[node] : 0; b->known && i < b->site->out.start[node + 1]; i++) {
        const int64_t a = b->site->out.node[i];
        const double behind = b->weight[a] * product(b->site, node, a);
        add_genes(b, b->raised, 1, a, behind);
        add_genes(b, b->lowered, -1, a, behind);
    }
    return NEP_OK;
}

static nep_status score_by(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, bool by_map, uint64_t stream, double *value, double *se)
{
    const uint64_t id = nep_stream_id(NEP_STREAM_PATH, visible->disorder, stream);
    bench b = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, open_bench(ctx, in, visible->disorder, by_map, &b));
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t node = in->drug_node[k];
        double sum = 0, square = 0;
        value[k] = se[k] = NAN;
        if (!b.known || node < 0 || degree(&b.binds->out, node) == 0)
            continue;
        for (int64_t i = b.binds->out.start[node]; i < b.binds->out.start[node + 1]; i++) {
            const int64_t g = b.binds->out.node[i];
            const double p = product(b.binds, node, g);
            sum += p * b.seat[g];
            square += p * p * b.square[g];
        }
        value[k] = sum;
        if (square > 0)
            se[k] = sqrt(square);
        if (stream && square > 0) /* the same normal number with and without the map, so that their difference is the map's; past those of paths.c */
            value[k] += se[k] * nep_philox_normal(in->seed, id, UINT64_C(1) << 32 | (uint64_t)k);
    }
done:
    close_bench(&b);
    return st;
}

/* The part of every drug's value that comes by one anatomy at weight 1: out [drugs]. */
static void through(bench *b, int64_t anatomy, double *out)
{
    const nep_inputs *in = b->in;
    const int64_t genes = in->network->kind[b->binds->to].n;
    memset(b->seat, 0, (size_t)genes * sizeof *b->seat);
    const double behind = product(b->site, in->disorder_node[b->disorder], anatomy);
    add_genes(b, b->raised, 1, anatomy, behind);
    add_genes(b, b->lowered, -1, anatomy, behind);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t node = in->drug_node[k];
        out[k] = node < 0 || degree(&b->binds->out, node) == 0 ? NAN : 0;
        for (int64_t i = node < 0 ? 0 : b->binds->out.start[node]; node >= 0 && i < b->binds->out.start[node + 1]; i++)
            out[k] += product(b->binds, node, b->binds->out.node[i]) * b->seat[b->binds->out.node[i]];
    }
}

nep_status nep_anatomy_score_maps(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const double *maps, int64_t n, double *out)
{
    const nep_network *net = in->network;
    double *part = NULL, *weight = NULL;
    bool *differ = NULL;
    bench b = {0};
    nep_status st;

    NEP_TRY_OR_DONE(st, open_bench(ctx, in, disorder, true, &b));
    const int64_t anatomies = net->kind[b.site->to].n, node = in->disorder_node[disorder];
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *part, "anatomy: parts", &part));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * anatomies, sizeof *weight, "anatomy: weights of maps", &weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *differ, "anatomy: maps", &differ));
    for (int64_t m = 0; m < n; m++) {
        differ[m] = weigh(in, disorder, maps + m * in->n_regions, weight + m * anatomies);
        for (int64_t k = 0; k < in->n_drugs; k++)
            out[m * in->n_drugs + k] = differ[m] && b.known ? 0 : NAN;
    }
    for (int64_t i = b.known ? b.site->out.start[node] : 0; b.known && i < b.site->out.start[node + 1]; i++) {
        const int64_t a = b.site->out.node[i];
        through(&b, a, part);
        for (int64_t m = 0; m < n; m++)
            for (int64_t k = 0; k < in->n_drugs; k++)
                out[m * in->n_drugs + k] += weight[m * anatomies + a] * part[k];
    }
done:
    nep_alloc_free(differ);
    nep_alloc_free(weight);
    nep_alloc_free(part);
    close_bench(&b);
    return st;
}

static const char *name_of(const nep_network *net, int64_t kind, int64_t node)
{
    return net->kind[kind].label[node] ? net->kind[kind].label[node] : net->kind[kind].node[node];
}

/* One reason per gene and anatomy. */
static void tell_gene(const bench *b, int64_t binding, double before, const nep_network_metaedge *e, double sign, int limit, nep_reason *out, int *n)
{
    const nep_network *net = b->in->network;
    const int64_t gene = b->binds->out.node[binding], disorder = b->in->disorder_node[b->disorder];
    for (int64_t i = e->in.start[gene]; i < e->in.start[gene + 1]; i++) {
        const int64_t a = e->in.node[i];
        const int64_t site = nep_network_find_edge(net, b->site - net->metaedge, disorder, a);
        nep_reason r = {0};
        if (site < 0)
            continue;
        r.share = sign * before * product(e, a, gene) * b->weight[a] * product(b->site, disorder, a);
        snprintf(r.label, sizeof r.label, "%.40s - %.40s", name_of(net, b->binds->to, gene), name_of(net, b->site->to, a));
        snprintf(r.detail, sizeof r.detail, "expressed %s there, weight %.2f; CbG line %lld, %s line %lld, DlA line %lld", sign > 0 ? "above" : "below",
                 b->weight[a], (long long)b->binds->line[b->binds->out.edge[binding]], e->id, (long long)e->line[e->in.edge[i]],
                 (long long)b->site->line[site]);
        nep_tables_keep_reason(&r, limit, out, n);
    }
}

static nep_status explain_by(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, bool by_map, int64_t drug, int limit, nep_reason *out,
                             int *n)
{
    const int64_t node = in->drug_node[drug];
    bench b = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, open_bench(ctx, in, visible->disorder, by_map, &b));
    for (int64_t i = node < 0 ? 0 : b.binds->out.start[node]; b.known && node >= 0 && i < b.binds->out.start[node + 1]; i++) {
        const double before = product(b.binds, node, b.binds->out.node[i]);
        tell_gene(&b, i, before, b.raised, 1, limit, out, n);
        tell_gene(&b, i, before, b.lowered, -1, limit, out, n);
    }
done:
    close_bench(&b);
    return st;
}

#define ANATOMY(name, by_map)                                                                                                            \
    static nep_status score_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, uint64_t stream, double *value, double *se) \
    {                                                                                                                                    \
        return score_by(ctx, in, v, by_map, stream, value, se);                                                                          \
    }                                                                                                                                    \
    static nep_status explain_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, int64_t drug, int limit, nep_reason *out, \
                                     int *n)                                                                                             \
    {                                                                                                                                    \
        return explain_by(ctx, in, v, by_map, drug, limit, out, n);                                                                      \
    }
ANATOMY(plain, false)
ANATOMY(imaging, true)

#define SHARED                                                                                                                      \
    .source = "Himmelstein & Baranzini (2015) PLoS Comput Biol 11:e1004259, doi:10.1371/journal.pcbi.1004259; anatomies: UBERON, Mungall " \
              "et al. (2012) Genome Biol 13:R5, doi:10.1186/gb-2012-13-1-r5",                                                       \
    .role = NEP_ROLE_VOTE, .needs = NEP_NEEDS_NETWORK, .masks = true, .edges = "CbG AuG AdG DlA"

const nep_channel nep_anatomy_channel = {
    .name = "anatomy",
    .summary = "degree-weighted count of paths drug - binds - gene - expressed above the rest in - anatomy - site of - disorder, less those over "
               "genes expressed below it",
    .orientation = "larger: its targets are expressed more where the disorder is seated",
    .licence = "that of the network's edges",
    .score = score_plain,
    .explain = explain_plain,
    SHARED};
const nep_channel nep_anatomy_imaging_channel = {
    .name = "anatomy_imaging",
    .summary = "as anatomy, each anatomy weighted by the mean |effect| of the disorder's map over its regions; the weights of the disorder's "
               "anatomies have mean 1, so that a map without contrast gives anatomy itself",
    .orientation = "larger: its targets are expressed more where the disorder's map is altered most",
    .licence = "that of the network's edges and of the disorder's map; the table of regions is CC0",
    .score = score_imaging,
    .explain = explain_imaging,
    SHARED};
