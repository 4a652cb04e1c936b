#!/usr/bin/env bats
# permute: every shuffle's p from tables and images, blocks, neighbours, going on after an interrupt; one sentence for what cannot be.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

# case NAME: the golden's data as data.tsv, its design as design.tsv (words 'yes' and 'no' for a column of 0 and 1), blocks.tsv
case_of() {
    need_nibabel
    "$PYTHON" - "$GOLDEN/permute.tsv" "$1" <<'PY'
import sys, numpy as np
book = {}
for line in open(sys.argv[1]):
    name, r, c, *v = line.rstrip("\n").split("\t")
    book[name] = np.array([float("nan") if x == "n/a" else float(x) for x in v]).reshape(int(r), int(c))
case = sys.argv[2]
def get(what): return book[case + "_" + what]
def table(path, head, rows):
    with open(path, "w") as f:
        f.write("\t".join(head) + "\n" + "".join("\t".join(map(str, r)) + "\n" for r in rows))
y, x = get("y"), get("x")
ids = [f"sub-{i:02}" for i in range(len(y))]
table("data.tsv", ["participant_id"] + [f"r{k}" for k in range(y.shape[1])], [[i, *map(repr, map(float, v))] for i, v in zip(ids, y)])
table("design.tsv", ["participant_id"] + [f"x{k}" for k in range(x.shape[1])],
      [[i, *(("no", "yes")[int(v)] if set(x[:, k]) == {0, 1} else v for k, v in enumerate(r))] for i, r in reversed(list(zip(ids, x)))])
if case + "_block" in book:
    table("blocks.tsv", ["participant_id", "block"], [[i, f"family {int(b)}"] for i, b in zip(ids, get("block").ravel())])
np.savez("want.npz", **{k[len(case) + 1:]: v for k, v in book.items() if k.startswith(case + "_")})
if case == "grid":
    import nibabel as nib
    inside = get("inside").reshape(3, 4, 5).astype(bool)
    affine = np.diag([2.0, 2, 3, 1]); affine[:3, 3] = [-4, -6, 10]
    x = np.full((len(y), 3, 4, 5), 7.0, np.float32)
    x[:, inside] = y
    nib.save(nib.Nifti1Image(inside.T.astype(np.uint8), affine), "mask.nii.gz")
    nib.save(nib.Nifti1Image(x.T, affine), "all.nii.gz")
    for i, v in zip(ids, x):
        nib.save(nib.Nifti1Image(v.T, affine), f"{i}_map.nii.gz")
PY
}

# as_golden OUT.tsv: stat, p and p_fwe of the rows are the golden's
as_golden() {
    "$PYTHON" -c 'import csv, sys, numpy as np
rows, want = list(csv.DictReader(open(sys.argv[1]), delimiter="\t")), np.load("want.npz")
for i, r in enumerate(rows):
    got = [float(r[k]) for k in ("stat", "p", "p_fwe")]
    assert np.allclose(got, [want["t_effect_se"][0][i], *want["p_fwe"][:, i]], rtol=1e-8), (r, want["p_fwe"][:, i])
print(len(rows))' "$1"
}

@test "two groups of a table: the p of all 70 arrangements, and what was done is said" {
    case_of groups
    "$NEPENTHE" permute data.tsv --design design.tsv --columns x0 --contrast group='x0=yes - x0=no' -o out.tsv 2> talk
    [ "$(as_golden out.tsv)" = 6 ]
    grep -q "group: t, df 6; shuffling rows, all 70 distinct shuffles were used, fewer than were asked for; least corrected p" talk
    run "$PYTHON" -c 'import json; d=json.load(open("out.json")); g=d["Permute"]; c=g["contrasts"][0]; print(c["test"], c["df"], c["shuffled"], c["shuffles"], c["exhaustive"], g["people"], g["fdr"], d["seed"], [i["name"] for i in d["inputs"]])'
    [ "$output" = "t 6.0 rows 70 True 8 Benjamini-Hochberg 0 ['data.tsv', 'design.tsv']" ]
    "$NEPENTHE" permute data.tsv --design design.tsv --columns x0 --contrast group='F:x0=yes - x0=no' --fdr by -o f.tsv -q
    run "$PYTHON" -c 'import csv
a, b = (list(csv.DictReader(open(f), delimiter="\t")) for f in ("out.tsv", "f.tsv"))
for x, y in zip(a, b):
    assert abs(float(x["stat"]) ** 2 - float(y["stat"])) < 1e-6 * float(y["stat"]) and x["p_fwe"] == y["p_fwe"] and y["effect"] == "n/a"
    assert float(y["p_fdr"]) >= float(x["p_fdr"]) >= float(x["p"])
print(b[0]["test"])'
    [ "$output" = F ]
}

