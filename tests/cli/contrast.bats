#!/usr/bin/env bats
# contrast: two groups with covariates, from a table and from images.

setup() {
    cd "$BATS_TEST_TMPDIR"
    GOLDEN="$BATS_TEST_DIRNAME/../golden"
    # the golden table has no participants: name them, and turn the design's order round
    awk 'BEGIN{OFS="\t"} {print (NR==1 ? "participant_id" : sprintf("sub-%02d", NR-1)), $0}' "$GOLDEN/contrast_table.tsv" > table.tsv
    awk 'BEGIN{OFS="\t"} {print (NR==1 ? "participant_id" : sprintf("sub-%02d", NR-1)), $0}' "$GOLDEN/contrast_design.tsv" > ordered.tsv
    { head -1 ordered.tsv; tail -n +2 ordered.tsv | sort -r; } > design.tsv
}

# g, t and se of the output beside those of the reference, joined by region
compare_with() {
    awk -F'\t' -v want="$1" 'NR==FNR{if($1==want){t[$2]=$4; g[$2]=$6; se[$2]=$9; df[$2]=$3} next}
        FNR>1{n++; for(k=1;k<=4;k++){a=(k==1?$6:k==2?$2:k==3?$3:$7); b=(k==1?t[$1]:k==2?g[$1]:k==3?se[$1]:df[$1]);
            d=a-b; if(d<0)d=-d; if(d>2e-6)bad++}} END{print n, bad+0}' "$GOLDEN/contrast_effects.tsv" out.tsv
}

@test "the reference's g, t and se, with and without covariates, joined by name" {
    "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-control --n 99 > out.tsv
    run head -1 out.tsv
    [ "$output" = "$(printf 'region\tg\tse\tlow\thigh\tt\tdf\tp\tp_fwe\tn1\tn2\tcontrast')" ]
    run compare_with age+sex
    [ "$output" = "6 0" ]
    "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-control --covariates none --n 99 > out.tsv
    run compare_with none
    [ "$output" = "6 0" ]
}

@test "the same bytes for any number of threads; another seed gives other p" {
    "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-control --n 999 --threads 1 > one.tsv
    "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-control --n 999 --threads 5 > two.tsv
    "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-control --n 999 --seed 7 > three.tsv
    cmp one.tsv two.tsv
    ! cmp -s one.tsv three.tsv
}

@test "few people: all distinct relabelings, and it says so" {
    awk 'BEGIN{OFS="\t"} {print (NR==1 ? "participant_id" : "s" NR-1), $0}' "$GOLDEN/contrast_small.tsv" > small.tsv
    { printf 'participant_id\tgroup\n'; for i in 1 2 3 4; do printf 's%d\ta-b\n' $i; done; for i in 5 6 7 8; do printf 's%d\tc\n' $i; done; } > d.tsv
    "$NEPENTHE" contrast small.tsv --design d.tsv --contrast x=group:a-b-c -o out.tsv 2> talk
    grep -q '4 a-b, 4 c, df 6; all 70 distinct relabelings were used' talk
    run awk -F'\t' 'NR>1{printf "%d ", 70*$8+0.5}' out.tsv
    [ "$output" = "18 18 8 6 4 2 " ]
    run python3 -c 'import json; d=json.load(open("out.json")); print(d["contrast"][0]["exhaustive"], d["contrast"][0]["relabelings"], d["seed"])'
    [ "$output" = "True 70 0" ]
}

@test "words become columns, people without a covariate are left out and counted" {
    awk -F'\t' 'BEGIN{OFS="\t"} {print $1,$2,(NR==1?"site":(NR%3?"north":"south")),(NR==4?"n/a":$3)}' design.tsv > d.tsv
    run "$NEPENTHE" contrast table.tsv --design d.tsv --contrast ill=group:patient-control --n 0
    [ "$status" -eq 0 ]
    [[ "$output" == *"left out 0 participants who are not in the design, 0 in neither group, 1 without a covariate"* ]]
    [[ "$output" == *"df 12;"* ]] # 16 people, intercept, group, site=south, age
}

@test "a region with a missing value is n/a, with a warning" {
    awk -F'\t' 'BEGIN{OFS="\t"} NR==5{$3="n/a"} {print}' table.tsv > holes.tsv
    "$NEPENTHE" contrast holes.tsv --design design.tsv --contrast ill=group:patient-control --n 99 > out.tsv 2> talk
    grep -q "1 of 6 columns (first: 'L_r1') have a missing value" talk
    run awk -F'\t' 'NR==3{print $1,$2,$8,$9}' out.tsv
    [ "$output" = "L_r1 n/a n/a n/a" ]
}

