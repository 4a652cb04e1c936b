#!/usr/bin/env bats
# Data larger than the memory that the process may have: built, searched, compared with itself and merged under a limit on all that is not a
# mapped file (RLIMIT_DATA), which takes no privilege and which no allocation passes, with the bytes of a run without it.

setup() {
    cd "$BATS_TEST_TMPDIR"
    PYTHON=${PYTHON:-/usr/bin/python3}
    "$PYTHON" -c 'import random; random.randbytes(1)' 2> /dev/null || skip "no python3 of 3.9 or later here"
    export OPENBLAS_NUM_THREADS=1 # it takes its buffers before the program begins, and waits for ever where there are none
    MB=80
    "$NEPENTHE" version > /dev/null
    limited version > /dev/null 2>&1 || skip "this build (with a sanitizer) does not start in $MB MB"
}

limited() { (ulimit -d $((MB * 1024)) && exec "$NEPENTHE" "$@" --threads 2); }
free() { "$NEPENTHE" "$@" --threads 2; }

# both NAME ARGUMENTS...: the same command with and without the limit writes the same bytes
both() {
    local name=$1
    shift
    limited "$@" -q -o "$name"
    free "$@" -q -o free.out
    [ -s "$name" ]
    cmp "$name" free.out
    rm -f free.out free.out.json
}

# FILE MEGABYTES: it is several times the limit
larger() { [ "$(stat -c %s "$1")" -gt $(($2 << 20)) ] && [ "$2" -ge $((5 * MB / 2)) ]; }

@test "the limit is one, which the budget knows: what needs more is refused in a sentence" {
    (printf '\1\0\0\0\1\0\0\0' && printf 1) > one.i8bin
    (printf 'id\n' && head -c $((200 << 20)) /dev/zero | tr '\0' x) > big.tsv # one id as long as that
    run limited vectors one.i8bin --ids big.tsv -q -o refused.nepx
    [ "$status" -eq 71 ]
    [[ "$output" == *"big.tsv: the row at line 2: "*"budget of $((MB * 3 / 4)) MB"* ]]
    [ ! -e refused.nepx ]
}

