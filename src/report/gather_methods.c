/* SPDX-License-Identifier: Apache-2.0 */
/* gather_methods.c - the methods text with its citations, and the licences of everything that was used. */
#include "doc.h"

#include <stdio.h>
#include <string.h>

json_t *nep_gather_paragraph(const char *heading, const char *text, const char *source)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "heading", json_string(heading));
    DOC_PUT(o, "text", nep_doc_text(text));
    DOC_PUT(o, "source", nep_doc_text(source));
    DOC_END(o);
}

static const char *mode_text(char mode)
{
    switch (mode) {
    case 'S':
        return "signed by the recorded action (agonist-like +1, partial agonist +1/2, antagonist-like -1, unknown 0)";
    case 'T':
        return "signed by transmitter tone (reuptake and enzyme inhibitors act as indirect agonists at that transmitter's "
               "receptors)";
    default:
        return "unsigned (engagement alone; no claim about direction)";
    }
}

static json_t *occupancy_paragraph(const nep_inputs *in)
{
    char text[800];
    snprintf(text, sizeof text,
             "No dose is assumed. For each drug the free concentration is taken at which its strongest measured target is "
             "occupied to %.0f %%; every other target follows from its own affinity by the Hill equation with coefficient 1. "
             "Occupancies are %s. A target that was not measured is missing, never zero; a censored value (> or <) is shown "
             "but not used as an equality.",
             100.0 * in->relative_occupancy, mode_text(in->mode));
    return nep_gather_paragraph("Occupancy", text, "Hill (1910) J Physiol 40:iv-vii");
}

static const char *family_words(const char *kind)
{
    static const char *const words[][2] = {{"moran", "Moran spectral randomisation"},
                                           {"moran-compartment", "Moran spectral randomisation within cortex and within the rest"},
                                           {"spin", "spins of the cortical sphere"},
                                           {"eigenmodes", "rotations of eigenmodes within each hemisphere and compartment"}};
    for (int i = 0; kind && i < NEP_LEN(words); i++)
        if (strcmp(kind, words[i][0]) == 0)
            return words[i][1];
    return kind;
}

/* Which families of surrogate maps stand behind p, told by the first disorder with a map. */
static void write_families(const nep_inputs *in, char *text, size_t size)
{
    text[0] = '\0';
    for (int64_t j = 0; j < in->n_disorders; j++) {
        const char *first = family_words(nep_inputs_null_name(in, j, 0)), *second = family_words(nep_inputs_null_name(in, j, 1));
        if (!first)
            continue;
        if (second)
            snprintf(text, size, " The surrogates are of two families, %s, and %s; the larger p is shown and decides.", first,
                     second);
        else
            snprintf(text, size, " The surrogates are of one family alone, %s: the geometry has no sphere for a second.", first);
        return;
    }
}

static json_t *engagement_paragraph(const nep_inputs *in)
{
    char text[1600], families[300];
    write_families(in, families, sizeof families);
    snprintf(text, sizeof text,
             "Engagement compares a drug's occupancy-weighted receptor map with the disorder's effect map over %lld regions "
             "(%s). %s Its p value is two-sided and counted against %lld surrogate maps of the same spatial smoothness, "
             "with one added to both counts.%s Candidates are ordered by the size of the engagement; its sign is shown, and "
             "used only where the study declared a direction beforehand. On structural maps a negative value is not a "
             "reversal: thinner cortex is not lower activity.",
             (long long)in->n_regions, in->cortex_only ? "cortex only" : "cortex and subcortex, standardised within each",
             in->score == 'A'
                 ? "Score A is the weighted correlation of both maps."
                 : "Score B is that agreement in units of its standard deviation over the surrogate maps; receptor "
                   "measurement error (from the agreement between tracers) and a ridge enter the per-target profile "
                   "c' = (G + diag(e) + lambda I)^-1 c, for the data and the surrogates alike.",
             (long long)in->n_nulls, families);
    return nep_gather_paragraph("Engagement", text,
                     "Hansen et al. (2022) Nat Neurosci 25:1569-1581, doi:10.1038/s41593-022-01186-3; Wagner & Dray (2015) "
                     "Methods Ecol Evol 6:1169-1178, doi:10.1111/2041-210X.12407; Vasa et al. (2018) Cereb Cortex 28:281-294, "
                     "doi:10.1093/cercor/bhx249; Koussis et al. (2025) Imaging Neurosci, doi:10.1162/imag.a.71; Markello & Misic "
                     "(2021) NeuroImage 236:118052, doi:10.1016/j.neuroimage.2021.118052");
}

static json_t *fusion_paragraph(void)
{
    return nep_gather_paragraph("Fusion",
                     "Each channel's values become normal scores within the disorder (Blom). The fused score is Stouffer's: the "
                     "sum of the normal scores of the voting channels that have evidence, divided by sqrt(1' R 1) with R the "
                     "correlation of those channels over the drugs both know (negative ones count 0, so that fusing never "
                     "enlarges what one channel says). A plain mean would fill the top with drugs known by one channel alone. "
                     "Gates exclude or flag, baselines are shown and never fused.",
                     "Blom (1958) Statistical Estimates and Transformed Beta-Variables, Wiley; Stouffer et al. (1949) The American "
                     "Soldier 1; Strube (1985) Psychol Bull 97:334, doi:10.1037/0033-2909.97.2.334");
}

