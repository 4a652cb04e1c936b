/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_bootstrap.c - refits of the hierarchical model under resampled groups and units, side by side. */
#include "rank/hierarchical.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <string.h>

/* What one thread works with: the rows of a draw, gathered, and the fit's place in them. */
typedef struct {
    rank_hierarchical_design d;
    rank_hierarchical_work k;
} bench;

static nep_status open_bench(nep_ctx *ctx, const rank_hierarchical_design *whole, const rank_hierarchical_prior *p, bench *b)
{
    b->d = *whole; /* what no draw changes is lent */
    b->d.start = NULL;
    b->d.f = b->d.y = b->d.w = NULL;
    NEP_TRY(nep_alloc(ctx, whole->groups + 1, sizeof *b->d.start, "bootstrap: groups", &b->d.start));
    NEP_TRY(nep_alloc(ctx, whole->n, sizeof *b->d.y, "bootstrap: rows", &b->d.y));
    NEP_TRY(nep_alloc(ctx, whole->n, sizeof *b->d.w, "bootstrap: rows", &b->d.w));
    NEP_TRY(nep_alloc(ctx, whole->n * whole->width, sizeof *b->d.f, "bootstrap: rows", &b->d.f));
    return rank_hierarchical_work_open(ctx, &b->d, p, &b->k);
}

static void free_bench(bench *b)
{
    rank_hierarchical_work_free(&b->k);
    nep_alloc_free(b->d.start);
    nep_alloc_free(b->d.y);
    nep_alloc_free(b->d.w);
    nep_alloc_free(b->d.f);
}

/* The rows that a draw holds. */
static void gather(const rank_hierarchical_design *whole, const int32_t *unit, const int32_t *unit_weight, const int32_t *group_weight,
                   rank_hierarchical_design *d)
{
    const int W = whole->width;
    int64_t n = 0;
    for (int64_t j = 0; j < whole->groups; j++) {
        d->start[j] = n;
        for (int64_t i = whole->start[j]; group_weight[j] > 0 && i < whole->start[j + 1]; i++) {
            const int32_t times = unit_weight[unit[whole->row[i]]];
            if (times == 0)
                continue;
            memcpy(d->f + n * W, whole->f + i * W, (size_t)W * sizeof *d->f);
            d->y[n] = whole->y[i];
            d->w[n] = whole->w[i] * times;
            n++;
        }
    }
    d->start[whole->groups] = n;
    d->n = n;
}

static void refit(bench *b, const rank_hierarchical_design *whole, const nep_hierarchical *fit, const nep_hierarchical_opts *o,
                  const int32_t *unit, const int32_t *unit_weight, const int32_t *group_weight, double *global, double *local, int32_t *steps)
{
    rank_hierarchical_work *k = &b->k;
    const size_t L = (size_t)whole->n_local;
    gather(whole, unit, unit_weight, group_weight, &b->d);
    memcpy(k->global, fit->global, (size_t)whole->n_global * sizeof *k->global);
    memcpy(k->local, fit->local, (size_t)whole->groups * L * sizeof *k->local);
    k->multiplicity = group_weight;
    k->steps = 0;
    const bool solved = rank_hierarchical_solve(k, o->most_steps, o->tolerance);
    *steps = solved && k->converged ? k->steps : -k->steps;
    memcpy(global, k->global, (size_t)whole->n_global * sizeof *global);
    for (int64_t j = 0; j < whole->groups; j++)
        for (size_t a = 0; a < L; a++)
            local[(size_t)j * L + a] = group_weight[j] > 0 ? k->local[(size_t)j * L + a] : NAN;
}

static nep_status check(nep_ctx *ctx, const nep_hierarchical_data *a, const nep_hierarchical *fit, const int32_t *unit, int64_t units,
                        int64_t n_boot, const int32_t *unit_weight, const int32_t *group_weight)
{
    NEP_REQUIRE(ctx, a && fit && unit && unit_weight && group_weight, NEP_E_ARG, "hierarchical bootstrap: an array is NULL");
    NEP_REQUIRE(ctx, units >= 1 && n_boot >= 1, NEP_E_ARG, "hierarchical bootstrap: %lld units, %lld refits: at least one of each",
                (long long)units, (long long)n_boot);
    NEP_REQUIRE(ctx, a->groups == fit->groups && a->channels == fit->channels && a->nuisances == fit->nuisances, NEP_E_SHAPE,
                "hierarchical bootstrap: the fit is of %lld groups, %d channels, %d nuisances, the data of %lld, %d, %d",
                (long long)fit->groups, fit->channels, fit->nuisances, (long long)a->groups, a->channels, a->nuisances);
    for (int64_t i = 0; i < a->n; i++)
        NEP_REQUIRE(ctx, unit[i] >= 0 && unit[i] < units, NEP_E_ARG, "hierarchical bootstrap: row %lld has unit %d of %lld", (long long)i,
                    unit[i], (long long)units);
    for (int64_t i = 0; i < n_boot * units; i++)
        NEP_REQUIRE(ctx, unit_weight[i] >= 0, NEP_E_ARG, "hierarchical bootstrap: a unit's weight is %d", unit_weight[i]);
    for (int64_t i = 0; i < n_boot * a->groups; i++)
        NEP_REQUIRE(ctx, group_weight[i] >= 0, NEP_E_ARG, "hierarchical bootstrap: a group's weight is %d", group_weight[i]);
    return NEP_OK;
}

