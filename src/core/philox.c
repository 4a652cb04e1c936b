/* SPDX-License-Identifier: Apache-2.0 */
/* philox - random numbers by (seed, stream, index); the generator itself is math/philox.h. */
#include <nepenthe/core.h>
#include <nepenthe/math/philox.h>

uint32_t nep_philox_u32(uint64_t seed, uint64_t stream, uint64_t index)
{
    return nep_philox_at(seed, stream, index).v[0];
}

double nep_philox_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    const nep_philox_block b = nep_philox_at(seed, stream, index);
    return nep_philox_open01(b.v[0], b.v[1]);
}

double nep_philox_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    return nep_philox_gauss(seed, stream, index);
}

void nep_philox_permutation(uint64_t seed, uint64_t stream, int64_t n, int32_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0; i--) {
        /* 64 random bits scaled to [0, i]: the bias is below 2^-32 for any n that fits int32 */
        const nep_philox_block b = nep_philox_at(seed, stream, (uint64_t)i);
        const uint64_t r = ((uint64_t)b.v[0] << 32) | b.v[1];
        const int64_t j = (int64_t)(uint64_t)(((unsigned __int128)r * (uint64_t)(i + 1)) >> 64);
        const int32_t t = out[i];
        out[i] = out[j];
        out[j] = t;
    }
}
