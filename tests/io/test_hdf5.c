/* SPDX-License-Identifier: Apache-2.0 */
/* test_hdf5 - HDF5 output that Python opens, lands whole or not at all, and comes back through the reader
 * helper. */
#include "io/files.h"

#include <hdf5.h>
#include <signal.h>
#include <sys/wait.h>

#include "io/h5wire.h"
#include "io/hdf5_read.h"

static nep_ctx *ctx;

static nep_status write_sample(const char *path, int64_t n, const double *x)
{
    nep_hdf5 *h = NULL;
    char *ids[] = {"h\xc3\xa9roin", NULL, "c"}, *order[] = {"a", "b"};
    const double value[] = {1.5, (double)NAN, -2};
    const nep_hdf5_column columns[] = {{.name = "name", .text = ids}, {.name = "score", .number = value}};
    const int64_t d1[] = {n}, d2[] = {3, 2}, whole[] = {1, -2, INT64_MAX, 4, 5, 6};
    const float f[] = {0.5f, 1, 2, 3, 4, 5};
    NEP_TRY(nep_hdf5_create(ctx, path, &h));
    nep_status st = nep_hdf5_attribute(h, "/", "schema", "nepenthe/results/1");
    st = st ? st : nep_hdf5_group(h, "/axes");
    st = st ? st : nep_hdf5_group(h, "/axes");
    st = st ? st : nep_hdf5_attribute_strings(h, "/axes", "column-order", order, 2);
    st = st ? st : nep_hdf5_attribute_i64(h, "/axes", "shape", d2, 2);
    st = st ? st : nep_hdf5_write_strings(h, "/axes/drugs", ids, 3);
    st = st ? st : nep_hdf5_write_f64(h, "/channels/value", x, 1, d1);
    st = st ? st : nep_hdf5_write_f32(h, "/channels/se", f, 2, d2);
    st = st ? st : nep_hdf5_write_i64(h, "/channels/n", whole, 2, d2);
    st = st ? st : nep_hdf5_write_f64(h, "/scalar", x, 0, NULL);
    st = st ? st : nep_hdf5_write_f64(h, "/none", x, 1, (const int64_t[]){0});
    st = st ? st : nep_hdf5_write_table(h, "/candidates", columns, 2, 3);
    if (st != NEP_OK) {
        nep_hdf5_abort(h);
        return st;
    }
    return nep_hdf5_commit(h);
}

static double *numbers(int64_t n)
{
    double *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = nep_philox_normal(5, 1, (uint64_t)i);
    return x;
}

static void test_back(void **state)
{
    (void)state;
    const int64_t n = 300000;
    double *x = numbers(n), *y = NULL;
    int rank;
    int64_t dims[4];
    const char *path = test_path("a.h5");
    assert_ok(ctx, write_sample(path, n, x));
    assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "/channels/value", &y, &rank, dims));
    assert_true(rank == 1 && dims[0] == n && dims[1] == 1);
    assert_memory_equal(y, x, (size_t)n * sizeof *x);
    nep_alloc_free(y);
    assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "channels/se", &y, &rank, dims));
    assert_true(rank == 2 && dims[0] == 3 && dims[1] == 2 && y[0] == 0.5 && y[5] == 5);
    nep_alloc_free(y);
    assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "/channels/n", &y, &rank, dims));
    assert_true(y[1] == -2 && y[2] == 9223372036854775808.0);
    nep_alloc_free(y);
    assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "/scalar", &y, &rank, dims));
    assert_true(rank == 0 && y[0] == x[0]);
    nep_alloc_free(y);
    assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "/none", &y, &rank, dims));
    assert_true(rank == 1 && dims[0] == 0);
    nep_alloc_free(y);
    assert_refused(ctx, nep_hdf5_read_f64(ctx, path, "/chanels", &y, &rank, dims), NEP_E_FORMAT,
                   "has no dataset '/chanels'");
    assert_refused(ctx, nep_hdf5_read_f64(ctx, path, "/axes", &y, &rank, dims), NEP_E_FORMAT,
                   "has no dataset");
    assert_refused(ctx, nep_hdf5_read_f64(ctx, path, "/axes/drugs", &y, &rank, dims), NEP_E_FORMAT,
                   "does not hold numbers");
    assert_refused(ctx, nep_hdf5_read_f64(ctx, test_path("none.h5"), "/a", &y, &rank, dims), NEP_E_MISSING,
                   "none.h5");
    assert_refused(ctx, nep_hdf5_read_f64(ctx, test_text("t.h5", "text"), "/a", &y, &rank, dims),
                   NEP_E_FORMAT, "no HDF5 file");
    assert_refused(ctx, nep_hdf5_read_f64(ctx, "/tmp", "/a", &y, &rank, dims), NEP_E_FORMAT,
                   "not a regular file");
    free(x);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* Lists of texts: of variable length as we write them, and of fixed width as others do. */
