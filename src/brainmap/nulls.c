/* SPDX-License-Identifier: Apache-2.0 */
/* nulls - surrogates of a regional map that keep its spatial structure, drawn by number. */
#include "nulls.h"
#include "variogram.h"

#include <omp.h>
#include <string.h>

static const nulls_row rows[NEP_NULLS_KIND_COUNT] = {
    [NEP_NULLS_MORAN] = {"moran", NULLS_SPECTRAL, false, false, nep_moran_prepare},
    [NEP_NULLS_MORAN_COMPARTMENT] = {"moran-compartment", NULLS_SPECTRAL, false, false, nep_moran_prepare},
    [NEP_NULLS_SPIN] = {"spin", NULLS_MOVED, true, false, nep_spin_prepare},
    [NEP_NULLS_SPIN_HUNGARIAN] = {"spin-hungarian", NULLS_MOVED, true, false, nep_spin_prepare},
    [NEP_NULLS_SPIN_NEAREST] = {"spin-nearest", NULLS_MOVED, true, false, nep_spin_prepare},
    [NEP_NULLS_SHUFFLE] = {"shuffle", NULLS_MOVED, false, false, NULL},
    [NEP_NULLS_MORAN_PAIR] = {"moran-pair", NULLS_SPECTRAL, false, false, nep_moran_prepare},
    [NEP_NULLS_EIGENMODES] = {"eigenmodes", NULLS_SPECTRAL, false, false, nep_eigenmodes_prepare},
    [NEP_NULLS_SPIN_BAUM] = {"spin-baum", NULLS_MOVED, true, true, NULL},
    [NEP_NULLS_SPIN_CORNBLATH] = {"spin-cornblath", NULLS_MIXED, true, true, NULL},
    [NEP_NULLS_VARIOGRAM] = {"variogram", NULLS_MATCHED, false, false, nep_variogram_prepare},
    [NEP_NULLS_VARIOGRAM_VALUES] = {"variogram-values", NULLS_MATCHED, false, false, nep_variogram_prepare},
};

const nulls_row *nep_nulls_row(nep_nulls_kind kind)
{
    return &rows[kind];
}

static bool is_kind(nep_nulls_kind kind)
{
    return (int)kind >= 0 && kind < NEP_NULLS_KIND_COUNT;
}

const char *nep_nulls_name(nep_nulls_kind kind)
{
    return is_kind(kind) ? rows[kind].name : "unknown";
}

bool nep_nulls_find(const char *name, nep_nulls_kind *out)
{
    for (int k = 0; k < NEP_NULLS_KIND_COUNT; k++)
        if (strcmp(name, rows[k].name) == 0) {
            *out = (nep_nulls_kind)k;
            return true;
        }
    return false;
}

bool nep_nulls_cortex_only(nep_nulls_kind kind)
{
    return is_kind(kind) && rows[kind].sphere;
}

bool nep_nulls_needs_all(nep_nulls_kind kind)
{
    return is_kind(kind) && (rows[kind].family == NULLS_SPECTRAL || rows[kind].family == NULLS_MATCHED);
}

bool nep_nulls_needs_surface(nep_nulls_kind kind)
{
    return is_kind(kind) && rows[kind].surface;
}

bool nep_nulls_made_per_map(nep_nulls_kind kind)
{
    return is_kind(kind) && rows[kind].family == NULLS_MATCHED;
}

int64_t nep_nulls_regions(const nep_nulls *nulls)
{
    return nulls->n;
}

nep_nulls_kind nep_nulls_kind_of(const nep_nulls *nulls)
{
    return nulls->kind;
}

void nep_nulls_free(nep_nulls *nulls)
{
    if (!nulls)
        return;
    nep_alloc_free(nulls->mm);
    nep_alloc_free(nulls->sphere);
    nep_alloc_free(nulls->hemisphere);
    nep_alloc_free(nulls->block);
    nep_alloc_free(nulls->vectors);
    nep_alloc_free(nulls->group);
    nep_alloc_free(nulls->mate);
    nep_alloc_free(nulls->match);
    nep_spin_release(nulls->sides);
    nep_surface_release(nulls->sheet[0]);
    nep_surface_release(nulls->sheet[1]);
    nep_variogram_free(nulls->variogram);
    nep_sampled_free(nulls->sampled);
    nep_alloc_free(nulls);
}

