/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.h - what lies in a module of its own beside the program, loaded when first needed: CUDA, RDKit. */
#ifndef NEP_CORE_PLUGIN_H
#define NEP_CORE_PLUGIN_H

#include <nepenthe/core.h>

typedef struct {
    const char *who;         /* begins every sentence: "cuda" */
    const char *file;        /* nepenthe_cuda.so */
    const char *symbol;      /* the one it exports */
    const char *environment; /* variable that names a file or a folder; then no other place is tried */
    const char *remedy;      /* "build it with nvcc or use --device cpu" */
    nep_status status;       /* of a failure */
} nep_plugin;

/* Finds the file (environment, beside the program, library folder of the installation), loads it and looks its symbol up. The
 * sentence of a failure says where was looked or what the loader said. `path` gets the file. Close *handle only if refused. */
NEP_MUST_USE nep_status nep_plugin_open(nep_ctx *ctx, const nep_plugin *p, char path[4096], void **handle, void **symbol);
/* Closes the handle and says that the file belongs to another build. */
nep_status nep_plugin_refuse(nep_ctx *ctx, const nep_plugin *p, const char *path, void *handle);

/* FNV-1a, for the hash by which program and module know each other; it begins with the seed. */
#define NEP_PLUGIN_SEED 14695981039346656037u
static inline uint64_t nep_plugin_hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = (const unsigned char *)bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211u;
    return h;
}

#endif
