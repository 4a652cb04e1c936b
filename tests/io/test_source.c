/* SPDX-License-Identifier: Apache-2.0 */
/* rows of other programs' files: what numpy, h5py and RDKit wrote comes back; what is not what it says is named. */
#include "support.h"

#include "files.h"

enum { N = 7, DIMS = 5 };

static int whole(int64_t i, int64_t j) /* tests/golden/make_source.py */
{
    return (int)((31 * i + 17 * j) % 101) - 50;
}

/* All rows are (whole + shift) * factor, whatever the size of the blocks. */
static void check_rows(nep_ctx *ctx, const char *name, const char *dataset, nep_vector_type type, double factor, int shift)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", TEST_GOLDEN("source_"), name);
    for (int64_t block = 1; block <= 8; block += 3) {
        const nep_source_opts opts = {.dataset = dataset};
        nep_source *s = NULL;
        float rows[8 * DIMS];
        char *ids[8];
        int64_t got = 1, done = 0;
        assert_ok(ctx, nep_source_open(ctx, path, &opts, &s));
        const nep_source_info *info = nep_source_about(s);
        assert_int_equal(info->kind, NEP_INDEX_VECTORS);
        assert_int_equal(info->width, DIMS);
        assert_int_equal(info->type, type);
        assert_true(info->n == N || info->n == -1);
        for (; got > 0; done += got) {
            assert_ok(ctx, nep_source_next(s, rows, block, ids, &got));
            for (int64_t i = 0; i < got; i++) {
                for (int64_t j = 0; j < DIMS; j++)
                    assert_near(rows[i * DIMS + j], (whole(done + i, j) + shift) * factor, 0);
                char id[16];
                snprintf(id, sizeof id, "sub-%02d", (int)(done + i));
                if (info->ids)
                    assert_string_equal(ids[i], id);
                else
                    assert_null(ids[i]);
            }
        }
        assert_int_equal(done, N);
        assert_int_equal(info->ids, strcmp(name, "anndata.h5") == 0);
        nep_source_free(s);
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const double eighth = 0.125;
    check_rows(ctx, "f4.npy", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "f4.npy.gz", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "f8.npy", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "f2.npy", NULL, NEP_VECTOR_F16, eighth, 0);
    check_rows(ctx, "v2.npy", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "v3.npy", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "i1.npy", NULL, NEP_VECTOR_F32, 1, 0);
    check_rows(ctx, "u1.npy", NULL, NEP_VECTOR_F32, 1, 50);
    check_rows(ctx, "a.fvecs", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "a.bvecs", NULL, NEP_VECTOR_F32, 1, 50);
    check_rows(ctx, "a.ivecs", NULL, NEP_VECTOR_F32, 1, 0);
    check_rows(ctx, "a.fbin", NULL, NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "a.u8bin", NULL, NEP_VECTOR_F32, 1, 50);
    check_rows(ctx, "a.i8bin", NULL, NEP_VECTOR_F32, 1, 0);
    check_rows(ctx, "one.safetensors", NULL, NEP_VECTOR_BF16, eighth, 0);
    check_rows(ctx, "many.safetensors", "f32", NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "many.safetensors", "f64", NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "many.safetensors", "f16", NEP_VECTOR_F16, eighth, 0);
    check_rows(ctx, "many.safetensors", "bf16", NEP_VECTOR_BF16, eighth, 0);
    check_rows(ctx, "many.safetensors", "i8", NEP_VECTOR_F32, 1, 0);
    check_rows(ctx, "plain.h5", "group/x", NEP_VECTOR_F32, eighth, 0);
    check_rows(ctx, "anndata.h5", NULL, NEP_VECTOR_F32, eighth, 0);
    nep_ctx_free(ctx);
}

/* On-bits of the row against RDKit's list "1,5,...". */
static void check_on_bits(const uint64_t *row, int64_t n_bits, const char *list)
{
    int64_t on = 0, listed = 0;
    for (int64_t b = 0; b < n_bits; b++)
        on += (int64_t)(row[b / 64] >> (b % 64) & 1);
    for (const char *c = list; c; c = strchr(c, ',') ? strchr(c, ',') + 1 : NULL) {
        const int64_t b = strtoll(c, NULL, 10);
        assert_true(row[b / 64] >> (b % 64) & 1);
        listed++;
    }
    assert_int_equal(on, listed);
}

static void check_bits(nep_ctx *ctx, const char *file, int bits, bool flag)
{
    char path[512];
    nep_table t = {0};
    nep_source *s = NULL;
    uint64_t rows[4 * 32];
    char *ids[4];
    int64_t got = 1, done = 0;
    snprintf(path, sizeof path, "%srdkit_%d.tsv", TEST_GOLDEN("source_"), bits);
    assert_ok(ctx, nep_tsv_read(ctx, path, &t));
    snprintf(path, sizeof path, "%s%s", TEST_GOLDEN("source_"), file);
    assert_ok(ctx, nep_source_open(ctx, path, &(nep_source_opts){.bits = flag}, &s));
    assert_int_equal(nep_source_about(s)->kind, NEP_INDEX_BITS);
    assert_int_equal(nep_source_about(s)->width, bits);
    for (; got > 0; done += got) {
        assert_ok(ctx, nep_source_next(s, rows, 4, ids, &got));
        for (int64_t i = 0; i < got; i++) {
            check_on_bits(rows + i * ((bits + 63) / 64), bits, nep_table_cell(&t, done + i, 1));
            if (nep_source_about(s)->ids)
                assert_string_equal(ids[i], nep_table_cell(&t, done + i, 0));
        }
    }
    assert_int_equal(done, t.n_rows);
    nep_source_free(s);
    nep_table_free(&t);
}

