#!/usr/bin/env bats
# pet: curves of a table and voxels of an image give the same numbers; frames from sidecar, columns or file.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

# pet.nii.gz 3 x 2 x 1 with its sidecar: six curves of the golden, the reference among them; ref.nii.gz marks it.
make_pet() {
    "$PYTHON" - "$GOLDEN/pet_tacs.tsv" <<'PY'
import sys, json, nibabel as nib, numpy as np
rows = [l.split("\t") for l in open(sys.argv[1]).read().splitlines()]
x = np.array(rows[1:], float)
start, end, curves = x[:, 0], x[:, 1], x[:, 2:8]
image = curves.T.reshape(3, 2, 1, len(x)).astype(np.float32)
nib.save(nib.Nifti1Image(image, np.diag([2, 2, 2, 1])), "pet.nii.gz")
ref = np.zeros((3, 2, 1), np.uint8); ref[0, 0, 0] = 1
nib.save(nib.Nifti1Image(ref, np.diag([2, 2, 2, 1])), "ref.nii.gz")
json.dump({"FrameTimesStart": list(start + 12), "FrameDuration": list(end - start), "InjectionStart": 12, "ImageDecayCorrected": True}, open("pet.json", "w"))
np.savetxt("bare.tsv", curves, delimiter="\t", header="\t".join(rows[0][2:8]), comments="", fmt="%.9g")
json.dump({"FrameTimesStart": list(start + 12), "FrameDuration": list(end - start), "InjectionStart": 12}, open("times.json", "w"))
PY
}

@test "an image, a table with columns and a table with a sidecar agree for every model" {
    need_nibabel
    make_pet
    for model in suvr srtm mrtm mrtm2 logan patlak; do
        more=
        [ $model = mrtm2 ] && more="--k2-prime 0.12"
        [ $model = suvr ] && more="--window 30,60"
        "$NEPENTHE" pet pet.nii.gz --model $model --reference ref.nii.gz $more -o maps.nii.gz
        "$NEPENTHE" pet "$GOLDEN/pet_tacs.tsv" --model $model --reference reference $more -o columns.tsv
        "$NEPENTHE" pet bare.tsv --frames times.json --model $model --reference reference $more -o bare_$model.tsv
        "$PYTHON" - <<PY
import nibabel as nib, numpy as np
read = lambda f: np.genfromtxt(f, delimiter="\t", skip_header=1, missing_values="n/a")[:6, 1:]
maps = nib.load("maps.nii.gz").get_fdata()
maps = maps.reshape(6, -1)
table, bare = read("columns.tsv"), read("bare_$model.tsv")
assert maps.shape == table.shape == bare.shape, (maps.shape, table.shape)
assert np.allclose(maps, table, rtol=1e-5, atol=1e-6, equal_nan=True)
assert np.array_equal(table, bare, equal_nan=True)
PY
    done
    run python3 -c 'import json; print(json.load(open("maps.json"))["Pet"]["volumes"])'
    [ "$output" = "['ki_per_min', 'ki_per_min_se', 'intercept', 'intercept_se']" ]
}

@test "bad input: one sentence, the exit code, nothing written" {
    need_nibabel
    make_pet
    refused 64 "--model" "$NEPENTHE" pet bare.tsv --reference reference -o out.tsv
    refused 65 "did you mean 'reference'" "$NEPENTHE" pet "$GOLDEN/pet_tacs.tsv" --model srtm --reference referense -o out.tsv
    refused 66 "give --frames" "$NEPENTHE" pet bare.tsv --model srtm --reference reference -o out.tsv
    refused 64 "mrtm2 needs k2'" "$NEPENTHE" pet pet.nii.gz --model mrtm2 --reference ref.nii.gz -o out.nii
    refused 64 "NIfTI mask" "$NEPENTHE" pet pet.nii.gz --model srtm --reference cerebellum -o out.nii
    refused 64 "column \`weight\`" "$NEPENTHE" pet pet.nii.gz --model srtm --reference ref.nii.gz --weights column -o out.nii
    echo '{"FrameTimesStart": [0, 10], "FrameDuration": [10, 10]}' >short.json
    refused 65 "2 entries" "$NEPENTHE" pet pet.nii.gz --frames short.json --model srtm --reference ref.nii.gz -o out.nii
    sed -i 's/"ImageDecayCorrected": true/"ImageDecayCorrected": false/' pet.json
    refused 65 "decay" "$NEPENTHE" pet pet.nii.gz --model srtm --reference ref.nii.gz -o out.nii
    [ ! -e out.nii ]
    [ ! -e out.tsv ]
}
