/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation.c - how far a ranking can be trusted: protocols, baselines, calibration, ablation, imaging by itself. */
#include "rank/bootstrap.h"
#include "rank/ranking.h"

#include <nepenthe/leaks.h>
#include <nepenthe/model.h>

#include <math.h>
#include <string.h>

typedef struct {
    const nep_inputs *in;
    const nep_ranking *r;
    nep_evaluation *e;
    rank_bootstrap boot;
    int n_votes;
    int64_t n, d, n_nulls;
    rank_negatives set;        /* of the protocol at hand */
    double *elastic;           /* [d, n] of the protocol at hand, hierarchical fusion */
    double *full, *less;       /* [n_boot] macro AP of each draw */
    double *score;             /* [d, n] */
    double *null;              /* [n_nulls, n] */
    double *one, *two, *auroc; /* [n], [n], [n_nulls] */
    int64_t *order;
    bool *tie;
} workspace;

static int channel_index(const nep_ranking *r, const char *name)
{
    for (int c = 0; c < r->n_channels; c++)
        if (strcmp(r->channels[c]->name, name) == 0)
            return c;
    return -1;
}

static void set_positives(workspace *w, nep_protocol p)
{
    rank_negatives_set(w->in, p, w->e->scores[p].score, &w->set);
}

static double auroc_of(workspace *w, const double *score, const signed char *pos, nep_status *st, nep_ctx *ctx)
{
    double m[NEP_METRICS_COUNT];
    *st = nep_metrics_order(ctx, score, w->n, w->order, w->tie);
    if (*st != NEP_OK)
        return NAN;
    nep_metrics_compute(w->order, w->tie, pos, NULL, w->n, m);
    return m[NEP_METRICS_AUROC];
}

/* 95 % range and p of an AUROC under map nulls. */
static void settle_nulls(workspace *w, double observed, double *low, double *high, double *p)
{
    *p = rank_sample_p(observed, w->auroc, w->n_nulls);
    const int64_t there = rank_sample_sort(w->auroc, w->n_nulls);
    *low = rank_sample_quantile(w->auroc, there, 0.025);
    *high = rank_sample_quantile(w->auroc, there, 0.975);
}

/* The fused AUROC had the disorder had a null map: engagement is exchanged, the rest and the scale stay. */
static nep_status null_fused(nep_ctx *ctx, workspace *w, nep_protocol p, int64_t j, int engagement, nep_performance *out)
{
    const nep_protocol_scores *s = &w->e->scores[p];
    const int c = w->r->n_channels;
    nep_status st;
    for (int64_t b = 0; b < w->n_nulls; b++) {
        NEP_TRY(nep_fuse_normal_scores(ctx, w->null + b * w->n, w->n, w->one));
        for (int64_t k = 0; k < w->n; k++) {
            const int64_t at = j * w->n + k;
            double sum = 0;
            bool any = false;
            for (int v = 0; v < w->n_votes; v++) {
                const double z = v == engagement ? w->one[k] : s->z[at * c + v];
                sum += isnan(z) ? 0 : z;
                any = any || !isnan(z);
            }
            w->two[k] = any ? sum / s->scale[at] : NAN;
        }
        w->auroc[b] = auroc_of(w, w->two, w->set.pos + j * w->n, &st, ctx);
        NEP_TRY(st);
    }
    settle_nulls(w, out->auroc.value, &out->null_low, &out->null_high, &out->null_p);
    return NEP_OK;
}

static bool has_map(const workspace *w, int64_t j)
{
    return w->in->profiles && w->in->profiles[j * (1 + NEP_EVIDENCE_TRACERS)];
}

