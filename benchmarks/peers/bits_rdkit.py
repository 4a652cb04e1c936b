# SPDX-License-Identifier: Apache-2.0
"""The 100 nearest of 2,000,000 fingerprints by RDKit's BulkTanimotoSimilarity, which gives all scores as a list; the nearest are then
taken by heapq. A slice: 30,000 molecules, each ten times over. --save writes their Morgan bits (radius 2, 2,048 bits) and the exact nearest of 20."""
import argparse
import gzip
import heapq
import os
from fractions import Fraction

from peer import report, timed  # before numpy
import numpy as np
import rdkit
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import rdFingerprintGenerator

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(HERE, "..", "..", "..", "shared"))
BITS, PARENTS, EVERY, CHECKED, TOP, ROWS, COPIES = 2048, 30_000, 5, 20, 100, 2_000_000, 10


def fingerprints():
    """Of every fifth molecule of the set."""
    RDLogger.DisableLog("rdApp.*")
    made = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    out = []
    with gzip.open(os.path.join(SHARED, "data", "similarity", "smiles_153705.tsv.gz"), "rt") as f:
        for i, line in enumerate(row for row in f if not row.startswith("#")):
            molecule = Chem.MolFromSmiles(line.rstrip("\n").split("\t")[2]) if i % EVERY == 0 and len(out) < PARENTS else None
            if molecule is not None:  # releases differ in what they read
                out.append(made.GetFingerprint(molecule))
    return out


def words(fp):
    return np.frombuffer(DataStructs.BitVectToBinaryText(fp), np.uint64)


def vector(row):
    return DataStructs.CreateFromBinaryText(row.tobytes())


def nearest(fps, query):
    """(row, common, total) of the best, by exact fractions, then by row."""
    scores = DataStructs.BulkTanimotoSimilarity(query, fps)
    floor = heapq.nlargest(TOP, scores)[-1] - 1e-9
    found = []
    for i, s in enumerate(scores):
        if s >= floor:
            common, total = (query & fps[i]).GetNumOnBits(), (query | fps[i]).GetNumOnBits()
            found.append((-Fraction(common, total), i, common, total))
    return [f[1:] for f in sorted(found)[:TOP]]


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--save", metavar="DIR", help="write the bits and the answers, time nothing")
    cli.add_argument("--bits", metavar="FILE", help="bits_parents.u64 as --save writes it")
    o = cli.parse_args()
    if o.save:
        path = os.path.join(o.save, "bits_parents.u64")
        if not os.path.exists(path):
            np.array([words(fp) for fp in fingerprints()]).tofile(path)
        fps = [vector(r) for r in np.fromfile(path, np.uint64).reshape(PARENTS, -1)]
        golden = [nearest(fps, fps[q * (PARENTS // CHECKED)]) for q in range(CHECKED)]
        np.array(golden, np.int64).tofile(os.path.join(o.save, "bits_golden.i64"))
        return
    fps = [vector(r) for _ in range(COPIES) for r in np.fromfile(o.bits, np.uint64).reshape(PARENTS, -1)]

    def search():
        scores = DataStructs.BulkTanimotoSimilarity(fps[1], fps)
        return heapq.nlargest(TOP, zip(scores, range(0, -len(fps), -1)))

    _, wall, cpu = timed(search, 5)
    _, bulk, _ = timed(lambda: DataStructs.BulkTanimotoSimilarity(fps[1], fps), 5)
    report("RDKit", rdkit.__version__, "100 nearest by BulkTanimotoSimilarity and heapq", wall, cpu, f"{len(fps)} rows", ROWS / len(fps),
           scores_alone_seconds=round(bulk, 5))


if __name__ == "__main__":
    main()
