/* SPDX-License-Identifier: Apache-2.0 */
/* gather_drug.c - what each drug binds: measurement, assumed occupancy and source row per target. */
#include "doc.h"

#include <math.h>

static double strongest(const nep_inputs *in, int64_t drug)
{
    double best = NAN;
    for (int64_t a = in->affinity_start[drug]; a < in->affinity_start[drug + 1]; a++)
        if (!in->affinities[a].censored && !(in->affinities[a].p_affinity <= best) && isfinite(in->affinities[a].p_affinity))
            best = in->affinities[a].p_affinity;
    return best;
}

/* Free concentration, nM, at which the strongest target is occupied to the fraction q: C = q Ki / (1 - q). */
static double assumed_nM(const nep_inputs *in, int64_t drug)
{
    const double q = in->relative_occupancy;
    return pow(10.0, 9.0 - strongest(in, drug)) * q / (1.0 - q);
}

/* Hill occupancy of a target at that concentration; NaN without an affinity, or when only a bound is known. */
static double occupancy(const nep_affinity *a, double conc_nM)
{
    return a->censored ? NAN : conc_nM / (conc_nM + pow(10.0, 9.0 - a->p_affinity));
}

static json_t *target_row(const nep_affinity *a, double conc_nM)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "target", json_integer(a->target));
    DOC_PUT(o, "p_affinity", nep_doc_number(a->p_affinity));
    DOC_PUT(o, "p_se", nep_doc_number(a->p_se));
    DOC_PUT(o, "occupancy", nep_doc_number(occupancy(a, conc_nM)));
    DOC_PUT(o, "action", json_integer(a->action));
    DOC_PUT(o, "partial", json_boolean(a->partial));
    DOC_PUT(o, "censored", json_boolean(a->censored));
    DOC_PUT(o, "n_measurements", json_integer(a->n_measurements));
    DOC_PUT(o, "type", nep_doc_text(a->type));
    DOC_PUT(o, "species", nep_doc_text(a->species));
    DOC_PUT(o, "source", nep_doc_text(a->source));
    DOC_PUT(o, "licence", nep_doc_text(a->licence));
    DOC_END(o);
}

static json_t *target_rows(const nep_inputs *in, int64_t drug, double conc_nM)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t a = in->affinity_start[drug]; a < in->affinity_start[drug + 1] && !bad; a++)
        DOC_ADD(array, target_row(&in->affinities[a], conc_nM));
    DOC_END(array);
}

/* [target, signed occupancy] of the mapped targets that are engaged: the engagement map is their weighted sum. */
static json_t *weight_pairs(const nep_inputs *in, const double *weight)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t t = 0; t < in->n_mapped && !bad; t++)
        if (weight[t] != 0.0 && isfinite(weight[t]))
            DOC_ADD(array, json_pack("[I, f]", (json_int_t)t, weight[t]));
    DOC_END(array);
}

static json_t *drug_row(const nep_inputs *in, int64_t i, const double *weight)
{
    int bad = 0;
    const nep_molset *m = in->drugs;
    const double conc_nM = in->affinity_start ? assumed_nM(in, i) : NAN;
    json_t *o = json_object();
    DOC_PUT(o, "id", nep_doc_text(m->id[i]));
    DOC_PUT(o, "name", nep_doc_text(m->names ? m->names[i] : NULL));
    if (m->smiles && m->smiles[i])
        DOC_PUT(o, "smiles", nep_doc_text(m->smiles[i]));
    if (m->atc4 && m->atc4[i])
        DOC_PUT(o, "atc4", nep_doc_text(m->atc4[i]));
    if (m->mechanism && m->mechanism[i])
        DOC_PUT(o, "mechanism", nep_doc_text(m->mechanism[i]));
    DOC_PUT(o, "conc_nM", nep_doc_number(conc_nM));
    if (in->affinity_start)
        DOC_PUT(o, "targets", target_rows(in, i, conc_nM));
    if (weight)
        DOC_PUT(o, "weights", weight_pairs(in, weight + i * in->n_mapped));
    DOC_END(o);
}

json_t *nep_gather_drugs(nep_ctx *ctx, const nep_ranking *r, nep_status *st)
{
    int bad = 0;
    const nep_inputs *in = r->inputs;
    double *weight = NULL;
    json_t *array = json_array();
    if (*st == NEP_OK && in->n_mapped > 0 && in->n_affinities > 0) {
        *st = nep_alloc(ctx, in->n_drugs * in->n_mapped, sizeof *weight, "engagement weights", &weight);
        if (*st == NEP_OK)
            *st = nep_engagement_weights(ctx, in, 0, weight);
    }
    for (int64_t i = 0; i < in->n_drugs && !bad && *st == NEP_OK; i++)
        DOC_ADD(array, drug_row(in, i, weight));
    nep_alloc_free(weight);
    DOC_END(array);
}
