/* SPDX-License-Identifier: Apache-2.0 */
/* bids - the images of a BIDS-derivatives folder: one bounded walk over sub-<label>/[ses-<label>/]func, pet and anat. */
#include <nepenthe/bids.h>
#include <nepenthe/data.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 1000000 };

/* ---- names ---- */

static bool plain_word(const char *word)
{
    if (*word == '\0')
        return false;
    for (const char *p = word; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '+')
            return false;
    return true;
}

static bool take_entity(char *part, nep_bids_name *out)
{
    char *dash = strchr(part, '-');
    if (!dash || out->n >= NEP_BIDS_MAX_ENTITIES)
        return false;
    *dash = '\0';
    if (!plain_word(part) || !plain_word(dash + 1) || nep_bids_value(out, part))
        return false;
    out->key[out->n] = part;
    out->value[out->n++] = dash + 1;
    return true;
}

bool nep_bids_parse(const char *file_name, nep_bids_name *out)
{
    const size_t n = strlen(file_name);
    *out = (nep_bids_name){0};
    if (n == 0 || n > NEP_BIDS_MAX_NAME)
        return false;
    memcpy(out->text, file_name, n + 1);
    char *dot = strchr(out->text, '.'), *part = out->text;
    out->ext = dot ? file_name + (dot - out->text) : "";
    if (dot) {
        /* the extension keeps its dot: it moves one place to make room for the end of the suffix */
        if (n == NEP_BIDS_MAX_NAME)
            return false;
        memmove(dot + 1, dot, strlen(dot) + 1);
        *dot = '\0';
        out->ext = dot + 1;
    } else {
        out->ext = out->text + n;
    }
    for (char *bar; (bar = strchr(part, '_')) != NULL; part = bar + 1) {
        *bar = '\0';
        if (!take_entity(part, out))
            return false;
    }
    out->suffix = part;
    return out->n > 0 && plain_word(part) && !strchr(part, '+');
}

const char *nep_bids_value(const nep_bids_name *name, const char *key)
{
    for (int i = 0; i < name->n; i++)
        if (strcmp(name->key[i], key) == 0)
            return name->value[i];
    return NULL;
}

static const char *bare_label(const char *label, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(label, prefix, n) == 0 ? label + n : label;
}

static bool listed(const char *label, const char *const *labels, int n, const char *prefix)
{
    for (int i = 0; i < n; i++)
        if (strcmp(bare_label(labels[i], prefix), label) == 0)
            return true;
    return n == 0;
}

/* ---- folders ---- */

typedef struct {
    char **names;
    int64_t n, room;
} listing;

