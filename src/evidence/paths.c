/* SPDX-License-Identifier: Apache-2.0 */
/* paths.c - the network's paths from drugs to disorders: counted once per metapath, kept, and told one by one. */
#include "paths.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double damping = 0.4; /* Himmelstein & Baranzini (2015) */

/* A drug without an edge of `first`, or a disorder without one of `last`, has no evidence. */
static const struct {
    const char *metapath, *first, *last;
} kinds[NEP_PATHS_COUNT] = {
    [NEP_PATHS_GENE] = {"CbGaD", "CbG", "DaG"},
    [NEP_PATHS_GENE_GWAS] = {"CbGgD", "CbG", "DgG"},
    [NEP_PATHS_GENE_CURATED] = {"CbGcD", "CbG", "DcG"},
    [NEP_PATHS_PATHWAY] = {"CbGpPWpGaD", "CbG", "DaG"},
    [NEP_PATHS_INTERACTION] = {"CbGiGaD", "CbG", "DaG"},
};

nep_status evidence_paths_open(nep_ctx *ctx, nep_inputs *in)
{
    if (!in->network || !in->drug_node || !in->disorder_node)
        return NEP_OK;
    return nep_alloc(ctx, 1, sizeof *in->paths, "path counts", &in->paths);
}

void evidence_paths_free(struct nep_path_counts *p)
{
    for (int i = 0; p && i < NEP_PATHS_COUNT; i++) {
        nep_alloc_free(p->count[i]);
        nep_alloc_free(p->variance[i]);
    }
    nep_alloc_free(p);
}

static bool has_edge(const nep_network *net, const char *metaedge, int64_t node)
{
    return node >= 0 && nep_network_degree(net, nep_network_find_metaedge(net, metaedge), false, node) > 0;
}

/* From the network's nodes [n, width] to the study's drugs and disorders. */
static void place(const nep_inputs *in, nep_paths_kind kind, const double *dwpc, int64_t width, double *out)
{
    for (int64_t j = 0; j < in->n_disorders; j++) {
        const bool known = has_edge(in->network, kinds[kind].last, in->disorder_node[j]);
        for (int64_t k = 0; k < in->n_drugs; k++)
            out[j * in->n_drugs + k] = known && has_edge(in->network, kinds[kind].first, in->drug_node[k])
                                           ? dwpc[in->drug_node[k] * width + in->disorder_node[j]]
                                           : (double)NAN;
    }
}

static nep_status count_all(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind)
{
    struct nep_path_counts *p = in->paths;
    nep_metapath path;
    double *dwpc = NULL, **out[2] = {&p->count[kind], &p->variance[kind]};
    nep_status st;

    NEP_TRY(nep_metapath_parse(ctx, in->network, kinds[kind].metapath, &path));
    const int64_t n = in->network->kind[path.kind[0]].n, width = in->network->kind[path.kind[path.length]].n;
    NEP_TRY(nep_alloc(ctx, n * width, sizeof *dwpc, "path counts", &dwpc));
    for (int i = 0; i < 2; i++) {
        const nep_dwpc_opts opts = {.damping = damping * (i + 1)};
        double *made = NULL;
        NEP_TRY_OR_DONE(st, nep_dwpc_matrix(ctx, in->network, &path, &opts, dwpc, NULL));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * in->n_disorders, sizeof *made, "path counts", &made));
        place(in, kind, dwpc, width, made);
        *out[i] = made;
    }
done:
    nep_alloc_free(dwpc);
    for (int i = 0; i < 2 && st != NEP_OK; i++) {
        nep_alloc_free(*out[i]);
        *out[i] = NULL;
    }
    return st;
}

nep_status evidence_paths_read(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, double *count, double *variance)
{
    const size_t bytes = (size_t)in->n_drugs * sizeof *count;
    if (!in->paths->count[kind])
        NEP_TRY(count_all(ctx, in, kind));
    memcpy(count, in->paths->count[kind] + disorder * in->n_drugs, bytes);
    if (variance)
        memcpy(variance, in->paths->variance[kind] + disorder * in->n_drugs, bytes);
    return NEP_OK;
}

