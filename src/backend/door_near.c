/* SPDX-License-Identifier: Apache-2.0 */
/* door_near - front doors of the ops on the nearest of very many places: they are checked and placed once, maps stay where the backend
 * works. */
#include "backend/place.h"

#include <limits.h>

enum { SCALES = NEP_NEAR_SCALES, COLS = NEP_NEAR_COLS, LAGS = NEP_VARIOGRAM_LAGS };

/* ---- what is placed ---- */

/* Each offset leads from each place to a line. */
static nep_status check_lines(nep_ctx *ctx, const nep_shells *g)
{
    int64_t low = 0, high = 0;
    for (int64_t t = 0; t < g->n_offsets; t++) {
        low = g->offset[t] < low ? g->offset[t] : low;
        high = g->offset[t] > high ? g->offset[t] : high;
    }
    for (int64_t i = 0; i < g->n; i++)
        NEP_REQUIRE(ctx, g->slot[i] >= 0 && g->slot[i] < g->slots && g->slot[i] + low >= 0 && g->slot[i] + high < g->slots, NEP_E_ARG,
                    "shells: offsets lead from place %lld out of the %lld lines", (long long)i, (long long)g->slots);
    for (int64_t q = 0; q < g->slots; q++)
        NEP_REQUIRE(ctx, g->place[q] >= -1 && g->place[q] < g->n, NEP_E_ARG, "shells: line %lld holds place %d of %lld", (long long)q,
                    g->place[q], (long long)g->n);
    return NEP_OK;
}

static nep_status check_shells(nep_ctx *ctx, const nep_shells *g)
{
    NEP_REQUIRE(ctx,
                g->n >= 1 && g->slots >= g->n && g->slots <= INT_MAX && g->n_offsets >= 1 && g->n_shells >= 1 && g->n_bins >= 0 &&
                    g->n_bins <= g->n_shells,
                NEP_E_ARG, "shells: %lld places on %lld lines, %lld offsets in %lld shells, %lld of them for the variogram", (long long)g->n,
                (long long)g->slots, (long long)g->n_offsets, (long long)g->n_shells, (long long)g->n_bins);
    NEP_REQUIRE(ctx, g->slot && g->place && g->offset && g->shell && g->cut && g->whole && g->norm && g->weight, NEP_E_ARG,
                "shells: an array is missing");
    NEP_REQUIRE(ctx, g->shell[0] == 0 && g->shell[g->n_shells] == g->n_offsets, NEP_E_ARG, "shells: they do not hold the %lld offsets",
                (long long)g->n_offsets);
    for (int64_t h = 0; h < g->n_shells; h++)
        NEP_REQUIRE(ctx, g->shell[h] < g->shell[h + 1], NEP_E_ARG, "shells: shell %lld is empty", (long long)h);
    for (int64_t i = 0; i < g->n; i++) {
        int32_t least = 1;
        for (int s = 0; s < SCALES; s++) {
            const int32_t cut = g->cut[i * SCALES + s];
            NEP_REQUIRE(ctx, cut >= least && cut <= g->n_offsets, NEP_E_ARG, "shells: neighbourhood %d of place %lld ends at offset %d", s,
                        (long long)i, cut);
            least = cut;
        }
        NEP_REQUIRE(ctx, g->whole[i] >= 0 && g->whole[i] <= g->n_offsets, NEP_E_ARG, "shells: the neighbours of place %lld end at offset %d",
                    (long long)i, g->whole[i]);
    }
    return check_lines(ctx, g);
}

