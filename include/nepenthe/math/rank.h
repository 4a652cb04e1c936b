/* SPDX-License-Identifier: Apache-2.0 */
/* rank - the place of a value among those of its series: midranks, and the rules of peers, as integers. */
#ifndef NEPENTHE_MATH_RANK_H
#define NEPENTHE_MATH_RANK_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <nepenthe/math/hd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NEP_RANK_MIDRANK,  /* tied values share the mean of their ranks */
    NEP_RANK_CEILING,  /* the mean of their ranks counted from 0, rounded up (C-PAC) */
    NEP_RANK_TRUNCATED /* tied where the integers towards 0 are the same; the topmost run is left as it was sorted (AFNI) */
} nep_rank_rule;

/* Longest series: a doubled rank fits int16. */
enum { NEP_RANK_MOST = 32768 };

/* Keys compare as the values do; -0 is 0. Not for NaN. */
NEP_HD int32_t nep_rank_key(float v)
{
    int32_t bits;
    v += 0.0f;
    memcpy(&bits, &v, sizeof bits);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

/* The key of v's integer part. */
NEP_HD int32_t nep_rank_key_truncated(float v)
{
    return nep_rank_key(truncf(v));
}

/* The value of a key. */
NEP_HD float nep_rank_value(int32_t key)
{
    const int32_t bits = key ^ ((key >> 31) & 0x7fffffff);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* 2 rank - (n + 1), ranks from 1 to n, of a value with `less` values below it and `equal` tied (itself among them), of which
 * `before` come first in a stable sort. Midranks: as many as are below it less as many as are above. */
NEP_HD int32_t nep_rank_doubled(nep_rank_rule rule, int32_t less, int32_t equal, int32_t before, int32_t n)
{
    if (rule == NEP_RANK_CEILING)
        return 2 * (less + equal / 2) - (n - 1);
    if (rule == NEP_RANK_TRUNCATED && less + equal == n)
        return 2 * (less + before) - (n - 1);
    return 2 * less + equal - n;
}

/* What this value adds to sum (t^3 - t) over the runs of tied values: t^2 - 1. */
NEP_HD int64_t nep_rank_tie(nep_rank_rule rule, int32_t less, int32_t equal, int32_t n)
{
    return rule == NEP_RANK_TRUNCATED && less + equal == n ? 0 : (int64_t)equal * equal - 1;
}

#ifdef __cplusplus
}
#endif
#endif
