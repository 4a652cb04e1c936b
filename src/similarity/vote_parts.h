/* SPDX-License-Identifier: Apache-2.0 */
/* vote_parts.h - the two measures that the check and its permutations share. */
#ifndef NEP_SIMILARITY_VOTE_PARTS_H
#define NEP_SIMILARITY_VOTE_PARTS_H

#include <nepenthe/cases.h>

typedef struct {
    int64_t n;
    int32_t n_classes;
    const bool *counts; /* [n_classes] takes part in the means */
} nep_vote_shape;

typedef struct {
    double score;
    int64_t i;
} nep_vote_item;

/* How much each subject counts, weight [n], and what is added to each class's right and wrong, prior [n_classes, 2]. */
typedef struct {
    double *weight, *prior;
} nep_vote_draw;

/* Balanced accuracy of shares [n, n_classes]; draw NULL = each subject once and nothing added. */
double nep_vote_balanced(const nep_vote_shape *s, const double *share, const int32_t *truth, const nep_vote_draw *draw);
/* sorted [n_classes, n]: subjects by their share of each class. */
void nep_vote_sort(const nep_vote_shape *s, const double *share, nep_vote_item *sorted);
/* Mean area over the classes, one against the rest; a class without a rest, or that nobody has, counts one half. */
double nep_vote_area(const nep_vote_shape *s, const nep_vote_item *sorted, const int32_t *truth, const nep_vote_draw *draw);

#endif
