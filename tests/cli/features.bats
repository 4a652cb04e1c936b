#!/usr/bin/env bats
# features: a BIDS-derivatives data set in, BIDS derivatives, group tables and failures out.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 3
    "$NEPENTHE" features bids whole participant --atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv 2> whole.talk
    "$NEPENTHE" features bids whole group 2>> whole.talk
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ATLAS="--atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv"
    OUT="$BATS_TEST_TMPDIR/out"
    BOLD=sub-01/func/sub-01_task-rest_space-X_desc-preproc_bold.nii.gz
    MASK=sub-01/func/sub-01_task-rest_space-X_desc-brain_mask.nii.gz
    CONFOUNDS=sub-01/func/sub-01_task-rest_desc-confounds_timeseries.tsv
    STEM=sub-01/func/sub-01_task-rest_space-X_seg-slabs
}

# A copy of the data set whose sub-01 may be broken.
copy() {
    cp -r bids "$BATS_TEST_TMPDIR/bids"
    BIDS="$BATS_TEST_TMPDIR/bids"
}

# The broken sub-01 is named with its code, the others are measured, the exit code is 1.
fails_alone() {
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS
    [ "$status" -eq 1 ]
    [[ "$output" == *"failed: sub-01: "*"$2"* ]]
    run awk -F'\t' 'NR==2{print $1, $3}' "$OUT/failures.tsv"
    [ "$output" = "sub-01 $1" ]
    grep -q "$2" "$OUT/failures.tsv"
    ! grep -q "$BATS_TEST_TMPDIR" "$OUT/failures.tsv"
    [ ! -e "$OUT/${STEM}_desc-quality_bold.tsv" ]
    [ -e "$OUT/sub-03/func/sub-03_task-rest_space-X_seg-slabs_stat-alff_bold.tsv" ]
    # alone, it is the whole: its own code
    run "$NEPENTHE" features "$BIDS" "$OUT-alone" participant $ATLAS --participant-label sub-01
    [ "$status" -eq 65 ]
    [ -s "$OUT-alone/failures.tsv" ]
}

@test "participant: derivatives under BIDS names, each with its sidecar" {
    for tail in stat-mean_timeseries stat-pearsoncorrelation_relmat stat-fisherz_relmat stat-strength_bold stat-alff_bold \
        stat-falff_bold stat-coverage_bold desc-quality_bold desc-quality_timeseries; do
        [ -s "whole/${STEM}_$tail.tsv" ]
        python3 -m json.tool "whole/${STEM}_$tail.json" > /dev/null
    done
    python3 -m json.tool whole/dataset_description.json | grep -q '"derivative"'
    [ ! -e whole/failures.tsv ]
    run head -1 "whole/${STEM}_stat-pearsoncorrelation_relmat.tsv"
    [ "$output" = "$(printf 'Node\tL_front\tL_back\tR_front\tB_outside')" ]
    ! grep -rq "$BATS_FILE_TMPDIR" whole
}

@test "participant: planted amplitudes come back in percent; a region outside the mask is n/a" {
    # a cosine of k percent has one bin of 0.01..0.08 Hz: 0.05 Hz among the bins 2..12 of 160 s: ALFF = k / 11 + noise
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --features alff,falff --confounds none -q
    run python3 - "$OUT/${STEM}_stat-alff_bold.tsv" <<'PY'
import sys
rows = [line.split() for line in open(sys.argv[1])][1:]
for k, (name, value) in enumerate(rows[:3], 1):
    assert 0 < float(value) - k / 11 < 0.03 + 0.02 * k, (name, value) # noise of 0.1 percent, and what detrending spreads
assert rows[3] == ["B_outside", "n/a"], rows[3]
PY
    [ "$status" -eq 0 ]
    run awk -F'\t' 'NR==5{print $2}' "whole/${STEM}_stat-coverage_bold.tsv"
    [ "$output" = "0" ]
}

@test "participant: maps that compare voxels are those of voxelwise on the cleaned run, and reach the group" {
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --confounds none --features reho,lcor,vmhc,gcor \
        --reho-neighbours 19 --lcor-fwhm 9 -q
    [ ! -e "$OUT/${STEM}_stat-alff_bold.tsv" ]
    "$NEPENTHE" clean bids/$BOLD --mask bids/$MASK --high-pass 0.01 --low-pass 0.08 --detrend --standardize psc -o clean.nii
    for f in reho lcor vmhc gcor; do
        "$NEPENTHE" voxelwise clean.nii --mask bids/$MASK --feature $f --neighbours 19 --fwhm 9 -o map.nii
        "$NEPENTHE" parcels map.nii --mask bids/$MASK $ATLAS -o want.tsv
        python3 - "$OUT/${STEM}_stat-${f}_bold.tsv" want.tsv $f <<'PY'
import sys
got = [line.split() for line in open(sys.argv[1])]
want = list(zip(*[line.split("\t") for line in open(sys.argv[2]).read().splitlines()]))
assert got[0] == ["Node", sys.argv[3]], got[0]
for g, w in zip(got[1:], want):
    assert g[0] == w[0], (g, w)
    assert g[1] == w[1] or abs(float(g[1]) - float(w[1])) < 1e-6, (g, w)
assert len(got) == 5 and sum(g[1] == "n/a" for g in got) == (3 if sys.argv[3] == "vmhc" else 1), got
PY
    done
    run python3 -c 'import json, sys
side = [json.load(open(sys.argv[1] + "_stat-%s_bold.json" % f)) for f in ("reho", "lcor", "gcor")]
print(side[0]["Neighbours"], side[1]["FwhmMm"], 0 < side[2]["GlobalCorrelation"] < 1, side[0]["BandHz"])' "$OUT/$STEM"
    [ "$output" = "19 9.0 True [0.01, 0.08]" ]
    "$NEPENTHE" features bids "$OUT" group -q
    run head -1 "$OUT/group_reho.tsv"
    [ "$output" = "$(printf 'participant_id\tL_front\tL_back\tR_front\tB_outside')" ]
    [ ! -e "$OUT/group_alff.tsv" ]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --lcor-fwhm 0
    [ "$status" -eq 64 ]
    [[ "$output" == *"a width above 0 mm"* ]]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features rehos
    [[ "$output" == *"did you mean 'reho'"* ]]
}

