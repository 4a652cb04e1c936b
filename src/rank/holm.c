/* SPDX-License-Identifier: Apache-2.0 */
/* holm.c - p values adjusted for their number. */
#include <nepenthe/rank.h>

#include <math.h>

void nep_holm_adjust(const double *p, int64_t n, double *out)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        m += !isnan(p[i]);
    for (int64_t i = 0; i < n; i++) {
        out[i] = NAN;
        if (isnan(p[i]))
            continue;
        double worst = 0; /* the largest stepped-down value among those not above p[i] */
        for (int64_t j = 0; j < n; j++) {
            if (isnan(p[j]) || p[j] > p[i])
                continue;
            int64_t before = 0;
            for (int64_t k = 0; k < n; k++)
                before += !isnan(p[k]) && (p[k] < p[j] || (p[k] == p[j] && k < j));
            const double stepped = (double)(m - before) * p[j];
            if (p[j] < p[i] || j <= i)
                worst = stepped > worst ? stepped : worst;
        }
        out[i] = worst < 1 ? worst : 1;
    }
    for (int64_t i = 0; i < n; i++) /* equal p values share the largest */
        for (int64_t j = 0; j < n; j++)
            if (p[i] == p[j] && out[j] > out[i])
                out[i] = out[j];
}
