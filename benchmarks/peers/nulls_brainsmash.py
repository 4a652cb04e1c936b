# SPDX-License-Identifier: Apache-2.0
"""Surrogates of matched variogram of 400 regions by BrainSMASH's Base, one job; 100 of 10,000. Distances and set-up are not counted.

--save DIR writes places, a map, and the peer's surrogates for given shuffles and noise."""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np
from brainsmash.mapgen.base import Base
from importlib.metadata import version
from scipy.spatial.distance import cdist

N, MANY, SLICE, GIVEN = 400, 10_000, 100, 4


def scene(rng):
    """Places in the shell of an ellipsoid, and a map of covariance exp(-D / 40 mm)."""
    p = rng.normal(size=(N, 3))
    p = p / np.linalg.norm(p, axis=1, keepdims=True) * [65, 85, 60] * rng.uniform(0.8, 1, (N, 1))
    d = cdist(p, p)
    return p, d, np.linalg.cholesky(np.exp(-d / 40) + 1e-9 * np.eye(N)) @ rng.normal(size=N) + 10


def surrogate(base, x, order, noise):
    """One call of Base with what chance gives."""
    smooth = lambda d: base.smooth_map(x[order][:, None], d)
    fits = [base.regress(base.compute_smooth_variogram(smooth(d)), base._smvar) for d in base.deltas]
    alpha, beta, error = (np.array([float(np.squeeze(f[k])) for f in fits]) for k in range(3))
    best = int(np.argmin(error))
    y = np.sqrt(abs(beta[best])) * smooth(base.deltas[best])[:, 0] + np.sqrt(abs(alpha[best])) * noise
    return np.asarray(y - y.mean())


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--save", metavar="DIR", help="write the input and the answers, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(11)
    p, d, x = scene(rng)
    base = Base(x=x, D=d, seed=1)
    if o.save:
        order, noise = np.array([rng.permutation(N) for _ in range(GIVEN)]), rng.normal(size=(GIVEN, N))
        save(o.save, nulls_place=p, nulls_map=x, nulls_order=order.astype(float), nulls_noise=noise,
             nulls_want=np.array([surrogate(base, x, i, e) for i, e in zip(order, noise)]))
        return
    _, wall, cpu = timed(lambda: base(SLICE, batch_size=SLICE))
    report("BrainSMASH Base", version("brainsmash"), "surrogates of 400 regions", wall, cpu, f"{SLICE} of {MANY:,} surrogates", MANY / SLICE,
           numpy=np.__version__)


if __name__ == "__main__":
    main()
