/* SPDX-License-Identifier: Apache-2.0 */
/* visible.c - the only door through which a channel sees a label. */
#include <nepenthe/evidence.h>

bool nep_visible_indicated(const nep_inputs *in, const nep_visible *v, int64_t drug, uint64_t stream)
{
    if (!nep_label_indicated(v->own[drug]))
        return false;
    if (stream == 0)
        return true;
    const uint64_t id = nep_stream_id(NEP_STREAM_LABEL, v->disorder, stream);
    return nep_philox_uniform(in->seed, id, (uint64_t)drug) >= NEP_EVIDENCE_LABEL_DOUBT;
}