static nep_status null_protocols(nep_ctx *ctx, workspace *w)
{
    const int engagement = channel_index(w->r, "engagement");
    if (engagement < 0 || engagement >= w->n_votes || w->r->fusion != NEP_FUSION_STOUFFER)
        return NEP_OK;
    nep_progress_open(ctx, "map nulls of the evaluation", w->d);
    for (int64_t j = 0; j < w->d; j++) {
        nep_progress_step(ctx, j);
        NEP_TRY(nep_ctx_check(ctx));
        if (!has_map(w, j))
            continue;
        NEP_TRY(nep_engagement_null(ctx, w->in, j, 0, w->n_nulls, w->null));
        for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
            if (!w->e->fused.run[p] || isnan(w->e->fused.disorders[p][j].auroc.value))
                continue;
            set_positives(w, p);
            NEP_TRY(null_fused(ctx, w, p, j, engagement, &w->e->fused.disorders[p][j]));
        }
    }
    nep_progress_close(ctx);
    return NEP_OK;
}

static nep_status open_score(nep_ctx *ctx, const workspace *w, const char *name, const bool *run, nep_evaluation_score *s)
{
    NEP_TRY(nep_alloc_string(ctx, name, &s->name));
    for (int p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        s->run[p] = run[p];
        if (run[p])
            NEP_TRY(nep_alloc(ctx, w->d, sizeof(nep_performance), "performance", &s->disorders[p]));
    }
    return NEP_OK;
}

static nep_status measure(nep_ctx *ctx, workspace *w, nep_protocol p, nep_evaluation_score *s, double *macro_ap)
{
    return rank_bootstrap_measure(ctx, &w->boot, w->score, &w->set, s->disorders[p], &s->macro[p], macro_ap);
}

/* Robust rank aggregation of the VOTE channels: -rho, larger is better. */
static nep_status take_aggregation(nep_ctx *ctx, workspace *w, nep_protocol p)
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
static void take_column(workspace *w, nep_protocol p, int c)
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

/* The fused ranking's macro AP less another's, over the same draws. */
static nep_estimate gain_over(workspace *w, double with, double without, int64_t n)
{
    for (int64_t b = 0; b < w->boot.n_boot; b++)
        w->less[b] = w->full[b] - w->less[b];
    const int64_t there = rank_sample_sort(w->less, w->boot.n_boot);
    return (nep_estimate){with - without, rank_sample_quantile(w->less, there, 0.05), rank_sample_quantile(w->less, there, 0.95), n, NAN, NAN};
}

static nep_status run_protocol(nep_ctx *ctx, workspace *w, nep_protocol p)
{
    nep_evaluation *e = w->e;
    set_positives(w, p);
    memcpy(w->score, e->scores[p].score, (size_t)(w->d * w->n) * sizeof(double));
    NEP_TRY(measure(ctx, w, p, &e->fused, w->full));
    nep_progress_open(ctx, "baselines", e->n_baselines);
    for (int i = 0; i < e->n_baselines; i++) {
        nep_evaluation_score *s = &e->baselines[i];
        nep_progress_step(ctx, i);
        if (strcmp(s->name, "elastic_net") == 0)
            memcpy(w->score, w->elastic, (size_t)(w->d * w->n) * sizeof(double));
        else if (strcmp(s->name, "rank_aggregation") == 0)
            NEP_TRY(take_aggregation(ctx, w, p));
        else
            take_column(w, p, channel_index(w->r, s->name));
        for (int64_t j = 0; j < w->d; j++)
            rank_sample_fill(w->set.pos + j * w->n, w->score + j * w->n, w->n, w->one);
        NEP_TRY(measure(ctx, w, p, s, w->less));
        s->gain[p] = gain_over(w, e->fused.macro[p].ap.value, s->macro[p].ap.value, e->fused.macro[p].ap.n);
    }
    nep_progress_close(ctx);
    return NEP_OK;
}

/* Each VOTE channel by itself, each BASELINE, and other ways of fusing the same channels. */
static nep_status open_baselines(nep_ctx *ctx, workspace *w)
{
    nep_evaluation *e = w->e;
    NEP_TRY(nep_alloc(ctx, w->r->n_channels + 3, sizeof *e->baselines, "baselines", &e->baselines));
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
    if (w->elastic)
        NEP_TRY(open_score(ctx, w, "elastic_net", e->fused.run, &e->baselines[e->n_baselines++]));
    return open_score(ctx, w, "mean_normal_score", e->fused.run, &e->baselines[e->n_baselines++]);
}

