#!/usr/bin/env bats
# radiomics: image and labels in, a table out.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

# The region of the goldens as label 2, a flat cube as label 7.
make_region() {
    need_nibabel
    "$PYTHON" - "$GOLDEN" <<'PY'
import json, sys, nibabel as nib, numpy as np
about = json.load(open(sys.argv[1] + "/radiomics.json"))
rows = np.array([l.split("\t") for l in open(sys.argv[1] + "/radiomics_in.tsv").read().splitlines()[1:]], float)
n, a = tuple(about["shape"]), np.diag(about["spacing_mm"] + [1])
x, label = rows[:, 0].reshape(n, order="F"), 2 * rows[:, 1].reshape(n, order="F").astype(np.int16)
label[:2, :2, :2] = 7; x[:2, :2, :2] = 50
nib.save(nib.Nifti1Image(x.astype(np.float32), a), "image.nii.gz")
nib.save(nib.Nifti1Image(label, a), "labels.nii.gz")
nib.save(nib.Nifti1Image(label + 0.5 * (label > 0), a), "floats.nii.gz")
x[label == 7] = np.nan
nib.save(nib.Nifti1Image(x.astype(np.float32), a), "gaps.nii.gz")
PY
}

@test "radiomics: PyRadiomics' numbers under its definition, in a table with IBSI codes and a sidecar" {
    make_region
    "$NEPENTHE" radiomics image.nii.gz labels.nii.gz --label 2 --definition pyradiomics --shift 300 -o got.tsv
    "$PYTHON" - "$GOLDEN/radiomics.tsv" <<'PY'
import json, sys
want = {r.split("\t")[0]: float(r.split("\t")[1]) for r in open(sys.argv[1]).read().splitlines()[1:]}
lines = [r.split("\t") for r in open("got.tsv").read().splitlines()]
assert lines[0] == ["label", "feature", "ibsi", "value"]
got = {f: (label, code, v) for label, f, code, v in lines[1:]}
for f, v in want.items():
    assert got[f][0] == "2" and abs(float(got[f][2]) - v) <= 1e-7 * abs(v), (f, v, got[f])
assert got["glcm_contrast"][1] == "ACUI" and got["glcm_maximal_correlation_coefficient"][1] == "n/a"
says = json.load(open("got.json"))["Radiomics"]
assert says["BinWidth"] == 25 and says["Definition"] == "pyradiomics" and len(says["GreyLevels"]) == 1, says
PY
}

