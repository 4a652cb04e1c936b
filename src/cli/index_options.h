/* SPDX-License-Identifier: Apache-2.0 */
/* index_options - what the commands that search an index are told alike: how rows are compared, and thresholds. */
#ifndef NEP_CLI_INDEX_OPTIONS_H
#define NEP_CLI_INDEX_OPTIONS_H

#include <nepenthe/similarity.h>

#include "cli/cli.h"

/* --metric, --alpha and --beta into metric, alpha and beta. Errors: NEP_E_USAGE (weights without tversky, tversky without), NEP_E_ARG (a
 * metric of the other kind of vectors, no decimals). */
NEP_MUST_USE nep_status cli_index_metric(cli *c, const nep_index *index, nep_search_opts *opts);
const char *cli_index_metric_name(nep_metric m);
/* A decimal of an option that is given; the sentence of an error begins with the option. Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status cli_index_decimal(cli *c, const char *option, bool negative, nep_decimal *out);

#endif
