/* SPDX-License-Identifier: Apache-2.0 */
/* exposure.c - GATE: would the drug reach the brain, by the CNS rules on given descriptors? */
#include "channels.h"

#include <math.h>
#include <stdio.h>

/* The most basic pKa: column `pka_basic`, or `pka`. */
static double basic_pka(const nep_molset *m, int64_t k)
{
    const double pka = nep_molset_descriptor(m, k, "pka_basic");
    return isnan(pka) ? nep_molset_descriptor(m, k, "pka") : pka;
}

static nep_exposure_input descriptors(const nep_inputs *in, int64_t k)
{
    const nep_molset *m = in->drugs;
    return (nep_exposure_input){
        .clogp = nep_molset_descriptor(m, k, "clogp"), .clogd = nep_molset_descriptor(m, k, "clogd"),
        .mw = nep_molset_descriptor(m, k, "mw"),       .tpsa = nep_molset_descriptor(m, k, "tpsa"),
        .hbd = nep_molset_descriptor(m, k, "hbd"),     .pka = basic_pka(m, k),
    };
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    (void)ctx;
    (void)visible;
    (void)stream;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        const nep_exposure_input d = descriptors(in, k);
        value[k] = nep_exposure_mpo(&d, NULL);
        se[k] = NAN; /* given descriptors carry no error */
    }
    return NEP_OK;
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                          nep_reason *out, int *n)
{
    int used;
    (void)ctx;
    (void)visible;
    const nep_exposure_input d = descriptors(in, drug);
    const double mpo = nep_exposure_mpo(&d, &used);
    if (isnan(mpo) || limit < 1)
        return NEP_OK;
    snprintf(out[0].label, sizeof out[0].label, used == 6 ? "CNS MPO" : "CNS MPO%d-of-6 rescaled", used);
    snprintf(out[0].detail, sizeof out[0].detail, "ClogP %.1f, ClogD %.1f, MW %.0f, TPSA %.0f, HBD %.0f, pKa %.1f", d.clogp,
             d.clogd, d.mw, d.tpsa, d.hbd, d.pka);
    out[0].share = mpo;
    *n = 1;
    return NEP_OK;
}

const nep_channel nep_exposure_channel = {
    .name = "exposure",
    .summary = "CNS multiparameter optimisation, 0 to 6, from given descriptors; below 2 gates, below 4 is flagged",
    .source = "Wager et al. (2010) ACS Chem Neurosci 1:435, doi:10.1021/cn100008c; (2016) 7:767, "
              "doi:10.1021/acschemneuro.6b00029",
    .orientation = "larger is likelier to reach the brain",
    .licence = "that of the drug table of the study",
    .role = NEP_ROLE_GATE,
    .needs = NEP_NEEDS_DESCRIPTORS,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