static nep_status check_place(nep_ctx *ctx, const nep_geometry *g, int64_t r, const nep_nulls *nulls)
{
    const nep_nulls_kind kind = nulls->kind;
    for (int k = 0; k < 3; k++)
        NEP_REQUIRE(ctx, isfinite(g->mm[r][k]), NEP_E_ARG,
                    "nulls: region '%s' has no coordinates in mm: complete the geometry or leave the region out", g->names[r]);
    if (!rows[kind].sphere && !(nulls->by_modes && g->cortex[r]))
        return NEP_OK;
    const double *s = g->sphere ? g->sphere[r] : NULL;
    const bool by_vertex = rows[kind].surface && g->cortex[r]; /* vertices say where a region lies */
    NEP_REQUIRE(ctx, by_vertex || (s && isfinite(s[0]) && isfinite(s[1]) && isfinite(s[2])), NEP_E_ARG,
                "nulls: %s %s on the cortical sphere and region '%s' has no sphere coordinates: %s", rows[kind].name,
                rows[kind].sphere ? "exists only" : "finds a cortical region's neighbours", g->names[r],
                rows[kind].sphere                  ? "use moran, or take the cortex alone"
                : nulls->n > NULLS_ALL_PAIRS ? "complete the geometry or use variogram"
                                             : "complete the geometry or use moran");
    NEP_REQUIRE(ctx, by_vertex || fabs(s[0] * s[0] + s[1] * s[1] + s[2] * s[2] - 1.0) < 0.02, NEP_E_ARG,
                "nulls: the sphere coordinates of region '%s' are no unit vector: divide them by the sphere's radius", g->names[r]);
    NEP_REQUIRE(ctx, g->hemisphere[r] == 'L' || g->hemisphere[r] == 'R', NEP_E_ARG,
                "nulls: region '%s' is cortex of no single hemisphere, so it cannot be turned: use %s, or leave the region out", g->names[r],
                nulls->n > NULLS_ALL_PAIRS ? "variogram" : "moran");
    return NEP_OK;
}

static int32_t block_of(const nep_nulls *nulls, const nep_geometry *g, int64_t r)
{
    if (nulls->kind == NEP_NULLS_MORAN_COMPARTMENT && !nulls->by_modes)
        return !g->cortex[r];
    if (!nulls->by_modes && rows[nulls->kind].family != NULLS_MATCHED)
        return 0;
    return (g->cortex[r] ? 0 : 3) + (g->hemisphere[r] == 'L' ? 0 : g->hemisphere[r] == 'R' ? 1 : 2);
}

static nep_status fill(nep_ctx *ctx, nep_nulls *nulls, const nep_geometry *g, const bool *use, const char **names)
{
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->mm, "nulls: coordinates", &nulls->mm));
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->sphere, "nulls: sphere coordinates", &nulls->sphere));
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->hemisphere, "nulls: hemispheres", &nulls->hemisphere));
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->block, "nulls: compartments", &nulls->block));
    for (int64_t r = 0, i = 0; r < g->n_regions; r++) {
        if (use && !use[r])
            continue;
        NEP_TRY(check_place(ctx, g, r, nulls));
        memcpy(nulls->mm[i], g->mm[r], sizeof nulls->mm[i]);
        if (g->sphere)
            memcpy(nulls->sphere[i], g->sphere[r], sizeof nulls->sphere[i]);
        nulls->hemisphere[i] = g->hemisphere[r];
        nulls->block[i] = block_of(nulls, g, r);
        names[i++] = g->names[r];
    }
    return NEP_OK;
}

nep_status nep_nulls_create(nep_ctx *ctx, const nep_geometry *g, const bool *use, nep_nulls_kind kind, nep_nulls **out)
{
    return nep_nulls_create_on(ctx, g, use, kind, NULL, out);
}

