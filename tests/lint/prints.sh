#!/bin/sh
# Only the CLI prints or exits; no assert on anything a user can cause.
set -u
. tests/lint/lib/tree.sh
found=$(grep -nE '(^|[^a-z_.>])(printf|puts|putchar|perror|exit|abort|_exit|assert)[[:space:]]*\(|fprintf[[:space:]]*\([[:space:]]*(stdout|stderr)' $(tree src c cc | grep -v '^src/cli/') | grep -vE '_printf|: *\*|/\*')
[ -z "$found" ] && exit 0
echo "$found"
echo "the library must not print or exit: return a status with a sentence"
exit 1
