#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the brain maps, receptor maps and affinities beside the tables of nervous_system.yaml, and the studies that use them.

    make_nervous_imaging.py [OUT]        (OUT is tests/studies/nervous_system beside this file when left out)

Run make_nervous_system.py first: its tables are read here. Reads $NEPENTHE_SHARED/data (default: ../shared beside the
repository). For evaluation on this machine only, licences as in make_enigma.py. Writes OUT/imaging/*.tsv and one study per
row of VARIANTS, OUT/imaging_<name>.yaml: the disorders, labels, network and channels of nervous_system.yaml as they are
there, with `map:` where a map exists and the channels named here. VARIANTS was written before any was run; since then only `ceiling` changed, which holds no measurement.

Maps. structure: thickness and volume (Cohen d) of ENIGMA, as in make_enigma.py; area: surface area of the cortex, same
consortium; function: Neurosynth's association of a term that names what the disorder changes (healthy people: a proxy, no
comparison of patients). ceiling: no data at all, made of the very labels that are to be found: the mean receptor map of what
the disorder's recorded treatments bind. No measured map can do better; what it adds is the most that any map could add here.
"""
import collections
import csv
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make_enigma as enigma  # noqa: E402
from make_enigma import MAPS, RANKING, number, region, rows_of, summary_statistics, write, write_json  # noqa: E402

STRUCTURE = {"DOID:5419": "schizophrenia", "DOID:1595": "depression", "DOID:3312": "bipolar", "DOID:1094": "adhd", "DOID:12849": "autism",
             "DOID:14330": "parkinson", "DOID:1826": "epilepsy"}
AREA = {"DOID:5419": "scz_case-controls_CortSurf", "DOID:1595": "mddadult_case-controls_CortSurf", "DOID:3312": "bd_case-controls_CortSurf_adult",
        "DOID:1094": "adhdallages_case-controls_CortSurf"}
FUNCTION = {"DOID:5419": "psychosis", "DOID:1595": "mood", "DOID:3312": "emotion_regulation", "DOID:594": "anxiety", "DOID:1094": "hyperactivity",
            "DOID:14330": "motor_control", "DOID:10652": "episodic_memory", "DOID:0050741": "addiction", "DOID:8986": "sleep",
            "DOID:6364": "pain", "DOID:12849": "social_cognition", "DOID:0050425": "movement", "DOID:11119": "response_inhibition"}
BOTH = ("engagement", "anatomy_imaging")
# name: (prefix of the map columns, scope, receptor reliability, score, imaging channels, what is tried)
VARIANTS = collections.OrderedDict((
    ("structure", ("structure", "all", True, "B", BOTH, "thickness and volume, every imaging channel: the study itself")),
    ("function", ("function", "all", True, "B", BOTH, "functional instead of structural maps")),
    ("area", ("area", "cortex", True, "B", BOTH, "surface area of the cortex")),
    ("cortex", ("structure", "cortex", True, "B", BOTH, "compartments apart: thickness of the cortex")),
    ("subcortex", ("volume", "all", True, "B", BOTH, "compartments apart: volumes beneath it")),
    ("function_cortex", ("function", "cortex", True, "B", BOTH, "compartments apart: functional maps, cortex")),
    ("equal_tracers", ("structure", "all", False, "B", BOTH, "tracers taken as free of error")),
    ("engagement", ("structure", "all", True, "B", ("engagement",), "anatomy weighting off")),
    ("anatomy", ("structure", "all", True, "B", ("anatomy_imaging",), "anatomy weighting alone")),
    ("function_anatomy", ("function", "all", True, "B", ("anatomy_imaging",), "anatomy weighting alone, functional maps")),
    ("correlation", ("structure", "all", True, "A", BOTH, "one map at a time (correlation) instead of the ridge of all receptors")),
    ("ceiling", ("ceiling", "all", True, "B", BOTH, "the most any map could add: maps made of the treatments' receptors, no evidence")),
))


def functional(regions):
    """term -> region -> Neurosynth z, joined by the names of the rows."""
    out = collections.defaultdict(dict)
    with open(os.path.join(MAPS, "hansen_receptors", "ns_scale033.csv"), encoding="utf-8-sig", newline="") as f:
        rows = list(csv.reader(f))
    for r in rows[1:]:
        key = region({"rh": "R", "lh": "L"}.get(r[0][:2], ""), r[0][3:])
        if key not in regions:
            sys.exit(f"ns_scale033.csv: {r[0]} has no place in the geometry")
        for term, value in zip(rows[0][1:], r[1:]):
            out[term][key] = number(value)
    return out


def ceiling(folder, regions, labels, affinities):
    """doid -> region -> value: mean receptor map of what recorded treatments bind at 100 nM or better."""
    base = {r["region"]: r for r in rows_of(os.path.join(folder, "receptors.tsv"), "\t")}
    binds = collections.defaultdict(set)
    for r in affinities:
        if r["relation"] == "=" and number(r["p_affinity"]) and number(r["p_affinity"]) >= 7 and r["target"] in next(iter(base.values())):
            binds[r["drug_id"]].add(r["target"])
    out = {}
    for doid in STRUCTURE:
        used = [t for r in labels if r["disorder"] == doid and r["status"] in ("approved", "symptomatic") for t in sorted(binds[r["drug_id"]])]
        if used:
            out[doid] = {g: sum(number(base[g][t]) or 0.0 for t in used) / len(used) for g in regions}
    return out


def make_maps(folder, regions, cortex, labels, affinities):
    columns, sidecar = collections.OrderedDict(), {"licence": "mixed"}

    def put(kind, doid, values, se, unit, licence, citation):
        name = f"{kind}_{doid.replace(':', '_')}"
        columns[name] = values
        columns[name + "_se"] = se
        sidecar[name] = {"unit": unit, "disorder": doid, "licence": licence, "citation": citation, "se_column": name + "_se"}

    for doid, key in STRUCTURE.items():
        _, _, _, _, thick, volume = enigma.DISORDERS[key]
        table = enigma.parkinson() if not thick else {**summary_statistics(thick), **summary_statistics(volume)}
        cite = "Lariviere 2021 Nat Methods 18:698" if thick else "Laansma 2021 Mov Disord 36:2583"
        d, se = ({r: v[i] for r, v in table.items()} for i in (0, 1))
        put("structure", doid, d, se, "Cohen d, patients minus controls; cortex: thickness, subcortex: volume", "BSD-3-Clause", cite)
        below = [r for r in table if r not in cortex]
        if len(below) >= 5:
            put("volume", doid, {r: d[r] for r in below}, {r: se[r] for r in below}, "Cohen d of volume, patients minus controls", "BSD-3-Clause", cite)
    for doid, name in AREA.items():
        table = summary_statistics(name)
        put("area", doid, *({r: v[i] for r, v in table.items()} for i in (0, 1)), "Cohen d of surface area, patients minus controls", "BSD-3-Clause",
            "Lariviere 2021 Nat Methods 18:698")
    terms = functional(regions)
    for doid, term in FUNCTION.items():
        put("function", doid, terms[term], {}, f"z of the term {term.replace('_', ' ')}", "CC-BY-NC-SA-4.0",
            "Yarkoni 2011 Nat Methods 8:665, parcellated by Hansen 2022 Nat Neurosci 25:1569")
    for doid, values in ceiling(folder, regions, labels, affinities).items():
        put("ceiling", doid, values, {}, "made up", "CC0-1.0", "none: made of the labels, a check of the path")
    for name in columns:
        strange = sorted(set(columns[name]) - set(regions))
        if strange:
            sys.exit(f"{name}: regions without a place in the geometry: {' '.join(strange)}")
    write(folder, "maps.tsv", ["region"] + list(columns), [[r] + [c.get(r) for c in columns.values()] for r in regions])
    write_json(folder, "maps.json", sidecar)
    return columns


def drug_links(drugs):
    """STRUCT_ID -> (name, drug_id) of the study's drugs, by DrugBank id, else by name."""
    bank = {r["source"].replace("DrugBank ", ""): r["drug_id"] for r in drugs}
    by_name = {r["name"].lower(): r["drug_id"] for r in drugs}
    out = {}
    for r in rows_of(os.path.join(RANKING, "drugcentral", "full_2016_identifiers.tsv.gz"), "\t"):
        if r["ID_TYPE"] == "DRUGBANK_ID" and r["IDENTIFIER"] in bank:
            out.setdefault(r["DRUG_ID"], (r["DRUG_NAME"].lower(), bank[r["IDENTIFIER"]]))
    return out, by_name


def make_affinities(folder, drugs):
    dump = rows_of(os.path.join(MAPS, "drug_affinity", "drugcentral_2017-08-30_drug.target.interaction.tsv.gz"), "\t")
    links, by_name = drug_links(drugs)
    for r in dump:
        if r["STRUCT_ID"] not in links and r["DRUG_NAME"].lower() in by_name:
            links[r["STRUCT_ID"]] = (r["DRUG_NAME"].lower(), by_name[r["DRUG_NAME"].lower()])
    enigma.make_affinities(folder, {k: v[0] for k, v in links.items()}, {k: v[1] for k, v in links.items()}, dump)
    return rows_of(os.path.join(folder, "affinities.tsv"), "\t", csv.QUOTE_NONE)


def write_study(folder, name, columns):
    """nervous_system.yaml with maps, receptors, affinities and the imaging channels of one variant."""
    kind, scope, reliable, score, channels, what = VARIANTS[name]
    with open(os.path.join(HERE, "nervous_system.yaml"), encoding="utf-8") as f:
        text = f.read().replace("nervous_system/", "")
    found = 0

    def add_map(m):
        nonlocal found
        column = f"{kind}_{m.group(1).replace(':', '_')}"
        if column not in columns:
            return m.group(0)
        found += 1
        return m.group(0)[:-1] + f", map: {{table: imaging/maps.tsv, value: {column}, se: {column}_se}}, direction: unknown}}"

    text = re.sub(r'- \{id: "([^"]+)", name: "[^"]*"\}', add_map, text)
    text = re.sub(r"^name: .*$", f"name: nervous-system disorders with brain maps, {name}", text, flags=re.M)
    receptors = "{table: imaging/receptors.tsv" + (", reliability: imaging/reliability.tsv}" if reliable else "}")
    text = re.sub(r"^network: .*$", lambda m: m.group(0) + f"\ngeometry: imaging/geometry.tsv\natlas: imaging/atlas-desikankilliany_dseg.nii.gz\n"
                  f"receptors: {receptors}\naffinities: imaging/affinities.tsv\ntargets: {os.path.relpath(os.path.join(enigma.ROOT, 'data', 'targets.tsv'), os.path.dirname(folder))}",
                  text, flags=re.M)
    own = ["anatomy"] + [c for c in channels]  # the network alone stands in both models, so that what the map adds is the map's
    text = re.sub(r"^channels:\n", "channels:\n" + "".join(f"  - {{name: {c}}}\n" for c in own if f"{{name: {c}}}" not in text), text, flags=re.M)
    listed = re.search(r"^  channels: \[(.*)\]$", text, flags=re.M)
    votes = listed.group(1).split(", ")
    votes += [c for c in own if c not in votes]
    text = text.replace(listed.group(0), f"  channels: [{', '.join(votes)}]\n  scope: {scope}\n  score: {score}\n  mode: U")
    text += "nulls: {n: 999, kind: moran}\n"
    want = sum(c.startswith(kind + "_") and not c.endswith("_se") for c in columns)
    if found != want:
        sys.exit(f"{name}: {found} of {want} maps found their disorder in nervous_system.yaml")
    with open(os.path.join(os.path.dirname(folder), f"imaging_{name}.yaml"), "w", encoding="utf-8") as out:
        out.write(f"# Written by make_nervous_imaging.py: {what}.\n" + text)


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "nervous_system")
    folder = os.path.join(out, "imaging")
    os.makedirs(folder, exist_ok=True)
    drugs = rows_of(os.path.join(out, "drugs.tsv"), "\t", csv.QUOTE_NONE)
    labels = rows_of(os.path.join(out, "labels.tsv"), "\t", csv.QUOTE_NONE)
    regions, cortex = enigma.make_geometry(folder)
    enigma.make_receptors(folder, regions, cortex)
    affinities = make_affinities(folder, drugs)
    columns = make_maps(folder, regions, cortex, labels, affinities)
    for name in VARIANTS:
        write_study(folder, name, columns)
    print(f"{folder}: {len(columns) // 2} maps, {len(affinities)} affinities of {len({r['drug_id'] for r in affinities})} drugs; {len(VARIANTS)} studies")


if __name__ == "__main__":
    main()
