/* SPDX-License-Identifier: Apache-2.0 */
/* test_properties - what each measure owes to any data: a table says what it does when voxels change places, time runs backwards, values
 * are scaled and a constant is added. Shapes, missing voxels and values differ from run to run; the seed is printed, NEP_TEST_SEED
 * replays it. Values are multiples of 1/64, so that the changes themselves round nothing. */
#include "support.h"

#include <time.h>

#include <nepenthe/connectome.h>
#include <nepenthe/contrast.h>
#include <nepenthe/glm.h>
#include <nepenthe/local.h>
#include <nepenthe/permute.h>
#include <nepenthe/pet.h>
#include <nepenthe/radiomics.h>
#include <nepenthe/resample.h>

enum { REGIONS = 4, MOST_T = 60, MOST_N = 6 * 6 * 5, ROUNDS = 4 };
static const double tr = 2, factor = 8, added = 64;

static nep_ctx *ctx;
static uint64_t seed;

typedef struct {
    nep_grid grid;
    int64_t n_t, n; /* n = voxels of the grid */
    int32_t label[MOST_N];
    int32_t home[MOST_N]; /* where each voxel lay at first */
    double scale; /* what the values were multiplied by */
    bool backwards;
    uint64_t stream;
} trial;

/* ---- measures: each fills out, in the layout that its row says ---- */

static nep_status parcels(const trial *t, const float *x, nep_parcels_statistic statistic, double *out)
{
    static int32_t id[REGIONS] = {1, 2, 3, 4};
    static char name[REGIONS][2] = {"a", "b", "c", "d"};
    static char *names[REGIONS] = {name[0], name[1], name[2], name[3]};
    int32_t label[MOST_N];
    memcpy(label, t->label, sizeof label);
    const nep_atlas a = {.grid = t->grid, .n_regions = REGIONS, .label = label, .id = id, .names = names};
    const nep_parcels_opts o = {.statistic = statistic};
    nep_parcels *p = NULL;
    nep_status st = nep_parcels_open(ctx, &a, &o, &p);
    if (st == NEP_OK)
        st = nep_parcels_add(p, x, t->n_t, out);
    nep_parcels_free(p);
    return st;
}
#define PARCELS(name, statistic)                                                                                                             \
    static nep_status name(const trial *t, const float *x, double *out) { return parcels(t, x, statistic, out); }
PARCELS(parcels_mean, NEP_PARCELS_MEAN)
PARCELS(parcels_median, NEP_PARCELS_MEDIAN)
PARCELS(parcels_sum, NEP_PARCELS_SUM)
PARCELS(parcels_max, NEP_PARCELS_MAX)
PARCELS(parcels_sd, NEP_PARCELS_SD)
PARCELS(parcels_variance, NEP_PARCELS_VARIANCE)

/* Overlapping maps that add up to 1 in every voxel and go with it. */
static nep_status weighted_maps(const trial *t, const float *x, double *out)
{
    static char name[REGIONS][2] = {"a", "b", "c", "d"};
    static char *names[REGIONS] = {name[0], name[1], name[2], name[3]};
    float weight[REGIONS][MOST_N];
    nep_parcels_maps *p = NULL;
    nep_status st;
    for (int64_t v = 0; v < t->n; v++) {
        double w[REGIONS], sum = 0;
        for (int m = 0; m < REGIONS; m++)
            sum += w[m] = nep_philox_uniform(seed, t->stream + 6, (uint64_t)(t->home[v] * REGIONS + m));
        for (int m = 0; m < REGIONS; m++)
            weight[m][v] = (float)(w[m] / sum);
    }
    NEP_TRY_OR_DONE(st, nep_parcels_maps_open(ctx, &t->grid, REGIONS, names, NULL, &p));
    for (int m = 0; m < REGIONS; m++)
        NEP_TRY_OR_DONE(st, nep_parcels_maps_weights(p, weight[m]));
    st = nep_parcels_maps_add(p, x, t->n_t, out);
done:
    nep_parcels_maps_free(p);
    return st;
}

