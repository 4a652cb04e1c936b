#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Derives receptors.tsv (regions x targets, tiers 0..3) and its sidecar from ../receptor_tiers.tsv.

A target enters when at least 16 of the 26 structures have a tier; both hemispheres get the structure's tier.
"""
import csv
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.dirname(HERE)
NEEDED = 16


def read(name):
    with open(os.path.join(DATA, name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def main():
    tiers = read("receptor_tiers.tsv")
    regions = [r["region"] for r in read("geometry_schematic.tsv")]
    cell, cited = {}, {}
    for r in tiers:
        cell[r["structure"], r["target"]] = r["tier"]
        if r["tier"] != "n/a":
            ref = r["source"] if r["doi"] == "n/a" else f"{r['source']}, doi:{r['doi']}"
            cited.setdefault(r["target"], [])
            if ref not in cited[r["target"]]:
                cited[r["target"]].append(ref)
    targets = []
    for r in tiers:
        t = r["target"]
        if t not in targets and sum(1 for k, v in cell.items() if k[1] == t and v != "n/a") >= NEEDED:
            targets.append(t)
    with open(os.path.join(HERE, "receptors.tsv"), "w", encoding="utf-8") as out:
        out.write("region\t" + "\t".join(targets) + "\n")
        for region in regions:
            structure = region[2:]
            out.write(region + "\t" + "\t".join(cell.get((structure, t), "n/a") for t in targets) + "\n")
    sidecar = {
        "schema": "nepenthe/maps/1",
        "unit": "tier: 0 none or near none, 1 low, 2 medium, 3 high; compared within one target",
        "licence": "CC0-1.0",
        "source": "data/receptor_tiers.tsv, each tier with its published source",
    }
    for t in targets:
        sidecar[t] = {"unit": "tier", "licence": "CC0-1.0", "tracer": "n/a", "citation": "; ".join(cited[t])}
    with open(os.path.join(HERE, "receptors.json"), "w", encoding="utf-8") as out:
        json.dump(sidecar, out, indent=2, sort_keys=False)
        out.write("\n")


if __name__ == "__main__":
    main()
