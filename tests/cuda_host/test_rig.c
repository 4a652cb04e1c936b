/* SPDX-License-Identifier: Apache-2.0 */
/* The rig catches what it exists to catch: each test fails when the rig is blind to its mistake. */
#include "support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/cuda_link.h"
#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"

enum { N = 64, TRIES = 30 };

void bug_reverse(const int *x, int *out, int barrier);
void bug_overrun(int *out, unsigned by);
void bug_overrun_dynamic(int *out, unsigned by);
void bug_half_barrier(int *out);
void bug_half_shuffle(int *out);
void bug_unwritten(int *out);
void bug_warp_operations(int *out, unsigned long long *sum, double *largest);

static int wrong_reversals(int barrier)
{
    int x[N], out[N], wrong = 0;
    for (int i = 0; i < N; i++)
        x[i] = i;
    for (unsigned seed = 0; seed < TRIES; seed++) {
        rig_reseed(seed);
        bug_reverse(x, out, barrier);
        int bad = 0;
        for (int i = 0; i < N; i++)
            bad |= out[i] != N - 1 - i;
        wrong += bad;
    }
    return wrong;
}

static void test_missing_barrier(void **state)
{
    (void)state;
    assert_int_equal(wrong_reversals(1), 0);
    assert_true(wrong_reversals(0) == TRIES);
}

static void test_seed_replays(void **state)
{
    (void)state;
    int x[N], first[N], second[N];
    for (int i = 0; i < N; i++)
        x[i] = i;
    rig_reseed(7);
    bug_reverse(x, first, 0);
    rig_reseed(7);
    bug_reverse(x, second, 0);
    assert_memory_equal(first, second, sizeof first);
}

static void test_unwritten_shared(void **state)
{
    (void)state;
    int out[N], seen = 0;
    for (unsigned seed = 0; seed < TRIES; seed++) {
        rig_reseed(seed);
        bug_unwritten(out);
        seen += out[0] != 0;
    }
    assert_true(seen > 0);
}

