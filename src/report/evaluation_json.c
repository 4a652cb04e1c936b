/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation_json.c - an evaluation as the document nepenthe/evaluation/1. */
#include <nepenthe/leaks.h>
#include "doc.h"

#include <math.h>

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *estimate(const nep_estimate *e, bool macro)
{
    json_t *o = json_pack("{s:o,s:o,s:o,s:I}", "value", number(e->value), "low", number(e->low), "high", number(e->high), "n",
                          (json_int_t)e->n);
    if (o && macro) {
        json_object_set_new(o, "t_low", number(e->t_low));
        json_object_set_new(o, "t_high", number(e->t_high));
    }
    return o;
}

static void add_measures(json_t *o, const nep_performance *p, bool macro)
{
    json_object_set_new(o, "ap", estimate(&p->ap, macro));
    json_object_set_new(o, "auroc", estimate(&p->auroc, macro));
    json_object_set_new(o, "auroc_vs_ns", estimate(&p->auroc_vs_ns, macro));
    json_object_set_new(o, "auroc_vs_popularity", estimate(&p->auroc_vs_popularity, macro));
    json_object_set_new(o, "auroc_vs_failed", estimate(&p->auroc_vs_failed, macro));
    json_object_set_new(o, "bedroc20", estimate(&p->bedroc20, macro));
    json_object_set_new(o, "p_at_20", estimate(&p->p_at_20, macro));
    json_object_set_new(o, "ndcg_at_20", estimate(&p->ndcg_at_20, macro));
}

/* One entry per family of null maps that the disorder has. */
static json_t *families(const nep_evaluation *e, int64_t j, const double p[NEP_EVIDENCE_FAMILIES])
{
    json_t *list = json_array();
    for (int f = 0; f < NEP_EVIDENCE_FAMILIES; f++) {
        const char *name = nep_inputs_null_name(e->ranking->inputs, j, f);
        if (name)
            json_array_append_new(list, json_pack("{s:s,s:o}", "null", name, "p", number(p[f])));
    }
    return list;
}

static json_t *map_null(const nep_evaluation *e, int64_t j, double low, double high, double p, const double by_family[NEP_EVIDENCE_FAMILIES])
{
    return json_pack("{s:o,s:o,s:o,s:o}", "low", number(low), "high", number(high), "p", number(p), "p_by_null", families(e, j, by_family));
}

static json_t *performance(const nep_evaluation *e, const nep_performance *macro, const nep_performance *disorders)
{
    json_t *m = json_object(), *list = json_array();
    add_measures(m, macro, true);
    for (int64_t j = 0; j < e->n_disorders; j++) {
        const nep_performance *p = &disorders[j];
        json_t *o = json_pack("{s:s,s:s,s:I,s:I,s:I,s:o}", "id", e->ranking->disorders[j].id, "name", e->ranking->disorders[j].name,
                              "n_pos", (json_int_t)p->n_pos, "n_neg", (json_int_t)p->n_neg, "n_failed", (json_int_t)p->n_failed,
                              "prevalence", number(p->prevalence));
        add_measures(o, p, false);
        json_object_set_new(o, "map_null", map_null(e, j, p->null_low, p->null_high, p->null_p, p->null_p_family));
        json_array_append_new(list, o);
    }
    return json_pack("{s:o,s:o}", "macro", m, "disorders", list);
}

static json_t *by_protocol(const nep_evaluation *e, const nep_evaluation_score *s, bool define)
{
    json_t *o = json_object();
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        if (!s->run[p])
            continue;
        json_t *one = performance(e, &s->macro[p], s->disorders[p]);
        if (define)
            json_object_set_new(one, "definition", json_string(nep_protocol_definition(p)));
        json_object_set_new(o, nep_protocol_name(p), one);
    }
    return o;
}

static json_t *negatives(const nep_evaluation *e)
{
    json_t *o = json_object();
    for (nep_negatives k = 0; k < NEP_NEGATIVES_COUNT; k++)
        if (e->negatives[k])
            json_object_set_new(o, nep_negatives_name(k), json_string(nep_negatives_definition(k)));
    return o;
}

static json_t *baselines(const nep_evaluation *e)
{
    json_t *o = json_object();
    for (int i = 0; i < e->n_baselines; i++) {
        json_t *one = by_protocol(e, &e->baselines[i], false);
        for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++)
            if (e->baselines[i].run[p])
                json_object_set_new(json_object_get(one, nep_protocol_name(p)), "gain_of_fused_ap", estimate(&e->baselines[i].gain[p], false));
        if (e->baselines[i].upper_bound)
            json_object_set_new(one, "upper_bound", json_true());
        json_object_set_new(o, e->baselines[i].name, one);
    }
    return o;
}

