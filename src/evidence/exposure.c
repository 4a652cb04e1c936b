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

/* The descriptors that were given; a missing one is left out. */
static void describe(const nep_exposure_input *d, char *text, size_t size)
{
    const struct {
        const char *name;
        double value;
        int decimals;
    } all[] = {{"ClogP", d->clogp, 1}, {"ClogD", d->clogd, 1}, {"MW", d->mw, 0},
               {"TPSA", d->tpsa, 0},   {"HBD", d->hbd, 0},     {"pKa", d->pka, 1}};
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < NEP_LEN(all) && used < size; i++)
        if (!isnan(all[i].value))
            used += (size_t)snprintf(text + used, size - used, "%s%s %.*f", used ? ", " : "", all[i].name, all[i].decimals, all[i].value);
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
    if (used == 6)
        snprintf(out[0].label, sizeof out[0].label, "CNS MPO");
    else
        snprintf(out[0].label, sizeof out[0].label, "CNS MPO from %d of its 6 terms, rescaled to 6", used);
    describe(&d, out[0].detail, sizeof out[0].detail);
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
