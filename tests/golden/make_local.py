# SPDX-License-Identifier: Apache-2.0
"""What a voxel has in common with others. ReHo: Kendall's W of a voxel with its neighbours, by the formula, on SciPy's midranks.

canonical: corrected for ties, W = (12 sum R^2 - 3 k^2 n (n+1)^2) / (k^2 n (n^2-1) - k sum T).
xcpd:      no correction. cpac: ranks from 0, means of tied ranks rounded up, no correction, no outermost layer of the image.
afni:      sorted by value, tied where int(value) is the same, the topmost run left as sorted, corrected for these ties.
A voxel that misses a value or does not vary is outside.

GCOR, VMHC and LCOR of the same small volume from numpy's matrix of all correlations r, voxels of 3 x 3 x 4 mm, x = 0 in the middle:
gcor:      mean of r over all voxels inside; the JSON has the mean over all pairs.
vmhc:      r with the voxel at -x; cpac: its Fisher z, none for a voxel that is its own image.
lcor:      mean of r weighted by a Gaussian (FWHM 6 and 25 mm) along each axis, 0 beyond int(4 SD + 0.5) voxels.
conn:      r weighted by a Gaussian of sum 1 cut at round(3 SD) voxels (the image's side at most), edges reflected, 0 outside the mask:
           product of unit series with those scipy.ndimage.correlate1d smooths.
"""
import itertools
import os

import nibabel as nib
import numpy as np
from scipy import ndimage
from scipy.stats import rankdata

from golden import IMAGING, made_by, write_input, write_json, write_tsv


def tie_sum(labels):
    _, t = np.unique(labels, return_counts=True)
    return float((t ** 3 - t).sum())


def ranked(x, rule):
    n = len(x)
    if rule == "cpac":
        return np.ceil(rankdata(x) - 1), 0.0
    if rule != "afni":
        return rankdata(x), tie_sum(x) if rule == "canonical" else 0.0
    order = np.argsort(x, kind="stable")
    whole = np.trunc(x[order]).astype(int)
    rank, ties = np.arange(1.0, n + 1), 0.0
    for value in np.unique(whole):
        run = np.flatnonzero(whole == value)
        if len(run) > 1 and run[-1] != n - 1:
            rank[run] = rank[run].mean()
            ties += len(run) ** 3 - len(run)
    out = np.empty(n)
    out[order] = rank
    return out, ties


def reho(series, inside, size, rule):
    """series [x, y, z, t]; NaN where there is no W."""
    inside = inside & np.isfinite(series).all(axis=3)
    inside &= np.where(np.isfinite(series), series, 0).std(axis=3) > 0
    ranks = {tuple(v): ranked(series[tuple(v)], rule) for v in np.argwhere(inside)}
    out = np.full(inside.shape, np.nan)
    n = series.shape[3]
    for v in ranks:
        if rule == "cpac" and any(i == 0 or i == s - 1 for i, s in zip(v, inside.shape)):
            continue
        near = [tuple(np.add(v, d)) for d in itertools.product((-1, 0, 1), repeat=3)
                if sum(map(abs, d)) <= {7: 1, 19: 2, 27: 3}[size]]
        near = [u for u in near if u in ranks]
        k = len(near)
        total = sum(ranks[u][0] for u in near)
        if rule == "cpac":
            w = 12 * ((total ** 2).sum() - n * total.mean() ** 2) / k ** 2 / (n ** 3 - n)
        else:
            w = (12 * (total ** 2).sum() - 3 * k ** 2 * n * (n + 1) ** 2) / (k ** 2 * n * (n ** 2 - 1) - k * sum(ranks[u][1] for u in near))
        out[v] = w if k > 1 else np.nan
    return out


def at(shape):
    return [(i, j, k) for k in range(shape[2]) for j in range(shape[1]) for i in range(shape[0])]


