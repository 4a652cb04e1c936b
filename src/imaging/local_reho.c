/* SPDX-License-Identifier: Apache-2.0 */
/* local_reho - neighbours in a volume, ranks over time, Kendall's W of a voxel with its neighbours. */
#include <nepenthe/local.h>

#include <limits.h>

static nep_status check_places(nep_ctx *ctx, const int64_t dims[3], const int64_t *voxel, int64_t n)
{
    for (int a = 0; a < 3; a++)
        NEP_REQUIRE(ctx, dims[a] >= 1 && dims[a] <= INT_MAX, NEP_E_ARG, "local: a side of %lld voxels", (long long)dims[a]);
    NEP_REQUIRE(ctx, n >= 0 && n <= INT_MAX && dims[0] <= INT64_MAX / dims[1] / dims[2], NEP_E_ARG, "local: %lld voxels are too many",
                (long long)n);
    for (int64_t c = 0; c < n; c++)
        NEP_REQUIRE(ctx, voxel[c] >= 0 && voxel[c] < dims[0] * dims[1] * dims[2] && (c == 0 || voxel[c] > voxel[c - 1]), NEP_E_ARG,
                    "local: places of voxels must ascend within the volume; number %lld is %lld", (long long)c, (long long)voxel[c]);
    return NEP_OK;
}

static void neighbours_of(const int64_t dims[3], const int32_t *column, int64_t v, int reach, bool inner, int32_t *near)
{
    const int64_t x = v % dims[0], y = v / dims[0] % dims[1], z = v / (dims[0] * dims[1]);
    const bool edge = x == 0 || y == 0 || z == 0 || x + 1 == dims[0] || y + 1 == dims[1] || z + 1 == dims[2];
    for (int dz = -1; dz <= 1; dz++)
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++) {
                if ((dx != 0) + (dy != 0) + (dz != 0) > reach)
                    continue;
                const bool inside = x + dx >= 0 && x + dx < dims[0] && y + dy >= 0 && y + dy < dims[1] && z + dz >= 0 && z + dz < dims[2];
                *near++ = inside && !(inner && edge) ? column[v + dx + dims[0] * (dy + dims[1] * dz)] : -1;
            }
}

nep_status nep_local_neighbours(nep_ctx *ctx, const int64_t dims[3], const int64_t *voxel, int64_t n_cols, int size, bool inner,
                                int32_t *neighbour)
{
    const int reach = size == 7 ? 1 : size == 19 ? 2 : 3; /* steps along different axes */
    int32_t *column = NULL;
    NEP_REQUIRE(ctx, size == 7 || size == 19 || size == 27, NEP_E_ARG, "local: %d neighbours; there are 7, 19 or 27 with the voxel itself", size);
    NEP_TRY(check_places(ctx, dims, voxel, n_cols));
    const int64_t n_vox = dims[0] * dims[1] * dims[2];
    NEP_TRY(nep_alloc(ctx, n_vox, sizeof *column, "columns of voxels", &column));
    for (int64_t v = 0; v < n_vox; v++)
        column[v] = -1;
    for (int64_t c = 0; c < n_cols; c++)
        column[voxel[c]] = (int32_t)c;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t c = 0; c < n_cols; c++)
        neighbours_of(dims, column, voxel[c], reach, inner, neighbour + c * size);
    nep_alloc_free(column);
    return NEP_OK;
}

static nep_status check_definition(nep_ctx *ctx, nep_voxelwise_definition d)
{
    NEP_REQUIRE(ctx, d != NEP_VOXELWISE_CONN, NEP_E_ARG, "reho: %s has none; the definitions are canonical, afni, cpac and xcpd",
                nep_voxelwise_name(d));
    return NEP_OK;
}

nep_status nep_local_ranks(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_voxelwise_definition definition, int16_t *rank,
                           int64_t *tie)
{
    const nep_rank_rule rule = definition == NEP_VOXELWISE_AFNI   ? NEP_RANK_TRUNCATED
                               : definition == NEP_VOXELWISE_CPAC ? NEP_RANK_CEILING
                                                                  : NEP_RANK_MIDRANK;
    NEP_TRY(check_definition(ctx, definition));
    NEP_REQUIRE(ctx, n_t >= 3 && n_t <= NEP_RANK_MOST, NEP_E_ARG, "reho: %lld frames; it needs 3 to %d", (long long)n_t, (int)NEP_RANK_MOST);
    return nep_backend_time_ranks(ctx, x, n_t, n_cols, rule, rank, tie);
}

/* From ranks doubled and centred, of sum s and sum of squares q over time: their mean is not quite 0 where they were rounded up. */
static double concordance(double s, double q, double k, double n, double ties)
{
    const double whole = k * k * (n * n * n - n) - k * ties;
    return k >= 2 && whole > 0 ? 3 * (q - s * s / n) / whole : (double)NAN;
}

nep_status nep_local_reho(nep_ctx *ctx, const int16_t *rank, const int64_t *tie, int64_t n_t, int64_t n_cols, const int32_t *neighbour,
                          int64_t n_near, nep_voxelwise_definition definition, double *w)
{
    const bool corrected = definition == NEP_VOXELWISE_CANONICAL || definition == NEP_VOXELWISE_AFNI;
    int64_t *sum = NULL, *squares = NULL;
    nep_status st;
    NEP_TRY(check_definition(ctx, definition));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *sum, "sums of ranks", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *squares, "sums of squares", &squares));
    NEP_TRY_OR_DONE(st, nep_backend_neighbour_ranks(ctx, rank, n_t, n_cols, neighbour, n_near, sum, squares));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t c = 0; c < n_cols; c++) {
        double k = 0, ties = 0;
        for (int64_t i = 0; i < n_near; i++) {
            const int32_t near = neighbour[c * n_near + i];
            if (near < 0 || tie[near] < 0)
                continue;
            k += 1;
            ties += corrected ? (double)tie[near] : 0;
        }
        w[c] = tie[c] < 0 ? (double)NAN : concordance((double)sum[c], (double)squares[c], k, (double)n_t, ties);
    }
done:
    nep_alloc_free(squares);
    nep_alloc_free(sum);
    return st;
}
