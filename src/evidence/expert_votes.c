/* SPDX-License-Identifier: Apache-2.0 */
/* expert_votes.c - VOTE: what raters said of the pair, each weighed by how often he is right. */
#include "channels.h"
#include "tables_make.h"

#include <math.h>
#include <stdio.h>

enum { LABELS = NEP_LABEL_CONTRAINDICATED + 1 };

static nep_status collect(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs, signed char **out, int64_t *n_items, int *n_classes)
{
    int class_of[LABELS];
    signed char *vote = NULL;
    nep_status st;

    *n_items = 0;
    *n_classes = 0;
    for (int l = 0; l < LABELS; l++) {
        class_of[l] = -1;
        for (int64_t i = 0; class_of[l] < 0 && i < one->n_rows; i++)
            if (one->rows[i].vote == l)
                class_of[l] = (*n_classes)++;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, LABELS, sizeof *one->vote_class, "votes: classes", &one->vote_class));
    for (int l = 0; l < LABELS; l++)
        if (class_of[l] >= 0)
            one->vote_class[class_of[l]] = l;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_pairs, sizeof *one->vote_item, "votes: items", &one->vote_item));
    for (int64_t p = 0; p < n_pairs; p++)
        one->vote_item[p] = one->start[p + 1] > one->start[p] ? (*n_items)++ : -1;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, *n_items * one->n_raters, sizeof *vote, "votes", &vote));
    for (int64_t i = 0; i < *n_items * one->n_raters; i++)
        vote[i] = -1;
    for (int64_t p = 0; p < n_pairs; p++)
        for (int64_t i = one->start[p]; i < one->start[p + 1]; i++)
            vote[one->vote_item[p] * one->n_raters + one->rows[i].rater] = (signed char)class_of[one->rows[i].vote];
    *out = vote;
    vote = NULL;
done:
    nep_alloc_free(vote);
    return st;
}

static void mark(const nep_tables_one *one, bool wanted[LABELS])
{
    for (int k = 0; k < LABELS; k++)
        wanted[k] = k < one->votes.n_classes && nep_label_indicated((nep_label)one->vote_class[k]);
}

/* One rater cannot vote twice on a pair, whatever source and note say. */
static nep_status check_once(nep_ctx *ctx, const nep_tables_one *one, int64_t n_pairs)
{
    for (int64_t p = 0; p < n_pairs; p++)
        for (int64_t i = one->start[p]; i < one->start[p + 1]; i++)
            for (int64_t j = one->start[p]; j < i; j++)
                NEP_REQUIRE(ctx, one->rows[i].rater != one->rows[j].rater, NEP_E_FORMAT,
                            "%s: line %lld: rater %s voted on this pair before (line %lld); keep one of the votes", one->path,
                            (long long)one->rows[i].line, one->raters[one->rows[i].rater], (long long)one->rows[j].line);
    return NEP_OK;
}

nep_status nep_expert_votes_make(nep_ctx *ctx, nep_tables_one *one, int64_t n_pairs)
{
    signed char *vote = NULL;
    nep_votes v = {.n_raters = one->n_raters};
    bool wanted[LABELS];
    nep_status st;

    NEP_TRY(check_once(ctx, one, n_pairs));
    NEP_TRY(collect(ctx, one, n_pairs, &vote, &v.n_items, &v.n_classes));
    v.vote = vote;
    if (v.n_classes < 2) {
        nep_warn(ctx, "%s: all votes are alike and tell nothing apart; expert_votes says nothing", one->path);
        st = NEP_OK;
        goto done;
    }
    if (v.n_raters < 3)
        nep_warn(ctx, "%s: %d raters do not determine how often each is right; their posterior leans on its prior", one->path, v.n_raters);
    NEP_TRY_OR_DONE(st, nep_votes_fit(ctx, &v, NEP_VOTES_SMOOTH, &one->votes));
    if (!one->votes.converged)
        nep_warn(ctx, "%s: the raters' model had not settled after %d steps", one->path, one->votes.iterations);
    for (int a = 0; a < v.n_raters; a++)
        for (int b = a + 1; b < v.n_raters && v.n_raters <= 6; b++) {
            int64_t n;
            const double kappa = nep_votes_cohen(&v, a, b, &n);
            nep_log(ctx, NEP_LOG_INFO, "expert_votes: kappa of %s and %s is %.2f over %lld pairs", one->raters[a], one->raters[b], kappa, (long long)n);
        }
    nep_log(ctx, NEP_LOG_INFO, "expert_votes: Fleiss' kappa of all %d raters is %.2f", v.n_raters, nep_votes_fleiss(&v, NULL));
    mark(one, wanted);
    for (int64_t p = 0; p < n_pairs; p++)
        if (one->vote_item[p] >= 0)
            one->value[p] = nep_votes_probability(&one->votes, one->vote_item[p], wanted, &one->se[p]);
done:
    nep_alloc_free(vote);
    return st;
}

