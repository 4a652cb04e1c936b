/* SPDX-License-Identifier: Apache-2.0 */
/* smoother.h - what drugs like a drug are recorded for, as weights that do not depend on any label (smoother.c, kernels.c). */
#ifndef NEP_EVIDENCE_SMOOTHER_H
#define NEP_EVIDENCE_SMOOTHER_H

#include "channels.h"

enum { NEP_KERNEL_TARGETS, NEP_KERNEL_ACTIONS, NEP_KERNEL_SIDE_EFFECTS, NEP_KERNEL_CLASSES, NEP_KERNEL_COUNT };

struct nep_smoother {
    int64_t n;
    double *itself, *similar;  /* [n, n] row k: weight of every drug's label in drug k's score, 0 for those the mask hides */
    double *doubt;             /* [n] sd of drug k's score over that of a single label: sqrt(1 / (lambda B_kk) - 1) */
    bool *known;               /* [n] the drug has a row in some kernel */
};

/* Adds the similarity of kernel `which` times `weight` to k [n_drugs, n_drugs] and marks the drugs that have a row in it. False when the
 * network lacks its metaedge. Cosines of rows over shared items:
 *   targets       genes bound, and half of each gene's interaction partners as one (CbG, GiG)
 *   actions       genes raised and genes lowered, by the edges' signs; items weighted by idf = ln((rows + 1) / drugs that have it)
 *   side effects  idf (CcSE)
 *   classes       pharmacologic classes, idf (PCiC)
 * Errors: NEP_E_NOMEM. Cost: sum over items of drugs^2. */
NEP_MUST_USE nep_status evidence_kernels_add(nep_ctx *ctx, const nep_inputs *in, int which, double weight, double *k, bool *known, bool *there);

/* Makes in->smoother from the network; nothing without any of the metaedges. */
NEP_MUST_USE nep_status evidence_smoother_make(nep_ctx *ctx, nep_inputs *in);
void evidence_smoother_free(struct nep_smoother *s);
/* Rows of weights under a mask (NULL = the drug alone). */
const double *evidence_smoother_rows(const nep_inputs *in, const nep_mask *mask);
/* out [n] = rows times y [n], drugs that no kernel knows NaN. */
NEP_MUST_USE nep_status evidence_smoother_apply(nep_ctx *ctx, const nep_inputs *in, const nep_mask *mask, const double *y, double *out);

#endif
