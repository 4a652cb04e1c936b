/* SPDX-License-Identifier: Apache-2.0 */
/* direction.c - GATE: does the drug move the disorder's targets the way its treatments do, or the opposite way?
 *
 * With a_dg the sign of the drug's action on gene g (0 = not known), abar_g the mean of a over the visible treatments with two more of no
 * action, or the tabled direction where there is one, and idf_g = ln((N + 1) / drugs that have a sign at g) / ln(N + 1):
 *   P, N = sum over g of idf_g (a_dg abar_g)+ and (a_dg abar_g)-;   value = (P - N) / (P + N + m / 4),
 * m the mean over the drugs with any sign of sum idf_g |a abar_g|, under the labels that this drug may see. A drug that is known to make the disorder worse has -1. */
#include <nepenthe/direction.h>

#include "tables_make.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What one call works with. */
typedef struct {
    const nep_inputs *in;
    const nep_visible *v;
    const nep_network_metaedge *binds;
    double *idf;       /* [genes] */
    int64_t *have;     /* [genes] drugs with a sign */
    int64_t n_signed;  /* drugs with a sign anywhere */
    int64_t *met, n_met; /* genes where any drug has a sign */
    double *sum;       /* [genes] of the actions of all visible treatments */
    int *desired;      /* [genes] tabled, 0 = not */
    bool *treats;      /* [n_drugs] */
    double n_treating;
} bench;

/* What of one drug's actions agrees (P) and what opposes (N), and the mean m. */
typedef struct {
    double agree, oppose, mean;
} balance;

void nep_direction_free(nep_direction *d)
{
    for (int64_t i = 0; i < d->n_goals; i++) {
        nep_alloc_free(d->goals[i].source);
        nep_alloc_free(d->goals[i].note);
    }
    for (int64_t i = 0; i < d->n_warnings; i++) {
        nep_alloc_free(d->warnings[i].source);
        nep_alloc_free(d->warnings[i].note);
    }
    nep_alloc_free(d->goals);
    nep_alloc_free(d->warnings);
    *d = (nep_direction){0};
}

const nep_direction_warning *nep_direction_warns(const nep_inputs *in, int64_t disorder, int64_t drug)
{
    const nep_direction *d = in->known_direction;
    for (int64_t i = 0; d && i < d->n_warnings; i++)
        if (d->warnings[i].disorder == disorder && d->warnings[i].drug == drug)
            return &d->warnings[i];
    return NULL;
}

double nep_direction_penalty(double value)
{
    return value < 0 ? -NEP_DIRECTION_PENALTY * value : 0;
}

/* Edges of a drug: first and behind the last in binds->out. */
static int64_t first_edge(const bench *b, int64_t drug)
{
    const int64_t node = b->in->drug_node[drug];
    return node < 0 ? 0 : b->binds->out.start[node];
}

static int64_t edges_end(const bench *b, int64_t drug)
{
    const int64_t node = b->in->drug_node[drug];
    return node < 0 ? 0 : b->binds->out.start[node + 1];
}

static int action(const bench *b, int64_t i)
{
    return b->binds->sign[b->binds->out.edge[i]];
}

static bool signed_anywhere(const bench *b, int64_t drug)
{
    for (int64_t i = first_edge(b, drug); i < edges_end(b, drug) && b->binds->sign; i++)
        if (action(b, i))
            return true;
    return false;
}

static void close_bench(bench *b)
{
    nep_alloc_free(b->idf);
    nep_alloc_free(b->sum);
    nep_alloc_free(b->desired);
    nep_alloc_free(b->treats);
    nep_alloc_free(b->have);
    nep_alloc_free(b->met);
}

