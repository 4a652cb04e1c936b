/* SPDX-License-Identifier: Apache-2.0 */
/* ranking.c - every drug for every disorder: channels, fusion, intervals, then what follows from them. */
#define _GNU_SOURCE 1 /* qsort_r */
#include "rank/increment.h"
#include "rank/ranking.h"
#include "rank/sample.h"

#include <nepenthe/leaks.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool in_list(const char *name, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return n == 0;
}

/* In words, by bit of NEP_NEEDS_*. */
static const char *const tables[] = {"a disorder map and a receptor table", "an affinity table", "fingerprints in the drug table",
                                     "descriptors in the drug table", "a label table", "a network", "its evidence table (key evidence)",
                                     "gene signatures of disorders and drugs (key signatures)"};

/* The first table that is missing, by bit: without affinities no map is profiled, so that they come first. */
static int first_missing(unsigned missing)
{
    static const int order[NEP_LEN(tables)] = {1, 0, 2, 3, 4, 5, 6, 7};
    int i = 0;
    while (i < NEP_LEN(tables) - 1 && !(missing & (1u << order[i])))
        i++;
    return order[i];
}

static nep_status check_vote(nep_ctx *ctx, const nep_inputs *in, const char *name)
{
    const nep_channel *c = nep_channel_find(name);
    const char *names[128];
    int n = 0;
    for (; nep_evidence_table[n] && n < NEP_LEN(names); n++)
        names[n] = nep_evidence_table[n]->name;
    const char *near = nep_data_nearest(name, names, n);
    NEP_REQUIRE(ctx, c, NEP_E_CONFIG, "study: unknown channel '%s'%s%s", name, near ? "; did you mean " : "", near ? near : "");
    NEP_REQUIRE(ctx, c->role == NEP_ROLE_VOTE, NEP_E_CONFIG, "study: channel %s is a %s and is never fused", name,
                nep_role_name(c->role));
    const unsigned missing = nep_channel_missing(c, in);
    NEP_REQUIRE(ctx, !(missing & NEP_NEEDS_NETWORK), NEP_E_CONFIG, "study: channel %s needs a network with the metaedges %s", name,
                c->edges ? c->edges : "");
    NEP_REQUIRE(ctx, !missing, NEP_E_CONFIG, "study: channel %s needs %s", name, tables[first_missing(missing)]);
    return NEP_OK;
}

/* VOTE channels first, then gates and baselines whose tables are there. */
static nep_status choose_channels(nep_ctx *ctx, const nep_inputs *in, const nep_ranking_opts *o, nep_ranking *r, int *n_votes)
{
    for (int i = 0; i < o->n_votes; i++)
        NEP_TRY(check_vote(ctx, in, o->votes[i]));
    NEP_TRY(nep_alloc(ctx, nep_channel_count(), sizeof *r->channels, "channels", &r->channels));
    for (nep_role role = NEP_ROLE_VOTE; role <= NEP_ROLE_NUISANCE; role++) {
        for (int i = 0; nep_evidence_table[i]; i++) {
            const nep_channel *c = nep_evidence_table[i];
            if (c->role != role || (role == NEP_ROLE_VOTE && !in_list(c->name, o->votes, o->n_votes)))
                continue;
            if (nep_channel_missing(c, in))
                nep_warn(ctx, "channel %s is left out: the study lacks what it needs (%s)", c->name,
                         tables[first_missing(nep_channel_missing(c, in))]);
            else
                r->channels[r->n_channels++] = c;
        }
        if (role == NEP_ROLE_VOTE)
            *n_votes = r->n_channels;
    }
    NEP_REQUIRE(ctx, *n_votes > 0, NEP_E_ARG, "study: no VOTE channel has its tables; give affinities, receptors and a map, or "
                                              "fingerprints and labels");
    return NEP_OK;
}

/* ---- one disorder ---- */
static nep_status score_channels(nep_ctx *ctx, rank_work *w, uint64_t stream, int n_channels)
{
    const int64_t n = w->in->n_drugs;
    const nep_visible visible = {.disorder = w->disorder, .own = w->own, .others = w->others};
    for (int c = 0; c < n_channels; c++) {
        NEP_TRY(nep_channel_score(ctx, w->r->channels[c], w->in, &visible, stream, w->column, w->column_se));
        for (int64_t k = 0; k < n && stream == 0; k++) {
            w->d->value[k * w->r->n_channels + c] = w->column[k];
            w->d->se[k * w->r->n_channels + c] = w->column_se[k];
        }
        if (c >= w->n_votes)
            continue;
        NEP_TRY(nep_fuse_normal_scores(ctx, w->column, n, w->column_se));
        for (int64_t k = 0; k < n; k++)
            w->votes[k * w->n_votes + c] = w->column_se[k];
    }
    return NEP_OK;
}

