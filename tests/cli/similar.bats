#!/usr/bin/env bats
# similar: exact search of bit vectors and dense vectors, its filters, its shards, and every bad word.

load images

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$PYTHON" -c 'import numpy' 2>/dev/null || skip "python3-numpy is not installed"
    SIMILAR=("$NEPENTHE" similar)
}

# bits.fps, 300 rows of 200 bits with many ties, ids b0..; queries.fps, 8 of other bits
make_bits() {
    "$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(3)
x = np.repeat(rng.random((100, 200)) < 0.15, 3, axis=0)
x[1::3] ^= rng.random((100, 200)) < 0.02
x[7] = False
q = x[::40] ^ (rng.random((8, 200)) < 0.04)
def write(name, rows, letter):
    with open(name, "w") as f:
        f.write("#FPS1\n#num_bits=200\n")
        for i, r in enumerate(rows):
            f.write(np.packbits(r, bitorder="little").tobytes().hex() + f"\t{letter}{i}\n")
write("bits.fps", x, "b"); write("queries.fps", q, "q")
np.save("x.npy", x); np.save("q.npy", q)
PY
    "$NEPENTHE" vectors bits.fps -o bits.idx -q
}

# vectors.npy, 200 rows of 24 numbers, near ties among them; q.npy, 6 queries
make_vectors() {
    "$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(4)
x = rng.normal(size=(200, 24)).astype(np.float32)
x[100:] = x[:100]; x[100::2] *= np.float32(1.0000001); x[5] = 0
np.save("vectors.npy", x); np.save("q.npy", rng.normal(size=(6, 24)).astype(np.float32))
PY
    "$NEPENTHE" vectors vectors.npy -o vectors.idx -q
}

@test "the hundred golden queries: bits in common, bits in either and order, exactly" {
    [ -r "$SHARED/../similarity/golden_top100_tanimoto.tsv.gz" ] || skip "the evaluation data are not here"
    "$NEPENTHE" molecules --help > /dev/null
    # the rows that stand in any answer, in their order: the best hundred of these are the best hundred of all
    "$PYTHON" - "$SHARED/../similarity" <<'PY'
import gzip, sys
rows = [l.split("\t") for l in gzip.open(sys.argv[1] + "/golden_top100_tanimoto.tsv.gz", "rt") if not l.startswith("#")]
need = {r[2] for r in rows}; asked = {r[0] for r in rows}
smiles = [l.rstrip("\n").split("\t") for l in gzip.open(sys.argv[1] + "/smiles_153705.tsv.gz", "rt")]
open("rows.smi", "w").writelines(f"{s}\t{i}\n" for i, _, s in smiles if i in need)
open("asked.smi", "w").writelines(f"{s}\t{i}\n" for i, _, s in smiles if i in asked)
open("want", "w").writelines("\t".join(x.strip() for x in r) + "\n" for r in sorted(rows, key=lambda r: (int(r[0]), int(r[1]))))
PY
    if ! "$NEPENTHE" molecules rows.smi --fingerprint morgan:2:2048 --fps rows.fps -q -o rows.h5 2> talk; then grep -q RDKit talk; skip "built without RDKit"; fi
    "$NEPENTHE" vectors rows.fps -o rows.idx -q
    "${SIMILAR[@]}" rows.idx --query asked.smi --top 100 -o out.tsv 2> talk
    tail -n +2 out.tsv | cut -f1,2,3,5,6 | cmp - want
    grep -q "exact: 100 queries" talk
    rm out.*
    refused 65 "cannot be compared" "${SIMILAR[@]}" rows.idx --query asked.smi --fingerprint morgan:3:2048 --top 1 -o out.x
    printf 'CCO\tethanol\nnot-a-molecule\tbad\n' > some.smi
    "${SIMILAR[@]}" rows.idx --query some.smi --top 1 2> talk | cut -f1 > ids
    [ "$(cat ids)" = "$(printf 'query\nethanol')" ]
    grep -q "some.smi: line 2 is left out" talk
}