static void listing_free(listing *l)
{
    nep_data_free_names(l->names, l->n);
    *l = (listing){0};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static nep_status listing_add(nep_ctx *ctx, listing *l, const char *name)
{
    NEP_REQUIRE(ctx, l->n < MAX_LISTED, NEP_E_FORMAT, "bids: a folder with more than %d entries", MAX_LISTED);
    if (l->n == l->room) {
        NEP_TRY(nep_alloc_grow(ctx, l->room ? l->room * 2 : 64, sizeof *l->names, "names of a folder", &l->names));
        l->room = l->room ? l->room * 2 : 64;
    }
    NEP_TRY(nep_alloc_string(ctx, name, &l->names[l->n]));
    l->n++;
    return NEP_OK;
}

/* Names in root/folder that begin with `prefix`, sorted. A folder that is not there has none when it may be absent. */
static nep_status list(nep_ctx *ctx, const char *root, const char *folder, const char *prefix, bool may_be_absent, listing *out)
{
    char *path = NULL;
    DIR *d = NULL;
    listing l = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_file_join(ctx, root, folder, &path));
    d = opendir(path);
    if (!d && may_be_absent && (errno == ENOENT || errno == ENOTDIR)) {
        *out = l;
        goto done;
    }
    NEP_REQUIRE_OR_DONE(st, ctx, d, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, "bids: the folder '%s' cannot be read: %s",
                        *folder ? folder : root, strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.' && strncmp(e->d_name, prefix, strlen(prefix)) == 0)
            NEP_TRY_OR_DONE(st, listing_add(ctx, &l, e->d_name));
    if (l.n > 1)
        qsort(l.names, (size_t)l.n, sizeof *l.names, by_text);
    *out = l;
    l = (listing){0};
done:
    listing_free(&l);
    if (d)
        closedir(d);
    nep_alloc_free(path);
    return st;
}

/* ---- what belongs to a run ---- */

static bool one_of(const char *key, const char *const *set)
{
    for (int i = 0; set[i]; i++)
        if (strcmp(key, set[i]) == 0)
            return true;
    return false;
}

/* Every entity of a, but those of `ignored`, is in b with the same value. */
static bool within(const nep_bids_name *a, const nep_bids_name *b, const char *const *ignored)
{
    for (int i = 0; i < a->n; i++) {
        const char *other = nep_bids_value(b, a->key[i]);
        if (!one_of(a->key[i], ignored) && !(other && strcmp(other, a->value[i]) == 0))
            return false;
    }
    return true;
}

static const char *const desc_alone[] = {"desc", NULL};
static const char *const of_space[] = {"desc", "space", "cohort", "res", "den", NULL};

/* The one file beside `bold` with this desc and one of two suffixes; entities of `ignored` may differ or lack. */
static nep_status beside(nep_ctx *ctx, const listing *files, const nep_bids_name *bold, const char *const *ignored, const char *desc,
                         const char *const suffixes[2], const char *const exts[2], const char *folder, char **out)
{
    for (int64_t i = 0; i < files->n; i++) {
        nep_bids_name k;
        if (!nep_bids_parse(files->names[i], &k) || !nep_bids_value(&k, "desc") || strcmp(nep_bids_value(&k, "desc"), desc) != 0 ||
            (strcmp(k.suffix, suffixes[0]) != 0 && strcmp(k.suffix, suffixes[1]) != 0) ||
            (strcmp(k.ext, exts[0]) != 0 && strcmp(k.ext, exts[1]) != 0) || !within(bold, &k, ignored) || !within(&k, bold, desc_alone))
            continue;
        return nep_file_join(ctx, folder, files->names[i], out);
    }
    return NEP_OK;
}

static void run_free(nep_bids_run *r)
{
    void *const parts[] = {r->participant, r->session, r->task, r->run, r->space, r->folder, r->stem, r->bold, r->mask, r->confounds, r->sidecar, r->labels};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *r = (nep_bids_run){0};
}

void nep_bids_free(nep_bids_runs *r)
{
    for (int64_t i = 0; i < r->n; i++)
        run_free(&r->runs[i]);
    nep_alloc_free(r->runs);
    nep_data_free_names(r->participants, r->n_participants);
    *r = (nep_bids_runs){0};
}

static nep_status copy_or_null(nep_ctx *ctx, const char *text, char **out)
{
    return text ? nep_alloc_string(ctx, text, out) : NEP_OK;
}

static nep_status run_make(nep_ctx *ctx, const char *folder, const char *file, const nep_bids_name *k, nep_bids_run *out)
{
    char stem[NEP_BIDS_MAX_NAME + 1];
    const char *desc = strstr(file, "_desc-"), *end = desc ? desc : strrchr(file, '_');
    snprintf(stem, sizeof stem, "%.*s", (int)(end - file), file);
    NEP_TRY(copy_or_null(ctx, nep_bids_value(k, "sub"), &out->participant));
    NEP_TRY(copy_or_null(ctx, nep_bids_value(k, "ses"), &out->session));
    NEP_TRY(copy_or_null(ctx, nep_bids_value(k, "task"), &out->task));
    NEP_TRY(copy_or_null(ctx, nep_bids_value(k, "run"), &out->run));
    NEP_TRY(copy_or_null(ctx, nep_bids_value(k, "space"), &out->space));
    NEP_TRY(nep_alloc_string(ctx, folder, &out->folder));
    NEP_TRY(nep_alloc_string(ctx, stem, &out->stem));
    return nep_file_join(ctx, folder, file, &out->bold);
}

/* <stem>_<end>.nii.gz or .nii */
static nep_status find_labels(nep_ctx *ctx, const listing *files, const char *end, nep_bids_run *r)
{
    const size_t n = strlen(r->stem), m = strlen(end);
    for (int64_t i = 0; i < files->n; i++) {
        const char *name = files->names[i];
        if (strncmp(name, r->stem, n) == 0 && name[n] == '_' && strncmp(name + n + 1, end, m) == 0 &&
            (strcmp(name + n + 1 + m, ".nii.gz") == 0 || strcmp(name + n + 1 + m, ".nii") == 0))
            return nep_file_join(ctx, r->folder, name, &r->labels);
    }
    return NEP_OK;
}

static nep_status companions(nep_ctx *ctx, const listing *files, const nep_bids_name *k, const char *labels, nep_bids_run *r)
{
    static const char *const images[2] = {".nii.gz", ".nii"}, *const tables[2] = {".tsv", ".tsv"}, *const json[2] = {".json", ".json"};
    static const char *const mask[2] = {"mask", "mask"}, *const series[2] = {"timeseries", "regressors"};
    const char *const own[2] = {k->suffix, k->suffix};
    if (r->datatype == NEP_BIDS_ANAT)
        NEP_TRY(find_labels(ctx, files, labels ? labels : "desc-aseg_dseg", r));
    NEP_TRY(beside(ctx, files, k, desc_alone, "brain", mask, images, r->folder, &r->mask));
    if (r->datatype == NEP_BIDS_FUNC)
        NEP_TRY(beside(ctx, files, k, of_space, "confounds", series, tables, r->folder, &r->confounds));
    return beside(ctx, files, k, desc_alone, "preproc", own, json, r->folder, &r->sidecar);
}

/* ---- the walk ---- */

typedef struct {
    nep_ctx *ctx;
    const char *root, *desc, *suffix, *ext; /* suffix NULL: that of the folder */
    const nep_bids_filter *filter;
    bool with_companions;
    nep_bids_runs found;
    int64_t room;
} walk;

static const struct {
    nep_bids_datatype datatype;
    const char *folder, *suffix;
} kinds[] = {{NEP_BIDS_ANAT, "anat", "T1w"}, {NEP_BIDS_FUNC, "func", "bold"}, {NEP_BIDS_PET, "pet", "pet"}};

static bool wanted(const walk *w, int kind, const nep_bids_name *k, const char *participant, const char *session)
{
    const char *sub = nep_bids_value(k, "sub"), *ses = nep_bids_value(k, "ses"), *desc = nep_bids_value(k, "desc");
    const char *task = nep_bids_value(k, "task"), *space = nep_bids_value(k, "space");
    const nep_bids_filter *f = w->filter;
    if (!sub || strcmp(sub, participant) != 0 || !!ses != !!session || (ses && strcmp(ses, session) != 0))
        return false;
    if (!!desc != !!w->desc || (desc && strcmp(desc, w->desc) != 0) || strcmp(k->suffix, w->suffix ? w->suffix : kinds[kind].suffix) != 0)
        return false;
    if (strcmp(k->ext, w->ext) != 0 && !(strcmp(w->ext, ".nii.gz") == 0 && strcmp(k->ext, ".nii") == 0))
        return false;
    if (kinds[kind].datatype == NEP_BIDS_ANAT)
        return !space;
    if (kinds[kind].datatype == NEP_BIDS_FUNC && f->n_tasks > 0 && !(task && listed(task, f->tasks, f->n_tasks, "task-")))
        return false;
    return !f->space || (space && strcmp(space, bare_label(f->space, "space-")) == 0);
}

static nep_status refuse_twins(walk *w, const nep_bids_name *k, const char *file, int64_t first)
{
    for (int64_t i = first; i < w->found.n; i++) {
        nep_bids_name other;
        const char *before = strrchr(w->found.runs[i].bold, '/');
        if (before && nep_bids_parse(before + 1, &other) && within(k, &other, of_space) && within(&other, k, of_space))
            return nep_ctx_fail(w->ctx, NEP_E_ARG, "%s and %s are one run in two spaces or formats; choose one with --space", before + 1, file);
    }
    return NEP_OK;
}

static nep_status walk_folder(walk *w, int kind, const char *folder, const char *participant, const char *session)
{
    listing files = {0};
    const int64_t first = w->found.n;
    nep_status st;
    NEP_TRY_OR_DONE(st, list(w->ctx, w->root, folder, "sub-", true, &files));
    for (int64_t i = 0; i < files.n; i++) {
        nep_bids_name k;
        if (!nep_bids_parse(files.names[i], &k) || !wanted(w, kind, &k, participant, session))
            continue;
        if (w->with_companions)
            NEP_TRY_OR_DONE(st, refuse_twins(w, &k, files.names[i], first));
        if (w->found.n == w->room) {
            NEP_TRY_OR_DONE(st, nep_alloc_grow(w->ctx, w->room ? w->room * 2 : 64, sizeof *w->found.runs, "runs", &w->found.runs));
            w->room = w->room ? w->room * 2 : 64;
        }
        nep_bids_run *r = &w->found.runs[w->found.n++];
        r->datatype = kinds[kind].datatype;
        NEP_TRY_OR_DONE(st, run_make(w->ctx, folder, files.names[i], &k, r));
        if (w->with_companions)
            NEP_TRY_OR_DONE(st, companions(w->ctx, &files, &k, w->filter->labels, r));
    }
done:
    listing_free(&files);
    return st;
}

static nep_status walk_session(walk *w, const char *participant, const char *session)
{
    const unsigned datatypes = w->filter->datatypes ? w->filter->datatypes : NEP_BIDS_FUNC;
    char folder[3 * NEP_BIDS_MAX_NAME + 32];
    for (int k = 0; k < NEP_LEN(kinds); k++) {
        if (!(datatypes & kinds[k].datatype))
            continue;
        snprintf(folder, sizeof folder, "sub-%s/%s%s%s%s", participant, session ? "ses-" : "", session ? session : "", session ? "/" : "",
                 kinds[k].folder);
        NEP_TRY(walk_folder(w, k, folder, participant, session));
    }
    return NEP_OK;
}

static nep_status walk_participant(walk *w, const char *participant)
{
    char folder[3 * NEP_BIDS_MAX_NAME + 32];
    listing sessions = {0};
    nep_status st;
    if (w->filter->n_sessions == 0)
        NEP_TRY(walk_session(w, participant, NULL));
    snprintf(folder, sizeof folder, "sub-%s", participant);
    NEP_TRY_OR_DONE(st, list(w->ctx, w->root, folder, "ses-", true, &sessions));
    for (int64_t i = 0; i < sessions.n; i++) {
        const char *label = sessions.names[i] + 4;
        if (!plain_word(label) || !listed(label, w->filter->sessions, w->filter->n_sessions, "ses-"))
            continue;
        NEP_TRY_OR_DONE(st, walk_session(w, participant, label));
    }
done:
    listing_free(&sessions);
    return st;
}

/* Drops the participants of other shards. A shard may be empty. */
static void keep_shard(walk *w)
{
    const int64_t n = w->filter->n_shards;
    int64_t kept = 0;
    for (int64_t p = 0; n > 0 && p < w->found.n_participants; p++) {
        char *label = w->found.participants[p];
        if (p % n == w->filter->shard)
            w->found.participants[kept++] = label;
        else
            nep_alloc_free(label);
    }
    if (n > 0)
        w->found.n_participants = kept;
}

/* Every label that was asked for must be there; the sentence names the nearest. */
static nep_status check_labels(walk *w)
{
    const nep_bids_filter *f = w->filter;
    for (int i = 0; i < f->n_participants; i++) {
        const char *label = bare_label(f->participants[i], "sub-");
        bool there = false;
        for (int64_t p = 0; p < w->found.n_participants && !there; p++)
            there = strcmp(w->found.participants[p], label) == 0;
        NEP_REQUIRE(w->ctx, there, NEP_E_MISSING, "%s: there is no participant 'sub-%s'", w->root, label);
    }
    return NEP_OK;
}

static nep_status find_participants(walk *w)
{
    listing l = {0}, kept = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, list(w->ctx, w->root, "", "sub-", false, &l));
    for (int64_t i = 0; i < l.n; i++)
        if (plain_word(l.names[i] + 4) && listed(l.names[i] + 4, w->filter->participants, w->filter->n_participants, "sub-"))
            NEP_TRY_OR_DONE(st, listing_add(w->ctx, &kept, l.names[i] + 4));
    w->found.participants = kept.names;
    w->found.n_participants = kept.n;
    kept = (listing){0};
    NEP_TRY_OR_DONE(st, check_labels(w));
    NEP_REQUIRE_OR_DONE(st, w->ctx, w->found.n_participants > 0, NEP_E_MISSING, "%s: has no folder sub-<label>; is it a BIDS data set?", w->root);
    keep_shard(w);
done:
    listing_free(&kept);
    listing_free(&l);
    return st;
}

static nep_status walk_all(walk *w, nep_bids_runs *out)
{
    nep_status st;
    NEP_TRY_OR_DONE(st, find_participants(w));
    for (int64_t i = 0; i < w->found.n_participants; i++)
        NEP_TRY_OR_DONE(st, walk_participant(w, w->found.participants[i]));
    *out = w->found;
    w->found = (nep_bids_runs){0};
done:
    nep_bids_free(&w->found);
    return st;
}

nep_status nep_bids_find(nep_ctx *ctx, const char *root, const nep_bids_filter *filter, nep_bids_runs *out)
{
    static const nep_bids_filter everything = {0};
    walk w = {.ctx = ctx, .root = root, .desc = "preproc", .ext = ".nii.gz", .filter = filter ? filter : &everything,
              .with_companions = true};
    return walk_all(&w, out);
}

nep_status nep_bids_find_files(nep_ctx *ctx, const char *root, const nep_bids_filter *filter, const char *desc, const char *suffix,
                               const char *ext, nep_bids_runs *out)
{
    static const nep_bids_filter everything = {0};
    walk w = {.ctx = ctx, .root = root, .desc = desc, .suffix = suffix, .ext = ext, .filter = filter ? filter : &everything};
    return walk_all(&w, out);
}
