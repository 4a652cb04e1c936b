/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest points and greedy assignments of turned spheres against looking at every pair; what is refused. */
#include <nepenthe/backend.h>

#include "backend/spheres.h"

/* The cubes find what looking at every turned point finds, wherever the query lies and however few points there are. */
static void test_nearest_is_nearest(void **state)
{
    (void)state;
    enum { QUERIES = 150, TURNS = 6 };
    nep_ctx *ctx = test_ctx(2);
    double *query = sphere_points(3, QUERIES, false), *rotation = sphere_rotations(TURNS);
    int32_t out[TURNS * QUERIES];
    for (int64_t n = 0; n <= 3000; n = n < 3 ? n + 1 : n * 10) {
        double *point = sphere_points(1, n, true);
        int64_t ties = 0;
        nep_sphere_place place = {0};
        assert_ok(ctx, nep_backend_sphere(ctx, point, n, query, QUERIES, &place));
        assert_ok(ctx, nep_backend_spin_nearest(ctx, &place, rotation, TURNS, out));
        for (int64_t b = 0; b < TURNS; b++)
            for (int64_t q = 0; q < QUERIES; q++) {
                double least = (double)INFINITY, back[3];
                int32_t want = -1;
                nep_sphere_turn_back(rotation + 9 * b, query + 3 * q, back);
                for (int64_t i = 0; i < n; i++) {
                    const double d = nep_sphere_square(point + 3 * i, back);
                    ties += d == least;
                    if (d < least) {
                        least = d;
                        want = (int32_t)i;
                    }
                }
                assert_int_equal(out[b * QUERIES + q], want);
            }
        assert_true(n < 30 || ties > 50);
        nep_backend_sphere_free(&place);
        free(point);
    }
    free(query);
    free(rotation);
    nep_ctx_free(ctx);
}

/* The words of the definition, one pair after another. */
static void greedy_by_words(const double *point, int64_t n, const double *rotation, int32_t *to)
{
    double *d = calloc((size_t)(n * n), sizeof *d);
    bool *row_gone = calloc((size_t)n, 1), *column_gone = calloc((size_t)n, 1);
    for (int64_t j = 0; j < n; j++) {
        double turned[3];
        nep_sphere_turn(rotation, point + 3 * j, turned);
        for (int64_t i = 0; i < n; i++)
            d[i * n + j] = sqrt(nep_sphere_square(point + 3 * i, turned));
    }
    for (int64_t step = 0; step < n; step++) {
        int64_t row = -1, column = -1;
        for (int64_t i = 0; i < n; i++) {
            int64_t near = -1;
            for (int64_t j = 0; j < n && !row_gone[i]; j++)
                if (!column_gone[j] && (near < 0 || d[i * n + j] < d[i * n + near]))
                    near = j;
            if (near >= 0 && (row < 0 || d[i * n + near] > d[row * n + column])) {
                row = i;
                column = near;
            }
        }
        to[row] = (int32_t)column;
        row_gone[row] = column_gone[column] = true;
    }
    free(d);
    free(row_gone);
    free(column_gone);
}

static void test_greedy_follows_its_definition(void **state)
{
    (void)state;
    enum { TURNS = 6 };
    static const int64_t sizes[] = {1, 2, 7, 8, 9, 33, 64, 131};
    nep_ctx *ctx = test_ctx(2);
    double *rotation = sphere_rotations(TURNS);
    for (int k = 0; k < NEP_LEN(sizes); k++) {
        const int64_t n = sizes[k];
        double *point = sphere_points(1, n, true);
        int32_t *out = calloc((size_t)(TURNS * n), sizeof *out), *want = calloc((size_t)n, sizeof *want);
        assert_ok(ctx, nep_backend_spin_greedy(ctx, point, n, rotation, TURNS, out));
        for (int64_t b = 0; b < TURNS; b++) {
            greedy_by_words(point, n, rotation + 9 * b, want);
            assert_memory_equal(out + b * n, want, (size_t)n * sizeof *want);
        }
        free(point);
        free(out);
        free(want);
    }
    free(rotation);
    nep_ctx_free(ctx);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    const double far[3] = {70, 0, 0}, nan[3] = {0, (double)NAN, 1}, good[3] = {0, 0, 1}, still[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    double bad[9] = {2, 0, 0, 0, 1, 0, 0, 0, 1};
    int32_t out = 7;
    nep_sphere_place place = {0};
    nep_ctx *ctx = test_ctx(1);
    assert_fails(nep_backend_sphere(ctx, far, 1, good, 1, &place), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "divide by its radius"));
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_sphere(ctx, good, 1, nan, 1, &place), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_spin_greedy(ctx, nan, 1, still, 1, &out), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_spin_greedy(ctx, good, 1, bad, 1, &out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "rotation 0 has an entry of 2: that is no rotation"));
    nep_ctx_clear(ctx);
    assert_fails(nep_backend_spin_nearest(ctx, &place, still, 1, &out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "placed on no backend"));
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_backend_sphere(ctx, good, 1, good, 1, &place));
    bad[0] = (double)NAN;
    assert_fails(nep_backend_spin_nearest(ctx, &place, bad, 1, &out), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_int_equal(out, 7);
    assert_ok(ctx, nep_backend_spin_nearest(ctx, &place, still, 1, &out));
    assert_int_equal(out, 0);
    nep_backend_sphere_free(&place);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_is_nearest),
        cmocka_unit_test(test_greedy_follows_its_definition),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
