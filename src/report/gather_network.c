/* SPDX-License-Identifier: Apache-2.0 */
/* gather_network.c - the kinds of edge a network has, and how many edges stand under which licence. */
#include "doc.h"

#include <string.h>

/* How many edges of metaedge e stand under each of the network's words; those without a licence last. */
static nep_status count_licences(nep_ctx *ctx, const nep_network *net, int64_t e, int64_t **out)
{
    const nep_network_metaedge *m = &net->metaedge[e];
    NEP_TRY(nep_alloc(ctx, net->words.n + 1, sizeof **out, "licences of edges", out));
    for (int64_t i = 0; i < m->n; i++)
        (*out)[m->licence && m->licence[i] >= 0 ? m->licence[i] : net->words.n]++;
    return NEP_OK;
}

static json_t *metaedge_row(const nep_network *net, int64_t e, const int64_t *count)
{
    int bad = 0;
    const nep_network_metaedge *m = &net->metaedge[e];
    json_t *o = json_object(), *licences = json_array();
    for (int64_t w = 0; w <= net->words.n; w++)
        if (count[w] > 0)
            DOC_ADD(licences,
                    json_pack("{s:s,s:I}", "licence", w < net->words.n ? net->words.node[w] : "none named", "n", (json_int_t)count[w]));
    DOC_PUT(o, "id", nep_doc_text(m->id));
    DOC_PUT(o, "from", nep_doc_text(net->kind[m->from].name));
    DOC_PUT(o, "to", nep_doc_text(net->kind[m->to].name));
    DOC_PUT(o, "n", json_integer((json_int_t)m->n));
    DOC_PUT(o, "licences", licences);
    DOC_END(o);
}

json_t *nep_gather_network(nep_ctx *ctx, const nep_network *net, nep_status *st)
{
    int bad = 0;
    json_t *array = json_array();
    for (int64_t e = 0; net && e < net->n_metaedges && !bad && *st == NEP_OK; e++) {
        int64_t *count = NULL;
        *st = count_licences(ctx, net, e, &count);
        if (*st == NEP_OK)
            DOC_ADD(array, metaedge_row(net, e, count));
        nep_alloc_free(count);
    }
    DOC_END(array);
}
