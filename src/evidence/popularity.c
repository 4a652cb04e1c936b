/* SPDX-License-Identifier: Apache-2.0 */
/* popularity.c - BASELINE: for how many other disorders is the drug recorded? */
#include "channels.h"

#include <math.h>

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    (void)ctx;
    (void)stream;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        value[k] = 0;
        se[k] = NAN;
        for (int64_t j = 0; j < in->n_disorders; j++)
            if (j != visible->disorder && nep_label_indicated(visible->others[j * in->n_drugs + k]))
                value[k] += 1;
    }
    return NEP_OK;
}

const nep_channel nep_popularity_channel = {
    .name = "popularity",
    .summary = "number of other disorders of the study for which the drug is a recorded treatment",
    .source = "the degree baseline of network methods: Himmelstein et al. (2017) eLife 6:e26726, doi:10.7554/eLife.26726",
    .orientation = "larger is used more widely",
    .licence = "that of the label table of the study",
    .role = NEP_ROLE_BASELINE,
    .needs = NEP_NEEDS_LABELS,
    .uses_labels = true,
    .uses_others = true,
    .knows_drug = true,
    .masks = true,
    .score = score,
};
