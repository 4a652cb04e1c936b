#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of one report folder with other people's readers and holds them against each other."""
import csv
import json
import math
import sys
from pathlib import Path

folder = Path(sys.argv[1])
FIXED = ("rank disorder drug_id name score score_low score_high rank_low rank_high p_top10 verdict n_channels "
         "n_targets flags").split()
VERDICTS = {"supported", "weak", "insufficient", "gated", "contraindicated"}
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def same(text, value):
    if value is None:
        return text in ("", "n/a")
    return math.isclose(float(text), value, rel_tol=1e-5, abs_tol=1e-9)


doc = json.loads((folder / "candidates.json").read_text(encoding="utf-8"))
assert doc["schema"] == "nepenthe/report/1"
assert doc["warnings"] == ["a warning with </script> in it"]
assert {"CC0", "CC BY 4.0", "CC BY-SA 4.0"} == set(doc["licences"])
channels = [c["name"] for c in doc["channels"]]
rows = [c for d in doc["disorders"] for c in d["candidates"]]
assert all(r["verdict"] in VERDICTS for r in rows)
for r in rows:
    if r["score"] is not None:  # VOTE channels sum to the score
        assert math.isclose(sum(v for v in r["contribution"].values() if v is not None), r["score"], abs_tol=1e-6)

tsv = (folder / "candidates.tsv").read_text(encoding="utf-8")
assert "\r" not in tsv
lines = [line.split("\t") for line in tsv.rstrip("\n").split("\n")]
assert lines[0] == FIXED + channels
assert all(len(line) == len(lines[0]) for line in lines)
assert len(lines) == 1 + len(rows)
for line, r in zip(lines[1:], rows):
    cell = dict(zip(lines[0], line))
    assert int(cell["rank"]) == r["rank"] and cell["drug_id"] == r["drug_id"]
    for key in ("score", "score_low", "rank_high", "p_top10"):
        assert same(cell[key], r[key]), (key, cell[key], r[key])
    for c in channels:
        assert same(cell[c], r["contribution"][c])

raw = (folder / "candidates.csv").read_bytes()
assert raw.startswith(b"\xef\xbb\xbf")
with open(folder / "candidates.csv", newline="", encoding="utf-8-sig") as handle:
    table = list(csv.DictReader(handle, strict=True))
assert len(table) == len(rows)
guarded = 0
for cell, r in zip(table, rows):
    if r["name"].startswith(DANGEROUS):
        assert cell["name"] == "'" + r["name"]
        guarded += 1
    else:
        assert cell["name"] == r["name"]
    assert same(cell["score"], r["score"])
assert guarded >= 8, guarded
assert any("</script>" in c["name"] for c in table) and any("\t" in c["name"] for c in table)

skipped = []
try:
    import openpyxl
except ImportError:
    skipped.append("openpyxl")
else:
    book = openpyxl.load_workbook(folder / "candidates.xlsx")
    assert book.sheetnames == ["1 Simulated disorder A", "2 Simulated disorder B", "Methods", "Sources"], book.sheetnames
    for sheet, d, top in zip(book.worksheets, doc["disorders"], (1, 2)):
        assert [c.value for c in sheet[top]] == FIXED + channels
        assert sheet.freeze_panes and sheet.auto_filter.ref
        for k, r in enumerate(d["candidates"]):
            line = sheet[top + 1 + k]
            assert line[3].value == r["name"] and line[3].data_type == "s", (line[3].value, r["name"])
            assert line[4].value is None if r["score"] is None else math.isclose(line[4].value, r["score"], rel_tol=1e-6)
    assert "SIMULATED" in book.worksheets[1]["A1"].value
    assert book["Sources"].max_row == 1 + sum(len(d["targets"]) for d in doc["drugs"])
    fills = {book.worksheets[0].cell(2 + k, 11).fill.fgColor.rgb for k in range(len(doc["disorders"][0]["candidates"]))}
    assert len(fills) == 5, fills

try:
    import h5py
    import pandas
except ImportError:
    skipped.append("h5py and pandas")
else:
    with h5py.File(folder / "results.h5", "r") as h:
        text = lambda v: v.decode() if isinstance(v, bytes) else str(v)
        assert {"schema", "version", "seed", "config_hash", "licence"} <= set(h.attrs)
        assert text(h.attrs["schema"]) == "nepenthe/results/1"
        shape = (len(doc["disorders"]), len(doc["drugs"]), len(channels))
        assert h["/channels/value"].shape == shape and h["/channels/se"].shape == shape
        for d, disorder in enumerate(doc["disorders"]):
            for r in disorder["candidates"]:
                got = h["/channels/value"][d, r["drug"]]
                for c, name in enumerate(channels):
                    want = r["value"][name]
                    assert math.isnan(got[c]) if want is None else math.isclose(got[c], want, rel_tol=1e-6, abs_tol=1e-8)
        assert {"drugs", "disorders", "channels"} == set(h["/axes"])
        assert "provenance" in h
    try:
        frame = pandas.read_hdf(folder / "results.h5", "candidates")
    except ImportError:
        skipped.append("pandas.read_hdf (needs PyTables)")
    else:
        assert list(frame.columns) == FIXED + channels
        assert len(frame) == len(rows)
        assert [int(v) for v in frame["rank"]] == [r["rank"] for r in rows]

print("skipped:", ", ".join(skipped) if skipped else "nothing")
