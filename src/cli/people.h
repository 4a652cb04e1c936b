/* SPDX-License-Identifier: Apache-2.0 */
/* people - one row of data per participant, out of a table or out of an image each. */
#ifndef NEP_CLI_PEOPLE_H
#define NEP_CLI_PEOPLE_H

#include <nepenthe/data.h>

#include "cli/cli.h"

typedef struct {
    int64_t n, n_cols;
    char **ids;     /* [n] participant_id */
    float *y;       /* [n, n_cols] */
    char **columns; /* [n_cols] regions; NULL for images */
    nep_grid grid;  /* of images */
    int64_t *voxel; /* [n_cols] of images: places in storage */
} cli_people;
/* Empties it; a zeroed one is fine. */
void cli_people_free(cli_people *d);

/* Reads a command's inputs: one table whose first column is participant_id, or images named by participant (sub-01_x.nii.gz is
 * of sub-01) on one grid, within --mask. Errors: NEP_E_USAGE (both kinds; several tables; images without -o; a mask beside a
 * table), NEP_E_FORMAT (a participant twice, no participant, an empty mask), NEP_E_GRID (images or mask on another grid). */
NEP_MUST_USE nep_status cli_people_read(cli *c, cli_people *d);

/* The volumes of one 4D image, in the order of `ids` [n], which are copied. Errors: those of images; NEP_E_SHAPE (another number of
 * volumes than ids). */
NEP_MUST_USE nep_status cli_people_read_stack(cli *c, char *const *ids, int64_t n, cli_people *d);

#endif
