/* SPDX-License-Identifier: Apache-2.0 */
/* occupancy.c - receptor occupancy at a stated or a relative dose. */
#include <math.h>
#include <nepenthe/backend.h>
#include <nepenthe/pharmacology.h>

static double to_nM(double p)
{
    return pow(10.0, 9.0 - p);
}

nep_status nep_occupancy_relative(nep_ctx *ctx, const double *p, const int64_t *drug, int64_t n, double q, double *out)
{
    float *conc = NULL, *kd = NULL, *hill = NULL, *occ = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, q > 0 && q < 1, NEP_E_ARG, "occupancy: the relative dose is %g, must lie between 0 and 1", q);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *conc, "occupancy: concentrations", &conc));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *kd, "occupancy: affinities", &kd));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *hill, "occupancy: Hill coefficients", &hill));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *occ, "occupancy: result", &occ));
    for (int64_t i = 0, j; i < n; i = j) {
        double p_max = NAN;
        for (j = i; j < n && drug[j] == drug[i]; j++)
            if (!isnan(p[j]) && !(p[j] <= p_max))
                p_max = p[j];
        NEP_REQUIRE_OR_DONE(st, ctx, j == n || drug[j] > drug[i], NEP_E_ARG,
                            "occupancy: entries are not sorted by drug at entry %lld", (long long)j);
        for (int64_t k = i; k < j; k++) {
            conc[k] = isnan(p[k]) ? 0.0f : (float)(q / (1.0 - q) * to_nM(p_max));
            kd[k] = isnan(p[k]) ? 1.0f : (float)to_nM(p[k]);
            hill[k] = 1.0f;
        }
    }
    NEP_TRY_OR_DONE(st, nep_backend_occupancy(ctx, conc, kd, hill, n, occ));
    for (int64_t i = 0; i < n; i++)
        out[i] = isnan(p[i]) ? NAN : (double)occ[i];
done:
    nep_alloc_free(occ);
    nep_alloc_free(hill);
    nep_alloc_free(kd);
    nep_alloc_free(conc);
    return st;
}

double nep_occupancy_competed(double conc_nM, double ki_nM, double ligand_ratio, double o_max)
{
    if (!(conc_nM >= 0) || !(ki_nM > 0) || !(ligand_ratio >= 0) || !(o_max >= 0 && o_max <= 1))
        return NAN;
    return o_max * conc_nM / (conc_nM + ki_nM * (1.0 + ligand_ratio));
}
