#!/usr/bin/env bats
# parcels: regional series of an image.

load images

setup() {
    cd "$BATS_TEST_TMPDIR"
    make_images
}

@test "order and names are the table's, a region without voxels stays as n/a" {
    "$NEPENTHE" parcels bold.nii --atlas dseg.nii.gz --labels dseg.tsv -o out.tsv --coverage cov.tsv
    [ "$(head -1 out.tsv)" = "$(printf 'thalamus\tleft\tright\tabsent')" ]
    [ "$(wc -l < out.tsv)" -eq 61 ]
    [ "$(tail -1 out.tsv | cut -f4)" = "n/a" ]
    [ "$(cat cov.tsv)" = "$(printf 'Node\tcoverage\tvoxels\tvoxels_used\nthalamus\t1\t15\t15\nleft\t1\t40\t40\nright\t1\t40\t40\nabsent\t0\t0\t0')" ]
    grep -q '"Statistic": "mean"' out.json
    ! grep -q "$BATS_TEST_TMPDIR" out.json
}

@test "integers with slope and intercept: every statistic is numpy's; the mask halves the coverage" {
    for s in mean median sum min max sd variance; do
        "$NEPENTHE" parcels bold_int.nii.gz --atlas dseg.nii.gz --mask mask.nii.gz --statistic $s --coverage cov.tsv > got.tsv
        "$PYTHON" - $s > want.tsv <<'PY'
import sys, nibabel as nib, numpy as np
x = nib.load("bold_int.nii.gz").get_fdata(); label = nib.load("dseg.nii.gz").get_fdata(); mask = nib.load("mask.nii.gz").get_fdata() > 0
f = {"mean": np.mean, "median": np.median, "sum": np.sum, "min": np.min, "max": np.max, "sd": np.std, "variance": np.var}[sys.argv[1]]
print("region_1\tregion_2\tregion_9")
for t in range(x.shape[3]): print("\t".join(f"{f(x[..., t][(label == l) & mask]):.10g}" for l in (1, 2, 9)))
PY
        table_close got.tsv want.tsv 1e-7
        [ "$(sed -n 2p cov.tsv)" = "$(printf 'region_1\t0.5\t40\t20')" ]
    done
}

@test "3D gives one row; the same bytes for any number of threads; --json is one document" {
    "$NEPENTHE" parcels one.nii.gz --atlas dseg.nii.gz > one.tsv
    [ "$(wc -l < one.tsv)" -eq 2 ]
    "$NEPENTHE" parcels bold_int.nii.gz --atlas dseg.nii.gz --threads 1 > a.tsv
    "$NEPENTHE" parcels bold_int.nii.gz --atlas dseg.nii.gz --threads 4 > b.tsv
    cmp a.tsv b.tsv
    run bash -c "'$NEPENTHE' parcels one.nii.gz --atlas dseg.nii.gz --json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d[\"schema\"], len(d[\"values\"]), len(d[\"regions\"]))'"
    [ "$output" = "nepenthe/parcels/1 1 3" ]
}

@test "a run by nilearn: the Haxby means" {
    need_shared
    "$PYTHON" - "$SHARED" <<'PY'
import sys, nibabel as nib, numpy as np
m = nib.load(sys.argv[1] + "/haxby2001/masks_25mm/brain.nii.gz"); i, j, k = np.indices(m.shape)
nib.save(nib.Nifti1Image(np.where(m.get_fdata() > 0, 1 + (i // 2 + 3 * (j // 2)) % 7, 0).astype(np.int16), m.affine), "rule.nii.gz")
PY
    "$NEPENTHE" parcels "$SHARED/haxby2001/run001/bold_25mm.nii.gz" --atlas rule.nii.gz | sed '1s/region_//g' > got.tsv
    table_close got.tsv "$GOLDEN/parcels_haxby_mean.tsv" 1e-8
}

@test "another grid is refused without --resample and taken with it" {
    refused 65 "give --resample" "$NEPENTHE" parcels bold.nii --atlas foreign.nii.gz -o out.tsv
    "$NEPENTHE" parcels bold.nii --atlas foreign.nii.gz --resample > near.tsv
    [ "$(wc -l < near.tsv)" -eq 61 ]
}

@test "bad input: one sentence, the exit code, nothing written" {
    refused 64 "--atlas" "$NEPENTHE" parcels bold.nii -o out.tsv
    refused 66 "nothing.nii" "$NEPENTHE" parcels nothing.nii --atlas dseg.nii.gz -o out.tsv
    refused 65 "empty.nii.gz" "$NEPENTHE" parcels bold.nii --atlas empty.nii.gz -o out.tsv
    refused 65 "grid" "$NEPENTHE" parcels bold.nii --atlas dseg.nii.gz --mask foreign.nii.gz -o out.tsv
    refused 65 "no voxel inside" "$NEPENTHE" parcels bold.nii --atlas dseg.nii.gz --mask empty.nii.gz -o out.tsv
    head -c 20000 bold.nii > short.nii
    refused 65 "short.nii" "$NEPENTHE" parcels short.nii --atlas dseg.nii.gz -o out.tsv
    head -c 5000 bold_int.nii.gz > short.nii.gz
    refused 65 "short.nii.gz" "$NEPENTHE" parcels short.nii.gz --atlas dseg.nii.gz -o out.tsv
    refused 73 "" "$NEPENTHE" parcels bold.nii --atlas dseg.nii.gz -o no/such/folder/out.tsv
}

@test "--dry-run writes nothing" {
    "$NEPENTHE" parcels bold.nii --atlas dseg.nii.gz -o out.tsv --dry-run > plan
    [ -s plan ] && [ ! -e out.tsv ]
}
