/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe similar - exact search of an index of bit vectors or dense vectors. */
#include <math.h>

#include "cli/similar_search.h"

static const cli_option options[] = {
    {"query", 0, CLI_INPUT, "FILE", NULL, NULL,
     "what is looked for: structures (.smi .sdf .csv), fingerprints (.fps), vectors (.npy .tsv .h5), or an index, the same one too"},
    {"format", 0, CLI_CHOICE, "NAME", NULL, "smi|sdf|csv|tsv|fps|npy|fvecs|bvecs|ivecs|fbin|u8bin|i8bin|safetensors|h5",
     "what --query is, where its name does not tell it, as that of standard input (-)"},
    {"row", 0, CLI_TEXTS, "N|A-B", NULL, NULL, "rows of the index as queries, by number from 0"},
    {"id", 0, CLI_TEXTS, "IDS", NULL, NULL, "rows of the index as queries, by id"},
    {"top", 0, CLI_INT, "K", NULL, NULL, "the best K rows of each query; fewer where there are fewer"},
    {"threshold", 0, CLI_TEXT, "T", NULL, NULL, "rows that score T or better (l2: T or less), a decimal taken exactly; with --top the best K of them"},
    {"metric", 0, CLI_CHOICE, "NAME", NULL, "tanimoto|dice|cosine|tversky|inner|l2",
     "default tanimoto for bit vectors, cosine for dense ones; bits take the first four, dense vectors cosine, inner and l2"},
    {"alpha", 0, CLI_TEXT, "A", NULL, NULL, "tversky: weight of the bits that the query has alone"},
    {"beta", 0, CLI_TEXT, "B", NULL, NULL, "tversky: weight of the bits that the row has alone"},
    {"dataset", 0, CLI_TEXT, "NAME", NULL, NULL, "which one of a .h5 or .safetensors file with --query"},
    {"fingerprint", 0, CLI_TEXT, "KIND", NULL, NULL, "of structures, such as morgan:2:2048; default what the index says its rows are"},
    {"only", 0, CLI_INPUT, "TSV", NULL, NULL, "find these rows alone, by the ids of the first column"},
    {"exclude", 0, CLI_INPUT, "TSV", NULL, NULL, "do not find these rows"},
    {"rows", 0, CLI_TEXT, "A-B", NULL, NULL, "find rows A to B alone, by number from 0, both included"},
    {"no-self", 0, CLI_FLAG, NULL, NULL, NULL, "a query that is a row of the index does not find itself"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "metadata of the index to show beside each hit, or `all`"},
    {"probe", 0, CLI_INT, "N", "0", NULL, "look at the N nearest inverted lists alone, which is not exact; 0 = all rows"},
    {"recall", 0, CLI_INT, "N", "0", NULL, "with --probe: search all rows as well for the first N queries, and tell the share of their hits that was found"},
    {"verify", 0, CLI_FLAG, NULL, NULL, NULL, "read all of the index first and check every byte, as `verify` does; without it rows are not checked"},
    {"shard", 0, CLI_TEXT, "I/N", NULL, NULL, "search the I-th of N parts of the file and write a part; `merge` makes of N parts what one run gives"},
};

static void say(cli *c, const similar_search *s)
{
    cli_say(c, "%s, %s: %lld quer%s x %lld rows; %lld pairs compared, %lld scored%s", s->report.path ? s->report.path : "", s->report.exact ? "exact" : "not exact",
            (long long)s->queries.n, s->queries.n == 1 ? "y" : "ies", (long long)s->rows.n, (long long)s->report.compared,
            (long long)s->report.candidates, s->report.exact ? "" : "; without --probe it is exact");
    if (s->n_recall > 0)
        cli_say(c, "recall %.3f (90 %% %.3f to %.3f) over the first %lld queries, searched exactly as well", s->recall.share, s->recall.low, s->recall.high,
                (long long)s->recall.n);
}

static nep_status run(cli *c)
{
    similar_search s = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, similar_search_open(c, &s));
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, s.queries.n, similar_search_bytes(&s), (double)NAN, out, 1);
        goto done;
    }
    if (s.n_shards > 0) {
        NEP_TRY_OR_DONE(st, similar_search_part(&s, cli_out(c)));
    } else {
        s.extra = json_object();
        NEP_TRY_OR_DONE(st, similar_emit(c, similar_search_rows, &s, s.extra));
    }
    say(c, &s);
done:
    similar_search_close(&s);
    return st;
}

const cli_command cli_cmd_similar = {
    .name = "similar",
    .group = "Maps and molecules",
    .summary = "exact search of an index: the most similar molecules, vectors or embeddings",
    .inputs = "INDEX",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = false,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe similar molecules.nepx --query hits.smi --top 100",
};
