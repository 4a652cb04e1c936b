/* SPDX-License-Identifier: Apache-2.0 */
/* leaks.c - ways in which a channel could have read the truth, refused or said, and inputs that an evaluation cannot use. */
#include <nepenthe/leaks.h>
#include <nepenthe/tables.h>

#include "rank/sample.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *nep_leaks_name(nep_leak_kind kind)
{
    static const char *const names[NEP_LEAK_COUNT] = {"unlabelled", "twin", "truth", "constant", "silent"};
    return (int)kind >= 0 && kind < NEP_LEAK_COUNT ? names[kind] : "unknown";
}

/* ---- what is refused ---- */
/* The first metaedge of the channel that joins drugs with disorders, or NULL. */
static const nep_network_metaedge *label_edges(const nep_inputs *in, const nep_channel *c)
{
    char word[32];
    if (!in->network)
        return NULL;
    for (const char *p = c->edges; p && *p; p += strspn(p, " ")) {
        const size_t n = strcspn(p, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        p += n;
        const int64_t at = nep_network_find_metaedge(in->network, word);
        if (at < 0)
            continue;
        const nep_network_metaedge *e = &in->network->metaedge[at];
        const char *from = in->network->kind[e->from].id, *to = in->network->kind[e->to].id;
        if ((strcmp(from, "C") == 0 && strcmp(to, "D") == 0) || (strcmp(from, "D") == 0 && strcmp(to, "C") == 0))
            return e;
    }
    return NULL;
}

nep_status nep_leaks_refuse(nep_ctx *ctx, const nep_inputs *in, const nep_channel *const *channels, int n_channels)
{
    for (int i = 0; i < n_channels; i++) {
        const nep_channel *c = channels[i];
        char source[64];
        if (c->role == NEP_ROLE_GATE)
            continue;
        NEP_REQUIRE(ctx, !nep_channel_overlaps(c, in, source), NEP_E_CONFIG,
                    "study: the table of channel %s and the labels share the source '%s'; a table cannot be masked, so that the channel would read "
                    "what is to be predicted: take the channel out of `primary: channels`, or those rows out of one of the two",
                    c->name, source);
        const nep_network_metaedge *e = label_edges(in, c);
        NEP_REQUIRE(ctx, !e, NEP_E_CONFIG,
                    "study: channel %s reads %s, edges between drugs and disorders that cannot be masked; take the channel out of `primary: channels`",
                    c->name, e ? e->id : "");
    }
    return NEP_OK;
}

/* ---- what is said ---- */
NEP_PRINTF(4, 5)
static nep_status add(nep_ctx *ctx, nep_leaks *l, nep_leak found, const char *format, ...)
{
    char text[640];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    NEP_TRY(nep_alloc_grow(ctx, l->n + 1, sizeof *l->list, "leaks", &l->list));
    NEP_TRY(nep_alloc_string(ctx, text, &found.text));
    l->list[l->n++] = found;
    return NEP_OK;
}

typedef struct {
    const nep_ranking *r;
    const nep_inputs *in;
    int64_t n, d;       /* drugs, all disorders */
    signed char *pos;   /* [d, n] of rank_sample_positives */
    int64_t *n_pos;     /* [d] */
    double *score;      /* [n] */
    int64_t *order;     /* [n] */
    bool *tie;          /* [n] */
} finder;

static bool reads_others(const nep_ranking *r)
{
    for (int c = 0; c < r->n_channels; c++)
        if (r->channels[c]->role == NEP_ROLE_VOTE && r->channels[c]->uses_others)
            return true;
    return false;
}

/* What a simulated disorder is measured by is what was simulated, whatever the labels record for it. */
static nep_status find_unlabelled(nep_ctx *ctx, const finder *f, nep_leaks *l)
{
    for (int64_t j = 0; j < f->r->n_disorders; j++)
        if (f->n_pos[j] == 0)
            NEP_TRY(add(ctx, l, (nep_leak){NEP_LEAK_UNLABELLED, NULL, j, -1, NAN, NULL}, "%s (%s): %s, so that no protocol measures it",
                        f->in->disorder_names[j], f->in->disorder_ids[j],
                        nep_inputs_by_truth(f->in, j) ? "by the simulated truth no drug is relevant" : "the labels record no treatment"));
    return NEP_OK;
}

static nep_status find_twins(nep_ctx *ctx, const finder *f, nep_leaks *l)
{
    if (!reads_others(f->r))
        return NEP_OK;
    for (int64_t j = 0; j < f->r->n_disorders; j++)
        for (int64_t o = 0; o < f->d; o++) {
            int64_t both = 0;
            if (o == j || f->n_pos[j] == 0 || f->n_pos[o] == 0)
                continue;
            for (int64_t k = 0; k < f->n; k++)
                both += f->pos[j * f->n + k] == 1 && f->pos[o * f->n + k] == 1;
            const double share = (double)both / (double)(f->n_pos[j] + f->n_pos[o] - both);
            const bool many = f->n_pos[j] >= NEP_LEAKS_MIN_POS && f->n_pos[o] >= NEP_LEAKS_MIN_POS && share >= NEP_LEAKS_TWIN;
            const bool named = strcasecmp(f->in->disorder_names[j], f->in->disorder_names[o]) == 0;
            if (many || named)
                NEP_TRY(add(ctx, l, (nep_leak){NEP_LEAK_TWIN, NULL, j, o, share, NULL},
                            "%s (%s) and %s (%s) look like one disorder%s: they share %lld of %lld recorded treatments, so that channels which "
                            "read other disorders reach the labels that zero_shot hides; keep one of the two",
                            f->in->disorder_names[j], f->in->disorder_ids[j], f->in->disorder_names[o], f->in->disorder_ids[o],
                            named ? " by their name" : "", (long long)both, (long long)(f->n_pos[j] + f->n_pos[o] - both)));
        }
    return NEP_OK;
}

static nep_status auroc_of(nep_ctx *ctx, finder *f, int64_t j, int c, double *out)
{
    double m[NEP_METRICS_COUNT];
    int64_t there = 0;
    for (int64_t k = 0; k < f->n; k++) {
        f->score[k] = f->r->disorders[j].value[k * f->r->n_channels + c];
        there += !isnan(f->score[k]);
    }
    *out = NAN;
    if (there == 0)
        return NEP_OK;
    NEP_TRY(nep_metrics_order(ctx, f->score, f->n, f->order, f->tie));
    nep_metrics_compute(f->order, f->tie, f->pos + j * f->n, NULL, f->n, m);
    *out = m[NEP_METRICS_AUROC];
    return NEP_OK;
}

static nep_status find_truths(nep_ctx *ctx, finder *f, nep_leaks *l)
{
    for (int64_t j = 0; j < f->r->n_disorders; j++)
        for (int c = 0; c < f->r->n_channels; c++) {
            const nep_channel *channel = f->r->channels[c];
            double auroc;
            if (channel->role != NEP_ROLE_VOTE || channel->uses_labels || channel->uses_others || f->n_pos[j] < NEP_LEAKS_MIN_POS)
                continue;
            NEP_TRY(auroc_of(ctx, f, j, c, &auroc));
            if (auroc >= NEP_LEAKS_TRUTH)
                NEP_TRY(add(ctx, l, (nep_leak){NEP_LEAK_TRUTH, channel->name, j, -1, auroc, NULL},
                            "channel %s reads no label and yet tells the %lld recorded treatments of %s from all other drugs almost without error "
                            "(AUROC %.3f): look whether its rows were made from the labels; nothing can mask them",
                            channel->name, (long long)f->n_pos[j], f->in->disorder_names[j], auroc));
        }
    return NEP_OK;
}

/* Values a channel has in a disorder: 0 none, 1 one for all, 2 more. */
static int values_of(const finder *f, int64_t j, int c)
{
    double seen = NAN;
    for (int64_t k = 0; k < f->n; k++) {
        const double x = f->r->disorders[j].value[k * f->r->n_channels + c];
        if (!isnan(x) && !isnan(seen) && x != seen)
            return 2;
        seen = isnan(x) ? seen : x;
    }
    return isnan(seen) ? 0 : 1;
}

static nep_status find_mute(nep_ctx *ctx, const finder *f, nep_leaks *l)
{
    for (nep_leak_kind kind = NEP_LEAK_CONSTANT; kind <= NEP_LEAK_SILENT; kind++)
        for (int c = 0; c < f->r->n_channels; c++) {
            int most = 0;
            for (int64_t j = 0; j < f->r->n_disorders; j++) {
                const int here = values_of(f, j, c);
                most = here > most ? here : most;
            }
            if (f->r->channels[c]->role != NEP_ROLE_VOTE || most != (kind == NEP_LEAK_CONSTANT))
                continue;
            NEP_TRY(add(ctx, l, (nep_leak){kind, f->r->channels[c]->name, -1, -1, NAN, NULL}, "channel %s %s; it tells no drug from another",
                        f->r->channels[c]->name,
                        most ? "is constant: in every disorder it has one value for all drugs that it speaks of" : "is silent on every drug of every disorder"));
        }
    return NEP_OK;
}

nep_status nep_leaks_find(nep_ctx *ctx, const nep_ranking *r, nep_leaks *out)
{
    const nep_inputs *in = r->inputs;
    finder f = {.r = r, .in = in, .n = in->n_drugs, .d = in->n_disorders};
    nep_status st;

    *out = (nep_leaks){0};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.d * f.n, 1, "leaks: labels", &f.pos));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.d, sizeof *f.n_pos, "leaks: counts", &f.n_pos));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.n, sizeof *f.score, "leaks: scores", &f.score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.n, sizeof *f.order, "leaks: order", &f.order));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, f.n, sizeof *f.tie, "leaks: ties", &f.tie));
    for (int64_t j = 0; j < f.d; j++) {
        rank_sample_positives(in, j, f.pos + j * f.n);
        for (int64_t k = 0; k < f.n; k++)
            f.n_pos[j] += f.pos[j * f.n + k] == 1;
    }
    NEP_TRY_OR_DONE(st, find_unlabelled(ctx, &f, out));
    NEP_TRY_OR_DONE(st, find_twins(ctx, &f, out));
    NEP_TRY_OR_DONE(st, find_truths(ctx, &f, out));
    st = find_mute(ctx, &f, out);
done:
    nep_alloc_free(f.tie);
    nep_alloc_free(f.order);
    nep_alloc_free(f.score);
    nep_alloc_free(f.n_pos);
    nep_alloc_free(f.pos);
    if (st != NEP_OK)
        nep_leaks_free(out);
    return st;
}

void nep_leaks_free(nep_leaks *l)
{
    for (int64_t i = 0; i < l->n; i++)
        nep_alloc_free(l->list[i].text);
    nep_alloc_free(l->list);
    *l = (nep_leaks){0};
}
