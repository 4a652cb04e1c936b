#!/usr/bin/env bats
# Evidence tables of a study: what is read, what is said of rows that do not fit, what is refused.

setup() {
    DIR=$(mktemp -d)
    cd "$DIR" || return 1
    {
        printf 'drug_id\tname\n'
        awk 'BEGIN { for (k = 0; k < 30; k++) printf "X:%02d\tdrug%02d\n", k, k }'
    } >drugs.tsv
    {
        printf 'drug_id\tdisorder\tstatus\tsince\tsource\n'
        awk 'BEGIN { for (k = 0; k < 14; k++) printf "X:%02d\tDOID:%d\tapproved\tn/a\tregister\n", k, 1 + k % 2 }'
    } >labels.tsv
    {
        printf 'drug_id\tdisorder\trater\tvote\tnote\tsource\tlicence\n'
        awk 'BEGIN { split("DM SYM NOT", w, " "); for (k = 0; k < 30; k++) for (r = 0; r < 3; r++)
            printf "X:%02d\tDOID:1\tR%d\t%s\tn/a\tpanel\tCC0\n", k, r, w[(k + ((k * 7 + r * 5) % 11 > 8)) % 3 + 1] }'
    } >votes.tsv
    {
        printf 'drug_id\tdisorder\tyear\tvalue\tsource\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 30; k++) for (j = 1; j <= 2; j++) printf "X:%02d\tDOID:%d\t%d\t%d\tindex\tCC BY 4.0\n", k, j, 2000 + k % 9, (k * 13 + j) % 7 }'
    } >papers.tsv
    cat >study.yaml <<'YAML'
schema: nepenthe/study/1
name: tables
disorders: [{id: "DOID:1", name: first}, {id: "DOID:2", name: second}]
drugs: drugs.tsv
labels: labels.tsv
evidence:
  - {channel: expert_votes, table: votes.tsv}
  - {channel: literature, table: papers.tsv, half_life: 4, reference_year: 2010}
primary: {channels: [expert_votes, literature]}
evaluate: {protocols: [masked], negatives: [all], bootstrap: 20}
YAML
}

teardown() {
    rm -rf "$DIR"
}

refused() { # exit code, words
    run "$NEPENTHE" rank study.yaml -o out --redraws 20
    [ "$status" -eq "$1" ]
    [[ "$output" == *"$2"* ]]
    [ ! -e out ]
}

@test "tables vote, and their rows stand in the explanations" {
    run "$NEPENTHE" rank study.yaml -o out --redraws 20
    [ "$status" -eq 0 ]
    grep -q "voted approved; line 2, CC0" out/report.html
    grep -q "papers of 200" out/report.html
    head -1 out/candidates.tsv | grep -q "expert_votes	literature"
}

@test "rows of unknown drugs and disorders are counted and named" {
    printf 'Y:1\tDOID:1\t2001\t3\tindex\tCC0\nY:2\tDOID:1\t2001\t3\tindex\tCC0\nX:01\tDOID:9\t2001\t3\tindex\tCC0\n' >>papers.tsv
    run "$NEPENTHE" rank study.yaml -o out --redraws 20
    [ "$status" -eq 0 ]
    [[ "$output" == *"2 rows are of drugs that the study does not have and are left out (first: Y:1, Y:2)"* ]]
    [[ "$output" == *"1 rows are of disorders that the study does not have and are left out (first: DOID:9)"* ]]
}

@test "rows that do not fit are refused with their line" {
    cp papers.tsv kept.tsv
    printf 'X:00\tDOID:1\t2000\t3\tindex\tCC0\n' >>papers.tsv
    refused 65 "stands there twice"
    sed '2s/\t[0-9]*\tindex/\tinf\tindex/' kept.tsv >papers.tsv
    refused 65 "line 2: value is infinite"
    sed '3s/\t[0-9]*\tindex/\t2.5\tindex/' kept.tsv >papers.tsv
    refused 65 "line 3: value is 2.5, must be a whole number of papers"
    sed '4s/CC BY 4.0/42/' kept.tsv >papers.tsv
    refused 65 "line 4, column 'licence': '42' is no licence"
    cut -f1-5 kept.tsv >papers.tsv
    refused 65 "column 'licence'"
    cut -f1-4,6 kept.tsv >papers.tsv
    refused 65 "column 'source'"
    sed 's/X:/Z:/' kept.tsv >papers.tsv
    refused 65 "no row is of a drug and a disorder of the study"
    cp kept.tsv papers.tsv
    sed -i '2s/\tNOT\t\|\tDM\t\|\tSYM\t/\tmaybe\t/' votes.tsv
    refused 65 "line 2: vote is 'maybe'"
}