nep_status nep_nulls_create_on(nep_ctx *ctx, const nep_geometry *g, const bool *use, nep_nulls_kind kind, const nep_surface *surface,
                               nep_nulls **out)
{
    nep_nulls *nulls = NULL;
    const char **names = NULL;
    int64_t n = 0;
    nep_status st;

    NEP_REQUIRE(ctx, g && out, NEP_E_ARG, "nulls: geometry and out must not be NULL");
    NEP_REQUIRE(ctx, is_kind(kind), NEP_E_ARG, "nulls: there is no kind %d", (int)kind);
    NEP_REQUIRE(ctx, surface || !rows[kind].surface, NEP_E_ARG, "nulls: %s turns the vertices of a surface, and none was given",
                rows[kind].name);
    for (int64_t r = 0; r < g->n_regions; r++)
        n += !use || use[r];
    NEP_REQUIRE(ctx, n >= 3, NEP_E_ARG, "nulls: %lld regions are too few, at least 3 are needed", (long long)n);
    NEP_REQUIRE(ctx, n < (1 << 24), NEP_E_ARG, "nulls: %lld regions are too many for a dense method", (long long)n);

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *nulls, "nulls", &nulls));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *names, "nulls: names", &names));
    nulls->kind = kind;
    nulls->n = n;
    nulls->seed = nep_ctx_seed(ctx);
    nulls->by_modes = kind == NEP_NULLS_EIGENMODES || (rows[kind].family == NULLS_SPECTRAL && n > NULLS_ALL_PAIRS);
    NEP_REQUIRE_OR_DONE(st, ctx, !nulls->by_modes || n <= NULLS_SHUFFLED, NEP_E_ARG,
                        "nulls: %lld regions, of which %s surrogates take at most %d: take a coarser surface, or variogram", (long long)n,
                        rows[kind].name, (int)NULLS_SHUFFLED);
    nulls->n_blocks = nulls->by_modes ? NULLS_MAX_BLOCKS : 1 + (kind == NEP_NULLS_MORAN_COMPARTMENT);
    NEP_TRY_OR_DONE(st, fill(ctx, nulls, g, use, names));
    if (rows[kind].prepare)
        NEP_TRY_OR_DONE(st, rows[kind].prepare(ctx, nulls, names));
    if (rows[kind].surface)
        NEP_TRY_OR_DONE(st, nep_surface_prepare(ctx, nulls, surface, names));
    *out = nulls;
    nulls = NULL;
done:
    nep_alloc_free(names);
    nep_nulls_free(nulls);
    return st;
}

bool nep_nulls_of_voxels(nep_nulls_kind kind)
{
    return is_kind(kind) && !rows[kind].sphere && kind != NEP_NULLS_MORAN_COMPARTMENT;
}

/* What all kinds of voxels but the matched ones need, which have checks of their own. */
static nep_status check_voxels(nep_ctx *ctx, const nep_grid *grid, const nep_nulls *nulls)
{
    double mm[3];
    NEP_REQUIRE(ctx, nulls->n >= 3, NEP_E_ARG, "nulls: %lld voxels are too few, at least 3 are needed", (long long)nulls->n);
    NEP_REQUIRE(ctx, nulls->n <= NULLS_SHUFFLED, NEP_E_ARG,
                "nulls: %lld voxels, of which %s surrogates take at most %d: bring the map to a coarser grid (nepenthe resample) or choose variogram",
                (long long)nulls->n, rows[nulls->kind].name, (int)NULLS_SHUFFLED);
    nep_voxel_edges(grid, mm);
    for (int k = 0; k < 3; k++)
        NEP_REQUIRE(ctx, isfinite(mm[k]) && mm[k] > 0.0, NEP_E_ARG,
                    "nulls: the affine gives voxels no extent along axis %d: repair the image's header", k + 1);
    return NEP_OK;
}

/* The places of a mask's voxels, in the grid's order. */
static nep_status fill_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_nulls *nulls)
{
    NEP_TRY(nep_alloc(ctx, nulls->n, sizeof *nulls->mm, "nulls: coordinates", &nulls->mm));
    for (int64_t v = 0, i = 0; v < nep_grid_voxels(grid); v++) {
        const double at[3] = {(double)(v % grid->nx), (double)(v / grid->nx % grid->ny), (double)(v / grid->nx / grid->ny)};
        if (!mask[v])
            continue;
        for (int r = 0; r < 3; r++)
            nulls->mm[i][r] = grid->affine[r][0] * at[0] + grid->affine[r][1] * at[1] + grid->affine[r][2] * at[2] + grid->affine[r][3];
        i++;
    }
    return NEP_OK;
}

