/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe evaluate - how far a ranking can be trusted: protocols, baselines, map nulls, calibration. */
#include <nepenthe/report.h>

#include <math.h>
#include <string.h>

#include "cli/rank_run.h"
#include "cli/study_tables.h"

/* A number or n/a. */
static const char *cell(char *text, size_t size, double x)
{
    if (isnan(x))
        snprintf(text, size, "n/a");
    else
        snprintf(text, size, "%.6g", x);
    return text;
}

/* Widths of intervals are those of the ranking: a protocol hides labels, it does not change the inputs' errors. */
static nep_status write_predictions(const nep_evaluation *e, nep_file *f)
{
    const nep_inputs *in = e->ranking->inputs;
    NEP_TRY(nep_file_printf(f, "protocol\tdisorder\tdrug_id\tlabel\tscore\tscore_low\tscore_high\n"));
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++)
        for (int64_t j = 0; e->fused.run[p] && j < e->n_disorders; j++)
            for (int64_t i = 0; i < in->n_drugs; i++) {
                const nep_candidate *x = &e->ranking->disorders[j].candidates[i];
                const double score = e->scores[p].score[j * in->n_drugs + x->drug];
                char a[32], b[32], d[32];
                NEP_TRY(nep_file_printf(f, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", nep_protocol_name(p), e->ranking->disorders[j].id,
                                        in->drugs->id[x->drug], nep_label_name(in->labels[j * in->n_drugs + x->drug]),
                                        cell(a, sizeof a, score), cell(b, sizeof b, score - (x->score - x->score_low)),
                                        cell(d, sizeof d, score + (x->score_high - x->score))));
            }
    return NEP_OK;
}

static nep_status write_file(cli *c, const char *folder, const char *name, const nep_evaluation *e, const json_t *doc)
{
    nep_ctx *ctx = cli_ctx(c);
    char *path = NULL, *text = NULL;
    nep_file *f = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_file_join(ctx, folder, name, &path));
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    if (doc) {
        text = json_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
        NEP_REQUIRE_OR_DONE(st, ctx, text, NEP_E_NOMEM, "%s: the document could not be written as text", name);
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s\n", text));
    } else {
        NEP_TRY_OR_DONE(st, write_predictions(e, f));
    }
    st = nep_file_commit(f);
    f = NULL; /* freed by the commit */
done:
    nep_file_abort(f);
    free(text);
    nep_alloc_free(path);
    return st;
}

static void print_number(double x, int decimals)
{
    if (isnan(x))
        cli_print("\tn/a");
    else
        cli_print("\t%.*f", decimals, x);
}

/* Per disorder: imaging by itself against its map nulls, the ligand-only baseline, and what imaging adds. */
static void print_table(const nep_evaluation *e)
{
    cli_print("disorder\tname\tn_pos\tn_neg\tauroc_imaging\tnull_low\tnull_high\tnull_p\tauroc_ligand_only\tligand_only_leave_one_out\t"
              "auroc_fused\tfused_null_low\tfused_null_high\tfused_null_p\tdelta_ap\tdelta_low\tdelta_high\tp_map\tp_holm\tdetectable\tverdict\n");
    for (int64_t j = 0; j < e->n_disorders; j++) {
        const nep_ranking_disorder *d = &e->ranking->disorders[j];
        const nep_imaging_alone *m = &e->imaging[j];
        const nep_performance none = {.auroc = {NAN, NAN, NAN, 0, NAN, NAN}, .null_low = NAN, .null_high = NAN, .null_p = NAN};
        const nep_performance *f = e->fused.run[NEP_PROTOCOL_MASKED] ? &e->fused.disorders[NEP_PROTOCOL_MASKED][j] : &none;
        const nep_increment *i = &d->increment;
        cli_print("%s\t%s\t%lld\t%lld", d->id, d->name, (long long)m->n_pos, (long long)m->n_neg);
        const double shown[] = {m->auroc, m->null_low, m->null_high, m->null_p, m->ligand_only, m->ligand_only_new_drug,
                                f->auroc.value, f->null_low, f->null_high, f->null_p, i->delta.value, i->delta.low,
                                i->delta.high, i->p_map, i->p_holm, i->detectable};
        for (int k = 0; k < NEP_LEN(shown); k++)
            print_number(shown[k], 3);
        cli_print("\t%s\n", nep_imaging_verdict_name(i->verdict));
    }
}

