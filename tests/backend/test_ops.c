/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-worked values of every op on the CPU, and what the front doors refuse. */
#include "support.h"

#include <nepenthe/backend.h>
#include <nepenthe/math/logit.h>
#include <nepenthe/math/tstat.h>

#define EXACT   0.0
#define FORMULA 2.4e-7
#define DOUBLE  1e-13

static int setup(void **state)
{
    *state = test_ctx(2);
    return 0;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

static void test_occupancy(void **state)
{
    const float conc[] = {10, 10, 0, 30, NAN, 0}, kd[] = {10, 1, 5, 10, 1, NAN}, hill[] = {1, 2, 1, 2, 1, 1};
    const double want[] = {0.5, 100.0 / 101.0, 0.0, 0.9, (double)NAN, (double)NAN};
    float got[6];
    assert_ok(*state, nep_backend_occupancy(*state, conc, kd, hill, 6, got));
    for (int i = 0; i < 6; i++)
        assert_near((double)got[i], want[i], FORMULA);
}

static void test_parcel_sums(void **state)
{
    /* two volumes of five voxels; region 0 = {0, 2, 4}, region 1 empty, region 2 = {1, 3} */
    const float x[] = {1, 2, NAN, 4, 5, 10, 20, 30, INFINITY, 50};
    const int64_t start[] = {0, 3, 3, 5};
    const int32_t voxel[] = {0, 2, 4, 1, 3};
    const double want[] = {6, 0, 6, 90, 0, 20};
    const int64_t want_count[] = {2, 0, 2, 3, 0, 1};
    double sum[6];
    int64_t count[6];
    assert_ok(*state, nep_backend_parcel_sums(*state, x, 2, 5, start, voxel, 3, sum, count));
    for (int i = 0; i < 6; i++) {
        assert_near(sum[i], want[i], EXACT);
        assert_int_equal(count[i], want_count[i]);
    }
}

static void test_weighted_sums(void **state)
{
    /* list 0 = {0, 1, 4}, list 1 empty, list 2 = {0, 3}: voxel 0 is in two */
    const float x[] = {1, 2, NAN, 4, 5, 10, INFINITY, 30, -40, 50};
    const int64_t start[] = {0, 3, 3, 5};
    const int32_t voxel[] = {0, 1, 4, 0, 3};
    const float weight[] = {1, -0.5f, 2, 0.25f, 3};
    const double want[] = {10, 0, 12.25, 110, 0, -117.5};
    const int64_t want_count[] = {3, 0, 2, 2, 0, 2};
    double sum[6];
    int64_t count[6];
    assert_ok(*state, nep_backend_weighted_sums(*state, x, 2, 5, start, voxel, weight, 3, sum, count));
    for (int i = 0; i < 6; i++) {
        assert_near(sum[i], want[i], EXACT);
        assert_int_equal(count[i], want_count[i]);
    }
}

static void test_sparse_product(void **state)
{
    /* rows: 2 x1 - x0; nothing; x2 twice */
    const int64_t start[] = {0, 2, 2, 4}, down[] = {0, 2, 1, 4};
    const int32_t column[] = {1, 0, 2, 2}, outside[] = {1, 0, 2, 3};
    const double weight[] = {2, -1, 0.5, 0.25}, x[] = {1, 10, 2, 20, 4, 40}, want[] = {3, 30, 0, 0, 3, 30};
    double out[6] = {-7, -7, -7, -7, -7, -7};
    assert_fails(nep_backend_sparse_product(*state, start, outside, weight, 3, x, 3, 2, out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(*state), "sparse_product: column 3 of 3"));
    nep_ctx_clear(*state);
    assert_fails(nep_backend_sparse_product(*state, down, column, weight, 3, x, 3, 2, out), NEP_E_ARG);
    nep_ctx_clear(*state);
    assert_fails(nep_backend_sparse_product(*state, start, column, weight, 3, NULL, 3, 2, out), NEP_E_ARG);
    nep_ctx_clear(*state);
    assert_fails(nep_backend_sparse_product(*state, start, column, weight, -1, x, 3, 2, out), NEP_E_ARG);
    assert_true(out[0] == -7);
    nep_ctx_clear(*state);
    assert_ok(*state, nep_backend_sparse_product(*state, start, column, weight, 3, x, 3, 2, out));
    for (int i = 0; i < 6; i++)
        assert_near(out[i], want[i], EXACT);
    assert_ok(*state, nep_backend_sparse_product(*state, start, column, weight, 3, x, 3, 0, NULL));
}

static void test_sparse_chebyshev(void **state)
{
    /* S = [[0, 1/2], [1/2, 0]] has eigenvalues 1/2 and -1/2, and a third row alone 2: T_3 = -1, 1 and 26 there, T_2 = -1/2, -1/2 and 7 */
    const int64_t start[] = {0, 1, 2, 3};
    const int32_t column[] = {1, 0, 2}, outside[] = {1, 0, 3};
    const double weight[] = {0.5, 0.5, 2};
    double x[] = {1, 1, 1, -1, 1, 2}, y[] = {3, 5, 1};
    assert_fails(nep_backend_sparse_chebyshev(*state, start, outside, weight, 3, 2, 3, x), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(*state), "sparse_chebyshev: column 3 of 3"));
    nep_ctx_clear(*state);
    assert_fails(nep_backend_sparse_chebyshev(*state, start, column, weight, 3, 2, -1, x), NEP_E_ARG);
    nep_ctx_clear(*state);
    assert_fails(nep_backend_sparse_chebyshev(*state, start, column, NULL, 3, 2, 3, x), NEP_E_ARG);
    nep_ctx_clear(*state);
    assert_ok(*state, nep_backend_sparse_chebyshev(*state, start, column, weight, 3, 2, 0, x));
    assert_true(x[0] == 1 && x[5] == 2);
    assert_ok(*state, nep_backend_sparse_chebyshev(*state, start, column, weight, 3, 2, 3, x));
    const double want[] = {-1, 1, -1, -1, 26, 52};
    for (int i = 0; i < 6; i++)
        assert_true(x[i] == want[i]);
    assert_ok(*state, nep_backend_sparse_chebyshev(*state, start, column, weight, 3, 1, 2, y));
    assert_true(y[0] == -1.5 && y[1] == -2.5 && y[2] == 7);
    double many[3 * 33]; /* columns in registers and those left over: 1, 2, .. times the same */
    for (int i = 0; i < 3 * 33; i++)
        many[i] = (i % 33 + 1) * (i / 33 == 1 ? -1.0 : 1.0);
    assert_ok(*state, nep_backend_sparse_chebyshev(*state, start, column, weight, 3, 33, 3, many));
    for (int c = 0; c < 33; c++)
        assert_true(many[c] == c + 1 && many[33 + c] == -(c + 1) && many[66 + c] == 26 * (c + 1));
}

