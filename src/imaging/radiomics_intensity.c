/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_intensity - moments, order statistics and the histogram of a region. */
#include "imaging/radiomics_parts.h"

#include <string.h>

/* The bits of a float32, so turned that greater values have greater ones; and back. */
static uint32_t key_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u >> 31 ? ~u : u | 0x80000000u;
}

static double value_of(uint32_t key)
{
    const uint32_t u = key >> 31 ? key & 0x7fffffffu : ~key;
    float x;
    memcpy(&x, &u, sizeof x);
    return (double)x;
}

/* Ascending values of the region, which are float32: by radix, a digit that all share is passed over. key [2
 * n] */
static void sort_values(const nep_radiomics_region *r, uint32_t *key, double *sorted)
{
    enum { BITS = 11, DIGITS = 1 << BITS };
    const int64_t n = r->n;
    uint32_t *from = key, *to = key + n;
    for (int64_t i = 0; i < n; i++)
        from[i] = key_of((float)r->value[i]);
    for (int shift = 0; shift < 32; shift += BITS) {
        int64_t place[DIGITS] = {0}, sum = 0;
        for (int64_t i = 0; i < n; i++)
            place[from[i] >> shift & (DIGITS - 1)]++;
        if (place[from[0] >> shift & (DIGITS - 1)] == n)
            continue;
        for (int d = 0; d < DIGITS; d++) {
            const int64_t here = place[d];
            place[d] = sum;
            sum += here;
        }
        for (int64_t i = 0; i < n; i++)
            to[place[from[i] >> shift & (DIGITS - 1)]++] = from[i];
        uint32_t *const spare = from;
        from = to;
        to = spare;
    }
    for (int64_t i = 0; i < n; i++)
        sorted[i] = value_of(from[i]);
}

/* Percentile with straight lines between the order statistics (numpy's default). */
static double percentile(const double *sorted, int64_t n, double p)
{
    const double place = p / 100 * (double)(n - 1);
    const int64_t i = (int64_t)place;
    return i + 1 < n ? sorted[i] + (place - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

static double mean_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double mean_deviation(const double *x, int64_t n, double centre)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += fabs(x[i] - centre);
    return sum / (double)n;
}

/* Of the values from the 10th to the 90th percentile, both among them. */
static double robust_deviation(const double *sorted, int64_t n, double low, double high)
{
    int64_t first = 0, last = n;
    while (first < n && sorted[first] < low)
        first++;
    while (last > first && sorted[last - 1] > high)
        last--;
    return last > first ? mean_deviation(sorted + first, last - first, mean_of(sorted + first, last - first))
                        : (double)NAN;
}

static void moments(const double *x, int64_t n, bool excess, double *out)
{
    const double mean = mean_of(x, n);
    double m2 = 0, m3 = 0, m4 = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = x[i] - mean;
        m2 += d * d;
        m3 += d * d * d;
        m4 += d * d * d * d;
    }
    m2 /= (double)n;
    out[NEP_RADIOMICS_intensity_mean] = mean;
    out[NEP_RADIOMICS_intensity_variance] = m2;
    out[NEP_RADIOMICS_intensity_skewness] = m2 > 0 ? m3 / (double)n / pow(m2, 1.5) : 0;
    out[NEP_RADIOMICS_intensity_kurtosis] = m2 > 0 ? m4 / (double)n / (m2 * m2) - (excess ? 3 : 0) : 0;
    out[NEP_RADIOMICS_intensity_coefficient_of_variation] = sqrt(m2) / mean;
}

static void histogram(const nep_radiomics_region *r, double *out)
{
    int64_t count[NEP_RADIOMICS_LEVELS + 1] = {0};
    double entropy = 0, uniformity = 0;
    for (int64_t i = 0; i < r->n; i++)
        count[r->level[r->at[i]]]++;
    for (int64_t k = 1; k <= r->n_levels; k++) {
        const double p = (double)count[k] / (double)r->n;
        entropy += nep_radiomics_bits(p);
        uniformity += p * p;
    }
    out[NEP_RADIOMICS_histogram_entropy] = entropy;
    out[NEP_RADIOMICS_histogram_uniformity] = uniformity;
}

static void describe(const nep_radiomics_region *r, const nep_radiomics_opts *o, const double *sorted, double *out)
{
    const int64_t n = r->n;
    double energy = 0;
    moments(r->value, n, !o->pyradiomics, out);
    const double median = percentile(sorted, n, 50), p10 = percentile(sorted, n, 10),
                 p90 = percentile(sorted, n, 90);
    const double p25 = percentile(sorted, n, 25), p75 = percentile(sorted, n, 75);
    for (int64_t i = 0; i < n; i++)
        energy += (r->value[i] + o->shift) * (r->value[i] + o->shift);
    out[NEP_RADIOMICS_intensity_median] = median;
    out[NEP_RADIOMICS_intensity_minimum] = sorted[0];
    out[NEP_RADIOMICS_intensity_maximum] = sorted[n - 1];
    out[NEP_RADIOMICS_intensity_range] = sorted[n - 1] - sorted[0];
    out[NEP_RADIOMICS_intensity_percentile_10] = p10;
    out[NEP_RADIOMICS_intensity_percentile_90] = p90;
    out[NEP_RADIOMICS_intensity_interquartile_range] = p75 - p25;
    out[NEP_RADIOMICS_intensity_quartile_coefficient_of_dispersion] = (p75 - p25) / (p75 + p25);
    out[NEP_RADIOMICS_intensity_mean_absolute_deviation] =
        mean_deviation(sorted, n, out[NEP_RADIOMICS_intensity_mean]);
    out[NEP_RADIOMICS_intensity_median_absolute_deviation] = mean_deviation(sorted, n, median);
    out[NEP_RADIOMICS_intensity_robust_mean_absolute_deviation] = robust_deviation(sorted, n, p10, p90);
    out[NEP_RADIOMICS_intensity_energy] = energy;
    out[NEP_RADIOMICS_intensity_total_energy] = energy * r->mm[0] * r->mm[1] * r->mm[2];
    out[NEP_RADIOMICS_intensity_root_mean_square] = sqrt(energy / (double)n);
    histogram(r, out);
}

nep_status nep_radiomics_intensity(nep_ctx *ctx, const nep_radiomics_region *r, const nep_radiomics_opts *o,
                                   double *out)
{
    uint32_t *key = NULL;
    double *sorted = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n, sizeof *sorted, "sorted intensities", &sorted));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * r->n, sizeof *key, "sorted intensities", &key));
    sort_values(r, key, sorted);
    describe(r, o, sorted, out);
done:
    nep_alloc_free(key);
    nep_alloc_free(sorted);
    return st;
}
