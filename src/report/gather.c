/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - one ranking, its evaluation, its provenance and the warnings so far as one document `nepenthe/report/1`. */
#include "doc.h"

#include <nepenthe/direction.h>

#include <math.h>
#include <string.h>

static json_t *gather_estimate(const nep_estimate *e)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "value", nep_doc_number(e->value));
    DOC_PUT(o, "low", nep_doc_number(e->low));
    DOC_PUT(o, "high", nep_doc_number(e->high));
    DOC_PUT(o, "n", json_integer(e->n));
    DOC_END(o);
}

/* The p of each family of null maps, by its kind's name. */
static json_t *gather_families(const nep_inputs *in, int64_t disorder, const nep_increment *g)
{
    int bad = 0;
    json_t *array = json_array();
    for (int f = 0; f < NEP_EVIDENCE_FAMILIES && !bad; f++) {
        const char *name = nep_inputs_null_name(in, disorder, f);
        if (!name)
            continue;
        json_t *o = json_object();
        DOC_PUT(o, "null", nep_doc_text(name));
        DOC_PUT(o, "p", nep_doc_number(g->p_family[f]));
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

static json_t *gather_imaging(const nep_inputs *in, int64_t disorder, const nep_increment *g)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "verdict", nep_doc_text(nep_imaging_verdict_name(g->verdict)));
    DOC_PUT(o, "delta", gather_estimate(&g->delta));
    DOC_PUT(o, "p_map", nep_doc_number(g->p_map));
    DOC_PUT(o, "p_map_by_null", gather_families(in, disorder, g));
    DOC_PUT(o, "p_holm", nep_doc_number(g->p_holm));
    DOC_PUT(o, "detectable", nep_doc_number(g->detectable));
    DOC_END(o);
}

