/* SPDX-License-Identifier: Apache-2.0 */
/* maps_voxels - the maps commands where a map is an image: its voxels, and surrogates of them as they are made. */
#include "cli/maps_voxels.h"

#include <math.h>

#include "cli/images.h"

enum { BATCH = 64 }; /* surrogates in memory, a quarter of them where they are made one group at a time */

typedef struct {
    nep_volume map;
    bool *mask;
    int64_t n;
    double *value; /* [n] */
    nep_nulls *nulls;
    nep_nulls_kind kind;
} voxels;

static void voxels_free(voxels *v)
{
    nep_volume_free(&v->map);
    nep_alloc_free(v->mask);
    nep_alloc_free(v->value);
    nep_nulls_free(v->nulls);
}

static nep_sampled_opts opts_of(const cli *c)
{
    return (nep_sampled_opts){.neighbours = cli_int(c, "neighbours"), .sample = cli_int(c, "sample")};
}

/* The voxels of a mask file; freed by the caller. */
static nep_status read_mask(nep_ctx *ctx, const char *path, nep_grid *grid, bool **mask, int64_t *n)
{
    nep_volume image = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_read_volume(ctx, path, &image));
    const int64_t all = nep_grid_voxels(&image.grid);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all, sizeof **mask, "voxels", mask));
    *grid = image.grid;
    *n = 0;
    for (int64_t v = 0; v < all; v++)
        *n += (*mask)[v] = isfinite(image.data[v]) && image.data[v] != 0.0f;
done:
    nep_volume_free(&image);
    return st;
}

nep_status cli_maps_voxels_count(cli *c, const char *path, int64_t *n)
{
    nep_grid grid;
    bool *mask = NULL;
    const nep_status st = read_mask(cli_ctx(c), path, &grid, &mask, n);
    nep_alloc_free(mask);
    return st;
}

nep_status cli_maps_voxels_open(cli *c, const char *path, nep_nulls_kind kind, nep_nulls **out)
{
    const nep_sampled_opts o = opts_of(c);
    nep_grid grid;
    bool *mask = NULL;
    int64_t n = 0;
    nep_status st = read_mask(cli_ctx(c), path, &grid, &mask, &n);
    if (st == NEP_OK)
        st = nep_nulls_create_voxels(cli_ctx(c), &grid, mask, kind, &o, out);
    nep_alloc_free(mask);
    return st;
}

nep_status cli_maps_voxels_kind(cli *c, nep_nulls_kind *out)
{
    const char *name = cli_text(c, "nulls");
    NEP_REQUIRE(cli_ctx(c), nep_nulls_find(name, out), NEP_E_ARG, "there are no nulls called '%s'", name);
    NEP_REQUIRE(cli_ctx(c), nep_nulls_of_voxels(*out), NEP_E_USAGE,
                "--nulls %s does not exist for voxels: choose variogram, variogram-values, eigenmodes, moran, moran-pair or shuffle", name);
    return NEP_OK;
}

int64_t cli_maps_voxels_bytes(nep_nulls_kind kind, int64_t n)
{
    const int64_t drawn = n * BATCH * (int64_t)sizeof(double), few = n < 2048 ? 5 * n : 600; /* doubles of modes and what is in work with them */
    return drawn + n * (nep_nulls_made_per_map(kind) ? 700 : kind == NEP_NULLS_SHUFFLE ? 0 : few * (int64_t)sizeof(double));
}

/* The voxels that take part and their values. */
static nep_status take_voxels(cli *c, voxels *v)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *path = cli_input(c, 0);
    nep_volume mask = {0};
    int64_t missing = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_read_volume(ctx, path, &v->map));
    const int64_t all = nep_grid_voxels(&v->map.grid);
    if (cli_given(c, "mask"))
        NEP_TRY_OR_DONE(st, cli_images_mask(ctx, cli_text(c, "mask"), &v->map.grid, path, &mask));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all, sizeof *v->mask, "voxels", &v->mask));
    for (int64_t i = 0; i < all; i++) {
        const bool inside = mask.data ? mask.data[i] > 0 : v->map.data[i] != 0.0f;
        missing += mask.data && inside && !isfinite(v->map.data[i]);
        v->mask[i] = inside && isfinite(v->map.data[i]);
        v->n += v->mask[i];
    }
    if (missing > 0)
        nep_warn(ctx, "%s: %lld voxels of the mask have no finite value and are left out", path, (long long)missing);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n, sizeof *v->value, "voxels", &v->value));
    for (int64_t i = 0, k = 0; i < all; i++)
        if (v->mask[i])
            v->value[k++] = (double)v->map.data[i];
