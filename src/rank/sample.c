/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - quantiles of draws, and what counts as positive. */
#include "rank/sample.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t rank_sample_sort(double *v, int64_t n)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(v[i]))
            v[m++] = v[i];
    qsort(v, (size_t)m, sizeof *v, nep_order_ascending);
    return m;
}

double rank_sample_quantile(const double *sorted, int64_t n, double q)
{
    if (n < 1)
        return NAN;
    const double at = q * (double)(n - 1);
    const int64_t i = (int64_t)at;
    return i + 1 >= n ? sorted[n - 1] : sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

void rank_sample_positives(const nep_inputs *in, int64_t disorder, signed char *out)
{
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const int64_t at = disorder * in->n_drugs + k;
        const nep_label l = in->labels[at];
        out[k] = nep_label_indicated(l) ? 1 : l == NEP_LABEL_INVESTIGATIONAL && !in->investigational_negative ? SAMPLE_LEFT_OUT : 0;
        if (in->truth && in->truth[at] >= 0)
            out[k] = in->truth[at];
    }
}

void rank_sample_fill(const signed char *pos, double *score, int64_t n, double *scratch)
{
    for (int64_t k = 0; k < n; k++)
        scratch[k] = pos[k] == SAMPLE_LEFT_OUT ? NAN : score[k];
    const int64_t there = rank_sample_sort(scratch, n);
    const double middle = rank_sample_quantile(scratch, there, 0.5);
    for (int64_t k = 0; k < n && there; k++)
        if (isnan(score[k]))
            score[k] = middle;
}

double rank_sample_p(double observed, const double *null, int64_t n)
{
    double mean = 0;
    int64_t m = 0, reached = 0;
    for (int64_t b = 0; b < n; b++)
        if (!isnan(null[b])) {
            mean += null[b];
            m++;
        }
    if (m == 0 || isnan(observed))
        return NAN;
    mean /= (double)m;
    for (int64_t b = 0; b < n; b++)
        reached += !isnan(null[b]) && fabs(null[b] - mean) >= fabs(observed - mean) * (1 - sample_tie);
    return (1.0 + (double)reached) / (1.0 + (double)m);
}

void rank_sample_weights(uint64_t seed, uint64_t stream, int64_t n, int32_t *weight)
{
    memset(weight, 0, (size_t)n * sizeof *weight);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = (int64_t)(nep_philox_uniform(seed, stream, (uint64_t)i) * (double)n);
        weight[at < n ? at : n - 1]++;
    }
}
