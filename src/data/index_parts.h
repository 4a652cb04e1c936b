/* SPDX-License-Identifier: Apache-2.0 */
/* index_parts.h - how one row becomes what an index stores; shared by what builds indexes in memory and what writes their files. */
#ifndef NEP_DATA_INDEX_PARTS_H
#define NEP_DATA_INDEX_PARTS_H

#include <nepenthe/index.h>

#include "core/life.h"

/* What nep_index_free calls; an owner of any kind begins with it. */
typedef struct nep_index_owner {
    void (*release)(struct nep_index_owner *self);
    nep_life life; /* of the index and of all views of it */
} nep_index_owner;

/* Memory of an index: blocks that are freed with it. */
enum { NEP_INDEX_BLOCKS = 16 };
typedef struct {
    nep_index_owner owner; /* first */
    int n;
    void *block[NEP_INDEX_BLOCKS];
} nep_index_memory;
/* Makes x own memory, which is empty so far. */
NEP_MUST_USE nep_status nep_index_memory_create(nep_ctx *ctx, nep_index *x);
/* As nep_alloc; freed with the index. */
NEP_MUST_USE nep_status nep_index_memory_alloc(nep_ctx *ctx, nep_index *x, int64_t n, size_t size, const char *what, void *out_pointer);

/* Items from one row to the next, so that rows begin on 64 bytes. */
int64_t nep_index_stride(int64_t dims, size_t item);

int64_t nep_index_popcount(const uint64_t *row, int64_t words);
/* The widest row that has a sketch. */
enum { NEP_INDEX_SKETCH_WORDS = 63 };
void nep_index_sketch(const uint64_t *row, int64_t words, uint8_t out[NEP_INDEX_SKETCH]);
/* True when bits at and past n_bits are 0. */
bool nep_index_tail_is_clear(const uint64_t *row, int64_t n_bits);

/* Stores x [dims] as `type` at row, with its scale (int8 only) and norm. Returns -1, or the column of the first value that is not
 * finite or that the type cannot hold; what is stored is then of no use. */
int64_t nep_index_encode(const float *x, int64_t dims, nep_vector_type type, void *row, float *scale, double *norm);
/* Norm of a stored row. */
double nep_index_norm(const void *row, int64_t dims, nep_vector_type type, float scale);
/* The int8 copy of a stored row that is not int8 itself. */
void nep_index_shade(const void *row, int64_t dims, nep_vector_type type, int8_t *shadow, float *scale, float *residual);
/* The sentence on what nep_index_encode refused; `row` is the number for the reader. */
nep_status nep_index_refuse(nep_ctx *ctx, const char *source, float value, int64_t row, int64_t column, nep_vector_type type);

/* The hash of one row: its stored bytes (without padding), its int8 scale where it has one, its id, its number. */
uint64_t nep_index_hash_row(const void *row, size_t bytes, const float *scale, const char *id, size_t id_bytes, int64_t number);
/* `content` from the sum of the hashes of all rows, modulo 2^64, which no order changes. `type` is 0 for bits. */
uint64_t nep_index_hash_set(uint64_t sum, nep_index_kind kind, int64_t width, int type, int64_t total);
/* The sum over the rows of x. */
uint64_t nep_index_hash_sum(nep_ctx *ctx, const nep_index *x);

/* Ids by position from ids by row number, order[position] (NULL = the same); an entry may be NULL. */
NEP_MUST_USE nep_status nep_index_take_ids(nep_ctx *ctx, nep_index *x, char *const *ids, const int64_t *order);

#endif
