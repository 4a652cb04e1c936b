# SPDX-License-Identifier: Apache-2.0
"""Exact TFCE by brute force: scipy.ndimage.label at every value the map takes, E = 0.5, H = 2, both signs; and what
`wb_command -volume-tfce` (connectome-workbench 1.5.0) makes of the same map with voxels of 2 x 2 x 3 mm, and nilearn's
calculate_tfce (0.14.1; 100 steps, 18 neighbours, both signs)."""
import os
import subprocess
import tempfile

import nibabel
import numpy as np
from nilearn.mass_univariate._utils import calculate_tfce
from scipy import ndimage

from golden import write_tsv

rng = np.random.default_rng(2009)
x = ndimage.gaussian_filter(rng.normal(size=(7, 8, 9)), 0.7)  # z, y, x
x = (x / x.std()).round(1).astype("float32")  # one decimal: ties


def tfce(a, rank):
    out, low = np.zeros(a.shape), 0.0
    for level in np.unique(a[a > 0]).astype(float):
        label, n = ndimage.label(a >= level, ndimage.generate_binary_structure(3, rank))
        extent = np.bincount(label.ravel()).astype(float)
        extent[0] = 0
        out += np.sqrt(extent[label]) * (level**3 - low**3) / 3
        low = level
    return out


def workbench(a):
    with tempfile.TemporaryDirectory() as d:
        given, made = os.path.join(d, "in.nii"), os.path.join(d, "out.nii")
        nibabel.save(nibabel.Nifti1Image(a.transpose(2, 1, 0), np.diag([2.0, 2, 3, 1])), given)
        subprocess.run(["wb_command", "-volume-tfce", given, made], check=True)
        return nibabel.load(made).get_fdata().transpose(2, 1, 0)


columns = [tfce(x, rank) - tfce(-x, rank) for rank in (1, 2, 3)] + [
    workbench(x), calculate_tfce(x[..., None].astype(float), ndimage.generate_binary_structure(3, 2))[..., 0]]
write_tsv("tfce.tsv", ["map", "c6", "c18", "c26", "workbench_12mm3", "nilearn_c18"],
          zip(x.ravel().astype(float), *(c.ravel() for c in columns)), digits=10)
