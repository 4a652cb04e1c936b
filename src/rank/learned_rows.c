/* SPDX-License-Identifier: Apache-2.0 */
/* learned_rows.c - the rows a model learns from: every drug of every disorder that teaches, channels on one scale. */
#include "rank/learned.h"
#include "rank/sample.h"

#include <math.h>
#include <string.h>

static bool teaches(const nep_inputs *in, int64_t j, const signed char *y)
{
    int64_t n = 0;
    for (int64_t k = 0; k < in->n_drugs; k++)
        n += y[k] == 1;
    const bool own = j >= nep_inputs_ranked(in) && j < nep_inputs_listed(in);
    return n >= RANK_LEARNED_MIN_POS && !own && !(in->simulated && in->simulated[j]);
}

/* Investigational drugs count as not recorded here: what is predicted is the record. */
static double label_rows(const nep_inputs *in, int64_t j, signed char *y)
{
    double n_pos = 0;
    rank_sample_positives(in, j, y);
    for (int64_t k = 0; k < in->n_drugs; k++) {
        y[k] = y[k] == 1;
        n_pos += y[k];
    }
    return (n_pos + 0.5) / ((double)in->n_drugs + 1);
}

nep_status rank_learned_open(nep_ctx *ctx, const nep_inputs *in, nep_protocol p, const nep_channel *const *channels, int votes,
                             int nuisances, rank_learned_rows *out)
{
    const int64_t n = in->n_drugs, d = in->n_disorders, c = votes + nuisances;
    signed char *y = NULL;
    int64_t ranked = 0;
    nep_status st;

    *out = (rank_learned_rows){.in = in, .protocol = p, .votes = votes, .nuisances = nuisances, .n = n};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, 1, "model: labels", &y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *out->disorder, "model: disorders", &out->disorder));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *out->ranked, "model: disorders", &out->ranked));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *out->prior, "model: prevalences", &out->prior));
    for (int64_t j = 0; j < d; j++) {
        const double prior = label_rows(in, j, y);
        if (!teaches(in, j, y))
            continue;
        ranked += j < nep_inputs_ranked(in);
        out->ranked[out->taught] = j < nep_inputs_ranked(in);
        out->prior[out->taught] = prior;
        out->disorder[out->taught++] = j;
    }
    NEP_REQUIRE_OR_DONE(st, ctx, ranked >= RANK_LEARNED_MIN_DISORDERS, NEP_E_CONFIG,
                        "study: a model learned from other disorders needs %d ranked disorders with %d recorded treatments, there are %lld; "
                        "use `primary: {model: stouffer}`",
                        RANK_LEARNED_MIN_DISORDERS, RANK_LEARNED_MIN_POS, (long long)ranked);
    const int64_t rows = out->taught * n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows * c, sizeof(double), "model: channels", &out->raw));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows * votes, sizeof(double), "model: channels", &out->x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows * nuisances, sizeof(double), "model: nuisances", &out->nuisance));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c, sizeof(double), "model: means", &out->mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c, sizeof(double), "model: deviations", &out->sd));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, 1, "model: labels", &out->y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof(int32_t), "model: disorders of rows", &out->group));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof(int32_t), "model: drugs of rows", &out->unit));
    NEP_TRY_OR_DONE(st, rank_features_open(ctx, in, channels, (int)c, &out->features));
    nep_progress_open(ctx, "channels", out->taught);
    for (int64_t t = 0; t < out->taught; t++) {
        nep_progress_step(ctx, t);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        label_rows(in, out->disorder[t], out->y + t * n);
        for (int64_t k = 0; k < n; k++) {
            out->group[t * n + k] = (int32_t)t;
            out->unit[t * n + k] = (int32_t)k;
        }
        NEP_TRY_OR_DONE(st, rank_features_read(ctx, &out->features, p, out->disorder[t], -1, false, 0, out->raw + t * n * c));
    }
    nep_progress_close(ctx);
done:
    nep_alloc_free(y);
    if (st != NEP_OK)
        rank_learned_close(out);
    return st;
}

void rank_learned_close(rank_learned_rows *r)
{
    void *const all[] = {r->disorder, r->ranked, r->prior, r->raw, r->x, r->nuisance, r->mean, r->sd, r->y, r->group, r->unit};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    rank_features_close(&r->features);
    *r = (rank_learned_rows){0};
}

/* Column c of a row, wherever it stands. */
static double *cell(rank_learned_rows *r, int64_t row, int64_t c)
{
    return c < r->votes ? &r->x[row * r->votes + c] : &r->nuisance[row * r->nuisances + c - r->votes];
}

/* Silence that says nothing stands at the mean: of a nuisance, and of an imaging channel, which is silent wherever a disorder has no map or a
 * drug no measured receptor; how well a drug is measured is no image. */
static bool neutral(const rank_learned_rows *r, int64_t c)
{
    return c >= r->votes || nep_imaging_channel(r->features.channels[c]);
}

/* Mean and SD of a column over the rows of all teaching disorders but one, where it speaks. */
static void standardise(rank_learned_rows *r, int64_t held_out, int64_t c)
{
    double sum = 0, squares = 0;
    int64_t there = 0;
    for (int64_t row = 0; row < r->taught * r->n; row++)
        if (r->disorder[row / r->n] != held_out && !isnan(*cell(r, row, c))) {
            sum += *cell(r, row, c);
            there++;
        }
    r->mean[c] = there ? sum / (double)there : 0;
    for (int64_t row = 0; row < r->taught * r->n; row++)
        if (r->disorder[row / r->n] != held_out && !isnan(*cell(r, row, c)))
            squares += (*cell(r, row, c) - r->mean[c]) * (*cell(r, row, c) - r->mean[c]);
    r->sd[c] = there && squares > 0 ? sqrt(squares / (double)there) : 1;
    for (int64_t row = 0; row < r->taught * r->n; row++) {
        double *v = cell(r, row, c);
        *v = (*v - r->mean[c]) / r->sd[c];
        if (isnan(*v) && neutral(r, c))
            *v = 0;
    }
}

nep_status rank_learned_fold(nep_ctx *ctx, rank_learned_rows *r, int64_t held_out)
{
    const int64_t n = r->n, c = r->votes + r->nuisances;
    double *value = NULL;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * c, sizeof *value, "model: channels", &value));
    for (int64_t t = 0; t < r->taught; t++) {
        memcpy(value, r->raw + t * n * c, (size_t)(n * c) * sizeof *value);
        if (held_out >= 0 && r->disorder[t] != held_out)
            NEP_TRY_OR_DONE(st, rank_features_read(ctx, &r->features, r->protocol, r->disorder[t], held_out, true, 0, value));
        for (int64_t i = 0; i < r->votes; i++)
            rank_features_scale(value + i, n, c);
        for (int64_t k = 0; k < n; k++)
            for (int64_t i = 0; i < c; i++)
                *cell(r, t * n + k, i) = value[k * c + i];
    }
    for (int64_t i = 0; i < c; i++)
        standardise(r, held_out, i);
done:
    nep_alloc_free(value);
    return st;
}

void rank_learned_scale(const rank_learned_rows *r, double *value, double *x)
{
    const int64_t c = r->votes + r->nuisances;
    for (int64_t i = 0; i < r->votes; i++)
        rank_features_scale(value + i, r->n, c);
    for (int64_t k = 0; k < r->n; k++)
        for (int64_t i = 0; i < r->votes; i++)
            x[k * r->votes + i] = isnan(value[k * c + i]) && neutral(r, i) ? 0 : (value[k * c + i] - r->mean[i]) / r->sd[i];
}
