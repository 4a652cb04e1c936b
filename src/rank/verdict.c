/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - the words for what a candidate's evidence amounts to. */
#include <nepenthe/rank.h>

const char *nep_verdict_name(nep_verdict v)
{
    static const char *const names[] = {"supported", "weak", "insufficient", "gated", "contraindicated"};
    return (int)v >= 0 && (int)v < NEP_LEN(names) ? names[v] : "unknown";
}
