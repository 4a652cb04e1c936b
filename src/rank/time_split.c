/* SPDX-License-Identifier: Apache-2.0 */
/* time_split.c - the ranking as it would have been at the end of a year, held against what was recorded later. */
#include "rank/evaluation.h"

#include <string.h>

const char *nep_time_split_definition(void)
{
    return "channels and model see what was recorded up to the year, the scored drug's other uses among it, and nothing without a date; tested are "
           "the treatments recorded later against drugs that are none; drugs that had a label of the disorder by then are left out, as are "
           "treatments without a date";
}

static bool early(const nep_inputs *in, int64_t at, int64_t year)
{
    return in->labels[at] != NEP_LABEL_NONE && in->label_year[at] > 0 && in->label_year[at] <= year;
}

static bool undated(const nep_inputs *in, int64_t at)
{
    return nep_label_indicated(in->labels[at]) && in->label_year[at] == 0;
}

static nep_status count(nep_ctx *ctx, const rank_evaluation *w, nep_time_split *t)
{
    const nep_inputs *in = w->in;
    for (int64_t at = 0; in->label_year && at < w->d * w->n; at++) {
        const bool treats = nep_label_indicated(in->labels[at]);
        t->n_early += treats && early(in, at, t->year);
        t->n_undated += undated(in, at);
        t->n_late += treats && in->label_year[at] > t->year;
    }
    NEP_REQUIRE(ctx, t->n_early > 0 && t->n_late > 0, NEP_E_CONFIG,
                "study: time_split %lld: of the treatments of ranked disorders %lld are dated up to it, %lld later and %lld not at all; both sides are "
                "needed (column since, year or date of the labels)",
                (long long)t->year, (long long)t->n_early, (long long)t->n_late, (long long)t->n_undated);
    return NEP_OK;
}

/* Only what was recorded later is asked for. */
static void leave_out(const nep_inputs *in, int64_t year, rank_negatives *set)
{
    for (int64_t at = 0; at < set->n_disorders * set->n_drugs; at++) {
        if (!early(in, at, year) && !undated(in, at))
            continue;
        set->pos[at] = SAMPLE_LEFT_OUT;
        set->grade[at] = -1;
        if (set->nervous)
            set->nervous[at] = SAMPLE_LEFT_OUT;
        if (set->failed)
            set->failed[at] = SAMPLE_LEFT_OUT;
    }
}

/* The known drug of the model; a sum of channels hides the drug's own label alone, and there is none. */
static nep_status score_then(nep_ctx *ctx, const rank_evaluation *w, const nep_inputs *then, nep_protocol_scores *out)
{
    nep_ranking r = *w->r;
    rank_evaluation v = *w;
    const bool learned = r.fusion == NEP_FUSION_HIERARCHICAL;
    r.inputs = v.in = then;
    if (!learned)
        r.n_channels = v.n_votes;
    v.r = &r;
    v.beside = (rank_learned_beside){0};
    return rank_evaluation_score(ctx, &v, learned ? NEP_PROTOCOL_APPROVED_VS_FAILED : NEP_PROTOCOL_NEW_DRUG, r.n_channels, out);
}

nep_status rank_time_split(nep_ctx *ctx, const rank_evaluation *w, int64_t year)
{
    const nep_inputs *in = w->in;
    nep_inputs then = *in;
    nep_time_split *t = NULL;
    nep_protocol_scores s = {0};
    rank_negatives set = {0};
    nep_label *labels = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *t, "time split", &t));
    w->e->time_split = t;
    t->year = year;
    NEP_TRY_OR_DONE(st, count(ctx, w, t));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d, sizeof *t->disorders, "time split", &t->disorders));
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, in->labels, in->n_disorders * in->n_drugs, sizeof *labels, "time split: labels", &labels));
    for (int64_t at = 0; at < in->n_disorders * in->n_drugs; at++)
        if (!early(in, at, year))
            labels[at] = NEP_LABEL_NONE;
    then.labels = labels;
    NEP_TRY_OR_DONE(st, score_then(ctx, w, &then, &s));
    NEP_TRY_OR_DONE(st, rank_negatives_open(ctx, &then, w->e->negatives, &set)); /* popularity as it was then */
    rank_negatives_set(in, NEP_PROTOCOL_NEW_DRUG, s.score, &set);
    leave_out(in, year, &set);
    st = rank_bootstrap_measure(ctx, &w->boot, s.score, &set, t->disorders, &t->macro, NULL);
done:
    rank_negatives_free(&set);
    nep_protocol_scores_free(&s);
    nep_alloc_free(labels);
    return st;
}