/* Runs `bug` in a child: what it wrote on stderr; fails when the child came to a good end. */
static void dies_saying(void (*bug)(void), const char *sentence)
{
    int ends[2];
    char said[65536];
    size_t n = 0;
    ssize_t got;
    int status;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        signal(SIGABRT, SIG_DFL); /* the harness turns it into a failed test */
        bug();
        _exit(0);
    }
    close(ends[1]);
    while (n < sizeof said - 1 && (got = read(ends[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(ends[0]);
    assert_true(waitpid(child, &status, 0) == child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (!strstr(said, sentence))
        fail_msg("'%s' is not in: %s", sentence, said);
    assert_non_null(strstr(said, "NEP_RIG_SEED="));
}

static int *exact; /* an exact heap block of N ints */

static void shared_overrun(void)
{
    bug_overrun(exact, 1);
}

static void dynamic_overrun(void)
{
    bug_overrun_dynamic(exact, 1);
}

static void device_overrun(void)
{
    int x[N] = {0};
    bug_reverse(x, exact + 1, 1);
}

static void half_barrier(void)
{
    bug_half_barrier(exact);
}

static void half_shuffle(void)
{
    bug_half_shuffle(exact);
}

static void test_deaths(void **state)
{
    (void)state;
    exact = malloc(N * sizeof *exact);
    bug_overrun(exact, 0);
    bug_overrun_dynamic(exact, 0);
    dies_saying(shared_overrun, "heap-buffer-overflow");
    dies_saying(dynamic_overrun, "heap-buffer-overflow");
    dies_saying(device_overrun, "heap-buffer-overflow");
    dies_saying(half_barrier, "barrier divergence: of 64 threads 32 wait at a block barrier");
    dies_saying(half_shuffle, "barrier divergence");
    free(exact);
}

static void test_warp_operations(void **state)
{
    (void)state;
    int out[7 * N];
    unsigned long long sum = 0;
    double largest = -1;
    bug_warp_operations(out, &sum, &largest);
    for (int i = 0; i < N; i++) {
        const int lane = i % 32, first = i - lane;
        assert_int_equal(out[i], lane + 4 < 32 ? i + 4 : i);
        assert_int_equal(out[N + i], lane >= 4 ? i - 4 : i);
        assert_int_equal(out[2 * N + i], i ^ 1);
        assert_int_equal(out[3 * N + i], first + 3);
        assert_int_equal((unsigned)out[4 * N + i], 0xAAAAAAAAu);
        assert_int_equal(out[5 * N + i], first == 32);
        assert_int_equal(out[6 * N + i], first == 0);
    }
    assert_int_equal(sum, 10 * N);
    assert_true(largest == N - 1);
}

/* What --device cuda says where there is no driver, an old one, no device, or another index. */
static void says(nep_ctx *ctx, int driver, int devices, const char *sentence)
{
    rig_pretend(driver, devices);
    nep_ctx_clear(ctx);
    assert_fails(rig_choose(ctx, 0), NEP_E_DEVICE);
    if (!strstr(nep_ctx_error(ctx), sentence))
        fail_msg("'%s' is not in: %s", sentence, nep_ctx_error(ctx));
    rig_pretend(13000, 1);
}

static void test_no_device(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    says(ctx, 0, 0, "no NVIDIA driver");
    says(ctx, 12040, -1, "the driver knows CUDA 12.4, this build needs 13.0");
    says(ctx, 13000, 0, "no GPU is visible");
    nep_ctx_clear(ctx);
    assert_ok(ctx, rig_choose(ctx, 0));
    nep_ctx_free(ctx);
    assert_int_equal(rig_blocks(), 0);
}

/* Blocks come from a pool that keeps as much as the context may use, or one by one on a device without pools. */
static void test_pool(void **state)
{
    (void)state;
    for (int pools = 0; pools < 2; pools++) {
        nep_ctx *ctx = NULL;
        const nep_ctx_opts opts = {.threads = 1, .vram_bytes = 5000};
        double x[100] = {3}, back[100];
        nep_buf a = {0}, b = {0};
        assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
        rig_pretend_pools(pools);
        assert_ok(ctx, rig_choose(ctx, 0));
        assert_int_equal(rig_pools(), pools);
        assert_true(!pools || rig_pool_keeps() == 5000);
        for (int i = 0; i < 20; i++) { /* more in turn than fits at once */
            assert_ok(ctx, nep_buf_put(ctx, x, NEP_F64, 100, "x", &a));
            assert_ok(ctx, nep_buf_get(ctx, &a, back));
            nep_buf_free(&a);
        }
        assert_true(back[0] == 3);
        assert_ok(ctx, nep_buf_new(ctx, NEP_F64, 400, "most of it", &a));
        assert_fails(nep_buf_new(ctx, NEP_F64, 400, "as much again", &b), NEP_E_NOMEM);
        nep_buf_free(&a);
        assert_int_equal(rig_blocks(), 0);
        nep_ctx_free(ctx);
        assert_int_equal(rig_pools(), 0);
    }
}

static void test_measure(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_module_rates r = {0};
    assert_ok(ctx, rig_choose(ctx, 0));
    assert_ok(ctx, nep_cuda_module(nep_module_hash(), NULL)->measure(ctx, 64, &r));
    assert_true(r.copy_gbs > 0 && r.f64_gflops > 0 && r.f32_gflops > 0);
    nep_ctx_free(ctx);
    assert_int_equal(rig_blocks(), 0);
}

static void test_other_interface(void **state)
{
    (void)state;
    assert_null(nep_cuda_module(nep_module_hash() + 1, NULL));
    assert_non_null(nep_cuda_module(nep_module_hash(), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_barrier),  cmocka_unit_test(test_seed_replays),
        cmocka_unit_test(test_unwritten_shared), cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_warp_operations),  cmocka_unit_test(test_no_device),
        cmocka_unit_test(test_other_interface),  cmocka_unit_test(test_pool),
        cmocka_unit_test(test_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
