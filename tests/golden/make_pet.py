#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pet_tacs.tsv and pet.tsv: reference-tissue curves with known truth, and every model fitted with SciPy and NumPy.

The reference is a gamma-like input through one tissue; targets follow the simplified reference tissue model, solved as a
differential equation (solve_ivp) between the middles of the frames, through which the reference runs straight; noise has the
variance 1 / weight. SRTM is fitted by scipy.optimize.least_squares on that solution, the linear models by numpy.linalg.lstsq on
rows times sqrt(weight). Needs numpy and scipy. Writes beside itself.
"""
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

HERE = Path(__file__).resolve().parent
LENGTH = np.array([10] * 3 + [15] * 2 + [30] * 4 + [60] * 4 + [120] * 4 + [300] * 8 + [600] * 2, float) / 60
START = np.concatenate([[0], np.cumsum(LENGTH)[:-1]])
MID = START + LENGTH / 2
WEIGHT = LENGTH.copy()
TRUTH = {"high": (2.4, 0.95, 0.16), "middle": (1.1, 1.1, 0.12), "low": (0.15, 0.9, 0.1), "none": (0.0, 1.0, 0.11)}


def reference():
    t = MID
    return 60 * (t ** 0.9) * np.exp(-t / 6) / 3 + 18 * (1 - np.exp(-t / 2)) * np.exp(-t / 45)


def solve(rate, drive):
    """d b / dt = drive - rate b at the middles, drive straight from 0 at injection through the middles."""
    knots, level = np.concatenate([[0], MID]), np.concatenate([[0], drive])
    b, out = 0.0, []
    for i in range(len(MID)):
        a, z = knots[i], knots[i + 1]
        step = solve_ivp(lambda t, y: np.interp(t, [a, z], level[i:i + 2]) - rate * y, (a, z), [b], rtol=1e-11, atol=1e-13, method="DOP853")
        b = step.y[0, -1]
        out.append(b)
    return np.array(out)


def srtm(theta, ref):
    bp, r1, k2 = theta
    rate = k2 / (1 + bp)
    return r1 * ref + (k2 - r1 * rate) * solve(rate, ref)


def integral(y):
    """Frames are constant; they follow one another here."""
    return np.cumsum(y * LENGTH) - y * LENGTH / 2


def wls(x, y, w):
    keep = w > 0
    root = np.sqrt(w[keep])[:, None]
    beta, *_ = np.linalg.lstsq(x[keep] * root, y[keep] * root[:, 0], rcond=None)
    rest = (y[keep] - x[keep] @ beta) * root[:, 0]
    cov = rest @ rest / (keep.sum() - x.shape[1]) * np.linalg.inv((x[keep] * root).T @ (x[keep] * root))
    return beta, cov


def error(gradient, cov):
    g = np.array(gradient)
    return float(np.sqrt(g @ cov @ g))


def fits(name, y, ref):
    rows = []

    def add(model, parameter, value, se):
        rows.append((name, model, parameter, value, se))

    fit = least_squares(lambda p: np.sqrt(WEIGHT) * (srtm(p, ref) - y), (0.5, 1, 0.1), x_scale=(1, 1, 0.1), xtol=1e-14, ftol=1e-14, gtol=1e-14,
                        diff_step=1e-6, jac="3-point")
    cov = 2 * fit.cost / (len(y) - 3) * np.linalg.inv(fit.jac.T @ fit.jac)
    for k, parameter in enumerate(("bp_nd", "r1", "k2_per_min")):
        add("srtm", parameter, fit.x[k], np.sqrt(cov[k, k]))
    whole, ref_whole = integral(y), integral(ref)
    (a, b, c), cov = wls(np.stack([ref_whole, whole, ref], 1), y, WEIGHT)
    add("mrtm", "bp_nd", -a / b - 1, error((-1 / b, a / b ** 2, 0), cov))
    add("mrtm", "r1", c, np.sqrt(cov[2, 2]))
    add("mrtm", "k2_per_min", a, np.sqrt(cov[0, 0]))
    add("mrtm", "k2_prime_per_min", a / c, error((1 / c, 0, -a / c ** 2), cov))
    prime = 0.12
    (a, b), cov = wls(np.stack([ref_whole + ref / prime, whole], 1), y, WEIGHT)
    add("mrtm2", "bp_nd", -a / b - 1, error((-1 / b, a / b ** 2), cov))
    add("mrtm2", "r1", a / prime, np.sqrt(cov[0, 0]) / prime)
    add("mrtm2", "k2_per_min", a, np.sqrt(cov[0, 0]))
    late = np.where(START >= 20 - 1e-6, WEIGHT, 0)
    ones = np.ones_like(y)
    for model, extra in (("logan", 0.0), ("logan_k2", ref / prime)):
        (slope, _), cov = wls(np.stack([(ref_whole + extra) / y, ones], 1), whole / y, late)
        add(model, "bp_nd", slope - 1, np.sqrt(cov[0, 0]))
    (slope, intercept), cov = wls(np.stack([ref_whole / ref, ones], 1), y / ref, late)
    add("patlak", "ki_per_min", slope, np.sqrt(cov[0, 0]))
    add("patlak", "intercept", intercept, np.sqrt(cov[1, 1]))
    w = (START >= 30 - 1e-6) & (START + LENGTH <= 60 + 1e-6)
    value = (y * LENGTH)[w].sum() / (ref * LENGTH)[w].sum()
    rest = (LENGTH * (y - value * ref))[w]
    add("suvr", "suvr", value, np.sqrt((rest ** 2).sum() * w.sum() / (w.sum() - 1)) / (ref * LENGTH)[w].sum())
    return rows


def main():
    rng = np.random.default_rng(20)
    ref = reference().astype(np.float32).astype(float)
    curves, rows = {"reference": ref}, []
    for name, truth in TRUTH.items():
        clean = srtm(truth, ref)
        noisy = clean + 0.3 * rng.standard_normal(len(clean)) / np.sqrt(WEIGHT)
        curves[name] = noisy.astype(np.float32).astype(float)
        curves[name + "_clean"] = clean.astype(np.float32).astype(float)
    for name, y in curves.items():
        if name != "reference" and not name.endswith("_clean"):
            rows += fits(name, y, ref)
    with open(HERE / "pet_tacs.tsv", "w") as f:
        f.write("\t".join(["frame_start", "frame_end", *curves]) + "\n")
        for i in range(len(MID)):
            cells = [f"{START[i] * 60:.9g}", f"{(START[i] + LENGTH[i]) * 60:.9g}", *(f"{c[i]:.9g}" for c in curves.values())]
            f.write("\t".join(cells) + "\n")
    with open(HERE / "pet.tsv", "w") as f:
        f.write("region\tmodel\tparameter\tvalue\tse\n")
        f.writelines("\t".join((r, m, p, f"{v:.12g}", f"{s:.12g}")) + "\n" for r, m, p, v, s in rows)


if __name__ == "__main__":
    main()
