/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_predict.c - the logit of a pair as a sum of shares, its SD, and the probability they come to. */
#include "rank/hierarchical.h"

#include <math.h>

/* The integrand is smooth in a strip of half-width pi / sd, and a normal density beside it: the trapezoidal rule errs by about
 * exp(-2 pi^2 / (h sd)) + exp(-2 pi^2 / h^2). */
double nep_hierarchical_probability(double mean, double sd)
{
    static const double reach = 8.5;
    if (isnan(mean) || isnan(sd))
        return NAN;
    const double h = fmin(0.5, 0.6 / fmax(sd, 1e-300));
    const int n = (int)ceil(reach / h);
    double sum = 0, mass = 0;
    for (int i = -n; i <= n; i++) {
        const double t = i * h, density = exp(-0.5 * t * t), z = mean + sd * t, e = exp(-fabs(z));
        mass += density;
        sum += density * (z >= 0 ? 1 / (1 + e) : e / (1 + e));
    }
    return sum / mass;
}

/* Shares of one row from an intercept, the globals and the group effects (NULL = none). */
static void shares(const nep_hierarchical *h, double intercept, const double *global, const double *effects, const double *x,
                   const double *nuisance, double *share)
{
    const int C = h->channels;
    share[0] = intercept;
    for (int c = 0; c < C; c++) {
        const double slope = h->state[c] == NEP_HIERARCHICAL_USED ? global[c] + (effects ? effects[c] : 0) : 0;
        share[1 + c] = isnan(x[c]) ? global[C + c] : slope * x[c];
    }
    for (int q = 0; q < h->nuisances; q++)
        share[1 + C + q] = global[2 * C + q] * nuisance[q];
}

static double total(const double *share, int n)
{
    double sum = 0;
    for (int a = 0; a < n; a++)
        sum += share[a];
    return sum;
}

/* u [n_local], v [n_global]: what a row multiplies the group's parameters and the globals by. */
static void layout(const nep_hierarchical *h, const double *x, const double *nuisance, double *u, double *v)
{
    const int C = h->channels;
    u[0] = 1;
    for (int c = 0; c < C; c++) {
        u[1 + c] = v[c] = isnan(x[c]) || h->state[c] != NEP_HIERARCHICAL_USED ? 0 : x[c];
        v[C + c] = isnan(x[c]) ? 1 : 0;
    }
    for (int q = 0; q < h->nuisances; q++)
        v[2 * C + q] = nuisance[q];
}

static double quadratic(const double *a, const double *v, int n)
{
    double sum = 0;
    for (int r = 0; r < n; r++) {
        double dot = 0;
        for (int c = 0; c < n; c++)
            dot += a[r * n + c] * v[c];
        sum += v[r] * dot;
    }
    return sum;
}

/* Variance of u' local + v' global. With Hessian blocks A (group), B (cross) and Schur complement S of the globals it is
 * u' A^-1 u + (v - B' A^-1 u)' S^-1 (v - B' A^-1 u). */
static double variance(const nep_hierarchical *h, int64_t group, const double *u, double *v)
{
    const int L = h->n_local, G = h->n_global;
    double sum = 0;
    if (group < 0) {
        sum = h->alpha_sd * h->alpha_sd;
        for (int c = 0; c < h->channels; c++)
            sum += u[1 + c] * u[1 + c] * h->sigma[c] * h->sigma[c];
        return sum + quadratic(h->covariance, v, G);
    }
    const double *cross = h->local_cross + group * L * G;
    for (int g = 0; g < G; g++)
        for (int a = 0; a < L; a++)
            v[g] -= cross[a * G + g] * u[a];
    return quadratic(h->local_inverse + group * L * L, u, L) + quadratic(h->covariance, v, G);
}

