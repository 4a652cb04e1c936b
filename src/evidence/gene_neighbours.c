/* SPDX-License-Identifier: Apache-2.0 */
/* gene_neighbours.c - VOTE: the gene evidence of the drugs like the drug; it needs no label. */
#include "paths.h"
#include "smoother.h"
#include "tables_make.h"

#include <math.h>
#include <stdio.h>

/* Gene evidence of every drug, y [n_drugs] = asinh of the count over its mean; *mean 0 when no drug has any. */
static nep_status read_genes(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, double *y, double *mean)
{
    const int64_t n = in->n_drugs;
    *mean = 0;
    NEP_TRY(evidence_paths_read(ctx, in, NEP_PATHS_GENE, disorder, y, NULL));
    for (int64_t k = 0; k < n; k++)
        *mean += isnan(y[k]) ? 0 : y[k] / (double)n;
    for (int64_t k = 0; k < n; k++)
        y[k] = *mean > 0 && !isnan(y[k]) ? asinh(y[k] / *mean) : 0;
    return NEP_OK;
}

/* SD of the gene evidence over the drugs, for an error like that of neighbours: how far a drug's own may lie from what drugs like it tell. */
static double spread_of(const double *y, int64_t n)
{
    double mean = 0, squares = 0;
    for (int64_t k = 0; k < n; k++)
        mean += y[k] / (double)n;
    for (int64_t k = 0; k < n; k++)
        squares += (y[k] - mean) * (y[k] - mean) / (double)n;
    return sqrt(squares);
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    const int64_t n = in->n_drugs;
    double *y = NULL, mean = 0, spread;
    nep_status st;
    (void)stream;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *y, "gene neighbours", &y));
    NEP_TRY_OR_DONE(st, read_genes(ctx, in, visible->disorder, y, &mean));
    NEP_TRY_OR_DONE(st, evidence_smoother_apply(ctx, in, &in->itself, y, value));
    spread = spread_of(y, n);
    for (int64_t k = 0; k < n; k++) {
        if (!(mean > 0))
            value[k] = NAN;
        se[k] = isnan(value[k]) ? NAN : spread * in->smoother->doubt[k];
    }
done:
    nep_alloc_free(y);
    return st;
}

/* The drugs that give most. */
static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const double *row = evidence_smoother_rows(in, &in->itself) + drug * in->n_drugs;
    double *y = NULL, mean = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *y, "gene neighbours", &y));
    NEP_TRY_OR_DONE(st, read_genes(ctx, in, visible->disorder, y, &mean));
    for (int64_t k = 0; k < in->n_drugs && mean > 0 && in->smoother->known[drug]; k++) {
        nep_reason r = {.share = row[k] * y[k]};
        if (r.share == 0)
            continue;
        snprintf(r.label, sizeof r.label, "%.90s", in->drugs->names ? in->drugs->names[k] : in->drugs->id[k]);
        snprintf(r.detail, sizeof r.detail, "a drug like it; its own gene evidence %.2f, weight %+.3f", y[k], row[k]);
        nep_tables_keep_reason(&r, limit, out, n);
    }
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
    .explain = explain,
};
