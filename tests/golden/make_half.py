# SPDX-License-Identifier: Apache-2.0
"""Writes half.tsv: float32 bits, their binary16 by numpy, and their bf16 as the nearest neighbour found by exact comparison."""
import os
from fractions import Fraction

import numpy as np

rng = np.random.default_rng(4)
bits = list(rng.integers(0, 2**32, 700, dtype=np.uint64))
bits += list((rng.integers(0x66, 0x90, 500).astype(np.uint64) << 23) | rng.integers(0, 2**23, 500).astype(np.uint64))  # binary16's range
halves = rng.integers(0, 0x7BFF, 300).astype(np.uint16)  # midpoints and their neighbours
for h in halves:
    a, b = np.array([h, h + 1], dtype=np.uint16).view(np.float16).astype(np.float64)
    m = int(np.float32((a + b) / 2).view(np.uint32))
    bits += [m - 1, m, m + 1]
for b in rng.integers(0, 0x7F7F, 200):
    m = int(b) << 16 | 0x8000
    bits += [m - 1, m, m + 1]
bits += [0, 1, 0x80000000, 0x80000001, 0x007FFFFF, 0x00800000, 0x33000000, 0x33000001, 0x33800000, 0x387FFFFF, 0x38800000, 0x477FDFFF, 0x477FE000,
         0x477FEFFF, 0x477FF000, 0x7F7F7FFF, 0x7F7F8000, 0x7F7FFFFF, 0x7F800000, 0xFF800000]


def bf16(u):
    sign, a = u & 0x80000000, u & 0x7FFFFFFF
    if a == 0x7F800000:
        return u >> 16

    def value(h):  # beyond the largest stands 2^128
        return Fraction(2) ** 128 if h == 0x7F80 else Fraction(float(np.uint32(h << 16).view(np.float32)))

    x = Fraction(float(np.uint32(a).view(np.float32)))
    low = a >> 16
    below, above = x - value(low), value(low + 1) - x
    return sign >> 16 | (low if below < above or (below == above and low % 2 == 0) else low + 1)


seen = set()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "half.tsv"), "w") as f:
    f.write("f32\tf16\tbf16\n")
    for u in map(int, bits):
        if u in seen or (u & 0x7FFFFFFF) > 0x7F800000:
            continue
        seen.add(u)
        with np.errstate(over="ignore"):
            half = int(np.uint32(u).view(np.float32).astype(np.float16).view(np.uint16))
        f.write(f"{u:08x}\t{half:04x}\t{bf16(u):04x}\n")