/* ---- ablation ---- */
static void fuse_without(workspace *w, int left_out)
{
    const nep_protocol_scores *s = &w->e->scores[NEP_PROTOCOL_MASKED];
    const int c = w->r->n_channels;
    for (int64_t at = 0; at < w->d * w->n; at++) {
        double sum = 0;
        int there = 0;
        for (int v = 0; v < w->n_votes; v++)
            if (v != left_out && !isnan(s->z[at * c + v])) {
                sum += s->z[at * c + v];
                there++;
            }
        /* a drug that only the left-out channel knew takes the middle: its normal score is 0 on average */
        w->score[at] = there ? sum / sqrt((double)there) : 0;
    }
}

static nep_status score_protocol(nep_ctx *ctx, const workspace *w, nep_protocol p, int without, nep_protocol_scores *out);

/* Scores without one channel: the model learned anew, or the sum of the others. */
static nep_status take_without(nep_ctx *ctx, workspace *w, int left_out)
{
    nep_protocol_scores s = {0};
    if (w->r->fusion == NEP_FUSION_STOUFFER) {
        fuse_without(w, left_out);
        return NEP_OK;
    }
    NEP_TRY(score_protocol(ctx, w, NEP_PROTOCOL_MASKED, left_out, &s));
    memcpy(w->score, s.score, (size_t)(w->d * w->n) * sizeof(double));
    nep_protocol_scores_free(&s);
    return NEP_OK;
}

static nep_status ablate(nep_ctx *ctx, workspace *w)
{
    nep_evaluation *e = w->e;
    nep_performance *disorders = NULL, macro;
    double *p = NULL;
    nep_status st = NEP_OK;

    if (!e->fused.run[NEP_PROTOCOL_MASKED] || w->n_votes < 2)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d, sizeof *disorders, "ablation", &disorders));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * w->n_votes, sizeof *p, "ablation: p", &p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->n_votes, sizeof *e->ablation, "ablation", &e->ablation));
    set_positives(w, NEP_PROTOCOL_MASKED);
    memcpy(w->score, e->scores[NEP_PROTOCOL_MASKED].score, (size_t)(w->d * w->n) * sizeof(double));
    NEP_TRY_OR_DONE(st, rank_bootstrap_measure(ctx, &w->boot, w->score, &w->set, disorders, &macro, w->full));
    const double with = macro.ap.value;
    for (int c = 0; c < w->n_votes; c++) {
        nep_ablation *a = &e->ablation[e->n_ablation++];
        int64_t above = 0, below = 0;
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, w->r->channels[c]->name, &a->channel));
        NEP_TRY_OR_DONE(st, take_without(ctx, w, c));
        NEP_TRY_OR_DONE(st, rank_bootstrap_measure(ctx, &w->boot, w->score, &w->set, disorders, &macro, w->less));
        for (int64_t b = 0; b < w->boot.n_boot; b++) {
            above += w->full[b] - w->less[b] >= 0;
            below += w->full[b] - w->less[b] <= 0;
        }
        a->delta_ap = gain_over(w, with, macro.ap.value, macro.ap.n);
        const double tail = (1.0 + (double)(above < below ? above : below)) / (1.0 + (double)w->boot.n_boot);
        a->p = p[c] = isnan(a->delta_ap.value) ? NAN : 2 * tail < 1 ? 2 * tail : 1;
    }
    nep_holm_adjust(p, w->n_votes, p + w->n_votes);
    for (int c = 0; c < w->n_votes; c++)
        e->ablation[c].p_holm = p[w->n_votes + c];
done:
    nep_alloc_free(p);
    nep_alloc_free(disorders);
    return st;
}

