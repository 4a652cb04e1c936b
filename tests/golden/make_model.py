# SPDX-License-Identifier: Apache-2.0
"""What stands beside the hierarchical model, from other programs: robust rank aggregation by scipy.special.betainc, binomial intervals by
scipy.stats, isotonic regression and Venn-Abers pairs by scikit-learn's IsotonicRegression refitted for every new score, conformal p
values summed pair by pair; the elastic net by scikit-learn's saga; calibration by scikit-learn's logistic and isotonic regression, loess by
numpy. Writes model.json.
"""
import math

import numpy as np
from scipy import stats
from scipy.special import betainc
from scipy.optimize import brentq
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

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


def net_fit(x, y, w, lam, alpha):
    mean = np.average(x, axis=0, weights=w)
    sd = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
    m = LogisticRegression(l1_ratio=alpha, C=1 / (lam * w.sum()), solver="saga", tol=1e-13, max_iter=500000).fit((x - mean) / sd, y, sample_weight=w)
    coef = m.coef_[0] / sd
    return m.intercept_[0] - coef @ mean, coef


def elastic_net():
    n, f, folds, alpha = 240, 6, 5, 0.2
    x = rng.normal(size=(n, f)) * np.array([1, 3, 0.2, 1, 1, 10])
    x[:, 3] += 0.7 * x[:, 0]
    x = x.round(3)
    y = (rng.random(n) < 1 / (1 + np.exp(1.2 - x[:, 0] - 0.2 * x[:, 1] + 3 * x[:, 2]))).astype(int)
    w = rng.choice([0.5, 1.0, 2.0], n)
    fold = rng.integers(0, folds, n)
    lam = np.array([0.3, 0.1, 0.03, 0.01, 0.003])
    path = [net_fit(x, y, w, v, alpha) for v in lam]
    deviance = np.empty((folds, len(lam)))
    weight = np.array([w[fold == k].sum() for k in range(folds)])
    for k in range(folds):
        out = fold == k
        for i, v in enumerate(lam):
            a, b = net_fit(x[~out], y[~out], w[~out], v, alpha)
            p = np.clip(1 / (1 + np.exp(-(a + x[out] @ b))), 1e-5, 1 - 1e-5)
            deviance[k, i] = np.average(-2 * np.log(np.where(y[out] == 1, p, 1 - p)), weights=w[out])
    mean = np.average(deviance, axis=0, weights=weight)
    se = np.sqrt(np.average((deviance - mean) ** 2, axis=0, weights=weight) / (folds - 1))
    best = int(mean.argmin())
    return {"features": f, "folds": folds, "alpha": alpha, "x": x.ravel(), "y": y, "w": w, "fold": fold, "lambda": lam, "intercept": [a for a, _ in path],
            "coef": np.array([b for _, b in path]).ravel(), "deviance": mean, "deviance_se": se, "best": best,
            "one_se": int(np.flatnonzero(mean <= mean[best] + se[best])[0])}


def loess(p, y, span, at):
    q, out = int(np.floor(span * len(p) + 1e-9)), []
    for a in at:
        d = np.abs(p - a)
        h = np.sort(d)[q - 1]
        k = np.where(d < h, (1 - (d / h) ** 3) ** 3, 0)
        root = np.sqrt(k)
        line = np.linalg.lstsq(np.c_[np.ones(len(p)), p - a] * root[:, None], y * root, rcond=None)[0]
        out.append(np.clip(line[0], 0, 1))
    return np.array(out)


def calibration():
    n = 300
    logit = rng.normal(-1, 1.5, n).round(2)
    y = (rng.random(n) < 1 / (1 + np.exp(-(0.4 + 0.6 * logit)))).astype(int)
    p = 1 / (1 + np.exp(-logit))
    m = LogisticRegression(C=np.inf, tol=1e-13, max_iter=10000, solver="newton-cholesky").fit(logit[:, None], y)
    design = np.c_[np.ones(n), logit]
    f = 1 / (1 + np.exp(-(m.intercept_[0] + m.coef_[0, 0] * logit)))
    se = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * (f * (1 - f))[:, None]))))
    large = brentq(lambda a: np.sum(y - 1 / (1 + np.exp(-(a + logit)))), -5, 5, xtol=1e-14)
    f = 1 / (1 + np.exp(-(large + logit)))
    brier, null = np.mean((p - y) ** 2), y.mean() * (1 - y.mean())
    s = np.sort(p)
    at = np.unique(s[np.arange(201) * (n - 1) // 200])
    far = np.abs(np.interp(p, at, loess(p, y, 0.75, at)) - p)
    iso = IsotonicRegression().fit(p, y).predict(p)
    order = np.lexsort((y, p))
    bins, i = [], 0
    for b in range(1, 11):
        j = max(i, n * b // 10)
        while 0 < j < n and p[order[j]] == p[order[j - 1]] and j > i:
            j += 1
        part = order[i:j]
        if len(part):
            t = stats.binomtest(int(y[part].sum()), len(part)).proportion_ci(0.9, "wilson")
            bins.append([len(part), int(y[part].sum()), p[part].mean(), y[part].mean(), t.low, t.high])
        i = j
    places = [0.0, 0.05, 0.2, 0.5, 0.9, 1.0]
    return {"logit": logit, "y": y, "oe": y.sum() / p.sum(), "large": large, "large_se": 1 / np.sqrt(np.sum(f * (1 - f))), "intercept": m.intercept_[0],
            "slope": m.coef_[0, 0], "intercept_se": se[0], "slope_se": se[1], "brier": brier, "brier_null": null, "ipa": 1 - brier / null,
            "log_loss": -np.mean(np.log(np.where(y == 1, p, 1 - p))), "ici": far.mean(), "e50": np.quantile(far, 0.5), "e90": np.quantile(far, 0.9),
            "e_max": far.max(), "miscalibration": brier - np.mean((iso - y) ** 2), "discrimination": null - np.mean((iso - y) ** 2), "uncertainty": null,
            "bins": bins, "places": places, "loess": loess(p, y, 0.5, places)}


golden.write_json("model.json", {"made_by": golden.made_by("numpy", "scipy", "sklearn"), "aggregation": aggregation(), "binomial": binomial(),
                                 "isotonic": isotonic(), "venn_abers": venn_abers(), "conformal": conformal(), "elastic_net": elastic_net(),
                                 "calibration": calibration()})
