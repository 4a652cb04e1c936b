# SPDX-License-Identifier: Apache-2.0
"""One group of sixteen surrogates of matched variogram of very many places, by NumPy and SciPy from the definition at nep_sampled_voxels: the
voxels of a mask whose axes are oblique, and places off any grid in two hemispheres. Every distance is in a table, every neighbourhood a sort
of its row: no shells, no lists of offsets, no sums side by side."""
import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import linregress

from golden import made_by, write_json

COLS, LAGS = 16, 25
SHARES = (0.3, 0.5, 0.7, 0.9)


def nearest(p, block, k):
    """The k nearest of each place in its block, equals in the order of places: their numbers and distances."""
    d = np.round(cdist(p, p), 9)  # what is equally far is so exactly
    d[block[:, None] != block[None, :]] = np.inf
    np.fill_diagonal(d, np.inf)
    near = np.argsort(d, axis=1, kind="stable")[:, :k]
    return near, np.take_along_axis(d, near, axis=1)


def variogram(x, near, far, sample, lag):
    """Half the squared differences of the sample's pairs, by a Gaussian about each lag."""
    use = far[sample] < lag[-1]
    d = far[sample][use]
    v = (0.5 * (x[sample][:, None] - x[near[sample]]) ** 2)[use]
    w = np.exp(-0.5 * (2.68 * (d[None, :] - lag[:, None]) / (3 * (lag[1] - lag[0]))) ** 2)
    return w @ v / w.sum(axis=1)


def smooth(x, near, far, share):
    k = int(round(share * near.shape[1]))
    w = np.exp(-far[:, :k] / far[:, k - 1:k])
    return (w * x[near[:, :k]]).sum(axis=1) / w.sum(axis=1)


def group(rng, p, block, neighbours, n_sample):
    n = len(p)
    near, far = nearest(p, block, neighbours)
    same = np.exp(-cdist(p, p) / 25) + 1e-6 * np.eye(n)
    x = np.round(3 + 2 * np.linalg.cholesky(same) @ rng.normal(size=n), 4)
    sd = x.std()
    z = (x - x.mean()) / sd
    lag = np.linspace(far.min(), np.percentile(far, 70), LAGS)
    sample = rng.choice(n, n_sample, replace=False)
    target = variogram(z, near, far, sample, lag)
    order = np.array([rng.permutation(n) for _ in range(COLS)])
    noise = np.round(rng.normal(size=(COLS, n)), 3)
    scale, alpha, beta, value = [], [], [], []
    for c in range(COLS):
        maps = [smooth(z[order[c]], near, far, s) for s in SHARES]
        gamma = [variogram(m, near, far, sample, lag) for m in maps]
        fits = [linregress(g, target) for g in gamma]
        off = [((target - f.intercept - f.slope * g) ** 2).sum() for f, g in zip(fits, gamma)]
        best = int(np.argmin(off))
        assert sorted(off)[1] > 1.0001 * min(off), "which smoothing fits best hangs on rounding: take another seed"
        y = np.sqrt(abs(fits[best].slope)) * maps[best] + np.sqrt(abs(fits[best].intercept)) * noise[c]
        scale.append(best)
        alpha.append(fits[best].intercept)
        beta.append(fits[best].slope)
        value.append(np.round(sd * (y - y.mean()), 6))
    return {"map": x, "neighbours": neighbours, "sample": sample, "order": order, "noise": noise, "lag": lag, "scale": scale, "alpha": alpha,
            "beta": beta, "value": value}


def voxels(rng, dims, affine, neighbours, n_sample):
    at = np.stack(np.meshgrid(*[np.arange(d) for d in dims], indexing="ij"), -1).reshape(-1, 3, order="F")  # i fastest
    centre = (np.array(dims) - 1) / 2
    mask = (np.linalg.norm((at - centre) / (np.array(dims) / 2), axis=1) < 1) & ~((at[:, 1] > centre[1]) & (abs(at[:, 0] - centre[0]) < 1))
    p = at[mask] @ affine[:, :3].T + affine[:, 3]
    return {"dims": dims, "affine": affine, "mask": "".join("01"[int(m)] for m in mask),
            **group(rng, p, np.zeros(len(p), int), neighbours, n_sample)}


def places(rng, n, neighbours, n_sample):
    """Two half ellipsoids that nearly touch."""
    p = rng.normal(size=(n, 3))
    p = p / np.linalg.norm(p, axis=1, keepdims=True) * [30, 70, 50]
    block = np.arange(n) % 2
    p[:, 0] = np.where(block == 0, -1, 1) * (abs(p[:, 0]) + 2)
    p = np.round(p, 2)
    return {"place": p, "block": block, **group(rng, p, block, neighbours, n_sample)}


def main():
    rng = np.random.default_rng(5)
    turn = np.array([[2.0, 0.4, 0, -9], [-0.4, 2.2, 0.3, 4], [0.1, -0.5, 3, 2]])
    write_json("sampled_group.json", {"made_by": made_by("numpy", "scipy"), "voxels": voxels(rng, [8, 9, 7], turn, 50, 40),
                                      "places": places(rng, 260, 60, 45)})


if __name__ == "__main__":
    main()