double nep_expert_votes_weight(const nep_tables *t, int64_t disorder, int64_t drug, double *se)
{
    const nep_tables_one *one = t ? t->of[NEP_TABLES_VOTES] : NULL;
    const int64_t p = t ? disorder * t->n_drugs + drug : 0;
    if (se)
        *se = one && one->se ? one->se[p] : NAN;
    return one && one->value ? one->value[p] : NAN;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    (void)ctx;
    nep_tables_score(in, NEP_TABLES_VOTES, visible->disorder, stream, value, se);
    return NEP_OK;
}

/* Probability of a treatment after the votes that `weight` holds: prior times the likelihoods multiplied in. */
static double probability(const nep_tables_one *one, const double weight[LABELS])
{
    double all = 0, treats = 0;
    for (int k = 0; k < one->votes.n_classes; k++) {
        all += weight[k];
        treats += nep_label_indicated((nep_label)one->vote_class[k]) ? weight[k] : 0;
    }
    return treats / all;
}

/* The base rate, then what each vote adds to it in the order of raters: the shares sum to the posterior. */
static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const nep_tables_one *one = nep_tables_get(in, NEP_TABLES_VOTES);
    const int64_t p = visible->disorder * in->n_drugs + drug;
    const int k_all = one->votes.n_classes;
    double weight[LABELS];
    nep_reason r;
    (void)ctx;
    if (isnan(one->value[p]))
        return NEP_OK;
    for (int k = 0; k < k_all; k++)
        weight[k] = one->votes.prior[k];
    double before = probability(one, weight);
    r = (nep_reason){.label = "base rate", .detail = "share of treatments among all pairs voted on", .share = before};
    nep_tables_keep_reason(&r, limit, out, n);
    for (int64_t i = one->start[p]; i < one->start[p + 1]; i++) {
        const nep_tables_row *row = &one->rows[i];
        int class = 0;
        while (one->vote_class[class] != row->vote)
            class++;
        for (int k = 0; k < k_all; k++)
            weight[k] *= one->votes.confusion[((int64_t)row->rater * k_all + k) * k_all + class];
        const double after = probability(one, weight);
        nep_tables_reason(row, after - before, &r, "voted %s%s%.80s", nep_label_name((nep_label)row->vote), row->note ? ": " : "",
                          row->note ? row->note : "");
        snprintf(r.label, sizeof r.label, "%s", one->raters[row->rater]);
        nep_tables_keep_reason(&r, limit, out, n);
        before = after;
    }
    return NEP_OK;
}

const nep_channel nep_expert_votes_channel = {
    .name = "expert_votes",
    .summary = "posterior probability that the pair is a treatment (approved or symptomatic) given the raters' votes, each rater with his own "
               "confusion matrix; 0.5 pseudo-counts per cell",
    .source = "Dawid & Skene (1979) Appl Stat 28:20, doi:10.2307/2346806; error by the delta method on Dirichlet shapes",
    .orientation = "larger is likelier to be a treatment in the raters' judgement",
    .licence = "that of each row of the evidence table",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_TABLE,
    .uses_labels = false,
    .score = score,
    .explain = explain,
};
