/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation_controls.c - negative controls: the whole pipeline where there is nothing to find, and drugs that should not rise. */
#include "rank/evaluation.h"

#include <nepenthe/graph.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *definition;
} kinds[NEP_CONTROL_COUNT] = {
    [NEP_CONTROL_LABELS] = {"labels", "the recorded treatments of all disorders permuted by swaps, so that each drug and each disorder keeps how many it has: "
                                      "every disorder becomes a decoy; channels and model anew"},
    [NEP_CONTROL_NETWORK] = {"network", "every metaedge of the network permuted by swaps, so that each node keeps its degree (which structures resemble each "
                                        "other stays, since that decides what is hidden); labels as they are, channels and model anew"},
    [NEP_CONTROL_DECOYS] = {"decoy_drugs", "antibacterials (ATC J01) that are not recorded for the disorder, against all other drugs that are not"},
};

const char *nep_controls_name(nep_control_kind kind)
{
    return (int)kind >= 0 && kind < NEP_CONTROL_COUNT ? kinds[kind].name : "unknown";
}

const char *nep_controls_definition(nep_control_kind kind)
{
    return (int)kind >= 0 && kind < NEP_CONTROL_COUNT ? kinds[kind].definition : "";
}

/* ---- permuted labels ---- */
/* Treatments as the edges of a network, the status as their weight; ids are numbers of one width, so that nodes keep their order. */
static nep_status treatments(nep_ctx *ctx, const nep_inputs *in, nep_network *net)
{
    NEP_TRY(nep_network_add_metaedge(ctx, net, "CtD", NULL));
    for (int64_t at = 0; at < in->n_disorders * in->n_drugs; at++) {
        char drug[24], disorder[24];
        if (!nep_label_indicated(in->labels[at]))
            continue;
        snprintf(drug, sizeof drug, "%012lld", (long long)(at % in->n_drugs));
        snprintf(disorder, sizeof disorder, "%012lld", (long long)(at / in->n_drugs));
        const nep_network_row row = {.from = drug, .to = disorder, .weight = (double)in->labels[at], .line = at + 1};
        NEP_TRY(nep_network_add_edge(ctx, net, NULL, &row));
    }
    return nep_network_finish(ctx, net, NULL);
}

static nep_status permute_labels(nep_ctx *ctx, const nep_inputs *in, uint64_t number, nep_label *labels)
{
    nep_network net = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, treatments(ctx, in, &net));
    NEP_TRY_OR_DONE(st, nep_xswap_permute(ctx, &net, 0, 10, number, NULL));
    const nep_network_metaedge *m = &net.metaedge[0];
    for (int64_t at = 0; at < in->n_disorders * in->n_drugs; at++)
        labels[at] = NEP_LABEL_NONE;
    for (int64_t i = 0; i < m->n; i++) {
        const int64_t drug = strtoll(net.kind[m->from].node[m->from_node[i]], NULL, 10), disorder = strtoll(net.kind[m->to].node[m->to_node[i]], NULL, 10);
        labels[disorder * in->n_drugs + drug] = (nep_label)m->weight[i];
    }
done:
    nep_network_free(&net);
    return st;
}

/* ---- strata ---- */
static int64_t doublings(int64_t n)
{
    int64_t d = 0;
    for (; n > 0; n /= 2)
        d++;
    return d;
}

static int64_t degree_of(const nep_inputs *in, const char *edges, int64_t drug)
{
    const int64_t at = in->network && in->drug_node ? nep_network_find_metaedge(in->network, edges) : -1;
    return at < 0 || in->drug_node[drug] < 0 ? 0 : nep_network_degree(in->network, at, false, in->drug_node[drug]);
}

/* What a permutation keeps of a drug, as one number: in how many disorders it is recorded at all, and its degrees. */
static void refine_strata(const nep_inputs *in, rank_negatives *set)
{
    for (int64_t j = 0; j < set->n_disorders; j++)
        nep_negatives_strata(in, -1, set->stratum + j * set->n_drugs); /* no disorder is left out of the count */
    for (int64_t at = 0; at < set->n_disorders * set->n_drugs; at++) {
        const int64_t drug = at % set->n_drugs;
        set->stratum[at] = (set->stratum[at] * 64 + doublings(degree_of(in, "CbG", drug))) * 64 + doublings(degree_of(in, "CcSE", drug));
    }
}

/* ---- one control ---- */
static const nep_estimate none = {NAN, NAN, NAN, 0, NAN, NAN};

typedef struct {
    const rank_evaluation *w;
    rank_bootstrap_draws draws; /* [n * n_boot] of all permutations */
    nep_performance *disorders; /* [d] */
    double *score;              /* [d, n] */
} control_work;