@test "singular and inestimable designs name their columns; nothing is written" {
    awk -F'\t' 'BEGIN{OFS="\t"} {print $0,(NR==1?"months":12*$3)}' design.tsv > d.tsv
    run "$NEPENTHE" contrast table.tsv --design d.tsv --contrast ill=group:patient-control -o out.tsv
    [ "$status" -eq 65 ]
    [[ "$output" == *"'months' is a linear combination of 'age'"* ]]
    awk -F'\t' 'BEGIN{OFS="\t"} {print $1,$2,(NR==1?"scanner":($2=="patient"?"A":"B"))}' design.tsv > d.tsv
    run "$NEPENTHE" contrast table.tsv --design d.tsv --contrast ill=group:patient-control -o out.tsv
    [ "$status" -eq 65 ]
    [[ "$output" == *"not estimable"*"'scanner=B'"* ]]
    [ ! -e out.tsv ]
}

@test "bad words: exit codes and sentences" {
    run "$NEPENTHE" contrast table.tsv --design design.tsv --contrast group
    [ "$status" -eq 64 ]
    run "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-controls
    [ "$status" -eq 64 ]
    [[ "$output" == *"column 'group', which has 'control', 'patient'"* ]]
    run "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=gruop:patient-control
    [[ "$output" == *"group"* ]]
    [ "$status" -ne 0 ]
    run "$NEPENTHE" contrast table.tsv table.tsv --design design.tsv --contrast ill=group:patient-control
    [ "$status" -eq 64 ]
    { cat design.tsv; tail -1 design.tsv; } > twice.tsv
    run "$NEPENTHE" contrast table.tsv --design twice.tsv --contrast ill=group:patient-control
    [ "$status" -eq 65 ]
    sed 's/sub-/person-/' design.tsv > strangers.tsv
    run "$NEPENTHE" contrast table.tsv --design strangers.tsv --contrast ill=group:patient-control
    [ "$status" -eq 65 ]
    [[ "$output" == *"no participant of the data"* ]]
}

@test "images give the numbers of the same values in a table" {
    /usr/bin/python3 -c 'import nibabel' 2>/dev/null || skip "no nibabel"
    /usr/bin/python3 - <<'PY'
import csv, nibabel, numpy as np
rows = list(csv.reader(open("table.tsv"), delimiter="\t"))[1:]
for r in rows:
    x = np.zeros((4, 3, 2), np.float32, order="F")
    x.reshape(-1, order="F")[5:11] = [float(v) for v in r[1:]]
    nibabel.save(nibabel.Nifti1Image(x, np.diag([3, 3, 3, 1])), f"{r[0]}_desc-test.nii.gz")
m = np.zeros((4, 3, 2), np.int16, order="F")
m.reshape(-1, order="F")[5:11] = 1
nibabel.save(nibabel.Nifti1Image(m, np.diag([3, 3, 3, 1])), "mask.nii.gz")
PY
    "$NEPENTHE" contrast table.tsv --design design.tsv --contrast ill=group:patient-control --n 199 > out.tsv
    "$NEPENTHE" contrast sub-*.nii.gz --mask mask.nii.gz --design design.tsv --contrast ill=group:patient-control --n 199 -o vox
    run /usr/bin/python3 - <<'PY'
import csv, nibabel, numpy as np
rows = list(csv.DictReader(open("out.tsv"), delimiter="\t"))
worst, outside = 0, 0
for q, col in dict(g="g", se="se", low="low", high="high", t="t", p="p", pfwe="p_fwe").items():
    x = nibabel.load(f"vox_ill_{q}.nii.gz").get_fdata().reshape(-1, order="F")
    worst = max(worst, max(abs(x[5 + i] - float(r[col])) for i, r in enumerate(rows)))
    outside += int(np.isfinite(np.delete(x, range(5, 11))).sum())
print(worst < 1e-6, outside)
PY
    [ "$output" = "True 0" ]
    [ -e vox.json ]
    run "$NEPENTHE" contrast sub-*.nii.gz --design design.tsv --contrast ill=group:patient-control
    [ "$status" -eq 64 ]
    [[ "$output" == *"-o PREFIX"* ]]
}
