/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c - what a ranking's numbers amount to: probabilities, verdicts, flags, and the sentence of the trust box. */
#include "rank/ranking.h"
#include "rank/sample.h"

#include <nepenthe/direction.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static int channel_index(const nep_ranking *r, const char *name)
{
    for (int c = 0; c < r->n_channels; c++)
        if (strcmp(r->channels[c]->name, name) == 0)
            return c;
    return -1;
}

/* The probability curve of each disorder comes from all others. */
static nep_status add_probabilities(nep_ctx *ctx, nep_ranking *r)
{
    const int64_t n = r->inputs->n_drugs, d = r->n_disorders;
    double *x = NULL;
    signed char *y = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof *x, "calibration: scores", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, 1, "calibration: labels", &y));
    for (int64_t j = 0; j < d; j++) {
        int64_t others = 0;
        for (int64_t o = 0; o < d; o++) {
            int64_t n_pos = 0;
            rank_sample_positives(r->inputs, o, y + o * n);
            for (int64_t i = 0; i < n; i++) {
                const nep_candidate *c = &r->disorders[o].candidates[i];
                x[o * n + c->drug] = o == j || r->disorders[o].simulated ? NAN : c->score;
                n_pos += y[o * n + i] == 1;
            }
            if (n_pos == 0) /* a disorder without a record says nothing of prevalence */
                for (int64_t i = 0; i < n; i++)
                    x[o * n + i] = NAN;
            others += n_pos > 0 && o != j && !r->disorders[o].simulated;
        }
        if (others < 2 || r->disorders[j].simulated)
            continue;
        const nep_calibration_curve curve = nep_calibration_fit(x, y, d * n);
        for (int64_t i = 0; i < n; i++)
            r->disorders[j].candidates[i].p_recorded = nep_calibration_apply(curve, r->disorders[j].candidates[i].score);
    }
done:
    nep_alloc_free(y);
    nep_alloc_free(x);
    return st;
}

typedef struct {
    char text[256];
} flags;

static void add_flag(flags *f, const char *word)
{
    const size_t used = strlen(f->text);
    snprintf(f->text + used, sizeof f->text - used, "%s%s", used ? ";" : "", word);
}

/* A drug recorded for any disorder of the study reaches the brain, whatever its descriptors say. */
static bool known_in_brain(const nep_inputs *in, int64_t drug)
{
    for (int64_t j = 0; j < in->n_disorders; j++)
        if (nep_label_indicated(in->labels[j * in->n_drugs + drug]))
            return true;
    return false;
}

static nep_verdict verdict_of(const nep_ranking *r, const nep_ranking_disorder *d, const nep_candidate *c, nep_label label,
                              nep_coverage coverage, double exposure, bool opposed, int engagement)
{
    if (label == NEP_LABEL_CONTRAINDICATED || nep_direction_warns(r->inputs, d - r->disorders, c->drug))
        return NEP_VERDICT_CONTRAINDICATED;
    if (exposure < NEP_VERDICT_GATE && !known_in_brain(r->inputs, c->drug))
        return NEP_VERDICT_GATED;
    if (isnan(c->score) || (engagement >= 0 && coverage != NEP_COVERAGE_OK))
        return NEP_VERDICT_INSUFFICIENT;
    const double bound = r->fusion == NEP_FUSION_HIERARCHICAL ? NEP_VERDICT_ODDS : NEP_VERDICT_SCORE;
    if (!(c->score >= bound && c->score_low > 0) || label == NEP_LABEL_FAILED || opposed)
        return NEP_VERDICT_WEAK;
    if (engagement < 0 || d->increment.verdict == NEP_IMAGING_ADDS)
        return NEP_VERDICT_SUPPORTED;
    const double share = d->contribution[c->drug * r->n_channels + engagement];
    const double without = isnan(share) ? c->score : c->n_channels > 1 ? c->score_without_low : NAN;
    return without >= bound ? NEP_VERDICT_SUPPORTED : NEP_VERDICT_WEAK;
}