static nep_status check_lists(nep_ctx *ctx, const nep_lists *g)
{
    NEP_REQUIRE(ctx, g->n >= 1 && g->n <= INT_MAX && nep_near_count(g->neighbours, 0) >= 1, NEP_E_ARG,
                "lists: %lld places with %lld neighbours each, at least 4 are needed", (long long)g->n, (long long)g->neighbours);
    NEP_REQUIRE(ctx, g->near && g->far && g->norm && g->scale && g->table, NEP_E_ARG, "lists: an array is missing");
    NEP_REQUIRE(ctx, g->lag[1] > g->lag[0], NEP_E_ARG, "lists: lags do not rise");
    for (int64_t i = 0; i < g->n; i++) {
        const float *far = g->far + i * g->neighbours;
        for (int64_t t = 0; t < g->neighbours; t++)
            NEP_REQUIRE(ctx, g->near[i * g->neighbours + t] >= 0 && g->near[i * g->neighbours + t] < g->n && far[t] >= (t ? far[t - 1] : 0.0f),
                        NEP_E_ARG, "lists: neighbour %lld of place %lld is none, or is nearer than the one before it", (long long)t,
                        (long long)i);
        for (int s = 0; s < SCALES; s++) {
            const double u = (double)far[nep_near_count(g->neighbours, s) - 1] * g->scale[i * SCALES + s];
            NEP_REQUIRE(ctx, u >= 0.0 && u * NEP_NEAR_STEPS < NEP_NEAR_STEPS + 1, NEP_E_ARG,
                        "lists: the scale of neighbourhood %d of place %lld is wrong", s, (long long)i);
        }
    }
    return NEP_OK;
}

void nep_backend_shells_free(nep_shell_place *p)
{
    for (int i = 0; i < NEP_LEN(p->part); i++)
        nep_buf_free(&p->part[i]);
    *p = (nep_shell_place){0};
}

void nep_backend_lists_free(nep_list_place *p)
{
    for (int i = 0; i < NEP_LEN(p->part); i++)
        nep_buf_free(&p->part[i]);
    *p = (nep_list_place){0};
}

nep_status nep_backend_shells(nep_ctx *ctx, const nep_shells *shells, nep_shell_place *out)
{
    const nep_shells *g = shells;
    nep_shell_place p = {.be = nep_place_backend(ctx), .at = *g};
    nep_buf *b = p.part;
    nep_status st = NEP_OK;
    NEP_TRY(check_shells(ctx, g));
    if (!p.be->host) {
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->slot, NEP_I32, g->n, "lines of places", &b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->place, NEP_I32, g->slots, "places of lines", &b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->offset, NEP_I64, g->n_offsets, "offsets", &b[2]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->shell, NEP_I64, g->n_shells + 1, "shells", &b[3]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->cut, NEP_I32, g->n * SCALES, "neighbourhoods", &b[4]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->whole, NEP_I32, g->n, "neighbours", &b[5]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->norm, NEP_F64, g->n * SCALES, "norms", &b[6]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->weight, NEP_F64, g->n_shells * g->n_shells, "weights", &b[7]));
        p.at.slot = b[0].ptr;
        p.at.place = b[1].ptr;
        p.at.offset = b[2].ptr;
        p.at.shell = b[3].ptr;
        p.at.cut = b[4].ptr;
        p.at.whole = b[5].ptr;
        p.at.norm = b[6].ptr;
        p.at.weight = b[7].ptr;
    }
    *out = p;
    p = (nep_shell_place){0};
done:
    nep_backend_shells_free(&p);
    return st;
}

nep_status nep_backend_lists(nep_ctx *ctx, const nep_lists *lists, nep_list_place *out)
{
    const nep_lists *g = lists;
    nep_list_place p = {.be = nep_place_backend(ctx), .at = *g};
    nep_buf *b = p.part;
    nep_status st = NEP_OK;
    NEP_TRY(check_lists(ctx, g));
    if (!p.be->host) {
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->near, NEP_I32, g->n * g->neighbours, "nearest places", &b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->far, NEP_F32, g->n * g->neighbours, "distances to the nearest", &b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->norm, NEP_F64, g->n * SCALES, "norms", &b[2]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->scale, NEP_F64, g->n * SCALES, "scales", &b[3]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, g->table, NEP_F64, NEP_NEAR_STEPS + 2, "weights", &b[4]));
        p.at.near = b[0].ptr;
        p.at.far = b[1].ptr;
        p.at.norm = b[2].ptr;
        p.at.scale = b[3].ptr;
        p.at.table = b[4].ptr;
    }
    *out = p;
    p = (nep_list_place){0};
