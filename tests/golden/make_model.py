# SPDX-License-Identifier: Apache-2.0
"""What stands beside the hierarchical model, from other programs: robust rank aggregation by scipy.special.betainc, binomial intervals by
scipy.stats, isotonic regression and Venn-Abers pairs by scikit-learn's IsotonicRegression refitted for every new score, conformal p
values summed pair by pair. Writes model.json.
"""
import math

import numpy as np
from scipy import stats
from scipy.special import betainc
from sklearn.isotonic import IsotonicRegression

import golden

rng = np.random.default_rng(7)


def null(a):
    """NaN as null, for JSON."""
    return [None if isinstance(v, float) and math.isnan(v) else v for v in np.asarray(a, dtype=float).ravel().tolist()]


def aggregation():
    n, lists = 30, 6
    r = rng.uniform(0.01, 1, (n, lists)).round(4)
    r[rng.random((n, lists)) < 0.3] = np.nan
    r[3] = np.nan
    r[4] = [0.001, 0.002, 0.9, np.nan, 0.0015, 0.003]
    r[5] = [0.2, 0.2, 0.2, 0.7, 0.7, 1.0]
    rho = []
    for row in r:
        s = np.sort(row[~np.isnan(row)])
        m = len(s)
        rho.append(min(1.0, m * min(betainc(k, m - k + 1, s[k - 1]) for k in range(1, m + 1))) if m else np.nan)
    return {"lists": lists, "r": null(r), "rho": null(rho)}


def binomial():
    cases = [(0, 10), (10, 10), (1, 1), (3, 17), (12, 17), (885, 1000), (5, 100000), (1, 2)]
    out = []
    for k, n in cases:
        t = stats.binomtest(k, n)
        exact, wilson = t.proportion_ci(0.9, "exact"), t.proportion_ci(0.9, "wilson")
        out.append([k, n, exact.low, exact.high, wilson.low, wilson.high, stats.binom.sf(k - 1, n, 0.3), betainc(max(k, 1), n - max(k, 1) + 1, 0.003)])
    return out


def isotonic():
    n = 60
    x = rng.integers(0, 25, n) / 5.0
    y = (0.2 * x + rng.normal(size=n)).round(3)
    w = rng.choice([0.5, 1.0, 3.0], n)
    fitted = IsotonicRegression().fit(x, y, sample_weight=w).predict(x)
    return {"x": x, "y": y, "w": w, "fitted": fitted}


def venn_abers():
    n = 80
    score = rng.integers(-20, 20, n) / 10.0
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * score))).astype(int)
    at = np.unique(np.concatenate([score[:25], rng.uniform(-2.5, 2.5, 25).round(3), [-9.0, 9.0]]))
    p = []
    for label in (0, 1):
        p.append([float(IsotonicRegression().fit(np.append(score, s), np.append(y, label)).predict([s])[0]) for s in at])
    return {"score": score, "y": y, "at": at, "p0": p[0], "p1": p[1]}


def conformal():
    group = np.repeat(np.arange(8), [1, 3, 5, 2, 9, 4, 0, 6])
    n = len(group)
    alpha = rng.integers(0, 30, n) / 10.0
    w = 1 / np.bincount(group, minlength=8)[group]
    at, u, own = np.array([-1, 0.0, 0.5, 1.1, 2.0, 2.9, 5.0]), 0.4, 1.0
    p = [(w[alpha > a].sum() + u * (w[alpha == a].sum() + own)) / (w.sum() + own) for a in at]
    thresholds = []
    for content, level in [(0.9, 0.5), (0.5, 0.8), (0.8, 0.85), (1.0, 0.875), (0.9, 0.9)]:
        tops = sorted(sorted(alpha[group == j])[math.ceil(round(content * np.sum(group == j), 9)) - 1] for j in range(8) if np.any(group == j))
        place = math.ceil(round(level * (len(tops) + 1), 9))
        thresholds.append([content, level, tops[place - 1] if place <= len(tops) else None])
    return {"group": group, "alpha": alpha, "weight": w, "at": at, "u": u, "own": own, "p": p, "thresholds": thresholds}


golden.write_json("model.json", {"made_by": golden.made_by("numpy", "scipy", "sklearn"), "aggregation": aggregation(), "binomial": binomial(),
                                 "isotonic": isotonic(), "venn_abers": venn_abers(), "conformal": conformal()})
