#!/bin/sh
# Every public header stands alone in C17 and in C++17.
set -u
. tests/lint/lib/tree.sh
fail=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
for header in $(tree include/nepenthe h); do
    name=${header#include/}
    echo "#include <$name>" > "$scratch/alone.c"
    cp "$scratch/alone.c" "$scratch/alone.cc"
    cc -std=gnu17 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Iinclude "$scratch/alone.c" || { echo "$header: not alone in C17"; fail=1; }
    c++ -std=gnu++17 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Iinclude "$scratch/alone.cc" || { echo "$header: not alone in C++17"; fail=1; }
done
exit $fail
