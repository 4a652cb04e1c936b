/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c - VOTE: treatments of kindred disorders, the drug's own recorded uses (other_uses) or those of drugs like it (transfer). */
#include "kinship.h"
#include "smoother.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Sum over other disorders of weight times label, v [n_drugs]; NaN for all when the disorder is in no network. */
static nep_status kindred(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, double power, double *v, double *weight, double *count)
{
    const int64_t n = in->n_drugs;
    NEP_TRY(evidence_kinship_weights(ctx, in, visible, power, weight, count));
    for (int64_t k = 0; k < n; k++)
        v[k] = 0;
    for (int64_t l = 0; l < in->n_disorders; l++)
        for (int64_t k = 0; k < n && weight[l] > 0; k++)
            if (nep_label_indicated(visible->others[l * n + k]))
                v[k] += weight[l];
    return NEP_OK;
}

static nep_status score_by(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, double power, bool smooth, double *value, double *se)
{
    const int64_t n = in->n_drugs;
    double *v = NULL, *weight = NULL, *count = NULL;
    nep_status st;
    for (int64_t k = 0; k < n; k++)
        value[k] = se[k] = NAN;
    if (in->disorder_node[visible->disorder] < 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *v, "transfer: labels", &v));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders, sizeof *weight, "transfer: weights", &weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders, sizeof *count, "transfer: counts", &count));
    NEP_TRY_OR_DONE(st, kindred(ctx, in, visible, power, v, weight, count));
    double level = 0, square = 0;
    for (int64_t k = 0; k < n; k++) {
        level += v[k] / (double)n;
        square += v[k] * v[k] / (double)n;
    }
    if (smooth)
        NEP_TRY_OR_DONE(st, evidence_smoother_apply(ctx, in, visible->mask, v, value));
    for (int64_t k = 0; k < n; k++) {
        if (!smooth) {
            value[k] = v[k];
            double doubt = 0; /* each record is wrong with chance NEP_EVIDENCE_LABEL_DOUBT */
            for (int64_t l = 0; l < in->n_disorders; l++)
                if (weight[l] > 0 && nep_label_indicated(visible->others[l * n + k]))
                    doubt += weight[l] * weight[l];
            se[k] = sqrt(doubt * NEP_EVIDENCE_LABEL_DOUBT * (1 - NEP_EVIDENCE_LABEL_DOUBT));
        } else if (!isnan(value[k])) {
            se[k] = sqrt(fmax(0, square - level * level)) * in->smoother->doubt[k];
        }
    }
done:
    nep_alloc_free(count);
    nep_alloc_free(weight);
    nep_alloc_free(v);
    return st;
}

/* A disorder that only lends its labels is named by the network. */
static const char *name_of(const nep_inputs *in, int64_t l)
{
    const int64_t kind = nep_network_find_kind(in->network, "D"), node = in->disorder_node[l];
    const bool unnamed = strcmp(in->disorder_names[l], in->disorder_ids[l]) == 0;
    const char *label = unnamed && node >= 0 && in->network->kind[kind].label ? in->network->kind[kind].label[node] : NULL;
    return label ? label : in->disorder_names[l];
}

