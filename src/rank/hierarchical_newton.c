/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_newton.c - the mode of the hierarchical model at given sigma. The Hessian is an arrow: groups meet each other through
 * the globals only, so each step factors one small block per group and one Schur complement. */
#include "rank/hierarchical.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

typedef rank_hierarchical_work work;

static int64_t times(const work *k, int64_t j)
{
    return k->multiplicity ? k->multiplicity[j] : 1;
}

/* The upper triangle of a row-major matrix is the lower one of LAPACK's column-major: a = u' u. */
static bool factor_upper(double *a, int n)
{
    return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, a, n) == 0;
}

/* b [n, m] becomes u'^-1 b (transposed) or u^-1 b. */
static void triangle(const double *u, bool transposed, int n, int m, double *b)
{
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, n, m, 1.0, u, n, b, m);
}

/* Log likelihood of a group, its gradient along f, and the residuals' curvature, at one place. */
static void look_at_group(work *k, int64_t j, const double *global, const double *local)
{
    const rank_hierarchical_design *d = k->d;
    const int64_t from = d->start[j], n = d->start[j + 1] - from;
    const int W = d->width, L = d->n_local;
    const double *f = d->f + from * W, *own = local + j * L;
    double *gradient = k->gradient + j * W, *r = k->residual + from, *h = k->curvature + from;
    double *v = gradient; /* the coefficients of f, overwritten by the gradient at the end */
    double sum = 0;

    v[0] = own[0];
    memcpy(v + 1, global, (size_t)d->n_global * sizeof *v);
    for (int c = 1; c < L; c++)
        v[c] += own[c];
    k->likelihood[j] = 0;
    if (n == 0) {
        memset(gradient, 0, (size_t)W * sizeof *gradient);
        return;
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (blasint)n, W, 1.0, f, W, v, 1, 0.0, r, 1);
    for (int64_t i = 0; i < n; i++) {
        const double t = r[i], e = exp(-fabs(t)), q = 1 / (1 + e), p = t >= 0 ? q : 1 - q;
        const double w = d->w[from + i], y = d->y[from + i];
        sum += w * (y * t - fmax(t, 0) - log1p(e));
        r[i] = w * (y - p);
        h[i] = w * e * q * q;
    }
    k->likelihood[j] = sum;
    cblas_dgemv(CblasRowMajor, CblasTrans, (blasint)n, W, 1.0, f, W, r, 1, 0.0, gradient, 1);
}

/* The log posterior at one place; likelihood, gradient and curvature of every group are left in the work. */
static double look(work *k, const double *global, const double *local)
{
    const rank_hierarchical_design *d = k->d;
    const rank_hierarchical_prior *p = k->p;
    double sum = 0;
#pragma omp parallel for num_threads(k->threads) schedule(dynamic) if (k->threads > 1)
    for (int64_t j = 0; j < d->groups; j++)
        if (times(k, j) > 0)
            look_at_group(k, j, global, local);
    for (int64_t j = 0; j < d->groups; j++) {
        double prior = 0;
        if (times(k, j) == 0)
            continue;
        for (int a = 0; a < d->n_local; a++) {
            const double off = local[j * d->n_local + a] - (a ? 0 : p->alpha_mean[j]);
            prior += p->local_precision[a] * off * off;
        }
        sum += (double)times(k, j) * (k->likelihood[j] - 0.5 * prior);
    }
    for (int g = 0; g < d->n_global; g++)
        sum -= 0.5 * p->global_precision[g] * global[g] * global[g];
    return sum;
}

/* Hessian of one group from the curvature, its factor, and what is left of it for the globals once the group is eliminated: the
 * lower right block of k->hessian and the tail of k->gradient. */
