/* SPDX-License-Identifier: Apache-2.0 */
/* Modes of the voxels of a mask, and the surrogates made of them: eigenvalues and group energies by SciPy, boxes whose eigenvalues are known, what each
 * kind of surrogate keeps, bits, refusals. */
#include <jansson.h>
#include <stdlib.h>

#include "brainmap/subspace.h"
#include "support.h"

enum { MOST = 8000 };

typedef struct {
    json_t *doc;
    const json_t *part;
    nep_grid g;
    bool mask[MOST];
    nep_nulls *nulls;
    int64_t n;
    double *map;
} scene;

static double at(const json_t *part, const char *name, int64_t i)
{
    const json_t *array = json_object_get(part, name);
    assert_true(i < (int64_t)json_array_size(array));
    return json_number_value(json_array_get(array, (size_t)i));
}

static scene *open_scene(nep_ctx *ctx, const char *name, nep_nulls_kind kind)
{
    scene *s = calloc(1, sizeof *s);
    s->doc = json_load_file(TEST_GOLDEN("voxel_modes.json"), 0, NULL);
    s->part = json_object_get(s->doc, name);
    assert_non_null(s->part);
    const char *text = json_string_value(json_object_get(s->part, "mask"));
    s->g = (nep_grid){.nx = (int64_t)at(s->part, "dims", 0), .ny = (int64_t)at(s->part, "dims", 1), .nz = (int64_t)at(s->part, "dims", 2)};
    for (int r = 0; r < 3; r++)
        for (size_t k = 0; k < 4; k++)
            s->g.affine[r][k] = json_number_value(json_array_get(json_array_get(json_object_get(s->part, "affine"), (size_t)r), k));
    assert_true(nep_grid_voxels(&s->g) <= MOST && strlen(text) == (size_t)nep_grid_voxels(&s->g));
    for (int64_t v = 0; v < nep_grid_voxels(&s->g); v++)
        s->mask[v] = text[v] == '1';
    assert_ok(ctx, nep_nulls_create_voxels(ctx, &s->g, s->mask, kind, NULL, &s->nulls));
    s->n = nep_nulls_regions(s->nulls);
    assert_int_equal(s->n, json_array_size(json_object_get(s->part, "map")));
    s->map = calloc((size_t)s->n, sizeof *s->map);
    for (int64_t i = 0; i < s->n; i++)
        s->map[i] = at(s->part, "map", i);
    return s;
}

static void close_scene(scene *s)
{
    nep_nulls_free(s->nulls);
    free(s->map);
    json_decref(s->doc);
    free(s);
}

/* L x of a map on the grid, by the rule: the sum over faces of (x - neighbour) / D^2. */
static void apply(const nep_grid *g, const bool *mask, const double *x, double *out)
{
    const int64_t size[3] = {g->nx, g->ny, g->nz}, step[3] = {1, g->nx, g->nx * g->ny};
    int32_t *place = calloc((size_t)nep_grid_voxels(g), sizeof *place);
    for (int64_t v = 0, i = 0; v < nep_grid_voxels(g); v++)
        place[v] = mask[v] ? (int32_t)i++ : -1;
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        if (!mask[v])
            continue;
        double sum = 0.0;
        for (int k = 0; k < 3; k++) {
            const double w = 1.0 / (g->affine[0][k] * g->affine[0][k] + g->affine[1][k] * g->affine[1][k] + g->affine[2][k] * g->affine[2][k]);
            const int64_t here = v / step[k] % size[k];
            if (here > 0 && mask[v - step[k]])
                sum += w * (x[place[v]] - x[place[v - step[k]]]);
            if (here < size[k] - 1 && mask[v + step[k]])
                sum += w * (x[place[v]] - x[place[v + step[k]]]);
        }
        out[place[v]] = sum;
    }
    free(place);
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Each vector is a unit eigenvector of the eigenvalue told, and orthogonal to some others and to the constant. */
static void check_vectors(const nep_grid *g, const bool *mask, const double *v, int64_t n, int64_t k, const double *lambda, double tolerance)
{
    double *lv = calloc((size_t)n, sizeof *lv), *one = calloc((size_t)n, sizeof *one);
    for (int64_t i = 0; i < n; i++)
        one[i] = 1.0;
    for (int64_t j = 0; j < k; j++) {
        double worst = 0.0;
        apply(g, mask, v + j * n, lv);
        for (int64_t i = 0; i < n; i++)
            worst = fmax(worst, fabs(lv[i] - lambda[j] * v[j * n + i]));
        assert_true(worst < tolerance);
        assert_near(dot(v + j * n, v + j * n, n), 1.0, 1e-10);
        assert_near(dot(v + j * n, one, n), 0.0, 1e-9);
        for (int64_t other = j % 7; other < j; other += 7)
            assert_near(dot(v + j * n, v + other * n, n), 0.0, 1e-9);
    }
    free(one);
    free(lv);
}

