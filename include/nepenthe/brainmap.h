/* SPDX-License-Identifier: Apache-2.0 */
/* brainmap - regional maps against regional maps: comparison, spatial nulls, dominance, a map's receptor
 * profile.
 *
 * What it is not: it reads no file, knows no drug and no label. A `profile` scores any matrix of target
 * weights; that its rows are drugs is the business of evidence.
 *
 * Maps are float64, one value per region of a geometry, NaN = missing. Surrogate number b under (seed,
 * stream) is the same whatever was drawn before it, on any number of threads. p values are two-sided, by
 * counting, +1, ties within 1e-10 relative; intervals are 90 %.
 */
#ifndef NEPENTHE_BRAINMAP_H
#define NEPENTHE_BRAINMAP_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEP_NULLS_MANY 4096 /* regions beyond which surrogates are made from neighbours instead of all pairs */
#define NEP_BRAINMAP_TIE 1e-10 /* |null| >= |observed| (1 - tie) counts as reached */

/* ---- spatial nulls (nulls.c, spectral.c, moran.c, eigenmodes.c, moved.c, spin.c, surface.c) -------------- */
typedef enum {
    NEP_NULLS_MORAN,             /* Moran spectral randomisation, singleton, W = 1/D over all regions used */
    NEP_NULLS_MORAN_COMPARTMENT, /* the same, cortex and the rest apart: each keeps its own mean and variance
                                  */
    NEP_NULLS_SPIN,              /* Vasa: greedy assignment after a rotation, an exact permutation */
    NEP_NULLS_SPIN_HUNGARIAN,    /* least total distance after a rotation, an exact permutation */
    NEP_NULLS_SPIN_NEAREST,      /* Alexander-Bloch: nearest region after a rotation, values may repeat */
    NEP_NULLS_SHUFFLE,           /* no spatial structure: only to show what ignoring it does */
    NEP_NULLS_MORAN_PAIR,        /* Moran spectral randomisation, pair: random pairs of vectors keep their amplitude */
    NEP_NULLS_EIGENMODES,        /* rotations within groups of the modes of each hemisphere and compartment */
    NEP_NULLS_SPIN_BAUM,         /* vertices turn, a region takes the label that most of its vertices receive */
    NEP_NULLS_SPIN_CORNBLATH,    /* vertices turn, a region takes the mean of the values that its vertices receive */
    NEP_NULLS_VARIOGRAM,         /* shuffled, smoothed and rescaled until its variogram is the map's (BrainSMASH) */
    NEP_NULLS_VARIOGRAM_VALUES,  /* the same, with the map's own values in the surrogate's order */
    NEP_NULLS_KIND_COUNT
} nep_nulls_kind;

const char *nep_nulls_name(nep_nulls_kind kind);            /* "moran", "spin", ... */
bool nep_nulls_find(const char *name, nep_nulls_kind *out); /* false when there is none */
bool nep_nulls_cortex_only(nep_nulls_kind kind);            /* the kind needs every region on the sphere */
bool nep_nulls_needs_all(nep_nulls_kind kind);              /* the kind refuses a map with a NaN */
bool nep_nulls_needs_surface(nep_nulls_kind kind);          /* the kind turns vertices: nep_nulls_create_on */
bool nep_nulls_made_per_map(nep_nulls_kind kind);           /* surrogates are fitted to a map: dear to calibrate */
bool nep_nulls_of_voxels(nep_nulls_kind kind);              /* the kind exists for the voxels of a mask */

typedef struct nep_nulls nep_nulls;

