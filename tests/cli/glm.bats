#!/usr/bin/env bats
# glm: tables and images of runs and of people against nilearn's numbers; one sentence for what cannot be fitted.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

FULL="--tr 2 --slice-time-ref 0.5 --hrf spm --derivatives dispersion --definition nilearn"

# as_golden MODEL OUT.tsv GOLDEN: rows of the golden with that model, in its order, out of ours
as_golden() {
    "$PYTHON" - "$@" <<'PY'
import csv, sys
model, ours, golden = sys.argv[1:4]
have = {(r["contrast"], r["region"]): r for r in csv.DictReader(open(ours), delimiter="\t")}
n, worst = 0, 0.0
for g in csv.DictReader(open(golden), delimiter="\t"):
    if g["model"] != model or (g["contrast"], "r" + g["column"]) not in have:
        continue
    r = have[g["contrast"], "r" + g["column"]]
    for k in ("effect", "se", "stat", "z", "df"):
        if k == "z" and g[k] == "n/a":
            continue
        assert (r[k] == "n/a") == (g[k] == "n/a"), (g, r)
        if g[k] != "n/a":
            worst = max(worst, abs(float(r[k]) - float(g[k])) / max(1e-3, abs(float(g[k]))))
    n += 1
assert worst < 1e-6, worst
print(n)
PY
}

@test "a run as a table: nilearn's numbers for every contrast, noise and unit" {
    for noise in ar1 ols; do
        for scale in percent none; do
            "$NEPENTHE" glm "$GOLDEN/glm_series.tsv" --events "$GOLDEN/glm_events.tsv" --confounds "$GOLDEN/glm_confounds.tsv" $FULL \
                --contrast difference='face - house' --contrast weighted='0.5*(face + house) - constant/4' --contrast constant=constant \
                --contrast any='face; house; cat 2-back' --contrast pair='face-house; face + house' --noise $noise --scale $scale -o out.tsv
            run as_golden ${noise}_$scale out.tsv "$GOLDEN/glm_fits.tsv"
            [ "$output" = 60 ]
        done
    done
    run "$PYTHON" -c 'import json; d=json.load(open("out.json")); g=d["Glm"]; print(g["level"], g["noise"], g["contrasts"][3]["test"], g["contrasts"][3]["df"], len(g["designs"][0]["columns"]), [i["name"] for i in d["inputs"]])'
    [ "$output" = "first ols F 104.0 16 ['glm_series.tsv', 'glm_events.tsv', 'glm_confounds.tsv']" ]
}

@test "a list of numbers is a contrast, and a design given as a table is the same model" {
    one="--contrast x=0,0,0,1,0,0,-1"
    "$NEPENTHE" glm "$GOLDEN/glm_series.tsv" --events "$GOLDEN/glm_events.tsv" --confounds "$GOLDEN/glm_confounds.tsv" $FULL $one -o a.tsv
    "$NEPENTHE" glm "$GOLDEN/glm_series.tsv" --design "$GOLDEN/glm_design_full.tsv" --definition nilearn --contrast x='face - house' -o b.tsv
    table_close a.tsv b.tsv 1e-8
    "$NEPENTHE" glm "$GOLDEN/glm_series.tsv" --design "$GOLDEN/glm_design_full.tsv" --columns face,house,constant --contrast x='face - house' -o c.tsv
    [ "$(awk -F'\t' 'NR==2{print $8}' c.tsv)" = 117 ]
}

@test "runs together: by precision, and nilearn's mean" {
    words="--tr 2 --drift none --scale none --leave-outside --events $GOLDEN/glm_events.tsv,$GOLDEN/glm_events.tsv"
    both=("--contrast" "difference=face - house" "--contrast" "any=face; house; cat 2-back")
    "$NEPENTHE" glm "$GOLDEN/glm_run_1.tsv" "$GOLDEN/glm_run_2.tsv" $words "${both[@]}" -o out.tsv 2> talk
    grep -q "events of 'house' lie outside the run and are left out" talk
    run as_golden precision out.tsv "$GOLDEN/glm_runs.tsv"
    [ "$output" = 12 ]
    # regions are joined by name: a second run with its columns turned round is the same
    awk -F'\t' '{for(i=NF;i>0;i--) printf("%s%s", $i, (i>1?"\t":"\n"))}' "$GOLDEN/glm_run_2.tsv" > turned.tsv
    "$NEPENTHE" glm "$GOLDEN/glm_run_1.tsv" turned.tsv $words "${both[@]}" -o turned_out.tsv -q
    cmp out.tsv turned_out.tsv
    "$NEPENTHE" glm "$GOLDEN/glm_run_1.tsv" "$GOLDEN/glm_run_2.tsv" $words "${both[@]}" --definition nilearn -o out.tsv
    run as_golden mean out.tsv "$GOLDEN/glm_runs.tsv"
    [ "$output" = 12 ]
}

