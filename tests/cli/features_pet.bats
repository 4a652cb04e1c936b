#!/usr/bin/env bats
# features pet --maps: the parameters of every voxel are those of nepenthe pet on the same image.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    python3 - "$BATS_TEST_DIRNAME" <<'PY'
import json, math, os, random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import make_bids as b
r, n_t, length = random.Random(5), 20, 180
shape, count = (b.NX, b.NY, b.NZ), b.NX * b.NY * b.NZ
labels = [b.label(v % b.NX) for v in range(count)]
def curve(v, t):
    k = {1: 0.02, 2: 0.06, 3: 0.012, 4: 0.03}[labels[v]]
    t = (t + 0.5) * length / 60
    return 20000 * (1 - math.exp(-0.3 * t)) * math.exp(-k * t) + r.gauss(0, 40)
volumes = [[round(curve(v, t)) for v in range(count)] for t in range(n_t)]
folder = "bids/sub-01/pet"
os.makedirs(folder)
b.nifti(folder + "/sub-01_trc-X_desc-preproc_pet.nii.gz", volumes, shape, 4, 1.0)
b.nifti("L_back.nii.gz", [[int(k == 2) for k in labels]], shape, 2)
b.nifti("atlas_dseg.nii.gz", [labels], shape, 2)
b.nifti("mask.nii.gz", [[int(k < 4) for k in labels]], shape, 2)
b.nifti("other.nii.gz", [[1] * count], (b.NX, b.NZ, b.NY), 2)
with open("atlas_dseg.tsv", "w") as f:
    f.write("index\tname\n" + "".join("%d\t%s\n" % (k + 1, name) for k, name in enumerate(b.REGIONS)))
with open(folder + "/sub-01_trc-X_desc-preproc_pet.json", "w") as f:
    json.dump({"FrameTimesStart": [length * t for t in range(n_t)], "FrameDuration": [length] * n_t, "InjectionStart": 0, "ImageDecayCorrected": True}, f)
PY
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ATLAS="--atlas atlas_dseg.nii.gz --labels atlas_dseg.tsv --atlas-name slabs"
    OUT="$BATS_TEST_TMPDIR/out"
    STEM="$OUT/sub-01/pet/sub-01_trc-X_seg-slabs"
    IMAGE=sub-01/pet/sub-01_trc-X_desc-preproc_pet.nii.gz
}

@test "each model: value and standard error of every parameter, by name, are the volumes of nepenthe pet" {
    check() { # check MODEL "LABELS" OPTION... (those of features; those of pet are without pet-)
        local model=$1 labels=$2
        shift 2
        "$NEPENTHE" features bids "$OUT" participant $ATLAS --features pet --pet-model $model --pet-reference L_back --maps -q "$@"
        "$NEPENTHE" pet bids/$IMAGE --model $model --reference L_back.nii.gz "${@/--pet-/--}" -o want.nii.gz
        python3 - "$STEM" $model want.nii.gz $labels <<'PY'
import array, gzip, json, math, sys
stem, model, want, labels = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
read = lambda f: array.array("f", gzip.open(f).read()[352:])
all_maps, n = read(want), 8 * 6 * 5
names = json.load(open(want.replace(".nii.gz", ".json")))["Pet"]["volumes"]
assert len(names) == 2 * len(labels) and len(all_maps) == n * len(names), (names, labels)
for k, name in enumerate(names):
    file = "%s_model-%s_meas-%s%s_mimap" % (stem, model, labels[k // 2], "_desc-se" if k % 2 else "")
    got = read(file + ".nii.gz")
    assert got.tobytes() == all_maps[k * n:(k + 1) * n].tobytes(), name
    assert sum(map(math.isfinite, got)) > 200, name
    said = json.load(open(file + ".json"))
    assert said["Parameter"] == name.replace("_se", "") and said["Model"] == model and said["ReferenceRegion"] == "L_back", said
    assert said["Units"] == ("1/min" if "_per_min" in name else "1") and ("error" in said["Description"]) == (k % 2 == 1), said
PY
    }
    check suvr suvr --pet-window 15,45
    check srtm "bpnd r1 k2 k2a"
    check mrtm "bpnd r1 k2 k2prime"
    check mrtm2 "bpnd r1 k2" --pet-k2-prime 0.05
    check logan "bpnd dvr" --pet-t-star 12 --pet-k2-prime 0.05
    check patlak "ki intercept" --pet-t-star 12
}

@test "a brain mask beside the image: voxels outside it are NaN; skipped when whole, away without --maps" {
    cp -r bids "$BATS_TEST_TMPDIR/bids"
    cp mask.nii.gz "$BATS_TEST_TMPDIR/bids/sub-01/pet/sub-01_trc-X_desc-brain_mask.nii.gz"
    DO="features $BATS_TEST_TMPDIR/bids $OUT participant $ATLAS --features pet --pet-model logan --pet-reference L_back"
    "$NEPENTHE" $DO --maps -q
    "$NEPENTHE" pet bids/$IMAGE --model logan --reference L_back.nii.gz --mask mask.nii.gz -o want.nii.gz
    python3 - "${STEM}_model-logan_meas-bpnd_mimap.nii.gz" want.nii.gz <<'PY'
import array, gzip, math, sys
got, want = (array.array("f", gzip.open(f).read()[352:]) for f in sys.argv[1:])
assert got.tobytes() == want[:240].tobytes() and sum(map(math.isnan, got)) == 60
PY
    run "$NEPENTHE" $DO --maps
    [[ "$output" == *"0 measured"*"1 done before"* ]]
    echo >> "${STEM}_model-logan_meas-dvr_desc-se_mimap.json"
    run "$NEPENTHE" $DO --maps
    [[ "$output" == *"1 measured"* ]]
    "$NEPENTHE" $DO -q
    run bash -c "ls $OUT/sub-01/pet"
    [[ "$output" == *kinpar* ]] && [[ "$output" != *mimap* ]]
}

@test "what cannot be: mrtm2 without k2', a mask on another grid, which leaves nothing behind; the plan names the maps" {
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features pet --pet-model mrtm2 --pet-reference L_back --maps
    [ "$status" -eq 64 ] && [[ "$output" == *"needs --pet-k2-prime"* ]]
    run "$NEPENTHE" features bids "$OUT" participant $ATLAS --features pet --pet-reference L_back --maps --dry-run
    [ "$status" -eq 0 ] && [[ "$output" == *"pet/*_model-srtm_meas-k2a_desc-se_mimap.nii.gz"* ]]
    cp -r bids "$BATS_TEST_TMPDIR/bids"
    cp other.nii.gz "$BATS_TEST_TMPDIR/bids/sub-01/pet/sub-01_trc-X_desc-brain_mask.nii.gz"
    run "$NEPENTHE" features "$BATS_TEST_TMPDIR/bids" "$OUT" participant $ATLAS --features pet --pet-reference L_back --maps
    [ "$status" -eq 65 ]
    grep -q "$(printf 'sub-01\tsub-01_trc-X_pet\tGRID')" "$OUT/failures.tsv"
    [ ! -e "$OUT/sub-01" ]
}