@test "a sidecar gives the licence, and labels_from the source" {
    cut -f1-4 papers.tsv >less && mv less papers.tsv
    echo '{"licence": "CC0"}' >papers.json
    sed -i 's/half_life: 4/labels_from: my desk, half_life: 4/' study.yaml
    run "$NEPENTHE" rank study.yaml -o out --redraws 20
    [ "$status" -eq 0 ]
}

@test "keys that do not fit are refused" {
    cp study.yaml kept.yaml
    sed 's/channel: literature/channel: literatur/' kept.yaml | sed 's/, half_life: 4, reference_year: 2010//' >study.yaml
    refused 78 "evidence channel 'literatur' is none"
    sed 's/channel: literature, table: papers.tsv/channel: record_signal, table: papers.tsv/' kept.yaml >study.yaml
    refused 78 "half_life and reference_year belong to literature"
    sed 's/channels: \[expert_votes, literature\]/channels: [assay_potency]/' kept.yaml >study.yaml
    refused 78 "channel assay_potency needs its evidence table (key evidence)"
    sed 's/^evidence:/evidence: votes.tsv/; /^  - /d' kept.yaml >study.yaml
    refused 78 "evidence must be a list"
}

@test "gene signatures vote: drugs as sets and as lists, and what does not fit is refused" {
    {
        printf 'disorder\tgene\tlog2fc\tse\tlicence\n'
        awk 'BEGIN { for (j = 1; j <= 2; j++) for (g = 0; g < 80; g++) printf "DOID:%d\tG%02d\t%.3f\t0.1\tCC0\n", j, g, sin(g * (j + 0.3)) }'
    } >disorders.tsv
    {
        printf 'drug_id\tgene\tdirection\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 30; k++) for (g = k % 3; g < 80; g += 4 + k % 3) printf "X:%02d\tG%02d\t%s\tCC0\n", k, g, (sin(g * 1.3) + cos(k * g) / 2 > 0) ? "down" : "up" }'
    } >sets.tsv
    echo 'signatures: {disorders: disorders.tsv, drugs: sets.tsv}' >>study.yaml
    sed -i 's/channels: \[expert_votes, literature\]/channels: [reversal_wtcs, reversal_xsum, reversal_cosine]/' study.yaml
    cp study.yaml kept.yaml
    run "$NEPENTHE" rank study.yaml -o sets --redraws 20
    [ "$status" -eq 0 ]
    grep -q "enrichment" sets/report.html
    sed 's/direction/z/; s/\tup\t/\t1.5\t/; s/\tdown\t/\t-2\t/' sets.tsv >lists.tsv
    sed 's/drugs: sets.tsv/drugs: lists.tsv/' kept.yaml >study.yaml
    run "$NEPENTHE" rank study.yaml -o lists --redraws 20
    [ "$status" -eq 0 ]
    grep -q "genes of the disorder" lists/report.html
    cp kept.yaml study.yaml
    cp sets.tsv good.tsv
    printf 'X:00\tG00\tup\tCC0\n' >>sets.tsv
    refused 65 "gene G00 of X:00 stands there twice (line 2)"
    sed '3s/\tup\t\|\tdown\t/\tsideways\t/' good.tsv >sets.tsv
    refused 65 "line 3: direction is 'sideways'"
    sed 's/\tG/\t1/' good.tsv >sets.tsv
    refused 65 "have no gene of the study's disorders and drugs in common"
    cut -f1-3 good.tsv >sets.tsv
    refused 65 "licence"
    cp good.tsv sets.tsv
    sed -i '2s/0.1/0/' disorders.tsv
    refused 65 "line 2: se is 0, must be above 0"
    grep -v '^signatures' kept.yaml >study.yaml
    refused 78 "channel reversal_wtcs needs gene signatures of disorders and drugs (key signatures)"
}
