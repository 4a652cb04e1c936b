/* SPDX-License-Identifier: Apache-2.0 */
/* visible.c - the only door through which a channel sees a label. */
#include <nepenthe/evidence.h>

nep_visible nep_visible_labels(const nep_inputs *in, int64_t disorder, nep_label *own, nep_label *others)
{
    const int64_t n = in->n_drugs;
    for (int64_t i = 0; i < in->n_disorders * n; i++)
        others[i] = in->labels && i / n != disorder ? in->labels[i] : NEP_LABEL_NONE;
    for (int64_t k = 0; k < n; k++)
        own[k] = in->labels ? in->labels[disorder * n + k] : NEP_LABEL_NONE;
    return (nep_visible){.disorder = disorder, .own = own, .others = others};
}

bool nep_visible_indicated(const nep_inputs *in, const nep_visible *v, int64_t drug, uint64_t stream)
{
    if (!nep_label_indicated(v->own[drug]))
        return false;
    if (stream == 0)
        return true;
    const uint64_t id = nep_stream_id(NEP_STREAM_LABEL, v->disorder, stream);
    return nep_philox_uniform(in->seed, id, (uint64_t)drug) >= NEP_EVIDENCE_LABEL_DOUBT;
}

bool nep_visible_hides(const nep_visible *v, int64_t k, int64_t i)
{
    if (i == k || !v->mask)
        return i == k;
    int64_t low = v->mask->start[k], high = v->mask->start[k + 1];
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (v->mask->list[middle] == i)
            return true;
        if (v->mask->list[middle] < i)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

int64_t nep_visible_list(const nep_inputs *in, const nep_visible *v, uint64_t stream, int64_t *list)
{
    int64_t n = 0;
    for (int64_t k = 0; k < in->n_drugs; k++)
        if (nep_visible_indicated(in, v, k, stream))
            list[n++] = k;
    return n;
}