/* Scores of these inputs measured against their own labels; draws of permutation i. */
static nep_status measure(nep_ctx *ctx, control_work *c, const nep_inputs *in, const double *score, int64_t i, nep_performance *macro)
{
    static const bool asked[NEP_NEGATIVES_COUNT] = {[NEP_NEGATIVES_ALL] = true, [NEP_NEGATIVES_POPULARITY] = true};
    const int64_t at = i * c->w->boot.n_boot;
    const rank_bootstrap_draws draws = {c->draws.ap + at, c->draws.auroc + at, c->draws.matched + at};
    rank_negatives set = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, rank_negatives_open(ctx, in, asked, &set));
    refine_strata(in, &set);
    rank_negatives_set(in, NEP_PROTOCOL_MASKED, score, &set);
    st = rank_bootstrap_measure(ctx, &c->w->boot, score, &set, c->disorders, macro, &draws);
done:
    rank_negatives_free(&set);
    return st;
}

/* The pipeline over other inputs; no channel is left out, and none of its baselines is asked for. */
static nep_status score_anew(nep_ctx *ctx, const control_work *c, const nep_inputs *in, double *score)
{
    nep_ranking r = *c->w->r;
    rank_evaluation v = *c->w;
    nep_protocol_scores s = {0};
    r.inputs = in;
    if (r.fusion == NEP_FUSION_STOUFFER)
        r.n_channels = v.n_votes; /* the learned model reads nuisances and the gate as well */
    v.in = in;
    v.r = &r;
    v.beside = (rank_learned_beside){0};
    NEP_TRY(rank_evaluation_score(ctx, &v, NEP_PROTOCOL_MASKED, r.n_channels, &s));
    memcpy(score, s.score, (size_t)(c->w->d * c->w->n) * sizeof *score);
    nep_protocol_scores_free(&s);
    return NEP_OK;
}

/* Mean over n permutations and the interval of all their draws together. */
static nep_estimate pool(const nep_estimate *each, int64_t n, double *draws, int64_t n_draws)
{
    nep_estimate out = {0, NAN, NAN, n ? each[0].n : 0, NAN, NAN};
    for (int64_t i = 0; i < n; i++)
        out.value += each[i].value / (double)n;
    const int64_t there = rank_sample_sort(draws, n_draws);
    out.low = rank_sample_quantile(draws, there, 0.05);
    out.high = rank_sample_quantile(draws, there, 0.95);
    return out;
}

static nep_status permuted_scores(nep_ctx *ctx, control_work *c, nep_control_kind kind, uint64_t number, nep_performance *macro)
{
    const nep_inputs *in = c->w->in;
    nep_inputs other = {0};
    nep_label *labels = NULL;
    nep_status st;
    if (kind == NEP_CONTROL_LABELS) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * in->n_drugs, sizeof *labels, "controls: labels", &labels));
        NEP_TRY_OR_DONE(st, permute_labels(ctx, in, number, labels));
        other = *in;
        other.labels = labels;
        other.truth = NULL;
    } else {
        NEP_TRY_OR_DONE(st, nep_inputs_permute(ctx, in, number, &other));
    }
    NEP_TRY_OR_DONE(st, score_anew(ctx, c, &other, c->score));
    st = measure(ctx, c, &other, c->score, (int64_t)number - 1, macro);
done:
    if (kind == NEP_CONTROL_NETWORK)
        nep_inputs_release_permuted(in, &other);
    nep_alloc_free(labels);
    return st;
}

static nep_status permuted(nep_ctx *ctx, control_work *c, nep_control_kind kind, int64_t n, nep_control *out)
{
    const rank_evaluation *w = c->w;
    nep_estimate *each = NULL;
    nep_performance macro;
    nep_status st;

    *out = (nep_control){.kind = kind, .n = n, .own_ap = none, .own_auroc = none, .own_matched = none};
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 3 * n, sizeof *each, "controls: estimates", &each));
    if (w->e->fused.run[NEP_PROTOCOL_MASKED]) {
        NEP_TRY_OR_DONE(st, measure(ctx, c, w->in, w->e->scores[NEP_PROTOCOL_MASKED].score, 0, &macro));
        out->own_ap = macro.ap;
        out->own_auroc = macro.auroc;
        out->own_matched = macro.auroc_vs_popularity;
    }
    nep_progress_open(ctx, kinds[kind].name, n);
    for (int64_t i = 0; i < n; i++) {
        nep_progress_step(ctx, i);
        NEP_TRY_OR_DONE(st, permuted_scores(ctx, c, kind, (uint64_t)i + 1, &macro));
        each[i] = macro.ap;
        each[n + i] = macro.auroc;
        each[2 * n + i] = macro.auroc_vs_popularity;
    }
    nep_progress_close(ctx);
    out->prevalence = macro.prevalence;
    out->ap = pool(each, n, c->draws.ap, n * w->boot.n_boot);
    out->auroc = pool(each + n, n, c->draws.auroc, n * w->boot.n_boot);
    out->matched = pool(each + 2 * n, n, c->draws.matched, n * w->boot.n_boot);
    out->chance = out->matched.low <= 0.5;
