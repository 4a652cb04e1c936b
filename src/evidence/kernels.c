/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - how alike drugs are by what the network says of them: cosines over targets, actions, side effects and classes. */
#include "smoother.h"

#include <math.h>
#include <string.h>

/* Rows of items, drug by drug. */
typedef struct {
    int64_t n_items, filled, room;
    int64_t *start;   /* [n_drugs + 1] */
    int32_t *item;
    double *value;
} rows;

static nep_status put(nep_ctx *ctx, rows *r, int64_t item, double value)
{
    if (r->filled == r->room) {
        r->room = 2 * r->room + 4096;
        NEP_TRY(nep_alloc_grow(ctx, r->room, sizeof *r->item, "kernel: items", &r->item));
        NEP_TRY(nep_alloc_grow(ctx, r->room, sizeof *r->value, "kernel: values", &r->value));
    }
    r->item[r->filled] = (int32_t)item;
    r->value[r->filled++] = value;
    return NEP_OK;
}

static void free_rows(rows *r)
{
    nep_alloc_free(r->start);
    nep_alloc_free(r->item);
    nep_alloc_free(r->value);
    *r = (rows){0};
}

/* A gene's neighbourhood: itself, and its partners with half a part between them. */
static nep_status put_gene(nep_ctx *ctx, const nep_network_side *partners, int64_t gene, double *sum, int32_t *met, int64_t *n_met)
{
    (void)ctx;
    if (sum[gene] == 0)
        met[(*n_met)++] = (int32_t)gene;
    sum[gene] += 1;
    if (!partners)
        return NEP_OK;
    const int64_t a = partners->start[gene], b = partners->start[gene + 1];
    for (int64_t i = a; i < b; i++) {
        if (sum[partners->node[i]] == 0)
            met[(*n_met)++] = partners->node[i];
        sum[partners->node[i]] += 0.5 / (double)(b - a);
    }
    return NEP_OK;
}

static nep_status target_rows(nep_ctx *ctx, const nep_inputs *in, const nep_network_metaedge *e, rows *r)
{
    const nep_network *net = in->network;
    const int64_t gig = nep_network_find_metaedge(net, "GiG"), genes = net->kind[e->to].n;
    double *sum = NULL;
    int32_t *met = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, genes, sizeof *sum, "kernel: genes", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, genes, sizeof *met, "kernel: genes", &met));
    r->n_items = genes;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        int64_t n_met = 0;
        const int64_t node = in->drug_node[k];
        r->start[k] = r->filled;
        for (int64_t i = node < 0 ? 0 : e->out.start[node]; node >= 0 && i < e->out.start[node + 1]; i++)
            NEP_TRY_OR_DONE(st, put_gene(ctx, gig < 0 ? NULL : &net->metaedge[gig].out, e->out.node[i], sum, met, &n_met));
        for (int64_t m = 0; m < n_met; m++) {
            NEP_TRY_OR_DONE(st, put(ctx, r, met[m], sum[met[m]]));
            sum[met[m]] = 0;
        }
    }
    r->start[in->n_drugs] = r->filled;
done:
    nep_alloc_free(met);
    nep_alloc_free(sum);
    return st;
}

/* Items of a metaedge; with signs, each item stands twice: raised and lowered. */
static nep_status plain_rows(nep_ctx *ctx, const nep_inputs *in, const nep_network_metaedge *e, bool drug_first, bool by_sign, rows *r)
{
    const nep_network_side *side = drug_first ? &e->out : &e->in;
    const int64_t items = in->network->kind[drug_first ? e->to : e->from].n;
    r->n_items = by_sign ? 2 * items : items;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t node = in->drug_node[k];
        r->start[k] = r->filled;
        for (int64_t i = node < 0 ? 0 : side->start[node]; node >= 0 && i < side->start[node + 1]; i++) {
            const int sign = by_sign ? e->sign[side->edge[i]] : 1;
            if (sign)
                NEP_TRY(put(ctx, r, side->node[i] + (sign < 0 ? items : 0), 1));
        }
    }
    r->start[in->n_drugs] = r->filled;
    return NEP_OK;
}