@test "participant: a run that moves too much is measured as far as it goes, its verdict is fail, the exit code is 0" {
    grep -q 'quality fail: mean displacement' whole.talk
    run awk -F'\t' 'NR==1{for(i=1;i<=NF;i++) c[$i]=i} NR>1{print $c["participant_id"], $c["verdict"], ($c["fd_mean"]>0.5)}' whole/group_quality.tsv
    [ "$output" = "$(printf 'sub-01 warn 0\nsub-02 fail 1\nsub-03 warn 0')" ] # warn: the fourth region is not covered
}

@test "group: one row per participant, every region, n/a where nothing was measured" {
    for table in alff falff connectivity_strength coverage; do
        run head -1 whole/group_$table.tsv
        [ "$output" = "$(printf 'participant_id\tL_front\tL_back\tR_front\tB_outside')" ]
        [ "$(wc -l < whole/group_$table.tsv)" -eq 4 ]
        [ -s whole/group_$table.json ]
    done
    run awk -F'\t' 'NR==2{print $1, ($2!="n/a"), $5}' whole/group_alff.tsv
    [ "$output" = "sub-01 1 n/a" ]
}

@test "group: features.h5 is AnnData" {
    /usr/bin/python3 -c 'import h5py' 2> /dev/null || skip "h5py is not installed"
    run /usr/bin/python3 - whole/features.h5 whole/group_alff.tsv <<'PY'
import sys
import h5py
f = h5py.File(sys.argv[1], "r")
assert f.attrs["encoding-type"] == "anndata" and f.attrs["encoding-version"] == "0.1.0"
assert f["X"].shape == (3, 16) and f["X"].attrs["encoding-type"] == "array"
for frame, index in (("obs", "participant_id"), ("var", "name")):
    assert f[frame].attrs["_index"] == index and index in f[frame] and f[frame].attrs["encoding-type"] == "dataframe"
    assert all(c in f[frame] for c in f[frame].attrs["column-order"])
assert list(f["obs/participant_id"].asstr()) == ["sub-01", "sub-02", "sub-03"]
assert list(f["obs/verdict"].asstr())[1] == "fail"
assert f["var/name"].asstr()[0] == "alff:L_front" and f["var/region"].asstr()[4] == "L_front"
row = open(sys.argv[2]).read().split("\n")[1].split("\t")
assert abs(f["X"][0, 0] - float(row[1])) < 1e-8 and f["X"][0, 3] != f["X"][0, 3]
try:
    import anndata
except ImportError:
    pass
else:
    a = anndata.read_h5ad(sys.argv[1])
    assert a.shape == (3, 16) and list(a.var["feature"][:1]) == ["alff"], a
PY
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "what is done is skipped; a changed input, parameter or output is measured again" {
    copy
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS
    [[ "$output" == *"0 measured"*"3 done before"* ]]
    echo >> "$OUT/${STEM}_stat-alff_bold.tsv"
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS
    [[ "$output" == *"1 measured"*"2 done before"* ]]
    cmp "$OUT/${STEM}_stat-alff_bold.tsv" "whole/${STEM}_stat-alff_bold.tsv"
    sed -i '3s/0\.00/0.01/' "$BIDS/$CONFOUNDS"
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS
    [[ "$output" == *"1 measured"*"2 done before"* ]]
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --band 0.02,0.08 --participant-label 03
    [[ "$output" == *"1 measured"*"0 done before"* ]]
}

@test "the same bytes for any number of threads and any memory" {
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --threads 3 --mem-mb 40 -q
    "$NEPENTHE" features bids "$OUT" group --threads 3 -q
    diff -r -x '*.json' -x .nepenthe -x features.h5 whole "$OUT"
}

@test "confounds of another length" {
    copy
    sed -i '$d' "$BIDS/$CONFOUNDS"
    fails_alone SHAPE "has 79 rows, the series has 80 frames"
}

@test "a mask on another grid" {
    copy
    cp shifted.nii.gz "$BIDS/$MASK"
    fails_alone GRID "the mask lies on another grid"
}

@test "a run with one volume" {
    copy
    cp "$BIDS/$MASK" "$BIDS/$BOLD"
    fails_alone SHAPE "one 3D image where a 4D series is needed"
}

@test "a run that is cut short" {
    copy
    head -c 9000 "bids/$BOLD" > "$BIDS/$BOLD"
    fails_alone TRUNCATED "desc-preproc_bold.nii.gz"
}

@test "an atlas on another grid fails every run without --resample and works with it" {
    run "$NEPENTHE" features bids "$OUT" participant --atlas shifted.nii.gz --atlas-name slabs --labels atlas-slabs_dseg.tsv
    [ "$status" -eq 65 ]
    [[ "$output" == *"the atlas lies on another grid"*"--resample"* ]]
    [ "$(wc -l < "$OUT/failures.tsv")" -eq 4 ]
    run "$NEPENTHE" features bids "$OUT" participant --atlas shifted.nii.gz --atlas-name slabs --labels atlas-slabs_dseg.tsv --resample
    [ "$status" -eq 0 ]
    [ ! -e "$OUT/failures.tsv" ]
    # 1 mm of 6: the nearest voxel is the same, but for the layers that fall outside the atlas
    run awk -F'\t' 'NR>1 && NR<5{print $2}' "$OUT/${STEM}_stat-coverage_bold.tsv"
    [ "$output" = "$(printf '1\n1\n1')" ]
    run awk -F'\t' 'NR==3{printf "%.1f", $2}' "$OUT/${STEM}_stat-alff_bold.tsv"
    [ "$output" = "$(awk -F'\t' 'NR==3{printf "%.1f", $2}' "whole/${STEM}_stat-alff_bold.tsv")" ]
}

@test "a participant without a run, and labels that are not there" {
    copy
    rm "$BIDS/$BOLD"
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS
    [ "$status" -eq 1 ]
    grep -q "$(printf 'sub-01\tn/a\tINPUT_MISSING')" "$OUT/failures.tsv"
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant_label 09
    [ "$status" -eq 66 ]
    [[ "$output" == *"no participant 'sub-09'"* ]]
    run "$NEPENTHE" features "$BATS_TEST_TMPDIR" "$OUT" participant $ATLAS
    [ "$status" -eq 66 ]
}

@test "participant: maps of all pairs of voxels are those of voxelwise on the cleaned run, and reach the group" {
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --confounds none \
        --features degree,weighted-degree,mean-z,rms,eigenvector --degree-threshold 0.3 -q
    [ ! -e "$OUT/${STEM}_stat-reho_bold.tsv" ]
    "$NEPENTHE" clean bids/$BOLD --mask bids/$MASK --high-pass 0.01 --low-pass 0.08 --detrend --standardize psc -o clean.nii
    for f in degree weighted-degree mean-z rms eigenvector; do
        "$NEPENTHE" voxelwise clean.nii --mask bids/$MASK --feature $f --threshold 0.3 -o map.nii
        "$NEPENTHE" parcels map.nii --mask bids/$MASK $ATLAS -o want.tsv
        python3 - "$OUT/${STEM}_stat-${f/-/}_bold.tsv" want.tsv ${f/-/} <<'PY'
import json, sys
got = [line.split() for line in open(sys.argv[1])]
want = list(zip(*[line.split("\t") for line in open(sys.argv[2]).read().splitlines()]))
assert got[0] == ["Node", sys.argv[3]], got[0]
for g, w in zip(got[1:], want):
    assert g[0] == w[0] and (g[1] == w[1] or abs(float(g[1]) - float(w[1])) < 1e-5 * max(1, abs(float(w[1])))), (g, w)
assert len(got) == 5 and sum(g[1] == "n/a" for g in got) == 1 and float(got[1][1]) > 0, got
side = json.load(open(sys.argv[1].replace(".tsv", ".json")))
assert side["VoxelsCorrelated"] == json.load(open("map.json"))["Voxelwise"]["voxels_that_vary"]
assert side.get("Threshold") == (0.3 if "degree" in sys.argv[3] else None)
PY
    done
    "$NEPENTHE" features bids "$OUT" group -q
    run head -1 "$OUT/group_weighteddegree.tsv"
    [ "$output" = "$(printf 'participant_id\tL_front\tL_back\tR_front\tB_outside')" ]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --degree-threshold 1
    [ "$status" -eq 64 ]
    [[ "$output" == *"below 1"* ]]
}

@test "participant: tiles of voxels give the same bytes as the whole run, on one thread and on two" {
    python3 "$BATS_TEST_DIRNAME/make_bids.py" large large
    for budget in 4000 10 14; do
        "$NEPENTHE" features large "$OUT-$budget" participant --atlas large_dseg.nii.gz --confounds 6p --censor-fd 0.15 -v \
            --mem-mb $budget --threads $((budget == 14 ? 2 : 1)) 2> talk-$budget
    done
    grep -q "17248 voxels in 1 tiles" talk-4000
    grep -q "17248 voxels in 5 tiles" talk-10
    grep -q "17248 voxels in 3 tiles" talk-14
    [ "$(find "$OUT-10" -name '*.tsv' | wc -l)" -ge 9 ]
    for file in $(cd "$OUT-4000" && find . -name '*.tsv'); do
        cmp "$OUT-4000/$file" "$OUT-10/$file"
        cmp "$OUT-4000/$file" "$OUT-14/$file"
    done
    for budget in 4000 16; do
        "$NEPENTHE" features large "$OUT-local-$budget" participant --atlas large_dseg.nii.gz --features reho,lcor,vmhc,gcor \
            --mem-mb $budget -v 2> talk-$budget
        ls "$OUT-local-$budget"/sub-01/func/*_stat-{reho,lcor,vmhc,gcor}_bold.tsv
    done
    ! grep -q "in 1 tiles" talk-16
    for file in $(cd "$OUT-local-4000" && find . -name '*.tsv'); do
        cmp "$OUT-local-4000/$file" "$OUT-local-16/$file"
    done
    for budget in 4000 16; do
        "$NEPENTHE" features large "$OUT-pairs-$budget" participant --atlas large_dseg.nii.gz --features rms,eigenvector \
            --mem-mb $budget --threads $((budget == 16 ? 2 : 1)) -v 2> talk-$budget
    done
    ! grep -q "in 1 tiles" talk-16
    for f in rms eigenvector; do cmp "$OUT"-pairs-{4000,16}/sub-01/func/*_stat-${f}_bold.tsv; done
    run "$NEPENTHE" features large "$OUT" participant --atlas large_dseg.nii.gz --mem-mb 2
    [ "$status" -eq 71 ]
    [[ "$output" == *"budget of 2 MB; raise --mem-mb"* ]]
}

@test "participant: voxels that DVARS can say nothing of are counted in a warning" {
    python3 "$BATS_TEST_DIRNAME/make_bids.py" spikes spikes
    run "$NEPENTHE" features spikes "$OUT" participant --atlas large_dseg.nii.gz --confounds 6p
    [ "$status" -eq 0 ]
    [[ "$output" == *"DVARS leaves out 4096 voxels of the mask: quality: no voxel of the mask varies over time"* ]]
    run awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "dvars") c = i } NR == 2 { print ($c > 0.5 && $c < 1.5) }' \
        "$OUT/sub-01/func/sub-01_task-rest_space-X_seg-largedseg_desc-quality_bold.tsv"
    [ "$output" = 1 ]
}

# Six broken participants in BIDS, of which each job takes one.
broken_six() {
    BIDS="$BATS_TEST_TMPDIR/bids"
    for s in 01 02 03 04 05 06; do
        mkdir -p "$BIDS/sub-$s/func"
        for file in bids/sub-01/func/*; do
            name=${file##*/}
            cp "$file" "$BIDS/sub-$s/func/sub-$s${name#sub-01}"
        done
        cp "$BIDS/sub-$s/func/sub-${s}_task-rest_space-X_desc-brain_mask.nii.gz" \
            "$BIDS/sub-$s/func/sub-${s}_task-rest_space-X_desc-preproc_bold.nii.gz"
    done
}

