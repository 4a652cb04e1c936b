/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_newton.c - the mode of the hierarchical model at given sigma. The Hessian is an arrow: groups meet each other through
 * the globals only, so each step factors one small block per group and one Schur complement. */
#include "rank/hierarchical.h"

#include <nepenthe/math/logit.h>

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

/* Where the sums of a group stand: likelihood, gradient, packed information (math/logit.h). */
static const double *sums_of(const work *k, const double *sums, int64_t j)
{
    return sums + j * nep_logit_size(k->d->width);
}

/* The log posterior at one place, of which `sums` tell the likelihood. */
static double posterior(const work *k, const double *sums, const double *global, const double *local)
{
    const rank_hierarchical_design *d = k->d;
    const rank_hierarchical_prior *p = k->p;
    double sum = 0;
    for (int64_t j = 0; j < d->groups; j++) {
        double prior = 0;
        if (times(k, j) == 0)
            continue;
        for (int a = 0; a < d->n_local; a++) {
            const double off = local[j * d->n_local + a] - (a ? 0 : p->alpha_mean[j]);
            prior += p->local_precision[a] * off * off;
        }
        sum += (double)times(k, j) * (sums_of(k, sums, j)[0] - 0.5 * prior);
    }
    for (int g = 0; g < d->n_global; g++)
        sum -= 0.5 * p->global_precision[g] * global[g] * global[g];
    return sum;
}

/* Factors one group's block and takes the group out: what is left for the globals is added, as often as the group counts, to k->schur
 * (upper triangle) and k->reduced. */
static bool eliminate_group(work *k, const double *sums, int64_t j)
{
    const rank_hierarchical_design *d = k->d;
    const rank_hierarchical_prior *p = k->p;
    const int W = d->width, L = d->n_local, G = d->n_global;
    const double *gradient = sums + 1, *packed = gradient + W, m = (double)times(k, j);
    double *H = k->hessian, *u = k->factor + j * L * L, *cross = k->cross + j * L * G, *left = k->local_step + j * L;

    for (int a = 0; a < W; a++)
        memcpy(H + a * W + a, packed + nep_packed_index(a, a, W), (size_t)(W - a) * sizeof *H);
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
    for (int a = 0; a < G; a++) {
        double tail = gradient[1 + a];
        for (int b = 0; b < L; b++)
            tail -= cross[b * G + a] * left[b];
        k->reduced[a] += m * tail;
        for (int b = a; b < G; b++)
            k->schur[a * G + b] += m * H[(a + 1) * W + b + 1];
    }
    triangle(u, false, L, G, cross);
    triangle(u, false, L, 1, left);
    return true;
}

/* Schur complement and reduced gradient of the globals at k->global, k->local, of which the sums are. */
static bool eliminate(work *k, const double *sums)
{
    const rank_hierarchical_design *d = k->d;
    const int G = d->n_global;
    memset(k->schur, 0, (size_t)G * (size_t)G * sizeof *k->schur);
    for (int g = 0; g < G; g++) {
        k->schur[g * G + g] = k->p->global_precision[g];
        k->reduced[g] = -k->p->global_precision[g] * k->global[g];
    }
    for (int64_t j = 0; j < d->groups; j++)
        if (times(k, j) > 0 && !eliminate_group(k, sums_of(k, sums, j), j))
            return false;
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

void rank_hierarchical_begin(work *k)
{
    k->phase = RANK_HIERARCHICAL_FIRST;
    k->converged = false;
    k->steps = 0;
}

void rank_hierarchical_ask(const work *k, double *at, int32_t *wanted)
{
    const rank_hierarchical_design *d = k->d;
    const bool trial = k->phase == RANK_HIERARCHICAL_TRIAL;
    const double *global = trial ? k->trial_global : k->global, *local = trial ? k->trial_local : k->local;
    for (int64_t j = 0; j < d->groups; j++) {
        double *v = at + j * d->width;
        v[0] = local[j * d->n_local];
        memcpy(v + 1, global, (size_t)d->n_global * sizeof *v);
        for (int c = 1; c < d->n_local; c++)
            v[c] += local[j * d->n_local + c];
        wanted[j] = times(k, j) > 0;
    }
}

/* From a place whose sums are known: the next place to try, or the end. */
static rank_hierarchical_phase next_step(work *k, const double *sums, int most_steps, double tolerance)
{
    if (!eliminate(k, sums) || !quadratic_program(k))
        return RANK_HIERARCHICAL_FAILED;
    if (k->steps == most_steps)
        return RANK_HIERARCHICAL_DONE;
    k->slope = whole_step(k);
    k->steps++;
    k->t = 1;
    move(k, 1, k->trial_global, k->trial_local);
    if (k->slope > tolerance)
        return RANK_HIERARCHICAL_TRIAL;
    accept(k); /* the last step is free of cost and halves no digit */
    k->converged = k->slope >= -tolerance;
    return RANK_HIERARCHICAL_DONE;
}

void rank_hierarchical_tell(work *k, const double *sums, int most_steps, double tolerance)
{
    if (k->phase == RANK_HIERARCHICAL_FIRST) {
        k->objective = posterior(k, sums, k->global, k->local);
    } else {
        const double at = posterior(k, sums, k->trial_global, k->trial_local);
        if (!(at >= k->objective + 1e-4 * k->t * k->slope - 1e-13 * fabs(k->objective)) && k->t >= 1e-10) {
            k->t *= 0.5;
            move(k, k->t, k->trial_global, k->trial_local);
            return;
        }
        k->objective = at;
        accept(k);
    }
    k->phase = next_step(k, sums, most_steps, tolerance);
}

bool rank_hierarchical_ended(const work *k)
{
    return k->phase == RANK_HIERARCHICAL_DONE || k->phase == RANK_HIERARCHICAL_FAILED;
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
    *k = (work){.d = d, .p = p};
    const struct {
        int64_t n;
        double **at;
    } arrays[] = {{G, &k->global},         {J * L, &k->local},     {G, &k->trial_global},  {J * L, &k->trial_local},
                  {W * W, &k->hessian},    {J * L * L, &k->factor}, {J * L * G, &k->cross},
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
    double *const arrays[] = {k->global, k->local, k->trial_global, k->trial_local, k->hessian, k->factor, k->cross, k->local_step,
                              k->local_gradient, k->schur, k->reduced, k->step, k->small, k->right};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        nep_alloc_free(arrays[i]);
    nep_alloc_free(k->index);
    nep_alloc_free(k->active);
    *k = (work){0};
}
