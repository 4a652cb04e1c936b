/* SPDX-License-Identifier: Apache-2.0 */
/* elastic_net.c - logistic regression under the elastic net, along a path of lambda, cross-validated over folds. */
#include <nepenthe/model.h>

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <string.h>

enum { MOST_OUTER = 100, MOST_SWEEPS = 10000 };

/* Rows of one fit, standardised, a column of ones first; and what a step needs. */
typedef struct {
    const nep_elastic_net_data *a;
    int width; /* 1 + features */
    int64_t n;
    double *x, *y, *w;       /* [n, width], [n], [n] weights that sum to 1 */
    double *mean, *sd;       /* [width] sd 0 = constant */
    double *scaled, *eta, *r, *h; /* [n, width], [n] */
    double *gram, *gradient, *b, *from; /* [width, width], [width] */
    double likelihood;       /* mean log likelihood at b, where residuals and curvature stand */
    bool curved;             /* gram is of a place near enough */
} fitting;

static bool counts(const nep_elastic_net_data *a, int64_t i)
{
    return (a->y[i] == 0 || a->y[i] == 1) && (!a->weight || a->weight[i] > 0);
}

static nep_status check(nep_ctx *ctx, const nep_elastic_net_data *a, const nep_elastic_net_opts *o)
{
    NEP_REQUIRE(ctx, a && a->x && a->y && a->n >= 1 && a->features >= 1, NEP_E_ARG, "elastic net: no rows, no features, or an array is NULL");
    NEP_REQUIRE(ctx, o->alpha > 0 && o->alpha <= 1 && o->most_lambda >= 1 && o->most_lambda <= 100000 && o->tolerance > 0, NEP_E_ARG,
                "elastic net: alpha %g, most_lambda %d, tolerance %g: must lie in (0, 1], [1, 100000], above 0", o->alpha, o->most_lambda,
                o->tolerance);
    NEP_REQUIRE(ctx, !a->fold || a->folds >= 2, NEP_E_ARG, "elastic net: %d folds; at least 2 are needed", a->folds);
    for (int l = 0; o->lambda && l < o->most_lambda; l++)
        NEP_REQUIRE(ctx, o->lambda[l] > 0 && isfinite(o->lambda[l]) && (l == 0 || o->lambda[l] < o->lambda[l - 1]), NEP_E_ARG,
                    "elastic net: lambda %d is %g; the path must fall and stay above 0", l, o->lambda[l]);
    for (int64_t i = 0; i < a->n; i++) {
        NEP_REQUIRE(ctx, !a->weight || (a->weight[i] >= 0 && isfinite(a->weight[i])), NEP_E_ARG,
                    "elastic net: row %lld has weight %g, must be finite and not negative", (long long)i, a->weight[i]);
        NEP_REQUIRE(ctx, !a->fold || (a->fold[i] >= 0 && a->fold[i] < a->folds), NEP_E_ARG, "elastic net: row %lld has fold %d of %d",
                    (long long)i, a->fold[i], a->folds);
        for (int j = 0; j < a->features; j++)
            NEP_REQUIRE(ctx, isfinite(a->x[i * a->features + j]), NEP_E_ARG, "elastic net: feature %d of row %lld is not finite", j, (long long)i);
    }
    return NEP_OK;
}

static nep_status open_fitting(nep_ctx *ctx, const nep_elastic_net_data *a, fitting *f)
{
    const int64_t W = 1 + a->features;
    *f = (fitting){.a = a, .width = (int)W};
    const struct {
        int64_t n;
        double **at;
    } arrays[] = {{a->n * W, &f->x}, {a->n, &f->y}, {a->n, &f->w}, {W, &f->mean}, {W, &f->sd}, {a->n * W, &f->scaled}, {a->n, &f->eta},
                  {a->n, &f->r}, {a->n, &f->h}, {W * W, &f->gram}, {W, &f->gradient}, {W, &f->b}, {W, &f->from}};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY(nep_alloc(ctx, arrays[i].n, sizeof(double), "elastic net: work", arrays[i].at));
    return NEP_OK;
}

