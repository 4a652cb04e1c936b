/* SPDX-License-Identifier: Apache-2.0 */
/* bandpass - AFNI's 3dBandpass as an operator: a filter in frequency is a Toeplitz matrix in time. */
#include "imaging/bandpass.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

int64_t nep_bandpass_length(int64_t n)
{
    for (int64_t k = n + n % 2;; k += 2) {
        int64_t rest = k;
        while (rest % 2 == 0)
            rest /= 2;
        if (rest == 1 || rest == 3 || rest == 5 || rest == 15)
            return k;
    }
}

void nep_bandpass_quadratic(const double *b, int64_t n, double *out)
{
    for (int64_t i = 0; i < n * n; i++)
        out[i] = b ? b[i] : i % (n + 1) == 0;
    const double m2 = ((double)n * (double)n - 1) / 12; /* mean of t^2 about the middle: the polynomials are orthogonal */
    double norm[3] = {0};
    for (int64_t t = 0; t < n; t++) {
        const double u = (double)t - (double)(n - 1) / 2, p[3] = {1, u, u * u - m2};
        for (int k = 0; k < 3; k++)
            norm[k] += p[k] * p[k];
    }
    for (int64_t i = 0; i < n; i++) {
        double seen[3] = {0};
        for (int64_t t = 0; t < n; t++) {
            const double u = (double)t - (double)(n - 1) / 2, p[3] = {1, u, u * u - m2};
            for (int k = 0; k < 3; k++)
                seen[k] += out[i * n + t] * p[k] / (norm[k] > 0 ? norm[k] : 1);
        }
        for (int64_t t = 0; t < n; t++) {
            const double u = (double)t - (double)(n - 1) / 2, p[3] = {1, u, u * u - m2};
            for (int k = 0; k < 3; k++)
                out[i * n + t] -= seen[k] * p[k];
        }
    }
}

nep_status nep_bandpass_operator(nep_ctx *ctx, int64_t n, double tr_s, double low_hz, double high_hz, double taper, double *out)
{
    const int64_t size = nep_bandpass_length(n), half = size / 2;
    const int64_t bottom = (int64_t)rint(low_hz * (double)size * tr_s);
    int64_t top = (int64_t)rint(fmin(high_hz * (double)size * tr_s, 1e15));
    double *lag = NULL, *b = NULL;
    nep_status st;
    top = top >= half ? half - 1 : top;
    NEP_REQUIRE(ctx, bottom <= top && top >= 1, NEP_E_ARG,
                "the band %g to %g Hz holds no frequency of %lld frames every %g s, padded to %lld; widen it (steps are %g Hz)", low_hz, high_hz,
                (long long)n, tr_s, (long long)size, 1 / ((double)size * tr_s));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *lag, "band-pass", &lag));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *b, "band-pass", &b));
    for (int64_t d = 0; d < n; d++)
        for (int64_t m = bottom < 1 ? 1 : bottom; m <= top; m++) {
            const double weight = (m == bottom ? taper : 1) * (m == top ? taper : 1);
            lag[d] += 2 * weight / (double)size * cos(2 * pi * (double)((m * d) % size) / (double)size);
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            b[i * n + j] = lag[i > j ? i - j : j - i];
    nep_bandpass_quadratic(b, n, out);
done:
    nep_alloc_free(b);
    nep_alloc_free(lag);
    return st;
}
