/* SPDX-License-Identifier: Apache-2.0 */
/* gather_doubt.c - what speaks against a candidate in one line, and which evidence would move it most. */
#include "doc.h"

#include <nepenthe/direction.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double half90 = 1.6448536269514722; /* SDs of a 90 % interval */

typedef struct {
    char text[720];
} line;

static void add(line *l, const char *fmt, ...) NEP_PRINTF(2, 3);
static void add(line *l, const char *fmt, ...)
{
    const size_t used = strlen(l->text);
    va_list args;
    if (used)
        snprintf(l->text + used, sizeof l->text - used, "; ");
    va_start(args, fmt);
    vsnprintf(l->text + strlen(l->text), sizeof l->text - strlen(l->text), fmt, args);
    va_end(args);
}

static int find_channel(const nep_ranking *r, const char *name)
{
    for (int c = 0; c < r->n_channels; c++)
        if (strcmp(r->channels[c]->name, name) == 0)
            return c;
    return -1;
}

/* The records: known worsening, contraindicated, failed. */
static void add_records(line *l, const nep_ranking *r, int64_t disorder, int64_t drug)
{
    const nep_inputs *in = r->inputs;
    const int64_t at = disorder * in->n_drugs + drug;
    const nep_direction_warning *w = nep_direction_warns(in, disorder, drug);
    const char *source = in->label_source && in->label_source[at] ? in->label_source[at] : "source not recorded";
    if (w)
        add(l, "known to make it worse: %.160s%s%.120s", w->note ? w->note : "", w->note ? ", " : "", w->source ? w->source : "");
    if (in->labels && in->labels[at] == NEP_LABEL_CONTRAINDICATED)
        add(l, "recorded as contraindicated (%.160s)", source);
    if (in->labels && in->labels[at] == NEP_LABEL_FAILED)
        add(l, "recorded as failed (%.160s)", source);
}

/* The target on which the drug acts most against what is wanted, from its reasons. */
static const char *worst_target(const json_t *reasons)
{
    const char *name = NULL;
    double worst = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(reasons, "direction"), i, row) if (nep_doc_get_number(row, "share") < worst)
    {
        worst = nep_doc_get_number(row, "share");
        name = nep_doc_get_text(row, "label");
    }
    return name;
}

static void add_gates(line *l, const nep_ranking *r, const nep_ranking_disorder *d, const json_t *reasons, int64_t drug)
{
    const int direction = find_channel(r, "direction"), exposure = find_channel(r, "exposure");
    const double opposed = direction >= 0 ? d->value[drug * r->n_channels + direction] : NAN;
    const double mpo = exposure >= 0 ? d->value[drug * r->n_channels + exposure] : NAN;
    if (opposed < 0 && !nep_direction_warns(r->inputs, d - r->disorders, drug)) {
        const char *target = worst_target(reasons);
        add(l, "its actions go the opposite way%s%s, which takes %.2f off the score", target ? ", most of all at " : "", target ? target : "",
            nep_direction_penalty(opposed));
    }
    if (mpo < NEP_VERDICT_FLAG)
        add(l, "rules for passive entry into the brain are only partly met (%.1f of 6)", mpo);
}

static void add_negative(line *l, const nep_ranking *r, const nep_ranking_disorder *d, int64_t drug)
{
    int worst = -1;
    const double *x = d->contribution + drug * r->n_channels;
    for (int c = 0; c < r->n_channels; c++)
        if (r->channels[c]->role == NEP_ROLE_VOTE && x[c] <= -0.05 && (worst < 0 || x[c] < x[worst]))
            worst = c;
    if (worst >= 0)
        add(l, "'%s' says less for it than for the average drug (%.2f)%s", r->channels[worst]->name, x[worst],
            isnan(d->value[drug * r->n_channels + worst]) ? ", being silent" : "");
}

