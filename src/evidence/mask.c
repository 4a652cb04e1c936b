/* SPDX-License-Identifier: Apache-2.0 */
/* mask.c - which drugs are too alike for one to be judged by the other's labels. */
#include "channels.h"

#include <string.h>

static const float dice_half = 1.0f / 3.0f; /* Dice 0.5 is Tanimoto 1/3: D = 2 T / (1 + T) */

static bool same_block(const char *a, const char *b)
{
    enum { BLOCK = 14, KEY = 27 };
    return strncmp(a, b, BLOCK) == 0 && strlen(a) == KEY && strlen(b) == KEY && a[BLOCK] == '-' && b[BLOCK] == '-';
}

static bool share_class(const char *a, const char *b)
{
    for (const char *p = a; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
        const size_t n = strcspn(p, ";");
        for (const char *q = b; n && q && *q; q = strchr(q, ';') ? strchr(q, ';') + 1 : NULL)
            if (strcspn(q, ";") == n && strncmp(p, q, n) == 0)
                return true;
    }
    return false;
}

static bool resemble(const nep_inputs *in, int64_t k, int64_t i)
{
    const int64_t e = in->network && in->drug_node ? nep_network_find_metaedge(in->network, "CrC") : -1;
    return e >= 0 && in->drug_node[k] >= 0 && in->drug_node[i] >= 0 &&
           (nep_network_find_edge(in->network, e, in->drug_node[k], in->drug_node[i]) >= 0 ||
            nep_network_find_edge(in->network, e, in->drug_node[i], in->drug_node[k]) >= 0);
}

bool nep_mask_alike(const nep_inputs *in, int64_t k, int64_t i)
{
    return i == k || (in->similarity && in->similarity[k * in->n_drugs + i] >= dice_half) ||
           same_block(in->drugs->id[k], in->drugs->id[i]) ||
           (in->drugs->atc4 && share_class(in->drugs->atc4[k], in->drugs->atc4[i])) || resemble(in, k, i);
}

nep_status evidence_mask_make(nep_ctx *ctx, nep_inputs *in)
{
    const int64_t n = in->n_drugs;
    int64_t filled = 0, room = 0;

    NEP_TRY(nep_alloc(ctx, n + 1, sizeof(int64_t), "masks", &in->itself.start));
    NEP_TRY(nep_alloc(ctx, n + 1, sizeof(int64_t), "masks", &in->itself.list));
    NEP_TRY(nep_alloc(ctx, n + 1, sizeof(int64_t), "masks", &in->similar.start));
    for (int64_t k = 0; k < n; k++) {
        in->itself.list[k] = in->itself.start[k] = k;
        in->similar.start[k] = filled;
        NEP_TRY(nep_ctx_check(ctx));
        for (int64_t i = 0; i < n; i++) {
            if (!nep_mask_alike(in, k, i))
                continue;
            if (filled == room) {
                room = 2 * room + 1024;
                NEP_TRY(nep_alloc_grow(ctx, room, sizeof(int64_t), "masks", &in->similar.list));
            }
            in->similar.list[filled++] = i;
        }
    }
    in->itself.start[n] = n;
    in->similar.start[n] = filled;
    return NEP_OK;
}
