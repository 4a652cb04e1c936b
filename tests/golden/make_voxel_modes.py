# SPDX-License-Identifier: Apache-2.0
"""Eigenvalues of the modes of masks of voxels, and a map's energy in their groups of 3, 5, 7, ..., by SciPy from the definition at
nep_nulls_create_voxels: a small mask of two pieces whose axes are oblique (scipy.linalg.eigh), and one of some thousand voxels (eigsh about a
shift below 0, which is no polynomial)."""
import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh

from golden import made_by, write_json


def laplacian(mask, affine):
    """Of the graph of faces, weights 1 / D^2 in mm."""
    number = np.full(mask.shape, -1)
    number.T[mask.T] = np.arange(mask.sum())  # i fastest
    rows, cols, weights = [], [], []
    for axis in range(3):
        a, b = (np.moveaxis(number, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        both = (a >= 0) & (b >= 0)
        rows += [a[both], b[both]]
        cols += [b[both], a[both]]
        weights += [np.full(2 * both.sum(), 1 / (affine[:, axis] ** 2).sum())]
    w = csr_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(cols))), shape=(mask.sum(),) * 2)
    return diags(np.asarray(w.sum(1)).ravel()) - w


def part(rng, mask, affine, few):
    l = laplacian(mask, affine[:, :3])
    n = l.shape[0]
    if few:
        value, vector = eigsh(l.tocsc(), few + 2, sigma=-1e-3, which="LM", tol=1e-12)
        order = np.argsort(value)
        value, vector = value[order], vector[:, order]
    else:
        value, vector = eigh(l.toarray() + 100 / n)  # the constant comes last: two pieces have another eigenvalue 0
        value, vector = np.roll(value, 1), np.roll(vector, 1, axis=1)
    edges = np.minimum(np.cumsum(np.r_[1, np.arange(3, 200, 2)]), (few or n - 1) + 1)
    edges = edges[:np.argmax(edges) + 1]
    inside = edges[:-1] if few else edges[1:-1]
    at = np.stack(np.meshgrid(*[np.arange(d) for d in mask.shape], indexing="ij"), -1).reshape(-1, 3, order="F")[mask.T.ravel()]
    p = at @ affine[:, :3].T
    x = np.round(3 + np.sin(p[:, 0] / 7) * np.cos(p[:, 1] / 9 + p[:, 2] / 8) + 0.3 * rng.normal(size=n), 4)
    energy = [((vector[:, a:b].T @ (x - x.mean())) ** 2).sum() for a, b in zip(edges[:-1], edges[1:])]
    assert all(value[e] - value[e - 1] > 1e-5 for e in np.r_[inside, edges[-1:] if few else []].astype(int) if e > 1), "a group's edge is no gap"
    return {"dims": mask.shape, "affine": affine, "mask": "".join("01"[int(m)] for m in mask.T.ravel()), "map": x,
            "eigenvalue": value[1:(few or n - 1) + 1], "energy": energy}


def main():
    rng = np.random.default_rng(11)
    turn = np.array([[2.0, 0.4, 0, -9], [-0.4, 2.2, 0.3, 4], [0.1, -0.5, 3, 2]])
    i, j, k = np.meshgrid(np.arange(11), np.arange(9), np.arange(8), indexing="ij")
    small = ((i - 4.6) / 5.1) ** 2 + ((j - 4.2) / 4.4) ** 2 + ((k - 3.1) / 4.2) ** 2 < 1
    small &= i != 7  # a plane between two pieces
    i, j, k = np.meshgrid(np.arange(19), np.arange(20), np.arange(17), indexing="ij")
    large = ((i - 8.3) / 9.2) ** 2 + ((j - 9.6) / 9.9) ** 2 + ((k - 7.4) / 8.3) ** 2 < 1
    large &= ~((abs(i - 9.2) < 1.6) & (j > 9) & (k > 6))  # a fissure
    large &= rng.random(large.shape) > 0.02  # and holes
    straight = np.array([[-3.0, 0, 0, 20], [0, 3, 0, -30], [0, 0, 3.5, -12]])
    write_json("voxel_modes.json", {"made_by": made_by("numpy", "scipy"), "small": part(rng, small, turn, 0), "large": part(rng, large, straight, 399)})


if __name__ == "__main__":
    main()
