/* SPDX-License-Identifier: Apache-2.0 */
/* lattice - the voxels of a mask on a grid with a border of one voxel, where a neighbour is a fixed step away. */
#ifndef NEP_IMAGING_LATTICE_H
#define NEP_IMAGING_LATTICE_H

#include <nepenthe/core.h>

typedef struct {
    int64_t n;      /* voxels inside */
    int64_t places; /* of the bordered box around them */
    int32_t *at;    /* [n] place of voxel i */
    int32_t step[26];
    int n_steps;
} nep_lattice;

/* dims = {nx, ny, nz}, x fastest; inside [nx ny nz] or NULL = all; voxel i is the i-th one inside. The box is cut
 * to the mask. Errors: NEP_E_ARG (connectivity not 6, 18 or 26; no voxel; more than 2^31 places), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_lattice_open(nep_ctx *ctx, const int64_t dims[3], const bool *inside, int connectivity,
                                         nep_lattice *out);
void nep_lattice_free(nep_lattice *l);

#endif
