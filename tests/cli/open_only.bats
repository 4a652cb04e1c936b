#!/usr/bin/env bats
# --open-only of rank and evaluate: what is left out of each table, that nothing else changes, and that it is said.

setup() {
    DIR=$(mktemp -d)
    cd "$DIR" || return 1
    {
        printf 'drug_id\tname\tfingerprint\tatc4\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 24; k++) printf "X:%02d\tdrug%02d\t%02x%02x%02x%02x\tN0%dAA\t%s\n", k, k, 17 * (k % 4) + 3, (k * 37) % 256, 85, (k * 11) % 256, k % 4, k % 6 == 5 ? "CC-BY-NC-4.0" : "CC-BY-4.0" }'
    } >drugs.tsv
    {
        printf 'drug_id\tdisorder\tstatus\tsource\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 16; k++) printf "X:%02d\tDOID:%d\tapproved\tregister\t%s\n", k, 1 + k % 2, k % 5 == 4 ? "n/a" : "CC0-1.0" }'
    } >labels.tsv
    {
        printf 'drug_id\tdisorder\tyear\tvalue\tsource\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 24; k++) for (j = 1; j <= 2; j++) printf "X:%02d\tDOID:%d\t%d\t%d\tindex\t%s\n", k, j, 2000 + k % 9, (k * 13 + j) % 7, (k + j) % 7 ? "CC BY 4.0" : "CC BY-NC-SA 4.0" }'
    } >papers.tsv
    {
        printf 'source\ttarget\tsign\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 24; k++) for (g = 0; g < 6; g++) if ((k * 5 + g * 3) % 4 < 2) printf "X:%02d\tg%d\t%d\t%s\n", k, g, (k + g) % 3 - 1, (k + g) % 4 ? "CC0-1.0" : "CC-BY-NC-4.0" }'
    } >CbG.tsv
    {
        printf 'source\ttarget\tlicence\n'
        awk 'BEGIN { for (j = 1; j <= 2; j++) for (g = 0; g < 6; g++) if ((j + g) % 3) printf "DOID:%d\tg%d\t%s\n", j, g, g == 5 ? "ODbL-1.0" : "CC0-1.0" }'
    } >DaG.tsv
    printf 'schema: nepenthe/network/1\nname: small\nmetaedges:\n  - {id: "CbG", edges: CbG.tsv}\n  - {id: "DaG", edges: DaG.tsv}\n' >network.yaml
    cat >study.yaml <<'YAML'
schema: nepenthe/study/1
name: small
disorders: [{id: "DOID:1", name: first}, {id: "DOID:2", name: second}]
drugs: drugs.tsv
labels: labels.tsv
network: network.yaml
evidence: [{channel: literature, table: papers.tsv, reference_year: 2010}]
primary: {channels: [target_gene, literature, analogue]}
evaluate: {protocols: [masked], negatives: [all], bootstrap: 20}
YAML
}

teardown() {
    rm -rf "$DIR"
}

rank() {
    "$NEPENTHE" rank study.yaml -o "$1" --redraws 20 --seed 3 "${@:2}"
}

@test "the same ranking as of tables from which the rows were taken by hand" {
    rank all
    rank open --open-only
    run cmp -s all/candidates.tsv open/candidates.tsv
    [ "$status" -eq 1 ]
    for t in labels papers CbG DaG; do
        awk -F'\t' 'NR == 1 || $NF ~ /^(CC0-1.0|CC BY 4.0)$/' $t.tsv >kept && mv kept $t.tsv
    done
    awk -F'\t' -v OFS='\t' 'NR > 1 && $5 ~ /NC/ { $3 = "n/a" } { print }' drugs.tsv >kept && mv kept drugs.tsv
    rank hand
    cmp open/candidates.tsv hand/candidates.tsv
}

