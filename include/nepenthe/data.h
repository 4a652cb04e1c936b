/* SPDX-License-Identifier: Apache-2.0 */
/* data - the plain structs that travel between rooms: grid, volume, series, atlas, geometry, maps, table, molset.
 *
 * What it is not: it reads no files (io) and measures nothing. Layouts are row-major; names are owned NUL-ended
 * UTF-8; NaN means missing. Every struct is zero-initialised by its owner, filled by one function, and emptied by
 * its `_free`, which takes a zeroed struct too.
 */
#ifndef NEPENTHE_DATA_H
#define NEPENTHE_DATA_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A voxel grid. affine takes (i, j, k, 1) to mm (RAS+), row-major 3 x 4. i runs fastest. */
typedef struct {
    int64_t nx, ny, nz;
    double affine[3][4];
    double voxel_mm[3];
} nep_grid;

/* nx * ny * nz; readers have checked that it fits. */
int64_t nep_grid_voxels(const nep_grid *g);
/* Same shape and affine within 1e-3 mm at every corner. */
bool nep_grid_same(const nep_grid *a, const nep_grid *b);
/* mm to voxel: the inverse of the affine; false when it has none. */
bool nep_grid_inverse(const nep_grid *g, double out[3][4]);

/* One 3D image, float32. */
typedef struct {
    nep_grid grid;
    float *data; /* [nx * ny * nz] */
} nep_volume;
/* Empties it; a zeroed one is fine. */
void nep_volume_free(nep_volume *v);

/* Time series of named columns (regions, voxels, confounds). data [n_t, n_cols]. tr_s is NaN when unknown. */
typedef struct {
    int64_t n_t, n_cols;
    double tr_s;
    float *data;
    char **names; /* [n_cols] or NULL */
} nep_series;
/* Empties it; a zeroed one is fine. */
void nep_series_free(nep_series *s);

/* Labels on a grid. label[v] is 0 (background) or 1 + region index. Region order is the table's, else ascending id;
 * regions of the table without voxels stay. */
typedef struct {
    nep_grid grid;
    int64_t n_regions;
    int32_t *label; /* [voxels] */
    int32_t *id;    /* [n_regions] value in the file */
    char **names;   /* [n_regions] */
} nep_atlas;
/* Empties it; a zeroed one is fine. */
void nep_atlas_free(nep_atlas *a);

/* A schematic parcellation drawn from a geometry: a stylised brain outline (ellipsoids, hemispheres split at the midline), each
 * voxel of its ribbon to the nearest cortical centroid of its side, subcortical regions as balls around theirs. No anatomy is
 * copied: it shows where a region lies, not its shape. Every region gets at least one voxel. voxel_mm in [1, 10].
 * Errors: NEP_E_ARG (voxel_mm), NEP_E_FORMAT (two regions share the voxel of their centroid), NEP_E_NOMEM. */
struct nep_geometry;
NEP_MUST_USE nep_status nep_schematic_draw(nep_ctx *ctx, const struct nep_geometry *g, double voxel_mm, nep_atlas *out);

/* Where regions lie. hemisphere is 'L', 'R' or 'B'; sphere is a unit vector or NaN outside the cortex. */
typedef struct nep_geometry {
    int64_t n_regions;
    char **names;
    char *hemisphere;
    bool *cortex;
    double (*mm)[3];
    double (*sphere)[3];
} nep_geometry;
/* Empties it; a zeroed one is fine. */
void nep_geometry_free(nep_geometry *g);
int64_t nep_geometry_find(const nep_geometry *g, const char *region); /* -1 when absent */

/* The vertices of both hemispheres' spheres and the region that each belongs to. */
typedef struct {
    int64_t n;
    char *hemisphere;    /* [n] 'L' or 'R' */
    double (*sphere)[3]; /* [n] unit vectors */
    char **parcel;       /* [n] name of the region, NULL = none (medial wall) */
} nep_surface;
/* Empties it; a zeroed one is fine. */
void nep_surface_free(nep_surface *s);

/* Values per region. value [n_regions, n_maps]; se has the same shape or is NULL. */
typedef struct {
    int64_t n_regions, n_maps;
    char **regions;
    char **names;
    double *value;
    double *se;
} nep_maps;
/* Empties it; a zeroed one is fine. */
void nep_maps_free(nep_maps *m);
/* Index by name, -1 when absent. */
int64_t nep_maps_find_region(const nep_maps *m, const char *region);
int64_t nep_maps_find(const nep_maps *m, const char *name);
/* out[i, j] = value of region names[i] in map j, NaN where the region is absent. Joined by name, never by order. */
NEP_MUST_USE nep_status nep_maps_align(nep_ctx *ctx, const nep_maps *m, char *const *names, int64_t n, double *out);

/* A table of text cells. cell(r, c); missing is "n/a" in files and NULL here. */
typedef struct {
    int64_t n_rows, n_cols;
    char **header; /* [n_cols] */
    char **cells;  /* [n_rows, n_cols], each owned by `text` */
    char *text;
    char *path; /* for sentences */
} nep_table;
/* Empties it; a zeroed one is fine. */
void nep_table_free(nep_table *t);
int64_t nep_table_column(const nep_table *t, const char *name); /* -1 when absent */
const char *nep_table_cell(const nep_table *t, int64_t row, int64_t col);
/* Needs the column; the sentence names the file, the column and the nearest name there is. */
NEP_MUST_USE nep_status nep_table_need(nep_ctx *ctx, const nep_table *t, const char *name, int64_t *col);
/* A number or NaN for missing; a cell that is neither is NEP_E_FORMAT with file, line and column. */
NEP_MUST_USE nep_status nep_table_number(nep_ctx *ctx, const nep_table *t, int64_t row, int64_t col, double *out);

/* Molecules. Bits are [n, words] little-endian 64-bit words; descriptor [n, n_descriptors], NaN = not given. */
typedef struct {
    int64_t n, words, n_descriptors;
    char **id;     /* InChIKey, or the source's id with a prefix */
    char **names;
    char **smiles; /* entries may be NULL */
    char **atc4;   /* `;`-separated, entries may be NULL */
    char **mechanism; /* class word, entries may be NULL */
    uint64_t *bits;   /* all-zero row = no fingerprint */
    char **descriptor_names;
    double *descriptor;
} nep_molset;
/* Empties it; a zeroed one is fine. */
void nep_molset_free(nep_molset *m);
/* Index by id, -1 when absent. */
int64_t nep_molset_find(const nep_molset *m, const char *id);
double nep_molset_descriptor(const nep_molset *m, int64_t i, const char *name); /* NaN when absent or i is no index */

/* Frees an array of n owned strings and the array. */
void nep_data_free_names(char **names, int64_t n);
/* The name among `names` with the least edit distance to `word`, or NULL when none is near. */
const char *nep_data_nearest(const char *word, const char *const *names, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
