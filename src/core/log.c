/* SPDX-License-Identifier: Apache-2.0 */
/* log - lines to the caller's sink. */
#include "core/ctx.h"

#include <stdarg.h>

void nep_log(nep_ctx *ctx, nep_log_level level, const char *fmt, ...)
{
    char line[1024];
    if (!ctx->opts.log || level > ctx->opts.level)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    ctx->opts.log(ctx->opts.user, level, line);
}
