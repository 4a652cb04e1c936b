/* SPDX-License-Identifier: Apache-2.0 */
/* imaging.c - the words for what the image adds for a disorder. */
#include <nepenthe/rank.h>

const char *nep_imaging_verdict_name(nep_imaging_verdict v)
{
    static const char *const names[] = {"adds", "no_signal", "undetermined"};
    return (int)v >= 0 && (int)v < NEP_LEN(names) ? names[v] : "unknown";
}
