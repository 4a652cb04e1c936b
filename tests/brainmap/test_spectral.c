/* SPDX-License-Identifier: Apache-2.0 */
/* Surrogates made of eigenvectors: uniform rotations, what each group keeps, NumPy and BrainSpace. */
#include <jansson.h>

#include <nepenthe/io.h>

#include "brainmap/nulls.h"
#include "field.h"

static void test_rotations_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    for (int64_t m = 2; m <= 9; m++) {
        double trace[4] = {0.0}, q[81];
        for (int64_t b = 0; b < DRAWS; b++) {
            double det = 1.0, a[81], t = 0.0;
            assert_int_equal(nep_spectral_rotation(3, 1, b, 7, m, q), m * (m + 1) / 2);
            for (int64_t i = 0; i < m; i++) {
                t += q[i * m + i];
                for (int64_t j = 0; j < m; j++) {
                    double dot = 0.0;
                    for (int64_t k = 0; k < m; k++)
                        dot += q[k * m + i] * q[k * m + j];
                    assert_near(dot, i == j ? 1.0 : 0.0, 1e-12);
                }
            }
            memcpy(a, q, sizeof a);
            for (int64_t k = 0; k < m; k++) { /* elimination, pivots on the diagonal: enough for a check at 1e-6 */
                int64_t best = k;
                for (int64_t i = k; i < m; i++)
                    if (fabs(a[i * m + k]) > fabs(a[best * m + k]))
                        best = i;
                for (int64_t j = 0; j < m && best != k; j++) {
                    const double kept = a[k * m + j];
                    a[k * m + j] = a[best * m + j];
                    a[best * m + j] = kept;
                }
                det *= best != k ? -a[k * m + k] : a[k * m + k];
                for (int64_t i = k + 1; i < m; i++) {
                    const double f = a[i * m + k] / a[k * m + k];
                    for (int64_t j = k; j < m; j++)
                        a[i * m + j] -= f * a[k * m + j];
                }
            }
            assert_near(det, 1.0, 1e-9);
            trace[0] += t / DRAWS;
            trace[1] += t * t / DRAWS;
            trace[2] += q[0] * q[0] / DRAWS;
            trace[3] += q[m - 1] * q[m - 1] / DRAWS;
        }
        /* under the uniform distribution: E tr = 0, E tr^2 = 1 (2 for m = 2), E q_ij^2 = 1 / m */
        assert_near(trace[0], 0.0, 0.1);
        assert_near(trace[1], m == 2 ? 2.0 : 1.0, 0.15);
        assert_near(trace[2], 1.0 / (double)m, 0.03);
        assert_near(trace[3], 1.0 / (double)m, 0.03);
    }
    double one = 0.0, sum = 0.0;
    for (int64_t b = 0; b < 400; b++) {
        assert_int_equal(nep_spectral_rotation(3, 1, b, 0, 1, &one), 1);
        assert_near(fabs(one), 1.0, 0.0);
        sum += one;
    }
    assert_true(fabs(sum) < 80.0);
}

typedef struct {
    nep_geometry g;
    json_t *doc;
    double value[64], other[64];
} scene;

static scene open_scene(nep_ctx *ctx)
{
    scene s = {.doc = json_load_file(TEST_GOLDEN("nulls.json"), 0, NULL)};
    assert_non_null(s.doc);
    assert_ok(ctx, nep_tsv_read_geometry(ctx, TEST_GOLDEN("nulls_geometry.tsv"), &s.g));
    assert_int_equal(s.g.n_regions, 49);
    for (size_t i = 0; i < 49; i++) {
        s.value[i] = json_number_value(json_array_get(json_object_get(s.doc, "value"), i));
        s.other[i] = json_number_value(json_array_get(json_object_get(s.doc, "other"), i));
    }
    return s;
}

static void close_scene(scene *s)
{
    json_decref(s->doc);
    nep_geometry_free(&s->g);
}

