#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Geometries at which the nulls' false-positive rates are measured: writes tests/studies/nulls/*, never committed.

    NEPENTHE_SHARED=/path/to/shared python3 tests/studies/make_null_geometries.py

dk68.tsv          68 Desikan-Killiany regions: mm of the MNI atlas; on the sphere the mean direction of a region's vertices
dk83.tsv          the same and the 15 regions beyond the cortex
fsaverage5.tsv    20,484 vertices of the fsaverage5 spheres (radius 100 mm, x moved by 100 mm to each side); the mm are on the
                  sphere, so that distances are chords of it; column `parcel`: DK region or n/a (medial wall). It is --surface
                  of dk68.tsv and a geometry of its own
schaefer400.tsv   400 Schaefer parcels on conte69: mm and directions as means over vertices; needs the package brainspace, left
                  out without it
brain6.nii.gz     an ellipsoid of voxels of 6 mm, as large as a brain; brain4.nii.gz the same of 4 mm
Needs nibabel and numpy.
"""
import csv
import os
import sys

import nibabel as nib
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(HERE, "..", "..", "..", "shared"))
DATA = os.path.join(SHARED, "data", "brainmaps")
OUT = os.path.join(HERE, "nulls")
HEADER = "region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\tsphere_x\tsphere_y\tsphere_z"


def write(name, header, rows):
    with open(os.path.join(OUT, name), "w", encoding="utf-8") as f:
        f.write(header + "\n")
        for row in rows:
            f.write("\t".join(c if isinstance(c, str) else f"{c:.6f}" for c in row) + "\n")


def unit(x):
    return x / np.linalg.norm(x)


def desikan():
    vertices, direction = [], {}
    for side, short in (("L", "lh"), ("R", "rh")):
        place = nib.load(os.path.join(DATA, "enigma_dk_geometry", f"fsa5_sphere_{short}.gii")).darrays[0].data.astype(float)
        label, _, names = nib.freesurfer.read_annot(os.path.join(DATA, "enigma_dk_geometry", f"fsa5_{short}_aparc.annot"))
        shift = np.array([-100.0 if side == "L" else 100.0, 0, 0])
        for v, (p, l) in enumerate(zip(place, label)):
            word = names[l].decode() if l > 0 else "unknown"
            parcel = "n/a" if word in ("unknown", "corpuscallosum") else f"{side}_{word}"
            vertices.append([f"{side}_v{v:05d}", side, "cortex", *(p + shift), *unit(p), parcel])
            direction.setdefault(parcel, []).append(unit(p))
    write("fsaverage5.tsv", HEADER + "\tparcel", vertices)
    rows, beyond = [], []
    with open(os.path.join(DATA, "derived", "dk83_centroids_volumes_mni.csv"), encoding="utf-8") as f:
        for r in csv.DictReader(f):
            name = f"{r['hemisphere']}_{r['label']}"
            mm = [float(r[k]) for k in ("x_mm", "y_mm", "z_mm")]
            if name not in direction:
                beyond.append([name, r["hemisphere"], "subcortex", *mm, "n/a", "n/a", "n/a"])
            else:
                rows.append([name, r["hemisphere"], "cortex", *mm, *unit(np.mean(direction[name], axis=0))])
    assert len(rows) == 68, len(rows)
    write("dk68.tsv", HEADER, rows)
    assert len(beyond) == 15, len(beyond)
    write("dk83.tsv", HEADER, rows + beyond)


def schaefer():
    try:
        import brainspace
    except ImportError:
        print("no package brainspace: schaefer400.tsv is left out", file=sys.stderr)
        return
    base = os.path.join(os.path.dirname(brainspace.__file__), "datasets")
    label = np.loadtxt(os.path.join(base, "parcellations", "schaefer_400_conte69.csv"), dtype=int).ravel()
    rows = []
    for k, side in enumerate("LR"):
        mine = np.split(label, 2)[k]
        short = "lh" if side == "L" else "rh"
        mm = nib.load(os.path.join(base, "surfaces", f"conte69_32k_{short}.gii")).darrays[0].data.astype(float)
        sphere = nib.load(os.path.join(base, "surfaces", f"conte69_32k_{short}_sphere.gii")).darrays[0].data.astype(float)
        for parcel in sorted(set(mine) - {0}):
            at = mine == parcel
            rows.append([f"{side}_p{parcel:03d}", side, "cortex", *mm[at].mean(0), *unit(sphere[at].mean(0))])
    assert len(rows) == 400, len(rows)
    write("schaefer400.tsv", HEADER, rows)


def voxels():
    for mm, size in ((6.0, (26, 32, 28)), (4.0, (36, 46, 40))):
        at = np.stack(np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in size], indexing="ij"))
        mask = ((at * mm / np.array([68, 86, 75])[:, None, None, None]) ** 2).sum(0) < 1
        nib.save(nib.Nifti1Image(mask.astype(np.uint8), np.diag([mm, mm, mm, 1])), os.path.join(OUT, f"brain{mm:.0f}.nii.gz"))


if __name__ == "__main__":
    if not os.path.isdir(DATA):
        print(f"no evaluation data at {DATA}", file=sys.stderr)
        sys.exit(77)
    os.makedirs(OUT, exist_ok=True)
    desikan()
    schaefer()
    voxels()
