/* SPDX-License-Identifier: Apache-2.0 */
/* brain_atlas.c - an atlas of any orientation on an upright grid: axes along x, y and z in mm, as the page's viewer draws. */
#include "doc.h"

#include <math.h>
#include <string.h>

enum { MOST_VOXELS = 1 << 23, MOST_SAMPLES = 4, MOST_PLACES = MOST_SAMPLES * MOST_SAMPLES * MOST_SAMPLES };

static void to_mm(const double m[3][4], double i, double j, double k, double out[3])
{
    for (int a = 0; a < 3; a++)
        out[a] = m[a][0] * i + m[a][1] * j + m[a][2] * k + m[a][3];
}

/* The box of the labelled voxels, their whole extent, in mm. False without any. */
static bool box_of(const nep_atlas *a, double low[3], double high[3])
{
    const nep_grid *g = &a->grid;
    bool any = false;
    int64_t v = 0;
    for (int64_t k = 0; k < g->nz; k++)
        for (int64_t j = 0; j < g->ny; j++)
            for (int64_t i = 0; i < g->nx; i++, v++) {
                double at[3];
                if (a->label[v] == 0)
                    continue;
                to_mm(g->affine, (double)i, (double)j, (double)k, at);
                for (int x = 0; x < 3; x++) {
                    low[x] = any && low[x] < at[x] ? low[x] : at[x];
                    high[x] = any && high[x] > at[x] ? high[x] : at[x];
                }
                any = true;
            }
    for (int x = 0; x < 3; x++) {
        const double half = (fabs(g->affine[x][0]) + fabs(g->affine[x][1]) + fabs(g->affine[x][2])) / 2;
        low[x] -= half;
        high[x] += half;
    }
    return any;
}

/* One voxel of background around the box, so that its edge is drawn. */
static bool upright_grid(const double low[3], const double high[3], double step, nep_grid *out)
{
    int64_t n[3];
    double all = 1;
    for (int a = 0; a < 3; a++) {
        const double across = ceil((high[a] - low[a]) / step - 1e-6) + 2;
        all *= across;
        if (!(all > 0 && all <= MOST_VOXELS))
            return false;
        n[a] = (int64_t)across;
    }
    *out = (nep_grid){.nx = n[0], .ny = n[1], .nz = n[2], .voxel_mm = {step, step, step}};
    for (int a = 0; a < 3; a++) {
        out->affine[a][a] = step;
        out->affine[a][3] = low[a] - step / 2;
    }
    return true;
}

/* The label at a place, 0 outside: the voxel whose centre is nearest. */
static int32_t label_at(const nep_atlas *a, const double inverse[3][4], const double mm[3])
{
    const int64_t n[3] = {a->grid.nx, a->grid.ny, a->grid.nz};
    double at[3];
    to_mm(inverse, mm[0], mm[1], mm[2], at);
    int64_t v[3];
    for (int x = 0; x < 3; x++) {
        const double nearest = floor(at[x] + 0.5 + 1e-9);
        if (!(nearest >= 0 && nearest < (double)n[x]))
            return 0;
        v[x] = (int64_t)nearest;
    }
    return a->label[v[0] + n[0] * (v[1] + n[1] * v[2])];
}

/* The most frequent of n labels; of a tie the lowest region, the background last. */
static int32_t mode_of(const int32_t *label, int n)
{
    int32_t kind[MOST_PLACES], best = 0;
    int count[MOST_PLACES], kinds = 0, most = 0;
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < kinds && kind[k] != label[i])
            k++;
        if (k == kinds) {
            kind[kinds] = label[i];
            count[kinds++] = 0;
        }
        count[k]++;
    }
    for (int k = 0; k < kinds; k++) {
        const bool before = kind[k] != 0 && (best == 0 || kind[k] < best);
        if (count[k] > most || (count[k] == most && before)) {
            best = kind[k];
            most = count[k];
        }
    }
    return best;
}

