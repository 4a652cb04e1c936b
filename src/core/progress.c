/* SPDX-License-Identifier: Apache-2.0 */
/* progress - one open task per context, forwarded to the caller's sink; how it is shown is the caller's business. */
#include "core/ctx.h"

static void tell(nep_ctx *ctx, int64_t done)
{
    if (ctx->opts.progress && ctx->task)
        ctx->opts.progress(ctx->opts.user, ctx->task, done, ctx->task_total);
}

void nep_progress_open(nep_ctx *ctx, const char *task, int64_t total)
{
    ctx->task = task;
    ctx->task_total = total;
    ctx->task_done = 0;
    tell(ctx, -1);
}

bool nep_progress_is_open(const nep_ctx *ctx)
{
    return ctx->task;
}

void nep_progress_step(nep_ctx *ctx, int64_t done)
{
    if (done <= ctx->task_done || done >= ctx->task_total)
        return;
    ctx->task_done = done;
    tell(ctx, done);
}

void nep_progress_close(nep_ctx *ctx)
{
    tell(ctx, ctx->task_total);
    ctx->task = NULL;
}
