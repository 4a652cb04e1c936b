# SPDX-License-Identifier: Apache-2.0
"""Nearest cases by scikit-learn: each subject against the others, StandardScaler and LinearRegression fitted on the others.

cases_x.tsv, cases_people.tsv  40 subjects, 12 features, three diagnoses, age, sex and two sites
cases_near.tsv                 for each way of leaving out, metric and adjustment: the 5 nearest of every subject with distances
cases.json                     shares, balanced accuracy (equal shares in expectation), macro area, and permutation nulls of these
"""
import numpy as np
import sklearn
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_distances, nan_euclidean_distances
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.preprocessing import StandardScaler

from golden import made_by, write_input, write_json, write_tsv

N, P, K, PERMUTATIONS = 40, 12, 5, 20000
rng = np.random.default_rng(90210)
diagnosis = np.array(["control"] * 16 + ["schizophrenia"] * 14 + ["depression"] * 10)
age = rng.uniform(19, 65, N).round(1)
sex = rng.integers(0, 2, N)
site = rng.integers(0, 2, N)
shift = {"control": 0.0, "schizophrenia": 0.9, "depression": -0.6}
x = rng.normal(size=(N, P)) * rng.uniform(0.5, 20, P) + rng.uniform(-50, 50, P)
scale = x.std(axis=0)
x += scale * (np.array([shift[d] for d in diagnosis])[:, None] * (np.arange(P) < 6) + 0.03 * (age - 40)[:, None] + 0.5 * site[:, None])
x = write_input("cases_x.tsv", [f"R{f}" for f in range(P)], x)
write_tsv("cases_people.tsv", ["participant_id", "diagnosis", "age", "sex", "site"],
          [[f"sub-{i:02d}", diagnosis[i], float(age[i]), int(sex[i]), "north" if site[i] else "south"] for i in range(N)], 9)
confounds = np.column_stack([age, sex, site]).astype(float)
classes = sorted(set(diagnosis))
truth = np.array([classes.index(d) for d in diagnosis])


def prepared(train, test, adjusted, columns=slice(None)):
    a, b = x[train], x[test]
    if adjusted:
        fit = LinearRegression().fit(confounds[train][:, columns], a)
        a, b = a - fit.predict(confounds[train][:, columns]), b - fit.predict(confounds[test][:, columns])
    s = StandardScaler().fit(a)
    return s.transform(a), s.transform(b)


def folds(kind):
    if kind == "one":
        return [np.array([i]) for i in range(N)]
    return [np.flatnonzero(site == g) for g in range(2)]


def neighbours(kind, metric, adjusted):
    """[N, K] rows and distances, and the shares of the classes by KNeighborsClassifier."""
    rows, distances, shares = np.zeros((N, K), int), np.zeros((N, K)), np.zeros((N, len(classes)))
    for test in folds(kind):
        train = np.setdiff1d(np.arange(N), test)
        a, b = prepared(train, test, adjusted, slice(0, 2) if kind == "site" else slice(None))
        found = NearestNeighbors(n_neighbors=K, metric=metric, algorithm="brute").fit(a)
        d, r = found.kneighbors(b)
        rows[test], distances[test] = train[r], d
        model = KNeighborsClassifier(K, metric=metric, algorithm="brute").fit(a, truth[train])
        shares[np.ix_(test, model.classes_)] = model.predict_proba(b)
    return rows, distances, shares


def measures(shares, labels):
    right = np.array([(shares[i, labels[i]] == shares[i].max()) / (shares[i] == shares[i].max()).sum() for i in range(N)])
    balanced = np.mean([right[labels == c].mean() for c in range(len(classes))])
    return balanced, roc_auc_score(labels, shares, multi_class="ovr", average="macro")


def shares_of(rows, labels):
    return np.stack([(labels[rows] == c).mean(axis=1) for c in range(len(classes))], axis=1)


out, near = {}, []
for kind in ("one", "site"):
    for metric in ("euclidean", "cosine"):
        for adjusted in (False, True):
            rows, distances, shares = neighbours(kind, metric, adjusted)
            assert np.allclose(shares, shares_of(rows, truth))
            name = f"{kind} {metric} {'adjusted' if adjusted else 'plain'}"
            balanced, auroc = measures(shares, truth)
            out[name] = {"shares": shares, "balanced": balanced, "auroc": auroc}
            for i in range(N):
                near += [[name, i, r + 1, int(rows[i, r]), distances[i, r]] for r in range(K)]

# the null of the first: labels permuted over all, and within sites
rows = neighbours("one", "euclidean", False)[0]
for name, blocks in (("null", np.zeros(N, int)), ("null_sites", site)):
    values = np.zeros((PERMUTATIONS, 2))
    for t in range(PERMUTATIONS):
        labels = truth.copy()
        for b in set(blocks):
            labels[blocks == b] = rng.permutation(truth[blocks == b])
        s = shares_of(rows, labels)
        best = s == s.max(axis=1, keepdims=True)
        right = best[np.arange(N), labels] / best.sum(axis=1)
        values[t] = np.mean([right[labels == c].mean() for c in range(len(classes))]), 0
        if t < 2000:
            values[t, 1] = roc_auc_score(labels, s, multi_class="ovr", average="macro")
    observed = out["one euclidean plain"]["balanced"]
    out[name] = {"n": PERMUTATIONS, "p": (1 + (values[:, 0] >= observed * (1 - 1e-10)).sum()) / (1 + PERMUTATIONS),
                 "mean": values[:, 0].mean(), "sd": values[:, 0].std(), "quantile_95": np.quantile(values[:, 0], 0.95),
                 "auroc_mean": values[:2000, 1].mean(), "auroc_sd": values[:2000, 1].std()}

# queries from outside, with features missing
z = StandardScaler().fit(x)
query = x[:3] + rng.normal(size=(3, P)) * scale
query = np.asarray(query, np.float32).astype(float)
query[1, [2, 7]] = np.nan
out["query"] = {"x": query, "euclidean": nan_euclidean_distances(z.transform(query), z.transform(x)),
                "cosine": cosine_distances(z.transform(query)[[0, 2]], z.transform(x))}
# the interval of balanced accuracy when all answers are right or wrong: the mean of a Beta posterior per class
def beta_interval(right, wrong, draws=1_000_000):
    mean = np.mean([rng.beta(r + 0.5, w + 0.5, draws) for r, w in zip(right, wrong)], axis=0)
    return {"right": right, "wrong": wrong, "low": np.quantile(mean, 0.05), "high": np.quantile(mean, 0.95)}


out["intervals"] = [beta_interval([10, 10], [0, 0]), beta_interval([6, 15], [4, 0])]
out["made_by"] = made_by("numpy", "sklearn")
out["classes"] = classes
write_json("cases.json", out)
write_tsv("cases_near.tsv", ["way", "query", "rank", "row", "distance"], near, 12)
