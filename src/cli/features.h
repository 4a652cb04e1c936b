/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - what the parts of `nepenthe features` share: options, one run's inputs and results, its outputs. */
#ifndef NEP_CLI_FEATURES_H
#define NEP_CLI_FEATURES_H

#include <nepenthe/bids.h>
#include <nepenthe/imaging.h>
#include <nepenthe/io.h>
#include <nepenthe/pet.h>
#include <nepenthe/radiomics.h>

#include "cli/cli.h"
#include "cli/connectome_maps.h"
#include "cli/glm_model.h"
#include "cli/local_maps.h"

/* Kinds of connectivity beside Pearson's, each a table of its own. */
enum { FEATURES_PARTIAL, FEATURES_COVARIANCE, FEATURES_PRECISION, FEATURES_KINDS };

typedef struct {
    double tr_s;                                     /* NaN = from the sidecar, else the header */
    double censor_mm, fail_fd_mm, warn_fd_mm;        /* framewise displacement */
    double low_hz, high_hz;
    double min_coverage;                             /* of a region's voxels, below it the region is missing */
    int64_t min_frames, min_run;
    const char *const *confounds;                    /* sets and column names */
    int n_confounds;
    bool resample, series, connectivity, alff, falff, glm, tsnr, seed, nearest; /* what is asked for */
    cli_local_opts local;                            /* and of reho, lcor, vmhc, gcor */
    bool pairs[CLI_CONNECTOME_REGIONAL];             /* and of all pairs of voxels */
    double threshold;                                /* of degree and weighted-degree */
    bool fisher_z;                                   /* of seed */
    int64_t top;                                     /* of nearest */
    bool maps;                                       /* and what is measured by voxel, as volumes */
    const char *resample_to;                         /* image onto whose grid runs are brought, or NULL */
    double fwhm_mm;                                  /* of the Gaussian before what is measured by voxel; 0 = none */
    bool kinds[FEATURES_KINDS];                      /* of connectivity beside Pearson's */
    bool shrinks;                                    /* every kind by Ledoit and Wolf */
    nep_clean_definition clean;                      /* whose cleaning */
    nep_pet_model pet_model;
    nep_pet_opts pet;
    const char *pet_reference;                       /* a region of the atlas */
    nep_radiomics_opts radiomics;
} features_opts;

typedef struct {
    cli *c;
    nep_ctx *ctx;
    const char *root, *out;
    features_opts o;
    nep_grid target;         /* of resample_to */
    nep_atlas atlas, fitted; /* fitted: brought onto the grid of the last run that needed it */
    char seg[64];            /* name of the atlas in file names */
    cli_glm_words contrasts; /* of glm */
    json_t *tests;           /* of the group level: what permutation found; NULL = none is asked for */
    json_t *provenance;      /* version, parameters, atlas; without what differs between machines and selections */
} features;

/* How what is measured by voxel was made, as desc- in names: "" as the run came, else smooth, resampled, resampledsmooth. */
enum { FEATURES_DESCS = 4 };
extern const char *const cli_features_desc[FEATURES_DESCS];
int cli_features_desc_of(const features_opts *o);

/* What is one map, in the order of its tables: alff, falff, local maps, maps of pairs, tsnr. */
enum { FEATURES_MAPS = 3 + CLI_LOCALS + CLI_CONNECTOME_REGIONAL };

/* Results of one run. Regions without enough voxels are NaN. */
typedef struct {
    int64_t n_frames, n_kept, n_voxels, n_rows;
    double tr_s, fd_mean, fd_max, dvars, tsnr, coverage, dof;
    char verdict[8], reasons[1024], confounds[256];
    bool measured;    /* false: too few frames were left, there is quality alone */
    bool own_mask;    /* made from the images, none came with them */
    double *fd, *dvars_t; /* [n_frames] */
    bool *keep;           /* [n_frames] */
    double *series;       /* [n_rows, n_regions] cleaned, percent */
    double *r, *z;        /* [n_regions, n_regions] */
    double *kind[FEATURES_KINDS]; /* likewise, NULL = not asked for */
    double shrinkage, shrinkage_z; /* of covariances, and of Pearson's r; NaN = nothing was shrunk */
    double *alff, *falff, *strength, *covered; /* [n_regions] */
    double *local[CLI_LOCALS];                 /* [n_regions] or NULL */
    double *pairs[CLI_CONNECTOME_REGIONAL];    /* [n_regions] or NULL */
    nep_grid grid;                             /* of the run */
    float *map[FEATURES_MAPS];                 /* [voxels of the grid], NaN outside the mask; NULL = not asked for */
    double *tsnr_mean;                         /* [n_regions] of the map tsnr */
    cli_connectome near;                       /* seeds, their maps (as map), and the nearest voxels; header is NULL */
    double *seeded;                            /* [n_regions, seeds] means of their maps */
    int64_t n_pairs;                           /* voxels among whose pairs they are */
    double *glm;                               /* [contrasts, 4, n_regions] effect, se, t or F, z */
    double glm_df;
    double gcor;                               /* mean correlation of all pairs of voxels, where gcor is asked for */
} features_result;

/* What failed, one entry per run; run and message are owned. */
typedef struct {
    char **participant, **run, **message; /* sub-<label>; the run's stem (of PET and T1w with their suffix) or n/a; without the data's folder */
    const char **code;                    /* the status' symbol */
    int64_t n, room;
    nep_status first;
    bool mixed;                           /* not all have the status of the first */
} features_failures;