static void test_moments(void **state)
{
    const float x[] = {1, 7, NAN, 3, 7, 1, 8, 7, 2};
    double mean[3], m2[3];
    assert_ok(*state, nep_backend_moments(*state, x, 3, 3, mean, m2));
    assert_near(mean[0], 4, EXACT);
    assert_near(m2[0], 26, EXACT);
    assert_near(mean[1], 7, EXACT);
    assert_near(m2[1], 0, EXACT);
    assert_true(isnan(mean[2]) && isnan(m2[2]));
}

static void test_moments_infinite(void **state)
{
    const float x[] = {INFINITY, 1};
    double mean[1], m2[1];
    assert_ok(*state, nep_backend_moments(*state, x, 2, 1, mean, m2));
    assert_true(isnan(mean[0]) && isnan(m2[0]));
}

static void test_apply_operator(void **state)
{
    const double m[] = {1, -1, 0, 0.5, 0.5, 1}, mean[] = {1, 2};
    const float x[] = {3, 2, 2, 4, 1, 8};
    const float plain[] = {1, -2, 3.5f, 11}, less[] = {1, -2, 1.5f, 7};
    float got[4];
    assert_ok(*state, nep_backend_apply_operator(*state, m, 2, 3, x, 2, NULL, got));
    assert_memory_equal(got, plain, sizeof got);
    assert_ok(*state, nep_backend_apply_operator(*state, m, 2, 3, x, 2, mean, got));
    assert_memory_equal(got, less, sizeof got);
}

/* 300 time points at a level of 1000 with a strong drift, cleaned of 36 regressors: within 1e-6 of each column's SD of
 * what float64 gives. */
