/* SPDX-License-Identifier: Apache-2.0 */
/* kinship.c - similarity of disorders by genes, symptoms, literature and anatomy, weighed by how far each tells of shared treatments. */
#include "kinship.h"

#include <math.h>
#include <string.h>

enum { MIN_LABELS = 3, LEAST_PAIRS = 10, MOST_SWEEPS = 2000 };
static const double count_power = -0.25;

/* Cosine over the far ends of a metaedge, weighted by idf, or by the edges' own weights. */
static nep_status cosine(nep_ctx *ctx, const nep_inputs *in, const char *edges, bool own_weights, double *out)
{
    const int64_t d = in->n_disorders, at = nep_network_find_metaedge(in->network, edges);
    const nep_network_metaedge *e = &in->network->metaedge[at];
    const int64_t items = in->network->kind[e->to].n;
    double *dense = NULL, *have = NULL, *norm = NULL;
    int64_t filled = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, items, sizeof *dense, "kinship: items", &dense));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, items, sizeof *have, "kinship: items", &have));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d, sizeof *norm, "kinship: lengths", &norm));
    const nep_network_side *s = &e->out;
    const int64_t nodes = in->network->kind[e->from].n;
    for (int64_t i = 0; i < nodes; i++) {
        filled += s->start[i + 1] > s->start[i];
        for (int64_t m = s->start[i]; m < s->start[i + 1]; m++)
            have[s->node[m]]++;
    }
    for (int64_t i = 0; i < items; i++)
        have[i] = have[i] > 0 ? log((double)(filled + 1) / have[i]) : 0;
    for (int64_t a = 0; a < d; a++) {
        const int64_t p = in->disorder_node[a];
        double most = 0;
        if (p < 0)
            continue;
        memset(dense, 0, (size_t)items * sizeof *dense);
        for (int64_t m = s->start[p]; m < s->start[p + 1]; m++) {
            dense[s->node[m]] = own_weights && e->weight ? e->weight[s->edge[m]] : have[s->node[m]];
            if (dense[s->node[m]] > most)
                most = dense[s->node[m]];
        }
        if (own_weights && e->from == e->to) /* a disorder keeps company with itself at least as often as with any other */
            dense[p] = most;
        for (int64_t b = 0; b < d; b++) {
            const int64_t q = in->disorder_node[b];
            double sum = 0;
            for (int64_t m = q < 0 ? 0 : s->start[q]; q >= 0 && m < s->start[q + 1]; m++)
                sum += dense[s->node[m]] * (own_weights && e->weight ? e->weight[s->edge[m]] : have[s->node[m]]);
            if (own_weights && e->from == e->to && q >= 0) {
                double other = 0;
                for (int64_t m = s->start[q]; m < s->start[q + 1]; m++)
                    if (e->weight && e->weight[s->edge[m]] > other)
                        other = e->weight[s->edge[m]];
                sum += dense[q] * other;
            }
            out[a * d + b] = sum;
        }
        norm[a] = sqrt(out[a * d + a]);
    }
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < d; b++)
            out[a * d + b] = a == b || !(norm[a] > 0) || !(norm[b] > 0) ? 0 : out[a * d + b] / (norm[a] * norm[b]);
done:
    nep_alloc_free(norm);
    nep_alloc_free(have);
    nep_alloc_free(dense);
    return st;
}

/* The edges themselves: their weight over 5, or 1. */
static void direct(const nep_inputs *in, const char *edges, double *out)
{
    const int64_t d = in->n_disorders, at = nep_network_find_metaedge(in->network, edges);
    const nep_network_metaedge *e = &in->network->metaedge[at];
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < d; b++) {
            const int64_t p = in->disorder_node[a], q = in->disorder_node[b];
            int64_t edge = a == b || p < 0 || q < 0 ? -1 : nep_network_find_edge(in->network, at, p, q);
            if (edge < 0 && a != b && p >= 0 && q >= 0)
                edge = nep_network_find_edge(in->network, at, q, p);
            out[a * d + b] = edge < 0 ? 0 : e->weight ? e->weight[edge] / 5 : 1;
        }
}

