/* SPDX-License-Identifier: Apache-2.0 */
/* connectivity_tangent - geometric mean of covariances and each covariance seen from it. */
#include <nepenthe/imaging.h>

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <string.h>

enum { MOST_TURNS = 100 };

typedef struct {
    int64_t n;          /* regions there in every run */
    int64_t *at;        /* [n] */
    double *c;          /* [n_runs, n, n] */
    double *logs;       /* [n_runs, n, n] */
    double *mean, *root, *white, *step; /* [n, n] */
    double *scratch;    /* [threads, 3 n n + n] */
    int64_t each;
} task;

static void task_free(task *k)
{
    nep_alloc_free(k->at);
    nep_alloc_free(k->c);
    nep_alloc_free(k->logs);
    nep_alloc_free(k->mean);
    nep_alloc_free(k->scratch);
}

static void multiply(int64_t n, const double *a, const double *b, double *out)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)n, (blasint)n, (blasint)n, 1.0, a, (blasint)n, b, (blasint)n, 0.0, out,
                (blasint)n);
}

/* out = V diag(f(w)) V' of the symmetric a, which is destroyed. False when an eigenvalue is not above `floor` of the largest
 * (floor < 0: any will do) or the solver fails. w [n], v [n, n] scratch. */
static bool apply(int64_t n, double *a, double (*f)(double), double floor, double *w, double *v, double *out)
{
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, a, (lapack_int)n, w) != 0)
        return false;
    if (floor >= 0 && !(w[0] > floor * w[n - 1]))
        return false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            v[i * n + j] = a[i * n + j] * f(w[j]);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)n, (blasint)n, 1.0, v, (blasint)n, a, (blasint)n, 0.0, out,
                (blasint)n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            out[i * n + j] = out[j * n + i];
    return true;
}

static double inverse_root(double x)
{
    return 1 / sqrt(x);
}

/* log(W C W) of every run; the first run that has none in *bad, else -1. */
static void log_all(nep_ctx *ctx, const task *k, int64_t n_runs, int64_t *bad)
{
    const int64_t n = k->n, nn = n * n;
    int64_t first = n_runs;
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx)) reduction(min : first)
    for (int64_t r = 0; r < n_runs; r++) {
        double *a = k->scratch + omp_get_thread_num() * k->each, *b = a + nn, *v = b + nn, *w = v + nn;
        multiply(n, k->white, k->c + r * nn, a);
        multiply(n, a, k->white, b);
        if (!apply(n, b, log, 1e-14, w, v, k->logs + r * nn))
            first = r < first ? r : first;
    }
    *bad = first < n_runs ? first : -1;
}

static nep_status gather(nep_ctx *ctx, const double *c, int64_t n_runs, int64_t n, task *k)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof *k->at, "regions", &k->at));
    for (int64_t i = 0; i < n; i++) {
        bool there = true;
        for (int64_t r = 0; r < n_runs; r++)
            there = there && isfinite(c[(r * n + i) * n + i]);
        if (there)
            k->at[k->n++] = i;
    }
    NEP_REQUIRE(ctx, k->n > 0, NEP_E_FORMAT, "tangent: no region is there in all of %lld runs", (long long)n_runs);
    const int64_t nn = k->n * k->n;
    k->each = 3 * nn + k->n;
    NEP_TRY(nep_alloc(ctx, n_runs * nn, sizeof *k->c, "covariances", &k->c));
    NEP_TRY(nep_alloc(ctx, n_runs * nn, sizeof *k->logs, "logarithms", &k->logs));
    NEP_TRY(nep_alloc(ctx, 4 * nn, sizeof *k->mean, "geometric mean", &k->mean));
    NEP_TRY(nep_alloc(ctx, nep_ctx_threads(ctx) * k->each, sizeof *k->scratch, "eigenvectors", &k->scratch));
    k->root = k->mean + nn;
    k->white = k->root + nn;
    k->step = k->white + nn;
    for (int64_t r = 0; r < n_runs; r++)
        for (int64_t i = 0; i < k->n; i++)
            for (int64_t j = 0; j < k->n; j++)
                k->c[(r * k->n + i) * k->n + j] = c[(r * n + k->at[i]) * n + k->at[j]];
    return NEP_OK;
}

