/* SPDX-License-Identifier: Apache-2.0 */
/* nulls - surrogates of a regional map that keep its spatial structure, drawn by number. */
#include "nulls.h"

#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <string.h>

static const char *const names_of_kinds[NEP_NULLS_KIND_COUNT] = {
    "moran", "moran-compartment", "spin", "spin-hungarian", "spin-nearest", "shuffle"};

const char *nep_nulls_name(nep_nulls_kind kind)
{
    return (int)kind >= 0 && kind < NEP_NULLS_KIND_COUNT ? names_of_kinds[kind] : "unknown";
}

bool nep_nulls_find(const char *name, nep_nulls_kind *out)
{
    for (int k = 0; k < NEP_NULLS_KIND_COUNT; k++)
        if (strcmp(name, names_of_kinds[k]) == 0) {
            *out = (nep_nulls_kind)k;
            return true;
        }
    return false;
}

int64_t nep_nulls_regions(const nep_nulls *nulls)
{
    return nulls->n;
}

nep_nulls_kind nep_nulls_kind_of(const nep_nulls *nulls)
{
    return nulls->kind;
}

void nep_nulls_free(nep_nulls *nulls)
{
    if (!nulls)
        return;
    nep_alloc_free(nulls->mm);
    nep_alloc_free(nulls->sphere);
    nep_alloc_free(nulls->hemisphere);
    nep_alloc_free(nulls->block);
    nep_alloc_free(nulls->vectors);
    nep_alloc_free(nulls);
}

static nep_status check_place(nep_ctx *ctx, const nep_geometry *g, int64_t r, nep_nulls_kind kind)
{
    for (int k = 0; k < 3; k++)
        NEP_REQUIRE(
            ctx, isfinite(g->mm[r][k]), NEP_E_ARG,
            "nulls: region '%s' has no coordinates in mm: complete the geometry or leave the region out",
            g->names[r]);
    if (nulls_is_moran(kind) || kind == NEP_NULLS_SHUFFLE)
        return NEP_OK;
    const double *s = g->sphere ? g->sphere[r] : NULL;
    NEP_REQUIRE(ctx, s && isfinite(s[0]) && isfinite(s[1]) && isfinite(s[2]), NEP_E_ARG,
                "nulls: spins exist on the cortical sphere only and region '%s' has no sphere coordinates: "
                "use moran, or take "
                "the cortex alone",
                g->names[r]);
    NEP_REQUIRE(
        ctx, fabs(s[0] * s[0] + s[1] * s[1] + s[2] * s[2] - 1.0) < 0.02, NEP_E_ARG,
        "nulls: the sphere coordinates of region '%s' are no unit vector: divide them by the sphere's radius",
        g->names[r]);
    NEP_REQUIRE(ctx, g->hemisphere[r] == 'L' || g->hemisphere[r] == 'R', NEP_E_ARG,
                "nulls: region '%s' lies in no single hemisphere, so it cannot be turned: use moran, or "
                "leave the region out",
                g->names[r]);
    return NEP_OK;
}

static nep_status fill(nep_ctx *ctx, nep_nulls *nulls, const nep_geometry *g, const bool *use,
                       const char **names)
{
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->mm, "nulls: coordinates", &nulls->mm));
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->sphere, "nulls: sphere coordinates", &nulls->sphere));
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->hemisphere, "nulls: hemispheres", &nulls->hemisphere));
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->block, "nulls: compartments", &nulls->block));
    for (int64_t r = 0, i = 0; r < g->n_regions; r++) {
        if (use && !use[r])
            continue;
        NEP_TRY(check_place(ctx, g, r, nulls->kind));
        memcpy(nulls->mm[i], g->mm[r], sizeof nulls->mm[i]);
        if (g->sphere)
            memcpy(nulls->sphere[i], g->sphere[r], sizeof nulls->sphere[i]);
        nulls->hemisphere[i] = g->hemisphere[r];
        nulls->block[i] = nulls->kind == NEP_NULLS_MORAN_COMPARTMENT && !g->cortex[r];
        names[i++] = g->names[r];
    }
    return NEP_OK;
}

