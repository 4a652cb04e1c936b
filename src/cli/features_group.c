/* SPDX-License-Identifier: Apache-2.0 */
/* features_group - the outputs of all participants gathered: group_runs, group_quality, one table per feature, features.h5. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/features_others.h"
#include "cli/tabular.h"

static const char *const feature_names[] = {"alff", "falff", "reho", "lcor", "vmhc", "gcor", "degree", "weighteddegree", "meanz", "rms", "eigenvector",
                                            "strength", "coverage"};
static const char *const feature_tables[] = {"group_alff", "group_falff", "group_reho", "group_lcor", "group_vmhc", "group_gcor",
                                             "group_degree", "group_weighteddegree", "group_meanz", "group_rms", "group_eigenvector",
                                             "group_connectivity_strength", "group_coverage"};
enum { FEATURES = NEP_LEN(feature_names) };

/* Number columns of a run's quality, in the order of the tables. */
static const char *const quality_names[] = {"fd_mean", "fd_max", "n_frames", "n_kept", "n_censored", "dvars", "tsnr", "coverage", "dof"};
enum { FD_MEAN, FD_MAX, N_FRAMES, N_KEPT, N_CENSORED, DVARS, TSNR, COVERAGE, DOF, QUALITIES };

typedef struct {
    char *id, *session, *task, *run, *verdict, *confounds, *reasons; /* session, task, run, reasons may be NULL */
    double q[QUALITIES];
    double *x[FEATURES]; /* [n_regions] or NULL: not measured */
    char *glm;           /* path of the table of its contrasts, which need not be there */
    int64_t person;      /* -1 = it does not count */
} one_run;

typedef struct {
    features *f;
    nep_ctx *ctx;
    nep_bids_runs found;
    one_run *runs; /* [n] */
    int64_t n;
    char **regions;
    int64_t n_regions;
    features_others others;
    /* per participant */
    char **ids, **verdicts;
    double *n_runs, *q[QUALITIES], *x[FEATURES]; /* x [n_people, n_regions] */
    int64_t n_people;
    features_contrast *contrasts;
    int64_t n_contrasts;
} gathering;

static void gathering_free(gathering *g)
{
    for (int64_t i = 0; g->runs && i < g->n; i++) {
        void *const parts[] = {g->runs[i].id, g->runs[i].session, g->runs[i].task, g->runs[i].run, g->runs[i].verdict, g->runs[i].confounds,
                               g->runs[i].reasons, g->runs[i].glm};
        for (int k = 0; k < NEP_LEN(parts); k++)
            nep_alloc_free(parts[k]);
        for (int k = 0; k < FEATURES; k++)
            nep_alloc_free(g->runs[i].x[k]);
    }
    nep_alloc_free(g->runs);
    nep_data_free_names(g->regions, g->n_regions);
    nep_data_free_names(g->ids, g->n_people);
    cli_features_others_free(&g->others);
    nep_alloc_free(g->verdicts);
    nep_alloc_free(g->n_runs);
    for (int k = 0; k < QUALITIES; k++)
        nep_alloc_free(g->q[k]);
    for (int k = 0; k < FEATURES; k++)
        nep_alloc_free(g->x[k]);
    cli_features_contrasts_free(g->contrasts, g->n_contrasts);
    nep_bids_free(&g->found);
}

/* ---- reading ---- */

static nep_status copy_cell(gathering *g, const nep_table *t, const char *name, char **out)
{
    int64_t column;
    NEP_TRY(nep_table_need(g->ctx, t, name, &column));
    const char *text = nep_table_cell(t, 0, column);
    return text ? nep_alloc_string(g->ctx, text, out) : NEP_OK;
}