static json_t *interval_paragraph(void)
{
    char text[1000];
    snprintf(text, sizeof text,
             "Intervals are 90 %%. They come from ranking again with every input redrawn within its own error: the effect map by "
             "its standard error, affinities by the spread between measurements, receptor maps by another tracer's map or by the "
             "agreement between tracers, and each recorded label forgotten with a probability of %.2f. They do not cover a wrong "
             "model. Surrogate maps give p values, not intervals. What leaving out one channel does to a score is shown apart as "
             "sensitivity. The probability shown is that of being a recorded treatment, by a logistic curve fitted on the other "
             "disorders.",
             NEP_EVIDENCE_LABEL_DOUBT);
    return nep_gather_paragraph("Intervals and probabilities", text, NULL);
}

static json_t *imaging_paragraph(void)
{
    char text[1200];
    snprintf(text, sizeof text,
             "For each disorder the gain in average precision that engagement brings over ligand-only and analogue evidence is "
             "measured on recorded treatments, with the labels of similar drugs hidden, and compared with the gain that surrogate "
             "maps bring. 'Adds' needs a Holm-corrected p of at most 0.05 and an interval of the gain above 0. 'No signal' means "
             "not so, although a gain of %.2f would have been detected with power 0.8. 'Undetermined' means that the design "
             "could not have seen it: no signal is not no power. With fewer than %d recorded treatments the map alone is tested: "
             "the p value is that of the strongest engagement over all drugs, and the detectable effect is a correlation with one "
             "drug's engagement map (no signal: %.2f would have been detected).",
             NEP_INCREMENT_RELEVANT, NEP_INCREMENT_MIN_POS, NEP_INCREMENT_RELEVANT_R);
    return nep_gather_paragraph("Whether the image adds anything", text, "Holm (1979) Scand J Stat 6:65");
}

static json_t *model_imaging_paragraph(void)
{
    char text[1200];
    snprintf(text, sizeof text,
             "For each disorder with a map the average precision of the model with every channel is compared with that of the same model "
             "without engagement and anatomy_imaging, both learned from the other disorders alone, with the labels of similar drugs hidden. Null "
             "maps of the disorder go through channel, score and average precision with the weights as learned; p is two-sided, the larger of "
             "both families of null maps. 'Adds' needs a Holm-corrected p of at most 0.05, an interval of the gain above 0 and a gain above that "
             "of null maps: to have measured targets helps to rank whatever the map says. 'No signal' means not so, although a gain of %.2f "
             "would have been detected with power 0.8; 'undetermined' that it would not. Where the other disorders give imaging no weight, this "
             "disorder's map is not tested.",
             NEP_INCREMENT_RELEVANT);
    return nep_gather_paragraph("Whether the image adds anything", text, "Holm (1979) Scand J Stat 6:65");
}

bool nep_gather_has_map(const nep_inputs *in)
{
    return in->n_mapped > 0 && in->effect;
}

json_t *nep_gather_methods(const nep_ranking *r)
{
    int bad = 0;
    json_t *array = json_array();
    if (nep_gather_has_map(r->inputs)) {
        DOC_ADD(array, occupancy_paragraph(r->inputs));
        DOC_ADD(array, engagement_paragraph(r->inputs));
    }
    if (r->fusion == NEP_FUSION_HIERARCHICAL) {
        bad |= nep_gather_model(r, array);
    } else {
        DOC_ADD(array, fusion_paragraph());
        DOC_ADD(array, interval_paragraph());
    }
    if (nep_gather_has_map(r->inputs))
        DOC_ADD(array, r->fusion == NEP_FUSION_HIERARCHICAL ? model_imaging_paragraph() : imaging_paragraph());
    for (int c = 0; c < r->n_channels && !bad; c++) {
        char heading[160];
        snprintf(heading, sizeof heading, "Channel: %.120s", r->channels[c]->name);
        DOC_ADD(array, nep_gather_paragraph(heading, r->channels[c]->summary, r->channels[c]->source));
    }
    DOC_END(array);
}

json_t *nep_gather_licences(const nep_ranking *r, const json_t *provenance)
{
    int bad = 0;
    size_t i;
    json_t *word, *set = json_array();
    const nep_inputs *in = r->inputs;
    const json_t *given = json_object_get(provenance, "licence"); /* of the tables: a text or a list */
    bad |= nep_doc_collect(set, json_string_value(given));
    json_array_foreach(given, i, word) bad |= nep_doc_collect(set, json_string_value(word));
    for (int64_t a = 0; a < in->n_affinities && in->affinities && !bad; a++)
        bad |= nep_doc_collect(set, in->affinities[a].licence);
    DOC_END(set);
}