/* Options of the command, and the datatypes that they ask for (features_options.c). */
NEP_MUST_USE nep_status cli_features_options(features *f, unsigned *datatypes);
/* --shard and --array-shard. */
NEP_MUST_USE nep_status cli_features_shard(features *f, nep_bids_filter *filter);
/* What the participant level writes, as patterns; their number (features_write.c). */
enum { FEATURES_OUTPUTS = 64, FEATURES_OUTPUT_LENGTH = 96 };
int cli_features_outputs(const features *f, unsigned datatypes, char (*out)[FEATURES_OUTPUT_LENGTH]);
/* Measures one run (features_run.c). Errors are the run's: the sentence is in the context. */
NEP_MUST_USE nep_status cli_features_measure(features *f, const nep_bids_run *run, features_result *out);
void cli_features_result_free(features_result *r);
/* Chosen confounds of a run as series [n_frames, k], in float64 too (features_confounds.c); `label` gets their name, motion [n_frames, 6]
 * and fd [n_frames] come from the same table (NaN where it has none), `steady` is false for non-steady-state frames. */
NEP_MUST_USE nep_status cli_features_confounds(features *f, const char *path, int64_t n_frames, nep_series *out, double **exact,
                                               char *label, size_t size, double *fd, bool *steady);
/* Writes every output of a run with its sidecars, then the mark that they are whole (features_write.c). */
NEP_MUST_USE nep_status cli_features_write(features *f, const nep_bids_run *run, const features_result *r);
/* Whether the mark of these inputs and parameters is there and every output is as it was written. */
NEP_MUST_USE nep_status cli_features_done(features *f, const nep_bids_run *run, bool *done);
/* The events.tsv of a run: in --events (default the data set itself), in the run's folder or for the task at the top
 * (features_glm.c). Errors: NEP_E_MISSING. */
NEP_MUST_USE nep_status cli_features_events(features *f, const nep_bids_run *run, char *out, size_t size);
NEP_MUST_USE nep_status cli_features_glm_write(features *f, const char *path, const features_result *r);

/* Effects of one contrast, the runs of a participant weighted by the inverse of their variance (features_glm_group.c). */
typedef struct {
    char *name;
    double *effect; /* [n_people, n_regions] */
} features_contrast;
typedef struct {
    const char *table; /* what cli_features_glm_write wrote, or no file */
    int64_t person;    /* -1 = a run that does not count */
} features_glm_run;
NEP_MUST_USE nep_status cli_features_glm_gather(features *f, const features_glm_run *runs, int64_t n, char *const *regions, int64_t n_regions,
                                                int64_t n_people, features_contrast **out, int64_t *n_out);
void cli_features_contrasts_free(features_contrast *c, int64_t n);
/* Takes away the group tables of contrasts, which may be of others than are to be written now. */
NEP_MUST_USE nep_status cli_features_glm_clear(features *f);
/* dataset_description.json and .bidsignore (features_dataset.c). */
NEP_MUST_USE nep_status cli_features_dataset(features *f);
/* Notes a failure (features_failures.c): its sentence is the context's, which is cleared. run NULL = the participant has none. */
NEP_MUST_USE nep_status cli_features_failed(features *f, features_failures *k, const char *participant, const nep_bids_run *run, nep_status st);
/* Brings OUT/failures.tsv up to date, under the lock of OUT: rows of what this job looked at are replaced by its own failures,
 * rows of other jobs stay; sorted; without a row the file is removed. With a filter on sessions, tasks or space a job looks
 * only at its runs, without one at whole participants; without any filter, rows of participants that are gone go too. */
NEP_MUST_USE nep_status cli_features_failures_write(features *f, const nep_bids_filter *filter, const nep_bids_runs *runs,
                                                    const features_failures *k);
void cli_features_failures_free(features_failures *k);
/* Waits for the lock of OUT, for files that several jobs write; closing *fd gives it back, -1 = none (a warning was given:
 * the file system has no locks). */
NEP_MUST_USE nep_status cli_features_lock(features *f, int *fd);
/* Every image of every participant (features_participant.c). Errors: NEP_E_PARTIAL (some failed; when all did, their own). */
NEP_MUST_USE nep_status cli_features_participant(features *f, const nep_bids_filter *filter);
/* The group tables and features.h5 (features_group.c). */
NEP_MUST_USE nep_status cli_features_group(features *f, const nep_bids_filter *filter);
/* The outputs of a run: OUT/<folder>/<stem>[_seg-<seg>]_<tail><ext>. */
NEP_MUST_USE nep_status cli_features_file(features *f, const nep_bids_run *run, const char *seg, const char *tail, const char *ext, char *out,
                                          size_t size);
NEP_MUST_USE nep_status cli_features_json(nep_ctx *ctx, const char *path, const json_t *doc);
/* The provenance of one run, that of the command with the run's own files (new reference), the key that it makes, and whether a
 * file is as it was (features_unit.c). */
NEP_MUST_USE nep_status cli_features_provenance(features *f, const nep_bids_run *run, json_t **out);
NEP_MUST_USE nep_status cli_features_key(features *f, const json_t *provenance, nep_hash *out);
NEP_MUST_USE nep_status cli_features_same(features *f, const char *path, const nep_hash *want, bool *same);
/* The atlas on the grid of an image, which `name` names in a sentence; lent. Errors: NEP_E_GRID. */
NEP_MUST_USE nep_status cli_features_atlas(features *f, const nep_grid *grid, const char *name, const nep_atlas **out);
/* Text of a folder and a name; names are bounded by the walk. */
NEP_MUST_USE nep_status cli_features_path(nep_ctx *ctx, char *out, size_t size, const char *fmt, ...) NEP_PRINTF(4, 5);

#endif
