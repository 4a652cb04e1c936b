# SPDX-License-Identifier: Apache-2.0
"""Regional statistics of the Haxby run and of ds003 by nilearn's NiftiLabelsMasker and NiftiMapsMasker.

Label rule (any test can rebuild it): 1 + (i/2 + 3*(j/2)) % 7 with integer division, inside the brain mask.
"""
import os

import nibabel as nib
import numpy as np
from nilearn.maskers import NiftiLabelsMasker, NiftiMapsMasker

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

# Weight maps by rule: tents of height 1 around four places, so wide that they overlap; multiples of 1/16 are exact.
CENTRES = [(1, 2, 4), (4, 3, 5), (2, 7, 5), (4, 7, 3)]


def tents(shape, reach):
    i, j, k = np.indices(shape[:3])
    return np.stack([np.maximum(0, reach - abs(i - a) - abs(j - b) - abs(k - c)) / 16 for a, b, c in CENTRES], axis=3)


def amounts(image, maps, mask=None, **options):
    masker = NiftiMapsMasker(maps, mask_img=mask, standardize=None, keep_masked_maps=True, **options)
    return masker.fit_transform(image)


map_names = [f"map_{k}" for k in range(1, 5)]
brain = load("haxby2001/masks_25mm/brain.nii.gz")
brain = nib.Nifti1Image((brain.get_fdata() > 0).astype(np.int8), bold.affine)
tent = nib.Nifti1Image(tents(bold.shape, 8), bold.affine)
write_tsv("parcels_maps_haxby.tsv", map_names, amounts(bold, tent))
write_tsv("parcels_maps_haxby_mask.tsv", map_names, amounts(bold, tent, brain))
tent3 = tents(value.shape, 16)
flat, design = holed.reshape(-1, value.shape[3]), tent3.reshape(-1, 4)
ours = []
for column in flat.T:
    seen = np.isfinite(column)
    ours.append(np.linalg.lstsq(design[seen], column[seen], rcond=None)[0])
write_tsv("parcels_maps_ds003_nan_ignored.tsv", map_names, ours)
write_tsv("parcels_maps_ds003_nan_nilearn.tsv", map_names,
          amounts(nib.Nifti1Image(holed.copy(), affine), nib.Nifti1Image(tent3, affine)))

# Regions on another grid: 20 mm voxels, turned a little, reaching beyond the image on one side.
turn = np.deg2rad(8)
other = np.eye(4)
other[:3, :3] = 20 * np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
other[:3, 3] = (bold.affine @ [0.3, 0.8, 0.6, 1])[:3] if bold.affine[0, 0] > 0 else (bold.affine @ [5.2, 0.8, 0.6, 1])[:3]
shape = (7, 11, 13)
i, j, k = np.indices(shape)
rule = (1 + (i // 2 + 3 * (j // 2) + 2 * (k // 5)) % 7).astype(np.int16)
foreign = nib.Nifti1Image(rule, other)
for target in ("data", "labels"):
    masker = NiftiLabelsMasker(foreign, resampling_target=target, standardize=None)
    write_tsv(f"parcels_resampled_{target}.tsv", names, masker.fit_transform(bold))
wide = nib.Nifti1Image(tents(shape, 10), other)
for target in ("data", "maps"):
    write_tsv(f"parcels_maps_resampled_{target}.tsv", map_names, amounts(bold, wide, resampling_target=target))

# Coverage: labels over the whole grid, counted inside the mask.
whole = labels_of(np.ones(mask.shape))
coverage = {r: float(((whole == r) & (mask > 0)).sum() / (whole == r).sum()) for r in range(1, 8)}
write_json("parcels.json", {
    "made_by": made_by("nilearn", "numpy", "nibabel"), "rule": "1 + (i/2 + 3*(j/2)) % 7 inside the mask",
    "maps_rule": "max(0, reach - |i - a| - |j - b| - |k - c|) / 16", "maps_centres": CENTRES,
    "maps_reach": {"haxby": 8, "ds003": 16, "resampled": 10},
    "other_grid": {"affine": other, "shape": shape, "labels_rule": "1 + (i/2 + 3*(j/2) + 2*(k/5)) % 7"},
    "haxby": {"image": "haxby2001/run001/bold_25mm.nii.gz", "mask": "haxby2001/masks_25mm/brain.nii.gz",
              "voxels": counts},
    "ds003": {"image": "ds003/sub-01_mc.nii.gz", "mask": "ds003/sub-01_mc_brainmask.nii.gz",
              "voxels": {int(r): int((labels3 == r).sum()) for r in range(1, 8)},
              "nan": "value is NaN where (i + j + k + t) % 11 == 0; `ignored` leaves it out, `nilearn` counts it as 0",
              "coverage_of_whole_grid_labels": coverage}})
