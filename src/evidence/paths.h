/* SPDX-License-Identifier: Apache-2.0 */
/* paths.h - the network's paths from drugs to disorders, counted once per metapath and kept (paths.c). */
#ifndef NEP_EVIDENCE_PATHS_H
#define NEP_EVIDENCE_PATHS_H

#include "channels.h"

#include <nepenthe/graph.h>

typedef enum { NEP_PATHS_GENE, NEP_PATHS_GENE_GWAS, NEP_PATHS_GENE_CURATED, NEP_PATHS_PATHWAY, NEP_PATHS_INTERACTION, NEP_PATHS_COUNT } nep_paths_kind;

/* What was counted so far. Channels run one after another: the first call for a metapath fills its arrays, and later ones read them. */
struct nep_path_counts {
    double *count[NEP_PATHS_COUNT], *variance[NEP_PATHS_COUNT]; /* [n_disorders, n_drugs] NaN = no evidence; NULL = not yet counted */
};

/* Makes in->paths, empty; nothing without a network of drugs and disorders. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status evidence_paths_open(nep_ctx *ctx, nep_inputs *in);
void evidence_paths_free(struct nep_path_counts *p); /* takes NULL */

/* Degree-weighted path counts [n_drugs] of one disorder, damping 0.4, and their variance (may be NULL).
 *
 * NaN where the drug has no edge of the first metaedge or the disorder none of the last: no evidence. 0 where both have and no path joins
 * them. Paths count as independent events, so that the variance is the sum of the squares of their weights: the count at damping 0.8.
 * Paths that share an edge are not independent; the true error is larger.
 *
 * Cost: nep_dwpc_matrix twice at the first call for a metapath. Errors: those of nep_metapath_parse and nep_dwpc_matrix. */
NEP_MUST_USE nep_status evidence_paths_read(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, double *count, double *variance);
/* Reasons of one count: a path each, largest first; where there are more than limit, the last one stands for all the others. */
NEP_MUST_USE nep_status evidence_paths_explain(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, int64_t drug, int limit,
                                               nep_reason *out, int *n);

/* The same count by edge at the drug: label the target, detail its source row and how many paths leave by it. */
NEP_MUST_USE nep_status evidence_paths_edges(nep_ctx *ctx, const nep_inputs *in, nep_paths_kind kind, int64_t disorder, int64_t drug, int limit,
                                             nep_reason *out, int *n);

#endif
