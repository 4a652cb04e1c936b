#!/usr/bin/env bats
# What an evaluation refuses because the truth could be read, and what it says of inputs that it cannot use.

setup() {
    DIR=$(mktemp -d)
    cd "$DIR" || return 1
    {
        printf 'drug_id\tname\n'
        awk 'BEGIN { for (k = 0; k < 40; k++) printf "X:%02d\tdrug%02d\n", k, k }'
    } >drugs.tsv
    {
        printf 'drug_id\tdisorder\tstatus\tsource\n'
        awk 'BEGIN { for (k = 0; k < 24; k++) printf "X:%02d\tDOID:%d\tapproved\tregister\n", k, 1 + k % 4 }'
    } >labels.tsv
    {
        printf 'drug_id\tdisorder\tyear\tvalue\tsource\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 40; k++) for (j = 1; j <= 4; j++) printf "X:%02d\tDOID:%d\t2010\t%d\tindex\tCC0\n", k, j, (k * 13 + j * 5) % 9 }'
    } >papers.tsv
    printf 'source\ttarget\n' | tee CbG.tsv DaG.tsv >CtD.tsv
    awk 'BEGIN { for (k = 0; k < 38; k++) for (g = 0; g < 12; g++) if ((k * 5 + g * 7) % 11 < 3) printf "X:%02d\tg%d\n", k, g }' >>CbG.tsv
    awk 'BEGIN { for (j = 1; j <= 4; j++) for (g = 0; g < 12; g++) if ((j * 3 + g * 5) % 7 < 3) printf "DOID:%d\tg%d\n", j, g }' >>DaG.tsv
    awk 'BEGIN { for (k = 0; k < 24; k++) printf "X:%02d\tDOID:%d\n", k, 1 + k % 4 }' >>CtD.tsv
    printf 'schema: nepenthe/network/1\nname: small\nmetaedges: [{id: CbG, edges: CbG.tsv}, {id: DaG, edges: DaG.tsv}, {id: CtD, edges: CtD.tsv}]\n' >network.yaml
    cat >study.yaml <<'YAML'
schema: nepenthe/study/1
name: leaks
disorders: [{id: "DOID:1", name: first}, {id: "DOID:2", name: second}, {id: "DOID:3", name: third}, {id: "DOID:4", name: fourth}]
drugs: drugs.tsv
labels: labels.tsv
network: network.yaml
evidence:
  - {channel: literature, table: papers.tsv, reference_year: 2012}
primary: {channels: [literature, target_gene, other_uses]}
evaluate: {protocols: [masked, zero_shot], negatives: [all], bootstrap: 20}
YAML
}

teardown() {
    rm -rf "$DIR"
}

evaluates() { # words that it says
    run "$NEPENTHE" evaluate study.yaml -o out --redraws 20
    [ "$status" -eq 0 ]
    [[ "$output" == *"$1"* ]]
}

# The checks of evaluation.json: name, channel, disorder and other of each, a line each.
checks() {
    python3 -c 'import json; [print(c["check"], c["channel"], c["disorder"], c["other"]) for c in json.load(open("out/evaluation.json"))["checks"]]'
}

@test "a study without any of these says nothing" {
    evaluates ""
    ! grep "warning" <<<"$output" | grep -qv "is left out: the study lacks what it needs"
    [ -z "$(checks)" ]
}

@test "a table that shares a source with the labels is refused by name" {
    sed -i '4s/index/Register, 2nd edition/' papers.tsv
    for command in evaluate rank; do
        run "$NEPENTHE" $command study.yaml -o out --redraws 20
        [ "$status" -eq 78 ]
        [ "$(grep -vc '^warning' <<<"$output")" -eq 1 ]
        [[ "$output" == *"the table of channel literature and the labels share the source 'Register, 2nd edition'; a table cannot be masked"* ]]
        [ ! -e out ]
    done
    sed -i 's/literature, target_gene/target_gene/' study.yaml # the table is there and no channel of the ranking reads it
    evaluates ""
    sed -i 's/target_gene, other/literature, target_gene, other/; s/papers.tsv, reference/papers.tsv, labels_from: register, reference/' study.yaml
    sed -i '4s/Register, 2nd edition/index/' papers.tsv
    run "$NEPENTHE" evaluate study.yaml -o out2 --redraws 20
    [ "$status" -eq 78 ]
    [[ "$output" == *"share the source 'register'"* ]]
}

@test "a table made of the labels under another name is found by how well it does" {
    awk -F'\t' 'NR == FNR { truth[$1 FS $2]; next } FNR > 1 { $4 = ($1 FS $2) in truth ? 40 : 1 } { OFS = FS; print }' labels.tsv papers.tsv >made && mv made papers.tsv
    evaluates "channel literature reads no label and yet tells the 6 recorded treatments of first from all other drugs"
    [ "$(checks | grep -c '^truth literature DOID:[1-4] None$')" -eq 4 ]
    grep -q "reads no label and yet tells" out/evaluation.html
}

