#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converts the shared evaluation tables into those that nervous_system.yaml reads.

    make_nervous_system.py [OUT]        (OUT is tests/studies/nervous_system beside this file when left out)

Reads $NEPENTHE_SHARED/data (default: ../shared beside the repository). The output is for evaluation on this machine only:
structures, ATC codes and most targets come from DrugBank (CC BY-NC), side effects from SIDER (CC BY-NC-SA); every row says
its licence. Needs RDKit for fingerprints and descriptors.

Rules. Drugs are the 1,538 of Hetionet that its published model ranks, named by InChIKey where there is one that no other
drug has. An edge that several sources support has the most open of their licences. Labels of the 41 nervous-system
conditions come from ns_truth_v1 (joined by name and concept there, since the disease slim lacks the concepts of
schizophrenia, depression and ADHD), those of all other diseases from PharmacotherapyDB and DrugCentral. An edge that is a
label (treats, palliates) is no edge here.
"""
import collections
import csv
import gzip
import math
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from make_enigma import RANKING, chemistry, rows_of, write, write_json  # noqa: E402

HET = os.path.join(RANKING, "hetionet")
TWIN = "DOID:3070"  # malignant glioma: the brain tumours of DOID:1319 under another name, so no context for them
# Side effects that name what a drug is given for are left out: a label lists the treated disorder among them.
INDICATION_WORDS = re.compile(
    r"epilep|convuls|seizure|sclerosis|migraine|headache|alzheimer|dementia|parkinson|schizophren|psychos|psychotic|bipolar|mania|manic|depress|"
    r"panic|anxiety|attention deficit|hyperactiv|restless|tourette|\btic|autis|narcolep|somnolence|alcohol|insomnia|stroke|cerebrovascular|spastic|"
    r"neuralgia|vertigo|myasthen|neoplasm|cancer|carcinoma|tumou?r|leuk.?emia|lymphoma|melanoma|sarcoma|glioma|blastoma|myeloma|metasta|arthritis|"
    r"hypertensi|osteopor|gout|hyperuric|asthma|obstructive|rhinitis|psoria|dermatitis|colitis|crohn|diabet|hyperglyc|obes|angina|infarct|"
    r"atheroscl|cholesterol|hyperlip|glaucoma|lupus|scleroderma|malaria|\bhiv|immunodefic|spondyl|renal failure|an.?emia|polycystic|heart failure", re.I)
LICENCE = {"CC BY 4.0": "CC-BY-4.0", "CC BY 3.0": "CC-BY-3.0", "CC0 1.0": "CC0-1.0", "CC BY-SA 3.0": "CC-BY-SA-3.0",
           "CC BY-NC 4.0": "CC-BY-NC-4.0", "ODbL 1.0": "ODbL-1.0", "": None}
RANK = ["CC0-1.0", "CC-BY-4.0", "CC-BY-3.0", "CC-BY-SA-3.0", "ODbL-1.0", "CC-BY-NC-4.0", None]
UP = ("agonist", "activator", "stimulator", "inducer", "opener", "potentiator", "positive", "releas")
DOWN = ("antagonist", "inhibitor", "blocker", "inverse agonist", "negative", "suppress", "inactivat", "antibody", "reducer")


def tsv(*path):
    return rows_of(os.path.join(RANKING, *path), "\t", csv.QUOTE_NONE)


def most_open(licences):
    return min(licences, key=RANK.index)


def sign_of(actions):
    """+1 raises, -1 lowers the target's activity, None: not stated, or both."""
    text = (actions or "").lower()
    down = any(w in text for w in DOWN)
    rest = text.replace("inverse agonist", "").replace("antagonist", "")
    up = any(w in rest for w in UP)
    return None if up == down else (1 if up else -1)