static nep_status judge_candidate(nep_ctx *ctx, nep_ranking *r, int64_t j, nep_candidate *c)
{
    const nep_inputs *in = r->inputs;
    nep_ranking_disorder *d = &r->disorders[j];
    const nep_label label = in->labels[j * in->n_drugs + c->drug];
    const int gate = channel_index(r, "exposure"), engagement = channel_index(r, "engagement"),
              direction = channel_index(r, "direction");
    const double exposure = gate >= 0 ? d->value[c->drug * r->n_channels + gate] : NAN;
    const nep_coverage coverage = in->affinity_start ? nep_engagement_coverage(in, c->drug, NULL) : NEP_COVERAGE_NONE;
    flags f = {""};

    const bool opposed = direction >= 0 && d->value[c->drug * r->n_channels + direction] <= NEP_DIRECTION_FLAG;
    c->verdict = verdict_of(r, d, c, label, coverage, exposure, opposed && !nep_label_indicated(label), engagement);
    if (engagement >= 0 && coverage != NEP_COVERAGE_OK) {
        add_flag(&f, "insufficient");
        add_flag(&f, coverage == NEP_COVERAGE_NONE  ? "no_measured_target"
                     : coverage == NEP_COVERAGE_FEW ? "few_mapped_targets"
                                                    : "strongest_target_unmapped");
    }
    if (nep_label_indicated(label))
        add_flag(&f, "recorded_treatment");
    else if (label != NEP_LABEL_NONE)
        add_flag(&f, nep_label_name(label));
    if (nep_direction_warns(in, j, c->drug) && label != NEP_LABEL_CONTRAINDICATED)
        add_flag(&f, "contraindicated");
    if (opposed)
        add_flag(&f, "opposite_direction");
    if (exposure < NEP_VERDICT_GATE && !known_in_brain(in, c->drug))
        add_flag(&f, "excluded_by_exposure");
    else if (exposure < NEP_VERDICT_FLAG)
        add_flag(&f, "low_exposure");
    if (gate >= 0 && isnan(exposure))
        add_flag(&f, "exposure_unknown");
    return nep_alloc_string(ctx, f.text, &c->flags);
}

/* Why the map alone was tested. */
static void write_reason(const nep_ranking *r, int64_t j, char *text, size_t size)
{
    const nep_inputs *in = r->inputs;
    bool by_truth = false;
    for (int64_t k = 0; in->truth && k < in->n_drugs; k++)
        by_truth = by_truth || in->truth[j * in->n_drugs + k] >= 0;
    if (by_truth)
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

static void write_gain(const nep_increment *i, char *text, size_t size)
{
    char families[96];
    const char *head = i->verdict == NEP_IMAGING_ADDS        ? "The image adds."
                       : i->verdict == NEP_IMAGING_NO_SIGNAL ? "No signal: the image adds nothing that matters."
                                                             : "Undetermined: the study has too little power to say whether the "
                                                               "image adds.";
    snprintf(text, size,
             "%s Over targets and structures alone it changes average precision by %+.3f (90 %% interval %+.3f to %+.3f; map-null "
             "p = %.2g%s, Holm %.2g; %lld recorded treatments that the image can score); a gain of %.2f would have been detected.",
             head, i->delta.value, i->delta.low, i->delta.high, i->p_map, both_families(i, families, sizeof families), i->p_holm,
             (long long)i->delta.n, i->detectable);
}

static nep_status write_trust(nep_ctx *ctx, nep_ranking *r, int64_t j)
{
    const nep_increment *i = &r->disorders[j].increment;
    char text[800];
    if (channel_index(r, "engagement") < 0)
        snprintf(text, sizeof text, "No brain image enters this ranking.");
    else if (isnan(i->p_map))
        snprintf(text, sizeof text, "Whether the image adds anything could not be tested: no drug passes the coverage gate, or "
                                    "the disorder has no map.");
    else if (isnan(i->delta.value))
        write_map_test(r, j, text, sizeof text);
    else
        write_gain(i, text, sizeof text);
    return nep_alloc_string(ctx, text, &r->disorders[j].trust);
}

nep_status rank_judge(nep_ctx *ctx, nep_ranking *r, int n_votes)
{
    NEP_REQUIRE(ctx, n_votes <= RANK_MAX_VOTES, NEP_E_INTERNAL, "rank: %d VOTE channels", n_votes);
    if (r->fusion == NEP_FUSION_STOUFFER) /* the model gives its own */
        NEP_TRY(add_probabilities(ctx, r));
    for (int64_t j = 0; j < r->n_disorders; j++) {
        for (int64_t i = 0; i < r->inputs->n_drugs; i++)
            NEP_TRY(judge_candidate(ctx, r, j, &r->disorders[j].candidates[i]));
        NEP_TRY(write_trust(ctx, r, j));
    }
    return NEP_OK;
}
