/* SPDX-License-Identifier: Apache-2.0 */
/* glm - least squares of many columns on one design, with white or first-order autoregressive errors.
 *
 * Q holds an orthonormal basis of the design's columns in its rows, S moves a series by one frame (0 enters). With
 * u = Q y, v = Q (S + S') y, s0 = y'y, s1 = y'S y and y_T the last value, whitening by A = 1 - rho S (the first frame stays as
 * it is) needs no second look at y:
 *   Q A'A Q' = 1 - rho B + rho^2 (1 - q q'),  B = Q (S + S') Q', q = last column of Q
 *   Q A'A y  = u - rho v + rho^2 (u - q y_T)
 *   y A'A y  = s0 - 2 rho s1 + rho^2 (s0 - y_T^2)
 * and the residuals e of the white fit have e'e = s0 - u'u, e'S e = s1 - u'v + u'B u / 2. */
#include "imaging/glm_parts.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/backend.h>

enum { MOST_BIN = 199, BINS = 2 * MOST_BIN + 1, BLOCK = 256 };

/* The design whitened for one rho. */
typedef struct {
    bool made;
    double *l;          /* [p, p] Cholesky factor of Q A'A Q' */
    double *gain;       /* [rows, p] effect = gain w */
    double *covariance; /* [pairs] for errors of variance 1 */
} whitened;

struct nep_glm {
    nep_ctx *ctx;
    nep_glm_opts o;
    int64_t n, p, rows, pairs, n_contrasts;
    int64_t *row_count; /* [n_contrasts] */
    double *q;          /* [p, n] */
    double *upper;      /* [p, p] coefficients of design column order[j] on the basis, by column */
    int64_t *order;     /* [p] */
    double *products;   /* [n_products, n] what y is multiplied with */
    int64_t n_products;
    double *b;       /* [p, p] */
    double *last;    /* [p] last column of Q */
    double *one;     /* [p] Q 1 */
    double *one_lag; /* [p] Q (S + S') 1 */
    double *d;       /* [rows, p] contrasts on the basis */
    whitened bin[BINS];
};

void nep_glm_free(nep_glm *g)
{
    if (!g)
        return;
    for (int i = 0; i < BINS; i++) {
        nep_alloc_free(g->bin[i].l);
        nep_alloc_free(g->bin[i].gain);
        nep_alloc_free(g->bin[i].covariance);
    }
    void *const parts[] = {g->row_count, g->q, g->upper, g->order, g->products, g->b, g->last, g->one, g->one_lag, g->d};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    nep_alloc_free(g);
}

void nep_glm_fit_free(nep_glm_fit *f)
{
    nep_alloc_free(f->effect);
    nep_alloc_free(f->covariance);
    nep_alloc_free(f->dispersion);
    nep_alloc_free(f->rho);
    *f = (nep_glm_fit){0};
}

/* ---- the design --------------------------------------------------------------------------------------------------- */

#define COLLINEAR 1e-8 /* of a column's length */

/* Weights of the design's columns that add up to nothing: 1 for column `at` of the order, [p] in the order of the design. */
static void find_null(const nep_glm *g, int64_t at, double *null)
{
    for (int64_t j = 0; j < g->p; j++)
        null[j] = 0;
    null[g->order[at]] = 1;
    for (int64_t j = at - 1; j >= 0; j--) {
        double b = g->upper[j * g->p + at];
        for (int64_t l = j + 1; l < at; l++)
            b += g->upper[j * g->p + l] * null[g->order[l]];
        null[g->order[j]] = -b / g->upper[j * g->p + j];
    }
}

static double column_length(const nep_glm_design *d, int64_t j)
{
    double s = 0;
    for (int64_t i = 0; i < d->n; i++)
        s += d->x[i * d->p + j] * d->x[i * d->p + j];
    return sqrt(s);
}

static void append(char *list, size_t size, const char *name)
{
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s'%.80s'", used ? ", " : "", name);
}

