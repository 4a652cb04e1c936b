/* SPDX-License-Identifier: Apache-2.0 */
/* parity_ops - how each op is run for the comparison: inputs from a shape, the front door, results with their tolerances. */
#ifndef NEP_TESTS_BACKEND_PARITY_OPS_H
#define NEP_TESTS_BACKEND_PARITY_OPS_H

#include "backend/parity.h"

#include <nepenthe/backend.h>
#include <nepenthe/math/logit.h>

/* ---- inputs --------------------------------------------------------------------------------------------------- */
static const shape shapes[] = {
    {1, 1, false},   {2, 1, false},    {3, 0, false},    {1, 33, false},  {7, 31, true},     {33, 64, false},
    {64, 100, true}, {5, 257, false},  {40, 300, true},  {96, 70, false}, {3, 17000, true},
    {1, 7, false},   {3, 5, true},     /* less than a warp */
    {13, 101, true}, {47, 331, false}, /* primes */
    {17, 17, true},  {64, 33, false},  {4, 256, false},  {2, 8193, true}, /* a tile, and one more than a tile */
    {6, 515, true},  {127, 9, false},  /* the last tile is ragged */
};
enum { SMALL = 700 }; /* cells of the shapes that `small` keeps */

enum { X = 1, Y, Z, W, MISSING };

