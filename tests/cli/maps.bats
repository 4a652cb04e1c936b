#!/usr/bin/env bats
# maps compare and maps dominance: what a user types and gets.

setup() {
    cd "$BATS_TEST_TMPDIR"
    ROOT="$BATS_TEST_DIRNAME/../.."
    GEOMETRY="$ROOT/data/geometry_schematic.tsv"
    # a and b follow position, c is noise; one region is missing in b
    awk -F'\t' 'BEGIN{OFS="\t"; srand(3); print "region","front","noise"}
        NR>1{print $1, $5/70+0.2*rand(), rand()}' "$GEOMETRY" > a.tsv
    awk -F'\t' 'BEGIN{OFS="\t"; srand(4); print "region","gradient"}
        NR>1{print $1, (NR==6 ? "n/a" : $5/70+0.3*rand())}' "$GEOMETRY" > b_ordered.tsv
    { head -1 b_ordered.tsv; tail -n +2 b_ordered.tsv | sort -r; } > b.tsv # another order: joined by name
}

@test "compare: the columns of the contract, joined by name" {
    "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --n 199 --calibrate 0 > one.tsv
    "$NEPENTHE" maps compare a.tsv b_ordered.tsv --geometry "$GEOMETRY" --n 199 --calibrate 0 > two.tsv
    cmp one.tsv two.tsv
    run head -1 one.tsv
    [ "$output" = "$(printf 'a\tb\tr\tp\tn_nulls\tnull\tp_permute_a\tp_permute_b\tn_regions')" ]
    run awk -F'\t' 'NR==2{print $1, $2, ($3>0.8), ($4<0.2), $5, $6, $9}' one.tsv
    [ "$output" = "front gradient 1 1 199 moran 50" ]
}

@test "compare, nulls, dominance: --columns picks the maps of a table that holds more, such as a contrast" {
    awk -F'\t' 'BEGIN{OFS="\t"} {print $1, $2, $3, (NR==1 ? "contrast" : "patients")}' a.tsv > wide.tsv
    run "$NEPENTHE" maps compare wide.tsv b.tsv --geometry "$GEOMETRY" --n 99 --calibrate 0
    [ "$status" -eq 65 ]
    "$NEPENTHE" maps compare wide.tsv b.tsv --columns front --geometry "$GEOMETRY" --n 99 --calibrate 0 > one.tsv
    cut -f1,2 a.tsv > front.tsv
    "$NEPENTHE" maps compare front.tsv b.tsv --geometry "$GEOMETRY" --n 99 --calibrate 0 > two.tsv
    cmp one.tsv two.tsv
    "$NEPENTHE" maps compare wide.tsv wide.tsv --columns noise,front --geometry "$GEOMETRY" --n 9 --calibrate 0 > pairs.tsv
    run awk -F'\t' 'NR>1{printf "%s-%s %.0f ", $1, $2, $3}' pairs.tsv
    [[ "$output" == *"noise-noise 1 "*"front-front 1 "* ]]
    run "$NEPENTHE" maps compare wide.tsv b.tsv --columns frnt --geometry "$GEOMETRY"
    [ "$status" -eq 65 ]
    [[ "$output" == *"wide.tsv"*"frnt"*"front"* ]]
    "$NEPENTHE" maps nulls wide.tsv --columns front --geometry "$GEOMETRY" --n 9 -o nulls.h5
    "$NEPENTHE" maps dominance wide.tsv --columns front --predictors b.tsv > dominance.tsv
    [ "$(wc -l < dominance.tsv)" -eq 2 ]
}

@test "compare: the same bytes for any number of threads" {
    "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --nulls spin --n 500 --threads 1 > one.tsv 2> one.talk
    "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --nulls spin --n 500 --threads 3 > two.tsv 2> two.talk
    cmp one.tsv two.tsv
    cmp one.talk two.talk
    grep -q 'false-positive rate of spin at this parcellation: 0\.' one.talk
    run awk -F'\t' 'NR==2{print $9}' one.tsv
    [ "$output" -lt 50 ] # cortex alone
}

