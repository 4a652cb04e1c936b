/* SPDX-License-Identifier: Apache-2.0 */
/* profile - what a map says about each target, with its null mean and covariance; and scores of any target
 * weights by it. */
#include "core/order.h"

#include <nepenthe/backend.h>
#include <nepenthe/brainmap.h>

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 1024
}; /* surrogates drawn at once; a surrogate is addressed by number, so no result depends on it */

struct nep_profile {
    int64_t n, p, n_nulls; /* regions used, targets, surrogates */
    nep_nulls_kind kind;
    uint64_t seed;
    int64_t *region;            /* [n] index in the geometry */
    bool *cortex;               /* [n] */
    double *weight;             /* [n], sum 1 */
    double *effect, *se;        /* [n]; se 0 = not redrawn */
    double *design;             /* [n, p] z-scored within compartment, times the weight */
    double *gram, *inverse;     /* [p, p] */
    double *c, *beta, *z;       /* [p] */
    double *null_c, *null_beta; /* [n_nulls, p] */
    double *mean, *cov, *zero;  /* of null_beta [p], [p, p]; [p] zeros */
};

void nep_profile_free(nep_profile *p)
{
    if (!p)
        return;
    void *const parts[] = {p->region,    p->cortex,  p->weight, p->effect, p->se, p->design,
                           p->gram,      p->inverse, p->c,      p->beta,   p->z,  p->null_c,
                           p->null_beta, p->mean,    p->cov,    p->zero};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    nep_alloc_free(p);
}

int64_t nep_profile_targets(const nep_profile *p)
{
    return p->p;
}

int64_t nep_profile_regions(const nep_profile *p)
{
    return p->n;
}

nep_nulls_kind nep_profile_kind(const nep_profile *p)
{
    return p->kind;
}

const double *nep_profile_beta(const nep_profile *p)
{
    return p->beta;
}

const double *nep_profile_z(const nep_profile *p)
{
    return p->z;
}

/* ---- the map and the targets on the regions used ---- */

/* Which regions have everything. keep [n_regions]. */
static int64_t choose_regions(nep_ctx *ctx, const nep_geometry *g, const bool *use, const double *receptor,
                              int64_t p, const double *effect, const double *weight, bool *keep)
{
    int64_t n = 0, without = 0;
    for (int64_t i = 0; i < g->n_regions; i++) {
        keep[i] = (!use || use[i]) && isfinite(effect[i]) && (!weight || weight[i] > 0.0);
        bool whole = true;
        for (int64_t r = 0; keep[i] && r < p; r++)
            whole = whole && isfinite(receptor[i * p + r]);
        without += keep[i] && !whole;
        keep[i] = keep[i] && whole;
        n += keep[i];
    }
    if (without > 0)
        nep_warn(
            ctx,
            "receptor profile: %lld regions with an effect lack a value of some target map and are left out",
            (long long)without);
    return n;
}

static nep_status reserve(nep_ctx *ctx, nep_profile *f)
{
    const int64_t n = f->n, p = f->p, k = f->n_nulls;
    NEP_TRY(nep_alloc(ctx, n, sizeof *f->region, "profile: regions", &f->region));
    NEP_TRY(nep_alloc(ctx, n, sizeof *f->cortex, "profile: compartments", &f->cortex));
    const struct {
        double **at;
        int64_t items;
    } arrays[] = {
        {&f->weight, n},        {&f->effect, n}, {&f->se, n},      {&f->design, n * p}, {&f->gram, p * p},
        {&f->inverse, p * p},   {&f->c, p},      {&f->beta, p},    {&f->z, p},          {&f->null_c, k * p},
        {&f->null_beta, k * p}, {&f->mean, p},   {&f->cov, p * p}, {&f->zero, p}};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY(nep_alloc(ctx, arrays[i].items, sizeof(double), "profile: arrays", arrays[i].at));
    return NEP_OK;
}

