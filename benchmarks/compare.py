#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures each row of the speed table with its peer in the same run: ours, peer, ours, peer, the best of each clock.

Results are checked first (our output against the peer's). One JSON per row goes to benchmarks/results; a peer that was timed on
a slice is extrapolated by its scale and called so. Peers run under --peer-python (or NEP_PEER_PYTHON, or .venv); without one
nothing is written.
"""
import argparse
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
REPEATS = 3  # of the whole program within a round


class Unmeasured(Exception):
    """A row that could not be measured; the sentence says why."""


def command(*words, env=None):
    """Standard output of a program that must succeed."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise Unmeasured(f"{Path(str(words[0])).name} {Path(str(words[-1])).name} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout


def whole_program(words):
    """Wall and CPU seconds and peak MB of a program from start to end."""
    start = time.perf_counter()
    pid = os.posix_spawn(str(words[0]), [str(w) for w in words], os.environ)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        raise Unmeasured(f"{' '.join(str(w) for w in words)} ended with {os.waitstatus_to_exitcode(status)}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class Bench:
    """Where things are, and how a program of either side is run."""

    def __init__(self, build, data, python):
        self.build, self.data, self.python = build, data, python

    def ours(self, name, *words):
        return json.loads(command(self.build / name, *words))

    def peer(self, script, *words):
        return command(self.python, HERE / "peers" / script, *words)

    def timed_peer(self, script, *words):
        return json.loads(self.peer(script, *words))


def least(one, other):
    """The less of each clock of two measurements, and of each of their sizes."""
    if one is None:
        return other
    out = dict(one)
    for key in (k for k in one if k.endswith(("seconds_wall", "seconds_cpu"))):
        if key in out:
            out[key] = min(one[key], other[key])
    for key in ("peak_rss_mb", "gflops_per_cpu_s", "forms_gflops_per_cpu_s", "mpairs_per_cpu_s"):
        if key in out:
            out[key] = max(one[key], other[key])
    if "sizes" in out:
        out["sizes"] = [[a[0], min(a[1], b[1]), min(a[2], b[2])] for a, b in zip(one["sizes"], other["sizes"])]
    if "ceilings" in out:
        out["ceilings"] = {k: max(one["ceilings"][k], other["ceilings"][k]) for k in one["ceilings"]}
    return out


class Matrix:
    """A row whose program checks itself against what its peer saved, then times."""

    def __init__(self, name, script, bar, rate, ceiling):
        self.name, self.script, self.bar, self.rate, self.ceiling = name, script, bar, rate, ceiling

    def prepare(self, b):
        b.peer(self.script, "--save", b.data)

    def ours(self, b):
        return b.ours(f"bench_{self.name}", b.data)

    def peer(self, b):
        return b.timed_peer(self.script)

    def finish(self, result):
        ours = result["ours"]
        rate = {self.rate if self.rate.startswith("mpairs") else "gflops_per_cpu_s": ours[self.rate], "of": self.ceiling}
        rate["share"] = round(ours[self.rate] / result["ceilings"][self.ceiling], 3)
        result["of_ceiling"] = rate


class Dominance(Matrix):
    def finish(self, result):
        super().finish(result)
        if self.bar is None:
            result["conditions"] = [{"what": "elapsed seconds", "value": result["ours"]["seconds_wall"], "bar": "< 10",
                                     "met": result["ours"]["seconds_wall"] < 10}]


class Model(Matrix):
    """Refits beside one of scikit-learn's; and every channel of 25 disorders from files, the whole program."""

    def study(self, b):
        """The study of nervous-system disorders, its first eight further ones ranked too; None without its tables."""
        folder = ROOT / "tests" / "studies"
        if not (folder / "nervous_system" / "network.yaml").exists():
            return None
        text = (folder / "nervous_system.yaml").read_text().replace(", role: context", "", 8)
        made = b.data / "channels.yaml"
        made.write_text(text.replace(" nervous_system/", f" {folder}/nervous_system/"))
        return made

    def ours(self, b):
        result, study = super().ours(b), self.study(b)
        if study is None:
            print("model: channels not measured: tests/studies/make_nervous_system.py has not been run", file=sys.stderr)
            return result
        words = [b.build / "nepenthe", "channels", study, "-o", b.data / "channels.tsv", "--device", "cpu", "-q"]
        for key, value in zip(("seconds_wall", "seconds_cpu", "peak_rss_mb"), min(whole_program(words) for _ in range(REPEATS))):
            result[f"channels_{key}"] = value
        return result

    def finish(self, result):
        super().finish(result)
        ours = result["ours"]
        if "channels_seconds_wall" in ours:
            for what, key, bar in (("elapsed seconds of all channels that the study has tables for, 1,538 drugs x 25 disorders, from files",
                                    "channels_seconds_wall", 20), ("MB of that, most", "channels_peak_rss_mb", 2000)):
                result["conditions"].append({"what": what, "value": round(ours[key], 2), "bar": f"< {bar}", "met": ours[key] < bar})
        result["conditions"].append({"what": "elapsed seconds of 2,000 refits", "value": ours["seconds_wall"], "bar": "< 30", "met": ours["seconds_wall"] < 30})


class Nulls(Matrix):
    """Regions beside the peer; the voxels of a brain alone, since the peer's distances would not fit any memory."""

    def finish(self, result):
        super().finish(result)
        ours = result["ours"]
        value = ours["voxels_1000_seconds_wall"]
        result["conditions"] = [{"what": f"elapsed seconds of 1,000 surrogates of {ours['voxels']:,} voxels, extrapolated from {ours['voxels_surrogates']}",
                                 "value": round(value, 1), "bar": "< 120", "met": value < 120}]


class Modes(Matrix):
    """A coarse brain beside the peer, whose factors of a fine one would not fit any memory; that one alone."""

    def finish(self, result):
        super().finish(result)
        ours = result["ours"]
        value = ours["voxels_1000_seconds_wall"]
        result["conditions"] = [{"what": f"elapsed seconds of 1,000 surrogates of {ours['voxels']:,} voxels, modes included, extrapolated from "
                                         f"{ours['voxels_surrogates']}", "value": round(value, 1), "bar": "< 300", "met": value < 300}]


class Tfce(Matrix):
    """Beside nilearn as a function; beside Workbench as a whole program."""

    def ours(self, b):
        result = super().ours(b)
        image, made = b.data / "tfce_map.nii", b.data / "tfce_out.nii"
        ours = [b.build / "nepenthe", "tfce", image, "-o", made, "--device", "cpu", "-q"]
        for name, words in (("program", ours), ("workbench", [shutil.which("wb_command"), "-volume-tfce", image, made])):
            wall, cpu, _ = min(whole_program(words) for _ in range(REPEATS))
            result[f"{name}_seconds_wall"], result[f"{name}_seconds_cpu"] = wall, cpu
        return result

    def finish(self, result):
        ours = result["ours"]
        rate = ours["map_bytes"] / ours["seconds_cpu"] * 1e-6
        result["ceilings"]["copy_mbs"] = 1e3 * result["ceilings"]["copy_gbs"]
        result["of_ceiling"] = {"mbs": round(rate, 1), "of": "copy_mbs", "share": round(rate / result["ceilings"]["copy_mbs"], 5)}
        faster = ours["workbench_seconds_wall"] / ours["program_seconds_wall"]
        result["conditions"] = [
            {"what": "whole program, Workbench's seconds over ours", "value": round(faster, 2), "bar": "> 1", "met": faster > 1},
            {"what": "CPU seconds, 230,000 voxels of a mask", "value": round(ours["masked_seconds_cpu"], 4), "bar": "<= 0.06",
             "met": ours["masked_seconds_cpu"] <= 0.06}]


class Graph(Matrix):
    """Edge lists, model and answers in a folder of their own."""

    def prepare(self, b):
        b.peer(self.script, b.data / "hetionet", "--save", b.data / "hetionet")

    def ours(self, b):
        return b.ours("bench_graph", b.data / "hetionet")

    def peer(self, b):
        return b.timed_peer(self.script, b.data / "hetionet")

    def finish(self, result):
        super().finish(result)
        cpu = result["ours"]["seconds_cpu"]
        result["conditions"] = [{"what": "CPU seconds after loading", "value": round(cpu, 3), "bar": "< 1", "met": cpu < 1}]


class Memory(Matrix):
    """Its rate is of bytes: against a copy of memory."""

    def finish(self, result):
        rate, copy = result["ours"][self.rate], result["ceilings"]["copy_gbs"]
        result["of_ceiling"] = {"gbs": rate, "of": "copy_gbs", "share": round(rate / copy, 3)}


class Degree(Matrix):
    """Beside bare matrix products of as many operations, and what is held beside the series as their number grows."""

    def finish(self, result):
        super().finish(result)
        ours, held = result["ours"], [mb for _, mb in result["ours"]["mb_beside_series"]]
        for clock, word in (("wall", "elapsed"), ("cpu", "CPU")):
            value = ours[f"seconds_{clock}"] / ours[f"bare_seconds_{clock}"]
            result["conditions"].append({"what": f"{word} time over that of OpenBLAS' bare products of the same operations", "value": round(value, 2),
                                         "bar": "<= 1.5", "met": value <= 1.5})
        result["conditions"].append({"what": "MB held beside the series, most", "value": max(held), "bar": "< 8", "met": max(held) < 8})


class Bits(Matrix):
    """Beside RDKit's list of all scores, and FPSim2 where it is installed; whole scans beside the ceilings of memory and registers; and
    what sketches win and cost."""

    def ours(self, b):
        result = super().ours(b)
        for threshold in ("0", "0.7"):
            name = f"fpsim2_t{threshold[2:]}" if threshold != "0" else "fpsim2_top"
            try:
                timed = [json.loads(line) for line in b.peer("bits_fpsim2.py", "--bits", b.data / "bits_parents.u64", "--threshold", threshold).splitlines()]
            except Unmeasured as why:
                print(f"bits: FPSim2 not measured: {why}", file=sys.stderr)
                break
            for clock in ("wall", "cpu"):
                result[f"{name}_seconds_{clock}"] = min(t[f"seconds_{clock}"] * t["scale"] for t in timed)
            result["fpsim2_version"] = timed[0]["version"]
        return result

    def peer(self, b):
        return b.timed_peer(self.script, "--bits", b.data / "bits_parents.u64")

    def at_least(self, result, what, value, bar):
        result["conditions"].append({"what": what, "value": round(value, 3), "bar": f">= {bar:g}", "met": value >= bar})

    def finish(self, result):
        ours, top = result["ours"], result["ceilings"]
        n = ours["rows"]
        rate = ours["most_rows"] * 256 / ours["full1_seconds_wall"] * 1e-9
        result["of_ceiling"] = {"gbs": round(rate, 2), "of": "read_gbs", "share": round(rate / top["read_gbs"], 3)}
        self.at_least(result, "whole scan for one query, share of reading memory", rate / top["read_gbs"], 0.9)
        for q, rows in ((64, n), (1024, ours["many_rows"])):
            pairs = q * rows / ours[f"full{q}_seconds_wall"] * 1e-6
            self.at_least(result, f"pairs/s of {q} queries, share of counting bits in registers", pairs / top["mpairs"], 0.75)
        scan = ours["full1_seconds_wall"] / ours["most_rows"] * n * ours["singles"]
        for t, bar in ((70, 5), (80, 8)):
            self.at_least(result, f"threshold 0.{t // 10}, a whole scan's seconds over ours", scan / ours[f"t{t}_sketch_seconds_wall"], bar)
        cost = max(ours[f"t{t}_sketch{many}_seconds_wall"] / ours[f"t{t}_plain{many}_seconds_wall"] for t in (35, 50, 70, 80) for many in ("", "64"))
        result["conditions"].append({"what": "seconds with sketches over those without, most", "value": round(cost, 3), "bar": "<= 1.1", "met": cost <= 1.1})
        if "fpsim2_top_seconds_wall" in ours:
            one = ours["fpsim2_top_seconds_wall"]
            for what, theirs, mine in (("100 nearest to one query", one, ours["seconds_wall"]),
                                       ("100 nearest to each of 64", 64 * one, ours["top64_seconds_wall"]),
                                       ("threshold 0.7, one query", ours["fpsim2_t7_seconds_wall"], ours["t70_sketch_seconds_wall"] / ours["singles"])):
                self.at_least(result, f"{what}, FPSim2's seconds over ours", theirs / mine, 1)


class Dense(Matrix):
    """An index as it is built by default (float32 with an int8 copy) beside FAISS' flat index; its float32 rows alone beside reading memory,
    many queries beside multiply-adds; and what the copy wins. Debian's build of FAISS (python3-faiss) is measured too where it is installed: the
    bar of the float32 rows alone is four times that one, which has SSE2 alone and one thread for one query."""

    def peer(self, b):
        result = super().peer(b)
        try:
            debian = json.loads(command("/usr/bin/python3", HERE / "peers" / self.script, "--singles"))
        except Unmeasured:
            print("dense: Debian's python3-faiss is not installed: the float32 rows are not measured beside it", file=sys.stderr)
            return result
        return result | {"debian_version": debian["version"], "debian_seconds_wall": debian["seconds_wall"], "debian_seconds_cpu": debian["seconds_cpu"]}

    def finish(self, result):
        ours, peer, top = result["ours"], result["peer"], result["ceilings"]
        rate = ours["rows"] * ours["dims"] * 4e-9 / ours["plain_seconds_wall"]
        result["of_ceiling"] = {"gbs": round(rate, 2), "of": "read_gbs", "share": round(rate / top["read_gbs"], 3)}
        gflops = 2e-9 * 1024 * ours["rows"] * ours["dims"] / ours["plain_q1024_seconds_wall"]
        for what, value, bar in (
                ("one query over the float32 rows, share of reading memory", rate / top["read_gbs"], 0.8),
                ("one query, seconds over the float32 rows by those of the default, the same answer", ours["plain_seconds_wall"] / ours["seconds_wall"], 3),
                ("1,024 queries over the float32 rows, share of multiply-adds in registers", gflops / top["fma_gflops"], 0.7),
                ("1,024 queries, FAISS' seconds over ours", peer["q1024_seconds_wall"] / ours["q1024_seconds_wall"], 1.5)):
            result["conditions"].append({"what": what, "value": round(value, 3), "bar": f">= {bar:g}", "met": value >= bar})
        result["beside"] = [{"what": "one query over the float32 rows alone, FAISS' seconds over ours",
                             "value": round(peer["seconds_wall"] / ours["plain_seconds_wall"], 2)}]
        if "debian_seconds_wall" in peer:
            value = peer["debian_seconds_wall"] / ours["plain_seconds_wall"]
            result["conditions"].append({"what": f"one query over the float32 rows alone, seconds of Debian's FAISS {peer['debian_version']} over ours",
                                         "value": round(value, 2), "bar": ">= 4", "met": value >= 4})
        small, large = ours["sizes"][0], ours["sizes"][-1]
        growth = large[1] / small[1] / (large[0] / small[0])
        result["conditions"].append({"what": "seconds per row of 10,000,000 over those of 100,000", "value": round(growth, 2), "bar": "<= 1.5",
                                     "met": growth <= 1.5})


class Pairs(Matrix):
    """All pairs beside FPSim2's matrix; picks and clusters beside RDKit's."""

    def peer(self, b):
        return b.timed_peer(self.script, b.data)

    def finish(self, result):
        ours, peer = result["ours"], result["peer"]
        super().finish(result)
        for what, value, bar in (("elapsed seconds without sketches", ours["whole_seconds_wall"], "<= 6.5"),
                                 ("CPU seconds with sketches over those without", ours["seconds_cpu"] / ours["whole_seconds_cpu"], "<= 0.5")):
            result["conditions"].append({"what": what, "value": round(value, 3), "bar": bar, "met": value <= float(bar[3:])})
        for what, name, bar in (("1,000 of 100,000 picked, RDKit's elapsed seconds over ours", "pick", 1), ("clusters of 5,000, RDKit's elapsed seconds over ours, "
                                 "its distances not counted", "cluster", 1)):
            value = peer[f"{name}_seconds_wall"] / ours[f"{name}_seconds_wall"]
            result["conditions"].append({"what": what, "value": round(value, 2), "bar": f"> {bar}", "met": value > bar})


class Parcels:
    """The whole program on a file, beside the inflaters' own rate on that file."""

    name, bar = "parcels", 12.0

    def folder(self, b, volumes):
        made_by = hashlib.sha256((HERE / "peers" / "make_bold.py").read_bytes()).hexdigest()[:12]
        return b.data / f"bold-{made_by}-{volumes}"

    def prepare(self, b):
        for volumes in (25, 50, 100):
            folder = self.folder(b, volumes)
            if not folder.exists():
                part = folder.with_suffix(".part")
                shutil.rmtree(part, ignore_errors=True)
                b.peer("make_bold.py", part, "--volumes", volumes)
                part.rename(folder)
        b.peer("parcels_nilearn.py", *self.images(b), "--out", b.data / "parcels_want.tsv")
        self.worst = self.check(b)

    def images(self, b, volumes=100):
        return self.folder(b, volumes) / "bold.nii.gz", self.folder(b, volumes) / "atlas.nii.gz"

    def words(self, b, volumes=100):
        bold, atlas = self.images(b, volumes)
        return [b.build / "nepenthe", "parcels", bold, "--atlas", atlas, "-o", b.data / "parcels.tsv", "--device", "cpu", "-q"]

    def check(self, b):
        """Largest relative difference from the peer's series."""
        whole_program(self.words(b))
        got, want = ([[float(v) for v in line.split("\t")] for line in (b.data / name).read_text().splitlines()[1:]]
                     for name in ("parcels.tsv", "parcels_want.tsv"))
        if [len(r) for r in got] != [len(r) for r in want] or len(got) != 100 or len(got[0]) != 400:
            raise Unmeasured(f"parcels: {len(got)} rows of ours against {len(want)} of the peer's, or another number of columns")
        worst = 0.0
        for g, w in zip(got, want):
            for x, y in zip(g, w):
                off = abs(x - y) / abs(y)
                worst = off if not off <= worst else worst  # a NaN stays
        if not worst < 1e-5:
            raise Unmeasured(f"parcels: differs from the peer by {worst:g} of the value")
        return worst

    def ours(self, b):
        best = None
        for volumes in (25, 50, 100):
            for _ in range(REPEATS):
                wall, cpu, peak = whole_program(self.words(b, volumes))
                point = {"seconds_wall": wall, "seconds_cpu": cpu, "peak_rss_mb": peak}
                last = point if volumes not in (best or {}) else least(best[volumes], point)
                best = {**(best or {}), volumes: last}
        raw = b.ours("bench_inflate", self.images(b)[0])
        return {"work": "whole program: read 97x115x97x100 int16 .nii.gz, 400 parcel means, write TSV", "check": self.worst,
                "check_tolerance": 1e-5, **best[100], "size": "volumes, whole program",
                "sizes": [[v, t["seconds_wall"], t["seconds_cpu"]] for v, t in best.items()], "inflated_bytes": raw["bytes"],
                "packed_bytes": raw["packed"],
                "ceilings": {k: v for k, v in raw.items() if k.endswith(("_mbs", "_mbs_wall"))}, "threads": os.cpu_count()}

    def peer(self, b):
        return b.timed_peer("parcels_nilearn.py", *self.images(b))

    def finish(self, result):
        ours, raw = result["ours"], result["ceilings"]
        rate = ours["inflated_bytes"] / ours["seconds_wall"] * 1e-6
        name = max(("libdeflate", "isal"), key=lambda k: raw[f"{k}_mbs_wall"])
        share = rate / raw[f"{name}_mbs_wall"]
        result["of_ceiling"] = {"mbs": round(rate, 1), "of": f"{name}_mbs_wall", "share": round(share, 3)}
        result["conditions"] = [
            {"what": "peak memory in MB", "value": round(ours["peak_rss_mb"], 1), "bar": "< 100", "met": ours["peak_rss_mb"] < 100},
            {"what": f"inflated MB/s as a share of {name}'s on the same file", "value": round(share, 3), "bar": ">= 0.8",
             "met": share >= 0.8}]


ROWS = {row.name: row for row in (
    Parcels(),
    Matrix("clean", "clean_nilearn.py", 80.0, "gflops_per_cpu_s", "sgemm_gflops_per_cpu_s"),
    Dominance("dominance", "dominance_netneurotools.py", None, "forms_gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Matrix("connectivity", "connectivity_nilearn.py", 3.0, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Matrix("srtm", "srtm_scipy.py", 1000.0, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Degree("degree", "degree_numpy.py", None, "gflops_per_cpu_s", "sgemm_gflops_per_cpu_s"),
    Matrix("glm", "glm_nilearn.py", 12.0, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Matrix("permute", "permute_nilearn.py", 100.0, "gflops_per_cpu_s", "sgemm_gflops_per_cpu_s"),
    Model("model", "model_sklearn.py", None, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Tfce("tfce", "tfce_nilearn.py", 25.0, None, None),
    Memory("radiomics", "radiomics_pyradiomics.py", 20.0, "read_gbs", "copy_gbs"),
    Memory("reho", "reho_numpy.py", 50.0, "moved_gbs", "copy_gbs"),
    Matrix("alff", "alff_scipy.py", 100.0, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Bits("bits", "bits_rdkit.py", 20.0, None, None),
    Dense("dense", "dense_faiss.py", 4.0, None, None),
    Nulls("nulls", "nulls_brainsmash.py", 20.0, "gflops_per_cpu_s", "sgemm_gflops_per_cpu_s"),
    Modes("modes", "modes_scipy.py", 3.0, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Graph("graph", "graph_scipy.py", 1.0, "gflops_per_cpu_s", "dgemm_gflops_per_cpu_s"),
    Pairs("pairs", "pairs_fpsim2.py", 6.0, "mpairs_per_cpu_s", "mpairs_per_cpu_s"))}


def machine():
    """Model of the CPU and number of cores this process may use."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), os.uname().machine)
    return f"{model}, {len(os.sched_getaffinity(0))} cores"


def slug(text):
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def commit():
    """The commit measured; '+' when what is built differs from it."""
    try:
        name = command("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD").strip()
        changed = command("git", "-C", ROOT, "status", "--porcelain", "--", "src", "include", "kernels", "cmake", "CMakeLists.txt",
                          "CMakePresets.json", "benchmarks/*.c", "benchmarks/*.h", "benchmarks/*.py", "benchmarks/peers").strip()
    except (Unmeasured, OSError):
        return "unknown"
    return name + ("+" if changed else "")


def measure(row, b, rounds):
    """Checks, then times in turns. The result as it is written."""
    before, ours, peer = os.getloadavg()[0], None, None
    row.prepare(b)
    for _ in range(rounds):
        ours, peer = least(ours, row.ours(b)), least(peer, row.peer(b))
    peer["extrapolated"] = peer["scale"] != 1
    for clock in ("wall", "cpu"):
        peer[f"whole_seconds_{clock}"] = peer[f"seconds_{clock}"] * peer["scale"]
    result = {"bench": row.name, "work": ours.pop("work"), "ours": {**ours, "version": command(b.build / "nepenthe", "version").strip()},
              "peer": peer, "ceilings": ours.pop("ceilings"), "bar": row.bar}
    result["ours"] = {k: v for k, v in result["ours"].items() if k not in ("ceilings", "bench", "machine", "date", "commit")}
    for clock in ("wall", "cpu"):
        result[f"ratio_{clock}"] = float(f"{peer[f'whole_seconds_{clock}'] / ours[f'seconds_{clock}']:.4g}")
    result["conditions"] = []
    row.finish(result)
    result["met_wall"] = row.bar is None or result["ratio_wall"] >= row.bar
    result["met_cpu"] = row.bar is None or result["ratio_cpu"] >= row.bar
    result["met"] = result["met_wall"] and all(c["met"] for c in result["conditions"])
    return {**result, "machine": machine(), "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "commit": commit(),
            "rounds": rounds, "load_average": {"before": round(before, 2), "after": round(os.getloadavg()[0], 2)}}


def rounded(x):
    if isinstance(x, float):
        return float(f"{x:.5g}") if math.isfinite(x) else None
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, list) else x


def write(folder, result):
    path = folder / f"{result['bench']}_{slug(result['machine'])}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(rounded(result), indent=1, ensure_ascii=False) + "\n")
    part.replace(path)


def peer_python(given):
    """The Python of the peers, or None with a sentence on how to get it."""
    path = given or os.environ.get("NEP_PEER_PYTHON") or str(ROOT / ".venv/bin/python")
    try:
        command(path, "-c", "import nilearn, sklearn, scipy, nibabel")
        return path
    except (OSError, Unmeasured):
        return None


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)} (default: all)")
    cli.add_argument("--build", type=Path, default=ROOT / "build-release", help="a Release build with the target bench")
    cli.add_argument("--data", type=Path, help="where inputs are kept (default: bench-data in the build)")
    cli.add_argument("--results", type=Path, default=HERE / "results")
    cli.add_argument("--rounds", type=int, default=5, help="turns of ours and peer (5)")
    cli.add_argument("--peer-python")
    o = cli.parse_args()
    unknown = [r for r in o.rows if r not in ROWS]
    if unknown:
        cli.error(f"no row '{unknown[0]}'; there are {', '.join(ROWS)}")
    rows, python = o.rows or list(ROWS), peer_python(o.peer_python)
    if not python:
        print(f"peers not run: {', '.join(rows)}. They, the inputs and the answers to check against need nilearn and others:\n"
              "  python3 -m venv .venv && .venv/bin/pip install -r tests/golden/requirements.txt\n"
              "or name another such Python in NEP_PEER_PYTHON. Nothing was measured, no result was written.", file=sys.stderr)
        return 69
    b = Bench(o.build, o.data or o.build / "bench-data", python)
    b.data.mkdir(parents=True, exist_ok=True)
    o.results.mkdir(exist_ok=True)
    failed = 0
    for name in rows:
        print(f"{name}: measuring", file=sys.stderr)
        try:
            result = measure(ROWS[name], b, o.rounds)
        except Unmeasured as why:
            print(f"{name}: not measured, no result written: {why}", file=sys.stderr)
            failed += 1
            continue
        write(o.results, result)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