@test "compare: every kind of null, and --json with the calibration" {
    for kind in moran moran-compartment moran-pair eigenmodes variogram variogram-values shuffle; do
        run "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --nulls $kind --n 49 --calibrate 100 -q
        [ "$status" -eq 0 ]
        [[ "$output" == *"$kind"* ]]
    done
    for kind in spin spin-hungarian spin-nearest; do
        run bash -c "'$NEPENTHE' maps compare a.tsv b.tsv --geometry '$GEOMETRY' --nulls $kind --n 49 --json -q | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d[\"schema\"], len(d[\"comparisons\"]), d[\"comparisons\"][0][\"null\"], 0 <= d[\"null_calibration\"][\"low\"] < 0.2)'"
        [ "$output" = "nepenthe/maps-compare/1 2 $kind True" ]
    done
}

@test "spins of the surface need its vertices, and turn them" {
    python3 - "$GEOMETRY" > surface.tsv <<'PY'
import csv, math, random, sys
random.seed(2)
rows = [r for r in csv.DictReader(open(sys.argv[1]), delimiter="\t") if r["compartment"] == "cortex"]
print("hemisphere\tsphere_x\tsphere_y\tsphere_z\tparcel")
for _ in range(3000):
    x = [random.gauss(0, 1) for _ in range(3)]
    side = random.choice("LR")
    near = min((r for r in rows if r["hemisphere"] == side),
               key=lambda r: math.dist([float(r["sphere_" + k]) for k in "xyz"], [v / math.hypot(*x) for v in x]))
    print(side, *x, near["region"], sep="\t")
PY
    run "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --nulls spin-baum --n 49
    [ "$status" -eq 64 ]
    [[ "$output" == *"give them with --surface"* ]]
    for kind in spin-baum spin-cornblath; do
        "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --surface surface.tsv --nulls $kind --n 99 --threads 1 -q > one.tsv
        "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --surface surface.tsv --nulls $kind --n 99 --threads 3 -q > two.tsv
        cmp one.tsv two.tsv
        run awk -F'\t' 'NR==2{print ($4 < 0.3), $6}' one.tsv
        [ "$output" = "1 $kind" ]
        "$NEPENTHE" maps dominance a.tsv --columns front --predictors b.tsv --geometry "$GEOMETRY" --surface surface.tsv --nulls $kind --n 99 > d.tsv
        grep -q "$kind" d.tsv
        "$NEPENTHE" maps nulls a.tsv --map front --geometry "$GEOMETRY" --surface surface.tsv --nulls $kind --n 9 -o n.h5
    done
    sed -i 's/R_insula/R_nowhere/' surface.tsv
    run "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --surface surface.tsv --nulls spin-baum --n 49
    [ "$status" -eq 64 ]
    [[ "$output" == *"no vertex belongs to region 'R_insula'"* ]]
}

@test "compare: without a geometry there is r and no p" {
    run "$NEPENTHE" maps compare a.tsv b.tsv --statistic spearman
    [ "$status" -eq 0 ]
    [[ "$output" == *"no p: surrogates need --geometry"* ]]
    [[ "$output" == *$'\tn/a\t0\tnone\t'* ]]
}

@test "compare: spins over the whole brain are refused with the region's name" {
    run "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --nulls spin --scope all
    [ "$status" -eq 64 ]
    [[ "$output" == *"region 'L_thalamus' has no sphere coordinates"* ]]
}

@test "compare: a region that the geometry lacks is warned of, a map of strangers is refused" {
    printf 'L_nowhere\t0.5\t0.5\n' >> a.tsv
    run "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" --n 19 --calibrate 0
    [ "$status" -eq 0 ]
    [[ "$output" == *"a.tsv: 1 of 52 regions (first: 'L_nowhere') are not in the geometry"* ]]
    printf 'region\tx\nP1\t1\nP2\t2\n' > strangers.tsv
    run "$NEPENTHE" maps compare strangers.tsv b.tsv --geometry "$GEOMETRY"
    [ "$status" -eq 65 ]
}

@test "compare: --dry-run writes nothing, a missing file is 66" {
    run "$NEPENTHE" maps compare a.tsv b.tsv --geometry "$GEOMETRY" -o out.tsv --dry-run
    [ "$status" -eq 0 ]
    [ ! -e out.tsv ]
    run "$NEPENTHE" maps compare a.tsv nothing.tsv
    [ "$status" -eq 66 ]
}

