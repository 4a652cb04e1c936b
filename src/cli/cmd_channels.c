/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe channels - the evidence channels of this build, with definition and source. */
#include <nepenthe/evidence.h>

#include "cli/cli.h"

static const char *const needs[] = {"map", "affinities", "fingerprints", "descriptors", "labels", "network", "table", "signatures"};

static json_t *document(void)
{
    json_t *list = json_array();
    for (int i = 0; nep_evidence_table[i]; i++) {
        const nep_channel *c = nep_evidence_table[i];
        json_t *of = json_array();
        for (int n = 0; n < NEP_LEN(needs); n++)
            if (c->needs & (1u << n))
                json_array_append_new(of, json_string(needs[n]));
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:b}", "name", c->name, "role", nep_role_name(c->role),
                                              "summary", c->summary, "source", c->source, "orientation", c->orientation, "licence",
                                              c->licence, "needs", of, "uses_labels", c->uses_labels));
    }
    return json_pack("{s:o}", "channels", list);
}

static nep_status run(cli *c)
{
    if (cli_json(c))
        return cli_document(c, document());
    cli_print("channel\trole\tneeds\tuses_labels\tdefinition\torientation\tsource\tlicence\n");
    for (int i = 0; nep_evidence_table[i]; i++) {
        const nep_channel *x = nep_evidence_table[i];
        cli_print("%s\t%s\t", x->name, nep_role_name(x->role));
        for (int n = 0, first = 1; n < NEP_LEN(needs); n++)
            if (x->needs & (1u << n)) {
                cli_print("%s%s", first ? "" : ";", needs[n]);
                first = 0;
            }
        cli_print("\t%s\t%s\t%s\t%s\t%s\n", x->uses_labels ? "yes" : "no", x->summary, x->orientation, x->source, x->licence);
    }
    return NEP_OK;
}

const cli_command cli_cmd_channels = {.name = "channels",
                                      .group = "Ranking",
                                      .summary = "the evidence channels of this build, with definition, orientation and source",
                                      .inputs = "",
                                      .run = run,
                                      .example = "nepenthe channels"};
