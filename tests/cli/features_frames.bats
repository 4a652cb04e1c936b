#!/usr/bin/env bats
# features: runs that are brought onto another grid or smoothed before they are measured.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 1
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ATLAS="--atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv"
    OUT="$BATS_TEST_TMPDIR/out"
    FUNC=sub-01/func/sub-01_task-rest_space-X
}

# The data set with its run and mask replaced by what a command makes of them.
replaced() {
    cp -r bids "$BATS_TEST_TMPDIR/bids"
    BIDS="$BATS_TEST_TMPDIR/bids"
}

same() { # same OUT-A FILE OUT-B FILE
    cmp "$1/$FUNC$2" "$3/$FUNC$4"
}

@test "--fwhm: maps are those of a run that nepenthe smooth made; regional series and quality are not smoothed" {
    replaced
    "$NEPENTHE" smooth "bids/${FUNC}_desc-preproc_bold.nii.gz" --fwhm 9 --mask "bids/${FUNC}_desc-brain_mask.nii.gz" -o "$BIDS/${FUNC}_desc-preproc_bold.nii.gz"
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --features timeseries,alff,reho,degree --maps --fwhm 9
    "$NEPENTHE" features "$BIDS" "$OUT-by" participant $ATLAS --features alff,reho,degree --maps
    "$NEPENTHE" features bids "$OUT-plain" participant $ATLAS --features timeseries,alff --maps
    for name in alff reho degree; do
        same "$OUT" "_stat-${name}_desc-smooth_boldmap.nii.gz" "$OUT-by" "_stat-${name}_boldmap.nii.gz"
        same "$OUT" "_seg-slabs_stat-${name}_desc-smooth_bold.tsv" "$OUT-by" "_seg-slabs_stat-${name}_bold.tsv"
    done
    run same "$OUT" _seg-slabs_stat-alff_desc-smooth_bold.tsv "$OUT-plain" _seg-slabs_stat-alff_bold.tsv
    [ "$status" -eq 1 ]
    for name in stat-mean_timeseries desc-quality_bold desc-quality_timeseries; do
        same "$OUT" "_seg-slabs_$name.tsv" "$OUT-plain" "_seg-slabs_$name.tsv"
    done
    grep -q '"SmoothedFwhmMm": 9.0' "$OUT/${FUNC}_stat-alff_desc-smooth_boldmap.json"
    run grep SmoothedFwhmMm "$OUT/${FUNC}_seg-slabs_stat-mean_timeseries.json"
    [ "$status" -eq 1 ]
}

@test "tiles of voxels and threads: the same bytes of smoothed maps" {
    cd "$BATS_TEST_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" large large
    for budget in 4000 14; do
        "$NEPENTHE" features large "$OUT-$budget" participant --atlas large_dseg.nii.gz --features timeseries,alff --fwhm 9 --maps \
            --resample-to large_dseg.nii.gz --mem-mb $budget --threads $((budget == 14 ? 2 : 1)) -v 2> talk-$budget
    done
    grep -q "17248 voxels in 1 tiles" talk-4000
    grep -q "17248 voxels in 5 tiles" talk-14
    [ "$(find "$OUT-14" -name '*_desc-resampledsmooth_bold*.tsv' -o -name '*boldmap.nii.gz' | wc -l)" -eq 2 ]
    diff -r -x '*.json' -x .nepenthe "$OUT-4000" "$OUT-14"
}

