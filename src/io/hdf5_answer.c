/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5_answer - the receiving end of the HDF5 reader helper: numbers and texts as they come, or all of them. */
#include <nepenthe/io.h>

#include "io/h5wire.h"
#include "io/hdf5_read.h"
#include "io/rows.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Up to n bytes; fewer at the end of the answer. *late is set when nothing came in time. */
static int64_t receive(const nep_hdf5_answer *a, void *out, int64_t n, bool *late)
{
    int64_t have = 0;
    *late = false;
    while (have < n) {
        struct pollfd p = {.fd = a->fd, .events = POLLIN};
        const int ready = poll(&p, 1, (int)(a->idle_s * 1000));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            *late = ready == 0;
            return have;
        }
        const ssize_t got = read(a->fd, (char *)out + have, (size_t)(n - have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return have;
        have += got;
    }
    return have;
}

static nep_status broken(const nep_hdf5_answer *a, bool late)
{
    return nep_ctx_fail_file(a->ctx, NEP_E_FORMAT, a->path, "%s: the HDF5 reader %s; the file is damaged or hostile", a->path,
                             late ? "hangs on it" : "gave no whole answer about it");
}

/* All n bytes, or the sentence. */
static nep_status take(const nep_hdf5_answer *a, void *out, int64_t n)
{
    bool late;
    return receive(a, out, n, &late) == n ? NEP_OK : broken(a, late);
}

static nep_status helper_error(const nep_hdf5_answer *a)
{
    char text[400] = "";
    bool late;
    receive(a, text, sizeof text - 1, &late);
    return nep_ctx_fail_file(a->ctx, NEP_E_FORMAT, a->path, "%s: %s", a->path, text[0] ? text : "the HDF5 reader refused it");
}

static nep_status take_end(const nep_hdf5_answer *a)
{
    char mark[NEP_H5WIRE_MARK];
    if (a->done < a->n)
        return NEP_OK;
    NEP_TRY(take(a, mark, sizeof mark));
    return memcmp(mark, NEP_H5WIRE_END, sizeof mark) == 0 ? NEP_OK : broken(a, false);
}

nep_status nep_hdf5_begin(nep_hdf5_answer *a, bool texts)
{
    char mark[NEP_H5WIRE_MARK];
    int64_t head[1 + NEP_H5WIRE_RANK];
    NEP_TRY(take(a, mark, sizeof mark));
    if (memcmp(mark, NEP_H5WIRE_ERROR, sizeof mark) == 0)
        return helper_error(a);
    if (memcmp(mark, texts ? NEP_H5WIRE_TEXT : NEP_H5WIRE_DATA, sizeof mark) != 0)
        return broken(a, false);
    a->done = 0;
    if (texts) {
        NEP_TRY(take(a, &a->n, sizeof a->n));
        return a->n < 0 ? broken(a, false) : take_end(a);
    }
    NEP_TRY(take(a, head, sizeof head));
    bool sound = head[0] >= 0 && head[0] <= NEP_H5WIRE_RANK;
    a->n = 1;
    for (int i = 0; i < NEP_H5WIRE_RANK && sound; i++)
        sound = head[1 + i] >= 0 && !__builtin_mul_overflow(a->n, head[1 + i], &a->n);
    if (!sound || a->n > INT64_MAX / 8)
        return broken(a, false);
    a->rank = (int)head[0];
    memcpy(a->dims, head + 1, sizeof a->dims);
    return take_end(a);
}

nep_status nep_hdf5_values(nep_hdf5_answer *a, double *out, int64_t n)
{
    NEP_REQUIRE(a->ctx, n <= a->n - a->done, NEP_E_ARG, "%s: %lld numbers are asked for, %lld are left", a->path, (long long)n,
                (long long)(a->n - a->done));
    if (n == 0)
        return NEP_OK;
    NEP_TRY(take(a, out, n * (int64_t)sizeof *out));
    a->done += n;
    return take_end(a);
}

/* n bytes arrive in steps, so that a lie about their number costs no memory. */
static nep_status take_growing(const nep_hdf5_answer *a, int64_t n, char **bytes)
{
    int64_t have = 0, room = 0;
    while (have < n) {
        room = room == 0 ? 1 << 17 : 2 * room;
        room = room < n ? room : n;
        NEP_TRY(nep_alloc_grow(a->ctx, room, 1, a->path, bytes));
        NEP_TRY(take(a, *bytes + have, room - have));
        have = room;
    }
    return NEP_OK;
}

/* n lines of UTF-8 that fill the bytes, each with its NUL. */
static nep_status check_texts(const nep_hdf5_answer *a, const char *text, int64_t bytes, int64_t n)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + bytes;
    if (end[-1] != '\0')
        return broken(a, false);
    for (int64_t i = 0; i < n; i++) {
        if (at >= end)
            return broken(a, false);
        for (int step; *at; at += step) {
            step = *at < ' ' ? 0 : nep_rows_sequence(at, end);
            if (step == 0)
                return nep_ctx_fail_file(a->ctx, NEP_E_FORMAT, a->path, "%s: text %lld has byte 0x%02x, which is not UTF-8 or a control character",
                                         a->path, (long long)(a->done + i) + 1, *at);
        }
        at++;
    }
    return at == end ? NEP_OK : broken(a, false);
}

