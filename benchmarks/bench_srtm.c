/* SPDX-License-Identifier: Apache-2.0 */
/* SRTM of 26 frames: bench_srtm DIR checks 200 curves against what the peer left in DIR, who sums the convolution on a fine
 * grid, then times 57,000, 114,000 and 228,000 voxels. */
#include "bench.h"

#include <math.h>

#include <nepenthe/pet.h>

enum { T = 26, FEW = 200, MOST = 228000, SIZES = 3, REPEATS = 3, BASES = 100, WIDTH = 8 };

/* Largest difference of BP_ND, R1 and k2, relative to the larger of the value and 0.1. */
static double worst_difference(const double *got, const double *want)
{
    static const int at[3] = {0, 2, 4};
    double worst = 0.0;
    for (int v = 0; v < FEW; v++)
        for (int p = 0; p < 3; p++) {
            const double d = fabs(got[v * WIDTH + at[p]] - want[v * 3 + p]) / fmax(fabs(want[v * 3 + p]), 0.1);
            worst = d <= worst ? worst : d; /* a NaN stays */
        }
    return worst;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *x = NULL;
    double *out = NULL;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    double *times = bench_load(argv[1], "srtm_frames.f64", 2 * T, sizeof *times);
    double *reference = bench_load(argv[1], "srtm_reference.f64", T, sizeof *reference);
    float *few = bench_load(argv[1], "srtm_x.f32", (size_t)T * FEW, sizeof *few);
    double *want = bench_load(argv[1], "srtm_want.f64", (size_t)FEW * 3, sizeof *want);
    const nep_pet_frames frames = {.n = T, .start_s = times, .duration_s = times + T};
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)T * MOST, sizeof *x, "curves", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)MOST * WIDTH, sizeof *out, "fits", &out));
    NEP_TRY_OR_DONE(st, nep_pet_fit(ctx, NEP_PET_SRTM, &frames, reference, few, FEW, NULL, out));
    const double worst = worst_difference(out, want);
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-3, NEP_E_INTERNAL, "srtm: differs from the peer by %g", worst);
    for (int k = 0, n = MOST >> (SIZES - 1); k < SIZES; k++, n *= 2) {
        for (int64_t t = 0; t < T; t++)
            for (int64_t v = 0; v < n; v++) /* noise of its own for every voxel */
                x[t * n + v] = few[t * FEW + v % FEW] * (float)(1 + 0.01 * nep_philox_normal(7, (uint64_t)t, (uint64_t)v));
        best = (bench_time){0, 0};
        for (int i = 0; i < REPEATS; i++) {
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, nep_pet_fit(ctx, NEP_PET_SRTM, &frames, reference, x, n, NULL, out));
            bench_keep(&best, start);
        }
        bench_size(sizes, sizeof sizes, n, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-3, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, 4.0 * T * BASES * MOST / best.cpu * 1e-9, sizes, ceilings);
    bench_report(ctx, "srtm", "SRTM, 26 frames x 228000 voxels, with standard errors", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_srtm: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(out);
    nep_alloc_free(x);
    free(want);
    free(few);
    free(reference);
    free(times);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