/* Energies of the blocks' groups as NumPy has them, in the map and in each surrogate. */
static void test_eigenmodes_keep_the_energy_of_groups(void **state)
{
    (void)state;
    enum { DRAWS = 20 };
    nep_ctx *ctx = test_ctx(2);
    scene s = open_scene(ctx);
    nep_nulls *nulls = NULL;
    double draws[DRAWS * 49], coef[49], base[49];
    json_t *blocks = json_object_get(s.doc, "eigenmodes");
    assert_ok(ctx, nep_nulls_create(ctx, &s.g, NULL, NEP_NULLS_EIGENMODES, &nulls));
    assert_int_equal(nulls->n_vectors, 19 + 19 + 3 + 3); /* the lone region has none */
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, s.value, 4, 0, DRAWS, draws));
    for (int b = -1; b < DRAWS; b++) {
        const double *map = b < 0 ? s.value : draws + b * 49;
        int64_t g = 0, v = 0;
        bool moved = false;
        nep_spectral_coefficients(nulls, map, coef, base);
        assert_near(map[48], s.value[48], 0.0);
        for (size_t k = 0; k < json_array_size(blocks); k++) {
            json_t *block = json_array_get(blocks, k), *sizes = json_object_get(block, "sizes");
            const int64_t first = json_integer_value(json_array_get(json_object_get(block, "members"), 0));
            assert_near(base[first], json_number_value(json_object_get(block, "mean")), 1e-12);
            moved |= fabs(map[first] - s.value[first]) > 0.01;
            for (size_t j = 0; j < json_array_size(sizes); j++, g++) {
                const int64_t size = json_integer_value(json_array_get(sizes, j));
                double energy = 0.0;
                assert_int_equal(nulls->group[g], size);
                for (int64_t i = 0; i < size; i++, v++)
                    energy += coef[v] * coef[v];
                const double want = json_number_value(json_array_get(json_object_get(block, "energy"), j));
                assert_near(energy, want, 1e-9 * (1.0 + want));
            }
        }
        assert_int_equal(g, nulls->n_groups);
        assert_int_equal(v, nulls->n_vectors);
        assert_true(moved == (b >= 0));
    }
    nep_nulls_free(nulls);
    close_scene(&s);
    nep_ctx_free(ctx);
}

/* A map that is the same on both sides of a mirrored brain stays so; the sides still turn. */
static void test_eigenmodes_turn_as_mirror_images(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 25, 0);
    nep_nulls *nulls = NULL;
    double map[50], draws[10 * 50];
    for (int i = 0; i < 50; i++) /* uneven, so that modes are told apart, and mirrored */
        for (int k = 0; k < 3; k++)
            g.mm[i][k] += (k == 0 && i >= 25 ? -3.0 : 3.0) * nep_philox_normal(5, (uint64_t)k, (uint64_t)(i % 25));
    for (int i = 0; i < 50; i++)
        map[i] = nep_philox_normal(6, 0, (uint64_t)(i % 25));
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_EIGENMODES, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, map, 2, 0, 10, draws));
    for (int b = 0; b < 10; b++)
        for (int i = 0; i < 25; i++)
            assert_near(draws[b * 50 + i], draws[b * 50 + 25 + i], 1e-9);
    assert_true(fabs(draws[0] - draws[50]) > 1e-3);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Moran's pair procedure: the same null distribution as BrainSpace's, mean and variance kept. */
static void test_pairs_meet_brainspace(void **state)
{
    (void)state;
    enum { DRAWS = 40000 };
    nep_ctx *ctx = test_ctx(2);
    scene s = open_scene(ctx);
    nep_nulls *nulls = NULL;
    double *draws = calloc((size_t)DRAWS * 49, sizeof *draws), *r = calloc(DRAWS, sizeof *r), scratch[4 * 49];
    json_t *pair = json_object_get(s.doc, "pair"), *levels = json_object_get(pair, "levels");
    assert_ok(ctx, nep_nulls_create(ctx, &s.g, NULL, NEP_NULLS_MORAN_PAIR, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, s.value, 4, 0, DRAWS, draws));
    double mean = 0.0, square = 0.0, mean_one = 0.0, square_one = 0.0;
    for (int i = 0; i < 49; i++) {
        mean += s.value[i] / 49.0;
        square += s.value[i] * s.value[i];
        mean_one += draws[49 + i] / 49.0;
        square_one += draws[49 + i] * draws[49 + i];
    }
    assert_near(mean_one, mean, 1e-12);
    assert_near(square_one, square, 1e-10);
    for (int b = 0; b < DRAWS; b++)
        r[b] = nep_compare_statistic_of(NEP_COMPARE_PEARSON, draws + b * 49, s.other, 49, scratch);
    qsort(r, DRAWS, sizeof *r, ascending);
    for (size_t k = 0; k < json_array_size(levels); k++) {
        const double at = json_number_value(json_array_get(levels, k)) * (DRAWS - 1);
        const double want = json_number_value(json_array_get(json_object_get(pair, "quantiles"), k));
        assert_near(r[(int)at], want, 0.012); /* about five standard errors of either side's quantile */
    }
    free(r);
    free(draws);
    nep_nulls_free(nulls);
    close_scene(&s);
    nep_ctx_free(ctx);
}

