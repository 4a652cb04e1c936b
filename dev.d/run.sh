#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run - parity, benchmarks, the demo on both devices and compute-sanitizer on a machine with a GPU: run.sh [--cpu] [OP...]
#
# Writes six JSON files into $OUT (default ./out), each with the machine, its GPU, driver, clocks and the date: parity,
# bench_cuda, bench_cpu, demo, sanitizer, summary. OPs are what is benchmarked (default all); --cpu benchmarks the CPU where
# there is no GPU too. All of it ends within ten minutes (NEP_GPU_SECONDS: less). Exit: 0 when nothing failed (without a GPU every part is skipped and
# says why), 1 when a part failed or did not end in time, 64 for a word that is not understood, 73 when $OUT cannot be written.
set -u
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
LIMIT=${NEP_GPU_SECONDS:-570} # for everything
out=${OUT:-out}
cpu_too=
ops=
for word in "$@"; do
    case $word in
    --cpu) cpu_too=1 ;;
    [a-z]*) ops="$ops $word" ;;
    *) echo "run.sh: '$word' is not understood: run.sh [--cpu] [OP...]" >&2; exit 64 ;;
    esac
done
mkdir -p "$out" 2>/dev/null && out=$(cd "$out" && pwd) && [ -w "$out" ] || { echo "run.sh: $out cannot be written" >&2; exit 73; }
cd "$(dirname "$0")" || exit 73
work=$(mktemp -d "${TMPDIR:-/tmp}/nepenthe-gpu.XXXXXX") || exit 73
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
rm -f "$out/parity.json" "$out/bench_cuda.json" "$out/bench_cpu.json" "$out/demo.json" "$out/sanitizer.json" "$out/summary.json"
started=$(date +%s)
failed=0

# ---- JSON ------------------------------------------------------------------------------------------------------
quoted() { # standard input as a JSON string
    printf '"'
    tr '\11' ' ' | tr -cd '\12\40-\176' | sed 's/\\/\\\\/g; s/"/\\"/g' | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
    printf '"'
}

string() { # TEXT, null when empty
    if [ -n "$1" ]; then printf '%s' "$1" | quoted; else printf null; fi
}

number() { # TEXT, null when it is no number
    if printf '%s' "$1" | grep -qE '^(0|[1-9][0-9]*)(\.[0-9]+)?$'; then printf '%s' "$1"; else printf null; fi
}

joined() { # lines of JSON as one array
    printf '['
    awk 'NF { printf "%s%s", (n++ ? ",\n" : "\n"), $0 }'
    printf ']'
}

# ---- what is found on the machine --------------------------------------------------------------------------------
python_folders() {
    for python in python3 python; do
        command -v $python >/dev/null 2>&1 &&
            timeout 20 $python -c 'import site, sys; print("\n".join(site.getsitepackages() + [site.getusersitepackages()] + sys.path))' 2>/dev/null
    done
    ls -d /usr/lib/python3*/dist-packages /usr/local/lib/python3*/*-packages /opt/*/lib/python3*/site-packages 2>/dev/null
}

# Where CUDA is, a folder per line.
cuda_folders() {
    for root in "${CUDA_HOME:-}" "${CUDA_PATH:-}" /usr/local/cuda $(ls -dr /usr/local/cuda-* 2>/dev/null) /opt/cuda; do
        [ -n "$root" ] && printf '%s\n' "$root/lib64" "$root/lib" "$root/targets/$(uname -m)-linux/lib" "$root/bin" "$root/compute-sanitizer"
    done
}

library_folders() {
    printf '%s\n' "${LD_LIBRARY_PATH:-}" | tr ':' '\n'
    cat "$work/folders"
    ldconfig -p 2>/dev/null | sed -n 's|.*=> \(/.*\)/lib\(cublas\|cudart\)\.so.*|\1|p'
}

{
    cuda_folders
    python_folders | sort -u | while read -r folder; do
        ls -d "$folder"/nvidia/cu*/lib "$folder"/nvidia/cu*/bin "$folder"/nvidia/cuda_runtime/lib "$folder"/nvidia/*sanitizer*/ \
            "$folder"/nvidia/*sanitizer*/bin 2>/dev/null
    done
} >"$work/folders"

find_library() { # NAME: the folder of the newest that the module can use, or nothing
    for version in 13 12; do
        library_folders | while read -r folder; do
            if [ -n "$folder" ] && [ -e "$folder/lib$1.so.$version" ]; then
                printf '%s\n' "$folder"
                break
            fi
        done | head -n 1 | grep . && return
    done
}

find_sanitizer() {
    if [ -n "${COMPUTE_SANITIZER:-}" ]; then
        printf '%s\n' "$COMPUTE_SANITIZER"
    elif ! command -v compute-sanitizer 2>/dev/null; then
        while read -r folder; do
            [ -f "$folder/compute-sanitizer" ] && [ -x "$folder/compute-sanitizer" ] && printf '%s\n' "$folder/compute-sanitizer"
        done <"$work/folders" | head -n 1
    fi
}