static void say_macro(cli *c, const nep_evaluation *e)
{
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        if (!e->fused.run[p])
            continue;
        const nep_performance *m = &e->fused.macro[p];
        const double fewer[] = {m->auroc_vs_ns.value, m->auroc_vs_popularity.value, m->auroc_vs_failed.value};
        char text[NEP_LEN(fewer)][32];
        for (int k = 0; k < NEP_LEN(fewer); k++)
            snprintf(text[k], sizeof text[k], isnan(fewer[k]) ? "n/a" : "%.3f", fewer[k]);
        cli_say(c, "%-18s AP %.3f [%.3f, %.3f]  AUROC %.3f [%.3f, %.3f]  vs nervous-system drugs %s, popularity-matched %s, failed %s",
                nep_protocol_name(p), m->ap.value, m->ap.low, m->ap.high, m->auroc.value, m->auroc.low, m->auroc.high, text[0], text[1], text[2]);
        for (int i = 0; i < e->n_baselines; i++)
            if (!isnan(e->baselines[i].macro[p].ap.value))
                cli_say(c, "  %-17s AP %.3f  AUROC %.3f%s", e->baselines[i].name, e->baselines[i].macro[p].ap.value,
                        e->baselines[i].macro[p].auroc.value, e->baselines[i].upper_bound ? "  (upper bound)" : "");
    }
    for (int i = 0; i < e->n_controls; i++) {
        const nep_control *k = &e->controls[i];
        const nep_estimate *x = k->kind == NEP_CONTROL_DECOYS ? &k->auroc : &k->matched;
        if (!isnan(x->value))
            cli_say(c, "control %-10s %s %.3f [%.3f, %.3f]: %s", nep_controls_name(k->kind), k->kind == NEP_CONTROL_DECOYS ? "AUROC" : "AUROC, matched",
                    x->value, x->low, x->high, k->chance ? "at chance" : "above chance");
    }
    if (isnan(e->pooled.oe))
        cli_say(c, "calibration: not estimable; it needs at least two other disorders with recorded treatments");
    else
        cli_say(c, "calibration: observed/expected %.2f, slope %.2f, Brier %.4f (of the mean alone %.4f)", e->pooled.oe,
                e->pooled.slope, e->pooled.brier, e->pooled.brier_null);
    for (int i = 0; i < e->ranking->n_null_rates; i++)
        cli_say(c, "null %s: false-positive rate %.3f [%.3f, %.3f] at p <= %.2f", e->ranking->null_rates[i].name,
                e->ranking->null_rates[i].rate, e->ranking->null_rates[i].low, e->ranking->null_rates[i].high,
                e->ranking->null_rates[i].alpha);
}

static nep_status write_all(cli *c, const char *folder, const nep_evaluation *e, json_t *doc, const cli_study *study)
{
    nep_ctx *ctx = cli_ctx(c);
    json_t *provenance = cli_rank_provenance(c, study);
    char *page = NULL, *checklist = NULL;
    nep_status st;

    json_object_set(doc, "provenance", provenance);
    if (study->open_only)
        json_object_set_new(doc, "open_only", cli_study_open_json(study));
    NEP_TRY_OR_DONE(st, nep_file_folder(ctx, folder));
    NEP_TRY_OR_DONE(st, nep_file_join(ctx, folder, "evaluation.html", &page));
    NEP_TRY_OR_DONE(st, nep_report_write_evaluation(ctx, doc, provenance, page));
    NEP_TRY_OR_DONE(st, write_file(c, folder, "evaluation.json", e, doc));
    NEP_TRY_OR_DONE(st, nep_file_join(ctx, folder, "tripod_ai.tsv", &checklist));
    NEP_TRY_OR_DONE(st, nep_tripod_write(ctx, doc, checklist));
    st = write_file(c, folder, "predictions.tsv", e, NULL);
done:
    nep_alloc_free(checklist);
    nep_alloc_free(page);
    json_decref(provenance);
    return st;
}

/* Per disorder, then over all: what imaging adds. */
static void print_imaging(const nep_ranking *r)
{
    cli_print("disorder\tname\tn_pos\tdelta_ap\tdelta_low\tdelta_high\tnull_gain\tweight\tp_first_family\tp_second_family\tp_holm\tdetectable\tverdict\n");
    for (int64_t j = 0; j <= r->n_disorders; j++) {
        const nep_increment *i = j < r->n_disorders ? &r->disorders[j].increment : &r->imaging;
        if (isnan(i->p_map))
            continue;
        const double shown[] = {i->delta.value, i->delta.low, i->delta.high, i->null_gain, i->weight, i->p_family[0], i->p_family[1], i->p_holm,
                                i->detectable};
        cli_print("%s\t%s\t%lld", j < r->n_disorders ? r->disorders[j].id : "all", j < r->n_disorders ? r->disorders[j].name : "all disorders",
                  (long long)i->delta.n);
        for (int k = 0; k < NEP_LEN(shown); k++)
            print_number(shown[k], k < 4 ? 4 : 3);
        cli_print("\t%s\n", nep_imaging_verdict_name(i->verdict));
    }
}

