/* SPDX-License-Identifier: Apache-2.0 */
/* lanczos - the smoothest modes of a large graph: eigenvectors of its banded Laplacian by Lanczos steps on the shifted
 * inverse, every step made orthogonal to all before, and their number proved by the signs of a factorisation. */
#include "nulls.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include <nepenthe/math/philox.h>

typedef struct {
    const double *band; /* [m, width + 1] as given */
    double *factor;     /* Cholesky factor of the shifted matrix, as LAPACK has it */
    int64_t m, width;
    double shift;
    double *q;             /* [room + 1, m] */
    double *alpha, *beta;  /* [room] */
    double *c;             /* [room + 1] */
    int64_t steps, room;
} workspace;

static double length_of(const double *x, int64_t m)
{
    double sum = 0.0;
    for (int64_t i = 0; i < m; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* Steps until `room` of them are made or nothing is left. */
static nep_status step(nep_ctx *ctx, workspace *w)
{
    const int m = (int)w->m;
    for (; w->steps < w->room; w->steps++) {
        const double *now = w->q + w->steps * w->m;
        double *next = w->q + (w->steps + 1) * w->m;
        memcpy(next, now, (size_t)w->m * sizeof *next);
        const lapack_int info = LAPACKE_dpbtrs(LAPACK_COL_MAJOR, 'L', (lapack_int)w->m, (lapack_int)w->width, 1,
                                               w->factor, (lapack_int)w->width + 1, next, (lapack_int)w->m);
        NEP_REQUIRE(ctx, info == 0, NEP_E_INTERNAL, "eigenmodes: the banded solver failed with %d", (int)info);
        w->alpha[w->steps] = cblas_ddot(m, now, 1, next, 1);
        for (int pass = 0; pass < 2; pass++) { /* twice is enough */
            const int rows = (int)w->steps + 1;
            nulls_remove_mean(next, w->m);
            cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, m, 1.0, w->q, m, next, 1, 0.0, w->c, 1);
            cblas_dgemv(CblasRowMajor, CblasTrans, rows, m, -1.0, w->q, m, w->c, 1, 1.0, next, 1);
        }
        w->beta[w->steps] = length_of(next, w->m);
        NEP_REQUIRE(ctx, w->beta[w->steps] > 1e-14 * fabs(w->alpha[0]), NEP_E_SINGULAR,
                    "eigenmodes: the graph of neighbours is too regular, its modes cannot be told apart after %lld of them: "
                    "use variogram or spins",
                    (long long)w->steps + 1);
        for (int64_t i = 0; i < w->m; i++)
            next[i] /= w->beta[w->steps];
        NEP_TRY(nep_ctx_check(ctx));
    }
    return NEP_OK;
}

/* How many eigenvalues lie below mu: negative pivots of L - mu by elimination without exchange. rows: as band. */
static int64_t count_below(const workspace *w, double mu, double *rows)
{
    const int64_t b = w->width, stride = b + 1;
    int64_t below = 0;
    memcpy(rows, w->band, (size_t)(w->m * stride) * sizeof *rows);
    for (int64_t j = 0; j < w->m; j++) {
        double *column = rows + j * stride; /* column[i - j] */
        column[0] -= mu;
        const double pivot = fabs(column[0]) > 1e-300 ? column[0] : 1e-300;
        below += pivot < 0.0;
        for (int64_t i = 1; i <= b && j + i < w->m; i++) {
            const double f = column[i] / pivot;
            double *into = rows + (j + i) * stride;
            if (f != 0.0)
                for (int64_t k = i; k <= b && j + k < w->m; k++)
                    into[k - i] -= f * column[k];
        }
    }
    return below;
}

/* Ritz pairs of the steps so far; *settled says whether the first k stand still. z [steps, steps]. */
static nep_status ritz(nep_ctx *ctx, const workspace *w, int64_t k, double *value, double *z, bool *settled)
{
    const int64_t s = w->steps;
    double *e = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s, sizeof *e, "eigenmodes: steps", &e));
    memcpy(value, w->alpha, (size_t)s * sizeof *value);
    memcpy(e, w->beta, (size_t)s * sizeof *e);
    const lapack_int info = LAPACKE_dstevd(LAPACK_COL_MAJOR, 'V', (lapack_int)s, value, e, z, (lapack_int)s);
    NEP_REQUIRE_OR_DONE(st, ctx, info == 0, NEP_E_INTERNAL, "eigenmodes: the tridiagonal solver failed with %d", (int)info);
    *settled = true;
    for (int64_t i = 0; i < k; i++) /* ascending: the smoothest modes are the last */
        *settled = *settled && fabs(w->beta[s - 1] * z[(s - 1 - i) * s + s - 1]) <= 1e-9 * value[s - 1 - i];
done:
    nep_alloc_free(e);
    return st;
}

