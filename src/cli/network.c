/* SPDX-License-Identifier: Apache-2.0 */
/* network - a network from what the command line names, and its nodes by id or name. */
#include "cli/network.h"

#include <string.h>

#include <nepenthe/io.h>

static bool is_yaml(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* "CbG=FILE" or FILE: the metaedge into id, the file returned; NULL when no metaedge is told. */
static const char *cut_input(const char *input, char *id, size_t size)
{
    const char *slash = strrchr(input, '/'), *name = slash ? slash + 1 : input, *equals = strchr(input, '=');
    const char *start = equals ? input : name;
    const size_t n = equals ? (size_t)(equals - input) : strcspn(name, "._");
    if (n == 0 || n >= size)
        return NULL;
    memcpy(id, start, n);
    id[n] = '\0';
    return equals ? equals + 1 : input;
}

static nep_status read_lists(cli *c, const nep_network_opts *opts, nep_network *net)
{
    nep_ctx *ctx = cli_ctx(c);
    NEP_TRY(nep_alloc_string(ctx, "edge lists", &net->name));
    for (int i = 0; i < cli_input_count(c); i++) {
        char id[64];
        const char *path = cut_input(cli_input(c, i), id, sizeof id);
        NEP_REQUIRE(ctx, !is_yaml(cli_input(c, i)), NEP_E_USAGE, "'%s' is a whole network; give it alone", cli_input(c, i));
        NEP_REQUIRE(ctx, path, NEP_E_USAGE, "'%s': which metaedge is it? Write CbG=FILE, or name the file CbG.tsv", cli_input(c, i));
        NEP_TRY(nep_network_read_edges(ctx, net, opts, id, path, NULL, NULL));
    }
    return nep_network_finish(ctx, net, opts);
}

nep_status cli_network_read(cli *c, bool open_only, nep_network *out)
{
    nep_ctx *ctx = cli_ctx(c);
    const nep_network_opts opts = {.open_only = open_only};
    nep_network net = {0};
    nep_status st;
    if (cli_input_count(c) == 1 && is_yaml(cli_input(c, 0))) {
        NEP_TRY_OR_DONE(st, nep_network_read(ctx, cli_input(c, 0), &opts, &net));
        NEP_TRY_OR_DONE(st, cli_input_add(c, cli_input(c, 0)));
    } else {
        NEP_TRY_OR_DONE(st, read_lists(c, &opts, &net));
    }
    for (int64_t m = 0; m < net.n_metaedges; m++) {
        const nep_network_metaedge *e = &net.metaedge[m];
        NEP_TRY_OR_DONE(st, cli_input_add(c, e->path));
        if (e->n_not_open > 0)
            cli_say(c, "open licences alone: %s keeps %lld of %lld rows", e->id, (long long)(e->n_rows - e->n_not_open), (long long)e->n_rows);
    }
    *out = net;
    net = (nep_network){0};
    st = NEP_OK;
done:
    nep_network_free(&net);
    return st;
}

const char *cli_network_name(const nep_network *net, int64_t kind, int64_t node)
{
    return net->kind[kind].label[node];
}

nep_status cli_network_node(cli *c, const nep_network *net, int64_t kind, const char *option, int64_t *out)
{
    const nep_network_kind *k = &net->kind[kind];
    const char *word = cli_text(c, option);
    *out = nep_network_find_node(net, kind, word);
    for (int64_t i = 0; i < k->n && *out < 0; i++)
        if (k->label[i] && strcmp(k->label[i], word) == 0)
            *out = i;
    if (*out >= 0)
        return NEP_OK;
    const char *near = nep_data_nearest(word, (const char *const *)k->label, k->n);
    return nep_ctx_fail(cli_ctx(c), NEP_E_ARG, "--%s: no node of kind %s is called '%.80s'%s%s%s", option, k->name, word, near ? " (nearest: " : "",
                        near ? near : "", near ? ")" : "");
}
