# SPDX-License-Identifier: Apache-2.0
"""BEDROC and RIE, Morgan fingerprints (radius 2, 2048 bits) and Tanimoto, by RDKit. Runs with Debian's python3-rdkit.

Fingerprint bytes are those of an FPS file: bit b is bit b % 8 of byte b / 8. Only bytes that are not zero are kept, as
"index:byte", index decimal and byte hexadecimal.
"""
import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem
from rdkit.ML.Scoring import Scoring

from golden import made_by, write_json, write_tsv

DRUGS = """haloperidol O=C(CCCN1CCC(CC1)(O)c1ccc(Cl)cc1)c1ccc(F)cc1
chlorpromazine CN(C)CCCN1c2ccccc2Sc2ccc(Cl)cc21
promazine CN(C)CCCN1c2ccccc2Sc2ccccc21
clozapine CN1CCN(CC1)C1=Nc2cc(Cl)ccc2Nc2ccccc21
olanzapine CN1CCN(CC1)C1=Nc2ccccc2Nc2sc(C)cc21
risperidone CC1=C(CCN2CCC(CC2)c2noc3cc(F)ccc23)C(=O)N2CCCCC2=N1
fluoxetine CNCCC(Oc1ccc(cc1)C(F)(F)F)c1ccccc1
atomoxetine CNCCC(Oc1ccccc1C)c1ccccc1
sertraline CN[C@H]1CC[C@@H](c2ccc(Cl)c(Cl)c2)c2ccccc12
imipramine CN(C)CCCN1c2ccccc2CCc2ccccc21
desipramine CNCCCN1c2ccccc2CCc2ccccc21
diazepam CN1c2ccc(Cl)cc2C(=NCC1=O)c1ccccc1
nordazepam O=C1CN=C(c2ccccc2)c2cc(Cl)ccc2N1
levodopa N[C@@H](Cc1ccc(O)c(O)c1)C(=O)O
dopamine NCCc1ccc(O)c(O)c1
serotonin NCCc1c[nH]c2ccc(O)cc12
ketamine CNC1(CCCCC1=O)c1ccccc1Cl
caffeine Cn1cnc2c1c(=O)n(C)c(=O)n2C
methylphenidate COC(=O)C(C1CCCCN1)c1ccccc1
lithium_carbonate [Li+].[Li+].[O-]C([O-])=O"""

names, smiles = zip(*(line.split() for line in DRUGS.splitlines()))
molecules = [Chem.MolFromSmiles(s) for s in smiles]
bits = [AllChem.GetMorganFingerprintAsBitVect(m, 2, nBits=2048) for m in molecules]
rows = []
for name, s, m, b in zip(names, smiles, molecules, bits):
    packed = DataStructs.BitVectToBinaryText(b)
    sparse = " ".join(f"{k}:{byte:02x}" for k, byte in enumerate(packed) if byte)
    rows.append([name, s, Chem.MolToSmiles(m), b.GetNumOnBits(), sparse])
write_tsv("rdkit_molecules.tsv", ["name", "smiles", "canonical", "n_bits", "bytes"], rows)
pairs = [[names[i], names[j], (bits[i] & bits[j]).GetNumOnBits(), (bits[i] | bits[j]).GetNumOnBits(),
          DataStructs.TanimotoSimilarity(bits[i], bits[j]), DataStructs.DiceSimilarity(bits[i], bits[j])]
         for i in range(len(names)) for j in range(i)]
write_tsv("rdkit_pairs.tsv", ["a", "b", "common", "union", "tanimoto", "dice"], pairs, 16)

rng = np.random.RandomState(20)
cases = {}
for name, n, active in (("small", 20, [0, 3, 9]), ("one_first", 100, [0]), ("one_last", 100, [99]),
                        ("drawn", 300, sorted(rng.choice(300, 12, replace=False).tolist()))):
    ordered = [[int(k in active)] for k in range(n)]
    cases[name] = {"n": n, "active_at": active, "bedroc20": Scoring.CalcBEDROC(ordered, 0, 20.0),
                   "rie20": Scoring.CalcRIE(ordered, 0, 20.0), "auroc": Scoring.CalcAUC(ordered, 0)}
write_json("rdkit.json", {"made_by": made_by("rdkit", "numpy"), "fingerprint": "morgan:2:2048",
                          "bedroc": {"alpha": 20, "order": "best first, 0-based", "cases": cases}})