@test "dominance: shares sum to one, a sidecar stands beside the output" {
    awk -F'\t' 'BEGIN{OFS="\t"; srand(9); print "region","y_mm","z_mm","luck"} NR>1{print $1,$5,$6,rand()}' "$GEOMETRY" > p.tsv
    "$NEPENTHE" maps dominance a.tsv --predictors p.tsv --geometry "$GEOMETRY" --n 199 -o out.tsv
    run head -1 out.tsv
    [[ "$output" == "$(printf 'predictor\tdominance\tp\t')"* ]]
    run awk -F'\t' 'NR>1&&$4=="front"{s+=$5; if($1=="y_mm") y=$5} END{printf "%.6f %d", s, (y>0.9)}' out.tsv
    [ "$output" = "1.000000 1" ]
    grep -q '"command": "maps dominance"' out.json
}

@test "dominance: p is the larger of two families, q is Benjamini and Hochberg's" {
    awk -F'\t' 'BEGIN{OFS="\t"; srand(9); print "region","y_mm","z_mm","luck"} NR>1{print $1,$5,$6,rand()}' "$GEOMETRY" > p.tsv
    "$NEPENTHE" maps dominance a.tsv --predictors p.tsv --geometry "$GEOMETRY" --n 199 --scope cortex > cortex.tsv
    "$NEPENTHE" maps dominance a.tsv --predictors p.tsv --geometry "$GEOMETRY" --n 199 > all.tsv
    "$NEPENTHE" maps dominance a.tsv --predictors p.tsv --geometry "$GEOMETRY" --n 199 --scope cortex --nulls spin --second none > spin.tsv
    python3 - <<'PY'
import csv
read = lambda path: list(csv.DictReader(open(path), delimiter="\t"))
for name, nulls in (("cortex", ("moran", "spin")), ("all", ("moran", "eigenmodes"))):
    rows = read(name + ".tsv")
    assert len(rows) == 6 and all((r["null"], r["second_null"]) == nulls for r in rows)
    for r in rows:
        assert float(r["p"]) == max(float(r["p_null"]), float(r["p_second_null"]))
    for which in ("front", "noise"):
        own = sorted((r for r in rows if r["map"] == which), key=lambda r: float(r["p"]))
        least = 1.0
        for rank, r in reversed(list(enumerate(own, 1))):
            least = min(least, float(r["p"]) * len(own) / rank)
            assert abs(float(r["q"]) - least) < 1e-8
spin = read("spin.tsv")
assert [r["p"] for r in spin] == [r["p_second_null"] for r in read("cortex.tsv")]
assert all(r["second_null"] == "none" and r["p_second_null"] == "n/a" for r in spin)
PY
}

@test "dominance: too many and collinear predictors are refused with a sentence" {
    awk -F'\t' 'BEGIN{OFS="\t"} NR==1{print "region","y","twice"} NR>1{print $1,$5,2*$5+1}' "$GEOMETRY" > p.tsv
    run "$NEPENTHE" maps dominance a.tsv --predictors p.tsv -o out.tsv
    [ "$status" -eq 65 ]
    [[ "$output" == *"predictor 'twice' is a linear combination of 'y'"* ]]
    [ ! -e out.tsv ]
    awk -F'\t' 'BEGIN{srand(1)} {printf "%s", (NR==1?"region":$1); for(i=1;i<=21;i++) printf "\t%s", (NR==1?"x" i:rand()); print ""}' "$GEOMETRY" > p.tsv
    run "$NEPENTHE" maps dominance a.tsv --predictors p.tsv
    [ "$status" -eq 64 ]
    [[ "$output" == *"21 predictors"* ]]
    run "$NEPENTHE" maps dominance a.tsv
    [ "$status" -eq 64 ]
    [[ "$output" == *"--predictors"* ]]
}

