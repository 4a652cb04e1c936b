/* SPDX-License-Identifier: Apache-2.0 */
/* Spins drawn on the context's backend: the host rig's kernels give what the CPU gives, and it is the device that was asked. */
#include <nepenthe/backend.h>

#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"
#include "field.h"

enum { SIDE = 19, N = 2 * SIDE, VERTICES = 130, COUNT = 21 };

static const nep_nulls_kind kinds[] = {NEP_NULLS_SPIN, NEP_NULLS_SPIN_HUNGARIAN, NEP_NULLS_SPIN_NEAREST, NEP_NULLS_SPIN_BAUM,
                                       NEP_NULLS_SPIN_CORNBLATH};

/* Surrogates 5 .. of one kind and its rate of false positives. */
static void draw(nep_ctx *ctx, nep_nulls_kind kind, double *out, nep_nulls_rate *rate)
{
    nep_geometry g = field_geometry(ctx, SIDE, 0);
    nep_surface s = field_surface(ctx, &g, VERTICES);
    nep_nulls *nulls = NULL;
    double map[N];
    field_map(&g, 1, map);
    map[3] = (double)NAN;
    assert_ok(ctx, nep_nulls_create_on(ctx, &g, NULL, kind, &s, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, map, 2, 5, COUNT, out));
    assert_ok(ctx, nep_nulls_false_positive(ctx, nulls, 30.0, 12, 39, 0.2, 0, rate));
    nep_nulls_free(nulls);
    nep_surface_free(&s);
    nep_geometry_free(&g);
}

static void test_rig_draws_as_cpu(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    static double want[COUNT * N], got[COUNT * N];
    assert_ok(rig, rig_choose(rig, 1000)); /* the front doors tile */
    for (int k = 0; k < NEP_LEN(kinds); k++) {
        nep_nulls_rate r, q;
        draw(cpu, kinds[k], want, &r);
        draw(rig, kinds[k], got, &q);
        assert_memory_equal(want, got, sizeof want);
        assert_true(r.rate == q.rate);
        assert_int_equal(rig_blocks(), 0);
    }
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

/* Without device memory a draw fails, but for the assignment of least sum, which stays on the host. */
static void test_the_device_does_the_work(void **state)
{
    (void)state;
    nep_ctx *rig = test_ctx(1);
    nep_geometry g = field_geometry(rig, SIDE, 0);
    nep_surface s = field_surface(rig, &g, VERTICES);
    double map[N], out[COUNT * N] = {-1.0};
    field_map(&g, 1, map);
    assert_ok(rig, rig_choose(rig, 0));
    for (int k = 0; k < NEP_LEN(kinds); k++) {
        nep_nulls *nulls = NULL;
        assert_ok(rig, nep_nulls_create_on(rig, &g, NULL, kinds[k], &s, &nulls));
        rig_fail_malloc_at(0);
        if (kinds[k] == NEP_NULLS_SPIN_HUNGARIAN)
            assert_ok(rig, nep_nulls_draw(rig, nulls, map, 2, 0, COUNT, out));
        else
            assert_fails(nep_nulls_draw(rig, nulls, map, 2, 0, COUNT, out), NEP_E_NOMEM);
        rig_fail_malloc_at(-1);
        nep_ctx_clear(rig);
        nep_nulls_free(nulls);
    }
    nep_surface_free(&s);
    nep_geometry_free(&g);
    nep_ctx_free(rig);
}

/* What was placed on one backend is not read on another. */
static void test_another_backend_is_refused(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(1), *rig = test_ctx(1);
    nep_geometry g = field_geometry(cpu, SIDE, 0);
    nep_nulls *nulls = NULL;
    int32_t index[N] = {-9};
    assert_ok(rig, rig_choose(rig, 0));
    assert_ok(cpu, nep_nulls_create(cpu, &g, NULL, NEP_NULLS_SPIN_NEAREST, &nulls));
    assert_fails(nep_nulls_indices(rig, nulls, 0, 0, 1, index), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(rig), "placed on cpu and the work is to be done on rig"));
    assert_int_equal(index[0], -9);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rig_draws_as_cpu),
        cmocka_unit_test(test_the_device_does_the_work),
        cmocka_unit_test(test_another_backend_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