done:
    nep_volume_free(&mask);
    return st;
}

/* What the surrogates are of, and which voxels: i, j, k. */
static nep_status describe(nep_hdf5 *h, nep_ctx *ctx, const voxels *v)
{
    const nep_grid *g = &v->map.grid;
    const int64_t shape[3] = {g->nx, g->ny, g->nz}, dims[2] = {v->n, 3}, affine[2] = {3, 4};
    int64_t *at = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n * 3, sizeof *at, "voxels", &at));
    for (int64_t i = 0, k = 0; i < nep_grid_voxels(g); i++)
        if (v->mask[i]) {
            at[k++] = i % g->nx;
            at[k++] = i / g->nx % g->ny;
            at[k++] = i / g->nx / g->ny;
        }
    NEP_TRY_OR_DONE(st, nep_hdf5_write_i64(h, "voxels", at, 2, dims));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_f64(h, "map", v->value, 1, dims));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_f64(h, "affine", &g->affine[0][0], 2, affine));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute_i64(h, "/", "shape", shape, 3));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "schema", "nepenthe/nulls/1"));
    st = nep_hdf5_attribute(h, "/", "null", nep_nulls_name(v->kind));
done:
    nep_alloc_free(at);
    return st;
}

static int64_t batch_of(const voxels *v)
{
    return nep_nulls_made_per_map(v->kind) ? BATCH / 4 : BATCH;
}

static nep_status draw(cli *c, const voxels *v, int64_t count, nep_hdf5 *h)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t batch = batch_of(v);
    double *drawn = NULL;
    float *row = NULL;
    nep_status st;
    nep_progress_open(ctx, "maps nulls", count);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, batch * v->n, sizeof *drawn, "surrogates", &drawn));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n, sizeof *row, "surrogates", &row));
    NEP_TRY_OR_DONE(st, nep_hdf5_rows_begin(h, "nulls", count, v->n));
    for (int64_t b = 0; b < count; b += batch) {
        const int64_t some = count - b < batch ? count - b : batch;
        NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, v->nulls, v->value, 0, b, some, drawn));
        for (int64_t r = 0; r < some; r++) {
            for (int64_t i = 0; i < v->n; i++)
                row[i] = (float)drawn[r * v->n + i];
            NEP_TRY_OR_DONE(st, nep_hdf5_rows_write(h, b + r, 1, row));
        }
        nep_progress_step(ctx, b + some);
    }
    st = nep_hdf5_rows_end(h);
done:
    nep_progress_close(ctx);
    nep_alloc_free(row);
    nep_alloc_free(drawn);
    return st;
}

static nep_status draw_and_write(cli *c, const voxels *v, int64_t count)
{
    nep_hdf5 *h = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_hdf5_create(cli_ctx(c), cli_out(c), &h));
    NEP_TRY_OR_DONE(st, describe(h, cli_ctx(c), v));
    NEP_TRY_OR_DONE(st, draw(c, v, count, h));
    st = nep_hdf5_commit(h);
    h = NULL;
    if (st == NEP_OK)
        st = cli_sidecar(c, cli_out(c), NULL, NULL);
done:
    nep_hdf5_abort(h);
    return st;
}

nep_status cli_maps_voxels_nulls(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t count = cli_int(c, "n");
    const nep_sampled_opts o = opts_of(c);
    voxels v = {0};
    nep_status st;
    NEP_REQUIRE(ctx, !cli_given(c, "geometry"), NEP_E_USAGE, "--geometry is for tables of regions; an image has its voxels");
    NEP_REQUIRE(ctx, count >= 1, NEP_E_ARG, "--n is %lld: at least one surrogate is needed", (long long)count);
    NEP_TRY_OR_DONE(st, cli_maps_voxels_kind(c, &v.kind));
    NEP_TRY_OR_DONE(st, take_voxels(c, &v));
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c)};
        st = cli_plan(c, count, cli_maps_voxels_bytes(v.kind, v.n) + 70 * nep_grid_voxels(&v.map.grid), (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_nulls_create_voxels(ctx, &v.map.grid, v.mask, v.kind, &o, &v.nulls));
    NEP_TRY_OR_DONE(st, draw_and_write(c, &v, count));
    st = cli_document(c, json_pack("{s:s,s:s,s:I,s:I,s:o}", "map", cli_input(c, 0), "null", nep_nulls_name(v.kind), "n", (json_int_t)count,
                                   "n_voxels", (json_int_t)v.n, "provenance", cli_provenance(c, NULL)));
done:
    voxels_free(&v);
    return st;
}
