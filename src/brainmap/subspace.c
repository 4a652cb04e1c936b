/* SPDX-License-Identifier: Apache-2.0 */
/* subspace - the smoothest modes of a graph too large for a banded factor: a block of vectors goes through a Chebyshev polynomial of the Laplacian
 * that leaves the high end of the spectrum small, then through a small eigenvalue problem, until the modes stand still. */
#include "subspace.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include <nepenthe/backend.h>
#include <nepenthe/math/philox.h>

enum {
    COLS = 16,     /* vectors that a polynomial is applied to at once */
    CHUNK = 520,   /* places of a product, whose sums are added in order */
    TURNED = 2000, /* places whose vectors are replaced at once */
    ROUNDS = 40,
    STEPS = 1000,  /* of progress */
    DEGREES = 400, /* at most, of one polynomial */
};

typedef struct {
    const nulls_graph *l;
    int64_t n, k, m;       /* places, modes wanted, vectors in work */
    double *v;             /* [m, n] */
    double high, cut;      /* the part of the spectrum that is to be left small */
    double *scaled;        /* weights of (L - c) / e */
    double *block;         /* [n, COLS] */
    double *gram, *energy; /* [m, m] products of vectors, and of vectors with L of vectors */
    double *theta;         /* [m] */
    double *turn;          /* [m, m] rows that make new vectors */
    double *residual;      /* [m] */
    nep_subspace_cost cost;
    bool tells; /* no other task is open */
} bench;

int64_t nep_subspace_room(int64_t k)
{
    return k + (k / 4 > 20 ? k / 4 : 20);
}

/* Twice the largest degree bounds every eigenvalue (Gershgorin). */
static double bound_of(const nulls_graph *l)
{
    double high = 0.0;
    for (int64_t i = 0; i < l->n; i++)
        for (int64_t e = l->start[i]; e < l->start[i + 1]; e++)
            high = l->column[e] == i && 2.0 * l->weight[e] > high ? 2.0 * l->weight[e] : high;
    return high;
}

static void scale(const bench *w)
{
    const double c = (w->high + w->cut) / 2.0, e = (w->high - w->cut) / 2.0;
    for (int64_t i = 0; i < w->n; i++)
        for (int64_t at = w->l->start[i]; at < w->l->start[i + 1]; at++)
            w->scaled[at] = (w->l->weight[at] - (w->l->column[at] == i ? c : 0.0)) / e;
}

/* How far a degree carries an eigenvalue below the cut: the growth is cosh(degree times this). */
static double pace(const bench *w, double lambda)
{
    const double x = ((w->high + w->cut) / 2.0 - lambda) / ((w->high - w->cut) / 2.0);
    return x > 1.0 ? acosh(x) : 0.0;
}

/* Steps of progress before a round: four are usual, what more it takes is not told. */
static int64_t steps_before(int round)
{
    return round < 4 ? STEPS / 4 * round : STEPS - 1;
}

/* All vectors through the polynomial; the constant, which grows most, is taken out again. */
static nep_status filter(nep_ctx *ctx, const bench *w, int round, int64_t degree)
{
    const int threads = nep_ctx_threads(ctx);
    scale(w);
    for (int64_t first = 0; first < w->m; first += COLS) {
        const int64_t cols = w->m - first < COLS ? w->m - first : COLS;
        double *const v = w->v + first * w->n;
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t i = 0; i < w->n; i++)
            for (int64_t c = 0; c < cols; c++)
                w->block[i * cols + c] = v[c * w->n + i];
        NEP_TRY(nep_backend_sparse_chebyshev(ctx, w->l->start, w->l->column, w->scaled, w->n, cols, degree, w->block));
        if (w->tells)
            nep_progress_step(ctx, steps_before(round) + STEPS / 8 * (first + cols) / w->m);
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t i = 0; i < w->n; i++)
            for (int64_t c = 0; c < cols; c++)
                v[c * w->n + i] = w->block[i * cols + c];
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t j = 0; j < w->m; j++)
        nulls_remove_mean(w->v + j * w->n, w->n);
    return NEP_OK;
}

