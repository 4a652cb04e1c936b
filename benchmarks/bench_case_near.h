/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_near - cases of the ops on the nearest of very many places: the voxels of a cube, lists as long as those of a cortex. */
#ifndef NEP_BENCH_CASE_NEAR_H
#define NEP_BENCH_CASE_NEAR_H

#include "bench_case.h"

enum {
    NV_SIDE = 50,
    NVOX = NV_SIDE * NV_SIDE * NV_SIDE,
    NV_PAD = 6,
    NV_LINE = NV_SIDE + 2 * NV_PAD,
    NV_SLOTS = NV_LINE * NV_LINE * NV_LINE,
    NV_OFFSETS = 924,
    NV_SHELLS = 31,
    NV_BINS = 27, /* within six voxels */
    NLIST = 10000,
    NL_NEAR = 1000,
    NL_PAIRS = 700,
    N_SAMPLE = 500,
    N_MAPS = NEP_NEAR_SCALES + 1,
    N_COLS = NEP_NEAR_COLS,
    N_SCALES = NEP_NEAR_SCALES
};
/* Neighbours in all neighbourhoods together, and sums they go into. */
#define NV_ADDS (0.9 * NV_OFFSETS)
#define NL_ADDS ((0.9 + 0.7 + 0.5 + 0.3) * NL_NEAR)

static nep_status near_numbers(state *s, int i, int64_t n, int64_t below)
{
    void *p;
    NEP_TRY(input(s, i, NEP_I32, n, &p));
    int32_t *x = p;
    for (int64_t k = 0; k < n; k++)
        x[k] = (int32_t)((cheap((uint64_t)(k + i * n)) + 1) * 0.5 * (double)below);
    return place(s, i, NEP_I32, n);
}

/* Offsets and shells at 4 and 5, lines of places at 2, places of lines at 3. */
static nep_status near_grid(state *s)
{
    void *p[4];
    int64_t n = 0, shells = 0;
    NEP_TRY(input(s, 2, NEP_I32, NVOX, &p[0]));
    NEP_TRY(input(s, 3, NEP_I32, NV_SLOTS, &p[1]));
    NEP_TRY(input(s, 4, NEP_I64, NV_OFFSETS, &p[2]));
    NEP_TRY(input(s, 5, NEP_I64, NV_SHELLS + 1, &p[3]));
    int32_t *slot = p[0], *at = p[1];
    int64_t *offset = p[2], *shell = p[3];
    memset(at, 0xFF, NV_SLOTS * sizeof *at);
    for (int i = 0; i < NVOX; i++) {
        slot[i] = ((i / NV_SIDE / NV_SIDE + NV_PAD) * NV_LINE + i / NV_SIDE % NV_SIDE + NV_PAD) * NV_LINE + i % NV_SIDE + NV_PAD;
        at[slot[i]] = i;
    }
    for (int square = 1; square <= NV_PAD * NV_PAD; square++) {
        const int64_t before = n;
        for (int z = -NV_PAD; z <= NV_PAD; z++)
            for (int y = -NV_PAD; y <= NV_PAD; y++)
                for (int x = -NV_PAD; x <= NV_PAD; x++)
                    if (x * x + y * y + z * z == square)
                        offset[n++] = (z * NV_LINE + y) * NV_LINE + x;
        if (n > before)
            shell[shells++] = before;
    }
    shell[shells] = n;
    NEP_REQUIRE(s->ctx, n == NV_OFFSETS && shells == NV_SHELLS, NEP_E_INTERNAL, "bench: %lld offsets in %lld shells", (long long)n,
                (long long)shells);
    NEP_TRY(place(s, 2, NEP_I32, NVOX));
    NEP_TRY(place(s, 3, NEP_I32, NV_SLOTS));
    NEP_TRY(place(s, 4, NEP_I64, NV_OFFSETS));
    return place(s, 5, NEP_I64, NV_SHELLS + 1);
}

