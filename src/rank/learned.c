/* SPDX-License-Identifier: Apache-2.0 */
/* learned.c - each ranked disorder scored by a hierarchical model of the other disorders. */
#include "rank/learned.h"

#include <math.h>
#include <string.h>

static double logit_of(double p)
{
    return log(p / (1 - p));
}

nep_status rank_learned_fit(nep_ctx *ctx, const rank_learned_rows *r, int64_t held_out, nep_hierarchical **out)
{
    const nep_hierarchical_opts opts = NEP_HIERARCHICAL_DEFAULTS;
    const int64_t rows = r->taught * r->n;
    signed char *y = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, r->y, rows, 1, "model: labels", &y));
    for (int64_t row = 0; row < rows; row++)
        if (r->disorder[row / r->n] == held_out)
            y[row] = -1;
    const nep_hierarchical_data data = {.n = rows, .groups = r->taught, .channels = r->votes, .nuisances = r->nuisances, .x = r->x,
                                        .nuisance = r->nuisance, .y = y, .group = r->group, .prior = r->prior};
    st = nep_hierarchical_fit(ctx, &data, &opts, out);
done:
    nep_alloc_free(y);
    return st;
}

/* Prevalence that is expected of a disorder before it is looked at: its visible labels', or without any the others'. */
static double prior_of(const rank_learned_rows *r, int64_t held_out)
{
    double sum = 0, n = 0;
    for (int64_t t = 0; t < r->taught; t++) {
        if (r->disorder[t] == held_out && r->protocol != NEP_PROTOCOL_ZERO_SHOT)
            return r->prior[t];
        if (r->disorder[t] != held_out && r->ranked[t]) {
            sum += logit_of(r->prior[t]);
            n++;
        }
    }
    return 1 / (1 + exp(-sum / n));
}

/* Intercept and slope that the sum of the channels needs on the other ranked disorders, beside their prevalence and what the gate takes. */
static nep_status recalibrate(nep_ctx *ctx, const rank_learned_rows *r, const nep_hierarchical *h, const double *penalty, int64_t held_out,
                              nep_calibration_curve *out)
{
    const int64_t rows = r->taught * r->n;
    double *score = NULL, *offset = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *score, "model: scores", &score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *offset, "model: prevalences", &offset));
    NEP_TRY_OR_DONE(st, nep_hierarchical_predict(ctx, h, r->x, r->nuisance, rows, -1, 0.5, NULL, score, NULL, NULL));
    for (int64_t row = 0; row < rows; row++) {
        const int64_t t = row / r->n;
        offset[row] = logit_of(r->protocol == NEP_PROTOCOL_ZERO_SHOT ? prior_of(r, held_out) : r->prior[t]);
        if (r->disorder[t] == held_out || !r->ranked[t])
            score[row] = NAN;
        else
            offset[row] -= penalty[r->disorder[t] * r->n + row % r->n];
    }
    *out = nep_calibration_fit_offset(score, offset, r->y, rows);
done:
    nep_alloc_free(offset);
    nep_alloc_free(score);
    return st;
}

/* The rows of one disorder by its model: logit, SD, shares. */
static nep_status predict(nep_ctx *ctx, rank_learned_rows *r, const nep_hierarchical *h, nep_calibration_curve curve, int64_t j, double *value,
                          double *x, double *nuisance, rank_learned *out)
{
    const int64_t n = r->n, parts = 1 + r->votes;
    const double prior = prior_of(r, j);
    double *wide = NULL;
    nep_status st;

    memcpy(out->value + j * n * (r->votes + r->nuisances), value, (size_t)(n * (r->votes + r->nuisances)) * sizeof *value);
    rank_learned_scale(r, value, x);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * (parts + r->nuisances), sizeof *wide, "model: shares", &wide));
    NEP_TRY_OR_DONE(st, nep_hierarchical_predict(ctx, h, x, nuisance, n, -1, 0.5, wide, NULL, out->sd + j * n, NULL));
    for (int64_t k = 0; k < n; k++) {
        double *share = out->share + (j * n + k) * parts, sum;
        share[0] = sum = curve.intercept + logit_of(prior) + curve.slope * wide[k * (parts + r->nuisances)];
        for (int64_t i = 1; i < parts; i++)
            sum += share[i] = curve.slope * wide[k * (parts + r->nuisances) + i];
        out->logit[j * n + k] = sum;
        out->sd[j * n + k] *= fabs(curve.slope);
    }
