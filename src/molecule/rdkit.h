/* SPDX-License-Identifier: Apache-2.0 */
/* rdkit - what the program and the RDKit module (nepenthe_rdkit.so) promise each other: one molecule in, what is known of it out.
 *
 * The module exports one symbol, nep_rdkit_module, of type nep_rdkit_entry; it refuses another hash of this interface. No
 * exception and no line of a log leaves it. Its functions may run in many threads at once, on stacks of NEP_RDKIT_STACK.
 */
#ifndef NEP_MOLECULE_RDKIT_H
#define NEP_MOLECULE_RDKIT_H

#include <nepenthe/molecule.h>

#include "core/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEP_RDKIT_FILE   "nepenthe_rdkit.so"
#define NEP_RDKIT_SYMBOL "nep_rdkit_module"

enum { NEP_RDKIT_STACK = 256 << 20 }; /* bytes; address space, touched only by molecules that recurse deeply */

typedef struct {
    const char *about; /* "RDKit 2022.09.3, InChI 1.03" */
    /* Fills out (texts by malloc), bits [words] when a fingerprint is asked for, descriptor [NEP_CONVERT_MEASURED] when descriptors
     * are. False: out->reason says why, nothing else is set. */
    bool (*convert)(const nep_convert_input *in, const nep_convert_opts *opts, nep_converted *out, uint64_t *bits, double *descriptor);
} nep_rdkit;

/* NULL when the hash differs. */
typedef const nep_rdkit *nep_rdkit_entry(uint64_t hash);

static inline uint64_t nep_rdkit_hash(void)
{
    static const char text[] = NEP_VERSION " rdkit 1";
    const uint64_t sizes[] = {sizeof(nep_convert_input), sizeof(nep_convert_opts), sizeof(nep_converted), sizeof(nep_rdkit),
                              NEP_CONVERT_MEASURED, NEP_FINGERPRINT_KINDS};
    return nep_plugin_hash(nep_plugin_hash(NEP_PLUGIN_SEED, text, sizeof text), sizes, sizeof sizes);
}

#ifdef __cplusplus
}
#endif
#endif
