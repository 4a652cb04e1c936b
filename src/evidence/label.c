/* SPDX-License-Identifier: Apache-2.0 */
/* label.c - the words for a recorded status, as the label table spells them. */
#include <nepenthe/evidence.h>

#include <string.h>

static const char *const names[] = {"none", "approved", "symptomatic", "investigational", "failed", "contraindicated"};

const char *nep_label_name(nep_label l)
{
    return (int)l >= 0 && (int)l < NEP_LEN(names) ? names[l] : "unknown";
}

bool nep_label_find(const char *name, nep_label *out)
{
    for (int i = 0; name && i < NEP_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (nep_label)i;
            return true;
        }
    return false;
}

bool nep_label_indicated(nep_label l)
{
    return l == NEP_LABEL_APPROVED || l == NEP_LABEL_SYMPTOMATIC;
}
