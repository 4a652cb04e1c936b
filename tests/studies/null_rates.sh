#!/bin/sh
# The tables of src/brainmap/README.md: false-positive rates of every null, from maps whose truth is known.
#   NEPENTHE_SHARED=/path/to/shared sh tests/studies/null_rates.sh [nepenthe]
# Needs what make_null_geometries.py needs. About two hours of CPU. Exit 77 without the data.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
nepenthe=${1:-$here/../../build-cpu/nepenthe}
"${PYTHON:-python3}" "$here/make_null_geometries.py" || exit $?
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
anywhere=moran,moran-compartment,moran-pair,eigenmodes,shuffle
cortex=moran,moran-compartment,spin,spin-hungarian,spin-nearest,shuffle,moran-pair,eigenmodes
for mm in 0 20 40; do
    "$nepenthe" maps calibrate "$here/nulls/dk68.tsv" --surface "$here/nulls/fsaverage5.tsv" --nulls "$cortex,spin-baum,spin-cornblath" --length $mm --pairs 2000 -q >"$work/dk68_$mm"
done
"$nepenthe" maps calibrate "$here/nulls/dk83.tsv" --nulls "$anywhere" --scope all --pairs 2000 -q >"$work/dk83"
printf 'null\n' >"$work/schaefer"
[ ! -e "$here/nulls/schaefer400.tsv" ] || "$nepenthe" maps calibrate "$here/nulls/schaefer400.tsv" --nulls "$cortex" --pairs 1000 -q >"$work/schaefer"
"$nepenthe" maps calibrate "$here/nulls/fsaverage5.tsv" --nulls moran,moran-pair,spin-nearest,eigenmodes,shuffle --pairs 500 --n 499 -q >"$work/fsaverage5"
"$nepenthe" maps calibrate "$here/nulls/brain6.nii.gz" --nulls moran,moran-pair,eigenmodes,shuffle --pairs 500 --n 499 -q >"$work/voxels"
echo "| null | DK68, white noise | 20 mm | 40 mm | DK83, 40 mm | Schaefer-400, 40 mm | fsaverage5, 40 mm | voxels, 40 mm |"
echo "|---|---|---|---|---|---|---|---|"
awk -F'\t' 'FNR == 1 { file++; next }
    { rate[file, $1] = $2; if (file == 1) order[++n] = $1 }
    END {
        for (i = 1; i <= n; i++) {
            printf "| %s |", order[i]
            for (f = 1; f <= file; f++)
                printf (f, order[i]) in rate ? " %.3f |" : " |", rate[f, order[i]]
            print ""
        }
    }' "$work/dk68_0" "$work/dk68_20" "$work/dk68_40" "$work/dk83" "$work/schaefer" "$work/fsaverage5" "$work/voxels"
# surrogates of matched variogram are fitted to each map: the same rate by fewer of them, at regions, voxels and vertices
"$nepenthe" maps calibrate "$here/nulls/dk68.tsv" --nulls variogram,variogram-values --pairs 2000 -q
"$nepenthe" maps calibrate "$here/nulls/brain6.nii.gz" --nulls variogram --pairs 120 --n 39 -q
# modes of more voxels
"$nepenthe" maps calibrate "$here/nulls/brain4.nii.gz" --nulls moran,eigenmodes --pairs 300 --n 199 -q
"$nepenthe" maps calibrate "$here/nulls/fsaverage5.tsv" --nulls variogram --pairs 100 --n 99 -q
