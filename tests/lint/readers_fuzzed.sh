#!/bin/sh
# Every public reader of io.h (nep_<thing>_read*, _open, and the HDF5 reader) has a fuzz target that names it, and every
# target a committed corpus.
set -u
. tests/lint/lib/tree.sh
status=0
for name in $(grep -oE 'nep_[a-z0-9]+_(open|read[a-z0-9_]*)\(' include/nepenthe/io.h | tr -d '(' | sort -u); do
    grep -qwE "$name" tests/fuzz/*.c tests/fuzz/*.h || { echo "include/nepenthe/io.h: $name has no fuzz target"; status=1; }
done
for target in tests/fuzz/fuzz_*.c; do
    reader=$(basename "$target" .c)
    folder=tests/fuzz/corpus/${reader#fuzz_}
    [ -n "$(find "$folder" -type f 2>/dev/null)" ] || { echo "$target: no corpus in $folder"; status=1; }
done
exit $status