static void test_texts(void **state)
{
    (void)state;
    const double x[1] = {1};
    const char *path = test_path("texts.h5"), *fixed = test_path("fixed.h5");
    const hsize_t dims[] = {2, 2};
    char **names = NULL;
    int64_t n = 0;
    assert_ok(ctx, write_sample(path, 1, x));
    assert_ok(ctx, nep_hdf5_read_strings(ctx, path, "axes/drugs", &names, &n));
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "h\xc3\xa9roin");
    assert_string_equal(names[1], "");
    assert_string_equal(names[2], "c");
    nep_data_free_names(names, n);
    const hid_t f = H5Fcreate(fixed, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, 4);
    for (int rank = 1; rank <= 2; rank++) {
        const hid_t s = H5Screate_simple(rank, dims, NULL), d = H5Dcreate2(f, rank == 1 ? "a" : "b", t, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, rank == 1 ? "four\0wo" : "aaaabbbbcccc\t\0\0");
        H5Dclose(d);
        H5Sclose(s);
    }
    const hid_t s = H5Screate(H5S_SCALAR), d = H5Dcreate2(f, "c", t, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, "a\tb");
    H5Dclose(d);
    H5Sclose(s);
    H5Tclose(t);
    H5Fclose(f);
    assert_ok(ctx, nep_hdf5_read_strings(ctx, fixed, "a", &names, &n));
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "four"); /* fills its width: no NUL is stored */
    assert_string_equal(names[1], "");
    nep_data_free_names(names, n);
    assert_refused(ctx, nep_hdf5_read_strings(ctx, fixed, "b", &names, &n), NEP_E_FORMAT, "it has 2 dimensions");
    assert_refused(ctx, nep_hdf5_read_strings(ctx, fixed, "c", &names, &n), NEP_E_FORMAT, "byte 0x09");
    assert_refused(ctx, nep_hdf5_read_strings(ctx, path, "/scalar", &names, &n), NEP_E_FORMAT, "does not hold texts");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_same_bytes(void **state)
{
    (void)state;
    double *x = numbers(20000);
    nep_hash a, b;
    assert_ok(ctx, write_sample(test_path("one.h5"), 20000, x));
    sleep(1); /* a stored time would differ now */
    assert_ok(ctx, write_sample(test_path("two.h5"), 20000, x));
    assert_ok(ctx, nep_hash_file(ctx, test_path("one.h5"), &a));
    assert_ok(ctx, nep_hash_file(ctx, test_path("two.h5"), &b));
    assert_string_equal(a.hex, b.hex);
    free(x);
}