gpu_index=${CUDA_VISIBLE_DEVICES:-0}
gpu_index=${gpu_index%%,*}
smi() { # FIELD of the first visible GPU
    timeout 20 nvidia-smi --query-gpu="$1" --format=csv,noheader,nounits -i "$gpu_index" 2>/dev/null | head -n 1
}

clocks() {
    printf '{"sm_mhz": %s, "memory_mhz": %s, "temperature_c": %s}' "$(number "$(smi clocks.sm)")" "$(number "$(smi clocks.mem)")" \
        "$(number "$(smi temperature.gpu)")"
}

gpu_json() {
    printf '{"name": %s, "driver": %s, "compute": %s, "memory_mib": %s, "clocks_at_start": %s, "max_sm_mhz": %s, "max_memory_mhz": %s, ' \
        "$(string "$(smi name)")" "$(string "$(smi driver_version)")" "$(string "$(smi compute_cap)")" "$(number "$(smi memory.total)")" \
        "$(clocks)" "$(number "$(smi clocks.max.sm)")" "$(number "$(smi clocks.max.mem)")"
    printf '"power_limit_w": %s, "ecc": %s, "mig": %s}' "$(number "$(smi power.limit)")" "$(string "$(smi ecc.mode.current)")" \
        "$(string "$(smi mig.mode.current)")"
}

has_gpu=
if ls /dev/nvidia[0-9]* >/dev/null 2>&1 || timeout 20 nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then
    has_gpu=1
    NEP_REQUIRE_GPU=1 # a GPU that cannot be used is a failure, not a reason to skip
    export NEP_REQUIRE_GPU
fi
cublas=$(find_library cublas)
cudart=$(find_library cudart)
sanitizer=$(find_sanitizer)
for folder in "$cudart" "$cublas"; do
    [ -n "$folder" ] && LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
[ -n "${LD_LIBRARY_PATH:-}" ] && export LD_LIBRARY_PATH
NEP_COMMIT=$(sed -n 's/.*"commit": "\([^"]*\)".*/\1/p' bundle.json)
export NEP_COMMIT

cat >"$work/machine" <<JSON
{"gpu": $(if [ -n "$has_gpu" ]; then gpu_json; else printf null; fi),
"cpu": $(string "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"), "cpus": $(number "$(nproc)"), "memory_kib": $(number "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"),
"kernel": $(uname -r | quoted), "libc": $(string "$(getconf GNU_LIBC_VERSION 2>/dev/null)"), "cublas": $(string "$cublas"), "cudart": $(string "$cudart"),
"compute_sanitizer": $(string "$sanitizer"), "date": "$(date -u +%Y-%m-%dT%H:%M:%SZ)", "bundle": $(cat bundle.json)}
JSON

# ---- parts -------------------------------------------------------------------------------------------------------
# Runs a command for at most so many seconds, and no longer than is left. Sets status, reason and seconds.
attempt() { # SECONDS COMMAND...
    begun=$(date +%s)
    limit=$1
    shift
    [ "$limit" -le $((LIMIT - begun + started)) ] || limit=$((LIMIT - begun + started))
    if [ "$limit" -lt 1 ]; then
        status=timed_out reason="no time was left of $LIMIT s" seconds=0
        return
    fi
    timeout -k 5 "$limit" "$@" >"$work/log" 2>&1
    code=$?
    seconds=$(($(date +%s) - begun)) reason=
    case $code in
    0) status=passed ;;
    77) status=skipped reason=$(grep . "$work/log" | tail -n 1) ;;
    124 | 137) status=timed_out reason="not done within $limit s" ;;
    *) status=failed reason=$(grep . "$work/log" | tail -n 12; echo "exit $code") ;;
    esac
}

# Writes OUT/PART.json; `results` (JSON) is what the part found.
write_part() { # PART RESULTS
    case $status in failed | timed_out) failed=1 ;; esac
    printf '{"schema": "nepenthe/gpu-run/1", "part": "%s", "status": "%s", "reason": %s, "seconds": %s,\n"machine": %s,\n"results": %s}\n' \
        "$1" "$status" "$(string "$reason")" "$seconds" "$(cat "$work/machine")" "$2" >"$work/part" && mv "$work/part" "$out/$1.json" ||
        { echo "run.sh: $out/$1.json cannot be written" >&2; exit 73; }
    printf '{"part": "%s", "status": "%s", "reason": %s, "seconds": %s}\n' "$1" "$status" "$(string "$reason")" "$seconds" >>"$work/parts"
    printf '%-10s %s%s\n' "$1" "$status" "${reason:+: $(printf '%s' "$reason" | head -n 1)}"
}

