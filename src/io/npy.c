/* SPDX-License-Identifier: Apache-2.0 */
/* npy - NumPy's array file, versions 1.0 to 3.0: a Python dictionary with type, order and shape, then the numbers. Read strictly: the
 * three keys, each once, and no other. */
#include "io/source.h"

#include <stdlib.h>
#include <string.h>

enum { most_head = 1 << 20 };

typedef struct {
    char descr[16];
    int fortran; /* -1 = not said */
    int rank;    /* -1 = not said */
    int64_t shape[8];
} header;

static void blanks(const char **at)
{
    while (**at == ' ' || **at == '\n' || **at == '\t')
        ++*at;
}

static bool mark(const char **at, char c)
{
    blanks(at);
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* A quoted word of at most size - 1 characters. */
static bool word(const char **at, char *out, size_t size)
{
    blanks(at);
    const char quote = **at;
    if (quote != '\'' && quote != '"')
        return false;
    const char *end = strchr(*at + 1, quote);
    const size_t n = end ? (size_t)(end - *at - 1) : size;
    if (n >= size)
        return false;
    memcpy(out, *at + 1, n);
    out[n] = '\0';
    *at = end + 1;
    return true;
}

static bool read_shape(const char **at, header *h)
{
    if (!mark(at, '('))
        return false;
    for (h->rank = 0; !mark(at, ')'); h->rank++) {
        int64_t n = 0;
        blanks(at);
        if (h->rank == NEP_LEN(h->shape) || **at < '0' || **at > '9')
            return false;
        for (; **at >= '0' && **at <= '9'; ++*at)
            if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (int64_t)(**at - '0'), &n))
                return false;
        h->shape[h->rank] = n;
        if (!mark(at, ',') && (blanks(at), **at != ')'))
            return false;
    }
    return true;
}

static bool read_value(const char *key, const char **at, header *h)
{
    if (strcmp(key, "descr") == 0 && !h->descr[0])
        return word(at, h->descr, sizeof h->descr);
    if (strcmp(key, "shape") == 0 && h->rank < 0)
        return read_shape(at, h);
    if (strcmp(key, "fortran_order") != 0 || h->fortran >= 0)
        return false;
    blanks(at);
    h->fortran = strncmp(*at, "True", 4) == 0 ? 1 : strncmp(*at, "False", 5) == 0 ? 0 : -1;
    *at += h->fortran == 1 ? 4 : 5;
    return h->fortran >= 0;
}

static bool read_dictionary(const char *text, header *h)
{
    char key[16];
    if (!mark(&text, '{'))
        return false;
    while (!mark(&text, '}')) {
        if (!word(&text, key, sizeof key) || !mark(&text, ':') || !read_value(key, &text, h))
            return false;
        if (!mark(&text, ',') && (blanks(&text), *text != '}'))
            return false;
    }
    blanks(&text);
    return *text == '\0' && h->descr[0] && h->fortran >= 0 && h->rank >= 0;
}

static nep_status read_head(nep_source *s, char **text)
{
    unsigned char start[12];
    NEP_TRY(nep_stream_read(s->stream, start, 8));
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return nep_source_refuse(s, "is no .npy file");
    if (start[6] < 1 || start[6] > 3)
        return nep_source_refuse(s, "is a .npy file of version %d.%d; 1.0 to 3.0 are read", start[6], start[7]);
    const int more = start[6] == 1 ? 2 : 4;
    NEP_TRY(nep_stream_read(s->stream, start + 8, more));
    int64_t n = 0;
    for (int b = more - 1; b >= 0; b--)
        n = n << 8 | start[8 + b];
    if (n > most_head)
        return nep_source_refuse(s, "has a header of %lld bytes", (long long)n);
    NEP_TRY(nep_alloc(s->ctx, n + 1, 1, "npy header", text));
    return nep_stream_read(s->stream, *text, n);
}

static nep_status choose(nep_source *s, const header *h)
{
    static const struct {
        const char *descr;
        nep_item item;
    } types[] = {{"<f4", NEP_ITEM_F32}, {"<f8", NEP_ITEM_F64}, {"<f2", NEP_ITEM_F16}, {"|u1", NEP_ITEM_U8}, {"|i1", NEP_ITEM_I8}, {"|b1", NEP_ITEM_BOOL}};
    if (h->fortran)
        return nep_source_refuse(s, "is in Fortran order; save numpy.ascontiguousarray of it");
    if (h->rank != 2)
        return nep_source_refuse(s, "has %d dimensions; rows of vectors have 2", h->rank);
    if (s->opts.bits && strcmp(h->descr, "<u8") == 0) {
        if (h->shape[1] > NEP_INDEX_BITS_MOST / 64)
            return nep_source_refuse(s, "has rows of %lld words; an index holds %d bits at most", (long long)h->shape[1], NEP_INDEX_BITS_MOST);
        return nep_source_shape(s, NEP_ITEM_BYTES, h->shape[0], h->shape[1] * 8);
    }
    for (int t = 0; t < NEP_LEN(types); t++)
        if (strcmp(h->descr, types[t].descr) == 0)
            return nep_source_shape(s, types[t].item, h->shape[0], h->shape[1]);
    return nep_source_refuse(s, "holds numbers of type '%s'; <f2 <f4 <f8 |u1 |i1 |b1 are read", h->descr);
}

nep_status nep_npy_start(nep_source *s)
{
    header h = {.fortran = -1, .rank = -1};
    char *text = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, read_head(s, &text));
    st = read_dictionary(text, &h) ? choose(s, &h) : nep_source_refuse(s, "has a header that is not a dictionary of descr, fortran_order and shape");
done:
    nep_alloc_free(text);
    return st;
}
