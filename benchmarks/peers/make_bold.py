# SPDX-License-Identifier: Apache-2.0
"""Makes DIR/bold.nii.gz (97x115x97x100 int16, 2 mm, gzip level 6) and DIR/atlas.nii.gz (400 labels) for benchmarks.

Smooth anatomy and smooth noise inside a brain-shaped mask, zero outside, as a preprocessed run. Reproducible by --seed.
"""
import argparse
import gzip
import os

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

SHAPE = (97, 115, 97)
AFFINE = np.array([[2.0, 0, 0, -96], [0, 2, 0, -132], [0, 0, 2, -78], [0, 0, 0, 1]])


def brain(shape):
    x, y, z = (np.linspace(-1, 1, n).reshape([-1 if a == k else 1 for k in range(3)]) for a, n in enumerate(shape))
    return (x / 0.75) ** 2 + (y / 0.85) ** 2 + ((z - 0.05 * y) / 0.72) ** 2 < 1


def atlas(mask, regions, rng):
    at = np.argwhere(mask)
    centres = at[rng.choice(len(at), regions, replace=False)]
    label = np.zeros(mask.shape, np.int16)
    label[mask] = 1 + cKDTree(centres).query(at)[1]
    return label


def write(path, header_image, volumes):
    """Header, then one volume after the other, so that the run is never held whole."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:
        out.write(header_image.header.binaryblock + b"\0\0\0\0")
        for v in volumes:
            out.write(np.asarray(v, "<i2").tobytes(order="F"))


def header(shape, dtype):
    image = nib.Nifti1Image(np.broadcast_to(np.zeros((), dtype), shape), AFFINE)
    image.header.set_data_dtype(dtype)
    image.header.set_xyzt_units("mm", "sec")
    if len(shape) == 4:
        image.header["pixdim"][4] = 2.0
    image.header["vox_offset"], image.header["magic"] = 352, b"n+1"
    image.header["scl_slope"], image.header["scl_inter"] = 1, 0
    return image


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("dir")
    cli.add_argument("--volumes", type=int, default=100)
    cli.add_argument("--regions", type=int, default=400)
    cli.add_argument("--seed", type=int, default=0)
    o = cli.parse_args()
    os.makedirs(o.dir, exist_ok=True)
    rng = np.random.default_rng(o.seed)
    mask = brain(SHAPE)
    anatomy = gaussian_filter(rng.normal(size=SHAPE).astype(np.float32), 4)
    anatomy = 9000 + 1500 * anatomy / anatomy[mask].std()

    def volumes():
        for _ in range(o.volumes):
            noise = gaussian_filter(rng.normal(size=SHAPE).astype(np.float32), 1.0)
            yield np.where(mask, anatomy + 120 * noise / noise[mask].std(), 0).round().clip(0, 32000)

    write(os.path.join(o.dir, "bold.nii.gz"), header(SHAPE + (o.volumes,), np.int16), volumes())
    write(os.path.join(o.dir, "atlas.nii.gz"), header(SHAPE, np.int16), [atlas(mask, o.regions, rng)])


if __name__ == "__main__":
    main()