nep_status nep_nulls_create_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_nulls_kind kind, const nep_sampled_opts *opts,
                                   nep_nulls **out)
{
    nep_nulls *nulls = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, grid && mask && out, NEP_E_ARG, "nulls: grid, mask and out must not be NULL");
    NEP_REQUIRE(ctx, nep_nulls_of_voxels(kind), NEP_E_ARG,
                "nulls: %s surrogates do not exist for voxels: choose variogram, variogram-values, eigenmodes, moran, moran-pair or shuffle",
                nep_nulls_name(kind));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *nulls, "nulls", &nulls));
    nulls->kind = kind;
    nulls->seed = nep_ctx_seed(ctx);
    for (int64_t v = 0; v < nep_grid_voxels(grid); v++)
        nulls->n += mask[v];
    if (rows[kind].family != NULLS_MATCHED)
        NEP_TRY_OR_DONE(st, check_voxels(ctx, grid, nulls));
    if (rows[kind].family == NULLS_MATCHED)
        NEP_TRY_OR_DONE(st, nep_sampled_voxels(ctx, grid, mask, opts, &nulls->sampled));
    if (rows[kind].family == NULLS_SPECTRAL)
        NEP_TRY_OR_DONE(st, nep_voxel_modes_prepare(ctx, grid, mask, nulls));
    NEP_TRY_OR_DONE(st, fill_voxels(ctx, grid, mask, nulls));
    *out = nulls;
    nulls = NULL;
done:
    nep_nulls_free(nulls);
    return st;
}

typedef struct {
    const double *coef, *base, *rest; /* rest is NULL where the vectors span all maps */
} spectral_map;

/* Coefficients of surrogate b; its turning in scratch. */
static void turned_coefficients(const nep_nulls *nulls, const spectral_map *m, uint64_t stream, int64_t b, double *scratch, double *turned)
{
    nep_spectral_turn(nulls, stream, b, scratch);
    nep_spectral_apply(nulls, scratch, m->coef, turned);
}

/* Adds what the vectors leave of a map, its places shuffled within blocks. scratch [n] doubles. */
static void add_rest(const nep_nulls *nulls, const spectral_map *m, uint64_t stream, int64_t b, double *scratch, double *surrogate)
{
    int32_t *index = (int32_t *)(void *)scratch;
    nep_spectral_shuffle(nulls, stream, b, index, index + nulls->n);
    for (int64_t i = 0; i < nulls->n; i++)
        surrogate[i] += m->rest[index[i]];
}

/* Chunks of surrogates: coefficients are turned by threads, the sums of vectors are an op; interruption is looked for at each chunk. */
static nep_status each_spectral(nep_ctx *ctx, const nep_nulls *nulls, const spectral_map *m, uint64_t stream, int64_t first, int64_t count,
                                double *out)
{
    const int64_t n = nulls->n, k = nulls->n_vectors, wish = ((int64_t)1 << 25) / (n * n + 1);
    const int64_t most = wish < 64 ? 64 : wish > 8192 ? 8192 : wish, chunk = most < count ? most : count; /* no result depends on it */
    const int threads = nep_ctx_threads(ctx);
    const int64_t size = nep_spectral_size(nulls), own = size > n ? size : n;
    double *scratch = NULL, *turned = NULL;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, own * threads, sizeof *scratch, "nulls: scratch", &scratch));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, chunk * k, sizeof *turned, "nulls: coefficients", &turned));
    for (int64_t from = 0; from < count; from += chunk) {
        const int64_t some = count - from < chunk ? count - from : chunk;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
        for (int64_t b = 0; b < some; b++)
            turned_coefficients(nulls, m, stream, first + from + b, scratch + own * omp_get_thread_num(), turned + b * k);
        NEP_TRY_OR_DONE(st, nep_backend_mode_sums(ctx, nulls->vectors, k, n, turned, some, m->base, out + from * n));
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
        for (int64_t b = 0; b < (m->rest ? some : 0); b++)
            add_rest(nulls, m, stream, first + from + b, scratch + own * omp_get_thread_num(), out + (from + b) * n);
    }
