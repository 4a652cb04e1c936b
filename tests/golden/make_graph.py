# SPDX-License-Identifier: Apache-2.0
"""Degree-weighted path counts of a small network in the shape of Hetionet: every path is walked one by one, nodes visited twice are
skipped by looking, degrees are lengths of sets (plain Python, no matrix). Edges are drawn with random.Random(5)."""
import math
import random
import re

from golden import write_tsv

NODES = {"C": 12, "G": 16, "D": 8, "SE": 7, "PW": 5, "PC": 4, "A": 5}
SHARE = {"CbG": 0.2, "CcSE": 0.35, "CrC": 0.3, "CtD": 0.18, "CpD": 0.15, "CdG": 0.2, "CuG": 0.2, "DaG": 0.25, "DdG": 0.2, "DuG": 0.2, "DrD": 0.3,
         "DlA": 0.4, "AeG": 0.3, "GiG": 0.15, "GcG": 0.15, "Gr>G": 0.12, "GpPW": 0.3, "PCiC": 0.3}
METAPATHS = ("CbGaD CtDrD CrCtD CbGbCtD CbGpPWpGaD CcSEcCtD CiPCiCtD CiPCiCdGaD CpDpCtD CpDpCtDrD CrCrCtD CrCrCdGaD CrCdGbCtD CrCdGiGaD "
             "CrCuG<rGaD CrCuGcGaD CbGdDdGaD CdGaDdGaD CbGeAlD CbGbC CbGbCrC CtDtCtD CrCrCrC GiGiGiG GiGiGiGiG Gr>Gr>G CrCtDtC DrDtCtD").split()
W = 0.4

rng = random.Random(5)
edges, ahead = [], {}
for metaedge, share in SHARE.items():
    a, relation, b = re.fullmatch(r"([A-Z]+)([a-z]+>?)([A-Z]+)", metaedge).groups()
    out, back = {}, {}
    for i in range(NODES[a]):
        for j in range(NODES[b]):
            if rng.random() < share and not (a == b and (i == j or (">" not in relation and j < i))):
                x, y = f"{a}{i:02}", f"{b}{j:02}"
                edges.append((metaedge, x, y))
                out.setdefault(x, set()).add(y)
                back.setdefault(y, set()).add(x)
                if a == b and ">" not in relation:
                    out.setdefault(y, set()).add(x)
                    back.setdefault(x, set()).add(y)
    ahead[(a, relation, b)] = (out, back)
    if a != b:
        ahead[(b, relation, a)] = (back, out)
    elif ">" in relation:
        ahead[(a, "<" + relation[:-1], b)] = (back, out)


def walk(steps, at, visited, product):
    """Paths with the product of the degrees along them, a whole number: the path degree product is product ** -W."""
    if at == len(steps):
        yield product, visited
        return
    out, back = ahead[steps[at]]
    here = visited[-1]
    for node in out.get(here, ()):
        if node not in visited:
            yield from walk(steps, at + 1, visited + [node], product * len(out[here]) * len(back[node]))


rows, top = [], []
for metapath in METAPATHS:
    words = re.findall(r"[A-Z]+|[a-z<>]+", metapath)
    steps = [tuple(words[i:i + 3]) for i in range(0, len(words) - 2, 2)]
    found = {}
    for i in range(NODES[words[0]]):
        for product, visited in walk(steps, 0, [f"{words[0]}{i:02}"], 1):
            found.setdefault((visited[0], visited[-1]), []).append((product, visited))
    for (a, b), paths in sorted(found.items()):
        rows.append((metapath, a, b, f"{math.fsum(p ** -W for p, _ in paths):.13g}", len(paths)))
    pair = max(found, key=lambda k: (len(found[k]), k))
    total = math.fsum(p ** -W for p, _ in found[pair])
    for rank, (product, visited) in enumerate(sorted(found[pair])[:10], 1):
        top.append((metapath, rank, " ".join(visited), f"{product ** -W:.13g}", f"{product ** -W / total:.13g}"))

write_tsv("graph_edges.tsv", ["metaedge", "source", "target"], edges)
write_tsv("graph_dwpc.tsv", ["metapath", "source", "target", "dwpc", "paths"], rows)
write_tsv("graph_top.tsv", ["metapath", "rank", "nodes", "pdp", "share"], top)
