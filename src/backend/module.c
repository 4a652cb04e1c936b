/* SPDX-License-Identifier: Apache-2.0 */
/* module - finds and loads the CUDA module. */
#include "backend/module.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef NEP_MODULE_FOLDER
#define NEP_MODULE_FOLDER "../lib/nepenthe" /* from the folder of the program */
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const nep_module *loaded;

/* Folder of the running program, or "". */
static void program_folder(char *text, size_t size)
{
    const ssize_t n = readlink("/proc/self/exe", text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(text, '/');
    if (slash)
        *slash = '\0';
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* The first place that has the module; `looked` names the places. */
static bool find(char *path, size_t size, char *looked, size_t looked_size)
{
    char folder[2048];
    const char *env = getenv("NEPENTHE_MODULE_PATH");
    if (env && *env) { /* an explicit path is the only one tried */
        snprintf(path, size, is_folder(env) ? "%s/" NEP_MODULE_FILE : "%s", env);
        snprintf(looked, looked_size, "%s", path);
        return access(path, R_OK) == 0;
    }
    program_folder(folder, sizeof folder);
    snprintf(looked, looked_size, "%s and %s/" NEP_MODULE_FOLDER, folder, folder);
    snprintf(path, size, "%s/" NEP_MODULE_FILE, folder);
    if (access(path, R_OK) == 0)
        return true;
    snprintf(path, size, "%s/" NEP_MODULE_FOLDER "/" NEP_MODULE_FILE, folder);
    return access(path, R_OK) == 0;
}

static nep_status load(nep_ctx *ctx, const nep_module **out)
{
    static const nep_module_host host = {
        .fail = nep_ctx_fail,
        .log = nep_log,
        .alloc = nep_alloc,
        .alloc_free = nep_alloc_free,
        .check = nep_ctx_check,
        .vram = nep_ctx_vram,
        .state = nep_ctx_backend_state,
    };
    char path[4096], looked[4352];
    NEP_REQUIRE(ctx, find(path, sizeof path, looked, sizeof looked), NEP_E_DEVICE,
                "cuda: the module " NEP_MODULE_FILE " is not in %s; build it with nvcc or use --device cpu", looked);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    NEP_REQUIRE(ctx, handle, NEP_E_DEVICE, "cuda: %s cannot be loaded: %s", path, dlerror());
    nep_module_entry *entry = NULL;
    void *symbol = dlsym(handle, NEP_MODULE_SYMBOL);
    memcpy(&entry, &symbol, sizeof entry);
    const nep_module *m = entry ? entry(nep_module_hash(), &host) : NULL;
    if (!m) {
        dlclose(handle);
        return nep_ctx_fail(ctx, NEP_E_DEVICE, "cuda: %s belongs to another build of nepenthe; build both together",
                            path);
    }
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
