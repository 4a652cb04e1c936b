#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes geometry_schematic.tsv: a parcellation drawn by us, MNI-like mm, schematic.

Centres are round numbers typed here; no atlas was read. The sphere is our own inflation: the direction of a cortical
centre from its hemisphere's middle, after each axis is divided by the hemisphere's half length. x is mirrored.
"""
import math
import os

CENTRE, HALF = (-35.0, -18.0, 14.0), (30.0, 75.0, 50.0)  # left hemisphere, mm
CORTEX = """superiorfrontal -12 28 42
rostralmiddlefrontal -34 42 20
lateralorbitofrontal -28 30 -14
medialorbitofrontal -8 40 -14
precentral -40 -8 44
postcentral -44 -22 46
superiorparietal -22 -60 52
inferiorparietal -42 -62 32
precuneus -8 -56 40
superiortemporal -54 -14 -2
middletemporal -56 -30 -12
fusiform -34 -48 -16
parahippocampal -24 -30 -16
insula -36 4 2
anteriorcingulate -6 30 18
posteriorcingulate -6 -30 36
lateraloccipital -32 -84 4
pericalcarine -12 -80 8"""
SUBCORTEX = """thalamus -12 -18 8
caudate -13 10 11
putamen -26 2 0
pallidum -20 -4 0
accumbens -10 12 -8
amygdala -24 -4 -18
hippocampus -26 -22 -14"""


def rows():
    for side, mirror in (("L", 1), ("R", -1)):
        for compartment, text in (("cortex", CORTEX), ("subcortex", SUBCORTEX)):
            for line in text.splitlines():
                name, *mm = line.split()
                mm = [float(v) for v in mm]
                sphere = ["n/a"] * 3
                if compartment == "cortex":
                    v = [(a - c) / h for a, c, h in zip(mm, CENTRE, HALF)]
                    norm = math.sqrt(sum(a * a for a in v))
                    sphere = [f"{a / norm * m + 0.0:.6f}" for a, m in zip(v, (mirror, 1, 1))]
                yield [f"{side}_{name}", side, compartment] + [f"{mm[0] * mirror:g}", f"{mm[1]:g}", f"{mm[2]:g}"] + sphere
    yield ["B_brainstem", "B", "subcortex", "0", "-28", "-28", "n/a", "n/a", "n/a"]


if __name__ == "__main__":
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "geometry_schematic.tsv")
    with open(path, "w", encoding="utf-8") as out:
        out.write("region\themisphere\tcompartment\tx_mm\ty_mm\tz_mm\tsphere_x\tsphere_y\tsphere_z\n")
        for row in rows():
            out.write("\t".join(row) + "\n")
