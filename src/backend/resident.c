/* SPDX-License-Identifier: Apache-2.0 */
/* resident - blocks of host arrays that stay on a device from call to call. */
#include "backend/resident.h"

#include "backend/place.h"
#include "core/life.h"

enum {
    PIECE = 256 << 10, /* bytes that are brought together: a list, or the rows of a few pairs, need not bring a whole block */
    TILES = 4          /* the backend's own, left free for queries, hits and the work space of ops */
};

typedef struct cache cache;
typedef struct nep_resident {
    nep_watch watch; /* first */
    struct nep_resident *next;
    cache *owner;
    const nep_life *life;
    const char *src;
    char *ptr;
    int64_t bytes;
    int users;
    unsigned char there[]; /* one per piece */
} block;

/* Of one context on one backend. */
struct cache {
    const nep_backend *be;
    int64_t budget, used;
    block *first;
};

static void drop(block *b)
{
    block **at = &b->owner->first;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    b->owner->used -= b->bytes;
    b->owner->be->release(b->ptr);
    nep_alloc_free(b);
}

static void ended(nep_watch *w)
{
    drop((block *)w);
}

static void drop_all(void *kept)
{
    cache *c = kept;
    nep_life_lock();
    while (c->first) {
        nep_life_leave(&c->first->watch);
        drop(c->first);
    }
    nep_life_unlock();
    nep_alloc_free(c);
}

/* Three quarters of what is free, and no more than leaves some tiles. */
static int64_t budget_of(nep_ctx *ctx, const nep_backend *be)
{
    const int64_t room = be->room ? be->room(ctx) : 0, part = room / 4 * 3, rest = room - TILES * be->tile_bytes;
    return rest < 0 ? 0 : rest < part ? rest : part;
}

static nep_status cache_of(nep_ctx *ctx, cache **out)
{
    const nep_backend *be = nep_place_backend(ctx);
    cache *c = nep_ctx_kept(ctx);
    if (!c) {
        NEP_TRY(nep_alloc(ctx, 1, sizeof *c, "rows kept on the device", &c));
        c->be = be;
        c->budget = budget_of(ctx, be);
        nep_log(ctx, NEP_LOG_DEBUG, "%s: keeps up to %lld MB of rows between searches", be->name, (long long)(c->budget >> 20));
        nep_ctx_kept_set(ctx, c, drop_all);
    }
    *out = c;
    return NEP_OK;
}

int64_t nep_backend_keeps(nep_ctx *ctx, const nep_life *life)
{
    const nep_backend *be = nep_place_backend(ctx);
    const cache *c = nep_ctx_kept(ctx);
    if (be->host || !life)
        return 0;
    if (!c)
        return budget_of(ctx, be);
    int64_t bytes = c->budget;
    nep_life_lock();
    for (const block *b = c->first; b; b = b->next)
        bytes -= b->life == life ? 0 : b->bytes;
    nep_life_unlock();
    return bytes;
}

static block *find(const cache *c, const nep_life *life, const void *src, int64_t bytes)
{
    for (block *b = c->first; b; b = b->next)
        if (b->src == src && b->life == life && b->bytes == bytes)
            return b;
    return NULL;
}

/* A new block, nothing of it there; NULL where the device gave no memory although the budget had some: then the budget was too much. */
static nep_status make(nep_ctx *ctx, cache *c, nep_life *life, const void *src, int64_t bytes, const char *what, block **out)
{
    block *b = NULL;
    NEP_TRY(nep_alloc(ctx, (int64_t)sizeof *b + (bytes + PIECE - 1) / PIECE, 1, "rows kept on the device", &b));
    void *ptr = NULL;
    const nep_status st = c->be->alloc(ctx, (size_t)bytes, what, &ptr);
    if (st != NEP_OK) {
        nep_alloc_free(b);
        if (st != NEP_E_NOMEM)
            return st;
        nep_log(ctx, NEP_LOG_INFO, "%s; no more rows are kept there", nep_ctx_error(ctx));
        nep_ctx_clear(ctx);
        c->budget = c->used;
        return NEP_OK;
    }
    b->watch.ended = ended;
    b->owner = c;
    b->life = life;
    b->src = src;
    b->ptr = ptr;
    b->bytes = bytes;
    nep_life_lock();
    nep_life_watch(life, &b->watch);
    b->next = c->first;
    c->first = b;
    c->used += bytes;
    nep_life_unlock();
    *out = b;
    return NEP_OK;
}

nep_status nep_resident_lend(nep_ctx *ctx, nep_life *life, const void *src, int64_t bytes, const char *what, nep_buf *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    cache *c;
    *out = (nep_buf){0};
    if (!life || be->host || bytes <= 0)
        return NEP_OK;
    NEP_TRY(cache_of(ctx, &c));
    nep_life_lock();
    block *b = find(c, life, src, bytes);
    const bool fits = c->used + bytes <= c->budget;
    nep_life_unlock();
    if (!b && fits)
        NEP_TRY(make(ctx, c, life, src, bytes, what, &b));
    if (!b)
        return NEP_OK;
    b->users++;
    *out = (nep_buf){.be = be, .ptr = b->ptr, .dtype = NEP_U8, .n = bytes, .lent = b};
    return NEP_OK;
}

nep_status nep_resident_bring(nep_ctx *ctx, const nep_buf *buf, int64_t from, int64_t n)
{
    block *b = buf->lent;
    const int64_t last = (from + n + PIECE - 1) / PIECE;
    for (int64_t p = from / PIECE, end; p < last; p = end) {
        end = p + 1;
        if (b->there[p])
            continue;
        while (end < last && !b->there[end])
            end++;
        const int64_t at = p * PIECE, to = end * PIECE < b->bytes ? end * PIECE : b->bytes;
        NEP_TRY(buf->be->upload(ctx, b->ptr + at, b->src + at, (size_t)(to - at)));
        for (int64_t i = p; i < end; i++)
            b->there[i] = 1;
    }
    return NEP_OK;
}

void nep_resident_leave(struct nep_resident *b)
{
    b->users--;
}

/* One that nobody uses, the one that came last first; NULL = none. */
static block *unused(const cache *c)
{
    block *b = c->first;
    while (b && b->users > 0)
        b = b->next;
    return b;
}

void nep_resident_yield(nep_ctx *ctx, int64_t bytes)
{
    const nep_backend *be = nep_place_backend(ctx);
    cache *c = nep_ctx_kept(ctx);
    if (!c || !be->room)
        return;
    nep_life_lock();
    for (block *b = unused(c); b && be->room(ctx) < bytes; b = unused(c)) {
        nep_life_leave(&b->watch);
        drop(b);
    }
    nep_life_unlock();
}
