/* SPDX-License-Identifier: Apache-2.0 */
/* imaging.c - which channels read the disorders' maps, and the words for what they add. */
#include "rank/ranking.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *nep_imaging_verdict_name(nep_imaging_verdict v)
{
    static const char *const names[] = {"adds", "no_signal", "undetermined"};
    return (int)v >= 0 && (int)v < NEP_LEN(names) ? names[v] : "unknown";
}

bool nep_imaging_channel(const nep_channel *c)
{
    return strcmp(c->name, "engagement") == 0 || strcmp(c->name, "anatomy_imaging") == 0;
}

static bool reads_maps(const nep_ranking *r)
{
    for (int c = 0; c < r->n_channels; c++)
        if (nep_imaging_channel(r->channels[c]) && r->channels[c]->role == NEP_ROLE_VOTE)
            return true;
    return false;
}

/* Why the map alone was tested. */
static void write_reason(const nep_ranking *r, int64_t j, char *text, size_t size)
{
    const nep_inputs *in = r->inputs;
    if (nep_inputs_by_truth(in, j))
        snprintf(text, size, "By the simulated truth no drug that can be scored is relevant");
    else
        snprintf(text, size, "The image can score only %lld recorded treatments", (long long)r->disorders[j].increment.delta.n);
}

/* ", the larger of two families of null maps" where there were two. */
static const char *both_families(const nep_increment *i, char *text, size_t size)
{
    text[0] = '\0';
    if (!isnan(i->p_family[0]) && !isnan(i->p_family[1]))
        snprintf(text, size, ", the larger of two families of null maps (%.2g and %.2g)", i->p_family[0], i->p_family[1]);
    return text;
}

static void write_map_test(const nep_ranking *r, int64_t j, char *text, size_t size)
{
    const nep_increment *i = &r->disorders[j].increment;
    char reason[96], families[96];
    const char *head = i->p_holm <= 0.05 ? "Undetermined: the map follows receptors beyond null maps, but nothing shows that this helps "
                                           "to rank."
                       : i->verdict == NEP_IMAGING_NO_SIGNAL ? "No signal: the image tells no receptor from null maps."
                                                             : "Undetermined: this map has too little power.";
    write_reason(r, j, reason, sizeof reason);
    snprintf(text, size,
             "%s %s, so the map alone was tested: its strongest engagement has map-null p = %.2g%s (Holm %.2g); a correlation of "
             "%.2f with one drug's engagement map would have been detected.",
             head, reason, i->p_map, both_families(i, families, sizeof families), i->p_holm, i->detectable);
}

static const char *gain_head(const nep_increment *i)
{
    return i->verdict == NEP_IMAGING_ADDS        ? "The image adds."
           : i->verdict == NEP_IMAGING_NO_SIGNAL ? "No signal: the image adds nothing that matters."
                                                 : "Undetermined: the study has too little power to say whether the image adds.";
}

/* What counts as found. */
static const char *measured_by(const nep_ranking *r, int64_t j)
{
    return nep_inputs_by_truth(r->inputs, j) ? "drugs of the simulated truth" : "recorded treatments";
}

static void write_gain(const nep_ranking *r, int64_t j, char *text, size_t size)
{
    const nep_increment *i = &r->disorders[j].increment;
    char families[96];
    snprintf(text, size,
             "%s Over targets and structures alone it changes average precision by %+.3f (90 %% interval %+.3f to %+.3f; map-null "
             "p = %.2g%s, Holm %.2g; %lld %s that the image can score); a gain of %.2f would have been detected.",
             gain_head(i), i->delta.value, i->delta.low, i->delta.high, i->p_map, both_families(i, families, sizeof families), i->p_holm,
             (long long)i->delta.n, measured_by(r, j), i->detectable);
}

