/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe demo - the whole flow on data that the program makes itself: two simulated cohorts whose truth is known, real
 * drugs with open affinities, one report that shows both side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>
#include <nepenthe/simulate.h>

#include "cli/spawn.h"

enum { GROUP = 10, COHORTS = 2 };
static const double voxel_mm = 6.0;

/* One simulated disorder. `target` is planted in the images of patients (NULL: nothing is), `indication` picks the drugs
 * that its simulated label table calls treatments. */
typedef struct {
    const char *letter, *id, *name, *target, *indication;
    double effect;
    int bad; /* the subject who moves too much */
} plan;

static const plan plans[COHORTS] = {
    {"A", "SIM:A", "Simulated disorder A", "HTR2A", "HTR2A", 0.22, 7},
    {"B", "SIM:B", "Simulated disorder B", NULL, "SLC6A2", 0.0, 13},
};

typedef struct {
    cli *c;
    nep_ctx *ctx;
    const char *out;
    char data[4096];
    nep_geometry geometry;
    nep_maps receptors;
    nep_atlas atlas;
    nep_molset drugs;
    nep_table affinities;
} demo;

static void demo_free(demo *d)
{
    nep_geometry_free(&d->geometry);
    nep_maps_free(&d->receptors);
    nep_atlas_free(&d->atlas);
    nep_molset_free(&d->drugs);
    nep_table_free(&d->affinities);
}

static nep_status load(demo *d)
{
    char path[4200];
    NEP_TRY(cli_data_folder(d->c, d->data, sizeof d->data));
    snprintf(path, sizeof path, "%s/geometry_schematic.tsv", d->data);
    NEP_TRY(nep_tsv_read_geometry(d->ctx, path, &d->geometry));
    snprintf(path, sizeof path, "%s/demo/receptors.tsv", d->data);
    NEP_TRY(nep_tsv_read_maps(d->ctx, path, &d->receptors));
    snprintf(path, sizeof path, "%s/demo/drugs.tsv", d->data);
    NEP_TRY(nep_tsv_read_molset(d->ctx, path, &d->drugs));
    snprintf(path, sizeof path, "%s/demo/affinities.tsv", d->data);
    NEP_TRY(nep_tsv_read(d->ctx, path, &d->affinities));
    return nep_schematic_draw(d->ctx, &d->geometry, voxel_mm, &d->atlas);
}

/* The planted pattern: the target's tiers, z-scored over the regions that have one; 0 where none is published. */
static nep_status planted_profile(demo *d, const char *target, double **out)
{
    const int64_t n = d->geometry.n_regions, map = nep_maps_find(&d->receptors, target);
    double *x = NULL, mean = 0, ss = 0;
    int64_t known = 0;
    NEP_REQUIRE(d->ctx, map >= 0, NEP_E_FORMAT, "demo: receptors.tsv has no column '%s'", target);
    NEP_TRY(nep_alloc(d->ctx, n, sizeof *x, "planted profile", &x));
    for (int64_t r = 0; r < n; r++) {
        const int64_t row = nep_maps_find_region(&d->receptors, d->geometry.names[r]);
        x[r] = row >= 0 ? d->receptors.value[row * d->receptors.n_maps + map] : (double)NAN;
        if (isfinite(x[r])) {
            mean += x[r];
            known++;
        }
    }
    mean /= (double)(known ? known : 1);
    for (int64_t r = 0; r < n; r++)
        ss += isfinite(x[r]) ? (x[r] - mean) * (x[r] - mean) : 0;
    const double sd = sqrt(ss / (double)(known > 1 ? known - 1 : 1));
    for (int64_t r = 0; r < n; r++)
        x[r] = isfinite(x[r]) && sd > 0 ? (x[r] - mean) / sd : 0;
    *out = x;
    return NEP_OK;
}