static void test_apply_operator_accuracy(void **state)
{
    enum { T = 300, COLS = 300, K = 36 };
    static double q[K * T], m[T * T], mean[COLS], m2[COLS];
    static float x[T * COLS], got[T * COLS];
    for (int k = 0; k < K; k++) { /* Gram-Schmidt, twice */
        for (int t = 0; t < T; t++)
            q[k * T + t] = k == 0 ? 1 : k == 1 ? t : nep_philox_normal(1, (uint64_t)k, (uint64_t)t);
        for (int j = 0; j < 2 * k; j++) {
            double dot = 0;
            for (int t = 0; t < T; t++)
                dot += q[k * T + t] * q[j % k * T + t];
            for (int t = 0; t < T; t++)
                q[k * T + t] -= dot * q[j % k * T + t];
        }
        double squares = 0;
        for (int t = 0; t < T; t++)
            squares += q[k * T + t] * q[k * T + t];
        for (int t = 0; t < T; t++)
            q[k * T + t] /= sqrt(squares);
    }
    for (int i = 0; i < T * T; i++) {
        m[i] = i / T == i % T;
        for (int k = 0; k < K; k++)
            m[i] -= q[k * T + i / T] * q[k * T + i % T];
    }
    for (int i = 0; i < T * COLS; i++)
        x[i] = (float)(1000 + 0.1 * (i / COLS) + 10 * nep_philox_normal(2, 1, (uint64_t)i));
    assert_ok(*state, nep_backend_moments(*state, x, T, COLS, mean, m2));
    assert_ok(*state, nep_backend_apply_operator(*state, m, T, T, x, COLS, mean, got));
    double worst = 0;
    for (int t = 0; t < T; t++)
        for (int c = 0; c < COLS; c++) {
            double want = 0;
            for (int s = 0; s < T; s++)
                want += m[t * T + s] * ((double)x[s * COLS + c] - mean[c]);
            worst = fmax(worst, fabs((double)got[t * COLS + c] - want) / sqrt(m2[c] / (T - 1)));
        }
    if (!(worst < 1e-6))
        fail_msg("apply_operator misses by %g of a column's SD", worst);
}

/* A constant plus 3 cos(2 pi 2 t / T) plus 0.5 sin(2 pi 4 t / T): amplitudes 3 and 0.5 at bins 2 and 4, else 0. */
static void amplitude_case(void **state, int64_t n_t)
{
    float x[64];
    double band[1], all[1];
    for (int64_t t = 0; t < n_t; t++)
        x[t] = (float)(100 + 3 * cos(2 * M_PI * 2 * (double)t / (double)n_t) +
                       0.5 * sin(2 * M_PI * 4 * (double)t / (double)n_t));
    assert_ok(*state, nep_backend_amplitude_sums(*state, x, n_t, 1, 1, 3, band, all));
    assert_near(band[0], 3, 1e-4);
    assert_near(all[0], 3.5, 1e-4);
    assert_ok(*state, nep_backend_amplitude_sums(*state, x, n_t, 1, 4, 4, band, NULL));
    assert_near(band[0], 0.5, 1e-5);
}

static void test_amplitude_sums(void **state)
{
    amplitude_case(state, 20);
    amplitude_case(state, 21);
}

static void test_amplitude_nyquist(void **state)
{
    const float x[] = {1, -1, 1, -1};
    double band[1], all[1];
    assert_ok(*state, nep_backend_amplitude_sums(*state, x, 4, 1, 2, 2, band, all));
    assert_near(band[0], 2, DOUBLE); /* |X_2| = 4, A = 2 * 4 / 4 */
    assert_near(all[0], 0, DOUBLE);  /* bins 1 .. floor(3 / 2) = 1 */
}

static void test_gram(void **state)
{
    const float x[] = {1, 2, 3, 6, 5, 4};
    const double mean[] = {3, 4}, scale[] = {0.5, 2};
    double got[4];
    assert_ok(*state, nep_backend_gram(*state, x, 3, 2, mean, scale, got));
    assert_near(got[0], 2, EXACT);  /* (4 + 0 + 4) / 4 */
    assert_near(got[1], 4, EXACT);  /* (4 + 0 + 0) * 0.5 * 2 */
    assert_near(got[2], 4, EXACT);
    assert_near(got[3], 32, EXACT); /* (4 + 4 + 0) * 4 */
}

static void test_difference_squares(void **state)
{
    const float x[] = {1, 2, 4, 2, 1, 0};
    const double weight[] = {0.5, 3};
    double got[3];
    assert_ok(*state, nep_backend_difference_squares(*state, x, 3, 2, NULL, got));
    assert_true(got[0] == 0 && got[1] == 9 && got[2] == 13);
    assert_ok(*state, nep_backend_difference_squares(*state, x, 3, 2, weight, got));
    assert_true(got[0] == 0 && got[1] == 4.5 && got[2] == 16.5);
}

