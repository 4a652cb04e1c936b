/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_maps - cases of ops on volumes, regions, people and molecules. */
#ifndef NEP_BENCH_CASE_MAPS_H
#define NEP_BENCH_CASE_MAPS_H

#include "bench_case.h"

#include <nepenthe/math/tstat.h>

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

/* A network of the size of Hetionet's genes and anatomies with 64 diseases: 20,000 rows of 18 or 19 entries over 400 columns. */
enum { SP_ROWS = 20000, SP_X = 400, SP_COLS = 64, SP_ENTRIES = 18 * SP_ROWS + SP_ROWS / 2 };
static nep_status sparse_product_make(state *s)
{
    void *p, *q;
    NEP_TRY(input(s, 0, NEP_I64, SP_ROWS + 1, &p));
    NEP_TRY(input(s, 1, NEP_I32, SP_ENTRIES, &q));
    int64_t *start = p;
    int32_t *column = q;
    for (int64_t i = 0; i < SP_ROWS; i++)
        start[i + 1] = start[i] + 18 + i % 2;
    for (int64_t k = 0; k < SP_ENTRIES; k++)
        column[k] = (int32_t)((cheap((uint64_t)k) + 1) / 2 * (SP_X - 1));
    NEP_TRY(place(s, 0, NEP_I64, SP_ROWS + 1));
    NEP_TRY(place(s, 1, NEP_I32, SP_ENTRIES));
    NEP_TRY(doubles(s, 2, SP_ENTRIES, 1, 0.5));
    NEP_TRY(doubles(s, 3, SP_X * SP_COLS, 1, 0.5));
    return output(s, 4, NEP_F64, (int64_t)SP_ROWS * SP_COLS);
}
static nep_status sparse_product_run(state *s)
{
    return s->be->ops.sparse_product(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, s->b[1].ptr, s->b[2].ptr, SP_ROWS, s->b[3].ptr, SP_X, SP_COLS,
                                     s->b[4].ptr);
}
static nep_status sparse_product_check(state *s, double *worst)
{
    const int64_t *start = s->host[0];
    const int32_t *column = s->host[1];
    const double *weight = s->host[2], *x = s->host[3];
    void *p;
    NEP_TRY(fetch(s, 4, &p));
    for (int64_t at = 0; at < (int64_t)SP_ROWS * SP_COLS; at += SAMPLE) {
        double want = 0;
        for (int64_t k = start[at / SP_COLS]; k < start[at / SP_COLS + 1]; k++)
            want += weight[k] * x[column[k] * SP_COLS + at % SP_COLS];
        keep_worst(worst, ((double *)p)[at], want, 1e-12 * fabs(want));
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

enum { MODES = 399, PLACES = 400, SURROGATES = 2000 };
static nep_status mode_sums_make(state *s)
{
    NEP_TRY(doubles(s, 0, (int64_t)MODES * PLACES, 0, 1));
    NEP_TRY(doubles(s, 1, (int64_t)SURROGATES * MODES, 0, 1));
    NEP_TRY(doubles(s, 2, PLACES, 0, 1));
    return output(s, 3, NEP_F64, (int64_t)SURROGATES * PLACES);
}
static nep_status mode_sums_run(state *s)
{
    return s->be->ops.mode_sums(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, MODES, PLACES, s->b[1].ptr, SURROGATES, s->b[2].ptr, s->b[3].ptr);
}
static nep_status mode_sums_check(state *s, double *worst)
{
    const double *v = s->host[0], *c = s->host[1], *base = s->host[2];
    void *p;
    NEP_TRY(fetch(s, 3, &p));
    const double *got = p;
    for (int64_t i = 0; i < (int64_t)SURROGATES * PLACES; i += SAMPLE) {
        double want = base[i % PLACES];
        for (int64_t k = 0; k < MODES; k++)
            want += c[i / PLACES * MODES + k] * v[k * PLACES + i % PLACES];
        keep_worst(worst, got[i], want, 1e-300); /* the same bits */
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* A grid of 48 voxels a side, each with its six neighbours, on 16 columns, as the modes of voxels take. */
enum { CHEB_SIDE = 48, CHEB_N = CHEB_SIDE * CHEB_SIDE * CHEB_SIDE, CHEB_COLS = 16, CHEB_DEGREE = 40 };
static nep_status sparse_chebyshev_make(state *s)
{
    const int64_t step[3] = {1, CHEB_SIDE, CHEB_SIDE * CHEB_SIDE};
    void *p, *q, *r;
    NEP_TRY(input(s, 0, NEP_I64, CHEB_N + 1, &p));
    NEP_TRY(input(s, 1, NEP_I32, 7 * CHEB_N, &q));
    NEP_TRY(input(s, 2, NEP_F64, 7 * CHEB_N, &r));
    int64_t *start = p, at = 0;
    for (int64_t i = 0; i < CHEB_N; i++) {
        for (int k = -3; k <= 3; k++) {
            const int axis = abs(k) - 1;
            if (k != 0 && (i / step[axis] % CHEB_SIDE == (k < 0 ? 0 : CHEB_SIDE - 1)))
                continue;
            ((int32_t *)q)[at] = (int32_t)(k == 0 ? i : k < 0 ? i - step[axis] : i + step[axis]);
            ((double *)r)[at++] = k == 0 ? 0.125 : 0.125 / 1.5; /* rows add up to less than 1: nothing grows */
        }
        start[i + 1] = at;
    }
    NEP_TRY(place(s, 0, NEP_I64, CHEB_N + 1));
    NEP_TRY(place(s, 1, NEP_I32, at));
    NEP_TRY(place(s, 2, NEP_F64, at));
    NEP_TRY(doubles(s, 3, (int64_t)CHEB_N * CHEB_COLS, 0, 1));
    return output(s, 4, NEP_F64, (int64_t)CHEB_N * CHEB_COLS);
}
static nep_status sparse_chebyshev_run(state *s)
{
    return s->be->ops.sparse_chebyshev(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, s->b[1].ptr, s->b[2].ptr, CHEB_N, CHEB_COLS, CHEB_DEGREE,
                                       s->b[3].ptr, s->b[4].ptr);
}
/* One column by plain loops. */
static nep_status sparse_chebyshev_check(state *s, double *worst)
{
    const int64_t *start = s->host[0];
    const int32_t *column = s->host[1];
    const double *weight = s->host[2], *x = s->host[3];
    double *t[2] = {NULL, NULL};
    void *p = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, CHEB_N, sizeof(double), "bench: even steps", &t[0]));
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, CHEB_N, sizeof(double), "bench: odd steps", &t[1]));
    for (int64_t i = 0; i < CHEB_N; i++)
        t[0][i] = x[i * CHEB_COLS];
    for (int k = 1; k <= CHEB_DEGREE; k++)
        for (int64_t i = 0; i < CHEB_N; i++) {
            double sum = 0;
            for (int64_t e = start[i]; e < start[i + 1]; e++)
                sum += weight[e] * t[1 - k % 2][column[e]];
            t[k % 2][i] = k == 1 ? sum : 2 * sum - t[k % 2][i];
        }
    NEP_TRY_OR_DONE(st, fetch(s, 3, &p));
    for (int64_t i = 0; i < CHEB_N; i += SAMPLE)
        keep_worst(worst, ((double *)p)[i * CHEB_COLS], t[0][i], 1e-300); /* the same bits */
done:
    nep_alloc_free(p);
    nep_alloc_free(t[0]);
    nep_alloc_free(t[1]);
    return st;
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

#endif
