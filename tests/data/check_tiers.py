#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tiers that lean on a published PET map against that map: does it order the structures as the tiers do?

The maps are those collected by Hansen 2022 (doi:10.1038/s41593-022-01186-3), averaged over the Desikan-Killiany regions,
both hemispheres together. They are not ours to ship: only their order is read here, and only where the evaluation data
are at hand (NEPENTHE_SHARED; exit 77 without). A tier above 0 is confirmed when at least 80 % of its comparisons with the
target's structures of another tier go the way of the tiers; tier 0 when its value is at most 10 % of the highest one.
Copenhagen's volume of 5-HT4 is blank in cortex, so that it counts below the cortex only. Exit 1 with one line per defect.
"""
import csv
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
MAPS = os.path.join(SHARED, "data", "brainmaps", "derived", "hansen_pet_dk83_41maps_named.csv")
AGREE, NEAR_NONE = 0.8, 0.1
BELOW_CORTEX = {"thalamus", "caudate", "putamen", "pallidum", "accumbens", "amygdala", "hippocampus", "brainstem"}
LABELS = {"thalamus": ["thalamusproper"], "accumbens": ["accumbensarea"],
          "anteriorcingulate": ["caudalanteriorcingulate", "rostralanteriorcingulate"]}
# target: (start of the source, columns that must all agree)
COLUMNS = {
    "HTR1A": ("Savli 2012", ["5HT1a_way_hc36_savli"]),
    "HTR1B": ("Gallezot 2010", ["5HT1b_p943_hc65_gallezot"]),
    "HTR4": ("Beliveau 2017", ["5HT4_sb20_hc59_beliveau"]),
    "SLC6A4": ("Savli 2012", ["5HTT_dasb_hc30_savli"]),
    "CHRNA4": ("Hillmer 2016", ["A4B2_flubatine_hc30_hillmer"]),
    "CNR1": ("Normandin 2015", ["CB1_omar_hc77_normandin"]),
    "SLC6A3": ("Sasaki 2012", ["DAT_fepe2i_hc6_sasaki"]),
    "GABRA1": ("Norgaard 2021", ["GABAa-bz_flumazenil_hc16_norgaard", "GABAa_flumazenil_hc6_dukart"]),
    "CHRM1": ("Naganawa 2021", ["M1_lsn_hc24_naganawa"]),
    "OPRM1": ("Kantonen 2020", ["MU_carfentanil_hc204_kantonen"]),
    "SLC6A2": ("Ding 2010", ["NAT_MRB_hc77_ding"]),
}


def mean(regions, column, structure):
    values = [float(r[column]) for r in regions if r["label"] in LABELS.get(structure, [structure])]
    return sum(values) / len(values)


def confirmed(row, rows, value):
    """Whether the values order this row's structure as its tier says."""
    tier, own = int(row["tier"]), value[row["structure"]]
    if tier == 0:
        return own <= NEAR_NONE * max(value.values())
    others = [r for r in rows if r["tier"] != row["tier"] and r["structure"] in value]
    agree = sum((own - value[r["structure"]]) * (tier - int(r["tier"])) > 0 for r in others)
    return bool(others) and agree >= AGREE * len(others)


def main():
    if not os.path.exists(MAPS):
        print(f"{MAPS} is not there: nothing compared")
        sys.exit(77)
    with open(MAPS, encoding="utf-8", newline="") as f:
        regions = list(csv.DictReader(f))
    with open(os.path.join(ROOT, "data", "receptor_tiers.tsv"), encoding="utf-8", newline="") as f:
        table = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    compared, defects = 0, []
    for target in sorted({r["target"] for r in table}):
        every = [r for r in table if r["target"] == target]
        rows = [r for r in every if r["tier"] != "n/a"]
        source, columns = COLUMNS.get(target, ("", []))
        for row in rows:
            if "published map" not in row["note"]:
                continue
            where = f"{target} {row['structure']}"
            if not columns or not row["source"].startswith(source):
                defects.append(f"{where}: no map of {row['source']} is compared")
            narrow = "below the cortex" in row["note"]
            for column in columns:
                value = {r["structure"]: mean(regions, column, r["structure"]) for r in every
                         if not narrow or r["structure"] in BELOW_CORTEX}
                compared += 1
                if row["structure"] not in value or not confirmed(row, rows, value):
                    defects.append(f"{where}: tier {row['tier']} is not the order of {column}")
    if compared == 0:
        defects.append("no row was compared")
    for line in defects:
        print(line)
    print(f"{compared} comparisons of a tier with a map")
    sys.exit(1 if defects else 0)


if __name__ == "__main__":
    main()
