/* SPDX-License-Identifier: Apache-2.0 */
/* Parity: every op on the CPU against the CUDA sources, on the host rig in every test run and, as `parity_cuda cuda [small]
 * [--json FILE]`, on a GPU (skipped without one unless NEP_REQUIRE_GPU is set). Also: the same bits for any thread count and
 * kernel family, and a clean end whichever allocation fails. The classes are those of NEP_OP_LIST. */
#include "backend/parity_near.h"
#include "backend/parity_search.h"
#include "backend/parity_spin.h"

#include <unistd.h>

#include <nepenthe/backend.h>

#include "backend/cpu.h"
#include "backend/module.h"
#if !defined(NEP_PARITY_WITHOUT_RIG)
#include <jansson.h>

#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"
#endif

static const struct {
    const char *name;
    nep_status (*run)(nep_ctx *ctx, const shape *s, result *r);
} rows[] = {
    {"occupancy", run_occupancy},
    {"parcel_sums", run_parcel_sums},
    {"weighted_sums", run_weighted_sums},
    {"moments", run_moments},
    {"apply_operator", run_apply_operator},
    {"amplitude_sums", run_amplitude_sums},
    {"gram", run_gram},
    {"difference_squares", run_difference_squares},
    {"permute_t", run_permute_t},
    {"tanimoto", run_tanimoto},
    {"quadratic_forms", run_quadratic_forms},
    {"exceedances", run_exceedances},
    {"best_pair", run_best_pair},
    {"resample", run_resample},
    {"smooth_axis", run_smooth_axis},
    {"lag_products", run_lag_products},
    {"time_ranks", run_time_ranks},
    {"neighbour_ranks", run_neighbour_ranks},
    {"paired_dots", run_paired_dots},
    {"permute_maps", run_permute_maps},
    {"pair_sums", run_pair_sums},
    {"top_pairs", run_top_pairs},
    {"project_rows", run_project_rows},
    {"bit_hits", run_bit_hits},
    {"dense_hits", run_dense_hits},
    {"dense_scores", run_dense_scores},
    {"sparse_product", run_sparse_product},
    {"pair_squares", run_pair_squares},
    {"logit_sums", run_logit_sums},
    {"spin_nearest", run_spin_nearest},
    {"spin_greedy", run_spin_greedy},
    {"shell_smooth", run_shell_smooth},
    {"shell_squares", run_shell_squares},
    {"list_smooth", run_list_smooth},
    {"list_squares", run_list_squares},
    {"mode_sums", run_mode_sums},
    {"sparse_chebyshev", run_sparse_chebyshev},
};
_Static_assert(NEP_LEN(rows) == NEP_OP_COUNT, "an op without a parity row does not compile");

/* Row i is op i, in the class the op list gives it. */
static const struct {
    const char *name;
    parity_class parity;
} ops[] = {
#define NEP_X(name, parity) {#name, parity},
    NEP_OP_LIST(NEP_X)
#undef NEP_X
};

static nep_status try_row(nep_ctx *ctx, int row, const shape *s, result *r)
{
    *r = (result){.parity = ops[row].parity};
    assert_string_equal(rows[row].name, ops[row].name);
    nep_ctx_clear(ctx);
    return rows[row].run(ctx, s, r);
}

static result run_row(nep_ctx *ctx, int row, const shape *s)
{
    result r;
    assert_ok(ctx, try_row(ctx, row, s, &r));
    return r;
}

/* How many shapes were compared. */
static int compare_contexts(nep_ctx *cpu, nep_ctx *other, int64_t most_cells, tally *t)
{
    int kept = 0;
    for (int k = 0; k < NEP_LEN(shapes); k++) {
        if (shapes[k].rows * shapes[k].cols > most_cells)
            continue;
        kept++;
        for (int row = 0; row < NEP_LEN(rows); row++) {
            result want = run_row(cpu, row, &shapes[k]), got;
            if (try_row(other, row, &shapes[k], &got) == NEP_OK)
                tally_add(&t[row], &shapes[k], &want, &got);
            else
                tally_refused(&t[row], &shapes[k], nep_ctx_error(other));
            result_free(&want);
            result_free(&got);
        }
    }
    return kept;
}

