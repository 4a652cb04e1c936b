#!/usr/bin/env bats
# similar cases: nearest subjects with diagnoses, and whether these mean anything.

load images

setup() {
    cd "$BATS_TEST_TMPDIR"
    awk 'BEGIN{OFS="\t"} {print (NR==1 ? "participant_id" : sprintf("sub-%02d", NR-2)), $0}' "$GOLDEN/cases_x.tsv" > x.tsv
    cp "$GOLDEN/cases_people.tsv" people.tsv
    CASES=("$NEPENTHE" similar cases)
    WHO=(--people people.tsv --diagnosis diagnosis)
}

# near_as WAY: the neighbours of out.tsv are those of the golden table
near_as() {
    awk -F'\t' -v way="$1" 'NR==FNR{if($1==way){id[$2","$3]=sprintf("sub-%02d",$4); d[$2","$3]=$5; want++} next}
        FNR>1{split($1,q,"-"); k=(q[2]+0)","$2; n++; e=$4-d[k]; if(e<0)e=-e; if($3!=id[k]||e>1e-7)bad++} END{exit !(n==want&&n>0&&!bad)}' "$GOLDEN/cases_near.tsv" out.tsv
}

# checked VALIDATION DATA MEASURE: value and verdict of check.tsv
checked() { awk -F'\t' -v v="$1" -v d="$2" -v m="$3" '$1==v && $2==d && $3==m {printf "%s %s", $4, $12}' check.tsv; }

# golden WAY KEY
golden() { python3 -c "import json,sys; print('%.9g' % json.load(open('$GOLDEN/cases.json'))[sys.argv[1]][sys.argv[2]])" "$1" "$2"; }

@test "neighbours and the check's measures are scikit-learn's, each subject left out of scale and regression" {
    "${CASES[@]}" x.tsv "${WHO[@]}" --top 5 --n 99 --site site --check check.tsv -o out.tsv
    near_as "one euclidean plain"
    [ "$(head -1 out.tsv)" = "$(printf 'query\trank\tid\tdistance\tquantile\tdiagnosis')" ]
    [ "$(checked "one left out" features balanced_accuracy)" = "$(golden "one euclidean plain" balanced) no_signal" ]
    [ "$(checked "one site left out" features auroc)" = "$(golden "site euclidean plain" auroc) no_signal" ]
    "${CASES[@]}" x.tsv "${WHO[@]}" --top 5 --n 99 --site site --check check.tsv --metric cosine --confounds age,sex,site --regress -o out.tsv
    near_as "one cosine adjusted"
    [[ "$(checked "one left out" features auroc)" = "$(golden "one cosine adjusted" auroc) "* ]]
    [[ "$(checked "one site left out" features balanced_accuracy)" = "$(golden "site cosine adjusted" balanced) "* ]]
    [ "$(awk 'END{print NR}' check.tsv)" -eq 11 ]
}

@test "the same bytes for any number of threads; another seed changes p alone" {
    "${CASES[@]}" x.tsv "${WHO[@]}" --confounds age,sex --threads 1 --n 99 --check one.tsv --summary s1.tsv > n1.tsv
    "${CASES[@]}" x.tsv "${WHO[@]}" --confounds age,sex --threads 5 --n 99 --check two.tsv --summary s2.tsv > n2.tsv
    cmp one.tsv two.tsv; cmp s1.tsv s2.tsv; cmp n1.tsv n2.tsv
    "${CASES[@]}" x.tsv "${WHO[@]}" --confounds age,sex --seed 3 --n 99 --check three.tsv > n3.tsv
    cmp n1.tsv n3.tsv
    run cmp -s one.tsv three.tsv
    [ "$status" -eq 1 ]
}

@test "the summary counts diagnoses beside the base rate without the query" {
    "${CASES[@]}" x.tsv "${WHO[@]}" --top 5 --n 0 --summary s.tsv -o out.tsv
    run awk -F'\t' 'NR==FNR{if(FNR>1)n[$1","$6]++; next} FNR==1{for(i=1;i<=NF;i++)c[$i]=i; next}
        {if($c["count:depression"]!=n[$1",depression"]+0||$c["neighbours"]!=5)bad++
         own=($1<"sub-16"); if(($c["base_rate:control"]-(16-own)/39)^2>1e-12)bad++} END{print FNR, bad+0}' out.tsv s.tsv
    [ "$output" = "41 0" ]
}

