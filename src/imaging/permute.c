/* SPDX-License-Identifier: Apache-2.0 */
/* permute - one contrast of a linear model tested on every column: estimates, then shuffles, then p. */
#include "imaging/permute_parts.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>

enum { TAIL_BYTES = 64 << 20 };
#define CRITICAL 0.05

void nep_permute_free(nep_permute_result *r)
{
    double *const parts[] = {r->effect, r->se, r->stat, r->p, r->p_fwe, r->tfce, r->p_tfce, r->p_fwe_tfce};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    nep_alloc_free(r->clusters);
    nep_alloc_free(r->cluster);
    *r = (nep_permute_result){0};
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

typedef struct {
    double *sorted; /* largest of each shuffle, ascending */
    int64_t n, plus; /* the data stand among all shuffles, but not among drawn ones */
} null_of;

/* Share of the largest that reach the value. */
static double p_of(const null_of *q, double value, bool positive)
{
    const double bound = (positive ? value : fabs(value)) - NEP_PERMUTE_TIE * fabs(value);
    int64_t low = 0, high = q->n;
    if (isnan(value) || q->n == 0)
        return (double)NAN;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (q->sorted[mid] < bound)
            low = mid + 1;
        else
            high = mid;
    }
    return (double)(q->n - low + q->plus) / (double)(q->n + q->plus);
}

/* What must be exceeded for p of 5 % or less; NaN when nothing can. */
static double critical_of(const null_of *q)
{
    const int64_t reach = (int64_t)floor(CRITICAL * (double)(q->n + q->plus) + 1e-9) - q->plus;
    return reach < 0 || reach >= q->n ? (double)NAN : q->sorted[q->n - 1 - reach];
}

typedef struct {
    nep_ctx *ctx;
    const nep_permute_job *j;
    nep_permute_result *r;
} reckoning;

/* Corrected p of the n values against measure m; tails when asked for. */
static nep_status correct(reckoning *k, int m, const double *value, int64_t n, double *p, double *critical)
{
    const null_of q = {k->j->tally.most[m], k->r->n_shuffles, k->r->exhaustive ? 0 : 1};
    const bool positive = m != NEP_PERMUTE_STAT || k->j->positive;
    qsort(q.sorted, (size_t)q.n, sizeof *q.sorted, nep_order_ascending);
    *critical = critical_of(&q);
    for (int64_t v = 0; v < n; v++)
        p[v] = p_of(&q, m == NEP_PERMUTE_SCORE ? fabs(value[v]) : value[v], positive);
    if (!k->j->o->tail || k->r->exhaustive)
        return NEP_OK;
    return nep_permute_tail_apply(k->ctx, q.sorted, q.n, value, n, k->j->positive, p, &k->r->n_tail_fwe, &k->r->n_tail_fwe_refused);
}

static nep_status correct_clusters(reckoning *k)
{
    nep_permute_result *r = k->r;
    double *value = NULL, *p = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(k->ctx, r->n_clusters, sizeof *value, "permute: clusters", &value));
    NEP_TRY_OR_DONE(st, nep_alloc(k->ctx, r->n_clusters, sizeof *p, "permute: clusters", &p));
    if (k->j->statistics & NEP_PERMUTE_CLUSTER_SIZE) {
        for (int64_t i = 0; i < r->n_clusters; i++)
            value[i] = (double)r->clusters[i].size;
        NEP_TRY_OR_DONE(st, correct(k, NEP_PERMUTE_SIZE, value, r->n_clusters, p, &r->critical_size));
        for (int64_t i = 0; i < r->n_clusters; i++)
            r->clusters[i].p_size = p[i];
    }
    if (k->j->statistics & NEP_PERMUTE_CLUSTER_MASS) {
        for (int64_t i = 0; i < r->n_clusters; i++)
            value[i] = r->clusters[i].mass;
        NEP_TRY_OR_DONE(st, correct(k, NEP_PERMUTE_MASS, value, r->n_clusters, p, &r->critical_mass));
        for (int64_t i = 0; i < r->n_clusters; i++)
            r->clusters[i].p_mass = p[i];
    }
done:
    nep_alloc_free(p);
    nep_alloc_free(value);
    return st;
}

/* p of the columns by themselves. */
static void count_columns(const reckoning *k, const int64_t *reached, const double *value, double *p)
{
    const nep_permute_result *r = k->r;
    const int64_t plus = r->exhaustive ? 0 : 1;
    for (int64_t v = 0; v < r->n_cols; v++)
        p[v] = isnan(value[v]) || r->n_shuffles == 0 ? (double)NAN : (double)(reached[v] + plus) / (double)(r->n_shuffles + plus);
}

/* ---- tails of single columns ------------------------------------------------------------------------------------- */