static void test_bits(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    check_bits(ctx, "rdkit_2048.fps", 2048, false);
    check_bits(ctx, "rdkit_166.fps", 166, false);
    check_bits(ctx, "bits_b1.npy", 2048, false);
    check_bits(ctx, "bits_u1.npy", 2048, true);
    check_bits(ctx, "bits_u8.npy", 2048, true);
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_fps_lines(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_source *s = NULL;
    uint64_t rows[4];
    char *ids[4];
    int64_t got;
    const char *path = test_text("crlf.fps", "#FPS1\r\n#type=made up\r\n0f\ta b\r\nF0\tb\tmore\r\n01\tc");
    assert_ok(ctx, nep_source_open(ctx, path, NULL, &s));
    assert_int_equal(nep_source_about(s)->width, 8);
    assert_string_equal(nep_source_about(s)->about, "made up");
    assert_ok(ctx, nep_source_next(s, rows, 4, ids, &got));
    assert_int_equal(got, 3);
    assert_true(rows[0] == 0x0f && rows[1] == 0xf0 && rows[2] == 1);
    assert_string_equal(ids[0], "a b");
    assert_string_equal(ids[1], "b");
    assert_string_equal(ids[2], "c");
    nep_source_free(s);
    nep_ctx_free(ctx);
}

/* Opening or reading fails with this status, and the sentence holds these words. */
static void refused(nep_ctx *ctx, const char *path, const nep_source_opts *opts, nep_status want, const char *words)
{
    nep_source *s = NULL;
    static char room[1 << 20];
    char *ids[4];
    int64_t got = 1;
    nep_status st = nep_source_open(ctx, path, opts, &s);
    while (st == NEP_OK && got > 0)
        st = nep_source_next(s, room, 4, ids, &got);
    nep_source_free(s);
    if (st != want || !strstr(nep_ctx_error(ctx), words))
        fail_msg("%s: got %s '%s', want '%s'", path, nep_status_symbol(st), nep_ctx_error(ctx), words);
    nep_ctx_clear(ctx);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const nep_source_opts bits = {.bits = true}, f16 = {.dataset = "none"}, bias = {.dataset = "bias"}, what = {.format = "xyz"};
    refused(ctx, TEST_GOLDEN("source_fortran.npy"), NULL, NEP_E_FORMAT, "Fortran");
    refused(ctx, TEST_GOLDEN("source_big.npy"), NULL, NEP_E_FORMAT, "'>f4'");
    refused(ctx, TEST_GOLDEN("source_flat.npy"), NULL, NEP_E_FORMAT, "1 dimensions");
    refused(ctx, TEST_GOLDEN("source_f4.npy"), &bits, NEP_E_SHAPE, "are no bits");
    refused(ctx, TEST_GOLDEN("source_a.fvecs"), &bits, NEP_E_SHAPE, "are no bits");
    refused(ctx, TEST_GOLDEN("source_a.u8bin"), &bits, NEP_E_SHAPE, "bits are read from");
    refused(ctx, TEST_GOLDEN("source_plain.h5"), NULL, NEP_E_FORMAT, "X");
    refused(ctx, TEST_GOLDEN("source_many.safetensors"), NULL, NEP_E_FORMAT, "5 matrices");
    refused(ctx, TEST_GOLDEN("source_many.safetensors"), &f16, NEP_E_FORMAT, "no tensor 'none'");
    refused(ctx, TEST_GOLDEN("source_many.safetensors"), &bias, NEP_E_FORMAT, "1 dimensions");
    refused(ctx, TEST_GOLDEN("source_rdkit_166.tsv"), NULL, NEP_E_ARG, "--format says it");
    refused(ctx, TEST_GOLDEN("source_f4.npy"), &what, NEP_E_ARG, "does not tell its format");
    refused(ctx, TEST_GOLDEN("source_f4.npy"), &f16, NEP_E_ARG, "would be a dataset");
    refused(ctx, "/no/such.npy", NULL, NEP_E_MISSING, "such");
    refused(ctx, test_text("a.fps", "#FPS2\n00\ta\n"), NULL, NEP_E_FORMAT, "#FPS1");
    refused(ctx, test_text("b.fps", ""), NULL, NEP_E_FORMAT, "#FPS1");
    refused(ctx, test_text("c.fps", "#FPS1\n"), NULL, NEP_E_FORMAT, "0 bits");
    refused(ctx, test_text("d.fps", "#FPS1\n#num_bits=8\n00\ta\n0g\tb\n"), NULL, NEP_E_FORMAT, "line 4: '0g'");
    refused(ctx, test_text("e.fps", "#FPS1\n#num_bits=8\n0000\ta\n"), NULL, NEP_E_FORMAT, "line 3: the fingerprint has 4 digits");
    refused(ctx, test_text("f.fps", "#FPS1\n00\n"), NULL, NEP_E_FORMAT, "line 2: no tab");
    refused(ctx, test_text("g.fps", "#FPS1\n#num_bits=9000\n00\ta\n"), NULL, NEP_E_FORMAT, "line 2");
    refused(ctx, test_text("h.fps", "#FPS1\n#num_bits=5\n20\ta\n"), NULL, NEP_E_FORMAT, "a bit past the last of 5");
    refused(ctx, test_text("a.npy", "\x93NUMPX"), NULL, NEP_E_TRUNCATED, "a.npy");
    refused(ctx, test_text("b.npy", "\x93NUMPX01"), NULL, NEP_E_FORMAT, "no .npy");
    refused(ctx, test_write("a.fbin", "\3\0\0\0\1\0\0\0\0\0\0\0\0\0", 14), NULL, NEP_E_TRUNCATED, "a.fbin");
    refused(ctx, test_write("b.fbin", "\1\0\0\0\1\0\0\0\0\0\0\0\0\0", 14), NULL, NEP_E_FORMAT, "after the data");
    refused(ctx, test_write("a.fvecs", "\1\0\0\0\1\0\0\0\1\0\0\0\0\0", 14), NULL, NEP_E_TRUNCATED, "a.fvecs");
    refused(ctx, test_write("b.fvecs", "\1\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0", 16), NULL, NEP_E_FORMAT, "row 1 (from 0) has 2 numbers, the first has 1");
    refused(ctx, test_write("c.fvecs", "\0\0\0\0", 4), NULL, NEP_E_FORMAT, "rows of 0");
    refused(ctx, test_write("a.ivecs", "\1\0\0\0\1\0\0\1", 8), NULL, NEP_E_FORMAT, "float32 cannot hold");
    refused(ctx, test_write("a.safetensors", "\1\0\0\0\0\0\0\0[", 9), NULL, NEP_E_FORMAT, "not JSON");
    nep_ctx_free(ctx);
}

/* Every file of the goldens cut short: a sentence, whatever is left. */
static void test_truncated(void **state)
{
    (void)state;
    static const char *const names[] = {"f4.npy", "bits_b1.npy", "a.fvecs", "a.bvecs", "a.fbin", "one.safetensors", "f4.npy.gz"};
    nep_ctx *ctx = test_ctx(1);
    static char room[1 << 16];
    for (int f = 0; f < NEP_LEN(names); f++) {
        char path[512], *bytes = NULL;
        int64_t n;
        snprintf(path, sizeof path, "%s%s", TEST_GOLDEN("source_"), names[f]);
        assert_ok(ctx, nep_file_read(ctx, path, 1 << 20, &bytes, &n));
        for (int64_t cut = 0; cut < n; cut += n > 2000 ? 97 : 3) {
            const char *copy = test_write(names[f], bytes, (size_t)cut);
            nep_source *s = NULL;
            int64_t got = 1, rows = 0;
            nep_status st = nep_source_open(ctx, copy, NULL, &s);
            for (; st == NEP_OK && got > 0; rows += got)
                st = nep_source_next(s, room, 4, NULL, &got);
            nep_source_free(s);
            const bool between_rows = strstr(names[f], "vecs") && rows < N && cut > 0; /* such a file does not say how long it is */
            if (st == NEP_OK ? !between_rows : !nep_ctx_error(ctx)[0])
                fail_msg("%s cut at %lld: %s", names[f], (long long)cut, nep_status_symbol(st));
            nep_ctx_clear(ctx);
        }
        nep_alloc_free(bytes);
    }
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    static const char *const names[] = {"f4.npy", "rdkit_166.fps", "a.fvecs", "one.safetensors"};
    nep_ctx *ctx = test_ctx(1);
    static char room[1 << 16];
    char *ids[4];
    for (int f = 0; f < NEP_LEN(names); f++) {
        char path[512];
        nep_status st = NEP_E_NOMEM;
        snprintf(path, sizeof path, "%s%s", TEST_GOLDEN("source_"), names[f]);
        for (int k = 0; st != NEP_OK; k++) {
            nep_source *s = NULL;
            int64_t got = 1;
            nep_alloc_fail_at(ctx, k);
            st = nep_source_open(ctx, path, NULL, &s);
            while (st == NEP_OK && got > 0)
                st = nep_source_next(s, room, 4, ids, &got);
            nep_alloc_fail_at(ctx, -1);
            nep_source_free(s);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            nep_ctx_clear(ctx);
            assert_int_equal(nep_alloc_used(ctx), 0);
        }
    }
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_bits),      cmocka_unit_test(test_fps_lines),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_truncated), cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, test_clean);
}