# sub-01_task-x_run-1_space-Y_desc-preproc_bold.nii.gz of the golden's series, with an empty and a flat voxel; its events beside it
make_run() {
    "$PYTHON" - "$GOLDEN/glm_series.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
x = np.array([l.split("\t") for l in open(sys.argv[1]).read().splitlines()[1:]], np.float32)
image = np.zeros((14, len(x)), np.float32)
image[1:13] = x.T
image = image.reshape((7, 2, 1, len(x)), order="F")
image[6, 1, 0] = 100
def save(name, data):
    im = nib.Nifti1Image(data, np.diag([3, 3, 3, 1]))
    if data.ndim == 4:
        im.header.set_zooms((3, 3, 3, 2)); im.header.set_xyzt_units("mm", "sec")
    nib.save(im, name)
save("sub-01_task-x_run-1_space-Y_desc-preproc_bold.nii.gz", image)
save("short.nii.gz", image[..., :80])
mask = np.ones((7, 2, 1), np.uint8); mask[0] = 0
save("mask.nii.gz", mask)
nib.save(nib.Nifti1Image(image[:5], np.diag([3, 3, 3, 1])), "small.nii.gz")
im = nib.Nifti1Image(image, np.diag([3, 3, 3, 1]))
im.header.set_zooms((3, 3, 3, 0))
nib.save(im, "no_tr.nii.gz")
PY
    cp "$GOLDEN/glm_events.tsv" sub-01_task-x_run-1_events.tsv
}

@test "an image gives the numbers of the same series in a table, for any threads and memory" {
    need_nibabel
    make_run
    both=("--contrast" "d=face - house" "--contrast" "any=face; house")
    image=sub-01_task-x_run-1_space-Y_desc-preproc_bold.nii.gz
    "$NEPENTHE" glm $image "${both[@]}" --derivatives time -o maps 2> talk
    grep -q "0 with a gap, 2 without variance beside the design, 1 without a mean above 0" talk
    "$NEPENTHE" glm "$GOLDEN/glm_series.tsv" --tr 2 --events "$GOLDEN/glm_events.tsv" "${both[@]}" --derivatives time -o out.tsv -q
    run "$PYTHON" - <<'PY'
import csv, nibabel as nib, numpy as np
rows = list(csv.DictReader(open("out.tsv"), delimiter="\t"))
def col(c, k): return np.array([float(r[k]) if r[k] != "n/a" else np.nan for r in rows if r["contrast"] == c])
for c, q, k in (("d", "effect", "effect"), ("d", "se", "se"), ("d", "t", "stat"), ("d", "z", "z"), ("any", "f", "stat"), ("any", "z", "z")):
    m = nib.load(f"maps_{c}_{q}.nii.gz").get_fdata().ravel(order="F")
    assert np.isnan(m[[0, 13]]).all()
    assert np.allclose(m[1:13], col(c, k), rtol=1e-6, equal_nan=True), (c, q)
    assert np.isnan(m[4]) and np.isfinite(m[5])
print("same")
PY
    [ "$output" = same ]
    [ ! -e maps_any_effect.nii.gz ]
    [ -e maps.json ]
    OMP_NUM_THREADS=1 "$NEPENTHE" glm $image "${both[@]}" --derivatives time -o one -q
    cmp maps_d_z.nii.gz one_d_z.nii.gz
    "$NEPENTHE" glm $image "${both[@]}" --derivatives time --mask mask.nii.gz -o masked -q
    run "$PYTHON" -c '
import nibabel as nib, numpy as np
a, b = nib.load("maps_d_t.nii.gz").get_fdata(), nib.load("masked_d_t.nii.gz").get_fdata()
print(np.isnan(b[0]).all(), np.array_equal(a[1:], b[1:], equal_nan=True))'
    [ "$output" = "True True" ]
    run "$NEPENTHE" glm $image "${both[@]}" -o dry --dry-run
    [ "$status" -eq 0 ]
    [ -z "$(ls dry* 2>/dev/null)" ]
}

