# SPDX-License-Identifier: Apache-2.0
"""Surrogates of spectral nulls, by numpy and BrainSpace, on an uneven made-up geometry of 2 x 20 cortical regions and 9 others.

Eigenmodes: per hemisphere and compartment W_ij = 1 / D_ij^2 (mm) where i is among the 6 nearest of j or j among those of i (on
the sphere in the cortex, else in mm), L = diag(W 1) - W, eigenvectors from the smoothest on without the constant, in groups of
3, 5, 7, ...: the energy of a map in each group, which no surrogate changes.
Surface: 2 x 300 vertices, each with its nearest region or none; rotations by SciPy, right mirrored; nearest turned vertex by
cKDTree. Baum: the label that most vertices of a region receive (the first of equals), -1 when all receive none. Cornblath: the
mean of the values received.
Pair: BrainSpace's moran_randomization(procedure="pair", joint=True) on its own eigenvectors of W = 1/D; quantiles of the
correlation of 40,000 surrogates with another map.
"""
import numpy as np
from scipy.stats import false_discovery_control
from brainspace.null_models.moran import compute_mem, moran_randomization

from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from golden import made_by, write_json, write_tsv

rng = np.random.default_rng(2025)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


left = unit(rng.normal(size=(20, 3)))
right = unit(left * [-1, 1, 1] + 0.1 * rng.normal(size=(20, 3)))
sphere = np.vstack([left, right, np.full((9, 3), np.nan)])
mm = np.vstack([left * [25, 70, 45] + [-35, 0, 0], right * [25, 70, 45] + [35, 0, 0],
                rng.uniform(-25, 25, (9, 3)) * [0.3, 1, 1] + np.array([[-14, 0, 0]] * 4 + [[14, 0, 0]] * 4 + [[0, -25, -35]])])
mm = mm.round(3)
side = ["L"] * 20 + ["R"] * 20 + ["L"] * 4 + ["R"] * 4 + ["B"]
cortex = [True] * 40 + [False] * 9
names = [f"{s}_r{k}" for k, s in enumerate(side)]
rows = [[name, s, "cortex" if c else "subcortex", *m, *["n/a" if np.isnan(v) else v for v in p]]
        for name, s, c, m, p in zip(names, side, cortex, mm, sphere)]
write_tsv("nulls_geometry.tsv", ["region", "hemisphere", "compartment", "x_mm", "y_mm", "z_mm", "sphere_x", "sphere_y", "sphere_z"],
          rows, 15)
value = (rng.normal(size=49) + mm[:, 1] / 40).round(6)
other = (rng.normal(size=49) + mm[:, 2] / 40).round(6)


def distances(x):
    return np.linalg.norm(x[:, None] - x[None], axis=2)


blocks = []
for is_cortex in (True, False):
    for s in "LRB":
        member = [i for i in range(49) if cortex[i] == is_cortex and side[i] == s]
        if len(member) < 2:
            continue
        d, near = distances(mm[member]), distances(sphere[member] if is_cortex else mm[member])
        np.fill_diagonal(near, np.inf)
        few = min(6, len(member) - 1)
        joined = np.zeros_like(d, bool)
        for i in range(len(member)):
            joined[i, np.argsort(near[i])[:few]] = True
        joined |= joined.T
        w = np.where(joined, 1 / np.where(d > 0, d, 1) ** 2, 0)
        lam, v = np.linalg.eigh(np.diag(w.sum(1)) - w)
        assert lam[1] > 1e-9 * lam[-1]  # connected: the first vector is the constant
        c, energy, sizes, at, size = v[:, 1:].T @ value[member], [], [], 0, 3
        while at < len(c):
            take = c[at:at + size]
            energy.append(float(take @ take))
            sizes.append(len(take))
            at, size = at + size, size + 2
        blocks.append({"members": member, "mean": value[member].mean(), "sizes": sizes, "energy": energy,
                       "eigenvalues": lam[1:]})

# ---- vertices; a generator of their own, so that what stands above does not depend on them ----
own = np.random.default_rng(711)
turns, mirror = [], np.diag([-1.0, 1.0, 1.0])
sheet = {}
vertex_rows = []
for s, offset in (("L", 0), ("R", 20)):
    vertex = unit(own.normal(size=(300, 3)))
    parcel = cKDTree(sphere[offset:offset + 20]).query(vertex)[1] + offset
    parcel[vertex[:, 0] * (1 if s == "L" else -1) > 0.75] = -1  # the medial wall
    assert set(range(offset, offset + 20)) <= set(parcel)
    sheet[s] = (vertex, parcel)
    vertex_rows += [[s, *(100 * v), names[q] if q >= 0 else "n/a"] for v, q in zip(vertex, parcel)]
write_tsv("nulls_surface.tsv", ["hemisphere", "sphere_x", "sphere_y", "sphere_z", "parcel"], vertex_rows, 15)
for seed in range(6):
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    baum, cornblath = np.full(40, -1), np.full(40, np.nan)
    for s, rotation in (("L", turn), ("R", mirror @ turn @ mirror)):
        vertex, parcel = sheet[s]
        received = parcel[cKDTree(vertex @ rotation.T).query(vertex)[1]]
        for r in sorted(set(parcel) - {-1}):
            got = received[(parcel == r) & (received >= 0)]
            if len(got):
                baum[r] = np.bincount(got).argmax()
                cornblath[r] = value[got].mean()
    turns.append({"rotation": turn, "baum": baum, "cornblath": [None if np.isnan(x) else x for x in cornblath]})
assert any(-1 in t["baum"] for t in turns)

few = np.round(own.uniform(size=19) ** 3, 4)
few[[3, 11]] = few[7]  # equals

d = distances(mm)
np.fill_diagonal(d, 1)
w = 1 / d
np.fill_diagonal(w, 0)
mem, _ = compute_mem(w, n_ring=1, spectrum="nonzero")
assert mem.shape[1] == 48
draws = moran_randomization(value, mem, n_rep=40000, procedure="pair", joint=True, random_state=11)
r = np.array([np.corrcoef(x, other)[0, 1] for x in draws])
levels = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975]
write_json("nulls.json", {
    "made_by": made_by("numpy", "scipy", "brainspace"), "geometry": "nulls_geometry.tsv", "value": value, "other": other,
    "fdr": {"p": few, "q": false_discovery_control(few)},
    "eigenmodes": blocks, "surface": turns,
    "pair": {"levels": levels, "quantiles": np.quantile(r, levels), "r": np.corrcoef(value, other)[0, 1]}})
