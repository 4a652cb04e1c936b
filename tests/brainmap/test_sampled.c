/* SPDX-License-Identifier: Apache-2.0 */
/* Variogram-matched surrogates of the voxels of a mask, and of places off any grid, against BrainSMASH's Sampled: every step for a given shuffle, noise and sample; what many are
 * like; bits; refusals. */
#include <jansson.h>

#include "brainmap/sampled.h"
#include "support.h"

enum { LAGS = NEP_VARIOGRAM_LAGS, SCALES = SAMPLED_SCALES, COLS = SAMPLED_COLS, MOST = 3000 };

static double at(const json_t *part, const char *name, int64_t i)
{
    const json_t *array = json_object_get(part, name);
    assert_true(i < (int64_t)json_array_size(array));
    return json_number_value(json_array_get(array, (size_t)i));
}

static json_t *golden(void)
{
    json_t *doc = json_load_file(TEST_GOLDEN("sampled.json"), 0, NULL);
    assert_non_null(doc);
    return doc;
}

static void grid_of(const json_t *part, nep_grid *g, bool *mask)
{
    const char *text = json_string_value(json_object_get(part, "mask"));
    *g = (nep_grid){.nx = (int64_t)at(part, "dims", 0), .ny = (int64_t)at(part, "dims", 1), .nz = (int64_t)at(part, "dims", 2)};
    for (int r = 0; r < 3; r++)
        for (size_t k = 0; k < 4; k++)
            g->affine[r][k] = json_number_value(json_array_get(json_array_get(json_object_get(part, "affine"), (size_t)r), k));
    assert_true(nep_grid_voxels(g) <= MOST && strlen(text) == (size_t)nep_grid_voxels(g));
    for (int64_t v = 0; v < nep_grid_voxels(g); v++)
        mask[v] = text[v] == '1';
}

static nep_sampled *make(nep_ctx *ctx, const json_t *part, int64_t sample, double *map)
{
    static bool mask[MOST];
    nep_grid g;
    nep_sampled *s = NULL;
    grid_of(part, &g, mask);
    const nep_sampled_opts o = {json_integer_value(json_object_get(part, "neighbours")), sample};
    assert_ok(ctx, nep_sampled_voxels(ctx, &g, mask, &o, &s));
    assert_int_equal(nep_sampled_places(s), json_array_size(json_object_get(part, "map")));
    for (int64_t i = 0; i < s->n; i++)
        map[i] = at(part, "map", i);
    return s;
}

/* Column 0 holds what chance gave the peer; column 1 the same with twice the noise, the others the shuffle moved on. */
static void check_steps(nep_ctx *ctx, const json_t *part, nep_sampled *s, const double *map)
{
    double z[MOST], sd;
    const int64_t sample = s->sample;
    const int64_t n = s->n, best = json_integer_value(json_object_get(part, "best"));
    int32_t *order = calloc((size_t)(n * COLS), sizeof *order), *rows = calloc((size_t)sample, sizeof *rows);
    float *noise = calloc((size_t)(n * COLS), sizeof *noise), *out = calloc((size_t)(n * COLS), sizeof *out);
    nep_sampled_work work;
    assert_ok(ctx, nep_sampled_work_new(ctx, s, &work));
    variogram_fit fit[COLS];
    assert_ok(ctx, nep_variogram_standard(ctx, map, n, z, &sd));
    for (int64_t i = 0; i < n * COLS; i++) {
        order[i] = (int32_t)at(part, "order", (i + i / n) % n);
        noise[i] = (float)(at(part, "noise", i % n) * (i / n == 1 ? 2.0 : 1.0));
    }
    for (int64_t i = 0; i < n; i++) {
        order[i] = order[n + i] = (int32_t)at(part, "order", i);
        noise[i] = (float)at(part, "noise", i);
    }
    for (int64_t r = 0; r < sample; r++)
        rows[r] = (int32_t)at(part, "sample", r);
    assert_ok(ctx, nep_sampled_blend(ctx, s, z, sd, order, noise, rows, &work, out, fit));
    for (int h = 0; h < LAGS; h++)
        assert_near(s->lag[h] / at(part, "lag", h), 1.0, 1e-6);
    assert_int_equal(fit[0].scale, best);
    assert_near(fit[0].alpha * sd * sd / at(part, "alpha", best), 1.0, 1e-4);
    assert_near(fit[0].beta / at(part, "beta", best), 1.0, 1e-4);
    for (int64_t i = 0; i < n; i++)
        assert_near((double)out[i] / sd, at(part, "value", i) / sd, 2e-5);
    assert_int_equal(fit[1].scale, best); /* noise has no part in the fit */
    assert_true(fit[2].alpha != fit[0].alpha);
    nep_sampled_work_free(&work);
    free(out);
    free(noise);
    free(rows);
    free(order);
}