static nep_status clean(const trial *t, const float *x, nep_clean_definition definition, nep_clean_filter filter, nep_clean_scale scale, double *out)
{
    nep_clean_opts o = NEP_CLEAN_DEFAULTS;
    nep_clean c = {0};
    float y[MOST_T * MOST_N];
    o.tr_s = tr;
    o.filter = filter;
    o.definition = definition;
    o.scale = scale;
    o.detrend = definition < NEP_CLEAN_AFNI;
    o.high_pass_hz = 0.02;
    o.low_pass_hz = filter == NEP_CLEAN_COSINE ? (double)NAN : 0.15;
    nep_status st = nep_clean_build(ctx, t->n_t, NULL, &o, &c);
    if (st == NEP_OK)
        st = nep_clean_apply(ctx, &c, x, t->n, y);
    for (int64_t i = 0; st == NEP_OK && i < t->n_t * t->n; i++)
        out[i] = (double)y[i];
    nep_clean_free(&c);
    return st;
}
#define CLEAN(name, definition, filter, scale)                                                                                               \
    static nep_status name(const trial *t, const float *x, double *out) { return clean(t, x, definition, filter, scale, out); }
CLEAN(clean_band, NEP_CLEAN_NEPENTHE, NEP_CLEAN_BUTTERWORTH, NEP_CLEAN_ZSCORE)
CLEAN(clean_cosine, NEP_CLEAN_NEPENTHE, NEP_CLEAN_COSINE, NEP_CLEAN_UNSCALED)
CLEAN(clean_xcpd, NEP_CLEAN_XCPD, NEP_CLEAN_BUTTERWORTH, NEP_CLEAN_ZSCORE)
CLEAN(clean_afni, NEP_CLEAN_AFNI, NEP_CLEAN_BUTTERWORTH, NEP_CLEAN_UNSCALED)
CLEAN(clean_3dbandpass, NEP_CLEAN_3DBANDPASS, NEP_CLEAN_BUTTERWORTH, NEP_CLEAN_UNSCALED)
CLEAN(clean_fsl, NEP_CLEAN_FSL, NEP_CLEAN_BUTTERWORTH, NEP_CLEAN_UNSCALED)

#define CONNECTIVITY(name, kind)                                                                                                             \
    static nep_status name(const trial *t, const float *x, double *out) { return nep_connectivity(ctx, x, t->n_t, t->n, kind, false, out); }
CONNECTIVITY(pearson, NEP_CONNECTIVITY_PEARSON)
CONNECTIVITY(partial, NEP_CONNECTIVITY_PARTIAL)
CONNECTIVITY(covariance, NEP_CONNECTIVITY_COVARIANCE)
CONNECTIVITY(precision, NEP_CONNECTIVITY_PRECISION)
static nep_status shrunk(const trial *t, const float *x, double *out)
{
    return nep_connectivity_ledoit_wolf(ctx, x, t->n_t, t->n, NEP_CONNECTIVITY_PARTIAL, false, NULL, out);
}

/* Early frames as seen from the mean of early and late ones, wherever they run. */
static nep_status tangent(const trial *t, const float *x, double *out)
{
    static double cov[2 * MOST_T * MOST_T], mean[MOST_T * MOST_T], seen[2 * MOST_T * MOST_T];
    const int64_t half = t->n_t / 2, n = t->n;
    for (int run = 0; run < 2; run++) {
        const int64_t first = (run == 1) != t->backwards ? t->n_t - half : 0;
        NEP_TRY(nep_connectivity(ctx, x + first * n, half, n, NEP_CONNECTIVITY_COVARIANCE, false, cov + run * n * n));
    }
    NEP_TRY(nep_connectivity_tangent(ctx, cov, 2, n, mean, seen));
    memcpy(out, seen, (size_t)(n * n) * sizeof *out);
    return NEP_OK;
}

static nep_status connectome(const trial *t, const float *x, int which, double *out)
{
    const nep_connectome_opts o = {.threshold = 0.25};
    nep_connectome c = {0};
    NEP_TRY(nep_connectome_open(ctx, t->n_t, t->n, false, &c));
    nep_status st = nep_connectome_add(ctx, &c, x, t->n);
    if (st == NEP_OK)
        st = which == 0   ? nep_connectome_pairs(ctx, &c, &o, out, NULL, NULL)
             : which == 1 ? nep_connectome_pairs(ctx, &c, &o, NULL, out, NULL)
             : which == 2 ? nep_connectome_pairs(ctx, &c, &o, NULL, NULL, out)
             : which == 3 ? nep_connectome_strength(ctx, &c, out)
             : which == 4 ? nep_connectome_rms(ctx, &c, out)
                          : nep_connectome_eigenvector(ctx, &c, NULL, out);
    nep_connectome_free(&c);
    return st;
}
#define CONNECTOME(name, which)                                                                                                              \
    static nep_status name(const trial *t, const float *x, double *out) { return connectome(t, x, which, out); }