static nep_status open_bench(nep_ctx *ctx, const nep_inputs *in, const nep_visible *v, uint64_t stream, bench *b)
{
    const nep_direction *known = in->known_direction;
    b->in = in;
    b->v = v;
    b->binds = &in->network->metaedge[nep_network_find_metaedge(in->network, "CbG")];
    const int64_t genes = in->network->kind[b->binds->to].n;
    NEP_TRY(nep_alloc(ctx, genes, sizeof *b->idf, "direction: genes", &b->idf));
    NEP_TRY(nep_alloc(ctx, genes, sizeof *b->sum, "direction: genes", &b->sum));
    NEP_TRY(nep_alloc(ctx, genes, sizeof *b->desired, "direction: genes", &b->desired));
    NEP_TRY(nep_alloc(ctx, in->n_drugs, sizeof *b->treats, "direction: drugs", &b->treats));
    NEP_TRY(nep_alloc(ctx, genes, sizeof *b->have, "direction: genes", &b->have));
    NEP_TRY(nep_alloc(ctx, genes, sizeof *b->met, "direction: genes", &b->met));
    for (int64_t k = 0; k < in->n_drugs && b->binds->sign; k++) {
        b->treats[k] = nep_visible_indicated(in, v, k, stream);
        b->n_treating += b->treats[k];
        b->n_signed += signed_anywhere(b, k);
        for (int64_t i = first_edge(b, k); i < edges_end(b, k); i++) {
            b->have[b->binds->out.node[i]] += action(b, i) != 0;
            b->sum[b->binds->out.node[i]] += b->treats[k] ? action(b, i) : 0;
        }
    }
    const double all = log((double)(in->n_drugs + 1));
    for (int64_t g = 0; g < genes; g++)
        if (b->have[g]) {
            b->idf[g] = (all - log((double)b->have[g])) / all;
            b->met[b->n_met++] = g;
        }
    for (int64_t i = 0; known && i < known->n_goals; i++)
        if (known->goals[i].disorder == v->disorder)
            b->desired[known->goals[i].gene] = known->goals[i].desired;
    return NEP_OK;
}

/* Takes what drug `other` does out of the sums (sign -1) or puts it back (+1). */
static double move(bench *b, int64_t other, double sign)
{
    if (!b->treats[other])
        return 0;
    for (int64_t i = first_edge(b, other); i < edges_end(b, other); i++)
        b->sum[b->binds->out.node[i]] += sign * action(b, i);
    return sign;
}

/* Drugs whose labels the mask hides from `drug`, the drug itself always among them. */
static double move_hidden(bench *b, int64_t drug, double sign)
{
    const nep_mask *m = b->v->mask;
    double moved = 0;
    if (!m)
        return move(b, drug, sign);
    for (int64_t i = m->start[drug]; i < m->start[drug + 1]; i++)
        moved += move(b, m->list[i], sign);
    return moved;
}

static double wanted(const bench *b, int64_t gene, double n_treating)
{
    return b->desired[gene] ? b->desired[gene] : b->sum[gene] / (n_treating + NEP_DIRECTION_PRIOR);
}

/* idf_g a abar_g of edge i. */
static double part(const bench *b, int64_t i, double n_treating)
{
    const int64_t g = b->binds->out.node[i];
    return b->idf[g] * action(b, i) * wanted(b, g, n_treating);
}

/* Of one drug, while what the mask hides from it is out of the sums. */
static balance weigh(const bench *b, int64_t drug, double n_treating)
{
    balance x = {0};
    for (int64_t i = first_edge(b, drug); i < edges_end(b, drug); i++) {
        const double p = part(b, i, n_treating);
        x.agree += p > 0 ? p : 0;
        x.oppose -= p < 0 ? p : 0;
    }
    for (int64_t i = 0; i < b->n_met; i++)
        x.mean += b->idf[b->met[i]] * (double)b->have[b->met[i]] * fabs(wanted(b, b->met[i], n_treating));
    x.mean /= (double)b->n_signed;
    return x;
}

static double divisor(const balance *x)
{
    return x->agree + x->oppose + NEP_DIRECTION_FLOOR * x->mean;
}