# ---- drugs ----
def make_drugs(folder):
    """Returns DrugBank id -> drug_id of the drugs ranked."""
    used = sorted({r["drugbank_id"] for r in tsv("rephetio", "recomputed_probabilities.tsv.gz")})
    bank = {r["drugbank_id"]: r for r in tsv("compounds", "drugbank_slim.tsv.gz")}
    names = {r["id"].split("::")[1]: r["name"] for r in tsv("hetionet", "nodes.tsv.gz") if r["kind"] == "Compound"}
    with gzip.open(os.path.join(RANKING, "compounds", "drkg_drugbank_smiles.txt.gz"), "rt") as f:
        smiles = dict(line.split()[:2] for line in f if len(line.split()) >= 2)
    classes = {r["class_id"]: r["class_name"] for r in tsv("drugcentral", "classes.tsv.gz") if r["class_type"] in ("Mechanism of Action", "Physiologic Effect")}
    mechanism = {}
    for r in tsv("drugcentral", "drug-to-class.tsv.gz"):
        if r["class_id"] in classes:
            mechanism.setdefault(r["drugbank_id"], classes[r["class_id"]])
    chem = chemistry({k: smiles[k] for k in used if k in smiles})
    if chem is None:
        sys.exit("make_nervous_system: needs RDKit (python3-rdkit)")
    keys = {k: (bank.get(k, {}).get("inchikey") or "").replace("InChIKey=", "") for k in used}
    count = collections.Counter(keys.values())
    ids, rows = {}, []
    for k in used:
        good = re.match(r"^[A-Z]{14}-[A-Z]{10}-[A-Z]$", keys[k]) and count[keys[k]] == 1
        ids[k] = keys[k] if good else "DRUGBANK:" + k
        codes = re.split(r"[|, ]+", bank.get(k, {}).get("atc_codes") or "")
        atc = ";".join(sorted({a[:5] for a in codes if len(a) >= 5}))
        c = chem.get(k) or [None] * 8
        rows.append([ids[k], names.get(k, k), smiles.get(k), c[0], atc, mechanism.get(k)] + c[1:] + [None, "CC-BY-NC-4.0", "DrugBank " + k])
    write(folder, "drugs.tsv", "drug_id name smiles fingerprint atc4 mechanism_class mw clogp tpsa hbd hba rotatable_bonds aromatic_rings "
          "pka_basic licence source".split(), rows)
    return ids


# ---- edges ----
def binds(ids):
    known = {(r["source"], r["target"]) for r in tsv("hetionet", "CbG.tsv.gz")}
    licences, signs, sources = collections.defaultdict(list), collections.defaultdict(int), collections.defaultdict(set)
    for r in tsv("hetionet", "CbG_binding_detail.tsv.gz"):
        k = (r["drugbank_id"], r["entrez_gene_id"])
        licences[k].append(LICENCE[r["license"]])
        signs[k] += sign_of(r["actions"]) or 0
        sources[k].add(r["sources"])
    for r in tsv("drugcentral", "targets.tsv.gz"):
        k = (r["drugbank_id"], r["GeneID"])
        signs[k] += sign_of(r["actions"]) or 0
        if k in known:
            licences[k].append("CC-BY-4.0")
            sources[k].add("DrugCentral")
    for k in sorted(known):
        if k[0] in ids:
            s = signs[k]
            yield ids[k[0]], k[1], (s > 0) - (s < 0) or None, most_open(licences[k] or [None]), "; ".join(sorted(sources[k]))[:120]


def associates():
    for r in tsv("hetionet", "DaG_association_detail.tsv.gz"):
        parts = r["sources"].split("|")
        each = ["ODbL-1.0" if p == "DisGeNET" else None if p == "DOAF" else "CC-BY-4.0" for p in parts]
        yield r["doid_id"], r["entrez_gene_id"], "GWAS Catalog" in parts, parts != ["GWAS Catalog"], most_open(each), r["sources"].replace("|", "; ")


def plain(name, licence, source, ids=None, ends=()):
    out = []
    for r in tsv("hetionet", name):
        pair = [ids.get(r[c]) if c in ends else r[c] for c in ("source", "target")]
        if all(pair):
            out.append(pair + [licence, source])
    return out


