/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what one run of the program holds; for the frame (main, options, output, help) alone. */
#ifndef NEP_CLI_STATE_H
#define NEP_CLI_STATE_H

#include <time.h>

#include "cli/cli.h"
#include "cli/hashes.h"

enum { CLI_MAX_OPTIONS = 128, CLI_MAX_INPUTS = 65536 };

typedef struct {
    char **values; /* texts given, in order */
    int n;
    const char *origin; /* "flag", "environment", "default" */
} cli_value;

struct cli {
    nep_ctx *ctx;
    const cli_command *command;
    const char **inputs;
    int n_inputs;
    cli_value value[CLI_MAX_OPTIONS]; /* the command's options, then the global ones */
    char **extra_inputs;              /* registered later */
    int n_extra;
    cli_hashes *hashes; /* NULL = inputs are hashed when asked for */
    bool printed; /* the one JSON document is out */
    bool terminal;
    double last_progress;
    struct timespec started;
};

/* Fills c from the words after the command; on failure the sentence is in `problem` and the status is NEP_E_USAGE. */
nep_status cli_parse(cli *c, int argc, char **argv, char *problem, size_t size);
const cli_option *cli_option_at(const cli_command *command, int index);
int cli_option_count(const cli_command *command);
void cli_values_free(cli *c);
void cli_help_program(FILE *out);
void cli_help_command(const cli_command *command, FILE *out);
void cli_error_document(const char *command, nep_status st, const char *file, const char *message);

#endif
