/* SPDX-License-Identifier: Apache-2.0 */
/* test_failures - each allocation of each measure fails once: a status, nothing leaked, results as before. */
#include "support.h"

#include <nepenthe/glm.h>
#include <nepenthe/imaging.h>
#include <nepenthe/local.h>
#include <nepenthe/permute.h>

enum { T = 60, N = 6, VOXELS = 24 };

static nep_ctx *ctx;
static float x[T * N], out[T * N];
static double value[T * N];

static nep_status clean_as(nep_clean_definition definition)
{
    static bool keep[T];
    nep_series confounds = {.n_t = T, .n_cols = 2, .data = x};
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    nep_clean c = {0};
    memset(keep, 1, sizeof keep);
    keep[20] = keep[0] = false;
    o.tr_s = 2;
    o.low_pass_hz = 0.1;
    o.high_pass_hz = 0.01;
    o.scale = NEP_CLEAN_PSC;
    o.keep = keep;
    o.definition = definition;
    nep_status st = nep_clean_build(ctx, T, &confounds, &o, &c);
    if (st == NEP_OK)
        st = nep_clean_apply(ctx, &c, x, N, out);
    nep_clean_free(&c);
    return st;
}

static nep_status run_clean(void)
{
    return clean_as(NEP_CLEAN_NEPENTHE);
}

static nep_status run_clean_xcpd(void)
{
    return clean_as(NEP_CLEAN_XCPD);
}

static nep_status run_clean_afni(void)
{
    return clean_as(NEP_CLEAN_AFNI);
}

/* 3dTproject with zeros or straight lines for censored frames, 3dBandpass, fslmaths, two runs at once. */
static nep_status run_clean_peers(void)
{
    static const struct {
        nep_clean_definition definition;
        nep_clean_cenmode cenmode;
        bool censors;
    } ways[] = {{NEP_CLEAN_AFNI, NEP_CLEAN_ZERO, true}, {NEP_CLEAN_AFNI, NEP_CLEAN_NTRP, true}, {NEP_CLEAN_3DBANDPASS, NEP_CLEAN_KILL, false},
                {NEP_CLEAN_FSL, NEP_CLEAN_KILL, false}};
    static const int64_t length[] = {25, 35};
    static bool keep[T];
    nep_series confounds = {.n_t = T, .n_cols = 2, .data = x};
    nep_status st = NEP_OK;
    memset(keep, 1, sizeof keep);
    keep[3] = keep[40] = false;
    for (int i = 0; i < NEP_LEN(ways) && st == NEP_OK; i++) {
        nep_clean_opts o = NEP_CLEAN_DEFAULTS;
        nep_clean_runs r = {0};
        o.tr_s = 2;
        o.low_pass_hz = 0.2;
        o.high_pass_hz = 0.02;
        o.detrend = false;
        o.definition = ways[i].definition;
        o.cenmode = ways[i].cenmode;
        o.keep = ways[i].censors ? keep : NULL;
        st = nep_clean_runs_build(ctx, length, 2, T, &confounds, &o, &r);
        if (st == NEP_OK)
            st = nep_clean_runs_apply(ctx, &r, x, N, out);
        nep_clean_runs_free(&r);
    }
    return st;
}

static nep_status run_parcels(void)
{
    static int32_t label[VOXELS], id[2] = {1, 2};
    static char a[] = "a", b[] = "b";
    static char *names[2] = {a, b};
    const nep_atlas atlas = {.grid = {.nx = VOXELS, .ny = 1, .nz = 1, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}},
                             .n_regions = 2, .label = label, .id = id, .names = names};
    nep_atlas moved = {0};
    nep_parcels *p = NULL;
    for (int v = 0; v < VOXELS; v++)
        label[v] = v % 3;
    nep_status st = nep_parcels_resample(ctx, &atlas, &atlas.grid, &moved);
    if (st == NEP_OK)
        st = nep_parcels_open(ctx, &moved, &(nep_parcels_opts){.nan_as_zero = true}, &p);
    if (st == NEP_OK)
        st = nep_parcels_add(p, x, 2, value);
    nep_parcels_free(p);
    nep_atlas_free(&moved);
    return st;
}