done:
    nep_alloc_free(wide);
    return st;
}

static nep_status score_disorder(nep_ctx *ctx, rank_learned_rows *r, int64_t j, double *value, double *x, double *nuisance, rank_learned *out)
{
    nep_hierarchical *h = NULL;
    nep_calibration_curve curve;
    nep_status st;

    NEP_TRY_OR_DONE(st, rank_learned_fold(ctx, r, j));
    NEP_TRY_OR_DONE(st, rank_learned_fit(ctx, r, j, &h));
    NEP_TRY_OR_DONE(st, recalibrate(ctx, r, h, out->penalty, j, &curve));
    NEP_TRY_OR_DONE(st, rank_features_read(ctx, &r->features, r->protocol, j, -1, false, 0, value));
    for (int c = 0; c < r->votes; c++) {
        out->weight[j * r->votes + c] = h->global[c] * curve.slope;
        out->sigma[j * r->votes + c] = h->sigma[c] * fabs(curve.slope);
        out->mean[j * r->votes + c] = r->mean[c];
        out->scale[j * r->votes + c] = r->sd[c];
    }
    out->slope[j] = curve.slope;
    st = predict(ctx, r, h, curve, j, value, x, nuisance, out);
done:
    nep_hierarchical_free(h);
    return st;
}

nep_status rank_learned_score(nep_ctx *ctx, const nep_inputs *in, nep_protocol p, const nep_channel *const *channels, int votes, int nuisances,
                              const nep_channel *gate, bool elastic, rank_learned *out)
{
    const int64_t d = nep_inputs_ranked(in), n = in->n_drugs, c = votes + nuisances;
    rank_learned_rows rows = {0};
    double *value = NULL, *x = NULL, *nuisance = NULL;
    nep_status st;

    *out = (rank_learned){.votes = votes, .d = d, .n = n};
    NEP_TRY_OR_DONE(st, rank_learned_open(ctx, in, p, channels, votes, nuisances, &rows));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "model: logits", &out->logit));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "model: deviations", &out->sd));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n * (1 + votes), sizeof(double), "model: shares", &out->share));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n * c, sizeof(double), "model: channels", &out->value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * votes, sizeof(double), "model: weights", &out->weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * votes, sizeof(double), "model: spreads", &out->sigma));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof(double), "model: slopes", &out->slope));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * votes, sizeof(double), "model: means", &out->mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * votes, sizeof(double), "model: scales", &out->scale));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "model: gate", &out->penalty));
    NEP_TRY_OR_DONE(st, rank_learned_gate(ctx, in, gate, p, out->penalty));
    if (elastic)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "model: elastic net", &out->elastic));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * c, sizeof *value, "model: channels", &value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * votes, sizeof *x, "model: channels", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * nuisances, sizeof *nuisance, "model: nuisances", &nuisance)); /* zeros: at their mean */
    nep_progress_open(ctx, nep_protocol_name(p), d);
    for (int64_t j = 0; j < d; j++) {
        nep_progress_step(ctx, j);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, score_disorder(ctx, &rows, j, value, x, nuisance, out));
        if (elastic)
            NEP_TRY_OR_DONE(st, rank_learned_elastic(ctx, &rows, j, x, out->elastic + j * n));
    }
    nep_progress_close(ctx);
done:
    nep_alloc_free(nuisance);
    nep_alloc_free(x);
    nep_alloc_free(value);
    rank_learned_close(&rows);
    if (st != NEP_OK)
        rank_learned_free(out);
    return st;
}

void rank_learned_free(rank_learned *l)
{
    void *const all[] = {l->logit, l->sd, l->share, l->value, l->weight, l->sigma, l->slope, l->mean, l->scale, l->penalty, l->elastic};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    *l = (rank_learned){0};
}