/* Names what column `at` depends on, and the contrasts that this makes ambiguous. */
static nep_status fail_singular(const nep_glm *g, const nep_glm_design *d, const nep_glm_contrast *c, int64_t at, const char *where)
{
    char list[600] = "", lost[300] = "";
    double *null = NULL;
    NEP_TRY(nep_alloc(g->ctx, g->p, sizeof *null, "glm: design", &null));
    find_null(g, at, null);
    const double own = column_length(d, g->order[at]);
    for (int64_t j = 0; j < g->p; j++)
        if (j != g->order[at] && fabs(null[j]) * column_length(d, j) > 1e-6 * own)
            append(list, sizeof list, d->names[j]);
    for (int64_t k = 0; k < g->n_contrasts; k++)
        for (int64_t i = 0; i < c[k].rows; i++) {
            const double *w = c[k].weight + i * g->p;
            if (fabs(nep_ortho_dot(w, null, g->p)) > 1e-6 * sqrt(nep_ortho_dot(w, w, g->p) * nep_ortho_dot(null, null, g->p))) {
                append(lost, sizeof lost, c[k].name);
                break;
            }
        }
    nep_alloc_free(null);
    if (own == 0)
        return nep_ctx_fail(g->ctx, NEP_E_SINGULAR, "glm: %s is singular: column '%s' is zero throughout; leave it out%s%s", where,
                            d->names[g->order[at]], lost[0] ? " (not estimable: contrast " : "", lost[0] ? strcat(lost, ")") : "");
    return nep_ctx_fail(g->ctx, NEP_E_SINGULAR, "glm: %s is singular: '%s' is a linear combination of %s; leave one of them out%s%s", where,
                        d->names[g->order[at]], list, lost[0] ? " (not estimable: contrast " : "", lost[0] ? strcat(lost, ")") : "");
}

/* Columns enter from the last to the first, so that the constant and the drifts explain the conditions and not the other way. */
static nep_status factorise(nep_glm *g, const nep_glm_design *d, const nep_glm_contrast *c, const char *where)
{
    const int64_t n = g->n, p = g->p;
    double *coef = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(g->ctx, p, sizeof *coef, "glm: design", &coef));
    for (int64_t j = 0; j < p && st == NEP_OK; j++) {
        double *own = g->q + j * n;
        g->order[j] = p - 1 - j;
        for (int64_t i = 0; i < n; i++)
            own[i] = d->x[i * p + g->order[j]];
        const double before = sqrt(nep_ortho_dot(own, own, n));
        memset(coef, 0, (size_t)p * sizeof *coef);
        const double norm = nep_ortho_residual(g->q, j, n, own, coef);
        for (int64_t k = 0; k < j; k++)
            g->upper[k * p + j] = coef[k];
        g->upper[j * p + j] = norm;
        if (!isfinite(before))
            st = nep_ctx_fail(g->ctx, NEP_E_ARG, "glm: column '%s' of %s has a value that is missing or not finite", d->names[g->order[j]], where);
        else if (!(norm > COLLINEAR * before))
            st = fail_singular(g, d, c, j, where);
        for (int64_t i = 0; i < n; i++)
            own[i] /= norm;
    }
    nep_alloc_free(coef);
    return st;
}

/* Row times S + S'. */
static void lag_both(const double *row, int64_t n, double *out)
{
    for (int64_t t = 0; t < n; t++)
        out[t] = (t + 1 < n ? row[t + 1] : 0) + (t > 0 ? row[t - 1] : 0);
}

/* What y is multiplied with: Q, Q (S + S') under autoregression, then its sum, first and last value. */
static void fill_products(nep_glm *g)
{
    const int64_t n = g->n, p = g->p;
    const bool ar = g->o.noise == NEP_GLM_AR1;
    double *lagged = g->products + p * n, *rest = g->products + (ar ? 2 * p : p) * n;
    memcpy(g->products, g->q, (size_t)(p * n) * sizeof *g->q);
    for (int64_t j = 0; j < p; j++) {
        g->last[j] = g->q[j * n + n - 1];
        for (int64_t t = 0; t < n; t++)
            g->one[j] += g->q[j * n + t];
        if (ar)
            lag_both(g->q + j * n, n, lagged + j * n);
    }
    for (int64_t j = 0; ar && j < p; j++) {
        for (int64_t t = 0; t < n; t++)
            g->one_lag[j] += lagged[j * n + t];
        for (int64_t k = 0; k < p; k++)
            g->b[j * p + k] = nep_ortho_dot(lagged + j * n, g->q + k * n, n);
    }
    for (int64_t t = 0; t < n; t++)
        rest[t] = 1;
    rest[n] = 1;
    rest[3 * n - 1] = 1;
}

