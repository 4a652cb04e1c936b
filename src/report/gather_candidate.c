/* SPDX-License-Identifier: Apache-2.0 */
/* gather_candidate.c - one disorder's candidates with contributions and reasons, and where labelled drugs fell. */
#include "doc.h"

#include <nepenthe/direction.h>

#include <math.h>

static nep_label label_of(const nep_inputs *in, int64_t disorder, int64_t drug)
{
    return in->labels ? in->labels[disorder * in->n_drugs + drug] : NEP_LABEL_NONE;
}

/* The probability at the other end of the score's interval. A score of the hierarchical model is the logit less one number per disorder;
 * NaN for other fusions, whose curve has a slope of its own. */
static double probability_at(const nep_ranking *r, const nep_candidate *c, double score)
{
    return r->fusion == NEP_FUSION_HIERARCHICAL ? 1 / (1 + exp(c->score - score - log(c->p_recorded / (1 - c->p_recorded)))) : NAN;
}

static json_t *candidate_row(const nep_ranking *r, const nep_ranking_disorder *d, int64_t k)
{
    int bad = 0;
    const nep_candidate *c = &d->candidates[k];
    const nep_molset *drugs = r->inputs->drugs;
    json_t *o = json_object();
    DOC_PUT(o, "rank", json_integer(k + 1));
    DOC_PUT(o, "disorder", nep_doc_text(d->id));
    DOC_PUT(o, "drug_id", nep_doc_text(drugs->id[c->drug]));
    DOC_PUT(o, "name", nep_doc_text(drugs->names ? drugs->names[c->drug] : NULL));
    DOC_PUT(o, "score", nep_doc_number(c->score));
    DOC_PUT(o, "score_low", nep_doc_number(c->score_low));
    DOC_PUT(o, "score_high", nep_doc_number(c->score_high));
    DOC_PUT(o, "rank_low", nep_doc_number(c->rank_low));
    DOC_PUT(o, "rank_high", nep_doc_number(c->rank_high));
    DOC_PUT(o, "p_top10", nep_doc_number(c->p_top10));
    DOC_PUT(o, "verdict", nep_doc_text(nep_verdict_name(c->verdict)));
    DOC_PUT(o, "n_channels", json_integer(c->n_channels));
    DOC_PUT(o, "n_targets", json_integer(c->n_targets));
    DOC_PUT(o, "flags", nep_doc_text(c->flags ? c->flags : ""));
    DOC_PUT(o, "p_recorded", nep_doc_number(c->p_recorded));
    DOC_PUT(o, "p_recorded_low", nep_doc_number(probability_at(r, c, c->score_low)));
    DOC_PUT(o, "p_recorded_high", nep_doc_number(probability_at(r, c, c->score_high)));
    DOC_PUT(o, "engagement", nep_doc_number(c->engagement));
    DOC_PUT(o, "engagement_p", nep_doc_number(c->engagement_p));
    DOC_PUT(o, "score_without_low", nep_doc_number(c->score_without_low));
    DOC_PUT(o, "score_without_high", nep_doc_number(c->score_without_high));
    DOC_PUT(o, "drug", json_integer(c->drug));
    DOC_END(o);
}

static json_t *by_channel(const nep_ranking *r, const double *matrix, int64_t drug)
{
    int bad = 0;
    json_t *o = json_object();
    for (int c = 0; matrix && c < r->n_channels; c++)
        DOC_PUT(o, r->channels[c]->name, nep_doc_number(matrix[drug * r->n_channels + c]));
    DOC_END(o);
}

/* The label matrices a channel may see for one disorder: its own row, and the others with that row emptied. */
static nep_status visible_open(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, nep_label **own, nep_label **others)
{
    const int64_t n = in->n_drugs;
    NEP_TRY(nep_alloc(ctx, n, sizeof **own, "visible labels", own));
    NEP_TRY(nep_alloc(ctx, n * in->n_disorders, sizeof **others, "labels of the other disorders", others));
    for (int64_t i = 0; i < n; i++)
        (*own)[i] = label_of(in, disorder, i);
    for (int64_t d = 0; d < in->n_disorders; d++)
        for (int64_t i = 0; i < n && d != disorder; i++)
            (*others)[d * n + i] = label_of(in, d, i);
    return NEP_OK;
}

