/* SPDX-License-Identifier: Apache-2.0 */
/* stream - a file front to back in bounded memory: plain, or gzip through ISA-L, which can run ahead in a
 * thread.
 *
 * The thread touches the ring, the file and the inflater, never the context: it leaves a verdict, and the
 * reader's thread turns that into a sentence. */
#include "io/stream.h"

#include "io/gzip.h"
#include "io/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ring = 3,
    leap_ring = 6,
    most_block = 1 << 20,
    most_leap_block = 4 << 20,
    most_input = 256 << 10,
    first_bytes = 16 << 10
};

/* Leaps take larger blocks, of which they leave about half empty, and more of them, for what inflates while
 * an atlas is read. They are for budgets that this is little of. */
static const int64_t plain_bytes = 4 << 20, leap_bytes = 27 << 20, roomy = (int64_t)256 << 20;

struct nep_stream {
    nep_ctx *ctx;
    const char *path;
    char *path_copy;
    int fd, code; /* code: errno of a failed read */
    bool gz, regular, leaps;
    int64_t file_bytes, block_bytes, input_bytes; /* small files take small buffers */

    nep_inflate *inflate; /* NULL when plain */

    int ring;
    unsigned char *first, *others;   /* blocks 0 and 1 .. */
    unsigned char *space[leap_ring]; /* each a block with what an inflater needs before and after it */
    int64_t size[leap_ring], at;     /* at: bytes of the present block already taken */
    nep_verdict end;                 /* how the stream ended, once it has */
    int64_t taken;                   /* bytes given to the caller */

    char *whole; /* the inflated file, when loaded */
    int64_t whole_bytes;

    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t made, used; /* blocks produced and consumed; the present block is number `used` */
    bool stop;
};

/* ---- producing ---- */

