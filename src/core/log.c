/* SPDX-License-Identifier: Apache-2.0 */
/* log - lines to the caller's sink, and the warnings that a report must show. */
#include "core/ctx.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void log_line(nep_ctx *ctx, nep_log_level level, const char *line)
{
    if (ctx->opts.log && level <= ctx->opts.level)
        ctx->opts.log(ctx->opts.user, level, line);
}

void nep_log(nep_ctx *ctx, nep_log_level level, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    log_line(ctx, level, line);
}

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
    log_line(ctx, NEP_LOG_WARN, line);
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
