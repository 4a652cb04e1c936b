/* SPDX-License-Identifier: Apache-2.0 */
/* connectivity - region by region matrices of one run: Pearson, partial, covariance, precision. */
#include <nepenthe/imaging.h>

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

/* Columns that vary and are there; the rest stays missing. */
typedef struct {
    int64_t n;
    int64_t *at;   /* [n] column */
    double *mean;  /* [n_cols] */
    double *scale; /* [n_cols] 1 / sqrt(sum of squared deviations) */
    double *r;     /* [n_cols, n_cols] correlations */
} usable;

static void usable_free(usable *u)
{
    nep_alloc_free(u->at);
    nep_alloc_free(u->mean);
    nep_alloc_free(u->scale);
    nep_alloc_free(u->r);
}

static nep_status correlate(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, usable *u)
{
    NEP_TRY(nep_alloc(ctx, n_cols, sizeof *u->at, "regions", &u->at));
    NEP_TRY(nep_alloc(ctx, n_cols, sizeof *u->mean, "regions", &u->mean));
    NEP_TRY(nep_alloc(ctx, n_cols, sizeof *u->scale, "regions", &u->scale));
    NEP_TRY(nep_alloc(ctx, n_cols * n_cols, sizeof *u->r, "connectivity", &u->r));
    NEP_TRY(nep_backend_moments(ctx, x, n_t, n_cols, u->mean, u->scale));
    for (int64_t i = 0; i < n_cols; i++) {
        const double m2 = u->scale[i], rounding = 1e-7 * fabs(u->mean[i]);
        const bool varies = isfinite(m2) && m2 > (double)n_t * rounding * rounding;
        u->scale[i] = varies ? 1 / sqrt(m2) : (double)NAN;
        if (varies)
            u->at[u->n++] = i;
    }
    return nep_backend_gram(ctx, x, n_t, n_cols, u->mean, u->scale, u->r);
}

/* Inverse of the usable part of the correlations, in place of `a` [n, n]. One thread, so that the bits stay. */
static nep_status invert(nep_ctx *ctx, double *a, int64_t n, int64_t n_t, bool shrunk)
{
    double norm = 0, rcond = 0;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += fabs(a[i * n + j]);
        norm = fmax(norm, sum);
    }
    openblas_set_num_threads(1);
    const bool enough = (shrunk || n_t - 1 >= n) && LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, a, (lapack_int)n) == 0 &&
                        LAPACKE_dpocon(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, a, (lapack_int)n, norm, &rcond) == 0;
    NEP_REQUIRE(ctx, enough && rcond > 1e-12, NEP_E_SINGULAR,
                "connectivity: the correlations of %lld regions over %lld frames have no inverse; take fewer regions or a longer "
                "run, or leave out regions that repeat another (nothing is shrunk in silence: ask with --shrinkage ledoit-wolf)",
                (long long)n, (long long)n_t);
    NEP_REQUIRE(ctx, LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, a, (lapack_int)n) == 0, NEP_E_SINGULAR,
                "connectivity: the correlations of %lld regions have no inverse", (long long)n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            a[i * n + j] = a[j * n + i];
    return NEP_OK;
}

/* One entry from the (inverse) correlation c of columns i and j with the diagonal entries ci and cj. */
static double entry(nep_connectivity_kind kind, double c, double ci, double cj, double si, double sj, double n_t)
{
    switch (kind) {
    case NEP_CONNECTIVITY_PARTIAL: return -c / sqrt(ci * cj);
    case NEP_CONNECTIVITY_COVARIANCE: return c / (si * sj * n_t);
    case NEP_CONNECTIVITY_PRECISION: return c * (si * sj * n_t);
    default: return fmin(1, fmax(-1, c));
    }
}

/* Sum over frames of (sum over columns of squared deviations, each column in units of 1 / unit)^2. */
static double fourth_moments(const usable *u, const double *unit, const float *x, int64_t n_t, int64_t n_cols)
{
    double all = 0;
    for (int64_t t = 0; t < n_t; t++) {
        double row = 0;
        for (int64_t i = 0; i < u->n; i++) {
            const double d = ((double)x[t * n_cols + u->at[i]] - u->mean[u->at[i]]) * unit[i];
            row += d * d;
        }
        all += row * row;
    }
    return all;
}

