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

@test "weight maps: amounts of a mixture come back; rows of the table name them; a map outside is n/a" {
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
b = nib.load("bold.nii"); i, j, k = np.indices(b.shape[:3])
w = np.stack([1.0 * (i < 4), np.maximum(0, i - 2) / 4, 0 * i, 1.0 * (j > 2) * (k + 1)], axis=3).astype(np.float32)
nib.save(nib.Nifti1Image(w, b.affine), "maps.nii.gz")
nib.save(nib.Nifti1Image(w[..., [0, 1, 3, 0]], b.affine), "twice.nii.gz")
x = (w @ np.array([[3, 1], [-2, 0], [5, 5], [0.5, 7]])).astype(np.float32)
nib.save(nib.Nifti1Image(x, b.affine), "mix.nii.gz")
PY
    printf 'index\tname\n0\tfront\n1\tback\n2\tnowhere\n3\ttop\n' > names.tsv
    run "$NEPENTHE" parcels mix.nii.gz --maps maps.nii.gz --labels names.tsv -o out.tsv --coverage cov.tsv
    [[ "$output" == *"1 of 4 regions have no voxel"*"nowhere"* ]]
    printf 'front\tback\tnowhere\ttop\n3\t-2\tn/a\t0.5\n1\t0\tn/a\t7\n' > want.tsv
    table_close out.tsv want.tsv 1e-5
    [ "$(sed -n 4p cov.tsv)" = "$(printf 'nowhere\t0\t0\t0')" ]
    grep -q '"Statistic": "least squares"' out.json
    rm out.tsv out.json
    refused 65 "map 4 ('map_4') is a combination" "$NEPENTHE" parcels mix.nii.gz --maps twice.nii.gz -o out.tsv
    refused 65 "takes 4D weight maps" "$NEPENTHE" parcels mix.nii.gz --maps mask.nii.gz -o out.tsv
    refused 65 "has 4 weight maps" "$NEPENTHE" parcels mix.nii.gz --maps maps.nii.gz --labels <(printf 'name\na\nb\n') -o out.tsv
    refused 65 "order of the maps" "$NEPENTHE" parcels mix.nii.gz --maps maps.nii.gz --labels <(sed '2d;3p' names.tsv) -o out.tsv
    refused 64 "fitted" "$NEPENTHE" parcels mix.nii.gz --maps maps.nii.gz --statistic sd -o out.tsv
    refused 64 "not both" "$NEPENTHE" parcels mix.nii.gz --maps maps.nii.gz --atlas dseg.nii.gz -o out.tsv
    refused 65 "whole numbers" "$NEPENTHE" parcels mix.nii.gz --atlas <(gzip -dc maps.nii.gz) -o out.tsv
}

