# SPDX-License-Identifier: Apache-2.0
"""A confounds table as fMRIPrep writes it (made-up numbers), and series cleaned of it by nilearn's load_confounds and clean."""
import os
import shutil
import tempfile

import nibabel as nib
import numpy as np
import pandas as pd
from nilearn.interfaces.fmriprep import load_confounds
from nilearn.signal import clean

from golden import HERE, cell, made_by, write_input, write_json, write_tsv

rng = np.random.default_rng(20071220)
n, tr = 150, 2.0
base = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "csf", "white_matter", "global_signal"]
size = [0.1, 0.1, 0.2, 0.002, 0.002, 0.002, 10, 8, 6]
table = {}
for name, s in zip(base, size):
    x = np.round((np.cumsum(rng.normal(size=n)) * 0.3 + rng.normal(size=n)) * s + (500 if s > 1 else 0), 6)
    table[name] = x
    table[f"{name}_derivative1"] = np.r_[np.nan, np.diff(x)]
    table[f"{name}_power2"] = x**2
    table[f"{name}_derivative1_power2"] = table[f"{name}_derivative1"]**2
table["framewise_displacement"] = np.r_[np.nan, np.round(rng.gamma(2, 0.1, n - 1), 6)]
table["std_dvars"] = np.r_[np.nan, np.round(rng.normal(1.1, 0.15, n - 1), 6)]
for k in range(4):
    table[f"cosine{k:02d}"] = np.round(np.sqrt(2 / n) * np.cos(np.pi / n * (np.arange(n) + 0.5) * (k + 1)), 9)
# Components of the combined mask come first, then those of CSF and of WM under the same letter; the JSON tells them apart. Of two
# more, one was not retained, and the last CSF component stands before the others in the table.
masks, meta = ["combined"] * 6 + ["CSF"] * 7 + ["WM"] * 6, {}
order = [12] + [k for k in range(19) if k != 12]
components = {k: np.round(np.cumsum(rng.normal(size=n)) * 0.02 + rng.normal(size=n) * 0.08, 9) for k in range(19)}
for k in order:
    table[f"a_comp_cor_{k:02d}"] = components[k]
for k in range(19):
    meta[f"a_comp_cor_{k:02d}"] = {"Mask": masks[k], "Method": "aCompCor", "Retained": k != 8,
                                   "VarianceExplained": 0.1 / (k + 1), "CumulativeVarianceExplained": 0.5, "SingularValue": 10.0 - k / 10}
for k in range(4):
    table[f"t_comp_cor_{k:02d}"] = np.round(rng.normal(size=n) * 0.08, 9)
    meta[f"t_comp_cor_{k:02d}"] = {"Method": "tCompCor", "Retained": True}
table = pd.DataFrame(table)
series = 100 + rng.normal(size=(n, 4)) * 5 + 0.05 * table[["csf", "white_matter"]].to_numpy() @ rng.normal(size=(2, 4))
series = write_input("confounds_series.tsv", [f"s{k}" for k in range(4)], series)

write_tsv("confounds_fmriprep.tsv", list(table.columns), table.to_numpy(), 9)
write_json("confounds_fmriprep.json", meta)
table = table.map(lambda v: float(cell(v, 9)) if np.isfinite(v) else np.nan)

with tempfile.TemporaryDirectory() as folder:
    stem = os.path.join(folder, "sub-01_task-rest")
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2, n), np.float32), np.eye(4)), f"{stem}_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz")
    shutil.copy(os.path.join(HERE, "confounds_fmriprep.tsv"), f"{stem}_desc-confounds_timeseries.tsv")
    shutil.copy(os.path.join(HERE, "confounds_fmriprep.json"), f"{stem}_desc-confounds_timeseries.json")
    image = f"{stem}_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
    asked = {
        "simple": dict(strategy=("motion", "high_pass", "wm_csf"), motion="full", wm_csf="basic"),
        "scrubbing": dict(strategy=("motion", "high_pass", "wm_csf", "scrub"), motion="full", wm_csf="full", scrub=5,
                          fd_threshold=0.4, std_dvars_threshold=1.4),
        "compcor": dict(strategy=("motion", "high_pass", "compcor"), motion="full", compcor="anat_combined", n_compcor="all"),
        "36p": dict(strategy=("motion", "wm_csf", "global_signal"), motion="full", wm_csf="full", global_signal="full"),
    }
    columns, kept = {}, {}
    for name, options in asked.items():
        c, mask = load_confounds(image, demean=False, **options)
        columns[name], kept[name] = c.shape[1], n if mask is None else len(mask)
        want = clean(series.copy(), confounds=c.to_numpy(), sample_mask=mask, filter=False, t_r=tr)
        write_tsv(f"confounds_{name}.tsv", [f"c{k}" for k in range(4)], want)

# Five of CSF and of WM: retained ones in the order of their numbers. (nilearn's own choice ignores Retained.)
five = [f"a_comp_cor_{k:02d}" for k in [6, 7, 9, 10, 11] + [13, 14, 15, 16, 17]]
want = clean(series.copy(), confounds=table[five].to_numpy(), filter=False, t_r=tr)
write_tsv("confounds_acompcor5.tsv", [f"c{k}" for k in range(4)], want)
write_json("confounds.json", {"made_by": made_by("nilearn", "pandas", "numpy"), "tr_s": tr, "columns": columns, "kept": kept})
print(columns, kept)
