/* SPDX-License-Identifier: Apache-2.0 */
/* Radiomics of one region: bench_radiomics DIR checks twelve features of an ellipsoid against what the peer
 * left in DIR, then times it, and ellipsoids of an eighth and of eight times its voxels. */
#include "bench.h"

#include <math.h>

#include <nepenthe/radiomics.h>

enum { NX = 96, NY = 96, NZ = 64, VOXELS = NX * NY * NZ, CHECKED = 12, REPEATS = 5, SIZES = 3 };

static const int checked[CHECKED] = {
    NEP_RADIOMICS_intensity_mean,
    NEP_RADIOMICS_shape_mesh_volume,
    NEP_RADIOMICS_shape_surface_area,
    NEP_RADIOMICS_shape_maximum_3d_diameter,
    NEP_RADIOMICS_glcm_contrast,
    NEP_RADIOMICS_glcm_maximal_correlation_coefficient,
    NEP_RADIOMICS_glcm_information_correlation_2,
    NEP_RADIOMICS_glrlm_run_entropy,
    NEP_RADIOMICS_glszm_zone_entropy,
    NEP_RADIOMICS_gldm_dependence_variance,
    NEP_RADIOMICS_ngtdm_complexity,
    NEP_RADIOMICS_ngtdm_strength,
};

/* The peer's ellipsoid with its axes times `scale`, where the image ends its own edge. */
static int64_t make_region(double scale, float *roi)
{
    int64_t n = 0;
    for (int64_t v = 0; v < VOXELS; v++) {
        const double i = ((double)(v % NX) - 47.5) / (25 * scale),
                     j = ((double)(v / NX % NY) - 47.5) / (21 * scale),
                     k = ((double)(v / (NX * NY)) - 31.5) / (15 * scale);
        roi[v] = i * i + j * j + k * k < 1;
        n += roi[v] > 0;
    }
    return n;
}

/* Level reads that the families cannot do without: pairs, run ends, zones, dependences, differences, corners
 * of cubes. */
static double bytes_read(int64_t voxels)
{
    return (13 + 26 + 26 + 26 + 26 + 8) * 2.0 * (double)voxels;
}

int main(int argc, char **argv)
{
    nep_ctx *ctx = NULL;
    float *other = NULL;
    nep_status st;
    char fields[1024], ceilings[512], sizes[512] = "";
    double out[NEP_RADIOMICS_COUNT], worst = 0.0;
    bench_time own = {0, 0};
    int64_t voxels = 0;

    if (argc != 2 || nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 64;
    float *x = bench_load(argv[1], "radiomics_x.f32", VOXELS, sizeof *x);
    float *roi = bench_load(argv[1], "radiomics_roi.f32", VOXELS, sizeof *roi);
    double *want = bench_load(argv[1], "radiomics_want.f64", CHECKED, sizeof *want);
    const nep_grid g = {.nx = NX, .ny = NY, .nz = NZ, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1.5, 0}}};
    const nep_radiomics_opts opts = {.bin_width = 25, .pyradiomics = true};
    NEP_TRY_OR_DONE(st, nep_radiomics(ctx, &g, x, roi, &opts, out, NULL));
    for (int k = 0; k < CHECKED; k++) {
        const double off = fabs(out[checked[k]] - want[k]) / fabs(want[k]);
        worst = off <= worst ? worst : off; /* a NaN stays */
    }
    NEP_REQUIRE_OR_DONE(st, ctx, worst < 1e-9, NEP_E_INTERNAL, "radiomics: differs from the peer by %g",
                        worst);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, VOXELS, sizeof *other, "region", &other));
    for (int k = 0; k < SIZES; k++) {
        const int64_t n = make_region(k == 0 ? 0.5 : k == 1 ? 1 : 1.9, other);
        bench_time best = {0, 0};
        for (int i = 0; i < REPEATS; i++) {
            const bench_time start = bench_now();
            NEP_TRY_OR_DONE(st, nep_radiomics(ctx, &g, x, other, &opts, out, NULL));
            bench_keep(&best, start);
        }
        bench_size(sizes, sizeof sizes, n, best);
        if (k == 1) {
            own = best;
            voxels = n;
        }
    }
    bench_ceilings_json(ctx, ceilings, sizeof ceilings);
    snprintf(fields, sizeof fields,
             "\"check\": %.2g, \"check_tolerance\": 1e-9, \"seconds_wall\": %.5f, \"seconds_cpu\": %.5f, "
             "\"read_gbs\": %.3f, "
             "\"size\": \"voxels\", \"sizes\": [%s], %s",
             worst, own.wall, own.cpu, bytes_read(voxels) / own.wall * 1e-9, sizes, ceilings);
    bench_report(ctx, "radiomics", "116 features of an ellipsoid of 33,000 voxels", fields);
done:
    if (st != NEP_OK)
        fprintf(stderr, "bench_radiomics: %s\n", nep_ctx_error(ctx));
    nep_alloc_free(other);
    free(want);
    free(roi);
    free(x);
    nep_ctx_free(ctx);
    return st == NEP_OK ? 0 : nep_status_exit(st);
}
