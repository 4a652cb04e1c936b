#!/usr/bin/env bats
# features: what one participant lacks or has wrong is told in one sentence, and the others are measured.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 3
    rm -r bids/sub-02 # who moves
    python3 "$BATS_TEST_DIRNAME/make_bids.py" more others
    printf 'onset\tduration\ttrial_type\n' > events.tsv
    for i in 10 40 70 100 130; do printf '%d\t5\tface\n%d\t5\thouse\n' $i $((i + 15)); done >> events.tsv
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR"/* .
    ATLAS="--atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv"
    BOLD=bids/sub-01/func/sub-01_task-rest_space-X_desc-preproc_bold.nii.gz
    MASK=bids/sub-01/func/sub-01_task-rest_space-X_desc-brain_mask.nii.gz
}

broken() { python3 "$BATS_TEST_DIRNAME/break_images.py" "$@"; }

# alone WHO RUN CODE SENTENCE, then the call: it alone fails, by this row; exit 1.
alone() {
    run "$NEPENTHE" features "${@:5}"
    [ "$status" -eq 1 ] || { echo "$output"; false; }
    [ "$(grep -c "^failed: $1: " <<< "$output")" -eq 1 ]
    run cat out/failures.tsv
    [ "${#lines[@]}" -eq 2 ]
    [[ "${lines[1]}" == "$1"$'\t'"$2"$'\t'"$3"$'\t'*"$4"* ]] || { echo "$output"; false; }
}

measured() { [ -s "out/$1" ]; }

@test "volumes of another shape" {
    broken thinner "$BOLD"
    broken thinner "$MASK"
    alone sub-01 sub-01_task-rest_space-X GRID "(8 x 6 x 5, the run has 8 x 6 x 4); give --resample, or bring all runs onto one grid with --resample-to" \
        bids out participant $ATLAS
    measured sub-03/func/sub-03_task-rest_space-X_seg-slabs_stat-alff_bold.tsv
    # either way out
    "$NEPENTHE" features bids out participant $ATLAS --resample -q
    "$NEPENTHE" features bids out participant $ATLAS --resample-to atlas-slabs_dseg.nii.gz -q
    [ ! -e out/failures.tsv ]
}

@test "a repetition time that nothing says" {
    broken no_tr "$BOLD"
    alone sub-01 sub-01_task-rest_space-X MALFORMED "neither its JSON nor its header gives the repetition time; give --tr in seconds" bids out participant $ATLAS
    measured sub-03/func/sub-03_task-rest_space-X_seg-slabs_stat-alff_bold.tsv
    "$NEPENTHE" features bids out participant $ATLAS --tr 2 -q
    [ ! -e out/failures.tsv ]
}

@test "a participant without the task" {
    for f in bids/sub-01/func/*; do mv "$f" "${f/task-rest/task-nback}"; done
    alone sub-01 n/a INPUT_MISSING "sub-01: has no desc-preproc_bold.nii.gz of task rest" bids out participant $ATLAS --task-id rest
    measured sub-03/func/sub-03_task-rest_space-X_seg-slabs_stat-alff_bold.tsv
    run "$NEPENTHE" features bids out participant $ATLAS --task-id rest,faces --space X --participant-label 01
    [ "$status" -eq 66 ] && [[ "$output" == *"has no desc-preproc_bold.nii.gz of task rest, faces and space X"* ]]
}

@test "a singular design and a contrast that cannot be estimated, with the columns" {
    FACES="--features glm --contrast faces=face-house"
    cp events.tsv bids/sub-03/func/sub-03_task-rest_events.tsv
    awk -F'\t' -v OFS='\t' 'NR == 1 {print} $3 == "face" {print; $3 = "house"; print}' events.tsv > bids/sub-01/func/sub-01_task-rest_events.tsv
    alone sub-01 sub-01_task-rest_space-X SINGULAR "'face' is a linear combination of 'house'; leave one of them out (not estimable: contrast 'faces')" \
        bids out participant $ATLAS $FACES
    measured sub-03/func/sub-03_task-rest_space-X_seg-slabs_desc-glm_bold.tsv
    sed 's/house/scene/' events.tsv > bids/sub-01/func/sub-01_task-rest_events.tsv
    alone sub-01 sub-01_task-rest_space-X ARGUMENT "contrast 'faces' is not estimable: the design of sub-01_task-rest_space-X has no column 'house'" \
        bids out participant $ATLAS $FACES
}

@test "a mask that is empty on the grid it is brought to" {
    python3 - "$MASK" <<'PY'
import gzip, struct, sys
b = bytearray(gzip.open(sys.argv[1]).read())
b[352:] = bytes(len(b) - 352)
b[-1] = 1  # one voxel, at the corner that the other grid leaves out
with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as f:
    f.write(bytes(b))
PY
    alone sub-01 sub-01_task-rest_space-X MALFORMED "desc-brain_mask.nii.gz: the mask is empty on the grid of --resample-to" \
        bids out participant --atlas shifted.nii.gz --atlas-name slabs --labels atlas-slabs_dseg.tsv --resample-to shifted.nii.gz
    measured sub-03/func/sub-03_task-rest_space-X_seg-slabs_stat-mean_timeseries.tsv
}

@test "PET frames that overlap, labels that are no whole numbers" {
    sed -i 's/\[0, 60, 180/[0, 50, 180/' more/sub-01/pet/*.json
    alone sub-01 sub-01_trc-X_pet ARGUMENT "frame 2 starts at 50 s, before frame 1 ends at 60 s; frames must not overlap" \
        more out participant $ATLAS --features pet --pet-model suvr --pet-reference L_back
    measured sub-02/pet/sub-02_trc-X_seg-slabs_tacs.tsv
    rm -r out
    cp -r more/sub-01/anat more/sub-02/
    for f in more/sub-02/anat/*; do mv "$f" "${f/sub-01_/sub-02_}"; done
    broken halves more/sub-02/anat/sub-02_desc-aseg_dseg.nii.gz
    alone sub-02 sub-02_T1w MALFORMED "sub-02_desc-aseg_dseg.nii.gz: voxel 0 is 10.5; an atlas holds whole numbers" more out participant --features radiomics
    measured sub-01/anat/sub-01_desc-radiomics_T1w.tsv
    cp atlas-slabs_dseg.nii.gz halves.nii.gz
    broken halves halves.nii.gz
    run "$NEPENTHE" features bids out participant --atlas halves.nii.gz
    [ "$status" -eq 65 ] && [[ "$output" == *"halves.nii.gz: voxel 0 is 1.5; an atlas holds whole numbers"* ]]
}

@test "fewer shuffles than asked for: all are used, and it is said" {
    "$NEPENTHE" features bids out participant $ATLAS --features alff -q
    run "$NEPENTHE" features bids out group --permute 100
    [ "$status" -eq 0 ]
    [[ "$output" == *"shuffling signs, all 4 distinct shuffles were used, fewer than were asked for"* ]]
}
