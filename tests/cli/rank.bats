#!/usr/bin/env bats
# rank, evaluate and channels on a small study made here.

setup() {
    DIR=$(mktemp -d)
    cd "$DIR" || return 1
    {
        printf 'region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\tsphere_x\tsphere_y\tsphere_z\n'
        awk 'BEGIN { for (i = 0; i < 24; i++) { x = (i % 2 ? 1 : -1) * (20 + (i * 7) % 31); y = (i * 13) % 83 - 40; z = (i * 29) % 61 - 20
            r = sqrt(x * x + y * y + z * z); h = i % 2 ? "R" : "L"
            printf "%s_r%d\t%s\tcortex\t%d\t%d\t%d\t%.9f\t%.9f\t%.9f\n", h, i / 2, h, x, y, z, x / r, y / r, z / r } }'
    } >geometry.tsv
    {
        printf 'region\tT1\tT2\tT3\tT4\n'
        awk 'BEGIN { for (i = 0; i < 24; i++) printf "%s_r%d\t%.3f\t%.3f\t%.3f\t%.3f\n", i % 2 ? "R" : "L", i / 2, sin(i), cos(1.7 * i), sin(0.6 * i + 1), cos(0.3 * i * i) }'
    } >receptors.tsv
    {
        printf 'region\td\tse\te\n'
        awk 'BEGIN { for (i = 0; i < 24; i++) printf "%s_r%d\t%.3f\t0.1\t%.3f\n", i % 2 ? "R" : "L", i / 2, 0.4 * sin(i) + 0.1 * cos(5 * i), 0.2 * cos(2.9 * i) }'
    } >maps.tsv
    {
        printf 'drug_id\tname\tfingerprint\tatc4\tmechanism_class\n'
        awk 'BEGIN { for (k = 0; k < 16; k++) printf "X:%02d\tdrug%02d\t%02x%02x%02x%02x\tN0%dAA\tm%d\n", k, k, 17 * (k % 4) + 3, (k * 37) % 256, 85, (k * 11) % 256, k % 4, k % 4 }'
    } >drugs.tsv
    {
        printf 'drug_id\ttarget\tp_affinity\trelation\ttype\tspecies\taction\tsource\tlicence\n'
        awk 'BEGIN { for (k = 0; k < 15; k++) for (t = 1; t <= 4; t++) printf "X:%02d\tT%d\t%.2f\t=\tKi\tHomo sapiens\tANTAGONIST\tmade here\tCC0-1.0\n", k, t, 6 + (k % 4 + 1 == t ? 2.5 : ((k * 7 + t * 3) % 10) / 10) }'
    } >affinities.tsv
    {
        printf 'drug_id\tdisorder\tstatus\tsince\tsource\n'
        awk 'BEGIN { for (k = 0; k < 12; k++) printf "X:%02d\tDOID:%d\tapproved\tn/a\tmade here\n", k, k % 4 < 2 ? 1 : 2 }'
        printf 'X:13\tDOID:1\tfailed\tn/a\tmade here\nX:14\tDOID:1\tcontraindicated\tn/a\tmade here\n'
    } >labels.tsv
    cat >study.yaml <<'YAML'
schema: nepenthe/study/1
name: small
geometry: geometry.tsv
disorders:
  - {id: "DOID:1", name: first, map: {table: maps.tsv, value: d, se: se}, direction: unknown}
  - {id: "DOID:2", name: second, map: {table: maps.tsv, value: e, se: se}, direction: unknown}
receptors: {table: receptors.tsv}
drugs: drugs.tsv
affinities: affinities.tsv
labels: labels.tsv
primary: {channels: [engagement, analogue], scope: cortex, relative_occupancy: 0.75}
evaluate: {protocols: [masked, zero_shot, new_drug], negatives: [all, nervous_system, popularity, failed], bootstrap: 50}
nulls: {n: 199, kind: moran}
YAML
}

teardown() {
    rm -rf "$DIR"
}

@test "channels names role, needs and source of each" {
    run "$NEPENTHE" channels
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 33 ]
    [[ "${lines[1]}" == engagement*VOTE*map\;affinities*doi* ]]
    "$NEPENTHE" channels --json | python3 -c 'import json,sys; d=json.load(sys.stdin); assert d["schema"]=="nepenthe/channels/1" and len(d["channels"])==32'
}

