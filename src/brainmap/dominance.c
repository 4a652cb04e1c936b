/* SPDX-License-Identifier: Apache-2.0 */
/* dominance - total dominance of every predictor as one quadratic form each, from a single walk over all
 * subsets.
 *
 * With C = X'X / n and r = X'y / n of z-scored data, R2(S) = r' M_S r, M_S the inverse of C_SS padded with
 * zeros. Adjusted R2 is 1 - a + a R2, a(s) = (n - 1) / (n - s - 1), so total dominance is D_j = r' Q_j r + k
 * with Q_j = sum over non-empty T of a(|T|) M_T u_j(T),  u_j(T) = w(|T| - 1) / p if j in T, else -w(|T|) / p,
 *   w(s) = 1 / C(p - 1, s),  k = (1 - a(p)) / p.
 */
#include <nepenthe/backend.h>
#include <nepenthe/brainmap.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BITS = 12 }; /* a block of 4096 subsets starts from a fresh sweep: rounding does not pile up */

struct nep_dominance {
    int64_t n, p;
    double *x;        /* [n, p] z-scored */
    double *form;     /* [p, p, p] Q_j */
    double *constant; /* [p] */
    double *total;    /* [p, p] inverse of C, for the R2 of all */
};

void nep_dominance_free(nep_dominance *d)
{
    if (!d)
        return;
    nep_alloc_free(d->x);
    nep_alloc_free(d->form);
    nep_alloc_free(d->constant);
    nep_alloc_free(d->total);
    nep_alloc_free(d);
}

/* Sweeps pivot k of a [p, p]: doing it twice restores the matrix (Goodnight 1979). */
static void sweep(double *a, int64_t p, int64_t k)
{
    const double pivot = 1.0 / a[k * p + k];
    double *row = a + k * p;
    for (int64_t j = 0; j < p; j++)
        row[j] *= pivot;
    for (int64_t i = 0; i < p; i++) {
        if (i == k)
            continue;
        const double b = a[i * p + k];
#pragma omp simd
        for (int64_t j = 0; j < p; j++)
            a[i * p + j] -= b * row[j];
        a[i * p + k] = -b * pivot;
    }
    row[k] = pivot;
}

/* What a subset adds: scale[s] where j belongs to it, and (through `rest`, for every j) -other[s] where not.
 */
typedef struct {
    double scale[NEP_DOMINANCE_MAX + 1], other[NEP_DOMINANCE_MAX + 1];
} weights;

static weights weights_of(int64_t n, int64_t p)
{
    weights w = {{0}, {0}};
    double choose[NEP_DOMINANCE_MAX + 1] = {1.0}; /* C(p - 1, s) */
    for (int64_t s = 1; s < p; s++)
        choose[s] = choose[s - 1] * (double)(p - s) / (double)s;
    for (int64_t s = 1; s <= p; s++) {
        const double a = (double)(n - 1) / (double)(n - s - 1);
        w.other[s] = s < p ? a / (choose[s] * (double)p) : 0.0;
        w.scale[s] = a / (choose[s - 1] * (double)p) + w.other[s];
    }
    return w;
}

/* Adds subset `in` of size s, whose swept matrix is a, to the forms; the last form is the common rest. */
static void add_subset(const double *a, int64_t p, uint32_t in, int64_t s, const weights *w, double *masked,
                       double *forms)
{
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++)
            masked[i * p + j] = (in >> i) & (in >> j) & 1u ? a[i * p + j] : 0.0;
    for (int64_t j = 0; j <= p; j++) {
        if (j < p && !((in >> j) & 1u))
            continue;
        const double f = j < p ? w->scale[s] : -w->other[s];
        double *form = forms + j * p * p;
#pragma omp simd
        for (int64_t e = 0; e < p * p; e++)
            form[e] += f * masked[e];
    }
}

/* One block: the high bits are those of `block`, the low ones walk in Gray-code order. forms [p + 1, p, p]
 * zeroed. */
static void walk_block(const double *c, int64_t p, int low_bits, uint32_t block, const weights *w,
                       double *work, double *forms)
{
    double *a = work, *masked = work + p * p;
    uint32_t in = block << low_bits;
    int64_t size = 0;
    memcpy(a, c, (size_t)(p * p) * sizeof *a);
    for (int64_t k = 0; k < p; k++)
        if ((in >> k) & 1u) {
            sweep(a, p, k);
            size++;
        }
    for (uint32_t step = 0; step < 1u << low_bits; step++) {
        if (step > 0) {
            const int k = __builtin_ctz(step);
            sweep(a, p, k);
            in ^= 1u << k;
            size += (in >> k) & 1u ? 1 : -1;
        }
        if (size > 0)
            add_subset(a, p, in, size, w, masked, forms);
    }
}

