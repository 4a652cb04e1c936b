# SPDX-License-Identifier: Apache-2.0
"""Cleaned series: nilearn.signal.clean where it is right, our own scipy reference where frames are censored.

`reference` below follows nilearn's order of steps from the formulas alone; on every uncensored variant it must equal
nilearn to 1e-9 before anything is written, so that it can be trusted on the censored ones, where nilearn (0.14.1)
interpolates frame i only if frame n-1-i is kept. `xcpd` and `afni` are worked from the published methods of XCP-D
(Mehta et al. 2024, doi:10.1162/imag_a_00257, and its workflow documentation) and the help of AFNI's 3dTproject (its
source for the rounding of bands and the softened inverse). `bandpass3d` is AFNI's 3dBandpass and `bptf` FSL's fslmaths -bptf, both worked
from their definitions; `runs` is nilearn's own argument.
"""
import os

import nibabel as nib
import numpy as np
from nilearn.signal import clean
from scipy import linalg, signal
from scipy.interpolate import CubicSpline

from golden import IMAGING, made_by, write_input, write_json, write_tsv


def spline_over_censored(x, kept, tr, ends="drop"):
    """Every censored frame between the first and last kept one, by a not-a-knot cubic spline over the kept ones."""
    t = np.arange(len(x)) * tr
    filled = x.copy()
    out = np.setdiff1d(np.arange(len(x)), kept)
    filled[out] = CubicSpline(t[kept], x[kept])(t[out])
    if ends == "nearest":
        filled[:kept[0]], filled[kept[-1] + 1:] = x[kept[0]], x[kept[-1]]
    if ends != "drop":
        return filled, kept
    return filled[kept[0]:kept[-1] + 1], kept - kept[0]


def cosines(n, high_pass, tr):
    order = min(n - 1, int(np.floor(2 * n * high_pass * tr)))
    j = np.arange(n)
    return np.stack([np.sqrt(2 / n) * np.cos(np.pi / n * (j + 0.5) * k) for k in range(1, order + 1)], axis=1)


def line_removed(x):
    x = x - x.mean(axis=0)
    r = np.arange(len(x)) - (len(x) - 1) / 2
    r /= np.linalg.norm(r)
    return x - np.outer(r, r @ x)


def filtered(x, low_pass, high_pass, tr, order=5, **padding):
    cut, kind = ([high_pass, low_pass], "bandpass") if low_pass and high_pass else \
        (low_pass, "lowpass") if low_pass else (high_pass, "highpass")
    return signal.sosfiltfilt(signal.butter(order, cut, kind, output="sos", fs=1 / tr), x, axis=0, **padding)


def reference(x, tr, confounds=None, kept=None, filter="butterworth", low_pass=None, high_pass=None, detrend=True,
              standardize="zscore_sample", standardize_confounds=True, ends="drop", order=5):
    c = confounds
    if filter == "cosine":
        drift = cosines(len(x), high_pass, tr)
        c = drift if c is None else np.hstack([c, drift])
    kept = None if kept is None else np.asarray(kept)
    splined = kept is not None and filter == "butterworth"
    if splined:
        if c is not None:
            c, _ = spline_over_censored(c, kept, tr, ends)
        x, kept = spline_over_censored(x, kept, tr, ends)
    elif kept is not None:
        x, c = x[kept], None if c is None else c[kept]
    original_mean = x.mean(axis=0)
    if detrend:
        x, c = line_removed(x), None if c is None else line_removed(c)
    if filter == "butterworth" and (low_pass or high_pass):
        x = filtered(x, low_pass, high_pass, tr, order)
        c = None if c is None else filtered(c, low_pass, high_pass, tr, order)
    if splined:
        x, c = x[kept], None if c is None else c[kept]
    if c is not None:
        if standardize_confounds:
            sd = c.std(axis=0, ddof=1)
            c = (c - c.mean(axis=0)) / np.where(sd < np.finfo(float).eps, 1, sd)
        else:
            c = c / np.abs(c).max(axis=0)
        q, r, _ = linalg.qr(c, mode="economic", pivoting=True)
        q = q[:, np.abs(np.diag(r)) > 100 * np.finfo(float).eps]
        x = x - q @ (q.T @ x)
    if standardize == "zscore_sample":
        sd = x.std(axis=0, ddof=1)
        return (x - x.mean(axis=0)) / np.where(sd < np.finfo(float).eps, 1, sd)
    if standardize == "psc":
        if np.abs(x.mean(axis=0)).mean() / np.abs(original_mean).mean() < 0.1:
            x = x + original_mean
        m = x.mean(axis=0)
        return 100 * (x - m) / np.abs(m)
    return x


