/* SPDX-License-Identifier: Apache-2.0 */
/* nulls_rate - how often a null cries wolf: unrelated random maps with a known autocorrelation, tested like data. */
#include "nulls.h"

#include <lapacke.h>
#include <omp.h>
#include <string.h>

enum {
    EXACT_FIELDS = 4096, /* above it the covariance's factor (n^2) gives way to random waves */
    WAVES = 1000,
};

typedef struct {
    const nep_nulls *nulls;
    double length_mm;
    const double *factor; /* [n, n] lower, or NULL: waves */
    int64_t n_maps;
    double *a, *b;           /* [n_maps, n] centred, unit length; with partial vectors a keeps its rest alone */
    double *r;               /* [n_maps] a . b */
    double *coef_a, *coef_b; /* [n_maps, n_vectors] spectral kinds */
    double *fixed;           /* [n_maps] block means of a . b: what no surrogate changes */
} trial;

/* Lower Cholesky factor of exp(-D / length). */
static nep_status field_factor(nep_ctx *ctx, const nep_nulls *nulls, double length_mm, double *factor)
{
    const int64_t n = nulls->n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            const double d = nulls_distance(nulls->mm[i], nulls->mm[j]);
            factor[i * n + j] = i == j ? 1.0 : length_mm > 0.0 ? exp(-d / length_mm) : 0.0;
        }
    const lapack_int info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, factor, (lapack_int)n);
    NEP_REQUIRE(
        ctx, info == 0, NEP_E_SINGULAR,
        "nulls: the covariance exp(-D / %g mm) is not positive definite: two regions lie at one place",
        length_mm);
    return NEP_OK;
}

/* Random waves whose wave vectors have the spectral density of exp(-D / length): normal over |normal|, a
 * multivariate t with one degree of freedom. White noise when the length is 0. */
static void waves(const trial *t, uint64_t stream, int64_t m, double *map)
{
    const nep_nulls *nulls = t->nulls;
    const uint64_t seed = nulls->seed, first = (uint64_t)m << 32;
    for (int64_t i = 0; i < nulls->n; i++)
        map[i] = t->length_mm > 0.0 ? 0.0 : nep_philox_normal(seed, stream, first + (uint64_t)i);
    for (uint64_t w = 0; w < WAVES && t->length_mm > 0.0; w++) {
        double k[3];
        const uint64_t at = first + 5 * w;
        const double scale = t->length_mm * fabs(nep_philox_normal(seed, stream, at));
        const double phase = 6.283185307179586 * nep_philox_uniform(seed, stream, at + 1);
        for (uint64_t c = 0; c < 3; c++)
            k[c] = nep_philox_normal(seed, stream, at + 2 + c) / scale;
        for (int64_t i = 0; i < nulls->n; i++)
            map[i] += cos(k[0] * nulls->mm[i][0] + k[1] * nulls->mm[i][1] + k[2] * nulls->mm[i][2] + phase);
    }
}

/* Map number m, centred, unit length. z [n]. */
static void field(const trial *t, uint64_t stream, int64_t m, double *z, double *map)
{
    const int64_t n = t->nulls->n;
    double mean = 0.0, norm = 0.0;
    if (!t->factor)
        waves(t, stream, m, map);
    for (int64_t i = 0; i < n && t->factor; i++)
        z[i] = nep_philox_normal(t->nulls->seed, stream, (uint64_t)(m * n + i));
    for (int64_t i = 0; i < n && t->factor; i++) {
        double v = 0.0;
        for (int64_t j = 0; j <= i; j++)
            v += t->factor[i * n + j] * z[j];
        map[i] = v;
    }
    for (int64_t i = 0; i < n; i++)
        mean += map[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        map[i] -= mean;
        norm += map[i] * map[i];
    }
    for (int64_t i = 0; i < n; i++)
        map[i] /= sqrt(norm);
}

