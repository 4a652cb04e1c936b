/* SPDX-License-Identifier: Apache-2.0 */
/* pairs - an index as neighbours, cluster and pick read it, and how they are told to compare its rows. */
#include <nepenthe/io.h>

#include "cli/index_options.h"
#include "cli/pairs.h"

nep_status cli_pairs_open(cli *c, nep_index *index, nep_search_opts *opts)
{
    NEP_TRY(nep_index_open(cli_ctx(c), cli_input(c, 0), index));
    return cli_index_metric(c, index, opts);
}
