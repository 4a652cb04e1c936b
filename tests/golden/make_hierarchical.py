# SPDX-License-Identifier: Apache-2.0
"""The hierarchical logistic regression on 900 made-up pairs, worked densely: the mode by scipy's L-BFGS-B and Newton steps on the
whole Hessian, Laplace covariance by its inverse, sigma (the mode of its log) by EM, evidence by importance sampling beside Laplace, the posterior by a
long Hamiltonian Monte Carlo; scikit-learn's logistic regression for the case without groups. Writes hierarchical.tsv (the pairs) and
hierarchical.json.
"""
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_ndtr
from sklearn.linear_model import LogisticRegression

import golden

J, C, Q, PER = 6, 4, 1, 150
rng = np.random.default_rng(20)


def make_data():
    n = J * PER
    group = np.repeat(np.arange(J), PER)
    x = rng.normal(size=(n, C))
    x[:, 1] = np.arcsinh(np.abs(x[:, 1]) * 3) - 0.5
    missing = rng.random((n, C)) < np.array([0.0, 0.3, 0.5, 0.1])
    x[missing] = np.nan
    z = rng.normal(size=(n, Q)) + 0.3 * missing[:, 1:2]
    prior = rng.uniform(0.05, 0.3, J).round(3)
    beta, sigma = np.array([0.9, 0.6, 0.35, -0.5]), np.array([0.4, 0.15, 0.1, 0.1])
    delta, gamma = np.array([0.0, -0.5, 0.3, 0.0]), np.array([0.4])
    alpha = np.log(prior / (1 - prior)) + rng.normal(0, 0.5, J)
    b = rng.normal(size=(J, C)) * sigma
    eta = alpha[group] + np.sum(np.where(missing, 0, (beta + b[group]) * np.nan_to_num(x)), 1) + missing @ delta + z @ gamma
    y = (rng.random(n) < expit(eta)).astype(int)
    y[::37] = 2  # left out
    w = rng.choice([0.25, 1.0, 1.0, 2.0, 0.0], n)
    order = rng.permutation(n)
    return group[order], y[order], w[order], x.round(4)[order], z.round(4)[order], prior


