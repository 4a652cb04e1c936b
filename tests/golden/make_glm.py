#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""glm.json, glm_*.tsv: responses, designs, fits, contrasts and fixed effects of nilearn's linear model, on made series and on
two runs of Haxby et al. (2001).

run_glm and compute_contrast are given float32 series as float64. Haxby runs go through FirstLevelModel (percent of the mean).
Needs nilearn. Writes beside itself.
"""
import os
import warnings

import nibabel as nib
import numpy as np
import pandas as pd
from scipy import stats
from nilearn.glm.contrasts import (_compute_fixed_effects_params, compute_contrast, compute_fixed_effect_contrast,
                                   compute_fixed_effects, expression_to_contrast_vector)
from nilearn.glm.first_level import FirstLevelModel, hemodynamic_models, make_first_level_design_matrix, run_glm

from golden import HERE, IMAGING, made_by, write_input, write_json, write_tsv

warnings.simplefilter("ignore")
N = 120


def glover_dispersion(tr):
    """What 0.01 more width takes from the response of glover_hrf; nilearn's own has u_dispersion 1 in both."""
    step = tr / 50
    t = np.linspace(0, 32, round(32 / step))

    def response(width):
        h = stats.gamma.pdf(t, 6 / width, loc=step, scale=width) - 0.48 * stats.gamma.pdf(t, 12 / 0.9, loc=step, scale=0.9)
        return h / h.sum()

    assert np.allclose(response(0.9), hemodynamic_models.glover_hrf(tr), rtol=1e-12, atol=1e-18)
    return (response(0.9) - response(0.91)) / 0.01


def responses():
    rows = []
    for tr, every in ((2.5, 5), (0.8, 21)):
        kernels = {}
        for hrf in ("spm", "glover"):
            for k, kind in enumerate(("hrf", "time_derivative", "dispersion_derivative")):
                kernels[hrf, k] = getattr(hemodynamic_models, f"{hrf}_{kind}")(tr)
        n = len(kernels["spm", 0])
        right = glover_dispersion(tr)
        for i in [*range(0, n, every), n - 1]:
            rows.append([tr, n, i, *[kernels[h, k][i] for h in ("spm", "glover") for k in range(3)], right[i]])
    write_tsv("glm_hrf.tsv", ["tr", "n", "i", *[f"{h}_{k}" for h in ("spm", "glover") for k in range(3)], "glover_2_right"], rows, 13)


def made_events():
    """Three conditions in no order, instants, an event twice, one cut by the end, one that began before the run."""
    rng = np.random.default_rng(5)
    onset = np.sort(np.round(rng.uniform(0, 240, 24), 2))
    onset[3] = 24.0  # on a point of the fine grid
    types = rng.permutation(["house"] * 9 + ["face"] * 8 + ["cat 2-back"] * 7)
    e = pd.DataFrame({"onset": onset, "duration": rng.choice([0, 1.5, 4.0, 11.3], 24), "trial_type": types,
                      "modulation": np.round(rng.uniform(0.5, 2, 24), 2)})
    more = pd.DataFrame({"onset": [-10.0, 236.0, onset[5]], "duration": [12.0, 20.0, e["duration"][5]], "trial_type": ["face", "house", types[5]],
                         "modulation": [1.0, 1.0, 0.25]})
    e = pd.concat([e, more], ignore_index=True)
    write_tsv("glm_events.tsv", ["onset", "duration", "trial_type", "modulation"], e.values.tolist(), 12)
    return e


DESIGNS = {  # name: tr, slice_time_ref, hrf, drift, high_pass, order, with confounds
    "full": (2.0, 0.5, "spm + derivative + dispersion", "cosine", 0.01, 1, True),
    "polynomial": (2.0, 0.0, "glover + derivative", "polynomial", 0.01, 3, False),
    "glover": (1.37, 0.0, "glover + derivative + dispersion", "cosine", 0.02, 1, False),
    "plain": (2.0, 0.0, "glover", None, 0.01, 1, False),
}


def designs(events, confounds):
    out = {}
    for name, (tr, ref, hrf, drift, high, order, with_confounds) in DESIGNS.items():
        times = np.linspace(ref * tr, (N - 1 + ref) * tr, N)
        d = make_first_level_design_matrix(times, events, hrf, drift, high, order, add_regs=confounds if with_confounds else None,
                                           add_reg_names=["csf", "rot_x"] if with_confounds else None)
        out[name] = d
        write_tsv(f"glm_design_{name}.tsv", list(d.columns), d.values.tolist(), 13)
    return out


def outside():
    """An event that ended 33 s before the run: nilearn moves it to 24 s before, from where it reaches the first frames."""
    rows = {}
    for name, onset in (("moved", [-40.0, 20.0]), ("right", [20.0])):
        e = pd.DataFrame({"onset": onset, "duration": [1.0] * len(onset), "trial_type": ["face"] * len(onset)})
        rows[name] = make_first_level_design_matrix(np.arange(30) * 2.0, e, "spm", None)["face"].values
    write_tsv("glm_outside_nilearn.tsv", list(rows), np.stack(list(rows.values()), 1).tolist(), 13)


