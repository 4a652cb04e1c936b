/* SPDX-License-Identifier: Apache-2.0 */
/* TFCE: bench_tfce DIR checks one map of 91 x 109 x 91 against what the peers left in DIR (Workbench: the integral; nilearn:
 * 100 steps), then times it whole, in parts of its slices, and within a mask of 230,000 voxels. */
#include "bench.h"

#include <math.h>

#include <nepenthe/imaging.h>

enum { NX = 91, NY = 109, NZ = 91, N = NX * NY * NZ, REPEATS = 5, MASKED = 230000 };

/* Largest difference, of the largest value. */
static double worst_difference(const double *got, const double *want)
{
    double worst = 0.0, most = 0.0;
    for (int v = 0; v < N; v++) {
        const double d = fabs(got[v] - want[v]);
        worst = d <= worst ? worst : d; /* a NaN stays */
        most = fmax(most, fabs(want[v]));
    }
    return worst / most;
}

static nep_status check(nep_ctx *ctx, const float *map, const double *workbench, const double *nilearn, double *out,
                        double *worst)
{
    const int64_t dims[3] = {NX, NY, NZ};
    nep_tfce_opts o = NEP_TFCE_DEFAULTS;
    o.connectivity = 6;
    o.voxel_mm3 = 8;
    NEP_TRY(nep_tfce_score(ctx, map, dims, &o, out));
    *worst = worst_difference(out, workbench);
    o.voxel_mm3 = 1;
    o.steps = 100;
    NEP_TRY(nep_tfce_score(ctx, map, dims, &o, out));
    const double stepped = worst_difference(out, nilearn);
    NEP_REQUIRE(ctx, *worst < 1e-6 && stepped < 1e-6, NEP_E_INTERNAL,
                "tfce: differs from Workbench by %g, from nilearn by %g", *worst, stepped);
    return NEP_OK;
}

/* Enhancement of the voxels inside, scratch kept between runs as a permutation test keeps it. */
static nep_status measure(nep_ctx *ctx, const double *value, int64_t nz, const bool *inside, double *out, bench_time *best)
{
    const int64_t dims[3] = {NX, NY, nz};
    nep_tfce_opts o = NEP_TFCE_DEFAULTS;
    nep_tfce *t = NULL;
    o.connectivity = 6;
    *best = (bench_time){0, 0};
    NEP_TRY(nep_tfce_open(ctx, dims, inside, &o, &t));
    for (int i = 0; i < REPEATS; i++) {
        const bench_time start = bench_now();
        nep_tfce_run(t, value, out);
        bench_keep(best, start);
    }
    nep_tfce_free(t);
    return NEP_OK;
}

/* The MASKED voxels nearest to the middle in an ellipsoid's metric; their values first in `value`. */
static void mask(const float *map, bool *inside, double *value)
{
    double radius = 0.3;
    for (int64_t kept = 0; kept < MASKED; radius += 0.0005) {
        kept = 0;
        for (int v = 0; v < N; v++) {
            const double x = v % NX / (double)NX - 0.5, y = v / NX % NY / (double)NY - 0.5, z = v / (NX * NY) / (double)NZ - 0.5;
            inside[v] = x * x + y * y + z * z <= radius * radius && kept < MASKED;
            if (inside[v])
                value[kept++] = (double)map[v];
        }
    }
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    double *out = NULL, *value = NULL;
    bool *inside = NULL;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0}, masked = {0, 0};
    double worst = 0;

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *map = bench_load(argv[1], "tfce_map.f32", N, sizeof *map);
    double *workbench = bench_load(argv[1], "tfce_workbench.f64", N, sizeof *workbench);
    double *nilearn = bench_load(argv[1], "tfce_nilearn.f64", N, sizeof *nilearn);
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, N, sizeof *out, "scores", &out));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, N, sizeof *value, "values", &value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, N, sizeof *inside, "mask", &inside));
    NEP_TRY_OR_DONE(st, check(ctx, map, workbench, nilearn, out, &worst));
    mask(map, inside, value);
    NEP_TRY_OR_DONE(st, measure(ctx, value, NZ, inside, out, &masked));
    for (int v = 0; v < N; v++)
        value[v] = (double)map[v];
    for (int64_t nz = NZ / 4; nz <= NZ; nz = nz == NZ / 2 ? NZ : 2 * nz) {
        NEP_TRY_OR_DONE(st, measure(ctx, value, nz, NULL, out, &best));
        bench_size(sizes, sizeof sizes, nz * NX * NY, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-6, \"seconds_wall\": %.5f, \"seconds_cpu\": %.5f, "
             "\"masked_seconds_cpu\": %.5f, \"map_bytes\": %d, \"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, masked.cpu, 4 * N, sizes, ceilings);
    bench_report(ctx, "tfce", "TFCE of a map of 91x109x91, both signs, 6 neighbours: exact, one thread (the peer: 100 steps)",
                 fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_tfce: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(inside);
    nep_alloc_free(value);
    nep_alloc_free(out);
    free(nilearn);
    free(workbench);
    free(map);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
