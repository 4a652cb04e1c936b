/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5 - HDF5 output: built in memory and landed as one image, or beside the target when it grows beyond 256
 * MiB. libhdf5 never writes to the final name: killed while writing, it leaves an unreadable file. */
#include <nepenthe/io.h>

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const int64_t image_limit = (int64_t)256 << 20; /* bytes of data kept in memory */
enum { compress_from = 64 << 10, chunk_bytes = 1 << 20, deflate_level = 4 };

struct nep_hdf5 {
    nep_ctx *ctx;
    char *path;
    nep_file *file; /* the temporary; libhdf5 writes to it only after spill() */
    hid_t h5, links, text;
    hid_t rows; /* the array of rows being filled, 0 = none */
    int64_t n_cols;
    bool on_disk;
    int64_t bytes;
};

/* ---- errors ---- */

static herr_t first_cause(unsigned n, const H5E_error2_t *e, void *user)
{
    if (n == 0 && e->desc)
        snprintf(user, 200, "%s", e->desc);
    return 0;
}

static nep_status failed(nep_hdf5 *h, const char *what)
{
    char cause[200] = "no cause given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_cause, cause);
    H5Eclear2(H5E_DEFAULT);
    return nep_ctx_fail_file(h->ctx, NEP_E_IO, h->path, "%s: libhdf5 could not write '%s' (%s)", h->path,
                             what, cause);
}

/* ---- opening ---- */

static hid_t access_list(bool core)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(list, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    if (core)
        H5Pset_fapl_core(list, chunk_bytes, 0);
    return list;
}

static void close_all(nep_hdf5 *h)
{
    if (h->rows > 0)
        H5Dclose(h->rows);
    if (h->text > 0)
        H5Tclose(h->text);
    if (h->links > 0)
        H5Pclose(h->links);
    if (h->h5 > 0)
        H5Fclose(h->h5);
    h->rows = h->text = h->links = h->h5 = 0;
}

static void hdf5_free(nep_hdf5 *h)
{
    close_all(h);
    nep_file_abort(h->file);
    nep_alloc_free(h->path);
    nep_alloc_free(h);
}

static nep_status open_core(nep_hdf5 *h)
{
    const hid_t access = access_list(true), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(create, 0);
    h->h5 = H5Fcreate(h->path, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    h->links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(h->links, 1);
    h->text = H5Tcopy(H5T_C_S1);
    H5Tset_size(h->text, H5T_VARIABLE);
    H5Tset_cset(h->text, H5T_CSET_UTF8);
    return h->h5 > 0 && h->links > 0 && h->text > 0 ? NEP_OK : failed(h, "/");
}

nep_status nep_hdf5_create(nep_ctx *ctx, const char *path, nep_hdf5 **out)
{
    nep_hdf5 *h = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *h, "HDF5 output", &h));
    h->ctx = ctx;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* the library prints nothing */
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &h->path));
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &h->file));
    NEP_TRY_OR_DONE(st, open_core(h));
    *out = h;
    h = NULL;
done:
    if (h)
        hdf5_free(h);
    return st;
}

/* ---- memory to file ---- */

static nep_status take_image(nep_hdf5 *h, unsigned char **image, int64_t *n)
{
    if (H5Fflush(h->h5, H5F_SCOPE_GLOBAL) < 0)
        return failed(h, "/");
    const ssize_t size = H5Fget_file_image(h->h5, NULL, 0);
    if (size <= 0)
        return failed(h, "/");
    NEP_TRY(nep_alloc(h->ctx, size, 1, "HDF5 image", image));
    *n = H5Fget_file_image(h->h5, *image, (size_t)size);
    return *n == size ? NEP_OK : failed(h, "/");
}

static nep_status write_descriptor(nep_hdf5 *h, const unsigned char *bytes, int64_t n)
{
    const int fd = open(nep_file_temporary(h->file), O_WRONLY | O_CLOEXEC);
    int64_t at = 0;
    while (fd >= 0 && at < n) {
        const ssize_t put = write(fd, bytes + at, (size_t)(n - at));
        if (put < 0 && errno != EINTR)
            break;
        at += put > 0 ? put : 0;
    }
    const int code = errno;
    if (fd >= 0 && close(fd) == 0 && at == n)
        return NEP_OK;
    return nep_ctx_fail_file(h->ctx, NEP_E_IO, h->path, "%s: writing failed (%s)", h->path, strerror(code));
}

