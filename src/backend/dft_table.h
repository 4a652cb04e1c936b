/* SPDX-License-Identifier: Apache-2.0 */
/* dft_table - cosines and sines of the bins an amplitude sum needs, made on the host for both backends. */
#ifndef NEP_BACKEND_DFT_TABLE_H
#define NEP_BACKEND_DFT_TABLE_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t n_t, first, last; /* the band, inclusive */
    int64_t low, high;        /* bins of the tables: the band and, with `all`, 1..half */
    double *cosine;           /* [high - low + 1, even rows] */
    double *sine;             /* [high - low + 1, half] */
} nep_dft_table;

NEP_MUST_USE nep_status nep_dft_table_create(nep_ctx *ctx, int64_t n_t, int64_t first, int64_t last, bool all,
                                             nep_dft_table *out);
void nep_dft_table_free(nep_dft_table *d);

#ifdef __cplusplus
}
#endif

#endif
