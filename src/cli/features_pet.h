/* SPDX-License-Identifier: Apache-2.0 */
/* features_pet.h - one PET image while it is measured: curves and fits of regions, maps of voxels. */
#ifndef NEP_CLI_FEATURES_PET_H
#define NEP_CLI_FEATURES_PET_H

#include "cli/features_unit.h"
#include "cli/pet_frames.h"

enum { FEATURES_PET_TACS, FEATURES_PET_FIT, FEATURES_PET_TABLES, FEATURES_PET_PARAMETERS = 4 };

typedef struct {
    features *f;
    const nep_bids_run *run;
    char path[4096];
    nep_grid grid;
    const nep_atlas *atlas; /* on the image's grid */
    cli_pet_frames frames;
    int64_t n_t, n_regions, reference;
    double *tac;   /* [n_t, n_regions] */
    double *curve; /* [n_t] of the reference */
    double *value; /* [n_regions, 2 * n_parameters] */
    float *maps;   /* [2 * n_parameters, voxels]; NULL without --maps */
    const char *const *names;
    int n_parameters;
} features_pet_job;

/* End of the name of map k of a model: parameter k / 2, of an odd k its standard error. */
void cli_features_pet_tail(nep_pet_model model, int k, char out[96]);
/* With --maps: the unit's outputs of maps; the maps themselves; and, after cli_features_unit_begin, their files. Without it those of an
 * earlier job are taken away. */
NEP_MUST_USE nep_status cli_features_pet_maps_open(const features_pet_job *j, features_unit *u);
NEP_MUST_USE nep_status cli_features_pet_maps_fit(features_pet_job *j);
NEP_MUST_USE nep_status cli_features_pet_maps_write(const features_pet_job *j, features_unit *u);

#endif