static nep_status open_draws(nep_ctx *ctx, const nep_hierarchical *fit, int64_t n_boot, nep_hierarchical_draws *out)
{
    *out = (nep_hierarchical_draws){.n_boot = n_boot, .groups = fit->groups, .n_local = fit->n_local, .n_global = fit->n_global};
    NEP_TRY(nep_alloc(ctx, n_boot * fit->n_global, sizeof *out->global, "bootstrap: draws", &out->global));
    NEP_TRY(nep_alloc(ctx, n_boot * fit->groups * fit->n_local, sizeof *out->local, "bootstrap: draws", &out->local));
    return nep_alloc(ctx, n_boot, sizeof *out->steps, "bootstrap: draws", &out->steps);
}

enum { BLOCK = 32 }; /* refits between two looks at an interruption */

static nep_status run(nep_ctx *ctx, bench *benches, int threads, const rank_hierarchical_design *whole, const nep_hierarchical *fit,
                      const nep_hierarchical_opts *o, const int32_t *unit, int64_t units, const int32_t *unit_weight,
                      const int32_t *group_weight, nep_hierarchical_draws *out)
{
    const int64_t own = fit->groups * fit->n_local;
    nep_status st = NEP_OK;
    nep_progress_open(ctx, "bootstrap refits", out->n_boot);
    for (int64_t from = 0; from < out->n_boot && st == NEP_OK; from += BLOCK) {
        const int64_t to = from + BLOCK < out->n_boot ? from + BLOCK : out->n_boot;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (int64_t b = from; b < to; b++)
            refit(benches + omp_get_thread_num(), whole, fit, o, unit, unit_weight + b * units, group_weight + b * fit->groups,
                  out->global + b * fit->n_global, out->local + b * own, out->steps + b);
        nep_progress_step(ctx, to);
        st = nep_ctx_check(ctx);
    }
    nep_progress_close(ctx);
    return st;
}

nep_status nep_hierarchical_bootstrap(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *opts,
                                      const nep_hierarchical *fit, const int32_t *unit, int64_t units, int64_t n_boot,
                                      const int32_t *unit_weight, const int32_t *group_weight, nep_hierarchical_draws *out)
{
    const nep_hierarchical_opts defaults = NEP_HIERARCHICAL_DEFAULTS, *o = opts ? opts : &defaults;
    const int threads = nep_ctx_threads(ctx);
    rank_hierarchical_design whole = {0};
    rank_hierarchical_prior p = {0};
    nep_hierarchical_draws draws = {0};
    bench *benches = NULL;
    nep_status st;

    NEP_TRY(check(ctx, data, fit, unit, units, n_boot, unit_weight, group_weight));
    openblas_set_num_threads(1); /* more threads would change the bits */
    NEP_TRY_OR_DONE(st, rank_hierarchical_pack(ctx, data, o, &whole));
    NEP_TRY_OR_DONE(st, rank_hierarchical_prior_open(ctx, &whole, data->prior, o, &p));
    rank_hierarchical_prior_sigma(&p, fit->sigma, fit->channels);
    NEP_TRY_OR_DONE(st, open_draws(ctx, fit, n_boot, &draws));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads, sizeof *benches, "bootstrap: threads", &benches));
    for (int t = 0; t < threads; t++)
        NEP_TRY_OR_DONE(st, open_bench(ctx, &whole, &p, benches + t));
    NEP_TRY_OR_DONE(st, run(ctx, benches, threads, &whole, fit, o, unit, units, unit_weight, group_weight, &draws));
    *out = draws;
    draws = (nep_hierarchical_draws){0};
done:
    for (int t = 0; benches && t < threads; t++)
        free_bench(benches + t);
    nep_alloc_free(benches);
    nep_hierarchical_draws_free(&draws);
    rank_hierarchical_prior_free(&p);
    rank_hierarchical_design_free(&whole);
    return st;
}

void nep_hierarchical_draws_free(nep_hierarchical_draws *d)
{
    nep_alloc_free(d->global);
    nep_alloc_free(d->local);
    nep_alloc_free(d->steps);
    *d = (nep_hierarchical_draws){0};
}
