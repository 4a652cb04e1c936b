#!/usr/bin/env bats
# voxelwise: maps of every voxel's correlations with all others and with seeds, and the table of nearest voxels.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

make_pairs() {
    need_nibabel
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
rng = np.random.default_rng(11)
x = rng.normal(size=(7, 6, 5, 40)) + rng.normal(size=40) * 0.8 + np.arange(40) * rng.normal(size=(7, 6, 5, 1)) * 0.05
x = (200 + 5 * x).astype(np.float32)
x[2, 2, 2] = 3; x[5, 1, 1, 9] = np.nan
affine = np.diag([-3.0, 3, 4, 1]); affine[:3, 3] = [9, -6, -8]
nib.save(nib.Nifti1Image(x, affine), "pairs.nii")
mask = np.ones((7, 6, 5), np.uint8); mask[0, :2] = 0
nib.save(nib.Nifti1Image(mask, affine), "pairs_mask.nii")
label = np.zeros((7, 6, 5), np.int16); label[1:3, :, 1] = 4; label[5, 1:4, :] = 2; label[0, 0] = 7
nib.save(nib.Nifti1Image(label, affine), "seeds.nii")
PY
    printf 'index\tname\n4\tfront\n9\tnowhere\n2\tback\n7\tmasked\n' > seeds.tsv
    cat > whole.py <<'PY'
import json, nibabel as nib, numpy as np
x = nib.load("pairs.nii").get_fdata()
good = (nib.load("pairs_mask.nii").get_fdata() > 0) & np.isfinite(x).all(axis=3) & (np.nan_to_num(x).std(axis=3) > 0)
good = good.transpose(2, 1, 0); y = x.transpose(2, 1, 0, 3)[good]  # i fastest
at = np.argwhere(good)[:, ::-1]
r = np.corrcoef(y); off = r[~np.eye(len(r), dtype=bool)].reshape(len(r), -1)
def read(name): return nib.load(name).get_fdata()
def same(d, want, tol=1e-6):
    d = d.transpose(2, 1, 0)
    assert np.allclose(d[good], want, rtol=tol, atol=tol), np.abs(d[good] - want).max()
    assert np.isnan(d[~good]).all()
def says(name): return json.load(open(name))["Voxelwise"]
PY
}

@test "each map is the golden one on a real run" {
    need_nibabel
    need_shared
    i=3
    for f in degree weighted-degree "degree --two-sided" "weighted-degree --two-sided" mean-z strength rms eigenvector; do
        "$NEPENTHE" voxelwise "$SHARED/haxby2001/run001/bold_25mm.nii.gz" --mask "$SHARED/haxby2001/masks_25mm/brain.nii.gz" --threshold 0.3 --feature $f -o $i.nii.gz
        i=$((i + 1))
    done
    "$PYTHON" - "$GOLDEN/connectome_haxby.tsv" <<'PY'
import sys, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
at = tuple(np.array([[int(v) for v in r[:3]] for r in rows[1:]]).T)
for k, name in enumerate(rows[0][3:], 3):
    d = nib.load(f"{k}.nii.gz").get_fdata()
    want = np.array([float(r[k].replace("n/a", "nan")) for r in rows[1:]])
    assert np.allclose(d[at], want, rtol=1e-6, atol=2e-6, equal_nan=True), name
    assert np.isfinite(d).sum() == np.isfinite(want).sum(), name
PY
}

@test "maps are those of the whole matrix; outside the mask, without variance or with a gap is missing" {
    make_pairs
    for f in degree weighted-degree strength mean-r mean-z rms eigenvector; do
        "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature $f --threshold 0.4 -o $f.nii
    done
    "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature degree --threshold 0.2 --two-sided -o two.nii
    "$PYTHON" - <<'PY'
from whole import *
same(read("degree.nii"), (off > 0.4).sum(1))
same(read("weighted-degree.nii"), (off * (off > 0.4)).sum(1))
same(read("two.nii"), (abs(off) > 0.2).sum(1))
same(read("strength.nii"), off.sum(1), 1e-5)
same(read("mean-r.nii"), off.mean(1))
same(read("mean-z.nii"), np.arctanh(off).mean(1))
same(read("rms.nii"), np.sqrt((off ** 2).mean(1)))
v = np.linalg.eigh(r + 1)[1][:, -1]
same(read("eigenvector.nii"), abs(v))
s = says("degree.json")
assert s["threshold"] == 0.4 and s["two_sided"] is False and s["voxels_that_vary"] == len(r) and s["detrended"] is False, s
PY
}

