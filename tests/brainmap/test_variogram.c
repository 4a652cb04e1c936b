/* SPDX-License-Identifier: Apache-2.0 */
/* Variogram-matched surrogates against BrainSMASH: every step for given shuffles and noise, and what many surrogates are like. */
#include <jansson.h>

#include "brainmap/variogram.h"
#include "support.h"

enum { LAGS = NEP_VARIOGRAM_LAGS, SCALES = NEP_VARIOGRAM_SCALES, MOST = 400, MANY = 1000 };
static const double rounding = 1e-5; /* maps travel in float32 */

static double at(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

static json_t *golden(void)
{
    json_t *doc = json_load_file(TEST_GOLDEN("variogram.json"), 0, NULL);
    assert_non_null(doc);
    return doc;
}

/* Places and a map of a part of the golden file; their number. */
static int64_t scene_of(const json_t *part, double (*place)[3], double *map)
{
    const json_t *p = json_object_get(part, "place"), *x = json_object_get(part, "map");
    const int64_t n = (int64_t)json_array_size(p);
    assert_true(n > 0 && n <= MOST);
    for (int64_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 3; k++)
            place[i][k] = at(json_array_get(p, (size_t)i), k);
        map[i] = at(x, (size_t)i);
    }
    return n;
}

/* Column 0 holds what chance gave the peer, the others nothing: a group is always whole. */
static void check_surrogate(nep_ctx *ctx, const nep_variogram *v, const double *map, const json_t *want)
{
    enum { COLS = NEP_VARIOGRAM_COLS };
    const int64_t n = v->n;
    float *shuffled = calloc((size_t)(n * COLS), sizeof *shuffled);
    double *noise = calloc((size_t)(n * COLS), sizeof *noise), *out = calloc((size_t)(n * COLS), sizeof *out);
    double z[MOST], sorted[MOST], sd;
    static variogram_item item[MOST];
    static variogram_fit fit[COLS];
    assert_ok(ctx, nep_variogram_standard(ctx, map, n, z, &sd));
    for (int64_t i = 0; i < n; i++) {
        shuffled[i * COLS] = (float)z[(int64_t)at(json_object_get(want, "order"), (size_t)i)];
        noise[i] = at(json_object_get(want, "noise"), (size_t)i);
    }
    assert_ok(ctx, nep_variogram_blend(ctx, v, map, shuffled, noise, COLS, out, fit));
    const int best = (int)json_integer_value(json_object_get(want, "best"));
    assert_int_equal(fit[0].scale, best);
    assert_near(fit[0].alpha * sd * sd / at(json_object_get(want, "alpha"), (size_t)best), 1.0, 1e-3);
    assert_near(fit[0].beta / at(json_object_get(want, "beta"), (size_t)best), 1.0, 1e-3);
    assert_int_equal(fit[1].scale, -1); /* a map of zeros cannot be fitted */
    assert_true(isnan(out[n]));
    for (int64_t i = 0; i < n; i++)
        assert_near(out[i] / sd, at(json_object_get(want, "value"), (size_t)i) / sd, 5e-4);
    for (int64_t i = 0; i < n; i++)
        sorted[i] = map[i];
    for (int64_t i = 1; i < n; i++) /* by insertion: another way than the program's */
        for (int64_t j = i; j > 0 && sorted[j - 1] > sorted[j]; j--) {
            const double t = sorted[j];
            sorted[j] = sorted[j - 1];
            sorted[j - 1] = t;
        }
    nep_variogram_take_values(sorted, n, out, item);
    for (int64_t i = 0; i < n; i++)
        assert_true(out[i] == at(json_object_get(want, "own_values"), (size_t)i));
    free(shuffled);
    free(noise);
    free(out);
}

