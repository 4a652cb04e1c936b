# SPDX-License-Identifier: Apache-2.0
"""nilearn's ConnectivityMeasure, Pearson (empirical covariance), 400 regions x 1,200 frames x 100 runs, on a slice of runs."""
import argparse

from peer import report, save, timed  # before numpy
import nilearn
import numpy as np
from nilearn.connectome import ConnectivityMeasure
from sklearn.covariance import EmpiricalCovariance


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--regions", type=int, default=400)
    cli.add_argument("--frames", type=int, default=1200)
    cli.add_argument("--whole", type=int, default=100)
    cli.add_argument("--runs", type=int, default=10)
    cli.add_argument("--repeats", type=int, default=2)
    cli.add_argument("--save", metavar="DIR", help="write one run and its matrix, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    runs = [rng.standard_normal((o.frames, o.regions), dtype=np.float32) for _ in range(o.runs)]
    measure = lambda x: ConnectivityMeasure(EmpiricalCovariance(), kind="correlation", standardize="zscore_sample").fit_transform(x)
    if o.save:
        want = measure([runs[0].astype(np.float64)])[0]
        save(o.save, connectivity_x=runs[0], connectivity_want=np.ascontiguousarray(want))
        return
    r, wall, cpu = timed(lambda: measure(runs), o.repeats)
    assert np.allclose(r[0], np.corrcoef(runs[0].T.astype(float)), atol=1e-5)
    report("nilearn ConnectivityMeasure", nilearn.__version__,
           f"Pearson connectivity, {o.regions} regions x {o.frames} x {o.whole} runs", wall, cpu, f"{o.runs} runs",
           o.whole / o.runs)


if __name__ == "__main__":
    main()