# a small volume: shared waves and noise, half of it on a grid of 1/4, holes, a constant voxel, a missing value, a lone voxel
rng = np.random.default_rng(5)
shape, n = (5, 5, 4), 24
wave = rng.normal(size=(3, n))
x = rng.normal(size=(*shape, n)) + np.einsum("xyzw,wt->xyzt", rng.uniform(0, 1, (*shape, 3)), wave)
x[:3] = np.round(4 * x[:3]) / 4
x[2, 2, 1] = 0.5
x[3, 1, 2, 7] = np.nan
inside = rng.uniform(size=shape) > 0.15
inside[3:, 3:, 2:] = False
inside[4, 4, 3] = True
places = [p for p in at(shape) if inside[p]]
kept = write_input("local_series.tsv", ["v%d_%d_%d" % p for p in places], np.stack([x[p] for p in places], axis=1))
for c, p in enumerate(places):
    x[p] = kept[:, c]
made = [(rule, size) for rule in ("canonical", "xcpd", "cpac", "afni") for size in (7, 19, 27)]
maps = [reho(x, inside, size, rule) for rule, size in made]
write_tsv("local_reho.tsv", ["i", "j", "k", *(f"{rule}{size}" for rule, size in made)], [[*p, *(m[p] for m in maps)] for p in places], 12)

VOXEL_MM = (3.0, 3.0, 4.0)
SIGMA = {fwhm: [fwhm / np.sqrt(8 * np.log(2)) / v for v in VOXEL_MM] for fwhm in (6.0, 25.0)}
good = [p for p in places if np.isfinite(x[p]).all() and x[p].std() > 0]
r = np.corrcoef([x[p] for p in good])
column = {p: c for c, p in enumerate(good)}
mirrored = {p: (shape[0] - 1 - p[0], *p[1:]) for p in places}


def weight(p, q, sigma):
    d = np.abs(np.subtract(p, q))
    if any(a > int(4 * s + 0.5) for a, s in zip(d, sigma)):
        return 0.0
    return float(np.exp(-0.5 * sum((a / s) ** 2 for a, s in zip(d, sigma))))


def conn_lcor(sigma):
    unit = np.zeros((*shape, n))
    for p in good:
        unit[p] = x[p] - x[p].mean()
        unit[p] /= np.sqrt((unit[p] ** 2).sum())
    smooth = unit
    for axis, s in enumerate(sigma):
        reach = min(round(3 * s), shape[axis])
        w = np.exp(-0.5 * (np.arange(-reach, reach + 1) / s) ** 2)
        smooth = ndimage.correlate1d(smooth, w / w.sum(), axis=axis, mode="reflect")
    return (unit * smooth).sum(axis=3)


def row(p):
    if p not in column:
        return [np.nan] * 7
    own, image = r[column[p]], mirrored[p]
    same = own[column[image]] if image in column else np.nan
    weights = [np.array([weight(p, q, sigma) for q in good]) for sigma in SIGMA.values()]
    return [own.mean(), same, np.nan if image == p else np.arctanh(same), *(w @ own / w.sum() for w in weights), *(c[p] for c in conns)]


conns = [conn_lcor(sigma) for sigma in SIGMA.values()]
write_tsv("local_correlation.tsv", ["i", "j", "k", "gcor", "vmhc", "vmhc_cpac", "lcor6", "lcor25", "lcor6_conn", "lcor25_conn"],
          [[*p, *row(p)] for p in places], 12)

bold = nib.load(os.path.join(IMAGING, "haxby2001/run001/bold_25mm.nii.gz")).get_fdata()
mask = nib.load(os.path.join(IMAGING, "haxby2001/masks_25mm/brain.nii.gz")).get_fdata() > 0
maps = [reho(bold, mask, size, "canonical") for size in (7, 19, 27)]
write_tsv("local_reho_haxby.tsv", ["i", "j", "k", "canonical7", "canonical19", "canonical27"],
          [[*p, *(m[p] for m in maps)] for p in at(mask.shape) if mask[p]], 12)
write_json("local.json", {"made_by": made_by("numpy", "scipy", "nibabel"), "shape": shape, "frames": n, "voxel_mm": VOXEL_MM, "gcor": r.mean(),
                          "image": "haxby2001/run001/bold_25mm.nii.gz", "mask": "haxby2001/masks_25mm/brain.nii.gz"})
