/* SPDX-License-Identifier: Apache-2.0 */
/* bench - what the benchmark programs share: clocks, the ceilings of this machine in this run, the one
 * JSON line.
 *
 * A program checks its result first, then times; the best of several runs counts, by CPU time and by wall
 * time. The commit comes from the environment (NEP_COMMIT), the machine from the backend. */
#ifndef NEP_BENCH_H
#define NEP_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cblas.h>

#include <nepenthe/backend.h>

typedef struct {
    double wall, cpu;
} bench_time;

static inline double bench_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline bench_time bench_now(void)
{
    return (bench_time){bench_clock(CLOCK_MONOTONIC), bench_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

/* Keeps the least of each clock. */
static inline void bench_keep(bench_time *best, bench_time start)
{
    const bench_time now = bench_now(), took = {now.wall - start.wall, now.cpu - start.cpu};
    if (best->cpu == 0.0 || took.cpu < best->cpu)
        best->cpu = took.cpu;
    if (best->wall == 0.0 || took.wall < best->wall)
        best->wall = took.wall;
}

/* GFLOP/s of double- or single-precision matrix products, 1024 cubed, one product per thread on a BLAS thread
 * of its own: the FMA peak as a tuned library reaches it. wall: of all threads together; else per second of
 * CPU. */
static inline double bench_gemm_gflops(int threads, bool single, bool wall)
{
    enum { N = 1024, REPEATS = 3 };
    const size_t cells = (size_t)N * N, item = single ? sizeof(float) : sizeof(double);
    char *memory = malloc((size_t)threads * 3 * cells * item);
    double best = 0.0;
    if (!memory)
        return 0.0;
    for (size_t i = 0; i < (size_t)threads * 3 * cells; i++)
        if (single)
            ((float *)(void *)memory)[i] = 1.0f / (float)(1 + i % 7);
        else
            ((double *)(void *)memory)[i] = 1.0 / (double)(1 + i % 7);
    openblas_set_num_threads(1);
    for (int run = 0; run < REPEATS; run++) {
        const bench_time start = bench_now();
#pragma omp parallel for schedule(static, 1) num_threads(threads)
        for (int t = 0; t < threads; t++) {
            char *a = memory + (size_t)t * 3 * cells * item, *b = a + cells * item, *c = b + cells * item;
            if (single)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1.0f, (float *)(void *)a, N,
                            (float *)(void *)b, N, 0.0f, (float *)(void *)c, N);
            else
                cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1.0, (double *)(void *)a, N,
                            (double *)(void *)b, N, 0.0, (double *)(void *)c, N);
        }
        const bench_time end = bench_now();
        const double took = wall ? end.wall - start.wall : end.cpu - start.cpu;
        const double rate = 2.0 * N * N * N * threads / took * 1e-9;
        best = rate > best ? rate : best;
    }
    free(memory);
    return best;
}

/* GB/s read and written by a copy of 64 MiB per thread, all threads together, best of five. */
static inline double bench_copy_gbs(int threads)
{
    enum { REPEATS = 5 };
    const size_t bytes = (size_t)64 << 20;
    char *memory = malloc((size_t)threads * 2 * bytes);
    double best = 0.0;
    if (!memory)
        return 0.0;
    memset(memory, 1, (size_t)threads * 2 * bytes);
    for (int run = 0; run < REPEATS; run++) {
        const double start = bench_clock(CLOCK_MONOTONIC);
#pragma omp parallel for schedule(static, 1) num_threads(threads)
        for (int t = 0; t < threads; t++)
            memcpy(memory + (size_t)(2 * t) * bytes, memory + (size_t)(2 * t + 1) * bytes, bytes);
        const double rate = 2.0 * (double)bytes * threads / (bench_clock(CLOCK_MONOTONIC) - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    free(memory);
    return best;
}

/* `n` items of `size` bytes from DIR/NAME as the peer wrote them; ends the program when they are not there.
 */
static inline void *bench_load(const char *dir, const char *name, size_t n, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    void *x = malloc(n * size);
    if (!f || !x || fread(x, size, n, f) != n || fgetc(f) != EOF) {
        fprintf(stderr, "%s: does not hold %zu items of %zu bytes\n", path, n, size);
        exit(66);
    }
    fclose(f);
    return x;
}

/* One more point of cost against size, appended to the JSON list. */
static inline void bench_size(char *list, size_t room, int64_t size, bench_time took)
{
    const size_t used = strlen(list);
    snprintf(list + used, room - used, "%s[%lld, %.5f, %.5f]", used ? ", " : "", (long long)size, took.wall,
             took.cpu);
}

/* Fields of surrogates of n voxels: what is made once, `some` surrogates, and what 1,000 would take with it. */
static inline void bench_voxels(char *text, size_t room, int64_t n, int some, bench_time prepared, bench_time drawn)
{
    const double more = 1000.0 / some;
    snprintf(text, room,
             "\"voxels\": %lld, \"voxels_surrogates\": %d, \"voxels_prepare_seconds_wall\": %.3f, \"voxels_prepare_seconds_cpu\": %.3f, "
             "\"voxels_seconds_wall\": %.3f, \"voxels_seconds_cpu\": %.3f, \"voxels_1000_seconds_wall\": %.2f, \"voxels_1000_seconds_cpu\": %.2f, ",
             (long long)n, some, prepared.wall, prepared.cpu, drawn.wall, drawn.cpu, prepared.wall + drawn.wall * more,
             prepared.cpu + drawn.cpu * more);
}

/* What this machine reaches in the same run: a JSON field. */
static inline void bench_ceilings_json(nep_ctx *ctx, char *text, size_t size)
{
    const int threads = nep_ctx_threads(ctx);
    snprintf(text, size,
             "\"ceilings\": {\"copy_gbs\": %.2f, \"dgemm_gflops\": %.1f, \"sgemm_gflops\": %.1f, "
             "\"dgemm_gflops_per_cpu_s\": %.1f, \"sgemm_gflops_per_cpu_s\": %.1f}",
             bench_copy_gbs(threads), bench_gemm_gflops(threads, false, true),
             bench_gemm_gflops(threads, true, true), bench_gemm_gflops(threads, false, false),
             bench_gemm_gflops(threads, true, false));
}

/* {"bench": ..., "work": ..., <fields>, "machine": ..., "commit": ...}; `fields` is JSON text without braces.
 */
static inline void bench_report(nep_ctx *ctx, const char *name, const char *work, const char *fields)
{
    char machine[256] = "";
    const char *commit = getenv("NEP_COMMIT");
    time_t now = time(NULL);
    char date[16];
    strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
    if (nep_backend_describe(ctx, machine, sizeof machine) != NEP_OK)
        nep_ctx_clear(ctx);
    printf("{\"bench\": \"%s\", \"work\": \"%s\", %s, \"machine\": \"%s\", \"threads\": %d, \"date\": "
           "\"%s\", \"commit\": \"%s\"}\n",
           name, work, fields, machine, nep_ctx_threads(ctx), date, commit ? commit : "unknown");
}

#endif
