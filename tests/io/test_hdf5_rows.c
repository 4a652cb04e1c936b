/* SPDX-License-Identifier: Apache-2.0 */
/* test_hdf5_rows - rows of HDF5 datasets as they come: every way of storing them gives the same numbers in memory that a block of rows
 * takes, names beside them. */
#include "io/files.h"

#include <hdf5.h>

#include "io/source.h"

static nep_ctx *ctx;

static double value(int64_t i, int64_t j)
{
    return (double)((31 * i + 17 * j) % 1009) / 8 - 60;
}

typedef struct {
    int64_t n, dims, chunk_rows, chunk_dims; /* chunk_rows 0 = contiguous */
    bool packed, f64;
    int names; /* 0 none, 1 of variable length, 2 of fixed width */
} layout;

static void write_names(hid_t file, int64_t n, int kind)
{
    const hid_t group = H5Gcreate2(file, "obs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    const hid_t space = H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
    char *text = malloc((size_t)n * 16), **at = malloc((size_t)n * sizeof *at);
    for (int64_t i = 0; i < n; i++) {
        at[i] = text + 16 * i;
        snprintf(at[i], 16, "subject %06d", (int)(i % 1000000));
    }
    H5Tset_size(type, kind == 1 ? H5T_VARIABLE : 16);
    const hid_t set = H5Dcreate2(group, "_index", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, kind == 1 ? (void *)at : text) >= 0);
    free(at);
    free(text);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    H5Gclose(group);
}

static const char *write_file(const layout *l)
{
    const char *path = test_path("rows.h5");
    const hsize_t dims[2] = {(hsize_t)l->n, (hsize_t)l->dims}, chunk[2] = {(hsize_t)l->chunk_rows, (hsize_t)l->chunk_dims};
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple(2, dims, NULL);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);
    double *x = malloc((size_t)(l->n * l->dims) * sizeof *x);
    for (int64_t i = 0; i < l->n * l->dims; i++)
        x[i] = value(i / l->dims, i % l->dims);
    if (l->chunk_rows > 0)
        H5Pset_chunk(list, 2, chunk);
    if (l->packed)
        H5Pset_deflate(list, 1);
    H5Pset_chunk_cache(access, 10007, (size_t)64 << 20, 1.0);
    const hid_t set = H5Dcreate2(file, "X", l->f64 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE, space, H5P_DEFAULT, list, access);
    assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    free(x);
    H5Dclose(set);
    H5Pclose(access);
    H5Pclose(list);
    H5Sclose(space);
    if (l->names)
        write_names(file, l->n, l->names);
    H5Fclose(file);
    return path;
}

static void check(const layout *l, int64_t block)
{
    nep_source *s = NULL;
    char **ids = malloc((size_t)block * sizeof *ids), id[32];
    float *rows = malloc((size_t)(block * l->dims) * sizeof *rows);
    int64_t got = 1, done = 0, wrong = 0;
    const char *path = write_file(l);
    nep_ctx *own = test_ctx(1);
    assert_ok(own, nep_source_open(own, path, NULL, &s));
    const nep_source_info *info = nep_source_about(s);
    assert_true(info->n == l->n && info->width == l->dims && info->ids == (l->names != 0) && info->type == NEP_VECTOR_F32);
    for (; got > 0; done += got) {
        assert_ok(own, nep_source_next(s, rows, block, ids, &got));
        for (int64_t i = 0; i < got; i++) {
            for (int64_t j = 0; j < l->dims; j++)
                wrong += rows[i * l->dims + j] != (float)value(done + i, j);
            snprintf(id, sizeof id, "subject %06d", (int)(done + i));
            if (l->names ? !ids[i] || strcmp(ids[i], id) != 0 : ids[i] != NULL)
                fail_msg("row %lld is called '%s'", (long long)(done + i), ids[i] ? ids[i] : "NULL");
        }
    }
    assert_int_equal(done, l->n);
    assert_int_equal(wrong, 0);
    nep_source_free(s);
    assert_int_equal(nep_alloc_used(own), 0);
    assert_true(nep_alloc_peak(own) < block * (l->dims * 8 + 64) + (4 << 20)); /* a block of float64, its ids, a piece of names */
    nep_ctx_free(own);
    free(rows);
    free(ids);
}

