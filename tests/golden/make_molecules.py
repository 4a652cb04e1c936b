# SPDX-License-Identifier: Apache-2.0
"""Canonical SMILES, fingerprints and descriptors of structures by RDKit, and their InChIKeys.

Runs with Debian's python3-rdkit 2022.09.3, which has no InChI. `make_molecules.py --inchikeys` writes the keys alone and runs
with RDKit from PyPI (2026.09.1, InChI 1.07.3).
"""
import sys

from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import AllChem, Crippen, Lipinski, MACCSkeys, rdMolDescriptors

from golden import HERE, write_tsv

RDLogger.DisableLog("rdApp.*")
STRUCTURES = """haloperidol O=C(CCCN1CCC(CC1)(O)c1ccc(Cl)cc1)c1ccc(F)cc1
clozapine CN1CCN(CC1)C1=Nc2cc(Cl)ccc2Nc2ccccc21
sertraline_hydrochloride CN[C@H]1CC[C@@H](c2ccc(Cl)c(Cl)c2)c2ccccc12.Cl
levodopa N[C@@H](Cc1ccc(O)c(O)c1)C(=O)O
dextrodopa N[C@H](Cc1ccc(O)c(O)c1)C(O)=O
lithium_carbonate [Li+].[Li+].[O-]C([O-])=O
caffeine Cn1cnc2c1c(=O)n(C)c(=O)n2C
morphine CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5
esomeprazole COc1ccc2[nH]c(nc2c1)[S@@](=O)Cc1ncc(C)c(OC)c1C
esomeprazole_magnesium [Mg+2].COc1ccc2[n-]c(nc2c1)[S@@](=O)Cc1ncc(C)c(OC)c1C.COc1ccc2[n-]c(nc2c1)[S@@](=O)Cc1ncc(C)c(OC)c1C
e_butene C/C=C/C
z_butene C/C=C\\C
cinnarizine C(/C=C/c1ccccc1)N1CCN(CC1)C(c1ccccc1)c1ccccc1
retinal CC1=C(C(CCC1)(C)C)/C=C/C(=C/C=C/C(=C/C=O)/C)/C
cis_4_methylcyclohexanol O[C@H]1CC[C@@H](C)CC1
sodium_perchlorate [Na+].[O-]Cl(=O)(=O)=O
heavy_methane [13CH4]
deuterated_ethanol [2H]C([2H])([2H])CO
ethyl_radical C[CH2]
cisplatin N[Pt](N)(Cl)Cl
ferrous_chloride [Fe+2].[Cl-].[Cl-]
acetylcholine CC(=O)OCC[N+](C)(C)C
glycine_zwitterion [NH3+]CC(=O)[O-]
glycine NCC(=O)O
tropolone OC1=CC=CC=CC1=O
hydroxypyridine Oc1ccccn1
pyridone O=c1cccc[nH]1
nitrobenzene c1ccccc1N(=O)=O
diazomethane C=[N+]=[N-]
trimethylphosphine_oxide CP(C)(C)=O
quaternary_centre CCC[N@+](C)(CC)c1ccccc1
chlorofluorobromoethane C[C@](F)(Cl)Br
cyclosporin CC[C@H]1C(=O)N(CC(=O)N([C@H](C(=O)N[C@H](C(=O)N([C@H](C(=O)N[C@H](C(=O)N[C@@H](C(=O)N([C@H](C(=O)N([C@H](C(=O)N([C@H](C(=O)N([C@H](C(=O)N1)[C@@H]([C@H](C)C/C=C/C)O)C)C(C)C)C)CC(C)C)C)CC(C)C)C)C)C)CC(C)C)C)C(C)C)CC(C)C)C)C
buckminsterfullerene c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3c3c8c4c4c9c5c1c1c6c2c3c41
dimethylsulfoxide CS(C)=O
benzene_kekule C1=CC=CC=C1
water O
proton [H+]
hydrogen [H][H]
tetrabromobisphenol CC(C)(c1cc(Br)c(O)c(Br)c1)c1cc(Br)c(O)c(Br)c1
lysergide CCN(CC)C(=O)[C@H]1CN([C@@H]2Cc3c[nH]c4c3c(ccc4)C2=C1)C
semaglutide_part CC(C)C[C@H](NC(=O)[C@H](CC(N)=O)NC(=O)[C@H](CCCNC(N)=N)NC(=O)[C@@H](N)Cc1c[nH]cn1)C(=O)N[C@@H](CC(=O)O)C(N)=O"""
rows = [line.split() for line in STRUCTURES.splitlines()]

