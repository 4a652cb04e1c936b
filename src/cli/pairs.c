/* SPDX-License-Identifier: Apache-2.0 */
/* pairs - an index as neighbours, cluster and pick read it, and how they are told to compare its rows. */
#include <string.h>

#include <nepenthe/io.h>

#include "cli/pairs.h"

static const char *const names[] = {"tanimoto", "dice", "cosine", "tversky", "inner", "l2"};

const char *cli_pairs_metric(nep_metric m)
{
    return names[m];
}

static nep_status read_metric(cli *c, const nep_index *index, nep_search_opts *o)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *name = cli_text(c, "metric");
    int m = index->kind == NEP_INDEX_BITS ? NEP_METRIC_TANIMOTO : NEP_METRIC_COSINE;
    for (int k = 0; name && k < NEP_LEN(names); k++)
        m = strcmp(names[k], name) == 0 ? k : m;
    o->metric = (nep_metric)m;
    const bool weights = cli_given(c, "alpha") || cli_given(c, "beta");
    NEP_REQUIRE(ctx, o->metric == NEP_METRIC_TVERSKY || !weights, NEP_E_USAGE, "--alpha and --beta are weights of --metric tversky");
    if (o->metric != NEP_METRIC_TVERSKY)
        return NEP_OK;
    NEP_REQUIRE(ctx, cli_given(c, "alpha") && cli_given(c, "beta"), NEP_E_USAGE, "--metric tversky needs --alpha and --beta");
    NEP_TRY(nep_decimal_parse(ctx, cli_text(c, "alpha"), false, &o->alpha));
    return nep_decimal_parse(ctx, cli_text(c, "beta"), false, &o->beta);
}

nep_status cli_pairs_open(cli *c, nep_index *index, nep_search_opts *opts)
{
    NEP_TRY(nep_index_open(cli_ctx(c), cli_input(c, 0), index));
    return read_metric(c, index, opts);
}

nep_status cli_pairs_decimal(cli *c, const char *option, const nep_index *index, nep_decimal *out)
{
    return nep_decimal_parse(cli_ctx(c), cli_text(c, option), index->kind == NEP_INDEX_VECTORS, out);
}