/* From memory to the temporary file, once the data pass the limit. */
static nep_status spill(nep_hdf5 *h)
{
    unsigned char *image = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, take_image(h, &image, &n));
    NEP_TRY_OR_DONE(st, write_descriptor(h, image, n));
    H5Fclose(h->h5);
    const hid_t access = access_list(false);
    h->h5 = H5Fopen(nep_file_temporary(h->file), H5F_ACC_RDWR, access);
    H5Pclose(access);
    h->on_disk = true;
    if (h->h5 <= 0)
        st = failed(h, "/");
done:
    nep_alloc_free(image);
    return st;
}

static nep_status count_bytes(nep_hdf5 *h, int64_t n)
{
    h->bytes += n;
    return !h->on_disk && h->bytes > image_limit ? spill(h) : NEP_OK;
}

nep_status nep_hdf5_commit(nep_hdf5 *h)
{
    unsigned char *image = NULL;
    int64_t n = 0;
    nep_status st = NEP_OK;
    if (!h->on_disk) {
        NEP_TRY_OR_DONE(st, take_image(h, &image, &n));
        NEP_TRY_OR_DONE(st, nep_file_write(h->file, image, (size_t)n));
    }
    const hid_t h5 = h->h5;
    h->h5 = 0;
    if (H5Fclose(h5) < 0 && h->on_disk)
        NEP_TRY_OR_DONE(st, failed(h, "/"));
    nep_file *f = h->file;
    h->file = NULL;
    st = nep_file_commit(f);
done:
    nep_alloc_free(image);
    hdf5_free(h);
    return st;
}

void nep_hdf5_abort(nep_hdf5 *h)
{
    if (h)
        hdf5_free(h);
}

/* ---- groups and attributes ---- */

nep_status nep_hdf5_group(nep_hdf5 *h, const char *name)
{
    hid_t g = H5Gopen2(h->h5, name, H5P_DEFAULT);
    if (g < 0) {
        H5Eclear2(H5E_DEFAULT);
        g = H5Gcreate2(h->h5, name, h->links, H5P_DEFAULT, H5P_DEFAULT);
    }
    if (g < 0)
        return failed(h, name);
    H5Gclose(g);
    return NEP_OK;
}

static nep_status attribute(nep_hdf5 *h, const char *object, const char *name, hid_t type, hid_t space,
                            const void *value)
{
    const hid_t a =
        H5Acreate_by_name(h->h5, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const bool ok = a >= 0 && H5Awrite(a, type, value) >= 0;
    if (a >= 0)
        H5Aclose(a);
    return ok ? NEP_OK : failed(h, name);
}

nep_status nep_hdf5_attribute(nep_hdf5 *h, const char *object, const char *name, const char *text)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    const nep_status st = attribute(h, object, name, h->text, space, &text);
    H5Sclose(space);
    return st;
}

nep_status nep_hdf5_attribute_strings(nep_hdf5 *h, const char *object, const char *name, char *const *texts,
                                      int64_t n)
{
    const hsize_t dim = (hsize_t)n;
    const hid_t space = n > 0 ? H5Screate_simple(1, &dim, NULL) : H5Screate(H5S_NULL);
    const nep_status st = attribute(h, object, name, h->text, space, texts);
    H5Sclose(space);
    return st;
}

nep_status nep_hdf5_attribute_i64(nep_hdf5 *h, const char *object, const char *name, const int64_t *x,
                                  int64_t n)
{
    const hsize_t dim = (hsize_t)n;
    const hid_t space = H5Screate_simple(1, &dim, NULL);
    const nep_status st = attribute(h, object, name, H5T_NATIVE_INT64, space, x);
    H5Sclose(space);
    return st;
}

/* ---- datasets ---- */

/* No times; large arrays are chunked, shuffled and deflated. */
static hid_t creation_list(int rank, const hsize_t *dims, int64_t item, int64_t bytes)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t c[4];
    H5Pset_obj_track_times(list, 0);
    if (bytes <= compress_from || rank < 1)
        return list;
    memcpy(c, dims, (size_t)rank * sizeof *c);
    for (int i = 0; i < rank; i++)
        while (bytes > chunk_bytes && c[i] > 1) {
            c[i] = (c[i] + 1) / 2;
            bytes = item;
            for (int k = 0; k < rank; k++)
                bytes *= (int64_t)c[k];
        }
    H5Pset_chunk(list, rank, c);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, deflate_level);
    return list;
}

