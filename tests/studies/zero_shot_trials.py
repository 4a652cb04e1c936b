#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which channels rank drugs for a disorder without any label, tried on disorders outside the nervous system alone.

    python3 tests/studies/zero_shot_trials.py [PROGRAM [FOLDER]]    (build-cpu/nepenthe; a folder for what each run writes, kept)

Every disorder of the label table that nervous_system.yaml does not name and that has 5 treatments or more is ranked with its labels hidden
(zero_shot); the disorders of nervous_system.yaml neither teach nor are measured. The sets of channels below were fixed before any was run. A
set would replace that of nervous_system.yaml if the t interval of its gain (AP per disorder, paired, 90 %) lay above 0 here; nothing is
chosen by what it does for the nervous system. Prints a table in Markdown. Needs tests/studies/nervous_system (make_nervous_system.py); about
three minutes per set on two cores.
"""
import csv
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from math import sqrt
from pathlib import Path
from statistics import NormalDist

HERE = Path(__file__).resolve().parent
LEAST = 5  # treatments of a disorder
USUAL = ["neighbours", "transfer", "transfer_close", "other_uses", "other_uses_close", "target_gene", "pathway", "gene_neighbours"]
SETS = {
    "as in nervous_system.yaml": USUAL,
    "and interaction": USUAL + ["interaction"],
    "and anatomy": USUAL + ["anatomy"],
    "and interaction, anatomy": USUAL + ["interaction", "anatomy"],
    "genes of GWAS and curated ones apart": [c for c in USUAL if c != "target_gene"] + ["target_gene_gwas", "target_gene_curated"],
    "without the close variants": [c for c in USUAL if not c.endswith("_close")],
    "without other uses": [c for c in USUAL if not c.startswith("other_uses")],
    "without genes": [c for c in USUAL if c not in ("target_gene", "pathway", "gene_neighbours")],
}

def rows(path):
    with open(path, encoding="utf-8") as f:
        yield from csv.DictReader(f, delimiter="\t")


def study(channels):
    """A study of the disorders outside the nervous system; its paths are those of nervous_system.yaml."""
    named = dict(re.findall(r'id: "([^"]+)", name: "([^"]+)"', (HERE / "nervous_system.yaml").read_text(encoding="utf-8")))
    names = {r["id"]: r["name"] for r in rows(HERE / "nervous_system/nodes/D.tsv")}
    treated = Counter(r["disorder"] for r in rows(HERE / "nervous_system/labels.tsv") if r["status"] in ("approved", "symptomatic"))
    lines = ["schema: nepenthe/study/1", "name: disorders outside the nervous system", "drugs: drugs.tsv", "labels: labels.tsv",
             "network: network.yaml", "other_disorders: true", "disorders:"]
    lines += [f'  - {{id: "{d}", name: "{names[d]}"}}' for d, n in sorted(treated.items()) if n >= LEAST and d in names and d not in named]
    lines += [f'  - {{id: "{d}", name: "{name}", role: context}}' for d, name in named.items()]
    lines += ["channels:"] + [f"  - {{name: {c}}}" for c in channels]
    lines += ["primary:", "  model: hierarchical", f"  channels: [{', '.join(channels)}]", "evaluate:", "  protocols: [zero_shot]",
              "  negatives: [all]", "  investigational: negative", "  bootstrap: 100", "  controls: 0"]
    return "\n".join(lines) + "\n"


def run(program, folder, number, channels):
    out = folder / str(number)
    if not (out / "evaluation.json").exists():
        made = HERE / "nervous_system" / f"zero_shot_{number}.yaml"
        made.write_text(study(channels), encoding="utf-8")
        done = subprocess.run([program, "evaluate", made, "--seed", "0", "-o", out], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"zero_shot_trials: {done.stderr.strip().splitlines()[-1]}")
    return json.loads((out / "evaluation.json").read_text(encoding="utf-8"))


def by_disorder(e):
    return {d["id"]: d["ap"]["value"] for d in e["protocols"]["zero_shot"]["disorders"] if d["ap"]["value"] is not None}


def t90(df):
    """Two-sided 90 % quantile of t by Fisher's expansion (Abramowitz & Stegun 26.7.5): within 1e-4 from 20 degrees of freedom on."""
    z = NormalDist().inv_cdf(0.95)
    return z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)


def gain(these, those):
    both = [these[d] - those[d] for d in these if d in those]
    mean, n = sum(both) / len(both), len(both)
    half = t90(n - 1) * sqrt(sum((x - mean) ** 2 for x in both) / (n - 1) / n)
    return f"{mean:+.4f} ({mean - half:+.4f} to {mean + half:+.4f})"


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1] / "build-cpu/nepenthe"
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp())
    usual = None
    print("| channels | disorders | AP, two-way 90 % interval | AUROC | gain of AP, t interval | elastic net, AP |\n|---|---|---|---|---|---|")
    for number, (name, channels) in enumerate(SETS.items()):
        e = run(program, folder, number, channels)
        macro, aps = e["protocols"]["zero_shot"]["macro"], by_disorder(e)
        usual = usual or aps
        elastic = e["baselines"]["elastic_net"]["zero_shot"]["macro"]["ap"]["value"]
        ap = macro["ap"]
        print(f"| {name} | {len(aps)} | {ap['value']:.4f} ({ap['low']:.3f} to {ap['high']:.3f}) | {macro['auroc']['value']:.3f} | "
              f"{'' if aps is usual else gain(aps, usual)} | {elastic:.4f} |", flush=True)


if __name__ == "__main__":
    main()
