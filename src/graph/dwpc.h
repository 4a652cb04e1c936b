/* SPDX-License-Identifier: Apache-2.0 */
/* dwpc.h - walks of a tile of sources along a metapath, and what of them visits a node twice. */
#ifndef NEP_GRAPH_DWPC_H
#define NEP_GRAPH_DWPC_H

#include "graph/legs.h"

typedef struct {
    int64_t first, width;              /* sources first .. first + width - 1 */
    double *x[NEP_METAPATH_MOST + 1];  /* x[p] [n[p], width]: weight of all ways from the source to the node at position p; of position 1 only
                                          where the metapath ends there */
} nep_tile;

/* row [width] += w * (weight of the first step from each source of the tile to `node`). */
static inline void nep_dwpc_add_first(const nep_leg *first, const nep_tile *t, int64_t node, double w, double *row)
{
    for (int64_t k = first->in->start[node]; k < first->in->start[node + 1]; k++) {
        const int64_t c = first->in->node[k] - t->first;
        if (c >= 0 && c < t->width)
            row[c] += w * first->w_in[k];
    }
}

/* Sums over closed walks from a node, whichever source; NULL where a metapath needs none. */
typedef struct {
    double *return_1;   /* [n[1]]: position 1 to 2 and back at 3 */
    double *return_2;   /* [n[2]]: position 2 to 3 and back at 4 */
    double *triangle_1; /* [n[1]]: position 1 over 2 and 3 and back at 4 */
    double *there_and_back; /* along leg[4].in: x at position 1, t at 2, x at 3, t at 4, without the first step */
} nep_repeats;

NEP_MUST_USE nep_status nep_dwpc_find_repeats(nep_ctx *ctx, const nep_legs *l, nep_repeats *out);
void nep_dwpc_free_repeats(nep_repeats *r);
/* Takes out of x[p] the ways whose node at p was visited before; those of earlier positions are gone already. */
void nep_dwpc_drop_repeats(const nep_legs *l, const nep_repeats *r, nep_tile *t, int p, int threads);

#endif
