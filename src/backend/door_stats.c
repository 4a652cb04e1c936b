/* SPDX-License-Identifier: Apache-2.0 */
/* door_stats - front doors of the ops on drugs, permutations, fingerprints and null maps. */
#include "backend/count_max.h"
#include "backend/place.h"

#include <limits.h>
#include <string.h>

static nep_status begin(nep_ctx *ctx, const nep_backend *be, bool has_op, const char *op)
{
    NEP_REQUIRE(ctx, has_op, NEP_E_NOTSUP, "%s: no %s version", op, be->name);
    return nep_ctx_check(ctx);
}

static nep_status check_size(nep_ctx *ctx, const char *op, const char *what, int64_t n, int64_t least)
{
    NEP_REQUIRE(ctx, n >= least && n <= INT_MAX, NEP_E_ARG, "%s: %s is %lld, must be %lld to %d", op, what,
                (long long)n, (long long)least, INT_MAX);
    return NEP_OK;
}

nep_status nep_backend_occupancy(nep_ctx *ctx, const float *conc_nM, const float *kd_nM, const float *hill, int64_t n,
                                 float *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st = NEP_OK;
    NEP_TRY(begin(ctx, be, be->ops.occupancy, "occupancy"));
    NEP_REQUIRE(ctx, n >= 0, NEP_E_ARG, "occupancy: n is %lld, must not be negative", (long long)n);
    if (n == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, conc_nM && kd_nM && hill && out, NEP_E_ARG, "occupancy: an array is missing");
    if (be->host)
        return be->ops.occupancy(ctx, NULL, conc_nM, kd_nM, hill, n, out);
    const int64_t tile = nep_place_tile(be, n, sizeof *out);
    for (int64_t i = 0; i < n; i += tile, nep_place_free(&p)) {
        const int64_t part = n - i < tile ? n - i : tile;
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, conc_nM + i, NEP_F32, part, "concentrations", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, kd_nM + i, NEP_F32, part, "dissociation constants", &p.b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, hill + i, NEP_F32, part, "Hill coefficients", &p.b[2]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, part, "occupancies", &p.b[3]));
        NEP_TRY_OR_DONE(st, be->ops.occupancy(ctx, be->queue(ctx), p.b[0].ptr, p.b[1].ptr, p.b[2].ptr, part,
                                              p.b[3].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[3], out + i));
    }
done:
    nep_place_free(&p);
    return st;
}

typedef struct {
    const double *y, *basis, *observed;
    int64_t n, n_cols, n_perm, k, tile_cols, tile_perms;
} permutations;

/* Tile of columns c, tile of permutations f: maxima merged into best, counts added to hits (both host). */
static nep_status permute_tile(nep_ctx *ctx, const permutations *q, const nep_backend *be, int64_t c, int64_t f,
                               double *best, int64_t *hits)
{
    const int64_t cols = q->n_cols - c < q->tile_cols ? q->n_cols - c : q->tile_cols;
    const int64_t perms = q->n_perm - f < q->tile_perms ? q->n_perm - f : q->tile_perms, rows = 1 + q->k;
    nep_place p = {0};
    double *max = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, perms, sizeof *max, "maxima of a tile", &max));
    NEP_TRY_OR_DONE(st, nep_place_columns(ctx, q->y, NEP_F64, q->n, q->n_cols, c, cols, "responses", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, q->basis + f * rows * q->n, NEP_F64, perms * rows * q->n, "permuted basis",
                                    &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, q->observed + c, NEP_F64, cols, "observed t", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, perms, "maxima", &p.b[3]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, hits + c, NEP_I64, cols, "counts", &p.b[4]));
    NEP_TRY_OR_DONE(st, be->ops.permute_t(ctx, be->queue(ctx), p.b[0].ptr, q->n, cols, p.b[1].ptr, perms, q->k,
                                          p.b[2].ptr, p.b[3].ptr, p.b[4].ptr, NULL));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[3], max));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[4], hits + c));
    for (int64_t i = 0; i < perms; i++)
        best[f + i] = max[i] > best[f + i] ? max[i] : best[f + i];
done:
    nep_place_free(&p);
    nep_alloc_free(max);
    return st;
}

static nep_status permute_tiled(nep_ctx *ctx, const nep_backend *be, const permutations *q, double *max_abs,
                                int64_t *count, int64_t *count_max)
{
    double *best = NULL;
    int64_t *hits = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, q->n_perm, sizeof *best, "maxima", &best));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, q->n_cols, sizeof *hits, "counts", &hits));
    for (int64_t c = 0; c < q->n_cols; c += q->tile_cols)
        for (int64_t f = 0; f < q->n_perm; f += q->tile_perms)
            NEP_TRY_OR_DONE(st, permute_tile(ctx, q, be, c, f, best, hits));
    if (count_max)
        NEP_TRY_OR_DONE(st, nep_count_max_add(ctx, best, q->n_perm, q->observed, q->n_cols, count_max));
    memcpy(max_abs, best, (size_t)q->n_perm * sizeof *best);
    for (int64_t c = 0; c < q->n_cols; c++)
        count[c] += hits[c];
