/* SPDX-License-Identifier: Apache-2.0 */
/* ctx.h - what the context holds; for the core room alone. */
#ifndef NEP_CORE_CTX_H
#define NEP_CORE_CTX_H

#include <nepenthe/core.h>

#include <stdatomic.h>

struct nep_ctx {
    nep_ctx_opts opts;
    int threads;
    int64_t budget;
    atomic_llong used, peak, fail_at; /* fail_at: allocations left before one fails, -1 = never */
    const struct nep_backend *backend;
    void *backend_state;
    void (*backend_close)(nep_ctx *ctx, void *state);
    void *kept;
    void (*kept_drop)(void *kept);
    char error[1024], file[512];
    const char *task;
    int64_t task_total, task_done;
    char **warnings;
    int n_warnings;
};

#endif
