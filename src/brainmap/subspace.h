/* SPDX-License-Identifier: Apache-2.0 */
/* subspace - the smoothest modes of a large graph given by its neighbours. */
#ifndef NEP_BRAINMAP_SUBSPACE_H
#define NEP_BRAINMAP_SUBSPACE_H

#include "nulls.h"

#define NEP_SUBSPACE_TOLERANCE 1e-8 /* |L v - lambda v| of each mode, in units of twice the largest degree */

/* Vectors of work for k modes. */
int64_t nep_subspace_room(int64_t k);

/* What the modes took: rounds, and products of L with each vector of work. */
typedef struct {
    int64_t rounds, products;
} nep_subspace_cost;

/* The k smallest eigenvalues of a graph's Laplacian beyond the constant's, and their unit vectors, smoothest first.
 *
 * l        a piece of the graph more than the first adds one eigenvalue 0
 * guess    about where eigenvalue nep_subspace_room(k) lies, in the units of l; what is wrong in it costs time alone
 * vectors  [nep_subspace_room(k), n]  the first k rows are modes on return, the rest is work
 * cost     written, or NULL
 *
 * The same for any thread count and on any backend: polynomials and sums of vectors run on the context's, the eigenvalue problem of the vectors on the
 * host. Errors: NEP_E_ARG (k, or fewer than
 * two places for each vector of work), NEP_E_SINGULAR (not settled), NEP_E_NOMEM. Cost: some 300 products of L with each vector and four times 6
 * n room^2. Source: Zhou, Saad, Tiago & Chelikowsky (2006) J Comput Phys 219:172, doi:10.1016/j.jcp.2006.03.017; orthogonalisation: Stathopoulos
 * & Wu (2002) SIAM J Sci Comput 23:2165, doi:10.1137/S1064827500370883. */
NEP_MUST_USE nep_status nep_subspace_smallest(nep_ctx *ctx, const nulls_graph *l, int64_t k, double guess, double *lambda, double *vectors,
                                              nep_subspace_cost *cost);

#endif