/* The disorders that give most, with what they are treated with. */
static nep_status explain_by(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, double power, bool smooth, int64_t drug, int limit,
                             nep_reason *out, int *n)
{
    const int64_t drugs = in->n_drugs, d = in->n_disorders;
    double *share = NULL, *weight = NULL, *count = NULL;
    nep_status st;
    if (in->disorder_node[visible->disorder] < 0 || (smooth && !in->smoother->known[drug]))
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *share, "transfer: shares", &share));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *weight, "transfer: weights", &weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *count, "transfer: counts", &count));
    NEP_TRY_OR_DONE(st, evidence_kinship_weights(ctx, in, visible, power, weight, count));
    const double *row = smooth ? evidence_smoother_rows(in, visible->mask) + drug * drugs : NULL;
    for (int64_t l = 0; l < d; l++)
        for (int64_t i = 0; i < drugs && weight[l] > 0; i++)
            if (nep_label_indicated(visible->others[l * drugs + i]))
                share[l] += weight[l] * (smooth ? row[i] : i == drug);
    for (*n = 0; *n < limit; (*n)++) {
        int64_t best = 0;
        for (int64_t l = 1; l < d; l++)
            if (fabs(share[l]) > fabs(share[best]))
                best = l;
        if (share[best] == 0)
            break;
        evidence_shorten(out[*n].label, sizeof out[*n].label, 90, name_of(in, best));
        snprintf(out[*n].detail, sizeof out[*n].detail, "%s; kinship weight %.2g, %g recorded treatment%s",
                 smooth ? "drugs like it treat it" : "a recorded use of the drug", weight[best], count[best], count[best] == 1 ? "" : "s");
        out[*n].record = smooth ? 0 : 1 + best * drugs + drug;
        out[*n].share = share[best];
        share[best] = 0;
    }
done:
    nep_alloc_free(count);
    nep_alloc_free(weight);
    nep_alloc_free(share);
    return st;
}

#define TRANSFER(name, power, smooth)                                                                                                    \
    static nep_status score_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, uint64_t stream, double *value, double *se)  \
    {                                                                                                                                     \
        (void)stream;                                                                                                                     \
        return score_by(ctx, in, v, power, smooth, value, se);                                                                            \
    }                                                                                                                                     \
    static nep_status explain_##name(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, int64_t drug, int limit, nep_reason *out,  \
                                     int *n)                                                                                              \
    {                                                                                                                                     \
        return explain_by(ctx, in, v, power, smooth, drug, limit, out, n);                                                                \
    }
TRANSFER(transfer, 2, true)
TRANSFER(transfer_close, 4, true)
TRANSFER(other_uses, 2, false)
TRANSFER(other_uses_close, 4, false)

#define SHARED                                                                                                                            \
    .source = "Gottlieb et al. (2011) Mol Syst Biol 7:496, doi:10.1038/msb.2011.26 (similar diseases, similar drugs); non-negative least "  \
              "squares: Lawson & Hanson (1974) Solving Least Squares Problems, Prentice-Hall",                                             \
    .licence = "that of the network's edges and of the label table of the study", .role = NEP_ROLE_VOTE,                                   \
    .needs = NEP_NEEDS_NETWORK | NEP_NEEDS_LABELS, .uses_labels = true, .uses_others = true, .masks = true

const nep_channel nep_transfer_channel = {
    .name = "transfer",
    .summary = "what kindred disorders are treated with, among drugs like the drug; kinship by genes, symptoms, literature and anatomy, to the power 2",
    .orientation = "larger: drugs like it treat disorders like this one",
    .edges = "CbG DaG",
    .score = score_transfer,
    .explain = explain_transfer,
    SHARED,
};
const nep_channel nep_transfer_close_channel = {
    .name = "transfer_close",
    .summary = "as transfer, kinship to the power 4: the nearest disorders count for most",
    .orientation = "larger: drugs like it treat the disorders most like this one",
    .edges = "CbG DaG",
    .score = score_transfer_close,
    .explain = explain_transfer_close,
    SHARED,
};
const nep_channel nep_other_uses_channel = {
    .name = "other_uses",
    .summary = "recorded uses of the drug itself in kindred disorders; kinship by genes, symptoms, literature and anatomy, to the power 2",
    .orientation = "larger: the drug treats disorders like this one",
    .edges = "DaG",
    .knows_drug = true,
    .score = score_other_uses,
    .explain = explain_other_uses,
    SHARED,
};
const nep_channel nep_other_uses_close_channel = {
    .name = "other_uses_close",
    .summary = "as other_uses, kinship to the power 4: the nearest disorders count for most",
    .orientation = "larger: the drug treats the disorders most like this one",
    .edges = "DaG",
    .knows_drug = true,
    .score = score_other_uses_close,
    .explain = explain_other_uses_close,
    SHARED,
};