static json_t *gather_channels(const nep_ranking *r)
{
    int bad = 0;
    json_t *array = json_array();
    for (int c = 0; c < r->n_channels && !bad; c++) {
        const nep_channel *ch = r->channels[c];
        json_t *o = json_object();
        DOC_PUT(o, "name", nep_doc_text(ch->name));
        DOC_PUT(o, "role", nep_doc_text(nep_role_name(ch->role)));
        DOC_PUT(o, "summary", nep_doc_text(ch->summary));
        DOC_PUT(o, "source", nep_doc_text(ch->source));
        DOC_PUT(o, "orientation", nep_doc_text(ch->orientation));
        DOC_PUT(o, "licence", nep_doc_text(ch->licence));
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

static json_t *gather_targets(const nep_inputs *in)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t t = 0; t < in->n_targets && !bad; t++) {
        const bool mapped = t < in->n_mapped;
        json_t *o = json_object();
        DOC_PUT(o, "symbol", nep_doc_text(in->targets[t]));
        DOC_PUT(o, "name", nep_doc_text(in->target_names ? in->target_names[t] : NULL));
        DOC_PUT(o, "mapped", json_boolean(mapped));
        if (mapped && in->reliability) {
            DOC_PUT(o, "reliability_cortex", nep_doc_number(in->reliability[2 * t]));
            DOC_PUT(o, "reliability_subcortex", nep_doc_number(in->reliability[2 * t + 1]));
        }
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

static json_t *gather_regions(const nep_inputs *in)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t i = 0; in->geometry && i < in->n_regions && !bad; i++) {
        const char side[2] = {in->geometry->hemisphere[i], '\0'};
        json_t *o = json_object();
        DOC_PUT(o, "name", nep_doc_text(in->geometry->names[i]));
        DOC_PUT(o, "hemisphere", nep_doc_text(side));
        DOC_PUT(o, "cortex", json_boolean(in->geometry->cortex[i]));
        DOC_PUT(o, "mm", nep_doc_numbers(in->geometry->mm[i], 3));
        if (in->receptor)
            DOC_PUT(o, "receptor", nep_doc_numbers(in->receptor + i * in->n_mapped, in->n_mapped));
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

static json_t *gather_null_rates(const nep_ranking *r)
{
    int bad = 0;
    json_t *array = json_array();
    for (int i = 0; i < r->n_null_rates && !bad; i++) {
        const nep_null_rate *n = &r->null_rates[i];
        json_t *o = json_object();
        DOC_PUT(o, "name", nep_doc_text(n->name));
        DOC_PUT(o, "alpha", nep_doc_number(n->alpha));
        DOC_PUT(o, "rate", nep_doc_number(n->rate));
        DOC_PUT(o, "low", nep_doc_number(n->low));
        DOC_PUT(o, "high", nep_doc_number(n->high));
        DOC_PUT(o, "n_maps", json_integer(n->n_maps));
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

static json_t *gather_settings(const nep_inputs *in)
{
    int bad = 0;
    const char mode[2] = {in->mode, '\0'}, score[2] = {in->score, '\0'};
    json_t *o = json_object();
    DOC_PUT(o, "relative_occupancy", nep_doc_number(in->relative_occupancy));
    DOC_PUT(o, "scope", nep_doc_text(in->cortex_only ? "cortex" : "all"));
    DOC_PUT(o, "mode", nep_doc_text(mode));
    DOC_PUT(o, "score", nep_doc_text(score));
    DOC_PUT(o, "n_nulls", json_integer(in->n_nulls));
    DOC_PUT(o, "seed", json_integer((json_int_t)in->seed));
    DOC_PUT(o, "n_drugs", json_integer(in->n_drugs));
    DOC_PUT(o, "n_targets", json_integer(in->n_targets));
    DOC_PUT(o, "n_mapped", json_integer(in->n_mapped));
    DOC_PUT(o, "n_regions", json_integer(in->n_regions));
    DOC_PUT(o, "atlas", nep_doc_text(in->atlas ? in->atlas_name : NULL));
    DOC_PUT(o, "n_affinities", json_integer(in->n_affinities));
    DOC_END(o);
}

/* The thresholds behind the words, so that a page states the rule that was applied. */
static json_t *gather_rules(const nep_ranking *r)
{
    const nep_fusion fusion = r->fusion;
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "score", json_real(fusion == NEP_FUSION_HIERARCHICAL ? NEP_VERDICT_ODDS : NEP_VERDICT_SCORE));
    for (int c = 0; c < r->n_channels && fusion == NEP_FUSION_HIERARCHICAL; c++)
        if (strcmp(r->channels[c]->name, "direction") == 0)
            DOC_PUT(o, "penalty", json_real(NEP_DIRECTION_PENALTY)); /* what a drug known to make a disorder worse loses */
    DOC_PUT(o, "gate", json_real(NEP_VERDICT_GATE));
    DOC_PUT(o, "flag", json_real(NEP_VERDICT_FLAG));
    DOC_PUT(o, "min_targets", json_integer(NEP_EVIDENCE_MIN_TARGETS));
    DOC_PUT(o, "relevant", json_real(NEP_INCREMENT_RELEVANT));
    DOC_PUT(o, "relevant_r", json_real(NEP_INCREMENT_RELEVANT_R));
    DOC_PUT(o, "min_pos", json_integer(NEP_INCREMENT_MIN_POS));
    DOC_PUT(o, "label_doubt", json_real(NEP_EVIDENCE_LABEL_DOUBT));
    DOC_END(o);
}

/* How many drugs the study records for a disorder, by kind; `known_to_worsen_elsewhere`: rows of that table for other disorders. */
static json_t *gather_records(const nep_ranking *r, int64_t i)
{
    int bad = 0;
    const int64_t warned = nep_gather_warned(r, i), all = r->inputs->known_direction ? r->inputs->known_direction->n_warnings : 0;
    json_t *o = json_object();
    for (int label = NEP_LABEL_NONE + 1; label <= NEP_LABEL_CONTRAINDICATED; label++)
        DOC_PUT(o, nep_label_name((nep_label)label), json_integer((json_int_t)nep_gather_count(r, i, (nep_label)label)));
    DOC_PUT(o, "known_to_worsen", json_integer((json_int_t)warned));
    DOC_PUT(o, "known_to_worsen_elsewhere", json_integer((json_int_t)(all - warned)));
    DOC_END(o);
}

static json_t *gather_disorder(nep_ctx *ctx, const nep_ranking *r, int64_t i, nep_status *st)
{
    int bad = 0;
    const nep_inputs *in = r->inputs;
    const nep_ranking_disorder *d = &r->disorders[i];
    json_t *o = json_object();
    DOC_PUT(o, "id", nep_doc_text(d->id));
    DOC_PUT(o, "name", nep_doc_text(d->name));
    DOC_PUT(o, "simulated", json_boolean(d->simulated));
    DOC_PUT(o, "by_truth", json_boolean(nep_inputs_by_truth(in, i)));
    DOC_PUT(o, "direction", json_integer(d->direction));
    DOC_PUT(o, "trust", nep_doc_text(d->trust));
    DOC_PUT(o, "imaging", gather_imaging(in, i, &d->increment));
    if (isfinite(d->truth_auroc)) {
        DOC_PUT(o, "truth_auroc", nep_doc_number(d->truth_auroc));
        DOC_PUT(o, "truth_recall10", nep_doc_number(d->truth_recall10));
    }
    if (in->effect)
        DOC_PUT(o, "map", nep_doc_numbers(in->effect + i * in->n_regions, in->n_regions));
    if (in->effect_se)
        DOC_PUT(o, "map_se", nep_doc_numbers(in->effect_se + i * in->n_regions, in->n_regions));
    if (r->target_profile)
        DOC_PUT(o, "profile", nep_doc_numbers(r->target_profile + i * in->n_mapped, in->n_mapped));
    if (r->weight)
        DOC_PUT(o, "weights", nep_gather_weights(r, i));
    DOC_PUT(o, "disagreement", nep_gather_disagreement(r, i));
    DOC_PUT(o, "records", gather_records(r, i));
    DOC_PUT(o, "labelled", nep_gather_labelled(r, i));
    DOC_PUT(o, "candidates", nep_gather_candidates(ctx, r, i, st));
    DOC_END(o);
}

static json_t *gather_disorders(nep_ctx *ctx, const nep_ranking *r, nep_status *st)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t i = 0; i < r->n_disorders && !bad; i++)
        if (!r->disorders[i].left_out)
            DOC_ADD(array, gather_disorder(ctx, r, i, st));
    DOC_END(array);
}

static json_t *gather_warnings(const nep_ctx *ctx)
{
    int bad = 0;
    json_t *array = json_array();
    for (int i = 0; i < nep_warn_count(ctx) && !bad; i++)
        DOC_ADD(array, nep_doc_text(nep_warn_get(ctx, i)));
    DOC_END(array);
}

static bool any_simulated(const nep_ranking *r)
{
    for (int64_t i = 0; i < r->n_disorders; i++)
        if (r->disorders[i].simulated)
            return true;
    return false;
}

static json_t *gather_document(nep_ctx *ctx, const nep_ranking *r, const json_t *evaluation, const json_t *provenance,
                               nep_status *st)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "schema", json_string("nepenthe/report/1"));
    DOC_PUT(o, "version", json_string(NEP_VERSION));
    DOC_PUT(o, "study", nep_doc_text(r->study_name));
    DOC_PUT(o, "simulated", json_boolean(any_simulated(r)));
    DOC_PUT(o, "fusion", nep_doc_text(nep_fusion_name(r->fusion)));
    DOC_PUT(o, "has_map", json_boolean(nep_gather_has_map(r->inputs)));
    DOC_PUT(o, "settings", gather_settings(r->inputs));
    DOC_PUT(o, "rules", gather_rules(r));
    DOC_PUT(o, "warnings", gather_warnings(ctx));
    DOC_PUT(o, "channels", gather_channels(r));
    DOC_PUT(o, "null_rates", gather_null_rates(r));
    DOC_PUT(o, "imaging", nep_imaging_overall(r));
    DOC_PUT(o, "disorders", gather_disorders(ctx, r, st));
    DOC_PUT(o, "targets", gather_targets(r->inputs));
    DOC_PUT(o, "drugs", nep_gather_drugs(ctx, r, st));
    DOC_PUT(o, "regions", gather_regions(r->inputs));
    DOC_PUT(o, "network", nep_gather_network(ctx, r->inputs->network, st));
    DOC_PUT(o, "evaluation", evaluation ? json_deep_copy(evaluation) : json_null());
    DOC_PUT(o, "methods", nep_gather_methods(r));
    DOC_PUT(o, "licences", nep_gather_licences(r, provenance));
    DOC_PUT(o, "provenance", provenance ? json_deep_copy(provenance) : json_object());
    DOC_END(o);
}

nep_status nep_report_gather(nep_ctx *ctx, const nep_ranking *ranking, const json_t *evaluation, const json_t *provenance,
                             json_t **out)
{
    nep_status st = NEP_OK;
    NEP_REQUIRE(ctx, ranking && out, NEP_E_ARG, "report: no ranking to write, or nowhere to put it");
    NEP_REQUIRE(ctx, ranking->inputs && ranking->inputs->drugs, NEP_E_ARG, "report: the ranking lacks its inputs");
    NEP_REQUIRE(ctx, ranking->n_disorders > 0, NEP_E_ARG, "report: the ranking has no disorder");
    json_t *doc = gather_document(ctx, ranking, evaluation, provenance, &st);
    if (st != NEP_OK) {
        json_decref(doc);
        return st;
    }
    NEP_REQUIRE(ctx, doc != NULL, NEP_E_NOMEM, "report: memory ran out while the document was gathered");
    *out = doc;
    return NEP_OK;
}