/* Prepares surrogates on the regions of a geometry.
 *
 * use   [g->n_regions]  regions that take part, in the geometry's order; NULL = all
 * out   freed with nep_nulls_free; keeps nothing of g
 *
 * Moran: eigenvectors of the doubly centred W, W_ij = 1 / D_ij in mm, W_ii = 0. All n - 1 vectors orthogonal
 * to the constant are kept (dropping those of eigenvalue 0 would lose variance), so a surrogate has the map's
 * mean, variance and Moran's I exactly. Signs fall on products of coefficients, so the null distribution of a
 * correlation is the same whichever of two maps is redrawn. The pair procedure turns random pairs of
 * coefficients, whatever their eigenvalues: mean and variance stay, Moran's I does not, since a smooth and a
 * rough vector may share their amplitude. Beyond 4,096 regions (vertices) the vectors are those of neighbours alone, the
 * modes of each hemisphere and compartment below: signs on the left turn the right as its mirror image, pairs are
 * drawn among all, each hemisphere and compartment keeps its mean, and what 399 modes leave is shuffled: the mean
 * is exact then, variance and Moran's I nearly.
 *
 * Eigenmodes: eigenvectors of L = diag(W 1) - W per hemisphere and compartment, W_ij = 1 / D_ij^2 where i is
 * among the 6 regions nearest to j or j among those nearest to i (on the sphere in the cortex, else in mm),
 * without the constant; from the smoothest on they form groups of 3, 5, 7, ... (2 l + 1 as on a sphere, the last
 * takes the rest), and the coefficients of a group are turned by a uniform rotation of SO(m), a lone one by a
 * sign. The right side turns as the mirror image of the left: by P' R P, P the polar factor of the overlap of the
 * mirrored left modes with the right ones. Mean and variance of each block stay, and the energy of each group.
 * A hemisphere of more than 2,048 regions (vertices) gets its 399 smoothest modes (l = 1 .. 19) from a banded
 * factor and Lanczos steps; what a map has beyond them is shuffled within the hemisphere, so its variance stays
 * nearly. What it is not: the modes are those of a graph of regions, not of the surface's Laplace-Beltrami
 * operator, and near-equal wavelengths within a group are an assumption that folds and gaps bend.
 *
 * Variogram: the map is shuffled, smoothed over its k = 0.1, 0.2, .. 0.9 n nearest regions with weights
 * exp(-d / the largest of these d), and that k is kept whose variogram comes nearest to the map's after a line through
 * it, gamma = alpha + beta gamma_k by least squares; the surrogate is sqrt|beta| times the smoothed map plus
 * sqrt|alpha| times white noise, its mean removed. The variogram stands at 25 distances, by a Gaussian of bandwidth
 * b = three spacings, exp(-(2.68 (d - h) / b)^2 / 2), over the pairs nearer than the 25th percentile of distances; all
 * distances are straight lines in mm. Beyond 4,096 regions (vertices) surrogates come from the 1,000 nearest of each in its own hemisphere and
 * compartment, as those of nep_sampled_voxels.
 *
 * Spins: the right hemisphere turns by M R M, M = diag(-1, 1, 1). Spins are drawn with replacement: with few
 * regions some repeat an earlier one (nep_nulls_repeats), which a p by counting allows for.
 *
 * Errors: NEP_E_ARG (fewer than 3 regions, than 10 for a variogram; two regions at one place (not under a
 * variogram); spins, eigenmodes, and Moran beyond 4,096 regions with a cortical region that has no sphere
 * coordinates, or lies in no hemisphere; the sentence names the region), NEP_E_SINGULAR (more than 2,048 regions
 * laid out so regularly that modes cannot be told apart), NEP_E_NOMEM. Cost: n^3 once for Moran of up to 4,096 regions and for
 * eigenmodes of up to 2,048 regions a hemisphere, beyond them n^2 and some tens of seconds for 20,000; n^2 log n and 72 n^2
 * bytes for a variogram of up to 4,096 regions, beyond them n^2 once and 8,400 n bytes. Source:
 * Wagner & Dray (2015) Methods Ecol Evol 6:1169, doi:10.1111/2041-210X.12407; eigenmodes: Koussis et al. (2025)
 * Imaging Neurosci, doi:10.1162/imag.a.71; uniform rotations: Stewart (1980) SIAM J Numer Anal 17:403,
 * doi:10.1137/0717034; variogram: Burt et al. (2020) NeuroImage 220:117038,
 * doi:10.1016/j.neuroimage.2020.117038; Alexander-Bloch et al. (2018) doi:10.1016/j.neuroimage.2018.05.070; Vasa et al. (2018)
 * doi:10.1093/cercor/bhx249; Markello & Misic (2021) doi:10.1016/j.neuroimage.2021.118052. */
NEP_MUST_USE nep_status nep_nulls_create(nep_ctx *ctx, const nep_geometry *g, const bool *use,
                                         nep_nulls_kind kind, nep_nulls **out);
/* The same with the vertices below the regions, which spin-baum and spin-cornblath need (NULL = none; other kinds do
 * not look at it). Names join vertices to regions; a vertex without a region, or of one left out, is medial wall: what
 * it would hand on is missing, so a surrogate has NaN at a region that receives nothing else. Errors, beyond those
 * above: NEP_E_ARG (no surface, a region without a vertex, a vertex in the other hemisphere than its region). Source:
 * Baum et al. (2020) PNAS 117:771, doi:10.1073/pnas.1912034117; Cornblath et al. (2020) Commun Biol 3:261,
 * doi:10.1038/s42003-020-0961-x. */