nep_status evidence_kinship_make(nep_ctx *ctx, nep_inputs *in)
{
    static const char *const edges[NEP_KINSHIP_COUNT] = {"DaG", "DpS", "DmD", "DmD", "DrD", "DlA"};
    struct nep_kinship *k = NULL;
    bool any = false;
    nep_status st = NEP_OK;

    if (!in->network || !in->disorder_node)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *k, "kinship", &k));
    k->d = in->n_disorders;
    for (int i = 0; i < NEP_KINSHIP_COUNT; i++) {
        const int64_t at = nep_network_find_metaedge(in->network, edges[i]);
        if (at < 0 || in->network->metaedge[at].n == 0)
            continue;
        any = true;
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->d * k->d, sizeof(double), "kinship: similarities", &k->similarity[i]));
        if (i == NEP_KINSHIP_COMPANY || i == NEP_KINSHIP_RESEMBLANCE)
            direct(in, edges[i], k->similarity[i]);
        else
            NEP_TRY_OR_DONE(st, cosine(ctx, in, edges[i], i == NEP_KINSHIP_LITERATURE, k->similarity[i]));
    }
    if (any) {
        in->kinship = k;
        k = NULL; /* ownership moved to the inputs */
    }
done:
    evidence_kinship_free(k);
    return st;
}

void evidence_kinship_free(struct nep_kinship *k)
{
    for (int i = 0; k && i < NEP_KINSHIP_COUNT; i++)
        nep_alloc_free(k->similarity[i]);
    nep_alloc_free(k);
}

/* Non-negative least squares of a few features by cyclic coordinate descent on the normal equations; column 0 is the level. */
static void least_squares(int p, const double *gram, const double *cross, double *b)
{
    for (int i = 0; i < p; i++)
        b[i] = 0;
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        double moved = 0;
        for (int i = 0; i < p; i++) {
            double g = cross[i];
            if (!(gram[i * p + i] > 0))
                continue;
            for (int j = 0; j < p; j++)
                g -= gram[i * p + j] * b[j];
            const double next = fmax(0, b[i] + g / gram[i * p + i]);
            moved = fmax(moved, fabs(next - b[i]));
            b[i] = next;
        }
        if (moved < 1e-12)
            break;
    }
}

/* Visible treatments as bits: bits [d, words], count [d]. */
static void gather(const nep_inputs *in, const nep_visible *v, int64_t words, uint64_t *bits, double *count)
{
    const int64_t n = in->n_drugs;
    memset(bits, 0, (size_t)(in->n_disorders * words) * sizeof *bits);
    for (int64_t j = 0; j < in->n_disorders; j++) {
        count[j] = 0;
        for (int64_t k = 0; k < n; k++)
            if (nep_label_indicated(v->others[j * n + k])) {
                bits[j * words + k / 64] |= UINT64_C(1) << (k % 64);
                count[j]++;
            }
    }
}

static double shared(const uint64_t *a, const uint64_t *b, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(a[w] & b[w]);
    return (double)n;
}

nep_status evidence_kinship_weights(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, double power, double *out, double *count)
{
    enum { P = NEP_KINSHIP_COUNT + 1 };
    const struct nep_kinship *k = in->kinship;
    const int64_t d = in->n_disorders, words = (in->n_drugs + 63) / 64;
    double gram[P * P] = {0}, cross[P] = {0}, b[P];
    uint64_t *bits = NULL;
    int64_t pairs = 0;

    NEP_TRY(nep_alloc(ctx, d * words, sizeof *bits, "kinship: treatments", &bits));
    gather(in, visible, words, bits, count);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = i + 1; j < d; j++) {
            double x[P] = {1};
            if (count[i] < MIN_LABELS || count[j] < MIN_LABELS || i == visible->disorder || j == visible->disorder ||
                in->disorder_node[i] < 0 || in->disorder_node[j] < 0)
                continue;
            const double y = shared(bits + i * words, bits + j * words, words) / sqrt(count[i] * count[j]);
            for (int s = 0; s < NEP_KINSHIP_COUNT; s++)
                x[1 + s] = k->similarity[s] ? k->similarity[s][i * d + j] : 0;
            for (int a = 0; a < P; a++) {
                cross[a] += x[a] * y;
                for (int c = 0; c < P; c++)
                    gram[a * P + c] += x[a] * x[c];
            }
            pairs++;
        }
    nep_alloc_free(bits);
    if (pairs >= LEAST_PAIRS)
        least_squares(P, gram, cross, b);
    else /* too few to learn from: genes and symptoms alike */
        for (int a = 0; a < P; a++)
            b[a] = a == 1 + NEP_KINSHIP_GENES || a == 1 + NEP_KINSHIP_SYMPTOMS ? 0.5 : 0;
    for (int64_t l = 0; l < d; l++) {
        double s = 0;
        for (int i = 0; i < NEP_KINSHIP_COUNT; i++)
            s += k->similarity[i] ? b[1 + i] * k->similarity[i][visible->disorder * d + l] : 0;
        out[l] = l == visible->disorder || count[l] == 0 ? 0 : pow(s, power) * pow(count[l], count_power);
    }
    return NEP_OK;
}