nep_status nep_nulls_create(nep_ctx *ctx, const nep_geometry *g, const bool *use, nep_nulls_kind kind,
                            nep_nulls **out)
{
    nep_nulls *nulls = NULL;
    const char **names = NULL;
    int64_t n = 0;
    nep_status st;

    NEP_REQUIRE(ctx, g && out, NEP_E_ARG, "nulls: geometry and out must not be NULL");
    NEP_REQUIRE(ctx, (int)kind >= 0 && kind < NEP_NULLS_KIND_COUNT, NEP_E_ARG, "nulls: there is no kind %d",
                (int)kind);
    for (int64_t r = 0; r < g->n_regions; r++)
        n += !use || use[r];
    NEP_REQUIRE(ctx, n >= 3, NEP_E_ARG, "nulls: %lld regions are too few, at least 3 are needed",
                (long long)n);
    NEP_REQUIRE(ctx, n < (1 << 24), NEP_E_ARG, "nulls: %lld regions are too many for a dense method",
                (long long)n);

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *nulls, "nulls", &nulls));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *names, "nulls: names", &names));
    nulls->kind = kind;
    nulls->n = n;
    nulls->seed = nep_ctx_seed(ctx);
    NEP_TRY_OR_DONE(st, fill(ctx, nulls, g, use, names));
    if (nulls_is_moran(kind))
        NEP_TRY_OR_DONE(st, nep_moran_prepare(ctx, nulls, names));
    *out = nulls;
    nulls = NULL;
done:
    nep_alloc_free(names);
    nep_nulls_free(nulls);
    return st;
}

/* One OpenMP loop over surrogates; `one` works on its own scratch. Checked for interruption now and then. */
typedef void work_fn(const nep_nulls *nulls, const void *shared, uint64_t stream, int64_t b, double *scratch,
                     void *out);

static nep_status each(nep_ctx *ctx, const nep_nulls *nulls, work_fn *one, const void *shared,
                       uint64_t stream, int64_t first, int64_t count, size_t row_bytes, void *out)
{
    const int64_t n = nulls->n, cells = n * n + 1, wish = ((int64_t)1 << 25) / cells;
    const int64_t chunk = wish < 64 ? 64 : wish > 8192 ? 8192 : wish; /* no result depends on it */
    const int threads = nep_ctx_threads(ctx);
    const bool spins = !nulls_is_moran(nulls->kind) && nulls->kind != NEP_NULLS_SHUFFLE;
    const int64_t own = 9 * (n + 1) + (spins ? n * n : 0);
    double *scratch = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, own * threads, sizeof *scratch, "nulls: scratch", &scratch));
    for (int64_t from = 0; from < count; from += chunk) {
        const int64_t to = from + chunk < count ? from + chunk : count;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
        for (int64_t b = from; b < to; b++)
            one(nulls, shared, stream, first + b, scratch + own * omp_get_thread_num(),
                (char *)out + (size_t)b * row_bytes);
    }
done:
    nep_alloc_free(scratch);
    return st;
}

static void indices_of(const nep_nulls *nulls, uint64_t stream, int64_t b, double *scratch, int32_t *index)
{
    const int64_t n = nulls->n;
    if (nulls->kind != NEP_NULLS_SHUFFLE) {
        nep_spin_indices(nulls, stream, b, scratch + 9 * (n + 1), scratch, index);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        index[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j =
            (int64_t)(nep_philox_uniform(nulls->seed, stream, nulls_index(b, i)) * (double)(i + 1));
        const int32_t kept = index[i];
        index[i] = index[j];
        index[j] = kept;
    }
}

static void one_index(const nep_nulls *nulls, const void *shared, uint64_t stream, int64_t b, double *scratch,
                      void *out)
{
    (void)shared;
    indices_of(nulls, stream, b, scratch, out);
}

typedef struct {
    const double *map, *coef, *base;
} moran_map;

static void one_moran(const nep_nulls *nulls, const void *shared, uint64_t stream, int64_t b, double *scratch,
                      void *out)
{
    const moran_map *m = shared;
    double *surrogate = out;
    nep_moran_signs(nulls, stream, b, scratch);
    memcpy(surrogate, m->base, (size_t)nulls->n * sizeof *surrogate);
    for (int64_t k = 0; k < nulls->n_vectors; k++) {
        const double *v = nulls->vectors + k * nulls->n, c = scratch[k] * m->coef[k];
#pragma omp simd
        for (int64_t i = 0; i < nulls->n; i++)
            surrogate[i] += c * v[i];
    }
}

static void one_moved(const nep_nulls *nulls, const void *shared, uint64_t stream, int64_t b, double *scratch,
                      void *out)
{
    const double *map = shared;
    double *surrogate = out;
    int32_t *index = (int32_t *)(scratch + 8 * (nulls->n + 1));
    indices_of(nulls, stream, b, scratch, index);
    for (int64_t i = 0; i < nulls->n; i++)
        surrogate[i] = map[index[i]];
}

static nep_status draw_moran(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream,
                             int64_t first, int64_t count, double *out)
{
    const int64_t n = nulls->n;
    double *work = NULL;
    nep_status st;

    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, isfinite(map[i]), NEP_E_ARG,
                    "nulls: the map has no value at region %lld of %lld and Moran surrogates need all: leave "
                    "the region out",
                    (long long)i + 1, (long long)n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * n, sizeof *work, "nulls: coefficients of a map", &work));
    nep_moran_coefficients(nulls, map, work, work + n);
    const moran_map m = {map, work, work + n};
    NEP_TRY_OR_DONE(st, each(ctx, nulls, one_moran, &m, stream, first, count, (size_t)n * sizeof *out, out));
