# SPDX-License-Identifier: Apache-2.0
"""ALFF and fALFF of sampled brain voxels: the canonical definition and those of AFNI, C-PAC, XCP-D and CONN, from formulas.

canonical: A_m = 2|X_m|/T; ALFF = mean of A over m = ceil(lo T TR) .. floor(hi T TR); fALFF = sum in band / sum over
           m = 1 .. floor((T-1)/2).
afni:      quadratic detrend, zero-padded FFT band-pass (edge bins halved), ALFF = 2/sqrt(T) sum |X_m|,
           m = rint(lo T TR) .. rint(hi T TR); fALFF divides the sum by that of the detrended series over m = 1 ..
           Nyquist - 1. 3dRSFC works in float32; this is the formula in float64.
cpac:      SD (n - 1) of that band-passed series; fALFF divides by the SD of the series as it came.
conn:      root mean square of what a rectangular window on the DCT (type II) lets pass, low <= m / (2 T TR) < high; fALFF
           divides by the root mean square of the demeaned series.
xcpd:      z-scored (population SD s), periodogram "spectrum", A = sqrt P, 2 s mean(A[i_lo : i_hi]), i = nearest bin.
"""
import os

import nibabel as nib
import numpy as np
from scipy import fft, signal

from golden import IMAGING, made_by, write_json, write_tsv


def canonical(x, tr, lo, hi):
    n = x.shape[1]
    a = 2 * np.abs(fft.fft(x, axis=1)) / n
    first, last = int(np.ceil(lo * n * tr - 1e-9)), int(np.floor(hi * n * tr + 1e-9))
    band = a[:, first:last + 1]
    return band.mean(axis=1), band.sum(axis=1) / a[:, 1:(n - 1) // 2 + 1].sum(axis=1)


def quadratic_removed(x):
    t = np.linspace(-1, 1, x.shape[1])
    basis = np.stack([t ** 0, t, t ** 2], axis=1)
    return x - (basis @ np.linalg.lstsq(basis, x.T, rcond=None)[0]).T


def even_smooth_length(n):
    """The next even length with at most one factor of 3 and one of 5 (csfft_nextup_one35)."""
    odd = {1, 3, 5, 15}
    k = n + n % 2
    while k // (k & -k) not in odd:
        k += 2
    return k


def afni_bandpass(x, tr, lo, hi):
    n, size = x.shape[1], even_smooth_length(x.shape[1])
    spectrum = fft.rfft(quadratic_removed(x), size, axis=1)
    bottom, top = int(np.rint(lo * size * tr)), min(int(np.rint(hi * size * tr)), size // 2 - 1)
    weight = np.zeros(size // 2 + 1)
    weight[bottom:top + 1] = 1
    if bottom >= 1:
        weight[bottom] *= 0.5
    weight[top] *= 0.5
    weight[[0, -1]] = 0
    return fft.irfft(spectrum * weight, size, axis=1)[:, :n]


def afni(x, tr, lo, hi):
    n = x.shape[1]
    nyquist = n // 2 if n % 2 == 0 else (n - 1) // 2
    first, last = int(np.rint(lo * n * tr)), min(int(np.rint(hi * n * tr)), nyquist - 1)
    band = np.abs(fft.fft(afni_bandpass(x, tr, lo, hi), axis=1))[:, first:last + 1].sum(axis=1)
    whole = np.abs(fft.fft(quadratic_removed(x), axis=1))[:, 1:nyquist].sum(axis=1)
    return 2 / np.sqrt(n) * band, band / whole


def cpac(x, tr, lo, hi):
    sd = afni_bandpass(x, tr, lo, hi).std(axis=1, ddof=1)
    return sd, sd / x.std(axis=1, ddof=1)


def xcpd(x, tr, lo, hi):
    s = x.std(axis=1)
    z = (x - x.mean(axis=1, keepdims=True)) / s[:, None]
    f, p = signal.periodogram(z, fs=1 / tr, scaling="spectrum", detrend="constant", axis=1)
    first, last = np.argmin(np.abs(f - lo)), np.argmin(np.abs(f - hi))
    return 2 * s * np.sqrt(p[:, first:last]).mean(axis=1), np.full(len(x), np.nan)


def conn(x, tr, lo, hi):
    x = x - x.mean(axis=1, keepdims=True)
    f = np.arange(x.shape[1]) / (2 * x.shape[1] * tr)
    passed = fft.idct(np.where((f >= lo) & (f < hi), fft.dct(x, axis=1), 0), axis=1)
    rms = np.sqrt((passed ** 2).mean(axis=1))
    return rms, rms / x.std(axis=1)


def sampled(image, mask, step):
    value = nib.load(os.path.join(IMAGING, image)).get_fdata()
    keep = nib.load(os.path.join(IMAGING, mask)).get_fdata() > 0
    keep &= value.std(axis=3) > 0
    at = np.argwhere(keep)
    at = at[np.lexsort(at.T)]  # i fastest, then j, then k
    return at[::step], value[tuple(at[::step].T)], value[keep]


made = {}
for name, image, mask, tr, (lo, hi), step in [
        ("haxby", "haxby2001/run001/bold_25mm.nii.gz", "haxby2001/masks_25mm/brain.nii.gz", 2.5, (0.01, 0.08), 2),
        ("ds003", "ds003/sub-01_mc.nii.gz", "ds003/sub-01_mc_brainmask.nii.gz", 2.0, (0.04, 0.16), 9)]:
    at, x, everything = sampled(image, mask, step)
    columns, header = [], ["i", "j", "k"]
    for label, rule in {"canonical": canonical, "afni": afni, "cpac": cpac, "xcpd": xcpd, "conn": conn}.items():
        alff, falff = rule(x, tr, lo, hi)
        columns += [alff] if label == "xcpd" else [alff, falff]
        header += [f"{label}_alff"] if label == "xcpd" else [f"{label}_alff", f"{label}_falff"]
    columns.append(x.mean(axis=1) / x.std(axis=1))
    header.append("tsnr")
    write_tsv(f"voxelwise_{name}.tsv", header, [[*map(int, p), *c] for p, c in zip(at, np.stack(columns, axis=1))])
    made[name] = {"image": image, "mask": mask, "tr_s": tr, "band_hz": [lo, hi], "file": f"voxelwise_{name}.tsv",
                  "mask_mean_canonical_alff": float(canonical(everything, tr, lo, hi)[0].mean()),
                  "voxels_with_signal": len(everything)}
write_json("voxelwise.json", {"made_by": made_by("scipy", "numpy", "nibabel"), "tsnr": "mean / population SD", **made})
