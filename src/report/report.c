/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - the formats: gather once, then each writer in turn. */
#include "doc.h"

#include <stdlib.h>
#include <string.h>

static nep_status write_json(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path)
{
    char *text = json_dumps(doc, JSON_INDENT(1) | JSON_REAL_PRECISION(NEP_DOC_PRECISION));
    nep_file *f = NULL;
    nep_status st;
    (void)r;
    NEP_REQUIRE(ctx, text != NULL, NEP_E_NOMEM, "%s: memory ran out while the document was written", path);
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_write(f, text, strlen(text)));
    NEP_TRY_OR_DONE(st, nep_file_write(f, "\n", 1));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    free(text);
    return st;
}

static nep_status write_tsv(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path)
{
    (void)r;
    return nep_candidates_write(ctx, doc, path, false);
}

static nep_status write_csv(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path)
{
    (void)r;
    return nep_candidates_write(ctx, doc, path, true);
}

static nep_status write_xlsx(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path)
{
    (void)r;
    return nep_xlsx_write(ctx, doc, path);
}

static const struct {
    const char *name;
    nep_status (*write)(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path);
} formats[] = {
    {"candidates.tsv", write_tsv},   {"candidates.csv", write_csv},   {"candidates.json", write_json},
    {"candidates.xlsx", write_xlsx}, {"results.h5", nep_results_write}, {"report.html", nep_html_write_report},
};

nep_status nep_report_write_all(nep_ctx *ctx, const nep_ranking *ranking, const json_t *evaluation,
                                const json_t *provenance, const char *folder)
{
    json_t *doc = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, folder && *folder, NEP_E_ARG, "report: no folder to write to");
    NEP_TRY(nep_report_gather(ctx, ranking, evaluation, provenance, &doc));
    NEP_TRY_OR_DONE(st, nep_file_folder(ctx, folder));
    for (int i = 0; i < NEP_LEN(formats); i++) {
        char *path = NULL;
        NEP_TRY_OR_DONE(st, nep_file_join(ctx, folder, formats[i].name, &path));
        st = formats[i].write(ctx, doc, ranking, path);
        nep_alloc_free(path);
        if (st != NEP_OK)
            goto done;
    }
done:
    json_decref(doc);
    return st;
}

nep_status nep_report_write_evaluation(nep_ctx *ctx, const json_t *evaluation, const json_t *provenance, const char *path)
{
    int bad = 0;
    NEP_REQUIRE(ctx, evaluation && path, NEP_E_ARG, "report: no evaluation to write, or no file to write it to");
    NEP_REQUIRE(ctx, strncmp(nep_doc_get_text(evaluation, "schema"), "nepenthe/evaluation/1", 21) == 0, NEP_E_FORMAT,
                "report: the evaluation has schema '%s', this build reads nepenthe/evaluation/1",
                nep_doc_get_text(evaluation, "schema"));
    json_t *data = json_object(), *warnings = json_array();
    for (int i = 0; i < nep_warn_count(ctx); i++)
        DOC_ADD(warnings, nep_doc_text(nep_warn_get(ctx, i)));
    DOC_PUT(data, "kind", json_string("evaluation"));
    DOC_PUT(data, "version", json_string(NEP_VERSION));
    DOC_PUT(data, "evaluation", json_deep_copy(evaluation));
    DOC_PUT(data, "provenance", provenance ? json_deep_copy(provenance) : json_object());
    DOC_PUT(data, "warnings", warnings);
    nep_status st = bad ? nep_ctx_fail(ctx, NEP_E_NOMEM, "%s: memory ran out while the page was gathered", path) : NEP_OK;
    if (st == NEP_OK)
        st = nep_html_write_page(ctx, "Evaluation", json_is_true(json_object_get(evaluation, "simulated")), data, path);
    json_decref(data);
    return st;
}
