/* SPDX-License-Identifier: Apache-2.0 */
/* connectome_maps - maps of every voxel's correlations with all others, or with seeds, of a run that is read in tiles of columns. */
#ifndef NEP_CLI_CONNECTOME_MAPS_H
#define NEP_CLI_CONNECTOME_MAPS_H

#include <nepenthe/connectome.h>

#include "cli/images.h"

typedef enum {
    CLI_CONNECTOME_DEGREE,
    CLI_CONNECTOME_WEIGHTED_DEGREE,
    CLI_CONNECTOME_MEAN_Z,
    CLI_CONNECTOME_RMS,
    CLI_CONNECTOME_EIGENVECTOR,
    CLI_CONNECTOME_STRENGTH,
    CLI_CONNECTOME_MEAN_R,
    CLI_CONNECTOME_REGIONAL, /* those before it are one map each, in `features` means over regions too */
    CLI_CONNECTOME_SEED = CLI_CONNECTOME_REGIONAL,
    CLI_CONNECTOME_NEAREST,
    CLI_CONNECTOMES
} cli_connectome_map;

/* "degree", "weighted-degree", "mean-z", "rms", "eigenvector", "strength", "mean-r", "seed", "nearest". */
const char *cli_connectome_name(cli_connectome_map m);

/* The same as a label of file names: letters alone; voxelstrength, since strength there is that of regions. */
const char *cli_connectome_label(cli_connectome_map m);

/* Where seeds lie, and the sum of their voxels' series. Names are those of regions, or "x,y,z" in mm. */
typedef struct {
    int64_t n;       /* 0: nothing asks for seeds */
    char **names;    /* [n] */
    int64_t *start;  /* [n + 1] into member */
    int64_t *member; /* voxels of the image */
    double *sum;     /* [n, n_t] */
    int64_t *used;   /* [n] voxels summed */
    bool regions;
} cli_connectome_seeds;

typedef struct {
    cli_connectome_map which;
    bool afni, fisher_z;
    nep_connectome_opts pairs;
    int64_t top;
    const nep_nifti_header *header; /* lent */
    nep_connectome c;
    int64_t n, *voxel; /* of the mask, in the order of the connectome's columns */
    int64_t n_maps;
    float *map;       /* [n_maps, voxels of the image]; NULL for nearest */
    int64_t *nearest; /* [n, top] columns; and */
    double *r;        /* [n, top] */
    cli_connectome_seeds seeds;
} cli_connectome;

/* Reads the options of `which` from a command that has --threshold, --two-sided, --fisher-z, --top, --place, --radius, --seed-atlas,
 * --labels; `definition` must be canonical, afni or cpac (who calls AFNI's programs). Errors: NEP_E_USAGE, NEP_E_ARG, those of a file. */
NEP_MUST_USE nep_status cli_connectome_read(cli *c, cli_connectome_map which, nep_voxelwise_definition definition,
                                            const nep_nifti_header *header, cli_connectome *out);
/* Reads the run and fills map, or nearest and r. mask NULL = all voxels. */
NEP_MUST_USE nep_status cli_connectome_measure(nep_ctx *ctx, const char *path, const nep_volume *mask, cli_connectome *k);
/* Seconds it is likely to take for n voxels, on one core at 1e11 operations a second; memory in bytes is 8 n frames. */
double cli_connectome_seconds(const cli_connectome *k, int64_t n);
/* What its sidecar says of it, into doc. */
void cli_connectome_says(const cli_connectome *k, json_t *doc);
/* nearest: the table of neighbours to -o or standard output, rows in the document with --json. Consumes extra. */
NEP_MUST_USE nep_status cli_connectome_emit(cli *c, const cli_connectome *k, json_t *extra);
/* That table to a file; voxels are those of the grid. */
NEP_MUST_USE nep_status cli_connectome_write(nep_ctx *ctx, const cli_connectome *k, const nep_grid *grid, const char *path);
void cli_connectome_free(cli_connectome *k);

/* Seeds of the command's options (connectome_seeds.c). */
NEP_MUST_USE nep_status cli_connectome_seeds_read(cli *c, const nep_nifti_header *header, cli_connectome_seeds *out);
/* --place and --radius alone, read for what they say, and as seeds on a grid for series of n_t frames. Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status cli_connectome_places_check(cli *c);
NEP_MUST_USE nep_status cli_connectome_places_read(cli *c, const nep_grid *grid, int64_t n_t, cli_connectome_seeds *out);
/* Adds the series of a tile's voxels to the sums of the seeds they belong to; those with a gap are left out. */
NEP_MUST_USE nep_status cli_connectome_seeds_add(nep_ctx *ctx, cli_connectome_seeds *s, int64_t n_vox, const nep_series *tile,
                                                 const int64_t *voxel);
/* Sums to means. A place without a voxel is refused, a region without one is a warning and stays missing. */
NEP_MUST_USE nep_status cli_connectome_seeds_finish(nep_ctx *ctx, cli_connectome_seeds *s, int64_t n_t);
void cli_connectome_seeds_free(cli_connectome_seeds *s);

#endif
