/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap.c - performance with its intervals: drugs within a disorder, drugs and disorders for the macro mean. */
#include "rank/bootstrap.h"

#include "rank/normal.h"

#include <math.h>
#include <string.h>

enum { VERSUS_NS = NEP_METRICS_COUNT, VERSUS_POPULARITY, VERSUS_FAILED, NDCG, MEASURES };
enum { TOP = 20 };

nep_status rank_bootstrap_open(nep_ctx *ctx, uint64_t seed, int64_t n_boot, int64_t n_drugs, int64_t n_disorders,
                               rank_bootstrap *out)
{
    *out = (rank_bootstrap){.n_boot = n_boot, .n_drugs = n_drugs, .n_disorders = n_disorders};
    NEP_TRY(nep_alloc(ctx, n_boot * n_drugs, sizeof(int32_t), "bootstrap: drugs", &out->drugs));
    NEP_TRY(nep_alloc(ctx, n_boot * n_disorders, sizeof(int32_t), "bootstrap: disorders", &out->disorders));
    for (int64_t b = 0; b < n_boot; b++) {
        const uint64_t stream = (uint64_t)b + 1;
        rank_sample_weights(seed, nep_stream_id(NEP_STREAM_BOOTSTRAP, 0, stream), n_drugs, out->drugs + b * n_drugs);
        rank_sample_weights(seed, nep_stream_id(NEP_STREAM_BOOTSTRAP, 1, stream), n_disorders,
                            out->disorders + b * n_disorders);
    }
    return NEP_OK;
}

void rank_bootstrap_free(rank_bootstrap *b)
{
    nep_alloc_free(b->drugs);
    nep_alloc_free(b->disorders);
    *b = (rank_bootstrap){0};
}

/* One disorder's drugs in the order of a score, and who counts. */
typedef struct {
    int64_t n;
    const signed char *pos, *grade, *nervous, *failed; /* of rank_negatives */
    const int64_t *stratum;
    int64_t *order, *within;     /* best first; the same by stratum, then best first (NULL without strata) */
    bool *tie, *within_tie;
} sorted;

static nep_status sort_drugs(nep_ctx *ctx, const rank_negatives *set, int64_t j, const double *score, sorted *out)
{
    const int64_t n = set->n_drugs, at = j * n;
    *out = (sorted){.n = n, .pos = set->pos + at, .grade = set->grade + at, .nervous = set->nervous ? set->nervous + at : NULL,
                    .failed = set->failed ? set->failed + at : NULL, .stratum = set->stratum ? set->stratum + at : NULL};
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->order, "bootstrap: order", &out->order));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->tie, "bootstrap: ties", &out->tie));
    NEP_TRY(nep_metrics_order(ctx, score, n, out->order, out->tie));
    if (!out->stratum)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->within, "bootstrap: order", &out->within));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->within_tie, "bootstrap: ties", &out->within_tie));
    return nep_metrics_order_within(ctx, score, out->stratum, n, out->within, out->within_tie);
}

static void free_sorted(sorted *s)
{
    nep_alloc_free(s->order);
    nep_alloc_free(s->tie);
    nep_alloc_free(s->within);
    nep_alloc_free(s->within_tie);
}

static double auroc_against(const sorted *s, const signed char *pos, const int32_t *weight)
{
    double m[NEP_METRICS_COUNT];
    if (!pos)
        return NAN;
    nep_metrics_compute(s->order, s->tie, pos, weight, s->n, m);
    return m[NEP_METRICS_AUROC];
}

static void all_measures(const sorted *s, const int32_t *weight, double out[MEASURES])
{
    nep_metrics_compute(s->order, s->tie, s->pos, weight, s->n, out);
    out[VERSUS_NS] = auroc_against(s, s->nervous, weight);
    out[VERSUS_FAILED] = auroc_against(s, s->failed, weight);
    out[NDCG] = nep_metrics_ndcg(s->order, s->tie, s->grade, weight, s->n, TOP);
    out[VERSUS_POPULARITY] = s->within ? nep_metrics_matched(s->within, s->within_tie, s->stratum, s->pos, weight, s->n, NULL) : NAN;
}

static nep_estimate *estimate_of(nep_performance *p, int measure)
{
    nep_estimate *const all[MEASURES] = {[NEP_METRICS_AP] = &p->ap,           [NEP_METRICS_AUROC] = &p->auroc,
                                         [NEP_METRICS_BEDROC20] = &p->bedroc20, [NEP_METRICS_P_AT_20] = &p->p_at_20,
                                         [VERSUS_NS] = &p->auroc_vs_ns, [VERSUS_POPULARITY] = &p->auroc_vs_popularity,
                                         [VERSUS_FAILED] = &p->auroc_vs_failed, [NDCG] = &p->ndcg_at_20};
    return all[measure];
}

static void start(nep_performance *p, const sorted *s)
{
    int64_t matched = 0;
    *p = (nep_performance){.prevalence = NAN, .null_low = NAN, .null_high = NAN, .null_p = NAN, .null_p_family = {NAN, NAN}};
    for (int64_t k = 0; k < s->n; k++) {
        p->n_pos += s->pos[k] == 1;
        p->n_neg += s->pos[k] == 0;
        p->n_failed += s->failed && s->failed[k] == 0;
    }
    if (p->n_pos + p->n_neg)
        p->prevalence = (double)p->n_pos / (double)(p->n_pos + p->n_neg);
    for (int m = 0; m < MEASURES; m++)
        *estimate_of(p, m) = (nep_estimate){NAN, NAN, NAN, p->n_pos, NAN, NAN};
    if (s->within)
        nep_metrics_matched(s->within, s->within_tie, s->stratum, s->pos, NULL, s->n, &matched);
    p->auroc_vs_popularity.n = matched;
}

