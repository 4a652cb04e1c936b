#!/bin/sh
# CUDA conditionals stand in math/hd.h and kernels/launch.h alone.
set -u
found=$(git grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif).*(__CUDACC__|__CUDA_ARCH__|NEP_HOST_RIG)' -- include src kernels ':!include/nepenthe/math/hd.h' ':!kernels/launch.h')
[ -z "$found" ] && exit 0
echo "$found"
echo "CUDA conditionals belong in include/nepenthe/math/hd.h or kernels/launch.h"
exit 1