static json_t *calibration_of(const nep_calibration *c)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:I,s:I}", "oe", number(c->oe), "slope", number(c->slope), "brier", number(c->brier),
                     "brier_null", number(c->brier_null), "n", (json_int_t)c->n, "n_pos", (json_int_t)c->n_pos);
}

/* Points of the curve: the pooled one (at 0), or that of disorder at - 1. */
static json_t *curve(const nep_evaluation *e, int64_t at)
{
    json_t *list = json_array();
    for (int i = 0; e->curve && i < NEP_CALIBRATION_CURVE; i++) {
        const nep_calibration_bin *b = &e->curve[at * NEP_CALIBRATION_CURVE + i];
        if (b->n)
            json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o,s:I,s:I}", "predicted", number(b->predicted), "observed", number(b->observed), "low",
                                                  number(b->low), "high", number(b->high), "n", (json_int_t)b->n, "n_pos", (json_int_t)b->n_pos));
    }
    return list;
}

static json_t *calibration(const nep_evaluation *e)
{
    json_t *list = json_array();
    for (int64_t j = 0; j < e->n_disorders; j++) {
        json_t *o = calibration_of(&e->calibration[j]);
        json_object_set_new(o, "id", json_string(e->ranking->disorders[j].id));
        json_object_set_new(o, "curve", curve(e, 1 + j));
        json_array_append_new(list, o);
    }
    json_t *protocols = json_object();
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++)
        if (e->by_protocol[p].n > 0)
            json_object_set_new(protocols, nep_protocol_name(p), calibration_of(&e->by_protocol[p]));
    json_t *pooled = calibration_of(&e->pooled);
    json_object_set_new(pooled, "curve", curve(e, 0));
    return json_pack("{s:o,s:s,s:o,s:o}", "pooled", pooled, "protocol", nep_protocol_name(e->calibrated), "by_protocol",
                     protocols, "disorders", list);
}

/* Per disorder, of the hierarchical model: was the set that should hold 90 % of the treatments large enough? */
static json_t *conformal_sets(const nep_evaluation *e)
{
    json_t *list = json_array();
    for (int64_t j = 0; e->conformal && j < e->n_disorders; j++) {
        const nep_conformal_set *s = &e->conformal[j];
        json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:o,s:o,s:o,s:o,s:s}", "id", e->ranking->disorders[j].id, "n_pos",
                                              (json_int_t)s->n_pos, "covered", (json_int_t)s->covered, "coverage", number(s->coverage), "low",
                                              number(s->low), "high", number(s->high), "size", number(s->size), "bound",
                                              s->own ? "own treatments" : "other disorders"));
    }
    return list;
}

static json_t *ablation(const nep_evaluation *e)
{
    json_t *list = json_array();
    for (int i = 0; i < e->n_ablation; i++) {
        const nep_ablation *a = &e->ablation[i];
        json_array_append_new(list, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "channel", a->channel, "delta_ap",
                                              number(a->delta_ap.value), "low", number(a->delta_ap.low), "high",
                                              number(a->delta_ap.high), "p", number(a->p), "p_holm", number(a->p_holm)));
    }
    return list;
}

static json_t *imaging(const nep_evaluation *e)
{
    json_t *list = json_array();
    for (int64_t j = 0; j < e->n_disorders; j++) {
        const nep_imaging_alone *m = &e->imaging[j];
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:o}", "id", e->ranking->disorders[j].id, "name", e->ranking->disorders[j].name, "n_pos",
                            (json_int_t)m->n_pos, "n_neg", (json_int_t)m->n_neg, "auroc", number(m->auroc), "map_null",
                            map_null(e, j, m->null_low, m->null_high, m->null_p, m->null_p_family), "ligand_only", number(m->ligand_only),
                            "ligand_only_new_drug", number(m->ligand_only_new_drug)));
    }
    return list;
}

static json_t *null_rates(const nep_evaluation *e)
{
    json_t *list = json_array();
    for (int i = 0; i < e->ranking->n_null_rates; i++) {
        const nep_null_rate *r = &e->ranking->null_rates[i];
        json_array_append_new(list, json_pack("{s:s,s:f,s:o,s:o,s:o,s:I}", "null", r->name, "alpha", r->alpha, "rate",
                                              number(r->rate), "low", number(r->low), "high", number(r->high), "n_maps",
                                              (json_int_t)r->n_maps));
    }
    return list;
}

