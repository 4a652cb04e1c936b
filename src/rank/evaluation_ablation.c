/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation_ablation.c - what each VOTE channel gives: macro AP with it less without it, paired draws, Holm. */
#include "rank/evaluation.h"

#include <math.h>
#include <string.h>

static void fuse_without(rank_evaluation *w, int left_out)
{
    const nep_protocol_scores *s = &w->e->scores[NEP_PROTOCOL_MASKED];
    const int c = w->r->n_channels;
    for (int64_t at = 0; at < w->d * w->n; at++) {
        double sum = 0;
        int there = 0;
        for (int v = 0; v < w->n_votes; v++)
            if (v != left_out && !isnan(s->z[at * c + v])) {
                sum += s->z[at * c + v];
                there++;
            }
        /* a drug that only the left-out channel knew takes the middle: its normal score is 0 on average */
        w->score[at] = there ? sum / sqrt((double)there) : 0;
    }
}

/* Scores without one channel: the model learned anew, or the sum of the others. */
static nep_status take_without(nep_ctx *ctx, rank_evaluation *w, int left_out)
{
    nep_protocol_scores s = {0};
    if (w->r->fusion == NEP_FUSION_STOUFFER) {
        fuse_without(w, left_out);
        return NEP_OK;
    }
    NEP_TRY(rank_evaluation_score(ctx, w, NEP_PROTOCOL_MASKED, left_out, &s));
    memcpy(w->score, s.score, (size_t)(w->d * w->n) * sizeof(double));
    nep_protocol_scores_free(&s);
    return NEP_OK;
}

nep_status rank_ablation_measure(nep_ctx *ctx, rank_evaluation *w)
{
    nep_evaluation *e = w->e;
    nep_performance *disorders = NULL, macro;
    double *p = NULL;
    nep_status st = NEP_OK;

    if (!e->fused.run[NEP_PROTOCOL_MASKED] || w->n_votes < 2)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d, sizeof *disorders, "ablation", &disorders));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * w->n_votes, sizeof *p, "ablation: p", &p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->n_votes, sizeof *e->ablation, "ablation", &e->ablation));
    rank_evaluation_set(w, NEP_PROTOCOL_MASKED);
    memcpy(w->score, e->scores[NEP_PROTOCOL_MASKED].score, (size_t)(w->d * w->n) * sizeof(double));
    NEP_TRY_OR_DONE(st, rank_bootstrap_measure(ctx, &w->boot, w->score, &w->set, disorders, &macro, &(rank_bootstrap_draws){.ap = w->full}));
    const double with = macro.ap.value;
    for (int c = 0; c < w->n_votes; c++) {
        nep_ablation *a = &e->ablation[e->n_ablation++];
        int64_t above = 0, below = 0;
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, w->r->channels[c]->name, &a->channel));
        NEP_TRY_OR_DONE(st, take_without(ctx, w, c));
        NEP_TRY_OR_DONE(st, rank_bootstrap_measure(ctx, &w->boot, w->score, &w->set, disorders, &macro, &(rank_bootstrap_draws){.ap = w->less}));
        for (int64_t b = 0; b < w->boot.n_boot; b++) {
            above += w->full[b] - w->less[b] >= 0;
            below += w->full[b] - w->less[b] <= 0;
        }
        a->delta_ap = rank_evaluation_gain(w, with, macro.ap.value, macro.ap.n);
        const double tail = (1.0 + (double)(above < below ? above : below)) / (1.0 + (double)w->boot.n_boot);
        a->p = p[c] = isnan(a->delta_ap.value) ? NAN : 2 * tail < 1 ? 2 * tail : 1;
    }
    nep_holm_adjust(p, w->n_votes, p + w->n_votes);
    for (int c = 0; c < w->n_votes; c++)
        e->ablation[c].p_holm = p[w->n_votes + c];
done:
    nep_alloc_free(p);
    nep_alloc_free(disorders);
    return st;
}
