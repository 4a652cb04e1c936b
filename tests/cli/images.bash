# SPDX-License-Identifier: Apache-2.0
# Small images for the tests of the imaging commands, and the comparison of two tables.

PYTHON=/usr/bin/python3
GOLDEN="$BATS_TEST_DIRNAME/../golden"
SHARED="${NEPENTHE_SHARED:-$BATS_TEST_DIRNAME/../../../shared}/data/imaging"

need_nibabel() { "$PYTHON" -c 'import nibabel, numpy' 2>/dev/null || skip "python3-nibabel is not installed"; }
need_shared() { [ -d "$SHARED" ] || skip "the evaluation data are not here"; }

# bold.nii (6x5x4x60 float32 around 1000), bold_int.nii.gz (int16, slope 0.5), dseg.nii.gz (3 labels of 4 named), mask.nii.gz
make_images() {
    need_nibabel
    "$PYTHON" - <<'PY'
import nibabel as nib, numpy as np
rng = np.random.default_rng(1)
affine = np.diag([3.0, 3, 3, 1]); affine[:3, 3] = [-9, -6, -3]
x = (1000 + 8 * rng.normal(size=(6, 5, 4, 60))).astype(np.float32)
def save(name, data, dtype, tr=None, slope=None):
    im = nib.Nifti1Image(data, affine); im.set_data_dtype(dtype)
    if data.ndim == 4: im.header.set_zooms((3, 3, 3, tr)); im.header.set_xyzt_units("mm", "sec")
    if slope: im.header.set_slope_inter(slope, 10)
    nib.save(im, name)
save("bold.nii", x, np.float32, 2.0)
save("bold_int.nii.gz", np.round(x).astype(np.int16), np.int16, 2.0, 0.5)
label = np.zeros((6, 5, 4), np.int16); label[:2] = 1; label[2:4] = 2; label[4, :, 1:] = 9
save("dseg.nii.gz", label, np.int16)
mask = np.ones((6, 5, 4), np.uint8); mask[1] = 0
save("mask.nii.gz", mask, np.uint8)
save("empty.nii.gz", np.zeros((6, 5, 4), np.int16), np.int16)
nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.int16), np.eye(4)), "foreign.nii.gz")
save("one.nii.gz", x[..., 0], np.float32)
PY
    printf 'index\tname\n9\tthalamus\n1\tleft\n2\tright\n5\tabsent\n' > dseg.tsv
}

# table_close A B TOL: same shape and header, every number within TOL * max(1, |b|); n/a meets n/a only
table_close() {
    awk -F'\t' -v tol="$3" 'NR==FNR{for(i=1;i<=NF;i++)a[FNR,i]=$i; n=FNR; w=NF; next}
        {if(NF!=w)bad=1; for(i=1;i<=NF;i++){if($i==a[FNR,i])continue; if(FNR==1||$i=="n/a"||a[FNR,i]=="n/a"||$i+0!=$i){bad=1;continue}
            d=$i-a[FNR,i]; if(d<0)d=-d; m=$i<0?-$i:$i; if(m<1)m=1; if(d>tol*m)bad=1}}
        END{exit (bad||FNR!=n)}' "$1" "$2"
}

# refused STATUS WORDS command...: that exit code, one sentence with those words, nothing written to out.*
refused() {
    local want="$1" words="$2"
    shift 2
    run "$@"
    [ "$status" -eq "$want" ] || { echo "status $status: $output"; return 1; }
    [[ "$output" == *"$words"* ]] || { echo "no '$words' in: $output"; return 1; }
    [ -z "$(ls out.* 2>/dev/null)" ] || { echo "left: $(ls out.*)"; return 1; }
}