static void check_scene(const char *name, int64_t modes, bool partial)
{
    nep_ctx *ctx = test_ctx(2);
    scene *s = open_scene(ctx, name, NEP_NULLS_EIGENMODES);
    double *lambda = calloc((size_t)modes, sizeof *lambda), *coef = calloc((size_t)modes, sizeof *coef),
           *base = calloc((size_t)s->n, sizeof *base);
    assert_int_equal(s->nulls->n_vectors, modes);
    assert_int_equal(s->nulls->partial, partial);
    for (int64_t k = 0; k < modes; k++)
        lambda[k] = at(s->part, "eigenvalue", k);
    check_vectors(&s->g, s->mask, s->nulls->vectors, s->n, modes, lambda, 1e-7);
    nep_spectral_coefficients(s->nulls, s->map, coef, base);
    assert_int_equal(s->nulls->n_groups, json_array_size(json_object_get(s->part, "energy")));
    for (int64_t g = 0, k = 0; g < s->nulls->n_groups; k += s->nulls->group[g++])
        assert_near(dot(coef + k, coef + k, s->nulls->group[g]), at(s->part, "energy", g), 1e-5 * (1.0 + at(s->part, "energy", g)));
    free(base);
    free(coef);
    free(lambda);
    close_scene(s);
    nep_ctx_free(ctx);
}

static void test_modes_meet_scipy(void **state)
{
    (void)state;
    check_scene("small", 347, false);
    check_scene("large", 399, true);
}

static int ascending(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* A box of voxels has eigenvalues sum_k (2 - 2 cos(pi a_k / size_k)) / mm_k^2; those of a cube come up to six times. */
static void check_box(const int64_t size[3], const double mm[3])
{
    enum { K = 150 };
    nep_ctx *ctx = test_ctx(3);
    const nep_grid g = {.nx = size[0], .ny = size[1], .nz = size[2], .affine = {{mm[0], 0, 0, 0}, {0, mm[1], 0, 0}, {0, 0, mm[2], 0}}};
    const int64_t n = nep_grid_voxels(&g);
    bool *mask = calloc((size_t)n, sizeof *mask);
    double *all = calloc((size_t)n, sizeof *all);
    nep_nulls *nulls = NULL;
    for (int64_t v = 0; v < n; v++) {
        const int64_t a[3] = {v % size[0], v / size[0] % size[1], v / size[0] / size[1]};
        mask[v] = true;
        for (int k = 0; k < 3; k++)
            all[v] += (2.0 - 2.0 * cos(M_PI * (double)a[k] / (double)size[k])) / (mm[k] * mm[k]);
    }
    qsort(all, (size_t)n, sizeof *all, ascending);
    assert_ok(ctx, nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_MORAN, NULL, &nulls));
    assert_int_equal(nulls->n_vectors, 399);
    check_vectors(&g, mask, nulls->vectors, n, K, all + 1, 1e-7);
    nep_nulls_free(nulls);
    free(all);
    free(mask);
    nep_ctx_free(ctx);
}

static void test_boxes(void **state)
{
    (void)state;
    check_box((const int64_t[3]){17, 15, 13}, (const double[3]){2.0, 2.5, 3.0});
    check_box((const int64_t[3]){14, 14, 14}, (const double[3]){2.0, 2.0, 2.0});
}

