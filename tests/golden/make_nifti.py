# SPDX-License-Identifier: Apache-2.0
"""Header facts and a few voxels of each imaging file, as nibabel reads them."""
import os

import nibabel as nib
import numpy as np

from golden import IMAGING, made_by, write_json

FILES = """atlas_dk/atlas-desikankilliany.nii.gz ds003/sub-01_mc.nii.gz ds003/sub-01_mc_brainmask.nii.gz
haxby2001/masks_25mm/brain.nii.gz haxby2001/masks_25mm/gray.nii.gz haxby2001/run001/bold_1slice.nii.gz
haxby2001/run001/bold_25mm.nii.gz neurovault/image_10426.nii.gz nibabel/functional.nii nibabel/anatomical.nii
nibabel/example4d.nii.gz nibabel/example_nifti2.nii.gz orientation/3vols.nii.gz orientation/AIL.nii.gz
orientation/ASL.nii.gz orientation/IPR.nii.gz orientation/LAS.nii.gz orientation/PIR.nii.gz orientation/RAS.nii.gz
orientation/Oldtrick3D.nii.gz""".split()
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def facts(name):
    image = nib.load(os.path.join(IMAGING, name))
    h, shape = image.header, image.shape
    value = np.asanyarray(image.get_fdata(dtype=np.float64))
    four = value.reshape(shape + (1,) * (4 - len(shape)))
    # 12 voxels on a fixed stride, plus the largest value.
    flat = four.reshape(-1, order="F")
    at = sorted(set(np.linspace(0, flat.size - 1, 12).astype(int)) | {int(np.nanargmax(flat))})
    voxels = [[*map(int, np.unravel_index(p, four.shape, order="F")), float(flat[p])] for p in at]
    time_unit = h.get_xyzt_units()[1]
    tr = float(h.get_zooms()[3]) if len(shape) == 4 else None
    coded = int(h["sform_code"]) > 0 or int(h["qform_code"]) > 0
    return {
        "file": name, "nifti": 2 if isinstance(image, nib.Nifti2Image) else 1, "shape": list(shape),
        "dtype": h.get_data_dtype().name, "big_endian": h.endianness == ">",
        "slope": float(image.dataobj.slope), "inter": float(image.dataobj.inter),
        "sform_code": int(h["sform_code"]), "qform_code": int(h["qform_code"]),
        "voxel_mm": [float(z) for z in h.get_zooms()[:3]],
        # Without a form there is no world: nibabel invents a centred one with x flipped; NIfTI's method 1 is
        # diag(pixdim) alone. A reader that says which it takes is right either way.
        "affine": image.affine if coded else None, "affine_nibabel": image.affine,
        "time_unit": time_unit, "pixdim4": tr,
        "tr_s": tr * SECONDS[time_unit] if tr is not None and time_unit in SECONDS else None,
        "sum": float(np.nansum(value)), "voxels": voxels,
    }


# Two headers say "sec" and pixdim[4] = 2000 where milliseconds are meant: a TR above 100 s is read as ms.
made = [facts(f) for f in FILES]
for m in made:
    m["tr_sensible_s"] = m["tr_s"] / 1000 if m["tr_s"] is not None and m["tr_s"] > 100 else m["tr_s"]
write_json("nifti.json", {"made_by": made_by("nibabel", "numpy"), "files": made})
