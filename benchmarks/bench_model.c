/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchical logistic regression of 1,538 drugs x 17 disorders, 18 channels, 4 nuisances: bench_model DIR checks one refit without bounds
 * against what the peer left in DIR, then times 125, 500 and 2,000 bootstrap refits over drugs and disorders, bounds kept. */
#include "bench.h"

#include <math.h>

#include <nepenthe/model.h>

enum { DRUGS = 1538, DISORDERS = 17, N = DRUGS * DISORDERS, CHANNELS = 18, NUISANCES = 4, MOST = 2000 };
enum { GLOBALS = 2 * CHANNELS + NUISANCES, LOCALS = 1 + CHANNELS, WANT = GLOBALS + DISORDERS * LOCALS };

typedef struct {
    double prior[DISORDERS], sigma[CHANNELS];
    signed char *y;
    int32_t *group, *unit, *drugs, *disorders; /* draws */
    nep_hierarchical_data data;
    nep_hierarchical_opts opts;
} problem;

static nep_status set_up(nep_ctx *ctx, const double *x, const double *z, const double *y, const double *draw, problem *p)
{
    NEP_TRY(nep_alloc(ctx, N, sizeof *p->y, "labels", &p->y));
    NEP_TRY(nep_alloc(ctx, N, sizeof *p->group, "groups", &p->group));
    NEP_TRY(nep_alloc(ctx, N, sizeof *p->unit, "drugs", &p->unit));
    NEP_TRY(nep_alloc(ctx, (int64_t)MOST * DRUGS, sizeof *p->drugs, "draws", &p->drugs));
    NEP_TRY(nep_alloc(ctx, (int64_t)MOST * DISORDERS, sizeof *p->disorders, "draws", &p->disorders));
    for (int64_t i = 0; i < N; i++) {
        p->y[i] = (signed char)y[i];
        p->group[i] = (int32_t)(i / DRUGS);
        p->unit[i] = (int32_t)(i % DRUGS);
    }
    for (int j = 0; j < DISORDERS; j++) {
        p->prior[j] = 0.5;
        p->disorders[j] = 1; /* the first draw is the peer's, of all disorders */
    }
    for (int c = 0; c < CHANNELS; c++)
        p->sigma[c] = 0.15;
    for (int i = 0; i < DRUGS; i++)
        p->drugs[i] = (int32_t)draw[i];
    p->data = (nep_hierarchical_data){.n = N, .groups = DISORDERS, .channels = CHANNELS, .nuisances = NUISANCES, .x = x, .nuisance = z,
                                      .y = p->y, .group = p->group, .prior = p->prior};
    p->opts = (nep_hierarchical_opts)NEP_HIERARCHICAL_DEFAULTS;
    p->opts.sigma = p->sigma;
    return NEP_OK;
}

/* Refit without bounds against the peer's. */
static nep_status check(nep_ctx *ctx, problem *p, const double *want, double *worst)
{
    static const bool unbounded[CHANNELS] = {false};
    nep_hierarchical *h = NULL;
    nep_hierarchical_draws d = {0};
    nep_status st;
    p->opts.oriented = unbounded;
    NEP_TRY_OR_DONE(st, nep_hierarchical_fit(ctx, &p->data, &p->opts, &h));
    NEP_TRY_OR_DONE(st, nep_hierarchical_bootstrap(ctx, &p->data, &p->opts, h, p->unit, DRUGS, 1, p->drugs, p->disorders, &d));
    *worst = 0;
    for (int g = 0; g < WANT; g++) {
        const double off = fabs((g < GLOBALS ? d.global[g] : d.local[g - GLOBALS]) - want[g]);
        *worst = off <= *worst ? *worst : off; /* a NaN stays */
    }
    NEP_REQUIRE_OR_DONE(st, ctx, *worst < 1e-6, NEP_E_INTERNAL, "model: differs from the peer by %g", *worst);
done:
    p->opts.oriented = NULL;
    nep_hierarchical_draws_free(&d);
    nep_hierarchical_free(h);
    return st;
}

