/* SPDX-License-Identifier: Apache-2.0 */
/* maps_voxels - the maps commands where a map is an image: its voxels, and surrogates of them as they are made. */
#ifndef NEP_CLI_MAPS_VOXELS_H
#define NEP_CLI_MAPS_VOXELS_H

#include "cli/maps.h"

#define CLI_MAPS_VOXELS \
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "an image as map: voxels that take part; default: those that are finite and not 0"}, \
    CLI_MAPS_NEAREST
#define CLI_MAPS_NEAREST \
    {"neighbours", 0, CLI_INT, "N", "1000", NULL, "an image: nearest voxels of each, which smooth it and make its variogram"}, \
    {"sample", 0, CLI_INT, "N", "500", NULL, "an image: voxels whose pairs make the variogram"}

/* `maps nulls` on an image. */
NEP_MUST_USE nep_status cli_maps_voxels_nulls(cli *c);
/* `maps compare` of two images: statistic and side of `o`, the rest from the command line. */
NEP_MUST_USE nep_status cli_maps_voxels_compare(cli *c, nep_compare_opts o);
/* --nulls of an image. Errors: NEP_E_USAGE (a kind that voxels do not have). */
NEP_MUST_USE nep_status cli_maps_voxels_kind(cli *c, nep_nulls_kind *out);
/* What surrogates of n voxels take, those in work included. */
int64_t cli_maps_voxels_bytes(nep_nulls_kind kind, int64_t n);
/* How many voxels a mask has, those that are finite and not 0, and surrogates of them by --neighbours and --sample. */
NEP_MUST_USE nep_status cli_maps_voxels_count(cli *c, const char *path, int64_t *n);
NEP_MUST_USE nep_status cli_maps_voxels_open(cli *c, const char *path, nep_nulls_kind kind, nep_nulls **out);

#endif
