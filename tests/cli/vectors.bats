#!/usr/bin/env bats
# vectors, merge and verify: files of rows in, index files out.

setup() {
    cd "$BATS_TEST_TMPDIR"
    GOLDEN="$BATS_TEST_DIRNAME/../golden"
}

# FILE KEY: the value of a key of the document that `vectors --json` printed into FILE
field() { sed -nE "s/^ *\"$2\": \"?([^\",]*)\"?,?\$/\\1/p" "$1"; }

ids() { # N: a table of ids and metadata for N rows
    printf 'id\tgroup\tnote\n'
    for ((i = 0; i < $1; i++)); do printf 'subject %d\tg%d\t%s\n' $i $((i % 2)) "$([ $((i % 3)) = 0 ] && echo n/a || echo "n$i")"; done
}

@test "vectors: every format becomes an index that verifies" {
    for f in f4.npy f4.npy.gz f8.npy a.fvecs a.fbin one.safetensors anndata.h5; do
        "$NEPENTHE" vectors "$GOLDEN/source_$f" --type f32 -q -o $f.nepx
        "$NEPENTHE" verify $f.nepx | tail -1 | grep -q "$f.nepx	ok	f32	5	7	7	0	"
    done
    content=$("$NEPENTHE" verify f4.npy.nepx | cut -f 8 | tail -1)
    for f in f4.npy.gz f8.npy a.fvecs a.fbin one.safetensors; do # the same numbers: the same rows, and the same bytes
        [ "$("$NEPENTHE" verify $f.nepx | cut -f 8 | tail -1)" = "$content" ]
        cmp f4.npy.nepx $f.nepx
    done
    "$NEPENTHE" vectors "$GOLDEN/source_rdkit_2048.fps" -q -o fps.nepx
    "$NEPENTHE" verify fps.nepx | tail -1 | grep -q "	ok	bits	2048	6	6	0	.*	RDKit-Morgan radius=2 fpSize=2048"
    for f in b1 u1 u8; do
        "$NEPENTHE" vectors "$GOLDEN/source_bits_$f.npy" $([ $f = b1 ] || echo --bits) -q -o $f.nepx
        cmp b1.nepx $f.nepx
    done
}

@test "vectors: standard input is what --format says" {
    "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" -q -o file.nepx
    "$NEPENTHE" vectors - --format npy -q -o stream.nepx < "$GOLDEN/source_f4.npy"
    cmp file.nepx stream.nepx
    "$NEPENTHE" vectors "$GOLDEN/source_rdkit_2048.fps" -q -o file.nepx
    cp "$GOLDEN/source_rdkit_2048.fps" fingerprints.txt
    "$NEPENTHE" vectors fingerprints.txt --format fps -q -o named.nepx
    cmp file.nepx named.nepx
}

@test "vectors: the type is what loses nothing unless given; the document and the sidecar say what was made" {
    "$NEPENTHE" vectors "$GOLDEN/source_f2.npy" -q -o a.nepx --json > a.json
    [ "$(field a.json type)" = f16 ]
    [ "$(field a.json shadow)" = int8 ]
    [ "$(field a.json rows)" = 7 ]
    grep -q '"command": "vectors"' a.nepx.json
    "$NEPENTHE" vectors "$GOLDEN/source_f2.npy" --type int8 -q -o b.nepx --json | grep -q '"shadow": null'
    "$NEPENTHE" vectors "$GOLDEN/source_f2.npy" --shadow none --about "made up" -q -o c.nepx --json > c.json
    [ "$(field c.json about)" = "made up" ]
    grep -q '"shadow": null' c.json
    # as it is built by default, `similar` reads the int8 copy first, and finds what it finds without
    "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" -q -o with.nepx
    "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --shadow none -q -o without.nepx
    "$NEPENTHE" similar with.nepx --row 1 --top 3 -o with.tsv 2> with.txt
    "$NEPENTHE" similar without.nepx --row 1 --top 3 -o without.tsv 2> without.txt
    grep -q "int8 shadow, exact" with.txt
    grep -q "f32, exact" without.txt
    cmp with.tsv without.tsv
    [ "$(stat -c %s with.nepx)" -gt "$(stat -c %s without.nepx)" ]
    for t in f32 f16 bf16 int8; do
        "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --type $t -q -o $t.nepx
        "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --type $t -q --threads 3 -o three.nepx
        cmp $t.nepx three.nepx
    done
}

