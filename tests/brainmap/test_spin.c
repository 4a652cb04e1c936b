/* SPDX-License-Identifier: Apache-2.0 */
/* Rotations and assignments against their definitions and SciPy. */
#include <jansson.h>

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

/* Every spin of spin.json of one geometry: who takes whose value. Where distances tie a least sum is reached in several ways. */
static void against_scipy(nep_ctx *ctx, json_t *part, bool ties)
{
    static const struct {
        const char *name;
        nep_nulls_kind kind;
    } rules[] = {{"nearest", NEP_NULLS_SPIN_NEAREST}, {"vasa", NEP_NULLS_SPIN}, {"hungarian", NEP_NULLS_SPIN_HUNGARIAN}};
    json_t *sphere = json_object_get(part, "sphere"), *spins = json_object_get(part, "spins");
    const size_t n = json_array_size(sphere), count = json_array_size(spins);
    nep_geometry g = field_geometry(ctx, (int)((n + 1) / 2), 0); /* names and mm do not matter to a spin */
    double *turn[2] = {calloc(9 * count, sizeof(double)), calloc(9 * count, sizeof(double))};
    int32_t *index = calloc(n * count, sizeof *index);
    bool *use = calloc(n + 1, sizeof *use);
    assert_true(n > 10 && count > 5);
    for (size_t i = 0; i < n; i++) {
        use[i] = true;
        g.hemisphere[i] = json_string_value(json_object_get(part, "hemisphere"))[i];
        for (size_t k = 0; k < 3; k++)
            g.sphere[i][k] = json_number_value(json_array_get(json_array_get(sphere, i), k));
    }
    for (size_t b = 0; b < count; b++)
        for (size_t k = 0; k < 9; k++) {
            json_t *row = json_array_get(json_object_get(json_array_get(spins, b), "rotation"), k / 3);
            turn[0][9 * b + k] = json_number_value(json_array_get(row, k % 3));
            turn[1][9 * b + k] = (k < 3) != (k % 3 == 0) ? -turn[0][9 * b + k] : turn[0][9 * b + k];
        }
    for (int r = 0; r < 3 - ties; r++) {
        nep_nulls *nulls = NULL;
        assert_ok(ctx, nep_nulls_create(ctx, &g, use, rules[r].kind, &nulls));
        assert_ok(ctx, nep_spin_indices(ctx, nulls, (const double *const[2]){turn[0], turn[1]}, (int64_t)count, index));
        for (size_t b = 0; b < count; b++)
            for (size_t i = 0; i < n; i++)
                assert_int_equal(index[b * n + i],
                                 json_integer_value(json_array_get(json_object_get(json_array_get(spins, b), rules[r].name), i)));
        nep_nulls_free(nulls);
    }
    free(use);
    free(index);
    free(turn[0]);
    free(turn[1]);
    nep_geometry_free(&g);
}

static void test_spins_meet_scipy(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = json_load_file(TEST_GOLDEN("spin.json"), 0, NULL);
    against_scipy(ctx, json_object_get(doc, "scattered"), false);
    against_scipy(ctx, json_object_get(doc, "tied"), true);
    json_decref(doc);
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
        cmocka_unit_test(test_spins_meet_scipy),
        cmocka_unit_test(test_assignment_meets_scipy),
        cmocka_unit_test(test_rotations_are_proper_and_mirrored),
        cmocka_unit_test(test_assignments_follow_their_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
