/* SPDX-License-Identifier: Apache-2.0 */
/* cases_parts.h - what the files of nearest cases share. */
#ifndef NEP_SIMILARITY_CASES_PARTS_H
#define NEP_SIMILARITY_CASES_PARTS_H

#include <nepenthe/cases.h>

/* Orthonormal functions q [rank, n] on the subjects in use (0 elsewhere) that span the intercept and the confounds, and how each is
 * made of them, basis [rank, 1 + n_confounds]. Both have room for 1 + n_confounds. */
NEP_MUST_USE nep_status nep_cases_basis(nep_ctx *ctx, const nep_cases_data *d, const bool *use, const bool *off, double *q,
                                        double *basis, int64_t *rank);

/* 1 - cosine of two vectors with these sums of products, 1 where a norm is 0; not below 0. */
double nep_cases_cosine(double dot, double own, double other);

/* Appends the k nearest of one query, and all that tie with the k-th, out of distances [n] (NaN = not to be found). */
NEP_MUST_USE nep_status nep_cases_take(nep_ctx *ctx, const double *distance, int64_t n, int64_t k, int64_t query, int64_t *room,
                                       nep_cases_near *out);

#endif