@test "vectors: shards merge to the bytes of one run, appended rows too" {
    ids 7 > ids.tsv
    "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --ids ids.tsv -q -o whole.nepx --json > whole.json
    [ "$(field whole.json ids)" = true ]
    for i in 1 2 3; do "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --ids ids.tsv --shard $i/3 -q -o $i.nepx; done
    "$NEPENTHE" verify 1.nepx 2.nepx 3.nepx --json | grep -c '"state": "ok"' | grep -qx 3
    "$NEPENTHE" merge 3.nepx 1.nepx 2.nepx -q -o merged.nepx
    cmp whole.nepx merged.nepx
    for i in 1 2; do "$NEPENTHE" vectors "$GOLDEN/source_rdkit_2048.fps" --shard $i/2 -q -o b$i.nepx; done
    "$NEPENTHE" vectors "$GOLDEN/source_rdkit_2048.fps" -q -o bits.nepx
    "$NEPENTHE" merge b1.nepx b2.nepx -q -o bmerged.nepx
    cmp bits.nepx bmerged.nepx
    ids 14 > ids14.tsv
    (head -1 ids14.tsv; tail -7 ids14.tsv) > last7.tsv
    "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" "$GOLDEN/source_f8.npy" --ids ids14.tsv -q -o both.nepx
    cp whole.nepx grown.nepx
    "$NEPENTHE" vectors "$GOLDEN/source_f8.npy" --ids last7.tsv --append grown.nepx -q -o grown.nepx
    cmp both.nepx grown.nepx
    [ ! -e grown.nepx.added ]
}

@test "merge: what is missing, foreign or no part is named" {
    for i in 1 2 3; do "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --shard $i/3 -q -o $i.nepx; done
    "$NEPENTHE" vectors "$GOLDEN/source_i1.npy" --shard 3/3 -q -o foreign.nepx
    run "$NEPENTHE" merge 1.nepx 3.nepx -o out.nepx
    [ "$status" -eq 65 ] && [[ "$output" == *"a shard is missing"* ]]
    run "$NEPENTHE" merge 1.nepx 2.nepx foreign.nepx -o out.nepx
    [ "$status" -eq 65 ] && [[ "$output" == *"foreign.nepx: is no shard of the set that 1.nepx is of"* ]]
    run "$NEPENTHE" merge "$GOLDEN/source_f4.npy" -o out.nepx
    [ "$status" -eq 65 ] && [[ "$output" == *"known are: index files"* ]]
    run "$NEPENTHE" merge none.nepx -o out.nepx
    [ "$status" -eq 66 ]
    run "$NEPENTHE" merge 1.nepx
    [ "$status" -eq 64 ]
    [ ! -e out.nepx ]
}

@test "verify: a byte that changed is found, and the section named" {
    "$NEPENTHE" vectors "$GOLDEN/source_rdkit_2048.fps" -q -o a.nepx
    printf '\001' | dd of=a.nepx bs=1 seek=5000 conv=notrunc 2> /dev/null
    run "$NEPENTHE" verify a.nepx
    [ "$status" -eq 65 ]
    [[ "$output" == *"section 'rows' does not agree with its checksum"* ]]
    [[ "$output" == *"a.nepx	damaged	n/a	n/a"* ]]
    "$NEPENTHE" verify --quick a.nepx | grep -q "	opened	"
    head -c 6000 a.nepx > cut.nepx
    run "$NEPENTHE" verify --quick cut.nepx
    [ "$status" -eq 65 ]
    [[ "$output" == *"has 6000 bytes of"* ]]
    run "$NEPENTHE" verify none.nepx
    [ "$status" -eq 66 ]
}

@test "vectors: bad input is one sentence, and nothing is written" {
    refused() { # STATUS WORDS ARGUMENTS...
        local want=$1 words=$2
        shift 2
        run "$NEPENTHE" vectors "$@" -o out.nepx
        [ "$status" -eq "$want" ] || { echo "$output"; false; }
        [[ "$output" == *"$words"* ]] || { echo "$output"; false; }
        [ "$(ls out.nepx* 2> /dev/null | wc -l)" -eq 0 ]
    }
    ids 6 > six.tsv
    ids 8 > eight.tsv
    refused 65 "row 3, column 2 (from 0) is not a number" "$GOLDEN/source_nan.npy"
    refused 65 "has 6 rows, the vectors have more" "$GOLDEN/source_f4.npy" --ids six.tsv
    refused 65 "has more rows than the 7 of the vectors" "$GOLDEN/source_f4.npy" --ids eight.tsv
    refused 65 "one index holds one width" "$GOLDEN/source_f4.npy" "$GOLDEN/source_rdkit_166.fps"
    refused 64 "does not tell its format" "$GOLDEN/half.tsv"
    refused 64 "is not I/N" "$GOLDEN/source_f4.npy" --shard 3/2
    refused 64 "--format says it" - < "$GOLDEN/source_f4.npy"
    refused 64 "--type is of vectors" "$GOLDEN/source_rdkit_166.fps" --type f16
    refused 64 "'Y' would be a dataset" "$GOLDEN/source_f4.npy" --dataset Y
    refused 64 "HDF5 is no stream" - --format h5 < "$GOLDEN/source_anndata.h5"
    refused 65 "numbers that are no bits" "$GOLDEN/source_f4.npy" --bits
    refused 64 "8 lists of 7 rows" "$GOLDEN/source_f4.npy" --lists 8
    refused 65 "make fewer shards" "$GOLDEN/source_rdkit_166.fps" --shard 9/9
    refused 64 "cannot go together" "$GOLDEN/source_f4.npy" --shard 1/2 --append x.nepx
    refused 66 "none.npy" none.npy
    run "$NEPENTHE" vectors "$GOLDEN/source_f4.npy"
    [ "$status" -eq 64 ]
}

