#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks data/: sources and licences on every row, keys, joins, ranges, the README's rows and sha256.

--update rewrites rows and sha256 in data/README.md. Standard library only. Exit 1 with one line per defect.
"""
import csv
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "data")
INCHIKEY = re.compile(r"^[A-Z]{14}-[A-Z]{8}[SN]A-[A-Z]$")
OPEN = re.compile(r"^(CC0-1\.0|CC-BY-[34]\.0|CC-BY-SA-4\.0)$")
HELD = re.compile(r"abstract read$|^[1-9]\d* of [1-9]\d* drugs: ")
UNCHECKED = re.compile(r"re-?read|from memory|by heart|unverified|unchecked|not (been )?(checked|verified|read)|\btyped\b|\bTODO\b", re.I)
STATUS = {"approved", "symptomatic", "investigational", "failed", "contraindicated"}
defects = []


def fault(where, text):
    defects.append(f"{where}: {text}")


def read(name):
    path = os.path.join(DATA, name)
    with open(path, "rb") as f:
        raw = f.read()
    if b"\r" in raw or not raw.endswith(b"\n"):
        fault(name, "lines must end with LF, the last one too")
    lines = raw.decode("utf-8").split("\n")[:-1]
    header = lines[0].split("\t")
    if len(set(header)) != len(header):
        fault(name, "a column is named twice")
    rows = []
    for i, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(header):
            fault(f"{name}:{i}", f"{len(cells)} cells, the header has {len(header)}")
        elif any(c == "" or c != c.strip() for c in cells):
            fault(f"{name}:{i}", "an empty or padded cell; missing is n/a")
        else:
            rows.append(dict(zip(header, cells), line=i))
        if any(UNCHECKED.search(c) for c in cells):
            fault(f"{name}:{i}", "a row that says it was not checked; confirm it or leave the value n/a")
    return rows


def sourced(name, rows):
    for r in rows:
        if r.get("source", "n/a") == "n/a":
            fault(f"{name}:{r['line']}", "no source")
        if not OPEN.match(r.get("licence", "")):
            fault(f"{name}:{r['line']}", f"licence '{r.get('licence')}' is not an open one")


def number(name, row, column, low, high, missing=False):
    text = row[column]
    if text == "n/a" and missing:
        return
    try:
        ok = low <= float(text) <= high
    except ValueError:
        ok = False
    if not ok:
        fault(f"{name}:{row['line']}", f"{column} is '{text}', not in {low}..{high}")


def unique(name, rows, columns):
    seen = set()
    for r in rows:
        key = tuple(r[c] for c in columns)
        if key in seen:
            fault(f"{name}:{r['line']}", f"{' '.join(key)} is there twice")
        seen.add(key)
    return seen


def check_geometry():
    name = "geometry_schematic.tsv"
    rows = read(name)
    unique(name, rows, ["region"])
    for r in rows:
        if r["region"][:2] != r["hemisphere"] + "_":
            fault(f"{name}:{r['line']}", "region and hemisphere disagree")
        sphere = [r[c] for c in ("sphere_x", "sphere_y", "sphere_z")]
        if r["compartment"] == "cortex":
            if abs(math.sqrt(sum(float(v) ** 2 for v in sphere)) - 1) > 1e-5:
                fault(f"{name}:{r['line']}", "the sphere point is not a unit vector")
        elif sphere != ["n/a"] * 3:
            fault(f"{name}:{r['line']}", "a sphere point outside the cortex")
    at = {r["region"]: r for r in rows}
    for r in rows:
        if r["hemisphere"] == "L":
            other = at.get("R" + r["region"][1:])
            if not other or float(other["x_mm"]) != -float(r["x_mm"]) or other["y_mm"] != r["y_mm"]:
                fault(f"{name}:{r['line']}", "no mirror image on the right")
    with open(os.path.join(DATA, "geometry_schematic.json"), encoding="utf-8") as f:
        if not OPEN.match(json.load(f)["licence"]):
            fault("geometry_schematic.json", "no open licence")
    return list(at)


def check_drugs():
    name = "demo/drugs.tsv"
    rows = read(name)
    sourced(name, rows)
    unique(name, rows, ["drug_id"])
    unique(name, rows, ["name"])
    for r in rows:
        where = f"{name}:{r['line']}"
        if not INCHIKEY.match(r["drug_id"]):
            fault(where, f"'{r['drug_id']}' is no InChIKey")
        if not re.match(r"^[0-9a-f]{512}$", r["fingerprint"]) or set(r["fingerprint"]) == {"0"}:
            fault(where, "the fingerprint is not 2048 bits of hexadecimal with a bit set")
        if r["atc4"] != "n/a" and not all(re.match(r"^[A-Z]\d\d[A-Z]{2}$", a) for a in r["atc4"].split(";")):
            fault(where, f"atc4 '{r['atc4']}'")
        number(name, r, "mw", 5, 900)
        number(name, r, "clogp", -5, 10)
        number(name, r, "tpsa", 0, 250)
        number(name, r, "pka_basic", 0, 14, missing=True)
        if (r["pka_basic"] == "n/a") == ("pKa: " in r["source"]):
            fault(where, "a pKa without its source, or a source without its pKa")
    return {r["drug_id"]: r for r in rows}


def check_affinities(drugs, targets):
    name = "demo/affinities.tsv"
    rows = read(name)
    sourced(name, rows)
    for r in rows:
        where = f"{name}:{r['line']}"
        if r["drug_id"] not in drugs or r["target"] not in targets:
            fault(where, "drug or target is in no table")
        number(name, r, "p_affinity", 1, 13, missing=True)
        if (r["p_affinity"] == "n/a") != (r["type"] == "n/a") or (r["p_affinity"] == "n/a" and r["action"] == "n/a"):
            fault(where, "neither a measurement nor an action, or half of one")
        if r["relation"] not in ("=", "<", ">", "<=", ">=", "~", "n/a") or re.search("WOMBAT|DRUGBANK", r["source"], re.I):
            fault(where, f"relation '{r['relation']}' or a source that is not open")


def check_labels(drugs):
    name = "demo/labels.tsv"
    rows = read(name)
    sourced(name, rows)
    unique(name, rows, ["drug_id", "disorder"])
    for r in rows:
        if r["drug_id"] not in drugs or r["status"] not in STATUS or not re.match(r"^DOID:\d+$", r["disorder"]):
            fault(f"{name}:{r['line']}", "drug, disorder or status unknown")


def check_receptors(regions, targets):
    name = "receptor_tiers.tsv"
    rows = read(name)
    sourced(name, rows)
    unique(name, rows, ["structure", "target"])
    tier = {(r["structure"], r["target"]): r["tier"] for r in rows}
    structures = {r[2:] for r in regions}
    for r in rows:
        if r["structure"] not in structures or r["target"] not in targets or r["tier"] not in ("0", "1", "2", "3", "n/a"):
            fault(f"{name}:{r['line']}", "structure, target or tier unknown")
        if r["tier"] != "n/a" and r["source"] == "none found":
            fault(f"{name}:{r['line']}", "a tier without a source")
        if r["tier"] != "n/a" and not re.search(r"(abstract read|checked in the published map)$", r["note"]):
            fault(f"{name}:{r['line']}", "a tier that does not say what it was held against: the abstract or the published map")
    wide = read("demo/receptors.tsv")
    if [r["region"] for r in wide] != regions:
        fault("demo/receptors.tsv", "its regions are not the geometry's")
    columns = [c for c in (wide[0] if wide else {}) if c not in ("region", "line")]
    for r in wide:
        for c in columns:
            if r[c] != tier.get((r["region"][2:], c), "n/a"):
                fault(f"demo/receptors.tsv:{r['line']}", f"{c} is not the tier of receptor_tiers.tsv")
    with open(os.path.join(DATA, "demo", "receptors.json"), encoding="utf-8") as f:
        sidecar = json.load(f)
    for c in columns:
        if not sidecar.get(c, {}).get("citation"):
            fault("demo/receptors.json", f"no citation for {c}")
    name = "demo/reliability.tsv"
    rows = read(name)
    sourced(name, rows)
    if unique(name, rows, ["target", "compartment"]) != {(t, c) for t in columns for c in ("cortex", "subcortex")}:
        fault(name, "not one row per target and compartment of receptors.tsv")
    for r in rows:
        number(name, r, "reliability", 0, 1)


def check_model():
    name = "rephetio.tsv"
    rows = read(name)
    sourced(name, rows)
    features = {key[0] for key in unique(name, rows, ["feature"])}
    if not {"intercept", "prior_logit"} <= features or len(features) != 32:
        fault(name, "not the intercept and 31 features")
    for r in rows:
        number(name, r, "coefficient", -10, 10)
        if not re.match(r"^(intercept|prior_logit|(degree|dwpc)_[A-Za-z<>]+)$", r["feature"]) or float(r["coefficient"]) == 0:
            fault(f"{name}:{r['line']}", "a feature of no known form, or one without weight")


def check_directions():
    doi = re.compile(r"^10\.\d{4,}/\S+$")
    for name, key in (("desired_direction.tsv", "gene"), ("worsening.tsv", "drug")):
        rows = read(name)
        sourced(name, rows)
        unique(name, rows, ["disorder", key])
        for r in rows:
            where = f"{name}:{r['line']}"
            if not re.match(r"^DOID:\d+$", r["disorder"]) or not doi.match(r["doi"]):
                fault(where, "disorder or doi of no known form")
            if not HELD.search(r["note"]):
                fault(where, "a row that does not say what it was held against: an abstract, or how many drugs of how many")
            if key == "gene" and (r["desired"] not in ("1", "-1") or not r["entrez"].isdigit()):
                fault(where, "desired is neither 1 nor -1, or entrez is no number")
            if key == "drug" and not INCHIKEY.match(r["drug_id"]):
                fault(where, f"'{r['drug_id']}' is no InChIKey")


def check_anatomies(regions):
    name = "anatomy_regions.tsv"
    rows = read(name)
    sourced(name, rows)
    unique(name, rows, ["anatomy", "region"])
    for r in rows:
        if not re.match(r"^UBERON:\d{7}$", r["anatomy"]) or not re.match(r"^[a-z]+$", r["region"]):
            fault(f"{name}:{r['line']}", "anatomy or region of no known form")
    brain = {r["region"] for r in rows if r["anatomy_name"] == "brain"}
    for missing in sorted({r[2:] for r in regions} - brain):
        fault(name, f"region {missing} of the geometry is not in the brain")


def check_rebuilt():
    """The scripts that need nothing from outside make the committed bytes again."""
    for script, outputs in (("make_geometry.py", ["geometry_schematic.tsv"]),
                            ("demo/make_receptors.py", ["demo/receptors.tsv", "demo/receptors.json"])):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "data", "demo"))
            for name in (script, "geometry_schematic.tsv", "receptor_tiers.tsv"):
                with open(os.path.join(DATA, name), "rb") as a, open(os.path.join(folder, "data", name), "wb") as b:
                    b.write(a.read())
            subprocess.run([sys.executable, os.path.join(folder, "data", script)], check=True)
            for name in outputs:
                with open(os.path.join(DATA, name), "rb") as a, open(os.path.join(folder, "data", name), "rb") as b:
                    if a.read() != b.read():
                        fault(name, f"{script} makes other bytes")


def check_readme(update):
    path = os.path.join(DATA, "README.md")
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    listed = set()
    for i, line in enumerate(lines):
        m = re.match(r"^\| `([^`]+\.tsv)` \|", line)
        if not m:
            continue
        name, cells = m.group(1), line.split(" | ")
        listed.add(name)
        with open(os.path.join(DATA, name), "rb") as f:
            raw = f.read()
        now = [str(raw.count(b"\n") - 1), hashlib.sha256(raw).hexdigest() + " |"]
        if [cells[2], cells[5]] != now:
            if update:
                cells[2], cells[5] = now
                lines[i] = " | ".join(cells)
            else:
                fault(f"README.md:{i + 1}", f"rows or sha256 of {name} are not its own; run with --update")
    there = {os.path.relpath(os.path.join(d, f), DATA) for d, _, files in os.walk(DATA) for f in files if f.endswith(".tsv")}
    for name in sorted(there ^ listed):
        fault("README.md", f"{name} is in the folder or on the page, not in both")
    if update:
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))


def main():
    regions = check_geometry()
    rows = read("targets.tsv")
    sourced("targets.tsv", rows)
    targets = {key[0] for key in unique("targets.tsv", rows, ["target"])}
    drugs = check_drugs()
    check_affinities(drugs, targets)
    check_labels(drugs)
    check_receptors(regions, targets)
    check_model()
    check_directions()
    check_anatomies(regions)
    check_rebuilt()
    check_readme("--update" in sys.argv[1:])
    for line in defects:
        print(line)
    sys.exit(1 if defects else 0)


if __name__ == "__main__":
    main()
