# SPDX-License-Identifier: Apache-2.0
# fuzz - every reader under libFuzzer with ASan and UBSan, $1 seconds each (60). New inputs stay in build-fuzz/corpus; a
# finding is written to build-fuzz/findings and ends the run. Sourced by ./dev.
seconds=${1:-60}
case $seconds in
'' | *[!0-9]*) die "fuzz takes a number of seconds, not '$seconds'" ;;
esac
cmake -S . -B build-fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=None \
    -DNEP_FUZZ=ON -DNEP_TESTS=OFF -DNEP_CUDA=OFF >/dev/null || die "configuring the fuzzers failed"
cmake --build build-fuzz -j "$JOBS" --target fuzzers -- --quiet || die "building the fuzzers failed"
mkdir -p build-fuzz/findings
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    reader=${name#fuzz_}
    mkdir -p "build-fuzz/corpus/$reader"
    dict=
    [ -f "tests/fuzz/$reader.dict" ] && dict=-dict=tests/fuzz/$reader.dict
    say "$reader: $seconds s"
    ./build-fuzz/"$name" -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=5 -max_len=16384 \
        -print_final_stats=1 -artifact_prefix=build-fuzz/findings/"$reader"- $dict \
        "build-fuzz/corpus/$reader" "tests/fuzz/corpus/$reader" >build-fuzz/"$reader".log 2>&1 || {
        tail -n 40 build-fuzz/"$reader".log >&2
        die "$reader: a finding, see build-fuzz/findings; add it to tests/fuzz/corpus/$reader when it is mended"
    }
    grep -E "stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)" build-fuzz/"$reader".log >&2
done
say "no finding in $seconds s per reader"
