# SPDX-License-Identifier: Apache-2.0
"""Connectivity scores, naively: the whole walk down the list gene by gene, each jackknife value a new computation.

Written from the formulas of Subramanian 2005, 2017 (ES, WTCS), Lamb 2006 (KS), Cheng 2014 (Sum, XSum, cosine) and Samart 2021 (RGES).
Equal z are one step of the walk; ranks of KS are scipy's mean ranks; extremes are 8 a side, ties at the edge included.
"""
import numpy as np
from scipy.stats import rankdata

from golden import made_by, write_json

EXTREME = 8


def es(z, members, p=1):
    order = np.argsort(-z, kind="stable")
    hit = np.isin(order, members)
    if not (np.abs(z[members]) ** p).sum() > 0 or hit.all():
        return np.nan
    step = np.where(hit, np.abs(z[order]) ** p / (np.abs(z[members]) ** p).sum(), -1 / (~hit).sum())
    walk = np.cumsum(step)
    last = np.append(np.diff(z[order]) != 0, True)
    walk = np.append(0, walk[last])
    high, low = walk.max(), walk.min()
    return 0.0 if abs(high + low) <= 1e-12 else high if high > -low else low


def ks(z, members):
    n, t = len(z), len(members)
    v = np.sort(rankdata(-z)[members])
    j = np.arange(1, t + 1)
    a, b = (j / t - v / n).max(), (v / n - (j - 1) / t).max()
    return a if a > b else -b


def sides(f, z, up, down, share):
    if not len(down):
        return f(z, up)
    if not len(up):
        return -f(z, down)
    u, d = f(z, up), f(z, down)
    return np.nan if np.isnan(u + d) else 0.0 if u * d > 0 else (u - d) * share


def extremes(z):
    s = np.sort(z)
    return (z >= s[-EXTREME]) | (z <= s[EXTREME - 1])


def scores(z, gene, weight):
    up, down = gene[weight > 0], gene[weight < 0]
    x = extremes(z)
    d = np.zeros(len(z))
    d[gene] = weight
    return {
        "wtcs": sides(es, z, up, down, 0.5),
        "xsum": z[up][x[up]].sum() - z[down][x[down]].sum(),
        "cosine": (d * z)[x].sum() / np.sqrt((d**2).sum() * (z[x] ** 2).sum()),
        "ks": sides(ks, z, up, down, 1),
        "sum": z[up].sum() - z[down].sum(),
        "rges": (abs(ks(z, up)) if len(up) else 0) - (abs(ks(z, down)) if len(down) else 0),
    }


def case(z, gene, weight):
    """The list may have NaN: genes not measured are dropped from both."""
    z, gene, weight = np.asarray(z, float), np.asarray(gene), np.asarray(weight, float)
    known = ~np.isnan(z)
    new = np.cumsum(known) - 1
    keep = known[gene]
    zz, g, w = z[known], new[gene[keep]], weight[keep]
    full = scores(zz, g, w)
    left = [scores(zz, np.delete(g, i), np.delete(w, i)) for i in range(len(g))]
    n = len(g)
    se = {k: np.sqrt((n - 1) / n * ((np.array([x[k] for x in left]) - np.mean([x[k] for x in left])) ** 2).sum()) for k in full}
    u, d = g[w > 0], g[w < 0]
    return {"z": z, "gene": gene, "weight": weight, "score": full, "se": se, "es_up": es(zz, u) if len(u) else None,
            "es_down": es(zz, d) if len(d) else None}


rng = np.random.default_rng(2017)
z = rng.normal(size=60).round(3)
z[[7, 21, 44]] = np.nan
tied = np.round(rng.normal(size=60) * 1.5)
up, down = np.array([3, 7, 12, 18, 30, 41]), np.array([2, 9, 21, 25, 33, 52, 57])
sets = np.append(up, down), np.append(np.ones(6), -np.ones(7))
best = np.argsort(np.where(np.isnan(z), 0, z))
cases = {
    "plain": case(z, *sets),
    "tied": case(tied, *sets),
    "up_only": case(z, up, np.ones(6)),
    "down_only": case(tied, down, -np.ones(7)),
    "weighted": case(z, sets[0], sets[1] * rng.uniform(0.5, 3, size=13).round(2)),
    "reversed": case(z, np.append(best[:6], best[-5:]), np.append(np.ones(6), -np.ones(5))),
    "same_side": case(z, np.append(best[-6:], best[-12:-6]), np.append(np.ones(6), -np.ones(6))),
}
for i in range(12):
    n = rng.integers(5, 30)
    cases[f"random_{i}"] = case(np.round(rng.normal(size=60), rng.integers(1, 3)), rng.choice(60, n, replace=False), rng.choice([-1.0, 1.0], n))
wtcs = rng.normal(size=40).round(3) * (rng.uniform(size=40) > 0.2)
group = rng.integers(3, size=40)
ncs = np.zeros(40)
for i in range(40):
    same = (group == group[i]) & (np.sign(wtcs) == np.sign(wtcs[i])) & (wtcs != 0)
    ncs[i] = wtcs[i] / max(np.abs(wtcs[same]).mean(), 0.01) if wtcs[i] else 0
reference = rng.normal(size=600).round(2)
tau = [np.sign(x) * 100 * (np.abs(reference) < abs(x)).mean() for x in ncs]
write_json("signature.json", {"made_by": made_by("numpy", "scipy"), "extreme": EXTREME, "cases": cases, "wtcs": wtcs, "group": group, "floor": 0.01,
                              "ncs": ncs, "reference": reference, "tau": tau})
