/* SPDX-License-Identifier: Apache-2.0 */
/* deflate - a stretch of a stream for libdeflate, which is the fastest but takes whole streams only.
 *
 * The stretch is dressed as a whole stream where it stands, so that its bits keep their places within bytes
 * (a stored block within it begins on a byte):
 *
 *     stored block: window | empty blocks up to the bit | the stretch | stored last block: random mark
 *
 * The window comes out first, for the stretch to copy from. The mark comes out last only if a block of the
 * stream ends where the stretch does: the file cannot know it. Two other ways to it there are, both by a
 * stored block of the stream, and both are closed. One that began before the end and spans it puts the last
 * block's lengths out before the mark. One whose header lies just before the end would take the last block's
 * lengths for its own: find() passes over such places. */
#include "io/deflate.h"

#include <libdeflate.h>
#include <string.h>
#include <sys/random.h>

enum {
    WINDOW = NEP_DEFLATE_WINDOW,
    MARK = NEP_DEFLATE_MARK,
    LENGTHS = 4,
    LAST = 2 + LENGTHS + MARK,
    MOST_CODES = 288 + 32
};

struct nep_deflate {
    struct libdeflate_decompressor *engine;
    unsigned char mark[MARK];
    uint16_t kraft[1 << 12]; /* of four lengths of 3 bits: sum of 2^(7 - length) */
};

static const unsigned char last_lengths[LENGTHS] = {MARK, 0, 0xff & ~MARK, 0xff};

nep_status nep_deflate_create(nep_ctx *ctx, nep_deflate **out)
{
    nep_deflate *d = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *d, "inflater", &d));
    d->engine = libdeflate_alloc_decompressor();
    NEP_REQUIRE_OR_DONE(st, ctx, d->engine != NULL, NEP_E_NOMEM, "inflater: no memory for it");
    NEP_REQUIRE_OR_DONE(st, ctx, getrandom(d->mark, MARK, 0) == MARK, NEP_E_INTERNAL,
                        "inflater: the system gives no random bytes");
    for (int i = 0; i < NEP_LEN(d->kraft); i++)
        for (int k = 0; k < 12; k += 3)
            d->kraft[i] = (uint16_t)(d->kraft[i] + (i >> k & 7 ? 128 >> (i >> k & 7) : 0));
    *out = d;
    d = NULL;
done:
    nep_deflate_free(d);
    return st;
}

void nep_deflate_free(nep_deflate *d)
{
    if (!d)
        return;
    libdeflate_free_decompressor(d->engine);
    nep_alloc_free(d);
}

/* ---- finding a block ---- */

/* At least 57 bits from bit p on. */
static uint64_t bits_at(const unsigned char *packed, int64_t p)
{
    uint64_t x;
    memcpy(&x, packed + (p >> 3), sizeof x);
    return x >> (p & 7);
}

/* Bit i is set where bits i .. i + 16 of x may start such a block: not the last, of type 2, at most 286 codes
 * for bytes and lengths and 30 for distances, and 12 lengths or more of the code that these are written in:
 * few blocks do with less, and to pass over them halves the work. Holds for i <= 57 - 17. */
static uint64_t may_start(uint64_t x)
{
    const uint64_t many_codes = x >> 4 & x >> 5 & x >> 6 & x >> 7,
                   many_distances = x >> 9 & x >> 10 & x >> 11 & x >> 12;
    return ~x & ~(x >> 1) & x >> 2 & ~many_codes & ~many_distances & x >> 16;
}

/* The code in which the lengths of the others are written is complete. */
static bool first_code_complete(const nep_deflate *d, const unsigned char *packed, int64_t p)
{
    const int n = 3 * (4 + (int)(bits_at(packed, p + 13) & 15));
    const uint64_t x = bits_at(packed, p + 17) & ((1ull << n) - 1);
    return d->kraft[x & 4095] + d->kraft[x >> 12 & 4095] + d->kraft[x >> 24 & 4095] +
               d->kraft[x >> 36 & 4095] + d->kraft[x >> 48] ==
           128;
}