@test "radiomics: brain1 of PyRadiomics' published baseline" {
    need_shared
    need_nibabel
    "$PYTHON" - "$SHARED/radiomics" <<'PY'
import gzip, sys, nibabel as nib, numpy as np
for name, dtype in (("image", "<i2"), ("label", "<i4")):
    head, body = open(f"{sys.argv[1]}/brain1_{name}.nrrd", "rb").read().split(b"\n\n", 1)
    n = [int(v) for line in head.decode().split("\n") if line.startswith("sizes:") for v in line.split()[1:]]
    x = np.frombuffer(gzip.decompress(body), dtype).reshape(n, order="F").astype(np.int16)
    nib.save(nib.Nifti1Image(x, np.diag([0.78125, 0.78125, 6.5, 1])), name + ".nii.gz")
PY
    "$NEPENTHE" radiomics image.nii.gz label.nii.gz --definition pyradiomics --shift 2000 -o got.tsv
    # how far its mesh is from a closed one, as the docs say
    "$NEPENTHE" radiomics image.nii.gz label.nii.gz --bin-width 25 -o ours.tsv
    run awk -F'\t' '$2 == "shape_surface_area" {a[NR != FNR] = $4} END {printf "%.2f", 100 * (a[0] / a[1] - 1)}' ours.tsv got.tsv
    [ "$output" = 0.16 ]
    # The surface in the published file is an older table's, within the 3 % that PyRadiomics' own tests allow: its release 3.1.0
    # gives 16147.5118 mm3 and 6438.8216 mm2, as we do. The diameter, from the same mesh, agrees.
    "$PYTHON" - "$SHARED/radiomics" "$GOLDEN/make_radiomics.py" <<'PY'
import ast, csv, sys
tree = ast.parse(open(sys.argv[2]).read())
tree.body = [n for n in tree.body if isinstance(n, (ast.Assign, ast.FunctionDef)) and getattr(n, "name", "") not in ("main", "make")
             and "HERE" not in ast.unparse(n)[:4]]
names = {}; exec(compile(tree, "names", "exec"), names)
got = {r.split("\t")[1]: float(r.split("\t")[3]) for r in open("got.tsv").read().splitlines()[1:]}
surface = {"shape_mesh_volume": 16147.5118, "shape_surface_area": 6438.8216, "shape_sphericity": 0.479823454,
           "shape_surface_volume_ratio": 0.398750079}
n = 0
for family in names["FAMILIES"]:
    for row in csv.reader(open(f"{sys.argv[1]}/baseline_{family}.csv")):
        if not row[0].startswith("original_") or row[0].split("_")[2] in names["NOT_OURS"]:
            continue
        f, v = names["ours"](row[0]), float(row[1])
        if f in surface:
            assert abs(got[f] - v) <= 2e-3 * v, (f, got[f], v)
            v = surface[f]
        assert abs(got[f] - v) <= 1e-5 * abs(v), (f, got[f], v)
        n += 1
assert n == 104, n
PY
}

@test "radiomics: all labels at once, as JSON; --label alone picks one" {
    make_region
    "$NEPENTHE" radiomics image.nii.gz labels.nii.gz --bin-width 25 -o got.tsv
    [ "$(cut -f1 got.tsv | sort -u | tr '\n' ' ')" = "2 7 label " ]
    grep -q "^7	intensity_mean	Q4LE	50$" got.tsv
    grep -q "^7	glcm_correlation	NI2N	n/a$" got.tsv
    "$NEPENTHE" radiomics image.nii.gz labels.nii.gz --bin-width 25 --label 7 --json | "$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)
assert {r["label"] for r in d["features"]} == {7} and d["Radiomics"]["GreyLevels"] == [1]'
}

@test "radiomics: a label without a value keeps its rows and is told of" {
    make_region
    "$NEPENTHE" radiomics gaps.nii.gz labels.nii.gz -o got.tsv 2> said
    grep -q "label 7 has a value" said
    [ "$(awk '$1 == 7 && $4 == "n/a"' got.tsv | wc -l)" -eq "$(awk '$1 == 2' got.tsv | wc -l)" ]
}

@test "radiomics: refuses what has no answer, in one sentence" {
    make_region
    make_images
    refused 64 "give one of them" "$NEPENTHE" radiomics image.nii.gz labels.nii.gz --bins 8 --bin-width 3 -o out.tsv
    refused 65 "no voxel with the label 3" "$NEPENTHE" radiomics image.nii.gz labels.nii.gz --label 3 -o out.tsv
    refused 65 "another grid" "$NEPENTHE" radiomics image.nii.gz foreign.nii.gz -o out.tsv
    refused 65 "floats.nii.gz" "$NEPENTHE" radiomics image.nii.gz floats.nii.gz -o out.tsv
    refused 65 "no value inside" "$NEPENTHE" radiomics gaps.nii.gz labels.nii.gz --label 7 -o out.tsv
    refused 64 "wider bins" "$NEPENTHE" radiomics image.nii.gz labels.nii.gz --bin-width 0.001 -o out.tsv
    refused 65 "bold.nii" "$NEPENTHE" radiomics bold.nii labels.nii.gz -o out.tsv
    refused 64 "IMAGE LABELS" "$NEPENTHE" radiomics image.nii.gz -o out.tsv
}