CONNECTOME(degree, 0)
CONNECTOME(weighted, 1)
CONNECTOME(mean_z, 2)
CONNECTOME(strength, 3)
CONNECTOME(rms, 4)
CONNECTOME(eigenvector, 5)

#define SLOW(name, definition, alff, falff)                                                                                                  \
    static nep_status name(const trial *t, const float *x, double *out)                                                                      \
    {                                                                                                                                        \
        return nep_voxelwise_alff(ctx, x, t->n_t, t->n, tr, 0.02, 0.12, definition, alff, falff);                                            \
    }
SLOW(alff, NEP_VOXELWISE_CANONICAL, out, NULL)
SLOW(falff, NEP_VOXELWISE_CANONICAL, NULL, out)
SLOW(alff_afni, NEP_VOXELWISE_AFNI, out, NULL)
SLOW(falff_afni, NEP_VOXELWISE_AFNI, NULL, out)
SLOW(alff_cpac, NEP_VOXELWISE_CPAC, out, NULL)
SLOW(falff_cpac, NEP_VOXELWISE_CPAC, NULL, out)
SLOW(alff_xcpd, NEP_VOXELWISE_XCPD, out, NULL)
SLOW(alff_conn, NEP_VOXELWISE_CONN, out, NULL)
SLOW(falff_conn, NEP_VOXELWISE_CONN, NULL, out)

static nep_status tsnr(const trial *t, const float *x, double *out)
{
    return nep_voxelwise_tsnr(ctx, x, t->n_t, t->n, out);
}

static nep_status dvars(const trial *t, const float *x, double *out)
{
    double a[3][MOST_T];
    NEP_TRY(nep_quality_dvars(ctx, x, t->n_t, t->n, a[0], a[1], a[2], NULL));
    for (int k = 0; k < 3; k++) { /* the mean over frames knows no direction */
        out[k] = 0;
        for (int64_t i = 1; i < t->n_t; i++)
            out[k] += a[k][i] / (double)(t->n_t - 1);
    }
    return NEP_OK;
}

/* The first six voxels that have all frames as motion. */
static nep_status displacement(const trial *t, const float *x, double *out)
{
    double motion[MOST_T * 6], fd[MOST_T];
    int k = 0;
    for (int64_t v = 0; v < t->n && k < 6; v++) {
        bool whole = true;
        for (int64_t i = 0; i < t->n_t; i++) {
            motion[i * 6 + k] = (double)x[i * t->n + v] / 512;
            whole = whole && isfinite(x[i * t->n + v]);
        }
        k += whole;
    }
    NEP_TRY(nep_quality_fd(ctx, motion, t->n_t, NEP_QUALITY_POWER, (double)NAN, fd));
    out[0] = 0;
    for (int64_t i = 1; i < t->n_t; i++)
        out[0] += fd[i];
    return NEP_OK;
}

static nep_status homogeneity(const trial *t, const float *x, nep_voxelwise_definition definition, double *out)
{
    const int64_t dims[3] = {t->grid.nx, t->grid.ny, t->grid.nz};
    int64_t voxel[MOST_N], tie[MOST_N];
    int32_t near[MOST_N * 27];
    int16_t rank[MOST_N * MOST_T];
    for (int64_t v = 0; v < t->n; v++)
        voxel[v] = v;
    NEP_TRY(nep_local_neighbours(ctx, dims, voxel, t->n, 27, false, near));
    NEP_TRY(nep_local_ranks(ctx, x, t->n_t, t->n, definition, rank, tie));
    return nep_local_reho(ctx, rank, tie, t->n_t, t->n, near, 27, definition, out);
}
static nep_status reho(const trial *t, const float *x, double *out)
{
    return homogeneity(t, x, NEP_VOXELWISE_CANONICAL, out);
}
static nep_status reho_xcpd(const trial *t, const float *x, double *out)
{
    return homogeneity(t, x, NEP_VOXELWISE_XCPD, out);
}