static void test_eigenmodes_name_what_they_lack(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 10, 2);
    nep_nulls *nulls = NULL;
    double map[24], out[24] = {-1.0};
    g.sphere[2][0] = (double)NAN;
    assert_fails(nep_nulls_create(ctx, &g, NULL, NEP_NULLS_EIGENMODES, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "L_area02"));
    assert_non_null(strstr(nep_ctx_error(ctx), "eigenmodes"));
    nep_ctx_clear(ctx);
    bool use[24];
    for (int i = 0; i < 24; i++)
        use[i] = i != 2;
    memcpy(g.mm[4], g.mm[3], sizeof g.mm[3]);
    assert_fails(nep_nulls_create(ctx, &g, use, NEP_NULLS_EIGENMODES, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "L_area04"));
    nep_ctx_clear(ctx);
    g.mm[4][0] += 5.0;
    assert_ok(ctx, nep_nulls_create(ctx, &g, use, NEP_NULLS_EIGENMODES, &nulls)); /* a side may lack a region */
    field_map(&g, 1, map);
    map[1] = (double)NAN;
    assert_fails(nep_nulls_draw(ctx, nulls, map, 0, 0, 1, out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "eigenmodes"));
    assert_true(out[0] == -1.0);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* A lattice of 53 x 41 points: eigenvalues 4 - 2 cos(pi a / 53) - 2 cos(pi b / 41), all of them different. */
static void test_few_modes_of_a_lattice(void **state)
{
    (void)state;
    enum { A = 53, B = 41, M = A * B, K = 60 };
    nep_ctx *ctx = test_ctx(1);
    double *band = calloc((size_t)M * (B + 1), sizeof *band), *v = calloc((size_t)K * M, sizeof *v), lambda[K], all[M];
    for (int i = 0; i < M; i++)
        for (int far = 1; far <= B; far += B - 1) {
            const int j = i + far;
            if (j >= M || (far == 1 && j % B == 0))
                continue;
            band[i * (B + 1) + far] = -1.0;
            band[i * (B + 1)] += 1.0;
            band[j * (B + 1)] += 1.0;
        }
    for (int i = 0; i < M; i++)
        all[i] = 4.0 - 2.0 * cos(M_PI * (i / B) / A) - 2.0 * cos(M_PI * (i % B) / B);
    qsort(all, M, sizeof *all, ascending);
    assert_ok(ctx, nep_lanczos_smallest(ctx, band, M, B, K, lambda, v));
    for (int k = 0; k < K; k++) {
        double worst = 0.0, norm = 0.0, sum = 0.0;
        assert_near(lambda[k], all[k + 1], 1e-9);
        for (int i = 0; i < M; i++) { /* L v = lambda v, by the lattice's own rule */
            const double *x = v + k * M;
            double lv = 0.0;
            if (i % B > 0)
                lv += x[i] - x[i - 1];
            if (i % B < B - 1)
                lv += x[i] - x[i + 1];
            if (i >= B)
                lv += x[i] - x[i - B];
            if (i + B < M)
                lv += x[i] - x[i + B];
            worst = fmax(worst, fabs(lv - all[k + 1] * x[i]));
            norm += x[i] * x[i];
            sum += x[i];
        }
        assert_true(worst < 1e-7);
        assert_near(norm, 1.0, 1e-9);
        assert_near(sum, 0.0, 1e-9);
    }
    assert_fails(nep_lanczos_smallest(ctx, band, M, B, M, lambda, v), NEP_E_ARG);
    nep_ctx_clear(ctx);
    free(band);
    free(v);
    nep_ctx_free(ctx);
}

