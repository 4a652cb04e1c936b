/* SPDX-License-Identifier: Apache-2.0 */
/* rows_window - the part of a stream of delimited text that is in memory. */
#include "io/rows_window.h"

#include "io/stream.h"

#include <string.h>

enum { USUAL = 1 << 20, LEAST = 16 };

struct nep_rows_window {
    nep_stream *stream;
    int64_t room;        /* of r->text, without the byte past it */
    const char *checked; /* text before it is */
    int64_t line;        /* where the check is */
    bool ended;
    char *names;
};

/* Moves what is left to the front, doubles the room where there is none, and reads on. */
static nep_status refill(nep_rows *r)
{
    struct nep_rows_window *w = r->window;
    const int64_t kept = r->end - r->at, checked = w->checked - r->at;
    int64_t got;
    memmove(r->text, r->at, (size_t)kept);
    if (kept == w->room) {
        char what[512];
        snprintf(what, sizeof what, "%s: the row at line %lld", r->path, (long long)(1 + r->lines_passed));
        NEP_TRY(nep_alloc_grow(r->ctx, 2 * w->room + 1, 1, what, &r->text));
        w->room *= 2;
    }
    r->at = r->text;
    r->end = r->text + kept;
    w->checked = r->text + checked;
    NEP_TRY(nep_stream_some(w->stream, r->end, w->room - kept, &got));
    w->ended = got < w->room - kept;
    r->end += got;
    *r->end = '\0';
    return nep_rows_check(r, w->checked, r->end, w->ended, &w->line, &w->checked);
}

/* Behind a quoted cell, NULL where its end is not there yet. */
static const char *behind_quotes(const char *c, const char *end)
{
    for (c++; c + 1 < end; c++) {
        if (*c != '"')
            continue;
        if (c[1] != '"')
            return c + 1;
        c++;
    }
    return NULL;
}

/* Whether a row that begins at `c` ends before `end`, or has a quote that the reader will refuse. */
static bool whole_csv(const char *c, const char *end)
{
    while (c < end) {
        if (*c == '"') {
            c = behind_quotes(c, end);
            if (!c || (*c != ',' && *c != '\n' && *c != '\r'))
                return c != NULL;
        }
        while (c < end && *c != ',' && *c != '\n' && *c != '"')
            c++;
        if (c < end && *c != ',')
            return true;
        c++;
    }
    return false;
}

static bool whole(const nep_rows *r)
{
    const char *end = r->window->checked;
    return r->csv ? whole_csv(r->at, end) : memchr(r->at, '\n', (size_t)(end - r->at)) != NULL;
}

nep_status nep_rows_window_next(nep_rows *r, bool *end)
{
    struct nep_rows_window *w = r->window;
    *end = false;
    if (r->blanks > 0)
        return NEP_OK;
    for (;;) {
        for (; r->at < w->checked && (*r->at == '\n' || *r->at == '\r'); r->at++)
            r->blanks += *r->at == '\n';
        if (r->at < w->checked)
            break;
        *end = w->ended;
        if (*end)
            return NEP_OK;
        NEP_TRY(refill(r));
    }
    while (r->blanks == 0 && !w->ended && !whole(r))
        NEP_TRY(refill(r));
    return NEP_OK;
}

nep_status nep_rows_window_open(nep_rows *r, const char *path, int64_t bytes)
{
    struct nep_rows_window *w = NULL;
    NEP_TRY(nep_alloc(r->ctx, 1, sizeof *w, "table", &w));
    r->window = w;
    w->room = bytes > 0 ? (bytes > LEAST ? bytes : LEAST) : USUAL;
    w->line = 1;
    NEP_TRY(nep_stream_open(r->ctx, path, &w->stream));
    NEP_TRY(nep_alloc(r->ctx, w->room + 1, 1, "table text", &r->text));
    r->at = r->end = r->text;
    w->checked = r->text;
    return refill(r);
}

nep_status nep_rows_window_keep_header(nep_rows *r)
{
    struct nep_rows_window *w = r->window;
    int64_t bytes = 0;
    for (int64_t c = 0; c < r->n_cols; c++)
        bytes += (int64_t)strlen(r->header[c]) + 1;
    NEP_TRY(nep_alloc(r->ctx, bytes, 1, "table header", &w->names));
    char *to = w->names;
    for (int64_t c = 0; c < r->n_cols; c++) {
        const size_t n = strlen(r->header[c]) + 1;
        memcpy(to, r->header[c], n);
        r->header[c] = to;
        to += n;
    }
    return NEP_OK;
}

void nep_rows_window_free(nep_rows *r)
{
    if (!r->window)
        return;
    nep_stream_close(r->window->stream);
    nep_alloc_free(r->window->names);
    nep_alloc_free(r->window);
    r->window = NULL;
}
