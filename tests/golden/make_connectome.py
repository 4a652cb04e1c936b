# SPDX-License-Identifier: Apache-2.0
"""Voxelwise connectome by the whole matrix of correlations, in float64 numpy: degree, weighted degree, mean Fisher z, strength, root
mean square, eigenvector centrality of r + 1, seeds, nearest neighbours; of synthetic series and of the Haxby run.

afni_*: a line off each series; 3dTcorrMap -Zmean = tanh(mean(log((1.0001 + r) / (1.0001 - r)) / 2)), -Qmean = root mean square;
3dDegreeCentrality -thresh 0.1 counts and sums r > 0.1; 3dECM -fecm = power iteration on (r + 1) / 2 from 1 / sqrt(n) until a step
is at most 1e-3. Worked from their sources in float64 (they work in float32); the programs were not run.
Runs with Debian's python3.
"""
import os

import nibabel as nib
import numpy as np

from golden import IMAGING, write_input, write_tsv

T, V = 50, 72
MOST = 1 - 2.0 ** -20  # of |r| where z is asked for


def unit(x, detrend=False):
    """Columns of length 1; those that do not vary or are missing are NaN."""
    t = np.arange(len(x)) - (len(x) - 1) / 2
    x = x - x.mean(0)
    if detrend:
        x = x - np.outer(t, t @ x / (t @ t))
    norm = np.sqrt((x * x).sum(0))
    norm[~(norm > 1e-6)] = np.nan
    return x / norm


def spread(values, there):
    out = np.full((len(there), *np.shape(values)[1:]), np.nan)
    out[there] = values
    return out


def correlations(x, detrend=False):
    u = unit(x, detrend)
    there = np.isfinite(u).all(0)
    r = u[:, there].T @ u[:, there]
    return np.clip(r, -1, 1), there


def off(r):
    return r[~np.eye(len(r), dtype=bool)].reshape(len(r), -1)


def degree(r, threshold, two_sided=False):
    o = np.abs(off(r)) if two_sided else off(r)
    assert np.abs(o - threshold).min() > 1e-6, "a pair lies on the threshold"
    return (o > threshold).sum(1), np.where(o > threshold, o, 0).sum(1)


def mean_z(r):
    return np.arctanh(np.clip(off(r), -MOST, MOST)).mean(1)


def eigenvector(r):
    v = np.linalg.eigh(r + 1)[1][:, -1]
    return v * np.sign(v.sum())


def afni_eigenvector(r):
    v, step = np.full(len(r), 1 / np.sqrt(len(r))), 1
    while step > 1e-3:
        w = (r + 1) / 2 @ v
        w /= np.linalg.norm(w)
        step, v = np.linalg.norm(w - v), w
    return v


def measures(r, threshold=0.25):
    o = off(r)
    return [*degree(r, threshold), *degree(r, threshold, True), mean_z(r), o.sum(1), np.sqrt((o * o).mean(1)), eigenvector(r)]


NAMES = ["degree", "weighted", "degree_two_sided", "weighted_two_sided", "mean_z", "strength", "rms", "eigenvector"]


def synthetic():
    rng = np.random.default_rng(2009)
    t = np.arange(T)
    parts = rng.normal(size=(T, 6)).cumsum(0) * 0.3
    x = parts @ rng.normal(size=(6, V)) + rng.normal(size=(T, V)) + np.outer(t, rng.normal(size=V)) * 0.05
    x = 500 + 4 * x
    x[:, 20] = x[:, 10]  # equal correlations: the lower column comes first
    x[:, 33] = 500
    x[7, 41] = np.nan
    x[:, 50] = -x[:, 11] + 1000
    x = write_input("connectome_series.tsv", [f"v{i}" for i in range(V)], x)
    r, there = correlations(x)
    columns = measures(r)
    a = correlations(x, True)[0]
    o = off(a)
    names = NAMES + ["afni_degree", "afni_weighted", "afni_mean_z", "afni_rms", "afni_eigenvector"]
    columns += [*degree(a, 0.1), np.tanh((np.log((1.0001 + o) / (1.0001 - o)) / 2).mean(1)), np.sqrt((o * o).mean(1)), afni_eigenvector(a)]
    u = unit(x)[:, there]
    seeds = [np.nanmean(x[:, 2:6], 1), x[:, 60]]
    names += ["seed_mean_of_2_to_5", "seed_60", "seed_60_z"]
    columns += [u.T @ unit(s[:, None])[:, 0] for s in seeds]
    columns += [np.arctanh(np.clip(columns[-1], -MOST, MOST))]
    write_tsv("connectome.tsv", names, spread(np.stack(columns, 1), there), 12)
    places, rows = np.flatnonzero(there), []
    for i in range(len(r)):
        others = [j for j in range(len(r)) if j != i]
        order = sorted(others, key=lambda j: (-round(r[i, j], 9), places[j]))[:4]
        for a, b in zip(order, order[1:]):
            assert r[i, a] - r[i, b] > 1e-7 or {places[a], places[b]} == {10, 20}, "too near to tell"
        rows += [[places[i], rank + 1, places[j], r[i, j]] for rank, j in enumerate(order)]
    write_tsv("connectome_neighbours.tsv", ["column", "rank", "neighbour", "r"], rows, 12)


def haxby():
    image = nib.load(os.path.join(IMAGING, "haxby2001/run001/bold_25mm.nii.gz"))
    mask = nib.load(os.path.join(IMAGING, "haxby2001/masks_25mm/brain.nii.gz")).get_fdata() > 0
    at = np.argwhere(mask.transpose(2, 1, 0))[:, ::-1]  # i fastest
    x = image.get_fdata()[tuple(at.T)].T
    r, there = correlations(x)
    write_tsv("connectome_haxby.tsv", ["i", "j", "k", *NAMES],
              [[*map(int, p), *row] for p, row in zip(at, spread(np.stack(measures(r, 0.3), 1), there))], 12)


synthetic()
haxby()
