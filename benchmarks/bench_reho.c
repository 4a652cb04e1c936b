/* SPDX-License-Identifier: Apache-2.0 */
/* ReHo of 27 neighbours, 300 frames: bench_reho DIR checks a volume of 20 x 20 x 6 with ties against what the peer left in DIR, then
 * times 15, 30 and 61 slices of 61 x 61. */
#include "bench.h"

#include <math.h>

#include <nepenthe/local.h>

enum { T = 300, SIDE = 61, MOST = SIDE * SIDE * SIDE, SIZES = 3, REPEATS = 3, NEAR = 27, CX = 20, CZ = 6, CHECKED = CX * CX * CZ };

typedef struct {
    float *x;
    int64_t *voxel, *tie;
    int16_t *rank;
    int32_t *near;
    double *w;
} work;

static nep_status prepare(nep_ctx *ctx, work *k)
{
    NEP_TRY(nep_alloc(ctx, (int64_t)T * MOST, sizeof *k->x, "series", &k->x));
    NEP_TRY(nep_alloc(ctx, (int64_t)T * MOST, sizeof *k->rank, "ranks", &k->rank));
    NEP_TRY(nep_alloc(ctx, MOST, sizeof *k->voxel, "voxels", &k->voxel));
    NEP_TRY(nep_alloc(ctx, MOST, sizeof *k->tie, "ties", &k->tie));
    NEP_TRY(nep_alloc(ctx, (int64_t)MOST * NEAR, sizeof *k->near, "neighbours", &k->near));
    NEP_TRY(nep_alloc(ctx, MOST, sizeof *k->w, "concordance", &k->w));
    for (int64_t v = 0; v < MOST; v++)
        k->voxel[v] = v;
    return NEP_OK;
}

static void release(work *k)
{
    void *const parts[] = {k->w, k->near, k->tie, k->voxel, k->rank, k->x};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

/* Everything from series to W. */
static nep_status reho(nep_ctx *ctx, work *k, const float *x, const int64_t dims[3])
{
    const int64_t n = dims[0] * dims[1] * dims[2];
    NEP_TRY(nep_local_neighbours(ctx, dims, k->voxel, n, NEAR, false, k->near));
    NEP_TRY(nep_local_ranks(ctx, x, T, n, NEP_VOXELWISE_CANONICAL, k->rank, k->tie));
    return nep_local_reho(ctx, k->rank, k->tie, T, n, k->near, NEAR, NEP_VOXELWISE_CANONICAL, k->w);
}

static nep_status check(nep_ctx *ctx, work *k, const float *x, const double *want, double *worst)
{
    NEP_TRY(reho(ctx, k, x, (int64_t[3]){CX, CX, CZ}));
    for (int v = 0; v < CHECKED; v++) {
        const double d = fabs(k->w[v] - want[v]);
        *worst = d <= *worst ? *worst : d; /* a NaN stays */
    }
    NEP_REQUIRE(ctx, *worst < 1e-12, NEP_E_INTERNAL, "reho: differs from the peer by %g", *worst);
    return NEP_OK;
}

int main(int argc, char **argv)
{
    static const int64_t slices[SIZES] = {15, 30, SIDE};
    nep_ctx *ctx = NULL;
    work k = {0};
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    bench_time best = {0, 0};
    double worst = 0;

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *few = bench_load(argv[1], "reho_x.f32", (size_t)T * CHECKED, sizeof *few);
    double *want = bench_load(argv[1], "reho_want.f64", CHECKED, sizeof *want);
    NEP_TRY_OR_DONE(st, nep_backend_choose(ctx, "cpu"));
    NEP_TRY_OR_DONE(st, prepare(ctx, &k));
    NEP_TRY_OR_DONE(st, check(ctx, &k, few, want, &worst));
    for (int s = 0; s < SIZES; s++) {
        const int64_t dims[3] = {SIDE, SIDE, slices[s]}, n = SIDE * SIDE * slices[s];
        for (int64_t i = 0; i < T * n; i++) /* what is sorted does not change the time of sorting it */
            k.x[i] = (float)((uint64_t)i * 2654435761u % 4294967291u);
        best = (bench_time){0, 0};
        for (int i = 0; i < REPEATS; i++) {
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, reho(ctx, &k, k.x, dims));
            bench_keep(&best, start);
        }
        bench_size(sizes, sizeof sizes, n, best);
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    /* the least to move: series in, ranks out and in, neighbours out and in, W out */
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-12, \"seconds_wall\": %.4f, \"seconds_cpu\": %.4f, \"moved_gbs\": %.2f, "
             "\"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, best.wall, best.cpu, 1e-9 * MOST * (8.0 * T + 8.0 * NEAR + 8) / best.wall, sizes, ceilings);
    bench_report(ctx, "reho", "ReHo, 27 neighbours, 300 frames x 226981 voxels, ties corrected", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_reho: %s\n", nep_ctx_error(ctx));
    release(&k);
    free(want);
    free(few);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