/* Pair m: its maps, their correlation, their coefficients. work [n]. */
static void make_pair(const trial *t, uint64_t stream, int64_t m, double *work)
{
    const int64_t n = t->nulls->n, k = t->nulls->n_vectors;
    double *a = t->a + m * n, *b = t->b + m * n;
    field(t, stream, 2 * m, work, a);
    field(t, stream, 2 * m + 1, work, b);
    t->r[m] = 0.0;
    for (int64_t i = 0; i < n; i++)
        t->r[m] += a[i] * b[i];
    if (!t->coef_a)
        return;
    nep_spectral_coefficients(t->nulls, b, t->coef_b + m * k, work);
    nep_spectral_coefficients(t->nulls, a, t->coef_a + m * k, work);
    t->fixed[m] = 0.0;
    for (int64_t i = 0; i < n; i++)
        t->fixed[m] += work[i] * b[i];
    if (t->nulls->partial)
        nep_spectral_rest(t->nulls, a, t->coef_a + m * k, work, a);
}

/* Surrogate of map a by the index or the counts in `how`, and its r with b over the regions that have a value. */
static double moved_r(const trial *t, const int32_t *how, const double *a, const double *b, double *x)
{
    const int64_t n = t->nulls->n;
    double m = 0.0, sx = 0.0, sy = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    if (nep_nulls_row(t->nulls->kind)->family == NULLS_MIXED)
        nep_surface_means(t->nulls, how, a, x);
    else
        for (int64_t i = 0; i < n; i++)
            x[i] = how[i] < 0 ? (double)NAN : a[how[i]];
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            continue;
        m += 1.0;
        sx += x[i];
        sy += b[i];
        xx += x[i] * x[i];
        yy += b[i] * b[i];
        xy += x[i] * b[i];
    }
    const double spread = (xx - sx * sx / m) * (yy - sy * sy / m); /* repeated values change it */
    return spread > 1e-300 ? (xy - sx * sy / m) / sqrt(spread) : (double)NAN;
}

/* The index or the counts of a surrogate that was turned, in scratch where they must be made. */
static const int32_t *how_moved(const trial *t, const int32_t *moved, int32_t *scratch)
{
    if (nep_nulls_row(t->nulls->kind)->family != NULLS_MIXED)
        return nep_moved_index(t->nulls, moved, scratch);
    nep_surface_counts(t->nulls, moved, scratch);
    return scratch;
}

/* Surrogate s of every map a against its b: reached[m] += |r of the surrogate| >= |r|. moved: its row from nep_moved_turn, of kinds that move. */
static void one_surrogate(const trial *t, uint64_t stream, int64_t s, const int32_t *moved, double *scratch, int64_t *reached)
{
    const int64_t n = t->nulls->n, k = t->nulls->n_vectors;
    double *turned = scratch + (t->coef_a ? nep_spectral_size(t->nulls) : 0);
    int32_t *index = (int32_t *)(void *)(turned + k); /* spectral kinds: of the rest */
    const int32_t *how = NULL;
    if (t->coef_a) {
        nep_spectral_turn(t->nulls, stream, s, scratch);
        if (t->nulls->partial)
            nep_spectral_shuffle(t->nulls, stream, s, index, index + n);
    } else {
        how = how_moved(t, moved, (int32_t *)(void *)(scratch + n)); /* [n] doubles before it hold one surrogate */
    }
    for (int64_t m = 0; m < t->n_maps; m++) {
        double null;
        if (t->coef_a) { /* a signed sum over eigenvectors: no need to build the map */
            null = t->fixed[m];
            nep_spectral_apply(t->nulls, scratch, t->coef_a + m * k, turned);
            for (int64_t v = 0; v < k; v++)
                null += turned[v] * t->coef_b[m * k + v];
            for (int64_t i = 0; i < n && t->nulls->partial; i++)
                null += t->a[m * n + index[i]] * t->b[m * n + i];
        } else {
            null = moved_r(t, how, t->a + m * n, t->b + m * n, scratch);
        }
        reached[m] += !(fabs(null) < fabs(t->r[m]) * (1.0 - NEP_BRAINMAP_TIE)); /* one without a value counts */
    }
}

