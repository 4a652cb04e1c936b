/* SPDX-License-Identifier: Apache-2.0 */
/* people - one row of data per participant, out of a table or out of an image each. */
#include "cli/people.h"

#include <math.h>
#include <string.h>

#include "cli/images.h"

void cli_people_free(cli_people *d)
{
    nep_data_free_names(d->ids, d->n);
    nep_data_free_names(d->columns, d->columns ? d->n_cols : 0);
    nep_alloc_free(d->y);
    nep_alloc_free(d->voxel);
    *d = (cli_people){0};
}

static nep_status check_ids(nep_ctx *ctx, const cli_people *d, const char *what)
{
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t j = 0; j < i; j++)
            NEP_REQUIRE(ctx, strcmp(d->ids[i], d->ids[j]) != 0, NEP_E_FORMAT,
                        "%s: participant '%s' stands there twice", what, d->ids[i]);
    return NEP_OK;
}

static nep_status fill_table(nep_ctx *ctx, const nep_table *t, cli_people *d)
{
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof *d->ids, "participants", &d->ids));
    d->n = t->n_rows;
    NEP_TRY(nep_alloc(ctx, t->n_cols - 1, sizeof *d->columns, "columns", &d->columns));
    d->n_cols = t->n_cols - 1;
    NEP_TRY(nep_alloc(ctx, d->n * d->n_cols, sizeof *d->y, "data", &d->y));
    for (int64_t j = 0; j < d->n_cols; j++)
        NEP_TRY(nep_alloc_string(ctx, t->header[j + 1], &d->columns[j]));
    for (int64_t i = 0; i < d->n; i++) {
        const char *id = nep_table_cell(t, i, 0);
        NEP_REQUIRE(ctx, id, NEP_E_FORMAT, "%s: line %lld has no participant_id", t->path, (long long)i + 2);
        NEP_TRY(nep_alloc_string(ctx, id, &d->ids[i]));
        for (int64_t j = 0; j < d->n_cols; j++) {
            double x;
            NEP_TRY(nep_table_number(ctx, t, i, j + 1, &x));
            d->y[i * d->n_cols + j] = (float)x;
        }
    }
    return check_ids(ctx, d, t->path);
}

static nep_status read_table(nep_ctx *ctx, const char *path, cli_people *d)
{
    nep_table t = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_REQUIRE_OR_DONE(st, ctx, t.n_cols >= 2 && strcmp(t.header[0], "participant_id") == 0, NEP_E_FORMAT,
                        "%s: the first column must be participant_id, followed by one column per region",
                        path);
    st = fill_table(ctx, &t, d);
done:
    nep_table_free(&t);
    return st;
}

/* sub-01 of /x/sub-01_desc-alff.nii.gz: the file's name up to the first '_' or '.'. */
static nep_status name_of_image(nep_ctx *ctx, const char *path, char **out)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const size_t n = strcspn(base, "_.");
    NEP_TRY(nep_alloc(ctx, (int64_t)n + 1, 1, "a participant", out));
    memcpy(*out, base, n);
    return NEP_OK;
}

static nep_status choose_voxels(nep_ctx *ctx, const char *mask, cli_people *d)
{
    nep_volume m = {0};
    const int64_t all = nep_grid_voxels(&d->grid);
    nep_status st = NEP_OK;
    if (mask)
        NEP_TRY_OR_DONE(st, nep_nifti_read_volume(ctx, mask, &m));
    NEP_REQUIRE_OR_DONE(st, ctx, !mask || nep_grid_same(&m.grid, &d->grid), NEP_E_GRID,
                        "%s: the mask lies on another grid than the images", mask);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all, sizeof *d->voxel, "voxels", &d->voxel));
    for (int64_t v = 0; v < all; v++)
        if (!mask || (isfinite(m.data[v]) && m.data[v] != 0.0f))
            d->voxel[d->n_cols++] = v;
    NEP_REQUIRE_OR_DONE(st, ctx, d->n_cols > 0, NEP_E_FORMAT, "%s: the mask is empty", mask);
done:
    nep_volume_free(&m);
    return st;
}

static nep_status read_images(cli *c, cli_people *d)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_volume v = {0};
    nep_status st;
    const int n = cli_input_count(c);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *d->ids, "participants", &d->ids));
    d->n = n;
    for (int i = 0; i < n; i++) {
        const char *path = cli_input(c, i);
        NEP_TRY_OR_DONE(st, name_of_image(ctx, path, &d->ids[i]));
        NEP_TRY_OR_DONE(st, nep_nifti_read_volume(ctx, path, &v));
        if (i == 0) {
            d->grid = v.grid;
            NEP_TRY_OR_DONE(st, choose_voxels(ctx, cli_text(c, "mask"), d));
            NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * d->n_cols, sizeof *d->y, "data", &d->y));
        }
        NEP_REQUIRE_OR_DONE(st, ctx, nep_grid_same(&v.grid, &d->grid), NEP_E_GRID,
                            "%s lies on another grid than %s", path, cli_input(c, 0));
        for (int64_t j = 0; j < d->n_cols; j++)
            d->y[i * d->n_cols + j] = v.data[d->voxel[j]];
        nep_volume_free(&v);
    }
    st = check_ids(ctx, d, "images");
done:
    nep_volume_free(&v);
    return st;
}

nep_status cli_people_read(cli *c, cli_people *d)
{
    const int n = cli_input_count(c);
    int images = 0;
    for (int i = 0; i < n; i++)
        images += cli_images_is_nifti(cli_input(c, i));
    NEP_REQUIRE(cli_ctx(c), images == n || (images == 0 && n == 1), NEP_E_USAGE,
                "give either one table or images alone, not %d images and %d other files", images,
                n - images);
    NEP_REQUIRE(cli_ctx(c), images > 0 || !cli_given(c, "mask"), NEP_E_USAGE,
                "--mask belongs to images, and '%s' is a table", cli_input(c, 0));
    NEP_REQUIRE(cli_ctx(c), images == 0 || cli_out(c), NEP_E_USAGE,
                "images need -o PREFIX, the beginning of the names of the maps");
    return images ? read_images(c, d) : read_table(cli_ctx(c), cli_input(c, 0), d);
}

nep_status cli_people_read_stack(cli *c, char *const *ids, int64_t n, cli_people *d)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_nifti *file = NULL;
    float *volume = NULL;
    nep_status st;
    NEP_TRY(nep_nifti_open(ctx, cli_input(c, 0), &file));
    const nep_nifti_header *h = nep_nifti_info(file);
    NEP_REQUIRE_OR_DONE(st, ctx, h->n_t == n, NEP_E_SHAPE, "'%s' has %lld volumes, the design %lld rows: volume k is of row k", cli_input(c, 0),
                        (long long)h->n_t, (long long)n);
    d->grid = h->grid;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *d->ids, "participants", &d->ids));
    d->n = n;
    NEP_TRY_OR_DONE(st, choose_voxels(ctx, cli_text(c, "mask"), d));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * d->n_cols, sizeof *d->y, "data", &d->y));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&d->grid), sizeof *volume, "one volume", &volume));
    for (int64_t i = 0; i < n; i++) {
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, ids[i], &d->ids[i]));
        NEP_TRY_OR_DONE(st, nep_nifti_next(file, volume));
        for (int64_t j = 0; j < d->n_cols; j++)
            d->y[i * d->n_cols + j] = volume[d->voxel[j]];
    }
    st = check_ids(ctx, d, cli_input(c, 0));
done:
    nep_alloc_free(volume);
    nep_nifti_free(file);
    return st;
}
