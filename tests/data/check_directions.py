#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the rows of data/desired_direction.tsv that cite DrugCentral against DrugCentral 2016 itself (Ursu 2017, CC BY 4.0).

A gene is wanted raised (1) or lowered (-1) when at least 80 % of the drugs that DrugCentral both indicates for the disorder and records
an action at the gene for move it that way; the note says how many of how many. Releasing agents and modulators of no stated sign do not
count, nor a drug recorded both ways. Read only where the evaluation data are at hand (NEPENTHE_SHARED; exit 77 without).
--update rewrites the notes. Exit 1 with one line per defect.
"""
import collections
import csv
import gzip
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
CENTRAL = os.path.join(SHARED, "data", "ranking", "drugcentral")
TABLE = os.path.join(ROOT, "data", "desired_direction.tsv")
SOURCE = "DrugCentral 2016"
AGREE = 0.8
UP = {"AGONIST", "PARTIAL AGONIST", "ACTIVATOR", "OPENER", "POSITIVE ALLOSTERIC MODULATOR", "POSITIVE MODULATOR"}
DOWN = {"INHIBITOR", "ANTAGONIST", "BLOCKER", "INVERSE AGONIST", "NEGATIVE ALLOSTERIC MODULATOR", "ALLOSTERIC ANTAGONIST"}
# DrugCentral gives few of its indications a DOID: names that belong to a disorder of the table.
INDICATION = {
    "DOID:14330": r"Idiopathic Parkinsonism",
    "DOID:1826": r".*Epilepsy.*|.*Seizures?",
    "DOID:10652": r".*Alzheimer's.*",
    "DOID:5419": r"(Chronic |Treatment-Resistant )?Schizophrenia",
    "DOID:6364": r"Migraine",
    "DOID:0050741": r"Alcoholism",
    "DOID:1094": r"Attention Deficit Hyperactivity Disorder",
}


def rows_of(name):
    with gzip.open(os.path.join(CENTRAL, name), "rt", encoding="latin-1", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def actions(disorder, gene, targets, indications):
    """Name and sign (+1, -1) of the drugs for the disorder that have one at the gene."""
    treats = {r["DRUG_ID"] for r in indications if re.fullmatch(INDICATION[disorder], r["INDICATION_FDB"])}
    signs = collections.defaultdict(set)
    for r in targets:
        if r["DRUG_ID"] in treats and gene in r["GENE"].split("|"):
            signs[r["DRUG_NAME"]].add((r["ACTION_TYPE"] in UP) - (r["ACTION_TYPE"] in DOWN))
    return {name: s.pop() for name, s in signs.items() if len(s) == 1 and 0 not in s}


def main():
    if not os.path.isdir(CENTRAL):
        print(f"{CENTRAL} is not there: nothing compared")
        sys.exit(77)
    targets, indications = rows_of("full_2016_drug_target.tsv.gz"), rows_of("full_2016_drug_indication.tsv.gz")
    with open(TABLE, encoding="utf-8", newline="") as f:
        reader = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        table, defects, compared = list(reader), [], 0
    for row in table:
        if not row["source"].startswith(SOURCE):
            continue
        where = f"{row['disorder_name']} {row['gene']}"
        found = actions(row["disorder"], row["gene"], targets, indications)
        agree = sorted(name for name, s in found.items() if s == int(row["desired"]))
        note = f"{len(agree)} of {len(found)} drugs: {', '.join(agree[:3])}"
        compared += 1
        if not agree or len(agree) < AGREE * len(found):
            defects.append(f"{where}: {len(agree)} of {len(found)} drugs of DrugCentral go the way of the table")
        elif "--update" in sys.argv[1:]:
            row["note"] = note
        elif row["note"] != note:
            defects.append(f"{where}: the note is '{row['note']}', DrugCentral gives '{note}'")
    if compared == 0:
        defects.append("no row was compared")
    if "--update" in sys.argv[1:]:
        with open(TABLE, "w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, reader.fieldnames, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
    for line in defects:
        print(line)
    print(f"{compared} directions held against the actions that DrugCentral records")
    sys.exit(1 if defects else 0)


if __name__ == "__main__":
    main()
