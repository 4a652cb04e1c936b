/* SPDX-License-Identifier: Apache-2.0 */
/* Confound regression and band-pass of 300 frames, 36 confounds: bench_clean DIR checks the first 1000
 * columns against what the peer left in DIR, then times 25,000, 50,000 and 100,000 columns, building of the
 * operator included. */
#include "bench.h"

#include <math.h>

#include <nepenthe/imaging.h>

enum { T = 300, K = 36, FEW = 1000, MOST = 100000, SIZES = 3, REPEATS = 4 };

static nep_status clean(nep_ctx *ctx, const nep_series *confounds, const float *x, int64_t n, float *out)
{
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    nep_clean c = {0};
    nep_status st;
    o.tr_s = 2.0;
    o.high_pass_hz = 0.01;
    o.low_pass_hz = 0.08;
    NEP_TRY_OR_DONE(st, nep_clean_build(ctx, T, confounds, &o, &c));
    st = nep_clean_apply(ctx, &c, x, n, out);
done:
    nep_clean_free(&c);
    return st;
}

/* Largest difference from the peer's float64 answer, whose columns have a standard deviation of 1. */
static double worst_difference(const float *got, const double *want)
{
    double worst = 0.0;
    for (int64_t i = 0; i < (int64_t)T * FEW; i++) {
        const double d = fabs((double)got[i] - want[i]);
        worst = d <= worst ? worst : d; /* a NaN stays */
    }
    return worst;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *x = NULL, *out = NULL;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *few = bench_load(argv[1], "clean_x.f32", (size_t)T * FEW, sizeof *few);
    double *want = bench_load(argv[1], "clean_want.f64", (size_t)T * FEW, sizeof *want);
    const nep_series confounds = {
        .n_t = T,
        .n_cols = K,
        .tr_s = 2.0,
        .data = bench_load(argv[1], "clean_confounds.f32", (size_t)T * K, sizeof(float))};
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)T * MOST, sizeof *x, "series", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)T * MOST, sizeof *out, "cleaned series", &out));
    NEP_TRY_OR_DONE(st, clean(ctx, &confounds, few, FEW, out));
    const double worst = worst_difference(out, want);
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-5, NEP_E_INTERNAL, "clean: differs from the peer by %g", worst);
    for (int64_t i = 0; i < (int64_t)T * MOST; i++)
        x[i] = few[i % ((int64_t)T * FEW)];
    for (int k = 0, n = MOST >> (SIZES - 1); k < SIZES; k++, n *= 2) {
        best = (bench_time){0, 0};
        for (int i = 0; i < REPEATS; i++) {
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, clean(ctx, &confounds, x, n, out));
            bench_keep(&best, start);
        }
        bench_size(sizes, sizeof sizes, n, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-5, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, "
             "\"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"columns\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, 2.0 * T * T * MOST / best.cpu * 1e-9, sizes, ceilings);
    bench_report(
        ctx, "clean",
        "300 frames x 100000 columns, 36 confounds, detrending, Butterworth 0.01 to 0.08 Hz, z-scored",
        fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_clean: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(out);
    nep_alloc_free(x);
    free(confounds.data);
    free(want);
    free(few);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