@test "channels of a study: a row per disorder and drug, value and error per channel" {
    "$NEPENTHE" channels study.yaml -o channels.tsv 2>warnings
    grep -q "channel pathway is left out: the study lacks what it needs" warnings
    /usr/bin/python3 - <<'PY'
import csv
drugs = list(csv.DictReader(open("drugs.tsv"), delimiter="\t"))
bits = {d["drug_id"]: int(d["fingerprint"], 16) for d in drugs}
treats = {}
for row in csv.DictReader(open("labels.tsv"), delimiter="\t"):
    if row["status"] == "approved":
        treats.setdefault(row["disorder"], set()).add(row["drug_id"])
rows = list(csv.DictReader(open("channels.tsv"), delimiter="\t"))
assert len(rows) == 2 * len(drugs)
assert {"engagement", "engagement_se", "analogue", "analogue_se", "popularity", "target_count"} <= set(rows[0])
tanimoto = lambda a, b: bin(a & b).count("1") / bin(a | b).count("1")
for row in rows:
    k = row["drug_id"]
    want = max(tanimoto(bits[k], bits[i]) for i in treats[row["disorder"]] if i != k)
    assert abs(float(row["analogue"]) - want) < 1e-6, (row["disorder"], k, row["analogue"], want)
    assert (row["engagement"] == "n/a") == (k == "X:15"), k  # the drug without affinities
PY
    "$NEPENTHE" channels study.yaml --channels analogue --json -q | /usr/bin/python3 -c 'import json,sys
d = json.load(sys.stdin)
assert d["schema"] == "nepenthe/channels/1" and len(d["values"]) == 32 and set(d["values"][0]) == {"disorder", "drug_id", "name", "analogue", "analogue_se"}
assert all(c["n_drugs"] == c["of"] == 16 for c in d["coverage"])'
}

@test "channels of a study: what cannot be given is said" {
    run "$NEPENTHE" channels study.yaml --channels pathway -o channels.tsv
    [ "$status" -eq 78 ]
    [[ "$output" == *"channel pathway needs a table that the study does not name"* ]]
    [ ! -e channels.tsv ]
    run "$NEPENTHE" channels study.yaml --channels pathways
    [ "$status" -eq 64 ]
    [[ "$output" == *"there is no channel 'pathways'"* ]]
    run "$NEPENTHE" channels --channels pathway
    [ "$status" -eq 64 ]
    [[ "$output" == *"go with a study"* ]]
}

@test "rank writes every file, with the columns of the contract" {
    run "$NEPENTHE" rank study.yaml -o out --redraws 20 --null-maps 20
    [ "$status" -eq 0 ]
    for f in report.html candidates.csv candidates.tsv candidates.xlsx candidates.json results.h5; do [ -s "out/$f" ]; done
    head -1 out/candidates.tsv | grep -q "^rank	disorder	drug_id	name	score	score_low	score_high	rank_low	rank_high	p_top10	verdict	n_channels	n_targets	flags	"
    grep "X:15	" out/candidates.tsv | grep -q insufficient
}

# own.nii.gz: 6 x 4 x 2 voxels of 10 mm, region r of the geometry at its place; $1: the value that region 5 gets.
own_atlas() {
    python3 - "$1" <<'PY'
import gzip, struct, sys
h = bytearray(352)
struct.pack_into("<i", h, 0, 348)
struct.pack_into("<8h", h, 40, 3, 6, 4, 2, 1, 1, 1, 1)
struct.pack_into("<2h", h, 70, 4, 16)
struct.pack_into("<8f", h, 76, 1, 10, 10, 10, 0, 1, 1, 1)
struct.pack_into("<3f", h, 108, 352, 1, 0)
struct.pack_into("<2h", h, 252, 0, 1)
for row, start in enumerate((-25, -15, -5)):
    values = [0.0] * 4
    values[row], values[3] = 10, start
    struct.pack_into("<4f", h, 280 + 16 * row, *values)
h[344:348] = b"n+1\0"
labels = list(range(100, 124)) + [900] + [0] * 23
labels[5] = int(sys.argv[1])
with gzip.GzipFile("own.nii.gz", "wb", mtime=0) as f:
    f.write(bytes(h) + struct.pack("<48h", *labels))
PY
    awk 'BEGIN { print "index\tname"; for (i = 0; i < 24; i++) printf "%d\t%s_r%d\n", 100 + i, i % 2 ? "R" : "L", i / 2; print "900\tB_stem" }' >own.tsv
    echo '{"licence": "CC-BY-4.0"}' >own.json
    sed -i '/^atlas/d' study.yaml
    echo 'atlas: own.nii.gz' >>study.yaml
}