@test "calibrate: a row for each kind that the geometry allows, the same bytes on any number of threads" {
    "$NEPENTHE" maps calibrate "$GEOMETRY" --pairs 200 --n 99 --threads 1 -q > one.tsv
    "$NEPENTHE" maps calibrate "$GEOMETRY" --pairs 200 --n 99 --threads 3 -q > two.tsv
    cmp one.tsv two.tsv
    run bash -c "cut -f1 one.tsv | sort | paste -sd' '"
    [ "$output" = "eigenmodes moran moran-compartment moran-pair null shuffle spin spin-hungarian spin-nearest variogram variogram-values" ]
    # what ignores space cries wolf most often; every rate lies within its interval
    run awk -F'\t' 'NR>1{ if ($1 == "shuffle") s = $2; else if ($2 > m) m = $2; bad += !($3 < $2 && $2 < $4) } END{print (s > m), bad + 0}' one.tsv
    [ "$output" = "1 0" ]
    run bash -c "'$NEPENTHE' maps calibrate '$GEOMETRY' --scope all --pairs 20 --n 19 -q | cut -f1 | sort | paste -sd' '"
    [ "$output" = "eigenmodes moran moran-compartment moran-pair null shuffle variogram variogram-values" ]
    "$NEPENTHE" maps calibrate "$GEOMETRY" --nulls spin,moran --length 0 --pairs 20 --n 19 --json -q | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["schema"] == "nepenthe/maps-calibrate/1", d["schema"]
assert [(r["null"], r["length_mm"], r["n_pairs"], r["n_nulls"]) for r in d["rates"]] == [("spin", 0, 20, 19), ("moran", 0, 20, 19)]'
    run "$NEPENTHE" maps calibrate "$GEOMETRY" --nulls spin,morann
    [ "$status" -eq 64 ]
    [[ "$output" == *"no nulls called 'morann'"* ]]
    run "$NEPENTHE" maps calibrate "$GEOMETRY" --nulls spin-baum
    [ "$status" -eq 64 ]
    [[ "$output" == *"spin-baum turns the vertices of a surface"* ]]
    run "$NEPENTHE" maps calibrate "$GEOMETRY" --alpha 2
    [ "$status" -eq 64 ]
    run "$NEPENTHE" maps calibrate nothing.tsv
    [ "$status" -eq 66 ]
}

@test "nulls: HDF5 with the surrogates, the regions and where they came from" {
    "$NEPENTHE" maps nulls a.tsv --map front --geometry "$GEOMETRY" --n 25 -o out.h5
    "$NEPENTHE" maps nulls a.tsv --map front --geometry "$GEOMETRY" --n 25 -o again.h5 --threads 3
    cmp out.h5 again.h5
    /usr/bin/python3 -c 'import h5py' 2>/dev/null || skip "no h5py"
    run /usr/bin/python3 - <<'PY'
import h5py, json, numpy as np
f = h5py.File("out.h5")
x, m = f["nulls"][:], f["map"][:]
print(x.shape, len(f["regions"]), f.attrs["null"], json.load(open("out.json"))["command"])
print(np.allclose(x.mean(1), m.mean()), np.allclose(x.var(1), m.var()), np.abs(np.diff(x, axis=0)).max() > 0.1)
PY
    [ "${lines[0]}" = "(25, 51) 51 moran maps nulls" ]
    [ "${lines[1]}" = "True True True" ]
}

@test "nulls: spins that repeat an earlier one are counted" {
    { head -1 "$GEOMETRY"; grep -E '	cortex	' "$GEOMETRY" | awk -F'\t' '$2 == "L" && l++ < 4 || $2 == "R" && r++ < 4'; } > few.tsv
    run "$NEPENTHE" maps nulls a.tsv --map front --geometry few.tsv --nulls spin --n 500 -o out.h5 --json
    [ "$status" -eq 0 ]
    run python3 -c 'import json, sys; print(json.loads(sys.argv[1][sys.argv[1].index("{"):])["n_repeats"] > 50)' "$output"
    [ "$output" = "True" ]
    "$NEPENTHE" maps nulls a.tsv --map front --geometry "$GEOMETRY" --n 25 -o out.h5 --json -q | python3 -c 'import json, sys; assert json.load(sys.stdin)["n_repeats"] is None'
}

@test "nulls: several maps need a choice, and -o is needed" {
    run "$NEPENTHE" maps nulls a.tsv --geometry "$GEOMETRY" -o out.h5
    [ "$status" -eq 64 ]
    [[ "$output" == *"holds 2 maps: choose one with --map, such as --map front"* ]]
    run "$NEPENTHE" maps nulls a.tsv --map fron --geometry "$GEOMETRY" -o out.h5
    [[ "$output" == *"no map 'fron'; the nearest name is 'front'"* ]]
    run "$NEPENTHE" maps nulls b.tsv --geometry "$GEOMETRY"
    [ "$status" -eq 64 ]
    [ ! -e out.h5 ]
}

