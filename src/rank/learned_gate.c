/* SPDX-License-Identifier: Apache-2.0 */
/* learned_gate.c - a drug that moves the disorder's targets the wrong way loses log odds: this is stated, not learned. */
#include "rank/learned.h"

#include <nepenthe/direction.h>

#include <string.h>

nep_status rank_learned_gate(nep_ctx *ctx, const nep_ranking *r, nep_protocol p, double *penalty)
{
    const int64_t n = r->inputs->n_drugs;
    const nep_channel *gate = NULL;
    rank_features f = {0};
    nep_status st = NEP_OK;

    memset(penalty, 0, (size_t)(r->n_disorders * n) * sizeof *penalty);
    for (int c = 0; c < r->n_channels; c++)
        if (strcmp(r->channels[c]->name, "direction") == 0)
            gate = r->channels[c];
    if (!gate)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, rank_features_open(ctx, r->inputs, &gate, 1, &f));
    for (int64_t j = 0; j < r->n_disorders; j++) {
        NEP_TRY_OR_DONE(st, rank_features_read(ctx, &f, p, j, -1, false, 0, penalty + j * n));
        for (int64_t k = 0; k < n; k++)
            penalty[j * n + k] = nep_direction_penalty(penalty[j * n + k]);
    }
done:
    rank_features_close(&f);
    return st;
}
