/* SPDX-License-Identifier: Apache-2.0 */
/* contrast - two groups with covariates: t, Hedges' g with its error, two-sided permutation p with max-T.
 *
 * The design's nuisance part Z is brought to an orthonormal basis Q; y and the group column x are taken as
 * residuals on it, at unit length. Permuting the rows of [x Q] together is the same as permuting the
 * residuals of y (Freedman-Lane). */
#include "imaging/ortho.h"
#include "core/order.h"

#include <nepenthe/backend.h>
#include <nepenthe/contrast.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_COLS = 32768, TILE_PERM = 256 }; /* no result depends on them: maxima and counts are exact */

#define TIE 1e-10

void nep_contrast_free(nep_contrast_result *r)
{
    double *const parts[] = {r->g, r->se, r->low, r->high, r->t, r->p, r->p_fwe};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *r = (nep_contrast_result){0};
}

double nep_contrast_correction(double df)
{
    if (!(df > 1.0))
        return (double)NAN;
    return exp(lgamma(df / 2.0) - lgamma((df - 1.0) / 2.0)) / sqrt(df / 2.0);
}

double nep_contrast_se(double g, double n1, double n2)
{
    return sqrt(1.0 / n1 + 1.0 / n2 + g * g / (2.0 * (n1 + n2)));
}

/* ---- the design ---- */

typedef struct {
    int64_t n, k;  /* rows; nuisance columns with the intercept */
    double *basis; /* [1 + k, n] residualised unit group column, then the orthonormal nuisance */
    double *upper; /* [k + 1, k + 1] coefficients of each design column on the basis, by column */
    int32_t *kind; /* [n] rows of the design that are equal share a number */
    int64_t n_kinds;
} design;

static void design_free(design *d)
{
    nep_alloc_free(d->basis);
    nep_alloc_free(d->upper);
    nep_alloc_free(d->kind);
}

static const char *column_name(char *const *names, int64_t j, int64_t k, char text[64])
{
    if (j == 0)
        return "the intercept";
    if (names && j < k)
        snprintf(text, 64, "'%s'", names[j - 1]);
    else
        snprintf(text, 64, "covariate %lld", (long long)j);
    return text;
}

/* Column `at` depends on those before it: names them. upper[., at] holds its coefficients on the basis. */
static nep_status fail_collinear(nep_ctx *ctx, const design *d, int64_t at, char *const *names)
{
    const int64_t w = d->k + 1;
    double b[1024];
    char list[600] = "", text[64];
    const int64_t m = at < NEP_LEN(b) ? at : NEP_LEN(b);
    for (int64_t j = m - 1; j >= 0; j--) { /* back-substitution: weights of the earlier columns themselves */
        b[j] = d->upper[j * w + at];
        for (int64_t l = j + 1; l < m; l++)
            b[j] -= d->upper[j * w + l] * b[l];
        b[j] /= d->upper[j * w + j];
    }
    int used = 0;
    double norm = 0.0;
    for (int64_t j = 0; j < m; j++)
        norm = hypot(norm, d->upper[j * w + at]);
    for (int64_t j = 0; j < m && used < 500; j++)
        if (fabs(b[j]) * d->upper[j * w + j] > 1e-7 * norm)
            used += snprintf(list + used, sizeof list - (size_t)used, "%s%s", used ? ", " : "",
                             column_name(names, j, d->k, text));
    if (at == d->k)
        return nep_ctx_fail(
            ctx, NEP_E_SINGULAR,
            "contrast: the group difference is not estimable: the group is a linear combination of %s; leave "
            "out one of those columns",
            list);
    return nep_ctx_fail(
        ctx, NEP_E_SINGULAR,
        "contrast: the design is singular: %s is a linear combination of %s; leave one of them out",
        column_name(names, at, d->k, text), list);
}

