/* SPDX-License-Identifier: Apache-2.0 */
/* local_maps - maps that compare voxels with one another (reho, lcor, vmhc, gcor) of a run that is read in tiles of columns. */
#ifndef NEP_CLI_LOCAL_MAPS_H
#define NEP_CLI_LOCAL_MAPS_H

#include <nepenthe/local.h>

typedef enum { CLI_LOCAL_REHO, CLI_LOCAL_LCOR, CLI_LOCAL_VMHC, CLI_LOCAL_GCOR, CLI_LOCALS } cli_local_map;

/* "reho", "lcor", "vmhc", "gcor". */
const char *cli_local_name(cli_local_map m);

typedef struct {
    bool wants[CLI_LOCALS];
    nep_voxelwise_definition definition;
    int neighbours;  /* of reho: 7, 19 or 27 */
    double fwhm_mm;  /* of lcor */
} cli_local_opts;

/* What is kept of the series while tiles pass: ranks for reho (2 bytes a value), unit series for the others (4 bytes). */
typedef struct {
    cli_local_opts o;
    nep_grid grid;
    int64_t n_t, n, done; /* voxels, and those that have come */
    int64_t *voxel, *tie;
    int16_t *rank;
    float *unit;
    bool *inside;
} cli_local;

/* For n voxels with n_t frames on the grid. Errors: NEP_E_NOMEM, NEP_E_GRID (vmhc of a grid that is not symmetric). */
NEP_MUST_USE nep_status cli_local_open(nep_ctx *ctx, const cli_local_opts *o, const nep_grid *grid, int64_t n_t, int64_t n, cli_local *l);
/* The next n_cols voxels, at voxel[0 .. n_cols) in the volume. */
NEP_MUST_USE nep_status cli_local_add(nep_ctx *ctx, cli_local *l, const float *x, int64_t n_cols, const int64_t *voxel);
/* One of the maps that are wanted, float64 [n]; *whole (may be NULL) gets the mean correlation of all pairs with gcor. */
NEP_MUST_USE nep_status cli_local_measure(nep_ctx *ctx, const cli_local *l, cli_local_map m, double *out, double *whole);
void cli_local_free(cli_local *l);

#endif
