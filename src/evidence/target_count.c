/* SPDX-License-Identifier: Apache-2.0 */
/* target_count.c - BASELINE: how many targets is the drug known to bind? */
#include "channels.h"

#include <math.h>

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    (void)ctx;
    (void)visible;
    (void)stream;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        value[k] = 0;
        se[k] = NAN;
        for (int64_t i = in->affinity_start[k]; i < in->affinity_start[k + 1]; i++)
            value[k] += !in->affinities[i].censored;
    }
    return NEP_OK;
}

const nep_channel nep_target_count_channel = {
    .name = "target_count",
    .summary = "number of targets with a recorded affinity or action, bounds left out",
    .source = "the degree baseline of network methods: Himmelstein et al. (2017) eLife 6:e26726, doi:10.7554/eLife.26726",
    .orientation = "larger is studied more widely",
    .licence = "that of the affinity table of the study",
    .role = NEP_ROLE_BASELINE,
    .needs = NEP_NEEDS_AFFINITY,
    .uses_labels = false,
    .score = score,
};