@test "AFNI's definitions take a line off, and stop early" {
    make_pairs
    for f in degree mean-z eigenvector; do "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature $f --threshold 0.1 --definition afni -o $f.nii; done
    "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature degree --threshold 0.1 --definition cpac -o cpac.nii
    cmp degree.nii cpac.nii
    run "$NEPENTHE" voxelwise pairs.nii --feature degree --dry-run --json -o planned.nii
    [[ "$output" == *planned.nii* ]] && [ ! -e planned.nii ]
    "$PYTHON" - <<'PY'
from whole import *
from scipy.signal import detrend
r = np.corrcoef(detrend(y)); off = r[~np.eye(len(r), dtype=bool)].reshape(len(r), -1)
same(read("degree.nii"), (off > 0.1).sum(1))
same(read("mean-z.nii"), np.tanh((np.log((1.0001 + off) / (1.0001 - off)) / 2).mean(1)))
v, step = np.full(len(r), len(r) ** -0.5), 1
while step > 1e-3:
    w = (r + 1) / 2 @ v; w /= np.linalg.norm(w); step = np.linalg.norm(w - v); v = w
same(read("eigenvector.nii"), v)
assert says("degree.json")["detrended"] is True
PY
}

@test "seeds: a voxel, a ball, regions with the missing ones kept" {
    make_pairs
    "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature seed --place -2.8,3.1,0 --place 0,0,0 -o places.nii
    "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature seed --place -2.8,3.1,0 --radius 4 -z -o ball.nii
    run "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature seed --seed-atlas seeds.nii --labels seeds.tsv -o regions.nii
    [ "$status" -eq 0 ]
    [[ "$output" == *"'nowhere' has no voxel"* ]]
    "$PYTHON" - <<'PY'
from whole import *
index = {tuple(p): k for k, p in enumerate(at)}
def mm(p): return np.array([9 - 3 * p[0], 3 * p[1] - 6, 4 * p[2] - 8])
def with_seed(s): return [np.corrcoef(s, v)[0, 1] for v in y]
d = read("places.nii")
assert d.shape[3] == 2
same(d[..., 0], r[index[4, 3, 2]]); same(d[..., 1], r[index[3, 2, 2]])
ball = [p for p in np.ndindex(7, 6, 5) if np.linalg.norm(mm(p) - [-2.8, 3.1, 0]) <= 4]
assert len(ball) == 5
b = np.clip(with_seed(y[[index[p] for p in ball if p in index]].mean(0)), -1 + 2**-20, 1 - 2**-20)
same(read("ball.nii"), np.arctanh(b), 1e-5)
d, label = read("regions.nii"), read("seeds.nii")
assert d.shape[3] == 4 and np.isnan(d[..., 1]).all() and np.isnan(d[..., 3]).all()
mask = read("pairs_mask.nii") > 0
for volume, value in ((0, 4), (2, 2)):
    same(d[..., volume], with_seed(x[(label == value) & mask & np.isfinite(x).all(3)].mean(0)))
assert [s["seed"] for s in says("regions.json")["seeds"]] == ["front", "nowhere", "back", "masked"]
assert says("places.json")["seeds"][1] == {"seed": "0,0,0", "voxels": 1}
PY
}

