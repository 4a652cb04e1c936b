# SPDX-License-Identifier: Apache-2.0
"""Known answers of Philox4x32-10 and XXH3-128.

The three Philox vectors are those of Random123's kat_vectors (Salmon et al. 2011); they are checked here against a second
writing of the algorithm from the paper before they are kept. XXH3-128 is python-xxhash's, seed 0, high half first.
"""
import xxhash

from golden import made_by, write_json

KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


words = lambda text: [int(w, 16) for w in text.split()]
assert all(philox(words(c), words(k)) == words(out) for c, k, out in KNOWN)
vectors = [{"counter": c.split(), "key": k.split(), "out": out.split()} for c, k, out in KNOWN]

pieces = [("", 1), ("a", 1), ("abc", 1), ("nepenthe", 1), ("0123456789abcdef0", 1), ("x", 128), ("x", 129), ("x", 240),
          ("x", 241), ("xy", 1000)]
write_json("numbers.json", {
    "made_by": f"{made_by()}xxhash {xxhash.VERSION}", "philox4x32_10": vectors,
    "xxh3_128": [{"piece": piece, "times": times, "hex": xxhash.xxh3_128_hexdigest((piece * times).encode())}
                 for piece, times in pieces]})