static json_t *candidate_rows(nep_ctx *ctx, const nep_ranking *r, int64_t disorder, nep_label *own, const nep_label *others,
                              const nep_gather_scale *scales, nep_status *st)
{
    int bad = 0;
    const nep_ranking_disorder *d = &r->disorders[disorder];
    const nep_visible visible = {.disorder = disorder, .own = own, .others = others};
    json_t *array = json_array();
    for (int64_t k = 0; k < r->inputs->n_drugs && !bad && *st == NEP_OK; k++) {
        const int64_t drug = d->candidates[k].drug;
        const nep_label label = label_of(r->inputs, disorder, drug);
        json_t *o = candidate_row(r, d, k);
        if (label != NEP_LABEL_NONE)
            DOC_PUT(o, "label", nep_doc_text(nep_label_name(label)));
        DOC_PUT(o, "contribution", by_channel(r, d->contribution, drug));
        DOC_PUT(o, "value", by_channel(r, d->value, drug));
        DOC_PUT(o, "se", by_channel(r, d->se, drug));
        DOC_PUT(o, "ranks", nep_gather_opinions(r, disorder, drug));
        if (k < NEP_DOC_EXPLAINED || label != NEP_LABEL_NONE || nep_direction_warns(r->inputs, disorder, drug)) {
            own[drug] = NEP_LABEL_NONE;
            bad |= nep_gather_explain(ctx, r, &visible, scales, drug, o, st);
            own[drug] = label;
            DOC_PUT(o, "counter", nep_gather_counter(r, disorder, drug, json_object_get(o, "reasons")));
            DOC_PUT(o, "moves", nep_gather_moves(r, disorder, drug, d->candidates[k].score, scales, o));
        }
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

json_t *nep_gather_candidates(nep_ctx *ctx, const nep_ranking *r, int64_t disorder, nep_status *st)
{
    nep_label *own = NULL, *others = NULL;
    nep_gather_scale *scales = NULL;
    json_t *array = NULL;
    *st = visible_open(ctx, r->inputs, disorder, &own, &others);
    if (*st == NEP_OK)
        *st = nep_gather_scales(ctx, r, disorder, &scales);
    if (*st == NEP_OK)
        array = candidate_rows(ctx, r, disorder, own, others, scales, st);
    nep_alloc_free(scales);
    nep_alloc_free(others);
    nep_alloc_free(own);
    return array;
}

static json_t *labelled_row(const nep_ranking *r, int64_t disorder, int64_t k, int64_t n_scored)
{
    int bad = 0;
    const nep_inputs *in = r->inputs;
    const nep_candidate *c = &r->disorders[disorder].candidates[k];
    json_t *o = json_object();
    DOC_PUT(o, "drug_id", nep_doc_text(in->drugs->id[c->drug]));
    DOC_PUT(o, "name", nep_doc_text(in->drugs->names ? in->drugs->names[c->drug] : NULL));
    const nep_direction_warning *warning = nep_direction_warns(in, disorder, c->drug);
    const nep_label label = label_of(in, disorder, c->drug);
    DOC_PUT(o, "status", nep_doc_text(warning ? nep_label_name(NEP_LABEL_CONTRAINDICATED) : nep_label_name(label)));
    if (warning && label != NEP_LABEL_NONE && label != NEP_LABEL_CONTRAINDICATED)
        DOC_PUT(o, "recorded", nep_doc_text(nep_label_name(label)));
    DOC_PUT(o, "rank", json_integer(k + 1));
    DOC_PUT(o, "scored", json_boolean(!isnan(c->score)));
    DOC_PUT(o, "of", json_integer(n_scored));
    DOC_PUT(o, "verdict", nep_doc_text(nep_verdict_name(c->verdict)));
    DOC_PUT(o, "source", nep_doc_text(warning ? warning->source : in->label_source ? in->label_source[disorder * in->n_drugs + c->drug] : NULL));
    if (warning && warning->note)
        DOC_PUT(o, "note", nep_doc_text(warning->note));
    DOC_PUT(o, "drug", json_integer(c->drug));
    DOC_END(o);
}

json_t *nep_gather_labelled(const nep_ranking *r, int64_t disorder)
{
    int bad = 0;
    int64_t n_scored = 0;
    json_t *array = json_array();
    for (int64_t k = 0; k < r->inputs->n_drugs; k++)
        n_scored += !isnan(r->disorders[disorder].candidates[k].score);
    for (int64_t k = 0; k < r->inputs->n_drugs && !bad; k++)
        if (label_of(r->inputs, disorder, r->disorders[disorder].candidates[k].drug) != NEP_LABEL_NONE ||
            nep_direction_warns(r->inputs, disorder, r->disorders[disorder].candidates[k].drug))
            DOC_ADD(array, labelled_row(r, disorder, k, n_scored));
    DOC_END(array);
}
