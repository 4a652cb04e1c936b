#!/usr/bin/env bats
# features: kinds of connectivity, shrinkage, and whose cleaning: the numbers of the commands of the same names.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 1
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ATLAS="--atlas atlas-slabs_dseg.nii.gz --labels atlas-slabs_dseg.tsv"
    OUT="$BATS_TEST_TMPDIR/out"
    STEM=sub-01/func/sub-01_task-rest_space-X
}

close() { # close A B TOLERANCE: two tables with the same names
    python3 - "$@" <<'PY'
import sys
a, b = ([l.split("\t") for l in open(f).read().splitlines()] for f in sys.argv[1:3])
assert a[0] == b[0] and len(a) == len(b), (a[0], b[0], len(a), len(b))
worst = max([abs(float(v)) for r in b[1:] for v in r if v != "n/a" and not v[0].isalpha()])
for p, q in zip(a[1:], b[1:]):
    for u, v in zip(p, q):
        assert u == v or abs(float(u) - float(v)) <= float(sys.argv[3]) * worst, (u, v)
PY
}

@test "every kind, shrunk or not, is that of nepenthe connectivity of the same series" {
    for how in none ledoit-wolf; do
        "$NEPENTHE" features bids "$OUT" participant $ATLAS --features timeseries,connectivity,partial,covariance,precision --shrinkage $how -q
        for kind in pearson partial covariance precision; do
            "$NEPENTHE" connectivity "$OUT/${STEM}_seg-slabs_stat-mean_timeseries.tsv" --kind $kind --shrinkage $how -o "$BATS_TEST_TMPDIR/$kind.tsv" -q
        done
        close "$OUT/${STEM}_seg-slabs_stat-pearsoncorrelation_relmat.tsv" "$BATS_TEST_TMPDIR/pearson.tsv" 1e-5
        close "$OUT/${STEM}_seg-slabs_stat-partialcorrelation_relmat.tsv" "$BATS_TEST_TMPDIR/partial.tsv" 1e-5
        close "$OUT/${STEM}_seg-slabs_stat-covariance_relmat.tsv" "$BATS_TEST_TMPDIR/covariance.tsv" 1e-5
        close "$OUT/${STEM}_seg-slabs_stat-precision_relmat.tsv" "$BATS_TEST_TMPDIR/precision.tsv" 1e-3 # an inverse of nearly dependent series
    done
    grep -q '"Measure": "partialcorrelation"' "$OUT/${STEM}_seg-slabs_stat-partialcorrelation_relmat.json"
    grep -q '"LedoitWolfShrinkage": 0' "$OUT/${STEM}_seg-slabs_stat-precision_relmat.json"
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features timeseries,connectivity,partial,covariance,precision --shrinkage ledoit-wolf
    [[ "$output" == *"0 measured"*"1 done before"* ]]
    "$NEPENTHE" features bids "$OUT" participant $ATLAS --features partial -q
    [ -z "$(find "$OUT" -name '*precision*' -o -name '*pearson*')" ]
    run grep LedoitWolf "$OUT/${STEM}_seg-slabs_stat-partialcorrelation_relmat.json"
    [ "$status" -eq 1 ]
}

@test "no inverse: the participant fails by a sentence, and shrinkage is named, not chosen" {
    # 90 regions of one or two voxels each, of which 80 frames say too little
    python3 - atlas-slabs_dseg.nii.gz "$BATS_TEST_TMPDIR/many_dseg.nii.gz" <<'PY'
import gzip, sys
b = bytearray(gzip.open(sys.argv[1]).read())
for v in range(352, len(b)):
    b[v] = 1 + v % 90 if b[v] < 4 else 0
with gzip.GzipFile(sys.argv[2], "wb", mtime=0) as f:
    f.write(bytes(b))
PY
    run "$NEPENTHE" features bids "$OUT" participant --atlas "$BATS_TEST_TMPDIR/many_dseg.nii.gz" --features partial
    [ "$status" -eq 65 ]
    [[ "$output" == *"failed: sub-01: connectivity: the correlations of 90 regions over 80 frames have no inverse"*"ask with --shrinkage ledoit-wolf"* ]]
    grep -q SINGULAR "$OUT/failures.tsv"
    "$NEPENTHE" features bids "$OUT" participant --atlas "$BATS_TEST_TMPDIR/many_dseg.nii.gz" --features partial --shrinkage ledoit-wolf -q
    [ ! -e "$OUT/failures.tsv" ]
}

