/* SPDX-License-Identifier: Apache-2.0 */
/* gzip - whole gzip buffers in and out through libdeflate; every checksum is verified, sizes are bounded. */
#include "io/gzip.h"

#include <libdeflate.h>
#include <string.h>

enum { gzip_ratio = 1032 }; /* deflate cannot expand a byte to more than this */

bool nep_gzip_is(const void *bytes, int64_t n)
{
    const unsigned char *b = bytes;
    return n >= 2 && b[0] == 0x1f && b[1] == 0x8b;
}

/* The size that the trailer of the last member states, when the file can justify it. */
static int64_t first_guess(const unsigned char *b, int64_t n, int64_t limit)
{
    int64_t guess = 0;
    if (n >= 18)
        guess =
            (int64_t)b[n - 4] | (int64_t)b[n - 3] << 8 | (int64_t)b[n - 2] << 16 | (int64_t)b[n - 1] << 24;
    const int64_t most = n < limit / gzip_ratio ? n * gzip_ratio : limit;
    if (guess < 4 * n && 4 * n < most) /* several members, or a damaged trailer */
        guess = guess < n ? 4 * n : guess;
    return guess > most ? most : guess;
}

static bool zeros(const unsigned char *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (b[i])
            return false;
    return true;
}

typedef struct {
    nep_ctx *ctx;
    const char *path;
    struct libdeflate_decompressor *engine;
    const unsigned char *in;
    int64_t n_in, used, limit, room, have;
    char *out;
} inflater;

/* One member from in + used to out + have, growing out as long as the limit allows. */
static nep_status inflate_member(inflater *g)
{
    for (;;) {
        size_t took = 0, gave = 0;
        const enum libdeflate_result r =
            libdeflate_gzip_decompress_ex(g->engine, g->in + g->used, (size_t)(g->n_in - g->used),
                                          g->out + g->have, (size_t)(g->room - g->have), &took, &gave);
        if (r == LIBDEFLATE_SUCCESS) {
            g->used += (int64_t)took;
            g->have += (int64_t)gave;
            return NEP_OK;
        }
        if (r != LIBDEFLATE_INSUFFICIENT_SPACE)
            return nep_ctx_fail_file(
                g->ctx, NEP_E_FORMAT, g->path,
                "%s: the gzip stream is damaged or cut off; copy the file again from its source", g->path);
        if (g->room >= g->limit)
            return nep_ctx_fail_file(g->ctx, NEP_E_FORMAT, g->path,
                                     "%s: inflates to more than %lld bytes, which no file of its kind needs",
                                     g->path, (long long)g->limit);
        g->room = g->room < g->limit / 2 ? 2 * g->room + 4096 : g->limit;
        NEP_TRY(nep_alloc_grow(g->ctx, g->room + 1, 1, g->path, &g->out));
    }
}

nep_status nep_gzip_inflate(nep_ctx *ctx, const char *path, const void *bytes, int64_t n, int64_t limit,
                            char **out, int64_t *n_out)
{
    inflater g = {.ctx = ctx, .path = path, .in = bytes, .n_in = n, .limit = limit};
    nep_status st;
    g.room = first_guess(bytes, n, limit);
    g.engine = libdeflate_alloc_decompressor();
    NEP_REQUIRE_OR_DONE(st, ctx, g.engine != NULL, NEP_E_NOMEM, "%s: no memory to inflate it", path);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g.room + 1, 1, path, &g.out));
    do {
        NEP_TRY_OR_DONE(st, inflate_member(&g));
    } while (nep_gzip_is(g.in + g.used, g.n_in - g.used));
    if (!zeros(g.in + g.used, g.n_in - g.used)) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                               "%s: %lld bytes after the gzip stream belong to nothing", path,
                               (long long)(g.n_in - g.used));
        goto done;
    }
    g.out[g.have] = '\0';
    *out = g.out;
    *n_out = g.have;
    g.out = NULL;
done:
    nep_alloc_free(g.out);
    libdeflate_free_decompressor(g.engine);
    return st;
}

nep_status nep_gzip_deflate(nep_ctx *ctx, const void *bytes, int64_t n, int level, char **out, int64_t *n_out)
{
    char *packed = NULL;
    nep_status st;
    struct libdeflate_compressor *engine = libdeflate_alloc_compressor(level);
    NEP_REQUIRE_OR_DONE(st, ctx, engine != NULL, NEP_E_NOMEM, "gzip: no memory to compress %lld bytes",
                        (long long)n);
    const size_t bound = libdeflate_gzip_compress_bound(engine, (size_t)n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)bound, 1, "compressed output", &packed));
    const size_t size = libdeflate_gzip_compress(engine, bytes, (size_t)n, packed, bound);
    NEP_REQUIRE_OR_DONE(st, ctx, size > 0, NEP_E_INTERNAL, "gzip: compressing %lld bytes failed",
                        (long long)n);
    *out = packed;
    *n_out = (int64_t)size;
    packed = NULL;
done:
    nep_alloc_free(packed);
    libdeflate_free_compressor(engine);
    return st;
}
