/* SPDX-License-Identifier: Apache-2.0 */
/* hashes.h - hashes of the input files, taken beside the command's work. */
#ifndef NEPENTHE_CLI_HASHES_H
#define NEPENTHE_CLI_HASHES_H

#include "cli/cli.h"

typedef struct cli_hashes cli_hashes;

/* A thread hashes those of these that are regular files, in turn; paths must live until cli_hashes_end. NULL when none can be had: they are then
 * hashed when asked for. */
cli_hashes *cli_hashes_begin(const char *const *paths, int n);
/* The hash of one of them, waiting for it if need be; false when it is not among them or could not be read. */
bool cli_hashes_get(cli_hashes *h, const char *path, nep_hash *out);
/* Gives up what is not hashed yet. Takes NULL. */
void cli_hashes_end(cli_hashes *h);

#endif
