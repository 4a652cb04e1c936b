# SPDX-License-Identifier: Apache-2.0
"""Gzip files as zlib and pigz write them, for the streaming inflater: inflate_<kind>.gz. Standard library only.

Each holds more than 32 KiB and many blocks; what a file inflates to is what gzip.decompress says, which is checked here.
"""
import gzip
import os
import random
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def image(seed, n):
    """2 n bytes as of an image: zero outside, smooth and noisy inside."""
    rng = random.Random(seed)
    at, level, out = 0, 0.0, bytearray()
    while at < n:
        run = min(rng.randrange(40, 900), n - at)
        if rng.random() < 0.5:
            out += bytes(2 * run)
        else:
            for _ in range(run):
                level = 0.9 * level + rng.gauss(0, 4)
                out += struct.pack("<h", 900 + int(level))
        at += run
    return bytes(out)


def packer(level=6, memory=8, strategy=zlib.Z_DEFAULT_STRATEGY, before=b""):
    return zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy, *([before] if before else []))


def member(raw, data, extra=b"", name=b"", comment=b"", check=False):
    """Header with its optional fields, raw deflate stream, trailer."""
    flags = 4 * bool(extra) | 8 * bool(name) | 16 * bool(comment) | 2 * check
    head = struct.pack("<BBBBLBB", 31, 139, 8, flags, 0, 0, 255)
    head += struct.pack("<H", len(extra)) + extra if extra else b""
    head += name + b"\0" if name else b""
    head += comment + b"\0" if comment else b""
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) if check else b""
    return head + raw + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def plain(data, **how):
    z = packer(**how)
    return member(z.compress(data) + z.flush(), data)


def mixed(data, seed):
    """Flushed after pieces of all sizes: short ones become blocks with fixed codes, noise stored ones, between them empty
    stored ones that end on a byte."""
    rng = random.Random(seed)
    z, raw, whole, at = packer(memory=2), b"", b"", 0
    while at < len(data):
        kind = rng.randrange(4)
        piece = rng.randbytes(rng.randrange(1, 1200)) if kind == 0 else data[at:at + rng.randrange(1, 12 if kind == 1 else 4000)]
        at += 0 if kind == 0 else len(piece)
        whole += piece
        raw += z.compress(piece) + z.flush(rng.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_BLOCK]))
    return member(raw + z.flush(), whole)


def parallel(data, chunk=9000):
    """As pigz does: pieces packed apart, each with the 32 KiB before it as dictionary, joined by empty stored blocks."""
    raw = b""
    for at in range(0, len(data), chunk):
        z = packer(memory=3, before=data[max(0, at - 32768):at])
        raw += z.compress(data[at:at + chunk])
        raw += z.flush(zlib.Z_SYNC_FLUSH) if at + chunk < len(data) else z.flush()
    return member(raw, data)


def members(data):
    """Members with every header field, empty ones, one below and some above 32 KiB, padding at the end."""
    def one(part, **fields):
        z = packer(memory=1)
        return member(z.compress(part) + z.flush(), part, **fields)
    third = len(data) // 3
    return (one(b"") + one(data[:third], name=b"a.nii", extra=b"XX\2\0ab", comment=b"first", check=True) + one(data[:900]) + one(b"")
            + one(data[third:2 * third], name=b"b") + one(data[2 * third:]) + one(b"", comment=b"none") + bytes(33))


def main():
    far = random.Random(5).randbytes(700)
    far = b"".join(bytes(200) + image(s, 100) + far[:32500 - 400] for s in range(12)) + image(6, 8000)
    block = image(7, 16250)  # 32500 bytes, as far back as zlib goes
    files = {
        "level1": plain(image(1, 40000), level=1, memory=4),
        "level9": plain(image(2, 40000), level=9, memory=1),
        "fixed": plain(image(3, 24000), strategy=zlib.Z_FIXED),
        "huffman": plain(image(4, 22000), strategy=zlib.Z_HUFFMAN_ONLY, memory=1),
        "far": plain(block * 3 + far, level=9, memory=1),
        "mixed": mixed(image(8, 40000), 9),
        "parallel": parallel(image(10, 40000)),
        "members": members(image(11, 75000)),
        "small": plain(image(12, 1500) + bytes(40000) + image(13, 1500) + bytes(20000), level=9, memory=1),
    }
    for name, packed in files.items():
        assert len(gzip.decompress(packed)) > 40000
        with open(os.path.join(HERE, f"inflate_{name}.gz"), "wb") as f:
            f.write(packed)


if __name__ == "__main__":
    main()
