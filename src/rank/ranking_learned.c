/* SPDX-License-Identifier: Apache-2.0 */
/* ranking_learned.c - a ranking by the hierarchical model: scores, shares, and intervals from refits and redrawn inputs. */
#include "rank/learned.h"
#include "rank/ranking.h"
#include "rank/sample.h"

#include <math.h>
#include <string.h>

/* Refits per draw asked for: a disorder takes the refits that did not draw it, about 37 of 100. */
enum { REFITS_PER_DRAW = 3, INPUT_DRAWS = 16 };

struct rank_learned_ranking {
    const nep_channel **channels; /* VOTE, then NUISANCE */
    int votes, nuisances;
    rank_learned scores;
    rank_learned_rows rows;       /* no disorder held out */
    nep_hierarchical *fit;
    nep_hierarchical_draws draws;
    int32_t *drawn;               /* [n_boot, taught] */
    double *value, *x;            /* [n, channels], [INPUT_DRAWS, n, votes] */
    double *nuisance, *zeros;     /* [nuisances], [votes] zeros */
};

static nep_status refit(nep_ctx *ctx, rank_learned_ranking *l, int64_t n_boot)
{
    const int64_t n = l->rows.n, t = l->rows.taught;
    const nep_hierarchical_opts opts = NEP_HIERARCHICAL_DEFAULTS;
    const nep_hierarchical_data data = {.n = t * n, .groups = t, .channels = l->votes, .nuisances = l->nuisances, .x = l->rows.x,
                                        .nuisance = l->rows.nuisance, .y = l->rows.y, .group = l->rows.group, .prior = l->rows.prior};
    const uint64_t seed = l->rows.in->seed;
    int32_t *drugs = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_boot * t, sizeof *l->drawn, "refits: disorders", &l->drawn));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_boot * n, sizeof *drugs, "refits: drugs", &drugs));
    for (int64_t b = 0; b < n_boot; b++) {
        rank_sample_weights(seed, nep_stream_id(NEP_STREAM_BOOTSTRAP, 2, (uint64_t)b), t, l->drawn + b * t);
        rank_sample_weights(seed, nep_stream_id(NEP_STREAM_BOOTSTRAP, 3, (uint64_t)b), n, drugs + b * n);
    }
    st = nep_hierarchical_bootstrap(ctx, &data, &opts, l->fit, l->rows.unit, n, n_boot, drugs, l->drawn, &l->draws);
done:
    nep_alloc_free(drugs);
    return st;
}

static nep_status keep_weights(nep_ctx *ctx, const rank_learned *s, nep_ranking *r)
{
    const int64_t cells = s->d * s->votes;
    NEP_TRY(nep_alloc_copy(ctx, s->weight, cells, sizeof(double), "weights", &r->weight));
    return nep_alloc_copy(ctx, s->sigma, cells, sizeof(double), "spreads", &r->spread);
}

nep_status rank_learned_prepare(nep_ctx *ctx, const nep_inputs *in, nep_ranking *r, int n_votes, int64_t n_streams, rank_learned_ranking **out)
{
    const nep_protocol p = NEP_PROTOCOL_APPROVED_VS_FAILED; /* what a user has: everything but the drug's own label */
    rank_learned_ranking *l = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *l, "model", &l));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_channels, sizeof *l->channels, "model: channels", &l->channels));
    for (int c = 0; c < r->n_channels; c++)
        if (c < n_votes || r->channels[c]->role == NEP_ROLE_NUISANCE)
            l->channels[c < n_votes ? l->votes++ : n_votes + l->nuisances++] = r->channels[c];
    NEP_TRY_OR_DONE(st, rank_learned_score(ctx, in, p, l->channels, l->votes, l->nuisances, rank_learned_find_gate(r->channels, r->n_channels), true,
                                           &l->scores));
    NEP_TRY_OR_DONE(st, keep_weights(ctx, &l->scores, r));
    NEP_TRY_OR_DONE(st, rank_learned_open(ctx, in, p, l->channels, l->votes, l->nuisances, &l->rows));
    NEP_TRY_OR_DONE(st, rank_learned_fold(ctx, &l->rows, -1));
    NEP_TRY_OR_DONE(st, rank_learned_fit(ctx, &l->rows, -1, &l->fit));
    NEP_TRY_OR_DONE(st, refit(ctx, l, REFITS_PER_DRAW * n_streams));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs * (l->votes + l->nuisances), sizeof(double), "model: channels", &l->value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, INPUT_DRAWS * in->n_drugs * l->votes, sizeof(double), "model: redrawn channels", &l->x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->nuisances, sizeof(double), "model: nuisances", &l->nuisance));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->votes, sizeof(double), "model: a drug at the mean", &l->zeros));
    *out = l;
    l = NULL; /* ownership moved to the caller */
done:
    rank_learned_release(l);
    return st;
}

