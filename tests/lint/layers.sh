#!/bin/sh
# Includes follow the arrows of src/README.md: a room may include only the rooms under it.
set -u
. tests/lint/lib/tree.sh
fail=0
allowed() { # rooms that room $1 may use, itself included
    case $1 in
    core) echo "core math" ;;
    data) echo "core data index network math" ;;
    io) echo "core data index network math io bids" ;;
    backend) echo "core data backend math" ;;
    imaging) echo "core data backend math imaging connectome contrast permute pet radiomics resample glm local" ;;
    similarity) echo "core data index backend math similarity cases" ;;
    graph) echo "core data network backend math graph" ;;
    brainmap | molecule | pharmacology | simulate) echo "core data backend math $1" ;;
    evidence) echo "core data network backend math imaging brainmap molecule pharmacology simulate graph evidence signature direction anatomy tables votes" ;;
    rank) echo "core data network backend math brainmap molecule pharmacology graph evidence signature direction anatomy tables votes rank model leaks" ;;
    report) echo "core data io math brainmap evidence signature direction anatomy tables votes rank model leaks report" ;;
    cli) echo "core data io bids backend math imaging connectome contrast permute pet radiomics resample glm local brainmap molecule pharmacology simulate index network similarity cases graph evidence signature direction anatomy tables votes rank model leaks report cli" ;;
    esac
}
for file in $(tree src c h cc); do
    room=$(echo "$file" | cut -d/ -f2)
    may=" $(allowed "$room") "
    for used in $(sed -nE 's@^#include [<"](nepenthe/)?([a-z_]+)[/.][a-z0-9_/.]*[>"].*@\1\2@p' "$file" | grep -E '^nepenthe/|^(core|data|io|backend|imaging|brainmap|molecule|pharmacology|simulate|similarity|graph|evidence|rank|report|cli)$' | sed 's@nepenthe/@@' | sort -u); do
        case $may in
        *" $used "*) ;;
        *) echo "$file: room '$room' includes '$used', which does not lie under it"; fail=1 ;;
        esac
    done
done
exit $fail
