/* SPDX-License-Identifier: Apache-2.0 */
/* quality_json - the document of one run's quality: numbers, frames, verdict with its reasons. */
#include "cli/quality_run.h"

static json_t *numbers(const double *x, int64_t n)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++)
        json_array_append_new(list, cli_number(x[i]));
    return list;
}

/* One check: what was found, the bounds it was held against, the word. */
static void add_check(json_t *checks, const char *name, double value, cli_quality_bound b, cli_quality_verdict v)
{
    json_array_append_new(checks, json_pack("{s:s,s:o,s:f,s:f,s:s}", "check", name, "value", cli_number(value), "warn", b.warn, "fail", b.fail,
                                            "verdict", cli_quality_word(v)));
}

static json_t *checks_of(const cli_quality *q, const cli_quality_opts *o)
{
    json_t *checks = json_array(), *notes = json_array();
    if (q->has_motion)
        add_check(checks, "fd_mean_mm", q->fd_mean, o->fd_mean_mm, q->by_motion);
    add_check(checks, "outlier_share", (double)q->n_outliers / (double)q->n_t, o->outliers, q->by_outliers);
    add_check(checks, "tsnr_median", q->tsnr_median, o->tsnr, q->by_tsnr);
    if (q->n_regions)
        add_check(checks, "coverage_min", q->coverage_min, o->coverage, q->by_coverage);
    for (int i = 0; i < q->n_header_notes; i++)
        json_array_append_new(notes, json_string(q->header_note[i]));
    json_array_append_new(checks, json_pack("{s:s,s:o,s:s}", "check", "header", "notes", notes, "verdict", cli_quality_word(q->by_header)));
    return checks;
}

static json_t *frames_of(const cli_quality *q)
{
    json_t *outliers = json_array();
    for (int64_t t = 0; t < q->n_t; t++)
        if (q->outlier[t])
            json_array_append_new(outliers, json_integer(t));
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "fd_mm", numbers(q->fd, q->n_t), "dvars", numbers(q->dvars, q->n_t), "std_dvars",
                     numbers(q->std_dvars, q->n_t), "vx_std_dvars", numbers(q->vx_std_dvars, q->n_t), "outliers", outliers);
}

json_t *cli_quality_json(const cli_quality *q, const cli_quality_opts *opts, bool frames)
{
    json_t *doc = json_pack("{s:s,s:o}", "verdict", cli_quality_word(q->verdict), "checks", checks_of(q, opts));
    json_t *values = json_pack(
        "{s:I,s:o,s:s,s:I,s:I,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:I,s:f,s:f}", "frames", (json_int_t)q->n_t, "tr_s", cli_number(q->tr_s), "mask",
        q->own_mask ? "made from the mean image" : "given", "voxels", (json_int_t)q->voxels, "voxels_that_vary", (json_int_t)q->voxels_used,
        "fd_mean_mm", cli_number(q->fd_mean), "fd_max_mm", cli_number(q->fd_max), "fd_definition",
        opts->displacement == NEP_QUALITY_POWER ? "power" : "jenkinson", "dvars_mean", cli_number(q->dvars_mean), "std_dvars_mean",
        cli_number(q->std_dvars_mean), "tsnr_mean", cli_number(q->tsnr_mean), "tsnr_median", cli_number(q->tsnr_median), "outliers",
        (json_int_t)q->n_outliers, "outlier_fd_mm", opts->fd_mm, "outlier_std_dvars", opts->std_dvars);
    json_object_update(doc, values);
    json_decref(values);
    if (q->n_regions) {
        json_t *coverage = json_object();
        for (int64_t r = 0; r < q->n_regions; r++)
            json_object_set_new(coverage, q->regions[r], json_real(q->coverage[r]));
        json_object_set_new(doc, "coverage", coverage);
    }
    if (frames)
        json_object_set_new(doc, "per_frame", frames_of(q));
    return doc;
}
