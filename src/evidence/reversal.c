/* SPDX-License-Identifier: Apache-2.0 */
/* reversal.c - VOTE: does the drug move genes against the way the disorder moves them? Three scores of it. */
#include <nepenthe/signature.h>

#include "channels.h"
#include "signatures.h"
#include "tables_make.h"

#include <math.h>
#include <stdio.h>

static nep_status score(const nep_inputs *in, const nep_visible *visible, uint64_t stream, int method, double *value, double *se)
{
    const uint64_t id = nep_stream_id(NEP_STREAM_TABLE, visible->disorder, stream);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t cell = visible->disorder * in->n_drugs + k;
        value[k] = in->signatures->value[method][cell];
        se[k] = in->signatures->se[method][cell];
        if (stream && !isnan(se[k])) /* numbers after those of the evidence tables */
            value[k] += se[k] * nep_philox_normal(in->seed, id, (uint64_t)((NEP_TABLES_COUNT + method) * in->n_drugs + k));
    }
    return NEP_OK;
}

/* The pair as it was scored. */
typedef struct {
    nep_signature_list list;
    nep_signature_query query;
    double *z, *weight;
    int32_t *gene;
} pair;

static nep_status open_pair(nep_ctx *ctx, const nep_signatures *s, int64_t disorder, int64_t drug, pair *p)
{
    if (!s->drugs_are_lists) {
        p->query = signatures_drug_query(s, drug);
        return nep_signature_rank(ctx, s->disorder_z + disorder * s->n_genes, s->n_genes, NEP_SIGNATURE_EXTREME, &p->list);
    }
    NEP_TRY(signatures_disorder_query(ctx, s, disorder, &p->gene, &p->weight, &p->query.n));
    p->query.gene = p->gene;
    p->query.weight = p->weight;
    NEP_TRY(nep_alloc(ctx, s->n_genes, sizeof *p->z, "signatures: a list", &p->z));
    return nep_signature_rank(ctx, signatures_drug_list(s, drug, p->z), s->n_genes, NEP_SIGNATURE_EXTREME, &p->list);
}

static void close_pair(pair *p)
{
    nep_signature_free(&p->list);
    nep_alloc_free(p->z);
    nep_alloc_free(p->weight);
    nep_alloc_free(p->gene);
}

/* One gene of the query, with what drug and disorder do to it. */
static void add_gene(const nep_signatures *s, const pair *p, int64_t i, double share, int limit, nep_reason *out, int *n)
{
    const int32_t g = p->query.gene[i];
    nep_reason r = {.share = share};
    snprintf(r.label, sizeof r.label, "%s", s->genes[g]);
    if (s->drugs_are_lists)
        snprintf(r.detail, sizeof r.detail, "disorder z %.2f, drug z %.2f", p->query.weight[i], p->list.z[g]);
    else
        snprintf(r.detail, sizeof r.detail, "drug %s, disorder z %.2f", p->query.weight[i] > 0 ? "up" : "down", p->list.z[g]);
    nep_tables_keep_reason(&r, limit, out, n);
}

static double query_norm(const pair *p)
{
    double norm = 0;
    for (int64_t i = 0; i < p->query.n; i++)
        if (!isnan(p->list.z[p->query.gene[i]]))
            norm += p->query.weight[i] * p->query.weight[i];
    return sqrt(norm);
}

static void explain_genes(const nep_signatures *s, const pair *p, int method, int limit, nep_reason *out, int *n)
{
    const double norm = query_norm(p);
    for (int64_t i = 0; i < p->query.n; i++) {
        const int32_t g = p->query.gene[i];
        const double w = p->query.weight[i];
        if (!nep_signature_is_extreme(&p->list, g))
            continue;
        const double part = method == NEP_SIGNATURE_XSUM ? (w > 0 ? p->list.z[g] : -p->list.z[g]) : w * p->list.z[g] / (norm * p->list.norm);
        add_gene(s, p, i, -part, limit, out, n);
    }
}

