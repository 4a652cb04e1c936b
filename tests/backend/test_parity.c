/* SPDX-License-Identifier: Apache-2.0 */
/* Parity: every op on the CPU against the CUDA sources, on the host rig in every test run and, as `parity_cuda cuda [small]
 * [--json FILE]`, on a GPU (skipped without one unless NEP_REQUIRE_GPU is set). Also: the same bits for any thread count and
 * kernel family, and a clean end whichever allocation fails. The classes are those of NEP_OP_LIST. */
#include "backend/parity.h"

#include <unistd.h>

#include <nepenthe/backend.h>

#include "backend/cpu.h"
#include "backend/module.h"
#if !defined(NEP_PARITY_WITHOUT_RIG)
#include <jansson.h>

#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"
#endif

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

static nep_status run_tanimoto(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n_b = s->cols > 1000 ? 1000 : s->cols;
    const int64_t words = s->rows % 3 == 0 ? 16 : s->rows % 3 == 1 ? 32 : 7, n = s->rows * n_b;
    uint64_t *a = bits(X, s->rows * words), *b = bits(Y, n_b * words);
    int32_t *common = zeroed(n, sizeof *common), *total = zeroed(n, sizeof *total);
    if (s->rows > 1)
        memset(a, 0, (size_t)words * sizeof *a); /* one empty row */
    const nep_status st = nep_backend_tanimoto(ctx, a, s->rows, b, n_b, words, common, total);
    for (int64_t i = 0; st == NEP_OK && i < n; i++) {
        push(r, common[i], 0, INTEGER);
        push(r, total[i], 0, INTEGER);
    }
    free(a);
    free(b);
    free(common);
    free(total);
    return st;
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

static const struct {
    const char *name;
    nep_status (*run)(nep_ctx *ctx, const shape *s, result *r);
} rows[] = {
    {"occupancy", run_occupancy},
    {"parcel_sums", run_parcel_sums},
    {"weighted_sums", run_weighted_sums},
    {"moments", run_moments},
    {"apply_operator", run_apply_operator},
    {"amplitude_sums", run_amplitude_sums},
    {"gram", run_gram},
    {"difference_squares", run_difference_squares},
    {"permute_t", run_permute_t},
    {"tanimoto", run_tanimoto},
    {"quadratic_forms", run_quadratic_forms},
    {"exceedances", run_exceedances},
    {"best_pair", run_best_pair},
    {"resample", run_resample},
    {"smooth_axis", run_smooth_axis},
    {"lag_products", run_lag_products},
    {"time_ranks", run_time_ranks},
    {"neighbour_ranks", run_neighbour_ranks},
    {"paired_dots", run_paired_dots},
    {"permute_maps", run_permute_maps},
    {"pair_sums", run_pair_sums},
    {"top_pairs", run_top_pairs},
    {"project_rows", run_project_rows},
};
_Static_assert(NEP_LEN(rows) == NEP_OP_COUNT, "an op without a parity row does not compile");

/* Row i is op i, in the class the op list gives it. */
static const struct {
    const char *name;
    parity_class parity;
} ops[] = {
#define NEP_X(name, parity) {#name, parity},
    NEP_OP_LIST(NEP_X)
#undef NEP_X
};

static nep_status try_row(nep_ctx *ctx, int row, const shape *s, result *r)
{
    *r = (result){.parity = ops[row].parity};
    assert_string_equal(rows[row].name, ops[row].name);
    nep_ctx_clear(ctx);
    return rows[row].run(ctx, s, r);
}

static result run_row(nep_ctx *ctx, int row, const shape *s)
{
    result r;
    assert_ok(ctx, try_row(ctx, row, s, &r));
    return r;
}

/* How many shapes were compared. */
static int compare_contexts(nep_ctx *cpu, nep_ctx *other, int64_t most_cells, tally *t)
{
    int kept = 0;
    for (int k = 0; k < NEP_LEN(shapes); k++) {
        if (shapes[k].rows * shapes[k].cols > most_cells)
            continue;
        kept++;
        for (int row = 0; row < NEP_LEN(rows); row++) {
            result want = run_row(cpu, row, &shapes[k]), got;
            if (try_row(other, row, &shapes[k], &got) == NEP_OK)
                tally_add(&t[row], &shapes[k], &want, &got);
            else
                tally_refused(&t[row], &shapes[k], nep_ctx_error(other));
            result_free(&want);
            result_free(&got);
        }
    }
    return kept;
}

static void tally_name(tally *t)
{
    static const char *const names[] = {"EXACT", "FORMULA", "REDUCTION", "GEMM"};
    for (int row = 0; row < NEP_LEN(rows); row++)
        t[row] = (tally){.op = rows[row].name, .parity = names[ops[row].parity]};
}

/* ---- the tests ------------------------------------------------------------------------------------------------ */
static void test_threads(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 7};
    static const shape sizes[] = {{60, 1500, true}, {96, 70, false}, {3, 40000, false}};
    nep_ctx *one = test_ctx(1);
    for (int i = 0; i < NEP_LEN(threads); i++) {
        nep_ctx *many = test_ctx(threads[i]);
        for (int row = 0; row < NEP_LEN(rows); row++)
            for (int k = 0; k < NEP_LEN(sizes); k++) {
                result want = run_row(one, row, &sizes[k]), got = run_row(many, row, &sizes[k]);
                assert_int_equal(want.n, got.n);
                if (want.n && memcmp(want.value, got.value, (size_t)want.n * sizeof *want.value) != 0)
                    fail_msg("%s: %d threads give other bits than one", rows[row].name, threads[i]);
                result_free(&want);
                result_free(&got);
            }
        nep_ctx_free(many);
    }
    nep_ctx_free(one);
}

