# SPDX-License-Identifier: Apache-2.0
"""Voxelwise degree by numpy: series made unit series, blocks of rows times all rows in float32, counted above the threshold. The
matrix of 20,000 x 20,000 pairs does not fit a small machine, blocks of 1,000 rows do. (AFNI's 3dDegreeCentrality, which loops over
pairs, is not in PyPI and was not timed.)"""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np

FRAMES, BLOCK = 300, 1000


def series(n, rng):
    common = rng.standard_normal((FRAMES, 8), np.float32)
    return 100 + 0.6 * np.tile(common, -(-n // 8))[:, :n] + rng.standard_normal((FRAMES, n), np.float32)


def unit(x):
    x = x - x.mean(0)
    return np.ascontiguousarray((x / np.sqrt((x * x).sum(0))).T)


def degree(x, threshold):
    u, out = unit(x), []
    for i in range(0, len(u), BLOCK):
        out.append((u[i:i + BLOCK] @ u.T > threshold).sum(1) - 1)
    return np.concatenate(out)


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--voxels", type=int, default=20_000)
    cli.add_argument("--save", metavar="DIR", help="write 2,000 voxels, a threshold no pair is near, and their degrees, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    if o.save:
        x = series(2000, rng).astype(np.float32)
        u = unit(x.astype(float))
        r = np.sort((u @ u.T)[np.triu_indices(len(u), 1)])
        near = r[np.searchsorted(r, 0.25):][:2000]
        at = np.argmax(np.diff(near))
        threshold = (near[at] + near[at + 1]) / 2
        assert near[at + 1] - near[at] > 1e-6
        save(o.save, degree_x=x, degree_threshold=np.array([threshold]), degree_want=((u @ u.T > threshold).sum(1) - 1).astype(float))
        return
    x = series(o.voxels, rng)
    _, wall, cpu = timed(lambda: degree(x, 0.25))
    report("numpy", np.__version__, f"degree, {o.voxels} voxels x {FRAMES} frames", wall, cpu, "all", 1)


if __name__ == "__main__":
    main()
