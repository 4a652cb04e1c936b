/* SPDX-License-Identifier: Apache-2.0 */
/* features_others.h - what the group level gathers of PET and T1-weighted images: one matrix of participants for each parameter of a
 * PET model, and one for radiomics. */
#ifndef NEP_CLI_FEATURES_OTHERS_H
#define NEP_CLI_FEATURES_OTHERS_H

#include "cli/features.h"

/* One matrix: participants by regions, or by label and feature. */
typedef struct {
    char feature[NEP_BIDS_MAX_NAME + 8]; /* pet_srtm_bp_nd, radiomics */
    char **names;                        /* [n] */
    int64_t n, room;
    double *x; /* [n_people, n] mean over a participant's images; NaN = none has it */
} features_block;

typedef struct {
    nep_bids_runs pet, anat; /* tables that are there; for pet of the atlas f->seg, where that is known */
    features_block *block;
    int64_t n, room;
} features_others;

/* Finds the tables. */
NEP_MUST_USE nep_status cli_features_others_find(features *f, const nep_bids_filter *filter, features_others *o);
/* Reads them for these participants (sub-<label>, sorted). */
NEP_MUST_USE nep_status cli_features_others_read(features *f, features_others *o, char *const *ids, int64_t n_people);
void cli_features_others_free(features_others *o);
/* Value of seg- in the name of a file, or NULL; lent by k. */
const char *cli_features_seg(const nep_bids_run *r, nep_bids_name *k);

#endif
