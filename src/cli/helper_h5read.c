/* SPDX-License-Identifier: Apache-2.0 */
/* helper_h5read - the program nepenthe-h5read: reads one dataset of numbers, or one list of texts, and streams it
 * to stdout (io/h5wire.h), then ends. It holds some rows at a time, in steps of whole chunks where chunks are small.
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

enum {
    slab_bytes = 8 << 20, /* rows at a time, of numbers */
    text_slab_bytes = 1 << 20,
    aligned_bytes = 32 << 20, /* of chunks as long as this takes, whole ones at a time */
    long_bytes = 128 << 20,   /* longer ones are kept by the library while their rows are sent, up to so much; of compressed ones that
                                 are longer still so many rows are taken at a time: */
    most_passes = 16,         /* each is read once for every such step */
    chunk_bytes = 96 << 20    /* one compressed chunk */
};

/* The memory that the sizes above are meant for; a process that may have less makes less of them. */
static int64_t at_hand = (int64_t)NEP_H5WIRE_MEGABYTES << 20;

static int64_t scaled(int64_t bytes)
{
    return (int64_t)((double)bytes * ((double)at_hand / ((double)NEP_H5WIRE_MEGABYTES * (1 << 20))));
}

/* How a dataset is read. */
typedef struct {
    int64_t step;   /* rows at a time */
    size_t cache;   /* bytes of chunks to keep, 0 = the library's way */
    size_t slots;   /* for so many chunks */
    int64_t passes; /* how often a chunk is read */
} reading;

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

/* CPU time for so many bytes, so that a large sound file is read and a small hostile one is not. */
static void limit_time(double bytes)
{
    struct rlimit now;
    const double seconds = NEP_H5WIRE_CPU_SECONDS + bytes / NEP_H5WIRE_SECOND_BYTES;
    if (getrlimit(RLIMIT_CPU, &now) != 0)
        refuse("the HDF5 reader could not limit itself");
    const rlim_t most = now.rlim_max == RLIM_INFINITY || seconds < (double)now.rlim_max ? (rlim_t)seconds : now.rlim_max;
    limit(RLIMIT_CPU, most, now.rlim_max); /* at the soft limit it falls; a later call may raise it */
}

static void know_memory(void)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_DATA, &now) == 0 && now.rlim_cur < (rlim_t)at_hand)
        at_hand = (int64_t)now.rlim_cur;
}

static void limit_all(const char *path)
{
    struct stat info;
    know_memory();
    limit_time(stat(path, &info) == 0 ? (double)info.st_size : 0);
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

/* A row of chunks is read once when as many rows are taken at a time as it has, or when the library keeps it. */
static reading plan_reading(hid_t set, const char *name, const int64_t head[1 + NEP_H5WIRE_RANK], int64_t row_bytes, int64_t slab)
{
    const hid_t list = H5Dget_create_plist(set), type = H5Dget_type(set);
    const int rank = (int)head[0];
    const int64_t rows = rank > 0 ? head[1] : 1;
    hsize_t chunk[H5S_MAX_RANK] = {1};
    reading r = {.step = row_bytes > 0 ? slab / row_bytes : 1, .passes = 1};
    const bool chunked = rank > 0 && H5Pget_layout(list) == H5D_CHUNKED && H5Pget_chunk(list, rank, chunk) == rank;
    if (chunked && row_bytes > 0) {
        const double long_rows = chunk[0] < (hsize_t)rows ? (double)chunk[0] : (double)rows, item = (double)H5Tget_size(type);
        double one = item * (double)chunk[0], across = 1;
        for (int i = 1; i < rank; i++) {
            one *= (double)chunk[i];
            across *= (double)((head[1 + i] + (int64_t)chunk[i] - 1) / (int64_t)chunk[i]);
        }
        if (H5Pget_nfilters(list) > 0 && one > (double)scaled(chunk_bytes))
            refuse("'%s' is stored in compressed chunks of %.0f MB, at most %d are read; store it in smaller chunks", name, one / (1 << 20), (int)(scaled(chunk_bytes) >> 20));
        if (long_rows * (double)row_bytes <= (double)scaled(aligned_bytes)) {
            const int64_t c = (int64_t)long_rows;
            r.step = r.step < c ? c : r.step / c * c;
        } else if (one * across <= (double)scaled(long_bytes)) {
            r.cache = (size_t)(one * across);
            r.slots = across < 10000 ? (size_t)across * 100 + 1 : 1000003;
        } else if (H5Pget_nfilters(list) > 0) {
            r.step = scaled(long_bytes) / row_bytes;
            r.passes = r.step > 0 ? (int64_t)(long_rows / (double)r.step) + 1 : most_passes + 1;
            if (r.passes > most_passes)
                refuse("'%s' is stored in compressed chunks of %.0f rows, which would be read %lld times; store it in chunks of fewer rows", name,
                       long_rows, (long long)r.passes);
        }
    }
    r.step = r.step < 1 ? 1 : r.step > rows && rows > 0 ? rows : r.step;
    H5Tclose(type);
    H5Pclose(list);
    return r;
}

/* The dataset again, its chunks kept as planned. */
static hid_t open_planned(hid_t file, hid_t set, const char *name, const reading *r)
{
    if (r->cache == 0)
        return set;
    const hid_t list = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(list, r->slots, r->cache, 1.0);
    H5Dclose(set);
    set = H5Dopen2(file, name, list);
    if (set < 0)
        refuse("has no dataset '%s'", name);
    H5Pclose(list);
    return set;
}

static void send(const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, stdout) != n)
        _Exit(1);
}

