/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.c - which labels are hidden while a drug is scored, and the scores that follow. */
#define _GNU_SOURCE 1 /* qsort_r */
#include <nepenthe/rank.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *definition;
} protocols[NEP_PROTOCOL_COUNT] = {
    [NEP_PROTOCOL_MASKED] = {"masked", "while a drug is scored its labels of the disorder are hidden, and those of drugs with Dice >= "
                                       "0.5, the same first InChIKey block, the same ATC-4 class, or joined to it in the network as resembling "
                                       "(CrC); with the hierarchical model their labels of every disorder"},
    [NEP_PROTOCOL_ZERO_SHOT] = {"zero_shot", "no label of the disorder is visible; those of other disorders are"},
    [NEP_PROTOCOL_NEW_DRUG] = {"new_drug", "while a drug is scored its own label of the disorder is hidden, with the hierarchical model of every "
                                           "disorder; other drugs' are visible"},
    [NEP_PROTOCOL_APPROVED_VS_FAILED] = {"approved_vs_failed", "recorded treatments, symptomatic ones among them, against drugs that failed or are "
                                                               "contraindicated in the same disorder; scores are masked, or with the hierarchical "
                                                               "model those of a known drug, of which only its label of the disorder is hidden"},
};

const char *nep_protocol_name(nep_protocol p)
{
    return (int)p >= 0 && p < NEP_PROTOCOL_COUNT ? protocols[p].name : "unknown";
}

const char *nep_protocol_definition(nep_protocol p)
{
    return (int)p >= 0 && p < NEP_PROTOCOL_COUNT ? protocols[p].definition : "";
}

bool nep_protocol_find(const char *name, nep_protocol *out)
{
    for (int i = 0; name && i < NEP_PROTOCOL_COUNT; i++)
        if (strcmp(name, protocols[i].name) == 0) {
            *out = (nep_protocol)i;
            return true;
        }
    return false;
}

bool nep_protocol_hides(const nep_inputs *in, nep_protocol p, int64_t k, int64_t i)
{
    if (p == NEP_PROTOCOL_ZERO_SHOT || i == k)
        return true;
    if (p == NEP_PROTOCOL_NEW_DRUG)
        return false;
    return nep_mask_alike(in, k, i);
}

/* One disorder's drugs sorted into sets that see the same labels. */
typedef struct {
    int64_t n, n_labelled, words;
    int64_t *labelled;  /* [n_labelled] */
    uint64_t *hidden;   /* [n, words] bit l: labelled[l] is hidden while the drug is scored */
    int64_t *order;     /* [n] drugs, those of one set together */
} grouping;

static int compare_hidden(const void *a, const void *b, void *user)
{
    const grouping *g = user;
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    const int c = memcmp(g->hidden + x * g->words, g->hidden + y * g->words, (size_t)g->words * sizeof *g->hidden);
    return c ? c : x < y ? -1 : x > y;
}

static void free_grouping(grouping *g)
{
    nep_alloc_free(g->labelled);
    nep_alloc_free(g->hidden);
    nep_alloc_free(g->order);
}

static nep_status make_grouping(nep_ctx *ctx, const nep_inputs *in, nep_protocol p, int64_t disorder, grouping *g)
{
    const nep_label *labels = in->labels + disorder * in->n_drugs;
    *g = (grouping){.n = in->n_drugs};
    NEP_TRY(nep_alloc(ctx, g->n, sizeof *g->labelled, "protocol: labelled drugs", &g->labelled));
    for (int64_t i = 0; i < g->n; i++)
        if (labels[i] != NEP_LABEL_NONE)
            g->labelled[g->n_labelled++] = i;
    g->words = g->n_labelled / 64 + 1;
    NEP_TRY(nep_alloc(ctx, g->n * g->words, sizeof *g->hidden, "protocol: hidden labels", &g->hidden));
    NEP_TRY(nep_alloc(ctx, g->n, sizeof *g->order, "protocol: sets", &g->order));
    for (int64_t k = 0; k < g->n; k++) {
        g->order[k] = k;
        for (int64_t l = 0; l < g->n_labelled; l++)
            if (nep_protocol_hides(in, p, k, g->labelled[l]))
                g->hidden[k * g->words + l / 64] |= UINT64_C(1) << (l % 64);
    }
    qsort_r(g->order, (size_t)g->n, sizeof *g->order, compare_hidden, g);
    return NEP_OK;
}

typedef struct {
    const nep_inputs *in;
    const nep_channel *const *channels;
    int n_channels, n_votes;
    int64_t disorder;
    nep_label *own, *others; /* [n_drugs], [n_disorders, n_drugs] */
    double *value, *z, *votes, *score, *se; /* [n, c], [n, c], [n, v], [n], [n] of the set at hand */
    double *r;               /* [v, v] */
    const int64_t *only;     /* [n_only] those scored now, NULL = all */
    int64_t n_only;
} workspace;

/* Scores every channel for all drugs under the labels now visible. */
static nep_status score_set(nep_ctx *ctx, workspace *w, bool fixed_only)
{
    const int64_t n = w->in->n_drugs;
    const int c = w->n_channels;
    const nep_visible visible = {.disorder = w->disorder, .own = w->own, .others = w->others, .only = w->only, .n_only = w->n_only};
    double *column = w->score, *z = w->se;

    for (int i = 0; i < c; i++) {
        if (w->channels[i]->uses_labels == fixed_only)
            continue;
        NEP_TRY(nep_channel_score(ctx, w->channels[i], w->in, &visible, 0, column, z));
        for (int64_t k = 0; k < n; k++)
            w->value[k * c + i] = column[k];
        NEP_TRY(nep_fuse_normal_scores(ctx, column, n, z));
        for (int64_t k = 0; k < n; k++)
            w->z[k * c + i] = z[k];
    }
    return NEP_OK;
}

