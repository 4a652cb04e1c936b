/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe quality - motion, DVARS, temporal SNR, coverage and header of a run, with a verdict by stated thresholds. */
#include <stdlib.h>
#include <string.h>

#include "cli/quality_run.h"

static const cli_option options[] = {
    {"motion", 0, CLI_INPUT, "TSV", NULL, NULL, "trans_x trans_y trans_z (mm) rot_x rot_y rot_z (rad), or framewise_displacement"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "brain; default: made from the mean image"},
    {"atlas", 'a', CLI_INPUT, "NIFTI", NULL, NULL, "how much of each region lies in the mask"},
    {"labels", 'l', CLI_INPUT, "TSV", NULL, NULL, "names of the atlas's labels"},
    {"tr", 't', CLI_REAL, "S", NULL, NULL, "seconds between frames; default: the header's"},
    {"fd", 0, CLI_CHOICE, "NAME", "power", "power|jenkinson", "framewise displacement; head radius 50 or 80 mm"},
    {"radius", 0, CLI_REAL, "MM", NULL, NULL, "another head radius"},
    {"fd-threshold", 0, CLI_REAL, "MM", "0.5", NULL, "a frame that moved more is an outlier"},
    {"std-dvars-threshold", 0, CLI_REAL, "X", "1.5", NULL, "so is one with a larger standardised DVARS"},
    {"fd-mean", 0, CLI_TEXTS, "WARN,FAIL", "0.25,0.5", NULL, "mean displacement in mm above which the run is doubtful or fails"},
    {"outliers", 0, CLI_TEXTS, "WARN,FAIL", "0.2,0.5", NULL, "share of outlying frames likewise"},
    {"tsnr", 0, CLI_TEXTS, "WARN,FAIL", "20,5", NULL, "median temporal SNR below which it is so"},
    {"coverage-min", 0, CLI_TEXTS, "WARN,FAIL", "0.8,0.5", NULL, "least covered region likewise (fail only warns: the region is missing, not the run)"},
};

static nep_status read_bound(cli *c, const char *option, bool larger_is_worse, cli_quality_bound *out)
{
    int n = 0;
    const char *const *text = cli_texts(c, option, &n);
    char *end[2] = {NULL, NULL};
    if (n == 2) {
        out->warn = strtod(text[0], &end[0]);
        out->fail = strtod(text[1], &end[1]);
    }
    NEP_REQUIRE(cli_ctx(c), n == 2 && *text[0] && *text[1] && !*end[0] && !*end[1], NEP_E_ARG, "--%s takes two numbers, WARN,FAIL", option);
    NEP_REQUIRE(cli_ctx(c), larger_is_worse ? out->warn <= out->fail : out->warn >= out->fail, NEP_E_ARG,
                "--%s: WARN must come before FAIL is reached", option);
    return NEP_OK;
}

static nep_status read_options(cli *c, cli_quality_opts *o)
{
    o->displacement = strcmp(cli_text(c, "fd"), "jenkinson") == 0 ? NEP_QUALITY_JENKINSON : NEP_QUALITY_POWER;
    o->radius_mm = cli_real(c, "radius");
    o->fd_mm = cli_real(c, "fd-threshold");
    o->std_dvars = cli_real(c, "std-dvars-threshold");
    NEP_TRY(read_bound(c, "fd-mean", true, &o->fd_mean_mm));
    NEP_TRY(read_bound(c, "outliers", true, &o->outliers));
    NEP_TRY(read_bound(c, "tsnr", false, &o->tsnr));
    return read_bound(c, "coverage-min", false, &o->coverage);
}

static nep_status write_document(nep_ctx *ctx, const char *path, void *user)
{
    char *text = json_dumps(user, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    nep_file *f = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, text != NULL, NEP_E_NOMEM, "quality: no memory for the document");
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s\n", text));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    free(text);
    return st;
}

/* The document is JSON on standard output and in a file alike; the file holds its provenance itself. */
static nep_status emit(cli *c, json_t *doc)
{
    nep_status st = NEP_OK;
    if (cli_out(c)) {
        json_t *whole = json_pack("{s:s}", "schema", "nepenthe/quality/1");
        json_object_update(whole, doc);
        json_object_set_new(whole, "provenance", cli_provenance(c, NULL));
        st = write_document(cli_ctx(c), cli_out(c), whole);
        json_decref(whole);
    } else if (!cli_json(c)) {
        char *text = json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        if (text)
            cli_print("%s\n", text);
        free(text);
    }
    if (st == NEP_OK)
        return cli_document(c, doc);
    json_decref(doc);
    return st;
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    cli_quality_opts o = CLI_QUALITY_DEFAULTS;
    cli_quality q = {0};
    nep_nifti_header h;
    const char *image = cli_input(c, 0);
    NEP_TRY(read_options(c, &o));
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        NEP_TRY(cli_images_header(ctx, image, true, &h));
        const int64_t values = nep_grid_voxels(&h.grid) * h.n_t;
        return cli_plan(c, h.n_t, values * 4, (double)values * 2e-8, outputs, 1);
    }
    NEP_TRY(cli_quality_measure(ctx, image, cli_text(c, "mask"), cli_text(c, "motion"), cli_text(c, "atlas"), cli_text(c, "labels"),
                                cli_real(c, "tr"), &o, &q));
    char motion[64] = "motion not given";
    if (q.has_motion)
        snprintf(motion, sizeof motion, "mean displacement %.3g mm", q.fd_mean);
    cli_say(c, "%s: %lld of %lld frames are outliers, %s, median tSNR %.3g", cli_quality_word(q.verdict), (long long)q.n_outliers,
            (long long)q.n_t, motion, q.tsnr_median);
    const nep_status st = emit(c, cli_quality_json(&q, &o, true));
    cli_quality_free(&q);
    return st;
}

const cli_command cli_cmd_quality = {.name = "quality",
                                     .group = "Imaging",
                                     .summary = "motion, DVARS, temporal SNR, coverage and header of a run",
                                     .inputs = "IMAGE",
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .inputs_are_files = true,
                                     .options = options,
                                     .n_options = NEP_LEN(options),
                                     .run = run,
                                     .example = "nepenthe quality bold.nii.gz --motion confounds.tsv --mask mask.nii.gz --json"};