/* Rows to unit length, items weighted by idf first. */
static nep_status weigh(nep_ctx *ctx, const nep_inputs *in, bool by_idf, rows *r)
{
    int64_t *have = NULL, filled = 0;
    NEP_TRY(nep_alloc(ctx, r->n_items, sizeof *have, "kernel: drugs per item", &have));
    for (int64_t i = 0; i < r->filled; i++)
        have[r->item[i]]++;
    for (int64_t k = 0; k < in->n_drugs; k++)
        filled += r->start[k + 1] > r->start[k];
    for (int64_t k = 0; k < in->n_drugs; k++) {
        double square = 0;
        for (int64_t i = r->start[k]; i < r->start[k + 1]; i++) {
            if (by_idf)
                r->value[i] *= log((double)(filled + 1) / (double)have[r->item[i]]);
            square += r->value[i] * r->value[i];
        }
        for (int64_t i = r->start[k]; i < r->start[k + 1] && square > 0; i++)
            r->value[i] /= sqrt(square);
    }
    nep_alloc_free(have);
    return NEP_OK;
}

/* k += weight R R', through the list of drugs of each item; rows in parallel, each in the order of its items. */
static nep_status add_products(nep_ctx *ctx, int64_t n, const rows *r, double weight, double *k)
{
    int64_t *start = NULL;
    int32_t *drug = NULL;
    double *value = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_items + 2, sizeof *start, "kernel: lists", &start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->filled, sizeof *drug, "kernel: lists", &drug));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->filled, sizeof *value, "kernel: lists", &value));
    for (int64_t i = 0; i < r->filled; i++)
        start[r->item[i] + 2]++;
    for (int64_t i = 0; i < r->n_items; i++)
        start[i + 2] += start[i + 1];
    for (int64_t d = 0; d < n; d++)
        for (int64_t i = r->start[d]; i < r->start[d + 1]; i++) {
            const int64_t at = start[r->item[i] + 1]++;
            drug[at] = (int32_t)d;
            value[at] = r->value[i];
        }
#pragma omp parallel for schedule(dynamic, 16) num_threads(nep_ctx_threads(ctx))
    for (int64_t d = 0; d < n; d++)
        for (int64_t i = r->start[d]; i < r->start[d + 1]; i++)
            for (int64_t m = start[r->item[i]]; m < start[r->item[i] + 1]; m++)
                k[d * n + drug[m]] += weight * r->value[i] * value[m];
done:
    nep_alloc_free(value);
    nep_alloc_free(drug);
    nep_alloc_free(start);
    return st;
}

nep_status evidence_kernels_add(nep_ctx *ctx, const nep_inputs *in, int which, double weight, double *k, bool *known, bool *there)
{
    static const char *const edges[NEP_KERNEL_COUNT] = {"CbG", "CbG", "CcSE", "PCiC"};
    const int64_t at = nep_network_find_metaedge(in->network, edges[which]);
    const nep_network_metaedge *e = at < 0 ? NULL : &in->network->metaedge[at];
    rows r = {0};
    nep_status st = NEP_OK;

    *there = e && e->n > 0 && (which != NEP_KERNEL_ACTIONS || e->sign);
    if (!*there)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs + 1, sizeof *r.start, "kernel: rows", &r.start));
    if (which == NEP_KERNEL_TARGETS)
        NEP_TRY_OR_DONE(st, target_rows(ctx, in, e, &r));
    else
        NEP_TRY_OR_DONE(st, plain_rows(ctx, in, e, which != NEP_KERNEL_CLASSES, which == NEP_KERNEL_ACTIONS, &r));
    NEP_TRY_OR_DONE(st, weigh(ctx, in, which != NEP_KERNEL_TARGETS, &r));
    for (int64_t d = 0; d < in->n_drugs; d++)
        known[d] = known[d] || r.start[d + 1] > r.start[d];
    st = add_products(ctx, in->n_drugs, &r, weight, k);
done:
    free_rows(&r);
    return st;
}