/* Numbers the distinct rows (group, covariates). */
static void number_rows(design *d, const bool *first, const double *cov, int64_t k)
{
    for (int64_t i = 0; i < d->n; i++) {
        int64_t j = 0;
        while (j < i && !(first[j] == first[i] &&
                          (k == 0 || memcmp(cov + i * k, cov + j * k, (size_t)k * sizeof *cov) == 0)))
            j++;
        d->kind[i] = j < i ? d->kind[j] : (int32_t)d->n_kinds++;
    }
}

static nep_status design_build(nep_ctx *ctx, const bool *first, const double *cov, int64_t k,
                               char *const *names, design *d)
{
    const int64_t n = d->n, w = k + 2;
    d->k = k + 1;
    NEP_TRY(nep_alloc(ctx, w * n, sizeof(double), "contrast: design", &d->basis));
    NEP_TRY(nep_alloc(ctx, w * w, sizeof(double), "contrast: design", &d->upper));
    NEP_TRY(nep_alloc(ctx, n, sizeof(int32_t), "contrast: design rows", &d->kind));
    double *coef = NULL;
    NEP_TRY(nep_alloc(ctx, w, sizeof *coef, "contrast: design", &coef));
    nep_status st = NEP_OK;
    for (int64_t c = 0; c < w && st == NEP_OK; c++) { /* intercept, covariates, group */
        double *x = d->basis + (c < d->k ? c + 1 : 0) * n;
        for (int64_t i = 0; i < n; i++)
            x[i] = c == 0 ? 1.0 : c < d->k ? cov[i * k + c - 1] : (double)first[i];
        const double before = sqrt(nep_ortho_dot(x, x, n));
        memset(coef, 0, (size_t)w * sizeof *coef);
        const double norm = nep_ortho_residual(d->basis + n, c < d->k ? c : d->k, n, x, coef);
        for (int64_t j = 0; j < c; j++)
            d->upper[j * w + c] = coef[j];
        d->upper[c * w + c] = norm;
        if (!(norm > 1e-10 * before)) /* also a column of zeros */
            st = fail_collinear(ctx, d, c, names);
        for (int64_t i = 0; i < n && st == NEP_OK; i++)
            x[i] /= norm;
    }
    nep_alloc_free(coef);
    number_rows(d, first, cov, k);
    return st;
}

/* ---- relabelings ---- */

typedef struct {
    bool all; /* every distinct order of the design's rows, in lexicographic order of their numbers */
    int64_t count;
    int32_t *order; /* [n] row kinds of the current one, or a permutation */
    int32_t *row;   /* [n_kinds] a row of each kind */
} relabelings;

/* n! / prod(m_i!), or limit + 1 when that is more. */
static int64_t distinct_orders(const design *d, int64_t limit)
{
    double total = 1.0;
    for (int64_t i = 0; i < d->n;
         i++) { /* place row i: times (i + 1), over how many of its kind there are by now */
        int64_t alike = 0;
        for (int64_t j = 0; j <= i; j++)
            alike += d->kind[j] == d->kind[i];
        total = total * (double)(i + 1) / (double)alike; /* stays whole: a product of binomials */
        if (total > 1e15)
            return limit + 1;
    }
    return total > (double)limit ? limit + 1 : (int64_t)(total + 0.5);
}

