/* SPDX-License-Identifier: Apache-2.0 */
/* index_options - what the commands that search an index are told alike: how rows are compared, and thresholds. */
#include <string.h>

#include "cli/index_options.h"

static const char *const names[] = {"tanimoto", "dice", "cosine", "tversky", "inner", "l2"}; /* in the order of nep_metric */

const char *cli_index_metric_name(nep_metric m)
{
    return names[m];
}

nep_status cli_index_decimal(cli *c, const char *option, bool negative, nep_decimal *out)
{
    char why[512];
    const nep_status st = nep_decimal_parse(cli_ctx(c), cli_text(c, option), negative, out);
    if (st == NEP_OK)
        return NEP_OK;
    snprintf(why, sizeof why, "%s", nep_ctx_error(cli_ctx(c)));
    nep_ctx_clear(cli_ctx(c)); /* the deepest sentence stays otherwise */
    return nep_ctx_fail(cli_ctx(c), st, "--%s: %s", option, why);
}

nep_status cli_index_metric(cli *c, const nep_index *index, nep_search_opts *opts)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool bits = index->kind == NEP_INDEX_BITS, weights = cli_given(c, "alpha") || cli_given(c, "beta");
    const char *text = cli_text(c, "metric");
    opts->metric = bits ? NEP_METRIC_TANIMOTO : NEP_METRIC_COSINE;
    for (int m = 0; text && m < NEP_LEN(names); m++)
        if (strcmp(text, names[m]) == 0)
            opts->metric = (nep_metric)m;
    const bool of_vectors = opts->metric == NEP_METRIC_COSINE || opts->metric > NEP_METRIC_TVERSKY;
    NEP_REQUIRE(ctx, bits ? opts->metric <= NEP_METRIC_TVERSKY : of_vectors, NEP_E_ARG,
                "--metric %s is of %s vectors and the index holds %s vectors; it takes %s", text, bits ? "dense" : "bit", bits ? "bit" : "dense",
                bits ? "tanimoto, dice, cosine or tversky" : "cosine, inner or l2");
    opts->alpha = opts->beta = (nep_decimal){0, 1};
    NEP_REQUIRE(ctx, opts->metric == NEP_METRIC_TVERSKY || !weights, NEP_E_USAGE, "--alpha and --beta belong to --metric tversky");
    if (opts->metric != NEP_METRIC_TVERSKY)
        return NEP_OK;
    NEP_REQUIRE(ctx, cli_given(c, "alpha") && cli_given(c, "beta"), NEP_E_USAGE,
                "--metric tversky needs --alpha and --beta, the weights of what either row has alone");
    NEP_TRY(cli_index_decimal(c, "alpha", false, &opts->alpha));
    return cli_index_decimal(c, "beta", false, &opts->beta);
}