@test "every metric of bits against whole numbers; ties by row number; both orders of magnitude of k" {
    make_bits
    for m in tanimoto dice cosine "tversky --alpha 0.3 --beta 0.75"; do
        "${SIMILAR[@]}" bits.idx --query queries.fps --metric $m --top 300 -o out.tsv -q
        "$PYTHON" - $m <<'PY'
import csv, sys
from fractions import Fraction as F
import numpy as np
x, q = np.load("x.npy").astype(int), np.load("q.npy").astype(int)
m, w = sys.argv[1], [F(a) for a in sys.argv[3::2]]
def key(a, b, c): # rises with the score
    if c == 0: return F(0)
    return {"tanimoto": lambda: F(c, a + b - c), "dice": lambda: F(2 * c, a + b), "cosine": lambda: F(c * c, a * b),
            "tversky": lambda: c / (w[0] * (a - c) + w[1] * (b - c) + c)}[m]()
rows = list(csv.DictReader(open("out.tsv"), delimiter="\t"))
assert len(rows) == 8 * 300
for i in range(8):
    a, got = int(q[i].sum()), rows[300 * i:300 * i + 300]
    s = [key(a, int(x[j].sum()), int((q[i] & x[j]).sum())) for j in range(300)]
    want = sorted(range(300), key=lambda j: (-s[j], j))
    assert [r["id"] for r in got] == [f"b{j}" for j in want], (m, i)
    for r, j in zip(got, want):
        c = int((q[i] & x[j]).sum())
        assert int(r["common"]) == c and int(r["union"]) == a + int(x[j].sum()) - c
        assert abs(float(r["score"]) - (float(s[j]) ** 0.5 if m == "cosine" else float(s[j]))) < 1e-8
PY
        "${SIMILAR[@]}" bits.idx --query queries.fps --metric $m --top 7 -q | cmp - <(awk -F'\t' 'NR==1||$2<=7' out.tsv)
    done
}

@test "thresholds are decimals, not the nearest binary fraction, and are reached" {
    printf '#FPS1\n#num_bits=16\nff03\tten\n7f00\tseven\n' > t.fps
    "$NEPENTHE" vectors t.fps -o t.idx -q
    [ "$("${SIMILAR[@]}" t.idx --row 0 --threshold 0.7 -q | tail -n +2 | cut -f3 | tr '\n' ' ')" = "ten seven " ]
    [ "$("${SIMILAR[@]}" t.idx --row 0 --threshold 0.700001 -q | tail -n +2 | cut -f3 | tr '\n' ' ')" = "ten " ]
    [ "$("${SIMILAR[@]}" t.idx --row 0 --threshold 0.7 --top 1 -q | tail -n +2 | cut -f3 | tr '\n' ' ')" = "ten " ]
}

@test "every metric of vectors against float64" {
    make_vectors
    for m in cosine inner l2; do
        "${SIMILAR[@]}" vectors.idx --query q.npy --metric $m --top 500 -o out.tsv -q
        "$PYTHON" - $m <<'PY'
import csv, sys
import numpy as np
x, q, m = np.load("vectors.npy").astype(float), np.load("q.npy").astype(float), sys.argv[1]
rows = list(csv.DictReader(open("out.tsv"), delimiter="\t"))
assert len(rows) == 6 * 200 and "common" not in rows[0]
for i in range(6):
    got = rows[200 * i:200 * i + 200]
    norm = np.linalg.norm(x, axis=1) * np.linalg.norm(q[i])
    s = {"cosine": np.divide(x @ q[i], norm, out=np.zeros(200), where=norm > 0), "inner": x @ q[i], "l2": np.linalg.norm(x - q[i], axis=1)}[m]
    assert sorted(int(r["id"]) for r in got) == list(range(200))
    assert max(abs(float(r["score"]) - s[int(r["id"])]) for r in got) < 1e-6
    better = s if m == "l2" else -s
    assert all(better[int(a["id"])] < better[int(b["id"])] + 1e-12 for a, b in zip(got, got[1:]))
PY
    done
}