static void test_permute_t(void **state)
{
    /* four observations, nuisance = the constant 1/2; regressor (1, 1, -1, -1)/2 and its permutation (1, -1, 1, -1)/2 */
    const double basis[] = {.5, .5, -.5, -.5, .5, .5, .5, .5, .5, -.5, .5, -.5, .5, .5, .5, .5};
    /* column 0: b = 0.8, 0.6; column 1: missing; column 2: exactly the first regressor */
    const double y[] = {.7, NAN, .5, .1, 0, .5, -.1, 0, -.5, -.7, 0, -.5};
    const double t0 = 0.8 * sqrt(2 / 0.36), t1 = 0.6 * sqrt(2 / 0.64); /* dof 3 */
    const double observed[] = {t1 * (1 + 5e-11), 1, 1e6};              /* a tie within 1e-10 counts */
    double max_abs[2];
    int64_t count[3] = {1, 1, 1}, count_max[3] = {1, 1, 1};
    assert_ok(*state, nep_backend_permute_t(*state, y, 4, 3, basis, 2, 1, observed, max_abs, count, count_max));
    assert_true(max_abs[0] > 1e7 && isfinite(max_abs[0])); /* a perfect fit is large and finite */
    assert_near(max_abs[1], t1, DOUBLE);
    assert_true(t0 > observed[0]);
    assert_int_equal(count[0], 3);
    assert_int_equal(count[1], 1); /* a missing column counts nothing */
    assert_int_equal(count[2], 2);
    assert_int_equal(count_max[0], 3);
    assert_int_equal(count_max[1], 3); /* both maxima reach 1 */
    assert_int_equal(count_max[2], 2);
}

/* Products in float32 settle what they can; counts and maxima are those of plain float64 loops all the same: ties by the dozen,
 * columns that are not of unit length, more observations than one product takes, missing columns, t of any size. */
static void test_permute_t_is_float64(void **state)
{
    enum { SHAPES = 7, PERMS = 23 };
    static const int shape[SHAPES][3] = {{6, 700, 0}, {6, 300, 2}, {40, 513, 1}, {100, 900, 0}, {100, 300, 3}, {1100, 40, 1}, {520, 256, 0}};
    for (int s = 0; s < SHAPES; s++) {
        const int n = shape[s][0], cols = shape[s][1], k = shape[s][2], rows = 1 + k;
        double *y = calloc((size_t)(n * cols), sizeof *y), *basis = calloc((size_t)(PERMS * rows * n), sizeof *basis);
        double *t = calloc((size_t)(PERMS * cols), sizeof *t), *observed = calloc((size_t)cols, sizeof *observed), got[PERMS];
        int64_t *count = calloc((size_t)cols, sizeof *count);
        for (int i = 0; i < n * cols; i++) {
            const double v = nep_philox_normal(5, (uint64_t)s, (uint64_t)i);
            y[i] = (s % 2 ? rint(2 * v) / 2 : v) / sqrt(n) * (s == 3 ? 3 : 0.8);
        }
        y[2 * cols + 5] = (double)NAN;
        for (int i = 0; i < PERMS * rows * n; i++) { /* rows of one permutation share no observation; some permutations are alike */
            const int p = i / (rows * n), at = i % (rows * n);
            const double v = nep_philox_normal(6, (uint64_t)s, (uint64_t)((p % 20) * rows * n + at));
            basis[i] = at % n % rows == at / n ? (s % 2 ? (v > 0 ? 1 : -1) : v) / sqrt(n) : 0;
        }
        for (int c = 0; c < cols; c++)
            for (int p = 0; p < PERMS; p++) {
                double b[4] = {0}, a2 = 0;
                for (int j = 0; j < rows; j++)
                    for (int i = 0; i < n; i++)
                        b[j] += basis[(p * rows + j) * n + i] * y[i * cols + c];
                for (int j = 1; j < rows; j++)
                    a2 += b[j] * b[j];
                t[p * cols + c] = fabs(nep_tstat_partial(b[0], a2, n - k));
            }
        for (int c = 0; c < cols; c++) /* most columns tie with one of their permutations */
            observed[c] = c % 11 == 3 ? 0 : c % 11 == 4 ? INFINITY : c % 11 == 5 ? (double)NAN : t[c % PERMS * cols + c] * (c % 3 ? 1 : -1);
        assert_ok(*state, nep_backend_permute_t(*state, y, n, cols, basis, PERMS, k, observed, got, count, NULL));
        for (int p = 0; p < PERMS; p++) {
            double most = 0;
            for (int c = 0; c < cols; c++)
                most = t[p * cols + c] > most ? t[p * cols + c] : most;
            assert_true(got[p] == most);
        }
        for (int c = 0; c < cols; c++) {
            int64_t want = 0;
            for (int p = 0; p < PERMS; p++)
                want += t[p * cols + c] >= nep_tstat_bound(observed[c]);
            if (count[c] != want)
                fail_msg("shape %d column %d: counted %lld, want %lld of %.17g", s, c, (long long)count[c], (long long)want, observed[c]);
        }
        free(y);
        free(basis);
        free(t);
        free(observed);
        free(count);
    }
}

