# SPDX-License-Identifier: Apache-2.0
"""Total dominance by netneurotools' method: one regression per subset of predictors, 2^p - 1 of them, for every map and
every null. Run on a slice of the subsets of one map, drawn evenly from all (sizes in their binomial share).

Written with numpy's lstsq, which flatters the peer: netneurotools fits a scikit-learn LinearRegression each
time, which is timed on a part of the same slice (`seconds_per_map_sklearn`).
"""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np
import sklearn
from sklearn.linear_model import LinearRegression


def by_lstsq(x, y, subsets):
    n = len(y)
    total = ((y - y.mean()) ** 2).sum()
    out = np.empty(len(subsets))
    for k, s in enumerate(subsets):
        design = np.column_stack([np.ones(n), x[:, s]])
        beta = np.linalg.lstsq(design, y, rcond=None)[0]
        residual = y - design @ beta
        out[k] = 1 - (residual @ residual / total) * (n - 1) / (n - len(s) - 1)
    return out


def by_sklearn(x, y, subsets):
    n, out = len(y), np.empty(len(subsets))
    for k, s in enumerate(subsets):
        r2 = LinearRegression().fit(x[:, s], y).score(x[:, s], y)
        out[k] = 1 - (1 - r2) * (n - 1) / (n - len(s) - 1)
    return out


def total_dominance(x, y):
    """The whole method: for each predictor the mean, over sizes of subset, of the mean gain in adjusted R2."""
    p = x.shape[1]
    r2 = np.zeros(2 ** p)
    r2[1:] = by_lstsq(x, y, [np.flatnonzero((s >> np.arange(p)) & 1) for s in range(1, 2 ** p)])
    out = np.empty(p)
    for j in range(p):
        without = np.array([s for s in range(2 ** p) if not s >> j & 1])
        size = np.array([bin(s).count("1") for s in without])
        gain = r2[without | 1 << j] - r2[without]
        out[j] = np.mean([gain[size == k].mean() for k in range(p)])
    return out


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--regions", type=int, default=68)
    cli.add_argument("--predictors", type=int, default=19)
    cli.add_argument("--maps", type=int, default=13)
    cli.add_argument("--nulls", type=int, default=10_000)
    cli.add_argument("--subsets", type=int, default=20_000)
    cli.add_argument("--save", metavar="DIR", help="write a map, 9 predictors and their total dominance, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(o.regions, o.predictors)), rng.normal(size=o.regions)
    if o.save:
        few = np.ascontiguousarray(x[:, :9] + x[:, 10:11])
        y = y + few @ rng.normal(size=9)
        save(o.save, dominance_x=few, dominance_y=y, dominance_want=total_dominance(few, y))
        return
    codes = rng.integers(1, 2 ** o.predictors, size=o.subsets)
    subsets = [np.flatnonzero((c >> np.arange(o.predictors)) & 1) for c in codes]
    few = subsets[:max(1, o.subsets // 10)]
    one, wall, cpu = timed(lambda: by_lstsq(x, y, subsets))
    other, _, cpu_sklearn = timed(lambda: by_sklearn(x, y, few))
    assert np.allclose(one[:len(few)], other, atol=1e-9)
    per_map = (2 ** o.predictors - 1) / o.subsets
    runs = o.maps * (1 + o.nulls)
    report("netneurotools' method (numpy lstsq)", np.__version__,
           f"dominance, {o.maps} maps x (1 + {o.nulls} nulls), {o.predictors} predictors, {o.regions} regions", wall, cpu,
           f"{o.subsets} of {2 ** o.predictors - 1} regressions of one map", per_map * runs,
           seconds_per_map=round(cpu * per_map, 2),
           seconds_per_map_sklearn=round(cpu_sklearn * (2 ** o.predictors - 1) / len(few), 2),
           extrapolated_cpu_days=round(cpu * per_map * runs / 86400, 1), sklearn=sklearn.__version__)


if __name__ == "__main__":
    main()
