/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_hits - what a family of kernels does for the first pass of a search of dense vectors. */
#ifndef NEP_BACKEND_CPU_DENSE_HITS_H
#define NEP_BACKEND_CPU_DENSE_HITS_H

#include "backend/cpu.h"

enum {
    NEP_CPU_DENSE_ROWS = 12,  /* of a tile */
    NEP_CPU_DENSE_PANEL = 32, /* queries of a panel */
    NEP_CPU_DENSE_FEW = 4     /* rows of a stream at a time */
};

/* Lengths are those of rows up to their stride: whole multiples of 64 bytes of the row's type. */
typedef struct {
    /* NEP_CPU_DENSE_FEW rows, `pitch` bytes apart, with one query. */
    void (*stream)(nep_dense_type t, const char *row, int64_t pitch, int64_t n, const float *query, float *out);
    void (*stream_int)(const int8_t *row, int64_t pitch, int64_t n, const int8_t *query, int32_t *out);
    /* A row as float32 without its scale, and int8 as tiles of integers take it. */
    void (*decode)(nep_dense_type t, const void *row, int64_t n, float *out);
    void (*decode_int)(const int8_t *row, int64_t n, void *out);
    /* out [ROWS, PANEL] = rows `pitch` items apart with the panel: [n, PANEL] floats, or [n / group, PANEL, group] integers. */
    void (*tile)(const float *row, int64_t pitch, int64_t n, const float *panel, float *out);
    void (*tile_int)(const void *row, int64_t pitch, int64_t n, const void *panel, int32_t *out);
    /* Bit j: a[j] is not below the t of query j; gates as in nep_dense_need. */
    uint32_t (*test)(const float *a, const float *gate, int64_t pitch, float n, float s, float r);
    int item;  /* bytes of an integer in tiles and panels */
    int group; /* integers of a query that lie together */
    int bias;  /* what decode_int and stream_int add to each item of a row */
} nep_cpu_dense_family;

extern const nep_cpu_dense_family nep_cpu_dense_scalar, nep_cpu_dense_avx2, nep_cpu_dense_avx512;

/* The family of this machine under the limit, and the integer kernels of AVX-512 VNNI where there are none else. */
const nep_cpu_dense_family *nep_cpu_dense_choose(void);

#endif
