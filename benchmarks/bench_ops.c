/* SPDX-License-Identifier: Apache-2.0 */
/* bench_ops [DEVICE [OP...]] - every op of the backend on buffers already in place: the result is checked against plain loops
 * on a sample first, then the best of many runs is timed and set against its floor: the bytes of its arrays, inputs read once
 * and results written once, at the rate of a copy, or its operations at the rate of the multipliers, whichever is longer (on
 * the CPU by CPU time). */
#include "bench_op.h"

#include <math.h>

#include <nepenthe/math/tstat.h>

enum { BUFS = 8 };

typedef struct {
    nep_ctx *ctx;
    const nep_backend *be;
    nep_buf b[BUFS];    /* on the device */
    void *host[BUFS];   /* what was put there; NULL for results */
} state;

typedef struct {
    const char *op, *work;
    double flops; /* the least an op must do: a multiply-add counts two, a power one, integers none */
    enum { F64, F32, F32_ON_CPU } arithmetic; /* what most of them are done in */
    nep_status (*make)(state *s);
    nep_status (*run)(state *s);
    nep_status (*check)(state *s, double *worst); /* largest error, in units that must stay below 1 */
} row;

/* ---- buffers --------------------------------------------------------------------------------------------------- */
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

/* ---- the ops ---------------------------------------------------------------------------------------------------- */
enum { T = 300, V = 100000, SAMPLE = 997 };

enum { OCC = 4000000 };
static nep_status occupancy_make(state *s)
{
    NEP_TRY(floats(s, 0, OCC, 50, 49));
    NEP_TRY(floats(s, 1, OCC, 50, 49));
    NEP_TRY(floats(s, 2, OCC, 1.5, 1));
    return output(s, 3, NEP_F32, OCC);
}
static nep_status occupancy_run(state *s)
{
    return s->be->ops.occupancy(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, s->b[1].ptr, s->b[2].ptr, OCC, s->b[3].ptr);
}
static nep_status occupancy_check(state *s, double *worst)
{
    const float *c = s->host[0], *k = s->host[1], *h = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const float *got = p;
    for (int64_t i = 0; i < OCC; i += SAMPLE)
        keep_worst(worst, (double)got[i], 1 / (1 + exp((double)h[i] * log((double)k[i] / (double)c[i]))), 2.4e-7);
    nep_alloc_free(p);
    return NEP_OK;
}

