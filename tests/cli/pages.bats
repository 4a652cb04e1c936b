#!/usr/bin/env bats
# pages: what a feature is, on the command line and in the docs, from one table.

ROOT="$BATS_TEST_DIRNAME/../.."

@test "docs/features is what the program says (./dev docs makes it anew)" {
    sh "$ROOT/docs/features.sh" "$NEPENTHE" "$BATS_TEST_TMPDIR/pages"
    diff -r "$ROOT/docs/features" "$BATS_TEST_TMPDIR/pages"
}

@test "explain: every feature that can be asked for has a page with definition, parameters, source and peers" {
    features=$("$NEPENTHE" voxelwise --help | sed -n 's/.*--feature .*one of \([a-z|-]*\).*/\1/p' | tr '|' ' ')
    models=$("$NEPENTHE" pet --help | sed -n 's/.*--model .*one of \([a-z0-9|]*\).*/\1/p' | tr '|' ' ')
    [ -n "$features" ] && [ -n "$models" ]
    for name in $features ${models/mrtm2/} parcels clean connectivity quality contrast glm permute tfce radiomics resample smooth; do
        run "$NEPENTHE" explain "$name"
        [ "$status" -eq 0 ] || { echo "no page for $name"; return 1; }
        for part in unit: parameters source peers; do [[ "$output" == *"$part"* ]]; done
        [[ " $features $models " != *" $name "* ]] || [[ "$output" == *"of a data set: nepenthe features with --features "* ]]
        "$NEPENTHE" explain "$name" | sed -n '/^source/,/^peers/p' | grep -q '[A-Z]'
    done
}

@test "explain: what a page asks of features, features has" {
    known=$("$NEPENTHE" features --help | grep -A30 -e '--features LIST' | tr ' ,;()' '\n')
    n=0
    for name in $("$NEPENTHE" explain --markdown | cut -f1); do
        for word in $("$NEPENTHE" explain "$name" | sed -n 's/^of a data set: .*--features \([a-z-]*\).*/\1/p'); do
            grep -qxe "$word" <<< "$known" || { echo "$name: --features $word is none"; return 1; }
            n=$((n + 1))
        done
    done
    [ "$n" -ge 24 ]
}

@test "explain: every parameter that the table names is an option of the command; a misspelt name is answered with the nearest" {
    "$NEPENTHE" explain --markdown | while IFS=$'\t' read -r name title; do
        command=$(sed -n "s/^    {\"$name\", \"[^\"]*\", \"\([a-z ]*\)\".*/\1/p" "$ROOT/src/cli/page_table.c")
        listed=$(tr '\n' ' ' < "$ROOT/src/cli/page_table.c" | sed -n "s/.*{\"$name\", \"[^\"]*\", \"[a-z ]*\", *\(\"[^\"]*\"\|NULL\), *\"\([a-z0-9 -]*\)\".*/\2/p")
        [ -n "$command" ] && [ -n "$listed" ] || { echo "$name: cannot be read from the table"; exit 1; }
        for option in $listed; do
            "$NEPENTHE" explain "$name" | grep -q -- "^  --$option[ :]" || { echo "$name: --$option is no option of $command"; exit 1; }
        done
    done
    run "$NEPENTHE" explain rehoo
    [ "$status" -eq 64 ]
    [[ "$output" == *"did you mean 'reho'?"* ]]
    "$NEPENTHE" explain alff --json | python3 -c 'import json, sys; d = json.load(sys.stdin)["feature"]; assert d["name"] == "alff" and d["source"], d'
}
