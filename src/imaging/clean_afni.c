/* SPDX-License-Identifier: Apache-2.0 */
/* clean_afni - 3dTproject: Legendre polynomials, sines and cosines outside the band, and confounds in one regression.
 *
 * Its help says what goes, and that confounds lose their mean; its source, how: frequencies are multiples of 1 / (n TR) with a
 * band's ends rounded a sixth of a step inwards, means go before frames are censored, columns are scaled to length 1, and the
 * pseudo-inverse takes a singular value s as s / (s^2 + 1e-6 s_max^2), so that what is removed leaves a part in a million. In
 * float64, where the program works in float32. */
#include "imaging/clean_parts.h"

#include <lapacke.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double softness = 1e-6; /* of the largest squared singular value */
static const double margin_hz = 1e-4; /* a pass-band is what lies between two stop-bands that end so far from it */

/* Marks the multiples of 1 / (n TR) from low to high Hz, a sixth of a step inwards. */
static void mark_band(int64_t n, double tr_s, double low, double high, bool *stop)
{
    const int64_t top = n / 2;
    const double step = 1 / ((double)n * tr_s), most = ((double)top + 0.1) * step;
    const double a = fmin(fmax(low, 0), most), b = fmin(fmax(high, 0), most);
    const int64_t first = (int64_t)rint((a + step / 6) / step), last = (int64_t)rint((b - step / 6) / step);
    for (int64_t j = first < 0 ? 0 : first; j <= last && j <= top; j++)
        stop[j] = true;
}

static double legendre(int degree, double x)
{
    double before = 1, value = x;
    if (degree == 0)
        return 1;
    for (int k = 2; k <= degree; k++) {
        const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
        before = value;
        value = next;
    }
    return value;
}

static int64_t count_columns(const nep_clean_opts *o, int64_t n_t, const bool *stop, const nep_clean_matrix *given)
{
    int64_t n = o->polort + 1 + given->cols;
    for (int64_t j = 1; j <= n_t / 2; j++)
        n += stop[j] ? (2 * j == n_t ? 1 : 2) : 0;
    return n;
}

/* Column k of a [kept, columns] in the kept frames. */
static void fill_columns(const nep_clean_opts *o, const nep_clean_frames *f, const bool *stop, const nep_clean_matrix *given,
                         nep_clean_matrix *a)
{
    const int64_t n_t = f->weight.cols;
    for (int64_t i = 0; i < a->rows; i++) {
        const double t = (double)f->row_frame[i];
        double *row = a->x + i * a->cols;
        for (int p = 0; p <= o->polort; p++)
            *row++ = legendre(p, 2 * t / (double)(n_t - 1) - 1);
        for (int64_t j = 1; j <= n_t / 2; j++)
            if (stop[j]) {
                const double phase = 2 * pi * (double)j * t / (double)n_t;
                *row++ = cos(phase);
                if (2 * j != n_t)
                    *row++ = sin(phase);
            }
        for (int64_t k = 0; k < given->cols; k++)
            *row++ = given->x[f->row_frame[i] * given->cols + k];
    }
    for (int64_t k = 0; k < given->cols; k++) {
        double mean = 0;
        for (int64_t t = 0; t < n_t; t++)
            mean += given->x[t * given->cols + k] / (double)n_t;
        for (int64_t i = 0; i < a->rows; i++)
            a->x[i * a->cols + a->cols - given->cols + k] -= mean;
    }
}

/* Columns of length 1; a column that censoring left at 0 stays 0 and removes nothing. */
static void scale_columns(nep_clean_matrix *a)
{
    for (int64_t k = 0; k < a->cols; k++) {
        double sum = 0;
        for (int64_t i = 0; i < a->rows; i++)
            sum += a->x[i * a->cols + k] * a->x[i * a->cols + k];
        for (int64_t i = 0; i < a->rows && sum > 0; i++)
            a->x[i * a->cols + k] /= sqrt(sum);
    }
}

