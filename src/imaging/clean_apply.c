/* SPDX-License-Identifier: Apache-2.0 */
/* clean_apply - the operator on columns, and the scaling per column that no operator can hold. */
#include "imaging/clean_parts.h"

typedef struct {
    double *mean, *m2;         /* of the input */
    double *out_mean, *out_m2; /* of the result */
    float *before;             /* mean before detrending, only for psc of a result without mean */
} columns;

static void columns_free(columns *k)
{
    nep_alloc_free(k->mean);
    nep_alloc_free(k->m2);
    nep_alloc_free(k->out_mean);
    nep_alloc_free(k->out_m2);
    nep_alloc_free(k->before);
}

static nep_status columns_make(nep_ctx *ctx, int64_t n, columns *k)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof *k->mean, "column means", &k->mean));
    NEP_TRY(nep_alloc(ctx, n, sizeof *k->m2, "column variances", &k->m2));
    NEP_TRY(nep_alloc(ctx, n, sizeof *k->out_mean, "column means", &k->out_mean));
    NEP_TRY(nep_alloc(ctx, n, sizeof *k->out_m2, "column variances", &k->out_m2));
    return nep_alloc(ctx, n, sizeof *k->before, "column means", &k->before);
}

/* The operator takes constants to nothing when its rows sum to 0: then demeaning first costs nothing and saves digits. */
static bool kills_constants(const nep_clean *c)
{
    for (int64_t i = 0; i < c->n_out; i++) {
        double sum = 0;
        for (int64_t t = 0; t < c->n_in; t++)
            sum += c->m[i * c->n_in + t];
        if (fabs(sum) > 1e-12)
            return false;
    }
    return true;
}

/* Offset and factor that scale column v: out = (x - offset) * factor + shift. What varies by no more than rounding is
 * taken as constant. */
static void scaling(const nep_clean *c, const columns *k, int64_t v, double *offset, double *factor)
{
    const double sd = sqrt(k->out_m2[v] / (double)(c->n_out - 1)), sd_in = sqrt(k->m2[v] / (double)(c->n_in - 1));
    const double nothing = fmax(1e-7 * sd_in, 1e-10 * fabs(k->mean[v]));
    *offset = k->out_mean[v];
    if (c->scale == NEP_CLEAN_ZSCORE) {
        *factor = sd > nothing ? 1 / sd : sd <= nothing ? 0 : (double)NAN;
        return;
    }
    const double level = fabs(c->keeps_mean ? k->out_mean[v] : (double)k->before[v] + k->out_mean[v]);
    *factor = level > 1e-10 * sd_in ? 100 / level : level <= 1e-10 * sd_in ? 0 : (double)NAN;
}

nep_status nep_clean_apply(nep_ctx *ctx, const nep_clean *c, const float *x, int64_t n_cols, float *out)
{
    columns k = {0};
    double *offset = NULL, *factor = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, columns_make(ctx, n_cols, &k));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, x, c->n_in, n_cols, k.mean, k.m2));
    NEP_TRY_OR_DONE(st, nep_backend_apply_operator(ctx, c->m, c->n_out, c->n_in, x, n_cols,
                                                   kills_constants(c) ? k.mean : NULL, out));
    if (c->scale == NEP_CLEAN_UNSCALED)
        goto done;
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, out, c->n_out, n_cols, k.out_mean, k.out_m2));
    if (c->scale == NEP_CLEAN_PSC && !c->keeps_mean)
        NEP_TRY_OR_DONE(st, nep_backend_apply_operator(ctx, c->before, 1, c->n_in, x, n_cols, NULL, k.before));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *offset, "column scaling", &offset));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *factor, "column scaling", &factor));
    for (int64_t v = 0; v < n_cols; v++)
        scaling(c, &k, v, &offset[v], &factor[v]);
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < c->n_out; i++)
        for (int64_t v = 0; v < n_cols; v++)
            out[i * n_cols + v] = (float)(((double)out[i * n_cols + v] - offset[v]) * factor[v]);
done:
    nep_alloc_free(factor);
    nep_alloc_free(offset);
    columns_free(&k);
    return st;
}
