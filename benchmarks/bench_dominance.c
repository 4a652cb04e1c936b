/* SPDX-License-Identifier: Apache-2.0 */
/* bench_dominance DIR checks the total dominance of 9 predictors against what the peer left in DIR, then times 19 predictors
 * for 13 maps x (1 + 10,000 surrogates) over 68 regions; beside it, on a slice, one least-squares fit per subset by normal
 * equations in C, which is kinder than the peer's own code. */
#include "bench.h"

#include <math.h>

#include <nepenthe/brainmap.h>

enum { N = 68, P = 19, MAPS = 13, NULLS = 10000, SLICE = 20000, FEW = 9 };

static double x[N * P], maps[MAPS * N];

static void make_data(void)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < P; j++)
            x[i * P + j] =
                nep_philox_normal(1, (uint64_t)j, (uint64_t)i) + 0.8 * nep_philox_normal(1, 99, (uint64_t)i);
        for (int m = 0; m < MAPS; m++)
            maps[m * N + i] = x[i * P + m] + 2.0 * nep_philox_normal(2, (uint64_t)m, (uint64_t)i);
    }
}

/* Adjusted R2 of y on a subset of predictors by Cholesky of the normal equations (columns centred). */
static double fit(const double *centred, const double *y, uint32_t subset)
{
    int pick[P], k = 0;
    double a[P * P], b[P], yy = 0.0, explained = 0.0;
    for (int j = 0; j < P; j++)
        if ((subset >> j) & 1u)
            pick[k++] = j;
    for (int i = 0; i < N; i++)
        yy += y[i] * y[i];
    for (int r = 0; r < k; r++) {
        b[r] = 0.0;
        for (int i = 0; i < N; i++)
            b[r] += centred[i * P + pick[r]] * y[i];
        for (int c = 0; c <= r; c++) {
            double s = 0.0;
            for (int i = 0; i < N; i++)
                s += centred[i * P + pick[r]] * centred[i * P + pick[c]];
            a[r * P + c] = s;
        }
    }
    for (int r = 0; r < k; r++) { /* L z = b, explained = z'z */
        for (int c = 0; c <= r; c++) {
            double s = a[r * P + c];
            for (int t = 0; t < c; t++)
                s -= a[r * P + t] * a[c * P + t];
            a[r * P + c] = r == c ? sqrt(s) : s / a[c * P + c];
        }
        for (int t = 0; t < r; t++)
            b[r] -= a[r * P + t] * b[t];
        b[r] /= a[r * P + r];
        explained += b[r] * b[r];
    }
    return 1.0 - (1.0 - explained / yy) * (N - 1.0) / (N - k - 1.0);
}

static void centre(double *values, int n, int stride)
{
    double mean = 0.0;
    for (int i = 0; i < n; i++)
        mean += values[i * stride] / n;
    for (int i = 0; i < n; i++)
        values[i * stride] -= mean;
}

/* CPU seconds of one fit per subset, over a slice of subsets; *sink keeps the work alive. */
static double time_refits(double *sink)
{
    static double cx[N * P], cy[N];
    memcpy(cx, x, sizeof cx);
    memcpy(cy, maps, sizeof cy);
    for (int j = 0; j < P; j++)
        centre(cx + j, N, P);
    centre(cy, N, 1);
    const double start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
    for (int s = 0; s < SLICE; s++)
        *sink += fit(cx, cy, 1u + (uint32_t)(nep_philox_uniform(3, 0, (uint64_t)s) * ((1u << P) - 1.0)));
    return bench_clock(CLOCK_THREAD_CPUTIME_ID) - start;
}

static nep_status run(nep_ctx *ctx, const nep_nulls *nulls, double *draws, double *out, double *r2,
                      bench_time *forms, bench_time *all)
{
    const bench_time start = bench_now();
    nep_dominance *d = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_dominance_create(ctx, x, N, P, NULL, &d));
    bench_keep(forms, start);
    for (int m = 0; m < MAPS; m++) {
        NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, nulls, maps + m * N, (uint64_t)m, 0, NULLS, draws));
        NEP_TRY_OR_DONE(st, nep_dominance_score(ctx, d, draws, NULLS, out, NULL));
    }
    NEP_TRY_OR_DONE(st, nep_dominance_score(ctx, d, maps, MAPS, out, r2));
    bench_keep(all, start);
done:
    nep_dominance_free(d);
    return st;
}

static nep_status make_nulls(nep_ctx *ctx, nep_nulls **out)
{
    static char names[N][8], hemisphere[N];
    static char *name[N];
    static bool cortex[N];
    static double mm[N][3];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "r%d", i);
        name[i] = names[i];
        hemisphere[i] = i < N / 2 ? 'L' : 'R';
        cortex[i] = true;
        for (int k = 0; k < 3; k++)
            mm[i][k] = 40.0 * nep_philox_normal(5, (uint64_t)k, (uint64_t)i);
    }
    const nep_geometry g = {
        .n_regions = N, .names = name, .hemisphere = hemisphere, .cortex = cortex, .mm = mm};
    return nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN, out);
}

