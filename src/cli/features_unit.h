/* SPDX-License-Identifier: Apache-2.0 */
/* features_unit.h - the outputs of one image of a data set, and the mark that says that they are whole and of what. */
#ifndef NEP_CLI_FEATURES_UNIT_H
#define NEP_CLI_FEATURES_UNIT_H

#include "cli/features.h"

enum { FEATURES_UNIT_TABLES = 10 };

typedef struct {
    features *f;
    const nep_bids_run *run;
    const char *seg; /* of the file names, or NULL */
    json_t *provenance;
    nep_hash key;
    char mark[4096], table[FEATURES_UNIT_TABLES][4096], sidecar[FEATURES_UNIT_TABLES][4096];
    int n_tables;
} features_unit;

/* Provenance and key of an image's outputs `what`; the marks of different ones do not meet. */
NEP_MUST_USE nep_status cli_features_unit_open(features *f, const nep_bids_run *run, const char *what, const char *seg, features_unit *u);
/* One more output: the stem with _<tail>.tsv, and its sidecar; or an image, _<tail>.nii.gz. */
NEP_MUST_USE nep_status cli_features_unit_table(features_unit *u, const char *tail);
NEP_MUST_USE nep_status cli_features_unit_image(features_unit *u, const char *tail);
/* Whether every output is as it was written for this key. */
NEP_MUST_USE nep_status cli_features_unit_done(features_unit *u, bool *done);
/* Takes the mark away and makes the folder, before anything is written. */
NEP_MUST_USE nep_status cli_features_unit_begin(features_unit *u);
/* The sidecar of a table; consumes extra. */
NEP_MUST_USE nep_status cli_features_unit_sidecar(features_unit *u, int table, const char *description, const char *units, json_t *extra);
/* Sets the mark, when all is written. */
NEP_MUST_USE nep_status cli_features_unit_end(features_unit *u);
void cli_features_unit_close(features_unit *u);

/* One image: skipped when it is done and may be. */
NEP_MUST_USE nep_status cli_features_pet(features *f, const nep_bids_run *run, bool may_skip, bool *skipped);
NEP_MUST_USE nep_status cli_features_radiomics(features *f, const nep_bids_run *run, bool may_skip, bool *skipped);

#endif
