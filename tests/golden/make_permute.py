# SPDX-License-Identifier: Apache-2.0
"""Permutation inference by brute force: every distinct shuffle, each followed by a least-squares fit of the whole model
(Freedman & Lane: y* = P e + fitted nuisance), p by counting. Clusters by scipy.ndimage.label, TFCE by labels at every level.
nilearn 0.14.1 gives t, cluster measures and, from 10,000 draws of its own, family-wise p to be met within their error.
Tails: moments, Anderson-Darling and p of a generalised Pareto distribution in numpy. FDR: scipy.stats.false_discovery_control.
"""
import itertools
import math
import os

import numpy as np
from nilearn.mass_univariate import permuted_ols
from nilearn.mass_univariate._utils import calculate_cluster_measures
from scipy import ndimage, stats

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(2014)
lines = []


def put(name, x):
    x = np.atleast_2d(np.asarray(x, dtype=float))
    lines.append(f"{name}\t{x.shape[0]}\t{x.shape[1]}\t" + "\t".join("n/a" if math.isnan(v) else repr(float(v)) for v in x.ravel()) + "\n")


def fit(y, x, c):
    """t (one row) or F of contrast c, and effect and SE of one row."""
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    df = len(y) - np.linalg.matrix_rank(x)
    s2 = ((y - x @ beta) ** 2).sum(0) / df
    inner = c @ np.linalg.inv(x.T @ x) @ c.T
    effect = c @ beta
    if len(c) > 1:
        return np.einsum("iv,ij,jv->v", effect, np.linalg.inv(inner), effect) / len(c) / s2, None, None
    se = np.sqrt(inner[0, 0] * s2)
    return effect[0] / se, effect[0], se


def nuisance_of(x, c):
    """x times an orthonormal basis of the contrast's null space."""
    _, _, vt = np.linalg.svd(c)
    return x @ vt[len(c):].T


def shuffles(n, x, blocks=None, whole=False, rows=True, signs=False):
    """Distinct (order, signs) by the rows of the design."""
    blocks = np.zeros(n, int) if blocks is None else np.asarray(blocks)
    if whole:
        members = [np.flatnonzero(blocks == b) for b in np.unique(blocks)]
        orders = []
        for p in itertools.permutations(range(len(members))):
            o = np.empty(n, int)
            for to, source in zip(members, p):
                o[to] = members[source]
            orders.append(o)
    else:
        parts = [[dict(zip(np.flatnonzero(blocks == b), p)) for p in itertools.permutations(np.flatnonzero(blocks == b))]
                 for b in np.unique(blocks)]
        orders = []
        for combination in itertools.product(*parts):
            o = np.empty(n, int)
            for part in combination:
                for to, source in part.items():
                    o[to] = source
            orders.append(o)
    if not rows:
        orders = [np.arange(n)]
    seen, distinct = set(), []
    for o in orders:
        key = x[o].tobytes()
        if key not in seen:
            seen.add(key)
            distinct.append(o)
    units = [np.flatnonzero(blocks == b) for b in np.unique(blocks)] if whole else [[i] for i in range(n)]
    flips = [np.ones(n)]
    if signs:
        flips = []
        for f in itertools.product([1, -1], repeat=len(units)):
            s = np.empty(n)
            for u, v in zip(units, f):
                s[u] = v
            flips.append(s)
    return [(o, s) for o in distinct for s in flips]


def nulls(y, x, c, scheme):
    """Statistic of every shuffle by refitting: the design's rows are moved, which moves the residuals the other way."""
    z = nuisance_of(x, c)
    fitted = z @ np.linalg.lstsq(z, y, rcond=None)[0] if z.shape[1] else np.zeros_like(y)
    e = y - fitted
    out = []
    for order, sign in scheme:
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        out.append(fit((sign[:, None] * e)[back] + fitted, x, c)[0])
    return np.array(out)


def reach(null, own):
    return (null >= own - 1e-10 * np.abs(own)).mean(0)


def case(name, y, x, c, positive=False, **how):
    y = np.asarray(y, np.float32).astype(float)
    c = np.atleast_2d(np.asarray(c, float))
    scheme = shuffles(len(y), x, **how)
    t, effect, se = fit(y, x, c)
    null = nulls(y, x, c, scheme)
    size, own = (null, t) if positive or len(c) > 1 else (np.abs(null), np.abs(t))
    put(f"{name}_y", y)
    put(f"{name}_x", x)
    put(f"{name}_c", c)
    if how.get("blocks") is not None:
        put(f"{name}_block", how["blocks"])
    put(f"{name}_count", len(scheme))
    put(f"{name}_t_effect_se", np.vstack([t] if effect is None else [t, effect, se]))
    put(f"{name}_p_fwe", np.vstack([reach(size, own), reach(size.max(1, keepdims=True), own)]))
    return y, t, null


