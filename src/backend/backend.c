/* SPDX-License-Identifier: Apache-2.0 */
/* backend - which backend a context uses: chosen once, said once. */
#include "backend/module.h"
#include "backend/place.h"

#include <stdlib.h>
#include <string.h>

/* complete: also load what is else loaded when first needed, so that a choice made for the user holds. */
static nep_status use_cuda(nep_ctx *ctx, int device, bool complete)
{
    const nep_module *m = NULL;
    void *state = NULL;
    NEP_TRY(nep_module_load(ctx, &m));
    NEP_TRY(m->open(ctx, device, &state));
    const nep_status st = complete ? m->complete(ctx, state) : NEP_OK;
    if (st != NEP_OK) {
        m->close(ctx, state);
        return st;
    }
    nep_ctx_backend_set(ctx, m->backend, state, m->close);
    return NEP_OK;
}

static void use_cpu(nep_ctx *ctx)
{
    nep_ctx_backend_set(ctx, &nep_backend_cpu, NULL, NULL);
}

static nep_status use_auto(nep_ctx *ctx)
{
    if (use_cuda(ctx, 0, true) != NEP_OK) {
        nep_log(ctx, NEP_LOG_DEBUG, "%s", nep_ctx_error(ctx));
        nep_ctx_clear(ctx);
        use_cpu(ctx);
    }
    return NEP_OK;
}

/* "cuda" or "cuda:N"; -1 when `text` is neither. */
static int cuda_number(const char *text)
{
    if (strcmp(text, "cuda") == 0)
        return 0;
    if (strncmp(text, "cuda:", 5) != 0 || text[5] < '0' || text[5] > '9')
        return -1;
    char *end;
    const long n = strtol(text + 5, &end, 10);
    return *end == '\0' && n < 1024 ? (int)n : -1;
}

nep_status nep_backend_choose(nep_ctx *ctx, const char *device)
{
    char text[256];
    const char *name = device ? device : "auto";
    const int number = cuda_number(name);
    if (strcmp(name, "auto") == 0)
        NEP_TRY(use_auto(ctx));
    else if (strcmp(name, "cpu") == 0)
        use_cpu(ctx);
    else if (number >= 0)
        NEP_TRY(use_cuda(ctx, number, false));
    else
        return nep_ctx_fail(ctx, NEP_E_ARG, "device: '%s' is not known; the choices are auto, cpu, cuda and cuda:N",
                            name);
    NEP_TRY(nep_backend_describe(ctx, text, sizeof text));
    nep_log(ctx, NEP_LOG_INFO, "device: %s", text);
    return NEP_OK;
}

nep_status nep_backend_describe(nep_ctx *ctx, char *text, size_t size)
{
    return nep_place_backend(ctx)->describe(ctx, text, size);
}
