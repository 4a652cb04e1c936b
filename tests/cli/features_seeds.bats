#!/usr/bin/env bats
# features: seeds, nearest voxels, strength, mean-r and tsnr are those of voxelwise.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 1
    BOLD=bids/sub-01/func/sub-01_task-rest_space-X_desc-preproc_bold.nii.gz
    "$NEPENTHE" clean $BOLD --mask bids/sub-01/func/sub-01_task-rest_space-X_desc-brain_mask.nii.gz --high-pass 0.01 --low-pass 0.08 --detrend \
        --standardize psc -o clean.nii
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ATLAS="--atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv"
    OUT="$BATS_TEST_TMPDIR/out"
    FUNC="$OUT/sub-01/func/sub-01_task-rest_space-X"
    IN=bids/sub-01/func/sub-01_task-rest_space-X
    MASK=${IN}_desc-brain_mask.nii.gz
}

# Regions of the rows of a TSV of volumes against the columns of a TSV of regions.
agree() { # agree TABLE MAP
    "$NEPENTHE" parcels "$2" --mask $MASK $ATLAS -o want.tsv
    python3 - "$1" want.tsv <<'PY'
import sys
read = lambda f: [line.split("\t") for line in open(f).read().splitlines()]
got, want = read(sys.argv[1]), read(sys.argv[2])
assert [g[0] for g in got[1:]] == want[0] and len(got[0]) == len(want), (got, want)
for c, row in enumerate(want[1:], 1):
    for g, w in zip(got[1:], row):
        assert g[c] == w or abs(float(g[c]) - float(w)) < 1e-5 * max(1, abs(float(w))), (c, g, w)
PY
}

@test "seed: maps and regional means are those of voxelwise on the cleaned run, one column for each place" {
    for z in "" --fisher-z; do
        "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds none --features seed --place 6,6,6 --place 30,12,12 --radius 7 $z --maps -q
        "$NEPENTHE" voxelwise clean.nii --mask $MASK --feature seed --place 6,6,6 --place 30,12,12 --radius 7 $z -o map.nii
        run head -1 "${FUNC}_seg-slabs_stat-seed_bold.tsv"
        [ "$output" = "$(printf 'Node\t6,6,6\t30,12,12')" ]
        agree "${FUNC}_seg-slabs_stat-seed_bold.tsv" map.nii
        agree "${FUNC}_seg-slabs_stat-seed_bold.tsv" "${FUNC}_stat-seed_boldmap.nii.gz"
        python3 - "${FUNC}_stat-seed_boldmap.json" $z <<'PY'
import json, sys
said = json.load(open(sys.argv[1]))
assert said["Seeds"] == [{"PlaceMm": "6,6,6", "Voxels": 7}, {"PlaceMm": "30,12,12", "Voxels": 6}] and said["FisherZ"] == (len(sys.argv) > 2), said
PY
    done
}

@test "nearest: the table of voxelwise on the cleaned run, without the atlas in its name; replaced by that of a smoothed run" {
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds none --features nearest --top 3 -q
    "$NEPENTHE" voxelwise clean.nii --mask $MASK --feature nearest --top 3 -o want.tsv
    cmp "${FUNC}_stat-nearest_bold.tsv" want.tsv
    grep -q '"Top": 3' "${FUNC}_stat-nearest_bold.json"
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds none --features nearest --top 3
    [[ "$output" == *"0 measured"*"1 done before"* ]]
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds none --features nearest --top 3 --fwhm 9 -q
    [ ! -e "${FUNC}_stat-nearest_bold.tsv" ] && [ ! -e "${FUNC}_stat-nearest_bold.json" ]
    run cmp "${FUNC}_stat-nearest_desc-smooth_bold.tsv" want.tsv
    [ "$status" -eq 1 ]
}

@test "strength, mean-r, tsnr: maps and means are those of voxelwise, and reach the group" {
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds none --features strength,mean-r,tsnr --maps -q
    for f in strength:voxelstrength:clean.nii mean-r:meanr:clean.nii tsnr:tsnr:${IN}_desc-preproc_bold.nii.gz; do
        IFS=: read -r feature label from <<< "$f"
        "$NEPENTHE" voxelwise "$from" --mask $MASK --feature "$feature" -o map.nii
        agree "${FUNC}_seg-slabs_stat-${label}_bold.tsv" map.nii
        agree "${FUNC}_seg-slabs_stat-${label}_bold.tsv" "${FUNC}_stat-${label}_boldmap.nii.gz"
    done
    run grep -l BandHz "${FUNC}_stat-tsnr_boldmap.json" "${FUNC}_stat-meanr_boldmap.json"
    [ "$output" = "${FUNC}_stat-meanr_boldmap.json" ]
    "$NEPENTHE" features bids "$OUT" group -q
    for label in voxelstrength meanr tsnr; do
        [ "$(tail -n +2 "${FUNC}_seg-slabs_stat-${label}_bold.tsv" | cut -f2 | tr '\n' '\t')" = "$(tail -1 "$OUT/group_$label.tsv" | cut -f2- | tr '\n' '\t')" ]
    done
    grep -q "Sum of a voxel" "$OUT/group_voxelstrength.json"
}

@test "tiles and threads: the same bytes of seeds, neighbours and tSNR" {
    cd "$BATS_TEST_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" large large
    for budget in 4000 14; do
        "$NEPENTHE" features large "$OUT-$budget" participant --atlas large_dseg.nii.gz --features seed,tsnr,strength --place 60,60,60 --radius 40 \
            --maps --mem-mb $budget --threads $((budget == 14 ? 2 : 1)) -v 2> talk-$budget
    done
    grep -q "17248 voxels in 1 tiles" talk-4000
    run grep -q "17248 voxels in 1 tiles" talk-14
    [ "$status" -eq 1 ]
    diff -r -x '*.json' -x .nepenthe "$OUT-4000" "$OUT-14"
}

@test "places: none, too many, no numbers, outside the image, outside the mask" {
    refused() { # refused STATUS TEXT OPTION...
        local status_want=$1 text=$2
        shift 2
        run "$NEPENTHE" features bids "$OUT" participant $ATLAS "$@"
        echo "$output"
        [ "$status" -eq "$status_want" ] && [[ "$output" == *"$text"* ]]
    }
    refused 64 "--features seed needs --place" --features seed
    refused 64 "--place is for --features seed" --features alff --place 1,2,3
    refused 64 "--place takes X,Y,Z" --features seed --place 1,2
    refused 64 "'b' is not a number of mm" --features seed --place 1,b,3
    refused 64 "--radius -1 mm" --features seed --place 1,2,3 --radius -1
    refused 64 "--top 0 must be" --features nearest --top 0
    refused 64 "--place 900,0,0 mm lies outside the image" --features seed --place 900,0,0
    refused 65 "seed 42,6,6 mm has no voxel in the mask" --features seed --place 42,6,6
    grep -q "$(printf 'sub-01\tsub-01_task-rest_space-X\tMALFORMED')" "$OUT/failures.tsv"
}
