# SPDX-License-Identifier: Apache-2.0
"""The 100 nearest of 200,000 vectors of 768 float32 by inner product with FAISS IndexFlatIP on its own default threads, one query at a
time and 1,024 together (not with --singles). --save writes 2,000 vectors, 20 queries and the nearest by float64 products in numpy, the smaller row first."""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np

DIMS, ROWS, TOP, SINGLES, MANY = 768, 200_000, 100, 16, 1024


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--save", metavar="DIR", help="write vectors and the answers, time nothing")
    cli.add_argument("--singles", action="store_true", help="one query at a time alone")
    o = cli.parse_args()
    rng = np.random.default_rng(0)
    if o.save:
        x, q = (rng.standard_normal((n, DIMS), np.float32) for n in (2000, 20))
        scores = q.astype(float) @ x.astype(float).T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        save(o.save, dense_x=x, dense_q=q, dense_want=np.stack([order, np.take_along_axis(scores, order, 1)], -1).astype(float))
        return
    import faiss
    x, q = (rng.standard_normal((n, DIMS), np.float32) for n in (ROWS, MANY))
    index = faiss.IndexFlatIP(DIMS)
    index.add(x)

    def singles():
        for i in range(SINGLES):
            index.search(q[i:i + 1], TOP)

    _, wall, cpu = timed(singles, 3)
    many = {}
    if not o.singles:
        _, wall_many, cpu_many = timed(lambda: index.search(q, TOP), 2)
        many = {"q1024_seconds_wall": round(wall_many, 4), "q1024_seconds_cpu": round(cpu_many, 4)}
    report("FAISS IndexFlatIP", faiss.__version__, "100 nearest to one", wall / SINGLES, cpu / SINGLES, "all", 1,
           threads=faiss.omp_get_max_threads(), **many)


if __name__ == "__main__":
    main()