# blob.nii.gz: a smooth ball of 15 x 14 x 13 voxels of 2 mm, 0 around it; half.nii.gz: a mask of its lower half
make_blob() {
    /usr/bin/python3 -c 'import h5py, nibabel, scipy' 2>/dev/null || skip "no h5py, nibabel or scipy"
    /usr/bin/python3 - <<'PY'
import nibabel as nib, numpy as np
from scipy.ndimage import gaussian_filter
x = gaussian_filter(np.random.default_rng(3).normal(size=(15, 14, 13)), 2)
at = np.stack(np.meshgrid(*[np.arange(d) - d / 2 + 0.5 for d in x.shape], indexing="ij"))
ball = (at ** 2).sum(0) < 36
affine = np.diag([-2.0, 2, 2, 1])
nib.save(nib.Nifti1Image((x * ball).astype(np.float32), affine), "blob.nii.gz")
nib.save(nib.Nifti1Image((ball & (at[2] < 0.6)).astype(np.uint8), affine), "half.nii.gz")
x[7, 7, 6] = np.nan
nib.save(nib.Nifti1Image((x * ball).astype(np.float32), affine), "gap.nii.gz")
PY
}

@test "nulls: of the voxels of an image, the same on any number of threads" {
    make_blob
    "$NEPENTHE" maps nulls blob.nii.gz --nulls variogram --neighbours 100 --sample 200 --n 70 -o out.h5 --threads 1
    "$NEPENTHE" maps nulls blob.nii.gz --nulls variogram --neighbours 100 --sample 200 --n 70 -o again.h5 --threads 3
    cmp out.h5 again.h5
    "$NEPENTHE" maps nulls blob.nii.gz -m half.nii.gz --nulls variogram-values --neighbours 80 --n 20 -o values.h5
    run /usr/bin/python3 - <<'PY'
import h5py, nibabel as nib, numpy as np
image = np.asarray(nib.load("blob.nii.gz").dataobj)
f = h5py.File("out.h5")
x, m, at = f["nulls"][:], f["map"][:], f["voxels"][:]
print(x.shape[0], x.shape[1] == len(m) == (image != 0).sum(), np.array_equal(image[tuple(at.T)], m), f.attrs["null"], list(f.attrs["shape"]))
print(np.abs(x.mean(1)).max() < 1e-5 * m.std(), 0.5 < np.median(x.std(1)) / m.std() < 2)
# neighbours along i resemble each other, where those of a shuffled map have a mean squared difference of twice the variance
full = np.full((len(x) + 1,) + image.shape, np.nan)
full[(slice(None),) + tuple(at.T)] = np.vstack([m, x])
step = np.nanmean((full[:, 1:] - full[:, :-1]) ** 2, (1, 2, 3)) / np.nanvar(full, (1, 2, 3))
print(step[0] < 0.8, np.median(step[1:]) < 0.8)
g = h5py.File("values.h5")
print(len(g["map"]) == ((image != 0) & (np.asarray(nib.load("half.nii.gz").dataobj) > 0)).sum(), all(np.array_equal(np.sort(r), np.sort(g["map"][:].astype("f4"))) for r in g["nulls"][:]))
PY
    echo "$output"
    [ "${lines[0]}" = "70 True True variogram [np.int64(15), np.int64(14), np.int64(13)]" ] || [ "${lines[0]}" = "70 True True variogram [15, 14, 13]" ]
    [ "${lines[1]}" = "True True" ]
    [ "${lines[2]}" = "True True" ]
    [ "${lines[3]}" = "True True" ]
}