static int compare_candidates(const void *a, const void *b, void *user)
{
    const nep_candidate *p = a, *q = b;
    const nep_inputs *in = user;
    if (isnan(p->score) != isnan(q->score))
        return isnan(p->score) ? 1 : -1;
    if (p->score != q->score && !isnan(p->score))
        return p->score > q->score ? -1 : 1;
    const int c = strcmp(in->drugs->id[p->drug], in->drugs->id[q->drug]);
    return c ? c : p->drug < q->drug ? -1 : 1;
}

void rank_sort_candidates(const rank_work *w)
{
    qsort_r(w->d->candidates, (size_t)w->in->n_drugs, sizeof *w->d->candidates, compare_candidates, (void *)(uintptr_t)w->in);
}

/* What the score would be without each of its channels: the range is a sensitivity, not an interval. */
static void leave_one_out(const rank_work *w, nep_candidate *c)
{
    c->score_without_low = c->score_without_high = NAN;
    for (int a = 0; a < w->n_votes; a++) {
        double row[RANK_MAX_VOTES], score;
        memcpy(row, w->votes + c->drug * w->n_votes, (size_t)w->n_votes * sizeof *row);
        if (isnan(row[a]))
            continue;
        row[a] = NAN;
        nep_fuse_stouffer(row, 1, w->n_votes, w->correlation, &score, NULL, NULL);
        if (!isnan(score) && !(score >= c->score_without_low))
            c->score_without_low = score;
        if (!isnan(score) && !(score <= c->score_without_high))
            c->score_without_high = score;
    }
}

static nep_status rank_once(nep_ctx *ctx, rank_work *w)
{
    const int64_t n = w->in->n_drugs;
    const int c = w->r->n_channels;

    NEP_TRY(score_channels(ctx, w, 0, c));
    nep_fuse_correlation(w->votes, n, w->n_votes, w->correlation);
    nep_fuse_stouffer(w->votes, n, w->n_votes, w->correlation, w->column, w->shares, w->present);
    for (int64_t k = 0; k < n; k++) {
        for (int i = 0; i < c; i++)
            w->d->contribution[k * c + i] = i < w->n_votes ? w->shares[k * w->n_votes + i] : NAN;
        nep_candidate *x = &w->d->candidates[k];
        *x = (nep_candidate){.drug = k, .score = w->column[k], .n_channels = w->present[k], .engagement = NAN,
                             .engagement_p = NAN, .p_recorded = NAN, .rank_low = NAN, .rank_high = NAN, .p_top10 = NAN,
                             .score_low = NAN, .score_high = NAN};
        leave_one_out(w, x);
    }
    rank_sort_candidates(w);
    return NEP_OK;
}

/* Interval [5 %, 95 %] of one candidate's draws, widened to hold the value itself. */
static void interval(double *draws, int64_t n, double value, double *low, double *high)
{
    const int64_t m = rank_sample_sort(draws, n);
    *low = rank_sample_quantile(draws, m, 0.05);
    *high = rank_sample_quantile(draws, m, 0.95);
    if (m && value < *low)
        *low = value;
    if (m && value > *high)
        *high = value;
}

void rank_settle_intervals(rank_work *w, int64_t n_streams)
{
    const int64_t n = w->in->n_drugs;
    for (int64_t i = 0; i < n; i++) {
        nep_candidate *c = &w->d->candidates[i];
        double *ranks = w->drawn_rank + c->drug * n_streams;
        int64_t top = 0, there = 0;
        if (isnan(c->score))
            continue;
        for (int64_t s = 0; s < n_streams; s++) {
            there += !isnan(ranks[s]);
            top += ranks[s] <= 10;
        }
        c->p_top10 = there ? (double)top / (double)n_streams : NAN;
        interval(w->drawn_score + c->drug * n_streams, n_streams, c->score, &c->score_low, &c->score_high);
        interval(ranks, n_streams, (double)(i + 1), &c->rank_low, &c->rank_high);
    }
}