static nep_verdict fill_plain(nep_stream *s, unsigned char *out, int64_t room, int64_t *n)
{
    *n = 0;
    while (*n < room) {
        const ssize_t got = read(s->fd, out + *n, (size_t)(room - *n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            s->code = errno;
            return NEP_UNREADABLE;
        }
        if (got == 0)
            return NEP_ENDED;
        *n += got;
    }
    return NEP_GOING;
}

static unsigned char *block(const nep_stream *s, int64_t b)
{
    return s->space[b] + NEP_INFLATE_BEFORE;
}

static nep_verdict fill(nep_stream *s, unsigned char *out, int64_t room, int64_t *n)
{
    if (!s->gz)
        return fill_plain(s, out, room, n);
    const nep_verdict v = nep_inflate_fill(s->inflate, out, room, n);
    s->code = nep_inflate_errno(s->inflate);
    return v;
}

static void *run(void *argument)
{
    nep_stream *s = argument;
    nep_verdict v = NEP_GOING;
    while (v == NEP_GOING) {
        pthread_mutex_lock(&s->lock);
        while (s->made - s->used >= s->ring && !s->stop)
            pthread_cond_wait(&s->changed, &s->lock);
        const bool stop = s->stop;
        const int64_t b = s->made % s->ring;
        pthread_mutex_unlock(&s->lock);
        if (stop)
            break;
        int64_t n;
        v = fill(s, block(s, b), s->block_bytes, &n);
        pthread_mutex_lock(&s->lock);
        s->size[b] = n;
        s->made++;
        s->end = v;
        pthread_cond_signal(&s->changed);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* ---- consuming ---- */

static nep_status ended(nep_stream *s, nep_verdict v, int64_t wanted)
{
    const char *p = s->path;
    switch (v) {
    case NEP_CUT:
        return nep_ctx_fail_file(
            s->ctx, NEP_E_TRUNCATED, p,
            "%s: the gzip stream is cut off after %lld inflated bytes; copy the file again", p,
            (long long)nep_inflate_total(s->inflate));
    case NEP_DAMAGED:
        return nep_ctx_fail_file(
            s->ctx, NEP_E_FORMAT, p,
            "%s: the gzip stream is damaged after about %lld inflated bytes; copy the file again", p,
            (long long)nep_inflate_total(s->inflate));
    case NEP_CHECKSUM:
        return nep_ctx_fail_file(s->ctx, NEP_E_FORMAT, p,
                                 "%s: the gzip checksum does not hold; copy the file again", p);
    case NEP_UNREADABLE:
        return nep_ctx_fail_file(s->ctx, NEP_E_IO, p, "%s: reading failed (%s)", p, strerror(s->code));
    default:
        return nep_ctx_fail_file(s->ctx, NEP_E_TRUNCATED, p,
                                 "%s: ends after %lld bytes, %lld more are needed; copy the file again", p,
                                 (long long)s->taken, (long long)wanted);
    }
}

static void next_threaded(nep_stream *s, nep_verdict *v)
{
    pthread_mutex_lock(&s->lock);
    s->used++;
    pthread_cond_signal(&s->changed);
    while (s->made == s->used && s->end == NEP_GOING)
        pthread_cond_wait(&s->changed, &s->lock);
    *v = s->made > s->used ? NEP_GOING : s->end;
    if (*v != NEP_GOING)
        s->used--; /* stays on the last block, which is used up */
    pthread_mutex_unlock(&s->lock);
}

static int64_t present(const nep_stream *s)
{
    return s->threaded ? s->used % s->ring : 0;
}

/* Moves to the next block; *v is NEP_GOING when there is one, even an empty one. */
static void next_block(nep_stream *s, nep_verdict *v)
{
    if (s->threaded) {
        next_threaded(s, v);
    } else if ((*v = s->end) == NEP_GOING) {
        s->end = fill(s, block(s, 0), s->taken == 0 ? first_bytes : s->block_bytes, &s->size[0]);
    }
    s->at = *v == NEP_GOING ? 0 : s->size[present(s)];
}

/* Bytes at hand without waiting. */
static int64_t at_hand(const nep_stream *s, const unsigned char **bytes)
{
    if (s->whole) {
        *bytes = (const unsigned char *)s->whole + s->taken;
        return s->whole_bytes - s->taken;
    }
    const int64_t b = present(s);
    *bytes = block(s, b) + s->at;
    return s->size[b] - s->at;
}

/* Takes up to n bytes into out (NULL = drops them); *got is less only at the end, of which *v tells the kind.
 */
static void take(nep_stream *s, unsigned char *out, int64_t n, int64_t *got, nep_verdict *v)
{
    *got = 0;
    *v = NEP_GOING;
    while (*got < n) {
        const unsigned char *bytes;
        int64_t have = at_hand(s, &bytes);
        if (have == 0) {
            if (s->whole)
                *v = NEP_ENDED;
            else
                next_block(s, v);
            if (*v != NEP_GOING)
                return;
            continue;
        }
        if (have > n - *got)
            have = n - *got;
        if (out)
            memcpy(out + *got, bytes, (size_t)have);
        *got += have;
        s->at += have;
        s->taken += have;
    }
}

nep_status nep_stream_read(nep_stream *s, void *out, int64_t n)
{
    int64_t got;
    nep_verdict v;
    take(s, out, n, &got, &v);
    return got == n ? NEP_OK : ended(s, v, n - got);
}

nep_status nep_stream_some(nep_stream *s, void *out, int64_t n, int64_t *got)
{
    nep_verdict v;
    take(s, out, n, got, &v);
    return v == NEP_GOING || v == NEP_ENDED ? NEP_OK : ended(s, v, 0);
}

nep_status nep_stream_skip(nep_stream *s, int64_t n)
{
    return nep_stream_read(s, NULL, n);
}

nep_status nep_stream_finish(nep_stream *s, int64_t spare)
{
    int64_t got;
    nep_verdict v;
    take(s, NULL, spare + 1, &got, &v);
    if (got > spare)
        return nep_ctx_fail_file(s->ctx, NEP_E_FORMAT, s->path,
                                 "%s: holds more than %lld bytes after the data that its header describes; "
                                 "header and data do not belong together",
                                 s->path, (long long)spare);
    return v == NEP_ENDED ? NEP_OK : ended(s, v, 0);
}

/* ---- opening and closing ---- */

static int64_t between(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static nep_status open_file(nep_stream *s, const char *path)
{
    struct stat info;
    if (strcmp(path, "-") == 0)
        s->fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
    else
        s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return nep_ctx_fail_file(s->ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, s->path,
                                 "%s: cannot be opened (%s)", s->path, strerror(errno));
    if (fstat(s->fd, &info) != 0 || S_ISDIR(info.st_mode))
        return nep_ctx_fail_file(s->ctx, NEP_E_FORMAT, s->path, "%s: is a folder, a file is needed", s->path);
    s->regular = S_ISREG(info.st_mode);
    s->file_bytes = info.st_size;
    s->input_bytes = s->regular ? between(s->file_bytes, first_bytes, most_input) : most_input;
    return NEP_OK;
}

/* Blocks from .. to - 1 in one piece, in large pages where the system has them, which spares many page
 * faults. */
static nep_status make_blocks(nep_stream *s, int from, int to, unsigned char **piece)
{
    enum { page = 4096 };
    const int64_t each = NEP_INFLATE_BEFORE + s->block_bytes + NEP_INFLATE_AFTER, all = each * (to - from);
    NEP_TRY(nep_alloc(s->ctx, all, 1, "file block", piece));
    for (int b = from; b < to; b++)
        s->space[b] = *piece + (b - from) * each;
    const int64_t skip = page - (int64_t)((uintptr_t)*piece % page);
    if (s->leaps && all > skip)
        (void)madvise(*piece + skip, (size_t)((all - skip) / page * page), MADV_HUGEPAGE);
    return NEP_OK;
}

/* The first bytes tell gzip from plain; they go to the inflater or into block 0. */
static nep_status look(nep_stream *s)
{
    unsigned char first[first_bytes];
    int64_t n;
    const nep_verdict v = fill_plain(s, first, first_bytes, &n);
    if (v == NEP_UNREADABLE)
        return ended(s, v, 0);
    s->gz = nep_gzip_is(first, n);
    s->leaps = s->gz && s->regular && nep_stream_bytes(s->ctx) == leap_bytes;
    const int64_t most = s->leaps ? most_leap_block : most_block;
    s->ring = s->leaps ? leap_ring : ring;
    s->block_bytes = s->regular ? between(4 * s->file_bytes, first_bytes, most) : most;
    NEP_TRY(make_blocks(s, 0, 1, &s->first));
    if (s->gz)
        return nep_inflate_create(s->ctx, s->fd, s->input_bytes, first, n, &s->inflate);
    memcpy(block(s, 0), first, (size_t)n);
    s->size[0] = n;
    s->end = v;
    return NEP_OK;
}

nep_status nep_stream_open(nep_ctx *ctx, const char *path, nep_stream **out)
{
    nep_stream *s = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *s, "file", &s));
    s->ctx = ctx;
    s->fd = -1;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, strcmp(path, "-") == 0 ? "stdin" : path, &s->path_copy));
    s->path = s->path_copy;
    NEP_TRY_OR_DONE(st, open_file(s, path));
    NEP_TRY_OR_DONE(st, look(s));
    *out = s;
    s = NULL;
done:
    nep_stream_close(s);
    return st;
}