def normal(n, cols, group=None, strength=1.0):
    y = rng.normal(size=(n, cols))
    if group is not None:
        y[:, ::2] += strength * np.asarray(group, float)[:, None]
    return y


one = np.ones((8, 1))
case("mean", normal(8, 6) + np.linspace(-1, 1, 6), one, [[1]], rows=False, signs=True)
case("mean_positive", normal(7, 5) + np.linspace(-1, 1, 5), one[:7], [[1]], positive=True, rows=False, signs=True)
age = rng.uniform(-10, 10, 8).round(1)
case("mean_age", normal(8, 5) + 0.05 * age[:, None] + 0.5, np.column_stack([one, age]), [[1, 0]], rows=False, signs=True)
group = np.array([1, 0, 1, 1, 0, 0, 1, 0.0])
case("groups", normal(8, 6, group), np.column_stack([group, 1 - group]), [[1, -1]])
age = rng.uniform(20, 60, 7).round(1)
group = np.array([1, 0, 1, 1, 0, 0, 1.0])
case("covariate", normal(7, 4, group, 2) + 0.05 * age[:, None], np.column_stack([np.ones(7), group, age]), [[0, 1, 0]])
case("slope", normal(6, 4), np.column_stack([np.ones(6), age[:6], group[:6]]), [[0, 1, 0]])
pairs = np.repeat(np.arange(5), 2)
condition = np.array([1, 0, 0, 1, 1, 0, 0, 1, 1, 0.0])
case("paired", normal(10, 5, condition, 1.5) + np.repeat(rng.normal(size=(5, 1)), 2, 0),
     np.column_stack([condition, pairs[:, None] == np.arange(5)]), [[1, 0, 0, 0, 0, 0]], blocks=pairs)
triples = np.array([3, 3, 7, 7, 7, 3, 9, 9, 9])
dose = np.array([0, 1, 2, 0, 1, 2, 1, 0, 2.0])
case("within", normal(9, 4, dose), np.column_stack([np.ones(9), dose]), [[0, 1]], blocks=triples)
twins = np.array([0, 1, 0, 1, 2, 2, 3, 4, 3, 4, 5, 5])
carrier = np.isin(twins, [0, 2, 4]).astype(float)
order = np.tile([0.0, 1], 6)[np.argsort(np.argsort(twins, kind="stable"), kind="stable")]
case("whole", normal(12, 4, carrier, 1.5), np.column_stack([np.ones(12), carrier, order]), [[0, 1, 0]], blocks=twins, whole=True)
case("whole_signs", normal(12, 4) + 0.6, np.ones((12, 1)), [[1]], blocks=twins, whole=True, rows=False, signs=True)
three = np.array([0, 1, 2, 0, 1, 2, 0])
case("f", normal(7, 5, three), (three[:, None] == np.arange(3)).astype(float), [[1, -1, 0], [0, 1, -1]])
case("both", normal(5, 4), np.column_stack([np.ones(5), age[:5]]), [[0, 1]], signs=True)

# ---- a grid ------------------------------------------------------------------------------------------------------------
shape = (3, 4, 5)  # z, y, x
y = ndimage.gaussian_filter(rng.normal(size=(7, *shape)), (0, 0.8, 0.8, 0.8)) * 3
y[:, :2, :3, 2:] += 0.8
y[:, 2, 2:, :2] -= 1.2
inside = np.ones(shape, bool)
inside[0, 0, 0] = inside[1, 3, 2:4] = False
y, t, null = case("grid", y[:, inside], np.ones((7, 1)), [[1]], rows=False, signs=True)
put("grid_inside", inside.ravel())
forming = 2.0
faces = ndimage.generate_binary_structure(3, 1)


def volume(values):
    out = np.zeros(shape)
    out[inside] = values
    return out


def clusters(values):
    """(size, mass, peak's |t|) of each component of |t| > forming, each sign apart."""
    v, out = volume(values), []
    for sign in (1, -1):
        label, n = ndimage.label(sign * v > forming, faces)
        for k in range(1, n + 1):
            over = sign * v[label == k]
            out.append(((label == k).sum(), (over - forming).sum(), over.max()))
    return sorted(out, reverse=True)


