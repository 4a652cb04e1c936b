# SPDX-License-Identifier: Apache-2.0
"""Variogram-matched surrogates by BrainSMASH 0.11.0: the steps of Base for given shuffles and noise, and what its surrogates are like on
made-up and on real maps (numbers only; the real maps are read from the evaluation data)."""
import csv
import os

import numpy as np
import scipy.spatial.distance as distance
from brainsmash.mapgen.base import Base

from golden import BRAINMAPS, made_by, write_json

SURROGATES = 1000
LEVELS = [0.5, 0.9, 0.95]


def places(rng, n):
    """Points in the shell of an ellipsoid, rounded so that their text is exact."""
    p = rng.normal(size=(n, 3))
    return np.round(p / np.linalg.norm(p, axis=1, keepdims=True) * [65, 85, 60] * rng.uniform(0.8, 1, (n, 1)), 3)


def smooth_map(rng, p, length):
    d = distance.cdist(p, p)
    x = np.linalg.cholesky(np.exp(-d / length) + 1e-9 * np.eye(len(p))) @ rng.normal(size=len(p))
    return np.round(x + 10, 4)


def steps(rng, n):
    p = places(rng, n)
    x = smooth_map(rng, p, 40.0)
    base = Base(x=x, D=distance.cdist(p, p))
    out = {"place": p, "map": x, "lag": base.h, "gamma": np.asarray(base._smvar), "surrogates": []}
    for _ in range(3):
        order, noise = rng.permutation(n), np.round(rng.normal(size=n), 6)
        fits = [base.regress(base.compute_smooth_variogram(base.smooth_map(x[order][:, None], d)), base._smvar) for d in base.deltas]
        alpha, beta, error = (np.array([float(np.squeeze(f[k])) for f in fits]) for k in range(3))
        best = int(np.argmin(error))
        y = np.sqrt(abs(beta[best])) * base.smooth_map(x[order][:, None], base.deltas[best])[:, 0] + np.sqrt(abs(alpha[best])) * noise
        y = np.asarray(y - y.mean())
        own = np.empty(n)
        own[np.argsort(y)] = np.sort(x)
        out["surrogates"].append({"order": order, "noise": noise, "alpha": alpha, "beta": beta, "best": best, "value": y, "own_values": own})
    return out


def likeness(x, other, d, seed):
    """How far the surrogates' variograms lie from the map's, and how strongly they correlate with another map."""
    base = Base(x=x, D=d, seed=seed)
    y = base(SURROGATES, batch_size=100)
    target = np.asarray(base._smvar)
    error = np.sqrt(((np.asarray(base.compute_smooth_variogram(y.T)).T - target) ** 2).mean(axis=1)) / target.mean()
    r = np.array([np.corrcoef(s, other)[0, 1] for s in y])
    return {"n_surrogates": SURROGATES, "error_mean": error.mean(), "error_se": error.std() / np.sqrt(SURROGATES), "level": LEVELS,
            "abs_r": np.quantile(abs(r), LEVELS), "sd": y.std(axis=1).mean()}


def number_columns(path, delimiter=",", skip=0):
    with open(os.path.join(BRAINMAPS, path), encoding="utf-8") as f:
        return np.array([[float(c) for c in row[skip:] if c] for row in csv.reader(f, delimiter=delimiter)])


def dk68():
    """Schizophrenia against bipolar disorder, Desikan-Killiany's cortex, joined by hemisphere and label."""
    with open(os.path.join(BRAINMAPS, "derived/dk83_centroids_volumes_mni.csv"), encoding="utf-8") as f:
        at = {(r["hemisphere"], r["label"]): [float(r[k]) for k in ("x_mm", "y_mm", "z_mm")] for r in csv.DictReader(f)}
    with open(os.path.join(BRAINMAPS, "derived/enigma_case_control_d_dk82.csv"), encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f) if r["structure"] == "cortex"]
    p = np.array([at[r["hemisphere"], r["label"]] for r in rows])
    return p, np.array([float(r["d_schizophrenia"]) for r in rows]), np.array([float(r["d_bipolar_adult"]) for r in rows])


def schaefer400():
    """The first and the fifth receptor map."""
    with open(os.path.join(BRAINMAPS, "hansen_receptors/Schaefer_400_centres.txt"), encoding="utf-8") as f:
        p = np.array([[float(c) for c in line.split()[1:4]] for line in f])
    x = number_columns("hansen_receptors/receptor_data_scale400.csv")
    return p, x[:, 0], x[:, 4]


def main():
    rng = np.random.default_rng(11)
    doc = {"made_by": made_by("numpy", "scipy") + ", brainsmash 0.11.0", "steps": [steps(rng, 40), steps(rng, 150)]}
    p = places(rng, 100)
    x, y = smooth_map(rng, p, 30.0), smooth_map(rng, p, 30.0)
    doc["made_up"] = {"place": p, "map": x, "other": y, **likeness(x, y, distance.cdist(p, p), 1)}
    for name, (p, x, y) in {"dk68": dk68(), "schaefer400": schaefer400()}.items():
        doc[name] = {"regions": len(x), **likeness(x, y, distance.cdist(p, p), 2)}
    write_json("variogram.json", doc)


if __name__ == "__main__":
    main()
