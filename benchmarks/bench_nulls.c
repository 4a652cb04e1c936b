/* SPDX-License-Identifier: Apache-2.0 */
/* bench_nulls DIR checks surrogates of matched variogram of 400 regions, from given shuffles and noise, against what the peer left in DIR, then
 * times 2,500, 5,000 and 10,000 of them, preparation included; then the voxels of a mask as large as a brain at 2 mm, the preparation apart from 96
 * surrogates. */
#include "bench.h"

#include <math.h>

#include <nepenthe/brainmap.h>

#include "../src/brainmap/variogram.h"

enum { N = 400, MOST = 10000, GIVEN = 4, REPEATS = 2, COLS = NEP_VARIOGRAM_COLS };

/* The given surrogates stand in the first columns, a group is always whole. */
static nep_status check(nep_ctx *ctx, const char *dir, const double (*place)[3], const double *map, double *worst)
{
    double *order = bench_load(dir, "nulls_order.f64", (size_t)GIVEN * N, sizeof *order);
    double *given = bench_load(dir, "nulls_noise.f64", (size_t)GIVEN * N, sizeof *given);
    double *want = bench_load(dir, "nulls_want.f64", (size_t)GIVEN * N, sizeof *want);
    double *noise = calloc((size_t)N * COLS, sizeof *noise), *got = calloc((size_t)N * COLS, sizeof *got), z[N], sd = 0.0;
    float *shuffled = calloc((size_t)N * COLS, sizeof *shuffled);
    nep_variogram *v = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_variogram_create(ctx, N, place, &v));
    NEP_TRY_OR_DONE(st, nep_variogram_standard(ctx, map, N, z, &sd));
    for (int64_t b = 0; b < GIVEN; b++)
        for (int64_t i = 0; i < N; i++) {
            shuffled[i * COLS + b] = (float)z[(int64_t)order[b * N + i]];
            noise[b * N + i] = given[b * N + i];
        }
    NEP_TRY_OR_DONE(st, nep_variogram_blend(ctx, v, map, shuffled, noise, COLS, got, NULL));
    for (int64_t i = 0; i < GIVEN * N; i++) {
        const double off = fabs(got[i] - want[i]) / sd;
        *worst = off <= *worst ? *worst : off; /* a NaN stays */
    }
    NEP_REQUIRE_OR_DONE(st, ctx, *worst < 1e-5, NEP_E_INTERNAL, "nulls: differs from the peer by %g of the map's SD", *worst);
done:
    nep_variogram_free(v);
    free(shuffled);
    free(got);
    free(noise);
    free(want);
    free(given);
    free(order);
    return st;
}

static nep_status time_draws(nep_ctx *ctx, const nep_geometry *g, const double *map, int64_t count, double *draws, bench_time *best)
{
    for (int i = 0; i < REPEATS; i++) {
        nep_nulls *nulls = NULL;
        const bench_time start = bench_now();
        NEP_TRY(nep_nulls_create(ctx, g, NULL, NEP_NULLS_VARIOGRAM, &nulls));
        const nep_status st = nep_nulls_draw(ctx, nulls, map, 0, 0, count, draws);
        bench_keep(best, start);
        nep_nulls_free(nulls);
        NEP_TRY(st);
    }
    return NEP_OK;
}

/* An ellipsoid of 229,621 voxels of 2 mm, and a smooth map on it. */
static nep_status time_voxels(nep_ctx *ctx, char *text, size_t room)
{
    enum { NX = 91, NY = 109, NZ = 91, SOME = 96 };
    const nep_grid g = {.nx = NX, .ny = NY, .nz = NZ, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    bool *mask = calloc((size_t)NX * NY * NZ, sizeof *mask);
    double *map = calloc((size_t)NX * NY * NZ, sizeof *map);
    float *draws = NULL;
    bench_time prepared = {0, 0}, drawn = {0, 0};
    nep_sampled *s = NULL;
    int64_t n = 0;
    nep_status st;
    for (int v = 0; v < NX * NY * NZ; v++) {
        const double x = (v % NX - 45) / 34.0, y = (v / NX % NY - 54) / 43.0, z = (v / NX / NY - 45) / 37.5;
        mask[v] = x * x + y * y + z * z < 1.0;
        if (mask[v])
            map[n++] = sin(3.0 * x) + cos(4.0 * y * z) + 0.1 * nep_philox_normal(1, 3, (uint64_t)v);
    }
    bench_time start = bench_now();
    NEP_TRY_OR_DONE(st, nep_sampled_voxels(ctx, &g, mask, NULL, &s));
    bench_keep(&prepared, start);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, SOME * n, sizeof *draws, "surrogates", &draws));
    start = bench_now();
    NEP_TRY_OR_DONE(st, nep_sampled_draw(ctx, s, map, 0, 0, SOME, false, draws));
    bench_keep(&drawn, start);
    bench_voxels(text, room, n, SOME, prepared, drawn);
done:
    nep_alloc_free(draws);
    nep_sampled_free(s);
    free(map);
    free(mask);
    return st;
}

int main(int argc, char **argv)
{
    static char names[N][8], hemisphere[N];
    static char *name[N];
    static bool cortex[N];
    nep_ctx *ctx = NULL;
    double *draws = NULL, worst = 0.0;
    bench_time all = {0, 0};
    nep_status st;
    char fields[1536], ceilings[512], sizes[512] = "", voxels[512] = "";

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    double(*place)[3] = bench_load(argv[1], "nulls_place.f64", N, sizeof *place);
    double *map = bench_load(argv[1], "nulls_map.f64", N, sizeof *map);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "r%d", i);
        name[i] = names[i];
        hemisphere[i] = place[i][0] < 0 ? 'L' : 'R';
        cortex[i] = true;
    }
    const nep_geometry g = {.n_regions = N, .names = name, .hemisphere = hemisphere, .cortex = cortex, .mm = place};
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, check(ctx, argv[1], (const double(*)[3])place, map, &worst));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)MOST * N, sizeof *draws, "surrogates", &draws));
    for (int64_t n = MOST / 4; n <= MOST; n *= 2) {
        all = (bench_time){0, 0};
        NEP_TRY_OR_DONE(st, time_draws(ctx, &g, map, n, draws, &all));
        bench_size(sizes, sizeof sizes, n, all);
    }
    NEP_TRY_OR_DONE(st, time_voxels(ctx, voxels, sizeof voxels));
    /* nine smoothings, and of each near pair a difference, its square and four moments */
    const double pairs = N * (N - 1) / 2 / 4, flops = (double)MOST * NEP_VARIOGRAM_SCALES * (2.0 * N * N + pairs * 9.0);
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-5, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"surrogates\", \"sizes\": [%s], %s%s",
             worst, all.wall, all.cpu, flops / all.cpu * 1e-9, sizes, voxels, ceilings);
    bench_report(ctx, "nulls", "10,000 surrogates of matched variogram, 400 regions", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_nulls: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(draws);
    free(map);
    free(place);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
