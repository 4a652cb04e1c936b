#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/features.sh PROGRAM [DIR] - a page per feature, and their index, from the program's feature table; DIR: docs/features.
set -eu
program=$1
dir=${2:-$(dirname "$0")/features}
mkdir -p "$dir"
rm -f "$dir"/*.md
{
    printf '# Features\n\nWhat each imaging number is, where it comes from, and what peers do differently; `nepenthe explain NAME` says the same.\n'
    printf 'Made by `docs/features.sh` from the feature table.\n\n'
} > "$dir/README.md"
"$program" explain --markdown | while IFS='	' read -r name title; do
    "$program" explain "$name" --markdown > "$dir/$name.md"
    printf -- '- [%s](%s.md): %s\n' "$name" "$name" "$title" >> "$dir/README.md"
done
