/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_hits - what a family of kernels does for the first pass of a search of dense vectors. */
#ifndef NEP_BACKEND_CPU_DENSE_HITS_H
#define NEP_BACKEND_CPU_DENSE_HITS_H

#include "backend/cpu.h"

enum {
    NEP_CPU_DENSE_ROWS = 12,  /* of a tile */
    NEP_CPU_DENSE_PANEL = 32, /* queries of a panel */
    NEP_CPU_DENSE_ASKED = 16, /* bytes of the next panel per item of a tile */
    NEP_CPU_DENSE_FEW = 4     /* rows of a stream at a time */
};

/* Lengths are those of rows up to their stride: whole multiples of 64 bytes of the row's type. */
typedef struct {
    /* Rows that lie one behind the other, `rows` of n items, with one query; out has room for whole multiples of NEP_CPU_DENSE_FEW. */
    void (*stream)(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out);
    void (*stream_int)(const int8_t *row, int64_t rows, int64_t n, const int8_t *query, int32_t *out);
    /* A row as float32 without its scale, and int8 as tiles of integers take it. */
    void (*decode)(nep_dense_type t, const void *row, int64_t n, float *out);
    void (*decode_int)(const int8_t *row, int64_t n, void *out);
    /* out [ROWS, PANEL] = rows `pitch` items apart with the panel: [n, PANEL] floats, or [n / group, PANEL, group] integers. ASKED bytes per
     * item at `next` may be asked for meanwhile: all panels are more than the second cache holds. */
    void (*tile)(const float *row, int64_t pitch, int64_t n, const float *panel, const char *next, float *out);
    void (*tile_int)(const void *row, int64_t pitch, int64_t n, const void *panel, int32_t *out);
    /* Bit j: a[j] is not below the t of query j; gates as in nep_dense_need. */
    uint32_t (*test)(const float *a, const float *gate, int64_t pitch, float n, float s, float r);
    int item;  /* bytes of an integer in tiles and panels */
    int group; /* integers of a query that lie together */
    int bias;  /* what decode_int and stream_int add to each item of a row */
} nep_cpu_dense_family;

/* Two of AVX-512, which differ in how a stream reads and in no bit of what it makes. Rows one after the other are one line of memory, which
 * AMD's processors (measured: EPYC) foresee best: four lines cost them up to half the rate. Intel's (measured: Xeon) read a quarter faster
 * where each row of four comes from a quarter of its own; asking for what lies ahead gains nothing there, but a
 * third of the time with rows so short that a quarter is not a page. */
extern const nep_cpu_dense_family nep_cpu_dense_scalar, nep_cpu_dense_avx2, nep_cpu_dense_avx512, nep_cpu_dense_avx512_lines;

/* The family of this machine under the limit, and the integer kernels of AVX-512 VNNI where there are none else. */
const nep_cpu_dense_family *nep_cpu_dense_choose(void);

typedef struct {
    const nep_cpu_dense_family *family;
    const nep_dense_rows *rows;
    const nep_dense_queries *q;
    int64_t cap;
    int32_t *count;
    nep_dense_hit *hit;
    const int32_t *bias;    /* [n_q] to be taken from integer products */
    const float *gate;      /* [4, panels * PANEL] */
    const void *panel;      /* [panels][stride, PANEL] */
    int64_t panels, block;  /* rows of a block */
    char *scratch;          /* decoded rows of each thread */
    int64_t scratch_bytes;
    struct nep_cpu_dense_held *held; /* [threads, n_q], of tiles */
} nep_cpu_dense_problem;

/* Few queries meet rows as they stream by. */
void nep_cpu_dense_stream(const nep_cpu_dense_problem *p, int threads);

static inline const char *nep_cpu_dense_row(const nep_cpu_dense_problem *p, int64_t i)
{
    return (const char *)p->rows->row + i * p->rows->stride * nep_dense_size(p->rows->type);
}

#endif
