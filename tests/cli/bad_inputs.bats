#!/usr/bin/env bats
# Broken images and tables at every command that reads them, and calls that lack a word.

@test "every command answers every broken input with one sentence, the right exit code and no file" {
    cd "$BATS_TEST_TMPDIR"
    run python3 "$BATS_TEST_DIRNAME/bad_inputs.py" "$NEPENTHE"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *" calls, 0 wrong"* ]]
}

@test "a call without its words, or with too many, tells what is needed and exits 64" {
    lacks() {
        run "$NEPENTHE" "${@:2}" </dev/null
        [ "$status" -eq 64 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ "$output" == *"$1"* ]]
    }
    for command in clean parcels voxelwise quality resample smooth tfce pet radiomics rank evaluate completion "maps nulls" "maps compare"; do
        lacks ", got 0; see \`nepenthe $command --help\`" $command
        lacks ", got 3; see \`nepenthe $command --help\`" $command a b c
    done
    lacks "needs SERIES... (at least 1), got 0" connectivity
    lacks "needs TABLE|IMAGE... (at least 1), got 0" contrast
    lacks "needs IMAGE|SERIES|TABLE... (at least 1), got 0" glm
    lacks "needs BIDS OUT participant|group (at least 3), got 2" features bids out
    lacks "(0 to 1), got 2" explain USAGE GRID
    lacks "'maps' needs a second word" maps
    lacks "name the folder to write with -o DIR" rank study.yaml
}
