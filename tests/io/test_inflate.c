/* SPDX-License-Identifier: Apache-2.0 */
/* test_inflate - leaps of all sizes against ISA-L alone: the same bytes, verdict and total, for sound files
 * of several compressors, for every truncation of one, and for flipped bits. */
#include "io/files.h"
#include "leaps.h"

#include "io/deflate.h"
#include "io/gzip.h"
#include "io/stream.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <sys/mman.h>

static nep_ctx *ctx;

/* ---- comparing ---- */

static const leaps_way isal_alone = {0, 1 << 20, 256 << 10};

static int file_of(const void *bytes, size_t n)
{
    const int fd = memfd_create("packed", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
    return fd;
}

static leaps_way draw_way(uint64_t stream, uint64_t i)
{
    static const int64_t rooms[] = {700, 5000, 33000, 70000, 1 << 20}, inputs[] = {60, 700, 4000, 256 << 10};
    return (leaps_way){1 + nep_philox_u32(5, stream, 3 * i) % (1u << (1 + i % 13)),
                       rooms[nep_philox_u32(5, stream, 3 * i + 1) % NEP_LEN(rooms)],
                       inputs[nep_philox_u32(5, stream, 3 * i + 2) % NEP_LEN(inputs)]};
}

/* Share of the bytes that came by leaps, in the best of n ways. */
static double compare(const char *name, const void *packed, size_t n, int ways, nep_verdict *verdict)
{
    const int fd = file_of(packed, n);
    double most = 0;
    for (int i = 0; i < ways; i++) {
        const leaps_way w = i == 0 ? (leaps_way){2000, 70000, 4096} : draw_way(n, (uint64_t)i);
        const leaps_way alone = {0, w.room, w.input};
        leaps_result want = leaps_run(ctx, fd, &alone), got = leaps_run(ctx, fd, &w);
        if (!leaps_alike(&want, &got) || nep_alloc_used(ctx) != 0)
            fail_msg("%s, leap %lld, room %lld, input %lld: verdict %d after %lld bytes, %d after %lld alone",
                     name, (long long)w.leap, (long long)w.room, (long long)w.input, got.verdict,
                     (long long)got.total, want.verdict, (long long)want.total);
        most = fmax(most, (double)got.leapt / (double)(got.n + 1));
        *verdict = want.verdict;
        free(got.bytes);
        free(want.bytes);
    }
    close(fd);
    return most;
}

/* ---- sound files ---- */

static const char *const golden[] = {"level1", "level9",   "fixed",   "huffman", "far",
                                     "mixed",  "parallel", "members", "small"};

/* To be freed; nothing of it is counted by the context. */
static char *own(char *bytes, int64_t n)
{
    char *copy = malloc((size_t)n);
    assert_non_null(copy);
    memcpy(copy, bytes, (size_t)n);
    nep_alloc_free(bytes);
    return copy;
}

static char *read_golden(const char *name, int64_t *n)
{
    char path[600], *bytes = NULL;
    snprintf(path, sizeof path, TEST_GOLDEN("inflate_%s.gz"), name);
    assert_ok(ctx, nep_file_read(ctx, path, 1 << 20, &bytes, n));
    return own(bytes, *n);
}

static void test_zlib(void **state)
{
    (void)state;
    for (int k = 0; k < NEP_LEN(golden); k++) {
        int64_t n, n_want;
        nep_verdict v;
        char *packed = read_golden(golden[k], &n), *want = NULL;
        const double leapt = compare(golden[k], packed, (size_t)n, 40, &v);
        assert_int_equal(v, NEP_ENDED);
        const bool fixed_only = strcmp(golden[k], "fixed") == 0, late = strcmp(golden[k], "small") == 0;
        if (fixed_only ? leapt > 0 : leapt < (late ? 0.01 : 0.1))
            fail_msg("%s: %.3f of the bytes came by leaps", golden[k], leapt);
        const int fd = file_of(packed, (size_t)n);
        leaps_result r = leaps_run(ctx, fd, &isal_alone);
        assert_ok(ctx, nep_gzip_inflate(ctx, golden[k], packed, n, 1 << 24, &want, &n_want));
        assert_int_equal(r.n, n_want);
        assert_memory_equal(r.bytes, want, (size_t)n_want);
        nep_alloc_free(want);
        free(r.bytes);
        free(packed);
        close(fd);
    }
}

/* Smooth, noisy, constant and random stretches. */
static unsigned char *payload(size_t n)
{
    unsigned char *p = malloc(n);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        const uint32_t r = nep_philox_u32(9, 0, i);
        const size_t part = i / 7919 % 5;
        p[i] = (unsigned char)(part == 0   ? 0
                               : part == 1 ? r
                               : part == 2 ? i / 64 + (r & 7)
                               : i & 1     ? 3
                                           : r & r >> 8 & 31);
    }
    return p;
}

