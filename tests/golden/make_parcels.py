# SPDX-License-Identifier: Apache-2.0
"""Regional statistics of the Haxby run and of ds003 by nilearn's NiftiLabelsMasker.

Label rule (any test can rebuild it): 1 + (i/2 + 3*(j/2)) % 7 with integer division, inside the brain mask.
"""
import os

import nibabel as nib
import numpy as np
from nilearn.maskers import NiftiLabelsMasker

from golden import IMAGING, made_by, write_json, write_tsv

STATISTICS = {"mean": "mean", "median": "median", "sum": "sum", "min": "minimum", "max": "maximum",
              "sd": "standard_deviation", "variance": "variance"}


def labels_of(mask):
    i, j = np.meshgrid(np.arange(mask.shape[0]), np.arange(mask.shape[1]), indexing="ij")
    rule = 1 + (i // 2 + 3 * (j // 2)) % 7
    return np.where(mask > 0, rule[:, :, None], 0).astype(np.int16)


def masked(image, labels, strategy):
    # Non-finite values become zero here: nilearn warns so, and that is what the `nilearn` golden is for.
    masker = NiftiLabelsMasker(nib.Nifti1Image(labels, image.affine), strategy=strategy, standardize=None)
    return masker.fit_transform(image)


def load(name):
    return nib.load(os.path.join(IMAGING, name))


bold, mask = load("haxby2001/run001/bold_25mm.nii.gz"), load("haxby2001/masks_25mm/brain.nii.gz").get_fdata()
bold = nib.Nifti1Image(bold.get_fdata(), bold.affine)
labels = labels_of(mask)
for ours, theirs in STATISTICS.items():
    write_tsv(f"parcels_haxby_{ours}.tsv", [str(k) for k in range(1, 8)], masked(bold, labels, theirs), 10)
counts = {int(k): int((labels == k).sum()) for k in range(1, 8)}

# ds003 has no form code; its affine only has to agree between image and labels. Missing voxels by rule.
run, mask = load("ds003/sub-01_mc.nii.gz"), load("ds003/sub-01_mc_brainmask.nii.gz").get_fdata()
value, labels3 = run.get_fdata(), labels_of(mask)
affine = np.diag([12.5, 12.5, 16.0, 1.0])
names = [str(k) for k in range(1, 8)]
for ours in ("mean", "median", "sd"):
    write_tsv(f"parcels_ds003_{ours}.tsv", names, masked(nib.Nifti1Image(value, affine), labels3, STATISTICS[ours]))
i, j, k, t = np.indices(value.shape, sparse=True)
holed = np.where((i + j + k + t) % 11 == 0, np.nan, value)
# nilearn writes its zeros into the array it is given: ours comes first, and it gets a copy.
write_tsv("parcels_ds003_nan_ignored.tsv", names,
          np.stack([np.nanmean(holed[labels3 == r], axis=0) for r in range(1, 8)], axis=1))
write_tsv("parcels_ds003_nan_nilearn.tsv", names, masked(nib.Nifti1Image(holed.copy(), affine), labels3, "mean"))

# Coverage: labels over the whole grid, counted inside the mask.
whole = labels_of(np.ones(mask.shape))
coverage = {r: float(((whole == r) & (mask > 0)).sum() / (whole == r).sum()) for r in range(1, 8)}
write_json("parcels.json", {
    "made_by": made_by("nilearn", "numpy", "nibabel"), "rule": "1 + (i/2 + 3*(j/2)) % 7 inside the mask",
    "haxby": {"image": "haxby2001/run001/bold_25mm.nii.gz", "mask": "haxby2001/masks_25mm/brain.nii.gz",
              "voxels": counts},
    "ds003": {"image": "ds003/sub-01_mc.nii.gz", "mask": "ds003/sub-01_mc_brainmask.nii.gz",
              "voxels": {int(r): int((labels3 == r).sum()) for r in range(1, 8)},
              "nan": "value is NaN where (i + j + k + t) % 11 == 0; `ignored` leaves it out, `nilearn` counts it as 0",
              "coverage_of_whole_grid_labels": coverage}})
