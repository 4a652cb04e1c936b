/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe molecules - structures to canonical SMILES, InChIKey, fingerprint and descriptors. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/molecules.h"

static const cli_option options[] = {
    {"fingerprint", 'f', CLI_TEXT, "KIND", "morgan:2:2048", NULL, "morgan:RADIUS:BITS, rdkit:BITS, maccs or none; at most 8192 bits"},
    {"descriptors", 'D', CLI_FLAG, NULL, NULL, NULL, "weight, logP, TPSA, counts and CNS rules; src/molecule/README.md defines each"},
    {"parent", 0, CLI_FLAG, NULL, NULL, NULL, "all of it for the largest component; default: the record as given, salts with it"},
    {"no-inchikey", 0, CLI_FLAG, NULL, NULL, NULL, "leave InChIKeys out, which is twice as fast; no duplicates are told then"},
    {"format", 0, CLI_CHOICE, "NAME", NULL, "smi|sdf|csv|tsv", "what the input is; default: by its name"},
    {"smiles-column", 0, CLI_TEXT, "COLUMN", NULL, NULL, "of a csv or tsv; default: smiles or canonical_smiles"},
    {"id-column", 0, CLI_TEXT, "COLUMN", NULL, NULL, "of a csv or tsv (default: id, drug_id or name) or data field of an sdf (default: its title)"},
    {"tsv", 0, CLI_OUTPUT, "FILE", NULL, NULL, "also a table; `rank` reads it as its drugs"},
    {"fps", 0, CLI_OUTPUT, "FILE", NULL, NULL, "also fingerprints as FPS text, chemfp's format"},
    {"index", 0, CLI_OUTPUT, "FILE", NULL, NULL, "also an index file of the fingerprints, to search in"},
    {"skipped", 0, CLI_OUTPUT, "FILE", NULL, NULL, "records that were skipped: line, id, reason; default: NAME_skipped.tsv beside the output"},
};

typedef enum { MOLSET, TABLE, FINGERPRINTS, INDEX } kind;
enum { most_outputs = 4 };

typedef struct {
    const char *path[most_outputs];
    kind kind[most_outputs];
    int n;
    char skipped[4096]; /* "" = nowhere to write it */
} outputs;

static bool ends_with(const char *path, const char *end)
{
    const size_t n = strlen(path), m = strlen(end);
    return n > m && strcasecmp(path + n - m, end) == 0;
}

static nep_status add_output(cli *c, outputs *o, const char *path, kind k)
{
    for (int i = 0; i < o->n; i++)
        NEP_REQUIRE(cli_ctx(c), strcmp(o->path[i], path) != 0, NEP_E_USAGE, "two outputs are called '%s'", path);
    o->path[o->n] = path;
    o->kind[o->n++] = k;
    return NEP_OK;
}

static nep_status plan_outputs(cli *c, outputs *o)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *out = cli_out(c);
    if (out) {
        const bool h5 = ends_with(out, ".h5") || ends_with(out, ".hdf5"), tsv = ends_with(out, ".tsv"), fps = ends_with(out, ".fps"),
                   index = ends_with(out, ".nepx");
        NEP_REQUIRE(ctx, h5 || tsv || fps || index, NEP_E_USAGE, "-o '%s': a name that ends in .h5, .tsv, .fps or .nepx tells what to write", out);
        NEP_TRY(add_output(c, o, out, h5 ? MOLSET : tsv ? TABLE : fps ? FINGERPRINTS : INDEX));
    }
    if (cli_given(c, "tsv"))
        NEP_TRY(add_output(c, o, cli_text(c, "tsv"), TABLE));
    if (cli_given(c, "fps"))
        NEP_TRY(add_output(c, o, cli_text(c, "fps"), FINGERPRINTS));
    if (cli_given(c, "index"))
        NEP_TRY(add_output(c, o, cli_text(c, "index"), INDEX));
    if (cli_given(c, "skipped")) {
        snprintf(o->skipped, sizeof o->skipped, "%s", cli_text(c, "skipped"));
    } else if (o->n > 0) {
        const char *slash = strrchr(o->path[0], '/'), *dot = strrchr(slash ? slash : o->path[0], '.');
        const int stem = dot ? (int)(dot - o->path[0]) : (int)strlen(o->path[0]);
        NEP_REQUIRE(ctx, snprintf(o->skipped, sizeof o->skipped, "%.*s_skipped.tsv", stem, o->path[0]) < (int)sizeof o->skipped, NEP_E_USAGE,
                    "the name of the output is too long");
    }
    return NEP_OK;
}