NEP_MUST_USE nep_status nep_nulls_create_on(nep_ctx *ctx, const nep_geometry *g, const bool *use,
                                            nep_nulls_kind kind, const nep_surface *surface, nep_nulls **out);
void nep_nulls_free(nep_nulls *nulls);
int64_t nep_nulls_regions(const nep_nulls *nulls); /* regions that take part */
nep_nulls_kind nep_nulls_kind_of(const nep_nulls *nulls);

/* Surrogates first .. first+count-1 of a map: out[b, i].
 *
 * map   [n]         n = nep_nulls_regions, the used regions in the geometry's order
 * out   [count, n]  written only on success
 *
 * The same (seed of ctx, stream, b) gives the same rotation or signs for every map: maps drawn with one
 * stream move together, maps that must be independent take different streams. With spins a NaN travels with
 * its region; the other kinds refuse a NaN (leave the region out with `use`). Same bits for any thread
 * count. Spins are made on ctx's backend, which must be that of the ctx that created `nulls` (the Hungarian's assignment and the counts of
 * labels stay on the host); the vectors of Moran and eigenmodes are summed on it, whichever it is. Cost: count * n^2 (Moran, eigenmodes, Vasa), count * n (nearest), count * n^3 (Hungarian),
 * count * 4.5 n^2 (variogram, 256 at a time). Errors:
 * NEP_E_ARG (first or count negative, NaN where the kind refuses it, a constant map under a variogram, spins to the nearest created on
 * another backend), NEP_E_NOMEM, NEP_E_DEVICE. */
NEP_MUST_USE nep_status nep_nulls_draw(nep_ctx *ctx, const nep_nulls *nulls, const double *map,
                                       uint64_t stream, int64_t first, int64_t count, double *out);

/* What a spin or shuffle does: surrogate b at region i is map[out[b, i]], missing where it is -1. out [count, n]. Errors: NEP_E_ARG
 * (Moran, eigenmodes, spin-cornblath, variogram). */
NEP_MUST_USE nep_status nep_nulls_indices(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream,
                                          int64_t first, int64_t count, int32_t *out);

/* How many of surrogates 0 .. n - 1 move values exactly as an earlier one does. Rows are told apart by a 128-bit hash.
 * Errors: NEP_E_ARG (n negative, a kind that does not move values). Cost: that of drawing them and n log n. */
NEP_MUST_USE nep_status nep_nulls_repeats(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t n,
                                          int64_t *repeats);

typedef struct {
    double alpha, rate, low, high; /* rate of p <= alpha among independent pairs, 90 % Wilson interval */
    int64_t n_maps, n_nulls;
} nep_nulls_rate;

/* False-positive rate of a null at a parcellation: n_maps pairs of independent Gaussian maps with covariance
 * exp(-D / length_mm) (0 = white noise) are correlated (Pearson) and tested with n_nulls surrogates of the
 * first map. Above 4,096 regions a map is the sum of 1,000 random waves with that covariance's spectral density,
 * which needs no n^2 memory. Errors: NEP_E_ARG (n_maps or n_nulls < 1, alpha outside (0, 1)), NEP_E_SINGULAR. Cost:
 * n_maps * n_nulls * n. Source: the protocol of Markello & Misic (2021); Wilson (1927) J Am Stat Assoc 22:209. */
NEP_MUST_USE nep_status nep_nulls_false_positive(nep_ctx *ctx, const nep_nulls *nulls, double length_mm,
                                                 int64_t n_maps, int64_t n_nulls, double alpha,
                                                 uint64_t stream, nep_nulls_rate *out);

/* ---- surrogates of very many places (sampled.c, voxels.c) ---------------------------------------- */
typedef struct nep_sampled nep_sampled;

typedef struct {
    int64_t neighbours; /* nearest places of each */
    int64_t sample;     /* places whose pairs make the variogram; all of them when there are fewer */
} nep_sampled_opts;
#define NEP_SAMPLED_DEFAULTS                                                                                 \
    {                                                                                                        \
        .neighbours = 1000, .sample = 500                                                                    \
    }