static nep_status local(const trial *t, const float *x, int which, double *out)
{
    float unit[MOST_T * MOST_N];
    bool inside[MOST_N];
    int64_t voxel[MOST_N];
    int32_t mirror[MOST_N];
    double whole;
    for (int64_t v = 0; v < t->n; v++)
        voxel[v] = v;
    NEP_TRY(nep_local_units(ctx, x, t->n_t, t->n, unit, inside));
    if (which == 0)
        return nep_local_gcor(ctx, unit, inside, t->n_t, t->n, out, &whole);
    if (which == 1)
        return nep_local_lcor(ctx, &t->grid, voxel, unit, inside, t->n_t, t->n, 6, NEP_VOXELWISE_CANONICAL, out);
    NEP_TRY(nep_local_mirror(ctx, &t->grid, voxel, t->n, mirror));
    return nep_local_vmhc(ctx, unit, inside, t->n_t, t->n, mirror, NEP_VOXELWISE_CANONICAL, out);
}
#define LOCAL(name, which)                                                                                                                   \
    static nep_status name(const trial *t, const float *x, double *out) { return local(t, x, which, out); }
LOCAL(gcor, 0)
LOCAL(lcor, 1)
LOCAL(vmhc, 2)

/* A design that goes with the frames, wherever they run. */
static void fill_design(const trial *t, double *x)
{
    for (int64_t i = 0; i < t->n_t; i++) {
        const int64_t frame = t->backwards ? t->n_t - 1 - i : i;
        x[i * 2] = 1;
        x[i * 2 + 1] = nep_philox_normal(seed, t->stream + 77, (uint64_t)frame);
    }
}

static nep_status model(const trial *t, const float *x, nep_glm_noise noise, double *out)
{
    static char one[] = "constant", two[] = "task";
    static char *names[2] = {one, two};
    double design[MOST_T * 2];
    const nep_glm_opts o = {noise, NEP_GLM_UNSCALED, false};
    nep_glm_contrast c = {0};
    nep_glm *g = NULL;
    nep_glm_fit fit = {0};
    nep_glm_pool *pool = NULL;
    nep_status st;
    fill_design(t, design);
    const nep_glm_design d = {.n = t->n_t, .p = 2, .x = design, .names = names};
    NEP_TRY_OR_DONE(st, nep_glm_contrast_read(ctx, "task", "task", &d, "the design", &c));
    NEP_TRY_OR_DONE(st, nep_glm_open(ctx, &d, &c, 1, &o, "the design", &g));
    NEP_TRY_OR_DONE(st, nep_glm_run(g, x, t->n, &fit));
    NEP_TRY_OR_DONE(st, nep_glm_pool_open(ctx, &c, 1, t->n, NEP_GLM_PRECISION, &pool));
    NEP_TRY_OR_DONE(st, nep_glm_pool_add(pool, &fit, NULL));
    nep_glm_pool_next(pool, fit.df);
    st = nep_glm_pool_test(pool, 0, NULL, NULL, out, NULL);
done:
    nep_glm_pool_free(pool);
    nep_glm_fit_free(&fit);
    nep_glm_free(g);
    nep_glm_contrast_free(&c);
    return st;
}
static nep_status glm_ols(const trial *t, const float *x, double *out)
{
    return model(t, x, NEP_GLM_OLS, out);
}
static nep_status glm_ar1(const trial *t, const float *x, double *out)
{
    return model(t, x, NEP_GLM_AR1, out);
}

/* Corrected p, frames as people. */
static nep_status permuted(const trial *t, const float *x, double *out)
{
    static char one[] = "constant", two[] = "task";
    static char *const names[2] = {one, two};
    static const double weight[2] = {0, 1};
    double design[MOST_T * 2];
    nep_permute_opts o = NEP_PERMUTE_DEFAULTS;
    nep_permute_result r = {0};
    fill_design(t, design);
    o.n_perm = 60;
    const nep_permute_model m = {.n = t->n_t, .p = 2, .x = design, .columns = names, .contrast = "task", .rows = 1, .weight = weight};
    NEP_TRY(nep_permute_run(ctx, x, t->n, &m, &o, &r));
    memcpy(out, r.p_fwe, (size_t)t->n * sizeof *out);
    nep_permute_free(&r);
    return NEP_OK;
}

/* Frames as people of two groups that go with them. */
static nep_status groups(const trial *t, const float *x, bool corrected, double *out)
{
    const nep_contrast_opts o = {.n_perm = 60};
    nep_contrast_result r = {0};
    bool first[MOST_T];
    for (int64_t i = 0; i < t->n_t; i++) {
        const int64_t frame = t->backwards ? t->n_t - 1 - i : i;
        first[i] = frame % 2 == 0 || nep_philox_uniform(seed, t->stream + 78, (uint64_t)frame) < 0.2;
    }
    NEP_TRY(nep_contrast_groups(ctx, x, t->n_t, t->n, NULL, first, NULL, 0, NULL, &o, &r));
    memcpy(out, corrected ? r.p_fwe : r.g, (size_t)t->n * sizeof *out);
    nep_contrast_free(&r);
    return NEP_OK;
}
static nep_status contrast_g(const trial *t, const float *x, double *out)
{
    return groups(t, x, false, out);
}
static nep_status contrast_p(const trial *t, const float *x, double *out)
{
    return groups(t, x, true, out);
}

