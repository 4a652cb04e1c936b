/* SPDX-License-Identifier: Apache-2.0 */
/* core - status table, context, memory, files, hashes, checkpoints, Philox. */
#include "support.h"

#include <nepenthe/math/philox.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_status_table_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < NEP_STATUS_COUNT; i++) {
        const nep_status st = (nep_status)i;
        assert_int_equal(nep_status_find(nep_status_symbol(st)), st);
        assert_true(strlen(nep_status_text(st)) > 0 && strlen(nep_status_hint(st)) > 0);
    }
    assert_int_equal(nep_status_exit(NEP_E_TRUNCATED), 65);
    assert_int_equal(nep_status_exit(NEP_E_CONFIG), 78);
    assert_string_equal(nep_status_symbol((nep_status)999), "INTERNAL");
    assert_int_equal(nep_status_find("NO_SUCH"), NEP_STATUS_COUNT);
}

static void test_first_sentence_is_kept_on_one_line(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    assert_fails(nep_ctx_fail(ctx, NEP_E_ARG, "deep: 'a\nb' is wrong"), NEP_E_ARG);
    assert_fails(nep_ctx_fail(ctx, NEP_E_IO, "shallow"), NEP_E_IO);
    assert_string_equal(nep_ctx_error(ctx), "deep: 'a?b' is wrong");
    nep_ctx_clear(ctx);
    assert_string_equal(nep_ctx_error(ctx), "");
    nep_ctx_free(ctx);
}

static void test_memory_has_a_budget(void **state)
{
    (void)state;
    nep_ctx *ctx = NULL;
    const nep_ctx_opts opts = {.mem_bytes = 1 << 20};
    assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
    char *a = NULL, *b = (char *)1;
    assert_ok(ctx, nep_alloc(ctx, 1 << 19, 1, "half", &a));
    assert_int_equal((uintptr_t)a % 64, 0);
    assert_int_equal(a[0] | a[(1 << 19) - 1], 0);
    assert_fails(nep_alloc(ctx, (1 << 19) + 1, 1, "more than half", &b), NEP_E_NOMEM);
    assert_non_null(strstr(nep_ctx_error(ctx), "--mem-mb"));
    assert_ptr_equal(b, (char *)1);
    nep_ctx_clear(ctx);
    assert_fails(nep_alloc(ctx, INT64_MAX / 2, 8, "too many", &b), NEP_E_ARG);
    nep_alloc_fail_at(ctx, 1);
    char *c = NULL, *d = NULL;
    assert_ok(ctx, nep_alloc(ctx, 1, 1, "first", &c));
    nep_ctx_clear(ctx);
    assert_fails(nep_alloc(ctx, 1, 1, "second", &d), NEP_E_NOMEM);
    assert_ok(ctx, nep_alloc(ctx, 1, 1, "third", &d));
    nep_alloc_free(a);
    nep_alloc_free(c);
    nep_alloc_free(d);
    nep_alloc_free(NULL);
    assert_int_equal(nep_alloc_used(ctx), 0);
    assert_int_equal(nep_alloc_peak(ctx), (1 << 19) + 2);
    nep_ctx_free(ctx);
}

