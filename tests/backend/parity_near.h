/* SPDX-License-Identifier: Apache-2.0 */
/* parity_near - how the ops on the nearest of very many places are run for the comparison: a mask on a small grid, made-up lists. */
#ifndef NEP_TESTS_BACKEND_PARITY_NEAR_H
#define NEP_TESTS_BACKEND_PARITY_NEAR_H

#include "backend/parity_ops.h"

enum { NEAR_COLS = NEP_NEAR_COLS, NEAR_SCALES = NEP_NEAR_SCALES, NEAR_MAPS = 2, NEAR_LAGS = NEP_VARIOGRAM_LAGS };

/* What smoothing takes and gives. */
typedef struct {
    float *value, *out;
    int32_t *order;
    nep_buf lines, maps;
} near_job;

static nep_status near_job_new(nep_ctx *ctx, int64_t n, int64_t slots, bool missing, near_job *j)
{
    const int64_t cells = (NEAR_SCALES + 1) * n * NEAR_COLS;
    *j = (near_job){.value = floats(X, n, missing), .out = zeroed(cells, sizeof *j->out), .order = zeroed(n * NEAR_COLS, sizeof *j->order)};
    for (int64_t c = 0; c < NEAR_COLS; c++) /* every column another shuffle: Fisher and Yates */
        for (int64_t i = 0; i < n; i++) {
            const int64_t k = (int64_t)(nep_philox_uniform(99, Y, (uint64_t)(c * n + i)) * (double)(i + 1));
            j->order[c * n + i] = j->order[c * n + k];
            j->order[c * n + k] = (int32_t)i;
        }
    NEP_TRY(nep_buf_new(ctx, NEP_F32, slots * NEAR_COLS, "lines", &j->lines));
    return nep_buf_new(ctx, NEP_F32, cells, "maps", &j->maps);
}

static void near_job_free(near_job *j)
{
    nep_buf_free(&j->maps);
    nep_buf_free(&j->lines);
    free(j->order);
    free(j->out);
    free(j->value);
}

/* A few maps of their own for the variogram, and a sample of 20 places or fewer, some of them twice when there are few. */
static nep_status near_maps(nep_ctx *ctx, int64_t n, bool missing, float **x, nep_buf *maps)
{
    *x = floats(Z, NEAR_MAPS * n * NEAR_COLS, missing);
    return nep_buf_put(ctx, *x, NEP_F32, NEAR_MAPS * n * NEAR_COLS, "maps", maps);
}

static int64_t near_sample(int64_t n, int32_t *sample)
{
    const int64_t n_sample = n < 20 ? n : 20;
    for (int64_t r = 0; r < n_sample; r++)
        sample[r] = (int32_t)(r * 37 % n);
    return n_sample;
}

static void push_maps(const near_job *j, int64_t n, const double *magnitude, result *r)
{
    for (int64_t k = 0; k < (NEAR_SCALES + 1) * n * NEAR_COLS; k++)
        push(r, (double)j->out[k], k < NEAR_SCALES * n * NEAR_COLS ? magnitude[k] : 0, FLOAT32);
}

/* ---- a grid of 11 x 9 x 1 to 14 voxels, one in 13 left out, and what lies within 3 of each -------------------------- */
typedef struct {
    nep_shells g;
    int32_t *slot, *place, *cut, *whole;
    int64_t *offset, *shell;
    double *norm, *weight;
} near_grid;

enum {
    GRID_PAD = 3,
    GRID_X = 11,
    GRID_Y = 9,
    GRID_OFFSETS = 122,
    GRID_SHELLS = 8,
    GRID_LINE = GRID_X + 2 * GRID_PAD,
    GRID_FACE = GRID_LINE * (GRID_Y + 2 * GRID_PAD)
};

