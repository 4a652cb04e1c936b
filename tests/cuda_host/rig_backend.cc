/* SPDX-License-Identifier: Apache-2.0 */
/* rig_backend - the CUDA table over the host rig, as a third backend of the tests. */
#include "cuda_host/rig_backend.h"
#include "cuda_host/rig.hpp"

extern "C" {
#include "backend/cuda_link.h"
}

nep_backend nep_backend_rig;

extern "C" {

/* The rig lives in one program with core: nothing to forward. */
void nep_cuda_link(const nep_module_host *)
{
}

nep_status rig_choose(nep_ctx *ctx, int64_t tile_bytes)
{
    const nep_module *m = nep_cuda_module(nep_module_hash(), nullptr);
    void *state = nullptr;
    if (!m)
        return nep_ctx_fail(ctx, NEP_E_INTERNAL, "rig: the table's hash differs");
    NEP_TRY(m->open(ctx, 0, &state));
    nep_backend_rig = *m->backend;
    nep_backend_rig.name = "rig";
    nep_backend_rig.tile_bytes = tile_bytes;
    nep_ctx_backend_set(ctx, &nep_backend_rig, state, m->close);
    return NEP_OK;
}

unsigned long long rig_seed(void)
{
    return rig::seed();
}

void rig_reseed(unsigned long long seed)
{
    rig::reseed(seed);
}
}
