# SPDX-License-Identifier: Apache-2.0
"""All pairs of Morgan fingerprints (radius 2, 2,048 bits) at Tanimoto 0.7 or above: FPSim2's symmetric_distance_matrix on the first
20,000 of 100,000 molecules, one worker (0.7.4 with two falls over now and then). Beside it RDKit: LazyBitVectorPick of 1,000 of the
100,000, ClusterData of the first 5,000 at 0.5 (the list of its distances is made before and not timed).

--save DIR makes the fingerprints once (some minutes), and the peers' answers; molecules are those of $NEPENTHE_SHARED."""
import argparse
import gzip
import os

from peer import report, save, timed  # before numpy
import FPSim2
import numpy as np
import rdkit
from FPSim2.io import create_db_file
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.ML.Cluster import Butina
from rdkit.SimDivFilters.rdSimDivPickers import MaxMinPicker

N, SLICE, CLUSTERED, PICKS, THRESHOLD, NEAR = 100_000, 20_000, 5_000, 1_000, 0.7, 0.5
WORDS = 32
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"))


def make(folder):
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=64 * WORDS)
    bits, smiles = np.empty((N, 8 * WORDS), np.uint8), []
    with gzip.open(os.path.join(SHARED, "data", "similarity", "smiles_153705.tsv.gz"), "rt") as f:
        for line in f:
            molecule = Chem.MolFromSmiles(line.split()[2])
            if molecule is None:  # what an older RDKit wrote a newer one may refuse
                continue
            bits[len(smiles)] = np.frombuffer(bytes.fromhex(DataStructs.BitVectToFPSText(generator.GetFingerprint(molecule))), np.uint8)
            smiles.append(line.split()[2])
            if len(smiles) == N:
                break
    create_db_file(mols_source=[[s, i + 1] for i, s in enumerate(smiles[:SLICE])], filename=os.path.join(folder, "pairs.h5"),
                   mol_format="smiles", fp_type="Morgan", fp_params={"radius": 2, "fpSize": 64 * WORDS})
    part = os.path.join(folder, "pairs_fp.part")
    bits.tofile(part)
    os.replace(part, os.path.join(folder, "pairs_fp.u64"))


def fingerprints(folder, n):
    bits = np.fromfile(os.path.join(folder, "pairs_fp.u64"), np.uint8, n * 8 * WORDS).reshape(n, -1)
    return [DataStructs.CreateFromFPSText(row.tobytes().hex()) for row in bits]


def pairs(folder):
    engine = FPSim2.FPSim2Engine(os.path.join(folder, "pairs.h5"))
    return lambda: engine.symmetric_distance_matrix(THRESHOLD, n_workers=1)


def pick(fps):
    return lambda: list(MaxMinPicker().LazyBitVectorPick(fps, len(fps), PICKS, firstPicks=[0]))


def cluster(fps):
    """On the rows backwards: the smaller row number first among equals."""
    back = fps[::-1]
    near = [1 - s for i in range(1, len(back)) for s in DataStructs.BulkTanimotoSimilarity(back[i], back[:i])]
    return lambda: Butina.ClusterData(near, len(back), 1 - NEAR + 1e-9, isDistData=True)


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("folder", nargs="?")
    cli.add_argument("--save", metavar="DIR", help="write fingerprints and answers, time nothing")
    o = cli.parse_args()
    folder = o.save or o.folder
    os.makedirs(folder, exist_ok=True)
    if o.save:
        if not os.path.exists(os.path.join(folder, "pairs_fp.u64")):
            make(folder)
        matrix = pairs(folder)().tocoo()
        found = sum(1 for i, j in zip(matrix.row, matrix.col) if i < j)
        fps = fingerprints(folder, N)
        centroid = np.empty(CLUSTERED)
        for members in cluster(fps[:CLUSTERED])():
            centroid[[CLUSTERED - 1 - m for m in members]] = CLUSTERED - 1 - members[0]
        save(folder, pairs_found=np.array([found], float), pairs_picks=np.array(pick(fps)(), float), pairs_centroid=centroid)
        return
    _, wall, cpu = timed(pairs(folder))
    fps = fingerprints(folder, N)
    _, pick_wall, pick_cpu = timed(pick(fps))
    _, cluster_wall, cluster_cpu = timed(cluster(fps[:CLUSTERED]))
    report("FPSim2 symmetric_distance_matrix", FPSim2.__version__, "all pairs of 20,000 x 2,048 bits at 0.7", wall, cpu, "20,000 of 100,000 rows",
           (N / SLICE) ** 2, rdkit=rdkit.__version__, pick_seconds_wall=round(pick_wall, 3), pick_seconds_cpu=round(pick_cpu, 3),
           cluster_seconds_wall=round(cluster_wall, 3), cluster_seconds_cpu=round(cluster_cpu, 3))


if __name__ == "__main__":
    main()
