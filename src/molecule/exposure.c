/* SPDX-License-Identifier: Apache-2.0 */
/* exposure.c - CNS exposure rules from given descriptors. */
#include <math.h>
#include <nepenthe/molecule.h>

/* 1 at or below `good`, 0 at or above `bad`, linear between. */
static double falling(double x, double good, double bad)
{
    return x <= good ? 1.0 : x >= bad ? 0.0 : (bad - x) / (bad - good);
}

static double hump(double tpsa)
{
    if (tpsa < 40.0)
        return tpsa <= 20.0 ? 0.0 : (tpsa - 20.0) / 20.0;
    return falling(tpsa, 90.0, 120.0);
}

double nep_exposure_mpo(const nep_exposure_input *in, int *n_used)
{
    const double part[6] = {
        isnan(in->clogp) ? NAN : falling(in->clogp, 3.0, 5.0), isnan(in->clogd) ? NAN : falling(in->clogd, 2.0, 4.0),
        isnan(in->mw) ? NAN : falling(in->mw, 360.0, 500.0),   isnan(in->tpsa) ? NAN : hump(in->tpsa),
        isnan(in->hbd) ? NAN : falling(in->hbd, 0.5, 3.5),     isnan(in->pka) ? NAN : falling(in->pka, 8.0, 10.0),
    };
    double sum = 0;
    int n = 0;
    for (int i = 0; i < 6; i++)
        if (!isnan(part[i])) {
            sum += part[i];
            n++;
        }
    if (n_used)
        *n_used = n;
    return n >= 4 ? 6.0 * sum / n : NAN;
}
