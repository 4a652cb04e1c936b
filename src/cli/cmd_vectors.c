/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe vectors - dense vectors or fingerprints of other programs to an index that `similar` searches. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <nepenthe/similarity.h>

#include "cli/index_build.h"
#include "cli/index_facts.h"

static const cli_option options[] = {
    {"ids", 0, CLI_INPUT, "TSV", NULL, NULL, "one row per vector: id in the first column, metadata in the others"},
    {"type", 0, CLI_CHOICE, "TYPE", NULL, "f32|f16|bf16|int8", "how vectors are stored; default the type of the input that loses nothing"},
    {"shadow", 0, CLI_CHOICE, "COPY", "int8", "int8|none", "also keep an int8 copy of f32, f16 and bf16 vectors, which `similar` reads first for the same exact answer: "
     "one more byte per item and 8 per row (f32: a quarter more, f16 and bf16: half), and some three times as fast for one f32 query; none: leave it out"},
    {"format", 0, CLI_CHOICE, "NAME", NULL, "fps|npy|fvecs|bvecs|ivecs|fbin|u8bin|i8bin|safetensors|h5",
     "what the input is, where its name does not tell it, as that of standard input (-)"},
    {"bits", 0, CLI_FLAG, NULL, NULL, NULL, "a .npy of u1 or u8 holds packed bits, the lowest first"},
    {"dataset", 0, CLI_TEXT, "NAME", NULL, NULL, "which array of .h5 (default X, as in AnnData) or .safetensors (default the only matrix)"},
    {"about", 0, CLI_TEXT, "TEXT", NULL, NULL, "one line on what the rows are, kept in the index"},
    {"append", 0, CLI_INPUT, "INDEX", NULL, NULL, "put the rows behind those of this index; -o may be the same file"},
    {"lists", 0, CLI_INT, "L", "0", NULL, "put vectors into L inverted lists, so that `similar --probe` can look at a few of them"},
    {"shard", 0, CLI_TEXT, "I/N", NULL, NULL, "write part I of N; `merge` makes them one"},
};

static nep_status read_options(cli *c, cli_index_build *b)
{
    nep_ctx *ctx = cli_ctx(c);
    static const nep_vector_type types[] = {NEP_VECTOR_F32, NEP_VECTOR_F16, NEP_VECTOR_BF16, NEP_VECTOR_I8};
    for (int t = 0; cli_given(c, "type") && t < NEP_LEN(types); t++)
        if (strcmp(cli_text(c, "type"), nep_index_type_name(types[t])) == 0)
            b->type = types[t];
    b->ids = cli_text(c, "ids");
    b->no_shadow = strcmp(cli_text(c, "shadow"), "none") == 0;
    b->source = (nep_source_opts){.format = cli_text(c, "format"), .dataset = cli_text(c, "dataset"), .bits = cli_flag(c, "bits")};
    b->about = cli_text(c, "about");
    NEP_REQUIRE(ctx, !cli_given(c, "append") || !cli_given(c, "shard"), NEP_E_USAGE,
                "vectors: --append and --shard cannot go together; append first, then shard");
    NEP_REQUIRE(ctx, cli_int(c, "lists") >= 0, NEP_E_USAGE, "--lists: a number of lists, not %lld", (long long)cli_int(c, "lists"));
    NEP_REQUIRE(ctx, cli_int(c, "lists") == 0 || (!cli_given(c, "append") && !cli_given(c, "shard")), NEP_E_USAGE,
                "vectors: lists are made of a whole set; --lists goes neither with --append nor with --shard");
    NEP_TRY(cli_index_need_out(c, "vectors"));
    return cli_shard(c, &b->shard, &b->n_shards);
}

static nep_status plan(cli *c, const cli_index_build *b)
{
    nep_index_layout layout = {0};
    nep_source *first = NULL;
    int64_t rows = 0;
    const char *outputs[] = {cli_out(c)};
    nep_status st = cli_index_build_look(cli_ctx(c), b, &layout, &rows, &first);
    nep_source_free(first);
    return st == NEP_OK ? cli_plan(c, rows < 0 ? 0 : rows, (int64_t)64 << 20, NAN, outputs, 1) : st;
}

