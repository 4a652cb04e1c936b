/* SPDX-License-Identifier: Apache-2.0 */
/* Voxelwise degree: bench_degree DIR checks 2,000 voxels against what the peer left in DIR, then times 5,000 to 40,000 voxels from
 * series to map, beside what OpenBLAS takes for bare matrix products of as many operations as the pairs have. */
#include "bench.h"

#include <math.h>

#include <nepenthe/connectome.h>

enum { T = 300, FEW = 2000, SIZES = 4, LEAST = 5000, TIMED = 20000, PANEL = 1000 };

/* Largest difference of a degree from the peer's. */
static nep_status check(nep_ctx *ctx, const char *dir, double *worst)
{
    float *x = bench_load(dir, "degree_x.f32", (size_t)T * FEW, sizeof *x);
    double *want = bench_load(dir, "degree_want.f64", FEW, sizeof *want), *threshold = bench_load(dir, "degree_threshold.f64", 1, sizeof *threshold);
    double *got = calloc(FEW, sizeof *got);
    nep_connectome c = {0};
    nep_status st;
    NEP_REQUIRE_OR_DONE(st, ctx, got, NEP_E_NOMEM, "degree: no memory for the check");
    NEP_TRY_OR_DONE(st, nep_connectome_open(ctx, T, FEW, false, &c));
    NEP_TRY_OR_DONE(st, nep_connectome_add(ctx, &c, x, FEW));
    NEP_TRY_OR_DONE(st, nep_connectome_pairs(ctx, &c, &(nep_connectome_opts){.threshold = *threshold}, got, NULL, NULL));
    for (int v = 0; v < FEW; v++) {
        const double d = fabs(got[v] - want[v]);
        *worst = d <= *worst ? *worst : d; /* a NaN stays */
    }
done:
    nep_connectome_free(&c);
    free(got);
    free(threshold);
    free(want);
    free(x);
    return st;
}

/* Noise and a part in common with one voxel in eight. */
static void make_series(float *x, int64_t n)
{
    static float common[8 * T];
    for (int64_t i = 0; i < 8 * T; i++)
        common[i] = (float)nep_philox_normal(1, 1, (uint64_t)i);
    for (int64_t t = 0; t < T; t++)
        for (int64_t v = 0; v < n; v++)
            x[t * n + v] = 100 + 0.6f * common[v % 8 * T + t] + (float)nep_philox_normal(1, 2, (uint64_t)(v * T + t));
}

/* From series to map; *beside gets the bytes held at most beside the unit series. */
static nep_status degree(const float *x, int64_t n, double *map, bench_time *best, double *beside)
{
    nep_ctx *ctx = NULL;
    nep_connectome c = {0};
    nep_status st;
    NEP_TRY(nep_ctx_create(NULL, &ctx));
    const bench_time start = bench_now();
    NEP_TRY_OR_DONE(st, nep_connectome_open(ctx, T, n, false, &c));
    NEP_TRY_OR_DONE(st, nep_connectome_add(ctx, &c, x, n));
    NEP_TRY_OR_DONE(st, nep_connectome_pairs(ctx, &c, NULL, map, NULL, NULL));
    bench_keep(best, start);
    *beside = (double)(nep_alloc_peak(ctx) - n * (T * (int64_t)sizeof(float) + (int64_t)sizeof(int64_t)));
done:
    nep_connectome_free(&c);
    nep_ctx_free(ctx);
    return st;
}

/* The time of matrix products with as many operations as n voxels have in their n (n + 1) / 2 pairs: panels of rows times all rows,
 * by OpenBLAS on its own threads, written out as a caller would get them. */
static void bare_products(const float *x, int64_t n, int threads, bench_time *best)
{
    float *out = malloc((size_t)PANEL * (size_t)n * sizeof *out);
    if (!out)
        exit(71);
    memset(out, 0, (size_t)PANEL * (size_t)n * sizeof *out);
    openblas_set_num_threads(threads);
    const bench_time start = bench_now();
    for (int64_t i = 0; i < n; i += 2 * PANEL) /* half of the panels: n even, as many operations as the triangle */
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, PANEL, (blasint)n, T, 1.0f, x + i * T, T, x, T, 0.0f, out, (blasint)n);
    bench_keep(best, start);
    openblas_set_num_threads(1);
    free(out);
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    nep_status st;
    char fields[2048], ceilings[512], sizes[512] = "", memory[256] = "";
    bench_time took = {0, 0}, bare = {0, 0};
    double worst = 0, *map = NULL;
    float *x = NULL;

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, check(ctx, argv[1], &worst));
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 0.5, NEP_E_INTERNAL, "degree: differs from the peer by %g", worst);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)T * (LEAST << (SIZES - 1)), sizeof *x, "series", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, LEAST << (SIZES - 1), sizeof *map, "degrees", &map));
    for (int k = 0; k < SIZES; k++) {
        const int64_t n = (int64_t)LEAST << k;
        bench_time best = {0, 0};
        double beside = 0;
        make_series(x, n);
        for (int i = 0; i < (n > TIMED ? 1 : 2); i++) {
            NEP_TRY_OR_DONE(st, degree(x, n, map, &best, &beside));
            if (n == TIMED)
                bare_products(x, n, nep_ctx_threads(ctx), &bare); /* in turns; whose series they are does not matter to them */
        }
        if (n == TIMED)
            took = best;
        bench_size(sizes, sizeof sizes, n, best);
        const size_t used = strlen(memory);
        snprintf(memory + used, sizeof memory - used, "%s[%lld, %.2f]", used ? ", " : "", (long long)n, beside / 1e6);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 0.5, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"gflop_of_pairs\": %.1f, \"gflop_of_the_square\": %.1f, \"bare_seconds_wall\": %.4f, \"bare_seconds_cpu\": %.4f, "
             "\"size\": \"voxels\", \"sizes\": [%s], \"mb_beside_series\": [%s], %s",
             worst, took.wall, took.cpu, 1.0 * T * TIMED * TIMED / took.cpu * 1e-9, 1e-9 * T * TIMED * TIMED, 2e-9 * T * TIMED * TIMED,
             bare.wall, bare.cpu, sizes, memory, ceilings);
    bench_report(ctx, "degree", "degree of 20000 voxels x 300 frames, from series to map", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_degree: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(map);
    nep_alloc_free(x);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