/* L v of one vector at places from .. from + some - 1. */
static void product(const nulls_graph *l, const double *v, int64_t from, int64_t some, double *out)
{
    for (int64_t i = 0; i < some; i++) {
        double sum = 0.0;
        for (int64_t e = l->start[from + i]; e < l->start[from + i + 1]; e++)
            sum += l->weight[e] * v[l->column[e]];
        out[i] = sum;
    }
}

typedef struct {
    double *pair;    /* [2 m, CHUNK] vectors at some places, and L of them */
    double *across;  /* [CHUNK, m] the same vectors, place by place */
    double *sum;     /* [2 m, m] */
    double *nothing; /* [m] */
} chunk;

/* Vectors and their products at places from .. from + some - 1, rows of `some`. */
static void fill_chunk(nep_ctx *ctx, const bench *w, int64_t from, int64_t some, const chunk *k)
{
    const int threads = nep_ctx_threads(ctx);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t j = 0; j < w->m; j++) {
        memcpy(k->pair + j * some, w->v + j * w->n + from, (size_t)some * sizeof *k->pair);
        product(w->l, w->v + j * w->n, from, some, k->pair + (w->m + j) * some);
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < some; i++)
        for (int64_t j = 0; j < w->m; j++)
            k->across[i * w->m + j] = k->pair[j * some + i];
}

/* gram = V V', energy = V L V' of the rows of V: sums of vectors once more, so that they run where the surrogates do, with the same bits. */
static nep_status products(nep_ctx *ctx, const bench *w)
{
    const int64_t m = w->m, cells = m * m;
    chunk k = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * m * CHUNK, sizeof *k.pair, "eigenmodes: products", &k.pair));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, CHUNK * m, sizeof *k.across, "eigenmodes: products", &k.across));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * cells, sizeof *k.sum, "eigenmodes: products", &k.sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *k.nothing, "eigenmodes: zeros", &k.nothing));
    memset(w->gram, 0, (size_t)cells * sizeof *w->gram);
    memset(w->energy, 0, (size_t)cells * sizeof *w->energy);
    for (int64_t from = 0; from < w->n; from += CHUNK) {
        const int64_t some = w->n - from < CHUNK ? w->n - from : CHUNK;
        fill_chunk(ctx, w, from, some, &k);
        NEP_TRY_OR_DONE(st, nep_backend_mode_sums(ctx, k.across, some, m, k.pair, 2 * m, k.nothing, k.sum));
        for (int64_t e = 0; e < cells; e++) {
            w->gram[e] += k.sum[e];
            w->energy[e] += k.sum[cells + e];
        }
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < i; j++) /* the same but for rounding */
            w->energy[i * m + j] = w->energy[j * m + i];
done:
    nep_alloc_free(k.nothing);
    nep_alloc_free(k.sum);
    nep_alloc_free(k.across);
    nep_alloc_free(k.pair);
    return st;
}

static nep_status solve(nep_ctx *ctx, int64_t m, double *a, double *value)
{
    const lapack_int info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)m, a, (lapack_int)m, value);
    NEP_REQUIRE(ctx, info == 0, NEP_E_INTERNAL, "eigenmodes: the eigenvalue solver failed with %d", (int)info);
    return NEP_OK;
}

/* theta and turn from gram and energy: vectors are brought to unit length, made orthogonal by the eigenvectors of their products (Stathopoulos &
 * Wu 2002), then turned into the eigenvectors of L among them. Directions that rounding alone spans are kept as such: the next round mends them. */
