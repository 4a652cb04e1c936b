/* SPDX-License-Identifier: Apache-2.0 */
/* pet_linear - the models that are one weighted regression: SUVR, MRTM, MRTM2, Logan and Patlak plots. */
#include "imaging/pet_parts.h"

/* Normal equations of columns brought to length 1: with three columns and float32 data their rounding is far below the noise. */
bool nep_pet_regress(int64_t n, int k, const double *x, const double *y, const double *w, double beta[NEP_PET_MOST],
                     double covariance[NEP_PET_MOST][NEP_PET_MOST])
{
    double g[NEP_PET_MOST][NEP_PET_MOST] = {{0}}, inverse[NEP_PET_MOST][NEP_PET_MOST] = {{0}}, scale[NEP_PET_MOST] = {0};
    double b[NEP_PET_MOST] = {0}, rss = 0;
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++)
        for (int a = 0; a < k; a++)
            scale[a] += w[i] * x[i * k + a] * x[i * k + a];
    for (int a = 0; a < k; a++) {
        if (!(scale[a] > 0))
            return false;
        scale[a] = 1 / sqrt(scale[a]);
    }
    for (int64_t i = 0; i < n; i++) { /* normal equations of columns of length 1 */
        rows += w[i] > 0;
        for (int a = 0; a < k; a++) {
            b[a] += w[i] * scale[a] * x[i * k + a] * y[i];
            for (int c = 0; c <= a; c++)
                g[a][c] += w[i] * scale[a] * x[i * k + a] * scale[c] * x[i * k + c];
        }
    }
    for (int a = 0; a < k; a++) /* Cholesky, g = L L' */
        for (int c = 0; c <= a; c++) {
            double s = g[a][c];
            for (int j = 0; j < c; j++)
                s -= g[a][j] * g[c][j];
            if (a == c && !(s > 1e-12)) /* the columns depend on one another over these frames */
                return false;
            g[a][c] = a == c ? sqrt(s) : s / g[c][c];
        }
    for (int e = 0; e < k; e++) { /* columns of (L L')^-1 */
        double z[NEP_PET_MOST];
        for (int a = 0; a < k; a++) {
            z[a] = a == e;
            for (int j = 0; j < a; j++)
                z[a] -= g[a][j] * z[j];
            z[a] /= g[a][a];
        }
        for (int a = k - 1; a >= 0; a--) {
            for (int j = a + 1; j < k; j++)
                z[a] -= g[j][a] * z[j];
            z[a] /= g[a][a];
            inverse[a][e] = z[a];
        }
    }
    for (int a = 0; a < k; a++) {
        beta[a] = 0;
        for (int e = 0; e < k; e++)
            beta[a] += inverse[a][e] * b[e];
        beta[a] *= scale[a];
    }
    for (int64_t i = 0; i < n; i++) {
        double r = y[i];
        for (int a = 0; a < k; a++)
            r -= beta[a] * x[i * k + a];
        rss += w[i] * r * r;
    }
    const double s2 = rows > k ? rss / (double)(rows - k) : (double)NAN;
    for (int a = 0; a < k; a++)
        for (int e = 0; e < k; e++)
            covariance[a][e] = s2 * inverse[a][e] * scale[a] * scale[e];
    return true;
}

/* SE of a function with this gradient. */
static double delta(int k, const double *gradient, double covariance[NEP_PET_MOST][NEP_PET_MOST])
{
    double v = 0;
    for (int a = 0; a < k; a++)
        for (int e = 0; e < k; e++)
            v += gradient[a] * covariance[a][e] * gradient[e];
    return sqrt(v);
}

/* Ratio of the activities summed over the window; its error is that of a ratio estimator (Cochran 1977, eq. 6.13, without
 * the finite population's factor): the scatter of the frames about the ratio. One frame has no scatter. */
void nep_pet_suvr(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, double *scratch, double *out)
{
    double top = 0, bottom = 0, squares = 0;
    int64_t n = 0;
    (void)o, (void)scratch;
    for (int64_t i = 0; i < c->n; i++)
        if (c->weight[i] > 0) {
            top += c->length[i] * y[i];
            bottom += c->length[i] * c->reference[i];
            n++;
        }
    if (!(bottom > 0))
        return;
    out[0] = top / bottom;
    for (int64_t i = 0; i < c->n; i++)
        if (c->weight[i] > 0) {
            const double e = c->length[i] * (y[i] - out[0] * c->reference[i]);
            squares += e * e;
        }
    out[1] = n > 1 ? sqrt(squares * (double)n / (double)(n - 1)) / bottom : (double)NAN;
}