/* Prepares surrogates of matched variogram on the voxels of a mask.
 *
 * mask  [voxels of grid]  voxels that take part; a map lists them in the grid's order
 * opts  NULL = the defaults
 * out   freed with nep_sampled_free; keeps nothing of grid and mask
 *
 * As the variogram of nep_nulls_create, but from each voxel's nearest in the mask alone: the map is shuffled, smoothed over the k = 0.3, 0.5, 0.7,
 * 0.9 of `neighbours` nearest voxels with weights exp(-d / the largest of these d), and fitted on the pairs of `sample` voxels drawn at
 * random with their neighbours nearer than the 70th percentile of all distances to neighbours. Voxels that are equally far are taken in
 * the grid's order. The sample is the same for sixteen surrogates, 16 g .. 16 g + 15. Distances are straight lines in mm, by the affine.
 * Smoothing and variograms run on the context's backend, where the neighbourhoods are placed once, here.
 *
 * Errors: NEP_E_ARG (fewer than 20 neighbours or than 10 in the sample, a mask of too few voxels, an island: a voxel with too few of the mask
 * around it; a singular affine), NEP_E_NOMEM. Memory: about 700 bytes per voxel and 70 per voxel of the box around the mask. Source: Burt et
 * al. (2020) NeuroImage 220:117038, doi:10.1016/j.neuroimage.2020.117038. */
NEP_MUST_USE nep_status nep_sampled_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, const nep_sampled_opts *opts,
                                           nep_sampled **out);
void nep_sampled_free(nep_sampled *s);
int64_t nep_sampled_places(const nep_sampled *s); /* voxels of the mask */

/* Surrogates of the voxels of a mask as a nep_nulls, for what takes one: nep_nulls_draw, nep_nulls_false_positive. Its regions are the voxels in
 * the grid's order.
 *
 * kind  variogram, variogram-values: as nep_sampled_voxels, with `opts` (NULL = the defaults). moran, moran-pair, eigenmodes: as in nep_nulls_create,
 *       of one graph for the whole mask: W_ij = 1 / D_ij^2 in mm between voxels that share a face, so that L = diag(W 1) - W is the Laplacian of
 *       finite differences where the axes are at right angles. shuffle. Other kinds need a cortex.
 *
 * Up to 2,048 voxels have all their modes; a larger mask has the 399 smoothest (l = 1 .. 19: in a brain of 1.7 litres down to a
 * wavelength of some 26 mm), and what a map has beyond them is shuffled over the mask: its mean is exact then, its variance nearly. Moran's
 * vectors are those of W with the diagonal filled up until all rows have the same sum, which makes them eigenvectors of L. A mask may be in
 * up to 20 pieces that no faces join; each piece beyond the first adds one mode that is constant on pieces. A vector's sign is that of its
 * product with one random map.
 *
 * Errors: those of nep_sampled_voxels; of the others NEP_E_ARG (fewer than 3 voxels, more than 2^19, no affine; but for shuffle more than 20
 * pieces, or no two voxels that share a face), NEP_E_SINGULAR (modes that do not settle). Cost, beyond 2,048 voxels: some 300 products of L
 * with each of 498 vectors, and 24 n 498^2; memory 4,500 n bytes. A small mask: n^3, and 40 n^2 bytes. Source: as nep_nulls_create; modes of
 * a volume: Pang et al. (2023) Nature 618:566, doi:10.1038/s41586-023-06098-1; the diagonal: Dray, Legendre & Peres-Neto (2006) Ecol Model
 * 196:483, doi:10.1016/j.ecolmodel.2006.02.015. */
NEP_MUST_USE nep_status nep_nulls_create_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_nulls_kind kind,
                                                const nep_sampled_opts *opts, nep_nulls **out);

/* Surrogates first .. first+count-1 of a map [n], n = nep_sampled_places: out [count, n]. Each has mean 0; with `own_values` it takes the map's
 * values in its own order instead. Same bits for any thread count and any split into calls. Errors: NEP_E_ARG (first or count
 * negative, a missing value, a constant map, a context on another backend than that of `s`). Cost: count * n * 1.3 neighbours. */
NEP_MUST_USE nep_status nep_sampled_draw(nep_ctx *ctx, const nep_sampled *s, const double *map, uint64_t stream, int64_t first,
                                         int64_t count, bool own_values, float *out);

/* ---- map against map (compare.c) ---------------------------------------------------------------- */
typedef enum { NEP_COMPARE_PEARSON, NEP_COMPARE_SPEARMAN } nep_compare_statistic;
typedef enum { NEP_COMPARE_A = 1, NEP_COMPARE_B = 2, NEP_COMPARE_BOTH = 3 } nep_compare_side;

