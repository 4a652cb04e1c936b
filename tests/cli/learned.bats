#!/usr/bin/env bats
# evaluate with the hierarchical model on a small study in which a drug treats a disorder because it binds the disorder's genes.

setup() {
    DIR=$(mktemp -d)
    cd "$DIR" || return 1
    /usr/bin/python3 - <<'PY'
import random
random.seed(5)
genes, disorders, drugs = range(30), range(6), range(72)
of = {j: set(range(5 * j, 5 * j + 5)) for j in disorders}
with open("drugs.tsv", "w") as d, open("labels.tsv", "w") as l, open("CbG.tsv", "w") as b, open("DaG.tsv", "w") as a:
    d.write("drug_id\tname\tatc4\n")
    l.write("drug_id\tdisorder\tstatus\tsource\n")
    b.write("source\ttarget\tsign\tlicence\n")
    a.write("source\ttarget\tlicence\n")
    for j in disorders:
        for g in of[j]:
            a.write(f"DOID:{j}\tg{g}\tCC0-1.0\n")
    for k in drugs:
        d.write(f"X:{k:02d}\tdrug{k:02d}\tN0{k % 9}AA\n")
        j = k % 6
        treats = k < 48
        mine = random.sample(sorted(of[j]), 3) if treats else []
        for g in sorted(set(mine + random.sample(genes, 2))):
            b.write(f"X:{k:02d}\tg{g}\t{-1 if g in mine and k % 12 < 6 or random.random() < 0.5 else 1}\tCC0-1.0\n")
        if treats:
            l.write(f"X:{k:02d}\tDOID:{j}\tapproved\tmade here\n")
PY
    printf 'schema: nepenthe/network/1\nname: small\nmetaedges:\n  - {id: "CbG", edges: CbG.tsv}\n  - {id: "DaG", edges: DaG.tsv}\n' >network.yaml
    {
        printf 'schema: nepenthe/study/1\nname: small\ndisorders:\n'
        for j in 0 1 2 3 4 5; do printf '  - {id: "DOID:%d", name: disorder%d}\n' $j $j; done
        printf 'drugs: drugs.tsv\nlabels: labels.tsv\nnetwork: network.yaml\n'
        printf 'primary: {model: hierarchical, channels: [neighbours, target_gene]}\n'
        printf 'evaluate: {protocols: [zero_shot, new_drug], negatives: [all], bootstrap: 20, controls: 0}\n'
    } >study.yaml
}

teardown() {
    rm -rf "$DIR"
}

@test "figures follow from the predictions, the planted signal is found, and what stands beside is there" {
    "$NEPENTHE" evaluate study.yaml -o one --redraws 20 --threads 1 -q >/dev/null
    /usr/bin/python3 - <<'PY'
import csv, json, math
e = json.load(open("one/evaluation.json"))
rows = list(csv.DictReader(open("one/predictions.tsv"), delimiter="\t"))
def average_precision(pairs):  # scikit-learn's definition, ties as one threshold
    total, hits, seen, ap = sum(y for _, y in pairs), 0, 0, 0.0
    for score in sorted({s for s, _ in pairs}, reverse=True):
        here = [y for s, y in pairs if s == score]
        before, hits, seen = hits, hits + sum(here), seen + len(here)
        ap += (hits - before) / total * hits / seen
    return ap
for p in ("zero_shot", "new_drug"):
    each = []
    for j in range(6):
        mine = [r for r in rows if r["protocol"] == p and r["disorder"] == f"DOID:{j}"]
        assert len(mine) == 72, len(mine)
        each.append(average_precision([(float(r["score"]), r["label"] == "approved") for r in mine]))
    got = e["protocols"][p]["macro"]["ap"]["value"]
    assert abs(got - sum(each) / 6) < 1e-6, (p, got, each)
    assert got > 0.5, (p, got)  # prevalence is 8 of 72
    beside = e["baselines"]
    assert {"elastic_net", "without_direction", "mean_normal_score", "rank_aggregation", "neighbours", "target_gene"} <= set(beside), sorted(beside)
    for name in ("elastic_net", "without_direction"):
        gain, ap = beside[name][p]["gain_of_fused_ap"]["value"], beside[name][p]["macro"]["ap"]["value"]
        assert abs(got - ap - gain) < 1e-6, (name, p)
c = e["calibration"]["by_protocol"]["new_drug"]
assert 0.5 < c["oe"] < 2 and c["n_pos"] == 48, c
PY
}

