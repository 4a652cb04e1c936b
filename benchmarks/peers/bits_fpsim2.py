# SPDX-License-Identifier: Apache-2.0
"""The 100 nearest of fingerprints by FPSim2's engine, in memory: the molecules of bits_rdkit.py, each 60 times over. Its rows are
given to it as it would have read them (ordered by their counts of bits), so that nothing is timed but the search."""
import argparse
from types import SimpleNamespace

from peer import report, timed  # before numpy
import FPSim2
import numpy as np
from rdkit import DataStructs

WORDS, COPIES, TOP, ROWS = 32, 60, 100, 2_000_000


def rows_of(path):
    """id, words, count of bits; by counts."""
    bits = np.fromfile(path, np.uint64).reshape(-1, WORDS)
    each = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    counts = each.sum(1).astype(np.uint64)
    order = np.repeat(np.argsort(counts, kind="stable"), COPIES)
    rows = np.empty((len(order), WORDS + 2), np.uint64)
    rows[:, 0] = np.arange(len(order))
    rows[:, 1:-1] = np.packbits(each, axis=1).view(">u8")[order]  # its words begin with their highest bit
    rows[:, -1] = counts[order]
    return rows, bits


def engine(rows):
    ends = np.searchsorted(rows[:, -1], np.arange(WORDS * 64 + 2, dtype=np.uint64))
    bins = [(b, (int(ends[b]), int(ends[b + 1]))) for b in range(WORDS * 64 + 1) if ends[b + 1] > ends[b]]
    e = FPSim2.FPSim2Engine.__new__(FPSim2.FPSim2Engine)
    e.in_memory_fps = True
    e.storage = SimpleNamespace(fps=rows, popcnt_bins=bins, fp_type="Morgan", fp_params={"fpSize": WORDS * 64, "radius": 2})
    e.empty_sim = np.ndarray((0,), dtype=[("mol_id", "<u4"), ("coeff", "<f4")])
    return e


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--bits", metavar="FILE", required=True, help="bits_parents.u64 as bits_rdkit.py saves it")
    cli.add_argument("--threshold", type=float, default=0.0)
    o = cli.parse_args()
    rows, bits = rows_of(o.bits)
    e = engine(rows)
    queries = [DataStructs.CreateFromBinaryText(bits[i * 1500].tobytes()) for i in range(16)]
    assert all(e.top_k(q, 1, 0.0)["coeff"][0] == 1 for q in queries)
    for workers in (1, 2):
        def search():
            for q in queries:
                if o.threshold > 0:
                    e.similarity(q, o.threshold, n_workers=workers)
                else:
                    e.top_k(q, TOP, 0.0, n_workers=workers)
        _, wall, cpu = timed(search, 3)
        work = f"threshold {o.threshold}" if o.threshold > 0 else f"{TOP} nearest"
        report("FPSim2", FPSim2.__version__, f"{work}, {workers} workers", wall / len(queries), cpu / len(queries), f"{len(rows)} rows",
               ROWS / len(rows))


if __name__ == "__main__":
    main()
