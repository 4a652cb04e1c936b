# SPDX-License-Identifier: Apache-2.0
"""Every command that reads images or tables, on every broken one: python3 bad_inputs.py NEPENTHE, in an empty folder.

Each must end with a documented exit code and one sentence that names the file, leave nothing behind, and stay under 5 s of CPU
time and 512 MB. Prints what does not and exits 1. Standard library only."""
import gzip
import os
import random
import resource
import struct
import subprocess
import sys

SHAPE, N_T = (8, 6, 5), 30
VOXELS = 8 * 6 * 5


def header(dims, code=4, bits=16, offset=352.0, pixdim=(1, 6, 6, 6, 2), magic=b"n+1\0"):
    h = bytearray(352)
    struct.pack_into("<i", h, 0, 348)
    struct.pack_into("<8h", h, 40, *dims)
    struct.pack_into("<2h", h, 70, code, bits)
    struct.pack_into("<5f", h, 76, *pixdim)
    struct.pack_into("<3f", h, 108, offset, 1, 0)
    h[123] = 10
    struct.pack_into("<2h", h, 252, 0, 1)
    for row in range(3):
        values = [0.0] * 4
        values[row] = 6.0
        struct.pack_into("<4f", h, 280 + 16 * row, *values)
    h[344:348] = magic
    return h


def put(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else bytes(data) if isinstance(data, bytearray) else data.encode())


def packed(data):
    return gzip.compress(bytes(data), 6, mtime=0)


def run_of(n_t, seed=1):
    r = random.Random(seed)
    body = struct.pack("<%dh" % (VOXELS * n_t), *[1000 + int(r.gauss(0, 20)) for _ in range(VOXELS * n_t)])
    return header([4 if n_t > 1 else 3, *SHAPE, n_t, 1, 1, 1]) + body