static void test_families(void **state)
{
    (void)state;
    const shape s = {60, 1500, true};
    nep_ctx *ctx = test_ctx(2);
    for (int row = 0; row < NEP_LEN(rows); row++) {
        result best = run_row(ctx, row, &s);
        for (nep_cpu_family f = NEP_CPU_SCALAR; f < NEP_CPU_AVX512_POPCNT; f++) {
            nep_cpu_family_limit(f);
            result got = run_row(ctx, row, &s);
            nep_cpu_family_limit(NEP_CPU_AVX512_POPCNT);
            if (memcmp(best.value, got.value, (size_t)best.n * sizeof *best.value) != 0)
                fail_msg("%s: family %s gives other bits", rows[row].name, nep_cpu_family_name(f));
            result_free(&got);
        }
        result_free(&best);
    }
    nep_ctx_free(ctx);
}

/* What must be equal is told from what may be near: an infinity or a NaN is never near anything. */
static void test_error(void **state)
{
    (void)state;
    const double inf = (double)INFINITY, nan = (double)NAN;
    assert_true(parity_error(1, 1.5, 1) == 0.5);
    assert_true(parity_error(1, 1, 0) == 0 && parity_error(inf, inf, inf) == 0 && parity_error(nan, nan, nan) == 0);
    assert_true(parity_error(inf, 1, inf) == inf && parity_error(1, inf, 1) == inf && parity_error(inf, -inf, inf) == inf);
    assert_true(parity_error(nan, 1, 1) == inf && parity_error(1, nan, inf) == inf && parity_error(inf, nan, inf) == inf);
    assert_true(parity_error(1, 2, inf) == inf && parity_error(1, 2, nan) == inf && parity_error(1, 2, 0) == inf);
    result want = {.parity = REDUCTION}, got = {.parity = REDUCTION};
    push(&want, inf, inf, FLOAT64);
    push(&got, 1e300, 1e300, FLOAT64);
    tally t = {.op = "op"};
    tally_add(&t, &shapes[0], &want, &got);
    assert_int_equal(t.mismatches, 1);
    assert_true(t.worst == inf);
    t = (tally){.op = "op"};
    tally_refused(&t, &shapes[1], "no device");
    assert_int_equal(t.mismatches, 1);
    assert_string_equal(t.first, "2 x 1: no device");
    result_free(&want);
    result_free(&got);
}

enum { TILE = 8192 }; /* bytes, so that the front doors have to tile */

