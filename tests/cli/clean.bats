#!/usr/bin/env bats
# clean: confounds, filters and censoring of TSV and NIfTI series.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

S() { echo "$GOLDEN/clean_$1_series.tsv"; }

# got.tsv under the header of the reference
same_as() {
    { head -1 "$GOLDEN/$1"; tail -n +2 got.tsv; } > headed.tsv
    table_close headed.tsv "$GOLDEN/$1" 5e-6
}

@test "nilearn's results, with confounds by name" {
    C="--confounds $GOLDEN/clean_synthetic_confounds.tsv --columns c0,c1,c2"
    "$NEPENTHE" clean "$(S synthetic)" --tr 2 $C --detrend --high-pass 0.01 --low-pass 0.08 > got.tsv
    same_as clean_synthetic_band.tsv
    "$NEPENTHE" clean "$(S synthetic)" --tr 2 $C --detrend --filter cosine --high-pass 0.01 --standardize psc > got.tsv
    same_as clean_cosine_psc.tsv
    "$NEPENTHE" clean "$(S synthetic)" --confounds "$GOLDEN/clean_synthetic_confounds.tsv" --detrend --filter none --standardize none > got.tsv
    same_as clean_synthetic_rank.tsv
}

@test "two censored spikes leave nothing behind; nilearn's rule is there by name" {
    printf 'frame\n60\n139\n' > censor.tsv
    O="--tr 2 --detrend --high-pass 0.01 --low-pass 0.08 --standardize none --censor censor.tsv"
    "$NEPENTHE" clean "$(S spiked)" $O -o got.tsv
    same_as clean_spikes.tsv
    grep -q '"frames_out": 198' got.json
    "$NEPENTHE" clean "$(S spiked)" $O --definition nilearn > got.tsv
    same_as clean_spikes_nilearn.tsv
    printf 'frame\n2\n60\n64\n139\n' > short.tsv # the stretches 0..1 and 61..63 go too
    [ "$("$NEPENTHE" clean "$(S spiked)" --filter none --censor short.tsv --min-run 4 | wc -l)" -eq 192 ]
    # one flag per frame says the same
    { echo censored; for i in $(seq 0 199); do [ $i -eq 60 ] || [ $i -eq 139 ] && echo 1 || echo 0; done; } > censor.tsv
    "$NEPENTHE" clean "$(S spiked)" $O > got.tsv
    same_as clean_spikes.tsv
}

@test "XCP-D's and AFNI's definitions, orders and ends by name" {
    B="--tr 2 --confounds $GOLDEN/clean_synthetic_confounds.tsv --columns c0,c1,c2 --high-pass 0.01 --low-pass 0.08"
    printf 'frame\n0\n1\n2\n50\n51\n52\n53\n120\n198\n199\n' > censor.tsv
    "$NEPENTHE" clean "$(S synthetic)" $B --definition xcpd --censor censor.tsv > got.tsv
    same_as clean_xcpd_censored.tsv
    "$NEPENTHE" clean "$(S synthetic)" $B --definition xcpd --censor censor.tsv --fill > got.tsv
    same_as clean_xcpd_filled.tsv
    "$NEPENTHE" clean "$(S synthetic)" $B --definition afni --censor censor.tsv > got.tsv
    same_as clean_afni_censored.tsv
    "$NEPENTHE" clean "$(S synthetic)" --confounds "$GOLDEN/clean_synthetic_confounds.tsv" --columns c0,c1,c2 --definition afni --polort 5 --censor censor.tsv > got.tsv
    same_as clean_afni_polort.tsv
    "$NEPENTHE" clean "$(S synthetic)" $B --detrend --order 2 > got.tsv
    same_as clean_order2.tsv
    "$NEPENTHE" clean "$(S synthetic)" $B --detrend --ends nearest --censor censor.tsv > got.tsv
    same_as clean_ends_nearest.tsv
    "$NEPENTHE" clean "$(S synthetic)" --confounds "$GOLDEN/clean_synthetic_confounds.tsv" --columns c0,c1,c2 --filter none --confound-scale max > got.tsv
    same_as clean_synthetic_unscaled.tsv
}

