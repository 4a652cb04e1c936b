/* SPDX-License-Identifier: Apache-2.0 */
/* occupancy - fraction of receptors bound at equilibrium. */
#ifndef NEPENTHE_MATH_OCCUPANCY_H
#define NEPENTHE_MATH_OCCUPANCY_H

#include <math.h>

#include <nepenthe/math/hd.h>

/* Fraction of receptors bound at equilibrium, in [0, 1].
 *
 *   occ = C^h / (Kd^h + C^h) = 1 / (1 + (Kd / C)^h)
 *
 * conc_nM  free ligand concentration at the receptor, nM, >= 0 (0 gives exactly 0)
 * kd_nM    dissociation constant, nM, > 0
 * hill     Hill coefficient, 1 = no cooperativity, > 0
 *
 * The power is taken in float64, so that both backends round to the same float but for rare last bits. A missing
 * (NaN) argument gives NaN, also beside a concentration of 0.
 * Source: Hill (1910) J Physiol 40:iv-vii.
 */
NEP_HD float nep_occupancy_hill(float conc_nM, float kd_nM, float hill)
{
    if (kd_nM != kd_nM || hill != hill)
        return kd_nM + hill;
    if (conc_nM <= 0.0f)
        return 0.0f;
    return (float)(1.0 / (1.0 + pow((double)kd_nM / (double)conc_nM, (double)hill)));
}

#endif
