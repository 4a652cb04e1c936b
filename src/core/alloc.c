/* SPDX-License-Identifier: Apache-2.0 */
/* alloc - memory with a budget: zeroed, 64-byte aligned, counted, and able to fail on purpose. */
#include "core/ctx.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Stands before each block. 64 bytes keep the block aligned. The counter outlives no context: blocks are freed first. */
typedef struct {
    nep_ctx *ctx;
    size_t bytes;
    void *start; /* what calloc gave */
    char pad[64 - sizeof(nep_ctx *) - sizeof(size_t) - sizeof(void *)];
} header;

enum { LARGE = 48 << 20 }; /* bytes from which on large pages are asked for: less is often scratch that is hardly touched */

_Static_assert(sizeof(header) == 64, "the header keeps the block aligned");

static bool must_fail(nep_ctx *ctx)
{
    if (atomic_load(&ctx->fail_at) < 0)
        return false;
    return atomic_fetch_sub(&ctx->fail_at, 1) == 0;
}

static void count(nep_ctx *ctx, int64_t bytes)
{
    const long long now = atomic_fetch_add(&ctx->used, bytes) + bytes;
    long long peak = atomic_load(&ctx->peak);
    while (now > peak && !atomic_compare_exchange_weak(&ctx->peak, &peak, now))
        ;
}

/* Fresh memory of this size has pages of its own; large ones spare page faults and are read faster. Where there are none it stays as it is. */
static void want_large_pages(char *start, size_t bytes)
{
    const size_t page = (size_t)2 << 20, skip = (page - (uintptr_t)start % page) % page;
    if (bytes >= LARGE)
        (void)madvise(start + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
}

nep_status nep_alloc(nep_ctx *ctx, int64_t n, size_t size, const char *what, void *out_pointer)
{
    int64_t bytes, padded;
    NEP_REQUIRE(ctx, n >= 0 && size > 0, NEP_E_ARG, "%s: %lld items of %zu bytes cannot be allocated", what, (long long)n,
                size);
    NEP_REQUIRE(ctx, !__builtin_mul_overflow(n, (int64_t)size, &bytes) && !__builtin_add_overflow(bytes, 191, &padded),
                NEP_E_ARG, "%s: %lld items of %zu bytes is more than any memory holds", what, (long long)n, size);
    NEP_REQUIRE(ctx, !must_fail(ctx), NEP_E_NOMEM, "%s: no memory for %lld bytes", what, (long long)bytes);
    NEP_REQUIRE(ctx, atomic_load(&ctx->used) + bytes <= ctx->budget, NEP_E_NOMEM,
                "%s: %lld MB more would pass the budget of %lld MB; raise --mem-mb", what, (long long)(bytes >> 20) + 1,
                (long long)(ctx->budget >> 20));
    char *const start = calloc(1, (size_t)bytes + sizeof(header) + 63); /* fresh pages are zero and stay untouched */
    NEP_REQUIRE(ctx, start != NULL, NEP_E_NOMEM, "%s: the machine has no memory for %lld bytes", what, (long long)bytes);
    want_large_pages(start, (size_t)bytes);
    header *h = (header *)(start + (64 - (uintptr_t)start % 64) % 64);
    h->start = start;
    h->ctx = ctx;
    h->bytes = (size_t)bytes;
    count(ctx, bytes);
    void *block = h + 1;
    memcpy(out_pointer, &block, sizeof block);
    return NEP_OK;
}

nep_status nep_alloc_copy(nep_ctx *ctx, const void *src, int64_t n, size_t size, const char *what, void *out_pointer)
{
    void *block = NULL;
    NEP_TRY(nep_alloc(ctx, n, size, what, &block));
    if (n > 0)
        memcpy(block, src, (size_t)n * size);
    memcpy(out_pointer, &block, sizeof block);
    return NEP_OK;
}

nep_status nep_alloc_string(nep_ctx *ctx, const char *text, char **out)
{
    return nep_alloc_copy(ctx, text, (int64_t)strlen(text) + 1, 1, "text", out);
}

nep_status nep_alloc_grow(nep_ctx *ctx, int64_t n, size_t size, const char *what, void *pointer_to_pointer)
{
    void *old, *block = NULL;
    memcpy(&old, pointer_to_pointer, sizeof old);
    NEP_TRY(nep_alloc(ctx, n, size, what, &block));
    if (old) {
        const size_t had = ((header *)old - 1)->bytes, wanted = (size_t)n * size;
        memcpy(block, old, had < wanted ? had : wanted);
        nep_alloc_free(old);
    }
    memcpy(pointer_to_pointer, &block, sizeof block);
    return NEP_OK;
}

void nep_alloc_free(void *pointer)
{
    if (!pointer)
        return;
    header *h = (header *)pointer - 1;
    atomic_fetch_sub(&h->ctx->used, (long long)h->bytes);
    free(h->start);
}

int64_t nep_alloc_used(const nep_ctx *ctx)
{
    return atomic_load(&ctx->used);
}

int64_t nep_alloc_peak(const nep_ctx *ctx)
{
    return atomic_load(&ctx->peak);
}

int64_t nep_alloc_budget(const nep_ctx *ctx)
{
    return ctx->budget;
}

void nep_alloc_fail_at(nep_ctx *ctx, int64_t k)
{
    atomic_store(&ctx->fail_at, k);
}