enum { VOLUMES = 40, VOXELS = 400000, REGIONS = 400 };
static nep_status parcel_sums_make(state *s)
{
    void *p, *q;
    NEP_TRY(floats(s, 0, (int64_t)VOLUMES * VOXELS, 100, 10));
    NEP_TRY(input(s, 1, NEP_I64, REGIONS + 1, &p));
    NEP_TRY(input(s, 2, NEP_I32, VOXELS, &q));
    int64_t *start = p;
    int32_t *voxel = q;
    for (int r = 0; r <= REGIONS; r++)
        start[r] = (int64_t)r * (VOXELS / REGIONS);
    for (int i = 0; i < VOXELS; i++) { /* a volume of 100 x 100 x 40 in cubes of side 10 */
        const int cube = i / 1000, x = i % 10, y = i / 10 % 10, z = i / 100 % 10;
        voxel[i] = (cube % 10 * 10 + x) + 100 * (cube / 10 % 10 * 10 + y) + 10000 * (cube / 100 * 10 + z);
    }
    NEP_TRY(place(s, 1, NEP_I64, REGIONS + 1));
    NEP_TRY(place(s, 2, NEP_I32, VOXELS));
    NEP_TRY(output(s, 3, NEP_F64, VOLUMES * REGIONS));
    return output(s, 4, NEP_I64, VOLUMES * REGIONS);
}
static nep_status parcel_sums_run(state *s)
{
    return s->be->ops.parcel_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, VOLUMES, VOXELS, s->b[1].ptr, s->b[2].ptr,
                                  REGIONS, s->b[3].ptr, s->b[4].ptr);
}
static nep_status parcel_sums_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const int64_t *start = s->host[1];
    const int32_t *voxel = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t i = 0; i < VOLUMES * REGIONS; i += SAMPLE) {
        double want = 0;
        for (int64_t k = start[i % REGIONS]; k < start[i % REGIONS + 1]; k++)
            want += (double)x[i / REGIONS * VOXELS + voxel[k]];
        keep_worst(worst, got[i], want, 1e-12 * fabs(want));
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* The same voxels, each in four lists with a weight, as probabilistic regions overlap. */
enum { OVERLAP = 4 };
static nep_status weighted_sums_make(state *s)
{
    void *p, *q, *w;
    NEP_TRY(floats(s, 0, (int64_t)VOLUMES * VOXELS, 100, 10));
    NEP_TRY(input(s, 1, NEP_I64, REGIONS + 1, &p));
    NEP_TRY(input(s, 2, NEP_I32, OVERLAP * VOXELS, &q));
    NEP_TRY(input(s, 5, NEP_F32, OVERLAP * VOXELS, &w));
    int64_t *start = p;
    int32_t *voxel = q;
    float *weight = w;
    for (int r = 0; r <= REGIONS; r++)
        start[r] = (int64_t)r * (OVERLAP * VOXELS / REGIONS);
    for (int i = 0; i < OVERLAP * VOXELS; i++) {
        voxel[i] = (int32_t)(((int64_t)(i / (OVERLAP * VOXELS / REGIONS)) * (VOXELS / REGIONS) + i % (OVERLAP * VOXELS / REGIONS)) % VOXELS);
        weight[i] = (float)(1 + i % 7) / 8;
    }
    NEP_TRY(place(s, 1, NEP_I64, REGIONS + 1));
    NEP_TRY(place(s, 2, NEP_I32, OVERLAP * VOXELS));
    NEP_TRY(place(s, 5, NEP_F32, OVERLAP * VOXELS));
    NEP_TRY(output(s, 3, NEP_F64, VOLUMES * REGIONS));
    return output(s, 4, NEP_I64, VOLUMES * REGIONS);
}
static nep_status weighted_sums_run(state *s)
{
    return s->be->ops.weighted_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, VOLUMES, VOXELS, s->b[1].ptr, s->b[2].ptr, s->b[5].ptr,
                                    REGIONS, s->b[3].ptr, s->b[4].ptr);
}
static nep_status weighted_sums_check(state *s, double *worst)
{
    const float *x = s->host[0], *weight = s->host[5];
    const int64_t *start = s->host[1];
    const int32_t *voxel = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t i = 0; i < VOLUMES * REGIONS; i += SAMPLE) {
        double want = 0;
        for (int64_t k = start[i % REGIONS]; k < start[i % REGIONS + 1]; k++)
            want += (double)weight[k] * (double)x[i / REGIONS * VOXELS + voxel[k]];
        keep_worst(worst, got[i], want, 1e-12 * fabs(want));
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status moments_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(output(s, 1, NEP_F64, V));
    return output(s, 2, NEP_F64, V);
}
static nep_status moments_run(state *s)
{
    return s->be->ops.moments(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, s->b[1].ptr, s->b[2].ptr);
}
static double column_mean(const float *x, int64_t c)
{
    double mean = 0;
    for (int64_t t = 0; t < T; t++)
        mean += (double)x[t * V + c];
    return mean / T;
}
static nep_status moments_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE) {
        const double mean = column_mean(x, c);
        double m2 = 0;
        for (int64_t t = 0; t < T; t++)
            m2 += ((double)x[t * V + c] - mean) * ((double)x[t * V + c] - mean);
        keep_worst(worst, got[c], m2, 1e-12 * m2);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status apply_operator_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(doubles(s, 1, (int64_t)T * T, 0, 0.1));
    NEP_TRY(doubles(s, 2, V, 1000, 1));
    return output(s, 3, NEP_F32, (int64_t)T * V);
}
static nep_status apply_operator_run(state *s)
{
    return s->be->ops.apply_operator(s->ctx, s->be->queue(s->ctx), s->b[1].ptr, T, T, s->b[0].ptr, V, s->b[2].ptr,
                                     s->b[3].ptr);
}
static nep_status apply_operator_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *m = s->host[1], *mean = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const float *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE)
        for (int64_t r = 0; r < T; r += 13) {
            double want = 0, size = 0;
            for (int64_t t = 0; t < T; t++) {
                want += m[r * T + t] * ((double)x[t * V + c] - mean[c]);
                size += fabs(m[r * T + t] * ((double)x[t * V + c] - mean[c]));
            }
            keep_worst(worst, (double)got[r * V + c], want, 1e-6 * size);
        }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { FIRST = 6, LAST = 60, HALF = (T - 1) / 2 };