/* What surrogates of a kind keep: mean, and energies of vectors, pairs or groups; of a large mask the rest is the same values elsewhere. */
static void check_draws(const char *name, nep_nulls_kind kind)
{
    enum { COUNT = 3 };
    nep_ctx *ctx = test_ctx(2);
    scene *s = open_scene(ctx, name, kind);
    const int64_t n = s->n, k = s->nulls->n_vectors;
    double *draw = calloc((size_t)(COUNT * n), sizeof *draw), *coef = calloc((size_t)k, sizeof *coef), *got = calloc((size_t)k, sizeof *got);
    double *base = calloc((size_t)n, sizeof *base), *rest = calloc((size_t)n, sizeof *rest), *turned = calloc((size_t)k, sizeof *turned);
    double *turning = calloc((size_t)nep_spectral_size(s->nulls), sizeof *turning);
    int32_t *index = calloc((size_t)(2 * n), sizeof *index);
    assert_ok(ctx, nep_nulls_draw(ctx, s->nulls, s->map, 5, 2, COUNT, draw));
    nep_spectral_coefficients(s->nulls, s->map, coef, base);
    nep_spectral_rest(s->nulls, s->map, coef, base, rest);
    const double mean = base[0];
    for (int64_t b = 0; b < COUNT; b++) {
        double *y = draw + b * n, moved = 0.0;
        nep_spectral_shuffle(s->nulls, 5, 2 + b, index, index + n);
        for (int64_t i = 0; i < n; i++) /* without the rest a surrogate is on the vectors alone */
            y[i] -= s->nulls->partial ? rest[index[i]] : 0.0;
        nep_spectral_coefficients(s->nulls, y, got, base);
        assert_near(base[0], mean, 1e-9); /* of what is left without the rest */
        for (int64_t i = 0; i < k; i++)
            moved += fabs(got[i] - coef[i]);
        assert_true(moved > 0.1 * sqrt(dot(coef, coef, k)));
        nep_spectral_turn(s->nulls, 5, 2 + b, turning);
        nep_spectral_apply(s->nulls, turning, coef, turned);
        for (int64_t i = 0; i < k; i++)
            assert_near(got[i], turned[i], 1e-8);
        assert_near(dot(got, got, k), dot(coef, coef, k), 1e-7 * dot(coef, coef, k));
        for (int64_t i = 0; i < k && kind == NEP_NULLS_MORAN; i++)
            assert_near(fabs(got[i]), fabs(coef[i]), 1e-8);
        for (int64_t g = 0, i = 0; g < s->nulls->n_groups && kind == NEP_NULLS_EIGENMODES; i += s->nulls->group[g++])
            assert_near(dot(got + i, got + i, s->nulls->group[g]), dot(coef + i, coef + i, s->nulls->group[g]), 1e-7 * dot(coef, coef, k));
    }
    free(index);
    free(turning);
    free(turned);
    free(rest);
    free(base);
    free(got);
    free(coef);
    free(draw);
    close_scene(s);
    nep_ctx_free(ctx);
}

static void test_what_surrogates_keep(void **state)
{
    (void)state;
    const nep_nulls_kind kinds[] = {NEP_NULLS_EIGENMODES, NEP_NULLS_MORAN, NEP_NULLS_MORAN_PAIR};
    for (int i = 0; i < NEP_LEN(kinds); i++) {
        check_draws("small", kinds[i]);
        check_draws("large", kinds[i]);
    }
}

static void test_shuffled_voxels(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    scene *s = open_scene(ctx, "small", NEP_NULLS_SHUFFLE);
    double *draw = calloc((size_t)s->n, sizeof *draw);
    assert_ok(ctx, nep_nulls_draw(ctx, s->nulls, s->map, 0, 0, 1, draw));
    assert_true(memcmp(draw, s->map, (size_t)s->n * sizeof *draw) != 0);
    qsort(draw, (size_t)s->n, sizeof *draw, ascending);
    qsort(s->map, (size_t)s->n, sizeof *draw, ascending);
    assert_memory_equal(draw, s->map, (size_t)s->n * sizeof *draw);
    free(draw);
    close_scene(s);
    nep_ctx_free(ctx);
}

