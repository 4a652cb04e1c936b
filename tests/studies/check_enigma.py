#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converts the shared tables and checks them: joins, standard errors, unit spheres, and the published pilot's numbers.

The pilot (score A, mode U, cortex, 217 drugs, relative occupancy 0.75) is computed here from its formula, apart from
the program: m = sum of occupancy x z-scored receptor map, score = Pearson r with the disorder map, AUROC of recorded
treatments. Exit 77 without the shared data.
"""
import csv
import math
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
# disorder column: DOID, treatments among the 217 drugs, AUROC published with two digits
PILOT = {"schizophrenia": ("DOID:5419", 32, 0.15), "depression": ("DOID:1470", 32, 0.73), "bipolar": ("DOID:3312", 10, 0.23),
         "ocd": ("DOID:10933", 5, 0.93), "adhd": ("DOID:1094", 6, 0.43), "parkinson": ("DOID:14330", 9, 0.33)}
ROUNDING = 0.0055
defects = []


def expect(ok, text):
    if not ok:
        defects.append(text)


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    expect(all(len(r) == len(rows[0]) and all(r) for r in rows), f"{name}: a ragged row or an empty cell")
    return [dict(zip(rows[0], r)) for r in rows[1:]]


def pearson(x, y):
    mx, my = statistics.fmean(x), statistics.fmean(y)
    a, b = [v - mx for v in x], [v - my for v in y]
    return sum(p * q for p, q in zip(a, b)) / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))


def auroc(positive, negative):
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def check_pilot(folder, cortex):
    receptors = {r["region"]: r for r in read(folder, "pilot_receptors.tsv")}
    targets = [t for t in receptors[cortex[0]] if t != "region"]
    z = {}
    for t in targets:
        values = [float(receptors[r][t]) for r in cortex]
        mean, sd = statistics.fmean(values), statistics.pstdev(values)
        z[t] = [(v - mean) / sd for v in values]
    affinity = {}
    for r in read(folder, "pilot_affinities.tsv"):
        affinity.setdefault(r["drug_id"], {})[r["target"]] = float(r["p_affinity"])
    expect(len(affinity) == 217 and min(map(len, affinity.values())) >= 3, "the pilot set is not 217 drugs with three targets")
    treats = {(r["disorder"], r["drug_id"]) for r in read(folder, "pilot_labels.tsv") if r["status"] == "approved"}
    maps = {r["region"]: r for r in read(folder, "maps.tsv")}
    for column, (doid, n, published) in PILOT.items():
        effect, score = [float(maps[r][column]) for r in cortex], {}
        for drug, p in affinity.items():
            top = max(p.values())
            occupancy = {t: 1 / (1 + 0.25 / 0.75 * 10 ** (top - v)) for t, v in p.items()}
            score[drug] = pearson([sum(o * z[t][i] for t, o in occupancy.items()) for i in range(len(cortex))], effect)
        positive = [s for d, s in score.items() if (doid, d) in treats]
        value = auroc(positive, [s for d, s in score.items() if (doid, d) not in treats])
        print(f"{column}\tn+ {len(positive)} (pilot {n})\tAUROC {value:.3f} (pilot {published})")
        expect(len(positive) == n and abs(value - published) < ROUNDING, f"{column}: not the pilot's numbers")


def main():
    if not os.path.isdir(os.path.join(SHARED, "data", "brainmaps")):
        print("no shared data: the ENIGMA study is not checked")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, os.path.join(HERE, "make_enigma.py"), folder], check=True, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, NEPENTHE_SHARED=SHARED))
        geometry = read(folder, "geometry.tsv")
        cortex = [r["region"] for r in geometry if r["compartment"] == "cortex"]
        expect(len(geometry) == 83 and len(cortex) == 68, "not 68 cortical regions of 83")
        for r in geometry:
            if r["compartment"] == "cortex":
                v = [float(r[c]) for c in ("sphere_x", "sphere_y", "sphere_z")]
                expect(abs(math.sqrt(sum(x * x for x in v)) - 1) < 1e-5, f"{r['region']}: no unit vector")
                expect(v[1] * float(r["y_mm"]) > 0 or abs(float(r["y_mm"])) < 40, f"{r['region']}: the sphere and the brain disagree on front and back")
        maps = read(folder, "maps.tsv")
        for r in maps:
            for c in (c for c in r if c + "_se" in r and r[c] != "n/a"):
                expect(0.015 < float(r[c + "_se"]) < 0.12, f"{c} {r['region']}: se {r[c + '_se']}")
        first = next(r for r in maps if r["region"] == "L_bankssts")
        by_hand = math.sqrt((1284 + 1357) / (1284 * 1357) + 0.06 ** 2 / (2 * (1284 + 1357)))
        expect(abs(float(first["ocd_se"]) - by_hand) < 1e-6, "OCD: the se is not that of d")
        drugs = [r["drug_id"] for r in read(folder, "drugs.tsv")]
        expect(len(set(drugs)) == len(drugs), "a drug stands twice")
        for name in ("affinities.tsv", "labels.tsv"):
            expect(all(r["drug_id"] in set(drugs) and r["source"] != "n/a" for r in read(folder, name)[::7]), f"{name}: a row without drug or source")
        for r in read(folder, "reliability.tsv"):
            expect(0 < float(r["reliability"]) < 1, f"reliability of {r['target']}")
        check_pilot(folder, cortex)
    for line in defects:
        print(line)
    sys.exit(1 if defects else 0)


if __name__ == "__main__":
    main()
