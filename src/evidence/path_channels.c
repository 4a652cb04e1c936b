/* SPDX-License-Identifier: Apache-2.0 */
/* path_channels.c - VOTE: degree-weighted counts of the network's paths from a drug to a disorder, a channel per metapath. */
#include "paths.h"

#include <math.h>

/* A redraw adds the error times a normal number; a count does not fall below 0. */
static nep_status score_by(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, nep_paths_kind kind, uint64_t stream, double *value,
                           double *se)
{
    const uint64_t id = nep_stream_id(NEP_STREAM_PATH, visible->disorder, stream);
    NEP_TRY(evidence_paths_read(ctx, in, kind, visible->disorder, value, se));
    for (int64_t k = 0; k < in->n_drugs; k++) {
        se[k] = se[k] > 0 ? sqrt(se[k]) : (double)NAN; /* no path: no telling how far from one */
        if (stream && se[k] > 0)
            value[k] = fmax(0, value[k] + se[k] * nep_philox_normal(in->seed, id, (uint64_t)(k * NEP_PATHS_COUNT + kind)));
    }
    return NEP_OK;
}

#define PATHS(name, kind)                                                                                                                \
    static nep_status score_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, uint64_t stream, double *value, double *se) \
    {                                                                                                                                    \
        return score_by(ctx, in, v, kind, stream, value, se);                                                                            \
    }                                                                                                                                    \
    static nep_status explain_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, int64_t drug, int limit, nep_reason *out, \
                                     int *n)                                                                                             \
    {                                                                                                                                    \
        return evidence_paths_explain(ctx, in, kind, v->disorder, drug, limit, out, n);                                                  \
    }                                                                                                                                    \
    static nep_status edges_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, int64_t drug, int limit, nep_reason *out,   \
                                   int *n)                                                                                               \
    {                                                                                                                                    \
        return evidence_paths_edges(ctx, in, kind, v->disorder, drug, limit, out, n);                                                    \
    }
PATHS(gene, NEP_PATHS_GENE)
PATHS(gene_gwas, NEP_PATHS_GENE_GWAS)
PATHS(gene_curated, NEP_PATHS_GENE_CURATED)
PATHS(pathway, NEP_PATHS_PATHWAY)
PATHS(interaction, NEP_PATHS_INTERACTION)

#define SHARED                                                                                                                    \
    .source = "Himmelstein & Baranzini (2015) PLoS Comput Biol 11:e1004259, doi:10.1371/journal.pcbi.1004259; Himmelstein et al. " \
              "(2017) eLife 6:e26726, doi:10.7554/eLife.26726",                                                                   \
    .licence = "that of the network's edges", .role = NEP_ROLE_VOTE, .needs = NEP_NEEDS_NETWORK, .masks = true

const nep_channel nep_target_gene_channel = {
    .name = "target_gene",
    .summary = "degree-weighted count of paths drug - binds - gene - associated with - disorder, any kind of association",
    .orientation = "larger: more of its targets are genes of the disorder, and more specifically so",
    .edges = "CbG DaG",
    .score = score_gene,
    .explain = explain_gene,
    .by_edge = edges_gene,
    SHARED};
const nep_channel nep_target_gene_gwas_channel = {
    .name = "target_gene_gwas",
    .summary = "as target_gene, with associations of genome-wide studies alone: what no drug can have put there",
    .orientation = "larger: more of its targets are genes that studies of the whole genome tie to the disorder",
    .edges = "CbG DgG",
    .score = score_gene_gwas,
    .explain = explain_gene_gwas,
    .by_edge = edges_gene_gwas,
    SHARED};
const nep_channel nep_target_gene_curated_channel = {
    .name = "target_gene_curated",
    .summary = "as target_gene, with curated and text-mined associations alone: some are there because a drug for the disorder binds the gene",
    .orientation = "larger: more of its targets are genes that curators tie to the disorder",
    .edges = "CbG DcG",
    .score = score_gene_curated,
    .explain = explain_gene_curated,
    .by_edge = edges_gene_curated,
    SHARED};
const nep_channel nep_pathway_channel = {
    .name = "pathway",
    .summary = "degree-weighted count of paths drug - binds - gene - in pathway with - gene - associated with - disorder, no gene twice",
    .orientation = "larger: its targets share more pathways with genes of the disorder",
    .edges = "CbG GpPW DaG",
    .score = score_pathway,
    .explain = explain_pathway,
    .by_edge = edges_pathway,
    SHARED};
const nep_channel nep_interaction_channel = {
    .name = "interaction",
    .summary = "degree-weighted count of paths drug - binds - gene - interacts with - gene - associated with - disorder",
    .orientation = "larger: its targets interact with more genes of the disorder",
    .edges = "CbG GiG DaG",
    .score = score_interaction,
    .explain = explain_interaction,
    .by_edge = edges_interaction,
    SHARED};