static nep_status read_quality(gathering *g, const char *path, one_run *r)
{
    nep_table t = {0};
    nep_status st;
    char **const texts[] = {&r->id, &r->session, &r->task, &r->run, &r->verdict, &r->confounds, &r->reasons};
    static const char *const names[] = {"participant_id", "session_id", "task", "run", "verdict", "confounds", "reasons"};
    NEP_TRY_OR_DONE(st, nep_tsv_read(g->ctx, path, &t));
    NEP_REQUIRE_OR_DONE(st, g->ctx, t.n_rows == 1, NEP_E_FORMAT, "%s: has %lld rows, must have one", path, (long long)t.n_rows);
    for (int k = 0; k < NEP_LEN(names); k++)
        NEP_TRY_OR_DONE(st, copy_cell(g, &t, names[k], texts[k]));
    NEP_REQUIRE_OR_DONE(st, g->ctx, r->id && r->verdict && r->confounds, NEP_E_FORMAT, "%s: participant_id, verdict and confounds must not be missing", path);
    for (int k = 0; k < QUALITIES; k++) {
        int64_t column;
        NEP_TRY_OR_DONE(st, nep_table_need(g->ctx, &t, quality_names[k], &column));
        NEP_TRY_OR_DONE(st, nep_table_number(g->ctx, &t, 0, column, &r->q[k]));
    }
done:
    nep_table_free(&t);
    return st;
}

/* Regions come from the first table; every other must have the same, in the same order. */
static nep_status check_regions(gathering *g, const nep_table *t, const char *path)
{
    if (!g->regions) {
        NEP_TRY(nep_alloc(g->ctx, t->n_rows, sizeof *g->regions, "regions", &g->regions));
        g->n_regions = t->n_rows;
        for (int64_t i = 0; i < t->n_rows; i++)
            NEP_TRY(nep_alloc_string(g->ctx, nep_table_cell(t, i, 0) ? nep_table_cell(t, i, 0) : "", &g->regions[i]));
    }
    bool same = t->n_rows == g->n_regions;
    for (int64_t i = 0; same && i < t->n_rows; i++)
        same = nep_table_cell(t, i, 0) && strcmp(nep_table_cell(t, i, 0), g->regions[i]) == 0;
    NEP_REQUIRE(g->ctx, same, NEP_E_SHAPE, "%s: its regions are not those of the other runs; measure all runs with one atlas", path);
    return NEP_OK;
}

static nep_status read_nodes(gathering *g, const char *path, double **out)
{
    nep_table t = {0};
    nep_status st = NEP_OK;
    if (!nep_file_exists(path))
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_tsv_read(g->ctx, path, &t));
    NEP_REQUIRE_OR_DONE(st, g->ctx, t.n_cols == 2 && strcmp(t.header[0], "Node") == 0, NEP_E_FORMAT, "%s: must have two columns, the first Node", path);
    NEP_TRY_OR_DONE(st, check_regions(g, &t, path));
    NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, g->n_regions, sizeof **out, "regional values", out));
    for (int64_t i = 0; i < g->n_regions; i++)
        NEP_TRY_OR_DONE(st, nep_table_number(g->ctx, &t, i, 1, &(*out)[i]));
done:
    nep_table_free(&t);
    return st;
}

static bool of_atlas(const nep_bids_run *r, const char *seg)
{
    nep_bids_name k;
    const char *value = cli_features_seg(r, &k);
    return value && strcmp(value, seg) == 0;
}

/* Without --atlas the one there is; several are refused. */
static nep_status choose_atlas(gathering *g, const nep_bids_runs *found)
{
    for (int64_t i = 0; i < found->n && !cli_text(g->f->c, "atlas") && !cli_text(g->f->c, "atlas-name"); i++) {
        nep_bids_name k;
        const char *value = cli_features_seg(&found->runs[i], &k);
        if (!value)
            continue;
        NEP_REQUIRE(g->ctx, !g->f->seg[0] || strcmp(g->f->seg, value) == 0, NEP_E_USAGE, "the outputs are of several atlases (%s, %s); choose with --atlas-name",
                    g->f->seg, value);
        snprintf(g->f->seg, sizeof g->f->seg, "%s", value);
    }
    return NEP_OK;
}