/* M <- M^1/2 exp(rate * mean of the logarithms) M^1/2. The rate halves when the mean logarithm grows. */
static nep_status turn(nep_ctx *ctx, task *k, double rate)
{
    const int64_t n = k->n, nn = n * n;
    double *a = k->scratch, *b = a + nn, *v = b + nn, *w = v + nn;
    for (int64_t i = 0; i < nn; i++)
        a[i] = rate * k->step[i];
    NEP_REQUIRE(ctx, apply(n, a, exp, -1, w, v, b), NEP_E_SINGULAR, "tangent: the geometric mean has no exponential");
    multiply(n, k->root, b, a);
    multiply(n, a, k->root, k->mean);
    for (int64_t i = 0; i < n; i++) /* products are symmetric up to rounding */
        for (int64_t j = 0; j < i; j++)
            k->mean[i * n + j] = k->mean[j * n + i] = (k->mean[i * n + j] + k->mean[j * n + i]) / 2;
    return NEP_OK;
}

static nep_status roots(nep_ctx *ctx, task *k)
{
    const int64_t n = k->n, nn = n * n;
    double *a = k->scratch, *v = a + nn, *w = v + nn;
    memcpy(a, k->mean, (size_t)nn * sizeof *a);
    bool good = apply(n, a, sqrt, 1e-14, w, v, k->root);
    memcpy(a, k->mean, (size_t)nn * sizeof *a);
    good = good && apply(n, a, inverse_root, 1e-14, w, v, k->white);
    NEP_REQUIRE(ctx, good, NEP_E_SINGULAR, "tangent: the mean covariance of %lld regions is not positive definite; ask for shrinkage, or take fewer regions",
                (long long)n);
    return NEP_OK;
}

static nep_status settle(nep_ctx *ctx, task *k, int64_t n_runs)
{
    const int64_t nn = k->n * k->n;
    double rate = 1, before = INFINITY;
    int64_t bad;
    for (int64_t i = 0; i < nn; i++) {
        k->mean[i] = 0;
        for (int64_t r = 0; r < n_runs; r++)
            k->mean[i] += k->c[r * nn + i] / (double)n_runs;
    }
    for (int t = 0; t < MOST_TURNS; t++) {
        double norm = 0;
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(roots(ctx, k));
        log_all(ctx, k, n_runs, &bad);
        NEP_REQUIRE(ctx, bad < 0, NEP_E_SINGULAR,
                    "tangent: covariance %lld of %lld regions is not positive definite; ask for shrinkage, take fewer regions or longer runs",
                    (long long)bad + 1, (long long)k->n);
        for (int64_t i = 0; i < nn; i++) {
            k->step[i] = 0;
            for (int64_t r = 0; r < n_runs; r++)
                k->step[i] += k->logs[r * nn + i] / (double)n_runs;
            norm += k->step[i] * k->step[i];
        }
        norm = sqrt(norm / (double)k->n);
        if (norm < 1e-11)
            return NEP_OK;
        rate = norm > before ? rate / 2 : rate;
        before = norm;
        NEP_TRY(turn(ctx, k, rate));
    }
    NEP_REQUIRE(ctx, before < 1e-6, NEP_E_SINGULAR, "tangent: the geometric mean does not settle; the covariances are nearly singular, ask for shrinkage");
    return NEP_OK;
}

nep_status nep_connectivity_tangent(nep_ctx *ctx, const double *c, int64_t n_runs, int64_t n, double *mean, double *out)
{
    task k = {0};
    nep_status st;
    NEP_REQUIRE(ctx, n_runs >= 2, NEP_E_ARG, "tangent: one covariance; it is seen from the mean of several");
    NEP_TRY_OR_DONE(st, gather(ctx, c, n_runs, n, &k));
    openblas_set_num_threads(1);
    NEP_TRY_OR_DONE(st, settle(ctx, &k, n_runs));
    for (int64_t i = 0; i < n_runs * n * n; i++)
        out[i] = (double)NAN;
    for (int64_t i = 0; i < n * n; i++)
        mean[i] = (double)NAN;
    for (int64_t i = 0; i < k.n; i++)
        for (int64_t j = 0; j < k.n; j++) {
            mean[k.at[i] * n + k.at[j]] = k.mean[i * k.n + j];
            for (int64_t r = 0; r < n_runs; r++)
                out[(r * n + k.at[i]) * n + k.at[j]] = k.logs[(r * k.n + i) * k.n + j];
        }
done:
    task_free(&k);
    return st;
}