static bool eliminate_group(work *k, int64_t j)
{
    const rank_hierarchical_design *d = k->d;
    const rank_hierarchical_prior *p = k->p;
    const int W = d->width, L = d->n_local, G = d->n_global;
    const int64_t from = d->start[j], n = d->start[j + 1] - from;
    const double *f = d->f + from * W, *h = k->curvature + from;
    double *scaled = k->scaled + from * W, *H = k->hessian + j * W * W, *u = k->factor + j * L * L, *cross = k->cross + j * L * G;
    double *left = k->local_step + j * L, *gradient = k->gradient + j * W;

    for (int64_t i = 0; i < n; i++) {
        const double root = sqrt(h[i]);
        for (int a = 0; a < W; a++)
            scaled[i * W + a] = root * f[i * W + a];
    }
    if (n)
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, W, (blasint)n, 1.0, scaled, W, 0.0, H, W);
    else
        memset(H, 0, (size_t)W * (size_t)W * sizeof *H);
    for (int a = 0; a < L; a++) {
        const double off = k->local[j * L + a] - (a ? 0 : p->alpha_mean[j]);
        left[a] = k->local_gradient[j * L + a] = gradient[a] - p->local_precision[a] * off;
        for (int b = 0; b < L; b++)
            u[a * L + b] = b >= a ? H[a * W + b] : 0;
        u[a * L + a] += p->local_precision[a];
        for (int g = 0; g < G; g++)
            cross[a * G + g] = g + 1 >= a ? H[a * W + 1 + g] : H[(1 + g) * W + a];
    }
    if (!factor_upper(u, L))
        return false;
    triangle(u, true, L, G, cross);
    triangle(u, true, L, 1, left);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, G, L, -1.0, cross, G, 1.0, H + W + 1, W);
    cblas_dgemv(CblasRowMajor, CblasTrans, L, G, -1.0, cross, G, left, 1, 1.0, gradient + 1, 1);
    triangle(u, false, L, G, cross);
    triangle(u, false, L, 1, left);
    return true;
}

/* Schur complement and reduced gradient of the globals at the place of the last look, which must be k->global, k->local. */
static bool eliminate(work *k)
{
    const rank_hierarchical_design *d = k->d;
    const int W = d->width, G = d->n_global;
    int failed = 0;
#pragma omp parallel for num_threads(k->threads) schedule(dynamic) reduction(+ : failed) if (k->threads > 1)
    for (int64_t j = 0; j < d->groups; j++)
        if (times(k, j) > 0 && !eliminate_group(k, j))
            failed++;
    if (failed)
        return false;
    memset(k->schur, 0, (size_t)G * (size_t)G * sizeof *k->schur);
    for (int g = 0; g < G; g++) {
        k->schur[g * G + g] = k->p->global_precision[g];
        k->reduced[g] = -k->p->global_precision[g] * k->global[g];
    }
    for (int64_t j = 0; j < d->groups; j++) {
        const double m = (double)times(k, j), *H = k->hessian + j * W * W, *gradient = k->gradient + j * W;
        for (int a = 0; m > 0 && a < G; a++) {
            for (int b = a; b < G; b++)
                k->schur[a * G + b] += m * H[(a + 1) * W + b + 1];
            k->reduced[a] += m * gradient[a + 1];
        }
    }
    for (int a = 0; a < G; a++)
        for (int b = 0; b < a; b++)
            k->schur[a * G + b] = k->schur[b * G + a];
    return true;
}

/* Factor of the Schur complement over what is free, in k->small; k->index lists it. Returns its size, -1 on failure. */
static int factor_free(work *k)
{
    const int G = k->d->n_global;
    int m = 0;
    for (int g = 0; g < G; g++)
        if (!k->active[g] && !k->p->held[g])
            k->index[m++] = g;
    for (int a = 0; a < m; a++)
        for (int b = 0; b < m; b++)
            k->small[a * m + b] = b >= a ? k->schur[k->index[a] * G + k->index[b]] : 0;
    return factor_upper(k->small, m) ? m : -1;
}