/* ---- calibration and the set that should hold the treatments, each disorder from the others ---- */
static void conform(workspace *w, const double *logit, nep_evaluation *e)
{
    double coverage = 0, size = 0;
    int64_t counted = 0;
    e->conformal_min = e->conformal_coverage = e->conformal_size = NAN;
    e->conformal_level = 0.9;
    for (int64_t j = 0; j < w->d; j++) {
        int64_t m = 0, hits = 0, n_pos = 0, kept = 0, all = 0;
        double *others = w->score;
        for (int64_t at = 0; at < w->d * w->n; at++)
            if (at / w->n != j && w->set.pos[at] == 1 && !isnan(logit[at]))
                others[m++] = logit[at];
        m = rank_sample_sort(others, m);
        /* the largest bound that leaves at most 10 % of m + 1 treatments below it */
        const int64_t skip = (int64_t)floor(0.1 * (double)(m + 1)) - 1;
        const double bound = m == 0 || skip < 0 ? -INFINITY : others[skip];
        for (int64_t at = j * w->n; at < (j + 1) * w->n; at++) {
            if (isnan(logit[at]) || w->set.pos[at] == SAMPLE_LEFT_OUT)
                continue;
            all++;
            kept += logit[at] >= bound;
            n_pos += w->set.pos[at] == 1;
            hits += w->set.pos[at] == 1 && logit[at] >= bound;
        }
        if (n_pos < NEP_INCREMENT_MIN_POS || m < 9)
            continue;
        const double c = (double)hits / (double)n_pos;
        coverage += c;
        size += (double)kept / (double)all;
        counted++;
        if (!(c >= e->conformal_min))
            e->conformal_min = c;
    }
    if (counted) {
        e->conformal_coverage = coverage / (double)counted;
        e->conformal_size = size / (double)counted;
    }
}

/* The hierarchical model's scores are logits already, each disorder's by the others. */
static nep_status calibrate_model(nep_ctx *ctx, workspace *w)
{
    nep_evaluation *e = w->e;
    NEP_TRY(nep_alloc(ctx, w->d, sizeof *e->calibration, "calibration", &e->calibration));
    NEP_TRY(nep_alloc(ctx, w->d, sizeof *e->conformal, "conformal sets", &e->conformal));
    e->conformal_min = e->conformal_coverage = e->conformal_size = NAN;
    for (nep_protocol p = NEP_PROTOCOL_COUNT; p-- > 0;) {
        if (!e->fused.run[p] || p == NEP_PROTOCOL_APPROVED_VS_FAILED)
            continue;
        e->calibrated = p; /* masked when it was run: it comes last */
        set_positives(w, p);
        nep_calibration_measure(e->scores[p].score, w->set.pos, w->d * w->n, &e->by_protocol[p]);
    }
    const double *logit = e->scores[e->calibrated].score;
    if (!logit || !e->fused.run[e->calibrated])
        return NEP_OK;
    e->pooled = e->by_protocol[e->calibrated];
    for (int64_t j = 0; j < w->d; j++)
        nep_calibration_measure(logit + j * w->n, w->set.pos + j * w->n, w->n, &e->calibration[j]);
    return rank_conformal_sets(ctx, logit, w->set.pos, w->d, w->n, e->calibrated != NEP_PROTOCOL_ZERO_SHOT, e);
}

static nep_status calibrate(nep_ctx *ctx, workspace *w)
{
    nep_evaluation *e = w->e;
    const double *score = e->scores[NEP_PROTOCOL_NEW_DRUG].score;
    double *logit = NULL, *x = NULL;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d, sizeof *e->calibration, "calibration", &e->calibration));
    if (!e->fused.run[NEP_PROTOCOL_NEW_DRUG]) {
        nep_calibration_measure(NULL, NULL, 0, &e->pooled);
        for (int64_t j = 0; j < w->d; j++)
            e->calibration[j] = e->pooled;
        e->conformal_min = e->conformal_coverage = e->conformal_size = NAN;
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d * w->n, sizeof *logit, "calibration: logits", &logit));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d * w->n, sizeof *x, "calibration: scores", &x));
    set_positives(w, NEP_PROTOCOL_NEW_DRUG);
    for (int64_t j = 0; j < w->d; j++)
        if (e->fused.disorders[NEP_PROTOCOL_NEW_DRUG][j].n_pos == 0) /* no record: nothing to be calibrated against */
            memset(w->set.pos + j * w->n, SAMPLE_LEFT_OUT, (size_t)w->n);
    for (int64_t j = 0; j < w->d; j++) {
        for (int64_t at = 0; at < w->d * w->n; at++)
            x[at] = at / w->n == j ? NAN : score[at];
        const nep_calibration_curve c = nep_calibration_fit(x, w->set.pos, w->d * w->n);
        for (int64_t at = j * w->n; at < (j + 1) * w->n; at++)
            logit[at] = c.intercept + c.slope * score[at];
        nep_calibration_measure(logit + j * w->n, w->set.pos + j * w->n, w->n, &e->calibration[j]);
    }
    nep_calibration_measure(logit, w->set.pos, w->d * w->n, &e->pooled);
    e->calibrated = NEP_PROTOCOL_NEW_DRUG;
    e->by_protocol[NEP_PROTOCOL_NEW_DRUG] = e->pooled;
    conform(w, logit, e);
