/* SPDX-License-Identifier: Apache-2.0 */
/* bench_modes DIR finds the 399 smoothest modes of the graph of 8,488 voxels that the peer left in DIR, checks their eigenvalues against the peer's and
 * times them; then those of ellipsoids of voxels from 8 to 2 mm, graph included, and 96 surrogates of the largest. */
#include "bench.h"

#include <math.h>

#include <nepenthe/brainmap.h>

#include "../src/brainmap/subspace.h"

enum { N = 8488, K = NULLS_FEW_MODES, REPEATS = 2, SOME = 96 };

static void read_graph(const char *dir, nulls_graph *l)
{
    double *start = bench_load(dir, "modes_start.f64", N + 1, sizeof *start);
    const size_t entries = (size_t)start[N];
    double *column = bench_load(dir, "modes_column.f64", entries, sizeof *column);
    l->n = N;
    l->start = calloc(N + 1, sizeof *l->start);
    l->column = calloc(entries, sizeof *l->column);
    l->weight = bench_load(dir, "modes_weight.f64", entries, sizeof *l->weight);
    for (size_t i = 0; i <= N; i++)
        l->start[i] = (int64_t)start[i];
    for (size_t e = 0; e < entries; e++)
        l->column[e] = (int32_t)column[e];
    free(column);
    free(start);
}

static nep_status time_modes(nep_ctx *ctx, const char *dir, bench_time *best, double *worst, nep_subspace_cost *cost, int64_t *entries)
{
    double *want = bench_load(dir, "modes_eigenvalue.f64", K, sizeof *want), lambda[K], *vectors = NULL;
    nulls_graph l = {0};
    nep_status st;
    read_graph(dir, &l);
    *entries = l.start[N];
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_subspace_room(K) * N, sizeof *vectors, "modes", &vectors));
    for (int i = 0; i < REPEATS; i++) {
        const bench_time start = bench_now();
        NEP_TRY_OR_DONE(st, nep_subspace_smallest(ctx, &l, K, 1.2 * want[K - 1], lambda, vectors, cost));
        bench_keep(best, start);
    }
    for (int k = 0; k < K; k++) {
        const double off = fabs(lambda[k] / want[k] - 1.0);
        *worst = off <= *worst ? *worst : off; /* a NaN stays */
    }
    NEP_REQUIRE_OR_DONE(st, ctx, *worst < 1e-8, NEP_E_INTERNAL, "modes: an eigenvalue differs from the peer's by %g of it", *worst);
done:
    nep_alloc_free(vectors);
    free(l.weight);
    free(l.column);
    free(l.start);
    free(want);
    return st;
}

/* The ellipsoid of half axes 68, 86 and 75 mm in voxels of `mm`, and a smooth map on it; freed by the caller. */
static int64_t ellipsoid(double mm, nep_grid *g, bool **mask, double **map)
{
    const double half[3] = {68, 86, 75};
    int64_t size[3], n = 0;
    for (int k = 0; k < 3; k++)
        size[k] = 2 * (int64_t)(half[k] / mm) + 4;
    *g = (nep_grid){.nx = size[0], .ny = size[1], .nz = size[2], .affine = {{mm, 0, 0, 0}, {0, mm, 0, 0}, {0, 0, mm, 0}}};
    *mask = calloc((size_t)nep_grid_voxels(g), sizeof **mask);
    *map = calloc((size_t)nep_grid_voxels(g), sizeof **map);
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        const double x = ((double)(v % size[0]) - (double)(size[0] - 1) / 2) * mm / half[0];
        const double y = ((double)(v / size[0] % size[1]) - (double)(size[1] - 1) / 2) * mm / half[1];
        const double z = ((double)(v / size[0] / size[1]) - (double)(size[2] - 1) / 2) * mm / half[2];
        (*mask)[v] = x * x + y * y + z * z < 1.0;
        if ((*mask)[v])
            (*map)[n++] = sin(3.0 * x) + cos(4.0 * y * z) + 0.1 * nep_philox_normal(1, 3, (uint64_t)v);
    }
    return n;
}

static nep_status time_voxels(nep_ctx *ctx, double mm, char *sizes, size_t room, char *fields, size_t fields_room)
{
    nep_nulls *nulls = NULL;
    bool *mask = NULL;
    double *map = NULL, *draws = NULL;
    bench_time prepared = {0, 0}, drawn = {0, 0};
    nep_grid g;
    nep_status st;
    const int64_t n = ellipsoid(mm, &g, &mask, &map);
    bench_time start = bench_now();
    NEP_TRY_OR_DONE(st, nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_EIGENMODES, NULL, &nulls));
    bench_keep(&prepared, start);
    bench_size(sizes, room, n, prepared);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, SOME * n, sizeof *draws, "surrogates", &draws));
    start = bench_now();
    NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, nulls, map, 0, 0, SOME, draws));
    bench_keep(&drawn, start);
    bench_voxels(fields, fields_room, n, SOME, prepared, drawn);
done:
    nep_alloc_free(draws);
    nep_nulls_free(nulls);
    free(map);
    free(mask);
    return st;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    double worst = 0.0;
    bench_time all = {0, 0};
    nep_subspace_cost cost = {0};
    int64_t entries = 0;
    nep_status st;
    char fields[1536], ceilings[512], sizes[512] = "", voxels[512] = "";

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, time_modes(ctx, argv[1], &all, &worst, &cost, &entries));
    for (double mm = 8.0; mm >= 2.0; mm /= 2.0)
        NEP_TRY_OR_DONE(st, time_voxels(ctx, mm, sizes, sizeof sizes, voxels, sizeof voxels));
    /* a product and two more operations for each step; of each round two halves of a symmetric product and one that turns */
    const double m = (double)nep_subspace_room(K);
    const double flops = (double)cost.products * m * (2.0 * (double)entries + 2.0 * N) + (double)cost.rounds * 4.0 * N * m * m;
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-8, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"rounds\": %lld, \"products\": %lld, \"size\": \"voxels, graph included\", \"sizes\": [%s], %s%s",
             worst, all.wall, all.cpu, flops / all.cpu * 1e-9, (long long)cost.rounds, (long long)cost.products, sizes, voxels, ceilings);
    bench_report(ctx, "modes", "the 399 smoothest modes of the graph of 8,488 voxels", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_modes: %s\n", nep_ctx_error(ctx));
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
