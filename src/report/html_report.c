/* SPDX-License-Identifier: Apache-2.0 */
/* html_report.c - the gathered document in the compact form that the page reads: rows instead of objects, texts once. */
#include "doc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_BYTES = 5000000 - 300000 /* what style, script and escapes may take */,
    ATLAS_BYTES = 1000000,
    FRESH = 10 /* unlabelled drugs of each disorder that keep their details, whatever their rank */
};

/* Texts of the page, each once, and where they stand. */
typedef struct {
    json_t *strings, *index;
} words;

/* Index of a text in the strings. */
static json_t *interned(words *w, const json_t *text)
{
    if (!json_is_string(text))
        return json_null();
    const char *key = json_string_value(text);
    json_t *known = json_object_get(w->index, key);
    if (!known) {
        int bad = 0;
        known = json_integer((json_int_t)json_array_size(w->strings));
        DOC_PUT(w->index, key, known);
        DOC_ADD(w->strings, json_string(key));
        if (bad)
            return NULL;
    }
    return json_incref(known);
}

static json_t *fields(const json_t *object, const char *const *keys, int n)
{
    int bad = 0;
    json_t *row = json_array();
    for (int i = 0; i < n; i++) {
        json_t *value = json_object_get(object, keys[i]);
        DOC_ADD(row, value ? json_incref(value) : json_null());
    }
    DOC_END(row);
}

/* The values of an object by channel name, in channel order; of one role alone, or (NULL) of all. */
static json_t *in_order(const json_t *object, const json_t *channels, const char *role)
{
    int bad = 0;
    size_t i;
    json_t *ch, *row = json_array();
    json_array_foreach(channels, i, ch)
    {
        json_t *value = json_object_get(object, nep_doc_get_text(ch, "name"));
        if (!role || strcmp(nep_doc_get_text(ch, "role"), role) == 0)
            DOC_ADD(row, value ? json_incref(value) : json_null());
    }
    DOC_END(row);
}

static json_t *page_row(const json_t *c, const json_t *channels)
{
    static const char *const keys[] = {"drug",     "score",   "score_low",  "score_high", "rank_low",
                                       "rank_high", "p_top10", "p_recorded", "verdict",    "n_channels",
                                       "n_targets", "flags",   "engagement", "engagement_p", "label", "score_without_low", "score_without_high"};
    int bad = 0;
    json_t *row = fields(c, keys, NEP_LEN(keys));
    DOC_ADD(row, in_order(json_object_get(c, "contribution"), channels, "VOTE"));
    DOC_ADD(row, in_order(json_object_get(c, "percentile"), channels, "BASELINE"));
    DOC_END(row);
}

enum { ROWS_KEPT = 3 /* rows of a channel that stay however small they are */ };
static const double row_least = 0.005; /* what the page would write as 0.00 */

static json_t *page_row_of(const json_t *row, words *w)
{
    const double part = nep_doc_get_number(row, "part");
    int bad = 0;
    json_t *r = json_object();
    DOC_PUT(r, "label", json_incref(json_object_get(row, "label")));
    DOC_PUT(r, "detail", json_incref(json_object_get(row, "detail")));
    if (json_object_get(row, "source"))
        DOC_PUT(r, "source", interned(w, json_object_get(row, "source")));
    if (isnan(part))
        DOC_PUT(r, "share", json_incref(json_object_get(row, "share")));
    else
        DOC_PUT(r, "part", json_real(round(1e4 * part) / 1e4));
    DOC_END(r);
}

/* Rows of one channel; those that would be written as 0.00 go into the last one, so that the rows still sum to the channel. */
static json_t *page_list(const json_t *rows, words *w)
{
    int bad = 0;
    size_t i;
    double rest = 0;
    int64_t dropped = 0;
    bool others = false;
    char detail[96];
    json_t *row, *list = json_array();
    json_array_foreach(rows, i, row)
    {
        const double part = nep_doc_get_number(row, "part");
        const bool last = strcmp(nep_doc_get_text(row, "label"), "all others") == 0;
        if (last && !isnan(part)) {
            others = true;
            rest += part;
        } else if (i >= ROWS_KEPT && fabs(part) < row_least) {
            rest += part;
            dropped++;
        } else {
            DOC_ADD(list, page_row_of(row, w));
        }
    }
    snprintf(detail, sizeof detail, "their sum; %lld of them, of less than %.3f each, in candidates.json", (long long)dropped, row_least);
    if (others || dropped)
        DOC_ADD(list,
                json_pack("{s:s,s:s,s:f}", "label", "all others", "detail", dropped ? detail : "their sum", "part", round(1e4 * rest) / 1e4));
    DOC_END(list);
}