static void test_permute_maps(void **state)
{
    /* as above, with the nuisance constant left out: y holds none of it */
    const double basis[] = {.5, .5, -.5, -.5, .5, -.5, .5, -.5};
    const double y[] = {.7, NAN, .5, .1, 0, .5, -.1, 0, -.5, -.7, 0, -.5};
    double t[6], f[3];
    assert_ok(*state, nep_backend_permute_maps(*state, y, 4, 3, basis, 2, 1, 0, 2, t));
    assert_near(t[0], 0.8 * sqrt(2 / 0.36), DOUBLE);
    assert_near(t[3], 0.6 * sqrt(2 / 0.64), DOUBLE);
    assert_true(isnan(t[1]) && isnan(t[4]) && t[2] > 1e7 && isfinite(t[2]));
    const double two[] = {.7, NAN, .1, 0, -.1, 0, -.7, 0};
    assert_ok(*state, nep_backend_permute_maps(*state, two, 4, 2, basis, 1, 2, 0, 1, f)); /* both regressors at once */
    assert_true(isnan(f[1]) && f[0] > 1e14);
    const double part[] = {.5, 0, .1, -.4}; /* b = 0.4, 0.5; counts as of unit length */
    assert_ok(*state, nep_backend_permute_maps(*state, part, 4, 1, basis, 1, 2, 0, 1, f));
    assert_near(f[0], 0.41 / 2 / 0.59, DOUBLE);
    assert_fails(nep_backend_permute_maps(*state, y, 4, 3, basis, 1, 2, 2, 1, f), NEP_E_ARG);
    nep_ctx_clear(*state);
}

static void test_tanimoto(void **state)
{
    const uint64_t a[] = {0xFF, 0, 0, 0}, b[] = {0x0F, 1, 0, 0, 0xFF, 0};
    const int32_t want_common[] = {4, 0, 8, 0, 0, 0}, want_total[] = {9, 8, 8, 5, 0, 8};
    int32_t common[6], total[6];
    assert_ok(*state, nep_backend_tanimoto(*state, a, 2, b, 3, 2, common, total));
    assert_memory_equal(common, want_common, sizeof common);
    assert_memory_equal(total, want_total, sizeof total);
}

