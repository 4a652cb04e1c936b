# SPDX-License-Identifier: Apache-2.0
"""The 399 smoothest modes of the voxels of an ellipsoid as large as a brain, 6 mm, that share faces: eigsh of SciPy (ARPACK) about a shift, which
factors the Laplacian by SuperLU. The graph is not counted.

--save DIR writes the graph and the eigenvalues."""
import argparse

from peer import report, save, timed  # before numpy
import numpy as np
import scipy
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh

K, MM = 399, 6.0


def laplacian():
    """Weights 1 / D^2, places with i fastest."""
    at = np.stack(np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in (26, 32, 28)], indexing="ij"))
    mask = ((at * MM / np.array([68, 86, 75])[:, None, None, None]) ** 2).sum(0) < 1
    number = np.full(mask.shape, -1)
    number.T[mask.T] = np.arange(mask.sum())
    rows, cols = [], []
    for axis in range(3):
        a, b = (np.moveaxis(number, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        both = (a >= 0) & (b >= 0)
        rows += [a[both], b[both]]
        cols += [b[both], a[both]]
    w = csr_matrix((np.full(sum(map(len, rows)), 1 / MM**2), (np.concatenate(rows), np.concatenate(cols))), shape=(mask.sum(),) * 2)
    return (diags(np.asarray(w.sum(1)).ravel()) - w).tocsr()


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--save", metavar="DIR", help="write the input and the answers, time nothing")
    o = cli.parse_args()
    l = laplacian()
    l.sort_indices()
    if o.save:
        value = np.sort(eigsh(l.tocsc(), K + 1, sigma=-1e-3, tol=1e-12, return_eigenvectors=False))
        save(o.save, modes_start=l.indptr.astype(float), modes_column=l.indices.astype(float), modes_weight=l.data, modes_eigenvalue=value[1:])
        return
    l = l.tocsc()
    _, wall, cpu = timed(lambda: eigsh(l, K + 1, sigma=-1e-3, tol=1e-8))
    report("SciPy eigsh", scipy.__version__, "399 modes and the constant", wall, cpu, "all", 1, numpy=np.__version__)


if __name__ == "__main__":
    main()
