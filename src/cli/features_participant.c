/* SPDX-License-Identifier: Apache-2.0 */
/* features_participant - the participant level: every image in turn, what fails noted, what is done skipped. */
#include <math.h>
#include <string.h>

#include "cli/features_unit.h"
#include "cli/images.h"

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

/* What an image must be of, as far as it was asked for: " of task rest and session 1". */
static void say_asked(const nep_bids_filter *filter, char *out, size_t size)
{
    const struct {
        const char *name;
        const char *const *values;
        int n;
    } words[] = {{"task ", filter->tasks, filter->n_tasks}, {"session ", filter->sessions, filter->n_sessions},
                 {"space ", &filter->space, filter->space != NULL}};
    size_t at = 0;
    *out = '\0';
    for (int i = 0; i < NEP_LEN(words); i++)
        for (int j = 0; j < words[i].n && at < size; j++)
            at += (size_t)snprintf(out + at, size - at, "%s%s%s", j > 0 ? ", " : at > 0 ? " and " : " of ", j > 0 ? "" : words[i].name,
                                   words[i].values[j]);
}

/* A participant without an image of a datatype that is asked for fails by it. */
static nep_status note_absent(features *f, const nep_bids_filter *filter, const char *participant, unsigned absent, features_failures *k)
{
    char asked[256];
    say_asked(filter, asked, sizeof asked);
    static const struct {
        nep_bids_datatype datatype;
        const char *name;
    } kinds[] = {{NEP_BIDS_FUNC, "desc-preproc_bold"}, {NEP_BIDS_PET, "desc-preproc_pet"}, {NEP_BIDS_ANAT, "desc-preproc_T1w"}};
    for (int i = 0; i < NEP_LEN(kinds); i++) {
        if (!(absent & kinds[i].datatype))
            continue;
        const nep_status st = nep_ctx_fail(f->ctx, NEP_E_MISSING, "sub-%s: has no %s.nii.gz%s", participant, kinds[i].name, asked);
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
        NEP_TRY(note_absent(f, filter, runs->participants[p], absent, k));
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

nep_status cli_features_participant(features *f, const nep_bids_filter *filter)
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
