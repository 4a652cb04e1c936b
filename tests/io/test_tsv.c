/* SPDX-License-Identifier: Apache-2.0 */
/* test_tsv - strict tables in and out: what is read, what is refused and with which words. */
#include "io/files.h"

#include <libdeflate.h>

static nep_ctx *ctx;

static void test_table(void **state)
{
    (void)state;
    nep_table t = {0};
    assert_ok(ctx, nep_tsv_read(ctx,
                                test_text("a.tsv", "\xef\xbb\xbf"
                                                   "drug\tpKi\r\nh\xc3\xa9\t7.5\r\nx\tn/a\r\n\t-1e2"),
                                &t));
    assert_int_equal(t.n_rows, 3);
    assert_int_equal(t.n_cols, 2);
    assert_string_equal(t.header[0], "drug");
    assert_string_equal(nep_table_cell(&t, 0, 0), "h\xc3\xa9");
    assert_null(nep_table_cell(&t, 1, 1));
    assert_null(nep_table_cell(&t, 2, 0));
    double v;
    assert_ok(ctx, nep_table_number(ctx, &t, 2, 1, &v));
    assert_true(v == -100);
    nep_table_free(&t);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_csv_quotes(void **state)
{
    (void)state;
    nep_table t = {0};
    assert_ok(ctx,
              nep_tsv_read(
                  ctx, test_text("a.csv", "a,\"b,c\"\n\"say \"\"no\"\"\",\"two\nlines\"\nx,\"\"\n\n\n"), &t));
    assert_int_equal(t.n_rows, 2);
    assert_string_equal(t.header[1], "b,c");
    assert_string_equal(nep_table_cell(&t, 0, 0), "say \"no\"");
    assert_string_equal(nep_table_cell(&t, 0, 1), "two\nlines");
    assert_null(nep_table_cell(&t, 1, 1));
    nep_table_free(&t);
}

static void test_gz(void **state)
{
    (void)state;
    char packed[4096], text[] = "a\tb\n1\t2\n";
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    size_t n = libdeflate_gzip_compress(c, text, 4, packed, sizeof packed); /* two members */
    n += libdeflate_gzip_compress(c, text + 4, strlen(text) - 4, packed + n, sizeof packed - n);
    nep_table t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, test_write("a.tsv.gz", packed, n), &t));
    assert_int_equal(t.n_rows, 1);
    assert_string_equal(nep_table_cell(&t, 0, 1), "2");
    nep_table_free(&t);
    assert_refused(ctx, nep_tsv_read(ctx, test_write("cut.tsv.gz", packed, n - 5), &t), NEP_E_FORMAT,
                   "cut.tsv.gz");
    packed[n - 6] ^= 1; /* the checksum */
    assert_refused(ctx, nep_tsv_read(ctx, test_write("crc.tsv.gz", packed, n), &t), NEP_E_FORMAT, "damaged");
    /* 400 MB of tabs and newlines in 400 kB: refused by its size, without taking it */
    char *zeros = calloc(400, 1000000);
    memset(zeros, 'a', 400000000);
    size_t bound = libdeflate_gzip_compress_bound(c, 400000000);
    char *bomb = malloc(bound);
    n = libdeflate_gzip_compress(c, zeros, 400000000, bomb, bound);
    free(zeros);
    const int64_t before = nep_alloc_peak(ctx);
    assert_refused(ctx, nep_tsv_read(ctx, test_write("bomb.tsv.gz", bomb, n), &t), NEP_E_FORMAT,
                   "inflates to more");
    assert_true(nep_alloc_peak(ctx) - before < (int64_t)420 << 20);
    free(bomb);
    libdeflate_free_compressor(c);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_refused_tables(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *words;
    } bad[] = {
        {"ragged.tsv", "a\tb\n1\t2\n3\n", "line 3 has 1 cells, the header has 2"},
        {"wide.tsv", "a\tb\n1\t2\t3\n", "line 2 has 3 cells"},
        {"hole.tsv", "a\tb\n1\t2\n\n3\t4\n", "line 3 has 1 cells"},
        {"twice.tsv", "a\tb\ta\n1\t2\t3\n", "column 'a' stands there twice"},
        {"unnamed.tsv", "a\t\tb\n", "column 2 has no name"},
        {"empty.tsv", "", "is empty"},
        {"newlines.tsv", "\n\n\n", "is empty"},
        {"latin1.tsv", "a\nM\xe9nard\n", "line 2: byte 0xe9 is not UTF-8"},
        {"overlong.tsv", "a\n\xc0\xaf\n", "not UTF-8"},
        {"surrogate.tsv", "a\n\xed\xa0\x80\n", "not UTF-8"},
        {"bell.tsv", "a\n\a\n", "line 2: byte 0x07"},
        {"mac.tsv", "a\rb\r", "byte 0x0d"},
        {"open.csv", "a,b\n\"x,1\n", "line 2: a quoted cell is not closed"},
        {"after.csv", "a,b\n\"x\"y,1\n", "text follows a closing quote"},
        {"inside.csv", "a,b\nx\"y,1\n", "a quote stands inside"},
    };
    for (int i = 0; i < NEP_LEN(bad); i++) {
        nep_table t = {0};
        assert_refused(ctx, nep_tsv_read(ctx, test_text(bad[i].name, bad[i].text), &t), NEP_E_FORMAT,
                       bad[i].words);
        assert_string_equal(strrchr(nep_ctx_error_file(ctx), '/') + 1, bad[i].name);
        assert_null(t.cells);
    }
    nep_table t = {0};
    assert_refused(ctx, nep_tsv_read(ctx, test_write("nul.tsv", "a\nx\0y\n", 6), &t), NEP_E_FORMAT,
                   "byte 0x00");
    assert_refused(ctx, nep_tsv_read(ctx, test_path("none.tsv"), &t), NEP_E_MISSING, "none.tsv");
    assert_refused(ctx, nep_tsv_read(ctx, "/", &t), NEP_E_FORMAT, "folder");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_series(void **state)
{
    (void)state;
    nep_series s = {0};
    assert_ok(ctx,
              nep_tsv_read_series(
                  ctx, test_text("s.tsv", "trans_x\tfd\n0.1\tn/a\n-2.5e-3\t12345678901234567890\n"), &s));
    assert_int_equal(s.n_t, 2);
    assert_int_equal(s.n_cols, 2);
    assert_true(s.data[0] == 0.1f && isnan(s.data[1]) && s.data[2] == -2.5e-3f &&
                s.data[3] == 12345678901234567890.0f);
    assert_true(isnan(s.tr_s));
    const char *copy = test_path("copy.tsv");
    assert_ok(ctx, nep_tsv_write_series(ctx, copy, &s));
    nep_series again = {0};
    assert_ok(ctx, nep_tsv_read_series(ctx, copy, &again));
    assert_memory_equal(&again.data[2], &s.data[2], 2 * sizeof(float));
    assert_string_equal(again.names[1], "fd");
    nep_series_free(&again);
    nep_series_free(&s);
    assert_refused(ctx, nep_tsv_read_series(ctx, test_text("w.tsv", "a\tb\n1\t2\n3\tfour\n"), &s),
                   NEP_E_FORMAT, "line 3, column 'b': 'four'");
    static const char *const odd[] = {"0x10", "inf", " 1", "1e999", "1,5", "--1", "-", "."};
    for (int i = 0; i < NEP_LEN(odd); i++) {
        char text[64];
        snprintf(text, sizeof text, "a\n%s\n", odd[i]);
        assert_refused(ctx, nep_tsv_read_series(ctx, test_text("odd.tsv", text), &s), NEP_E_FORMAT,
                       "not a finite number");
    }
    assert_refused(ctx, nep_tsv_read_series(ctx, test_text("h.tsv", "a\tb\n"), &s), NEP_E_FORMAT, "no rows");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* The fast path of the number reader against strtod. */
static void test_numbers(void **state)
{
    (void)state;
    char text[64], *end;
    nep_series s = {0};
    for (uint64_t i = 0; i < 2000; i++) {
        const double v = nep_philox_normal(3, 1, i) * pow(10, (double)(i % 20) - 10);
        snprintf(text, sizeof text, "a\n%.*f\n", (int)(i % 18), v);
        assert_ok(ctx, nep_tsv_read_series(ctx, test_text("n.tsv", text), &s));
        const float want = (float)strtod(text + 2, &end);
        assert_true(s.data[0] == want);
        nep_series_free(&s);
    }
}

static void test_maps(void **state)
{
    (void)state;
    nep_maps m = {0};
    const char *path = test_text("m.tsv", "region\td\td_se\tv\terr\thue\tlicence\nL_a\t0.5\t0.1\t2\t0."
                                          "3\t7\tCC0\nR_a\tn/a\tn/a\t3\tn/a\t8\tCC0\n");
    test_text("m.json", "{\"v\": {\"unit\": \"mm\", \"se_column\": \"err\"}}");
    assert_ok(ctx, nep_tsv_read_maps(ctx, path, &m));
    assert_int_equal(m.n_regions, 2);
    assert_int_equal(m.n_maps, 3);
    assert_int_equal(nep_maps_find(&m, "d"), 0);
    assert_int_equal(nep_maps_find(&m, "hue"), 2);
    assert_true(m.value[0] == 0.5 && isnan(m.value[3]) && m.value[4] == 3 && m.value[5] == 8);
    assert_true(m.se[0] == 0.1 && m.se[1] == 0.3 && isnan(m.se[2]) && isnan(m.se[3]) && isnan(m.se[4]));
    nep_maps_free(&m);
    test_text("m.json", "{\"v\": {\"se_column\": \"er\"}}");
    assert_refused(ctx, nep_tsv_read_maps(ctx, path, &m), NEP_E_FORMAT, "no column 'er' (nearest: 'err')");
    test_text("m.json", "{\"v\": {\"se_column\": \"v\"}}");
    assert_refused(ctx, nep_tsv_read_maps(ctx, path, &m), NEP_E_FORMAT, "cannot be");
    test_text("m.json", "{\"v\": {\"se_column\": }}");
    assert_refused(ctx, nep_tsv_read_maps(ctx, path, &m), NEP_E_FORMAT, "m.json: line 1, column");
    test_text("m.json", "{\"v\": 1, \"v\": 2}");
    assert_refused(ctx, nep_tsv_read_maps(ctx, path, &m), NEP_E_FORMAT, "duplicate");
    assert_ok(ctx, nep_tsv_read_maps(ctx, test_text("p.tsv", "region\ta\nL_a\t1\n"), &m));
    assert_null(m.se);
    nep_maps_free(&m);
    assert_refused(ctx, nep_tsv_read_maps(ctx, test_text("t.tsv", "region\ta\nL_a\t1\nL_a\t2\n"), &m),
                   NEP_E_FORMAT, "region 'L_a' stands there twice");
    assert_refused(ctx, nep_tsv_read_maps(ctx, test_text("f.tsv", "roi\ta\nL_a\t1\n"), &m), NEP_E_FORMAT,
                   "starts with 'region'");
    assert_refused(ctx, nep_tsv_read_maps(ctx, test_text("k.tsv", "region\tlicence\nL_a\tCC0\n"), &m),
                   NEP_E_FORMAT, "no map");
    assert_refused(ctx, nep_tsv_read_maps(ctx, test_text("e.tsv", "region\ta\ta_se\nL_a\t1\t-1\n"), &m),
                   NEP_E_FORMAT, "never negative");
    assert_refused(ctx, nep_tsv_read_maps(ctx, test_text("g.tsv", "region\ta\nn/a\t1\n"), &m), NEP_E_FORMAT,
                   "line 2: 'region' is missing");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_geometry(void **state)
{
    (void)state;
    nep_geometry g = {0};
    assert_ok(
        ctx, nep_tsv_read_geometry(
                 ctx,
                 test_text("g.tsv",
                           "region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\tsphere_x\tsphere_y\tsphere_z\n"
                           "L_a\tL\tcortex\t-1\t2\t3\t0\t3\t4\nB_s\tB\tsubcortex\t0\t0\t0\tn/a\tn/a\tn/a\n"),
                 &g));
    assert_int_equal(g.n_regions, 2);
    assert_true(g.cortex[0] && !g.cortex[1] && g.hemisphere[1] == 'B' && g.mm[0][0] == -1);
    assert_near(g.sphere[0][2], 0.8, 1e-15);
    assert_true(isnan(g.sphere[1][0]));
    assert_int_equal(nep_geometry_find(&g, "B_s"), 1);
    nep_geometry_free(&g);
    assert_refused(
        ctx,
        nep_tsv_read_geometry(
            ctx,
            test_text("h.tsv",
                      "region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\na\tleft\tcortex\t1\t2\t3\n"),
            &g),
        NEP_E_FORMAT, "hemisphere is 'left'");
    assert_refused(
        ctx,
        nep_tsv_read_geometry(
            ctx,
            test_text("i.tsv", "region\themisphere\tcompartment\tx_mm\ty_mm\tzmm\na\tL\tcortex\t1\t2\t3\n"),
            &g),
        NEP_E_FORMAT, "no column 'z_mm' (nearest: 'x_mm')");
    assert_refused(
        ctx,
        nep_tsv_read_geometry(
            ctx,
            test_text("j.tsv",
                      "region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\na\tL\tcortex\t1\tn/a\t3\n"),
            &g),
        NEP_E_FORMAT, "every region needs a place");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_molset(void **state)
{
    (void)state;
    nep_molset m = {0};
    assert_ok(ctx,
              nep_tsv_read_molset(
                  ctx,
                  test_text("d.tsv", "drug_id\tname\tsmiles\tfingerprint\tatc4\tmechanism_class\ttpsa\tnote\n"
                                     "A\taspirin\tCC\t0180000000000000ff\tN02BA\tCOX\t63.6\tx y\n"
                                     "B\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\n"),
                  &m));
    assert_int_equal(m.n, 2);
    assert_int_equal(m.words, 2);
    assert_true(m.bits[0] == 0x8001 && m.bits[1] == 0xff && m.bits[2] == 0 && m.bits[3] == 0);
    assert_string_equal(m.names[1], "B");
    assert_null(m.smiles[1]);
    assert_string_equal(m.mechanism[0], "COX");
    assert_int_equal(m.n_descriptors, 1);
    assert_true(nep_molset_descriptor(&m, 0, "tpsa") == 63.6 && isnan(nep_molset_descriptor(&m, 1, "tpsa")));
    assert_true(isnan(nep_molset_descriptor(&m, 0, "tpsb")));
    assert_true(isnan(nep_molset_descriptor(&m, nep_molset_find(&m, "nobody"), "tpsa")));
    assert_true(isnan(nep_molset_descriptor(&m, m.n, "tpsa")) && isnan(nep_molset_descriptor(&m, INT64_MAX, "tpsa")));
    nep_molset_free(&m);
    assert_refused(ctx,
                   nep_tsv_read_molset(ctx, test_text("e.tsv", "drug_id\tfingerprint\nA\t01\nB\t0101\n"), &m),
                   NEP_E_FORMAT, "4 hex digits, others have 2");
    assert_refused(ctx, nep_tsv_read_molset(ctx, test_text("f.tsv", "drug_id\tfingerprint\nA\t0g\n"), &m),
                   NEP_E_FORMAT, "'0g'");
    assert_refused(ctx, nep_tsv_read_molset(ctx, test_text("g.tsv", "drug_id\tmw\nA\t10\nB\tten\n"), &m),
                   NEP_E_FORMAT, "line 3, column 'mw'");
    assert_refused(ctx, nep_tsv_read_molset(ctx, test_text("h.tsv", "drug_id\nA\nA\n"), &m), NEP_E_FORMAT,
                   "drug_id 'A' stands there twice");
    assert_refused(ctx, nep_tsv_read_molset(ctx, test_text("i.tsv", "drugid\nA\n"), &m), NEP_E_FORMAT,
                   "nearest: 'drugid'");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_matrix(void **state)
{
    (void)state;
    char *rows[] = {"a", "b"}, *cols[] = {"x", "y"}, *evil[] = {"x\ty", "z"};
    const double v[] = {1, (double)NAN, 1.0 / 3, -1e-300};
    const char *path = test_path("w.tsv");
    char *text = NULL;
    int64_t n;
    assert_ok(ctx, nep_tsv_write_matrix(ctx, path, "Node", rows, cols, 2, 2, v));
    assert_ok(ctx, nep_file_read(ctx, path, 1000, &text, &n));
    assert_string_equal(text, "Node\tx\ty\na\t1\tn/a\nb\t0.333333333\t-1e-300\n");
    nep_alloc_free(text);
    assert_refused(ctx, nep_tsv_write_matrix(ctx, test_path("v.tsv"), "Node", rows, evil, 2, 2, v), NEP_E_ARG,
                   "control character");
    assert_false(nep_file_exists(test_path("v.tsv")));
    assert_false(nep_file_exists(test_path("v.tsv.part")));
    assert_refused(ctx, nep_tsv_write_matrix(ctx, "/nowhere/at/all.tsv", "Node", rows, cols, 2, 2, v),
                   NEP_E_WRITE, "cannot be created");
}

static void test_surface(void **state)
{
    (void)state;
    nep_surface s = {0};
    assert_ok(ctx, nep_tsv_read_surface(ctx,
                                        test_text("surface.tsv", "hemisphere\tparcel\tsphere_x\tsphere_y\tsphere_z\tmore\n"
                                                           "L\tL_a\t0\t-60\t80\tx\nR\tn/a\t1\t0\t0\ty\n"),
                                        &s));
    assert_int_equal(s.n, 2);
    assert_true(s.hemisphere[0] == 'L' && s.hemisphere[1] == 'R' && !s.parcel[1]);
    assert_string_equal(s.parcel[0], "L_a");
    assert_near(s.sphere[0][1], -0.6, 1e-15);
    assert_near(s.sphere[0][2], 0.8, 1e-15);
    nep_surface_free(&s);
    const char *const bad[][2] = {
        {"B\tL_a\t0\t0\t1\n", "a vertex lies in L or R"},
        {"L\tL_a\t0\t0\t0\n", "line 2: the sphere coordinates have no direction"},
        {"L\tL_a\t0\tn/a\t1\n", "line 2: the sphere coordinates have no direction"},
        {"L\tL_a\t0\tx\t1\n", "'x'"},
    };
    for (int i = 0; i < NEP_LEN(bad); i++) {
        char text[200];
        snprintf(text, sizeof text, "hemisphere\tparcel\tsphere_x\tsphere_y\tsphere_z\n%s", bad[i][0]);
        assert_refused(ctx, nep_tsv_read_surface(ctx, test_text("surface_bad.tsv", text), &s), NEP_E_FORMAT, bad[i][1]);
        assert_null(s.sphere);
    }
    assert_refused(ctx, nep_tsv_read_surface(ctx, test_text("surface_short.tsv", "hemisphere\tsphere_x\tsphere_y\tsphere_z\nL\t0\t0\t1\n"), &s),
                   NEP_E_FORMAT, "parcel");
}

/* Every allocation fails once: the right status, nothing leaked, nothing half filled. */
static void test_allocation_failure(void **state)
{
    (void)state;
    const char *maps = test_text("am.tsv", "region\td\td_se\nL_a\t0.5\t0.1\nR_a\t1\t2\n");
    const char *drugs = test_text("ad.tsv", "drug_id\tname\tfingerprint\tmw\nA\ta\t01\t1\nB\tn/a\t02\t2\n");
    const char *place =
        test_text("ag.tsv", "region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\na\tL\tcortex\t1\t2\t3\n");
    const char *vertices = test_text("surface_one.tsv", "hemisphere\tsphere_x\tsphere_y\tsphere_z\tparcel\nL\t0\t0\t1\tL_a\n");
    for (int what = 0; what < 5; what++) {
        nep_status st = NEP_E_NOMEM;
        int64_t k = 0;
        for (; st != NEP_OK && k < 500; k++) {
            nep_maps m = {0};
            nep_molset d = {0};
            nep_geometry g = {0};
            nep_series s = {0};
            nep_surface v = {0};
            nep_ctx_clear(ctx);
            nep_alloc_fail_at(ctx, k);
            st = what == 0   ? nep_tsv_read_maps(ctx, maps, &m)
                 : what == 1 ? nep_tsv_read_molset(ctx, drugs, &d)
                 : what == 2 ? nep_tsv_read_geometry(ctx, place, &g)
                 : what == 3 ? nep_tsv_read_surface(ctx, vertices, &v)
                             : nep_tsv_read_series(ctx, test_text("as.tsv", "a\n1\n"), &s);
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || (st == NEP_E_NOMEM && !m.value && !d.id && !g.mm && !s.data && !v.sphere));
            nep_maps_free(&m);
            nep_molset_free(&d);
            nep_geometry_free(&g);
            nep_surface_free(&v);
            nep_series_free(&s);
            assert_int_equal(nep_alloc_used(ctx), 0);
        }
        assert_true(k > 5 && k < 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_csv_quotes),
        cmocka_unit_test(test_gz),
        cmocka_unit_test(test_refused_tables),
        cmocka_unit_test(test_series),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_surface),
        cmocka_unit_test(test_molset),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_allocation_failure),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