static void tally_name(tally *t)
{
    static const char *const names[] = {"EXACT", "FORMULA", "REDUCTION", "GEMM"};
    for (int row = 0; row < NEP_LEN(rows); row++)
        t[row] = (tally){.op = rows[row].name, .parity = names[ops[row].parity]};
}

/* ---- the tests ------------------------------------------------------------------------------------------------ */
static void test_threads(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 7};
    static const shape sizes[] = {{60, 1500, true}, {96, 70, false}, {3, 40000, false}};
    nep_ctx *one = test_ctx(1);
    for (int i = 0; i < NEP_LEN(threads); i++) {
        nep_ctx *many = test_ctx(threads[i]);
        for (int row = 0; row < NEP_LEN(rows); row++)
            for (int k = 0; k < NEP_LEN(sizes); k++) {
                result want = run_row(one, row, &sizes[k]), got = run_row(many, row, &sizes[k]);
                assert_int_equal(want.n, got.n);
                if (want.n && memcmp(want.value, got.value, (size_t)want.n * sizeof *want.value) != 0)
                    fail_msg("%s: %d threads give other bits than one", rows[row].name, threads[i]);
                result_free(&want);
                result_free(&got);
            }
        nep_ctx_free(many);
    }
    nep_ctx_free(one);
}

static void test_families(void **state)
{
    (void)state;
    const shape s = {60, 1500, true};
    nep_ctx *ctx = test_ctx(2);
    for (int row = 0; row < NEP_LEN(rows); row++) {
        result best = run_row(ctx, row, &s);
        for (nep_cpu_family f = NEP_CPU_SCALAR; f < NEP_CPU_AVX512_POPCNT; f++) {
            nep_cpu_family_limit(f);
            result got = run_row(ctx, row, &s);
            nep_cpu_family_limit(NEP_CPU_AVX512_POPCNT);
            if (memcmp(best.value, got.value, (size_t)best.n * sizeof *best.value) != 0)
                fail_msg("%s: family %s gives other bits", rows[row].name, nep_cpu_family_name(f));
            result_free(&got);
        }
        result_free(&best);
    }
    nep_ctx_free(ctx);
}

/* What must be equal is told from what may be near: an infinity or a NaN is never near anything. */
static void test_error(void **state)
{
    (void)state;
    const double inf = (double)INFINITY, nan = (double)NAN;
    assert_true(parity_error(1, 1.5, 1) == 0.5);
    assert_true(parity_error(1, 1, 0) == 0 && parity_error(inf, inf, inf) == 0 && parity_error(nan, nan, nan) == 0);
    assert_true(parity_error(inf, 1, inf) == inf && parity_error(1, inf, 1) == inf && parity_error(inf, -inf, inf) == inf);
    assert_true(parity_error(nan, 1, 1) == inf && parity_error(1, nan, inf) == inf && parity_error(inf, nan, inf) == inf);
    assert_true(parity_error(1, 2, inf) == inf && parity_error(1, 2, nan) == inf && parity_error(1, 2, 0) == inf);
    result want = {.parity = REDUCTION}, got = {.parity = REDUCTION};
    push(&want, inf, inf, FLOAT64);
    push(&got, 1e300, 1e300, FLOAT64);
    tally t = {.op = "op"};
    tally_add(&t, &shapes[0], &want, &got);
    assert_int_equal(t.mismatches, 1);
    assert_true(t.worst == inf);
    t = (tally){.op = "op"};
    tally_refused(&t, &shapes[1], "no device");
    assert_int_equal(t.mismatches, 1);
    assert_string_equal(t.first, "2 x 1: no device");
    result_free(&want);
    result_free(&got);
}

enum { TILE = 8192 }; /* bytes, so that the front doors have to tile */

