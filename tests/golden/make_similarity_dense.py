# SPDX-License-Identifier: Apache-2.0
"""similarity_dense_rows.tsv: 250 rows and 6 queries of 20 float32; similarity_dense.tsv: the 15 best of each by FAISS flat indexes (inner product,
cosine as inner product of rows made unit vectors, l2 as the root of FAISS' squared distance), for queries without ties closer than 1e-4."""
import faiss
import numpy as np

from golden import write_tsv

ROWS, QUERIES, DIMS, TOP = 250, 6, 20, 15


def unit(x):
    return (x / np.linalg.norm(x.astype(float), axis=1, keepdims=True)).astype(np.float32)


def main():
    rng = np.random.default_rng(3)
    x = (rng.standard_normal((ROWS, DIMS)) * rng.uniform(0.5, 2, (ROWS, 1))).astype(np.float32)
    q = rng.standard_normal((QUERIES, DIMS)).astype(np.float32)
    out = []
    for metric, kind, a, b in (("inner", faiss.IndexFlatIP, x, q), ("cosine", faiss.IndexFlatIP, unit(x), unit(q)), ("l2", faiss.IndexFlatL2, x, q)):
        index = kind(DIMS)
        index.add(a)
        score, row = index.search(b, TOP + 1)
        assert (np.abs(np.diff(score, axis=1)) > 1e-4).all()
        score = np.sqrt(score) if metric == "l2" else score
        out += [(metric, i, k, row[i, k], float(score[i, k])) for i in range(QUERIES) for k in range(TOP)]
    write_tsv("similarity_dense_rows.tsv", [f"x{j}" for j in range(DIMS)], np.concatenate([x, q]).astype(float))
    write_tsv("similarity_dense.tsv", ["metric", "query", "rank", "row", "score"], out)


if __name__ == "__main__":
    main()
