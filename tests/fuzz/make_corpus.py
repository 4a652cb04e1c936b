# SPDX-License-Identifier: Apache-2.0
"""Writes the first, sound inputs of tests/fuzz/corpus/<reader>; findings join them by hand. Standard library only."""
import gzip
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def put(reader, name, data):
    os.makedirs(os.path.join(HERE, reader), exist_ok=True)
    with open(os.path.join(HERE, reader, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def image(version, big, n_t, code, bits, extension=b""):
    e = ">" if big else "<"
    dim = [4 if n_t > 1 else 3, 3, 4, 2, n_t, 1, 1, 1]
    pix = [1.0, 2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    rows = [-2.0, 0, 0, 10, 0, 2.0, 0, 20, 0, 0, 2.0, 30]
    size = 348 if version == 1 else 540
    b = bytearray(size)
    offset = size + 4 + len(extension)
    if version == 1:
        struct.pack_into(e + "i", b, 0, 348)
        struct.pack_into(e + "8h", b, 40, *dim)
        struct.pack_into(e + "hh", b, 70, code, bits)
        struct.pack_into(e + "8f", b, 76, *pix)
        struct.pack_into(e + "3f", b, 108, offset, 0.5, -1)
        b[123] = 10
        struct.pack_into(e + "hh", b, 252, 1, 1)
        struct.pack_into(e + "12f", b, 280, *rows)
        b[344:348] = b"n+1\0"
    else:
        struct.pack_into(e + "i", b, 0, 540)
        b[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into(e + "hh", b, 12, code, bits)
        struct.pack_into(e + "8q", b, 16, *dim)
        struct.pack_into(e + "8d", b, 104, *pix)
        struct.pack_into(e + "q", b, 168, offset)
        struct.pack_into(e + "2d", b, 176, 1, 0)
        struct.pack_into(e + "ii", b, 344, 1, 0)
        struct.pack_into(e + "3d", b, 352, 0, 0, 1)
        struct.pack_into(e + "i", b, 500, 10)
    data = bytes(i % 5 for i in range(24 * n_t * bits // 8)) if bits == 8 else b"".join(
        struct.pack(e + {4: "h", 16: "f", 64: "d", 1280: "Q"}[code], i % 9) for i in range(24 * n_t))
    return bytes(b) + (b"\1\0\0\0" if extension else b"\0\0\0\0") + extension + data


images = {
    "one.nii": image(1, False, 1, 4, 16), "big.nii": image(1, True, 2, 16, 32), "two.nii": image(2, False, 1, 2, 8),
    "two_big.nii": image(2, True, 3, 64, 64), "extended.nii": image(1, False, 1, 4, 16, struct.pack("<ii8x", 16, 6) * 2),
    "u64.nii": image(2, False, 1, 1280, 64),
}
for name, data in images.items():
    put("nifti", name, data)
    put("gzip", name + ".inside", b"\1" + data)
    put("gzip", name + ".gz", b"\0" + gzip.compress(data, mtime=0))
put("gzip", "members.gz", b"\0" + gzip.compress(images["one.nii"][:99], mtime=0) + gzip.compress(images["one.nii"][99:], mtime=0) + bytes(20))
golden = os.path.join(HERE, "..", "..", "golden", "inflate_%s.gz")
for name, how in (("small", b"\x02\x02"), ("level9", b"\x20\x41"), ("fixed", b"\x01\x80"), ("far", b"\x08\xff")):
    with open(golden % name, "rb") as f:
        put("gzip", f"leaps_{name}.gz", b"\2" + how + f.read())
put("gzip", "leaps.packed", b"\3\x0a\x82\x09\x07" + images["one.nii"][:700])

maps = "region\td\td_se\tlicence\nL_a\t0.5\t0.1\tCC0\nR_a\tn/a\tn/a\tCC0\n"
put("tsv", "table", "\0" + maps)
put("tsv", "series", "\1x\ty\r\n1.5\t-2e3\r\nn/a\t3\r\n")
put("tsv", "maps", "\2" + maps)
put("tsv", "geometry", "\3region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\tsphere_x\tsphere_y\tsphere_z\nL_a\tL\tcortex\t1\t2\t3\t0\t1\t0\n")
put("tsv", "surface", "\6hemisphere\tsphere_x\tsphere_y\tsphere_z\tparcel\nL\t0\t0\t100\tL_a\nR\t1\t2\t3\tn/a\n")
put("tsv", "molset", "\4drug_id\tname\tsmiles\tfingerprint\tatc4\tmechanism_class\tmw\nA\ta\tC\t01ff\tN05A\tx\t9.5\n")
put("tsv", "csv", "\5a,\"b,c\"\n\"x \"\"y\"\"\",\"z\n\"\n")
put("tsv", "stream", "\5id,\"name of it\"\r\n1,\"a quoted cell, longer than a small window,\r\nof two lines\"\r\n2,plain and long enough\r\n\r\n\r\n")
put("tsv", "blank", "\0id\n1\n\n\n\u00e9\U0001f9e0\U0001f9e0\U0001f9e0\n\r\n\n")
put("tsv", "packed", b"\0" + gzip.compress(maps.encode(), mtime=0))
put("events", "plain", "onset\tduration\ttrial_type\tmodulation\n0.5\t1\tface\t2\n3\t0\tn/a\tn/a\n1e2\t2.5\thouse\t-1\n")
put("events", "bare", "duration\tonset\n0\t-3.5\n")
put("labels", "tsv", "index\tname\themisphere\n0\tBackground\tn/a\n1\tinsula\tL\n2\tinsula\tR\n7\tstem\tB\n")
put("labels", "plain", "id\tlabel\n3\ta\n4\tb\n")
put("json", "object", '{"d": {"unit": "mm", "se_column": "d_se", "n": [1, -2.5e3, null, true, "\\u00e9"]}}')
put("json", "deep", "[" * 40 + "]" * 40)
put("study", "full", """schema: nepenthe/study/1
name: a study
geometry: geo.tsv
disorders:
  - {id: DOID:5419, name: schizophrenia, map: {table: maps/d.tsv, value: d, se: d_se}, direction: decrease}
  - {id: SIM:A, name: Simulated A, map: {table: /d.tsv, value: d, se: [20, 30]}, simulated: true, truth: t.tsv}
receptors: {table: "${NEPENTHE_SHARED}/r.tsv", reliability: rel.tsv}
drugs: drugs.tsv
affinities: aff.tsv
labels: labels.tsv
evidence: [{channel: literature, table: ev.tsv, half_life: 4, reference_year: 2016}, {channel: expert_votes, table: v.tsv, labels_from: us}]
signatures: {disorders: sd.tsv, drugs: sk.tsv}
targets: t.tsv
atlas: a.nii.gz
channels: [{name: engagement, options: {z: 1, a: two}}, {name: analogue}]
primary: {channels: [engagement], scope: cortex, relative_occupancy: 0.6, score: A, mode: S}
evaluate: {protocols: [masked], negatives: [all, failed], bootstrap: 100}
nulls: {n: 500, kind: spin}
""")
put("study", "atlas", "schema: nepenthe/study/1\nname: n\ndrugs: d\ndisorders: [{id: a, name: b}]\natlas: {image: a.nii, labels: l.tsv}\n")
put("study", "alias", "a: &x [1]\nb: *x\n")
put("study", "block", "schema: nepenthe/study/1.2\nname: |\n  n\ndrugs: >\n  d\ndisorders: [{id: a, name: b}]\n")
put("records", "smi", "\0SMILES id\nCCO\tethyl alcohol\tx\n# note\n\nC |$a$| b\r\nN")
put("records", "sdf", "\1one\n\n\n  0  0\nM  END\n>  <ID>  (1)\nA\n\n$$$$\n\r\nM  END\r\n$$$$\r\n")
put("records", "sdf_field", "\2one\n\n\nM  END\n> 2 <ID>\nA\n\n$$$$\n")
put("records", "csv", "\3id,smiles,note\n\"a, \"\"b\"\"\",\"C\nC\",\nx,N,1\n\"q\"q,C,1\n")
put("records", "tsv", "\4canonical_smiles\tdrug_id\nCCO\t\xc3\xa9\nn/a\tx\n")
put("records", "packed", b"\0" + gzip.compress(b"CCO a\nCCN b\n", mtime=0))
put("hdf5", "answer", b"NEPH5DAT" + struct.pack("<5q3d", 1, 3, 1, 1, 1, 1, 2, 3) + b"NEPH5END")
put("hdf5", "empty", b"NEPH5DAT" + struct.pack("<5q", 2, 0, 5, 1, 1) + b"NEPH5END")
put("hdf5", "error", b"NEPH5ERRis no HDF5 file")
put("hdf5", "texts", b"NEPH5TXT" + struct.pack("<3q", 3, 3, 9) + b"ab\0\0\xc3\xa9cd\0" + b"NEPH5END")
put("hdf5", "texts_pieces", b"NEPH5TXT" + struct.pack("<3q", 3, 1, 3) + b"ab\0" + struct.pack("<2q", 2, 6) + b"\0\xc3\xa9cd\0" + b"NEPH5END")
put("hdf5", "texts_none", b"NEPH5TXT" + struct.pack("<q", 0) + b"NEPH5END")
put("hdf5", "texts_bad", b"NEPH5TXT" + struct.pack("<3q", 1, 1, 3) + b"\xff\t\0" + b"NEPH5END")

for i, name in enumerate(["sub-01_ses-A_task-rest_run-1_space-MNI_res-2_desc-preproc_bold.nii.gz", "sub-01_desc-confounds_timeseries.tsv",
                          "sub-01_task-jr+wc_bold", "sub-_bold.nii", "sub-01_sub-02_bold.nii", "_.", "sub-" + "a" * 245 + "_b.nii"]):
    put("bids", "name%d" % i, name)


def index(kind, type_, width, n, sections, total=None, first=0, columns=0, lists=0):
    """nepenthe/index/1 after docs/index_files.md; checksums are left 0, which the target mends."""
    at, body, table = 4096, b"", b""
    for tag, data in sections:
        step = 4096 if tag in ("rows", "shadow") else 64
        at = (at + step - 1) // step * step
        table += struct.pack("<8sqqQ", tag.encode(), at, len(data), 0)
        body += bytes(at - 4096 - len(body)) + data
        at += len(data)
    head = struct.pack("<24sIIqqqqQQIIqqqqQ", b"nepenthe/index/1", kind, type_, width, n, total or n, first, 0, 0, columns, len(sections), lists,
                       4096 + len(body), 0, 0, 0)
    assert len(head) == 128
    return head + table + bytes(4096 - 128 - len(table)) + body


def i64(*v):
    return struct.pack("<%dq" % len(v), *v)


put("index", "bits", index(1, 0, 70, 3, [("rows", struct.pack("<6Q", 1, 0, 3, 0, 7, 32)), ("popcount", struct.pack("<3H", 1, 2, 4)),
    ("sketch", bytes([1] + [0] * 15 + [2] + [0] * 15 + [3] + [0] * 7 + [1] + [0] * 7)), ("number", i64(2, 0, 1)), ("idstart", i64(0, 1, 1, 3)),
    ("idtext", b"abc"), ("columns", b"x\0yz\0"), ("cellstrt", i64(0, 1, 1, 2, 2, 2, 3)), ("celltext", b"pqr"), ("about", b"made up\0")], columns=2))
row = struct.pack("<3f", 3, 4, 0) + bytes(52)
put("index", "f32", index(2, 1, 3, 2, [("rows", row * 2), ("norm", struct.pack("<2d", 5, 5)), ("shadow", bytes(128)), ("shscale", bytes(8)),
    ("shresid", bytes(8)), ("about", b"\0")], total=5, first=3))
put("index", "int8", index(2, 4, 2, 2, [("rows", (bytes([3, 252]) + bytes(62)) * 2), ("scale", struct.pack("<2f", 1, 1)), ("norm", struct.pack("<2d", 5, 5)),
    ("centroid", struct.pack("<2f", 1, 2)), ("lists", i64(0, 2)), ("number", i64(0, 1)), ("about", b"\0")], lists=1))

formats = ["npy", "fps", "fvecs", "bvecs", "ivecs", "fbin", "u8bin", "i8bin", "safetensors"]
for name, bits in (("f4.npy", 0), ("f2.npy", 0), ("v3.npy", 0), ("i1.npy", 0), ("bits_u1.npy", 1), ("bits_u8.npy", 1), ("u1.npy", 1), ("rdkit_166.fps", 0),
                   ("a.fvecs", 0), ("a.bvecs", 0), ("a.ivecs", 0), ("a.fbin", 0), ("a.u8bin", 0), ("a.i8bin", 0), ("one.safetensors", 0)):
    with open(os.path.join(HERE, "..", "..", "golden", "source_" + name), "rb") as f:
        put("source", name, bytes([formats.index(name.split(".")[1]) * 2 + bits]) + f.read())
put("source", "short.fps", b"\2#FPS1\r\n0f\ta\r\nF0\tb")

put("network", "yaml", """0schema: nepenthe/network/1
name: a network
strict: true
kinds:
  - {id: C, name: Compound, nodes: compounds.tsv}
  - {id: G}
metaedges:
  - {id: CbG, edges: "${NEPENTHE_SHARED}/cbg.tsv.gz", licence: CC0, source: here}
  - {id: Gr>G, edges: r.tsv}
""")
put("network", "yaml_twice", "0schema: nepenthe/network/1\nname: n\nmetaedges: [{id: CbG, edges: a}, {id: CbG, edges: b}]\n")
put("network", "yaml_newer", "0schema: nepenthe/network/2\nname: n\nmetaedges: []\n")
put("network", "nodes", "1id\tname\n7124\tTNF\n10\tn/a\n")
put("network", "nodes_twice", "1id\n10\n10\n")
put("network", "edges", "Csource\ttarget\tweight\tsign\tlicence\tsource_db\nb\ta\t0.5\t-1\tCC BY 4.0\tx\na\tb\tn/a\tn/a\tn/a\tn/a\nc\tc\t1\t1\tODbL\ty\n")
put("network", "edges_open", "Ksource\ttarget\tlicence\tprovenance\na\tb\tCC BY-NC 4.0\tx\na\tb\tCC0\ty\n")
put("network", "edges_sign", "Csource\ttarget\tsign\na\tb\t2\n")
put("network", "edges_strict", "3source\ttarget\na\tb\nb\ta\n")