static void grid_offsets(near_grid *d)
{
    for (int64_t square = 1; square <= GRID_PAD * GRID_PAD; square++) {
        const int64_t before = d->g.n_offsets;
        for (int64_t z = -GRID_PAD; z <= GRID_PAD; z++)
            for (int64_t y = -GRID_PAD; y <= GRID_PAD; y++)
                for (int64_t x = -GRID_PAD; x <= GRID_PAD; x++)
                    if (x * x + y * y + z * z == square)
                        d->offset[d->g.n_offsets++] = z * GRID_FACE + y * GRID_LINE + x;
        if (d->g.n_offsets == before) /* no three squares give 7 */
            continue;
        d->shell[d->g.n_shells] = before;
        for (int64_t k = 0; k <= d->g.n_shells; k++) /* weights that any numbers may be */
            d->weight[d->g.n_shells * GRID_SHELLS + k] = exp(-(double)(k + 1) / (double)(d->g.n_shells + 1));
        d->g.n_shells++;
    }
    d->shell[d->g.n_shells] = d->g.n_offsets;
}

static void grid_cuts(near_grid *d, int64_t neighbours)
{
    for (int64_t i = 0; i < d->g.n; i++) {
        int64_t t = 0, found = 0;
        for (int s = 0; s <= NEAR_SCALES; s++) {
            const int64_t want = s < NEAR_SCALES ? nep_near_count(neighbours, s) : neighbours;
            for (; t < GRID_OFFSETS && (found < want || t == 0); t++)
                found += d->place[d->slot[i] + d->offset[t]] >= 0;
            if (s < NEAR_SCALES)
                d->cut[i * NEAR_SCALES + s] = (int32_t)t;
            else
                d->whole[i] = (int32_t)t;
        }
        for (int s = 0; s < NEAR_SCALES; s++)
            d->norm[i * NEAR_SCALES + s] = 1.0 / (1.0 + (double)(i % 7 + s));
    }
}

static near_grid grid_new(const shape *s)
{
    const int64_t cells = s->rows * s->cols / (GRID_X * GRID_Y), nz = cells < 1 ? 1 : cells > 14 ? 14 : cells;
    near_grid d = {0};
    d.g.slots = GRID_FACE * (nz + 2 * GRID_PAD);
    d.slot = zeroed(GRID_X * GRID_Y * nz, sizeof *d.slot);
    d.place = zeroed(d.g.slots, sizeof *d.place);
    d.offset = zeroed(GRID_OFFSETS, sizeof *d.offset);
    d.shell = zeroed(GRID_SHELLS + 1, sizeof *d.shell);
    d.weight = zeroed(GRID_SHELLS * GRID_SHELLS, sizeof *d.weight);
    memset(d.place, 0xFF, (size_t)d.g.slots * sizeof *d.place);
    for (int64_t v = 0; v < GRID_X * GRID_Y * nz; v++) {
        if (v * 5 % 13 == 4)
            continue;
        d.slot[d.g.n] =
            (int32_t)((v / (GRID_X * GRID_Y) + GRID_PAD) * GRID_FACE + (v / GRID_X % GRID_Y + GRID_PAD) * GRID_LINE + v % GRID_X + GRID_PAD);
        d.place[d.slot[d.g.n]] = (int32_t)d.g.n;
        d.g.n++;
    }
    d.cut = zeroed(d.g.n * NEAR_SCALES, sizeof *d.cut);
    d.whole = zeroed(d.g.n, sizeof *d.whole);
    d.norm = zeroed(d.g.n * NEAR_SCALES, sizeof *d.norm);
    grid_offsets(&d);
    grid_cuts(&d, 8 + s->rows % 29);
    d.g = (nep_shells){d.g.n, d.g.slots, d.g.n_offsets, d.g.n_shells, 1 + s->rows % GRID_SHELLS, d.slot, d.place, d.offset, d.shell,
                       d.cut, d.whole,   d.norm,        d.weight};
    return d;
}

static void grid_free(near_grid *d)
{
    void *const parts[] = {d->slot, d->place, d->cut, d->whole, d->offset, d->shell, d->norm, d->weight};
    for (int i = 0; i < NEP_LEN(parts); i++)
        free(parts[i]);
}