static void test_same_bits_on_any_threads(void **state)
{
    (void)state;
    nep_ctx *one = test_ctx(1), *three = test_ctx(3);
    scene *a = open_scene(one, "large", NEP_NULLS_EIGENMODES), *b = open_scene(three, "large", NEP_NULLS_EIGENMODES);
    double *x = calloc((size_t)(2 * a->n), sizeof *x), *y = calloc((size_t)(2 * a->n), sizeof *y);
    assert_memory_equal(a->nulls->vectors, b->nulls->vectors, (size_t)(399 * a->n) * sizeof(double));
    assert_ok(one, nep_nulls_draw(one, a->nulls, a->map, 1, 0, 2, x));
    assert_ok(three, nep_nulls_draw(three, b->nulls, b->map, 1, 1, 1, y + a->n));
    assert_memory_equal(x + a->n, y + a->n, (size_t)a->n * sizeof *x);
    free(y);
    free(x);
    close_scene(a);
    close_scene(b);
    nep_ctx_free(one);
    nep_ctx_free(three);
}

static void test_rates_of_voxels(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const nep_nulls_kind kinds[] = {NEP_NULLS_EIGENMODES, NEP_NULLS_MORAN, NEP_NULLS_SHUFFLE};
    for (int i = 0; i < NEP_LEN(kinds); i++) {
        scene *s = open_scene(ctx, "large", kinds[i]);
        nep_nulls_rate r;
        assert_ok(ctx, nep_nulls_false_positive(ctx, s->nulls, 20.0, 60, 99, 0.05, 7, &r));
        assert_true(kinds[i] == NEP_NULLS_SHUFFLE ? r.rate > 0.3 : r.rate < 0.17); /* 0.05 of 60 passes 10 once in 10^4 */
        close_scene(s);
    }
    nep_ctx_free(ctx);
}

static void test_refusals(void **state)
{
    (void)state;
    enum { SIDE = 81 };
    nep_ctx *ctx = test_ctx(1);
    nep_grid g = {.nx = SIDE, .ny = SIDE, .nz = SIDE, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    bool *mask = calloc((size_t)SIDE * SIDE * SIDE, sizeof *mask);
    nep_nulls *nulls = NULL;
    assert_fails(nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_SPIN, NULL, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "spin surrogates do not exist for voxels"));
    nep_ctx_clear(ctx);
    assert_fails(nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_MORAN, NULL, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "0 voxels are too few"));
    nep_ctx_clear(ctx);
    mask[3] = mask[5] = true;
    assert_fails(nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_SHUFFLE, NULL, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "2 voxels are too few"));
    nep_ctx_clear(ctx);
    mask[7] = true;
    assert_fails(nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_MORAN, NULL, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "no voxel of the mask shares a face with another"));
    nep_ctx_clear(ctx);
    mask[3] = mask[5] = mask[7] = false;
    for (int64_t v = 0; v < 42; v += 2)
        mask[v] = true;
    assert_fails(nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_MORAN, NULL, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "in 21 pieces that no faces join, the largest of 1 of 21 voxels"));
    nep_ctx_clear(ctx);
    g.affine[1][1] = 0.0;
    assert_fails(nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_MORAN, NULL, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "no extent along axis 2"));
    nep_ctx_clear(ctx);
    for (int64_t v = 0; v < (int64_t)SIDE * SIDE * SIDE; v++)
        mask[v] = true;
    g.affine[1][1] = 2.0;
    const nep_nulls_kind kinds[] = {NEP_NULLS_EIGENMODES, NEP_NULLS_SHUFFLE};
    for (int k = 0; k < NEP_LEN(kinds); k++) {
        assert_fails(nep_nulls_create_voxels(ctx, &g, mask, kinds[k], NULL, &nulls), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(ctx), "531441 voxels"));
        assert_non_null(strstr(nep_ctx_error(ctx), "at most 524288"));
        nep_ctx_clear(ctx);
    }
    assert_null(nulls);
    free(mask);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes_meet_scipy),         cmocka_unit_test(test_boxes),           cmocka_unit_test(test_what_surrogates_keep),
        cmocka_unit_test(test_shuffled_voxels),          cmocka_unit_test(test_rates_of_voxels), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_same_bits_on_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
