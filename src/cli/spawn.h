/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h - runs another nepenthe command as a person would type it. */
#ifndef NEP_CLI_SPAWN_H
#define NEP_CLI_SPAWN_H

#include "cli/cli.h"

/* Runs this program with `words` (NULL-terminated, without the program's name); the device, seed, threads, memory and
 * loudness of `c` go with it. Prints the line first. `allowed` is a second exit code that counts as done (0 = none).
 * Errors: NEP_E_IO (cannot start), the child's own status otherwise, with the command named. */
nep_status cli_spawn(cli *c, const char *const *words, int allowed);

/* Folder of the tables this program ships: beside an installed program, or in the source tree. NEP_E_MISSING when
 * neither is there. out has room for `size` bytes. */
nep_status cli_data_folder(cli *c, char *out, size_t size);

#endif
