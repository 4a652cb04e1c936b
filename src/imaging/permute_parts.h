/* SPDX-License-Identifier: Apache-2.0 */
/* permute_parts - what the files of the permutation test share: the model as an orthonormal basis, the scheme of shuffles, the
 * residuals, clusters. */
#ifndef NEP_IMAGING_PERMUTE_PARTS_H
#define NEP_IMAGING_PERMUTE_PARTS_H

#include <nepenthe/permute.h>

#include "imaging/lattice.h"

#define NEP_PERMUTE_TIE 1e-10

/* ---- permute_design.c ---- */
typedef struct {
    int64_t n, r;      /* rows; rank of the contrast */
    int64_t z, k;      /* nuisance: columns; those that a shuffle can move */
    double df;
    double *tested;    /* [r, n] orthonormal, orthogonal to the nuisance; r = 1: has the sign of the contrast */
    double *nuisance;  /* [z, n] orthonormal */
    double *basis;     /* [r + k, n] what is shuffled: tested, then the nuisance that moves */
    double length;     /* r = 1: the contrast of the coefficients is length tested . y */
} nep_permute_basis;
void nep_permute_basis_free(nep_permute_basis *b);
/* Everything but `basis` and `k`. */
NEP_MUST_USE nep_status nep_permute_basis_make(nep_ctx *ctx, const nep_permute_model *m, nep_permute_basis *out);
/* Sets basis and k: orbit [n] numbers (0 .. n_orbits) the rows that exchange can bring to one another; nuisance constant on
 * orbits stays where it is. NULL: all nuisance moves. */
NEP_MUST_USE nep_status nep_permute_basis_reduce(nep_ctx *ctx, const int32_t *orbit, int64_t n_orbits, nep_permute_basis *b);

/* ---- permute_shuffle.c ---- */
typedef struct {
    int64_t n, slots, each; /* rows; things that are exchanged, of `each` rows */
    int64_t pools;          /* slots change places within their pool */
    bool exchange, signs;
    int32_t *row;           /* [slots, each] rows of a slot */
    int32_t *pool;          /* [slots] */
    int32_t *member;        /* [slots] slots by pool, pool q at first[q] .. first[q + 1] */
    int32_t *first;         /* [pools + 1] */
    int32_t *kind;          /* [slots] slots of a pool that are alike share a number */
    int32_t *like;          /* [slots] by kind: the first slot of it */
    bool *empty;            /* [slots] by kind: flipping its sign does nothing */
    int64_t kinds, filled;  /* kinds; slots that are not empty */
    bool all;               /* every distinct shuffle, instead of drawn ones */
    double possible;
    int64_t count;
    int64_t *ways;          /* [pools] arrangements of a pool, where all are used */
    int32_t *order, *left, *next; /* scratch */
    uint64_t seed, stream;
} nep_permute_scheme;
void nep_permute_scheme_free(nep_permute_scheme *s);
/* Also reduces the basis. */
NEP_MUST_USE nep_status nep_permute_scheme_make(nep_ctx *ctx, const nep_permute_model *m, int64_t n_perm, uint64_t stream,
                                                nep_permute_basis *b, nep_permute_scheme *out);
/* Shuffle number b of the basis, out [r + k, n]; the same whatever was asked before. */
void nep_permute_scheme_apply(nep_permute_scheme *s, const nep_permute_basis *b, int64_t number, double *out);

/* ---- permute_columns.c ---- */
typedef struct {
    const float *y;
    int64_t n, n_cols;
} nep_permute_columns;
/* Unit residuals on the nuisance of columns first .. first + count, float64 [n, count]; NaN throughout where a value is missing
 * or nothing is left. With r not NULL their effect, se and statistic, and the counts of those left n/a. */
NEP_MUST_USE nep_status nep_permute_columns_fit(nep_ctx *ctx, const nep_permute_basis *b, const nep_permute_columns *c, int64_t first,
                                                int64_t count, double *e, nep_permute_result *r);
/* The same of chosen columns [count]. */
NEP_MUST_USE nep_status nep_permute_columns_pick(nep_ctx *ctx, const nep_permute_basis *b, const nep_permute_columns *c,
                                                 const int64_t *column, int64_t count, double *e);

/* ---- permute_clusters.c ---- */
typedef struct {
    nep_lattice lattice;
    double forming;
    bool positive;
    double *excess; /* by place: statistic beyond the threshold, with its sign; 0 outside */
    int32_t *stack; /* [voxels] */
    int32_t *voxel; /* by place */
} nep_permute_clusters;
void nep_permute_clusters_free(nep_permute_clusters *c);
NEP_MUST_USE nep_status nep_permute_clusters_open(nep_ctx *ctx, const nep_permute_opts *o, bool positive, nep_permute_clusters *out);
/* Largest size and mass of a map's clusters, 0 without one. */
void nep_permute_clusters_most(nep_permute_clusters *c, const double *map, double *size, double *mass);
/* All clusters, largest first, and which each voxel belongs to. */
NEP_MUST_USE nep_status nep_permute_clusters_list(nep_ctx *ctx, nep_permute_clusters *c, const double *map, nep_permute_result *r);

/* ---- permute_tail.c ---- */
#define NEP_PERMUTE_TAIL_BELOW 0.1 /* counted p under which a tail takes over */
/* p of value in the tail of null [n], which is sorted; NaN as nep_permute_tail. */
double nep_permute_tail_of(double *null, int64_t n, double value);
/* Replaces p [n] below 0.1 by that of the tail of null [n_null]; counts those replaced and those not. */
NEP_MUST_USE nep_status nep_permute_tail_apply(nep_ctx *ctx, const double *null, int64_t n_null, const double *value, int64_t n,
                                               bool positive, double *p, int64_t *fitted, int64_t *refused);

/* ---- permute_sweep.c ---- */
enum { NEP_PERMUTE_STAT, NEP_PERMUTE_SIZE, NEP_PERMUTE_MASS, NEP_PERMUTE_SCORE, NEP_PERMUTE_MEASURES };

/* What the shuffles leave: kept in one piece, so that a checkpoint is one block. */
typedef struct {
    int64_t bytes;
    int64_t *done;                       /* steps */
    double *most[NEP_PERMUTE_MEASURES];  /* [count] largest of each shuffle, or NULL */
    int64_t *reached, *reached_score;    /* [n_cols] shuffles that reach the column's own; score: or NULL */
} nep_permute_tally;

typedef struct {
    const nep_permute_model *model;
    const nep_permute_opts *o;
    unsigned statistics;
    bool positive;
    nep_permute_basis basis;
    nep_permute_scheme scheme;
    nep_permute_columns columns;
    nep_permute_tally tally;
} nep_permute_job;
/* Estimates (r: effect, se, stat, tfce) and runs every shuffle. */
NEP_MUST_USE nep_status nep_permute_sweep(nep_ctx *ctx, nep_permute_job *j, nep_permute_result *r);
/* Statistics of every shuffle on chosen columns: null [count of columns, shuffles]. */
NEP_MUST_USE nep_status nep_permute_sweep_columns(nep_ctx *ctx, nep_permute_job *j, const int64_t *column, int64_t count, double *null);

#endif