@test "3dTproject's ways with censored frames, 3dBandpass and fslmaths by name" {
    B="--tr 2 --confounds $GOLDEN/clean_synthetic_confounds.tsv --columns c0,c1,c2 --high-pass 0.01 --low-pass 0.08"
    printf 'frame\n0\n1\n2\n50\n51\n52\n53\n120\n198\n199\n' > censor.tsv
    for mode in zero ntrp; do
        "$NEPENTHE" clean "$(S synthetic)" $B --definition afni --cenmode $mode --censor censor.tsv > got.tsv
        same_as clean_afni_$mode.tsv
    done
    "$NEPENTHE" clean "$(S synthetic)" $B --definition 3dbandpass > got.tsv
    same_as clean_3dbandpass.tsv
    "$NEPENTHE" clean "$(S synthetic)" $B --definition fsl > got.tsv
    same_as clean_bptf.tsv
    "$NEPENTHE" clean "$(S synthetic)" --tr 2 --low-pass 0.1 --definition fsl > got.tsv
    same_as clean_bptf_low.tsv
}

@test "runs that follow one another are cleaned each by itself, as nilearn's runs= does" {
    B="--tr 2 --confounds $GOLDEN/clean_synthetic_confounds.tsv --columns c0,c1,c2 --detrend --high-pass 0.01"
    "$NEPENTHE" clean "$(S synthetic)" $B --low-pass 0.08 --runs 90,70,40 -o got.tsv
    same_as clean_runs.tsv
    python3 - <<'PY'
import json
runs = json.load(open("got.json"))["Clean"]["runs"]
assert [r["frames_in"] for r in runs] == [90, 70, 40] and all(r["confounds"] == 3 for r in runs)
PY
    "$NEPENTHE" clean "$(S synthetic)" $B --filter cosine --standardize psc --runs 90,70,40 > got.tsv
    same_as clean_runs_cosine.tsv
    # a run alone gives what it gives beside others
    sed -n '1p;92,161p' "$(S synthetic)" > second.tsv
    "$NEPENTHE" clean second.tsv --tr 2 --low-pass 0.1 > alone.tsv
    "$NEPENTHE" clean "$(S synthetic)" --tr 2 --low-pass 0.1 --runs 90,70,40 > got.tsv
    diff alone.tsv <(sed -n '1p;92,161p' got.tsv)
    refused 64 "190 frames together, the series has 200" "$NEPENTHE" clean "$(S synthetic)" --tr 2 --low-pass 0.1 --runs 90,100 -o out.tsv
    refused 64 "is not a number of frames" "$NEPENTHE" clean "$(S synthetic)" --runs 90,x -o out.tsv
}

@test "sets of confounds and censoring by an fMRIPrep table, by nilearn's load_confounds" {
    c="$GOLDEN/confounds_fmriprep.tsv" x="$GOLDEN/confounds_series.tsv" O="--filter none --detrend --definition nilearn"
    for set in simple compcor 36p; do
        "$NEPENTHE" clean "$x" $O --confounds "$c" --columns $set -o got.tsv
        same_as confounds_$set.tsv
        [ "$("$PYTHON" -c "import json; a=json.load(open('$GOLDEN/confounds.json'))['columns']['$set']; b=json.load(open('got.json'))['Clean']['confounds']; print(a == b)")" = True ]
        rm got.json
    done
    "$NEPENTHE" clean "$x" $O --confounds "$c" --columns scrubbing --censor-fd 0.4 --censor-dvars 1.4 --min-run 5 > got.tsv
    same_as confounds_scrubbing.tsv
    # components by the mask that the JSON says; what is listed twice counts once
    "$NEPENTHE" clean "$x" --filter none --detrend --confounds "$c" --columns acompcor5,a_comp_cor_06 -o got.tsv
    same_as confounds_acompcor5.tsv
    grep -q 'confounds_fmriprep.json' got.json
    # newer tables say the mask by a letter
    sed '1s/a_comp_cor_0[0-5]/x&/g; 1s/a_comp_cor_08/x/; 1s/a_comp_cor_\(0[6-9]\|1[0-2]\)/c_comp_cor_\1/g; 1s/a_comp_cor_/w_comp_cor_/g' "$c" > letters.tsv
    "$NEPENTHE" clean "$x" --filter none --detrend --confounds letters.tsv --columns acompcor5 > got.tsv
    same_as confounds_acompcor5.tsv
    # three tCompCor and the cosines, as names and as sets
    "$NEPENTHE" clean "$x" --filter none --confounds "$c" --columns tcompcor3,cosine > a.tsv
    "$NEPENTHE" clean "$x" --filter none --confounds "$c" --columns t_comp_cor_00,t_comp_cor_01,t_comp_cor_02,cosine00,cosine01,cosine02,cosine03 > b.tsv
    cmp a.tsv b.tsv
    "$NEPENTHE" clean "$x" --filter none --confounds "$c" --columns simple,compcor,cosine,24p -o a.tsv
    [ "$("$PYTHON" -c "import json; print(json.load(open('a.json'))['Clean']['confounds'])")" = 36 ] # 24 + csf, white_matter + 4 cosines + 6 components
    # fewer than asked is said; frames before the steady state go when asked
    "$NEPENTHE" clean "$x" --filter none --confounds "$c" --columns tcompcor9 2>&1 > /dev/null | grep -q "9 components are asked for, 4 are there"
    awk '{print $0 "\t" (FNR==1 ? "non_steady_state_outlier00" : FNR==2 ? 1 : 0)}' "$c" > steady.tsv
    [ "$("$NEPENTHE" clean "$x" --filter none --confounds steady.tsv --columns csf --censor-unsteady | wc -l)" -eq 150 ]
}