@test "the same bytes for any number of threads and shards; parts merge in any order" {
    make_bits
    "${SIMILAR[@]}" bits.idx --query bits.idx --top 9 -o whole.tsv -q
    "${SIMILAR[@]}" bits.idx --query bits.fps --top 9 --threads 1 -q | cmp - whole.tsv
    "${SIMILAR[@]}" bits.idx --row 0-299 --top 9 --threads 5 -q | cmp - whole.tsv
    for i in 1 2 3 4; do "${SIMILAR[@]}" bits.idx --query bits.idx --top 9 --shard $i/4 -o p$i.part -q; done
    "$NEPENTHE" merge p3.part p1.part p4.part p2.part -q | cmp - whole.tsv
    "${SIMILAR[@]}" bits.idx --query bits.idx --threshold 0.5 --no-self -q > whole.tsv
    for i in 1 2 3; do "${SIMILAR[@]}" bits.idx --query bits.idx --threshold 0.5 --no-self --shard $i/3 -o t$i.part -q; done
    "$NEPENTHE" merge t1.part t3.part t2.part -q | cmp - whole.tsv
    [ "$(awk -F'\t' '$1==$3' whole.tsv | wc -l)" -eq 0 ]
    make_vectors
    "${SIMILAR[@]}" vectors.idx --query q.npy --metric l2 --top 11 -q > whole.tsv
    for i in 1 2 3; do "${SIMILAR[@]}" vectors.idx --query q.npy --metric l2 --top 11 --shard $i/3 -o v$i.part -q; done
    "$NEPENTHE" merge v2.part v1.part v3.part -q | cmp - whole.tsv
}

@test "similar --verify: a byte that changed is found before the search, which alone does not look" {
    make_bits
    "${SIMILAR[@]}" bits.idx --row 0 --top 3 -q > plain.tsv
    "${SIMILAR[@]}" bits.idx --row 0 --top 3 --verify -q > verified.tsv
    cmp plain.tsv verified.tsv
    printf '\377' | dd of=bits.idx bs=1 seek=4100 conv=notrunc 2> /dev/null
    "${SIMILAR[@]}" bits.idx --row 0 --top 3 -q > /dev/null
    run "${SIMILAR[@]}" bits.idx --row 0 --top 3 --verify -o out.tsv
    [ "$status" -eq 65 ]
    [[ "$output" == *"section 'rows' does not agree with its checksum"* ]]
    [ ! -e out.tsv ]
}

@test "merge refuses what is missing, doubled, damaged or of another search" {
    make_bits
    for i in 1 2 3; do "${SIMILAR[@]}" bits.idx --row 0-9 --top 5 --shard $i/3 -o p$i.part -q; done
    refused 65 "a part is missing: there are shards 3, 1 of 3" "$NEPENTHE" merge p3.part p1.part -o out.tsv
    refused 65 "shard 2 stands there twice: p2.part and p2.part" "$NEPENTHE" merge p1.part p2.part p2.part p3.part -o out.tsv
    "${SIMILAR[@]}" bits.idx --row 0-9 --top 5 --shard 2/4 -o other.part -q
    refused 65 "p1.part is one of 3 shards, other.part one of 4" "$NEPENTHE" merge p1.part other.part p3.part -o out.tsv
    while IFS='|' read -r words fact; do
        "${SIMILAR[@]}" bits.idx $words --shard 2/3 -o other.part -q
        refused 65 "they differ in '$fact'" "$NEPENTHE" merge p1.part other.part p3.part -o out.tsv
    done <<'WORDS'
--row 0-8 --top 5|queries
--row 1-10 --top 5|query_hash
--row 0-9 --top 6|k
--row 0-9 --top 5 --metric dice|metric
--row 0-9 --top 5 --rows 0-200|last
--row 0-9 --top 5 --no-self|no_self
WORDS
    printf 'id\nb4\n' > only.tsv
    "${SIMILAR[@]}" bits.idx --row 0-9 --top 5 --only only.tsv --shard 2/3 -o other.part -q
    refused 65 "they differ in 'rows that may be found'" "$NEPENTHE" merge p1.part other.part p3.part -o out.tsv
    sed 's/b1/b2/' p2.part > damaged.part
    refused 65 "damaged.part: its hash is not that of its content" "$NEPENTHE" merge p1.part damaged.part p3.part -o out.tsv
    head -c 300 p2.part > short.part
    refused 65 "short.part" "$NEPENTHE" merge p1.part short.part p3.part -o out.tsv
    refused 66 "none.part" "$NEPENTHE" merge p1.part none.part -o out.tsv
}

