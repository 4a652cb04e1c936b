/* SPDX-License-Identifier: Apache-2.0 */
/* fdr - p values adjusted so that a threshold bounds the expected share of false discoveries. */
#include <nepenthe/brainmap.h>

#include <math.h>

void nep_fdr_adjust(const double *p, int64_t n, double *out)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        m += !isnan(p[i]);
    for (int64_t i = 0; i < n; i++) {
        out[i] = (double)NAN;
        for (int64_t j = 0; j < n && !isnan(p[i]); j++) {
            int64_t rank = 0; /* of p[j] among all, the last of equals */
            if (!(p[j] >= p[i]))
                continue;
            for (int64_t k = 0; k < n; k++)
                rank += p[k] <= p[j];
            out[i] = fmin(out[i], fmin(1.0, p[j] * (double)m / (double)rank)); /* fmin takes the number */
        }
    }
}
