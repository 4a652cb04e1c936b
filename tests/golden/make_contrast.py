# SPDX-License-Identifier: Apache-2.0
"""Two groups with covariates: t by least squares, Hedges' g = J t sqrt(1/n1 + 1/n2), standard errors, permutation p.

J is exact: Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2)); 1 - 3/(4 df - 1) is its usual approximation. With d = t sqrt(1/n1
+ 1/n2) and N = n1 n2/(n1+n2), the standard errors written are
  se_g       J sqrt(1/N + d^2 / (2 df))             the usual large-sample form (Borenstein et al. 2009, eq. 4.24)
  se_exact   J sqrt(df/(df-2) (1/N + d^2) - d^2/J^2) SD of g from the noncentral t, delta estimated by d
  se_hedges  sqrt(1/N + g^2 / (2 (n1+n2)))          Hedges & Olkin 1985
A comparison is with the one a program says it reports.
"""
import itertools

import numpy as np
from scipy import stats
from scipy.special import gammaln

from golden import made_by, write_input, write_json, write_tsv


def hedges_j(df):
    return np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)


def t_of(y, x, z):
    """t of column x beside nuisance z (constant included), each column of y."""
    design = np.column_stack([x, z])
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    df = len(y) - np.linalg.matrix_rank(design)
    sigma2 = ((y - design @ beta) ** 2).sum(axis=0) / df
    return beta[0] / np.sqrt(np.linalg.inv(design.T @ design)[0, 0] * sigma2), df


def counted(null, observed):
    """#{|null| >= |observed|}, ties within 1e-10 relative counted."""
    return (np.abs(null) >= np.abs(observed) * (1 - 1e-10)).sum(axis=0)


rng = np.random.default_rng(4117)
regions = [f"L_r{k}" for k in range(6)]

# ---- g and SE, with covariates -------------------------------------------------------------------------------------
n1, n2 = 8, 9
group = np.r_[np.ones(n1), np.zeros(n2)]
covariates = np.column_stack([rng.uniform(20, 60, n1 + n2).round(1), rng.integers(0, 2, n1 + n2)])
y = rng.normal(size=(n1 + n2, 6)) + np.outer(group, np.linspace(-1, 1.5, 6)) + 0.02 * covariates[:, :1] + 2
y = write_input("contrast_table.tsv", regions, y)
write_tsv("contrast_design.tsv", ["group", "age", "sex"],
          [["patient" if g else "control", float(a), int(s)] for g, (a, s) in zip(group, covariates)])
covariates = covariates.astype(np.float32).astype(float)
ones = np.ones((n1 + n2, 1))
nuisance = np.hstack([ones, covariates])
rows = []
for label, z in (("none", ones), ("age+sex", nuisance)):
    t, df = t_of(y, group, z)
    if label == "none":
        assert np.allclose(t, stats.ttest_ind(y[:n1], y[n1:]).statistic, rtol=1e-12)
    j, inverse_n = hedges_j(df), 1 / n1 + 1 / n2
    d = t * np.sqrt(inverse_n)
    g = j * d
    se_g = j * np.sqrt(inverse_n + d ** 2 / (2 * df))
    se_exact = j * np.sqrt(df / (df - 2) * (inverse_n + d ** 2) - d ** 2 / j ** 2)
    se_hedges = np.sqrt(inverse_n + g ** 2 / (2 * (n1 + n2)))
    p = 2 * stats.t.sf(np.abs(t), df)
    rows += [[label, r, int(df), *v] for r, v in zip(regions, np.stack([t, d, g, se_g, se_exact, se_hedges, p], axis=1))]
write_tsv("contrast_effects.tsv", ["covariates", "region", "df", "t", "d", "g", "se_g", "se_exact", "se_hedges",
                                   "p_parametric"], rows, 13)

# ---- Freedman-Lane with a fixed list of permutations -----------------------------------------------------------------
permutations = [rng.permutation(n1 + n2) for _ in range(99)]
hat = nuisance @ np.linalg.pinv(nuisance)
fitted, residual = hat @ y, y - hat @ y
observed, df = t_of(y, group, nuisance)
null = np.stack([t_of(fitted + residual[order], group, nuisance)[0] for order in permutations])
largest = np.abs(null).max(axis=1)
write_tsv("contrast_freedman_lane_t.tsv", regions, null, 12)
write_tsv("contrast_freedman_lane_order.tsv", [f"p{k}" for k in range(n1 + n2)], [list(map(int, o)) for o in permutations])

# ---- every labelling of 4 + 4 ------------------------------------------------------------------------------------------
small = write_input("contrast_small.tsv", regions, rng.normal(size=(8, 6)) + np.outer(np.r_[np.ones(4), np.zeros(4)], [0, .5, 1, 1.5, 2, 3]))
labellings = [np.isin(np.arange(8), c).astype(float) for c in itertools.combinations(range(8), 4)]
every = np.stack([t_of(small, g, np.ones((8, 1)))[0] for g in labellings])
truth = every[0]  # the first combination is 0, 1, 2, 3: the real labels
largest_every = np.abs(every).max(axis=1)
write_tsv("contrast_exhaustive_t.tsv", ["first_group", *regions],
          [["".join(str(int(v)) for v in g), *t] for g, t in zip(labellings, every)], 12)

write_json("contrast.json", {
    "made_by": made_by("numpy", "scipy"), "group": "1 patient, 0 control; g is patient minus control",
    "hedges_j": {str(df_): {"exact": hedges_j(df_), "approximation": 1 - 3 / (4 * df_ - 1)} for df_ in (2, 3, 6, 13, 15, 40, 200)},
    "freedman_lane": {
        "rule": "y* = fit(nuisance) + residual[order]; t* from the full model refitted; nuisance = constant, age, sex",
        "observed_t": observed, "df": int(df), "count": counted(null, observed),
        "p": (1 + counted(null, observed)) / (1 + len(null)),
        "p_max_t": (1 + counted(largest[:, None], observed)) / (1 + len(null))},
    "exhaustive": {
        "n1": 4, "n2": 4, "labellings": len(labellings), "observed_t": truth,
        "count": counted(every, truth), "p": counted(every, truth) / len(every),
        "count_max_t": counted(largest_every[:, None], truth), "p_max_t": counted(largest_every[:, None], truth) / len(every)}})