static nep_status shell_smooth_make(state *s)
{
    void *p;
    NEP_TRY(floats(s, 0, NVOX, 0, 1));
    NEP_TRY(near_numbers(s, 1, (int64_t)NVOX * N_COLS, NVOX)); /* drawn with replacement: the op takes any */
    NEP_TRY(near_grid(s));
    NEP_TRY(input(s, 6, NEP_I32, (int64_t)NVOX * N_SCALES, &p));
    int32_t *cut = p;
    for (int64_t i = 0; i < (int64_t)NVOX * N_SCALES; i++)
        cut[i] = (int32_t)(NV_OFFSETS * (3 + 2 * (i % N_SCALES)) / 10);
    NEP_TRY(place(s, 6, NEP_I32, (int64_t)NVOX * N_SCALES));
    NEP_TRY(doubles(s, 7, (int64_t)NVOX * N_SCALES, 1, 0.5));
    NEP_TRY(doubles(s, 8, NV_SHELLS * NV_SHELLS, 1, 0.5));
    NEP_TRY(output(s, 9, NEP_F32, (int64_t)NV_SLOTS * N_COLS));
    return output(s, 10, NEP_F32, (int64_t)N_MAPS * NVOX * N_COLS);
}
static nep_status shell_smooth_run(state *s)
{
    const nep_shells g = {.n = NVOX,
                          .slots = NV_SLOTS,
                          .n_offsets = NV_OFFSETS,
                          .n_shells = NV_SHELLS,
                          .slot = s->b[2].ptr,
                          .place = s->b[3].ptr,
                          .offset = s->b[4].ptr,
                          .shell = s->b[5].ptr,
                          .cut = s->b[6].ptr,
                          .norm = s->b[7].ptr,
                          .weight = s->b[8].ptr};
    return s->be->ops.shell_smooth(s->ctx, s->be->queue(s->ctx), &g, s->b[0].ptr, s->b[1].ptr, s->b[9].ptr, s->b[10].ptr);
}
static nep_status shell_smooth_check(state *s, double *worst)
{
    const float *value = s->host[0];
    const int32_t *order = s->host[1], *slot = s->host[2], *at = s->host[3], *cut = s->host[6];
    const int64_t *offset = s->host[4], *shell = s->host[5];
    const double *norm = s->host[7], *weight = s->host[8];
    void *p;
    NEP_TRY(fetch(s, 10, &p));
    const float *got = p;
    for (int64_t k = 0; k < (int64_t)N_SCALES * NVOX * N_COLS; k += SAMPLE) {
        const int64_t c = k % N_COLS, i = k / N_COLS % NVOX, cell = i * N_SCALES + k / N_COLS / NVOX;
        const double *row = weight + nep_shells_find(shell, NV_SHELLS, cut[cell] - 1) * NV_SHELLS;
        double want = 0, magnitude = 0;
        for (int64_t t = 0; t < cut[cell]; t++) {
            const int32_t j = at[slot[i] + offset[t]];
            const double v = j < 0 ? 0 : norm[cell] * row[nep_shells_find(shell, NV_SHELLS, t)] * (double)value[order[c * NVOX + j]];
            want += v;
            magnitude += fabs(v);
        }
        keep_worst(worst, (double)got[k], want, 3e-6 * magnitude); /* float32 within a shell of up to 96 */
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status shell_squares_make(state *s)
{
    void *p;
    NEP_TRY(floats(s, 0, (int64_t)N_MAPS * NVOX * N_COLS, 0, 1));
    NEP_TRY(near_numbers(s, 1, N_SAMPLE, NVOX));
    NEP_TRY(near_grid(s));
    NEP_TRY(input(s, 6, NEP_I32, NVOX, &p));
    int32_t *whole = p;
    for (int i = 0; i < NVOX; i++)
        whole[i] = NV_OFFSETS;
    NEP_TRY(place(s, 6, NEP_I32, NVOX));
    NEP_TRY(output(s, 7, NEP_F64, N_MAPS * NV_BINS * N_COLS));
    return output(s, 8, NEP_F64, NV_BINS);
}
static nep_status shell_squares_run(state *s)
{
    const nep_shells g = {.n = NVOX,
                          .slots = NV_SLOTS,
                          .n_offsets = NV_OFFSETS,
                          .n_shells = NV_SHELLS,
                          .n_bins = NV_BINS,
                          .slot = s->b[2].ptr,
                          .place = s->b[3].ptr,
                          .offset = s->b[4].ptr,
                          .shell = s->b[5].ptr,
                          .whole = s->b[6].ptr};
    return s->be->ops.shell_squares(s->ctx, s->be->queue(s->ctx), &g, s->b[0].ptr, N_MAPS, s->b[1].ptr, N_SAMPLE, s->b[7].ptr, s->b[8].ptr);
}
static nep_status shell_squares_check(state *s, double *worst)
{
    const float *x = s->host[0];
    const int32_t *sample = s->host[1], *slot = s->host[2], *at = s->host[3];
    const int64_t *offset = s->host[4], *shell = s->host[5];
    void *p;
    NEP_TRY(fetch(s, 7, &p));
    const double *got = p;
    for (int64_t k = 0; k < (int64_t)N_MAPS * NV_BINS * N_COLS; k += 7) {
        const int64_t c = k % N_COLS, h = k / N_COLS % NV_BINS, m = k / N_COLS / NV_BINS;
        double want = 0;
        for (int r = 0; r < N_SAMPLE; r++)
            for (int64_t t = shell[h]; t < shell[h + 1]; t++) {
                const int64_t i = sample[r], j = at[slot[i] + offset[t]];
                const double d = j < 0 ? 0 : (double)x[(m * NVOX + i) * N_COLS + c] - (double)x[(m * NVOX + j) * N_COLS + c];
                want += 0.5 * d * d;
            }
        keep_worst(worst, got[k], want, 1e-6 * want);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

/* Lists at 2 and 3: places all over, distances that rise to 2. */
static nep_status near_lists(state *s)
{
    void *p;
    NEP_TRY(near_numbers(s, 2, (int64_t)NLIST * NL_NEAR, NLIST));
    NEP_TRY(input(s, 3, NEP_F32, (int64_t)NLIST * NL_NEAR, &p));
    float *far = p;
    for (int64_t k = 0; k < (int64_t)NLIST * NL_NEAR; k++)
        far[k] = 1.0f + (float)(k % NL_NEAR) / NL_NEAR;
    return place(s, 3, NEP_F32, (int64_t)NLIST * NL_NEAR);
}

static nep_status list_smooth_make(state *s)
{
    void *p, *q;
    NEP_TRY(floats(s, 0, NLIST, 0, 1));
    NEP_TRY(near_numbers(s, 1, (int64_t)NLIST * N_COLS, NLIST));
    NEP_TRY(near_lists(s));
    NEP_TRY(doubles(s, 4, (int64_t)NLIST * N_SCALES, 1, 0.5));
    NEP_TRY(input(s, 5, NEP_F64, (int64_t)NLIST * N_SCALES, &p));
    NEP_TRY(input(s, 6, NEP_F64, NEP_NEAR_STEPS + 2, &q));
    double *scale = p, *table = q;
    for (int64_t i = 0; i < (int64_t)NLIST * N_SCALES; i++)
        scale[i] = 1.0 / (double)((const float *)s->host[3])[nep_near_count(NL_NEAR, (int)(i % N_SCALES)) - 1];
    for (int k = 0; k < NEP_NEAR_STEPS + 2; k++)
        table[k] = exp(-(double)k / NEP_NEAR_STEPS);
    NEP_TRY(place(s, 5, NEP_F64, (int64_t)NLIST * N_SCALES));
    NEP_TRY(place(s, 6, NEP_F64, NEP_NEAR_STEPS + 2));
    NEP_TRY(output(s, 7, NEP_F32, (int64_t)NLIST * N_COLS));
    return output(s, 8, NEP_F32, (int64_t)N_MAPS * NLIST * N_COLS);
}
static nep_status list_smooth_run(state *s)
{
    const nep_lists g = {.n = NLIST,
                         .neighbours = NL_NEAR,
                         .near = s->b[2].ptr,
                         .far = s->b[3].ptr,
                         .norm = s->b[4].ptr,
                         .scale = s->b[5].ptr,
                         .table = s->b[6].ptr};
    return s->be->ops.list_smooth(s->ctx, s->be->queue(s->ctx), &g, s->b[0].ptr, s->b[1].ptr, s->b[7].ptr, s->b[8].ptr);
}
static nep_status list_smooth_check(state *s, double *worst)
{
    const float *value = s->host[0], *far = s->host[3];
    const int32_t *order = s->host[1], *near = s->host[2];
    const double *norm = s->host[4], *scale = s->host[5];
    void *p;
    NEP_TRY(fetch(s, 8, &p));
    const float *got = p;
    for (int64_t k = 0; k < (int64_t)N_SCALES * NLIST * N_COLS; k += SAMPLE) {
        const int64_t c = k % N_COLS, i = k / N_COLS % NLIST;
        const int h = (int)(k / N_COLS / NLIST);
        double want = 0, magnitude = 0;
        for (int64_t t = i * NL_NEAR; t < i * NL_NEAR + nep_near_count(NL_NEAR, h); t++) {
            const double v =
                norm[i * N_SCALES + h] * exp(-(double)far[t] * scale[i * N_SCALES + h]) * (double)value[order[c * NLIST + near[t]]];
            want += v;
            magnitude += fabs(v);
        }
        keep_worst(worst, (double)got[k], want, 1e-6 * magnitude);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_lists near_lags(const state *s)
{
    nep_lists g = {.n = NLIST, .neighbours = NL_NEAR, .near = s->b[2].ptr, .far = s->b[3].ptr};
    for (int h = 0; h < NEP_VARIOGRAM_LAGS; h++)
        g.lag[h] = 1.0 + (double)NL_PAIRS / NL_NEAR / (NEP_VARIOGRAM_LAGS - 1) * h;
    return g;
}
static nep_status list_squares_make(state *s)
{
    NEP_TRY(floats(s, 0, (int64_t)N_MAPS * NLIST * N_COLS, 0, 1));
    NEP_TRY(near_numbers(s, 1, N_SAMPLE, NLIST));
    NEP_TRY(near_lists(s));
    NEP_TRY(output(s, 4, NEP_F64, N_MAPS * NEP_VARIOGRAM_LAGS * N_COLS));
    return output(s, 5, NEP_F64, NEP_VARIOGRAM_LAGS);
}
static nep_status list_squares_run(state *s)
{
    const nep_lists g = near_lags(s);
    return s->be->ops.list_squares(s->ctx, s->be->queue(s->ctx), &g, s->b[0].ptr, N_MAPS, s->b[1].ptr, N_SAMPLE, s->b[4].ptr, s->b[5].ptr);
}
static nep_status list_squares_check(state *s, double *worst)
{
    const nep_lists g = near_lags(s);
    const float *x = s->host[0], *far = s->host[3];
    const int32_t *sample = s->host[1], *near = s->host[2];
    const double wide = 3 * (g.lag[1] - g.lag[0]), last = g.lag[NEP_VARIOGRAM_LAGS - 1];
    void *p;
    NEP_TRY(fetch(s, 4, &p));
    const double *got = p;
    for (int64_t k = 0; k < (int64_t)N_MAPS * NEP_VARIOGRAM_LAGS * N_COLS; k += 17) {
        const int64_t c = k % N_COLS, h = k / N_COLS % NEP_VARIOGRAM_LAGS, m = k / N_COLS / NEP_VARIOGRAM_LAGS;
        double want = 0;
        for (int r = 0; r < N_SAMPLE; r++)
            for (int64_t i = sample[r], t = i * NL_NEAR; t < (i + 1) * NL_NEAR && (double)far[t] < last; t++) {
                const double d = (double)x[(m * NLIST + i) * N_COLS + c] - (double)x[(m * NLIST + near[t]) * N_COLS + c];
                const double u = NEP_VARIOGRAM_KERNEL * ((double)far[t] - g.lag[h]) / wide;
                want += exp(-0.5 * u * u) * 0.5 * d * d;
            }
        keep_worst(worst, got[k], want, 1e-6 * want);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

#endif