static nep_status enhanced(const trial *t, const float *x, double *out)
{
    const int64_t dims[3] = {t->grid.nx, t->grid.ny, t->grid.nz};
    const nep_tfce_opts o = NEP_TFCE_DEFAULTS;
    return nep_tfce_score(ctx, x, dims, &o, out);
}

static nep_status smoothed(const trial *t, const float *x, double *out)
{
    const double fwhm[3] = {6, 6, 6};
    float y[MOST_N];
    NEP_TRY(nep_smooth(ctx, &t->grid, x, fwhm, false, y));
    for (int64_t v = 0; v < t->n; v++)
        out[v] = (double)y[v];
    return NEP_OK;
}

/* 0.4 voxels along x, which its mirror image along y does not see. */
static nep_status resampled(const trial *t, const float *x, double *out)
{
    const nep_resample_opts o = {.interpolation = NEP_RESAMPLE_CONTINUOUS, .outside = NAN, .overshoot = true};
    nep_grid to = t->grid;
    float y[MOST_N];
    to.affine[0][3] += 0.4 * to.affine[0][0];
    NEP_TRY(nep_resample(ctx, &t->grid, x, &to, &o, y));
    for (int64_t v = 0; v < t->n; v++)
        out[v] = (double)y[v];
    return NEP_OK;
}

static nep_status textures(const trial *t, const float *x, double *out)
{
    nep_radiomics_opts o = NEP_RADIOMICS_DEFAULTS;
    float roi[MOST_N];
    o.n_bins = 8;
    for (int64_t v = 0; v < t->n; v++)
        roi[v] = isfinite(x[v]) && t->label[v] > 0;
    return nep_radiomics(ctx, &t->grid, x, roi, &o, out, NULL);
}

static nep_status kinetics(const trial *t, const float *x, nep_pet_model which, double *out)
{
    double start[MOST_T], length[MOST_T], reference[MOST_T], all[MOST_N * 12];
    const nep_pet_frames f = {.n = t->n_t, .start_s = start, .duration_s = length};
    int n = 0;
    for (int64_t i = 0; i < t->n_t; i++) {
        start[i] = 60 * (double)i;
        length[i] = 60;
        reference[i] = t->scale * (90 + 20 * exp(-(double)i / 9));
    }
    nep_pet_parameters(which, &n);
    NEP_TRY(nep_pet_fit(ctx, which, &f, reference, x, t->n, NULL, all));
    for (int64_t v = 0; v < t->n; v++)
        out[v] = all[v * 2 * n];
    return NEP_OK;
}
#define KINETICS(name, which)                                                                                                                \
    static nep_status name(const trial *t, const float *x, double *out) { return kinetics(t, x, which, out); }
KINETICS(suvr, NEP_PET_SUVR)
KINETICS(srtm, NEP_PET_SRTM)
KINETICS(mrtm, NEP_PET_MRTM)
KINETICS(logan, NEP_PET_LOGAN)
KINETICS(patlak, NEP_PET_PATLAK)

/* ---- the table ---- */

typedef enum { FRAMES_REGIONS, FRAMES_VOXELS, VOXELS, PAIRS, NUMBERS } layout;
enum { ANY = 0, MIRROR = 1, NEVER = 2 }; /* which changes of place it bears: any, those of the grid along y */
enum { SAME = 0, ADDS = 1, NO = 2 };     /* what a constant does: nothing, adds itself; no claim */
enum { TURNS = 0 };                      /* backwards: the same, frames in their new order; or NO */
typedef struct {
    const char *name;
    nep_status (*run)(const trial *t, const float *x, double *out);
    layout out;
    int64_t numbers; /* of NUMBERS */
    bool few;        /* on fewer voxels than frames */
    int places, backwards, constant;
    double power;    /* of the factor; NaN = no claim */
    double tolerance; /* of the largest value */
} row;
#define NONE (double)NAN

