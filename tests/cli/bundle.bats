#!/usr/bin/env bats
# What ./dev gpu packs, made of the programs as they are built: it is small, runs where it was moved to with nothing in its
# environment, and tells the truth where there is no GPU.

setup_file() {
    export BUILD=$(dirname "$NEPENTHE") ROOT="$BATS_TEST_DIRNAME/../.." MOVED="$BATS_FILE_TMPDIR/elsewhere"
    sh "$ROOT/dev.d/bundle.sh" "$BUILD" "$BATS_FILE_TMPDIR/gpu-bundle" 1
    mkdir "$MOVED"
    tar -xzf "$BATS_FILE_TMPDIR/gpu-bundle.tar.gz" -C "$MOVED"
    rm -r "$BATS_FILE_TMPDIR/gpu-bundle"
}

# Prints the value of PATH.TO.KEY of a JSON file, as JSON.
value() {
    python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    v = v[int(k) if k.isdigit() else k]
print(json.dumps(v))' "$1" "$2"
}

no_gpu() {
    ! ls /dev/nvidia[0-9]* > /dev/null 2>&1 || skip "a GPU is here"
}

@test "packed it is less than 40 MiB even at the lowest level" {
    [ "$(wc -c < "$BATS_FILE_TMPDIR/gpu-bundle.tar.gz")" -lt $((40 << 20)) ]
}

@test "every library but the C library's own is inside, and RDKit is not" {
    for program in nepenthe nepenthe-h5read parity_cuda bench_ops test_backend_module; do
        env -i ldd "$MOVED/gpu-bundle/$program" > "$BATS_TEST_TMPDIR/ldd"
        others=$(grep -v "=> $MOVED/gpu-bundle/lib/" "$BATS_TEST_TMPDIR/ldd" |
            grep -vE '(linux-vdso|ld-linux[^ ]*|/lib(c|m|dl|rt|pthread|resolv|mvec)\.so\.[0-9])' || true)
        [ -z "$others" ] || { echo "$program: $others"; false; }
    done
    [ -f "$MOVED/gpu-bundle/lib/libopenblas.so.0" ]
    [ -z "$(find "$MOVED/gpu-bundle" -iname '*rdkit*')" ]
}

@test "without a GPU it ends 0, in valid JSON, and every part says why it was skipped" {
    no_gpu
    cd /
    env -i "OUT=$BATS_TEST_TMPDIR/out" "$MOVED/gpu-bundle/run.sh" > "$BATS_TEST_TMPDIR/said"
    cd "$BATS_TEST_TMPDIR/out"
    [ "$(ls | wc -l)" -le 8 ]
    for file in parity bench_cuda bench_cpu demo sanitizer; do
        [ "$(value $file.json part)" = "\"$file\"" ]
        [ "$(value $file.json status)" = '"skipped"' ]
        [ "$(value $file.json results)" = null ]
        [ "$(value $file.json machine.gpu)" = null ]
        [[ $(value $file.json machine.date) == \"20*Z\" ]]
    done
    [[ $(value parity.json reason) == *'parity with CUDA not checked: cuda:'* ]]
    [[ $(value sanitizer.json reason) == *'no GPU was used'* ]]
    [ "$(value summary.json status)" = '"skipped"' ]
    [ "$(value summary.json results.0.status)" = '"skipped"' ]
    [ "$(value summary.json machine.bundle.cuda_module)" = "$([ -f "$BUILD/nepenthe_cuda.so" ] && echo true || echo false)" ]
}

@test "the CPU is benchmarked where that is asked for: bytes, operations, floor and share of it" {
    no_gpu
    env -i "OUT=$BATS_TEST_TMPDIR/out" "$MOVED/gpu-bundle/run.sh" --cpu exceedances
    cd "$BATS_TEST_TMPDIR/out"
    [ "$(value bench_cpu.json status)" = '"passed"' ]
    [ "$(value bench_cpu.json results.ops.0.bench)" = '"op exceedances"' ]
    [ "$(value bench_cpu.json results.ops.0.flops)" = 760000000 ]
    python3 -c 'import json
r = json.load(open("bench_cpu.json"))["results"]["ops"][0]
assert r["bytes"] == 8 * (2000 * 19 + 10000 * 19 + 19 + 2000 + 2000), r["bytes"]
assert r["floor_s"] == max(r["floor_memory_s"], r["floor_arithmetic_s"]) > 0
assert abs(r["of_floor"] - r["floor_s"] * r["threads"] / r["seconds_cpu"]) < 0.01'
}

@test "a part that fails is told by the exit code and in the JSON" {
    no_gpu
    run env -i "OUT=$BATS_TEST_TMPDIR/out" "$MOVED/gpu-bundle/run.sh" --cpu no_such_op
    [ "$status" -eq 1 ]
    cd "$BATS_TEST_TMPDIR/out"
    [ "$(value bench_cpu.json status)" = '"failed"' ]
    [[ $(value bench_cpu.json reason) == *"there is no op 'no_such_op'"* ]]
    [ "$(value summary.json status)" = '"failed"' ]
    [ "$(value parity.json status)" = '"skipped"' ]
}

# A folder in which small scripts play the programs, the driver and the sanitizer: what run.sh makes of a GPU.
stage() {
    stage="$BATS_TEST_TMPDIR/stage"
    mkdir "$stage" "$stage/bin"
    cp "$MOVED/gpu-bundle/run.sh" "$MOVED/gpu-bundle/bundle.json" "$stage"
    cat > "$stage/bin/nvidia-smi" <<'SH'
#!/bin/sh
case $1 in -L) echo "GPU 0: Played" ;; *=name) echo 'A "played" GPU' ;; *driver*) echo 580.10 ;; *=clocks.sm) echo 1410 ;; *) echo "[N/A]" ;; esac
SH
    cat > "$stage/nepenthe" <<'SH'