@test "filters: lists of ids, ranges of rows, never itself" {
    make_bits
    printf 'id\nb3\nb299\nb12\n' > some.tsv
    ids() { tail -n +2 | cut -f3 | sort | tr '\n' ' '; }
    [ "$("${SIMILAR[@]}" bits.idx --row 0 --top 10 --only some.tsv -q | ids)" = "b12 b299 b3 " ]
    [ "$("${SIMILAR[@]}" bits.idx --row 0 --top 300 --exclude some.tsv -q | wc -l)" -eq 298 ]
    [ "$("${SIMILAR[@]}" bits.idx --row 0 --top 300 --only some.tsv --exclude some.tsv -q | wc -l)" -eq 1 ]
    [ "$("${SIMILAR[@]}" bits.idx --row 0 --top 300 --rows 10-12 -q | ids)" = "b10 b11 b12 " ]
    "${SIMILAR[@]}" bits.idx --id b40,b41 --top 300 -q | awk -F'\t' 'NR==1 || $1!=$3 {$2=""; print}' > with
    "${SIMILAR[@]}" bits.idx --id b40,b41 --top 299 --no-self -q | awk -F'\t' '{$2=""; print}' | cmp - with
    refused 64 "--only: the index has no row 'b300' (line 2 of" "${SIMILAR[@]}" bits.idx --row 0 --top 1 --only <(printf 'id\nb300\n') -o out.tsv
}

@test "vectors of a table, by id; one JSON document; what the search says of itself" {
    make_vectors
    "$PYTHON" - <<'PY'
import numpy as np
q = np.load("q.npy")
with open("q.tsv", "w") as f:
    f.write("subject\t" + "\t".join(f"d{k}" for k in range(24)) + "\n")
    for i, r in enumerate(q): f.write(f"s{i}\t" + "\t".join("%.9g" % v for v in r) + "\n")
PY
    "${SIMILAR[@]}" vectors.idx --query q.tsv --top 5 -q | sed 's/^s//' | cmp - <("${SIMILAR[@]}" vectors.idx --query q.npy --top 5 -q)
    "${SIMILAR[@]}" vectors.idx --query q.tsv --top 5 --json > doc 2> talk
    run python3 -c 'import json; d=json.load(open("doc")); h=d["hits"]; print(d["schema"], len(h), h[0]["query"], h[0]["rank"], d["search"]["exact"], d["search"]["metric"], "common" in h[0])'
    [ "$output" = "nepenthe/similar/1 30 s0 1 True cosine False" ]
    grep -q "exact: 6 queries x 200 rows; " talk
    run "${SIMILAR[@]}" vectors.idx --query q.tsv --top 5 --dry-run
    [[ "$output" == "units	6"* ]]
    "${SIMILAR[@]}" vectors.idx --query q.npy --top 1000 -o out.tsv -q # more than there are: all
    [ "$(wc -l < out.tsv)" -eq 1201 ]
    run python3 -c 'import json; d=json.load(open("out.json")); print(d["search"]["queries"], d["search"]["index"] != "", d["inputs"][0]["name"])'
    [ "$output" = "6 True q.npy" ]
}

