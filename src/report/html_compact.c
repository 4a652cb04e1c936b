/* SPDX-License-Identifier: Apache-2.0 */
/* html_compact.c - what keeps the page small: percentiles instead of every value, and the evaluation of the disorders shown alone. */
#include "doc.h"

#include <math.h>
#include <string.h>

/* Share of the drugs with a value that stand below (half of those level) in one channel, by candidate; NaN without a value. */
static nep_status percentiles(nep_ctx *ctx, const json_t *candidates, const char *channel, double *out)
{
    const int64_t n = (int64_t)json_array_size(candidates);
    int64_t *order = NULL, there = 0;
    double *value = NULL;
    bool *tie = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *order, "percentiles", &order));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *value, "percentiles", &value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *tie, "percentiles", &tie));
    for (int64_t k = 0; k < n; k++) {
        value[k] = nep_doc_get_number(json_object_get(json_array_get(candidates, (size_t)k), "value"), channel);
        there += !isnan(value[k]);
    }
    NEP_TRY_OR_DONE(st, nep_metrics_order(ctx, value, n, order, tie));
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && tie[end]; end++)
            ;
        for (int64_t k = i; k < end; k++)
            out[order[k]] = i >= there ? NAN : there == 1 ? 0.5 : 1 - 0.5 * (double)(i + end - 1) / (double)(there - 1);
    }
done:
    nep_alloc_free(tie);
    nep_alloc_free(value);
    nep_alloc_free(order);
    return st;
}

nep_status nep_html_percentiles(nep_ctx *ctx, const json_t *doc)
{
    int bad = 0;
    size_t d, c, k;
    json_t *disorder, *ch, *row;
    json_array_foreach(json_object_get(doc, "disorders"), d, disorder)
    {
        const json_t *candidates = json_object_get(disorder, "candidates");
        json_array_foreach(candidates, k, row) DOC_PUT(row, "percentile", json_object());
        json_array_foreach(json_object_get(doc, "channels"), c, ch)
        {
            double *p = NULL;
            if (strcmp(nep_doc_get_text(ch, "role"), "BASELINE") != 0)
                continue;
            NEP_TRY(nep_alloc(ctx, (int64_t)json_array_size(candidates) + 1, sizeof *p, "percentiles", &p));
            const nep_status st = percentiles(ctx, candidates, nep_doc_get_text(ch, "name"), p);
            json_array_foreach(candidates, k, row)
                DOC_PUT(json_object_get(row, "percentile"), nep_doc_get_text(ch, "name"), nep_doc_number(round(1000 * p[k]) / 1000));
            nep_alloc_free(p);
            NEP_TRY(st);
        }
    }
    NEP_REQUIRE(ctx, !bad, NEP_E_NOMEM, "report.html: memory ran out while percentiles were taken");
    return NEP_OK;
}

/* The objects of `list` whose id is that of a disorder of the page. */
static json_t *of_page(const json_t *list, const json_t *disorders)
{
    int bad = 0;
    size_t i, d;
    json_t *o, *disorder, *out = json_array();
    json_array_foreach(list, i, o)
        json_array_foreach(disorders, d, disorder)
            if (strcmp(nep_doc_get_text(o, "id"), nep_doc_get_text(disorder, "id")) == 0)
                DOC_ADD(out, json_incref(o));
    DOC_END(out);
}

/* Protocols (or a baseline's) with the disorders of the page alone. */
static json_t *page_protocols(const json_t *protocols, const json_t *disorders)
{
    int bad = 0;
    const char *name;
    json_t *p, *out = json_object();
    json_object_foreach((json_t *)(uintptr_t)protocols, name, p)
    {
        json_t *copy = json_is_object(p) ? json_copy(p) : json_incref(p);
        if (json_object_get(copy, "disorders"))
            DOC_PUT(copy, "disorders", of_page(json_object_get(p, "disorders"), disorders));
        DOC_PUT(out, name, copy);
    }
    DOC_END(out);
}

json_t *nep_html_evaluation(const json_t *evaluation, const json_t *disorders)
{
    int bad = 0;
    const char *name;
    json_t *b, *baselines = json_object();
    if (!json_is_object(evaluation)) {
        json_decref(baselines);
        return json_null();
    }
    json_t *o = json_copy((json_t *)(uintptr_t)evaluation);
    json_object_foreach(json_object_get(evaluation, "baselines"), name, b) DOC_PUT(baselines, name, page_protocols(b, disorders));
    DOC_PUT(o, "baselines", baselines);
    if (json_object_get(evaluation, "protocols"))
        DOC_PUT(o, "protocols", page_protocols(json_object_get(evaluation, "protocols"), disorders));
    DOC_END(o);
}