static void test_steps_of_the_peer(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = golden(), *steps = json_object_get(doc, "steps");
    assert_int_equal(json_array_size(steps), 2);
    for (size_t k = 0; k < 2; k++) {
        const json_t *part = json_array_get(steps, k);
        double map[MOST];
        nep_sampled *s = make(ctx, part, (int64_t)json_array_size(json_object_get(part, "sample")), map);
        check_steps(ctx, part, s, map);
        nep_sampled_free(s);
    }
    json_decref(doc);
    nep_ctx_free(ctx);
}

/* The places of the golden file twice, in blocks of their own at one place: the lists of the first know nothing of the second. */
static void test_steps_off_any_grid(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(3);
    json_t *doc = golden(), *part = json_object_get(doc, "points");
    const int64_t n = (int64_t)json_array_size(json_object_get(part, "map"));
    static double place[MOST][3], map[MOST];
    static int32_t block[MOST];
    const nep_sampled_opts o = {json_integer_value(json_object_get(part, "neighbours")), (int64_t)json_array_size(json_object_get(part, "sample"))};
    nep_sampled *s = NULL, *two = NULL;
    assert_true(2 * n <= MOST);
    for (int64_t i = 0; i < n; i++) {
        map[i] = at(part, "map", i);
        block[n + i] = 4;
        for (size_t k = 0; k < 3; k++)
            place[i][k] = place[n + i][k] = json_number_value(json_array_get(json_array_get(json_object_get(part, "place"), (size_t)i), k));
    }
    assert_ok(ctx, nep_sampled_listed(ctx, n, (const double(*)[3])place, block, &o, &s));
    check_steps(ctx, part, s, map);
    assert_ok(ctx, nep_sampled_listed(ctx, 2 * n, (const double(*)[3])place, block, &o, &two));
    assert_memory_equal(s->near, two->near, (size_t)(n * o.neighbours) * sizeof *s->near);
    for (int64_t t = 0; t < n * o.neighbours; t++)
        assert_int_equal(two->near[n * o.neighbours + t], n + s->near[t]);
    nep_sampled_free(two);
    block[n] = 1; /* alone in its block */
    assert_fails(nep_sampled_listed(ctx, 2 * n, (const double(*)[3])place, block, &o, &two), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "of 1 places has no 80 neighbours"));
    nep_sampled_free(s);
    json_decref(doc);
    nep_ctx_free(ctx);
}

/* Surrogates of many vertices by nep_nulls_draw: split as one likes, each the same on any number of threads, with the map's variance nearly. */
static void test_vertices(void **state)
{
    (void)state;
    enum { N = 4200, DRAWS = 70 };
    nep_ctx *one = test_ctx(1), *three = test_ctx(3);
    static char names[N][8], *name[N], hemisphere[N];
    static bool cortex[N];
    static double mm[N][3], map[N], all[DRAWS * N], some[3 * N];
    nep_geometry g = {.n_regions = N, .names = name, .hemisphere = hemisphere, .cortex = cortex, .mm = mm};
    nep_nulls *a = NULL, *b = NULL;
    for (int i = 0; i < N; i++) {
        const double z = 1.0 - (2.0 * (i / 2) + 1.0) / (N / 2), r = sqrt(1.0 - z * z), turn = 2.399963 * (i / 2);
        snprintf(names[i], sizeof names[i], "v%d", i);
        name[i] = names[i];
        hemisphere[i] = "LR"[i % 2];
        cortex[i] = true;
        mm[i][0] = 100.0 * r * cos(turn) + (i % 2 ? 90.0 : -90.0);
        mm[i][1] = 100.0 * r * sin(turn);
        mm[i][2] = 100.0 * z;
        map[i] = sin(mm[i][0] / 40.0) + cos(mm[i][1] / 30.0) + 0.3 * nep_philox_normal(1, 2, (uint64_t)i);
    }
    assert_ok(one, nep_nulls_create(one, &g, NULL, NEP_NULLS_VARIOGRAM, &a));
    assert_ok(three, nep_nulls_create(three, &g, NULL, NEP_NULLS_VARIOGRAM, &b));
    assert_ok(one, nep_nulls_draw(one, a, map, 4, 0, DRAWS, all));
    assert_ok(three, nep_nulls_draw(three, b, map, 4, 63, 3, some));
    assert_memory_equal(all + 63 * N, some, sizeof some);
    double mean = 0, square = 0, sd = 0;
    for (int i = 0; i < N; i++)
        mean += map[i] / N;
    for (int i = 0; i < N; i++)
        square += (map[i] - mean) * (map[i] - mean) / N;
    for (int d = 0; d < DRAWS; d++) {
        double sum = 0;
        for (int i = 0; i < N; i++)
            sum += all[d * N + i] * all[d * N + i] / N;
        sd += sqrt(sum) / DRAWS;
    }
    print_message("SD of %d surrogates of %d vertices %.3f, of the map %.3f\n", DRAWS, N, sd, sqrt(square));
    assert_true(fabs(sd / sqrt(square) - 1.0) < 0.25);
    nep_nulls_free(a);
    nep_nulls_free(b);
    nep_ctx_free(three);
    nep_ctx_free(one);
}