def make_edges(folder, ids):
    head, signed = "source target licence provenance".split(), "source target sign licence provenance".split()
    count = {}

    def put(name, rows, header=head):
        rows = list(rows)
        count[name] = len(rows)
        write(folder, f"{name}.tsv", header, rows)

    put("CbG", binds(ids), signed)
    genes = list(associates())
    put("DaG", [(d, g, lic, src) for d, g, _, _, lic, src in genes])
    put("DgG", [(d, g, "CC-BY-4.0", "GWAS Catalog") for d, g, gwas, _, _, _ in genes if gwas])
    curated = [(d, g, src.replace("GWAS Catalog", "").strip("; ").replace("; ; ", "; ")) for d, g, _, cur, _, src in genes if cur]
    put("DcG", [(d, g, most_open(["ODbL-1.0" if p == "DisGeNET" else None if p == "DOAF" else "CC-BY-4.0" for p in src.split("; ")]), src)
                for d, g, src in curated])
    pathway = {r["identifier"]: (LICENCE[r["license"]], r["source"]) for r in tsv("disease", "pathways.tsv.gz")}
    put("GpPW", [(r["source"], r["target"]) + pathway[r["target"]] for r in tsv("hetionet", "GpPW_from_pathways.tsv.gz")])
    put("CuG", plain("CuG.tsv.gz", None, "LINCS L1000", ids, ("source",)))
    put("CdG", plain("CdG.tsv.gz", None, "LINCS L1000", ids, ("source",)))
    put("CrC", plain("CrC.tsv.gz", "CC-BY-NC-4.0", "structures of DrugBank", ids, ("source", "target")))
    effects = {r["id"].split("::")[1]: r["name"] for r in tsv("hetionet", "nodes.tsv.gz") if r["kind"] == "Side Effect"}
    put("CcSE", (r for r in plain("CcSE_from_SIDER4.1.tsv.gz", "CC-BY-NC-SA-4.0", "SIDER 4.1", ids, ("source",))
                 if not INDICATION_WORDS.search(effects.get(r[1], ""))))
    put("PCiC", plain("PCiC_from_DrugCentral.tsv.gz", "CC-BY-4.0", "DrugCentral (FDA)", ids, ("target",)))
    put("DuG", plain("DuG.tsv.gz", "CC0-1.0", "STARGEO"))
    put("DdG", plain("DdG.tsv.gz", "CC0-1.0", "STARGEO"))
    put("DpS", plain("DpS.tsv.gz", "CC0-1.0", "MEDLINE co-occurrence"))
    put("DlA", plain("DlA.tsv.gz", "CC0-1.0", "MEDLINE co-occurrence"))
    put("DrD", plain("DrD.tsv.gz", "CC0-1.0", "MEDLINE co-occurrence"))
    put("AuG", plain("AuG.tsv.gz", "CC0-1.0", "Bgee"))
    put("AdG", plain("AdG.tsv.gz", "CC0-1.0", "Bgee"))
    put("GiG", plain("GiG.tsv.gz", "CC0-1.0", "interactomes as compiled for Hetionet"))
    weighted = "source target weight licence provenance".split()
    put("DsS", [(r["doid_code"], r["symptom_id"], float(r["tfidf_score"]), "CC0-1.0", "HSDN")
                for r in tsv("disease", "hsdn_symptoms_do.tsv.gz") if r["doid_code"]], weighted)
    put("DmD", co_occurrence(), weighted)
    return count


def co_occurrence():
    """Weight: log of how often two diseases meet in MEDLINE over what chance would give, one more on both sides."""
    done = set()
    for r in tsv("disease", "medline_disease_cooccurrence.tsv.gz"):
        pair = tuple(sorted((r["doid_code_0"], r["doid_code_1"])))
        value = math.log((float(r["cooccurrence"]) + 1) / (float(r["expected"]) + 1))
        if pair[0] != pair[1] and pair not in done and value > 0:
            done.add(pair)
            yield pair + (value, "CC0-1.0", "MEDLINE")


# ---- names of nodes ----
KINDS = {"C": "Compound", "G": "Gene", "D": "Disease", "A": "Anatomy", "PW": "Pathway", "PC": "Pharmacologic Class", "SE": "Side Effect", "S": "Symptom"}


def make_nodes(folder, ids, metaedges):
    """A table of id and name for every kind, of the nodes that an edge has; a node that the source does not name keeps its id."""
    name = collections.defaultdict(dict)
    for r in tsv("hetionet", "nodes.tsv.gz"):
        node = r["id"].split("::")[1]
        name[r["kind"]][ids.get(node, node) if r["kind"] == "Compound" else node] = r["name"]
    met = collections.defaultdict(set)
    for edge in metaedges:
        ends = re.match(r"([A-Z]+)[a-z]+([A-Z]+)$", edge).groups()
        for r in rows_of(os.path.join(folder, "edges", f"{edge}.tsv"), "\t", csv.QUOTE_NONE):
            met[ends[0]].add(r["source"])
            met[ends[1]].add(r["target"])
    met["C"] |= set(ids.values())
    os.makedirs(os.path.join(folder, "nodes"), exist_ok=True)
    for kind in sorted(met):
        write(os.path.join(folder, "nodes"), f"{kind}.tsv", ["id", "name"], [(n, name[KINDS[kind]].get(n, n)) for n in sorted(met[kind])])
    return sorted(met)


