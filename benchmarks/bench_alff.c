/* SPDX-License-Identifier: Apache-2.0 */
/* ALFF of 300 frames by XCP-D's definition: bench_alff DIR checks 500 voxels against what the peer left in DIR, then times 57,000,
 * 114,000 and 228,000. */
#include "bench.h"

#include <math.h>

#include <nepenthe/imaging.h>

enum { T = 300, FEW = 500, MOST = 228000, SIZES = 3, REPEATS = 3, BINS = 42 };

static nep_status alff(nep_ctx *ctx, const float *x, int64_t n, double *out)
{
    return nep_voxelwise_alff(ctx, x, T, n, 2.0, 0.01, 0.08, NEP_VOXELWISE_XCPD, out, NULL);
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *x = NULL;
    double *out = NULL, worst = 0;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *few = bench_load(argv[1], "alff_x.f32", (size_t)T * FEW, sizeof *few);
    double *want = bench_load(argv[1], "alff_want.f64", FEW, sizeof *want);
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)T * MOST, sizeof *x, "series", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, MOST, sizeof *out, "amplitudes", &out));
    NEP_TRY_OR_DONE(st, alff(ctx, few, FEW, out));
    for (int v = 0; v < FEW; v++) {
        const double d = fabs(out[v] / want[v] - 1);
        worst = d <= worst ? worst : d; /* a NaN stays */
    }
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-6, NEP_E_INTERNAL, "alff: differs from the peer by %g", worst);
    for (int k = 0, n = MOST >> (SIZES - 1); k < SIZES; k++, n *= 2) {
        for (int64_t i = 0; i < (int64_t)T * n; i++)
            x[i] = 1000 + 1e-9f * (float)((uint64_t)i * 2654435761u % 4294967291u);
        best = (bench_time){0, 0};
        for (int i = 0; i < REPEATS; i++) {
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, alff(ctx, x, n, out));
            bench_keep(&best, start);
        }
        bench_size(sizes, sizeof sizes, n, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-6, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, 2.0 * T * BINS * MOST / best.cpu * 1e-9, sizes, ceilings);
    bench_report(ctx, "alff", "ALFF (XCP-D's definition), 300 frames x 228000 voxels", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_alff: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(out);
    nep_alloc_free(x);
    free(want);
    free(few);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
