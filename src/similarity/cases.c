/* SPDX-License-Identifier: Apache-2.0 */
/* cases - which subjects and features can be compared, and what is fitted on some subjects to be applied to others. */
#include <nepenthe/cases.h>

#include <math.h>

#include "similarity/cases_parts.h"

/* ---- screening ---- */

static bool anyone_has(const float *x, int64_t n, int64_t p, int64_t f)
{
    for (int64_t i = 0; i < n; i++)
        if (!isnan(x[i * p + f]))
            return true;
    return false;
}

static nep_cases_reason judge_feature(const float *x, int64_t n, int64_t p, int64_t f, const bool *keep)
{
    bool constant = true;
    int64_t first = -1;
    for (int64_t i = 0; i < n; i++) {
        if (!keep[i])
            continue;
        if (isnan(x[i * p + f]))
            return NEP_CASES_MISSING;
        first = first < 0 ? i : first;
        constant = constant && x[i * p + f] == x[first * p + f];
    }
    return constant ? NEP_CASES_CONSTANT : NEP_CASES_KEPT;
}

nep_status nep_cases_screen(nep_ctx *ctx, const float *x, int64_t n, int64_t p, double most, bool *keep, nep_cases_reason *reason)
{
    bool *known = NULL;
    int64_t n_known = 0, n_keep = 0, p_keep = 0;
    nep_status st = NEP_OK;
    NEP_REQUIRE(ctx, n >= 1 && p >= 1 && most >= 0 && most <= 1, NEP_E_ARG,
                "nearest cases: there must be a subject and a feature, and the share of missing values lie in 0 to 1");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p, sizeof *known, "nearest cases: features", &known));
    for (int64_t f = 0; f < p; f++) {
        known[f] = anyone_has(x, n, p, f);
        n_known += known[f];
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t missing = 0;
        for (int64_t f = 0; f < p; f++)
            missing += known[f] && isnan(x[i * p + f]);
        keep[i] = (double)missing <= most * (double)n_known && missing < n_known;
        n_keep += keep[i];
    }
    NEP_REQUIRE_OR_DONE(st, ctx, n_keep >= 3, NEP_E_FORMAT,
                        "nearest cases: %lld of %lld subjects have values for at least %g %% of the features, and at least 3 are needed",
                        (long long)n_keep, (long long)n, 100 * (1 - most));
    for (int64_t f = 0; f < p; f++) {
        reason[f] = judge_feature(x, n, p, f, keep);
        p_keep += reason[f] == NEP_CASES_KEPT;
    }
    NEP_REQUIRE_OR_DONE(st, ctx, p_keep > 0, NEP_E_FORMAT,
                        "nearest cases: every one of the %lld features is missing in some subject or the same in all", (long long)p);
done:
    nep_alloc_free(known);
    return st;
}

/* ---- the confounds' orthonormal basis ---- */

static const double dependent = 1e-8; /* of a confound's length: what is left of a combination of others */

static double dot(const double *a, const double *b, int64_t n)
{
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

nep_status nep_cases_basis(nep_ctx *ctx, const nep_cases_data *d, const bool *use, const bool *off, double *q, double *basis, int64_t *rank)
{
    const int64_t wide = 1 + d->n_confounds;
    double *v = NULL, *t = NULL;
    int64_t r = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *v, "nearest cases: a confound", &v));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, wide, sizeof *t, "nearest cases: a confound", &t));
    for (int64_t c = 0; c < wide; c++) {
        if (c > 0 && off && off[c - 1])
            continue;
        for (int64_t i = 0; i < d->n; i++)
            v[i] = use && !use[i] ? 0 : c == 0 ? 1 : d->confound[i * d->n_confounds + c - 1];
        for (int64_t m = 0; m < wide; m++)
            t[m] = m == c;
        const double length = sqrt(dot(v, v, d->n));
        for (int pass = 0; pass < 2; pass++)
            for (int64_t k = 0; k < r; k++) {
                const double s = dot(q + k * d->n, v, d->n);
                for (int64_t i = 0; i < d->n; i++)
                    v[i] -= s * q[k * d->n + i];
                for (int64_t m = 0; m < wide; m++)
                    t[m] -= s * basis[k * wide + m];
            }
        const double left = sqrt(dot(v, v, d->n));
        if (!(left > dependent * length))
            continue;
        for (int64_t i = 0; i < d->n; i++)
            q[r * d->n + i] = v[i] / left;
        for (int64_t m = 0; m < wide; m++)
            basis[r * wide + m] = t[m] / left;
        r++;
    }
    *rank = r;