@test "rank shows the study's own atlas, with its hash and licence" {
    own_atlas 105
    run "$NEPENTHE" rank study.yaml -o out --redraws 20 --null-maps 20
    [ "$status" -eq 0 ]
    [[ "$output" == *"own.nii.gz: its regions lie "*" mm (median) from where the geometry has them"* ]]
    grep -q '"atlas":"own.nii.gz","stored_mm":\[10.0,10.0,10.0\],"resampled":false' out/report.html
    python3 - <<'PY'
import json
d = json.load(open("out/candidates.json"))
names = [x["name"] for x in d["provenance"]["inputs"]]
assert d["settings"]["atlas"] == "own.nii.gz" and {"own.nii.gz", "own.tsv"} <= set(names), names
assert "CC-BY-4.0" in d["provenance"]["licence"]
PY
    mv own.tsv names.tsv
    sed -i 's/^atlas.*/atlas: {image: own.nii.gz, labels: names.tsv}/' study.yaml
    "$NEPENTHE" rank study.yaml -o named --redraws 20 --null-maps 20 -q
    cmp out/candidates.tsv named/candidates.tsv
}

@test "a bad atlas: one sentence, the right exit code, nothing written" {
    refused() {
        run "$NEPENTHE" rank study.yaml -o out --redraws 20 --null-maps 20
        [ "$status" -eq "$1" ]
        [[ "$output" == *"$2"* ]]
        [ "${#lines[@]}" -le 2 ]
        [ ! -e out ]
    }
    own_atlas 0
    refused 65 "own.nii.gz: lacks 1 of the 24 regions of the geometry (first: R_r2)"
    own_atlas 105
    sed -i 's/L_r0/L_elsewhere/' own.tsv
    refused 65 "lacks 1 of the 24 regions of the geometry (first: L_r0)"
    rm own.tsv
    refused 66 "own.nii.gz: no table of its names lies beside it"
    own_atlas 105
    head -c 60 own.nii.gz >cut && mv cut own.nii.gz
    refused 65 "own.nii.gz"
    rm own.nii.gz
    refused 66 "own.nii.gz"
    own_atlas 105
    sed -i '/^geometry/d; /^receptors/d' study.yaml
    refused 78 "an atlas needs a geometry"
}

@test "the same seed gives the same bytes on one and on two threads" {
    "$NEPENTHE" rank study.yaml -o a --redraws 20 --null-maps 20 --threads 1
    "$NEPENTHE" rank study.yaml -o b --redraws 20 --null-maps 20 --threads 2
    cmp a/candidates.tsv b/candidates.tsv
    "$NEPENTHE" rank study.yaml -o c --redraws 20 --null-maps 20 --seed 5
    ! cmp -s a/candidates.tsv c/candidates.tsv
}