/* Each voxel of `out` from samples^3 places inside it. */
static void fill(nep_ctx *ctx, const nep_atlas *a, const double inverse[3][4], int samples, nep_atlas *out)
{
    const nep_grid *g = &out->grid;
    const double step = g->voxel_mm[0];
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < g->nz; k++)
        for (int64_t j = 0; j < g->ny; j++)
            for (int64_t i = 0; i < g->nx; i++) {
                int32_t seen[MOST_PLACES];
                const int n = samples * samples * samples;
                bool alike = true;
                seen[0] = 0;
                for (int s = 0; s < n; s++) {
                    const int part[3] = {s % samples, s / samples % samples, s / (samples * samples)};
                    double mm[3];
                    to_mm(g->affine, (double)i, (double)j, (double)k, mm);
                    for (int x = 0; x < 3; x++)
                        mm[x] += ((part[x] + 0.5) / samples - 0.5) * step;
                    seen[s] = label_at(a, inverse, mm);
                    alike = alike && seen[s] == seen[0];
                }
                out->label[i + g->nx * (j + g->ny * k)] = alike ? seen[0] : mode_of(seen, n);
            }
}

/* A region too small for the grid keeps one voxel: one that a voxel of its own lies in, unless that is the last of another. */
static nep_status keep_small(nep_ctx *ctx, const nep_atlas *a, nep_atlas *out)
{
    const nep_grid *g = &a->grid, *to = &out->grid;
    const int64_t n_out = nep_grid_voxels(to);
    int64_t *has = NULL, v = 0;
    NEP_TRY(nep_alloc(ctx, a->n_regions + 2, sizeof *has, "voxels of regions", &has));
    for (int64_t i = 0; i < n_out; i++)
        has[out->label[i]]++;
    for (int64_t k = 0; k < g->nz; k++)
        for (int64_t j = 0; j < g->ny; j++)
            for (int64_t i = 0; i < g->nx; i++, v++) {
                const int32_t r = a->label[v];
                double mm[3];
                int64_t at[3];
                if (r == 0 || has[r] > 0)
                    continue;
                to_mm(g->affine, (double)i, (double)j, (double)k, mm);
                for (int x = 0; x < 3; x++)
                    at[x] = (int64_t)floor((mm[x] - to->affine[x][3]) / to->voxel_mm[x] + 0.5);
                int32_t *there = &out->label[at[0] + to->nx * (at[1] + to->ny * at[2])];
                if (*there != 0 && has[*there] < 2)
                    continue;
                has[*there]--;
                has[r]++;
                *there = r;
            }
    nep_alloc_free(has);
    return NEP_OK;
}

nep_status nep_brain_upright(nep_ctx *ctx, const nep_atlas *a, double step, nep_atlas *out)
{
    const double *mm = a->grid.voxel_mm, least = fmin(mm[0], fmin(mm[1], mm[2]));
    double low[3] = {0}, high[3] = {0}, inverse[3][4];
    nep_atlas made = {.n_regions = a->n_regions};
    nep_status st = NEP_OK;
    NEP_REQUIRE(ctx, nep_grid_inverse(&a->grid, inverse) && least > 0, NEP_E_GRID, "report.html: the atlas has an affine that cannot be inverted");
    NEP_REQUIRE(ctx, box_of(a, low, high), NEP_E_FORMAT, "report.html: the atlas has no region");
    NEP_REQUIRE(ctx, upright_grid(low, high, step, &made.grid), NEP_E_ARG, "report.html: the atlas does not fit into %d voxels of %g mm", MOST_VOXELS, step);
    const double samples = ceil(step / least - 1e-6);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&made.grid), sizeof *made.label, "atlas of the page", &made.label));
    fill(ctx, a, (const double (*)[4])inverse, samples < 1 ? 1 : samples > MOST_SAMPLES ? MOST_SAMPLES : (int)samples, &made);
    NEP_TRY_OR_DONE(st, keep_small(ctx, a, &made));
    *out = made;
    made = (nep_atlas){0};
done:
    nep_atlas_free(&made);
    return st;
}
