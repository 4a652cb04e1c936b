/* SPDX-License-Identifier: Apache-2.0 */
/* role.c - the words for what a channel may do. */
#include <nepenthe/evidence.h>

const char *nep_role_name(nep_role r)
{
    static const char *const names[] = {"VOTE", "GATE", "BASELINE", "NUISANCE"};
    return (int)r >= 0 && (int)r < NEP_LEN(names) ? names[r] : "unknown";
}
