/* SPDX-License-Identifier: Apache-2.0 */
/* anatomy - which regions of the maps lie in which anatomies of the network, so that a map can weigh where a disorder is seated. */
#ifndef NEPENTHE_ANATOMY_H
#define NEPENTHE_ANATOMY_H

#include <nepenthe/evidence.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nep_anatomy {
    int64_t n;       /* pairs; each at most once */
    int64_t *node;   /* [n] of kind A */
    int64_t *region; /* [n] of the geometry */
} nep_anatomy;
void nep_anatomy_free(nep_anatomy *a); /* empties it; a zeroed one is fine */

/* How strongly a disorder's map is altered in each anatomy: weight [nodes of kind A] = mean |effect| over its regions in scope with a value, divided by
 * the mean of that over the anatomies that the network ties to the disorder (DlA) and the table knows; 1 where the table or the map is silent.
 * False, and all 1, when fewer than two such anatomies differ: the map then tells nothing apart. */
bool nep_anatomy_weights(const nep_inputs *in, int64_t disorder, double *weight);

/* The channel anatomy_imaging had the disorder had other maps: maps [n, n_regions], out [n, n_drugs], NaN where it would not speak. `in` is
 * prepared, with a network of the channel's metaedges. Errors: NEP_E_NOMEM. Cost: n * n_drugs * the disorder's anatomies. */
NEP_MUST_USE nep_status nep_anatomy_score_maps(nep_ctx *ctx, const nep_inputs *in, int64_t disorder, const double *maps, int64_t n, double *out);

#ifdef __cplusplus
}
#endif
#endif