static nep_status check(nep_ctx *ctx, const nep_hierarchical *h, const double *x, const double *nuisance, int64_t n, int64_t group,
                        double prior)
{
    NEP_REQUIRE(ctx, h && x && (nuisance || h->nuisances == 0) && n >= 0, NEP_E_ARG, "hierarchical predict: an array is NULL, or n < 0");
    NEP_REQUIRE(ctx, group >= -1 && group < h->groups, NEP_E_ARG, "hierarchical predict: group %lld of %lld (-1 = a new one)",
                (long long)group, (long long)h->groups);
    NEP_REQUIRE(ctx, group >= 0 || (prior > 0 && prior < 1), NEP_E_ARG, "hierarchical predict: prior %g must lie in (0, 1)", prior);
    for (int64_t i = 0; i < n * h->nuisances; i++)
        NEP_REQUIRE(ctx, isfinite(nuisance[i]), NEP_E_ARG, "hierarchical predict: a nuisance of row %lld is not finite",
                    (long long)(i / h->nuisances));
    for (int64_t i = 0; i < n * h->channels; i++)
        NEP_REQUIRE(ctx, !isinf(x[i]), NEP_E_ARG, "hierarchical predict: a channel of row %lld is infinite", (long long)(i / h->channels));
    return NEP_OK;
}

nep_status nep_hierarchical_predict(nep_ctx *ctx, const nep_hierarchical *h, const double *x, const double *nuisance, int64_t n,
                                    int64_t group, double prior, double *share, double *logit, double *sd, double *p)
{
    double *u = NULL, *v = NULL, *one = NULL;
    nep_status st;
    NEP_TRY(check(ctx, h, x, nuisance, n, group, prior));
    const int parts = 1 + h->channels + h->nuisances;
    const double intercept = group >= 0 ? h->local[group * h->n_local] : log(prior / (1 - prior));
    const double *effects = group >= 0 ? h->local + group * h->n_local + 1 : NULL;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, h->n_local, sizeof *u, "hierarchical predict", &u));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, h->n_global, sizeof *v, "hierarchical predict", &v));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, parts, sizeof *one, "hierarchical predict", &one));
    for (int64_t i = 0; i < n; i++) {
        const double *xi = x + i * h->channels, *zi = h->nuisances ? nuisance + i * h->nuisances : NULL;
        shares(h, intercept, h->global, effects, xi, zi, one);
        const double mean = total(one, parts);
        for (int a = 0; share && a < parts; a++)
            share[i * parts + a] = one[a];
        if (logit)
            logit[i] = mean;
        if (!sd && !p)
            continue;
        layout(h, xi, zi, u, v);
        const double spread = sqrt(fmax(0, variance(h, group, u, v)));
        if (sd)
            sd[i] = spread;
        if (p)
            p[i] = nep_hierarchical_probability(mean, spread);
    }
done:
    nep_alloc_free(one);
    nep_alloc_free(v);
    nep_alloc_free(u);
    return st;
}

double nep_hierarchical_draw_logit(const nep_hierarchical *fit, const nep_hierarchical_draws *d, int64_t b, const double *x,
                                   const double *nuisance, int64_t group, double prior, const uint64_t *seed)
{
    const int C = fit->channels;
    const double *global = d->global + b * d->n_global, *own = group < 0 ? NULL : d->local + (b * d->groups + group) * d->n_local;
    const bool drawn = own && !isnan(own[0]);
    double sum = drawn ? own[0] : group < 0 ? log(prior / (1 - prior)) : fit->prior_logit[group];
    if (!drawn && seed)
        sum += fit->alpha_sd * nep_philox_normal(*seed, (uint64_t)b, 0);
    for (int c = 0; c < C; c++) {
        const double effect = drawn ? own[1 + c] : seed ? fit->sigma[c] * nep_philox_normal(*seed, (uint64_t)b, 1 + (uint64_t)c) : 0;
        const double slope = fit->state[c] == NEP_HIERARCHICAL_USED ? global[c] + effect : 0;
        sum += isnan(x[c]) ? global[C + c] : slope * x[c];
    }
    for (int q = 0; q < fit->nuisances; q++)
        sum += global[2 * C + q] * nuisance[q];
    return sum;
}
