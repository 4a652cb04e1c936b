/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe rank - channels, fusion, intervals, evaluation, report. */
#include <nepenthe/report.h>

#include <math.h>
#include <string.h>
#include <strings.h>

#include "cli/rank_run.h"
#include "cli/study_tables.h"

static json_t *summary_of(const nep_ranking *r)
{
    enum { SHOWN = 10 };
    json_t *list = json_array();
    for (int64_t j = 0; j < r->n_disorders; j++) {
        const nep_ranking_disorder *d = &r->disorders[j];
        if (d->left_out)
            continue;
        json_t *top = json_array();
        for (int64_t i = 0; i < r->inputs->n_drugs && i < SHOWN && !isnan(d->candidates[i].score); i++) {
            const nep_candidate *x = &d->candidates[i];
            json_array_append_new(top, json_pack("{s:I,s:s,s:s,s:o,s:o,s:o,s:s}", "rank", (json_int_t)i + 1, "drug_id",
                                                 r->inputs->drugs->id[x->drug], "name", r->inputs->drugs->names[x->drug], "score",
                                                 cli_number(x->score), "score_low", cli_number(x->score_low), "score_high",
                                                 cli_number(x->score_high), "verdict", nep_verdict_name(x->verdict)));
        }
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", d->id, "name", d->name, "imaging",
                                              nep_imaging_verdict_name(d->increment.verdict), "trust", d->trust, "top", top));
    }
    return json_pack("{s:o}", "disorders", list);
}

static void say_summary(cli *c, const nep_ranking *r, const char *folder)
{
    if (r->imaging_text)
        cli_say(c, "%s", r->imaging_text);
    for (int64_t j = 0; j < r->n_disorders; j++) {
        const nep_ranking_disorder *d = &r->disorders[j];
        if (d->left_out)
            continue;
        cli_say(c, "%s%s: %s", d->name, d->simulated ? " (simulated)" : "", d->trust);
        for (int64_t i = 0; i < 5 && i < r->inputs->n_drugs && !isnan(d->candidates[i].score); i++) {
            const nep_candidate *x = &d->candidates[i];
            cli_say(c, "  %2lld. %-24s %6.2f  [%.2f, %.2f]  ranks %.0f to %.0f  %s", (long long)i + 1,
                    r->inputs->drugs->names[x->drug], x->score, x->score_low, x->score_high, x->rank_low, x->rank_high,
                    nep_verdict_name(x->verdict));
        }
    }
    cli_say(c, "written to %s", folder);
}

/* Leaves all but the disorders of --disorders (ids or names) out of what is written. */
static nep_status choose_disorders(cli *c, nep_ranking *r)
{
    int n = 0;
    const char *const *asked = cli_texts(c, "disorders", &n);
    for (int64_t j = 0; n && j < r->n_disorders; j++)
        r->disorders[j].left_out = true;
    for (int i = 0; i < n; i++) {
        bool met = false;
        for (int64_t j = 0; j < r->n_disorders; j++)
            if (strcmp(asked[i], r->disorders[j].id) == 0 || strcasecmp(asked[i], r->disorders[j].name) == 0) {
                r->disorders[j].left_out = false;
                met = true;
            }
        NEP_REQUIRE(cli_ctx(c), met, NEP_E_USAGE, "--disorders: the study ranks no '%s'; give ids or names of its disorders", asked[i]);
    }
    return NEP_OK;
}

static nep_status run(cli *c)
{
    static const char *const outputs[] = {"report.html",     "candidates.csv",  "candidates.tsv",
                                          "candidates.xlsx", "candidates.json", "results.h5"};
    nep_ctx *ctx = cli_ctx(c);
    cli_study study = {0};
    nep_ranking *ranking = NULL;
    nep_evaluation *evaluation = NULL;
    json_t *provenance = NULL, *judged = NULL;
    const char *folder;
    nep_status st;

    NEP_TRY(cli_rank_folder(c, &folder));
    if (cli_dry_run(c)) {
        NEP_TRY_OR_DONE(st, nep_study_read(ctx, cli_input(c, 0), &study.study));
        st = cli_plan(c, study.study.n_disorders, 0, NAN, outputs, NEP_LEN(outputs));
        goto done;
    }
    NEP_TRY_OR_DONE(st, cli_rank_run(c, &study, false, &ranking));
    NEP_TRY_OR_DONE(st, choose_disorders(c, ranking));
    if (cli_rank_has_treatments(&study.inputs)) {
        NEP_TRY_OR_DONE(st, cli_rank_evaluate(c, &study, ranking, &evaluation));
        NEP_TRY_OR_DONE(st, nep_evaluation_json(ctx, evaluation, &judged));
        if (study.open_only)
            json_object_set_new(judged, "open_only", cli_study_open_json(&study));
    } else {
        nep_warn(ctx, "the study records no treatment of any disorder, so the ranking could not be evaluated");
    }
    provenance = cli_rank_provenance(c, &study);
    NEP_TRY_OR_DONE(st, nep_report_write_all(ctx, ranking, judged, provenance, folder));
    say_summary(c, ranking, folder);
    if (cli_json(c))
        st = cli_document(c, summary_of(ranking));
done:
    json_decref(judged);
    json_decref(provenance);
    nep_evaluation_free(evaluation);
    nep_ranking_free(ranking);
    cli_study_free(&study);
    return st;
}

static const cli_option options[] = {
    {"disorders", 0, CLI_TEXTS, "NAME,...", NULL, NULL, "write about these alone, by id or name; all are ranked and evaluated; repeat it or separate by commas"},
    {"protocols", 0, CLI_TEXTS, "NAME,...", NULL, NULL, "masked, zero_shot, new_drug, approved_vs_failed (default: the study's, else the first three)"},
    {"redraws", 0, CLI_INT, "N", "200", NULL, "redraws of the inputs within their errors behind each interval"},
    {"bootstrap", 0, CLI_INT, "N", NULL, NULL, "bootstrap samples (default: the study's, else 2000)"},
    {"null-maps", 0, CLI_INT, "N", "500", NULL, "random maps that measure the false-positive rate of each null"},
    {"open-only", 0, CLI_FLAG, NULL, NULL, NULL, "leave out every row whose licence is not open (CC0, CC BY, public domain)"},
};

const cli_command cli_cmd_rank = {.name = "rank",
                                  .group = "Ranking",
                                  .summary = "rank the drugs of a study for its disorders; report, tables and HDF5 in a folder",
                                  .inputs = "STUDY.yaml",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .inputs_are_files = true,
                                  .options = options,
                                  .n_options = NEP_LEN(options),
                                  .run = run,
                                  .example = "nepenthe rank study.yaml -o ranking"};