static const row rows[] = {
    {"parcels mean", parcels_mean, FRAMES_REGIONS, 0, false, ANY, TURNS, ADDS, 1, 1e-9},
    {"parcels median", parcels_median, FRAMES_REGIONS, 0, false, ANY, TURNS, ADDS, 1, 1e-9},
    {"parcels sum", parcels_sum, FRAMES_REGIONS, 0, false, ANY, TURNS, NO, 1, 1e-9},
    {"parcels max", parcels_max, FRAMES_REGIONS, 0, false, ANY, TURNS, ADDS, 1, 1e-9},
    {"parcels sd", parcels_sd, FRAMES_REGIONS, 0, false, ANY, TURNS, SAME, 1, 1e-8},
    {"parcels variance", parcels_variance, FRAMES_REGIONS, 0, false, ANY, TURNS, SAME, 2, 1e-8},
    {"parcels of weighted maps", weighted_maps, FRAMES_REGIONS, 0, false, ANY, TURNS, ADDS, 1, 1e-5},
    {"clean", clean_band, FRAMES_VOXELS, 0, false, ANY, NO, SAME, 0, 2e-5},
    {"clean cosine", clean_cosine, FRAMES_VOXELS, 0, false, ANY, TURNS, SAME, 1, 2e-5},
    {"clean xcpd", clean_xcpd, FRAMES_VOXELS, 0, false, ANY, NO, NO, 0, 2e-5},
    {"clean afni", clean_afni, FRAMES_VOXELS, 0, false, ANY, TURNS, SAME, 1, 2e-4},
    {"clean 3dbandpass", clean_3dbandpass, FRAMES_VOXELS, 0, false, ANY, TURNS, SAME, 1, 2e-5},
    {"clean fsl", clean_fsl, FRAMES_VOXELS, 0, false, ANY, TURNS, SAME, 1, 2e-5},
    {"pearson", pearson, PAIRS, 0, false, ANY, TURNS, SAME, 0, 1e-6},
    {"partial", partial, PAIRS, 0, true, ANY, TURNS, SAME, 0, 1e-6},
    {"covariance", covariance, PAIRS, 0, false, ANY, TURNS, SAME, 2, 1e-6},
    {"precision", precision, PAIRS, 0, true, ANY, TURNS, SAME, -2, 1e-6},
    {"partial, Ledoit-Wolf", shrunk, PAIRS, 0, true, ANY, TURNS, SAME, 0, 1e-6},
    {"tangent", tangent, PAIRS, 0, true, ANY, TURNS, SAME, 0, 1e-5},
    {"degree", degree, VOXELS, 0, false, ANY, TURNS, SAME, 0, 0.05}, /* a pair on the threshold may fall either way */
    {"weighted degree", weighted, VOXELS, 0, false, ANY, TURNS, SAME, 0, 0.05},
    {"mean z", mean_z, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"strength", strength, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"rms", rms, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"eigenvector", eigenvector, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-4},
    {"alff", alff, VOXELS, 0, false, ANY, TURNS, SAME, 1, 1e-5},
    {"falff", falff, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"alff afni", alff_afni, VOXELS, 0, false, ANY, TURNS, SAME, 1, 1e-5},
    {"falff afni", falff_afni, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"alff cpac", alff_cpac, VOXELS, 0, false, ANY, TURNS, SAME, 1, 1e-5},
    {"falff cpac", falff_cpac, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"alff xcpd", alff_xcpd, VOXELS, 0, false, ANY, TURNS, SAME, 1, 1e-5},
    {"alff conn", alff_conn, VOXELS, 0, false, ANY, TURNS, SAME, 1, 1e-5},
    {"falff conn", falff_conn, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"tsnr", tsnr, VOXELS, 0, false, ANY, TURNS, NO, 0, 1e-6},
    {"dvars", dvars, NUMBERS, 3, false, ANY, TURNS, NO, 0, 1e-5},
    {"displacement", displacement, NUMBERS, 1, false, NEVER, TURNS, SAME, 1, 1e-9},
    {"reho", reho, VOXELS, 0, false, MIRROR, TURNS, SAME, 0, 1e-9},
    {"reho xcpd", reho_xcpd, VOXELS, 0, false, MIRROR, TURNS, SAME, 0, 1e-9},
    {"gcor", gcor, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-5},
    {"lcor", lcor, VOXELS, 0, false, MIRROR, TURNS, SAME, 0, 1e-5},
    {"vmhc", vmhc, VOXELS, 0, false, MIRROR, TURNS, SAME, 0, 1e-5},
    {"glm", glm_ols, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-6},
    {"glm ar1", glm_ar1, VOXELS, 0, false, ANY, NO, SAME, 0, 1e-6},
    {"permute", permuted, VOXELS, 0, false, ANY, NO, SAME, 0, 1e-12},
    {"contrast", contrast_g, VOXELS, 0, false, ANY, TURNS, SAME, 0, 1e-6},
    {"contrast p", contrast_p, VOXELS, 0, false, ANY, NO, SAME, 0, 1e-12},
    {"tfce", enhanced, VOXELS, 0, false, MIRROR, NO, NO, 3, 1e-9},
    {"smooth", smoothed, VOXELS, 0, false, MIRROR, NO, ADDS, 1, 1e-6},
    {"resample", resampled, VOXELS, 0, false, MIRROR, NO, ADDS, 1, 1e-5},
    {"radiomics", textures, NUMBERS, NEP_RADIOMICS_COUNT, false, MIRROR, NO, NO, NONE, 1e-9},
    {"suvr", suvr, VOXELS, 0, false, ANY, NO, NO, 0, 1e-9},
    {"srtm", srtm, VOXELS, 0, false, ANY, NO, NO, 0, 1e-6},
    {"mrtm", mrtm, VOXELS, 0, false, ANY, NO, NO, 0, 1e-6},
    {"logan", logan, VOXELS, 0, false, ANY, NO, NO, 0, 1e-6},
    {"patlak", patlak, VOXELS, 0, false, ANY, NO, NO, 0, 1e-6},
};

