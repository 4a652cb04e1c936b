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
    refused 64 "tangent" "$NEPENTHE" connectivity short.tsv --kind tangent -o out.tsv
}

@test "a missing region is n/a and stays in its place" {
    awk 'BEGIN{OFS="\t"} NR>1{$3="n/a"} {$1=$1; print}' "$GOLDEN/connectivity_series_1.tsv" > holes.tsv
    "$NEPENTHE" connectivity holes.tsv > got.tsv
    [ "$(cut -f4 got.tsv | sort -u | tr '\n' ' ')" = "R2 n/a " ]
    [ "$(sed -n 2p got.tsv | cut -f2,3)" = "$(sed -n 2p "$GOLDEN/connectivity_pearson.tsv" | awk '{printf "%.9g\t%.9g", $2, $3}')" ]
}