@test "failures.tsv: jobs that share OUT keep one another's rows, at once and one after the other" {
    broken_six
    for s in 01 02 03 04 05 06; do
        "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label $s -q &
    done
    for job in $(jobs -p); do
        wait "$job" && false || [ $? -eq 65 ]
    done
    run cut -f1,3 "$OUT/failures.tsv"
    [ "$output" = "$(printf 'participant_id\tcode\n'; printf 'sub-0%d\tSHAPE\n' 1 2 3 4 5 6)" ]
    # mended, a participant's row goes; a job for others leaves it
    cp "bids/$BOLD" "$BIDS/$BOLD"
    cp "bids/$BOLD" "$BIDS/sub-02/func/sub-02_task-rest_space-X_desc-preproc_bold.nii.gz"
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label 01 -q
    run cut -f1 "$OUT/failures.tsv"
    [ "$output" = "$(printf 'participant_id\n'; printf 'sub-0%d\n' 2 3 4 5 6)" ]
    # so does a job for another task of the same participant
    cp "$BIDS/$BOLD" "$BIDS/sub-03/func/sub-03_task-move_space-X_desc-preproc_bold.nii.gz"
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label 03 --task-id move --confounds none -q
    [ "$(grep -c . "$OUT/failures.tsv")" -eq 6 ]
    grep -q "^sub-03.*task-rest" "$OUT/failures.tsv"
    # a job for all drops those who are gone; one for some does not
    rm -r "$BIDS"/sub-0[45] "$BIDS"/sub-03/func/*task-move*
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label 01 -q
    [ "$(grep -c . "$OUT/failures.tsv")" -eq 6 ]
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS -q
    [ "$status" -eq 1 ]
    run cut -f1,2 "$OUT/failures.tsv"
    [ "$output" = "$(printf 'participant_id\trun\nsub-03\tsub-03_task-rest_space-X\nsub-06\tsub-06_task-rest_space-X')" ]
}

@test "failures.tsv: written under the lock of OUT alone; removed with its last row; a damaged one is said and replaced" {
    broken_six
    mkdir -p "$OUT/.nepenthe"
    exec 9> "$OUT/.nepenthe/lock"
    flock 9
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label 01 -q 9>&- &
    sleep 1
    [ ! -e "$OUT/failures.tsv" ]
    [ ! -e "$OUT/dataset_description.json" ]
    kill -0 $!
    exec 9>&-
    wait $! && false || [ $? -eq 65 ]
    [ "$(wc -l < "$OUT/failures.tsv")" -eq 2 ]
    printf 'participant_id\trun\nsub-02\n' > "$OUT/failures.tsv"
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label 01
    [[ "$output" == *"failures.tsv: line 2"*"written anew"* ]]
    [ "$(wc -l < "$OUT/failures.tsv")" -eq 2 ]
    cp "bids/$BOLD" "$BIDS/$BOLD"
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS --participant-label 01 -q
    [ ! -e "$OUT/failures.tsv" ]
}

@test "participant: kept stretches shorter than --min-run go too" {
    for run in 1 6; do
        "$NEPENTHE" features bids "$BATS_TEST_TMPDIR/$run" participant $ATLAS --participant-label 01 --features timeseries --censor-fd 0.012 --min-run $run --min-frames 5 -q || true
    done
    run python3 - "$BATS_TEST_TMPDIR/1/sub-01/func" "$BATS_TEST_TMPDIR/6/sub-01/func" <<'PY'
import glob, json, sys
def kept(folder):
    for f in glob.glob(folder + "/*.tsv"):
        rows = [line.rstrip("\n").split("\t") for line in open(f)]
        if "kept" in rows[0]:
            return [int(float(r[rows[0].index("kept")])) for r in rows[1:]], json.load(open(f[:-4] + ".json"))["Thresholds"]["min_run"]
one, n = kept(sys.argv[1])
assert n == 1 and 0 < sum(one) < len(one), sum(one)
six, n = kept(sys.argv[2])
want = []
for stretch in "".join(map(str, one)).split("0"):
    want += [int(len(stretch) >= 6)] * len(stretch) + [0]
assert n == 6 and six == want[:-1] and sum(six) < sum(one), (six, want)
PY
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "usage: level, list of features, confounds that are not there" {
    run "$NEPENTHE" features bids "$OUT" subject $ATLAS
    [ "$status" -eq 64 ]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features allf
    [ "$status" -eq 64 ]
    [[ "$output" == *"did you mean 'alff'"* ]]
    run "$NEPENTHE" features bids "$OUT" participant
    [ "$status" -eq 64 ]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds 6p,acompcor5
    [ "$status" -eq 65 ]
    [[ "$output" == *"no aCompCor component of mask CSF; masks stand in the JSON"* ]]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --confounds 36p
    [ "$status" -eq 65 ]
    [[ "$output" == *"no confound 'global_signal'"* ]]
    run "$NEPENTHE" features bids "$OUT-none" group
    [ "$status" -eq 66 ]
}

@test "--dry-run writes nothing; --json is one document; words after the level are participants" {
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --dry-run
    [ "$status" -eq 0 ]
    [[ "$output" == *"units"*"3"* ]]
    [ ! -e "$OUT" ]
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --features alff --json --participant-label 01 03 > doc.json
    run python3 -c 'import json; d = json.load(open("doc.json")); print(d["schema"], d["participants"], d["runs_measured"])'
    [ "$output" = "nepenthe/features/1 2 2" ]
    [ -e "$OUT/${STEM}_stat-alff_bold.tsv" ]
    [ ! -e "$OUT/${STEM}_stat-fisherz_relmat.tsv" ]
}

# raw: the data set with events of the runs; two conditions, sub-03's later than the others'
make_events() {
    for s in 01 02 03; do
        mkdir -p "$1/sub-$s/func"
        { printf 'onset\tduration\ttrial_type\n'
          for t in 8 40 72 104 136; do printf '%d\t6\tface\n%d\t4\thouse\n' $((t + 10#$s)) $((t + 15)); done
        } > "$1/sub-$s/func/sub-${s}_task-rest_events.tsv"
    done
}

@test "glm: contrasts of the events as the command gives them for the same regional means, and per participant" {
    copy
    make_events "$BATS_TEST_TMPDIR/raw"
    for f in "$BIDS"/sub-01/func/*; do mv "$f" "${f/task-rest/task-rest_run-1}"; done # a second run for sub-01
    for f in "$BIDS"/sub-03/func/*; do to=${f//sub-03/sub-01}; cp "$f" "${to/task-rest/task-rest_run-2}"; done
    for n in 1 2; do cp "$BATS_TEST_TMPDIR/raw/sub-01/func/sub-01_task-rest_events.tsv" "$BATS_TEST_TMPDIR/raw/sub-01/func/sub-01_task-rest_run-${n}_events.tsv"; done
    words=(--features glm --events "$BATS_TEST_TMPDIR/raw" --contrast "faces=face - house" --contrast "any=face; house" --confounds csf,white_matter)
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS "${words[@]}"
    ONE="$OUT/sub-01/func/sub-01_task-rest_run-1_space-X_seg-slabs_desc-glm_bold"
    func="$BIDS/sub-01/func/sub-01_task-rest_run-1"
    "$NEPENTHE" parcels "${func}_space-X_desc-preproc_bold.nii.gz" $ATLAS --mask "${func}_space-X_desc-brain_mask.nii.gz" -o "$BATS_TEST_TMPDIR/means.tsv" -q
    "$NEPENTHE" glm "$BATS_TEST_TMPDIR/means.tsv" --tr 2 --events "$BATS_TEST_TMPDIR/raw/sub-01/func/sub-01_task-rest_events.tsv" \
        --confounds "${func}_desc-confounds_timeseries.tsv" --columns csf,white_matter --contrast "faces=face - house" --contrast "any=face; house" \
        -o "$BATS_TEST_TMPDIR/want.tsv" -q
    "$NEPENTHE" features "$BIDS" "$OUT" group -q
    run python3 - "$ONE.tsv" "$BATS_TEST_TMPDIR/want.tsv" "$OUT" <<'PY'
import csv, json, sys
read = lambda p: list(csv.DictReader(open(p), delimiter="\t"))
got, want = read(sys.argv[1]), read(sys.argv[2])
assert len(got) == len(want) == 8
for g, w in zip(got, want):
    assert (g["Node"], g["contrast"]) == (w["region"], w["contrast"])
    for k in ("effect", "se", "stat", "z", "df"):
        assert g[k] == w[k] == "n/a" or abs(float(g[k]) - float(w[k])) < 1e-5 * max(1, abs(float(w[k]))), (k, g, w)
assert got[3]["effect"] == "n/a" and got[3]["Node"] == "B_outside"
two = read(sys.argv[1].replace("_run-1_", "_run-2_"))
group = {r["participant_id"]: r for r in read(sys.argv[3] + "/group_glm_faces.tsv")}
e = [(float(t[0]["effect"]), float(t[0]["se"])) for t in (got, two)]
mean = sum(x / s**2 for x, s in e) / sum(1 / s**2 for _, s in e)
assert abs(float(group["sub-01"]["L_front"]) - mean) < 1e-6, (group, mean)
assert group["sub-01"]["B_outside"] == "n/a" and len(group) == 3
side = json.load(open(sys.argv[1].replace(".tsv", ".json")))
print([i["name"] for i in side["Provenance"]["inputs"]][-1], "BandHz" in side)
PY
    [ "$output" = "sub-01_task-rest_run-1_events.tsv False" ]
    [ ! -e "$OUT/group_glm_any.tsv" ] # F has no effect to average
    # frames that are left out have a column of their own: of sub-02 too few are left, which is its verdict
    run awk -F'\t' 'NR==2{print $5, $7}' "$OUT/sub-02/func/sub-02_task-rest_space-X_seg-slabs_desc-glm_bold.tsv"
    [ "$output" = "n/a n/a" ]
    grep -q "fail.*no contrasts: glm: the design of sub-02_task-rest_space-X has 80 rows and" "$OUT/group_runs.tsv"
    "$NEPENTHE" features "$BIDS" "$OUT-more" participant $ATLAS "${words[@]}" --censor-fd 0.9 --participant-label 02 -q
    run awk -F'\t' 'NR==2{print ($5 != "n/a"), ($7 > 10), ($7 < 71)}' "$OUT-more/sub-02/func/sub-02_task-rest_space-X_seg-slabs_desc-glm_bold.tsv"
    [ "$output" = "1 1 1" ]
    # the group table is the second level's input
    { printf 'participant_id\tage\n'; printf 'sub-0%d\t%d\n' 1 30 2 40 3 35; } > "$BATS_TEST_TMPDIR/people.tsv"
    run "$NEPENTHE" glm "$OUT/group_glm_faces.tsv" --design "$BATS_TEST_TMPDIR/people.tsv" --contrast mean=intercept -q
    [ "$status" -eq 0 ]
    [ "$(echo "$output" | wc -l)" -eq 5 ]
    # other events: measured again; none: that run fails alone, with its sentence
    sed -i 's/house/tool/' "$BATS_TEST_TMPDIR/raw/sub-03/func/sub-03_task-rest_events.tsv"
    rm "$BATS_TEST_TMPDIR/raw/sub-02/func/sub-02_task-rest_events.tsv"
    run "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS "${words[@]}"
    [ "$status" -eq 1 ]
    [[ "$output" == *"glm finds no events for it (sub-02/func/sub-02_task-rest_events.tsv); name their data set with --events"* ]]
    [[ "$output" == *"contrast 'faces' is not estimable: the design of sub-03_task-rest_space-X has no column 'house'"* ]]
    # events of a task at the top of the data set hold for all
    cp "$BATS_TEST_TMPDIR/raw/sub-01/func/sub-01_task-rest_events.tsv" "$BATS_TEST_TMPDIR/raw/task-rest_events.tsv"
    "$NEPENTHE" features "$BIDS" "$OUT" participant $ATLAS "${words[@]}" --participant-label 02 -q
}

@test "glm: its words" {
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features glm
    [ "$status" -eq 64 ]
    [[ "$output" == *"--contrast NAME=FORMULA is needed"* ]]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --contrast a=face
    [ "$status" -eq 64 ]
    [[ "$output" == *"--contrast is for --features glm"* ]]
}

@test "maps: what is measured by voxel as images, whose regional means are the tables; skipped when whole" {
    /usr/bin/python3 -c 'import nibabel' 2> /dev/null || skip "python3-nibabel is not installed"
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --features alff,falff,reho,degree --maps -q
    run /usr/bin/python3 - "$OUT" "bids/$MASK" atlas-slabs_dseg.nii.gz <<'PY'
import csv, json, sys, nibabel as nib, numpy as np
out, mask, atlas = sys.argv[1], nib.load(sys.argv[2]).get_fdata() > 0, nib.load(sys.argv[3]).get_fdata()
stem = out + "/sub-01/func/sub-01_task-rest_space-X_"
for name in ("alff", "falff", "reho", "degree"):
    image = nib.load(f"{stem}stat-{name}_boldmap.nii.gz")
    x = image.get_fdata()
    assert x.shape == mask.shape and np.isnan(x[~mask]).all() and np.isfinite(x[mask]).all(), name
    assert np.allclose(image.affine, nib.load(sys.argv[2]).affine)
    rows = list(csv.DictReader(open(f"{stem}seg-slabs_stat-{name}_bold.tsv"), delimiter="\t"))
    for k, row in enumerate(rows[:3], 1):
        assert np.isclose(float(row[name]), x[(atlas == k) & mask].mean(), rtol=1e-6), (name, row)
    said = json.load(open(f"{stem}stat-{name}_boldmap.json"))
    assert "region" not in said["Description"] and said["Description"][-1] not in " ;,", said["Description"]
PY
    echo "$output"
    [ "$status" -eq 0 ]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --features alff,falff,reho,degree --maps
    [[ "$output" == *"0 measured"*"1 done before"* ]]
    echo >> "$OUT/sub-01/func/sub-01_task-rest_space-X_stat-reho_boldmap.json"
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --features alff,falff,reho,degree --maps
    [[ "$output" == *"1 measured"* ]]
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --participant-label 01 --features alff,falff,reho,degree -q
    [ ! -e "$OUT/sub-01/func/sub-01_task-rest_space-X_stat-reho_boldmap.nii.gz" ]
}

# ---- PET, T1-weighted images, shards ----

make_others() {
    cd "$BATS_TEST_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" more others
    ATLAS="--atlas $BATS_FILE_TMPDIR/atlas-slabs_dseg.nii.gz --labels $BATS_FILE_TMPDIR/atlas-slabs_dseg.tsv"
}

@test "pet: regional curves and their fit against a region of the atlas, for every participant; gathered" {
    make_others
    "$NEPENTHE" features more out participant $ATLAS --features pet --pet-model suvr --pet-reference L_back
    for s in 01 02; do
        run awk -F'\t' 'NR>1{printf "%s %.6f;", $1, $2}' "out/sub-$s/pet/sub-${s}_trc-X_seg-slabs_model-suvr_kinpar.tsv"
        [ "$output" = "L_front 1.500000;L_back 1.000000;R_front 2.000000;B_outside 0.000000;" ]
    done
    run head -2 out/sub-02/pet/sub-02_trc-X_seg-slabs_tacs.tsv
    [ "$output" = "$(printf 'frame_start\tframe_duration\tL_front\tL_back\tR_front\tB_outside\n0\t60\t6000\t4000\t8000\t0')" ]
    python3 -m json.tool out/sub-02/pet/sub-02_trc-X_seg-slabs_model-suvr_kinpar.json | grep -q '"ReferenceRegion": "L_back"'
    "$NEPENTHE" pet out/sub-02/pet/sub-02_trc-X_seg-slabs_tacs.tsv --model srtm --reference L_back -o fit.tsv
    "$NEPENTHE" features more out participant $ATLAS --features pet --pet-reference L_back
    diff <(cut -f2- fit.tsv) <(cut -f2- out/sub-02/pet/sub-02_trc-X_seg-slabs_model-srtm_kinpar.tsv)
    "$NEPENTHE" features more out group -q
    run cat out/group_pet_suvr_suvr.tsv
    [ "${lines[0]}" = "$(printf 'participant_id\tL_front\tL_back\tR_front\tB_outside')" ]
    [ "${lines[2]}" = "$(printf 'sub-02\t1.5\t1\t2\t0')" ]
    [ -s out/group_pet_srtm_bp_nd.tsv ]
    [ ! -e out/group_pet_srtm_bp_nd_se.tsv ]
    [ ! -e out/group_quality.tsv ]
}

@test "radiomics: those of nepenthe radiomics; who has no image fails by name, and alone" {
    make_others
    run "$NEPENTHE" features more out participant --features radiomics --radiomics-bin-width 50
    [ "$status" -eq 1 ]
    [[ "$output" == *"sub-02: has no desc-preproc_T1w.nii.gz"* ]]
    "$NEPENTHE" radiomics more/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz more/sub-01/anat/sub-01_desc-aseg_dseg.nii.gz --bin-width 50 -o alone.tsv
    cmp alone.tsv out/sub-01/anat/sub-01_desc-radiomics_T1w.tsv
    run "$NEPENTHE" features more out participant --features radiomics --radiomics-bin-width 50 --participant-label 01
    [[ "$output" == *"0 measured"*"1 done before"* ]]
    # a job for PET leaves what this one failed at
    "$NEPENTHE" features more out participant $ATLAS --features pet --pet-reference L_back -q
    grep -q preproc_T1w out/failures.tsv
    "$NEPENTHE" features more out group -q
    python3 - <<'PY'
rows = [l.split("\t") for l in open("out/group_radiomics.tsv").read().splitlines()]
assert [r[0] for r in rows[1:]] == ["sub-01", "sub-02"] and len(rows[0]) == 1 + 2 * 116, (len(rows), len(rows[0]))
want = {f"{r[0]}:{r[1]}": r[3] for r in (l.split("\t") for l in open("alone.tsv").read().splitlines()[1:])}
for name, x, y in list(zip(*rows))[1:]:
    assert (x == want[name] or abs(float(x) - float(want[name])) <= 1e-8 * abs(float(x))) and y == "n/a", (name, x, y)
PY
    run /usr/bin/python3 -c 'import h5py; f = h5py.File("out/features.h5", "r"); print(f["X"].shape, f["var/feature"].asstr()[0], f["var/feature"].asstr()[-1], f["obs/verdict"].asstr()[0])'
    [ "$output" = "(2, 248) pet_srtm_bp_nd radiomics n/a" ] || [[ "$output" == *"No module named"* ]]
}

@test "pet and radiomics: what is missing or cannot be is said, and exits so" {
    make_others
    run "$NEPENTHE" features more out participant $ATLAS --features pet
    [ "$status" -eq 64 ] && [[ "$output" == *"needs --pet-reference"* ]]
    run "$NEPENTHE" features more out participant $ATLAS --features pet --pet-reference L_bock
    [ "$status" -eq 64 ] && [[ "$output" == *"no region 'L_bock'; did you mean 'L_back'?"* ]]
    run "$NEPENTHE" features more out participant $ATLAS --features pet --pet-reference L_back --pet-window 5,60
    [ "$status" -eq 64 ] && [[ "$output" == *"is for --pet-model suvr"* ]]
    run "$NEPENTHE" features more out participant --features radiomics --radiomics-labels label-lesion_roi --participant-label 01
    [ "$status" -eq 66 ] && [[ "$output" == *"sub-01_label-lesion_roi.nii.gz; --radiomics-labels says"* ]]
    rm more/sub-01/pet/*.json
    run "$NEPENTHE" features more out participant $ATLAS --features pet --pet-reference L_back
    [ "$status" -eq 1 ] && [[ "$output" == *"sub-01"*"has no JSON sidecar with FrameTimesStart"* ]]
    ! grep -q "$BATS_TEST_TMPDIR" out/failures.tsv
    [ ! -e out/sub-01/pet/sub-01_trc-X_seg-slabs_tacs.tsv ]
}

@test "shards: together they are the whole; auto takes the place in a Slurm array" {
    for i in 1 2; do "$NEPENTHE" features bids "$OUT" participant $ATLAS -q --shard $i/2; done
    "$NEPENTHE" features bids "$OUT" group -q
    diff -r -x '*.json' -x .nepenthe -x features.h5 whole "$OUT"
    export SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_MAX=16 SLURM_ARRAY_TASK_COUNT=4
    run env SLURM_ARRAY_TASK_ID=14 "$NEPENTHE" features bids "$OUT-auto" participant $ATLAS --array-shard auto
    [[ "$output" == *"1 runs of 1 participants: 1 measured"* ]]
    [ -e "$OUT-auto/sub-03" ] && [ ! -e "$OUT-auto/sub-01" ]
    run env SLURM_ARRAY_TASK_ID=16 "$NEPENTHE" features bids "$OUT-auto" participant $ATLAS --array-shard auto
    [ "$status" -eq 0 ]
    [[ "$output" == *"0 runs of 0 participants"* ]]
    run env SLURM_ARRAY_TASK_ID=11 "$NEPENTHE" features bids "$OUT-auto" participant $ATLAS --array-shard auto
    [ "$status" -eq 64 ] && [[ "$output" == *"have gaps"* ]]
    run env -u SLURM_ARRAY_TASK_COUNT SLURM_ARRAY_TASK_ID=10 "$NEPENTHE" features bids "$OUT-auto" participant $ATLAS --array-shard auto
    [ "$status" -eq 64 ] && [[ "$output" == *"SLURM_ARRAY_TASK_COUNT is not set"* ]]
    for bad in 0/2 3/2 1 a/2 1/2x 2/; do
        run "$NEPENTHE" features bids "$OUT-auto" participant $ATLAS --shard $bad
        [ "$status" -eq 64 ]
    done
    run "$NEPENTHE" features bids "$OUT" group --shard 1/2
    [ "$status" -eq 64 ]
}