/* A square lattice has every eigenvalue of a != b twice: a mode that is lost is noticed, and said. */
static void test_lost_modes_are_noticed(void **state)
{
    (void)state;
    enum { A = 40, M = A * A, K = 30 };
    nep_ctx *ctx = test_ctx(1);
    double *band = calloc((size_t)M * (A + 1), sizeof *band), *v = calloc((size_t)K * M, sizeof *v), lambda[K], all[M];
    for (int i = 0; i < M; i++)
        for (int far = 1; far <= A; far += A - 1) {
            const int j = i + far;
            if (j >= M || (far == 1 && j % A == 0))
                continue;
            band[i * (A + 1) + far] = -1.0;
            band[i * (A + 1)] += 1.0;
            band[j * (A + 1)] += 1.0;
        }
    for (int i = 0; i < M; i++)
        all[i] = 4.0 - 2.0 * cos(M_PI * (i / A) / A) - 2.0 * cos(M_PI * (i % A) / A);
    qsort(all, M, sizeof *all, ascending);
    const nep_status st = nep_lanczos_smallest(ctx, band, M, A, K, lambda, v);
    if (st == NEP_OK) /* rounding may bring the second ones in: then they must all be there */
        for (int k = 0; k < K; k++)
            assert_near(lambda[k], all[k + 1], 1e-7);
    else
        assert_int_equal(st, NEP_E_SINGULAR);
    free(band);
    free(v);
    nep_ctx_free(ctx);
}