static void test_libdeflate(void **state)
{
    (void)state;
    static const int levels[] = {0, 1, 6, 12};
    const size_t n = 1200000;
    unsigned char *p = payload(n);
    for (int k = 0; k < NEP_LEN(levels); k++) {
        char *packed = NULL, name[32];
        int64_t size;
        nep_verdict v;
        snprintf(name, sizeof name, "libdeflate %d", levels[k]);
        assert_ok(ctx, nep_gzip_deflate(ctx, p, (int64_t)n, levels[k], &packed, &size));
        packed = own(packed, size);
        const double leapt = compare(name, packed, (size_t)size, 12, &v);
        assert_int_equal(v, NEP_ENDED);
        assert_true(levels[k] == 0 ? leapt == 0 : leapt > 0.3);
        free(packed);
    }
    free(p);
}

/* One member of ISA-L, flushed every `piece` bytes. */
static size_t pack_isal(const unsigned char *p, size_t n, size_t piece, int level, int flush,
                        unsigned char *out, size_t room)
{
    static struct isal_zstream z;
    static uint8_t work[ISAL_DEF_LVL3_DEFAULT];
    isal_deflate_init(&z);
    z.gzip_flag = IGZIP_GZIP;
    z.level = (uint32_t)level;
    z.level_buf = work;
    z.level_buf_size = sizeof work;
    z.next_out = out;
    z.avail_out = (uint32_t)room;
    for (size_t at = 0; at < n; at += piece) {
        z.next_in = (uint8_t *)(uintptr_t)(p + at);
        z.avail_in = (uint32_t)(n - at < piece ? n - at : piece);
        z.flush = (uint16_t)flush;
        z.end_of_stream = at + piece >= n;
        assert_int_equal(isal_deflate(&z), COMP_OK);
    }
    assert_int_equal(z.internal_state.state, ZSTATE_END);
    return room - z.avail_out;
}

static void test_isal(void **state)
{
    (void)state;
    static const int flushes[] = {NO_FLUSH, SYNC_FLUSH, FULL_FLUSH};
    const size_t n = 400000, room = 2 * n;
    unsigned char *p = payload(n), *packed = malloc(room);
    for (int level = 0; level <= 3; level++)
        for (int f = 0; f < NEP_LEN(flushes); f++) {
            nep_verdict v;
            char name[32];
            snprintf(name, sizeof name, "ISA-L %d, flush %d", level, f);
            const size_t size = pack_isal(p, n, f ? 6007 : n, level, flushes[f], packed, room);
            const double leapt = compare(name, packed, size, 12, &v);
            assert_int_equal(v, NEP_ENDED);
            assert_true(f == 0 || leapt > 0.3);
        }
    free(packed);
    free(p);
}

/* Gzip files within stored blocks: all that looks like the start of a block there is none. */
static void test_nested(void **state)
{
    (void)state;
    unsigned char *inside = NULL;
    char *packed = NULL;
    int64_t n = 0, size;
    nep_verdict v;
    for (int k = 0; k < NEP_LEN(golden); k++) {
        int64_t m;
        char *part = read_golden(golden[k], &m);
        assert_non_null(inside = realloc(inside, (size_t)(n + m)));
        memcpy(inside + n, part, (size_t)m);
        n += m;
        free(part);
    }
    assert_ok(ctx, nep_gzip_deflate(ctx, inside, n, 0, &packed, &size));
    packed = own(packed, size);
    assert_true(compare("nested", packed, (size_t)size, 40, &v) == 0);
    assert_int_equal(v, NEP_ENDED);
    free(packed);
    free(inside);
}

/* ---- a stretch alone ---- */

/* From block starts to places that are none: in the data of the last, stored, block; and right where blocks
 * start. */