static void keep_worst(double *worst, double got, double want)
{
    const double off = fabs(got - want);
    if (!(off <= *worst)) /* a NaN stays */
        *worst = off;
}

/* Largest difference from the peer's total dominance of FEW predictors, which come from DIR. */
static nep_status check(nep_ctx *ctx, const char *dir, double *worst)
{
    double got[FEW];
    double *px = bench_load(dir, "dominance_x.f64", (size_t)N * FEW, sizeof *px);
    double *py = bench_load(dir, "dominance_y.f64", N, sizeof *py);
    double *want = bench_load(dir, "dominance_want.f64", FEW, sizeof *want);
    nep_dominance *d = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_dominance_create(ctx, px, N, FEW, NULL, &d));
    NEP_TRY_OR_DONE(st, nep_dominance_score(ctx, d, py, 1, got, NULL));
    for (int j = 0; j < FEW; j++)
        keep_worst(worst, got[j], want[j]);
done:
    nep_dominance_free(d);
    free(want);
    free(py);
    free(px);
    return st;
}

/* Seconds that the forms of the first p predictors take, for several p. */
static nep_status time_sizes(nep_ctx *ctx, char *list, size_t room)
{
    static double part[N * P];
    for (int p = P - 6; p <= P; p += 3) {
        bench_time best = {0, 0};
        for (int i = 0; i < N * p; i++)
            part[i] = x[i / p * P + i % p];
        for (int i = 0; i < 3; i++) {
            nep_dominance *d = NULL;
            const bench_time start = bench_now();
            NEP_TRY(nep_dominance_create(ctx, part, N, p, NULL, &d));
            bench_keep(&best, start);
            nep_dominance_free(d);
        }
        bench_size(list, room, p, best);
    }
    return NEP_OK;
}

/* Largest amount by which the parts miss the R2 of one refit with all predictors, by the program and by hand.
 */
static void miss(const double *parts, const double *r2, double *worst)
{
    static double cx[N * P], cy[N];
    memcpy(cx, x, sizeof cx);
    for (int j = 0; j < P; j++)
        centre(cx + j, N, P);
    for (int m = 0; m < MAPS; m++) {
        double sum = 0.0;
        for (int j = 0; j < P; j++)
            sum += parts[m * P + j];
        memcpy(cy, maps + m * N, sizeof cy);
        centre(cy, N, 1);
        keep_worst(worst, sum, r2[m]);
        keep_worst(worst, sum, fit(cx, cy, (1u << P) - 1u));
    }
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    nep_nulls *nulls = NULL;
    double *draws = NULL, *out = NULL, r2[MAPS], worst = 0.0, sink = 0.0;
    bench_time forms = {0, 0}, all = {0, 0};
    nep_status st;
    char fields[1536], ceilings[512], sizes[512] = "";

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    make_data();
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, check(ctx, argv[1], &worst));
    NEP_TRY_OR_DONE(st, time_sizes(ctx, sizes, sizeof sizes));
    NEP_TRY_OR_DONE(st, make_nulls(ctx, &nulls));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NULLS * N, sizeof *draws, "surrogates", &draws));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NULLS * P, sizeof *out, "dominance", &out));
    for (int i = 0; i < 3; i++)
        NEP_TRY_OR_DONE(st, run(ctx, nulls, draws, out, r2, &forms, &all));
    miss(out, r2, &worst);
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-9, NEP_E_INTERNAL, "dominance: the parts miss the whole by %g",
                        worst);
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    const double slice = time_refits(&sink), fits = (double)((1u << P) - 1u) * MAPS * (NULLS + 1);
    const double flops = (double)(1u << P) * (P * P * (3.0 + P / 2.0)) * 2.0;
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-9, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, "
             "\"forms_seconds_cpu\": %.4f, \"forms_gflops_per_cpu_s\": %.2f, \"size\": \"predictors, forms "
             "alone\", "
             "\"sizes\": [%s], \"refits_in_c\": {\"slice_fits\": %d, \"slice_seconds_cpu\": %.4f, "
             "\"extrapolated_cpu_days\": %.2f}, %s",
             worst, all.wall, all.cpu, forms.cpu, flops / forms.cpu * 1e-9, sizes, SLICE, slice,
             slice / SLICE * fits / 86400.0, ceilings);
    bench_report(ctx, "dominance", "13 maps x (1 + 10000 surrogates), 19 predictors, 68 regions",
                 sink < -1e30 ? "" : fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_dominance: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(draws);
    nep_alloc_free(out);
    nep_nulls_free(nulls);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