done:
    nep_alloc_free(hits);
    nep_alloc_free(best);
    return st;
}

nep_status nep_backend_permute_t(nep_ctx *ctx, const double *y, int64_t n, int64_t n_cols, const double *basis,
                                 int64_t n_perm, int64_t k, const double *observed, double *max_abs, int64_t *count,
                                 int64_t *count_max)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_TRY(begin(ctx, be, be->ops.permute_t, "permute_t"));
    NEP_TRY(check_size(ctx, "permute_t", "the number of observations", n, 1));
    NEP_TRY(check_size(ctx, "permute_t", "the number of columns", n_cols, 0));
    NEP_TRY(check_size(ctx, "permute_t", "the number of permutations", n_perm, 0));
    NEP_REQUIRE(ctx, k >= 0 && n - k > 1, NEP_E_ARG,
                "permute_t: %lld observations and %lld nuisance columns leave no degree of freedom", (long long)n,
                (long long)k);
    if (n_perm == 0 || n_cols == 0) {
        for (int64_t p = 0; p < n_perm && max_abs; p++)
            max_abs[p] = 0.0;
        return NEP_OK;
    }
    NEP_REQUIRE(ctx, y && basis && observed && max_abs && count, NEP_E_ARG,
                "permute_t: an array is missing");
    if (be->host)
        return be->ops.permute_t(ctx, NULL, y, n, n_cols, basis, n_perm, k, observed, max_abs, count, count_max);
    const permutations q = {y, basis, observed, n, n_cols, n_perm, k,
                            nep_place_tile(be, n_cols, n * (int64_t)sizeof *y),
                            nep_place_tile(be, n_perm, (1 + k) * n * (int64_t)sizeof *basis)};
    return permute_tiled(ctx, be, &q, max_abs, count, count_max);
}

nep_status nep_backend_permute_maps(nep_ctx *ctx, const double *y, int64_t n, int64_t n_cols, const double *basis,
                                    int64_t n_perm, int64_t r, int64_t k, double df, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place fixed = {0}, part = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.permute_maps, "permute_maps"));
    NEP_TRY(check_size(ctx, "permute_maps", "the number of observations", n, 1));
    NEP_TRY(check_size(ctx, "permute_maps", "the number of columns", n_cols, 0));
    NEP_TRY(check_size(ctx, "permute_maps", "the number of permutations", n_perm, 0));
    NEP_REQUIRE(ctx, r >= 1 && k >= 0 && r + k < n && df > 0.0, NEP_E_ARG,
                "permute_maps: %lld observations, %lld regressors, %lld nuisance columns and %g degrees of freedom", (long long)n,
                (long long)r, (long long)k, df);
    if (n_perm == 0 || n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, y && basis && out, NEP_E_ARG, "permute_maps: an array is missing");
    if (be->host)
        return be->ops.permute_maps(ctx, NULL, y, n, n_cols, basis, n_perm, r, k, df, out);
    const int64_t widest = n > n_perm ? n : n_perm, tile = nep_place_tile(be, n_cols, widest * (int64_t)sizeof *y);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, basis, NEP_F64, n_perm * (r + k) * n, "permuted basis", &fixed.b[0]));
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&part)) {
        const int64_t cols = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, y, NEP_F64, n, n_cols, c, cols, "responses", &part.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n_perm * cols, "statistics", &part.b[1]));
        NEP_TRY_OR_DONE(st, be->ops.permute_maps(ctx, be->queue(ctx), part.b[0].ptr, n, cols, fixed.b[0].ptr, n_perm, r, k, df,
                                                 part.b[1].ptr));
        NEP_TRY_OR_DONE(st, nep_place_columns_back(ctx, &part.b[1], n_perm, n_cols, c, cols, out));
    }
done:
    nep_place_free(&part);
    nep_place_free(&fixed);
    return st;
}

