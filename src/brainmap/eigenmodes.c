/* SPDX-License-Identifier: Apache-2.0 */
/* eigenmodes - the smooth modes of each hemisphere and compartment: eigenvectors of the Laplacian of the graph of
 * nearest neighbours, in groups whose modes have nearly the same wavelength. Definition: include/nepenthe/brainmap.h. */
#include "nulls.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdlib.h>

enum { NEIGHBOURS = 6, DENSE = NULLS_ALL_MODES, FEW = NULLS_FEW_MODES };

/* The regions of one hemisphere and compartment, and where their modes stand. */
typedef struct {
    int64_t *member; /* [m] ascending */
    int64_t m, first_vector, first_group, groups, first_match;
    bool cortex;
    char hemisphere;
} piece;

/* What decides who is a neighbour: the sphere, where sulci do not bring far regions near; else mm. */
static const double *place_of(const nep_nulls *nulls, const piece *p, int64_t i)
{
    return p->cortex ? nulls->sphere[p->member[i]] : nulls->mm[p->member[i]];
}

/* near[k] of region i, nearest first, ties by number. */
static int64_t nearest_few(const nep_nulls *nulls, const piece *p, int64_t i, int64_t *near)
{
    double far[NEIGHBOURS];
    int64_t found = 0;
    for (int64_t j = 0; j < p->m; j++) {
        if (j == i)
            continue;
        const double d = nulls_distance(place_of(nulls, p, i), place_of(nulls, p, j));
        if (found == NEIGHBOURS && !(d < far[found - 1]))
            continue;
        int64_t at = found < NEIGHBOURS ? found++ : found - 1;
        for (; at > 0 && d < far[at - 1]; at--) {
            far[at] = far[at - 1];
            near[at] = near[at - 1];
        }
        far[at] = d;
        near[at] = j;
    }
    return found;
}

/* near [m, NEIGHBOURS] and how many of them there are: the same for each region. */
static int64_t neighbour_list(const nep_nulls *nulls, const piece *p, int64_t *near)
{
    int64_t found = 0;
    for (int64_t i = 0; i < p->m; i++)
        found = nearest_few(nulls, p, i, near + i * NEIGHBOURS);
    return found;
}

/* Weight of the edge between i and j: 1 / d^2 in mm. */
static nep_status weigh(nep_ctx *ctx, const nep_nulls *nulls, const piece *p, const char *const *names, int64_t i, int64_t j, double *weight)
{
    const double d = nulls_distance(nulls->mm[p->member[i]], nulls->mm[p->member[j]]);
    NEP_REQUIRE(ctx, d > 0.0, NEP_E_ARG,
                "eigenmodes: regions '%s' and '%s' lie at the same place, so 1/distance does not exist: "
                "correct the geometry or leave one out",
                names[p->member[i]], names[p->member[j]]);
    *weight = 1.0 / (d * d);
    return NEP_OK;
}

/* Laplacian of the graph: i and j are joined where either is among the other's nearest. */
static nep_status laplacian(nep_ctx *ctx, const nep_nulls *nulls, const piece *p, const char *const *names, const int64_t *near, int64_t found,
                            double *l)
{
    const int64_t m = p->m;
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k < found; k++) {
            const int64_t j = near[i * NEIGHBOURS + k];
            double weight = 0.0;
            NEP_TRY(weigh(ctx, nulls, p, names, i, j, &weight));
            l[i * m + j] = l[j * m + i] = -weight;
        }
    for (int64_t i = 0; i < m; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < m; j++)
            sum -= j == i ? 0.0 : l[i * m + j];
        l[i * m + i] = sum;
    }
    return NEP_OK;
}

int64_t nep_eigenmodes_group(int64_t modes, int32_t *group)
{
    int64_t n = 0;
    for (int64_t left = modes, size = 3; left > 0; size += 2) {
        const int64_t taken = left < size ? left : size;
        group[n++] = (int32_t)taken;
        left -= taken;
    }
    return n;
}

nep_status nep_eigenmodes_all(nep_ctx *ctx, double *l, int64_t m, double *lambda)
{
    double largest = 0.0;
    for (int64_t i = 0; i < m; i++)
        largest = fmax(largest, l[i * m + i]);
    for (int64_t e = 0; e < m * m; e++) /* the constant goes on top, out of the way of the modes */
        l[e] += 4.0 * largest / (double)m;
    openblas_set_num_threads(1); /* more threads would change the bits */
    const lapack_int info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)m, l, (lapack_int)m, lambda);
    NEP_REQUIRE(ctx, info == 0, NEP_E_INTERNAL, "eigenmodes: the eigenvalue solver failed with %d", (int)info);
    return NEP_OK;
}

