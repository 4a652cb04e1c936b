# SPDX-License-Identifier: Apache-2.0
"""ALFF as XCP-D computes it: a periodogram of SciPy's per voxel. 300 frames x 228,000 voxels, on a slice of voxels."""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np
import scipy
from scipy.signal import periodogram

TR, LOW, HIGH = 2.0, 0.01, 0.08


def alff(x):
    """x [t, voxels]."""
    out = np.zeros(x.shape[1])
    for v in range(x.shape[1]):
        s = x[:, v].std()
        f, power = periodogram((x[:, v] - x[:, v].mean()) / s, fs=1 / TR, scaling="spectrum", detrend="constant")
        at = np.argmin(np.abs(f - LOW)), np.argmin(np.abs(f - HIGH))
        out[v] = len(at) * np.mean(np.sqrt(power)[at[0]:at[1]]) * s
    return out


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--frames", type=int, default=300)
    cli.add_argument("--whole", type=int, default=228_000)
    cli.add_argument("--voxels", type=int, default=4000)
    cli.add_argument("--save", metavar="DIR", help="write 500 voxels and their answer, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    x = (1000 + 10 * rng.standard_normal((o.frames, 500 if o.save else o.voxels))).astype(np.float32)
    if o.save:
        save(o.save, alff_x=x, alff_want=alff(x.astype(float)))
        return
    wide = x.astype(float)
    _, wall, cpu = timed(lambda: alff(wide))
    report("scipy periodogram", scipy.__version__, f"ALFF, {o.frames} frames x {o.whole} voxels", wall, cpu, f"{o.voxels} voxels",
           o.whole / o.voxels)


if __name__ == "__main__":
    main()