static nep_status redraw(nep_ctx *ctx, rank_work *w, int64_t n_streams)
{
    const int64_t n = w->in->n_drugs;
    for (int64_t s = 0; s < n_streams; s++) {
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(score_channels(ctx, w, (uint64_t)s + 1, w->n_votes));
        nep_fuse_stouffer(w->votes, n, w->n_votes, w->correlation, w->column, NULL, NULL);
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

static nep_status add_engagement(nep_ctx *ctx, rank_work *w)
{
    const int64_t n = w->in->n_drugs;
    const bool can = w->in->profiles && w->in->affinities;
    if (can)
        NEP_TRY(nep_engagement_signed(ctx, w->in, w->disorder, 0, w->column, NULL, w->column_se));
    for (int64_t i = 0; i < n; i++) {
        nep_candidate *c = &w->d->candidates[i];
        if (can) {
            c->engagement = w->column[c->drug];
            c->engagement_p = w->column_se[c->drug];
        }
        if (w->in->affinity_start)
            nep_engagement_coverage(w->in, c->drug, &c->n_targets);
    }
    return NEP_OK;
}

static nep_status recover_truth(nep_ctx *ctx, rank_work *w)
{
    const int64_t n = w->in->n_drugs;
    double m[NEP_METRICS_COUNT];
    int64_t relevant = 0, found = 0;
    w->d->truth_auroc = w->d->truth_recall10 = NAN;
    if (!w->in->truth)
        return NEP_OK;
    const signed char *truth = w->in->truth + w->disorder * n;
    for (int64_t i = 0; i < n; i++) {
        w->column[w->d->candidates[i].drug] = w->d->candidates[i].score;
        relevant += truth[i] == 1;
        found += i < 10 && truth[w->d->candidates[i].drug] == 1;
    }
    NEP_TRY(nep_metrics_order(ctx, w->column, n, w->order, w->tie));
    nep_metrics_compute(w->order, w->tie, truth, NULL, n, m);
    w->d->truth_auroc = m[NEP_METRICS_AUROC];
    w->d->truth_recall10 = relevant ? (double)found / (double)(relevant < 10 ? relevant : 10) : NAN;
    return NEP_OK;
}

static nep_status name_disorder(nep_ctx *ctx, const nep_inputs *in, int64_t j, nep_ranking_disorder *d)
{
    NEP_TRY(nep_alloc_string(ctx, in->disorder_ids[j], &d->id));
    return nep_alloc_string(ctx, in->disorder_names[j], &d->name);
}

static nep_status open_disorder(nep_ctx *ctx, rank_work *w)
{
    const nep_inputs *in = w->in;
    const int64_t cells = in->n_drugs * w->r->n_channels;
    nep_ranking_disorder *d = w->d;
    nep_visible_labels(in, w->disorder, w->own, w->others);
    d->intercept = NAN;
    d->direction = in->direction ? in->direction[w->disorder] : 0;
    d->simulated = in->simulated && in->simulated[w->disorder];
    NEP_TRY(name_disorder(ctx, in, w->disorder, d));
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *d->candidates, "candidates", &d->candidates));
    NEP_TRY(nep_alloc(ctx, cells, sizeof(double), "channel values", &d->value));
    NEP_TRY(nep_alloc(ctx, cells, sizeof(double), "channel errors", &d->se));
    return nep_alloc(ctx, cells, sizeof(double), "contributions", &d->contribution);
}

static nep_status open_work(nep_ctx *ctx, rank_work *w, int64_t n_streams)
{
    const int64_t n = w->in->n_drugs, v = w->n_votes;
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->own, "visible labels", &w->own));
    NEP_TRY(nep_alloc(ctx, n * w->in->n_disorders, sizeof *w->others, "visible labels", &w->others));
    NEP_TRY(nep_alloc(ctx, n, sizeof(double), "scores", &w->column));
    NEP_TRY(nep_alloc(ctx, n, sizeof(double), "errors", &w->column_se));
    NEP_TRY(nep_alloc(ctx, n * v, sizeof(double), "votes", &w->votes));
    NEP_TRY(nep_alloc(ctx, n * v, sizeof(double), "shares", &w->shares));
    NEP_TRY(nep_alloc(ctx, n, sizeof(int), "channels present", &w->present));
    NEP_TRY(nep_alloc(ctx, v * v, sizeof(double), "correlations", &w->correlation));
    NEP_TRY(nep_alloc(ctx, n * n_streams, sizeof(double), "redrawn scores", &w->drawn_score));
    NEP_TRY(nep_alloc(ctx, n * n_streams, sizeof(double), "redrawn ranks", &w->drawn_rank));
    NEP_TRY(nep_alloc(ctx, n, sizeof(int64_t), "order", &w->order));
    return nep_alloc(ctx, n, sizeof(bool), "ties", &w->tie);
}

