/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.c - VOTE: what drugs with like targets, actions, side effects and classes are recorded for. */
#include "smoother.h"

#include <math.h>
#include <stdio.h>

static nep_status score(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, uint64_t stream, double *value, double *se)
{
    const int64_t n = in->n_drugs;
    double *y = NULL, level = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *y, "neighbours: labels", &y));
    for (int64_t i = 0; i < n; i++)
        level += y[i] = nep_visible_indicated(in, visible, i, stream);
    level /= (double)n;
    NEP_TRY_OR_DONE(st, evidence_smoother_apply(ctx, in, visible->mask, y, value));
    for (int64_t k = 0; k < n; k++)
        se[k] = isnan(value[k]) ? NAN : sqrt(level * (1 - level)) * in->smoother->doubt[k];
done:
    nep_alloc_free(y);
    return st;
}

/* Items that two drugs share at the far end of a metaedge; the first one's name in `name`. */
static int shared_items(const nep_inputs *in, const char *edges, bool drug_first, int64_t a, int64_t b, char *name, size_t size)
{
    const int64_t at = nep_network_find_metaedge(in->network, edges), p = in->drug_node[a], q = in->drug_node[b];
    int n = 0;
    if (at < 0 || p < 0 || q < 0)
        return 0;
    const nep_network_metaedge *e = &in->network->metaedge[at];
    const nep_network_side *s = drug_first ? &e->out : &e->in;
    const nep_network_kind *kind = &in->network->kind[drug_first ? e->to : e->from];
    for (int64_t i = s->start[p], j = s->start[q]; i < s->start[p + 1] && j < s->start[q + 1];) {
        if (s->node[i] == s->node[j]) {
            const char *label = kind->label ? kind->label[s->node[i]] : NULL;
            if (n++ == 0)
                evidence_shorten(name, size, size, label ? label : kind->node[s->node[i]]);
            i++;
            j++;
        } else if (s->node[i] < s->node[j]) {
            i++;
        } else {
            j++;
        }
    }
    return n;
}

static void describe(const nep_inputs *in, int64_t drug, int64_t other, nep_reason *out)
{
    char gene[48] = "", effect[48] = "", class[48] = "";
    const int genes = shared_items(in, "CbG", true, drug, other, gene, sizeof gene),
              effects = shared_items(in, "CcSE", true, drug, other, effect, sizeof effect),
              classes = shared_items(in, "PCiC", false, drug, other, class, sizeof class);
    evidence_shorten(out->label, sizeof out->label, 90, in->drugs->names ? in->drugs->names[other] : in->drugs->id[other]);
    snprintf(out->detail, sizeof out->detail, "recorded treatment; shares %d target%s%s%s, %d side effect%s%s%s, %d class%s%s%s", genes,
             genes == 1 ? "" : "s", genes ? " such as " : "", gene, effects, effects == 1 ? "" : "s", effects ? " such as " : "", effect, classes,
             classes == 1 ? "" : "es", classes ? " such as " : "", class);
}

static nep_status explain(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n)
{
    const double *row = evidence_smoother_rows(in, visible->mask) + drug * in->n_drugs;
    int64_t *list = NULL;
    bool *used = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *list, "neighbours: treatments", &list));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs, sizeof *used, "neighbours: treatments", &used));
    const int64_t m = nep_visible_list(in, visible, 0, list);
    for (*n = 0; *n < limit && in->smoother->known[drug]; (*n)++) {
        int64_t best = -1;
        for (int64_t i = 0; i < m; i++)
            if (!used[i] && row[list[i]] != 0 && (best < 0 || fabs(row[list[i]]) > fabs(row[list[best]])))
                best = i;
        if (best < 0)
            break;
        used[best] = true;
        describe(in, drug, list[best], &out[*n]);
        out[*n].share = row[list[best]];
        out[*n].record = 1 + visible->disorder * in->n_drugs + list[best];
    }
done:
    nep_alloc_free(used);
    nep_alloc_free(list);
    return st;
}

const nep_channel nep_neighbours_channel = {
    .name = "neighbours",
    .summary = "recorded treatments among drugs with like targets, actions, side effects and pharmacologic classes: kernel ridge regression, fitted "
               "without the labels that are hidden",
    .source = "Saunders, Gammerman & Vovk (1998) ICML 15:515; similarity by side effects: Campillos et al. (2008) Science 321:263, "
              "doi:10.1126/science.1158140; by targets and classes: Gottlieb et al. (2011) Mol Syst Biol 7:496, doi:10.1038/msb.2011.26",
    .orientation = "larger: more of the drugs like it treat the disorder",
    .licence = "that of the network's edges and of the label table of the study",
    .role = NEP_ROLE_VOTE,
    .needs = NEP_NEEDS_NETWORK | NEP_NEEDS_LABELS,
    .edges = "CbG",
    .uses_labels = true,
    .masks = true,
    .score = score,
    .explain = explain,
};