static void free_fitting(fitting *f)
{
    double *const arrays[] = {f->x, f->y, f->w, f->mean, f->sd, f->scaled, f->eta, f->r, f->h, f->gram, f->gradient, f->b, f->from};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        nep_alloc_free(arrays[i]);
}

/* Mean log likelihood at b, leaving residual and curvature. */
static double look(fitting *f, const double *b)
{
    double sum = 0;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (blasint)f->n, f->width, 1.0, f->x, f->width, b, 1, 0.0, f->eta, 1);
    for (int64_t i = 0; i < f->n; i++) {
        const double t = f->eta[i], e = exp(-fabs(t)), q = 1 / (1 + e), p = t >= 0 ? q : 1 - q;
        sum += f->w[i] * (f->y[i] * t - fmax(t, 0) - log1p(e));
        f->r[i] = f->w[i] * (f->y[i] - p);
        f->h[i] = f->w[i] * e * q * q;
    }
    return sum;
}

/* Rows outside `left_out` (-1 = all), standardised; coefficients at the null model. */
static void load(fitting *f, int left_out)
{
    const nep_elastic_net_data *a = f->a;
    const int W = f->width;
    double total = 0, share = 0;
    f->n = 0;
    memset(f->mean, 0, (size_t)W * sizeof *f->mean);
    memset(f->sd, 0, (size_t)W * sizeof *f->sd);
    memset(f->b, 0, (size_t)W * sizeof *f->b);
    for (int64_t i = 0; i < a->n; i++) {
        if (!counts(a, i) || (a->fold && a->fold[i] == left_out))
            continue;
        double *row = f->x + f->n * W;
        row[0] = 1;
        memcpy(row + 1, a->x + i * a->features, (size_t)a->features * sizeof *row);
        f->y[f->n] = a->y[i];
        f->w[f->n] = a->weight ? a->weight[i] : 1;
        total += f->w[f->n++];
    }
    for (int64_t i = 0; i < f->n; i++) {
        f->w[i] /= total;
        share += f->w[i] * f->y[i];
        for (int j = 1; j < W; j++)
            f->mean[j] += f->w[i] * f->x[i * W + j];
    }
    for (int64_t i = 0; i < f->n; i++)
        for (int j = 1; j < W; j++) {
            const double d = f->x[i * W + j] -= f->mean[j];
            f->sd[j] += f->w[i] * d * d;
        }
    for (int j = 1; j < W; j++) {
        f->sd[j] = sqrt(f->sd[j]);
        if (f->sd[j] <= 1e-12 * fabs(f->mean[j])) /* what is left of a constant is rounding */
            f->sd[j] = 0;
    }
    for (int64_t i = 0; i < f->n; i++)
        for (int j = 1; j < W; j++)
            f->x[i * W + j] = f->sd[j] > 0 ? f->x[i * W + j] / f->sd[j] : 0;
    f->b[0] = log(share / (1 - share));
    f->likelihood = look(f, f->b);
    f->curved = false;
}

static double penalty(const fitting *f, const double *b, double lambda, double alpha)
{
    double sum = 0;
    for (int j = 1; j < f->width; j++)
        sum += alpha * fabs(b[j]) + 0.5 * (1 - alpha) * b[j] * b[j];
    return lambda * sum;
}

static void slope(fitting *f)
{
    cblas_dgemv(CblasRowMajor, CblasTrans, (blasint)f->n, f->width, 1.0, f->x, f->width, f->r, 1, 0.0, f->gradient, 1);
}

/* Gram matrix, both triangles, at the place of the last look. */
static void curve(fitting *f)
{
    const int W = f->width;
    for (int64_t i = 0; i < f->n; i++) {
        const double root = sqrt(f->h[i]);
        for (int j = 0; j < W; j++)
            f->scaled[i * W + j] = root * f->x[i * W + j];
    }
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, W, (blasint)f->n, 1.0, f->scaled, W, 0.0, f->gram, W);
    for (int j = 0; j < W; j++)
        for (int k = 0; k < j; k++)
            f->gram[j * W + k] = f->gram[k * W + j];
    f->curved = true;
}

/* Coordinate descent on the quadratic model; f->b moves, f->gradient becomes the model's gradient there. Returns the largest squared move
 * of all sweeps times curvature. */
