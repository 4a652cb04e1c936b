# SPDX-License-Identifier: Apache-2.0
"""SRTM by scipy's curve_fit, a voxel at a time, as PET packages do it: the reference on a grid of 1,024 steps, a discrete
convolution per trial, three bounded parameters. 26 frames x 228,000 voxels, on a slice of voxels."""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np
import scipy
from scipy.optimize import curve_fit
from scipy.signal import fftconvolve

LENGTH = np.array([10] * 3 + [15] * 2 + [30] * 4 + [60] * 4 + [120] * 4 + [300] * 7 + [600] * 2, float) / 60
START = np.concatenate([[0], np.cumsum(LENGTH)[:-1]])
MID = START + LENGTH / 2


def reference(t):
    return 60 * t ** 0.9 * np.exp(-t / 6) / 3 + 18 * (1 - np.exp(-t / 2)) * np.exp(-t / 45)


def srtm(grid, ref, bp, r1, k2):
    rate = k2 / (1 + bp)
    convolved = fftconvolve(ref, np.exp(-rate * grid))[:len(grid)] if len(grid) > 2000 else np.convolve(ref, np.exp(-rate * grid))[:len(grid)]
    return np.interp(MID, grid, r1 * ref + (k2 - r1 * rate) * convolved * grid[1])


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--whole", type=int, default=228_000)
    cli.add_argument("--voxels", type=int, default=150)
    cli.add_argument("--save", metavar="DIR", help="write frames, reference, 200 curves and their answers, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    n = 200 if o.save else o.voxels
    level = np.concatenate([[0], reference(MID)])
    grid = np.linspace(0, MID[-1], 32768 if o.save else 1024)  # 1,024 steps bias the answer; the check is against many
    ref = np.interp(grid, np.concatenate([[0], MID]), level)
    truth = np.stack([rng.uniform(0.3, 3, n), rng.uniform(0.7, 1.3, n), rng.uniform(0.06, 0.3, n)], 1)
    curves = np.stack([srtm(grid, ref, *p) for p in truth], 1) + 0.3 * rng.standard_normal((len(MID), n)) / np.sqrt(LENGTH)[:, None]
    curves = curves.astype(np.float32)
    fit = lambda y: curve_fit(lambda _, *p: srtm(grid, ref, *p), MID, y, (1.5, 1, 0.1), sigma=1 / np.sqrt(LENGTH),
                              bounds=((0, 0, 0), (15, 10, 1)))[0]
    if o.save:
        want = np.stack([fit(curves[:, v].astype(float)) for v in range(n)])
        save(o.save, srtm_frames=np.stack([START * 60, LENGTH * 60]), srtm_reference=level[1:].copy(), srtm_x=np.ascontiguousarray(curves),
             srtm_want=want)
        return
    _, wall, cpu = timed(lambda: [fit(curves[:, v].astype(float)) for v in range(n)])
    report("scipy curve_fit", scipy.__version__, f"SRTM, {len(MID)} frames x {o.whole} voxels", wall, cpu, f"{o.voxels} voxels", o.whole / o.voxels)


if __name__ == "__main__":
    main()