@test "an index is what docs/index_files.md says: read again by numpy alone" {
    PYTHON=${PYTHON:-/usr/bin/python3}
    "$PYTHON" -c 'import numpy' 2> /dev/null || skip "no numpy here"
    ids 7 > ids.tsv
    for t in f32 f16 int8; do "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --ids ids.tsv --type $t -q -o $t.nepx; done
    "$NEPENTHE" vectors "$GOLDEN/source_bits_b1.npy" -q -o bits.nepx
    "$PYTHON" - "$GOLDEN" <<'PY'
import struct, sys
import numpy as np

def read(path):
    b = open(path, "rb").read()
    assert b[:24].rstrip(b"\0") == b"nepenthe/index/1"
    kind, typ, width, n, total, first = struct.unpack_from("<IIqqqq", b, 24)
    columns, sections, lists, size = struct.unpack_from("<IIqq", b, 80)
    assert size == len(b) and total == n and first == 0 and lists == 0
    s = {}
    for i in range(sections):
        tag, at, m, _ = struct.unpack_from("<8sqqQ", b, 128 + 32 * i)
        assert at % (4096 if tag.rstrip(b"\0") in (b"rows", b"shadow") else 64) == 0
        s[tag.rstrip(b"\0").decode()] = b[at:at + m]
    return kind, typ, width, n, columns, s

golden = sys.argv[1]
x = np.load(golden + "/source_f4.npy").astype(np.float64)
for typ, name, dtype in ((1, "f32", "<f4"), (2, "f16", "<f2"), (4, "int8", "i1")):
    kind, t, width, n, columns, s = read(name + ".nepx")
    assert (kind, t, width, n, columns) == (2, typ, 5, 7, 2)
    rows = np.frombuffer(s["rows"], dtype).reshape(n, -1).astype(np.float64)
    assert (rows[:, width:] == 0).all()
    rows = rows[:, :width]
    if name == "int8":
        scale = np.frombuffer(s["scale"], "<f4").astype(np.float64)
        assert np.array_equal(rows, np.rint(x / scale[:, None]))
        assert (abs(x).max(1) <= 127 * scale).all() and "shadow" not in s
        rows = rows * scale[:, None]
    else:
        assert np.array_equal(rows, x)
        scale = np.frombuffer(s["shscale"], "<f4").astype(np.float64)
        shadow = np.frombuffer(s["shadow"], "i1").reshape(n, 64)[:, :width]
        rest = np.linalg.norm(rows - shadow * scale[:, None], axis=1)
        bound = np.frombuffer(s["shresid"], "<f4")
        assert (bound >= rest).all() and (bound <= rest * 1.00001).all()
    assert np.allclose(np.frombuffer(s["norm"], "<f8"), np.linalg.norm(rows, axis=1), rtol=1e-14)
    start = np.frombuffer(s["idstart"], "<i8")
    assert [s["idtext"][a:b].decode() for a, b in zip(start, start[1:])] == ["subject %d" % i for i in range(n)]
    assert s["columns"] == b"group\0note\0"
    start = np.frombuffer(s["cellstrt"], "<i8")
    cells = [s["celltext"][a:b].decode() for a, b in zip(start, start[1:])]
    assert cells[0:4] == ["g0", "", "g1", "n1"]
kind, t, width, n, columns, s = read("bits.nepx")
flags = np.load(golden + "/source_bits_b1.npy")
assert (kind, t, width, n, columns) == (1, 0, 2048, 6, 0)
number = np.frombuffer(s["number"], "<i8")
assert np.array_equal(number, np.argsort(flags.sum(1), kind="stable"))
rows = np.unpackbits(np.frombuffer(s["rows"], "u1").reshape(n, -1), axis=1, bitorder="little")
assert np.array_equal(rows.astype(bool), flags[number])
assert np.array_equal(np.frombuffer(s["popcount"], "<u2"), rows.sum(1))
assert np.array_equal(np.frombuffer(s["sketch"], "u1").reshape(n, 16), rows.reshape(n, 16, 128).sum(2))
PY
}

@test "vectors: a plan writes nothing" {
    run "$NEPENTHE" vectors "$GOLDEN/source_f4.npy" --dry-run -o out.nepx
    [ "$status" -eq 0 ]
    [[ "$output" == *"units	7"* ]]
    [ ! -e out.nepx ]
}