/* 40 regions: a pair to a bin; 150 regions: 192 bins of four moments. */
static void test_steps_of_the_peer(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = golden();
    for (size_t k = 0; k < 2; k++) {
        const json_t *part = json_array_get(json_object_get(doc, "steps"), k), *list = json_object_get(part, "surrogates");
        double place[MOST][3], map[MOST], gamma[LAGS];
        float x[MOST];
        const int64_t n = scene_of(part, place, map);
        nep_variogram *v = NULL;
        assert_ok(ctx, nep_variogram_create(ctx, n, (const double(*)[3])place, &v));
        assert_int_equal(v->n_moments, k == 0 ? 1 : 4);
        for (int64_t i = 0; i < n; i++)
            x[i] = (float)(map[i] - 10.0);
        assert_ok(ctx, nep_variogram_gamma(ctx, v, x, 1, 1, gamma));
        for (size_t h = 0; h < LAGS; h++) {
            assert_near(v->lag[h], at(json_object_get(part, "lag"), h), 1e-12);
            assert_near(gamma[h] / at(json_object_get(part, "gamma"), h), 1.0, rounding);
        }
        assert_true(json_array_size(list) == 3);
        for (size_t b = 0; b < 3; b++)
            check_surrogate(ctx, v, map, json_array_get(list, b));
        nep_variogram_free(v);
    }
    json_decref(doc);
    nep_ctx_free(ctx);
}