@test "evaluate prints a row per disorder and writes the document" {
    "$NEPENTHE" evaluate study.yaml -o out --redraws 20 --null-maps 20 >table 2>talk
    [ "$(wc -l <table)" -eq 3 ]
    head -1 table | grep -q "auroc_imaging	null_low	null_high	null_p	auroc_ligand_only"
    head -1 table | grep -q "detectable	verdict$"
    [ -s out/evaluation.html ]
    head -1 out/predictions.tsv | grep -q "^protocol	disorder	drug_id	label	score	score_low	score_high$"
    [ "$(wc -l <out/predictions.tsv)" -eq 97 ]
    [ "$(wc -l <out/tripod_ai.tsv)" -eq 53 ]
    awk -F'\t' '$1 == "18a" { found = $5 == "authors fill it in" } END { exit !found }' out/tripod_ai.tsv
    python3 - <<'PY'
import json
d = json.load(open("out/evaluation.json"))
assert d["schema"] == "nepenthe/evaluation/1"
for key in ("study", "seed", "version", "protocols", "baselines", "calibration", "conformal", "ablation", "imaging_increment", "null_calibration"):
    assert key in d, key
for p in ("masked", "zero_shot", "new_drug"):
    one = d["protocols"][p]
    assert one["definition"] and set(one["macro"]) >= {"ap", "auroc", "auroc_vs_ns", "auroc_vs_popularity", "auroc_vs_failed", "bedroc20", "p_at_20", "ndcg_at_20"}
    for name, m in one["macro"].items():
        assert {"value", "low", "high", "n", "t_low", "t_high"} == set(m), name
    for x in one["disorders"]:
        assert {"id", "name", "n_pos", "n_neg", "prevalence", "ap", "auroc", "auroc_vs_ns", "auroc_vs_popularity", "auroc_vs_failed", "map_null"} <= set(x)
        by = x["map_null"]["p_by_null"]
        assert len(by) == 2 and by[0]["null"] != by[1]["null"] and x["map_null"]["p"] == max(f["p"] for f in by)
    first, second = one["disorders"]
    assert first["n_failed"] == 2 and 0 <= first["auroc_vs_failed"]["value"] <= 1
    assert second["n_failed"] == 0 and second["auroc_vs_failed"]["value"] is None
assert set(d["negatives"]) == {"all", "nervous_system", "popularity", "failed"}
assert "popularity" in d["baselines"] and "masked" in d["baselines"]["ligand_only"]
for x in d["imaging_alone"]:
    by = x["map_null"]["p_by_null"]
    assert len(by) == 2 and x["map_null"]["p"] == max(f["p"] for f in by)
c = d["calibration"]
assert c["protocol"] == "new_drug" and len(c["disorders"]) == 2
for part in [c["pooled"]] + c["disorders"]:
    assert sum(b["n"] for b in part["curve"]) == part["n"] and sum(b["n_pos"] for b in part["curve"]) == part["n_pos"]
    assert all(0 <= b["low"] <= b["observed"] <= b["high"] <= 1 for b in part["curve"])
    assert abs(part["oe"] - part["n_pos"] / sum(b["n"] * b["predicted"] for b in part["curve"])) < 1e-6
labels, = d["negative_controls"]
assert labels["control"] == "labels" and labels["permutations"] == 2 and labels["definition"]
assert {"prevalence", "ap", "auroc", "auroc_matched", "ranking", "at_chance"} <= set(labels)
assert "time_split" not in d
for x in d["imaging_increment"]:
    assert {"id", "delta", "low", "high", "p_map", "p_map_by_null", "detectable", "verdict"} <= set(x)
    assert len(x["p_map_by_null"]) == 2 and x["p_map"] == max(f["p"] for f in x["p_map_by_null"])
assert {r["null"] for r in d["null_calibration"]} >= {f["null"] for f in d["imaging_increment"][0]["p_map_by_null"]} - {"moran-compartment"}
PY
}

@test "evaluate measures against the negatives that the study asks for" {
    sed -i 's/negatives: .*, bootstrap/negatives: [failed], bootstrap/' study.yaml
    "$NEPENTHE" evaluate study.yaml -o out --redraws 20 --null-maps 20 >table 2>talk
    grep -q "^masked .*vs nervous-system drugs n/a, popularity-matched n/a, failed [01]\." talk
    python3 - <<'PY'
import json
d = json.load(open("out/evaluation.json"))
assert set(d["negatives"]) == {"all", "failed"}
macro = d["protocols"]["masked"]["macro"]
assert macro["auroc_vs_popularity"]["value"] is None and macro["auroc_vs_failed"]["value"] is not None
PY
    sed -i 's/negatives: .failed./negatives: [faild]/' study.yaml
    run "$NEPENTHE" evaluate study.yaml -o out2
    [ "$status" -eq 78 ]
    [[ "$output" == *faild*failed* ]]
    [ ! -e out2 ]
}

