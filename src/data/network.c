/* SPDX-License-Identifier: Apache-2.0 */
/* network - a heterogeneous network once it is built: looking up kinds, nodes, edges, degrees, licences. */
#include <nepenthe/network.h>

#include <string.h>

static void free_side(nep_network_side *s)
{
    nep_alloc_free(s->start);
    nep_alloc_free(s->node);
    nep_alloc_free(s->edge);
    *s = (nep_network_side){0};
}

static void free_metaedge(nep_network_metaedge *m)
{
    if (m->in.start == m->out.start)
        m->in = (nep_network_side){0};
    free_side(&m->in);
    free_side(&m->out);
    nep_alloc_free(m->id);
    nep_alloc_free(m->path);
    nep_alloc_free(m->from_node);
    nep_alloc_free(m->to_node);
    nep_alloc_free(m->weight);
    nep_alloc_free(m->sign);
    nep_alloc_free(m->line);
    nep_alloc_free(m->licence);
    nep_alloc_free(m->source);
}

static void free_kind(nep_network_kind *k)
{
    nep_data_free_names(k->node, k->n);
    nep_data_free_names(k->label, k->n);
    nep_alloc_free(k->id);
    nep_alloc_free(k->name);
    nep_alloc_free(k->slot);
}

void nep_network_free(nep_network *net)
{
    for (int64_t k = 0; k < net->n_kinds; k++)
        free_kind(&net->kind[k]);
    for (int64_t m = 0; m < net->n_metaedges; m++)
        free_metaedge(&net->metaedge[m]);
    free_kind(&net->words);
    nep_alloc_free(net->kind);
    nep_alloc_free(net->metaedge);
    nep_alloc_free(net->name);
    *net = (nep_network){0};
}

int64_t nep_network_find_kind(const nep_network *net, const char *id)
{
    for (int64_t k = 0; k < net->n_kinds; k++)
        if (strcmp(net->kind[k].id, id) == 0)
            return k;
    return -1;
}

int64_t nep_network_find_metaedge(const nep_network *net, const char *id)
{
    for (int64_t m = 0; m < net->n_metaedges; m++)
        if (strcmp(net->metaedge[m].id, id) == 0)
            return m;
    return -1;
}

int64_t nep_network_find_node(const nep_network *net, int64_t kind, const char *id)
{
    if (kind < 0 || kind >= net->n_kinds)
        return -1;
    const nep_network_kind *k = &net->kind[kind];
    int64_t low = 0, high = k->n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(k->node[middle], id);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int64_t nep_network_find_edge(const nep_network *net, int64_t metaedge, int64_t from, int64_t to)
{
    if (metaedge < 0 || metaedge >= net->n_metaedges)
        return -1;
    const nep_network_metaedge *m = &net->metaedge[metaedge];
    if (from < 0 || from >= net->kind[m->from].n)
        return -1;
    int64_t low = m->out.start[from], high = m->out.start[from + 1];
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (m->out.node[middle] == to)
            return m->out.edge[middle];
        if (m->out.node[middle] < to)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int64_t nep_network_degree(const nep_network *net, int64_t metaedge, bool at_to, int64_t node)
{
    const nep_network_metaedge *m = &net->metaedge[metaedge];
    const nep_network_side *side = at_to ? &m->in : &m->out;
    return side->start[node + 1] - side->start[node];
}

static const char *word(const nep_network *net, int32_t i)
{
    return i < 0 ? "" : net->words.node[i];
}

const char *nep_network_licence(const nep_network *net, int64_t metaedge, int64_t edge)
{
    return word(net, net->metaedge[metaedge].licence[edge]);
}

const char *nep_network_source(const nep_network *net, int64_t metaedge, int64_t edge)
{
    return word(net, net->metaedge[metaedge].source[edge]);
}