done:
    nep_alloc_free(turned);
    nep_alloc_free(scratch);
    return st;
}

static nep_status draw_spectral(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream, int64_t first, int64_t count,
                                double *out)
{
    const int64_t n = nulls->n;
    double *work = NULL;
    nep_status st;

    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, isfinite(map[i]), NEP_E_ARG,
                    "nulls: the map has no value at region %lld of %lld and %s surrogates need all: leave "
                    "the region out",
                    (long long)i + 1, (long long)n, rows[nulls->kind].name);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * n + nulls->n_vectors, sizeof *work, "nulls: coefficients of a map", &work));
    double *rest = nulls->partial ? work + n + nulls->n_vectors : NULL;
    nep_spectral_coefficients(nulls, map, work + n, work);
    if (rest)
        nep_spectral_rest(nulls, map, work + n, work, rest);
    const spectral_map m = {work + n, work, rest};
    NEP_TRY_OR_DONE(st, each_spectral(ctx, nulls, &m, stream, first, count, out));
done:
    nep_alloc_free(work);
    return st;
}

/* In float32, some at a time, then widened. */
static nep_status draw_sampled(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream, int64_t first, int64_t count,
                               double *out)
{
    enum { BATCH = 64 };
    const bool own_values = nulls->kind == NEP_NULLS_VARIOGRAM_VALUES;
    float *batch = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(ctx, (count < BATCH ? count : BATCH) * nulls->n, sizeof *batch, "nulls: surrogates", &batch));
    for (int64_t b = 0; b < count && st == NEP_OK; b += BATCH) {
        const int64_t some = count - b < BATCH ? count - b : BATCH;
        st = nep_sampled_draw(ctx, nulls->sampled, map, stream, first + b, some, own_values, batch);
        for (int64_t i = 0; i < some * nulls->n && st == NEP_OK; i++)
            out[b * nulls->n + i] = (double)batch[i];
    }
    nep_alloc_free(batch);
    return st;
}

nep_status nep_nulls_draw(nep_ctx *ctx, const nep_nulls *nulls, const double *map, uint64_t stream, int64_t first, int64_t count, double *out)
{
    NEP_REQUIRE(ctx, nulls && map && out, NEP_E_ARG, "nulls: nulls, map and out must not be NULL");
    NEP_REQUIRE(ctx, first >= 0 && count >= 0, NEP_E_ARG, "nulls: surrogates %lld, %lld of them: neither may be negative", (long long)first,
                (long long)count);
    if (rows[nulls->kind].family == NULLS_SPECTRAL)
        return draw_spectral(ctx, nulls, map, stream, first, count, out);
    if (nulls->sampled)
        return draw_sampled(ctx, nulls, map, stream, first, count, out);
    if (rows[nulls->kind].family == NULLS_MATCHED)
        return nep_variogram_draw(ctx, nulls->variogram, map, nulls->seed, stream, first, count, nulls->kind == NEP_NULLS_VARIOGRAM_VALUES,
                                  out);
    return nep_moved_draw(ctx, nulls, map, stream, first, count, out);
}

nep_status nep_nulls_indices(nep_ctx *ctx, const nep_nulls *nulls, uint64_t stream, int64_t first, int64_t count, int32_t *out)
{
    NEP_REQUIRE(ctx, nulls && out, NEP_E_ARG, "nulls: nulls and out must not be NULL");
    NEP_REQUIRE(ctx, rows[nulls->kind].family == NULLS_MOVED, NEP_E_ARG, "nulls: %s surrogates are no permutation of the map's values",
                rows[nulls->kind].name);
    NEP_REQUIRE(ctx, first >= 0 && count >= 0, NEP_E_ARG, "nulls: surrogates %lld, %lld of them: neither may be negative", (long long)first,
                (long long)count);
    return nep_moved_indices(ctx, nulls, stream, first, count, out);
}
