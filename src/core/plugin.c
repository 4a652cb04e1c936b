/* SPDX-License-Identifier: Apache-2.0 */
/* plugin - finds and loads a module that lies beside the program. */
#include "core/plugin.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef NEP_MODULE_FOLDER
#define NEP_MODULE_FOLDER "../lib/nepenthe" /* from the folder of the program */
#endif

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
static bool find(const nep_plugin *p, char *path, size_t size, char *looked, size_t looked_size)
{
    char folder[2048];
    const char *env = getenv(p->environment);
    if (env && *env) { /* an explicit path is the only one tried */
        snprintf(path, size, "%s%s%s", env, is_folder(env) ? "/" : "", is_folder(env) ? p->file : "");
        snprintf(looked, looked_size, "%s", path);
        return access(path, R_OK) == 0;
    }
    program_folder(folder, sizeof folder);
    snprintf(looked, looked_size, "%s and %s/" NEP_MODULE_FOLDER, folder, folder);
    snprintf(path, size, "%s/%s", folder, p->file);
    if (access(path, R_OK) == 0)
        return true;
    snprintf(path, size, "%s/" NEP_MODULE_FOLDER "/%s", folder, p->file);
    return access(path, R_OK) == 0;
}

nep_status nep_plugin_open(nep_ctx *ctx, const nep_plugin *p, char path[4096], void **handle, void **symbol)
{
    char looked[4352];
    NEP_REQUIRE(ctx, find(p, path, 4096, looked, sizeof looked), p->status, "%s: the module %s is not in %s; %s", p->who, p->file, looked,
                p->remedy);
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    NEP_REQUIRE(ctx, *handle, p->status, "%s: %s cannot be loaded: %s", p->who, path, dlerror());
    *symbol = dlsym(*handle, p->symbol);
    return *symbol ? NEP_OK : nep_plugin_refuse(ctx, p, path, *handle);
}

nep_status nep_plugin_refuse(nep_ctx *ctx, const nep_plugin *p, const char *path, void *handle)
{
    dlclose(handle);
    return nep_ctx_fail(ctx, p->status, "%s: %s belongs to another build of nepenthe; build both together", p->who, path);
}
