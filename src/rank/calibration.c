/* SPDX-License-Identifier: Apache-2.0 */
/* calibration.c - from a score to the probability of being a recorded treatment, and how far to trust it. */
#include <nepenthe/rank.h>

#include <math.h>

static const double ridge = 1e-3;

static double logistic(double t)
{
    return t >= 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t));
}

double nep_calibration_apply(nep_calibration_curve c, double x)
{
    return logistic(c.intercept + c.slope * x);
}

static bool counts(const double *x, const signed char *y, int64_t i)
{
    return !isnan(x[i]) && (y[i] == 0 || y[i] == 1);
}

static double offset_of(const double *offset, int64_t i)
{
    return offset ? offset[i] : 0;
}

nep_calibration_curve nep_calibration_fit(const double *x, const signed char *y, int64_t n)
{
    return nep_calibration_fit_offset(x, NULL, y, n);
}

nep_calibration_curve nep_calibration_fit_offset(const double *x, const double *offset, const signed char *y, int64_t n)
{
    double n1 = 0, all = 0, level = 0, a = 0, b = 0;
    for (int64_t i = 0; i < n; i++)
        if (counts(x, y, i)) {
            all += 1;
            n1 += y[i];
            level += offset_of(offset, i);
        }
    if (n1 <= 0 || n1 >= all)
        return (nep_calibration_curve){NAN, NAN};
    a = log(n1 / (all - n1)) - level / all;
    for (int step = 0; step < 50; step++) {
        double ga = 0, gb = -ridge * b, haa = 0, hab = 0, hbb = ridge;
        for (int64_t i = 0; i < n; i++) {
            if (!counts(x, y, i))
                continue;
            const double p = logistic(a + b * x[i] + offset_of(offset, i)), w = p * (1 - p), e = y[i] - p;
            ga += e;
            gb += e * x[i];
            haa += w;
            hab += w * x[i];
            hbb += w * x[i] * x[i];
        }
        const double det = haa * hbb - hab * hab;
        if (!(det > 1e-300))
            break;
        double da = (hbb * ga - hab * gb) / det, db = (haa * gb - hab * ga) / det;
        const double size = fabs(da) + fabs(db), most = 2.0; /* a bounded step keeps separable data from overshooting */
        if (size > most) {
            da *= most / size;
            db *= most / size;
        }
        a += da;
        b += db;
        if (size < 1e-12)
            break;
    }
    return (nep_calibration_curve){a, b};
}

void nep_calibration_measure(const double *logit, const signed char *y, int64_t n, nep_calibration *out)
{
    double expected = 0, observed = 0, squares = 0;
    int64_t m = 0;
    *out = (nep_calibration){.oe = NAN, .slope = NAN, .brier = NAN, .brier_null = NAN};
    for (int64_t i = 0; i < n; i++)
        if (counts(logit, y, i)) {
            const double p = logistic(logit[i]);
            expected += p;
            observed += y[i];
            squares += (p - y[i]) * (p - y[i]);
            m++;
        }
    out->n = m;
    out->n_pos = (int64_t)observed;
    if (m == 0)
        return;
    const double mean = observed / (double)m;
    out->oe = expected > 0 ? observed / expected : NAN;
    out->slope = nep_calibration_fit(logit, y, n).slope;
    out->brier = squares / (double)m;
    out->brier_null = mean * (1 - mean);
}
