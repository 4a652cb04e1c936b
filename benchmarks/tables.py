#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The speed tables of README.md and benchmarks/README.md from benchmarks/results: rewrites what stands between the markers.

--check changes nothing and ends with 1 when a table differs; --print shows the short one.
"""
import argparse
import difflib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORDER = ["parcels", "clean", "dominance", "connectivity", "degree", "srtm", "glm", "permute", "tfce", "radiomics", "reho", "alff", "bits", "dense", "pairs", "model", "graph", "nulls", "modes"]
BEGIN, END = "<!-- benchmarks: begin -->\n", "<!-- benchmarks: end -->\n"
YEAR = 365.25 * 86400


def seconds(s):
    for unit, size in (("years", YEAR), ("days", 86400), ("hours", 3600)):
        if s >= 2 * size:
            return f"{s / size:.3g} {unit}"
    return f"{s:.3g} s" if s >= 1 else f"{s * 1000:.3g} ms"


def times(ratio):
    return f"{ratio:.0f}x" if 20 <= ratio < 1e4 else f"{ratio:.2g}x" if ratio >= 1e4 else f"{ratio:.1f}x"


def verdict(r):
    """In words, with what was missed, and figures that have no bar."""
    return "; ".join([met(r)] + [f"{b['what']}: {b['value']:g}" for b in r.get("beside", [])])


def met(r):
    missed = [f"{c['what']} {c['value']:g} (bar {c['bar']})" for c in r["conditions"] if not c["met"]]
    if not r["met_wall"]:
        missed.insert(0, "ratio")
    if missed:
        return "**missed**: " + "; ".join(missed) + ("" if r["met_cpu"] or not r["met_wall"] else
                                                     "; the ratio is met by elapsed time, not by CPU time")
    return "met" if r["met_cpu"] else "met by elapsed time, not by CPU time"


def bar(r):
    parts = [f">= {r['bar']:g}x"] if r["bar"] else []
    return ", ".join(parts + [f"{c['what']} {c['bar']}" for c in r["conditions"]])


def peer_time(r):
    p = r["peer"]
    return f"{seconds(p['whole_seconds_wall'])}{' (extrapolated)' if p['extrapolated'] else ''}"


def short_table(results):
    lines = ["| work | Nepenthe | peer | ratio: elapsed, CPU | bar | |", "|---|---|---|---|---|---|"]
    for r in results:
        lines.append(f"| {r['work']} | {seconds(r['ours']['seconds_wall'])} | {r['peer']['peer']} {r['peer']['version']}: "
                     f"{peer_time(r)} | {times(r['ratio_wall'])}, {times(r['ratio_cpu'])} | {bar(r)} | {verdict(r)} |")
    return lines


def ceiling(r):
    c = r["of_ceiling"]
    unit = next(k for k in ("mbs", "gbs", "gflops_per_cpu_s", "mpairs_per_cpu_s") if k in c)
    return f"{100 * c['share']:.0f} % ({c[unit]:.4g} of {r['ceilings'][c['of']]:.4g}, `{c['of']}`)"


def long_table(results):
    lines = ["| row | ours: elapsed, CPU | peer: elapsed, CPU, as timed | slice x scale | check | of the ceiling | as work grows | load |",
             "|---|---|---|---|---|---|---|---|"]
    for r in results:
        o, p, load = r["ours"], r["peer"], r["load_average"]
        sizes = ", ".join(f"{n}: {seconds(wall)}" for n, wall, _ in o["sizes"])
        lines.append(f"| {r['bench']} | {seconds(o['seconds_wall'])}, {seconds(o['seconds_cpu'])} | {seconds(p['seconds_wall'])}, "
                     f"{seconds(p['seconds_cpu'])} | {p['slice']} x {p['scale']:.6g} | {o['check']:.1e} < {o['check_tolerance']:g} | "
                     f"{ceiling(r)} | {o['size']}: {sizes} | {load['before']:.2f} to {load['after']:.2f} |")
    return lines


def by_machine(table):
    out = []
    results = [json.loads(p.read_text()) for p in sorted((HERE / "results").glob("*_*.json"))]
    results = [r for r in results if r["bench"] in ORDER]
    for machine in sorted({r["machine"] for r in results}):
        mine = sorted((r for r in results if r["machine"] == machine), key=lambda r: ORDER.index(r["bench"]))
        runs = ", ".join(sorted({f"commit {r['commit']}, {r['date']}" for r in mine}))
        out += [f"{machine} ({runs}):", "", *table(mine), ""]
    return "\n".join(out) if out else "No result is committed.\n"


def renewed(path, table):
    text = path.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{path}: the two marker lines of the table must stand in it once")
    head, rest = text.split(BEGIN)
    return text, head + BEGIN + by_machine(table) + END + rest.split(END)[1]


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--check", action="store_true")
    cli.add_argument("--print", action="store_true")
    o = cli.parse_args()
    if o.print:
        print(by_machine(short_table))
        return 0
    stale = False
    for path, table in ((HERE.parent / "README.md", short_table), (HERE / "README.md", long_table)):
        old, new = renewed(path, table)
        if old == new:
            continue
        stale = True
        if o.check:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(path), "from the results"))
        else:
            path.write_text(new)
    return 1 if stale and o.check else 0


if __name__ == "__main__":
    sys.exit(main())