typedef struct {
    nep_compare_statistic statistic;
    nep_nulls_kind kind;
    int64_t n_nulls; /* 0 = correlation alone */
    nep_compare_side permute;
    uint64_t stream;
    const nep_surface *surface; /* as in nep_nulls_create_on */
} nep_compare_opts;
#define NEP_COMPARE_DEFAULTS                                                                                 \
    {                                                                                                        \
        .kind = NEP_NULLS_MORAN, .n_nulls = 10000, .permute = NEP_COMPARE_BOTH                               \
    }

typedef struct {
    double r, p;       /* p: the larger of p_a and p_b where both were asked for */
    double p_a, p_b;   /* from surrogates of a and of b; NaN when not asked for */
    int64_t n_regions; /* regions where both maps have a value */
    int64_t n_nulls;
} nep_comparison;

/* Pearson, or Spearman with averaged ranks, over regions where both values are finite.
 *
 * a b  [g->n_regions]; use as in nep_nulls_create; g may be NULL when opts->n_nulls is 0, then n gives the
 * length
 *
 * The statistic of a surrogate is that of the data: Spearman ranks the surrogate again, and each surrogate
 * has its own mask of missing regions. A surrogate whose statistic does not exist counts as reached. Errors:
 * NEP_E_ARG (fewer than 3 common regions, a constant map), and those of nep_nulls_create. */
NEP_MUST_USE nep_status nep_compare_maps(nep_ctx *ctx, const nep_geometry *g, const bool *use, int64_t n,
                                         const double *a, const double *b, const nep_compare_opts *opts,
                                         nep_comparison *out);
/* The same of two maps on the voxels of a mask, both finite at each: a b [voxels of the mask, in the grid's order], n_regions counts voxels.
 * Both maps' surrogates come from one nep_nulls_create_voxels. Errors: NEP_E_ARG (a missing value, fewer than 3 voxels, a constant map), those of
 * nep_nulls_create_voxels. Cost: that, and each surrogate's (Spearman: n log n more). Memory: 2^24 values, or 64 surrogates where these are more. */
NEP_MUST_USE nep_status nep_compare_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, const double *a, const double *b,
                                           const nep_compare_opts *opts, const nep_sampled_opts *sampled, nep_comparison *out);
/* The statistic alone, over pairs where both are finite; NaN when fewer than 3 pairs or no spread. scratch [4
 * n]. */
double nep_compare_statistic_of(nep_compare_statistic s, const double *a, const double *b, int64_t n,
                                double *scratch);

/* ---- dominance (dominance.c) -------------------------------------------------------------------- */
typedef struct nep_dominance nep_dominance;
enum { NEP_DOMINANCE_MAX = 20 };

/* Total dominance as a quadratic form: D_j(y) = r' Q_j r + k_j with r = X'y / n, X and y z-scored.
 *
 * x      [n, p]  predictors, finite; z-scored inside
 * names  [p]     for sentences, or NULL
 *
 * D_j is the mean over subset sizes of the mean gain in adjusted R2 when predictor j joins; the sum over j is
 * the adjusted R2 of all. 2^p subsets by Gray-code sweeps, once: about 0.3 s for p = 19. Same bits for any
 * thread count. Errors: NEP_E_ARG (p < 1, p > NEP_DOMINANCE_MAX, n < p + 2), NEP_E_SINGULAR (constant or
 * collinear predictors, named). Source: Azen & Budescu (2003) Psychol Methods 8:129; sweep: Goodnight (1979)
 * Am Stat 33:149. */
NEP_MUST_USE nep_status nep_dominance_create(nep_ctx *ctx, const double *x, int64_t n, int64_t p,
                                             char *const *names, nep_dominance **out);
void nep_dominance_free(nep_dominance *d);
/* Dominance of every predictor for m maps y [m, n]: out [m, p]; r2 [m] gets the adjusted R2 of all, or NULL.
 * A map without spread gives NaN. Cost: m p (n + p^2). */
NEP_MUST_USE nep_status nep_dominance_score(nep_ctx *ctx, const nep_dominance *d, const double *y, int64_t m,
                                            double *out, double *r2);
/* p per predictor, two-sided about the nulls' mean: (1 + #{|D_b - mean| >= |D - mean|}) / (n_nulls + 1); null
 * [n_nulls, p]. */
NEP_MUST_USE nep_status nep_dominance_p(nep_ctx *ctx, const double *observed, const double *null,
                                        int64_t n_nulls, int64_t p, double *out);

