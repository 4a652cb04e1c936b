/* SPDX-License-Identifier: Apache-2.0 */
/* inputs_permuted.c - the inputs of a study over a permuted network: every node keeps its degree, nothing else of the edges stays. */
#include "kinship.h"
#include "paths.h"
#include "smoother.h"

#include <string.h>

static const double tries = 10; /* swaps that are tried per edge, as by custom */

/* Which drugs are alike decides what is hidden, so that these edges stay. */
static bool stays(const nep_network_metaedge *m)
{
    return strcmp(m->id, "CrC") == 0 || m->n == 0;
}

static nep_status copy_edges(nep_ctx *ctx, const nep_network_metaedge *m, nep_network_metaedge *out)
{
    *out = (nep_network_metaedge){.id = m->id, .from = m->from, .to = m->to, .directed = m->directed, .n = m->n};
    NEP_TRY(nep_alloc_copy(ctx, m->from_node, m->n, sizeof *m->from_node, "permuted edges", &out->from_node));
    NEP_TRY(nep_alloc_copy(ctx, m->to_node, m->n, sizeof *m->to_node, "permuted edges", &out->to_node));
    NEP_TRY(nep_alloc_copy(ctx, m->line, m->n, sizeof *m->line, "permuted edges", &out->line));
    if (m->weight)
        NEP_TRY(nep_alloc_copy(ctx, m->weight, m->n, sizeof *m->weight, "permuted edges", &out->weight));
    if (m->sign)
        NEP_TRY(nep_alloc_copy(ctx, m->sign, m->n, sizeof *m->sign, "permuted edges", &out->sign));
    return NEP_OK;
}

static void free_edges(nep_network_metaedge *m)
{
    const bool one_side = m->in.start == m->out.start;
    nep_network_side *sides[] = {&m->out, &m->in};
    for (int i = 0; i < (one_side ? 1 : 2); i++) {
        nep_alloc_free(sides[i]->start);
        nep_alloc_free(sides[i]->node);
        nep_alloc_free(sides[i]->edge);
    }
    void *const all[] = {m->from_node, m->to_node, m->line, m->weight, m->sign};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
}

static nep_status permute(nep_ctx *ctx, const nep_network *net, uint64_t number, nep_network *out)
{
    *out = *net; /* kinds and words are lent */
    out->metaedge = NULL;
    NEP_TRY(nep_alloc(ctx, net->n_metaedges, sizeof *out->metaedge, "permuted network", &out->metaedge));
    for (int64_t i = 0; i < net->n_metaedges; i++) {
        if (stays(&net->metaedge[i])) {
            out->metaedge[i] = net->metaedge[i];
            continue;
        }
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(copy_edges(ctx, &net->metaedge[i], &out->metaedge[i]));
        NEP_TRY(nep_xswap_permute(ctx, out, i, tries, number, NULL));
    }
    return NEP_OK;
}

nep_status nep_inputs_permute(nep_ctx *ctx, const nep_inputs *in, uint64_t number, nep_inputs *out)
{
    nep_network *net = NULL;
    nep_status st;

    *out = *in;
    out->network = NULL;
    out->paths = NULL;
    out->smoother = NULL;
    out->kinship = NULL;
    NEP_REQUIRE_OR_DONE(st, ctx, in->network, NEP_E_ARG, "permuted network: the study has none");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *net, "permuted network", &net));
    out->network = net;
    NEP_TRY_OR_DONE(st, permute(ctx, in->network, number, net));
    NEP_TRY_OR_DONE(st, evidence_paths_open(ctx, out));
    NEP_TRY_OR_DONE(st, evidence_smoother_make(ctx, out));
    st = evidence_kinship_make(ctx, out);
done:
    if (st != NEP_OK)
        nep_inputs_release_permuted(in, out);
    return st;
}

void nep_inputs_release_permuted(const nep_inputs *in, nep_inputs *out)
{
    nep_network *net = (nep_network *)(uintptr_t)out->network;
    evidence_paths_free(out->paths);
    evidence_smoother_free(out->smoother);
    evidence_kinship_free(out->kinship);
    for (int64_t i = 0; net && net->metaedge && i < net->n_metaedges; i++)
        if (!stays(&in->network->metaedge[i]))
            free_edges(&net->metaedge[i]);
    if (net)
        nep_alloc_free(net->metaedge);
    nep_alloc_free(net);
    *out = (nep_inputs){0};
}
