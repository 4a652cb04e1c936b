#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""glm_z.tsv: the normal deviate of t and F with the same upper tail, by SciPy while the tail is a number (isf of sf), by mpmath
with 60 digits and more where it is not. Needs Debian's python3-scipy and python3-mpmath. Writes beside itself.
"""
import mpmath as mp
from scipy import stats

from golden import write_tsv


def log_beta_tail(a, b, x):
    """log of the regularised incomplete beta function at x, small x: its power series."""
    a, b, x = map(mp.mpf, (a, b, x))
    return mp.log(mp.hyp2f1(a + b, 1, a + 1, x)) + a * mp.log(x) + b * mp.log1p(-x) - mp.log(a) - mp.log(mp.beta(a, b))


def deviate(log_p):
    """z with this logarithm of the upper tail."""
    tail = lambda z: mp.log(mp.erfc(z / mp.sqrt(2)) / 2) - log_p
    return mp.findroot(tail, mp.sqrt(-2 * log_p))


def main():
    mp.mp.dps = 60
    rows = []
    for df in (1, 3, 8.5, 30, 104, 1000):
        for t in (1e-9, 0.01, 0.4, 1, 2, 3.3, 5, 9, 20, -0.7, -4.2, -12):
            p = stats.t.sf(abs(t), df)
            if p > 1e-280:
                rows.append(["t", t, df, 0, float((1 if t > 0 else -1) * stats.norm.isf(p))])
        for t in (60, 300, 5000, 1e7):
            x = mp.mpf(df) / (df + mp.mpf(t) ** 2)
            rows.append(["t", t, df, 0, float(deviate(log_beta_tail(mp.mpf(df) / 2, mp.mpf(1) / 2, x) - mp.log(2)))])
    for df1, df2 in ((1, 12), (3, 104), (7, 40), (2, 900)):
        for f in (1e-4, 0.05, 0.5, 1, 2, 4, 11, 40):
            p, q = stats.f.sf(f, df1, df2), stats.f.cdf(f, df1, df2)
            if p > 1e-280:
                rows.append(["f", f, df1, df2, float(stats.norm.isf(p) if p < q else stats.norm.ppf(q))])
        for f in (500, 2e4, 1e9):
            x = mp.mpf(df2) / (df2 + df1 * mp.mpf(f))
            rows.append(["f", f, df1, df2, float(deviate(log_beta_tail(mp.mpf(df2) / 2, mp.mpf(df1) / 2, x)))])
    write_tsv("glm_z.tsv", ["test", "stat", "df1", "df2", "z"], rows, 15)


if __name__ == "__main__":
    main()