static nep_status write_array(nep_hdf5 *h, const char *name, hid_t stored, hid_t native, const void *x,
                              int rank, const int64_t *dims)
{
    hsize_t d[4] = {1, 1, 1, 1};
    int64_t bytes = (int64_t)H5Tget_size(stored);
    const int64_t item = bytes;
    NEP_REQUIRE(h->ctx, rank >= 0 && rank <= 4, NEP_E_ARG,
                "%s: '%s' has %d dimensions, at most 4 are written", h->path, name, rank);
    for (int i = 0; i < rank; i++) {
        NEP_REQUIRE(h->ctx, dims[i] >= 0 && !__builtin_mul_overflow(bytes, dims[i], &bytes), NEP_E_ARG,
                    "%s: '%s' has a dimension of %lld", h->path, name, (long long)dims[i]);
        d[i] = (hsize_t)dims[i];
    }
    NEP_TRY(count_bytes(h, bytes));
    const hid_t space = rank > 0 ? H5Screate_simple(rank, d, NULL) : H5Screate(H5S_SCALAR);
    const hid_t list = creation_list(rank, d, item, bytes);
    const hid_t set = H5Dcreate2(h->h5, name, stored, space, h->links, list, H5P_DEFAULT);
    bool ok = set >= 0;
    if (ok && bytes > 0)
        ok = H5Dwrite(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;
    if (set >= 0)
        H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    return ok ? NEP_OK : failed(h, name);
}

nep_status nep_hdf5_write_f64(nep_hdf5 *h, const char *name, const double *x, int rank, const int64_t *dims)
{
    return write_array(h, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, x, rank, dims);
}

nep_status nep_hdf5_write_f32(nep_hdf5 *h, const char *name, const float *x, int rank, const int64_t *dims)
{
    return write_array(h, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, x, rank, dims);
}

nep_status nep_hdf5_write_i64(nep_hdf5 *h, const char *name, const int64_t *x, int rank, const int64_t *dims)
{
    return write_array(h, name, H5T_STD_I64LE, H5T_NATIVE_INT64, x, rank, dims);
}

nep_status nep_hdf5_write_u64(nep_hdf5 *h, const char *name, const uint64_t *x, int rank, const int64_t *dims)
{
    return write_array(h, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, x, rank, dims);
}

nep_status nep_hdf5_write_strings(nep_hdf5 *h, const char *name, char *const *x, int64_t n)
{
    const char **text = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(h->ctx, n, sizeof *text, "HDF5 strings", &text));
    for (int64_t i = 0; i < n; i++)
        text[i] = x[i] ? x[i] : "";
    st = write_array(h, name, h->text, h->text, text, 1, &n);
    nep_alloc_free(text);
    return st;
}

/* ---- rows ---- */

nep_status nep_hdf5_rows_begin(nep_hdf5 *h, const char *name, int64_t n_rows, int64_t n_cols)
{
    const hsize_t dims[2] = {(hsize_t)n_rows, (hsize_t)n_cols};
    int64_t bytes = (int64_t)sizeof(float);
    NEP_REQUIRE(h->ctx, h->rows == 0, NEP_E_ARG, "%s: an array of rows is being filled, '%s' must wait", h->path, name);
    NEP_REQUIRE(h->ctx, n_rows > 0 && n_cols > 0 && !__builtin_mul_overflow(bytes, n_rows, &bytes) && !__builtin_mul_overflow(bytes, n_cols, &bytes),
                NEP_E_ARG, "%s: '%s' cannot have %lld rows of %lld", h->path, name, (long long)n_rows, (long long)n_cols);
    NEP_TRY(count_bytes(h, bytes));
    const hid_t space = H5Screate_simple(2, dims, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, 0);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    h->rows = H5Dcreate2(h->h5, name, H5T_IEEE_F32LE, space, h->links, list, H5P_DEFAULT);
    h->n_cols = n_cols;
    H5Pclose(list);
    H5Sclose(space);
    if (h->rows > 0)
        return NEP_OK;
    h->rows = 0;
    return failed(h, name);
}