/* Table of a complete code of 19 symbols: symbol | length << 8 of what 7 bits start with. */
static void make_table(const uint8_t length[19], uint16_t table[128])
{
    int code = 0;
    for (int l = 1; l <= 7; l++, code <<= 1)
        for (int s = 0; s < 19; s++) {
            if (length[s] != l)
                continue;
            int reversed = 0;
            for (int b = 0; b < l; b++)
                reversed |= (code >> b & 1) << (l - 1 - b);
            for (int j = reversed; j < 128; j += 1 << l)
                table[j] = (uint16_t)(s | l << 8);
            code++;
        }
}

/* `count` code lengths of the block at p; false where they overrun the packed bytes or their number. */
static bool read_lengths(const unsigned char *packed, int64_t n, int64_t p, int count, uint8_t *length)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t first[19] = {0};
    uint16_t table[128];
    const int given = 4 + (int)(bits_at(packed, p + 13) & 15);
    for (int i = 0; i < given; i++)
        first[order[i]] = bits_at(packed, p + 17 + 3 * i) & 7;
    make_table(first, table);
    p += 17 + 3 * given;
    for (int k = 0; k < count;) {
        if (p >= 8 * n)
            return false;
        const uint64_t x = bits_at(packed, p);
        const int symbol = table[x & 127] & 255, l = table[x & 127] >> 8;
        const int extra = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
        const int more = (int)(x >> l & ((1u << extra) - 1));
        const int times = symbol < 16 ? 1 : (symbol == 18 ? 11 : 3) + more;
        if (times > count - k || (symbol == 16 && k == 0))
            return false;
        memset(length + k, symbol < 16 ? symbol : symbol == 16 ? length[k - 1] : 0, (size_t)times);
        k += times;
        p += l + extra;
    }
    return true;
}

/* How much of a code's space is in use, of 2^15: a complete code uses all. */
static int space_of(const uint8_t *length, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += length[i] ? 1 << (15 - length[i]) : 0;
    return sum;
}

static bool codes_complete(const unsigned char *packed, int64_t n, int64_t p)
{
    uint8_t length[MOST_CODES];
    const int symbols = 257 + (int)(bits_at(packed, p + 3) & 31),
              distances = 1 + (int)(bits_at(packed, p + 8) & 31);
    if (!read_lengths(packed, n, p, symbols + distances, length))
        return false;
    const int space = space_of(length + symbols, distances);
    return length[256] && space_of(length, symbols) == 1 << 15 &&
           (space == 1 << 15 || space == 1 << 14 || space == 0); /* one distance, or none */
}

/* What a stored block has for lengths stands on the first byte past the header that would start at p. */
static bool past_stored_header(const unsigned char *packed, int64_t p)
{
    const unsigned char *b = packed + ((p + 3 + 7) >> 3);
    return (b[0] ^ b[2]) == 0xff && (b[1] ^ b[3]) == 0xff;
}

int64_t nep_deflate_find(const nep_deflate *d, const unsigned char *packed, int64_t n, int64_t from,
                         int64_t to)
{
    enum { at_once = 57 - 16 };
    for (int64_t p = from; p < to; p += at_once) {
        for (uint64_t m = may_start(bits_at(packed, p)) & ((1ull << at_once) - 1); m; m &= m - 1) {
            const int64_t q = p + __builtin_ctzll(m);
            if (q + 17 + 57 > 8 * n || q >= to)
                return -1;
            if (first_code_complete(d, packed, q) && codes_complete(packed, n, q) &&
                !past_stored_header(packed, q))
                return q;
        }
    }
    return -1;
}

/* ---- inflating a stretch ---- */

typedef struct {
    unsigned char byte[16];
    int n; /* bits */
} few_bits;

static void put(few_bits *f, uint64_t value, int n)
{
    for (int i = 0; i < n; i++, f->n++)
        f->byte[f->n >> 3] = (unsigned char)(f->byte[f->n >> 3] | (value >> i & 1) << (f->n & 7));
}

