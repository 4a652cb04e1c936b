/* SPDX-License-Identifier: Apache-2.0 */
/* gather_move.c - which evidence would move a candidate, which way, how far in score and rank, and whether it can be had. */
#include "doc.h"

#include <nepenthe/direction.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double half90 = 1.6448536269514722; /* SDs of a 90 % interval */
static const double smallest = 0.1;              /* log odds, or SDs of a fused score: what moves less is not told */

enum { MOVES = 4, ROOM = 24 };

typedef struct {
    const char *channel;
    char evidence[320];
    const char *how; /* how it can be had, or why not */
    bool obtainable;
    double low, high; /* the score, one of them that of now where the evidence moves it one way */
} move;

typedef struct {
    const nep_ranking *r;
    const nep_ranking_disorder *d;
    const nep_gather_scale *scales;
    const json_t *row;
    int64_t drug;
    double score;
    int votes;
    move list[ROOM];
    int n;
} moves;

/* What a row of a channel is evidence of, and how it can be checked; channels that are one evidence at two powers share a stem. */
static const struct {
    const char *stem, *before, *after, *how;
} words[] = {
    {"neighbours", "the record of ", ", a drug like it, found not to hold here", "yes: read its source and trials"},
    {"other_uses", "its recorded use in ", " found not to hold, or not to carry over", "yes: read its source and trials"},
    {"transfer", "what drugs like it do in ", " found not to carry over", "in part: read the sources of those records"},
    {"analogue", "the record of ", ", alike in structure, found not to hold here", "yes: read its source and trials"},
};
static const char targets_stem[] = "targets";

static bool begins(const char *name, const char *stem)
{
    return strncmp(name, stem, strlen(stem)) == 0;
}

static move *new_move(moves *m, const char *channel, double low, double high, const char *how, bool obtainable)
{
    if (m->n == ROOM || fmax(high - m->score, m->score - low) < smallest)
        return NULL;
    move *x = &m->list[m->n++];
    *x = (move){.channel = channel, .low = low, .high = high, .how = how, .obtainable = obtainable};
    return x;
}

/* `part` lost: the score goes down by what spoke for the drug, up by what spoke against it. */
static move *lose(moves *m, const char *channel, double part, const char *how)
{
    return new_move(m, channel, m->score - fmax(part, 0), m->score - fmin(part, 0), how, true);
}

/* Whether a channel is of the evidence called `stem`; every one that has rows by target is of targets_stem. */
static bool belongs(const nep_channel *c, const char *stem)
{
    return stem == targets_stem || begins(c->name, stem);
}

/* What the rows with one label add, over the channels from c on that belong to `stem`. */
static double sum_of(const moves *m, const json_t *all, int c, const char *stem, const char *label)
{
    double sum = 0;
    size_t i;
    json_t *row;
    for (; c < m->votes; c++) {
        const json_t *rows = belongs(m->r->channels[c], stem) ? json_object_get(all, m->r->channels[c]->name) : NULL;
        json_array_foreach(rows, i, row)
        {
            const double part = nep_doc_get_number(row, "part");
            sum += strcmp(nep_doc_get_text(row, "label"), label) == 0 && isfinite(part) ? part : 0;
        }
    }
    return sum;
}

/* The label whose rows of `kind` ("reasons" or "edges") add most, either way, and what they add; 0 without any. */
static void largest(const moves *m, const char *kind, int c, const char *stem, const char **label, double *part)
{
    const json_t *all = json_object_get(m->row, kind);
    size_t i;
    json_t *row;
    *part = 0;
    for (int a = c; a < m->votes; a++) {
        const json_t *rows = belongs(m->r->channels[a], stem) ? json_object_get(all, m->r->channels[a]->name) : NULL;
        json_array_foreach(rows, i, row)
        {
            const char *name = nep_doc_get_text(row, "label");
            const double sum = strcmp(name, "all others") == 0 || strstr(name, "further path") ? 0 : sum_of(m, all, c, stem, name);
            if (fabs(sum) > fabs(*part)) {
                *part = sum;
                *label = name;
            }
        }
    }
}