/* m -= A (A'A + d I)^-1 A' m, through the eigenvectors V of A'A: A V diag(1 / (l + d)) (A V)' m. */
static nep_status remove_columns(nep_ctx *ctx, const nep_clean_matrix *a, nep_clean_matrix *m, int64_t *rank)
{
    const int64_t k = a->cols;
    nep_clean_matrix gram = {.rows = k, .cols = k}, turned = {.rows = a->rows, .cols = k}, seen = {.rows = k, .cols = m->cols};
    double *value = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k * k, sizeof *gram.x, "regressors", &gram.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a->rows * k, sizeof *turned.x, "regressors", &turned.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k * m->cols, sizeof *seen.x, "regressors", &seen.x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k, sizeof *value, "regressors", &value));
    nep_clean_multiply(a, true, a, 1, 0, &gram);
    NEP_REQUIRE_OR_DONE(st, ctx, LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)k, gram.x, (lapack_int)k, value) == 0,
                        NEP_E_INTERNAL, "clean: the eigenvalues of the regressors did not settle");
    nep_clean_multiply(a, false, &gram, 1, 0, &turned);
    nep_clean_multiply(&turned, true, m, 1, 0, &seen);
    const double d = k == 1 ? 0 : softness * value[k - 1]; /* a single regressor is removed whole */
    for (int64_t i = 0; i < k; i++) {
        const double l = fmax(value[i], 0), factor = l + d > 0 ? 1 / (l + d) : 0;
        *rank += l > d;
        for (int64_t t = 0; t < m->cols; t++)
            seen.x[i * m->cols + t] *= factor;
    }
    nep_clean_multiply(&turned, false, &seen, -1, 1, m);
done:
    nep_alloc_free(value);
    nep_alloc_free(seen.x);
    nep_alloc_free(turned.x);
    nep_alloc_free(gram.x);
    return st;
}

static nep_status mark_frequencies(nep_ctx *ctx, const nep_clean_opts *o, int64_t n_t, bool *stop)
{
    const bool high = !isnan(o->high_pass_hz), low = !isnan(o->low_pass_hz);
    if (o->filter == NEP_CLEAN_NO_FILTER || (!high && !low))
        return NEP_OK;
    NEP_TRY(nep_clean_cutoffs(ctx, o));
    if (high)
        mark_band(n_t, o->tr_s, 0, o->high_pass_hz - margin_hz, stop);
    if (low)
        mark_band(n_t, o->tr_s, o->low_pass_hz + margin_hz, (double)INFINITY, stop);
    return NEP_OK;
}

nep_status nep_clean_afni(nep_ctx *ctx, const nep_clean_opts *opts, const nep_clean_frames *f, const nep_clean_matrix *given,
                          nep_clean_matrix *m, int64_t *columns, int64_t *rank)
{
    const int64_t n_t = f->weight.cols;
    nep_clean_opts own = *opts, *o = &own;
    nep_clean_matrix a = {.rows = m->rows};
    bool *stop = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_COSINE, NEP_E_ARG, "clean: 3dTproject has no cosine filter; give the cosines as confounds");
    NEP_REQUIRE(ctx, !o->fill, NEP_E_ARG, "clean: 3dTproject removes censored frames and has no values for them; see --cenmode");
    NEP_REQUIRE(ctx, o->polort >= -1 && o->polort <= 20, NEP_E_ARG, "clean: polynomials of degree %d; -1 (none) to 20 can be removed", o->polort);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t / 2 + 1, sizeof *stop, "frequencies", &stop));
    NEP_TRY_OR_DONE(st, mark_frequencies(ctx, o, n_t, stop));
    if (stop[0] && own.polort < 0)
        own.polort = 0; /* a stop-band from 0 Hz takes the mean, whatever was asked */
    a.cols = count_columns(o, n_t, stop, given);
    NEP_REQUIRE_OR_DONE(st, ctx, a.cols < a.rows - 2, NEP_E_SINGULAR,
                        "clean: %lld polynomials, frequencies and confounds leave nothing of %lld frames; widen the band or censor less",
                        (long long)a.cols, (long long)a.rows);
    *columns = a.cols;
    if (a.cols == 0)
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a.rows * a.cols, sizeof *a.x, "regressors", &a.x));
    fill_columns(o, f, stop, given, &a);
    scale_columns(&a);
    st = remove_columns(ctx, &a, m, rank);
done:
    nep_alloc_free(a.x);
    nep_alloc_free(stop);
    return st;
}
