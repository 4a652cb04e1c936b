/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe paths - degree-weighted path counts of a network, the paths behind one, and the published drug-disease model. */
#include <math.h>

#include "cli/network.h"
#include "cli/paths.h"

static const cli_option options[] = {
    {"metapath", 'm', CLI_TEXTS, "WORDS", NULL, NULL, "which paths are counted, such as CbGaD or CuG<rGaD; up to 4 steps"},
    {"from", 0, CLI_TEXT, "NODE", NULL, NULL, "from this node alone, by id or name"},
    {"to", 0, CLI_TEXT, "NODE", NULL, NULL, "to this node alone; with --from: the paths of the pair, one a line, with the rows their edges come from"},
    {"top", 0, CLI_INT, "K", "10", NULL, "paths of a pair to show, the heaviest first"},
    {"damping", 0, CLI_REAL, "W", "0.4", NULL, "exponent of the degrees; 0 counts paths"},
    {"permute", 0, CLI_INT, "N", "0", NULL, "the same counts in N networks with permuted edges (XSwap, 10 attempts per edge): mean, SD, and in how many the count is reached"},
    {"open-only", 0, CLI_FLAG, NULL, NULL, NULL, "leave out every row whose licence is not open (CC0, CC BY, public domain)"},
    {"published", 0, CLI_FLAG, NULL, NULL, NULL, "probabilities of the published drug-disease model of Hetionet; with --from and --to the terms of one"},
};

/* All metapaths of one call begin in one kind and end in one, or --from and --to would mean several things. */
static nep_status check_ends(const cli_paths *p)
{
    for (int i = 1; i < p->n; i++) {
        const bool same = p->path[i].kind[0] == p->path[0].kind[0] && p->path[i].kind[p->path[i].length] == p->path[0].kind[p->path[0].length];
        NEP_REQUIRE(cli_ctx(p->c), same, NEP_E_USAGE, "metapaths %s and %s join other kinds; give them in calls of their own", p->text[0], p->text[i]);
    }
    return NEP_OK;
}

static nep_status find_ends(cli_paths *p, int64_t first, int64_t last)
{
    p->from = p->to = -1;
    if (cli_given(p->c, "from"))
        NEP_TRY(cli_network_node(p->c, &p->net, first, "from", &p->from));
    if (cli_given(p->c, "to"))
        NEP_TRY(cli_network_node(p->c, &p->net, last, "to", &p->to));
    return NEP_OK;
}

static nep_status parse_metapaths(cli_paths *p)
{
    nep_ctx *ctx = cli_ctx(p->c);
    NEP_TRY(nep_alloc(ctx, p->n, sizeof *p->path, "metapaths", &p->path));
    for (int i = 0; i < p->n; i++)
        NEP_TRY(nep_metapath_parse(ctx, &p->net, p->text[i], &p->path[i]));
    NEP_TRY(check_ends(p));
    return find_ends(p, p->path[0].kind[0], p->path[0].kind[p->path[0].length]);
}

static nep_status check_options(cli_paths *p)
{
    cli *c = p->c;
    nep_ctx *ctx = cli_ctx(c);
    const bool published = cli_flag(c, "published");
    p->text = cli_texts(c, "metapath", &p->n);
    NEP_REQUIRE(ctx, published || p->n > 0, NEP_E_USAGE, "which paths? Give --metapath, such as CbGaD, or --published");
    NEP_REQUIRE(ctx, !published || (p->n == 0 && cli_int(c, "permute") == 0), NEP_E_USAGE, "--published has metapaths of its own; --metapath and --permute do not go with it");
    NEP_REQUIRE(ctx, cli_int(c, "top") >= 1, NEP_E_ARG, "--top: at least 1 path, not %lld", (long long)cli_int(c, "top"));
    NEP_REQUIRE(ctx, cli_int(c, "permute") >= 0 && cli_int(c, "permute") <= 100000, NEP_E_ARG, "--permute: 0 to 100000 networks, not %lld",
                (long long)cli_int(c, "permute"));
    p->opts = (nep_dwpc_opts){.damping = cli_real(c, "damping")};
    NEP_REQUIRE(ctx, p->opts.damping >= 0 && p->opts.damping <= 10, NEP_E_ARG, "--damping: 0 to 10, 0.4 by custom, not %g", p->opts.damping);
    return NEP_OK;
}

static nep_status work(cli_paths *p)
{
    cli *c = p->c;
    if (cli_dry_run(c)) {
        const char *out[] = {cli_out(c) ? cli_out(c) : "standard output"};
        int64_t cells = 0;
        for (int i = 0; i < p->n; i++) {
            const int64_t n = p->net.kind[p->path[i].kind[0]].n * p->net.kind[p->path[i].kind[p->path[i].length]].n;
            cells = n > cells ? n : cells;
        }
        return cli_plan(c, p->n > 0 ? p->n : 1, 4 * 8 * cells, (double)NAN, out, 1);
    }
    if (cli_flag(c, "published"))
        return cli_paths_published(p);
    return p->from >= 0 && p->to >= 0 && cli_int(c, "permute") == 0 ? cli_paths_one(p, cli_int(c, "top")) : cli_paths_pairs(p, cli_int(c, "permute"));
}

static nep_status run(cli *c)
{
    cli_paths p = {.c = c, .from = -1, .to = -1};
    nep_status st;
    NEP_TRY_OR_DONE(st, check_options(&p));
    NEP_TRY_OR_DONE(st, cli_network_read(c, cli_flag(c, "open-only"), &p.net));
    if (p.n > 0)
        NEP_TRY_OR_DONE(st, parse_metapaths(&p));
    else
        NEP_TRY_OR_DONE(st, find_ends(&p, nep_network_find_kind(&p.net, "C"), nep_network_find_kind(&p.net, "D")));
    st = work(&p);
done:
    nep_alloc_free(p.path);
    nep_network_free(&p.net);
    return st;
}

const cli_command cli_cmd_paths = {
    .name = "paths",
    .group = "Maps and molecules",
    .summary = "degree-weighted path counts between the nodes of a network, and the paths behind them",
    .inputs = "NETWORK.yaml|EDGES...",
    .min_inputs = 1,
    .max_inputs = -1,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe paths hetionet.yaml --metapath CbGaD --from Acamprosate --to epilepsy",
};
