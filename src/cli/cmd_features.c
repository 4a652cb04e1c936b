/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe features BIDS OUT participant|group - every requested feature of every participant, then the group tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/confound_sets.h"
#include "cli/features_unit.h"
#include "cli/images.h"

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
    {"features", 0, CLI_TEXTS, "LIST", "timeseries,connectivity,alff,falff", NULL, "of BOLD timeseries, connectivity, alff, falff, reho, lcor, vmhc, gcor, degree, weighted-degree, mean-z, rms, eigenvector, glm, with quality always; pet; radiomics of T1w"},
    {"contrast", 0, CLI_TEXTS, "NAME=FORMULA", NULL, NULL, "what glm tests, as `nepenthe glm` has it, such as faces='face - house'; what --permute tests, as `nepenthe permute`"},
    {"events", 0, CLI_INPUT, "DIR", NULL, NULL, "glm: BIDS data set with the events.tsv of the runs; default BIDS itself"},
    {"hrf", 0, CLI_CHOICE, "NAME", "glover", "glover|spm", "glm: response to an event"},
    {"slice-time-ref", 0, CLI_REAL, "SHARE", "0", NULL, "glm: a frame's time within its TR, 0 to 1; 0.5 after fMRIPrep's slice timing"},
    {"confounds", 0, CLI_TEXTS, "SET", "auto", NULL,
     CLI_CONFOUND_SETS ", none, columns, or several of these; auto is 36p where its columns are, else 6p and what there is of csf and white_matter"},
    {"tr", 0, CLI_REAL, "S", NULL, NULL, "repetition time, s; default from the run's JSON, then its header"},
    {"band", 0, CLI_TEXTS, "LOW,HIGH", "0.01,0.08", NULL, "band of ALFF and of the band-pass before connectivity, Hz"},
    {"reho-neighbours", 0, CLI_CHOICE, "N", "27", "7|19|27", "neighbours of reho, the voxel among them"},
    {"lcor-fwhm", 0, CLI_REAL, "MM", "25", NULL, "width of the Gaussian of lcor, mm"},
    {"degree-threshold", 0, CLI_REAL, "R", "0.25", NULL, "degree, weighted-degree: correlations of voxels above it count (Buckner 2009)"},
    {"pet-model", 0, CLI_CHOICE, "NAME", "srtm", "suvr|srtm|mrtm|logan|patlak", "what is fitted to regional curves of pet; see nepenthe pet"},
    {"pet-reference", 0, CLI_TEXT, "REGION", NULL, NULL, "the atlas's region that pet takes as reference"},
    {"pet-window", 0, CLI_TEXTS, "FROM,TO", NULL, NULL, "minutes after injection that suvr takes; default: all"},
    {"pet-t-star", 0, CLI_REAL, "MIN", "0", NULL, "logan and patlak take frames that start at or after it"},
    {"radiomics-labels", 0, CLI_TEXT, "END", "desc-aseg_dseg", NULL, "how the name of the regions of a T1w image ends, as label-lesion_roi"},
    {"radiomics-bin-width", 0, CLI_REAL, "W", NULL, NULL, "grey levels of this width; default: 64 between each region's extremes"},
    {"censor-fd", 0, CLI_REAL, "MM", "0.5", NULL, "frames that moved more are left out, mm (Power 2012); 0 = none"},
    {"fail-fd", 0, CLI_REAL, "MM", "0.5", NULL, "mean displacement above which a run fails, mm (Power 2012)"},
    {"warn-fd", 0, CLI_REAL, "MM", "0.2", NULL, "mean displacement above which a run gets a warning, mm (Power 2014)"},
    {"min-run", 0, CLI_INT, "N", "0", NULL, "kept stretches between censored frames that are shorter are left out too (nilearn's scrubbing: 5)"},
    {"min-frames", 0, CLI_INT, "N", "50", NULL, "a run with fewer frames left fails"},
    {"min-coverage", 0, CLI_REAL, "SHARE", "0.5", NULL, "a region with a smaller share of its voxels in the mask is missing, 0 to 1"},
    {"maps", 0, CLI_FLAG, NULL, NULL, NULL, "what is measured by voxel as images too (*_boldmap.nii.gz), n/a as NaN"},
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

