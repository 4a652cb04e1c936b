/* SPDX-License-Identifier: Apache-2.0 */
/* direction - which way a disorder wants its targets moved, and which drugs are known to make it worse: prior knowledge from tables with a
 * source per row, and the gate that follows from it (direction.c).
 *
 * What it is not: it learns nothing. What treatments of a disorder do to a target is read from the labels that are visible.
 */
#ifndef NEPENTHE_DIRECTION_H
#define NEPENTHE_DIRECTION_H

#include <nepenthe/evidence.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEP_DIRECTION_PRIOR   2.0  /* treatments of no action added to those that are visible */
#define NEP_DIRECTION_FLOOR   0.25 /* of the mean action over drugs, added to the sum that the net action is divided by */
#define NEP_DIRECTION_PENALTY 2.3  /* logits that a drug loses whose actions are all opposite: the odds fall to a tenth */
#define NEP_DIRECTION_FLAG    -0.3 /* at and below it the odds fall by half and more, and the drug is flagged opposite_direction */

typedef struct {
    int64_t disorder, gene; /* node of kind G */
    int desired;            /* -1 lower, +1 raise its activity */
    int64_t line;           /* of the table */
    char *source, *note;    /* owned; note may be NULL */
} nep_direction_goal;

typedef struct {
    int64_t disorder, drug, line;
    char *source, *note;
} nep_direction_warning;

typedef struct nep_direction {
    nep_direction_goal *goals; /* one per disorder and gene at most */
    int64_t n_goals;
    nep_direction_warning *warnings; /* one per disorder and drug at most */
    int64_t n_warnings;
} nep_direction;
void nep_direction_free(nep_direction *d); /* empties it; a zeroed one is fine */

/* The warning that a drug is known to make a disorder worse, or NULL. */
const nep_direction_warning *nep_direction_warns(const nep_inputs *in, int64_t disorder, int64_t drug);
/* What to subtract from a logit: NEP_DIRECTION_PENALTY * max(0, -value). 0 where the direction is not known (NaN), so that an action nobody
 * recorded neither helps nor harms; agreement earns nothing, since other channels credit it. */
double nep_direction_penalty(double value);

#ifdef __cplusplus
}
#endif
#endif
