# SPDX-License-Identifier: Apache-2.0
"""The published drug-disease model of Hetionet by SciPy's sparse matrices: 27 degree-weighted path counts of 1,538 drugs and 136
diseases, three degrees, scaling and logistic. Repeats are taken out by a formula for each shape of metapath.

Loading is not counted. Products run from the diseases towards the drugs, the smaller side, where a formula lets them.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

from peer import report, save, timed  # before numpy
import numpy as np
import scipy
import scipy.sparse as sp

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def convert(folder):
    """Edge lists beside the model, as the program under test reads them."""
    if not os.path.exists(os.path.join(folder, "network.yaml")):
        subprocess.run([sys.executable, os.path.join(ROOT, "tests", "studies", "make_hetionet.py"), folder], check=True)
    shutil.copy(os.path.join(ROOT, "data", "rephetio.tsv"), folder)


def load(folder):
    """Node ids by kind in byte order, adjacency by metaedge, coefficients by feature."""
    nodes = {}
    for name in os.listdir(folder):
        if name.startswith("nodes_"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                nodes[name[6:-4]] = {i: k for k, i in enumerate(sorted(line.split("\t")[0] for line in f.readlines()[1:]))}
    edges = {}
    with open(os.path.join(folder, "network.yaml"), encoding="utf-8") as f:
        metaedges = re.findall(r'id: "([^"]+)", edges: ([^,}]+)', f.read())
    for metaedge, name in metaedges:
        a, b = re.fullmatch(r"([A-Z]+)[a-z]+>?([A-Z]+)", metaedge).groups()
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            pairs = [line.rstrip("\n").split("\t")[:2] for line in f.readlines()[1:]]
        i, j = [nodes[a][x] for x, _ in pairs], [nodes[b][y] for _, y in pairs]
        m = sp.csr_array((np.ones(len(i)), (i, j)), shape=(len(nodes[a]), len(nodes[b])))
        edges[metaedge] = m + m.T if a == b and ">" not in metaedge else m
    with open(os.path.join(folder, "rephetio.tsv"), encoding="utf-8") as f:
        model = {c[0]: float(c[1]) for c in (line.split("\t") for line in f.readlines()[1:])}
    return nodes, edges, model


def weighted(m, w=0.4):
    rows, cols = (np.asarray(m.sum(axis=k), dtype=float) for k in (1, 0))
    scale = lambda d: sp.diags_array(np.where(d > 0, np.maximum(d, 1) ** -w, 0))
    return sp.csr_array(scale(rows) @ m @ scale(cols))


def off(m):
    m = m.tocsr()
    return m - sp.diags_array(m.diagonal())


def dense(m):
    return m.toarray() if sp.issparse(m) else m


def gd_gd(x, p, q, r):
    """x g d g' d': g and g' differ, d and d' differ."""
    back, turn = sp.diags_array((p * q.T).sum(axis=1)), sp.diags_array((q * r.T).sum(axis=1))
    return x @ dense(p @ (q @ r) - back @ r - p @ turn + p * q.T * r)


def metapaths(e):
    """Name of a metapath: its path counts, [compounds, diseases]."""
    w = {k: weighted(m) for k, m in e.items()}
    T, R, P = w["CtD"], w["CrC"], w["CpD"]
    a, rd = w["DaG"].T.tocsr(), w["DrD"]
    yield "CbGaD", dense(w["CbG"] @ a)
    yield "CbGbCtD", dense(off(w["CbG"] @ w["CbG"].T) @ T)
    x, z = w["CbG"], w["CuG"]
    over = sp.diags_array((x * z).sum(axis=0))
    yield "CbGbCuGaD", dense(off(x @ x.T) @ (z @ a)) - dense((x @ over - x * x * z) @ a)
    yield "CbGdCrCtD", dense(off(off(w["CbG"] @ w["CdG"].T) @ R) @ T)
    dd, du = w["DdG"], w["DuG"]
    yield "CbGdDdGaD", gd_gd(w["CbG"], dd.T.tocsr(), dd, a)
    yield "CbGdDuGaD", gd_gd(w["CbG"], dd.T.tocsr(), du, a)
    yield "CdGaDdGaD", gd_gd(w["CdG"], a, dd, a)
    yield "CbGeAlD", dense(w["CbG"] @ (w["AeG"].T @ w["DlA"].T))
    gp = w["GpPW"]
    yield "CbGpPWpGaD", w["CbG"] @ dense(gp @ (gp.T @ a) - sp.diags_array((gp * gp).sum(axis=1)) @ a)
    yield "CcSEcCtD", dense(off(w["CcSE"] @ w["CcSE"].T) @ T)
    i = w["PCiC"].T.tocsr()
    ii = off(i @ i.T)
    yield "CiPCiCtD", dense(ii @ T)
    yield "CiPCiCdGaD", ii @ dense(w["CdG"] @ a)
    yield "CiPCiCuGaD", ii @ dense(w["CuG"] @ a)
    palliates = off(P @ P.T) @ T - (P @ sp.diags_array((P * T).sum(axis=0)) - P * P * T)
    yield "CpDpCtD", dense(palliates)
    around = sp.diags_array((P.T @ T @ rd).diagonal())
    yield "CpDpCtDrD", dense(palliates @ rd - P @ around + P * P * (T @ rd))
    yield "CrCbGaD", dense(R @ (w["CbG"] @ a))
    yield "CrCdGaDrD", dense(R @ (w["CdG"] @ (a @ rd)))
    yield "CrCdGbCtD", dense(off(R @ off(w["CdG"] @ w["CbG"].T)) @ T)
    yield "CrCdGeAlD", dense(R @ dense(w["CdG"] @ (w["AeG"].T @ w["DlA"].T)))
    yield "CrCdGiGaD", R @ dense(w["CdG"] @ (w["GiG"] @ a))
    yield "CrCrCdGaD", off(R @ R) @ dense(w["CdG"] @ a)
    yield "CrCrCtD", dense(off(R @ R) @ T)
    yield "CrCtD", dense(R @ T)
    yield "CrCuG<rGaD", R @ dense(w["CuG"] @ (w["Gr>G"].T @ a))
    yield "CrCuGaDrD", dense(R @ (w["CuG"] @ (a @ rd)))
    yield "CrCuGcGaD", R @ dense(w["CuG"] @ (w["GcG"] @ a))
    yield "CtDrD", dense(T @ rd)


def predict(nodes, e, model):
    linked = {k: np.zeros(len(nodes[k]), bool) for k in "CD"}
    for metaedge, m in e.items():
        for axis, kind in zip((1, 0), re.fullmatch(r"([A-Z]+)[a-z]+>?([A-Z]+)", metaedge).groups()):
            if kind in linked:
                linked[kind] |= np.asarray(m.sum(axis=axis)) > 0
    at = np.ix_(linked["C"], linked["D"])
    pairs = linked["C"].sum() * linked["D"].sum()
    prior = e["CtD"].sum() / pairs
    logit = np.full((linked["C"].sum(), linked["D"].sum()), model["intercept"] + model["prior_logit"] * np.log(prior / (1 - prior)))
    z = lambda x: (x - x.mean()) / x.std(ddof=1)
    for name, x in metapaths(e):
        x = x[at]
        logit += model["dwpc_" + name] * z(np.arcsinh(x / x.mean()))
    for name, m in (("CiPC", e["PCiC"].T), ("CpD", e["CpD"]), ("CrC", e["CrC"])):
        degree = np.asarray(m.sum(axis=1), dtype=float)[linked["C"]]
        logit += model["degree_" + name] * z(np.repeat(np.arcsinh(degree)[:, None], logit.shape[1], axis=1))
    return 1 / (1 + np.exp(-logit))


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("folder", metavar="DIR", help="where edge lists are kept")
    cli.add_argument("--save", metavar="DIR", help="write edge lists, model and the probabilities to check against, time nothing")
    o = cli.parse_args()
    convert(o.folder)
    loaded = load(o.folder)
    if o.save:
        save(o.save, graph_want=predict(*loaded))
        return
    p, wall, cpu = timed(lambda: predict(*loaded), 2)
    report("scipy sparse", scipy.__version__, "Hetionet, 31 features of 209,168 pairs", wall, cpu, "whole", 1, pairs=int(p.size), numpy=np.__version__)


if __name__ == "__main__":
    main()