/* What differs between machines, selections and ways of running has no place in the key of a result. */
static nep_status make_provenance(features *f)
{
    static const char *const passing[] = {"participant-label", "session-label", "task-id", "space", "no-resume", "json", "progress", "quiet",
                                          "verbose", "mem-mb", "vram-mb", "dry-run", "device", "out", "shard", "array-shard",
                                          "statistic", "cluster-p"};
    json_t *p = cli_provenance(f->c, "as the inputs"), *given = p ? json_object_get(p, "parameters") : NULL;
    const char *text = p ? json_string_value(json_object_get(p, "device")) : NULL;
    char device[256];
    NEP_REQUIRE(f->ctx, given && text, NEP_E_NOMEM, "no memory for the provenance");
    f->provenance = p;
    for (int i = 0; i < NEP_LEN(passing); i++)
        json_object_del(given, passing[i]);
    json_object_del(p, "warnings");
    snprintf(device, sizeof device, "%s", text);
    char *threads = strstr(device, " thread"), *from = threads, *after = threads ? strchr(threads + 1, ',') : NULL;
    while (from && from > device && *from != ',')
        from--;
    if (threads && *from == ',')
        memmove(from, after ? after : device + strlen(device), strlen(after ? after : "") + 1);
    json_object_set_new(p, "device", json_string(device));
    return NEP_OK;
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

/* ---- participant level ---- */

typedef struct {
    int64_t measured, skipped, failed_quality;
} tally;

static bool stops_all(nep_status st)
{
    return st == NEP_E_WRITE || st == NEP_E_INTERRUPTED || st == NEP_E_DEVICE || st == NEP_E_INTERNAL || st == NEP_E_USAGE;
}

/* PET and T1-weighted images. */
static nep_status do_other(features *f, const nep_bids_run *run, tally *n)
{
    const bool may_skip = !cli_flag(f->c, "no-resume");
    bool skipped = false;
    NEP_TRY(run->datatype == NEP_BIDS_PET ? cli_features_pet(f, run, may_skip, &skipped) : cli_features_radiomics(f, run, may_skip, &skipped));
    n->skipped += skipped;
    n->measured += !skipped;
    return NEP_OK;
}

static nep_status do_run(features *f, const nep_bids_run *run, tally *n)
{
    features_result r = {0};
    bool done = false;
    nep_status st;
    if (run->datatype != NEP_BIDS_FUNC)
        return do_other(f, run, n);
    if (!cli_flag(f->c, "no-resume"))
        NEP_TRY(cli_features_done(f, run, &done));
    if (done) {
        n->skipped++;
        return NEP_OK;
    }
    st = cli_features_measure(f, run, &r);
    if (st == NEP_OK)
        st = cli_features_write(f, run, &r);
    if (st == NEP_OK) {
        n->measured++;
        n->failed_quality += strcmp(r.verdict, "fail") == 0;
        if (strcmp(r.verdict, "fail") == 0)
            cli_say(f->c, "%s: quality fail: %s", run->stem, r.reasons);
    }
    cli_features_result_free(&r);
    return st;
}

/* A participant without an image of a datatype that is asked for fails by it. */
static nep_status note_absent(features *f, const char *participant, unsigned absent, features_failures *k)
{
    static const struct {
        nep_bids_datatype datatype;
        const char *name;
    } kinds[] = {{NEP_BIDS_FUNC, "desc-preproc_bold"}, {NEP_BIDS_PET, "desc-preproc_pet"}, {NEP_BIDS_ANAT, "desc-preproc_T1w"}};
    for (int i = 0; i < NEP_LEN(kinds); i++) {
        if (!(absent & kinds[i].datatype))
            continue;
        const nep_status st = nep_ctx_fail(f->ctx, NEP_E_MISSING, "sub-%s: has no %s.nii.gz of what is asked for", participant, kinds[i].name);
        NEP_TRY(cli_features_failed(f, k, participant, NULL, st));
    }
    return NEP_OK;
}

static nep_status do_runs(features *f, const nep_bids_filter *filter, const nep_bids_runs *runs, features_failures *k, tally *n)
{
    int64_t at = 0;
    for (int64_t p = 0; p < runs->n_participants; p++) {
        unsigned absent = filter->datatypes;
        for (; at < runs->n && strcmp(runs->runs[at].participant, runs->participants[p]) == 0; at++) {
            const nep_status st = do_run(f, &runs->runs[at], n);
            absent &= ~(unsigned)runs->runs[at].datatype;
            if (stops_all(st))
                return st;
            if (st != NEP_OK)
                NEP_TRY(cli_features_failed(f, k, runs->participants[p], &runs->runs[at], st));
            nep_progress_step(f->ctx, at + 1);
        }
        NEP_TRY(note_absent(f, runs->participants[p], absent, k));
    }
    return NEP_OK;
}

static nep_status plan(features *f, const nep_bids_filter *filter, const nep_bids_runs *runs)
{
    char text[FEATURES_OUTPUTS][FEATURES_OUTPUT_LENGTH];
    const char *outputs[FEATURES_OUTPUTS];
    const int n_outputs = cli_features_outputs(f, filter->datatypes, text);
    for (int i = 0; i < n_outputs; i++)
        outputs[i] = text[i];
    int64_t largest = 0;
    for (int64_t i = 0; i < runs->n; i++) {
        char path[4096];
        nep_nifti *n = NULL;
        NEP_TRY(cli_features_path(f->ctx, path, sizeof path, "%s/%s", f->root, runs->runs[i].bold));
        if (nep_nifti_open(f->ctx, path, &n) == NEP_OK) {
            const int64_t bytes = nep_nifti_info(n)->n_t * nep_grid_voxels(&nep_nifti_info(n)->grid) * 12;
            largest = bytes > largest ? bytes : largest;
        }
        nep_ctx_clear(f->ctx); /* what cannot be opened is told when it is measured */
        nep_nifti_free(n);
    }
    const int64_t bound = nep_alloc_budget(f->ctx) / 2;
    return cli_plan(f->c, runs->n, largest < bound ? largest : bound, (double)NAN, outputs, n_outputs);
}

static nep_status summary(features *f, const nep_bids_runs *runs, const features_failures *k, const tally *n)
{
    json_t *doc = json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "participants", (json_int_t)runs->n_participants, "runs_measured", (json_int_t)n->measured,
                            "runs_done_before", (json_int_t)n->skipped, "runs_failing_quality", (json_int_t)n->failed_quality, "runs_failed",
                            (json_int_t)k->n, "failures", json_array());
    for (int64_t i = 0; doc && i < k->n; i++)
        json_array_append_new(json_object_get(doc, "failures"), json_pack("{s:s,s:s,s:s,s:s}", "participant_id", k->participant[i], "run", k->run[i],
                                                                          "code", k->code[i], "message", k->message[i]));
    cli_say(f->c, "%lld runs of %lld participants: %lld measured (%lld fail quality), %lld done before, %lld failed", (long long)runs->n,
            (long long)runs->n_participants, (long long)n->measured, (long long)n->failed_quality, (long long)n->skipped, (long long)k->n);
    return cli_document(f->c, doc);
}

