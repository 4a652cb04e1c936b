/* SPDX-License-Identifier: Apache-2.0 */
/* inflate - a gzip file as a stream: ISA-L, and in leaps libdeflate, which is a third faster but takes no
 * stream.
 *
 * ISA-L runs to what looks like the start of a block. If it arrives there exactly, leaps go on from block to
 * block: the next start is guessed some way ahead, and the stretch up to it inflated from the 32 KiB before.
 * A wrong guess yields nothing, and ISA-L goes on where the last leap ended. So the bytes are those of ISA-L
 * alone, and so is every verdict.
 */
#include "io/inflate.h"

#include "io/deflate.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>

enum {
    WINDOW = NEP_DEFLATE_WINDOW,
    MOST_LEAP = 1 << 20, /* packed bytes of a leap */
    SEARCH = 128 << 10,  /* packed bytes in which the next block must start */
    MISSES = 4           /* leaps that fail one after the other end all leaping in a member */
};

static int64_t first_leap = 256 << 10;

struct nep_inflate {
    nep_ctx *ctx;
    int fd, code;
    unsigned char *input;                   /* input[at .. have - 1] are to come */
    int64_t at, have, space, input_bytes;   /* input_bytes: of one read */
    int64_t before;                         /* bytes of the input that stay free before at */
    int64_t start, first_bytes, first_room; /* what was read before; room of the first call */
    bool ended;

    struct inflate_state isal;
    bool in_member, any_member;
    int64_t made, total; /* inflated bytes: of this member, of all */

    nep_deflate *deflate;
    bool leaping;
    bool on_block; /* a block starts at bit `bit` of input[at]; ISA-L's state is void */
    int bit, misses;
    int64_t goal;     /* bit of the input up to which ISA-L runs; -1 = none */
    int64_t searched; /* no goal is looked for before this byte of the input */
    int64_t step;     /* packed bytes of the next leap */
    int64_t least;    /* and of the shortest */
    int64_t leapt;
    uint32_t crc;
    unsigned char window[WINDOW]; /* the last inflated bytes */
};

void nep_inflate_set_leap(int64_t bytes)
{
    first_leap = bytes;
}

nep_status nep_inflate_create(nep_ctx *ctx, int fd, int64_t input_bytes, const void *first, int64_t n,
                              nep_inflate **out)
{
    nep_inflate *g = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *g, "inflater", &g));
    g->ctx = ctx;
    g->fd = fd;
    g->input_bytes = input_bytes;
    g->space = n > input_bytes ? n : input_bytes;
    g->goal = -1;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g->space, 1, "file input", &g->input));
    memcpy(g->input, first, (size_t)n);
    g->have = g->first_bytes = n;
    g->start = lseek(fd, 0, SEEK_CUR) - n;
    *out = g;
    g = NULL;
done:
    nep_inflate_free(g);
    return st;
}

nep_status nep_inflate_leap(nep_inflate *g, int64_t file_bytes)
{
    unsigned char *wider = NULL;
    if (g->leaping || first_leap == 0 || file_bytes < 4 * first_leap)
        return NEP_OK;
    const int64_t left = g->have - g->at, most = MOST_LEAP + SEARCH;
    const int64_t space =
        NEP_DEFLATE_BEFORE + left + (file_bytes < most ? file_bytes : most) + g->input_bytes;
    NEP_TRY(nep_alloc(g->ctx, space + NEP_DEFLATE_AFTER, 1, "file input", &wider));
    memcpy(wider + NEP_DEFLATE_BEFORE, g->input + g->at, (size_t)left);
    nep_alloc_free(g->input);
    g->input = wider;
    g->space = space;
    g->at = g->before = NEP_DEFLATE_BEFORE;
    g->have = g->at + left;
    g->step = first_leap;
    g->least = first_leap / 8;
    g->leaping = true;
    return nep_deflate_create(g->ctx, &g->deflate);
}

void nep_inflate_free(nep_inflate *g)
{
    if (!g)
        return;
    nep_deflate_free(g->deflate);
    nep_alloc_free(g->input);
    nep_alloc_free(g);
}

int nep_inflate_errno(const nep_inflate *g)
{
    return g->code;
}

int64_t nep_inflate_total(const nep_inflate *g)
{
    return g->total;
}

int64_t nep_inflate_leapt(const nep_inflate *g)
{
    return g->leapt;
}

/* ---- input ---- */

/* What is to come moves to the front of the input. */
static void make_room(nep_inflate *g)
{
    const int64_t by = g->at - g->before;
    memmove(g->input + g->before, g->input + g->at, (size_t)(g->have - g->at));
    g->at -= by;
    g->have -= by;
    g->searched -= by;
    if (g->goal >= 0)
        g->goal -= 8 * by;
}

/* One read of up to `most` bytes. */
static nep_verdict read_some(nep_inflate *g, int64_t most)
{
    const int64_t room = g->space - g->have;
    ssize_t n;
    do
        n = read(g->fd, g->input + g->have, (size_t)(room < most ? room : most));
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        g->code = errno;
        return NEP_UNREADABLE;
    }
    g->ended = n == 0;
    g->have += n;
    return NEP_GOING;
}