nep_status nep_backend_tanimoto(nep_ctx *ctx, const uint64_t *a, int64_t n_a, const uint64_t *b, int64_t n_b,
                                int64_t words, int32_t *common, int32_t *total)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_buf all_b = {0};
    nep_place p = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.tanimoto, "tanimoto"));
    NEP_TRY(check_size(ctx, "tanimoto", "the number of left rows", n_a, 0));
    NEP_TRY(check_size(ctx, "tanimoto", "the number of right rows", n_b, 0));
    NEP_REQUIRE(ctx, words >= 1 && words <= INT_MAX / 128, NEP_E_ARG,
                "tanimoto: %lld words per fingerprint, must be 1 to %d", (long long)words, INT_MAX / 128);
    if (n_a == 0 || n_b == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, a && b && common && total, NEP_E_ARG, "tanimoto: an array is missing");
    if (be->host)
        return be->ops.tanimoto(ctx, NULL, a, n_a, b, n_b, words, common, total);
    const int64_t tile = nep_place_tile(be, n_a, n_b * (int64_t)sizeof *common);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, b, NEP_U64, n_b * words, "fingerprints", &all_b));
    for (int64_t i = 0; i < n_a; i += tile, nep_place_free(&p)) {
        const int64_t n = n_a - i < tile ? n_a - i : tile;
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, a + i * words, NEP_U64, n * words, "fingerprints", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, n * n_b, "common bits", &p.b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, n * n_b, "total bits", &p.b[2]));
        NEP_TRY_OR_DONE(st, be->ops.tanimoto(ctx, be->queue(ctx), p.b[0].ptr, n, all_b.ptr, n_b, words, p.b[1].ptr,
                                             p.b[2].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], common + i * n_b));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], total + i * n_b));
    }
done:
    nep_place_free(&p);
    nep_buf_free(&all_b);
    return st;
}

nep_status nep_backend_quadratic_forms(nep_ctx *ctx, const double *r, int64_t n, int64_t p, const double *q,
                                       const double *k, int64_t m, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place fixed = {0}, part = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.quadratic_forms, "quadratic_forms"));
    NEP_TRY(check_size(ctx, "quadratic_forms", "the number of rows", n, 0));
    NEP_TRY(check_size(ctx, "quadratic_forms", "the number of matrices", m, 0));
    NEP_REQUIRE(ctx, p >= 1 && p <= 32768, NEP_E_ARG, "quadratic_forms: p is %lld, must be 1 to 32768", (long long)p);
    if (n == 0 || m == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, r && q && k && out, NEP_E_ARG, "quadratic_forms: an array is missing");
    if (be->host)
        return be->ops.quadratic_forms(ctx, NULL, r, n, p, q, k, m, out);
    const int64_t tile = nep_place_tile(be, n, (p > m ? p : m) * (int64_t)sizeof *r);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, q, NEP_F64, m * p * p, "matrices", &fixed.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, k, NEP_F64, m, "constants", &fixed.b[1]));
    for (int64_t i = 0; i < n; i += tile, nep_place_free(&part)) {
        const int64_t rows = n - i < tile ? n - i : tile;
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, r + i * p, NEP_F64, rows * p, "vectors", &part.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, rows * m, "forms", &part.b[1]));
        NEP_TRY_OR_DONE(st, be->ops.quadratic_forms(ctx, be->queue(ctx), part.b[0].ptr, rows, p, fixed.b[0].ptr,
                                                    fixed.b[1].ptr, m, part.b[1].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &part.b[1], out + i * m));
    }
done:
    nep_place_free(&part);
    nep_place_free(&fixed);
    return st;
}

nep_status nep_backend_exceedances(nep_ctx *ctx, const double *a, int64_t n, int64_t p, const double *c, int64_t n_null,
                                   const double *centre, const double *observed, int64_t *count)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place fixed = {0}, part = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.exceedances, "exceedances"));
    NEP_TRY(check_size(ctx, "exceedances", "the number of rows", n, 0));
    NEP_TRY(check_size(ctx, "exceedances", "the number of nulls", n_null, 0));
    NEP_TRY(check_size(ctx, "exceedances", "p", p, 1));
    if (n == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, a && (c || n_null == 0) && centre && observed && count, NEP_E_ARG,
                "exceedances: an array is missing");
    if (be->host)
        return be->ops.exceedances(ctx, NULL, a, n, p, c, n_null, centre, observed, count);
    const int64_t tile = nep_place_tile(be, n, p * (int64_t)sizeof *a);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, c, NEP_F64, n_null * p, "nulls", &fixed.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, centre, NEP_F64, p, "centre", &fixed.b[1]));
    for (int64_t i = 0; i < n; i += tile, nep_place_free(&part)) {
        const int64_t rows = n - i < tile ? n - i : tile;
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, a + i * p, NEP_F64, rows * p, "rows", &part.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, observed + i, NEP_F64, rows, "observed", &part.b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I64, rows, "counts", &part.b[2]));
        NEP_TRY_OR_DONE(st, be->ops.exceedances(ctx, be->queue(ctx), part.b[0].ptr, rows, p, fixed.b[0].ptr, n_null,
                                                fixed.b[1].ptr, part.b[1].ptr, part.b[2].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &part.b[2], count + i));
    }
done:
    nep_place_free(&part);
    nep_place_free(&fixed);
    return st;
}
