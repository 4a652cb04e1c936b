/* SPDX-License-Identifier: Apache-2.0 */
/* gather_model.c - what a score of the hierarchical model means, in words, and the weights it gives each channel. */
#include "doc.h"

#include <nepenthe/direction.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool holds(const nep_ranking *r, const char *channel)
{
    for (int c = 0; c < r->n_channels; c++)
        if (strcmp(r->channels[c]->name, channel) == 0)
            return true;
    return false;
}

static json_t *score_paragraph(void)
{
    char text[1200];
    snprintf(text, sizeof text,
             "The score is the log of the odds that a drug is a recorded treatment of the disorder, less that of the disorder's average drug (every "
             "channel at its mean): 0 is as likely as that drug, +0.69 twice its odds, +%.2f ten times. Score plus the disorder's level is the logit "
             "of the probability shown, which is that of being a recorded treatment: it is no probability that the drug works, and a drug that was "
             "never tried can only be as likely as what was. A drug's own record never counts for it. 'Supported' asks for ten times the odds "
             "(%.3f) with the whole interval above 0.",
             log(10.0), NEP_VERDICT_ODDS);
    return nep_gather_paragraph("What the score means", text, NULL);
}

static json_t *model_paragraph(const nep_ranking *r)
{
    char text[1600];
    snprintf(text, sizeof text,
             "A hierarchical logistic regression over the pairs of %lld drugs and the disorders with recorded treatments, the scored disorder left out: "
             "one weight per channel that all disorders share, never negative, and a spread of that weight between disorders. A channel's values enter "
             "as asinh(0.3 v / mean |v|) within the disorder, so that a disorder with many records is on the scale of one with few. A channel that is "
             "silent on a drug adds a constant that was learned for silence; it is not taken as no evidence. Numbers of targets, side effects and uses "
             "of a drug are fitted as nuisances and then held at their mean: being well studied raises no drug. Level and slope are set on the other "
             "ranked disorders. A channel whose weight came out as 0 is listed with its values and adds nothing: on the other disorders it told "
             "nothing beyond the channels beside it.",
             (long long)r->inputs->n_drugs);
    return nep_gather_paragraph("Model", text,
                                "Laird & Ware (1982) Biometrics 38:963, doi:10.2307/2529876; Breslow & Clayton (1993) J Am Stat Assoc 88:9, "
                                "doi:10.1080/01621459.1993.10594284; Chung et al. (2013) Psychometrika 78:685, doi:10.1007/s11336-013-9328-2");
}

static json_t *direction_paragraph(const nep_ranking *r)
{
    char text[1200];
    snprintf(text, sizeof text,
             "The other channels do not see whether a drug raises or lowers a target. The gate 'direction' does: it compares the drug's recorded actions "
             "with what the disorder's visible treatments do, and with a table of desired directions. A drug that goes the opposite way loses up to "
             "%.1f (its odds fall to a tenth); one that agrees gains nothing; one whose actions nobody recorded loses nothing. %lld drug-disorder "
             "pairs known to make a disorder worse lose all of it and are shown as contraindicated, wherever they stand. The penalty is stated, not "
             "learned. The tables rest on what treatments do and on reports of harm, a source per row: they are not independent of the records, in "
             "any protocol.",
             NEP_DIRECTION_PENALTY, (long long)(r->inputs->known_direction ? r->inputs->known_direction->n_warnings : 0));
    return nep_gather_paragraph("Direction", text, NULL);
}

static json_t *draws_paragraph(void)
{
    char text[1200];
    snprintf(text, sizeof text,
             "Intervals are 90 %%. Each redraw takes one refit of the model on drugs and disorders drawn with replacement, of those refits that did not "
             "draw the scored disorder, with the disorder's own weights drawn anew, and channel values whose inputs were redrawn within their errors: "
             "each recorded label forgotten with a probability of %.2f, path counts within their standard error. Forgetting labels takes evidence "
             "away, so that a score stands above the middle of its interval more often than below. The intervals do not cover a wrong model. What "
             "leaving out one channel does to a score is shown apart as sensitivity.",
             NEP_EVIDENCE_LABEL_DOUBT);
    return nep_gather_paragraph("Intervals", text, "Owen & Eckles (2012) Ann Appl Stat 6:895, doi:10.1214/12-AOAS547");
}

static json_t *decomposition_paragraph(void)
{
    return nep_gather_paragraph(
        "Why a drug stands where it stands",
        "The score is the sum of what the channels and the gate add. What a channel adds is divided over its source rows (a path of the network, a "
        "recorded treatment, a disorder) in proportion to their part in the channel's value, against one further row: what the channel's value must "
        "reach before it adds anything, that of the average drug. Rows sum to the channel and channels to the score, exactly. Paths over the same "
        "edge at the drug (one of its targets) are summed once more per edge. A share is what the model credits, no cause: channels that say the "
        "same divide it between them.",
        NULL);
}

int nep_gather_model(const nep_ranking *r, json_t *array)
{
    int bad = 0;
    DOC_ADD(array, score_paragraph());
    DOC_ADD(array, model_paragraph(r));
    if (holds(r, "direction"))
        DOC_ADD(array, direction_paragraph(r));
    DOC_ADD(array, draws_paragraph());
    DOC_ADD(array, decomposition_paragraph());
    return bad;
}

json_t *nep_gather_weights(const nep_ranking *r, int64_t disorder)
{
    int bad = 0, votes = 0;
    json_t *o = json_object();
    while (votes < r->n_channels && r->channels[votes]->role == NEP_ROLE_VOTE)
        votes++;
    for (int c = 0; c < votes && r->weight; c++)
        DOC_PUT(o, r->channels[c]->name,
                json_pack("{s:o, s:o}", "weight", nep_doc_number(r->weight[disorder * votes + c]), "spread",
                          nep_doc_number(r->spread ? r->spread[disorder * votes + c] : NAN)));
    DOC_END(o);
}
