/* SPDX-License-Identifier: Apache-2.0 */
/* module - what the program and the CUDA module (nepenthe_cuda.so) promise each other.
 *
 * The module exports one symbol, nep_cuda_module, of type nep_module_entry. The program hands it the hash of this
 * interface as the program was compiled and the callbacks it may use; the module refuses another hash.
 */
#ifndef NEP_BACKEND_MODULE_H
#define NEP_BACKEND_MODULE_H

#include <nepenthe/backend.h>

#include "core/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEP_MODULE_FILE   "nepenthe_cuda.so"
#define NEP_MODULE_SYMBOL "nep_cuda_module"

/* Callbacks into the program: the module has none of its code. */
typedef struct {
    nep_status (*fail)(nep_ctx *ctx, nep_status st, const char *fmt, ...) NEP_PRINTF(3, 4);
    void (*log)(nep_ctx *ctx, nep_log_level level, const char *fmt, ...) NEP_PRINTF(3, 4);
    nep_status (*alloc)(nep_ctx *ctx, int64_t n, size_t size, const char *what, void *out_pointer);
    void (*alloc_free)(void *pointer);
    nep_status (*check)(nep_ctx *ctx);
    int64_t (*vram)(const nep_ctx *ctx);
    void *(*state)(const nep_ctx *ctx);
} nep_module_host;

/* What a device reaches. */
typedef struct {
    double copy_gbs; /* bytes read plus bytes written */
    double f64_gflops, f32_gflops;
} nep_module_rates;

typedef struct {
    const nep_backend *backend;
    nep_status (*open)(nep_ctx *ctx, int device, void **state); /* NEP_E_DEVICE with a sentence when there is none */
    nep_status (*complete)(nep_ctx *ctx, void *state); /* loads what is else loaded when first needed */
    nep_status (*measure)(nep_ctx *ctx, int64_t side, nep_module_rates *out); /* on matrices of side x side */
    void (*close)(nep_ctx *ctx, void *state);
} nep_module;

/* NULL when the hash differs. */
typedef const nep_module *nep_module_entry(uint64_t hash, const nep_module_host *host);

/* FNV-1a over the op list with its classes, the version and the sizes of what crosses the border. */
static inline uint64_t nep_module_hash(void)
{
    static const char text[] = NEP_VERSION
#define NEP_X(name, parity) ";" #name ":" #parity
        NEP_OP_LIST(NEP_X)
#undef NEP_X
        ;
    const uint64_t sizes[] = {sizeof(nep_backend), sizeof(nep_ops), sizeof(nep_buf), sizeof(nep_module_host),
                              sizeof(nep_module), sizeof(nep_module_rates), sizeof(nep_bit_rows), sizeof(nep_bit_queries),
                              sizeof(nep_dense_rows), sizeof(nep_dense_queries), sizeof(nep_dense_hit), NEP_STATUS_COUNT};
    return nep_plugin_hash(nep_plugin_hash(NEP_PLUGIN_SEED, text, sizeof text), sizes, sizeof sizes);
}

/* Loads the module from NEPENTHE_MODULE_PATH (a file or a folder), beside the program, or the library folder of the
 * installation, once per process. Errors: NEP_E_DEVICE, the sentence says where was looked or what the loader said. */
NEP_MUST_USE nep_status nep_module_load(nep_ctx *ctx, const nep_module **out);

#ifdef __cplusplus
}
#endif
#endif
