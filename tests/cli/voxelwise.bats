#!/usr/bin/env bats
# voxelwise: maps of ALFF, fALFF, temporal SNR and regional homogeneity.

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

@test "reho in tiles gives the bytes of one piece" {
    need_nibabel
    "$PYTHON" -c '
import nibabel as nib, numpy as np
x = np.random.default_rng(3).normal(size=(24, 24, 20, 200)).astype(np.float32)
nib.save(nib.Nifti1Image(x, np.eye(4)), "big.nii")'
    "$NEPENTHE" voxelwise big.nii --feature reho -o whole.nii
    "$NEPENTHE" voxelwise big.nii --feature reho --mem-mb 12 -o tiled.nii
    cmp whole.nii tiled.nii
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