/* Best p_affinity of a drug over rows of one target (NULL = any), NaN when none; only `=` rows count. */
static nep_status best_affinity(demo *d, const char *drug, const char *target, double *out)
{
    int64_t c_drug, c_target, c_value;
    *out = (double)NAN;
    NEP_TRY(nep_table_need(d->ctx, &d->affinities, "drug_id", &c_drug));
    NEP_TRY(nep_table_need(d->ctx, &d->affinities, "target", &c_target));
    NEP_TRY(nep_table_need(d->ctx, &d->affinities, "p_affinity", &c_value));
    for (int64_t i = 0; i < d->affinities.n_rows; i++) {
        double v;
        const char *id = nep_table_cell(&d->affinities, i, c_drug), *t = nep_table_cell(&d->affinities, i, c_target);
        if (!id || !t || strcmp(id, drug) != 0 || (target && strcmp(t, target) != 0))
            continue;
        NEP_TRY(nep_table_number(d->ctx, &d->affinities, i, c_value, &v));
        if (isfinite(v) && !(v <= *out))
            *out = v;
    }
    return NEP_OK;
}

/* A drug acts through a target when it binds it at 30 nM or better and within a factor of ten of its best target. */
static nep_status acts_through(demo *d, int64_t drug, const char *target, bool *out)
{
    double here, best;
    NEP_TRY(best_affinity(d, d->drugs.id[drug], target, &here));
    NEP_TRY(best_affinity(d, d->drugs.id[drug], NULL, &best));
    *out = here >= 7.5 && here >= best - 1.0;
    return NEP_OK;
}

/* labels.tsv holds every other such drug as approved; truth-<letter>.tsv holds them all: the rest is to be found. */
static nep_status write_labels(demo *d)
{
    char path[4200];
    nep_file *labels = NULL, *truth = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/labels.tsv", d->out);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &labels));
    NEP_TRY_OR_DONE(st, nep_file_printf(labels, "drug_id\tdisorder\tstatus\tsince\tsource\tlicence\n"));
    for (int k = 0; k < COHORTS; k++) {
        int64_t found = 0;
        snprintf(path, sizeof path, "%s/truth-%s.tsv", d->out, plans[k].letter);
        NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &truth));
        NEP_TRY_OR_DONE(st, nep_file_printf(truth, "drug_id\trelevant\n"));
        for (int64_t i = 0; i < d->drugs.n; i++) {
            bool acts;
            NEP_TRY_OR_DONE(st, acts_through(d, i, plans[k].indication, &acts));
            NEP_TRY_OR_DONE(st, nep_file_printf(truth, "%s\t%d\n", d->drugs.id[i], plans[k].target ? acts : 0));
            if (acts && found++ % 2 == 0)
                NEP_TRY_OR_DONE(st, nep_file_printf(labels, "%s\t%s\tapproved\tn/a\tsimulated by nepenthe demo\tCC0\n", d->drugs.id[i],
                                                    plans[k].id));
        }
        NEP_REQUIRE_OR_DONE(st, d->ctx, found >= 4, NEP_E_FORMAT, "demo: only %lld drugs act through %s; the shipped tables are not whole",
                            (long long)found, plans[k].indication);
        st = nep_file_commit(truth);
        truth = NULL;
        if (st != NEP_OK)
            goto done;
    }
    st = nep_file_commit(labels);
    labels = NULL;
done:
    nep_file_abort(truth);
    nep_file_abort(labels);
    return st;
}

static nep_status write_text(nep_ctx *ctx, const char *path, const char *text)
{
    nep_file *f = NULL;
    NEP_TRY(nep_file_create(ctx, path, &f));
    const nep_status st = nep_file_printf(f, "%s", text);
    if (st != NEP_OK) {
        nep_file_abort(f);
        return st;
    }
    return nep_file_commit(f);
}

