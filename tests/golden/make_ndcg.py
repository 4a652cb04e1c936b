# SPDX-License-Identifier: Apache-2.0
"""NDCG of graded relevance (scikit-learn: ties take the mean over their orders, gains 2^grade - 1)."""
import numpy as np
from sklearn.metrics import ndcg_score

from golden import made_by, write_json


def case(grade, score, k):
    gain = 2.0 ** np.asarray(grade) - 1
    return {"grade": grade, "score": score, "k": k, "ndcg": ndcg_score([gain], [score], k=k)}


rng = np.random.default_rng(5)
grade = rng.choice([0, 1, 2, 3], p=[0.7, 0.1, 0.1, 0.1], size=60)
score = (rng.normal(size=60) + grade).round(4)
cases = {
    "plain": case(grade, score, 20),
    "all_places": case(grade, score, 60),
    "ties": case(grade, np.round(score), 20),
    "tie_across_the_cut": case(grade, np.where(np.argsort(np.argsort(-score)) < 15, 9.0, np.where(np.argsort(np.argsort(-score)) < 31, 5.0, 1.0)), 20),
    "all_tied": case(grade, np.zeros(60), 20),
    "best": case([3, 3, 2, 1, 0, 0], [6, 5, 4, 3, 2, 1], 20),
    "worst": case([0, 0, 1, 2, 3, 3], [6, 5, 4, 3, 2, 1], 4),
    "one": case([0, 0, 0, 2, 0], [5, 4, 3, 2, 1], 5),
}
write_json("ndcg.json", {"made_by": made_by("sklearn", "numpy"), "cases": cases})
