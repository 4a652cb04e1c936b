/* SPDX-License-Identifier: Apache-2.0 */
/* network_file.h - what the YAML of a network says, before any table is read; for nep_network_read and the fuzzer. */
#ifndef NEP_IO_NETWORK_FILE_H
#define NEP_IO_NETWORK_FILE_H

#include <nepenthe/io.h>

typedef struct {
    char *id, *name, *path;     /* of a kind: its nodes, or NULL; of a metaedge: its edges */
    char *licence, *source;     /* of a metaedge; or NULL */
} nep_network_part;

typedef struct {
    char *name;
    bool strict;
    nep_network_part *kind, *metaedge;
    int64_t n_kinds, n_metaedges;
} nep_network_file;

NEP_MUST_USE nep_status nep_network_parse(nep_ctx *ctx, const char *path, const char *text, int64_t n, nep_network_file *out);
void nep_network_file_free(nep_network_file *f);

#endif
