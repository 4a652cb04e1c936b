/* SPDX-License-Identifier: Apache-2.0 */
/* nulls - what the null families share inside the room: the prepared state, the table of kinds, and how one
 * surrogate's numbers are addressed. */
#ifndef NEP_BRAINMAP_NULLS_H
#define NEP_BRAINMAP_NULLS_H

#include <nepenthe/backend.h>
#include <nepenthe/brainmap.h>

#include <math.h>

typedef enum {
    NULLS_SPECTRAL, /* block means + sum_k t_k v_k, t a random orthogonal image of the map's coefficients */
    NULLS_MOVED,    /* y_i = x[index_i], missing where index_i is -1 */
    NULLS_MIXED,    /* y_i = the mean of x over the vertices that region i receives */
    NULLS_MATCHED,  /* made anew for each map, to match its variogram */
} nulls_family;

typedef struct nulls_sides nulls_sides; /* spin.c */
typedef struct nulls_sheet nulls_sheet; /* surface.c */

enum {
    NULLS_MAX_BLOCKS = 6,
    NULLS_MAX_GROUP = 255,
    NULLS_ALL_PAIRS = NEP_NULLS_MANY,   /* regions whose pairs are all kept; beyond, neighbours alone */
    NULLS_ALL_MODES = 2048,   /* regions of a piece whose modes are all taken */
    NULLS_FEW_MODES = 399,    /* of a larger one: l = 1 .. 19 */
    NULLS_SHUFFLED = 1 << 19, /* places whose rest can be shuffled: a surrogate has as many numbers for it */
};

/* Rows of a graph's Laplacian, the diagonal included, columns ascending. */
typedef struct {
    int64_t n;
    int64_t *start;  /* [n + 1] */
    int32_t *column; /* [start[n]] */
    double *weight;  /* [start[n]] */
} nulls_graph;

struct nep_nulls {
    nep_nulls_kind kind;
    int64_t n;
    double (*mm)[3];     /* [n] */
    double (*sphere)[3]; /* [n], NaN outside the cortex */
    char *hemisphere;    /* [n] */
    int32_t *block;      /* [n] spectral kinds: the block whose mean a surrogate keeps */
    int32_t n_blocks;
    bool by_modes;                   /* spectral kinds of regions: the vectors are modes of each hemisphere and compartment, from neighbours alone */
    int64_t n_vectors, n_groups;     /* spectral kinds */
    double *vectors;                 /* [n_vectors, n], zero outside a vector's block */
    int32_t *group;                  /* [n_groups] sizes, which add up to n_vectors; NULL = all 1 */
    int32_t *mate;                   /* [n_groups] the group that this one mirrors, -1 = none; or NULL */
    double *match;                   /* [sum of size^2] polar factor of the overlap with the mate's vectors */
    bool partial;                    /* the vectors do not span all maps: the rest of a map is shuffled within blocks */
    nulls_sides *sides;              /* regions of both hemispheres, of spins of regions */
    nulls_sheet *sheet[2];           /* left and right vertices, of spins of the surface */
    struct nep_variogram *variogram; /* matched kinds of up to NULLS_ALL_PAIRS regions */
    struct nep_sampled *sampled;     /* matched kinds of more */
    uint64_t seed;
};

/* One row per kind. */
typedef struct {
    const char *name;
    nulls_family family;
    bool sphere;                                                                            /* cortex only */
    bool surface;                                                                           /* needs vertices */
    nep_status (*prepare)(nep_ctx *ctx, nep_nulls *nulls, const char *const *region_names); /* NULL = nothing */
} nulls_row;
const nulls_row *nep_nulls_row(nep_nulls_kind kind);

/* Number j of surrogate b stands at this index of its stream: 2^20 blocks of 128 bits for each surrogate. */
static inline uint64_t nulls_index(int64_t b, int64_t j)
{
    return ((uint64_t)b << 20) + (uint64_t)j;
}

static inline double nulls_distance(const double a[3], const double b[3])
{
    const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrt(x * x + y * y + z * z);
}

static inline void nulls_remove_mean(double *x, int64_t n)
{
    double mean = 0.0;
    for (int64_t i = 0; i < n; i++)
        mean += x[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        x[i] -= mean;
}

/* ---- spectral kinds ---- */

/* Eigenvectors of the doubly centred 1/D per block into nulls->vectors. `names` for sentences, [n]. */
NEP_MUST_USE nep_status nep_moran_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);
/* sign[k] = +1 or -1 of surrogate b, of vectors first .. first + count - 1. */
void nep_moran_signs(const nep_nulls *nulls, uint64_t stream, int64_t b, int64_t first, int64_t count, double *sign);
/* Modes of the neighbour graph's Laplacian per hemisphere and compartment, in groups of 3, 5, 7, ... */
NEP_MUST_USE nep_status nep_eigenmodes_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);

/* The same of the voxels of a mask, for modes and Moran alike. Errors: NEP_E_ARG (a mask in many pieces, or without two
 * voxels that share a face). */
NEP_MUST_USE nep_status nep_voxel_modes_prepare(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_nulls *nulls);
/* mm between neighbours along each axis of a grid, by its affine. */
void nep_voxel_edges(const nep_grid *grid, double mm[3]);
/* Sizes of groups of 3, 5, 7, ... that add up to `modes`, the last of what is left; returns how many. */
int64_t nep_eigenmodes_group(int64_t modes, int32_t *group);
/* All modes of a Laplacian l [m, m], smoothest first, into its columns 0 .. m - 2; the last column is the constant. */
NEP_MUST_USE nep_status nep_eigenmodes_all(nep_ctx *ctx, double *l, int64_t m, double *lambda);
/* Pairs of vectors as groups, for moran-pair. */
NEP_MUST_USE nep_status nep_moran_pairs(nep_ctx *ctx, nep_nulls *nulls);