/* One volume whole, one with a hole. */
static nep_status run_weight_maps(void)
{
    static const nep_grid line = {.nx = VOXELS, .ny = 1, .nz = 1, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
    static float w[2][VOXELS], y[2 * VOXELS];
    nep_parcels_maps *p = NULL;
    for (int v = 0; v < VOXELS; v++) {
        w[0][v] = 1;
        w[1][v] = (float)v;
        y[v] = y[VOXELS + v] = (float)(2 + 3 * v);
    }
    y[VOXELS + 5] = NAN;
    nep_status st = nep_parcels_maps_open(ctx, &line, 2, NULL, NULL, &p);
    for (int k = 0; k < 2 && st == NEP_OK; k++)
        st = nep_parcels_maps_weights(p, w[k]);
    if (st == NEP_OK)
        st = nep_parcels_maps_add(p, y, 2, value);
    nep_parcels_maps_free(p);
    return st;
}

static nep_status run_partial(void)
{
    return nep_connectivity(ctx, x, T, N, NEP_CONNECTIVITY_PARTIAL, true, value);
}

static nep_status run_afni(void)
{
    return nep_voxelwise_alff(ctx, x, T, N, 2, 0.01, 0.1, NEP_VOXELWISE_AFNI, value, value + N);
}

static nep_status run_cpac(void)
{
    return nep_voxelwise_alff(ctx, x, T, N, 2, 0.01, 0.1, NEP_VOXELWISE_CPAC, value, value + N);
}

static nep_status run_conn(void)
{
    return nep_voxelwise_alff(ctx, x, T, N, 2, 0.01, 0.1, NEP_VOXELWISE_CONN, value, value + N);
}

static const int64_t places[N] = {0, 1, 2, 3, 4, 5};

static nep_status run_reho(void)
{
    static const int64_t dims[3] = {N, 1, 1};
    int16_t rank[T * N];
    int64_t tie[N];
    int32_t near[N * 7];
    nep_status st = nep_local_neighbours(ctx, dims, places, N, 7, false, near);
    if (st == NEP_OK)
        st = nep_local_ranks(ctx, x, T, N, NEP_VOXELWISE_CANONICAL, rank, tie);
    return st == NEP_OK ? nep_local_reho(ctx, rank, tie, T, N, near, 7, NEP_VOXELWISE_CANONICAL, value) : st;
}

static nep_status run_correlations(void)
{
    const nep_grid g = {.nx = N, .ny = 1, .nz = 1, .affine = {{2, 0, 0, -5}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    bool inside[N];
    int32_t mirror[N];
    double whole;
    nep_status st = nep_local_units(ctx, x, T, N, out, inside);
    if (st == NEP_OK)
        st = nep_local_gcor(ctx, out, inside, T, N, value, &whole);
    if (st == NEP_OK)
        st = nep_local_mirror(ctx, &g, places, N, mirror);
    if (st == NEP_OK)
        st = nep_local_vmhc(ctx, out, inside, T, N, mirror, NEP_VOXELWISE_CANONICAL, value);
    return st == NEP_OK ? nep_local_lcor(ctx, &g, places, out, inside, T, N, 6, NEP_VOXELWISE_CANONICAL, value) : st;
}

static nep_status run_tsnr(void)
{
    return nep_voxelwise_tsnr(ctx, x, T, N, value);
}

static nep_status run_dvars(void)
{
    static float gap[T * N];
    memcpy(gap, x, sizeof gap);
    gap[3] = NAN;
    return nep_quality_dvars(ctx, gap, T, N, value, value + T, value + 2 * T, NULL);
}

static nep_status run_mask(void)
{
    int64_t inside;
    return nep_quality_mask(ctx, x, T * N, out, &inside);
}

static nep_status run_permute(unsigned statistics)
{
    static char a[] = "a", b[] = "b";
    static char *const names[2] = {a, b};
    static double design[2 * T];
    static const double weight[] = {0, 1};
    static const int64_t dims[3] = {N, 1, 1};
    for (int i = 0; i < T; i++) {
        design[2 * i] = 1;
        design[2 * i + 1] = i % 3;
    }
    const nep_permute_model m = {.n = T, .p = 2, .x = design, .columns = names, .contrast = "b", .rows = 1, .weight = weight};
    nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
    nep_permute_result r = {0};
    o.n_perm = 40;
    o.statistics = statistics;
    o.dims = dims;
    o.forming = 0.5;
    o.tail = true;
    nep_status st = nep_permute_run(ctx, x, N, &m, &o, &r);
    if (st == NEP_OK)
        st = nep_permute_fdr(ctx, r.p, N, true, value);
    nep_permute_free(&r);
    return st;
}

static nep_status run_permute_t(void)
{
    return run_permute(NEP_PERMUTE_MAX_T);
}

static nep_status run_permute_maps(void)
{
    return run_permute(15);
}

static nep_status fit_glm(const nep_glm_design *d)
{
    static const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_PERCENT, false};
    nep_glm_contrast c[2] = {{0}};
    nep_glm *g = NULL;
    nep_glm_fit f = {0};
    nep_glm_pool *pool = NULL;
    nep_status st = nep_glm_contrast_read(ctx, "c", "(one + two)/2 - constant", d, "the design", &c[0]);
    if (st == NEP_OK)
        st = nep_glm_contrast_read(ctx, "f", "one; two", d, "the design", &c[1]);
    if (st == NEP_OK)
        st = nep_glm_open(ctx, d, c, 2, &o, "the design", &g);
    if (st == NEP_OK)
        st = nep_glm_run(g, x, N, &f);
    if (st == NEP_OK)
        st = nep_glm_pool_open(ctx, c, 2, N, NEP_GLM_MEAN, &pool);
    if (st == NEP_OK)
        st = nep_glm_pool_add(pool, &f, NULL);
    nep_glm_pool_free(pool);
    nep_glm_fit_free(&f);
    nep_glm_free(g);
    nep_glm_contrast_free(&c[1]);
    nep_glm_contrast_free(&c[0]);
    return st;
}

static nep_status run_glm(void)
{
    static const double onset[4] = {5, 30, 62, 90}, duration[4] = {4, 4, 4, 4};
    static const char *const type[4] = {"one", "two", "one", "two"};
    static const nep_glm_events events = {4, onset, duration, NULL, type};
    nep_glm_timing o = NEP_GLM_TIMING_DEFAULTS;
    nep_glm_design d = {0};
    o.tr_s = 2;
    o.derivatives = 2;
    nep_status st = nep_glm_design_first(ctx, T, &events, NULL, &o, &d);
    if (st == NEP_OK)
        st = fit_glm(&d);
    nep_glm_design_free(&d);
    return st;
}

static void test_every_allocation(void **state)
{
    (void)state;
    static nep_status (*const runs[])(void) = {run_clean,   run_clean_xcpd, run_clean_afni, run_clean_peers, run_parcels, run_weight_maps, run_partial,
                                               run_afni,    run_cpac,       run_tsnr,       run_dvars,   run_mask,        run_permute_t,
                                               run_permute_maps, run_glm,    run_conn,       run_reho,       run_correlations};
    for (int i = 0; i < NEP_LEN(runs); i++) {
        const int64_t before = nep_alloc_used(ctx);
        assert_ok(ctx, runs[i]());
        assert_int_equal(nep_alloc_used(ctx), before);
        nep_status st = NEP_E_NOMEM;
        int64_t k = 0;
        for (; st != NEP_OK; k++) {
            nep_alloc_fail_at(ctx, k);
            st = runs[i]();
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            assert_true(st == NEP_OK || nep_ctx_error(ctx)[0]);
            assert_int_equal(nep_alloc_used(ctx), before);
            nep_ctx_clear(ctx);
            assert_true(k < 1000);
        }
        assert_true(k > 1); /* at least one allocation did fail */
    }
}

int main(void)
{
    ctx = test_ctx(2);
    for (int i = 0; i < T * N; i++)
        x[i] = (float)(100 + 20 * (i % N) + nep_philox_normal(9, 9, (uint64_t)i));
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