# people.tsv and maps.tsv of the golden with participant_id
make_people() {
    awk -F'\t' 'BEGIN{OFS="\t"} {print (NR==1?"participant_id":sprintf("sub-%02d",NR-1)), $0}' "$GOLDEN/glm_maps.tsv" > maps.tsv
    awk -F'\t' 'BEGIN{OFS="\t"} {print (NR==1?"participant_id":sprintf("sub-%02d",NR-1)), (NR==1?"group":($1==1?"patient":"control")), $3}' \
        "$GOLDEN/glm_people.tsv" > people.tsv
}

@test "people: two groups with a covariate, one group, images" {
    make_people
    three=("--contrast" "illness=group=patient - group=control" "--contrast" "age=age" "--contrast" "either=group=patient; group=control")
    "$NEPENTHE" glm maps.tsv --design people.tsv "${three[@]}" -o out.tsv
    run as_golden ols out.tsv "$GOLDEN/glm_second.tsv"
    [ "$output" = 21 ]
    run "$PYTHON" -c 'import json; g=json.load(open("out.json"))["Glm"]; print(g["level"], g["designs"][0]["columns"])'
    [ "$output" = "second ['group=control', 'group=patient', 'age']" ]
    # one group: the mean at the mean age is a t test of what age leaves
    "$NEPENTHE" glm maps.tsv --design people.tsv --columns age --centre --contrast mean=intercept -o mean.tsv
    run "$PYTHON" - <<'PY'
import csv
rows = list(csv.DictReader(open("maps.tsv"), delimiter="\t"))
mean = sum(float(r["r2"]) for r in rows) / len(rows)
got = [float(r["effect"]) for r in csv.DictReader(open("mean.tsv"), delimiter="\t") if r["region"] == "r2"][0]
print(abs(got - mean) < 1e-7)
PY
    [ "$output" = True ]
    # people in another order, one without an age, one who has no data
    { head -1 people.tsv; tail -n +2 people.tsv | tac; printf 'sub-99\tpatient\t30\n'; } | awk -F'\t' 'BEGIN{OFS="\t"} $1=="sub-03"{$3="n/a"} {print}' > mixed.tsv
    run "$NEPENTHE" glm maps.tsv --design mixed.tsv --contrast age=age
    [[ "$output" == *"left out 0 participants who are not in 'mixed.tsv' and 1 who lack a value there"* ]]
    [ "$(echo "$output" | awk -F'\t' '$1=="r0"{print $8}')" = 11 ]
    need_nibabel
    "$PYTHON" - <<'PY'
import csv, nibabel as nib, numpy as np
for r in csv.DictReader(open("maps.tsv"), delimiter="\t"):
    x = np.zeros((4, 2, 1), np.float32, order="F")
    x.reshape(-1, order="F")[:7] = [float(r[f"r{k}"]) for k in range(7)]
    nib.save(nib.Nifti1Image(x, np.diag([3, 3, 3, 1])), f"{r['participant_id']}_effect.nii.gz")
PY
    "$NEPENTHE" glm sub-*_effect.nii.gz --design people.tsv "${three[@]}" -o vox -q
    run "$PYTHON" - <<'PY'
import csv, nibabel as nib, numpy as np
want = [float(r["stat"]) for r in csv.DictReader(open("out.tsv"), delimiter="\t") if r["contrast"] == "either"]
got = nib.load("vox_either_f.nii.gz").get_fdata().ravel(order="F")
print(np.allclose(got[:7], want, rtol=1e-6), np.isnan(got[7]))
PY
    [ "$output" = "True True" ]
}

@test "one JSON document" {
    run bash -c "'$NEPENTHE' glm '$GOLDEN/glm_series.tsv' --tr 2 --events '$GOLDEN/glm_events.tsv' --contrast f=face --json -q | $PYTHON -c 'import json,sys; d=json.load(sys.stdin); print(d[\"schema\"], len(d[\"rows\"]), d[\"rows\"][3][\"z\"], d[\"Glm\"][\"contrasts\"][0][\"formula\"])'"
    [ "$output" = "nepenthe/glm/1 12 None face" ]
}