/* All modes of a small piece. */
static nep_status dense_modes(nep_ctx *ctx, nep_nulls *nulls, const piece *p, const char *const *names, const int64_t *near, int64_t found)
{
    const int64_t m = p->m;
    double *l = NULL, *lambda = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * m, sizeof *l, "eigenmodes: Laplacian", &l));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *lambda, "eigenmodes: eigenvalues", &lambda));
    NEP_TRY_OR_DONE(st, laplacian(ctx, nulls, p, names, near, found, l));
    NEP_TRY_OR_DONE(st, nep_eigenmodes_all(ctx, l, m, lambda));
    for (int64_t k = 0; k < m - 1; k++, nulls->n_vectors++) /* the last one is the constant */
        for (int64_t i = 0; i < m; i++)
            nulls->vectors[nulls->n_vectors * nulls->n + p->member[i]] = l[i * m + k];
done:
    nep_alloc_free(lambda);
    nep_alloc_free(l);
    return st;
}

typedef struct {
    double height;
    int64_t region;
} rung;

static int by_height(const void *x, const void *y)
{
    const rung *a = x, *b = y;
    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    return (a->region > b->region) - (a->region < b->region);
}

/* at[i]: the row of region i in the band. Regions in order of height along the longest axis keep the band narrow. */
static nep_status order_rows(nep_ctx *ctx, const nep_nulls *nulls, const piece *p, int64_t *at)
{
    rung *ladder = NULL;
    int axis = 0;
    double longest = -1.0;
    nep_status st;
    for (int k = 0; k < 3; k++) {
        double low = (double)INFINITY, high = -(double)INFINITY;
        for (int64_t i = 0; i < p->m; i++) {
            low = fmin(low, place_of(nulls, p, i)[k]);
            high = fmax(high, place_of(nulls, p, i)[k]);
        }
        if (high - low > longest) {
            longest = high - low;
            axis = k;
        }
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->m, sizeof *ladder, "eigenmodes: rows", &ladder));
    for (int64_t i = 0; i < p->m; i++)
        ladder[i] = (rung){place_of(nulls, p, i)[axis], i};
    qsort(ladder, (size_t)p->m, sizeof *ladder, by_height);
    for (int64_t i = 0; i < p->m; i++)
        at[ladder[i].region] = i;
done:
    nep_alloc_free(ladder);
    return st;
}

/* The smoothest modes of a large piece, from the banded Laplacian. */
static nep_status few_modes(nep_ctx *ctx, nep_nulls *nulls, const piece *p, const char *const *names, const int64_t *near, int64_t found)
{
    const int64_t m = p->m;
    double *band = NULL, *lambda = NULL, *v = NULL;
    int64_t *at = NULL, width = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *at, "eigenmodes: rows", &at));
    NEP_TRY_OR_DONE(st, order_rows(ctx, nulls, p, at));
    for (int64_t e = 0; e < m * NEIGHBOURS; e++) {
        const int64_t apart = at[e / NEIGHBOURS] - at[near[e]];
        width = llabs(apart) > width ? llabs(apart) : width;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * (width + 1), sizeof *band, "eigenmodes: band", &band));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, FEW, sizeof *lambda, "eigenmodes: eigenvalues", &lambda));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, FEW * m, sizeof *v, "eigenmodes: modes", &v));
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k < found; k++) {
            const int64_t j = near[i * NEIGHBOURS + k], low = at[i] < at[j] ? at[i] : at[j], high = at[i] + at[j] - low;
            double *cell = band + low * (width + 1) + high - low, weight = 0.0;
            if (*cell != 0.0)
                continue; /* each is among the other's nearest */
            NEP_TRY_OR_DONE(st, weigh(ctx, nulls, p, names, i, j, &weight));
            *cell = -weight;
            band[low * (width + 1)] += weight;
            band[high * (width + 1)] += weight;
        }
    NEP_TRY_OR_DONE(st, nep_lanczos_smallest(ctx, band, m, width, FEW, lambda, v));
    for (int64_t k = 0; k < FEW; k++, nulls->n_vectors++)
        for (int64_t i = 0; i < m; i++)
            nulls->vectors[nulls->n_vectors * nulls->n + p->member[i]] = v[k * m + at[i]];
    nulls->partial = true;
done:
    nep_alloc_free(v);
    nep_alloc_free(lambda);
    nep_alloc_free(band);
    nep_alloc_free(at);
    return st;
}

static int64_t modes_of(const piece *p)
{
    return p->m < 2 ? 0 : p->m <= DENSE ? p->m - 1 : FEW; /* one region alone stays as it is */
}

static nep_status piece_modes(nep_ctx *ctx, nep_nulls *nulls, piece *p, const char *const *names)
{
    int64_t *near = NULL;
    nep_status st = NEP_OK;

    p->first_vector = nulls->n_vectors;
    p->first_group = nulls->n_groups;
    if (modes_of(p) == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->m * NEIGHBOURS, sizeof *near, "eigenmodes: neighbours", &near));
    const int64_t found = neighbour_list(nulls, p, near);
    NEP_TRY_OR_DONE(st, (p->m <= DENSE ? dense_modes : few_modes)(ctx, nulls, p, names, near, found));
    p->groups = nep_eigenmodes_group(modes_of(p), nulls->group + nulls->n_groups);
    nulls->n_groups += p->groups;
done:
    nep_alloc_free(near);
    return st;
}

