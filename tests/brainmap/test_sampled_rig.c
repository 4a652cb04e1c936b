/* SPDX-License-Identifier: Apache-2.0 */
/* A group of surrogates of matched variogram of very many places on the CPU and on the CUDA sources on the host rig: every column against
 * NumPy and SciPy for given shuffles, noise and sample, in every kernel family; surrogates by number on both, from places that were brought
 * there once. */
#include <jansson.h>

#include "backend/cpu.h"
#include "brainmap/sampled.h"
#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"
#include "support.h"

enum { LAGS = NEP_VARIOGRAM_LAGS, COLS = SAMPLED_COLS, MOST = 600 };

static double at(const json_t *part, const char *name, int64_t i)
{
    const json_t *array = json_object_get(part, name);
    assert_true(i < (int64_t)json_array_size(array));
    return json_number_value(json_array_get(array, (size_t)i));
}

static double at2(const json_t *part, const char *name, int64_t i, int64_t k)
{
    const json_t *row = json_array_get(json_object_get(part, name), (size_t)i);
    assert_true(row && k < (int64_t)json_array_size(row));
    return json_number_value(json_array_get(row, (size_t)k));
}

/* ---- places ---- */
static nep_sampled *make_voxels(nep_ctx *ctx, const json_t *part, const nep_sampled_opts *o)
{
    const char *text = json_string_value(json_object_get(part, "mask"));
    nep_grid g = {.nx = (int64_t)at(part, "dims", 0), .ny = (int64_t)at(part, "dims", 1), .nz = (int64_t)at(part, "dims", 2)};
    bool mask[MOST];
    nep_sampled *s = NULL;
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 4; k++)
            g.affine[r][k] = at2(part, "affine", r, k);
    assert_true(nep_grid_voxels(&g) <= MOST && strlen(text) == (size_t)nep_grid_voxels(&g));
    for (int64_t v = 0; v < nep_grid_voxels(&g); v++)
        mask[v] = text[v] == '1';
    assert_ok(ctx, nep_sampled_voxels(ctx, &g, mask, o, &s));
    return s;
}

static nep_sampled *make_places(nep_ctx *ctx, const json_t *part, const nep_sampled_opts *o)
{
    const int64_t n = (int64_t)json_array_size(json_object_get(part, "place"));
    double place[MOST][3];
    int32_t block[MOST];
    nep_sampled *s = NULL;
    assert_true(n <= MOST);
    for (int64_t i = 0; i < n; i++) {
        block[i] = (int32_t)at(part, "block", i);
        for (int k = 0; k < 3; k++)
            place[i][k] = at2(part, "place", i, k);
    }
    assert_ok(ctx, nep_sampled_listed(ctx, n, (const double(*)[3])place, block, o, &s));
    return s;
}

static nep_sampled *make(nep_ctx *ctx, const json_t *part)
{
    const nep_sampled_opts o = {json_integer_value(json_object_get(part, "neighbours")),
                                (int64_t)json_array_size(json_object_get(part, "sample"))};
    return json_object_get(part, "mask") ? make_voxels(ctx, part, &o) : make_places(ctx, part, &o);
}

/* ---- one group ---- */
typedef struct {
    double z[MOST], sd;
    int32_t order[COLS * MOST], sample[MOST];
    float noise[COLS * MOST];
} chance;

static void take_chance(nep_ctx *ctx, const json_t *part, const nep_sampled *s, chance *t)
{
    double map[MOST];
    for (int64_t i = 0; i < s->n; i++)
        map[i] = at(part, "map", i);
    for (int64_t r = 0; r < s->sample; r++)
        t->sample[r] = (int32_t)at(part, "sample", r);
    for (int64_t c = 0; c < COLS; c++)
        for (int64_t i = 0; i < s->n; i++) {
            t->order[c * s->n + i] = (int32_t)at2(part, "order", c, i);
            t->noise[c * s->n + i] = (float)at2(part, "noise", c, i);
        }
    assert_ok(ctx, nep_variogram_standard(ctx, map, s->n, t->z, &t->sd));
}

static void check_group(const json_t *part, const nep_sampled *s, double sd, const variogram_fit *fit, const float *out)
{
    for (int h = 0; h < LAGS; h++)
        assert_near(s->lag[h] / at(part, "lag", h), 1.0, 1e-6); /* lists hold distances in float32 */
    for (int c = 0; c < COLS; c++) {
        assert_int_equal(fit[c].scale, at(part, "scale", c));
        assert_near(fit[c].alpha, at(part, "alpha", c), 1e-5);
        assert_near(fit[c].beta / at(part, "beta", c), 1.0, 1e-5);
        for (int64_t i = 0; i < s->n; i++)
            assert_near((double)out[c * s->n + i] / sd, at2(part, "value", c, i) / sd, 5e-6);
    }
}

