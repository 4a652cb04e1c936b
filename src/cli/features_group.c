/* SPDX-License-Identifier: Apache-2.0 */
/* features_group - what the group level writes: group_runs, group_quality, one table per feature, features.h5. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/features_permute.h"
#include "cli/tabular.h"

static const char *const feature_tables[FEATURES] = {"group_alff", "group_falff", "group_reho", "group_lcor", "group_vmhc", "group_gcor",
                                             "group_degree", "group_weighteddegree", "group_meanz", "group_rms", "group_eigenvector",
                                             "group_voxelstrength", "group_meanr", "group_tsnr",
                                             "group_connectivity_strength", "group_coverage"};

static void warn_mixed_confounds(features_gathering *g)
{
    for (int64_t i = 1; i < g->n; i++)
        if (strcmp(g->runs[i].confounds, g->runs[0].confounds) != 0) {
            nep_warn(g->ctx, "runs were cleaned with different confounds (%s: %s, %s: %s); choose one set with --confounds", g->runs[0].id,
                     g->runs[0].confounds, g->runs[i].id, g->runs[i].confounds);
            return;
        }
}

/* A map of smoothed runs is no map of runs as they are. */
static nep_status require_one_desc(features_gathering *g)
{
    const features_gathered_run *first = NULL;
    g->desc = -1;
    for (int64_t i = 0; i < g->n; i++) {
        const features_gathered_run *r = &g->runs[i];
        if (r->desc < 0)
            continue;
        first = first ? first : r;
        g->desc = first->desc;
        NEP_REQUIRE(g->ctx, r->desc == first->desc, NEP_E_FORMAT,
                    "what is measured by voxel was made in different ways (%s: %s, %s: %s); measure all runs with the same --fwhm and --resample-to",
                    first->id, first->desc > 0 ? cli_features_desc[first->desc] + 1 : "as the run came", r->id,
                    r->desc > 0 ? cli_features_desc[r->desc] + 1 : "as the run came");
    }
    return NEP_OK;
}

static nep_status out_path(features_gathering *g, const char *name, char *out, size_t size)
{
    return cli_features_path(g->ctx, out, size, "%s/%s", g->f->out, name);
}

static nep_status write_quality(features_gathering *g, const char *path)
{
    cli_column columns[QUALITIES + 3];
    int n = 0;
    columns[n++] = (cli_column){"participant_id", (const char *const *)g->ids, NULL};
    columns[n++] = (cli_column){"verdict", (const char *const *)g->verdicts, NULL};
    for (int k = 0; k < QUALITIES; k++)
        columns[n++] = (cli_column){cli_features_qualities[k], NULL, g->q[k]};
    columns[n++] = (cli_column){"n_runs", NULL, g->n_runs};
    return cli_tabular_write(g->ctx, path, columns, n, g->n_people);
}

static nep_status write_runs(features_gathering *g, const char *path)
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
        const features_gathered_run *r = &g->runs[i];
        const char *const cells[TEXTS] = {r->id, r->session, r->task, r->run, r->verdict, r->confounds, r->reasons};
        for (int k = 0; k < TEXTS; k++)
            text[k][i] = cells[k];
        for (int k = 0; k < QUALITIES; k++)
            number[k][i] = r->q[k];
    }
    for (int k = 0; k < TEXTS - 2; k++)
        columns[n++] = (cli_column){names[k], text[k], NULL};
    for (int k = 0; k < QUALITIES; k++)
        columns[n++] = (cli_column){cli_features_qualities[k], NULL, number[k]};
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

static bool has_feature(const features_gathering *g, int k)
{
    for (int64_t i = 0; i < g->n; i++)
        if (g->runs[i].x[k])
            return true;
    return false;
}

static nep_status sidecar(features_gathering *g, const char *path, const char *description)
{
    return cli_sidecar(g->f->c, path, "as the inputs",
                       json_pack("{s:s,s:s,s:I,s:I}", "Description", description, "Atlas", g->f->seg, "NumberOfParticipants", (json_int_t)g->n_people,
                                 "NumberOfRuns", (json_int_t)g->n));
}

