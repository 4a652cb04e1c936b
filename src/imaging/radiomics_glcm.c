/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_glcm - co-occurrence of grey levels at a distance of one voxel, in 13 directions, both ways. */
#include "imaging/radiomics_parts.h"

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <string.h>

enum {
    FIRST = NEP_RADIOMICS_glcm_joint_maximum,
    N_FEATURES = NEP_RADIOMICS_glcm_maximal_correlation_coefficient - FIRST + 1
};
#define AT(name) (NEP_RADIOMICS_glcm_##name - FIRST)

/* Symmetric counts [levels, levels] of one direction are added. Their number. */
static double count_pairs(const nep_radiomics_region *r, int64_t step, double *p)
{
    const int64_t n = r->n_levels;
    double pairs = 0;
    for (int64_t k = 0; k < r->n; k++) {
        const int64_t a = r->level[r->at[k]], b = r->level[r->at[k] + step];
        if (b == 0)
            continue;
        p[(a - 1) * n + b - 1]++;
        p[(b - 1) * n + a - 1]++;
        pairs += 2;
    }
    return pairs;
}

/* Second largest singular value of the pair probabilities scaled by their margins: the square root of the
 * second eigenvalue of Q(i, j) = sum_k p(i, k) p(j, k) / (p(i) p(k)). */
static double maximal_correlation(const double *p, int64_t n, const double *margin, double *a, double *w)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++)
        if (margin[i] > 0) {
            int64_t k = 0;
            for (int64_t j = 0; j < n; j++)
                if (margin[j] > 0)
                    a[kept * n + k++] = p[i * n + j] / sqrt(margin[i] * margin[j]);
            kept++;
        }
    if (kept < 2)
        return (double)NAN;
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)kept, a, (lapack_int)n, w) != 0)
        return (double)NAN;
    return fmax(fabs(w[0]), fabs(w[kept - 2])); /* the largest is 1 */
}

/* Margins: p(i), of the difference [0, n) and of the sum [2, 2n]. */
static void margins(const double *p, int64_t n, double *margin, double *difference, double *sum)
{
    memset(margin, 0, (size_t)n * sizeof *margin);
    memset(difference, 0, (size_t)n * sizeof *difference);
    memset(sum, 0, (size_t)(2 * n + 1) * sizeof *sum);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            const double v = p[i * n + j];
            margin[i] += v;
            difference[i > j ? i - j : j - i] += v;
            sum[i + j + 2] += v;
        }
}

static void of_difference(const double *d, int64_t n, double *out)
{
    const double size = (double)n;
    double mean = 0, square = 0;
    for (int64_t k = 0; k < n; k++) {
        const double x = (double)k;
        mean += x * d[k];
        square += x * x * d[k];
        out[AT(difference_entropy)] += nep_radiomics_bits(d[k]);
        out[AT(inverse_difference)] += d[k] / (1 + x);
        out[AT(normalised_inverse_difference)] += d[k] / (1 + x / size);
        out[AT(inverse_difference_moment)] += d[k] / (1 + x * x);
        out[AT(normalised_inverse_difference_moment)] += d[k] / (1 + x * x / (size * size));
        if (k > 0)
            out[AT(inverse_variance)] += d[k] / (x * x);
    }
    out[AT(difference_average)] = mean;
    out[AT(contrast)] = square;
    for (int64_t k = 0; k < n; k++)
        out[AT(difference_variance)] += ((double)k - mean) * ((double)k - mean) * d[k];
}

static void of_sum(const double *s, int64_t n, double *out)
{
    double mean = 0;
    for (int64_t k = 2; k <= 2 * n; k++) {
        mean += (double)k * s[k];
        out[AT(sum_entropy)] += nep_radiomics_bits(s[k]);
    }
    out[AT(sum_average)] = mean;
    for (int64_t k = 2; k <= 2 * n; k++) {
        const double d = (double)k - mean; /* the mean of the sum is twice the mean level */
        out[AT(cluster_tendency)] += d * d * s[k];
        out[AT(cluster_shade)] += d * d * d * s[k];
        out[AT(cluster_prominence)] += d * d * d * d * s[k];
    }
    out[AT(sum_variance)] = out[AT(cluster_tendency)];
}

