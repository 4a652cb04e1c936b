/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation.c - how far a ranking can be trusted: opens what the parts share and runs them in order. */
#include "rank/evaluation.h"

#include "rank/learned.h"

#include <nepenthe/leaks.h>

#include <math.h>
#include <string.h>

int rank_evaluation_channel(const rank_evaluation *w, const char *name)
{
    for (int c = 0; c < w->r->n_channels; c++)
        if (strcmp(w->r->channels[c]->name, name) == 0)
            return c;
    return -1;
}

void rank_evaluation_set(rank_evaluation *w, nep_protocol p)
{
    rank_negatives_set(w->in, p, w->e->scores[p].score, &w->set);
}

double rank_evaluation_auroc(rank_evaluation *w, const double *score, const signed char *pos, nep_status *st, nep_ctx *ctx)
{
    double m[NEP_METRICS_COUNT];
    *st = nep_metrics_order(ctx, score, w->n, w->order, w->tie);
    if (*st != NEP_OK)
        return NAN;
    nep_metrics_compute(w->order, w->tie, pos, NULL, w->n, m);
    return m[NEP_METRICS_AUROC];
}

nep_estimate rank_evaluation_gain(rank_evaluation *w, double with, double without, int64_t n)
{
    for (int64_t b = 0; b < w->boot.n_boot; b++)
        w->less[b] = w->full[b] - w->less[b];
    const int64_t there = rank_sample_sort(w->less, w->boot.n_boot);
    return (nep_estimate){with - without, rank_sample_quantile(w->less, there, 0.05), rank_sample_quantile(w->less, there, 0.95), n, NAN, NAN};
}

nep_status rank_evaluation_score(nep_ctx *ctx, const rank_evaluation *w, nep_protocol p, int without, nep_protocol_scores *out)
{
    if (w->r->fusion == NEP_FUSION_HIERARCHICAL)
        return rank_learned_protocol(ctx, w->r, p, w->n_votes, without, out, without < 0 ? &w->beside : NULL);
    return nep_protocol_score(ctx, w->in, p, w->r->channels, w->r->n_channels, w->n_votes, out);
}

static nep_status open_workspace(nep_ctx *ctx, rank_evaluation *w)
{
    NEP_TRY(rank_negatives_open(ctx, w->in, w->e->negatives, &w->set));
    NEP_TRY(nep_alloc(ctx, w->d * w->n, sizeof(double), "evaluation: scores", &w->score));
    if (w->r->fusion == NEP_FUSION_HIERARCHICAL)
        NEP_TRY(nep_alloc(ctx, w->d * w->n, sizeof(double), "evaluation: elastic net", &w->beside.elastic));
    if (w->r->fusion == NEP_FUSION_HIERARCHICAL && rank_learned_find_gate(w->r->channels, w->r->n_channels))
        NEP_TRY(nep_alloc(ctx, w->d * w->n, sizeof(double), "evaluation: without the gate", &w->beside.ungated));
    NEP_TRY(nep_alloc(ctx, w->e->n_bootstrap, sizeof(double), "evaluation: draws", &w->full));
    NEP_TRY(nep_alloc(ctx, w->e->n_bootstrap, sizeof(double), "evaluation: draws", &w->less));
    NEP_TRY(nep_alloc(ctx, w->n_nulls * w->n, sizeof(double), "evaluation: null scores", &w->null));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "evaluation: scratch", &w->one));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "evaluation: scratch", &w->two));
    NEP_TRY(nep_alloc(ctx, w->n_nulls, sizeof(double), "evaluation: null AUROC", &w->auroc));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(int64_t), "evaluation: order", &w->order));
    return nep_alloc(ctx, w->n, sizeof(bool), "evaluation: ties", &w->tie);
}

static void close_workspace(rank_evaluation *w)
{
    void *const all[] = {w->beside.elastic, w->beside.ungated, w->full, w->less, w->score, w->null, w->one, w->two, w->auroc, w->order, w->tie};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    rank_negatives_free(&w->set);
    rank_bootstrap_free(&w->boot);
}

static nep_status check(nep_ctx *ctx, const nep_ranking *r, int64_t n_bootstrap)
{
    int64_t n_pos = 0;
    for (int64_t i = 0; i < r->inputs->n_drugs * r->n_disorders; i++)
        n_pos += nep_label_indicated(r->inputs->labels[i]) || (r->inputs->truth && r->inputs->truth[i] == 1);
    NEP_REQUIRE(ctx, n_pos > 0, NEP_E_ARG, "evaluate: the label table names no approved or symptomatic drug of any disorder");
    NEP_REQUIRE(ctx, n_bootstrap >= 20, NEP_E_ARG, "evaluate: %lld bootstrap samples, at least 20 are needed",
                (long long)n_bootstrap);
    return NEP_OK;
}