@test "ids: 265 MB of them and their metadata in 80 MB, and what is wrong in them is told by its line" {
    "$PYTHON" - << 'PY'
import struct
n = 1000000
with open("x.i8bin", "wb") as f:
    f.write(struct.pack("<2I", n, 4) + bytes(range(4 * 25)) * (n // 25))
with open("ids.tsv", "w") as f:
    f.write("id\tnote\n")
    for i in range(n):
        f.write("subject-%07d\t%s\n" % (i, ("note %d " % i * 60)[:i % 500]))
PY
    larger ids.tsv 250
    both x.nepx vectors x.i8bin --ids ids.tsv
    limited similar x.nepx --id subject-0999979 --top 1 --columns note -q -o found.tsv
    [ "$(tail -1 found.tsv | cut -f 3)" = subject-0000004 ] # the first of the rows that are alike
    gzip -1 < ids.tsv > ids.tsv.gz
    limited vectors x.i8bin --ids ids.tsv.gz -q -o packed.nepx
    cmp x.nepx packed.nepx
    printf 'one more\n' >> ids.tsv # of one cell
    run limited vectors x.i8bin --ids ids.tsv -q -o refused.nepx
    [ "$status" -eq 65 ]
    [[ "$output" == *"ids.tsv: line 1000002 has 1 cells, the header has 2"* ]]
    [ ! -e refused.nepx ]
}

@test "fingerprints: 210 MB in 80 MB" {
    "$PYTHON" - << 'PY'
import random
r, n, width = random.Random(7), 100000, 256
def blob(): return int.from_bytes(r.randbytes(n * width), "little")
head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d), }" % (8 * n, width)
head += b" " * (-(len(head) + 11) % 64) + b"\n"
with open("bits.npy", "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    for group in range(8):  # of another share of bits each
        x = blob()
        for k in range(group % 4):
            x = x & blob() if (group + k) % 2 else x | blob()
        f.write(x.to_bytes(n * width, "little"))
PY
    limited vectors bits.npy --bits -q -o bits.nepx
    larger bits.nepx 210
    for i in 1 2; do limited vectors bits.npy --bits --shard $i/2 -q -o shard$i.nepx; done
    rm bits.npy
    limited merge shard2.nepx shard1.nepx -q -o merged.nepx
    cmp bits.nepx merged.nepx
    rm shard?.nepx merged.nepx
    both top.tsv similar bits.nepx --row 0-4,799990-799999 --top 50
    both within.tsv similar bits.nepx --row 0,500000 --threshold 0.4
    printf 'id\n' > only.tsv
    seq 0 9 799999 >> only.tsv # their rows alone are 23 MB, more than a quarter of the budget
    both only.out similar bits.nepx --row 7,400000 --top 20 --only only.tsv
    both nearest.part neighbours bits.nepx --top 3 --shard 2/8000
    both pairs.part neighbours bits.nepx --threshold 0.45 --shard 8000/8000
    for i in 3 1 2; do limited similar bits.nepx --row 0-4,799990-799999 --top 50 --shard $i/3 -q -o part$i; done
    limited merge part1 part3 part2 -q -o whole.tsv
    cmp top.tsv whole.tsv
}

@test "vectors: 240 MB in 80 MB, all of them with each other, in parts and in one run" {
    "$PYTHON" - << 'PY'
import random, struct
r, n, dims = random.Random(11), 2048, 24576
with open("x.i8bin", "wb") as f:
    f.write(struct.pack("<2I", n, dims))
    for _ in range(16):
        f.write(r.randbytes(n * dims // 16))
PY
    both x.nepx vectors x.i8bin
    larger x.nepx 230
    for i in 1 2 3; do limited vectors x.i8bin --shard $i/3 -q -o shard$i.nepx; done
    limited merge shard3.nepx shard1.nepx shard2.nepx -q -o merged.nepx
    cmp x.nepx merged.nepx
    rm shard?.nepx merged.nepx x.i8bin
    both top.tsv similar x.nepx --row 0-19 --top 30
    both l2.tsv similar x.nepx --row 5,2000 --top 10 --metric l2
    both within.tsv similar x.nepx --row 0-19 --threshold 0.02
    free neighbours x.nepx --top 2 -q -o nearest.tsv
    for i in 2 1; do limited neighbours x.nepx --top 2 --shard $i/2 -q -o part$i; done
    limited merge part1 part2 -q -o whole.tsv
    cmp nearest.tsv whole.tsv
    both pairs.tsv neighbours x.nepx --threshold 0.02
    [ "$(wc -l < pairs.tsv)" -gt 100 ]
}

@test "every format is read in bounded memory: 200 MB of each in 80 MB, the same rows" {
    "$PYTHON" - << 'PY'
import array, random, struct, json
r, n, dims = random.Random(3), 12800, 4096
rows = [array.array("f", memoryview(r.randbytes(n // 64 * dims)).cast("b")).tobytes() for _ in range(64)]
head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (n, dims)
head += b" " * (-(len(head) + 11) % 64) + b"\n"
def save(name, head, rows):
    with open(name, "wb") as f:
        f.write(head)
        for x in rows: f.write(x)
save("a.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head, rows)
save("a.fbin", struct.pack("<2I", n, dims), rows)
text = json.dumps({"x": {"dtype": "F32", "shape": [n, dims], "data_offsets": [0, n * dims * 4]}}).encode()
save("a.safetensors", struct.pack("<Q", len(text)) + text, rows)
one, size = struct.pack("<i", dims), 4 * dims
save("a.fvecs", b"", (b"".join(one + x[i:i + size] for i in range(0, len(x), size)) for x in rows))
try:
    import h5py, numpy
    with h5py.File("a.h5", "w") as f:
        names = f.create_dataset("obs/_index", data=[b"%d" % i for i in range(n)], dtype=h5py.string_dtype())
        x = f.create_dataset("X", (n, dims), "f4", chunks=(n // 16, 64), compression=1)
        x[:] = numpy.frombuffer(b"".join(rows), "f4").reshape(n, dims)
        y = f.create_dataset("Y", (n, dims), "f4", chunks=(100, dims))
        y[:] = x[:]
except ImportError:
    pass
PY
    larger a.npy 200
    free vectors a.npy --type int8 -q -o a.nepx
    for f in npy fbin safetensors fvecs; do
        limited vectors a.$f --type int8 -q -o limited.nepx
        cmp a.nepx limited.nepx
        rm a.$f
    done
    [ -e a.h5 ] || skip "no h5py here: the other formats passed"
    limited vectors a.h5 --type int8 --dataset Y -q -o limited.nepx
    cmp a.nepx limited.nepx
    limited vectors a.h5 --type int8 --dataset X -q -o limited.nepx # many chunks side by side, packed
    cmp a.nepx limited.nepx
    limited vectors a.h5 --type int8 -q -o named.nepx # with ids
    [ "$("$NEPENTHE" similar named.nepx --id 12799 --top 1 -q | tail -1 | cut -f 1)" = 12799 ]
}