/* Blocks without a byte that take `odd` bits more than whole bytes: of 10 bits with the fixed codes, and of
 * 91 with two codes of their own, one bit each for byte 0 and the end. */
static void put_empty_blocks(few_bits *f, int odd)
{
    if (odd & 1) {
        put(f, 2 << 1 | (18 - 4) << 13, 17); /* 257 symbols, 1 distance, 18 lengths of the first code */
        put(f, 1 << 6, 9);                   /* 16, 17, 18: "11 zeros or more" takes one bit */
        put(f, 0, 42);
        put(f, 1, 3);                 /* "length 1" takes one bit */
        put(f, 1 << 1 | 127 << 2, 9); /* 1, 138 zeros */
        put(f, 1 | 106 << 1, 10);     /* 117 zeros, 1, 1 */
        put(f, 1, 1);                 /* the end */
    }
    while ((f->n & 7) != odd)
        put(f, 1 << 1, 10);
}

/* Window and empty blocks before bit `from`; gives the first byte. */
static unsigned char *put_front(unsigned char *packed, int64_t from, const unsigned char *window)
{
    static const unsigned char head[5] = {0, WINDOW & 0xff, WINDOW >> 8, 0xff & ~WINDOW,
                                          0xff & ~(WINDOW >> 8)};
    few_bits f = {0};
    put_empty_blocks(&f, from & 7);
    unsigned char *const at = packed + (from >> 3), *const empty = at - f.n / 8,
                         *const first = empty - WINDOW - 5;
    memcpy(first, head, sizeof head);
    memcpy(first + sizeof head, window, WINDOW);
    memcpy(empty, f.byte, (size_t)(f.n / 8));
    if (from & 7)
        *at = (unsigned char)((*at & ~((1u << (from & 7)) - 1)) | f.byte[f.n / 8]);
    return first;
}

/* The last block from bit `to` on; gives its end. Its padding is of ones, so that no block starts within it.
 */
static unsigned char *put_last(const nep_deflate *d, unsigned char *packed, int64_t to)
{
    const unsigned header = 0xfff9u << (to & 7); /* bits 1, 0, 0 and ones */
    unsigned char *at = packed + (to >> 3);
    *at = (unsigned char)((*at & ((1u << (to & 7)) - 1)) | (header & 0xff));
    at++;
    if ((to & 7) > 5)
        *at++ = (unsigned char)(header >> 8);
    memcpy(at, last_lengths, LENGTHS);
    memcpy(at + LENGTHS, d->mark, MARK);
    return at + LENGTHS + MARK;
}

int64_t nep_deflate_stretch(nep_deflate *d, unsigned char *packed, int64_t from, int64_t to,
                            const unsigned char window[NEP_DEFLATE_WINDOW], unsigned char *out, int64_t room)
{
    unsigned char kept[LAST], *const first_byte = packed + (from >> 3), *const last_byte = packed + (to >> 3);
    const unsigned char kept_first = *first_byte;
    size_t took = 0, gave = 0;
    memcpy(kept, last_byte, LAST);
    unsigned char *const start = put_front(packed, from, window);
    const size_t n = (size_t)(put_last(d, packed, to) - start);
    const enum libdeflate_result r = libdeflate_deflate_decompress_ex(
        d->engine, start, n, out - WINDOW, (size_t)(WINDOW + room + MARK), &took, &gave);
    memcpy(last_byte, kept, LAST);
    *first_byte = kept_first;
    if (r == LIBDEFLATE_INSUFFICIENT_SPACE)
        return NEP_DEFLATE_FULL;
    if (r != LIBDEFLATE_SUCCESS || took != n || gave < WINDOW + MARK)
        return NEP_DEFLATE_BAD;
    const unsigned char *mark = out - WINDOW + gave - MARK;
    if (memcmp(mark, d->mark, MARK) != 0 || memcmp(mark - LENGTHS, last_lengths, LENGTHS) == 0)
        return NEP_DEFLATE_BAD;
    return (int64_t)gave - WINDOW - MARK;
}
