/* SPDX-License-Identifier: Apache-2.0 */
/* philox - Philox4x32-10, one text for host and device.
 *
 * Ten rounds of (hi, lo) = M0 * c0, M1 * c2 with the key bumped by the Weyl constants.
 * Source: Salmon, Moraes, Dror & Shaw (2011) SC'11, doi:10.1145/2063384.2063405, section 4.3.
 */
#ifndef NEPENTHE_MATH_PHILOX_H
#define NEPENTHE_MATH_PHILOX_H

#include <stdint.h>

#include <nepenthe/math/hd.h>
#include <nepenthe/math/special.h>

typedef struct {
    uint32_t v[4];
} nep_philox_block;

/* Ten rounds over counter c under the key. */
NEP_HD nep_philox_block nep_philox4x32(nep_philox_block c, uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c.v[0];
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c.v[2];
        const uint32_t v0 = (uint32_t)(p1 >> 32) ^ c.v[1] ^ key0;
        const uint32_t v2 = (uint32_t)(p0 >> 32) ^ c.v[3] ^ key1;
        c.v[0] = v0;
        c.v[1] = (uint32_t)p1;
        c.v[2] = v2;
        c.v[3] = (uint32_t)p0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return c;
}

/* Block `index` of `stream` under `seed`: the counter is (index, stream), the key is the seed. */
NEP_HD nep_philox_block nep_philox_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    nep_philox_block c;
    c.v[0] = (uint32_t)index;
    c.v[1] = (uint32_t)(index >> 32);
    c.v[2] = (uint32_t)stream;
    c.v[3] = (uint32_t)(stream >> 32);
    return nep_philox4x32(c, (uint32_t)seed, (uint32_t)(seed >> 32));
}

/* 53 bits in the open interval (0, 1): never 0, so that a logarithm or quantile of it is finite. */
NEP_HD double nep_philox_open01(uint32_t high, uint32_t low)
{
    const uint64_t bits = (((uint64_t)high << 32) | low) >> 11;
    return ((double)bits + 0.5) * (1.0 / 9007199254740992.0);
}

/* Standard normal by inversion: one uniform gives one normal, so index k is the k-th number on any device. */
NEP_HD double nep_philox_gauss(uint64_t seed, uint64_t stream, uint64_t index)
{
    const nep_philox_block b = nep_philox_at(seed, stream, index);
    return nep_special_normal_quantile(nep_philox_open01(b.v[0], b.v[1]));
}

#endif
