/* SPDX-License-Identifier: Apache-2.0 */
/* nulls - what the null families share inside the room: the prepared state, the table of kinds, and how one
 * surrogate's numbers are addressed. */
#ifndef NEP_BRAINMAP_NULLS_H
#define NEP_BRAINMAP_NULLS_H

#include <nepenthe/brainmap.h>

#include <math.h>

typedef enum {
    NULLS_SPECTRAL, /* block means + sum_k t_k v_k, t a random orthogonal image of the map's coefficients */
    NULLS_MOVED,    /* y_i = x[index_i], missing where index_i is -1 */
    NULLS_MIXED,    /* y_i = the mean of x over the vertices that region i receives */
    NULLS_MATCHED,  /* made anew for each map, to match its variogram */
} nulls_family;

typedef struct nulls_grid nulls_grid;   /* nearest.c */
typedef struct nulls_sheet nulls_sheet; /* surface.c */

enum { NULLS_MAX_BLOCKS = 6, NULLS_MAX_GROUP = 255, NULLS_ALL_PAIRS = 4096 };

struct nep_nulls {
    nep_nulls_kind kind;
    int64_t n;
    double (*mm)[3];     /* [n] */
    double (*sphere)[3]; /* [n], NaN outside the cortex */
    char *hemisphere;    /* [n] */
    int32_t *block;      /* [n] spectral kinds: the block whose mean a surrogate keeps */
    int32_t n_blocks;
    int64_t n_vectors, n_groups; /* spectral kinds */
    double *vectors;             /* [n_vectors, n], zero outside a vector's block */
    int32_t *group;              /* [n_groups] sizes, which add up to n_vectors; NULL = all 1 */
    int32_t *mate;               /* [n_groups] the group that this one mirrors, -1 = none; or NULL */
    double *match;               /* [sum of size^2] polar factor of the overlap with the mate's vectors */
    bool partial;                /* the vectors do not span all maps: the rest of a map is shuffled within blocks */
    nulls_grid *grid[2];         /* left and right, of spins to the nearest */
    nulls_sheet *sheet[2];       /* left and right vertices, of spins of the surface */
    struct nep_variogram *variogram; /* matched kinds of up to NULLS_ALL_PAIRS regions */
    struct nep_sampled *sampled;     /* matched kinds of more */
    uint64_t seed;
};

/* One row per kind. */
typedef struct {
    const char *name;
    nulls_family family;
    bool sphere;                                                                           /* cortex only */
    bool surface;                                                                          /* needs vertices */
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

/* ---- spectral kinds ---- */

/* Eigenvectors of the doubly centred 1/D per block into nulls->vectors. `names` for sentences, [n]. */
NEP_MUST_USE nep_status nep_moran_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);
/* sign[k] = +1 or -1 of surrogate b. */
void nep_moran_signs(const nep_nulls *nulls, uint64_t stream, int64_t b, double *sign);
/* Modes of the neighbour graph's Laplacian per hemisphere and compartment, in groups of 3, 5, 7, ... */
NEP_MUST_USE nep_status nep_eigenmodes_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);

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
NEP_MUST_USE nep_status nep_lanczos_smallest(nep_ctx *ctx, const double *band, int64_t m, int64_t width, int64_t k,
                                             double *lambda, double *vectors);
/* A uniform rotation of m >= 2 dimensions, row-major, from the numbers at nulls_index(b, first ..); m = 1 is a
 * random sign. Returns how many numbers it took: m (m + 1) / 2. */
int64_t nep_spectral_rotation(uint64_t seed, uint64_t stream, int64_t b, int64_t first, int64_t m, double *out);

/* ---- matched kinds ---- */

/* Pairs, lags and smoothings into nulls->variogram, or lists of the nearest into nulls->sampled. */
NEP_MUST_USE nep_status nep_variogram_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);

/* ---- moved kinds ---- */

/* Doubles that nep_nulls_moved needs as scratch, or the counts of a mixed kind. */
int64_t nep_nulls_scratch(const nep_nulls *nulls);
/* index[i] of surrogate b. */
void nep_nulls_moved(const nep_nulls *nulls, uint64_t stream, int64_t b, double *scratch, int32_t *index);
/* index[i] of spin b. cost and work are scratch: [n * n] doubles and [8 (n + 1)] doubles. */
void nep_spin_indices(const nep_nulls *nulls, uint64_t stream, int64_t b, double *cost, double *work,
                      int32_t *index);
/* The mirrored pair of rotations of spin b. */
void nep_spin_rotation(uint64_t seed, uint64_t stream, int64_t b, double left[3][3], double right[3][3]);

/* Points of the unit sphere (within 2 %) and their numbers, for the nearest one in about constant time. */
NEP_MUST_USE nep_status nep_nearest_create(nep_ctx *ctx, const double (*point)[3], const int32_t *name, int64_t n,
                                           nulls_grid **out);
void nep_nearest_free(nulls_grid *g);
/* The name of the point nearest to q, the lowest of equals; -1 without any point. */
int32_t nep_nearest_find(const nulls_grid *g, const double q[3]);
/* Grids of both hemispheres into nulls->grid. */
NEP_MUST_USE nep_status nep_nearest_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names);
/* index[i] of one hemisphere's regions under a rotation: the region whose turned place lies nearest to i. */
void nep_nearest_indices(const nep_nulls *nulls, char hemisphere, double rotation[3][3], int32_t *index);

/* Vertices and grids of both hemispheres into nulls->sheet; every region needs a vertex. */
NEP_MUST_USE nep_status nep_surface_prepare(nep_ctx *ctx, nep_nulls *nulls, const nep_surface *surface,
                                            const char *const *names);
void nep_surface_release(nulls_sheet *s);
/* counts [n, n]: vertices of region i whose nearest turned vertex belongs to region j. */
void nep_surface_counts(const nep_nulls *nulls, double left[3][3], double right[3][3], int32_t *counts);
/* The region that most vertices of i receive, the first of equals; -1 when none receives any. */
void nep_surface_modes(const nep_nulls *nulls, const int32_t *counts, int32_t *index);
/* The mean of the map over the vertices received; NaN when none has a value. */
void nep_surface_means(const nep_nulls *nulls, const int32_t *counts, const double *map, double *out);

/* Least-cost assignment of n rows to n columns: row[j] is the row of column j. work [8 (n + 1)] doubles. */
void nep_assignment_solve(const double *cost, int64_t n, double *work, int32_t *row);

#endif
