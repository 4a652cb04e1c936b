/* SPDX-License-Identifier: Apache-2.0 */
/* increment_learned.c - what imaging adds to the hierarchical model: with and without its channels, against null maps.
 *
 * A null map of a disorder goes through channel, score and average precision; the weights are those that the other disorders' measured maps
 * taught (a disorder's own map never teaches its weights), so no refit is needed: a fixed model is asked about another map. */
#include "rank/increment.h"
#include "rank/learned.h"
#include "rank/ranking.h"

#include <nepenthe/anatomy.h>

#include <math.h>
#include <string.h>

typedef struct {
    const nep_ranking *r;
    const nep_inputs *in;
    int64_t n, d, n_nulls, n_boot, disorder;
    int n_imaging, column[RANK_MAX_VOTES]; /* the imaging channels' places in the model */
    rank_learned with, base;
    int width;                    /* VOTE and NUISANCE channels of `with` */
    int families;
    double *maps;                 /* [n_nulls, n_regions] */
    double *null;                 /* [n_imaging, n_nulls, n] channel values on null maps */
    double *fixed, *score, *bent; /* [n] the score without the imaging channels that speak; scratch */
    double *gain;                 /* [max(n_nulls, n_boot)] */
    double *sum;                  /* [NEP_EVIDENCE_FAMILIES, n_nulls] gains of null maps, over disorders */
    double *boot;                 /* [d, n_boot] gains of resamples; NaN for disorders that were not measured */
    signed char *pos;
    int64_t *order, *order_base;
    bool *tie, *tie_base;
    int32_t *weight;
} workspace;

static double weight_of(const workspace *w, int c)
{
    return w->with.weight[w->disorder * w->with.votes + c];
}

/* Whether the channel of place c speaks of drug k as measured. */
static bool speaks(const workspace *w, int c, int64_t k)
{
    return !isnan(w->with.value[(w->disorder * w->n + k) * w->width + c]);
}

/* score = fixed + weight x of every imaging channel, x from values [n] on the scale of the model. */
static void add_channel(workspace *w, int c, const double *value)
{
    const int64_t at = w->disorder * w->with.votes + c;
    memcpy(w->bent, value, (size_t)w->n * sizeof *value);
    rank_features_scale(w->bent, w->n, 1);
    for (int64_t k = 0; k < w->n; k++)
        if (speaks(w, c, k) && !isnan(w->bent[k])) /* silent on a null map alone: at the channel's mean */
            w->score[k] += weight_of(w, c) * (w->bent[k] - w->with.mean[at]) / w->with.scale[at];
}

static void keep_fixed(workspace *w)
{
    for (int64_t k = 0; k < w->n; k++) {
        const int64_t at = w->disorder * w->n + k;
        w->fixed[k] = w->with.logit[at] - w->with.penalty[at];
        for (int i = 0; i < w->n_imaging; i++)
            if (speaks(w, w->column[i], k))
                w->fixed[k] -= w->with.share[at * (1 + w->with.votes) + 1 + w->column[i]];
    }
}

static nep_status draw_channel(nep_ctx *ctx, workspace *w, const nep_channel *c, int family, double *out)
{
    if (strcmp(c->name, "engagement") == 0)
        return nep_engagement_null_family(ctx, w->in, w->disorder, family, 0, w->n_nulls, out);
    return nep_anatomy_score_maps(ctx, w->in, w->disorder, w->maps, w->n_nulls, out);
}

/* p of the gain under one family of null maps, the gains' mean, and the gain that would stand out from theirs. */
static nep_status test_family(nep_ctx *ctx, workspace *w, int family, double ap_base, double observed, double *p, double *mean, double *by_map)
{
    NEP_TRY(nep_inputs_null_maps(ctx, w->in, w->disorder, family, w->n_nulls, w->maps));
    for (int i = 0; i < w->n_imaging; i++)
        NEP_TRY(draw_channel(ctx, w, w->r->channels[w->column[i]], family, w->null + i * w->n_nulls * w->n));
    for (int64_t b = 0; b < w->n_nulls; b++) {
        memcpy(w->score, w->fixed, (size_t)w->n * sizeof *w->score);
        for (int i = 0; i < w->n_imaging; i++)
            add_channel(w, w->column[i], w->null + (i * w->n_nulls + b) * w->n);
        NEP_TRY(rank_increment_precision(ctx, w->score, w->pos, w->n, w->order, w->tie, &w->gain[b]));
        w->gain[b] -= ap_base;
        for (int f = family; f < (family + 1 == w->families ? NEP_EVIDENCE_FAMILIES : family + 1); f++)
            w->sum[f * w->n_nulls + b] += w->gain[b]; /* a disorder with one family lends it to the sum of the other */
    }
    *p = rank_sample_p(observed, w->gain, w->n_nulls);
    rank_increment_stands_out(w->gain, w->n_nulls, mean, by_map);
    return NEP_OK;
}