static nep_status read_options(cli *c, cli_molecules_job *j, outputs *o)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *text = cli_text(c, "fingerprint");
    NEP_TRY(nep_fingerprint_parse(ctx, text, &j->opts.fingerprint));
    snprintf(j->fingerprint, sizeof j->fingerprint, "%s", text);
    j->source = strcmp(cli_input(c, 0), "-") == 0 ? "stdin" : cli_input(c, 0);
    j->opts.inchikey = !cli_flag(c, "no-inchikey");
    j->opts.descriptors = cli_flag(c, "descriptors");
    j->opts.parent = cli_flag(c, "parent");
    NEP_TRY(plan_outputs(c, o));
    for (int i = 0; i < o->n; i++)
        NEP_REQUIRE(ctx, (o->kind[i] != FINGERPRINTS && o->kind[i] != INDEX) || j->opts.fingerprint.n_bits > 0, NEP_E_USAGE,
                    "'%s' needs a fingerprint, and there is none", o->path[i]);
    return NEP_OK;
}

static nep_status open_input(cli *c, nep_records **records)
{
    const nep_records_opts opts = {
        .format = cli_text(c, "format"), .smiles_column = cli_text(c, "smiles-column"), .id_column = cli_text(c, "id-column")};
    return nep_records_open(cli_ctx(c), cli_input(c, 0), &opts, records);
}

static nep_status plan(cli *c, const cli_molecules_job *j, const outputs *o)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_records *records = NULL;
    const char *paths[most_outputs] = {"standard output"};
    int64_t n = 0;
    nep_status st;
    const double each = (j->opts.descriptors ? 4e-4 : 1e-4) / nep_ctx_threads(ctx) + (j->opts.inchikey ? 2e-4 : 0);
    const int64_t bytes = 350 + 8 * nep_fingerprint_words(&j->opts.fingerprint) + (j->opts.descriptors ? 8 * NEP_CONVERT_DESCRIPTORS : 0);
    for (int i = 0; i < o->n; i++)
        paths[i] = o->path[i];
    NEP_TRY_OR_DONE(st, open_input(c, &records));
    NEP_TRY_OR_DONE(st, cli_molecules_count(ctx, records, &n));
    st = cli_plan(c, n, n * bytes, (double)n * each, paths, o->n ? o->n : 1);
done:
    nep_records_close(records);
    return st;
}

/* ---- telling ---- */

static nep_status write_skipped(cli *c, const cli_molecules_job *j, const outputs *o)
{
    nep_ctx *ctx = cli_ctx(c);
    if (!o->skipped[0] || (j->skipped.n == 0 && !cli_given(c, "skipped") && !nep_file_exists(o->skipped)))
        return NEP_OK; /* an old list is written over, even with none */
    return cli_molecules_skipped(ctx, o->skipped, j);
}

static nep_status check_any(cli *c, const cli_molecules_job *j, const outputs *o)
{
    const cli_skipped *s = &j->skipped;
    const char *path = j->source;
    if (j->kept.n > 0)
        return NEP_OK;
    if (s->n == 0)
        return nep_ctx_fail_file(cli_ctx(c), NEP_E_FORMAT, path, "%s: holds no molecule", path);
    return nep_ctx_fail_file(cli_ctx(c), NEP_E_FORMAT, path, "%s: none of its %lld records is a molecule; line %lld: %.200s%s%s", path, (long long)s->n,
                             (long long)s->line[0], s->text + s->reason[0], o->skipped[0] ? "; all of them are in " : "", o->skipped);
}

static nep_status some_skipped(cli *c, const cli_molecules_job *j, const outputs *o)
{
    const cli_skipped *s = &j->skipped;
    if (s->n == 0)
        return NEP_OK;
    return nep_ctx_fail(cli_ctx(c), NEP_E_PARTIAL, "%lld of %lld records were skipped, the rest is complete; line %lld: %.150s%s%s", (long long)s->n,
                        (long long)(s->n + j->kept.n), (long long)s->line[0], s->text + s->reason[0],
                        o->skipped[0] ? "; all of them are in " : "; --skipped FILE lists them", o->skipped);
}

