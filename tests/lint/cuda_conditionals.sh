#!/bin/sh
# CUDA conditionals stand in math/hd.h and kernels/launch.h alone.
set -u
. tests/lint/lib/tree.sh
found=$(grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif).*(__CUDACC__|__CUDA_ARCH__|NEP_HOST_RIG)' $(tree include h) $(tree src c h) $(tree kernels cu h) | grep -vE '^(include/nepenthe/math/hd|kernels/launch)\.h:')
[ -z "$found" ] && exit 0
echo "$found"
echo "CUDA conditionals belong in include/nepenthe/math/hd.h or kernels/launch.h"
exit 1