nep_status nep_hdf5_rows_write(nep_hdf5 *h, int64_t first, int64_t count, const float *x)
{
    const hsize_t start[2] = {(hsize_t)first, 0}, size[2] = {(hsize_t)count, (hsize_t)h->n_cols};
    const hid_t space = H5Dget_space(h->rows), memory = H5Screate_simple(2, size, NULL);
    const bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) >= 0 &&
                    H5Dwrite(h->rows, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, x) >= 0;
    H5Sclose(memory);
    H5Sclose(space);
    return ok ? NEP_OK : failed(h, "rows");
}

nep_status nep_hdf5_rows_end(nep_hdf5 *h)
{
    const hid_t rows = h->rows;
    h->rows = 0;
    return H5Dclose(rows) >= 0 ? NEP_OK : failed(h, "rows");
}

/* ---- tables ---- */

static size_t width(const nep_hdf5_column *c, int64_t n_rows)
{
    size_t most = 1;
    for (int64_t i = 0; c->text && i < n_rows; i++) {
        const size_t n = c->text[i] ? strlen(c->text[i]) : 0;
        most = n > most ? n : most;
    }
    return c->text ? most : sizeof(double);
}

static hid_t column_type(const nep_hdf5_column *c, size_t size)
{
    const hid_t t = H5Tcopy(c->text ? H5T_C_S1 : H5T_NATIVE_DOUBLE);
    if (c->text) {
        H5Tset_size(t, size);
        H5Tset_strpad(t, H5T_STR_NULLPAD);
        H5Tset_cset(t, H5T_CSET_UTF8);
    }
    return t;
}

static bool insert_columns(hid_t type, const nep_hdf5_column *columns, int64_t n, const size_t *size)
{
    size_t at = 0;
    bool ok = true;
    for (int64_t c = 0; c < n; c++) {
        const hid_t t = column_type(&columns[c], size[c]);
        ok = H5Tinsert(type, columns[c].name, at, t) >= 0 && ok;
        H5Tclose(t);
        at += size[c];
    }
    return ok;
}

static void fill_rows(const nep_hdf5_column *columns, int64_t n, const size_t *size, int64_t n_rows,
                      size_t row_bytes, char *rows)
{
    size_t at = 0;
    for (int64_t c = 0; c < n; c++) {
        for (int64_t i = 0; i < n_rows; i++) {
            char *cell = rows + (size_t)i * row_bytes + at;
            if (columns[c].text)
                memcpy(cell, columns[c].text[i] ? columns[c].text[i] : "",
                       columns[c].text[i] ? strlen(columns[c].text[i]) : 0);
            else
                memcpy(cell, &columns[c].number[i], sizeof(double));
        }
        at += size[c];
    }
}

nep_status nep_hdf5_write_table(nep_hdf5 *h, const char *name, const nep_hdf5_column *columns,
                                int64_t n_columns, int64_t n_rows)
{
    size_t *size = NULL, row_bytes = 0;
    char *rows = NULL;
    hid_t type = -1;
    nep_status st;
    NEP_REQUIRE(h->ctx, n_columns > 0, NEP_E_ARG, "%s: the table '%s' has no columns", h->path, name);
    for (int64_t c = 0; c < n_columns; c++)
        NEP_REQUIRE(h->ctx, !columns[c].text != !columns[c].number || n_rows == 0, NEP_E_ARG,
                    "%s: column '%s' of '%s' must be text or numbers", h->path, columns[c].name, name);
    NEP_TRY_OR_DONE(st, nep_alloc(h->ctx, n_columns, sizeof *size, "HDF5 table", &size));
    for (int64_t c = 0; c < n_columns; c++)
        row_bytes += size[c] = width(&columns[c], n_rows);
    NEP_TRY_OR_DONE(st, nep_alloc(h->ctx, n_rows, row_bytes, "HDF5 table", &rows));
    fill_rows(columns, n_columns, size, n_rows, row_bytes, rows);
    type = H5Tcreate(H5T_COMPOUND, row_bytes);
    if (type < 0 || !insert_columns(type, columns, n_columns, size))
        NEP_TRY_OR_DONE(st, failed(h, name));
    st = write_array(h, name, type, type, rows, 1, &n_rows);
done:
    if (type >= 0)
        H5Tclose(type);
    nep_alloc_free(rows);
    nep_alloc_free(size);
    return st;
}
