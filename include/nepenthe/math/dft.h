/* SPDX-License-Identifier: Apache-2.0 */
/* dft - the discrete Fourier transform of a real series as two small matrix products.
 *
 * With s_t = x_t + x_{T-t} and d_t = x_t - x_{T-t} for t = 1..h, h = floor((T - 1) / 2):
 *   Re X_m = x_0 + sum_t s_t cos(2 pi m t / T) + (T even) x_{T/2} (-1)^m,   Im X_m = - sum_t d_t sin(2 pi m t / T),
 * which is half the work of the plain sums. Row 0 of the even part is x_0, rows 1..h are s_t, row h + 1 is x_{T/2}.
 */
#ifndef NEPENTHE_MATH_DFT_H
#define NEPENTHE_MATH_DFT_H

#include <math.h>
#include <stdint.h>

#include <nepenthe/math/hd.h>

/* Bins strictly between the mean and the Nyquist bin. */
NEP_HD int64_t nep_dft_half(int64_t n_t)
{
    return (n_t - 1) / 2;
}

/* Rows of the even part: x_0, s_1..s_h and, for even T, x_{T/2}. */
NEP_HD int64_t nep_dft_even_rows(int64_t n_t)
{
    return n_t / 2 + 1;
}

/* cos or sin of 2 pi m t / T with the angle reduced in integers first. */
NEP_HD double nep_dft_cos(int64_t m, int64_t t, int64_t n_t)
{
    return cos(6.283185307179586476925 * (double)(m * t % n_t) / (double)n_t);
}

/* Likewise the sine. */
NEP_HD double nep_dft_sin(int64_t m, int64_t t, int64_t n_t)
{
    return sin(6.283185307179586476925 * (double)(m * t % n_t) / (double)n_t);
}

/* One-sided amplitude in the unit of the signal: 2 |X_m| / T. */
NEP_HD double nep_dft_amplitude(double re, double im, int64_t n_t)
{
    return 2.0 * sqrt(re * re + im * im) / (double)n_t;
}

#endif