static void close_work(rank_work *w)
{
    void *const all[] = {w->own,     w->others,      w->column,      w->column_se,  w->votes, w->shares,
                         w->present, w->correlation, w->drawn_score, w->drawn_rank, w->order, w->tie};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
}

static nep_status rank_disorders(nep_ctx *ctx, rank_work *w, rank_learned_ranking *learned, int64_t n_streams)
{
    nep_ranking *r = w->r;
    nep_progress_open(ctx, "rank", r->n_disorders);
    for (w->disorder = 0; w->disorder < r->n_disorders; w->disorder++) {
        w->d = &r->disorders[w->disorder];
        nep_progress_step(ctx, w->disorder);
        NEP_TRY(open_disorder(ctx, w));
        if (r->fusion == NEP_FUSION_HIERARCHICAL) {
            NEP_TRY(score_channels(ctx, w, 0, r->n_channels));
            NEP_TRY(rank_learned_fill(ctx, learned, w, n_streams));
        } else {
            NEP_TRY(rank_once(ctx, w));
            NEP_TRY(rank_opinions_fill(ctx, w, NULL));
            NEP_TRY(redraw(ctx, w, n_streams));
        }
        NEP_TRY(add_engagement(ctx, w));
        NEP_TRY(recover_truth(ctx, w));
        if (r->target_profile)
            nep_inputs_target_profile(w->in, w->disorder, r->target_profile + w->disorder * w->in->n_mapped);
    }
    nep_progress_close(ctx);
    return NEP_OK;
}

static nep_status measure_nulls(nep_ctx *ctx, const nep_inputs *in, const nep_ranking_opts *o, nep_ranking *r)
{
    if (o->n_null_kinds == 0 || !in->profiles)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, o->n_null_kinds, sizeof *r->null_rates, "null rates", &r->null_rates));
    for (int i = 0; i < o->n_null_kinds; i++) {
        nep_null_rate *rate = &r->null_rates[r->n_null_rates++];
        double out[3];
        NEP_TRY(nep_alloc_string(ctx, o->null_kinds[i], &rate->name));
        NEP_TRY(nep_inputs_null_rate(ctx, in, o->null_kinds[i], 0.05, o->null_maps, 199, out));
        *rate = (nep_null_rate){rate->name, 0.05, out[0], out[1], out[2], o->null_maps};
    }
    return NEP_OK;
}

static nep_status add_increments(nep_ctx *ctx, const nep_inputs *in, int n_votes, int64_t n_bootstrap, nep_ranking *r)
{
    nep_increment *all = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_disorders, sizeof *all, "increments", &all));
    r->imaging = rank_increment_blank();
    if (r->fusion == NEP_FUSION_HIERARCHICAL)
        NEP_TRY_OR_DONE(st, rank_increment_learned(ctx, r, n_votes, n_bootstrap, all, &r->imaging));
    else
        NEP_TRY_OR_DONE(st, nep_increment_measure(ctx, in, n_bootstrap, all));
    for (int64_t j = 0; j < r->n_disorders; j++)
        r->disorders[j].increment = all[j];
done:
    nep_alloc_free(all);
    return st;
}

static nep_status imaging_alone(nep_ctx *ctx, const rank_work *w, const nep_ranking_opts *o)
{
    nep_ranking *r = w->r;
    for (int64_t j = 0; j < r->n_disorders; j++)
        NEP_TRY(name_disorder(ctx, w->in, j, &r->disorders[j]));
    NEP_TRY(add_increments(ctx, w->in, w->n_votes, o->n_bootstrap, r));
    for (int64_t j = 0; j < r->n_disorders; j++)
        NEP_TRY(rank_imaging_trust(ctx, r, j));
    return rank_imaging_sum_up(ctx, r);
}

