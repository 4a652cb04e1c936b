/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical_design.c - checks the data of the hierarchical model and packs them by group, with copies that drop channels. */
#include "rank/hierarchical.h"

#include <math.h>

static bool counts(const nep_hierarchical_data *a, int64_t i)
{
    return (a->y[i] == 0 || a->y[i] == 1) && (!a->weight || a->weight[i] > 0);
}

static nep_status check(nep_ctx *ctx, const nep_hierarchical_data *a)
{
    int64_t used = 0;
    NEP_REQUIRE(ctx, a && a->x && a->y && a->group && a->prior && (a->nuisance || a->nuisances == 0), NEP_E_ARG,
                "hierarchical: an array is NULL");
    NEP_REQUIRE(ctx, a->n >= 1 && a->groups >= 1 && a->channels >= 1 && a->nuisances >= 0, NEP_E_ARG,
                "hierarchical: n %lld, groups %lld, channels %d, nuisances %d: at least one of each is needed (nuisances may be 0)",
                (long long)a->n, (long long)a->groups, a->channels, a->nuisances);
    for (int64_t j = 0; j < a->groups; j++)
        NEP_REQUIRE(ctx, a->prior[j] > 0 && a->prior[j] < 1, NEP_E_ARG, "hierarchical: prior of group %lld is %g, must lie in (0, 1)",
                    (long long)j, a->prior[j]);
    for (int64_t i = 0; i < a->n; i++) {
        NEP_REQUIRE(ctx, a->group[i] >= 0 && a->group[i] < a->groups, NEP_E_ARG, "hierarchical: row %lld has group %d of %lld",
                    (long long)i, a->group[i], (long long)a->groups);
        NEP_REQUIRE(ctx, !a->weight || (a->weight[i] >= 0 && isfinite(a->weight[i])), NEP_E_ARG,
                    "hierarchical: row %lld has weight %g, must be finite and not negative", (long long)i, a->weight[i]);
        for (int q = 0; q < a->nuisances; q++)
            NEP_REQUIRE(ctx, isfinite(a->nuisance[i * a->nuisances + q]), NEP_E_ARG,
                        "hierarchical: nuisance %d of row %lld is not finite; a nuisance must be known for every pair", q, (long long)i);
        for (int c = 0; c < a->channels; c++)
            NEP_REQUIRE(ctx, !isinf(a->x[i * a->channels + c]), NEP_E_ARG, "hierarchical: channel %d of row %lld is infinite", c,
                        (long long)i);
        used += counts(a, i);
    }
    NEP_REQUIRE(ctx, used > 0, NEP_E_ARG, "hierarchical: no row has a label 0 or 1 and a weight above 0");
    return NEP_OK;
}

/* What each channel says over the rows that count. */
static void look_at_channels(const nep_hierarchical_data *a, rank_hierarchical_design *d)
{
    for (int c = 0; c < a->channels; c++) {
        double first = NAN;
        d->state[c] = NEP_HIERARCHICAL_SILENT;
        for (int64_t i = 0; i < a->n; i++) {
            const double v = a->x[i * a->channels + c];
            if (!counts(a, i) || isnan(v))
                continue;
            if (d->state[c] == NEP_HIERARCHICAL_SILENT) {
                first = v;
                d->state[c] = NEP_HIERARCHICAL_CONSTANT;
            } else if (v != first) {
                d->state[c] = NEP_HIERARCHICAL_USED;
                break;
            }
        }
    }
}

/* One row; `copy` 0 is the row as it is. */
static void fill_row(const nep_hierarchical_data *a, const nep_hierarchical_opts *o, const nep_hierarchical_state *state, int64_t i,
                     int copy, double *f)
{
    const int C = a->channels;
    f[0] = 1;
    for (int c = 0; c < C; c++) {
        const double v = a->x[i * C + c];
        const bool dropped = copy > 0 && nep_philox_uniform(o->seed, (uint64_t)copy, (uint64_t)(i * C + c)) < o->dropout_rate;
        const bool there = !isnan(v) && !dropped;
        f[1 + c] = there && state[c] == NEP_HIERARCHICAL_USED ? v : 0;
        f[1 + C + c] = !there && state[c] != NEP_HIERARCHICAL_SILENT ? 1 : 0;
    }
    for (int q = 0; q < a->nuisances; q++)
        f[1 + 2 * C + q] = a->nuisance[i * a->nuisances + q];
}

/* Places rows in the order of their groups, copies of a row side by side. */
static void fill(const nep_hierarchical_data *a, const nep_hierarchical_opts *o, rank_hierarchical_design *d, int64_t *next)
{
    const int copies = 1 + o->dropout;
    for (int64_t i = 0; i < a->n; i++) {
        if (!counts(a, i))
            continue;
        const int32_t j = a->group[i];
        d->rows[j]++;
        d->positives[j] += a->y[i];
        for (int copy = 0; copy < copies; copy++) {
            const int64_t at = next[j]++;
            d->row[at] = i;
            d->y[at] = a->y[i];
            d->w[at] = (a->weight ? a->weight[i] : 1.0) / copies;
            fill_row(a, o, d->state, i, copy, d->f + at * d->width);
        }
    }
}