/* One round of the quadratic program: solves over what is free and walks there, or to the first bound on the way. Returns 1 when a
 * bound was met, 0 when not, -1 on failure. */
static int walk_to_bound(work *k)
{
    const int G = k->d->n_global;
    const int m = factor_free(k);
    double most = 1;
    int met = -1;
    if (m < 0)
        return -1;
    for (int a = 0; a < m; a++) {
        double s = k->reduced[k->index[a]];
        for (int g = 0; g < G; g++) /* what is held keeps its step, -global of it */
            s -= k->active[g] ? k->schur[k->index[a] * G + g] * k->step[g] : 0;
        k->right[a] = s;
    }
    triangle(k->small, true, m, 1, k->right);
    triangle(k->small, false, m, 1, k->right);
    for (int a = 0; a < m; a++) {
        const int g = k->index[a];
        const double at = k->global[g] + k->step[g], to = k->global[g] + k->right[a];
        if (k->p->bounded[g] && to < 0 && at < most * (at - to)) {
            most = at / (at - to);
            met = g;
        }
    }
    for (int a = 0; a < m; a++)
        k->step[k->index[a]] += most * (k->right[a] - k->step[k->index[a]]);
    if (met < 0)
        return 0;
    k->step[met] = -k->global[met];
    k->active[met] = true;
    return 1;
}

/* Slope of the quadratic model along global g at the present step. */
static double slope_after_step(const work *k, int g)
{
    double s = k->reduced[g];
    for (int b = 0; b < k->d->n_global; b++)
        s -= k->schur[g * k->d->n_global + b] * k->step[b];
    return s;
}

/* The step of the globals that maximises the quadratic model under the bounds: a primal active-set method. It ends because the
 * model strictly rises between two sets; the cap is for rounding alone. */
static bool quadratic_program(work *k)
{
    const int G = k->d->n_global;
    memset(k->step, 0, (size_t)G * sizeof *k->step);
    for (int g = 0; g < G; g++)
        k->active[g] = k->p->bounded[g] && !k->p->held[g] && k->global[g] <= 0;
    for (int round = 0; round < 20 * (G + 1); round++) {
        const int met = walk_to_bound(k);
        if (met < 0)
            return false;
        if (met)
            continue;
        int worst = -1;
        double steepest = 1e-12;
        for (int g = 0; g < G; g++) {
            const double s = k->active[g] ? slope_after_step(k, g) : 0;
            if (s > steepest) {
                steepest = s;
                worst = g;
            }
        }
        if (worst < 0)
            return true;
        k->active[worst] = false;
    }
    return true;
}

/* Steps of the groups that go with the globals' step; returns the slope of the log posterior along all of it. */
static double whole_step(work *k)
{
    const rank_hierarchical_design *d = k->d;
    const int L = d->n_local, G = d->n_global;
    double slope = 0;
    for (int g = 0; g < G; g++)
        slope += k->step[g] * k->reduced[g];
    for (int64_t j = 0; j < d->groups; j++) {
        double own = 0;
        if (times(k, j) == 0)
            continue;
        /* the reduced gradient already holds what the globals move in the group */
        for (int a = 0; a < L; a++)
            own += k->local_gradient[j * L + a] * k->local_step[j * L + a];
        slope += (double)times(k, j) * own;
        cblas_dgemv(CblasRowMajor, CblasNoTrans, L, G, -1.0, k->cross + j * L * G, G, k->step, 1, 1.0, k->local_step + j * L, 1);
    }
    return slope;
}

static void move(work *k, double t, double *global, double *local)
{
    const rank_hierarchical_design *d = k->d;
    for (int g = 0; g < d->n_global; g++) {
        global[g] = k->global[g] + t * k->step[g];
        if (k->p->bounded[g] && (global[g] < 0 || (t >= 1 && k->active[g])))
            global[g] = 0;
    }
    for (int64_t j = 0; j < d->groups; j++)
        for (int a = 0; a < d->n_local; a++)
            local[j * d->n_local + a] = k->local[j * d->n_local + a] + (times(k, j) > 0 ? t * k->local_step[j * d->n_local + a] : 0);
}

