#!/usr/bin/env bats
# voxelwise: maps of ALFF, fALFF, temporal SNR, and of what voxels have in common.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

@test "each definition is the reference's on a real run" {
    need_nibabel
    need_shared
    for f in canonical_alff canonical_falff afni_alff afni_falff cpac_alff cpac_falff xcpd_alff conn_alff conn_falff canonical_tsnr; do
        "$NEPENTHE" voxelwise "$SHARED/haxby2001/run001/bold_25mm.nii.gz" --feature ${f#*_} --definition ${f%_*} --mask "$SHARED/haxby2001/masks_25mm/brain.nii.gz" -o $f.nii.gz
    done
    run "$PYTHON" - "$GOLDEN/voxelwise_haxby.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
at = np.array([[int(v) for v in r[:3]] for r in rows[1:]])
for k, name in enumerate(rows[0][3:], 3):
    got = nib.load(("canonical_" if name == "tsnr" else "") + name + ".nii.gz").get_fdata()[tuple(at.T)]
    want = np.array([float(r[k]) for r in rows[1:]])
    assert np.all(np.abs(got - want) <= 1e-5 * np.abs(want)), name
print(len(at))
PY
    [ "$status" -eq 0 ]
    [ "$output" -gt 50 ]
}

@test "outside the mask is NaN; the sidecar says band and TR" {
    make_images
    "$NEPENTHE" voxelwise bold.nii --feature alff --mask mask.nii.gz --band 0.02,0.1 -o out.nii.gz
    "$PYTHON" -c '
import nibabel as nib, numpy as np
d = nib.load("out.nii.gz").get_fdata(); m = nib.load("mask.nii.gz").get_fdata() > 0
assert np.isnan(d[~m]).all() and np.isfinite(d[m]).all() and (d[m] > 0).all()'
    run python3 -c 'import json; v=json.load(open("out.json"))["Voxelwise"]; print(v["tr_s"], v["band_hz"], v["voxels"])'
    [ "$output" = "2.0 [0.02, 0.1] 100" ]
}

@test "reho is the reference's on a real run, whatever the memory, and keeps its sidecar" {
    need_nibabel
    need_shared
    bold="$SHARED/haxby2001/run001/bold_25mm.nii.gz"
    mask="$SHARED/haxby2001/masks_25mm/brain.nii.gz"
    for n in 7 19 27; do "$NEPENTHE" voxelwise "$bold" --feature reho --mask "$mask" --neighbours $n -o reho$n.nii.gz; done
    "$NEPENTHE" voxelwise "$bold" --feature reho --mask "$mask" --definition cpac -o cpac.nii.gz
    "$PYTHON" - "$GOLDEN/local_reho_haxby.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
at = tuple(np.array([[int(v) for v in r[:3]] for r in rows[1:]]).T)
for k, name in enumerate(rows[0][3:], 3):
    d = nib.load("reho" + name[9:] + ".nii.gz").get_fdata()
    want = np.array([float(r[k]) for r in rows[1:]])
    assert np.allclose(d[at], want, rtol=0, atol=1e-6), name
    assert np.isfinite(d).sum() == len(want), name
d = nib.load("cpac.nii.gz").get_fdata()
inner = np.isfinite(d)[1:-1, 1:-1, 1:-1].sum()
assert inner > 0 and np.isfinite(d).sum() == inner
PY
    run python3 -c 'import json; v=json.load(open("reho19.json"))["Voxelwise"]; print(v["feature"], v["neighbours"], v["definition"], "band_hz" in v)'
    [ "$output" = "reho 19 canonical False" ]
}

@test "--scale divides a map by its mean, or makes z-scores of it" {
    make_images
    for how in none mean zscore; do "$NEPENTHE" voxelwise bold.nii --feature alff --mask mask.nii.gz --scale $how -o $how.nii; done
    "$PYTHON" -c '
import json, nibabel as nib, numpy as np
none, mean, z = (nib.load(n + ".nii").get_fdata() for n in ("none", "mean", "zscore"))
a = none[np.isfinite(none)]
assert np.allclose(mean[np.isfinite(mean)], a / a.mean(), rtol=1e-6)
assert np.allclose(z[np.isfinite(z)], (a - a.mean()) / a.std(ddof=1), rtol=0, atol=1e-5)
assert len(a) == np.isfinite(mean).sum() == np.isfinite(z).sum() == 100
assert json.load(open("mean.json"))["Voxelwise"]["scale"] == "mean" and "scale" not in json.load(open("none.json"))["Voxelwise"]'
    refused 64 "gives a table" "$NEPENTHE" voxelwise bold.nii --feature nearest --scale mean -o out.tsv
}

@test "reho and vmhc in tiles give the bytes of one piece" {
    need_nibabel
    "$PYTHON" -c '
import nibabel as nib, numpy as np
x = np.random.default_rng(3).normal(size=(24, 24, 20, 200)).astype(np.float32)
affine = np.eye(4); affine[0, 3] = -11.5
nib.save(nib.Nifti1Image(x, affine), "big.nii")'
    "$NEPENTHE" voxelwise big.nii --feature reho -o whole.nii
    "$NEPENTHE" voxelwise big.nii --feature reho --mem-mb 12 -o tiled.nii
    cmp whole.nii tiled.nii
    "$NEPENTHE" voxelwise big.nii --feature vmhc -o whole.nii
    "$NEPENTHE" voxelwise big.nii --feature vmhc --mem-mb 18 -o tiled.nii
    cmp whole.nii tiled.nii
}

@test "gcor, vmhc and lcor are those of all pairs" {
    need_nibabel
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
rng = np.random.default_rng(7)
x = (rng.normal(size=(8, 5, 4, 40)) + rng.normal(size=40)).astype(np.float32)
x[2, 2, 2] = 3; x[5, 1, 1, 9] = np.nan
affine = np.diag([-3.0, 3, 3, 1]); affine[:3, 3] = [10.5, -6, -3]
nib.save(nib.Nifti1Image(x, affine), "pairs.nii")
mask = np.ones((8, 5, 4), np.uint8); mask[0, :2] = 0
nib.save(nib.Nifti1Image(mask, affine), "pairs_mask.nii")
PY
    for f in gcor vmhc lcor; do "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature $f --fwhm 7 -o $f.nii; done
    "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature vmhc --definition cpac -o z.nii
    "$PYTHON" - <<'PY'
import json, nibabel as nib, numpy as np
x = nib.load("pairs.nii").get_fdata()
good = (nib.load("pairs_mask.nii").get_fdata() > 0) & np.isfinite(x).all(axis=3) & (np.nan_to_num(x).std(axis=3) > 0)
at = np.argwhere(good); r = np.corrcoef(x[good])
def read(name): return nib.load(name + ".nii").get_fdata()
def same(name, want):
    d = read(name)
    assert np.allclose(d[good], want, rtol=0, atol=1e-6, equal_nan=True), name
    assert np.isnan(d[~good]).all(), name
same("gcor", r.mean(axis=1))
assert abs(json.load(open("gcor.json"))["Voxelwise"]["gcor"] - r.mean()) < 1e-6
index = {tuple(p): k for k, p in enumerate(at)}
twin = [index.get((7 - p[0], p[1], p[2])) for p in at]
want = np.array([np.nan if t is None else r[k, t] for k, t in enumerate(twin)])
same("vmhc", want); same("z", np.arctanh(want))
sigma = 7 / np.sqrt(8 * np.log(2)) / 3
d = at[:, None] - at[None]
w = np.where((abs(d) <= int(4 * sigma + .5)).all(axis=2), np.exp(-.5 * (d ** 2).sum(axis=2) / sigma ** 2), 0)
same("lcor", (w * r).sum(axis=1) / w.sum(axis=1))
assert json.load(open("lcor.json"))["Voxelwise"]["fwhm_mm"] == 7
PY
    "$PYTHON" -c '
import nibabel as nib, numpy as np
a = nib.load("pairs.nii"); m = a.affine.copy(); m[0, 3] += 1
nib.save(nib.Nifti1Image(a.get_fdata().astype(np.float32), m), "shifted.nii")'
    refused 65 "not symmetric about x = 0 mm: mirrored voxels lie 0.33 voxels off" "$NEPENTHE" voxelwise shifted.nii --feature vmhc -o out.nii
    refused 64 "xcpd has none" "$NEPENTHE" voxelwise pairs.nii --feature lcor --definition xcpd -o out.nii
    refused 64 "afni has none" "$NEPENTHE" voxelwise pairs.nii --feature gcor --definition afni -o out.nii
    refused 64 "above 0" "$NEPENTHE" voxelwise pairs.nii --feature lcor --fwhm 0 -o out.nii
}

@test "bad input: one sentence, the exit code, nothing written" {
    make_images
    refused 64 "--feature" "$NEPENTHE" voxelwise bold.nii -o out.nii
    refused 65 "one volume" "$NEPENTHE" voxelwise one.nii.gz --feature alff -o out.nii
    refused 64 "LOW,HIGH" "$NEPENTHE" voxelwise bold.nii --feature alff --band 0.01 -o out.nii
    refused 64 "holds no frequency" "$NEPENTHE" voxelwise bold.nii --feature alff --band 0.0501,0.0502 -o out.nii
    refused 64 "no fALFF" "$NEPENTHE" voxelwise bold.nii --feature falff --definition xcpd -o out.nii
    refused 64 "conn has none" "$NEPENTHE" voxelwise bold.nii --feature reho --definition conn -o out.nii
    refused 64 "7|19|27" "$NEPENTHE" voxelwise bold.nii --feature reho --neighbours 9 -o out.nii
    refused 64 "homogeneity" "$NEPENTHE" voxelwise bold.nii --feature homogeneity -o out.nii
}