static double value_of(bench *b, int64_t drug)
{
    if (!b->binds->sign || !signed_anywhere(b, drug))
        return NAN;
    const double left = b->n_treating + move_hidden(b, drug, -1);
    const balance x = weigh(b, drug, left);
    move_hidden(b, drug, 1);
    return x.mean > 0 ? (x.agree - x.oppose) / divisor(&x) : NAN;
}

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    bench b = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, open_bench(ctx, in, visible, stream, &b));
    for (int64_t k = 0; k < in->n_drugs; k++) {
        value[k] = nep_direction_warns(in, visible->disorder, k) ? -1 : value_of(&b, k);
        se[k] = NAN;
    }
done:
    close_bench(&b);
    return st;
}

static const nep_direction_goal *goal_of(const bench *b, int64_t gene)
{
    const nep_direction *known = b->in->known_direction;
    for (int64_t i = 0; known && i < known->n_goals; i++)
        if (known->goals[i].disorder == b->v->disorder && known->goals[i].gene == gene)
            return &known->goals[i];
    return NULL;
}

static void tell(const bench *b, int64_t i, double share, double left, nep_reason *out)
{
    const int64_t g = b->binds->out.node[i];
    const nep_network_kind *genes = &b->in->network->kind[b->binds->to];
    const nep_direction_goal *goal = goal_of(b, g);
    const char *does = action(b, i) > 0 ? "raises" : "lowers";
    *out = (nep_reason){.share = share};
    snprintf(out->label, sizeof out->label, "%.90s", genes->label[g] ? genes->label[g] : genes->node[g]);
    if (goal)
        snprintf(out->detail, sizeof out->detail, "the drug %s it; wanted: %s (prior knowledge: %.120s)", does, goal->desired > 0 ? "raised" : "lowered",
                 goal->source);
    else
        snprintf(out->detail, sizeof out->detail, "the drug %s it; recorded treatments: mean action %+.2f over %.0f", does,
                 b->sum[g] / (left + NEP_DIRECTION_PRIOR), left);
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const nep_direction_warning *warning = nep_direction_warns(in, visible->disorder, drug);
    bench b = {0};
    nep_status st = NEP_OK;
    if (limit < 1)
        return NEP_OK;
    if (warning) {
        out[0] = (nep_reason){.share = -1};
        snprintf(out[0].label, sizeof out[0].label, "known to make it worse");
        snprintf(out[0].detail, sizeof out[0].detail, "%s%s%.90s", warning->note ? warning->note : "", warning->note ? ": " : "", warning->source);
        *n = 1;
        return NEP_OK;
    }
    NEP_TRY_OR_DONE(st, open_bench(ctx, in, visible, 0, &b));
    if (!b.binds->sign || !signed_anywhere(&b, drug))
        goto done;
    const double left = b.n_treating + move_hidden(&b, drug, -1);
    const balance x = weigh(&b, drug, left);
    for (int64_t i = first_edge(&b, drug); i < edges_end(&b, drug) && x.mean > 0; i++) {
        const double share = part(&b, i, left) / divisor(&x);
        nep_reason r;
        if (share == 0)
            continue;
        tell(&b, i, share, left, &r);
        nep_tables_keep_reason(&r, limit, out, n);
    }
done:
    close_bench(&b);
    return st;
}

const nep_channel nep_direction_channel = {
    .name = "direction",
    .summary = "net agreement, -1 to 1, of the drug's signed actions on its targets with what the disorder's visible treatments do to them and with "
               "tabled desired directions (prior knowledge, a source per row); -1 for a drug that is known to make the disorder worse. Below 0 a "
               "ranking lowers the logit by 2.3 times as much",
    .source = "weights by inverse drug frequency and the penalty: chosen on disorders outside the nervous system; tables data/desired_direction.tsv and "
              "data/worsening.tsv, a doi per row",
    .orientation = "below 0 the drug moves the disorder's targets the opposite way",
    .licence = "that of the network's edges and of the label table; the tables are CC0",
    .role = NEP_ROLE_GATE,
    .needs = NEP_NEEDS_NETWORK | NEP_NEEDS_LABELS,
    .uses_labels = true,
    .masks = true,
    .edges = "CbG",
    .score = score,
    .explain = explain,
};
