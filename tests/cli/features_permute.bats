#!/usr/bin/env bats
# features group --permute: what nepenthe permute finds in the same tables and maps, under names of BIDS derivatives.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 8
    "$NEPENTHE" features bids measured participant --atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv --features alff,connectivity --maps -q
    {
        printf 'participant_id\tgroup\tage\n'
        for i in 1 2 3 4 5 6 7 8; do printf 'sub-0%d\t%s\t%d\n' $i "$([ $i -lt 5 ] && echo a || echo b)" $((20 + i * i)); done
    } > people.tsv
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR/measured" out
    cp "$BATS_FILE_TMPDIR/people.tsv" .
    DIFFERENCE="--contrast diff=group=a-group=b --design people.tsv --columns group"
}

refused() {
    run "$NEPENTHE" "${@:3}"
    [ "$status" -eq "$1" ]
    [[ "$output" == *"$2"* ]] || { echo "$output"; false; }
}

@test "regions and voxels: the numbers of nepenthe permute, without who fails quality" {
    run "$NEPENTHE" features bids out group --permute 1000 $DIFFERENCE --statistic tfce,cluster-mass --json
    [ "$status" -eq 0 ]
    [[ "$output" == *"1 participants whose every run fails quality are not tested"* ]]
    [[ "$output" == *"all 35 distinct shuffles were used, fewer than were asked for"* ]]
    grep -v sub-02 out/group_alff.tsv > alone.tsv
    grep -v sub-02 out/group_connectivity_strength.tsv > strength.tsv
    "$NEPENTHE" permute alone.tsv $DIFFERENCE --n 1000 -o alone_p.tsv -q
    "$NEPENTHE" permute strength.tsv $DIFFERENCE --n 1000 -o strength_p.tsv -q
    # group tables keep nine digits, the test float32: the statistics agree to rounding, the counted p exactly
    python3 - <<'PY'
for mine, theirs in (("alff", "alone_p"), ("strength", "strength_p")):
    a, b = ([l.split("\t") for l in open(f).read().splitlines()] for f in (f"out/group/seg-slabs_desc-{mine}_permutation.tsv", theirs + ".tsv"))
    assert a[0] == b[0] and len(a) == len(b) == 5
    for x, y in zip(a[1:], b[1:]):
        assert x[:3] == y[:3] and x[7:] == y[7:], (x, y)
        for u, v in zip(x[3:7], y[3:7]):
            assert u == v or abs(float(u) - float(v)) <= 1e-4 * abs(float(v)), (x, y)
PY
    for i in 1 3 4 5 6 7 8; do cp out/sub-0$i/func/sub-0${i}_task-rest_space-X_stat-alff_boldmap.nii.gz sub-0${i}_map.nii.gz; done
    "$NEPENTHE" permute sub-*_map.nii.gz $DIFFERENCE --n 1000 --statistic tfce,cluster-mass -o voxels -q
    n=0
    for f in voxels_diff_*.nii.gz; do
        q=${f#voxels_diff_}
        cmp "$f" "out/group/desc-alff_contrast-diff_stat-${q%.nii.gz}_statmap.nii.gz"
        [ -s "out/group/desc-alff_contrast-diff_stat-${q%.nii.gz}_statmap.json" ]
        n=$((n + 1))
    done
    [ "$n" -eq 12 ]
    cmp voxels_peaks.tsv out/group/desc-alff_peaks.tsv
    python3 - <<'PY'
import json
d = json.load(open("out/group/desc-alff_contrast-diff_stat-pfwetfce_statmap.json"))
assert d["Feature"] == "alff" and d["Contrast"] == "diff" and "sub-02" not in d["Participants"] and len(d["Participants"]) == 7
assert d["Permute"]["contrasts"][0]["exhaustive"] and d["Permute"]["contrasts"][0]["shuffles"] == 35
assert [i["name"] for i in d["inputs"]] == ["people.tsv"]
PY
    grep -qx group/ out/.bidsignore
    # another test takes the files of this one away; the mean needs no design
    "$NEPENTHE" features bids out group --permute 50 -q
    run bash -c "ls out/group | grep -c diff"
    [ "$output" = 0 ]
    [ -s out/group/desc-alff_contrast-mean_stat-p_statmap.nii.gz ] && [ ! -e out/group/desc-alff_contrast-mean_stat-ptfce_statmap.nii.gz ]
}

# Fourteen made-up participants with a map of 24 x 24 x 24 each.
many() {
    /usr/bin/python3 -c 'import nibabel' 2> /dev/null || skip "python3-nibabel is not installed"
    /usr/bin/python3 - <<'PY'
import glob, os, shutil
import nibabel as nib, numpy as np
r = np.random.default_rng(4)
os.makedirs("many")
for s in range(1, 15):
    os.makedirs(f"many/sub-{s:02d}/func")
    for f in glob.glob("out/sub-01/func/*.tsv"):
        open(f.replace("out/", "many/").replace("sub-01", f"sub-{s:02d}"), "w").write(open(f).read().replace("sub-01", f"sub-{s:02d}"))
    x = (r.normal(size=(24, 24, 24)) + 0.3).astype(np.float32)
    nib.save(nib.Nifti1Image(x, np.eye(4)), f"many/sub-{s:02d}/func/sub-{s:02d}_task-rest_space-X_stat-alff_boldmap.nii.gz")
PY
}

@test "an interrupted group goes on from its checkpoint to the same maps" {
    many
    cp -r many straight
    "$NEPENTHE" features bids straight group --permute 2000 --statistic tfce -q
    "$NEPENTHE" features bids many group --permute 2000 --statistic tfce --threads 1 --progress json 2> talk &
    pid=$!
    until grep -q '"task": "permute"' talk || ! kill -0 $pid; do sleep 0.05; done
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 75 ] || { cat talk; false; }
    [ -f many/.nepenthe/permute/alff_voxels_mean.checkpoint ] && [ ! -e many/group/desc-alff_contrast-mean_stat-p_statmap.nii.gz ]
    run "$NEPENTHE" features bids many group --permute 2000 --statistic tfce
    [ "$status" -eq 0 ]
    [[ "$output" == *"mean: "*" shuffles were taken over from the checkpoint"* ]]
    for f in straight/group/*.nii.gz straight/group/*.tsv; do cmp "$f" "many/group/${f##*/}"; done
    [ -z "$(ls many/.nepenthe/permute)" ]
}