@test "labels of a disorder that another disorder gives away are said" {
    sed 's/DOID:1\t/DOID:9\t/' labels.tsv | grep 'DOID:9' | head -5 >>labels.tsv
    sed -i 's/, {id: "DOID:4"/, {id: "DOID:9", name: ninth, role: context}, {id: "DOID:4"/' study.yaml
    printf 'DOID:9\tg1\n' >>DaG.tsv
    evaluates "first (DOID:1) and ninth (DOID:9) look like one disorder: they share 5 of 6 recorded treatments"
    [ "$(checks)" = "twin None DOID:1 DOID:9" ]
    sed -i 's/, other_uses//' study.yaml # without a channel that reads other disorders nothing is reached
    rm -r out
    evaluates ""
    [ -z "$(checks)" ]
    sed -i 's/target_gene/target_gene, other_uses/; s/name: ninth/name: Second/' study.yaml
    sed -i '/DOID:9/d' labels.tsv
    printf 'X:30\tDOID:9\tapproved\tregister\n' >>labels.tsv
    rm -r out
    evaluates "second (DOID:2) and Second (DOID:9) look like one disorder by their name: they share 0 of 7"
}

@test "disorders without labels, constant and silent channels are said" {
    sed -i '/DOID:3/d' labels.tsv
    evaluates "third (DOID:3): the labels record no treatment, so that no protocol measures it"
    [ "$(checks)" = "unlabelled None DOID:3 None" ]
    sed -i 's/\t2010\t[0-9]*\t/\t2010\t3\t/' papers.tsv
    awk 'NR == 1 || /X:39/' CbG.tsv >none && printf 'X:39\tg99\n' >>none && mv none CbG.tsv
    printf 'DOID:1\tg98\n' >DaG2.tsv && cat DaG2.tsv >>DaG.tsv
    rm -r out
    evaluates "channel literature is constant: in every disorder it has one value for all drugs that it speaks of; it tells no drug from another"
    checks | grep -q "^constant literature None None$"
    checks | grep -q "^constant target_gene None None$"
}

@test "unknown ids and repeated rows of the labels are counted and named" {
    printf 'Y:1\tDOID:1\tapproved\tregister\nX:01\tDOID:8\tapproved\tregister\nX:00\tDOID:1\tfailed\tregister\nX:04\tDOID:1\tapproved\tregister\n' >>labels.tsv
    evaluates "labels.tsv: 1 rows are of drugs that the study does not have and are left out (first: Y:1)"
    [[ "$output" == *"labels.tsv: 1 rows are of disorders that the study does not have and are left out (first: DOID:8)"* ]]
    [[ "$output" == *"labels.tsv: 2 rows name a drug and disorder that an earlier row names (first: line 28), 1 of them with another status"* ]]
    sed -i '1!s/^X/Z/' labels.tsv
    run "$NEPENTHE" evaluate study.yaml -o out2 --redraws 20
    [ "$status" -eq 78 ]
    [[ "$output" == *"there is nothing to evaluate against"* ]]
    [ ! -e out2 ]
}

@test "edges that stand twice or lead back are counted, and refused where the network is strict" {
    printf 'X:00\tg0\nX:00\tg0\n' >>CbG.tsv
    printf 'source\ttarget\ng1\tg2\ng2\tg1\ng3\tg3\n' >GiG.tsv
    sed -i 's/edges: DaG.tsv}/edges: DaG.tsv}, {id: GiG, edges: GiG.tsv}/' network.yaml
    evaluates "CbG.tsv: "
    [[ "$output" == *"CbG.tsv: "*" rows left out: the edge stands there already"* ]]
    [[ "$output" == *"GiG.tsv: "*"itself"* ]]
    sed -i 's/^name: small/name: small\nstrict: true/' network.yaml
    run "$NEPENTHE" evaluate study.yaml -o out2 --redraws 20
    [ "$status" -eq 65 ]
    [[ "$output" == *"CbG.tsv"* ]]
    [ ! -e out2 ]
    printf 'A:1\n' >>CbG.tsv
    run "$NEPENTHE" evaluate study.yaml -o out2 --redraws 20
    [ "$status" -eq 65 ]
}

@test "of a simulated disorder it is the simulated truth that has no drug, whatever the labels record" {
    "$NEPENTHE" demo -o demo-out >said 2>&1
    grep -q "SIM:B.approved" demo-out/labels.tsv
    grep -qF "Simulated disorder B (SIM:B): by the simulated truth no drug is relevant, so that no protocol measures it" said
    ! grep -q "record no treatment" said
}