@test "--resample-to: everything is that of a run that nepenthe resample made" {
    replaced
    "$NEPENTHE" resample "bids/${FUNC}_desc-preproc_bold.nii.gz" --to shifted.nii.gz --outside missing -o "$BIDS/${FUNC}_desc-preproc_bold.nii.gz"
    "$NEPENTHE" resample "bids/${FUNC}_desc-brain_mask.nii.gz" --to shifted.nii.gz -i nearest -o "$BIDS/${FUNC}_desc-brain_mask.nii.gz"
    "$NEPENTHE" features bids "$OUT" participant --atlas shifted.nii.gz --labels atlas-slabs_dseg.tsv --atlas-name slabs --features timeseries,connectivity,alff,gcor --maps --resample-to shifted.nii.gz
    "$NEPENTHE" features "$BIDS" "$OUT-by" participant --atlas shifted.nii.gz --labels atlas-slabs_dseg.tsv --atlas-name slabs --features timeseries,connectivity,alff,gcor --maps
    for name in alff gcor; do
        same "$OUT" "_stat-${name}_desc-resampled_boldmap.nii.gz" "$OUT-by" "_stat-${name}_boldmap.nii.gz"
    done
    for name in stat-mean_timeseries stat-pearsoncorrelation_relmat stat-coverage_bold desc-quality_bold desc-quality_timeseries; do
        same "$OUT" "_seg-slabs_$name.tsv" "$OUT-by" "_seg-slabs_$name.tsv"
    done
    grep -q '"To": "shifted.nii.gz"' "$OUT/${FUNC}_seg-slabs_stat-mean_timeseries.json"
    # its own grid is no change, but both together have a name
    "$NEPENTHE" features bids "$OUT-own" participant $ATLAS --features alff --resample-to atlas-slabs_dseg.nii.gz --fwhm 9
    "$NEPENTHE" features bids "$OUT-smooth" participant $ATLAS --features alff --fwhm 9
    same "$OUT-own" _seg-slabs_stat-alff_desc-resampledsmooth_bold.tsv "$OUT-smooth" _seg-slabs_stat-alff_desc-smooth_bold.tsv
}

@test "one name at a time: other options replace what was there, the group reads it and refuses a mixture" {
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --features alff --maps --fwhm 9 -q
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features alff --maps --fwhm 9
    [[ "$output" == *"0 measured"*"1 done before"* ]]
    "$NEPENTHE" features bids "$OUT" group -q
    smooth=$(cat "$OUT/group_alff.tsv")
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --features alff -q
    run bash -c "ls '$OUT/sub-01/func' | grep alff"
    [ "$output" = "$(printf '%s\n' sub-01_task-rest_space-X_seg-slabs_stat-alff_bold.json sub-01_task-rest_space-X_seg-slabs_stat-alff_bold.tsv)" ]
    "$NEPENTHE" features bids "$OUT" group -q
    [ "$smooth" != "$(cat "$OUT/group_alff.tsv")" ]
    cp -r bids "$BATS_TEST_TMPDIR/two"
    for f in "$BATS_TEST_TMPDIR"/two/sub-01/func/*; do
        mkdir -p "$BATS_TEST_TMPDIR/two/sub-02/func"
        cp "$f" "$(echo "$f" | sed 's/sub-01/sub-02/g')"
    done
    "$NEPENTHE" features "$BATS_TEST_TMPDIR/two" "$OUT" participant $ATLAS --features alff --fwhm 9 --participant-label 02 -q
    run "$NEPENTHE" features bids "$OUT" group
    [ "$status" -eq 65 ]
    [[ "$output" == *"made in different ways (sub-01: as the run came, sub-02: desc-smooth)"* ]]
}

@test "a mask that is empty after resampling, a width that is none, an image that is none" {
    run "$NEPENTHE" features bids "$OUT" participant --atlas far.nii.gz --atlas-name far --resample-to far.nii.gz
    [ "$status" -eq 65 ]
    [[ "$output" == *"_desc-brain_mask.nii.gz: the mask is empty on the grid of --resample-to"* ]]
    grep -q "$(printf 'sub-01\tsub-01_task-rest_space-X\tMALFORMED')" "$OUT/failures.tsv"
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --fwhm -1
    [ "$status" -eq 64 ] && [[ "$output" == *"--fwhm is a width"* ]]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --resample-to nowhere.nii.gz
    [ "$status" -eq 66 ]
}
