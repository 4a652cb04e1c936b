/* SPDX-License-Identifier: Apache-2.0 */
/* Rotations and assignments against their definitions and SciPy. */
#include "book.h"
#include "brainmap/nulls.h"
#include "field.h"

static void test_assignment_meets_scipy(void **state)
{
    (void)state;
    double *cost = book_read(TEST_GOLDEN("brainmap.tsv"), "assignment_cost", NULL, NULL);
    double *want = book_read(TEST_GOLDEN("brainmap.tsv"), "assignment_column_of_row", NULL, NULL);
    double work[8 * 16];
    int32_t row[15];
    nep_assignment_solve(cost, 15, work, row);
    for (int j = 0; j < 15; j++)
        assert_int_equal(j, (int)want[row[j]]);
    free(cost);
    free(want);
}

static void test_rotations_are_proper_and_mirrored(void **state)
{
    (void)state;
    double mean = 0.0;
    for (int b = 0; b < 500; b++) {
        double l[3][3], r[3][3];
        nep_spin_rotation(1, 2, b, l, r);
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double dot = 0.0;
                for (int k = 0; k < 3; k++)
                    dot += l[k][i] * l[k][j];
                assert_near(dot, i == j ? 1.0 : 0.0, 1e-13);
                assert_near(r[i][j], (i == 0 ? -1 : 1) * (j == 0 ? -1 : 1) * l[i][j], 0.0);
            }
        const double det = l[0][0] * (l[1][1] * l[2][2] - l[1][2] * l[2][1]) -
                           l[0][1] * (l[1][0] * l[2][2] - l[1][2] * l[2][0]) +
                           l[0][2] * (l[1][0] * l[2][1] - l[1][1] * l[2][0]);
        assert_near(det, 1.0, 1e-12);
        mean += (l[0][0] + l[1][1] + l[2][2]) / 500.0; /* trace of a uniform rotation: mean 0, sd 1 */
    }
    assert_true(fabs(mean) < 0.2);
}

/* The three rules by their words, on the rotation itself. */
static void test_assignments_follow_their_definitions(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 12, 0);
    nep_nulls *vasa = NULL, *hungarian = NULL, *nearest = NULL;
    int32_t iv[24], ih[24], in[24];
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN, &vasa));
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN_HUNGARIAN, &hungarian));
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN_NEAREST, &nearest));
    for (int b = 0; b < 40; b++) {
        double l[3][3], r[3][3], d[12][12];
        nep_spin_rotation(nep_ctx_seed(ctx), 6, b, l, r);
        assert_ok(ctx, nep_nulls_indices(ctx, vasa, 6, b, 1, iv));
        assert_ok(ctx, nep_nulls_indices(ctx, hungarian, 6, b, 1, ih));
        assert_ok(ctx, nep_nulls_indices(ctx, nearest, 6, b, 1, in));
        for (int i = 0; i < 12; i++)
            for (int j = 0; j < 12; j++) {
                d[i][j] = 0.0;
                for (int k = 0; k < 3; k++) {
                    const double turned = r[k][0] * g.sphere[12 + j][0] + r[k][1] * g.sphere[12 + j][1] +
                                          r[k][2] * g.sphere[12 + j][2];
                    d[i][j] += (g.sphere[12 + i][k] - turned) * (g.sphere[12 + i][k] - turned);
                }
                d[i][j] = sqrt(d[i][j]);
            }
        bool row_gone[12] = {false}, col_gone[12] = {false};
        double greedy = 0.0, least = 0.0;
        for (int step = 0; step < 12; step++) {
            int row = -1, col = -1;
            double farthest = -1.0;
            for (int i = 0; i < 12; i++) {
                double near = 1e9;
                int at = -1;
                for (int j = 0; j < 12; j++)
                    if (!col_gone[j] && d[i][j] < near) {
                        near = d[i][j];
                        at = j;
                    }
                if (!row_gone[i] && near > farthest) {
                    farthest = near;
                    row = i;
                    col = at;
                }
            }
            row_gone[row] = col_gone[col] = true;
            assert_int_equal(iv[12 + row], 12 + col);
        }
        for (int i = 0; i < 12; i++) {
            int near = 0;
            for (int j = 1; j < 12; j++)
                if (d[i][j] < d[i][near])
                    near = j;
            assert_int_equal(in[12 + i], 12 + near);
            greedy += d[i][iv[12 + i] - 12];
            least += d[i][ih[12 + i] - 12];
        }
        assert_true(least <= greedy + 1e-12);
    }
    nep_nulls_free(vasa);
    nep_nulls_free(hungarian);
    nep_nulls_free(nearest);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* The grid finds what looking at every point finds, wherever the query lies and however few points there are. */
