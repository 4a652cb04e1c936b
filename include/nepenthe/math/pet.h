/* SPDX-License-Identifier: Apache-2.0 */
/* pet.h - one step of a convolution with an exponential, and its derivative. */
#ifndef NEP_MATH_PET_H
#define NEP_MATH_PET_H

#include <math.h>

/* What a step of length h needs for one rate: decay e^(-z), z = rate h, and the moments
 *   m0 = int_0^1 e^(-z (1 - s)) ds = (1 - e^(-z)) / z,   m1 = int_0^1 s e^(-z (1 - s)) ds = (1 - m0) / z,
 *   m2 = int_0^1 s^2 e^(-z (1 - s)) ds = (1 - 2 m1) / z. */
typedef struct {
    double decay, m0, m1, m2;
} nep_pet_step;

/* Below z = 0.05 the differences cancel; the series of order 7 there errs by less than 1e-15. */
static inline nep_pet_step nep_pet_step_make(double z)
{
    nep_pet_step s;
    if (z < 0.05) { /* m_k = sum_j (-z)^j k! / (k + j + 1)!, by Horner from j = 7 */
        double a = 1, b = 1, c = 1;
        for (int j = 7; j > 0; j--) {
            a = 1 - z / (j + 1) * a;
            b = 1 - z / (j + 2) * b;
            c = 1 - z / (j + 3) * c;
        }
        s.m0 = a;
        s.m1 = b / 2;
        s.m2 = c / 3;
        s.decay = 1 - z * s.m0;
    } else {
        s.decay = exp(-z);
        s.m0 = (1 - s.decay) / z;
        s.m1 = (1 - s.m0) / z;
        s.m2 = (1 - 2 * s.m1) / z;
    }
    return s;
}

/* B(t) = int_0^t c(u) e^(-rate (t - u)) du over a step of length h in which c runs straight from c0 to c1. */
static inline double nep_pet_step_value(const nep_pet_step *s, double h, double c0, double c1, double before)
{
    return s->decay * before + h * (c0 * (s->m0 - s->m1) + c1 * s->m1);
}

/* Its derivative by the rate. d m_k / dz = -(m_k - m_(k+1)), since int s^k (1 - s) e^(-z(1-s)) ds = m_k - m_(k+1). */
static inline double nep_pet_step_slope(const nep_pet_step *s, double h, double c0, double c1, double before,
                                        double slope_before)
{
    const double d0 = -(s->m0 - s->m1), d1 = -(s->m1 - s->m2);
    return s->decay * (slope_before - h * before) + h * h * (c0 * (d0 - d1) + c1 * d1);
}

#endif
