/* SPDX-License-Identifier: Apache-2.0 */
/* merge.h - kinds of parts that `nepenthe merge` makes a whole of, told apart by the first bytes of the first part. */
#ifndef NEP_CLI_MERGE_H
#define NEP_CLI_MERGE_H

#include "cli/cli.h"

typedef struct {
    const char *prefix; /* a part begins with these bytes */
    const char *what;   /* for the sentence that lists what can be merged */
    nep_status (*run)(cli *c); /* all inputs are of this kind, or are refused by name */
} cli_merge_kind;

/* Index files: shards of one set, or whole sets one after the other (cmd_merge.c). */
nep_status cli_merge_indexes(cli *c);

#endif