static nep_status read_all(gathering *g, const nep_bids_filter *filter)
{
    char path[4096];
    nep_bids_filter func = *filter; /* all there is, whatever --features says */
    func.datatypes = NEP_BIDS_FUNC;
    NEP_TRY(nep_bids_find_files(g->ctx, g->f->out, &func, "quality", "bold", ".tsv", &g->found));
    NEP_TRY(cli_features_others_find(g->f, filter, &g->others));
    NEP_TRY(choose_atlas(g, &g->found));
    NEP_TRY(choose_atlas(g, &g->others.pet));
    NEP_TRY(nep_alloc(g->ctx, g->found.n, sizeof *g->runs, "runs", &g->runs));
    for (int64_t i = 0; i < g->found.n; i++) {
        const nep_bids_run *r = &g->found.runs[i];
        if (!of_atlas(r, g->f->seg))
            continue;
        one_run *one = &g->runs[g->n++];
        NEP_TRY(cli_features_path(g->ctx, path, sizeof path, "%s/%s", g->f->out, r->bold));
        NEP_TRY(read_quality(g, path, one));
        for (int k = 0; k < FEATURES; k++) {
            NEP_TRY(cli_features_path(g->ctx, path, sizeof path, "%s/%s/%s_stat-%s_bold.tsv", g->f->out, r->folder, r->stem, feature_names[k]));
            NEP_TRY(read_nodes(g, path, &one->x[k]));
        }
        NEP_TRY(cli_features_path(g->ctx, path, sizeof path, "%s/%s/%s_desc-glm_bold.tsv", g->f->out, r->folder, r->stem));
        NEP_TRY(nep_alloc_string(g->ctx, path, &one->glm));
    }
    NEP_REQUIRE(g->ctx, g->n > 0 || g->others.pet.n > 0 || g->others.anat.n > 0, NEP_E_MISSING,
                "no measured run is in the output folder%s%s; run the participant level first", g->f->seg[0] ? " for atlas " : "", g->f->seg);
    NEP_REQUIRE(g->ctx, g->regions || g->n == 0, NEP_E_MISSING, "the output folder has no regional table; run the participant level again");
    return NEP_OK;
}

/* ---- one row per participant ---- */

static int rank_of(const char *verdict)
{
    return strcmp(verdict, "fail") == 0 ? 2 : strcmp(verdict, "warn") == 0 ? 1 : 0;
}

/* Runs that do not fail, or all when every one fails. */
static bool counts(const one_run *r, bool all_fail)
{
    return all_fail || rank_of(r->verdict) < 2;
}

static void average_quality(gathering *g, int64_t person, int64_t first, int64_t last, bool all_fail)
{
    double frames = 0, kept = 0, censored = 0;
    int worst = 0;
    for (int64_t i = first; i < last; i++)
        if (counts(&g->runs[i], all_fail)) {
            frames += g->runs[i].q[N_FRAMES];
            kept += g->runs[i].q[N_KEPT];
            censored += g->runs[i].q[N_CENSORED];
            g->n_runs[person] += 1;
            worst = rank_of(g->runs[i].verdict) > worst ? rank_of(g->runs[i].verdict) : worst;
        }
    for (int k = 0; k < QUALITIES; k++) {
        double sum = 0, top = (double)NAN;
        for (int64_t i = first; i < last; i++)
            if (counts(&g->runs[i], all_fail)) {
                sum += g->runs[i].q[k] * g->runs[i].q[N_FRAMES] / frames;
                top = g->runs[i].q[k] > top || isnan(top) ? g->runs[i].q[k] : top;
            }
        g->q[k][person] = k == FD_MAX ? top : k == N_FRAMES ? frames : k == N_KEPT ? kept : k == N_CENSORED ? censored : sum;
    }
    static char words[3][8] = {"pass", "warn", "fail"};
    g->verdicts[person] = words[worst];
}

/* Mean over the runs that count and have the value, each by its frames kept. */
static void average_features(gathering *g, int64_t person, int64_t first, int64_t last, bool all_fail)
{
    for (int k = 0; k < FEATURES; k++)
        for (int64_t q = 0; q < g->n_regions; q++) {
            double sum = 0, weight = 0;
            for (int64_t i = first; i < last; i++) {
                const double *x = g->runs[i].x[k];
                if (!counts(&g->runs[i], all_fail) || !x || !isfinite(x[q]))
                    continue;
                sum += x[q] * g->runs[i].q[N_KEPT];
                weight += g->runs[i].q[N_KEPT];
            }
            g->x[k][person * g->n_regions + q] = weight > 0 ? sum / weight : (double)NAN;
        }
}

