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