static nep_status enlarge(nep_ctx *ctx, workspace *w, int64_t room)
{
    double *q = NULL, *alpha = NULL, *beta = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (room + 1) * w->m, sizeof *q, "eigenmodes: steps", &q));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, room, sizeof *alpha, "eigenmodes: steps", &alpha));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, room, sizeof *beta, "eigenmodes: steps", &beta));
    nep_alloc_free(w->c);
    w->c = NULL;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, room + 1, sizeof *w->c, "eigenmodes: steps", &w->c));
    if (w->q) {
        memcpy(q, w->q, (size_t)((w->steps + 1) * w->m) * sizeof *q);
        memcpy(alpha, w->alpha, (size_t)w->steps * sizeof *alpha);
        memcpy(beta, w->beta, (size_t)w->steps * sizeof *beta);
    }
    double *const old[] = {w->q, w->alpha, w->beta};
    w->q = q;
    w->alpha = alpha;
    w->beta = beta;
    w->room = room;
    q = old[0];
    alpha = old[1];
    beta = old[2];
done:
    nep_alloc_free(q);
    nep_alloc_free(alpha);
    nep_alloc_free(beta);
    return st;
}

static nep_status start(nep_ctx *ctx, workspace *w)
{
    double mean = 0.0;
    for (int64_t i = 0; i < w->m; i++)
        mean += w->band[i * (w->width + 1)] / (double)w->m;
    w->shift = 1e-4 * mean; /* the constant's eigenvalue is 0 */
    NEP_TRY(nep_alloc(ctx, w->m * (w->width + 1), sizeof *w->factor, "eigenmodes: factor", &w->factor));
    memcpy(w->factor, w->band, (size_t)(w->m * (w->width + 1)) * sizeof *w->factor);
    for (int64_t i = 0; i < w->m; i++)
        w->factor[i * (w->width + 1)] += w->shift;
    openblas_set_num_threads(1); /* more threads would change the bits */
    const lapack_int info = LAPACKE_dpbtrf(LAPACK_COL_MAJOR, 'L', (lapack_int)w->m, (lapack_int)w->width, w->factor,
                                           (lapack_int)w->width + 1);
    NEP_REQUIRE(ctx, info == 0, NEP_E_INTERNAL, "eigenmodes: the banded factorisation failed with %d", (int)info);
    for (int64_t i = 0; i < w->m; i++) /* a start of its own, the same for every seed: modes are no random draw */
        w->q[i] = nep_philox_gauss(20251, 7, (uint64_t)i);
    nulls_remove_mean(w->q, w->m);
    const double length = length_of(w->q, w->m);
    for (int64_t i = 0; i < w->m; i++)
        w->q[i] /= length;
    return NEP_OK;
}

/* Modes 0 .. k - 1 from the settled Ritz pairs, smoothest first; none may be missing. */
static nep_status finish(nep_ctx *ctx, const workspace *w, int64_t k, const double *value, const double *z, double *lambda,
                         double *vectors)
{
    const int64_t s = w->steps;
    double *rows = NULL;
    nep_status st;
    for (int64_t i = 0; i < k; i++)
        lambda[i] = 1.0 / value[s - 1 - i] - w->shift;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->m * (w->width + 1), sizeof *rows, "eigenmodes: count", &rows));
    const int64_t below = count_below(w, lambda[k - 1] * (1.0 - 1e-7), rows);
    NEP_REQUIRE_OR_DONE(st, ctx, below <= k, NEP_E_SINGULAR, /* the constant and k - 1 modes */
                        "eigenmodes: %lld of %lld modes were not found, since the graph of neighbours is too regular to tell them "
                        "apart: use variogram or spins",
                        (long long)(below - k), (long long)k);
    for (int64_t i = 0; i < k; i++)
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)s, (int)w->m, 1.0, w->q, (int)w->m, z + (s - 1 - i) * s, 1, 0.0,
                    vectors + i * w->m, 1);
done:
    nep_alloc_free(rows);
    return st;
}

nep_status nep_lanczos_smallest(nep_ctx *ctx, const double *band, int64_t m, int64_t width, int64_t k, double *lambda,
                                double *vectors)
{
    workspace w = {.band = band, .m = m, .width = width};
    double *value = NULL, *z = NULL;
    bool settled = false;
    nep_status st;
    NEP_REQUIRE(ctx, k >= 1 && k < m - 1 && width >= 0 && width < m, NEP_E_ARG, "eigenmodes: %lld modes of %lld regions",
                (long long)k, (long long)m);
    for (int64_t room = 2 * k + 40; !settled; room += room / 2) {
        room = room < m - 1 ? room : m - 1;
        NEP_TRY_OR_DONE(st, enlarge(ctx, &w, room));
        if (w.steps == 0)
            NEP_TRY_OR_DONE(st, start(ctx, &w));
        NEP_TRY_OR_DONE(st, step(ctx, &w));
        nep_alloc_free(value);
        nep_alloc_free(z);
        value = z = NULL;
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.steps, sizeof *value, "eigenmodes: values", &value));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.steps * w.steps, sizeof *z, "eigenmodes: values", &z));
        NEP_TRY_OR_DONE(st, ritz(ctx, &w, k, value, z, &settled));
        settled = settled || room == m - 1;
    }
    NEP_TRY_OR_DONE(st, finish(ctx, &w, k, value, z, lambda, vectors));
done:
    nep_alloc_free(z);
    nep_alloc_free(value);
    nep_alloc_free(w.c);
    nep_alloc_free(w.beta);
    nep_alloc_free(w.alpha);
    nep_alloc_free(w.q);
    nep_alloc_free(w.factor);
    return st;
}
