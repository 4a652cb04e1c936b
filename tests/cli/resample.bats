#!/usr/bin/env bats
# resample and smooth: files in, files out, as nilearn does them.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

# in.nii.gz and grid.nii.gz of the goldens
make_grids() {
    need_nibabel
    "$PYTHON" - "$GOLDEN/resample_in.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()[1:]]
x = np.array([[np.nan if v == "n/a" else float(v) for v in r] for r in rows]).astype(np.float32)
a = np.array([[-3, 0, 0, 20], [0, 3.5, 0, -15], [0, 0, 4, -12], [0, 0, 0, 1]], float)
t = np.array([[2.8, 0.3, 0, -14.013], [-0.2, 2.9, 0.4, -13.027], [0.1, -0.3, 3.1, -9.019], [0, 0, 0, 1]], float)
for k, name in enumerate(("whole", "gaps")):
    nib.save(nib.Nifti1Image(x[:, k].reshape((13, 11, 9), order="F"), a), name + ".nii.gz")
nib.save(nib.Nifti1Image(np.stack([x[:, 0].reshape((13, 11, 9), order="F")] * 2, -1), a), "two.nii.gz")
nib.save(nib.Nifti1Image(np.round(x[:, 0]).astype(np.uint8).reshape((13, 11, 9), order="F"), a), "labels.nii.gz")
nib.save(nib.Nifti1Image(np.zeros((10, 12, 8), np.float32), t), "grid.nii.gz")
PY
}

@test "resample: each interpolation is the reference's, in 3D and 4D; labels keep their type" {
    make_grids
    for i in continuous linear nearest; do
        "$NEPENTHE" resample whole.nii.gz --to grid.nii.gz --interpolation $i -o whole_$i.nii.gz
        "$NEPENTHE" resample gaps.nii.gz --to grid.nii.gz --interpolation $i -o gaps_$i.nii.gz
    done
    "$NEPENTHE" resample two.nii.gz --to grid.nii.gz -o two_out.nii.gz
    "$NEPENTHE" resample labels.nii.gz --to grid.nii.gz --interpolation nearest -o labels_out.nii.gz
    "$PYTHON" - "$GOLDEN/resample_out.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
for k, name in enumerate(rows[0]):
    if name.endswith("overshoot"): continue
    want = np.array([np.nan if r[k] == "n/a" else float(r[k]) for r in rows[1:]])
    image = nib.load(name + ".nii.gz")
    assert np.allclose(image.get_fdata().reshape(-1, order="F"), want, rtol=1e-6, atol=1e-5, equal_nan=True), name
    assert np.allclose(image.affine, nib.load("grid.nii.gz").affine, atol=1e-5)
two, one = nib.load("two_out.nii.gz").get_fdata(), nib.load("whole_continuous.nii.gz").get_fdata()
assert two.shape == (10, 12, 8, 2) and np.array_equal(two[..., 0], one) and np.array_equal(two[..., 1], one)
assert nib.load("labels_out.nii.gz").get_data_dtype() == np.int16
PY
}

@test "resample: voxels of a size hold the image as nilearn's target affine of 3 by 3 does" {
    make_grids
    "$NEPENTHE" resample whole.nii.gz --voxel 4.3,5.2,3.9 --interpolation linear -o sized.nii.gz
    "$NEPENTHE" resample whole.nii.gz --voxel 3 --interpolation nearest -o three.nii.gz
    "$PYTHON" - "$GOLDEN/resample_voxel.json" <<'PY'
import json, sys, nibabel as nib, numpy as np
want, got = json.load(open(sys.argv[1])), nib.load("sized.nii.gz")
assert list(got.shape) == want["shape"] and np.allclose(got.affine, want["affine"], atol=1e-5), (got.shape, got.affine, want["affine"])
x, y = got.get_fdata(), np.reshape(want["linear"], want["shape"], order="F")
assert np.allclose(x[:, :, 1:], y[:, :, 1:], rtol=1e-6, atol=1e-5)
# nilearn's first slice lies 2e-15 mm outside the image by rounding, and is lost; ours is the image's own, between its columns
assert (y[:, :, 0] == 0).all() and (x[:9, :7, 0] > 60).all()
three = nib.load("three.nii.gz")
assert three.shape[0] == 13 and np.allclose(three.affine[:3, :3], 3 * np.eye(3))
PY
    refused 64 "or --voxel MM" "$NEPENTHE" resample whole.nii.gz -o out.nii.gz
    refused 64 "or --voxel MM" "$NEPENTHE" resample whole.nii.gz --to grid.nii.gz --voxel 3 -o out.nii.gz
    refused 64 "a size in mm above 0" "$NEPENTHE" resample whole.nii.gz --voxel 3,0,3 -o out.nii.gz
    refused 64 "take larger ones" "$NEPENTHE" resample whole.nii.gz --voxel 0.001 -o out.nii.gz
}

@test "smooth: nilearn's number under its definition; missing voxels stay missing by ours" {
    make_grids
    "$NEPENTHE" smooth whole.nii.gz --fwhm 6 -o whole_6.nii.gz
    "$NEPENTHE" smooth gaps.nii.gz --fwhm 4,0,9 --definition nilearn -o gaps_4_0_9.nii.gz
    "$NEPENTHE" smooth gaps.nii.gz --fwhm 6 -o ours.nii.gz
    "$PYTHON" - "$GOLDEN/smooth.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
for name in ("whole_6", "gaps_4_0_9"):
    k = rows[0].index(name)
    want = np.array([float(r[k]) for r in rows[1:]])
    assert np.allclose(nib.load(name + ".nii.gz").get_fdata().reshape(-1, order="F"), want, rtol=1e-6), name
ours, gaps = nib.load("ours.nii.gz").get_fdata(), nib.load("gaps.nii.gz").get_fdata()
assert np.array_equal(np.isnan(ours), np.isnan(gaps)) and np.nanmin(ours) > 60
PY
}

@test "bad input: one sentence, the exit code, nothing written" {
    make_grids
    refused 64 "--to" "$NEPENTHE" resample whole.nii.gz -o out.nii.gz
    refused 66 "absent.nii" "$NEPENTHE" resample whole.nii.gz --to absent.nii -o out.nii.gz
    refused 64 "--fwhm" "$NEPENTHE" smooth whole.nii.gz -o out.nii.gz
    refused 64 "--fwhm" "$NEPENTHE" smooth whole.nii.gz --fwhm 4,5 -o out.nii.gz
    refused 64 "0 or more" "$NEPENTHE" smooth whole.nii.gz --fwhm -4 -o out.nii.gz
}
