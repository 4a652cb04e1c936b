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

/* What the imaging channels lend to a drug's score: where they are not shown to add, a verdict stands without it. */
static double imaging_share(const nep_ranking *r, const nep_ranking_disorder *d, int64_t drug)
{
    double sum = 0;
    for (int c = 0; c < r->n_channels; c++)
        if (nep_imaging_channel(r->channels[c]) && d->contribution[drug * r->n_channels + c] > 0)
            sum += d->contribution[drug * r->n_channels + c];
    return sum;
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
    if (d->increment.verdict == NEP_IMAGING_ADDS)
        return NEP_VERDICT_SUPPORTED;
    if (r->fusion == NEP_FUSION_HIERARCHICAL)
        return c->score - imaging_share(r, d, c->drug) >= bound ? NEP_VERDICT_SUPPORTED : NEP_VERDICT_WEAK;
    if (engagement < 0)
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
    const int gate = channel_index(r, "exposure"), direction = channel_index(r, "direction"),
              engagement = r->fusion == NEP_FUSION_STOUFFER ? channel_index(r, "engagement") : -1;
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

nep_status rank_judge(nep_ctx *ctx, nep_ranking *r, int n_votes)
{
    NEP_REQUIRE(ctx, n_votes <= RANK_MAX_VOTES, NEP_E_INTERNAL, "rank: %d VOTE channels", n_votes);
    if (r->fusion == NEP_FUSION_STOUFFER) /* the model gives its own */
        NEP_TRY(add_probabilities(ctx, r));
    for (int64_t j = 0; j < r->n_disorders; j++) {
        for (int64_t i = 0; i < r->inputs->n_drugs; i++)
            NEP_TRY(judge_candidate(ctx, r, j, &r->disorders[j].candidates[i]));
        NEP_TRY(rank_imaging_trust(ctx, r, j));
    }
    return rank_imaging_sum_up(ctx, r);
}
