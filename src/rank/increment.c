/* SPDX-License-Identifier: Apache-2.0 */
/* increment.c - does the image add to what targets and structures already tell? Against map nulls, with its power. */
#include "rank/increment.h"

#include "rank/normal.h"

#include <math.h>

static const double power_z = 0.8416212335729143; /* power 0.8 */

typedef struct {
    const nep_inputs *in;
    int64_t disorder, n, n_nulls, n_boot;
    int n_base;                   /* channels of the model without imaging */
    const nep_protocol_scores *with, *base;
    double *null;                 /* [n_nulls, n] engagement on null maps */
    double *gain;                 /* [max(n_nulls, n_boot)] */
    double *excess;               /* [n_nulls] */
    double *score, *z;            /* [n] */
    signed char *pos;             /* [n] */
    int64_t *order, *order_base;  /* [n] */
    bool *tie, *tie_base;
    int32_t *weight;
} workspace;

nep_increment rank_increment_blank(void)
{
    return (nep_increment){.delta = {NAN, NAN, NAN, 0, NAN, NAN}, .p_family = {NAN, NAN}, .p_map = NAN, .p_holm = NAN, .detectable = NAN,
                           .null_gain = NAN, .weight = NAN, .verdict = NEP_IMAGING_UNDETERMINED};
}

nep_status rank_increment_precision(nep_ctx *ctx, const double *score, const signed char *pos, int64_t n, int64_t *order, bool *tie, double *ap)
{
    double m[NEP_METRICS_COUNT];
    NEP_TRY(nep_metrics_order(ctx, score, n, order, tie));
    nep_metrics_compute(order, tie, pos, NULL, n, m);
    *ap = m[NEP_METRICS_AP];
    return NEP_OK;
}

void rank_increment_resample(const rank_increment_pair *p, uint64_t seed, int64_t n_boot, int32_t *weight, double *gain)
{
    for (int64_t b = 0; b < n_boot; b++) {
        double with[NEP_METRICS_COUNT], base[NEP_METRICS_COUNT];
        rank_sample_weights(seed, nep_stream_id(NEP_STREAM_BOOTSTRAP, 0, (uint64_t)b + 1), p->n, weight);
        nep_metrics_compute(p->order, p->tie, p->pos, weight, p->n, with);
        nep_metrics_compute(p->order_base, p->tie_base, p->pos, weight, p->n, base);
        gain[b] = with[NEP_METRICS_AP] - base[NEP_METRICS_AP];
    }
}

double rank_increment_interval(double *gain, int64_t n_boot, nep_estimate *delta)
{
    double sum = 0, squares = 0;
    int64_t m = 0;
    for (int64_t b = 0; b < n_boot; b++) {
        if (isnan(gain[b]))
            continue;
        sum += gain[b];
        squares += gain[b] * gain[b];
        m++;
    }
    const int64_t sorted = rank_sample_sort(gain, n_boot);
    delta->low = rank_sample_quantile(gain, sorted, 0.05);
    delta->high = rank_sample_quantile(gain, sorted, 0.95);
    const double var = m > 1 ? (squares - sum * sum / (double)m) / (double)(m - 1) : NAN;
    return sqrt(var > 0 ? var : 0);
}

void rank_increment_stands_out(double *gain, int64_t n_nulls, double *mean, double *by_map)
{
    double var = 0;
    *mean = 0;
    for (int64_t b = 0; b < n_nulls; b++)
        *mean += gain[b] / (double)n_nulls;
    for (int64_t b = 0; b < n_nulls; b++)
        var += (gain[b] - *mean) * (gain[b] - *mean) / (double)n_nulls;
    rank_sample_sort(gain, n_nulls);
    *by_map = rank_sample_quantile(gain, n_nulls, 0.975) + power_z * sqrt(var);
}

double rank_increment_by_drugs(double se)
{
    return (1.6448536269514722 + power_z) * se;
}

