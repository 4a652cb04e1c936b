# SPDX-License-Identifier: Apache-2.0
"""Breaks a gzipped NIfTI-1 image in place, with the standard library alone: python3 break_images.py HOW IMAGE."""
import gzip
import struct
import sys


def no_tr(b):
    """A repetition time of 0."""
    struct.pack_into("<f", b, 92, 0.0)
    return b


def thinner(b):
    """Without its last slice: another shape."""
    nx, ny, nz, n_t = struct.unpack_from("<4h", b, 42)
    volume, slice_ = (nx * ny * k * (struct.unpack_from("<h", b, 72)[0] // 8) for k in (nz, 1))
    struct.pack_into("<h", b, 46, nz - 1)
    return b[:352] + b"".join(b[352 + t * volume:352 + (t + 1) * volume - slice_] for t in range(max(n_t, 1)))


def halves(b):
    """Labels that are no whole numbers."""
    struct.pack_into("<2h", b, 70, 16, 32)
    return b[:352] + struct.pack("<%df" % (len(b) - 352), *(x + 0.5 for x in b[352:]))


how, path = sys.argv[1:]
with gzip.open(path) as f:
    image = bytearray(f.read())
with gzip.GzipFile(path, "wb", 6, mtime=0) as f:
    f.write(bytes(globals()[how](image)))
