# SPDX-License-Identifier: Apache-2.0
# tree FOLDER ENDING... - the files of a rule, found without git, since a tarball has none. A rule that finds no file would
# hold of anything: that is an error.
tree() {
    folder=$1
    shift
    list=$(for ending in "$@"; do find "$folder" -type f -name "*.$ending"; done | LC_ALL=C sort)
    if [ -z "$list" ]; then
        echo "no *.$1 file under $folder: run this from the top of the tree" >&2
        kill -s TERM $$ # an exit here would end a command substitution alone
    fi
    printf '%s\n' "$list"
}