static int by_id(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static nep_status add_person(gathering *g, const char *label, int64_t *n)
{
    char id[NEP_BIDS_MAX_NAME + 8];
    snprintf(id, sizeof id, "sub-%s", label);
    return nep_alloc_string(g->ctx, id, &g->ids[(*n)++]);
}

/* Whoever has a table, sorted, once. */
static nep_status find_people(gathering *g)
{
    const nep_bids_runs *const more[] = {&g->others.pet, &g->others.anat};
    int64_t n = 0;
    NEP_TRY(nep_alloc(g->ctx, g->n + more[0]->n + more[1]->n, sizeof *g->ids, "participants", &g->ids));
    for (int64_t i = 0; i < g->n; i++, g->n_people = n)
        NEP_TRY(add_person(g, g->runs[i].id + 4, &n));
    for (int m = 0; m < NEP_LEN(more); m++)
        for (int64_t i = 0; i < more[m]->n; i++, g->n_people = n)
            if (m > 0 || of_atlas(&more[m]->runs[i], g->f->seg))
                NEP_TRY(add_person(g, more[m]->runs[i].participant, &n));
    qsort(g->ids, (size_t)n, sizeof *g->ids, by_id);
    g->n_people = 0;
    for (int64_t i = 0; i < n; i++)
        if (g->n_people > 0 && strcmp(g->ids[i], g->ids[g->n_people - 1]) == 0)
            nep_alloc_free(g->ids[i]);
        else
            g->ids[g->n_people++] = g->ids[i];
    return NEP_OK;
}

/* One row per participant; without a BOLD run it is missing. */
static nep_status average(gathering *g)
{
    static char none[] = "n/a";
    NEP_TRY(find_people(g));
    NEP_TRY(nep_alloc(g->ctx, g->n_people, sizeof *g->verdicts, "verdicts", &g->verdicts));
    NEP_TRY(nep_alloc(g->ctx, g->n_people, sizeof *g->n_runs, "numbers of runs", &g->n_runs));
    for (int k = 0; k < QUALITIES; k++)
        NEP_TRY(nep_alloc(g->ctx, g->n_people, sizeof *g->q[k], "quality", &g->q[k]));
    for (int k = 0; k < FEATURES; k++)
        NEP_TRY(nep_alloc(g->ctx, g->n_people * g->n_regions, sizeof *g->x[k], "group table", &g->x[k]));
    for (int64_t first = 0, last, person = 0; person < g->n_people; first = last, person++) {
        bool all_fail = true;
        for (last = first; last < g->n && strcmp(g->runs[last].id, g->ids[person]) == 0; last++)
            all_fail = all_fail && rank_of(g->runs[last].verdict) == 2;
        for (int64_t i = first; i < last; i++)
            g->runs[i].person = counts(&g->runs[i], all_fail) ? person : -1;
        average_features(g, person, first, last, all_fail);
        if (last > first) {
            average_quality(g, person, first, last, all_fail);
            continue;
        }
        g->verdicts[person] = none;
        for (int k = 0; k < QUALITIES; k++)
            g->q[k][person] = (double)NAN;
    }
    return cli_features_others_read(g->f, &g->others, g->ids, g->n_people);
}

static void warn_mixed_confounds(gathering *g)
{
    for (int64_t i = 1; i < g->n; i++)
        if (strcmp(g->runs[i].confounds, g->runs[0].confounds) != 0) {
            nep_warn(g->ctx, "runs were cleaned with different confounds (%s: %s, %s: %s); choose one set with --confounds", g->runs[0].id,
                     g->runs[0].confounds, g->runs[i].id, g->runs[i].confounds);
            return;
        }
}

/* ---- writing ---- */

static nep_status out_path(gathering *g, const char *name, char *out, size_t size)
{
    return cli_features_path(g->ctx, out, size, "%s/%s", g->f->out, name);
}

static nep_status write_quality(gathering *g, const char *path)
{
    cli_column columns[QUALITIES + 3];
    int n = 0;
    columns[n++] = (cli_column){"participant_id", (const char *const *)g->ids, NULL};
    columns[n++] = (cli_column){"verdict", (const char *const *)g->verdicts, NULL};
    for (int k = 0; k < QUALITIES; k++)
        columns[n++] = (cli_column){quality_names[k], NULL, g->q[k]};
    columns[n++] = (cli_column){"n_runs", NULL, g->n_runs};
    return cli_tabular_write(g->ctx, path, columns, n, g->n_people);
}

static nep_status write_runs(gathering *g, const char *path)
{
    enum { TEXTS = 7 };
    const char **text[TEXTS] = {NULL};
    double *number[QUALITIES] = {NULL};
    static const char *const names[TEXTS] = {"participant_id", "session_id", "task", "run", "verdict", "confounds", "reasons"};
    cli_column columns[TEXTS + QUALITIES];
    int n = 0;
    nep_status st;
    for (int k = 0; k < TEXTS; k++)
        NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, g->n, sizeof **text, "runs", &text[k]));
    for (int k = 0; k < QUALITIES; k++)
        NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, g->n, sizeof **number, "runs", &number[k]));
    for (int64_t i = 0; i < g->n; i++) {
        const one_run *r = &g->runs[i];
        const char *const cells[TEXTS] = {r->id, r->session, r->task, r->run, r->verdict, r->confounds, r->reasons};
        for (int k = 0; k < TEXTS; k++)
            text[k][i] = cells[k];
        for (int k = 0; k < QUALITIES; k++)
            number[k][i] = r->q[k];
    }
    for (int k = 0; k < TEXTS - 2; k++)
        columns[n++] = (cli_column){names[k], text[k], NULL};
    for (int k = 0; k < QUALITIES; k++)
        columns[n++] = (cli_column){quality_names[k], NULL, number[k]};
    for (int k = TEXTS - 2; k < TEXTS; k++)
        columns[n++] = (cli_column){names[k], text[k], NULL};
    st = cli_tabular_write(g->ctx, path, columns, n, g->n);
