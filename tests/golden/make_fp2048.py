#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_fp2048.py OUT: Morgan fingerprints (radius 2, 2,048 bits) of the 153,705 molecules of the evaluation data by RDKit 2022.09.3
(Debian's), raw little-endian words, 39 MB, some minutes. Not committed; NEPENTHE_FP2048=OUT lets similarity_bits_molecules run."""
import gzip
import os
import sys

from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import AllChem

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(HERE, "..", "..", "..", "shared"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    RDLogger.DisableLog("rdApp.*")
    part = sys.argv[1] + ".part"
    with gzip.open(os.path.join(SHARED, "data", "similarity", "smiles_153705.tsv.gz"), "rt") as smiles, open(part, "wb") as out:
        for line in smiles:
            molecule = Chem.MolFromSmiles(line.rstrip("\n").split("\t")[2])
            out.write(DataStructs.BitVectToBinaryText(AllChem.GetMorganFingerprintAsBitVect(molecule, 2, 2048)))
    os.replace(part, sys.argv[1])


if __name__ == "__main__":
    main()
