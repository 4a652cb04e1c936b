/* SPDX-License-Identifier: Apache-2.0 */
/* kinship.h - how alike disorders are, in the measure in which that tells that one drug treats both (kinship.c). */
#ifndef NEP_EVIDENCE_KINSHIP_H
#define NEP_EVIDENCE_KINSHIP_H

#include "channels.h"

enum { NEP_KINSHIP_GENES, NEP_KINSHIP_SYMPTOMS, NEP_KINSHIP_LITERATURE, NEP_KINSHIP_COMPANY, NEP_KINSHIP_RESEMBLANCE, NEP_KINSHIP_ANATOMY, NEP_KINSHIP_COUNT };

struct nep_kinship {
    int64_t d;
    double *similarity[NEP_KINSHIP_COUNT]; /* [d, d] zero diagonal; NULL where the network lacks the edges */
};

/* Makes in->kinship; nothing without a metaedge of disorders. */
NEP_MUST_USE nep_status evidence_kinship_make(nep_ctx *ctx, nep_inputs *in);
void evidence_kinship_free(struct nep_kinship *k);

/* Weights of all disorders' labels for the scored one, out [n_disorders]: S^power n^-1/4 with S the similarity that best gives, by
 * non-negative least squares over pairs of the other visible disorders, the cosine of what they are treated with; 0 for the scored one and
 * for those without a visible treatment. count [n_disorders] gets the visible treatments n.
 * Errors: NEP_E_NOMEM. Cost: n_disorders^2 (n_drugs / 64). */
NEP_MUST_USE nep_status evidence_kinship_weights(nep_ctx *ctx, const nep_inputs *in, const nep_visible *visible, double power, double *out,
                                                 double *count);

#endif
