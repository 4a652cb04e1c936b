/* SPDX-License-Identifier: Apache-2.0 */
/* features_gather - every run's quality and regional tables, one row per participant out of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/features_gather.h"

const char *const cli_features_regional[FEATURES] = {"alff", "falff", "reho", "lcor", "vmhc", "gcor", "degree", "weighteddegree", "meanz", "rms",
                                                     "eigenvector", "voxelstrength", "meanr", "tsnr", "strength", "coverage"};
const char *const cli_features_qualities[QUALITIES] = {"fd_mean", "fd_max", "n_frames", "n_kept", "n_censored", "dvars", "tsnr", "coverage", "dof"};

void cli_features_gather_free(features_gathering *g)
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

static nep_status copy_cell(features_gathering *g, const nep_table *t, const char *name, char **out)
{
    int64_t column;
    NEP_TRY(nep_table_need(g->ctx, t, name, &column));
    const char *text = nep_table_cell(t, 0, column);
    return text ? nep_alloc_string(g->ctx, text, out) : NEP_OK;
}

static nep_status read_quality(features_gathering *g, const char *path, features_gathered_run *r)
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
        NEP_TRY_OR_DONE(st, nep_table_need(g->ctx, &t, cli_features_qualities[k], &column));
        NEP_TRY_OR_DONE(st, nep_table_number(g->ctx, &t, 0, column, &r->q[k]));
    }
done:
    nep_table_free(&t);
    return st;
}

/* Regions come from the first table; every other must have the same, in the same order. */
static nep_status check_regions(features_gathering *g, const nep_table *t, const char *path)
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

static nep_status read_nodes(features_gathering *g, const char *path, double **out)
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
static nep_status choose_atlas(features_gathering *g, const nep_bids_runs *found)
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

/* A table of what was measured by voxel has one of several names; the participant level leaves one of them. */
static nep_status read_feature(features_gathering *g, const nep_bids_run *r, int k, features_gathered_run *one)
{
    const bool by_voxel = k < FEATURES_MAPS;
    char path[4096];
    for (int desc = 0; desc < (by_voxel ? FEATURES_DESCS : 1) && !one->x[k]; desc++) {
        NEP_TRY(cli_features_path(g->ctx, path, sizeof path, "%s/%s/%s_stat-%s%s_bold.tsv", g->f->out, r->folder, r->stem, cli_features_regional[k],
                                  cli_features_desc[desc]));
        NEP_TRY(read_nodes(g, path, &one->x[k]));
        if (by_voxel && one->x[k])
            one->desc = desc;
    }
    return NEP_OK;
}

static nep_status read_all(features_gathering *g, const nep_bids_filter *filter)
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
        features_gathered_run *one = &g->runs[g->n++];
        one->desc = -1;
        one->source = r;
        NEP_TRY(cli_features_path(g->ctx, path, sizeof path, "%s/%s", g->f->out, r->bold));
        NEP_TRY(read_quality(g, path, one));
        for (int k = 0; k < FEATURES; k++) {
            NEP_TRY(read_feature(g, r, k, one));
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
static bool counts(const features_gathered_run *r, bool all_fail)
{
    return all_fail || rank_of(r->verdict) < 2;
}

static void average_quality(features_gathering *g, int64_t person, int64_t first, int64_t last, bool all_fail)
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
static void average_features(features_gathering *g, int64_t person, int64_t first, int64_t last, bool all_fail)
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

static nep_status add_person(features_gathering *g, const char *label, int64_t *n)
{
    char id[NEP_BIDS_MAX_NAME + 8];
    snprintf(id, sizeof id, "sub-%s", label);
    return nep_alloc_string(g->ctx, id, &g->ids[(*n)++]);
}

/* Whoever has a table, sorted, once. */
static nep_status find_people(features_gathering *g)
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
static nep_status average(features_gathering *g)
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

static nep_status gather_contrasts(features_gathering *g)
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

nep_status cli_features_gather(features_gathering *g, const nep_bids_filter *filter)
{
    NEP_TRY(read_all(g, filter));
    NEP_TRY(average(g));
    return gather_contrasts(g);
}
