#!/usr/bin/env bats
# tfce: Workbench's numbers in its unit, nilearn's under its name; masks; what is refused.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

# The golden's map as map.nii.gz with voxels of 2 x 2 x 3 mm, its columns as <name>.npy; mask.nii.gz: x > 1.
make_map() {
    need_nibabel
    "$PYTHON" - "$GOLDEN/tfce.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
lines = open(sys.argv[1]).read().splitlines()
x = np.array([l.split("\t") for l in lines[1:]], float)
for name, column in zip(lines[0].split("\t"), x.T):
    np.save(name + ".npy", column.reshape(7, 8, 9).T)
affine = np.diag([2.0, 2, 3, 1])
nib.save(nib.Nifti1Image(np.load("map.npy").astype(np.float32), affine), "map.nii.gz")
mask = np.zeros((9, 8, 7), np.uint8); mask[2:] = 1
nib.save(nib.Nifti1Image(mask, affine), "mask.nii.gz")
PY
}

# close IMAGE COLUMN: equal within float32
close() {
    "$PYTHON" -c 'import sys, nibabel as nib, numpy as np
got, want = nib.load(sys.argv[1]).get_fdata(), np.load(sys.argv[2] + ".npy")
assert np.allclose(got, want, rtol=1e-6, atol=1e-6), abs(got - want).max()' "$1" "$2"
}

@test "labelling at every level, Workbench and nilearn give the same numbers, each by its own definition" {
    make_map
    for n in 6 18 26; do
        "$NEPENTHE" tfce map.nii.gz --connectivity $n -o exact.nii.gz
        close exact.nii.gz c$n
    done
    "$NEPENTHE" tfce map.nii.gz --unit mm3 -o mm3.nii
    close mm3.nii workbench_12mm3
    "$NEPENTHE" tfce map.nii.gz --definition nilearn --connectivity 18 -o steps.nii.gz
    close steps.nii.gz nilearn_c18
    run python3 -c 'import json; d=json.load(open("steps.json")); print(d["Tfce"]["definition"], d["Tfce"]["voxels"], d["command"])'
    [ "$output" = "nilearn 504 tfce" ]
}

@test "a mask leaves voxels out: NaN outside; --positive; without exponents the map itself comes back" {
    make_map
    "$NEPENTHE" tfce map.nii.gz --mask mask.nii.gz --positive -E 0 -H 0 -o out.nii.gz
    "$NEPENTHE" tfce map.nii.gz -E 0 -H 1 -o half.nii.gz
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
x, got, half = np.load("map.npy"), nib.load("out.nii.gz").get_fdata(), nib.load("half.nii.gz").get_fdata()
assert np.isnan(got[:2]).all()
assert np.allclose(got[2:], np.maximum(x[2:], 0), atol=1e-6)
assert np.allclose(half, np.sign(x) * x * x / 2, atol=1e-6)
PY
    run "$NEPENTHE" tfce map.nii.gz --json -q
    [ "$status" -eq 0 ]
    [[ "$output" == *'"schema"'*'nepenthe/tfce/1'* ]]
}

@test "bad input: one sentence, the exit code, nothing written" {
    make_map
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
nib.save(nib.Nifti1Image(np.zeros((9, 8, 7), np.uint8), np.diag([2.0, 2, 3, 1])), "empty.nii.gz")
nib.save(nib.Nifti1Image(np.ones((9, 8, 6), np.uint8), np.diag([2.0, 2, 3, 1])), "foreign.nii.gz")
nib.save(nib.Nifti1Image(np.full((9, 8, 7), np.nan, np.float32), np.diag([2.0, 2, 3, 1])), "nothing.nii.gz")
nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 4), np.float32), np.eye(4)), "series.nii.gz")
PY
    refused 65 "no voxel inside" "$NEPENTHE" tfce map.nii.gz --mask empty.nii.gz -o out.nii.gz
    refused 65 "another grid" "$NEPENTHE" tfce map.nii.gz --mask foreign.nii.gz -o out.nii.gz
    refused 64 "no voxel of the map has a value" "$NEPENTHE" tfce nothing.nii.gz -o out.nii.gz
    refused 64 "exponents" "$NEPENTHE" tfce map.nii.gz -E -1 -o out.nii.gz
    refused 64 "connectivity" "$NEPENTHE" tfce map.nii.gz --connectivity 8 -o out.nii.gz
    refused 65 "series.nii.gz" "$NEPENTHE" tfce series.nii.gz -o out.nii.gz
    refused 66 "missing.nii" "$NEPENTHE" tfce missing.nii -o out.nii.gz
}