def xcpd(x, tr, confounds=None, kept=None, low_pass=None, high_pass=None, order=2, fill=False):
    """Interpolate, detrend both (only with confounds), filter both, regress on the kept frames, subtract from all."""
    kept = np.arange(len(x)) if kept is None else np.asarray(kept)
    c = confounds
    if len(kept) < len(x):
        c = None if c is None else spline_over_censored(c, kept, tr, "nearest")[0]
        x = spline_over_censored(x, kept, tr, "nearest")[0]
    if c is not None:
        x, c = line_removed(x), line_removed(c)
    if low_pass or high_pass:
        padding = dict(padtype="constant", padlen=len(x) - 1)
        x = filtered(x, low_pass, high_pass, tr, order, **padding)
        c = None if c is None else filtered(c, low_pass, high_pass, tr, order, **padding)
    if c is not None:
        x = x - c @ np.linalg.lstsq(c[kept], x[kept], rcond=None)[0]
    return x if fill else x[kept]


def afni(x, tr, confounds=None, kept=None, low_pass=None, high_pass=None, polort=2, cenmode="kill"):
    """Residuals of the kept frames on polynomials, stop-bands and demeaned confounds; singular values are softened."""
    n = len(x)
    kept = np.arange(n) if kept is None else np.asarray(kept)
    if cenmode == "zero":
        out = np.zeros_like(x)
        out[kept] = afni(x, tr, confounds, kept, low_pass, high_pass, polort)
        return out
    if cenmode == "ntrp":  # straight between kept frames, level beyond them; confounds as they came
        x = np.stack([np.interp(np.arange(n), kept, column[kept]) for column in x.T], axis=1)
        return afni(x, tr, confounds, None, low_pass, high_pass, polort)
    step, top = 1 / (n * tr), n // 2
    stop = np.zeros(top + 1, bool)
    bands = ([(0, high_pass - 1e-4)] if high_pass else []) + ([(low_pass + 1e-4, 9999)] if low_pass else [])
    for a, b in bands:
        a, b = (np.clip(f, 0, (top + 0.1) * step) for f in (a, b))
        stop[max(0, int(np.rint((a + step / 6) / step))):int(np.rint((b - step / 6) / step)) + 1] = True
    t = np.arange(n)
    columns = [np.polynomial.legendre.Legendre.basis(p)(2 * t / (n - 1) - 1) for p in range(polort + 1)]
    for j in np.flatnonzero(stop[1:]) + 1:
        columns.append(np.cos(2 * np.pi * j * t / n))
        if 2 * j != n:
            columns.append(np.sin(2 * np.pi * j * t / n))
    if confounds is not None:
        columns += list((confounds - confounds.mean(axis=0)).T)
    a = np.stack(columns, axis=1)[kept]
    u, s, vt = np.linalg.svd(a / np.linalg.norm(a, axis=0), full_matrices=False)
    shrunk = s / (s**2 + 1e-6 * s[0]**2)
    return x[kept] - (u * s) @ (shrunk[:, None] * (u.T @ x[kept]))


