/* SPDX-License-Identifier: Apache-2.0 */
/* helper_h5read - the program nepenthe-h5read: reads one dataset of numbers, or one list of texts, and streams it
 * to stdout (io/h5wire.h), then ends.
 *
 * It limits its own memory, time and writing before it touches the file, follows hard links only, and refuses
 * what it does not know: external storage, virtual layouts, foreign filters, sizes that the stored bytes
 * cannot justify. */
#include "io/h5wire.h"

#include <hdf5.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { slab_bytes = 8 << 20 };

static _Noreturn void refuse(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs(NEP_H5WIRE_ERROR, stdout);
    vprintf(fmt, args);
    va_end(args);
    fflush(stdout);
    _Exit(1);
}

static void limit(int what, rlim_t soft, rlim_t hard)
{
    const struct rlimit r = {soft, hard};
    if (setrlimit(what, &r) != 0)
        refuse("the HDF5 reader could not limit itself");
}

/* CPU time grows with the file, so that a large sound one is read and a small hostile one is not. */
static void limit_all(const char *path)
{
    struct stat info;
    const rlim_t more = stat(path, &info) == 0 ? (rlim_t)(info.st_size / (50 << 20)) : 0;
    limit(RLIMIT_CPU, NEP_H5WIRE_CPU_SECONDS + more, NEP_H5WIRE_CPU_SECONDS + more + 1);
    limit(RLIMIT_FSIZE, 0, 0);
    limit(RLIMIT_CORE, 0, 0);
#ifndef __SANITIZE_ADDRESS__ /* its shadow needs the whole address space */
    limit(RLIMIT_AS, (rlim_t)NEP_H5WIRE_MEGABYTES << 20, (rlim_t)NEP_H5WIRE_MEGABYTES << 20);
#endif
}

/* Opens the dataset step by step; every step must be a hard link. */
static hid_t open_dataset(hid_t file, const char *name)
{
    char part[1024];
    const size_t n = strlen(name);
    if (n == 0 || n >= sizeof part)
        refuse("the dataset name is empty or too long");
    for (size_t i = 1; i <= n; i++) {
        if (name[i] != '/' && name[i] != '\0')
            continue;
        H5L_info_t info;
        memcpy(part, name, i);
        part[i] = '\0';
        if (H5Lget_info(file, part, &info, H5P_DEFAULT) < 0)
            refuse("has no dataset '%s'", name);
        if (info.type != H5L_TYPE_HARD)
            refuse("'%s' is reached through a link to elsewhere, which is not followed", name);
    }
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0)
        refuse("has no dataset '%s'", name);
    return set;
}

static void check_type(hid_t set, const char *name, bool texts)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t class = H5Tget_class(type);
    if (texts && class != H5T_STRING)
        refuse("'%s' does not hold texts", name);
    if (!texts && class != H5T_INTEGER && class != H5T_FLOAT)
        refuse("'%s' does not hold numbers", name);
    if (!texts && H5Tget_size(type) > 16)
        refuse("'%s' holds numbers of %zu bytes", name, H5Tget_size(type));
    H5Tclose(type);
}

static void check_storage(hid_t set, const char *name)
{
    const hid_t list = H5Dget_create_plist(set);
    const H5D_layout_t layout = H5Pget_layout(list);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        refuse("'%s' has a layout that is not read (virtual datasets are not)", name);
    if (H5Pget_external_count(list) != 0)
        refuse("'%s' keeps its data in another file, which is not read", name);
    const int n = layout == H5D_CHUNKED ? H5Pget_nfilters(list) : 0;
    for (int i = 0; i < n; i++) {
        size_t values = 0;
        unsigned flags, config;
        const H5Z_filter_t f = H5Pget_filter2(list, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (f != H5Z_FILTER_DEFLATE && f != H5Z_FILTER_SHUFFLE && f != H5Z_FILTER_FLETCHER32)
            refuse("'%s' is compressed with filter %d, which is not read; store it with gzip", name, (int)f);
    }
    H5Pclose(list);
}

static int64_t read_shape(hid_t set, const char *name, int64_t head[1 + NEP_H5WIRE_RANK])
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    const int rank = H5Sget_simple_extent_ndims(space);
    int64_t n = 1;
    if (rank < 0 || rank > NEP_H5WIRE_RANK)
        refuse("'%s' has %d dimensions, at most %d are read", name, rank, NEP_H5WIRE_RANK);
    if (rank > 0 && H5Sget_simple_extent_dims(space, dims, NULL) != rank)
        refuse("'%s' has no readable shape", name);
    if (H5Sget_simple_extent_type(space) == H5S_NULL)
        refuse("'%s' is empty", name);
    head[0] = rank;
    for (int i = 0; i < NEP_H5WIRE_RANK; i++) {
        head[1 + i] = i < rank ? (int64_t)dims[i] : 1;
        if (head[1 + i] < 0 || __builtin_mul_overflow(n, head[1 + i], &n))
            refuse("'%s' claims more values than any file holds", name);
    }
    const double stored = (double)H5Dget_storage_size(set), claimed = (double)n * (double)H5Tget_size(type);
    if (claimed > 1100 * stored + (1 << 20))
        refuse("'%s' claims %.0f bytes and stores %.0f", name, claimed, stored);
    H5Tclose(type);
    H5Sclose(space);
    return n;
}