/* ---- trials ---- */

static int64_t between(uint64_t stream, uint64_t i, int64_t low, int64_t high)
{
    return low + (int64_t)((double)(high - low + 1) * nep_philox_uniform(seed, stream, i));
}

/* A grid symmetric about x = 0, a shared slow wave under the noise, some voxels that miss a frame or all. few: one row of voxels. */
static trial make_trial(uint64_t round, bool few, float *x)
{
    const uint64_t s = 1000 * (round + 1) + few;
    trial t = {.scale = 1, .stream = s};
    t.n_t = between(s, 0, 40, MOST_T);
    t.grid = (nep_grid){.nx = few ? t.n_t / 4 : between(s, 1, 3, 6), .ny = few ? 1 : between(s, 2, 3, 6), .nz = few ? 1 : between(s, 3, 2, 5),
                        .voxel_mm = {3, 3, 3}};
    for (int a = 0; a < 3; a++)
        t.grid.affine[a][a] = 3;
    t.grid.affine[0][3] = -1.5 * (double)(t.grid.nx - 1);
    t.n = t.grid.nx * t.grid.ny * t.grid.nz;
    for (int64_t v = 0; v < t.n; v++) {
        t.label[v] = (int32_t)between(s + 1, (uint64_t)v, 0, REGIONS);
        t.home[v] = (int32_t)v;
        const double share = nep_philox_uniform(seed, s + 2, (uint64_t)v), luck = nep_philox_uniform(seed, s + 3, (uint64_t)v);
        for (int64_t i = 0; i < t.n_t; i++) {
            const double wave = sin(0.3 * (double)i + (double)t.grid.nx), noise = nep_philox_normal(seed, s + 4, (uint64_t)(i * t.n + v));
            x[i * t.n + v] = (float)(rint(64 * (128 + 5 * share * wave + 4 * noise)) / 64);
            if (luck < 0.06 || (luck < 0.1 && i == t.n_t / 3))
                x[i * t.n + v] = NAN;
        }
    }
    return t;
}

/* place[v]: where the voxel that comes to v was. */
static void make_places(const trial *t, bool mirror, int64_t *place)
{
    for (int64_t v = 0; v < t->n; v++)
        place[v] = v;
    if (mirror) {
        const int64_t nx = t->grid.nx, ny = t->grid.ny;
        for (int64_t v = 0; v < t->n; v++)
            place[v] = v % nx + nx * (ny - 1 - v / nx % ny) + v / (nx * ny) * nx * ny;
        return;
    }
    for (int64_t v = t->n - 1; v > 0; v--) {
        const int64_t u = between(t->stream + 5, (uint64_t)v, 0, v), held = place[v];
        place[v] = place[u];
        place[u] = held;
    }
}

static int64_t size_of(const row *r, const trial *t)
{
    return r->out == FRAMES_REGIONS  ? t->n_t * REGIONS
           : r->out == FRAMES_VOXELS ? t->n_t * t->n
           : r->out == PAIRS         ? t->n * t->n
           : r->out == VOXELS        ? t->n
                                     : r->numbers;
}

