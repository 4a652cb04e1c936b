# SPDX-License-Identifier: Apache-2.0
"""Which region takes whose value under given rotations, by looking at every pair.

D_ij = |c_i - R c_j| within a hemisphere; the right one turns by M R M, M = diag(-1, 1, 1). nearest: argmin_j D_ij; vasa: again and again
row = argmax_i min_j D, column = argmin_j D_row, both leave; of equals the lowest, as argmin and argmax take them; hungarian: the least sum.
`scattered`: 127 regions of both hemispheres in mixed order, 70 left and 57 right. `tied`: the six corners of an octahedron on either side under
the 24 rotations that carry it onto itself: every distance is 0, sqrt(2) or 2, so that nearly all are equals.
"""
import itertools

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from golden import made_by, write_json

mirror = np.diag([-1.0, 1.0, 1.0])


def vasa(d):
    d, out = d.copy(), np.full(len(d), -1)
    for _ in range(len(d)):
        left = np.where(out < 0)[0]
        row = left[np.argmax(d[left].min(axis=1))]
        out[row] = np.argmin(d[row])
        d[:, out[row]] = np.inf
    return out


def spin(sphere, hemisphere, left):
    out = {"rotation": left, **{rule: np.full(len(sphere), -1) for rule in ("nearest", "vasa", "hungarian")}}
    for side, turn in (("L", left), ("R", mirror @ left @ mirror)):
        member = np.where(hemisphere == side)[0]
        d = np.sqrt(((sphere[member][:, None] - (sphere[member] @ turn.T)[None]) ** 2).sum(axis=2))
        out["nearest"][member] = member[d.argmin(axis=1)]
        out["vasa"][member] = member[vasa(d)]
        out["hungarian"][member] = member[linear_sum_assignment(d)[1]]
    return out


rng = np.random.default_rng(20)
scattered = rng.normal(size=(127, 3))
scattered /= np.linalg.norm(scattered, axis=1, keepdims=True)
hemisphere = np.array(["L"] * 70 + ["R"] * 57)
rng.shuffle(hemisphere)
corners = np.repeat(np.vstack([np.eye(3), -np.eye(3)]), 2, axis=0)
sides = np.array(["L", "R"] * 6)
onto_itself = [np.eye(3)[list(p)] * np.array(s)[:, None] for p in itertools.permutations(range(3)) for s in itertools.product([1, -1], repeat=3)]
onto_itself = [r for r in onto_itself if np.linalg.det(r) > 0]
assert len(onto_itself) == 24

write_json("spin.json", {
    "made_by": made_by("numpy", "scipy"),
    "scattered": {"sphere": scattered, "hemisphere": "".join(hemisphere),
                  "spins": [spin(scattered, hemisphere, Rotation.random(rng=np.random.default_rng(k)).as_matrix()) for k in range(8)]},
    "tied": {"sphere": corners, "hemisphere": "".join(sides), "spins": [spin(corners, sides, r) for r in onto_itself]}})