/* Both sides of a WTCS, half each; where they agree in sign the score is 0 and neither has a share. */
static nep_status explain_sides(nep_ctx *ctx, const nep_signatures *s, const pair *p, double value, int limit, nep_reason *out, int *n)
{
    double up, down;
    NEP_TRY(nep_signature_sides(ctx, &p->list, &p->query, &up, &down));
    const bool both = !isnan(up) && !isnan(down);
    const double es[] = {up, down}, share[] = {both ? -up / 2 : -up, both ? down / 2 : down};
    for (int side = 0; side < 2; side++) {
        nep_reason r = {.share = value != 0 ? share[side] : 0};
        if (isnan(es[side]))
            continue;
        snprintf(r.label, sizeof r.label, "%s genes of the %s", side ? "down" : "up", s->drugs_are_lists ? "disorder" : "drug");
        snprintf(r.detail, sizeof r.detail, "enrichment %.2f in the %s's list%s", es[side], s->drugs_are_lists ? "drug" : "disorder",
                 both && up * down > 0 ? "; both sides lie on one end, which counts 0" : "");
        nep_tables_keep_reason(&r, limit, out, n);
    }
    return NEP_OK;
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int method, int limit, nep_reason *out, int *n)
{
    const nep_signatures *s = in->signatures;
    const double value = s->value[method][visible->disorder * in->n_drugs + drug];
    pair p = {0};
    nep_status st;

    if (isnan(value))
        return NEP_OK;
    NEP_TRY_OR_DONE(st, open_pair(ctx, s, visible->disorder, drug, &p));
    if (method == NEP_SIGNATURE_WTCS)
        st = explain_sides(ctx, s, &p, value, limit, out, n);
    else
        explain_genes(s, &p, method, limit, out, n);
done:
    close_pair(&p);
    return st;
}

#define METHOD(name, METHOD_NAME)                                                                                                         \
    static nep_status name##_score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, uint64_t stream, double *value, double *se)   \
    {                                                                                                                                     \
        (void)ctx;                                                                                                                        \
        return score(in, v, stream, METHOD_NAME, value, se);                                                                              \
    }                                                                                                                                     \
    static nep_status name##_explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, int64_t drug, int limit, nep_reason *out,  \
                                     int *n)                                                                                              \
    {                                                                                                                                     \
        return explain(ctx, in, v, drug, METHOD_NAME, limit, out, n);                                                                     \
    }
METHOD(wtcs, NEP_SIGNATURE_WTCS)
METHOD(xsum, NEP_SIGNATURE_XSUM)
METHOD(cosine, NEP_SIGNATURE_COSINE)

#define COMMON                                                                                                                            \
    .orientation = "positive moves genes against the disorder, negative with it", .licence = "that of each row of the signature tables",  \
    .role = NEP_ROLE_VOTE, .needs = NEP_NEEDS_SIGNATURES, .uses_labels = false

const nep_channel nep_reversal_wtcs_channel = {
    .name = "reversal_wtcs",
    .summary = "minus the weighted connectivity score (p = 1) of the drug's up and down genes in the disorder's ranked list, or, for drugs "
               "with whole lists, of the disorder's 150 outermost genes a side in the drug's",
    .source = "Subramanian et al. (2017) Cell 171:1437, doi:10.1016/j.cell.2017.10.049; jackknife over the genes of the query",
    .score = wtcs_score,
    .explain = wtcs_explain,
    COMMON,
};

const nep_channel nep_reversal_xsum_channel = {
    .name = "reversal_xsum",
    .summary = "minus (sum of z over up genes less sum over down genes) among the 500 outermost genes of either side of the list; query and "
               "list as in reversal_wtcs",
    .source = "Cheng et al. (2014) Genome Med 6:95, doi:10.1186/s13073-014-0095-1; jackknife over the genes of the query",
    .score = xsum_score,
    .explain = xsum_explain,
    COMMON,
};

const nep_channel nep_reversal_cosine_channel = {
    .name = "reversal_cosine",
    .summary = "minus the cosine of query and list over the 500 outermost genes of either side of the list, genes of one alone counting 0; "
               "query and list as in reversal_wtcs",
    .source = "Cheng et al. (2014) Genome Med 6:95, doi:10.1186/s13073-014-0095-1; jackknife over the genes of the query",
    .score = cosine_score,
    .explain = cosine_explain,
    COMMON,
};
