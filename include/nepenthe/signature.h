/* SPDX-License-Identifier: Apache-2.0 */
/* signature - what a disorder or a drug does to genes, and how far one undoes the other: connectivity scores.
 *
 * What it is not: it reads no file and normalises no expression. Scores of this header are positive where query and list agree, as
 * in their papers; the channels (reversal_*) turn the sign, so that positive means that the drug reverses the disorder.
 */
#ifndef NEPENTHE_SIGNATURE_H
#define NEPENTHE_SIGNATURE_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEP_SIGNATURE_EXTREME 500 /* genes on each side that count as extreme (XSum, cosine) */
#define NEP_SIGNATURE_QUERY   150 /* genes on each side that make a query of a whole list, as in the Connectivity Map */
#define NEP_SIGNATURE_LEAST   5   /* measured genes that a query needs */

/* Genes ordered by z, largest first. Genes of equal z form one block, and no score depends on the order within it. */
typedef struct {
    int64_t n, n_measured;
    const double *z;   /* [n], lent; NaN = not measured */
    int32_t *before;   /* [n] measured genes with a larger z */
    int32_t *through;  /* [n] measured genes with a larger or equal z, itself counted */
    int64_t extreme;   /* a gene is extreme when before < extreme or n_measured - through < extreme: ties at the edge all count */
    double norm;       /* Euclidean norm of z over the extreme genes */
} nep_signature_list;
/* Errors: NEP_E_ARG (n < 1 or beyond int32, extreme < 1), NEP_E_NOMEM. Cost: n log n. */
NEP_MUST_USE nep_status nep_signature_rank(nep_ctx *ctx, const double *z, int64_t n, int64_t extreme, nep_signature_list *out);
void nep_signature_free(nep_signature_list *list); /* a zeroed one is fine */
bool nep_signature_is_extreme(const nep_signature_list *list, int64_t gene);

/* Genes with weights: above 0 = up, below 0 = down; no gene twice. */
typedef struct {
    int64_t n;
    const int32_t *gene;
    const double *weight;
} nep_signature_query;

/* What is computed of a query and a list; genes of the query that the list did not measure are left out.
 *
 * ES      walk down the list, up by |z|^p / sum of |z|^p over the set at a gene of the set, down by 1 / (N - n) at another; ES is the
 *         value farthest from 0, 0 when both sides are equally far. Looked at between blocks of equal z.
 * WTCS    (ES_up - ES_down) / 2 with p = 1, 0 when both have one sign. Only up or only down: ES_up, -ES_down.
 * KS      of 2006: a = max_j(j / t - V_j / N), b = max_j(V_j / N - (j - 1) / t), ks = a if a > b else -b, V_j mean ranks; ks_up - ks_down,
 *         0 when both have one sign. Not scaled over a set of drugs.
 * SUM     sum of z over up - sum of z over down.
 * XSUM    the same over the extreme genes of the list.
 * COSINE  sum of weight z over the extreme genes / (norm of the weights measured * norm of the extreme z): genes on one side alone
 *         count 0, so that one common gene is not a perfect match.
 * RGES    |ks_up| - |ks_down| as Samart et al. print it.
 *
 * Sources: Subramanian et al. (2017) Cell 171:1437, doi:10.1016/j.cell.2017.10.049 (WTCS); Subramanian et al. (2005) PNAS 102:15545,
 * doi:10.1073/pnas.0506580102 (ES); Lamb et al. (2006) Science 313:1929, doi:10.1126/science.1132939 (KS); Cheng et al. (2014) Genome
 * Med 6:95, doi:10.1186/s13073-014-0095-1 (SUM, XSUM, COSINE); Samart et al. (2021) Brief Bioinform 22:bbab161, doi:10.1093/bib/bbab161. */
typedef enum {
    NEP_SIGNATURE_WTCS,
    NEP_SIGNATURE_XSUM,
    NEP_SIGNATURE_COSINE,
    NEP_SIGNATURE_KS,
    NEP_SIGNATURE_SUM,
    NEP_SIGNATURE_RGES,
    NEP_SIGNATURE_METHODS
} nep_signature_method;