if sys.argv[1:] == ["--inchikeys"]:
    from rdkit.Chem import inchi

    def parent(m):
        parts = Chem.GetMolFrags(m, asMols=True)
        return max(parts, key=lambda p: (p.GetNumHeavyAtoms(), rdMolDescriptors._CalcMolWt(p)))

    molecules = [Chem.MolFromSmiles(s) for _, s in rows]
    write_tsv("molecules_inchikey.tsv", ["name", "inchikey", "parent_inchikey"],
              [[n, inchi.MolToInchiKey(m), inchi.MolToInchiKey(parent(m))] for (n, _), m in zip(rows, molecules)])
    sys.exit()


def sparse(bits):
    return " ".join(f"{k}:{byte:02x}" for k, byte in enumerate(DataStructs.BitVectToBinaryText(bits)) if byte) or "n/a"


out = []
for name, smiles in rows:
    m = Chem.MolFromSmiles(smiles)
    out.append([name, smiles, Chem.MolToSmiles(m),
                sparse(AllChem.GetMorganFingerprintAsBitVect(m, 2, nBits=2048)), sparse(AllChem.GetMorganFingerprintAsBitVect(m, 3, nBits=1000)),
                sparse(Chem.RDKFingerprint(m, fpSize=512)), sparse(MACCSkeys.GenMACCSKeys(m)),
                rdMolDescriptors._CalcMolWt(m), Crippen.MolLogP(m), rdMolDescriptors.CalcTPSA(m), rdMolDescriptors.CalcNumHBD(m),
                rdMolDescriptors.CalcNumHBA(m), rdMolDescriptors.CalcNumRotatableBonds(m), rdMolDescriptors.CalcNumRings(m),
                rdMolDescriptors.CalcNumAromaticRings(m), Lipinski.HeavyAtomCount(m), Chem.GetFormalCharge(m),
                rdMolDescriptors.CalcFractionCSP3(m), Crippen.MolMR(m), len(Chem.GetMolFrags(m))])
write_tsv("molecules.tsv", ["name", "smiles", "canonical", "morgan_2_2048", "morgan_3_1000", "rdkit_512", "maccs", "mw", "clogp", "tpsa", "hbd",
                            "hba", "rotatable_bonds", "rings", "aromatic_rings", "heavy_atoms", "formal_charge", "fraction_sp3",
                            "molar_refractivity", "components"], out, 17)
with open(f"{HERE}/molecules.sdf", "w", encoding="utf-8") as f:
    for i, (name, smiles) in enumerate(rows):
        if name in ("buckminsterfullerene", "cyclosporin", "semaglutide_part"):
            continue
        m = Chem.MolFromSmiles(smiles)
        AllChem.Compute2DCoords(m)
        m.SetProp("_Name", name)
        f.write(Chem.MolToMolBlock(m, forceV3000=i % 2 == 1) + f">  <number>  ({i})\n{i}\n\n>  <note>\ntwo\nlines\n\n$$$$\n")
write_tsv("molecules_sdf.tsv", ["name", "number", "canonical"],
          [[m.GetProp("_Name"), m.GetProp("number"), Chem.MolToSmiles(m)] for m in Chem.SDMolSupplier(f"{HERE}/molecules.sdf")])
