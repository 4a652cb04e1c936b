#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles labels.tsv: indications of real disorders for the drugs of drugs.tsv.

Approved: DrugCentral 2016 (CC BY 4.0), $NEPENTHE_SHARED/data/brainmaps/drugcentral_2016_olegursu. Symptomatic:
PharmacotherapyDB 1.0 (CC0), $NEPENTHE_SHARED/data/ranking/pharmacotherapydb, category SYM, where DrugCentral has no
row. Contraindicated: the four statements of product labelling below, each read in the document it names or where that is
reproduced. Since: none of
these sources tells the year of an indication, so that it stays n/a.
"""
import csv
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
DISORDERS = {
    "DOID:5419": ("schizophrenia", r"(^|[- ])schizophrenia$"),
    "DOID:1470": ("major depressive disorder", r"^(major depressive disorder|depression)$"),
    "DOID:14330": ("Parkinson's disease", r"^(idiopathic parkinsonism|parkinsonism)$"),
    "DOID:1094": ("attention deficit hyperactivity disorder", r"^attention deficit hyperactivity disorder$"),
    "DOID:3312": ("bipolar disorder", r"bipolar|manic"),
    "DOID:1826": ("epilepsy", r"epilep|seizure"),
    "DOID:10933": ("obsessive-compulsive disorder", r"^obsessive-compulsive disorder$"),
    "DOID:10652": ("Alzheimer's disease", r"alzheimer"),
    "DOID:14320": ("generalized anxiety disorder", r"^generalized anxiety disorder$"),
    "DOID:594": ("panic disorder", r"^panic disorder$"),
    "DOID:6364": ("migraine", r"^migraine( prevention)?$"),
    "DOID:8986": ("narcolepsy", r"^narcolepsy"),
    "DOID:0050742": ("nicotine dependence", r"^(nicotine dependence|smoking cessation)$"),
}
LITHIUM = {"lithium carbonate": "lithium", "lithium citrate": "lithium"}
CONTRAINDICATED = (
    ("haloperidol", "DOID:14330", "US labelling of Haldol injection, Contraindications: Parkinson's disease"),
    ("metoclopramide", "DOID:14330", "Primperan tablets, summary of product characteristics (Cyprus, revised 2022), 4.3: Parkinson's disease"),
    ("bupropion", "DOID:1826", "US labelling of Wellbutrin XL, 5.3 Seizure: contraindicated in seizure disorder"),
    ("tetrabenazine", "DOID:1470", "US labelling of Xenazine tablets, boxed warning: contraindicated in untreated or inadequately treated depression"),
)


def table(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def main():
    drugs = {r["name"]: r["drug_id"] for r in table(os.path.join(HERE, "drugs.tsv"))}
    found = {}
    folder = os.path.join(SHARED, "data")
    for r in table(os.path.join(folder, "brainmaps", "drugcentral_2016_olegursu", "drug_indication.tsv")):
        name, text = r["DRUG_NAME"].lower(), r["INDICATION_FDB"].strip()
        name = LITHIUM.get(name, name)
        for doid, (_, pattern) in DISORDERS.items():
            if name in drugs and re.search(pattern, text.lower()):
                found.setdefault((name, doid), []).append((r["DRUG_ID"], text))
    rows = []
    for (name, doid), where in found.items():
        number = min(where)[0]
        texts = sorted({t for n, t in where if n == number})
        rows.append((doid, name, "approved", f"DrugCentral 2016 DRUG_ID {number}: {'; '.join(texts)}", "CC-BY-4.0"))
    for r in table(os.path.join(folder, "ranking", "pharmacotherapydb", "indications.tsv")):
        name = r["drug"].lower()
        if r["category"] == "SYM" and name in drugs and r["doid_id"] in DISORDERS and (name, r["doid_id"]) not in found:
            rows.append((r["doid_id"], name, "symptomatic", f"PharmacotherapyDB 1.0 {r['drugbank_id']} SYM", "CC0-1.0"))
    for name, doid, source in CONTRAINDICATED:
        rows = [r for r in rows if r[:2] != (doid, name)]
        rows.append((doid, name, "contraindicated", source, "CC0-1.0"))
    order = list(DISORDERS)
    with open(os.path.join(HERE, "labels.tsv"), "w", encoding="utf-8") as out:
        out.write("drug_id\tname\tdisorder\tdisorder_name\tstatus\tsince\tsource\tlicence\n")
        for doid, name, status, source, licence in sorted(rows, key=lambda r: (order.index(r[0]), r[2], r[1])):
            out.write(f"{drugs[name]}\t{name}\t{doid}\t{DISORDERS[doid][0]}\t{status}\tn/a\t{source}\t{licence}\n")


if __name__ == "__main__":
    main()