/* The target's variogram over all pairs, and the mean error of many surrogates' beside the peer's. */
static void test_likeness(void **state)
{
    (void)state;
    enum { MANY = 300 };
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = golden(), *part = json_object_get(doc, "made_up");
    double map[MOST], mean = 0, square = 0, level = 0, below[2] = {0}, sds = 0;
    nep_sampled *s = make(ctx, part, json_integer_value(json_object_get(part, "n_sample")), map);
    const int64_t n = s->n;
    float *draws = calloc((size_t)(MANY * n), sizeof *draws), *x = calloc((size_t)(n * COLS), sizeof *x);
    double *squares = calloc((size_t)(s->n_bins * COLS), sizeof *squares), *pairs = calloc((size_t)s->n_bins, sizeof *pairs);
    int32_t *all = calloc((size_t)n, sizeof *all);
    assert_ok(ctx, nep_sampled_draw(ctx, s, map, 3, 0, MANY, false, draws));
    for (int64_t i = 0; i < n; i++)
        all[i] = (int32_t)i;
    s->sample = n; /* all pairs, to measure with */
    for (int h = 0; h < LAGS; h++)
        level += at(part, "target", h) / LAGS;
    for (int64_t b = 0; b < MANY; b++) {
        double off = 0, sum = 0, sum2 = 0, xy = 0, yy = 0, my = 0;
        for (int64_t i = 0; i < n; i++)
            x[i * COLS] = draws[b * n + i];
        nep_buf on = {0};
        assert_ok(ctx, nep_buf_put(ctx, x, NEP_F32, n * COLS, "a surrogate", &on));
        assert_ok(ctx, nep_backend_shell_squares(ctx, &s->shells, &on, 1, all, s->sample, squares, pairs));
        nep_buf_free(&on);
        for (int h = 0; h < LAGS; h++) {
            double v = 0, w = 0;
            for (int64_t k = 0; k < s->n_bins; k++) {
                v += s->to_lag[h * s->n_bins + k] * squares[k * COLS];
                w += s->to_lag[h * s->n_bins + k] * pairs[k];
            }
            off += (v / w - at(part, "target", h)) * (v / w - at(part, "target", h)) / LAGS;
        }
        mean += sqrt(off) / level / MANY;
        square += off / level / level / MANY;
        for (int64_t i = 0; i < n; i++)
            my += at(part, "other", i) / (double)n;
        for (int64_t i = 0; i < n; i++) {
            const double v = (double)draws[b * n + i], y = at(part, "other", i) - my;
            sum += v;
            sum2 += v * v;
            xy += v * y;
            yy += y * y;
        }
        assert_near(sum / (double)n, 0.0, 1e-5);
        sds += sqrt(sum2 / (double)n) / MANY;
        for (int k = 0; k < 2; k++)
            below[k] += fabs(xy / sqrt(sum2 * yy)) < at(part, "abs_r", k);
    }
    const double se = sqrt((square - mean * mean) / MANY), theirs = json_number_value(json_object_get(part, "error_mean")),
                 se_theirs = json_number_value(json_object_get(part, "error_se")), sd_theirs = json_number_value(json_object_get(part, "sd"));
    print_message("error of the variogram %.4f (se %.4f), BrainSMASH %.4f (%.4f); SD %.3f (%.3f)\n", mean, se, theirs, se_theirs, sds, sd_theirs);
    assert_true(fabs(mean - theirs) < 4.0 * sqrt(4.0 * se * se + se_theirs * se_theirs)); /* sixteen share a sample */
    assert_true(fabs(sds / sd_theirs - 1.0) < 0.05);
    for (int k = 0; k < 2; k++) {
        const double p = at(part, "level", k);
        assert_true(fabs(below[k] / MANY - p) < 4.0 * sqrt(2.0 * p * (1.0 - p) / MANY));
    }
    nep_sampled_free(s);
    free(all);
    free(pairs);
    free(squares);
    free(x);
    free(draws);
    json_decref(doc);
    nep_ctx_free(ctx);
}