/* Weighted mean of x (stride apart) over one compartment; NaN when it is empty. */
static double compartment_mean(const nep_profile *f, const double *x, int64_t stride, bool cortex)
{
    double sum = 0.0, weight = 0.0;
    for (int64_t i = 0; i < f->n; i++)
        if (f->cortex[i] == cortex) {
            sum += f->weight[i] * x[i * stride];
            weight += f->weight[i];
        }
    return sum / weight;
}

static void centre(const nep_profile *f, double *x, int64_t stride)
{
    for (int cortex = 0; cortex < 2; cortex++) {
        const double mean = compartment_mean(f, x, stride, cortex);
        for (int64_t i = 0; i < f->n; i++)
            if (f->cortex[i] == (bool)cortex)
                x[i * stride] -= mean;
    }
}

/* Centres a map within compartment and brings it to unit weighted norm; false when it has no spread. */
static bool standardise_map(const nep_profile *f, double *d)
{
    double before = 0.0, norm = 0.0;
    for (int64_t i = 0; i < f->n; i++)
        before += f->weight[i] * d[i] * d[i];
    centre(f, d, 1);
    for (int64_t i = 0; i < f->n; i++)
        norm += f->weight[i] * d[i] * d[i];
    if (!(norm > 1e-24 * before))
        return false;
    for (int64_t i = 0; i < f->n; i++)
        d[i] /= sqrt(norm);
    return true;
}

/* z within compartment (0 where a target has no spread there), then times the weight. */
static void standardise_targets(nep_profile *f)
{
    const int64_t p = f->p;
    for (int64_t r = 0; r < p; r++) {
        double *x = f->design + r;
        centre(f, x, p);
        for (int cortex = 0; cortex < 2; cortex++) {
            double square = 0.0, weight = 0.0;
            for (int64_t i = 0; i < f->n; i++)
                if (f->cortex[i] == (bool)cortex) {
                    square += f->weight[i] * x[i * p] * x[i * p];
                    weight += f->weight[i];
                }
            const double sd = weight > 0.0 ? sqrt(square / weight) : 0.0;
            for (int64_t i = 0; i < f->n; i++)
                if (f->cortex[i] == (bool)cortex)
                    x[i * p] = sd > 1e-12 ? x[i * p] / sd : 0.0;
        }
    }
}

static void gather(nep_profile *f, const nep_geometry *g, const bool *keep, const double *receptor,
                   const double *effect, const double *se, const double *weight)
{
    double sum = 0.0;
    for (int64_t j = 0, i = 0; j < g->n_regions; j++) {
        if (!keep[j])
            continue;
        f->region[i] = j;
        f->cortex[i] = g->cortex[j];
        f->weight[i] = weight ? weight[j] : 1.0;
        f->effect[i] = effect[j];
        f->se[i] = se && isfinite(se[j]) ? se[j] : 0.0;
        memcpy(f->design + i * f->p, receptor + j * f->p, (size_t)f->p * sizeof(double));
        sum += f->weight[i++];
    }
    for (int64_t i = 0; i < f->n; i++)
        f->weight[i] /= sum;
    standardise_targets(f);
}

/* ---- G, its regularised inverse, c ---- */

/* Measurement error of target r: the weighted mean over compartments of 1 - rho. */
static double target_error(const nep_profile *f, const double *reliability, int64_t r)
{
    double error = 0.0;
    for (int part = 0; reliability && part < 2; part++) { /* 0 cortex, 1 elsewhere */
        double weight = 0.0, rho = reliability[r * 2 + part], sum = 0.0;
        int64_t known = 0;
        for (int64_t i = 0; i < f->n; i++)
            weight += f->cortex[i] == (part == 0) ? f->weight[i] : 0.0;
        for (int64_t s = 0; s < f->p; s++)
            if (isfinite(reliability[s * 2 + part])) {
                sum += fmin(fmax(reliability[s * 2 + part], 0.0), 1.0);
                known++;
            }
        if (!isfinite(rho))
            rho = known > 0 ? sum / (double)known : 1.0;
        error += weight * (1.0 - fmin(fmax(rho, 0.0), 1.0));
    }
    return error;
}

