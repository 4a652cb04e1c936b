/* SPDX-License-Identifier: Apache-2.0 */
/* glm_pool - runs taken together as fixed effects, and the t, F and z of each contrast. */
#include "imaging/glm_parts.h"

#include <math.h>
#include <string.h>

#include <lapacke.h>

enum { MOST_ROWS = 64 };

/* Per contrast and column. One run: its effect and covariance. More runs, by precision: sum of W effect and of W = V^-1; by
 * mean: sums of the effects and covariances (t), of V0^-1/2 effect (F, V0 for errors of variance 1). */
struct nep_glm_pool {
    nep_ctx *ctx;
    const nep_glm_contrast *c;
    int64_t n_contrasts, n_cols, rows, pairs;
    nep_glm_fixed fixed;
    int64_t n_runs; /* complete */
    double df;
    double *effect;     /* [rows, n_cols] */
    double *covariance; /* [pairs, n_cols] */
    double *dispersion; /* [n_cols] sum over runs */
};

void nep_glm_pool_free(nep_glm_pool *p)
{
    if (!p)
        return;
    nep_alloc_free(p->effect);
    nep_alloc_free(p->covariance);
    nep_alloc_free(p->dispersion);
    nep_alloc_free(p);
}

nep_status nep_glm_pool_open(nep_ctx *ctx, const nep_glm_contrast *contrasts, int64_t n_contrasts, int64_t n_cols,
                             nep_glm_fixed fixed, nep_glm_pool **out)
{
    nep_glm_pool *p = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *p, "glm: runs", &p));
    *p = (nep_glm_pool){.ctx = ctx, .c = contrasts, .n_contrasts = n_contrasts, .n_cols = n_cols, .fixed = fixed};
    for (int64_t k = 0; k < n_contrasts; k++) {
        NEP_REQUIRE_OR_DONE(st, ctx, contrasts[k].rows <= MOST_ROWS, NEP_E_ARG, "glm: contrast '%s' has %lld rows; %d are the most",
                            contrasts[k].name, (long long)contrasts[k].rows, MOST_ROWS);
        p->rows += contrasts[k].rows;
        p->pairs += contrasts[k].rows * (contrasts[k].rows + 1) / 2;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->rows * n_cols, sizeof *p->effect, "glm: effects", &p->effect));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->pairs * n_cols, sizeof *p->covariance, "glm: variances", &p->covariance));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *p->dispersion, "glm: dispersions", &p->dispersion));
    *out = p;
    p = NULL;
done:
    nep_glm_pool_free(p);
    return st;
}

/* One contrast of one column, out of the rows and pairs that n_cols stand apart. */
typedef struct {
    int64_t q;
    double effect[MOST_ROWS], covariance[MOST_ROWS * MOST_ROWS]; /* lower triangle filled */
} estimate;

static void load(int64_t q, const double *effect, const double *covariance, int64_t stride, estimate *e)
{
    e->q = q;
    for (int64_t i = 0; i < q; i++) {
        e->effect[i] = effect[i * stride];
        for (int64_t j = 0; j <= i; j++)
            e->covariance[i * q + j] = covariance[(i * (i + 1) / 2 + j) * stride];
    }
}

static void store(const estimate *e, double *effect, double *covariance, int64_t stride, bool add)
{
    for (int64_t i = 0; i < e->q; i++) {
        effect[i * stride] = e->effect[i] + (add ? effect[i * stride] : 0);
        for (int64_t j = 0; j <= i; j++) {
            double *at = covariance + (i * (i + 1) / 2 + j) * stride;
            *at = e->covariance[i * e->q + j] + (add ? *at : 0);
        }
    }
}

static void make_missing(estimate *e)
{
    for (int64_t i = 0; i < e->q; i++)
        e->effect[i] = (double)NAN;
    for (int64_t i = 0; i < e->q * e->q; i++)
        e->covariance[i] = (double)NAN;
}

/* (effect, V) to (V^-1 effect, V^-1), which is its own inverse. Without variance there is no weight: n/a. */
static void turn_over(estimate *e)
{
    const int64_t q = e->q;
    double inverse[MOST_ROWS * MOST_ROWS], column[MOST_ROWS];
    if (q == 1) {
        const double v = e->covariance[0];
        e->covariance[0] = v > 0 ? 1 / v : (double)NAN;
        e->effect[0] *= e->covariance[0];
        return;
    }
    if (!nep_glm_cholesky(e->covariance, q)) {
        make_missing(e);
        return;
    }
    for (int64_t j = 0; j < q; j++) {
        for (int64_t i = 0; i < q; i++)
            column[i] = i == j;
        nep_glm_forward(e->covariance, q, column);
        nep_glm_backward(e->covariance, q, column);
        for (int64_t i = 0; i < q; i++)
            inverse[i * q + j] = column[i];
    }
    nep_glm_forward(e->covariance, q, e->effect);
    nep_glm_backward(e->covariance, q, e->effect);
    memcpy(e->covariance, inverse, (size_t)(q * q) * sizeof *inverse);
}

