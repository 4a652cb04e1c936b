# SPDX-License-Identifier: Apache-2.0
"""Channels that read tables, from their definitions with NumPy and scipy: rows in, value and standard error per pair out.

literature: log1p(sum n 2^(-(2016 - year) / 5)), Poisson error. record_signal: rows of a pair pooled by inverse variance, tau^2 by
DerSimonian and Laird per disorder (all disorders together below 5 pairs), posterior mean and error. assay_potency: mean of
hit (p - 4)+ weighted by n. cns_exposure: 6 P(log BB >= -1), classes 90 % right.
"""
import numpy as np
from scipy.stats import norm

from golden import write_tsv

rng = np.random.default_rng(1986)
DRUGS, DISORDERS = 12, 3
rows, want = [], []


def row(kind, drug, disorder, value=np.nan, se=np.nan, n=np.nan, hit=np.nan, year=0, source="a"):
    rows.append([kind, drug, disorder, value, se, n, hit, year, source])


def result(kind, drug, disorder, value, se):
    want.append([kind, drug, disorder, value, se])


for d in range(2):
    for k in range(0, DRUGS, 2):
        years = sorted(rng.choice(np.arange(1995, 2020), size=4, replace=False))
        counts = rng.poisson(3, size=4)
        for y, c in zip(years, counts):
            row("literature", k, d, int(c), year=int(y))
        w = np.array([2.0 ** (-(2016 - y) / 5) if y <= 2016 else 0 for y in years])
        s = (w * counts).sum()
        result("literature", k, d, np.log1p(s), np.sqrt((w**2 * counts).sum()) / (1 + s))

pooled = {}
for d in range(DISORDERS):
    for k in range(DRUGS if d < 2 else 3):  # the last disorder has too few for a prior of its own
        for source in ("a", "b")[: 1 + k % 2]:
            se = round(rng.uniform(0.1, 0.6), 3)
            y = round(0.3 * d + (0.4 * rng.normal() if d != 1 else 0) + se * rng.normal(), 4)
            row("record_signal", k, d, y, se, source=source)
            pooled.setdefault((d, k), []).append((y, se))


def inverse_variance(values):
    y, s = np.array(values).T
    return np.average(y, weights=s**-2), 1 / (s**-2).sum()


def prior(pairs):
    y, v = np.array([inverse_variance(pooled[p]) for p in pairs]).T
    w = 1 / v
    q = (w * (y - np.average(y, weights=w)) ** 2).sum()
    tau2 = max(0, (q - (len(y) - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + tau2)
    return np.average(y, weights=w), tau2, 1 / w.sum()


for d in range(DISORDERS):
    own = [p for p in pooled if p[0] == d]
    mean, tau2, mean_v = prior(own if len(own) >= 5 else list(pooled))
    for p in own:
        y, v = inverse_variance(pooled[p])
        b = v / (v + tau2)
        result("record_signal", p[1], d, b * mean + (1 - b) * y, np.sqrt((1 - b) * v + b * b * mean_v))

for k in range(9):
    parts = []
    for source in ("a", "b", "c")[: 1 + k % 3]:
        hit = [np.nan, 1, 0.6, 0][rng.integers(4)]
        p = np.nan if hit == 0 else round(rng.uniform(3.5, 9), 2)
        se = [np.nan, 0.2][rng.integers(2)]
        n = [np.nan, 2, 5][rng.integers(3)]
        row("assay_potency", k, 1, p, se, n, hit, source=source)
        h, s, m = (1 if np.isnan(hit) else hit), (0.3 if np.isnan(se) else se), (1 if np.isnan(n) else n)
        above = 0 if np.isnan(p) else max(p - 4, 0)
        parts.append((m, h * above, h * (s * s + (1 - h) * above**2)))
    m, e, v = np.array(parts).T
    result("assay_potency", k, 1, (m * e).sum() / m.sum(), np.sqrt((m * m * v).sum()) / m.sum())

for k in range(8):
    if k < 4:
        values = [(round(rng.normal(-0.8, 0.5), 2), [np.nan, 0.1][j % 2]) for j in range(1 + k)]
        for j, (y, s) in enumerate(values):
            row("cns_exposure", k, 0, y, s, source="abcd"[j])
        y, v = inverse_variance([(y, 0.3 if np.isnan(s) else s) for y, s in values])
        z = (y + 1) / np.sqrt(v)
        result("cns_exposure", k, 0, 6 * norm.cdf(z), 6 * norm.pdf(z))
    else:
        classes = rng.integers(2, size=1 + k % 3)
        for j, c in enumerate(classes):
            row("cns_exposure", k, 0, hit=int(c), source="abcd"[j])
        p = np.where(classes, 0.9, 0.1).mean()
        result("cns_exposure", k, 0, 6 * p, 6 * np.sqrt(p * (1 - p) / len(classes)))

write_tsv("tables_rows.tsv", ["kind", "drug", "disorder", "value", "se", "n", "hit", "year", "source"], rows, 12)
write_tsv("tables.tsv", ["kind", "drug", "disorder", "value", "se"], want, 13)
