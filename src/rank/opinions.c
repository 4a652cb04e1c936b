/* SPDX-License-Identifier: Apache-2.0 */
/* opinions.c - the drugs of one disorder in the order of other ways to fuse the same channels. */
#include "rank/ranking.h"

#include <nepenthe/model.h>

#include <math.h>

const char *nep_opinion_name(nep_opinion o)
{
    static const char *const names[NEP_OPINION_COUNT] = {"mean_normal_score", "rank_aggregation", "elastic_net"};
    return (int)o >= 0 && o < NEP_OPINION_COUNT ? names[o] : "unknown";
}

/* Mid-ranks of score [n], 1 the best, into out; NaN stays. */
static nep_status take_ranks(nep_ctx *ctx, rank_work *w, const double *score, double *out)
{
    const int64_t n = w->in->n_drugs;
    NEP_TRY(nep_metrics_order(ctx, score, n, w->order, w->tie));
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && w->tie[end]; end++)
            ;
        for (int64_t k = i; k < end; k++)
            out[w->order[k]] = isnan(score[w->order[k]]) ? NAN : 0.5 * (double)(i + 1 + end);
    }
    return NEP_OK;
}

nep_status rank_opinions_fill(nep_ctx *ctx, rank_work *w, const double *elastic)
{
    const int64_t n = w->in->n_drugs;
    double *out = NULL, *normalised = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NEP_OPINION_COUNT * n, sizeof *out, "second opinions", &out));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * w->n_votes, sizeof *normalised, "second opinions: ranks", &normalised));
    nep_fuse_mean(w->votes, n, w->n_votes, w->column, w->present);
    NEP_TRY_OR_DONE(st, take_ranks(ctx, w, w->column, out + NEP_OPINION_MEAN * n));
    for (int c = 0; c < w->n_votes; c++) {
        for (int64_t k = 0; k < n; k++)
            w->column[k] = w->votes[k * w->n_votes + c];
        NEP_TRY_OR_DONE(st, nep_aggregation_ranks(ctx, w->column, n, w->column_se));
        for (int64_t k = 0; k < n; k++)
            normalised[k * w->n_votes + c] = w->column_se[k];
    }
    NEP_TRY_OR_DONE(st, nep_aggregation_rho(ctx, normalised, n, w->n_votes, w->column));
    for (int64_t k = 0; k < n; k++)
        w->column[k] = -w->column[k];
    NEP_TRY_OR_DONE(st, take_ranks(ctx, w, w->column, out + NEP_OPINION_AGGREGATION * n));
    for (int64_t k = 0; k < n; k++)
        w->column[k] = elastic && w->present[k] ? elastic[k] : NAN;
    NEP_TRY_OR_DONE(st, take_ranks(ctx, w, w->column, out + NEP_OPINION_ELASTIC * n));
    w->d->opinion = out;
    out = NULL; /* ownership moved to the ranking */
done:
    nep_alloc_free(normalised);
    nep_alloc_free(out);
    return st;
}
