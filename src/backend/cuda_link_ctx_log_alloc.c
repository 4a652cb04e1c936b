/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_link_ctx_log_alloc - what the module calls of core, forwarded to the program that loaded it. */
#include "backend/cuda_link.h"

#include <stdarg.h>

static const nep_module_host *program;

void nep_cuda_link(const nep_module_host *host)
{
    program = host;
}

nep_status nep_ctx_fail(nep_ctx *ctx, nep_status st, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return program->fail(ctx, st, "%s", text);
}

void nep_log(nep_ctx *ctx, nep_log_level level, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    program->log(ctx, level, "%s", text);
}

nep_status nep_alloc(nep_ctx *ctx, int64_t n, size_t size, const char *what, void *out_pointer)
{
    return program->alloc(ctx, n, size, what, out_pointer);
}

void nep_alloc_free(void *pointer)
{
    program->alloc_free(pointer);
}

nep_status nep_ctx_check(nep_ctx *ctx)
{
    return program->check(ctx);
}

int64_t nep_ctx_vram(const nep_ctx *ctx)
{
    return program->vram(ctx);
}

void *nep_ctx_backend_state(const nep_ctx *ctx)
{
    return program->state(ctx);
}
