/* SPDX-License-Identifier: Apache-2.0 */
/* test_corrupt - more than a thousand damaged files, made here from Philox streams: each is read or refused
 * with exit code 65 (78 for a study), in time, in bounded memory, with nothing leaked. */
#include "io/images.h"

#include <sys/resource.h>
#include <time.h>

static nep_ctx *ctx;
static int n_files, n_read, n_refused;

static uint32_t draw(uint64_t stream, uint64_t i, uint32_t below)
{
    return nep_philox_u32(77, stream, i) % below;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Three readers over one file. Returns whether the pixels could be read. */
static bool try_image(const char *path)
{
    nep_volume v = {0};
    nep_series s = {0};
    nep_atlas a = {0};
    bool read = false;
    const double start = now_s();
    n_files++;
    for (int what = 0; what < 3; what++) {
        nep_ctx_clear(ctx);
        const nep_status st = what == 0   ? nep_nifti_read_volume(ctx, path, &v)
                              : what == 1 ? nep_nifti_read_series(ctx, path, NULL, &s, NULL)
                                          : nep_nifti_read_atlas(ctx, path, NULL, &a);
        if (st != NEP_OK && (nep_status_exit(st) != 65 || !nep_ctx_error(ctx)[0]))
            fail_msg("%s: exit %d, '%s'", path, nep_status_exit(st), nep_ctx_error(ctx));
        read |= st == NEP_OK && what < 2;
    }
    nep_volume_free(&v);
    nep_series_free(&s);
    nep_atlas_free(&a);
    assert_int_equal(nep_alloc_used(ctx), 0);
    assert_true(now_s() - start < 5);
    n_read += read;
    n_refused += !read;
    return read;
}

/* The undamaged ones: 4D and 3D, both versions and endiannesses. */
static unsigned char *base(int k, size_t *n)
{
    image m = image_default(k & 1 ? 2 : 1, k & 2 ? 1 : 6);
    m.big = k & 4;
    m.dim[1] = 11;
    m.dim[2] = 13;
    m.dim[3] = 7;
    if (k & 1) {
        m.datatype = 16;
        m.bitpix = 32;
    }
    return image_bytes(&m, NULL, n);
}

static void test_truncated(void **state)
{
    (void)state;
    for (int k = 0; k < 8; k++) {
        size_t n;
        unsigned char *b = base(k, &n);
        assert_true(try_image(image_write("c.nii", b, n)));
        assert_true(try_image(image_write("c.nii.gz", b, n)));
        for (int i = 0; i < 16; i++) {
            const size_t cut = i < 4 ? n - 1 - (size_t)i : draw(1, (uint64_t)(16 * k + i), (uint32_t)n);
            assert_false(try_image(image_write("c.nii", b, cut)));
            assert_false(try_image(image_write("c.nii.gz", b, cut)));
        }
        free(b);
    }
}

static void test_header_bits(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 320; i++) {
        size_t n;
        unsigned char *b = base((int)(i % 8), &n);
        for (uint64_t f = 0; f < 1 + i % 12; f++) {
            const uint32_t bit = draw(2, 64 * i + f, (i & 1 ? 544 : 352) * 8);
            b[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        try_image(image_write(i & 8 ? "h.nii.gz" : "h.nii", b, n));
        free(b);
    }
}

/* Every field that a reader could look at, with values at and past its edges. */
static void test_fields(void **state)
{
    (void)state;
    static const struct {
        int at, size; /* size 2, 4, 8: integer; -4, -8: floating */
    } fields1[] = {{0, 4},   {40, 2},  {42, 2},   {44, 2},   {46, 2},   {48, 2},   {50, 2},   {68, 2},
                   {70, 2},  {72, 2},  {76, -4},  {80, -4},  {92, -4},  {108, -4}, {112, -4}, {116, -4},
                   {252, 2}, {254, 2}, {256, -4}, {268, -4}, {280, -4}, {292, -4}, {344, 4},  {348, 4}},
      fields2[] = {{0, 4},    {4, 8},    {12, 2},  {14, 2},   {16, 8},   {24, 8},   {32, 8},
                   {40, 8},   {48, 8},   {56, 8},  {104, -8}, {112, -8}, {136, -8}, {168, 8},
                   {176, -8}, {184, -8}, {344, 4}, {348, 4},  {352, -8}, {376, -8}, {400, -8},
                   {424, -8}, {500, 4},  {504, 4}, {540, 4}};
    static const double values[] = {
        0,      1,       -1,  7,    8,    348, 540, 32767, -32768, 2147483647, -2147483648.0,
        9.2e18, -9.2e18, 0.5, 1e30, 1e-40};
    for (int k = 0; k < 8; k++)
        for (int f = 0; f < (k & 1 ? NEP_LEN(fields2) : NEP_LEN(fields1)); f++)
            for (int i = k / 2 % 2; i < NEP_LEN(values) + 2; i += 2) { /* half of them for each */
                const int at = k & 1 ? fields2[f].at : fields1[f].at,
                          size = k & 1 ? fields2[f].size : fields1[f].size;
                const bool big = k & 4;
                const double v = i < NEP_LEN(values)    ? values[i]
                                 : i == NEP_LEN(values) ? (double)NAN
                                                        : (double)INFINITY;
                if (size > 0 && !isfinite(v))
                    continue;
                size_t n;
                unsigned char *b = base(k, &n);
                const int64_t whole = size > 0 ? (int64_t)v : 0;
                const float narrow = (float)v;
                if (size > 0)
                    image_put(b + at, big, &whole, size);
                else if (size == -4)
                    image_put(b + at, big, &narrow, 4);
                else
                    image_put(b + at, big, &v, 8);
                try_image(image_write(f & 1 ? "f.nii.gz" : "f.nii", b, n));
                free(b);
            }
}

/* Behind the ten bytes of the gzip header a flipped bit is always found out: the checksum is verified to the
 * end. */
static void test_gzip_bits(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 240; i++) {
        size_t n;
        unsigned char *b = base((int)(i % 8), &n);
        char *packed = NULL;
        int64_t size;
        image_write("z.nii.gz", b, n);
        assert_ok(ctx, nep_file_read(ctx, test_path("z.nii.gz"), 1 << 20, &packed, &size));
        const bool late = i % 4 != 0;
        const uint32_t bit = late ? 80 + draw(3, i, (uint32_t)size * 8 - 80) : draw(3, i, 80);
        packed[bit / 8] = (char)(packed[bit / 8] ^ (1 << bit % 8));
        const char *path = test_write("z.nii.gz", packed, (size_t)size);
        nep_alloc_free(packed);
        const bool read = try_image(path);
        assert_true(!late || !read);
        free(b);
    }
}

/* ---- text ---- */

static const char table_text[] =
    "region\td\td_se\tnote\nL_a\t0.5\t0.1\tx\nR_a\tn/a\tn/a\ty\nB_b\t-3e-2\t0.2\tz\n";
static const char study_text[] =
    "schema: nepenthe/study/1\nname: n\ndrugs: d.tsv\ndisorders:\n  - {id: a, name: b, map: {table: t.tsv, "
    "value: v, "
    "se: [20, 30]}}\nchannels: [{name: engagement, options: {k: 1}}]\nnulls: {n: 10, kind: spin}\n";
static const char json_text[] =
    "{\"d\": {\"unit\": \"mm\", \"se_column\": \"d_se\", \"list\": [1, 2.5, null, true]}}";

static size_t mutate(const char *text, uint64_t stream, uint64_t i, char *out)
{
    static const char marks[] = "\t\n\r\",:{}[]&*#|>-'%!@`~ \0\xff\xc3";
    size_t n = strlen(text);
    memcpy(out, text, n + 1);
    if (i % 5 == 0)
        n = draw(stream, 100 * i, (uint32_t)n);
    for (uint64_t f = 0; i % 5 != 0 && f < 1 + i % 6; f++) {
        char *c = out + draw(stream, 100 * i + 2 * f, (uint32_t)n);
        *c = i % 2 ? marks[draw(stream, 100 * i + 2 * f + 1, sizeof marks - 1)]
                   : (char)draw(stream, 100 * i + 2 * f + 1, 256);
    }
    return n;
}

static void test_text_files(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 600; i++) {
        char text[2000];
        nep_maps m = {0};
        nep_study s = {0};
        nep_status st;
        const double start = now_s();
        n_files++;
        nep_ctx_clear(ctx);
        if (i % 3 == 0) {
            unlink(test_path("t.json"));
            st = nep_tsv_read_maps(
                ctx, test_write(i & 1 ? "t.tsv" : "t.csv", text, mutate(table_text, 4, i, text)), &m);
        } else if (i % 3 == 1) {
            st = nep_study_read(ctx, test_write("t.yaml", text, mutate(study_text, 5, i, text)), &s);
        } else {
            test_write("t.json", text, mutate(json_text, 6, i, text));
            st = nep_tsv_read_maps(ctx, test_text("t.tsv", table_text), &m);
        }
        if (st != NEP_OK && nep_status_exit(st) != (i % 3 == 1 ? 78 : 65))
            fail_msg("text %d: exit %d, '%s'", (int)i, nep_status_exit(st), nep_ctx_error(ctx));
        assert_true((st == NEP_OK) == !nep_ctx_error(ctx)[0]);
        n_read += st == NEP_OK;
        n_refused += st != NEP_OK;
        nep_maps_free(&m);
        nep_study_free(&s);
        assert_int_equal(nep_alloc_used(ctx), 0);
        assert_true(now_s() - start < 5);
    }
}

static void test_totals(void **state)
{
    (void)state;
    struct rusage u;
    print_message("%d damaged files: %d read, %d refused\n", n_files, n_read, n_refused);
    assert_true(n_files >= 500 && n_refused > n_files / 2 && n_read > 50);
    assert_true(nep_alloc_peak(ctx) < (int64_t)512 << 20);
    getrusage(RUSAGE_SELF, &u);
#ifndef __SANITIZE_ADDRESS__
    assert_true(u.ru_maxrss < 512 << 10); /* kB */
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_header_bits), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_gzip_bits), cmocka_unit_test(test_text_files),  cmocka_unit_test(test_totals),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