/* Contrasts on the basis: the design's column order[j] is the sum over k <= j of upper[k, j] q_k, so d solves R' d = c. */
static void fill_contrasts(nep_glm *g, const nep_glm_contrast *c)
{
    const int64_t p = g->p;
    double *d = g->d;
    for (int64_t k = 0; k < g->n_contrasts; k++) {
        g->row_count[k] = c[k].rows;
        for (int64_t i = 0; i < c[k].rows; i++, d += p)
            for (int64_t j = 0; j < p; j++) {
                d[j] = c[k].weight[i * p + g->order[j]];
                for (int64_t l = 0; l < j; l++)
                    d[j] -= g->upper[l * p + j] * d[l];
                d[j] /= g->upper[j * p + j];
            }
    }
}

static nep_status allocate(nep_glm *g)
{
    nep_ctx *ctx = g->ctx;
    const int64_t n = g->n, p = g->p;
    NEP_TRY(nep_alloc(ctx, g->n_contrasts, sizeof *g->row_count, "glm: contrasts", &g->row_count));
    NEP_TRY(nep_alloc(ctx, p * n, sizeof *g->q, "glm: basis", &g->q));
    NEP_TRY(nep_alloc(ctx, p * p, sizeof *g->upper, "glm: basis", &g->upper));
    NEP_TRY(nep_alloc(ctx, p, sizeof *g->order, "glm: basis", &g->order));
    NEP_TRY(nep_alloc(ctx, g->n_products * n, sizeof *g->products, "glm: products", &g->products));
    NEP_TRY(nep_alloc(ctx, p * p, sizeof *g->b, "glm: basis", &g->b));
    NEP_TRY(nep_alloc(ctx, p, sizeof *g->last, "glm: basis", &g->last));
    NEP_TRY(nep_alloc(ctx, p, sizeof *g->one, "glm: basis", &g->one));
    NEP_TRY(nep_alloc(ctx, p, sizeof *g->one_lag, "glm: basis", &g->one_lag));
    return nep_alloc(ctx, g->rows * p, sizeof *g->d, "glm: contrasts", &g->d);
}

nep_status nep_glm_open(nep_ctx *ctx, const nep_glm_design *design, const nep_glm_contrast *contrasts, int64_t n_contrasts,
                        const nep_glm_opts *opts, const char *where, nep_glm **out)
{
    nep_glm *g = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n_contrasts >= 1, NEP_E_ARG, "glm: no contrast");
    NEP_REQUIRE(ctx, design->p >= 1, NEP_E_ARG, "glm: %s has no column", where);
    NEP_REQUIRE(ctx, design->n > design->p, NEP_E_SHAPE, "glm: %s has %lld rows and %lld columns; no degree of freedom is left", where,
                (long long)design->n, (long long)design->p);
    NEP_TRY(nep_alloc(ctx, 1, sizeof *g, "glm", &g));
    g->ctx = ctx;
    g->o = *opts;
    g->n = design->n;
    g->p = design->p;
    g->n_contrasts = n_contrasts;
    g->n_products = (g->o.noise == NEP_GLM_AR1 ? 2 : 1) * g->p + 3;
    for (int64_t k = 0; k < n_contrasts; k++) {
        NEP_REQUIRE_OR_DONE(st, ctx, contrasts[k].p == g->p, NEP_E_ARG, "glm: contrast '%s' is of another design than %s", contrasts[k].name,
                            where);
        g->rows += contrasts[k].rows;
        g->pairs += contrasts[k].rows * (contrasts[k].rows + 1) / 2;
    }
    NEP_TRY_OR_DONE(st, allocate(g));
    NEP_TRY_OR_DONE(st, factorise(g, design, contrasts, where));
    fill_products(g);
    fill_contrasts(g, contrasts);
    *out = g;
    g = NULL;