/* One score, and its standard error (may be NULL) by the jackknife that leaves each gene of the query out in turn:
 * sqrt((n - 1) / n sum (score_-i - mean)^2), n the measured genes. NaN for both with fewer than NEP_SIGNATURE_LEAST measured genes, when
 * the set has all genes of the list, or when every z of a side is 0.
 * Errors: NEP_E_ARG (a gene beyond the list), NEP_E_NOMEM. Cost: n log n; with se n^2. */
NEP_MUST_USE nep_status nep_signature_score(nep_ctx *ctx, const nep_signature_list *list, const nep_signature_query *query,
                                            nep_signature_method method, double *score, double *se);
/* ES of the up and of the down genes, NaN for a side without any. Errors as nep_signature_score. */
NEP_MUST_USE nep_status nep_signature_sides(nep_ctx *ctx, const nep_signature_list *list, const nep_signature_query *query, double *up,
                                            double *down);

/* Normalised connectivity: each score over the absolute mean of the scores of its sign in its group (zeros left out, NaN too); 0 stays 0.
 * group [n] (NULL = one group) numbers cell line and kind of perturbagen; floor is the least mean, 0.01 in the Connectivity Map's code,
 * 0 for none. Errors: NEP_E_ARG (a group < 0), NEP_E_NOMEM. Source: Subramanian et al. (2017). */
NEP_MUST_USE nep_status nep_signature_normalise(nep_ctx *ctx, const double *score, const int32_t *group, int64_t n, double floor, double *out);
/* tau = sign(ncs) 100 / N times the number of the N reference values with a smaller absolute value. NaN with N < 500 (NaN among the
 * reference left out). Errors: NEP_E_NOMEM. Source: Subramanian et al. (2017). */
NEP_MUST_USE nep_status nep_signature_tau(nep_ctx *ctx, const double *ncs, int64_t n, const double *reference, int64_t n_reference, double *out);

/* ---- signatures of a study ---------------------------------------------------------------------------------------- */
enum { NEP_SIGNATURES_CHANNELS = NEP_SIGNATURE_COSINE + 1 };

/* Disorders as whole lists; drugs as sets (weights 1 and -1) or as whole lists. Where drugs are sets, they are the query of the
 * disorder's list; where they are lists, the NEP_SIGNATURE_QUERY outermost genes of either side of the disorder are the query. */
typedef struct nep_signatures {
    int64_t n_disorders, n_drugs, n_genes;
    char **genes;           /* [n_genes] */
    double *disorder_z;     /* [n_disorders, n_genes] NaN = not measured */
    signed char *disorder_licence; /* [n_disorders, n_genes] index into licences, -1 = none given */
    bool drugs_are_lists;
    int64_t *drug_start;    /* [n_drugs + 1] */
    int32_t *drug_gene;     /* ascending within a drug */
    double *drug_weight;
    signed char *drug_licence;
    char **licences;        /* [n_licences] */
    int n_licences;
    double *value[NEP_SIGNATURES_CHANNELS], *se[NEP_SIGNATURES_CHANNELS]; /* what prepare made: [n_disorders, n_drugs], positive = reversal */
} nep_signatures;
/* Drops genes whose licence is not open, before prepare; counts them (may be NULL): of disorders and of drugs. */
void nep_signatures_keep_open(nep_signatures *s, int64_t dropped[2]);
/* Makes value and se: for every pair, with as many threads as the context has; same bits for any number.
 * Errors: NEP_E_NOMEM, NEP_E_INTERRUPTED. */
NEP_MUST_USE nep_status nep_signatures_prepare(nep_ctx *ctx, nep_signatures *s);
void nep_signatures_release(nep_signatures *s); /* forgets what prepare made */
void nep_signatures_free(nep_signatures *s);

#ifdef __cplusplus
}
#endif
#endif