static nep_status write_features(features_gathering *g)
{
    static const char *const descriptions[FEATURES] = {
        "Amplitude of slow fluctuations, percent, per region; participants' runs averaged by their kept frames",
        "Fractional amplitude of slow fluctuations per region", "Kendall's W of a voxel with its neighbours, mean over the region",
        "Gaussian-weighted correlation of a voxel with those around it, mean over the region",
        "Correlation of a voxel with its mirror image, mean over the region", "Correlation of a voxel with all, mean over the region",
        "Other voxels that correlate with a voxel above the threshold, mean over the region", "Sum of these correlations, mean over the region",
        "Mean Fisher z of a voxel with the others, mean over the region", "Root mean square of a voxel's correlations, mean over the region",
        "Eigenvector centrality of a voxel, mean over the region", "Sum of a voxel's correlations with all others, mean over the region",
        "Mean correlation of a voxel with the others, mean over the region",
        "Mean over frames of a voxel divided by its standard deviation, mean over the region",
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

static nep_status write_contrasts(features_gathering *g)
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

static nep_status write_others(features_gathering *g)
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
static nep_status write_matrix(features_gathering *g, const char *path)
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
            snprintf(name, sizeof name, "%s:%.400s", cli_features_regional[k], g->regions[q]);
            NEP_TRY_OR_DONE(st, nep_alloc_string(g->ctx, name, &names[at]));
            feature[at] = cli_features_regional[k];
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
        columns[k + 2] = (nep_anndata_column){cli_features_qualities[k], NULL, g->q[k]};
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

static nep_status write_bold(features_gathering *g)
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

static nep_status write_all(features_gathering *g)
{
    char path[4096];
    NEP_TRY(write_others(g));
    if (g->n > 0)
        NEP_TRY(write_bold(g));
    NEP_TRY(out_path(g, "features.h5", path, sizeof path));
    return write_matrix(g, path);
}

static nep_status plan(features_gathering *g)
{
    enum { MOST_OTHERS = 32 };
    const char *outputs[FEATURES + MOST_OTHERS + 8];
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
    if (cli_flag(g->f->c, "tangent")) {
        outputs[n++] = "sub-*/[ses-*/]func/*_stat-tangent_relmat.tsv";
        outputs[n++] = "group_tangent_mean.tsv";
    }
    if (g->f->tests) {
        outputs[n++] = "group/*_permutation.tsv";
        outputs[n++] = "group/*_statmap.nii.gz";
        outputs[n++] = "group/*_peaks.tsv";
    }
    return cli_plan(g->f->c, g->n_people, nep_alloc_used(g->ctx), (double)NAN, outputs, n);
}

nep_status cli_features_group(features *f, const nep_bids_filter *filter)
{
    features_gathering g = {.f = f, .ctx = f->ctx};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_features_gather(&g, filter));
    if (cli_dry_run(f->c)) {
        st = plan(&g);
        goto done;
    }
    warn_mixed_confounds(&g);
    NEP_TRY_OR_DONE(st, require_one_desc(&g));
    NEP_TRY_OR_DONE(st, write_all(&g));
    if (cli_flag(f->c, "tangent"))
        NEP_TRY_OR_DONE(st, cli_features_tangent(&g));
    if (f->tests)
        NEP_TRY_OR_DONE(st, cli_features_permute(&g));
    cli_say(f->c, "%lld participants, %lld runs, %lld regions", (long long)g.n_people, (long long)g.n, (long long)g.n_regions);
    json_t *doc = json_pack("{s:I,s:I,s:I,s:s}", "participants", (json_int_t)g.n_people, "runs", (json_int_t)g.n, "regions",
                            (json_int_t)g.n_regions, "atlas", f->seg);
    if (doc && f->tests)
        json_object_set(doc, "tests", f->tests);
    st = cli_document(f->c, doc);
done:
    cli_features_gather_free(&g);
    return st;
}