done:
    nep_backend_lists_free(&p);
    return st;
}

/* ---- calls ---- */

static nep_status check_numbers(nep_ctx *ctx, const char *op, const char *what, const int32_t *number, int64_t count, int64_t n)
{
    for (int64_t k = 0; k < count; k++)
        NEP_REQUIRE(ctx, number[k] >= 0 && number[k] < n, NEP_E_ARG, "%s: %s %lld is place %d, must be 0 to %lld", op, what, (long long)k,
                    number[k], (long long)n - 1);
    return NEP_OK;
}

static nep_status check_home(nep_ctx *ctx, const char *op, const nep_backend *placed)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, placed == be, NEP_E_ARG, "%s: the places were brought to '%s', this context works on '%s': make them with it", op,
                placed ? placed->name : "nothing", be->name);
    return NEP_OK;
}

static nep_status check_buffer(nep_ctx *ctx, const char *op, const char *what, const nep_backend *be, const nep_buf *b, int64_t n)
{
    NEP_REQUIRE(ctx, b && b->be == be && b->dtype == NEP_F32 && b->n >= n, NEP_E_ARG, "%s: %s are not %lld float32 on '%s'", op, what,
                (long long)n, be->name);
    return NEP_OK;
}

/* What both smoothings ask of a call; value and order where the backend works. */
static nep_status begin_smooth(nep_ctx *ctx, const char *op, const nep_backend *be, int64_t n, int64_t slots, const float *value,
                               const int32_t *order, const nep_buf *lines, const nep_buf *maps, nep_place *p)
{
    NEP_REQUIRE(ctx, value && order, NEP_E_ARG, "%s: an array is missing", op);
    NEP_TRY(check_buffer(ctx, op, "lines", be, lines, slots * COLS));
    NEP_TRY(check_buffer(ctx, op, "maps", be, maps, (SCALES + 1) * n * COLS));
    NEP_TRY(check_numbers(ctx, op, "shuffle", order, n * COLS, n));
    if (be->host)
        return NEP_OK;
    NEP_TRY(nep_buf_put(ctx, value, NEP_F32, n, "a map", &p->b[0]));
    return nep_buf_put(ctx, order, NEP_I32, n * COLS, "shuffles", &p->b[1]);
}

nep_status nep_backend_shell_smooth(nep_ctx *ctx, const nep_shell_place *g, const float *value, const int32_t *order, nep_buf *lines,
                                    nep_buf *maps)
{
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_home(ctx, "shell_smooth", g->be));
    NEP_REQUIRE(ctx, g->be->ops.shell_smooth, NEP_E_NOTSUP, "shell_smooth: no %s version", g->be->name);
    NEP_TRY_OR_DONE(st, begin_smooth(ctx, "shell_smooth", g->be, g->at.n, g->at.slots, value, order, lines, maps, &p));
    st = g->be->host ? g->be->ops.shell_smooth(ctx, NULL, &g->at, value, order, lines->ptr, maps->ptr)
                     : g->be->ops.shell_smooth(ctx, g->be->queue(ctx), &g->at, p.b[0].ptr, p.b[1].ptr, lines->ptr, maps->ptr);
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_list_smooth(nep_ctx *ctx, const nep_list_place *g, const float *value, const int32_t *order, nep_buf *lines,
                                   nep_buf *maps)
{
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_home(ctx, "list_smooth", g->be));
    NEP_REQUIRE(ctx, g->be->ops.list_smooth, NEP_E_NOTSUP, "list_smooth: no %s version", g->be->name);
    NEP_TRY_OR_DONE(st, begin_smooth(ctx, "list_smooth", g->be, g->at.n, g->at.n, value, order, lines, maps, &p));
    st = g->be->host ? g->be->ops.list_smooth(ctx, NULL, &g->at, value, order, lines->ptr, maps->ptr)
                     : g->be->ops.list_smooth(ctx, g->be->queue(ctx), &g->at, p.b[0].ptr, p.b[1].ptr, lines->ptr, maps->ptr);
