/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_ngtdm - how far each voxel's grey level is from the mean of its neighbours in the region. */
#include "imaging/radiomics_parts.h"

/* Voxels with a neighbour, by level: their number and the sum of their distances. */
static double count(const nep_radiomics_region *r, double *n, double *s)
{
    double all = 0;
    for (int64_t k = 0; k < r->n; k++) {
        const int64_t at = r->at[k];
        int near = 0, sum = 0;
        for (int d = 0; d < NEP_RADIOMICS_DIRECTIONS; d++) {
            const int a = r->level[at + r->step[d]], b = r->level[at - r->step[d]];
            near += (a > 0) + (b > 0);
            sum += a + b;
        }
        if (near == 0)
            continue;
        n[r->level[at]]++;
        s[r->level[at]] += fabs((double)r->level[at] - (double)sum / near);
        all++;
    }
    return all;
}

nep_status nep_radiomics_ngtdm(nep_ctx *ctx, const nep_radiomics_region *r, double *out)
{
    double *p = NULL, *s, ps = 0, sum_s = 0, spread = 0, busy = 0, complexity = 0, strength = 0;
    int64_t present = 0;
    NEP_TRY(nep_alloc(ctx, 2 * (r->n_levels + 1), sizeof *p, "neighbourhood differences", &p));
    s = p + r->n_levels + 1;
    const double all = count(r, p, s);
    for (int64_t i = 1; i <= r->n_levels; i++) {
        p[i] = all > 0 ? p[i] / all : 0;
        present += p[i] > 0;
        ps += p[i] * s[i];
        sum_s += s[i];
    }
    for (int64_t i = 1; i <= r->n_levels; i++)
        for (int64_t j = 1; j <= r->n_levels; j++) {
            const double d = (double)(i - j);
            if (!(p[i] > 0 && p[j] > 0))
                continue;
            spread += p[i] * p[j] * d * d;
            busy += fabs((double)i * p[i] - (double)j * p[j]);
            complexity += fabs(d) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j]);
            strength += (p[i] + p[j]) * d * d;
        }
    if (all > 0) {
        const double levels = (double)present;
        out[NEP_RADIOMICS_ngtdm_coarseness] =
            ps > 0 ? fmin(1 / ps, 1e6) : 1e6; /* IBSI: 10^6 stands for no difference at all */
        out[NEP_RADIOMICS_ngtdm_contrast] = present > 1 ? spread / (levels * (levels - 1)) * sum_s / all : 0;
        out[NEP_RADIOMICS_ngtdm_busyness] = present > 1 && busy > 0 ? ps / busy : 0;
        out[NEP_RADIOMICS_ngtdm_complexity] = complexity / all;
        out[NEP_RADIOMICS_ngtdm_strength] = sum_s > 0 ? strength / sum_s : 0;
    }
    nep_alloc_free(p);
    return NEP_OK;
}