static bool silent(const double *score, const signed char *pos, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        if (pos[k] != SAMPLE_LEFT_OUT && !isnan(score[k]))
            return false;
    return true;
}

/* Draws of one disorder: draw [n_boot, n_disorders, MEASURES]. */
static nep_status measure_disorder(nep_ctx *ctx, const rank_bootstrap *b, int64_t j, const double *score, const rank_negatives *set,
                                   nep_performance *out, double *draw)
{
    const int64_t n = b->n_drugs;
    sorted s;
    double *column = NULL, point[MEASURES];
    nep_status st;

    NEP_TRY_OR_DONE(st, sort_drugs(ctx, set, j, score, &s));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, b->n_boot, sizeof *column, "bootstrap: draws", &column));
    start(out, &s);
    for (int64_t i = 0; i < b->n_boot * MEASURES; i++)
        draw[(i / MEASURES * b->n_disorders + j) * MEASURES + i % MEASURES] = NAN;
    if (silent(score, s.pos, n))
        goto done; /* no number rather than the number of a tie */
    all_measures(&s, NULL, point);
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < b->n_boot; i++)
        all_measures(&s, b->drugs + i * n, draw + (i * b->n_disorders + j) * MEASURES);
    for (int m = 0; m < MEASURES; m++) {
        nep_estimate *e = estimate_of(out, m);
        for (int64_t i = 0; i < b->n_boot; i++)
            column[i] = draw[(i * b->n_disorders + j) * MEASURES + m];
        const int64_t there = rank_sample_sort(column, b->n_boot);
        e->value = point[m];
        e->low = isnan(point[m]) ? NAN : rank_sample_quantile(column, there, 0.05);
        e->high = isnan(point[m]) ? NAN : rank_sample_quantile(column, there, 0.95);
    }
done:
    nep_alloc_free(column);
    free_sorted(&s);
    return st;
}

/* Macro mean of measure m in one draw, over the drawn disorders where it exists. */
static double macro_of(const rank_bootstrap *b, const double *draw, const nep_performance *disorders, int64_t i, int m)
{
    double sum = 0, weight = 0;
    for (int64_t j = 0; j < b->n_disorders; j++) {
        const double x = draw[(i * b->n_disorders + j) * MEASURES + m];
        nep_performance p = disorders[j];
        if (isnan(x) || isnan(estimate_of(&p, m)->value))
            continue;
        sum += b->disorders[i * b->n_disorders + j] * x;
        weight += b->disorders[i * b->n_disorders + j];
    }
    return weight > 0 ? sum / weight : NAN;
}

static void t_interval(const nep_performance *disorders, int64_t n, int m, nep_estimate *e)
{
    double sum = 0, squares = 0;
    int64_t k = 0;
    for (int64_t j = 0; j < n; j++) {
        nep_performance p = disorders[j];
        const double x = estimate_of(&p, m)->value;
        if (isnan(x))
            continue;
        sum += x;
        squares += x * x;
        k++;
    }
    e->n = k;
    e->value = k ? sum / (double)k : NAN;
    e->t_low = e->t_high = NAN;
    if (k < 2)
        return;
    const double var = (squares - sum * sum / (double)k) / (double)(k - 1);
    const double half = rank_t95((int)k - 1) * sqrt((var > 0 ? var : 0) / (double)k);
    e->t_low = e->value - half;
    e->t_high = e->value + half;
}

nep_status rank_bootstrap_measure(nep_ctx *ctx, const rank_bootstrap *b, const double *score, const rank_negatives *set,
                                  nep_performance *disorders, nep_performance *macro,
                                  const rank_bootstrap_draws *draws)
{
    double *draw = NULL, *column = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, b->n_boot * b->n_disorders * MEASURES, sizeof *draw, "bootstrap: draws", &draw));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, b->n_boot, sizeof *column, "bootstrap: macro draws", &column));
    *macro = (nep_performance){.prevalence = NAN, .null_low = NAN, .null_high = NAN, .null_p = NAN, .null_p_family = {NAN, NAN}};
    for (int64_t j = 0; j < b->n_disorders; j++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, measure_disorder(ctx, b, j, score + j * b->n_drugs, set, &disorders[j], draw));
        macro->n_pos += disorders[j].n_pos;
        macro->n_neg += disorders[j].n_neg;
        macro->n_failed += disorders[j].n_failed;
    }
    if (macro->n_pos + macro->n_neg)
        macro->prevalence = (double)macro->n_pos / (double)(macro->n_pos + macro->n_neg);
    for (int m = 0; m < MEASURES; m++) {
        nep_estimate *e = estimate_of(macro, m);
        t_interval(disorders, b->n_disorders, m, e);
        for (int64_t i = 0; i < b->n_boot; i++)
            column[i] = macro_of(b, draw, disorders, i, m);
        double *kept = !draws ? NULL : m == NEP_METRICS_AP ? draws->ap : m == NEP_METRICS_AUROC ? draws->auroc : m == VERSUS_POPULARITY ? draws->matched : NULL;
        if (kept)
            memcpy(kept, column, (size_t)b->n_boot * sizeof *column);
        const int64_t there = rank_sample_sort(column, b->n_boot);
        e->low = rank_sample_quantile(column, there, 0.05);
        e->high = rank_sample_quantile(column, there, 0.95);
    }
done:
    nep_alloc_free(column);
    nep_alloc_free(draw);
    return st;
}
