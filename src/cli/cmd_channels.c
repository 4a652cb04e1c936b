/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe channels - the evidence channels of this build, with definition and source; of a study, what they say. */
#include <math.h>

#include <nepenthe/evidence.h>

#include "cli/channels.h"

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

static const cli_option options[] = {
    {"channels", 0, CLI_TEXTS, "NAME,...", NULL, NULL, "of a study, these alone (default: every channel that it has the tables for)"},
    {"open-only", 0, CLI_FLAG, NULL, NULL, NULL, "of a study, leave out every row whose licence is not open (CC0, CC BY, public domain)"},
};

static nep_status run(cli *c)
{
    if (cli_input_count(c) == 1) {
        const char *out[] = {cli_out(c) ? cli_out(c) : "standard output"};
        return cli_dry_run(c) ? cli_plan(c, 1, 0, (double)NAN, out, 1) : cli_channels_study(c);
    }
    NEP_REQUIRE(cli_ctx(c), !cli_given(c, "channels") && !cli_flag(c, "open-only"), NEP_E_USAGE,
                "--channels and --open-only go with a study; give its file");
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
                                      .summary = "the evidence channels with definition, orientation and source; of a study, what each says of each drug",
                                      .inputs = "[STUDY.yaml]",
                                      .max_inputs = 1,
                                      .options = options,
                                      .n_options = NEP_LEN(options),
                                      .run = run,
                                      .example = "nepenthe channels study.yaml -o channels.tsv"};
