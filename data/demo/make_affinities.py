#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles affinities.tsv: open DrugCentral rows for the drugs of drugs.tsv on the targets of ../targets.tsv.

Reads $NEPENTHE_SHARED/data/brainmaps (default ../shared beside the repository): the DrugCentral dump of 2017-08-30
(CC BY-SA 4.0; only rows from ChEMBL, IUPHAR, PDSP and DrugMatrix) and the efficacy targets of DrugCentral 2016
(CC BY 4.0) for actions. Rows from WOMBAT-PK, labels, DrugBank and the literature column are left out. One measurement
a line; an action without a measurement has n/a as its affinity.
"""
import csv
import gzip
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
MAPS = os.path.join(SHARED, "data", "brainmaps")
OPEN = {"CHEMBL": "ChEMBL", "IUPHAR": "IUPHAR", "PDSP": "PDSP Ki Database", "DRUG MATRIX": "DrugMatrix"}
TYPES = {"Ki", "Kd", "IC50", "EC50"}
GROUPS = {"GABRA1": ("GABRA1",), "CHRNA4": ("CHRNA4", "CHRNB2"), "GRIN1": ("GRIN1",), "GABBR1": ("GABBR1",)}
WORDS = {"POSITIVE MODULATOR": "positive allosteric modulator", "NEGATIVE MODULATOR": "negative allosteric modulator"}
# Rows whose own assay comment shows another transporter, or that contradict every other source: drug, target, value, reason.
LEFT_OUT = {
    ("citalopram", "SLC6A3", "8.54"): "comment: serotonin (5-HT) neuronal uptake, filed under the mouse dopamine transporter",
    ("fluoxetine", "SLC6A3", "7.97"): "the same assay",
    ("imipramine", "SLC6A3", "7.38"): "the same assay",
    ("paroxetine", "SLC6A3", "9.36"): "the same assay",
    ("fluvoxamine", "SLC6A3", "8.84"): "a serotonin-transporter value; Tatsumi 1997 Eur J Pharmacol 340:249 finds DAT micromolar",
    ("desipramine", "SLC6A3", "9.31"): "a noradrenaline-transporter value of the same paper; Tatsumi 1997 finds DAT micromolar",
    ("reboxetine", "SLC6A3", "7.22"): "the same paper, its transporter columns shifted by one",
    ("reboxetine", "SLC6A4", "8.05"): "the same paper, its transporter columns shifted by one",
}
HEADER = "drug_id target p_affinity relation type species action source licence".split()


def table(path, opener=open, **how):
    with opener(path, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", **how))


def target_of(genes, known):
    """HGNC symbol of a row: a single gene, or one of the few complexes that are one receptor."""
    parts = [g.strip().upper() for g in genes.split("|") if g.strip()]
    if len(parts) == 1:
        return parts[0] if parts[0] in known else None
    for name, members in GROUPS.items():
        if name == "CHRNA4" and len(parts) > len(members):
            continue  # all nicotinic subunits at once: no one receptor
        if parts and all(m in parts for m in members) and not any(p.startswith(("HTR", "ADR", "CHRM")) for p in parts):
            return name
    return None


def word(action):
    return WORDS.get(action, action.lower()) if action else "n/a"


def main():
    drugs = {r["name"].lower(): r["drug_id"] for r in table(os.path.join(HERE, "drugs.tsv"), quoting=csv.QUOTE_NONE)}
    known = {r["target"] for r in table(os.path.join(ROOT, "data", "targets.tsv"), quoting=csv.QUOTE_NONE)}
    actions = {}
    for r in table(os.path.join(MAPS, "drugcentral_2016_olegursu", "drug_target.tsv"), quoting=csv.QUOTE_NONE):
        target, name = target_of(r["GENE"], known), r["DRUG_NAME"].lower()
        if name in drugs and target and r["ACTION_TYPE"]:
            actions.setdefault((name, target), (word(r["ACTION_TYPE"]), r["DRUG_ID"], r["SOURCE"]))
    rows = set()
    for r in table(os.path.join(MAPS, "drug_affinity", "drugcentral_2017-08-30_drug.target.interaction.tsv.gz"), gzip.open):
        name, target = r["DRUG_NAME"].lower(), target_of(r["GENE"], known)
        if name not in drugs or not target or r["ACT_SOURCE"] not in OPEN or r["ACT_TYPE"] not in TYPES or not r["ACT_VALUE"]:
            continue
        if (name, target, r["ACT_VALUE"]) in LEFT_OUT:
            continue
        action = actions.get((name, target), ("n/a",))[0]
        if action == "n/a" and r["MOA_SOURCE"] in ("CHEMBL", "IUPHAR"):
            action = word(r["ACTION_TYPE"])
        where = r["ACT_SOURCE_URL"].rstrip("/").split("/")[-1].split("?")[-1]
        source = f"DrugCentral 2017-08-30 STRUCT_ID {r['STRUCT_ID']} {r['ACCESSION'].split('|')[0]}, {OPEN[r['ACT_SOURCE']]}"
        rows.add((drugs[name], target, f"{float(r['ACT_VALUE']):.4g}", r["RELATION"] or "=", r["ACT_TYPE"],
                  r["ORGANISM"] or "n/a", action, source + (f" {where}" if where else ""), "CC-BY-SA-4.0"))
    measured = {(r[0], r[1]) for r in rows}
    for (name, target), (action, number, origin) in actions.items():
        if (drugs[name], target) not in measured:
            rows.add((drugs[name], target, "n/a", "n/a", "n/a", "n/a", action,
                      f"DrugCentral 2016 DRUG_ID {number} ({origin})", "CC-BY-4.0"))
    order = {key: i for i, key in enumerate(drugs.values())}
    with open(os.path.join(HERE, "affinities.tsv"), "w", encoding="utf-8") as out:
        out.write("\t".join(HEADER) + "\n")
        for row in sorted(rows, key=lambda r: (order[r[0]],) + r[1:]):
            out.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