@test "someone from outside: distances of the whole reference's scale, missing features left out and counted" {
    python3 - <<PY
import json
q = json.load(open("$GOLDEN/cases.json"))["query"]["x"]
head = open("x.tsv").readline().rstrip("\n").split("\t")
order = list(range(11, -1, -1)) # joined by name
with open("q.tsv", "w") as f:
    f.write("\t".join(["id"] + [head[k + 1] for k in order]) + "\n")
    for i, row in enumerate(q):
        f.write("\t".join([f"new-{i}"] + ["n/a" if row[k] is None else repr(row[k]) for k in order]) + "\n")
PY
    "${CASES[@]}" x.tsv "${WHO[@]}" --query q.tsv --top 40 --n 0 --summary s.tsv > out.tsv
    run python3 - <<PY
import csv, json
want = json.load(open("$GOLDEN/cases.json"))["query"]["euclidean"]
rows = list(csv.DictReader(open("out.tsv"), delimiter="\t"))
worst = max(abs(float(r["distance"]) - want[int(r["query"][4:])][int(r["id"][4:])]) for r in rows)
print(len(rows), worst < 1e-7, [r["features"] for r in csv.DictReader(open("s.tsv"), delimiter="\t")])
PY
    [ "$output" = "120 True ['12', '10', '12']" ]
}

@test "an AnnData file gives the numbers of the table; features are chosen by what stands before the colon" {
    "$PYTHON" -c 'import h5py, numpy' 2>/dev/null || skip "no h5py"
    "$PYTHON" - <<'PY'
import csv, h5py, numpy
rows = list(csv.reader(open("x.tsv"), delimiter="\t"))
text = h5py.string_dtype()
with h5py.File("features.h5", "w") as f:
    x = numpy.array([[float(v) for v in r[1:]] for r in rows[1:]], numpy.float32)
    f["X"] = numpy.hstack([x, numpy.ones_like(x)])
    f.create_dataset("obs/participant_id", data=[r[0] for r in rows[1:]], dtype=text)
    f.create_dataset("var/_index", data=[f"alff:{n}" for n in rows[0][1:]] + [f"falff:{n}" for n in rows[0][1:]], dtype=text)
with h5py.File("nameless.h5", "w") as f:
    f["X"] = numpy.ones((3, 2))
PY
    "${CASES[@]}" features.h5 "${WHO[@]}" --features alff --top 5 --n 0 -o out.tsv 2> talk
    near_as "one euclidean plain"
    run grep -c warning talk
    [ "$output" = 0 ]
    "${CASES[@]}" features.h5 "${WHO[@]}" --top 5 --n 0 -o out.tsv 2> talk
    near_as "one euclidean plain"
    grep -q "12 of 24 features are the same in all of the reference and left out (first: 'falff:R0')" talk
    rm out.*
    refused 65 "no AnnData file: 'obs' has no list of names" "${CASES[@]}" nameless.h5 "${WHO[@]}" -o out.tsv
    refused 64 "no column 'reho', nor one that begins with 'reho:'" "${CASES[@]}" features.h5 "${WHO[@]}" --features reho -o out.tsv
}

@test "who has no diagnosis is compared and is nobody's neighbour; who misses too much is left out, and what is left out is named" {
    awk -F'\t' 'BEGIN{OFS="\t"} $1=="sub-03"{$2="n/a"} {print}' people.tsv > p.tsv
    awk -F'\t' 'BEGIN{OFS="\t"} $1=="sub-05"{for(i=2;i<8;i++)$i="n/a"} $1=="sub-06"{$4="n/a"} NR>1{$6=3} {print}' x.tsv > holes.tsv
    "${CASES[@]}" holes.tsv --people p.tsv --diagnosis diagnosis --top 50 --n 0 -o out.tsv 2> talk
    grep -q "0 who are not in the table of people, 1 without a diagnosis, 0 without" talk
    grep -q "not in the reference: 1 who miss more than 20 % of the features" talk
    grep -q "1 of 12 features are missing in some of the reference and left out (first: 'R2')" talk
    grep -q "1 of 12 features are the same in all of the reference and left out (first: 'R4')" talk
    grep -q "not compared: 1 who miss too many features" talk
    [ "$(awk -F'\t' '$3=="sub-03" || $3=="sub-05"' out.tsv | wc -l)" -eq 0 ]
    [ "$(awk -F'\t' '$1=="sub-03"' out.tsv | wc -l)" -eq 38 ]
    [ "$(awk -F'\t' '$1=="sub-04"' out.tsv | wc -l)" -eq 37 ] # k beyond the reference: all of the others
    run python3 -c 'import json; d=json.load(open("out.json")); print([f["feature"] for f in d["reference"]["features_left_out"]], d["reference"]["subjects"], d["check"]["one_left_out"])'
    [ "$output" = "['R2', 'R4'] 38 None" ]
}

