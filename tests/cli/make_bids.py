# SPDX-License-Identifier: Apache-2.0
"""Writes a small BIDS-derivatives data set with the standard library alone: python3 make_bids.py FOLDER N_SUBJECTS.

Four slabs of regions (the fourth lies outside the mask), a known slow cosine of known amplitude per region, and motion that
is harmless but in sub-02, whose frames jump. `python3 make_bids.py FOLDER large`: one run of 21,600 voxels instead, 17,248 of
them in the mask and some of those never changing; `spikes` instead of `large`: those of the lower slices change in one frame
alone; `others`: two participants with PET, the second without a T1-weighted image, neither with BOLD."""
import array
import gzip
import json
import math
import os
import random
import struct
import sys

NX, NY, NZ, NT, TR = 8, 6, 5, 80, 2.0
REGIONS = ["L_front", "L_back", "R_front", "B_outside"]


def nifti(path, volumes, shape, code, tr=0.0, origin=0.0):
    n_t = len(volumes)
    h = bytearray(352)
    struct.pack_into("<i", h, 0, 348)
    dims = [4 if n_t > 1 else 3, *shape, n_t, 1, 1, 1]
    struct.pack_into("<8h", h, 40, *dims)
    struct.pack_into("<2h", h, 70, code, {2: 8, 4: 16}[code])
    struct.pack_into("<8f", h, 76, 1, 6, 6, 6, tr, 1, 1, 1)
    struct.pack_into("<3f", h, 108, 352, 1, 0)
    h[123] = 10
    struct.pack_into("<2h", h, 252, 0, 1)
    for row in range(3):
        values = [0.0] * 4
        values[row], values[3] = 6.0, origin
        struct.pack_into("<4f", h, 280 + 16 * row, *values)
    h[344:348] = b"n+1\0"
    kind = {2: "B", 4: "h"}[code]
    with gzip.GzipFile(path, "wb", 6, mtime=0) as f:
        f.write(bytes(h))
        for v in volumes:
            f.write(array.array(kind, v).tobytes())


def label(i):
    return 1 + i * 4 // NX


def subject(root, s, origin=0.0):
    r = random.Random(s)
    sub = "sub-%02d" % (s + 1)
    folder = os.path.join(root, sub, "func")
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, sub + "_task-rest")
    inside = [label(i) < 4 for _ in range(NZ) for _ in range(NY) for i in range(NX)]
    labels = [label(i) for _ in range(NZ) for _ in range(NY) for i in range(NX)]
    base = [1000 + 10 * (v % 7) for v in range(len(labels))]
    volumes = []
    for t in range(NT):
        # frame 8 of 160 s is 0.05 Hz: an exact bin; amplitude 1, 2, 3 percent
        wave = [0.0] + [0.01 * k * math.cos(2 * math.pi * 8 * t / NT + k) for k in (1, 2, 3, 4)]
        volumes.append([round(base[v] * (1 + wave[labels[v]]) + r.gauss(0, 1)) if inside[v] else 0 for v in range(len(labels))])
    shape = (NX, NY, NZ)
    nifti(stem + "_space-X_desc-preproc_bold.nii.gz", volumes, shape, 4, TR, origin)
    nifti(stem + "_space-X_desc-brain_mask.nii.gz", [[int(k) for k in inside]], shape, 2, 0.0, origin)
    step = 0.4 if s == 1 else 0.004
    names = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "csf", "white_matter"]
    with open(stem + "_desc-confounds_timeseries.tsv", "w") as f:
        f.write("\t".join(names) + "\n")
        for t in range(NT):
            motion = [step * r.random() for _ in range(3)] + [step / 50 * r.random() for _ in range(3)]
            f.write("\t".join("%.6f" % x for x in motion + [r.gauss(500, 2), r.gauss(600, 2)]) + "\n")
    return labels


