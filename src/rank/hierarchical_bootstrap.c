/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_bootstrap.c - refits of the hierarchical model under resampled groups and units, side by side. */
#include "rank/hierarchical.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* One refit's start and what is kept of its end. */
static void begin(rank_hierarchical_work *k, const nep_hierarchical *fit, const int32_t *group_weight)
{
    memcpy(k->global, fit->global, (size_t)fit->n_global * sizeof *k->global);
    memcpy(k->local, fit->local, (size_t)(fit->groups * fit->n_local) * sizeof *k->local);
    k->multiplicity = group_weight;
}

static void keep(const rank_hierarchical_work *k, double *global, double *local, int32_t *steps)
{
    const rank_hierarchical_design *d = k->d;
    *steps = k->phase == RANK_HIERARCHICAL_DONE && k->converged ? k->steps : -k->steps;
    memcpy(global, k->global, (size_t)d->n_global * sizeof *global);
    for (int64_t i = 0; i < d->groups * d->n_local; i++)
        local[i] = k->multiplicity[i / d->n_local] > 0 ? k->local[i] : NAN;
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

enum { SIDE_BY_SIDE = 64 }; /* refits in step, so that a device has enough to do; between two blocks an interruption is looked for */

/* Units of the packed rows. */
static nep_status place_units(nep_ctx *ctx, const rank_hierarchical_design *d, const int32_t *unit, int32_t **out)
{
    NEP_TRY(nep_alloc(ctx, d->n, sizeof **out, "bootstrap: units", out));
    for (int64_t i = 0; i < d->n; i++)
        (*out)[i] = unit[d->row[i]];
    return NEP_OK;
}

static nep_status run(nep_ctx *ctx, rank_hierarchical_work *fits, const nep_hierarchical *fit, const nep_hierarchical_opts *o,
                      const int32_t *unit, int64_t units, const int32_t *unit_weight, const int32_t *group_weight,
                      nep_hierarchical_draws *out)
{
    const int64_t own = fit->groups * fit->n_local;
    nep_status st = NEP_OK;
    nep_progress_open(ctx, "bootstrap refits", out->n_boot);
    for (int64_t from = 0; from < out->n_boot; from += SIDE_BY_SIDE) {
        const int64_t n = out->n_boot - from < SIDE_BY_SIDE ? out->n_boot - from : SIDE_BY_SIDE;
        for (int64_t b = 0; b < n; b++)
            begin(fits + b, fit, group_weight + (from + b) * fit->groups);
        NEP_TRY_OR_DONE(st, rank_hierarchical_solve(ctx, fits, n, unit, units, unit_weight + from * units, o));
        for (int64_t b = 0; b < n; b++)
            keep(fits + b, out->global + (from + b) * fit->n_global, out->local + (from + b) * own, out->steps + from + b);
        nep_progress_step(ctx, from + n);
    }
done:
    nep_progress_close(ctx);
    return st;
}

nep_status nep_hierarchical_bootstrap(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *opts,
                                      const nep_hierarchical *fit, const int32_t *unit, int64_t units, int64_t n_boot,
                                      const int32_t *unit_weight, const int32_t *group_weight, nep_hierarchical_draws *out)
{
    const nep_hierarchical_opts defaults = NEP_HIERARCHICAL_DEFAULTS, *o = opts ? opts : &defaults;
    const int64_t side = n_boot < SIDE_BY_SIDE ? n_boot : SIDE_BY_SIDE;
    rank_hierarchical_design whole = {0};
    rank_hierarchical_prior p = {0};
    nep_hierarchical_draws draws = {0};
    rank_hierarchical_work *fits = NULL;
    int32_t *placed = NULL;
    nep_status st;

    NEP_TRY(check(ctx, data, fit, unit, units, n_boot, unit_weight, group_weight));
    openblas_set_num_threads(1); /* more threads would change the bits */
    NEP_TRY_OR_DONE(st, rank_hierarchical_pack(ctx, data, o, &whole));
    NEP_TRY_OR_DONE(st, rank_hierarchical_prior_open(ctx, &whole, data->prior, o, &p));
    rank_hierarchical_prior_sigma(&p, fit->sigma, fit->channels);
    NEP_TRY_OR_DONE(st, open_draws(ctx, fit, n_boot, &draws));
    NEP_TRY_OR_DONE(st, place_units(ctx, &whole, unit, &placed));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, side, sizeof *fits, "bootstrap: refits", &fits));
    for (int64_t b = 0; b < side; b++)
        NEP_TRY_OR_DONE(st, rank_hierarchical_work_open(ctx, &whole, &p, fits + b));
    NEP_TRY_OR_DONE(st, run(ctx, fits, fit, o, placed, units, unit_weight, group_weight, &draws));
    *out = draws;
    draws = (nep_hierarchical_draws){0};
done:
    for (int64_t b = 0; fits && b < side; b++)
        rank_hierarchical_work_free(fits + b);
    nep_alloc_free(fits);
    nep_alloc_free(placed);
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