def tfce(values):
    total = np.zeros(shape)
    for sign in (1, -1):
        v, low = sign * volume(values), 0.0
        for level in np.unique(v[v > 0]):
            label, _ = ndimage.label(v >= level, faces)
            extent = np.bincount(label.ravel()).astype(float)
            extent[0] = 0
            total += sign * np.sqrt(extent[label]) * (level ** 3 - low ** 3) / 3
            low = level
    return total[inside]


most = np.array([[max([c[k] for c in clusters(m)], default=0) for k in (0, 1)] for m in null])
own = clusters(t)
put("grid_clusters", [[*c, reach(most[:, 0], c[0]), reach(most[:, 1], c[1])] for c in own])
score, scores = tfce(t), np.array([tfce(m) for m in null])
put("grid_tfce", np.vstack([score, reach(np.abs(scores), np.abs(score)), reach(np.abs(scores).max(1, keepdims=True), np.abs(score))]))
sizes, masses = calculate_cluster_measures(volume(t)[..., None], forming, faces, two_sided_test=True)
assert sizes[0] == own[0][0] and np.isclose(masses[0], max(c[1] for c in own)), "nilearn's definitions"

# ---- nilearn -----------------------------------------------------------------------------------------------------------
group, age = np.repeat([0.0, 1], [9, 11]), rng.uniform(20, 60, 20).round(1)
y = normal(20, 12, group, 1.2).astype(np.float32).astype(float)
draws = 10000
out = permuted_ols(group[:, None], y, confounding_vars=np.column_stack([age]), model_intercept=True, n_perm=draws, two_sided_test=True,
                   random_state=1, output_type="dict", verbose=0)
put("nilearn_y", y)
put("nilearn_x", np.column_stack([group, age, np.ones(20)]))
put("nilearn_t_p", np.vstack([out["t"][0], 10 ** -out["logp_max_t"][0]]))

# ---- tails -------------------------------------------------------------------------------------------------------------
TABLE = {-0.5: 1.321, -0.4: 1.221, -0.3: 1.140, -0.2: 1.074, -0.1: 1.020, 0.0: 0.974, 0.1: 0.935, 0.2: 0.903, 0.5: 0.830, 0.9: 0.771}


def pareto(null, value):
    g = np.sort(null)
    n = len(g)
    for q in np.arange(751, 982, 10) / 1000:
        cut = g[math.ceil(q * n - 1e-9) - 1]
        upper, lower = g[g >= cut], g[g < cut]
        if len(lower) == 0 or len(upper) < 4:
            continue
        u = (upper[0] + lower[-1]) / 2
        x = upper - u
        m, v = x.mean(), x.var(ddof=1)
        scale, shape_ = m * (m * m / v + 1) / 2, (m * m / v - 1) / 2
        law = stats.genpareto(-shape_, scale=scale)
        f = law.cdf(x)
        if f.max() >= 1:
            continue
        i = np.arange(1, len(x) + 1)
        a2 = -len(x) - np.mean((2 * i - 1) * (np.log(f) + np.log1p(-f[::-1])))
        if a2 <= np.interp(shape_, list(TABLE), list(TABLE.values())):
            p = len(x) / n * law.sf(value - u) if value > u else np.nan
            return p if p > 0 else np.nan
    return np.nan


samples = {"tail_t": np.abs(rng.standard_t(18, 500)), "tail_max": rng.normal(size=(600, 200)).max(1), "tail_ties": rng.integers(0, 4, 500).astype(float),
           "tail_short": rng.uniform(size=400)}
for name, null in samples.items():
    values = np.quantile(null, [0.5, 0.9, 0.99, 1.0]).tolist() + [null.max() * 1.05, null.max() * 3]
    put(name, null)
    put(f"{name}_p", [values, [pareto(null, v) for v in values]])

# ---- FDR and quantiles -------------------------------------------------------------------------------------------------
p = np.r_[rng.uniform(size=20), rng.uniform(size=10) ** 4, 0.03, 0.03, 1.0]
put("fdr", np.vstack([p, stats.false_discovery_control(p), stats.false_discovery_control(p, method="by")]))
put("quantile", [[a, r, df, stats.f.isf(a, r, df) if r else stats.t.isf(a / 2, df)]
                 for a in (0.001, 0.05, 1e-6) for r in (0, 1, 3) for df in (1, 4, 30.0, 500)])
with open(os.path.join(HERE, "permute.tsv"), "w", encoding="utf-8") as f:
    f.writelines(lines)
