#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows, queries and their nearest rows by RDKit 2022.09.3 (Debian's): similarity_bits_rows.tsv and similarity_bits.tsv.

Rows are made up: sparse, of very different counts of bits, many alike, some the same, one empty. Scores are RDKit's; rows are put
in order by the exact fraction of the bits RDKit counts (cosine squared), then by their number.
"""
import random
from fractions import Fraction
from pathlib import Path

from rdkit import DataStructs

HERE, BITS, ROWS, TOP = Path(__file__).resolve().parent, 512, 240, 25
TVERSKY = [("0.3", "0.9"), ("1", "0"), ("0", "0.25")]


def make_rows(rng):
    """Each row is one of twelve patterns with some bits off and some others on."""
    patterns = [rng.sample(range(BITS), rng.choice([6, 12, 20, 30, 45, 60])) for _ in range(12)]
    rows = []
    for i in range(ROWS):
        bits = {b for b in patterns[i % 12] if rng.random() > 0.25}
        rows.append(bits | {rng.randrange(BITS) for _ in range(rng.choice([0, 0, 1, 3, 8]))})
    for i in (17, 101, 180):
        rows[i] = set(rows[5])
    rows[77] = set()
    return rows


def vector(bits):
    v = DataStructs.ExplicitBitVect(BITS)
    v.SetBitsFromList(sorted(bits))
    return v


def text(v):
    return DataStructs.BitVectToFPSText(v)


def exact(metric, a, b, c, weights):
    if c == 0:
        return Fraction(0)
    if metric == "tanimoto":
        return Fraction(c, a + b - c)
    if metric == "dice":
        return Fraction(2 * c, a + b)
    if metric == "cosine":
        return Fraction(c * c, a * b)
    alpha, beta = (Fraction(w) for w in weights)
    return c / (alpha * (a - c) + beta * (b - c) + c)


def scores(metric, q, rows, weights):
    if metric == "tversky":
        return DataStructs.BulkTverskySimilarity(q, rows, *(float(w) for w in weights))
    return {"tanimoto": DataStructs.BulkTanimotoSimilarity, "dice": DataStructs.BulkDiceSimilarity,
            "cosine": DataStructs.BulkCosineSimilarity}[metric](q, rows)


def main():
    rng = random.Random(20260715)
    sets = make_rows(rng)
    rows = [vector(s) for s in sets]
    queries = [rows[i] for i in (0, 5, 77, 130)] + [vector(rng.sample(range(BITS), n)) for n in (1, 25, 200)]
    with open(HERE / "similarity_bits_rows.tsv", "w") as f:
        f.write("kind\tfps\n")
        for kind, vectors in (("row", rows), ("query", queries)):
            f.writelines(f"{kind}\t{text(v)}\n" for v in vectors)
    with open(HERE / "similarity_bits.tsv", "w") as f:
        f.write("metric\talpha\tbeta\tquery\trank\trow\tcommon\ttotal\tscore\n")
        for metric, weights in [("tanimoto", None), ("dice", None), ("cosine", None)] + [("tversky", w) for w in TVERSKY]:
            for n, q in enumerate(queries):
                found = []
                for i, (v, s) in enumerate(zip(rows, scores(metric, q, rows, weights))):
                    a, b, c = q.GetNumOnBits(), v.GetNumOnBits(), (q & v).GetNumOnBits()
                    key = exact(metric, a, b, c, weights)
                    value = float(key) ** 0.5 if metric == "cosine" else float(key)
                    if c == 0:
                        s = 0.0  # this RDKit has 1 where the denominator of tanimoto or tversky is 0, newer ones and we have 0
                    assert abs(value - s) < 1e-12, (metric, n, i, value, s)
                    found.append((-key, i, c, (q | v).GetNumOnBits(), s))
                for rank, (_, i, c, u, s) in enumerate(sorted(found)[:TOP], 1):
                    f.write("\t".join([metric, *(weights or ("", "")), str(n), str(rank), str(i), str(c), str(u), f"{s:.17g}"]) + "\n")


if __name__ == "__main__":
    main()
