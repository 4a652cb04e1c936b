/* SPDX-License-Identifier: Apache-2.0 */
/* clean_confounds - what is regressed out: given columns, cosine drifts, and an orthonormal basis of both. */
#include "imaging/clean_parts.h"

#include <float.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double dependent = 1e-6; /* of the longest column: below it is what the digits of a table leave of a sum */

/* Derivatives have no value in the first frame: it takes the mean of the rest, with nilearn (load_confounds) the second's. */
static nep_status copy_column(nep_ctx *ctx, const nep_series *s, int64_t k, const nep_clean_opts *o, nep_clean_matrix *out)
{
    double sum = 0;
    for (int64_t t = 0; t < s->n_t; t++) {
        const int64_t at = t * s->n_cols + k;
        const double v = o->confounds ? o->confounds[at] : (double)s->data[at];
        NEP_REQUIRE(ctx, t == 0 || isfinite(v), NEP_E_FORMAT,
                    "clean: confound '%s' is missing in row %lld; only the first row may be", s->names ? s->names[k] : "?",
                    (long long)t + 1);
        out->x[t * out->cols + k] = v;
        sum += t > 0 ? v : 0;
    }
    if (!isfinite(out->x[k]) && s->n_t > 1)
        out->x[k] = o->definition == NEP_CLEAN_NILEARN ? out->x[out->cols + k] : sum / (double)(s->n_t - 1);
    return NEP_OK;
}

static double correlation(const nep_clean_matrix *m, int64_t a, int64_t b)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t t = 0; t < m->rows; t++) {
        ma += m->x[t * m->cols + a] / (double)m->rows;
        mb += m->x[t * m->cols + b] / (double)m->rows;
    }
    for (int64_t t = 0; t < m->rows; t++) {
        const double da = m->x[t * m->cols + a] - ma, db = m->x[t * m->cols + b] - mb;
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* nilearn appends no drift at all once any of them correlates above 0.9 with a confound. */
static bool drifts_redundant(const nep_clean_matrix *m, int64_t given)
{
    for (int64_t a = 0; a < given; a++)
        for (int64_t b = given; b < m->cols; b++)
            if (correlation(m, a, b) > 0.9)
                return true;
    return false;
}

nep_status nep_clean_confounds(nep_ctx *ctx, const nep_series *confounds, int64_t n_t, const nep_clean_opts *o,
                               nep_clean_matrix *out)
{
    nep_clean_matrix m = {.rows = n_t};
    const int64_t given = confounds ? confounds->n_cols : 0;
    int64_t drifts = 0;
    nep_status st = NEP_OK;
    NEP_REQUIRE(ctx, !confounds || confounds->n_t == n_t, NEP_E_SHAPE,
                "clean: confounds have %lld rows, the series has %lld frames", (long long)confounds->n_t, (long long)n_t);
    if (o->filter == NEP_CLEAN_COSINE && !isnan(o->high_pass_hz)) {
        NEP_REQUIRE(ctx, o->tr_s > 0 && isfinite(o->tr_s), NEP_E_ARG, "clean: a filter needs the repetition time; give --tr in seconds");
        NEP_REQUIRE(ctx, o->high_pass_hz >= 0, NEP_E_ARG, "clean: high-pass of %g Hz is negative", o->high_pass_hz);
        drifts = (int64_t)fmin((double)(n_t - 1), floor(2 * (double)n_t * o->high_pass_hz * o->tr_s));
    }
    m.cols = given + drifts;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t * m.cols, sizeof *m.x, "confounds", &m.x));
    for (int64_t k = 0; k < given; k++)
        NEP_TRY_OR_DONE(st, copy_column(ctx, confounds, k, o, &m));
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t k = 1; k <= drifts; k++)
            m.x[t * m.cols + given + k - 1] = sqrt(2.0 / (double)n_t) * cos(pi / (double)n_t * ((double)t + 0.5) * (double)k);
    if (o->definition == NEP_CLEAN_NILEARN && drifts_redundant(&m, given)) {
        for (int64_t t = 0; t < n_t; t++)
            memmove(m.x + t * given, m.x + t * m.cols, (size_t)given * sizeof *m.x);
        m.cols = given;
    }
    *out = m;
    m = (nep_clean_matrix){0};
