#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converts the shared tables of Hetionet v1.0 into a network file and its edge lists.

    make_hetionet.py [OUT]        (OUT is tests/studies/hetionet beside this file when left out)

Reads $NEPENTHE_SHARED/data/ranking (default: ../shared beside the repository). The output is for evaluation on this machine only:
targets come mostly from DrugBank (CC BY-NC), side effects from SIDER (CC BY-NC-SA). Every edge has its licence, where one is known:
of an edge that several sources support, one per source. Expression in anatomies (AeG) is the part of Hetionet's that Bgee gives.
Standard library.
"""
import collections
import csv
import gzip
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(os.environ.get("NEPENTHE_SHARED", os.path.join(os.path.dirname(ROOT), "shared")), "data", "ranking", "hetionet")

# metaedge: (file, licence of all its edges or "" where none is known, source)
EDGES = collections.OrderedDict((
    ("AdG", ("AdG", "CC0 1.0", "Bgee")), ("AuG", ("AuG", "CC0 1.0", "Bgee")), ("CbG", ("CbG", "", "")),
    ("CcSE", ("CcSE_from_SIDER4.1", "CC BY-NC-SA 4.0", "SIDER 4.1")), ("CdG", ("CdG", "", "LINCS L1000")),
    ("CpD", ("CpD", "CC0 1.0", "PharmacotherapyDB")), ("CrC", ("CrC", "CC BY-NC 4.0", "DrugBank")),
    ("CtD", ("CtD", "CC0 1.0", "PharmacotherapyDB")), ("CuG", ("CuG", "", "LINCS L1000")), ("DaG", ("DaG", "", "")),
    ("DdG", ("DdG", "CC0 1.0", "STARGEO")), ("DlA", ("DlA", "CC0 1.0", "MEDLINE")), ("DpS", ("DpS", "CC0 1.0", "MEDLINE")),
    ("DrD", ("DrD", "CC0 1.0", "MEDLINE")), ("DuG", ("DuG", "CC0 1.0", "STARGEO")), ("GcG", ("GcG", "", "Evolutionary Rate Covariation")),
    ("GiG", ("GiG", "", "Human Interactome Database, HPRD and others")), ("GpPW", ("GpPW_from_pathways", "CC BY 4.0", "WikiPathways, Reactome, PID")),
    ("Gr>G", ("GrG", "", "LINCS L1000")), ("PCiC", ("PCiC_from_DrugCentral", "CC BY 4.0", "DrugCentral"))))
SOURCE_LICENCE = {"DISEASES": "CC BY 4.0", "GWAS Catalog": "CC BY 4.0", "DisGeNET": "ODbL 1.0", "DrugBank": "CC BY-NC 4.0", "ChEMBL": "CC BY-SA 3.0",
                  "DrugCentral": "CC BY 4.0", "BindingDB": "CC BY 3.0"}
KINDS = {"A": "Anatomy", "C": "Compound", "D": "Disease", "G": "Gene", "PC": "Pharmacologic Class", "PW": "Pathway", "S": "Symptom", "SE": "Side Effect"}


def rows(name):
    with gzip.open(os.path.join(DATA, name), "rt", encoding="utf-8") as f:
        yield from csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)


def write(folder, name, header, lines):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as f:
        f.write("\t".join(header) + "\n")
        f.writelines("\t".join(c or "n/a" for c in line) + "\n" for line in lines)


def sources_of(name, a, b):
    """(a, b) -> sources, those of one edge with | between."""
    return {(r[a], r[b]): r["sources"] for r in rows(name)}


def with_sources(edges, sources):
    for edge in edges:
        names = sources.get(edge, "")
        yield (*edge, "|".join(SOURCE_LICENCE.get(s.split(" (")[0], "none") for s in names.split("|")) if names else None, names)


def main():
    if not os.path.isdir(DATA):
        print(f"make_hetionet: no folder {DATA}; set NEPENTHE_SHARED")
        sys.exit(77)
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "hetionet")
    os.makedirs(out, exist_ok=True)
    nodes = collections.defaultdict(list)
    for r in rows("nodes.tsv.gz"):
        nodes[r["kind"]].append((r["id"].split("::", 1)[1], r["name"]))
    yaml = ["schema: nepenthe/network/1", "name: Hetionet v1.0, 21 of its 24 metaedges", "kinds:"]
    for kind, name in KINDS.items():
        write(out, f"nodes_{kind}.tsv", ("id", "name"), nodes[name])
        yaml.append(f"  - {{id: {kind}, name: {name}, nodes: nodes_{kind}.tsv}}")
    yaml.append("metaedges:")
    detail = {"CbG": sources_of("CbG_binding_detail.tsv.gz", "drugbank_id", "entrez_gene_id"),
              "DaG": sources_of("DaG_association_detail.tsv.gz", "doid_id", "entrez_gene_id")}
    for metaedge, (name, licence, source) in EDGES.items():
        edges = [(r["source"], r["target"]) for r in rows(name + ".tsv.gz")]
        file = metaedge.replace(">", "") + ".tsv"
        if metaedge in detail:
            write(out, file, ("source", "target", "licence", "source_db"), with_sources(edges, detail[metaedge]))
        else:
            write(out, file, ("source", "target"), edges)
        more = "".join(f', {k}: "{v}"' for k, v in (("licence", licence), ("source", source)) if v)
        yaml.append(f'  - {{id: "{metaedge}", edges: {file}{more}}}')
    anatomies, genes = ({i for i, _ in nodes[k]} for k in ("Anatomy", "Gene"))
    bgee = [(a, r["entrez_gene_id"]) for r in rows("bgee_present_in_adult.tsv.gz") if r["entrez_gene_id"] in genes
            for a in r if r[a] == "1" and a in anatomies]
    write(out, "AeG.tsv", ("source", "target"), bgee)
    yaml.append('  - {id: "AeG", edges: AeG.tsv, licence: "CC0 1.0", source: "Bgee"}')
    with open(os.path.join(out, "network.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(yaml) + "\n")


if __name__ == "__main__":
    main()
