# SPDX-License-Identifier: Apache-2.0
"""Path channels over the study of tests/studies/nervous_system (made by make_nervous_system.py), by SciPy's sparse products: sums over all
drugs, since the single numbers follow from tables that are not ours to give away. Columns: drugs without evidence (NaN) and without a path
(0), sum of the values, of their errors, and of value times place of the drug (ids in byte order, first = 1)."""
import csv
import os

import numpy as np
import scipy.sparse as sp

from golden import write_tsv

STUDY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "studies", "nervous_system")
DISORDERS = ["DOID:14330", "DOID:5419", "DOID:1826", "DOID:8986", "DOID:0050741"]


def pairs(name):
    with open(os.path.join(STUDY, "edges", name + ".tsv"), encoding="utf-8") as f:
        return {(r["source"], r["target"]) for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}


EDGES = {n: pairs(n) for n in ("CbG", "DaG", "DgG", "DcG", "GpPW", "GiG")}
with open(os.path.join(STUDY, "drugs.tsv"), encoding="utf-8") as f:
    DRUGS = sorted(r["drug_id"] for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
GENES = sorted({b for n in ("CbG", "DaG", "DgG", "DcG") for _, b in EDGES[n]} | {a for a, _ in EDGES["GpPW"]} | {x for e in EDGES["GiG"] for x in e})


def matrix(name, rows, cols, both_ways=False):
    r, c = ({x: i for i, x in enumerate(xs)} for xs in (rows, cols))
    at = {(r[a], c[b]) for a, b in EDGES[name] if a in r and b in c and a != b}
    if both_ways:
        at |= {(j, i) for i, j in at}
    i, j = zip(*at)
    return sp.csr_matrix((np.ones(len(at)), (i, j)), shape=(len(rows), len(cols)))


def weighted(a, w):
    p, q = (np.maximum(np.asarray(a.sum(axis)).ravel(), 1) ** -w for axis in (1, 0))
    return sp.diags(p) @ a @ sp.diags(q)


def count(channel, w):
    c = weighted(BINDS, w)
    d = weighted(ASSOCIATED[channel], w).T
    if channel == "pathway":
        p = weighted(IN_PATHWAY, w)
        same = p @ p.T
        return (c @ (same - sp.diags(same.diagonal())) @ d).toarray()
    if channel == "interaction":
        return (c @ weighted(INTERACTS, w) @ d).toarray()
    return (c @ d).toarray()


DISEASES = {n: sorted({a for a, _ in EDGES[n]} | set(DISORDERS)) for n in ("DaG", "DgG", "DcG")}
BINDS, IN_PATHWAY = matrix("CbG", DRUGS, GENES), matrix("GpPW", GENES, sorted({b for _, b in EDGES["GpPW"]}))
INTERACTS = matrix("GiG", GENES, GENES, True)
EDGE = {"target_gene": "DaG", "target_gene_gwas": "DgG", "target_gene_curated": "DcG", "pathway": "DaG", "interaction": "DaG"}
ASSOCIATED = {c: matrix(e, DISEASES[e], GENES) for c, e in EDGE.items()}

rows = []
for channel, edge in EDGE.items():
    value, error = count(channel, 0.4), np.sqrt(np.maximum(count(channel, 0.8), 0))
    for disorder in DISORDERS:
        at = DISEASES[edge].index(disorder)
        has = (np.asarray(BINDS.sum(1)).ravel() > 0) & (ASSOCIATED[channel][at].sum() > 0)
        v, e = np.where(has, value[:, at], 0), np.where(has, error[:, at], 0)
        v[np.abs(v) < 1e-15] = 0
        e[v == 0] = 0
        rows.append((channel, disorder, int((~has).sum()), int((has & (v == 0)).sum()), f"{v.sum():.12g}", f"{e.sum():.12g}",
                     f"{(v * (1 + np.arange(len(v)))).sum():.12g}"))
write_tsv("paths_study.tsv", ["channel", "disorder", "silent", "without_path", "sum", "sum_of_errors", "sum_by_place"], rows)
