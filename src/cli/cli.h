/* SPDX-License-Identifier: Apache-2.0 */
/* cli - the only room that prints or exits: a row per command, typed options that are the help text. */
#ifndef NEPENTHE_CLI_H
#define NEPENTHE_CLI_H

#include <jansson.h>
#include <nepenthe/core.h>

typedef enum {
    CLI_FLAG,   /* present or not */
    CLI_TEXT,   /* any word */
    CLI_TEXTS,  /* repeatable, and comma lists are split */
    CLI_INT,    /* whole number */
    CLI_REAL,   /* decimal number */
    CLI_CHOICE, /* one of `choices`, separated by | */
    CLI_INPUT,  /* a file that is read: hashed into the provenance */
    CLI_INPUTS, /* files that are read: as CLI_INPUT, repeatable as CLI_TEXTS */
    CLI_OUTPUT  /* a file that is written */
} cli_type;

typedef struct {
    const char *name; /* long name, with '-' */
    char letter;      /* 0 = none */
    cli_type type;
    const char *meta;    /* S in `--tr S` */
    const char *initial; /* default as text, NULL = none */
    const char *choices; /* CLI_CHOICE */
    const char *help;    /* one line, with units */
} cli_option;

typedef struct cli cli;

typedef struct {
    const char *name, *group, *summary;
    const char *inputs;  /* "IMAGE", "SERIES...", "" */
    int min_inputs, max_inputs; /* max -1 = any */
    bool inputs_are_files;      /* hashed into the provenance */
    const cli_option *options;
    int n_options;
    nep_status (*run)(cli *c);
    const char *example; /* one command line */
} cli_command;

/* Options that every command takes. */
extern const cli_option cli_global_options[];
extern const int cli_global_count;

/* Every command is one row of commands.c, in the order of the help. */
extern const cli_command *const cli_commands[]; /* NULL-terminated */

/* What a command asks for. A name that is not in its table is an internal error. */
nep_ctx *cli_ctx(const cli *c);
int cli_input_count(const cli *c);
const char *cli_input(const cli *c, int i);
bool cli_given(const cli *c, const char *option); /* by flag, environment or default */
const char *cli_text(const cli *c, const char *option); /* NULL when not given */
int64_t cli_int(const cli *c, const char *option);
double cli_real(const cli *c, const char *option); /* NaN when not given */
const char *const *cli_texts(const cli *c, const char *option, int *n);
bool cli_flag(const cli *c, const char *option);
/* --shard I/N, both 0 when not given. Errors: NEP_E_USAGE (another text, I not from 1 to N). */
NEP_MUST_USE nep_status cli_shard(cli *c, int64_t *shard, int64_t *n_shards);
const char *cli_out(const cli *c);   /* -o/--out, NULL = stdout */
bool cli_json(const cli *c);
bool cli_dry_run(const cli *c);

/* --dry-run: prints the plan (units, memory, outputs) as text or JSON. */
nep_status cli_plan(cli *c, int64_t units, int64_t mem_bytes, double seconds, const char *const *outputs, int n_outputs);

/* Registers a further input file for the provenance (inputs and those of CLI_INPUT and CLI_INPUTS come by themselves). */
nep_status cli_input_add(cli *c, const char *path);
/* The provenance: version, command, parameters, seed, device, input hashes, licence. New reference. */
json_t *cli_provenance(cli *c, const char *licence);
/* Writes <path without .nii/.gz/.tsv/...>.json beside an output; `extra` (may be NULL) is merged in and consumed. */
nep_status cli_sidecar(cli *c, const char *path, const char *licence, json_t *extra);
/* Data to stdout, or to -o atomically: `write` gets the path of a temporary file and writes there. */
nep_status cli_emit(cli *c, nep_status (*write)(nep_ctx *ctx, const char *path, void *user), void *user,
                    const char *licence, json_t *extra);
/* With --json: prints the one document; adds "schema". Consumes doc. Without --json it only consumes it. */
nep_status cli_document(cli *c, json_t *doc);
/* A line of talk on stderr (not with -q). */
void cli_say(cli *c, const char *fmt, ...) NEP_PRINTF(2, 3);
/* A number for a document: null when it is not finite. New reference. */
json_t *cli_number(double x);
/* Text that is data, to stdout. */
void cli_print(const char *fmt, ...) NEP_PRINTF(1, 2);

#endif
