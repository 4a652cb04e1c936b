/* SPDX-License-Identifier: Apache-2.0 */
/* maps_voxels_compare - `maps compare` of two images over the voxels where both have a value. */
#include <math.h>
#include <string.h>

#include "cli/images.h"
#include "cli/maps_voxels.h"
#include "cli/tabular.h"

typedef struct {
    nep_volume image[2], mask;
    bool *use;
    int64_t n;
    double *value[2]; /* [n] */
    char *name[2];
} pair;

static void pair_free(pair *p)
{
    for (int i = 0; i < 2; i++) {
        nep_volume_free(&p->image[i]);
        nep_alloc_free(p->value[i]);
        nep_alloc_free(p->name[i]);
    }
    nep_volume_free(&p->mask);
    nep_alloc_free(p->use);
}

/* A file's name without folder and extension. */
static nep_status name_of(nep_ctx *ctx, const char *path, char **out)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strstr(name, ".nii");
    NEP_TRY(nep_alloc_string(ctx, name, out));
    if (dot)
        (*out)[dot - name] = '\0';
    return NEP_OK;
}

static nep_status read_images(cli *c, pair *p)
{
    nep_ctx *ctx = cli_ctx(c);
    for (int i = 0; i < 2; i++) {
        NEP_TRY(nep_nifti_read_volume(ctx, cli_input(c, i), &p->image[i]));
        NEP_TRY(name_of(ctx, cli_input(c, i), &p->name[i]));
    }
    NEP_TRY(cli_images_same_grid(ctx, cli_input(c, 1), &p->image[1].grid, cli_input(c, 0), &p->image[0].grid));
    return cli_given(c, "mask") ? cli_images_mask(ctx, cli_text(c, "mask"), &p->image[0].grid, cli_input(c, 0), &p->mask) : NEP_OK;
}

/* The voxels of the mask where both are finite; without a mask those where both are finite and not 0. */
static nep_status take_voxels(cli *c, pair *p)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t all = nep_grid_voxels(&p->image[0].grid);
    int64_t missing = 0;
    NEP_TRY(nep_alloc(ctx, all, sizeof *p->use, "voxels", &p->use));
    for (int64_t v = 0; v < all; v++) {
        const float a = p->image[0].data[v], b = p->image[1].data[v];
        const bool inside = p->mask.data ? p->mask.data[v] > 0 : a != 0.0f && b != 0.0f, there = isfinite(a) && isfinite(b);
        missing += p->mask.data && inside && !there;
        p->use[v] = inside && there;
        p->n += p->use[v];
    }
    if (missing > 0)
        nep_warn(ctx, "%lld voxels of the mask have no finite value in both images and are left out", (long long)missing);
    for (int i = 0; i < 2; i++) {
        NEP_TRY(nep_alloc(ctx, p->n, sizeof *p->value[i], "voxels", &p->value[i]));
        for (int64_t v = 0, k = 0; v < all; v++)
            if (p->use[v])
                p->value[i][k++] = (double)p->image[i].data[v];
    }
    return NEP_OK;
}

static nep_status check_options(cli *c)
{
    static const char *const regional[] = {"geometry", "surface", "columns", "scope", "calibrate"};
    nep_ctx *ctx = cli_ctx(c);
    NEP_REQUIRE(ctx, cli_images_is_nifti(cli_input(c, 0)) && cli_images_is_nifti(cli_input(c, 1)), NEP_E_USAGE,
                "an image is compared with an image, a table with a table: nepenthe parcels makes a table of regions from an image");
    for (int i = 0; i < NEP_LEN(regional); i++)
        NEP_REQUIRE(ctx, !cli_given(c, regional[i]), NEP_E_USAGE, "--%s is for tables of regions; images have their voxels%s", regional[i],
                    strcmp(regional[i], "calibrate") == 0 ? " (maps calibrate MASK measures their rates)" : "");
    return NEP_OK;
}

nep_status cli_maps_voxels_compare(cli *c, nep_compare_opts o)
{
    nep_ctx *ctx = cli_ctx(c);
    const nep_sampled_opts sampled = {.neighbours = cli_int(c, "neighbours"), .sample = cli_int(c, "sample")};
    pair p = {0};
    nep_comparison r;
    nep_status st;
    NEP_TRY(check_options(c));
    NEP_TRY(cli_maps_voxels_kind(c, &o.kind));
    o.n_nulls = cli_int(c, "n");
    NEP_TRY_OR_DONE(st, read_images(c, &p));
    NEP_TRY_OR_DONE(st, take_voxels(c, &p));
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, 1, cli_maps_voxels_bytes(o.kind, p.n) + ((int64_t)sizeof(double) << 24) + 3 * nep_grid_voxels(&p.image[0].grid) * (int64_t)sizeof(float), (double)NAN,
                      out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_compare_voxels(ctx, &p.image[0].grid, p.use, p.value[0], p.value[1], &o, &sampled, &r));
    if (o.n_nulls == 0)
        cli_say(c, "no p: surrogates need --n above 0");
    const char *const name[2] = {p.name[0], p.name[1]}, *const kind = o.n_nulls > 0 ? nep_nulls_name(o.kind) : "none";
    const double voxels = (double)r.n_regions, count = (double)r.n_nulls;
    const cli_column columns[] = {{"a", &name[0], NULL},
                                  {"b", &name[1], NULL},
                                  {"r", NULL, &r.r},
                                  {"p", NULL, &r.p},
                                  {"n_nulls", NULL, &count},
                                  {"null", &kind, NULL},
                                  {"p_permute_a", NULL, &r.p_a},
                                  {"p_permute_b", NULL, &r.p_b},
                                  {"n_regions", NULL, &voxels}};
    st = cli_tabular_emit(c, "comparisons", columns, NEP_LEN(columns), 1, NULL);
done:
    pair_free(&p);
    return st;
}
