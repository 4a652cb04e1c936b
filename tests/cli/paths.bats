#!/usr/bin/env bats
# paths: counts and paths of the golden network, permuted networks, open rows alone, the published model, what is refused.

load images

setup() {
    cd "$BATS_TEST_TMPDIR"
    P=("$NEPENTHE" paths)
}

# The golden network as edge lists and a network.yaml; CbG's odd rows have a licence that is not open.
network() {
    tail -n +2 "$GOLDEN/graph_edges.tsv" | awk -F'\t' '{f=$1; sub(">","",f); f=f".tsv"; if(!(f in seen)){seen[f]=1; print "source\ttarget\tlicence\tsource_db" > f}
        n[f]++; print $2"\t"$3"\t"(f=="CbG.tsv"&&n[f]%2?"CC BY-NC 4.0":"CC0")"\tmade up" > f}'
    { printf 'id\tname\n'; for i in $(seq -w 0 11); do printf 'C%s\tdrug %s\n' $i $i; done; } > drugs.tsv
    {
        printf 'schema: nepenthe/network/1\nname: golden\nkinds:\n  - {id: C, name: Compound, nodes: drugs.tsv}\nmetaedges:\n'
        cut -f1 "$GOLDEN/graph_edges.tsv" | tail -n +2 | uniq | while read -r m; do printf '  - {id: "%s", edges: %s.tsv}\n' "$m" "${m/>/}"; done
    } > net.yaml
}

@test "counts of pairs are those that were walked one by one, from a YAML and from edge lists, for any number of threads" {
    network
    metapaths=$(cut -f1 "$GOLDEN/graph_dwpc.tsv" | tail -n +2 | uniq | grep '^C.*D$')
    "${P[@]}" net.yaml $(printf -- '--metapath %s ' $metapaths) -o got.tsv
    tail -n +2 got.tsv | cut -f1-5 | sort > got
    grep -E '^C[^	]*D	' "$GOLDEN/graph_dwpc.tsv" | sort > want
    [ "$(wc -l < want)" -gt 1000 ]
    paste got want | awk -F'\t' '{e=$4/$9-1; if($1!=$6||$2!=$7||$3!=$8||$5!=$10||e*e>1e-16)bad=1} END{exit bad}'
    "${P[@]}" net.yaml $(printf -- '--metapath %s ' $metapaths) --threads 1 | cmp - got.tsv
    "${P[@]}" CbG.tsv DaG=DaG.tsv -m CbGaD -q > lists.tsv
    "${P[@]}" net.yaml -m CbGaD -q > yaml.tsv
    cmp <(cut -f1-5 lists.tsv) <(cut -f1-5 yaml.tsv)
    [ "$(cut -f6 lists.tsv | sort -u)" = "$(printf 'n/a\nsource_name')" ]
    grep -q 'drug 03' yaml.tsv
}