done:
    nep_alloc_free(m.x);
    return st;
}

static void scale_column(nep_clean_matrix *c, int64_t k, bool unscaled)
{
    double mean = 0, ss = 0, top = 0;
    for (int64_t t = 0; t < c->rows; t++) {
        mean += c->x[t * c->cols + k] / (double)c->rows;
        top = fmax(top, fabs(c->x[t * c->cols + k]));
    }
    for (int64_t t = 0; t < c->rows; t++)
        ss += (c->x[t * c->cols + k] - mean) * (c->x[t * c->cols + k] - mean);
    const double sd = sqrt(ss / (double)(c->rows - 1)), by = unscaled ? (top > 0 ? top : 1) : sd < DBL_EPSILON ? 1 : sd;
    for (int64_t t = 0; t < c->rows; t++)
        c->x[t * c->cols + k] = (c->x[t * c->cols + k] - (unscaled ? 0 : mean)) / by;
}

/* Over the rows that are listed, or all. */
static double column_dot(const nep_clean_matrix *c, const int64_t *rows, int64_t n_rows, int64_t a, int64_t b)
{
    double sum = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        const double *row = c->x + (rows ? rows[i] : i) * c->cols;
        sum += row[a] * row[b];
    }
    return sum;
}

/* The longest of columns k .. cols - 1 comes to place k. */
static void bring_longest(nep_clean_matrix *c, const int64_t *rows, int64_t n_rows, int64_t k)
{
    int64_t best = k;
    double longest = column_dot(c, rows, n_rows, k, k);
    for (int64_t j = k + 1; j < c->cols; j++) {
        const double length = column_dot(c, rows, n_rows, j, j);
        if (length > longest) {
            longest = length;
            best = j;
        }
    }
    for (int64_t t = 0; best != k && t < c->rows; t++) {
        const double v = c->x[t * c->cols + k];
        c->x[t * c->cols + k] = c->x[t * c->cols + best];
        c->x[t * c->cols + best] = v;
    }
}

static void subtract(nep_clean_matrix *c, int64_t from, double factor, int64_t what)
{
    for (int64_t t = 0; t < c->rows; t++)
        c->x[t * c->cols + from] -= factor * c->x[t * c->cols + what];
}

int64_t nep_clean_basis(nep_clean_matrix *c, const nep_clean_opts *o, const int64_t *rows, int64_t n_rows)
{
    const bool nilearn = o->definition == NEP_CLEAN_NILEARN;
    const int64_t n = rows ? n_rows : c->rows;
    double first = 0;
    for (int64_t k = 0; k < c->cols; k++)
        scale_column(c, k, o->unscaled_confounds || o->definition == NEP_CLEAN_XCPD); /* XCP-D takes off no mean here */
    for (int64_t k = 0; k < c->cols; k++) {
        bring_longest(c, rows, n, k);
        for (int64_t j = 0; j < k; j++) /* once more against those before: Gram-Schmidt twice is enough */
            subtract(c, k, column_dot(c, rows, n, j, k), j);
        const double length = sqrt(column_dot(c, rows, n, k, k));
        first = k == 0 ? length : first;
        if (!(length > (nilearn ? 100 * DBL_EPSILON : dependent * first)))
            return k;
        for (int64_t t = 0; t < c->rows; t++)
            c->x[t * c->cols + k] /= length;
        for (int64_t j = k + 1; j < c->cols; j++)
            subtract(c, j, column_dot(c, rows, n, k, j), k);
    }
    return c->cols;
}
