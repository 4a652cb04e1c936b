/* SPDX-License-Identifier: Apache-2.0 */
/* json - JSON files through jansson: at most 64 MiB, duplicate keys refused, line and column in the sentence.
 */
#include "io/json.h"

#include <nepenthe/io.h>

#include <string.h>

static const int64_t json_limit = (int64_t)64 << 20;

nep_status nep_json_parse(nep_ctx *ctx, const char *path, const char *text, int64_t n, json_t **out)
{
    json_error_t where;
    json_t *doc = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &where);
    if (!doc)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: line %d, column %d: %s", path, where.line,
                                 where.column, where.text);
    *out = doc;
    return NEP_OK;
}

nep_status nep_json_read(nep_ctx *ctx, const char *path, struct json_t **out)
{
    char *text = NULL;
    int64_t n = 0;
    NEP_TRY(nep_file_read(ctx, path, json_limit, &text, &n));
    const nep_status st = nep_json_parse(ctx, path, text, n, out);
    nep_alloc_free(text);
    return st;
}

nep_status nep_json_sidecar(nep_ctx *ctx, const char *path, json_t **out)
{
    static const char *const tails[] = {".gz", ".tsv", ".csv", ".nii"};
    char *name = NULL;
    *out = NULL;
    NEP_TRY(nep_alloc(ctx, (int64_t)strlen(path) + 8, 1, "sidecar name", &name));
    memcpy(name, path, strlen(path));
    for (int i = 0; i < NEP_LEN(tails); i++) {
        const size_t n = strlen(name), m = strlen(tails[i]);
        if (n > m && strcmp(name + n - m, tails[i]) == 0)
            name[n - m] = '\0';
    }
    memcpy(name + strlen(name), ".json", 6);
    const nep_status st = nep_file_exists(name) ? nep_json_read(ctx, name, out) : NEP_OK;
    nep_alloc_free(name);
    return st;
}
