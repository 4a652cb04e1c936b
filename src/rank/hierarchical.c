/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical.c - the hierarchical logistic regression: mode, sigma, Laplace covariance and evidence. */
#include "rank/hierarchical.h"

#include "rank/normal.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

const char *nep_hierarchical_state_name(nep_hierarchical_state s)
{
    static const char *const names[] = {"used", "constant", "silent"};
    return names[s];
}


static bool positive(double v)
{
    return isfinite(v) && v > 0;
}

static nep_status check_opts(nep_ctx *ctx, const nep_hierarchical_data *a, const nep_hierarchical_opts *o)
{
    NEP_REQUIRE(ctx, positive(o->alpha_sd) && positive(o->beta_sd) && positive(o->delta_sd) && positive(o->gamma_sd) &&
                positive(o->sigma_scale), NEP_E_ARG, "hierarchical: every SD of a prior must be finite and above 0");
    NEP_REQUIRE(ctx, o->most_em >= 0 && o->most_steps >= 1 && o->tolerance > 0, NEP_E_ARG,
                "hierarchical: most_em %d, most_steps %d, tolerance %g: must be >= 0, >= 1, > 0", o->most_em, o->most_steps, o->tolerance);
    NEP_REQUIRE(ctx, o->dropout >= 0 && o->dropout <= 1000 && o->dropout_rate >= 0 && o->dropout_rate < 1, NEP_E_ARG,
                "hierarchical: dropout %d copies at rate %g: must lie in [0, 1000] and [0, 1)", o->dropout, o->dropout_rate);
    for (int c = 0; o->sigma && a && c < a->channels; c++)
        NEP_REQUIRE(ctx, o->sigma[c] >= 0 && isfinite(o->sigma[c]), NEP_E_ARG,
                    "hierarchical: sigma of channel %d is %g, must be finite and not negative", c, o->sigma[c]);
    return NEP_OK;
}

static nep_status open_fit(nep_ctx *ctx, const rank_hierarchical_design *d, const nep_hierarchical_opts *o, nep_hierarchical *h)
{
    const int64_t J = d->groups, C = d->channels, L = d->n_local, G = d->n_global;
    *h = (nep_hierarchical){.channels = d->channels, .nuisances = d->nuisances, .n_local = d->n_local, .n_global = d->n_global,
                            .groups = J, .alpha_sd = o->alpha_sd};
    const struct {
        int64_t n;
        double **at;
    } arrays[] = {{G, &h->global}, {J * L, &h->local}, {C, &h->sigma}, {J, &h->prior_logit}, {C, &h->slope}, {C, &h->beta_low},
                  {C, &h->beta_high}, {G * G, &h->covariance}, {J * L * L, &h->local_inverse}, {J * L * G, &h->local_cross}};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY(nep_alloc(ctx, arrays[i].n, sizeof(double), "hierarchical: fit", arrays[i].at));
    NEP_TRY(nep_alloc_copy(ctx, d->state, C, sizeof *h->state, "hierarchical: fit", &h->state));
    NEP_TRY(nep_alloc_copy(ctx, d->rows, J, sizeof *h->rows, "hierarchical: fit", &h->rows));
    NEP_TRY(nep_alloc_copy(ctx, d->positives, J, sizeof *h->positives, "hierarchical: fit", &h->positives));
    NEP_TRY(nep_alloc(ctx, C, sizeof *h->oriented, "hierarchical: fit", &h->oriented));
    for (int64_t c = 0; c < C; c++)
        h->oriented[c] = !o->oriented || o->oriented[c];
    return nep_alloc(ctx, C, sizeof *h->at_zero, "hierarchical: fit", &h->at_zero);
}