static nep_status write_atlas(demo *d)
{
    const int64_t n_vox = nep_grid_voxels(&d->atlas.grid);
    char path[4200];
    float *x = NULL;
    nep_file *f = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(d->ctx, n_vox, sizeof *x, "atlas", &x));
    for (int64_t v = 0; v < n_vox; v++)
        x[v] = (float)d->atlas.label[v];
    snprintf(path, sizeof path, "%s/atlas-schematic_dseg.nii.gz", d->out);
    NEP_TRY_OR_DONE(st, nep_nifti_write(d->ctx, path, &d->atlas.grid, 1, (double)NAN, x, true));
    snprintf(path, sizeof path, "%s/atlas-schematic_dseg.tsv", d->out);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "index\tname\n"));
    for (int64_t r = 0; r < d->atlas.n_regions; r++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "%d\t%s\n", d->atlas.id[r], d->atlas.names[r]));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    nep_alloc_free(x);
    return st;
}

static nep_status write_subject(demo *d, const nep_cohort_opts *o, int k, int s, const char *folder, float *bold)
{
    const int64_t n_vox = nep_grid_voxels(&d->atlas.grid);
    char func[4600], path[5200], stem[64];
    nep_series confounds = {0};
    nep_status st;
    snprintf(stem, sizeof stem, "sub-%s%02d_task-rest", plans[k].letter, s + 1);
    snprintf(func, sizeof func, "%s/sub-%s%02d/func", folder, plans[k].letter, s + 1);
    NEP_TRY_OR_DONE(st, nep_file_folder(d->ctx, func));
    NEP_TRY_OR_DONE(st, nep_cohort_subject(d->ctx, &d->atlas, o, s, s >= GROUP, s == plans[k].bad, bold, &confounds));
    snprintf(path, sizeof path, "%s/%s_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz", func, stem);
    NEP_TRY_OR_DONE(st, nep_nifti_write(d->ctx, path, &d->atlas.grid, o->n_t, o->tr_s, bold, true));
    snprintf(path, sizeof path, "%s/%s_desc-confounds_timeseries.tsv", func, stem);
    NEP_TRY_OR_DONE(st, nep_tsv_write_series(d->ctx, path, &confounds));
    for (int64_t v = 0; v < n_vox; v++)
        bold[v] = d->atlas.label[v] > 0;
    snprintf(path, sizeof path, "%s/%s_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz", func, stem);
    NEP_TRY_OR_DONE(st, nep_nifti_write(d->ctx, path, &d->atlas.grid, 1, (double)NAN, bold, true));
done:
    nep_series_free(&confounds);
    return st;
}

/* participants.tsv is also the design: group, and an age that differs by chance alone. */
static nep_status write_participants(demo *d, int k, uint64_t seed, const char *folder)
{
    char path[4300];
    nep_file *f = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/participants.tsv", folder);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "participant_id\tgroup\tage\n"));
    for (int s = 0; s < 2 * GROUP; s++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "sub-%s%02d\t%s\t%.0f\n", plans[k].letter, s + 1, s < GROUP ? "control" : "patient",
                                            floor(22 + 30 * nep_philox_uniform(seed, UINT64_MAX, (uint64_t)s))));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

static nep_status write_cohort(demo *d, int k, char *folder, size_t size)
{
    nep_cohort_opts o = NEP_COHORT_DEFAULTS;
    float *bold = NULL;
    double *profile = NULL;
    char path[4300];
    nep_status st;
    o.seed = nep_ctx_seed(d->ctx) * COHORTS + (uint64_t)k + 1;
    o.effect = plans[k].effect;
    snprintf(folder, size, "%s/cohort-%s", d->out, plans[k].letter);
    NEP_TRY_OR_DONE(st, nep_file_folder(d->ctx, folder));
    snprintf(path, sizeof path, "%s/dataset_description.json", folder);
    NEP_TRY_OR_DONE(st, write_text(d->ctx, path,
                                   "{\n  \"Name\": \"Simulated cohort (no person was scanned)\",\n  \"BIDSVersion\": \"1.10.0\",\n"
                                   "  \"DatasetType\": \"derivative\",\n  \"License\": \"CC0\",\n"
                                   "  \"GeneratedBy\": [{\"Name\": \"nepenthe demo\", \"Version\": \"" NEP_VERSION "\"}]\n}\n"));
    NEP_TRY_OR_DONE(st, write_participants(d, k, o.seed, folder));
    if (plans[k].target)
        NEP_TRY_OR_DONE(st, planted_profile(d, plans[k].target, &profile));
    o.profile = profile;
    NEP_TRY_OR_DONE(st, nep_alloc(d->ctx, o.n_t * nep_grid_voxels(&d->atlas.grid), sizeof *bold, "simulated run", &bold));
    nep_progress_open(d->ctx, plans[k].name, 2 * GROUP);
    for (int s = 0; s < 2 * GROUP; s++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(d->ctx));
        NEP_TRY_OR_DONE(st, write_subject(d, &o, k, s, folder, bold));
        nep_progress_step(d->ctx, s + 1);
    }
    nep_progress_close(d->ctx);