/* The same of the hierarchical model; i may be the increment over all disorders. */
static void write_model_gain(const char *head, const nep_increment *i, const char *unit, char *text, size_t size)
{
    char families[96];
    int at = snprintf(text, size,
                      "%s Average precision with every channel is %+.3f over that of the same model without imaging channels (90 %% interval "
                      "%+.3f to %+.3f; null maps change it by %+.3f on average, p = %.2g%s; %lld %s)",
                      head, i->delta.value, i->delta.low, i->delta.high, i->null_gain, i->p_map, both_families(i, families, sizeof families),
                      (long long)i->delta.n, unit);
    if (at > 0 && (size_t)at < size && i->weight > 0)
        snprintf(text + at, size - (size_t)at, "; a gain of %.3f would have been detected.", i->detectable);
    else if (at > 0 && (size_t)at < size)
        snprintf(text + at, size - (size_t)at, ".");
}

static void write_model_trust(const nep_ranking *r, int64_t j, char *text, size_t size)
{
    const nep_increment *i = &r->disorders[j].increment;
    char unit[96];
    snprintf(unit, sizeof unit, "%s that it can score", measured_by(r, j));
    if (i->delta.n == 0 && isnan(i->weight))
        snprintf(text, size, "There is no brain map of this disorder: no image enters its ranking.");
    else if (isnan(i->delta.value))
        snprintf(text, size, "Whether the image adds anything could not be tested: it can score %lld %s, %d are needed.",
                 (long long)i->delta.n, measured_by(r, j), NEP_INCREMENT_MIN_POS);
    else
        write_model_gain(i->weight > 0 ? gain_head(i) : "The image adds nothing here: other disorders' maps did not help to rank their treatments, "
                                                        "so the model gives imaging no weight, and nothing can be told of this map.",
                         i, unit, text, size);
}

nep_status rank_imaging_trust(nep_ctx *ctx, nep_ranking *r, int64_t j)
{
    const nep_increment *i = &r->disorders[j].increment;
    char text[800];
    if (!reads_maps(r))
        snprintf(text, sizeof text, "No brain image enters this ranking.");
    else if (r->fusion == NEP_FUSION_HIERARCHICAL)
        write_model_trust(r, j, text, sizeof text);
    else if (isnan(i->p_map))
        snprintf(text, sizeof text, "Whether the image adds anything could not be tested: no drug passes the coverage gate, or "
                                    "the disorder has no map.");
    else if (isnan(i->delta.value))
        write_map_test(r, j, text, sizeof text);
    else
        write_gain(r, j, text, sizeof text);
    return nep_alloc_string(ctx, text, &r->disorders[j].trust);
}

nep_status rank_imaging_sum_up(nep_ctx *ctx, nep_ranking *r)
{
    const nep_increment *all = &r->imaging;
    int64_t count[NEP_IMAGING_UNDETERMINED + 1] = {0}, tested = 0;
    char gain[640] = "", text[960];

    if (!reads_maps(r))
        return NEP_OK;
    for (int64_t j = 0; j < r->n_disorders; j++)
        if (!isnan(r->disorders[j].increment.p_map)) {
            count[r->disorders[j].increment.verdict]++;
            tested++;
        }
    const bool adds = all->verdict == NEP_IMAGING_ADDS || (isnan(all->delta.value) && count[NEP_IMAGING_ADDS] > 0);
    const char *head = tested == 0                          ? "Whether the images add to this ranking could not be tested."
                       : adds                               ? "The images add to this ranking."
                       : count[NEP_IMAGING_ADDS] > 0        ? "Over all disorders the images add nothing that could be shown; for some they add."
                                                            : "The images add nothing to this ranking that could be shown.";
    if (!isnan(all->delta.value))
        write_model_gain("", all, "disorders", gain, sizeof gain);
    if (tested == 0)
        snprintf(text, sizeof text, "%s", head);
    else
        snprintf(text, sizeof text, "%s%s By disorder: adds for %lld of %lld, no signal for %lld, undetermined for %lld.", head, gain,
                 (long long)count[NEP_IMAGING_ADDS], (long long)tested, (long long)count[NEP_IMAGING_NO_SIGNAL],
                 (long long)count[NEP_IMAGING_UNDETERMINED]);
    return nep_alloc_string(ctx, text, &r->imaging_text);
}