static int ascending(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double correlation(const double *x, const double *y, int64_t n)
{
    double mx = 0.0, my = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    for (int64_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    return xy / sqrt(xx * yy);
}

/* Variograms of MANY surrogates lie no farther from the map's than the peer's do, and correlate with another map as theirs. */
static void check_likeness(nep_ctx *ctx, const char *name, int64_t n, const double (*place)[3], const double *map, const double *other,
                           const json_t *want)
{
    nep_variogram *v = NULL;
    double *draws = calloc((size_t)(MANY * n), sizeof *draws), *gamma = calloc(LAGS * MANY, sizeof *gamma), target[LAGS];
    float *x = calloc((size_t)(MANY * n), sizeof *x);
    static double r[MANY];
    double mean = 0.0, square = 0.0, level = 0.0;
    assert_ok(ctx, nep_variogram_create(ctx, n, place, &v));
    assert_ok(ctx, nep_variogram_draw(ctx, v, map, 1, 2, 0, MANY, false, draws));
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)map[i];
    assert_ok(ctx, nep_variogram_gamma(ctx, v, x, 1, 1, target));
    for (int64_t b = 0; b < MANY; b++)
        for (int64_t i = 0; i < n; i++)
            x[i * MANY + b] = (float)draws[b * n + i];
    assert_ok(ctx, nep_variogram_gamma(ctx, v, x, 1, MANY, gamma));
    for (int h = 0; h < LAGS; h++)
        level += target[h] / LAGS;
    for (int64_t b = 0; b < MANY; b++) {
        double off = 0.0;
        for (int h = 0; h < LAGS; h++)
            off += (gamma[h * MANY + b] - target[h]) * (gamma[h * MANY + b] - target[h]) / LAGS;
        mean += sqrt(off) / level / MANY;
        square += off / level / level / MANY;
        r[b] = fabs(correlation(draws + b * n, other, n));
    }
    qsort(r, MANY, sizeof *r, ascending);
    const double se = sqrt((square - mean * mean) / MANY), theirs = json_number_value(json_object_get(want, "error_mean")),
                 se_theirs = json_number_value(json_object_get(want, "error_se"));
    print_message("%-12s error of the variogram %.4f (se %.4f), BrainSMASH %.4f (%.4f); |r| at 0.5, 0.9, 0.95:", name, mean, se, theirs,
                  se_theirs);
    assert_true(fabs(mean - theirs) < 4.0 * sqrt(se * se + se_theirs * se_theirs));
    for (size_t k = 0; k < 3; k++) { /* Kolmogorov-Smirnov: the share of ours below their quantile */
        const double q = at(json_object_get(want, "abs_r"), k), p = at(json_object_get(want, "level"), k);
        int below = 0;
        while (below < MANY && r[below] < q)
            below++;
        print_message(" %.3f (%.3f)", r[(int)(p * MANY)], q);
        assert_true(fabs((double)below / MANY - p) < 4.0 * sqrt(2.0 * p * (1.0 - p) / MANY));
    }
    print_message("\n");
    nep_variogram_free(v);
    free(draws);
    free(gamma);
    free(x);
}

static void test_likeness_on_made_up_maps(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = golden(), *part = json_object_get(doc, "made_up");
    double place[MOST][3], map[MOST], other[MOST];
    const int64_t n = scene_of(part, place, map);
    for (int64_t i = 0; i < n; i++)
        other[i] = at(json_object_get(part, "other"), (size_t)i);
    check_likeness(ctx, "made up", n, (const double(*)[3])place, map, other, part);
    json_decref(doc);
    nep_ctx_free(ctx);
}

/* Field number `column` of a line of comma-separated values. */
static const char *field(const char *line, int column, char *out, size_t size)
{
    for (; column > 0 && line; column--) {
        line = strchr(line, ',');
        line = line ? line + 1 : NULL;
    }
    snprintf(out, size, "%.*s", line ? (int)strcspn(line, ",\r\n") : 0, line ? line : "");
    return out;
}

static FILE *shared_file(const char *name)
{
    char path[4400];
    snprintf(path, sizeof path, "%s/data/brainmaps/%s", test_shared(), name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read", path);
    return f;
}

static int column_of(const char *header, const char *name)
{
    char word[64];
    for (int c = 0; c < 100; c++)
        if (strcmp(field(header, c, word, sizeof word), name) == 0)
            return c;
    fail_msg("no column %s", name);
    return -1;
}

static void test_likeness_on_dk68(void **state)
{
    (void)state;
    static char name[100][130];
    static double mm[100][3], place[MOST][3], map[MOST], other[MOST];
    char line[4096], a[64], b[64];
    int known = 0;
    int64_t n = 0;
    if (!test_shared())
        test_skip();
    FILE *f = shared_file("derived/dk83_centroids_volumes_mni.csv");
    while (fgets(line, sizeof line, f) && known < 100) {
        snprintf(name[known], sizeof name[0], "%s_%s", field(line, 2, a, sizeof a), field(line, 1, b, sizeof b));
        for (int k = 0; k < 3; k++)
            mm[known][k] = strtod(field(line, 4 + k, a, sizeof a), NULL);
        known++;
    }
    fclose(f);
    f = shared_file("derived/enigma_case_control_d_dk82.csv");
    assert_non_null(fgets(line, sizeof line, f));
    const int first = column_of(line, "d_schizophrenia"), second = column_of(line, "d_bipolar_adult");
    while (fgets(line, sizeof line, f) && n < MOST) {
        char key[160];
        int k = 0;
        if (strcmp(field(line, 3, a, sizeof a), "cortex") != 0)
            continue;
        snprintf(key, sizeof key, "%s_%s", field(line, 1, a, sizeof a), field(line, 2, b, sizeof b));
        while (k < known && strcmp(name[k], key) != 0)
            k++;
        assert_true(k < known);
        memcpy(place[n], mm[k], sizeof place[n]);
        map[n] = strtod(field(line, first, a, sizeof a), NULL);
        other[n++] = strtod(field(line, second, a, sizeof a), NULL);
    }
    fclose(f);
    assert_int_equal(n, 68);
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = golden();
    check_likeness(ctx, "DK68", n, (const double(*)[3])place, map, other, json_object_get(doc, "dk68"));
    json_decref(doc);
    nep_ctx_free(ctx);
}

static void test_likeness_on_schaefer400(void **state)
{
    (void)state;
    static double place[MOST][3], map[MOST], other[MOST];
    char line[4096], a[64];
    if (!test_shared())
        test_skip();
    FILE *f = shared_file("hansen_receptors/Schaefer_400_centres.txt");
    for (int i = 0; i < 400; i++)
        assert_int_equal(fscanf(f, "%*s %lf %lf %lf", &place[i][0], &place[i][1], &place[i][2]), 3);
    fclose(f);
    f = shared_file("hansen_receptors/receptor_data_scale400.csv");
    for (int i = 0; i < 400; i++) {
        assert_non_null(fgets(line, sizeof line, f));
        map[i] = strtod(field(line, 0, a, sizeof a), NULL);
        other[i] = strtod(field(line, 4, a, sizeof a), NULL);
    }
    fclose(f);
    nep_ctx *ctx = test_ctx(2);
    json_t *doc = golden();
    check_likeness(ctx, "Schaefer-400", 400, (const double(*)[3])place, map, other, json_object_get(doc, "schaefer400"));
    json_decref(doc);
    nep_ctx_free(ctx);
}

static void test_bits_do_not_depend_on_the_rest(void **state)
{
    (void)state;
    nep_ctx *one = test_ctx(1), *three = test_ctx(3);
    json_t *doc = golden();
    double place[MOST][3], map[MOST];
    static double all[600 * 150], part[40 * 150], other[150];
    const int64_t n = scene_of(json_array_get(json_object_get(doc, "steps"), 1), place, map);
    nep_variogram *v = NULL;
    assert_ok(one, nep_variogram_create(one, n, (const double(*)[3])place, &v));
    assert_ok(one, nep_variogram_draw(one, v, map, 5, 1, 0, 600, false, all));
    assert_ok(three, nep_variogram_draw(three, v, map, 5, 1, 240, 40, false, part));
    assert_memory_equal(all + 240 * n, part, sizeof part);
    assert_ok(three, nep_variogram_draw(three, v, map, 5, 2, 0, 1, false, other));
    assert_memory_not_equal(all, other, sizeof other);
    assert_ok(three, nep_variogram_draw(three, v, map, 6, 1, 0, 1, false, other));
    assert_memory_not_equal(all, other, sizeof other);
    assert_ok(one, nep_variogram_draw(one, v, map, 6, 1, 0, 0, false, NULL));
    nep_variogram_free(v);
    json_decref(doc);
    nep_ctx_free(three);
    nep_ctx_free(one);
}

static void test_refusals(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    double place[12][3] = {{0}}, map[12], out[12] = {-7.0};
    nep_variogram *v = NULL;
    assert_fails(nep_variogram_create(ctx, 9, (const double(*)[3])place, &v), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "at least 10"));
    nep_ctx_clear(ctx);
    assert_fails(nep_variogram_create(ctx, 12, (const double(*)[3])place, &v), NEP_E_ARG); /* all at one place */
    assert_non_null(strstr(nep_ctx_error(ctx), "all alike"));
    nep_ctx_clear(ctx);
    assert_null(v);
    for (int i = 0; i < 12; i++) {
        place[i][0] = (double)(i * i);
        map[i] = 3.0;
    }
    assert_ok(ctx, nep_variogram_create(ctx, 12, (const double(*)[3])place, &v));
    assert_fails(nep_variogram_draw(ctx, v, map, 1, 1, 0, 1, false, out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "constant"));
    nep_ctx_clear(ctx);
    map[4] = (double)NAN;
    assert_fails(nep_variogram_draw(ctx, v, map, 1, 1, 0, 1, false, out), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "place 5 of 12"));
    assert_true(out[0] == -7.0);
    nep_variogram_free(v);
    nep_ctx_free(ctx);
}

/* NumPy's percentile of a few numbers, by hand. */
static void test_percentile(void **state)
{
    (void)state;
    const double x[] = {1, 2, 4, 8};
    assert_near(nep_variogram_percentile(x, 4, 25.0), 1.75, 1e-15);
    assert_near(nep_variogram_percentile(x, 4, 50.0), 3.0, 1e-15);
    assert_near(nep_variogram_percentile(x, 4, 100.0), 8.0, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_the_peer),        cmocka_unit_test(test_likeness_on_made_up_maps),
        cmocka_unit_test(test_likeness_on_dk68),         cmocka_unit_test(test_likeness_on_schaefer400),
        cmocka_unit_test(test_bits_do_not_depend_on_the_rest), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_percentile),
    };
    return test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