done:
    nep_glm_free(g);
    return st;
}

/* ---- the bins of rho ------------------------------------------------------------------------------------------------ */

static nep_status make_bin(nep_glm *g, int at)
{
    whitened *w = &g->bin[at + MOST_BIN];
    const int64_t p = g->p;
    const double rho = at / 100.0;
    int64_t pair = 0;
    if (w->made)
        return NEP_OK;
    NEP_TRY(nep_alloc(g->ctx, p * p, sizeof *w->l, "glm: whitened design", &w->l));
    NEP_TRY(nep_alloc(g->ctx, g->rows * p, sizeof *w->gain, "glm: whitened contrasts", &w->gain));
    NEP_TRY(nep_alloc(g->ctx, g->pairs, sizeof *w->covariance, "glm: whitened contrasts", &w->covariance));
    for (int64_t j = 0; j < p; j++)
        for (int64_t k = 0; k < p; k++)
            w->l[j * p + k] = (j == k) * (1 + rho * rho) - rho * g->b[j * p + k] - rho * rho * g->last[j] * g->last[k];
    NEP_REQUIRE(g->ctx, nep_glm_cholesky(w->l, p), NEP_E_INTERNAL, "glm: the design whitened with %g is not positive definite", rho);
    memcpy(w->gain, g->d, (size_t)(g->rows * p) * sizeof *w->gain);
    for (int64_t i = 0; i < g->rows; i++) {
        nep_glm_forward(w->l, p, w->gain + i * p);
        nep_glm_backward(w->l, p, w->gain + i * p);
    }
    for (int64_t k = 0, first = 0; k < g->n_contrasts; first += g->row_count[k++])
        for (int64_t i = 0; i < g->row_count[k]; i++)
            for (int64_t j = 0; j <= i; j++)
                w->covariance[pair++] = nep_ortho_dot(g->d + (first + i) * p, w->gain + (first + j) * p, p);
    w->made = true;
    return NEP_OK;
}

/* ---- one column ------------------------------------------------------------------------------------------------------ */

enum { SUM, FIRST, LAST, SQUARES, LAGGED, EXTRAS };

/* The products of one column: u [p], v [p] and the rest. */
typedef struct {
    double *u, *v;
    double x[EXTRAS];
} products;

/* Those of a y + b. */
static void rescale(const nep_glm *g, double a, double b, products *s)
{
    const double n = (double)g->n, sum = s->x[SUM];
    for (int64_t j = 0; j < g->p; j++) {
        s->u[j] = a * s->u[j] + b * g->one[j];
        s->v[j] = a * s->v[j] + b * g->one_lag[j];
    }
    s->x[SQUARES] = a * a * s->x[SQUARES] + 2 * a * b * sum + b * b * n;
    s->x[LAGGED] = a * a * s->x[LAGGED] + a * b * (2 * sum - s->x[FIRST] - s->x[LAST]) + b * b * (n - 1);
    s->x[SUM] = a * sum + b * n;
    s->x[FIRST] = a * s->x[FIRST] + b;
    s->x[LAST] = a * s->x[LAST] + b;
}

typedef enum { GOOD, MISSING, FLAT, WITHOUT_MEAN } state;

/* Percent of the mean, and whether anything is left of the column beside the design. */
static state prepare(const nep_glm *g, products *s, double *rest)
{
    const double raw = s->x[SQUARES], mean = s->x[SUM] / (double)g->n;
    if (!isfinite(raw))
        return MISSING;
    if (!(raw - nep_ortho_dot(s->u, s->u, g->p) > 1e-13 * raw)) /* float32 data: less is rounding */
        return FLAT;
    if (g->o.scale == NEP_GLM_PERCENT) {
        if (!g->o.nilearn && !(mean > 0))
            return WITHOUT_MEAN;
        rescale(g, 100 / (g->o.nilearn ? fmax(mean, 1) : mean), -100, s);
    }
    *rest = s->x[SQUARES] - nep_ortho_dot(s->u, s->u, g->p);
    return GOOD;
}

