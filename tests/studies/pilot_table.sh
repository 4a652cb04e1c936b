#!/bin/sh
# The tables of README.md: the pilot's score by the program beside the pilot, and the study as declared.
#   NEPENTHE_SHARED=/path/to/shared sh tests/studies/pilot_table.sh [nepenthe]
# Needs the shared data, and a python3 with RDKit for the fingerprints of the study. Exit 77 without the data.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
nepenthe=${1:-$here/../../build-cpu/nepenthe}
NEPENTHE_SHARED=${NEPENTHE_SHARED:-$here/../../../shared}
export NEPENTHE_SHARED
[ -d "$NEPENTHE_SHARED/data/brainmaps" ] || { echo "pilot_table: no evaluation data at $NEPENTHE_SHARED" >&2; exit 77; }
"${PYTHON:-python3}" "$here/make_enigma.py" 2>/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$nepenthe" evaluate "$here/enigma_pilot.yaml" -o "$work/pilot" --redraws 20 --null-maps 20 -q >"$work/pilot.tsv"
echo "| disorder | n+ | AUROC | map null, 95 % | p | ligand only, leave one out | pilot: n+ | AUROC | null | p | ligand only | AUROC less pilot's |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|"
# name, then the figures of the pilot's own run (score A, mode U, cortex)
while IFS='|' read -r id n auroc null p ligand; do
    awk -F'\t' -v id="$id" -v n="$n" -v auroc="$auroc" -v null="$null" -v p="$p" -v ligand="$ligand" '
        NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        $c["disorder"] == id {
            printf "| %s | %s | %s | %s to %s | %s | %s | %s | %s | %s | %s | %s | %+.3f |\n", $c["name"], $c["n_pos"], $c["auroc_imaging"],
                $c["null_low"], $c["null_high"], $c["null_p"], $c["ligand_only_leave_one_out"], n, auroc, null, p, ligand, $c["auroc_imaging"] - auroc
        }' "$work/pilot.tsv"
done <<'PILOT'
DOID:5419|32|.15|.22 to .79|.003|.88
DOID:1470|32|.73|.24 to .74|.12|.77
DOID:3312|10|.23|.25 to .73|.02|.84
DOID:10933|5|.93|.04 to .96|.14|.92
DOID:1094|6|.43|.07 to .92|.85|.94
DOID:14330|9|.33|.28 to .75|.16|.65
PILOT

echo
"$nepenthe" evaluate "$here/enigma.yaml" -o "$work/study" -q >"$work/study.tsv"
echo "| disorder | n+ | AUROC of imaging alone | map null, 95 % | p | ligand only, masked | fused, masked | gain of AP | map p (Holm) | detectable | verdict |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
    { printf "| %s | %s | %s | %s to %s | %s | %s | %s | %s | %s (%s) | %s | %s |\n", $c["name"], $c["n_pos"], $c["auroc_imaging"], $c["null_low"],
      $c["null_high"], $c["null_p"], $c["auroc_ligand_only"], $c["auroc_fused"], $c["delta_ap"], $c["p_map"], $c["p_holm"], $c["detectable"], $c["verdict"] }' "$work/study.tsv"