@test "maps on several grids, and no maps, are said" {
    many
    /usr/bin/python3 -c '
import nibabel as nib, numpy as np
nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.float32), np.eye(4)), "many/sub-03/func/sub-03_task-rest_space-X_stat-alff_boldmap.nii.gz")'
    refused 65 "sub-03_task-rest_space-X_stat-alff_boldmap.nii.gz: lies on another grid than many/sub-01/func/sub-01" features bids many group --permute 20
    find out -name '*boldmap*' -delete
    refused 66 "clusters and TFCE are of maps, and there are none" features bids out group --permute 20 --statistic tfce
}

@test "words: what belongs to which level; designs that cannot be tested" {
    refused 64 "--design is for --permute N" features bids out group --design people.tsv
    refused 64 "--tail is for the group level" features bids out participant --tail --features radiomics
    refused 64 "--permute is for the group level" features bids out participant --permute 20 --features radiomics
    refused 64 "--permute is a number of shuffles" features bids out group --permute 0
    refused 64 "--contrast NAME=FORMULA is needed" features bids out group --permute 20 --design people.tsv
    refused 64 "'a_b' and 'ab' are not told apart" features bids out group --permute 20 --contrast a_b=intercept --contrast ab=intercept
    awk -F'\t' -v OFS='\t' 'NR==1{print $0, "site"} NR>1{print $0, $2 == "a" ? "x" : "y"}' people.tsv > twice.tsv
    refused 65 "site=y" features bids out group --permute 20 --design twice.tsv --contrast diff=group=a-group=b
    [[ "$output" == *"is a linear combination of"* ]]
    [ -z "$(ls out/group)" ]
    run "$NEPENTHE" features bids out group --permute 20 --dry-run
    [ "$status" -eq 0 ] && [[ "$output" == *"group/*_permutation.tsv"* ]]
}
