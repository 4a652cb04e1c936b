#!/bin/sh
# Every public function has a comment that ends right above it, or above the group of prototypes it stands in.
set -u
. tests/lint/lib/tree.sh
status=0
for header in $(tree include/nepenthe h); do
    awk -v file="$header" '
        /\*\// { commented = 1; next }
        /^[[:space:]]*$/ { commented = 0; next }
        /^(NEP_MUST_USE |NEP_HD |const |void |bool |int |int64_t |double |uint32_t |nep_|struct |char )/ && /nep_[a-z0-9_]+\(/ {
            if (!commented) { match($0, /nep_[a-z0-9_]+\(/); printf "%s:%d: %s has no comment\n", file, FNR, substr($0, RSTART, RLENGTH - 1); bad = 1 }
        }
        END { exit bad }
    ' "$header" || status=1
done
exit $status
