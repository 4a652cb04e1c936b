/* SPDX-License-Identifier: Apache-2.0 */
/* ctx - the context: options resolved once, the sentence of the first failure, interruption, the chosen backend. */
#include "core/ctx.h"

#include <omp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static int env_count(const char *name)
{
    const char *text = getenv(name);
    if (!text || !*text)
        return 0;
    char *end;
    const long v = strtol(text, &end, 10);
    return (*end == '\0' || *end == ',') && v > 0 && v < 4096 ? (int)v : 0;
}

/* CPUs of the cgroup v2 quota, rounded up; 0 = no quota. */
static int cgroup_cpus(void)
{
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!f)
        return 0;
    long long quota = 0, period = 0;
    const int n = fscanf(f, "%lld %lld", &quota, &period);
    fclose(f);
    return n == 2 && quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

static int default_threads(void)
{
    int n = env_count("OMP_NUM_THREADS");
    if (!n)
        n = env_count("SLURM_CPUS_PER_TASK");
    if (!n) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
        const int quota = cgroup_cpus();
        if (quota > 0 && quota < n)
            n = quota;
    }
    return n;
}

/* What a limit of the process leaves of that many bytes. */
static int64_t under_limit(int what, int64_t bytes)
{
    struct rlimit r;
    return getrlimit(what, &r) == 0 && r.rlim_cur < (rlim_t)bytes ? (int64_t)r.rlim_cur : bytes;
}

static int64_t default_budget(void)
{
    int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "re");
    long long limit;
    if (f) {
        if (fscanf(f, "%lld", &limit) == 1 && limit > 0 && limit < bytes)
            bytes = limit;
        fclose(f);
    }
    bytes = under_limit(RLIMIT_DATA, under_limit(RLIMIT_AS, bytes));
    return bytes / 4 * 3;
}

nep_status nep_ctx_create(const nep_ctx_opts *opts, nep_ctx **out)
{
    const nep_ctx_opts defaults = NEP_CTX_DEFAULTS;
    const nep_ctx_opts *o = opts ? opts : &defaults;
    if (!out || o->threads < 0 || o->mem_bytes < 0 || o->vram_bytes < 0)
        return NEP_E_ARG;
    nep_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return NEP_E_NOMEM;
    ctx->opts = *o;
    ctx->threads = o->threads > 0 ? o->threads : default_threads();
    ctx->budget = o->mem_bytes > 0 ? o->mem_bytes : default_budget();
    atomic_init(&ctx->fail_at, -1);
    omp_set_num_threads(ctx->threads);
    *out = ctx;
    return NEP_OK;
}

static void close_backend(nep_ctx *ctx)
{
    if (ctx->kept_drop)
        ctx->kept_drop(ctx->kept);
    ctx->kept = NULL;
    ctx->kept_drop = NULL;
    if (ctx->backend_close)
        ctx->backend_close(ctx, ctx->backend_state);
}

void nep_ctx_free(nep_ctx *ctx)
{
    if (!ctx)
        return;
    close_backend(ctx);
    for (int i = 0; i < ctx->n_warnings; i++)
        free(ctx->warnings[i]);
    free(ctx->warnings);
    free(ctx);
}

static void record(nep_ctx *ctx, const char *file, const char *fmt, va_list args)
{
    if (!ctx || ctx->error[0])
        return;
    if (file)
        snprintf(ctx->file, sizeof ctx->file, "%s", file);
    if (vsnprintf(ctx->error, sizeof ctx->error, fmt, args) >= (int)sizeof ctx->error)
        memcpy(ctx->error + sizeof ctx->error - 4, "...", 4);
    for (char *c = ctx->error; *c; c++) /* one line whatever a file name holds */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

nep_status nep_ctx_fail(nep_ctx *ctx, nep_status st, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    record(ctx, NULL, fmt, args);
    va_end(args);
    return st;
}

nep_status nep_ctx_fail_file(nep_ctx *ctx, nep_status st, const char *file, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    record(ctx, file, fmt, args);
    va_end(args);
    return st;
}

void nep_ctx_clear(nep_ctx *ctx)
{
    ctx->error[0] = ctx->file[0] = '\0';
}

const char *nep_ctx_error(const nep_ctx *ctx)
{
    return ctx ? ctx->error : "";
}

const char *nep_ctx_error_file(const nep_ctx *ctx)
{
    return ctx ? ctx->file : "";
}

int nep_ctx_threads(const nep_ctx *ctx)
{
    return ctx->threads;
}

uint64_t nep_ctx_seed(const nep_ctx *ctx)
{
    return ctx->opts.seed;
}

int64_t nep_ctx_vram(const nep_ctx *ctx)
{
    return ctx->opts.vram_bytes;
}

const struct nep_backend *nep_ctx_backend(const nep_ctx *ctx)
{
    return ctx->backend;
}

void *nep_ctx_backend_state(const nep_ctx *ctx)
{
    return ctx->backend_state;
}

void nep_ctx_backend_set(nep_ctx *ctx, const struct nep_backend *backend, void *state,
                         void (*close)(nep_ctx *ctx, void *state))
{
    close_backend(ctx);
    ctx->backend = backend;
    ctx->backend_state = state;
    ctx->backend_close = close;
}

void *nep_ctx_kept(const nep_ctx *ctx)
{
    return ctx->kept;
}

void nep_ctx_kept_set(nep_ctx *ctx, void *kept, void (*drop)(void *kept))
{
    ctx->kept = kept;
    ctx->kept_drop = drop;
}

void nep_ctx_interrupt_all(int signal_number)
{
    interrupted = signal_number;
}

int nep_ctx_interrupt_signal(void)
{
    return (int)interrupted;
}

nep_status nep_ctx_check(nep_ctx *ctx)
{
    NEP_REQUIRE(ctx, !interrupted, NEP_E_INTERRUPTED, "interrupted by signal %d: nothing half written was left",
                (int)interrupted);
    return NEP_OK;
}