static nep_status amplitude_sums_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(output(s, 1, NEP_F64, V));
    return output(s, 2, NEP_F64, V);
}
static nep_status amplitude_sums_run(state *s)
{
    return s->be->ops.amplitude_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, FIRST, LAST, s->b[1].ptr,
                                     s->b[2].ptr);
}
static nep_status amplitude_sums_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 1, &p));
    const double *got = p;
    for (int64_t c = 0; c < V; c += 10 * SAMPLE) {
        const double mean = column_mean(x, c);
        double want = 0;
        for (int64_t m = FIRST; m <= LAST; m++) {
            double re = 0, im = 0;
            for (int64_t t = 0; t < T; t++) {
                re += ((double)x[t * V + c] - mean) * cos(2 * M_PI * (double)(m * t % T) / T);
                im += ((double)x[t * V + c] - mean) * sin(2 * M_PI * (double)(m * t % T) / T);
            }
            want += 2 * sqrt(re * re + im * im) / T;
        }
        keep_worst(worst, got[c], want, 1e-11 * want);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { GT = 1200, GN = 1000 };
static nep_status gram_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)GT * GN, 100, 10));
    NEP_TRY(doubles(s, 1, GN, 100, 1));
    NEP_TRY(doubles(s, 2, GN, 0.1, 0.01));
    return output(s, 3, NEP_F64, (int64_t)GN * GN);
}
static nep_status gram_run(state *s)
{
    return s->be->ops.gram(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, GT, GN, s->b[1].ptr, s->b[2].ptr, s->b[3].ptr);
}
static nep_status gram_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *mean = s->host[1], *scale = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t k = 0; k < (int64_t)GN * GN; k += SAMPLE * 7) {
        const int64_t i = k / GN, j = k % GN;
        double want = 0;
        for (int64_t t = 0; t < GT; t++)
            want += ((double)x[t * GN + i] - mean[i]) * scale[i] * (((double)x[t * GN + j] - mean[j]) * scale[j]);
        keep_worst(worst, got[k], want, 1e-12 * GT);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status difference_squares_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1000, 10));
    NEP_TRY(doubles(s, 1, V, 1, 0.5));
    return output(s, 2, NEP_F64, T);
}
static nep_status difference_squares_run(state *s)
{
    return s->be->ops.difference_squares(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, s->b[1].ptr, s->b[2].ptr);
}
static nep_status difference_squares_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *w = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t t = 1; t < T; t += 50) {
        double want = 0;
        for (int64_t c = 0; c < V; c++) {
            const double d = (double)x[t * V + c] - (double)x[(t - 1) * V + c];
            want += w[c] * d * d;
        }
        keep_worst(worst, got[t], want, 1e-12 * want);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { PN = 100, PV = 50000, PP = 200, PK = 4 };
static nep_status permute_t_make(state *s)
{
    NEP_TRY(doubles(s, 0, (int64_t)PN * PV, 0, 0.15));
    NEP_TRY(doubles(s, 1, (int64_t)PP * (1 + PK) * PN, 0, 0.05));
    NEP_TRY(doubles(s, 2, PV, 2, 2));
    NEP_TRY(output(s, 3, NEP_F64, PP));
    NEP_TRY(output(s, 4, NEP_I64, PV));
    return output(s, 5, NEP_I64, PV);
}
static nep_status permute_t_run(state *s)
{
    return s->be->ops.permute_t(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, PN, PV, s->b[1].ptr, PP, PK, s->b[2].ptr,
                                s->b[3].ptr, s->b[4].ptr, s->b[5].ptr);
}
static nep_status permute_t_check(state *s, double *worst)
{
    const double *y = s->host[0], *basis = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t k = 0; k < PP; k += 97) {
        double best = 0;
        for (int64_t c = 0; c < PV; c++) {
            double b[1 + PK] = {0}, a2 = 0;
            for (int j = 0; j <= PK; j++)
                for (int64_t i = 0; i < PN; i++)
                    b[j] += basis[(k * (1 + PK) + j) * PN + i] * y[i * PV + c];
            for (int j = 1; j <= PK; j++)
                a2 += b[j] * b[j];
            best = fmax(best, fabs(nep_tstat_partial(b[0], a2, PN - PK)));
        }
        keep_worst(worst, got[k], best, 1e-11 * best);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { MV = 20000, MK = 1 };
static nep_status permute_maps_make(state *s)
{
    NEP_TRY(doubles(s, 0, (int64_t)PN * MV, 0, 0.05));
    NEP_TRY(doubles(s, 1, (int64_t)PP * (1 + MK) * PN, 0, 0.05));
    return output(s, 2, NEP_F64, (int64_t)PP * MV);
}
static nep_status permute_maps_run(state *s)
{
    return s->be->ops.permute_maps(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, PN, MV, s->b[1].ptr, PP, 1, MK, PN - 1 - MK,
                                   s->b[2].ptr);
}
static nep_status permute_maps_check(state *s, double *worst)
{
    const double *y = s->host[0], *basis = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t at = 0; at < (int64_t)PP * MV; at += 99991) {
        const int64_t k = at / MV, c = at % MV;
        double b[1 + MK] = {0}, a2 = 0;
        for (int j = 0; j <= MK; j++)
            for (int64_t i = 0; i < PN; i++)
                b[j] += basis[(k * (1 + MK) + j) * PN + i] * y[i * MV + c];
        for (int j = 1; j <= MK; j++)
            a2 += b[j] * b[j];
        const double t = nep_tstat_partial(b[0], a2, PN - MK);
        keep_worst(worst, got[at], t, 1e-11 * (1 + fabs(t)));
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { NA = 1000, NB = 20000, WORDS = 16 };
static nep_status bit_rows(state *s, int i, int64_t n)
{
    void *p;
    NEP_TRY(input(s, i, NEP_U64, n * WORDS, &p));
    uint64_t *x = p;
    for (int64_t k = 0; k < n * WORDS; k++)
        x[k] = nep_philox_u32(1, (uint64_t)i, (uint64_t)k) * (uint64_t)0x100000001;
    return place(s, i, NEP_U64, n * WORDS);
}
static nep_status tanimoto_make(state *s)
{
    NEP_TRY(bit_rows(s, 0, NA));
    NEP_TRY(bit_rows(s, 1, NB));
    NEP_TRY(output(s, 2, NEP_I32, (int64_t)NA * NB));
    return output(s, 3, NEP_I32, (int64_t)NA * NB);
}
static nep_status tanimoto_run(state *s)
{
    return s->be->ops.tanimoto(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, NA, s->b[1].ptr, NB, WORDS, s->b[2].ptr,
                               s->b[3].ptr);
}
static nep_status tanimoto_check(state *s, double *worst)
{
    const uint64_t *a = s->host[0], *b = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const int32_t *got = p;
    for (int64_t k = 0; k < (int64_t)NA * NB; k += SAMPLE) {
        int want = 0;
        for (int w = 0; w < WORDS; w++)
            want += __builtin_popcountll(a[k / NB * WORDS + w] | b[k % NB * WORDS + w]);
        keep_worst(worst, got[k], want, 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { QN = 130000, QP = 19, QM = 19 };
static nep_status quadratic_forms_make(state *s)
{
    NEP_TRY(doubles(s, 0, (int64_t)QN * QP, 0, 1));
    NEP_TRY(doubles(s, 1, QM * QP * QP, 0, 1));
    NEP_TRY(doubles(s, 2, QM, 0, 1));
    return output(s, 3, NEP_F64, (int64_t)QN * QM);
}
static nep_status quadratic_forms_run(state *s)
{
    return s->be->ops.quadratic_forms(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, QN, QP, s->b[1].ptr, s->b[2].ptr, QM,
                                      s->b[3].ptr);
}
static nep_status quadratic_forms_check(state *s, double *worst)
{
    const double *r = s->host[0], *q = s->host[1], *k = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t i = 0; i < (int64_t)QN * QM; i += SAMPLE) {
        double want = k[i % QM];
        for (int a = 0; a < QP * QP; a++)
            want += r[i / QM * QP + a / QP] * r[i / QM * QP + a % QP] * q[i % QM * QP * QP + a];
        keep_worst(worst, got[i], want, 1e-12 * QP * QP);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { EN = 2000, EP = 19, ENULL = 10000 };
static nep_status exceedances_make(state *s)
{
    NEP_TRY(doubles(s, 0, EN * EP, 0, 1));
    NEP_TRY(doubles(s, 1, ENULL * EP, 0, 1));
    NEP_TRY(doubles(s, 2, EP, 0, 0.1));
    NEP_TRY(doubles(s, 3, EN, 1.5, 1.4));
    return output(s, 4, NEP_I64, EN);
}
static nep_status exceedances_run(state *s)
{
    return s->be->ops.exceedances(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, EN, EP, s->b[1].ptr, ENULL, s->b[2].ptr,
                                  s->b[3].ptr, s->b[4].ptr);
}
static nep_status exceedances_check(state *s, double *worst)
{
    const double *a = s->host[0], *c = s->host[1], *centre = s->host[2], *observed = s->host[3];
    void *p;
    NEP_TRY(fetch(s, 4, &p));
    const int64_t *got = p;
    for (int64_t i = 0; i < EN; i += 37) {
        int64_t want = 0;
        for (int64_t b = 0; b < ENULL; b++) {
            double dot = 0;
            for (int q = 0; q < EP; q++)
                dot += a[i * EP + q] * (c[b * EP + q] - centre[q]);
            want += fabs(dot) >= nep_tstat_bound(observed[i]);
        }
        keep_worst(worst, (double)got[i], (double)want, 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { BT = 26, BV = 100000, BN = 100 };
static nep_status best_pair_make(state *s)
{
    NEP_TRY(doubles(s, 0, 2 * BN * BT, 0, 1));
    NEP_TRY(floats(s, 1, (int64_t)BT * BV, 0, 1));
    return output(s, 2, NEP_I32, BV);
}
static nep_status best_pair_run(state *s)
{
    return s->be->ops.best_pair(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, BN, BT, s->b[1].ptr, BV, s->b[2].ptr);
}
static nep_status best_pair_check(state *s, double *worst)
{
    const double *pair = s->host[0];
    const float *x = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const int32_t *got = p;
    for (int64_t c = 0; c < BV; c += SAMPLE) {
        double top = -1;
        int64_t want = -1;
        for (int64_t j = 0; j < BN; j++) {
            double a = 0, b = 0;
            for (int64_t t = 0; t < BT; t++) {
                a += pair[(2 * j) * BT + t] * (double)x[t * BV + c];
                b += pair[(2 * j + 1) * BT + t] * (double)x[t * BV + c];
            }
            if (a * a + b * b > top) {
                top = a * a + b * b;
                want = j;
            }
        }
        keep_worst(worst, (double)got[c], (double)want, 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { RX = 91, RY = 109, RZ = 91, RV = RX * RY * RZ, RN = 4 };
static const nep_spline_plan turn = {.in = {RX, RY, RZ}, .out = {RX, RY, RZ}, .order = 3, .outside = 0,
                                     .m = {{0.98, 0.1, 0, 1}, {-0.1, 0.97, 0.05, 4}, {0.02, -0.05, 0.99, 2}}};
static nep_status resample_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)RN * RV, 100, 10));
    return output(s, 1, NEP_F32, (int64_t)RN * RV);
}
static nep_status resample_run(state *s)
{
    return s->be->ops.resample(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, RN, &turn, s->b[1].ptr);
}
static nep_status resample_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 1, &p));
    const float *got = p;
    for (int64_t v = 0; v < RV; v += SAMPLE)
        keep_worst(worst, (double)got[v], (double)nep_spline_value(&turn, x, v), 1e-3);
    nep_alloc_free(p);
    return NEP_OK;
}

enum { SR = 8 };
static nep_status smooth_axis_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)RN * RV, 100, 10));
    NEP_TRY(doubles(s, 1, SR + 1, 0.06, 0.01));
    return output(s, 2, NEP_F32, (int64_t)RN * RV);
}
static nep_status smooth_axis_run(state *s)
{
    return s->be->ops.smooth_axis(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, RN, RZ, RX * RY, s->b[1].ptr, SR, s->b[2].ptr);
}
static nep_status smooth_axis_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const double *w = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const float *got = p;
    for (int64_t v = 0; v < RV; v += SAMPLE) {
        const int64_t c = v % (RX * RY), i = v / (RX * RY);
        double want = w[0] * (double)x[v];
        for (int64_t k = 1; k <= SR; k++) {
            const int64_t a = i - k < 0 ? k - i - 1 : i - k, b = i + k >= RZ ? 2 * RZ - 1 - i - k : i + k;
            want += w[k] * ((double)x[a * RX * RY + c] + (double)x[b * RX * RY + c]);
        }
        keep_worst(worst, (double)got[v], want, 1e-4);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

enum { LQ = 24 };
static nep_status lag_products_make(state *s)
{
    NEP_TRY(doubles(s, 0, LQ * T, 0, 1));
    NEP_TRY(floats(s, 1, (int64_t)T * V, 100, 10));
    return output(s, 2, NEP_F64, (LQ + 2) * V);
}
static nep_status lag_products_run(state *s)
{
    return s->be->ops.lag_products(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, LQ, T, s->b[1].ptr, V, s->b[2].ptr);
}
static nep_status lag_products_check(state *s, double *worst)
{
    const double *q = s->host[0];
    const float *x = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const double *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE)
        for (int k = 0; k < LQ + 2; k++) {
            double want = 0, magnitude = 0;
            for (int64_t t = k == LQ + 1; t < T; t++) {
                const double now = (double)x[t * V + c];
                const double by = k < LQ ? q[k * T + t] : k == LQ ? now : (double)x[(t - 1) * V + c];
                want += by * now;
                magnitude += fabs(by * now);
            }
            keep_worst(worst, got[k * V + c], want, 1e-12 * magnitude);
        }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status time_ranks_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)T * V, 100, 10));
    NEP_TRY(output(s, 1, NEP_I16, (int64_t)T * V));
    return output(s, 2, NEP_I64, V);
}
static nep_status time_ranks_run(state *s)
{
    return s->be->ops.time_ranks(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, NEP_RANK_MIDRANK, s->b[1].ptr, s->b[2].ptr);
}
static nep_status time_ranks_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 1, &p));
    const int16_t *got = p;
    for (int64_t v = 0; v < V; v += SAMPLE)
        for (int64_t t = 0; t < T; t++) {
            int less = 0, more = 0;
            for (int64_t u = 0; u < T; u++) {
                less += x[u * V + v] < x[t * V + v];
                more += x[u * V + v] > x[t * V + v];
            }
            keep_worst(worst, got[v * T + t], less - more, 0.5);
        }
    nep_alloc_free(p);
    return NEP_OK;
}