/* Exit 1 when some failed; when nothing is whole, the failures' own status, 65 when they differ. */
static nep_status verdict(features *f, const features_failures *k, const tally *n)
{
    if (k->n == 0)
        return NEP_OK;
    if (n->measured + n->skipped > 0)
        return nep_ctx_fail(f->ctx, NEP_E_PARTIAL, "%lld of %lld runs failed; failures.tsv says why", (long long)k->n,
                            (long long)(k->n + n->measured + n->skipped));
    return nep_ctx_fail(f->ctx, k->mixed ? NEP_E_FORMAT : k->first, "every run failed; the first: %s", k->message[0]);
}

static nep_status read_target(features *f)
{
    nep_nifti_header h;
    NEP_TRY(cli_images_header(f->ctx, f->o.resample_to, false, &h));
    f->target = h.grid;
    return NEP_OK;
}

static nep_status run_participant(features *f, const nep_bids_filter *filter)
{
    nep_bids_runs runs = {0};
    features_failures k = {0};
    tally n = {0};
    nep_status st;
    const bool regions = filter->datatypes & (NEP_BIDS_FUNC | NEP_BIDS_PET);
    NEP_REQUIRE(f->ctx, !regions || cli_text(f->c, "atlas"), NEP_E_USAGE, "the participant level needs --atlas");
    NEP_REQUIRE(f->ctx, !regions || f->seg[0], NEP_E_USAGE, "--atlas-name: the atlas needs a name of letters and digits");
    NEP_TRY_OR_DONE(st, nep_bids_find(f->ctx, f->root, filter, &runs));
    if (regions)
        NEP_TRY_OR_DONE(st, nep_nifti_read_atlas(f->ctx, cli_text(f->c, "atlas"), cli_text(f->c, "labels"), &f->atlas));
    if (f->o.resample_to)
        NEP_TRY_OR_DONE(st, read_target(f));
    if (cli_dry_run(f->c)) {
        st = plan(f, filter, &runs);
        goto done;
    }
    NEP_TRY_OR_DONE(st, make_provenance(f));
    NEP_TRY_OR_DONE(st, nep_file_folder(f->ctx, f->out));
    NEP_TRY_OR_DONE(st, cli_features_dataset(f));
    nep_progress_open(f->ctx, "features", runs.n);
    st = do_runs(f, filter, &runs, &k, &n);
    nep_progress_close(f->ctx);
    NEP_TRY_OR_DONE(st, st);
    NEP_TRY_OR_DONE(st, cli_features_failures_write(f, filter, &runs, &k));
    NEP_TRY_OR_DONE(st, summary(f, &runs, &k, &n));
    st = verdict(f, &k, &n);
done:
    cli_features_failures_free(&k);
    nep_bids_free(&runs);
    return st;
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
    NEP_REQUIRE(f.ctx, !cli_text(c, "out"), NEP_E_USAGE, "--out: the output folder is the second word");
    NEP_TRY_OR_DONE(st, cli_features_options(&f, &filter.datatypes));
    NEP_TRY_OR_DONE(st, read_filter(&f, &filter, labels, NEP_LEN(labels)));
    name_atlas(&f);
    st = group ? cli_features_group(&f, &filter) : run_participant(&f, &filter);
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
