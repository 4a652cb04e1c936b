#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""radiomics_in.tsv (an image and a region with holes, 16 x 14 x 10 voxels of 0.9 x 1.1 x 2.5 mm) and radiomics.tsv: what
PyRadiomics 3.1.0 says of it, features under our names, with bins of width 25 and with 12 bins.

The archive of PyRadiomics 3.1.0 on PyPI lacks two headers; with `int f(...);` lines of its radiomics/src/cmatrices.c and cshape.c
in cmatrices.h and cshape.h beside them it builds (`pip install --no-build-isolation .`).
"""
import json
import logging
from pathlib import Path

import numpy as np
import radiomics
import SimpleITK as sitk
from radiomics import featureextractor

HERE = Path(__file__).resolve().parent
SHAPE, SPACING, SHIFT = (16, 14, 10), (0.9, 1.1, 2.5), 300.0
FAMILIES = {"firstorder": "intensity", "shape": "shape", "glcm": "glcm", "glrlm": "glrlm", "glszm": "glszm", "gldm": "gldm", "ngtdm": "ngtdm"}
NAMES = {  # PyRadiomics' name to ours, where it is not the words put together
    "10Percentile": "percentile_10", "90Percentile": "percentile_90", "RootMeanSquared": "root_mean_square",
    "Maximum3DDiameter": "maximum_3d_diameter", "SurfaceVolumeRatio": "surface_volume_ratio", "Correlation": "correlation",
    "Idm": "inverse_difference_moment", "Idmn": "normalised_inverse_difference_moment", "Id": "inverse_difference",
    "Idn": "normalised_inverse_difference", "Imc1": "information_correlation_1", "Imc2": "information_correlation_2",
    "MCC": "maximal_correlation_coefficient", "JointEnergy": "angular_second_moment", "MaximumProbability": "joint_maximum",
    "SumSquares": "joint_variance", "RunLengthNonUniformity": "run_non_uniformity",
    "RunLengthNonUniformityNormalized": "normalised_run_non_uniformity", "GrayLevelNonUniformity": "grey_level_non_uniformity",
    "GrayLevelNonUniformityNormalized": "normalised_grey_level_non_uniformity", "SizeZoneNonUniformity": "zone_non_uniformity",
    "SizeZoneNonUniformityNormalized": "normalised_zone_non_uniformity",
    "DependenceNonUniformityNormalized": "normalised_dependence_non_uniformity"}
NOT_OURS = {"Maximum2DDiameterColumn", "Maximum2DDiameterRow", "Maximum2DDiameterSlice"}


def words(name):
    out = ""
    for letter in name:
        out += ("_" if letter.isupper() and out else "") + letter.lower()
    return (out.replace("gray", "grey").replace("_area_", "_zone_").replace("high_grey_level_run_", "high_grey_level_")
            .replace("low_grey_level_run_", "low_grey_level_").replace("high_grey_level_zone_", "high_grey_level_")
            .replace("low_grey_level_zone_", "low_grey_level_"))


def ours(key):
    _, family, name = key.split("_", 2)
    if name in ("Entropy", "Uniformity") and family == "firstorder":
        return "histogram_" + name.lower()
    return f"{FAMILIES[family]}_{NAMES.get(name) or words(name)}"


def make():
    """Smooth and rough together, in whole numbers; an ellipsoid with bites taken out."""
    rng = np.random.default_rng(7)
    i, j, k = np.indices(SHAPE)
    image = np.round(400 + 60 * np.sin(i / 2.5) + 45 * np.cos(j / 3 + k / 2) + 35 * rng.standard_normal(SHAPE)).astype(np.float32)
    roi = ((i - 7.5) / 7) ** 2 + ((j - 6.5) / 6) ** 2 + ((k - 4.5) / 4.2) ** 2 < 1
    roi &= rng.random(SHAPE) > 0.08
    return image, roi


def main():
    radiomics.logger.setLevel(logging.ERROR)
    image, roi = make()
    flat = np.stack([image.ravel(order="F"), roi.ravel(order="F")], 1)
    (HERE / "radiomics_in.tsv").write_text("image\troi\n" + "".join(f"{x:g}\t{int(r)}\n" for x, r in flat))
    pair = [sitk.GetImageFromArray(np.ascontiguousarray(a.transpose(2, 1, 0))) for a in (image, roi.astype(np.uint8))]
    for a in pair:
        a.SetSpacing(SPACING)
    columns = []
    for bins in ({"binWidth": 25}, {"binCount": 12}):
        extractor = featureextractor.RadiomicsFeatureExtractor(**bins, voxelArrayShift=SHIFT)
        extractor.disableAllFeatures()
        for family in FAMILIES:
            extractor.enableFeatureClassByName(family)
        got = extractor.execute(*pair)
        columns.append({ours(k): float(v) for k, v in got.items() if k.startswith("original_") and k.split("_")[2] not in NOT_OURS})
    (HERE / "radiomics.tsv").write_text("feature\twidth_25\tbins_12\n" + "".join(
        f"{name}\t{columns[0][name]:.13g}\t{columns[1][name]:.13g}\n" for name in columns[0]))
    (HERE / "radiomics.json").write_text(json.dumps({
        "made_by": f"pyradiomics {radiomics.__version__.lstrip('v')}, SimpleITK {sitk.Version.VersionString()}, numpy {np.__version__}",
        "shape": SHAPE, "spacing_mm": SPACING, "shift": SHIFT}, indent=1) + "\n")


main()
