# SPDX-License-Identifier: Apache-2.0
"""Motion and signal quality of a Haxby run: FD (Power, Jenkinson), DVARS by nipype's definition, tSNR.

bold_moest.txt is FSL mcflirt output: columns 1-3 are rotations in radians (about 0.004 here), 4-6 translations in mm
(about 0.1). Jenkinson: M = A_t A_(t-1)^-1 - I, sqrt(|b|^2 + 80^2/5 tr(M'M)), A = [Rx Ry Rz | translation], each R a
right-handed rotation about the origin. The first frame has no predecessor: n/a (0 under XCP-D).
"""
import os

import nibabel as nib
import numpy as np

from golden import IMAGING, made_by, write_json, write_tsv

RADIUS_POWER, RADIUS_JENKINSON = 50.0, 80.0


def rotation(axis, angle):
    a, b = [k for k in range(3) if k != axis]
    m = np.eye(3)
    c, s = np.cos(angle), np.sin(angle)
    m[a, a] = m[b, b] = c
    m[a, b], m[b, a] = (s, -s) if axis == 1 else (-s, s)
    return m


def affine(rot, trans):
    m = np.eye(4)
    m[:3, :3] = rotation(0, rot[0]) @ rotation(1, rot[1]) @ rotation(2, rot[2])
    m[:3, 3] = trans
    return m


def fd_jenkinson(rot, trans):
    frames = [affine(r, t) for r, t in zip(rot, trans)]
    out = [np.nan]
    for before, now in zip(frames, frames[1:]):
        m = now @ np.linalg.inv(before) - np.eye(4)
        out.append(np.sqrt(m[:3, 3] @ m[:3, 3] + RADIUS_JENKINSON ** 2 / 5 * np.trace(m[:3, :3].T @ m[:3, :3])))
    return np.array(out)


def dvars(x):
    """x [voxels, T] inside the mask. Returns DVARS, standardised DVARS and voxelwise-standardised DVARS."""
    x = x * (1000 / np.median(x))
    sd = (np.percentile(x, 75, axis=1, method="lower") - np.percentile(x, 25, axis=1, method="lower")) / 1.349
    x, sd = x[sd > 1e-7], sd[sd > 1e-7]
    d = x - x.mean(axis=1, keepdims=True)
    ar1 = (d[:, 1:] * d[:, :-1]).sum(axis=1) / (d * d).sum(axis=1)  # Yule-Walker, biased autocovariance
    expected = np.sqrt(2 * (1 - ar1)) * sd
    step = np.diff(x, axis=1)
    plain = np.sqrt((step ** 2).mean(axis=0))
    return plain, plain / expected.mean(), np.sqrt(((step / expected[:, None]) ** 2).mean(axis=0))


moest = np.loadtxt(os.path.join(IMAGING, "haxby2001/run001/bold_moest.txt"))
moest = np.float32(moest).astype(float)
rot, trans = moest[:, :3], moest[:, 3:]
power = np.r_[np.nan, np.abs(np.diff(trans, axis=0)).sum(1) + RADIUS_POWER * np.abs(np.diff(rot, axis=0)).sum(1)]

image = nib.load(os.path.join(IMAGING, "haxby2001/run001/bold_25mm.nii.gz")).get_fdata()
mask = nib.load(os.path.join(IMAGING, "haxby2001/masks_25mm/brain.nii.gz")).get_fdata() > 0
x = image[mask]
columns = [np.r_[np.nan, v] for v in dvars(x)]
jenkinson = fd_jenkinson(rot, trans)
write_tsv("quality_haxby.tsv", ["fd_power", "fd_jenkinson", "dvars", "std_dvars", "vx_std_dvars"],
          np.stack([power, jenkinson, *columns], axis=1))
sd = x.std(axis=1)
tsnr = np.where(sd > 1e-3, x.mean(axis=1) / np.where(sd > 1e-3, sd, 1), 0)
write_json("quality.json", {
    "made_by": made_by("numpy", "nibabel"), "image": "haxby2001/run001/bold_25mm.nii.gz",
    "mask": "haxby2001/masks_25mm/brain.nii.gz", "motion": "haxby2001/run001/bold_moest.txt (rot_x rot_y rot_z rad, trans_x trans_y trans_z mm)",
    "fd_power_mean": np.nanmean(power), "fd_power_max": np.nanmax(power), "fd_over_0.5": int((power > 0.5).sum()),
    "fd_jenkinson_mean": np.nanmean(jenkinson), "dvars_mean": np.nanmean(columns[0]),
    "std_dvars_mean": np.nanmean(columns[1]), "voxels": int(len(x)), "voxels_without_variance": int((sd <= 1e-3).sum()),
    "tsnr_mean": tsnr.mean(), "tsnr_median": np.median(tsnr)})
