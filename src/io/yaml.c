/* SPDX-License-Identifier: Apache-2.0 */
/* yaml - a checked tree over libyaml: known keys only, no aliases, and a place in every sentence.
 *
 * libcyaml maps YAML onto fixed structs; the study file has values of two shapes (`se: COL or [n1, n2]`) and
 * free option keys, and its sentences need the nearest key, so the layer below it is used. */
#include "io/yaml.h"

#include <nepenthe/data.h>

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const int64_t yaml_limit = (int64_t)1 << 20, list_limit = 4096;

nep_status nep_yaml_fail(nep_yaml *y, const yaml_node_t *node, const char *fmt, ...)
{
    char text[700];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!node)
        return nep_ctx_fail_file(y->ctx, NEP_E_CONFIG, y->path, "%s: %s", y->path, text);
    return nep_ctx_fail_file(y->ctx, NEP_E_CONFIG, y->path, "%s: line %zu, column %zu: %s", y->path,
                             node->start_mark.line + 1, node->start_mark.column + 1, text);
}

static nep_status syntax(nep_yaml *y, const yaml_parser_t *p)
{
    if (p->error == YAML_MEMORY_ERROR)
        return nep_ctx_fail(y->ctx, NEP_E_NOMEM, "%s: no memory to parse it", y->path);
    if (p->error == YAML_READER_ERROR)
        return nep_yaml_fail(y, NULL, "byte %zu: %s", p->problem_offset,
                             p->problem ? p->problem : "not readable");
    return nep_ctx_fail_file(y->ctx, NEP_E_CONFIG, y->path, "%s: line %zu, column %zu: %s%s%s", y->path,
                             p->problem_mark.line + 1, p->problem_mark.column + 1,
                             p->problem ? p->problem : "not YAML", p->context ? ", " : "",
                             p->context ? p->context : "");
}

/* A node that stands in two places was reached through an alias: trees only. */
static nep_status check_tree(nep_yaml *y)
{
    const int64_t n = y->doc.nodes.top - y->doc.nodes.start;
    unsigned char *seen = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(y->ctx, n + 1, 1, "yaml nodes", &seen));
    for (int64_t i = 0; i < n && st == NEP_OK; i++) {
        const yaml_node_t *node = y->doc.nodes.start + i;
        bool twice = false;
        if (node->type == YAML_SEQUENCE_NODE)
            for (const int *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
                 item++)
                twice |= seen[*item]++ > 0 || *item == 1;
        if (node->type == YAML_MAPPING_NODE)
            for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
                 p++) {
                twice |= seen[p->key]++ > 0 || p->key == 1;
                twice |= seen[p->value]++ > 0 || p->value == 1;
            }
        if (twice)
            st = nep_yaml_fail(y, node, "holds an alias (*name); write the value out");
    }
    nep_alloc_free(seen);
    return st;
}

nep_status nep_yaml_open(nep_ctx *ctx, const char *path, const char *text, int64_t n, nep_yaml *out)
{
    nep_yaml y = {.ctx = ctx, .path = path};
    yaml_parser_t parser;
    yaml_document_t second;
    nep_status st = NEP_OK;
    if (n > yaml_limit)
        return nep_yaml_fail(&y, NULL, "is larger than 1 MiB, which no study file is");
    NEP_REQUIRE(ctx, yaml_parser_initialize(&parser), NEP_E_NOMEM, "%s: no memory to parse it", path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, (size_t)n);
    y.loaded = yaml_parser_load(&parser, &y.doc) == 1;
    if (!y.loaded)
        st = syntax(&y, &parser);
    else if (!yaml_document_get_root_node(&y.doc))
        st = nep_yaml_fail(&y, NULL, "is empty");
    else
        st = check_tree(&y);
    if (st == NEP_OK) {
        if (!yaml_parser_load(&parser, &second)) {
            st = syntax(&y, &parser);
        } else {
            if (yaml_document_get_root_node(&second))
                st = nep_yaml_fail(&y, yaml_document_get_root_node(&second),
                                   "a second document starts here; one is allowed");
            yaml_document_delete(&second);
        }
    }
    yaml_parser_delete(&parser);
    if (st != NEP_OK) {
        nep_yaml_free(&y);
        return st;
    }
    *out = y;
    return NEP_OK;
}

void nep_yaml_free(nep_yaml *y)
{
    if (y->loaded)
        yaml_document_delete(&y->doc);
    y->loaded = false;
}

yaml_node_t *nep_yaml_root(nep_yaml *y)
{
    return yaml_document_get_root_node(&y->doc);
}

nep_status nep_yaml_text(nep_yaml *y, yaml_node_t *node, const char *what, const char **out)
{
    if (node->type != YAML_SCALAR_NODE)
        return nep_yaml_fail(y, node, "%s must be one word or text, not a list or mapping", what);
    const char *text = (const char *)node->data.scalar.value;
    const size_t n = node->data.scalar.length;
    if (n == 0 || (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                   (strcmp(text, "~") == 0 || strcmp(text, "null") == 0)))
        return nep_yaml_fail(y, node, "%s is empty; give it a value or remove the key", what);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            return nep_yaml_fail(y, node, "%s holds a control character", what);
    *out = text;
    return NEP_OK;
}

