/* SPDX-License-Identifier: Apache-2.0 */
/* glm_algebra - Cholesky factors of small matrices, in a fixed order. */
#include "imaging/glm_parts.h"

#include <math.h>

bool nep_glm_cholesky(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double s = a[i * n + j] - nep_ortho_dot(a + i * n, a + j * n, j);
            if (i == j && !(s > 0))
                return false;
            a[i * n + j] = i == j ? sqrt(s) : s / a[j * n + j];
        }
    return true;
}

void nep_glm_forward(const double *l, int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (x[i] - nep_ortho_dot(l + i * n, x, i)) / l[i * n + i];
}

void nep_glm_backward(const double *l, int64_t n, double *x)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < n; j++)
            x[i] -= l[j * n + i] * x[j];
        x[i] /= l[i * n + i];
    }
}