/* Shrinks the correlations a [n, n] as part of the covariance S = a sd sd', and changes `scale` with their variances. */
static nep_status shrink(nep_ctx *ctx, usable *u, const float *x, int64_t n_t, int64_t n_cols, bool standardised, double *a,
                         double *shrinkage)
{
    const double n = (double)n_t, p = (double)u->n;
    double *sd = NULL, *unit, trace = 0, squares = 0;
    NEP_TRY(nep_alloc(ctx, 2 * u->n, sizeof *sd, "connectivity", &sd));
    unit = sd + u->n;
    for (int64_t i = 0; i < u->n; i++) { /* scale is 1 / sqrt(sum of squared deviations) */
        const double scale = u->scale[u->at[i]];
        unit[i] = standardised ? scale * sqrt(n - 1) : 1;
        sd[i] = standardised ? sqrt((n - 1) / n) : 1 / (scale * sqrt(n));
        trace += sd[i] * sd[i];
    }
    for (int64_t i = 0; i < u->n; i++)
        for (int64_t j = 0; j < u->n; j++) {
            const double s = a[i * u->n + j] * sd[i] * sd[j];
            squares += s * s;
        }
    const double mu = trace / p, spread = squares - mu * trace;
    const double noise = fmin((fourth_moments(u, unit, x, n_t, n_cols) / n - squares) / n, spread);
    *shrinkage = noise > 0 && spread > 0 ? noise / spread : 0;
    for (int64_t i = 0; i < u->n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double vi = (1 - *shrinkage) * sd[i] * sd[i] + *shrinkage * mu, vj = (1 - *shrinkage) * sd[j] * sd[j] + *shrinkage * mu;
            a[i * u->n + j] *= (1 - *shrinkage) * sd[i] * sd[j] / sqrt(vi * vj);
            a[j * u->n + i] = a[i * u->n + j];
        }
    for (int64_t i = 0; i < u->n; i++)
        u->scale[u->at[i]] = 1 / sqrt(n * ((1 - *shrinkage) * sd[i] * sd[i] + *shrinkage * mu));
    nep_alloc_free(sd);
    return NEP_OK;
}

static nep_status measure(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_connectivity_kind kind, bool fisher_z,
                          double *shrinkage, double *out)
{
    usable u = {0};
    double *a = NULL;
    nep_status st;
    const bool correlation = kind == NEP_CONNECTIVITY_PEARSON || kind == NEP_CONNECTIVITY_PARTIAL;
    const bool inverse = kind == NEP_CONNECTIVITY_PARTIAL || kind == NEP_CONNECTIVITY_PRECISION;
    NEP_REQUIRE(ctx, n_t >= 3, NEP_E_ARG, "connectivity: %lld frames; at least 3 are needed", (long long)n_t);
    NEP_REQUIRE(ctx, !fisher_z || correlation, NEP_E_ARG, "connectivity: Fisher z is for correlations (pearson or partial)");
    NEP_TRY_OR_DONE(st, correlate(ctx, x, n_t, n_cols, &u));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, u.n * u.n, sizeof *a, "connectivity", &a));
    for (int64_t i = 0; i < u.n; i++)
        for (int64_t j = 0; j < u.n; j++)
            a[i * u.n + j] = i == j ? 1 : u.r[u.at[i] * n_cols + u.at[j]];
    if (shrinkage && u.n > 0)
        NEP_TRY_OR_DONE(st, shrink(ctx, &u, x, n_t, n_cols, kind == NEP_CONNECTIVITY_PEARSON, a, shrinkage));
    if (inverse && u.n > 0)
        NEP_TRY_OR_DONE(st, invert(ctx, a, u.n, n_t, shrinkage));
    for (int64_t i = 0; i < n_cols * n_cols; i++)
        out[i] = (double)NAN;
    for (int64_t i = 0; i < u.n; i++)
        for (int64_t j = 0; j < u.n; j++) {
            const int64_t ci = u.at[i], cj = u.at[j];
            double v = entry(kind, a[i * u.n + j], a[i * u.n + i], a[j * u.n + j], u.scale[ci], u.scale[cj], (double)n_t);
            if (correlation && i == j)
                v = 1;
            out[ci * n_cols + cj] = !fisher_z ? v : i == j ? (double)NAN : atanh(v);
        }
done:
    nep_alloc_free(a);
    usable_free(&u);
    return st;
}

nep_status nep_connectivity(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_connectivity_kind kind,
                            bool fisher_z, double *out)
{
    return measure(ctx, x, n_t, n_cols, kind, fisher_z, NULL, out);
}

nep_status nep_connectivity_ledoit_wolf(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_connectivity_kind kind,
                                        bool fisher_z, double *shrinkage, double *out)
{
    double s = 0;
    NEP_TRY(measure(ctx, x, n_t, n_cols, kind, fisher_z, &s, out));
    if (shrinkage)
        *shrinkage = s;
    return NEP_OK;
}
