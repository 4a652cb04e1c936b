/* SPDX-License-Identifier: Apache-2.0 */
/* cpu - the CPU backend: its table, its memory and the choice of a kernel family. */
#include "backend/cpu.h"

#include <cblas.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static nep_cpu_family best = NEP_CPU_SCALAR;
static atomic_int limit = NEP_CPU_AVX512_POPCNT;

static void find_family(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
        best = NEP_CPU_AVX2;
    if (best == NEP_CPU_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        best = NEP_CPU_AVX512;
    if (best == NEP_CPU_AVX512 && __builtin_cpu_supports("avx512vpopcntdq"))
        best = NEP_CPU_AVX512_POPCNT;
#endif
}

nep_cpu_family nep_cpu_family_get(void)
{
    pthread_once(&once, find_family);
    const nep_cpu_family l = (nep_cpu_family)atomic_load(&limit);
    return best < l ? best : l;
}

void nep_cpu_family_limit(nep_cpu_family l)
{
    atomic_store(&limit, (int)l);
}

const char *nep_cpu_family_name(nep_cpu_family f)
{
    static const char *const names[] = {"scalar", "avx2", "avx512", "avx512-vpopcntdq"};
    return names[f];
}

void nep_cpu_blas_single(void)
{
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

static nep_status cpu_alloc(nep_ctx *ctx, size_t bytes, const char *what, void **out)
{
    return nep_alloc(ctx, (int64_t)bytes, 1, what, out);
}

static nep_status cpu_copy(nep_ctx *ctx, void *dst, const void *src, size_t bytes)
{
    (void)ctx;
    if (bytes)
        memcpy(dst, src, bytes);
    return NEP_OK;
}

/* "model name" of the first processor, or "processor". */
static void cpu_model(char *text, size_t size)
{
    char line[256];
    snprintf(text, size, "processor");
    FILE *f = fopen("/proc/cpuinfo", "re");
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            snprintf(text, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    fclose(f);
}

static nep_status cpu_describe(nep_ctx *ctx, char *text, size_t size)
{
    char model[128];
    cpu_model(model, sizeof model);
    (void)ctx; /* the thread count is left out: results and their provenance do not depend on it */
    snprintf(text, size, "cpu: %s, kernels %s, OpenBLAS %s", model, nep_cpu_family_name(nep_cpu_family_get()), openblas_get_corename());
    return NEP_OK;
}

static nep_queue *cpu_queue(nep_ctx *ctx)
{
    (void)ctx;
    return NULL;
}

const nep_backend nep_backend_cpu = {
    .name = "cpu",
    .host = true,
    .alloc = cpu_alloc,
    .release = nep_alloc_free,
    .upload = cpu_copy,
    .download = cpu_copy,
    .describe = cpu_describe,
    .queue = cpu_queue,
    .ops =
        {
#define NEP_X(op, parity) .op = nep_cpu_##op,
            NEP_OP_LIST(NEP_X)
#undef NEP_X
        },
};
