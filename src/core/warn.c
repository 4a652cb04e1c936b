/* SPDX-License-Identifier: Apache-2.0 */
/* warn - what a report must show: kept in order, each once, and logged. */
#include "core/ctx.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void nep_warn(nep_ctx *ctx, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    for (int i = 0; i < ctx->n_warnings; i++)
        if (strcmp(ctx->warnings[i], line) == 0)
            return;
    nep_log(ctx, NEP_LOG_WARN, "%s", line);
    char **grown = realloc(ctx->warnings, (size_t)(ctx->n_warnings + 1) * sizeof *grown);
    if (!grown)
        return; /* the line was logged; only its place in the report is lost */
    ctx->warnings = grown;
    ctx->warnings[ctx->n_warnings] = strdup(line);
    if (ctx->warnings[ctx->n_warnings])
        ctx->n_warnings++;
}

int nep_warn_count(const nep_ctx *ctx)
{
    return ctx->n_warnings;
}

const char *nep_warn_get(const nep_ctx *ctx, int i)
{
    return i >= 0 && i < ctx->n_warnings ? ctx->warnings[i] : NULL;
}
