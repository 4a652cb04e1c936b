/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe resample - an image on the grid of another. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/resample.h>

#include "cli/images.h"

static const cli_option options[] = {
    {"to", 't', CLI_INPUT, "NIFTI", NULL, NULL, "image whose grid the result gets"},
    {"voxel", 0, CLI_TEXTS, "MM", NULL, NULL, "or voxels of this size along x, y and z that hold the image: one number, or three"},
    {"interpolation", 'i', CLI_CHOICE, "HOW", "continuous", "continuous|linear|nearest", "cubic B-spline, straight lines, or the nearest voxel (for labels)"},
    {"outside", 0, CLI_CHOICE, "WHAT", "zero", "zero|missing", "value beyond the image: 0, as in nilearn, or NaN"},
    {"overshoot", 0, CLI_FLAG, NULL, NULL, NULL, "keep what a spline puts beyond the range of the data and 0"},
};

typedef struct {
    nep_nifti_header header, target;
    nep_resample_opts opts;
    float *out; /* [n_t, voxels of the target] */
    bool whole_numbers;
} job;

static nep_status write_out(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_nifti_write(ctx, path, &j->target.grid, j->header.n_t, j->header.tr_s, j->out, j->whole_numbers);
}

/* Labels keep a whole-number type where it holds them. */
static bool fits_int16(const job *j)
{
    const int64_t n = nep_grid_voxels(&j->target.grid) * j->header.n_t;
    const int type = j->header.datatype;
    bool fits = j->opts.interpolation == NEP_RESAMPLE_NEAREST && j->header.slope == 1 && j->header.inter == 0 && isfinite(j->opts.outside) &&
                type != 16 && type != 64;
    for (int64_t v = 0; fits && v < n; v++)
        fits = j->out[v] == rintf(j->out[v]) && fabsf(j->out[v]) <= 32767;
    return fits;
}

/* The grid along x, y and z, of voxels v mm wide, whose first voxel is the least corner of the image's outermost centres and whose last
 * reaches the greatest: nilearn's, for a target affine of 3 by 3. */
static nep_status make_target(cli *c, const double v[3], job *j)
{
    const nep_grid *g = &j->header.grid;
    const int64_t size[3] = {g->nx, g->ny, g->nz};
    int64_t n[3];
    nep_grid t = {.voxel_mm = {v[0], v[1], v[2]}};
    for (int a = 0; a < 3; a++) {
        double low = g->affine[a][3], high = low;
        for (int k = 0; k < 3; k++) {
            const double span = g->affine[a][k] * (double)(size[k] - 1);
            low += fmin(span, 0);
            high += fmax(span, 0);
        }
        n[a] = (int64_t)ceil(fmin((high - low) / v[a] - 1e-9, 1e6)) + 1;
        t.affine[a][a] = v[a];
        t.affine[a][3] = low;
    }
    NEP_REQUIRE(cli_ctx(c), n[0] <= 32767 && n[1] <= 32767 && n[2] <= 32767 && (double)n[0] * (double)n[1] * (double)n[2] < 2e9, NEP_E_ARG,
                "--voxel: %g x %g x %g mm gives %lld x %lld x %lld voxels; take larger ones", v[0], v[1], v[2], (long long)n[0], (long long)n[1],
                (long long)n[2]);
    t.nx = n[0];
    t.ny = n[1];
    t.nz = n[2];
    j->target = j->header;
    j->target.grid = t;
    return NEP_OK;
}

static nep_status read_voxel(cli *c, job *j)
{
    int n = 0;
    const char *const *text = cli_texts(c, "voxel", &n);
    double v[3];
    bool good = n == 1 || n == 3;
    for (int a = 0; good && a < 3; a++) {
        char *end;
        const char *word = text[n == 3 ? a : 0];
        v[a] = strtod(word, &end);
        good = *word && !*end && v[a] > 0 && isfinite(v[a]);
    }
    NEP_REQUIRE(cli_ctx(c), good, NEP_E_ARG, "--voxel is a size in mm above 0, or three: X,Y,Z");
    return make_target(c, v, j);
}

static nep_status read_options(cli *c, job *j)
{
    static const char *const names[] = {"continuous", "linear", "nearest"};
    nep_ctx *ctx = cli_ctx(c);
    int k = 0;
    NEP_REQUIRE(ctx, cli_given(c, "to") != cli_given(c, "voxel"), NEP_E_USAGE,
                "resample needs --to NIFTI, an image whose grid the result gets, or --voxel MM");
    while (strcmp(names[k], cli_text(c, "interpolation")) != 0)
        k++;
    j->opts = (nep_resample_opts){.interpolation = (nep_resample_interpolation)k, .overshoot = cli_flag(c, "overshoot"),
                                  .outside = strcmp(cli_text(c, "outside"), "zero") == 0 ? 0 : NAN};
    NEP_TRY(cli_images_header(ctx, cli_input(c, 0), false, &j->header));
    return cli_given(c, "voxel") ? read_voxel(c, j) : cli_images_header(ctx, cli_text(c, "to"), false, &j->target);
}

static nep_status resample_one(nep_ctx *ctx, const float *volume, int64_t t, void *user)
{
    job *j = user;
    return nep_resample(ctx, &j->header.grid, volume, &j->target.grid, &j->opts, j->out + t * nep_grid_voxels(&j->target.grid));
}

static nep_status run_volumes(cli *c, job *j)
{
    NEP_TRY(nep_alloc(cli_ctx(c), nep_grid_voxels(&j->target.grid) * j->header.n_t, sizeof *j->out, "resampled image", &j->out));
    NEP_TRY(cli_images_volumes(cli_ctx(c), cli_input(c, 0), "volumes", resample_one, j));
    j->whole_numbers = fits_int16(j);
    return NEP_OK;
}

static nep_status run(cli *c)
{
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_options(c, &j));
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        const int64_t n = nep_grid_voxels(&j.target.grid) * j.header.n_t;
        st = cli_plan(c, j.header.n_t, 4 * n + 20 * nep_grid_voxels(&j.header.grid), (double)n * 5e-8, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, run_volumes(c, &j));
    json_t *says = json_pack("{s:s,s:s,s:b}", "Interpolation", cli_text(c, "interpolation"), "Outside", cli_text(c, "outside"), "Overshoot",
                             j.opts.overshoot);
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_out, &j, NULL, json_pack("{s:O}", "Resample", says)));
    st = cli_json(c) ? cli_document(c, json_incref(says)) : NEP_OK;
    json_decref(says);
done:
    nep_alloc_free(j.out);
    return st;
}

const cli_command cli_cmd_resample = {.name = "resample",
                                      .group = "Imaging",
                                      .summary = "an image on the grid of another",
                                      .inputs = "IMAGE",
                                      .min_inputs = 1,
                                      .max_inputs = 1,
                                      .inputs_are_files = true,
                                      .options = options,
                                      .n_options = NEP_LEN(options),
                                      .run = run,
                                      .example = "nepenthe resample atlas.nii.gz --to bold.nii.gz --interpolation nearest -o atlas_bold.nii.gz"};
