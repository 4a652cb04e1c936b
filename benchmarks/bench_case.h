/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case - what the cases of bench_ops are made of: buffers on the device, their contents, the comparison with plain loops. */
#ifndef NEP_BENCH_CASE_H
#define NEP_BENCH_CASE_H

#include "bench_op.h"

#include <math.h>

enum { BUFS = 11 };

typedef struct {
    nep_ctx *ctx;
    const nep_backend *be;
    nep_buf b[BUFS];    /* on the device */
    void *host[BUFS];   /* what was put there; NULL for results */
} state;

static nep_status input(state *s, int i, nep_dtype type, int64_t n, void **host)
{
    NEP_TRY(nep_alloc(s->ctx, n, nep_dtype_size(type), "benchmark input", &s->host[i]));
    *host = s->host[i];
    return NEP_OK;
}

static nep_status place(state *s, int i, nep_dtype type, int64_t n)
{
    return nep_buf_put(s->ctx, s->host[i], type, n, "benchmark input", &s->b[i]);
}

static nep_status output(state *s, int i, nep_dtype type, int64_t n)
{
    return nep_buf_new(s->ctx, type, n, "benchmark result", &s->b[i]);
}

static nep_status fetch(state *s, int i, void **host)
{
    NEP_TRY(nep_alloc(s->ctx, s->b[i].n, nep_dtype_size(s->b[i].dtype), "benchmark result", host));
    const nep_status st = nep_buf_get(s->ctx, &s->b[i], *host);
    if (st != NEP_OK)
        nep_alloc_free(*host);
    return st;
}

static void clear(state *s)
{
    for (int i = 0; i < BUFS; i++) {
        nep_buf_free(&s->b[i]);
        nep_alloc_free(s->host[i]);
        s->host[i] = NULL;
    }
}

/* Cheap numbers in (-1, 1): the quality of a generator is not what is timed. */
static double cheap(uint64_t i)
{
    i = (i + 1) * 0x9E3779B97F4A7C15u;
    i ^= i >> 29;
    i *= 0xBF58476D1CE4E5B9u;
    i ^= i >> 32;
    return (double)(int64_t)i * (1.0 / 9223372036854775808.0);
}

static nep_status floats(state *s, int i, int64_t n, double level, double spread)
{
    void *p;
    NEP_TRY(input(s, i, NEP_F32, n, &p));
    float *x = p;
#pragma omp parallel for
    for (int64_t k = 0; k < n; k++)
        x[k] = (float)(level + spread * cheap((uint64_t)(k * BUFS + i)));
    return place(s, i, NEP_F32, n);
}

static nep_status doubles(state *s, int i, int64_t n, double level, double spread)
{
    void *p;
    NEP_TRY(input(s, i, NEP_F64, n, &p));
    double *x = p;
#pragma omp parallel for
    for (int64_t k = 0; k < n; k++)
        x[k] = level + spread * cheap((uint64_t)(k * BUFS + i));
    return place(s, i, NEP_F64, n);
}

static void keep_worst(double *worst, double got, double want, double allowed)
{
    const double e = fabs(got - want) / allowed;
    if (!(e <= *worst))
        *worst = e;
}

enum { T = 300, V = 100000, SAMPLE = 997 };

#endif