/* evaluate --imaging-only. */
static nep_status run_imaging(cli *c, cli_study *study, const char *folder)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_ranking *ranking = NULL;
    json_t *doc = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, cli_rank_run(c, study, true, &ranking));
    NEP_TRY_OR_DONE(st, nep_imaging_json(ctx, ranking, &doc));
    json_object_set_new(doc, "provenance", cli_rank_provenance(c, study));
    NEP_TRY_OR_DONE(st, nep_file_folder(ctx, folder));
    NEP_TRY_OR_DONE(st, write_file(c, folder, "imaging.json", NULL, doc));
    if (ranking->imaging_text)
        cli_say(c, "%s", ranking->imaging_text);
    if (cli_json(c))
        st = cli_document(c, json_pack("{s:O}", "imaging", doc));
    else
        print_imaging(ranking);
done:
    json_decref(doc);
    nep_ranking_free(ranking);
    return st;
}

static nep_status run(cli *c)
{
    static const char *const outputs[] = {"evaluation.html", "evaluation.json", "tripod_ai.tsv", "predictions.tsv"}, *const alone[] = {"imaging.json"};
    nep_ctx *ctx = cli_ctx(c);
    cli_study study = {0};
    nep_ranking *ranking = NULL;
    nep_evaluation *evaluation = NULL;
    json_t *doc = NULL;
    const char *folder;
    nep_status st;

    NEP_TRY(cli_rank_folder(c, &folder));
    if (cli_dry_run(c)) {
        NEP_TRY_OR_DONE(st, nep_study_read(ctx, cli_input(c, 0), &study.study));
        st = cli_flag(c, "imaging-only") ? cli_plan(c, study.study.n_disorders, 0, NAN, alone, NEP_LEN(alone))
                                         : cli_plan(c, study.study.n_disorders, 0, NAN, outputs, NEP_LEN(outputs));
        goto done;
    }
    if (cli_flag(c, "imaging-only")) {
        st = run_imaging(c, &study, folder);
        goto done;
    }
    NEP_TRY_OR_DONE(st, cli_rank_run(c, &study, false, &ranking));
    NEP_TRY_OR_DONE(st, cli_rank_evaluate(c, &study, ranking, &evaluation));
    NEP_TRY_OR_DONE(st, nep_evaluation_json(ctx, evaluation, &doc));
    NEP_TRY_OR_DONE(st, write_all(c, folder, evaluation, doc, &study));
    say_macro(c, evaluation);
    if (cli_json(c)) {
        json_t *printed = json_pack("{s:O}", "evaluation", doc);
        st = cli_document(c, printed);
    } else {
        print_table(evaluation);
    }
done:
    json_decref(doc);
    nep_evaluation_free(evaluation);
    nep_ranking_free(ranking);
    cli_study_free(&study);
    return st;
}

static const cli_option options[] = {
    {"protocols", 0, CLI_TEXTS, "NAME,...", NULL, NULL, "masked, zero_shot, new_drug, approved_vs_failed (default: the study's, else the first three)"},
    {"bootstrap", 0, CLI_INT, "N", NULL, NULL, "two-way bootstrap samples (default: the study's, else 2000)"},
    {"redraws", 0, CLI_INT, "N", "200", NULL, "redraws of the inputs within their errors behind each interval"},
    {"null-maps", 0, CLI_INT, "N", "500", NULL, "random maps that measure the false-positive rate of each null"},
    {"imaging-only", 0, CLI_FLAG, NULL, NULL, NULL, "measure what imaging adds, no more: imaging.json and its table (seconds to minutes instead of all protocols)"},
    {"open-only", 0, CLI_FLAG, NULL, NULL, NULL, "leave out every row whose licence is not open (CC0, CC BY, public domain)"},
};

const cli_command cli_cmd_evaluate = {.name = "evaluate",
                                      .group = "Ranking",
                                      .summary = "how far a ranking can be trusted: protocols, baselines, map nulls, what imaging adds",
                                      .inputs = "STUDY.yaml",
                                      .min_inputs = 1,
                                      .max_inputs = 1,
                                      .inputs_are_files = true,
                                      .options = options,
                                      .n_options = NEP_LEN(options),
                                      .run = run,
                                      .example = "nepenthe evaluate study.yaml -o evaluation"};