done:
    nep_alloc_free(each);
    return st;
}

/* ---- decoys ---- */
static bool is_decoy(const nep_inputs *in, int64_t drug)
{
    const char *atc = in->drugs->atc4 ? in->drugs->atc4[drug] : NULL;
    for (const char *p = atc; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, "J01", 3) == 0)
            return true;
    return false;
}

static int64_t count_decoys(const nep_inputs *in)
{
    int64_t n = 0;
    for (int64_t k = 0; k < in->n_drugs; k++)
        n += is_decoy(in, k);
    return n;
}

static nep_status decoys(nep_ctx *ctx, control_work *c, const double *score, nep_control *out)
{
    static const bool asked[NEP_NEGATIVES_COUNT] = {[NEP_NEGATIVES_ALL] = true};
    const nep_inputs *in = c->w->in;
    rank_negatives set = {0};
    nep_performance macro;
    nep_status st;

    NEP_TRY_OR_DONE(st, rank_negatives_open(ctx, in, asked, &set));
    rank_negatives_set(in, NEP_PROTOCOL_MASKED, score, &set);
    for (int64_t at = 0; at < c->w->d * c->w->n; at++)
        if (set.pos[at] != SAMPLE_LEFT_OUT)
            set.pos[at] = set.pos[at] == 1 ? SAMPLE_LEFT_OUT : is_decoy(in, at % c->w->n);
    NEP_TRY_OR_DONE(st, rank_bootstrap_measure(ctx, &c->w->boot, score, &set, c->disorders, &macro, NULL));
    *out = (nep_control){.kind = NEP_CONTROL_DECOYS, .n = count_decoys(in), .prevalence = macro.prevalence, .ap = macro.ap, .auroc = macro.auroc,
                         .matched = none, .own_ap = none, .own_auroc = none, .own_matched = none, .chance = macro.auroc.low <= 0.5};
done:
    rank_negatives_free(&set);
    return st;
}

/* ---- all ---- */
/* Simulated disorders may have a truth and no label. */
static bool has_treatments(const nep_inputs *in)
{
    for (int64_t at = 0; at < in->n_disorders * in->n_drugs; at++)
        if (nep_label_indicated(in->labels[at]))
            return true;
    return false;
}

static nep_status measure_all(nep_ctx *ctx, control_work *c, int64_t n)
{
    nep_evaluation *e = c->w->e;
    if (n > 0 && has_treatments(c->w->in))
        NEP_TRY(permuted(ctx, c, NEP_CONTROL_LABELS, n, &e->controls[e->n_controls++]));
    if (n > 0 && c->w->in->network)
        NEP_TRY(permuted(ctx, c, NEP_CONTROL_NETWORK, n, &e->controls[e->n_controls++]));
    if (e->fused.run[NEP_PROTOCOL_MASKED] && count_decoys(c->w->in) > 0)
        NEP_TRY(decoys(ctx, c, e->scores[NEP_PROTOCOL_MASKED].score, &e->controls[e->n_controls++]));
    return NEP_OK;
}

static void warn_above_chance(nep_ctx *ctx, const nep_evaluation *e)
{
    for (int i = 0; i < e->n_controls; i++) {
        const nep_control *k = &e->controls[i];
        const nep_estimate *x = k->kind == NEP_CONTROL_DECOYS ? &k->auroc : &k->matched;
        if (!isnan(x->value) && !k->chance)
            nep_warn(ctx, "negative control %s: AUROC %.3f [%.3f, %.3f] lies above chance, so that some of what the ranking reaches is no evidence",
                     kinds[k->kind].name, x->value, x->low, x->high);
    }
}

nep_status rank_controls_measure(nep_ctx *ctx, const rank_evaluation *w, int64_t n)
{
    const int64_t draws = (n > 0 ? n : 1) * w->boot.n_boot;
    control_work c = {.w = w};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NEP_CONTROL_COUNT, sizeof *w->e->controls, "controls", &w->e->controls));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d, sizeof *c.disorders, "controls: performance", &c.disorders));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, w->d * w->n, sizeof *c.score, "controls: scores", &c.score));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, draws, sizeof(double), "controls: draws", &c.draws.ap));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, draws, sizeof(double), "controls: draws", &c.draws.auroc));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, draws, sizeof(double), "controls: draws", &c.draws.matched));
    NEP_TRY_OR_DONE(st, measure_all(ctx, &c, n));
    warn_above_chance(ctx, w->e);
done:
    nep_alloc_free(c.draws.matched);
    nep_alloc_free(c.draws.auroc);
    nep_alloc_free(c.draws.ap);
    nep_alloc_free(c.score);
    nep_alloc_free(c.disorders);
    return st;
}