static int ascending_kind(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static nep_status relabelings_open(nep_ctx *ctx, const design *d, int64_t n_perm, relabelings *r)
{
    NEP_TRY(nep_alloc(ctx, d->n, sizeof *r->order, "contrast: relabeling", &r->order));
    NEP_TRY(nep_alloc(ctx, d->n_kinds, sizeof *r->row, "contrast: relabeling", &r->row));
    const int64_t all = distinct_orders(d, n_perm);
    r->all = all <= n_perm;
    r->count = r->all ? all : n_perm;
    for (int64_t i = d->n - 1; i >= 0; i--)
        r->row[d->kind[i]] = (int32_t)i;
    memcpy(r->order, d->kind, (size_t)d->n * sizeof *r->order);
    qsort(r->order, (size_t)d->n, sizeof *r->order, ascending_kind);
    return NEP_OK;
}

/* The next order of a multiset (Narayana's algorithm). */
static void next_order(int32_t *a, int64_t n)
{
    int64_t i = n - 2, j = n - 1;
    while (i >= 0 && a[i] >= a[i + 1])
        i--;
    if (i < 0)
        return;
    while (a[j] <= a[i])
        j--;
    int32_t kept = a[i];
    a[i] = a[j];
    a[j] = kept;
    for (int64_t l = i + 1, h = n - 1; l < h; l++, h--) {
        kept = a[l];
        a[l] = a[h];
        a[h] = kept;
    }
}

/* The design's basis with its rows in the order of relabeling b; called for b = 0, 1, ... in turn. out [1 +
 * k, n]. */
static void relabel(const design *d, relabelings *r, uint64_t seed, uint64_t stream, int64_t b, double *out)
{
    if (!r->all)
        nep_philox_permutation(seed, stream + (uint64_t)b, d->n, r->order);
    else if (b > 0)
        next_order(r->order, d->n);
    for (int64_t i = 0; i < d->n; i++) {
        const int64_t from = r->all ? r->row[r->order[i]] : r->order[i];
        for (int64_t c = 0; c <= d->k; c++)
            out[c * d->n + i] = d->basis[c * d->n + from];
    }
}

/* ---- the columns ---- */

typedef struct {
    const float *y;
    int64_t n_cols;
    char *const *names;
} columns;

/* Columns first .. first+count-1 as unit residuals [n, count]; t of each. Missing and constant ones become
 * NaN. */
static void residualise(const design *d, const columns *c, int64_t first, int64_t count, double *y, double *t,
                        double *work, int threads, int64_t *missing, int64_t *constant)
{
    const int64_t n = d->n;
    int64_t absent = 0, flat = 0;
#pragma omp parallel for schedule(static, 1) num_threads(threads) reduction(+ : absent, flat)
    for (int w = 0; w < threads; w++)
        for (int64_t v = w; v < count; v += threads) {
            double *e = work + w * n;
            double before = 0.0;
            for (int64_t i = 0; i < n; i++) {
                e[i] = (double)c->y[i * c->n_cols + first + v];
                before += e[i] * e[i];
            }
            const double norm = isfinite(before) ? nep_ortho_residual(d->basis + n, d->k, n, e, NULL) : (double)NAN;
            const bool spread = norm > 1e-7 * sqrt(before); /* float32 data: less is rounding */
            absent += !isfinite(before);
            flat += isfinite(before) && !spread;
            for (int64_t i = 0; i < n; i++)
                y[i * count + v] = e[i] = spread ? e[i] / norm : (double)NAN;
            const double b = nep_ortho_dot(d->basis, e, n);
            t[first + v] = b * sqrt((double)(n - d->k - 1) / (1.0 - b * b));
        }
    *missing += absent;
    *constant += flat;
}

static nep_status permute_tile(nep_ctx *ctx, const design *d, relabelings *r, uint64_t stream,
                               const double *y, int64_t count, const double *t, double *most,
                               int64_t *reached)
{
    const int64_t own = (d->k + 1) * d->n;
    double *basis = NULL, *tile_most = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st,
                    nep_alloc(ctx, TILE_PERM * own, sizeof *basis, "contrast: relabeled designs", &basis));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, TILE_PERM, sizeof *tile_most, "contrast: maxima", &tile_most));
    if (r->all) { /* start again from the first order */
        memcpy(r->order, d->kind, (size_t)d->n * sizeof *r->order);
        qsort(r->order, (size_t)d->n, sizeof *r->order, ascending_kind);
    }
    for (int64_t b = 0; b < r->count; b += TILE_PERM) {
        const int64_t many = r->count - b < TILE_PERM ? r->count - b : TILE_PERM;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        for (int64_t i = 0; i < many; i++)
            relabel(d, r, nep_ctx_seed(ctx), stream, b + i, basis + i * own);
        NEP_TRY_OR_DONE(
            st, nep_backend_permute_t(ctx, y, d->n, count, basis, many, d->k, t, tile_most, reached, NULL));
        for (int64_t i = 0; i < many; i++)
            most[b + i] = fmax(most[b + i], tile_most[i]);
        nep_progress_step(ctx, b + many);
    }
