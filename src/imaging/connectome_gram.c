/* SPDX-License-Identifier: Apache-2.0 */
/* connectome_gram - what the products of frames give without any pair: strength, root mean square, eigenvector centrality, seeds. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>

#include <nepenthe/math/pair.h>

#include "imaging/connectome_parts.h"

/* Sum of all unit series. */
static void sum_units(const nep_connectome *c, double *sum)
{
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t t = 0; t < c->n_t; t++)
            sum[t] += (double)c->unit[i * c->n_t + t];
}

/* g [n_t, n_t] = sum over columns of u u'. */
static nep_status frame_products(nep_ctx *ctx, const nep_connectome *c, double *g)
{
    double *mean = NULL, *scale;
    NEP_TRY(nep_alloc(ctx, 2 * c->n_t, sizeof *mean, "scales of frames", &mean));
    scale = mean + c->n_t;
    for (int64_t t = 0; t < c->n_t; t++)
        scale[t] = 1;
    const nep_status st = nep_backend_gram(ctx, c->unit, c->n, c->n_t, mean, scale, g);
    nep_alloc_free(mean);
    return st;
}

/* u . u of the i-th column that varies: 1 up to the rounding of its values. */
static double own(const nep_connectome *c, int64_t i)
{
    return nep_pair_product(c->unit + i * c->n_t, c->unit + i * c->n_t, c->n_t);
}

nep_status nep_connectome_strength(nep_ctx *ctx, const nep_connectome *c, double *strength)
{
    double *sum = NULL, *value = NULL;
    nep_status st;
    NEP_TRY(nep_connectome_enough(ctx, c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n_t, sizeof *sum, "sum of series", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n, sizeof *value, "strengths", &value));
    sum_units(c, sum);
    NEP_TRY_OR_DONE(st, nep_backend_project_rows(ctx, c->unit, c->n, c->n_t, sum, 1, false, value));
    for (int64_t i = 0; i < c->n; i++)
        value[i] -= own(c, i);
    nep_connectome_scatter(c, value, 1, strength);
done:
    nep_alloc_free(value);
    nep_alloc_free(sum);
    return st;
}

/* Rows q [rank, n] with q' q = g [n, n], which is overwritten: Cholesky's with pivots, since g has no inverse. */
static nep_status square_root(nep_ctx *ctx, double *g, int64_t n, double *q, int64_t *rank)
{
    lapack_int *pivot = NULL, found = 0;
    NEP_TRY(nep_alloc(ctx, n, sizeof *pivot, "pivots", &pivot));
    openblas_set_num_threads(1); /* its bits change with its threads */
    const lapack_int info = LAPACKE_dpstrf(LAPACK_COL_MAJOR, 'U', (lapack_int)n, g, (lapack_int)n, pivot, &found, -1.0);
    for (int64_t k = 0; k < found; k++)
        for (int64_t j = k; j < n; j++)
            q[k * n + pivot[j] - 1] = g[j * n + k];
    nep_alloc_free(pivot);
    *rank = found;
    NEP_REQUIRE(ctx, info >= 0 && found >= 1, NEP_E_INTERNAL, "connectome: the products of frames have no square root (dpstrf %d)", (int)info);
    return NEP_OK;
}

nep_status nep_connectome_rms(nep_ctx *ctx, const nep_connectome *c, double *rms)
{
    double *g = NULL, *q = NULL, *value = NULL;
    int64_t rank;
    nep_status st;
    NEP_TRY(nep_connectome_enough(ctx, c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n_t * c->n_t, sizeof *g, "products of frames", &g));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n_t * c->n_t, sizeof *q, "root of the products of frames", &q));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n, sizeof *value, "sums of squares", &value));
    NEP_TRY_OR_DONE(st, frame_products(ctx, c, g));
    NEP_TRY_OR_DONE(st, square_root(ctx, g, c->n_t, q, &rank));
    NEP_TRY_OR_DONE(st, nep_backend_project_rows(ctx, c->unit, c->n, c->n_t, q, rank, true, value));
    for (int64_t i = 0; i < c->n; i++) {
        const double self = own(c, i);
        value[i] = sqrt(fmax(0, value[i] - self * self) / (double)(c->n - 1));
    }
    nep_connectome_scatter(c, value, 1, rms);
done:
    nep_alloc_free(value);
    nep_alloc_free(q);
    nep_alloc_free(g);
    return st;
}

/* ---- eigenvector centrality: r + 1 = M M', M = [unit series, 1]; h [n_t + 1, n_t + 1] = M' M ---------------------------- */

static nep_status bordered(nep_ctx *ctx, const nep_connectome *c, double *h)
{
    const int64_t n = c->n_t, m = n + 1;
    double *g = NULL, *sum = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *g, "products of frames", &g));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *sum, "sum of series", &sum));
    NEP_TRY_OR_DONE(st, frame_products(ctx, c, g));
    sum_units(c, sum);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            h[i * m + j] = g[i * n + j];
        h[i * m + n] = h[n * m + i] = sum[i];
    }
    h[n * m + n] = (double)c->n;
done:
    nep_alloc_free(sum);
    nep_alloc_free(g);
    return st;
}