json_t *nep_gather_counter(const nep_ranking *r, int64_t disorder, int64_t drug, const json_t *reasons)
{
    const nep_ranking_disorder *d = &r->disorders[disorder];
    line l = {""};
    add_records(&l, r, disorder, drug);
    add_gates(&l, r, d, reasons, drug);
    add_negative(&l, r, d, drug);
    if (!l.text[0])
        add(&l, "none found among: drugs known to worsen it, contraindications, failed trials, direction of action%s, entry into the brain, channels "
                "that speak against it",
            find_channel(r, "direction") < 0 ? " (not in this run)" : "");
    return nep_doc_text(l.text);
}

/* Where the score could stand if channel c were known, or known without error. */
static bool reach_of(const nep_ranking *r, const nep_ranking_disorder *d, const nep_gather_scale *scales, int64_t drug, double score, int c, double *low,
                     double *high)
{
    const int64_t at = drug * r->n_channels + c;
    int votes = 0;
    while (votes < r->n_channels && r->channels[votes]->role == NEP_ROLE_VOTE)
        votes++;
    if (strcmp(r->channels[c]->name, "direction") == 0 && isnan(d->value[at]) && r->fusion == NEP_FUSION_HIERARCHICAL) {
        *low = score - NEP_DIRECTION_PENALTY;
        *high = score;
        return true;
    }
    if (c >= votes || isnan(scales[c].low))
        return false;
    if (isnan(d->value[at])) {
        const double now = isnan(d->contribution[at]) ? 0 : d->contribution[at];
        *low = score - now + fmin(scales[c].low, now);
        *high = score - now + fmax(scales[c].high, now);
        return true;
    }
    const double slope = nep_gather_slope(d, &scales[c], at), se = isnan(d->se[at]) ? 0 : d->se[at];
    const double weight = r->weight ? r->weight[(d - r->disorders) * votes + c] : 0, spread = r->spread ? r->spread[(d - r->disorders) * votes + c] : 0;
    const double by_weight = weight > 0 ? d->contribution[at] * spread / weight : 0, by_value = isnan(slope) ? 0 : slope * se;
    const double half = half90 * sqrt(by_weight * by_weight + by_value * by_value);
    *low = score - half;
    *high = score + half;
    return half > 0;
}

static void tell_move(const nep_ranking *r, const nep_ranking_disorder *d, int64_t drug, int c, double low, double high, line *l)
{
    const nep_channel *ch = r->channels[c];
    const bool targets = ch->edges && strstr(ch->edges, "CbG");
    if (!isnan(d->value[drug * r->n_channels + c]))
        add(l, "how much '%s' is worth in this disorder, and the error of its value: trials or records of drugs like it here would place the score "
               "between %.1f and %.1f",
            ch->name, low, high);
    else if (strcmp(ch->name, "direction") == 0)
        add(l, "whether it raises or lowers its targets is not recorded: actions the opposite way would bring the score down to %.1f", low);
    else
        add(l, "'%s' is silent on this drug: %s would place the score between %.1f and %.1f", ch->name,
            targets ? "measured targets, side effects or a class" : "evidence for it", low, high);
}

json_t *nep_gather_move(const nep_ranking *r, int64_t disorder, int64_t drug, double score, const nep_gather_scale *scales)
{
    int bad = 0, best = -1;
    const nep_ranking_disorder *d = &r->disorders[disorder];
    double low = 0, high = 0, l, h;
    line text = {""};
    json_t *o = json_object();
    for (int c = 0; c < r->n_channels && !isnan(score); c++)
        if (reach_of(r, d, scales, drug, score, c, &l, &h) && (best < 0 || h - l > high - low)) {
            best = c;
            low = l;
            high = h;
        }
    if (best >= 0) {
        tell_move(r, d, drug, best, low, high, &text);
        DOC_PUT(o, "channel", nep_doc_text(r->channels[best]->name));
        DOC_PUT(o, "low", nep_doc_number(low));
        DOC_PUT(o, "high", nep_doc_number(high));
        DOC_PUT(o, "text", nep_doc_text(text.text));
    }
    DOC_END(o);
}