@test "queries from standard input are what --format says" {
    make_bits; make_vectors
    "${SIMILAR[@]}" bits.idx --query queries.fps --top 3 -q > want.tsv
    "${SIMILAR[@]}" bits.idx --query - --format fps --top 3 -q < queries.fps | cmp - want.tsv
    "${SIMILAR[@]}" vectors.idx --query q.npy --top 3 -q > want.tsv
    "${SIMILAR[@]}" vectors.idx --query - --format npy --top 3 -q < q.npy | cmp - want.tsv
    "$PYTHON" - > q.txt <<'PY'
import numpy as np
print("id\t" + "\t".join(f"d{k}" for k in range(24)))
for i, r in enumerate(np.load("q.npy")): print(f"{i}\t" + "\t".join("%.9g" % v for v in r))
PY
    "${SIMILAR[@]}" vectors.idx --query - --format tsv --top 3 -q < q.txt | cmp - want.tsv
    "${SIMILAR[@]}" vectors.idx --query q.txt --format tsv --top 3 -q | cmp - want.tsv
}

@test "bad words: exit codes and sentences, nothing written" {
    make_bits; make_vectors
    refused 64 "give one of --query FILE, --row N and --id ID" "${SIMILAR[@]}" bits.idx --top 5 -o out.tsv
    refused 64 "give only one of" "${SIMILAR[@]}" bits.idx --row 1 --id b2 --top 5 -o out.tsv
    refused 64 "--top K, --threshold T or both are needed" "${SIMILAR[@]}" bits.idx --row 1 -o out.tsv
    refused 64 "at least 1 row" "${SIMILAR[@]}" bits.idx --row 1 --top 0 -o out.tsv
    refused 64 "'0.12345678'" "${SIMILAR[@]}" bits.idx --row 1 --threshold 0.12345678 -o out.tsv
    refused 64 "'7e-1'" "${SIMILAR[@]}" bits.idx --row 1 --threshold 7e-1 -o out.tsv
    refused 64 "--threshold: 'x' is not a decimal" "${SIMILAR[@]}" bits.idx --row 1 --threshold x -o out.tsv
    refused 64 "--format says it" "${SIMILAR[@]}" bits.idx --query - --top 1 -o out.tsv
    refused 65 "vectors.npy: holds numbers that are no bits" "${SIMILAR[@]}" bits.idx --query vectors.npy --top 1 -o out.tsv
    refused 64 "'-0.5'" "${SIMILAR[@]}" bits.idx --row 1 --threshold=-0.5 -o out.tsv
    refused 64 "--metric l2 is of dense vectors and the index holds bit vectors" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --metric l2 -o out.tsv
    refused 64 "--metric tanimoto is of bit vectors and the index holds dense vectors" "${SIMILAR[@]}" vectors.idx --row 1 --top 1 --metric tanimoto -o out.tsv
    refused 64 "--metric tversky needs --alpha and --beta" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --metric tversky -o out.tsv
    refused 64 "--alpha and --beta belong to --metric tversky" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --alpha 1 -o out.tsv
    refused 64 "--row: there is no row 300, the index has rows 0 to 299" "${SIMILAR[@]}" bits.idx --row 290-300 --top 1 -o out.tsv
    refused 64 "--row: '3-1'" "${SIMILAR[@]}" bits.idx --row 3-1 --top 1 -o out.tsv
    refused 64 "--row: 'b1'" "${SIMILAR[@]}" bits.idx --row b1 --top 1 -o out.tsv
    refused 64 "--id: the index has no row 'b999'" "${SIMILAR[@]}" bits.idx --id b999 --top 1 -o out.tsv
    refused 64 "--rows: '9'" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --rows 9 -o out.tsv
    refused 64 "there is no row 300" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --rows 9-300 -o out.tsv
    refused 64 "--shard: '4/3'" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --shard 4/3 -o out.tsv
    refused 64 "--shard writes a part" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --shard 1/3
    refused 64 "--probe: the index has no inverted lists" "${SIMILAR[@]}" vectors.idx --row 1 --top 1 --probe 2 -o out.tsv
    refused 64 "the index has no column 'class'" "${SIMILAR[@]}" bits.idx --row 1 --top 1 --columns class -o out.tsv
    refused 64 "--no-self: the queries are no rows of the index" "${SIMILAR[@]}" bits.idx --query queries.fps --top 1 --no-self -o out.tsv
    printf '#FPS1\n#num_bits=208\n%052d\tx\n' 1 > wide.fps
    refused 65 "its rows have 208 bits, those of the index 200" "${SIMILAR[@]}" bits.idx --query wide.fps --top 1 -o out.tsv
    refused 65 "vectors.idx holds dense vectors, the index bit vectors" "${SIMILAR[@]}" bits.idx --query vectors.idx --top 1 -o out.tsv
    printf '#FPS1\n#num_bits=200\n' > empty.fps
    refused 65 "empty.fps: holds no row" "${SIMILAR[@]}" bits.idx --query empty.fps --top 1 -o out.tsv
    "$PYTHON" -c 'import numpy as np; q = np.load("q.npy"); q = np.ones((3, 24), np.float32); q[2, 7] = np.nan; np.save("nan.npy", q); np.save("narrow.npy", q[:2, :20])'
    refused 65 "nan.npy: query '2' has a value that is not finite, item 8 of 24" "${SIMILAR[@]}" vectors.idx --query nan.npy --top 1 -o out.tsv
    refused 65 "its rows have 20 dimensions, those of the index 24" "${SIMILAR[@]}" vectors.idx --query narrow.npy --top 1 -o out.tsv
    refused 66 "none.idx" "${SIMILAR[@]}" none.idx --row 1 --top 1 -o out.tsv
    refused 66 "none.fps" "${SIMILAR[@]}" bits.idx --query none.fps --top 1 -o out.tsv
    refused 65 "bits.fps: is no index file" "${SIMILAR[@]}" bits.fps --row 1 --top 1 -o out.tsv
}

