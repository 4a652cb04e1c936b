/* SPDX-License-Identifier: Apache-2.0 */
/* index_facts.h - what is in an index, for documents and for a line of talk. */
#ifndef NEP_CLI_INDEX_FACTS_H
#define NEP_CLI_INDEX_FACTS_H

#include <nepenthe/index.h>

#include "cli/cli.h"

/* {kind, width, type, rows, total, first, ids, columns, sketch | shadow, lists, about, content}. New reference. */
json_t *cli_index_facts(const nep_index *x);
/* "1000 rows of 2048 bits", for sentences. Returns buf. */
const char *cli_index_line(const nep_index *x, char *buf, size_t size);
/* Of an index that was just written: a line of talk, the sidecar, the document. */
NEP_MUST_USE nep_status cli_index_tell(cli *c, const char *path);
/* -o is a file, which an index must be: NEP_E_USAGE with the command's name. */
NEP_MUST_USE nep_status cli_index_need_out(cli *c, const char *command);

#endif