static void fit_columns(reckoning *k, const int64_t *column, int64_t count, double *null, int64_t *fitted)
{
    const nep_permute_result *r = k->r;
    int64_t good = 0;
#pragma omp parallel for schedule(dynamic, 16) num_threads(nep_ctx_threads(k->ctx)) reduction(+ : good)
    for (int64_t c = 0; c < count; c++) {
        const double own = k->j->positive ? r->stat[column[c]] : fabs(r->stat[column[c]]);
        const double p = nep_permute_tail_of(null + c * r->n_shuffles, r->n_shuffles, own);
        good += !isnan(p);
        r->p[column[c]] = isnan(p) ? r->p[column[c]] : p;
    }
    *fitted += good;
}

/* The statistics of columns with a small p are made again and kept, a tile of columns at a time. */
static nep_status tail_columns(reckoning *k, nep_permute_job *j)
{
    nep_permute_result *r = k->r;
    const int64_t fits = TAIL_BYTES / (r->n_shuffles * (int64_t)sizeof(double)), tile = fits < 16 ? 16 : fits;
    int64_t *column = NULL, n = 0;
    double *null = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(k->ctx, r->n_cols, sizeof *column, "permute: columns", &column));
    for (int64_t v = 0; v < r->n_cols; v++)
        if (r->p[v] < NEP_PERMUTE_TAIL_BELOW)
            column[n++] = v;
    NEP_TRY_OR_DONE(st, nep_alloc(k->ctx, (n < tile ? n : tile) * r->n_shuffles, sizeof *null, "permute: tails", &null));
    nep_progress_open(k->ctx, "tails", n);
    for (int64_t at = 0; at < n; at += tile) {
        const int64_t count = n - at < tile ? n - at : tile;
        NEP_TRY_OR_DONE(st, nep_permute_sweep_columns(k->ctx, j, column + at, count, null));
        fit_columns(k, column + at, count, null, &r->n_tail);
        nep_progress_step(k->ctx, at + count);
    }
    r->n_tail_refused = n - r->n_tail;
done:
    nep_progress_close(k->ctx);
    nep_alloc_free(null);
    nep_alloc_free(column);
    return st;
}

/* Clusters of the data themselves. */
static nep_status list_clusters(nep_ctx *ctx, const nep_permute_job *j, nep_permute_result *r)
{
    nep_permute_clusters c = {0};
    double *map = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_permute_clusters_open(ctx, j->o, j->positive, &c));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n_cols, sizeof *map, "permute: a map", &map));
    for (int64_t v = 0; v < r->n_cols; v++)
        map[v] = isnan(r->stat[v]) ? 0.0 : r->stat[v];
    st = nep_permute_clusters_list(ctx, &c, map, r);
done:
    nep_alloc_free(map);
    nep_permute_clusters_free(&c);
    return st;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static nep_status reckon(nep_ctx *ctx, nep_permute_job *j, nep_permute_result *r)
{
    reckoning k = {ctx, j, r};
    count_columns(&k, j->tally.reached, r->stat, r->p);
    if (j->o->tail && !r->exhaustive && r->n_shuffles > 0)
        NEP_TRY(tail_columns(&k, j));
    NEP_TRY(correct(&k, NEP_PERMUTE_STAT, r->stat, r->n_cols, r->p_fwe, &r->critical_stat));
    if (r->tfce) {
        count_columns(&k, j->tally.reached_score, r->tfce, r->p_tfce);
        NEP_TRY(correct(&k, NEP_PERMUTE_SCORE, r->tfce, r->n_cols, r->p_fwe_tfce, &r->critical_tfce));
    }
    return r->cluster ? correct_clusters(&k) : NEP_OK;
}

static nep_status tally_make(nep_ctx *ctx, nep_permute_job *j)
{
    nep_permute_tally *t = &j->tally;
    const unsigned asked[NEP_PERMUTE_MEASURES] = {NEP_PERMUTE_MAX_T, NEP_PERMUTE_CLUSTER_SIZE, NEP_PERMUTE_CLUSTER_MASS, NEP_PERMUTE_TFCE};
    const int64_t n = j->scheme.count, cols = j->columns.n_cols;
    const bool score = j->statistics & NEP_PERMUTE_TFCE;
    int64_t items = 1 + cols * (score ? 2 : 1), at = 1;
    for (int m = 0; m < NEP_PERMUTE_MEASURES; m++)
        items += j->statistics & asked[m] ? n : 0;
    int64_t *block = NULL;
    NEP_TRY(nep_alloc(ctx, items, sizeof *block, "permute: maxima and counts", &block));
    t->bytes = items * (int64_t)sizeof *block;
    t->done = block;
    t->reached = block + at;
    at += cols;
    if (score) {
        t->reached_score = block + at;
        at += cols;
    }
    for (int m = 0; m < NEP_PERMUTE_MEASURES; m++)
        if (j->statistics & asked[m]) {
            t->most[m] = (double *)(block + at); /* float64 zeros are zeros of int64 too */
            at += n;
        }
    return NEP_OK;
}