done:
    for (int k = 0; k < TEXTS; k++)
        nep_alloc_free(text[k]);
    for (int k = 0; k < QUALITIES; k++)
        nep_alloc_free(number[k]);
    return st;
}

static bool has_feature(const gathering *g, int k)
{
    for (int64_t i = 0; i < g->n; i++)
        if (g->runs[i].x[k])
            return true;
    return false;
}

static nep_status sidecar(gathering *g, const char *path, const char *description)
{
    return cli_sidecar(g->f->c, path, "as the inputs",
                       json_pack("{s:s,s:s,s:I,s:I}", "Description", description, "Atlas", g->f->seg, "NumberOfParticipants", (json_int_t)g->n_people,
                                 "NumberOfRuns", (json_int_t)g->n));
}

static nep_status write_features(gathering *g)
{
    static const char *const descriptions[FEATURES] = {
        "Amplitude of slow fluctuations, percent, per region; participants' runs averaged by their kept frames",
        "Fractional amplitude of slow fluctuations per region", "Kendall's W of a voxel with its neighbours, mean over the region",
        "Gaussian-weighted correlation of a voxel with those around it, mean over the region",
        "Correlation of a voxel with its mirror image, mean over the region", "Correlation of a voxel with all, mean over the region",
        "Other voxels that correlate with a voxel above the threshold, mean over the region", "Sum of these correlations, mean over the region",
        "Mean Fisher z of a voxel with the others, mean over the region", "Root mean square of a voxel's correlations, mean over the region",
        "Eigenvector centrality of a voxel, mean over the region",
        "Mean Fisher z of a region with all others",
        "Share of a region's voxels that were measured"};
    char path[4096], name[64];
    for (int k = 0; k < FEATURES; k++) {
        snprintf(name, sizeof name, "%s.tsv", feature_tables[k]);
        NEP_TRY(out_path(g, name, path, sizeof path));
        if (!has_feature(g, k)) {
            unlink(path);
            continue;
        }
        NEP_TRY(nep_tsv_write_matrix(g->ctx, path, "participant_id", g->ids, g->regions, g->n_people, g->n_regions, g->x[k]));
        NEP_TRY(sidecar(g, path, descriptions[k]));
    }
    return NEP_OK;
}

static nep_status gather_contrasts(gathering *g)
{
    features_glm_run *runs = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(g->ctx, g->n, sizeof *runs, "runs", &runs));
    for (int64_t i = 0; i < g->n; i++)
        runs[i] = (features_glm_run){g->runs[i].glm, g->runs[i].person};
    st = cli_features_glm_gather(g->f, runs, g->n, g->regions, g->n_regions, g->n_people, &g->contrasts, &g->n_contrasts);
    nep_alloc_free(runs);
    return st;
}