/* Rows of the channels that add something: those of a channel of weight 0 explain nothing. Digits beyond the eye's are dropped. */
static json_t *page_rows(const json_t *by_channel, const json_t *contribution, words *w)
{
    int bad = 0;
    const char *name;
    json_t *rows, *o = json_object();
    json_object_foreach((json_t *)(uintptr_t)by_channel, name, rows)
    {
        if (nep_doc_get_number(contribution, name) != 0)
            DOC_PUT(o, name, page_list(rows, w));
    }
    DOC_END(o);
}

/* [evidence, direction, low, high, rank_at_low, rank_at_high, obtainable, how], the texts by their place in the strings. */
static json_t *page_moves(const json_t *moves, words *w)
{
    static const char *const keys[] = {"low", "high", "rank_at_low", "rank_at_high", "obtainable"};
    int bad = 0;
    size_t i;
    json_t *m, *array = json_array();
    json_array_foreach(moves, i, m)
    {
        json_t *row = json_array();
        DOC_ADD(row, interned(w, json_object_get(m, "evidence")));
        DOC_ADD(row, interned(w, json_object_get(m, "direction")));
        for (int k = 0; k < NEP_LEN(keys); k++)
            DOC_ADD(row, json_incref(json_object_get(m, keys[k])));
        DOC_ADD(row, interned(w, json_object_get(m, "how")));
        DOC_ADD(array, row);
    }
    DOC_END(array);
}

/* What the page shows of a drug when it is opened. */
static json_t *page_detail(const json_t *c, const json_t *channels, words *w)
{
    static const char *const keys[] = {"level", "ranks", "p_recorded_low", "p_recorded_high"};
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "reasons", page_rows(json_object_get(c, "reasons"), json_object_get(c, "contribution"), w));
    if (json_object_get(c, "edges"))
        DOC_PUT(o, "edges", page_rows(json_object_get(c, "edges"), json_object_get(c, "contribution"), w));
    for (int i = 0; i < NEP_LEN(keys); i++)
        if (json_object_get(c, keys[i]))
            DOC_PUT(o, keys[i], json_incref(json_object_get(c, keys[i])));
    DOC_PUT(o, "counter", interned(w, json_object_get(c, "counter")));
    DOC_PUT(o, "moves", page_moves(json_object_get(c, "moves"), w));
    DOC_PUT(o, "contribution", in_order(json_object_get(c, "contribution"), channels, NULL));
    DOC_PUT(o, "value", in_order(json_object_get(c, "value"), channels, NULL));
    DOC_PUT(o, "se", in_order(json_object_get(c, "se"), channels, NULL));
    DOC_END(o);
}

/* Whether a drug keeps its details: among the best `limit` of a disorder or its first unlabelled ones, or labelled in one. */
static nep_status kept(nep_ctx *ctx, const json_t *doc, int64_t limit, bool **out)
{
    size_t d, k;
    json_t *disorder, *c;
    int64_t fresh = 0;
    NEP_TRY(nep_alloc(ctx, (int64_t)json_array_size(json_object_get(doc, "drugs")), sizeof **out, "kept drugs", out));
    json_array_foreach(json_object_get(doc, "disorders"), d, disorder)
    {
        fresh = 0;
        json_array_foreach(json_object_get(disorder, "candidates"), k, c)
        {
            const bool labelled = json_object_get(c, "label") || strstr(nep_doc_get_text(c, "flags"), "contraindicated");
            if ((int64_t)k < limit || labelled || fresh++ < FRESH)
                (*out)[json_integer_value(json_object_get(c, "drug"))] = true;
        }
    }
    return NEP_OK;
}

static json_t *page_disorder(const json_t *disorder, const json_t *channels, const bool *keep, words *w)
{
    int bad = 0;
    size_t k;
    json_t *c, *rows = json_array(), *details = json_object(), *o = json_copy((json_t *)(uintptr_t)disorder);
    json_array_foreach(json_object_get(disorder, "candidates"), k, c)
    {
        const json_int_t drug = json_integer_value(json_object_get(c, "drug"));
        char key[24];
        DOC_ADD(rows, page_row(c, channels));
        snprintf(key, sizeof key, "%lld", (long long)drug);
        if (json_object_get(c, "reasons") && keep[drug])
            DOC_PUT(details, key, page_detail(c, channels, w));
    }
    bad |= json_object_del(o, "candidates") != 0;
    DOC_PUT(o, "rows", rows);
    DOC_PUT(o, "details", details);
    DOC_END(o);
}

static json_t *page_target(const json_t *t, words *w)
{
    static const char *const numbers[] = {"target", "p_affinity", "p_se", "occupancy", "action", "partial", "censored",
                                          "n_measurements"};
    static const char *const texts[] = {"type", "species", "source", "licence"};
    int bad = 0;
    json_t *row = fields(t, numbers, NEP_LEN(numbers));
    for (int i = 0; i < NEP_LEN(texts); i++)
        DOC_ADD(row, interned(w, json_object_get(t, texts[i])));
    DOC_END(row);
}

