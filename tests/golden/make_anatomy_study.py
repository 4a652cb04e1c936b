# SPDX-License-Identifier: Apache-2.0
"""The channel `anatomy` over the study of tests/studies/nervous_system (made by make_nervous_system.py), by SciPy's sparse products; sums over
all drugs as in make_paths_study.py, whose reading of tables it shares."""
import numpy as np
import scipy.sparse as sp

from golden import write_tsv
from make_paths_study import DISORDERS, DRUGS, pairs, weighted

edges = {n: pairs(n) for n in ("CbG", "AuG", "AdG", "DlA")}
genes = sorted({b for n in ("CbG", "AuG", "AdG") for _, b in edges[n]})
anatomies = sorted({a for n in ("AuG", "AdG") for a, _ in edges[n]} | {b for _, b in edges["DlA"]})
diseases = sorted({a for a, _ in edges["DlA"]} | set(DISORDERS))


def matrix(name, rows, cols):
    r, c = ({x: i for i, x in enumerate(xs)} for xs in (rows, cols))
    i, j = zip(*((r[a], c[b]) for a, b in edges[name]))
    return sp.csr_matrix((np.ones(len(i)), (i, j)), shape=(len(rows), len(cols)))


binds, up, down, site = (matrix("CbG", DRUGS, genes), matrix("AuG", anatomies, genes), matrix("AdG", anatomies, genes), matrix("DlA", diseases, anatomies))


def count(w, sign):
    return (weighted(binds, w) @ (weighted(up, w) + sign * weighted(down, w)).T @ weighted(site, w).T).toarray()


value, error = count(0.4, -1), np.sqrt(count(0.8, 1))
rows = []
for disorder in DISORDERS:
    at = diseases.index(disorder)
    has = (np.asarray(binds.sum(1)).ravel() > 0) & (site[at].sum() > 0)
    v, e = np.where(has, value[:, at], 0), np.where(has, error[:, at], 0)
    rows.append((disorder, int((~has).sum()), f"{v.sum():.12g}", f"{np.abs(v).sum():.12g}", f"{e.sum():.12g}", f"{(v * (1 + np.arange(len(v)))).sum():.12g}"))
write_tsv("anatomy_study.tsv", ["disorder", "silent", "sum", "sum_of_sizes", "sum_of_errors", "sum_by_place"], rows)
