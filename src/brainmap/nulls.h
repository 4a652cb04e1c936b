/* SPDX-License-Identifier: Apache-2.0 */
/* nulls - what the null families share inside the room: the prepared state, and how one surrogate's numbers
 * are addressed. */
#ifndef NEP_BRAINMAP_NULLS_H
#define NEP_BRAINMAP_NULLS_H

#include <nepenthe/brainmap.h>

struct nep_nulls {
    nep_nulls_kind kind;
    int64_t n;
    double (*mm)[3];     /* [n] */
    double (*sphere)[3]; /* [n], spins */
    char *hemisphere;    /* [n] */
    int32_t *block;      /* [n] 0, or 1 for the second compartment */
    int64_t n_vectors;   /* Moran */
    double *vectors;     /* [n_vectors, n], zero outside a vector's block */
    uint64_t seed;
};

/* Number j of surrogate b stands at this index of its stream: 2^20 blocks of 128 bits for each surrogate. */
static inline uint64_t nulls_index(int64_t b, int64_t j)
{
    return ((uint64_t)b << 20) + (uint64_t)j;
}

static inline bool nulls_is_moran(nep_nulls_kind kind)
{
    return kind == NEP_NULLS_MORAN || kind == NEP_NULLS_MORAN_COMPARTMENT;
}

/* Eigenvectors of the doubly centred 1/D per block into nulls->vectors. `names` for sentences, [n]. */
NEP_MUST_USE nep_status nep_moran_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);
/* coef[k] = v_k . (map - block mean); base[i] = block mean. */
void nep_moran_coefficients(const nep_nulls *nulls, const double *map, double *coef, double *base);
/* sign[k] = +1 or -1 of surrogate b. */
void nep_moran_signs(const nep_nulls *nulls, uint64_t stream, int64_t b, double *sign);

/* index[i] of spin b. cost and work are scratch: [n * n] doubles and [8 (n + 1)] doubles. */
void nep_spin_indices(const nep_nulls *nulls, uint64_t stream, int64_t b, double *cost, double *work,
                      int32_t *index);
/* The mirrored pair of rotations of spin b. */
void nep_spin_rotation(uint64_t seed, uint64_t stream, int64_t b, double left[3][3], double right[3][3]);

/* Least-cost assignment of n rows to n columns: row[j] is the row of column j. work [8 (n + 1)] doubles. */
void nep_assignment_solve(const double *cost, int64_t n, double *work, int32_t *row);

#endif