skip_part() { # PART REASON
    status=skipped reason=$2 seconds=0
    write_part "$1" null
}

attempt 20 ./nepenthe doctor --json --device cpu # starts at all
if [ "$status" = passed ]; then
    attempt 90 ./parity_cuda cuda --json "$work/parity.json"
fi
if [ -s "$work/parity.json" ]; then
    usable=1 why=
    write_part parity "$(cat "$work/parity.json")"
else
    usable= why="no GPU was used: $reason"
    write_part parity null
fi

bench() { # PART SECONDS DEVICE
    attempt "$2" ./bench_ops "$3" $ops
    grep '^{"bench"' "$work/log" >"$work/lines"
    write_part "$1" "$(printf '{"clocks_after": %s, "ops": %s}' "$(if [ -n "$has_gpu" ]; then clocks; else printf null; fi)" "$(joined <"$work/lines")")"
}

if [ -n "$usable" ]; then bench bench_cuda 90 cuda; else skip_part bench_cuda "$why"; fi
if [ -n "$usable$cpu_too" ]; then bench bench_cpu 75 cpu; else skip_part bench_cpu "measured beside a GPU, or with --cpu"; fi

# The demo as a user runs it, once per device: the tables it writes must agree.
compare_tables() { # A B: the largest difference of two tables, how many cells differ as text, 1 when that is too much
    awk -F '\t' 'function numeric(x) { return x ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ }
        NR == FNR { line[FNR] = $0; n = FNR; next }
        { m = split(line[FNR], x, "\t"); rows = FNR; if (m != NF) text++
          for (i = 1; i <= NF; i++) if (x[i] != $i) {
              if (!numeric(x[i]) || !numeric($i)) { text++; continue }
              d = x[i] - $i; if (d < 0) d = -d
              size = x[i] < 0 ? -x[i] : x[i]; if (size > 1) d /= size
              if (d > worst) worst = d } }
        END { if (rows != n) text++; printf "%.3g %d %d\n", worst, text, (worst > 1e-5 || text > 0 || n == 0) }' "$1" "$2"
}

demo() {
    attempt 45 ./nepenthe demo -o "$work/demo-cpu" --device cpu
    [ "$status" = passed ] || return
    attempt 45 ./nepenthe demo -o "$work/demo-cuda" --device cuda
    [ "$status" = passed ] || return
    (cd "$work/demo-cpu" && find . -name 'group_*.tsv' -o -name 'map-*.tsv' | sort) >"$work/tables"
    [ -s "$work/tables" ] || { status=failed reason="the demo wrote no tables"; return; }
    while read -r table; do
        if [ -f "$work/demo-cuda/$table" ]; then
            set -- $(compare_tables "$work/demo-cpu/$table" "$work/demo-cuda/$table")
        else
            set --
        fi
        [ $# -eq 3 ] || set -- 0 1 1
        [ "$3" -eq 0 ] || { status=failed reason="${table#./} differs by $1 and in $2 cells of text"; }
        printf '{"table": "%s", "largest_difference": %s, "text_cells_that_differ": %s}\n' "${table#./}" "$1" "$2"
    done <"$work/tables" >"$work/lines"
}

if [ -n "$usable" ]; then
    : >"$work/lines"
    demo
    write_part demo "$(printf '{"tolerance": 1e-5, "of": "max(1, |value|)", "tables": %s}' "$(joined <"$work/lines")")"
else
    skip_part demo "$why"
fi

if [ -z "$usable" ]; then
    skip_part sanitizer "$why"
elif [ -z "$sanitizer" ]; then
    skip_part sanitizer "compute-sanitizer is not found on this machine; COMPUTE_SANITIZER names one"
else
    worst=passed first= total=0
    for tool in memcheck racecheck initcheck synccheck; do
        attempt 75 "$sanitizer" --tool "$tool" --error-exitcode 9 ./parity_cuda cuda small
        [ "$status" = passed ] || { [ "$worst" = failed ] || worst=$status; first=${first:-$tool: $reason}; }
        total=$((total + seconds))
        printf '{"tool": "%s", "status": "%s", "reason": %s, "seconds": %s, "summary": %s}\n' "$tool" "$status" "$(string "$reason")" \
            "$seconds" "$(string "$(grep 'SUMMARY' "$work/log" | tail -n 3)")" >>"$work/tools"
    done
    status=$worst reason=$first seconds=$total
    write_part sanitizer "$(joined <"$work/tools")"
fi

status=passed reason= seconds=$(($(date +%s) - started))
[ -n "$usable" ] || { status=skipped reason=$why; } # nothing was shown about a GPU
[ "$failed" -eq 0 ] || { status=failed reason="a part failed or did not end in time"; }
write_part summary "$(joined <"$work/parts")"
exit "$failed"