/* The one row of each kind of evidence on which most rests. */
static void add_rows(moves *m)
{
    const json_t *edges = json_object_get(m->row, "edges");
    const char *label = NULL;
    double part;
    move *x;
    for (int c = 0; c < m->votes; c++) {
        const char *name = m->r->channels[c]->name;
        int w = 0;
        while (w < NEP_LEN(words) && !begins(name, words[w].stem))
            w++;
        if (json_object_get(edges, name) || (w < NEP_LEN(words) && c > 0 && begins(m->r->channels[c - 1]->name, words[w].stem)))
            continue; /* paths are told by target; the second power of one evidence with the first */
        largest(m, "reasons", c, w < NEP_LEN(words) ? words[w].stem : name, &label, &part);
        x = part == 0 ? NULL : lose(m, name, part, w < NEP_LEN(words) ? words[w].how : "yes: read its source");
        if (x)
            snprintf(x->evidence, sizeof x->evidence, "%s%.96s%s", w < NEP_LEN(words) ? words[w].before : "the row '", label,
                     w < NEP_LEN(words) ? words[w].after : "' found not to hold");
    }
    largest(m, "edges", 0, targets_stem, &label, &part);
    x = part == 0 ? NULL : lose(m, "target_gene", part, "yes: a binding assay; larger genetic studies");
    if (x)
        snprintf(x->evidence, sizeof x->evidence, "%.96s found to be no target of it, or no gene of the disorder", label);
}

/* The gate of direction: not known, known to be opposite, or a report of harm that could fall. It lowers log odds alone. */
static void add_direction(moves *m)
{
    int c = 0;
    while (c < m->r->n_channels && strcmp(m->r->channels[c]->name, "direction") != 0)
        c++;
    if (c == m->r->n_channels || m->r->fusion != NEP_FUSION_HIERARCHICAL)
        return;
    const double value = m->d->value[m->drug * m->r->n_channels + c], now = nep_direction_penalty(value);
    const bool warned = nep_direction_warns(m->r->inputs, m->d - m->r->disorders, m->drug);
    move *x = NULL;
    if (isnan(value)) {
        x = new_move(m, "direction", m->score - NEP_DIRECTION_PENALTY, m->score,
                     "yes: functional assays at its targets (agonist or antagonist)", true);
        if (x)
            snprintf(x->evidence, sizeof x->evidence, "its actions, of which none is recorded, found to be opposite to what treatments do");
    } else if (value < 0) {
        x = new_move(m, "direction", m->score, m->score + now,
                     warned ? "yes: read the report" : "yes: functional assays at its targets (agonist or antagonist)", true);
        if (x)
            snprintf(x->evidence, sizeof x->evidence, "%s found not to hold%s",
                     warned ? "the report that it makes the disorder worse" : "its opposite actions", warned ? " (at most: its actions count then)" : "");
    }
}

/* A channel that says nothing of the drug: where it would come with what 5 % and 95 % of the drugs get of which it speaks. */
static void add_silent(moves *m)
{
    for (int c = 0; c < m->votes; c++) {
        const int64_t at = m->drug * m->r->n_channels + c;
        const nep_channel *ch = m->r->channels[c];
        const bool targets = ch->edges && strstr(ch->edges, "CbG");
        if (!isnan(m->d->value[at]) || isnan(m->scales[c].low))
            continue;
        const double now = isnan(m->d->contribution[at]) ? 0 : m->d->contribution[at];
        move *x = new_move(m, ch->name, m->score - now + fmin(m->scales[c].low, now), m->score - now + fmax(m->scales[c].high, now),
                           targets ? "yes: a panel of binding assays; side effects and class from its label"
                                   : "where the channel's table can be completed",
                           true);
        if (x)
            snprintf(x->evidence, sizeof x->evidence, "'%s' is silent on this drug: %s", ch->name,
                     targets ? "measured targets, side effects or a class" : "evidence for it");
    }
}

