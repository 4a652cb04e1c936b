/* SPDX-License-Identifier: Apache-2.0 */
/* Pearson connectivity of runs of 1,200 frames: bench_connectivity DIR checks one run of 400 regions against
 * what the peer left in DIR, then times 100 runs of 400 regions, and single runs of 200, 400 and 800. */
#include "bench.h"

#include <math.h>

#include <nepenthe/imaging.h>

enum { T = 1200, REGIONS = 400, MOST = 800, RUNS = 100, KEPT = 10, SIZES = 3, REPEATS = 2 };

static nep_status time_runs(nep_ctx *ctx, const float *x, int64_t regions, int runs, double *out,
                            bench_time *best)
{
    for (int i = 0; i < REPEATS; i++) {
        const bench_time start = bench_now();
        for (int k = 0; k < runs; k++)
            NEP_TRY(nep_connectivity(ctx, x + (k % KEPT) * T * REGIONS, T, regions, NEP_CONNECTIVITY_PEARSON,
                                     false, out));
        bench_keep(best, start);
    }
    return NEP_OK;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *x = NULL;
    double *out = NULL, worst = 0.0;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};
    const int64_t items = (int64_t)KEPT * T * REGIONS; /* ten different runs in turn */

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *one = bench_load(argv[1], "connectivity_x.f32", (size_t)T * REGIONS, sizeof *one);
    double *want = bench_load(argv[1], "connectivity_want.f64", (size_t)REGIONS * REGIONS, sizeof *want);
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, items, sizeof *x, "runs", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)MOST * MOST, sizeof *out, "matrix", &out));
    NEP_TRY_OR_DONE(st, nep_connectivity(ctx, one, T, REGIONS, NEP_CONNECTIVITY_PEARSON, false, out));
    for (int i = 0; i < REGIONS * REGIONS; i++) {
        const double d = fabs(out[i] - want[i]);
        worst = d <= worst ? worst : d; /* a NaN stays */
    }
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-7, NEP_E_INTERNAL, "connectivity: differs from the peer by %g",
                        worst);
    for (int64_t i = 0; i < items; i++)
        x[i] = (float)nep_philox_normal(7, 0, (uint64_t)i);
    for (int k = 0, n = MOST >> (SIZES - 1); k < SIZES; k++, n *= 2) {
        best = (bench_time){0, 0};
        NEP_TRY_OR_DONE(st, time_runs(ctx, x, n, 5, out, &best));
        bench_size(sizes, sizeof sizes, n, (bench_time){best.wall / 5, best.cpu / 5});
    }
    best = (bench_time){0, 0};
    NEP_TRY_OR_DONE(st, time_runs(ctx, x, REGIONS, RUNS, out, &best));
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-7, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, "
             "\"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"regions, one run\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, (double)RUNS * T * REGIONS * (REGIONS + 1) / best.cpu * 1e-9, sizes,
             ceilings);
    bench_report(ctx, "connectivity", "Pearson, 400 regions x 1200 frames x 100 runs", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_connectivity: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(out);
    nep_alloc_free(x);
    free(want);
    free(one);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