static void send(const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, stdout) != n)
        _Exit(1);
}

/* Slabs along the first dimension, so that memory stays bounded. */
static void send_values(hid_t set, const char *name, const int64_t head[1 + NEP_H5WIRE_RANK], int64_t n)
{
    const int rank = (int)head[0];
    const int64_t rows = rank > 0 ? head[1] : 1, row = rows > 0 ? n / rows : 0;
    int64_t step = row > 0 ? slab_bytes / (row * 8) : 1;
    step = step < 1 ? 1 : step > rows ? rows : step;
    double *slab = n > 0 ? malloc((size_t)(step * row) * 8) : NULL;
    if (n > 0 && !slab)
        refuse("'%s' has rows of %lld bytes, which is too much", name, (long long)row * 8);
    for (int64_t at = 0; at < rows && n > 0; at += step) {
        const int64_t m = rows - at < step ? rows - at : step;
        const hsize_t start[4] = {(hsize_t)at, 0, 0, 0};
        const hsize_t count[4] = {(hsize_t)m, (hsize_t)head[2], (hsize_t)head[3], (hsize_t)head[4]};
        const hid_t from = H5Dget_space(set);
        hid_t to = H5S_ALL;
        if (rank > 0) {
            H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL);
            to = H5Screate_simple(rank, count, NULL);
        }
        if (H5Dread(set, H5T_NATIVE_DOUBLE, to, rank > 0 ? from : H5S_ALL, H5P_DEFAULT, slab) < 0)
            _Exit(1); /* the answer breaks off, which the other end tells */
        send(slab, (size_t)(m * row) * 8);
        if (rank > 0)
            H5Sclose(to);
        H5Sclose(from);
    }
    free(slab);
}

/* One text, up to its NUL or its fixed width. */
static void append(char **text, size_t *used, size_t *room, const char *from, size_t width)
{
    const size_t n = strnlen(from, width);
    if (*used + n + 1 > *room) {
        *room = 2 * (*used + n + 1);
        *text = realloc(*text, *room);
        if (!*text)
            refuse("its texts are longer than is read");
    }
    memcpy(*text + *used, from, n);
    (*text)[*used + n] = '\0';
    *used += n + 1;
}

static void send_texts(hid_t set, const char *name, const int64_t head[1 + NEP_H5WIRE_RANK], int64_t n)
{
    const hid_t type = H5Dget_type(set), memory = H5Tcopy(H5T_C_S1);
    const bool variable = H5Tis_variable_str(type) > 0;
    const size_t width = variable ? sizeof(char *) : H5Tget_size(type) + 1;
    char *text = NULL, *cells = n > 0 ? calloc((size_t)n, width) : NULL;
    size_t used = 0, room = 0;
    if (head[0] > 1)
        refuse("'%s' is no list of texts: it has %lld dimensions", name, (long long)head[0]);
    if (n > 0 && !cells)
        refuse("'%s' has more texts than is read", name);
    H5Tset_size(memory, variable ? H5T_VARIABLE : width);
    H5Tset_cset(memory, H5Tget_cset(type));
    if (n > 0 && H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) < 0)
        refuse("'%s' cannot be read", name);
    for (int64_t i = 0; i < n; i++) {
        const char *cell = variable ? ((char **)(void *)cells)[i] : cells + (size_t)i * width;
        append(&text, &used, &room, cell ? cell : "", variable ? SIZE_MAX : width);
    }
    const int64_t sizes[2] = {n, (int64_t)used};
    send(NEP_H5WIRE_TEXT, NEP_H5WIRE_MARK);
    send(sizes, sizeof sizes);
    if (used > 0)
        send(text, used);
    send(NEP_H5WIRE_END, NEP_H5WIRE_MARK);
}

int main(int argc, char **argv)
{
    int64_t head[1 + NEP_H5WIRE_RANK];
    const bool texts = argc == 4 && strcmp(argv[3], NEP_H5WIRE_TEXTS) == 0;
    if (argc != 4 || (!texts && strcmp(argv[3], NEP_H5WIRE_NUMBERS) != 0))
        refuse("usage: nepenthe-h5read FILE DATASET " NEP_H5WIRE_NUMBERS "|" NEP_H5WIRE_TEXTS);
    limit_all(argv[1]);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t file = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        refuse("is no HDF5 file, or a damaged one");
    const hid_t set = open_dataset(file, argv[2]);
    check_type(set, argv[2], texts);
    check_storage(set, argv[2]);
    const int64_t n = read_shape(set, argv[2], head);
    if (texts) {
        send_texts(set, argv[2], head, n);
        _Exit(fflush(stdout) == 0 ? 0 : 1);
    }
    send(NEP_H5WIRE_DATA, NEP_H5WIRE_MARK);
    send(head, sizeof head);
    send_values(set, argv[2], head, n);
    send(NEP_H5WIRE_END, NEP_H5WIRE_MARK);
    _Exit(fflush(stdout) == 0 ? 0 : 1);
}
