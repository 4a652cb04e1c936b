/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - a network from what the command line names, and its nodes by id or name. */
#ifndef NEP_CLI_NETWORK_H
#define NEP_CLI_NETWORK_H

#include <nepenthe/network.h>

#include "cli/cli.h"

/* All inputs as one network: a .yaml, or edge lists, `CbG=FILE` or FILE whose name begins with its metaedge (CbG.tsv.gz). Every file is noted
 * for the provenance; what --open-only left out is told. Errors: NEP_E_USAGE (a YAML beside others, no metaedge in the name), those of io. */
NEP_MUST_USE nep_status cli_network_read(cli *c, bool open_only, nep_network *out);
/* By id, else by its name. Errors: NEP_E_ARG, the sentence begins with the option. */
NEP_MUST_USE nep_status cli_network_node(cli *c, const nep_network *net, int64_t kind, const char *option, int64_t *out);
/* What a node is called, NULL when it has no name. */
const char *cli_network_name(const nep_network *net, int64_t kind, int64_t node);

#endif