def write_network(folder, names, kinds):
    lines = ["schema: nepenthe/network/1", "name: drugs, genes and diseases of Hetionet", "kinds:"]
    lines += [f'  - {{id: "{kind}", name: "{KINDS[kind]}", nodes: nodes/{kind}.tsv}}' for kind in kinds]
    lines += ["metaedges:"]
    lines += [f'  - {{id: "{name}", edges: edges/{name}.tsv}}' for name in names]
    with open(os.path.join(folder, "network.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


# ---- labels ----
LISTS = {"DRUGCENTRAL": "DrugCentral 2016", "HUB": "Drug Repurposing Hub", "PHDB": "PharmacotherapyDB", "REPODB": "repoDB"}
CURATED = {"DM": "disease-modifying", "SYM": "symptomatic", "NOT": "curators: no indication", "": ""}


def stopped_trials(text):
    """Each trial once, with its reason where one was given: "NCT00206947 (terminated, phase 2): No more funding"."""
    said = []
    for piece in text.split(" ; "):
        m = re.match(r"(\w+)/(.*?)/(NCT\d+): ?(.*)$", piece.strip())
        one = f"{m[3]} ({m[1].lower()}, {m[2].lower()})" + (f": {m[4].strip()}" if m[4].strip() else "") if m else piece.strip()
        if one and one not in said:
            said.append(one)
    return "; ".join(said)


def label_source(r):
    """Where a label comes from, in words a reader knows, at most 240 characters."""
    lists = [LISTS[p] for p in r["sources"].split("|") if p]
    if r["phdb_category"]:
        name = LISTS["PHDB"]
        lists = [p for p in lists if p != name] + [f"{name} ({CURATED[r['phdb_category']]})"]
    if r["label"] == "TRIAL_ONLY":
        lists.append(f"ClinicalTrials.gov ({r['n_trials']} trial{'' if r['n_trials'] == '1' else 's'})")
    trials = stopped_trials(r["failed_trials"] or "")
    words = "; ".join([", ".join(lists)] * bool(lists) + ["stopped: " + trials] * bool(trials))
    return words if len(words) <= 240 else words[:237].rsplit(" ", 1)[0] + "..."


def make_labels(folder, ids):
    rows, nervous = {}, {r["doid"] for r in tsv("ns_disease_truth_summary.tsv")}
    order = ["approved", "symptomatic", "investigational", "failed", "contraindicated"]

    def put(drug, disorder, status, where, licence):
        key = (ids.get(drug), disorder)
        if key[0] and (key not in rows or order.index(rows[key][0]) > order.index(status)):
            rows[key] = (status, where, licence)

    for r in tsv("ns_truth_v1.tsv"):
        disorder = r["doid"] or "condition:" + r["condition"]
        status = {"POS": "symptomatic" if r["phdb_category"] == "SYM" else "approved", "FAILED": "failed", "NEG_CURATED": "failed",
                  "TRIAL_ONLY": "investigational"}[r["label"]]
        parts = [p for p in r["sources"].split("|") if p]
        licence = "CC0-1.0" if r["phdb_category"] or r["label"] == "TRIAL_ONLY" else "CC-BY-4.0" if "DRUGCENTRAL" in parts else None
        put(r["drugbank_id"], disorder, status, label_source(r), licence)
    for r in tsv("pharmacotherapydb", "indications.tsv"):
        status = {"DM": "approved", "SYM": "symptomatic", "NOT": "failed"}[r["category"]]
        if r["doid_id"] not in nervous and r["doid_id"] != TWIN:
            put(r["drugbank_id"], r["doid_id"], status, f"PharmacotherapyDB ({CURATED[r['category']]})", "CC0-1.0")
    for r in tsv("drugcentral", "indications.tsv"):
        if r["doid_id"] not in nervous and r["doid_id"] != TWIN and r["category"] != "NOT":
            put(r["drugbank_id"], r["doid_id"], "approved", "DrugCentral 2016" + (f" ({CURATED[r['category']]})" if r["category"] else ""), "CC-BY-4.0")
    table = sorted((d, j, s, None, lic, where) for (d, j), (s, where, lic) in rows.items())
    write(folder, "labels.tsv", "drug_id disorder status since licence source".split(), table)
    return collections.Counter(r[2] for r in table)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "nervous_system")
    os.makedirs(os.path.join(folder, "edges"), exist_ok=True)
    ids = make_drugs(folder)
    edges = make_edges(os.path.join(folder, "edges"), ids)
    write_network(folder, edges, make_nodes(folder, ids, edges))
    labels = make_labels(folder, ids)
    write_json(folder, "labels.json", {"licence": "per row", "citation": "PharmacotherapyDB, DrugCentral 2016, repoDB, Drug Repurposing Hub, ClinicalTrials.gov"})
    print(f"{folder}: {len(ids)} drugs, {sum(edges.values())} edges of {len(edges)} kinds, labels: {dict(labels)}")


if __name__ == "__main__":
    main()