@test "nearest lists the k largest correlations of each voxel in order" {
    make_pairs
    "$NEPENTHE" voxelwise pairs.nii --mask pairs_mask.nii --feature nearest --top 3 -o near.tsv
    "$PYTHON" - <<'PY'
from whole import *
rows = [l.split("\t") for l in open("near.tsv").read().splitlines()]
assert rows[0] == "i j k rank to_i to_j to_k r".split() and len(rows) == 1 + 3 * len(r)
index = {tuple(p): k for k, p in enumerate(at)}
np.fill_diagonal(r, -2)
want = np.argsort(-r, axis=1, kind="stable")[:, :3]
for n, row in enumerate(rows[1:]):
    a, b = index[tuple(map(int, row[:3]))], index[tuple(map(int, row[4:7]))]
    assert a == n // 3 and int(row[3]) == n % 3 + 1 and b == want[a, n % 3], row
    assert abs(float(row[7]) - r[a, b]) < 1e-6, row
assert says("near.json")["top"] == 3
PY
    "$NEPENTHE" voxelwise pairs.nii --feature nearest --top 1 --json > near_document.json
    < near_document.json python3 -c 'import json, sys; d = json.load(sys.stdin); assert len(d["neighbours"]) == 208 and d["neighbours"][0]["rank"] == 1 and d["Voxelwise"]["top"] == 1'
}

@test "tiles, threads: the bytes of one piece" {
    need_nibabel
    "$PYTHON" -c '
import nibabel as nib, numpy as np
x = np.random.default_rng(3).normal(size=(20, 20, 14, 120)).astype(np.float32)
nib.save(nib.Nifti1Image(x, np.eye(4)), "big.nii")'
    for f in degree strength "seed --place 3,4,5 --radius 3"; do
        "$NEPENTHE" voxelwise big.nii --feature $f --threshold 0.1 --threads 1 -o whole.nii
        "$NEPENTHE" voxelwise big.nii --feature $f --threshold 0.1 --threads 3 --mem-mb 12 -o tiled.nii
        cmp whole.nii tiled.nii
    done
}

@test "bad input: one sentence, the exit code, nothing written" {
    make_pairs
    make_images
    refused 64 "below 1" "$NEPENTHE" voxelwise bold.nii --feature degree --threshold 1 -o out.nii
    refused 64 "xcpd has none" "$NEPENTHE" voxelwise bold.nii --feature degree --definition xcpd -o out.nii
    refused 64 "--place X,Y,Z (mm) or --seed-atlas" "$NEPENTHE" voxelwise bold.nii --feature seed -o out.nii
    refused 64 "not both" "$NEPENTHE" voxelwise bold.nii --feature seed --place 1,2,3 --seed-atlas dseg.nii.gz -o out.nii
    refused 64 "X,Y,Z in mm" "$NEPENTHE" voxelwise bold.nii --feature seed --place 1,2 -o out.nii
    refused 64 "'x' is not a number" "$NEPENTHE" voxelwise bold.nii --feature seed --place 1,x,2 -o out.nii
    refused 64 "lies outside the image" "$NEPENTHE" voxelwise bold.nii --feature seed --place 100,0,0 -o out.nii
    refused 64 "must not be negative" "$NEPENTHE" voxelwise bold.nii --feature seed --place 0,0,0 --radius -1 -o out.nii
    refused 65 "no voxel in the mask" "$NEPENTHE" voxelwise bold.nii --mask mask.nii.gz --feature seed --place -6,0,0 -o out.nii
    refused 65 "another grid" "$NEPENTHE" voxelwise bold.nii --feature seed --seed-atlas foreign.nii.gz -o out.nii
    refused 65 "has no region" "$NEPENTHE" voxelwise bold.nii --feature seed --seed-atlas empty.nii.gz -o out.nii
    refused 64 "ask for 1 to" "$NEPENTHE" voxelwise bold.nii --feature nearest --top 120 -o out.tsv
    refused 64 "1 to 100000" "$NEPENTHE" voxelwise bold.nii --feature nearest --top 0 -o out.tsv
    "$PYTHON" -c '
import nibabel as nib, numpy as np
nib.save(nib.Nifti1Image(np.full((3, 3, 3, 9), 5, np.float32), np.eye(4)), "still.nii")'
    refused 65 "0 of 27 voxels vary" "$NEPENTHE" voxelwise still.nii --feature degree -o out.nii
}
