/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_network - the first byte chooses: the YAML of a network (for nep_network_read, which adds the tables it names), a table of nodes, or
 * an edge list, which is also laid out and looked through. */
#include "fuzz.h"

#include "io/network_file.h"

static nep_status parse(nep_ctx *ctx, const uint8_t *data, size_t size)
{
    nep_network_file f = {0};
    const nep_status st = nep_network_parse(ctx, "folder/network.yaml", (const char *)data, (int64_t)size, &f);
    nep_network_file_free(&f);
    return st;
}

/* Every edge is found from both of its ends. */
static void look_through(const nep_network *net)
{
    for (int64_t m = 0; m < net->n_metaedges; m++) {
        const nep_network_metaedge *e = &net->metaedge[m];
        int64_t degrees = 0;
        for (int64_t i = 0; i < e->n; i++)
            if (nep_network_find_edge(net, m, e->from_node[i], e->to_node[i]) != i)
                abort();
        for (int64_t i = 0; i < net->kind[e->to].n; i++)
            degrees += nep_network_degree(net, m, true, i);
        if (degrees != e->n * (e->from == e->to && !e->directed ? 2 : 1))
            abort();
    }
}

static nep_status read_tables(nep_ctx *ctx, int which, const char *path)
{
    static const char *const ids[] = {"CbG", "GiG", "Gr>G"};
    const nep_network_opts opts = {.open_only = which & 4, .strict = which & 8};
    nep_network net = {0};
    nep_status st = NEP_OK;
    if (which % 4 == 0)
        st = nep_network_read_nodes(ctx, &net, "G", "Gene", path);
    for (int i = 0; i < 3 && st == NEP_OK && which % 4 != 0; i++)
        st = nep_network_read_edges(ctx, &net, &opts, ids[i], path, i ? "CC0" : NULL, NULL);
    if (st == NEP_OK)
        st = nep_network_finish(ctx, &net, &opts);
    if (st == NEP_OK)
        look_through(&net);
    nep_network_free(&net);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    nep_ctx *ctx = fuzz_ctx();
    nep_status st;
    if (data[0] % 2 == 0) {
        setenv("NEPENTHE_SHARED", "/shared", 1);
        st = parse(ctx, data + 1, size - 1);
    } else {
        char path[64];
        const int fd = fuzz_file(data + 1, size - 1, path);
        st = read_tables(ctx, data[0] / 2, path);
        close(fd);
    }
    fuzz_end(ctx, st);
    return 0;
}
