/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - one number per (kind of input, disorder, redraw), so that no two draws share a random stream. */
#include <nepenthe/evidence.h>

uint64_t nep_stream_id(nep_stream kind, int64_t disorder, uint64_t stream)
{
    return ((uint64_t)kind << 56) | (((uint64_t)disorder & 0xffffff) << 32) | (stream & 0xffffffff);
}