#if !defined(NEP_PARITY_WITHOUT_RIG)
/* The report of the rig's tally as a reader finds it. */
static void written_tally(tally *t)
{
    char path[] = "/tmp/nepenthe-parity-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    t[1].mismatches = 2; /* one op that failed */
    t[1].worst = (double)INFINITY;
    snprintf(t[1].first, sizeof t[1].first, "value 0 is \"nan\"");
    const bool wrote = tally_write(t, NEP_OP_COUNT, "host rig", NEP_LEN(shapes), path);
    json_t *report = json_load_file(path, 0, NULL), *list = json_object_get(report, "ops");
    unlink(path);
    assert_true(wrote && report);
    assert_int_equal(json_array_size(list), NEP_OP_COUNT);
    for (size_t i = 0; i < NEP_OP_COUNT; i++) {
        const json_t *op = json_array_get(list, i), *worst = json_object_get(op, "worst_in_tolerances");
        assert_string_equal(json_string_value(json_object_get(op, "op")), rows[i].name);
        assert_true(json_integer_value(json_object_get(op, "values")) > 0);
        assert_true(i == 1 ? json_is_null(worst) : json_is_number(worst) && json_number_value(worst) <= 1);
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "first_mismatch")), "value 0 is \"nan\"");
    json_decref(report);
}

static void test_rig(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    tally t[NEP_OP_COUNT];
    tally_name(t);
    assert_ok(rig, rig_choose(rig, 0));
    assert_int_equal(compare_contexts(cpu, rig, INT64_MAX, t), NEP_LEN(shapes));
    assert_ok(rig, rig_choose(rig, TILE)); /* now the front doors tile */
    assert_int_equal(compare_contexts(cpu, rig, INT64_MAX, t), NEP_LEN(shapes));
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
    tally_print(t, NEP_OP_COUNT);
    tally_assert(t, NEP_OP_COUNT);
    written_tally(t);
}

/* The smallest work goes to the backend that was chosen: nothing is sent to the CPU because it is small. */
static void test_no_switch_by_size(void **state)
{
    (void)state;
    const float one = 1;
    float out = -1;
    nep_ctx *rig = test_ctx(1);
    assert_ok(rig, rig_choose(rig, 0));
    rig_fail_malloc_at(0);
    assert_fails(nep_backend_occupancy(rig, &one, &one, &one, 1, &out), NEP_E_NOMEM);
    rig_fail_malloc_at(-1);
    assert_true(out == -1);
    nep_ctx_clear(rig);
    assert_ok(rig, nep_backend_occupancy(rig, &one, &one, &one, 1, &out));
    assert_true(out == 0.5f);
    nep_ctx_free(rig);
}

/* The op itself counts maxima when it is asked to: the front door of the rig counts them on the host. */
static void test_count_max_op(void **state)
{
    (void)state;
    const double y[] = {.7, .5, .1, .5, -.1, -.5, -.7, -.5}, basis[] = {.5, .5, -.5, -.5, .5, -.5, .5, -.5};
    const double observed[] = {1.0, 100.0};
    double max_abs[2];
    int64_t count[2] = {0}, by_op[2] = {5, 5}, by_door[2] = {5, 5};
    nep_ctx *rig = test_ctx(1);
    assert_ok(rig, rig_choose(rig, 0));
    assert_ok(rig, nep_backend_rig.ops.permute_t(rig, NULL, y, 4, 2, basis, 2, 0, observed, max_abs, count, by_op));
    assert_ok(rig, nep_backend_permute_t(rig, y, 4, 2, basis, 2, 0, observed, max_abs, count, by_door));
    assert_memory_equal(by_op, by_door, sizeof by_op);
    assert_true(by_op[0] > 5);
    nep_ctx_free(rig);
}

/* Fails the k-th allocation of host or device for each k until the op comes through. */
static void fail_each(nep_ctx *ctx, int row, bool device)
{
    const shape s = {12, 80, false};
    for (int64_t k = 0; k < 200; k++) {
        result r = {.parity = ops[row].parity};
        nep_ctx_clear(ctx);
        if (device)
            rig_fail_malloc_at((long)k);
        else
            nep_alloc_fail_at(ctx, k);
        const nep_status st = rows[row].run(ctx, &s, &r);
        rig_fail_malloc_at(-1);
        nep_alloc_fail_at(ctx, -1);
        assert_int_equal(nep_alloc_used(ctx), 0);
        assert_int_equal(rig_blocks(), 0);
        result_free(&r);
        if (st == NEP_OK)
            return;
        assert_int_equal(st, NEP_E_NOMEM);
        assert_true(strlen(nep_ctx_error(ctx)) > 10);
    }
    fail_msg("%s never comes through", rows[row].name);
}

