/* SPDX-License-Identifier: Apache-2.0 */
/* index - rows to search, as they lie in memory or in a mapped file: bit vectors or dense vectors, with ids and metadata.
 *
 * What it is not: it searches nothing (similarity.h), and which fingerprint or embedding the rows are is the maker's affair,
 * carried along as text. Rows are known by their row number in the whole set, which decides ties and which no sorting, sharding or
 * merging of a file changes. Arrays are lent by the file or by the memory that the index owns; nobody writes to them.
 */
#ifndef NEPENTHE_INDEX_H
#define NEPENTHE_INDEX_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_INDEX_BITS = 1, NEP_INDEX_VECTORS = 2 } nep_index_kind;
typedef enum { NEP_VECTOR_F32 = 1, NEP_VECTOR_F16 = 2, NEP_VECTOR_BF16 = 3, NEP_VECTOR_I8 = 4 } nep_vector_type;

enum {
    NEP_INDEX_BITS_MOST = 8192,    /* widest bit vector */
    NEP_INDEX_DIMS_MOST = 1 << 20, /* longest dense vector */
    NEP_INDEX_SKETCH = 16          /* bytes of a sketch */
};

/* Bit vectors. Positions run by (population count, row number) ascending, so that equal counts lie together.
 * Sketch: byte p of a row counts the bits p * words * 4 .. (p + 1) * words * 4 - 1, the p-th of 16 equal parts; a byte holds it up
 * to 63 words, wider rows have none. */
typedef struct {
    int64_t n_bits, words;    /* words = ceil(n_bits / 64); bits past n_bits are 0 */
    const uint64_t *row;      /* [n, words] */
    const uint16_t *popcount; /* [n] */
    const uint8_t *sketch;    /* [n, 16] or NULL */
} nep_index_bits;

/* Dense vectors, in the order of their row numbers unless `lists` says otherwise. A stored item is the number it decodes to
 * (int8: item * scale[i], exact in float64): scores are those of the decoded numbers. Shadow: an int8 copy with scale and with the norm of what
 * it leaves out, for a first pass that certifies (similarity.h); NULL = none. All values are finite. */
typedef struct {
    int64_t dims, stride;        /* items of a row, and items from one row to the next (rows begin on 64 bytes) */
    nep_vector_type type;
    const void *row;             /* [n, stride]; items past dims are 0 */
    const float *scale;          /* [n] for int8, else NULL */
    const double *norm;          /* [n] Euclidean norm of the decoded row, float64 lane sum */
    int64_t shadow_stride;
    const int8_t *shadow;        /* [n, shadow_stride] or NULL */
    const float *shadow_scale;   /* [n] */
    const float *shadow_residual; /* [n] norm of row - shadow * scale, rounded up */
    int64_t n_lists;             /* inverted lists; 0 = none */
    const float *centroid;       /* [n_lists, dims] */
    const int64_t *list_start;   /* [n_lists + 1] positions: rows of a list lie together, row numbers ascending */
} nep_index_vectors;

typedef struct {
    nep_index_kind kind;
    int64_t n;             /* rows here */
    int64_t total;         /* rows of the whole set; n unless this is a shard */
    const int64_t *number; /* [n] row number of each position in the whole set; NULL = first + position */
    int64_t first;
    nep_index_bits bits;       /* when kind is NEP_INDEX_BITS */
    nep_index_vectors vectors; /* when kind is NEP_INDEX_VECTORS */
    const int64_t *id_start;   /* [n + 1] into id_text, by position; NULL = rows are called by their number */
    const char *id_text;       /* UTF-8, no NUL between */
    int64_t n_columns;         /* metadata: text per row */
    char *const *column;       /* [n_columns] names */
    const int64_t *cell_start; /* [n * n_columns + 1] into cell_text, by position; an empty cell is missing */
    const char *cell_text;
    const char *about;   /* one line on what the rows are: "Morgan, radius 2, 2048 bits, RDKit 2022.09.3"; "" = unknown */
    uint64_t content;    /* hash of the whole set's stored rows, ids and numbers: shards and partial results of one set agree in it */
    void *owner;         /* mapping or memory, for nep_index_free */
    nep_life *life;      /* that of the owner, in views of the index too: devices keep rows until it ends; NULL = they may not */
} nep_index;

/* Empties it and unmaps or frees what it owns; a zeroed one is fine. */
void nep_index_free(nep_index *x);
/* Row number of a position. */
int64_t nep_index_number(const nep_index *x, int64_t position);
/* A stored row of vectors as float32 [dims]: exact, but for int8, whose product with its scale is rounded. */
void nep_index_decode(const nep_index_vectors *v, int64_t position, float *out);
/* Id of a position as text in buf (cut to size): its id, else (none, or an empty one) its row number. Returns buf. */
const char *nep_index_id(const nep_index *x, int64_t position, char *buf, size_t size);
/* Bytes of one item, and the name ("f32", "f16", "bf16", "int8") for sentences; 0 and NULL for an unknown one. */
size_t nep_index_item_size(nep_vector_type t);
const char *nep_index_type_name(nep_vector_type t);

/* In-memory indexes from plain arrays; rows are copied, sorted and measured as said above. Any thread count gives the same bytes.
 *
 * bits    [n, words] in row-number order; ids [n] or NULL; sketch: make one
 * Errors: NEP_E_ARG (n < 1, n_bits not in 1..8192), NEP_E_FORMAT (a bit past n_bits; the row is named), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_index_from_bits(nep_ctx *ctx, const uint64_t *bits, int64_t n, int64_t n_bits, char *const *ids,
                                            bool sketch, const char *about, nep_index *out);
/* x [n, dims] float32; type is how rows are stored; shadow: make one (f32, f16, bf16).
 * Errors: NEP_E_ARG (n or dims < 1, dims above NEP_INDEX_DIMS_MOST), NEP_E_FORMAT (a value that is not finite or that the type
 * cannot hold; row and column are named), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_index_from_vectors(nep_ctx *ctx, const float *x, int64_t n, int64_t dims, nep_vector_type type,
                                               char *const *ids, bool shadow, const char *about, nep_index *out);

#ifdef __cplusplus
}
#endif
#endif
