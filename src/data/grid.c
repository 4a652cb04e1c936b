/* SPDX-License-Identifier: Apache-2.0 */
/* grid - a voxel grid: its size, and whether two are the same place. */
#include <nepenthe/data.h>

#include <math.h>

int64_t nep_grid_voxels(const nep_grid *g)
{
    return g->nx * g->ny * g->nz;
}

bool nep_grid_same(const nep_grid *a, const nep_grid *b)
{
    if (a->nx != b->nx || a->ny != b->ny || a->nz != b->nz)
        return false;
    for (int corner = 0; corner < 8; corner++) {
        const double i = corner & 1 ? (double)(a->nx - 1) : 0, j = corner & 2 ? (double)(a->ny - 1) : 0,
                     k = corner & 4 ? (double)(a->nz - 1) : 0;
        for (int r = 0; r < 3; r++) {
            const double d = (a->affine[r][0] - b->affine[r][0]) * i + (a->affine[r][1] - b->affine[r][1]) * j +
                             (a->affine[r][2] - b->affine[r][2]) * k + a->affine[r][3] - b->affine[r][3];
            if (!(fabs(d) <= 1e-3))
                return false;
        }
    }
    return true;
}

bool nep_grid_inverse(const nep_grid *g, double out[3][4])
{
    const double(*a)[4] = g->affine;
    double c[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const int i1 = (i + 1) % 3, i2 = (i + 2) % 3, j1 = (j + 1) % 3, j2 = (j + 2) % 3;
            c[i][j] = a[i1][j1] * a[i2][j2] - a[i1][j2] * a[i2][j1];
        }
    const double det = a[0][0] * c[0][0] + a[0][1] * c[0][1] + a[0][2] * c[0][2];
    if (!(fabs(det) > 1e-12) || !isfinite(det))
        return false;
    for (int i = 0; i < 3; i++) {
        out[i][3] = 0;
        for (int j = 0; j < 3; j++)
            out[i][j] = c[j][i] / det;
        for (int j = 0; j < 3; j++)
            out[i][3] -= out[i][j] * a[j][3];
    }
    return true;
}