static void test_layouts(void **state)
{
    (void)state;
    static const layout all[] = {
        {.n = 50000, .dims = 40},                                                                  /* one piece */
        {.n = 50000, .dims = 40, .chunk_rows = 300, .chunk_dims = 40, .names = 1},                 /* steps of whole chunks */
        {.n = 50000, .dims = 40, .chunk_rows = 300, .chunk_dims = 7, .packed = true, .names = 2},  /* several across */
        {.n = 30000, .dims = 160, .chunk_rows = 30000, .chunk_dims = 10, .packed = true},          /* longer than a step: kept */
        {.n = 30000, .dims = 160, .chunk_rows = 29999, .chunk_dims = 160},                         /* the same, not packed */
        {.n = 120000, .dims = 148, .chunk_rows = 120000, .chunk_dims = 4, .packed = true, .f64 = true}, /* longer than is kept: read twice */
        {.n = 3, .dims = 2, .chunk_rows = 2, .chunk_dims = 2, .names = 1},
        {.n = 1, .dims = 1, .names = 2},
    };
    for (int i = 0; i < NEP_LEN(all); i++)
        check(&all[i], i % 2 ? 1000 : 1777);
}

/* Chunks that no bounded memory reads in a bounded time are refused by name, and so is a list of names of another length. */
static void test_refused(void **state)
{
    (void)state;
    static const struct {
        hsize_t dims[2], chunk[2];
        const char *words;
    } all[] = {
        {{4 << 20, 64}, {4 << 20, 1}, "in compressed chunks of 4194304 rows, which would be read 17 times"},
        {{2, 18 << 20}, {2, 1 << 20}, "which would be read 17 times"},
        {{26 << 20, 1}, {26 << 20, 1}, "in compressed chunks of 208 MB, at most 96 are read"},
    };
    nep_source *s = NULL;
    char *bytes = calloc(1, 3 << 20);
    const char *path = test_path("long.h5");
    for (int i = 0; i < NEP_LEN(all); i++) {
        const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple(2, all[i].dims, NULL);
        const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(list, 2, all[i].chunk);
        H5Pset_deflate(list, 1);
        const hid_t set = H5Dcreate2(file, "X", H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
        assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, 0, (hsize_t[]){0, 0}, 3 << 20, bytes) >= 0); /* as if packed, which is never looked at */
        H5Dclose(set);
        H5Pclose(list);
        H5Sclose(space);
        H5Fclose(file);
        assert_refused(ctx, nep_source_open(ctx, path, NULL, &s), NEP_E_FORMAT, all[i].words);
    }
    free(bytes);
    path = write_file(&(layout){.n = 5, .dims = 2});
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    write_names(file, 4, 1);
    H5Fclose(file);
    assert_refused(ctx, nep_source_open(ctx, path, NULL, &s), NEP_E_FORMAT, "has 4 names for 5 rows");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* A file whose later chunks are damaged, and a source that is let go before its end. */
static void test_breaks_off(void **state)
{
    (void)state;
    nep_source *s = NULL;
    float rows[100 * 40];
    int64_t got = 1, done = 0, n;
    char *bytes = NULL;
    const char *path = write_file(&(layout){.n = 50000, .dims = 40, .chunk_rows = 300, .chunk_dims = 40, .packed = true});
    assert_ok(ctx, nep_source_open(ctx, path, NULL, &s));
    assert_ok(ctx, nep_source_next(s, rows, 100, NULL, &got));
    nep_source_free(s);
    assert_ok(ctx, nep_file_read(ctx, path, 64 << 20, &bytes, &n));
    memset(bytes + n / 10 * 9, 0xff, 2000);
    path = test_write("damaged.h5", bytes, (size_t)n);
    nep_alloc_free(bytes);
    nep_status st = nep_source_open(ctx, path, NULL, &s);
    assert_ok(ctx, st);
    for (; st == NEP_OK && got > 0; done += got)
        st = nep_source_next(s, rows, 100, NULL, &got);
    nep_source_free(s);
    assert_int_equal(st, NEP_E_FORMAT);
    assert_true(done > 0 && done < 50000 && strstr(nep_ctx_error(ctx), "gave no whole answer"));
    nep_ctx_clear(ctx);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_breaks_off),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
