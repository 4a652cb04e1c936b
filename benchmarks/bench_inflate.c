/* SPDX-License-Identifier: Apache-2.0 */
/* What the inflaters themselves reach on one .gz file, read into memory beforehand: libdeflate on the whole
 * buffer, ISA-L as a stream in blocks of 1 MiB; both into memory that was touched before. bench_inflate
 * FILE.gz */
#include "bench.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

enum { REPEATS = 3, BLOCK = 1 << 20 };

static int64_t whole(const unsigned char *in, size_t n, unsigned char *out, size_t room)
{
    size_t got = 0;
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    const enum libdeflate_result r = libdeflate_gzip_decompress(d, in, n, out, room, &got);
    libdeflate_free_decompressor(d);
    return r == LIBDEFLATE_SUCCESS ? (int64_t)got : -1;
}

static int64_t stream(unsigned char *in, size_t n, unsigned char *block)
{
    int64_t total = 0;
    struct inflate_state *z = malloc(sizeof *z);
    isal_inflate_init(z);
    z->crc_flag = ISAL_GZIP;
    z->next_in = in;
    z->avail_in = (uint32_t)n;
    while (z->block_state != ISAL_BLOCK_FINISH) {
        z->next_out = block;
        z->avail_out = BLOCK;
        if (isal_inflate(z) != ISAL_DECOMP_OK || z->avail_out == BLOCK)
            break;
        total += BLOCK - z->avail_out;
    }
    const bool good = z->block_state == ISAL_BLOCK_FINISH;
    free(z);
    return good ? total : -1;
}

int main(int argc, char **argv)
{
    bench_time libdeflate = {0, 0}, isal = {0, 0};
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return 66;
    const size_t n = (size_t)ftell(f);
    unsigned char *in = malloc(n);
    rewind(f);
    if (!in || n < 18 || fread(in, 1, n, f) != n)
        return 66;
    fclose(f);
    const size_t size =
        (size_t)in[n - 4] | (size_t)in[n - 3] << 8 | (size_t)in[n - 2] << 16 | (size_t)in[n - 1] << 24;
    unsigned char *out = malloc(size + BLOCK);
    if (!out)
        return 71;
    memset(out, 1, size + BLOCK);
    for (int i = 0; i < REPEATS; i++) {
        bench_time start = bench_now();
        const int64_t a = whole(in, n, out, size);
        bench_keep(&libdeflate, start);
        start = bench_now();
        const int64_t b = stream(in, n, out);
        bench_keep(&isal, start);
        if (a != (int64_t)size || b != a)
            return 70;
    }
    printf("{\"bench\": \"inflate\", \"bytes\": %zu, \"packed\": %zu, \"libdeflate_mbs\": %.1f, "
           "\"libdeflate_mbs_wall\": %.1f, "
           "\"isal_mbs\": %.1f, \"isal_mbs_wall\": %.1f}\n",
           size, n, (double)size / libdeflate.cpu * 1e-6, (double)size / libdeflate.wall * 1e-6,
           (double)size / isal.cpu * 1e-6, (double)size / isal.wall * 1e-6);
    free(out);
    free(in);
    return 0;
}