#!/bin/sh
[ "$1" = demo ] || exit 0
mkdir -p "$3/f"
printf 'id\tL_insula\nsub-1\t%s\n' "$(cat "alff_${5}")" > "$3/f/group_alff.tsv"
SH
    cat > "$stage/parity_cuda" <<'SH'
#!/bin/sh
[ "$NEP_REQUIRE_GPU" = 1 ] || exit 77
[ "$2" = small ] || echo '{"ops": [{"op": "gram", "worst_in_tolerances": 0.5}]}' > "$3"
sleep "$(cat sleeps)"
exit "$(cat parity_exit)"
SH
    printf '#!/bin/sh\necho "a line of other kind"\necho "{\\"bench\\": \\"op $1\\"}"\necho "{\\"bench\\": \\"2\\"}"\n' > "$stage/bench_ops"
    cat > "$stage/bin/compute-sanitizer" <<'SH'
#!/bin/sh
echo "========= ERROR SUMMARY: 0 errors"
[ "$2" != "$(cat finds)" ] || exit "$4"
SH
    chmod +x "$stage"/*[!n] "$stage/bin"/*
    echo 0 > "$stage/parity_exit"
    echo 0 > "$stage/sleeps"
    echo nothing > "$stage/finds"
    echo 1.0000001 > "$stage/alff_cpu"
    echo 1 > "$stage/alff_cuda"
}

play() { # NAME=VALUE...
    run env -i "PATH=$stage/bin:/usr/bin:/bin" "OUT=$BATS_TEST_TMPDIR/out" "$@" "$stage/run.sh"
    cd "$BATS_TEST_TMPDIR/out"
}

@test "with a GPU every part is run and its findings stand in the files, beside the GPU's name, driver and clocks" {
    stage
    play
    [ "$status" -eq 0 ]
    for file in parity bench_cuda bench_cpu demo sanitizer summary; do
        [ "$(value $file.json status)" = '"passed"' ]
        [ "$(value $file.json machine.gpu.name)" = '"A \"played\" GPU"' ]
    done
    [ "$(value parity.json machine.gpu.driver)" = '"580.10"' ]
    [ "$(value parity.json machine.gpu.clocks_at_start.sm_mhz)" = 1410 ]
    [ "$(value parity.json machine.gpu.power_limit_w)" = null ]
    [ "$(value parity.json results.ops.0.worst_in_tolerances)" = 0.5 ]
    [ "$(value bench_cuda.json results.ops)" = '[{"bench": "op cuda"}, {"bench": "2"}]' ]
    [ "$(value bench_cpu.json results.ops.0.bench)" = '"op cpu"' ]
    [ "$(value demo.json results.tables.0.largest_difference)" = 1e-07 ]
    [ "$(value sanitizer.json results.3.tool)" = '"synccheck"' ]
    [[ $(value sanitizer.json results.0.summary) == *"0 errors"* ]]
}

@test "with a GPU a wrong answer, another table, a finding of the sanitizer each fail the run" {
    stage
    echo 1 > "$stage/parity_exit"
    echo 2 > "$stage/alff_cuda"
    echo racecheck > "$stage/finds"
    play
    [ "$status" -eq 1 ]
    [ "$(value parity.json status)" = '"failed"' ]
    [ "$(value demo.json status)" = '"failed"' ]
    [[ $(value demo.json reason) == *"group_alff.tsv differs by 1 "* ]]
    [ "$(value sanitizer.json status)" = '"failed"' ]
    [ "$(value summary.json status)" = '"failed"' ]
}

@test "with a GPU that cannot be used the run fails; without a sanitizer that part alone is skipped" {
    stage
    rm "$stage/bin/compute-sanitizer"
    play
    if [ "$(value parity.json machine.compute_sanitizer)" = null ]; then
        [ "$status" -eq 0 ]
        [[ $(value sanitizer.json reason) == *"compute-sanitizer is not found"* ]]
    fi
    printf '#!/bin/sh\necho "cuda: too old a driver"\nexit 1\n' > "$stage/parity_cuda"
    play
    [ "$status" -eq 1 ]
    [[ $(value parity.json reason) == *"too old a driver"* ]]
    [ "$(value bench_cuda.json status)" = '"skipped"' ]
}

@test "what does not end in time is stopped, said, and fails" {
    stage
    echo 60 > "$stage/sleeps"
    play NEP_GPU_SECONDS=2
    [ "$status" -eq 1 ]
    [ "$(value parity.json status)" = '"timed_out"' ]
    [[ $(value bench_cuda.json reason) == *"no time was left"* ]]
    [ "$(ls | wc -l)" -le 8 ]
}

@test "words that are not understood and a folder that is no bundle are refused" {
    run "$MOVED/gpu-bundle/run.sh" --what
    [ "$status" -eq 64 ]
    mkdir "$BATS_TEST_TMPDIR/mine"
    touch "$BATS_TEST_TMPDIR/mine/letter"
    run sh "$ROOT/dev.d/bundle.sh" "$BUILD" "$BATS_TEST_TMPDIR/mine" 1
    [ "$status" -eq 1 ]
    [[ "$output" == *"is no bundle"* ]]
    [ -f "$BATS_TEST_TMPDIR/mine/letter" ]
}