/* The left region whose mirror image lies nearest to right region i. */
static int64_t mirrored(const nep_nulls *nulls, const piece *left, const piece *right, int64_t i)
{
    const double *c = place_of(nulls, right, i), image[3] = {-c[0], c[1], c[2]};
    int64_t best = 0;
    double least = (double)INFINITY;
    for (int64_t j = 0; j < left->m; j++) {
        const double d = nulls_distance(place_of(nulls, left, j), image);
        if (d < least) {
            least = d;
            best = j;
        }
    }
    return best;
}

/* match = U V' of the overlap of the left's modes, mirrored, with the right's: group g of both, size m. */
static nep_status match_group(nep_ctx *ctx, const nep_nulls *nulls, const piece *left, const piece *right, const int64_t *image, int64_t v_left,
                              int64_t v_right, int64_t m, double *match)
{
    double *overlap = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 3 * m * m + 2 * m, sizeof *overlap, "eigenmodes: overlap", &overlap));
    double *u = overlap + m * m, *vt = u + m * m, *s = vt + m * m;
    for (int64_t a = 0; a < m; a++)
        for (int64_t b = 0; b < m; b++)
            for (int64_t i = 0; i < right->m; i++)
                overlap[a * m + b] += nulls->vectors[(v_left + a) * nulls->n + left->member[image[i]]] *
                                      nulls->vectors[(v_right + b) * nulls->n + right->member[i]];
    const lapack_int k = (lapack_int)m;
    const lapack_int info = LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'A', 'A', k, k, overlap, k, s, u, k, vt, k, s + m);
    NEP_REQUIRE_OR_DONE(st, ctx, info == 0, NEP_E_INTERNAL, "eigenmodes: the singular values failed with %d", (int)info);
    for (int64_t a = 0; a < m; a++)
        for (int64_t b = 0; b < m; b++) {
            match[a * m + b] = 0.0;
            for (int64_t c = 0; c < m; c++)
                match[a * m + b] += u[a * m + c] * vt[c * m + b];
        }
done:
    nep_alloc_free(overlap);
    return st;
}

/* The right piece turns as the left one's mirror image, group by group, as far as both have the same groups. */
static nep_status match_pieces(nep_ctx *ctx, nep_nulls *nulls, const piece *left, const piece *right)
{
    int64_t *image = NULL, v = 0, cell = right->first_match;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, right->m, sizeof *image, "eigenmodes: mirror image", &image));
    for (int64_t i = 0; i < right->m; i++)
        image[i] = mirrored(nulls, left, right, i);
    for (int64_t g = 0; g < right->groups && g < left->groups; g++) {
        const int64_t m = nulls->group[right->first_group + g];
        if (nulls->group[left->first_group + g] != m)
            break;
        nulls->mate[right->first_group + g] = (int32_t)(left->first_group + g);
        NEP_TRY_OR_DONE(st,
                        match_group(ctx, nulls, left, right, image, left->first_vector + v, right->first_vector + v, m, nulls->match + cell));
        v += m;
        cell += m * m;
    }
    st = NEP_OK;
done:
    nep_alloc_free(image);
    return st;
}

static void choose_members(const nep_nulls *nulls, int32_t block, piece *p, int64_t *room)
{
    static const char side[3] = {'L', 'R', 'B'};
    *p = (piece){.member = room, .cortex = block < 3, .hemisphere = side[block % 3]};
    for (int64_t i = 0; i < nulls->n; i++)
        if (nulls->block[i] == block)
            p->member[p->m++] = i;
}

nep_status nep_eigenmodes_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names)
{
    piece p[NULLS_MAX_BLOCKS];
    int64_t *member = NULL, cells = 0, modes = 0, used = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n, sizeof *member, "eigenmodes: regions", &member));
    for (int32_t b = 0; b < NULLS_MAX_BLOCKS; b++) {
        choose_members(nulls, b, &p[b], member + used);
        used += p[b].m;
        modes += modes_of(&p[b]);
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, modes * nulls->n, sizeof(double), "eigenmodes", &nulls->vectors));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, modes, sizeof *nulls->group, "eigenmodes: groups", &nulls->group));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, modes, sizeof *nulls->mate, "eigenmodes: mates", &nulls->mate));
    for (int32_t b = 0; b < NULLS_MAX_BLOCKS; b++) {
        NEP_TRY_OR_DONE(st, piece_modes(ctx, nulls, &p[b], names));
        p[b].first_match = cells;
        for (int64_t g = p[b].first_group; g < nulls->n_groups; g++) {
            cells += (int64_t)nulls->group[g] * nulls->group[g];
            nulls->mate[g] = -1;
        }
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, cells, sizeof *nulls->match, "eigenmodes: matches", &nulls->match));
    NEP_TRY_OR_DONE(st, match_pieces(ctx, nulls, &p[0], &p[1]));
    NEP_TRY_OR_DONE(st, match_pieces(ctx, nulls, &p[3], &p[4]));
done:
    nep_alloc_free(member);
    return st;
}
