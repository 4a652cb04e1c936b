/* SPDX-License-Identifier: Apache-2.0 */
/* bench_nifti - 97 x 115 x 97 x 100 int16 .nii.gz: our reader alone and with regional means, beside what
 * libdeflate and ISA-L reach on the same file in the same run. The bar: 80 % of the faster one, end to end.
 * Memory is measured before the raw inflaters, which hold the file whole. */
#include "bench.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <math.h>
#include <nepenthe/io.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NX = 97, NY = 115, NZ = 97, N_T = 100, VOXELS = NX * NY * NZ, REGIONS = 400, RUNS = 5 };

static void die(nep_ctx *ctx, const char *what)
{
    fprintf(stderr, "bench_nifti: %s: %s\n", what, ctx ? nep_ctx_error(ctx) : "");
    exit(1);
}

/* A head of 1000 units in noise of 20, air around it: it packs about as real EPI does. */
static void fill(int16_t *x)
{
    uint64_t r = 1;
    for (int64_t i = 0; i < (int64_t)VOXELS * N_T; i++) {
        const int64_t v = i % VOXELS, a = v % NX, b = v / NX % NY, c = v / NX / NY;
        const double d = pow((double)(a - NX / 2) / 40, 2) + pow((double)(b - NY / 2) / 50, 2) +
                         pow((double)(c - NZ / 2) / 40, 2);
        double noise = 0;
        for (int k = 0; k < 4; k++) {
            r = r * 6364136223846793005u + 1442695040888963407u;
            noise += (double)(r >> 40) / (1 << 24) - 0.5;
        }
        x[i] = (int16_t)(d < 1 ? 1000 + 300 * cos(9 * d) + 35 * noise : fabs(3 * noise));
    }
}

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        die(NULL, "the image cannot be written");
}

/* In a process of its own, so that its memory is not counted. */
static void make_image(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0)
        return;
    if (fork() == 0) {
        nep_ctx *ctx = NULL;
        const nep_grid g = {
            .nx = NX, .ny = NY, .nz = NZ, .affine = {{2, 0, 0, -96}, {0, 2, 0, -132}, {0, 0, 2, -78}}};
        char small[4200];
        const size_t n = 352 + (size_t)VOXELS * N_T * 2;
        unsigned char *b = malloc(n);
        if (!b || nep_ctx_create(NULL, &ctx) != NEP_OK)
            die(NULL, "no memory");
        /* header of our own writer, for one volume; dim[0] and dim[4] are then set */
        snprintf(small, sizeof small, "%s.head.nii", path);
        float *zero = calloc(VOXELS, sizeof *zero);
        if (!zero || nep_nifti_write(ctx, small, &g, 1, 2, zero, true) != NEP_OK)
            die(ctx, "header");
        FILE *f = fopen(small, "rb");
        if (!f || fread(b, 1, 352, f) != 352)
            die(NULL, "header");
        fclose(f);
        unlink(small);
        const int16_t four = 4, n_t = N_T;
        memcpy(b + 40, &four, 2);
        memcpy(b + 48, &n_t, 2);
        fill((int16_t *)(void *)(b + 352));
        struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
        const size_t bound = libdeflate_gzip_compress_bound(c, n);
        char *packed = malloc(bound);
        if (!packed)
            die(NULL, "no memory");
        put(path, packed, libdeflate_gzip_compress(c, b, n, packed, bound));
        _exit(0);
    }
    int how;
    if (wait(&how) < 0 || how != 0)
        die(NULL, "making the image failed");
}

static double first_mean = 0;

static void ours(nep_ctx *ctx, const char *path, const int64_t *start, const int32_t *voxel, bench_time *best)
{
    nep_nifti *n = NULL;
    float *v = NULL;
    double sum[REGIONS];
    int64_t count[REGIONS];
    const bench_time begin = bench_now();
    if (nep_nifti_open(ctx, path, &n) != NEP_OK || nep_alloc(ctx, VOXELS, sizeof *v, "volume", &v) != NEP_OK)
        die(ctx, "open");
    for (int t = 0; t < N_T; t++) {
        if (nep_nifti_next(n, v) != NEP_OK)
            die(ctx, "read");
        if (start && nep_backend_parcel_sums(ctx, v, 1, VOXELS, start, voxel, REGIONS, sum, count) != NEP_OK)
            die(ctx, "parcel sums");
        if (start && t == 0)
            first_mean = sum[REGIONS / 2] / (double)count[REGIONS / 2];
    }
    nep_nifti_free(n);
    nep_alloc_free(v);
    bench_keep(best, begin);
}

static char *slurp(const char *path, size_t *n)
{
    struct stat info;
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0)
        die(NULL, path);
    char *b = malloc((size_t)info.st_size);
    if (!b || read(fd, b, (size_t)info.st_size) != info.st_size)
        die(NULL, path);
    close(fd);
    *n = (size_t)info.st_size;
    return b;
}