CONTRASTS = {"difference": "face - house", "weighted": "0.5*(face + house) - constant/4", "constant": "constant"}
F_TESTS = {"any": ["face", "house", "`cat 2-back`"], "pair": ["face-house", "face+house"]}


def vector(text, columns):
    return expression_to_contrast_vector(text, columns) if "`" not in text else np.array([c == text.strip("`") for c in columns], float)


def contrast_rows(label, labels, results, columns, n_cols, rho, rows):
    for name, text in CONTRASTS.items():
        c = compute_contrast(labels, results, vector(text, columns), "t")
        stat, z = c.stat(), c.z_score()
        rows += [[label, name, v, c.effect[v], np.sqrt(c.variance[v]), stat[v], z[v], rho[v], c.dof] for v in range(n_cols)]
    for name, texts in F_TESTS.items():
        c = compute_contrast(labels, results, np.array([vector(t, columns) for t in texts]), "F")
        stat, z = c.stat(), c.z_score()
        rows += [[label, name, v, np.nan, np.nan, stat[v], z[v], rho[v], c.dof] for v in range(n_cols)]


HEAD = ["model", "contrast", "column", "effect", "se", "stat", "z", "rho", "df"]


def rho_of(labels, noise, n):
    return np.array([float(x) for x in labels]) if noise == "ar1" else np.zeros(n)


def fits(design):
    """Levels, drifts, autocorrelations from -0.3 to 0.8, effects from none to overwhelming."""
    rng = np.random.default_rng(6)
    v = 12
    x = design.values
    e = rng.standard_normal((N, v))
    for k, rho in enumerate(np.linspace(-0.3, 0.8, v)):
        for t in range(1, N):
            e[t, k] += rho * e[t - 1, k]
    face, house = (design[c].values for c in ("face", "house"))
    y = 800 + 90 * np.arange(v) + 3 * e + np.outer(face, np.linspace(0, 20, v)) - 4 * house[:, None] + np.outer(np.linspace(-6, 6, N), np.ones(v))
    y[:, 3] -= y[:, 3].mean() + 0.5  # a mean below 1
    y = write_input("glm_series.tsv", [f"r{k}" for k in range(v)], y)
    rows = []
    percent = 100 * (y / np.maximum(y.mean(0), 1) - 1)
    for scale, data in (("none", y), ("percent", percent)):
        for noise in ("ols", "ar1"):
            labels, results = run_glm(data, x, noise)
            contrast_rows(f"{noise}_{scale}", labels, results, list(design.columns), v, rho_of(labels, noise, v), rows)
    write_tsv("glm_fits.tsv", HEAD, rows, 11)


def two_runs(design):
    """The second run has another length; nilearn's mean of runs, and precision weights."""
    rng = np.random.default_rng(7)
    v, m = 6, 90
    series, labels, results, cons, rows = [], [], [], [], []
    columns = list(design.columns)
    for r, n in enumerate((N, m)):
        y = write_input(f"glm_run_{r + 1}.tsv", [f"r{k}" for k in range(v)],
                        500 + (1 + 2 * r) * 4 * rng.standard_normal((n, v)) + 5 * design["face"].values[:n, None])
        lab, res = run_glm(y, design.values[:n], "ar1")
        labels.append(lab)
        results.append(res)
    texts = {"difference": ["face - house"], "any": F_TESTS["any"]}
    for name, exprs in texts.items():
        w = np.array([vector(t, columns) for t in exprs])
        kind = "t" if len(exprs) == 1 else "F"
        c = compute_fixed_effect_contrast(labels, results, [w[0] if kind == "t" else w] * 2, kind)
        stat, z = c.stat(), c.z_score()
        t = kind == "t"
        rows += [["mean", name, k, c.effect[k] if t else np.nan, np.sqrt(c.variance[k]) if t else np.nan, stat[k], z[k], np.nan, c.dof] for k in range(v)]
    one = [compute_contrast(lab, res, vector("face - house", columns), "t") for lab, res in zip(labels, results)]
    effect, variance, stat, z = _compute_fixed_effects_params(np.array([c.effect for c in one]), np.array([c.variance for c in one]), True,
                                                              [c.dof for c in one])
    rows += [["precision", "difference", k, effect[k], np.sqrt(variance[k]), stat[k], z[k], np.nan, sum(c.dof for c in one)] for k in range(v)]
    # F by precision: generalised least squares on the stacked estimates, written out
    w = np.array([vector(t, columns) for t in F_TESTS["any"]])
    for k in range(v):
        total, moment = 0, 0
        for lab, res in zip(labels, results):
            fit = res[lab[k]]
            at = np.flatnonzero(lab == lab[k]).tolist().index(k)
            inverse = np.linalg.inv(w @ fit.cov @ w.T * fit.dispersion[at])
            total, moment = total + inverse, moment + inverse @ (w @ fit.theta[:, at])
        pooled = np.linalg.solve(total, moment)
        rows.append(["precision", "any", k, np.nan, np.nan, pooled @ total @ pooled / len(w), np.nan, np.nan, sum(c.dof for c in one)])
    write_tsv("glm_runs.tsv", HEAD, rows, 11)