done:
    nep_alloc_free(profile);
    nep_alloc_free(bold);
    return st;
}

/* The design of the contrast: participants whose run passed quality control, with the mean displacement beside the age. */
static nep_status write_design(demo *d, int k, const char *folder, const char *features)
{
    char path[4300];
    nep_table people = {0}, quality = {0};
    nep_file *f = NULL;
    nep_status st;
    int64_t c_id, c_group, c_age, q_id, q_fd, q_verdict;
    snprintf(path, sizeof path, "%s/participants.tsv", folder);
    NEP_TRY_OR_DONE(st, nep_tsv_read(d->ctx, path, &people));
    snprintf(path, sizeof path, "%s/group_quality.tsv", features);
    NEP_TRY_OR_DONE(st, nep_tsv_read(d->ctx, path, &quality));
    NEP_TRY_OR_DONE(st, nep_table_need(d->ctx, &people, "participant_id", &c_id));
    NEP_TRY_OR_DONE(st, nep_table_need(d->ctx, &people, "group", &c_group));
    NEP_TRY_OR_DONE(st, nep_table_need(d->ctx, &people, "age", &c_age));
    NEP_TRY_OR_DONE(st, nep_table_need(d->ctx, &quality, "participant_id", &q_id));
    NEP_TRY_OR_DONE(st, nep_table_need(d->ctx, &quality, "fd_mean", &q_fd));
    NEP_TRY_OR_DONE(st, nep_table_need(d->ctx, &quality, "verdict", &q_verdict));
    snprintf(path, sizeof path, "%s/design-%s.tsv", d->out, plans[k].letter);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "participant_id\tgroup\tage\tfd_mean\n"));
    for (int64_t i = 0; i < people.n_rows; i++)
        for (int64_t j = 0; j < quality.n_rows; j++) {
            const char *id = nep_table_cell(&people, i, c_id), *other = nep_table_cell(&quality, j, q_id);
            const char *verdict = nep_table_cell(&quality, j, q_verdict);
            if (id && other && verdict && strcmp(id, other) == 0 && strcmp(verdict, "fail") != 0)
                NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s\t%s\t%s\t%s\n", id, nep_table_cell(&people, i, c_group),
                                                    nep_table_cell(&people, i, c_age), nep_table_cell(&quality, j, q_fd)));
        }
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    nep_table_free(&quality);
    nep_table_free(&people);
    return st;
}

static nep_status measure_cohort(demo *d, int k, const char *folder)
{
    char features[4300], atlas[4300], labels[4300], table[4400], design[4300], map[4300];
    snprintf(features, sizeof features, "%s/features-%s", d->out, plans[k].letter);
    snprintf(atlas, sizeof atlas, "%s/atlas-schematic_dseg.nii.gz", d->out);
    snprintf(labels, sizeof labels, "%s/atlas-schematic_dseg.tsv", d->out);
    snprintf(table, sizeof table, "%s/group_alff.tsv", features);
    snprintf(design, sizeof design, "%s/design-%s.tsv", d->out, plans[k].letter);
    snprintf(map, sizeof map, "%s/map-%s.tsv", d->out, plans[k].letter);
    const char *participant[] = {"features", folder, features, "participant", "--atlas", atlas, "--labels", labels, NULL};
    NEP_TRY(cli_spawn(d->c, participant, 1)); /* 1: the subject that fails quality control */
    const char *group[] = {"features", folder, features, "group", "--atlas", atlas, "--labels", labels, NULL};
    NEP_TRY(cli_spawn(d->c, group, 0));
    NEP_TRY(write_design(d, k, folder, features));
    const char *contrast[] = {"contrast", table, "--design", design, "--contrast", "patients=group:patient-control", "-o", map, NULL};
    return cli_spawn(d->c, contrast, 0);
}

