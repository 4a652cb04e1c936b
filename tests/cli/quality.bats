#!/usr/bin/env bats
# quality: numbers and verdict of a run.

load images

setup() { cd "$BATS_TEST_TMPDIR"; }

value() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2], {"d": d}))' "$1" "$2"; }

motion_of() {
    { printf 'rot_x\trot_y\trot_z\ttrans_x\ttrans_y\ttrans_z\n'; awk '{OFS="\t"; print $1,$2,$3,$4,$5,$6}' "$SHARED/haxby2001/run001/bold_moest.txt"; } > motion.tsv
}

@test "a real run: the reference's displacement, DVARS and temporal SNR" {
    need_shared
    motion_of
    "$NEPENTHE" quality "$SHARED/haxby2001/run001/bold_25mm.nii.gz" --mask "$SHARED/haxby2001/masks_25mm/brain.nii.gz" --motion motion.tsv -o q.json
    run python3 - "$GOLDEN/quality.json" <<'PY'
import json, sys
want, got = json.load(open(sys.argv[1])), json.load(open("q.json"))
for a, b in (("fd_power_mean", "fd_mean_mm"), ("fd_power_max", "fd_max_mm"), ("dvars_mean",) * 2, ("std_dvars_mean",) * 2, ("tsnr_mean",) * 2, ("tsnr_median",) * 2, ("voxels",) * 2):
    assert abs(want[a] - got[b]) <= 1e-6 * abs(want[a]), (a, want[a], got[b])
assert got["per_frame"]["fd_mm"][0] is None and len(got["per_frame"]["dvars"]) == 121
print(got["schema"], got["provenance"]["command"])
PY
    [ "$output" = "nepenthe/quality/1 quality" ]
    "$NEPENTHE" quality "$SHARED/haxby2001/run001/bold_25mm.nii.gz" --mask "$SHARED/haxby2001/masks_25mm/brain.nii.gz" --motion motion.tsv --fd jenkinson -o j.json
    [ "$(value j.json "abs(d['fd_mean_mm'] - 0.06854591112) < 1e-8")" = True ]
}

@test "the verdict follows the thresholds, and each check says its own" {
    make_images
    awk 'BEGIN{print "framewise_displacement"; for(i=0;i<60;i++) print (i==0 ? "n/a" : i%4==0 ? 0.9 : 0.1)}' > fd.tsv
    "$NEPENTHE" quality bold.nii --motion fd.tsv --atlas dseg.nii.gz --mask mask.nii.gz -o a.json
    [ "$(value a.json "d['verdict'], d['outliers'], [c['check'] for c in d['checks'] if c['verdict'] == 'warn']")" = "('warn', 14, ['fd_mean_mm', 'outlier_share', 'coverage_min'])" ]
    [ "$(value a.json "d['coverage']['region_1']")" = 0.5 ]
    "$NEPENTHE" quality bold.nii --motion fd.tsv --mask mask.nii.gz --fd-mean 0.4,0.5 --outliers 0.3,0.5 -o b.json
    [ "$(value b.json "d['verdict']")" = pass ]
    "$NEPENTHE" quality bold.nii --motion fd.tsv --mask mask.nii.gz --fd-mean 0.1,0.2 -o c.json
    [ "$(value c.json "d['verdict']")" = fail ]
}

@test "without a mask one is made, and said so" {
    make_images
    "$PYTHON" -c '
import nibabel as nib, numpy as np
im = nib.load("bold.nii"); x = im.get_fdata(dtype=np.float32); x[:3] *= 0.01
o = nib.Nifti1Image(x, im.affine); o.header.set_zooms((3, 3, 3, 2)); o.header.set_xyzt_units("mm", "sec"); nib.save(o, "half.nii")'
    "$NEPENTHE" quality half.nii -o a.json
    [ "$(value a.json "d['mask'], d['voxels'], d['fd_mean_mm']")" = "('made from the mean image', 60, None)" ]
}

@test "bad input: one sentence, the exit code, nothing written" {
    make_images
    printf 'x\n1\n' > x.tsv
    refused 65 "1 rows" "$NEPENTHE" quality bold.nii --motion x.tsv -o out.json
    awk 'BEGIN{print "x"; for(i=0;i<60;i++) print 1}' > x.tsv
    refused 65 "trans_x" "$NEPENTHE" quality bold.nii --motion x.tsv -o out.json
    refused 65 "one volume" "$NEPENTHE" quality one.nii.gz -o out.json
    refused 64 "WARN,FAIL" "$NEPENTHE" quality bold.nii --fd-mean 3 -o out.json
    refused 64 "WARN must" "$NEPENTHE" quality bold.nii --tsnr 5,20 -o out.json
}