static nep_status results_make(nep_ctx *ctx, const nep_permute_job *j, nep_permute_result *r)
{
    double **const always[] = {&r->stat, &r->p, &r->p_fwe}, **const t_alone[] = {&r->effect, &r->se},
           **const scores[] = {&r->tfce, &r->p_tfce, &r->p_fwe_tfce};
    for (int i = 0; i < NEP_LEN(always); i++)
        NEP_TRY(nep_alloc(ctx, r->n_cols, sizeof(double), "permute: results", always[i]));
    for (int i = 0; i < NEP_LEN(t_alone) && !(j->model->f || j->model->rows > 1); i++)
        NEP_TRY(nep_alloc(ctx, r->n_cols, sizeof(double), "permute: results", t_alone[i]));
    for (int i = 0; i < NEP_LEN(scores) && j->statistics & NEP_PERMUTE_TFCE; i++)
        NEP_TRY(nep_alloc(ctx, r->n_cols, sizeof(double), "permute: results", scores[i]));
    return NEP_OK;
}

static nep_status check(nep_ctx *ctx, const float *y, int64_t n_cols, const nep_permute_model *m, const nep_permute_opts *o,
                        const nep_permute_result *out)
{
    int64_t inside = 0;
    NEP_REQUIRE(ctx, y && m && m->x && m->columns && m->contrast && m->weight && out, NEP_E_ARG,
                "permute: data, design, contrast and out must be given");
    NEP_REQUIRE(ctx, n_cols >= 1, NEP_E_ARG, "permute: there is no column to test");
    NEP_REQUIRE(ctx, (o->statistics & ~15u) == 0, NEP_E_ARG, "permute: statistics %u are not known", o->statistics);
    NEP_REQUIRE(ctx, o->dims || (o->statistics & ~(unsigned)NEP_PERMUTE_MAX_T) == 0, NEP_E_ARG,
                "permute: clusters and TFCE need neighbours on a grid; regions of a table have none: use max-t");
    if (!o->dims)
        return NEP_OK;
    for (int64_t v = 0; v < o->dims[0] * o->dims[1] * o->dims[2]; v++)
        inside += !o->inside || o->inside[v];
    NEP_REQUIRE(ctx, inside == n_cols, NEP_E_SHAPE, "permute: %lld columns, but %lld voxels inside the mask", (long long)n_cols,
                (long long)inside);
    return NEP_OK;
}

static void warn_columns(nep_ctx *ctx, const nep_permute_result *r)
{
    if (r->n_missing > 0)
        nep_warn(ctx, "permute: %lld of %lld columns have a missing value in some row and are left n/a: the maximum over columns needs the same rows in each",
                 (long long)r->n_missing, (long long)r->n_cols);
    if (r->n_constant > 0)
        nep_warn(ctx, "permute: %lld of %lld columns do not vary once the nuisance is taken out and are left n/a", (long long)r->n_constant,
                 (long long)r->n_cols);
}

nep_status nep_permute_run(nep_ctx *ctx, const float *y, int64_t n_cols, const nep_permute_model *model, const nep_permute_opts *opts,
                           nep_permute_result *out)
{
    const nep_permute_opts defaults = NEP_PERMUTE_DEFAULTS;
    const nep_permute_opts *o = opts ? opts : &defaults;
    nep_permute_result r = {.n_cols = n_cols, .critical_stat = NAN, .critical_tfce = NAN, .critical_size = NAN, .critical_mass = NAN};
    nep_permute_job j = {.model = model, .o = o, .statistics = o->statistics | NEP_PERMUTE_MAX_T};
    nep_status st;
    NEP_TRY(check(ctx, y, n_cols, model, o, out));
    j.columns = (nep_permute_columns){y, model->n, n_cols};
    j.positive = o->positive || model->f || model->rows > 1;
    NEP_TRY_OR_DONE(st, nep_permute_basis_make(ctx, model, &j.basis));
    NEP_TRY_OR_DONE(st, nep_permute_scheme_make(ctx, model, o->n_perm, o->stream, &j.basis, &j.scheme));
    r.rank = model->p;
    r.rows = model->f || model->rows > 1 ? model->rows : 0;
    r.df = j.basis.df;
    r.signs = j.scheme.signs;
    r.exchange = j.scheme.exchange;
    r.n_shuffles = j.scheme.count;
    r.possible = j.scheme.possible;
    r.exhaustive = j.scheme.all;
    NEP_TRY_OR_DONE(st, results_make(ctx, &j, &r));
    NEP_TRY_OR_DONE(st, tally_make(ctx, &j));
    NEP_TRY_OR_DONE(st, nep_permute_sweep(ctx, &j, &r));
    if (o->dims)
        NEP_TRY_OR_DONE(st, list_clusters(ctx, &j, &r));
    NEP_TRY_OR_DONE(st, reckon(ctx, &j, &r));
    warn_columns(ctx, &r);
    *out = r;
    r = (nep_permute_result){0};
done:
    nep_alloc_free(j.tally.done);
    nep_permute_scheme_free(&j.scheme);
    nep_permute_basis_free(&j.basis);
    nep_permute_free(&r);
    return st;
}
