#!/usr/bin/env bats
# The frame every command shares: exit codes, sentences, the one JSON document, option names.

@test "no command: usage on standard error, exit 64" {
    run "$NEPENTHE"
    [ "$status" -eq 64 ]
}

@test "an unknown command names the nearest one" {
    run "$NEPENTHE" docter
    [ "$status" -eq 64 ]
    [ "$output" = "nepenthe: unknown command 'docter'; did you mean 'doctor'?; see \`nepenthe --help\`" ]
}

@test "an unknown option names the nearest one" {
    run "$NEPENTHE" doctor --treads 2
    [ "$status" -eq 64 ]
    [[ "$output" == *"unknown option '--treads'; did you mean --threads?"* ]]
}

@test "no abbreviations" {
    run "$NEPENTHE" doctor --thread 2
    [ "$status" -eq 64 ]
}

@test "underscores and dashes are one option" {
    run "$NEPENTHE" doctor --mem_mb 100 --json
    [ "$status" -eq 0 ]
    [[ "$output" == *'"memory_budget_mb": 100'* ]]
}

@test "the environment gives an option, a flag wins over it" {
    NEPENTHE_MEM_MB=100 run "$NEPENTHE" doctor --json
    [[ "$output" == *'"memory_budget_mb": 100'* ]]
    NEPENTHE_MEM_MB=100 run "$NEPENTHE" doctor --json --mem-mb 200
    [[ "$output" == *'"memory_budget_mb": 200'* ]]
}

@test "a value that is no number is named with its origin" {
    NEPENTHE_THREADS=two run "$NEPENTHE" doctor
    [ "$status" -eq 64 ]
    [[ "$output" == *"--threads (environment): 'two' is not a whole number"* ]]
}

@test "an option given twice is refused" {
    run "$NEPENTHE" doctor --seed 1 --seed 2
    [ "$status" -eq 64 ]
}

@test "errors with --json are one document on standard output" {
    run bash -c "'$NEPENTHE' explain NO_SUCH --json 2>/dev/null | python3 -c 'import json,sys; d=json.load(sys.stdin); e=d[\"error\"]; print(d[\"schema\"], e[\"code\"], e[\"exit\"], bool(e[\"hint\"]))'"
    [ "$output" = "nepenthe/explain/1 ARGUMENT 64 True" ]
}

@test "every exit code of the contract is explained" {
    for code in 0 1 64 65 66 69 70 71 73 74 75 77 78 130; do
        run "$NEPENTHE" explain $code
        [ "$status" -eq 0 ]
    done
}

@test "the CUDA device is refused in a sentence where there is none, never replaced" {
    [ -e /dev/nvidia0 ] && skip "a GPU is here"
    run "$NEPENTHE" doctor --device cuda
    [ "$status" -eq 69 ]
    [ "$(echo "$output" | wc -l)" -eq 1 ]
}

@test "help, man page, reference and completions come from one table" {
    for word in $("$NEPENTHE" --help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p' | tr ' ' '+'); do
        name=${word/+/ }
        "$NEPENTHE" completion markdown | grep -qx "## $name"
        "$NEPENTHE" completion man | grep -q "^.SS $name"
        run "$NEPENTHE" $name --help
        [ "$status" -eq 0 ]
    done
    bash -n <("$NEPENTHE" completion bash)
}

@test "the front page names every command" {
    for word in $("$NEPENTHE" --help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p' | tr ' ' '+'); do
        [ "$word" = version ] || grep -q "\`\(nepenthe \)\?${word/+/ }[\` ]" "$BATS_TEST_DIRNAME/../../README.md" || { echo "README.md lacks ${word/+/ }"; false; }
    done
}

@test "the man page has no warning" {
    command -v man >/dev/null || skip "no man here"
    run bash -c "'$NEPENTHE' completion man | man --warnings -E UTF-8 -l -Tutf8 -Z - 2>&1 >/dev/null"
    [ -z "$output" ]
}

@test "--version is the command version" {
    run "$NEPENTHE" --version
    [ "$status" -eq 0 ]
    [ "$output" = "$("$NEPENTHE" version)" ]
}