static void run_group(nep_ctx *ctx, const json_t *part, float *out)
{
    static chance t;
    variogram_fit fit[COLS];
    nep_sampled_work work = {0};
    nep_sampled *s = make(ctx, part);
    take_chance(ctx, part, s, &t);
    assert_ok(ctx, nep_sampled_work_new(ctx, s, &work));
    for (int twice = 0; twice < 2; twice++) { /* nothing is left of the first time */
        memset(out, 0xFF, (size_t)(COLS * s->n) * sizeof *out);
        assert_ok(ctx, nep_sampled_blend(ctx, s, t.z, t.sd, t.order, t.noise, t.sample, &work, out, fit));
        check_group(part, s, t.sd, fit, out);
    }
    nep_sampled_work_free(&work);
    nep_sampled_free(s);
}

static void test_group(void **state)
{
    (void)state;
    json_t *doc = json_load_file(TEST_GOLDEN("sampled_group.json"), 0, NULL);
    static const char *const parts[] = {"voxels", "places"};
    static float first[COLS * MOST], out[COLS * MOST];
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    assert_non_null(doc);
    assert_ok(rig, rig_choose(rig, 0));
    for (int k = 0; k < NEP_LEN(parts); k++) {
        const json_t *part = json_object_get(doc, parts[k]);
        for (nep_cpu_family f = NEP_CPU_SCALAR; f <= NEP_CPU_AVX512_POPCNT; f++) {
            nep_cpu_family_limit(f);
            run_group(cpu, part, f == NEP_CPU_SCALAR ? first : out);
            if (f > NEP_CPU_SCALAR && memcmp(first, out, sizeof out) != 0)
                fail_msg("%s: family %s gives other bits", parts[k], nep_cpu_family_name(f));
        }
        run_group(rig, part, out);
    }
    json_decref(doc);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

/* ---- surrogates by number ---- */
enum { DRAWS = 21 };

/* The surrogates 3 .. 23 of the map of a part. */
static nep_sampled *draw(nep_ctx *ctx, const json_t *part, bool own_values, float *out)
{
    double map[MOST];
    nep_sampled *s = make(ctx, part);
    for (int64_t i = 0; i < s->n; i++)
        map[i] = at(part, "map", i);
    assert_ok(ctx, nep_sampled_draw(ctx, s, map, 7, 3, DRAWS, own_values, out));
    return s;
}

static void test_draws(void **state)
{
    (void)state;
    json_t *doc = json_load_file(TEST_GOLDEN("sampled_group.json"), 0, NULL);
    static const char *const parts[] = {"voxels", "places"};
    static float want[DRAWS * MOST], got[DRAWS * MOST];
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    assert_non_null(doc);
    assert_ok(rig, rig_choose(rig, 0));
    for (int k = 0; k < NEP_LEN(parts); k++) {
        const json_t *part = json_object_get(doc, parts[k]);
        nep_sampled *a = draw(cpu, part, false, want), *b = draw(rig, part, false, got);
        for (int64_t i = 0; i < DRAWS * a->n; i++)
            assert_near((double)got[i], (double)want[i], 1e-6);
        /* places stay with the backend they were brought to */
        double map[MOST];
        for (int64_t i = 0; i < a->n; i++)
            map[i] = at(part, "map", i);
        assert_fails(nep_sampled_draw(rig, a, map, 7, 0, 1, false, got), NEP_E_ARG);
        assert_non_null(strstr(nep_ctx_error(rig), "brought to 'cpu'"));
        nep_ctx_clear(rig);
        assert_fails(nep_sampled_draw(cpu, b, map, 7, 0, 1, false, got), NEP_E_ARG);
        nep_ctx_clear(cpu);
        nep_sampled_free(a);
        nep_sampled_free(b);
        nep_sampled_free(draw(cpu, part, true, want));
        nep_sampled_free(draw(rig, part, true, got));
        const int64_t values = DRAWS * (int64_t)json_array_size(json_object_get(part, "map"));
        int64_t moved = 0; /* ranks alone: two values that are nearly equal may change places */
        for (int64_t i = 0; i < values; i++)
            moved += got[i] != want[i];
        assert_true(moved < values / 500);
    }
    json_decref(doc);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

/* The device is really asked: without memory there, no surrogate. */
static void test_device_is_used(void **state)
{
    (void)state;
    json_t *doc = json_load_file(TEST_GOLDEN("sampled_group.json"), 0, NULL);
    const json_t *part = json_object_get(doc, "places");
    nep_ctx *rig = test_ctx(1);
    double map[MOST];
    static float out[MOST];
    int failures = 0;
    assert_ok(rig, rig_choose(rig, 0));
    nep_sampled *s = make(rig, part);
    for (int64_t i = 0; i < s->n; i++)
        map[i] = at(part, "map", i);
    for (int64_t used = nep_alloc_used(rig);; failures++) {
        rig_fail_malloc_at(failures);
        const nep_status st = nep_sampled_draw(rig, s, map, 7, 0, 1, false, out);
        rig_fail_malloc_at(-1);
        assert_int_equal(nep_alloc_used(rig), used);
        if (st == NEP_OK)
            break;
        assert_int_equal(st, NEP_E_NOMEM);
        nep_ctx_clear(rig);
    }
    assert_true(failures >= 8); /* lines, maps, a map, shuffles, a sample, sums, their parts */
    nep_sampled_free(s);
    json_decref(doc);
    nep_ctx_free(rig);
    assert_int_equal(rig_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_device_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
