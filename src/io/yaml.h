/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.h - one YAML document as a tree whose every node knows its line and column; under study.c. */
#ifndef NEP_IO_YAML_H
#define NEP_IO_YAML_H

#include <nepenthe/core.h>

#include <yaml.h>

typedef struct {
    nep_ctx *ctx;
    const char *path;
    yaml_document_t doc;
    bool loaded;
} nep_yaml;

/* Parses one document. Refused: a second document, aliases (one node standing in two places), more than 1
 * MiB. Errors: NEP_E_CONFIG with line and column. */
NEP_MUST_USE nep_status nep_yaml_open(nep_ctx *ctx, const char *path, const char *text, int64_t n,
                                      nep_yaml *out);
void nep_yaml_free(nep_yaml *y);
yaml_node_t *nep_yaml_root(nep_yaml *y);

/* NEP_E_CONFIG, "<path>: line L, column C: <sentence>"; node NULL = the whole file. */
nep_status nep_yaml_fail(nep_yaml *y, const yaml_node_t *node, const char *fmt, ...) NEP_PRINTF(3, 4);

/* The values of a mapping by key, NULL where absent. Unknown keys are refused with the nearest known one,
 * repeated keys too. `what` names the mapping. */
NEP_MUST_USE nep_status nep_yaml_map(nep_yaml *y, yaml_node_t *node, const char *what,
                                     const char *const *keys, int n_keys, yaml_node_t **values);
/* The items of a sequence; lent, NULL past the end. */
NEP_MUST_USE nep_status nep_yaml_list(nep_yaml *y, yaml_node_t *node, const char *what, int64_t *n);
yaml_node_t *nep_yaml_item(nep_yaml *y, yaml_node_t *list, int64_t i);
/* The text of a scalar that is not empty; lent. */
NEP_MUST_USE nep_status nep_yaml_text(nep_yaml *y, yaml_node_t *node, const char *what, const char **out);
/* A path, owned: ${NEPENTHE_SHARED} at its start is expanded, a relative one starts at the file's folder. */
NEP_MUST_USE nep_status nep_yaml_path(nep_yaml *y, yaml_node_t *node, const char *what, char **out);
NEP_MUST_USE nep_status nep_yaml_number(nep_yaml *y, yaml_node_t *node, const char *what, double low,
                                        double high, double *out);
NEP_MUST_USE nep_status nep_yaml_whole(nep_yaml *y, yaml_node_t *node, const char *what, int64_t low,
                                       int64_t high, int64_t *out);
/* Index of the scalar among the words; an unknown word is refused with the list. */
NEP_MUST_USE nep_status nep_yaml_choice(nep_yaml *y, yaml_node_t *node, const char *what,
                                        const char *const *words, int n, int *out);

#endif
