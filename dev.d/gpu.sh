# SPDX-License-Identifier: Apache-2.0
# gpu - builds a release with the CUDA module and packs gpu-bundle.tar.gz, which a GPU machine unpacks and runs with
# gpu-bundle/run.sh. NEP_CUDA=OFF packs the programs alone. Sourced by ./dev.
[ $# -eq 0 ] || die "gpu takes nothing more"
targets="nepenthe nepenthe-h5read parity_cuda bench_ops test_backend_module"
if [ "${NEP_CUDA:-ON}" = OFF ]; then
    cuda=OFF
    rm -f build-release/nepenthe_cuda.so # of an earlier build
else
    cuda=ON targets="$targets nepenthe_cuda"
fi
cmake --preset release -DNEP_TESTS=ON -DNEP_CUDA=$cuda >/dev/null || die "configuring the release failed"
cmake --build --preset release -j "$JOBS" --target $targets -- --quiet || die "building the release failed"
sh dev.d/bundle.sh build-release gpu-bundle
say "on the GPU machine: tar xzf gpu-bundle.tar.gz && OUT=out gpu-bundle/run.sh"