def bandpass3d(x, tr, confounds=None, low_pass=None, high_pass=None, taper=None):
    """Quadratic off, zero-padded transform, ends of the band tapered, 0 and Nyquist out; then confounds that went the same way."""
    n = len(x)
    size = n + n % 2
    while size // (size & -size) not in (1, 3, 5, 15):
        size += 2
    t = np.linspace(-1, 1, n)
    basis = np.stack([t ** 0, t, t ** 2], axis=1)
    spectrum = np.fft.rfft(x - basis @ np.linalg.lstsq(basis, x, rcond=None)[0], size, axis=0)
    bottom = int(np.rint((high_pass or 0) * size * tr))
    top = min(int(np.rint((low_pass or 1e6) * size * tr)), size // 2 - 1)
    weight = np.zeros(size // 2 + 1)
    weight[bottom:top + 1] = 1
    taper = taper or (0.5 if confounds is None else 0.05)
    weight[[bottom, top]] *= taper
    weight[[0, -1]] = 0
    y = np.fft.irfft(spectrum * weight[:, None], size, axis=0)[:n]
    if confounds is not None:
        c = bandpass3d(confounds, tr, None, low_pass, high_pass, 0.5)
        y = y - c @ np.linalg.lstsq(c, y, rcond=None)[0]
    return y


def bptf(x, tr, confounds=None, low_pass=None, high_pass=None):
    """A local straight line's value off, then the mean; a Gaussian mean; confounds likewise, and their fit off."""
    def one(column):
        t = np.arange(len(column))
        if high_pass:
            sigma, rest = 1 / (2 * high_pass * tr), np.empty(len(column))
            for i in t:
                near = np.abs(t - i) <= int(3 * sigma)
                d = t[near] - i
                rest[i] = column[i] - np.polyfit(d, column[near], 1, w=np.exp(-d ** 2 / (4 * sigma ** 2)))[1]
            column = rest - rest.mean()
        if low_pass:
            sigma = 1 / (2 * low_pass * tr)
            w = np.exp(-(t[:, None] - t) ** 2 / (2 * sigma ** 2)) * (np.abs(t[:, None] - t) <= int(20 * sigma) + 2)
            column = w @ column / w.sum(axis=1)
        return column
    y = np.stack([one(column) for column in x.T], axis=1)
    if confounds is None:
        return y
    c = np.stack([one(column) for column in confounds.T], axis=1)
    c = c - c.mean(axis=0)
    return y - c @ np.linalg.lstsq(c, y, rcond=None)[0]


# ---- inputs ------------------------------------------------------------------------------------------------------
slice_ = nib.load(os.path.join(IMAGING, "haxby2001/run001/bold_1slice.nii.gz")).get_fdata()
flat = slice_.reshape(-1, slice_.shape[3], order="F")
alive = np.flatnonzero(flat.mean(axis=1) > 500)
columns = alive[np.linspace(0, len(alive) - 1, 10).astype(int)]
# Real data stay where they are: a test takes voxels `columns` (i fastest) of the slice and the motion file itself.
haxby = np.float32(flat[columns].T).astype(float)
# FSL mcflirt order: three rotations in radians, three translations in mm.
motion = np.loadtxt(os.path.join(IMAGING, "haxby2001/run001/bold_moest.txt"))
haxby_c = np.float32(motion).astype(float)

rng = np.random.default_rng(20010930)
n = 200
walk = np.cumsum(rng.normal(size=(n, 6)), axis=0) * 0.6 + rng.normal(size=(n, 6)) * 4
confound = np.cumsum(rng.normal(size=(n, 3)), axis=0) + 5 * rng.normal(size=(n, 3))
confound = np.round(confound * 1024) / 1024  # so that a sum of two is exact in float32
synth_x = 100 * np.arange(5, 11) + walk + confound @ rng.normal(size=(3, 6)) + np.outer(np.arange(n), np.linspace(-.05, .05, 6))
synth = write_input("clean_synthetic_series.tsv", [f"s{k}" for k in range(6)], synth_x)
# The fourth column is a sum of two others: a rank-deficient confound set is ordinary. Only `synthetic_rank` uses it:
# after a filter, rounding alone decides whether its residual passes nilearn's threshold.
synth_c = write_input("clean_synthetic_confounds.tsv", ["c0", "c1", "c2", "c0_plus_c1"],
                      np.column_stack([confound, confound[:, 0] + confound[:, 1]]))
spiked = synth_x.copy()
spiked[60] += 500
spiked[139] += 500
spiked = write_input("clean_spiked_series.tsv", [f"s{k}" for k in range(6)], spiked)
INPUTS = {"haxby": (haxby, haxby_c, 2.5), "synthetic": (synth, synth_c[:, :3], 2.0), "rank": (synth, synth_c, 2.0),
          "spiked": (spiked, synth_c[:, :3], 2.0)}

# ---- variants: name, input, confounds?, options -------------------------------------------------------------------
BAND = dict(filter="butterworth", high_pass=0.01, low_pass=0.08)
VARIANTS = [
    ("band", "haxby", True, BAND),
    ("band_plain", "haxby", False, dict(BAND, detrend=False, standardize=None)),
    ("high", "haxby", True, dict(filter="butterworth", high_pass=0.01)),
    ("low", "haxby", True, dict(filter="butterworth", low_pass=0.1)),
    ("cosine", "haxby", False, dict(filter="cosine", high_pass=0.01)),
    ("cosine_psc", "synthetic", True, dict(filter="cosine", high_pass=0.01, standardize="psc")),
    ("cosine_motion", "haxby", True, dict(filter="cosine", high_pass=0.01)),
    ("none", "haxby", True, dict(filter="none")),
    ("none_raw", "haxby", True, dict(filter="none", detrend=False, standardize=None)),
    ("none_psc", "haxby", False, dict(filter="none", detrend=False, standardize="psc")),
    ("detrend_psc", "haxby", True, dict(filter="none", standardize="psc")),
    ("synthetic_band", "synthetic", True, BAND),
    ("synthetic_band_psc", "synthetic", True, dict(BAND, standardize="psc")),
    ("synthetic_rank", "rank", True, dict(filter="none", standardize=None)),
    ("synthetic_unscaled", "synthetic", True, dict(filter="none", detrend=False, standardize_confounds=False)),
]
CENSORED = [  # name, input, confounds?, options, censored frames
    ("spikes", "spiked", False, dict(BAND, standardize=None), [60, 139]),
    ("spikes_confounds", "spiked", True, BAND, [60, 139]),
    ("censor_edges", "synthetic", True, BAND, [0, 1, 2, 50, 51, 52, 53, 120, 198, 199]),
    ("censor_cosine", "synthetic", True, dict(filter="cosine", high_pass=0.01), [0, 50, 51, 120, 199]),
    ("censor_none", "synthetic", True, dict(filter="none"), [0, 50, 51, 120, 199]),
]


def theirs(x, c, tr, options, kept=None):
    o = dict(options)
    o["filter"] = False if o["filter"] == "none" else o["filter"]
    return clean(x.copy(), confounds=None if c is None else c.copy(), t_r=tr,
                 sample_mask=None if kept is None else kept.copy(), **o)


def close(a, b, tolerance=1e-9):
    return np.max(np.abs(a - b)) <= tolerance * np.max(np.abs(b))


def entry(file, source, with_confounds, options, censored, definition):
    full = dict(low_pass=None, high_pass=None, detrend=True, standardize="zscore_sample", standardize_confounds=True)
    full.update(options)
    series = "synthetic" if source == "rank" else source
    columns = {"haxby": None, "rank": ["c0", "c1", "c2", "c0_plus_c1"]}.get(source, ["c0", "c1", "c2"])
    return {"file": file, "series": "haxby" if source == "haxby" else f"clean_{series}_series.tsv", "tr_s": INPUTS[source][2],
            "confounds": ("haxby" if source == "haxby" else "clean_synthetic_confounds.tsv") if with_confounds else None,
            "columns": columns if with_confounds else None, **full, "standardize": full["standardize"] or "none", "censored": censored, "definition": definition}


# nilearn appends no cosine at all once a confound correlates above 0.9 with one of them. Here rot_y drifts so (0.906
# with the first), and its high-pass silently does nothing: the right answer appends them, redundancy goes in the QR.
DROPPED = {"cosine_motion"}

made = []
for name, source, with_c, options in VARIANTS:
    x, c, tr = INPUTS[source]
    c = c if with_c else None
    want = theirs(x, c, tr, options)
    header = [f"c{k}" for k in range(x.shape[1])]
    if name in DROPPED:
        assert close(reference(x, tr, c, **dict(options, filter="none")), want), name
        write_tsv(f"clean_{name}_nilearn.tsv", header, want)
        made.append(entry(f"clean_{name}_nilearn.tsv", source, with_c, options, [], "nilearn"))
        want = reference(x, tr, c, **options)
    assert close(reference(x, tr, c, **options), want), name
    write_tsv(f"clean_{name}.tsv", header, want)
    made.append(entry(f"clean_{name}.tsv", source, with_c, options, [], "default"))

leak = {}
for name, source, with_c, options, censored in CENSORED:
    x, c, tr = INPUTS[source]
    c = c if with_c else None
    kept = np.setdiff1d(np.arange(len(x)), censored)
    want, peer = reference(x, tr, c, kept, **options), theirs(x, c, tr, options, kept)
    assert want.shape == peer.shape, name
    header = [f"c{k}" for k in range(x.shape[1])]
    write_tsv(f"clean_{name}.tsv", header, want)
    made.append(entry(f"clean_{name}.tsv", source, with_c, options, censored, "default"))
    if options["filter"] == "butterworth":
        write_tsv(f"clean_{name}_nilearn.tsv", header, peer)
        made.append(entry(f"clean_{name}_nilearn.tsv", source, with_c, options, censored, "nilearn"))
        leak[name] = {"largest_difference": float(np.max(np.abs(want - peer))), "sd": float(want.std())}
    else:
        assert close(want, peer), name

# Other orders and ends are ours; nilearn fixes the order at 5 but takes it as an argument of its filter.
edges = [0, 1, 2, 50, 51, 52, 53, 120, 198, 199]
for name, options, censored in [
        ("order2", dict(BAND, order=2), []), ("order1_low", dict(filter="butterworth", low_pass=0.1, order=1), []),
        ("order4_high", dict(filter="butterworth", high_pass=0.02, order=4), []),
        ("ends_nearest", dict(BAND, ends="nearest"), edges), ("ends_spline", dict(BAND, ends="spline"), edges)]:
    x, c, tr = INPUTS["synthetic"]
    kept = np.setdiff1d(np.arange(len(x)), censored) if censored else None
    want = reference(x, tr, c, kept, **options)
    if "order" in options:
        peer = theirs(x, c, tr, {k: v for k, v in options.items() if k != "order"} | {"butterworth__order": options["order"]})
        assert close(want, peer), name
    write_tsv(f"clean_{name}.tsv", [f"c{k}" for k in range(6)], want)
    made.append(entry(f"clean_{name}.tsv", "synthetic", True, options, censored, "default"))
    if name == "ends_spline":
        write_tsv(f"clean_{name}_nilearn.tsv", [f"c{k}" for k in range(6)],
                  theirs(x, c, tr, dict(BAND, extrapolate=True), kept))
        made.append(entry(f"clean_{name}_nilearn.tsv", "synthetic", True, options, censored, "nilearn"))

band = dict(high_pass=0.01, low_pass=0.08)
for name, definition, with_c, options, censored in [
        ("xcpd", xcpd, True, band, []), ("xcpd_censored", xcpd, True, band, edges), ("xcpd_filled", xcpd, True, dict(band, fill=True), edges),
        ("xcpd_plain", xcpd, False, band, edges), ("xcpd_unfiltered", xcpd, True, {}, edges), ("xcpd_order4", xcpd, True, dict(high_pass=0.01, order=4), []),
        ("afni", afni, True, band, []), ("afni_censored", afni, True, band, edges), ("afni_polort", afni, True, dict(polort=5), edges),
        ("afni_low", afni, False, dict(low_pass=0.1, polort=0), [60, 139]),
        ("afni_zero", afni, True, dict(band, cenmode="zero"), edges), ("afni_ntrp", afni, True, dict(band, cenmode="ntrp"), edges)]:
    x, c, tr = INPUTS["spiked" if name == "afni_low" else "synthetic"]
    kept = np.setdiff1d(np.arange(len(x)), censored) if censored else None
    want = definition(x, tr, c if with_c else None, kept, **options)
    write_tsv(f"clean_{name}.tsv", [f"c{k}" for k in range(6)], want)
    made.append(entry(f"clean_{name}.tsv", "spiked" if name == "afni_low" else "synthetic", with_c,
                      dict(filter="butterworth", standardize=None, detrend=False, **options), censored, definition.__name__))

for name, definition, label, with_c, options in [
        ("3dbandpass", bandpass3d, "3dbandpass", True, band), ("3dbandpass_plain", bandpass3d, "3dbandpass", False, band),
        ("3dbandpass_high", bandpass3d, "3dbandpass", True, dict(high_pass=0.02)),
        ("bptf", bptf, "fsl", True, band), ("bptf_high", bptf, "fsl", False, dict(high_pass=0.01)), ("bptf_low", bptf, "fsl", False, dict(low_pass=0.1))]:
    x, c, tr = INPUTS["synthetic"]
    write_tsv(f"clean_{name}.tsv", [f"c{k}" for k in range(6)], definition(x, tr, c if with_c else None, **options))
    made.append(entry(f"clean_{name}.tsv", "synthetic", with_c, dict(filter="butterworth", standardize=None, detrend=False, **options), [], label))

lengths = [90, 70, 40]
for name, options in [("runs", BAND), ("runs_cosine", dict(filter="cosine", high_pass=0.01, standardize="psc"))]:
    x, c, tr = INPUTS["synthetic"]
    write_tsv(f"clean_{name}.tsv", [f"c{k}" for k in range(6)], clean(x.copy(), confounds=c.copy(), t_r=tr, runs=np.repeat([1, 2, 3], lengths), **options))
    made.append(entry(f"clean_{name}.tsv", "synthetic", True, options, [], "default") | {"runs": lengths})

# Both spikes censored must leave what the series without spikes leaves: the values under censor do not matter.
kept = np.setdiff1d(np.arange(n), [60, 139])
same = dict(BAND, standardize=None)
assert close(reference(spiked, 2.0, None, kept, **same), reference(synth, 2.0, None, kept, **same), 1e-7)

write_json("clean.json", {
    "made_by": made_by("nilearn", "scipy", "numpy"),
    "note": "rows of a censored result are the kept frames in order; standardize_confounds false divides by max |c|",
    "haxby": {"image": "haxby2001/run001/bold_1slice.nii.gz", "voxels_i_fastest": columns,
              "confounds": "haxby2001/run001/bold_moest.txt", "columns": "rot_x rot_y rot_z trans_x trans_y trans_z"},
    "peer_leak": leak, "variants": made})
print(leak)