@test "nulls: modes of the voxels of an image keep their mean and neighbours, the same on any number of threads" {
    make_blob
    for kind in moran eigenmodes moran-pair shuffle; do
        "$NEPENTHE" maps nulls blob.nii.gz --nulls $kind --n 70 -o $kind.h5 --threads 1
        "$NEPENTHE" maps nulls blob.nii.gz --nulls $kind --n 70 -o again.h5 --threads 3
        cmp $kind.h5 again.h5
    done
    run /usr/bin/python3 - <<'PY'
import h5py, nibabel as nib, numpy as np
image = np.asarray(nib.load("blob.nii.gz").dataobj)
for kind in ("moran", "eigenmodes", "moran-pair", "shuffle"):
    f = h5py.File(kind + ".h5")
    x, m, at = f["nulls"][:], f["map"][:], f["voxels"][:]
    full = np.full((len(x) + 1,) + image.shape, np.nan)
    full[(slice(None),) + tuple(at.T)] = np.vstack([m, x])
    step = np.nanmean((full[:, 1:] - full[:, :-1]) ** 2, (1, 2, 3)) / np.nanvar(full, (1, 2, 3))
    print(f.attrs["null"], x.shape[0], np.allclose(x.mean(1), m.mean(), atol=1e-5), np.allclose(x.std(1), m.std(), rtol=1e-4), np.median(step[1:]) < 1.5 * step[0])
PY
    echo "$output"
    [ "${lines[0]}" = "moran 70 True True True" ]
    [ "${lines[1]}" = "eigenmodes 70 True True True" ]
    [ "${lines[2]}" = "moran-pair 70 True True False" ]
    [ "${lines[3]}" = "shuffle 70 True True False" ]
}

@test "compare: two images over the voxels of both" {
    make_blob
    /usr/bin/python3 - <<'PY'
import nibabel as nib, numpy as np
from scipy.ndimage import gaussian_filter
blob = nib.load("blob.nii.gz")
x = gaussian_filter(np.random.default_rng(8).normal(size=blob.shape), 2) + 0.2 * np.asarray(blob.dataobj)
x[2, 7, 6] = np.nan
nib.save(nib.Nifti1Image(x.astype(np.float32), blob.affine), "other.nii.gz")
nib.save(nib.Nifti1Image(x[1:].astype(np.float32), blob.affine), "less.nii.gz")
PY
    for kind in variogram eigenmodes moran; do
        "$NEPENTHE" maps compare blob.nii.gz other.nii.gz --nulls $kind --neighbours 100 --n 199 -o $kind.tsv --threads 1
        "$NEPENTHE" maps compare blob.nii.gz other.nii.gz --nulls $kind --neighbours 100 --n 199 -o again.tsv --threads 3
        cmp $kind.tsv again.tsv
    done
    "$NEPENTHE" maps compare blob.nii.gz other.nii.gz -m half.nii.gz --nulls shuffle --statistic spearman --permute a --n 99 -o half.tsv
    "$NEPENTHE" maps nulls blob.nii.gz --nulls moran --n 199 -o moran.h5
    run /usr/bin/python3 - <<'PY'
import csv, h5py, nibabel as nib, numpy as np
from scipy.stats import pearsonr, spearmanr
a, b = (np.asarray(nib.load(f).dataobj, float) for f in ("blob.nii.gz", "other.nii.gz"))
half = np.asarray(nib.load("half.nii.gz").dataobj) > 0
both = (a != 0) & np.isfinite(b) & (b != 0)
for kind in ("variogram", "eigenmodes", "moran"):
    row = next(csv.DictReader(open(kind + ".tsv"), delimiter="\t"))
    print(row["a"], row["b"], row["null"] == kind, int(row["n_regions"]) == both.sum(), abs(float(row["r"]) - pearsonr(a[both], b[both])[0]) < 1e-9, float(row["p"]) == max(float(row["p_permute_a"]), float(row["p_permute_b"])), 0.005 <= float(row["p"]) <= 1)
row = next(csv.DictReader(open("half.tsv"), delimiter="\t"))
print(row["p_permute_b"], abs(float(row["r"]) - spearmanr(a[half & np.isfinite(b)], b[half & np.isfinite(b)])[0]) < 1e-9, int(row["n_regions"]) == (half & np.isfinite(b)).sum())
PY
    echo "$output"
    [ "${lines[0]}" = "blob other True True True True True" ]
    [ "${lines[1]}" = "blob other True True True True True" ]
    [ "${lines[2]}" = "blob other True True True True True" ]
    [ "${lines[3]}" = "n/a True True" ]
    run "$NEPENTHE" maps compare blob.nii.gz less.nii.gz
    [ "$status" -eq 65 ]
    [[ "$output" == *"lies on another grid"* ]]
    run "$NEPENTHE" maps compare blob.nii.gz a.tsv
    [ "$status" -eq 64 ]
    [[ "$output" == *"an image is compared with an image, a table with a table"* ]]
    run "$NEPENTHE" maps compare blob.nii.gz other.nii.gz --n 0
    [ "$status" -eq 0 ]
    [[ "$output" == *"no p: surrogates need --n above 0"* ]]
    run "$NEPENTHE" maps compare a.tsv b.tsv --mask half.nii.gz
    [ "$status" -eq 64 ]
    [[ "$output" == *"--mask is for images"* ]]
    run "$NEPENTHE" maps compare blob.nii.gz other.nii.gz --calibrate 10
    [ "$status" -eq 64 ]
    [[ "$output" == *"maps calibrate MASK measures their rates"* ]]
    run "$NEPENTHE" maps compare blob.nii.gz other.nii.gz --nulls spin
    [ "$status" -eq 64 ]
}

