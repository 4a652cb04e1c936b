# SPDX-License-Identifier: Apache-2.0
"""ReHo of 27 neighbours, vectorised: SciPy's rankdata along time, ties counted on the sorted ranks, sums over neighbours along one axis
after another. 300 frames x 226,981 voxels (61 x 61 x 61), on a slab of slices; the outermost ones are neighbours only."""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np
import scipy
from scipy.stats import rankdata


def box(a):
    """Sums over 3 x 3 x 3 neighbours, fewer at the edges."""
    for axis in range(3):
        whole = a.copy()
        inner = [slice(None)] * a.ndim
        outer = [slice(None)] * a.ndim
        inner[axis], outer[axis] = slice(1, None), slice(None, -1)
        whole[tuple(inner)] += a[tuple(outer)]
        whole[tuple(outer)] += a[tuple(inner)]
        a = whole
    return a


def reho(x):
    """x [z, y, x, t]."""
    n = x.shape[3]
    rank = rankdata(x, axis=3)
    order = np.sort(rank, axis=3)
    at = np.flatnonzero(np.concatenate([np.ones((*x.shape[:3], 1), bool), np.diff(order, axis=3) != 0], axis=3))
    length = np.diff(at, append=x.size)  # of runs of equal ranks
    tie = np.bincount(at // n, weights=(length.astype(float) ** 3 - length), minlength=x.size // n).reshape(x.shape[:3])
    k = box(np.ones(x.shape[:3]))
    s = np.square(box(rank)).sum(axis=3)
    return (12 * s - 3 * k ** 2 * n * (n + 1) ** 2) / (k ** 2 * n * (n ** 2 - 1) - k * box(tie))


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--frames", type=int, default=300)
    cli.add_argument("--side", type=int, default=61)
    cli.add_argument("--slices", type=int, default=6)
    cli.add_argument("--save", metavar="DIR", help="write a volume of 20 x 20 x 6 with ties and its answer, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    if o.save:
        x = rng.standard_normal((6, 20, 20, o.frames)) + rng.standard_normal(o.frames)
        x[3:] = np.round(8 * x[3:]) / 8
        x = x.astype(np.float32)
        save(o.save, reho_x=np.ascontiguousarray(x.reshape(-1, o.frames).T), reho_want=reho(x))
        return
    x = rng.standard_normal((o.slices, o.side, o.side, o.frames), dtype=np.float32)
    _, wall, cpu = timed(lambda: reho(x))
    report("numpy, scipy rankdata", scipy.__version__, f"ReHo, {o.frames} frames x {o.side ** 3} voxels", wall, cpu,
           f"{o.slices} of {o.side} slices", o.side / o.slices)


if __name__ == "__main__":
    main()