@test "the help is the one that was agreed on (help/similar.txt)" {
    "$NEPENTHE" similar --help | sed '/^options of every command/,/^example/{/^example/!d}' | diff "$BATS_TEST_DIRNAME/help/similar.txt" -
}

@test "inverted lists: all of them give the exact answer, a few say that they are not exact" {
    make_vectors
    "$NEPENTHE" vectors vectors.npy --lists 7 -o lists.idx -q
    [ ! -e lists.idx.flat ]
    "${SIMILAR[@]}" vectors.idx --query q.npy --top 9 -q > want.tsv
    for probe in 0 7 70; do "${SIMILAR[@]}" lists.idx --query q.npy --top 9 --probe $probe -q | cmp - want.tsv; done
    "${SIMILAR[@]}" lists.idx --query q.npy --top 9 --probe 1 -o few.tsv 2> talk
    grep -q "without --probe it is exact" talk
    for self in "" --no-self; do # the share of the exact hits that are there
        "${SIMILAR[@]}" lists.idx --row 0-49 --top 9 --probe 1 --recall 50 $self --json > doc 2> talk
        "${SIMILAR[@]}" lists.idx --row 0-49 --top 9 $self -q > exact.tsv
        run "$PYTHON" - <<'PY'
import json, csv
doc = json.load(open("doc"))
exact = {(r["query"], r["id"]) for r in csv.DictReader(open("exact.tsv"), delimiter="\t")}
found = {(h["query"], h["id"]) for h in doc["hits"]}
p, n, z, r = len(exact & found) / len(exact), len(exact), 1.6448536269514722, doc["recall"]
half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
low, high = ((p + z * z / (2 * n) + s * half) / (1 + z * z / n) for s in (-1, 1))
print(0 < p < 1, r["queries"], abs(r["share"] - p) < 1e-8, abs(r["low"] - low) < 1e-8, abs(r["high"] - high) < 1e-8)
PY
        [ "$output" = "True 50 True True True" ]
        grep -q "^recall 0\." talk
    done
    refused 64 "--recall: a number of queries, with --probe" "${SIMILAR[@]}" lists.idx --row 1 --top 1 --recall 5 -o out.tsv
    run "$NEPENTHE" vectors vectors.npy --lists 7 --shard 1/2 -o x.idx
    [ "$status" -eq 64 ]
    run "$NEPENTHE" vectors vectors.npy --lists 201 -o x.idx
    [ "$status" -eq 64 ] && [ ! -e x.idx ] && [ ! -e x.idx.flat ]
    [[ "$output" == *"a row for each"* ]]
}