/* At least `want` packed bytes at hand, unless the file ends before (or grew, and the input is full). */
static nep_verdict refill(nep_inflate *g, int64_t want)
{
    if (g->have - g->at >= want || g->ended)
        return NEP_GOING;
    if (g->at == g->have || g->at + want > g->space)
        make_room(g);
    nep_verdict v = NEP_GOING;
    while (g->have - g->at < want && g->have < g->space && !g->ended && v == NEP_GOING)
        v = read_some(g, g->input_bytes);
    return v;
}

/* ---- ISA-L ---- */

/* Between members: the start of another, zero padding, or the end. */
static nep_verdict next_member(nep_inflate *g)
{
    while (g->any_member && g->at < g->have && g->input[g->at] == 0)
        g->at++;
    if (g->at == g->have)
        return g->ended ? NEP_ENDED : NEP_GOING;
    if (g->input[g->at] != 0x1f)
        return NEP_DAMAGED;
    isal_inflate_init(&g->isal);
    g->isal.crc_flag = ISAL_GZIP;
    g->in_member = g->any_member = true;
    g->made = 0;
    g->misses = 0;
    return NEP_GOING;
}

/* The next start of a block to run to, if leaps may go on from there. */
static nep_verdict choose_goal(nep_inflate *g)
{
    const nep_verdict v = refill(g, SEARCH);
    const int64_t left = g->have - g->at, reach = left < SEARCH ? left : SEARCH;
    if (v == NEP_GOING && left >= g->least)
        g->goal = nep_deflate_find(g->deflate, g->input, g->have, 8 * g->at + 1, 8 * (g->at + reach));
    g->searched = g->at + reach;
    return v;
}

/* ISA-L took all input up to the goal. If a block starts there, leaps go on from it. ISA-L may hold the first
 * bits of the block's header, and then its bytes. */
static void reach_goal(nep_inflate *g)
{
    const struct inflate_state *z = &g->isal;
    const bool header = z->block_state == ISAL_BLOCK_NEW_HDR || z->block_state == ISAL_BLOCK_HDR;
    g->on_block = header && 8 * (g->at - z->tmp_in_size) - z->read_in_length == g->goal;
    if (g->on_block) {
        g->at = g->goal >> 3;
        g->bit = g->goal & 7;
        g->crc = z->crc;
    }
    g->misses += !g->on_block;
    g->goal = -1;
}

static nep_verdict verdict_of(int code)
{
    return code >= 0 ? NEP_GOING : code == ISAL_INCORRECT_CHECKSUM ? NEP_CHECKSUM : NEP_DAMAGED;
}

/* One call of ISA-L: input up to the goal, or all. */
static nep_verdict run_isal(nep_inflate *g, unsigned char *out, int64_t room, int64_t *n)
{
    struct inflate_state *z = &g->isal;
    const int64_t end = g->goal < 0 ? g->have : (g->goal + 7) / 8;
    const uint32_t had = (uint32_t)(end - g->at), space = (uint32_t)(room - *n);
    z->next_in = g->input + g->at;
    z->avail_in = had;
    z->next_out = out + *n;
    z->avail_out = space;
    const nep_verdict v = verdict_of(isal_inflate(z));
    const uint32_t made = space - z->avail_out;
    g->at = end - z->avail_in;
    g->made += made;
    g->total += made;
    *n += made;
    if (z->block_state == ISAL_BLOCK_FINISH) {
        g->in_member = false;
        g->goal = -1;
    } else if (v == NEP_GOING && g->goal >= 0 && g->at == end && z->avail_out > 0) {
        reach_goal(g);
    } else if (v == NEP_GOING && made == 0 && z->avail_in == had && (had > 0 || g->ended)) {
        return had > 0 ? NEP_DAMAGED : NEP_CUT;
    }
    return v;
}

/* One step of ISA-L's way: input, the next member, a goal, or bytes. */
static nep_verdict advance(nep_inflate *g, unsigned char *out, int64_t room, int64_t *n)
{
    if (g->at == g->have && !g->ended)
        return refill(g, 1);
    if (!g->in_member)
        return next_member(g);
    if (g->leaping && g->goal < 0 && g->made >= WINDOW && g->at >= g->searched && g->misses < MISSES) {
        const nep_verdict v = choose_goal(g);
        if (v != NEP_GOING)
            return v;
    }
    return run_isal(g, out, room, n);
}

/* Fills the room, unless leaps may go on before or the stream ends. */
static nep_verdict run_alone(nep_inflate *g, unsigned char *out, int64_t room, int64_t *n)
{
    nep_verdict v = NEP_GOING;
    while (*n < room && v == NEP_GOING && !g->on_block)
        v = advance(g, out, room, n);
    return v;
}

/* ---- leaps ---- */