/* The fused score of drug k with imaging replaced by z; others keep their part and the scale. */
static double refuse(const workspace *w, int64_t k, double z)
{
    const int64_t at = w->disorder * w->n + k;
    double sum = z;
    for (int c = 1; c <= w->n_base; c++) {
        const double other = w->with->z[at * (w->n_base + 1) + c];
        sum += isnan(other) ? 0 : other;
    }
    return sum / w->with->scale[at];
}

/* How much more the recorded treatments engage than the others: unlike a rank it sees how strongly the map speaks. With
 * about five independent directions in the receptor maps, one null map in five or ten ranks a given mechanism first. */
static double excess(const signed char *pos, const double *score, int64_t stride, int64_t n)
{
    double sum[2] = {0, 0};
    int64_t count[2] = {0, 0};
    for (int64_t k = 0; k < n; k++)
        if (pos[k] != SAMPLE_LEFT_OUT && !isnan(score[k * stride])) {
            sum[(int)pos[k]] += score[k * stride];
            count[(int)pos[k]]++;
        }
    return count[0] && count[1] ? sum[1] / (double)count[1] - sum[0] / (double)count[0] : NAN;
}

/* Gains and excesses of one family's null maps. */
static nep_status null_gains(nep_ctx *ctx, workspace *w, int family, double ap_base)
{
    NEP_TRY(nep_engagement_null_family(ctx, w->in, w->disorder, family, 0, w->n_nulls, w->null));
    for (int64_t b = 0; b < w->n_nulls; b++) {
        double ap;
        w->excess[b] = excess(w->pos, w->null + b * w->n, 1, w->n);
        NEP_TRY(nep_fuse_normal_scores(ctx, w->null + b * w->n, w->n, w->z));
        for (int64_t k = 0; k < w->n; k++)
            w->score[k] = isnan(w->z[k]) ? NAN : refuse(w, k, w->z[k]);
        NEP_TRY(rank_increment_precision(ctx, w->score, w->pos, w->n, w->order, w->tie, &ap));
        w->gain[b] = ap - ap_base;
    }
    return NEP_OK;
}

/* p of the recorded treatments' excess under one family of null maps, and the gain that would stand out from theirs. */
static nep_status test_family(nep_ctx *ctx, workspace *w, int family, double ap_base, double *p, double *by_map)
{
    double mean;
    NEP_TRY(null_gains(ctx, w, family, ap_base));
    NEP_TRY(nep_engagement_family(ctx, w->in, w->disorder, family, w->score));
    *p = rank_sample_p(excess(w->pos, w->score, 1, w->n), w->excess, w->n_nulls);
    rank_increment_stands_out(w->gain, w->n_nulls, &mean, by_map);
    return NEP_OK;
}

static int families(const workspace *w)
{
    return w->in->second[w->disorder] ? NEP_EVIDENCE_FAMILIES : 1;
}

/* The gain by recorded treatments. */
static nep_status measure_gain(nep_ctx *ctx, workspace *w, nep_increment *out)
{
    const int64_t base = w->disorder * w->n;
    double ap_base, ap_with, by_map = 0;

    for (int64_t k = 0; k < w->n; k++) /* where the model without imaging is silent a drug takes the middle, 0 on average */
        w->score[k] = isnan(w->base->score[base + k]) ? 0 : w->base->score[base + k];
    NEP_TRY(rank_increment_precision(ctx, w->score, w->pos, w->n, w->order_base, w->tie_base, &ap_base));
    for (int f = 0; f < families(w); f++) {
        double own;
        NEP_TRY(test_family(ctx, w, f, ap_base, &out->p_family[f], &own));
        out->p_map = fmax(out->p_map, out->p_family[f]);
        by_map = fmax(by_map, own);
    }
    NEP_TRY(rank_increment_precision(ctx, w->with->score + base, w->pos, w->n, w->order, w->tie, &ap_with));
    out->delta.value = ap_with - ap_base;
    const rank_increment_pair pair = {w->n, w->pos, w->order, w->order_base, w->tie, w->tie_base};
    rank_increment_resample(&pair, w->in->seed, w->n_boot, w->weight, w->gain);
    out->detectable = fmax(by_map, rank_increment_by_drugs(rank_increment_interval(w->gain, w->n_boot, &out->delta)));
    return NEP_OK;
}

