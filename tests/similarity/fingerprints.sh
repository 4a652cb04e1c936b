#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fingerprints.sh OUT: Morgan bits (radius 2, 2,048) of the evaluation data's 153,705 molecules by `nepenthe molecules`, raw words, for
# similarity_bits_molecules. Made once; the sum is that of RDKit 2022.09.3 in Python (tests/golden/make_fp2048.py).
set -eu
[ ! -s "$1" ] || exit 0
set="${NEPENTHE_SHARED:-$(dirname "$0")/../../../shared}/data/similarity/smiles_153705.tsv.gz"
[ -r "$set" ] || { echo "the evaluation data are not here"; exit 77; }
"$NEPENTHE" doctor | grep -q '^structures *RDKit' || { echo "the RDKit module is not part of this build"; exit 77; }
trap 'rm -f "$1.smi" "$1.fps" "$1.h5" "$1.part"' EXIT
gzip -dc "$set" | cut -f3 >"$1.smi"
"$NEPENTHE" molecules "$1.smi" --no-inchikey --fps "$1.fps" -o "$1.h5" -q
python3 - "$1.fps" "$1.part" <<'PY'
import hashlib, sys
rows = b"".join(bytes.fromhex(line.split("\t")[0]) for line in open(sys.argv[1]) if not line.startswith("#"))
found = hashlib.sha256(rows).hexdigest()
if found != "1588969b732bf8f493b752d268506d9702a8d46d924ba6d1c1012a695b8a2305":
    sys.exit(f"the fingerprints are not those of RDKit 2022.09.3: sha256 {found}")
open(sys.argv[2], "wb").write(rows)
PY
mv "$1.part" "$1"