/* q of each of n p values, n small: the least share of false discoveries at which it is kept; NaN stays out and NaN. Cost:
 * n^3. Source: Benjamini & Hochberg (1995) J R Stat Soc B 57:289, doi:10.1111/j.2517-6161.1995.tb02031.x. */
void nep_fdr_adjust(const double *p, int64_t n, double *out);

/* ---- receptor profile of a map (profile.c) ------------------------------------------------------ */
typedef struct {
    nep_nulls_kind kind;
    int64_t n_nulls;      /* surrogates of the map */
    double lambda;        /* ridge, in units of the targets' variance (1) */
    uint64_t stream;      /* of the surrogates */
    const double *weight; /* [n_regions] or NULL (1) */
} nep_profile_opts;
#define NEP_PROFILE_DEFAULTS                                                                                 \
    {                                                                                                        \
        .kind = NEP_NULLS_MORAN, .n_nulls = 10000, .lambda = 0.1                                             \
    }

typedef struct nep_profile nep_profile;

/* What a map d says about each target: c = R'Wd, G = R'WR, c' = (G + diag(e) + lambda I)^-1 c, for the map
 * and its surrogates.
 *
 * receptor     [g->n_regions, n_targets]  z-scored again within compartment (cortex, the rest) over the
 * regions used reliability  [n_targets, 2]  inter-tracer rho in cortex and elsewhere, or NULL (no error); e =
 * weighted mean of 1 - rho, rho clamped to [0, 1]; NaN takes the mean of the known ones of its compartment
 * effect       [g->n_regions], effect_se [g->n_regions] or NULL
 *
 * Regions with a missing effect or receptor value are left out (the latter with a warning). The map and each
 * surrogate are centred within compartment and brought to unit weighted norm, so that score A is a
 * correlation. Errors: NEP_E_ARG (fewer than 5 regions left, n_targets < 1, n_nulls < 2, lambda < 0, constant
 * map), NEP_E_SINGULAR (lambda 0 and collinear targets), those of nep_nulls_create. Cost: n_nulls * n * (n +
 * n_targets). */
NEP_MUST_USE nep_status nep_profile_create(nep_ctx *ctx, const nep_geometry *g, const bool *use,
                                           const double *receptor, int64_t n_targets,
                                           const double *reliability, const double *effect,
                                           const double *effect_se, const nep_profile_opts *opts,
                                           nep_profile **out);
void nep_profile_free(nep_profile *p);
int64_t nep_profile_targets(const nep_profile *p);
int64_t nep_profile_regions(const nep_profile *p);    /* regions used */
nep_nulls_kind nep_profile_kind(const nep_profile *p); /* of its surrogates */
const double *nep_profile_beta(const nep_profile *p); /* [n_targets] c' of the map */
const double *nep_profile_z(const nep_profile *p);    /* [n_targets] (c'_r - mean) / sd over the surrogates */

/* Scores of n rows of target weights (occupancies, signed or not).
 *
 * which  'A': a'c / sqrt(a'G a), the weighted correlation of the row's map with d
 *        'B': a'(c' - mu0') / sqrt(a' S0' a), mu0' and S0' the mean and covariance of c' over the surrogates
 * stream 0 scores the map as measured; another one scores d + effect_se * normal(stream), mu0' and S0' kept.
 * A region without effect_se is not redrawn. a      [n, n_targets], finite; a row of zeros scores NaN score
 * [n]; p [n] by counting over the surrogates, two-sided, or NULL; p_max [n] against the maximum over all
 * rows, or NULL
 *
 * Source: sections "Score" of the project's contracts; max statistic: Westfall & Young (1993). */
NEP_MUST_USE nep_status nep_profile_score(nep_ctx *ctx, const nep_profile *profile, char which,
                                          uint64_t stream, const double *a, int64_t n, double *score,
                                          double *p, double *p_max);
/* The same scores for surrogates first .. first+count-1 of the map: out [count, n]. What a ranking measure
 * does under the map null (its range, its p) follows from these. Errors: NEP_E_ARG (outside 0 .. n_nulls). */
NEP_MUST_USE nep_status nep_profile_null_scores(nep_ctx *ctx, const nep_profile *profile, char which,
                                                int64_t first, int64_t count, const double *a, int64_t n,
                                                double *out);
/* One row's score taken apart: share [n_targets] sums to the score (stream 0). */
NEP_MUST_USE nep_status nep_profile_share(nep_ctx *ctx, const nep_profile *profile, char which,
                                          const double *a, double *share);

#ifdef __cplusplus
}
#endif
#endif
