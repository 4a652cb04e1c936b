# SPDX-License-Identifier: Apache-2.0
"""nilearn's permuted_ols (two-sided, largest statistic) on 100 people x 228,000 voxels, two groups: seconds of 1,000 permutations, from
those of 25 less those of 5, so that its set-up does not count."""
import argparse

from peer import report, save, timed  # before numpy
import nilearn
import numpy as np
from nilearn.mass_univariate import permuted_ols

N, VOXELS, PERMUTATIONS, LESS, MORE, FEW = 100, 228_000, 1000, 5, 25, 2000


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--save", metavar="DIR", help="write 2,000 voxels, their t and corrected p of 2,000 permutations, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    group = np.repeat([0.0, 1], N // 2)
    voxels = FEW if o.save else VOXELS
    y = rng.standard_normal((N, voxels), dtype=np.float32)
    y[:, :50] += np.linspace(0, 1.2, 50, dtype=np.float32) * group[:, None].astype(np.float32)
    run = lambda n: permuted_ols(group[:, None], y.astype(float), model_intercept=True, n_perm=n, two_sided_test=True, random_state=0,
                                 output_type="dict", verbose=0)
    if o.save:
        out = run(2000)
        save(o.save, permute_y=y, permute_group=group, permute_t_p=np.stack([out["t"][0], 10.0 ** -out["logp_max_t"][0]]))
        return
    _, wall, cpu = timed(lambda: run(MORE))
    _, less_wall, less_cpu = timed(lambda: run(LESS))
    report("nilearn permuted_ols", nilearn.__version__, f"{PERMUTATIONS} permutations of {N} people x {VOXELS} voxels, two groups",
           wall - less_wall, cpu - less_cpu, f"{MORE - LESS} permutations, set-up not counted", PERMUTATIONS / (MORE - LESS))


if __name__ == "__main__":
    main()