/* 27 neighbours in a volume of NX x NX x NX; those of a column off the edge are taken from the other side. */
enum { NX = 46, NV = NX * NX * NX, NEAR = 27 };
static nep_status neighbour_ranks_make(state *s)
{
    void *p;
    NEP_TRY(input(s, 0, NEP_I16, (int64_t)NV * T, &p));
    int16_t *rank = p;
    for (int64_t i = 0; i < (int64_t)NV * T; i++)
        rank[i] = (int16_t)(300 * cheap((uint64_t)i));
    NEP_TRY(place(s, 0, NEP_I16, (int64_t)NV * T));
    NEP_TRY(input(s, 1, NEP_I32, (int64_t)NV * NEAR, &p));
    int32_t *near = p;
    for (int32_t v = 0; v < NV; v++)
        for (int k = 0; k < NEAR; k++)
            near[v * NEAR + k] = (v + (k % 3 - 1) + NX * (k / 3 % 3 - 1) + NX * NX * (k / 9 - 1) + NV) % NV;
    NEP_TRY(place(s, 1, NEP_I32, (int64_t)NV * NEAR));
    NEP_TRY(output(s, 2, NEP_I64, NV));
    return output(s, 3, NEP_I64, NV);
}
static nep_status neighbour_ranks_run(state *s)
{
    return s->be->ops.neighbour_ranks(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, s->b[1].ptr, NEAR, NV, s->b[2].ptr, s->b[3].ptr);
}
static nep_status neighbour_ranks_check(state *s, double *worst)
{
    const int16_t *rank = s->host[0];
    const int32_t *near = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const int64_t *got = p;
    for (int64_t v = 0; v < NV; v += SAMPLE) {
        double want = 0;
        for (int64_t t = 0; t < T; t++) {
            double sum = 0;
            for (int k = 0; k < NEAR; k++)
                sum += rank[near[v * NEAR + k] * T + t];
            want += sum * sum;
        }
        keep_worst(worst, (double)got[v], want, 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* Each column against that of the other end. */
static nep_status paired_dots_make(state *s)
{
    void *p;
    NEP_TRY(floats(s, 0, (int64_t)T * V, 1, 1));
    NEP_TRY(input(s, 1, NEP_I32, V, &p));
    int32_t *at = p;
    for (int32_t c = 0; c < V; c++)
        at[c] = V - 1 - c;
    NEP_TRY(place(s, 1, NEP_I32, V));
    return doubles(s, 2, V, 0, 0);
}
static nep_status paired_dots_run(state *s)
{
    return s->be->ops.paired_dots(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, T, V, s->b[0].ptr, V, s->b[1].ptr, s->b[2].ptr);
}
static nep_status paired_dots_check(state *s, double *worst)
{
    const float *x = s->host[0];
    void *p;
    NEP_TRY(fetch(s, 2, &p)); /* the first run added to nothing */
    const double *got = p;
    for (int64_t c = 0; c < V; c += SAMPLE) {
        double want = 0;
        for (int64_t t = 0; t < T; t++)
            want += (double)x[t * V + c] * (double)x[t * V + V - 1 - c];
        keep_worst(worst, got[c], want, 1e-12 * 4 * T);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* Rows of unit length: a common part, so that many pairs pass, and noise. */
enum { UN = 6000, UT = 300, UK = 10, UM = 32 };
static const double pair_threshold = 0.25;
static nep_status unit_rows(state *s, int i)
{
    void *p;
    NEP_TRY(input(s, i, NEP_F32, (int64_t)UN * UT, &p));
    float *z = p;
    for (int64_t r = 0; r < UN; r++) {
        double squares = 0;
        for (int64_t t = 0; t < UT; t++) {
            const double common = nep_philox_normal(3, (uint64_t)(r % 7), (uint64_t)t);
            z[r * UT + t] = (float)(0.5 * common + nep_philox_normal(3, (uint64_t)(100 + r), (uint64_t)t));
            squares += (double)z[r * UT + t] * (double)z[r * UT + t];
        }
        for (int64_t t = 0; t < UT; t++)
            z[r * UT + t] = (float)((double)z[r * UT + t] / sqrt(squares));
    }
    return place(s, i, NEP_F32, (int64_t)UN * UT);
}
static double pair_product(const float *z, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t t = 0; t < UT; t++)
        sum += (double)z[i * UT + t] * (double)z[j * UT + t];
    return sum;
}
static nep_status pair_sums_make(state *s)
{
    NEP_TRY(unit_rows(s, 0));
    NEP_TRY(output(s, 1, NEP_I64, UN));
    NEP_TRY(output(s, 2, NEP_F64, UN));
    return output(s, 3, NEP_F64, UN);
}
static nep_status pair_sums_run(state *s)
{
    return s->be->ops.pair_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, UN, UT, pair_threshold, false, 1, s->b[1].ptr, s->b[2].ptr,
                                s->b[3].ptr);
}
static nep_status pair_sums_check(state *s, double *worst)
{
    const float *z = s->host[0];
    void *p[3];
    for (int i = 0; i < 3; i++)
        NEP_TRY(fetch(s, 1 + i, &p[i]));
    for (int64_t i = 0; i < UN; i += 10 * SAMPLE) {
        double count = 0, weighted = 0, fisher = 0;
        for (int64_t j = 0; j < UN; j++) {
            const double r = j == i ? 0 : pair_product(z, i, j);
            count += r > pair_threshold;
            weighted += r > pair_threshold ? r : 0;
            fisher += atanh(r);
        }
        keep_worst(worst, (double)((int64_t *)p[0])[i], count, 0.5);
        keep_worst(worst, ((double *)p[1])[i], weighted, 1e-6 * (1 + weighted));
        keep_worst(worst, ((double *)p[2])[i], fisher, 1e-6 * UN);
    }
    for (int i = 0; i < 3; i++)
        nep_alloc_free(p[i]);
    return NEP_OK;
}

static nep_status top_pairs_make(state *s)
{
    NEP_TRY(unit_rows(s, 0));
    NEP_TRY(output(s, 1, NEP_I32, (int64_t)UN * UK));
    return output(s, 2, NEP_F64, (int64_t)UN * UK);
}
static nep_status top_pairs_run(state *s)
{
    return s->be->ops.top_pairs(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, UN, UT, UK, s->b[1].ptr, s->b[2].ptr);
}
static nep_status top_pairs_check(state *s, double *worst)
{
    const float *z = s->host[0];
    void *p[2];
    for (int i = 0; i < 2; i++)
        NEP_TRY(fetch(s, 1 + i, &p[i]));
    for (int64_t i = 0; i < UN; i += 10 * SAMPLE) {
        const int32_t *index = (int32_t *)p[0] + i * UK;
        const double last = ((double *)p[1])[i * UK + UK - 1];
        double above = 0;
        for (int64_t j = 0; j < UN; j++)
            above += j != i && pair_product(z, i, j) > last + 1e-12;
        keep_worst(worst, above, UK - 1, 0.5);
        for (int q = 0; q < UK; q++)
            keep_worst(worst, ((double *)p[1])[i * UK + q], pair_product(z, i, index[q]), 1e-12);
    }
    for (int i = 0; i < 2; i++)
        nep_alloc_free(p[i]);
    return NEP_OK;
}

static nep_status project_rows_make(state *s)
{
    NEP_TRY(unit_rows(s, 0));
    NEP_TRY(doubles(s, 1, (int64_t)UM * UT, 0, 1));
    return output(s, 2, NEP_F64, (int64_t)UN * UM);
}
static nep_status project_rows_run(state *s)
{
    return s->be->ops.project_rows(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, UN, UT, s->b[1].ptr, UM, false, s->b[2].ptr);
}
static nep_status project_rows_check(state *s, double *worst)
{
    const float *z = s->host[0];
    const double *q = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    for (int64_t i = 0; i < (int64_t)UN * UM; i += SAMPLE) {
        double want = 0;
        for (int64_t t = 0; t < UT; t++)
            want += (double)z[i / UM * UT + t] * q[i % UM * UT + t];
        keep_worst(worst, ((double *)p)[i], want, 1e-10);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

#define FUNCTIONS(op) op##_make, op##_run, op##_check
static const row rows[] = {
    {"occupancy", "4,000,000 values", 4.0 * OCC, F64, FUNCTIONS(occupancy)},
    {"parcel_sums", "40 volumes x 400,000 voxels, 400 regions", 1.0 * VOLUMES * VOXELS, F64, FUNCTIONS(parcel_sums)},
    {"weighted_sums", "40 volumes x 400,000 voxels, 400 lists, each voxel in 4", 2.0 * OVERLAP * VOLUMES * VOXELS, F64,
     FUNCTIONS(weighted_sums)},
    {"moments", "300 x 100,000", 4.0 * T * V, F64, FUNCTIONS(moments)},
    {"apply_operator", "300 x 300 on 300 x 100,000", 2.0 * T * T * V, F32_ON_CPU, FUNCTIONS(apply_operator)},
    {"amplitude_sums", "300 x 100,000, all bins", 4.0 * (HALF + 1) * HALF * V, F64, FUNCTIONS(amplitude_sums)},
    {"gram", "1200 x 1000", 1.0 * GT * GN * GN, F64, FUNCTIONS(gram)},
    {"difference_squares", "300 x 100,000, weighted", 4.0 * T * V, F64, FUNCTIONS(difference_squares)},
    {"permute_t", "100 x 50,000, 4 nuisance columns, 200 permutations", 2.0 * PN * PV * PP * (1 + PK), F32_ON_CPU,
     FUNCTIONS(permute_t)},
    {"tanimoto", "1,000 x 20,000 fingerprints of 1,024 bits", 0, F64, FUNCTIONS(tanimoto)},
    {"quadratic_forms", "130,000 vectors, 19 forms of 19 x 19", 1.0 * QN * QM * QP * (QP + 1), F64,
     FUNCTIONS(quadratic_forms)},
    {"exceedances", "2,000 rows x 10,000 nulls, 19 wide", 2.0 * EN * EP * ENULL, F64, FUNCTIONS(exceedances)},
    {"best_pair", "26 x 100,000, 100 pairs", 4.0 * BT * BV * BN, F64, FUNCTIONS(best_pair)},
    {"resample", "4 volumes of 91 x 109 x 91, cubic", 2.0 * 84 * RN * RV, F64, FUNCTIONS(resample)},
    {"smooth_axis", "4 volumes of 91 x 109 x 91, slowest axis, 17 weights", 3.0 * SR * RN * RV, F64,
     FUNCTIONS(smooth_axis)},
    {"lag_products", "24 rows on 300 x 100,000", 2.0 * (LQ + 2) * T * V, F64, FUNCTIONS(lag_products)},
    {"time_ranks", "300 x 100,000", 0, F64, FUNCTIONS(time_ranks)},
    {"neighbour_ranks", "27 neighbours, 300 x 97,336", 0, F64, FUNCTIONS(neighbour_ranks)},
    {"paired_dots", "300 x 100,000, mirrored pairs", 2.0 * T * V, F64, FUNCTIONS(paired_dots)},
    {"permute_maps", "100 x 20,000, 1 nuisance column, 200 permutations", 2.0 * PN * MV * PP * (1 + MK), F64,
     FUNCTIONS(permute_maps)},
    {"pair_sums", "6,000 rows of 300: count, sum, z", 1.0 * UN * UN * UT, F32, FUNCTIONS(pair_sums)},
    {"top_pairs", "6,000 rows of 300, the 10 nearest", 1.0 * UN * UN * UT, F32, FUNCTIONS(top_pairs)},
    {"project_rows", "6,000 rows of 300 on 32", 2.0 * UN * UT * UM, F64, FUNCTIONS(project_rows)},
};
_Static_assert(NEP_LEN(rows) == NEP_OP_COUNT, "an op without a benchmark does not compile");

/* `runs` in a row, then waited for: a word of the first buffer is fetched. */
static nep_status run_many(state *s, const row *r, int runs)
{
    double word;
    for (int i = 0; i < runs; i++)
        NEP_TRY(r->run(s));
    return s->be->download(s->ctx, &word, s->b[0].ptr, 4);
}

/* Of one run, the best of many. A device is given runs for 2 ms at a time, so that waiting for it is not what is timed. */
static nep_status time_row(state *s, const row *r, bench_time *best, int *batch)
{
    double spent = 0;
    *batch = 1;
    for (int i = 0; i < 5 || (spent < 1 && i < 1000); i++) {
        const bench_time start = bench_now();
        NEP_TRY(run_many(s, r, *batch));
        const bench_time now = bench_now(), took = {(now.wall - start.wall) / *batch, (now.cpu - start.cpu) / *batch};
        if (i == 0 || (s->be->host ? took.cpu < best->cpu : took.wall < best->wall))
            *best = took;
        spent += now.wall - start.wall;
        if (!s->be->host && i == 1)
            *batch = best->wall > 2e-3 ? 1 : best->wall < 2e-5 ? 100 : (int)(2e-3 / best->wall);
    }
    return NEP_OK;
}

/* Inputs read once, results written once. */
static double bytes_of(const state *s)
{
    double bytes = 0;
    for (int i = 0; i < BUFS; i++)
        if (s->b[i].be)
            bytes += (double)s->b[i].n * (double)nep_dtype_size(s->b[i].dtype);
    return bytes;
}

static void report_row(const state *s, const row *r, const bench_ceilings *c, double worst, bench_time best, int batch)
{
    char fields[1024], name[64];
    const bool single = r->arithmetic == F32 || (r->arithmetic == F32_ON_CPU && s->be->host);
    const double peak = single ? c->f32_gflops : c->f64_gflops, bytes = bytes_of(s);
    const double by_flops = r->flops / (peak * 1e9), by_bytes = bytes / (c->copy_gbs * 1e9);
    const double floor_s = by_flops > by_bytes ? by_flops : by_bytes;
    const double took = s->be->host ? best.cpu / nep_ctx_threads(s->ctx) : best.wall;
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"seconds_wall\": %.7f, \"seconds_cpu\": %.7f, \"runs_per_wait\": %d, \"bytes\": %.0f, "
             "\"flops\": %.0f, \"arithmetic\": \"%s\", \"copy_gbs\": %.1f, \"f64_gflops\": %.1f, \"f32_gflops\": %.1f, "
             "\"floor_memory_s\": %.7f, \"floor_arithmetic_s\": %.7f, \"floor_s\": %.7f, \"bound\": \"%s\", \"of_floor\": %.3f",
             worst, best.wall, best.cpu, batch, bytes, r->flops, single ? "float32" : "float64", c->copy_gbs,
             c->f64_gflops, c->f32_gflops, by_bytes, by_flops, floor_s, by_flops > by_bytes ? "arithmetic" : "memory",
             floor_s / took);
    snprintf(name, sizeof name, "op %s", r->op);
    bench_report(s->ctx, name, r->work, fields);
}

static nep_status bench_row(state *s, const row *r, const bench_ceilings *c)
{
    bench_time best = {0, 0};
    double worst = 0;
    int batch = 1;
    NEP_TRY(r->make(s));
    NEP_TRY(run_many(s, r, 1));
    NEP_TRY(r->check(s, &worst));
    NEP_REQUIRE(s->ctx, worst <= 1, NEP_E_INTERNAL, "%s: wrong by %g times what is allowed", r->op, worst);
    NEP_TRY(time_row(s, r, &best, &batch));
    report_row(s, r, c, worst, best, batch);
    return NEP_OK;
}

/* The first of the named ops that there is not, or NULL. */
static const char *unknown(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        bool found = false;
        for (int k = 0; k < NEP_LEN(rows); k++)
            found = found || strcmp(argv[i], rows[k].op) == 0;
        if (!found)
            return argv[i];
    }
    return NULL;
}

static bool wanted(const char *op, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], op) == 0)
            return true;
    return argc <= 2;
}

int main(int argc, char **argv)
{
    const char *device = argc > 1 ? argv[1] : "cpu";
    bench_ceilings c;
    state s = {0};
    nep_status st;
    if (nep_ctx_create(NULL, &s.ctx) != NEP_OK)
        return 70;
    NEP_REQUIRE_OR_DONE(st, s.ctx, !unknown(argc, argv), NEP_E_ARG, "there is no op '%s'", unknown(argc, argv));
    NEP_TRY_OR_DONE(st, nep_backend_choose(s.ctx, device));
    s.be = nep_ctx_backend(s.ctx);
    NEP_TRY_OR_DONE(st, bench_ceilings_measure(s.ctx, &c));
    for (int i = 0; i < NEP_LEN(rows); i++) {
        if (!wanted(rows[i].op, argc, argv))
            continue;
        st = bench_row(&s, &rows[i], &c);
        clear(&s);
        if (st != NEP_OK)
            goto done;
        fflush(stdout);
    }
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_ops: %s\n", nep_ctx_error(s.ctx));
    nep_ctx_free(s.ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
