/* SPDX-License-Identifier: Apache-2.0 */
/* maps_voxels - the maps commands where a map is an image: its voxels, and surrogates of them as they are made. */
#ifndef NEP_CLI_MAPS_VOXELS_H
#define NEP_CLI_MAPS_VOXELS_H

#include "cli/maps.h"

#define CLI_MAPS_VOXELS \
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "an image as map: voxels that take part; default: those that are finite and not 0"}, \
    {"neighbours", 0, CLI_INT, "N", "1000", NULL, "an image as map: nearest voxels of each, which smooth it and make its variogram"}, \
    {"sample", 0, CLI_INT, "N", "500", NULL, "an image as map: voxels whose pairs make the variogram"}

/* `maps nulls` on an image. */
NEP_MUST_USE nep_status cli_maps_voxels_nulls(cli *c);

#endif