static double descend(fitting *f, double lambda, double alpha, double tolerance)
{
    const int W = f->width;
    memcpy(f->from, f->b, (size_t)W * sizeof *f->b);
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        double largest = 0;
        for (int j = 0; j < W; j++) {
            const double curvature = f->gram[j * W + j], u = f->gradient[j] + curvature * f->b[j];
            if (!(curvature > 0) || (j > 0 && f->sd[j] <= 0))
                continue;
            double to = u / curvature;
            if (j > 0) {
                to = fabs(u) > lambda * alpha ? copysign(fabs(u) - lambda * alpha, u) / (curvature + lambda * (1 - alpha)) : 0;
                if (f->a->non_negative && f->a->non_negative[j - 1] && to < 0)
                    to = 0;
            }
            const double move = to - f->b[j];
            if (move == 0)
                continue;
            f->b[j] = to;
            for (int k = 0; k < W; k++)
                f->gradient[k] -= f->gram[j * W + k] * move;
            largest = fmax(largest, curvature * move * move);
        }
        if (largest < 1e-3 * tolerance)
            break;
    }
    double moved = 0;
    for (int j = 0; j < W; j++)
        moved = fmax(moved, f->gram[j * W + j] * (f->b[j] - f->from[j]) * (f->b[j] - f->from[j]));
    return moved;
}

/* The fit at one lambda from where b stands; returns whether it settled. The gradient is always that of the place, so that the end is the
 * optimum; the Gram matrix of an earlier place, even of an earlier lambda, serves as long as the moves shrink tenfold with it. */
static bool fit_lambda(fitting *f, double lambda, const nep_elastic_net_opts *o)
{
    const int W = f->width;
    double last = INFINITY;
    for (int step = 0; step < MOST_OUTER; step++) {
        const double before = f->likelihood - penalty(f, f->b, lambda, o->alpha);
        bool halved = false;
        slope(f);
        if (!f->curved)
            curve(f);
        const double moved = descend(f, lambda, o->alpha, o->tolerance);
        f->likelihood = look(f, f->b);
        /* far from the optimum a whole step can overshoot: go back towards where it came from */
        for (int half = 0; half < 40 && f->likelihood - penalty(f, f->b, lambda, o->alpha) < before - 1e-13 * fabs(before); half++) {
            for (int j = 0; j < W; j++)
                f->b[j] = 0.5 * (f->b[j] + f->from[j]);
            f->likelihood = look(f, f->b);
            halved = true;
        }
        if (moved < o->tolerance)
            return true;
        f->curved = !halved && moved < 0.1 * last;
        last = moved;
    }
    return false;
}

/* Coefficients on the scale of x. */
static void unscale(const fitting *f, double *intercept, double *coef)
{
    *intercept = f->b[0];
    for (int j = 1; j < f->width; j++) {
        coef[j - 1] = f->sd[j] > 0 ? f->b[j] / f->sd[j] : 0;
        *intercept -= coef[j - 1] * f->mean[j];
    }
}

/* The least lambda at which every coefficient is 0; f stands at the null model. */
static double first_lambda(fitting *f, double alpha)
{
    double most = 0;
    slope(f);
    for (int j = 1; j < f->width; j++)
        most = fmax(most, fabs(f->gradient[j]));
    return most > 0 ? most / alpha : 1;
}

static nep_status fit_path(nep_ctx *ctx, fitting *f, const nep_elastic_net_opts *o, nep_elastic_net *e)
{
    load(f, -1);
    const double null = f->likelihood, top = first_lambda(f, o->alpha), ratio = f->n > f->a->features ? 1e-4 : 1e-2;
    for (int l = 0; l < o->most_lambda; l++) {
        e->lambda[l] = o->lambda ? o->lambda[l] : l == 0 ? top : top * pow(ratio, (double)l / (o->most_lambda - 1));
        e->converged = fit_lambda(f, e->lambda[l], o) && e->converged;
        unscale(f, e->intercept + l, e->coef + (int64_t)l * e->features);
        e->explained[l] = 1 - f->likelihood / null;
        e->n_lambda = l + 1;
        NEP_TRY(nep_ctx_check(ctx));
        if (!o->lambda && l >= 4 && (e->explained[l] - e->explained[l - 1] < 1e-5 * e->explained[l] || e->explained[l] > 0.999))
            break;
    }
    return NEP_OK;
}