@test "no near case: the nearest is no nearer than a typical pair" {
    awk -F'\t' 'BEGIN{OFS="\t"} NR==1{print} NR==2{$1="far"; for(i=2;i<=NF;i++)$i=$i+500; print}' x.tsv > far.tsv
    run "${CASES[@]}" x.tsv "${WHO[@]}" --query far.tsv --n 0 --summary s.tsv
    [[ "$output" == *"far: no near case: the nearest, at "*", is no nearer than a typical pair"* ]]
    [ "$(awk -F'\t' 'NR==2{print $2, $5}' s.tsv)" = "no near case 1" ]
}

@test "a planted difference is a signal, one by age alone is not more than confounds, and nothing is nothing" {
    python3 - <<'PY'
import random
random.seed(5)
g = random.gauss
def write(name, shift, by_age):
    with open(f"{name}_x.tsv", "w") as x, open(f"{name}_p.tsv", "w") as p:
        x.write("id\t" + "\t".join(f"f{k}" for k in range(15)) + "\n"); p.write("participant_id\tgroup\tage\n")
        for i in range(60):
            ill = i % 2; age = 40 + 5 * g(0, 1) + 12 * ill * by_age
            p.write(f"s{i}\t{'ill' if ill else 'well'}\t{age:.2f}\n")
            x.write(f"s{i}\t" + "\t".join(f"{g(0, 1) + shift * ill + by_age * (age - 40) / 6:.5f}" for k in range(15)) + "\n")
write("planted", 1.0, 0); write("old", 0, 1); write("none", 0, 0)
PY
    verdict() { "${CASES[@]}" "$1_x.tsv" --people "$1_p.tsv" --diagnosis group --confounds age --check check.tsv "${@:2}" > /dev/null; checked "one left out" features balanced_accuracy | cut -d' ' -f2; }
    [ "$(verdict planted)" = signal ]
    [ "$(verdict old)" = no_more_than_confounds ]
    [ "$(verdict old --regress)" = no_signal ]
    [ "$(verdict none)" = no_signal ]
    run "${CASES[@]}" none_x.tsv --people none_p.tsv --diagnosis group
    [[ "$output" == *"no signal: neighbours share a diagnosis no more often than chance has it; what is listed tells nothing about a diagnosis"* ]]
}

@test "outputs hold ids and asked-for columns alone: no dates, no paths, no age above 89" {
    mkdir -p "private-folder/home-of-somebody"
    awk -F'\t' 'BEGIN{OFS="\t"} {print $0, (NR==1?"name":"Canary"), (NR==1?"born":"1950-02-03")}' people.tsv | awk -F'\t' 'BEGIN{OFS="\t"} NR==3{$3=97} {print}' > private-folder/home-of-somebody/people.tsv
    "${CASES[@]}" x.tsv --people private-folder/home-of-somebody/people.tsv --diagnosis diagnosis --columns age,sex --n 19 --summary s.tsv --check check.tsv -o out.tsv 2> talk
    run grep -l -e Canary -e 1950 -e home-of-somebody -e "$(hostname)" out.tsv out.json s.tsv s.json check.tsv check.json talk
    [ "$status" -eq 1 ]
    awk -F'\t' '$3=="sub-01"{print $7}' out.tsv | sort -u > ages
    [ "$(cat ages)" = "89+" ]
    rm out.*
    refused 64 "column 'born' holds dates" "${CASES[@]}" x.tsv --people private-folder/home-of-somebody/people.tsv --diagnosis diagnosis --columns born -o out.tsv
}

@test "one JSON document" {
    "${CASES[@]}" x.tsv "${WHO[@]}" --id sub-02,sub-20 --n 99 --site site --confounds age --json > doc 2> talk
    run python3 - <<'PY'
import json
d = json.load(open("doc"))
c = d["check"]["one_left_out"]
print(d["schema"], len(d["neighbours"]), [q["query"] for q in d["queries"]], sum(x["neighbours"] for x in d["queries"][0]["counts"]),
      c["verdict"], 0 < c["balanced_accuracy"]["p"] <= 1, "confounds_alone" in c, d["check"]["one_site_left_out"]["classes"])
PY
    [ "$output" = "nepenthe/similar-cases/1 20 ['sub-02', 'sub-20'] 10 no_signal True True 3" ]
    run "${CASES[@]}" x.tsv "${WHO[@]}" --dry-run
    [[ "$output" == "units	40"* ]]
}

