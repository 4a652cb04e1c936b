/* SPDX-License-Identifier: Apache-2.0 */
/* bench - what the benchmark programs share: clocks, the FMA ceiling of this machine in this run, the one
 * JSON line.
 *
 * A program checks its result first, then times; the best of several runs counts, by CPU time beside wall
 * time. The commit comes from the environment (NEP_COMMIT), the machine from the backend. */
#ifndef NEP_BENCH_H
#define NEP_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Keeps the run with the least CPU time. */
static inline void bench_keep(bench_time *best, bench_time start)
{
    const bench_time now = bench_now(), took = {now.wall - start.wall, now.cpu - start.cpu};
    if (best->cpu == 0.0 || took.cpu < best->cpu)
        *best = took;
}

/* Double-precision multiply-adds per second of one core, in GFLOP/s, as this compiler's plain C reaches them.
 */
static inline double bench_ceiling_gflops(void)
{
    enum { LANES = 64, ROUNDS = 2000000 };
    double x[LANES], best = 0.0;
    for (int run = 0; run < 3; run++) {
        for (int i = 0; i < LANES; i++)
            x[i] = 1.0 + 1e-9 * i;
        const double start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
        for (int r = 0; r < ROUNDS; r++)
            for (int i = 0; i < LANES; i++)
                x[i] = x[i] * 0.999999999 + 1e-12;
        const double took = bench_clock(CLOCK_THREAD_CPUTIME_ID) - start;
        double sum = 0.0;
        for (int i = 0; i < LANES; i++)
            sum += x[i];
        const double rate = 2.0 * LANES * ROUNDS / took * 1e-9;
        best = sum > 0.0 && rate > best ? rate : best;
    }
    return best;
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
