/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_regions - radiomics of the regions of a label image, one after the other, and their table. */
#ifndef NEP_CLI_RADIOMICS_REGIONS_H
#define NEP_CLI_RADIOMICS_REGIONS_H

#include <nepenthe/radiomics.h>

#include "cli/tabular.h"

/* Features of some regions of `labels`, which lie on the grid of `image`. */
typedef struct {
    int64_t n;
    const int32_t *region; /* [n] indices of labels; lent */
    double *value;         /* [n, NEP_RADIOMICS_COUNT] */
    int64_t *levels;       /* [n] grey levels; 0 = no voxel has a value */
} cli_radiomics_regions;

/* A region without a value has NaN and is warned of. Errors: NEP_E_FORMAT (no region has a value; `name`
 * names the image), those of nep_radiomics. */
NEP_MUST_USE nep_status cli_radiomics_measure(nep_ctx *ctx, const nep_volume *image, const nep_atlas *labels,
                                              const int32_t *region, int64_t n,
                                              const nep_radiomics_opts *opts, const char *name,
                                              cli_radiomics_regions *out);
void cli_radiomics_free(cli_radiomics_regions *r);
/* Columns label, feature, ibsi, value, a row for each region and feature; columns and what they point into
 * are for one use. */
typedef struct {
    cli_column column[4];
    int64_t n_rows;
    const char **text;
    double *label;
} cli_radiomics_table;
NEP_MUST_USE nep_status cli_radiomics_tabulate(nep_ctx *ctx, const nep_atlas *labels,
                                               const cli_radiomics_regions *r, cli_radiomics_table *out);
void cli_radiomics_table_free(cli_radiomics_table *t);
/* Definition, bins, aggregation, shift, grey levels: what a sidecar says. New reference. */
json_t *cli_radiomics_says(const nep_radiomics_opts *opts, const cli_radiomics_regions *r);

#endif
