#!/usr/bin/env bats
# connectivity: matrices of one and of many series.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

@test "each kind is the reference's" {
    s="$GOLDEN/connectivity_series_1.tsv"
    for k in pearson partial covariance precision; do
        "$NEPENTHE" connectivity "$s" --kind $k > got.tsv
        table_close got.tsv "$GOLDEN/connectivity_$k.tsv" 1e-8
    done
    "$NEPENTHE" connectivity "$s" --fisher-z -o out.tsv
    table_close out.tsv "$GOLDEN/connectivity_fisher_z.tsv" 1e-8
    grep -q '"Measure": "pearson"' out.json
    [ "$(head -1 out.tsv | cut -f1-2)" = "$(printf 'Node\tR0')" ]
}

@test "many series: one matrix each; one that fails does not stop the rest" {
    cp "$GOLDEN"/connectivity_series_*.tsv .
    mv connectivity_series_1.tsv sub-01_timeseries.tsv
    printf 'a\tb\n1\tx\n' > broken.tsv
    run "$NEPENTHE" connectivity sub-01_timeseries.tsv broken.tsv connectivity_series_2.tsv -o all
    [ "$status" -eq 1 ]
    [[ "$output" == *"failed: broken.tsv"* ]]
    [ "$(ls all/*.tsv | wc -l)" -eq 2 ]
    table_close all/sub-01_relmat.tsv "$GOLDEN/connectivity_pearson.tsv" 1e-8
    run "$NEPENTHE" connectivity sub-01_timeseries.tsv connectivity_series_2.tsv
    [ "$status" -eq 64 ]
}

@test "no inverse is said, not shrunk away" {
    head -8 "$GOLDEN/connectivity_series_1.tsv" > short.tsv
    refused 65 "fewer regions" "$NEPENTHE" connectivity short.tsv --kind partial -o out.tsv
    refused 64 "Fisher z" "$NEPENTHE" connectivity short.tsv --kind covariance --fisher-z -o out.tsv
    refused 64 "several series" "$NEPENTHE" connectivity short.tsv --kind tangent -o out.tsv
}

@test "shrinkage is asked for, and its intensity is written" {
    s="$GOLDEN/connectivity_series_1.tsv"
    for k in partial covariance precision; do
        "$NEPENTHE" connectivity "$s" --kind $k --shrinkage ledoit-wolf -o out.tsv
        table_close out.tsv "$GOLDEN/connectivity_${k}_ledoit_wolf.tsv" 1e-8
    done
    "$NEPENTHE" connectivity "$s" --shrinkage ledoit-wolf -o out.tsv
    table_close out.tsv "$GOLDEN/connectivity_pearson_ledoit_wolf_zscored.tsv" 1e-8
    run python3 -c 'import json; d = json.load(open("out.json")); print(d["Shrinkage"], round(d["ShrinkageIntensity"], 6))'
    [ "$output" = "ledoit-wolf 0.095557" ]
    head -7 "$s" > short.tsv
    "$NEPENTHE" connectivity short.tsv --kind partial --shrinkage ledoit-wolf > partial.tsv
    ! grep -q n/a partial.tsv
}

@test "tangent: every series from the mean of all, whatever the order of its columns; all or nothing" {
    cp "$GOLDEN"/connectivity_series_[123].tsv .
    awk 'BEGIN{FS=OFS="\t"} {x=$1; $1=$5; $5=x; print}' "$GOLDEN/connectivity_series_2.tsv" > connectivity_series_2.tsv
    "$NEPENTHE" connectivity connectivity_series_[123].tsv --kind tangent -o all
    for s in 1 2 3; do
        table_close all/connectivity_series_${s}_relmat.tsv "$GOLDEN/connectivity_tangent_$s.tsv" 1e-5
    done
    table_close all/group_desc-mean_relmat.tsv "$GOLDEN/connectivity_tangent_mean.tsv" 1e-5
    cut -f1-7 connectivity_series_3.tsv > narrow.tsv
    sed '1s/R3/other/' connectivity_series_3.tsv > renamed.tsv
    refused 65 "7 regions where" "$NEPENTHE" connectivity connectivity_series_1.tsv narrow.tsv --kind tangent -o out.d
    refused 65 "no region 'R3'" "$NEPENTHE" connectivity connectivity_series_1.tsv renamed.tsv --kind tangent -o out.d
    head -8 connectivity_series_3.tsv > short.tsv
    refused 65 "covariance 2 of 8 regions" "$NEPENTHE" connectivity connectivity_series_1.tsv short.tsv --kind tangent -o out.d
    "$NEPENTHE" connectivity connectivity_series_1.tsv short.tsv --kind tangent --shrinkage ledoit-wolf -o shrunk
    [ "$(ls shrunk/*.tsv | wc -l)" -eq 3 ]
}

@test "a missing region is n/a and stays in its place" {
    awk 'BEGIN{OFS="\t"} NR>1{$3="n/a"} {$1=$1; print}' "$GOLDEN/connectivity_series_1.tsv" > holes.tsv
    "$NEPENTHE" connectivity holes.tsv > got.tsv
    [ "$(cut -f4 got.tsv | sort -u | tr '\n' ' ')" = "R2 n/a " ]
    [ "$(sed -n 2p got.tsv | cut -f2,3)" = "$(sed -n 2p "$GOLDEN/connectivity_pearson.tsv" | awk '{printf "%.9g\t%.9g", $2, $3}')" ]
}