/* Deviance of the rows of a fold at coefficients of other rows, p cut to [1e-5, 1 - 1e-5] as glmnet does. */
static double fold_deviance(const nep_elastic_net_data *a, int fold, double intercept, const double *coef)
{
    double sum = 0, total = 0;
    for (int64_t i = 0; i < a->n; i++) {
        if (!counts(a, i) || a->fold[i] != fold)
            continue;
        double eta = intercept;
        for (int j = 0; j < a->features; j++)
            eta += coef[j] * a->x[i * a->features + j];
        const double p = fmin(fmax(1 / (1 + exp(-eta)), 1e-5), 1 - 1e-5), w = a->weight ? a->weight[i] : 1;
        sum -= 2 * w * log(a->y[i] ? p : 1 - p);
        total += w;
    }
    return sum / total;
}

/* One fold along the path: deviance [n_lambda]. */
static bool fit_fold(fitting *f, const nep_elastic_net_opts *o, const nep_elastic_net *e, int fold, double *coef, double *deviance)
{
    bool settled = true;
    load(f, fold);
    for (int l = 0; l < e->n_lambda; l++) {
        double intercept;
        settled = fit_lambda(f, e->lambda[l], o) && settled;
        unscale(f, &intercept, coef);
        deviance[l] = fold_deviance(f->a, fold, intercept, coef);
    }
    return settled;
}

/* Mean and SE over folds, and the two choices of lambda. */
static void choose(const double *deviance, const double *weight, int folds, nep_elastic_net *e)
{
    double total = 0;
    int used = 0;
    for (int k = 0; k < folds; k++) {
        total += weight[k];
        used += weight[k] > 0;
    }
    e->best = 0;
    for (int l = 0; l < e->n_lambda; l++) {
        double mean = 0, square = 0;
        for (int k = 0; k < folds; k++)
            mean += weight[k] > 0 ? weight[k] / total * deviance[(int64_t)k * e->n_lambda + l] : 0;
        for (int k = 0; k < folds; k++) {
            const double off = weight[k] > 0 ? deviance[(int64_t)k * e->n_lambda + l] - mean : 0;
            square += weight[k] / total * off * off;
        }
        e->deviance[l] = mean;
        e->deviance_se[l] = sqrt(square / (used - 1));
        if (mean < e->deviance[e->best])
            e->best = l;
    }
    for (e->one_se = 0; e->deviance[e->one_se] > e->deviance[e->best] + e->deviance_se[e->best]; e->one_se++)
        ;
}

/* Weight and weight of treatments per fold; both labels must be left when a fold goes. */
static nep_status weigh_folds(nep_ctx *ctx, const nep_elastic_net_data *a, int folds, double *weight, double *ones)
{
    double total = 0, one = 0;
    int used = 0;
    for (int64_t i = 0; i < a->n; i++)
        if (counts(a, i)) {
            const double w = a->weight ? a->weight[i] : 1;
            total += w;
            one += w * a->y[i];
            if (a->fold) {
                used += weight[a->fold[i]] <= 0;
                weight[a->fold[i]] += w;
                ones[a->fold[i]] += w * a->y[i];
            }
        }
    NEP_REQUIRE(ctx, one > 0 && one < total, NEP_E_ARG, "elastic net: all rows have the same label");
    NEP_REQUIRE(ctx, !a->fold || used >= 2, NEP_E_ARG, "elastic net: only one fold has rows; at least 2 are needed");
    for (int k = 0; k < folds; k++) /* a sum without a part is compared with room for rounding */
        NEP_REQUIRE(ctx, one - ones[k] > 1e-9 * total && (total - one) - (weight[k] - ones[k]) > 1e-9 * total, NEP_E_ARG,
                    "elastic net: without fold %d all rows have the same label; give coarser folds", k);
    return NEP_OK;
}