@test "a constant among the columns leaves a comparison of groups what it is" {
    case_of groups
    awk -F'\t' -v OFS='\t' '{print $1, $2, NR==1 ? "one" : 1}' design.tsv > constant.tsv
    "$NEPENTHE" permute data.tsv --design design.tsv --columns x0 --contrast group='x0=yes - x0=no' -o a.tsv -q
    "$NEPENTHE" permute data.tsv --design constant.tsv --columns one,x0 --contrast group='x0=yes - x0=no' -o b.tsv 2> talk || true
    grep -q "is a linear combination of" talk # the constant and both groups: said, not guessed
    sed 's/yes/1/; s/no/0/' constant.tsv > numbers.tsv
    "$NEPENTHE" permute data.tsv --design numbers.tsv --contrast group=x0 -o c.tsv 2> talk
    grep -q "shuffling rows, all 70 distinct" talk
    table_close c.tsv a.tsv 1e-7
}

@test "blocks: within them, and as wholes" {
    case_of within
    "$NEPENTHE" permute data.tsv --design design.tsv --columns x1 --contrast dose=x1 --exchange blocks.tsv -o a.tsv 2> talk
    [ "$(as_golden a.tsv)" = 4 ]
    grep -q "shuffling rows within blocks, all 216 distinct" talk
    case_of whole
    "$NEPENTHE" permute data.tsv --design design.tsv --columns x1,x2 --contrast carrier='x1=yes - x1=no' --exchange blocks.tsv --whole -o b.tsv 2> talk
    [ "$(as_golden b.tsv)" = 4 ]
    grep -q "shuffling rows of whole blocks, all 20 distinct" talk
    case_of whole_signs
    "$NEPENTHE" permute data.tsv --contrast mean=intercept --exchange blocks.tsv --whole -o c.tsv 2> talk
    [ "$(as_golden c.tsv)" = 4 ]
    grep -q "shuffling signs of whole blocks, all 64 distinct" talk
    case_of mean_positive
    "$NEPENTHE" permute data.tsv --contrast mean=1 --positive -o d.tsv -q
    [ "$(as_golden d.tsv)" = 5 ]
}

