/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation_calibration.c - probabilities held against what is recorded, and the set that should hold the treatments, each disorder from the others. */
#include "rank/evaluation.h"

#include <nepenthe/model.h>

#include <math.h>
#include <string.h>

static void conform(rank_evaluation *w, const double *logit, nep_evaluation *e)
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

/* Points of one curve from logits; drugs without one are left out. p, y: scratch [n]. */
static nep_status draw_curve(nep_ctx *ctx, const double *logit, const signed char *pos, int64_t n, double *p, signed char *y, nep_calibration_bin *out)
{
    int points;
    for (int64_t i = 0; i < n; i++) {
        y[i] = isnan(logit[i]) ? SAMPLE_LEFT_OUT : pos[i];
        p[i] = 1 / (1 + exp(-logit[i]));
    }
    return nep_calibration_bins(ctx, p, y, n, NEP_CALIBRATION_CURVE, out, &points);
}

static nep_status draw_curves(nep_ctx *ctx, rank_evaluation *w, const double *logit)
{
    nep_evaluation *e = w->e;
    signed char *y = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (1 + w->d) * NEP_CALIBRATION_CURVE, sizeof *e->curve, "calibration curves", &e->curve));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d * w->n, 1, "calibration curves: labels", &y));
    NEP_TRY_OR_DONE(st, draw_curve(ctx, logit, w->set.pos, w->d * w->n, w->score, y, e->curve));
    for (int64_t j = 0; j < w->d; j++)
        NEP_TRY_OR_DONE(st, draw_curve(ctx, logit + j * w->n, w->set.pos + j * w->n, w->n, w->score, y, e->curve + (1 + j) * NEP_CALIBRATION_CURVE));
done:
    nep_alloc_free(y);
    return st;
}

/* The hierarchical model's scores are logits already, each disorder's by the others. */
static nep_status calibrate_model(nep_ctx *ctx, rank_evaluation *w)
{
    nep_evaluation *e = w->e;
    NEP_TRY(nep_alloc(ctx, w->d, sizeof *e->calibration, "calibration", &e->calibration));
    NEP_TRY(nep_alloc(ctx, w->d, sizeof *e->conformal, "conformal sets", &e->conformal));
    e->conformal_min = e->conformal_coverage = e->conformal_size = NAN;
    for (nep_protocol p = NEP_PROTOCOL_COUNT; p-- > 0;) {
        if (!e->fused.run[p] || p == NEP_PROTOCOL_APPROVED_VS_FAILED)
            continue;
        e->calibrated = p; /* masked when it was run: it comes last */
        rank_evaluation_set(w, p);
        nep_calibration_measure(e->scores[p].score, w->set.pos, w->d * w->n, &e->by_protocol[p]);
    }
    const double *logit = e->scores[e->calibrated].score;
    if (!logit || !e->fused.run[e->calibrated])
        return NEP_OK;
    e->pooled = e->by_protocol[e->calibrated];
    for (int64_t j = 0; j < w->d; j++)
        nep_calibration_measure(logit + j * w->n, w->set.pos + j * w->n, w->n, &e->calibration[j]);
    NEP_TRY(draw_curves(ctx, w, logit));
    return rank_conformal_sets(ctx, logit, w->set.pos, w->d, w->n, e->calibrated != NEP_PROTOCOL_ZERO_SHOT, e);
}

static nep_status calibrate_curves(nep_ctx *ctx, rank_evaluation *w)
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
    rank_evaluation_set(w, NEP_PROTOCOL_NEW_DRUG);
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
    NEP_TRY_OR_DONE(st, draw_curves(ctx, w, logit));
    conform(w, logit, e);
done:
    nep_alloc_free(x);
    nep_alloc_free(logit);
    return st;
}

nep_status rank_evaluation_calibrate(nep_ctx *ctx, rank_evaluation *w)
{
    return w->r->fusion == NEP_FUSION_HIERARCHICAL ? calibrate_model(ctx, w) : calibrate_curves(ctx, w);
}