/* The smallest correlation with one drug's engagement map that the map test would see under one family of null maps. */
static nep_status map_detectable(nep_ctx *ctx, workspace *w, int family, double *detectable)
{
    nep_inputs as_correlation = *w->in;
    int64_t m = 0;
    as_correlation.score = 'A';
    as_correlation.direction = NULL;
    NEP_TRY(nep_engagement_null_family(ctx, &as_correlation, w->disorder, family, 0, w->n_nulls, w->null));
    for (int64_t b = 0; b < w->n_nulls; b++)
        w->gain[b] = NAN;
    for (int64_t k = 0; k < w->n; k++) {
        double squares = 0;
        for (int64_t b = 0; b < w->n_nulls; b++)
            squares += w->null[b * w->n + k] * w->null[b * w->n + k];
        const double sd = sqrt(squares / (double)w->n_nulls);
        if (!(sd > 0))
            continue;
        w->score[m++] = sd;
        for (int64_t b = 0; b < w->n_nulls; b++)
            if (!(w->null[b * w->n + k] / sd <= w->gain[b]))
                w->gain[b] = w->null[b * w->n + k] / sd;
    }
    m = rank_sample_sort(w->score, m);
    const int64_t sorted = rank_sample_sort(w->gain, w->n_nulls);
    const double critical = rank_sample_quantile(w->gain, sorted, 0.95);
    *detectable = (critical + power_z) * rank_sample_quantile(w->score, m, 0.5);
    return NEP_OK;
}

/* Without recorded treatments the map alone is tested. */
static nep_status measure_map(nep_ctx *ctx, workspace *w, nep_increment *out)
{
    out->p_map = w->in->map_p[w->disorder];
    for (int f = 0; f < families(w); f++) {
        double own;
        out->p_family[f] = w->in->map_p_family[w->disorder * NEP_EVIDENCE_FAMILIES + f];
        NEP_TRY(map_detectable(ctx, w, f, &own));
        out->detectable = fmax(out->detectable, own);
    }
    return NEP_OK;
}

static nep_status measure_disorder(nep_ctx *ctx, workspace *w, nep_increment *out)
{
    const int64_t base = w->disorder * w->n;
    int64_t covered = 0, n_pos = 0;

    *out = rank_increment_blank();
    rank_sample_positives(w->in, w->disorder, w->pos);
    for (int64_t k = 0; k < w->n; k++) {
        if (isnan(w->with->z[(base + k) * (w->n_base + 1)]))
            w->pos[k] = SAMPLE_LEFT_OUT; /* imaging is judged on the drugs it can score */
        covered += w->pos[k] != SAMPLE_LEFT_OUT;
        n_pos += w->pos[k] == 1;
    }
    out->delta.n = n_pos;
    if (covered == 0)
        return NEP_OK;
    return n_pos >= NEP_INCREMENT_MIN_POS && n_pos < covered ? measure_gain(ctx, w, out) : measure_map(ctx, w, out);
}

static void judge(nep_increment *out, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        const bool by_gain = !isnan(out[j].delta.value), significant = out[j].p_holm <= 0.05;
        const double relevant = by_gain ? NEP_INCREMENT_RELEVANT : NEP_INCREMENT_RELEVANT_R;
        if (significant && by_gain && out[j].delta.low > 0 && !(out[j].delta.value <= out[j].null_gain))
            out[j].verdict = NEP_IMAGING_ADDS;
        else if (out[j].detectable <= relevant && (by_gain || !significant))
            out[j].verdict = NEP_IMAGING_NO_SIGNAL;
    }
}

static nep_status adjust(nep_ctx *ctx, nep_increment *out, int64_t n)
{
    double *p = NULL;
    NEP_TRY(nep_alloc(ctx, 2 * n, sizeof *p, "increment: p values", &p));
    for (int64_t j = 0; j < n; j++)
        p[j] = out[j].p_map;
    nep_holm_adjust(p, n, p + n);
    for (int64_t j = 0; j < n; j++)
        out[j].p_holm = p[n + j];
    nep_alloc_free(p);
    return NEP_OK;
}