done:
    nep_alloc_free(tile_most);
    nep_alloc_free(basis);
    return st;
}

/* How many of the sorted values reach |t|. */
static int64_t count_at_least(const double *sorted, int64_t n, double t)
{
    const double least = fabs(t) * (1.0 - TIE);
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (sorted[mid] < least)
            low = mid + 1;
        else
            high = mid;
    }
    return n - low;
}

static void to_results(const relabelings *r, double *most, const int64_t *reached, nep_contrast_result *out)
{
    const double n1 = (double)out->n1, n2 = (double)out->n2, z = 1.6448536269514722;
    const int64_t plus =
        r->all ? 0 : 1; /* the observed labels stand among all relabelings, but not among drawn ones */
    const double j = nep_contrast_correction(out->df), total = (double)(r->count + plus);
    qsort(most, (size_t)r->count, sizeof *most, nep_order_ascending);
    for (int64_t v = 0; v < out->n_cols; v++) {
        const double t = out->t[v], g = j * t * sqrt(1.0 / n1 + 1.0 / n2);
        out->g[v] = g;
        out->se[v] = nep_contrast_se(g, n1, n2);
        out->low[v] = g - z * out->se[v];
        out->high[v] = g + z * out->se[v];
        const bool none = isnan(t) || r->count == 0;
        out->p[v] = none ? (double)NAN : (double)(reached[v] + plus) / total;
        out->p_fwe[v] = none ? (double)NAN : (double)(count_at_least(most, r->count, t) + plus) / total;
    }
}

static nep_status run(nep_ctx *ctx, const design *d, const columns *c, const nep_contrast_opts *o,
                      nep_contrast_result *out)
{
    const int threads = nep_ctx_threads(ctx);
    relabelings r = {0};
    double *y = NULL, *work = NULL, *most = NULL;
    int64_t *reached = NULL;
    nep_status st;

    const int64_t widest = c->n_cols < TILE_COLS ? c->n_cols : TILE_COLS;
    NEP_TRY_OR_DONE(st, relabelings_open(ctx, d, o->n_perm, &r));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n * widest, sizeof *y, "contrast: residuals", &y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n * threads, sizeof *work, "contrast: scratch", &work));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r.count, sizeof *most, "contrast: maxima", &most));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c->n_cols, sizeof *reached, "contrast: counts", &reached));
    nep_progress_open(ctx, "contrast", r.count);
    for (int64_t v = 0; v < c->n_cols; v += widest) {
        const int64_t count = c->n_cols - v < widest ? c->n_cols - v : widest;
        residualise(d, c, v, count, y, out->t, work, threads, &out->n_missing, &out->n_constant);
        if (r.count > 0)
            NEP_TRY_OR_DONE(st, permute_tile(ctx, d, &r, o->stream, y, count, out->t + v, most, reached + v));
    }
    out->n_relabelings = r.count;
    out->exhaustive = r.all && r.count > 0;
    to_results(&r, most, reached, out);
done:
    nep_progress_close(ctx);
    nep_alloc_free(reached);
    nep_alloc_free(most);
    nep_alloc_free(work);
    nep_alloc_free(y);
    nep_alloc_free(r.row);
    nep_alloc_free(r.order);
    return st;
}