@test "evaluate splits labels by time, and says when it cannot" {
    awk -F'\t' 'BEGIN { OFS = FS } NR > 1 && $3 == "approved" { $4 = NR % 2 ? 1980 + NR : NR % 4 ? "2010-0" NR % 9 + 1 "-30" : 2012 } { print }' labels.tsv >dated && mv dated labels.tsv
    sed -i 's/bootstrap: 50/bootstrap: 50, time_split: 2000, controls: 0/' study.yaml
    "$NEPENTHE" evaluate study.yaml -o out --redraws 20 --null-maps 20 -q >table
    python3 - <<'PY'
import json
d = json.load(open("out/evaluation.json"))
t = d["time_split"]
assert (t["year"], t["n_early"], t["n_late"], t["n_undated"]) == (2000, 6, 6, 0), t
assert sum(x["n_pos"] for x in t["disorders"]) == 6 and 0 <= t["macro"]["auroc"]["value"] <= 1 and t["definition"]
assert d["negative_controls"] == []
PY
    grep -q time_split out/evaluation.html
    run "$NEPENTHE" evaluate study.yaml -o again --redraws 20 --null-maps 20 --threads 2 -q
    cmp out/evaluation.json again/evaluation.json
    sed -i 's/time_split: 2000/time_split: 2020/' study.yaml
    run "$NEPENTHE" evaluate study.yaml -o out2 --redraws 20 --null-maps 20
    [ "$status" -eq 78 ]
    [[ "$output" == *"time_split 2020: of the treatments of ranked disorders 12 are dated up to it, 0 later and 0 not at all"* ]]
    sed -i '2s/\t20[0-9-]*\t/\tlast May\t/; 2s/\t19[0-9]*\t/\tlast May\t/' labels.tsv
    run "$NEPENTHE" evaluate study.yaml -o out2 --redraws 20 --null-maps 20
    [ "$status" -eq 65 ]
    [[ "$output" == *"labels.tsv: line 2: a label is dated 'last May', must be a year or a date"* ]]
    [ ! -e out2 ]
}

@test "bad studies: one sentence, the right exit code, nothing written" {
    sed 's/^drugs:/drgs:/' study.yaml >typo.yaml
    run "$NEPENTHE" rank typo.yaml -o out
    [ "$status" -eq 78 ]
    [[ "$output" == *drugs* ]]
    sed 's/channels: \[engagement, analogue\]/channels: [engagement, analog]/' study.yaml >channel.yaml
    run "$NEPENTHE" rank channel.yaml -o out
    [ "$status" -eq 78 ]
    [[ "$output" == *analogue* ]]
    sed 's/approved/aproved/' labels.tsv >bad && mv bad labels.tsv
    run "$NEPENTHE" rank study.yaml -o out
    [ "$status" -eq 65 ]
    [[ "$output" == *"line 2"*aproved* ]]
    run "$NEPENTHE" rank nowhere.yaml -o out
    [ "$status" -eq 66 ]
    run "$NEPENTHE" rank study.yaml
    [ "$status" -eq 64 ]
    [ ! -e out ]
}

@test "a study that lacks a table says which" {
    for case in "affinities:channel engagement needs an affinity table" "receptors:channel engagement needs a disorder map and a receptor table" \
        "geometry:disorder DOID:1 has a map but the study no geometry" "drugs:the study needs the key 'drugs'"; do
        grep -v "^${case%%:*}" study.yaml >less.yaml
        run "$NEPENTHE" rank less.yaml -o out --redraws 20 --null-maps 20
        [ "$status" -eq 78 ]
        [[ "$output" == *"${case#*:}"* ]]
        [ ! -e out ]
    done
    grep -v "^labels" study.yaml >less.yaml
    run "$NEPENTHE" rank less.yaml -o out --redraws 20 --null-maps 20
    [ "$status" -eq 0 ]
    [[ "$output" == *"records no treatment of any disorder, so the ranking could not be evaluated"* ]]
    grep -q "could not be evaluated" out/report.html
    run "$NEPENTHE" evaluate less.yaml -o out2 --redraws 20 --null-maps 20
    [ "$status" -eq 78 ]
    [[ "$output" == *"nothing to evaluate against"* ]]
    [ ! -e out2 ]
}

@test "the study file that README shows is one" {
    sed -n '/^```yaml$/,/^```$/p' "$BATS_TEST_DIRNAME/../../README.md" | grep -v '^```' >readme.yaml
    [ "$(wc -l <readme.yaml)" -ge 10 ]
    run "$NEPENTHE" rank readme.yaml -o out --dry-run
    [ "$status" -eq 0 ]
}

@test "a dry run writes nothing" {
    run "$NEPENTHE" evaluate study.yaml -o out --dry-run
    [ "$status" -eq 0 ]
    [[ "$output" == *evaluation.json* ]]
    [ ! -e out ]
}

@test "an interrupt stops within a second, says so and writes nothing" {
    run timeout -s INT -k 10 1 "$NEPENTHE" rank study.yaml -o out --redraws 300000
    [ "$status" -eq 124 ] || [ "$status" -eq 130 ]
    [ ! -e out/report.html ]
    "$NEPENTHE" rank study.yaml -o out --redraws 300000 &
    pid=$!
    sleep 0.5
    kill -INT "$pid"
    wait "$pid" || status=$?
    [ "$status" -eq 130 ]
    [ ! -e out/report.html ]
}

