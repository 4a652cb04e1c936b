#!/usr/bin/env bats
# molecules: structures in, molset, table and FPS out; what is skipped is told; the same bytes for any thread count.

load images

setup() {
    cd "$BATS_TEST_TMPDIR"
    printf 'SMILES name\nCCO ethanol\nC1CC bad one\nOCC\tagain\tx\nCCN.Cl salt\n\n# c\nCN(C)(C)(C)C five\nN[C@@H](C)C(=O)O\n' >few.smi
}

need_rdkit() { "$NEPENTHE" doctor | grep -q '^structures *RDKit' || skip "the RDKit module is not part of this build"; }

@test "molecules --help" {
    run "$NEPENTHE" molecules --help
    [ "$status" -eq 0 ]
    for word in STRUCTURES --fingerprint --descriptors --parent --no-inchikey --format --smiles-column --id-column --tsv --fps --index --skipped morgan:2:2048; do
        [[ "$output" == *"$word"* ]] || { echo "no $word"; return 1; }
    done
}

@test "a table to standard output: columns, salts, duplicates, ids that were not given; exit 1 and one sentence for what was skipped" {
    need_rdkit
    status=0
    "$NEPENTHE" molecules few.smi -f morgan:2:64 >got.tsv 2>got.txt || status=$?
    [ "$status" -eq 1 ]
    [ "$(cat got.tsv)" = "$(printf 'drug_id\tsmiles\tinchikey\tparent_smiles\tparent_inchikey\tduplicate_of\tfingerprint
ethanol\tCCO\tLFQSCWFLJHTTHZ-UHFFFAOYSA-N\tn/a\tLFQSCWFLJHTTHZ-UHFFFAOYSA-N\tn/a\t04000140c2000000
again\tCCO\tLFQSCWFLJHTTHZ-UHFFFAOYSA-N\tn/a\tLFQSCWFLJHTTHZ-UHFFFAOYSA-N\tethanol\t04000140c2000000
salt\tCCN.Cl\tXWBDWHCCBGMXKG-UHFFFAOYSA-N\tCCN\tQUSNBJAOOMFDIB-UHFFFAOYSA-N\tn/a\t0400290042000000
QNAYBMKLOCPYGJ-REOHCLBHSA-N\tC[C@H](N)C(=O)O\tQNAYBMKLOCPYGJ-REOHCLBHSA-N\tn/a\tQNAYBMKLOCPYGJ-REOHCLBHSA-N\tn/a\t32040c0a82001020')" ] ||
        { cat got.tsv; return 1; }
    stderr=$(cat got.txt)
    [[ "$stderr" == *"2 of 6 records were skipped, the rest is complete; line 3: SMILES Parse Error: unclosed ring"* ]]
    [[ "$stderr" == *"with the InChIKey of one before them: 1"* ]]
    [ "$(ls)" = "$(printf 'few.smi\ngot.tsv\ngot.txt')" ]
}

@test "molset, table and FPS say the same; the skipped are listed by line; all bytes are the same for any thread count" {
    need_rdkit
    need_nibabel
    "$PYTHON" -c 'import h5py' || skip "python3-h5py is not installed"
    for threads in 1 4; do
        mkdir $threads
        run "$NEPENTHE" molecules few.smi --descriptors --threads $threads -o $threads/out.h5 --tsv $threads/out.tsv --fps $threads/out.fps \
            --index $threads/out.nepx
        [ "$status" -eq 1 ]
    done
    diff -r 1 4
    [ "$(cat 1/out_skipped.tsv)" = "$(printf 'line\tid\treason\n3\tbad one\tSMILES Parse Error: unclosed ring for input: '"'C1CC'"'\n8\tfive\tExplicit valence for atom # 1 N, 5, is greater than permitted')" ]
    "$PYTHON" - <<'PY'
import h5py, json
import numpy as np
h = h5py.File("1/out.h5")
assert h.attrs["schema"] == "nepenthe/molset/1" and h.attrs["fingerprint"] == "morgan:2:2048" and h.attrs["n_bits"][0] == 2048
assert json.loads(h.attrs["provenance"])["inputs"][0]["name"] == "few.smi"
rows = [l.split("\t") for l in open("1/out.tsv").read().splitlines()]
table = {name: [r[k] for r in rows[1:]] for k, name in enumerate(rows[0])}
text = lambda k: [s.decode() or "n/a" for s in h[k][:]]
assert text("id") == table["drug_id"]
for k in ("smiles", "inchikey", "parent_smiles", "parent_inchikey"):
    assert text(k) == table[k], k
assert list(h["line"][:]) == [2, 4, 5, 9] and list(h["duplicate_of"][:]) == [-1, 0, -1, -1]
as_hex = [row.tobytes().hex() for row in h["bits"][:]]
assert as_hex == table["fingerprint"]
fps = [l.split("\t") for l in open("1/out.fps").read().splitlines() if l[0] != "#"]
assert fps == [list(p) for p in zip(as_hex, text("id"))]
head = [l for l in open("1/out.fps").read().splitlines() if l[0] == "#"]
assert head[:3] == ["#FPS1", "#num_bits=2048", "#type=RDKit-Morgan/1 radius=2 fpSize=2048 useFeatures=0 useChirality=0 useBondTypes=1"], head
index = open("1/out.nepx", "rb").read() # positions run by (population count, row)
order = sorted(range(4), key=lambda i: (int(np.unpackbits(h["bits"][i].view("u1")).sum()), i))
assert b"".join(h["bits"][i].tobytes() for i in order) in index
assert "".join(text("id")[i] for i in order).encode() in index and b"morgan:2:2048 by RDKit" in index
names = [s.decode() for s in h["descriptor_names"][:]]
for d, name in enumerate(names):
    assert np.allclose(h["descriptors"][:, d], [float(x) for x in table[name]], rtol=1e-8), name
assert table["cns_mpo_terms"] == ["4"] * 4 and table["components"] == ["1", "1", "2", "1"]
PY
}

@test "sdf, csv, gzip and standard input give what smi gives" {
    need_rdkit
    grep -v 'C1CC\|five' few.smi >good.smi
    "$NEPENTHE" molecules good.smi -q >want.tsv
    gzip -nk good.smi
    "$NEPENTHE" molecules good.smi.gz -q | cmp - want.tsv
    "$NEPENTHE" molecules - --format smi -q <good.smi | cmp - want.tsv
    printf 'note,Canonical_SMILES,Name\n"x, y",CCO,ethanol\n,OCC,again\n,CCN.Cl,salt\n,N[C@@H](C)C(=O)O,\n' >good.csv
    "$NEPENTHE" molecules good.csv -q | cmp - want.tsv
    tr ',' '\t' <<<'a,b
ethanol,CCO' >odd.tsv
    "$NEPENTHE" molecules odd.tsv --smiles-column b --id-column a -q | head -2 | cut -f1,2 | tail -1 | grep -qx "ethanol	CCO"
    "$NEPENTHE" molecules "$GOLDEN/molecules.sdf" -q >sdf.tsv
    cut -f1,3 "$GOLDEN/molecules_sdf.tsv" | tail -n +2 | cmp - <(cut -f1,2 sdf.tsv | tail -n +2)
    "$NEPENTHE" molecules "$GOLDEN/molecules.sdf" --id-column number -q | cut -f1 | sed -n '2p;$p' | paste -s | grep -qx "0	40"
}

@test "the table is what rank reads as its drugs, and duplicate_of is no descriptor" {
    need_rdkit
    printf 'CCO 1\nOCC 2\nCCN 3\n' >numbers.smi
    "$NEPENTHE" molecules numbers.smi --descriptors --parent --no-inchikey -o numbers.tsv
    head -1 numbers.tsv | tr '\t' '\n' | sed -n '7,8p' | paste -s | grep -qx "fingerprint	mw"
    [ "$(cut -f3,5,6 numbers.tsv | tail -1)" = "$(printf 'n/a\tn/a\tn/a')" ]
}

@test "without RDKit: one sentence, what is missing and how to get it, exit 69" {
    NEPENTHE_RDKIT_MODULE=/nowhere refused 69 "install librdkit-dev and libinchi-dev" "$NEPENTHE" molecules few.smi -o out.h5
    NEPENTHE_RDKIT_MODULE=/nowhere "$NEPENTHE" doctor | grep -q "^structures  *not here"
    NEPENTHE_RDKIT_MODULE=/nowhere "$NEPENTHE" doctor --json | grep -q rdkit && return 1
    printf 'not a module' >nepenthe_rdkit.so
    NEPENTHE_RDKIT_MODULE=. refused 69 "cannot be loaded" "$NEPENTHE" molecules few.smi -o out.h5
}

@test "bad input: one sentence, the exit code, no output but the list" {
    refused 64 "is not known" "$NEPENTHE" molecules few.smi -f ecfp4 -o out.h5
    refused 64 "morgan:RADIUS:BITS" "$NEPENTHE" molecules few.smi -f morgan:2:10000 -o out.h5
    refused 64 "tells what to write" "$NEPENTHE" molecules few.smi -o out.xyz
    refused 64 "needs a fingerprint" "$NEPENTHE" molecules few.smi -f none --fps out.fps
    refused 64 "needs a fingerprint" "$NEPENTHE" molecules few.smi -f none -o out.nepx
    refused 64 "two outputs" "$NEPENTHE" molecules few.smi -o out.tsv --tsv out.tsv
    refused 64 "--tsv: a file is needed" "$NEPENTHE" molecules few.smi -o out.h5 --tsv -
    cp few.smi few.txt
    need_rdkit
    refused 64 "--format" "$NEPENTHE" molecules few.txt -o out.h5
    refused 66 "absent.smi" "$NEPENTHE" molecules absent.smi -o out.h5
    printf 'a,b\n1,2\n' >no.csv
    refused 65 "--smiles-column" "$NEPENTHE" molecules no.csv -o out.h5
    printf '# nothing\n' >none.smi
    refused 65 "holds no molecule" "$NEPENTHE" molecules none.smi -o out.h5
    gzip -nc few.smi | head -c 60 >cut.smi.gz
    refused 65 "cut off" "$NEPENTHE" molecules cut.smi.gz -o out.h5
    printf 'C1 x\nC( y\n' >bad.smi
    run "$NEPENTHE" molecules bad.smi -o bad.h5
    [ "$status" -eq 65 ] && [[ "$output" == *"none of its 2 records"*"bad_skipped.tsv"* ]]
    [ ! -e bad.h5 ] && [ "$(wc -l <bad_skipped.tsv)" -eq 3 ]
}

@test "a later run without skipped records does not leave the old list; --skipped names it; --json; --dry-run" {
    need_rdkit
    run "$NEPENTHE" molecules few.smi -o a.h5
    [ "$(wc -l <a_skipped.tsv)" -eq 3 ]
    sed -i '/C1CC/d; /five/d' few.smi
    "$NEPENTHE" molecules few.smi -o a.h5
    [ "$(cat a_skipped.tsv)" = "$(printf 'line\tid\treason')" ]
    "$NEPENTHE" molecules few.smi -o b.h5 --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert (d["molecules"], d["skipped"], d["duplicates"], d["schema"]) == (4, 0, 1, "nepenthe/molecules/1"), d'
    [ ! -e b_skipped.tsv ]
    "$NEPENTHE" molecules few.smi -o c.h5 --dry-run | grep -qx "units	4"
    [ ! -e c.h5 ]
}

@test "an interrupted run leaves nothing" {
    need_rdkit
    yes 'CC(C)C[C@H](NC(=O)[C@H](CC(N)=O)NC(=O)[C@H](CCCNC(N)=N)NC(=O)[C@@H](N)Cc1c[nH]cn1)C(=O)N x' | head -50000 >many.smi
    "$NEPENTHE" molecules many.smi --descriptors -o many.h5 -q &
    pid=$!
    sleep 1
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    [ "$(ls)" = "$(printf 'few.smi\nmany.smi')" ]
}

@test "of 153,705 real molecules a sample is canonical (the bits of all: tests/similarity/fingerprints.sh)" {
    need_rdkit
    set="$(dirname "$SHARED")/similarity/smiles_153705.tsv.gz"
    [ -e "$set" ] || skip "the evaluation data are not here"
    zcat "$set" | awk -F'\t' 'NR % 40 == 1 {print $3 "\t" $2 $1}' >sample.smi
    "$NEPENTHE" molecules sample.smi --no-inchikey -o sample.tsv -q
    cut -f1 sample.smi | cmp - <(cut -f2 sample.tsv | tail -n +2)
}
