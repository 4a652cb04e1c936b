/* SPDX-License-Identifier: Apache-2.0 */
/* learned_gate.c - a drug that moves the disorder's targets the wrong way loses log odds: this is stated, not learned. */
#include "rank/learned.h"

#include <nepenthe/direction.h>

#include <string.h>

const nep_channel *rank_learned_find_gate(const nep_channel *const *channels, int n)
{
    for (int c = 0; c < n; c++)
        if (strcmp(channels[c]->name, "direction") == 0)
            return channels[c];
    return NULL;
}

nep_status rank_learned_gate(nep_ctx *ctx, const nep_inputs *in, const nep_channel *gate, nep_protocol p, double *penalty)
{
    const int64_t n = in->n_drugs, d = nep_inputs_ranked(in);
    rank_features f = {0};
    nep_status st = NEP_OK;

    memset(penalty, 0, (size_t)(d * n) * sizeof *penalty);
    if (!gate)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, rank_features_open(ctx, in, &gate, 1, &f));
    for (int64_t j = 0; j < d; j++) {
        NEP_TRY_OR_DONE(st, rank_features_read(ctx, &f, p, j, -1, false, 0, penalty + j * n));
        for (int64_t k = 0; k < n; k++)
            penalty[j * n + k] = nep_direction_penalty(penalty[j * n + k]);
    }
done:
    rank_features_close(&f);
    return st;
}
