# SPDX-License-Identifier: Apache-2.0
"""Map correlations, Moran eigenvectors and surrogates.

Correlations: ENIGMA case-control d against the 19 receptor maps over the 68 cortical regions, joined by hemisphere and
label; regions missing in a disorder are left out. Only r is kept, no map.
Moran: W = 1/D off the diagonal, 0 on it (`_diagonal_one` as neuromaps sets it), doubly centred; singleton surrogate
mean + sqrt(n-1) s sum_k sign_k r_k v_k. An eigenvector's sign here makes its largest component positive.
"""
import os

import numpy as np
import pandas as pd
from scipy import stats

from golden import BRAINMAPS, made_by, write_json, write_tsv

# ---- correlations ------------------------------------------------------------------------------------------------
key = ["hemisphere", "label"]
derived = os.path.join(BRAINMAPS, "derived")
disorders = pd.read_csv(os.path.join(derived, "enigma_case_control_d_dk82.csv"))
receptors = pd.read_csv(os.path.join(derived, "receptor_dk83_19targets_z.csv"))
both = disorders[disorders.structure == "cortex"].merge(receptors[receptors.structure == "cortex"], on=key)
rows = []
for d in [c for c in disorders.columns if c.startswith("d_")]:
    for r in [c for c in receptors.columns if c not in key + ["cammoun033_id", "structure"]]:
        ok = both[d].notna() & both[r].notna()
        x, y = both.loc[ok, d], both.loc[ok, r]
        rows.append([d[2:], r, int(ok.sum()), stats.pearsonr(x, y).statistic, stats.spearmanr(x, y).statistic])
write_tsv("maps_correlation.tsv", ["disorder", "receptor", "n", "pearson", "spearman"], rows, 12)

# ---- Moran ---------------------------------------------------------------------------------------------------------
rng = np.random.default_rng(1950)
n = 12
names = [f"{'L' if k < n // 2 else 'R'}_m{k}" for k in range(n)]
mm = rng.uniform(-60, 60, (n, 3)).round(3)
mm[:, 0] = np.where(np.arange(n) < n // 2, -1, 1) * (np.abs(mm[:, 0]) + 5)
sphere = mm / np.linalg.norm(mm, axis=1, keepdims=True)
write_tsv("maps_geometry.tsv", ["region", "hemisphere", "compartment", "x_mm", "y_mm", "z_mm", "sphere_x", "sphere_y", "sphere_z"],
          [[name, name[0], "cortex", *p, *s] for name, p, s in zip(names, mm, sphere)], 15)
distance = np.linalg.norm(mm[:, None] - mm[None], axis=2)
value = rng.normal(size=n).round(6) + 1.5
centre = np.eye(n) - 1 / n


def eigen(diagonal):
    w = np.where(np.eye(n) > 0, diagonal, 1 / np.where(np.eye(n) > 0, 1, distance))
    lam, v = np.linalg.eigh(centre @ w @ centre)
    order = np.argsort(-lam)
    lam, v = lam[order], v[:, order]
    constant = int(np.argmax(np.abs(v.sum(axis=0))))  # the one eigenvector that is not orthogonal to 1
    lam, v = np.delete(lam, constant), np.delete(v, constant, axis=1)
    return w, lam, v * np.sign(v[np.abs(v).argmax(axis=0), np.arange(n - 1)])


w, lam, v = eigen(0.0)
_, lam_one, _ = eigen(1.0)
z = value - value.mean()
moran = lambda x: float(n / w.sum() * (x - x.mean()) @ w @ (x - x.mean()) / ((x - x.mean()) @ (x - x.mean())))
s = value.std(ddof=1)
r = v.T @ z / np.linalg.norm(z)
surrogates, signs = [], []
for _ in range(4):
    sign = rng.choice([-1, 1], n - 1)
    x = value.mean() + np.sqrt(n - 1) * s * v @ (sign * r)
    assert np.isclose(moran(x), moran(value), rtol=1e-10) and np.isclose(x.std(ddof=1), s)
    signs.append(sign)
    surrogates.append(x)
write_tsv("maps_moran_vectors.tsv", [f"v{k}" for k in range(n - 1)], v, 13)

write_json("maps.json", {
    "made_by": made_by("numpy", "scipy", "pandas"),
    "moran": {"geometry": "maps_geometry.tsv", "regions": names, "eigenvalues": lam, "eigenvalues_diagonal_one": lam_one,
              "vectors": "maps_moran_vectors.tsv", "value": value, "mean": value.mean(), "sd": s, "moran_i": moran(value),
              "r": r, "signs": signs, "surrogates": surrogates}})