done:
    nep_alloc_free(t);
    nep_alloc_free(v);
    return st;
}

/* ---- fitting ---- */

void nep_cases_model_free(nep_cases_model *m)
{
    nep_alloc_free(m->basis);
    nep_alloc_free(m->coef);
    nep_alloc_free(m->sd);
    *m = (nep_cases_model){0};
}

enum { BLOCK = 64 }; /* features at a time: a row's piece is a few cache lines */

/* Coefficients and scales of features from .. from + m - 1. What rounding leaves of a feature that the confounds explain whole counts
 * as 0. */
static void fit_features(const nep_cases_data *d, const bool *use, const double *q, int64_t from, int64_t m, nep_cases_model *out)
{
    const double rounding = 1e-12;
    double all[BLOCK] = {0}, rss[BLOCK] = {0}, r[BLOCK];
    for (int64_t k = 0; k < out->rank; k++) {
        double *coef = out->coef + k * d->p + from;
        for (int64_t i = 0; i < d->n; i++)
            for (int64_t f = 0; f < m; f++)
                coef[f] += q[k * d->n + i] * (double)d->x[i * d->p + from + f];
    }
    for (int64_t i = 0; i < d->n; i++) {
        if (use && !use[i])
            continue;
        for (int64_t f = 0; f < m; f++) {
            r[f] = (double)d->x[i * d->p + from + f];
            all[f] += r[f] * r[f];
        }
        for (int64_t k = 0; k < out->rank; k++)
            for (int64_t f = 0; f < m; f++)
                r[f] -= q[k * d->n + i] * out->coef[k * d->p + from + f];
        for (int64_t f = 0; f < m; f++)
            rss[f] += r[f] * r[f];
    }
    for (int64_t f = 0; f < m; f++)
        out->sd[from + f] = rss[f] > rounding * all[f] ? sqrt(rss[f] / (double)out->n) : 0;
}

nep_status nep_cases_fit(nep_ctx *ctx, const nep_cases_data *d, const bool *use, const bool *off, nep_cases_model *out)
{
    nep_cases_model m = {.p = d->p, .n_confounds = d->n_confounds};
    const int64_t wide = 1 + d->n_confounds;
    double *q = NULL;
    nep_status st;
    for (int64_t i = 0; i < d->n; i++)
        m.n += !use || use[i];
    NEP_REQUIRE(ctx, m.n >= 1 + wide, NEP_E_ARG, "nearest cases: %lld subjects cannot carry %lld confounds; leave some out",
                (long long)m.n, (long long)d->n_confounds);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, wide * d->n, sizeof *q, "nearest cases: confounds", &q));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, wide * wide, sizeof *m.basis, "nearest cases: confounds", &m.basis));
    NEP_TRY_OR_DONE(st, nep_cases_basis(ctx, d, use, off, q, m.basis, &m.rank));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m.rank * d->p, sizeof *m.coef, "nearest cases: coefficients", &m.coef));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->p, sizeof *m.sd, "nearest cases: scales", &m.sd));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t from = 0; from < d->p; from += BLOCK)
        fit_features(d, use, q, from, d->p - from < BLOCK ? d->p - from : BLOCK, &m);
    *out = m;
    m = (nep_cases_model){0};
done:
    nep_alloc_free(q);
    nep_cases_model_free(&m);
    return st;
}

void nep_cases_apply(const nep_cases_model *model, const float *x, const double *confound, int64_t m, double *z)
{
    const int64_t wide = 1 + model->n_confounds, p = model->p;
    for (int64_t i = 0; i < m; i++)
        for (int64_t f = 0; f < p; f++)
            z[i * p + f] = (double)x[i * p + f];
    for (int64_t i = 0; i < m; i++) {
        for (int64_t k = 0; k < model->rank; k++) {
            double at = model->basis[k * wide];
            for (int64_t c = 1; c < wide; c++)
                at += model->basis[k * wide + c] * confound[i * model->n_confounds + c - 1];
            for (int64_t f = 0; f < p; f++)
                z[i * p + f] -= at * model->coef[k * p + f];
        }
        for (int64_t f = 0; f < p; f++)
            z[i * p + f] = isnan(x[i * p + f]) ? (double)NAN : model->sd[f] > 0 ? z[i * p + f] / model->sd[f] : 0;
    }
}