/* Features of one matrix of probabilities; scratch [n * n + 4 n + 1]. */
static void describe(const double *p, int64_t n, bool pyradiomics, double *scratch, double *out)
{
    double *margin = scratch, *difference = margin + n, *sum = difference + n, *a = sum + 2 * n + 1;
    double mean = 0, variance = 0, joint = 0, one = 0, two = 0, single = 0;
    margins(p, n, margin, difference, sum);
    memset(out, 0, N_FEATURES * sizeof *out);
    of_difference(difference, n, out);
    of_sum(sum, n, out);
    for (int64_t i = 0; i < n; i++) {
        mean += (double)(i + 1) * margin[i];
        single += nep_radiomics_bits(margin[i]);
    }
    for (int64_t i = 0; i < n; i++)
        variance += ((double)(i + 1) - mean) * ((double)(i + 1) - mean) * margin[i];
    for (int64_t i = 0; i < n; i++) {
        if (margin[i] == 0)
            continue;
        for (int64_t j = 0; j < n; j++) {
            const double v = p[i * n + j], apart = margin[i] * margin[j];
            out[AT(joint_maximum)] = fmax(out[AT(joint_maximum)], v);
            out[AT(angular_second_moment)] += v * v;
            out[AT(autocorrelation)] += (double)((i + 1) * (j + 1)) * v;
            joint += nep_radiomics_bits(v);
            if (apart > 0) {
                one -= v * log2(apart);
                two += nep_radiomics_bits(apart);
            }
        }
    }
    out[AT(joint_average)] = mean;
    out[AT(joint_variance)] = variance;
    out[AT(joint_entropy)] = joint;
    out[AT(correlation)] = variance > 0  ? (out[AT(autocorrelation)] - mean * mean) / variance
                           : pyradiomics ? 1
                                         : (double)NAN;
    out[AT(information_correlation_1)] = single > 0 ? (joint - one) / single : pyradiomics ? 0 : (double)NAN;
    out[AT(information_correlation_2)] = sqrt(1 - exp(-2 * fmax(0, two - joint)));
    out[AT(maximal_correlation_coefficient)] =
        maximal_correlation(p, n, margin, a, sum); /* the sum's margin is done with */
    if (isnan(out[AT(maximal_correlation_coefficient)]) && pyradiomics)
        out[AT(maximal_correlation_coefficient)] = 1;
}

/* One matrix over all directions. */
static bool describe_merged(const nep_radiomics_region *r, bool pyradiomics, double *p, double *out)
{
    const int64_t n = r->n_levels, nn = n * n;
    double pairs = 0;
    for (int d = 0; d < NEP_RADIOMICS_DIRECTIONS; d++)
        pairs += count_pairs(r, r->step[d], p);
    for (int64_t i = 0; i < nn && pairs > 0; i++)
        p[i] /= pairs;
    if (pairs > 0)
        describe(p, n, pyradiomics, p + nn, out);
    return pairs > 0;
}

/* A direction without a pair says nothing. */
static bool describe_direction(const nep_radiomics_region *r, int64_t step, bool pyradiomics, double *p,
                               double *out)
{
    const int64_t n = r->n_levels, nn = n * n;
    memset(p, 0, (size_t)nn * sizeof *p);
    const double pairs = count_pairs(r, step, p);
    for (int64_t i = 0; i < nn && pairs > 0; i++)
        p[i] /= pairs;
    if (pairs > 0)
        describe(p, n, pyradiomics, p + nn, out);
    return pairs > 0;
}

nep_status nep_radiomics_glcm(nep_ctx *ctx, const nep_radiomics_region *r, const nep_radiomics_opts *o,
                              double *out)
{
    const int64_t n = r->n_levels, each = 2 * n * n + 4 * n + 1;
    const int threads = o->merge ? 1 : nep_radiomics_threads(ctx, r),
              directions = o->merge ? 1 : NEP_RADIOMICS_DIRECTIONS;
    double *p = NULL, total[N_FEATURES] = {0}, one[NEP_RADIOMICS_DIRECTIONS][N_FEATURES];
    bool any[NEP_RADIOMICS_DIRECTIONS];
    int used = 0;
    NEP_TRY(nep_alloc(ctx, threads * each, sizeof *p, "co-occurrence", &p));
    openblas_set_num_threads(1);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (int d = 0; d < directions; d++) {
        double *const own = p + omp_get_thread_num() * each;
        any[d] = o->merge ? describe_merged(r, o->pyradiomics, own, one[d])
                          : describe_direction(r, r->step[d], o->pyradiomics, own, one[d]);
    }
    for (int d = 0; d < directions; d++) {
        used += any[d];
        for (int k = 0; k < N_FEATURES && any[d]; k++)
            total[k] += one[d][k];
    }
    for (int k = 0; k < N_FEATURES && used; k++)
        out[FIRST + k] = total[k] / used;
    nep_alloc_free(p);
    return NEP_OK;
}
