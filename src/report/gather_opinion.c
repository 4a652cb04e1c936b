/* SPDX-License-Identifier: Apache-2.0 */
/* gather_opinion.c - where other ways to fuse the same channels disagree with the ranking: ranks, agreement, and a sentence. */
#include "doc.h"

#include <math.h>
#include <stdio.h>

enum { TOP = 20, FURTHEST = 3, NEAR = 5 /* ranks apart that are no disagreement */ };

static const double *opinion_of(const nep_ranking *r, const nep_ranking_disorder *d, int o)
{
    return d->opinion ? d->opinion + o * r->inputs->n_drugs : NULL;
}

/* Whether the opinion ranks any drug. */
static bool speaks(const nep_ranking *r, const nep_ranking_disorder *d, int o)
{
    const double *rank = opinion_of(r, d, o);
    for (int64_t k = 0; rank && k < r->inputs->n_drugs; k++)
        if (!isnan(rank[k]))
            return true;
    return false;
}

json_t *nep_gather_opinions(const nep_ranking *r, int64_t disorder, int64_t drug)
{
    int bad = 0;
    const nep_ranking_disorder *d = &r->disorders[disorder];
    json_t *o = json_object();
    for (int i = 0; i < NEP_OPINION_COUNT; i++)
        if (opinion_of(r, d, i) && !isnan(opinion_of(r, d, i)[drug]))
            DOC_PUT(o, nep_opinion_name(i), nep_doc_number(opinion_of(r, d, i)[drug]));
    DOC_END(o);
}

/* Spearman's correlation over the drugs that both rank: Pearson of the ranks there. */
static double spearman(const nep_ranking *r, const nep_ranking_disorder *d, const double *rank)
{
    double n = 0, sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (int64_t i = 0; i < r->inputs->n_drugs; i++) {
        const double x = (double)i, y = rank[d->candidates[i].drug];
        if (isnan(d->candidates[i].score) || isnan(y))
            continue;
        n++;
        sx += x;
        sy += y;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    const double a = xx - sx * sx / n, b = yy - sy * sy / n;
    return n > 2 && a > 0 && b > 0 ? (xy - sx * sy / n) / sqrt(a * b) : NAN;
}

static bool gated(const nep_ranking *r, const nep_ranking_disorder *d, int64_t drug)
{
    for (int c = 0; c < r->n_channels; c++)
        if (r->channels[c]->role == NEP_ROLE_GATE && d->contribution[drug * r->n_channels + c] < 0)
            return true;
    return false;
}

/* The drugs furthest apart among the first TOP of either, twice as far down at least: by the ratio of their ranks, so that the top counts.
 * Those that a gate holds down are counted elsewhere. */
static int furthest(const nep_ranking *r, const nep_ranking_disorder *d, const double *rank, int64_t at[FURTHEST])
{
    int n = 0;
    for (int64_t i = 0; i < r->inputs->n_drugs; i++) {
        const double own = (double)(i + 1), other = rank[d->candidates[i].drug];
        const double apart = fabs(log(own / other));
        if (isnan(d->candidates[i].score) || isnan(other) || (own > TOP && other > TOP) || apart <= log(2.0) || fabs(own - other) < NEAR || gated(r, d, d->candidates[i].drug))
            continue;
        int k = n < FURTHEST ? n++ : FURTHEST;
        for (; k > 0 && fabs(log((double)(at[k - 1] + 1) / rank[d->candidates[at[k - 1]].drug])) < apart; k--)
            if (k < FURTHEST)
                at[k] = at[k - 1];
        if (k < FURTHEST)
            at[k] = i;
    }
    return n;
}

/* Why the ranking puts it where it stands. */
static void reason_of(const nep_ranking *r, const nep_ranking_disorder *d, int64_t i, int opinion, double other, char *text, size_t size)
{
    const double *x = d->contribution + d->candidates[i].drug * r->n_channels;
    int best = -1;
    for (int c = 0; c < r->n_channels; c++)
        if (r->channels[c]->role == NEP_ROLE_VOTE && !isnan(x[c]) && (best < 0 || x[c] > x[best]))
            best = c;
    if (best >= 0 && (double)(i + 1) < other)
        snprintf(text, size, "'%s' gives %.1f of its %.1f", r->channels[best]->name, x[best], d->candidates[i].score);
    else if (opinion == NEP_OPINION_ELASTIC)
        snprintf(text, size, "other weights");
    else
        snprintf(text, size, "it counts alike channels to which this ranking gives little weight");
}

static json_t *apart_rows(const nep_ranking *r, const nep_ranking_disorder *d, int opinion, const double *rank)
{
    int bad = 0;
    int64_t at[FURTHEST];
    const int n = furthest(r, d, rank, at);
    json_t *rows = json_array();
    for (int k = 0; k < n; k++) {
        const nep_candidate *c = &d->candidates[at[k]];
        char why[160];
        json_t *o = json_object();
        reason_of(r, d, at[k], opinion, rank[c->drug], why, sizeof why);
        DOC_PUT(o, "drug", json_integer(c->drug));
        DOC_PUT(o, "name", nep_doc_text(r->inputs->drugs->names ? r->inputs->drugs->names[c->drug] : r->inputs->drugs->id[c->drug]));
        DOC_PUT(o, "rank", json_integer(at[k] + 1));
        DOC_PUT(o, "other", nep_doc_number(rank[c->drug]));
        DOC_PUT(o, "why", nep_doc_text(why));
        DOC_ADD(rows, o);
    }
    DOC_END(rows);
}

json_t *nep_gather_disagreement(const nep_ranking *r, int64_t disorder)
{
    int bad = 0;
    const nep_ranking_disorder *d = &r->disorders[disorder];
    json_t *array = json_array();
    for (int i = 0; i < NEP_OPINION_COUNT; i++) {
        const double *rank = opinion_of(r, d, i);
        int shared = 0, held = 0;
        if (!speaks(r, d, i))
            continue;
        for (int64_t k = 0; k < TOP && k < r->inputs->n_drugs; k++)
            shared += rank[d->candidates[k].drug] <= TOP;
        for (int64_t k = 0; k < r->inputs->n_drugs; k++)
            held += rank[k] <= TOP && gated(r, d, k);
        json_t *o = json_object();
        DOC_PUT(o, "name", nep_doc_text(nep_opinion_name(i)));
        DOC_PUT(o, "spearman", nep_doc_number(spearman(r, d, rank)));
        DOC_PUT(o, "shared", json_integer(shared));
        DOC_PUT(o, "top", json_integer(TOP));
        DOC_PUT(o, "gated", json_integer(held));
        DOC_PUT(o, "furthest", apart_rows(r, d, i, rank));
        DOC_ADD(array, o);
    }
    DOC_END(array);
}