static nep_status write_contrasts(gathering *g)
{
    char path[4096], name[512];
    NEP_TRY(cli_features_glm_clear(g->f));
    for (int64_t k = 0; k < g->n_contrasts; k++) {
        snprintf(name, sizeof name, "group_glm_%.400s.tsv", g->contrasts[k].name);
        NEP_TRY(out_path(g, name, path, sizeof path));
        NEP_TRY(nep_tsv_write_matrix(g->ctx, path, "participant_id", g->ids, g->regions, g->n_people, g->n_regions, g->contrasts[k].effect));
        NEP_TRY(sidecar(g, path, "Effect of a contrast in a region's mean series, percent of its mean; participants' runs weighted by the inverse "
                                 "of their variance"));
    }
    return NEP_OK;
}

static nep_status write_others(gathering *g)
{
    char path[4096], name[NEP_BIDS_MAX_NAME + 32];
    for (int64_t b = 0; b < g->others.n; b++) {
        const features_block *k = &g->others.block[b];
        snprintf(name, sizeof name, "group_%s.tsv", k->feature);
        NEP_TRY(out_path(g, name, path, sizeof path));
        NEP_TRY(nep_tsv_write_matrix(g->ctx, path, "participant_id", g->ids, k->names, g->n_people, k->n, k->x));
        NEP_TRY(sidecar(g, path, strcmp(k->feature, "radiomics") == 0 ? "Radiomics, label and feature; a participant's images averaged"
                                                                      : "Parameter of a PET model per region; a participant's images averaged"));
    }
    return NEP_OK;
}

/* features.h5: participants by (feature, region), quality as their columns. */
static nep_status write_matrix(gathering *g, const char *path)
{
    int64_t wide = 0, at = 0;
    double *x = NULL;
    char **names = NULL, *text = NULL;
    const char **feature = NULL, **region = NULL;
    nep_anndata_column columns[QUALITIES + 2] = {{"verdict", g->verdicts, NULL}, {"n_runs", NULL, g->n_runs}};
    json_t *provenance = NULL;
    nep_status st;
    for (int k = 0; k < FEATURES; k++)
        wide += has_feature(g, k) ? g->n_regions : 0;
    wide += g->n_contrasts * g->n_regions;
    for (int64_t b = 0; b < g->others.n; b++)
        wide += g->others.block[b].n;
    NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, g->n_people * wide, sizeof *x, "features", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, wide, sizeof *names, "features", &names));
    NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, wide, sizeof *feature, "features", &feature));
    NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, wide, sizeof *region, "features", &region));
    for (int k = 0; k < FEATURES; k++)
        for (int64_t q = 0; has_feature(g, k) && q < g->n_regions; q++, at++) {
            char name[512];
            snprintf(name, sizeof name, "%s:%.400s", feature_names[k], g->regions[q]);
            NEP_TRY_OR_DONE(st, nep_alloc_string(g->ctx, name, &names[at]));
            feature[at] = feature_names[k];
            region[at] = g->regions[q];
            for (int64_t i = 0; i < g->n_people; i++)
                x[i * wide + at] = g->x[k][i * g->n_regions + q];
        }
    for (int64_t k = 0; k < g->n_contrasts; k++)
        for (int64_t q = 0; q < g->n_regions; q++, at++) {
            char name[1024];
            snprintf(name, sizeof name, "glm_%.400s:%.400s", g->contrasts[k].name, g->regions[q]);
            NEP_TRY_OR_DONE(st, nep_alloc_string(g->ctx, name, &names[at]));
            feature[at] = "glm";
            region[at] = g->regions[q];
            for (int64_t i = 0; i < g->n_people; i++)
                x[i * wide + at] = g->contrasts[k].effect[i * g->n_regions + q];
        }
    for (int64_t b = 0; b < g->others.n; b++)
        for (int64_t q = 0; q < g->others.block[b].n; q++, at++) {
            const features_block *k = &g->others.block[b];
            char name[1024];
            snprintf(name, sizeof name, "%s:%.400s", k->feature, k->names[q]);
            NEP_TRY_OR_DONE(st, nep_alloc_string(g->ctx, name, &names[at]));
            feature[at] = k->feature;
            region[at] = k->names[q];
            for (int64_t i = 0; i < g->n_people; i++)
                x[i * wide + at] = k->x[i * k->n + q];
        }
    for (int k = 0; k < QUALITIES; k++)
        columns[k + 2] = (nep_anndata_column){quality_names[k], NULL, g->q[k]};
    provenance = cli_provenance(g->f->c, "as the inputs");
    text = provenance ? json_dumps(provenance, JSON_SORT_KEYS) : NULL;
    const nep_anndata_column kinds[] = {{"feature", (char *const *)feature, NULL}, {"region", (char *const *)region, NULL}};
    const nep_anndata a = {.n_obs = g->n_people, .n_var = wide, .n_obs_columns = NEP_LEN(columns), .n_var_columns = NEP_LEN(kinds), .x = x,
                           .obs_name = "participant_id", .var_name = "name", .obs = g->ids, .var = names, .obs_columns = columns,
                           .var_columns = kinds, .provenance = text};
    st = nep_anndata_write(g->ctx, path, &a);