static nep_status measure(nep_ctx *ctx, workspace *w, nep_increment *out)
{
    const double *base = w->base.logit + w->disorder * w->n, *gate = w->base.penalty + w->disorder * w->n;
    double ap_base, ap_with, by_map = 0;

    for (int64_t k = 0; k < w->n; k++)
        w->score[k] = base[k] - gate[k];
    NEP_TRY(rank_increment_precision(ctx, w->score, w->pos, w->n, w->order_base, w->tie_base, &ap_base));
    keep_fixed(w);
    for (int64_t k = 0; k < w->n; k++)
        w->score[k] = w->with.logit[w->disorder * w->n + k] - w->with.penalty[w->disorder * w->n + k];
    NEP_TRY(rank_increment_precision(ctx, w->score, w->pos, w->n, w->order, w->tie, &ap_with));
    out->delta.value = ap_with - ap_base;
    const rank_increment_pair pair = {w->n, w->pos, w->order, w->order_base, w->tie, w->tie_base};
    rank_increment_resample(&pair, w->in->seed, w->n_boot, w->weight, w->gain);
    memcpy(w->boot + w->disorder * w->n_boot, w->gain, (size_t)w->n_boot * sizeof *w->gain);
    const double by_drugs = rank_increment_by_drugs(rank_increment_interval(w->gain, w->n_boot, &out->delta));
    for (int f = 0; f < w->families; f++) {
        double own, mean;
        NEP_TRY(test_family(ctx, w, f, ap_base, out->delta.value, &out->p_family[f], &mean, &own));
        out->p_map = fmax(out->p_map, out->p_family[f]);
        out->null_gain = fmax(out->null_gain, mean);
        by_map = fmax(by_map, own);
    }
    out->detectable = out->weight > 0 ? fmax(by_map, by_drugs) : NAN;
    return NEP_OK;
}

static nep_status measure_disorder(nep_ctx *ctx, workspace *w, nep_increment *out)
{
    int64_t n_pos = 0;

    NEP_TRY(nep_inputs_count_nulls(ctx, w->in, w->disorder, &w->families));
    if (w->families == 0)
        return NEP_OK;
    rank_sample_positives(w->in, w->disorder, w->pos);
    for (int64_t k = 0; k < w->n; k++) {
        bool any = false;
        for (int i = 0; i < w->n_imaging; i++)
            any = any || speaks(w, w->column[i], k);
        n_pos += any && w->pos[k] == 1;
    }
    out->delta.n = n_pos;
    for (int i = 0; i < w->n_imaging; i++)
        out->weight = fmax(out->weight, weight_of(w, w->column[i]));
    return n_pos >= NEP_INCREMENT_MIN_POS ? measure(ctx, w, out) : NEP_OK;
}

/* The mean gain of resample b, disorders drawn with it; NaN when none of them was measured. */
static double boot_mean(workspace *w, int64_t b, int32_t *drawn)
{
    double sum = 0, n = 0;
    rank_sample_weights(w->in->seed, nep_stream_id(NEP_STREAM_BOOTSTRAP, 1, (uint64_t)b + 1), w->d, drawn);
    for (int64_t j = 0; j < w->d; j++)
        if (drawn[j] && !isnan(w->boot[j * w->n_boot + b])) {
            sum += drawn[j] * w->boot[j * w->n_boot + b];
            n += drawn[j];
        }
    return n > 0 ? sum / n : NAN;
}

static void measure_all(workspace *w, const nep_increment *each, int32_t *drawn, nep_increment *out)
{
    double sum = 0, by_map = 0;
    int64_t n = 0;
    for (int64_t j = 0; j < w->d; j++)
        if (!isnan(each[j].delta.value)) {
            sum += each[j].delta.value;
            out->weight = fmax(out->weight, each[j].weight);
            n++;
        }
    if (n == 0)
        return;
    out->delta.n = n;
    out->delta.value = sum / (double)n;
    for (int64_t b = 0; b < w->n_boot; b++)
        w->gain[b] = boot_mean(w, b, drawn);
    const double by_drugs = rank_increment_by_drugs(rank_increment_interval(w->gain, w->n_boot, &out->delta));
    for (int f = 0; f < NEP_EVIDENCE_FAMILIES; f++) {
        double *gain = w->sum + f * w->n_nulls, own, mean;
        for (int64_t b = 0; b < w->n_nulls; b++)
            gain[b] /= (double)n;
        out->p_family[f] = rank_sample_p(out->delta.value, gain, w->n_nulls);
        out->p_map = fmax(out->p_map, out->p_family[f]);
        rank_increment_stands_out(gain, w->n_nulls, &mean, &own);
        out->null_gain = fmax(out->null_gain, mean);
        by_map = fmax(by_map, own);
    }
    out->detectable = out->weight > 0 ? fmax(by_map, by_drugs) : NAN;
}