static void test_growing_keeps_what_was_there(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    int32_t *x = NULL;
    assert_ok(ctx, nep_alloc_grow(ctx, 3, sizeof *x, "x", &x));
    x[2] = 7;
    assert_ok(ctx, nep_alloc_grow(ctx, 1000, sizeof *x, "x", &x));
    assert_int_equal(x[2], 7);
    assert_int_equal(x[999], 0);
    const int64_t large = (int64_t)24 << 20; /* 96 MiB: in large pages where there are some, as whole and as zero as any */
    assert_ok(ctx, nep_alloc_grow(ctx, large, sizeof *x, "x", &x));
    assert_int_equal((uintptr_t)x % 64, 0);
    assert_int_equal(x[2], 7);
    for (int64_t i = 1000; i < large; i += 9999)
        assert_int_equal(x[i], 0);
    x[large - 1] = 8;
    assert_int_equal(x[large - 1], 8);
    nep_alloc_free(x);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_files_are_atomic(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    char folder[] = "/tmp/nepenthe-test-XXXXXX", path[128], *text = NULL;
    int64_t n = 0;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.txt", folder);
    nep_file *f = NULL;
    assert_ok(ctx, nep_file_create(ctx, path, &f));
    assert_ok(ctx, nep_file_printf(f, "old"));
    assert_false(nep_file_exists(path));
    assert_ok(ctx, nep_file_commit(f));
    assert_ok(ctx, nep_file_create(ctx, path, &f));
    assert_ok(ctx, nep_file_printf(f, "new"));
    nep_file_abort(f);
    assert_ok(ctx, nep_file_read(ctx, path, 100, &text, &n));
    assert_int_equal(n, 3);
    assert_string_equal(text, "old");
    nep_alloc_free(text);
    assert_fails(nep_file_read(ctx, path, 2, &text, &n), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_file_read(ctx, folder, 2, &text, &n), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_file_create(ctx, folder, &f), NEP_E_WRITE); /* a folder is not replaced */
    nep_ctx_clear(ctx);
    assert_fails(nep_file_read(ctx, "/no/such/file", 2, &text, &n), NEP_E_MISSING);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* no temporary stayed behind */
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

/* XXH3 128-bit of the empty input, seed 0: value published in the xxHash specification's test list. */
static void test_hash_of_nothing(void **state)
{
    (void)state;
    assert_string_equal(nep_hash_bytes("", 0).hex, "99aa06d3014798d86001c324468d497f");
}

static void test_checkpoint_needs_its_key_and_its_content(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    char path[] = "/tmp/nepenthe-checkpoint-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    const nep_hash key = nep_hash_bytes("a", 1), other = nep_hash_bytes("b", 1);
    const double saved[2] = {1.5, -2.5};
    double got[2] = {0, 0};
    bool found = true;
    assert_ok(ctx, nep_checkpoint_save(ctx, path, &key, saved, sizeof saved));
    assert_ok(ctx, nep_checkpoint_load(ctx, path, &other, got, sizeof got, &found));
    assert_false(found);
    assert_ok(ctx, nep_checkpoint_load(ctx, path, &key, got, sizeof got, &found));
    assert_true(found);
    assert_memory_equal(saved, got, sizeof got);
    FILE *f = fopen(path, "r+b");
    fseek(f, -1, SEEK_END);
    fputc(0x55, f);
    fclose(f);
    assert_ok(ctx, nep_checkpoint_load(ctx, path, &key, got, sizeof got, &found));
    assert_false(found);
    close(fd);
    unlink(path);
    nep_ctx_free(ctx);
}

/* Random123's kat_vectors for philox4x32, 10 rounds. */
static void test_philox_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t c[4], k[2], want[4];
    } kat[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < NEP_LEN(kat); i++) {
        nep_philox_block b;
        memcpy(b.v, kat[i].c, sizeof b.v);
        b = nep_philox4x32(b, kat[i].k[0], kat[i].k[1]);
        assert_memory_equal(b.v, kat[i].want, sizeof b.v);
    }
}

static void test_normals_have_the_moments_of_a_normal(void **state)
{
    (void)state;
    enum { N = 200000 };
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
    for (uint64_t i = 0; i < N; i++) {
        const double z = nep_philox_normal(7, 3, i);
        m1 += z;
        m2 += z * z;
        m3 += z * z * z;
        m4 += z * z * z * z;
    }
    /* five standard errors of each moment's mean */
    assert_true(fabs(m1 / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m2 / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m3 / N) < 5 * sqrt(15.0 / N));
    assert_true(fabs(m4 / N - 3) < 5 * sqrt(96.0 / N));
}

static void test_special_functions_against_libm(void **state)
{
    (void)state;
    for (int i = -7000; i <= 7000; i += 7) {
        const double x = i / 10.0;
        assert_true(fabs(nep_special_exp(x) - exp(x)) <= 4e-16 * exp(x));
        const double y = exp(x);
        if (y > 1e-300)
            assert_true(fabs(nep_special_log(y) - log(y)) <= 4e-16 * fmax(1e-2, fabs(log(y))));
    }
    /* published quantiles of the standard normal */
    assert_near(nep_special_normal_quantile(0.975), 1.959963984540054, 3e-9);
    assert_near(nep_special_normal_quantile(0.5), 0.0, 1e-15);
    assert_near(nep_special_normal_quantile(1e-10), -6.361340902404056, 3e-9);
}

static void test_permutations_are_permutations_and_uniform(void **state)
{
    (void)state;
    enum { N = 5, DRAWS = 24000 };
    int32_t p[N];
    int64_t first[N][N] = {{0}};
    for (uint64_t s = 0; s < DRAWS; s++) {
        nep_philox_permutation(11, s, N, p);
        int seen = 0;
        for (int i = 0; i < N; i++) {
            seen |= 1 << p[i];
            first[i][p[i]]++;
        }
        assert_int_equal(seen, (1 << N) - 1);
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            assert_true(fabs((double)first[i][j] - DRAWS / 5.0) < 5 * sqrt(DRAWS * 0.2 * 0.8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_table_is_whole),
        cmocka_unit_test(test_first_sentence_is_kept_on_one_line),
        cmocka_unit_test(test_memory_has_a_budget),
        cmocka_unit_test(test_growing_keeps_what_was_there),
        cmocka_unit_test(test_files_are_atomic),
        cmocka_unit_test(test_hash_of_nothing),
        cmocka_unit_test(test_checkpoint_needs_its_key_and_its_content),
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_normals_have_the_moments_of_a_normal),
        cmocka_unit_test(test_special_functions_against_libm),
        cmocka_unit_test(test_permutations_are_permutations_and_uniform),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