def second_level():
    rng = np.random.default_rng(8)
    n, v = 15, 7
    patient = (np.arange(n) < 7).astype(float)
    age = np.round(rng.uniform(20, 60, n), 1)
    x = np.stack([patient, 1 - patient, age], 1)
    y = write_input("glm_maps.tsv", [f"r{k}" for k in range(v)],
                    0.4 * rng.standard_normal((n, v)) + np.outer(patient, np.linspace(0, 1, v)) + 0.01 * age[:, None])
    write_tsv("glm_people.tsv", ["patient", "control", "age"], x.tolist(), 12)
    labels, results = run_glm(y, x, "ols")
    rows = []
    for name, w in {"illness": [1, -1, 0], "age": [0, 0, 1], "either": [[1, 0, 0], [0, 1, 0]]}.items():
        w = np.array(w, float)
        c = compute_contrast(labels, results, w, "t" if w.ndim == 1 else "F")
        stat, z = c.stat(), c.z_score()
        t = w.ndim == 1
        rows += [["ols", name, k, c.effect[k] if t else np.nan, np.sqrt(c.variance[k]) if t else np.nan, stat[k], z[k], 0, c.dof] for k in range(v)]
    write_tsv("glm_second.tsv", HEAD, rows, 11)


def haxby():
    folder = os.path.join(IMAGING, "haxby2001")
    mask = nib.load(os.path.join(folder, "masks_25mm", "brain.nii.gz"))
    inside = mask.get_fdata() != 0
    where = np.flatnonzero(inside.ravel(order="F"))
    files = [nib.load(os.path.join(folder, f"run00{r}", "bold_25mm.nii.gz")) for r in (1, 2)]
    runs = [nib.Nifti1Image(f.get_fdata(), f.affine, dtype=np.float64) for f in files]  # else nilearn works in float32
    events = [pd.read_csv(os.path.join(folder, f"run00{r}", "bold_events.tsv"), sep="\t") for r in (1, 2)]
    rows = []

    def add(label, name, maps, f=False):
        get = lambda m: m.get_fdata().ravel(order="F")[where]
        e, s, t, z = get(maps["effect_size"]) if not f else None, get(maps["effect_variance"]), get(maps["stat"]), get(maps["z_score"])
        rows.extend([label, name, int(where[k]), np.nan if f else e[k], np.nan if f else np.sqrt(s[k]), t[k], z[k]] for k in range(len(where)))

    for noise in ("ols", "ar1"):
        m = FirstLevelModel(t_r=2.5, hrf_model="spm", noise_model=noise, mask_img=mask, high_pass=0.01).fit(runs[0], events[0])
        add(noise, "difference", m.compute_contrast("face - house", output_type="all"))
    m = FirstLevelModel(t_r=2.5, hrf_model="spm", noise_model="ar1", mask_img=mask, high_pass=0.01).fit(runs, events)
    add("two_runs", "difference", m.compute_contrast("face - house", output_type="all"))
    singles = [FirstLevelModel(t_r=2.5, hrf_model="spm", noise_model="ar1", mask_img=mask, high_pass=0.01).fit(r, e) for r, e in zip(runs, events)]
    maps = [s.compute_contrast("face - house", output_type="all") for s in singles]
    dof = [121 - s.design_matrices_[0].shape[1] for s in singles]
    effect, variance, stat, z = compute_fixed_effects([q["effect_size"] for q in maps], [q["effect_variance"] for q in maps], mask, True, dof)
    add("precision", "difference", {"effect_size": effect, "effect_variance": variance, "stat": stat, "z_score": z})
    write_tsv("glm_haxby.tsv", ["model", "contrast", "voxel", "effect", "se", "stat", "z"], rows, 8)


def main():
    rng = np.random.default_rng(4)
    responses()
    events = made_events()
    confounds = write_input("glm_confounds.tsv", ["csf", "rot_x"], np.cumsum(rng.standard_normal((N, 2)), 0))
    built = designs(events, confounds)
    outside()
    fits(built["full"])
    two_runs(built["plain"])
    second_level()
    haxby()
    write_json("glm.json", {"made_by": made_by("nilearn", "numpy", "scipy", "pandas"),
                            "designs": {k: dict(zip(("tr", "slice_time_ref", "hrf", "drift", "high_pass", "drift_order", "confounds"), v))
                                        for k, v in DESIGNS.items()},
                            "fits": "design full, series glm_series.tsv; runs: design plain, its first 90 rows for run 2",
                            "haxby": "run001, run002 bold_25mm in masks_25mm/brain, spm, cosine 0.01 Hz, percent; voxel = place in storage"})


if __name__ == "__main__":
    main()
