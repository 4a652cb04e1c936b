/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe explain WORD - an error code in full, or the page of a feature. */
#include "cli/cli.h"
#include "cli/pages.h"

#include <nepenthe/data.h>

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
    if (cli_flag(c, "markdown")) { /* the names alone, for docs/features.sh */
        for (const cli_page *p = cli_pages; p->name; p++)
            cli_print("%s\t%s\n", p->name, p->title);
        return NEP_OK;
    }
    for (int i = 0; i < NEP_STATUS_COUNT; i++)
        cli_print("%3d  %-15s %s\n", nep_status_exit((nep_status)i), nep_status_symbol((nep_status)i), nep_status_text((nep_status)i));
    cli_print("\nfeatures\n");
    for (const cli_page *p = cli_pages; p->name; p++)
        cli_print("     %-15s %s\n", p->name, p->title);
    return NEP_OK;
}

static nep_status show_page(cli *c, const cli_page *p)
{
    if (cli_json(c))
        return cli_document(c, json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s}}", "feature", "name", p->name, "title", p->title, "command", p->command,
                                         "unit", p->unit, "definition", p->definition, "source", p->source, "peers", p->peers));
    if (cli_flag(c, "markdown"))
        cli_page_markdown(p, stdout);
    else
        cli_page_print(p, stdout);
    return NEP_OK;
}

static nep_status run(cli *c)
{
    if (cli_input_count(c) == 0)
        return list_codes(c);
    const char *word = cli_input(c, 0);
    if (cli_page_find(word))
        return show_page(c, cli_page_find(word));
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
        const char *names[128], *near;
        int n = 0;
        for (const cli_page *p = cli_pages; p->name && n < NEP_LEN(names); p++)
            names[n++] = p->name;
        near = nep_data_nearest(word, names, n);
        json_decref(found);
        return nep_ctx_fail(cli_ctx(c), NEP_E_ARG, "'%s' is no code, no exit code and no feature%s%s%s; `nepenthe explain` lists them", word,
                            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return cli_document(c, json_pack("{s:o}", "codes", found));
}

static const cli_option options[] = {
    {"markdown", 0, CLI_FLAG, NULL, NULL, NULL, "a feature's page as Markdown; without a word the names of all"},
};

const cli_command cli_cmd_explain = {.name = "explain",
                                     .group = "Upkeep",
                                     .summary = "what an error code means and what to do; what a feature is, its source, and what peers do differently",
                                     .inputs = "[CODE|FEATURE]",
                                     .max_inputs = 1,
                                     .options = options,
                                     .n_options = NEP_LEN(options),
                                     .run = run,
                                     .example = "nepenthe explain reho"};