@test "the same bytes on one thread and on three" {
    "$NEPENTHE" evaluate study.yaml -o one --redraws 20 --threads 1 -q >/dev/null
    "$NEPENTHE" evaluate study.yaml -o three --redraws 20 --threads 3 -q >/dev/null
    cmp one/predictions.tsv three/predictions.tsv
    cmp one/evaluation.json three/evaluation.json
}

@test "the order in which disorders are listed decides nothing" {
    awk '/DOID/ { held[++n] = $0; next } n && !done { for (i = 1; i <= n; i += 2) print held[i]; for (i = 2; i <= n; i += 2) print held[i]; done = 1 } { print }' study.yaml >turned.yaml
    ! cmp -s study.yaml turned.yaml
    "$NEPENTHE" evaluate study.yaml -o one --redraws 20 -q >/dev/null
    "$NEPENTHE" evaluate turned.yaml -o turned --redraws 20 -q >/dev/null
    /usr/bin/python3 - <<'PY'
import csv, json
def scores(out):
    return {(r["protocol"], r["disorder"], r["drug_id"]): float(r["score"]) for r in csv.DictReader(open(out + "/predictions.tsv"), delimiter="\t")}
one, turned = scores("one"), scores("turned")
assert one.keys() == turned.keys() and len(one) == 2 * 6 * 72
assert max(abs(one[k] - turned[k]) / max(1, abs(one[k])) for k in one) < 1e-5  # six digits are written
a, b = (json.load(open(out + "/evaluation.json"))["baselines"] for out in ("one", "turned"))
for name in a:
    for p in ("zero_shot", "new_drug"):
        x, y = (e[name][p]["macro"]["ap"]["value"] for e in (a, b))
        assert x == y or abs(x - y) < 1e-6, (name, p, x, y)
PY
}

@test "labels that say nothing are not learned from" {
    awk -F'\t' -v OFS='\t' 'NR > 1 { split($2, d, ":"); $2 = "DOID:" (d[2] + int(NR / 7)) % 6 } { print }' labels.tsv >moved && mv moved labels.tsv
    "$NEPENTHE" evaluate study.yaml -o out --redraws 20 -q >/dev/null
    /usr/bin/python3 -c 'import json
ap = json.load(open("out/evaluation.json"))["protocols"]["new_drug"]["macro"]["ap"]["value"]
assert ap < 0.4, ap'
}

@test "the report of a ranking holds the points of TRIPOD+AI, the source of each record and moves that agree with the ranking" {
    "$NEPENTHE" rank study.yaml -o ranking --redraws 20 --threads 1 -q >/dev/null
    /usr/bin/python3 - <<'PY'
import json, math
d = json.load(open("ranking/candidates.json"))
assert len(d["evaluation"]["tripod_ai"]) == 52
told = sourced = 0
for disorder in d["disorders"]:
    scores = {c["drug"]: c["score"] for c in disorder["candidates"]}
    assert disorder["records"]["approved"] == 8 and disorder["records"]["contraindicated"] == 0
    for c in disorder["candidates"]:
        for name, rows in c.get("reasons", {}).items():
            for r in rows:
                if name == "neighbours" and r["label"] != "all others":
                    assert r["source"] == "made here", r
                    sourced += 1
                assert name == "neighbours" or "source" not in r
        for m in c.get("moves", []):
            told += 1
            assert m["low"] <= c["score"] <= m["high"]
            assert {"up": m["low"] == c["score"], "down": m["high"] == c["score"], "either": True}[m["direction"]]
            for end in ("low", "high"):
                above = sum(s is not None and s > m[end] for k, s in scores.items() if k != c["drug"])
                assert m["rank_at_" + end] == 1 + above, (m, above)
        if c["score"] is not None:  # the logit moves by as much as the score
            logit = lambda p: math.log(p / (1 - p))
            assert abs(logit(c["p_recorded_high"]) - logit(c["p_recorded"]) - (c["score_high"] - c["score"])) < 1e-4
assert told > 50 and sourced > 50
licences = {e["id"]: e["licences"] for e in d["network"]}
assert licences["DaG"] == [{"licence": "CC0-1.0", "n": 30}], licences
PY
}