static nep_status ritz(nep_ctx *ctx, const bench *w)
{
    const int64_t m = w->m;
    double *unit = NULL, *t = NULL, *h = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *unit, "eigenmodes: lengths", &unit));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * m, sizeof *t, "eigenmodes: products", &t));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * m, sizeof *h, "eigenmodes: products", &h));
    for (int64_t i = 0; i < m; i++) {
        const double square = w->gram[i * m + i];
        NEP_REQUIRE_OR_DONE(st, ctx, isfinite(square) && square > 0.0, NEP_E_INTERNAL, "eigenmodes: vector %lld vanished", (long long)i + 1);
        unit[i] = 1.0 / sqrt(square);
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) {
            w->gram[i * m + j] *= unit[i] * unit[j];
            w->energy[i * m + j] *= unit[i] * unit[j];
        }
    NEP_TRY_OR_DONE(st, solve(ctx, m, w->gram, w->theta));
    const double least = 1e-14 * w->theta[m - 1];
    for (int64_t j = 0; j < m; j++) { /* gram's columns are vectors: t's rows make orthonormal ones */
        const double by = 1.0 / sqrt(w->theta[j] > least ? w->theta[j] : least);
        for (int64_t i = 0; i < m; i++)
            t[j * m + i] = w->gram[i * m + j] * by;
    }
    const int k = (int)m;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, k, k, 1.0, t, k, w->energy, k, 0.0, w->turn, k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, k, k, k, 1.0, w->turn, k, t, k, 0.0, h, k);
    NEP_TRY_OR_DONE(st, solve(ctx, m, h, w->theta));
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, k, k, 1.0, h, k, t, k, 0.0, w->turn, k);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++)
            w->turn[i * m + j] *= unit[j];
done:
    nep_alloc_free(h);
    nep_alloc_free(t);
    nep_alloc_free(unit);
    return st;
}

/* V = turn V, some places at a time. */
static nep_status turn(nep_ctx *ctx, const bench *w)
{
    double *old = NULL, *made = NULL, *nothing = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->m * TURNED, sizeof *old, "eigenmodes: vectors", &old));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->m * TURNED, sizeof *made, "eigenmodes: vectors", &made));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, TURNED, sizeof *nothing, "eigenmodes: zeros", &nothing));
    for (int64_t from = 0; from < w->n; from += TURNED) {
        const int64_t some = w->n - from < TURNED ? w->n - from : TURNED;
        for (int64_t j = 0; j < w->m; j++)
            memcpy(old + j * some, w->v + j * w->n + from, (size_t)some * sizeof *old);
        NEP_TRY_OR_DONE(st, nep_backend_mode_sums(ctx, old, w->m, some, w->turn, w->m, nothing, made));
        for (int64_t j = 0; j < w->m; j++)
            memcpy(w->v + j * w->n + from, made + j * some, (size_t)some * sizeof *made);
    }
done:
    nep_alloc_free(nothing);
    nep_alloc_free(made);
    nep_alloc_free(old);
    return st;
}

/* |L v - theta v| of each wanted mode, without bound where rounding left a vector that is not of unit length; the largest. */
static double residual(nep_ctx *ctx, const bench *w)
{
    double worst = 0.0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx))
    for (int64_t j = 0; j < w->k; j++) {
        const double *v = w->v + j * w->n;
        double sum = 0.0, square = 0.0;
        for (int64_t i = 0; i < w->n; i++) {
            double lv;
            product(w->l, v, i, 1, &lv);
            sum += (lv - w->theta[j] * v[i]) * (lv - w->theta[j] * v[i]);
            square += v[i] * v[i];
        }
        w->residual[j] = fabs(square - 1.0) < 1e-6 ? sqrt(sum) : (double)INFINITY;
    }
    for (int64_t j = 0; j < w->k; j++)
        worst = w->residual[j] > worst ? w->residual[j] : worst;
    return worst;
}

/* A degree that brings the worst mode as far as is asked, but lets no mode outgrow another by more than `most`. */
static int64_t choose_degree(const bench *w, double most, double wish)
{
    const double fastest = pace(w, 0.0), slowest = pace(w, w->theta[w->k - 1]);
    const double by_growth = log(2.0 * most) / fastest, by_wish = slowest > 0.0 ? log(2.0 * wish) / slowest : (double)DEGREES;
    const double d = fmin(fmin(by_growth, by_wish), (double)DEGREES);
    return d < 4.0 ? 4 : (int64_t)ceil(d);
}

