/* SPDX-License-Identifier: Apache-2.0 */
/* Largest |t| of two groups: bench_permute DIR checks t and corrected p of 2,000 voxels against what nilearn left in DIR, then times
 * 1,000 permutations of 100 people x 228,000 voxels, and of parts of them. */
#include "bench.h"

#include <math.h>

#include <nepenthe/permute.h>

enum { PEOPLE = 100, FEW = 2000, MOST = 228000, SIZES = 3, PERMUTATIONS = 1000, REPEATS = 2 };

static nep_status test(nep_ctx *ctx, const double *group, const float *y, int64_t cols, int64_t n_perm, nep_permute_result *r)
{
    static double x[2 * PEOPLE];
    static char one[] = "intercept", two[] = "group";
    static char *const names[] = {one, two};
    static const double weight[] = {0, 1};
    for (int i = 0; i < PEOPLE; i++) {
        x[2 * i] = 1;
        x[2 * i + 1] = group[i];
    }
    const nep_permute_model m = {.n = PEOPLE, .p = 2, .x = x, .columns = names, .contrast = "group", .rows = 1, .weight = weight};
    nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
    o.n_perm = n_perm;
    return nep_permute_run(ctx, y, cols, &m, &o, r);
}

/* Largest difference in t, of the largest; corrected p must meet within the error of two draws. */
static nep_status check(nep_ctx *ctx, const double *group, const float *y, const double *want, double *worst)
{
    enum { DRAWS = 2000 };
    nep_permute_result r = {0};
    double off = 0, most = 0, p_off = 0;
    NEP_TRY(test(ctx, group, y, FEW, DRAWS, &r));
    for (int v = 0; v < FEW; v++) {
        const double p = want[FEW + v], d = fabs(r.stat[v] - want[v]);
        off = d <= off ? off : d; /* a NaN stays */
        most = fmax(most, fabs(want[v]));
        p_off = fmax(p_off, fabs(r.p_fwe[v] - p) / (5 * sqrt(2 * p * (1 - p) / DRAWS) + 2.0 / DRAWS));
    }
    nep_permute_free(&r);
    *worst = off / most;
    NEP_REQUIRE(ctx, *worst < 1e-6 && p_off < 1, NEP_E_INTERNAL, "permute: differs from the peer by %g in t, by %g of what draws allow in p",
                *worst, p_off);
    return NEP_OK;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *y = NULL;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};
    double worst = 0;

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *few = bench_load(argv[1], "permute_y.f32", (size_t)PEOPLE * FEW, sizeof *few);
    double *group = bench_load(argv[1], "permute_group.f64", PEOPLE, sizeof *group);
    double *want = bench_load(argv[1], "permute_t_p.f64", (size_t)2 * FEW, sizeof *want);
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, check(ctx, group, few, want, &worst));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)PEOPLE * MOST, sizeof *y, "people", &y));
    for (int k = 0, n = MOST >> (SIZES - 1); k < SIZES; k++, n *= 2) {
        for (int64_t i = 0; i < PEOPLE; i++)
            for (int64_t v = 0; v < n; v++) /* turned about, so that voxels differ */
                y[i * n + v] = few[(i * 7 + v / FEW) % PEOPLE * FEW + v % FEW];
        best = (bench_time){0, 0};
        for (int i = 0; i < REPEATS; i++) {
            nep_permute_result r = {0};
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, test(ctx, group, y, n, PERMUTATIONS, &r));
            bench_keep(&best, start);
            nep_permute_free(&r);
        }
        bench_size(sizes, sizeof sizes, n, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-6, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, "
             "\"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, 2.0 * PEOPLE * MOST * PERMUTATIONS / best.cpu * 1e-9, sizes, ceilings);
    bench_report(ctx, "permute", "1,000 permutations of 100 people x 228,000 voxels, two groups, p of every voxel, alone and corrected",
                 fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_permute: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(y);
    free(want);
    free(group);
    free(few);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