@test "sets that are not there" {
    c="$GOLDEN/confounds_fmriprep.tsv" x="$GOLDEN/confounds_series.tsv"
    cut -f1-24 "$c" > motion.tsv
    refused 65 "no confound 'csf'" "$NEPENTHE" clean "$x" --filter none --confounds motion.tsv --columns 8p -o out.tsv
    refused 65 "no column cosine" "$NEPENTHE" clean "$x" --filter none --confounds motion.tsv --columns cosine -o out.tsv
    refused 65 "no confound 'acompcor0'" "$NEPENTHE" clean "$x" --filter none --confounds "$c" --columns acompcor0 -o out.tsv
    refused 65 "framewise_displacement" "$NEPENTHE" clean "$x" --filter none --confounds motion.tsv --columns 6p --censor-fd 0.5 -o out.tsv
    cp "$c" alone.tsv
    refused 65 "JSON beside it, which is missing" "$NEPENTHE" clean "$x" --filter none --confounds alone.tsv --columns acompcor -o out.tsv
    refused 64 "--censor-fd needs --confounds" "$NEPENTHE" clean "$x" --filter none --censor-fd 0.5 -o out.tsv
    refused 64 "--censor-unsteady needs --confounds" "$NEPENTHE" clean "$x" --filter none --censor-unsteady -o out.tsv
}

@test "what was taken away is beside the result" {
    "$NEPENTHE" clean "$(S synthetic)" --confounds "$GOLDEN/clean_synthetic_confounds.tsv" --detrend --filter none -o out.tsv
    run python3 -c 'import json; c=json.load(open("out.json"))["Clean"]; print(c["confounds"], c["confounds_rank"], round(c["degrees_of_freedom"], 6), round(c["degrees_of_freedom_lost"], 6))'
    [ "$output" = "4 3 195.0 5.0" ]
}

@test "a NIfTI series is cleaned as its columns are; outside the mask is NaN" {
    make_images
    O="--detrend --high-pass 0.02 --standardize psc --mask mask.nii.gz"
    "$NEPENTHE" clean bold.nii $O -o out.nii.gz
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
x = nib.load("bold.nii").get_fdata(); m = nib.load("mask.nii.gz").get_fdata() > 0
cols = x[m]
open("cols.tsv", "w").write("\n".join(["\t".join(f"v{i}" for i in range(len(cols)))] + ["\t".join(f"{v:.9g}" for v in row) for row in cols.T]) + "\n")
y = nib.load("out.nii.gz"); d = y.get_fdata()
assert d.shape == x.shape and y.header["pixdim"][4] == 2 and np.isnan(d[~m]).all()
open("nifti.tsv", "w").write("\n".join(["\t".join(f"v{i}" for i in range(len(cols)))] + ["\t".join(f"{v:.9g}" for v in row) for row in d[m].T]) + "\n")
PY
    "$NEPENTHE" clean cols.tsv --tr 2 --detrend --high-pass 0.02 --standardize psc > got.tsv
    table_close got.tsv nifti.tsv 1e-6
}

@test "little memory: the run is read in tiles, and the bytes are the same" {
    need_nibabel
    "$PYTHON" -c '
import nibabel as nib, numpy as np
x = (900 + 9 * np.random.default_rng(2).normal(size=(24, 24, 24, 100))).astype(np.float32)
im = nib.Nifti1Image(x, np.eye(4)); im.header.set_zooms((3, 3, 3, 2)); im.header.set_xyzt_units("mm", "sec"); nib.save(im, "big.nii.gz")'
    "$NEPENTHE" clean big.nii.gz --detrend --low-pass 0.1 -o whole.nii
    "$NEPENTHE" clean big.nii.gz --detrend --low-pass 0.1 -o tiles.nii --mem-mb 16
    cmp whole.nii tiles.nii
    refused 71 "" "$NEPENTHE" clean big.nii.gz --detrend --low-pass 0.1 -o out.nii --mem-mb 4
}