done:
    free(text);
    json_decref(provenance);
    nep_alloc_free(region);
    nep_alloc_free(feature);
    nep_data_free_names(names, at);
    nep_alloc_free(x);
    return st;
}

static nep_status write_bold(gathering *g)
{
    char path[4096];
    NEP_TRY(out_path(g, "group_runs.tsv", path, sizeof path));
    NEP_TRY(write_runs(g, path));
    NEP_TRY(sidecar(g, path, "Quality of every run"));
    NEP_TRY(out_path(g, "group_quality.tsv", path, sizeof path));
    NEP_TRY(write_quality(g, path));
    NEP_TRY(sidecar(g, path, "Quality per participant over the runs that do not fail (over all where every run fails); dvars is voxelwise-standardised, "
                             "tsnr the median over voxels, coverage the measured share of the atlas"));
    NEP_TRY(write_features(g));
    return write_contrasts(g);
}

static nep_status write_all(gathering *g)
{
    char path[4096];
    NEP_TRY(write_others(g));
    if (g->n > 0)
        NEP_TRY(write_bold(g));
    NEP_TRY(out_path(g, "features.h5", path, sizeof path));
    return write_matrix(g, path);
}

static nep_status plan(gathering *g)
{
    enum { MOST_OTHERS = 32 };
    const char *outputs[FEATURES + MOST_OTHERS + 3];
    char names[FEATURES + MOST_OTHERS][NEP_BIDS_MAX_NAME + 32];
    int n = 0, m = 0;
    for (int64_t b = 0; b < g->others.n && b < MOST_OTHERS; b++, m++) {
        snprintf(names[m], sizeof names[m], "group_%s.tsv", g->others.block[b].feature);
        outputs[n++] = names[m];
    }
    if (g->n > 0) {
        outputs[n++] = "group_runs.tsv";
        outputs[n++] = "group_quality.tsv";
    }
    for (int k = 0; k < FEATURES; k++)
        if (has_feature(g, k)) {
            snprintf(names[m], sizeof names[m], "%s.tsv", feature_tables[k]);
            outputs[n++] = names[m++];
        }
    outputs[n++] = "features.h5";
    return cli_plan(g->f->c, g->n_people, nep_alloc_used(g->ctx), (double)NAN, outputs, n);
}

nep_status cli_features_group(features *f, const nep_bids_filter *filter)
{
    gathering g = {.f = f, .ctx = f->ctx};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_all(&g, filter));
    NEP_TRY_OR_DONE(st, average(&g));
    NEP_TRY_OR_DONE(st, gather_contrasts(&g));
    if (cli_dry_run(f->c)) {
        st = plan(&g);
        goto done;
    }
    warn_mixed_confounds(&g);
    NEP_TRY_OR_DONE(st, write_all(&g));
    cli_say(f->c, "%lld participants, %lld runs, %lld regions", (long long)g.n_people, (long long)g.n, (long long)g.n_regions);
    st = cli_document(f->c, json_pack("{s:I,s:I,s:I,s:s}", "participants", (json_int_t)g.n_people, "runs", (json_int_t)g.n, "regions",
                                      (json_int_t)g.n_regions, "atlas", f->seg));
done:
    gathering_free(&g);
    return st;
}
