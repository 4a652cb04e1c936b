#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes brainmap.tsv and contrast.tsv: reference values of map comparison, dominance, assignment, receptor profile and
group contrast, from NumPy and SciPy alone. One row per array: name, rows, columns, values."""
import itertools
import math
import sys

import numpy as np
from scipy import optimize, special, stats

rng = np.random.default_rng(20240611)


class Book:
    def __init__(self):
        self.lines = []

    def put(self, name, x):
        x = np.atleast_2d(np.asarray(x, dtype=float))
        values = "\t".join("n/a" if math.isnan(v) else repr(float(v)) for v in x.ravel())
        self.lines.append(f"{name}\t{x.shape[0]}\t{x.shape[1]}\t{values}\n")

    def write(self, path):
        with open(path, "w") as f:
            f.writelines(self.lines)


def compare(book):
    a, b = rng.normal(size=30), rng.normal(size=30)
    b += 0.6 * a
    a[:10] = np.round(a[:10])  # ties
    a[3], b[7] = np.nan, np.nan
    ok = np.isfinite(a) & np.isfinite(b)
    book.put("compare_a", a)
    book.put("compare_b", b)
    book.put("compare_pearson", stats.pearsonr(a[ok], b[ok])[0])
    book.put("compare_spearman", stats.spearmanr(a[ok], b[ok])[0])


def adjusted_r2(x, y, subset):
    n = len(y)
    if not subset:
        return 0.0
    design = np.column_stack([np.ones(n), x[:, list(subset)]])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    r2 = 1 - residual @ residual / ((y - y.mean()) @ (y - y.mean()))
    return 1 - (1 - r2) * (n - 1) / (n - len(subset) - 1)


def dominance(book):
    n, p = 25, 5
    x = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + 3
    y = rng.normal(size=(3, n)) + x[:, :2].sum(1)
    out, total = np.zeros((3, p)), np.zeros(3)
    for m in range(3):
        total[m] = adjusted_r2(x, y[m], range(p))
        for j in range(p):
            others = [k for k in range(p) if k != j]
            means = []
            for size in range(p):
                gains = [adjusted_r2(x, y[m], s + (j,)) - adjusted_r2(x, y[m], s)
                         for s in itertools.combinations(others, size)]
                means.append(np.mean(gains))
            out[m, j] = np.mean(means)
    book.put("dominance_x", x)
    book.put("dominance_y", y)
    book.put("dominance_out", out)
    book.put("dominance_r2", total)


def assignment(book):
    cost = rng.uniform(size=(15, 15))
    rows, cols = optimize.linear_sum_assignment(cost)
    book.put("assignment_cost", cost)
    book.put("assignment_column_of_row", cols)


def profile(book):
    """Moran surrogates flip the sign of each eigenvector's coefficient, so mean and covariance of c' are known exactly."""
    n, p = 40, 4
    mm = rng.normal(size=(n, 3)) * 40
    receptor = rng.normal(size=(n, p)) + 0.02 * mm @ rng.normal(size=(3, p))
    effect = rng.normal(size=n) + 0.02 * mm @ rng.normal(size=3)
    weight = rng.uniform(0.5, 2, size=n)
    rho = np.array([0.9, 0.5, np.nan, -0.3])
    lam = 0.2
    a = np.abs(rng.normal(size=(6, p)))
    a[5] = 0
    w = weight / weight.sum()

    def centred(x):
        return x - w @ x

    z = np.column_stack([centred(x) / np.sqrt(w @ centred(x) ** 2) for x in receptor.T])
    d = centred(effect) / np.sqrt(w @ centred(effect) ** 2)
    gram = z.T @ (w[:, None] * z)
    clamped = np.clip(rho, 0, 1)
    clamped[np.isnan(rho)] = np.nanmean(clamped)
    regular = gram + np.diag(1 - clamped) + lam * np.eye(p)
    c = z.T @ (w * d)
    beta = np.linalg.solve(regular, c)
    book.put("profile_mm", mm)
    book.put("profile_receptor", receptor)
    book.put("profile_effect", effect)
    book.put("profile_weight", weight)
    book.put("profile_rho", rho)
    book.put("profile_lambda", lam)
    book.put("profile_a", a)
    book.put("profile_beta", beta)
    with np.errstate(invalid="ignore"):
        book.put("profile_score_a", (a @ c) / np.sqrt(np.einsum("ir,rs,is->i", a, gram, a)))
    # equal weights: the surrogates keep the norm, so the covariance has a closed form
    w = np.full(n, 1 / n)
    z = np.column_stack([centred(x) / np.sqrt(w @ centred(x) ** 2) for x in receptor.T])
    d = centred(effect) / np.sqrt(w @ centred(effect) ** 2)
    gram = z.T @ z / n
    distance = np.sqrt(((mm[:, None] - mm[None]) ** 2).sum(-1))
    with np.errstate(divide="ignore"):
        proximity = 1 / distance
    np.fill_diagonal(proximity, 0)
    h = np.eye(n) - 1 / n
    value, vector = np.linalg.eigh(h @ proximity @ h + 1e3 * np.ones((n, n)) / n)
    vector = vector[:, :-1]
    u = np.linalg.solve(gram + np.diag(1 - clamped) + lam * np.eye(p), z.T / n @ (vector * (vector.T @ d)))
    beta = np.linalg.solve(gram + np.diag(1 - clamped) + lam * np.eye(p), z.T @ d / n)
    s0 = u @ u.T
    book.put("profile_equal_s0", s0)
    with np.errstate(invalid="ignore"):
        book.put("profile_equal_score_b", (a @ beta) / np.sqrt(np.einsum("ir,rs,is->i", a, s0, a)))


def hedges(t, df, n1, n2):
    j = math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / math.sqrt(df / 2)
    g = j * t * math.sqrt(1 / n1 + 1 / n2)
    se = math.sqrt(1 / n1 + 1 / n2 + g * g / (2 * (n1 + n2)))
    z = stats.norm.ppf(0.95)
    return g, se, g - z * se, g + z * se


def t_value(design, y):
    """t of the last column of the design."""
    df = len(y) - design.shape[1]
    inverse = np.linalg.inv(design.T @ design)
    b = inverse @ design.T @ y
    residual = y - design @ b
    return b[-1] / math.sqrt(residual @ residual / df * inverse[-1, -1]), df


def contrast(book):
    for name, n1, n2, k in (("plain", 4, 4, 0), ("lane", 3, 4, 1), ("large", 12, 15, 3)):
        n, cols = n1 + n2, 5
        group = np.array([1.0] * n1 + [0.0] * n2)
        order = rng.permutation(n)
        group = group[order]
        z = rng.normal(size=(n, k)) + 0.5 * group[:, None]
        y = (rng.normal(size=(n, cols)) + 1.2 * group[:, None] + z.sum(1)[:, None]).astype(np.float32).astype(float)
        nuisance = np.column_stack([np.ones(n), z])
        rows, observed = [], []
        for v in range(cols):
            t, df = t_value(np.column_stack([nuisance, group]), y[:, v])
            rows.append([t, df, *hedges(t, df, n1, n2)])
            observed.append(abs(t))
        book.put(f"{name}_group", group)
        book.put(f"{name}_y", y)
        if k:
            book.put(f"{name}_z", z)
        book.put(f"{name}_t_df_g_se_low_high", rows)
        if n > 8:
            continue
        # every permutation of the nuisance residuals (Freedman & Lane), the observed order among them
        hat = nuisance @ np.linalg.pinv(nuisance)
        reach, reach_max, total = np.zeros(cols), np.zeros(cols), 0
        pick = (set(itertools.permutations(range(n))) if k else
                {tuple(np.concatenate([np.flatnonzero(m), np.flatnonzero(~m)]))
                 for m in (np.isin(np.arange(n), s) for s in itertools.combinations(range(n), n1))})
        for p in pick:
            ts = np.zeros(cols)
            for v in range(cols):
                e = y[:, v] - hat @ y[:, v]
                if k:
                    shuffled = e[list(p)]
                else:  # the p-th way to choose who belongs to group 1
                    shuffled = np.empty(n)
                    shuffled[np.concatenate([np.flatnonzero(group == 1), np.flatnonzero(group == 0)])] = e[list(p)]
                ts[v] = abs(t_value(np.column_stack([nuisance, group]), hat @ y[:, v] + shuffled)[0])
            total += 1
            reach += ts >= np.array(observed) * (1 - 1e-9)
            reach_max += ts.max() >= np.array(observed) * (1 - 1e-9)
        book.put(f"{name}_total", total)
        book.put(f"{name}_p", reach / total)
        book.put(f"{name}_p_fwe", reach_max / total)


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else __file__.rsplit("/", 1)[0]
    maps, groups = Book(), Book()
    compare(maps)
    dominance(maps)
    assignment(maps)
    profile(maps)
    contrast(groups)
    maps.write(f"{folder}/brainmap.tsv")
    groups.write(f"{folder}/contrast.tsv")
