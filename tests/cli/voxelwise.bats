#!/usr/bin/env bats
# voxelwise: maps of ALFF, fALFF and temporal SNR.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

@test "each definition is the reference's on a real run" {
    need_nibabel
    need_shared
    for f in canonical_alff canonical_falff afni_alff afni_falff cpac_alff cpac_falff xcpd_alff canonical_tsnr; do
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

@test "bad input: one sentence, the exit code, nothing written" {
    make_images
    refused 64 "--feature" "$NEPENTHE" voxelwise bold.nii -o out.nii
    refused 65 "one volume" "$NEPENTHE" voxelwise one.nii.gz --feature alff -o out.nii
    refused 64 "LOW,HIGH" "$NEPENTHE" voxelwise bold.nii --feature alff --band 0.01 -o out.nii
    refused 64 "holds no frequency" "$NEPENTHE" voxelwise bold.nii --feature alff --band 0.0501,0.0502 -o out.nii
    refused 64 "no fALFF" "$NEPENTHE" voxelwise bold.nii --feature falff --definition xcpd -o out.nii
    refused 64 "reho" "$NEPENTHE" voxelwise bold.nii --feature reho -o out.nii
}