#if !defined(NEP_PARITY_WITHOUT_RIG)
/* The report of the rig's tally as a reader finds it. */
static void written_tally(tally *t)
{
    char path[] = "/tmp/nepenthe-parity-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    t[1].mismatches = 2; /* one op that failed */
    t[1].worst = (double)INFINITY;
    snprintf(t[1].first, sizeof t[1].first, "value 0 is \"nan\"");
    const bool wrote = tally_write(t, NEP_OP_COUNT, "host rig", NEP_LEN(shapes), path);
    json_t *report = json_load_file(path, 0, NULL), *list = json_object_get(report, "ops");
    unlink(path);
    assert_true(wrote && report);
    assert_int_equal(json_array_size(list), NEP_OP_COUNT);
    for (size_t i = 0; i < NEP_OP_COUNT; i++) {
        const json_t *op = json_array_get(list, i), *worst = json_object_get(op, "worst_in_tolerances");
        assert_string_equal(json_string_value(json_object_get(op, "op")), rows[i].name);
        assert_true(json_integer_value(json_object_get(op, "values")) > 0);
        assert_true(i == 1 ? json_is_null(worst) : json_is_number(worst) && json_number_value(worst) <= 1);
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "first_mismatch")), "value 0 is \"nan\"");
    json_decref(report);
}

static void test_rig(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    tally t[NEP_OP_COUNT];
    tally_name(t);
    assert_ok(rig, rig_choose(rig, 0));
    assert_int_equal(compare_contexts(cpu, rig, INT64_MAX, t), NEP_LEN(shapes));
    assert_ok(rig, rig_choose(rig, TILE)); /* now the front doors tile */
    assert_int_equal(compare_contexts(cpu, rig, INT64_MAX, t), NEP_LEN(shapes));
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
    assert_int_equal(rig_blocks(), 0);
    tally_print(t, NEP_OP_COUNT);
    tally_assert(t, NEP_OP_COUNT);
    written_tally(t);
}

/* The smallest work goes to the backend that was chosen: nothing is sent to the CPU because it is small. */
static void test_no_switch_by_size(void **state)
{
    (void)state;
    const float one = 1;
    float out = -1;
    nep_ctx *rig = test_ctx(1);
    assert_ok(rig, rig_choose(rig, 0));
    rig_fail_malloc_at(0);
    assert_fails(nep_backend_occupancy(rig, &one, &one, &one, 1, &out), NEP_E_NOMEM);
    rig_fail_malloc_at(-1);
    assert_true(out == -1);
    nep_ctx_clear(rig);
    assert_ok(rig, nep_backend_occupancy(rig, &one, &one, &one, 1, &out));
    assert_true(out == 0.5f);
    nep_ctx_free(rig);
}

/* The op itself counts maxima when it is asked to: the front door of the rig counts them on the host. */
static void test_count_max_op(void **state)
{
    (void)state;
    const double y[] = {.7, .5, .1, .5, -.1, -.5, -.7, -.5}, basis[] = {.5, .5, -.5, -.5, .5, -.5, .5, -.5};
    const double observed[] = {1.0, 100.0};
    double max_abs[2];
    int64_t count[2] = {0}, by_op[2] = {5, 5}, by_door[2] = {5, 5};
    nep_ctx *rig = test_ctx(1);
    assert_ok(rig, rig_choose(rig, 0));
    assert_ok(rig, nep_backend_rig.ops.permute_t(rig, NULL, y, 4, 2, basis, 2, 0, observed, max_abs, count, by_op));
    assert_ok(rig, nep_backend_permute_t(rig, y, 4, 2, basis, 2, 0, observed, max_abs, count, by_door));
    assert_memory_equal(by_op, by_door, sizeof by_op);
    assert_true(by_op[0] > 5);
    nep_ctx_free(rig);
}

/* Fails the k-th allocation of host or device for each k until the op comes through. */
static void fail_each(nep_ctx *ctx, int row, bool device)
{
    const shape s = {12, 80, false};
    for (int64_t k = 0; k < 200; k++) {
        result r = {.parity = ops[row].parity};
        nep_ctx_clear(ctx);
        if (device)
            rig_fail_malloc_at((long)k);
        else
            nep_alloc_fail_at(ctx, k);
        const nep_status st = rows[row].run(ctx, &s, &r);
        rig_fail_malloc_at(-1);
        nep_alloc_fail_at(ctx, -1);
        assert_int_equal(nep_alloc_used(ctx), 0);
        assert_int_equal(rig_blocks(), 0);
        result_free(&r);
        if (st == NEP_OK)
            return;
        assert_int_equal(st, NEP_E_NOMEM);
        assert_true(strlen(nep_ctx_error(ctx)) > 10);
    }
    fail_msg("%s never comes through", rows[row].name);
}