static char *raw_libdeflate(const char *path, size_t total, bench_time *best)
{
    char *out = calloc(1, total);
    for (int i = 0; out && i < RUNS; i++) {
        size_t n, got = 0;
        const bench_time begin = bench_now();
        char *b = slurp(path, &n);
        struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
        if (libdeflate_gzip_decompress(d, b, n, out, total, &got) != LIBDEFLATE_SUCCESS || got != total)
            die(NULL, "libdeflate");
        libdeflate_free_decompressor(d);
        free(b);
        bench_keep(best, begin);
    }
    return out;
}

static void raw_isal(const char *path, size_t total, bench_time *best)
{
    static struct inflate_state z;
    static unsigned char block[1 << 20];
    for (int i = 0; i < RUNS; i++) {
        size_t n, got = 0;
        const bench_time begin = bench_now();
        char *b = slurp(path, &n);
        isal_inflate_init(&z);
        z.crc_flag = ISAL_GZIP;
        z.next_in = (uint8_t *)b;
        z.avail_in = (uint32_t)n;
        while (z.block_state != ISAL_BLOCK_FINISH) {
            z.next_out = block;
            z.avail_out = sizeof block;
            if (isal_inflate(&z) != ISAL_DECOMP_OK)
                die(NULL, "ISA-L");
            got += sizeof block - z.avail_out;
        }
        if (got != total)
            die(NULL, "ISA-L");
        free(b);
        bench_keep(best, begin);
    }
}

/* The mean of one region by hand from the inflated bytes: the timed answer must be right. */
static void check(const char *whole, const int64_t *start, const int32_t *voxel)
{
    double sum = 0;
    for (int64_t k = start[REGIONS / 2]; k < start[REGIONS / 2 + 1]; k++) {
        int16_t x;
        memcpy(&x, whole + 352 + 2 * (size_t)voxel[k], 2);
        sum += x;
    }
    const double mean = sum / (double)(start[REGIONS / 2 + 1] - start[REGIONS / 2]);
    if (fabs(mean - first_mean) > 1e-9 * fabs(mean)) {
        fprintf(stderr, "bench_nifti: mean %.17g, by hand %.17g\n", first_mean, mean);
        exit(1);
    }
}

int main(void)
{
    nep_ctx *ctx = NULL;
    const char *tmp = getenv("TMPDIR");
    char path[4096], fields[900];
    static int64_t start[REGIONS + 1];
    int32_t *voxel = NULL;
    struct stat info;
    struct rusage used;
    bench_time read = {0}, means = {0}, deflate = {0}, isal = {0};
    const size_t total = 352 + (size_t)VOXELS * N_T * 2;
    const nep_ctx_opts opts = NEP_CTX_DEFAULTS;
    snprintf(path, sizeof path, "%s/nepenthe-bench-epi-1.nii.gz", tmp && *tmp ? tmp : "/tmp");
    make_image(path);
    if (nep_ctx_create(&opts, &ctx) != NEP_OK || nep_backend_choose(ctx, "cpu") != NEP_OK ||
        nep_alloc(ctx, VOXELS, sizeof *voxel, "voxels", &voxel) != NEP_OK || stat(path, &info) != 0)
        die(ctx, "start");
    for (int32_t v = 0; v < VOXELS; v++)
        voxel[v] = v;
    for (int64_t r = 0; r <= REGIONS; r++)
        start[r] = r * VOXELS / REGIONS;
    for (int i = 0; i < RUNS; i++) {
        ours(ctx, path, NULL, NULL, &read);
        ours(ctx, path, start, voxel, &means);
    }
    getrusage(RUSAGE_SELF, &used);
    char *whole = raw_libdeflate(path, total, &deflate);
    check(whole, start, voxel);
    raw_isal(path, total, &isal);
    const double mb = (double)total * 1e-6, faster = fmin(deflate.wall, isal.wall);
    snprintf(fields, sizeof fields,
             "\"inflated_mb\": %.1f, \"packed_mb\": %.1f, \"read_s\": %.4f, \"read_cpu_s\": %.4f, "
             "\"read_mb_s\": %.0f, "
             "\"means_s\": %.4f, \"means_cpu_s\": %.4f, \"means_mb_s\": %.0f, \"libdeflate_s\": %.4f, "
             "\"libdeflate_cpu_s\": %.4f, "
             "\"libdeflate_mb_s\": %.0f, "
             "\"isal_s\": %.4f, \"isal_cpu_s\": %.4f, \"isal_mb_s\": %.0f, \"read_of_faster\": %.3f, "
             "\"means_of_faster\": %.3f, \"means_of_faster_cpu\": %.3f, "
             "\"peak_rss_mb\": %.1f",
             mb, (double)info.st_size * 1e-6, read.wall, read.cpu, mb / read.wall, means.wall, means.cpu,
             mb / means.wall, deflate.wall, deflate.cpu, mb / deflate.wall, isal.wall, isal.cpu,
             mb / isal.wall, faster / read.wall, faster / means.wall, fmin(deflate.cpu, isal.cpu) / means.cpu,
             (double)used.ru_maxrss / 1024);
    bench_report(ctx, "nifti", "read + parcel means, 97x115x97x100 int16 .nii.gz", fields);
    free(whole);
    nep_alloc_free(voxel);
    nep_ctx_free(ctx);
    return 0;
}
