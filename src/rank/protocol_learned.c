/* SPDX-License-Identifier: Apache-2.0 */
/* protocol_learned.c - a protocol's scores by the hierarchical model, baselines beside it under the same masks. */
#include "rank/learned.h"
#include "rank/ranking.h"

#include <math.h>

static nep_status normal_scores(nep_ctx *ctx, int64_t d, int64_t n, int channels, const double *value, double *z)
{
    double *column = NULL, *score = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *column, "protocol: column", &column));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *score, "protocol: normal scores", &score));
    for (int64_t j = 0; j < d; j++)
        for (int c = 0; c < channels; c++) {
            for (int64_t k = 0; k < n; k++)
                column[k] = value[(j * n + k) * channels + c];
            NEP_TRY_OR_DONE(st, nep_fuse_normal_scores(ctx, column, n, score));
            for (int64_t k = 0; k < n; k++)
                z[(j * n + k) * channels + c] = score[k];
        }
done:
    nep_alloc_free(score);
    nep_alloc_free(column);
    return st;
}

/* Values of every channel, baselines among them, as they are under the protocol. */
static nep_status read_values(nep_ctx *ctx, const nep_ranking *r, nep_protocol p, double *value)
{
    const int64_t n = r->inputs->n_drugs;
    rank_features f = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, rank_features_open(ctx, r->inputs, r->channels, r->n_channels, &f));
    for (int64_t j = 0; j < r->n_disorders; j++)
        NEP_TRY_OR_DONE(st, rank_features_read(ctx, &f, p, j, -1, false, 0, value + j * n * r->n_channels));
done:
    rank_features_close(&f);
    return st;
}

nep_status rank_learned_protocol(nep_ctx *ctx, const nep_ranking *r, nep_protocol p, int n_votes, int without, nep_protocol_scores *out,
                                 const rank_learned_beside *beside)
{
    const int64_t n = r->inputs->n_drugs, d = r->n_disorders;
    const nep_channel **channels = NULL;
    rank_learned learned = {0};
    nep_protocol_scores made = {0};
    int votes = 0, nuisances = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_channels, sizeof *channels, "protocol: channels", &channels));
    for (int c = 0; c < n_votes; c++)
        if (c != without)
            channels[votes++] = r->channels[c];
    for (int c = n_votes; c < r->n_channels; c++)
        if (r->channels[c]->role == NEP_ROLE_NUISANCE)
            channels[votes + nuisances++] = r->channels[c];
    NEP_TRY_OR_DONE(st, rank_learned_score(ctx, r->inputs, p, channels, votes, nuisances, rank_learned_find_gate(r->channels, r->n_channels),
                                           beside && beside->elastic, &learned));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "protocol: scores", &made.score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "protocol: scales", &made.scale));
    for (int64_t i = 0; i < d * n; i++) {
        made.score[i] = learned.logit[i] - learned.penalty[i];
        made.scale[i] = NAN;
        if (beside && beside->elastic)
            beside->elastic[i] = learned.elastic[i];
        if (beside && beside->ungated)
            beside->ungated[i] = learned.logit[i];
    }
    if (without < 0) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n * r->n_channels, sizeof(double), "protocol: values", &made.value));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n * r->n_channels, sizeof(double), "protocol: normal scores", &made.z));
        NEP_TRY_OR_DONE(st, read_values(ctx, r, p, made.value));
        NEP_TRY_OR_DONE(st, normal_scores(ctx, d, n, r->n_channels, made.value, made.z));
    }
    *out = made;
    made = (nep_protocol_scores){0}; /* ownership moved to the caller */
done:
    nep_protocol_scores_free(&made);
    rank_learned_free(&learned);
    nep_alloc_free(channels);
    return st;
}
