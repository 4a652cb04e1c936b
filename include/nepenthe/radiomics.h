/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics - intensity, shape and texture of a region of an image, as the Image Biomarker Standardisation Initiative defines them.
 *
 * What it is not: nothing is resampled or resegmented here, and no file is read. All of it runs on the host: a region has too few
 * voxels for a device. Where PyRadiomics differs its own rules are a definition (src/imaging/README.md).
 */
#ifndef NEPENTHE_RADIOMICS_H
#define NEPENTHE_RADIOMICS_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Name and IBSI code ("-" where IBSI has none). */
#define NEP_RADIOMICS_LIST(X)                                                                                         \
    X(intensity_mean, "Q4LE")                                                                                         \
    X(intensity_variance, "ECT3")                                                                                     \
    X(intensity_skewness, "KE2A")                                                                                     \
    X(intensity_kurtosis, "IPH6")                                                                                     \
    X(intensity_median, "Y12H")                                                                                       \
    X(intensity_minimum, "1GSF")                                                                                      \
    X(intensity_percentile_10, "QG58")                                                                                \
    X(intensity_percentile_90, "8DWT")                                                                                \
    X(intensity_maximum, "84IY")                                                                                      \
    X(intensity_interquartile_range, "SALO")                                                                          \
    X(intensity_range, "2OJQ")                                                                                        \
    X(intensity_mean_absolute_deviation, "4FUA")                                                                      \
    X(intensity_robust_mean_absolute_deviation, "1128")                                                               \
    X(intensity_median_absolute_deviation, "N72L")                                                                    \
    X(intensity_coefficient_of_variation, "7TET")                                                                     \
    X(intensity_quartile_coefficient_of_dispersion, "9S40")                                                           \
    X(intensity_energy, "N8CA")                                                                                       \
    X(intensity_total_energy, "-")                                                                                    \
    X(intensity_root_mean_square, "5ZWQ")                                                                             \
    X(histogram_entropy, "TLU2")                                                                                      \
    X(histogram_uniformity, "BJ5W")                                                                                   \
    X(shape_mesh_volume, "RNU0")                                                                                      \
    X(shape_voxel_volume, "YEKZ")                                                                                     \
    X(shape_surface_area, "C0JK")                                                                                     \
    X(shape_surface_volume_ratio, "2PR5")                                                                             \
    X(shape_compactness_1, "SKGS")                                                                                    \
    X(shape_compactness_2, "BQWJ")                                                                                    \
    X(shape_spherical_disproportion, "KRCK")                                                                          \
    X(shape_sphericity, "QCFX")                                                                                       \
    X(shape_asphericity, "25C7")                                                                                      \
    X(shape_center_of_mass_shift, "KLMA")                                                                             \
    X(shape_maximum_3d_diameter, "L0JK")                                                                              \
    X(shape_major_axis_length, "TDIC")                                                                                \
    X(shape_minor_axis_length, "P9VJ")                                                                                \
    X(shape_least_axis_length, "7J51")                                                                                \
    X(shape_elongation, "Q3CK")                                                                                       \
    X(shape_flatness, "N17B")                                                                                         \
    X(glcm_joint_maximum, "GYBY")                                                                                     \
    X(glcm_joint_average, "60VM")                                                                                     \
    X(glcm_joint_variance, "UR99")                                                                                    \
    X(glcm_joint_entropy, "TU9B")                                                                                     \
    X(glcm_difference_average, "TF7R")                                                                                \
    X(glcm_difference_variance, "D3YU")                                                                               \
    X(glcm_difference_entropy, "NTRS")                                                                                \
    X(glcm_sum_average, "ZGXS")                                                                                       \
    X(glcm_sum_variance, "OEEB")                                                                                      \
    X(glcm_sum_entropy, "P6QZ")                                                                                       \
    X(glcm_angular_second_moment, "8ZQL")                                                                             \
    X(glcm_contrast, "ACUI")                                                                                          \
    X(glcm_inverse_difference, "IB1Z")                                                                                \
    X(glcm_normalised_inverse_difference, "NDRX")                                                                     \
    X(glcm_inverse_difference_moment, "WF0Z")                                                                         \
    X(glcm_normalised_inverse_difference_moment, "1QCO")                                                              \
    X(glcm_inverse_variance, "E8JP")                                                                                  \
    X(glcm_correlation, "NI2N")                                                                                       \
    X(glcm_autocorrelation, "QWB0")                                                                                   \
    X(glcm_cluster_tendency, "DG8W")                                                                                  \
    X(glcm_cluster_shade, "7NFM")                                                                                     \
    X(glcm_cluster_prominence, "AE86")                                                                                \
    X(glcm_information_correlation_1, "R8DG")                                                                         \
    X(glcm_information_correlation_2, "JN9H")                                                                         \
    X(glcm_maximal_correlation_coefficient, "-")                                                                      \
    NEP_RADIOMICS_SIZES(X, glrlm, run, short_run, long_run, "22OV", "W4KF", "V3SW", "G3QZ", "HTZT", "GD3A", "IVPO",   \
                        "3KUM", "R5YN", "OVBL", "W92Y", "IC23", "9ZK5", "8CE5", "SXLW", "HJ9O")                      \
    NEP_RADIOMICS_SIZES(X, glszm, zone, small_zone, large_zone, "P001", "48P8", "XMSY", "5GN9", "5RAI", "HW1V",       \
                        "YH51", "J17V", "JNSA", "Y1RO", "4JP3", "VB3A", "P30P", "BYLV", "3NSA", "GU8N")              \
    NEP_RADIOMICS_SIZES(X, gldm, dependence, small_dependence, large_dependence, "SODN", "IMOQ", "TL9H", "OAE7",      \
                        "EQ3F", "JA6D", "NBZI", "9QMG", "FP8K", "5SPA", "Z87G", "OKJI", "6XV8", "1PFV", "DNX2",      \
                        "FCBV")                                                                                       \
    X(gldm_dependence_energy, "CAS9")                                                                                 \
    X(ngtdm_coarseness, "QCDE")                                                                                       \
    X(ngtdm_contrast, "65HE")                                                                                         \
    X(ngtdm_busyness, "NQ30")                                                                                         \
    X(ngtdm_complexity, "HDEZ")                                                                                       \
    X(ngtdm_strength, "1X9X")

