#!/bin/sh
# The name carries the address: a non-static function nep_<word>_... lives in a file or folder whose name holds <word>.
set -u
. tests/lint/lib/tree.sh
fail=0
for file in $(tree src c | grep -v '^src/cli/'); do
    thing=$(basename "$file" .c)
    room=$(echo "$file" | cut -d/ -f2)
    for name in $(sed -nE 's/^(NEP_MUST_USE )?[a-z_][A-Za-z0-9_ ]*[ *]+(nep_[a-z0-9_]+)\(.*/\2/p' "$file" | sort -u); do
        grep -qE "^static .*[ *]$name\(" "$file" && continue
        word=$(echo "$name" | cut -d_ -f2)
        case "_${thing}_ $room" in
        *"$word"*) ;;
        *) echo "$file: $name belongs in a file named after '$word'"; fail=1 ;;
        esac
    done
done
exit $fail