def sound():
    good = run_of(N_T)
    put("bold.nii.gz", packed(good))
    put("map.nii.gz", packed(run_of(1)))
    labels = struct.pack("<%dh" % VOXELS, *[1 + i % 8 // 2 for i in range(VOXELS)])
    put("atlas.nii.gz", packed(header([3, *SHAPE, 1, 1, 1, 1]) + labels))
    put("mask.nii.gz", packed(header([3, *SHAPE, 1, 1, 1, 1]) + struct.pack("<%dh" % VOXELS, *[1] * VOXELS)))
    r = random.Random(2)
    rows = ["\t".join("%.4f" % r.gauss(100, 3) for _ in range(4)) for _ in range(N_T)]
    put("series.tsv", "a\tb\tc\td\n" + "\n".join(rows) + "\n")
    put("confounds.tsv", "x\ty\n" + "".join("%.4f\t%.4f\n" % (r.random(), r.random()) for _ in range(N_T)))
    put("events.tsv", "onset\tduration\ttrial_type\n4\t4\tface\n20\t4\thouse\n36\t4\tface\n")
    put("table.tsv", "participant_id\ta\tb\n" + "".join("sub-%02d\t%.3f\t%.3f\n" % (i, r.gauss(0, 1), r.gauss(0, 1)) for i in range(10)))
    put("design.tsv", "participant_id\tgroup\n" + "".join("sub-%02d\t%s\n" % (i, "ab"[i % 2]) for i in range(10)))
    put("maps.tsv", "region\tu\tv\n" + "".join("L_r%d\t%.3f\t%.3f\n" % (i, r.gauss(0, 1), r.gauss(0, 1)) for i in range(12)))
    put("geometry.tsv", "region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\n"
        + "".join("L_r%d\tL\tcortex\t%d\t%d\t%d\n" % (i, -10 - 7 * i % 40, 11 * i % 60, 13 * i % 50) for i in range(12)))
    put("tacs.tsv", "frame_start\tframe_end\tcerebellum\tstriatum\n" + "".join("%d\t%d\t%.3f\t%.3f\n" % (60 * i, 60 * i + 60, 5 + i % 3, 8 + i % 4) for i in range(20)))
    put("frames.tsv", "frame_start\tframe_end\n" + "".join("%d\t%d\n" % (60 * i, 60 * i + 60) for i in range(N_T)))
    return good


def broken_images(good):
    """name -> bytes; every one is malformed whatever it is read as."""
    whole = packed(good)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    loop = header([4, *SHAPE, N_T, 1, 1, 1], offset=1024.0)
    loop[348] = 1
    chain = bytes(loop) + struct.pack("<2i", 0, 4) + good[352:] + bytes(1024)
    short = bytes(loop) + struct.pack("<2i", 16, 4) + struct.pack("<2i", -16, 4) + good[352:] + bytes(1024)
    dims = [4, *SHAPE, N_T, 1, 1, 1]
    body = bytes(good[352:])
    bad = {
        "truncated.nii": bytes(good[:len(good) // 2]),
        "truncated.nii.gz": whole[:len(whole) // 2],
        "header_only.nii": bytes(good[:100]),
        "flipped.nii.gz": bytes(flipped),
        "no_gzip.nii.gz": b"this is no gzip file, it only says so",
        "text.nii": b"region\tvalue\n" * 60,
        "empty.nii": b"",
        "zero_dim.nii": bytes(header([4, 8, 0, 5, N_T, 1, 1, 1])) + body,
        "negative_dim.nii": bytes(header([4, 8, -6, 5, N_T, 1, 1, 1])) + body,
        "nine_dims.nii": bytes(header([9, *SHAPE, N_T, 1, 1, 1])) + body,
        "overflow.nii": bytes(header([7] + [32767] * 7)) + body,
        "far_too_large.nii.gz": packed(bytes(header([4, 32767, 32767, 32767, N_T, 1, 1, 1])) + body),
        "bitpix.nii": bytes(header(dims, 4, 32)) + body,
        "datatype.nii": bytes(header(dims, 3333, 16)) + body,
        "complex.nii": bytes(header(dims, 32, 64)) + body,
        "offset_beyond.nii": bytes(header(dims, offset=1e9)) + body,
        "offset_inside.nii": bytes(header(dims, offset=100)) + body,
        "offset_nan.nii": bytes(header(dims, offset=float("nan"))) + body,
        "pixdim_nan.nii": bytes(header(dims, pixdim=(1, float("nan"), 6, 6, 2))) + body,
        "magic.nii": bytes(header(dims, magic=b"xyz\0")) + body,
        "extension_loop.nii": chain,
        "extension_negative.nii": short,
    }
    for name, data in bad.items():
        put(name, data)
    return list(bad)


def broken_tables():
    with open("series.tsv", encoding="utf-8") as f:
        rows = f.read().splitlines()
    bad = {
        "ragged.tsv": "\n".join(rows[:5] + [rows[5] + "\t1"] + rows[6:]) + "\n",
        "duplicate.tsv": "\n".join(["a\tb\ta\td"] + rows[1:]) + "\n",
        "words.tsv": "\n".join(rows[:3] + ["1\ttwo\t3\t4"] + rows[4:]) + "\n",
        "latin.tsv": "\n".join(rows).encode() + b"\n\xff\xfe\t1\t2\t3\n",
        "header_only.tsv": "a\tb\tc\td\n",
        "empty.tsv": "",
        "binary.tsv": bytes(range(256)) * 4,
    }
    for name, data in bad.items():
        put(name, data)
    return list(bad)


def image_commands(x):
    return [["parcels", x, "--atlas", "atlas.nii.gz"], ["parcels", "bold.nii.gz", "--atlas", x], ["parcels", "bold.nii.gz", "--atlas", "atlas.nii.gz", "--mask", x],
            ["clean", x, "--tr", "2"], ["voxelwise", x, "--feature", "alff", "--tr", "2"], ["voxelwise", "bold.nii.gz", "--feature", "tsnr", "--mask", x],
            ["quality", x], ["resample", x, "--to", "bold.nii.gz"], *([] if x[:4] in ("trun", "flip") else [["resample", "map.nii.gz", "--to", x]]), # reads the header alone
            ["smooth", x, "--fwhm", "6"],
            ["tfce", x], ["tfce", "map.nii.gz", "--mask", x], ["glm", x, "--events", "events.tsv", "--contrast", "f=face"],
            ["radiomics", x, "atlas.nii.gz"], ["radiomics", "map.nii.gz", x], ["pet", x, "--model", "suvr", "--reference", "mask.nii.gz", "--frames", "frames.tsv"],
            ["contrast", x, "map.nii.gz", "--design", "design.tsv", "--contrast", "p=group:a-b"],
            ["permute", x, "--n", "9"], ["permute", "bold.nii.gz", "--n", "9", "--mask", x]]


def table_commands(x):
    return [["clean", x, "--tr", "2"], ["clean", "series.tsv", "--tr", "2", "--confounds", x], ["connectivity", x, "--kind", "pearson"],
            ["parcels", "bold.nii.gz", "--atlas", "atlas.nii.gz", "--labels", x], ["quality", "bold.nii.gz", "--motion", x],
            ["contrast", x, "--design", "design.tsv", "--contrast", "p=group:a-b"], ["contrast", "table.tsv", "--design", x, "--contrast", "p=group:a-b"],
            ["glm", "bold.nii.gz", "--events", x, "--contrast", "f=face"], ["glm", "bold.nii.gz", "--events", "events.tsv", "--confounds", x, "--contrast", "f=face"],
            ["maps", "compare", x, "maps.tsv", "--geometry", "geometry.tsv"], ["maps", "compare", "maps.tsv", "maps.tsv", "--geometry", x],
            ["permute", "bold.nii.gz", "--n", "9", "--design", x, "--contrast", "p=group=a"],
            ["maps", "dominance", "maps.tsv", "--predictors", x], ["pet", x, "--model", "srtm", "--reference", "cerebellum"],
            ["similar", "cases", x, "--people", "design.tsv", "--diagnosis", "group"], ["similar", "cases", "table.tsv", "--people", x, "--diagnosis", "group"]]


def more_commands():
    """(arguments, exit code, words of the sentence)"""
    put("short.tsv", "x\ty\n" + "1\t2\n" * (N_T - 3))
    shifted = header([3, *SHAPE, 1, 1, 1, 1])
    struct.pack_into("<f", shifted, 280 + 12, 3.0)
    put("shifted.nii.gz", packed(shifted + struct.pack("<%dh" % VOXELS, *[1 + i % 4 for i in range(VOXELS)])))
    put("no_region.nii.gz", packed(header([3, *SHAPE, 1, 1, 1, 1]) + bytes(2 * VOXELS)))
    put("study.yaml", "schema: nepenthe/study/1\nname: n\ndrgs: drugs.tsv\ndisorders: [{id: a, name: b}]\n")
    return [
        (["parcels", "bold.nii.gz", "--atlas", "shifted.nii.gz"], 65, "--resample"),
        (["parcels", "bold.nii.gz", "--atlas", "no_region.nii.gz"], 65, "no region"),
        (["parcels", "bold.nii.gz"], 64, "--atlas"),
        (["voxelwise", "map.nii.gz", "--feature", "alff", "--tr", "2"], 65, "map.nii.gz"),
        (["quality", "map.nii.gz"], 65, "map.nii.gz"),
        (["clean", "series.tsv", "--tr", "2", "--confounds", "short.tsv"], 65, "short.tsv"),
        (["clean", "bold.nii.gz", "--tr", "2", "--confounds", "short.tsv"], 65, "short.tsv"),
        (["glm", "bold.nii.gz", "--events", "events.tsv", "--confounds", "short.tsv", "--contrast", "f=face"], 65, "short.tsv"),
        (["quality", "bold.nii.gz", "--motion", "short.tsv"], 65, "short.tsv"),
        (["rank", "study.yaml"], 78, "did you mean 'drugs'"),
        (["evaluate", "study.yaml"], 78, "did you mean 'drugs'"),
        (["rank", "bold.nii.gz"], 78, "bold.nii.gz"),
        (["parcels", "nowhere.nii.gz", "--atlas", "atlas.nii.gz"], 66, "nowhere.nii.gz"),
        (["parcels", ".", "--atlas", "atlas.nii.gz"], 65, "."),
        (["connectivity", "nowhere.tsv", "--kind", "pearson"], 66, "nowhere.tsv"),
        (["features", "nowhere", "OUT", "participant", "--atlas", "atlas.nii.gz"], 66, "nowhere"),
    ]


def run(nepenthe, arguments, out):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([nepenthe, *arguments] + (["-o", out] if arguments[0] != "features" else []), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stdout, stderr = process.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"), seconds


def main():
    nepenthe = sys.argv[1]
    good = sound()
    jobs = [(a, (64, 65), x) for x in broken_images(good) for a in image_commands(x)]
    jobs += [(a, (65,), x) for x in broken_tables() for a in table_commands(x)]
    jobs += [(a, (code,), words) for a, code, words in more_commands()]
    left = set(os.listdir("."))
    wrong = 0
    for arguments, codes, words in jobs:
        code, stdout, stderr, seconds = run(nepenthe, arguments, "OUT")
        lines = [x for x in stderr.splitlines() if x.strip() and not x.startswith("warning: ")]
        new = set(os.listdir(".")) - left
        why = ("exit code %d" % code if code not in codes else "no sentence" if not lines else "%d lines" % len(lines) if len(lines) > 1 else
               "does not name %s" % words if words not in lines[0] else "wrote %s" % sorted(new) if new or stdout else
               "%.1f s of CPU time" % seconds if seconds > 5 else "")
        if why:
            wrong += 1
            print("%s: %s: %s" % (" ".join(arguments), why, " / ".join(lines[:3])[:300]))
        for name in new:
            subprocess.run(["rm", "-rf", name], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if peak > 512:
        wrong += 1
        print("peak memory %.0f MB" % peak)
    print("%d calls, %d wrong, peak %.0f MB" % (len(jobs), wrong, peak))
    sys.exit(wrong > 0)


main()
