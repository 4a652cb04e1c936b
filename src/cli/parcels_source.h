/* SPDX-License-Identifier: Apache-2.0 */
/* parcels_source - regions of `parcels`, label image or weight maps, on one grid with the image, and its volumes as they stream. */
#ifndef NEP_CLI_PARCELS_SOURCE_H
#define NEP_CLI_PARCELS_SOURCE_H

#include <nepenthe/imaging.h>
#include <nepenthe/io.h>
#include <nepenthe/resample.h>

typedef struct {
    const char *image, *regions, *labels, *mask; /* paths; labels and mask may be NULL */
    bool maps;                        /* regions are 4D weight maps */
    bool to_image, to_regions;        /* what another grid allows: regions onto the image, or volumes onto the regions' grid */
    nep_resample_interpolation how;   /* of the volumes */
    nep_parcels_statistic statistic;
    bool nilearn;
} parcels_request;

typedef struct {
    nep_nifti *image;
    nep_nifti_header header;
    nep_grid grid;         /* where regions are measured */
    bool moves;            /* volumes are brought onto that grid */
    nep_resample_opts move;
    float low, high;       /* nilearn: moved values stay within the range of the whole run and 0; else of their volume and 0 */
    nep_atlas atlas;       /* with maps: names alone */
    nep_volume on;         /* the mask */
    nep_parcels *labels;   /* one of the two */
    nep_parcels_maps *weights;
    double *reach;         /* [n_regions] share of the region, by voxels or weight, that lies on `grid` */
} parcels_source;

/* Opens image, regions and mask. Errors: grids that differ without leave to resample, a 3D image as weight maps, names that do
 * not fit, no region inside. Regions that resampling or the mask took away get a warning by name. */
NEP_MUST_USE nep_status cli_parcels_open(nep_ctx *ctx, const parcels_request *r, parcels_source *s);
/* Values of every volume; out [n_t, n_regions]. */
NEP_MUST_USE nep_status cli_parcels_stream(nep_ctx *ctx, parcels_source *s, double *out);
/* Per region: share that took part, voxels, voxels that took part; table [n_regions, 3]. */
NEP_MUST_USE nep_status cli_parcels_coverage(nep_ctx *ctx, const parcels_source *s, double *table);
void cli_parcels_close(parcels_source *s);

#endif
