/* SPDX-License-Identifier: Apache-2.0 */
/* leaps - a gzip file through the inflater in one way or another, for the test and the fuzz target that
 * compare leaping with ISA-L alone. */
#ifndef NEP_TESTS_LEAPS_H
#define NEP_TESTS_LEAPS_H

#include "io/inflate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* leap 0 is ISA-L alone; room is that of a block, input of a read. */
typedef struct {
    int64_t leap, room, input;
} leaps_way;

typedef struct {
    unsigned char *bytes;
    int64_t n, total, leapt;
    nep_verdict verdict;
} leaps_result;

enum { LEAPS_MOST_ROOM = 1 << 20 };

/* Three blocks in turn, as the stream has. What lies past one and its slack must not be touched. */
static inline leaps_result leaps_run(nep_ctx *ctx, int fd, const leaps_way *w)
{
    enum { guard = 64 };
    static unsigned char block[3][NEP_INFLATE_BEFORE + LEAPS_MOST_ROOM + NEP_INFLATE_AFTER + guard];
    leaps_result r = {0};
    nep_inflate *g = NULL;
    unsigned char first[100];
    const int64_t file_bytes = lseek(fd, 0, SEEK_END);
    const ssize_t n_first = lseek(fd, 0, SEEK_SET) == 0 ? read(fd, first, sizeof first) : -1;
    nep_inflate_set_leap(w->leap);
    if (n_first < 0 || nep_inflate_create(ctx, fd, w->input, first, n_first, &g) != NEP_OK ||
        nep_inflate_leap(g, file_bytes) != NEP_OK)
        abort();
    for (int b = 0; r.verdict == NEP_GOING; b = (b + 1) % 3) {
        int64_t n;
        unsigned char *const out = block[b] + NEP_INFLATE_BEFORE;
        unsigned char *const end = out + w->room + NEP_INFLATE_AFTER;
        memset(end, 0xa5, guard);
        r.verdict = nep_inflate_fill(g, out, w->room, &n);
        if (n < 0 || n > w->room)
            abort();
        for (int i = 0; i < guard; i++)
            if (end[i] != 0xa5)
                abort();
        r.bytes = realloc(r.bytes, (size_t)(r.n + n + 1));
        if (!r.bytes)
            abort();
        memcpy(r.bytes + r.n, out, (size_t)n);
        r.n += n;
    }
    r.total = nep_inflate_total(g);
    r.leapt = nep_inflate_leapt(g);
    nep_inflate_free(g);
    return r;
}

/* The same verdict and total and, of what both yielded, the same bytes: all of a sound file. */
static inline bool leaps_alike(const leaps_result *a, const leaps_result *b)
{
    const int64_t n = a->n < b->n ? a->n : b->n;
    return a->verdict == b->verdict && a->total == b->total && (a->verdict != NEP_ENDED || a->n == b->n) &&
           memcmp(a->bytes, b->bytes, (size_t)n) == 0;
}

#endif