/* Where entry i of the result comes from once voxels are at `place` (NULL = as they were) and frames perhaps backwards. */
static int64_t source(const row *r, const trial *t, int64_t i, const int64_t *place, bool backwards)
{
    const int64_t width = r->out == FRAMES_REGIONS ? REGIONS : t->n, a = i / width, b = i % width;
    switch (r->out) {
    case FRAMES_REGIONS: return (backwards ? t->n_t - 1 - a : a) * width + b;
    case FRAMES_VOXELS: return (backwards ? t->n_t - 1 - a : a) * width + (place ? place[b] : b);
    case PAIRS: return (place ? place[a] : a) * width + (place ? place[b] : b);
    case VOXELS: return place ? place[i] : i;
    default: return i;
    }
}

static void run_row(const row *r, const trial *t, const float *x, double *out)
{
    const nep_status st = r->run(t, x, out);
    if (st != NEP_OK)
        fail_msg("%s: %s (seed %llu)", r->name, nep_ctx_error(ctx), (unsigned long long)seed);
}

static double *base, *got;

static void compare(const row *r, const trial *t, const char *what, const int64_t *place, bool backwards, double times, double plus)
{
    const int64_t n = size_of(r, t);
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fabs(base[i]) > largest ? fabs(base[i]) : largest;
    for (int64_t i = 0; i < n; i++) {
        const double want = base[source(r, t, i, place, backwards)] * times + plus, bound = r->tolerance * (largest * fabs(times) + fabs(plus));
        if (isnan(want) ? !isnan(got[i]) : !(fabs(got[i] - want) <= bound + 1e-300))
            fail_msg("%s, %s: entry %lld is %.10g, not %.10g (seed %llu)", r->name, what, (long long)i, got[i], want, (unsigned long long)seed);
    }
}

static void check(const row *r, const trial *t, const float *x, float *y)
{
    int64_t place[MOST_N];
    trial moved = *t;
    const int64_t n = t->n, all = t->n_t * n;
    run_row(r, t, x, base);
    if (r->places != NEVER) {
        make_places(t, r->places == MIRROR, place);
        for (int64_t i = 0; i < all; i++)
            y[i] = x[i / n * n + place[i % n]];
        for (int64_t v = 0; v < n; v++) {
            moved.label[v] = t->label[place[v]];
            moved.home[v] = t->home[place[v]];
        }
        run_row(r, &moved, y, got);
        compare(r, t, "voxels at other places", place, false, 1, 0);
    }
    moved = *t;
    if (r->backwards == TURNS) {
        moved.backwards = true;
        for (int64_t i = 0; i < all; i++)
            y[i] = x[(t->n_t - 1 - i / n) * n + i % n];
        run_row(r, &moved, y, got);
        compare(r, t, "time backwards", NULL, true, 1, 0);
        moved.backwards = false;
    }
    if (!isnan(r->power)) {
        moved.scale = factor;
        for (int64_t i = 0; i < all; i++)
            y[i] = (float)factor * x[i];
        run_row(r, &moved, y, got);
        compare(r, t, "values scaled", NULL, false, pow(factor, r->power), 0);
        moved.scale = 1;
    }
    if (r->constant != NO) {
        for (int64_t i = 0; i < all; i++)
            y[i] = x[i] + (float)added;
        run_row(r, &moved, y, got);
        compare(r, t, "a constant added", NULL, false, 1, r->constant == ADDS ? added : 0);
    }
}

static void test_every_measure(void **state)
{
    (void)state;
    static float x[MOST_T * MOST_N], few[MOST_T * MOST_N], y[MOST_T * MOST_N];
    for (uint64_t round = 0; round < ROUNDS; round++) {
        const trial wide = make_trial(round, false, x), narrow = make_trial(round, true, few);
        for (int k = 0; k < NEP_LEN(rows); k++)
            check(&rows[k], rows[k].few ? &narrow : &wide, rows[k].few ? few : x, y);
    }
    assert_int_equal(nep_alloc_used(ctx), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_measure)};
    const char *given = getenv("NEP_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    ctx = test_ctx(2);
    base = malloc(MOST_N * MOST_N * sizeof *base);
    got = malloc(MOST_N * MOST_N * sizeof *got);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(base);
    free(got);
    nep_ctx_free(ctx);
    return failed;
}