static json_t *page_drug(const json_t *drug, bool keep, words *w)
{
    int bad = 0;
    size_t k;
    json_t *t, *rows = json_array(), *o = json_copy((json_t *)(uintptr_t)drug);
    json_array_foreach(json_object_get(drug, "targets"), k, t) if (keep) DOC_ADD(rows, page_target(t, w));
    (void)json_object_del(o, "targets"); /* absent when the study has no affinities */
    DOC_PUT(o, "rows", rows);
    DOC_END(o);
}

static json_t *page_drugs(const json_t *drugs, const bool *keep, words *w)
{
    int bad = 0;
    size_t i;
    json_t *drug, *array = json_array();
    json_array_foreach(drugs, i, drug) DOC_ADD(array, page_drug(drug, keep[i], w));
    DOC_END(array);
}

static json_t *page_data(const json_t *doc, json_t *brain, const bool *keep, int64_t limit)
{
    int bad = 0;
    size_t d;
    json_t *disorder, *disorders = json_array(), *o = json_copy((json_t *)(uintptr_t)doc);
    const json_t *channels = json_object_get(doc, "channels");
    words w = {json_array(), json_object()};
    json_array_foreach(json_object_get(doc, "disorders"), d, disorder) DOC_ADD(disorders, page_disorder(disorder, channels, keep, &w));
    DOC_PUT(o, "kind", json_string("report"));
    DOC_PUT(o, "evaluation", nep_html_evaluation(json_object_get(doc, "evaluation"), json_object_get(doc, "disorders")));
    DOC_PUT(o, "disorders", disorders);
    DOC_PUT(o, "drugs", page_drugs(json_object_get(doc, "drugs"), keep, &w));
    DOC_PUT(o, "strings", w.strings);
    json_decref(w.index);
    DOC_PUT(o, "detail_limit", json_integer(limit));
    if (brain)
        DOC_PUT(o, "brain", json_incref(brain));
    DOC_END(o);
}

/* The page's data with as many details as fit; at least those of the best 25 and of the labelled drugs stay. */
static nep_status fit(nep_ctx *ctx, const json_t *doc, json_t *brain, json_t **out)
{
    int64_t limit = (int64_t)json_array_size(json_object_get(doc, "drugs"));
    for (;;) {
        bool *keep = NULL;
        NEP_TRY(kept(ctx, doc, limit, &keep));
        json_t *data = page_data(doc, brain, keep, limit);
        nep_alloc_free(keep);
        NEP_REQUIRE(ctx, data != NULL, NEP_E_NOMEM, "report.html: memory ran out while the page was gathered");
        if (limit <= 25 || json_dumpb(data, NULL, 0, JSON_COMPACT | JSON_REAL_PRECISION(6)) <= PAGE_BYTES) {
            *out = data;
            return NEP_OK;
        }
        json_decref(data);
        limit = limit > 1600 ? 800 : limit / 2;
    }
}

/* Warnings that came up after the document was gathered. */
static nep_status add_warnings(nep_ctx *ctx, json_t *data)
{
    int bad = 0;
    json_t *warnings = json_copy(json_object_get(data, "warnings"));
    for (int i = (int)json_array_size(warnings); i < nep_warn_count(ctx) && warnings; i++)
        DOC_ADD(warnings, nep_doc_text(nep_warn_get(ctx, i)));
    if (warnings)
        DOC_PUT(data, "warnings", warnings);
    NEP_REQUIRE(ctx, !bad, NEP_E_NOMEM, "report.html: memory ran out while the warnings were listed");
    return NEP_OK;
}

nep_status nep_html_write_report(nep_ctx *ctx, const json_t *doc, const nep_ranking *r, const char *path)
{
    json_t *brain = NULL, *data = NULL;
    nep_status st = NEP_OK;
    if (r->inputs->atlas)
        NEP_TRY_OR_DONE(st, nep_brain_pack_atlas(ctx, r->inputs->atlas, r->inputs->atlas_name, ATLAS_BYTES, &brain));
    else if (r->inputs->geometry && r->inputs->n_regions > 0)
        NEP_TRY_OR_DONE(st, nep_brain_pack(ctx, r->inputs->geometry, &brain));
    NEP_TRY_OR_DONE(st, nep_html_percentiles(ctx, doc));
    NEP_TRY_OR_DONE(st, fit(ctx, doc, brain, &data));
    NEP_TRY_OR_DONE(st, add_warnings(ctx, data));
    const char *study = nep_doc_get_text(doc, "study");
    st = nep_html_write_page(ctx, *study ? study : "Nepenthe report", json_is_true(json_object_get(doc, "simulated")), data,
                             path);
done:
    json_decref(data);
    json_decref(brain);
    return st;
}
