# SPDX-License-Identifier: Apache-2.0
"""Timing and the one JSON line that every peer script prints. Import it before numpy.

Peers run with their own default threads, and without the OpenBLAS tuning variables a Nepenthe build may have set.
seconds_* are of the slice that was run; `scale` times them is the whole work, an extrapolation unless scale is 1.
"""
import json
import os
import resource
import time

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)


def timed(run, repeats=1):
    """The best of `repeats` by CPU time: (result, wall seconds, CPU seconds)."""
    best = None
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = run()
        took = (time.process_time() - cpu, time.perf_counter() - wall)
        if best is None or took < best[0]:
            best = (took, result)
    (cpu, wall), result = best
    return result, wall, cpu


def report(peer, version, work, wall, cpu, slice_, scale, **more):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peer": peer, "version": version, "work": work, "seconds_wall": round(wall, 4),
                      "seconds_cpu": round(cpu, 4), "peak_rss_mb": round(peak, 1), "slice": slice_, "scale": scale, **more}))


def save(folder, **arrays):
    """Writes each array as folder/NAME.f32 or .f64, row-major, for a benchmark program to check itself against."""
    os.makedirs(folder, exist_ok=True)
    for name, x in arrays.items():
        x.tofile(os.path.join(folder, f"{name}.f{8 * x.itemsize}"))