static nep_status build_forms(nep_ctx *ctx, nep_dominance *d, const double *c)
{
    const int64_t p = d->p, cells = p * p, own = (p + 1) * cells;
    const int low_bits = p < BLOCK_BITS ? (int)p : BLOCK_BITS, threads = nep_ctx_threads(ctx);
    const int64_t blocks = (int64_t)1 << (p - low_bits);
    const weights w = weights_of(d->n, p);
    double *part = NULL, *work = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, blocks * own, sizeof *part, "dominance: blocks of subsets", &part));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * cells * threads, sizeof *work, "dominance: scratch", &work));
    NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t b = 0; b < blocks; b++)
        walk_block(c, p, low_bits, (uint32_t)b, &w, work + 2 * cells * omp_get_thread_num(), part + b * own);
    for (int64_t b = 1; b < blocks; b++) /* in block order: the same bits for any thread count */
        for (int64_t e = 0; e < own; e++)
            part[e] += part[b * own + e];
    for (int64_t j = 0; j < p; j++)
        for (int64_t e = 0; e < cells; e++)
            d->form[j * cells + e] = part[j * cells + e] + part[p * cells + e];
    for (int64_t j = 0; j < p; j++)
        d->constant[j] = (1.0 - (double)(d->n - 1) / (double)(d->n - p - 1)) / (double)p;
done:
    nep_alloc_free(work);
    nep_alloc_free(part);
    return st;
}

/* z with the population's sd; false when x (stride apart) has no spread. */
static bool standardise(double *x, int64_t n, int64_t stride)
{
    double mean = 0.0, square = 0.0, before = 0.0;
    for (int64_t i = 0; i < n; i++) {
        mean += x[i * stride];
        before += x[i * stride] * x[i * stride];
    }
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        square += (x[i * stride] - mean) * (x[i * stride] - mean);
    if (!(square > 1e-24 * before))
        return false;
    const double sd = sqrt(square / (double)n);
    for (int64_t i = 0; i < n; i++)
        x[i * stride] = (x[i * stride] - mean) / sd;
    return true;
}

static void label(char *text, size_t size, char *const *names, int64_t j)
{
    if (names)
        snprintf(text, size, "'%s'", names[j]);
    else
        snprintf(text, size, "%lld", (long long)j + 1);
}

/* Sweeps all predictors in turn into d->total; a pivot that has nearly vanished depends on those before it.
 */
static nep_status check_rank(nep_ctx *ctx, nep_dominance *d, const double *c, char *const *names)
{
    const int64_t p = d->p;
    memcpy(d->total, c, (size_t)(p * p) * sizeof *c);
    for (int64_t k = 0; k < p; k++) {
        if (d->total[k * p + k] > 1e-10) {
            sweep(d->total, p, k);
            continue;
        }
        char who[128], with[512] = "";
        label(who, sizeof who, names, k);
        for (int64_t j = 0, used = 0; j < k && used + 130 < (int64_t)sizeof with; j++)
            if (fabs(d->total[j * p + k]) > 1e-6) { /* its regression weight on predictor j */
                char one[128];
                label(one, sizeof one, names, j);
                used += snprintf(with + used, sizeof with - (size_t)used, "%s%s", used ? ", " : "", one);
            }
        return nep_ctx_fail(ctx, NEP_E_SINGULAR,
                            "dominance: predictor %s is a linear combination of %s: leave one of them out",
                            who, with);
    }
    return NEP_OK;
}

static nep_status prepare(nep_ctx *ctx, nep_dominance *d, double *c, char *const *names)
{
    const int64_t n = d->n, p = d->p;
    for (int64_t e = 0; e < n * p; e++)
        NEP_REQUIRE(ctx, isfinite(d->x[e]), NEP_E_ARG,
                    "dominance: predictor %lld has no value in row %lld: leave the region out",
                    (long long)(e % p) + 1, (long long)(e / p) + 1);
    for (int64_t j = 0; j < p; j++) {
        char who[128];
        label(who, sizeof who, names, j);
        NEP_REQUIRE(ctx, standardise(d->x + j, n, p), NEP_E_SINGULAR,
                    "dominance: predictor %s is constant: leave it out", who);
    }
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++) {
            double sum = 0.0;
            for (int64_t r = 0; r < n; r++)
                sum += d->x[r * p + i] * d->x[r * p + j];
            c[i * p + j] = i == j ? 1.0 : sum / (double)n;
        }
    NEP_TRY(check_rank(ctx, d, c, names));
    return build_forms(ctx, d, c);
}

