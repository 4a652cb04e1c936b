#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recomputes the derived columns of drugs.tsv from its SMILES (RDKit); --check compares and changes nothing.

Derived: fingerprint (Morgan radius 2, 2048 bits, FPS hex), mw, clogp (Crippen), tpsa, hbd, hba, rotatable_bonds,
aromatic_rings, and the InChIKey where RDKit was built with InChI. Everything else in the table is written by hand, with its source.
"""
import csv
import os
import sys

from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem, Crippen, Descriptors, inchi
from rdkit.Chem import rdMolDescriptors as rd

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drugs.tsv")


def derived(row):
    mol = Chem.MolFromSmiles(row["smiles"])
    if mol is None:
        sys.exit(f"{row['name']}: the SMILES does not parse")
    bits = AllChem.GetMorganFingerprintAsBitVect(mol, 2, 2048)
    out = {
        "fingerprint": DataStructs.BitVectToFPSText(bits),
        "mw": f"{Descriptors.MolWt(mol):.3f}",
        "clogp": f"{Crippen.MolLogP(mol):.3f}",
        "tpsa": f"{rd.CalcTPSA(mol):.2f}",
        "hbd": str(rd.CalcNumHBD(mol)),
        "hba": str(rd.CalcNumHBA(mol)),
        "rotatable_bonds": str(rd.CalcNumRotatableBonds(mol)),
        "aromatic_rings": str(rd.CalcNumAromaticRings(mol)),
    }
    if inchi.INCHI_AVAILABLE:
        out["drug_id"] = inchi.MolToInchiKey(mol)
    return out


def main():
    with open(PATH, encoding="utf-8", newline="") as f:
        reader = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        header, rows = reader.fieldnames, list(reader)
    wrong = 0
    for row in rows:
        for key, value in derived(row).items():
            if row[key] != value:
                wrong += 1
                print(f"{row['name']}: {key} is {row[key][:40]}, computed {value[:40]}", file=sys.stderr)
                row[key] = value
    if "--check" in sys.argv[1:]:
        sys.exit(1 if wrong else 0)
    with open(PATH, "w", encoding="utf-8") as f:
        f.write("\t".join(header) + "\n")
        f.writelines("\t".join(row[h] for h in header) + "\n" for row in rows)


if __name__ == "__main__":
    main()
