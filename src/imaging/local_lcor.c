/* SPDX-License-Identifier: Apache-2.0 */
/* local_lcor - Gaussian-weighted correlation of a voxel with what is around it: the product of its unit series with the smoothed ones. */
#include <nepenthe/local.h>

#include <string.h>

enum { BLOCK_BYTES = 64 << 20 }; /* smoothed at once, where there is memory */

/* The part of the grid that is smoothed, and the weights along its axes. */
typedef struct {
    int64_t side[3], n_vox;
    int64_t *place; /* [n_cols] of each column in it */
    double *weight[3];
    int64_t radius[3];
} box;

static void box_free(box *b)
{
    nep_alloc_free(b->place);
    for (int a = 0; a < 3; a++)
        nep_alloc_free(b->weight[a]);
}

/* Half a Gaussian of sum 1 when mirrored, out to `radius`. */
static nep_status make_weights(nep_ctx *ctx, double sigma, int64_t radius, double **out)
{
    double sum = 0;
    NEP_TRY(nep_alloc(ctx, radius + 1, sizeof **out, "weights", out));
    for (int64_t k = 0; k <= radius; k++) {
        (*out)[k] = exp(-0.5 * (double)(k * k) / (sigma * sigma));
        sum += (*out)[k] * (k ? 2 : 1);
    }
    for (int64_t k = 0; k <= radius; k++)
        (*out)[k] /= sum;
    return NEP_OK;
}

/* What the columns span; conn: the whole grid, whose edges reflect. */
static void span(const int64_t side[3], const int64_t *voxel, int64_t n_cols, bool conn, int64_t low[3], int64_t high[3])
{
    for (int a = 0; a < 3; a++) {
        low[a] = conn ? 0 : side[a] - 1;
        high[a] = conn ? side[a] - 1 : 0;
    }
    for (int64_t c = 0; c < n_cols && !conn; c++) {
        const int64_t at[3] = {voxel[c] % side[0], voxel[c] / side[0] % side[1], voxel[c] / (side[0] * side[1])};
        for (int a = 0; a < 3; a++) {
            low[a] = at[a] < low[a] ? at[a] : low[a];
            high[a] = at[a] > high[a] ? at[a] : high[a];
        }
    }
}

/* Nothing lies farther away than the span is wide. Unless conn, zeros go around it: enough that what the edges reflect does not reach
 * back to a voxel. */
static nep_status make_box(nep_ctx *ctx, const nep_grid *g, const int64_t *voxel, int64_t n_cols, double fwhm_mm, bool conn, box *b)
{
    const int64_t side[3] = {g->nx, g->ny, g->nz};
    int64_t low[3], high[3];
    span(side, voxel, n_cols, conn, low, high);
    for (int a = 0; a < 3; a++) {
        const double *m = &g->affine[0][a];
        const double voxel_mm = sqrt(m[0] * m[0] + m[4] * m[4] + m[8] * m[8]), sigma = fwhm_mm / (voxel_mm * sqrt(8 * log(2)));
        NEP_REQUIRE(ctx, sigma > 0 && sigma < 1e5, NEP_E_ARG, "lcor: a width of %g mm on voxels of %g mm", fwhm_mm, voxel_mm);
        const int64_t cut = conn ? (int64_t)round(3 * sigma) : (int64_t)(4 * sigma + 0.5), most = conn ? side[a] : high[a] - low[a];
        b->radius[a] = cut < most ? cut : most;
        const int64_t pad = conn ? 0 : (b->radius[a] + 1) / 2;
        b->side[a] = high[a] - low[a] + 1 + 2 * pad;
        low[a] -= pad;
        NEP_TRY(make_weights(ctx, sigma, b->radius[a], &b->weight[a]));
    }
    b->n_vox = b->side[0] * b->side[1] * b->side[2];
    NEP_TRY(nep_alloc(ctx, n_cols, sizeof *b->place, "places of voxels", &b->place));
    for (int64_t c = 0; c < n_cols; c++)
        b->place[c] = voxel[c] % side[0] - low[0] +
                      b->side[0] * (voxel[c] / side[0] % side[1] - low[1] + b->side[1] * (voxel[c] / (side[0] * side[1]) - low[2]));
    return NEP_OK;
}

/* The n volumes of x, smoothed, end in *smooth, which is x or spare. */
static nep_status smooth(nep_ctx *ctx, const box *b, int64_t n, float *x, float *spare, float **smooth)
{
    int64_t inner = 1;
    for (int a = 0; a < 3; inner *= b->side[a++]) {
        float *const swap = x;
        NEP_TRY(nep_backend_smooth_axis(ctx, x, n * b->n_vox / (inner * b->side[a]), b->side[a], inner, b->weight[a], b->radius[a], spare));
        x = spare;
        spare = swap;
    }
    *smooth = x;
    return NEP_OK;
}