static nep_status cross_validate(nep_ctx *ctx, const nep_elastic_net_data *a, const nep_elastic_net_opts *o, const double *weight,
                                 nep_elastic_net *e)
{
    const int threads = nep_ctx_threads(ctx) < a->folds ? nep_ctx_threads(ctx) : a->folds;
    fitting *f = NULL;
    double *deviance = NULL, *coef = NULL;
    int unsettled = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)a->folds * e->n_lambda, sizeof *deviance, "elastic net: folds", &deviance));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)threads * a->features, sizeof *coef, "elastic net: folds", &coef));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads, sizeof *f, "elastic net: threads", &f));
    for (int t = 0; t < threads; t++)
        NEP_TRY_OR_DONE(st, open_fitting(ctx, a, f + t));
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(+ : unsettled)
    for (int k = 0; k < a->folds; k++) {
        const int t = omp_get_thread_num();
        if (weight[k] > 0)
            unsettled += !fit_fold(f + t, o, e, k, coef + (int64_t)t * a->features, deviance + (int64_t)k * e->n_lambda);
    }
    e->converged = e->converged && !unsettled;
    choose(deviance, weight, a->folds, e);
    st = nep_ctx_check(ctx);
done:
    for (int t = 0; f && t < threads; t++)
        free_fitting(f + t);
    nep_alloc_free(f);
    nep_alloc_free(coef);
    nep_alloc_free(deviance);
    return st;
}

static nep_status open_net(nep_ctx *ctx, const nep_elastic_net_data *a, const nep_elastic_net_opts *o, nep_elastic_net *e)
{
    double **const arrays[] = {&e->lambda, &e->intercept, &e->explained, &e->deviance, &e->deviance_se};
    *e = (nep_elastic_net){.features = a->features, .best = -1, .one_se = -1, .converged = true};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY(nep_alloc(ctx, o->most_lambda, sizeof(double), "elastic net: path", arrays[i]));
    for (int l = 0; l < o->most_lambda; l++)
        e->deviance[l] = e->deviance_se[l] = NAN;
    return nep_alloc(ctx, (int64_t)o->most_lambda * a->features, sizeof *e->coef, "elastic net: path", &e->coef);
}

nep_status nep_elastic_net_fit(nep_ctx *ctx, const nep_elastic_net_data *data, const nep_elastic_net_opts *opts, nep_elastic_net **out)
{
    const nep_elastic_net_opts defaults = NEP_ELASTIC_NET_DEFAULTS, *o = opts ? opts : &defaults;
    nep_elastic_net *e = NULL;
    double *weight = NULL, *ones = NULL;
    fitting f = {0};
    nep_status st;
    NEP_TRY(check(ctx, data, o));
    const int folds = data->fold ? data->folds : 0;
    openblas_set_num_threads(1); /* more threads would change the bits */
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, folds, sizeof *weight, "elastic net: folds", &weight));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, folds, sizeof *ones, "elastic net: folds", &ones));
    NEP_TRY_OR_DONE(st, weigh_folds(ctx, data, folds, weight, ones));
    NEP_TRY_OR_DONE(st, open_fitting(ctx, data, &f));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *e, "elastic net: path", &e));
    NEP_TRY_OR_DONE(st, open_net(ctx, data, o, e));
    NEP_TRY_OR_DONE(st, fit_path(ctx, &f, o, e));
    if (folds)
        NEP_TRY_OR_DONE(st, cross_validate(ctx, data, o, weight, e));
    *out = e;
    e = NULL;
done:
    nep_elastic_net_free(e);
    free_fitting(&f);
    nep_alloc_free(ones);
    nep_alloc_free(weight);
    return st;
}

void nep_elastic_net_free(nep_elastic_net *e)
{
    if (!e)
        return;
    double *const arrays[] = {e->lambda, e->intercept, e->explained, e->deviance, e->deviance_se, e->coef};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        nep_alloc_free(arrays[i]);
    nep_alloc_free(e);
}

double nep_elastic_net_logit(const nep_elastic_net *e, int at, const double *x)
{
    double sum = e->intercept[at];
    for (int j = 0; j < e->features; j++)
        sum += e->coef[(int64_t)at * e->features + j] * x[j];
    return sum;
}