static nep_status run_shell_smooth(nep_ctx *ctx, const shape *s, result *r)
{
    near_grid d = grid_new(s);
    const nep_shells *g = &d.g;
    double *magnitude = zeroed(NEAR_SCALES * g->n * NEAR_COLS, sizeof *magnitude);
    nep_shell_place placed = {0};
    near_job j;
    nep_status st = near_job_new(ctx, g->n, g->slots, s->missing, &j);
    if (st == NEP_OK)
        st = nep_backend_shells(ctx, g, &placed);
    if (st == NEP_OK)
        st = nep_backend_shell_smooth(ctx, &placed, j.value, j.order, &j.lines, &j.maps);
    if (st == NEP_OK)
        st = nep_buf_get(ctx, &j.maps, j.out);
    for (int64_t k = 0; st == NEP_OK && k < NEAR_SCALES * g->n * NEAR_COLS; k++) {
        const int64_t c = k % NEAR_COLS, i = k / NEAR_COLS % g->n, cell = i * NEAR_SCALES + k / NEAR_COLS / g->n;
        const double *weight = d.weight + nep_shells_find(d.shell, g->n_shells, d.cut[cell] - 1) * GRID_SHELLS;
        for (int64_t t = 0; t < d.cut[cell]; t++) {
            const int32_t near = d.place[d.slot[i] + d.offset[t]];
            if (near >= 0)
                magnitude[k] +=
                    d.norm[cell] * weight[nep_shells_find(d.shell, g->n_shells, t)] * fabs((double)j.value[j.order[c * g->n + near]]);
        }
    }
    if (st == NEP_OK)
        push_maps(&j, g->n, magnitude, r);
    nep_backend_shells_free(&placed);
    near_job_free(&j);
    free(magnitude);
    grid_free(&d);
    return st;
}

static nep_status run_shell_squares(nep_ctx *ctx, const shape *s, result *r)
{
    near_grid d = grid_new(s);
    const int64_t cells = NEAR_MAPS * d.g.n_bins * NEAR_COLS;
    double *squares = zeroed(cells, sizeof *squares), *pairs = zeroed(d.g.n_bins, sizeof *pairs);
    int32_t sample[20];
    const int64_t n_sample = near_sample(d.g.n, sample);
    nep_shell_place placed = {0};
    nep_buf maps = {0};
    float *x;
    nep_status st = near_maps(ctx, d.g.n, s->missing, &x, &maps);
    if (st == NEP_OK)
        st = nep_backend_shells(ctx, &d.g, &placed);
    if (st == NEP_OK)
        st = nep_backend_shell_squares(ctx, &placed, &maps, NEAR_MAPS, sample, n_sample, squares, pairs);
    for (int64_t k = 0; st == NEP_OK && k < cells; k++) /* nothing is below zero: a sum is its own magnitude */
        push(r, squares[k], squares[k], FLOAT64);
    for (int64_t h = 0; st == NEP_OK && h < d.g.n_bins; h++)
        push(r, pairs[h], 0, INTEGER);
    nep_backend_shells_free(&placed);
    nep_buf_free(&maps);
    free(x);
    free(pairs);
    free(squares);
    grid_free(&d);
    return st;
}

/* ---- lists of places that lie nowhere: distances rise, some are equal ------------------------------------------------ */
typedef struct {
    nep_lists g;
    int32_t *near;
    float *far;
    double *norm, *scale, *table;
} near_list;