static int ascending(const void *x, const void *y)
{
    const float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

static void test_bits_do_not_depend_on_the_rest(void **state)
{
    (void)state;
    nep_ctx *one = test_ctx(1), *three = test_ctx(3);
    json_t *doc = golden(), *part = json_array_get(json_object_get(doc, "steps"), 1);
    double map[MOST];
    nep_sampled *s = make(one, part, 50, map), *again = make(three, part, 50, map);
    const int64_t n = s->n;
    float *all = calloc((size_t)(40 * n), sizeof *all), *some = calloc((size_t)(40 * n), sizeof *some), values[MOST];
    assert_ok(one, nep_sampled_draw(one, s, map, 1, 0, 40, false, all));
    assert_ok(three, nep_sampled_draw(three, again, map, 1, 13, 20, false, some));
    assert_memory_equal(all + 13 * n, some, (size_t)(20 * n) * sizeof *all);
    assert_ok(three, nep_sampled_draw(three, again, map, 2, 0, 1, false, some));
    assert_memory_not_equal(all, some, (size_t)n * sizeof *all);
    assert_ok(three, nep_sampled_draw(three, again, map, 1, 5, 2, true, some));
    for (int64_t i = 1; i < n; i++) /* the map's values in the surrogate's order */
        assert_true((all[5 * n + i] > all[5 * n]) == (some[i] > some[0]) || some[i] == some[0]);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)map[i];
    qsort(values, (size_t)n, sizeof *values, ascending);
    qsort(some, (size_t)n, sizeof *some, ascending);
    assert_memory_equal(values, some, (size_t)n * sizeof *values);
    free(some);
    free(all);
    nep_sampled_free(s);
    nep_sampled_free(again);
    json_decref(doc);
    nep_ctx_free(three);
    nep_ctx_free(one);
}

static void refuse(nep_ctx *ctx, const nep_grid *g, const bool *mask, nep_sampled_opts o, const char *words)
{
    nep_sampled *s = NULL;
    assert_fails(nep_sampled_voxels(ctx, g, mask, &o, &s), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), words));
    nep_ctx_clear(ctx);
    assert_null(s);
}

static void test_refusals(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    static bool mask[100 * 10 * 10];
    static double map[1000];
    static float out[1000];
    nep_grid g = {.nx = 100, .ny = 10, .nz = 10, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
    nep_sampled *s = NULL;
    for (int v = 0; v < 10000; v++)
        mask[v] = v % 100 < 10;
    refuse(ctx, &g, mask, (nep_sampled_opts){19, 10}, "at least 20");
    refuse(ctx, &g, mask, (nep_sampled_opts){26, 10}, "too few distances"); /* d = 1, sqrt 2, sqrt 3 */
    refuse(ctx, &g, mask, (nep_sampled_opts){1000, 10}, "1000 voxels has no 1000 neighbours");
    mask[99] = true;
    refuse(ctx, &g, mask, (nep_sampled_opts){20, 10}, "islands");
    mask[99] = false;
    g.affine[2][2] = 0;
    refuse(ctx, &g, mask, (nep_sampled_opts){20, 10}, "singular");
    g.affine[2][2] = 1;
    const nep_sampled_opts o = {60, 5000};
    assert_ok(ctx, nep_sampled_voxels(ctx, &g, mask, &o, &s));
    assert_int_equal(s->sample, 1000);
    for (int i = 0; i < 1000; i++)
        map[i] = 7.0;
    assert_fails(nep_sampled_draw(ctx, s, map, 0, 0, 1, false, out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "constant"));
    nep_ctx_clear(ctx);
    assert_fails(nep_sampled_draw(ctx, s, map, 0, -1, 1, false, out), NEP_E_ARG);
    nep_ctx_clear(ctx);
    map[3] = (double)NAN;
    assert_fails(nep_sampled_draw(ctx, s, map, 0, 0, 1, false, out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "place 4"));
    nep_sampled_free(s);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_the_peer),
        cmocka_unit_test(test_steps_off_any_grid),
        cmocka_unit_test(test_vertices),
        cmocka_unit_test(test_likeness),
        cmocka_unit_test(test_bits_do_not_depend_on_the_rest),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
