/* SPDX-License-Identifier: Apache-2.0 */
/* connectome_parts - what the files of connectome share. */
#ifndef NEP_IMAGING_CONNECTOME_PARTS_H
#define NEP_IMAGING_CONNECTOME_PARTS_H

#include <nepenthe/connectome.h>

/* Errors: NEP_E_FORMAT when fewer than 2 columns vary. */
NEP_MUST_USE nep_status nep_connectome_enough(nep_ctx *ctx, const nep_connectome *c);
/* value[i * stride] of the i-th column that varies to its place in out [n_cols], NaN elsewhere. */
void nep_connectome_scatter(const nep_connectome *c, const double *value, int64_t stride, double *out);
/* A series [n_t] made a unit series as those of the columns are, in place; false when it does not vary or is missing. */
bool nep_connectome_unit(const nep_connectome *c, double *series);

#endif
