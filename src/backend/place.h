/* SPDX-License-Identifier: Apache-2.0 */
/* place - puts what an op needs where its backend works, in tiles whose grid depends on sizes alone. */
#ifndef NEP_BACKEND_PLACE_H
#define NEP_BACKEND_PLACE_H

#include <nepenthe/backend.h>

/* The context's backend, the CPU when none was chosen. */
const nep_backend *nep_place_backend(nep_ctx *ctx);

/* How many of n items, each of `bytes`, go into one tile: a multiple of 32 near the backend's tile_bytes, or all n. */
int64_t nep_place_tile(const nep_backend *be, int64_t n, int64_t bytes);

/* Columns first .. first + count of src [n_rows, n_cols] as a dense [n_rows, count] buffer, and the way back. */
NEP_MUST_USE nep_status nep_place_columns(nep_ctx *ctx, const void *src, nep_dtype dtype, int64_t n_rows,
                                          int64_t n_cols, int64_t first, int64_t count, const char *what, nep_buf *out);
NEP_MUST_USE nep_status nep_place_columns_back(nep_ctx *ctx, const nep_buf *b, int64_t n_rows, int64_t n_cols,
                                               int64_t first, int64_t count, void *dst);

/* All that a front door placed, freed together. */
enum { NEP_PLACE_MOST = 9 };
typedef struct {
    nep_buf b[NEP_PLACE_MOST];
} nep_place;
void nep_place_free(nep_place *p);

/* The pointer of a buffer, typed by its use: places that are const in the op take it as it is. */
#define NEP_PLACED(p, i) ((p).b[i].ptr)

#endif