/* Between drug and disorder: "1813 - PC7_1230 - 1814"; each edge's line and source into the detail. */
static void tell(const nep_network *net, const nep_metapath *m, const nep_path *p, nep_reason *out)
{
    for (int i = 0; i < m->length; i++) {
        const nep_network_kind *kind = &net->kind[m->kind[i + 1]];
        const char *label = kind->label ? kind->label[p->node[i + 1]] : NULL;
        const size_t used = strlen(out->label), told = strlen(out->detail);
        const int32_t e = m->step[i].metaedge;
        const char *source = nep_network_source(net, e, p->edge[i]);
        char node[48], from[32];
        evidence_shorten(node, sizeof node, 40, label ? label : kind->node[p->node[i + 1]]);
        evidence_shorten(from, sizeof from, 27, source);
        if (i + 1 < m->length)
            snprintf(out->label + used, sizeof out->label - used, "%s%s", used ? " - " : "", node);
        snprintf(out->detail + told, sizeof out->detail - told, "%s%s line %lld%s%s", told ? "; " : "", net->metaedge[e].id,
                 (long long)net->metaedge[e].line[p->edge[i]], *from ? " " : "", from);
    }
}

/* The paths from a drug to a disorder, the heaviest `limit` of them told; none where the network knows one of both not. */
static nep_status find(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, int64_t drug, int limit, nep_metapath *path,
                       nep_paths *out)
{
    const int64_t from = in->drug_node[drug], to = in->disorder_node[disorder];
    const nep_dwpc_opts opts = {.damping = damping};
    NEP_TRY(nep_metapath_parse(ctx, in->network, kinds[kind].metapath, path));
    return from < 0 || to < 0 ? NEP_OK : nep_paths_find(ctx, in->network, path, from, to, &opts, limit, out);
}

nep_status evidence_paths_explain(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, int64_t drug, int limit,
                                  nep_reason *out, int *n)
{
    nep_metapath path;
    nep_paths found = {0};
    nep_status st;
    double told = 0;

    *n = 0;
    if (limit < 1)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, find(ctx, in, kind, disorder, drug, limit, &path, &found));
    const int64_t alone = found.n_all > limit ? limit - 1 : found.n;
    for (int64_t i = 0; i < alone; i++) {
        nep_reason *r = &out[(*n)++];
        *r = (nep_reason){.share = found.path[i].pdp};
        tell(in->network, &path, &found.path[i], r);
        told += r->share;
    }
    if (found.n_all > limit) {
        nep_reason *r = &out[(*n)++];
        *r = (nep_reason){.share = found.dwpc - told};
        snprintf(r->label, sizeof r->label, "%lld further path%s", (long long)(found.n_all - alone), found.n_all - alone == 1 ? "" : "s");
        snprintf(r->detail, sizeof r->detail, "each of less weight than those listed; all of them: nepenthe paths");
    }
done:
    nep_paths_free(&found);
    return st;
}

nep_status evidence_paths_edges(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, int64_t drug, int limit,
                                nep_reason *out, int *n)
{
    nep_metapath path;
    nep_paths found = {0};
    nep_status st;

    *n = 0;
    NEP_TRY_OR_DONE(st, find(ctx, in, kind, disorder, drug, 0, &path, &found));
    const nep_network_kind *nodes = &in->network->kind[path.kind[1]];
    const int32_t e = path.step[0].metaedge;
    for (; *n < limit && *n < found.n_first; (*n)++) {
        const nep_path_edge *edge = &found.first[*n];
        const char *label = nodes->label ? nodes->label[edge->node] : NULL, *source = nep_network_source(in->network, e, edge->edge);
        nep_reason *r = &out[*n];
        *r = (nep_reason){.share = edge->share * found.dwpc};
        snprintf(r->label, sizeof r->label, "%.90s", label ? label : nodes->node[edge->node]);
        snprintf(r->detail, sizeof r->detail, "%lld path%s; %s line %lld%s%.120s", (long long)edge->n, edge->n == 1 ? "" : "s",
                 in->network->metaedge[e].id, (long long)in->network->metaedge[e].line[edge->edge], *source ? " " : "", source);
    }
done:
    nep_paths_free(&found);
    return st;
}
