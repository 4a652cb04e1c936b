/* SPDX-License-Identifier: Apache-2.0 */
/* First-level model of 300 frames, 11 columns, AR(1) errors: bench_glm DIR checks effect, SE, t and z of the first 1000 voxels
 * against what the peer left in DIR, then times 25,000, 50,000 and 100,000 voxels, from the design to the four values. */
#include "bench.h"

#include <math.h>

#include <nepenthe/glm.h>

enum { T = 300, P = 11, FEW = 1000, MOST = 100000, SIZES = 3, REPEATS = 4, VALUES = 4 };

static nep_status fit(nep_ctx *ctx, const nep_glm_design *d, const nep_glm_contrast *c, const float *y, int64_t n, double *out)
{
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_UNSCALED, false};
    nep_glm *g = NULL;
    nep_glm_fit f = {0};
    nep_glm_pool *pool = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_glm_open(ctx, d, c, 1, &o, "the design", &g));
    NEP_TRY_OR_DONE(st, nep_glm_run(g, y, n, &f));
    NEP_TRY_OR_DONE(st, nep_glm_pool_open(ctx, c, 1, n, NEP_GLM_PRECISION, &pool));
    NEP_TRY_OR_DONE(st, nep_glm_pool_add(pool, &f, NULL));
    nep_glm_pool_next(pool, f.df);
    st = nep_glm_pool_test(pool, 0, out, out + n, out + 2 * n, out + 3 * n);
done:
    nep_glm_pool_free(pool);
    nep_glm_fit_free(&f);
    nep_glm_free(g);
    return st;
}

/* Largest difference, relative to the larger of the value and 1. */
static double worst_difference(const double *got, const double *want)
{
    double worst = 0.0;
    for (int i = 0; i < VALUES * FEW; i++) {
        const double d = fabs(got[i] - want[i]) / fmax(fabs(want[i]), 1);
        worst = d <= worst ? worst : d; /* a NaN stays */
    }
    return worst;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *y = NULL;
    double *out = NULL, weight[P] = {1, -1};
    char name[] = "difference", *columns[P];
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    for (int j = 0; j < P; j++)
        columns[j] = name;
    const nep_glm_design d = {.n = T, .p = P, .x = bench_load(argv[1], "glm_design.f64", T * P, sizeof(double)), .names = columns};
    const nep_glm_contrast c = {.name = name, .rows = 1, .p = P, .weight = weight};
    float *few = bench_load(argv[1], "glm_y.f32", (size_t)T * FEW, sizeof *few);
    double *want = bench_load(argv[1], "glm_want.f64", (size_t)VALUES * FEW, sizeof *want);
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)T * MOST, sizeof *y, "series", &y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)VALUES * MOST, sizeof *out, "values", &out));
    NEP_TRY_OR_DONE(st, fit(ctx, &d, &c, few, FEW, out));
    const double worst = worst_difference(out, want);
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-6, NEP_E_INTERNAL, "glm: differs from the peer by %g", worst);
    for (int k = 0, n = MOST >> (SIZES - 1); k < SIZES; k++, n *= 2) {
        for (int64_t i = 0; i < (int64_t)T * n; i++)
            y[i] = few[i / n * FEW + i % n % FEW];
        best = (bench_time){0, 0};
        for (int i = 0; i < REPEATS; i++) {
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, fit(ctx, &d, &c, y, n, out));
            bench_keep(&best, start);
        }
        bench_size(sizes, sizeof sizes, n, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-6, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, 2.0 * (2 * P + 3) * T * MOST / best.cpu * 1e-9, sizes, ceilings);
    bench_report(ctx, "glm", "GLM, AR(1), 300 frames x 100000 voxels, 11 columns: effect, SE, t, z", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_glm: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(out);
    nep_alloc_free(y);
    free(want);
    free(few);
    free(d.x);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