/* No recorded use in a kindred disorder: what one drug in twenty gets for one. */
static void add_missing_use(moves *m)
{
    const json_t *reasons = json_object_get(m->row, "reasons");
    double gain = 0;
    const char *name = NULL;
    for (int c = 0; c < m->votes; c++)
        if (begins(m->r->channels[c]->name, "other_uses")) {
            const double now = m->d->contribution[m->drug * m->r->n_channels + c];
            if (json_array_size(json_object_get(reasons, m->r->channels[c]->name)) > 0)
                return;
            name = name ? name : m->r->channels[c]->name;
            gain += isnan(now) || isnan(m->scales[c].high) ? 0 : fmax(0, m->scales[c].high - now);
        }
    move *x = name ? new_move(m, name, m->score, m->score + gain, "not soon: it takes a trial there", false) : NULL;
    if (x)
        snprintf(x->evidence, sizeof x->evidence, "a recorded use in a kindred disorder, of which it has none");
}

/* The channel whose worth here, and whose error, leave the score least certain. */
static void add_weight(moves *m)
{
    int best = -1;
    double widest = 0;
    for (int c = 0; c < m->votes; c++) {
        const int64_t at = m->drug * m->r->n_channels + c, cell = (m->d - m->r->disorders) * m->votes + c;
        const double slope = nep_gather_slope(m->d, &m->scales[c], at), se = isnan(m->d->se[at]) ? 0 : m->d->se[at];
        const double weight = m->r->weight ? m->r->weight[cell] : 0, spread = m->r->spread ? m->r->spread[cell] : 0;
        const double by_weight = weight > 0 ? m->d->contribution[at] * spread / weight : 0, by_value = isnan(slope) ? 0 : slope * se;
        const double half = half90 * sqrt(by_weight * by_weight + by_value * by_value);
        if (!isnan(m->d->value[at]) && half > widest) {
            widest = half;
            best = c;
        }
    }
    move *x = best < 0 ? NULL
                       : new_move(m, m->r->channels[best]->name, m->score - widest, m->score + widest,
                                  "not by studying this drug: more recorded treatments of this disorder settle it", false);
    if (x)
        snprintf(x->evidence, sizeof x->evidence, "how much '%s' is worth in this disorder, and the error of its value", x->channel);
}

/* Its rank if its score alone were x. */
static int64_t rank_at(const moves *m, double x)
{
    int64_t rank = 1;
    for (int64_t k = 0; k < m->r->inputs->n_drugs; k++)
        rank += m->d->candidates[k].drug != m->drug && m->d->candidates[k].score > x;
    return rank;
}

/* What could go furthest down or up first; as found where they go as far. */
static int by_reach(const void *a, const void *b)
{
    const move *x = a, *y = b;
    const double p = x->high - x->low, q = y->high - y->low;
    return p != q ? (p < q ? 1 : -1) : 0;
}

static json_t *move_row(const moves *m, const move *x)
{
    int bad = 0;
    json_t *o = json_object();
    DOC_PUT(o, "channel", nep_doc_text(x->channel));
    DOC_PUT(o, "evidence", nep_doc_text(x->evidence));
    DOC_PUT(o, "direction", nep_doc_text(x->low == m->score ? "up" : x->high == m->score ? "down" : "either"));
    DOC_PUT(o, "low", nep_doc_number(x->low));
    DOC_PUT(o, "high", nep_doc_number(x->high));
    DOC_PUT(o, "rank_at_low", json_integer(rank_at(m, x->low)));
    DOC_PUT(o, "rank_at_high", json_integer(rank_at(m, x->high)));
    DOC_PUT(o, "obtainable", json_boolean(x->obtainable));
    DOC_PUT(o, "how", nep_doc_text(x->how));
    DOC_END(o);
}

json_t *nep_gather_moves(const nep_ranking *r, int64_t disorder, int64_t drug, double score, const nep_gather_scale *scales, const json_t *row)
{
    int bad = 0;
    json_t *array = json_array();
    moves m = {.r = r, .d = &r->disorders[disorder], .scales = scales, .row = row, .drug = drug, .score = score};
    while (m.votes < r->n_channels && r->channels[m.votes]->role == NEP_ROLE_VOTE)
        m.votes++;
    if (!isnan(score)) {
        add_rows(&m);
        add_direction(&m);
        add_silent(&m);
        add_missing_use(&m);
        add_weight(&m);
    }
    qsort(m.list, (size_t)m.n, sizeof m.list[0], by_reach);
    for (int i = 0; i < m.n && i < MOVES; i++)
        DOC_ADD(array, move_row(&m, &m.list[i]));
    DOC_END(array);
}