/* out += product of rows [n, n_cols] with their smoothed selves. */
static nep_status add_block(nep_ctx *ctx, const box *b, const float *rows, int64_t n, int64_t n_cols, float *x, float *spare, float *picked,
                            double *out)
{
    float *smoothed;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 0; t < n; t++) {
        memset(x + t * b->n_vox, 0, (size_t)b->n_vox * sizeof *x);
        for (int64_t c = 0; c < n_cols; c++)
            x[t * b->n_vox + b->place[c]] = rows[t * n_cols + c];
    }
    NEP_TRY(smooth(ctx, b, n, x, spare, &smoothed));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 0; t < n; t++)
        for (int64_t c = 0; c < n_cols; c++)
            picked[t * n_cols + c] = smoothed[t * b->n_vox + b->place[c]];
    return nep_backend_paired_dots(ctx, rows, n, n_cols, picked, n_cols, NULL, out);
}

/* weight[c] = what of the Gaussian around column c lies on columns inside. */
static nep_status find_weight(nep_ctx *ctx, const box *b, const bool *inside, int64_t n_cols, float *x, float *spare, float *weight)
{
    float *smoothed;
    memset(x, 0, (size_t)b->n_vox * sizeof *x);
    for (int64_t c = 0; c < n_cols; c++)
        x[b->place[c]] = inside[c] ? 1.0f : 0.0f;
    NEP_TRY(smooth(ctx, b, 1, x, spare, &smoothed));
    for (int64_t c = 0; c < n_cols; c++)
        weight[c] = smoothed[b->place[c]];
    return NEP_OK;
}

/* Frames at once: within half of the memory that is left. Their number does not change a bit. */
static int64_t frames_at_once(nep_ctx *ctx, const box *b, int64_t n_t, int64_t n_cols)
{
    const int64_t left = (nep_alloc_budget(ctx) - nep_alloc_used(ctx)) / 2, most = left < BLOCK_BYTES ? left : BLOCK_BYTES;
    const int64_t fits = most / ((2 * b->n_vox + n_cols) * (int64_t)sizeof(float));
    return fits < 1 ? 1 : fits > n_t ? n_t : fits;
}

static nep_status run(nep_ctx *ctx, const box *b, const float *unit, const bool *inside, int64_t n_t, int64_t n_cols, bool conn, double *out)
{
    const int64_t at_once = frames_at_once(ctx, b, n_t, n_cols);
    float *x = NULL, *spare = NULL, *picked = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, at_once * b->n_vox, sizeof *x, "volumes", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, at_once * b->n_vox, sizeof *spare, "smoothed volumes", &spare));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, at_once * n_cols, sizeof *picked, "smoothed series", &picked));
    memset(out, 0, (size_t)n_cols * sizeof *out);
    for (int64_t t = 0; t < n_t; t += at_once) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, add_block(ctx, b, unit + t * n_cols, n_t - t < at_once ? n_t - t : at_once, n_cols, x, spare, picked, out));
    }
    if (!conn)
        NEP_TRY_OR_DONE(st, find_weight(ctx, b, inside, n_cols, x, spare, picked));
    for (int64_t c = 0; c < n_cols; c++)
        out[c] = inside[c] ? out[c] / (conn ? 1 : (double)picked[c]) : (double)NAN;
done:
    nep_alloc_free(picked);
    nep_alloc_free(spare);
    nep_alloc_free(x);
    return st;
}

nep_status nep_local_lcor(nep_ctx *ctx, const nep_grid *g, const int64_t *voxel, const float *unit, const bool *inside, int64_t n_t,
                          int64_t n_cols, double fwhm_mm, nep_voxelwise_definition definition, double *out)
{
    const bool conn = definition == NEP_VOXELWISE_CONN;
    box b = {0};
    nep_status st;
    NEP_REQUIRE(ctx, conn || definition == NEP_VOXELWISE_CANONICAL, NEP_E_ARG, "lcor: %s has none; the definitions are canonical and conn",
                nep_voxelwise_name(definition));
    NEP_REQUIRE(ctx, fwhm_mm > 0 && isfinite(fwhm_mm), NEP_E_ARG, "lcor: a width of %g mm; it must be above 0", fwhm_mm);
    for (int64_t c = 0; c < n_cols; c++)
        NEP_REQUIRE(ctx, voxel[c] >= 0 && voxel[c] < nep_grid_voxels(g), NEP_E_ARG, "lcor: voxel %lld lies outside the volume",
                    (long long)voxel[c]);
    if (n_cols == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, make_box(ctx, g, voxel, n_cols, fwhm_mm, conn, &b));
    st = run(ctx, &b, unit, inside, n_t, n_cols, conn, out);
done:
    box_free(&b);
    return st;
}
