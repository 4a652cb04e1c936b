#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of README.md about the study of nervous-system disorders, from an evaluation.json of it.

    python3 tests/studies/bars.py DIR/evaluation.json
"""
import json
import sys

BARS = (  # protocol, measure, words, least that is asked for
    ("masked", "ap", "similar drugs masked, AP", 0.22),
    ("masked", "auroc_vs_ns", "similar drugs masked, AUROC against other nervous-system drugs", 0.75),
    ("zero_shot", "ap", "disorder without any label, AP", 0.22),
    ("zero_shot", "auroc_vs_ns", "disorder without any label, AUROC against other nervous-system drugs", 0.70),
    ("approved_vs_failed", "auroc", "treatments against failed or contraindicated, AUROC", 0.80))


def interval(x):
    if x is None or x.get("value") is None:
        return "n/a"
    return f"{x['value']:.3f} ({x['low']:.3f} to {x['high']:.3f})"


def number(x, digits=3):
    return "n/a" if x is None else f"{x:.{digits}f}"


def met(yes):
    return "reached" if yes else "missed"


def bars(e):
    print("| protocol, measure | macro, two-way 90 % interval | t interval | bar | |\n|---|---|---|---|---|")
    for protocol, measure, words, least in BARS:
        x = e["protocols"][protocol]["macro"][measure]
        print(f"| {words} | {interval(x)} | {number(x['t_low'])} to {number(x['t_high'])} | >= {least} | {met(x['value'] >= least)} |")
    gain = e["baselines"]["mean_normal_score"]["masked"]["gain_of_fused_ap"]
    print(f"| similar drugs masked, gain of AP over the mean normal score of the same channels | {interval(gain)} | | > 0 | {met(gain['low'] > 0)} |")
    for protocol, c in e["calibration"]["by_protocol"].items():
        fine = 0.9 <= c["oe"] <= 1.1 and 0.9 <= c["slope"] <= 1.1
        print(f"| calibration, {protocol}: observed / expected, slope | {c['oe']:.3f}, {c['slope']:.3f} | | 0.9 to 1.1 | {met(fine)} |")
    c = e["conformal"]
    print(f"| conformal 90 %: disorders that fail; least covered; size | {c['failing']}; {c['coverage_min']:.3f}; {c['size']:.3f} | | 0 | {met(c['failing'] == 0)} |")


def baselines(e):
    names = [p for p in ("masked", "zero_shot", "new_drug") if p in e["protocols"]]
    print("\n| AP, and the gain of the model over it | " + " | ".join(names) + " |\n|---" + "|---" * len(names) + "|")
    print("| the model | " + " | ".join(interval(e["protocols"][p]["macro"]["ap"]) for p in names) + " |")
    for name, b in e["baselines"].items():
        cells = [f"{number(b[p]['macro']['ap']['value'])}; {interval(b[p].get('gain_of_fused_ap'))}" if p in b else "n/a" for p in names]
        print(f"| {name} | " + " | ".join(cells) + " |")


def disorders(e):
    other = {x["id"]: x for x in e["protocols"]["zero_shot"]["disorders"]}
    scale = {x["id"]: x for x in e["calibration"]["disorders"]}
    sets = {x["id"]: x for x in e["conformal"]["disorders"]}
    print("\n| disorder | n+ | AP masked | against nervous-system drugs | AP zero-shot | observed / expected | covered | share of drugs in the set |")
    print("|---|---|---|---|---|---|---|---|")
    for d in e["protocols"]["masked"]["disorders"]:
        c, s = scale[d["id"]], sets.get(d["id"])
        print(f"| {d['name']} | {d['n_pos']} | {number(d['ap']['value'])} | {number(d['auroc_vs_ns']['value'])} | {number(other[d['id']]['ap']['value'])} | "
              f"{number(c['oe'], 2)} | " + (f"{s['covered']} of {s['n_pos']} | {number(s['size'], 2)} |" if s else "n/a | n/a |"))


def ablation(e):
    print("\n| left out | AP lost, masked | p (Holm) |\n|---|---|---|")
    for a in e["ablation"]:
        print(f"| {a['channel']} | {a['delta_ap']:.3f} ({a['low']:.3f} to {a['high']:.3f}) | {number(a['p'])} ({number(a['p_holm'])}) |")


def main():
    if len(sys.argv) != 2:
        sys.exit("bars.py: give an evaluation.json of tests/studies/nervous_system.yaml")
    with open(sys.argv[1], encoding="utf-8") as f:
        e = json.load(f)
    print(f"Seed {e['seed']}, {e['bootstrap']} resamples of disorders and drugs.\n")
    bars(e)
    baselines(e)
    disorders(e)
    ablation(e)


if __name__ == "__main__":
    main()
