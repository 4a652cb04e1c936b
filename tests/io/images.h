/* SPDX-License-Identifier: Apache-2.0 */
/* images - NIfTI files byte by byte for the tests: any version, endianness and type, written from the
 * standard's offsets and not by the program under test. */
#ifndef NEP_TESTS_IO_IMAGES_H
#define NEP_TESTS_IO_IMAGES_H

#include "io/files.h"

#include <libdeflate.h>

typedef struct {
    int version; /* 1 or 2 */
    bool big;
    int datatype, bitpix;
    int64_t dim[8];
    double pixdim[8], slope, inter, vox_offset; /* vox_offset 0 = right behind the header */
    int qform, sform, units;
    double quatern[3], offset[3], srow[3][4];
} image;

/* 3 x 4 x 2 x n_t, int16, 2 mm, sform, TR 2 s. */
static inline image image_default(int version, int64_t n_t)
{
    image m = {.version = version, .datatype = 4, .bitpix = 16, .slope = 1, .sform = 1, .units = 10};
    const int64_t dim[8] = {n_t > 1 ? 4 : 3, 3, 4, 2, n_t, 1, 1, 1};
    for (int i = 0; i < 8; i++) {
        m.dim[i] = dim[i];
        m.pixdim[i] = i == 0 ? 1 : 2;
    }
    for (int r = 0; r < 3; r++) {
        m.srow[r][r] = r == 0 ? -2 : 2;
        m.srow[r][3] = 10 * (r + 1);
    }
    return m;
}

static inline void image_put(unsigned char *to, bool big, const void *value, int size)
{
    const unsigned char *v = value;
    for (int i = 0; i < size; i++)
        to[i] = v[big ? size - 1 - i : i];
}

static inline void image_i16(unsigned char *to, bool big, int64_t v)
{
    const int16_t x = (int16_t)v;
    image_put(to, big, &x, 2);
}

static inline void image_i32(unsigned char *to, bool big, int64_t v)
{
    const int32_t x = (int32_t)v;
    image_put(to, big, &x, 4);
}

static inline void image_f32(unsigned char *to, bool big, double v)
{
    const float x = (float)v;
    image_put(to, big, &x, 4);
}

static inline void image_header_1(const image *m, unsigned char *b)
{
    image_i32(b, m->big, 348);
    for (int i = 0; i < 8; i++) {
        image_i16(b + 40 + 2 * i, m->big, m->dim[i]);
        image_f32(b + 76 + 4 * i, m->big, m->pixdim[i]);
    }
    image_i16(b + 70, m->big, m->datatype);
    image_i16(b + 72, m->big, m->bitpix);
    image_f32(b + 108, m->big, m->vox_offset != 0 ? m->vox_offset : 352);
    image_f32(b + 112, m->big, m->slope);
    image_f32(b + 116, m->big, m->inter);
    b[123] = (unsigned char)m->units;
    image_i16(b + 252, m->big, m->qform);
    image_i16(b + 254, m->big, m->sform);
    for (int r = 0; r < 3; r++) {
        image_f32(b + 256 + 4 * r, m->big, m->quatern[r]);
        image_f32(b + 268 + 4 * r, m->big, m->offset[r]);
        for (int c = 0; c < 4; c++)
            image_f32(b + 280 + 16 * r + 4 * c, m->big, m->srow[r][c]);
    }
    memcpy(b + 344, "n+1", 4);
}

static inline void image_header_2(const image *m, unsigned char *b)
{
    image_i32(b, m->big, 540);
    memcpy(b + 4, "n+2\0\r\n\032\n", 8);
    image_i16(b + 12, m->big, m->datatype);
    image_i16(b + 14, m->big, m->bitpix);
    for (int i = 0; i < 8; i++) {
        image_put(b + 16 + 8 * i, m->big, &m->dim[i], 8);
        image_put(b + 104 + 8 * i, m->big, &m->pixdim[i], 8);
    }
    const int64_t offset = m->vox_offset != 0 ? (int64_t)m->vox_offset : 544;
    image_put(b + 168, m->big, &offset, 8);
    image_put(b + 176, m->big, &m->slope, 8);
    image_put(b + 184, m->big, &m->inter, 8);
    image_i32(b + 344, m->big, m->qform);
    image_i32(b + 348, m->big, m->sform);
    for (int r = 0; r < 3; r++) {
        image_put(b + 352 + 8 * r, m->big, &m->quatern[r], 8);
        image_put(b + 376 + 8 * r, m->big, &m->offset[r], 8);
        for (int c = 0; c < 4; c++)
            image_put(b + 400 + 32 * r + 8 * c, m->big, &m->srow[r][c], 8);
    }
    image_i32(b + 500, m->big, m->units);
}

static inline int64_t image_items(const image *m)
{
    int64_t n = 1;
    for (int i = 1; i <= m->dim[0] && i < 8; i++)
        n *= m->dim[i];
    return n;
}

/* Voxel i as the item of its type; the value is small and fits every type. */
static inline void image_item(const image *m, unsigned char *to, double v)
{
    const int size = m->bitpix / 8;
    union {
        uint8_t u8;
        int8_t i8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        float f32;
        double f64;
    } x;
    switch (m->datatype) {
    case 2:
        x.u8 = (uint8_t)v;
        break;
    case 4:
        x.i16 = (int16_t)v;
        break;
    case 8:
        x.i32 = (int32_t)v;
        break;
    case 16:
        x.f32 = (float)v;
        break;
    case 64:
        x.f64 = v;
        break;
    case 256:
        x.i8 = (int8_t)v;
        break;
    case 512:
        x.u16 = (uint16_t)v;
        break;
    case 768:
        x.u32 = (uint32_t)v;
        break;
    case 1024:
        x.i64 = (int64_t)v;
        break;
    default:
        x.u64 = (uint64_t)v;
        break;
    }
    image_put(to, m->big, &x, size);
}

/* Header, extender and items; values NULL = 0, 1, 2, ... modulo 100. Returns the bytes (malloc) and their
 * number. */
static inline unsigned char *image_bytes(const image *m, const double *values, size_t *n)
{
    const size_t head = m->version == 1 ? 352 : 544, size = (size_t)m->bitpix / 8;
    const int64_t items = image_items(m);
    unsigned char *b = calloc(1, head + (size_t)items * size);
    if (!b)
        abort();
    if (m->version == 1)
        image_header_1(m, b);
    else
        image_header_2(m, b);
    for (int64_t i = 0; i < items; i++)
        image_item(m, b + head + (size_t)i * size, values ? values[i] : (double)(i % 100));
    *n = head + (size_t)items * size;
    return b;
}

/* Writes bytes as they are, or as one gzip member when the name ends in .gz. */
static inline const char *image_write(const char *name, const unsigned char *b, size_t n)
{
    if (!strstr(name, ".gz"))
        return test_write(name, b, n);
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    const size_t bound = libdeflate_gzip_compress_bound(c, n);
    char *packed = malloc(bound);
    if (!packed)
        abort();
    const size_t size = libdeflate_gzip_compress(c, b, n, packed, bound);
    const char *path = test_write(name, packed, size);
    free(packed);
    libdeflate_free_compressor(c);
    return path;
}

static inline const char *image_file(const char *name, const image *m, const double *values)
{
    size_t n;
    unsigned char *b = image_bytes(m, values, &n);
    const char *path = image_write(name, b, n);
    free(b);
    return path;
}

#endif