/* C = k2 int C_R - k2a int C + R1 C_R. The published form writes the three coefficients as volumes of distribution over b;
 * BP_ND = k2 / k2a - 1 and k2' = k2 / R1. */
void nep_pet_mrtm(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, double *scratch, double *out)
{
    double *x = scratch, *integral = scratch + 3 * c->n, b[NEP_PET_MOST], v[NEP_PET_MOST][NEP_PET_MOST];
    (void)o;
    nep_pet_integral(c, y, integral);
    for (int64_t i = 0; i < c->n; i++) {
        x[i * 3] = c->reference_integral[i];
        x[i * 3 + 1] = integral[i];
        x[i * 3 + 2] = c->reference[i];
    }
    if (!nep_pet_regress(c->n, 3, x, y, c->weight, b, v) || b[1] == 0 || b[2] == 0)
        return;
    const double bp[] = {-1 / b[1], b[0] / (b[1] * b[1]), 0}, prime[] = {1 / b[2], 0, -b[0] / (b[2] * b[2])};
    out[0] = -b[0] / b[1] - 1;
    out[1] = delta(3, bp, v);
    out[2] = b[2];
    out[3] = sqrt(v[2][2]);
    out[4] = b[0];
    out[5] = sqrt(v[0][0]);
    out[6] = b[0] / b[2];
    out[7] = delta(3, prime, v);
}

/* C = k2 (int C_R + C_R / k2') - k2a int C, k2' given. */
void nep_pet_mrtm2(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, double *scratch, double *out)
{
    double *x = scratch, *integral = scratch + 3 * c->n, b[NEP_PET_MOST], v[NEP_PET_MOST][NEP_PET_MOST];
    nep_pet_integral(c, y, integral);
    for (int64_t i = 0; i < c->n; i++) {
        x[i * 2] = c->reference_integral[i] + c->reference[i] / o->k2_prime_per_min;
        x[i * 2 + 1] = integral[i];
    }
    if (!nep_pet_regress(c->n, 2, x, y, c->weight, b, v) || b[1] == 0)
        return;
    const double bp[] = {-1 / b[1], b[0] / (b[1] * b[1])};
    out[0] = -b[0] / b[1] - 1;
    out[1] = delta(2, bp, v);
    out[2] = b[0] / o->k2_prime_per_min;
    out[3] = sqrt(v[0][0]) / o->k2_prime_per_min;
    out[4] = b[0];
    out[5] = sqrt(v[0][0]);
}

/* Slope and intercept of y on x, [n, 2] = x 1; a frame without a positive divisor has weight 0. */
static bool plot(const nep_pet_curve *c, const double *divisor, double *x, double *y, double *w, double *b,
                 double v[NEP_PET_MOST][NEP_PET_MOST])
{
    int64_t used = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const bool in = c->weight[i] > 0 && divisor[i] > 0;
        w[i] = in ? c->weight[i] : 0;
        x[i * 2] = in ? x[i * 2] / divisor[i] : 0;
        x[i * 2 + 1] = in;
        y[i] = in ? y[i] / divisor[i] : 0;
        used += in;
    }
    return used > 2 && nep_pet_regress(c->n, 2, x, y, w, b, v);
}

void nep_pet_logan(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, double *scratch, double *out)
{
    const int64_t n = c->n;
    double *x = scratch, *integral = scratch + 2 * n, *w = scratch + 3 * n, b[NEP_PET_MOST], v[NEP_PET_MOST][NEP_PET_MOST];
    const double efflux = isfinite(o->k2_prime_per_min) ? 1 / o->k2_prime_per_min : 0;
    nep_pet_integral(c, y, integral);
    for (int64_t i = 0; i < n; i++)
        x[i * 2] = c->reference_integral[i] + efflux * c->reference[i];
    if (!plot(c, y, x, integral, w, b, v))
        return;
    out[0] = b[0] - 1;
    out[2] = b[0];
    out[1] = out[3] = sqrt(v[0][0]);
}

void nep_pet_patlak(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, double *scratch, double *out)
{
    const int64_t n = c->n;
    double *x = scratch, *ratio = scratch + 2 * n, *w = scratch + 3 * n, b[NEP_PET_MOST], v[NEP_PET_MOST][NEP_PET_MOST];
    (void)o;
    for (int64_t i = 0; i < n; i++) {
        x[i * 2] = c->reference_integral[i];
        ratio[i] = y[i];
    }
    if (!plot(c, c->reference, x, ratio, w, b, v))
        return;
    out[0] = b[0];
    out[1] = sqrt(v[0][0]);
    out[2] = b[1];
    out[3] = sqrt(v[1][1]);
}