done:
    nep_alloc_free(x);
    nep_alloc_free(logit);
    return st;
}

/* ---- imaging by itself ---- */
static nep_status ligand_auroc(nep_ctx *ctx, workspace *w, nep_protocol p, int64_t j, int ligand, double *out)
{
    nep_status st = NEP_OK;
    *out = NAN;
    if (ligand < 0 || !w->e->fused.run[p])
        return NEP_OK;
    for (int64_t k = 0; k < w->n; k++)
        w->one[k] = w->e->scores[p].value[(j * w->n + k) * w->r->n_channels + ligand];
    rank_sample_fill(w->set.pos + j * w->n, w->one, w->n, w->two);
    *out = auroc_of(w, w->one, w->set.pos + j * w->n, &st, ctx);
    return st;
}

static nep_status imaging_alone(nep_ctx *ctx, workspace *w)
{
    const int engagement = channel_index(w->r, "engagement"), ligand = channel_index(w->r, "ligand_only");
    nep_evaluation *e = w->e;
    nep_status st;

    NEP_TRY(nep_alloc(ctx, w->d, sizeof *e->imaging, "imaging alone", &e->imaging));
    for (int64_t j = 0; j < w->d; j++) {
        nep_imaging_alone *m = &e->imaging[j];
        *m = (nep_imaging_alone){NAN, NAN, NAN, NAN, NAN, NAN, 0, 0};
        if (engagement < 0 || !has_map(w, j))
            continue;
        signed char *pos = w->set.pos + j * w->n;
        rank_sample_positives(w->in, j, pos);
        for (int64_t k = 0; k < w->n; k++) {
            w->two[k] = w->r->disorders[j].value[k * w->r->n_channels + engagement];
            if (isnan(w->two[k]))
                pos[k] = SAMPLE_LEFT_OUT;
            m->n_pos += pos[k] == 1;
            m->n_neg += pos[k] == 0;
        }
        m->auroc = auroc_of(w, w->two, pos, &st, ctx);
        NEP_TRY(st);
        if (isnan(m->auroc))
            continue;
        NEP_TRY(nep_engagement_null(ctx, w->in, j, 0, w->n_nulls, w->null));
        for (int64_t b = 0; b < w->n_nulls; b++) {
            w->auroc[b] = auroc_of(w, w->null + b * w->n, pos, &st, ctx);
            NEP_TRY(st);
        }
        settle_nulls(w, m->auroc, &m->null_low, &m->null_high, &m->null_p);
        NEP_TRY(ligand_auroc(ctx, w, NEP_PROTOCOL_MASKED, j, ligand, &m->ligand_only));
        NEP_TRY(ligand_auroc(ctx, w, NEP_PROTOCOL_NEW_DRUG, j, ligand, &m->ligand_only_new_drug));
    }
    return NEP_OK;
}