static void test_failing_memory(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(2);
    assert_ok(rig, rig_choose(rig, 2048));
    for (int row = 0; row < NEP_LEN(rows); row++) {
        fail_each(cpu, row, false);
        fail_each(rig, row, false);
        fail_each(rig, row, true);
    }
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

/* The bound of --vram-mb is a sentence, not a crash. */
static void test_device_bound(void **state)
{
    (void)state;
    nep_ctx *ctx = NULL;
    const nep_ctx_opts opts = {.threads = 1, .vram_bytes = 1000};
    const float x[512] = {0};
    double mean[512], m2[512];
    assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
    assert_ok(ctx, rig_choose(ctx, 0));
    assert_fails(nep_backend_moments(ctx, x, 1, 512, mean, m2), NEP_E_NOMEM);
    assert_non_null(strstr(nep_ctx_error(ctx), "--vram-mb"));
    nep_ctx_free(ctx);
    assert_int_equal(rig_blocks(), 0);
}
#endif

/* ---- on a GPU ------------------------------------------------------------------------------------------------- */
static nep_ctx *gpu;
static int64_t most_cells = INT64_MAX;
static const char *report;

/* The context's own device again, with tiles small enough for these shapes. */
static void tile_gpu(nep_backend *tiled)
{
    const nep_module *m = NULL;
    void *device = NULL;
    assert_ok(gpu, nep_module_load(gpu, &m));
    assert_ok(gpu, m->open(gpu, 0, &device));
    *tiled = *m->backend;
    tiled->tile_bytes = TILE;
    nep_ctx_backend_set(gpu, tiled, device, m->close);
}

static void test_cuda(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(0);
    static nep_backend tiled;
    tally t[NEP_OP_COUNT];
    char text[256];
    tally_name(t);
    int kept = compare_contexts(cpu, gpu, most_cells, t);
    tile_gpu(&tiled);
    kept += compare_contexts(cpu, gpu, most_cells, t);
    nep_ctx_free(cpu);
    tally_print(t, NEP_OP_COUNT);
    assert_ok(gpu, nep_backend_describe(gpu, text, sizeof text));
    if (report && !tally_write(t, NEP_OP_COUNT, text, kept, report))
        fail_msg("%s cannot be written", report);
    tally_assert(t, NEP_OP_COUNT);
}

static int run_cuda(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cuda)};
    char text[256];
    gpu = test_ctx(0);
    if (nep_backend_choose(gpu, "cuda") != NEP_OK || nep_backend_describe(gpu, text, sizeof text) != NEP_OK) {
        printf("parity with CUDA not checked: %s\n", nep_ctx_error(gpu));
        nep_ctx_free(gpu);
        return getenv("NEP_REQUIRE_GPU") ? 1 : NEP_TEST_SKIPPED;
    }
    printf("%s\n", text);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(gpu);
    return failed;
}

static int cuda_options(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "small") == 0) {
            most_cells = SMALL;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            report = argv[++i];
        } else {
            fprintf(stderr, "usage: parity_cuda cuda [small] [--json FILE]\n");
            return 64;
        }
    return run_cuda();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_families),
#if !defined(NEP_PARITY_WITHOUT_RIG)
        cmocka_unit_test(test_rig),
        cmocka_unit_test(test_no_switch_by_size),
        cmocka_unit_test(test_count_max_op),
        cmocka_unit_test(test_failing_memory),
        cmocka_unit_test(test_device_bound),
#endif
    };
    if (argc > 1 && strcmp(argv[1], "cuda") == 0)
        return cuda_options(argc, argv);
#if !defined(NEP_PARITY_WITHOUT_RIG)
    printf("rig seed %llu (NEP_RIG_SEED replays it)\n", rig_seed());
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
