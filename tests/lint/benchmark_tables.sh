#!/bin/sh
# The speed tables of README.md and benchmarks/README.md are what benchmarks/results says.
set -u
command -v python3 >/dev/null 2>&1 || exit 77
python3 -B benchmarks/tables.py --check && exit 0
echo "the tables differ from benchmarks/results: ./dev bench --table writes them"
exit 1
