/* SPDX-License-Identifier: Apache-2.0 */
/* pet_maps - a kinetic model of every voxel of a dynamic image, read in tiles of columns. */
#ifndef NEP_CLI_PET_MAPS_H
#define NEP_CLI_PET_MAPS_H

#include <nepenthe/pet.h>

#include "cli/images.h"

/* Maps float32 [2 * parameters, voxels of the grid], owned by the caller: each parameter, then its standard error; NaN outside the mask
 * (NULL = all voxels) and where the model cannot be determined. Errors: those of the image and of nep_pet_fit. */
NEP_MUST_USE nep_status cli_pet_maps(nep_ctx *ctx, const char *path, const nep_grid *grid, const nep_volume *mask, nep_pet_model model,
                                     const nep_pet_frames *frames, const double *reference, const nep_pet_opts *opts, float **maps);

#endif
