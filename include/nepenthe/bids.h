/* SPDX-License-Identifier: Apache-2.0 */
/* bids - which runs a BIDS-derivatives folder holds: names to entities, preprocessed series with what belongs to them.
 *
 * What it is not: no validator, and it opens no image. A name is `key-value_key-value_suffix.ext`; keys and values are
 * letters and digits. All paths are relative to the folder that was searched. Only sub-<label>/[ses-<label>/]func, pet and
 * anat are read, and only the folders of the labels asked for, so that one participant costs the same in any data set.
 * Source: Gorgolewski et al. (2016), doi:10.1038/sdata.2016.44; BIDS 1.10, derivatives.
 */
#ifndef NEPENTHE_BIDS_H
#define NEPENTHE_BIDS_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NEP_BIDS_MAX_ENTITIES = 24, NEP_BIDS_MAX_NAME = 255 };

/* A file name taken apart. key and value lend from `text`. */
typedef struct {
    char text[NEP_BIDS_MAX_NAME + 1];
    int n;
    const char *key[NEP_BIDS_MAX_ENTITIES], *value[NEP_BIDS_MAX_ENTITIES];
    const char *suffix;
    const char *ext; /* with its dot: ".nii.gz" */
} nep_bids_name;

/* Takes a name apart; false when it is no BIDS name (no suffix, an empty or odd key or value, a key twice, too long). */
bool nep_bids_parse(const char *file_name, nep_bids_name *out);
/* Value of an entity, NULL when absent. */
const char *nep_bids_value(const nep_bids_name *name, const char *key);

/* Where an image lies, and so what it is: func is BOLD, pet is PET, anat is T1-weighted. */
typedef enum { NEP_BIDS_FUNC = 1, NEP_BIDS_PET = 2, NEP_BIDS_ANAT = 4 } nep_bids_datatype;

/* One preprocessed image. */
typedef struct {
    nep_bids_datatype datatype;
    char *participant; /* without sub- */
    char *session;     /* without ses-, or NULL */
    char *task, *run, *space; /* or NULL */
    char *folder;      /* sub-01/ses-A/func */
    char *stem;        /* the bold file's name up to its desc: sub-01_ses-A_task-rest_space-X */
    char *bold;        /* the image, of whatever datatype */
    char *mask, *confounds, *sidecar; /* or NULL: there is none */
    char *labels;      /* anat: the regions beside it, or NULL */
} nep_bids_run;

typedef struct {
    nep_bids_run *runs; /* sorted by participant, session, name */
    int64_t n;
    char **participants; /* those asked for, else all there are; sorted, without sub- */
    int64_t n_participants;
} nep_bids_runs;

/* Labels with or without sub- and ses-; n of 0 = all. space NULL = the only one there is. tasks pick among func alone, space among
 * func and pet; anat is taken in its own space, without a space entity. */
typedef struct {
    const char *const *participants, *const *sessions, *const *tasks;
    int n_participants, n_sessions, n_tasks;
    const char *space;
    unsigned datatypes; /* of nep_bids_datatype, or'ed; 0 = func */
    const char *labels; /* how the name of an anat image's regions goes on where its own goes on with desc; NULL = desc-aseg_dseg */
    int64_t shard, n_shards; /* of those participants, every n_shards-th from the shard-th (0 = first); n_shards 0 = all */
} nep_bids_filter;

/* Finds *_desc-preproc_bold.nii[.gz] (pet, T1w) below `root` with mask (desc-brain, suffix mask), confounds (desc-confounds, suffix
 * timeseries or regressors; without space, res, den) and JSON. filter may be NULL. A participant without such a run is
 * among `participants` and has none among `runs`.
 * Errors: NEP_E_MISSING (no such folder, no participant, a label that is not there), NEP_E_ARG (a run in several spaces
 * or resolutions and none chosen), NEP_E_PERMISSION. */
NEP_MUST_USE nep_status nep_bids_find(nep_ctx *ctx, const char *root, const nep_bids_filter *filter, nep_bids_runs *out);
/* Files of one desc- and suffix below `root` (desc NULL = none) in the folder of the filter's datatype, for what this program wrote. Paths and stems
 * (names up to desc) come back as `bold` and `stem`; the other files are not looked for. Errors: as above. */
NEP_MUST_USE nep_status nep_bids_find_files(nep_ctx *ctx, const char *root, const nep_bids_filter *filter, const char *desc,
                                            const char *suffix, const char *ext, nep_bids_runs *out);
/* Empties it; a zeroed one is fine. */
void nep_bids_free(nep_bids_runs *r);

#ifdef __cplusplus
}
#endif
#endif
