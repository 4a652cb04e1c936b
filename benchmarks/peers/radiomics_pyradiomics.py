# SPDX-License-Identifier: Apache-2.0
"""PyRadiomics on an ellipsoid of about 33,000 voxels in 96 x 96 x 64: first order, shape, GLCM, GLRLM, GLSZM, GLDM, NGTDM, bins of
width 25. Images are in memory; PyRadiomics crops to the region itself. tests/golden/make_radiomics.py says how to install it."""
import argparse
import logging

from peer import report, save, timed  # before numpy
import numpy as np
import radiomics
import SimpleITK as sitk
from radiomics import featureextractor

SHAPE, SPACING = (96, 96, 64), (1.0, 1.0, 1.5)
NAMES = ("firstorder_Mean", "shape_MeshVolume", "shape_SurfaceArea", "shape_Maximum3DDiameter", "glcm_Contrast", "glcm_MCC", "glcm_Imc2",
         "glrlm_RunEntropy", "glszm_ZoneEntropy", "gldm_DependenceVariance", "ngtdm_Complexity", "ngtdm_Strength")


def make():
    rng = np.random.default_rng(3)
    i, j, k = np.indices(SHAPE)
    image = np.round(800 + 150 * np.sin(i / 9) * np.cos(j / 7 + k / 5) + 60 * rng.standard_normal(SHAPE)).astype(np.float32)
    roi = ((i - 47.5) / 25) ** 2 + ((j - 47.5) / 21) ** 2 + ((k - 31.5) / 15) ** 2 < 1
    return image, roi


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--save", metavar="DIR", help="write image, region and twelve features, time nothing")
    o = cli.parse_args()
    radiomics.logger.setLevel(logging.ERROR)
    image, roi = make()
    pair = [sitk.GetImageFromArray(np.ascontiguousarray(a.transpose(2, 1, 0))) for a in (image, roi.astype(np.uint8))]
    for a in pair:
        a.SetSpacing(SPACING)
    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25, additionalInfo=False)
    extractor.disableAllFeatures()
    for family in ("firstorder", "shape", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
        extractor.enableFeatureClassByName(family)
    got, wall, cpu = timed(lambda: extractor.execute(*pair), 1 if o.save else 2)
    if o.save:
        save(o.save, radiomics_x=image.transpose(2, 1, 0).copy(), radiomics_roi=roi.transpose(2, 1, 0).astype(np.float32),
             radiomics_want=np.array([float(got["original_" + name]) for name in NAMES]))
        return
    report("PyRadiomics", radiomics.__version__.lstrip("v"), f"104 features of {roi.sum()} voxels", wall, cpu, "all", 1)


main()