@test "the paths of a pair: order, share and the row of each edge" {
    network
    first=$(awk -F'\t' '$1=="CbGpPWpGaD"&&$2==1{print $3}' "$GOLDEN/graph_top.tsv")
    read -r from _ _ _ to <<< "$first"
    "${P[@]}" net.yaml -m CbGpPWpGaD --from "$from" --to "$to" --top 3 -o got.tsv 2> talk
    tail -n +2 got.tsv | awk -F'\t' '{gsub("; "," ",$5); printf "%d\t%s\t%.8g\t%.8g\n",$2,$5,$3,$4}' > got
    awk -F'\t' '$1=="CbGpPWpGaD"&&$2<=3{printf "%d\t%s\t%.8g\t%.8g\n",$2,$3,$4,$5}' "$GOLDEN/graph_top.tsv" | diff got -
    grep -q "CbGpPWpGaD: DWPC .* paths" talk
    # the rows named are the edges named
    IFS=$'\t' read -r _ _ _ _ nodes names rows licences sources <<< "$(sed -n 2p got.tsv)"
    [ "${names%%;*}" = "drug ${from#C}" ]
    IFS=' ;' read -r a b _ <<< "$nodes"
    place=${rows%%;*}
    [ "$(sed -n "${place#*:}p" "${place%%:*}" | cut -f1,2)" = "$(printf '%s\t%s' "$a" "$b")" ]
    [ "$(sed -n "${place#*:}p" "${place%%:*}" | cut -f3)" = "${licences%%;*}" ]
    [ "${sources%%;*}" = "made up" ]
    # by name, and what each edge at an end contributes
    "${P[@]}" net.yaml -m CbGpPWpGaD --from "drug ${from#C}" --to "$to" --json -q > doc.json
    python3 - <<'PY'
import json
d = json.load(open("doc.json"))
assert d["schema"] == "nepenthe/paths/1"
m = d["metapaths"][0]
assert abs(sum(e["share"] for e in m["source_edges"]) - 1) < 1e-9 and abs(sum(e["share"] for e in m["target_edges"]) - 1) < 1e-9
assert sum(e["n_paths"] for e in m["target_edges"]) == m["n_paths"] and len(d["paths"]) == min(10, m["n_paths"])
assert {"net.yaml", "CbG.tsv"} <= {i["name"] for i in d["provenance"]["inputs"]}
PY
}

@test "permuted networks: the same numbers for the same seed, others for another; a count that no permutation touches is always reached" {
    network
    "${P[@]}" net.yaml -m CbGaD --permute 4 -o a.tsv
    "${P[@]}" net.yaml -m CbGaD --permute 4 --threads 3 -o b.tsv
    "${P[@]}" net.yaml -m CbGaD --permute 4 --seed 5 -o c.tsv
    cmp a.tsv b.tsv
    run cmp -s a.tsv c.tsv
    [ "$status" -eq 1 ]
    [ "$(head -1 a.tsv | cut -f8-)" = "$(printf 'null_mean\tnull_sd\tnull_reached')" ]
    awk -F'\t' 'NR>1&&($10<0||$10>4||$8<0){bad=1} END{exit bad}' a.tsv
    # with one drug bound to every gene nothing can be swapped
    printf 'source\ttarget\nx\tg1\nx\tg2\nx\tg3\n' > CbG.tsv
    printf 'source\ttarget\nd\tg1\nd\tg2\nd\tg3\n' > DaG.tsv
    "${P[@]}" CbG.tsv DaG.tsv -m CbGaD --permute 5 -q > one.tsv
    [ "$(tail -1 one.tsv | cut -f5,10)" = "$(printf '3\t5')" ]
    [ "$(tail -1 one.tsv | cut -f4)" = "$(tail -1 one.tsv | cut -f8)" ]
}

@test "open licences alone: rows go one by one, and it is said how many" {
    network
    "${P[@]}" net.yaml -m CbGaD --open-only -o open.tsv 2> talk
    rows=$(($(wc -l < CbG.tsv) - 1))
    grep -q "CbG keeps $((rows / 2)) of $rows rows" talk
    grep -v NC CbG.tsv > kept.tsv
    "${P[@]}" CbG=kept.tsv DaG.tsv -m CbGaD -q > want.tsv
    cmp <(cut -f1-5 open.tsv) <(cut -f1-5 want.tsv)
}

@test "the published model: a probability is the logistic of its terms; a network that lacks its metaedges is refused by name" {
    network
    refused 65 "needs compounds (C), diseases (D) and treatments (CtD); it lacks CtD" "${P[@]}" CbG.tsv DaG.tsv --published -o out.tsv
    refused 64 "the network has no metaedge" "${P[@]}" CbG.tsv DaG.tsv CtD.tsv --published -o out.tsv
    "${P[@]}" net.yaml --published -o all.tsv
    "${P[@]}" net.yaml --published --from C03 --to D05 -q > terms.tsv
    want=$(awk -F'\t' '$1=="C03"&&$2=="D05"{print $3}' all.tsv)
    awk -F'\t' -v want="$want" 'NR>1{s+=$2} END{p=1/(1+exp(-s)); exit !((p-want)^2<1e-14)}' terms.tsv
    [ "$(wc -l < terms.tsv)" -eq 33 ]
    "${P[@]}" net.yaml --published --to D05 -q | tail -n +2 | cut -f2 | sort -u | grep -qx D05
}

@test "what is refused" {
    network
    refused 64 "which paths? Give --metapath" "${P[@]}" net.yaml -o out.tsv
    refused 64 "no metaedge CbX" "${P[@]}" net.yaml -m CbX -o out.tsv
    refused 64 "more than 4 steps" "${P[@]}" net.yaml -m CrCrCrCrCrC -o out.tsv
    refused 64 "metapaths CbGaD and CbG join other kinds" "${P[@]}" net.yaml -m CbGaD -m CbG -o out.tsv
    refused 64 "--from: no node of kind Compound is called 'drug 99'" "${P[@]}" net.yaml -m CbGaD --from "drug 99" -o out.tsv
    refused 64 "--damping" "${P[@]}" net.yaml -m CbGaD --damping -1 -o out.tsv
    refused 64 "--permute: 0 to 100000" "${P[@]}" net.yaml -m CbGaD --permute -2 -o out.tsv
    refused 64 "--metapath and --permute do not go with it" "${P[@]}" net.yaml --published -m CbGaD -o out.tsv
    refused 64 "is a whole network; give it alone" "${P[@]}" net.yaml CbG.tsv -m CbGaD -o out.tsv
    cp CbG.tsv edges.tsv
    refused 65 "'edges' is no metaedge" "${P[@]}" edges.tsv -m CbGaD -o out.tsv
    refused 64 "which metaedge is it?" "${P[@]}" .tsv -m CbGaD -o out.tsv
    refused 66 "none.yaml" "${P[@]}" none.yaml -m CbGaD -o out.tsv
    printf 'source\ttarget\nC99\tG01\n' > CbG.tsv
    refused 65 "CbG.tsv: line 2: no node of kind Compound is called 'C99'" "${P[@]}" net.yaml -m CbGaD -o out.tsv
}

@test "the help is the one that was agreed on (help/paths.txt)" {
    "$NEPENTHE" paths --help | sed '/^options of every command/,/^example/{/^example/!d}' | diff "$BATS_TEST_DIRNAME/help/paths.txt" -
}
