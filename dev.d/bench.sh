# SPDX-License-Identifier: Apache-2.0
# bench - the rows of the speed table, each with its peer in the same run; --table rewrites the tables of the READMEs from
# benchmarks/results and measures nothing. Sourced by ./dev.
if [ "${1:-}" = --table ]; then
    [ $# -eq 1 ] || die "bench --table takes nothing more"
    exec python3 benchmarks/tables.py
fi
build release -DNEP_TESTS=OFF -DNEP_CUDA="${NEP_CUDA:-AUTO}"
cmake --build --preset release -j "$JOBS" --target bench -- --quiet || die "building the benchmarks failed"
status=0
python3 benchmarks/compare.py --build build-release "$@" || status=$?
[ "$status" -eq 69 ] || [ "$status" -eq 2 ] || python3 benchmarks/tables.py --print
exit "$status"