done:
    nep_alloc_free(work);
    return st;
}

nep_status nep_nulls_draw(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream,
                          int64_t first, int64_t count, double *out)
{
    NEP_REQUIRE(ctx, nulls && map && out, NEP_E_ARG, "nulls: nulls, map and out must not be NULL");
    NEP_REQUIRE(ctx, first >= 0 && count >= 0, NEP_E_ARG,
                "nulls: surrogates %lld, %lld of them: neither may be negative", (long long)first,
                (long long)count);
    if (nulls_is_moran(nulls->kind))
        return draw_moran(ctx, nulls, map, stream, first, count, out);
    return each(ctx, nulls, one_moved, map, stream, first, count, (size_t)nulls->n * sizeof *out, out);
}

nep_status nep_nulls_indices(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t first,
                             int64_t count, int32_t *out)
{
    NEP_REQUIRE(ctx, nulls && out, NEP_E_ARG, "nulls: nulls and out must not be NULL");
    NEP_REQUIRE(ctx, !nulls_is_moran(nulls->kind), NEP_E_ARG,
                "nulls: Moran surrogates are no permutation of the map's values");
    NEP_REQUIRE(ctx, first >= 0 && count >= 0, NEP_E_ARG,
                "nulls: surrogates %lld, %lld of them: neither may be negative", (long long)first,
                (long long)count);
    return each(ctx, nulls, one_index, NULL, stream, first, count, (size_t)nulls->n * sizeof *out, out);
}

/* ---- false-positive rate ---- */

/* Lower Cholesky factor of exp(-D / length). */
static nep_status field_factor(nep_ctx *ctx, const nep_nulls *nulls, double length_mm, double *factor)
{
    const int64_t n = nulls->n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            const double x = nulls->mm[i][0] - nulls->mm[j][0], y = nulls->mm[i][1] - nulls->mm[j][1],
                         z = nulls->mm[i][2] - nulls->mm[j][2];
            const double d = sqrt(x * x + y * y + z * z);
            factor[i * n + j] = i == j ? 1.0 : length_mm > 0.0 ? exp(-d / length_mm) : 0.0;
        }
    const lapack_int info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, factor, (lapack_int)n);
    NEP_REQUIRE(
        ctx, info == 0, NEP_E_SINGULAR,
        "nulls: the covariance exp(-D / %g mm) is not positive definite: two regions lie at one place",
        length_mm);
    return NEP_OK;
}

/* Map number m: factor times normals, centred, unit length. */
static void field(const nep_nulls *nulls, const double *factor, uint64_t stream, int64_t m, double *z,
                  double *map)
{
    const int64_t n = nulls->n;
    double mean = 0.0, norm = 0.0;
    for (int64_t i = 0; i < n; i++)
        z[i] = nep_philox_normal(nulls->seed, stream, (uint64_t)(m * n + i));
    for (int64_t i = 0; i < n; i++) {
        double v = 0.0;
        for (int64_t j = 0; j <= i; j++)
            v += factor[i * n + j] * z[j];
        map[i] = v;
        mean += v;
    }
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        map[i] -= mean;
        norm += map[i] * map[i];
    }
    for (int64_t i = 0; i < n; i++)
        map[i] /= sqrt(norm);
}

typedef struct {
    const nep_nulls *nulls;
    const double *sign;   /* [n_nulls, n_vectors] Moran */
    const int32_t *index; /* [n_nulls, n] else */
    int64_t n_nulls;
} trial;