static nep_status invert_gram(nep_ctx *ctx, nep_profile *f, const double *reliability, double lambda)
{
    const int64_t p = f->p;
    for (int64_t r = 0; r < p; r++)
        for (int64_t s = 0; s < p; s++) {
            double sum = 0.0;
            for (int64_t i = 0; i < f->n; i++)
                sum += f->design[i * p + r] * f->weight[i] * f->design[i * p + s];
            f->gram[r * p + s] = sum;
        }
    memcpy(f->inverse, f->gram, (size_t)(p * p) * sizeof(double));
    for (int64_t r = 0; r < p; r++)
        f->inverse[r * p + r] += target_error(f, reliability, r) + lambda;
    openblas_set_num_threads(1); /* more threads would change the bits */
    lapack_int info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)p, f->inverse, (lapack_int)p);
    for (int64_t r = 0; info == 0 && r < p; r++) /* a pivot this small is rounding, not information */
        info = f->inverse[r * p + r] > 1e-7 ? 0 : (lapack_int)r + 1;
    NEP_REQUIRE(ctx, info == 0, NEP_E_SINGULAR,
                "receptor profile: the %lld target maps are collinear on %lld regions (target %d adds "
                "nothing): give lambda > 0",
                (long long)p, (long long)f->n, (int)info);
    NEP_REQUIRE(ctx, LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', (lapack_int)p, f->inverse, (lapack_int)p) == 0,
                NEP_E_INTERNAL, "receptor profile: inversion failed");
    for (int64_t r = 0; r < p; r++)
        for (int64_t s = r + 1; s < p; s++)
            f->inverse[r * p + s] = f->inverse[s * p + r];
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t r = 0; r < p; r++)
            f->design[i * p + r] *= f->weight[i];
    return NEP_OK;
}

/* c = R'Wd and c' = inverse c for one standardised map. */
static void project(const nep_profile *f, const double *d, double *c, double *beta)
{
    for (int64_t r = 0; r < f->p; r++)
        c[r] = 0.0;
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t r = 0; r < f->p; r++)
            c[r] += f->design[i * f->p + r] * d[i];
    for (int64_t r = 0; r < f->p; r++) {
        double sum = 0.0;
        for (int64_t s = 0; s < f->p; s++)
            sum += f->inverse[r * f->p + s] * c[s];
        beta[r] = sum;
    }
}

/* ---- surrogates ---- */

static nep_status project_nulls(nep_ctx *ctx, nep_profile *f, const nep_nulls *nulls, uint64_t stream)
{
    const int threads = nep_ctx_threads(ctx);
    double *batch = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, BATCH * f->n, sizeof *batch, "profile: surrogates", &batch));
    for (int64_t first = 0; first < f->n_nulls; first += BATCH) {
        const int64_t count = f->n_nulls - first < BATCH ? f->n_nulls - first : BATCH;
        NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, nulls, f->effect, stream, first, count, batch));
#pragma omp parallel for schedule(dynamic, 32) num_threads(threads)
        for (int64_t b = 0; b < count; b++) {
            double *d = batch + b * f->n;
            if (!standardise_map(f, d)) /* a surrogate without spread says nothing about any target */
                memset(d, 0, (size_t)f->n * sizeof *d);
            project(f, d, f->null_c + (first + b) * f->p, f->null_beta + (first + b) * f->p);
        }
    }
done:
    nep_alloc_free(batch);
    return st;
}

