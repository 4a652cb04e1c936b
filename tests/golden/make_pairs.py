# SPDX-License-Identifier: Apache-2.0
"""All pairs of 300 PubChem molecules by RDKit: Morgan bits (radius 2, 512 bits), every pair at Tanimoto 0.3 or above, Butina
clusters by ClusterData (plain and reordered), MaxMin picks by LazyBitVectorPick.

ClusterData takes the largest row number among equal counts, so it is given the rows backwards: the smallest row comes first
then. Its distances are 1 - similarity in float64, which put 1 - 0.7 above 0.3: pairs at the threshold itself would be lost, so
thresholds here lie a little beyond it.
"""
import gzip
import os

from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem
from rdkit.ML.Cluster import Butina
from rdkit.SimDivFilters.rdSimDivPickers import MaxMinPicker

from golden import DATA, made_by, write_json, write_tsv

N, BITS, EDGE = 300, 512, 0.3

with gzip.open(os.path.join(DATA, "similarity", "smiles_153705.tsv.gz"), "rt") as f:
    smiles = [line.split()[2] for line, _ in zip(f, range(3 * N))][::3]
fps = [AllChem.GetMorganFingerprintAsBitVect(Chem.MolFromSmiles(s), 2, nBits=BITS) for s in smiles]
fps[40], fps[299] = fps[7], fps[12]  # duplicates
fps[100] = fps[200] = DataStructs.ExplicitBitVect(BITS)  # empty rows
write_tsv("pairs_fps.tsv", ["row", "hex"], [[i, DataStructs.BitVectToFPSText(f)] for i, f in enumerate(fps)])

pairs = []
for a in range(N):
    for b in range(a + 1, N):
        if DataStructs.TanimotoSimilarity(fps[a], fps[b]) >= EDGE:
            common = (fps[a] & fps[b]).GetNumOnBits()
            pairs.append([a, b, common, fps[a].GetNumOnBits() + fps[b].GetNumOnBits() - common])
write_tsv("pairs_within.tsv", ["row_a", "row_b", "common", "union"], pairs)


def clusters(threshold, reordering):
    back = fps[::-1]
    dists = [1 - s for i in range(1, N) for s in DataStructs.BulkTanimotoSimilarity(back[i], back[:i])]
    found = Butina.ClusterData(dists, N, 1 - threshold + 1e-9, isDistData=True, reordering=reordering)
    return [[N - 1 - m for m in c] for c in found]


rows = []
for threshold in (0.25, 0.4):
    for reordering in (0, 1):
        for k, members in enumerate(clusters(threshold, reordering)):
            rows += [[str(threshold), reordering, k, members[0], m] for m in members]
write_tsv("pairs_butina.tsv", ["threshold", "reordering", "cluster", "centroid", "row"], rows)

picks = []
for first in (0, 100, 257):
    chosen = MaxMinPicker().LazyBitVectorPick(fps, N, 120, firstPicks=[first])
    picks += [[first, k, row] for k, row in enumerate(chosen)]
write_tsv("pairs_maxmin.tsv", ["first", "pick", "row"], picks)
write_json("pairs.json", {"made_by": made_by("rdkit")})