static nep_status find_leaks(nep_ctx *ctx, nep_evaluation *e)
{
    NEP_TRY(nep_alloc(ctx, 1, sizeof *e->leaks, "leaks", &e->leaks));
    NEP_TRY(nep_leaks_find(ctx, e->ranking, e->leaks));
    for (int64_t i = 0; i < e->leaks->n; i++)
        nep_warn(ctx, "%s", e->leaks->list[i].text);
    return NEP_OK;
}

static nep_status run_all(nep_ctx *ctx, rank_evaluation *w, const bool *run, const nep_evaluation_opts *o)
{
    nep_evaluation *e = w->e;
    NEP_TRY(find_leaks(ctx, e));
    NEP_TRY(open_workspace(ctx, w));
    NEP_TRY(rank_bootstrap_open(ctx, w->in->seed, e->n_bootstrap, w->n, w->d, &w->boot));
    NEP_TRY(rank_baselines_open(ctx, w, run));
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        if (!run[p])
            continue;
        NEP_TRY(rank_evaluation_score(ctx, w, p, -1, &e->scores[p]));
        NEP_TRY(rank_baselines_measure(ctx, w, p));
    }
    if (o->time_split)
        NEP_TRY(rank_time_split(ctx, w, o->time_split));
    NEP_TRY(rank_maps_fused(ctx, w));
    NEP_TRY(rank_ablation_measure(ctx, w));
    NEP_TRY(rank_controls_measure(ctx, w, o->n_controls));
    NEP_TRY(rank_evaluation_calibrate(ctx, w));
    return rank_maps_alone(ctx, w);
}

nep_status nep_evaluation_create(nep_ctx *ctx, const nep_ranking *ranking, const nep_evaluation_opts *opts,
                                 nep_evaluation **out)
{
    const nep_evaluation_opts defaults = {.n_bootstrap = 2000}, *o = opts ? opts : &defaults;
    rank_evaluation w = {.in = ranking->inputs, .r = ranking, .n = ranking->inputs->n_drugs, .d = ranking->n_disorders};
    bool run[NEP_PROTOCOL_COUNT], any = false, some = false;
    nep_evaluation *e = NULL;
    nep_status st;

    NEP_TRY(check(ctx, ranking, o->n_bootstrap));
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++)
        any = any || o->protocols[p];
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++)
        run[p] = !any || o->protocols[p];
    for (int k = 0; k < NEP_NEGATIVES_COUNT; k++)
        some = some || o->negatives[k];
    while (w.n_votes < ranking->n_channels && ranking->channels[w.n_votes]->role == NEP_ROLE_VOTE)
        w.n_votes++;
    w.n_nulls = w.in->n_nulls < SAMPLE_NULLS ? w.in->n_nulls : SAMPLE_NULLS;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *e, "evaluation", &e));
    *e = (nep_evaluation){.ranking = ranking, .n_disorders = w.d, .seed = w.in->seed, .n_bootstrap = o->n_bootstrap};
    for (int k = 0; k < NEP_NEGATIVES_COUNT; k++)
        e->negatives[k] = !some || o->negatives[k] || k == NEP_NEGATIVES_ALL;
    w.e = e;
    NEP_TRY_OR_DONE(st, run_all(ctx, &w, run, o));
    *out = e;
    e = NULL; /* ownership moved to the caller */
done:
    close_workspace(&w);
    nep_evaluation_free(e);
    return st;
}

static void free_score(nep_evaluation_score *s)
{
    nep_alloc_free(s->name);
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++)
        nep_alloc_free(s->disorders[p]);
}

void nep_evaluation_free(nep_evaluation *e)
{
    if (!e)
        return;
    free_score(&e->fused);
    for (int i = 0; e->baselines && i < e->n_baselines; i++)
        free_score(&e->baselines[i]);
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++)
        nep_protocol_scores_free(&e->scores[p]);
    for (int i = 0; e->ablation && i < e->n_ablation; i++)
        nep_alloc_free(e->ablation[i].channel);
    nep_alloc_free(e->ablation);
    nep_alloc_free(e->controls);
    if (e->time_split)
        nep_alloc_free(e->time_split->disorders);
    nep_alloc_free(e->time_split);
    nep_alloc_free(e->baselines);
    nep_alloc_free(e->calibration);
    nep_alloc_free(e->curve);
    nep_alloc_free(e->conformal);
    nep_alloc_free(e->imaging);
    if (e->leaks)
        nep_leaks_free(e->leaks);
    nep_alloc_free(e->leaks);
    nep_alloc_free(e);
}
