/* SPDX-License-Identifier: Apache-2.0 */
/* clean_spline - censored frames as weighted sums of the kept ones: a cubic spline is linear in its values.
 *
 * Not-a-knot cubic spline (de Boor, A Practical Guide to Splines, ch. IV): slopes s solve a tridiagonal system whose
 * right-hand side is linear in the values; between knots the cubic is the Hermite form of values and slopes. */
#include "imaging/clean_parts.h"

void nep_clean_frames_free(nep_clean_frames *f)
{
    nep_alloc_free(f->weight.x);
    nep_alloc_free(f->row_frame);
    nep_alloc_free(f->kept_row);
    *f = (nep_clean_frames){0};
}

/* Slopes at the n knots at[] as weights on the n values: s [n, n]. */
static nep_status slopes(nep_ctx *ctx, const int64_t *at, int64_t n, double *s)
{
    double *diagonal = NULL, *upper = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *diagonal, "spline", &diagonal));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *upper, "spline", &upper));
    for (int64_t i = 0; i < n; i++) {
        double *b = s + i * n, lower = 0;
        const bool last = i == n - 1;
        if (i > 0 && !last) {
            const double h0 = (double)(at[i] - at[i - 1]), h1 = (double)(at[i + 1] - at[i]);
            lower = h1;
            diagonal[i] = 2 * (h0 + h1);
            upper[i] = h0;
            b[i - 1] = -3 * h1 / h0;
            b[i + 1] = 3 * h0 / h1;
            b[i] = -b[i - 1] - b[i + 1];
        } else { /* third derivative continuous at the second and the last but one knot; the end is its mirror image */
            const int64_t k = last ? n - 1 : 0, k1 = last ? n - 2 : 1, k2 = last ? n - 3 : 2;
            const double sign = last ? -1 : 1, h0 = sign * (double)(at[k1] - at[k]), h1 = sign * (double)(at[k2] - at[k1]), d = h0 + h1;
            const double w0 = (h0 + 2 * d) * h1 / d / h0 * sign, w1 = h0 * h0 / d / h1 * sign;
            diagonal[i] = h1;
            b[k] = -w0;
            b[k1] = w0 - w1;
            b[k2] = w1;
            if (last)
                lower = d;
            else
                upper[i] = d;
        }
        if (i == 0)
            continue;
        const double f = lower / diagonal[i - 1];
        diagonal[i] -= f * upper[i - 1];
        for (int64_t c = 0; c < n; c++)
            b[c] -= f * s[(i - 1) * n + c];
    }
    for (int64_t i = n - 1; i >= 0; i--)
        for (int64_t c = 0; c < n; c++)
            s[i * n + c] = (s[i * n + c] - (i < n - 1 ? upper[i] * s[(i + 1) * n + c] : 0)) / diagonal[i];
done:
    nep_alloc_free(upper);
    nep_alloc_free(diagonal);
    return st;
}

/* Weights of frame t, which lies between the knots left and left + 1 (or beyond, at the ends), on all frames: row [n_t]. */
static void hermite(const int64_t *at, int64_t n, const double *s, int64_t left, int64_t t, double *row)
{
    const double h = (double)(at[left + 1] - at[left]), u = (double)(t - at[left]) / h;
    const double v0 = (1 + 2 * u) * (1 - u) * (1 - u), v1 = u * u * (3 - 2 * u);
    const double s0 = u * (1 - u) * (1 - u) * h, s1 = -u * u * (1 - u) * h;
    for (int64_t c = 0; c < n; c++)
        row[at[c]] = s0 * s[left * n + c] + s1 * s[(left + 1) * n + c];
    row[at[left]] += v0;
    row[at[left + 1]] += v1;
}

static nep_status make_frames(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_frames *f)
{
    for (int64_t t = 0; t < n_t; t++)
        f->n_kept += !keep || keep[t];
    NEP_REQUIRE(ctx, f->n_kept >= 4, NEP_E_FORMAT, "clean: censoring leaves %lld of %lld frames; at least 4 are needed",
                (long long)f->n_kept, (long long)n_t);
    f->weight.cols = n_t;
    NEP_TRY(nep_alloc(ctx, n_t * n_t, sizeof *f->weight.x, "operator", &f->weight.x));
    NEP_TRY(nep_alloc(ctx, n_t, sizeof *f->row_frame, "frames", &f->row_frame));
    return nep_alloc(ctx, f->n_kept, sizeof *f->kept_row, "frames", &f->kept_row);
}