nep_status nep_dominance_create(nep_ctx *ctx, const double *x, int64_t n, int64_t p, char *const *names,
                                nep_dominance **out)
{
    nep_dominance *d = NULL;
    double *c = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, x && out, NEP_E_ARG, "dominance: predictors and out must be given");
    NEP_REQUIRE(ctx, p >= 1, NEP_E_ARG, "dominance: there is no predictor");
    NEP_REQUIRE(
        ctx, p <= NEP_DOMINANCE_MAX, NEP_E_ARG,
        "dominance: %lld predictors make 2^%lld subsets, more than exact dominance can walk: give at most %d",
        (long long)p, (long long)p, NEP_DOMINANCE_MAX);
    NEP_REQUIRE(
        ctx, n >= p + 2, NEP_E_ARG,
        "dominance: %lld regions cannot carry %lld predictors: adjusted R2 needs at least %lld regions",
        (long long)n, (long long)p, (long long)p + 2);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *d, "dominance", &d));
    d->n = n;
    d->p = p;
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, x, n * p, sizeof *x, "dominance: predictors", &d->x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p * p * p, sizeof *x, "dominance: forms", &d->form));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p, sizeof *x, "dominance: constants", &d->constant));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p * p, sizeof *x, "dominance: inverse", &d->total));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p * p, sizeof *x, "dominance: correlations", &c));
    NEP_TRY_OR_DONE(st, prepare(ctx, d, c, names));
    *out = d;
    d = NULL;
done:
    nep_alloc_free(c);
    nep_dominance_free(d);
    return st;
}

/* r = X'y / n of the z-scored map; NaN throughout when it has no spread. y [n] is overwritten. */
static void relate(const nep_dominance *d, double *y, double *r)
{
    const bool spread = standardise(y, d->n, 1);
    for (int64_t j = 0; j < d->p; j++)
        r[j] = spread ? 0.0 : (double)NAN;
    for (int64_t i = 0; spread && i < d->n; i++)
        for (int64_t j = 0; j < d->p; j++)
            r[j] += d->x[i * d->p + j] * y[i] / (double)d->n;
}

nep_status nep_dominance_score(nep_ctx *ctx, const nep_dominance *d, const double *y, int64_t m, double *out,
                               double *r2)
{
    const int threads = nep_ctx_threads(ctx);
    double *r = NULL, *work = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, d && y && out && m >= 0, NEP_E_ARG,
                "dominance: forms, maps and out must be given, their number not negative");
    const int64_t n = d->n, p = d->p;
    const double a = (double)(n - 1) / (double)(n - p - 1);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * p, sizeof *r, "dominance: correlations of maps", &r));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n, sizeof *work, "dominance: scratch", &work));
#pragma omp parallel for schedule(dynamic, 64) num_threads(threads)
    for (int64_t i = 0; i < m; i++) {
        double *map = work + omp_get_thread_num() * n;
        memcpy(map, y + i * n, (size_t)n * sizeof *map);
        relate(d, map, r + i * p);
    }
    if (m > 0)
        NEP_TRY_OR_DONE(st, nep_backend_quadratic_forms(ctx, r, m, p, d->form, d->constant, p, out));
    if (r2 && m > 0) {
        const double k = 1.0 - a;
        NEP_TRY_OR_DONE(st, nep_backend_quadratic_forms(ctx, r, m, p, d->total, &k, 1, r2));
        for (int64_t i = 0; i < m; i++) /* the op gave R2 + 1 - a */
            r2[i] = k + a * (r2[i] - k);
    }
done:
    nep_alloc_free(work);
    nep_alloc_free(r);
    return st;
}

nep_status nep_dominance_p(nep_ctx *ctx, const double *observed, const double *null, int64_t n_nulls,
                           int64_t p, double *out)
{
    NEP_REQUIRE(ctx, observed && null && out && n_nulls >= 1, NEP_E_ARG,
                "dominance: p needs at least one surrogate");
    for (int64_t j = 0; j < p; j++) {
        double mean = 0.0;
        int64_t reached = 0;
        for (int64_t b = 0; b < n_nulls; b++)
            mean += null[b * p + j];
        mean /= (double)n_nulls;
        for (int64_t b = 0; b < n_nulls;
             b++) /* written so that a surrogate without a value counts as reached */
            reached += !(fabs(null[b * p + j] - mean) < fabs(observed[j] - mean) * (1.0 - NEP_BRAINMAP_TIE));
        out[j] = isnan(observed[j]) ? (double)NAN : (double)(1 + reached) / (double)(n_nulls + 1);
    }
    return NEP_OK;
}