@test "images: clusters and TFCE of a masked grid, a map per participant or one 4D image" {
    case_of grid
    what="--contrast mean=intercept --statistic cluster-size,cluster-mass,tfce --cluster-threshold 2 --mask mask.nii.gz"
    "$NEPENTHE" permute sub-0?_map.nii.gz $what -o each 2> talk
    grep -q "shuffling signs, all 128 distinct" talk
    "$NEPENTHE" permute all.nii.gz $what --threads 3 -o whole -q
    for f in each_*; do cmp "$f" "whole_${f#each_}"; done
    "$NEPENTHE" permute all.nii.gz ${what#--contrast mean=intercept} -o unsaid -q # without a design the mean is what is tested
    for f in each_*; do cmp "$f" "unsaid_${f#each_}"; done
    "$PYTHON" - <<'PY'
import csv, json, nibabel as nib, numpy as np
want = np.load("want.npz")
inside = want["inside"].reshape(3, 4, 5).astype(bool)
def read(name):
    x = nib.load(f"each_mean_{name}.nii.gz").get_fdata().T
    assert np.isnan(x[~inside]).all()
    return x[inside]
def close(name, values): assert np.allclose(read(name), values, rtol=1e-6, atol=1e-9), name
close("t", want["t_effect_se"][0]); close("effect", want["t_effect_se"][1]); close("se", want["t_effect_se"][2])
close("p", want["p_fwe"][0]); close("pfwe", want["p_fwe"][1])
for name, row in zip(("tfce", "ptfce", "pfwetfce"), want["tfce"]): close(name, row)
t, label = want["t_effect_se"][0], read("clusters").astype(int)
peaks = list(csv.DictReader(open("each_peaks.tsv"), delimiter="\t"))
assert len(peaks) == len(want["clusters"]) == label.max()
found = sorted([float(p[k]) for k in ("voxels", "mass", "p_fwe_size", "p_fwe_mass")] for p in peaks)
assert np.allclose(found, sorted(want["clusters"][:, [0, 1, 3, 4]].tolist()), rtol=1e-8)
for p in peaks:
    own = label == int(p["cluster"])
    assert own.sum() == int(p["voxels"]) and np.isclose(np.abs(t[own]).max(), abs(float(p["stat"])), rtol=1e-8)
    assert float(p["mm3"]) == 12 * own.sum()
    assert np.allclose(read("pfwesize")[own], float(p["p_fwe_size"])) and np.allclose(read("pfwemass")[own], float(p["p_fwe_mass"]))
    z, y, x = (int(v) for v in np.argwhere(inside)[np.flatnonzero(own)[np.abs(t[own]).argmax()]])
    assert [float(p[k]) for k in ("x_mm", "y_mm", "z_mm")] == [2 * x - 4, 2 * y - 6, 3 * z + 10]
assert (read("pfwesize")[label == 0] == 1).all() and (read("pfdr") >= read("p") - 1e-7).all() and (read("pfdrtfce") >= read("ptfce") - 1e-7).all()
c = json.load(open("each.json"))["Permute"]["contrasts"][0]
assert c["clusters"] == len(peaks) and c["forming_threshold"] == 2 and c["critical_tfce"] > 0
PY
}

@test "without a mask, voxels that are missing in somebody or the same in everybody are left out, and nothing else changes" {
    case_of grid
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
im = nib.load("all.nii.gz"); x = np.asanyarray(im.dataobj).copy()
x[2, 2, 2, 3] = np.nan
nib.save(nib.Nifti1Image(x, im.affine), "holes.nii.gz")
mask = np.asanyarray(nib.load("mask.nii.gz").dataobj).copy(); mask[2, 2, 2] = 0
nib.save(nib.Nifti1Image(mask, im.affine), "less.nii.gz")
PY
    "$NEPENTHE" permute holes.nii.gz --contrast m=1 --statistic tfce -o a 2> talk
    grep -q "of 60 voxels 1 have a missing value in somebody and 3 are the same in everybody; they are left out" talk
    "$NEPENTHE" permute holes.nii.gz --contrast m=1 --statistic tfce --mask less.nii.gz -o b -q
    for f in a_*; do cmp "$f" "b_${f#a_}"; done
    "$PYTHON" -c 'import nibabel as nib, numpy as np; nib.save(nib.Nifti1Image(np.ones((3, 3, 3, 5), np.float32), np.eye(4)), "same.nii.gz")'
    refused 65 "no voxel has a value in everybody that differs" "$NEPENTHE" permute same.nii.gz --contrast m=1 -o out
}

@test "drawn shuffles depend on the seed alone, whatever the threads; a tail refines small p and says where it does not" {
    need_nibabel
    "$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(3)
y = rng.normal(size=(24, 40)); y[:12, :12] += 1.3
with open("data.tsv", "w") as f, open("design.tsv", "w") as d:
    f.write("participant_id\t" + "\t".join(f"r{k}" for k in range(40)) + "\n"); d.write("participant_id\tgroup\tage\n")
    for i, r in enumerate(y):
        f.write(f"p{i}\t" + "\t".join(f"{v:.4f}" for v in r) + "\n"); d.write(f"p{i}\t{'ab'[i < 12]}\t{rng.uniform(20, 60):.1f}\n")
PY
    what="--design design.tsv --contrast group=group=b-group=a --n 500"
    "$NEPENTHE" permute data.tsv $what --threads 1 -o a.tsv -q
    "$NEPENTHE" permute data.tsv $what --threads 3 -o b.tsv -q
    cmp a.tsv b.tsv
    "$NEPENTHE" permute data.tsv $what --seed 5 -o c.tsv -q
    ! cmp -s a.tsv c.tsv
    "$NEPENTHE" permute data.tsv $what --tail -o d.tsv 2> talk
    grep -q "group: p below 0.1 from a fitted tail in [0-9]* columns, counted in [0-9]* whose tail did not fit" talk
    "$PYTHON" - <<'PY'
import csv, math
a, d = (list(csv.DictReader(open(f), delimiter="\t")) for f in ("a.tsv", "d.tsv"))
finer = 0
for x, y in zip(a, d):
    p, q = float(x["p"]), float(y["p"])
    assert (p == q) if p >= 0.1 else 0 < q < 0.12, (p, q)
    finer += q < 1 / 501
    if p > 0.02: assert abs(math.log(p / q)) < 0.4, (p, q)
assert finer >= 3, finer
PY
}

@test "an interrupted test keeps what it has, and goes on to the same numbers" {
    need_nibabel
    "$PYTHON" -c 'import nibabel as nib, numpy as np
x = np.random.default_rng(4).normal(size=(24, 24, 24, 14)).astype(np.float32) + 0.3
nib.save(nib.Nifti1Image(x, np.eye(4)), "all.nii.gz")'
    what="--contrast mean=intercept --statistic tfce"
    "$NEPENTHE" permute all.nii.gz $what --n 2000 -o straight -q
    "$NEPENTHE" permute all.nii.gz $what --n 2000 --threads 1 -o stopped --progress json 2> talk &
    pid=$!
    until grep -q '"task": "permute"' talk || ! kill -0 $pid; do sleep 0.05; done # after about a second
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 75 ] || { cat talk; false; }
    grep -q "interrupted after [0-9]* of 32 steps, which 'stopped_mean.checkpoint' keeps" talk
    [ -f stopped_mean.checkpoint ] && [ ! -e stopped_mean_t.nii.gz ] && [ ! -e stopped.json ]
    "$NEPENTHE" permute all.nii.gz $what --n 2000 --resume -o stopped 2> talk
    grep -q "mean: [0-9]* shuffles were taken over from the checkpoint" talk
    [ ! -e stopped_mean.checkpoint ]
    for f in straight_*; do cmp "$f" "stopped_${f#straight_}"; done
    "$NEPENTHE" permute all.nii.gz $what --n 64 --resume -o stopped 2> talk
    grep -q "no checkpoint of these data and options" talk
}

