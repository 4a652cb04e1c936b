/* SPDX-License-Identifier: Apache-2.0 */
/* network_file - the YAML of a network (schema nepenthe/network/1): every key checked, paths resolved. */
#include "io/network_file.h"
#include "io/yaml.h"

#include <string.h>

static nep_status text_of(nep_yaml *y, yaml_node_t *node, const char *what, char **out)
{
    const char *text;
    if (!node)
        return NEP_OK;
    NEP_TRY(nep_yaml_text(y, node, what, &text));
    return nep_alloc_string(y->ctx, text, out);
}

static nep_status check_schema(nep_yaml *y, yaml_node_t *root, yaml_node_t *node)
{
    static const char family[] = "nepenthe/network/";
    const char *text;
    if (!node)
        return nep_yaml_fail(y, root, "the network has no schema; start it with `schema: nepenthe/network/1`");
    NEP_TRY(nep_yaml_text(y, node, "schema", &text));
    const char *version = text + sizeof family - 1;
    if (strncmp(text, family, sizeof family - 1) != 0 || version[0] != '1' || (version[1] != '\0' && version[1] != '.'))
        return nep_yaml_fail(y, node, "schema is '%.60s', this version reads nepenthe/network/1", text);
    return NEP_OK;
}

static nep_status read_kind(nep_yaml *y, yaml_node_t *node, nep_network_part *p)
{
    static const char *const keys[] = {"id", "name", "nodes"};
    yaml_node_t *v[NEP_LEN(keys)];
    NEP_TRY(nep_yaml_map(y, node, "a kind", keys, NEP_LEN(keys), v));
    if (!v[0])
        return nep_yaml_fail(y, node, "a kind needs an id, its abbreviation (C, G, PW)");
    NEP_TRY(text_of(y, v[0], "id", &p->id));
    NEP_TRY(text_of(y, v[1], "name", &p->name));
    return v[2] ? nep_yaml_path(y, v[2], "nodes", &p->path) : NEP_OK;
}

static nep_status read_metaedge(nep_yaml *y, yaml_node_t *node, nep_network_part *p)
{
    static const char *const keys[] = {"id", "edges", "licence", "source"};
    yaml_node_t *v[NEP_LEN(keys)];
    NEP_TRY(nep_yaml_map(y, node, "a metaedge", keys, NEP_LEN(keys), v));
    if (!v[0] || !v[1])
        return nep_yaml_fail(y, node, "a metaedge needs %s", v[0] ? "edges, the file of its edge list" : "an id (CbG, Gr>G)");
    NEP_TRY(text_of(y, v[0], "id", &p->id));
    NEP_TRY(nep_yaml_path(y, v[1], "edges", &p->path));
    NEP_TRY(text_of(y, v[2], "licence", &p->licence));
    return text_of(y, v[3], "source", &p->source);
}

static nep_status read_list(nep_yaml *y, yaml_node_t *node, const char *what, nep_status (*read)(nep_yaml *, yaml_node_t *, nep_network_part *),
                            nep_network_part **out, int64_t *n_out)
{
    int64_t n = 0;
    if (!node)
        return NEP_OK;
    NEP_TRY(nep_yaml_list(y, node, what, &n));
    NEP_TRY(nep_alloc(y->ctx, n, sizeof **out, what, out));
    *n_out = n;
    for (int64_t i = 0; i < n; i++) {
        yaml_node_t *item = nep_yaml_item(y, node, i);
        NEP_TRY(read(y, item, &(*out)[i]));
        for (int64_t j = 0; j < i; j++)
            if (strcmp((*out)[i].id, (*out)[j].id) == 0)
                return nep_yaml_fail(y, item, "%s lists '%.40s' twice", what, (*out)[i].id);
    }
    return NEP_OK;
}

static nep_status read_root(nep_yaml *y, nep_network_file *f)
{
    static const char *const keys[] = {"schema", "name", "strict", "kinds", "metaedges"}, *const switches[] = {"false", "true"};
    yaml_node_t *root = nep_yaml_root(y), *v[NEP_LEN(keys)];
    int strict = 0;
    NEP_TRY(nep_yaml_map(y, root, "the network", keys, NEP_LEN(keys), v));
    NEP_TRY(check_schema(y, root, v[0]));
    if (!v[1] || !v[4])
        return nep_yaml_fail(y, root, "the network needs the key '%s'", v[1] ? "metaedges" : "name");
    NEP_TRY(text_of(y, v[1], "name", &f->name));
    if (v[2])
        NEP_TRY(nep_yaml_choice(y, v[2], "strict", switches, 2, &strict));
    f->strict = strict == 1;
    NEP_TRY(read_list(y, v[3], "kinds", read_kind, &f->kind, &f->n_kinds));
    NEP_TRY(read_list(y, v[4], "metaedges", read_metaedge, &f->metaedge, &f->n_metaedges));
    return f->n_metaedges > 0 ? NEP_OK : nep_yaml_fail(y, v[4], "metaedges is empty; a network needs one");
}

nep_status nep_network_parse(nep_ctx *ctx, const char *path, const char *text, int64_t n, nep_network_file *out)
{
    nep_yaml y = {0};
    nep_network_file f = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_yaml_open(ctx, path, text, n, &y));
    NEP_TRY_OR_DONE(st, read_root(&y, &f));
    *out = f;
    f = (nep_network_file){0};
done:
    nep_network_file_free(&f);
    nep_yaml_free(&y);
    return st;
}

static void free_parts(nep_network_part *p, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        nep_alloc_free(p[i].id);
        nep_alloc_free(p[i].name);
        nep_alloc_free(p[i].path);
        nep_alloc_free(p[i].licence);
        nep_alloc_free(p[i].source);
    }
    nep_alloc_free(p);
}

void nep_network_file_free(nep_network_file *f)
{
    free_parts(f->kind, f->n_kinds);
    free_parts(f->metaedge, f->n_metaedges);
    nep_alloc_free(f->name);
    *f = (nep_network_file){0};
}