static void fill_candidates(const rank_learned_ranking *l, rank_work *w)
{
    const rank_learned *s = &l->scores;
    const int64_t n = w->in->n_drugs, j = w->disorder;
    w->d->intercept = s->share[j * n * (1 + l->votes)];
    for (int64_t k = 0; k < n; k++) {
        const double *share = s->share + (j * n + k) * (1 + l->votes);
        nep_candidate *x = &w->d->candidates[k];
        int there = 0;
        const double penalty = s->penalty[j * n + k];
        double score = -penalty, most = -INFINITY, least = INFINITY;
        for (int c = 0; c < w->r->n_channels; c++)
            w->d->contribution[k * w->r->n_channels + c] = c < l->votes ? share[1 + c]
                                                           : strcmp(w->r->channels[c]->name, "direction") == 0 ? -penalty : NAN;
        for (int c = 0; c < l->votes; c++) {
            const bool speaks = !isnan(s->value[(j * n + k) * (l->votes + l->nuisances) + c]);
            there += speaks;
            score += share[1 + c];
            if (speaks && share[1 + c] > most)
                most = share[1 + c];
            if (speaks && share[1 + c] < least)
                least = share[1 + c];
        }
        if (!there)
            score = NAN;
        *x = (nep_candidate){.drug = k, .score = score, .n_channels = there, .engagement = NAN, .engagement_p = NAN, .rank_low = NAN,
                             .rank_high = NAN, .p_top10 = NAN, .score_low = NAN, .score_high = NAN,
                             .p_recorded = 1 / (1 + exp(-(score + w->d->intercept))),
                             .score_without_low = there > 1 ? score - most : NAN, .score_without_high = there > 1 ? score - least : NAN};
    }
    rank_sort_candidates(w);
}

/* The channels of a disorder with their inputs redrawn, on the scale of the refits. */
static nep_status redraw_inputs(nep_ctx *ctx, rank_learned_ranking *l, int64_t j)
{
    const int64_t n = l->rows.n;
    for (int64_t s = 0; s < INPUT_DRAWS; s++) {
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(rank_features_read(ctx, &l->rows.features, l->rows.protocol, j, -1, false, (uint64_t)s + 1, l->value));
        rank_learned_scale(&l->rows, l->value, l->x + s * n * l->votes);
    }
    return NEP_OK;
}

/* The refit of draw s: of those that did not draw the disorder, the s-th in turn; -1 when all did. */
static int64_t find_refit(const rank_learned_ranking *l, int64_t group, int64_t *after)
{
    for (int64_t step = 0; step < l->draws.n_boot; step++) {
        const int64_t b = (*after + step) % l->draws.n_boot;
        if (group < 0 || l->drawn[b * l->rows.taught + group] == 0) {
            *after = b + 1;
            return b;
        }
    }
    return -1;
}

/* Score = logit less that of a drug with every channel at its mean, so that the disorder's level plays no part. */
static void draw_scores(const rank_learned_ranking *l, rank_work *w, int64_t b, int64_t s)
{
    const int64_t n = w->in->n_drugs;
    const double *x = l->x + (s % INPUT_DRAWS) * n * l->votes, slope = l->scores.slope[w->disorder];
    const uint64_t seed = nep_stream_id(NEP_STREAM_BOOTSTRAP, 4 + w->disorder, w->in->seed);
    const double level = nep_hierarchical_draw_logit(l->fit, &l->draws, b, l->zeros, l->nuisance, -1, 0.5, &seed);
    for (int64_t k = 0; k < n; k++)
        w->column[k] = slope * (nep_hierarchical_draw_logit(l->fit, &l->draws, b, x + k * l->votes, l->nuisance, -1, 0.5, &seed) - level) -
                       l->scores.penalty[w->disorder * n + k];
}

nep_status rank_learned_fill(nep_ctx *ctx, rank_learned_ranking *l, rank_work *w, int64_t n_streams)
{
    const int64_t n = w->in->n_drugs;
    int64_t group = -1, after = 0;

    fill_candidates(l, w);
    NEP_TRY(rank_opinions_fill(ctx, w, l->scores.elastic + w->disorder * n));
    for (int64_t t = 0; t < l->rows.taught; t++)
        if (l->rows.disorder[t] == w->disorder)
            group = t;
    NEP_TRY(redraw_inputs(ctx, l, w->disorder));
    for (int64_t s = 0; s < n_streams; s++) {
        const int64_t b = find_refit(l, group, &after);
        NEP_REQUIRE(ctx, b >= 0, NEP_E_CONFIG, "rank: every refit drew disorder %s; ask for more redraws", w->in->disorder_ids[w->disorder]);
        draw_scores(l, w, b, s);
        for (int64_t i = 0; i < n; i++)
            if (isnan(l->scores.logit[w->disorder * n + i]))
                w->column[i] = NAN;
        NEP_TRY(nep_metrics_order(ctx, w->column, n, w->order, w->tie));
        for (int64_t i = 0; i < n; i++) {
            const int64_t k = w->order[i];
            w->drawn_score[k * n_streams + s] = w->column[k];
            w->drawn_rank[k * n_streams + s] = isnan(w->column[k]) ? NAN : (double)(i + 1);
        }
    }
    rank_settle_intervals(w, n_streams);
    return NEP_OK;
}

void rank_learned_release(rank_learned_ranking *l)
{
    if (!l)
        return;
    rank_learned_free(&l->scores);
    rank_learned_close(&l->rows);
    nep_hierarchical_free(l->fit);
    nep_hierarchical_draws_free(&l->draws);
    void *const all[] = {l->channels, l->drawn, l->value, l->x, l->nuisance, l->zeros};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    nep_alloc_free(l);
}
