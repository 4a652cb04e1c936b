/* SPDX-License-Identifier: Apache-2.0 */
/* gather_methods.c - the methods text with its citations, and the licences of everything that was used. */
#include "doc.h"

#include <stdio.h>
#include <string.h>

static json_t *paragraph(const char *heading, const char *text, const char *source)
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
        return "signed by the recorded action (agonist-like +1, antagonist-like -1, unknown 0)";
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
    return paragraph("Occupancy", text, "Hill (1910) J Physiol 40:iv-vii");
}

static json_t *engagement_paragraph(const nep_inputs *in)
{
    char text[1200];
    snprintf(text, sizeof text,
             "Engagement compares a drug's occupancy-weighted receptor map with the disorder's effect map over %lld regions "
             "(%s). %s Its p value is two-sided and counted against %lld surrogate maps of the same spatial smoothness, "
             "with one added to both counts. Candidates are ordered by the size of the engagement; its sign is shown, and "
             "used only where the study declared a direction beforehand. On structural maps a negative value is not a "
             "reversal: thinner cortex is not lower activity.",
             (long long)in->n_regions, in->cortex_only ? "cortex only" : "cortex and subcortex, standardised within each",
             in->score == 'A'
                 ? "Score A is the weighted correlation of both maps."
                 : "Score B is that agreement in units of its standard deviation over the surrogate maps; receptor "
                   "measurement error (from the agreement between tracers) and a ridge enter the per-target profile "
                   "c' = (G + diag(e) + lambda I)^-1 c, for the data and the surrogates alike.",
             (long long)in->n_nulls);
    return paragraph("Engagement", text,
                     "Hansen et al. (2022) Nat Neurosci 25:1569-1581, doi:10.1038/s41593-022-01186-3; Wagner & Dray (2015) "
                     "Methods Ecol Evol 6:1169-1178, doi:10.1111/2041-210X.12407; Markello & Misic (2021) NeuroImage "
                     "236:118052, doi:10.1016/j.neuroimage.2021.118052");
}

static json_t *fusion_paragraph(void)
{
    return paragraph("Fusion",
                     "Each channel's values become normal scores within the disorder (rank to normal quantile). The fused "
                     "score is Stouffer's: the sum of the normal scores of the voting channels that have evidence, divided by "
                     "sqrt(1' R 1) with R the correlation of those channels, so that a drug known by one channel cannot "
                     "outrun one known by three merely because it is less averaged. Gates exclude or flag, baselines are "
                     "shown and never fused.",
                     "Stouffer et al. (1949) The American Soldier, vol. 1, Princeton University Press");
}

static json_t *interval_paragraph(void)
{
    return paragraph("Intervals",
                     "Intervals are 90 %. They come from ranking again with every input redrawn within its own error: the "
                     "effect map by its standard error, affinities by their spread between measurements, receptor maps by "
                     "the agreement between tracers, labels by the doubt of their record. They do not cover a wrong model. "
                     "Surrogate maps give p values, not intervals.",
                     NULL);
}

static json_t *imaging_paragraph(void)
{
    return paragraph("Whether the image adds anything",
                     "For each disorder the same ranking is made with and without the imaging channel and scored on recorded "
                     "treatments; the gain in average precision is compared with the gain that surrogate maps bring. 'Adds' "
                     "needs a gain beyond the surrogates and above zero; 'no signal' means that a useful gain would have been "
                     "seen and was not; 'undetermined' means that the design could not have seen it. The smallest gain that "
                     "would have been detected with a power of 0.8 stands beside it: no signal is not no power.",
                     NULL);
}

json_t *nep_gather_methods(const nep_ranking *r)
{
    int bad = 0;
    json_t *array = json_array();
    DOC_ADD(array, occupancy_paragraph(r->inputs));
    DOC_ADD(array, engagement_paragraph(r->inputs));
    DOC_ADD(array, fusion_paragraph());
    DOC_ADD(array, interval_paragraph());
    DOC_ADD(array, imaging_paragraph());
    for (int c = 0; c < r->n_channels && !bad; c++) {
        char heading[160];
        snprintf(heading, sizeof heading, "Channel: %.120s", r->channels[c]->name);
        DOC_ADD(array, paragraph(heading, r->channels[c]->summary, r->channels[c]->source));
    }
    DOC_END(array);
}

json_t *nep_gather_licences(const nep_ranking *r)
{
    int bad = 0;
    const nep_inputs *in = r->inputs;
    json_t *set = json_array();
    for (int c = 0; c < r->n_channels; c++)
        bad |= nep_doc_collect(set, r->channels[c]->licence);
    for (int64_t a = 0; a < in->n_affinities && in->affinities && !bad; a++)
        bad |= nep_doc_collect(set, in->affinities[a].licence);
    DOC_END(set);
}