/* effect to V0^-1/2 effect by the symmetric root, V0 = V / dispersion. */
static void whiten(estimate *e, double dispersion)
{
    const int64_t q = e->q;
    double value[MOST_ROWS], along[MOST_ROWS], a[MOST_ROWS * MOST_ROWS];
    for (int64_t i = 0; i < q; i++)
        for (int64_t j = 0; j < q; j++)
            a[i * q + j] = e->covariance[i >= j ? i * q + j : j * q + i] / dispersion;
    if (!(dispersion > 0) || LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)q, a, (lapack_int)q, value) != 0 || !(value[0] > 0)) {
        make_missing(e);
        return;
    }
    for (int64_t k = 0; k < q; k++) {
        along[k] = 0;
        for (int64_t i = 0; i < q; i++)
            along[k] += a[i * q + k] * e->effect[i];
    }
    for (int64_t i = 0; i < q; i++) {
        e->effect[i] = 0;
        for (int64_t k = 0; k < q; k++)
            e->effect[i] += a[i * q + k] * along[k] / sqrt(value[k]);
    }
}

static void add_one(const nep_glm_pool *p, const nep_glm_contrast *c, const nep_glm_fit *f, int64_t row, int64_t pair, int64_t from,
                    int64_t to)
{
    estimate e;
    double *effect = p->effect + row * p->n_cols + to, *covariance = p->covariance + pair * p->n_cols + to;
    load(c->rows, f->effect + row * f->n_cols + from, f->covariance + pair * f->n_cols + from, f->n_cols, &e);
    if (p->fixed == NEP_GLM_MEAN) {
        if (c->f)
            whiten(&e, f->dispersion[from]);
        store(&e, effect, covariance, p->n_cols, p->n_runs > 0);
        return;
    }
    if (p->n_runs == 1) { /* the first run stands there as it came */
        estimate first;
        load(c->rows, effect, covariance, p->n_cols, &first);
        turn_over(&first);
        store(&first, effect, covariance, p->n_cols, false);
    }
    if (p->n_runs > 0)
        turn_over(&e);
    store(&e, effect, covariance, p->n_cols, p->n_runs > 0);
}

nep_status nep_glm_pool_add(nep_glm_pool *p, const nep_glm_fit *f, const int64_t *column)
{
    NEP_REQUIRE(p->ctx, f->n_rows == p->rows && f->n_pairs == p->pairs && (column || f->n_cols <= p->n_cols), NEP_E_SHAPE,
                "glm: a run of other contrasts or more columns than the runs before it");
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(p->ctx))
    for (int64_t v = 0; v < f->n_cols; v++) {
        const int64_t to = column ? column[v] : v;
        for (int64_t k = 0, row = 0, pair = 0; k < p->n_contrasts; row += p->c[k].rows, pair += p->c[k].rows * (p->c[k].rows + 1) / 2, k++)
            add_one(p, &p->c[k], f, row, pair, v, to);
        p->dispersion[to] = f->dispersion[v] + (p->n_runs > 0 ? p->dispersion[to] : 0);
    }
    return NEP_OK;
}

void nep_glm_pool_next(nep_glm_pool *p, double df)
{
    p->n_runs++;
    p->df += df;
}

double nep_glm_pool_df(const nep_glm_pool *p)
{
    return p->df;
}

/* The estimate of all runs together. nilearn's F: whitened effects, and the mean dispersion in place of a covariance. */
static void finish(const nep_glm_pool *p, const nep_glm_contrast *c, int64_t row, int64_t pair, int64_t v, estimate *e)
{
    const double n = (double)p->n_runs;
    load(c->rows, p->effect + row * p->n_cols + v, p->covariance + pair * p->n_cols + v, p->n_cols, e);
    if (p->fixed == NEP_GLM_PRECISION && p->n_runs > 1)
        turn_over(e);
    if (p->fixed == NEP_GLM_PRECISION)
        return;
    for (int64_t i = 0; i < e->q; i++) {
        e->effect[i] /= n;
        for (int64_t j = 0; j <= i; j++)
            e->covariance[i * e->q + j] = c->f ? (i == j) * p->dispersion[v] / (n * n) : e->covariance[i * e->q + j] / (n * n);
    }
}

static double f_of(estimate *e)
{
    const int64_t q = e->q;
    if (!nep_glm_cholesky(e->covariance, q))
        return (double)NAN;
    nep_glm_forward(e->covariance, q, e->effect);
    return nep_ortho_dot(e->effect, e->effect, q) / (double)q;
}

nep_status nep_glm_pool_test(nep_glm_pool *p, int64_t j, double *effect, double *se, double *stat, double *z)
{
    int64_t row = 0, pair = 0;
    NEP_REQUIRE(p->ctx, j >= 0 && j < p->n_contrasts && p->n_runs > 0, NEP_E_ARG, "glm: contrast %lld of %lld after %lld runs", (long long)j + 1,
                (long long)p->n_contrasts, (long long)p->n_runs);
    for (int64_t k = 0; k < j; k++) {
        row += p->c[k].rows;
        pair += p->c[k].rows * (p->c[k].rows + 1) / 2;
    }
    const nep_glm_contrast *c = &p->c[j];
    NEP_REQUIRE(p->ctx, !c->f || (!effect && !se), NEP_E_ARG, "glm: contrast '%s' is an F test and has no single effect", c->name);
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(p->ctx))
    for (int64_t v = 0; v < p->n_cols; v++) {
        estimate e;
        finish(p, c, row, pair, v, &e);
        const double error = sqrt(e.covariance[0]), whole = e.effect[0];
        const double s = c->f ? f_of(&e) : error > 0 ? whole / error : (double)NAN;
        if (effect)
            effect[v] = whole;
        if (se)
            se[v] = error;
        if (stat)
            stat[v] = s;
        if (z)
            z[v] = c->f ? nep_glm_z_of_f(s, (double)c->rows, p->df) : nep_glm_z_of_t(s, p->df);
    }
    return NEP_OK;
}