static bool is_kept(const bool *keep, int64_t t)
{
    return !keep || keep[t];
}

nep_status nep_clean_drop(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_frames *out)
{
    nep_clean_frames f = {0};
    const nep_status st = make_frames(ctx, n_t, keep, &f);
    if (st != NEP_OK) {
        nep_clean_frames_free(&f);
        return st;
    }
    for (int64_t t = 0; t < n_t; t++)
        if (is_kept(keep, t)) {
            f.weight.x[f.weight.rows * n_t + t] = 1;
            f.kept_row[f.weight.rows] = f.weight.rows;
            f.row_frame[f.weight.rows++] = t;
        }
    *out = f;
    return NEP_OK;
}

nep_status nep_clean_straight(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_frames *out)
{
    int64_t left = -1;
    NEP_TRY(nep_clean_drop(ctx, n_t, NULL, out));
    for (int64_t t = 0; t < n_t; t++) {
        double *row = out->weight.x + t * n_t;
        int64_t right = t;
        if (is_kept(keep, t)) {
            left = t;
            continue;
        }
        while (right < n_t && !is_kept(keep, right))
            right++;
        row[t] = 0;
        if (left >= 0 && right < n_t) {
            row[left] = (double)(right - t) / (double)(right - left);
            row[right] = (double)(t - left) / (double)(right - left);
        } else {
            row[left >= 0 ? left : right] = 1; /* nep_clean_build has seen that some frame is kept */
        }
    }
    return NEP_OK;
}

/* Rows of the result for the given rule; nilearn 0.14 replaces frame t only when frame n - 1 - t is kept, keeps outer
 * frames that it did not replace, and counts its kept rows from the first kept frame. */
static void fill_rows(nep_clean_frames *f, int64_t n_t, const bool *keep, nep_clean_ends ends, bool nilearn, const int64_t *at, const double *s)
{
    const int64_t first = at[0], last = at[f->n_kept - 1];
    for (int64_t t = 0, left = 0; t < n_t; t++) {
        const bool outside = t < first || t > last, replace = nilearn ? is_kept(keep, n_t - 1 - t) : true;
        if (outside && replace && ends == NEP_CLEAN_ENDS_DROP)
            continue;
        double *row = f->weight.x + f->weight.rows * n_t;
        while (left + 1 < f->n_kept - 1 && at[left + 1] <= t)
            left++;
        if (is_kept(keep, t) || !replace)
            row[t] = 1;
        else if (outside && ends == NEP_CLEAN_ENDS_NEAREST)
            row[t < first ? first : last] = 1;
        else
            hermite(at, f->n_kept, s, left, t, row);
        f->row_frame[f->weight.rows++] = t;
    }
    for (int64_t k = 0, row = 0; k < f->n_kept; k++) {
        while (!nilearn && f->row_frame[row] != at[k])
            row++;
        f->kept_row[k] = !nilearn ? row : at[k] - (ends == NEP_CLEAN_ENDS_DROP ? first : 0);
    }
}

nep_status nep_clean_spline(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_ends ends, bool nilearn, nep_clean_frames *out)
{
    nep_clean_frames f = {0};
    int64_t *at = NULL;
    double *s = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, make_frames(ctx, n_t, keep, &f));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.n_kept, sizeof *at, "spline", &at));
    for (int64_t t = 0, k = 0; t < n_t; t++)
        if (is_kept(keep, t))
            at[k++] = t;
    if (f.n_kept < n_t) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.n_kept * f.n_kept, sizeof *s, "spline", &s));
        NEP_TRY_OR_DONE(st, slopes(ctx, at, f.n_kept, s));
    }
    fill_rows(&f, n_t, keep, ends, nilearn, at, s);
    *out = f;
    f = (nep_clean_frames){0};
done:
    nep_alloc_free(s);
    nep_alloc_free(at);
    nep_clean_frames_free(&f);
    return st;
}