@test "--clean: the series are those of nepenthe clean under that definition, censored frames too" {
    "$NEPENTHE" parcels "bids/${STEM}_desc-preproc_bold.nii.gz" $ATLAS --mask "bids/${STEM}_desc-brain_mask.nii.gz" -o "$BATS_TEST_TMPDIR/raw.tsv" -q
    cut -f1-3 "$BATS_TEST_TMPDIR/raw.tsv" > "$BATS_TEST_TMPDIR/three.tsv" # the fourth lies outside
    for c in nepenthe nilearn xcpd afni; do
        "$NEPENTHE" features bids "$OUT-$c" participant $ATLAS --features timeseries,alff --clean $c --censor-fd 0.0124 -q
        python3 - "$OUT-$c/${STEM}_seg-slabs_desc-quality_timeseries.tsv" > "$BATS_TEST_TMPDIR/censor.tsv" <<'PY'
import sys
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
out = [i for i, r in enumerate(rows[1:]) if r[rows[0].index("kept")] == "0"]
assert 2 < len(out) < 25, len(out)
print("frame", *out, sep="\n")
PY
        detrend=--detrend
        [ $c != afni ] || detrend=
        "$NEPENTHE" clean "$BATS_TEST_TMPDIR/three.tsv" --tr 2 --confounds "bids/sub-01/func/sub-01_task-rest_desc-confounds_timeseries.tsv" $detrend \
            --high-pass 0.01 --low-pass 0.08 --standardize psc --definition $c --censor "$BATS_TEST_TMPDIR/censor.tsv" -o "$BATS_TEST_TMPDIR/$c.tsv" -q
        cut -f1-3 "$OUT-$c/${STEM}_seg-slabs_stat-mean_timeseries.tsv" > "$BATS_TEST_TMPDIR/got.tsv"
        close "$BATS_TEST_TMPDIR/got.tsv" "$BATS_TEST_TMPDIR/$c.tsv" 1e-4
    done
    run cmp "$BATS_TEST_TMPDIR/nepenthe.tsv" "$BATS_TEST_TMPDIR/xcpd.tsv"
    [ "$status" -eq 1 ]
}

@test "--tangent: the tables and the mean of nepenthe connectivity of the same series" {
    cd "$BATS_TEST_TMPDIR"
    python3 "$BATS_TEST_DIRNAME/make_bids.py" bids 4
    "$NEPENTHE" features bids out participant $ATLAS --features timeseries,covariance -q
    run "$NEPENTHE" features bids out group --tangent
    [ "$status" -eq 0 ] # sub-02 moves, and was not measured; the fourth region lies outside
    [[ "$output" == *"tangents of 3 runs; 1 of 4 regions are missing"* ]]
    [ -z "$(find out/sub-02 -name '*tangent*')" ]
    for s in 01 03 04; do cp out/sub-$s/func/sub-${s}_task-rest_space-X_seg-slabs_stat-mean_timeseries.tsv $s.tsv; done
    "$NEPENTHE" connectivity 01.tsv 03.tsv 04.tsv --kind tangent -o want -q
    for s in 01 03 04; do close out/sub-$s/func/sub-${s}_task-rest_space-X_seg-slabs_stat-tangent_relmat.tsv "$(ls want*/*$s*.tsv want*$s*.tsv 2>/dev/null | head -1)" 1e-3; done
    grep -q '"NumberOfRuns": 3' out/group_tangent_mean.json
    "$NEPENTHE" features bids out participant $ATLAS --features covariance --participant-label 01 -q # and its tangent is old
    [ "$(find out -name '*tangent_relmat.tsv' | wc -l)" -eq 2 ]
    "$NEPENTHE" features bids few participant $ATLAS --features covariance --participant-label 01 -q
    run "$NEPENTHE" features bids few group --tangent
    [ "$status" -eq 66 ] && [[ "$output" == *"--tangent: 1 runs have a covariance, 2 are needed"* ]]
    run "$NEPENTHE" features bids few participant $ATLAS --tangent
    [ "$status" -eq 64 ]
}
