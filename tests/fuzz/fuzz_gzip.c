/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_gzip - by the first byte: the bytes as a compressed image; the bytes inside a sound one; the bytes as
 * a gzip file, or packed into one, that is inflated in leaps and by ISA-L alone. */
#include "image.h"
#include "leaps.h"

#include "io/gzip.h"

#include <isa-l/igzip_lib.h>

static void fuzz_inside(const uint8_t *data, size_t size)
{
    nep_ctx *ctx = fuzz_ctx();
    char *packed = NULL;
    int64_t n = 0;
    if (nep_gzip_deflate(ctx, data, (int64_t)size, 1, &packed, &n) != NEP_OK)
        abort();
    fuzz_image(packed, (size_t)n);
    nep_alloc_free(packed);
    fuzz_end(ctx, NEP_OK);
}

/* Two bytes choose the leap and the room. */
static nep_verdict fuzz_leaps(const uint8_t *how, const void *packed, size_t n)
{
    static const int64_t rooms[] = {900, 20000, 70000, LEAPS_MOST_ROOM};
    nep_ctx *ctx = fuzz_ctx();
    char path[64];
    const int fd = fuzz_file(packed, n, path);
    const leaps_way leaping = {1 + 8 * how[0], rooms[how[1] & 3], 1 + 64 * (how[1] >> 2)},
                    alone = {0, leaping.room, leaping.input};
    leaps_result a = leaps_run(ctx, fd, &alone), b = leaps_run(ctx, fd, &leaping);
    if (!leaps_alike(&a, &b))
        abort();
    free(a.bytes);
    free(b.bytes);
    close(fd);
    fuzz_end(ctx, NEP_OK);
    return a.verdict;
}

/* Over and over, each time a little other, packed by ISA-L in pieces. */
static void fuzz_packed(const uint8_t *how, const uint8_t *data, size_t size)
{
    enum { most = 100000 };
    static struct isal_zstream z;
    static uint8_t work[ISAL_DEF_LVL1_DEFAULT], whole[most], packed[2 * most];
    const size_t piece = 500 + 97u * how[2];
    for (size_t i = 0; i < most; i++)
        whole[i] = (uint8_t)(data[i % size] ^ (i / size * how[3] & 15));
    isal_deflate_init(&z);
    z.gzip_flag = IGZIP_GZIP;
    z.level = how[2] & 1;
    z.level_buf = work;
    z.level_buf_size = sizeof work;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    for (size_t at = 0; at < most; at += piece) {
        z.next_in = whole + at;
        z.avail_in = (uint32_t)(most - at < piece ? most - at : piece);
        z.end_of_stream = at + piece >= most;
        z.flush = how[2] & 2 ? SYNC_FLUSH : FULL_FLUSH;
        if (isal_deflate(&z) != COMP_OK)
            abort();
    }
    if (fuzz_leaps(how, packed, sizeof packed - z.avail_out) != NEP_ENDED)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 6)
        return 0;
    switch (data[0] % 4) {
    case 0:
        fuzz_image(data + 1, size - 1);
        break;
    case 1:
        fuzz_inside(data + 1, size - 1);
        break;
    case 2:
        fuzz_leaps(data + 1, data + 3, size - 3);
        break;
    default:
        fuzz_packed(data + 1, data + 5, size - 5);
    }
    return 0;
}