/* Thousands of regions a side: the smoothest modes, and the rest shuffled; mean of each side and group energies stay. */
static void test_large_pieces_keep_the_energy_of_groups(void **state)
{
    (void)state;
    enum { SIDE = 2100, N = 2 * SIDE };
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, SIDE, 0);
    nep_nulls *nulls = NULL;
    double *map = calloc(N, sizeof *map), *draw = calloc(N, sizeof *draw), *base = calloc(N, sizeof *base);
    double *rest = calloc(N, sizeof *rest), *coef = calloc(N, sizeof *coef), *turned = calloc(N, sizeof *turned);
    field_map(&g, 1, map);
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_EIGENMODES, &nulls));
    assert_int_equal(nulls->n_vectors, 2 * 399);
    assert_int_equal(nulls->n_groups, 2 * 19);
    assert_true(nulls->partial);
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, map, 3, 5, 1, draw));
    nep_spectral_coefficients(nulls, map, coef, base);
    nep_spectral_rest(nulls, map, coef, base, rest);
    double *turning = calloc((size_t)nep_spectral_size(nulls), sizeof *turning);
    int32_t *index = calloc(2 * N, sizeof *index), *seen = calloc(N, sizeof *seen);
    nep_spectral_turn(nulls, 3, 5, turning);
    nep_spectral_apply(nulls, turning, coef, turned);
    nep_spectral_shuffle(nulls, 3, 5, index, index + N);
    for (int64_t grp = 0, at = 0; grp < nulls->n_groups; at += nulls->group[grp++]) {
        double before = 0.0, after = 0.0;
        for (int64_t i = at; i < at + nulls->group[grp]; i++) {
            before += coef[i] * coef[i];
            after += turned[i] * turned[i];
        }
        assert_near(before, after, 1e-9 * (1.0 + before));
    }
    double sides[4] = {0.0}, moved = 0.0, square[2] = {0.0};
    for (int i = 0; i < N; i++) {
        double want = base[i] + rest[index[i]];
        for (int64_t k = 0; k < nulls->n_vectors && i % 97 == 0; k++)
            want += turned[k] * nulls->vectors[k * N + i];
        if (i % 97 == 0)
            assert_near(draw[i], want, 1e-9);
        assert_int_equal(index[i] / SIDE, i / SIDE);
        seen[index[i]]++;
        sides[i / SIDE] += map[i];
        sides[2 + i / SIDE] += draw[i];
        moved += fabs(draw[i] - map[i]) / N;
        square[0] += (map[i] - base[i]) * (map[i] - base[i]);
        square[1] += (draw[i] - base[i]) * (draw[i] - base[i]);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    assert_near(sides[0], sides[2], 1e-8);
    assert_near(sides[1], sides[3], 1e-8);
    assert_true(moved > 0.1);
    assert_near(square[1] / square[0], 1.0, 0.03);
    free(seen);
    free(index);
    free(turning);
    free(turned);
    free(coef);
    free(rest);
    free(base);
    free(draw);
    free(map);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* Beyond 4,096 regions Moran takes the modes of neighbours: signs keep the energy of each on the left, of each group on the right, which turns
 * as the mirror image; pairs keep that of a pair. */
static void test_moran_of_many_regions(void **state)
{
    (void)state;
    enum { SIDE = 2100, N = 2 * SIDE, FEW = 399 };
    const nep_nulls_kind kinds[] = {NEP_NULLS_MORAN, NEP_NULLS_MORAN_COMPARTMENT, NEP_NULLS_MORAN_PAIR};
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, SIDE, 0);
    double *map = calloc(N, sizeof *map), *base = calloc(N, sizeof *base), *coef = calloc(N, sizeof *coef), *turned = calloc(N, sizeof *turned);
    field_map(&g, 1, map);
    for (int i = 0; i < NEP_LEN(kinds); i++) {
        nep_nulls *nulls = NULL;
        int flipped = 0;
        assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, kinds[i], &nulls));
        assert_int_equal(nulls->n_vectors, 2 * FEW);
        assert_true(nulls->partial);
        nep_spectral_coefficients(nulls, map, coef, base);
        double *turning = calloc((size_t)nep_spectral_size(nulls), sizeof *turning);
        nep_spectral_turn(nulls, 3, 5, turning);
        nep_spectral_apply(nulls, turning, coef, turned);
        if (kinds[i] == NEP_NULLS_MORAN_PAIR) {
            const int32_t *order = (const int32_t *)(const void *)(turning + 4 * FEW);
            assert_int_equal(nulls->n_groups, FEW);
            for (int k = 0; k < 2 * FEW; k += 2) {
                const double *c = coef, *t = turned;
                const int32_t a = order[k], b = order[k + 1];
                assert_near(c[a] * c[a] + c[b] * c[b], t[a] * t[a] + t[b] * t[b], 1e-9);
            }
        } else {
            assert_int_equal(nulls->n_groups, 2 * 19);
            for (int k = 0; k < FEW; k++) {
                assert_true(fabs(turned[k]) == fabs(coef[k]));
                flipped += turned[k] != coef[k];
            }
            assert_true(flipped > FEW / 2 - 50 && flipped < FEW / 2 + 50);
            for (int64_t grp = 19, at = FEW; grp < 38; at += nulls->group[grp++]) {
                double before = 0.0, after = 0.0;
                for (int64_t k = at; k < at + nulls->group[grp]; k++) {
                    before += coef[k] * coef[k];
                    after += turned[k] * turned[k];
                }
                assert_near(before, after, 1e-9 * (1.0 + before));
            }
        }
        free(turning);
        nep_nulls_free(nulls);
    }
    g.sphere[7][1] = (double)NAN;
    nep_nulls *nulls = NULL;
    assert_fails(nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "complete the geometry or use variogram"));
    nep_ctx_clear(ctx);
    free(turned);
    free(coef);
    free(base);
    free(map);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotations_are_uniform),
        cmocka_unit_test(test_eigenmodes_keep_the_energy_of_groups),
        cmocka_unit_test(test_eigenmodes_turn_as_mirror_images),
        cmocka_unit_test(test_pairs_meet_brainspace),
        cmocka_unit_test(test_eigenmodes_name_what_they_lack),
        cmocka_unit_test(test_few_modes_of_a_lattice),
        cmocka_unit_test(test_lost_modes_are_noticed),
        cmocka_unit_test(test_large_pieces_keep_the_energy_of_groups),
        cmocka_unit_test(test_moran_of_many_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
