# SPDX-License-Identifier: Apache-2.0
"""nilearn's signal.clean on 300 x 100,000 with 36 confounds and a Butterworth band-pass, run on a slice of columns.

Its filter is a loop over columns, so time is linear in them; --columns 100000 runs it whole."""
import argparse

from peer import report, save, timed  # before numpy
import nilearn
import numpy as np
from nilearn.signal import clean


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--frames", type=int, default=300)
    cli.add_argument("--whole", type=int, default=100_000)
    cli.add_argument("--columns", type=int, default=10_000)
    cli.add_argument("--confounds", type=int, default=36)
    cli.add_argument("--filter", choices=["butterworth", "cosine"], default="butterworth")
    cli.add_argument("--save", metavar="DIR", help="write the first 1000 columns, confounds and the answer in float64, time nothing")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((o.frames, o.columns), dtype=np.float32) + 1000
    confounds = np.cumsum(rng.standard_normal((o.frames, o.confounds)), axis=0) + 20 * rng.standard_normal((o.frames, o.confounds))
    low = 0.08 if o.filter == "butterworth" else None
    confounds = confounds.astype(np.float32).astype(float)  # what a float32 reader sees
    run = lambda signals: clean(signals, confounds=confounds, filter=o.filter, low_pass=low, high_pass=0.01, t_r=2.0)
    if o.save:
        few = np.ascontiguousarray(x[:, :1000])
        save(o.save, clean_x=few, clean_confounds=confounds.astype(np.float32), clean_want=np.ascontiguousarray(run(few.astype(np.float64))))
        return
    _, wall, cpu = timed(lambda: run(x))
    report("nilearn signal.clean", nilearn.__version__,
           f"clean {o.frames} x {o.whole}, {o.confounds} confounds, {o.filter}", wall, cpu,
           f"{o.columns} columns", o.whole / o.columns)


if __name__ == "__main__":
    main()