@test "bad input: one sentence, the exit code, nothing written" {
    series="$GOLDEN/glm_series.tsv" events="$GOLDEN/glm_events.tsv"
    refused 64 "--contrast NAME=FORMULA is needed" "$NEPENTHE" glm "$series" --tr 2 --events "$events" -o out.tsv
    refused 64 "is not NAME=FORMULA" "$NEPENTHE" glm "$series" --tr 2 --events "$events" --contrast face -o out.tsv
    refused 64 "given twice" "$NEPENTHE" glm "$series" --tr 2 --events "$events" --contrast a=face --contrast a=house -o out.tsv
    refused 64 "not estimable: the design of '$series' has no column 'fase'; did you mean 'face'?" \
        "$NEPENTHE" glm "$series" --tr 2 --events "$events" --contrast a='fase - house' -o out.tsv
    refused 64 "does not say its repetition time; give --tr S" "$NEPENTHE" glm "$series" --events "$events" --contrast a=face -o out.tsv
    refused 64 "has no BIDS events.tsv beside it" "$NEPENTHE" glm "$series" --tr 2 --contrast a=face -o out.tsv
    refused 65 "event 4, 'cat 2-back' at 24 s for 11.3 s, lies outside the run, which lasts 12 s" \
        "$NEPENTHE" glm "$series" --tr 0.1 --events "$events" --contrast a=face -o out.tsv --drift none
    awk -F'\t' 'BEGIN{OFS="\t"} {print $0, (NR==1?"twice":sprintf("%.17g",2*$1))}' "$GOLDEN/glm_confounds.tsv" > twice.tsv
    run "$NEPENTHE" glm "$series" --tr 2 --events "$events" --confounds twice.tsv --contrast a=face -o out.tsv
    [ "$status" -eq 65 ]
    [[ "$output" == *"is singular: 'csf' is a linear combination of 'twice'; leave one of them out"* ]]
    refused 65 "'csf' is a linear combination of 'twice'; leave one of them out (not estimable: contrast 'a')" \
        "$NEPENTHE" glm "$series" --tr 2 --events "$events" --confounds twice.tsv --contrast a=csf -o out.tsv
    head -50 "$GOLDEN/glm_confounds.tsv" > short.tsv
    refused 65 "'short.tsv' has 49 rows" "$NEPENTHE" glm "$series" --tr 2 --events "$events" --confounds short.tsv --contrast a=face -o out.tsv
    refused 65 "has 49 rows" "$NEPENTHE" glm "$series" --design short.tsv --contrast a=csf -o out.tsv
    printf 'onset\tduration\ttrial_type\n1\t-1\tface\n' > bad.tsv
    refused 65 "line 2: a duration of -1 s" "$NEPENTHE" glm "$series" --tr 2 --events bad.tsv --contrast a=face -o out.tsv
    refused 64 "--events names 2 files for 1 runs" "$NEPENTHE" glm "$series" --tr 2 --events "$events,$events" --contrast a=face -o out.tsv
    refused 64 "takes no --events" "$NEPENTHE" glm "$series" --tr 2 --events "$events" --design short.tsv --contrast a=face -o out.tsv
    sed '1s/r3/x3/' "$series" > other.tsv
    refused 65 "has a region 'x3' that" "$NEPENTHE" glm "$series" other.tsv --tr 2 --events "$events,$events" --contrast a=face -o out.tsv
    make_people
    refused 64 "people have no order" "$NEPENTHE" glm maps.tsv --design people.tsv --noise ar1 --contrast a=age -o out.tsv
    refused 64 "has no column 'group=pateint'; did you mean 'group=patient'?" "$NEPENTHE" glm maps.tsv --design people.tsv --contrast a=group=pateint -o out.tsv
    awk -F'\t' 'BEGIN{OFS="\t"} {print $0, (NR==1?"months":12*$3)}' people.tsv > singular.tsv
    refused 65 "'age' is a linear combination of 'months'" "$NEPENTHE" glm maps.tsv --design singular.tsv --contrast a=age -o out.tsv
    { cat people.tsv; tail -1 people.tsv; } > double.tsv
    refused 65 "stands in rows 16 and 17" "$NEPENTHE" glm maps.tsv --design double.tsv --contrast a=age -o out.tsv
    sed 's/sub-/person-/' people.tsv > strangers.tsv
    refused 65 "no participant of the data" "$NEPENTHE" glm maps.tsv --design strangers.tsv --contrast a=age -o out.tsv
    need_nibabel
    make_run
    image=sub-01_task-x_run-1_space-Y_desc-preproc_bold.nii.gz
    refused 65 "another grid" "$NEPENTHE" glm $image small.nii.gz --events "$events,$events" --contrast a=face -o out.x
    refused 64 "images need -o PREFIX" "$NEPENTHE" glm $image --contrast a=face
    refused 64 "no_tr.nii.gz' does not say its repetition time" "$NEPENTHE" glm no_tr.nii.gz --events "$events" --contrast a=face -o out.x
    refused 64 "all images or all tables" "$NEPENTHE" glm $image "$series" --events "$events,$events" --contrast a=face -o out.x
    refused 65 "one volume" "$NEPENTHE" glm mask.nii.gz --tr 2 --events "$events" --contrast a=face -o out.x
}