static void accept(work *k)
{
    double *swap = k->global;
    k->global = k->trial_global;
    k->trial_global = swap;
    swap = k->local;
    k->local = k->trial_local;
    k->trial_local = swap;
}

bool rank_hierarchical_solve(work *k, int most_steps, double tolerance)
{
    k->converged = false;
    k->objective = look(k, k->global, k->local);
    for (int step = 0; step < most_steps; step++) {
        if (!eliminate(k) || !quadratic_program(k))
            return false;
        const double slope = whole_step(k);
        k->steps++;
        if (!(slope > tolerance)) { /* the last step is free of cost and halves no digit */
            move(k, 1, k->trial_global, k->trial_local);
            accept(k);
            k->converged = slope >= -tolerance;
            return true;
        }
        for (double t = 1;; t *= 0.5) {
            move(k, t, k->trial_global, k->trial_local);
            const double at = look(k, k->trial_global, k->trial_local);
            if (at >= k->objective + 1e-4 * t * slope - 1e-13 * fabs(k->objective) || t < 1e-10) {
                k->objective = at;
                break;
            }
        }
        accept(k);
    }
    return eliminate(k) && quadratic_program(k);
}

double rank_hierarchical_covariance(work *k, double *out)
{
    const int G = k->d->n_global, m = factor_free(k);
    double logdet = 0;
    if (m < 0)
        return NAN;
    for (int a = 0; a < m; a++)
        logdet += 2 * log(k->small[a * m + a]);
    if (m && LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', m, k->small, m) != 0)
        return NAN;
    memset(out, 0, (size_t)G * (size_t)G * sizeof *out);
    for (int a = 0; a < m; a++)
        for (int b = 0; b < m; b++)
            out[k->index[a] * G + k->index[b]] = k->small[b >= a ? a * m + b : b * m + a];
    return logdet;
}

nep_status rank_hierarchical_work_open(nep_ctx *ctx, const rank_hierarchical_design *d, const rank_hierarchical_prior *p, work *k)
{
    const int64_t J = d->groups, L = d->n_local, G = d->n_global, W = d->width;
    *k = (work){.d = d, .p = p, .threads = 1};
    const struct {
        int64_t n;
        double **at;
    } arrays[] = {{G, &k->global},         {J * L, &k->local},     {G, &k->trial_global},  {J * L, &k->trial_local},
                  {d->n, &k->residual},    {d->n, &k->curvature},  {d->n * W, &k->scaled}, {J * W * W, &k->hessian},
                  {J, &k->likelihood},     {J * W, &k->gradient},  {J * L * L, &k->factor}, {J * L * G, &k->cross},
                  {J * L, &k->local_step}, {J * L, &k->local_gradient}, {G * G, &k->schur}, {G, &k->reduced},
                  {G, &k->step},           {G * G, &k->small},     {G, &k->right}};
    nep_status st;
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, arrays[i].n, sizeof(double), "hierarchical: work", arrays[i].at));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, G, sizeof *k->index, "hierarchical: work", &k->index));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, G, sizeof *k->active, "hierarchical: work", &k->active));
done:
    if (st != NEP_OK)
        rank_hierarchical_work_free(k);
    return st;
}

void rank_hierarchical_work_free(work *k)
{
    double *const arrays[] = {k->global, k->local, k->trial_global, k->trial_local, k->residual, k->curvature, k->scaled,
                              k->hessian, k->likelihood, k->gradient, k->factor, k->cross, k->local_step, k->local_gradient,
                              k->schur, k->reduced, k->step, k->small, k->right};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        nep_alloc_free(arrays[i]);
    nep_alloc_free(k->index);
    nep_alloc_free(k->active);
    *k = (work){0};
}