nep_status rank_increment_settle(nep_ctx *ctx, nep_increment *out, int64_t n)
{
    NEP_TRY(adjust(ctx, out, n));
    judge(out, n);
    return NEP_OK;
}

static nep_status open_workspace(nep_ctx *ctx, workspace *w)
{
    const int64_t most = w->n_nulls > w->n_boot ? w->n_nulls : w->n_boot;
    NEP_TRY(nep_alloc(ctx, w->n_nulls * w->n, sizeof(double), "increment: null scores", &w->null));
    NEP_TRY(nep_alloc(ctx, most, sizeof(double), "increment: gains", &w->gain));
    NEP_TRY(nep_alloc(ctx, w->n_nulls, sizeof(double), "increment: excess of nulls", &w->excess));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "increment: scores", &w->score));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(double), "increment: normal scores", &w->z));
    NEP_TRY(nep_alloc(ctx, w->n, 1, "increment: positives", &w->pos));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(int64_t), "increment: order", &w->order));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(int64_t), "increment: order", &w->order_base));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(bool), "increment: ties", &w->tie));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof(bool), "increment: ties", &w->tie_base));
    return nep_alloc(ctx, w->n, sizeof(int32_t), "increment: weights", &w->weight);
}

static void close_workspace(workspace *w)
{
    nep_alloc_free(w->null);
    nep_alloc_free(w->gain);
    nep_alloc_free(w->excess);
    nep_alloc_free(w->score);
    nep_alloc_free(w->z);
    nep_alloc_free(w->pos);
    nep_alloc_free(w->order);
    nep_alloc_free(w->order_base);
    nep_alloc_free(w->tie);
    nep_alloc_free(w->tie_base);
    nep_alloc_free(w->weight);
}

nep_status nep_increment_measure(nep_ctx *ctx, const nep_inputs *in, int64_t n_bootstrap, nep_increment *out)
{
    static const char *const names[] = {"engagement", "ligand_only", "analogue"};
    const nep_channel *channels[NEP_LEN(names)];
    nep_protocol_scores with = {0}, base = {0};
    workspace w = {.in = in, .n = in->n_drugs, .n_nulls = in->n_nulls < SAMPLE_NULLS ? in->n_nulls : SAMPLE_NULLS,
                   .n_boot = n_bootstrap, .with = &with, .base = &base};
    int n = 0;
    nep_status st = NEP_OK;

    for (int i = 0; i < NEP_LEN(names); i++)
        if (!nep_channel_missing(nep_channel_find(names[i]), in))
            channels[n++] = nep_channel_find(names[i]);
    const int64_t d = nep_inputs_ranked(in);
    for (int64_t j = 0; j < d; j++)
        out[j] = rank_increment_blank();
    if (!in->profiles || n == 0 || channels[0] != nep_channel_find(names[0]))
        return NEP_OK; /* no image: nothing is added, nothing denied */
    w.n_base = n - 1;
    NEP_TRY_OR_DONE(st, open_workspace(ctx, &w));
    NEP_TRY_OR_DONE(st, nep_protocol_score(ctx, in, NEP_PROTOCOL_MASKED, channels, n, n, &with));
    NEP_TRY_OR_DONE(st, nep_protocol_score(ctx, in, NEP_PROTOCOL_MASKED, channels + 1, n - 1, n - 1, &base));
    nep_progress_open(ctx, "increment of imaging", d);
    for (w.disorder = 0; w.disorder < d; w.disorder++) {
        nep_progress_step(ctx, w.disorder);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, measure_disorder(ctx, &w, &out[w.disorder]));
    }
    nep_progress_close(ctx);
    st = rank_increment_settle(ctx, out, d);
done:
    nep_protocol_scores_free(&base);
    nep_protocol_scores_free(&with);
    close_workspace(&w);
    return st;
}