/* Rows at .. at + n - 1 into memory of that type. */
static bool read_rows(hid_t set, const int64_t head[1 + NEP_H5WIRE_RANK], int64_t at, int64_t n, hid_t memory, void *out)
{
    const int rank = (int)head[0];
    if (rank == 0)
        return H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
    const hsize_t start[4] = {(hsize_t)at, 0, 0, 0};
    const hsize_t count[4] = {(hsize_t)n, (hsize_t)head[2], (hsize_t)head[3], (hsize_t)head[4]};
    const hid_t from = H5Dget_space(set), to = H5Screate_simple(rank, count, NULL);
    const bool good = H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 && H5Dread(set, memory, to, from, H5P_DEFAULT, out) >= 0;
    H5Sclose(to);
    H5Sclose(from);
    return good;
}

/* Slabs along the first dimension, so that memory stays bounded. */
static void send_values(hid_t set, const char *name, const int64_t head[1 + NEP_H5WIRE_RANK], int64_t n, const reading *r)
{
    const int64_t rows = head[0] > 0 ? head[1] : 1, row = rows > 0 ? n / rows : 0;
    double *slab = n > 0 ? malloc((size_t)(r->step * row) * 8) : NULL;
    if (n > 0 && !slab)
        refuse("'%s' has rows of %lld bytes, which is too much", name, (long long)row * 8);
    send(NEP_H5WIRE_DATA, NEP_H5WIRE_MARK);
    send(head, (1 + NEP_H5WIRE_RANK) * sizeof *head);
    for (int64_t at = 0; at < rows && n > 0; at += r->step) {
        const int64_t m = rows - at < r->step ? rows - at : r->step;
        if (!read_rows(set, head, at, m, H5T_NATIVE_DOUBLE, slab))
            _Exit(1); /* the answer breaks off, which the other end tells */
        send(slab, (size_t)(m * row) * 8);
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

/* What a text takes, those of variable length by a guess. */
static int64_t text_bytes(hid_t set)
{
    const hid_t type = H5Dget_type(set);
    const int64_t bytes = H5Tis_variable_str(type) > 0 ? 256 : (int64_t)H5Tget_size(type) + 1;
    H5Tclose(type);
    return bytes;
}

static void send_piece(int64_t n, const char *text, size_t used)
{
    const int64_t sizes[2] = {n, (int64_t)used};
    send(sizes, sizeof sizes);
    send(text, used);
}

static void send_texts(hid_t set, const char *name, const int64_t head[1 + NEP_H5WIRE_RANK], int64_t n, const reading *r)
{
    const hid_t type = H5Dget_type(set), memory = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, (hsize_t[]){(hsize_t)r->step}, NULL);
    const bool variable = H5Tis_variable_str(type) > 0;
    const size_t width = variable ? sizeof(char *) : H5Tget_size(type) + 1;
    char *text = NULL, *cells = malloc((size_t)r->step * width);
    size_t room = 0;
    if (head[0] > 1)
        refuse("'%s' is no list of texts: it has %lld dimensions", name, (long long)head[0]);
    if (!cells)
        refuse("'%s' has longer texts than are read", name);
    H5Tset_size(memory, variable ? H5T_VARIABLE : width);
    H5Tset_cset(memory, H5Tget_cset(type));
    for (int64_t at = 0; at == 0 || at < n; at += r->step) {
        const int64_t m = n - at < r->step ? n - at : r->step;
        size_t used = 0;
        memset(cells, 0, (size_t)r->step * width);
        if (m > 0 && !read_rows(set, head, at, m, memory, cells)) {
            if (at == 0)
                refuse("'%s' cannot be read", name);
            _Exit(1);
        }
        for (int64_t i = 0; i < m; i++) {
            const char *cell = variable ? ((char **)(void *)cells)[i] : cells + (size_t)i * width;
            append(&text, &used, &room, cell ? cell : "", variable ? SIZE_MAX : width);
        }
        if (variable && m > 0)
            H5Dvlen_reclaim(memory, space, H5P_DEFAULT, cells); /* those past m are NULL */
        if (at == 0) {
            send(NEP_H5WIRE_TEXT, NEP_H5WIRE_MARK);
            send(&n, sizeof n);
        }
        if (m > 0)
            send_piece(m, text, used);
    }
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
    hid_t set = open_dataset(file, argv[2]);
    check_type(set, argv[2], texts);
    check_storage(set, argv[2]);
    const int64_t n = read_shape(set, argv[2], head), rows = head[0] > 0 ? head[1] : 1;
    const int64_t row_bytes = rows == 0 ? 0 : texts ? text_bytes(set) : n / rows * 8;
    const reading r = plan_reading(set, argv[2], head, row_bytes, texts ? text_slab_bytes : slab_bytes);
    set = open_planned(file, set, argv[2], &r);
    limit_time((double)n * (texts ? (double)row_bytes : 8) * (double)r.passes);
    if (texts)
        send_texts(set, argv[2], head, n, &r);
    else
        send_values(set, argv[2], head, n, &r);
    send(NEP_H5WIRE_END, NEP_H5WIRE_MARK);
    _Exit(fflush(stdout) == 0 ? 0 : 1);
}
