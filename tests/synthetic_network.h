/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_network - a network beside the synthetic study: drugs of one class share genes, side effects and a class, disorder j has the
 * genes of class j; the rest is chance from a seed. */
#ifndef NEP_TESTS_SYNTHETIC_NETWORK_H
#define NEP_TESTS_SYNTHETIC_NETWORK_H

#include "synthetic_study.h"

enum { SN_GENES = 40, SN_EFFECTS = 30, SN_PATHWAYS = 8 };

static inline bool sn_chance(uint64_t stream, int a, int b, double p)
{
    return nep_philox_uniform(17, stream, (uint64_t)(a * 1000 + b)) < p;
}

static inline void sn_edge(nep_ctx *ctx, nep_network *net, const char *from, const char *to, double weight, int sign)
{
    const nep_network_row row = {.from = from, .to = to, .weight = weight, .sign = sign, .line = 2};
    assert_ok(ctx, nep_network_add_edge(ctx, net, NULL, &row));
}

/* Edges between item a of `from` and item b of `to`, likely where a % 6 == b % 6. */
static inline void sn_metaedge(nep_ctx *ctx, nep_network *net, const char *id, const char *const *from, int n_from, const char *const *to,
                               int n_to, uint64_t stream, bool weighted)
{
    assert_ok(ctx, nep_network_add_metaedge(ctx, net, id, NULL));
    for (int a = 0; a < n_from; a++)
        for (int b = 0; b < n_to; b++)
            if (from[a] != to[b] && sn_chance(stream, a, b, a % S_CLASSES == b % S_CLASSES ? 0.6 : 0.05))
                sn_edge(ctx, net, from[a], to[b], weighted ? 0.5 + (a + b) % 3 : (double)NAN, strcmp(id, "CbG") ? 0 : b % 2 ? 1 : -1);
}

/* Free with nep_network_free. */
static inline void synthetic_wide_network(nep_ctx *ctx, synthetic *s, nep_network *net)
{
    static char text[SN_GENES + SN_EFFECTS + SN_PATHWAYS + S_CLASSES][12];
    const char *genes[SN_GENES], *effects[SN_EFFECTS], *pathways[SN_PATHWAYS], *classes[S_CLASSES];
    int at = 0;
    for (int i = 0; i < SN_GENES; i++, at++) {
        snprintf(text[at], sizeof text[at], "G%02d", i);
        genes[i] = text[at];
    }
    for (int i = 0; i < SN_EFFECTS; i++, at++) {
        snprintf(text[at], sizeof text[at], "E%02d", i);
        effects[i] = text[at];
    }
    for (int i = 0; i < SN_PATHWAYS; i++, at++) {
        snprintf(text[at], sizeof text[at], "P%02d", i);
        pathways[i] = text[at];
    }
    for (int i = 0; i < S_CLASSES; i++, at++) {
        snprintf(text[at], sizeof text[at], "K%02d", i);
        classes[i] = text[at];
    }
    memset(net, 0, sizeof *net);
    const char *const *drugs = (const char *const *)s->ids, *const *disorders = (const char *const *)s->disorders;
    sn_metaedge(ctx, net, "CbG", drugs, S_DRUGS - 2, genes, SN_GENES, 1, false); /* two drugs bind nothing */
    sn_metaedge(ctx, net, "CcSE", drugs, S_DRUGS - 1, effects, SN_EFFECTS, 2, false);
    sn_metaedge(ctx, net, "PCiC", classes, S_CLASSES, drugs, S_DRUGS - 4, 3, false);
    sn_metaedge(ctx, net, "DaG", disorders, S_DISORDERS, genes, SN_GENES, 4, false);
    sn_metaedge(ctx, net, "DgG", disorders, S_DISORDERS - 1, genes, SN_GENES, 5, false);
    sn_metaedge(ctx, net, "DcG", disorders, S_DISORDERS, genes, SN_GENES, 6, false);
    sn_metaedge(ctx, net, "GpPW", genes, SN_GENES, pathways, SN_PATHWAYS, 7, false);
    sn_metaedge(ctx, net, "DmD", disorders, S_DISORDERS - 1, disorders + 1, S_DISORDERS - 1, 9, true);
    assert_ok(ctx, nep_network_add_metaedge(ctx, net, "GiG", NULL));
    for (int a = 0; a < SN_GENES; a++)
        for (int b = a + 1; b < SN_GENES; b++)
            if (sn_chance(8, a, b, 0.05))
                sn_edge(ctx, net, genes[a], genes[b], (double)NAN, 0);
    assert_ok(ctx, nep_network_finish(ctx, net, NULL));
    s->in.network = net;
}

#endif