class Dense:
    """theta = beta, delta, gamma, then alpha_j, b_j of each group."""

    def __init__(self, group, y, w, x, z, prior, sigma, oriented=True):
        keep = ((y == 0) | (y == 1)) & (w > 0)
        group, y, w, x, z = group[keep], y[keep], w[keep], x[keep], z[keep]
        m, x0 = ~np.isnan(x), np.nan_to_num(x)
        self.y, self.w, self.G = y, w, 2 * C + Q
        F = np.zeros((len(y), self.G + J * (1 + C)))
        F[:, :C], F[:, C:2 * C], F[:, 2 * C:self.G] = x0, ~m, z
        for j in range(J):
            at = self.G + j * (1 + C)
            F[group == j, at] = 1
            F[np.ix_(group == j, range(at + 1, at + 1 + C))] = x0[group == j]
        self.F = F
        self.mean = np.zeros(F.shape[1])
        self.mean[self.G::1 + C] = np.log(prior / (1 - prior))
        self.precision = np.ones(F.shape[1])
        for j in range(J):
            at = self.G + j * (1 + C)
            self.precision[at] = 1 / 0.25
            self.precision[at + 1:at + 1 + C] = 1 / np.asarray(sigma) ** 2
        self.bounded = np.arange(F.shape[1]) < (C if oriented else 0)

    def value(self, t):
        e = self.F @ t
        return np.sum(self.w * (self.y * e - np.logaddexp(0, e))) - 0.5 * np.sum(self.precision * (t - self.mean) ** 2)

    def gradient(self, t):
        return self.F.T @ (self.w * (self.y - expit(self.F @ t))) - self.precision * (t - self.mean)

    def hessian(self, t):
        p = expit(self.F @ t)
        return self.F.T @ (self.F * (self.w * p * (1 - p))[:, None]) + np.diag(self.precision)

    def fit(self):
        start = self.mean.copy()
        bounds = [(0, None) if b else (None, None) for b in self.bounded]
        t = minimize(lambda v: -self.value(v), start, jac=lambda v: -self.gradient(v), bounds=bounds, method="L-BFGS-B",
                     options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 40}).x
        free = ~(self.bounded & (t <= 1e-12) & (self.gradient(t) <= 0))
        t[~free] = 0
        for _ in range(20):
            t[free] += np.linalg.solve(self.hessian(t)[np.ix_(free, free)], self.gradient(t)[free])
        assert np.abs(self.gradient(t)[free]).max() < 1e-9 and t[self.bounded].min() >= 0
        cov = np.zeros((len(t), len(t)))
        cov[np.ix_(free, free)] = np.linalg.inv(self.hessian(t)[np.ix_(free, free)])
        return t, cov, free

    def evidence(self, t, cov, free):
        h = self.hessian(t)
        log_z = self.value(t) + 0.5 * np.sum(np.log(self.precision[free])) - 0.5 * np.linalg.slogdet(h[np.ix_(free, free)])[1]
        for c in np.flatnonzero(self.bounded):
            if free[c]:
                log_z += np.log(2) + log_ndtr(t[c] / np.sqrt(cov[c, c]))
            else:
                k = h[c, c] - h[c, free] @ np.linalg.solve(h[np.ix_(free, free)], h[free, c])
                s = self.gradient(t)[c] / np.sqrt(k)
                log_z += 0.5 * np.log(self.precision[c] / k) + 0.5 * s * s + log_ndtr(s) + np.log(2)
        return log_z

    def evidence_by_sampling(self, t, cov, free, draws=40000, df=30):
        """Importance sampling from a t distribution about the mode; what is held at 0 from its own slope."""
        r = np.random.default_rng(5)
        d = free.sum()
        chol = np.linalg.cholesky(cov[np.ix_(free, free)])
        g = self.gradient(t)
        from scipy.special import gammaln
        logs = []
        for _ in range(draws):
            u = r.normal(size=d)
            s = np.sqrt(r.chisquare(df) / df)
            v = t.copy()
            v[free] += chol @ (u / s)
            q = (gammaln((df + d) / 2) - gammaln(df / 2) - d / 2 * np.log(df * np.pi) - np.sum(np.log(np.diag(chol)))
                 - (df + d) / 2 * np.log1p(np.sum((u / s) ** 2) / df))
            for c in np.flatnonzero(~free):
                v[c] = r.exponential(1 / -g[c])
                q += np.log(-g[c]) + g[c] * v[c]
            if v[self.bounded].min() < 0:
                logs.append(-np.inf)
                continue
            prior = 0.5 * np.sum(np.log(self.precision / (2 * np.pi))) + self.bounded.sum() * np.log(2)
            logs.append(self.value(v) + prior - q)
        logs = np.array(logs)
        top = logs.max()
        ratio = np.exp(logs - top)
        return top + np.log(ratio.mean()), ratio.std() / ratio.mean() / np.sqrt(draws)

    def sample(self, t, cov, free, draws=60000, steps=12, eps=0.16):
        """Hamiltonian Monte Carlo in the coordinates where the Laplace covariance is the identity; a path that leaves a bound is
        refused, which keeps detailed balance."""
        r = np.random.default_rng(6)
        whole = cov.copy()
        for c in np.flatnonzero(~free):
            whole[c, c] = 1 / self.gradient(t)[c] ** 2
        chol = np.linalg.cholesky(whole)
        at = t.copy()
        at[~free] = 1e-3
        kept, accepted = [], 0
        for _ in range(draws):
            v, p = at.copy(), r.normal(size=len(t))
            start = self.value(at) - 0.5 * p @ p
            p = p + 0.5 * eps * chol.T @ self.gradient(v)
            inside = True
            for s in range(steps):
                v = v + eps * chol @ p
                inside = inside and v[self.bounded].min(initial=0) >= 0
                if not inside:
                    break
                p = p + (1 if s < steps - 1 else 0.5) * eps * chol.T @ self.gradient(v)
            if inside and np.log(r.random()) < self.value(v) - 0.5 * p @ p - start:
                at, accepted = v, accepted + 1
            kept.append(at)
        kept = np.array(kept[2000:])
        batches = kept[:len(kept) // 50 * 50].reshape(50, -1, len(t)).mean(1)
        return kept.mean(0), kept.std(0), batches.std(0, ddof=1) / np.sqrt(50), np.quantile(kept, [0.05, 0.95], 0), accepted / draws


def em(data, scale=0.3):
    sigma = np.full(C, scale)
    group, y, w, x = data[:4]
    keep = ((y == 0) | (y == 1)) & (w > 0)
    for step in range(20000):
        d = Dense(*data, sigma)
        t, cov, _ = d.fit() if step == 0 else newton_from(d, t)
        new = np.empty(C)
        for c in range(C):
            at = [d.G + j * (1 + C) + 1 + c for j in range(J) if np.any(~np.isnan(x[keep & (group == j), c]))]
            s = np.sum(t[at] ** 2 + np.diag(cov)[at])
            free = len(at) - 1  # of log sigma: the prior's density times sigma
            new[c] = np.sqrt(scale ** 2 * (-free + np.sqrt(free ** 2 + 4 * s / scale ** 2)) / 2)
        moved, sigma = np.abs(new - sigma).max(), new
        if moved < 1e-7:
            print("EM steps", step)
            return sigma
    raise SystemExit("EM did not end")


def newton_from(d, t):
    free = ~(d.bounded & (t <= 0))
    for _ in range(8):
        t = t.copy()
        t[free] += np.linalg.solve(d.hessian(t)[np.ix_(free, free)], d.gradient(t)[free])
    assert t[d.bounded].min() >= 0 and np.all(d.gradient(t)[~free] <= 0) and np.abs(d.gradient(t)[free]).max() < 1e-8
    cov = np.zeros((len(t), len(t)))
    cov[np.ix_(free, free)] = np.linalg.inv(d.hessian(t)[np.ix_(free, free)])
    return t, cov, free


def main():
    data = make_data()
    group, y, w, x, z, prior = data
    golden.write_tsv("hierarchical.tsv", ["group", "y", "w", *[f"x{c}" for c in range(C)], "z0"],
                     [[int(group[i]), int(y[i]), w[i], *x[i], *z[i]] for i in range(len(y))])
    sigma = em(data)
    d = Dense(*data, sigma)
    t, cov, free = d.fit()
    G = d.G
    # a pair of group 2 and of a new group with prior 0.1
    xs, zs = np.array([0.7, np.nan, 1.2, -0.4]), np.array([0.5])
    v = np.zeros(len(t))
    v[:C], v[C:2 * C], v[2 * C:G] = np.nan_to_num(xs), np.isnan(xs), zs
    known = v.copy()
    known[G + 2 * (1 + C)], known[G + 2 * (1 + C) + 1:G + 3 * (1 + C)] = 1, np.nan_to_num(xs)
    new_sd = np.sqrt(v @ cov @ v + 0.25 + np.sum(np.nan_to_num(xs) ** 2 * sigma ** 2))
    new_mean = np.log(0.1 / 0.9) + v @ t
    grid = np.linspace(-12, 12, 200001)
    weight = np.exp(-0.5 * grid ** 2)
    p = lambda m, s: float(np.sum(expit(m + s * grid) * weight) / weight.sum())
    mean, sd, se, quantiles, rate = d.sample(t, cov, free)
    z_sampled, z_se = d.evidence_by_sampling(t, cov, free)

    full = ~np.isnan(x).any(1) & ((y == 0) | (y == 1)) & (w > 0)
    ridge = LogisticRegression(C=1.0, tol=1e-12, max_iter=10000, solver="newton-cholesky").fit(np.hstack([x[full], z[full]]), y[full],
                                                                                          sample_weight=w[full])
    golden.write_json("hierarchical.json", {
        "made_by": golden.made_by("numpy", "scipy", "sklearn"), "channels": C, "nuisances": Q, "groups": J, "prior": prior,
        "sigma": sigma, "global": t[:G], "local": t[G:].reshape(J, 1 + C), "at_zero": ~free[:C], "slope": d.gradient(t)[:C],
        "covariance": cov[:G, :G], "covariance_group_2": cov[G + 2 * (1 + C):G + 3 * (1 + C), G + 2 * (1 + C):G + 3 * (1 + C)],
        "log_posterior": d.value(t), "log_evidence": d.evidence(t, cov, free), "log_evidence_sampled": z_sampled, "log_evidence_sampled_se": z_se,
        "pair": {"x": [None if np.isnan(a) else a for a in xs], "z": zs, "group": 2, "logit": known @ t, "sd": np.sqrt(known @ cov @ known),
                 "p": p(known @ t, np.sqrt(known @ cov @ known)), "new_prior": 0.1, "new_logit": new_mean, "new_sd": new_sd,
                 "new_p": p(new_mean, new_sd)},
        "sampled": {"mean": mean[:G], "sd": sd[:G], "se": se[:G], "q05": quantiles[0, :G], "q95": quantiles[1, :G], "local_mean": mean[G:].reshape(J, 1 + C),
                    "local_sd": sd[G:].reshape(J, 1 + C), "accepted": rate},
        "ridge": {"coef": ridge.coef_[0], "intercept": ridge.intercept_[0]}})
    print("sigma", sigma, "free", free[:C], "slope", d.gradient(t)[:C], "accepted", rate)
    print("global", t[:G].round(3), "\nmean  ", mean[:G].round(3), "\nsd", np.sqrt(np.diag(cov)[:G]).round(3), "\nsd mc", sd[:G].round(3), "\nse", se[:G].round(4))
    print("evidence", d.evidence(t, cov, free), z_sampled, z_se)


main()
