# SPDX-License-Identifier: Apache-2.0
"""The gate `direction` over the study of tests/studies/nervous_system (made by make_nervous_system.py), by NumPy from the formula of
docs/channels.md: dense matrices, each drug's own label left out by subtraction. Sums over all drugs are kept, since the single numbers
follow from tables that are not ours to give away. Warned drugs count -1 in the second half of the rows (tables = 1)."""
import csv
import os

import numpy as np

from golden import write_tsv

HERE = os.path.dirname(os.path.abspath(__file__))
STUDY = os.path.join(HERE, "..", "studies", "nervous_system")
DATA = os.path.join(HERE, "..", "..", "data")
DISORDERS = ["DOID:14330", "DOID:1826", "DOID:5419"]


def table(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


drugs = sorted(r["drug_id"] for r in table(STUDY, "drugs.tsv"))
place = {d: i for i, d in enumerate(drugs)}
edges = [r for r in table(STUDY, "edges", "CbG.tsv") if r["sign"] not in ("n/a", "")]
genes = {g: i for i, g in enumerate(sorted({r["target"] for r in edges}))}
A = np.zeros((len(drugs), len(genes)))
for r in edges:
    A[place[r["source"]], genes[r["target"]]] = float(r["sign"])
N, have = len(drugs), np.abs(A).sum(0)
idf = np.log((N + 1) / have) / np.log(N + 1)
signed = np.abs(A).sum(1) > 0
Y = {d: np.zeros(N) for d in DISORDERS}
for r in table(STUDY, "labels.tsv"):
    if r["disorder"] in Y and r["status"] in ("approved", "symptomatic"):
        Y[r["disorder"]][place[r["drug_id"]]] = 1

rows = []
for tables in (0, 1):
    for disorder in DISORDERS:
        y, fixed, warned = Y[disorder], np.zeros(len(genes)), []
        if tables:
            for r in table(DATA, "desired_direction.tsv"):
                if r["disorder"] == disorder and r["entrez"] in genes:
                    fixed[genes[r["entrez"]]] = float(r["desired"])
            warned = [place[r["drug_id"]] for r in table(DATA, "worsening.tsv") if r["disorder"] == disorder and r["drug_id"] in place]
        wanted = (y @ A - y[:, None] * A) / (y.sum() - y[:, None] + 2)
        wanted = np.where(fixed != 0, fixed, wanted)
        part = A * wanted * idf
        P, Q = np.maximum(part, 0).sum(1), np.maximum(-part, 0).sum(1)
        m = (np.abs(wanted) * idf * have).sum(1) / signed.sum()
        value = np.where(signed, (P - Q) / (P + Q + m / 4), np.nan)
        value[warned] = -1
        v = np.where(np.isnan(value), 0, value)
        rows.append((disorder, tables, int(np.isnan(value).sum()), f"{v.sum():.12g}", f"{np.abs(v).sum():.12g}", f"{(v * (1 + np.arange(N))).sum():.12g}"))
write_tsv("direction_study.tsv", ["disorder", "tables", "silent", "sum", "sum_of_sizes", "sum_by_place"], rows)
