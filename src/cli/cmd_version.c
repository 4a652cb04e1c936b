/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe version */
#include "cli/cli.h"

static nep_status run(cli *c)
{
    if (cli_json(c))
        return cli_document(c, json_pack("{s:s}", "version", NEP_VERSION));
    cli_print("nepenthe %s\n", NEP_VERSION);
    return NEP_OK;
}

const cli_command cli_cmd_version = {
    .name = "version", .group = "Upkeep", .summary = "the version", .inputs = "", .run = run, .example = "nepenthe version --json"};