static void test_stretch(void **state)
{
    (void)state;
    enum { data = 60, window = NEP_DEFLATE_WINDOW, room = 200 };
    static unsigned char packed[NEP_DEFLATE_BEFORE + 2 * data + NEP_DEFLATE_AFTER], out[window + room + 100];
    static const unsigned char before[window];
    unsigned char *const at = packed + NEP_DEFLATE_BEFORE;
    nep_deflate *d = NULL;
    assert_ok(ctx, nep_deflate_create(ctx, &d));
    for (int length = 1; length <= data; length++)
        for (int last = 0; last < 2; last++) {
            unsigned char want[2 * data + NEP_DEFLATE_AFTER] = {0}; /* two stored blocks */
            for (int i = 0; i < data; i++)
                want[5 + i] = want[10 + length + i] = (unsigned char)(i + 1);
            for (int b = 0; b < 2; b++) {
                unsigned char *head = want + b * (5 + length);
                head[0] = (unsigned char)(last && b == 0);
                head[1] = (unsigned char)length;
                head[3] = (unsigned char)~length;
                head[4] = 0xff;
            }
            memcpy(at, want, sizeof want);
            for (int64_t to = 8; to < 8 * (5 + length + 1); to++) {
                const int64_t n = nep_deflate_stretch(d, at, 0, to, before, out + window, room);
                const bool start = !last && to == 8 * (5 + length);
                if (start ? n != length || memcmp(out + window, want + 5, (size_t)length) != 0 : n >= 0)
                    fail_msg("%d stored bytes, last %d, to bit %lld: %lld", length, last, (long long)to,
                             (long long)n);
                assert_memory_equal(at, want, sizeof want);
            }
        }
    nep_deflate_free(d);
}

/* ---- damaged files ---- */

static void test_cut(void **state)
{
    (void)state;
    int64_t n;
    char *packed = read_golden("small", &n);
    for (int64_t cut = 0; cut < n; cut++) {
        nep_verdict v;
        compare("cut", packed, (size_t)cut, 2, &v);
        assert_int_equal(v, cut == 0 ? NEP_ENDED : NEP_CUT);
    }
    free(packed);
}

static void flip(char *bytes, uint32_t bit)
{
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
}

static void test_flipped(void **state)
{
    (void)state;
    int seen[NEP_UNREADABLE + 1] = {0};
    for (int k = 0; k < NEP_LEN(golden); k++) {
        int64_t n;
        char *packed = read_golden(golden[k], &n);
        for (uint64_t i = 0; i < 100; i++) {
            nep_verdict v;
            const uint32_t bit = nep_philox_u32(6, (uint64_t)k, i) % ((uint32_t)n * 8);
            flip(packed, bit);
            compare(golden[k], packed, (size_t)n, 2, &v);
            flip(packed, bit);
            seen[v]++;
        }
        free(packed);
    }
    assert_true(seen[NEP_CUT] > 0 && seen[NEP_DAMAGED] > 100 && seen[NEP_CHECKSUM] > 100);
}

/* What the stream, its thread inflating, says of a file in the end. */
static void read_through(const char *path, int64_t leap, char *sentence, size_t room)
{
    char bytes[4096];
    nep_stream *s = NULL;
    nep_status st;
    nep_inflate_set_leap(leap);
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_stream_open(ctx, path, &s));
    assert_ok(ctx, nep_stream_run_ahead(s));
    do
        st = nep_stream_read(s, bytes, sizeof bytes);
    while (st == NEP_OK);
    snprintf(sentence, room, "%s", nep_ctx_error(ctx));
    nep_stream_close(s);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_sentences(void **state)
{
    (void)state;
    for (int k = 0; k < NEP_LEN(golden); k++) {
        int64_t n;
        char *packed = read_golden(golden[k], &n);
        for (uint64_t i = 0; i < 40; i++) {
            char alone[600], leaping[600];
            const uint32_t r = nep_philox_u32(7, (uint64_t)k, i) % (uint32_t)n;
            if (i % 2)
                flip(packed, 8 * r + i % 8);
            const char *path =
                test_write("damaged.gz", packed, i % 2 ? (size_t)n : (size_t)(r + 2) % (size_t)n);
            read_through(path, 0, alone, sizeof alone);
            read_through(path, 1 + r % 3000, leaping, sizeof leaping);
            assert_true(alone[0]);
            assert_string_equal(alone, leaping);
            if (i % 2)
                flip(packed, 8 * r + i % 8);
        }
        free(packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zlib),    cmocka_unit_test(test_libdeflate), cmocka_unit_test(test_isal),
        cmocka_unit_test(test_nested),  cmocka_unit_test(test_stretch),    cmocka_unit_test(test_cut),
        cmocka_unit_test(test_flipped), cmocka_unit_test(test_sentences),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
