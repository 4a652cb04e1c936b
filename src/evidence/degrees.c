/* SPDX-License-Identifier: Apache-2.0 */
/* degrees.c - NUISANCE: how much is known of a drug at all. Modelled, so that no other channel is credited for it. */
#include "channels.h"

#include <math.h>

static void fill(const nep_inputs *in, const char *edges, double *value, double *se)
{
    const int64_t e = nep_network_find_metaedge(in->network, edges);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        value[k] = in->drug_node[k] < 0 ? NAN : log1p((double)nep_network_degree(in->network, e, false, in->drug_node[k]));
        se[k] = NAN;
    }
}

static nep_status score_targets(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    (void)visible;
    (void)stream;
    fill(in, "CbG", value, se);
    return NEP_OK;
}

static nep_status score_side_effects(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    (void)visible;
    (void)stream;
    fill(in, "CcSE", value, se);
    return NEP_OK;
}

static nep_status score_uses(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    (void)stream;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        double n = 0;
        for (int64_t j = 0; j < in->n_disorders; j++)
            n += j != visible->disorder && nep_label_indicated(visible->others[j * in->n_drugs + k]);
        value[k] = log1p(n);
        se[k] = NAN;
    }
    return NEP_OK;
}

#define SHARED                                                                                                                     \
    .source = "degree as a confounder of network predictions: Himmelstein et al. (2017) eLife 6:e26726, doi:10.7554/eLife.26726", \
    .licence = "that of the network's edges and of the label table of the study", .role = NEP_ROLE_NUISANCE, .masks = true

const nep_channel nep_degree_targets_channel = {.name = "degree_targets",
                                                .summary = "log of 1 + the number of genes that the network says the drug binds",
                                                .orientation = "larger is studied more widely",
                                                .needs = NEP_NEEDS_NETWORK,
                                                .edges = "CbG",
                                                .score = score_targets,
                                                SHARED};
const nep_channel nep_degree_side_effects_channel = {.name = "degree_side_effects",
                                                     .summary = "log of 1 + the number of side effects that the network records of the drug",
                                                     .orientation = "larger is used more widely",
                                                     .needs = NEP_NEEDS_NETWORK,
                                                     .edges = "CcSE",
                                                     .score = score_side_effects,
                                                     SHARED};
const nep_channel nep_degree_uses_channel = {.name = "degree_uses",
                                             .summary = "log of 1 + the number of other disorders that the drug is recorded for",
                                             .orientation = "larger is used more widely",
                                             .needs = NEP_NEEDS_LABELS,
                                             .uses_labels = true,
                                             .uses_others = true,
                                             .knows_drug = true,
                                             .score = score_uses,
                                             SHARED};
