/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe completion KIND - shell completion, man page and reference, all from the option tables. */
#include "cli/cli.h"
#include "cli/help.h"

#include <string.h>

static nep_status run(cli *c)
{
    const char *kind = cli_input(c, 0);
    if (strcmp(kind, "bash") == 0)
        cli_help_bash(stdout);
    else if (strcmp(kind, "zsh") == 0) {
        cli_print("autoload -U +X bashcompinit && bashcompinit\n");
        cli_help_bash(stdout);
    } else if (strcmp(kind, "fish") == 0)
        cli_help_fish(stdout);
    else if (strcmp(kind, "man") == 0)
        cli_help_man(stdout);
    else if (strcmp(kind, "markdown") == 0)
        cli_help_markdown(stdout);
    else
        return nep_ctx_fail(cli_ctx(c), NEP_E_ARG, "'%s' is none of bash, zsh, fish, man, markdown", kind);
    return NEP_OK;
}

const cli_command cli_cmd_completion = {.name = "completion",
                                        .group = "Upkeep",
                                        .summary = "shell completion (bash, zsh, fish), the man page, the reference in Markdown",
                                        .inputs = "bash|zsh|fish|man|markdown",
                                        .min_inputs = 1,
                                        .max_inputs = 1,
                                        .run = run,
                                        .example = "nepenthe completion bash > /etc/bash_completion.d/nepenthe"};