/* Bin of the autocorrelation of the residuals, towards 0. */
static int bin_of(const nep_glm *g, const products *s, double rest)
{
    double lagged = s->x[LAGGED] - nep_ortho_dot(s->u, s->v, g->p);
    for (int64_t j = 0; j < g->p; j++)
        lagged += 0.5 * s->u[j] * nep_ortho_dot(g->b + j * g->p, s->u, g->p);
    const double n = (double)g->n, rho = lagged / (n - 1) / (rest / n);
    return (int)fmax(-MOST_BIN, fmin(MOST_BIN, rho * 100));
}

static void refit(const nep_glm *g, const products *s, int at, double *work, nep_glm_fit *f, int64_t c)
{
    const whitened *w = &g->bin[at + MOST_BIN];
    const int64_t p = g->p;
    const double rho = at / 100.0, last = s->x[LAST];
    for (int64_t j = 0; j < p; j++)
        work[j] = (1 + rho * rho) * s->u[j] - rho * s->v[j] - rho * rho * g->last[j] * last;
    for (int64_t i = 0; i < g->rows; i++)
        f->effect[i * f->n_cols + c] = nep_ortho_dot(w->gain + i * p, work, p);
    nep_glm_forward(w->l, p, work);
    const double whole = s->x[SQUARES] - 2 * rho * s->x[LAGGED] + rho * rho * (s->x[SQUARES] - last * last);
    const double variance = fmax(whole - nep_ortho_dot(work, work, p), 0) / f->df;
    f->dispersion[c] = variance;
    for (int64_t i = 0; i < g->pairs; i++)
        f->covariance[i * f->n_cols + c] = variance * w->covariance[i];
    f->rho[c] = rho;
}

static void leave_out(const nep_glm *g, nep_glm_fit *f, int64_t c)
{
    for (int64_t i = 0; i < g->rows; i++)
        f->effect[i * f->n_cols + c] = (double)NAN;
    for (int64_t i = 0; i < g->pairs; i++)
        f->covariance[i * f->n_cols + c] = (double)NAN;
    f->dispersion[c] = f->rho[c] = (double)NAN;
}

/* ---- many columns ------------------------------------------------------------------------------------------------------ */

typedef struct {
    double *product; /* [n_products + 2, n_cols] */
    double *rest;    /* [n_cols] squares of the residuals of the white fit */
    int *bin;        /* [n_cols] */
    state *state;    /* [n_cols] */
    double *scratch; /* [threads, each] */
    int64_t each;
} work_space;

/* A block of columns side by side in the cache: rows of n_cols apart fall on one another there. */
static double *load_block(const nep_glm *g, const work_space *w, int64_t n_cols, int64_t c, int64_t n)
{
    double *block = w->scratch + omp_get_thread_num() * w->each;
    for (int64_t k = 0; k < g->n_products + 2; k++)
        memcpy(block + k * (BLOCK + 8), w->product + k * n_cols + c, (size_t)n * sizeof *block);
    return block;
}

/* Products of column i of a block; u, v and p numbers for work follow the block. */
static products gather(const nep_glm *g, double *block, int64_t i)
{
    double *own = block + (g->n_products + 2) * (BLOCK + 8);
    const double *x = block + i;
    products s = {.u = own, .v = own + g->p};
    for (int64_t j = 0; j < g->p; j++) {
        s.u[j] = x[j * (BLOCK + 8)];
        s.v[j] = g->o.noise == NEP_GLM_AR1 ? x[(g->p + j) * (BLOCK + 8)] : 0;
    }
    for (int k = 0; k < EXTRAS; k++)
        s.x[k] = x[(g->n_products - 3 + k) * (BLOCK + 8)];
    return s;
}

static void find_bins(const nep_glm *g, const work_space *w, int64_t n_cols, int64_t first, int64_t n)
{
    double *block = load_block(g, w, n_cols, first, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = first + i;
        products s = gather(g, block, i);
        w->state[c] = prepare(g, &s, &w->rest[c]);
        w->bin[c] = w->state[c] == GOOD && g->o.noise == NEP_GLM_AR1 ? bin_of(g, &s, w->rest[c]) : 0;
    }
}

