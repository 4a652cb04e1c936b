/* SPDX-License-Identifier: Apache-2.0 */
/* ortho - orthogonal parts by modified Gram-Schmidt, taken twice. */
#include "imaging/ortho.h"

#include <math.h>

double nep_ortho_residual(const double *q, int64_t k, int64_t n, double *x, double *coef)
{
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < k; j++) {
            const double c = nep_ortho_dot(q + j * n, x, n);
            if (coef)
                coef[j] += c;
            for (int64_t i = 0; i < n; i++)
                x[i] -= c * q[j * n + i];
        }
    return sqrt(nep_ortho_dot(x, x, n));
}
