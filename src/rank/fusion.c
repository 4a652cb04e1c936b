/* SPDX-License-Identifier: Apache-2.0 */
/* fusion.c - the words for how channels become one score. */
#include <nepenthe/rank.h>

const char *nep_fusion_name(nep_fusion f)
{
    return f == NEP_FUSION_HIERARCHICAL ? "hierarchical" : "stouffer";
}