static void refit_block(const nep_glm *g, const work_space *w, int64_t first, int64_t n, nep_glm_fit *f)
{
    double *block = load_block(g, w, f->n_cols, first, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = first + i;
        double rest;
        if (w->state[c] != GOOD) {
            leave_out(g, f, c);
            continue;
        }
        products s = gather(g, block, i);
        (void)prepare(g, &s, &rest);
        refit(g, &s, w->bin[c], s.v + g->p, f, c);
    }
}

static nep_status fit_columns(nep_glm *g, const float *y, work_space *w, nep_glm_fit *f)
{
    const int threads = nep_ctx_threads(g->ctx);
    const int64_t n = f->n_cols, blocks = (n + BLOCK - 1) / BLOCK;
    bool used[BINS] = {false};
    NEP_TRY(nep_backend_lag_products(g->ctx, g->products, g->n_products, g->n, y, n, w->product));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < blocks; i++)
        find_bins(g, w, n, i * BLOCK, n - i * BLOCK < BLOCK ? n - i * BLOCK : BLOCK);
    for (int64_t c = 0; c < n; c++) {
        used[w->bin[c] + MOST_BIN] = true;
        f->n_missing += w->state[c] == MISSING;
        f->n_flat += w->state[c] == FLAT;
        f->n_unscaled += w->state[c] == WITHOUT_MEAN;
    }
    for (int i = 0; i < BINS; i++)
        if (used[i])
            NEP_TRY(make_bin(g, i - MOST_BIN));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < blocks; i++)
        refit_block(g, w, i * BLOCK, n - i * BLOCK < BLOCK ? n - i * BLOCK : BLOCK, f);
    return NEP_OK;
}

static nep_status work_open(nep_glm *g, int64_t n_cols, work_space *w)
{
    w->each = (g->n_products + 2) * (BLOCK + 8) + 3 * g->p;
    NEP_TRY(nep_alloc(g->ctx, (g->n_products + 2) * n_cols, sizeof *w->product, "glm: products", &w->product));
    NEP_TRY(nep_alloc(g->ctx, n_cols, sizeof *w->rest, "glm: columns", &w->rest));
    NEP_TRY(nep_alloc(g->ctx, n_cols, sizeof *w->bin, "glm: columns", &w->bin));
    NEP_TRY(nep_alloc(g->ctx, n_cols, sizeof *w->state, "glm: columns", &w->state));
    return nep_alloc(g->ctx, nep_ctx_threads(g->ctx) * w->each, sizeof *w->scratch, "glm: columns", &w->scratch);
}

static nep_status fit_open(nep_glm *g, int64_t n_cols, nep_glm_fit *f)
{
    *f = (nep_glm_fit){.n_cols = n_cols, .n_rows = g->rows, .n_pairs = g->pairs, .df = (double)(g->n - g->p)};
    NEP_TRY(nep_alloc(g->ctx, g->rows * n_cols, sizeof *f->effect, "glm: effects", &f->effect));
    NEP_TRY(nep_alloc(g->ctx, g->pairs * n_cols, sizeof *f->covariance, "glm: variances", &f->covariance));
    NEP_TRY(nep_alloc(g->ctx, n_cols, sizeof *f->dispersion, "glm: dispersions", &f->dispersion));
    return nep_alloc(g->ctx, n_cols, sizeof *f->rho, "glm: autocorrelations", &f->rho);
}

nep_status nep_glm_run(nep_glm *g, const float *y, int64_t n_cols, nep_glm_fit *out)
{
    nep_glm_fit f = {0};
    work_space w = {0};
    nep_status st;
    NEP_REQUIRE(g->ctx, n_cols >= 0 && (y || n_cols == 0), NEP_E_ARG, "glm: no data given");
    NEP_TRY_OR_DONE(st, fit_open(g, n_cols, &f));
    NEP_TRY_OR_DONE(st, work_open(g, n_cols, &w));
    NEP_TRY_OR_DONE(st, fit_columns(g, y, &w, &f));
    *out = f;
    f = (nep_glm_fit){0};
done:
    nep_alloc_free(w.scratch);
    nep_alloc_free(w.state);
    nep_alloc_free(w.bin);
    nep_alloc_free(w.rest);
    nep_alloc_free(w.product);
    nep_glm_fit_free(&f);
    return st;
}