nep_status rank_hierarchical_pack(nep_ctx *ctx, const nep_hierarchical_data *a, const nep_hierarchical_opts *o,
                                  rank_hierarchical_design *d)
{
    int64_t *next = NULL;
    nep_status st;
    *d = (rank_hierarchical_design){0};
    NEP_TRY(check(ctx, a));
    d->channels = a->channels;
    d->nuisances = a->nuisances;
    d->n_local = 1 + a->channels;
    d->n_global = 2 * a->channels + a->nuisances;
    d->width = 1 + d->n_global;
    d->groups = a->groups;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->groups + 1, sizeof *d->start, "hierarchical: groups", &d->start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->groups, sizeof *next, "hierarchical: groups", &next));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->groups, sizeof *d->rows, "hierarchical: groups", &d->rows));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->groups, sizeof *d->positives, "hierarchical: groups", &d->positives));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->channels, sizeof *d->state, "hierarchical: channels", &d->state));
    for (int64_t i = 0; i < a->n; i++)
        if (counts(a, i))
            d->start[a->group[i] + 1] += 1 + o->dropout;
    for (int64_t j = 0; j < d->groups; j++) {
        d->start[j + 1] += d->start[j];
        next[j] = d->start[j];
    }
    d->n = d->start[d->groups];
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *d->row, "hierarchical: rows", &d->row));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *d->y, "hierarchical: rows", &d->y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *d->w, "hierarchical: rows", &d->w));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n * d->width, sizeof *d->f, "hierarchical: rows", &d->f));
    look_at_channels(a, d);
    fill(a, o, d, next);
done:
    nep_alloc_free(next);
    if (st != NEP_OK)
        rank_hierarchical_design_free(d);
    return st;
}

void rank_hierarchical_design_free(rank_hierarchical_design *d)
{
    nep_alloc_free(d->start);
    nep_alloc_free(d->row);
    nep_alloc_free(d->f);
    nep_alloc_free(d->y);
    nep_alloc_free(d->w);
    nep_alloc_free(d->rows);
    nep_alloc_free(d->positives);
    nep_alloc_free(d->state);
    *d = (rank_hierarchical_design){0};
}

nep_status rank_hierarchical_prior_open(nep_ctx *ctx, const rank_hierarchical_design *d, const double *prior,
                                        const nep_hierarchical_opts *o, rank_hierarchical_prior *p)
{
    const int C = d->channels;
    nep_status st;
    *p = (rank_hierarchical_prior){0};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->groups, sizeof *p->alpha_mean, "hierarchical: priors", &p->alpha_mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n_local, sizeof *p->local_precision, "hierarchical: priors", &p->local_precision));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n_global, sizeof *p->global_precision, "hierarchical: priors", &p->global_precision));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n_global, sizeof *p->bounded, "hierarchical: priors", &p->bounded));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n_global, sizeof *p->held, "hierarchical: priors", &p->held));
    for (int64_t j = 0; j < d->groups; j++)
        p->alpha_mean[j] = log(prior[j] / (1 - prior[j]));
    p->local_precision[0] = 1 / (o->alpha_sd * o->alpha_sd);
    for (int g = 0; g < d->n_global; g++) {
        const double sd = g < C ? o->beta_sd : g < 2 * C ? o->delta_sd : o->gamma_sd;
        p->global_precision[g] = 1 / (sd * sd);
        p->bounded[g] = g < C && (!o->oriented || o->oriented[g]);
        p->held[g] = g < C ? d->state[g] != NEP_HIERARCHICAL_USED : g < 2 * C && d->state[g - C] == NEP_HIERARCHICAL_SILENT;
    }
done:
    if (st != NEP_OK)
        rank_hierarchical_prior_free(p);
    return st;
}

void rank_hierarchical_prior_sigma(rank_hierarchical_prior *p, const double *sigma, int channels)
{
    static const double most = 1e12; /* sigma 0: group effects of 1e-12 times their gradient */
    for (int c = 0; c < channels; c++)
        p->local_precision[1 + c] = sigma[c] * sigma[c] * most > 1 ? 1 / (sigma[c] * sigma[c]) : most;
}

void rank_hierarchical_prior_free(rank_hierarchical_prior *p)
{
    nep_alloc_free(p->alpha_mean);
    nep_alloc_free(p->local_precision);
    nep_alloc_free(p->global_precision);
    nep_alloc_free(p->bounded);
    nep_alloc_free(p->held);
    *p = (rank_hierarchical_prior){0};
}
