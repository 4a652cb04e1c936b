/* SPDX-License-Identifier: Apache-2.0 */
/* tone.c - mode T: a drug that keeps a transmitter in the cleft is an indirect agonist at that transmitter's receptors. */
#include "channels.h"

#include <string.h>

typedef struct {
    const char *source;       /* transporter or degrading enzyme; blocking it raises the transmitter */
    const char *receptors[12]; /* of the transmitter; '+' excites (Gs, Gq, cation channel), '-' inhibits (Gi) */
} family;

/* G-protein coupling as in the IUPHAR/BPS Guide to Pharmacology (Alexander et al. 2021, doi:10.1111/bph.15538). */
#define SEROTONIN "-HTR1A", "-HTR1B", "-HTR1D", "+HTR2A", "+HTR2B", "+HTR2C", "+HTR3A", "+HTR4", "+HTR6", "+HTR7"
#define DOPAMINE  "+DRD1", "-DRD2", "-DRD3", "-DRD4", "+DRD5"
#define NORADRENALINE "+ADRA1A", "+ADRA1B", "+ADRA1D", "-ADRA2A", "-ADRA2B", "-ADRA2C", "+ADRB1", "+ADRB2"
static const family families[] = {
    {"SLC6A4", {SEROTONIN}},
    {"SLC6A3", {DOPAMINE}},
    {"SLC6A2", {NORADRENALINE}},
    {"MAOA", {SEROTONIN}},
    {"MAOB", {DOPAMINE}},
    {"ACHE", {"+CHRM1", "-CHRM2", "+CHRM3", "-CHRM4", "+CHRNA4", "+CHRNA7"}},
    {"SLC6A1", {"+GABRA1", "+GABBR1"}},
};

bool nep_tone_moves(const char *target)
{
    for (int f = 0; f < NEP_LEN(families); f++)
        if (strcmp(families[f].source, target) == 0)
            return true;
    return false;
}

void nep_tone_apply(const nep_inputs *in, const double *blocked, double *a)
{
    for (int64_t t = 0; t < in->n_targets; t++)
        for (int f = 0; f < NEP_LEN(families) && blocked[t] != 0; f++) {
            if (strcmp(families[f].source, in->targets[t]) != 0)
                continue;
            for (int r = 0; r < NEP_LEN(families[f].receptors) && families[f].receptors[r]; r++)
                for (int64_t m = 0; m < in->n_mapped; m++)
                    if (strcmp(families[f].receptors[r] + 1, in->targets[m]) == 0)
                        a[m] += (families[f].receptors[r][0] == '+' ? 1.0 : -1.0) * blocked[t];
        }
}
