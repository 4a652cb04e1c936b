/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe explain CODE - an error code in full. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static nep_status list_codes(cli *c)
{
    if (cli_json(c)) {
        json_t *all = json_array();
        for (int i = 0; i < NEP_STATUS_COUNT; i++)
            json_array_append_new(all, json_pack("{s:s,s:i,s:s,s:s}", "code", nep_status_symbol((nep_status)i), "exit",
                                                 nep_status_exit((nep_status)i), "text", nep_status_text((nep_status)i), "hint",
                                                 nep_status_hint((nep_status)i)));
        return cli_document(c, json_pack("{s:o}", "codes", all));
    }
    for (int i = 0; i < NEP_STATUS_COUNT; i++)
        cli_print("%3d  %-15s %s\n", nep_status_exit((nep_status)i), nep_status_symbol((nep_status)i), nep_status_text((nep_status)i));
    return NEP_OK;
}

static nep_status run(cli *c)
{
    if (cli_input_count(c) == 0)
        return list_codes(c);
    const char *word = cli_input(c, 0);
    int shown = 0;
    json_t *found = json_array();
    for (int i = 0; i < NEP_STATUS_COUNT; i++) {
        const nep_status st = (nep_status)i;
        char *end;
        const long number = strtol(word, &end, 10);
        if (strcmp(word, nep_status_symbol(st)) != 0 && !(*end == '\0' && number == nep_status_exit(st)))
            continue;
        shown++;
        json_array_append_new(found, json_pack("{s:s,s:i,s:s,s:s}", "code", nep_status_symbol(st), "exit", nep_status_exit(st), "text",
                                               nep_status_text(st), "hint", nep_status_hint(st)));
        if (!cli_json(c))
            cli_print("%s (exit code %d): %s.\nWhat to do: %s.\n", nep_status_symbol(st), nep_status_exit(st), nep_status_text(st),
                      nep_status_hint(st));
    }
    if (shown == 0) {
        json_decref(found);
        return nep_ctx_fail(cli_ctx(c), NEP_E_ARG, "'%s' is no code and no exit code; `nepenthe explain` lists them", word);
    }
    return cli_document(c, json_pack("{s:o}", "codes", found));
}

const cli_command cli_cmd_explain = {.name = "explain",
                                     .group = "Upkeep",
                                     .summary = "what an error code or exit code means and what to do",
                                     .inputs = "[CODE]",
                                     .max_inputs = 1,
                                     .run = run,
                                     .example = "nepenthe explain TRUNCATED"};