/* ISA-L goes on where the last leap ended. */
static void land(nep_inflate *g)
{
    struct inflate_state *z = &g->isal;
    isal_inflate_init(z);
    z->crc_flag = ISAL_GZIP_NO_HDR_VER;
    z->crc = g->crc;
    z->total_out = (uint32_t)g->made;
    isal_inflate_set_dict(z, g->window, WINDOW);
    if (g->bit > 0) {
        z->read_in = (uint64_t)g->input[g->at++] >> g->bit;
        z->read_in_length = 8 - g->bit;
    }
    g->on_block = false;
    g->searched = g->at;
}

/* The block that the next leap may end at, a step ahead; nearer to the file's end less, so that little is
 * left. */
static int64_t choose_end(const nep_inflate *g)
{
    const int64_t left = g->have - g->at, ahead = g->step < left * 3 / 4 ? g->step : left * 3 / 4;
    const int64_t reach = left < ahead + SEARCH ? left : ahead + SEARCH;
    if (ahead < g->least || ahead < 1)
        return -1;
    return nep_deflate_find(g->deflate, g->input, g->have, 8 * (g->at + ahead), 8 * (g->at + reach));
}

/* Steps are such that a leap fills about half the room, by what the last one needed. */
static void set_step(nep_inflate *g, int64_t packed, int64_t made, int64_t room)
{
    const int64_t step = made > 0 ? packed * (room / 2) / made : made == 0 ? g->step : g->step / 2;
    g->step = step < g->least ? g->least : step > MOST_LEAP ? MOST_LEAP : step;
}

/* The bytes up to the next block that may end a leap, the nearer the less room there is. */
static int64_t try_leap(nep_inflate *g, unsigned char *out, int64_t room, int64_t *to)
{
    const int64_t from = 8 * g->at + g->bit;
    int64_t made, step;
    do {
        *to = choose_end(g);
        if (*to < 0)
            return NEP_DEFLATE_BAD;
        made = nep_deflate_stretch(g->deflate, g->input, from, *to, g->window, out, room);
        step = g->step;
        set_step(g, (*to - from) / 8, made, room);
    } while (made == NEP_DEFLATE_FULL && g->step < step);
    g->misses = made < 0 ? g->misses + 1 : 0;
    return made;
}

/* Leaps once; if that fails, ISA-L is ready again. */
static nep_verdict leap(nep_inflate *g, unsigned char *out, int64_t room, int64_t *n)
{
    int64_t to;
    const nep_verdict v = refill(g, g->step + SEARCH);
    if (v != NEP_GOING)
        return v;
    const int64_t made = try_leap(g, out, room, &to);
    if (made < 0) {
        land(g);
        return NEP_GOING;
    }
    g->crc = crc32_gzip_refl(g->crc, out, (uint64_t)made);
    g->at = to >> 3;
    g->bit = to & 7;
    g->made += made;
    g->total += made;
    g->leapt += made;
    *n = made;
    return NEP_GOING;
}

/* Keeps the last inflated bytes, of which the n at out are new. */
static void remember(nep_inflate *g, const unsigned char *out, int64_t n)
{
    const int64_t fresh = n < WINDOW ? n : WINDOW;
    memmove(g->window, g->window + fresh, (size_t)(WINDOW - fresh));
    memcpy(g->window + WINDOW - fresh, out + n - fresh, (size_t)fresh);
}

/* What ISA-L alone says of the file, read and inflated in the pieces that it would have had: where it stops
 * in a damaged one hangs on them. libdeflate also lets pass what no stream may hold, lengths and distances
 * that the format leaves undefined, so that leaps may have gone beyond the damage. */
static nep_verdict judge_again(nep_inflate *g, nep_verdict first, unsigned char *out, int64_t room)
{
    const int64_t total = g->total;
    nep_verdict v = lseek(g->fd, g->start, SEEK_SET) == g->start ? NEP_GOING : NEP_UNREADABLE;
    g->leaping = g->on_block = g->ended = g->in_member = g->any_member = false;
    g->goal = -1;
    g->at = g->have = g->before;
    g->total = 0;
    if (v == NEP_GOING && g->first_bytes > 0)
        v = read_some(g, g->first_bytes);
    for (int64_t space = g->first_room, n; v == NEP_GOING; space = room) {
        n = 0;
        v = run_alone(g, out, space, &n);
    }
    if (v == NEP_CUT || v == NEP_DAMAGED || v == NEP_CHECKSUM)
        return v;
    g->total = total; /* the file is another now, or cannot be read any more */
    return first;
}

nep_verdict nep_inflate_fill(nep_inflate *g, unsigned char *out, int64_t room, int64_t *n)
{
    nep_verdict v = NEP_GOING;
    *n = 0;
    if (g->total == 0)
        g->first_room = room;
    if (g->on_block)
        v = leap(g, out, room, n);
    if (v == NEP_GOING && !g->on_block)
        v = run_alone(g, out, room, n);
    if (!g->leaping)
        return v;
    if (v == NEP_GOING)
        remember(g, out, *n);
    if (v == NEP_CUT || v == NEP_DAMAGED || v == NEP_CHECKSUM) {
        v = judge_again(g, v, out, room);
        *n = 0;
    }
    return v;
}
