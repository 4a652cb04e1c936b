# SPDX-License-Identifier: Apache-2.0
"""Ranking metrics on small fixed vectors (scikit-learn), normal scores (scipy), Hill occupancy (by the formula).

average_precision and auroc follow scikit-learn on ties: one threshold for a group of equal scores; auroc counts a tie as
half. precision_at: the first k by score; given only where the k-th score is not tied with the next.
"""
import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from golden import made_by, write_json


def precision_at(label, score, k):
    order = np.argsort(-score, kind="stable")
    if k < len(score) and score[order[k - 1]] == score[order[k]]:
        return None
    return float(label[order[:k]].mean())


def metrics(label, score, probability=None):
    label, score = np.asarray(label), np.asarray(score, dtype=float)
    out = {"label": label, "score": score, "average_precision": average_precision_score(label, score),
           "auroc": roc_auc_score(label, score),
           "precision_at": {str(k): precision_at(label, score, k) for k in (1, 3, 5, 10, 20) if k <= len(label)}}
    if probability is not None:
        out |= {"probability": probability, "brier": brier_score_loss(label, probability)}
    return out


rng = np.random.default_rng(77)
label = (rng.uniform(size=40) < 0.25).astype(int)
score = (rng.normal(size=40) + label).round(4)
cases = {
    "plain": metrics(label, score, (1 / (1 + np.exp(-score + 1))).round(6)),
    "ties": metrics(label, np.round(score)),
    "all_tied": metrics([1, 0, 0, 1, 0], [2, 2, 2, 2, 2]),
    "perfect": metrics([1, 1, 0, 0, 0, 0], [6, 5, 4, 3, 2, 1]),
    "worst": metrics([0, 0, 0, 0, 1, 1], [6, 5, 4, 3, 2, 1]),
    "tie_at_top": metrics([0, 1, 0, 1, 0, 0], [3, 3, 2, 2, 1, 0]),
}

values = np.array([0.3, -1.2, 0.3, 2.5, 0.0, 0.3, -1.2, 7.0, 1.1])
rank = rankdata(values)
n = len(values)
scores = {"values": values, "midrank": rank, "hazen": ndtri((rank - 0.5) / n), "blom": ndtri((rank - 0.375) / (n + 0.25))}


def relative_occupancy(pki, q):
    """At the concentration where the strongest target is occupied to q."""
    return 1 / (1 + (1 - q) / q * 10 ** (np.max(pki) - pki))


pki = np.array([9.1, 8.0, 7.35, 6.2, 5.0])
ki = 10.0 ** -pki
hill = {
    "p_affinity": pki, "concentration_molar": 5e-9, "occupancy": 5e-9 / (5e-9 + ki),
    "ligand_ratio": 5.0, "occupancy_competition": 5e-9 / (5e-9 + ki * 6.0),
    "emax": 0.9, "occupancy_emax": 0.9 * 5e-9 / (5e-9 + ki),
    "relative": {str(q): relative_occupancy(pki, q) for q in (0.5, 0.75, 0.9)}}
write_json("ranking.json", {"made_by": made_by("sklearn", "scipy", "numpy"), "cases": cases, "normal_scores": scores,
                            "hill": hill})
