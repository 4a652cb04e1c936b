/* SPDX-License-Identifier: Apache-2.0 */
/* exposure.c - GATE: does the drug reach the brain, as measured where it was, else by the CNS rules on given descriptors? */
#include "channels.h"
#include "tables_make.h"

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

static const double full = 6.0; /* the scale of CNS MPO, which verdicts read */

/* Inverse-variance mean of the rows with a log BB; false when there is none. */
static bool pool(const nep_tables_one *one, int64_t k, double *mean, double *error)
{
    double sum = 0, weights = 0;
    for (int64_t i = one->start[k]; i < one->start[k + 1]; i++) {
        const nep_tables_row *r = &one->rows[i];
        const double se = r->se > 0 ? r->se : NEP_TABLES_BBB_SE;
        if (isnan(r->value))
            continue;
        sum += r->value / (se * se);
        weights += 1 / (se * se);
    }
    *mean = sum / weights;
    *error = sqrt(1 / weights);
    return weights > 0;
}

static double class_probability(const nep_tables_row *r)
{
    return r->hit > 0.5 ? NEP_TABLES_BBB_CLASS : 1 - NEP_TABLES_BBB_CLASS;
}

/* 6 times the probability that log BB reaches NEP_TABLES_BBB: of a normal about the pooled log BB, or, without any, the mean of
 * what the classes say. */
nep_status nep_exposure_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs)
{
    (void)ctx;
    for (int64_t k = 0; k < n_pairs; k++) {
        const int64_t n = one->start[k + 1] - one->start[k];
        double mean, error, p = 0;
        if (n == 0)
            continue;
        if (pool(one, k, &mean, &error)) {
            const double z = (mean - NEP_TABLES_BBB) / error;
            one->value[k] = full * 0.5 * erfc(-z * 0.70710678118654752440);
            one->se[k] = full * exp(-z * z / 2) * 0.39894228040143267794; /* the slope on log BB times its error */
            continue;
        }
        for (int64_t i = one->start[k]; i < one->start[k + 1]; i++)
            p += class_probability(&one->rows[i]) / (double)n;
        one->value[k] = full * p;
        one->se[k] = full * sqrt(p * (1 - p) / (double)n);
    }
    return NEP_OK;
}

static bool measured(const nep_inputs *in, int64_t k)
{
    const nep_tables_one *one = nep_tables_get(in, NEP_TABLES_EXPOSURE);
    return one && !isnan(one->value[k]);
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value,
                        double *se)
{
    (void)ctx;
    (void)visible;
    (void)stream;
    for (int64_t k = 0; k < in->n_drugs; k++) {
        if (measured(in, k)) {
            value[k] = nep_tables_get(in, NEP_TABLES_EXPOSURE)->value[k];
            se[k] = nep_tables_get(in, NEP_TABLES_EXPOSURE)->se[k];
            continue;
        }
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

/* Each row's part of the measured value: by its weight among the log BBs, or its own class. */
static void explain_measured(const nep_inputs *in, int64_t k, int limit, nep_reason *out, int *n)
{
    const nep_tables_one *one = nep_tables_get(in, NEP_TABLES_EXPOSURE);
    double mean, error;
    nep_reason r;
    const bool numbers = pool(one, k, &mean, &error);
    for (int64_t i = one->start[k]; i < one->start[k + 1]; i++) {
        const nep_tables_row *row = &one->rows[i];
        const double se = row->se > 0 ? row->se : NEP_TABLES_BBB_SE;
        if (numbers && isnan(row->value))
            continue;
        if (numbers)
            nep_tables_reason(row, one->value[k] * error * error / (se * se), &r, "measured log BB %.2f", row->value);
        else
            nep_tables_reason(row, full * class_probability(row) / (double)(one->start[k + 1] - one->start[k]), &r, "measured BBB%c",
                              row->hit > 0.5 ? '+' : '-');
        nep_tables_keep_reason(&r, limit, out, n);
    }
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                          nep_reason *out, int *n)
{
    int used;
    (void)ctx;
    (void)visible;
    if (measured(in, drug)) {
        explain_measured(in, drug, limit, out, n);
        return NEP_OK;
    }
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
    .summary = "6 times the probability that log BB is at least -1 where the blood-brain ratio (or its class, taken as 90 % right) was "
               "measured, else CNS multiparameter optimisation, 0 to 6, from given descriptors; below 2 gates, below 4 is flagged",
    .source = "Wager et al. (2010) ACS Chem Neurosci 1:435, doi:10.1021/cn100008c; (2016) 7:767, "
              "doi:10.1021/acschemneuro.6b00029; threshold of log BB: Meng et al. (2021) Sci Data 8:289, doi:10.1038/s41597-021-01069-5",
    .orientation = "larger is likelier to reach the brain",
    .licence = "that of the drug table of the study, and of each row of the evidence table cns_exposure",
    .role = NEP_ROLE_GATE,
    .needs = NEP_NEEDS_DESCRIPTORS,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
