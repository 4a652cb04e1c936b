/* SPDX-License-Identifier: Apache-2.0 */
/* metapath - the text of a metapath into steps over the metaedges of a network. */
#include <nepenthe/graph.h>

#include <stdio.h>
#include <string.h>

#define RELATION "abcdefghijklmnopqrstuvwxyz<>"

enum { WORD = 40 };

/* "<r" of "G<rG" read from the other end is "r>". */
static void turned(const char *relation, char out[WORD])
{
    const size_t n = strlen(relation);
    if (relation[0] == '<')
        snprintf(out, WORD, "%s>", relation + 1);
    else if (n > 0 && relation[n - 1] == '>')
        snprintf(out, WORD, "<%.*s", (int)n - 1, relation);
    else
        snprintf(out, WORD, "%s", relation);
}

static nep_status unknown_step(nep_ctx *ctx, const nep_network *net, const char *text, const char *word)
{
    const char **id = NULL;
    NEP_TRY(nep_alloc(ctx, net->n_metaedges, sizeof *id, "metaedges", &id));
    for (int64_t m = 0; m < net->n_metaedges; m++)
        id[m] = net->metaedge[m].id;
    const char *near = nep_data_nearest(word, id, net->n_metaedges);
    const nep_status st = nep_ctx_fail(ctx, NEP_E_ARG, "metapath '%.80s': the network has no metaedge %s%s%s%s", text, word, near ? " (nearest: " : "",
                                       near ? near : "", near ? ")" : "");
    nep_alloc_free(id);
    return st;
}

static nep_status find_step(nep_ctx *ctx, const nep_network *net, const char *text, const char *from, const char *relation, const char *to,
                            nep_metapath_step *out)
{
    char other[WORD], word[3 * WORD];
    turned(relation, other);
    snprintf(word, sizeof word, "%s%s%s", from, relation, to);
    int64_t m = nep_network_find_metaedge(net, word);
    out->reverse = false;
    if (m < 0) {
        char back[3 * WORD];
        snprintf(back, sizeof back, "%s%s%s", to, other, from);
        m = nep_network_find_metaedge(net, back);
        out->reverse = true;
    }
    if (m < 0)
        return unknown_step(ctx, net, text, word);
    out->metaedge = (int32_t)m;
    return NEP_OK;
}

/* The next word: kinds are what is no relation, relations what is no kind. */
static const char *cut(const char *at, bool relation, char out[WORD])
{
    const size_t n = relation ? strspn(at, RELATION) : strcspn(at, RELATION);
    if (n == 0 || n >= WORD - 2)
        return NULL;
    memcpy(out, at, n);
    out[n] = '\0';
    return at + n;
}

nep_status nep_metapath_parse(nep_ctx *ctx, const nep_network *net, const char *text, nep_metapath *out)
{
    char from[WORD], relation[WORD], to[WORD];
    nep_metapath p = {0};
    const char *at = cut(text, false, from);
    while (at && *at && p.length < NEP_METAPATH_MOST) {
        at = cut(at, true, relation);
        at = at ? cut(at, false, to) : NULL;
        if (!at)
            break;
        nep_metapath_step *s = &p.step[p.length++];
        NEP_TRY(find_step(ctx, net, text, from, relation, to, s));
        const nep_network_metaedge *m = &net->metaedge[s->metaedge];
        p.kind[p.length - 1] = s->reverse ? m->to : m->from;
        p.kind[p.length] = s->reverse ? m->from : m->to;
        memcpy(from, to, sizeof from);
    }
    NEP_REQUIRE(ctx, at && p.length > 0, NEP_E_ARG, "metapath '%.80s': kinds and relations must take turns, such as CbGaD", text);
    NEP_REQUIRE(ctx, !*at, NEP_E_ARG, "metapath '%.80s' has more than %d steps", text, NEP_METAPATH_MOST);
    *out = p;
    return NEP_OK;
}