def large(root, spikes):
    r, shape, n_t = random.Random(4), (30, 30, 24), 60
    folder = os.path.join(root, "sub-01", "func")
    os.makedirs(folder)
    stem = os.path.join(folder, "sub-01_task-rest")
    places = [(i, j, k) for k in range(shape[2]) for j in range(shape[1]) for i in range(shape[0])]
    inside = [int(0 < i < 29 and 0 < j < 29 and 0 < k < 23) for i, j, k in places]
    base = [800 + 300 * r.random() for _ in places]
    moves = [0 if 5 <= i < 8 else 20 for i, j, k in places]
    volumes = [[round(b + m * (2 * r.random() - 1)) for b, m in zip(base, moves)] for _ in range(n_t)]
    for v in range(8 * shape[0] * shape[1] if spikes else 0):
        for t in range(n_t):
            volumes[t][v] = round(base[v]) + 5 * (t == 30)
    nifti(stem + "_space-X_desc-preproc_bold.nii.gz", volumes, shape, 4, TR)
    nifti(stem + "_space-X_desc-brain_mask.nii.gz", [inside], shape, 2)
    nifti("large_dseg.nii.gz", [[1 + i // 10 + 3 * (j // 10) + 9 * (k // 12) for i, j, k in places]], shape, 2)
    with open(stem + "_desc-confounds_timeseries.tsv", "w") as f:
        f.write("trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\n")
        for t in range(n_t):
            f.write("\t".join("%.6f" % (0.06 * r.random() / (50 if a > 2 else 1)) for a in range(6)) + "\n")


def others(root):
    """PET: L_front holds 1.5 times what L_back does, R_front 2 times, in every frame. T1w: noise, two labels."""
    labels = [label(i) for _ in range(NZ) for _ in range(NY) for i in range(NX)]
    shape, starts = (NX, NY, NZ), [0, 60, 180, 480, 1080, 1680]
    lengths = [60, 120, 300, 600, 600, 600]
    for s in (1, 2):
        r, sub = random.Random(s), "sub-%02d" % s
        folder = os.path.join(root, sub, "pet")
        os.makedirs(folder)
        curve = [2000 * s, 6000, 8000, 6000, 4000, 2000]
        volumes = [[round(c * (0, 1.5, 1, 2, 0)[k]) for k in labels] for c in curve]
        nifti(os.path.join(folder, sub + "_trc-X_desc-preproc_pet.nii.gz"), volumes, shape, 4, 1.0)
        with open(os.path.join(folder, sub + "_trc-X_desc-preproc_pet.json"), "w") as f:
            json.dump({"FrameTimesStart": starts, "FrameDuration": lengths, "InjectionStart": 0, "ImageDecayCorrected": True}, f)
        if s == 2:
            continue
        folder = os.path.join(root, sub, "anat")
        os.makedirs(folder)
        nifti(os.path.join(folder, sub + "_desc-preproc_T1w.nii.gz"), [[r.randrange(200, 900) for _ in labels]], shape, 4)
        nifti(os.path.join(folder, sub + "_desc-aseg_dseg.nii.gz"), [[10 if k < 3 else 0 if k == 3 else 49 for k in labels]], shape, 2)


def main():
    root = sys.argv[1]
    if sys.argv[2] == "others":
        return others(root)
    if sys.argv[2] in ("large", "spikes"):
        return large(root, sys.argv[2] == "spikes")
    n = int(sys.argv[2])
    for s in range(n):
        labels = subject(root, s)
    nifti("atlas-slabs_dseg.nii.gz", [labels], (NX, NY, NZ), 2)
    nifti("shifted.nii.gz", [labels], (NX, NY, NZ), 2, 0.0, 1.0)
    nifti("far.nii.gz", [[1] * 27], (3, 3, 3), 2, 0.0, 1000.0)
    with open("atlas-slabs_dseg.tsv", "w") as f:
        f.write("index\tname\n" + "".join("%d\t%s\n" % (k + 1, name) for k, name in enumerate(REGIONS)))


if __name__ == "__main__":
    main()