/* The eigenvector of h's largest eigenvalue; h is overwritten. */
static nep_status largest(nep_ctx *ctx, double *h, int64_t m, double *a)
{
    lapack_int found = 0, *support = NULL;
    double *values = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *values, "eigenvalues", &values));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * m, sizeof *support, "eigenvectors", &support));
    openblas_set_num_threads(1);
    const lapack_int info = LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'U', (lapack_int)m, h, (lapack_int)m, 0, 0, (lapack_int)m,
                                           (lapack_int)m, 0, &found, values, a, (lapack_int)m, support);
    NEP_REQUIRE_OR_DONE(st, ctx, info == 0 && found == 1, NEP_E_INTERNAL, "connectome: no largest eigenvalue was found (dsyevr %d)", (int)info);
done:
    nep_alloc_free(support);
    nep_alloc_free(values);
    return st;
}

static double form(const double *h, int64_t m, const double *a, double *ha)
{
    cblas_dsymv(CblasRowMajor, CblasUpper, (blasint)m, 1.0, h, (blasint)m, a, 1, 0.0, ha, 1);
    return cblas_ddot((blasint)m, a, 1, ha, 1);
}

/* v = M a; r + 1 takes it to M (h a). Starts at v = 1 / sqrt(n), which is M times the last axis. */
static nep_status iterate(nep_ctx *ctx, const nep_connectome *c, const nep_connectome_power *o, const double *h, int64_t m, double *a)
{
    double *next = NULL, *step, *product, moved = 1;
    int64_t k = 0;
    NEP_TRY(nep_alloc(ctx, 3 * m, sizeof *next, "power iteration", &next));
    step = next + m;
    product = step + m;
    openblas_set_num_threads(1);
    a[m - 1] = 1 / sqrt((double)c->n);
    for (; k < o->most && moved > o->tolerance; k++) {
        (void)form(h, m, a, next);
        const double length = sqrt(form(h, m, next, product));
        for (int64_t i = 0; i < m; i++) {
            step[i] = next[i] / length - a[i];
            a[i] = next[i] / length;
        }
        moved = sqrt(fmax(0, form(h, m, step, product)));
    }
    if (moved > o->tolerance)
        nep_warn(ctx, "eigenvector centrality has not settled after %lld iterations: the last step is %.3g, not %.3g", (long long)k, moved,
                 o->tolerance);
    nep_alloc_free(next);
    return NEP_OK;
}

/* M a, of length 1 and positive sum. */
static nep_status give_vector(nep_ctx *ctx, const nep_connectome *c, const double *a, double *out)
{
    double *value = NULL, squares = 0, sum = 0;
    NEP_TRY(nep_alloc(ctx, c->n, sizeof *value, "centralities", &value));
    const nep_status st = nep_backend_project_rows(ctx, c->unit, c->n, c->n_t, a, 1, false, value);
    for (int64_t i = 0; st == NEP_OK && i < c->n; i++) {
        value[i] += a[c->n_t];
        squares += value[i] * value[i];
        sum += value[i];
    }
    const double length = (sum < 0 ? -1 : 1) * sqrt(squares);
    for (int64_t i = 0; st == NEP_OK && i < c->n; i++)
        value[i] /= length;
    if (st == NEP_OK)
        nep_connectome_scatter(c, value, 1, out);
    nep_alloc_free(value);
    return st;
}

nep_status nep_connectome_eigenvector(nep_ctx *ctx, const nep_connectome *c, const nep_connectome_power *opts, double *out)
{
    const int64_t m = c->n_t + 1;
    double *h = NULL, *a = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, !opts || (opts->tolerance >= 0 && (opts->tolerance == 0 || opts->most >= 1)), NEP_E_ARG,
                "connectome: a power iteration of %lld steps to a tolerance of %g cannot be", (long long)opts->most, opts->tolerance);
    NEP_TRY(nep_connectome_enough(ctx, c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * m, sizeof *h, "products of frames", &h));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *a, "eigenvector", &a));
    NEP_TRY_OR_DONE(st, bordered(ctx, c, h));
    NEP_TRY_OR_DONE(st, opts && opts->tolerance > 0 ? iterate(ctx, c, opts, h, m, a) : largest(ctx, h, m, a));
    st = give_vector(ctx, c, a, out);
done:
    nep_alloc_free(a);
    nep_alloc_free(h);
    return st;
}

/* ---- seeds ---- */

static const double most = 1 - 1.0 / (1 << 20); /* of |r| where z is asked for, as in nep_pair_fisher */

nep_status nep_connectome_seeds(nep_ctx *ctx, const nep_connectome *c, const double *seed, int64_t m, bool fisher_z, double *out)
{
    double *unit = NULL, *value = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, m >= 1, NEP_E_ARG, "connectome: no seed is given");
    NEP_TRY(nep_connectome_enough(ctx, c));
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, seed, m * c->n_t, sizeof *seed, "seed series", &unit));
    for (int64_t s = 0; s < m; s++)
        NEP_REQUIRE_OR_DONE(st, ctx, nep_connectome_unit(c, unit + s * c->n_t), NEP_E_FORMAT,
                            "connectome: the series of seed %lld is missing or does not vary; move it or leave it out", (long long)(s + 1));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n * m, sizeof *value, "correlations with seeds", &value));
    NEP_TRY_OR_DONE(st, nep_backend_project_rows(ctx, c->unit, c->n, c->n_t, unit, m, false, value));
    for (int64_t i = 0; i < c->n * m; i++) {
        value[i] = fmin(1, fmax(-1, value[i]));
        value[i] = fisher_z ? atanh(fmin(most, fmax(-most, value[i]))) : value[i];
    }
    for (int64_t s = 0; s < m; s++)
        nep_connectome_scatter(c, value + s, m, out + s * c->n_cols);
done:
    nep_alloc_free(value);
    nep_alloc_free(unit);
    return st;
}
