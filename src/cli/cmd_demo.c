/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe demo - the whole flow on data that the program makes itself: two simulated cohorts whose truth is known, real
 * drugs with open affinities, one report that shows both side by side. */
#include <string.h>

#include "cli/demo.h"
#include "cli/spawn.h"

static const double voxel_mm = 6.0;

const demo_plan demo_plans[DEMO_COHORTS] = {
    {"A", "SIM:A", "Simulated disorder A", "SLC6A4", "SLC6A4", 0.8, 7},
    {"B", "SIM:B", "Simulated disorder B", NULL, "DRD2", 0.0, 13},
};

static void demo_free(demo *d)
{
    nep_geometry_free(&d->geometry);
    nep_maps_free(&d->receptors);
    nep_atlas_free(&d->atlas);
    nep_molset_free(&d->drugs);
    nep_table_free(&d->affinities);
    nep_data_free_names(d->targets, d->n_targets);
    nep_affinity_free(d->consensus, d->n_consensus);
}

static nep_status load(demo *d)
{
    char path[8600];
    NEP_TRY(cli_data_folder(d->c, d->data, sizeof d->data));
    snprintf(path, sizeof path, "%s/geometry_schematic.tsv", d->data);
    NEP_TRY(nep_tsv_read_geometry(d->ctx, path, &d->geometry));
    snprintf(path, sizeof path, "%s/demo/receptors.tsv", d->data);
    NEP_TRY(nep_tsv_read_maps(d->ctx, path, &d->receptors));
    snprintf(path, sizeof path, "%s/demo/drugs.tsv", d->data);
    NEP_TRY(nep_tsv_read_molset(d->ctx, path, &d->drugs));
    snprintf(path, sizeof path, "%s/demo/affinities.tsv", d->data);
    NEP_TRY(nep_tsv_read(d->ctx, path, &d->affinities));
    NEP_TRY(demo_consensus(d));
    return nep_schematic_draw(d->ctx, &d->geometry, voxel_mm, &d->atlas);
}

nep_status demo_write_text(nep_ctx *ctx, const char *path, const char *text)
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

/* The design of the contrast: participants whose run passed quality control, with the mean displacement beside the age. */
static nep_status write_design(demo *d, int k, const char *folder, const char *features)
{
    char path[8600];
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
    snprintf(path, sizeof path, "%s/design-%s.tsv", d->out, demo_plans[k].letter);
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
    snprintf(features, sizeof features, "%s/features-%s", d->out, demo_plans[k].letter);
    snprintf(atlas, sizeof atlas, "%s/atlas-schematic_dseg.nii.gz", d->out);
    snprintf(labels, sizeof labels, "%s/atlas-schematic_dseg.tsv", d->out);
    snprintf(table, sizeof table, "%s/group_alff.tsv", features);
    snprintf(design, sizeof design, "%s/design-%s.tsv", d->out, demo_plans[k].letter);
    snprintf(map, sizeof map, "%s/map-%s.tsv", d->out, demo_plans[k].letter);
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
    char path[8600];
    nep_file *f = NULL;
    nep_status st;
    snprintf(path, sizeof path, "%s/study.yaml", d->out);
    NEP_TRY_OR_DONE(st, nep_file_create(d->ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "schema: nepenthe/study/1\nname: Two simulated disorders, real drugs\ngeometry: %s/geometry_schematic.tsv\ndisorders:\n",
                                        d->data));
    for (int k = 0; k < DEMO_COHORTS; k++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "  - {id: \"%s\", name: %s, map: {table: map-%s.tsv, value: g, se: se}, direction: unknown, simulated: true, truth: truth-%s.tsv}\n",
                                            demo_plans[k].id, demo_plans[k].name, demo_plans[k].letter, demo_plans[k].letter));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "receptors: {table: %s/demo/receptors.tsv, reliability: %s/demo/reliability.tsv}\ntargets: %s/targets.tsv\n"
                                           "drugs: %s/demo/drugs.tsv\naffinities: %s/demo/affinities.tsv\nlabels: labels.tsv\n"
                                           "primary: {channels: [engagement, analogue], scope: all, relative_occupancy: 0.75}\n"
                                           "evaluate: {protocols: [masked, zero_shot, new_drug], bootstrap: 500}\n"
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
    char folder[DEMO_COHORTS][4200], study[4300], report[4300];
    const char *outputs[] = {"report/report.html", "report/candidates.tsv", "study.yaml", "cohort-A/", "cohort-B/"};
    nep_status st;
    if (cli_dry_run(c))
        return cli_plan(c, 2 * DEMO_GROUP * DEMO_COHORTS, 200 << 20, 45, outputs, NEP_LEN(outputs));
    NEP_REQUIRE(d.ctx, strlen(d.out) < 4000, NEP_E_ARG, "demo: the output path is longer than 3999 characters");
    NEP_TRY_OR_DONE(st, nep_file_folder(d.ctx, d.out));
    NEP_TRY_OR_DONE(st, load(&d));
    cli_say(c, "making two simulated cohorts of %d controls and %d patients (no person was scanned) ...", DEMO_GROUP, DEMO_GROUP);
    NEP_TRY_OR_DONE(st, demo_write_atlas(&d));
    NEP_TRY_OR_DONE(st, demo_write_truth(&d));
    for (int k = 0; k < DEMO_COHORTS; k++)
        NEP_TRY_OR_DONE(st, demo_write_cohort(&d, k, folder[k], sizeof folder[k]));
    for (int k = 0; k < DEMO_COHORTS; k++)
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
