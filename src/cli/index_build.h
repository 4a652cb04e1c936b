/* SPDX-License-Identifier: Apache-2.0 */
/* index_build.h - files of rows to one index file. */
#ifndef NEP_CLI_INDEX_BUILD_H
#define NEP_CLI_INDEX_BUILD_H

#include <nepenthe/io.h>

#include "cli/cli.h"

typedef struct {
    const char *const *inputs; /* rows of one after those of the other */
    int n_inputs;
    nep_source_opts source;
    const char *ids;      /* TSV: id, then metadata; or NULL */
    nep_vector_type type; /* 0 = what loses nothing */
    bool no_sketch, no_shadow;
    const char *about;    /* NULL = what the first file says */
    int64_t shard, n_shards;
} cli_index_build;

/* Looks at the inputs without reading their rows: kind, width and type agree, or NEP_E_FORMAT. layout and rows (-1 = not known) may be
 * shown as a plan; about in it is lent by *first, which the caller frees. */
NEP_MUST_USE nep_status cli_index_build_look(nep_ctx *ctx, const cli_index_build *b, nep_index_layout *layout, int64_t *rows, nep_source **first);
/* Writes them. Errors: those of the readers and of nep_index_writer_*, NEP_E_FORMAT (a table of ids of another length). */
NEP_MUST_USE nep_status cli_index_build_run(nep_ctx *ctx, const cli_index_build *b, const char *path);

#endif
