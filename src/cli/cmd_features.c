/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe features BIDS OUT participant|group - every requested feature of every participant, then the group tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/confound_sets.h"
#include "cli/features.h"

static const cli_option options[] = {
    {"atlas", 0, CLI_INPUT, "NIFTI", NULL, NULL, "regions as labels on a grid (participant level; at group level it picks among several)"},
    {"labels", 0, CLI_INPUT, "TSV", NULL, NULL, "names of the atlas's values: index name"},
    {"atlas-name", 0, CLI_TEXT, "NAME", NULL, NULL, "the atlas in file names (seg-NAME); default from its file name"},
    {"resample", 0, CLI_FLAG, NULL, NULL, NULL, "bring the atlas onto each run's grid by the nearest voxel"},
    {"resample-to", 0, CLI_INPUT, "NIFTI", NULL, NULL, "bring BOLD runs onto the grid of this image first, by cubic B-splines (masks by the nearest voxel)"},
    {"fwhm", 0, CLI_REAL, "MM", NULL, NULL, "smooth the run by this much within its mask before what is measured by voxel; regional series and quality are not smoothed"},
    {"participant-label", 0, CLI_TEXTS, "LABEL", NULL, NULL, "participants, with or without sub-; default all; jobs for different ones may share OUT at once"},
    {"session-label", 0, CLI_TEXTS, "LABEL", NULL, NULL, "sessions, with or without ses-; default all"},
    {"task-id", 't', CLI_TEXTS, "TASK", NULL, NULL, "tasks; default all"},
    {"space", 0, CLI_TEXT, "SPACE", NULL, NULL, "space entity of the runs, where there are several"},
    {"features", 0, CLI_TEXTS, "LIST", "timeseries,connectivity,alff,falff", NULL, "of BOLD timeseries, connectivity (Pearson), partial, covariance, precision, alff, falff, reho, lcor, vmhc, gcor, degree, weighted-degree, mean-z, rms, eigenvector, strength, mean-r, tsnr, seed, nearest, glm, with quality always; pet; radiomics of T1w"},
    {"contrast", 0, CLI_TEXTS, "NAME=FORMULA", NULL, NULL, "what glm tests, as `nepenthe glm` has it, such as faces='face - house'; what --permute tests, as `nepenthe permute`"},
    {"events", 0, CLI_INPUT, "DIR", NULL, NULL, "glm: BIDS data set with the events.tsv of the runs; default BIDS itself"},
    {"hrf", 0, CLI_CHOICE, "NAME", "glover", "glover|spm", "glm: response to an event"},
    {"slice-time-ref", 0, CLI_REAL, "SHARE", "0", NULL, "glm: a frame's time within its TR, 0 to 1; 0.5 after fMRIPrep's slice timing"},
    {"confounds", 0, CLI_TEXTS, "SET", "auto", NULL,
     CLI_CONFOUND_SETS ", none, columns, or several of these; auto is 36p where its columns are, else 6p and what there is of csf and white_matter"},
    {"clean", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn|xcpd|afni", "whose order and rules clean the series; see `nepenthe clean --help`"},
    {"shrinkage", 0, CLI_CHOICE, "HOW", "none", "none|ledoit-wolf", "connectivity, partial, covariance, precision: from the covariance as it is, or shrunk"},
    {"tr", 0, CLI_REAL, "S", NULL, NULL, "repetition time, s; default from the run's JSON, then its header"},
    {"band", 0, CLI_TEXTS, "LOW,HIGH", "0.01,0.08", NULL, "band of ALFF and of the band-pass before connectivity, Hz"},
    {"reho-neighbours", 0, CLI_CHOICE, "N", "27", "7|19|27", "neighbours of reho, the voxel among them"},
    {"lcor-fwhm", 0, CLI_REAL, "MM", "25", NULL, "width of the Gaussian of lcor, mm"},
    {"degree-threshold", 0, CLI_REAL, "R", "0.25", NULL, "degree, weighted-degree: correlations of voxels above it count (Buckner 2009)"},
    {"place", 0, CLI_TEXTS, "X,Y,Z", NULL, NULL, "seed: a place in mm; given again, one volume and one column each"},
    {"radius", 0, CLI_REAL, "MM", "0", NULL, "seed: the mean of the voxels within it; 0 = the nearest voxel alone"},
    {"fisher-z", 'z', CLI_FLAG, NULL, NULL, NULL, "seed: inverse hyperbolic tangent of the correlations"},
    {"top", 0, CLI_INT, "K", "10", NULL, "nearest: how many voxels to list for each"},
    {"pet-model", 0, CLI_CHOICE, "NAME", "srtm", "suvr|srtm|mrtm|mrtm2|logan|patlak", "what is fitted to curves of pet, of regions and with --maps of voxels; see nepenthe pet"},
    {"pet-reference", 0, CLI_TEXT, "REGION", NULL, NULL, "the atlas's region that pet takes as reference"},
    {"pet-window", 0, CLI_TEXTS, "FROM,TO", NULL, NULL, "minutes after injection that suvr takes; default: all"},
    {"pet-t-star", 0, CLI_REAL, "MIN", "0", NULL, "logan and patlak take frames that start at or after it"},
    {"pet-k2-prime", 0, CLI_REAL, "PER_MIN", NULL, NULL, "efflux of the reference; mrtm2 needs it, logan adds its term"},
    {"radiomics-labels", 0, CLI_TEXT, "END", "desc-aseg_dseg", NULL, "how the name of the regions of a T1w image ends, as label-lesion_roi"},
    {"radiomics-bin-width", 0, CLI_REAL, "W", NULL, NULL, "grey levels of this width; default: 64 between each region's extremes"},
    {"censor-fd", 0, CLI_REAL, "MM", "0.5", NULL, "frames that moved more are left out, mm (Power 2012); 0 = none"},
    {"fail-fd", 0, CLI_REAL, "MM", "0.5", NULL, "mean displacement above which a run fails, mm (Power 2012)"},
    {"warn-fd", 0, CLI_REAL, "MM", "0.2", NULL, "mean displacement above which a run gets a warning, mm (Power 2014)"},
    {"min-run", 0, CLI_INT, "N", "0", NULL, "kept stretches between censored frames that are shorter are left out too (nilearn's scrubbing: 5)"},
    {"min-frames", 0, CLI_INT, "N", "50", NULL, "a run with fewer frames left fails"},
    {"min-coverage", 0, CLI_REAL, "SHARE", "0.5", NULL, "a region with a smaller share of its voxels in the mask is missing, 0 to 1"},
    {"maps", 0, CLI_FLAG, NULL, NULL, NULL, "what is measured by voxel as images too (*_boldmap.nii.gz), n/a as NaN; of pet the parameters and their errors (*_mimap.nii.gz)"},
    {"tangent", 0, CLI_FLAG, NULL, NULL, NULL, "group level: every run's covariance as seen from the mean of all (Varoquaux 2010)"},
    {"permute", 0, CLI_INT, "N", NULL, NULL, "group level: tests every regional feature and every map by N shuffles; goes on where it was interrupted"},
    {"design", 0, CLI_INPUT, "TSV", NULL, NULL, "permute: participant_id and the model's columns, words as column=level; default: the mean alone"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "permute: which columns of --design; default: all"},
    {"centre", 0, CLI_FLAG, NULL, NULL, NULL, "permute: take the mean off columns of numbers"},
    {"exchange", 0, CLI_INPUT, "TSV", NULL, NULL, "permute: participant_id and block: rows are exchanged within blocks"},
    {"whole", 0, CLI_FLAG, NULL, NULL, NULL, "permute: blocks are exchanged, or flip their sign, as wholes"},
    {"statistic", 0, CLI_TEXTS, "NAMES", "max-t", NULL, "permute: what is corrected over voxels: max-t (always), cluster-size, cluster-mass, tfce; over regions max-t"},
    {"cluster-p", 0, CLI_REAL, "P", "0.001", NULL, "permute: clusters are formed beyond this uncorrected p"},
    {"positive", 0, CLI_FLAG, NULL, NULL, NULL, "permute: one-sided: values above 0 alone"},
    {"tail", 0, CLI_FLAG, NULL, NULL, NULL, "permute: p below 0.1 from a generalised Pareto tail where it fits"},
    {"shard", 0, CLI_TEXT, "I/N", NULL, NULL, "every N-th participant from the I-th on, I from 1; N such jobs share OUT and do all"},
    {"array-shard", 0, CLI_CHOICE, "HOW", NULL, "auto", "the shard that is this job's place in its Slurm array"},
    {"no-resume", 0, CLI_FLAG, NULL, NULL, NULL, "measure again what is done already"},
};

/* --atlas-name, else the value of atlas- in the file name, else its letters and digits. */
static void name_atlas(features *f)
{
    const char *given = cli_text(f->c, "atlas-name"), *path = cli_text(f->c, "atlas"), *slash = path ? strrchr(path, '/') : NULL;
    const char *p = given ? given : slash ? slash + 1 : path ? path : "";
    const char *entity = given ? NULL : strstr(p, "atlas-");
    size_t n = 0;
    p = entity ? entity + 6 : p;
    for (; *p && *p != '.' && !(entity && *p == '_') && n + 1 < sizeof f->seg; p++)
        if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
            f->seg[n++] = *p;
    f->seg[n] = '\0';
}

/* BIDS Apps give labels as words: those after the three positions belong to --participant-label. */
static nep_status read_filter(features *f, nep_bids_filter *filter, const char **labels, int room)
{
    int n, sessions, tasks;
    const char *const *given = cli_texts(f->c, "participant-label", &n);
    const int more = cli_input_count(f->c) - 3;
    filter->sessions = cli_texts(f->c, "session-label", &sessions);
    filter->tasks = cli_texts(f->c, "task-id", &tasks);
    filter->n_sessions = sessions;
    filter->n_tasks = tasks;
    filter->space = cli_text(f->c, "space");
    filter->labels = cli_text(f->c, "radiomics-labels");
    NEP_TRY(cli_features_shard(f, filter));
    NEP_REQUIRE(f->ctx, more == 0 || (n > 0 && sessions == 0 && tasks == 0), NEP_E_USAGE, "'%s' is one word too many; labels go to --participant-label A,B",
                cli_input(f->c, 3));
    NEP_REQUIRE(f->ctx, n + more <= room, NEP_E_USAGE, "more than %d participants are named", room);
    for (int i = 0; i < n + more; i++)
        labels[i] = i < n ? given[i] : cli_input(f->c, 3 + i - n);
    filter->participants = labels;
    filter->n_participants = n + more;
    return NEP_OK;
}

static nep_status run(cli *c)
{
    features f = {.c = c, .ctx = cli_ctx(c), .root = cli_input(c, 0), .out = cli_input(c, 1)};
    const char *level = cli_input(c, 2), *labels[4096];
    nep_bids_filter filter = {0};
    nep_status st;
    const bool group = strcmp(level, "group") == 0;
    NEP_REQUIRE(f.ctx, group || strcmp(level, "participant") == 0, NEP_E_USAGE, "the level is '%s': it must be participant or group", level);
    NEP_REQUIRE(f.ctx, !group || !(cli_text(c, "shard") || cli_text(c, "array-shard")), NEP_E_USAGE, "the group level takes no shard: it gathers all");
    NEP_REQUIRE(f.ctx, group || !cli_flag(c, "tangent"), NEP_E_USAGE, "--tangent is for the group level");
    NEP_REQUIRE(f.ctx, !cli_text(c, "out"), NEP_E_USAGE, "--out: the output folder is the second word");
    NEP_TRY_OR_DONE(st, cli_features_options(&f, &filter.datatypes));
    NEP_TRY_OR_DONE(st, read_filter(&f, &filter, labels, NEP_LEN(labels)));
    name_atlas(&f);
    st = group ? cli_features_group(&f, &filter) : cli_features_participant(&f, &filter);
done:
    cli_glm_words_free(&f.contrasts);
    nep_atlas_free(&f.fitted);
    nep_atlas_free(&f.atlas);
    json_decref(f.provenance);
    json_decref(f.tests);
    return st;
}

const cli_command cli_cmd_features = {
    .name = "features",
    .group = "Imaging",
    .summary = "quality, regional series, connectivity and slow amplitude of every run of a BIDS-derivatives data set",
    .inputs = "BIDS OUT participant|group",
    .min_inputs = 3,
    .max_inputs = -1,
    .inputs_are_files = false,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe features derivatives/fmriprep features participant --atlas atlas_dseg.nii.gz --labels atlas_dseg.tsv",
};