/* Matched surrogates are made for each map: those of map m under a stream of its own, counted into *reached. draws [n_nulls, n]. */
static nep_status one_matched(nep_ctx *ctx, const trial *t, uint64_t stream, int64_t m, int64_t n_nulls, double *draws, int64_t *reached)
{
    const int64_t n = t->nulls->n;
    int64_t count = 0;
    NEP_TRY(nep_nulls_draw(ctx, t->nulls, t->a + m * n, stream + 1 + (uint64_t)m, 0, n_nulls, draws));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) reduction(+ : count)
    for (int64_t s = 0; s < n_nulls; s++) {
        double mean = 0.0, null = 0.0, square = 0.0; /* b is centred and of unit length */
        for (int64_t i = 0; i < n; i++)
            mean += draws[s * n + i] / (double)n;
        for (int64_t i = 0; i < n; i++) {
            null += draws[s * n + i] * t->b[m * n + i];
            square += (draws[s * n + i] - mean) * (draws[s * n + i] - mean);
        }
        count += !(fabs(null) < fabs(t->r[m]) * sqrt(square) * (1.0 - NEP_BRAINMAP_TIE));
    }
    *reached = count;
    return NEP_OK;
}

static nep_status run_matched(nep_ctx *ctx, const trial *t, uint64_t stream, int64_t n_nulls, double alpha, double *hits)
{
    double *draws = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(ctx, n_nulls * t->nulls->n, sizeof *draws, "nulls: surrogates", &draws));
    *hits = 0.0;
    for (int64_t m = 0; m < t->n_maps && st == NEP_OK; m++) {
        int64_t reached = 0;
        st = one_matched(ctx, t, stream, m, n_nulls, draws, &reached);
        *hits += (double)(1 + reached) / (double)(n_nulls + 1) <= alpha * (1.0 + NEP_BRAINMAP_TIE);
    }
    nep_alloc_free(draws);
    return st;
}

static nep_nulls_rate wilson(double hits, int64_t n, double alpha, int64_t n_nulls)
{
    const double z = 1.6448536269514722, m = (double)n, rate = hits / m, scale = 1.0 + z * z / m;
    const double mid = (rate + z * z / (2.0 * m)) / scale;
    const double half = z * sqrt(rate * (1.0 - rate) / m + z * z / (4.0 * m * m)) / scale;
    return (nep_nulls_rate){
        .alpha = alpha, .rate = rate, .low = mid - half, .high = mid + half, .n_maps = n, .n_nulls = n_nulls};
}

static nep_status make_trial(nep_ctx *ctx, trial *t, double **factor, uint64_t stream)
{
    const nep_nulls *nulls = t->nulls;
    const int64_t n = nulls->n, m = t->n_maps;
    const int threads = nep_ctx_threads(ctx);
    double *work = NULL;
    nep_status st;
    if (n <= EXACT_FIELDS) {
        NEP_TRY(nep_alloc(ctx, n * n, sizeof **factor, "nulls: covariance", factor));
        NEP_TRY(field_factor(ctx, nulls, t->length_mm, *factor));
        t->factor = *factor;
    }
    NEP_TRY(nep_alloc(ctx, m * n, sizeof *t->a, "nulls: random maps", &t->a));
    NEP_TRY(nep_alloc(ctx, m * n, sizeof *t->b, "nulls: random maps", &t->b));
    NEP_TRY(nep_alloc(ctx, m, sizeof *t->r, "nulls: correlations", &t->r));
    if (nep_nulls_row(nulls->kind)->family == NULLS_SPECTRAL) {
        NEP_TRY(nep_alloc(ctx, m * nulls->n_vectors, sizeof *t->coef_a, "nulls: coefficients", &t->coef_a));
        NEP_TRY(nep_alloc(ctx, m * nulls->n_vectors, sizeof *t->coef_b, "nulls: coefficients", &t->coef_b));
        NEP_TRY(nep_alloc(ctx, m, sizeof *t->fixed, "nulls: block means", &t->fixed));
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * threads, sizeof *work, "nulls: scratch", &work));
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads)
    for (int64_t i = 0; i < m; i++)
        make_pair(t, stream, i, work + n * omp_get_thread_num());
    st = nep_ctx_check(ctx);