static void null_moments(nep_profile *f)
{
    const int64_t p = f->p;
    for (int64_t b = 0; b < f->n_nulls; b++)
        for (int64_t r = 0; r < p; r++)
            f->mean[r] += f->null_beta[b * p + r];
    for (int64_t r = 0; r < p; r++)
        f->mean[r] /= (double)f->n_nulls;
    for (int64_t b = 0; b < f->n_nulls; b++)
        for (int64_t r = 0; r < p; r++)
            for (int64_t s = 0; s <= r; s++)
                f->cov[r * p + s] +=
                    (f->null_beta[b * p + r] - f->mean[r]) * (f->null_beta[b * p + s] - f->mean[s]);
    for (int64_t r = 0; r < p; r++)
        for (int64_t s = 0; s <= r; s++)
            f->cov[s * p + r] = f->cov[r * p + s] /= (double)(f->n_nulls - 1);
    for (int64_t r = 0; r < p; r++)
        f->z[r] = f->cov[r * p + r] > 0.0 ? (f->beta[r] - f->mean[r]) / sqrt(f->cov[r * p + r]) : (double)NAN;
}

/* The map on the regions used, redrawn within its errors unless stream is 0. */
static bool standing_map(const nep_profile *f, uint64_t stream, double *d)
{
    for (int64_t i = 0; i < f->n; i++) {
        d[i] = f->effect[i];
        if (stream != 0 && f->se[i] > 0.0) /* a stream of its own, apart from those of the surrogates */
            d[i] +=
                f->se[i] * nep_philox_normal(f->seed, stream ^ 0x5045525455524200ull, (uint64_t)f->region[i]);
    }
    return standardise_map(f, d);
}

static nep_status build(nep_ctx *ctx, nep_profile *f, const nep_geometry *g, const bool *keep,
                        const double *reliability, const nep_profile_opts *o)
{
    nep_nulls *nulls = NULL;
    double *d = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f->n, sizeof *d, "profile: map", &d));
    NEP_REQUIRE_OR_DONE(
        st, ctx, standing_map(f, 0, d), NEP_E_ARG,
        "receptor profile: the map is constant on its %lld regions, so it says nothing about any target",
        (long long)f->n);
    NEP_TRY_OR_DONE(st, invert_gram(ctx, f, reliability, o->lambda));
    project(f, d, f->c, f->beta);
    NEP_TRY_OR_DONE(st, nep_nulls_create(ctx, g, keep, o->kind, &nulls));
    NEP_TRY_OR_DONE(st, project_nulls(ctx, f, nulls, o->stream));
    null_moments(f);
done:
    nep_nulls_free(nulls);
    nep_alloc_free(d);
    return st;
}

nep_status nep_profile_create(nep_ctx *ctx, const nep_geometry *g, const bool *use, const double *receptor,
                              int64_t n_targets, const double *reliability, const double *effect,
                              const double *effect_se, const nep_profile_opts *opts, nep_profile **out)
{
    const nep_profile_opts defaults = NEP_PROFILE_DEFAULTS;
    const nep_profile_opts *o = opts ? opts : &defaults;
    nep_profile *f = NULL;
    bool *keep = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, g && receptor && effect && out, NEP_E_ARG,
                "receptor profile: geometry, receptor, effect and out must be given");
    NEP_REQUIRE(ctx, n_targets >= 1, NEP_E_ARG, "receptor profile: no target map was given");
    NEP_REQUIRE(ctx, o->n_nulls >= 2, NEP_E_ARG,
                "receptor profile: %lld surrogates are too few for a covariance, give at least 2",
                (long long)o->n_nulls);
    NEP_REQUIRE(ctx, o->lambda >= 0.0, NEP_E_ARG, "receptor profile: lambda is %g, must not be negative",
                o->lambda);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g->n_regions, sizeof *keep, "profile: regions kept", &keep));
    const int64_t n = choose_regions(ctx, g, use, receptor, n_targets, effect, o->weight, keep);
    NEP_REQUIRE_OR_DONE(
        st, ctx, n >= 5, NEP_E_ARG,
        "receptor profile: only %lld regions have both an effect and every target map, at least 5 are needed",
        (long long)n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *f, "profile", &f));
    f->n = n;
    f->p = n_targets;
    f->n_nulls = o->n_nulls;
    f->kind = o->kind;
    f->seed = nep_ctx_seed(ctx);
    NEP_TRY_OR_DONE(st, reserve(ctx, f));
    gather(f, g, keep, receptor, effect, effect_se, o->weight);
    NEP_TRY_OR_DONE(st, build(ctx, f, g, keep, reliability, o));
    *out = f;
    f = NULL;