int64_t nep_stream_bytes(const nep_ctx *ctx)
{
    return nep_alloc_budget(ctx) - nep_alloc_used(ctx) < roomy ? plain_bytes : leap_bytes;
}

bool nep_stream_gz(const nep_stream *s)
{
    return s->gz;
}

int64_t nep_stream_most(const nep_stream *s)
{
    if (!s->regular)
        return INT64_MAX;
    return s->gz ? (s->file_bytes < INT64_MAX / 1032 ? s->file_bytes * 1032 : INT64_MAX) : s->file_bytes;
}

void nep_stream_progress(const nep_stream *s, int64_t *done, int64_t *total)
{
    const off_t at = s->regular ? lseek(s->fd, 0, SEEK_CUR) : 0;
    *total = s->regular ? s->file_bytes : 0;
    *done = at < 0 ? 0 : at < *total ? at : *total;
}

nep_status nep_stream_run_ahead(nep_stream *s)
{
    if (!s->gz || s->threaded || s->whole || s->end != NEP_GOING)
        return NEP_OK;
    NEP_TRY(make_blocks(s, 1, s->ring, &s->others));
    if (s->leaps)
        NEP_TRY(nep_inflate_leap(s->inflate, s->file_bytes));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->made = 1; /* block 0 is being read */
    s->used = 0;
    const int code = pthread_create(&s->thread, NULL, run, s);
    if (code == 0) {
        s->threaded = true;
        return NEP_OK;
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    return nep_ctx_fail(s->ctx, NEP_E_NOMEM, "%s: no thread to inflate it (%s)", s->path, strerror(code));
}

nep_status nep_stream_load(nep_stream *s, int64_t need, int64_t spare)
{
    char *packed = NULL;
    int64_t n = 0;
    nep_status st;
    if (!s->gz || !s->regular || s->threaded || s->whole)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_file_read(s->ctx, s->path, s->file_bytes, &packed, &n));
    NEP_TRY_OR_DONE(st,
                    nep_gzip_inflate(s->ctx, s->path, packed, n, need + spare, &s->whole, &s->whole_bytes));
    if (s->whole_bytes < need || s->whole_bytes < s->taken)
        st = nep_ctx_fail_file(s->ctx, NEP_E_TRUNCATED, s->path,
                               "%s: inflates to %lld bytes, %lld are needed; copy the file again", s->path,
                               (long long)s->whole_bytes, (long long)need);
done:
    nep_alloc_free(packed);
    return st;
}

void nep_stream_close(nep_stream *s)
{
    if (!s)
        return;
    if (s->threaded) {
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_signal(&s->changed);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
        pthread_mutex_destroy(&s->lock);
        pthread_cond_destroy(&s->changed);
    }
    if (s->fd >= 0)
        close(s->fd);
    nep_alloc_free(s->others);
    nep_alloc_free(s->first);
    nep_inflate_free(s->inflate);
    nep_alloc_free(s->whole);
    nep_alloc_free(s->path_copy);
    nep_alloc_free(s);
}