/* ---- the whole ---- */
static nep_status open_workspace(nep_ctx *ctx, workspace *w)
{
    NEP_TRY(rank_negatives_open(ctx, w->in, w->e->negatives, &w->set));
    NEP_TRY(nep_alloc(ctx, w->d * w->n, sizeof(double), "evaluation: scores", &w->score));
    if (w->r->fusion == NEP_FUSION_HIERARCHICAL)
        NEP_TRY(nep_alloc(ctx, w->d * w->n, sizeof(double), "evaluation: elastic net", &w->elastic));
    NEP_TRY(nep_alloc(ctx, w->e->n_bootstrap, sizeof(double), "evaluation: draws", &w->full));
    NEP_TRY(nep_alloc(ctx, w->e->n_bootstrap, sizeof(double), "evaluation: draws", &w->less));
    NEP_TRY(nep_alloc(ctx, w->n_nulls * w->n, sizeof(double), "evaluation: null scores", &w->null));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "evaluation: scratch", &w->one));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "evaluation: scratch", &w->two));
    NEP_TRY(nep_alloc(ctx, w->n_nulls, sizeof(double), "evaluation: null AUROC", &w->auroc));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(int64_t), "evaluation: order", &w->order));
    return nep_alloc(ctx, w->n, sizeof(bool), "evaluation: ties", &w->tie);
}

static void close_workspace(workspace *w)
{
    void *const all[] = {w->elastic, w->full, w->less, w->score, w->null, w->one, w->two, w->auroc, w->order, w->tie};
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

/* The scores of a protocol by the fusion of the ranking. */
static nep_status score_protocol(nep_ctx *ctx, const workspace *w, nep_protocol p, int without, nep_protocol_scores *out)
{
    if (w->r->fusion == NEP_FUSION_HIERARCHICAL)
        return rank_learned_protocol(ctx, w->r, p, w->n_votes, without, out, without < 0 ? w->elastic : NULL);
    return nep_protocol_score(ctx, w->in, p, w->r->channels, w->r->n_channels, w->n_votes, out);
}

static nep_status find_leaks(nep_ctx *ctx, nep_evaluation *e)
{
    NEP_TRY(nep_alloc(ctx, 1, sizeof *e->leaks, "leaks", &e->leaks));
    NEP_TRY(nep_leaks_find(ctx, e->ranking, e->leaks));
    for (int64_t i = 0; i < e->leaks->n; i++)
        nep_warn(ctx, "%s", e->leaks->list[i].text);
    return NEP_OK;
}

static nep_status run_all(nep_ctx *ctx, workspace *w, const bool *run)
{
    nep_evaluation *e = w->e;
    NEP_TRY(find_leaks(ctx, e));
    NEP_TRY(open_workspace(ctx, w));
    NEP_TRY(rank_bootstrap_open(ctx, w->in->seed, e->n_bootstrap, w->n, w->d, &w->boot));
    NEP_TRY(open_score(ctx, w, "fused", run, &e->fused));
    NEP_TRY(open_baselines(ctx, w));
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        if (!run[p])
            continue;
        NEP_TRY(score_protocol(ctx, w, p, -1, &e->scores[p]));
        NEP_TRY(run_protocol(ctx, w, p));
    }
    NEP_TRY(null_protocols(ctx, w));
    NEP_TRY(ablate(ctx, w));
    NEP_TRY(w->r->fusion == NEP_FUSION_HIERARCHICAL ? calibrate_model(ctx, w) : calibrate(ctx, w));
    return imaging_alone(ctx, w);
}

nep_status nep_evaluation_create(nep_ctx *ctx, const nep_ranking *ranking, const nep_evaluation_opts *opts,
                                 nep_evaluation **out)
{
    const nep_evaluation_opts defaults = {.n_bootstrap = 2000}, *o = opts ? opts : &defaults;
    workspace w = {.in = ranking->inputs, .r = ranking, .n = ranking->inputs->n_drugs, .d = ranking->n_disorders};
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
    NEP_TRY_OR_DONE(st, run_all(ctx, &w, run));
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
    nep_alloc_free(e->baselines);
    nep_alloc_free(e->calibration);
    nep_alloc_free(e->conformal);
    nep_alloc_free(e->imaging);
    if (e->leaks)
        nep_leaks_free(e->leaks);
    nep_alloc_free(e->leaks);
    nep_alloc_free(e);
}