static void test_nearest_by_grid_is_nearest(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    static double point[3000][3];
    static int32_t name[3000];
    for (int n = 0; n <= 3000; n = n < 3 ? n + 1 : n * 10) {
        nulls_grid *g = NULL;
        for (int i = 0; i < n; i++) {
            double norm = 0.0;
            for (int k = 0; k < 3; k++)
                norm += pow(point[i][k] = nep_philox_normal(4, (uint64_t)n, (uint64_t)(3 * i + k)), 2.0);
            for (int k = 0; k < 3; k++)
                point[i][k] /= sqrt(norm) * (1.0 + 0.01 * (i % 3 - 1));
            if (n > 20 && i % 7 == 6)
                memcpy(point[i], point[i - 1], sizeof point[i]); /* equals: the lowest name wins */
            name[i] = 5 * (i ^ 1);
        }
        assert_ok(ctx, nep_nearest_create(ctx, (const double(*)[3])point, name, n, &g));
        for (int q = 0; q < 400; q++) {
            double at[3], norm = 0.0, least = (double)INFINITY;
            int32_t want = -1;
            for (int k = 0; k < 3; k++)
                norm += pow(at[k] = nep_philox_normal(4, 9, (uint64_t)(3 * q + k)), 2.0);
            for (int k = 0; k < 3; k++)
                at[k] /= sqrt(norm);
            for (int i = 0; i < n; i++) {
                double d = 0.0;
                for (int k = 0; k < 3; k++)
                    d += (point[i][k] - at[k]) * (point[i][k] - at[k]);
                if (d < least || (d == least && name[i] < want)) {
                    least = d;
                    want = name[i];
                }
            }
            assert_int_equal(nep_nearest_find(g, at), want);
        }
        nep_nearest_free(g);
    }
    nep_ctx_free(ctx);
}

/* Repeats are those that comparing every pair finds. */
static void test_repeats_are_counted(void **state)
{
    (void)state;
    enum { N = 2500 };
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 4, 0);
    static int32_t index[N][8];
    const nep_nulls_kind kinds[] = {NEP_NULLS_SPIN, NEP_NULLS_SPIN_NEAREST};
    for (int k = 0; k < 2; k++) {
        nep_nulls *nulls = NULL;
        int64_t repeats = -1, want = 0;
        assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, kinds[k], &nulls));
        assert_ok(ctx, nep_nulls_indices(ctx, nulls, 3, 0, N, index[0]));
        for (int b = 1; b < N; b++) {
            bool again = false;
            for (int c = 0; c < b && !again; c++)
                again = memcmp(index[b], index[c], sizeof index[b]) == 0;
            want += again;
        }
        assert_ok(ctx, nep_nulls_repeats(ctx, nulls, 3, N, &repeats));
        assert_int_equal(repeats, want);
        assert_true(want > 100 && want < N);
        nep_nulls_free(nulls);
    }
    nep_nulls *moran = NULL;
    int64_t untouched = -1;
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN, &moran));
    assert_fails(nep_nulls_repeats(ctx, moran, 0, 10, &untouched), NEP_E_ARG);
    assert_int_equal(untouched, -1);
    nep_nulls_free(moran);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats_are_counted),
        cmocka_unit_test(test_nearest_by_grid_is_nearest),
        cmocka_unit_test(test_assignment_meets_scipy),
        cmocka_unit_test(test_rotations_are_proper_and_mirrored),
        cmocka_unit_test(test_assignments_follow_their_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
