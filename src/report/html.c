/* SPDX-License-Identifier: Apache-2.0 */
/* html.c - the shell of a page: style, script and data in one file under a Content-Security-Policy that allows nothing else. */
#include "doc.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *title;
    bool simulated;
    const char *data; /* JSON text */
} page;

static nep_status write_escaped_text(nep_file *f, const char *text)
{
    for (const char *c = text; *c; c++) {
        const char *entity = *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : *c == '&' ? "&amp;" : *c == '"' ? "&quot;" : NULL;
        NEP_TRY(nep_file_write(f, entity ? entity : c, entity ? strlen(entity) : 1));
    }
    return NEP_OK;
}

/* JSON inside a script element: <, >, & and the two line separators of Unicode become \u escapes. */
static nep_status write_escaped_json(nep_file *f, const char *json)
{
    const char *from = json;
    for (const char *c = json;; c++) {
        const bool separator = strncmp(c, "\xE2\x80\xA8", 3) == 0 || strncmp(c, "\xE2\x80\xA9", 3) == 0;
        if (*c && !separator && *c != '<' && *c != '>' && *c != '&')
            continue;
        NEP_TRY(nep_file_write(f, from, (size_t)(c - from)));
        if (!*c)
            return NEP_OK;
        const unsigned code = separator ? ((unsigned char)c[2] == 0xA8 ? 0x2028u : 0x2029u) : (unsigned char)*c;
        NEP_TRY(nep_file_printf(f, "\\u%04x", code));
        c += separator ? 2 : 0;
        from = c + 1;
    }
}

static nep_status write_hash(nep_file *f, const nep_asset *a)
{
    char hash[45];
    nep_sha256_base64(a->bytes, a->n, hash);
    return nep_file_printf(f, "sha256-%s", hash);
}

static nep_status write_slot(nep_file *f, const page *p, const char *name, size_t n)
{
#define IS(word) (n == sizeof(word) - 1 && memcmp(name, word, n) == 0)
    if (IS("title"))
        return write_escaped_text(f, p->title);
    if (IS("simulated"))
        return nep_file_printf(f, "%s", p->simulated ? "yes" : "no");
    if (IS("style_hash"))
        return write_hash(f, &nep_asset_css);
    if (IS("script_hash"))
        return write_hash(f, &nep_asset_js);
    if (IS("style"))
        return nep_file_write(f, nep_asset_css.bytes, nep_asset_css.n);
    if (IS("script"))
        return nep_file_write(f, nep_asset_js.bytes, nep_asset_js.n);
    return write_escaped_json(f, p->data); /* {{data}} */
#undef IS
}

/* The template with each {{slot}} filled. */
static nep_status write_template(nep_file *f, const page *p)
{
    const char *at = (const char *)nep_asset_html.bytes, *end = at + nep_asset_html.n;
    while (at < end) {
        const char *open = memmem(at, (size_t)(end - at), "{{", 2);
        if (!open)
            return nep_file_write(f, at, (size_t)(end - at));
        const char *close = memmem(open, (size_t)(end - open), "}}", 2);
        if (!close)
            return nep_file_write(f, at, (size_t)(end - at));
        NEP_TRY(nep_file_write(f, at, (size_t)(open - at)));
        NEP_TRY(write_slot(f, p, open + 2, (size_t)(close - open - 2)));
        at = close + 2;
    }
    return NEP_OK;
}

nep_status nep_html_write_page(nep_ctx *ctx, const char *title, bool simulated, const json_t *data, const char *path)
{
    char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(6));
    const page p = {.title = title, .simulated = simulated, .data = text};
    nep_file *f = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, text != NULL, NEP_E_NOMEM, "%s: memory ran out while the page was made", path);
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, write_template(f, &p));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    free(text);
    return st;
}