nep_status nep_hdf5_texts(nep_hdf5_answer *a, char **text, int64_t *n)
{
    int64_t head[2];
    *n = 0;
    nep_alloc_free(*text);
    *text = NULL;
    if (a->done == a->n)
        return NEP_OK;
    NEP_TRY(take(a, head, sizeof head));
    if (head[0] < 1 || head[0] > a->n - a->done || head[1] < head[0] || head[1] > INT64_MAX / 8)
        return broken(a, false);
    NEP_TRY(take_growing(a, head[1], text));
    NEP_TRY(check_texts(a, *text, head[1], head[0]));
    a->done += head[0];
    *n = head[0];
    return take_end(a);
}

/* ---- whole answers ---- */

nep_status nep_hdf5_all_values(nep_hdf5_answer *a, double **out)
{
    int64_t room = a->n < 1 << 14 ? a->n : 1 << 14;
    double *values = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(a->ctx, room, sizeof *values, a->path, &values));
    NEP_TRY_OR_DONE(st, nep_hdf5_values(a, values, room));
    while (a->done < a->n) {
        room = 2 * room < a->n ? 2 * room : a->n;
        NEP_TRY_OR_DONE(st, nep_alloc_grow(a->ctx, room, sizeof *values, a->path, &values));
        NEP_TRY_OR_DONE(st, nep_hdf5_values(a, values + a->done, room - a->done));
    }
    *out = values;
    values = NULL;
done:
    nep_alloc_free(values);
    return st;
}

/* The n texts of a piece to list[from ..], which grows. */
static nep_status keep_texts(nep_ctx *ctx, const char *text, int64_t n, int64_t from, int64_t *room, char ***list)
{
    if (from + n > *room) {
        NEP_TRY(nep_alloc_grow(ctx, 2 * (from + n), sizeof **list, "texts", list));
        *room = 2 * (from + n);
    }
    for (int64_t i = 0; i < n; i++) {
        NEP_TRY(nep_alloc_string(ctx, text, &(*list)[from + i]));
        text += strlen(text) + 1;
    }
    return NEP_OK;
}

nep_status nep_hdf5_all_texts(nep_hdf5_answer *a, char ***names)
{
    char *text = NULL, **list = NULL;
    int64_t have = 0, room = 1, got;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(a->ctx, room, sizeof *list, "texts", &list));
    do {
        NEP_TRY_OR_DONE(st, nep_hdf5_texts(a, &text, &got));
        NEP_TRY_OR_DONE(st, keep_texts(a->ctx, text, got, have, &room, &list));
        have += got;
    } while (got > 0);
    *names = list;
    list = NULL;
done:
    nep_alloc_free(text);
    nep_data_free_names(list, room);
    return st;
}