static nep_status rounds(nep_ctx *ctx, bench *w)
{
    double worst = (double)INFINITY, most = 1e6;
    for (int r = 0; r < ROUNDS; r++) {
        const double wish = r == 0 ? 1e300 : 4.0 * worst / (NEP_SUBSPACE_TOLERANCE * w->high);
        const int64_t degree = choose_degree(w, most, wish);
        NEP_TRY(filter(ctx, w, r, degree));
        w->cost.rounds++;
        w->cost.products += degree;
        NEP_TRY(products(ctx, w));
        NEP_TRY(ritz(ctx, w));
        NEP_TRY(turn(ctx, w));
        worst = residual(ctx, w);
        if (worst <= NEP_SUBSPACE_TOLERANCE * w->high)
            return nep_ctx_check(ctx);
        w->cut = fmin(w->theta[w->m - 1], 1.25 * w->theta[w->k - 1]); /* the last of a first round may be rounding alone */
        most = fmin(100.0 * most, 1e11); /* vectors that are nearly modes stay apart better than those of the start */
        NEP_TRY(nep_ctx_check(ctx));
    }
    return nep_ctx_fail(ctx, NEP_E_SINGULAR,
                        "eigenmodes: the %lld smoothest modes of %lld places did not settle in %d rounds, since they are many and near each "
                        "other (a mask that is "
                        "long and thin, or voxels of very unequal sides): choose variogram, or a coarser grid",
                        (long long)w->k, (long long)w->n, ROUNDS);
}

static void start(nep_ctx *ctx, const bench *w)
{
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t j = 0; j < w->m; j++) { /* the same for every seed: modes are no random draw */
        for (int64_t i = 0; i < w->n; i++)
            w->v[j * w->n + i] = nep_philox_gauss(20251, 8, (uint64_t)(j * w->n + i));
        nulls_remove_mean(w->v + j * w->n, w->n);
    }
    for (int64_t j = 0; j < w->m; j++)
        w->theta[j] = w->cut;
}

nep_status nep_subspace_smallest(nep_ctx *ctx, const nulls_graph *l, int64_t k, double guess, double *lambda, double *vectors,
                                 nep_subspace_cost *cost)
{
    bench w = {.l = l, .n = l->n, .k = k, .m = nep_subspace_room(k), .v = vectors};
    nep_status st;
    NEP_REQUIRE(ctx, k >= 1 && 2 * w.m <= l->n, NEP_E_ARG,
                "eigenmodes: %lld modes of %lld places, at least two places are needed for each vector of work", (long long)k, (long long)l->n);
    w.high = bound_of(l);
    NEP_REQUIRE(ctx, w.high > 0.0, NEP_E_ARG, "eigenmodes: no place has a neighbour");
    w.cut = guess > 1e-6 * w.high && guess < 0.5 * w.high ? guess : 0.1 * w.high;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->start[l->n], sizeof *w.scaled, "eigenmodes: weights", &w.scaled));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.n * COLS, sizeof *w.block, "eigenmodes: vectors", &w.block));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.m * w.m, sizeof *w.gram, "eigenmodes: products", &w.gram));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.m * w.m, sizeof *w.energy, "eigenmodes: products", &w.energy));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.m, sizeof *w.theta, "eigenmodes: eigenvalues", &w.theta));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.m, sizeof *w.residual, "eigenmodes: residuals", &w.residual));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w.m * w.m, sizeof *w.turn, "eigenmodes: turns", &w.turn));
    openblas_set_num_threads(1); /* more threads would change the bits */
    w.tells = !nep_progress_is_open(ctx);
    if (w.tells)
        nep_progress_open(ctx, "modes", STEPS);
    start(ctx, &w);
    st = rounds(ctx, &w);
    if (w.tells)
        nep_progress_close(ctx);
    if (st != NEP_OK)
        goto done;
    memcpy(lambda, w.theta, (size_t)k * sizeof *lambda);
    if (cost)
        *cost = w.cost;
done:
    nep_alloc_free(w.turn);
    nep_alloc_free(w.residual);
    nep_alloc_free(w.theta);
    nep_alloc_free(w.energy);
    nep_alloc_free(w.gram);
    nep_alloc_free(w.block);
    nep_alloc_free(w.scaled);
    return st;
}
