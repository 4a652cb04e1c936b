/* SPDX-License-Identifier: Apache-2.0 */
/* module - loads the CUDA module. */
#include "backend/module.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const nep_module *loaded;

static nep_status load(nep_ctx *ctx, const nep_module **out)
{
    static const nep_plugin plugin = {.who = "cuda",
                                      .file = NEP_MODULE_FILE,
                                      .symbol = NEP_MODULE_SYMBOL,
                                      .environment = "NEPENTHE_MODULE_PATH",
                                      .remedy = "build it with nvcc or use --device cpu",
                                      .status = NEP_E_DEVICE};
    static const nep_module_host host = {
        .fail = nep_ctx_fail,
        .log = nep_log,
        .alloc = nep_alloc,
        .alloc_free = nep_alloc_free,
        .check = nep_ctx_check,
        .vram = nep_ctx_vram,
        .state = nep_ctx_backend_state,
    };
    char path[4096];
    void *handle = NULL, *symbol = NULL;
    nep_module_entry *entry;
    NEP_TRY(nep_plugin_open(ctx, &plugin, path, &handle, &symbol));
    memcpy(&entry, &symbol, sizeof entry);
    const nep_module *m = entry(nep_module_hash(), &host);
    if (!m)
        return nep_plugin_refuse(ctx, &plugin, path, handle);
    *out = m; /* stays loaded for the life of the process */
    return NEP_OK;
}

nep_status nep_module_load(nep_ctx *ctx, const nep_module **out)
{
    nep_status st = NEP_OK;
    pthread_mutex_lock(&lock);
    if (!loaded)
        st = load(ctx, &loaded);
    *out = loaded;
    pthread_mutex_unlock(&lock);
    return st;
}