done:
    nep_profile_free(f);
    nep_alloc_free(keep);
    return st;
}

/* ---- scores ---- */

/* sqrt(a'Ma), 0 when a is zero or M has nothing along it. */
static double spread(const double *m, const double *a, int64_t p)
{
    double all = 0.0;
    for (int64_t r = 0; r < p; r++) {
        double row = 0.0;
        for (int64_t s = 0; s < p; s++)
            row += m[r * p + s] * a[s];
        all += a[r] * row;
    }
    return all > 0.0 ? sqrt(all) : 0.0;
}

static double product(const double *a, const double *c, const double *centre_of, int64_t p)
{
    double sum = 0.0;
    for (int64_t r = 0; r < p; r++)
        sum += a[r] * (c[r] - centre_of[r]);
    return sum;
}

/* The pieces of score A or B. */
typedef struct {
    const double *matrix, *value, *null, *centre;
} form;

static form form_of(const nep_profile *f, char which)
{
    return which == 'A' ? (form){f->gram, f->c, f->null_c, f->zero}
                        : (form){f->cov, f->beta, f->null_beta, f->mean};
}

static nep_status check(nep_ctx *ctx, const nep_profile *f, char which, const double *a, int64_t n)
{
    NEP_REQUIRE(ctx, f && a && n >= 0, NEP_E_ARG,
                "receptor profile: profile and weights must be given, n must not be negative");
    NEP_REQUIRE(ctx, which == 'A' || which == 'B', NEP_E_ARG,
                "receptor profile: score '%c' is unknown, choose A or B", which);
    for (int64_t i = 0; i < n * f->p; i++)
        NEP_REQUIRE(ctx, isfinite(a[i]), NEP_E_ARG,
                    "receptor profile: weight of row %lld, target %lld is not finite",
                    (long long)(i / f->p) + 1, (long long)(i % f->p) + 1);
    return NEP_OK;
}

/* p against the largest |score| over all rows of each surrogate. */
static nep_status max_p(nep_ctx *ctx, const nep_profile *f, const form *w, const double *a, int64_t n,
                        const double *den, const double *score, double *p_max)
{
    const int threads = nep_ctx_threads(ctx);
    const int64_t k = f->n_nulls, p = f->p;
    double *most = NULL;
    NEP_TRY(nep_alloc(ctx, k, sizeof *most, "profile: maxima", &most));
#pragma omp parallel for schedule(dynamic, 32) num_threads(threads)
    for (int64_t b = 0; b < k; b++)
        for (int64_t i = 0; i < n; i++)
            if (den[i] > 0.0)
                most[b] = fmax(most[b], fabs(product(a + i * p, w->null + b * p, w->centre, p)) / den[i]);
    qsort(most, (size_t)k, sizeof *most, nep_order_ascending);
    for (int64_t i = 0; i < n; i++) {
        const double least = fabs(score[i]) * (1.0 - NEP_BRAINMAP_TIE);
        int64_t low = 0, high = k;
        while (low < high) {
            const int64_t mid = (low + high) / 2;
            if (most[mid] < least)
                low = mid + 1;
            else
                high = mid;
        }
        p_max[i] = isnan(score[i]) ? (double)NAN : (double)(1 + k - low) / (double)(k + 1);
    }
    nep_alloc_free(most);
    return NEP_OK;
}