static void warn_columns(nep_ctx *ctx, const columns *c, int64_t n, const nep_contrast_result *r)
{
    const char *who = "";
    for (int64_t v = 0; c->names && v < c->n_cols && !*who; v++)
        for (int64_t i = 0; i < n && isnan(r->t[v]) && !*who; i++)
            if (!isfinite(c->y[i * c->n_cols + v]))
                who = c->names[v];
    if (r->n_missing > 0)
        nep_warn(ctx,
                 "contrast: %lld of %lld columns%s%s%s have a missing value in some participant and are left "
                 "n/a: the maximum "
                 "over columns needs the same people in each",
                 (long long)r->n_missing, (long long)c->n_cols, *who ? " (first: '" : "", who,
                 *who ? "')" : "");
    if (r->n_constant > 0)
        nep_warn(
            ctx,
            "contrast: %lld of %lld columns do not vary once the covariates are taken out and are left n/a",
            (long long)r->n_constant, (long long)c->n_cols);
}

static nep_status check(nep_ctx *ctx, int64_t n, int64_t n_cols, const double *cov, int64_t k,
                        char *const *names, const nep_contrast_opts *o, const nep_contrast_result *r)
{
    char text[64];
    NEP_REQUIRE(ctx, n_cols >= 1, NEP_E_ARG, "contrast: there is no column to compare");
    NEP_REQUIRE(ctx, o->n_perm >= 0, NEP_E_ARG,
                "contrast: %lld permutations: the number must not be negative", (long long)o->n_perm);
    NEP_REQUIRE(ctx, r->n1 >= 1 && r->n2 >= 1, NEP_E_ARG,
                "contrast: the groups have %lld and %lld people: both need some", (long long)r->n1,
                (long long)r->n2);
    for (int64_t e = 0; e < n * k; e++)
        NEP_REQUIRE(ctx, isfinite(cov[e]), NEP_E_ARG, "contrast: %s has no value in row %lld",
                    column_name(names, e % k + 1, k + 1, text), (long long)(e / k) + 1);
    NEP_REQUIRE(
        ctx, n - k - 2 >= 2, NEP_E_ARG,
        "contrast: %lld people and %lld covariates leave %lld degrees of freedom, at least 2 are needed",
        (long long)n, (long long)k, (long long)(n - k - 2));
    return NEP_OK;
}

nep_status nep_contrast_groups(nep_ctx *ctx, const float *y, int64_t n, int64_t n_cols,
                               char *const *col_names, const bool *first, const double *covariates, int64_t k,
                               char *const *cov_names, const nep_contrast_opts *opts,
                               nep_contrast_result *out)
{
    const nep_contrast_opts defaults = NEP_CONTRAST_DEFAULTS;
    const nep_contrast_opts *o = opts ? opts : &defaults;
    nep_contrast_result r = {.n_cols = n_cols, .df = (double)(n - k - 2)};
    design d = {.n = n};
    nep_status st;

    NEP_REQUIRE(ctx, y && first && out && (covariates || k == 0) && n >= 1 && k >= 0, NEP_E_ARG,
                "contrast: data, groups, covariates and out must be given");
    for (int64_t i = 0; i < n; i++)
        r.n1 += first[i];
    r.n2 = n - r.n1;
    NEP_TRY(check(ctx, n, n_cols, covariates, k, cov_names, o, &r));
    double **const arrays[] = {&r.g, &r.se, &r.low, &r.high, &r.t, &r.p, &r.p_fwe};
    for (int i = 0; i < NEP_LEN(arrays); i++)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof(double), "contrast: results", arrays[i]));
    NEP_TRY_OR_DONE(st, design_build(ctx, first, covariates, k, cov_names, &d));
    const columns c = {y, n_cols, col_names};
    NEP_TRY_OR_DONE(st, run(ctx, &d, &c, o, &r));
    warn_columns(ctx, &c, n, &r);
    *out = r;
    r = (nep_contrast_result){0};
done:
    design_free(&d);
    nep_contrast_free(&r);
    return st;
}
