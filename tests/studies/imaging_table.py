#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of what imaging adds, from the imaging.json files of imaging_trials.sh.

    imaging_table.py FOLDER
"""
import json
import os
import sys

from make_nervous_imaging import VARIANTS


def number(x, form):
    return "n/a" if x is None else form % x


def row(g):
    return " | ".join([number(g["delta"], "%+.3f"), f"{number(g['low'], '%+.3f')} to {number(g['high'], '%+.3f')}", number(g["null_gain"], "%+.3f"),
                       number(g["p_map"], "%.3f"), number(g["weight"], "%.2f"), number(g["detectable"], "%.3f"), g["verdict"].replace("_", " ")])


def main():
    docs = {}
    for name in VARIANTS:
        path = os.path.join(sys.argv[1], "imaging_" + name, "imaging.json")
        if not os.path.exists(path):
            sys.exit(f"imaging_table: {name} has no result at {path}")
        with open(path, encoding="utf-8") as f:
            docs[name] = json.load(f)
    print("| variant | what is tried | disorders | gain of AP | 90 % interval | null maps | p | weight | detectable | verdict | adds / no signal / undetermined |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, doc in docs.items():
        tested = [g for g in doc["disorders"] if g["delta"] is not None]
        counts = " / ".join(str(sum(g["verdict"] == v for g in tested)) for v in ("adds", "no_signal", "undetermined"))
        print(f"| {name} | {VARIANTS[name][5]} | {doc['overall']['n_disorders']} | {row(doc['overall'])} | {counts} |")
    for name in ("structure", "function", "ceiling"):
        print(f"\n| disorder ({name}) | n+ | gain of AP | 90 % interval | null maps | p | weight | detectable | verdict | Holm |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for g in docs[name]["disorders"]:
            if g["delta"] is not None:
                print(f"| {g['name']} | {g['n_pos']} | {row(g)} | {number(g['p_holm'], '%.3f')} |")


if __name__ == "__main__":
    main()