@test "one sentence for what cannot be tested" {
    case_of groups
    go="$NEPENTHE permute data.tsv --design design.tsv"
    refused 64 "--contrast NAME=FORMULA is needed" $go -o out.tsv
    refused 64 "is none of max-t, cluster-size, cluster-mass and tfce" $go --contrast a=x0=yes --statistic tmax -o out.tsv
    refused 64 "regions of a table have none" $go --columns x0 --contrast a=x0=yes --statistic tfce -o out.tsv
    refused 64 "--whole is for the blocks" $go --contrast a=x0=yes --whole -o out.tsv
    refused 64 "--resume needs the -o" $go --contrast a=x0=yes --resume
    refused 64 "--cluster-p must lie between" $go --contrast a=x0=yes --cluster-p 2 -o out.tsv
    refused 65 "column 'x1=yes' is a linear combination of 'x0=no', so that contrast 'a' is not estimable" $go --contrast a=x1=yes -o out.tsv
    printf 'participant_id\tblock\nsub-00\t1\n' > blocks.tsv
    refused 65 "everybody needs a block" $go --columns x0 --contrast a=x0=yes --exchange blocks.tsv -o out.tsv
    awk -F'\t' -v OFS='\t' 'NR==1{print $1, "block"} NR>1{print $1, $2}' design.tsv > blocks.tsv
    refused 64 "the blocks allow one arrangement of contrast 'a' only" $go --columns x0 --contrast a='x0=yes - x0=no' --exchange blocks.tsv -o out.tsv
    case_of grid
    "$PYTHON" -c 'import nibabel as nib, numpy as np; nib.save(nib.Nifti1Image(np.ones((5, 4, 4), np.float32), np.eye(4)), "sub-99_map.nii.gz")'
    refused 65 "sub-99_map.nii.gz lies on another grid than" "$NEPENTHE" permute sub-00_map.nii.gz sub-99_map.nii.gz --contrast m=1 -o out
    head -4 design.tsv > short.tsv
    refused 65 "has 7 volumes, the design 3 rows" "$NEPENTHE" permute all.nii.gz --design short.tsv --contrast m=1 -o out
}