nep_status nep_yaml_path(nep_yaml *y, yaml_node_t *node, const char *what, char **out)
{
    static const char variable[] = "${NEPENTHE_SHARED}";
    const char *text, *folder = "";
    char *base = NULL;
    NEP_TRY(nep_yaml_text(y, node, what, &text));
    if (strncmp(text, variable, sizeof variable - 1) == 0) {
        folder = getenv("NEPENTHE_SHARED");
        if (!folder || !*folder)
            return nep_yaml_fail(y, node,
                                 "%s uses %s, which is not set; set it to the folder of the shared data",
                                 what, variable);
        text += sizeof variable - 1;
        text += *text == '/';
    }
    if (strchr(text, '$'))
        return nep_yaml_fail(y, node, "%s is '%.80s': only a leading %s is expanded", what, text, variable);
    const char *slash = strrchr(y->path, '/');
    if (!*folder && slash) {
        NEP_TRY(nep_alloc_copy(y->ctx, y->path, slash - y->path + 2, 1, "folder", &base));
        base[slash - y->path + 1] = '\0';
    }
    const nep_status st = nep_file_join(y->ctx, base ? base : folder, text, out);
    nep_alloc_free(base);
    return st;
}

static int find_key(const char *key, const char *const *keys, int n)
{
    for (int k = 0; k < n; k++)
        if (strcmp(key, keys[k]) == 0)
            return k;
    return -1;
}

nep_status nep_yaml_map(nep_yaml *y, yaml_node_t *node, const char *what, const char *const *keys, int n_keys,
                        yaml_node_t **values)
{
    if (node->type != YAML_MAPPING_NODE)
        return nep_yaml_fail(y, node, "%s must be a mapping (key: value)", what);
    for (int k = 0; k < n_keys; k++)
        values[k] = NULL;
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        yaml_node_t *key_node = yaml_document_get_node(&y->doc, p->key);
        const char *key;
        NEP_TRY(nep_yaml_text(y, key_node, "a key", &key));
        const int k = find_key(key, keys, n_keys);
        if (k < 0) {
            const char *near = nep_data_nearest(key, keys, n_keys);
            return nep_yaml_fail(y, key_node, "%s has no key '%.60s'%s%s%s", what, key,
                                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        if (values[k])
            return nep_yaml_fail(y, key_node, "%s has the key '%s' twice", what, key);
        values[k] = yaml_document_get_node(&y->doc, p->value);
    }
    return NEP_OK;
}

nep_status nep_yaml_list(nep_yaml *y, yaml_node_t *node, const char *what, int64_t *n)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return nep_yaml_fail(y, node, "%s must be a list", what);
    *n = node->data.sequence.items.top - node->data.sequence.items.start;
    if (*n > list_limit)
        return nep_yaml_fail(y, node, "%s has %lld items, at most %lld are read", what, (long long)*n,
                             (long long)list_limit);
    return NEP_OK;
}

yaml_node_t *nep_yaml_item(nep_yaml *y, yaml_node_t *list, int64_t i)
{
    return yaml_document_get_node(&y->doc, list->data.sequence.items.start[i]);
}

nep_status nep_yaml_number(nep_yaml *y, yaml_node_t *node, const char *what, double low, double high,
                           double *out)
{
    const char *text;
    char *end;
    NEP_TRY(nep_yaml_text(y, node, what, &text));
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v))
        return nep_yaml_fail(y, node, "%s is '%.40s', must be a number", what, text);
    if (v < low || v > high)
        return nep_yaml_fail(y, node, "%s is %g, must lie in %g to %g", what, v, low, high);
    *out = v;
    return NEP_OK;
}

nep_status nep_yaml_whole(nep_yaml *y, yaml_node_t *node, const char *what, int64_t low, int64_t high,
                          int64_t *out)
{
    double v = 0;
    NEP_TRY(nep_yaml_number(y, node, what, (double)low, (double)high, &v));
    if (v != floor(v))
        return nep_yaml_fail(y, node, "%s is %g, must be a whole number", what, v);
    *out = (int64_t)v;
    return NEP_OK;
}

nep_status nep_yaml_choice(nep_yaml *y, yaml_node_t *node, const char *what, const char *const *words, int n,
                           int *out)
{
    const char *text;
    char list[300] = "";
    NEP_TRY(nep_yaml_text(y, node, what, &text));
    const int k = find_key(text, words, n);
    for (int i = 0; k < 0 && i < n; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", words[i]);
    if (k < 0)
        return nep_yaml_fail(y, node, "%s is '%.40s', must be one of %s", what, text, list);
    *out = k;
    return NEP_OK;
}
