#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bundle - what a GPU machine needs in one folder that can be moved, and packed: bundle.sh BUILD FOLDER [GZIP LEVEL].
#
# BUILD is a build folder with the tests (and the CUDA module, where it was built); FOLDER is made anew, FOLDER.tar.gz beside
# it. Shared libraries go into lib/ next to the programs, whose RPATH is $ORIGIN/lib; the C library is the machine's own.
# RDKit is left out, and so is cuBLAS, which run.sh looks for. Builds nothing.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] || { echo "usage: bundle.sh BUILD FOLDER [GZIP LEVEL]" >&2; exit 64; }
build=$1 folder=$2 level=${3:-9} most_mib=40
PROGRAMS="nepenthe nepenthe-h5read parity_cuda bench_ops test_backend_module"

die() { echo "bundle: $*" >&2; exit 1; }

for program in $PROGRAMS; do
    [ -x "$build/$program" ] || die "$build/$program is missing; configure with -DNEP_TESTS=ON and build it"
    readelf -d "$build/$program" | grep -q 'RPATH.*\[\$ORIGIN/lib[:]*' || die "$build/$program does not look for libraries in \$ORIGIN/lib"
done
case $folder in
'' | / | . | ..) die "'$folder' cannot be the bundle's folder" ;;
esac
[ ! -e "$folder" ] || [ -f "$folder/run.sh" ] || die "$folder is there and is no bundle; remove it or name another"
rm -rf "$folder" "$folder.tar.gz"
mkdir -p "$folder/lib"

# A copy without what only a debugger reads.
take() { # take FILE TARGET
    cp -L "$1" "$2"
    chmod u+w "$2"
    strip --strip-unneeded "$2" 2>/dev/null || die "$2 cannot be stripped"
}

for program in $PROGRAMS; do
    take "$build/$program" "$folder/$program"
done
if [ -f "$build/nepenthe_cuda.so" ]; then
    take "$build/nepenthe_cuda.so" "$folder/nepenthe_cuda.so"
fi

# Everything the programs load but the C library's own parts.
for program in $PROGRAMS; do
    ldd "$build/$program" || die "$build/$program is not for this machine"
done >"$folder/lib/needed"
if grep -q 'not found' "$folder/lib/needed"; then
    die "a library is not found:$(grep 'not found' "$folder/lib/needed" | sort -u)"
fi
if grep -q 'libRDKit' "$folder/lib/needed"; then
    die "a program is linked with RDKit, which does not travel; build without it"
fi
sed -n 's/.* => \(\/[^ ]*\) (.*/\1/p' "$folder/lib/needed" | sort -u | while read -r library; do
    case ${library##*/} in
    libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | libresolv.so.* | libmvec.so.* | ld-linux*) ;;
    *) take "$library" "$folder/lib/${library##*/}" ;;
    esac
done
rm "$folder/lib/needed"

cp -R "$here/data" "$folder/data"
find "$folder/data" -name '*.py' -exec rm {} +
cp "$here/LICENSE" "$folder/LICENSE"
cp "$here/dev.d/run.sh" "$folder/run.sh"
chmod 755 "$folder/run.sh"

# What run.sh copies into its JSON: where this comes from and what it asks of a machine.
glibc=$(for file in "$folder"/* "$folder"/lib/*; do
    [ -f "$file" ] && readelf --version-info "$file" 2>/dev/null || true
done | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
commit=$(git -C "$here" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
[ -z "$(git -C "$here" status --porcelain 2>/dev/null)" ] || commit="$commit and changes"
cuda=false
[ -f "$folder/nepenthe_cuda.so" ] && cuda=true
printf '{"commit": "%s", "built_on": "%s", "cuda_module": %s, "needs_glibc": "%s"}\n' "$commit" "$(uname -m)" "$cuda" "${glibc#GLIBC_}" >"$folder/bundle.json"

tar --sort=name --owner=0 --group=0 --numeric-owner -I "gzip -n -$level" -cf "$folder.tar.gz" -C "$(dirname "$folder")" "$(basename "$folder")"
bytes=$(wc -c <"$folder.tar.gz")
if [ "$bytes" -gt $((most_mib << 20)) ]; then
    rm "$folder.tar.gz"
    die "packed it has $bytes bytes, more than the $most_mib MiB that travel"
fi
printf '%s: %s MiB packed, %s files\n' "$folder.tar.gz" "$(((bytes + 1048575) >> 20))" "$(find "$folder" -type f | wc -l)"