@test "bad input: one sentence, the exit code, nothing written" {
    s="$(S synthetic)" c="$GOLDEN/clean_synthetic_confounds.tsv"
    refused 64 "--tr" "$NEPENTHE" clean "$s" --low-pass 0.1 -o out.tsv
    refused 64 "not below 0.25" "$NEPENTHE" clean "$s" --tr 2 --high-pass 0.3 -o out.tsv
    refused 64 "cosine needs" "$NEPENTHE" clean "$s" --tr 2 --filter cosine -o out.tsv
    refused 64 "by --polort" "$NEPENTHE" clean "$s" --definition afni --detrend -o out.tsv
    refused 64 "is for --definition afni" "$NEPENTHE" clean "$s" --polort 3 -o out.tsv
    refused 64 "removes censored" "$NEPENTHE" clean "$s" --definition afni --fill -o out.tsv
    refused 64 "is for --definition afni" "$NEPENTHE" clean "$s" --cenmode zero -o out.tsv
    refused 64 "fsl has no --order" "$NEPENTHE" clean "$s" --tr 2 --definition fsl --order 3 --low-pass 0.1 -o out.tsv
    refused 64 "is a filter of its own" "$NEPENTHE" clean "$s" --tr 2 --definition 3dbandpass --filter none -o out.tsv
    refused 64 "takes a quadratic off" "$NEPENTHE" clean "$s" --tr 2 --definition 3dbandpass --detrend --low-pass 0.1 -o out.tsv
    printf 'frame\n9\n' > nine.tsv
    refused 64 "fslmaths -bptf knows no censored frames" "$NEPENTHE" clean "$s" --tr 2 --definition fsl --low-pass 0.1 --censor nine.tsv -o out.tsv
    refused 64 "no cosine" "$NEPENTHE" clean "$s" --tr 2 --definition xcpd --filter cosine --high-pass 0.01 -o out.tsv
    refused 64 "1 to 10" "$NEPENTHE" clean "$s" --tr 2 --order 12 --high-pass 0.01 -o out.tsv
    refused 65 "c3" "$NEPENTHE" clean "$s" --confounds "$c" --columns c0,c3 -o out.tsv
    head -100 "$c" > half.tsv
    refused 65 "99 rows" "$NEPENTHE" clean "$s" --confounds half.tsv -o out.tsv
    awk 'NR==9{$2="n/a"} {OFS="\t"; $1=$1; print}' "$c" > holes.tsv
    refused 65 "row 8" "$NEPENTHE" clean "$s" --confounds holes.tsv -o out.tsv
    printf 'frame\n200\n' > censor.tsv
    refused 65 "frame 200" "$NEPENTHE" clean "$s" --censor censor.tsv -o out.tsv
    printf 'a\tb\n1\n' > ragged.tsv
    refused 65 "ragged.tsv" "$NEPENTHE" clean ragged.tsv -o out.tsv
    printf 'a\ta\n1\t2\n' > twice.tsv
    refused 65 "twice.tsv" "$NEPENTHE" clean twice.tsv -o out.tsv
    head -12 "$s" > short.tsv
    refused 65 "too few" "$NEPENTHE" clean short.tsv --tr 2 --low-pass 0.1 -o out.tsv
    refused 65 "leave nothing" "$NEPENTHE" clean short.tsv --confounds short.tsv --columns s0,s1,s2,s3,s4,s5 --censor <(printf 'frame\n1\n3\n5\n7\n') -o out.tsv
    make_images
    refused 65 "one volume" "$NEPENTHE" clean one.nii.gz --detrend -o out.nii.gz
}

@test "a missing first row, as derivatives have, takes the column's mean" {
    awk 'NR==2{$1="n/a"} {OFS="\t"; $1=$1; print}' "$GOLDEN/clean_synthetic_confounds.tsv" > first.tsv
    "$NEPENTHE" clean "$(S synthetic)" --confounds first.tsv --detrend --filter none > got.tsv
    [ "$(wc -l < got.tsv)" -eq 201 ]
}