/* The new rows go to a file of their own, then behind those of the old one. */
static nep_status append(cli *c, cli_index_build *b, const char *to)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *const names[2] = {cli_text(c, "append"), b->inputs[0]};
    char added[4096];
    nep_index parts[2] = {{0}};
    nep_status st;
    NEP_REQUIRE(ctx, snprintf(added, sizeof added, "%s.added", to) < (int)sizeof added, NEP_E_ARG, "%s: the path is too long", to);
    NEP_TRY_OR_DONE(st, nep_index_open(ctx, names[0], &parts[0]));
    const bool bits = parts[0].kind == NEP_INDEX_BITS;
    b->about = b->about ? b->about : parts[0].about;
    b->type = b->type || bits ? b->type : parts[0].vectors.type;
    b->no_sketch = bits && !parts[0].bits.sketch; /* both come from the index, whatever the options say */
    b->no_shadow = !bits && !parts[0].vectors.shadow;
    NEP_TRY_OR_DONE(st, cli_index_build_run(ctx, b, added));
    NEP_TRY_OR_DONE(st, nep_index_open(ctx, added, &parts[1]));
    st = nep_index_merge(ctx, to, parts, names, 2);
done:
    nep_index_free(&parts[0]);
    nep_index_free(&parts[1]);
    unlink(added);
    return st;
}

/* The rows go to a file of their own, whose lists are then made and written. */
static nep_status with_lists(cli *c, const cli_index_build *b, const char *to)
{
    nep_ctx *ctx = cli_ctx(c);
    char flat[4096];
    nep_index rows = {0}, lists = {0};
    nep_status st;
    NEP_REQUIRE(ctx, snprintf(flat, sizeof flat, "%s.flat", to) < (int)sizeof flat, NEP_E_ARG, "%s: the path is too long", to);
    NEP_TRY_OR_DONE(st, cli_index_build_run(ctx, b, flat));
    NEP_TRY_OR_DONE(st, nep_index_open(ctx, flat, &rows));
    NEP_TRY_OR_DONE(st, nep_ivf_build(ctx, &rows, cli_int(c, "lists"), 0, &lists));
    st = nep_index_write(ctx, to, &lists);
done:
    nep_index_free(&lists);
    nep_index_free(&rows);
    unlink(flat);
    return st;
}

static nep_status run(cli *c)
{
    cli_index_build b = {.n_inputs = cli_input_count(c)};
    const char **inputs = NULL;
    nep_status st;
    NEP_TRY(read_options(c, &b));
    NEP_TRY(nep_alloc(cli_ctx(c), b.n_inputs, sizeof *inputs, "inputs", &inputs));
    for (int i = 0; i < b.n_inputs; i++)
        inputs[i] = cli_input(c, i);
    b.inputs = inputs;
    if (cli_dry_run(c)) {
        st = plan(c, &b);
        goto done;
    }
    NEP_TRY_OR_DONE(st, cli_given(c, "append")    ? append(c, &b, cli_out(c))
                        : cli_int(c, "lists") > 0 ? with_lists(c, &b, cli_out(c))
                                                  : cli_index_build_run(cli_ctx(c), &b, cli_out(c)));
    st = cli_index_tell(c, cli_out(c));
done:
    nep_alloc_free(inputs);
    return st;
}

const cli_command cli_cmd_vectors = {
    .name = "vectors",
    .group = "Maps and molecules",
    .summary = "vectors or fingerprints of other programs to an index that is searched exactly",
    .inputs = "IN.npy|fvecs|fbin|h5|safetensors|fps...",
    .min_inputs = 1,
    .max_inputs = -1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe vectors embeddings.npy --ids subjects.tsv --type f16 -o subjects.nepx",
};
