/* SPDX-License-Identifier: Apache-2.0 */
/* rig_backend - the CUDA table over the host rig, as a third backend of the tests. */
#ifndef NEP_RIG_BACKEND_H
#define NEP_RIG_BACKEND_H

#include <nepenthe/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

extern nep_backend nep_backend_rig; /* filled by rig_choose */

/* Puts the context on the rig. tile_bytes: the front doors' tile, small so that they have to tile. */
NEP_MUST_USE nep_status rig_choose(nep_ctx *ctx, int64_t tile_bytes);
unsigned long long rig_seed(void);
void rig_reseed(unsigned long long seed);

#ifdef __cplusplus
}
#endif
#endif