nep_status nep_profile_score(nep_ctx *ctx, const nep_profile *f, char which, uint64_t stream, const double *a,
                             int64_t n, double *score, double *p, double *p_max)
{
    double *work = NULL;
    int64_t *count = NULL;
    nep_status st;

    NEP_TRY(check(ctx, f, which, a, n));
    NEP_REQUIRE(ctx, score, NEP_E_ARG, "receptor profile: score must not be NULL");
    const form w = form_of(f, which);
    const int64_t t = f->p;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f->n + 2 * t + 3 * n, sizeof *work, "profile: scores", &work));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *count, "profile: counts", &count));
    double *d = work, *c = d + f->n, *beta = c + t, *observed = beta + t, *den = observed + n,
           *value = den + n;
    NEP_REQUIRE_OR_DONE(st, ctx, standing_map(f, stream, d), NEP_E_ARG,
                        "receptor profile: the redrawn map is constant");
    project(f, d, c, beta);
    for (int64_t i = 0; i < n; i++) {
        observed[i] = product(a + i * t, which == 'A' ? c : beta, w.centre, t);
        den[i] = spread(w.matrix, a + i * t, t);
        value[i] = den[i] > 0.0 ? observed[i] / den[i] : (double)NAN;
    }
    if (p && n > 0)
        NEP_TRY_OR_DONE(st,
                        nep_backend_exceedances(ctx, a, n, t, w.null, f->n_nulls, w.centre, observed, count));
    if (p_max)
        NEP_TRY_OR_DONE(st, max_p(ctx, f, &w, a, n, den, value, p_max));
    memcpy(score, value, (size_t)n * sizeof *score);
    for (int64_t i = 0; p && i < n; i++)
        p[i] = isnan(value[i]) ? (double)NAN : (double)(1 + count[i]) / (double)(f->n_nulls + 1);
done:
    nep_alloc_free(count);
    nep_alloc_free(work);
    return st;
}

nep_status nep_profile_null_scores(nep_ctx *ctx, const nep_profile *f, char which, int64_t first,
                                   int64_t count, const double *a, int64_t n, double *out)
{
    double *den = NULL;
    NEP_TRY(check(ctx, f, which, a, n));
    NEP_REQUIRE(ctx, first >= 0 && count >= 0 && first + count <= f->n_nulls && out, NEP_E_ARG,
                "receptor profile: surrogates %lld to %lld do not exist, there are %lld", (long long)first,
                (long long)(first + count - 1), (long long)f->n_nulls);
    const form w = form_of(f, which);
    const int64_t t = f->p;
    const int threads = nep_ctx_threads(ctx);
    NEP_TRY(nep_alloc(ctx, n, sizeof *den, "profile: spreads", &den));
    for (int64_t i = 0; i < n; i++)
        den[i] = spread(w.matrix, a + i * t, t);
#pragma omp parallel for schedule(dynamic, 32) num_threads(threads)
    for (int64_t b = 0; b < count; b++)
        for (int64_t i = 0; i < n; i++)
            out[b * n + i] = den[i] > 0.0 ? product(a + i * t, w.null + (first + b) * t, w.centre, t) / den[i]
                                          : (double)NAN;
    nep_alloc_free(den);
    return NEP_OK;
}

nep_status nep_profile_share(nep_ctx *ctx, const nep_profile *f, char which, const double *a, double *share)
{
    NEP_TRY(check(ctx, f, which, a, 1));
    NEP_REQUIRE(ctx, share, NEP_E_ARG, "receptor profile: share must not be NULL");
    const form w = form_of(f, which);
    const double den = spread(w.matrix, a, f->p);
    for (int64_t r = 0; r < f->p; r++)
        share[r] = den > 0.0 ? a[r] * (w.value[r] - w.centre[r]) / den : (double)NAN;
    return NEP_OK;
}
