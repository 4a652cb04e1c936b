# SPDX-License-Identifier: Apache-2.0
"""Writes source_*: one small set of rows in every format that `vectors` reads, by numpy, h5py and RDKit.

Number (i, j) is ((31 i + 17 j) mod 101 - 50) / 8, of which all types hold what the tests expect: whole numbers its numerator.
"""
import gzip
import json
import os
import struct

import h5py
import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, "source_" + name)


n, dims = 7, 5
whole = np.add.outer(31 * np.arange(n), 17 * np.arange(dims)) % 101 - 50
x = (whole / 8).astype(np.float64)
for name, a in (("f4", x.astype("<f4")), ("f8", x), ("f2", x.astype("<f2")), ("i1", whole.astype("i1")), ("u1", (whole + 50).astype("u1")),
                ("fortran", np.asfortranarray(x)), ("big", x.astype(">f4")), ("flat", x[0])):
    np.save(path(name + ".npy"), a)
for version in ((2, 0), (3, 0)):
    with open(path("v%d.npy" % version[0]), "wb") as f:
        np.lib.format.write_array(f, x.astype("<f4"), version=version)
with open(path("nan.npy"), "wb") as f:
    bad = x.astype("<f4")
    bad[3, 2] = np.nan
    np.save(f, bad)
with open(path("f4.npy"), "rb") as f, open(path("f4.npy.gz"), "wb") as g:
    g.write(gzip.compress(f.read(), mtime=0))
prefix = np.full((n, 1), dims, "<i4")
np.hstack([prefix.view("u1").reshape(n, 4), x.astype("<f4").view("u1").reshape(n, -1)]).tofile(path("a.fvecs"))
np.hstack([prefix.view("u1").reshape(n, 4), (whole + 50).astype("u1")]).tofile(path("a.bvecs"))
np.hstack([prefix, whole.astype("<i4")]).tofile(path("a.ivecs"))
for ending, a in (("fbin", x.astype("<f4")), ("u8bin", (whole + 50).astype("u1")), ("i8bin", whole.astype("i1"))):
    with open(path("a." + ending), "wb") as f:
        f.write(struct.pack("<II", n, dims) + a.tobytes())

bf16 = (x.astype("<f4").view("<u4") >> 16).astype("<u2")  # exact: these numbers have 8 bits at most
tensors = {"f32": ("F32", x.astype("<f4")), "f64": ("F64", x), "f16": ("F16", x.astype("<f2")), "bf16": ("BF16", bf16), "i8": ("I8", whole.astype("i1")),
           "bias": ("F32", x[0].astype("<f4"))}
for name, chosen in (("many", list(tensors)), ("one", ["bias", "bf16"])):
    head, data = {"__metadata__": {"format": "np"}}, b""
    for t in chosen:
        kind, a = tensors[t]
        head[t] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [len(data), len(data) + a.nbytes]}
        data += a.tobytes()
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path(name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)

with h5py.File(path("plain.h5"), "w") as f:
    f.create_dataset("group/x", data=x.astype("<f4"), track_times=False)
with h5py.File(path("anndata.h5"), "w") as f:
    f.create_dataset("X", data=x, track_times=False)
    f.create_dataset("obs/participant_id", data=["sub-%02d" % i for i in range(n)], dtype=h5py.string_dtype(), track_times=False)

smiles = ["CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "O=C(O)c1ccccc1O", "C", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "Clc1ccccc1C1=NCC(=O)Nc2ccc(cc12)[N+](=O)[O-]"]
for bits in (2048, 166):
    with open(path("rdkit_%d.fps" % bits), "w") as f, open(path("rdkit_%d.tsv" % bits), "w") as g:
        f.write("#FPS1\n#num_bits=%d\n#type=RDKit-Morgan radius=2 fpSize=%d\n#software=RDKit\n" % (bits, bits))
        g.write("id\ton_bits\n")
        for i, s in enumerate(smiles):
            fp = AllChem.GetMorganFingerprintAsBitVect(Chem.MolFromSmiles(s), 2, bits)
            f.write(DataStructs.BitVectToFPSText(fp) + "\tmol%d\tmore\n" % i)
            g.write("mol%d\t%s\n" % (i, ",".join(map(str, fp.GetOnBits()))))
fps = [AllChem.GetMorganFingerprintAsBitVect(Chem.MolFromSmiles(s), 2, 2048) for s in smiles]
flags = np.array([list(fp) for fp in fps], dtype=bool)
np.save(path("bits_b1.npy"), flags)
np.save(path("bits_u1.npy"), np.packbits(flags, axis=1, bitorder="little"))
np.save(path("bits_u8.npy"), np.packbits(flags, axis=1, bitorder="little").view("<u8"))