/* 3 words: rows of 0, 2, 2 and 4 bits; a query that wants 1 common bit of rows of 2 and any of 4, and one that wants none of them. */
static void test_bit_hits(void **state)
{
    const uint64_t row[] = {0, 0, 0, 3, 0, 0, 0, 0, 3, 1, 1, 3}, query[] = {1, 0, 0, 0, 0, 7};
    const uint16_t popcount[] = {0, 2, 2, 4};
    uint16_t need[2 * 193], common[4];
    int32_t count[2], position[4];
    nep_bit_place placed = {0};
    memset(need, 0xFF, sizeof need);
    need[2] = 1;
    need[4] = 0;
    const nep_bit_rows rows = {row, popcount, NULL, 4, 3};
    nep_bit_queries queries = {query, NULL, need, 2};
    assert_ok(*state, nep_backend_bit_rows(*state, &rows, NULL, &placed));
    assert_ok(*state, nep_backend_bit_hits(*state, &placed, 0, 4, &queries, 2, count, position, common));
    assert_true(count[0] == 2 && count[1] == 0 && position[0] + position[1] == 1 + 3);
    assert_true(common[0] == 1 && common[1] == 1);
    need[0] = 0;
    assert_ok(*state, nep_backend_bit_hits(*state, &placed, 0, 4, &queries, 2, count, position, common));
    assert_int_equal(count[0], 3); /* more than there is room for */
    assert_ok(*state, nep_backend_bit_hits(*state, &placed, 3, 1, &queries, 2, count, position, common));
    assert_true(count[0] == 1 && position[0] == 0 && common[0] == 1);
    assert_ok(*state, nep_backend_bit_hits(*state, &placed, 4, 0, &queries, 2, count, position, common));
    assert_true(count[0] == 0 && count[1] == 0);
    queries.n_q = 0;
    assert_ok(*state, nep_backend_bit_hits(*state, &placed, 0, 4, &queries, 1, NULL, NULL, NULL));
    queries.n_q = 2;
    assert_fails(nep_backend_bit_hits(*state, &placed, 2, 3, &queries, 2, count, position, common), NEP_E_ARG);
    assert_fails(nep_backend_bit_hits(*state, &placed, 0, 4, &queries, 0, count, position, common), NEP_E_ARG);
    assert_fails(nep_backend_bit_hits(*state, &placed, 0, 4, &queries, 2, count, NULL, common), NEP_E_ARG);
    nep_backend_bit_rows_free(&placed);
    const nep_bit_rows wide = {row, popcount, (const uint8_t *)"", 1, 64};
    assert_fails(nep_backend_bit_rows(*state, &wide, NULL, &placed), NEP_E_ARG);
    nep_ctx_clear(*state);
}

static void test_quadratic_forms(void **state)
{
    const double r[] = {1, 2, -1, 3}, q[] = {1, 2, 4, 3, 0, 1, 1, 0}, k[] = {10, -1};
    /* (1,2): 1 + 12 + 12 = 25, 4;  (-1,3): 1 - 18 + 27 = 10, -6 */
    const double want[] = {35, 3, 20, -7};
    double got[4];
    assert_ok(*state, nep_backend_quadratic_forms(*state, r, 2, 2, q, k, 2, got));
    for (int i = 0; i < 4; i++)
        assert_near(got[i], want[i], EXACT);
}

static void test_mode_sums(void **state)
{
    const double v[] = {1, 0, -1, 2, 2, 2}, c[] = {3, 1, 0, -0.5}, base[] = {10, 20, 30};
    const double want[] = {15, 22, 29, 9, 19, 29};
    double got[6];
    assert_ok(*state, nep_backend_mode_sums(*state, v, 2, 3, c, 2, base, got));
    for (int i = 0; i < 6; i++)
        assert_true(got[i] == want[i]);
    assert_ok(*state, nep_backend_mode_sums(*state, NULL, 0, 3, NULL, 2, base, got)); /* without modes what they are added to */
    for (int i = 0; i < 6; i++)
        assert_true(got[i] == base[i % 3]);
    assert_fails(nep_backend_mode_sums(*state, v, 2, 3, NULL, 2, base, got), NEP_E_ARG);
    nep_ctx_clear(*state);
}

static void test_exceedances(void **state)
{
    const double a[] = {1, 2, NAN, 1, 0, 1}, centre[] = {1, 1};
    const double c[] = {2, 1, 1, 3, 1, -1, 1, 1}; /* less centre: (1,0) (0,2) (0,-2) (0,0) */
    const double observed[] = {4 * (1 + 5e-11), 1, NAN};
    int64_t count[3];
    assert_ok(*state, nep_backend_exceedances(*state, a, 3, 2, c, 4, centre, observed, count));
    assert_int_equal(count[0], 2); /* products 1, 4, -4, 0; ties count */
    assert_int_equal(count[1], 0);
    assert_int_equal(count[2], 0);
}

static void test_lag_products(void **state)
{
    const double q[] = {1, 0, -1, 2, 1, 0};
    const float x[] = {1, 2, 3, 4, 5, 6};
    const double want[] = {-4, -4, 5, 8, 35, 56, 1 * 3 + 3 * 5, 2 * 4 + 4 * 6};
    double got[8];
    assert_ok(*state, nep_backend_lag_products(*state, q, 2, 3, x, 2, got));
    for (int i = 0; i < 8; i++)
        assert_near(got[i], want[i], EXACT);
    got[0] = -7;
    assert_fails(nep_backend_lag_products(*state, q, 0, 3, x, 2, got), NEP_E_ARG);
    assert_fails(nep_backend_lag_products(*state, NULL, 2, 3, x, 2, got), NEP_E_ARG);
    assert_true(got[0] == -7);
    nep_ctx_clear(*state);
    assert_ok(*state, nep_backend_lag_products(*state, q, 2, 3, x, 0, NULL));
}

