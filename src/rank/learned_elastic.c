/* SPDX-License-Identifier: Apache-2.0 */
/* learned_elastic.c - the same rows by elastic net, the comparator without a hierarchy. */
#include "rank/learned.h"
#include "rank/ranking.h"

#include <math.h>
#include <string.h>

enum { FOLDS = 3, LAMBDAS = 30 };

/* Fold of a disorder that teaches: dealt in the order of ids, so that the order in which a study lists them decides nothing. */
static int32_t fold_of(const rank_learned_rows *r, int64_t t)
{
    char *const *id = r->in->disorder_ids;
    int64_t before = 0;
    for (int64_t i = 0; i < r->taught; i++)
        before += strcmp(id[r->disorder[i]], id[r->disorder[t]]) < 0;
    return (int32_t)(before % FOLDS);
}

nep_status rank_learned_elastic(nep_ctx *ctx, const rank_learned_rows *r, int64_t held_out, const double *x, double *logit)
{
    const int64_t rows = r->taught * r->n;
    const nep_elastic_net_opts opts = {.alpha = 0.2, .most_lambda = LAMBDAS, .tolerance = 1e-8};
    double *known = NULL;
    signed char *y = NULL;
    int32_t *fold = NULL;
    bool oriented[RANK_MAX_VOTES];
    nep_elastic_net *net = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, r->votes <= RANK_MAX_VOTES, NEP_E_INTERNAL, "elastic net: %d channels", r->votes);
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, r->x, rows * r->votes, sizeof(double), "elastic net: channels", &known));
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, r->y, rows, 1, "elastic net: labels", &y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *fold, "elastic net: folds", &fold));
    for (int64_t i = 0; i < rows * r->votes; i++)
        if (isnan(known[i]))
            known[i] = 0;
    for (int64_t row = 0; row < rows; row++) {
        fold[row] = row % r->n ? fold[row - 1] : fold_of(r, row / r->n);
        if (r->disorder[row / r->n] == held_out)
            y[row] = -1;
    }
    for (int c = 0; c < r->votes; c++)
        oriented[c] = true;
    const nep_elastic_net_data data = {.n = rows, .features = r->votes, .x = known, .y = y, .non_negative = oriented, .fold = fold, .folds = FOLDS};
    NEP_TRY_OR_DONE(st, nep_elastic_net_fit(ctx, &data, &opts, &net));
    for (int64_t k = 0; k < r->n; k++) {
        double row[RANK_MAX_VOTES];
        for (int c = 0; c < r->votes; c++)
            row[c] = isnan(x[k * r->votes + c]) ? 0 : x[k * r->votes + c];
        logit[k] = nep_elastic_net_logit(net, net->one_se, row);
    }
done:
    nep_elastic_net_free(net);
    nep_alloc_free(fold);
    nep_alloc_free(y);
    nep_alloc_free(known);
    return st;
}