static double *normals(uint64_t stream, int64_t n)
{
    double *x = calloc((size_t)(n ? n : 1), sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = nep_philox_normal(99, stream, (uint64_t)i);
    return x;
}

static float *floats(uint64_t stream, int64_t n, bool missing)
{
    float *x = calloc((size_t)(n ? n : 1), sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        const double u = nep_philox_uniform(99, MISSING, (uint64_t)i);
        x[i] = (float)(100 + 10 * nep_philox_normal(99, stream, (uint64_t)i));
        if (missing && u < 0.004)
            x[i] = u < 0.001 ? INFINITY : NAN;
    }
    if (missing && n > 3) { /* few values too */
        x[n / 2] = NAN;
        x[n / 3] = -INFINITY;
    }
    return x;
}

static void *zeroed(int64_t n, size_t size)
{
    return calloc((size_t)(n ? n : 1), size);
}

/* ---- one runner per op: inputs from the shape, the front door, results pushed on success -------------------------- */
static nep_status run_occupancy(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->rows * s->cols;
    float *conc = floats(X, n, s->missing), *kd = floats(Y, n, false), *hill = zeroed(n, sizeof *hill);
    float *out = zeroed(n, sizeof *out);
    for (int64_t i = 0; i < n; i++) {
        hill[i] = 0.5f + (float)(i % 5) / 2.0f;
        if (i % 7 == 0)
            conc[i] = 0;
    }
    const nep_status st = nep_backend_occupancy(ctx, conc, kd, hill, n, out);
    for (int64_t i = 0; st == NEP_OK && i < n; i++)
        push(r, (double)out[i], 1, FLOAT32);
    free(conc);
    free(kd);
    free(hill);
    free(out);
    return st;
}

static nep_status run_parcel_sums(nep_ctx *ctx, const shape *s, result *r)
{
    enum { REGIONS = 5 };
    const int64_t cells = s->rows * REGIONS;
    float *x = floats(X, s->rows * s->cols, s->missing);
    int64_t start[REGIONS + 1] = {0}, *count = zeroed(cells, sizeof *count);
    int32_t *voxel = zeroed(s->cols, sizeof *voxel);
    double *sum = zeroed(cells, sizeof *sum);
    for (int64_t v = 0; v < s->cols; v++) /* scattered, region 3 is empty */
        voxel[v] = (int32_t)((v * 7919) % s->cols);
    for (int g = 1; g <= REGIONS; g++)
        start[g] = g == REGIONS ? s->cols : g >= 3 ? s->cols * 2 / 3 : s->cols * g / 4;
    const nep_status st = nep_backend_parcel_sums(ctx, x, s->rows, s->cols, start, voxel, REGIONS, sum, count);
    for (int64_t i = 0; st == NEP_OK && i < cells; i++) {
        push(r, sum[i], fabs(sum[i]), FLOAT64);
        push(r, (double)count[i], 0, INTEGER);
    }
    free(x);
    free(count);
    free(voxel);
    free(sum);
    return st;
}

/* Lists that overlap: each takes every second voxel from another place on. */
static nep_status run_weighted_sums(nep_ctx *ctx, const shape *s, result *r)
{
    enum { LISTS = 4 };
    const int64_t cells = s->rows * LISTS, each = s->cols / 2;
    float *x = floats(X, s->rows * s->cols, s->missing), *weight = floats(Y, LISTS * each + 1, 0);
    int64_t start[LISTS + 1] = {0}, *count = zeroed(cells, sizeof *count);
    int32_t *voxel = zeroed(LISTS * each + 1, sizeof *voxel);
    double *sum = zeroed(cells, sizeof *sum);
    for (int l = 0; l < LISTS; l++) {
        start[l + 1] = start[l] + (l == 2 ? 0 : each);
        for (int64_t i = start[l]; i < start[l + 1]; i++)
            voxel[i] = (int32_t)((2 * (i - start[l]) + 3 * l) % s->cols);
    }
    const nep_status st = nep_backend_weighted_sums(ctx, x, s->rows, s->cols, start, voxel, weight, LISTS, sum, count);
    for (int64_t i = 0; st == NEP_OK && i < cells; i++) {
        double size = 0;
        for (int64_t k = start[i % LISTS]; k < start[i % LISTS + 1]; k++)
            if (isfinite(x[i / LISTS * s->cols + voxel[k]]))
                size += fabs((double)weight[k] * (double)x[i / LISTS * s->cols + voxel[k]]);
        push(r, sum[i], size, FLOAT64);
        push(r, (double)count[i], 0, INTEGER);
    }
    free(x);
    free(weight);
    free(count);
    free(voxel);
    free(sum);
    return st;
}

/* Rows of 0 to 6 entries, one of them twice. */
static nep_status run_sparse_product(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t rows = 37, n_x = s->rows, cols = s->cols;
    int64_t *start = zeroed(rows + 1, sizeof *start);
    int32_t *column = zeroed(7 * rows, sizeof *column);
    double *weight = normals(X, 7 * rows), *x = normals(Y, n_x * cols), *out = zeroed(rows * cols, sizeof *out);
    for (int64_t i = 0; i < rows; i++) {
        start[i + 1] = start[i] + i % 7;
        for (int64_t k = start[i]; k < start[i + 1]; k++)
            column[k] = (int32_t)((i * 5 + (k - start[i]) % 5 * 11) % n_x);
    }
    const nep_status st = nep_backend_sparse_product(ctx, start, column, weight, rows, x, n_x, cols, out);
    for (int64_t at = 0; st == NEP_OK && at < rows * cols; at++) {
        double size = 0;
        for (int64_t k = start[at / cols]; k < start[at / cols + 1]; k++)
            size += fabs(weight[k] * x[column[k] * cols + at % cols]);
        push(r, out[at], size, FLOAT64);
    }
    free(start);
    free(column);
    free(weight);
    free(x);
    free(out);
    return st;
}

static nep_status run_moments(nep_ctx *ctx, const shape *s, result *r)
{
    float *x = floats(X, s->rows * s->cols, s->missing);
    double *mean = zeroed(s->cols, sizeof *mean), *m2 = zeroed(s->cols, sizeof *m2);
    const nep_status st = nep_backend_moments(ctx, x, s->rows, s->cols, mean, m2);
    for (int64_t c = 0; st == NEP_OK && c < s->cols; c++) {
        push(r, mean[c], fabs(mean[c]), FLOAT64);
        push(r, m2[c], fabs(m2[c]), FLOAT64);
    }
    free(x);
    free(mean);
    free(m2);
    return st;
}

static nep_status run_apply_operator(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n_r = s->rows > 2 ? s->rows - 1 : s->rows;
    float *x = floats(X, s->rows * s->cols, s->missing), *out = zeroed(n_r * s->cols, sizeof *out);
    double *m = normals(Y, n_r * s->rows), *mean = zeroed(s->cols, sizeof *mean);
    for (int64_t c = 0; c < s->cols; c++)
        mean[c] = 100 + (double)(c % 3);
    const nep_status st =
        nep_backend_apply_operator(ctx, m, n_r, s->rows, x, s->cols, s->cols % 2 ? mean : NULL, out);
    for (int64_t i = 0; st == NEP_OK && i < n_r; i++)
        for (int64_t c = 0; c < s->cols; c++) {
            double magnitude = 0;
            for (int64_t t = 0; t < s->rows; t++)
                magnitude += fabs(m[i * s->rows + t] * ((double)x[t * s->cols + c] - (s->cols % 2 ? mean[c] : 0)));
            push(r, (double)out[i * s->cols + c], magnitude, FLOAT32);
        }
    free(x);
    free(out);
    free(m);
    free(mean);
    return st;
}

static nep_status run_amplitude_sums(nep_ctx *ctx, const shape *s, result *r)
{
    float *x = floats(X, s->rows * s->cols, s->missing);
    double *band = zeroed(s->cols, sizeof *band), *all = zeroed(s->cols, sizeof *all);
    const int64_t first = s->rows > 8 ? 2 : s->rows / 2, last = s->rows > 8 ? s->rows / 3 : s->rows / 2;
    nep_status st = nep_backend_amplitude_sums(ctx, x, s->rows, s->cols, first, last, band, all);
    for (int64_t c = 0; st == NEP_OK && c < s->cols; c++) {
        push(r, band[c], 200.0 * (double)(last - first + 1), FLOAT64);
        push(r, all[c], 200.0 * (double)s->rows, FLOAT64);
    }
    if (st == NEP_OK)
        st = nep_backend_amplitude_sums(ctx, x, s->rows, s->cols, first, last, band, NULL);
    for (int64_t c = 0; st == NEP_OK && c < s->cols; c++)
        push(r, band[c], 200.0 * (double)(last - first + 1), FLOAT64);
    free(x);
    free(band);
    free(all);
    return st;
}

static nep_status run_gram(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->cols > 1000 ? 200 : s->cols;
    float *x = floats(X, s->rows * n, s->missing);
    double *mean = zeroed(n, sizeof *mean), *scale = zeroed(n, sizeof *scale), *out = zeroed(n * n, sizeof *out);
    for (int64_t c = 0; c < n; c++) {
        mean[c] = 100;
        scale[c] = 0.1 / (double)(1 + c % 4);
    }
    const nep_status st = nep_backend_gram(ctx, x, s->rows, n, mean, scale, out);
    for (int64_t i = 0; st == NEP_OK && i < n * n; i++)
        push(r, out[i], 4 * (double)s->rows, FLOAT64);
    free(x);
    free(mean);
    free(scale);
    free(out);
    return st;
}

static nep_status run_difference_squares(nep_ctx *ctx, const shape *s, result *r)
{
    float *x = floats(X, s->rows * s->cols, s->missing);
    double *weight = zeroed(s->cols, sizeof *weight), *out = zeroed(s->rows, sizeof *out);
    for (int64_t c = 0; c < s->cols; c++)
        weight[c] = 1.0 / (double)(1 + c % 11);
    const nep_status st =
        nep_backend_difference_squares(ctx, x, s->rows, s->cols, s->rows % 2 ? weight : NULL, out);
    for (int64_t t = 0; st == NEP_OK && t < s->rows; t++)
        push(r, out[t], fabs(out[t]), FLOAT64);
    free(x);
    free(weight);
    free(out);
    return st;
}

static void unit(double *x, int64_t n, int64_t stride)
{
    double squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += x[i * stride] * x[i * stride];
    for (int64_t i = 0; i < n; i++)
        x[i * stride] /= sqrt(squares);
}

static nep_status run_permute_t(nep_ctx *ctx, const shape *s, result *r)
{
    enum { PERMUTATIONS = 77 };
    const int64_t n = s->rows < 3 ? 3 : s->rows, cols = s->cols > 1000 ? 1000 : s->cols, k = n > 6 ? 2 : 0;
    double *y = normals(X, n * cols), *basis = normals(Y, PERMUTATIONS * (1 + k) * n);
    double *observed = zeroed(cols, sizeof *observed), max_abs[PERMUTATIONS];
    int64_t *count = zeroed(cols, sizeof *count), *count_max = zeroed(cols, sizeof *count_max);
    for (int64_t c = 0; c < cols; c++) {
        unit(y + c, n, cols);
        observed[c] = s->missing && c % 9 == 4 ? (double)NAN : 0.2 * (double)(c % 20);
        if (s->missing && c % 5 == 1)
            y[c] = (double)NAN;
        count[c] = c;
    }
    for (int64_t p = 0; p < PERMUTATIONS * (1 + k); p++)
        unit(basis + p * n, n, 1);
    for (int64_t p = 0; k == 2 && p < PERMUTATIONS; p++) { /* two nuisance rows without a common observation */
        double *one = basis + (p * 3 + 1) * n, *two = one + n;
        for (int64_t i = 0; i < n; i++)
            (i % 2 ? one : two)[i] = 0;
        unit(one, n, 1);
        unit(two, n, 1);
    }
    const nep_status st =
        nep_backend_permute_t(ctx, y, n, cols, basis, PERMUTATIONS, k, observed, max_abs, count, count_max);
    for (int p = 0; st == NEP_OK && p < PERMUTATIONS; p++) /* 1 - a2 - b^2 loses what t^2 gains */
        push(r, max_abs[p], max_abs[p] * (1 + max_abs[p] * max_abs[p]), FLOAT64);
    for (int64_t c = 0; st == NEP_OK && c < cols; c++) {
        push(r, (double)count[c], 0, INTEGER);
        push(r, (double)count_max[c], 0, INTEGER);
    }
    free(y);
    free(basis);
    free(observed);
    free(count);
    free(count_max);
    return st;
}

static nep_status run_permute_maps(nep_ctx *ctx, const shape *s, result *r)
{
    enum { PERMUTATIONS = 41 };
    const int64_t n = s->rows < 5 ? 5 : s->rows, cols = s->cols > 700 ? 700 : s->cols, tested = 1 + s->cols % 2, k = n > 6 ? 2 : 0;
    const double df = (double)(n - tested - k);
    double *y = normals(X, n * cols), *basis = normals(Y, PERMUTATIONS * (tested + k) * n);
    double *out = zeroed(PERMUTATIONS * cols, sizeof *out);
    for (int64_t c = 0; c < cols; c++) {
        unit(y + c, n, cols);
        if (s->missing && c % 5 == 1)
            y[c] = (double)NAN;
    }
    for (int64_t p = 0; p < PERMUTATIONS * (tested + k); p++)
        for (int64_t i = 0; i < n; i++) /* rows of one permutation share no observation: orthogonal */
            if (i % (tested + k) != p % (tested + k))
                basis[p * n + i] = 0;
    for (int64_t p = 0; p < PERMUTATIONS * (tested + k); p++)
        unit(basis + p * n, n, 1);
    const nep_status st = nep_backend_permute_maps(ctx, y, n, cols, basis, PERMUTATIONS, tested, k, df, out);
    for (int64_t i = 0; st == NEP_OK && i < PERMUTATIONS * cols; i++) { /* 1 - a2 - b2 loses what the statistic gains */
        const double share = tested == 1 ? out[i] * out[i] : out[i];
        push(r, out[i], (1 + fabs(out[i])) * (1 + share), FLOAT64);
    }
    free(y);
    free(basis);
    free(out);
    return st;
}

static uint64_t *bits(uint64_t stream, int64_t n)
{
    uint64_t *x = zeroed(n, sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = ((uint64_t)nep_philox_u32(99, stream, (uint64_t)(2 * i)) << 32) |
               nep_philox_u32(99, stream, (uint64_t)(2 * i + 1));
    return x;
}

static nep_status run_quadratic_forms(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->cols > 1000 ? 1000 : s->cols, p = s->rows > 20 ? 19 : s->rows, m = p < 5 ? 1 : 13;
    double *x = normals(X, n * p), *q = normals(Y, m * p * p), *k = normals(Z, m), *out = zeroed(n * m, sizeof *out);
    if (s->missing && n > 3)
        x[3 * p] = (double)NAN;
    const nep_status st = nep_backend_quadratic_forms(ctx, x, n, p, q, k, m, out);
    for (int64_t i = 0; st == NEP_OK && i < n * m; i++) {
        double magnitude = fabs(k[i % m]);
        for (int64_t a = 0; a < p * p; a++)
            magnitude += fabs(x[i / m * p + a / p] * x[i / m * p + a % p] * q[i % m * p * p + a]);
        push(r, out[i], magnitude, FLOAT64);
    }
    free(x);
    free(q);
    free(k);
    free(out);
    return st;
}

/* rows x cols read as volumes of cols x rows x 2, turned and shifted. */
static nep_status run_resample(nep_ctx *ctx, const shape *s, result *r)
{
    static const int orders[] = {0, 1, 3};
    nep_spline_plan p = {.in = {s->cols, s->rows, 2}, .out = {s->rows + 1, s->cols, 3}, .order = orders[s->rows % 3], .outside = -1,
                         .m = {{0.1, 0.93, 0, -0.4}, {0.81, -0.02, 0.1, 0.3}, {0, 0.01, 0.5, 0}}};
    const int64_t n_in = s->cols * s->rows * 2, n_out = (s->rows + 1) * s->cols * 3;
    if (s->cols == 0 || n_in > 20000)
        return NEP_OK;
    float *x = floats(X, 2 * n_in, s->missing), *out = zeroed(2 * n_out, sizeof *out);
    const nep_status st = nep_backend_resample(ctx, x, 2, &p, out);
    for (int64_t i = 0; st == NEP_OK && i < 2 * n_out; i++)
        push(r, (double)out[i], 200, FLOAT32);
    free(x);
    free(out);
    return st;
}

static nep_status run_smooth_axis(nep_ctx *ctx, const shape *s, result *r)
{
    const double weight[5] = {0.4, 0.2, 0.06, 0.03, 0.01};
    const int64_t n = s->rows * s->cols, radius = s->rows % 5;
    float *x = floats(X, n, s->missing), *out = zeroed(n, sizeof *out);
    nep_status st = NEP_OK;
    for (int axis = 0; st == NEP_OK && s->cols > 0 && axis < 2; axis++) { /* along rows, then along columns */
        st = axis ? nep_backend_smooth_axis(ctx, x, s->rows, s->cols, 1, weight, radius, out)
                  : nep_backend_smooth_axis(ctx, x, 1, s->rows, s->cols, weight, radius, out);
        for (int64_t i = 0; st == NEP_OK && i < n; i++)
            push(r, (double)out[i], 200, FLOAT32);
    }
    free(x);
    free(out);
    return st;
}

/* A value of column c: fine, in runs of ties, rounded, among spikes that dwarf it, at both ends of what float32 holds; the last column
 * is constant. */
static float rank_value(float v, int64_t i, int64_t c, int64_t n_cols)
{
    if (c + 1 == n_cols && c > 0)
        return -0.0f;
    switch (c % 6) {
    case 0: return v - 100;
    case 1: return rintf((v - 100) / 8);
    case 2: return i % 13 == 5 ? 1e30f * (v - 100) : v - 100;
    case 3: return i % 3 ? copysignf(3e38f, v - 100) : 1e36f * (v - 100);
    case 4: return (v - 100) * 1e-44f;
    default: return v;
    }
}

static nep_status run_time_ranks(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->rows * s->cols;
    float *x = floats(X, n, s->missing);
    int16_t *rank = zeroed(n, sizeof *rank);
    int64_t *tie = zeroed(s->cols, sizeof *tie);
    nep_status st = NEP_OK;
    for (int64_t i = 0; i < n; i++)
        x[i] = rank_value(x[i], i, i % s->cols, s->cols);
    const int last = s->cols > 5000 ? NEP_RANK_MIDRANK : NEP_RANK_TRUNCATED; /* the rig is slow with that many blocks */
    for (int rule = NEP_RANK_MIDRANK; st == NEP_OK && rule <= last; rule++) {
        st = nep_backend_time_ranks(ctx, x, s->rows, s->cols, (nep_rank_rule)rule, rank, tie);
        for (int64_t i = 0; st == NEP_OK && i < n; i++)
            push(r, rank[i], 0, INTEGER);
        for (int64_t i = 0; st == NEP_OK && i < s->cols; i++)
            push(r, (double)tie[i], 0, INTEGER);
    }
    free(x);
    free(rank);
    free(tie);
    return st;
}

static nep_status run_neighbour_ranks(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n_t = s->rows == 7 ? 2000 : s->rows; /* so long that sums do not fit int16 */
    const int64_t n = n_t * s->cols, near = n_t == 2000 ? 27 : s->rows % 27 + 1, spread = n_t < 100 ? 2 * n_t - 1 : 100;
    float *x = floats(X, n, false);
    int16_t *rank = zeroed(n, sizeof *rank);
    int32_t *neighbour = zeroed(s->cols * near, sizeof *neighbour);
    int64_t *sum = zeroed(s->cols, sizeof *sum), *squares = zeroed(s->cols, sizeof *squares);
    for (int64_t i = 0; i < n; i++)
        rank[i] = (int16_t)(n_t - 1 - (int64_t)(300 * fabsf(x[i] - 100)) % spread);
    for (int64_t i = 0; i < s->cols * near; i++)
        neighbour[i] = i % 5 == 3 ? -1 : (int32_t)(i * 7919 % s->cols);
    const nep_status st = nep_backend_neighbour_ranks(ctx, rank, n_t, s->cols, neighbour, near, sum, squares);
    for (int64_t c = 0; st == NEP_OK && c < s->cols; c++) {
        push(r, (double)sum[c], 0, INTEGER);
        push(r, (double)squares[c], 0, INTEGER);
    }
    free(x);
    free(rank);
    free(neighbour);
    free(sum);
    free(squares);
    return st;
}

/* Once with pairs, once column by column onto what was there. */
static nep_status run_paired_dots(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->rows * s->cols;
    float *a = floats(X, n, s->missing), *b = floats(Y, n, false);
    int32_t *at = zeroed(s->cols, sizeof *at);
    double *out = zeroed(s->cols, sizeof *out);
    for (int64_t c = 0; c < s->cols; c++)
        at[c] = c % 6 == 4 ? -1 : (int32_t)(s->cols - 1 - c);
    nep_status st = nep_backend_paired_dots(ctx, a, s->rows, s->cols, a, s->cols, at, out);
    if (st == NEP_OK)
        st = nep_backend_paired_dots(ctx, a, s->rows, s->cols, b, s->cols, NULL, out);
    for (int64_t c = 0; st == NEP_OK && c < s->cols; c++)
        push(r, out[c], 4e4 * (double)s->rows, FLOAT64);
    free(a);
    free(b);
    free(at);
    free(out);
    return st;
}

static nep_status run_best_pair(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n_pairs = s->rows % 7 + 2;
    float *x = floats(X, s->rows * s->cols, s->missing);
    double *pair = normals(Y, n_pairs * 2 * s->rows);
    int32_t *best = zeroed(s->cols, sizeof *best);
    const nep_status st = nep_backend_best_pair(ctx, pair, n_pairs, s->rows, x, s->cols, best);
    for (int64_t c = 0; st == NEP_OK && c < s->cols; c++)
        push(r, best[c], 0, INTEGER);
    free(x);
    free(pair);
    free(best);
    return st;
}

static nep_status run_lag_products(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n_q = s->rows % 9 + 1, n = s->rows, cols = s->cols;
    float *x = floats(X, n * cols, s->missing);
    double *q = normals(Y, n_q * n), *out = zeroed((n_q + 2) * cols, sizeof *out);
    const nep_status st = nep_backend_lag_products(ctx, q, n_q, n, x, cols, out);
    for (int64_t k = 0; st == NEP_OK && k < n_q + 2; k++)
        for (int64_t c = 0; c < cols; c++) {
            double magnitude = 0;
            for (int64_t t = 0; t < n; t++)
                magnitude += fabs((k < n_q ? q[k * n + t] : (double)x[t * cols + c]) * (double)x[t * cols + c]);
            push(r, out[k * cols + c], magnitude, FLOAT64);
        }
    free(x);
    free(q);
    free(out);
    return st;
}

/* Three maps; pairs of points in bins, one of them empty, offsets in (-0.5, 0.5). */
static nep_status run_pair_squares(nep_ctx *ctx, const shape *s, result *r)
{
    enum { MAPS = 3, BINS = 4, PAIRS = 90 };
    const int64_t n = s->rows, cols = s->cols, moments = 1 + s->rows % 4;
    float *x = floats(X, MAPS * n * cols, false);
    int32_t a[PAIRS], b[PAIRS];
    double offset[PAIRS], *out = zeroed(MAPS * BINS * moments * cols, sizeof *out);
    const int64_t start[BINS + 1] = {0, 20, 20, 61, PAIRS};
    for (int i = 0; i < PAIRS; i++) {
        a[i] = (int32_t)(i * 7 % n);
        b[i] = (int32_t)(i * i % n);
        offset[i] = nep_philox_uniform(99, Y, (uint64_t)i) - 0.5;
    }
    const nep_status st = nep_backend_pair_squares(ctx, x, MAPS, n, cols, a, b, offset, start, BINS, moments, out);
    for (int64_t i = 0; st == NEP_OK && i < MAPS * BINS * moments * cols; i++) {
        const int64_t c = i % cols, q = i / cols % moments, bin = i / cols / moments % BINS, m = i / cols / moments / BINS;
        double size = 0;
        for (int64_t k = start[bin]; k < start[bin + 1]; k++) {
            const double d = (double)(x[(m * n + a[k]) * cols + c] - x[(m * n + b[k]) * cols + c]);
            size += fabs(pow(offset[k], (double)q)) * d * d;
        }
        push(r, out[i], size, FLOAT64);
    }
    free(x);
    free(out);
    return st;
}

/* cols places, rows modes, nine maps or one. */
static nep_status run_mode_sums(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->cols, k = s->rows, maps = s->rows % 2 ? 9 : 1;
    double *v = normals(X, k * n), *c = normals(Y, maps * k), *base = normals(Z, n), *out = zeroed(maps * n, sizeof *out);
    if (s->missing && n > 3)
        base[3] = (double)NAN;
    const nep_status st = nep_backend_mode_sums(ctx, v, k, n, c, maps, base, out);
    for (int64_t i = 0; st == NEP_OK && i < maps * n; i++)
        push(r, out[i], 0, FLOAT64);
    free(v);
    free(c);
    free(base);
    free(out);
    return st;
}

/* A ring of rows of 0 to 6 entries under polynomials of degree 1, 6 and 7; what is not small grows. */
static nep_status run_sparse_chebyshev(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = 37 + s->rows % 3, cols = s->cols, degree = n % 3 ? 5 + n % 3 : 1;
    int64_t *start = zeroed(n + 1, sizeof *start);
    int32_t *column = zeroed(7 * n, sizeof *column);
    double *weight = normals(X, 7 * n), *x = normals(Y, n * cols);
    for (int64_t i = 0; i < n; i++) {
        start[i + 1] = start[i] + i % 7;
        for (int64_t k = start[i]; k < start[i + 1]; k++)
            column[k] = (int32_t)((i + (k - start[i]) * 3) % n);
    }
    const nep_status st = nep_backend_sparse_chebyshev(ctx, start, column, weight, n, cols, degree, x);
    for (int64_t i = 0; st == NEP_OK && i < n * cols; i++)
        push(r, x[i], 0, FLOAT64);
    free(start);
    free(column);
    free(weight);
    free(x);
    return st;
}

/* Four groups, one without rows; three draws of seven units, of which one holds a group no more. */
static nep_status run_logit_sums(nep_ctx *ctx, const shape *s, result *r)
{
    enum { GROUPS = 4, DRAWS = 3, UNITS = 7 };
    const int64_t n = s->rows, width = 1 + s->cols % 45, size = nep_logit_size(width), start[GROUPS + 1] = {0, n / 3, n / 3, n - n / 4, n};
    double *f = normals(X, n * width), *at = normals(Y, DRAWS * GROUPS * width), *y = zeroed(n, sizeof *y), *w = zeroed(n, sizeof *w);
    double *out = zeroed(DRAWS * GROUPS * size, sizeof *out);
    int32_t *unit = zeroed(n, sizeof *unit), times[DRAWS * UNITS], wanted[DRAWS * GROUPS];
    for (int64_t i = 0; i < n; i++) {
        y[i] = i % 3 == 0;
        w[i] = 0.5 + (double)(i % 4);
        unit[i] = (int32_t)(i * 5 % UNITS);
    }
    for (int i = 0; i < DRAWS * UNITS; i++)
        times[i] = i * i % 4;
    for (int i = 0; i < DRAWS * GROUPS; i++)
        wanted[i] = i != 6;
    const nep_status st = nep_backend_logit_sums(ctx, f, y, w, unit, start, GROUPS, width, times, UNITS, wanted, at, DRAWS, out);
    for (int64_t k = 0; st == NEP_OK && k < DRAWS * GROUPS * size; k++) {
        const int64_t item = k % size, j = k / size % GROUPS, d = k / size / GROUPS;
        double most = 0;
        for (int64_t i = start[j]; i < start[j + 1]; i++) {
            double logit = 0, widest = 1;
            for (int64_t a = 0; a < width; a++) {
                logit += fabs(f[i * width + a] * at[(d * GROUPS + j) * width + a]);
                widest = fabs(f[i * width + a]) > widest ? fabs(f[i * width + a]) : widest;
            }
            most += w[i] * times[d * UNITS + unit[i]] * (1 + logit) * (item == 0 ? 1 : item <= width ? widest : widest * widest);
        }
        push(r, out[k], most, FLOAT64);
    }
    free(f);
    free(at);
    free(y);
    free(w);
    free(out);
    free(unit);
    return st;
}

static nep_status run_exceedances(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->rows, n_null = s->cols > 1000 ? 1000 : s->cols, p = 1 + s->rows % 23;
    double *a = normals(X, n * p), *c = normals(Y, n_null * p), *centre = normals(Z, p);
    double *observed = normals(W, n);
    int64_t *count = zeroed(n, sizeof *count);
    if (n_null > 0) /* a tie: the product with one null is what was observed */
        for (int64_t i = 0; i < n; i += 2) {
            observed[i] = 0;
            for (int64_t q = 0; q < p; q++)
                observed[i] += a[i * p + q] * (c[i % n_null * p + q] - centre[q]);
        }
    if (s->missing)
        a[0] = c[0] = (double)NAN;
    const nep_status st = nep_backend_exceedances(ctx, a, n, p, c, n_null, centre, observed, count);
    for (int64_t i = 0; st == NEP_OK && i < n; i++)
        push(r, (double)count[i], 0, INTEGER);
    free(a);
    free(c);
    free(centre);
    free(observed);
    free(count);
    return st;
}

/* Unit rows [n, rows of the shape]; row 5 is row 2 again. */
static float *unit_rows(const shape *s, int64_t *n)
{
    *n = s->cols > 1000 ? 200 : s->cols;
    double *x = normals(X, *n * s->rows);
    float *z = zeroed(*n * s->rows, sizeof *z);
    for (int64_t i = 0; i < *n; i++) {
        unit(x + i * s->rows, s->rows, 1);
        for (int64_t t = 0; t < s->rows; t++)
            z[i * s->rows + t] = (float)x[(i == 5 ? 2 : i) * s->rows + t];
    }
    free(x);
    return z;
}

static double product(const float *z, int64_t n_t, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t t = 0; t < n_t; t++)
        sum += (double)z[i * n_t + t] * (double)z[j * n_t + t];
    return sum;
}

/* The threshold lies a hair above or below the product of rows 0 and 1, where float32 cannot tell. */
static nep_status run_pair_sums(nep_ctx *ctx, const shape *s, result *r)
{
    int64_t n;
    float *z = unit_rows(s, &n);
    const bool two_sided = s->rows % 2 == 0;
    int64_t *count = zeroed(n, sizeof *count), *alone = zeroed(n, sizeof *alone);
    double *weighted = zeroed(n, sizeof *weighted), *fisher = zeroed(n, sizeof *fisher), threshold = 0.25;
    if (n > 1 && fabs(product(z, s->rows, 0, 1)) < 0.9)
        threshold = fabs(product(z, s->rows, 0, 1)) + (s->rows % 4 < 2 ? 1e-10 : -1e-10);
    nep_status st = nep_backend_pair_sums(ctx, z, n, s->rows, threshold, two_sided, 1, count, weighted, fisher);
    if (st == NEP_OK)
        st = nep_backend_pair_sums(ctx, z, n, s->rows, threshold, two_sided, 1 / 1.0001, alone, NULL, NULL);
    for (int64_t i = 0; st == NEP_OK && i < n; i++) {
        double magnitude = 0;
        for (int64_t j = 0; j < n; j++) {
            const double p = fmin(fabs(product(z, s->rows, i, j)), 0.999999);
            magnitude += j == i ? 0 : 1 / (1 - p * p);
        }
        push(r, (double)count[i], 0, INTEGER);
        push(r, (double)alone[i], 0, INTEGER);
        push(r, weighted[i], (double)count[i], FLOAT32);
        push(r, fisher[i], magnitude, FLOAT32);
    }
    if (st == NEP_OK)
        st = nep_backend_pair_sums(ctx, z, n, s->rows, threshold, two_sided, 1, NULL, weighted, NULL);
    for (int64_t i = 0; st == NEP_OK && i < n; i++) {
        assert_int_equal(count[i], alone[i]);
        push(r, weighted[i], (double)count[i], FLOAT32);
    }
    free(z);
    free(count);
    free(alone);
    free(weighted);
    free(fisher);
    return st;
}

static nep_status run_top_pairs(nep_ctx *ctx, const shape *s, result *r)
{
    int64_t n;
    const int64_t k = 1 + s->rows % 7;
    float *z = unit_rows(s, &n);
    int32_t *index = zeroed(n * k, sizeof *index);
    double *value = zeroed(n * k, sizeof *value);
    const nep_status st = nep_backend_top_pairs(ctx, z, n, s->rows, k, index, value);
    for (int64_t i = 0; st == NEP_OK && i < n * k; i++) {
        push(r, index[i], 0, INTEGER);
        push(r, value[i], 0, FLOAT64);
    }
    free(z);
    free(index);
    free(value);
    return st;
}

static nep_status run_project_rows(nep_ctx *ctx, const shape *s, result *r)
{
    int64_t n;
    const int64_t m = 1 + s->rows % 5;
    float *z = unit_rows(s, &n);
    double *q = normals(Y, m * s->rows), *out = zeroed(n * m, sizeof *out);
    nep_status st = nep_backend_project_rows(ctx, z, n, s->rows, q, m, false, out);
    for (int64_t i = 0; st == NEP_OK && i < n * m; i++)
        push(r, out[i], 4 * (double)s->rows, FLOAT64);
    if (st == NEP_OK)
        st = nep_backend_project_rows(ctx, z, n, s->rows, q, m, true, out);
    for (int64_t i = 0; st == NEP_OK && i < n; i++)
        push(r, out[i], 16 * (double)(m * s->rows), FLOAT64);
    free(z);
    free(q);
    free(out);
    return st;
}

#endif
