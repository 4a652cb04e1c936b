# SPDX-License-Identifier: Apache-2.0
"""nilearn's NiftiLabelsMasker (mean) on a 4D .nii.gz: parcels_nilearn.py BOLD ATLAS [--out TSV]."""
import argparse

from peer import report, timed  # before numpy
import nibabel as nib
import nilearn
import numpy as np
from nilearn.maskers import NiftiLabelsMasker


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("bold")
    cli.add_argument("atlas")
    cli.add_argument("--out", help="write the series, to compare values")
    cli.add_argument("--repeats", type=int, default=1)
    o = cli.parse_args()
    series, wall, cpu = timed(lambda: NiftiLabelsMasker(o.atlas, standardize=None).fit_transform(o.bold), o.repeats)
    if o.out:
        np.savetxt(o.out, series, fmt="%.9g", delimiter="\t", comments="",
                   header="\t".join(str(k + 1) for k in range(series.shape[1])))
    shape = "x".join(map(str, nib.load(o.bold).shape))
    report("nilearn NiftiLabelsMasker", nilearn.__version__, f"read and parcel means, {shape} .nii.gz, {series.shape[1]} labels",
           wall, cpu, "all", 1)


if __name__ == "__main__":
    main()