@test "a network, a map and the table of regions: anatomy with and without the map" {
    sed -i 's/_r0\t/_insula\t/; s/_r1\t/_caudate\t/' geometry.tsv receptors.tsv maps.tsv
    printf 'source\ttarget\n' | tee CbG.tsv DlA.tsv AuG.tsv >AdG.tsv
    awk 'BEGIN { for (k = 0; k < 14; k++) for (g = 0; g < 5; g++) if ((k + g * 3) % 4 < 2) printf "X:%02d\tg%d\n", k, g }' >>CbG.tsv
    printf 'DOID:1\tUBERON:0002022\nDOID:1\tUBERON:0001873\nDOID:2\tUBERON:0000000\n' >>DlA.tsv
    printf 'UBERON:0002022\tg0\nUBERON:0001873\tg1\nUBERON:0000000\tg2\n' >>AuG.tsv
    printf 'UBERON:0002022\tg3\nUBERON:0001873\tg4\n' >>AdG.tsv
    printf 'schema: nepenthe/network/1\nname: small\nmetaedges: [{id: CbG, edges: CbG.tsv}, {id: DlA, edges: DlA.tsv}, {id: AuG, edges: AuG.tsv}, {id: AdG, edges: AdG.tsv}]\n' >network.yaml
    sed 's/^labels:/network: network.yaml\nlabels:/; s/channels: \[engagement, analogue\]/channels: [anatomy, anatomy_imaging]/' study.yaml >anatomy.yaml
    "$NEPENTHE" rank anatomy.yaml -o out --redraws 20 --null-maps 20
    python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("out/candidates.tsv"), delimiter="\t"))
spoken = {d: [(float(r["anatomy"]), r["anatomy_imaging"]) for r in rows if r["disorder"] == d and r["anatomy"] not in ("", "n/a")] for d in ("DOID:1", "DOID:2")}
assert len(spoken["DOID:1"]) == 14 and any(float(b) != a for a, b in spoken["DOID:1"])
assert spoken["DOID:2"] and all(b in ("", "n/a") for _, b in spoken["DOID:2"])
PY
    grep -q 'anatomy_regions.tsv' out/candidates.json
}

@test "rank writes about the disorders asked for alone, and ranks them as if all were written" {
    "$NEPENTHE" rank study.yaml -o all --redraws 20 --null-maps 20 --bootstrap 20 -q
    "$NEPENTHE" rank study.yaml -o one --redraws 20 --null-maps 20 --bootstrap 20 --disorders SECOND -q
    [ "$(cut -f2 one/candidates.tsv | sort -u | paste -sd' ')" = "DOID:2 disorder" ]
    diff <(awk -F'\t' 'NR == 1 || $2 == "DOID:2"' all/candidates.tsv) one/candidates.tsv
    run "$NEPENTHE" rank study.yaml -o none --redraws 20 --null-maps 20 --bootstrap 20 --disorders third
    [ "$status" -eq 64 ]
    [[ "$output" == *"the study ranks no 'third'"* ]]
    [ ! -e none ]
}

@test "evaluate --imaging-only measures what the images add, and no more" {
    run "$NEPENTHE" evaluate study.yaml -o whole --redraws 20 --null-maps 20
    [ "$status" -eq 0 ]
    "$NEPENTHE" evaluate study.yaml --imaging-only -o out >table.tsv 2>said
    [ "$(ls out)" = imaging.json ]
    grep -q "^The images add nothing to this ranking that could be shown. By disorder: adds for 0 of 2" said
    [ "$(head -1 table.tsv | cut -f1,2,4,13)" = "disorder	name	delta_ap	verdict" ]
    /usr/bin/python3 - <<'PY'
import json
alone, whole = json.load(open("out/imaging.json")), json.load(open("whole/evaluation.json"))
assert alone["schema"] == "nepenthe/imaging/1" and len(alone["disorders"]) == 2 and alone["provenance"]
assert alone["disorders"] == whole["imaging_increment"] and alone["overall"] == whole["imaging"]
PY
    "$NEPENTHE" rank study.yaml -o ranked --redraws 20 --null-maps 20 2>said
    grep -q "^The images add nothing" said
    grep -q "The images add nothing to this ranking" ranked/report.html
    run "$NEPENTHE" evaluate study.yaml --imaging-only -o dry --dry-run
    [ "$status" -eq 0 ]
    [[ "$output" == *imaging.json* && "$output" != *predictions.tsv* ]]
}
