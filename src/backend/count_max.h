/* SPDX-License-Identifier: Apache-2.0 */
/* count_max - how often a null maximum is at least as extreme as what was observed. */
#ifndef NEP_BACKEND_COUNT_MAX_H
#define NEP_BACKEND_COUNT_MAX_H

#include <nepenthe/core.h>

/* count[i] += #{ p : max_abs[p] >= |observed[i]| (1 - 1e-10) }. NaN counts nothing. Cost: n log n_perm.
 * Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_count_max_add(nep_ctx *ctx, const double *max_abs, int64_t n_perm, const double *observed,
                                          int64_t n, int64_t *count);

#endif
