#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""resample_in.tsv, resample_out.tsv, resample_voxel.json, smooth.tsv: one volume on another grid, with voxels of another size, and
smoothed, by nilearn (SciPy underneath).

The input has float32 values and is handed over as float64, so that the results carry their full precision. One row per voxel, i
fastest; `gaps` is the same volume with missing voxels. The grids are at the head of tests/imaging/test_resample.c.
"""
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from nilearn.image import resample_img, smooth_img

HERE = Path(__file__).resolve().parent
FROM, TO = (13, 11, 9), (10, 12, 8)
AFFINE = np.array([[-3, 0, 0, 20], [0, 3.5, 0, -15], [0, 0, 4, -12], [0, 0, 0, 1]], float)
TARGET = np.array([[2.8, 0.3, 0, -14.013], [-0.2, 2.9, 0.4, -13.027], [0.1, -0.3, 3.1, -9.019], [0, 0, 0, 1]], float)


def write(name, columns):
    flat = {k: v.reshape(-1, order="F") for k, v in columns.items()}
    with open(HERE / name, "w") as f:
        f.write("\t".join(flat) + "\n")
        for row in zip(*flat.values()):
            f.write("\t".join("n/a" if np.isnan(v) else f"{v:.10g}" for v in row) + "\n")


def main():
    rng = np.random.default_rng(5)
    i, j, k = np.meshgrid(*map(np.arange, FROM), indexing="ij")
    x = (100 + 20 * np.sin(i / 2) * np.cos(j / 3) + 3 * k + 4 * rng.standard_normal(FROM)).astype(np.float32).astype(float)
    gaps = x.copy()
    gaps[3:6, 4:9, 2:7] = np.nan
    gaps[9, 2, 5] = np.inf
    write("resample_in.tsv", {"whole": x, "gaps": np.where(np.isfinite(gaps), gaps, np.nan)})
    out, smooth = {}, {}
    for name, data in (("whole", x), ("gaps", gaps)):
        image = nib.Nifti1Image(data, AFFINE)
        for interpolation in ("continuous", "linear", "nearest"):
            for clip in (True, False) if interpolation == "continuous" else (True,):
                got = resample_img(image, TARGET, TO, interpolation=interpolation, clip=clip)
                out[f"{name}_{interpolation}{'' if clip else '_overshoot'}"] = got.get_fdata()
        for label, fwhm in (("6", 6), ("4_0_9", [4, 0, 9])):
            smooth[f"{name}_{label}"] = smooth_img(nib.Nifti1Image(data, AFFINE), fwhm).get_fdata()
    write("resample_out.tsv", out)
    sized = resample_img(nib.Nifti1Image(x, AFFINE), np.diag([4.3, 5.2, 3.9]), interpolation="linear")
    with open(HERE / "resample_voxel.json", "w") as f:
        json.dump({"shape": sized.shape, "affine": sized.affine.tolist(), "linear": [float(f"{v:.9g}") for v in sized.get_fdata().reshape(-1, order="F")]}, f)
    write("smooth.tsv", smooth)


if __name__ == "__main__":
    main()
