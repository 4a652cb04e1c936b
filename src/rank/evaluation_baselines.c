/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation_baselines.c - a protocol measured: the fused ranking, each channel by itself, and other ways of fusing. */
#include "rank/evaluation.h"

#include <nepenthe/model.h>

#include <math.h>
#include <string.h>

static nep_status open_score(nep_ctx *ctx, const rank_evaluation *w, const char *name, const bool *run, nep_evaluation_score *s)
{
    NEP_TRY(nep_alloc_string(ctx, name, &s->name));
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        s->run[p] = run[p];
        if (run[p])
            NEP_TRY(nep_alloc(ctx, w->d, sizeof(nep_performance), "performance", &s->disorders[p]));
    }
    return NEP_OK;
}

static nep_status measure(nep_ctx *ctx, rank_evaluation *w, nep_protocol p, nep_evaluation_score *s, double *macro_ap)
{
    return rank_bootstrap_measure(ctx, &w->boot, w->score, &w->set, s->disorders[p], &s->macro[p], &(rank_bootstrap_draws){.ap = macro_ap});
}

/* Robust rank aggregation of the VOTE channels: -rho, larger is better. */
static nep_status take_aggregation(nep_ctx *ctx, rank_evaluation *w, nep_protocol p)
{
    const nep_protocol_scores *s = &w->e->scores[p];
    double *ranks = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->n * w->n_votes, sizeof *ranks, "aggregation: ranks", &ranks));
    for (int64_t j = 0; j < w->d; j++) {
        for (int v = 0; v < w->n_votes; v++) {
            for (int64_t k = 0; k < w->n; k++)
                w->one[k] = s->z[(j * w->n + k) * w->r->n_channels + v];
            NEP_TRY_OR_DONE(st, nep_aggregation_ranks(ctx, w->one, w->n, w->two));
            for (int64_t k = 0; k < w->n; k++)
                ranks[k * w->n_votes + v] = w->two[k];
        }
        NEP_TRY_OR_DONE(st, nep_aggregation_rho(ctx, ranks, w->n, w->n_votes, w->one));
        for (int64_t k = 0; k < w->n; k++)
            w->score[j * w->n + k] = -w->one[k];
    }
done:
    nep_alloc_free(ranks);
    return st;
}

/* Column c of a protocol's channel values, or (c < 0) the plain mean of the normal scores of the VOTE channels. */
static void take_column(rank_evaluation *w, nep_protocol p, int c)
{
    const nep_protocol_scores *s = &w->e->scores[p];
    for (int64_t at = 0; at < w->d * w->n; at++) {
        double sum = 0;
        int there = 0;
        for (int v = 0; v < w->n_votes; v++)
            if (!isnan(s->z[at * w->r->n_channels + v])) {
                sum += s->z[at * w->r->n_channels + v];
                there++;
            }
        w->score[at] = c >= 0 ? s->value[at * w->r->n_channels + c] : there ? sum / there : NAN;
    }
}

nep_status rank_baselines_measure(nep_ctx *ctx, rank_evaluation *w, nep_protocol p)
{
    nep_evaluation *e = w->e;
    rank_evaluation_set(w, p);
    memcpy(w->score, e->scores[p].score, (size_t)(w->d * w->n) * sizeof(double));
    NEP_TRY(measure(ctx, w, p, &e->fused, w->full));
    nep_progress_open(ctx, "baselines", e->n_baselines);
    for (int i = 0; i < e->n_baselines; i++) {
        nep_evaluation_score *s = &e->baselines[i];
        nep_progress_step(ctx, i);
        if (strcmp(s->name, "elastic_net") == 0)
            memcpy(w->score, w->beside.elastic, (size_t)(w->d * w->n) * sizeof(double));
        else if (strcmp(s->name, "without_direction") == 0)
            memcpy(w->score, w->beside.ungated, (size_t)(w->d * w->n) * sizeof(double));
        else if (strcmp(s->name, "rank_aggregation") == 0)
            NEP_TRY(take_aggregation(ctx, w, p));
        else
            take_column(w, p, rank_evaluation_channel(w, s->name));
        for (int64_t j = 0; j < w->d; j++)
            rank_sample_fill(w->set.pos + j * w->n, w->score + j * w->n, w->n, w->one);
        NEP_TRY(measure(ctx, w, p, s, w->less));
        s->gain[p] = rank_evaluation_gain(w, e->fused.macro[p].ap.value, s->macro[p].ap.value, e->fused.macro[p].ap.n);
    }
    nep_progress_close(ctx);
    return NEP_OK;
}

/* Each VOTE channel by itself, each BASELINE, and other ways of fusing the same channels. */
nep_status rank_baselines_open(nep_ctx *ctx, rank_evaluation *w, const bool *run)
{
    nep_evaluation *e = w->e;
    NEP_TRY(open_score(ctx, w, "fused", run, &e->fused));
    NEP_TRY(nep_alloc(ctx, w->r->n_channels + 4, sizeof *e->baselines, "baselines", &e->baselines));
    for (int c = 0; c < w->r->n_channels; c++) {
        const nep_channel *channel = w->r->channels[c];
        if (channel->role != NEP_ROLE_BASELINE && channel->role != NEP_ROLE_VOTE)
            continue;
        nep_evaluation_score *s = &e->baselines[e->n_baselines++];
        s->upper_bound = strcmp(channel->name, "atc_class") == 0;
        NEP_TRY(open_score(ctx, w, channel->name, e->fused.run, s));
    }
    if (w->n_votes > 1)
        NEP_TRY(open_score(ctx, w, "rank_aggregation", e->fused.run, &e->baselines[e->n_baselines++]));
    if (w->beside.elastic)
        NEP_TRY(open_score(ctx, w, "elastic_net", e->fused.run, &e->baselines[e->n_baselines++]));
    if (w->beside.ungated)
        NEP_TRY(open_score(ctx, w, "without_direction", e->fused.run, &e->baselines[e->n_baselines++]));
    return open_score(ctx, w, "mean_normal_score", e->fused.run, &e->baselines[e->n_baselines++]);
}
