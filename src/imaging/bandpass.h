/* SPDX-License-Identifier: Apache-2.0 */
/* bandpass - AFNI's 3dBandpass as an operator, which its ALFF, C-PAC's and one way of cleaning share. */
#ifndef NEP_IMAGING_BANDPASS_H
#define NEP_IMAGING_BANDPASS_H

#include <nepenthe/core.h>

/* The frames to which n are padded: the next even 2^a, 3 2^a, 5 2^a or 15 2^a (csfft_nextup_one35). */
int64_t nep_bandpass_length(int64_t n);

/* out [n, n]: the quadratic goes, then frequencies outside the band of the padded series; the bins at its ends count by `taper`, 0
 * and the Nyquist frequency never. Errors: NEP_E_ARG (no bin in the band), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_bandpass_operator(nep_ctx *ctx, int64_t n, double tr_s, double low_hz, double high_hz, double taper, double *out);

/* out [n, n] = b less its projection on 1, t, t^2 from the right: first the quadratic goes, then b. b NULL = identity. */
void nep_bandpass_quadratic(const double *b, int64_t n, double *out);

#endif