done:
    nep_place_free(&p);
    return st;
}

/* What both variograms ask of a call; sample and room for `cells` sums and `totals` where the backend works. */
static nep_status begin_squares(nep_ctx *ctx, const char *op, const nep_backend *be, int64_t n, const nep_buf *maps, int64_t n_maps,
                                const int32_t *sample, int64_t n_sample, int64_t cells, int64_t totals, nep_place *p)
{
    NEP_REQUIRE(ctx, n_maps >= 0 && n_maps <= INT_MAX && n_sample >= 0 && n_sample <= INT_MAX && (sample || n_sample == 0), NEP_E_ARG,
                "%s: a sample of %lld places of %lld maps", op, (long long)n_sample, (long long)n_maps);
    NEP_TRY(check_buffer(ctx, op, "maps", be, maps, n_maps * n * COLS));
    NEP_TRY(check_numbers(ctx, op, "sample", sample, n_sample, n));
    if (be->host)
        return NEP_OK;
    NEP_TRY(nep_buf_put(ctx, sample, NEP_I32, n_sample, "a sample", &p->b[0]));
    NEP_TRY(nep_buf_new(ctx, NEP_F64, cells, "squares of pairs", &p->b[1]));
    return nep_buf_new(ctx, NEP_F64, totals, "pairs", &p->b[2]);
}

nep_status nep_backend_shell_squares(nep_ctx *ctx, const nep_shell_place *g, const nep_buf *maps, int64_t n_maps, const int32_t *sample,
                                     int64_t n_sample, double *squares, double *pairs)
{
    const int64_t bins = g->at.n_bins;
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_home(ctx, "shell_squares", g->be));
    NEP_REQUIRE(ctx, g->be->ops.shell_squares, NEP_E_NOTSUP, "shell_squares: no %s version", g->be->name);
    NEP_REQUIRE(ctx, squares && pairs, NEP_E_ARG, "shell_squares: an array is missing");
    NEP_TRY_OR_DONE(st, begin_squares(ctx, "shell_squares", g->be, g->at.n, maps, n_maps, sample, n_sample, n_maps * bins * COLS, bins, &p));
    if (g->be->host) {
        st = g->be->ops.shell_squares(ctx, NULL, &g->at, maps->ptr, n_maps, sample, n_sample, squares, pairs);
        goto done;
    }
    NEP_TRY_OR_DONE(st,
                    g->be->ops.shell_squares(ctx, g->be->queue(ctx), &g->at, maps->ptr, n_maps, p.b[0].ptr, n_sample, p.b[1].ptr, p.b[2].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], squares));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], pairs));
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_list_squares(nep_ctx *ctx, const nep_list_place *g, const nep_buf *maps, int64_t n_maps, const int32_t *sample,
                                    int64_t n_sample, double *squares, double *weights)
{
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_home(ctx, "list_squares", g->be));
    NEP_REQUIRE(ctx, g->be->ops.list_squares, NEP_E_NOTSUP, "list_squares: no %s version", g->be->name);
    NEP_REQUIRE(ctx, squares && weights, NEP_E_ARG, "list_squares: an array is missing");
    NEP_TRY_OR_DONE(st, begin_squares(ctx, "list_squares", g->be, g->at.n, maps, n_maps, sample, n_sample, n_maps * LAGS * COLS, LAGS, &p));
    if (g->be->host) {
        st = g->be->ops.list_squares(ctx, NULL, &g->at, maps->ptr, n_maps, sample, n_sample, squares, weights);
        goto done;
    }
    NEP_TRY_OR_DONE(st,
                    g->be->ops.list_squares(ctx, g->be->queue(ctx), &g->at, maps->ptr, n_maps, p.b[0].ptr, n_sample, p.b[1].ptr, p.b[2].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], squares));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], weights));
done:
    nep_place_free(&p);
    return st;
}