@test "regions on another grid, by nilearn: onto the image, and the image onto them" {
    need_shared
    "$PYTHON" - "$GOLDEN/parcels.json" <<'PY'
import json, sys, nibabel as nib, numpy as np
d = json.load(open(sys.argv[1])); affine, shape = np.array(d["other_grid"]["affine"]), d["other_grid"]["shape"]
i, j, k = np.indices(shape)
nib.save(nib.Nifti1Image((1 + (i // 2 + 3 * (j // 2) + 2 * (k // 5)) % 7).astype(np.int16), affine), "rule.nii.gz")
reach = d["maps_reach"]["resampled"]
w = np.stack([np.maximum(0, reach - abs(i - a) - abs(j - b) - abs(k - c)) / 16 for a, b, c in d["maps_centres"]], axis=3)
nib.save(nib.Nifti1Image(w.astype(np.float32), affine), "tents.nii.gz")
PY
    bold="$SHARED/haxby2001/run001/bold_25mm.nii.gz"
    refused 65 "give --resample" "$NEPENTHE" parcels "$bold" --atlas rule.nii.gz -o out.tsv
    refused 65 "give --resample" "$NEPENTHE" parcels "$bold" --maps tents.nii.gz -o out.tsv
    "$NEPENTHE" parcels "$bold" --atlas rule.nii.gz --resample --coverage cov.tsv | sed '1s/region_//g' > got.tsv
    table_close got.tsv "$GOLDEN/parcels_resampled_data.tsv" 1e-7
    "$NEPENTHE" parcels "$bold" --maps tents.nii.gz --resample > got.tsv
    table_close got.tsv "$GOLDEN/parcels_maps_resampled_data.tsv" 2e-6
    N="--resample-image --definition nilearn"
    "$NEPENTHE" parcels "$bold" --atlas rule.nii.gz $N | sed '1s/region_//g' > got.tsv
    table_close got.tsv "$GOLDEN/parcels_resampled_labels.tsv" 2e-6
    "$NEPENTHE" parcels "$bold" --maps tents.nii.gz $N > got.tsv
    table_close got.tsv "$GOLDEN/parcels_maps_resampled_maps.tsv" 5e-6 # amounts of 3000 in float32 volumes
    # what lies beyond the image counts as 0 there, and is missing here: means are higher, and the coverage says why
    "$NEPENTHE" parcels "$bold" --atlas rule.nii.gz --resample-image --coverage cov2.tsv > ours.tsv
    awk 'NR==FNR{if(FNR==2)for(i=1;i<=NF;i++)a[i]=$i; next} FNR==2{for(i=1;i<=NF;i++)if(!($i>1.2*a[i]))exit 1}' "$GOLDEN/parcels_resampled_labels.tsv" ours.tsv
    for c in cov.tsv cov2.tsv; do awk 'FNR>1&&!($2>0.4&&$2<0.9){exit 1}' $c; done
    "$NEPENTHE" parcels "$bold" --atlas rule.nii.gz --resample --min-coverage 0.8 2> said > got.tsv
    grep -q "less than 0.8" said
    [ "$(tail -1 got.tsv | tr '\t' '\n' | grep -c n/a)" -eq "$(awk 'FNR>1&&$2<0.8' cov.tsv | wc -l)" ]
}

@test "memory holds one volume and the result, not the run: the same bytes under a budget far below it" {
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
rng = np.random.default_rng(5); affine = np.diag([3.0, 3, 3, 1])
im = nib.Nifti1Image((900 + 9 * rng.normal(size=(32, 32, 32, 160))).astype(np.float32), affine); nib.save(im, "run.nii.gz")
i, j, k = np.indices((32, 32, 32))
nib.save(nib.Nifti1Image((1 + i // 8 + 4 * (j // 16)).astype(np.int16), affine), "cubes.nii.gz")
nib.save(nib.Nifti1Image(np.stack([(i + j) / 64, (k + 1) / 32, 1.0 * (i > j)], axis=3).astype(np.float32), affine), "ramps.nii.gz")
nib.save(nib.Nifti1Image(np.indices((20, 20, 20))[0].astype(np.int16) // 5 + 1, np.diag([4.5, 4.5, 4.5, 1])), "coarse.nii.gz")
PY
    for what in "--atlas cubes.nii.gz" "--atlas cubes.nii.gz --statistic median" "--maps ramps.nii.gz" "--atlas coarse.nii.gz --resample-image"; do
        "$NEPENTHE" parcels run.nii.gz $what > whole.tsv
        "$NEPENTHE" parcels run.nii.gz $what --mem-mb 10 > small.tsv
        cmp whole.tsv small.tsv
    done
}

@test "labels above 127 of an 8-bit atlas, and of 16 bits above 32767, are themselves" {
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
one = nib.load("one.nii.gz"); i = np.indices(one.shape)[0]
nib.save(nib.Nifti1Image(np.where(i < 3, 200, 100).astype(np.uint8), one.affine), "bytes.nii.gz")
nib.save(nib.Nifti1Image(np.where(i < 3, 60000, 1).astype(np.uint16), one.affine), "words.nii.gz")
x = one.get_fdata()
print(f"region_100\tregion_200\n{x[3:].mean():.9g}\t{x[:3].mean():.9g}", file=open("want8.tsv", "w"))
print(f"region_1\tregion_60000\n{x[3:].mean():.9g}\t{x[:3].mean():.9g}", file=open("want16.tsv", "w"))
PY
    "$NEPENTHE" parcels one.nii.gz --atlas bytes.nii.gz > got.tsv
    table_close got.tsv want8.tsv 1e-7
    "$NEPENTHE" parcels one.nii.gz --atlas words.nii.gz > got.tsv
    table_close got.tsv want16.tsv 1e-7
}

@test "bad input: one sentence, the exit code, nothing written" {
    refused 64 "--atlas NIFTI or --maps" "$NEPENTHE" parcels bold.nii -o out.tsv
    refused 64 "give one" "$NEPENTHE" parcels bold.nii --atlas foreign.nii.gz --resample --resample-image -o out.tsv
    "$PYTHON" -c 'import nibabel as nib, numpy as np; nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.int16), np.diag([1, 1, 1, 1]) + np.eye(4, k=3) * 900), "far.nii.gz")'
    refused 65 "same space" "$NEPENTHE" parcels bold.nii --atlas far.nii.gz --resample -o out.tsv
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