@test "nulls: what an image cannot have" {
    make_blob
    run "$NEPENTHE" maps nulls blob.nii.gz --nulls spin -o out.h5
    [ "$status" -eq 64 ]
    [[ "$output" == *"--nulls spin does not exist for voxels: choose variogram, variogram-values, eigenmodes, moran, moran-pair or shuffle"* ]]
    /usr/bin/python3 -c 'import nibabel as nib, numpy as np; x = np.indices((15, 14, 13)).sum(0) % 2; nib.save(nib.Nifti1Image(x.astype(np.float32), np.diag([-2.0, 2, 2, 1])), "dots.nii.gz")'
    run "$NEPENTHE" maps nulls dots.nii.gz --nulls eigenmodes -o out.h5
    [ "$status" -eq 64 ]
    [[ "$output" == *"in 1365 pieces that no faces join, the largest of 1 of 1365 voxels, and at most 20 are taken: leave out the small ones"* ]]
    run "$NEPENTHE" maps nulls blob.nii.gz --nulls variogram --geometry "$GEOMETRY" -o out.h5
    [ "$status" -eq 64 ]
    run "$NEPENTHE" maps nulls blob.nii.gz --nulls variogram --neighbours 5000 -o out.h5
    [ "$status" -eq 64 ]
    [[ "$output" == *"has no 5000 neighbours"* ]]
    run "$NEPENTHE" maps nulls gap.nii.gz -m half.nii.gz --nulls variogram --neighbours 80 --n 1 -o gap.h5
    [ "$status" -eq 0 ]
    [[ "$output" == *"1 voxels of the mask have no finite value"* ]]
    [ ! -e out.h5 ]
}

@test "calibrate: kinds that a mask cannot have are left out, and that is said" {
    make_blob
    /usr/bin/python3 -c 'import nibabel as nib, numpy as np; x = np.indices((15, 14, 13)).sum(0) % 2; nib.save(nib.Nifti1Image(x.astype(np.float32), np.diag([-2.0, 2, 2, 1])), "dots.nii.gz")'
    "$NEPENTHE" maps calibrate dots.nii.gz --neighbours 80 --sample 100 --pairs 3 --n 19 >rates.tsv 2>said
    [ "$(cut -f1 rates.tsv | tr '\n' ' ')" = "null shuffle variogram variogram-values " ]
    grep -q "moran is left out: eigenmodes: the mask is in 1365 pieces" said
    grep -q "eigenmodes is left out" said
    run "$NEPENTHE" maps calibrate dots.nii.gz --nulls moran
    [ "$status" -eq 64 ]
}

@test "calibrate: of the voxels of a mask" {
    make_blob
    "$NEPENTHE" maps calibrate half.nii.gz --neighbours 80 --sample 100 --pairs 40 --n 39 --length 4 >rates.tsv
    run cut -f1,7,8,9 rates.tsv
    n=$(/usr/bin/python3 -c 'import nibabel; print((nibabel.load("half.nii.gz").get_fdata() > 0).sum())')
    [ "$output" = "$(printf 'null\tn_regions\tn_pairs\tn_nulls'; for k in moran shuffle moran-pair eigenmodes variogram variogram-values; do printf '\n%s\t%s\t40\t39' $k "$n"; done)" ]
    run awk 'NR > 1 && $1 != "shuffle" && $2 > 0.25' rates.tsv
    [ "$output" = "" ]
    run "$NEPENTHE" maps calibrate half.nii.gz --nulls spin
    [ "$status" -eq 64 ]
    [[ "$output" == *"spin surrogates do not exist for voxels"* ]]
}