static nep_status write_study(demo *d)
{
    char path[4300];
    nep_file *f = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/study.yaml", d->out);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "schema: nepenthe/study/1\nname: Two simulated disorders, real drugs\ngeometry: %s/geometry_schematic.tsv\ndisorders:\n",
                                        d->data));
    for (int k = 0; k < COHORTS; k++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "  - {id: \"%s\", name: %s, map: {table: map-%s.tsv, value: g, se: se}, direction: unknown, simulated: true, truth: truth-%s.tsv}\n",
                                            plans[k].id, plans[k].name, plans[k].letter, plans[k].letter));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "receptors: {table: %s/demo/receptors.tsv, reliability: %s/demo/reliability.tsv}\ntargets: %s/targets.tsv\n"
                                           "drugs: %s/demo/drugs.tsv\naffinities: %s/demo/affinities.tsv\nlabels: labels.tsv\n"
                                           "primary: {channels: [engagement, analogue], scope: all, relative_occupancy: 0.75}\n"
                                           "evaluate: {protocols: [masked, zero_shot, new_drug], negatives: [all], bootstrap: 500}\n"
                                           "nulls: {n: 2000, kind: moran}\n",
                                        d->data, d->data, d->data, d->data, d->data));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

static nep_status run(cli *c)
{
    demo d = {.c = c, .ctx = cli_ctx(c), .out = cli_out(c) ? cli_out(c) : "demo-out"};
    char folder[COHORTS][4200], study[4300], report[4300];
    const char *outputs[] = {"report/report.html", "report/candidates.tsv", "study.yaml", "cohort-A/", "cohort-B/"};
    nep_status st;
    if (cli_dry_run(c))
        return cli_plan(c, 2 * GROUP * COHORTS, 200 << 20, 45, outputs, NEP_LEN(outputs));
    NEP_TRY_OR_DONE(st, nep_file_folder(d.ctx, d.out));
    NEP_TRY_OR_DONE(st, load(&d));
    cli_say(c, "making two simulated cohorts of %d controls and %d patients (no person was scanned) ...", GROUP, GROUP);
    NEP_TRY_OR_DONE(st, write_atlas(&d));
    NEP_TRY_OR_DONE(st, write_labels(&d));
    for (int k = 0; k < COHORTS; k++)
        NEP_TRY_OR_DONE(st, write_cohort(&d, k, folder[k], sizeof folder[k]));
    for (int k = 0; k < COHORTS; k++)
        NEP_TRY_OR_DONE(st, measure_cohort(&d, k, folder[k]));
    NEP_TRY_OR_DONE(st, write_study(&d));
    snprintf(study, sizeof study, "%s/study.yaml", d.out);
    snprintf(report, sizeof report, "%s/report", d.out);
    const char *rank[] = {"rank", study, "-o", report, NULL};
    NEP_TRY_OR_DONE(st, cli_spawn(c, rank, 0));
    cli_say(c, "open %s/report.html in a browser", report);
done:
    demo_free(&d);
    return st;
}

const cli_command cli_cmd_demo = {
    .name = "demo",
    .group = "Upkeep",
    .summary = "the whole flow on simulated cohorts and real drugs, from images to one report",
    .inputs = "",
    .run = run,
    .example = "nepenthe demo -o demo-out",
};
