/* SPDX-License-Identifier: Apache-2.0 */
/* imaging_json.c - what imaging adds to a ranking, as it stands in evaluation.json: per disorder, over all, and in words. */
#include "doc.h"

#include <math.h>

static json_t *families(const nep_ranking *r, int64_t j)
{
    int bad = 0;
    json_t *list = json_array();
    for (int f = 0; f < NEP_EVIDENCE_FAMILIES; f++) {
        const char *name = nep_inputs_null_name(r->inputs, j, f);
        if (name)
            DOC_ADD(list, json_pack("{s:s,s:o}", "null", name, "p", nep_doc_number(r->disorders[j].increment.p_family[f])));
    }
    DOC_END(list);
}

/* The numbers that an increment has wherever it is of. */
static int put_increment(json_t *o, const nep_increment *i)
{
    int bad = 0;
    DOC_PUT(o, "delta", nep_doc_number(i->delta.value));
    DOC_PUT(o, "low", nep_doc_number(i->delta.low));
    DOC_PUT(o, "high", nep_doc_number(i->delta.high));
    DOC_PUT(o, "null_gain", nep_doc_number(i->null_gain));
    DOC_PUT(o, "weight", nep_doc_number(i->weight));
    DOC_PUT(o, "p_map", nep_doc_number(i->p_map));
    DOC_PUT(o, "p_holm", nep_doc_number(i->p_holm));
    DOC_PUT(o, "detectable", nep_doc_number(i->detectable));
    DOC_PUT(o, "verdict", nep_doc_text(nep_imaging_verdict_name(i->verdict)));
    return bad;
}

json_t *nep_imaging_disorders(const nep_ranking *r)
{
    int bad = 0;
    json_t *list = json_array();
    for (int64_t j = 0; j < r->n_disorders; j++) {
        const nep_increment *i = &r->disorders[j].increment;
        json_t *o = json_object();
        DOC_PUT(o, "id", nep_doc_text(r->disorders[j].id));
        DOC_PUT(o, "name", nep_doc_text(r->disorders[j].name));
        DOC_PUT(o, "n_pos", json_integer((json_int_t)i->delta.n));
        bad |= put_increment(o, i);
        DOC_PUT(o, "p_map_by_null", families(r, j));
        DOC_PUT(o, "tested", json_string(!isnan(i->delta.value) ? "gain" : isnan(i->p_map) ? "nothing" : "map"));
        DOC_ADD(list, o);
    }
    DOC_END(list);
}

json_t *nep_imaging_overall(const nep_ranking *r)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "summary", nep_doc_text(r->imaging_text));
    DOC_PUT(o, "n_disorders", json_integer((json_int_t)r->imaging.delta.n));
    bad |= put_increment(o, &r->imaging);
    DOC_END(o);
}

nep_status nep_imaging_json(nep_ctx *ctx, const nep_ranking *r, json_t **out)
{
    int bad = 0;
    json_t *doc = json_object();
    DOC_PUT(doc, "schema", json_string("nepenthe/imaging/1"));
    DOC_PUT(doc, "study", nep_doc_text(r->study_name));
    DOC_PUT(doc, "fusion", json_string(nep_fusion_name(r->fusion)));
    DOC_PUT(doc, "seed", json_integer((json_int_t)r->inputs->seed));
    DOC_PUT(doc, "overall", nep_imaging_overall(r));
    DOC_PUT(doc, "disorders", nep_imaging_disorders(r));
    if (bad)
        json_decref(doc);
    NEP_REQUIRE(ctx, !bad, NEP_E_NOMEM, "imaging: the document could not be made");
    *out = doc;
    return NEP_OK;
}