static void test_pair_squares(void **state)
{
    const float x[] = {1, 10, 4, 30, 6, 70}; /* 3 points x 2 columns */
    const int32_t a[] = {0, 0, 1}, b[] = {1, 2, 2}, wrong[] = {0, 0, 3};
    const double offset[] = {0.5, -0.25, 0.25};
    const int64_t start[] = {0, 1, 3}, back[] = {0, 2, 1};
    const double want[] = {9, 400, 4.5, 200, 25 + 4, 3600 + 1600, -25 * 0.25 + 1, -900 + 400};
    double got[8];
    assert_ok(*state, nep_backend_pair_squares(*state, x, 1, 3, 2, a, b, offset, start, 2, 2, got));
    for (int i = 0; i < 8; i++)
        assert_near(got[i], want[i], EXACT);
    got[0] = -7;
    assert_fails(nep_backend_pair_squares(*state, x, 1, 3, 2, a, wrong, offset, start, 2, 2, got), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(*state), "pair 2"));
    nep_ctx_clear(*state);
    assert_fails(nep_backend_pair_squares(*state, x, 1, 3, 2, a, b, offset, back, 2, 2, got), NEP_E_ARG);
    assert_fails(nep_backend_pair_squares(*state, x, 1, 3, 2, a, b, offset, start, 2, 5, got), NEP_E_ARG);
    assert_fails(nep_backend_pair_squares(*state, NULL, 1, 3, 2, a, b, offset, start, 2, 2, got), NEP_E_ARG);
    assert_true(got[0] == -7);
    nep_ctx_clear(*state);
    assert_ok(*state, nep_backend_pair_squares(*state, x, 1, 3, 0, a, b, offset, start, 2, 2, NULL));
}

/* Two draws of three rows in two groups; the second draw holds no row of the second group, and is not asked of the first. */
static void test_logit_sums(void **state)
{
    enum { W = 2, SIZE = 1 + W + 3 };
    const double f[] = {1, 2, 1, -1, 1, 0.5}, y[] = {1, 0, 1}, w[] = {1, 2, 1};
    const int32_t unit[] = {0, 1, 1}, wrong[] = {0, 2, 1}, times[] = {1, 3, 1, 0}, wanted[] = {1, 1, 0, 1};
    const int64_t start[] = {0, 2, 3}, back[] = {0, 2, 1};
    const double at[] = {0, 1, 0, 0, 9, 9, 9, 9};
    /* rows at logits 2, -1 and 0 with weights 1, 6 and 3 */
    const double p = 1 / (1 + exp(-2.0)), q = 1 / (1 + exp(1.0)), h = p * (1 - p), g = 6 * q * (1 - q);
    const double want[2 * 2 * SIZE] = {log(p) + 6 * log(1 - q), 1 - p - 6 * q, 2 * (1 - p) + 6 * q, h + g, 2 * h - g, 4 * h + g,
                                       -3 * log(2.0), 1.5, 0.75, 0.75, 0.375, 0.1875};
    double got[2 * 2 * SIZE];
    assert_ok(*state, nep_backend_logit_sums(*state, f, y, w, unit, start, 2, W, times, 2, wanted, at, 2, got));
    for (int i = 0; i < 2 * 2 * SIZE; i++)
        assert_near(got[i], want[i], 1e-14);
    got[0] = -7;
    assert_fails(nep_backend_logit_sums(*state, f, y, w, wrong, start, 2, W, times, 2, wanted, at, 2, got), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(*state), "row 1 is of unit 2"));
    nep_ctx_clear(*state);
    assert_fails(nep_backend_logit_sums(*state, f, y, w, unit, back, 2, W, times, 2, wanted, at, 2, got), NEP_E_ARG);
    assert_fails(nep_backend_logit_sums(*state, f, y, w, unit, start, 2, NEP_LOGIT_WIDTH + 1, times, 2, wanted, at, 2, got), NEP_E_ARG);
    assert_fails(nep_backend_logit_sums(*state, NULL, y, w, unit, start, 2, W, times, 2, wanted, at, 2, got), NEP_E_ARG);
    assert_true(got[0] == -7);
    nep_ctx_clear(*state);
    assert_ok(*state, nep_backend_logit_sums(*state, f, y, w, unit, start, 2, W, times, 2, wanted, at, 0, NULL));
}