static void tell(cli *c, const cli_molecules_job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    if (j->n_duplicates > 0)
        nep_warn(ctx, "molecules with the InChIKey of one before them: %lld; all are kept, duplicate_of names the first", (long long)j->n_duplicates);
    if (j->opts.inchikey && j->n_without_key > 0)
        nep_warn(ctx, "molecules without InChIKey: %lld; InChI knows no query atom, no dative bond and no more than 1023 atoms",
                 (long long)j->n_without_key);
}

static json_t *summary(const cli_molecules_job *j)
{
    json_t *first = json_array();
    for (int64_t i = 0; i < j->skipped.n && i < 100; i++)
        json_array_append_new(first, json_pack("{s:I,s:s}", "line", (json_int_t)j->skipped.line[i], "reason", j->skipped.text + j->skipped.reason[i]));
    return json_pack("{s:I,s:I,s:I,s:I,s:s,s:s,s:o}", "molecules", (json_int_t)j->kept.n, "skipped", (json_int_t)j->skipped.n, "duplicates",
                     (json_int_t)j->n_duplicates, "without_inchikey", (json_int_t)(j->opts.inchikey ? j->n_without_key : j->kept.n), "fingerprint",
                     j->fingerprint, "software", j->about, "skipped_first", first);
}

/* ---- writing ---- */

static nep_status write_molset(cli *c, const char *path, const cli_molecules_job *j)
{
    json_t *doc = cli_provenance(c, NULL);
    char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    nep_status st = NEP_OK;
    NEP_REQUIRE_OR_DONE(st, cli_ctx(c), text != NULL, NEP_E_NOMEM, "%s: no memory for its provenance", path);
    st = cli_molecules_hdf5(cli_ctx(c), path, j, text);
done:
    free(text);
    json_decref(doc);
    return st;
}

static nep_status write_all(cli *c, cli_molecules_job *j, const outputs *o)
{
    for (int i = 0; i < o->n; i++) {
        const char *path = o->path[i];
        NEP_TRY(o->kind[i] == MOLSET  ? write_molset(c, path, j)
                : o->kind[i] == TABLE ? cli_molecules_tsv(cli_ctx(c), path, j)
                : o->kind[i] == INDEX ? cli_molecules_index(cli_ctx(c), path, j)
                                      : cli_molecules_fps(cli_ctx(c), path, j));
        NEP_TRY(cli_sidecar(c, path, NULL, json_pack("{s:o}", "Molecules", summary(j))));
    }
    return o->n == 0 && !cli_json(c) ? cli_emit(c, cli_molecules_tsv, j, NULL, NULL) : NEP_OK;
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    cli_molecules_job j = {0};
    outputs o = {0};
    nep_records *records = NULL;
    nep_status st;
    NEP_TRY(read_options(c, &j, &o));
    if (cli_dry_run(c))
        return plan(c, &j, &o);
    NEP_TRY_OR_DONE(st, open_input(c, &records));
    NEP_TRY_OR_DONE(st, cli_molecules_read(ctx, records, &j));
    NEP_TRY_OR_DONE(st, write_skipped(c, &j, &o));
    NEP_TRY_OR_DONE(st, check_any(c, &j, &o));
    tell(c, &j);
    NEP_TRY_OR_DONE(st, write_all(c, &j, &o));
    NEP_TRY_OR_DONE(st, cli_document(c, summary(&j)));
    st = some_skipped(c, &j, &o);
done:
    nep_records_close(records);
    cli_molecules_free(&j);
    return st;
}

const cli_command cli_cmd_molecules = {.name = "molecules",
                                       .group = "Maps and molecules",
                                       .summary = "structures to canonical SMILES, InChIKey, fingerprint and descriptors",
                                       .inputs = "STRUCTURES",
                                       .min_inputs = 1,
                                       .max_inputs = 1,
                                       .inputs_are_files = true,
                                       .options = options,
                                       .n_options = NEP_LEN(options),
                                       .run = run,
                                       .example = "nepenthe molecules drugs.smi --descriptors -o drugs.h5 --tsv drugs.tsv"};
