/* SPDX-License-Identifier: Apache-2.0 */
/* analogue.c - VOTE: how like the nearest visible indicated drug is it, itself left out? */
#include "channels.h"

#include <math.h>
#include <stdio.h>

/* The most similar drug of the list other than `k`, or -1. */
static int64_t nearest(const nep_inputs *in, const nep_visible *visible, const int64_t *list, int64_t n_list, int64_t k, double *similarity)
{
    const float *row = in->similarity + k * in->n_drugs;
    int64_t best = -1;
    for (int64_t l = 0; l < n_list; l++) {
        const int64_t i = list[l];
        if (!nep_visible_hides(visible, k, i) && !isnan(row[i]) && (best < 0 || row[i] > row[best]))
            best = i;
    }
    *similarity = best < 0 ? NAN : (double)row[best];
    return best;
}

static int count_bits(const nep_molset *m, int64_t i)
{
    int n = 0;
    for (int64_t w = 0; w < m->words; w++)
        n += __builtin_popcountll(m->bits[i * m->words + w]);
    return n;
}

/* A Tanimoto coefficient is a share of the union's bits: its binomial error. */
static double error_of(const nep_inputs *in, int64_t k, int64_t other, double t)
{
    const double both = (count_bits(in->drugs, k) + count_bits(in->drugs, other)) / (1.0 + t);
    return sqrt(t * (1.0 - t) / (both > 1 ? both : 1));
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    int64_t *list = NULL;
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *list, "analogue: indicated drugs", &list));
    const int64_t n_list = nep_visible_list(in, visible, stream, list);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t other = nearest(in, visible, list, n_list, k, &value[k]);
        se[k] = other < 0 || stream ? NAN : error_of(in, k, other, value[k]);
    }
    nep_alloc_free(list);
    return NEP_OK;
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                          nep_reason *out, int *n)
{
    int64_t *list = NULL;
    double t;
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *list, "analogue: indicated drugs", &list));
    const int64_t n_list = nep_visible_list(in, visible, 0, list), other = nearest(in, visible, list, n_list, drug, &t);
    nep_alloc_free(list);
    if (other < 0 || limit < 1)
        return NEP_OK;
    snprintf(out[0].label, sizeof out[0].label, "%s", in->drugs->names ? in->drugs->names[other] : in->drugs->id[other]);
    snprintf(out[0].detail, sizeof out[0].detail, "nearest recorded treatment, Tanimoto %.2f", t);
    out[0].share = t;
    out[0].record = 1 + visible->disorder * in->n_drugs + other;
    *n = 1;
    return NEP_OK;
}

const nep_channel nep_analogue_channel = {
    .name = "analogue",
    .summary = "largest Tanimoto similarity to a visible indicated drug of the disorder, itself left out",
    .source = "Rogers & Hahn (2010) J Chem Inf Model 50:742, doi:10.1021/ci100050t; similarity principle: Willett (2006) Drug "
              "Discov Today 11:1046, doi:10.1016/j.drudis.2006.10.005",
    .orientation = "larger is nearer to a recorded treatment",
    .licence = "that of the drug and label tables of the study",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_FINGERPRINT | NEP_NEEDS_LABELS,
    .uses_labels = true,
    .masks = true,
    .score = score,
    .explain = explain,
};
