/* SPDX-License-Identifier: Apache-2.0 */
/* gene_neighbours.c - VOTE: the gene evidence of the drugs like the drug; it needs no label. */
#include "paths.h"
#include "smoother.h"

#include <math.h>

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    const int64_t n = in->n_drugs;
    double *y = NULL, mean = 0;
    nep_status st;
    (void)stream;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *y, "gene neighbours", &y));
    NEP_TRY_OR_DONE(st, evidence_paths_read(ctx, in, NEP_PATHS_GENE, visible->disorder, y, se));
    for (int64_t k = 0; k < n; k++) {
        mean += isnan(y[k]) ? 0 : y[k] / (double)n;
        se[k] = NAN;
    }
    for (int64_t k = 0; k < n; k++)
        y[k] = mean > 0 && !isnan(y[k]) ? asinh(y[k] / mean) : 0;
    NEP_TRY_OR_DONE(st, evidence_smoother_apply(ctx, in, &in->itself, y, value));
    for (int64_t k = 0; k < n && !(mean > 0); k++)
        value[k] = NAN;
done:
    nep_alloc_free(y);
    return st;
}

const nep_channel nep_gene_neighbours_channel = {
    .name = "gene_neighbours",
    .summary = "the gene evidence (target_gene) of drugs with like targets, actions, side effects and classes, the drug itself left out",
    .source = "Himmelstein & Baranzini (2015) PLoS Comput Biol 11:e1004259, doi:10.1371/journal.pcbi.1004259; Saunders, Gammerman & Vovk "
              "(1998) ICML 15:515",
    .orientation = "larger: drugs like it bind more genes of the disorder",
    .licence = "that of the network's edges",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_NETWORK,
    .edges = "CbG DaG",
    .masks = true,
    .score = score,
};