/* The sixteen features of a matrix of grey level by size. */
#define NEP_RADIOMICS_SIZES(X, m, size, little, large, a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q)                \
    X(m##_##little##_emphasis, a)                                                                                     \
    X(m##_##large##_emphasis, b)                                                                                      \
    X(m##_low_grey_level_emphasis, c)                                                                                 \
    X(m##_high_grey_level_emphasis, d)                                                                                \
    X(m##_##little##_low_grey_level_emphasis, e)                                                                      \
    X(m##_##little##_high_grey_level_emphasis, f)                                                                     \
    X(m##_##large##_low_grey_level_emphasis, g)                                                                       \
    X(m##_##large##_high_grey_level_emphasis, h)                                                                      \
    X(m##_grey_level_non_uniformity, i)                                                                               \
    X(m##_normalised_grey_level_non_uniformity, j)                                                                    \
    X(m##_##size##_non_uniformity, k)                                                                                 \
    X(m##_normalised_##size##_non_uniformity, l)                                                                      \
    X(m##_##size##_percentage, n)                                                                                     \
    X(m##_grey_level_variance, o)                                                                                     \
    X(m##_##size##_variance, p)                                                                                       \
    X(m##_##size##_entropy, q)

typedef enum {
#define NEP_X(name, code) NEP_RADIOMICS_##name,
    NEP_RADIOMICS_LIST(NEP_X)
#undef NEP_X
    NEP_RADIOMICS_COUNT
} nep_radiomics_feature;

/* "glcm_contrast" and "ACUI". */
const char *nep_radiomics_name(int feature);
const char *nep_radiomics_code(int feature);

typedef struct {
    double bin_width;   /* grey levels of this width, above 0; NaN = n_bins levels between minimum and maximum */
    int64_t n_bins;     /* 2 .. 1024 */
    bool merge;         /* one matrix over all directions for glcm and glrlm; else the mean over the 13 matrices' features */
    bool pyradiomics;   /* bins from multiples of the width, kurtosis not in excess, its mesh, axes over n */
    double shift;       /* added before energy and root mean square (PyRadiomics' voxelArrayShift) */
} nep_radiomics_opts;

#define NEP_RADIOMICS_DEFAULTS {.bin_width = (double)NAN, .n_bins = 64}

/* Features of the voxels of `roi` [voxels] != 0, float32 image x [voxels] on grid g; voxels that are not finite are outside.
 *
 * opts  may be NULL (NEP_RADIOMICS_DEFAULTS)
 * out   float64 [NEP_RADIOMICS_COUNT]; a feature that is not defined for this region is NaN; *levels gets the number of grey
 *       levels, may be NULL
 *
 * Distances are in mm along the image's axes. Cost: about 300 flops per voxel, and levels^2 per direction.
 * Errors: NEP_E_FORMAT (no voxel in the region), NEP_E_ARG (bins; more than 1024 levels come out).
 * Source: Zwanenburg et al. (2020) doi:10.1148/radiol.2020191145, reference manual arXiv:1612.07003; Lorensen & Cline (1987)
 * doi:10.1145/37402.37422 for the mesh. */
NEP_MUST_USE nep_status nep_radiomics(nep_ctx *ctx, const nep_grid *g, const float *x, const float *roi,
                                      const nep_radiomics_opts *opts, double *out, int64_t *levels);

#ifdef __cplusplus
}
#endif
#endif