/* How many surrogates of a reach |r(a, b)|; a and b centred with unit length. work [4 n]. */
static int64_t reached(const trial *t, const double *a, const double *b, double *work)
{
    const int64_t n = t->nulls->n;
    double r = 0.0, fixed = 0.0;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        r += a[i] * b[i];
    if (t->sign) { /* the surrogate's r is a signed sum over eigenvectors: no need to build the map */
        nep_moran_coefficients(t->nulls, a, work, work + n);
        for (int64_t i = 0; i < n; i++)
            fixed += work[n + i] * b[i];
        nep_moran_coefficients(t->nulls, b, work + n, work + 2 * n);
        for (int64_t k = 0; k < t->nulls->n_vectors; k++)
            work[k] *= work[n + k];
    }
    for (int64_t s = 0; s < t->n_nulls; s++) {
        double null = fixed, sum = 0.0, square = 0.0;
        if (t->sign) {
            for (int64_t k = 0; k < t->nulls->n_vectors; k++)
                null += t->sign[s * t->nulls->n_vectors + k] * work[k];
        } else {
            for (int64_t i = 0; i < n; i++) {
                const double x = a[t->index[s * n + i]];
                null += x * b[i];
                sum += x;
                square += x * x;
            }
            null /=
                sqrt(fmax(square - sum * sum / (double)n, 1e-300)); /* repeated values change the spread */
        }
        count += fabs(null) >= fabs(r) * (1.0 - NEP_BRAINMAP_TIE);
    }
    return count;
}

static nep_nulls_rate wilson(double hits, int64_t n, double alpha, int64_t n_nulls)
{
    const double z = 1.6448536269514722, m = (double)n, rate = hits / m, scale = 1.0 + z * z / m;
    const double mid = (rate + z * z / (2.0 * m)) / scale;
    const double half = z * sqrt(rate * (1.0 - rate) / m + z * z / (4.0 * m * m)) / scale;
    return (nep_nulls_rate){
        .alpha = alpha, .rate = rate, .low = mid - half, .high = mid + half, .n_maps = n, .n_nulls = n_nulls};
}

/* The signs or permutations of every surrogate, once for all pairs. */
static nep_status prepare_trial(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t n_nulls,
                                double **sign, int32_t **index)
{
    if (!nulls_is_moran(nulls->kind)) {
        NEP_TRY(nep_alloc(ctx, n_nulls * nulls->n, sizeof **index, "nulls: permutations", index));
        return nep_nulls_indices(ctx, nulls, stream, 0, n_nulls, *index);
    }
    NEP_TRY(nep_alloc(ctx, n_nulls * nulls->n_vectors, sizeof **sign, "nulls: signs", sign));
    for (int64_t b = 0; b < n_nulls; b++)
        nep_moran_signs(nulls, stream, b, *sign + b * nulls->n_vectors);
    return NEP_OK;
}

nep_status nep_nulls_false_positive(nep_ctx *ctx, const nep_nulls *nulls, double length_mm, int64_t n_maps,
                                    int64_t n_nulls, double alpha, uint64_t stream, nep_nulls_rate *out)
{
    const int threads = nep_ctx_threads(ctx);
    double *factor = NULL, *sign = NULL, *scratch = NULL;
    int32_t *index = NULL;
    int64_t hits = 0;
    nep_status st;

    NEP_REQUIRE(ctx, nulls && out, NEP_E_ARG, "nulls: nulls and out must not be NULL");
    NEP_REQUIRE(ctx, n_maps >= 1 && n_nulls >= 1, NEP_E_ARG,
                "nulls: %lld pairs of maps and %lld surrogates: at least 1 of each", (long long)n_maps,
                (long long)n_nulls);
    NEP_REQUIRE(ctx, alpha > 0.0 && alpha < 1.0, NEP_E_ARG, "nulls: alpha is %g, must lie between 0 and 1",
                alpha);
    const int64_t n = nulls->n, own = 7 * n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *factor, "nulls: covariance", &factor));
    NEP_TRY_OR_DONE(st, field_factor(ctx, nulls, length_mm, factor));
    NEP_TRY_OR_DONE(st, prepare_trial(ctx, nulls, stream, n_nulls, &sign, &index));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, own * threads, sizeof *scratch, "nulls: scratch", &scratch));
    const trial t = {nulls, sign, index, n_nulls};
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads) reduction(+ : hits)
    for (int64_t m = 0; m < n_maps; m++) {
        double *a = scratch + own * omp_get_thread_num(), *b = a + n, *work = b + n;
        field(nulls, factor, stream + 1, 2 * m, work, a);
        field(nulls, factor, stream + 1, 2 * m + 1, work, b);
        const double p = (double)(1 + reached(&t, a, b, work)) / (double)(n_nulls + 1);
        hits += p <= alpha * (1.0 + NEP_BRAINMAP_TIE);
    }
    *out = wilson((double)hits, n_maps, alpha, n_nulls);
done:
    nep_alloc_free(scratch);
    nep_alloc_free(index);
    nep_alloc_free(sign);
    nep_alloc_free(factor);
    return st;
}