static void test_python(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import h5py, pandas, tables' 2>/dev/null") != 0)
        test_skip();
    double *x = numbers(20000);
    char command[2000];
    const char *path = test_path("p.h5");
    assert_ok(ctx, write_sample(path, 20000, x));
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"\nimport h5py, pandas, numpy\nf = h5py.File('%s', 'r')\n"
             "assert f.attrs['schema'] == 'nepenthe/results/1'\n"
             "assert list(f['axes'].attrs['column-order']) == ['a', 'b'] and list(f['axes'].attrs['shape']) "
             "== [3, 2]\n"
             "assert [s.decode() for s in f['axes/drugs'][:]] == ['h\xc3\xa9roin', '', 'c']\n"
             "assert f['channels/value'].shape == (20000,) and abs(f['channels/value'][7] - %.17g) < 1e-15\n"
             "assert f['channels/se'].dtype == numpy.float32 and f['channels/n'][0, 1] == -2\n"
             "f.close()\nt = pandas.read_hdf('%s', 'candidates')\n"
             "assert list(t.columns) == ['name', 'score'] and t.shape == (3, 2), t\n"
             "n = t['name'][0]\nassert (n.decode() if isinstance(n, bytes) else n) == 'h\xc3\xa9roin', n\n"
             "assert t['score'][0] == 1.5 and numpy.isnan(t['score'][1])\n\"",
             path, x[7], path);
    assert_int_equal(system(command), 0);
    free(x);
}