static nep_status open_workspace(nep_ctx *ctx, workspace *w)
{
    const int64_t most = w->n_nulls > w->n_boot ? w->n_nulls : w->n_boot;
    NEP_TRY(nep_alloc(ctx, w->n_nulls * w->in->n_regions, sizeof(double), "increment: null maps", &w->maps));
    NEP_TRY(nep_alloc(ctx, w->n_imaging * w->n_nulls * w->n, sizeof(double), "increment: null scores", &w->null));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "increment: scores", &w->fixed));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "increment: scores", &w->score));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "increment: scores", &w->bent));
    NEP_TRY(nep_alloc(ctx, most, sizeof(double), "increment: gains", &w->gain));
    NEP_TRY(nep_alloc(ctx, NEP_EVIDENCE_FAMILIES * w->n_nulls, sizeof(double), "increment: gains of null maps", &w->sum));
    NEP_TRY(nep_alloc(ctx, w->d * w->n_boot, sizeof(double), "increment: gains of resamples", &w->boot));
    NEP_TRY(nep_alloc(ctx, w->n, 1, "increment: positives", &w->pos));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(int64_t), "increment: order", &w->order));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(int64_t), "increment: order", &w->order_base));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(bool), "increment: ties", &w->tie));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(bool), "increment: ties", &w->tie_base));
    for (int64_t i = 0; i < w->d * w->n_boot; i++)
        w->boot[i] = NAN;
    return nep_alloc(ctx, w->n > w->d ? w->n : w->d, sizeof(int32_t), "increment: weights", &w->weight);
}

static void close_workspace(workspace *w)
{
    void *const all[] = {w->maps, w->null, w->fixed, w->score, w->bent, w->gain, w->sum, w->boot, w->pos, w->order, w->order_base, w->tie,
                         w->tie_base, w->weight};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    rank_learned_free(&w->with);
    rank_learned_free(&w->base);
}

/* Both models under the masked protocol. */
static nep_status score_models(nep_ctx *ctx, workspace *w, int n_votes)
{
    const nep_ranking *r = w->r;
    const nep_channel *gate = rank_learned_find_gate(r->channels, r->n_channels), **list = NULL;
    nep_status st = NEP_OK;
    for (int without = 0; without < 2; without++) {
        int votes = 0, nuisances = 0;
        nep_alloc_free(list);
        list = NULL;
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_channels, sizeof *list, "increment: channels", &list));
        for (int c = 0; c < n_votes; c++)
            if (!without || !nep_imaging_channel(r->channels[c]))
                list[votes++] = r->channels[c];
        for (int c = n_votes; c < r->n_channels; c++)
            if (r->channels[c]->role == NEP_ROLE_NUISANCE)
                list[votes + nuisances++] = r->channels[c];
        if (!without)
            w->width = votes + nuisances;
        NEP_TRY_OR_DONE(st, rank_learned_score(ctx, w->in, NEP_PROTOCOL_MASKED, list, votes, nuisances, gate, false, without ? &w->base : &w->with));
    }
done:
    nep_alloc_free(list);
    return st;
}

nep_status rank_increment_learned(nep_ctx *ctx, const nep_ranking *r, int n_votes, int64_t n_bootstrap, nep_increment *out, nep_increment *overall)
{
    const nep_inputs *in = r->inputs;
    workspace w = {.r = r, .in = in, .n = in->n_drugs, .d = r->n_disorders, .n_boot = n_bootstrap,
                   .n_nulls = in->n_nulls < SAMPLE_NULLS ? in->n_nulls : SAMPLE_NULLS};
    nep_status st = NEP_OK;

    *overall = rank_increment_blank();
    for (int64_t j = 0; j < w.d; j++)
        out[j] = rank_increment_blank();
    for (int c = 0; c < n_votes; c++)
        if (nep_imaging_channel(r->channels[c]))
            w.column[w.n_imaging++] = c;
    if (w.n_imaging == 0 || w.n_imaging == n_votes) /* without another channel there is no model to compare with */
        return NEP_OK;
    NEP_TRY_OR_DONE(st, score_models(ctx, &w, n_votes));
    NEP_TRY_OR_DONE(st, open_workspace(ctx, &w));
    nep_progress_open(ctx, "increment of imaging", w.d);
    for (w.disorder = 0; w.disorder < w.d; w.disorder++) {
        nep_progress_step(ctx, w.disorder);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, measure_disorder(ctx, &w, &out[w.disorder]));
    }
    nep_progress_close(ctx);
    measure_all(&w, out, w.weight, overall);
    NEP_TRY_OR_DONE(st, rank_increment_settle(ctx, out, w.d));
    st = rank_increment_settle(ctx, overall, 1);
done:
    close_workspace(&w);
    return st;
}
