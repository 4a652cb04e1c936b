/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_solve.c - many fits of the hierarchical model in step: the backend sums over rows, the host solves the small systems. */
#include "rank/hierarchical.h"

#include <nepenthe/backend.h>
#include <nepenthe/math/logit.h>

#include <string.h>

typedef struct {
    double *at, *sums;       /* [n, groups, width], [n, groups, size] of the fits that have not ended */
    int32_t *wanted, *times; /* [n, groups], [n, units] */
    int64_t *fit;            /* [n] which they are */
    int32_t *zero;           /* [rows] the unit of every row where none is given */
} turn;

static nep_status open_turn(nep_ctx *ctx, const rank_hierarchical_design *d, int64_t n, int64_t units, turn *t)
{
    NEP_TRY(nep_alloc(ctx, n * d->groups * d->width, sizeof *t->at, "fits: coefficients", &t->at));
    NEP_TRY(nep_alloc(ctx, n * d->groups * nep_logit_size(d->width), sizeof *t->sums, "fits: sums", &t->sums));
    NEP_TRY(nep_alloc(ctx, n * d->groups, sizeof *t->wanted, "fits: groups", &t->wanted));
    NEP_TRY(nep_alloc(ctx, n * units, sizeof *t->times, "fits: draws", &t->times));
    return nep_alloc(ctx, n, sizeof *t->fit, "fits", &t->fit);
}

static void close_turn(turn *t)
{
    nep_alloc_free(t->at);
    nep_alloc_free(t->sums);
    nep_alloc_free(t->wanted);
    nep_alloc_free(t->times);
    nep_alloc_free(t->fit);
    nep_alloc_free(t->zero);
}

nep_status rank_hierarchical_solve(nep_ctx *ctx, rank_hierarchical_work *fits, int64_t n, const int32_t *unit, int64_t units,
                                   const int32_t *times, const nep_hierarchical_opts *o)
{
    const rank_hierarchical_design *d = fits[0].d;
    const int64_t size = d->groups * nep_logit_size(d->width);
    const int32_t once = 1;
    turn t = {0};
    nep_status st;

    NEP_TRY_OR_DONE(st, open_turn(ctx, d, n, units, &t));
    if (!unit)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *t.zero, "fits: units", &t.zero));
    for (int64_t b = 0; b < n; b++)
        rank_hierarchical_begin(fits + b);
    for (;;) {
        int64_t open = 0;
        for (int64_t b = 0; b < n; b++) {
            if (rank_hierarchical_ended(fits + b))
                continue;
            rank_hierarchical_ask(fits + b, t.at + open * d->groups * d->width, t.wanted + open * d->groups);
            memcpy(t.times + open * units, unit ? times + b * units : &once, (size_t)units * sizeof *times);
            t.fit[open++] = b;
        }
        if (open == 0)
            break;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, nep_backend_logit_sums(ctx, d->f, d->y, d->w, unit ? unit : t.zero, d->start, d->groups, d->width, t.times, units, t.wanted, t.at,
                                                   open, t.sums));
#pragma omp parallel for num_threads(nep_ctx_threads(ctx)) schedule(dynamic) if (open > 1)
        for (int64_t i = 0; i < open; i++)
            rank_hierarchical_tell(fits + t.fit[i], t.sums + i * size, o->most_steps, o->tolerance);
    }
done:
    close_turn(&t);
    return st;
}
