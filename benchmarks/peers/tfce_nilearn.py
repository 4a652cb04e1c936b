# SPDX-License-Identifier: Apache-2.0
"""nilearn's calculate_tfce (100 steps, both signs, 6 neighbours) on one map of 91 x 109 x 91: noise smoothed by 2 voxels.
--save also asks Workbench (`wb_command -volume-tfce`, exact) for its answer and leaves the map as tfce_map.nii."""
import argparse
import os
import subprocess

from peer import report, save, timed  # before numpy
import nibabel
import nilearn
import numpy as np
from nilearn.mass_univariate._utils import calculate_tfce
from scipy import ndimage

SHAPE = (91, 109, 91)


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--repeats", type=int, default=1)
    cli.add_argument("--save", metavar="DIR", help="write the map and both answers, time nothing")
    o = cli.parse_args()
    x = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(SHAPE[::-1]), 2).T
    x = (x / x.std()).astype(np.float32)
    run = lambda: calculate_tfce(x[..., None].astype(float), ndimage.generate_binary_structure(3, 1))[..., 0]
    if o.save:
        os.makedirs(o.save, exist_ok=True)
        given, made = (os.path.join(o.save, f"tfce_{name}.nii") for name in ("map", "workbench"))
        nibabel.save(nibabel.Nifti1Image(x, np.diag([2.0, 2, 2, 1])), given)
        subprocess.run(["wb_command", "-volume-tfce", given, made], check=True)
        exact = nibabel.load(made).get_fdata()
        flat = lambda a: np.ascontiguousarray(a.T)  # x fastest
        save(o.save, tfce_map=flat(x), tfce_workbench=flat(exact), tfce_nilearn=flat(run()))
        return
    _, wall, cpu = timed(run, o.repeats)
    report("nilearn calculate_tfce", nilearn.__version__, "TFCE of a map of 91x109x91, both signs, 100 steps", wall, cpu, "all", 1)


if __name__ == "__main__":
    main()
