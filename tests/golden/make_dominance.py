# SPDX-License-Identifier: Apache-2.0
"""Total dominance by brute force: every subset of p = 4 predictors refitted with lstsq, adjusted R2 as Hansen 2022.

D_j = (1/p) sum_k mean over subsets S of size k without j of [R2adj(S+j) - R2adj(S)], R2adj(empty) = 0; they sum to
R2adj(all). The published 13 x 19 case lies with the evaluation data."""
import itertools

import numpy as np

from golden import made_by, write_json, write_tsv

rng = np.random.default_rng(2003)
n, p, maps = 30, 4, 3
x = rng.normal(size=(n, p))
x[:, 2] += 0.8 * x[:, 0]
y = x @ rng.normal(size=(p, maps)) * [1, 0.3, 0] + rng.normal(size=(n, maps))
x, y = x.round(9), y.round(9)


def r2(columns, target, adjusted):
    if not columns:
        return 0.0
    design = np.column_stack([np.ones(n), x[:, columns]])
    residual = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    plain = 1 - residual @ residual / ((target - target.mean()) @ (target - target.mean()))
    return 1 - (1 - plain) * (n - 1) / (n - len(columns) - 1) if adjusted else plain


def dominance(target, adjusted):
    out = np.zeros(p)
    for j in range(p):
        rest = [k for k in range(p) if k != j]
        out[j] = np.mean([np.mean([r2([*s, j], target, adjusted) - r2(list(s), target, adjusted)
                                   for s in itertools.combinations(rest, size)]) for size in range(p)])
    assert np.isclose(out.sum(), r2(list(range(p)), target, adjusted))
    return out


regions = [f"L_r{k}" for k in range(n)]
write_tsv("dominance_x.tsv", ["region", *[f"x{k}" for k in range(p)]], [[r, *v] for r, v in zip(regions, x)], 12)
write_tsv("dominance_y.tsv", ["region", *[f"y{k}" for k in range(maps)]], [[r, *v] for r, v in zip(regions, y)], 12)
write_tsv("dominance.tsv", ["map", "predictor", "dominance", "dominance_plain_r2"],
          [[f"y{m}", f"x{j}", a, b] for m in range(maps)
           for j, (a, b) in enumerate(zip(dominance(y[:, m], True), dominance(y[:, m], False)))], 14)
write_json("dominance.json", {
    "made_by": made_by("numpy"), "r2_adjusted": [r2(list(range(p)), y[:, m], True) for m in range(maps)],
    "r2": [r2(list(range(p)), y[:, m], False) for m in range(maps)]})