static nep_status rank_all(nep_ctx *ctx, rank_work *w, const nep_ranking_opts *o)
{
    rank_learned_ranking *learned = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, open_work(ctx, w, o->n_streams));
    if (o->fusion == NEP_FUSION_HIERARCHICAL)
        NEP_TRY_OR_DONE(st, rank_learned_prepare(ctx, w->in, w->r, w->n_votes, o->n_streams, &learned));
    NEP_TRY_OR_DONE(st, rank_disorders(ctx, w, learned, o->n_streams));
    NEP_TRY_OR_DONE(st, add_increments(ctx, w->in, w->n_votes, o->n_bootstrap, w->r));
    NEP_TRY_OR_DONE(st, measure_nulls(ctx, w->in, o, w->r));
    st = rank_judge(ctx, w->r, w->n_votes);
done:
    rank_learned_release(learned);
    close_work(w);
    return st;
}

static nep_status check(nep_ctx *ctx, const nep_inputs *in, const nep_ranking_opts *o)
{
    NEP_REQUIRE(ctx, in->drugs && in->n_drugs > 1, NEP_E_ARG, "study: %lld drugs, at least two are needed",
                (long long)in->n_drugs);
    NEP_REQUIRE(ctx, in->n_disorders > 0 && in->disorder_ids && in->disorder_names, NEP_E_ARG, "study: no disorder");
    NEP_REQUIRE(ctx, in->labels, NEP_E_ARG, "study: no label matrix");
    NEP_REQUIRE(ctx, o->n_streams >= 20, NEP_E_ARG, "rank: %lld redraws, at least 20 are needed for an interval",
                (long long)o->n_streams);
    NEP_REQUIRE(ctx, o->n_bootstrap >= 20, NEP_E_ARG, "rank: %lld bootstrap samples, at least 20 are needed",
                (long long)o->n_bootstrap);
    return NEP_OK;
}

nep_status nep_ranking_create(nep_ctx *ctx, const nep_inputs *in, const nep_ranking_opts *opts, nep_ranking **out)
{
    const nep_ranking_opts defaults = NEP_RANKING_DEFAULTS;
    const nep_ranking_opts *o = opts ? opts : &defaults;
    nep_ranking *r = NULL;
    rank_work w = {.in = in};
    nep_status st;

    NEP_TRY(check(ctx, in, o));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *r, "ranking", &r));
    r->study_name = o->study_name;
    r->study_path = o->study_path;
    r->inputs = in;
    r->fusion = o->fusion;
    NEP_TRY_OR_DONE(st, choose_channels(ctx, in, o, r, &w.n_votes));
    NEP_TRY_OR_DONE(st, nep_leaks_refuse(ctx, in, r->channels, r->n_channels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_inputs_ranked(in), sizeof *r->disorders, "ranking", &r->disorders));
    r->n_disorders = nep_inputs_ranked(in);
    if (in->n_mapped)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_disorders * in->n_mapped, sizeof(double), "target profile", &r->target_profile));
    w.r = r;
    NEP_TRY_OR_DONE(st, o->imaging_only ? imaging_alone(ctx, &w, o) : rank_all(ctx, &w, o));
    *out = r;
    r = NULL; /* ownership moved to the caller */
done:
    nep_ranking_free(r);
    return st;
}

void nep_ranking_free(nep_ranking *r)
{
    if (!r)
        return;
    for (int64_t j = 0; r->disorders && j < r->n_disorders; j++) {
        nep_ranking_disorder *d = &r->disorders[j];
        for (int64_t k = 0; d->candidates && k < r->inputs->n_drugs; k++)
            nep_alloc_free(d->candidates[k].flags);
        nep_alloc_free(d->candidates);
        nep_alloc_free(d->id);
        nep_alloc_free(d->name);
        nep_alloc_free(d->value);
        nep_alloc_free(d->se);
        nep_alloc_free(d->contribution);
        nep_alloc_free(d->trust);
        nep_alloc_free(d->opinion);
    }
    for (int i = 0; r->null_rates && i < r->n_null_rates; i++)
        nep_alloc_free(r->null_rates[i].name);
    nep_alloc_free(r->null_rates);
    nep_alloc_free(r->imaging_text);
    nep_alloc_free(r->disorders);
    nep_alloc_free(r->channels);
    nep_alloc_free(r->target_profile);
    nep_alloc_free(r->weight);
    nep_alloc_free(r->spread);
    nep_alloc_free(r);
}
