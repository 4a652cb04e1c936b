# SPDX-License-Identifier: Apache-2.0
"""Surrogates of matched variogram of the voxels of a mask, and of places off any grid, by BrainSMASH 0.11.0: the steps of Sampled for a given shuffle, noise and sample, and
what many surrogates are like. Distances are sorted stably, so voxels that are equally far come in the image's order."""
import numpy as np
from brainsmash.mapgen.sampled import Sampled
from scipy.spatial.distance import cdist

from golden import made_by, write_json

MANY = 300
LEVELS = [0.5, 0.9]


def scene(rng, dims, affine, length):
    """An ellipsoid with a dent and a hole; a map of covariance exp(-D / length)."""
    at = np.stack(np.meshgrid(*[np.arange(d) for d in dims], indexing="ij"), -1).reshape(-1, 3, order="F")  # i fastest
    centre = (np.array(dims) - 1) / 2
    away = np.linalg.norm((at - centre) / (np.array(dims) / 2 - 0.3), axis=1)
    mask = (away < 1) & ~((at[:, 0] > centre[0]) & (abs(at[:, 1] - centre[1]) < 1.5)) & ~(np.linalg.norm(at - centre + 3, axis=1) < 1.2)
    p = at[mask] @ affine[:, :3].T + affine[:, 3]
    d = cdist(p, p)
    x = np.linalg.cholesky(np.exp(-d / length) + 1e-9 * np.eye(len(p))) @ rng.normal(size=(len(p), 2))
    return mask, d, np.round(x + [10, 0], 4)


def sampled(x, d, knn, ns):
    d = np.round(d, 6)  # what is equally far is so exactly
    index = np.argsort(d, axis=1, kind="stable")
    return Sampled(x=x, D=np.take_along_axis(d, index, 1), index=index, knn=knn, ns=ns, seed=1)


def steps(rng, dims, affine, knn, ns):
    mask, d, x = scene(rng, dims, affine, 12.0)
    return {"dims": dims, "affine": affine, "mask": "".join("01"[int(m)] for m in mask), **blend(rng, x[:, 0], d, knn, ns)}


def points(rng, n, knn, ns):
    """Places on a sphere of 100 mm."""
    p = rng.normal(size=(n, 3))
    p = np.round(100 * p / np.linalg.norm(p, axis=1, keepdims=True), 3)
    d = cdist(p, p)
    x = np.linalg.cholesky(np.exp(-d / 40) + 1e-9 * np.eye(n)) @ rng.normal(size=n)
    return {"place": p, **blend(rng, np.round(x + 10, 4), d, knn, ns)}


def blend(rng, x, d, knn, ns):
    s = sampled(x, d, knn, ns)
    order, noise, sample = rng.permutation(len(x)), np.round(rng.normal(size=len(x)), 4), rng.choice(len(x), ns, replace=False)
    near = s._D[sample]
    used = near < s._dmax
    gamma = lambda y: s.smooth_variogram(near[used], s.compute_variogram(y, sample)[used])
    target = gamma(x)
    smooth = [s.smooth_map(x[order], int(delta * knn)) for delta in s.deltas]
    alpha, beta, error = np.array([s.regress(gamma(y), target) for y in smooth]).T
    best = int(np.argmin(error))
    y = np.sqrt(abs(beta[best])) * smooth[best] + np.sqrt(abs(alpha[best])) * noise
    return {"map": x, "neighbours": knn, "order": order, "noise": noise, "sample": sample, "lag": s.h, "target": target, "alpha": alpha, "beta": beta, "best": best, "value": np.round(y - y.mean(), 6)}


def likeness(rng, dims, affine, knn, ns):
    mask, d, x = scene(rng, dims, affine, 12.0)
    s = sampled(x[:, 0], d, knn, ns)
    every = np.arange(len(x))
    used = s._D < s._dmax
    gamma = lambda y: s.smooth_variogram(s._D[used], s.compute_variogram(y, every)[used])
    target, y = gamma(x[:, 0]), np.array([s._call_method(rs=i) for i in range(MANY)])
    error = np.array([np.sqrt(((gamma(row) - target) ** 2).mean()) for row in y]) / target.mean()
    r = np.array([np.corrcoef(row, x[:, 1])[0, 1] for row in y])
    return {"dims": dims, "affine": affine, "mask": "".join("01"[int(m)] for m in mask), "map": x[:, 0], "other": x[:, 1], "neighbours": knn, "n_sample": ns,
            "target": target, "n_surrogates": MANY, "error_mean": error.mean(), "error_se": error.std() / np.sqrt(MANY), "level": LEVELS,
            "abs_r": np.quantile(abs(r), LEVELS), "sd": y.std(axis=1).mean()}


def main():
    rng = np.random.default_rng(12)
    cube = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72]])
    turn = np.array([[2.0, 0.3, 0, 5], [-0.3, 2, 0.2, -7], [0, -0.4, 3, 1]])
    write_json("sampled.json", {"made_by": made_by("numpy", "scipy") + ", brainsmash 0.11.0",
                                "steps": [steps(rng, [13, 15, 11], cube, 100, 60), steps(rng, [12, 13, 9], turn, 60, 300)],
                                "points": points(rng, 500, 80, 60),
                                "made_up": likeness(rng, [13, 14, 12], cube, 120, 100)})


if __name__ == "__main__":
    main()
