/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - the front door of every channel: finds it, checks what it needs, hides the truth, scores. */
#include <nepenthe/evidence.h>
#include <nepenthe/signature.h>
#include <nepenthe/tables.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

const nep_channel *nep_channel_find(const char *name)
{
    for (int i = 0; nep_evidence_table[i]; i++)
        if (strcmp(nep_evidence_table[i]->name, name) == 0)
            return nep_evidence_table[i];
    return NULL;
}

int nep_channel_count(void)
{
    int n = 0;
    while (nep_evidence_table[n])
        n++;
    return n;
}

/* Whether the network has every metaedge of the list. */
static bool has_edges(const nep_network *net, const char *edges)
{
    char word[32];
    for (const char *p = edges; p && *p; p += strspn(p, " ")) {
        const size_t n = strcspn(p, " ");
        if (n >= sizeof word)
            return false;
        memcpy(word, p, n);
        word[n] = '\0';
        p += n;
        const int64_t e = nep_network_find_metaedge(net, word);
        if (e < 0 || net->metaedge[e].n == 0)
            return false;
    }
    return true;
}

/* The channel's evidence table, or NULL: the gate on exposure has one too, beside its descriptors. */
static const nep_tables_one *table_of(const nep_channel *c, const nep_inputs *in)
{
    nep_tables_kind kind = NEP_TABLES_EXPOSURE;
    const bool known = nep_tables_find(c->name, &kind) || strcmp(c->name, "exposure") == 0;
    return known && in->tables ? in->tables->of[kind] : NULL;
}

unsigned nep_channel_missing(const nep_channel *c, const nep_inputs *in)
{
    unsigned have = NEP_NEEDS_LABELS; /* what is visible is always given, even when it is empty */
    if (in->profiles && in->n_mapped > 0)
        have |= NEP_NEEDS_MAP;
    if (in->affinities && in->affinity_start)
        have |= NEP_NEEDS_AFFINITY;
    if (in->similarity)
        have |= NEP_NEEDS_FINGERPRINT;
    if ((in->drugs && in->drugs->n_descriptors > 0) || table_of(c, in))
        have |= NEP_NEEDS_DESCRIPTORS; /* what was measured stands for them */
    if (table_of(c, in) && table_of(c, in)->value)
        have |= NEP_NEEDS_TABLE;
    if (in->network && has_edges(in->network, c->edges))
        have |= NEP_NEEDS_NETWORK;
    if (in->signatures && in->signatures->value[0])
        have |= NEP_NEEDS_SIGNATURES;
    return c->needs & ~have;
}

static nep_status check_needs(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in, const nep_visible *visible)
{
    static const char *const tables[] = {"disorder map or receptor table", "affinity table",
                                         "fingerprint column in the drug table", "descriptor column in the drug table",
                                         "label table", "network", "evidence table of that name", "gene signatures of disorders and drugs"};
    const unsigned missing = nep_channel_missing(c, in);
    NEP_REQUIRE(ctx, !(missing & NEP_NEEDS_NETWORK), NEP_E_ARG, "channel %s: the study has no network with the metaedges %s", c->name,
                c->edges ? c->edges : "");
    for (int i = 0; i < NEP_LEN(tables); i++)
        NEP_REQUIRE(ctx, !(missing & (1u << i)), NEP_E_ARG, "channel %s: the study has no %s", c->name, tables[i]);
    NEP_REQUIRE(ctx, visible && visible->own && visible->others, NEP_E_ARG, "channel %s: no visible labels given",
                c->name);
    NEP_REQUIRE(ctx, visible->disorder >= 0 && visible->disorder < in->n_disorders, NEP_E_ARG,
                "channel %s: disorder %lld of %lld", c->name, (long long)visible->disorder, (long long)in->n_disorders);
    return NEP_OK;
}

bool nep_channel_overlaps(const nep_channel *c, const nep_inputs *in, char source[64])
{
    const nep_tables_one *one = table_of(c, in);
    nep_tables_shared shared;
    if (!one || !in->label_source || !nep_tables_overlap(one, in->label_source, in->n_disorders * in->n_drugs, &shared))
        return false;
    if (source)
        snprintf(source, 64, "%s", shared.source);
    return true;
}

static nep_inputs blind(const nep_inputs *in)
{
    nep_inputs copy = *in;
    copy.labels = NULL; /* the truth stays with the ranker */
    copy.label_source = NULL;
    copy.label_year = NULL;
    copy.truth = NULL;
    return copy;
}

nep_status nep_channel_score(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in, const nep_visible *visible,
                             uint64_t stream, double *value, double *se)
{
    NEP_TRY(check_needs(ctx, c, in, visible));
    const nep_inputs seen = blind(in);
    return c->score(ctx, &seen, visible, stream, value, se);
}

static int by_share(const void *a, const void *b)
{
    const nep_reason *p = a, *q = b;
    const double x = fabs(p->share), y = fabs(q->share);
    return x > y ? -1 : x < y ? 1 : strcmp(p->label, q->label);
}

typedef nep_status (*teller)(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit, nep_reason *out, int *n);

static nep_status ask(nep_ctx *ctx, const nep_channel *c, teller tell, const nep_inputs *in, const nep_visible *visible, int64_t drug, int limit,
                      nep_reason *out, int *n)
{
    *n = 0;
    NEP_TRY(check_needs(ctx, c, in, visible));
    NEP_REQUIRE(ctx, drug >= 0 && drug < in->n_drugs, NEP_E_ARG, "channel %s: drug %lld of %lld", c->name,
                (long long)drug, (long long)in->n_drugs);
    if (!tell)
        return NEP_OK;
    const nep_inputs seen = blind(in);
    for (int i = 0; i < limit; i++)
        out[i] = (nep_reason){0};
    NEP_TRY(tell(ctx, &seen, visible, drug, limit, out, n));
    qsort(out, (size_t)*n, sizeof *out, by_share);
    return NEP_OK;
}

nep_status nep_channel_explain(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in, const nep_visible *visible,
                               int64_t drug, int limit, nep_reason *out, int *n)
{
    return ask(ctx, c, c->explain, in, visible, drug, limit, out, n);
}

nep_status nep_channel_edges(nep_ctx *ctx, const nep_channel *c, const nep_inputs *in, const nep_visible *visible,
                             int64_t drug, int limit, nep_reason *out, int *n)
{
    return ask(ctx, c, c->by_edge, in, visible, drug, limit, out, n);
}