/* The mode at h->sigma from where the work stands, its covariance and the inverse of each group's block. */
static nep_status fit_at_sigma(nep_ctx *ctx, rank_hierarchical_work *k, rank_hierarchical_prior *p, const nep_hierarchical_opts *o,
                               nep_hierarchical *h, double *logdet)
{
    const rank_hierarchical_design *d = k->d;
    const int L = d->n_local;
    rank_hierarchical_prior_sigma(p, h->sigma, d->channels);
    NEP_TRY(rank_hierarchical_solve(ctx, k, 1, NULL, 1, NULL, o));
    h->steps += k->steps;
    *logdet = k->phase == RANK_HIERARCHICAL_DONE ? rank_hierarchical_covariance(k, h->covariance) : NAN;
    for (int64_t j = 0; j < d->groups && !isnan(*logdet); j++) {
        double *inverse = h->local_inverse + j * L * L;
        memcpy(inverse, k->factor + j * L * L, (size_t)L * (size_t)L * sizeof *inverse);
        for (int a = 0; a < L; a++)
            *logdet += 2 * log(inverse[a * L + a]);
        if (LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', L, inverse, L) != 0)
            *logdet = NAN;
        for (int a = 0; a < L; a++)
            for (int b = 0; b < a; b++)
                inverse[a * L + b] = inverse[b * L + a];
    }
    NEP_REQUIRE(ctx, isfinite(*logdet), NEP_E_SINGULAR,
                "hierarchical: the Hessian could not be factored; scale the channels and nuisances so that 1 is a large difference");
    return nep_ctx_check(ctx);
}

/* Posterior variance of b_jc: its group's block and what the globals' uncertainty adds. */
static double group_effect_variance(const rank_hierarchical_work *k, const nep_hierarchical *h, int64_t j, int c)
{
    const int L = h->n_local, G = h->n_global;
    const double *t = k->cross + (j * L + 1 + c) * G;
    double v = h->local_inverse[(j * L + 1 + c) * L + 1 + c];
    for (int a = 0; a < G; a++)
        v += t[a] * cblas_ddot(G, h->covariance + a * G, 1, t, 1);
    return v;
}

/* What the groups say of one channel's sigma: of group j's effect b, precision[j] and information[j] = precision * estimate from the
 * likelihood alone, as the posterior's mean and variance imply at the present sigma. */
typedef struct {
    int64_t n;
    double *precision, *information;
    double scale;
} effects;

/* Log marginal posterior of log sigma, up to a constant. */
static double sigma_height(const effects *e, double log_sigma)
{
    const double v = exp(2 * log_sigma);
    double sum = log_sigma - 0.5 * v / (e->scale * e->scale);
    for (int64_t i = 0; i < e->n; i++)
        sum += 0.5 * (e->information[i] * e->information[i] * v / (1 + e->precision[i] * v) - log1p(e->precision[i] * v));
    return sum;
}

/* Its maximum: the best of a grid over five decades below 10 scale, refined by golden sections. */
static double best_sigma(const effects *e)
{
    enum { GRID = 64 };
    static const double golden = 0.61803398874989485;
    const double top = log(10 * e->scale), width = 5 * 2.302585092994046 / GRID;
    int best = 0;
    for (int i = 1; i <= GRID; i++)
        if (sigma_height(e, top - i * width) > sigma_height(e, top - best * width))
            best = i;
    double low = top - (best + 1) * width, high = top - (best - 1) * width;
    while (high - low > 1e-9) {
        const double a = high - golden * (high - low), b = low + golden * (high - low);
        if (sigma_height(e, a) > sigma_height(e, b))
            high = b;
        else
            low = a;
    }
    return exp(0.5 * (low + high));
}

/* One update of sigma; returns the largest move. It has the fixed points of expectation-maximisation, (J - 1) sigma^2 + sigma^4 / scale^2
 * = sum of E b^2 (J groups; 1 for the mode of log sigma, which cannot fall to 0), and gets there in a few steps where EM takes hundreds,
 * because the maximisation also foresees how the posterior of b follows sigma. Groups in which the channel is silent do not count. */
static double update_sigma(const rank_hierarchical_work *k, const nep_hierarchical_opts *o, effects *e, nep_hierarchical *h)
{
    const rank_hierarchical_design *d = k->d;
    double moved = 0;
    for (int c = 0; c < d->channels; c++) {
        if (d->state[c] != NEP_HIERARCHICAL_USED)
            continue;
        *e = (effects){.precision = e->precision, .information = e->information, .scale = o->sigma_scale};
        for (int64_t j = 0; j < d->groups; j++) {
            bool speaks = false;
            for (int64_t i = d->start[j]; i < d->start[j + 1] && !speaks; i++)
                speaks = d->f[i * d->width + 1 + c] != 0;
            if (!speaks)
                continue;
            const double b = k->local[j * d->n_local + 1 + c], v = group_effect_variance(k, h, j, c);
            e->precision[e->n] = fmax(0, 1 / v - 1 / (h->sigma[c] * h->sigma[c]));
            e->information[e->n++] = b / v;
        }
        const double next = best_sigma(e);
        moved = fmax(moved, fabs(next - h->sigma[c]));
        h->sigma[c] = next;
    }
    return moved;
}

/* Interval of each beta along its own axis, and what the bounds take from or give to the evidence. */
static double look_at_bounds(rank_hierarchical_work *k, nep_hierarchical *h)
{
    const int G = h->n_global;
    double sum = 0;
    for (int c = 0; c < h->channels; c++) {
        const double *row = k->schur + c * G;
        const bool bounded = k->p->bounded[c];
        h->at_zero[c] = k->active[c];
        h->slope[c] = k->reduced[c];
        if (k->p->held[c])
            continue;
        double mean = h->global[c], sd = sqrt(h->covariance[c * G + c]), bound = 0;
        if (h->at_zero[c]) {
            double precision = row[c]; /* given the group effects' and the other globals' best answers */
            for (int a = 0; a < G; a++)
                precision -= row[a] * cblas_ddot(G, h->covariance + a * G, 1, row, 1);
            mean = h->slope[c] / precision;
            sd = 1 / sqrt(precision);
            bound = 0.5 * log(k->p->global_precision[c] / precision) + 0.5 * mean * mean / (sd * sd);
        }
        h->beta_low[c] = bounded ? rank_normal_cut_point(mean, sd, 0.95) : mean + sd * rank_normal_quantile(0.05);
        h->beta_high[c] = bounded ? rank_normal_cut_point(mean, sd, 0.05) : mean + sd * rank_normal_quantile(0.95);
        if (bounded)
            sum += bound + rank_normal_log_cdf(mean / sd) + 0.69314718055994531;
    }
    return sum;
}

/* Everything that is read from the last step. */
static void gather(rank_hierarchical_work *k, double logdet, nep_hierarchical *h)
{
    const rank_hierarchical_design *d = k->d;
    double prior = 0;
    memcpy(h->global, k->global, (size_t)d->n_global * sizeof *h->global);
    memcpy(h->local, k->local, (size_t)(d->groups * d->n_local) * sizeof *h->local);
    memcpy(h->local_cross, k->cross, (size_t)(d->groups * d->n_local * d->n_global) * sizeof *h->local_cross);
    memcpy(h->prior_logit, k->p->alpha_mean, (size_t)d->groups * sizeof *h->prior_logit);
    for (int a = 0; a < d->n_local; a++)
        prior += (double)d->groups * log(k->p->local_precision[a]);
    for (int g = 0; g < d->n_global; g++)
        prior += k->active[g] || k->p->held[g] ? 0 : log(k->p->global_precision[g]);
    h->log_posterior = k->objective;
    h->log_evidence = k->objective + 0.5 * (prior - logdet) + look_at_bounds(k, h);
}

static nep_status run(nep_ctx *ctx, rank_hierarchical_work *k, rank_hierarchical_prior *p, const nep_hierarchical_opts *o,
                      effects *e, nep_hierarchical *h)
{
    const rank_hierarchical_design *d = k->d;
    double logdet = 0, moved = 0;
    bool settled = true;
    for (int c = 0; c < d->channels; c++)
        h->sigma[c] = d->state[c] != NEP_HIERARCHICAL_USED ? 0 : o->sigma ? o->sigma[c] : o->sigma_scale;
    for (int64_t j = 0; j < d->groups; j++)
        k->local[j * d->n_local] = p->alpha_mean[j];
    NEP_TRY(fit_at_sigma(ctx, k, p, o, h, &logdet));
    for (int em = 0; !o->sigma && em < o->most_em; em++) {
        moved = update_sigma(k, o, e, h);
        h->em_steps++;
        NEP_TRY(fit_at_sigma(ctx, k, p, o, h, &logdet));
        settled = moved <= 1e-5;
        if (settled)
            break;
    }
    h->converged = k->converged && settled;
    gather(k, logdet, h);
    return NEP_OK;
}

nep_status nep_hierarchical_fit(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *opts,
                                nep_hierarchical **out)
{
    const nep_hierarchical_opts defaults = NEP_HIERARCHICAL_DEFAULTS, *o = opts ? opts : &defaults;
    rank_hierarchical_design d = {0};
    rank_hierarchical_prior p = {0};
    rank_hierarchical_work k = {0};
    nep_hierarchical *h = NULL;
    effects e = {0};
    nep_status st;

    NEP_TRY(check_opts(ctx, data, o));
    openblas_set_num_threads(1); /* more threads would change the bits */
    NEP_TRY_OR_DONE(st, rank_hierarchical_pack(ctx, data, o, &d));
    NEP_TRY_OR_DONE(st, rank_hierarchical_prior_open(ctx, &d, data->prior, o, &p));
    NEP_TRY_OR_DONE(st, rank_hierarchical_work_open(ctx, &d, &p, &k));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *h, "hierarchical: fit", &h));
    NEP_TRY_OR_DONE(st, open_fit(ctx, &d, o, h));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.groups, sizeof *e.precision, "hierarchical: effects", &e.precision));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.groups, sizeof *e.information, "hierarchical: effects", &e.information));
    NEP_TRY_OR_DONE(st, run(ctx, &k, &p, o, &e, h));
    *out = h;
    h = NULL;
done:
    nep_alloc_free(e.precision);
    nep_alloc_free(e.information);
    nep_hierarchical_free(h);
    rank_hierarchical_work_free(&k);
    rank_hierarchical_prior_free(&p);
    rank_hierarchical_design_free(&d);
    return st;
}

void nep_hierarchical_free(nep_hierarchical *h)
{
    if (!h)
        return;
    double *const arrays[] = {h->global, h->local, h->sigma, h->prior_logit, h->slope, h->beta_low, h->beta_high, h->covariance,
                              h->local_inverse, h->local_cross};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        nep_alloc_free(arrays[i]);
    nep_alloc_free(h->state);
    nep_alloc_free(h->oriented);
    nep_alloc_free(h->at_zero);
    nep_alloc_free(h->rows);
    nep_alloc_free(h->positives);
    nep_alloc_free(h);
}