/* Beyond 256 MiB libhdf5 writes beside the target. */
static void test_spill(void **state)
{
    (void)state;
    const int64_t n = 24 << 20, dims[] = {24, 1 << 20};
    double *x = calloc((size_t)n, sizeof *x), *y = NULL;
    int rank;
    int64_t got[4];
    nep_hdf5 *h = NULL;
    const char *path = test_path("big.h5");
    x[n - 1] = 7;
    assert_ok(ctx, nep_hdf5_create(ctx, path, &h));
    assert_ok(ctx, nep_hdf5_write_f64(h, "/a", x, 2, dims));
    assert_ok(ctx, nep_hdf5_write_f64(h, "/b", x, 2, dims)); /* passes the limit */
    assert_false(nep_file_exists(path));
    assert_ok(ctx, nep_hdf5_write_f64(h, "/c", x, 0, NULL));
    assert_ok(ctx, nep_hdf5_commit(h));
    assert_false(nep_file_exists(test_path("big.h5.part")));
    assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "/b", &y, &rank, got));
    assert_true(rank == 2 && got[1] == 1 << 20 && y[n - 1] == 7 && y[0] == 0);
    nep_alloc_free(y);
    free(x);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_output_refused(void **state)
{
    (void)state;
    nep_hdf5 *h = NULL;
    const double x[1] = {1};
    assert_refused(ctx, nep_hdf5_create(ctx, "/nowhere/a.h5", &h), NEP_E_WRITE, "cannot be created");
    const char *path = test_text("old.h5", "old");
    assert_ok(ctx, nep_hdf5_create(ctx, path, &h));
    assert_ok(ctx, nep_hdf5_write_f64(h, "/a", x, 0, NULL));
    assert_refused(ctx, nep_hdf5_write_f64(h, "/a", x, 0, NULL), NEP_E_IO, "could not write '/a'");
    assert_refused(ctx, nep_hdf5_write_f64(h, "/b", x, 5, NULL), NEP_E_ARG, "5 dimensions");
    assert_refused(ctx, nep_hdf5_attribute(h, "/none", "a", "b"), NEP_E_IO, "could not write");
    nep_hdf5_abort(h);
    char *text = NULL;
    int64_t n;
    assert_ok(ctx, nep_file_read(ctx, path, 100, &text, &n));
    assert_string_equal(text, "old");
    nep_alloc_free(text);
    assert_false(nep_file_exists(test_path("old.h5.part")));
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* kill -9 while writing: the target is absent, or whole. */
static void test_kill(void **state)
{
    (void)state;
    double *x = numbers(60000), *y = NULL;
    const char *path = test_path("k.h5");
    int landed = 0;
    for (int i = 0; i < 12; i++) {
        const pid_t child = fork();
        if (child == 0)
            for (;;)
                if (write_sample(path, 60000, x) != NEP_OK)
                    _exit(1);
        usleep((useconds_t)(3000 + 9000 * i));
        for (int wait = 0; i == 11 && wait < 3000 && !nep_file_exists(path); wait++) /* a busy machine may be late */
            usleep(10000);
        kill(child, SIGKILL);
        int how, rank;
        int64_t dims[4];
        waitpid(child, &how, 0);
        assert_true(WIFSIGNALED(how));
        if (!nep_file_exists(path))
            continue;
        landed++;
        assert_ok(ctx, nep_hdf5_read_f64(ctx, path, "/channels/value", &y, &rank, dims));
        assert_memory_equal(y, x, 60000 * sizeof *x);
        nep_alloc_free(y);
    }
    assert_true(landed > 0);
    assert_ok(ctx, write_sample(path, 60000, x)); /* a left-over temporary is no obstacle */
    assert_false(nep_file_exists(test_path("k.h5.part")));
    free(x);
}

/* Files that point elsewhere, or claim what they do not hold. */
static void test_hostile(void **state)
{
    (void)state;
    const char *path = test_path("h.h5"), *other = test_path("o.h5");
    const hsize_t huge[] = {1 << 20, 1 << 20}, one[] = {4}, many[] = {1, 1, 1, 1, 1}, no[] = {10};
    double x[10] = {0}, *y = NULL;
    assert_ok(ctx, write_sample(other, 10, x));
    const hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(other, "/scalar", f, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/elsewhere", f, "soft", H5P_DEFAULT, H5P_DEFAULT);
    hid_t s = H5Screate_simple(2, huge, NULL);
    H5Dclose(H5Dcreate2(f, "claims", H5T_NATIVE_DOUBLE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(s);
    s = H5Screate_simple(1, one, NULL);
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(p, "/etc/hostname", 0, 4);
    H5Dclose(H5Dcreate2(f, "external", H5T_NATIVE_UCHAR, s, H5P_DEFAULT, p, H5P_DEFAULT));
    H5Pclose(p);
    H5Sclose(s);
    s = H5Screate_simple(5, many, NULL);
    H5Dclose(H5Dcreate2(f, "deep", H5T_NATIVE_DOUBLE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(s);
    s = H5Screate_simple(1, no, NULL);
    p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 1, no);
    H5Pset_nbit(p);
    hid_t d = H5Dcreate2(f, "filter", H5T_NATIVE_INT, s, H5P_DEFAULT, p, H5P_DEFAULT);
    H5Dclose(d);
    H5Pclose(p);
    H5Sclose(s);
    H5Fclose(f);
    static const char *const names[][2] = {{"elsewhere", "link to elsewhere"},
                                           {"soft", "link to elsewhere"},
                                           {"claims", "claims 8796093022208 bytes"},
                                           {"external", "another file"},
                                           {"deep", "has 5 dimensions"},
                                           {"filter", "filter 5"},
                                           {"", "name is empty"}};
    for (int i = 0; i < NEP_LEN(names); i++) {
        int rank;
        int64_t dims[4];
        assert_refused(ctx, nep_hdf5_read_f64(ctx, path, names[i][0], &y, &rank, dims), NEP_E_FORMAT,
                       names[i][1]);
    }
}

static nep_status receive(int fd, double idle_s, double **y)
{
    nep_hdf5_answer a = {.ctx = ctx, .path = "x.h5", .fd = fd, .idle_s = idle_s};
    NEP_TRY(nep_hdf5_begin(&a, false));
    return nep_hdf5_all_values(&a, y);
}

/* The helper's answer is not trusted either. */
static void test_answers(void **state)
{
    (void)state;
    static const int64_t shapes[][5] = {{1, 3, 1, 1, 1},         {5, 1, 1, 1, 1},  {-1, 1, 1, 1, 1},
                                        {2, INT64_MAX, 4, 1, 1}, {1, -3, 1, 1, 1}, {1, 1000000000, 1, 1, 1}};
    for (int i = 0; i < NEP_LEN(shapes); i++)
        for (int cut = 0; cut < 2; cut++) {
            char answer[200];
            const double v[3] = {1, 2, 3};
            int ends[2];
            double *y = NULL;
            memcpy(answer, NEP_H5WIRE_DATA, 8);
            memcpy(answer + 8, shapes[i], 40);
            memcpy(answer + 48, v, 24);
            memcpy(answer + 72, NEP_H5WIRE_END, 8);
            assert_int_equal(pipe(ends), 0);
            assert_int_equal(write(ends[1], answer, cut ? 79 : 80), cut ? 79 : 80);
            close(ends[1]);
            nep_ctx_clear(ctx);
            const nep_status st = receive(ends[0], 1, &y);
            assert_int_equal(st, i == 0 && !cut ? NEP_OK : NEP_E_FORMAT);
            assert_true(st != NEP_OK || y[2] == 3);
            nep_alloc_free(y);
            close(ends[0]);
        }
    int ends[2];
    double *y = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_refused(ctx, receive(ends[0], 0.05, &y), NEP_E_FORMAT,
                   "hangs on it");
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* A helper that crashes, hangs or is missing is one sentence. */
static void test_helper_falls(void **state)
{
    (void)state;
    double *y = NULL;
    int rank;
    int64_t dims[4];
    char *folder = strdup(test_folder);
    const char *helper = test_text("nepenthe-h5read", "#!/bin/sh\nkill -SEGV $$\n");
    chmod(helper, 0700);
    setenv("NEPENTHE_HELPERS", folder, 1);
    assert_refused(ctx, nep_hdf5_read_f64(ctx, test_text("t.h5", "x"), "/a", &y, &rank, dims), NEP_E_FORMAT,
                   "crashed on it (Segmentation fault)");
    chmod(test_text("nepenthe-h5read", "#!/bin/sh\nprintf NEPH5DAT\n"), 0700);
    assert_refused(ctx, nep_hdf5_read_f64(ctx, test_path("t.h5"), "/a", &y, &rank, dims), NEP_E_FORMAT,
                   "no whole answer");
    unsetenv("NEPENTHE_HELPERS");
    unlink(helper);
    free(folder);
}

/* Bits flipped and ends cut: read, or refused, never a crash here and never a wait. */
static void test_corrupt(void **state)
{
    (void)state;
    double x[200], *y = NULL;
    for (int i = 0; i < 200; i++)
        x[i] = i;
    const char *path = test_path("c.h5");
    assert_ok(ctx, write_sample(path, 200, x));
    char *good = NULL;
    int64_t n;
    assert_ok(ctx, nep_file_read(ctx, path, 1 << 20, &good, &n));
    int refused = 0;
    for (uint64_t k = 0; k < 120; k++) {
        char *bad = malloc((size_t)n);
        memcpy(bad, good, (size_t)n);
        int64_t size = n;
        if (k % 4 == 0)
            size = (int64_t)(nep_philox_u32(9, k, 0) % (uint32_t)n);
        for (uint64_t i = 0; k % 4 != 0 && i < 1 + k % 16; i++)
            bad[nep_philox_u32(9, k, 2 * i) % (uint32_t)(k % 4 == 1 ? n : 2048)] ^=
                (char)(1 << nep_philox_u32(9, k, 2 * i + 1) % 8);
        int rank;
        int64_t dims[4];
        nep_ctx_clear(ctx);
        const nep_status st = nep_hdf5_read_f64(ctx, test_write("bad.h5", bad, (size_t)size),
                                                "/channels/value", &y, &rank, dims);
        assert_true(st == NEP_OK || st == NEP_E_FORMAT);
        refused += st != NEP_OK;
        if (st == NEP_OK)
            nep_alloc_free(y);
        free(bad);
    }
    assert_true(refused > 30);
    nep_alloc_free(good);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* Our own allocations fail one by one: the old file stays. */
static void test_allocation_failure(void **state)
{
    (void)state;
    const double x[10] = {0};
    const char *path = test_text("f.h5", "old");
    nep_status st = NEP_E_NOMEM;
    int64_t k = 0;
    for (; st != NEP_OK && k < 100; k++) {
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, k);
        st = write_sample(path, 10, x);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        assert_int_equal(nep_alloc_used(ctx), 0);
        if (st != NEP_OK) {
            char *text = NULL;
            int64_t n;
            assert_ok(ctx, nep_file_read(ctx, path, 100, &text, &n));
            assert_string_equal(text, "old");
            nep_alloc_free(text);
        }
    }
    assert_true(k > 4 && k < 100);
}

/* A row of an array, by the library. */
static void read_row(const char *path, const char *name, hsize_t row, float *x, hsize_t n_cols)
{
    const hsize_t start[2] = {row, 0}, size[2] = {1, n_cols};
    const hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(f, name, H5P_DEFAULT), space = H5Dget_space(d);
    const hid_t memory = H5Screate_simple(2, size, NULL);
    assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) >= 0);
    assert_true(H5Dread(d, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, x) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(f);
}

/* Rows that come some at a time: in memory, and beyond what is kept there (the file is sparse). */
static void test_rows(void **state)
{
    (void)state;
    enum { COLS = 1000 };
    static float x[2 * COLS], back[COLS];
    for (int i = 0; i < 2 * COLS; i++)
        x[i] = (float)i;
    for (int64_t rows = 10; rows <= 100000; rows *= 10000) {
        const char *path = test_path("rows.h5");
        nep_hdf5 *h = NULL;
        assert_ok(ctx, nep_hdf5_create(ctx, path, &h));
        assert_fails(nep_hdf5_rows_begin(h, "/none", 0, COLS), NEP_E_ARG);
        nep_ctx_clear(ctx);
        assert_ok(ctx, nep_hdf5_rows_begin(h, "/rows", rows, COLS));
        assert_fails(nep_hdf5_rows_begin(h, "/more", rows, COLS), NEP_E_ARG);
        nep_ctx_clear(ctx);
        assert_ok(ctx, nep_hdf5_rows_write(h, 0, 1, x + COLS));
        assert_ok(ctx, nep_hdf5_rows_write(h, rows - 2, 2, x));
        assert_fails(nep_hdf5_rows_write(h, rows - 1, 2, x), NEP_E_IO);
        nep_ctx_clear(ctx);
        assert_ok(ctx, nep_hdf5_rows_end(h));
        assert_ok(ctx, nep_hdf5_write_f64(h, "/after", (const double[]){7}, 0, NULL));
        assert_ok(ctx, nep_hdf5_commit(h));
        read_row(path, "/rows", 0, back, COLS);
        assert_memory_equal(back, x + COLS, sizeof back);
        read_row(path, "/rows", (hsize_t)rows - 1, back, COLS);
        assert_memory_equal(back, x + COLS, sizeof back);
        read_row(path, "/rows", (hsize_t)rows - 2, back, COLS);
        assert_memory_equal(back, x, sizeof back);
        nep_hdf5 *open = NULL;
        assert_ok(ctx, nep_hdf5_create(ctx, path, &open));
        assert_ok(ctx, nep_hdf5_rows_begin(open, "/rows", 2, COLS));
        nep_hdf5_abort(open); /* with the rows half filled */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_back),
        cmocka_unit_test(test_texts), cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_spill),
        cmocka_unit_test(test_output_refused),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_helper_falls),
        cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_allocation_failure),
    };
    ctx = test_ctx(1);
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, test_clean));
    nep_ctx_free(ctx);
    return failed;
}
