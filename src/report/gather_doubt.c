/* SPDX-License-Identifier: Apache-2.0 */
/* gather_doubt.c - what speaks against a candidate in one line, and where nobody could have looked. */
#include "doc.h"

#include <nepenthe/direction.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Whether the exposure of the drug was measured; else descriptors stand in for it. */
static bool exposure_measured(const json_t *reasons)
{
    const json_t *row = json_array_get(json_object_get(reasons, "exposure"), 0);
    return strncmp(nep_doc_get_text(row, "detail"), "measured", 8) == 0;
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
        add(l,
            exposure_measured(reasons)
                ? "measured blood-brain ratios put its entry into the brain in doubt (%.1f of 6)"
                : "rules for passive entry into the brain are only partly met (%.1f of 6, from its structure; nothing measured)",
            mpo);
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

/* Adds a place to those looked in, or to those of which the study records nothing for this disorder. */
static void look(char *looked, char *empty, size_t size, const char *one, const char *many, int64_t rows)
{
    char *to = rows > 0 ? looked : empty;
    const size_t used = strlen(to);
    if (rows > 0)
        snprintf(to + used, size - used, "%s%lld %s", used ? ", " : "", (long long)rows, rows == 1 ? one : many);
    else
        snprintf(to + used, size - used, "%s%s", used ? ", " : "", many);
}

/* Nothing was found: among what, and where there was nothing to look in, so that silence is not taken for safety. */
static void add_none(line *l, const nep_ranking *r, int64_t disorder)
{
    char looked[256] = "", empty[256] = "";
    look(looked, empty, sizeof looked, "drug known to worsen it", "drugs known to worsen it", nep_gather_warned(r, disorder));
    look(looked, empty, sizeof looked, "contraindication", "contraindications", nep_gather_count(r, disorder, NEP_LABEL_CONTRAINDICATED));
    look(looked, empty, sizeof looked, "failed drug", "failed drugs", nep_gather_count(r, disorder, NEP_LABEL_FAILED));
    add(l, "none found among %s%s%sentry into the brain, channels that speak against it", looked, looked[0] ? ", " : "",
        find_channel(r, "direction") < 0 ? "" : "directions of action, ");
    if (empty[0] || find_channel(r, "direction") < 0)
        add(l, "not looked into, as the study records none for this disorder: %s%s%s", empty,
            empty[0] && find_channel(r, "direction") < 0 ? ", " : "", find_channel(r, "direction") < 0 ? "directions of action" : "");
}

int64_t nep_gather_warned(const nep_ranking *r, int64_t disorder)
{
    int64_t n = 0;
    for (int64_t k = 0; k < r->inputs->n_drugs; k++)
        n += nep_direction_warns(r->inputs, disorder, k) != NULL;
    return n;
}

int64_t nep_gather_count(const nep_ranking *r, int64_t disorder, nep_label label)
{
    int64_t n = 0;
    for (int64_t k = 0; k < r->inputs->n_drugs && r->inputs->labels; k++)
        n += r->inputs->labels[disorder * r->inputs->n_drugs + k] == label;
    return n;
}

json_t *nep_gather_counter(const nep_ranking *r, int64_t disorder, int64_t drug, const json_t *reasons)
{
    const nep_ranking_disorder *d = &r->disorders[disorder];
    line l = {""};
    add_records(&l, r, disorder, drug);
    add_gates(&l, r, d, reasons, drug);
    add_negative(&l, r, d, drug);
    if (!l.text[0])
        add_none(&l, r, disorder);
    return nep_doc_text(l.text);
}