static void test_refusals(void **state)
{
    nep_ctx *ctx = *state;
    const float x[] = {1, 2, 3, 4};
    const double y[] = {1, 2};
    const int64_t start[] = {0, 2};
    const int32_t voxel[] = {0, 9};
    double d[4] = {-1, -1, -1, -1};
    int64_t n[4];
    assert_fails(nep_backend_parcel_sums(ctx, x, 1, 4, start, voxel, 1, d, n), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "voxel 9"));
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_weighted_sums(ctx, x, 1, 4, start, voxel, x, 1, d, n), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "weighted_sums: voxel 9"));
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_amplitude_sums(ctx, x, 4, 1, 1, 3, d, NULL), NEP_E_ARG);
    assert_fails(nep_backend_moments(ctx, x, 0, 4, d, d), NEP_E_ARG);
    assert_fails(nep_backend_permute_t(ctx, y, 2, 1, y, 1, 1, y, d, n, n), NEP_E_ARG);
    assert_fails(nep_backend_occupancy(ctx, NULL, x, x, 2, NULL), NEP_E_ARG);
    assert_true(d[0] == -1);
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_choose(ctx, "gpu"), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "auto, cpu, cuda"));
}

static void test_choose(void **state)
{
    nep_ctx *ctx = *state;
    char text[256];
    assert_ok(ctx, nep_backend_choose(ctx, "cpu"));
    assert_ptr_equal(nep_ctx_backend(ctx), &nep_backend_cpu);
    assert_ok(ctx, nep_backend_describe(ctx, text, sizeof text));
    assert_non_null(strstr(text, "kernels "));
    setenv("NEPENTHE_MODULE_PATH", "/nowhere", 1);
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_choose(ctx, "cuda"), NEP_E_DEVICE);
    assert_non_null(strstr(nep_ctx_error(ctx), "/nowhere"));
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_backend_choose(ctx, "auto"));
    assert_ptr_equal(nep_ctx_backend(ctx), &nep_backend_cpu);
    assert_string_equal(nep_ctx_error(ctx), "");
    unsetenv("NEPENTHE_MODULE_PATH");
}

static void test_buffers(void **state)
{
    nep_ctx *ctx = *state;
    const double in[] = {1, 2, 3};
    double out[3];
    nep_buf b = {0};
    assert_ok(ctx, nep_buf_put(ctx, in, NEP_F64, 3, "three", &b));
    assert_ok(ctx, nep_buf_get(ctx, &b, out));
    assert_memory_equal(in, out, sizeof in);
    nep_buf_free(&b);
    assert_null(b.be);
    assert_int_equal(nep_alloc_used(ctx), 0);
    assert_fails(nep_buf_new(ctx, NEP_F64, -1, "negative", &b), NEP_E_ARG);
    assert_int_equal(nep_dtype_size(NEP_I16), 2);
    assert_string_equal(nep_dtype_name(NEP_U64), "uint64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_occupancy),          cmocka_unit_test(test_parcel_sums),
        cmocka_unit_test(test_weighted_sums),
        cmocka_unit_test(test_sparse_product),
        cmocka_unit_test(test_moments),            cmocka_unit_test(test_moments_infinite),
        cmocka_unit_test(test_apply_operator),     cmocka_unit_test(test_apply_operator_accuracy),
        cmocka_unit_test(test_amplitude_sums),
        cmocka_unit_test(test_amplitude_nyquist),  cmocka_unit_test(test_gram),
        cmocka_unit_test(test_difference_squares), cmocka_unit_test(test_permute_t),
        cmocka_unit_test(test_permute_maps),
        cmocka_unit_test(test_permute_t_is_float64),
        cmocka_unit_test(test_bit_hits),          cmocka_unit_test(test_tanimoto),           cmocka_unit_test(test_quadratic_forms),
        cmocka_unit_test(test_exceedances),        cmocka_unit_test(test_lag_products),
        cmocka_unit_test(test_pair_squares),
        cmocka_unit_test(test_logit_sums),         cmocka_unit_test(test_mode_sums),
        cmocka_unit_test(test_sparse_chebyshev),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_choose),             cmocka_unit_test(test_buffers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
