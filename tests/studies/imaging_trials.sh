#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What imaging adds to the nervous-system study, tried in every way that make_nervous_imaging.py lists (VARIANTS, fixed before any was run;
# nothing is chosen by what comes out). One seed, the same for all. Prints tables in Markdown.
#
#     sh tests/studies/imaging_trials.sh [PROGRAM [FOLDER]]      (build-cpu/nepenthe; a folder for imaging.json of each, kept)
#
# Needs tests/studies/nervous_system (make_nervous_system.py, then make_nervous_imaging.py). About half a minute of CPU per variant.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build-cpu/nepenthe}
out=${2:-$(mktemp -d)}
mkdir -p "$out"
for study in "$here"/nervous_system/imaging_*.yaml; do
    name=$(basename "$study" .yaml)
    [ -f "$out/$name/imaging.json" ] || "$program" evaluate "$study" --imaging-only --bootstrap 50 --seed 1 --threads 1 -o "$out/$name" >/dev/null 2>"$out/$name.log"
done
python3 "$here/imaging_table.py" "$out"