static near_list list_new(const shape *s)
{
    const int64_t cells = s->rows * s->cols, n = cells < 7 ? 7 : cells > 401 ? 401 : cells, most = 4 + s->rows % 83;
    const int64_t neighbours = most < n ? most : n - 1;
    near_list d = {.near = zeroed(n * neighbours, sizeof *d.near),
                   .far = zeroed(n * neighbours, sizeof *d.far),
                   .norm = zeroed(n * NEAR_SCALES, sizeof *d.norm),
                   .scale = zeroed(n * NEAR_SCALES, sizeof *d.scale),
                   .table = zeroed(NEP_NEAR_STEPS + 2, sizeof *d.table)};
    for (int k = 0; k < NEP_NEAR_STEPS + 2; k++)
        d.table[k] = exp(-(double)k / NEP_NEAR_STEPS);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t t = 0; t < neighbours; t++) {
            d.near[i * neighbours + t] = (int32_t)((i + 1 + (t * (t + 3)) % (n - 1)) % n);
            d.far[i * neighbours + t] = i == 2 ? 0.0f : 1.0f + 0.4f * (float)(t / 2) + 0.13f * (float)(i % 5); /* all of place 2 at one spot */
        }
        for (int c = 0; c < NEAR_SCALES; c++) {
            const double reach = (double)d.far[i * neighbours + nep_near_count(neighbours, c) - 1];
            d.scale[i * NEAR_SCALES + c] = reach > 0 ? 1 / reach : 0;
            d.norm[i * NEAR_SCALES + c] = 1.0 / (1.0 + (double)(i % 7 + c));
        }
    }
    d.g = (nep_lists){.n = n, .neighbours = neighbours, .near = d.near, .far = d.far, .norm = d.norm, .scale = d.scale, .table = d.table};
    for (int h = 0; h < NEAR_LAGS; h++)
        d.g.lag[h] = 1.0 + h * 0.008 * (double)(neighbours + 3);
    return d;
}

static void list_free(near_list *d)
{
    free(d->near);
    free(d->far);
    free(d->norm);
    free(d->scale);
    free(d->table);
}

static nep_status run_list_smooth(nep_ctx *ctx, const shape *s, result *r)
{
    near_list d = list_new(s);
    const nep_lists *g = &d.g;
    double *magnitude = zeroed(NEAR_SCALES * g->n * NEAR_COLS, sizeof *magnitude);
    nep_list_place placed = {0};
    near_job j;
    nep_status st = near_job_new(ctx, g->n, g->n, s->missing, &j);
    if (st == NEP_OK)
        st = nep_backend_lists(ctx, g, &placed);
    if (st == NEP_OK)
        st = nep_backend_list_smooth(ctx, &placed, j.value, j.order, &j.lines, &j.maps);
    if (st == NEP_OK)
        st = nep_buf_get(ctx, &j.maps, j.out);
    for (int64_t k = 0; st == NEP_OK && k < NEAR_SCALES * g->n * NEAR_COLS; k++) {
        const int64_t c = k % NEAR_COLS, i = k / NEAR_COLS % g->n;
        const int scale = (int)(k / NEAR_COLS / g->n);
        for (int64_t t = 0; t < nep_near_count(g->neighbours, scale); t++)
            magnitude[k] += d.norm[i * NEAR_SCALES + scale] * exp(-(double)d.far[i * g->neighbours + t] * d.scale[i * NEAR_SCALES + scale]) *
                            fabs((double)j.value[j.order[c * g->n + d.near[i * g->neighbours + t]]]);
    }
    if (st == NEP_OK)
        push_maps(&j, g->n, magnitude, r);
    nep_backend_lists_free(&placed);
    near_job_free(&j);
    free(magnitude);
    list_free(&d);
    return st;
}

static nep_status run_list_squares(nep_ctx *ctx, const shape *s, result *r)
{
    near_list d = list_new(s);
    double squares[NEAR_MAPS * NEAR_LAGS * NEAR_COLS], weights[NEAR_LAGS];
    int32_t sample[20];
    const int64_t n_sample = near_sample(d.g.n, sample);
    nep_list_place placed = {0};
    nep_buf maps = {0};
    float *x;
    nep_status st = near_maps(ctx, d.g.n, s->missing, &x, &maps);
    if (st == NEP_OK)
        st = nep_backend_lists(ctx, &d.g, &placed);
    if (st == NEP_OK)
        st = nep_backend_list_squares(ctx, &placed, &maps, NEAR_MAPS, sample, n_sample, squares, weights);
    for (int k = 0; st == NEP_OK && k < NEP_LEN(squares); k++)
        push(r, squares[k], squares[k], FLOAT64);
    for (int h = 0; st == NEP_OK && h < NEAR_LAGS; h++)
        push(r, weights[h], weights[h], FLOAT64);
    nep_backend_lists_free(&placed);
    nep_buf_free(&maps);
    free(x);
    list_free(&d);
    return st;
}

#endif