static void fuse_set(workspace *w)
{
    const int64_t n = w->in->n_drugs;
    const int v = w->n_votes;
    for (int64_t k = 0; k < n; k++)
        for (int i = 0; i < v; i++)
            w->votes[k * v + i] = w->z[k * w->n_channels + i];
    nep_fuse_correlation(w->votes, n, v, w->r);
    nep_fuse_stouffer(w->votes, n, v, w->r, w->score, NULL, NULL);
}

static double scale_of(const workspace *w, int64_t k)
{
    double var = 0;
    for (int a = 0; a < w->n_votes; a++)
        for (int b = 0; b < w->n_votes; b++)
            if (!isnan(w->votes[k * w->n_votes + a]) && !isnan(w->votes[k * w->n_votes + b]))
                var += w->r[a * w->n_votes + b];
    return var > 0 ? sqrt(var) : NAN;
}

static nep_status score_disorder(nep_ctx *ctx, workspace *w, nep_protocol p, nep_protocol_scores *out)
{
    const nep_inputs *in = w->in;
    const int64_t n = in->n_drugs, base = w->disorder * n;
    grouping g = {0};
    nep_status st;

    NEP_TRY_OR_DONE(st, make_grouping(ctx, in, p, w->disorder, &g));
    nep_visible_labels(in, w->disorder, w->own, w->others);
    for (int64_t k = 0; k < n; k++)
        w->own[k] = NEP_LABEL_NONE;
    NEP_TRY_OR_DONE(st, score_set(ctx, w, true));
    for (int64_t i = 0, j; i < n; i = j) {
        const uint64_t *hidden = g.hidden + g.order[i] * g.words;
        for (j = i + 1; j < n && !memcmp(hidden, g.hidden + g.order[j] * g.words, (size_t)g.words * sizeof *hidden);)
            j++;
        for (int64_t l = 0; l < g.n_labelled; l++) {
            const bool gone = hidden[l / 64] >> (l % 64) & 1;
            w->own[g.labelled[l]] = gone ? NEP_LABEL_NONE : in->labels[base + g.labelled[l]];
        }
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, score_set(ctx, w, false));
        fuse_set(w);
        for (int64_t m = i; m < j; m++) {
            const int64_t k = g.order[m], row = (base + k) * w->n_channels;
            memcpy(out->value + row, w->value + k * w->n_channels, (size_t)w->n_channels * sizeof(double));
            memcpy(out->z + row, w->z + k * w->n_channels, (size_t)w->n_channels * sizeof(double));
            out->score[base + k] = w->score[k];
            out->scale[base + k] = scale_of(w, k);
        }
    }
done:
    free_grouping(&g);
    return st;
}

nep_status nep_protocol_score(nep_ctx *ctx, const nep_inputs *in, nep_protocol p, const nep_channel *const *channels,
                              int n_channels, int n_votes, nep_protocol_scores *out)
{
    const int64_t n = in->n_drugs, d = nep_inputs_ranked(in), c = n_channels;
    workspace w = {.in = in, .channels = channels, .n_channels = n_channels, .n_votes = n_votes};
    nep_protocol_scores made = {0};
    nep_status st;

    NEP_REQUIRE(ctx, in->labels, NEP_E_ARG, "protocol %s: the study has no labels", nep_protocol_name(p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n * c, sizeof(double), "protocol: values", &made.value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n * c, sizeof(double), "protocol: normal scores", &made.z));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "protocol: scores", &made.score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d * n, sizeof(double), "protocol: scales", &made.scale));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *w.own, "protocol: labels", &w.own));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * n, sizeof *w.others, "protocol: labels of others", &w.others));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * c, sizeof(double), "protocol: set values", &w.value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * c, sizeof(double), "protocol: set scores", &w.z));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n_votes, sizeof(double), "protocol: votes", &w.votes));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof(double), "protocol: fused", &w.score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof(double), "protocol: errors", &w.se));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)n_votes * n_votes, sizeof(double), "protocol: correlations", &w.r));
    nep_progress_open(ctx, nep_protocol_name(p), d);
    for (w.disorder = 0; w.disorder < d; w.disorder++) {
        nep_progress_step(ctx, w.disorder);
        NEP_TRY_OR_DONE(st, score_disorder(ctx, &w, p, &made));
    }
    nep_progress_close(ctx);
    *out = made;
    made = (nep_protocol_scores){0}; /* ownership moved to the caller */
done:
    nep_protocol_scores_free(&made);
    nep_alloc_free(w.r);
    nep_alloc_free(w.se);
    nep_alloc_free(w.score);
    nep_alloc_free(w.votes);
    nep_alloc_free(w.z);
    nep_alloc_free(w.value);
    nep_alloc_free(w.others);
    nep_alloc_free(w.own);
    return st;
}

void nep_protocol_scores_free(nep_protocol_scores *s)
{
    nep_alloc_free(s->value);
    nep_alloc_free(s->z);
    nep_alloc_free(s->score);
    nep_alloc_free(s->scale);
    *s = (nep_protocol_scores){0};
}