static json_t *negative_controls(const nep_evaluation *e)
{
    json_t *list = json_array();
    for (int i = 0; i < e->n_controls; i++) {
        const nep_control *c = &e->controls[i];
        json_t *o = json_pack("{s:s,s:s,s:I,s:o,s:o,s:o,s:o}", "control", nep_controls_name(c->kind), "definition", nep_controls_definition(c->kind),
                              c->kind == NEP_CONTROL_DECOYS ? "drugs" : "permutations", (json_int_t)c->n, "prevalence", number(c->prevalence), "ap",
                              estimate(&c->ap, false), "auroc", estimate(&c->auroc, false), "at_chance", json_boolean(c->chance));
        if (c->kind != NEP_CONTROL_DECOYS) {
            json_object_set_new(o, "auroc_matched", estimate(&c->matched, false));
            json_object_set_new(o, "ranking", json_pack("{s:o,s:o,s:o}", "ap", estimate(&c->own_ap, false), "auroc", estimate(&c->own_auroc, false),
                                                        "auroc_matched", estimate(&c->own_matched, false)));
        }
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *time_split(const nep_evaluation *e)
{
    const nep_time_split *t = e->time_split;
    json_t *o = performance(e, &t->macro, t->disorders);
    json_object_set_new(o, "year", json_integer((json_int_t)t->year));
    json_object_set_new(o, "definition", json_string(nep_time_split_definition()));
    json_object_set_new(o, "n_early", json_integer((json_int_t)t->n_early));
    json_object_set_new(o, "n_late", json_integer((json_int_t)t->n_late));
    json_object_set_new(o, "n_undated", json_integer((json_int_t)t->n_undated));
    return o;
}

/* What the evaluation found of its own inputs: every one of these was also said. */
static json_t *checks(const nep_evaluation *e)
{
    const nep_inputs *in = e->ranking->inputs;
    json_t *list = json_array();
    for (int64_t i = 0; e->leaks && i < e->leaks->n; i++) {
        const nep_leak *l = &e->leaks->list[i];
        json_array_append_new(list, json_pack("{s:s,s:s?,s:s?,s:s?,s:o,s:s}", "check", nep_leaks_name(l->kind), "channel", l->channel, "disorder",
                                              l->disorder < 0 ? NULL : in->disorder_ids[l->disorder], "other",
                                              l->other < 0 ? NULL : in->disorder_ids[l->other], "value", number(l->value), "text", l->text));
    }
    return list;
}

nep_status nep_evaluation_json(nep_ctx *ctx, const nep_evaluation *e, json_t **out)
{
    const char *study = e->ranking->study_name ? e->ranking->study_name : "";
    json_t *doc = json_pack(
        "{s:s,s:s,s:I,s:s,s:I,s:o,s:o,s:o,s:o,s:{s:o,s:o,s:o,s:o},s:o,s:o,s:o,s:o}", "schema", "nepenthe/evaluation/1", "study", study,
        "seed", (json_int_t)e->seed, "version", NEP_VERSION, "bootstrap", (json_int_t)e->n_bootstrap, "negatives", negatives(e), "protocols",
        by_protocol(e, &e->fused, true), "baselines", baselines(e), "calibration", calibration(e), "conformal", "level",
        number(e->conformal_level), "coverage", number(e->conformal_coverage), "coverage_min", number(e->conformal_min), "size",
        number(e->conformal_size), "ablation", ablation(e), "imaging_increment", nep_imaging_disorders(e->ranking), "imaging_alone", imaging(e),
        "null_calibration", null_rates(e));
    NEP_REQUIRE(ctx, doc, NEP_E_NOMEM, "evaluation: the document could not be made");
    bool simulated = false;
    for (int64_t j = 0; j < e->n_disorders; j++)
        simulated = simulated || e->ranking->disorders[j].simulated;
    if (e->time_split)
        json_object_set_new(doc, "time_split", time_split(e));
    json_object_set_new(doc, "negative_controls", negative_controls(e));
    json_object_set_new(doc, "checks", checks(e));
    json_object_set_new(doc, "simulated", json_boolean(simulated));
    json_object_set_new(doc, "imaging", nep_imaging_overall(e->ranking));
    json_object_set_new(doc, "fusion", json_string(nep_fusion_name(e->ranking->fusion)));
    if (e->conformal) {
        json_object_set_new(json_object_get(doc, "conformal"), "failing", json_integer((json_int_t)e->conformal_failing));
        json_object_set_new(json_object_get(doc, "conformal"), "disorders", conformal_sets(e));
    }
    json_object_set_new(doc, "tripod_ai", nep_tripod_points(e));
    *out = doc;
    return NEP_OK;
}
