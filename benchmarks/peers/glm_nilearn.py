# SPDX-License-Identifier: Apache-2.0
"""nilearn's run_glm with AR(1) errors, then a t contrast with effect, variance, t and z: 300 frames, 11 columns (4 conditions, 6
cosines, a constant), 100,000 voxels, whole. Voxels are float32 as its masker gives them."""
import argparse
import warnings

from peer import report, save, timed  # before numpy
import nilearn
import numpy as np
import pandas as pd
from nilearn.glm import compute_contrast
from nilearn.glm.first_level import make_first_level_design_matrix, run_glm

FRAMES, TR = 300, 2.0


def design():
    onset = np.arange(6.0, FRAMES * TR - 30, 12.0)
    events = pd.DataFrame({"onset": onset, "duration": 6.0, "trial_type": [f"c{(7 * i + i // 4) % 4}" for i in range(len(onset))]})
    return make_first_level_design_matrix(np.arange(FRAMES) * TR, events, "spm", "cosine", 0.005).values


def series(x, n):
    """Errors of first order, -0.1 to 0.6, about 1000, with effects of every size."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((FRAMES, n), dtype=np.float32)
    rho = rng.uniform(-0.1, 0.6, n).astype(np.float32)
    for t in range(1, FRAMES):
        y[t] += rho * y[t - 1]
    y = 1000 + 10 * y + x[:, :4].astype(np.float32) @ rng.uniform(0, 8, (4, n)).astype(np.float32)
    return y.astype(np.float32)


def answer(y, x):
    weight = np.zeros(x.shape[1])
    weight[0], weight[1] = 1, -1
    labels, results = run_glm(y, x, "ar1")
    c = compute_contrast(labels, results, weight, "t")
    return np.stack([c.effect, np.sqrt(c.variance), c.stat(), c.z_score()])


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--columns", type=int, default=100_000)
    cli.add_argument("--save", metavar="DIR", help="write design, 1000 voxels and the answer in float64, time nothing")
    o = cli.parse_args()
    warnings.simplefilter("ignore")
    x = design()
    assert x.shape == (FRAMES, 11), x.shape
    if o.save:
        few = series(x, 1000)
        save(o.save, glm_design=np.ascontiguousarray(x), glm_y=few, glm_want=answer(few.astype(np.float64), x))
        return
    y = series(x, o.columns)
    _, wall, cpu = timed(lambda: answer(y, x), repeats=2)
    report("nilearn run_glm", nilearn.__version__, f"AR(1) GLM, {FRAMES} x {o.columns}, {x.shape[1]} columns, t contrast", wall, cpu, "all", 1)


if __name__ == "__main__":
    main()