@test "bad words: exit codes and sentences, nothing written" {
    refused 64 "--people TSV and --diagnosis COLUMN are needed" "${CASES[@]}" x.tsv -o out.tsv
    refused 64 "--regress needs --confounds" "${CASES[@]}" x.tsv "${WHO[@]}" --regress -o out.tsv
    refused 64 "--id: x.tsv has no subject 'sub-99'" "${CASES[@]}" x.tsv "${WHO[@]}" --id sub-99 -o out.tsv
    refused 64 "at least 1 neighbour" "${CASES[@]}" x.tsv "${WHO[@]}" --top 0 -o out.tsv
    refused 64 "'inner' is not one of euclidean|cosine" "${CASES[@]}" x.tsv "${WHO[@]}" --metric inner -o out.tsv
    refused 64 "is the diagnosis and cannot be a confound" "${CASES[@]}" x.tsv "${WHO[@]}" --confounds diagnosis -o out.tsv
    refused 65 "no column 'diagnose'" "${CASES[@]}" x.tsv --people people.tsv --diagnosis diagnose -o out.tsv
    refused 66 "cannot be opened" "${CASES[@]}" none.tsv "${WHO[@]}" -o out.tsv
    refused 64 "--missing: a share" "${CASES[@]}" x.tsv "${WHO[@]}" --missing 1.5 -o out.tsv
    { cat x.tsv; tail -1 x.tsv; } > twice.tsv
    refused 65 "subject 'sub-39' stands there twice" "${CASES[@]}" twice.tsv "${WHO[@]}" -o out.tsv
    { cat people.tsv; tail -1 people.tsv; } > p2.tsv
    refused 65 "'sub-39' stands there twice" "${CASES[@]}" x.tsv --people p2.tsv --diagnosis diagnosis -o out.tsv
    sed 's/sub-/x-/' x.tsv > strangers.tsv
    refused 65 "no subject of the data (first: 'x-00') has a diagnosis" "${CASES[@]}" strangers.tsv "${WHO[@]}" -o out.tsv
    refused 65 "'sub-00' of x.tsv is in the reference as well" "${CASES[@]}" x.tsv "${WHO[@]}" --query x.tsv -o out.tsv
    cut -f1-5 x.tsv | sed 's/sub-/q-/' > narrow.tsv
    refused 65 "narrow.tsv has no column 'R4', which the reference has" "${CASES[@]}" x.tsv "${WHO[@]}" --query narrow.tsv -o out.tsv
    awk -F'\t' 'BEGIN{OFS="\t"} NR==1{print} NR==3{$1="q"; for(i=2;i<=NF;i++)$i="n/a"; print}' x.tsv > blank.tsv
    refused 65 "'q' of blank.tsv cannot be compared: it misses too many of the features" "${CASES[@]}" x.tsv "${WHO[@]}" --query blank.tsv -o out.tsv
    sed '2s/sub-00/q/;3,$d' x.tsv > q.tsv
    refused 65 "misses a confound" "${CASES[@]}" x.tsv "${WHO[@]}" --query q.tsv --confounds age --regress -o out.tsv
    awk -F'\t' 'BEGIN{OFS="\t"} NR==2{$5="east"} {print}' people.tsv > alone.tsv
    refused 65 "the confounds tell subject 'sub-00'" "${CASES[@]}" x.tsv --people alone.tsv --diagnosis diagnosis --confounds site --regress -o out.tsv
    head -3 x.tsv > few.tsv
    refused 65 "at least 3 are needed" "${CASES[@]}" few.tsv "${WHO[@]}" -o out.tsv
    head -1 x.tsv > empty.tsv
    refused 65 "a row per subject" "${CASES[@]}" empty.tsv "${WHO[@]}" -o out.tsv
    awk -F'\t' 'BEGIN{OFS="\t"} NR==4{$3="high"} {print}' x.tsv > words.tsv
    refused 65 "line 4" "${CASES[@]}" words.tsv "${WHO[@]}" -o out.tsv
}

@test "the README's example is what the demo's cohorts give" {
    README="$BATS_TEST_DIRNAME/../../README.md"
    "$NEPENTHE" demo -o demo-out -q > /dev/null
    cd demo-out
    command=$(grep '^nepenthe similar cases features-A' "$README")
    eval "\"\$NEPENTHE\" ${command#nepenthe }" 2> talk
    grep -v '^warning' talk > said
    [ "$(wc -l < said)" -eq 4 ]
    while IFS= read -r line; do grep -qxF -- "$line" "$README"; done < said
    verdict() { "${CASES[@]}" "features-$1/group_alff.tsv" --people "design-$1.tsv" --diagnosis group "${@:2}" --json -q | python3 -c 'import json,sys; print(json.load(sys.stdin)["check"]["one_left_out"]["verdict"])'; }
    [ "$(verdict A --confounds age)" = signal ]
    [ "$(verdict A --confounds age,fd_mean --regress)" = no_signal ]
    [ "$(verdict B --confounds age)" = no_signal ]
}

@test "the help is the one that was agreed on (help/similar_cases.txt)" {
    "$NEPENTHE" similar cases --help | sed '/^options of every command/,/^example/{/^example/!d}' | diff "$BATS_TEST_DIRNAME/help/similar_cases.txt" -
}
