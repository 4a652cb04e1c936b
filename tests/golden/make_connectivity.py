# SPDX-License-Identifier: Apache-2.0
"""Region by region matrices: Pearson, Fisher z, covariance, precision, partial by numpy; Ledoit-Wolf and tangent by
nilearn's ConnectivityMeasure. The covariance divides by n, as nilearn's does."""
import numpy as np
import pandas as pd
from nilearn.connectome import ConnectivityMeasure
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf

from golden import made_by, write_input, write_json, write_square

NAMES = [f"R{k}" for k in range(8)]


def subject(seed):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(150, 3))
    x = shared @ rng.normal(size=(3, 8)) + rng.normal(size=(150, 8)) * np.linspace(0.5, 2, 8)
    for t in range(1, len(x)):
        x[t] += 0.4 * x[t - 1]
    return write_input(f"connectivity_series_{seed}.tsv", NAMES, x + np.arange(8) * 50)


def partial_of(precision):
    d = np.sqrt(np.diag(precision))
    out = -precision / np.outer(d, d)
    np.fill_diagonal(out, 1)
    return out


subjects = [subject(s) for s in (1, 2, 3)]
x = subjects[0]
pearson = np.corrcoef(x.T)
assert np.allclose(pearson, pd.DataFrame(x).corr().to_numpy(), atol=1e-12)
z = np.arctanh(np.where(np.eye(8) > 0, 0, pearson))
z[np.diag_indices(8)] = np.nan  # atanh 1 is infinite; compare off the diagonal
covariance = np.cov(x.T, bias=True)
precision = np.linalg.inv(covariance)
for kind, matrix in {"pearson": pearson, "fisher_z": z, "covariance": covariance, "precision": precision,
                     "partial": partial_of(precision)}.items():
    write_square(f"connectivity_{kind}.tsv", NAMES, matrix)
for kind, theirs in {"pearson": "correlation", "partial": "partial correlation", "covariance": "covariance",
                     "precision": "precision"}.items():
    lw = ConnectivityMeasure(kind=theirs, standardize="zscore_sample" if kind == "pearson" else None).fit_transform([x])[0]
    write_square(f"connectivity_{kind}_ledoit_wolf.tsv", NAMES, lw)
# nilearn 0.14.1 standardises before shrinking a correlation only for standardize=True: the word "zscore_sample" does nothing
# there, and the file above is of the columns as they are. This one is of z-scored columns.
shrunk, _ = ledoit_wolf((x - x.mean(0)) / x.std(0, ddof=1))
sd = np.sqrt(np.diag(shrunk))
write_square("connectivity_pearson_ledoit_wolf_zscored.tsv", NAMES, shrunk / np.outer(sd, sd))
tangent = ConnectivityMeasure(EmpiricalCovariance(), kind="tangent", standardize=None)
for s, matrix in enumerate(tangent.fit_transform(subjects), 1):
    write_square(f"connectivity_tangent_{s}.tsv", NAMES, matrix)
write_square("connectivity_tangent_mean.tsv", NAMES, tangent.mean_)

write_json("connectivity.json", {
    "made_by": made_by("numpy", "pandas", "nilearn", "sklearn"), "series": "connectivity_series_1.tsv",
    "covariance_divisor": "n", "fisher_z_diagonal": "n/a here, infinite in truth",
    "tangent": "subjects 1, 2, 3 with the empirical covariance (divisor n)"})