done:
    nep_alloc_free(work);
    return st;
}

static nep_status run_trial(nep_ctx *ctx, const trial *t, uint64_t stream, int64_t n_nulls, double alpha,
                            double *hits)
{
    enum { CHUNK = 64 }; /* spectral surrogates between two looks for an interruption */
    const nep_nulls *nulls = t->nulls;
    const int threads = nep_ctx_threads(ctx);
    const int64_t width = t->coef_a ? 0 : nep_moved_width(nulls), chunk = t->coef_a ? CHUNK : nep_moved_batch(nulls);
    const int64_t own = 2 * nulls->n + (t->coef_a ? nep_spectral_size(nulls) + nulls->n_vectors : nep_moved_scratch(nulls) / 2 + 1);
    double *scratch = NULL;
    int64_t *reached = NULL;
    int32_t *moved = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, own * threads, sizeof *scratch, "nulls: scratch", &scratch));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->n_maps * threads, sizeof *reached, "nulls: counts", &reached));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, chunk * width, sizeof *moved, "nulls: surrogates that move", &moved));
    for (int64_t from = 0; from < n_nulls; from += chunk) {
        const int64_t to = from + chunk < n_nulls ? from + chunk : n_nulls;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        if (!t->coef_a)
            NEP_TRY_OR_DONE(st, nep_moved_turn(ctx, nulls, stream, from, to - from, moved));
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
        for (int64_t s = from; s < to; s++)
            one_surrogate(t, stream, s, moved + (s - from) * width, scratch + own * omp_get_thread_num(),
                          reached + t->n_maps * omp_get_thread_num());
    }
    *hits = 0.0;
    for (int64_t m = 0; m < t->n_maps; m++) {
        int64_t all = 0;
        for (int k = 0; k < threads; k++)
            all += reached[k * t->n_maps + m];
        *hits += (double)(1 + all) / (double)(n_nulls + 1) <= alpha * (1.0 + NEP_BRAINMAP_TIE);
    }
done:
    nep_alloc_free(moved);
    nep_alloc_free(reached);
    nep_alloc_free(scratch);
    return st;
}

nep_status nep_nulls_false_positive(nep_ctx *ctx, const nep_nulls *nulls, double length_mm, int64_t n_maps,
                                    int64_t n_nulls, double alpha, uint64_t stream, nep_nulls_rate *out)
{
    trial t = {.nulls = nulls, .length_mm = length_mm, .n_maps = n_maps};
    double *factor = NULL, hits = 0.0;
    nep_status st;

    NEP_REQUIRE(ctx, nulls && out, NEP_E_ARG, "nulls: nulls and out must not be NULL");
    NEP_REQUIRE(ctx, n_maps >= 1 && n_nulls >= 1, NEP_E_ARG,
                "nulls: %lld pairs of maps and %lld surrogates: at least 1 of each", (long long)n_maps,
                (long long)n_nulls);
    NEP_REQUIRE(ctx, alpha > 0.0 && alpha < 1.0, NEP_E_ARG, "nulls: alpha is %g, must lie between 0 and 1",
                alpha);
    NEP_TRY_OR_DONE(st, make_trial(ctx, &t, &factor, stream + 1));
    const bool matched = nep_nulls_row(nulls->kind)->family == NULLS_MATCHED;
    NEP_TRY_OR_DONE(st, matched ? run_matched(ctx, &t, stream + 1, n_nulls, alpha, &hits)
                                : run_trial(ctx, &t, stream, n_nulls, alpha, &hits));
    *out = wilson(hits, n_maps, alpha, n_nulls);
done:
    nep_alloc_free(t.fixed);
    nep_alloc_free(t.coef_b);
    nep_alloc_free(t.coef_a);
    nep_alloc_free(t.r);
    nep_alloc_free(t.b);
    nep_alloc_free(t.a);
    nep_alloc_free(factor);
    return st;
}
