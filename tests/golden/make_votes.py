# SPDX-License-Identifier: Apache-2.0
"""Raters who err: Dawid and Skene's EM written from the paper with NumPy arrays, kappas by their formulas.

100 made-up items, 4 raters of known quality, 3 classes, a fifth of the votes missing. `smooth` is added to each cell of the
counts. The error of log(prior x likelihood) is that of Dirichlet rows with shapes count + smooth + 1 (scipy's polygamma).
"""
import numpy as np
from scipy.special import polygamma

from golden import made_by, write_json, write_tsv

K, SMOOTH = 3, 0.5
rng = np.random.default_rng(1979)
truth = rng.choice(K, size=100, p=[0.5, 0.3, 0.2])
quality = [0.9, 0.75, 0.6, 0.4]
vote = np.full((100, 4), -1)
for r, q in enumerate(quality):
    for i, t in enumerate(truth):
        if rng.uniform() < 0.2 and r != i % 4:
            continue
        vote[i, r] = t if rng.uniform() < q else rng.choice([k for k in range(K) if k != t])

one = np.stack([vote == k for k in range(K)], axis=2).astype(float)  # item, rater, vote
T = one.sum(1) / one.sum((1, 2))[:, None]
for step in range(5000):
    prior = T.sum(0) + SMOOTH
    counts = np.einsum("ik,irl->rkl", T, one) + SMOOTH
    p, pi = prior / prior.sum(), counts / counts.sum(2, keepdims=True)
    log = np.log(p) + np.einsum("irl,rkl->ik", one, np.log(pi))
    new = np.exp(log - log.max(1, keepdims=True))
    new /= new.sum(1, keepdims=True)
    moved, T = np.abs(new - T).max(), new
    if moved < 1e-14:
        break
objective = np.log(np.exp(log).sum(1)).sum() + SMOOTH * (np.log(p).sum() + np.log(pi).sum())


def variance(shape, axis):
    return polygamma(1, shape) - polygamma(1, shape.sum(axis, keepdims=True))


log_error = np.sqrt(variance(prior + 1, 0) + np.einsum("irl,rkl->ik", one, variance(counts + 1, 2)))
both = T[:, 0] + T[:, 1]
slope = T * (np.array([1, 1, 0]) - both[:, None])
both_se = np.sqrt(((slope * log_error) ** 2).sum(1))


def cohen(a, b):
    use = (a >= 0) & (b >= 0)
    table = np.zeros((K, K))
    np.add.at(table, (a[use], b[use]), 1)
    table /= table.sum()
    chance = table.sum(0) @ table.sum(1)
    return (np.trace(table) - chance) / (1 - chance), int(use.sum())


full = one[(vote >= 0).all(1)].sum(1)  # item, class
share = full.sum(0) / full.sum()
within = ((full**2).sum(1) - 4) / 12
fleiss = (within.mean() - (share**2).sum()) / (1 - (share**2).sum())

write_tsv("votes.tsv", ["r0", "r1", "r2", "r3", "p0", "p1", "p2", "e0", "e1", "e2", "p01", "se01"],
          [[*map(int, v), *t, *e, b, s] for v, t, e, b, s in zip(vote, T, log_error, both, both_se)], 13)
write_json("votes.json", {
    "made_by": made_by("numpy", "scipy"), "smooth": SMOOTH, "prior": p, "confusion": pi, "objective": objective,
    "cohen": [cohen(vote[:, a], vote[:, b])[0] for a in range(4) for b in range(a + 1, 4)],
    "cohen_n": [cohen(vote[:, a], vote[:, b])[1] for a in range(4) for b in range(a + 1, 4)],
    "fleiss": fleiss, "full": len(full), "agreement": float((full.max(1) == 4).mean())})