static void test_failing_memory(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    assert_ok(rig, rig_choose(rig, 2048));
    for (int row = 0; row < NEP_LEN(rows); row++) {
        fail_each(cpu, row, false);
        fail_each(rig, row, false);
        fail_each(rig, row, true);
    }
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

/* The bound of --vram-mb is a sentence, not a crash. */
static void test_device_bound(void **state)
{
    (void)state;
    nep_ctx *ctx = NULL;
    const nep_ctx_opts opts = {.threads = 1, .vram_bytes = 1000};
    const float x[512] = {0};
    double mean[512], m2[512];
    assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
    assert_ok(ctx, rig_choose(ctx, 0));
    assert_fails(nep_backend_moments(ctx, x, 1, 512, mean, m2), NEP_E_NOMEM);
    assert_non_null(strstr(nep_ctx_error(ctx), "--vram-mb"));
    nep_ctx_free(ctx);
    assert_int_equal(rig_blocks(), 0);
}
#endif

/* ---- on a GPU ------------------------------------------------------------------------------------------------- */
static nep_ctx *gpu;
static int64_t most_cells = INT64_MAX;
static const char *report;

/* The context's own device again, with tiles small enough for these shapes. */
static void tile_gpu(nep_backend *tiled)
{
    const nep_module *m = NULL;
    void *device = NULL;
    assert_ok(gpu, nep_module_load(gpu, &m));
    assert_ok(gpu, m->open(gpu, 0, &device));
    *tiled = *m->backend;
    tiled->tile_bytes = TILE;
    nep_ctx_backend_set(gpu, tiled, device, m->close);
}

static void test_cuda(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(0);
    static nep_backend tiled;
    tally t[NEP_OP_COUNT];
    char text[256];
    tally_name(t);
    int kept = compare_contexts(cpu, gpu, most_cells, t);
    tile_gpu(&tiled);
    kept += compare_contexts(cpu, gpu, most_cells, t);
    nep_ctx_free(cpu);
    tally_print(t, NEP_OP_COUNT);
    assert_ok(gpu, nep_backend_describe(gpu, text, sizeof text));
    if (report && !tally_write(t, NEP_OP_COUNT, text, kept, report))
        fail_msg("%s cannot be written", report);
    tally_assert(t, NEP_OP_COUNT);
}

static int run_cuda(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cuda)};
    char text[256];
    gpu = test_ctx(0);
    if (nep_backend_choose(gpu, "cuda") != NEP_OK || nep_backend_describe(gpu, text, sizeof text) != NEP_OK) {
        printf("parity with CUDA not checked: %s\n", nep_ctx_error(gpu));
        nep_ctx_free(gpu);
        return getenv("NEP_REQUIRE_GPU") ? 1 : NEP_TEST_SKIPPED;
    }
    printf("%s\n", text);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(gpu);
    return failed;
}

static int cuda_options(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "small") == 0) {
            most_cells = SMALL;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            report = argv[++i];
        } else {
            fprintf(stderr, "usage: parity_cuda cuda [small] [--json FILE]\n");
            return 64;
        }
    return run_cuda();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_families),
#if !defined(NEP_PARITY_WITHOUT_RIG)
        cmocka_unit_test(test_rig),
        cmocka_unit_test(test_no_switch_by_size),
        cmocka_unit_test(test_count_max_op),
        cmocka_unit_test(test_failing_memory),
        cmocka_unit_test(test_device_bound),
#endif
    };
    if (argc > 1 && strcmp(argv[1], "cuda") == 0)
        return cuda_options(argc, argv);
#if !defined(NEP_PARITY_WITHOUT_RIG)
    printf("rig seed %llu (NEP_RIG_SEED replays it)\n", rig_seed());
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