@test "the count of every table stands in evaluation.json, in its page and in the report" {
    run "$NEPENTHE" evaluate study.yaml -o judged --redraws 20 --open-only
    [ "$status" -eq 0 ]
    python3 - <<'PY'
import json
def licence(name):
    rows = [line.rstrip("\n").split("\t")[-1] for line in open(name)][1:]
    return sum(r not in ("CC0-1.0", "CC BY 4.0", "CC-BY-4.0") for r in rows), len(rows)
d = json.load(open("judged/evaluation.json"))
got = {x["table"]: (x["rows"], x["of"]) for x in d["open_only"]["dropped"]}
assert got == {t: licence(t) for t in ("drugs.tsv", "labels.tsv", "papers.tsv", "CbG.tsv", "DaG.tsv")}, got
assert d["provenance"]["open_only"] == d["open_only"]
assert "NC" not in str(d["provenance"]["licence"]) and "ODbL" not in str(d["provenance"]["licence"])
PY
    grep -q "rows of papers.tsv are left out" judged/evaluation.html
    run rank ranked --open-only
    [ "$status" -eq 0 ]
    grep -q "rows of papers.tsv are left out" ranked/report.html
    grep -q '4 drugs lose structure' ranked/report.html
    run "$NEPENTHE" evaluate study.yaml -o plain --redraws 20
    run grep -q open_only plain/evaluation.json
    [ "$status" -eq 1 ]
}

@test "a table of which nothing is left is named, and so is the channel that needed it" {
    sed -i 's/CC BY 4.0$/CC BY-NC 4.0/' papers.tsv
    run rank out --open-only
    [ "$status" -ne 0 ]
    [[ "$output" == *"nothing is left of papers.tsv"* ]]
    [[ "$output" == *literature* ]]
    [ ! -e out ]
    sed -i 's/, literature//' study.yaml
    run rank out --open-only
    [ "$status" -eq 0 ]
    grep -q "nothing is left of papers.tsv" out/report.html
}

@test "maps and receptor maps go by their sidecars, column by column" {
    {
        printf 'region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\tsphere_x\tsphere_y\tsphere_z\n'
        awk 'BEGIN { for (i = 0; i < 24; i++) { x = (i % 2 ? 1 : -1) * (20 + (i * 7) % 31); y = (i * 13) % 83 - 40; z = (i * 29) % 61 - 20
            r = sqrt(x * x + y * y + z * z); h = i % 2 ? "R" : "L"
            printf "%s_r%d\t%s\tcortex\t%d\t%d\t%d\t%.9f\t%.9f\t%.9f\n", h, i / 2, h, x, y, z, x / r, y / r, z / r } }'
    } >geometry.tsv
    {
        printf 'region\tT1\tT2\tT3\tT4\tT4.other\td\n'
        awk 'BEGIN { for (i = 0; i < 24; i++) printf "%s_r%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", i % 2 ? "R" : "L", i / 2, sin(i), cos(1.7 * i), sin(0.6 * i + 1), cos(0.3 * i * i), cos(0.3 * i * i + 1), 0.4 * sin(i) }'
    } >all.tsv
    cut -f1-6 all.tsv >receptors.tsv
    cut -f1,7 all.tsv >maps.tsv
    {
        printf 'drug_id\ttarget\tp_affinity\trelation\ttype\tspecies\taction\tsource\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 20; k++) for (t = 1; t <= 4; t++) printf "X:%02d\tT%d\t%.2f\t=\tKi\tHomo sapiens\tANTAGONIST\tmade here\t%s\n", k, t, 6 + ((k * 7 + t * 3) % 10) / 5, k % 5 ? "CC0-1.0" : "CC-BY-NC-4.0" }'
    } >affinities.tsv
    echo '{"licence": "CC0-1.0", "T4": {"licence": "CC-BY-NC-4.0"}}' >receptors.json
    echo '{"licence": "CC0-1.0"}' >maps.json
    sed -i 's/disorders: .*/geometry: geometry.tsv\nreceptors: {table: receptors.tsv}\naffinities: affinities.tsv\nnulls: {n: 199}\ndisorders: [{id: "DOID:1", name: first, map: {table: maps.tsv, value: d, se: [100, 100]}}, {id: "DOID:2", name: second}]/; s/\[target_gene, literature, analogue\]/[engagement]/' study.yaml
    "$NEPENTHE" evaluate study.yaml -o judged --redraws 20 --open-only
    python3 - <<'PY'
import json
got = {x["table"]: (x["rows"], x["of"]) for x in json.load(open("judged/evaluation.json"))["open_only"]["dropped"]}
assert got["receptors.tsv"] == (2, 5), got    # T4 and the further tracer of T4
assert got["affinities.tsv"] == (16, 80) and got["maps.tsv"] == (0, 24), got
PY
    rm maps.json
    sed -i 's/\[engagement\]/[engagement, analogue]/' study.yaml
    run rank out --open-only
    [[ "$output" == *"nothing is left of maps.tsv"* ]]
}
