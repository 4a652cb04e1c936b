# SPDX-License-Identifier: Apache-2.0
"""What the golden scripts share: where data lie, and how tables are written.

Tables are plain TSV without comment lines, so that the program's own strict reader takes them; who made them, with
which versions, stands in the `made_by` of the JSON beside them.
"""
import importlib
import json
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("NEPENTHE_SHARED", os.path.join(HERE, "..", "..", "..", "shared"))
DATA = os.path.join(SHARED, "data")
IMAGING = os.path.join(DATA, "imaging")
BRAINMAPS = os.path.join(DATA, "brainmaps")


def made_by(*modules):
    script = os.path.basename(sys.argv[0])
    return script + " with " + ", ".join(f"{m} {importlib.import_module(m).__version__}" for m in modules)


def cell(x, digits=10):
    if isinstance(x, str):
        return x
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    return "n/a" if np.isnan(x) else f"{x:.{digits}g}"


def write_tsv(name, header, rows, digits=10):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write("\t".join(header) + "\n")
        for row in rows:
            f.write("\t".join(cell(x, digits) for x in row) + "\n")


def write_input(name, header, array):
    """A series as float32 with the 9 digits that name it exactly; returns what a reader gets back, in float64."""
    a = np.asarray(array, dtype=np.float32)
    write_tsv(name, header, a.astype(float), 9)
    return a.astype(np.float64)


def write_square(name, names, matrix):
    write_tsv(name, ["Node", *names], [[n, *row] for n, row in zip(names, np.asarray(matrix, dtype=float))], 12)


def write_json(name, value):
    def plain(x):
        if isinstance(x, np.ndarray):
            return plain(x.tolist())
        if isinstance(x, dict):
            return {k: plain(v) for k, v in x.items()}
        if isinstance(x, (list, tuple)):
            return [plain(v) for v in x]
        if isinstance(x, (np.integer, bool, np.bool_)):
            return x.item() if hasattr(x, "item") else x
        if isinstance(x, (float, np.floating)):
            return None if not np.isfinite(x) else float(x)
        return x

    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        json.dump(plain(value), f, indent=1)
        f.write("\n")