/* coef[k] = v_k . (map - block mean); base[i] = block mean. */
void nep_spectral_coefficients(const nep_nulls *nulls, const double *map, double *coef, double *base);
/* Doubles that the random orthogonal map of one surrogate takes. */
int64_t nep_spectral_size(const nep_nulls *nulls);
/* The orthogonal map of surrogate b: one sign, or one matrix per group, and the order of the vectors. */
void nep_spectral_turn(const nep_nulls *nulls, uint64_t stream, int64_t b, double *turning);
/* out = turning applied to coef; both [n_vectors]. */
void nep_spectral_apply(const nep_nulls *nulls, const double *turning, const double *coef, double *out);
/* index[i] of surrogate b: where the rest of a map comes from when the vectors are partial; within blocks. work [n]. */
void nep_spectral_shuffle(const nep_nulls *nulls, uint64_t stream, int64_t b, int32_t *index, int32_t *work);
/* rest = map - base - its part on the vectors. */
void nep_spectral_rest(const nep_nulls *nulls, const double *map, const double *coef, const double *base, double *rest);
/* The k smallest eigenvalues above 0 of a connected graph's Laplacian and their unit vectors [k, m], smoothest first.
 * band [m, width + 1]: band[j (width + 1) + i - j] is row i of column j, i >= j. Errors: NEP_E_ARG (k), NEP_E_SINGULAR
 * (equal eigenvalues that steps from one start cannot tell apart), NEP_E_NOMEM. Cost: m width^2 + (3 k)^2 m. Source:
 * Parlett (1998) The Symmetric Eigenvalue Problem, chapters 3 and 13, doi:10.1137/1.9781611971163. */
NEP_MUST_USE nep_status nep_lanczos_smallest(nep_ctx *ctx, const double *band, int64_t m, int64_t width, int64_t k, double *lambda,
                                             double *vectors);
/* A uniform rotation of m >= 2 dimensions, row-major, from the numbers at nulls_index(b, first ..); m = 1 is a
 * random sign. Returns how many numbers it took: m (m + 1) / 2. */
int64_t nep_spectral_rotation(uint64_t seed, uint64_t stream, int64_t b, int64_t first, int64_t m, double *out);

/* ---- matched kinds ---- */

/* Pairs, lags and smoothings into nulls->variogram, or lists of the nearest into nulls->sampled. */
NEP_MUST_USE nep_status nep_variogram_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);

/* ---- moved and mixed kinds ---- */

/* What surrogates first .. first + count - 1 do, on the context's backend: turned [count, nep_moved_width] says for each region whose value it
 * takes, or for each vertex of a region whose label it receives (-1 = none). Errors: those of the backend. */
NEP_MUST_USE nep_status nep_moved_turn(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t first, int64_t count, int32_t *turned);
int64_t nep_moved_width(const nep_nulls *nulls);
/* How many surrogates to turn at once: depends on the size of one alone. */
int64_t nep_moved_batch(const nep_nulls *nulls);
/* int32 that nep_moved_index needs as scratch, at least n. */
int64_t nep_moved_scratch(const nep_nulls *nulls);
/* index [n] of one surrogate from its row of `turned`: that row itself, or the most frequent labels in scratch. Not for mixed kinds. */
const int32_t *nep_moved_index(const nep_nulls *nulls, const int32_t *turned, int32_t *scratch);
NEP_MUST_USE nep_status nep_moved_draw(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream, int64_t first, int64_t count,
                                       double *out);
NEP_MUST_USE nep_status nep_moved_indices(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t first, int64_t count, int32_t *out);

/* The mirrored pair of rotations of spin b. */
void nep_spin_rotation(uint64_t seed, uint64_t stream, int64_t b, double left[3][3], double right[3][3]);
/* Regions of both hemispheres into nulls->sides; for spins to the nearest also placed where the backend works. */
NEP_MUST_USE nep_status nep_spin_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);
void nep_spin_release(nulls_sides *s);
/* index [count, n] under given rotations [count, 3, 3] of left and right. */
NEP_MUST_USE nep_status nep_spin_indices(nep_ctx *ctx, const nep_nulls *nulls, const double *const rotation[2], int64_t count, int32_t *index);

/* Vertices of both hemispheres into nulls->sheet, placed where the backend works; every region needs a vertex. */
NEP_MUST_USE nep_status nep_surface_prepare(nep_ctx *ctx, nep_nulls *nulls, const nep_surface *surface, const char *const *names);
void nep_surface_release(nulls_sheet *s);
int64_t nep_surface_vertices(const nep_nulls *nulls); /* those of regions, left and right */
/* received [count, nep_surface_vertices] under given rotations [count, 3, 3] of left and right: the region whose turned vertex comes to lie
 * nearest to each vertex, -1 = medial wall. */
NEP_MUST_USE nep_status nep_surface_receive(nep_ctx *ctx, const nep_nulls *nulls, const double *const rotation[2], int64_t count,
                                            int32_t *received);
/* counts [n, n]: vertices of region i that receive region j, from one row of `received`. */
void nep_surface_counts(const nep_nulls *nulls, const int32_t *received, int32_t *counts);
/* The region that most vertices of i receive, the first of equals; -1 when none receives any. */
void nep_surface_modes(const nep_nulls *nulls, const int32_t *counts, int32_t *index);
/* The mean of the map over the vertices received; NaN when none has a value. */
void nep_surface_means(const nep_nulls *nulls, const int32_t *counts, const double *map, double *out);

/* Least-cost assignment of n rows to n columns: row[j] is the row of column j. work [8 (n + 1)] doubles. */
void nep_assignment_solve(const double *cost, int64_t n, double *work, int32_t *row);

#endif