static void draw(problem *p)
{
    memset(p->drugs, 0, (size_t)MOST * DRUGS * sizeof *p->drugs);
    memset(p->disorders, 0, (size_t)MOST * DISORDERS * sizeof *p->disorders);
    for (int64_t b = 0; b < MOST; b++) {
        for (uint64_t i = 0; i < DRUGS; i++)
            p->drugs[b * DRUGS + (int64_t)(nep_philox_uniform(1, (uint64_t)b, i) * DRUGS)]++;
        for (uint64_t i = 0; i < DISORDERS; i++)
            p->disorders[b * DISORDERS + (int64_t)(nep_philox_uniform(2, (uint64_t)b, i) * DISORDERS)]++;
    }
}

/* Multiply-adds of the Gram matrices and of the products with rows, of the refits that were timed. */
static double work_done(const problem *p, const nep_hierarchical_draws *d)
{
    double sum = 0;
    for (int64_t b = 0; b < d->n_boot; b++) {
        int64_t drugs = 0, disorders = 0;
        for (int i = 0; i < DRUGS; i++)
            drugs += p->drugs[b * DRUGS + i] > 0;
        for (int j = 0; j < DISORDERS; j++)
            disorders += p->disorders[b * DISORDERS + j] > 0;
        const double width = 1 + GLOBALS;
        sum += (double)(drugs * disorders * abs(d->steps[b])) * (width * (width + 1) + 4 * width);
    }
    return sum;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    nep_hierarchical *h = NULL;
    nep_hierarchical_draws d = {0};
    problem p = {0};
    bench_time took = {0, 0}, fit = {0, 0};
    double worst = 0, flops = 0, *part[5] = {NULL};
    char fields[1024], ceilings[512], sizes[512] = "";
    int64_t failed = 0;
    nep_status st;

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    const struct {
        const char *name;
        size_t n;
    } files[] = {{"model_x.f64", (size_t)N * CHANNELS}, {"model_z.f64", (size_t)N * NUISANCES}, {"model_y.f64", N}, {"model_draw.f64", DRUGS},
                 {"model_want.f64", WANT}};
    for (int i = 0; i < NEP_LEN(files); i++)
        part[i] = bench_load(argv[1], files[i].name, files[i].n, sizeof(double));
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, set_up(ctx, part[0], part[1], part[2], part[3], &p));
    NEP_TRY_OR_DONE(st, check(ctx, &p, part[4], &worst));
    draw(&p);
    p.opts.sigma = NULL;
    const bench_time start = bench_now();
    NEP_TRY_OR_DONE(st, nep_hierarchical_fit(ctx, &p.data, &p.opts, &h));
    bench_keep(&fit, start);
    for (int64_t n = MOST / 16; n <= MOST; n *= 4) {
        nep_hierarchical_draws_free(&d);
        took = (bench_time){0, 0};
        const bench_time from = bench_now();
        NEP_TRY_OR_DONE(st, nep_hierarchical_bootstrap(ctx, &p.data, &p.opts, h, p.unit, DRUGS, n, p.drugs, p.disorders, &d));
        bench_keep(&took, from);
        bench_size(sizes, sizeof sizes, n, took);
    }
    for (int64_t b = 0; b < MOST; b++)
        failed += d.steps[b] < 0;
    NEP_REQUIRE_OR_DONE(st, ctx, failed == 0, NEP_E_INTERNAL, "model: %lld refits did not converge", (long long)failed);
    flops = work_done(&p, &d);
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-6, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"fit_seconds_wall\": %.4f, "
             "\"fit_seconds_cpu\": %.4f, \"gflops_per_cpu_s\": %.2f, \"size\": \"refits\", \"sizes\": [%s], %s",
             worst, took.wall, took.cpu, fit.wall, fit.cpu, flops / took.cpu * 1e-9, sizes, ceilings);
    bench_report(ctx, "model", "hierarchical logistic regression, 26146 pairs, 18 channels: 2000 bootstrap refits", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_model: %s\n", nep_ctx_error(ctx));
    nep_hierarchical_draws_free(&d);
    nep_hierarchical_free(h);
    nep_alloc_free(p.y);
    nep_alloc_free(p.group);
    nep_alloc_free(p.unit);
    nep_alloc_free(p.drugs);
    nep_alloc_free(p.disorders);
    for (int i = 0; i < NEP_LEN(part); i++)
        free(part[i]);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
